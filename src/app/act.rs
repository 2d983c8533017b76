//! What the commands do.

use egui::Context;

use super::browse::Browse;
use super::command::{self, Command};
use super::dialog::Dialog;
use super::{AppState, FrameRate, settings};
use crate::source::Location;
use crate::time::Span;

impl AppState {
    /// Does what a key, a menu or the palette asked for.
    pub fn run(&mut self, command: Command, ctx: &Context) {
        let step = |millis: i64| millis * 1_000_000;
        match command {
            Command::OpenFile => self.jobs.choose_files(false),
            Command::AddFile => self.jobs.choose_files(true),
            Command::OpenUrl => self.dialog = Some(Dialog::url()),
            Command::BrowseS3 => self.dialog = Some(Dialog::Browse(Box::new(Browse::at(self)))),
            Command::OpenDemo => self.open_demo(crate::demo::Options::default()),
            Command::Share => self.share(ctx),
            Command::KeepOffline if self.store.span().is_some() => self.keep_offline(self.timeline.shown(self.span())),
            Command::KeepOffline => {}
            Command::SaveLayout => self.save_layout(),
            Command::AutomaticLayout => self.arrange_anew(),
            Command::PlayPause => self.play_or_pause(),
            Command::StepForward => self.step_by(step(100)),
            Command::StepBack => self.step_by(step(-100)),
            Command::LongStepForward => self.step_by(step(500)),
            Command::LongStepBack => self.step_by(step(-500)),
            Command::ShortStepForward => self.step_by(step(10)),
            Command::ShortStepBack => self.step_by(step(-10)),
            Command::NextMessage => self.step_message(1),
            Command::PreviousMessage => self.step_message(-1),
            Command::ToStart => self.seek(self.span().start),
            Command::ToEnd => self.seek(self.span().end),
            Command::Faster => self.playback.speed = next_speed(self.playback.speed, 1),
            Command::Slower => self.playback.speed = next_speed(self.playback.speed, -1),
            Command::ToggleLoop => {
                // all of a recording, of which more may still come, where no part is shown
                let shown = self.timeline.zoomed().unwrap_or(Span::ALL);
                self.playback.looping = if self.playback.looping.is_some() { None } else { Some(shown) };
            }
            Command::FitTimeline => self.timeline.fit(),
            Command::ToggleLeft => self.sidebars.left = !self.sidebars.left,
            Command::ToggleRight => self.sidebars.right = !self.sidebars.right,
            Command::Unmaximise => self.workspace.maximised = None,
            Command::ToggleTheme => {
                let dark = ctx.theme() == egui::Theme::Dark;
                self.settings.look = if dark { settings::Look::Light } else { settings::Look::Dark };
                ctx.set_theme(egui::ThemePreference::from(self.settings.look));
                ctx.request_discard("what was laid out has the other theme's colours");
                self.save_settings();
            }
            Command::Settings => self.dialog = Some(Dialog::Settings),
            Command::Keys => self.dialog = Some(Dialog::Keys),
            Command::Palette => self.palette.open(),
            Command::Quit => ctx.send_viewport_cmd(egui::ViewportCommand::Close),
        }
        ctx.request_repaint();
    }

    fn play_or_pause(&mut self) {
        if self.store.span().is_none() {
            return;
        }
        let span = self.playback.looping.map_or(self.span(), |looped| looped.within(self.span()));
        if !self.playback.playing && self.playback.now >= span.end {
            self.playback.now = span.start;
        }
        self.playback.playing = !self.playback.playing;
        self.frames = FrameRate::default();
    }

    fn step_by(&mut self, nanos: i64) {
        self.seek(self.playback.now.plus_nanos(nanos));
    }

    fn step_message(&mut self, direction: i8) {
        if self.selected_topic.is_none() {
            return self.tell("Select a topic first: the step goes to its next message".to_owned());
        }
        self.playback.playing = false;
        self.pending_step = direction;
    }

    pub(super) fn obey(&mut self, heard: Heard, ctx: &Context) {
        for command in heard.commands {
            self.run(command, ctx);
        }
        match heard.dropped {
            dropped if dropped.is_empty() => {}
            dropped if heard.shift && self.is_open() => self.add(dropped),
            dropped => self.open(dropped),
        }
    }
}

/// What was pressed and dropped in one of the program's windows.
pub(super) struct Heard {
    commands: Vec<Command>,
    dropped: Vec<Location>,
    shift: bool,
}

impl Heard {
    /// In the window that is being drawn. While a dialog is open (`modal`) fewer keys count.
    pub fn of(ctx: &Context, modal: bool) -> Heard {
        let commands = command::pressed(ctx, modal);
        ctx.input(|i| Heard {
            commands,
            dropped: i.raw.dropped_files.iter().map(|f| Location::Path(f.path().to_owned())).collect(),
            shift: i.modifiers.shift,
        })
    }
}

/// Offered in the menu; the keys step through them.
pub(super) const SPEEDS: [f64; 9] = [0.01, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 10.0];

fn next_speed(speed: f64, direction: i8) -> f64 {
    let next = if direction > 0 {
        SPEEDS.iter().copied().find(|s| *s > speed + 1e-9)
    } else {
        SPEEDS.iter().rev().copied().find(|s| *s < speed - 1e-9)
    };
    next.unwrap_or(speed)
}

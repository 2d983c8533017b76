//! What the commands do.

use egui::Context;

use super::browse::Browse;
use super::command::Command;
use super::dialog::Dialog;
use super::{AppState, FrameRate, settings};
use crate::source::Location;
use crate::workspace::Workspace;

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
            Command::AutomaticLayout => self.workspace = Workspace::automatic(&self.store),
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
                let shown = self.timeline.shown(self.span());
                self.playback.looping = if self.playback.looping.is_some() { None } else { Some(shown) };
            }
            Command::FitTimeline => self.timeline.fit(),
            Command::ToggleLeft => self.left_open = !self.left_open,
            Command::ToggleRight => self.right_open = !self.right_open,
            Command::Unmaximise => {
                if self.dialog.take().is_none() && !self.palette.close() {
                    self.workspace.maximised = None;
                }
            }
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
        let span = self.playback.looping.unwrap_or(self.span());
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

    pub(super) fn take_dropped_files(&mut self, ctx: &Context) {
        let dropped = ctx.input(|i| i.raw.dropped_files.clone());
        let locations: Vec<Location> = dropped.into_iter().map(|f| Location::Path(f.path().to_owned())).collect();
        if locations.is_empty() {
            return;
        }
        if ctx.input(|i| i.modifiers.shift) && self.is_open() {
            self.add(locations);
        } else {
            self.open(locations);
        }
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

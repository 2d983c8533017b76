//! What the commands do.

use egui::Context;

use super::background::Choosing;
use super::browse::Browse;
use super::command::{self, Command};
use super::dialog::Dialog;
use super::layouts::Page;
use super::place::{Place, is_layout_name};
use super::{AppState, FrameRate, settings};
use crate::source::Location;
use crate::time::Span;

impl AppState {
    /// Does what a key, a menu or the palette asked for.
    pub fn run(&mut self, command: Command, ctx: &Context) {
        let step = |millis: i64| millis * 1_000_000;
        match command {
            Command::OpenFile => self.jobs.choose_files(Choosing::Open),
            Command::AddFile => self.jobs.choose_files(Choosing::Add),
            Command::OpenUrl => self.dialog = Some(Dialog::url()),
            Command::BrowseS3 => self.dialog = Some(Dialog::Browse(Box::new(Browse::at(self)))),
            Command::OpenDemo => self.open_demo(crate::demo::Options::default()),
            Command::Share => self.share(ctx),
            Command::KeepOffline if self.store.span().is_some() => self.keep_offline(self.timeline.shown(self.span())),
            Command::KeepOffline => {}
            Command::Undo if self.undo_mark() => {}
            Command::Undo => self.undo(),
            Command::Redo if self.redo_mark() => {}
            Command::Redo => self.redo(),
            Command::History => self.show_page(Page::History),
            Command::Checkpoint => {
                (self.layouts.page, self.sidebars.left) = (Page::History, true);
                self.layouts.checkpoint.1 = true;
            }
            Command::OpenLayout => self.dialog = Some(Dialog::open_layout()),
            Command::SaveLayout => self.save_layout(),
            Command::SaveLayoutCopy => self.ask_copy(),
            Command::RevertLayout => self.revert_layout(),
            Command::FitLayout if self.store.span().is_some() => {
                let fit = crate::layout::fit(&self.layout(), &self.catalogue());
                self.dialog = Some(Dialog::fit(fit, false));
            }
            Command::FitLayout => {}
            Command::ExportLayout => self.dialog = Some(Dialog::ExportLayout),
            Command::Layouts => {
                self.list_library();
                self.show_page(Page::Layouts);
            }
            Command::LayoutFolders => self.dialog = Some(Dialog::layout_folders()),
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
            Command::NextScene => self.step_scene(1),
            Command::PreviousScene => self.step_scene(-1),
            Command::LoopScene => self.loop_scene(),
            Command::ZoomToScene => self.zoom_to_scene(),
            Command::Mark => self.mark(),
            Command::DeleteMark => self.delete_selected_scene(),
            Command::OpenScenes => self.jobs.choose_files(Choosing::Scenes),
            Command::SaveScenes => self.save_scenes(),
            Command::Scenes => self.show_page(Page::Scenes),
            Command::ToggleLeft => self.sidebars.left = !self.sidebars.left,
            Command::ToggleRight => self.sidebars.right = !self.sidebars.right,
            Command::Unmaximise if self.give_up_mark() => {}
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
            Command::Palette => {
                self.list_library();
                self.palette.open();
            }
            Command::Quit => ctx.send_viewport_cmd(egui::ViewportCommand::Close),
        }
        ctx.request_repaint();
    }

    /// In the left sidebar; the same again leads back to the topics.
    fn show_page(&mut self, page: Page) {
        let is_shown = self.sidebars.left && self.layouts.page == page;
        self.layouts.page = if is_shown { Page::Topics } else { page };
        self.sidebars.left = true;
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
        // JSON may be scenes: it is looked at
        let is_layout = |at: &Location| is_layout_name(&at.name()) && !at.name().to_ascii_lowercase().ends_with(".json");
        let (layouts, dropped): (Vec<Location>, Vec<Location>) = heard.dropped.into_iter().partition(is_layout);
        if !dropped.is_empty() {
            let add = heard.shift && self.is_open();
            self.offer(dropped, add);
        }
        if let Some(layout) = layouts.into_iter().next() {
            self.open_layout(Place::At(layout));
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

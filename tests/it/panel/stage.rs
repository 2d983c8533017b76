//! One panel before one recording, driven as the window drives it: wants, work, events, a pass.

use egui::{Theme, Vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use roadreel::lake::Lake;
use roadreel::panel::{Action, PANELS, Panel, PanelState, View};
use roadreel::run::{Executor, settle};
use roadreel::source::Location;
use roadreel::store::{Store, TopicId, Want};
use roadreel::time::{Span, Time};
use serde_json::Value;

use super::{drive, fleet};

pub struct Stage {
    pub store: Store,
    executor: Executor,
    pub panel: Box<dyn Panel>,
    pub now: Time,
    pub playing: bool,
    /// Nothing that is asked for comes while this is false.
    pub answered: bool,
    pub selected: Option<TopicId>,
    /// What other panels want.
    pub beside: Vec<Want>,
    pub actions: Vec<Action>,
    pub settings: bool,
    folder: Option<tempfile::TempDir>,
}

/// What the panel sees.
macro_rules! view {
    ($stage:expr) => {
        View {
            store: &$stage.store,
            now: $stage.now,
            span: $stage.store.span().unwrap_or(Span::at($stage.now)),
            playing: $stage.playing,
            hover: None,
            selected: $stage.selected,
            queries: &[],
            gpu: None,
        }
    };
}

impl Stage {
    pub fn new(kind: &str, config: &Value) -> Stage {
        let (folder, path) = drive::bag();
        let mut stage = Stage::open(kind, config, path);
        stage.folder = Some(folder);
        stage.now = drive::at(1_000_000_000);
        stage.settle();
        stage
    }

    /// The recording of [`fleet`]; the playhead a second after its start.
    pub fn fleet(kind: &str, config: &Value) -> Stage {
        let (folder, path) = fleet::bag();
        let mut stage = Stage::open(kind, config, path);
        stage.folder = Some(folder);
        stage.now = drive::at(1_000_000_000);
        stage.settle();
        stage
    }

    /// No recording at all.
    pub fn bare(kind: &str, config: &Value) -> Stage {
        Stage::of(kind, config, Vec::new())
    }

    /// Everything that was read is forgotten but the index; nothing is answered.
    pub fn forget(&mut self) {
        let locations: Vec<Location> = self.store.sources().iter().map(|s| s.location.clone()).collect();
        let variables = self.store.variables().clone();
        self.executor = Executor::new(|| {});
        self.store = Store::new(256 << 20);
        self.store.open(locations);
        settle(&mut self.store, &self.executor, |store| store.demand(self.now, 0.0, &[]));
        for (name, value) in variables {
            self.store.set_variable(&name, Some(value));
        }
        self.answered = false;
    }

    /// The recording's file loses all that it holds.
    pub fn lose_file(&mut self) {
        for source in self.store.sources() {
            if let Location::Path(path) = &source.location {
                std::fs::write(path, b"").expect("emptied");
            }
        }
    }

    pub fn view(&self) -> View<'_> {
        view!(self)
    }

    /// A recording of one's own; the playhead half a second after its start.
    pub fn open(kind: &str, config: &Value, path: std::path::PathBuf) -> Stage {
        Stage::open_all(kind, config, &[path])
    }

    /// Several files on one clock.
    pub fn open_all(kind: &str, config: &Value, paths: &[std::path::PathBuf]) -> Stage {
        let mut stage = Stage::of(kind, config, paths.iter().cloned().map(Location::Path).collect());
        stage.settle();
        stage.now = stage.store.span().map_or(Time(0), |span| span.start.plus_nanos(500_000_000));
        stage.settle();
        stage
    }

    fn of(kind: &str, config: &Value, locations: Vec<Location>) -> Stage {
        let kind = PANELS.iter().find(|k| k.id == kind).expect("a kind of panel");
        let mut stage = Stage {
            store: Store::new(256 << 20),
            executor: Executor::new(|| {}),
            panel: (kind.create)(config),
            now: Time(0),
            playing: false,
            answered: true,
            selected: None,
            beside: Vec::new(),
            actions: Vec::new(),
            settings: false,
            folder: None,
        };
        stage.store.open(locations);
        stage
    }

    /// The files stay as long as the stage does.
    pub fn keep(&mut self, folder: tempfile::TempDir) {
        self.folder = Some(folder);
    }

    /// Until nothing that the panel wants is missing.
    pub fn settle(&mut self) {
        let Stage {
            store,
            executor,
            panel,
            now,
            playing,
            selected,
            beside,
            ..
        } = self;
        settle(store, executor, |store| {
            let view = View {
                store,
                now: *now,
                span: store.span().unwrap_or(Span::at(*now)),
                playing: *playing,
                hover: None,
                selected: *selected,
                queries: &[],
                gpu: None,
            };
            let mut wants = Vec::new();
            panel.wants(&view, &mut wants);
            wants.extend(beside.iter().cloned());
            store.demand(*now, 0.0, &wants);
        });
        roadreel::panel::map::wait_for_ground();
    }

    pub fn state(&self) -> PanelState {
        self.panel.state(&view!(self))
    }

    pub fn title(&self) -> String {
        self.panel.title(&view!(self))
    }

    pub fn topic(&self, name: &str) -> TopicId {
        self.store.topic_by_name(name).expect("the topic").id
    }

    /// When its first message was received.
    pub fn topic_start(&self, name: &str) -> Time {
        let span = self.store.topic_by_name(name).and_then(|topic| topic.span);
        span.expect("messages").start
    }

    pub fn drop_topic(&mut self, name: &str) -> bool {
        let topic = self.topic(name);
        let view = view!(self);
        self.panel.drop_topic(&view, topic)
    }

    pub fn command(&mut self, name: &str) {
        let mut actions = Vec::new();
        let view = view!(self);
        self.panel.run(name, &view, &mut actions);
        self.actions.append(&mut actions);
    }

    /// The file that was saved last, as text.
    pub fn saved(&self) -> Option<String> {
        self.actions.iter().rev().find_map(|a| match a {
            Action::SaveFile { bytes, .. } => Some(String::from_utf8_lossy(bytes).into_owned()),
            Action::SaveMade { make, .. } => Some(make.text()),
            _ => None,
        })
    }

    pub fn copied(&self) -> Option<&str> {
        self.actions.iter().rev().find_map(|a| match a {
            Action::CopyText(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// The playhead moves on; what it needs is asked for, but has not come.
    pub fn move_unanswered(&mut self, now: Time, playing: bool) {
        (self.now, self.playing, self.answered) = (now, playing, false);
        let mut wants = Vec::new();
        self.panel.wants(&view!(self), &mut wants);
        self.store.demand(now, if playing { 1.0 } else { 0.0 }, &wants);
    }

    fn pass(&mut self, ui: &mut egui::Ui) {
        if self.answered {
            self.settle();
        } else {
            let mut wants = Vec::new();
            self.panel.wants(&view!(self), &mut wants);
            self.store.demand(self.now, if self.playing { 1.0 } else { 0.0 }, &wants);
        }
        let view = view!(self);
        if self.settings {
            self.panel.settings_ui(ui, &view, &mut self.actions);
        } else {
            self.panel.ui(ui, &view, &mut self.actions);
        }
        self.answer();
    }

    /// As the window does beside its own work: questions are answered, what takes long is done.
    fn answer(&mut self) {
        let asked = |action: &mut Action| matches!(action, Action::Ask(_) | Action::Work(_));
        for action in self.actions.extract_if(.., asked) {
            match action {
                Action::Ask(question) => {
                    let lake = Lake::new(self.executor.io(), 64 << 20).expect("a lake");
                    for source in self.store.sources() {
                        lake.add("drive", &source.location, None).expect("tables");
                    }
                    lake.answer(&question);
                }
                Action::Work(work) => work.run(),
                _ => {}
            }
        }
    }
}

/// The panel in a window of that size.
pub fn show(stage: Stage, size: [f32; 2], theme: Theme) -> Harness<'static, Stage> {
    let mut harness = Harness::builder()
        .with_size(Vec2::from(size))
        .with_theme(theme)
        .with_context_setup(roadreel::theme::install)
        .wgpu()
        .build_ui_state(|ui, stage: &mut Stage| stage.pass(ui), stage);
    harness.run_ok();
    harness
}

/// The panel's settings.
pub fn show_settings(mut stage: Stage) -> Harness<'static, Stage> {
    stage.settings = true;
    show(stage, [360.0, 900.0], Theme::Dark)
}

/// All that is painted, piece by piece.
pub fn each_shape(harness: &Harness<'_, Stage>, f: &mut impl FnMut(&egui::Shape)) {
    fn each(shape: &egui::Shape, f: &mut impl FnMut(&egui::Shape)) {
        match shape {
            egui::Shape::Vec(inner) => inner.iter().for_each(|shape| each(shape, f)),
            one => f(one),
        }
    }
    harness.output().shapes.iter().for_each(|clipped| each(&clipped.shape, f));
}

/// All texts that are painted.
pub fn texts(harness: &Harness<'_, Stage>) -> Vec<String> {
    let mut found = Vec::new();
    each_shape(harness, &mut |shape| {
        if let egui::Shape::Text(text) = shape {
            found.push(text.galley.text().to_owned());
        }
    });
    found
}

/// What an entry of the log's menu writes.
pub fn save_log(harness: &mut Harness<'_, Stage>, how: &str) -> String {
    harness.get_by_label("More of the log").click();
    harness.run_ok();
    harness.get_by_label(how).click();
    harness.run_ok();
    harness.state().saved().expect("a file")
}

/// Opens the menu of what lies there.
pub fn right_click(harness: &mut Harness<'static, Stage>, at: egui::Pos2) {
    harness.hover_at(at);
    harness.run_ok();
    for pressed in [true, false] {
        harness.event(egui::Event::PointerButton {
            pos: at,
            button: egui::PointerButton::Secondary,
            pressed,
            modifiers: egui::Modifiers::NONE,
        });
    }
    harness.run_ok();
}

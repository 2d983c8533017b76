//! Panels: each declares what it wants, and draws what is there.
//!
//! Invariant: no panel asks for bytes, blocks, or knows a URL. A panel is one file and one line in [`PANELS`]; tests, docs
//! and the automatic layout loop over that table.

pub mod bands;
pub mod columns;
pub mod command;
pub mod diagnostics;
pub mod gauge;
pub mod health;
pub mod image;
pub mod indicator;
pub mod ink;
pub mod linked;
pub mod log;
pub mod map;
pub mod note;
pub mod path_field;
pub mod plot;
pub mod raw;
pub mod reading;
pub mod rule;
pub mod scene3d;
pub mod shown;
pub mod source_info;
pub mod sql;
mod stamps;
pub mod states;
pub mod table;
pub mod tf_tree;
pub(crate) mod time_axis;
pub mod topic_graph;
pub mod variables;
pub mod widget;

use std::sync::Arc;

use egui::Ui;
use serde_json::Value;

use crate::decode::Form;
use crate::lake::{Found, Question};
use crate::path::Literal;
use crate::store::{SourceId, Store, Topic, TopicId, Want};
use crate::time::{Span, Time};

/// What a panel sees of the world in one frame.
pub struct View<'a> {
    pub store: &'a Store,
    /// The playhead.
    pub now: Time,
    /// All recordings together.
    pub span: Span,
    pub playing: bool,
    /// Where the pointer is on some other panel's time axis.
    pub hover: Option<Time>,
    /// The topic selected in the sidebar.
    pub selected: Option<TopicId>,
    /// Queries that were run before, the newest first.
    pub queries: &'a [String],
    /// None in tests without a GPU.
    pub gpu: Option<&'a eframe::egui_wgpu::RenderState>,
}

pub trait Panel {
    fn title(&self, view: &View) -> String;
    fn wants(&self, _view: &View, _out: &mut Vec<Want>) {}
    fn ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>);
    fn settings_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>);
    /// What a layout file stores of this panel. `Kind::create(config())` gives an equal panel; unknown keys survive.
    fn config(&self) -> Value;
    /// For the header's dot and `screenshot --stats`, after `ui`.
    fn state(&self, view: &View) -> PanelState;
    /// A topic was dropped on the panel. False: it cannot show that.
    fn drop_topic(&mut self, _view: &View, _topic: TopicId) -> bool {
        false
    }
    /// What can be done with it, for the command palette.
    fn commands(&self) -> Vec<&'static str> {
        Vec::new()
    }
    /// One of [`Panel::commands`] was chosen.
    fn run(&mut self, _command: &str, _view: &View, _out: &mut Vec<Action>) {}
    /// Topics it shows, for `--stats`.
    fn topics(&self, _view: &View) -> Vec<TopicId> {
        Vec::new()
    }
    /// It is not on screen: what it holds of messages and pictures, beside what the store counts, is to be let go.
    fn hidden(&mut self) {}
}

#[derive(Clone, Debug, PartialEq)]
pub enum PanelState {
    Ready,
    /// As `Ready`, but the newest message is unusually old: the note says how old.
    Stale(String),
    /// The playhead is shown; a wider span is still being read, or is offered: the note says which.
    Partial(String),
    Pending(String),
    /// The recording holds nothing to show at the playhead.
    Absent(String),
    Failed(String),
}

/// What a panel wants done; applied after the pass.
#[derive(Clone, Debug)]
pub enum Action {
    Seek(Time),
    Hover(Option<Time>),
    Select(TopicId),
    /// Open a panel beside this one.
    AddPanel {
        kind: &'static str,
        config: Value,
    },
    /// Read the whole recording for the series and tracks that this panel shows.
    ReadWhole(TopicId),
    CopyText(String),
    /// Ask where to save it, and save it.
    SaveFile {
        name: String,
        bytes: Arc<[u8]>,
    },
    /// The same for what is large: written by whoever saves it.
    SaveMade {
        name: String,
        make: Make,
    },
    /// Answer a question over all that is open; the panel looks how it stands.
    Ask(Arc<Question>),
    /// Do it on another thread, and draw again.
    Work(Work),
    /// The rows are scenes from now on.
    AddScenes(Arc<Found>),
    /// The rows are a topic `/name` from now on.
    AddTopic {
        name: String,
        rows: Arc<Found>,
    },
    /// What `$name` stands for in message paths; None forgets it.
    SetVariable {
        name: String,
        value: Option<Literal>,
    },
    /// All that was received of a recording was received so much later: for text logs whose clock was off.
    ShiftTimes {
        source: SourceId,
        nanos: i64,
    },
    /// The panel's configuration changed by the user's hand.
    Changed,
}

/// Writes a file's content, on any thread.
#[derive(Clone)]
pub struct Make(Arc<Write>);

type Write = dyn Fn(&mut dyn std::io::Write) -> std::io::Result<()> + Send + Sync;

impl Make {
    pub fn new(make: impl Fn(&mut dyn std::io::Write) -> std::io::Result<()> + Send + Sync + 'static) -> Make {
        Make(Arc::new(make))
    }

    pub fn write(&self, out: &mut dyn std::io::Write) -> std::io::Result<()> {
        (self.0)(out)
    }

    /// The content itself, for the clipboard.
    pub fn text(&self) -> String {
        let mut out = Vec::new();
        // writing to memory does not fail
        let _ = self.write(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }
}

impl std::fmt::Debug for Make {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Make")
    }
}

/// Something that takes long.
#[derive(Clone)]
pub struct Work(Arc<dyn Fn() + Send + Sync>);

impl Work {
    pub fn new(work: impl Fn() + Send + Sync + 'static) -> Work {
        Work(Arc::new(work))
    }

    pub fn run(&self) {
        (self.0)();
    }
}

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Work")
    }
}

/// A message path that is being dragged, from a tree of fields onto a panel.
#[derive(Clone, Debug)]
pub struct DraggedPath(pub String);

/// A kind of panel.
pub struct Kind {
    /// As layouts spell it, e.g. `scene3d`.
    pub id: &'static str,
    /// For menus, e.g. `3D`.
    pub name: &'static str,
    /// One sentence for the list of panels.
    pub what: &'static str,
    /// A glyph of the icon font.
    pub icon: &'static str,
    pub create: fn(&Value) -> Box<dyn Panel>,
    /// Of its configuration.
    pub schema: fn() -> schemars::Schema,
    /// Configurations of panels of this kind that a person would open for these topics, the most useful first.
    pub automatic: fn(&Store) -> Vec<Value>,
}

impl Kind {
    /// Of a panel of this kind that shows the topic; None where it cannot.
    pub fn config_for(&self, view: &View, topic: TopicId) -> Option<Value> {
        let mut panel = (self.create)(&Value::Null);
        panel.drop_topic(view, topic).then(|| panel.config())
    }

    /// Whether it is made for such a topic, where others can show it too.
    pub fn is_made_for(&self, topic: &Topic) -> bool {
        match topic.form {
            Some(Form::Fix | Form::Features) => self.id == map::KIND.id,
            // of plain texts few are logs
            Some(Form::Log) => self.id == log::KIND.id && !topic.type_name.ends_with("/String"),
            Some(Form::Diagnostics) => self.id == diagnostics::KIND.id,
            _ => false,
        }
    }
}

/// The JSON Schema of a panel's configuration, in one piece.
pub fn schema_of<T: schemars::JsonSchema>() -> schemars::Schema {
    let in_one_piece = |settings: &mut schemars::generate::SchemaSettings| settings.inline_subschemas = true;
    let settings = schemars::generate::SchemaSettings::draft2020_12().with(in_one_piece);
    settings.into_generator().into_root_schema_for::<T>()
}

pub static PANELS: &[Kind] = &[
    scene3d::KIND,
    image::KIND,
    plot::KIND,
    raw::KIND,
    map::KIND,
    log::KIND,
    diagnostics::KIND,
    health::KIND,
    states::KIND,
    table::KIND,
    sql::KIND,
    tf_tree::KIND,
    topic_graph::KIND,
    source_info::KIND,
    gauge::KIND,
    indicator::KIND,
    note::KIND,
    variables::KIND,
];

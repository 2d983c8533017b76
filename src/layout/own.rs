//! A layout file of our own: `{"version":2,"panels":{…},"root":{…}}`, in structs of our own.
//!
//! Invariants: whatever a newer version writes that this one does not know (`extra`, [`Node::Unknown`], panels of unknown kinds)
//! is written back as it was read; what is written fits a team's repository: pretty, in a stable order, without what belongs to
//! one machine or one person (see [`super::portable`]).

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Dialect, LARGEST_BYTES, LayoutError, json, migrate, names, portable};

/// Written into every layout.
pub const VERSION: u32 = 2;

/// A file of more panels than this is a mistake or an attack.
pub(super) const MOST_PANELS: usize = 1000;

/// And a panel with more series, lanes or topics.
const MOST_LISTED: usize = 2000;

/// How panels are arranged and what each of them shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Layout {
    /// Of this format. Older ones are understood; newer ones too, as far as possible.
    pub version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default)]
    pub panels: IndexMap<String, PanelEntry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<Node>,
    /// Panels in windows of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<Window>,
    /// What `$name` stands for in message paths, and in the place of topics' and frames' names.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub variables: IndexMap<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub playback: Option<PlaybackEntry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sidebars: Option<Sidebars>,
    /// Types of the topics that panels name, as last seen: a help in finding them in another recording.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub topics: IndexMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The layout of another program that this one was made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    pub dialect: Dialect,
    /// As it was; of formats other than JSON, its structure.
    pub document: Value,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PanelEntry {
    pub kind: String,
    #[serde(default)]
    pub config: Value,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Which way a split divides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Side by side.
    Row,
    /// One above the other.
    Column,
}

/// A part of the window. A tab may hold a whole arrangement; the key `title` of that names the tab.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Node {
    Split {
        split: Direction,
        children: Vec<Child>,
        #[serde(flatten)]
        extra: Map<String, Value>,
    },
    Tabs {
        tabs: Vec<Tab>,
        #[serde(default)]
        active: usize,
        #[serde(flatten)]
        extra: Map<String, Value>,
    },
    /// One that this version does not know.
    Unknown(Value),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Child {
    /// Of the split's length; shares of one split add up to 1.
    pub share: f32,
    #[serde(flatten)]
    pub node: Node,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Tab {
    Panel(String),
    Node(Box<Node>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    pub panel: String,
    /// Width and height in points.
    pub size: [f32; 2],
    /// Of its top left corner on the desktop, in points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<[f32; 2]>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlaybackEntry {
    pub speed: f64,
    #[serde(rename = "loop", default)]
    pub looping: bool,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Which of them are open, and how large they are in points: as large as they come where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sidebars {
    pub left: bool,
    pub right: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_width: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right_width: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeline_height: Option<f32>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

pub(super) fn few_enough(panels: usize) -> Result<(), LayoutError> {
    match panels {
        ..=MOST_PANELS => Ok(()),
        many => Err(LayoutError::TooManyPanels(many, MOST_PANELS)),
    }
}

impl Layout {
    pub fn empty() -> Layout {
        Layout {
            version: VERSION,
            name: None,
            panels: IndexMap::new(),
            root: None,
            windows: Vec::new(),
            variables: IndexMap::new(),
            playback: None,
            sidebars: None,
            topics: IndexMap::new(),
            origin: None,
            extra: Map::new(),
        }
    }

    /// Of a text in our own format; for any format see [`super::open`].
    pub fn parse(text: &str) -> Result<Layout, LayoutError> {
        Layout::from_value(json::parse(text)?.value)
    }

    pub(super) fn from_value(mut value: Value) -> Result<Layout, LayoutError> {
        migrate::migrate(&mut value)?;
        let layout: Layout = serde_json::from_value(value).map_err(|error| LayoutError::Syntax(error.to_string()))?;
        layout.checked()
    }

    pub(super) fn checked(self) -> Result<Layout, LayoutError> {
        few_enough(self.panels.len())?;
        for (id, panel) in &self.panels {
            let listed = names::listed(&panel.kind, &panel.config);
            if listed > MOST_LISTED {
                let id = id.chars().take(40).collect();
                return Err(LayoutError::TooManyListed(id, listed, MOST_LISTED));
            }
        }
        Ok(self)
    }

    /// Written by a newer version than this program's.
    pub fn is_newer(&self) -> bool {
        self.version > VERSION
    }

    /// Pretty JSON with a line break at its end, fit to be shared.
    pub fn to_json(&self) -> String {
        self.to_shared().0
    }

    /// The same, with pointers to what was taken out of it for that.
    pub(super) fn to_shared(&self) -> (String, Vec<String>) {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        let taken = portable::scrub(&mut value);
        let mut text = serde_json::to_string_pretty(&value).unwrap_or_default();
        // what is written can be opened again
        if text.len() as u64 >= LARGEST_BYTES {
            text = value.to_string();
        }
        text.push('\n');
        (text, taken)
    }
}

impl Tab {
    /// A panel alone, under its own header.
    pub fn alone(id: &str) -> Node {
        Node::Tabs {
            tabs: vec![Tab::Panel(id.to_owned())],
            active: 0,
            extra: Map::new(),
        }
    }
}

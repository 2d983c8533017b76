//! A layout file: `{"version":1,"panels":{…},"root":{…}}`, in structs of our own.
//!
//! Invariant: whatever a newer version writes that this one does not know (`extra`, [`Node::Unknown`], panels of unknown kinds)
//! is written back as it was read.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Direction;

pub const VERSION: u32 = 1;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layout {
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
    /// What `$name` stands for in message paths.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub variables: IndexMap<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub playback: Option<PlaybackEntry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sidebars: Option<Sidebars>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PanelEntry {
    pub kind: String,
    #[serde(default)]
    pub config: Value,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A part of the window. A tab may hold a whole arrangement; the key `title` of that names the tab.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Child {
    /// Of the split's length; shares of one split add up to 1.
    pub share: f32,
    #[serde(flatten)]
    pub node: Node,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Tab {
    Panel(String),
    Node(Box<Node>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlaybackEntry {
    pub speed: f64,
    #[serde(rename = "loop")]
    pub looping: bool,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Which of them are open, and how large they are in points: as large as they come where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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

#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    #[error("not a layout: {0}")]
    Json(#[from] serde_json::Error),
    #[error("layout of version {0}; this program reads versions up to {VERSION}: update it")]
    Newer(u32),
}

impl Layout {
    pub fn parse(text: &str) -> Result<Layout, LayoutError> {
        let layout: Layout = serde_json::from_str(text)?;
        if layout.version > VERSION {
            return Err(LayoutError::Newer(layout.version));
        }
        Ok(layout)
    }

    /// Pretty JSON with a line break at its end.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

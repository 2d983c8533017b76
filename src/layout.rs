//! Layout files: our own format, and those of other programs, data in, data out.
//!
//! A text in any [`Dialect`] becomes a [`Layout`] and a [`Report`] ([`open`]); a layout becomes a text in ours, in Webviz's or in
//! Foxglove's ([`export`]). What a foreign layout holds that has no meaning here stays in the layout ([`Origin`]) and comes out
//! again. A dialect is one file and one line in [`DIALECTS`]; what its panels' keys mean here is a table of rules (`rule`).
//! [`fit`] compares a layout with a recording, [`diff`] two layouts, [`merge`] two that come from one.
//!
//! Invariants: nothing here reads or writes a file, or knows a panel's code; nothing that a file says makes it slow or large; what
//! it cannot read is one sentence.

pub mod arrangement;
mod color;
mod diff;
mod fit;
mod foxglove;
mod hidden;
mod instruments;
mod json;
mod merge;
mod migrate;
mod mosaic;
mod names;
mod own;
mod plotjuggler;
mod plots;
pub mod portable;
mod report;
mod rule;
mod rviz;
mod scene;
mod similar;
mod studio;
mod tables;
mod texts;
mod value;
mod variables;
mod webviz;
mod yaml;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use diff::{Change, Diff, KeyChange, Part, PartDiff, diff};
pub use fit::{Catalogue, CatalogueTopic, Choice, Fit, Misfit, TRANSPORTS, fit};
pub use merge::{Merge, MergePart, Take, merge, three_way};
pub use names::{NameOf, Use, resolve, restore, uses};
pub use own::{Child, Direction, Layout, Node, Origin, PanelEntry, PlaybackEntry, Sidebars, Tab, VERSION, Window};
pub use report::{Fate, Mapped, Noted, PanelReport, Report, Row};

/// Of a layout's text: more is a mistake or an attack.
pub const LARGEST_BYTES: u64 = 4 << 20;

/// A program's way of writing layouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    Roadreel,
    Webviz,
    /// And Lichtblick.
    Foxglove,
    Rviz,
    PlotJuggler,
}

/// What is to be known of a dialect.
struct Line {
    dialect: Dialect,
    name: &'static str,
    read: Read,
    /// None: it is only read.
    write: Option<Write>,
}

type Write = fn(&Layout) -> Result<Exported, LayoutError>;

enum Read {
    /// JSON, if it looks so.
    Json(fn(&Value) -> bool, fn(Value) -> Result<Opened, LayoutError>),
    /// Another text, if it looks so.
    Text(fn(&str) -> bool, fn(&str) -> Result<Opened, LayoutError>),
}

static DIALECTS: &[Line] = &[
    Line {
        dialect: Dialect::Foxglove,
        name: "Foxglove",
        read: Read::Json(|value| value.get("configById").is_some(), |value| foxglove::FOXGLOVE.import(value)),
        write: Some(|layout| written(foxglove::FOXGLOVE.export(layout))),
    },
    Line {
        dialect: Dialect::Webviz,
        name: "Webviz",
        read: Read::Json(
            |value| value.get("savedProps").is_some() || (value.get("layout").is_some() && value.get("panels").is_none()),
            |value| webviz::WEBVIZ.import(value),
        ),
        write: Some(|layout| written(webviz::WEBVIZ.export(layout))),
    },
    Line {
        dialect: Dialect::Roadreel,
        name: "Roadreel",
        read: Read::Json(|value| value.get("panels").is_some_and(Value::is_object), open_own),
        write: Some(write_own),
    },
    Line {
        dialect: Dialect::PlotJuggler,
        name: "PlotJuggler",
        read: Read::Text(plotjuggler::looks_so, plotjuggler::import),
        write: None,
    },
    Line {
        dialect: Dialect::Rviz,
        name: "RViz",
        read: Read::Text(rviz::looks_so, rviz::import),
        write: None,
    },
];

/// A layout, and what became of what its file held.
#[derive(Clone, Debug)]
pub struct Opened {
    pub layout: Layout,
    pub report: Report,
}

#[derive(Clone, Debug)]
pub struct Exported {
    pub text: String,
    pub report: Report,
}

#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    #[error("not a layout: {0}")]
    Syntax(String),
    #[error("not a layout: it is neither Roadreel's nor one of Webviz, Foxglove, Lichtblick, RViz or PlotJuggler")]
    Unknown,
    #[error("a layout of {} cannot be opened: the largest has {}", format_bytes(*.0), format_bytes(LARGEST_BYTES))]
    TooLarge(u64),
    #[error("a layout of {0} panels is not opened: the largest has {1}")]
    TooManyPanels(usize, usize),
    #[error("a panel of {1} series, lanes or topics is not opened: the largest has {2}: {0}")]
    TooManyListed(String, usize, usize),
    #[error("layouts are not written for {0}: choose roadreel, webviz or foxglove")]
    NotWritten(&'static str),
}

use crate::text::format_bytes;

impl Dialect {
    fn line(self) -> Option<&'static Line> {
        DIALECTS.iter().find(|line| line.dialect == self)
    }

    pub fn name(self) -> &'static str {
        self.line().map_or("", |line| line.name)
    }

    /// What a text is, as far as a look tells.
    pub fn of(text: &str) -> Option<Dialect> {
        if text.len() as u64 > LARGEST_BYTES {
            return None;
        }
        let value: Option<Value> = is_json(text).then(|| json::parse(text).ok()).flatten().map(|parsed| parsed.value);
        DIALECTS
            .iter()
            .find(|line| line.read.looks_so(text, value.as_ref()))
            .map(|line| line.dialect)
    }

    fn studio(self) -> Option<&'static studio::Studio> {
        match self {
            Dialect::Webviz => Some(&webviz::WEBVIZ),
            Dialect::Foxglove => Some(&foxglove::FOXGLOVE),
            Dialect::Roadreel | Dialect::Rviz | Dialect::PlotJuggler => None,
        }
    }
}

impl Read {
    fn looks_so(&self, text: &str, value: Option<&Value>) -> bool {
        match self {
            Read::Json(looks_so, _) => value.is_some_and(|value| value.is_object() && looks_so(value)),
            Read::Text(looks_so, _) => value.is_none() && looks_so(text),
        }
    }
}

fn is_json(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '['])
}

/// A layout in any dialect.
pub fn open(text: &str) -> Result<Opened, LayoutError> {
    if text.len() as u64 > LARGEST_BYTES {
        return Err(LayoutError::TooLarge(text.len() as u64));
    }
    let (value, twice) = match is_json(text) {
        true => json::parse(text).map(|parsed| (Some(parsed.value), parsed.twice))?,
        false => (None, Vec::new()),
    };
    if let Some(value) = &value {
        spellable(value)?;
    }
    let line = DIALECTS.iter().find(|line| line.read.looks_so(text, value.as_ref()));
    let mut opened = match (line.map(|line| &line.read), value) {
        (Some(Read::Json(_, import)), Some(value)) => import(value)?,
        (Some(Read::Text(_, import)), _) => import(text)?,
        _ => return Err(LayoutError::Unknown),
    };
    for key in twice {
        let key: String = key.chars().take(80).collect();
        opened.report.around.lost.push(Noted {
            why: "stands twice in one object: only the last one counts".to_owned(),
            key,
        });
    }
    Ok(opened)
}

/// Reports and comparisons name every value by all keys that lead to it.
fn spellable(document: &Value) -> Result<(), LayoutError> {
    const MOST_BYTES: u64 = 128 << 20;
    match value::pointer_bytes(document) {
        ..=MOST_BYTES => Ok(()),
        _ => Err(LayoutError::Syntax("its keys are far too long".to_owned())),
    }
}

fn open_own(value: Value) -> Result<Opened, LayoutError> {
    let mut report = Report::new(Dialect::Roadreel, Dialect::Roadreel);
    report.version = value.get("version").and_then(Value::as_u64);
    let layout = Layout::from_value(value)?;
    if layout.is_newer() {
        report.warnings.push(format!(
            "written by a newer version of Roadreel (layouts of version {}, this one knows {VERSION}): what is new in it is kept, not shown",
            layout.version
        ));
    }
    Ok(Opened { layout, report })
}

fn write_own(layout: &Layout) -> Result<Exported, LayoutError> {
    let (text, taken) = layout.to_shared();
    if text.len() as u64 > LARGEST_BYTES {
        return Err(LayoutError::TooLarge(text.len() as u64));
    }
    let mut report = Report::new(Dialect::Roadreel, Dialect::Roadreel);
    report.around.lost.extend(taken.into_iter().map(|key| Noted {
        key,
        why: "a path of this machine, what an address asks with, or a secret is not written".to_owned(),
    }));
    Ok(Exported { text, report })
}

/// A layout in another program's format.
pub fn export(layout: &Layout, to: Dialect) -> Result<Exported, LayoutError> {
    match to.line() {
        Some(Line { write: Some(write), .. }) => write(layout),
        _ => Err(LayoutError::NotWritten(to.name())),
    }
}

fn written(exported: Result<(Value, Report), LayoutError>) -> Result<Exported, LayoutError> {
    let (document, report) = exported?;
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    Ok(Exported { text, report })
}

//! What became of each key of a layout on its way from one format to another.
//!
//! Invariant: every key of the file stands in exactly one of three lists: `mapped` (it has an effect, and changing it changes
//! what is shown), `kept` (no effect, but it comes out again), `lost` (it does not come out again).

use std::collections::HashMap;
use std::fmt::Write;

use indexmap::IndexMap;
use serde::Serialize;

use super::Dialect;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    pub dialect: Dialect,
    /// As the file says, if it does.
    pub version: Option<u64>,
    pub to: Dialect,
    pub panels: Vec<PanelReport>,
    /// Of what lies around the panels: arrangement, variables, playback.
    pub around: PanelReport,
    pub warnings: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PanelReport {
    pub id: String,
    /// The panel's type as the file spells it.
    pub theirs: String,
    /// What it became; none: it is kept, and shown as a panel that is not known.
    pub ours: Option<String>,
    pub mapped: Vec<Mapped>,
    pub kept: Vec<Noted>,
    pub lost: Vec<Noted>,
}

/// JSON pointers in what is read and in what is made of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mapped {
    pub key: String,
    pub to: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Noted {
    pub key: String,
    /// Empty: there is nothing that it could set.
    pub why: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    Mapped,
    Kept,
    Lost,
}

impl Fate {
    pub fn name(self) -> &'static str {
        match self {
            Fate::Mapped => "mapped",
            Fate::Kept => "kept",
            Fate::Lost => "lost",
        }
    }
}

/// Keys with the same fate that differ only in a number or a name on their way, in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub fate: Fate,
    /// As people write it: `paths[].value`.
    pub key: String,
    /// What it became, or why it did not.
    pub note: String,
    pub count: usize,
}

impl Report {
    pub fn new(dialect: Dialect, to: Dialect) -> Report {
        Report {
            dialect,
            version: None,
            to,
            panels: Vec::new(),
            around: PanelReport::default(),
            warnings: Vec::new(),
        }
    }

    /// There is nothing that a person would want to know.
    pub fn is_silent(&self) -> bool {
        self.dialect == self.to && self.panels.is_empty() && self.warnings.is_empty() && self.count(Fate::Lost) == 0
    }

    /// Keys with this fate.
    pub fn count(&self, fate: Fate) -> usize {
        let all = self.panels.iter().chain([&self.around]);
        all.map(|panel| panel.count(fate)).sum()
    }

    pub fn text(&self) -> String {
        let mut out = String::new();
        let version = self.version.map_or(String::new(), |v| format!(", version {v}"));
        let what = match self.panels.len() {
            1 => "1 panel".to_owned(),
            n => format!("{n} panels"),
        };
        let counts = [Fate::Mapped, Fate::Kept, Fate::Lost].map(|fate| format!("{} {}", self.count(fate), fate.name()));
        // writing to a string cannot fail
        let _ = match self.dialect == self.to {
            true => writeln!(out, "{} layout{version}", self.dialect.name()),
            false => writeln!(
                out,
                "{} layout{version} to {}: {what}; keys: {}",
                self.dialect.name(),
                self.to.name(),
                counts.join(", ")
            ),
        };
        for warning in &self.warnings {
            let _ = writeln!(out, "  ! {warning}");
        }
        for panel in &self.panels {
            let _ = match &panel.ours {
                Some(ours) => writeln!(out, "\n{} → {ours}", panel.id),
                None => writeln!(out, "\n{} → no such panel", panel.id),
            };
            panel.write(&mut out);
        }
        let around = self.around.rows();
        if !around.is_empty() {
            let _ = writeln!(out, "\nAround the panels");
            self.around.write(&mut out);
        }
        out
    }
}

impl PanelReport {
    pub fn new(id: &str, theirs: &str, ours: Option<&str>) -> PanelReport {
        PanelReport {
            id: id.to_owned(),
            theirs: theirs.to_owned(),
            ours: ours.map(str::to_owned),
            ..PanelReport::default()
        }
    }

    pub fn count(&self, fate: Fate) -> usize {
        match fate {
            Fate::Mapped => self.mapped.len(),
            Fate::Kept => self.kept.len(),
            Fate::Lost => self.lost.len(),
        }
    }

    pub fn rows(&self) -> Vec<Row> {
        let mapped = self.mapped.iter().map(|m| (Fate::Mapped, &m.key, readable(&m.to)));
        let kept = self.kept.iter().map(|n| (Fate::Kept, &n.key, n.why.clone()));
        let lost = self.lost.iter().map(|n| (Fate::Lost, &n.key, n.why.clone()));
        let mut rows: IndexMap<(Fate, String, String), usize> = IndexMap::new();
        for (fate, key, note) in mapped.chain(kept).chain(lost) {
            *rows.entry((fate, readable(key), note)).or_default() += 1;
        }
        let row = |((fate, key, note), count)| Row { fate, key, note, count };
        folded(rows.into_iter().map(row).collect())
    }

    fn write(&self, out: &mut String) {
        for row in self.rows() {
            let times = if row.count > 1 {
                format!(" ×{}", row.count)
            } else {
                String::new()
            };
            let note = match (row.fate, row.note.as_str()) {
                (_, "") => String::new(),
                (_, note) if row.key.is_empty() => note.to_owned(),
                (Fate::Mapped, note) => format!(" → {note}"),
                (_, note) => format!(": {note}"),
            };
            // writing to a string cannot fail
            let _ = writeln!(out, "  {:6} {}{times}{note}", row.fate.name(), row.key);
        }
    }
}

/// Rows that give the same reason are one, under what their keys have in common.
fn folded(rows: Vec<Row>) -> Vec<Row> {
    let mut out: Vec<Row> = Vec::new();
    // the first of each reason
    let mut told: HashMap<(Fate, String), usize> = HashMap::new();
    for row in rows {
        if row.fate != Fate::Mapped && !row.note.is_empty() {
            let first = *told.entry((row.fate, row.note.clone())).or_insert(out.len());
            let key = out.get(first).and_then(|other| common(&other.key, &row.key));
            if let (Some(key), Some(other)) = (key, out.get_mut(first)) {
                other.key = key;
                other.count += row.count;
                continue;
            }
        }
        out.push(row);
    }
    out
}

/// The first parts of two keys, as far as they are the same; None: not at all.
fn common(a: &str, b: &str) -> Option<String> {
    let same = a.split('.').zip(b.split('.')).take_while(|(a, b)| a == b);
    let parts: Vec<&str> = same.map(|(part, _)| part).collect();
    (!parts.is_empty()).then(|| parts.join("."))
}

/// A JSON pointer as people write keys: `/paths/0/value` is `paths[].value`, `/topics/~1points/visible` is `topics.*.visible`.
fn readable(pointer: &str) -> String {
    let mut out = String::new();
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        if !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) {
            out.push_str("[]");
            continue;
        }
        // halves of a tree
        if matches!(part.as_str(), "first" | "second") {
            continue;
        }
        if !out.is_empty() {
            out.push('.');
        }
        out.push_str(if is_name(&part) { "*" } else { &part });
    }
    out
}

/// Of the data (a topic, an id) and not of the format.
fn is_name(part: &str) -> bool {
    part.contains(['/', ':', '!', '-'])
}

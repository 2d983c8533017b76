//! What differs between two layouts, panel by panel.

use std::fmt::Write;

use serde::Serialize;
use serde_json::Value;

use super::arrangement::{canonical, same, text};
use super::own::Layout;
use super::portable::escape;
use super::studio;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diff {
    pub parts: Vec<PartDiff>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PartDiff {
    pub part: Part,
    /// For people.
    pub title: String,
    pub change: Change,
}

/// What a layout consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Panel(String),
    Arrangement,
    /// A key beside the panels and their arrangement.
    Around(String),
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Added,
    Removed,
    Changed(Vec<KeyChange>),
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KeyChange {
    /// A JSON pointer within the part.
    pub key: String,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

impl Part {
    /// Where it stands in a layout file.
    pub fn pointer(&self) -> String {
        match self {
            Part::Panel(id) => format!("/panels/{}", escape(id)),
            Part::Arrangement => "/root".to_owned(),
            Part::Around(key) => format!("/{}", escape(key)),
        }
    }
}

pub fn diff(a: &Layout, b: &Layout) -> Diff {
    let mut parts = parts(a, b);
    // of the programs that they come from: only what has no meaning here, for the rest stands in the panels
    let origin = Part::Around("origin".to_owned());
    parts.retain(|part| part.part != origin);
    for (id, kept) in studio::kept_changes(a, b) {
        let part = Part::Panel(id);
        match parts.iter_mut().find(|diff| diff.part == part).map(|diff| &mut diff.change) {
            Some(Change::Changed(changes)) => changes.extend(kept),
            Some(_) => {}
            None => parts.push(PartDiff {
                title: title_of(&part, [b, a, a]),
                part,
                change: Change::Changed(kept),
            }),
        }
    }
    Diff { parts }
}

pub(super) fn parts(a: &Layout, b: &Layout) -> Vec<PartDiff> {
    let mut out = Vec::new();
    let mut push = |part: Part, change: Option<Change>| {
        if let Some(change) = change {
            let title = title_of(&part, [b, a, a]);
            out.push(PartDiff { part, title, change });
        }
    };
    let value = |layout: &Layout| serde_json::to_value(layout).unwrap_or_default();
    let (a_value, b_value) = (value(a), value(b));
    let new = b.panels.keys().filter(|id| !a.panels.contains_key(*id));
    for id in a.panels.keys().chain(new) {
        let part = Part::Panel(id.clone());
        let pointer = part.pointer();
        push(part, change(a_value.pointer(&pointer), b_value.pointer(&pointer)));
    }
    let (root_a, root_b) = (a.root.as_ref().and_then(canonical), b.root.as_ref().and_then(canonical));
    let arrangement = match (&root_a, &root_b) {
        (Some(a), Some(b)) if same(a, b) => None,
        (None, None) => None,
        (a, b) => {
            let told = |root: &Option<_>| root.as_ref().map(|root| Value::from(text(root)));
            Some(Change::Changed(vec![KeyChange {
                key: String::new(),
                before: told(a),
                after: told(b),
            }]))
        }
    };
    push(Part::Arrangement, arrangement);
    let keys = |value: &Value| -> Vec<String> { value.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect() };
    let mut around = keys(&a_value);
    around.extend(keys(&b_value).into_iter().filter(|key| a_value.get(key).is_none()));
    for key in around.into_iter().filter(|key| key != "panels" && key != "root") {
        let change = change(a_value.get(&key), b_value.get(&key));
        push(Part::Around(key), change);
    }
    out
}

fn change(before: Option<&Value>, after: Option<&Value>) -> Option<Change> {
    match (before, after) {
        (None, None) => None,
        (None, Some(_)) => Some(Change::Added),
        (Some(_), None) => Some(Change::Removed),
        (Some(before), Some(after)) => {
            let changes = changes_between(before, after);
            (!changes.is_empty()).then_some(Change::Changed(changes))
        }
    }
}

pub(super) fn changes_between(before: &Value, after: &Value) -> Vec<KeyChange> {
    let mut out = Vec::new();
    walk(Some(before), Some(after), String::new(), &mut out);
    out
}

fn walk(before: Option<&Value>, after: Option<&Value>, at: String, out: &mut Vec<KeyChange>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            for (key, value) in before {
                walk(Some(value), after.get(key), format!("{at}/{}", escape(key)), out);
            }
            for (key, value) in after.iter().filter(|(key, _)| !before.contains_key(*key)) {
                walk(None, Some(value), format!("{at}/{}", escape(key)), out);
            }
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) => {
            for index in 0..before.len().max(after.len()) {
                walk(before.get(index), after.get(index), format!("{at}/{index}"), out);
            }
        }
        (before, after) => out.push(KeyChange {
            key: at,
            before: before.cloned(),
            after: after.cloned(),
        }),
    }
}

/// For people; the first layout that holds the part names it.
pub(super) fn title_of(part: &Part, layouts: [&Layout; 3]) -> String {
    match part {
        Part::Panel(id) => {
            let kind = layouts
                .iter()
                .find_map(|layout| layout.panels.get(id))
                .map_or("", |panel| &panel.kind);
            if kind.is_empty() || id.starts_with(kind) {
                id.clone()
            } else {
                format!("{id} ({kind})")
            }
        }
        Part::Arrangement => "Arrangement".to_owned(),
        Part::Around(key) => key.clone(),
    }
}

impl Diff {
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub fn text(&self) -> String {
        let mut out = String::new();
        // writing to a string cannot fail
        for part in &self.parts {
            let _ = match &part.change {
                Change::Added => writeln!(out, "+ {}", part.title),
                Change::Removed => writeln!(out, "- {}", part.title),
                Change::Changed(_) => writeln!(out, "~ {}", part.title),
            };
            let Change::Changed(changes) = &part.change else { continue };
            for change in changes {
                let key = change.key.trim_start_matches('/');
                let key = if key.is_empty() { String::new() } else { format!("{key}: ") };
                let _ = writeln!(out, "    {key}{} → {}", shown(&change.before), shown(&change.after));
            }
        }
        out
    }
}

fn shown(value: &Option<Value>) -> String {
    const LONGEST: usize = 160;
    let text = match value {
        None => return "–".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

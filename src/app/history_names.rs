//! What a person would say was done, from the layout before and after.

use serde_json::Value;

use crate::layout::{Layout, Node, PanelEntry, Tab};
use crate::workspace;

pub struct Told {
    /// `Moved the 3D camera`, `Changed Plot: line width`.
    pub name: String,
    /// What it was done to.
    pub subject: String,
    /// Only where one looks from was changed.
    pub is_view: bool,
}

fn told(name: impl Into<String>) -> Told {
    let name = name.into();
    Told {
        subject: name.clone(),
        name,
        is_view: false,
    }
}

/// Keys of panels' configurations that say where one looks from.
const VIEWS: [&str; 2] = ["camera", "view"];

pub fn between(before: &Layout, after: &Layout) -> Told {
    let name = |entry: &PanelEntry| workspace::kind(&entry.kind).map_or_else(|| entry.kind.clone(), |kind| kind.name.to_owned());
    let missing = |from: &Layout, of: &Layout| -> Vec<String> {
        let gone = of.panels.iter().filter(|(id, _)| !from.panels.contains_key(*id));
        gone.map(|(_, entry)| name(entry)).collect()
    };
    let (added, closed) = (missing(before, after), missing(after, before));
    match (added.as_slice(), closed.as_slice()) {
        ([], []) => {}
        ([one], []) => return told(format!("Added {one}")),
        ([], [one]) => return told(format!("Closed {one}")),
        (many, []) => return told(format!("Added {} panels", many.len())),
        ([], many) => return told(format!("Closed {} panels", many.len())),
        _ => return told("Changed the layout"),
    }
    let changed: Vec<(&String, &PanelEntry, &PanelEntry)> = after
        .panels
        .iter()
        .filter_map(|(id, now)| Some((id, before.panels.get(id)?, now)).filter(|(_, was, now)| was != now))
        .collect();
    match changed.as_slice() {
        [] => {}
        [(id, was, now)] => return of_panel(id, &name(now), &whole(was), &whole(now)),
        many => return told(format!("Changed {} panels", many.len())),
    }
    if before.variables != after.variables {
        return of_variables(before, after);
    }
    if before.windows.len() < after.windows.len() {
        return told("Moved a panel to its own window");
    }
    if before.windows.len() > after.windows.len() {
        return told("Moved a panel back into the layout");
    }
    match (&before.root, &after.root) {
        (Some(was), Some(now)) if was != now => told(of_tree(was, now)),
        _ if before.name != after.name => told("Renamed the layout"),
        _ => told("Changed the layout"),
    }
}

/// The configuration with all that a layout need not say.
fn whole(entry: &PanelEntry) -> Value {
    workspace::kind(&entry.kind).map_or_else(|| entry.config.clone(), |kind| (kind.create)(&entry.config).config())
}

fn of_panel(id: &str, name: &str, was: &Value, now: &Value) -> Told {
    let mut keys = Vec::new();
    changed_keys(was, now, &mut Vec::new(), &mut keys);
    let outer: Vec<&str> = keys.iter().filter_map(|path| path.first().map(String::as_str)).collect();
    let is_view = !outer.is_empty() && outer.iter().all(|key| VIEWS.contains(key));
    let what = match keys.as_slice() {
        _ if is_view => {
            let name = if name == "3D" {
                "Moved the 3D camera".to_owned()
            } else {
                format!("Moved the view of {name}")
            };
            return Told {
                name,
                subject: format!("{id} view"),
                is_view,
            };
        }
        [] => String::new(),
        [path] => spoken(path),
        [first, ..] if outer.iter().all(|key| Some(*key) == first.first().map(String::as_str)) => {
            words(first.first().map_or("", String::as_str))
        }
        many => format!("{} settings", many.len()),
    };
    let name = if what.is_empty() {
        format!("Changed {name}")
    } else {
        format!("Changed {name}: {what}")
    };
    Told {
        name,
        subject: format!("{id} {what}"),
        is_view,
    }
}

/// `line_width` → `line width`; a topic or path stays as it is.
fn words(key: &str) -> String {
    if key.contains('/') { key.to_owned() } else { key.replace('_', " ") }
}

/// The last key that is a word; numbers of lists and names of topics say little.
fn spoken(path: &[String]) -> String {
    let is_word = |key: &&String| key.parse::<usize>().is_err();
    let (topic, word) = (path.iter().find(|key| key.starts_with('/')), path.iter().rev().find(is_word));
    match (topic, word) {
        (Some(topic), Some(word)) if topic != word => format!("{} of {topic}", words(word)),
        (_, Some(word)) => words(word),
        _ => String::new(),
    }
}

/// The paths to all values that differ, of objects and lists of one length.
fn changed_keys(was: &Value, now: &Value, path: &mut Vec<String>, out: &mut Vec<Vec<String>>) {
    match (was, now) {
        (Value::Object(was), Value::Object(now)) => {
            let both = was.keys().chain(now.keys().filter(|key| !was.contains_key(*key)));
            for key in both {
                path.push(key.clone());
                let nothing = Value::Null;
                changed_keys(was.get(key).unwrap_or(&nothing), now.get(key).unwrap_or(&nothing), path, out);
                path.pop();
            }
        }
        (Value::Array(was), Value::Array(now)) if was.len() == now.len() => {
            for (at, (was, now)) in was.iter().zip(now).enumerate() {
                path.push(at.to_string());
                changed_keys(was, now, path, out);
                path.pop();
            }
        }
        (was, now) if was != now => out.push(path.clone()),
        _ => {}
    }
}

fn of_variables(before: &Layout, after: &Layout) -> Told {
    let is_new = |name: &&String| after.variables.get(*name) != before.variables.get(*name);
    let set: Vec<&String> = after.variables.keys().filter(is_new).collect();
    let gone: Vec<&String> = before
        .variables
        .keys()
        .filter(|name| !after.variables.contains_key(*name))
        .collect();
    match (set.as_slice(), gone.as_slice()) {
        ([one], []) => told(format!("Set ${one}")),
        ([], [one]) => told(format!("Removed ${one}")),
        _ => told("Changed the variables"),
    }
}

fn of_tree(was: &Node, now: &Node) -> &'static str {
    if bare(was, false) == bare(now, false) {
        "Renamed a tab"
    } else if bare(was, true) == bare(now, true) {
        "Resized panels"
    } else {
        "Moved panels"
    }
}

/// The tree without titles and chosen tabs, and without the shares of splits if so wished.
fn bare(node: &Node, without_shares: bool) -> Node {
    match node {
        Node::Split { split, children, .. } => {
            let mut children = children.clone();
            for child in &mut children {
                child.node = bare(&child.node, without_shares);
                if without_shares {
                    child.share = 0.0;
                }
            }
            Node::Split {
                split: *split,
                children,
                extra: Default::default(),
            }
        }
        Node::Tabs { tabs, .. } => Node::Tabs {
            tabs: tabs
                .iter()
                .map(|tab| match tab {
                    Tab::Node(node) => Tab::Node(Box::new(bare(node, without_shares))),
                    Tab::Panel(id) => Tab::Panel(id.clone()),
                })
                .collect(),
            active: 0,
            extra: Default::default(),
        },
        Node::Unknown(value) => Node::Unknown(value.clone()),
    }
}

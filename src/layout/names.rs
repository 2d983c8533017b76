//! Where panels' configurations name topics and frames; `$name` in such a place stands for a variable's text.
//!
//! Invariant: [`restore`] undoes [`resolve`]: a layout that was opened with `$lidar` is saved with it.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::own::Layout;
use super::portable::escape;
use super::value::unescape;
use crate::path::{self, Expr, Path};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NameOf {
    Topic,
    Frame,
}

/// What stands in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    Topic,
    Frame,
    /// A message path, with the topics that it names.
    Path,
    /// The keys of the object are topics.
    Keys,
}

/// Kind of panel, JSON pointer with `*` for each element, what stands there.
static PLACES: &[(&str, &str, Slot)] = &[
    ("scene3d", "/topics", Slot::Keys),
    ("scene3d", "/fixed_frame", Slot::Frame),
    ("scene3d", "/follow_frame", Slot::Frame),
    ("image", "/topic", Slot::Topic),
    ("image", "/overlay/topics/*", Slot::Topic),
    ("raw", "/topic", Slot::Topic),
    ("raw", "/compare/topic", Slot::Topic),
    ("plot", "/series/*/path", Slot::Path),
    ("plot", "/series/*/x_path", Slot::Path),
    ("plot", "/series/*/stamp_path", Slot::Path),
    ("plot", "/x_path", Slot::Path),
    ("plot", "/background/path", Slot::Path),
    ("map", "/topics/*", Slot::Topic),
    ("map", "/follow_topic", Slot::Topic),
    ("map", "/color_path", Slot::Path),
    ("log", "/topics/*", Slot::Topic),
    ("diagnostics", "/topics/*", Slot::Topic),
    ("states", "/paths/*/path", Slot::Path),
    ("states", "/paths/*/stamp_path", Slot::Path),
    ("states", "/stamp_path", Slot::Path),
    ("table", "/path", Slot::Path),
    ("gauge", "/path", Slot::Path),
    ("indicator", "/path", Slot::Path),
    ("variables", "/controls/*/path", Slot::Path),
];

type Variables = IndexMap<String, Value>;

/// A name that a panel uses, as its configuration spells it.
#[derive(Clone, Debug)]
pub struct Use {
    pub panel: String,
    pub kind: String,
    pub what: NameOf,
    pub name: String,
    /// The message path in which it stands.
    pub path: Option<Path>,
}

/// All names of a layout, variables resolved.
pub fn uses(layout: &Layout) -> Vec<Use> {
    let mut out = Vec::new();
    for (id, panel) in &layout.panels {
        let config = resolve(&panel.kind, &panel.config, &layout.variables);
        let mut push = |what, name: &str, path| {
            if !name.is_empty() {
                out.push(Use {
                    panel: id.clone(),
                    kind: panel.kind.clone(),
                    what,
                    name: name.to_owned(),
                    path,
                });
            }
        };
        each_place(&panel.kind, &config, &mut |_, slot, value| match (slot, value) {
            (Slot::Keys, Value::Object(map)) => map.keys().for_each(|topic| push(NameOf::Topic, topic, None)),
            (Slot::Topic, Value::String(topic)) => push(NameOf::Topic, topic, None),
            (Slot::Frame, Value::String(frame)) => push(NameOf::Frame, frame, None),
            (Slot::Path, Value::String(text)) => {
                if let Ok(expr) = path::parse(text) {
                    expr.each_path(&mut |path| push(NameOf::Topic, path.topic.as_deref().unwrap_or_default(), Some(path.clone())));
                }
            }
            _ => {}
        });
    }
    out
}

/// How many things a panel lists that name topics: its series, lanes, topics.
pub fn listed(kind: &str, config: &Value) -> usize {
    let places = PLACES.iter().filter(|place| place.0 == kind);
    let listed = places.filter_map(|(_, pattern, slot)| {
        let list = match (slot, pattern.split_once("/*")) {
            (_, Some((list, _))) => list,
            (Slot::Keys, None) => pattern,
            _ => return None,
        };
        match config.pointer(list)? {
            Value::Array(list) => Some(list.len()),
            Value::Object(map) => Some(map.len()),
            _ => None,
        }
    });
    listed.max().unwrap_or(0)
}

fn each_place<'a>(kind: &str, config: &'a Value, f: &mut impl FnMut(&str, Slot, &'a Value)) {
    for (_, pattern, slot) in PLACES.iter().filter(|place| place.0 == kind) {
        expand(config, pattern, String::new(), &mut |pointer, value| f(pointer, *slot, value));
    }
}

fn expand<'a>(value: &'a Value, pattern: &str, at: String, f: &mut impl FnMut(&str, &'a Value)) {
    let Some(rest) = pattern.strip_prefix('/') else {
        return f(&at, value);
    };
    let (part, rest) = rest.find('/').map_or((rest, ""), |end| rest.split_at(end));
    match (part, value) {
        ("*", Value::Array(list)) => {
            for (index, value) in list.iter().enumerate() {
                expand(value, rest, format!("{at}/{index}"), f);
            }
        }
        ("*", Value::Object(map)) => {
            for (key, value) in map {
                expand(value, rest, format!("{at}/{}", escape(key)), f);
            }
        }
        (part, Value::Object(map)) => {
            if let Some(value) = map.get(&unescape(part)) {
                expand(value, rest, format!("{at}/{part}"), f);
            }
        }
        _ => {}
    }
}

/// The configuration with `change` done to each name; a path or key that changed to nothing stays.
fn changed(kind: &str, config: &Value, change: &dyn Fn(Slot, &str) -> Option<String>) -> Value {
    let mut out = config.clone();
    let mut edits: Vec<(String, Value)> = Vec::new();
    each_place(kind, config, &mut |pointer, slot, value| match (slot, value) {
        (Slot::Keys, Value::Object(map)) => {
            let mut renamed = Map::new();
            for (key, value) in map {
                renamed.insert(change(slot, key).unwrap_or_else(|| key.clone()), value.clone());
            }
            edits.push((pointer.to_owned(), Value::Object(renamed)));
        }
        (_, Value::String(text)) => edits.extend(change(slot, text).map(|new| (pointer.to_owned(), new.into()))),
        _ => {}
    });
    for (pointer, value) in edits {
        if let Some(place) = out.pointer_mut(&pointer) {
            *place = value;
        }
    }
    out
}

/// The configuration with the texts that its variables stand for.
pub fn resolve(kind: &str, config: &Value, variables: &Variables) -> Value {
    if variables.is_empty() {
        return config.clone();
    }
    changed(kind, config, &|slot, text| resolved(slot, text, variables))
}

fn resolved(slot: Slot, text: &str, variables: &Variables) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    let mut changed = false;
    while let Some(at) = rest.find('$') {
        let (before, behind) = rest.split_at(at);
        out.push_str(before);
        let behind = behind.get(1..).unwrap_or_default();
        let end = behind.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(behind.len());
        let (name, after) = behind.split_at(end);
        let goes_on = matches!(after.chars().next(), Some('.' | '[' | '{'));
        let is_whole = text.len() == name.len() + 1;
        let stands_for = variables.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        match (slot, stands_for) {
            (Slot::Path, Some(topic)) if goes_on || is_whole => out.push_str(&path::topic_text(topic)),
            (Slot::Topic | Slot::Frame | Slot::Keys, Some(name)) if is_whole => out.push_str(name),
            _ => {
                out.push('$');
                out.push_str(name);
                rest = after;
                continue;
            }
        }
        changed = true;
        rest = after;
    }
    out.push_str(rest);
    changed.then_some(out)
}

/// What a panel says now, with the variables of what it was given wherever they still say the same.
pub fn restore(kind: &str, given: &Value, now: Value, variables: &Variables) -> Value {
    if variables.is_empty() {
        return now;
    }
    let mut spelled: HashMap<(bool, String), String> = HashMap::new();
    each_place(kind, given, &mut |_, slot, value| {
        let mut note = |text: &str| {
            if let Some(meant) = resolved(slot, text, variables) {
                spelled.insert((slot == Slot::Path, meant), text.to_owned());
            }
        };
        match (slot, value) {
            (Slot::Keys, Value::Object(map)) => map.keys().for_each(|key| note(key)),
            (_, Value::String(text)) => note(text),
            _ => {}
        }
    });
    if spelled.is_empty() {
        return now;
    }
    changed(kind, &now, &|slot, text| {
        spelled.get(&(slot == Slot::Path, text.to_owned())).cloned()
    })
}

/// Stands for `$` while a path is printed: a topic's name may not start so.
const VARIABLE: &str = "/roadreel_variable_";

/// What names become.
#[derive(Clone, Debug, Default)]
pub struct Renames {
    pub topics: HashMap<String, String>,
    pub frames: HashMap<String, String>,
    /// Topics whose old name goes on with fields of the new one: `/car/state` is `/car.state`.
    pub folded: Vec<String>,
}

impl Renames {
    /// The layout with other names. Where a variable says a name, the variable changes.
    pub fn apply(&self, layout: &Layout) -> Layout {
        let mut out = layout.clone();
        self.apply_to_variables(&mut out);
        self.apply_to_panels(&mut out);
        let types = std::mem::take(&mut out.topics).into_iter();
        out.topics = types
            .map(|(topic, kind)| (self.topics.get(&topic).cloned().unwrap_or(topic), kind))
            .collect();
        out
    }

    pub fn apply_to_variables(&self, layout: &mut Layout) {
        let used = variables_used(layout);
        for (_, value) in layout.variables.iter_mut().filter(|(name, _)| used.contains(name)) {
            let new = value.as_str().and_then(|old| self.topics.get(old).or_else(|| self.frames.get(old)));
            if let Some(new) = new {
                *value = new.as_str().into();
            }
        }
    }

    /// True where a panel spells one of the names.
    pub fn apply_to_panels(&self, layout: &mut Layout) -> bool {
        let mut changes = false;
        for panel in layout.panels.values_mut() {
            let config = changed(&panel.kind, &panel.config, &|slot, text| self.renamed(slot, text));
            changes |= config != panel.config;
            panel.config = config;
        }
        changes
    }

    fn renamed(&self, slot: Slot, text: &str) -> Option<String> {
        match slot {
            Slot::Topic | Slot::Keys => self.topics.get(text).cloned(),
            Slot::Frame => self.frames.get(text).cloned(),
            Slot::Path => {
                let mut expr = path::parse(text).ok()?;
                let mut changed = false;
                each_path_mut(&mut expr, &mut |path| changed |= self.rename_path(path));
                // a variable in a topic's place
                changed.then(|| expr.to_string().replace(VARIABLE, "$"))
            }
        }
    }

    fn rename_path(&self, path: &mut Path) -> bool {
        let Some(old) = path.topic.clone() else { return false };
        let Some(new) = self.topics.get(&old) else { return false };
        path.topic = Some(match new.strip_prefix('$') {
            Some(variable) => format!("{VARIABLE}{variable}"),
            None => new.clone(),
        });
        if self.folded.contains(&old)
            && let Some(fields) = fields_after(&old, new)
            && let Ok(Expr::Path(folded)) = path::parse(&format!("/t{fields}"))
        {
            let rest = std::mem::replace(&mut path.steps, folded.steps);
            path.steps.extend(rest);
        }
        true
    }
}

/// The fields that are left of `old` behind the topic `new`: `.actuators` of `/car/actuators` and `/car`.
pub fn fields_after(old: &str, new: &str) -> Option<String> {
    let rest = old
        .trim_start_matches('/')
        .strip_prefix(new.trim_start_matches('/'))?
        .strip_prefix('/')?;
    let field = |part: &str| match part.bytes().all(|b| b.is_ascii_digit()) {
        true => format!("[{part}]"),
        false => format!(".{part}"),
    };
    Some(rest.split('/').filter(|part| !part.is_empty()).map(field).collect())
}

fn each_path_mut(expr: &mut Expr, f: &mut impl FnMut(&mut Path)) {
    match expr {
        Expr::Literal(_) | Expr::Variable(..) => {}
        Expr::Path(path) => f(path),
        Expr::Negated(inner) | Expr::Not(inner) => each_path_mut(inner, f),
        Expr::Binary { left, right, .. } => {
            each_path_mut(left, f);
            each_path_mut(right, f);
        }
        Expr::Call { args, .. } => args.iter_mut().for_each(|arg| each_path_mut(arg, f)),
    }
}

/// Variables that stand in the place of a name.
fn variables_used(layout: &Layout) -> Vec<String> {
    let mut out = Vec::new();
    for panel in layout.panels.values() {
        let mut note = |slot, text: &str| {
            if resolved(slot, text, &layout.variables).is_some() {
                let names = text.split('$').skip(1);
                let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
                out.extend(names.map(name));
            }
        };
        each_place(&panel.kind, &panel.config, &mut |_, slot, value| match (slot, value) {
            (Slot::Keys, Value::Object(map)) => map.keys().for_each(|key| note(slot, key)),
            (_, Value::String(text)) => note(slot, text),
            _ => {}
        });
    }
    out
}

//! Layouts of Webviz and of what descends from it: an object of panels' configurations by `Type!id`, and a tree of these ids.
//!
//! Invariant: what is exported from an untouched import is the document that was imported; what was changed is changed, and
//! nothing else.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashSet};

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::arrangement::{canonical, same};
use super::diff::{KeyChange, changes_between};
use super::own::{Layout, Origin, PanelEntry, PlaybackEntry, few_enough};
use super::portable::escape;
use super::report::{Noted, PanelReport, Report};
use super::rule::{self, Marks, Reader, Rule};
use super::value::{ancestors, put};
use super::{Dialect, LayoutError, Opened, mosaic};

/// One program's way of writing it.
pub struct Studio {
    pub dialect: Dialect,
    /// The key of the panels' configurations.
    pub configs: &'static str,
    pub panels: &'static [PanelType],
    /// Of the document itself, for what lies around the panels.
    pub around: &'static [Rule],
    /// The newest version that is known.
    pub newest: u64,
    /// A document without panels.
    pub empty: fn() -> Value,
}

pub struct PanelType {
    /// The first is written.
    pub theirs: &'static [&'static str],
    pub ours: &'static str,
    pub rules: &'static [Rule],
}

/// All that are written this way.
const KIN: [&Studio; 2] = [&super::foxglove::FOXGLOVE, &super::webviz::WEBVIZ];

/// The type that holds arrangements behind tabs.
pub const TAB: &str = "Tab";
/// The key under which our tabs keep the id of theirs.
pub const TAB_ID: &str = "id";

impl Studio {
    /// Files of one program may hold panels of another.
    fn panel_type(&self, theirs: &str) -> Option<&'static PanelType> {
        let kin = KIN.into_iter().filter(|kin| kin.dialect != self.dialect).flat_map(|kin| kin.panels);
        self.panels.iter().chain(kin).find(|t| t.theirs.contains(&theirs))
    }

    pub fn import(&self, document: Value) -> Result<Opened, LayoutError> {
        let mut report = Report::new(self.dialect, Dialect::Roadreel);
        report.version = document.get("version").and_then(Value::as_u64);
        if let Some(version) = report.version.filter(|v| *v > self.newest) {
            let name = self.dialect.name();
            let newest = self.newest;
            report.warnings.push(format!(
                "{name} layouts are known up to version {newest}; this is version {version}: what is new in it is kept"
            ));
        }
        let none = Map::new();
        let configs = document.get(self.configs).and_then(Value::as_object).unwrap_or(&none);

        let marks = RefCell::new(Marks::default());
        let reader = Reader::new(&document, &marks);
        let around = rule::import(self.around, &reader);
        let mut tree = mosaic::Tree::new(configs);
        let root = tree.node(&reader.inside("/layout", "/root")).and_then(|node| canonical(&node));
        let (placed, tabs, warnings) = tree.done();
        report.warnings.extend(warnings);

        few_enough(placed.len())?;

        let mut entries = IndexMap::new();
        for id in placed {
            let config = configs.get(&id).unwrap_or(&Value::Null);
            let (entry, told) = self.panel(&id, config);
            entries.insert(id, entry);
            report.panels.push(told);
        }
        report.panels.extend(tabs);
        report.around.theirs = self.dialect.name().to_owned();
        // what stands in no tree is kept as a part of the document
        let told: HashSet<String> = report.panels.iter().map(|panel| escape(&panel.id)).collect();
        let configs_at = format!("/{}/", self.configs);
        let is_outside = |pointer: &str| {
            let id = pointer.strip_prefix(&configs_at).and_then(|rest| rest.split('/').next());
            id.is_none_or(|id| !told.contains(id))
        };
        marks.borrow().tell(&document, "", &mut report.around, &is_outside);

        let layout = Layout {
            panels: entries,
            root,
            variables: around
                .get("variables")
                .and_then(Value::as_object)
                .map(|map| map.clone().into_iter().collect())
                .unwrap_or_default(),
            playback: super::value::number(&around, "/playback/speed").map(|speed| PlaybackEntry {
                speed,
                ..PlaybackEntry::default()
            }),
            origin: Some(Origin {
                dialect: self.dialect,
                document,
                extra: Map::new(),
            }),
            ..Layout::empty()
        };
        let layout = layout.checked()?;
        Ok(Opened { layout, report })
    }

    fn panel(&self, id: &str, config: &Value) -> (PanelEntry, PanelReport) {
        let theirs = type_of(id);
        let known = self.panel_type(theirs);
        let mut told = PanelReport::new(id, theirs, known.map(|t| t.ours));
        let marks = RefCell::new(Marks::default());
        let entry = match known {
            Some(known) => PanelEntry {
                kind: known.ours.to_owned(),
                config: rule::import(known.rules, &Reader::new(config, &marks)),
                extra: Map::new(),
            },
            None => PanelEntry {
                kind: theirs.to_owned(),
                config: config.clone(),
                extra: Map::new(),
            },
        };
        marks.borrow().tell(config, "", &mut told, &|_| true);
        (entry, told)
    }

    /// The layout as a document of this program.
    pub fn export(&self, layout: &Layout) -> Result<(Value, Report), LayoutError> {
        let mut report = Report::new(Dialect::Roadreel, self.dialect);
        let own = layout.origin.as_ref().filter(|origin| origin.dialect == self.dialect);
        let mut document = own.map_or_else(self.empty, |origin| origin.document.clone());
        let was = self.import(document.clone())?.layout;
        if let Some(foreign) = layout.origin.as_ref().filter(|origin| origin.dialect != self.dialect) {
            report.dialect = foreign.dialect;
        }
        let mut configs = document.get(self.configs).and_then(Value::as_object).cloned().unwrap_or_default();
        for gone in was.panels.keys().filter(|id| !layout.panels.contains_key(*id)) {
            configs.shift_remove(gone);
        }

        let mut names: IndexMap<&str, String> = IndexMap::new();
        for (id, entry) in &layout.panels {
            let before = was.panels.get(id);
            let name = match before {
                Some(_) => Some(id.clone()),
                None => self.new_id(id, &entry.kind, &configs),
            };
            let mut told = PanelReport::new(id, &entry.kind, name.as_deref().map(type_of));
            match &name {
                Some(name) => {
                    self.write_panel(name, entry, before, &mut configs, &mut told);
                    names.insert(id, name.clone());
                }
                None => told.lost.push(Noted {
                    key: String::new(),
                    why: format!("{} has no such panel: it is left out", self.dialect.name()),
                }),
            }
            if before.is_none() {
                told.lost.extend(left_behind(layout, id));
            }
            report.panels.push(told);
        }
        let told = std::mem::take(&mut report.panels);
        report.panels = told.into_iter().filter(|panel| !panel.lost.is_empty() || own.is_none()).collect();

        let now = layout.root.as_ref().and_then(canonical);
        let apart: Vec<&str> = layout.windows.iter().map(|window| window.panel.as_str()).collect();
        let is_same = match (&was.root, &now) {
            (Some(was), Some(now)) => apart.is_empty() && same(was, now),
            (None, None) => true,
            _ => false,
        };
        if is_same {
            if let (Some(was), Some(now)) = (&was.root, &now) {
                mosaic::set_active(was, now, &mut configs);
            }
        } else {
            let before = was.root.as_ref().map(mosaic::tab_ids).unwrap_or_default();
            let tree = mosaic::Writer::new(&names, &mut configs).write(now.as_ref(), &apart, &before);
            put(&mut document, "/layout", tree.unwrap_or(Value::Null));
            if !apart.is_empty() {
                report.warnings.push(format!(
                    "{} has no windows of their own: their panels stand beside the others",
                    self.dialect.name()
                ));
            }
        }
        let is_there = document.get(self.configs).is_some();
        if is_there || !configs.is_empty() {
            put(&mut document, &format!("/{}", self.configs), Value::Object(configs));
        }
        self.write_around(layout, &was, &mut document, &mut report);
        Ok((document, report))
    }

    fn write_panel(
        &self,
        name: &str,
        entry: &PanelEntry,
        before: Option<&PanelEntry>,
        configs: &mut Map<String, Value>,
        told: &mut PanelReport,
    ) {
        if before.is_some_and(|before| before.config == entry.config && before.kind == entry.kind) {
            return;
        }
        let given = configs.get(name).filter(|v| v.is_object()).cloned();
        let given = given.unwrap_or_else(|| json!({}));
        let config = match self.panel_type(type_of(name)) {
            Some(known) => {
                let was = before.map_or(&Value::Null, |before| &before.config);
                let spoken = rule::export(known.rules, given, was, &entry.config, "", &mut told.lost);
                let unsaid = rule::unspoken(known.rules, &entry.config).into_iter();
                let changed = unsaid.filter(|key| was.pointer(key) != entry.config.pointer(key));
                told.lost.extend(changed.map(|key| Noted {
                    key,
                    why: format!("{} has no such setting", self.dialect.name()),
                }));
                spoken
            }
            None => entry.config.clone(),
        };
        configs.insert(name.to_owned(), config);
    }

    /// For a panel that the document does not hold yet. None: there is no such type.
    fn new_id(&self, id: &str, kind: &str, configs: &Map<String, Value>) -> Option<String> {
        let known = self.panels.iter().find(|t| t.ours == kind).and_then(|t| t.theirs.first());
        // one that only the other program of the family knows, or nobody: under its own name
        let is_theirs = type_of(id) == kind && id.contains('!');
        let theirs = known.copied().or_else(|| is_theirs.then_some(kind))?;
        let bare: String = id
            .rsplit('!')
            .next()
            .unwrap_or_default()
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        let mut name = format!("{theirs}!{bare}");
        let mut number = 2;
        while configs.contains_key(&name) {
            name = format!("{theirs}!{bare}{number}");
            number += 1;
        }
        Some(name)
    }

    fn write_around(&self, layout: &Layout, was: &Layout, document: &mut Value, report: &mut Report) {
        let around = |layout: &Layout| {
            json!({
                "variables": layout.variables,
                "playback": layout.playback.as_ref().map(|playback| json!({"speed": playback.speed})),
            })
        };
        let (mut now, was) = (around(layout), around(was));
        if layout.playback.is_none() {
            // nothing is said of it
            put(&mut now, "/playback", was.get("playback").cloned().unwrap_or_default());
        }
        let given = std::mem::take(document);
        *document = rule::export(self.around, given, &was, &now, "", &mut report.around.lost);
        if let Some(origin) = layout.origin.as_ref().filter(|origin| origin.dialect != self.dialect) {
            take_along(origin, document, &mut report.around.lost);
        }
        if layout.playback.as_ref().is_some_and(|playback| playback.looping) {
            report.around.lost.push(Noted {
                key: "/playback/loop".to_owned(),
                why: format!("{} has no such setting", self.dialect.name()),
            });
        }
    }
}

/// What lay around the panels of another program's document: scripts are the same in both, the rest is lost.
fn take_along(origin: &Origin, document: &mut Value, lost: &mut Vec<Noted>) {
    const SCRIPTS: &str = "/userNodes";
    let name = origin.dialect.name();
    let Some(studio) = origin.dialect.studio() else {
        return lost.push(Noted {
            key: String::new(),
            why: format!("what only {name} knows is left out"),
        });
    };
    if let Some(scripts) = origin.document.pointer(SCRIPTS).filter(|scripts| scripts.is_object()) {
        put(document, SCRIPTS, scripts.clone());
    }
    let Ok(Opened { report, .. }) = studio.import(origin.document.clone()) else {
        return;
    };
    let is_left = |noted: &Noted| {
        let given = origin.document.pointer(&noted.key);
        let says_nothing = given.is_none_or(|given| matches!(given.to_string().as_str(), "{}" | "[]" | "null" | "\"\""));
        // of a panel that stands nowhere
        let is_panel = noted.key.strip_prefix('/').is_some_and(|key| key.starts_with(studio.configs));
        noted.key != "/version" && !says_nothing && !is_panel && document.pointer(&noted.key) != given
    };
    lost.extend(report.around.kept.into_iter().filter(is_left).map(|noted| Noted {
        why: format!("known to {name} only"),
        ..noted
    }));
}

/// Keys that only the program knew which a panel comes from.
fn left_behind(layout: &Layout, id: &str) -> Vec<Noted> {
    let Some(studio) = layout.origin.as_ref().and_then(|origin| origin.dialect.studio()) else {
        return Vec::new();
    };
    let document = layout.origin.as_ref().map(|origin| &origin.document);
    let Some(config) = document.and_then(|document| document.get(studio.configs)?.get(id)) else {
        return Vec::new();
    };
    let (_, told) = studio.panel(id, config);
    if told.ours.is_none() {
        return Vec::new();
    }
    let name = studio.dialect.name();
    let note = |noted: Noted| Noted {
        why: format!("known to {name} only"),
        ..noted
    };
    told.kept.into_iter().map(note).collect()
}

/// What differs between two layouts of one program in keys that have no meaning here, panel by panel.
pub fn kept_changes(a: &Layout, b: &Layout) -> Vec<(String, Vec<KeyChange>)> {
    let (Some(a), Some(b)) = (&a.origin, &b.origin) else {
        return Vec::new();
    };
    let Some(studio) = a.dialect.studio().filter(|_| a.dialect == b.dialect && a.document != b.document) else {
        return Vec::new();
    };
    let config = |origin: &Origin, id: &str| origin.document.get(studio.configs).and_then(|all| all.get(id)).cloned();
    let kept = |id: &str, config: &Value| -> Vec<String> {
        let (_, told) = studio.panel(id, config);
        told.kept.into_iter().map(|noted| noted.key).collect()
    };
    let Some(configs) = a.document.get(studio.configs).and_then(Value::as_object) else {
        return Vec::new();
    };
    let mut out = Vec::new();
    for (id, before) in configs {
        let Some(after) = config(b, id) else { continue };
        let unused: BTreeSet<String> = kept(id, before).into_iter().chain(kept(id, &after)).collect();
        let is_unused = |change: &KeyChange| {
            let inside = format!("{}/", change.key);
            let has_inside = || unused.range(inside.clone()..).next().is_some_and(|key| key.starts_with(&inside));
            ancestors(&change.key).any(|key| unused.contains(key)) || has_inside()
        };
        let changes: Vec<KeyChange> = changes_between(before, &after).into_iter().filter(is_unused).collect();
        if !changes.is_empty() && type_of(id) != TAB {
            out.push((id.clone(), changes));
        }
    }
    out
}

pub fn type_of(id: &str) -> &str {
    id.split_once('!').map_or(id, |(theirs, _)| theirs)
}

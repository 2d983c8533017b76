//! The tree of Webviz and its descendants: `"Type!id"` or `{direction, first, second, splitPercentage}`, with tabs as panels of type
//! `Tab` that hold trees of their own.
//!
//! Invariant: each panel is placed once, whatever the tree says: reading ends, and so does drawing.

use std::cell::RefCell;
use std::collections::HashSet;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::arrangement::canonical;
use super::own::{Child, Direction, Node, Tab};
use super::report::PanelReport;
use super::rule::{Codec, Marks, Reader, not_understood};
use super::studio::{TAB, TAB_ID, type_of};

const TITLE: &str = "title";
const DIRECTIONS: Codec = Codec::Words(&[("row", "row"), ("column", "column")]);

/// A tree that is being read.
pub struct Tree<'a> {
    configs: &'a Map<String, Value>,
    seen: HashSet<String>,
    placed: Vec<String>,
    tabs: Vec<PanelReport>,
    warnings: Vec<String>,
}

impl<'a> Tree<'a> {
    pub fn new(configs: &'a Map<String, Value>) -> Tree<'a> {
        Tree {
            configs,
            seen: HashSet::new(),
            placed: Vec::new(),
            tabs: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Ids of panels in their order, reports of tabs, and what is wrong.
    pub fn done(self) -> (Vec<String>, Vec<PanelReport>, Vec<String>) {
        (self.placed, self.tabs, self.warnings)
    }

    pub fn node(&mut self, reader: &Reader<'_>) -> Option<Node> {
        match reader.value {
            Value::Null => None,
            Value::String(id) => {
                let node = self.leaf(id);
                if node.is_some() {
                    reader.mark("", "");
                }
                node
            }
            Value::Object(map) if map.contains_key("first") || map.contains_key("second") => {
                let direction = reader.take("/direction", "", DIRECTIONS);
                let split = match direction.as_ref().and_then(Value::as_str) {
                    Some("column") => Direction::Column,
                    _ => Direction::Row,
                };
                let percentage = self.percentage(reader);
                let first = self.node(&reader.inside("/first", ""));
                let second = self.node(&reader.inside("/second", ""));
                let children = [(first, percentage), (second, 100.0 - percentage)];
                let children = children.into_iter().filter_map(|(node, percent)| {
                    Some(Child {
                        share: (percent / 100.0) as f32,
                        node: node?,
                    })
                });
                Some(Node::Split {
                    split,
                    children: children.collect(),
                    extra: Map::new(),
                })
            }
            other => {
                self.warn(format!("a part of the arrangement is left out: {}", not_understood(other)));
                None
            }
        }
    }

    fn percentage(&mut self, reader: &Reader<'_>) -> f64 {
        const HALF: f64 = 50.0;
        match reader.value.get("splitPercentage").and_then(Value::as_f64) {
            Some(percent) if percent > 0.0 && percent < 100.0 => {
                reader.mark("/splitPercentage", "");
                percent
            }
            Some(percent) => {
                reader.odd(
                    "/splitPercentage",
                    format!("{percent} is not between 0 and 100: the halves are equal"),
                );
                HALF
            }
            None => HALF,
        }
    }

    fn warn(&mut self, what: String) {
        const MOST: usize = 20;
        if self.warnings.len() < MOST {
            self.warnings.push(what);
        }
    }

    fn leaf(&mut self, id: &str) -> Option<Node> {
        if !self.seen.insert(id.to_owned()) {
            self.warn(format!("{id} stands in the arrangement more than once: the first is shown"));
            return None;
        }
        if type_of(id) == TAB {
            return self.tab(id);
        }
        self.placed.push(id.to_owned());
        Some(Tab::alone(id))
    }

    fn tab(&mut self, id: &str) -> Option<Node> {
        let config = self.configs.get(id).unwrap_or(&Value::Null);
        let marks = RefCell::new(Marks::default());
        let reader = Reader::new(config, &marks);
        let (mut tabs, mut places) = (Vec::new(), Vec::new());
        for (place, item) in reader.items("/tabs").into_iter().enumerate() {
            let Some(node) = self.node(&item.inside("/layout", "/root")).and_then(|node| canonical(&node)) else {
                item.odd("", "a tab with nothing in it");
                continue;
            };
            tabs.push(match node {
                Node::Split {
                    split,
                    children,
                    mut extra,
                } => {
                    if let Some(title) = item.text("/title", "/title") {
                        extra.insert(TITLE.to_owned(), title.into());
                    }
                    Tab::Node(Box::new(Node::Split { split, children, extra }))
                }
                node => {
                    item.odd("/title", "a tab with one panel is named after it");
                    Tab::Node(Box::new(node))
                }
            });
            places.push(place);
        }
        let chosen = reader.value.get("activeTabIdx").and_then(Value::as_f64);
        let active = places.iter().position(|place| Some(*place as f64) == chosen);
        if active.is_some() && places.len() > 1 {
            reader.mark("/activeTabIdx", "/active");
        }
        let mut told = PanelReport::new(id, TAB, Some("tabs"));
        marks.borrow().tell(config, "", &mut told, &|_| true);
        self.tabs.push(told);
        let mut extra = Map::new();
        extra.insert(TAB_ID.to_owned(), id.into());
        (!tabs.is_empty()).then_some(Node::Tabs {
            tabs,
            active: active.unwrap_or(0),
            extra,
        })
    }
}

/// Writes a tree, and the configurations of its tabs.
pub struct Writer<'a> {
    /// Their ids of our panels.
    names: &'a IndexMap<&'a str, String>,
    configs: &'a mut Map<String, Value>,
    tabs: HashSet<String>,
}

impl<'a> Writer<'a> {
    pub fn new(names: &'a IndexMap<&'a str, String>, configs: &'a mut Map<String, Value>) -> Writer<'a> {
        Writer {
            names,
            configs,
            tabs: HashSet::new(),
        }
    }

    /// The tree, with the panels of windows of their own (`apart`) at its right. Of the tabs that stood in it before, those that no
    /// longer do lose their configuration.
    pub fn write(mut self, root: Option<&Node>, apart: &[&str], before: &[String]) -> Option<Value> {
        let mut parts: Vec<(f32, Value)> = Vec::new();
        parts.extend(root.and_then(|root| Some((1.0, self.node(root)?))));
        let apart = apart.iter().filter_map(|id| self.names.get(id));
        let apart: Vec<(f32, Value)> = apart.map(|name| (1.0, Value::from(name.as_str()))).collect();
        parts.extend(binary(apart, Direction::Column).map(|value| (0.5, value)));
        for gone in before.iter().filter(|id| !self.tabs.contains(*id)) {
            self.configs.shift_remove(gone);
        }
        binary(parts, Direction::Row)
    }

    fn node(&mut self, node: &Node) -> Option<Value> {
        match node {
            Node::Split { split, children, .. } => {
                let parts = children.iter().filter_map(|child| Some((child.share, self.node(&child.node)?)));
                let parts: Vec<(f32, Value)> = parts.collect();
                binary(parts, *split)
            }
            Node::Tabs { tabs, active, extra } => match tabs.as_slice() {
                [Tab::Panel(id)] => self.names.get(id.as_str()).map(|name| name.as_str().into()),
                tabs => self.tabs(tabs, *active, extra),
            },
            Node::Unknown(_) => None,
        }
    }

    fn tabs(&mut self, tabs: &[Tab], active: usize, extra: &Map<String, Value>) -> Option<Value> {
        let known = extra.get(TAB_ID).and_then(Value::as_str);
        let known = known.filter(|id| type_of(id) == TAB && !self.tabs.contains(*id));
        let id = known.map_or_else(|| self.new_tab(), str::to_owned);
        self.tabs.insert(id.clone());
        let mut config = self
            .configs
            .get(&id)
            .filter(|v| v.is_object())
            .cloned()
            .unwrap_or_else(|| json!({}));
        let (mut written, mut shown) = (Vec::new(), 0);
        for (at, tab) in tabs.iter().enumerate() {
            let tree = match tab {
                Tab::Panel(id) => self.names.get(id.as_str()).map(|name| name.as_str().into()),
                Tab::Node(node) => self.node(node),
            };
            let Some(tree) = tree else { continue };
            if at == active {
                shown = written.len();
            }
            let mut entry = config.pointer(&format!("/tabs/{at}")).filter(|v| v.is_object()).cloned();
            let entry = entry.get_or_insert_with(|| json!({"title": named_after(tab)}));
            if let Tab::Node(node) = tab
                && let Node::Split { extra, .. } = &**node
                && let Some(title) = extra.get(TITLE)
            {
                entry[TITLE] = title.clone();
            }
            entry["layout"] = tree;
            written.push(entry.clone());
        }
        if written.is_empty() {
            return None;
        }
        config["activeTabIdx"] = shown.into();
        config["tabs"] = Value::Array(written);
        self.configs.insert(id.clone(), config);
        Some(id.into())
    }

    fn new_tab(&self) -> String {
        let mut ids = (1..).map(|number| format!("{TAB}!tabs{number}"));
        let is_free = |id: &String| !self.configs.contains_key(id) && !self.tabs.contains(id);
        ids.find(is_free).unwrap_or_else(|| format!("{TAB}!tabs"))
    }
}

fn named_after(tab: &Tab) -> String {
    match tab {
        Tab::Panel(id) => type_of(id).to_owned(),
        Tab::Node(node) => super::arrangement::panels(node)
            .first()
            .map_or(String::new(), |id| type_of(id).to_owned()),
    }
}

/// Two halves, of which the second may be two halves again.
fn binary(parts: Vec<(f32, Value)>, direction: Direction) -> Option<Value> {
    let mut parts = parts.into_iter().rev();
    let (mut sum, mut tree) = parts.next()?;
    for (share, first) in parts {
        let percentage = f64::from(share) / f64::from(share + sum) * 100.0;
        tree = json!({
            "direction": if direction == Direction::Row { "row" } else { "column" },
            "first": first,
            "second": tree,
            "splitPercentage": (percentage * 1e4).round() / 1e4,
        });
        sum += share;
    }
    Some(tree)
}

/// Ids of all tabs in a tree.
pub fn tab_ids(node: &Node) -> Vec<String> {
    match node {
        Node::Split { children, .. } => children.iter().flat_map(|child| tab_ids(&child.node)).collect(),
        Node::Tabs { tabs, extra, .. } => {
            let inside = tabs.iter().flat_map(|tab| match tab {
                Tab::Panel(_) => Vec::new(),
                Tab::Node(node) => tab_ids(node),
            });
            let own = extra.get(TAB_ID).and_then(Value::as_str).map(str::to_owned);
            own.into_iter().chain(inside).collect()
        }
        Node::Unknown(_) => Vec::new(),
    }
}

/// Of two trees that are the same: carries which tabs are in front.
pub fn set_active(was: &Node, now: &Node, configs: &mut Map<String, Value>) {
    match (was, now) {
        (Node::Split { children: was, .. }, Node::Split { children: now, .. }) => {
            for (was, now) in was.iter().zip(now) {
                set_active(&was.node, &now.node, configs);
            }
        }
        (
            Node::Tabs {
                tabs: was_tabs,
                active: was,
                extra,
            },
            Node::Tabs { tabs, active: now, .. },
        ) => {
            for (was, now) in was_tabs.iter().zip(tabs) {
                if let (Tab::Node(was), Tab::Node(now)) = (was, now) {
                    set_active(was, now, configs);
                }
            }
            let id = extra.get(TAB_ID).and_then(Value::as_str).filter(|_| was != now);
            let Some(config) = id.and_then(|id| configs.get_mut(id)) else {
                return;
            };
            let given = config.get("tabs").and_then(Value::as_array);
            let filled = given
                .into_iter()
                .flatten()
                .enumerate()
                .filter(|(_, tab)| tab.get("layout").is_some_and(|l| !l.is_null()));
            let places: Vec<usize> = filled.map(|(place, _)| place).collect();
            // else tabs in tabs were joined
            if places.len() == tabs.len()
                && let Some(place) = places.get(*now)
            {
                config["activeTabIdx"] = (*place).into();
            }
        }
        _ => {}
    }
}

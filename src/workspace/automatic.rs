//! The layout that a recording gets when it is opened without one: what a person would have arranged.
//!
//! Shape: the scene large on the left, cameras and the map in a column on its right, plots, log and raw messages in a row below.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::Workspace;
use crate::layout::{Child, Direction, Layout, Node, PanelEntry, Tab};
use crate::panel::PANELS;
use crate::store::Store;

/// How many cameras stand one above the other before they become tabs.
const CAMERAS_IN_COLUMN: usize = 3;
/// How many where a map stands below them.
const CAMERAS_ABOVE_MAP: usize = 2;
/// How many groups stand side by side below before they become tabs.
const GROUPS_BELOW: usize = 2;

impl Workspace {
    /// Arranged from the topics of the store.
    pub fn automatic(store: &Store) -> Workspace {
        let mut workspace = Workspace::from_layout(&automatic(store));
        workspace.is_automatic = true;
        workspace
    }
}

/// The layout for these topics.
pub fn automatic(store: &Store) -> Layout {
    let mut panels = IndexMap::new();
    let (mut scenes, mut cameras, mut maps, mut plots, mut others) = (vec![], vec![], vec![], vec![], vec![]);
    for kind in PANELS {
        for config in (kind.automatic)(store) {
            let id = format!("{}-{}", kind.id, panels.len() + 1);
            let entry = PanelEntry {
                kind: kind.id.to_owned(),
                config,
                extra: Map::new(),
            };
            panels.insert(id.clone(), entry);
            match kind.id {
                "scene3d" => scenes.push(id),
                "image" => cameras.push(id),
                "map" => maps.push(id),
                "plot" => plots.push(id),
                _ => others.push(id),
            }
        }
    }
    Layout {
        panels,
        root: arrange(scenes, beside(cameras, maps), plots, others),
        ..Layout::empty()
    }
}

/// Groups of tabs that stand beside the scene: cameras, then maps.
fn beside(cameras: Vec<String>, maps: Vec<String>) -> Vec<Vec<String>> {
    let limit = if maps.is_empty() { CAMERAS_IN_COLUMN } else { CAMERAS_ABOVE_MAP };
    let mut groups = grouped(cameras, limit);
    groups.extend((!maps.is_empty()).then_some(maps));
    groups
}

fn arrange(scenes: Vec<String>, beside: Vec<Vec<String>>, plots: Vec<String>, others: Vec<String>) -> Option<Node> {
    let has_scene = !scenes.is_empty();
    let above = if has_scene {
        let scene = tabs(scenes);
        match evenly(beside, Direction::Column) {
            Some(beside) => split(Direction::Row, vec![(0.68, scene?), (0.32, beside)]),
            None => scene,
        }
    } else {
        evenly(beside, Direction::Row)
    };
    let plots = evenly(grouped(plots, GROUPS_BELOW), Direction::Row);
    let below = match (plots, tabs(others)) {
        (Some(plots), Some(others)) => split(Direction::Row, vec![(0.68, plots), (0.32, others)]),
        (plots, others) => plots.or(others),
    };
    match (above, below) {
        (Some(above), Some(below)) => split(Direction::Column, vec![(0.68, above), (0.32, below)]),
        (above, below) => above.or(below),
    }
}

/// Up to `limit` groups; the rest are further tabs of the last.
fn grouped(mut ids: Vec<String>, limit: usize) -> Vec<Vec<String>> {
    let rest = ids.split_off(ids.len().min(limit));
    let mut groups: Vec<Vec<String>> = ids.into_iter().map(|id| vec![id]).collect();
    if let Some(last) = groups.last_mut() {
        last.extend(rest);
    }
    groups
}

/// One beside the other.
fn evenly(groups: Vec<Vec<String>>, direction: Direction) -> Option<Node> {
    let share = 1.0 / groups.len().max(1) as f32;
    let nodes: Vec<(f32, Node)> = groups.into_iter().filter_map(|g| Some((share, tabs(g)?))).collect();
    if nodes.len() < 2 {
        return nodes.into_iter().next().map(|n| n.1);
    }
    split(direction, nodes)
}

fn tabs(ids: Vec<String>) -> Option<Node> {
    (!ids.is_empty()).then(|| Node::Tabs {
        tabs: ids.into_iter().map(Tab::Panel).collect(),
        active: 0,
        extra: Map::<String, Value>::new(),
    })
}

fn split(direction: Direction, children: Vec<(f32, Node)>) -> Option<Node> {
    Some(Node::Split {
        split: direction,
        children: children.into_iter().map(|(share, node)| Child { share, node }).collect(),
        extra: Map::new(),
    })
}

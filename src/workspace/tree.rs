//! Layout file ↔ the tree on screen.

use std::collections::HashMap;
use std::rc::Rc;

use egui_tiles::{Container, Linear, LinearDir, Tabs, Tile, TileId, Tiles, Tree};
use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::{Pane, PoppedOut, Rest, Variables, Workspace};
use crate::layout::{Child, Direction, Layout, Node, PanelEntry, Tab, VERSION, Window};

/// The kind under which a node that this version does not know is kept as a panel.
const UNKNOWN_NODE: &str = "unknown-node";

impl Workspace {
    pub fn from_layout(layout: &Layout) -> Workspace {
        Workspace::build(layout, HashMap::new())
    }

    /// As the layout has it; panels that are there and as they are to be stay, with what they hold.
    pub fn rearranged(mut self, layout: &Layout) -> Workspace {
        let mut there: HashMap<String, Pane> = self.windows.drain(..).map(|w| (w.pane.id.clone(), w.pane)).collect();
        let tiles: Vec<TileId> = self.tree.tiles.tile_ids().collect();
        for tile in tiles {
            if let Some(Tile::Pane(pane)) = self.tree.tiles.remove(tile) {
                there.insert(pane.id.clone(), pane);
            }
        }
        let mut workspace = Workspace::build(layout, there);
        let still_there = |id: &String| workspace.pane(id).is_some();
        let (selected, maximised) = (self.selected.filter(still_there), self.maximised.filter(still_there));
        (workspace.selected, workspace.maximised) = (selected, maximised);
        workspace
    }

    fn build(layout: &Layout, there: HashMap<String, Pane>) -> Workspace {
        let mut builder = Builder {
            panels: layout.panels.clone(),
            there,
            tiles: Tiles::default(),
            node_extra: HashMap::new(),
            unknown_nodes: 0,
            variables: Rc::new(layout.variables.clone()),
        };
        let mut workspace = Workspace::empty();
        workspace.variables = builder.variables.clone();
        let windows = layout.windows.iter();
        workspace.windows = windows
            .filter_map(|w| {
                let pane = builder.take(&w.panel)?;
                Some(PoppedOut::new(pane, w.size, w.position, w.extra.clone()))
            })
            .collect();
        let mut root = layout.root.as_ref().and_then(|node| builder.node(node));
        // panels that stand in no node: beside the rest, as tabs
        let left: Vec<String> = builder.panels.keys().cloned().collect();
        let stray: Vec<TileId> = left.iter().filter_map(|id| builder.pane(id)).collect();
        if !stray.is_empty() {
            let group = builder.tiles.insert_tab_tile(stray);
            root = Some(match root {
                Some(root) => builder.tiles.insert_vertical_tile(vec![root, group]),
                None => group,
            });
        }
        if let Some(root) = root {
            workspace.tree = Tree::new(egui::Id::unique("workspace"), root, builder.tiles);
        }
        workspace.node_extra = builder.node_extra;
        workspace.rest = Rest {
            version: layout.version,
            topics: layout.topics.clone(),
            origin: layout.origin.clone(),
            name: layout.name.clone(),
            playback: layout.playback.clone(),
            sidebars: layout.sidebars.clone(),
            extra: layout.extra.clone(),
        };
        workspace.tidy();
        workspace
    }

    /// The layout as it stands; playback and sidebars as they were read: how they are now is the caller's.
    pub fn to_layout(&self) -> Layout {
        let entry = |pane: &Pane| {
            let entry = PanelEntry {
                kind: pane.kind.clone(),
                config: pane.config(),
                extra: pane.extra.clone(),
            };
            (pane.id.clone(), entry)
        };
        Layout {
            version: self.rest.version.max(VERSION),
            topics: self.rest.topics.clone(),
            origin: self.rest.origin.clone(),
            name: self.rest.name.clone(),
            panels: self.panes().into_iter().filter(|p| p.kind != UNKNOWN_NODE).map(entry).collect(),
            root: self.tree.root().and_then(|root| self.node(root)),
            windows: self
                .windows
                .iter()
                .map(|w| Window {
                    panel: w.pane.id.clone(),
                    size: w.size,
                    position: w.position,
                    extra: w.extra.clone(),
                })
                .collect(),
            variables: IndexMap::new(),
            playback: self.rest.playback.clone(),
            sidebars: self.rest.sidebars.clone(),
            extra: self.rest.extra.clone(),
        }
    }

    fn node(&self, at: TileId) -> Option<Node> {
        let extra = self.node_extra.get(&at).cloned().unwrap_or_default();
        Some(match self.tree.tiles.get(at)? {
            Tile::Pane(pane) if pane.kind == UNKNOWN_NODE => Node::Unknown(pane.panel.config()),
            Tile::Pane(pane) => Node::Tabs {
                tabs: vec![Tab::Panel(pane.id.clone())],
                active: 0,
                extra,
            },
            Tile::Container(Container::Tabs(tabs)) => self.tabs(tabs, extra)?,
            Tile::Container(Container::Linear(linear)) => self.split_node(linear, extra),
            Tile::Container(Container::Grid(grid)) => {
                let children: Vec<TileId> = grid.children().copied().collect();
                self.split_node(&Linear::new(LinearDir::Horizontal, children), extra)
            }
        })
    }

    fn tabs(&self, tabs: &Tabs, extra: Map<String, Value>) -> Option<Node> {
        if let [only] = tabs.children.as_slice()
            && let Some(Tile::Pane(pane)) = self.tree.tiles.get(*only)
            && pane.kind == UNKNOWN_NODE
        {
            return Some(Node::Unknown(pane.panel.config()));
        }
        let tab = |child: &TileId| match self.tree.tiles.get(*child)? {
            Tile::Pane(pane) if pane.kind != UNKNOWN_NODE => Some(Tab::Panel(pane.id.clone())),
            _ => Some(Tab::Node(Box::new(self.node(*child)?))),
        };
        Some(Node::Tabs {
            tabs: tabs.children.iter().filter_map(tab).collect(),
            active: tabs.children.iter().position(|c| Some(*c) == tabs.active).unwrap_or(0),
            extra,
        })
    }

    fn split_node(&self, linear: &Linear, extra: Map<String, Value>) -> Node {
        let shares: Vec<f32> = linear.children.iter().map(|c| share_of(linear, *c)).collect();
        let total: f32 = shares.iter().sum::<f32>().max(f32::EPSILON);
        let children = linear.children.iter().zip(&shares);
        Node::Split {
            split: match linear.dir {
                LinearDir::Horizontal => Direction::Row,
                LinearDir::Vertical => Direction::Column,
            },
            children: children
                .filter_map(|(child, share)| {
                    Some(Child {
                        share: (share / total * 1e4).round() / 1e4,
                        node: self.node(*child)?,
                    })
                })
                .collect(),
            extra,
        }
    }
}

fn share_of(linear: &Linear, child: TileId) -> f32 {
    linear.shares.iter().find(|(id, _)| **id == child).map_or(1.0, |(_, share)| *share)
}

/// Puts `new` in the place, and with the share, of `old`.
pub fn replace_child(tree: &mut Tree<Pane>, parent: TileId, old: TileId, new: TileId) {
    let Some(Tile::Container(container)) = tree.tiles.get_mut(parent) else {
        return;
    };
    match container {
        Container::Linear(linear) => {
            let share = share_of(linear, old);
            for child in &mut linear.children {
                if *child == old {
                    *child = new;
                }
            }
            linear.shares.set_share(new, share);
        }
        Container::Tabs(tabs) => {
            for child in &mut tabs.children {
                if *child == old {
                    *child = new;
                }
            }
            tabs.set_active(new);
        }
        Container::Grid(_) => {
            let _ = container.replace_child(old, new);
        }
    }
}

struct Builder {
    /// Those not placed yet.
    panels: IndexMap<String, PanelEntry>,
    /// Panels that may be used again.
    there: HashMap<String, Pane>,
    tiles: Tiles<Pane>,
    node_extra: HashMap<TileId, Map<String, Value>>,
    unknown_nodes: usize,
    variables: Rc<Variables>,
}

impl Builder {
    fn take(&mut self, id: &str) -> Option<Pane> {
        let entry = self.panels.shift_remove(id)?;
        let Some(mut there) = self.there.remove(id) else {
            return Some(Pane::new(id.to_owned(), entry, self.variables.clone()));
        };
        there.revalue(self.variables.clone());
        let same = there.kind == entry.kind && there.extra == entry.extra && there.config() == entry.config;
        Some(if same {
            there
        } else {
            Pane::new(id.to_owned(), entry, self.variables.clone())
        })
    }

    fn pane(&mut self, id: &str) -> Option<TileId> {
        let pane = self.take(id)?;
        Some(self.tiles.insert_pane(pane))
    }

    fn node(&mut self, node: &Node) -> Option<TileId> {
        match node {
            Node::Split { split, children, extra } => {
                let built: Vec<(TileId, f32)> = children.iter().filter_map(|c| Some((self.node(&c.node)?, c.share))).collect();
                if built.is_empty() {
                    return None;
                }
                let dir = match split {
                    Direction::Row => LinearDir::Horizontal,
                    Direction::Column => LinearDir::Vertical,
                };
                let mut linear = Linear::new(dir, built.iter().map(|b| b.0).collect());
                for (child, share) in built {
                    if share.is_finite() && share > 0.0 {
                        linear.shares.set_share(child, share);
                    }
                }
                Some(self.insert(Container::Linear(linear), extra))
            }
            Node::Tabs { tabs, active, extra } => {
                let built: Vec<Option<TileId>> = tabs
                    .iter()
                    .map(|tab| match tab {
                        Tab::Panel(id) => self.pane(id),
                        Tab::Node(node) => self.node(node),
                    })
                    .collect();
                let chosen = built.get(*active).copied().flatten();
                let children: Vec<TileId> = built.into_iter().flatten().collect();
                let first = *children.first()?;
                let mut tabs = Tabs::new(children);
                tabs.set_active(chosen.unwrap_or(first));
                Some(self.insert(Container::Tabs(tabs), extra))
            }
            Node::Unknown(value) => {
                self.unknown_nodes += 1;
                let entry = PanelEntry {
                    kind: UNKNOWN_NODE.to_owned(),
                    config: value.clone(),
                    extra: Map::new(),
                };
                let pane = Pane::new(format!("{UNKNOWN_NODE}-{}", self.unknown_nodes), entry, Rc::default());
                let tile = self.tiles.insert_pane(pane);
                Some(self.tiles.insert_tab_tile(vec![tile]))
            }
        }
    }

    fn insert(&mut self, container: Container, extra: &Map<String, Value>) -> TileId {
        let id = self.tiles.insert_container(container);
        if !extra.is_empty() {
            self.node_extra.insert(id, extra.clone());
        }
        id
    }
}

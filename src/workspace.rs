//! The arrangement of panels on screen, made of a [`Layout`](crate::layout::Layout), what is done to it, and the layout that it then is.
//!
//! Invariants: what a layout holds that this version does not know (panels, keys, kinds of split) comes out again as it went in, and
//! so does what was not changed. Nothing here reads or writes a file.

mod automatic;
mod schema;
mod tree;
mod unknown;
mod view;

use std::collections::HashMap;
use std::rc::Rc;

use egui_tiles::{Tile, TileId, Tree};
use indexmap::IndexMap;
use serde_json::{Map, Value};

pub use automatic::automatic;
pub use schema::schema;
pub use view::{DraggedTopic, Drawn};

use crate::layout::{self, Direction, Origin, PanelEntry, PlaybackEntry, Sidebars};
use crate::panel::{Kind, PANELS, Panel, View};
use crate::store::{TopicId, Want};

/// A panel in the tree.
pub struct Pane {
    /// Its name in the layout file.
    pub id: String,
    /// As the layout spells it; may be one that this version does not know.
    pub kind: String,
    pub panel: Box<dyn Panel>,
    /// Keys of its entry that this version does not know.
    extra: Map<String, Value>,
    /// The configuration as the layout holds it, the same with the names that its variables stand for, and what the panel understood
    /// of it.
    given: Value,
    resolved: Value,
    understood: Value,
    variables: Rc<Variables>,
}

/// Of the layout: some stand for topics and frames.
pub type Variables = IndexMap<String, Value>;

impl Pane {
    fn new(id: String, entry: PanelEntry, variables: Rc<Variables>) -> Pane {
        let resolved = layout::resolve(&entry.kind, &entry.config, &variables);
        let panel = unknown::create(&entry.kind, &resolved);
        Pane {
            id,
            kind: entry.kind,
            understood: panel.config(),
            panel,
            extra: entry.extra,
            given: entry.config,
            resolved,
            variables,
        }
    }

    /// For a layout file: what it was given, with what the panel has changed since.
    pub fn config(&self) -> Value {
        if self.given.is_null() {
            return self.panel.config();
        }
        let now = layout::three_way(&self.understood, self.panel.config(), &self.resolved);
        if now == self.resolved {
            return self.given.clone();
        }
        layout::restore(&self.kind, &self.given, now, &self.variables)
    }

    /// Makes it anew where its variables stand for other names now.
    fn revalue(&mut self, variables: Rc<Variables>) {
        if self.variables == variables {
            return;
        }
        let config = self.config();
        let stands_for = |variables: &Variables| layout::resolve(&self.kind, &config, variables);
        if stands_for(&self.variables) == stands_for(&variables) {
            self.variables = variables;
            return;
        }
        let entry = PanelEntry {
            kind: self.kind.clone(),
            config,
            extra: std::mem::take(&mut self.extra),
        };
        *self = Pane::new(std::mem::take(&mut self.id), entry, variables);
    }

    pub fn icon(&self) -> &'static str {
        kind(&self.kind).map_or(crate::theme::icon::QUESTION, |k| k.icon)
    }
}

/// A panel that was moved to a window of its own.
pub struct PoppedOut {
    pub pane: Pane,
    pub size: [f32; 2],
    /// Of its top left corner on the desktop, where the platform tells.
    pub position: Option<[f32; 2]>,
    /// As the window was asked for: asking again while the user drags its edge would pull it back.
    opened: ([f32; 2], Option<[f32; 2]>),
    /// Keys of its entry that this version does not know.
    extra: Map<String, Value>,
}

/// A window of its own is at least so large at first, in points.
const ROOMY: [f32; 2] = [640.0, 480.0];

impl PoppedOut {
    fn new(pane: Pane, size: [f32; 2], position: Option<[f32; 2]>, extra: Map<String, Value>) -> PoppedOut {
        PoppedOut {
            pane,
            size,
            position,
            opened: (size, position),
            extra,
        }
    }
}

/// Something to be done to the workspace, once the pass is over.
#[derive(Clone, Debug)]
pub enum Edit {
    Close(String),
    /// A second panel of the same kind and configuration beside it.
    Split(String, Direction),
    /// A second panel of the same kind and configuration, in a new tab beside the arrangement that it stands in.
    AddTab(String),
    /// Names the tab of an arrangement.
    Rename(TileId, String),
    /// Closes a tab with all panels in it.
    CloseTab(TileId),
    Maximise(String),
    /// Back into the layout, from being maximised.
    Restore,
    PopOut(String),
    /// Back from a window of its own.
    PopIn(String),
    Select(String),
    ShowSettings(String),
    /// A new panel; beside the named one, or where there is room.
    Add {
        kind: String,
        config: Value,
        beside: Option<String>,
    },
    DropTopic(String, TopicId),
    /// A new panel of what was dropped on the edge of a panel, or on its tabs.
    DropBeside {
        id: String,
        side: Side,
        what: Dropped,
    },
}

/// What may be dropped where there is no panel that could take it.
#[derive(Clone, Debug)]
pub enum Dropped {
    Topic(TopicId),
    /// A message path: a plot of it.
    Path(String),
}

/// Where a new panel comes, seen from another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// In the same place, behind a tab.
    Tab,
    Left,
    Right,
    Above,
    Below,
}

/// The key of an arrangement that names its tab.
const TITLE: &str = "title";

pub struct Workspace {
    tree: Tree<Pane>,
    windows: Vec<PoppedOut>,
    pub selected: Option<String>,
    pub maximised: Option<String>,
    /// Keys of nodes that this version does not know.
    node_extra: HashMap<TileId, Map<String, Value>>,
    /// What the layout holds besides panels.
    rest: Rest,
    variables: Rc<Variables>,
    next_number: usize,
    /// Changed by the user's hand since it was made, read or saved.
    pub edited: bool,
    /// Made from the topics: made again when they grow, until the user changes something.
    pub is_automatic: bool,
}

/// What a layout holds besides panels: playback and sidebars are the window's, the rest comes out as it went in.
#[derive(Clone, Default)]
struct Rest {
    /// Of the format: a newer one stays.
    version: u32,
    name: Option<String>,
    playback: Option<PlaybackEntry>,
    sidebars: Option<Sidebars>,
    topics: IndexMap<String, String>,
    origin: Option<Origin>,
    /// Keys that this version does not know.
    extra: Map<String, Value>,
}

/// The line of [`PANELS`] with this name.
pub fn kind(id: &str) -> Option<&'static Kind> {
    PANELS.iter().find(|k| k.id == id)
}

impl Workspace {
    pub fn empty() -> Workspace {
        Workspace {
            tree: Tree::empty(egui::Id::unique("workspace")),
            windows: Vec::new(),
            selected: None,
            maximised: None,
            node_extra: HashMap::new(),
            rest: Rest::default(),
            variables: Rc::default(),
            next_number: 1,
            edited: false,
            is_automatic: false,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.tree.is_empty() && self.windows.is_empty()
    }

    /// The layout's own name.
    pub fn set_name(&mut self, name: Option<String>) {
        self.rest.name = name;
    }

    /// All panels, in the tree's order, then those in windows of their own.
    pub fn panes(&self) -> Vec<&Pane> {
        let mut ordered = Vec::new();
        if let Some(root) = self.tree.root() {
            collect_panes(&self.tree.tiles, root, &mut ordered);
        }
        ordered.extend(self.windows.iter().map(|w| &w.pane));
        ordered
    }

    pub fn pane(&self, id: &str) -> Option<&Pane> {
        self.panes().into_iter().find(|p| p.id == id)
    }

    pub fn pane_mut(&mut self, id: &str) -> Option<&mut Pane> {
        let in_tree = self.tree.tiles.tiles_mut().find_map(|tile| match tile {
            Tile::Pane(pane) if pane.id == id => Some(pane),
            _ => None,
        });
        in_tree.or_else(|| self.windows.iter_mut().map(|w| &mut w.pane).find(|p| p.id == id))
    }

    /// Panels that are drawn: active tabs, or the maximised one; and those in windows of their own.
    pub fn visible(&self) -> Vec<&Pane> {
        let active = self.tree.active_tiles();
        let mut shown: Vec<&Pane> = self
            .panes()
            .into_iter()
            .filter(|pane| match &self.maximised {
                Some(id) => pane.id == *id,
                None => self.tile_of(&pane.id).is_some_and(|tile| active.contains(&tile)),
            })
            .collect();
        for window in &self.windows {
            if !shown.iter().any(|p| p.id == window.pane.id) {
                shown.push(&window.pane);
            }
        }
        shown
    }

    /// What the visible panels want.
    pub fn wants(&self, view: &View) -> Vec<Want> {
        let mut out = Vec::new();
        for pane in self.visible() {
            pane.panel.wants(view, &mut out);
        }
        out
    }

    /// What `$name` stands for in the panels' configurations.
    pub fn set_variables(&mut self, variables: Variables) {
        self.variables = Rc::new(variables);
        let in_tree = self.tree.tiles.tiles_mut().filter_map(|tile| match tile {
            Tile::Pane(pane) => Some(pane),
            Tile::Container(_) => None,
        });
        for pane in in_tree.chain(self.windows.iter_mut().map(|window| &mut window.pane)) {
            pane.revalue(self.variables.clone());
        }
    }

    fn tile_of(&self, id: &str) -> Option<TileId> {
        self.tree.tiles.iter().find_map(|(tile_id, tile)| match tile {
            Tile::Pane(pane) if pane.id == id => Some(*tile_id),
            _ => None,
        })
    }

    fn new_pane(&mut self, kind_id: &str, config: &Value) -> Pane {
        let mut id = format!("{kind_id}-{}", self.next_number);
        while self.pane(&id).is_some() {
            self.next_number += 1;
            id = format!("{kind_id}-{}", self.next_number);
        }
        self.next_number += 1;
        let entry = PanelEntry {
            kind: kind_id.to_owned(),
            config: config.clone(),
            extra: Map::new(),
        };
        Pane::new(id, entry, self.variables.clone())
    }

    /// Applies what the user did. True where the workspace changed.
    pub fn apply(&mut self, edit: Edit, view: &View) -> bool {
        let changed = match edit {
            Edit::Close(id) => self.close(&id),
            Edit::Split(id, direction) => self.split(&id, direction),
            Edit::AddTab(id) => self.add_tab(&id),
            Edit::Rename(tile, title) => {
                self.node_extra.entry(tile).or_default().insert(TITLE.to_owned(), title.into());
                true
            }
            Edit::CloseTab(tile) => {
                self.tree.remove_recursively(tile);
                self.tidy();
                true
            }
            Edit::Maximise(id) => {
                self.maximised = Some(id);
                false
            }
            Edit::Restore => {
                self.maximised = None;
                false
            }
            Edit::PopOut(id) => self.pop_out(&id),
            Edit::PopIn(id) => self.pop_in(&id),
            Edit::Select(id) | Edit::ShowSettings(id) => {
                self.selected = Some(id);
                false
            }
            Edit::Add { kind, config, beside } => {
                let pane = self.new_pane(&kind, &config);
                self.add_pane(pane, beside.as_deref());
                true
            }
            Edit::DropTopic(id, topic) => self.drop_topic(&id, topic, view),
            Edit::DropBeside { id, side, what } => self.drop_beside(&id, side, &what, view),
        };
        if changed {
            self.edited = true;
            self.is_automatic = false;
        }
        changed
    }

    /// A panel that suits the topic.
    pub fn add_for_topic(&mut self, topic: TopicId, view: &View, beside: Option<&str>) {
        if let Some(pane) = self.pane_for_topic(topic, view) {
            self.add_pane(pane, beside);
            self.edited = true;
            self.is_automatic = false;
        }
    }

    /// Of the kind that is made for it, else of the first of the table that can show it.
    fn pane_for_topic(&mut self, topic: TopicId, view: &View) -> Option<Pane> {
        let is_made_for = |kind: &&Kind| view.store.topic(topic).is_some_and(|t| kind.is_made_for(t));
        PANELS.iter().filter(is_made_for).chain(PANELS).find_map(|kind| {
            let mut pane = self.new_pane(kind.id, &Value::Null);
            pane.panel.drop_topic(view, topic).then_some(pane)
        })
    }

    fn drop_beside(&mut self, id: &str, side: Side, what: &Dropped, view: &View) -> bool {
        let pane = match what {
            Dropped::Topic(topic) => self.pane_for_topic(*topic, view),
            Dropped::Path(path) => Some(self.new_pane("plot", &serde_json::json!({ "series": [{ "path": path }] }))),
        };
        let Some(pane) = pane else { return false };
        self.maximised = None;
        self.selected = Some(pane.id.clone());
        match side {
            Side::Tab => self.insert_tab(pane, id),
            Side::Left | Side::Right => self.insert_beside(pane, id, Direction::Row, side == Side::Left),
            Side::Above | Side::Below => self.insert_beside(pane, id, Direction::Column, side == Side::Above),
        }
        true
    }

    /// Behind a tab beside the neighbour's.
    fn insert_tab(&mut self, pane: Pane, neighbour: &str) {
        let group = self.tile_of(neighbour).and_then(|tile| self.tree.tiles.parent_of(tile));
        let is_group = |tiles: &egui_tiles::Tiles<Pane>, id| matches!(tiles.get(id), Some(Tile::Container(egui_tiles::Container::Tabs(_))));
        match group.filter(|id| is_group(&self.tree.tiles, *id)) {
            Some(group) => {
                let tile = self.tree.tiles.insert_pane(pane);
                if let Some(Tile::Container(egui_tiles::Container::Tabs(tabs))) = self.tree.tiles.get_mut(group) {
                    tabs.add_child(tile);
                    tabs.set_active(tile);
                }
            }
            None => self.insert_beside(pane, neighbour, Direction::Row, false),
        }
    }

    fn drop_topic(&mut self, id: &str, topic: TopicId, view: &View) -> bool {
        let taken = self.pane_mut(id).is_some_and(|pane| pane.panel.drop_topic(view, topic));
        if taken {
            self.selected = Some(id.to_owned());
        } else {
            self.add_for_topic(topic, view, Some(id));
        }
        true
    }

    fn close(&mut self, id: &str) -> bool {
        if let Some(tile) = self.tile_of(id) {
            self.tree.remove_recursively(tile);
        }
        self.windows.retain(|w| w.pane.id != id);
        if self.maximised.as_deref() == Some(id) {
            self.maximised = None;
        }
        if self.selected.as_deref() == Some(id) {
            self.selected = None;
        }
        self.tidy();
        true
    }

    fn split(&mut self, id: &str, direction: Direction) -> bool {
        let Some((kind, config)) = self.pane(id).map(|p| (p.kind.clone(), p.config())) else {
            return false;
        };
        let pane = self.new_pane(&kind, &config);
        self.selected = Some(pane.id.clone());
        self.maximised = None;
        self.insert_beside(pane, id, direction, false);
        true
    }

    fn add_tab(&mut self, id: &str) -> bool {
        let (Some((kind, config)), Some(tile)) = (self.pane(id).map(|p| (p.kind.clone(), p.panel.config())), self.tile_of(id)) else {
            return false;
        };
        let pane = self.new_pane(&kind, &config);
        self.selected = Some(pane.id.clone());
        self.maximised = None;
        let new = self.tree.tiles.insert_pane(pane);
        // out of its tab group and the splits around it, up to the next tabs
        let mut whole = self.group_of(tile).unwrap_or(tile);
        while let Some(parent) = self.tree.tiles.parent_of(whole) {
            if let Some(Tile::Container(egui_tiles::Container::Tabs(tabs))) = self.tree.tiles.get_mut(parent) {
                tabs.add_child(new);
                tabs.set_active(new);
                return true;
            }
            whole = parent;
        }
        let tabs = self.tree.tiles.insert_tab_tile(vec![whole, new]);
        if let Some(Tile::Container(egui_tiles::Container::Tabs(tabs))) = self.tree.tiles.get_mut(tabs) {
            tabs.set_active(new);
        }
        self.tree.root = Some(tabs);
        self.tidy();
        true
    }

    /// The tab group that holds nothing but panels, this one among them.
    fn group_of(&self, pane: TileId) -> Option<TileId> {
        let parent = self.tree.tiles.parent_of(pane)?;
        let Some(Tile::Container(egui_tiles::Container::Tabs(tabs))) = self.tree.tiles.get(parent) else {
            return None;
        };
        let is_pane = |child: &TileId| matches!(self.tree.tiles.get(*child), Some(Tile::Pane(_)));
        tabs.children.iter().all(is_pane).then_some(parent)
    }

    fn add_pane(&mut self, pane: Pane, beside: Option<&str>) {
        self.maximised = None;
        let neighbour = beside.map(str::to_owned).or_else(|| self.largest());
        self.selected = Some(pane.id.clone());
        match neighbour {
            Some(neighbour) => {
                let rect = self.tile_of(&neighbour).and_then(|t| self.tree.tiles.rect(t));
                let wide = rect.is_none_or(|r| r.width() >= r.height());
                let direction = if wide { Direction::Row } else { Direction::Column };
                self.insert_beside(pane, &neighbour, direction, false);
            }
            None => {
                let tile = self.tree.tiles.insert_pane(pane);
                let tabs = self.tree.tiles.insert_tab_tile(vec![tile]);
                self.tree.root = Some(tabs);
            }
        }
    }

    /// The panel with the largest area.
    fn largest(&self) -> Option<String> {
        let area = |pane: &&Pane| {
            let rect = self.tile_of(&pane.id).and_then(|t| self.tree.tiles.rect(t));
            rect.map_or(0.0, |r| r.area())
        };
        let panes: Vec<&Pane> = self.panes().into_iter().filter(|p| self.tile_of(&p.id).is_some()).collect();
        panes.into_iter().max_by(|a, b| area(a).total_cmp(&area(b))).map(|p| p.id.clone())
    }

    fn insert_beside(&mut self, pane: Pane, neighbour: &str, direction: Direction, is_first: bool) {
        let Some(tile) = self.tile_of(neighbour) else {
            return self.add_pane(pane, None);
        };
        // the neighbour's tab group, or the pane itself where it has none or is a tab beside arrangements
        let group = self.group_of(tile);
        let old = group.unwrap_or(tile);
        let new_pane = self.tree.tiles.insert_pane(pane);
        let new_group = self.tree.tiles.insert_tab_tile(vec![new_pane]);
        let parent = self.tree.tiles.parent_of(old);
        let children = if is_first { vec![new_group, old] } else { vec![old, new_group] };
        let split = match direction {
            Direction::Row => self.tree.tiles.insert_horizontal_tile(children),
            Direction::Column => self.tree.tiles.insert_vertical_tile(children),
        };
        match parent {
            Some(parent) => tree::replace_child(&mut self.tree, parent, old, split),
            None => self.tree.root = Some(split),
        }
        self.tidy();
    }

    fn pop_out(&mut self, id: &str) -> bool {
        let Some(tile) = self.tile_of(id) else {
            return false;
        };
        // a small panel gets room at last
        let size = self
            .tree
            .tiles
            .rect(tile)
            .map_or(ROOMY, |r| [r.width().max(ROOMY[0]), r.height().max(ROOMY[1])]);
        if self.maximised.as_deref() == Some(id) {
            self.maximised = None;
        }
        for tile in self.tree.remove_recursively(tile) {
            if let Tile::Pane(pane) = tile {
                self.windows.push(PoppedOut::new(pane, size, None, Map::new()));
            }
        }
        self.tidy();
        true
    }

    fn pop_in(&mut self, id: &str) -> bool {
        let Some(at) = self.windows.iter().position(|w| w.pane.id == id) else {
            return false;
        };
        let window = self.windows.remove(at);
        self.add_pane(window.pane, None);
        true
    }

    /// Containers that hold nothing any more go; nested ones join.
    fn tidy(&mut self) {
        self.tree.simplify(&view::simplification());
        let tiles = &self.tree.tiles;
        self.node_extra.retain(|id, _| tiles.get(*id).is_some());
    }
}

fn collect_panes<'a>(tiles: &'a egui_tiles::Tiles<Pane>, at: TileId, out: &mut Vec<&'a Pane>) {
    match tiles.get(at) {
        Some(Tile::Pane(pane)) => out.push(pane),
        Some(Tile::Container(container)) => {
            for child in container.children() {
                collect_panes(tiles, *child, out);
            }
        }
        None => {}
    }
}

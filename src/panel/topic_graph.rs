//! Who published what: nodes on the left, their topics on the right, from the connections' headers.
//!
//! Invariant: nothing is read for it but the recording's index. A recording tells publishers, never subscribers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use egui::epaint::CubicBezierShape;
use egui::{Align2, Color32, Rect, RichText, ScrollArea, Sense, Stroke, Ui, pos2, vec2};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::format::ConnectionId;
use crate::panel::{Action, Kind, Panel, PanelState, View, command, widget};
use crate::store::{SourceId, SourceState, TopicId};
use crate::text::counted;
use crate::theme::{self, Palette, icon};

pub const KIND: Kind = Kind {
    id: "topic_graph",
    name: "Topic graph",
    what: "Which node published which topics",
    icon: theme::icon::GRAPH,
    create: |config| Box::new(TopicGraphPanel::new(config)),
    schema: crate::panel::schema_of::<Config>,
    automatic: |_| Vec::new(),
};

const ROW: f32 = 22.0;
const BOX: f32 = 18.0;
/// Of connections whose header names no node.
const NOBODY: &str = "(not named)";

/// What a layout stores.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
struct Config {
    hide_silent: bool,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

struct TopicGraphPanel {
    config: Config,
    search: String,
    graph: Graph,
    made_of: Option<(u64, bool, String)>,
    /// The node or topic that was clicked: what it is joined with stands out.
    picked: Option<Picked>,
    state: PanelState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Picked {
    Node(usize),
    Topic(usize),
}

#[derive(Default)]
struct Graph {
    nodes: Vec<Arc<str>>,
    topics: Vec<TopicEnd>,
    /// Node, topic, messages, whether it is latched.
    edges: Vec<Edge>,
}

struct TopicEnd {
    id: TopicId,
    name: Arc<str>,
    messages: u64,
}

#[derive(Clone, Copy)]
struct Edge {
    node: usize,
    topic: usize,
    messages: u64,
    latching: bool,
}

impl Graph {
    fn of(view: &View, hide_silent: bool, search: &str) -> Graph {
        let mut counts: BTreeMap<(SourceId, ConnectionId), u64> = BTreeMap::new();
        let mut edges: BTreeMap<(Arc<str>, TopicId), (u64, bool)> = BTreeMap::new();
        for source in 0..view.store.sources().len() as SourceId {
            let Some(catalog) = view.store.catalog(source) else { continue };
            for (connection, count) in catalog.chunks.iter().flat_map(|c| &c.counts) {
                *counts.entry((source, *connection)).or_default() += u64::from(*count);
            }
            for (at, connection) in (0..).zip(&catalog.connections) {
                let Some(topic) = view.store.topic_of_connection(source, at) else {
                    continue;
                };
                let node = connection.callerid.clone().unwrap_or_else(|| NOBODY.into());
                let edge = edges.entry((node, topic.id)).or_default();
                edge.0 += counts.get(&(source, at)).copied().unwrap_or(0);
                edge.1 |= connection.latching;
            }
        }
        let mut graph = Graph::default();
        for ((node, topic), (messages, latching)) in edges {
            let Some(topic) = view.store.topic(topic) else { continue };
            let fits = widget::matches_words(&format!("{node} {} {}", topic.name, topic.type_name), search);
            if !fits || (hide_silent && messages == 0) {
                continue;
            }
            if graph.nodes.last() != Some(&node) {
                graph.nodes.push(node);
            }
            let at = graph.topics.iter().position(|t| t.id == topic.id).unwrap_or_else(|| {
                graph.topics.push(TopicEnd {
                    id: topic.id,
                    name: topic.name.clone(),
                    messages: topic.messages,
                });
                graph.topics.len() - 1
            });
            graph.edges.push(Edge {
                node: graph.nodes.len() - 1,
                topic: at,
                messages,
                latching,
            });
        }
        graph.order_topics();
        graph
    }

    /// By the nodes that publish them, so that few lines cross; then by name.
    fn order_topics(&mut self) {
        let mut firsts: Vec<usize> = vec![usize::MAX; self.topics.len()];
        for edge in &self.edges {
            if let Some(first) = firsts.get_mut(edge.topic) {
                *first = edge.node.min(*first);
            }
        }
        let mut order: Vec<usize> = (0..self.topics.len()).collect();
        let key = |at: &usize| (firsts.get(*at).copied(), self.topics.get(*at).map(|t| t.name.clone()));
        order.sort_by_key(key);
        let mut place = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            if let Some(place) = place.get_mut(*old) {
                *place = new;
            }
        }
        let mut topics: Vec<Option<TopicEnd>> = std::mem::take(&mut self.topics).into_iter().map(Some).collect();
        self.topics = order.iter().filter_map(|old| topics.get_mut(*old)?.take()).collect();
        for edge in &mut self.edges {
            edge.topic = place.get(edge.topic).copied().unwrap_or(edge.topic);
        }
    }

    /// Nodes and topics that are joined with the picked one, itself included.
    fn joined(&self, picked: Picked) -> (BTreeSet<usize>, BTreeSet<usize>) {
        let mut sets = (BTreeSet::new(), BTreeSet::new());
        match picked {
            Picked::Node(at) => sets.0.insert(at),
            Picked::Topic(at) => sets.1.insert(at),
        };
        for edge in self.edges.iter().filter(|e| is_of(e, picked)) {
            sets.0.insert(edge.node);
            sets.1.insert(edge.topic);
        }
        sets
    }
}

fn is_of(edge: &Edge, picked: Picked) -> bool {
    match picked {
        Picked::Node(at) => edge.node == at,
        Picked::Topic(at) => edge.topic == at,
    }
}

impl TopicGraphPanel {
    fn new(config: &Value) -> TopicGraphPanel {
        TopicGraphPanel {
            config: widget::config_from(config),
            search: String::new(),
            graph: Graph::default(),
            made_of: None,
            picked: None,
            state: PanelState::Pending("the recording's index is being read".into()),
        }
    }

    fn refresh(&mut self, view: &View) {
        let made_of = (view.store.catalog_revision(), self.config.hide_silent, self.search.clone());
        if self.made_of.as_ref() != Some(&made_of) {
            self.graph = Graph::of(view, self.config.hide_silent, &self.search);
            self.made_of = Some(made_of);
            self.picked = None;
        }
        let sources = view.store.sources();
        let failed = sources.iter().find_map(|s| match &s.state {
            SourceState::Failed(why) => Some(why.to_string()),
            _ => None,
        });
        let is_opening = sources.iter().any(|s| s.state == SourceState::Opening);
        let is_named = self.graph.nodes.iter().any(|n| &**n != NOBODY);
        self.state = match (failed, view.store.topics().is_empty()) {
            (Some(why), true) => PanelState::Failed(why),
            (None, true) if is_opening => PanelState::Pending("the recording's index is being read".into()),
            (None, true) if sources.is_empty() => PanelState::Absent("No recording is open".into()),
            (None, true) => PanelState::Absent("The recording has no topics".into()),
            _ if !is_named && self.search.is_empty() => {
                PanelState::Partial("the recording does not tell which nodes published its topics".into())
            }
            _ => PanelState::Ready,
        };
    }

    fn graph_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let p = theme::palette(ui.visuals());
        let rows = self.graph.topics.len().max(self.graph.nodes.len());
        let (area, back) = ui.allocate_exact_size(vec2(ui.available_width(), rows as f32 * ROW + 8.0), Sense::click());
        let width = area.width();
        let left = column(ui, self.graph.nodes.iter().map(|n| &**n), width * 0.34);
        let right = column(ui, self.graph.topics.iter().map(|t| &*t.name), width * 0.46) + 52.0;
        // each node stands in the middle of its topics where it can
        let node_tops = self.node_tops();
        let node_rect = |at: usize| {
            let top = area.top() + 4.0 + node_tops.get(at).copied().unwrap_or(0.0) * ROW;
            Rect::from_min_size(pos2(area.left() + 8.0, top + 2.0), vec2(left, BOX))
        };
        let topic_rect = |at: usize| {
            let top = area.top() + 4.0 + at as f32 * ROW;
            Rect::from_min_size(pos2(area.right() - 8.0 - right, top + 2.0), vec2(right, BOX))
        };
        let pointer = ui
            .input(|i| i.pointer.hover_pos())
            .filter(|at| ui.rect_contains_pointer(area) && area.contains(*at));
        let hovered = pointer.and_then(|at| {
            let node = (0..self.graph.nodes.len()).find(|n| node_rect(*n).contains(at)).map(Picked::Node);
            node.or_else(|| {
                (0..self.graph.topics.len())
                    .find(|t| topic_rect(*t).contains(at))
                    .map(Picked::Topic)
            })
        });
        let selected = self
            .graph
            .topics
            .iter()
            .position(|t| Some(t.id) == view.selected)
            .map(Picked::Topic);
        let shown = hovered.or(self.picked).or(selected);
        let joined = shown.map(|picked| self.graph.joined(picked));
        let visible = ui.clip_rect();
        for edge in &self.graph.edges {
            let (from, to) = (node_rect(edge.node).right_center(), topic_rect(edge.topic).left_center());
            if from.y.max(to.y) < visible.top() || from.y.min(to.y) > visible.bottom() {
                continue;
            }
            let is_lit = shown.is_some_and(|picked| is_of(edge, picked));
            let name = self.graph.nodes.get(edge.node).map_or("", |n| n);
            ui.painter()
                .add(curve(from, to, edge_color(p, name, edge, is_lit, shown.is_some())));
        }
        for (at, name) in self.graph.nodes.iter().enumerate() {
            let rect = node_rect(at);
            let is_lit = joined.as_ref().is_none_or(|j| j.0.contains(&at));
            let count = self.graph.edges.iter().filter(|e| e.node == at).count();
            let noun = if count == 1 { "topic" } else { "topics" };
            let response = end_ui(
                ui,
                rect,
                name,
                &format!("Node {name}, {count} {noun}"),
                theme::data::of_name(name),
                is_lit,
            );
            if response.clicked() {
                self.picked = (self.picked != Some(Picked::Node(at))).then_some(Picked::Node(at));
            }
        }
        for (at, topic) in self.graph.topics.iter().enumerate() {
            let rect = topic_rect(at);
            if !visible.intersects(rect) {
                continue;
            }
            let is_lit = joined.as_ref().is_none_or(|j| j.1.contains(&at));
            let (name_rect, count_rect) = rect.split_left_right_at_x(rect.right() - 52.0);
            let named = format!("Topic {}, {}", topic.name, counted(topic.messages, "message"));
            let response = end_ui(ui, name_rect, &topic.name, &named, p.weak, is_lit);
            let color = if is_lit { p.weak } else { p.faint };
            let count = short_count(topic.messages);
            ui.painter()
                .text(count_rect.right_center(), Align2::RIGHT_CENTER, count, theme::small(), color);
            if response.clicked() {
                self.picked = None;
                out.push(Action::Select(topic.id));
            }
            let type_name = view.store.topic(topic.id).map(|t| t.type_name.clone()).unwrap_or_default();
            let response = response.on_hover_ui(|ui| {
                ui.label(&*type_name);
                for edge in self.graph.edges.iter().filter(|e| e.topic == at) {
                    let name = self.graph.nodes.get(edge.node).map_or("", |n| n);
                    let latched = if edge.latching { ", latched" } else { "" };
                    ui.label(format!("{name}: {}{latched}", counted(edge.messages, "message")));
                }
            });
            if let Some(topic) = view.store.topic(topic.id) {
                widget::topic_menu(&response, topic, out);
            }
        }
        if back.clicked() {
            self.picked = None;
        }
        command::menu(&back, COMMANDS, self, view, out);
    }

    /// What is shown in Graphviz's language: nodes are ellipses, topics boxes.
    fn dot(&self) -> String {
        let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        let topics = self.graph.topics.iter().map(|t| format!("  {} [shape=box];", quoted(&t.name)));
        let edges = self.edges().map(|(node, topic, edge)| {
            let style = if edge.latching { ", style=dashed" } else { "" };
            format!("  {} -> {} [label={}{style}];", quoted(node), quoted(topic), edge.messages)
        });
        let lines: Vec<String> = topics.chain(edges).collect();
        format!("digraph topics {{\n  rankdir=LR;\n{}\n}}\n", lines.join("\n"))
    }

    /// A line for each node's topic.
    fn text(&self) -> String {
        let line = |(node, topic, edge): (&str, &str, &Edge)| {
            let latched = if edge.latching { ", latched" } else { "" };
            format!("{node} → {topic}: {} messages{latched}", edge.messages)
        };
        self.edges().map(line).collect::<Vec<_>>().join("\n")
    }

    fn edges(&self) -> impl Iterator<Item = (&str, &str, &Edge)> {
        self.graph.edges.iter().filter_map(|edge| {
            let node = self.graph.nodes.get(edge.node)?;
            let topic = self.graph.topics.get(edge.topic)?;
            Some((&**node, &*topic.name, edge))
        })
    }

    /// In rows from the top: in the middle of their topics, none over another.
    fn node_tops(&self) -> Vec<f32> {
        let mut tops = Vec::with_capacity(self.graph.nodes.len());
        let mut free = 0.0_f32;
        let left_over = |at: usize| (self.graph.nodes.len() - at) as f32;
        let rows = self.graph.topics.len().max(self.graph.nodes.len()) as f32;
        let mut sums: Vec<(f32, f32)> = vec![(0.0, 0.0); self.graph.nodes.len()];
        for edge in &self.graph.edges {
            if let Some(sum) = sums.get_mut(edge.node) {
                *sum = (sum.0 + edge.topic as f32, sum.1 + 1.0);
            }
        }
        for (at, (sum, count)) in sums.into_iter().enumerate() {
            let middle = if count > 0.0 { sum / count } else { free };
            let top = middle.max(free).min((rows - left_over(at)).max(free));
            tops.push(top);
            free = top + 1.0;
        }
        tops
    }

    fn head_ui(&mut self, ui: &mut Ui) {
        ui.horizontal(|ui| {
            ui.add_space(8.0);
            let count = |n: usize, one: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") };
            let text = format!(
                "{} → {}",
                count(self.graph.nodes.len(), "node"),
                count(self.graph.topics.len(), "topic")
            );
            ui.label(RichText::new(text).weak());
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                ui.add_space(4.0);
                let width = ui.available_width().clamp(40.0, 160.0);
                let edit = egui::TextEdit::singleline(&mut self.search)
                    .hint_text(format!("{} Filter", icon::MAGNIFYING_GLASS))
                    .desired_width(width);
                widget::named(ui.add(edit), "Filter nodes and topics");
            });
        });
    }
}

/// As wide as its widest name, up to `most`.
fn column<'a>(ui: &Ui, names: impl Iterator<Item = &'a str>, most: f32) -> f32 {
    let width = |name: &str| {
        ui.painter()
            .layout_no_wrap(name.to_owned(), theme::body(), ui.visuals().text_color())
            .size()
            .x
    };
    names.map(width).fold(0.0, f32::max).min(most - 24.0).max(40.0) + 24.0
}

fn edge_color(p: &Palette, node: &str, edge: &Edge, is_lit: bool, any_lit: bool) -> Stroke {
    let color = if edge.messages == 0 { p.faint } else { theme::data::of_name(node) };
    match (is_lit, any_lit) {
        (true, _) => Stroke::new(2.0, color),
        (false, true) => Stroke::new(1.0, color.gamma_multiply(0.15)),
        (false, false) => Stroke::new(1.25, color.gamma_multiply(0.65)),
    }
}

fn curve(from: egui::Pos2, to: egui::Pos2, stroke: Stroke) -> CubicBezierShape {
    let bend = vec2(((to.x - from.x) * 0.5).max(12.0), 0.0);
    CubicBezierShape::from_points_stroke([from, from + bend, to - bend, to], false, Color32::TRANSPARENT, stroke)
}

/// A name on a plate with a coloured edge.
fn end_ui(ui: &Ui, rect: Rect, text: &str, name: &str, color: Color32, is_lit: bool) -> egui::Response {
    let p = theme::palette(ui.visuals());
    let response = ui.interact(rect, ui.scope_id().with(name), Sense::click());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, name));
    let fill = if response.hovered() { p.hover } else { p.overlay };
    ui.painter().rect_filled(rect, 4.0, fill);
    let edge = Rect::from_min_size(rect.min, vec2(3.0, rect.height()));
    ui.painter()
        .rect_filled(edge, 2.0, if is_lit { color } else { color.gamma_multiply(0.3) });
    let text_color = if is_lit { p.text } else { p.faint };
    let place = rect.shrink2(vec2(10.0, 0.0));
    crate::panel::columns::cell(ui.painter(), rect, place, crate::panel::columns::Align::Left, text, text_color);
    response
}

/// `1,204` as `1204`, a million as `1.0M`.
fn short_count(count: u64) -> String {
    match count {
        0..100_000 => count.to_string(),
        100_000..1_000_000 => format!("{}k", count / 1000),
        _ => format!("{:.1}M", count as f64 / 1e6),
    }
}

const COMMANDS: &[command::Command<TopicGraphPanel>] = &[
    ("Copy as text", |graph, _, out| out.push(Action::CopyText(graph.text()))),
    ("Copy as Graphviz", |graph, _, out| out.push(Action::CopyText(graph.dot()))),
    ("Save as Graphviz…", |graph, _, out| {
        out.push(Action::SaveFile {
            name: "topics.dot".into(),
            bytes: graph.dot().into_bytes().into(),
        });
    }),
    ("Hide or show topics without messages", |graph, _, out| {
        graph.config.hide_silent = !graph.config.hide_silent;
        out.push(Action::Changed);
    }),
    ("Show all nodes and topics", |graph, _, out| {
        graph.search.clear();
        graph.picked = None;
        if std::mem::take(&mut graph.config.hide_silent) {
            out.push(Action::Changed);
        }
    }),
];

impl Panel for TopicGraphPanel {
    fn title(&self, _view: &View) -> String {
        "Topic graph".into()
    }

    fn ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let rect = ui.available_rect_before_wrap();
        self.refresh(view);
        match &self.state {
            PanelState::Absent(why) | PanelState::Pending(why) => return widget::empty_note(ui, rect, why),
            PanelState::Failed(why) => return widget::failure_note(ui, rect, why),
            _ => {}
        }
        let behind = ui.interact(rect, ui.scope_id().with("topic graph"), Sense::click());
        command::menu(&behind, COMMANDS, self, view, out);
        let head = egui::UiBuilder::new().max_rect(rect.shrink2(vec2(0.0, 2.0)));
        let below = ui.scope_builder(head, |ui| self.head_ui(ui)).response.rect.bottom() + 2.0;
        let rest = rect.with_min_y(below.min(rect.bottom()));
        if self.graph.topics.is_empty() {
            widget::empty_note(ui, rest, "No node and no topic fits the filter");
        } else {
            ui.scope_builder(egui::UiBuilder::new().max_rect(rest), |ui| {
                ui.set_clip_rect(rest.intersect(ui.clip_rect()));
                ScrollArea::vertical()
                    .auto_shrink(false)
                    .show(ui, |ui| self.graph_ui(ui, view, out));
            });
        }
        ui.advance_cursor_after_rect(rect);
    }

    fn settings_ui(&mut self, ui: &mut Ui, _view: &View, out: &mut Vec<Action>) {
        if ui.checkbox(&mut self.config.hide_silent, "Hide topics without messages").changed() {
            out.push(Action::Changed);
        }
        theme::widget::note(
            ui,
            "A recording tells who published, not who listened. Click a node to see its topics, a topic to select it.",
        );
    }

    fn commands(&self) -> Vec<&'static str> {
        command::names(COMMANDS)
    }

    fn run(&mut self, command: &str, view: &View, out: &mut Vec<Action>) {
        command::run(COMMANDS, self, command, view, out);
    }

    fn config(&self) -> Value {
        json!(self.config)
    }

    fn state(&self, _view: &View) -> PanelState {
        self.state.clone()
    }
}

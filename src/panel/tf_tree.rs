//! The transform tree at the playhead: which frame stands in which, how often and how lately that was told, and where it is broken.
//!
//! Invariant: every frame that was named is in the list once; what keeps two frames apart is told in words.

mod tree;

use std::collections::BTreeSet;
use std::sync::Arc;

use egui::{Grid, RichText, ScrollArea, Stroke, Ui, pos2, vec2};
use glam::{DQuat, DVec3, EulerRot};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::decode::Form;
use crate::panel::columns::{self, Align, Column};
use crate::panel::{Action, Kind, Panel, PanelState, View, command, scene3d, widget};
use crate::store::{Branch, Lookup, Store, Topic, TopicId, Want, What};
use crate::theme::{self, icon};
use crate::time::{self, Span};
use tree::{Line, Named, Trouble};

pub const KIND: Kind = Kind {
    id: "tf_tree",
    name: "TF tree",
    what: "Frames and their parents, rates and ages of transforms, and breaks between them",
    icon: theme::icon::TREE_STRUCTURE,
    create: |config| Box::new(TfTreePanel::new(config)),
    schema: crate::panel::schema_of::<Config>,
    automatic: |_| Vec::new(),
};

/// A row of the tree is indented by so much for each of its ancestors.
const INDENT: f32 = 16.0;

const COLUMNS: [Column<'static>; 6] = {
    const fn column(name: &'static str, hint: &'static str, width: f32, align: Align) -> Column<'static> {
        Column { name, hint, width, align }
    }
    [
        column("Frame", "", 0.0, Align::Left),
        column("Kind", "Static transforms hold for ever", 52.0, Align::Left),
        column("Rate", "Transforms a second lately, by their stamps", 66.0, Align::Right),
        column(
            "Age",
            "How long before the playhead the newest one was received",
            66.0,
            Align::Right,
        ),
        column("Translation", "In the parent, in metres: x, y, z", 150.0, Align::Right),
        column("Rotation", "Roll, pitch, yaw in the parent, in degrees", 130.0, Align::Right),
    ]
};

/// What a layout stores.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
struct Config {
    /// Frames whose children are not listed.
    closed: BTreeSet<String>,
    /// The frame that is told all about.
    selected: String,
    /// In which frame; empty: in its tree's root.
    reference: String,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

struct TfTreePanel {
    config: Config,
    search: String,
    lines: Vec<Line>,
    troubles: Vec<Trouble>,
    roots: usize,
    /// Stays until the next one is worked out.
    made_of: Option<MadeOf>,
    state: PanelState,
}

#[derive(Clone, PartialEq)]
struct MadeOf {
    now: time::Time,
    samples: usize,
    named: Named,
    closed: BTreeSet<String>,
    search: String,
}

impl TfTreePanel {
    fn new(config: &Value) -> TfTreePanel {
        TfTreePanel {
            config: widget::config_from(config),
            search: String::new(),
            lines: Vec::new(),
            troubles: Vec::new(),
            roots: 0,
            made_of: None,
            state: PanelState::Pending("transforms are being read".into()),
        }
    }

    fn refresh(&mut self, ctx: &egui::Context, view: &View) {
        let topics = topics(view.store);
        if topics.is_empty() {
            self.lines.clear();
            self.state = PanelState::Absent("The recording holds no transforms".into());
            return;
        }
        let pending = view.store.transforms_pending();
        let made_of = MadeOf {
            now: view.now,
            samples: view.store.transforms().len(),
            named: named(ctx, view.store),
            closed: self.config.closed.clone(),
            search: self.search.clone(),
        };
        // what was drawn stays while the next is read
        if self.made_of.as_ref() != Some(&made_of) && !(pending && !self.lines.is_empty() && made_of.samples == 0) {
            let branches = view.store.transforms().branches();
            let tree = tree::build(branches, &made_of.named, view.now, &self.config.closed, &self.search);
            (self.lines, self.troubles, self.roots) = (tree.lines, tree.troubles, tree.roots);
            self.made_of = Some(made_of);
        }
        let failed = topics
            .iter()
            .find_map(|t| t.schema_error.as_ref().map(|why| format!("{}: {why}", t.name)));
        let failed = failed.or_else(|| view.store.transforms_failure().map(|why| why.to_string()));
        let is_empty = self.lines.is_empty() && self.troubles.is_empty() && self.search.is_empty();
        self.state = match (failed, is_empty) {
            (Some(why), true) => PanelState::Failed(why),
            (Some(why), false) => PanelState::Partial(format!("some transforms are missing: {why}")),
            (_, true) if pending => PanelState::Pending("transforms are being read".into()),
            (_, true) => PanelState::Absent("No transform was received at or before the playhead".into()),
            _ if pending => PanelState::Pending("transforms at the playhead are being read".into()),
            _ => PanelState::Ready,
        };
    }

    fn head_ui(&mut self, ui: &mut Ui, out: &mut Vec<Action>) {
        let p = theme::palette(ui.visuals());
        ui.horizontal(|ui| {
            ui.add_space(8.0);
            let frames = self.lines.len();
            let text = match self.roots {
                0 => format!("{frames} frames"),
                1 => format!("{frames} frames in one tree"),
                n => format!("{frames} frames in {n} trees"),
            };
            ui.label(RichText::new(text).color(p.weak));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                ui.add_space(4.0);
                if widget::icon_button(ui, icon::COPY, "Copy the tree as text", false).clicked() {
                    out.push(Action::CopyText(tree::as_text(&self.lines)));
                }
                let width = ui.available_width().clamp(40.0, 160.0);
                let edit = egui::TextEdit::singleline(&mut self.search)
                    .hint_text("Filter")
                    .desired_width(width);
                widget::named(ui.add(edit), "Filter frames");
            });
        });
        for trouble in &self.troubles {
            let color = if trouble.is_error { p.error } else { p.warn };
            ui.horizontal(|ui| {
                ui.add_space(8.0);
                let mark = if trouble.is_error { icon::WARNING_CIRCLE } else { icon::WARNING };
                ui.label(RichText::new(mark).color(color));
                ui.add(egui::Label::new(RichText::new(&trouble.what).color(color)).wrap());
            });
        }
    }

    fn rows_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let rect = ui.available_rect_before_wrap();
        let (head, rest) = rect.split_top_bottom_at_y(rect.top() + columns::ROW_HEIGHT);
        let places = columns::places(head, &COLUMNS, 150.0);
        columns::head_ui(ui, head, &COLUMNS, &places, None);
        let mut toggled = None;
        ui.scope_builder(egui::UiBuilder::new().max_rect(rest), |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            let rows = ScrollArea::vertical().auto_shrink(false).id_salt("frames");
            rows.show_rows(ui, columns::ROW_HEIGHT, self.lines.len(), |ui, range| {
                for line in self.lines.get(range).unwrap_or_default() {
                    // nothing is selected where the name is empty
                    let is_selected = !line.frame.is_empty() && *line.frame == *self.config.selected;
                    let cells = cells(line, view);
                    let row = columns::row_ui(
                        ui,
                        is_selected,
                        format!("{} {}", tree::shown_name(&line.frame), cells.join(" ")).trim_end(),
                    );
                    let marked = self.draw_row(ui, row.rect, &places, line, &cells, view);
                    let row = match &line.trouble {
                        Some(why) => row.on_hover_text(why),
                        None => row,
                    };
                    let on_caret = marked.is_some_and(|caret| row.interact_pointer_pos().is_some_and(|at| caret.contains(at)));
                    if row.clicked() && on_caret {
                        toggled = Some(line.frame.to_string());
                    } else if row.clicked() {
                        self.config.selected = if is_selected { String::new() } else { line.frame.to_string() };
                        out.push(Action::Changed);
                    }
                    if row.double_clicked() && line.open.is_some() {
                        toggled = Some(line.frame.to_string());
                    }
                    row.context_menu(|ui| {
                        if line.open.is_some() && ui.button(if line.open == Some(true) { "Close" } else { "Open" }).clicked() {
                            toggled = Some(line.frame.to_string());
                            ui.close();
                        }
                        if ui.button("Copy name").clicked() {
                            out.push(Action::CopyText(line.frame.to_string()));
                            ui.close();
                        }
                        if ui.button("Show transforms in this frame").clicked() {
                            self.config.reference = line.frame.to_string();
                            out.push(Action::Changed);
                            ui.close();
                        }
                    });
                }
            });
        });
        if let Some(frame) = toggled {
            if !self.config.closed.remove(&frame) {
                self.config.closed.insert(frame);
            }
            out.push(Action::Changed);
        }
    }

    /// Returns where its caret is.
    fn draw_row(
        &self,
        ui: &Ui,
        rect: egui::Rect,
        places: &[egui::Rect],
        line: &Line,
        cells: &[String; 5],
        view: &View,
    ) -> Option<egui::Rect> {
        let p = theme::palette(ui.visuals());
        let painter = ui.painter();
        let (name_place, rest) = places.split_first()?;
        let stroke = Stroke::new(1.0, p.line);
        let x_of = |depth: usize| name_place.left() + depth as f32 * INDENT + 6.0;
        // what joins it with its parent and its next brother
        for (depth, goes_on) in line.rails.iter().enumerate() {
            let x = x_of(depth);
            if depth + 1 == line.rails.len() {
                let end = if *goes_on { rect.bottom() } else { rect.center().y };
                painter.vline(x, rect.top()..=end, stroke);
                painter.hline(x..=x + INDENT - 8.0, rect.center().y, stroke);
            } else if *goes_on {
                painter.vline(x, rect.y_range(), stroke);
            }
        }
        let left = x_of(line.rails.len());
        let caret = line.open.map(|open| {
            let glyph = if open { icon::CARET_DOWN } else { icon::CARET_RIGHT };
            painter.text(
                pos2(left, rect.center().y),
                egui::Align2::CENTER_CENTER,
                glyph,
                theme::icons(10.0),
                p.weak,
            );
            egui::Rect::from_center_size(pos2(left, rect.center().y), vec2(16.0, rect.height()))
        });
        let is_silent = line.branch.as_ref().is_some_and(|b| tree::is_silent(b, view.now));
        let color = match (&line.trouble, is_silent) {
            (Some(_), _) => p.error,
            (None, true) => p.warn,
            (None, false) => p.text,
        };
        let name = egui::Rect::from_min_max(pos2(left + 10.0, rect.top()), pos2(name_place.right(), rect.bottom()));
        columns::cell(painter, rect, name, Align::Left, &tree::shown_name(&line.frame), color);
        for (at, ((text, place), column)) in cells.iter().zip(rest).zip(COLUMNS.iter().skip(1)).enumerate() {
            let color = match at {
                0 => p.weak,
                2 if is_silent => p.warn,
                _ => p.text,
            };
            columns::cell(painter, rect, *place, column.align, text, color);
        }
        caret
    }

    /// All about the selected frame.
    fn detail_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let p = theme::palette(ui.visuals());
        let frame = self.config.selected.clone();
        let line = self.lines.iter().find(|l| *l.frame == *frame);
        ui.horizontal(|ui| {
            ui.label(RichText::new(&frame).font(theme::semibold(13.0)));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if theme::widget::icon_button_sized(ui, icon::X, "Close the details", "", 20.0, false).clicked() {
                    self.config.selected.clear();
                    out.push(Action::Changed);
                }
            });
        });
        let Some(line) = line else {
            ui.label(RichText::new(format!("There is no frame “{frame}” at the playhead")).color(p.weak));
            return;
        };
        let mut facts: Vec<(String, String)> = Vec::new();
        for branch in &line.branches {
            let topic = view.store.topic(branch.topic).map_or("", |t| &*t.name);
            let kind = if branch.is_static { ", static" } else { "" };
            facts.push(("In".into(), format!("{} ({topic}{kind})", branch.parent)));
            facts.push(("Stamp".into(), time::format_time_of_day(branch.stamp)));
            let late = time::format_duration(branch.received.since(branch.stamp));
            facts.push((
                "Received".into(),
                format!("{}, {late} after its stamp", time::format_time_of_day(branch.received)),
            ));
        }
        let reference = match self.config.reference.as_str() {
            "" => line.root.to_string(),
            given => given.to_owned(),
        };
        if reference != frame {
            match view.store.transforms().lookup(&reference, &frame, view.now) {
                Ok(place) => {
                    let (_, rotation, translation) = place.to_scale_rotation_translation();
                    facts.push((format!("In {reference}"), format!("{} m", vector_text(translation))));
                    facts.push((String::new(), format!("{}°", angles_text(rotation))));
                    let [x, y, z, w] = rotation.to_array();
                    facts.push(("Quaternion".into(), format!("{x:.5} {y:.5} {z:.5} {w:.5}")));
                }
                Err(why) => facts.push((format!("In {reference}"), why)),
            }
        }
        Grid::new("transform").num_columns(2).spacing([16.0, 2.0]).show(ui, |ui| {
            for (name, value) in facts {
                ui.label(RichText::new(name).color(p.weak));
                ui.add(egui::Label::new(value).wrap());
                ui.end_row();
            }
        });
    }
}

fn topics(store: &Store) -> Vec<&Topic> {
    store.topics().iter().filter(|t| t.form == Some(Form::Transforms)).collect()
}

/// Frames that topics' first messages, the messages on screen and the 3D panels name, and who does.
fn named(ctx: &egui::Context, store: &Store) -> Named {
    let mut named = Named::new();
    let mut add = |frame: &str, who: Arc<str>| {
        named.entry(frame.trim_start_matches('/').into()).or_default().insert(who);
    };
    for topic in store.topics() {
        let first = store.rows(topic.id, Form::Frames).into_iter().flat_map(|rows| rows.blocks());
        first
            .flat_map(|block| block.rows.frames())
            .for_each(|frame| add(frame, topic.name.clone()));
        match topic.form {
            Some(Form::Markers) => {
                if let Lookup::Ready(set) = store.markers(topic.id) {
                    set.markers
                        .iter()
                        .for_each(|(_, marker)| add(&marker.header.frame_id, topic.name.clone()));
                }
            }
            Some(form) => {
                let entry = store.latest_decoded(topic.id, form);
                if let Some(header) = entry.as_ref().and_then(|e| e.decoded.header()) {
                    add(&header.frame_id, topic.name.clone());
                }
            }
            None => {}
        }
    }
    for frame in scene3d::named_frames(ctx) {
        add(&frame, "a 3D panel".into());
    }
    named
}

/// What the headers of its first messages name: frames seldom change, and no more of a recording has to be read for them.
fn first_frames(topic: &Topic) -> Option<Want> {
    let has_header = topic.schema.as_ref().is_some_and(|schema| schema.has_header());
    let span = Span::at(topic.span.filter(|_| has_header)?.start);
    let form = Form::Frames;
    Some(Want {
        topic: topic.id,
        what: What::Rows { form, span },
    })
}

/// All columns but the frame's name.
fn cells(line: &Line, view: &View) -> [String; 5] {
    let Some(branch) = &line.branch else {
        return ["root".to_owned(), String::new(), String::new(), String::new(), String::new()];
    };
    let kind = if branch.is_static { "static" } else { "dynamic" };
    let age = match branch.is_static {
        true => String::new(),
        false => time::format_duration(view.now.since(branch.received)),
    };
    [
        kind.to_owned(),
        branch.rate_hz.map_or_else(String::new, widget::rate_text),
        age,
        vector_text(branch.translation),
        angles_text(branch.rotation),
    ]
}

fn vector_text(v: DVec3) -> String {
    [v.x, v.y, v.z].map(|c| format!("{:.3}", c + 0.0)).join("  ")
}

/// Roll, pitch and yaw in degrees.
fn angles_text(rotation: DQuat) -> String {
    let (yaw, pitch, roll) = rotation.to_euler(EulerRot::ZYX);
    [roll, pitch, yaw]
        .map(|a| format!("{:.2}", (a.to_degrees() * 100.0).round() / 100.0 + 0.0))
        .join("  ")
}

const COMMANDS: &[command::Command<TfTreePanel>] = &[
    ("Copy the tree as text", |tree, _, out| {
        out.push(Action::CopyText(tree::as_text(&tree.lines)));
    }),
    ("Open all", |tree, _, out| {
        tree.config.closed.clear();
        out.push(Action::Changed);
    }),
    ("Close all", |tree, _, out| {
        let open = tree.lines.iter().filter(|l| l.open == Some(true));
        tree.config.closed.extend(open.map(|l| l.frame.to_string()));
        out.push(Action::Changed);
    }),
    ("Show transforms in the tree's root", |tree, _, out| {
        tree.config.reference.clear();
        out.push(Action::Changed);
    }),
];

impl Panel for TfTreePanel {
    fn title(&self, _view: &View) -> String {
        "TF tree".into()
    }

    fn wants(&self, view: &View, out: &mut Vec<Want>) {
        let topics = topics(view.store);
        if topics.is_empty() {
            return;
        }
        let what = What::Latest(Form::Transforms);
        out.extend(topics.iter().map(|t| Want {
            topic: t.id,
            what: what.clone(),
        }));
        out.extend(view.store.topics().iter().filter_map(first_frames));
    }

    fn ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let rect = ui.available_rect_before_wrap();
        self.refresh(ui.ctx(), view);
        match &self.state {
            PanelState::Absent(why) => return widget::empty_note(ui, rect, why),
            PanelState::Failed(why) => return widget::failure_note(ui, rect, why),
            PanelState::Pending(why) if self.lines.is_empty() => return widget::empty_note(ui, rect, why),
            _ => {}
        }
        let head = egui::UiBuilder::new().max_rect(rect.shrink2(vec2(0.0, 2.0)));
        let below = ui.scope_builder(head, |ui| self.head_ui(ui, out)).response.rect.bottom() + 2.0;
        let rest = rect.with_min_y(below.min(rect.bottom()));
        let (list, details) = match (self.config.selected.is_empty(), rest.width() > 760.0) {
            (true, _) => (rest, None),
            (false, true) => {
                let (list, details) = rest.split_left_right_at_x(rest.right() - 320.0);
                (list, Some(details))
            }
            (false, false) => {
                let (list, details) = rest.split_top_bottom_at_y(rest.bottom() - (rest.height() * 0.45).min(170.0));
                (list, Some(details))
            }
        };
        ui.scope_builder(egui::UiBuilder::new().max_rect(list), |ui| {
            ui.set_clip_rect(list.intersect(ui.clip_rect()));
            self.rows_ui(ui, view, out);
        });
        if let Some(details) = details {
            ui.painter().rect_filled(details, 0.0, theme::palette(ui.visuals()).overlay);
            ui.scope_builder(egui::UiBuilder::new().max_rect(details.shrink2(vec2(12.0, 6.0))), |ui| {
                ui.set_clip_rect(details.intersect(ui.clip_rect()));
                ScrollArea::vertical()
                    .auto_shrink(false)
                    .id_salt("detail")
                    .show(ui, |ui| self.detail_ui(ui, view, out));
            });
        }
        ui.advance_cursor_after_rect(rect);
    }

    fn settings_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let before = self.config.clone();
        let frames: Vec<Arc<str>> = view.store.transforms().frames();
        let shown = match self.config.reference.as_str() {
            "" => "The tree's root",
            frame => frame,
        };
        let shown = shown.to_owned();
        egui::ComboBox::from_label("Transforms in").selected_text(shown).show_ui(ui, |ui| {
            ui.selectable_value(&mut self.config.reference, String::new(), "The tree's root");
            for frame in frames {
                ui.selectable_value(&mut self.config.reference, frame.to_string(), &*frame);
            }
        });
        ui.horizontal(|ui| {
            if ui.button("Open all").clicked() {
                self.config.closed.clear();
            }
            if ui.button("Close all").clicked() {
                let open = self.lines.iter().filter(|l| l.open == Some(true));
                self.config.closed.extend(open.map(|l| l.frame.to_string()));
            }
        });
        for topic in topics(view.store) {
            widget::read_whole_button(ui, view.store, topic.id, out);
        }
        widget::report_change(&before, &self.config, out);
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

    fn drop_topic(&mut self, view: &View, topic: TopicId) -> bool {
        topics(view.store).iter().any(|t| t.id == topic)
    }

    fn topics(&self, view: &View) -> Vec<TopicId> {
        topics(view.store).iter().map(|t| t.id).collect()
    }
}

/// Whether a frame's parents are told by one voice.
fn is_contradicted(branches: &[Branch]) -> bool {
    branches
        .iter()
        .any(|b| branches.first().is_some_and(|first| first.parent != b.parent))
}

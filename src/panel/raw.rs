//! One topic's newest message as a tree: every field, differences to another message, bytes as hex.
//!
//! Invariants: only visible rows are laid out; rows are made anew only when the message or what is open changes.

mod part;
pub(super) mod row;
pub(super) mod tree;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use egui::{RichText, ScrollArea, Ui};
use serde::{Deserialize, Serialize};
use serde_json::Map;

use crate::decode::{Decoded, Form, Schema, Value};
use crate::panel::shown::Shown as Held;
use crate::panel::{Action, Kind, Panel, PanelState, View, command, widget};
use crate::path::{self, Column, topic_text};
use crate::store::{Entry, Lookup, Store, Topic, TopicId, Want, What};
use crate::theme;
use crate::time::Time;
use part::Part;
use tree::Row;

pub const KIND: Kind = Kind {
    id: "raw",
    name: "Raw messages",
    what: "Every field of a topic's newest message",
    icon: theme::icon::BRACKETS_CURLY,
    create: |config| Box::new(RawPanel::new(config)),
    schema: crate::panel::schema_of::<Config>,
    automatic,
};

/// What a layout stores.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
struct Config {
    /// Empty: the topic selected in the sidebar.
    topic: String,
    /// The part of its messages that is shown, as a message path from their fields on: `pose.position`, `ranges[3]`,
    /// `items[:]{id == 4}`, `orientation.@yaw`. Empty: all.
    #[serde(skip_serializing_if = "String::is_empty")]
    part: String,
    compare: Compare,
    /// Paths that are open where they would be closed, and the other way round.
    toggled: BTreeSet<String>,
    #[serde(flatten)]
    extra: Map<String, serde_json::Value>,
}

/// What the message is held against.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "with", rename_all = "snake_case")]
enum Compare {
    #[default]
    Nothing,
    Previous,
    Topic {
        topic: String,
    },
}

struct RawPanel {
    config: Config,
    filter: String,
    newest: Held<Entry>,
    shown: Option<Shown>,
    /// What `shown.rows` were made of.
    made_of: Option<MadeOf>,
    /// What the topic's definition calls the values of its fields, as far as they were shown.
    names: HashMap<String, Vec<(i128, Arc<str>)>>,
    state: PanelState,
}

#[derive(Clone, PartialEq)]
struct MadeOf {
    message: u64,
    other: Option<u64>,
    /// With variables bound, or what is wrong with it.
    part: Result<String, String>,
    toggled: BTreeSet<String>,
    filter: String,
}

/// The message on the screen; stays until the next one is there.
struct Shown {
    topic: TopicId,
    entry: Entry,
    /// What the part takes of it, unless it is shown as a whole.
    values: Vec<Value>,
    rows: Vec<Row>,
}

impl RawPanel {
    fn new(config: &serde_json::Value) -> RawPanel {
        RawPanel {
            config: widget::config_from(config),
            filter: String::new(),
            newest: Held::default(),
            shown: None,
            made_of: None,
            names: HashMap::new(),
            state: PanelState::Pending("waiting for the first message".into()),
        }
    }

    fn set_topic(&mut self, name: &str) {
        name.clone_into(&mut self.config.topic);
        self.config.part.clear();
    }

    fn topic<'a>(&self, view: &View<'a>) -> Option<&'a Topic> {
        if !self.config.topic.is_empty() {
            return view.store.topic_by_name(&self.config.topic);
        }
        view.selected
            .and_then(|id| view.store.topic(id))
            .or_else(|| first_choice(view.store))
    }

    fn other_topic<'a>(&self, view: &View<'a>) -> Option<&'a Topic> {
        match &self.config.compare {
            Compare::Topic { topic } => view.store.topic_by_name(topic),
            _ => None,
        }
    }

    /// With its topic.
    fn other<'a>(&self, view: &View<'a>, topic: &'a Topic) -> Option<(&'a Topic, Entry)> {
        let (topic, lookup) = match &self.config.compare {
            Compare::Nothing => return None,
            Compare::Previous => (topic, view.store.previous(topic.id, Form::Value)),
            Compare::Topic { .. } => {
                let topic = self.other_topic(view)?;
                (topic, view.store.latest(topic.id, Form::Value))
            }
        };
        match lookup {
            Lookup::Ready(entry) => Some((topic, entry)),
            _ => None,
        }
    }

    /// Takes the store's answer and makes the rows anew where needed.
    fn refresh(&mut self, view: &View) {
        let Some(topic) = self.topic(view) else {
            self.shown = None;
            self.state = match self.config.topic.as_str() {
                "" => PanelState::Absent("Select a topic in the sidebar, or drag one here".into()),
                name => PanelState::Absent(format!("The recording has no topic {name}")),
            };
            return;
        };
        if self.shown.as_ref().is_some_and(|s| s.topic != topic.id) {
            (self.shown, self.made_of) = (None, None);
            self.names.clear();
        }
        let (entry, freshness) = self.newest.latest(view.store, topic, Form::Value);
        self.state = match (freshness.state(topic, "the message"), &topic.schema_error) {
            (PanelState::Ready, Some(why)) => PanelState::Partial(format!("shown as bytes: {why}")),
            (state, _) => state,
        };
        match entry {
            Some(entry) => {
                let other = self.other(view, topic);
                self.make_rows(view, topic, entry, other);
            }
            None => self.shown = None,
        }
        if let Some(Err(why)) = self.made_of.as_ref().map(|made_of| &made_of.part)
            && self.shown.is_some()
        {
            self.state = PanelState::Failed(why.clone());
        }
    }

    /// None: the whole message.
    fn part(&self, view: &View, topic: &Topic) -> Option<Result<Part, String>> {
        let text = self.config.part.as_str();
        (!text.is_empty()).then(|| Part::compile(text, topic.schema.as_deref(), view.store.variables()))
    }

    fn make_rows(&mut self, view: &View, topic: &Topic, entry: Entry, other: Option<(&Topic, Entry)>) {
        let part = self.part(view, topic);
        let made_of = MadeOf {
            message: entry.key,
            other: other.as_ref().map(|(_, entry)| entry.key),
            part: match &part {
                Some(part) => part.as_ref().map(|part| part.text.clone()).map_err(String::clone),
                None => Ok(String::new()),
            },
            toggled: self.config.toggled.clone(),
            filter: self.filter.clone(),
        };
        if self.made_of.as_ref() == Some(&made_of) && self.shown.is_some() {
            return;
        }
        let taken = |part: &Part, topic: &Topic, entry: &Entry| {
            let payload = || view.store.payload_of(topic.id, Form::Value, entry);
            value_of(entry).map(|value| part.values(value, payload)).unwrap_or_default()
        };
        let Config { toggled, .. } = &self.config;
        let (values, mut rows) = match (value_of(&entry), &part) {
            (None, _) | (_, Some(Err(_))) => Default::default(),
            (Some(value), None) => {
                let other = other.as_ref().and_then(|(_, entry)| value_of(entry));
                (Vec::new(), tree::rows(value, other, toggled, &self.filter))
            }
            (Some(_), Some(Ok(part))) => {
                let values = taken(part, topic, &entry);
                let other = other.and_then(|(topic, entry)| {
                    let part = self.part(view, topic)?.ok()?;
                    Some(taken(&part, topic, &entry))
                });
                let rows = tree::rows_of(&values, (&part.text, part.is_list), other.as_deref(), toggled, &self.filter);
                (values, rows)
            }
        };
        if let Some(schema) = &topic.schema {
            rows.iter_mut().for_each(|row| self.name_constant(row, schema));
        }
        let topic = topic.id;
        self.shown = Some(Shown {
            topic,
            entry,
            values,
            rows,
        });
        self.made_of = Some(made_of);
    }

    /// A number that the message definition has a name for bears it: `4 (WARN)`.
    fn name_constant(&mut self, row: &mut Row, schema: &Schema) {
        let Some(number) = row.text.parse::<i128>().ok().filter(|_| row.plottable) else {
            return;
        };
        // all elements of an array are alike
        let field = row.path.split('[').map(|part| part.split_once(']').map_or(part, |(_, rest)| rest));
        let names = self.names.entry(field.collect::<Vec<_>>().join("[0]")).or_insert_with_key(|path| {
            let column = path::parse_fields(path).ok().and_then(|path| Column::compile(schema, &path).ok());
            column.map_or_else(Vec::new, |column| column.names().to_vec())
        });
        if let Some((_, name)) = names.iter().find(|(value, _)| *value == number) {
            row.text = format!("{number} ({name})");
        }
    }

    fn head_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let name = self.topic(view).map(|t| t.name.to_string()).unwrap_or_default();
        ui.horizontal(|ui| {
            ui.add_space(4.0);
            let shown = if name.is_empty() { self.config.topic.clone() } else { name };
            let width = (ui.available_width() - 108.0).max(60.0);
            ui.allocate_ui_with_layout(egui::vec2(width, 24.0), egui::Layout::left_to_right(egui::Align::Center), |ui| {
                if let Some(topic) = widget::topic_picker(ui, "raw topic", view.store, &shown, |_| true) {
                    self.set_topic(&topic.name);
                    out.push(Action::Changed);
                }
                if let Some(topic) = self.topic(view) {
                    ui.add(egui::Label::new(RichText::new(&*topic.type_name).weak().small()).truncate());
                }
            });
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = 10.0;
                ui.add_space(0.0);
                if widget::icon_button(ui, theme::icon::COPY, "Copy the message as JSON", false).clicked() {
                    out.extend(self.json().map(Action::CopyText));
                }
                self.compare_menu(ui, view, out);
                let follows = self.config.topic.is_empty();
                let hint = if follows {
                    "Follows the selected topic: stay with this one"
                } else {
                    "Stays with this topic: follow the selected one"
                };
                if widget::icon_button(ui, theme::icon::PUSH_PIN, hint, !follows).clicked() {
                    self.config.topic = if follows { shown } else { String::new() };
                    out.push(Action::Changed);
                }
            });
        });
        self.times_ui(ui, view, out);
    }

    /// The part of the message that is shown, if it isn't all, with the way back.
    fn part_ui(&mut self, ui: &mut Ui, out: &mut Vec<Action>) {
        if self.config.part.is_empty() {
            return;
        }
        let text = format!("{}  {}", self.config.part, theme::icon::X);
        let back = ui.add(egui::Button::new(RichText::new(text).small()).truncate());
        let back = widget::named(back, "Show the whole message").on_hover_text("Show the whole message");
        if back.clicked() {
            self.config.part.clear();
            out.push(Action::Changed);
        }
        ui.add_space(6.0);
    }

    /// Receive time, stamp and age; a field to filter by.
    fn times_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        ui.horizontal(|ui| {
            ui.add_space(8.0);
            self.part_ui(ui, out);
            if let Some(shown) = &self.shown {
                let received = shown.entry.time;
                let part = |ui: &mut Ui, name: &str, value: String| {
                    ui.spacing_mut().item_spacing.x = 4.0;
                    ui.label(RichText::new(name).weak().small());
                    ui.label(RichText::new(value).monospace().size(11.0));
                    ui.add_space(6.0);
                };
                part(ui, "received", crate::time::format_time_of_day(received));
                if ui.available_width() > 190.0
                    && let Some(stamp) = value_of(&shown.entry).and_then(stamp_of)
                {
                    part(ui, "stamp", crate::time::format_time_of_day(stamp));
                }
                if ui.available_width() > 70.0 {
                    part(ui, "age", format!("{:>7}", crate::time::format_duration(view.now.since(received))));
                }
            }
            if ui.available_width() > 90.0 {
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    let hint = format!("{} Filter", theme::icon::MAGNIFYING_GLASS);
                    let field = egui::TextEdit::singleline(&mut self.filter)
                        .hint_text(hint)
                        .desired_width(110.0)
                        .font(theme::small());
                    widget::named(ui.add(field), "Filter");
                });
            }
        });
        ui.add_space(2.0);
    }

    fn compare_menu(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let before = self.config.compare.clone();
        let on = self.config.compare != Compare::Nothing;
        let button = widget::icon_button(ui, theme::icon::GIT_DIFF, "Compare with another message", on);
        egui::Popup::menu(&button).show(|ui| {
            ui.selectable_value(&mut self.config.compare, Compare::Nothing, "Compare with nothing");
            ui.selectable_value(&mut self.config.compare, Compare::Previous, "The message before");
            let type_name = self.topic(view).map(|t| Arc::clone(&t.type_name));
            let own = self.topic(view).map(|t| t.id);
            let same: Vec<&Topic> = view
                .store
                .topics()
                .iter()
                .filter(|t| Some(&t.type_name) == type_name.as_ref() && Some(t.id) != own)
                .take(20)
                .collect();
            if !same.is_empty() {
                ui.separator();
            }
            for topic in same {
                let with = Compare::Topic {
                    topic: topic.name.to_string(),
                };
                ui.selectable_value(&mut self.config.compare, with, &*topic.name);
            }
        });
        if self.config.compare != before {
            out.push(Action::Changed);
        }
    }

    fn value(&self, row: &Row) -> Option<Value> {
        let shown = self.shown.as_ref()?;
        match shown.values.get(row.of) {
            None => tree::at_path(value_of(&shown.entry)?, &row.path),
            Some(value) => {
                let part = self.made_of.as_ref()?.part.as_ref().ok()?;
                tree::at_path(value, &format!("@this{}", row.path.strip_prefix(part)?))
            }
        }
    }

    fn json(&self) -> Option<String> {
        Some(value_of(&self.shown.as_ref()?.entry)?.to_json())
    }

    fn body_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        match &self.state {
            PanelState::Failed(why) => widget::failure_note(ui, ui.available_rect_before_wrap(), why),
            PanelState::Absent(why) => widget::empty_note(ui, ui.available_rect_before_wrap(), why),
            PanelState::Partial(why) => {
                ui.horizontal(|ui| {
                    ui.add_space(8.0);
                    ui.add(egui::Label::new(RichText::new(why).color(ui.visuals().warn_fg_color).small()).truncate());
                });
                self.rows_ui(ui, view, out);
            }
            PanelState::Ready | PanelState::Stale(_) | PanelState::Pending(_) => self.rows_ui(ui, view, out),
        }
    }

    fn rows_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let Some(shown) = &self.shown else { return };
        let Some(topic) = view.store.topic(shown.topic) else { return };
        if shown.rows.is_empty() {
            let text = match (self.filter.as_str(), self.config.part.as_str()) {
                ("", "") => "The message has no fields".to_owned(),
                ("", part) => format!("The message has nothing at {part}"),
                _ => "No field fits the filter".to_owned(),
            };
            widget::empty_note(ui, ui.available_rect_before_wrap(), &text);
            return;
        }
        let (mut toggle, mut narrow) = (None, None);
        ui.spacing_mut().item_spacing.y = 0.0;
        ScrollArea::vertical()
            .auto_shrink(false)
            .id_salt("rows")
            .show_rows(ui, row::HEIGHT, shown.rows.len(), |ui, range| {
                for row in shown.rows.get(range).unwrap_or_default() {
                    let dragged = || full_path(topic, row);
                    match row::row_ui(ui, row, true, dragged) {
                        Some(row::Did::Toggle) => toggle = Some(row.path.clone()),
                        Some(row::Did::Narrow) => narrow = Some(row.path.clone()),
                        Some(did) => out.extend(self.act(topic, row, did)),
                        None => {}
                    }
                }
            });
        if let Some(path) = toggle {
            if !self.config.toggled.remove(&path) {
                self.config.toggled.insert(path);
            }
            out.push(Action::Changed);
        }
        if let Some(path) = narrow {
            self.config.part = path;
            out.push(Action::Changed);
        }
    }

    fn act(&self, topic: &Topic, row: &Row, did: row::Did) -> Option<Action> {
        let full_path = full_path(topic, row);
        Some(match did {
            row::Did::Toggle | row::Did::Narrow => return None,
            row::Did::CopyValue => Action::CopyText(self.value(row).map_or_else(|| row.text.clone(), |v| v.to_json())),
            row::Did::CopyPath => Action::CopyText(full_path),
            row::Did::CopyMessage => Action::CopyText(self.json()?),
            row::Did::Plot => Action::AddPanel {
                kind: "plot",
                config: serde_json::json!({ "series": [{ "path": full_path }] }),
            },
        })
    }
}

/// As plots and other panels take it.
fn full_path(topic: &Topic, row: &Row) -> String {
    match path::parse_fields(&row.path) {
        Ok(path::Expr::Literal(_)) | Err(_) => format!("{}.{}", topic_text(&topic.name), row.path),
        Ok(expr) => expr.with_topic(Some(&topic.name)).to_string(),
    }
}

fn value_of(entry: &Entry) -> Option<&Value> {
    match &*entry.decoded {
        Decoded::Value(value) => Some(value),
        _ => None,
    }
}

/// The header's stamp, or the message's own.
fn stamp_of(value: &Value) -> Option<Time> {
    let stamp = value
        .child("header")
        .and_then(|h| h.child("stamp"))
        .or_else(|| value.child("stamp"))?;
    match *stamp {
        Value::Time { sec, nsec } => Some(Time::from_sec_nsec(sec, nsec)),
        _ => None,
    }
}

/// What to show while nothing is selected: the busiest topic of small messages.
fn first_choice(store: &Store) -> Option<&Topic> {
    let small = |t: &&Topic| t.schema.is_some() && matches!(t.form, None | Some(Form::Pose)) && t.messages > 0;
    // a table that was extracted from a topic does not stand for it
    let is_own = |t: &Topic| !t.type_name.starts_with("table/");
    let busiest = store.topics().iter().filter(small).max_by_key(|t| (t.messages, is_own(t)));
    busiest.or_else(|| store.topics().iter().find(|t| t.messages > 0))
}

fn automatic(store: &Store) -> Vec<serde_json::Value> {
    if store.topics().is_empty() {
        Vec::new()
    } else {
        vec![serde_json::json!({ "topic": "" })]
    }
}

const COMMANDS: &[command::Command<RawPanel>] = &[
    ("Copy the message as JSON", |raw, _, out| {
        out.extend(raw.json().map(Action::CopyText))
    }),
    ("Compare with the message before", |raw, _, out| {
        raw.config.compare = match raw.config.compare {
            Compare::Previous => Compare::Nothing,
            _ => Compare::Previous,
        };
        out.push(Action::Changed);
    }),
    ("Close all branches", |raw, _, out| {
        raw.config.toggled.clear();
        out.push(Action::Changed);
    }),
];

impl Panel for RawPanel {
    fn title(&self, _view: &View) -> String {
        "Raw messages".into()
    }

    fn wants(&self, view: &View, out: &mut Vec<Want>) {
        let Some(topic) = self.topic(view) else { return };
        let mut want = |topic: TopicId, what: What| out.push(Want { topic, what });
        want(topic.id, What::Latest(Form::Value));
        if self.config.compare == Compare::Previous {
            want(topic.id, What::Previous(Form::Value));
        }
        if let Some(other) = self.other_topic(view) {
            want(other.id, What::Latest(Form::Value));
        }
    }

    fn ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let rect = ui.available_rect_before_wrap();
        self.refresh(view);
        let head = egui::UiBuilder::new().max_rect(rect.shrink2(egui::vec2(0.0, 2.0)));
        let below = ui.scope_builder(head, |ui| self.head_ui(ui, view, out)).response.rect.bottom();
        let rest = egui::Rect::from_min_max(egui::pos2(rect.left(), below.min(rect.bottom())), rect.max);
        // whatever width the head took, the rows keep to the panel
        ui.scope_builder(egui::UiBuilder::new().max_rect(rest), |ui| self.body_ui(ui, view, out));
        ui.advance_cursor_after_rect(rect);
    }
    fn settings_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let before = self.config.clone();
        let mut follows = self.config.topic.is_empty();
        if ui.checkbox(&mut follows, "Follow the selected topic").changed() {
            self.config.topic = match self.topic(view) {
                Some(topic) if !follows => topic.name.to_string(),
                _ => String::new(),
            };
        }
        if !follows && let Some(topic) = widget::topic_picker(ui, "raw topic setting", view.store, &self.config.topic, |_| true) {
            self.set_topic(&topic.name);
        }
        ui.label(RichText::new("Part of the message").weak());
        let hint = "all; pose.position, items[:]{id == 4}, …";
        let field = egui::TextEdit::singleline(&mut self.config.part).hint_text(hint);
        widget::named(ui.add(field.desired_width(f32::INFINITY)), "Part of the message");
        ui.label(RichText::new("Compare with").weak());
        ui.radio_value(&mut self.config.compare, Compare::Nothing, "Nothing");
        ui.radio_value(&mut self.config.compare, Compare::Previous, "The message before");
        let current = match &self.config.compare {
            Compare::Topic { topic } => topic.clone(),
            _ => String::new(),
        };
        ui.horizontal(|ui| {
            ui.label("Topic");
            if let Some(topic) = widget::topic_picker(ui, "raw other topic", view.store, &current, |_| true) {
                self.config.compare = Compare::Topic {
                    topic: topic.name.to_string(),
                };
            }
        });
        if ui.button("Close all branches").clicked() {
            self.config.toggled.clear();
        }
        if self.config != before {
            out.push(Action::Changed);
        }
    }

    fn commands(&self) -> Vec<&'static str> {
        command::names(COMMANDS)
    }

    fn run(&mut self, command: &str, view: &View, out: &mut Vec<Action>) {
        command::run(COMMANDS, self, command, view, out);
    }

    fn config(&self) -> serde_json::Value {
        serde_json::to_value(&self.config).unwrap_or_default()
    }

    fn state(&self, _view: &View) -> PanelState {
        self.state.clone()
    }

    fn drop_topic(&mut self, view: &View, topic: TopicId) -> bool {
        let Some(topic) = view.store.topic(topic) else { return false };
        self.set_topic(&topic.name);
        true
    }

    fn topics(&self, view: &View) -> Vec<TopicId> {
        self.topic(view)
            .map(|t| t.id)
            .into_iter()
            .chain(self.other_topic(view).map(|t| t.id))
            .collect()
    }
}

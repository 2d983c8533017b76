//! Logs of any number of topics on one clock: filtered, searched, followed.
//!
//! Invariants: only visible lines are laid out; the store examines lines elsewhere than on the window's thread, and what it has found so
//! far can be used meanwhile; every line that is loaded is either shown or counted as filtered out.

mod bookmarks;
mod captured;
mod filter;
mod format;
mod lines;
mod list;
mod nodes;
mod row;
mod shift;
mod strip;
mod tools;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use egui::Ui;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::decode::{Form, LogLevel};
use crate::panel::{Action, Kind, Make, Panel, PanelState, View, command, widget};
use crate::store::{LogQuery, MatchSet, Store, Topic, TopicId, Want, What, WorkId};
use crate::theme;
use crate::time::Time;
use bookmarks::Bookmark;
use captured::Captured;
use filter::{Filter, Mode, Shown};
use format::Format;
use lines::{Lines, Loaded, Place};

pub const KIND: Kind = Kind {
    id: "log",
    name: "Log",
    what: "What the nodes said: filtered, searched, in step with the playhead",
    icon: theme::icon::LIST_MAGNIFYING_GLASS,
    create: |config| Box::new(LogPanel::new(config)),
    schema: crate::panel::schema_of::<Config>,
    automatic,
};

/// What a layout stores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
struct Config {
    /// Empty: every topic of rosgraph_msgs/Log, rcl_interfaces/Log or foxglove_msgs/Log.
    topics: Vec<String>,
    min_level: LogLevel,
    hidden_nodes: BTreeSet<String>,
    filters: Vec<Filter>,
    /// Lines received earlier, or later, are hidden.
    #[serde(skip_serializing_if = "Option::is_none")]
    from_ns: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until_ns: Option<i64>,
    time: TimeColumn,
    show_node: bool,
    show_place: bool,
    /// An expression whose named groups are columns.
    columns: String,
    wrap: bool,
    /// The line at the playhead stays in view.
    follow: bool,
    /// How many lines there are when, above the lines.
    show_histogram: bool,
    bookmarks: Vec<Bookmark>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            topics: Vec::new(),
            min_level: LogLevel::Debug,
            hidden_nodes: BTreeSet::new(),
            filters: Vec::new(),
            from_ns: None,
            until_ns: None,
            time: TimeColumn::Receive,
            show_node: true,
            show_place: true,
            columns: String::new(),
            wrap: false,
            follow: true,
            show_histogram: true,
            bookmarks: Vec::new(),
            extra: Map::new(),
        }
    }
}

/// Which time stands before a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
enum TimeColumn {
    /// When it was recorded, as time of day in UTC.
    #[default]
    Receive,
    /// When it was written.
    Stamp,
    /// Since the start of the recording.
    Relative,
    /// Since the line above.
    Delta,
    Hidden,
}

/// Lines that are copied at once.
const MOST_COPIED: usize = 100_000;

/// A topic, the revision of its rows, and that of what passes.
type MadeOf = (TopicId, u64, Option<(WorkId, u64)>);

struct LogPanel {
    config: Config,
    search: String,
    lines: Lines,
    /// What `lines` are made of: topics with the revisions of their rows, and of what passes.
    made_of: Vec<MadeOf>,
    /// What is asked of the store, and what `shown` is made of.
    query: Arc<LogQuery>,
    shown: Shown,
    /// The filters of which `shown` is made.
    marked: Vec<Filter>,
    captured: Captured,
    is_filtering: bool,
    hovering: bool,
    list: list::List,
    selected: Option<Place>,
    state: PanelState,
}

impl LogPanel {
    fn new(config: &Value) -> LogPanel {
        LogPanel {
            config: widget::config_from(config),
            search: String::new(),
            lines: Lines::default(),
            made_of: Vec::new(),
            query: Arc::default(),
            shown: Shown::default(),
            marked: Vec::new(),
            captured: Captured::default(),
            is_filtering: false,
            hovering: false,
            list: list::List::default(),
            selected: None,
            state: PanelState::Pending("the log is being read".into()),
        }
    }

    fn topics_shown<'a>(&self, store: &'a Store) -> Vec<&'a Topic> {
        if self.config.topics.is_empty() {
            return store.topics().iter().filter(|t| is_log(t)).collect();
        }
        self.config.topics.iter().filter_map(|name| store.topic_by_name(name)).collect()
    }

    /// What the configuration asks for now.
    fn query(&self) -> Arc<LogQuery> {
        let query = filter::query(&self.config, &self.search);
        if query == *self.query {
            Arc::clone(&self.query)
        } else {
            Arc::new(query)
        }
    }

    /// Takes what is new in the store. While nothing was found for a new query yet, the lines of the one before stay.
    fn refresh(&mut self, view: &View) {
        let query = self.query();
        if query != self.query || self.config.filters != self.marked {
            self.shown = Shown::new(&query);
            self.shown.mark(&self.config.filters);
            self.marked.clone_from(&self.config.filters);
            self.query = query;
        }
        self.captured.set(&self.config.columns);
        let topics = self.topics_shown(view.store);
        let sets: Vec<_> = topics
            .iter()
            .filter_map(|t| {
                let rows = view.store.rows(t.id, Form::Log)?;
                Some((t.id, rows, view.store.matches(t.id, &self.query)))
            })
            .collect();
        self.is_filtering = sets.iter().any(|(_, _, matches)| matches.is_none_or(|m| !m.is_done()));
        let is_begun = sets.iter().any(|(_, _, matches)| matches.is_some_and(MatchSet::is_begun));
        let made_of: Vec<MadeOf> = sets
            .iter()
            .map(|(id, set, matches)| (*id, set.revision(), matches.map(MatchSet::revision)))
            .collect();
        if made_of != self.made_of && (is_begun || !self.is_filtering) {
            let blocks = sets.iter().flat_map(|(id, set, matches)| {
                set.blocks().map(move |block| Loaded {
                    topic: *id,
                    block: block.key,
                    rows: Arc::clone(&block.rows),
                    verdict: matches.and_then(|m| m.verdict(block.key)).cloned(),
                })
            });
            let recount = !made_of.iter().map(|m| (m.0, m.1)).eq(self.made_of.iter().map(|m| (m.0, m.1)));
            self.lines.take(blocks.collect(), recount);
            self.made_of = made_of;
        }
        self.state = self.state_of(view, &topics);
    }

    fn state_of(&self, view: &View, topics: &[&Topic]) -> PanelState {
        if let Some(gone) = self.config.topics.iter().find(|name| view.store.topic_by_name(name).is_none())
            && topics.is_empty()
        {
            return PanelState::Absent(format!("The recording has no topic {gone}"));
        }
        if topics.is_empty() {
            return PanelState::Absent("The recording has no log: choose a topic of strings in the settings, or drag one here".into());
        }
        for topic in topics {
            if let Some(why) = &topic.schema_error {
                return PanelState::Failed(format!("{}: {why}", topic.name));
            }
            if let Some(why) = view.store.rows_failure(topic.id, Form::Log) {
                return PanelState::Failed(format!("{}: {why}", topic.name));
            }
        }
        if self.is_filtering {
            return PanelState::Pending("the filters are being applied".into());
        }
        let mut missing: Vec<String> = Vec::new();
        for topic in topics {
            let Some(rows) = view.store.rows(topic.id, Form::Log) else {
                return PanelState::Pending(format!("{} is being read", topic.name));
            };
            if let Some((count, why)) = rows.failed() {
                return PanelState::Partial(format!("{count} messages of {} cannot be read: {why}", topic.name));
            }
            if rows.is_complete(view.span) {
                continue;
            }
            if !rows.is_complete(crate::time::Span::at(view.now)) {
                return PanelState::Pending(format!("{} is being read at the playhead", topic.name));
            }
            missing.push(match view.store.whole_cost_bytes(topic.id) {
                Some(bytes) => format!(
                    "{}: only around the playhead; all of it takes {}",
                    topic.name,
                    widget::bytes_text(bytes)
                ),
                None => format!("{}: {} of {} lines", topic.name, rows.len(), topic.messages),
            });
        }
        let wrong = self.shown.errors.iter();
        missing.extend(wrong.map(|(pattern, why)| format!("the filter “{pattern}” is not applied: {why}")));
        match missing.is_empty() {
            true => PanelState::Ready,
            false => PanelState::Partial(missing.join("; ")),
        }
    }

    fn go_to(&mut self, place: Option<Place>, out: &mut Vec<Action>) {
        if let Some(place) = place {
            self.selected = Some(place);
            self.list.reveal(place);
            out.push(Action::Seek(place.time));
        }
    }

    /// Where next and previous start from: the selected line, else the playhead.
    fn from(&self, now: Time) -> Option<Place> {
        self.selected.filter(|s| s.time == now).or_else(|| {
            let rank = self.lines.rank_of_time(now.plus_nanos(1));
            self.lines.walk(rank.checked_sub(1)?, 1).first().copied()
        })
    }

    fn next_mark(&mut self, view: &View, level: LogLevel, forward: bool, out: &mut Vec<Action>) {
        let place = self.lines.next_mark(self.from(view.now), forward, level);
        self.go_to(place, out);
    }

    fn next_hit(&mut self, view: &View, forward: bool, out: &mut Vec<Action>) {
        let place = self.lines.next_hit(self.from(view.now), forward);
        self.go_to(place, out);
    }

    /// Keys count while the pointer is over the panel and nothing is being typed.
    fn keys(&mut self, ui: &Ui, rect: egui::Rect, view: &View, out: &mut Vec<Action>) {
        if ui.ctx().text_edit_focused() || !ui.rect_contains_pointer(rect) {
            return;
        }
        let pressed = |key: egui::Key, shift: bool| ui.input_mut(|i| take_key(i, key, shift));
        for (key, level) in [(egui::Key::E, LogLevel::Error), (egui::Key::W, LogLevel::Warn)] {
            for shift in [false, true] {
                if pressed(key, shift) {
                    self.next_mark(view, level, !shift, out);
                }
            }
        }
        for shift in [false, true] {
            if pressed(egui::Key::N, shift) {
                self.next_hit(view, !shift, out);
            }
            if pressed(egui::Key::U, shift) {
                self.next_bookmark(view, !shift, out);
            }
        }
        if pressed(egui::Key::M, false) {
            self.toggle_bookmark(self.from(view.now), view, out);
        }
    }

    /// Lines that pass, as text, one a line; no more than can sensibly be pasted.
    fn text(&self, store: &Store) -> String {
        let mut out = String::new();
        for place in self.lines.walk(0, MOST_COPIED) {
            self.lines.with(place, |line| {
                out.push_str(&row::as_text(&|topic| name_of(store, topic), place, line));
                out.push('\n');
            });
        }
        out
    }

    /// All lines that pass, to be written elsewhere than on the window's thread.
    fn save(&self, store: &Store, format: Format) -> Action {
        let streams = self.lines.streams();
        let names: BTreeMap<TopicId, String> = self.made_of.iter().map(|m| (m.0, name_of(store, m.0))).collect();
        let captured = self.captured.clone();
        Action::SaveMade {
            name: format.file_name().into(),
            make: Make::new(move |out| {
                out.write_all(format.head(&captured).as_bytes())?;
                Lines::of(streams.clone()).each(|place, line| {
                    let name = |topic| names.get(&topic).cloned().unwrap_or_default();
                    writeln!(out, "{}", format.line(&name, place, line, &captured))
                })
            }),
        }
    }
}

fn name_of(store: &Store, topic: TopicId) -> String {
    store.topic(topic).map(|t| t.name.to_string()).unwrap_or_default()
}

fn is_log(topic: &Topic) -> bool {
    topic.form == Some(Form::Log) && !topic.type_name.ends_with("/String")
}

fn automatic(store: &Store) -> Vec<Value> {
    let any = store.topics().iter().any(|t| is_log(t) && t.messages > 0);
    if any { vec![serde_json::json!({})] } else { Vec::new() }
}

const COMMANDS: &[command::Command<LogPanel>] = &[
    ("Next error", |log, view, out| log.next_mark(view, LogLevel::Error, true, out)),
    ("Previous error", |log, view, out| log.next_mark(view, LogLevel::Error, false, out)),
    ("Next warning or error", |log, view, out| {
        log.next_mark(view, LogLevel::Warn, true, out)
    }),
    ("Previous warning or error", |log, view, out| {
        log.next_mark(view, LogLevel::Warn, false, out);
    }),
    ("Bookmark the line", |log, view, out| {
        log.toggle_bookmark(log.from(view.now), view, out);
    }),
    ("Next bookmark", |log, view, out| log.next_bookmark(view, true, out)),
    ("Previous bookmark", |log, view, out| log.next_bookmark(view, false, out)),
    ("Follow the playhead", |log, _, out| {
        log.config.follow = !log.config.follow;
        out.push(Action::Changed);
    }),
    ("Wrap long lines", |log, _, out| {
        log.config.wrap = !log.config.wrap;
        out.push(Action::Changed);
    }),
    ("Copy the lines shown", |log, view, out| {
        out.push(Action::CopyText(log.text(view.store)));
    }),
    ("Save the lines shown…", |log, view, out| {
        out.push(log.save(view.store, Format::Text))
    }),
    ("Save the lines shown as CSV…", |log, view, out| {
        out.push(log.save(view.store, Format::Csv));
    }),
    ("Save the lines shown as JSON lines…", |log, view, out| {
        out.push(log.save(view.store, Format::Json));
    }),
    ("Move the selected line's file to the playhead", |log, view, out| {
        if let Some(place) = log.selected {
            out.extend(shift::to_playhead(place, view));
        }
    }),
    ("Hide lines before the playhead", |log, view, out| {
        log.config.from_ns = Some(view.now.0);
        out.push(Action::Changed);
    }),
    ("Hide lines after the playhead", |log, view, out| {
        log.config.until_ns = Some(view.now.0);
        out.push(Action::Changed);
    }),
    ("Show lines of all times", |log, _, out| {
        (log.config.from_ns, log.config.until_ns) = (None, None);
        out.push(Action::Changed);
    }),
];

/// Whether the key was pressed, with Shift or with nothing: as the press itself says, since Shift may be up again by the end of a slow
/// frame.
fn take_key(input: &mut egui::InputState, key: egui::Key, shift: bool) -> bool {
    let wanted = if shift { egui::Modifiers::SHIFT } else { egui::Modifiers::NONE };
    let is_it = |event: &egui::Event| match event {
        egui::Event::Key {
            key: of,
            pressed: true,
            modifiers,
            ..
        } => *of == key && *modifiers == wanted,
        _ => false,
    };
    let at = input.events.iter().position(is_it);
    at.map(|at| input.events.remove(at)).is_some()
}

impl Panel for LogPanel {
    fn title(&self, _view: &View) -> String {
        match self.config.topics.as_slice() {
            [] => "Log".into(),
            [one] => format!("Log {one}"),
            [first, rest @ ..] => format!("Log {first} +{}", rest.len()),
        }
    }

    fn wants(&self, view: &View, out: &mut Vec<Want>) {
        for topic in self.topics_shown(view.store) {
            out.push(Want {
                topic: topic.id,
                what: What::Rows {
                    form: Form::Log,
                    span: view.store.series_span(topic.id, view.now),
                },
            });
            out.push(Want {
                topic: topic.id,
                what: What::Lines(self.query()),
            });
        }
    }

    fn ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let rect = ui.available_rect_before_wrap();
        self.refresh(view);
        self.keys(ui, rect, view, out);
        if self.is_filtering {
            ui.ctx().request_repaint_after_secs(1.0 / 60.0);
        }
        let head = egui::UiBuilder::new().max_rect(rect.shrink2(egui::vec2(0.0, 2.0)));
        let below = ui.scope_builder(head, |ui| self.tools_ui(ui, view, out)).response.rect.bottom();
        let mut rest = egui::Rect::from_min_max(egui::pos2(rect.left(), (below + 2.0).min(rect.bottom())), rect.max);
        if self.config.show_histogram && self.lines.total() > 0 && rest.height() > 120.0 {
            let strip = rest.with_max_y(rest.top() + strip::HEIGHT);
            self.strip_ui(ui, strip, view, out);
            rest = rest.with_min_y(strip.bottom());
        }
        match &self.state {
            PanelState::Absent(why) => widget::empty_note(ui, rest, why),
            PanelState::Failed(why) if self.lines.total() == 0 => widget::failure_note(ui, rest, why),
            _ if self.lines.len() == 0 => {
                let text = match (self.lines.total(), &self.state) {
                    (0, PanelState::Pending(why)) => why.clone(),
                    (0, _) => "No line was logged".into(),
                    (n, _) => format!("None of {n} lines passes the filters"),
                };
                widget::empty_note(ui, rest, &text);
            }
            _ => self.list_ui(ui, rest, view, out),
        }
        ui.advance_cursor_after_rect(rect);
    }

    fn settings_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        // the nodes may be shown before the lines are
        self.refresh(view);
        let before = self.config.clone();
        self.settings(ui, view, out);
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

    fn config(&self) -> Value {
        serde_json::to_value(&self.config).unwrap_or_default()
    }

    fn state(&self, _view: &View) -> PanelState {
        self.state.clone()
    }

    fn drop_topic(&mut self, view: &View, topic: TopicId) -> bool {
        let Some(topic) = view.store.topic(topic).filter(|t| t.form == Some(Form::Log)) else {
            return false;
        };
        if self.config.topics.is_empty() {
            let shown = self.topics_shown(view.store);
            self.config.topics = shown.iter().map(|t| t.name.to_string()).collect();
        }
        let name = topic.name.to_string();
        if !self.config.topics.contains(&name) {
            self.config.topics.push(name);
        }
        true
    }

    fn topics(&self, view: &View) -> Vec<TopicId> {
        self.topics_shown(view.store).iter().map(|t| t.id).collect()
    }
}

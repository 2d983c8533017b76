//! SQL over what is open and over any table or recording that a query names: an editor, and the rows of its answer.
//!
//! Invariants: a query runs elsewhere, and is only looked at here; rows are laid out where they are seen; what becomes of an answer (a
//! topic, scenes, a file) becomes of it by the usual ways.

mod complete;
mod editor;
mod results;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use egui::{Key, Modifiers, Popup, RichText, ScrollArea, Ui};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::lake::{Found, Question, Stage, Style, Wrong};
use crate::panel::{Action, Kind, Make, Panel, PanelState, View, Work, command, widget};
use crate::path::topic_text;
use crate::scenes;
use crate::store::{Want, What};
use crate::theme::{self, icon};

pub const KIND: Kind = Kind {
    id: "sql",
    name: "SQL",
    what: "Questions to topics and tables, and their answers as rows, plots, maps and scenes",
    icon: theme::icon::DATABASE,
    create: |config| Box::new(SqlPanel::new(config)),
    schema: crate::panel::schema_of::<Config>,
    automatic: |_| Vec::new(),
};

/// What a layout stores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
struct Config {
    sql: String,
    /// More rows of an answer are left out.
    row_limit: usize,
    /// The query runs by itself once the recordings are open.
    run_at_once: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    sort: Option<Sort>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            sql: String::new(),
            row_limit: 10_000,
            run_at_once: false,
            sort: None,
            extra: Map::new(),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
struct Sort {
    column: String,
    descending: bool,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

const MOST_ROWS: usize = 1_000_000;
/// A plot of an answer has no more curves at first.
const MOST_CURVES: usize = 6;

struct SqlPanel {
    config: Config,
    editor: editor::Editor,
    question: Option<Arc<Question>>,
    /// It was asked at this moment of the window, and took so long.
    asked_secs: f64,
    took_secs: Option<f64>,
    /// The answer that is shown: the last one, until there is another.
    found: Option<Arc<Found>>,
    wrong: Option<Wrong>,
    order: Option<Order>,
    selected: Option<u32>,
    widths: HashMap<usize, f32>,
    /// The topic that an answer was made.
    topic: Option<(Arc<Found>, String)>,
    began: bool,
}

/// Rows in the order of a column, once another thread has found it.
struct Order {
    of: Arc<Found>,
    sort: Sort,
    rows: Arc<Mutex<Option<Arc<[u32]>>>>,
}

impl SqlPanel {
    fn new(config: &Value) -> SqlPanel {
        SqlPanel {
            config: widget::config_from(config),
            editor: editor::Editor::default(),
            question: None,
            asked_secs: 0.0,
            took_secs: None,
            found: None,
            wrong: None,
            order: None,
            selected: None,
            widths: HashMap::new(),
            topic: None,
            began: false,
        }
    }

    fn ask(&mut self, out: &mut Vec<Action>) {
        if self.config.sql.trim().is_empty() {
            return;
        }
        if let Some(before) = self.question.take() {
            before.stop();
        }
        let question = Arc::new(Question::new(self.config.sql.clone(), self.config.row_limit.clamp(1, MOST_ROWS)));
        (self.question, self.took_secs, self.wrong, self.asked_secs) = (Some(question.clone()), None, None, f64::NAN);
        out.push(Action::Ask(question));
    }

    fn stop(&mut self) {
        if let Some(question) = &self.question {
            question.stop();
        }
    }

    fn is_running(&self) -> bool {
        self.question.as_ref().is_some_and(|question| !question.stage().is_over())
    }

    /// Takes what has come of the question.
    fn refresh(&mut self, seconds: f64, out: &mut Vec<Action>) {
        if self.asked_secs.is_nan() {
            self.asked_secs = seconds;
        }
        let Some(question) = &self.question else { return };
        let stage = question.stage();
        if stage.is_over() && self.took_secs.is_none() {
            self.took_secs = Some(seconds - self.asked_secs);
            match stage {
                Stage::Answered(found) => {
                    (self.found, self.selected, self.order) = (Some(found), None, None);
                    self.widths.clear();
                }
                Stage::Failed(wrong) => self.wrong = Some(wrong),
                Stage::Planning | Stage::Running(_) | Stage::Stopped => {}
            }
        }
        let (Some(found), sort) = (&self.found, &self.config.sort) else {
            return;
        };
        let is_current = |order: &Order| Arc::ptr_eq(&order.of, found) && Some(&order.sort) == sort.as_ref();
        if self.order.as_ref().is_some_and(|order| !is_current(order)) {
            self.order = None;
        }
        let column = sort
            .as_ref()
            .and_then(|sort| found.columns().iter().position(|name| *name == sort.column));
        if let (None, Some(sort), Some(column)) = (&self.order, sort, column) {
            let rows = Arc::new(Mutex::new(None));
            let (of, into, descending) = (found.clone(), rows.clone(), sort.descending);
            out.push(Action::Work(Work::new(move || {
                let ordered = of.ordered(column, descending);
                *into.lock().unwrap_or_else(PoisonError::into_inner) = Some(ordered.into());
            })));
            self.order = Some(Order {
                of: found.clone(),
                sort: sort.clone(),
                rows,
            });
        }
    }

    /// How things stand, in words.
    fn note(&self) -> String {
        let stage = self.question.as_ref().map(|question| question.stage());
        let secs = self.took_secs.unwrap_or(0.0);
        match (stage, &self.found) {
            (Some(Stage::Planning), _) => "Planning…".to_owned(),
            (Some(Stage::Running(0)), _) => "Running…".to_owned(),
            (Some(Stage::Running(rows)), _) => format!("{rows} rows…"),
            (Some(Stage::Stopped), _) => "Stopped".to_owned(),
            (Some(Stage::Answered(found)), _) => match found.is_cut {
                true => format!("the first {} rows · {secs:.2} s", found.len()),
                false => format!("{} {} · {secs:.2} s", found.len(), if found.len() == 1 { "row" } else { "rows" }),
            },
            (Some(Stage::Failed(_)) | None, _) => String::new(),
        }
    }

    fn tools_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        ui.horizontal(|ui| {
            ui.add_space(8.0);
            if self.is_running() {
                if ui.button("Stop").on_hover_text("Stop the query").clicked() {
                    self.stop();
                }
                ui.spinner();
            } else if ui
                .add_enabled(!self.config.sql.trim().is_empty(), egui::Button::new("Run"))
                .on_hover_text("Run the query (Ctrl+Enter)")
                .clicked()
            {
                self.ask(out);
            }
            self.history_ui(ui, view, out);
            ui.label(RichText::new(self.note()).weak());
            if self.found.as_ref().is_some_and(|found| found.is_cut) && !self.is_running() {
                let hint = format!(
                    "There are more rows; {} are kept. The limit is in the settings",
                    self.config.row_limit
                );
                ui.label(RichText::new(icon::INFO).color(theme::palette(ui.visuals()).warn))
                    .on_hover_text(hint);
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                ui.add_space(4.0);
                if let Some(found) = self.found.clone().filter(|found| !found.is_empty()) {
                    self.uses_ui(ui, &found, view, out);
                }
            });
        });
    }

    /// What an answer can become.
    fn uses_ui(&mut self, ui: &mut Ui, found: &Arc<Found>, view: &View, out: &mut Vec<Action>) {
        let menu = widget::icon_button(ui, icon::EXPORT, "Save or copy the rows", false);
        Popup::menu(&menu).show(|ui| {
            for (style, ending, text) in SAVED {
                if ui.button(*text).clicked() {
                    out.push(save(found, *style, ending));
                    ui.close();
                }
            }
            if ui.button("Copy as CSV").clicked() {
                out.push(Action::CopyText(save_text(found)));
                ui.close();
            }
        });
        let offered = |ui: &mut Ui, icon: &str, name: &str, fits: bool, lacks: &str| {
            let button = egui::Button::new(icon).frame(false);
            let response = widget::named(ui.add_enabled(fits, button), name);
            response.on_hover_text(name).on_disabled_hover_text(lacks).clicked()
        };
        let names = found.columns();
        let has_span = scenes::may_be_scenes(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let lacks = "Scenes need a column that says when they start, such as start_time";
        if offered(ui, icon::BOOKMARK_SIMPLE, "Make scenes of the rows", has_span, lacks) {
            out.push(Action::AddScenes(found.clone()));
        }
        let lacks = "The map needs columns of degrees, latitude and longitude (or lat, lon)";
        if offered(ui, icon::MAP_TRIFOLD, "Show the rows on a map", found.has_positions(), lacks) {
            let topic = self.topic_of(found, view, out);
            let config = json!({ "topics": [topic] });
            out.push(Action::AddPanel { kind: "map", config });
        }
        let can_plot = found.has_time() && !found.plottable().is_empty();
        if offered(
            ui,
            icon::CHART_LINE,
            "Plot the rows",
            can_plot,
            "A plot needs a column of times and one of numbers",
        ) {
            self.plot(found, view, out);
        }
    }

    fn plot(&mut self, found: &Arc<Found>, view: &View, out: &mut Vec<Action>) {
        let topic = topic_text(&self.topic_of(found, view, out));
        let curves = found.plottable().into_iter().take(MOST_CURVES);
        let series: Vec<Value> = curves
            .map(|name| json!({ "path": format!("{topic}.{name}"), "label": name }))
            .collect();
        let config = json!({ "series": series });
        out.push(Action::AddPanel { kind: "plot", config });
    }

    /// The topic of the session that holds these rows; they are added to it where they are not there yet.
    fn topic_of(&mut self, found: &Arc<Found>, view: &View, out: &mut Vec<Action>) -> String {
        if let Some((of, topic)) = &self.topic
            && Arc::ptr_eq(of, found)
        {
            return topic.clone();
        }
        let mut names = (1..).map(|number| format!("query_{number}"));
        let is_free = |name: &String| view.store.topic_by_name(&format!("/{name}")).is_none();
        let name = names.find(is_free).unwrap_or_else(|| "query".to_owned());
        let topic = format!("/{name}");
        out.push(Action::AddTopic { name, rows: found.clone() });
        self.topic = Some((found.clone(), topic.clone()));
        topic
    }

    fn history_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let button = widget::icon_button(ui, icon::CLOCK_COUNTER_CLOCKWISE, "Earlier queries", false);
        Popup::menu(&button).width(420.0).show(|ui| {
            ScrollArea::vertical().max_height(320.0).show(ui, |ui| {
                ui.set_min_width(400.0);
                if view.queries.is_empty() {
                    ui.label(RichText::new("No query was run yet").weak());
                }
                for earlier in view.queries {
                    let line: Vec<&str> = earlier.split_whitespace().collect();
                    let text = RichText::new(line.join(" ")).monospace().size(12.0);
                    if ui
                        .add(egui::Button::selectable(false, text).truncate())
                        .on_hover_text(earlier)
                        .clicked()
                    {
                        self.config.sql.clone_from(earlier);
                        out.push(Action::Changed);
                        ui.close();
                    }
                }
            });
        });
    }

    fn body_ui(&mut self, ui: &mut Ui, out: &mut Vec<Action>) {
        let rect = ui.available_rect_before_wrap();
        if let Some(wrong) = &self.wrong {
            let text = sentence(&self.config.sql, wrong);
            return widget::failure_note(ui, rect, &text);
        }
        match &self.found {
            Some(found) if found.columns().is_empty() || found.is_empty() => {
                widget::empty_note(ui, rect, "No row answers the query");
            }
            Some(_) => self.rows_ui(ui, out),
            None if self.is_running() => {}
            None => widget::empty_note(ui, rect, HINT),
        }
    }
}

const HINT: &str = "Ask the topics that are open (SELECT * FROM \"/imu_raw\" LIMIT 100), a recording (bag('LOC', '/topic')) or a table \
    (lake('LOC')), and press Ctrl+Enter";

/// With the place in the query of which it speaks.
fn sentence(sql: &str, wrong: &Wrong) -> String {
    let Some(before) = wrong.at.as_ref().and_then(|at| sql.get(..at.start)) else {
        return wrong.text.clone();
    };
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    format!("Line {line}, column {column}: {}", wrong.text)
}

const SAVED: &[(Style, &str, &str)] = &[
    (Style::Parquet, "parquet", "Save as Parquet…"),
    (Style::Csv, "csv", "Save as CSV…"),
    (Style::Json, "jsonl", "Save as JSON Lines…"),
];

fn save(found: &Arc<Found>, style: Style, ending: &str) -> Action {
    let found = found.clone();
    let make = Make::new(move |out| {
        // writers of Parquet want one that may go to other threads
        let mut bytes = Vec::new();
        found.write(style, &mut bytes).map_err(std::io::Error::other)?;
        out.write_all(&bytes)
    });
    Action::SaveMade {
        name: format!("query.{ending}"),
        make,
    }
}

fn save_text(found: &Found) -> String {
    let mut out = Vec::new();
    match found.write(Style::Csv, &mut out) {
        Ok(()) => String::from_utf8_lossy(&out).into_owned(),
        Err(error) => error.to_string(),
    }
}

const COMMANDS: &[command::Command<SqlPanel>] = &[
    ("Run the query", |sql, _, out| sql.ask(out)),
    ("Stop the query", |sql, _, _| sql.stop()),
    ("Plot the rows", |sql, view, out| {
        if let Some(found) = sql.found.clone().filter(|found| found.has_time()) {
            sql.plot(&found, view, out);
        }
    }),
    ("Save the rows as Parquet…", |sql, _, out| {
        out.extend(sql.found.as_ref().map(|found| save(found, Style::Parquet, "parquet")));
    }),
    ("Save the rows as CSV…", |sql, _, out| {
        out.extend(sql.found.as_ref().map(|found| save(found, Style::Csv, "csv")));
    }),
];

impl Panel for SqlPanel {
    fn title(&self, _view: &View) -> String {
        "SQL".to_owned()
    }

    fn wants(&self, view: &View, out: &mut Vec<Want>) {
        // what an answer takes is a part of the budget
        if let (Some(found), Some(topic)) = (&self.found, view.store.topics().first()) {
            out.push(Want {
                topic: topic.id,
                what: What::Held(found.bytes()),
            });
        }
    }

    fn ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let rect = ui.available_rect_before_wrap();
        let seconds = ui.input(|i| i.time);
        if self.config.run_at_once && !self.began {
            self.began = true;
            self.ask(out);
        }
        self.refresh(seconds, out);
        let inside = egui::UiBuilder::new().max_rect(rect);
        ui.scope_builder(inside, |ui| {
            ui.set_clip_rect(rect.intersect(ui.clip_rect()));
            let wants_run = self.editor.has_focus() && ui.input_mut(|i| i.consume_key(Modifiers::COMMAND, Key::Enter));
            let marked = self.wrong.as_ref().and_then(|wrong| wrong.at.clone());
            let most_height = (rect.height() * 0.45).max(48.0);
            if self.editor.ui(ui, &mut self.config.sql, marked, view.store, most_height) {
                self.wrong = None;
                out.push(Action::Changed);
            }
            if wants_run {
                self.ask(out);
            }
            self.tools_ui(ui, view, out);
            self.body_ui(ui, out);
        });
        ui.advance_cursor_after_rect(rect);
    }

    fn settings_ui(&mut self, ui: &mut Ui, _view: &View, out: &mut Vec<Action>) {
        let before = self.config.clone();
        let label = ui.label("Rows that are kept");
        let drag = egui::DragValue::new(&mut self.config.row_limit).range(1..=MOST_ROWS).speed(100.0);
        ui.add(drag).labelled_by(label.id);
        ui.checkbox(&mut self.config.run_at_once, "Run when the layout opens");
        theme::widget::note(
            ui,
            "Topics that are open are tables under their names in double quotes. bag('LOC', '/topic') reads a topic of any other recording, \
             lake('LOC') any table.",
        );
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
        match (&self.question, &self.wrong, &self.found) {
            (Some(question), ..) if !question.stage().is_over() => PanelState::Pending("the query runs".into()),
            (_, Some(wrong), _) => PanelState::Failed(sentence(&self.config.sql, wrong)),
            (_, None, Some(found)) if found.is_cut => PanelState::Partial(format!("only the first {} rows are kept", found.len())),
            (_, None, Some(_)) => PanelState::Ready,
            (_, None, None) => PanelState::Absent("No query was run yet".into()),
        }
    }

    fn hidden(&mut self) {
        self.editor.leave();
    }
}

impl Drop for SqlPanel {
    fn drop(&mut self) {
        self.stop();
    }
}

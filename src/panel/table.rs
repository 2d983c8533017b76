//! A table of what a path leads to: the elements of an array at the playhead, or one row for every message of a topic.
//!
//! Invariants: messages of a whole recording come by the store's wants, within its budget; only visible rows are laid out.

mod cells;
mod export;
mod filter;
mod list;
mod paint;
mod rows;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use egui::{RichText, ScrollArea, Ui, vec2};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::decode::{Form, Value};
use crate::panel::raw::{row as tree_row, tree};
use crate::panel::shown::{Freshness, Shown};
use crate::panel::{Action, Kind, Panel, PanelState, View, command, path_field, widget};
use crate::path::{self, Expr, Path, PathError, Select, Variables};
use crate::store::{Store, Topic, TopicId, Want, What};
use crate::theme::{self, icon};
use crate::time::{Span, Time};
use cells::Cell;
use export::Export;
use paint::Paint;
use rows::{Body, Messages, Place, Query};

pub const KIND: Kind = Kind {
    id: "table",
    name: "Table",
    what: "Arrays of objects, or all messages of a topic, as rows to sort and filter",
    icon: theme::icon::TABLE,
    create: |config| Box::new(TablePanel::new(config)),
    schema: crate::panel::schema_of::<Config>,
    automatic: |_| Vec::new(),
};

/// What a layout stores.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
struct Config {
    path: String,
    rows: RowsOf,
    #[serde(skip_serializing_if = "Option::is_none")]
    sort: Option<Sort>,
    filter: String,
    /// Columns that are not shown.
    hidden: BTreeSet<String>,
    /// Structures whose fields are columns.
    open: BTreeSet<String>,
    /// Paths in a row's details that are open where they would be closed, and the other way round.
    toggled: BTreeSet<String>,
    /// Rules by which cells are coloured.
    colors: Vec<Paint>,
    #[serde(flatten)]
    extra: Map<String, Json>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
enum RowsOf {
    /// The newest message.
    #[default]
    Playhead,
    /// Every message.
    Recording,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
struct Sort {
    column: String,
    descending: bool,
    #[serde(flatten)]
    extra: Map<String, Json>,
}

/// The path, made for the message definition.
struct Compiled {
    topic: TopicId,
    path: Path,
    select: Select,
}

struct TablePanel {
    config: Config,
    compiled: Result<Compiled, String>,
    compiled_for: Option<(String, u64, Variables)>,
    message: Shown<Bytes>,
    body: Body,
    /// What `body` is made of.
    made_of: Option<(RowsOf, u64)>,
    columns: Vec<Cell>,
    columns_for: Option<BTreeSet<String>>,
    /// Grow only, so that nothing jumps.
    widths: HashMap<String, f32>,
    selected: Option<Place>,
    /// The playhead's row was brought into view.
    followed: Option<Time>,
    export: Option<Export>,
    is_working: bool,
    hovering: bool,
    state: PanelState,
}

impl TablePanel {
    fn new(config: &Json) -> TablePanel {
        TablePanel {
            config: widget::config_from(config),
            compiled: Err(String::new()),
            compiled_for: None,
            message: Shown::default(),
            body: Body::default(),
            made_of: None,
            columns: Vec::new(),
            columns_for: None,
            widths: HashMap::new(),
            selected: None,
            followed: None,
            export: None,
            is_working: false,
            hovering: false,
            state: PanelState::Pending("the rows are being read".into()),
        }
    }

    fn refresh(&mut self, view: &View) {
        let compiled_for = (
            self.config.path.clone(),
            view.store.catalog_revision(),
            view.store.variables().clone(),
        );
        if self.compiled_for.as_ref() != Some(&compiled_for) {
            self.compiled = compile(&self.config.path, view.store);
            self.compiled_for = Some(compiled_for);
            (self.made_of, self.columns_for, self.selected, self.export) = (None, None, None, None);
            self.body = Body::default();
        }
        let Ok(compiled) = &self.compiled else {
            self.state = match &self.compiled {
                Err(_) if self.config.path.is_empty() => PanelState::Absent("Choose a path in the settings, or drag a topic here".into()),
                Err(why) => PanelState::Failed(why.clone()),
                Ok(_) => PanelState::Ready,
            };
            return;
        };
        let Some(topic) = view.store.topic(compiled.topic) else { return };
        let state = match self.config.rows {
            RowsOf::Playhead => take_newest(&mut self.message, &mut self.body, &mut self.made_of, topic, view),
            RowsOf::Recording => take_all(&mut self.body, &mut self.made_of, topic, view),
        };
        self.body.ask(Query {
            filter: self.config.filter.clone(),
            sort: self.config.sort.as_ref().map(|s| (s.column.clone(), s.descending)),
        });
        self.is_working = self.body.work(&compiled.select, &self.columns);
        if refreshed_columns(
            &mut self.columns,
            &mut self.columns_for,
            &self.config.open,
            (compiled, &mut self.body),
            view.store,
        ) {
            // a filter may name constants, which columns know
            self.body.restart();
            self.is_working = self.body.work(&compiled.select, &self.columns);
        }
        if self.config.rows == RowsOf::Playhead {
            // the same element of the next message
            let again = |s: Place| self.body.rows().iter().find(|r| r.part == s.part).copied();
            self.selected = self.selected.and_then(again);
        }
        self.state = match (state, self.is_working) {
            (PanelState::Ready | PanelState::Partial(_), true) => {
                PanelState::Pending(format!("{} rows, more are looked at", self.body.total()))
            }
            (PanelState::Ready, false) if self.body.is_full() => {
                PanelState::Partial(format!("only the first {} rows are listed: filter them", self.body.total()))
            }
            (state, _) => state,
        };
    }

    fn shown_columns(&self) -> Vec<Cell> {
        let is_shown = |c: &&Cell| !self.config.hidden.contains(&c.path);
        self.columns.iter().filter(is_shown).cloned().collect()
    }

    /// The rows' number, a filter, what can be done with all.
    fn head_ui(&mut self, ui: &mut Ui, out: &mut Vec<Action>) {
        ui.horizontal(|ui| {
            ui.add_space(8.0);
            let (rows, total) = (self.body.rows().len(), self.body.total());
            let noun = if total == 1 { "row" } else { "rows" };
            let text = match rows == total {
                true => format!("{total} {noun}"),
                false => format!("{rows} of {total} {noun}"),
            };
            ui.label(RichText::new(text).weak());
            let before = self.config.rows;
            for (of, text, hint) in [
                (RowsOf::Playhead, "Now", "Rows of the newest message at the playhead"),
                (RowsOf::Recording, "All", "Rows of every message of the recording"),
            ] {
                ui.selectable_value(&mut self.config.rows, of, text).on_hover_text(hint);
            }
            if self.config.rows != before {
                (self.made_of, self.selected) = (None, None);
                out.push(Action::Changed);
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                ui.add_space(4.0);
                match &self.export {
                    Some(export) => drop(ui.label(RichText::new(format!("{:.0} %", export.done_fraction() * 100.0)).weak())),
                    None => {
                        if widget::icon_button(ui, icon::EXPORT, "Save as CSV…", false).clicked() {
                            self.start_export();
                        }
                    }
                }
                let width = ui.available_width().clamp(40.0, 160.0);
                let edit = egui::TextEdit::singleline(&mut self.config.filter)
                    .hint_text("Filter")
                    .desired_width(width);
                if widget::named(ui.add(edit), "Filter rows")
                    .on_hover_text("Words, and conditions on columns: speed > 5")
                    .changed()
                {
                    out.push(Action::Changed);
                }
            });
        });
    }

    fn start_export(&mut self) {
        let with_time = self.config.rows == RowsOf::Recording;
        self.export = Some(Export::new(self.body.rows(), with_time));
    }

    fn show_rows_of(&mut self, rows: RowsOf, out: &mut Vec<Action>) {
        self.config.rows = rows;
        (self.made_of, self.selected) = (None, None);
        out.push(Action::Changed);
    }

    fn export_on(&mut self, out: &mut Vec<Action>) {
        let columns = self.shown_columns();
        if let (Some(export), Ok(compiled)) = (&mut self.export, &self.compiled)
            && let Some(text) = export.work(&mut self.body, &compiled.select, &columns)
        {
            self.export = None;
            let name: String = self
                .config
                .path
                .chars()
                .map(|c| if c.is_alphanumeric() { c } else { '_' })
                .collect();
            out.push(Action::SaveFile {
                name: format!("{}.csv", name.trim_matches('_')),
                bytes: Arc::from(text.into_bytes()),
            });
        }
    }

    /// The selected row as a tree.
    fn detail_ui(&mut self, ui: &mut Ui, row: &Value, out: &mut Vec<Action>) {
        ui.horizontal(|ui| {
            ui.label(RichText::new("Selected row").font(theme::semibold(13.0)));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if theme::widget::icon_button_sized(ui, icon::X, "Close the details", "", 20.0, false).clicked() {
                    self.selected = None;
                }
                if theme::widget::icon_button_sized(ui, icon::COPY, "Copy the row as JSON", "", 20.0, false).clicked() {
                    out.push(Action::CopyText(row.to_json()));
                }
            });
        });
        let lines = tree::rows(row, None, &self.config.toggled, "");
        let mut toggled = None;
        ui.spacing_mut().item_spacing.y = 0.0;
        let area = ScrollArea::vertical().auto_shrink(false).id_salt("row");
        area.show_rows(ui, tree_row::HEIGHT, lines.len(), |ui, range| {
            for line in lines.get(range).unwrap_or_default() {
                match tree_row::row_ui(ui, line, false, || line.path.clone()) {
                    Some(tree_row::Did::Toggle) => toggled = Some(line.path.clone()),
                    Some(tree_row::Did::CopyPath) => out.push(Action::CopyText(line.path.clone())),
                    Some(tree_row::Did::CopyMessage) => out.push(Action::CopyText(row.to_json())),
                    Some(tree_row::Did::CopyValue) => out.push(Action::CopyText(line.text.clone())),
                    Some(tree_row::Did::Plot | tree_row::Did::Narrow) | None => {}
                }
            }
        });
        if let Some(path) = toggled {
            if !self.config.toggled.remove(&path) {
                self.config.toggled.insert(path);
            }
            out.push(Action::Changed);
        }
    }

    /// What stands in place of rows.
    fn note(&self) -> String {
        match (&self.state, self.body.total()) {
            (PanelState::Pending(why) | PanelState::Absent(why), 0) => why.clone(),
            (_, 0) => format!("{} has no elements here", self.config.path),
            (_, total) => format!("None of {total} rows passes the filter"),
        }
    }
}

/// Columns from the first row there is; they stay as they are after that. True where they are new.
fn refreshed_columns(
    columns: &mut Vec<Cell>,
    made_for: &mut Option<BTreeSet<String>>,
    open: &BTreeSet<String>,
    (compiled, body): (&Compiled, &mut Body),
    store: &Store,
) -> bool {
    if made_for.as_ref() == Some(open) {
        return false;
    }
    let schema = store.topic(compiled.topic).and_then(|topic| topic.schema.clone());
    let first = body.first().and_then(|first| body.value(&compiled.select, first));
    let (Some(value), Some(schema)) = (first, schema) else {
        return false;
    };
    *columns = cells::columns(&value, open, &schema, &compiled.path);
    *made_for = Some(open.clone());
    true
}

fn compile(text: &str, store: &Store) -> Result<Compiled, String> {
    let tell = |error: PathError| error.to_string();
    let expr = path::parse(text).map_err(tell)?;
    let schemas = store.topic_schemas();
    let Expr::Path(path) = path::bind(&expr, store.variables(), &schemas).map_err(tell)? else {
        return Err(format!("{text} is computed: a table takes a path to messages or arrays"));
    };
    let name = path.topic.clone().unwrap_or_default();
    let topic = store
        .topic_by_name(&name)
        .ok_or_else(|| format!("The recording has no topic {name}"))?;
    let Some(schema) = &topic.schema else {
        let why = topic.schema_error.as_deref().unwrap_or("it comes without a message definition");
        return Err(format!("{name} cannot be decoded: {why}"));
    };
    let select = Select::compile(schema, &path).map_err(tell)?;
    Ok(Compiled {
        topic: topic.id,
        path,
        select,
    })
}

fn take_newest(message: &mut Shown<Bytes>, body: &mut Body, made_of: &mut Option<(RowsOf, u64)>, topic: &Topic, view: &View) -> PanelState {
    let (payload, freshness) = message.take(view.store, topic, view.store.latest_payload(topic.id), || None);
    let time = message.time();
    let now = (RowsOf::Playhead, time.map_or(0, |t| t.0 as u64));
    if *made_of != Some(now) {
        let given = payload.zip(time).map(|(payload, time)| (now.1, Messages::One(time, payload)));
        body.take(given.into_iter().collect());
        *made_of = Some(now);
    }
    match freshness {
        Freshness::Current => PanelState::Ready,
        other => other.state(topic, "the message"),
    }
}

fn take_all(body: &mut Body, made_of: &mut Option<(RowsOf, u64)>, topic: &Topic, view: &View) -> PanelState {
    let Some(set) = view.store.rows(topic.id, Form::Messages) else {
        return PanelState::Pending(format!("{} is being read", topic.name));
    };
    let now = (RowsOf::Recording, set.revision());
    if *made_of != Some(now) {
        body.take(set.blocks().map(|b| (b.key, Messages::Many(Arc::clone(&b.rows)))).collect());
        *made_of = Some(now);
    }
    if let Some(why) = view.store.rows_failure(topic.id, Form::Messages) {
        return PanelState::Failed(why.to_string());
    }
    if let Some((count, why)) = set.failed() {
        return PanelState::Partial(format!("{count} messages are left out: {why}"));
    }
    if set.is_complete(view.span) {
        return PanelState::Ready;
    }
    if !set.is_complete(Span::at(view.now)) {
        return PanelState::Pending(format!("{} is being read at the playhead", topic.name));
    }
    PanelState::Partial(match view.store.whole_cost_bytes(topic.id) {
        Some(bytes) => format!("only around the playhead; all of it takes {}", widget::bytes_text(bytes)),
        None => format!("{} of {} messages", set.len(), topic.messages),
    })
}

const COMMANDS: &[command::Command<TablePanel>] = &[
    ("Save as CSV…", |table, _, _| table.start_export()),
    ("Rows of the newest message", |table, _, out| {
        table.show_rows_of(RowsOf::Playhead, out)
    }),
    ("Rows of every message", |table, _, out| table.show_rows_of(RowsOf::Recording, out)),
    ("Show all columns", |table, _, out| {
        table.config.hidden.clear();
        out.push(Action::Changed);
    }),
];

impl Panel for TablePanel {
    fn title(&self, _view: &View) -> String {
        widget::title_of("Table", &self.config.path)
    }

    fn wants(&self, view: &View, out: &mut Vec<Want>) {
        let Ok(compiled) = &self.compiled else { return };
        let topic = compiled.topic;
        let what = match self.config.rows {
            RowsOf::Playhead => What::Latest(Form::Value),
            RowsOf::Recording => What::Rows {
                form: Form::Messages,
                span: view.store.series_span(topic, view.now),
            },
        };
        out.push(Want { topic, what });
        let what = What::Held(self.body.bytes());
        out.push(Want { topic, what });
    }

    fn ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let rect = ui.available_rect_before_wrap();
        if let Some(path) = widget::dropped_path(ui, rect) {
            self.config.path = path;
            out.push(Action::Changed);
        }
        self.refresh(view);
        if self.is_working || self.export.is_some() {
            ui.ctx().request_repaint();
        }
        self.export_on(out);
        match &self.state {
            PanelState::Absent(why) if self.config.path.is_empty() => return widget::empty_note(ui, rect, why),
            PanelState::Failed(why) => return widget::failure_note(ui, rect, why),
            _ => {}
        }
        let head = egui::UiBuilder::new().max_rect(rect.shrink2(vec2(0.0, 2.0)));
        let below = ui.scope_builder(head, |ui| self.head_ui(ui, out)).response.rect.bottom() + 2.0;
        let rest = rect.with_min_y(below.min(rect.bottom()));
        if self.body.rows().is_empty() {
            widget::empty_note(ui, rest, &self.note());
            ui.advance_cursor_after_rect(rect);
            return;
        }
        let row = self.selected.and_then(|place| {
            let compiled = self.compiled.as_ref().ok()?;
            self.body.value(&compiled.select, place)
        });
        let (list, details) = match (&row, rest.width() > 640.0) {
            (None, _) => (rest, None),
            (Some(row), true) => {
                let (list, details) = rest.split_left_right_at_x(rest.right() - (rest.width() * 0.36).min(340.0));
                (list, Some((row, details)))
            }
            (Some(row), false) => {
                let (list, details) = rest.split_top_bottom_at_fraction(0.55);
                (list, Some((row, details)))
            }
        };
        ui.scope_builder(egui::UiBuilder::new().max_rect(list), |ui| {
            ui.set_clip_rect(list.intersect(ui.clip_rect()));
            self.list_ui(ui, view, out);
        });
        if let Some((row, details)) = details {
            ui.painter().rect_filled(details, 0.0, theme::palette(ui.visuals()).overlay);
            ui.scope_builder(egui::UiBuilder::new().max_rect(details.shrink2(vec2(8.0, 4.0))), |ui| {
                ui.set_clip_rect(details.intersect(ui.clip_rect()));
                self.detail_ui(ui, row, out);
            });
        }
        ui.advance_cursor_after_rect(rect);
    }

    fn settings_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let before = self.config.clone();
        path_field::path_field(ui, "table path", view.store, &mut self.config.path, "Path", "/topic.list[:]");
        if let Ok(compiled) = &self.compiled {
            theme::widget::note(ui, format!("Rows of {}", compiled.select.type_name()));
            widget::read_whole_button(ui, view.store, compiled.topic, out);
        }
        if !self.columns.is_empty() {
            theme::widget::section(ui, "Columns");
            for cell in &self.columns {
                let mut on = !self.config.hidden.contains(&cell.path);
                let name = if cell.path.is_empty() { "value" } else { &cell.path };
                ui.horizontal(|ui| {
                    if ui.checkbox(&mut on, name).changed() {
                        match on {
                            true => drop(self.config.hidden.remove(&cell.path)),
                            false => drop(self.config.hidden.insert(cell.path.clone())),
                        }
                    }
                    if cell.is_struct && ui.small_button("Open").on_hover_text("A column for each of its fields").clicked() {
                        self.config.open.insert(cell.path.clone());
                    }
                });
            }
            for opened in self.config.open.clone() {
                if ui.small_button(format!("Close {opened}")).clicked() {
                    self.config.open.retain(|o| *o != opened && !o.starts_with(&format!("{opened}.")));
                }
            }
            if !self.config.hidden.is_empty() && ui.button("Show all columns").clicked() {
                self.config.hidden.clear();
            }
        }
        self.paints_ui(ui);
        widget::report_change(&before, &self.config, out);
    }

    fn commands(&self) -> Vec<&'static str> {
        command::names(COMMANDS)
    }

    fn run(&mut self, command: &str, view: &View, out: &mut Vec<Action>) {
        command::run(COMMANDS, self, command, view, out);
    }

    fn config(&self) -> Json {
        json!(self.config)
    }

    fn state(&self, _view: &View) -> PanelState {
        self.state.clone()
    }

    /// The elements of its first array of structures, else all its messages.
    fn drop_topic(&mut self, view: &View, topic: TopicId) -> bool {
        let Some(topic) = view.store.topic(topic) else { return false };
        let Some(schema) = &topic.schema else { return false };
        let name = path::topic_text(&topic.name);
        let leaves = path::leaves(schema);
        let list = leaves.iter().find_map(|leaf| {
            let (head, rest) = leaf.path.split_once("[:]")?;
            rest.starts_with('.').then(|| head.to_owned())
        });
        (self.config.path, self.config.rows) = match list {
            Some(list) => (format!("{name}.{list}[:]"), RowsOf::Playhead),
            None => (name, RowsOf::Recording),
        };
        (self.config.sort, self.config.open, self.config.hidden) = (None, BTreeSet::new(), BTreeSet::new());
        true
    }

    fn topics(&self, _view: &View) -> Vec<TopicId> {
        self.compiled.as_ref().map(|c| c.topic).into_iter().collect()
    }
}

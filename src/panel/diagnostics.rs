//! The state of every diagnosed part at the playhead: what is wrong first, what fell silent, and all about the selected one.
//!
//! Invariant: a part that was not heard of for longer than the limit is stale, whatever it said last.

mod detail;
mod history;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use egui::{Align2, RichText, ScrollArea, Sense, Ui, pos2};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::decode::{DiagnosticStatus, Form};
use crate::panel::{Action, Kind, Panel, PanelState, View, command, widget};
use crate::store::{Lookup, Store, Topic, TopicId, Want, What};
use crate::theme::{self, Palette, icon};
use crate::time::{self, Time};

pub const KIND: Kind = Kind {
    id: "diagnostics",
    name: "Diagnostics",
    what: "What diagnosed itself as wrong, warned or fell silent",
    icon: theme::icon::HEARTBEAT,
    create: |config| Box::new(DiagnosticsPanel::new(config)),
    schema: crate::panel::schema_of::<Config>,
    automatic,
};

const ROW_HEIGHT: f32 = 22.0;

/// What a layout stores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
struct Config {
    /// Empty: every topic of diagnostics.
    topics: Vec<String>,
    min_level: Level,
    /// Only of this hardware; empty: all.
    hardware_id: String,
    /// Parts by name; by `|hardware id|name|` those whose name several have; by `|hardware id|name|topic` those that several
    /// topics tell of.
    pinned: Vec<String>,
    /// As in `pinned`.
    selected: String,
    /// The value of the selected part whose history is drawn.
    plotted: String,
    stale_after_secs: f64,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            topics: Vec::new(),
            min_level: Level::Ok,
            hardware_id: String::new(),
            pinned: Vec::new(),
            selected: String::new(),
            plotted: String::new(),
            stale_after_secs: 5.0,
            extra: Map::new(),
        }
    }
}

/// Worse is greater; what is stale may be anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Level {
    #[default]
    Ok,
    Warn,
    Stale,
    Error,
}

impl Level {
    const WORST_FIRST: [Level; 4] = [Level::Error, Level::Stale, Level::Warn, Level::Ok];

    fn name(self) -> &'static str {
        match self {
            Level::Ok => "OK",
            Level::Warn => "Warning",
            Level::Stale => "Stale",
            Level::Error => "Error",
        }
    }

    fn color(self, p: &Palette) -> egui::Color32 {
        match self {
            Level::Ok => p.ok,
            Level::Warn => p.warn,
            Level::Stale => p.weak,
            Level::Error => p.error,
        }
    }

    fn icon(self) -> &'static str {
        match self {
            Level::Ok => icon::CHECK_CIRCLE,
            Level::Warn => icon::WARNING,
            Level::Stale => icon::CLOCK,
            Level::Error => icon::WARNING_CIRCLE,
        }
    }
}

/// One part at the playhead.
#[derive(Clone, Debug)]
struct Part {
    topic: TopicId,
    topic_name: Arc<str>,
    heard: Time,
    level: Level,
    status: DiagnosticStatus,
    /// As a layout names it: by as little as tells it from the others.
    id: String,
    /// What tells it from others of its name: its hardware, its topic.
    apart: String,
}

impl Part {
    /// Whether `id` means it, among others or alone.
    fn is(&self, id: &str) -> bool {
        let status = &self.status;
        let of_hardware = || id.strip_prefix('|')?.strip_prefix(&*status.hardware_id)?.strip_prefix('|');
        let of_topic = || of_hardware()?.strip_prefix(&*status.name)?.strip_prefix('|');
        !id.is_empty() && *status.name == *id || of_topic().is_some_and(|topic| topic.is_empty() || topic == &*self.topic_name)
    }
}

/// Gives each part its id and what tells it apart.
fn tell_apart(parts: &mut [Part]) {
    let mut names: HashMap<Arc<str>, usize> = HashMap::new();
    let mut of_hardware: HashMap<(Arc<str>, Arc<str>), usize> = HashMap::new();
    for Part { status, .. } in parts.iter() {
        *names.entry(status.name.clone()).or_default() += 1;
        let both = (status.name.clone(), status.hardware_id.clone());
        *of_hardware.entry(both).or_default() += 1;
    }
    for part in parts {
        let DiagnosticStatus { name, hardware_id, .. } = &part.status;
        let twins = of_hardware.get(&(name.clone(), hardware_id.clone())).copied().unwrap_or(1);
        let namesakes = names.get(name).copied().unwrap_or(1);
        (part.id, part.apart) = if twins > 1 {
            let apart = format!("{hardware_id} {}", part.topic_name);
            (format!("|{hardware_id}|{name}|{}", part.topic_name), apart.trim_start().into())
        } else if namesakes > 1 {
            (format!("|{hardware_id}|{name}|"), hardware_id.to_string())
        } else {
            (name.to_string(), String::new())
        };
    }
}

struct DiagnosticsPanel {
    config: Config,
    search: String,
    /// Worst first, pinned ones before all.
    parts: Vec<Part>,
    /// Of the selected part.
    history: history::History,
    state: PanelState,
}

impl DiagnosticsPanel {
    fn new(config: &Value) -> DiagnosticsPanel {
        DiagnosticsPanel {
            config: widget::config_from(config),
            search: String::new(),
            parts: Vec::new(),
            history: history::History::default(),
            state: PanelState::Pending("diagnostics are being read".into()),
        }
    }

    fn topics_shown<'a>(&self, store: &'a Store) -> Vec<&'a Topic> {
        if self.config.topics.is_empty() {
            return store.topics().iter().filter(|t| t.form == Some(Form::Diagnostics)).collect();
        }
        self.config.topics.iter().filter_map(|name| store.topic_by_name(name)).collect()
    }

    fn refresh(&mut self, view: &View) {
        let topics = self.topics_shown(view.store);
        if topics.is_empty() {
            self.parts.clear();
            self.state = PanelState::Absent(match self.config.topics.first() {
                Some(gone) => format!("The recording has no topic {gone}"),
                None => "The recording holds no diagnostics".into(),
            });
            return;
        }
        let mut parts: Vec<Part> = Vec::new();
        let mut state = PanelState::Absent("No diagnostics at or before the playhead".into());
        for topic in topics {
            match view.store.diagnostics(topic.id) {
                Lookup::Ready(all) => {
                    if !matches!(state, PanelState::Pending(_) | PanelState::Failed(_)) {
                        state = PanelState::Ready;
                    }
                    parts.extend(all.iter().map(|(heard, status)| Part {
                        topic: topic.id,
                        topic_name: topic.name.clone(),
                        heard: *heard,
                        level: self.level(view.now, *heard, status.level),
                        status: status.clone(),
                        id: String::new(),
                        apart: String::new(),
                    }));
                }
                Lookup::Pending => state = PanelState::Pending(format!("{} is being read", topic.name)),
                Lookup::Absent => {}
                Lookup::Failed(why) => state = PanelState::Failed(why.to_string()),
            }
        }
        // keep the last picture while the next one is read
        if matches!(state, PanelState::Pending(_)) && parts.is_empty() {
            self.state = state;
            return;
        }
        if state == PanelState::Ready
            && let Some(bytes) = self.topics_shown(view.store).iter().find_map(|t| view.store.whole_cost_bytes(t.id))
        {
            let text = "only what was heard around the playhead; all before it takes";
            state = PanelState::Partial(format!("{text} {}", widget::bytes_text(bytes)));
        }
        let pinned = &self.config.pinned;
        let place = |part: &Part| pinned.iter().position(|id| part.is(id)).unwrap_or(usize::MAX);
        parts.sort_by(|a, b| {
            let by_pin = place(a).cmp(&place(b));
            let by_name = || (&a.status.name, &a.status.hardware_id).cmp(&(&b.status.name, &b.status.hardware_id));
            by_pin.then(b.level.cmp(&a.level)).then_with(by_name)
        });
        tell_apart(&mut parts);
        self.parts = parts;
        self.state = state;
    }

    fn level(&self, now: Time, heard: Time, level: u8) -> Level {
        let age_secs = now.since(heard) as f64 * 1e-9;
        if self.config.stale_after_secs > 0.0 && age_secs > self.config.stale_after_secs {
            return Level::Stale;
        }
        match level {
            0 => Level::Ok,
            1 => Level::Warn,
            3 => Level::Stale,
            _ => Level::Error,
        }
    }

    fn is_of_hardware(&self, part: &Part) -> bool {
        self.config.hardware_id.is_empty() || *part.status.hardware_id == *self.config.hardware_id
    }

    /// Where a name is all that is known, the first of the hardware that is shown.
    fn selected(&self) -> Option<&Part> {
        let mut fits = self.parts.iter().filter(|part| part.is(&self.config.selected));
        let first = fits.clone().next();
        fits.find(|part| self.is_of_hardware(part)).or(first)
    }

    fn is_shown(&self, part: &Part) -> bool {
        let status = &part.status;
        part.level >= self.config.min_level
            && self.is_of_hardware(part)
            && widget::matches_words(&format!("{} {} {}", status.name, status.message, status.hardware_id), &self.search)
    }

    fn head_ui(&mut self, ui: &mut Ui, out: &mut Vec<Action>) {
        let p = theme::palette(ui.visuals());
        ui.horizontal(|ui| {
            ui.add_space(4.0);
            ui.spacing_mut().item_spacing.x = 4.0;
            for level in Level::WORST_FIRST {
                let count = self.parts.iter().filter(|part| part.level == level).count();
                let shows = level >= self.config.min_level;
                let color = if count > 0 && shows { level.color(p) } else { p.faint };
                let text = RichText::new(format!("{} {count}", level.icon())).color(color);
                let button = ui.add(egui::Button::new(text).frame_when_inactive(false).min_size(egui::vec2(0.0, 20.0)));
                let button = button.on_hover_text(format!("{count} {}: show this and worse", level.name()));
                if widget::named(button, &format!("{} and worse", level.name())).clicked() {
                    self.config.min_level = if self.config.min_level == level { Level::Ok } else { level };
                    out.push(Action::Changed);
                }
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                ui.add_space(4.0);
                let width = ui.available_width().clamp(40.0, 180.0);
                let field = ui.add(
                    egui::TextEdit::singleline(&mut self.search)
                        .hint_text("Filter")
                        .desired_width(width),
                );
                widget::named(field, "Filter diagnostics");
            });
        });
    }

    fn list_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let shown: Vec<&Part> = self.parts.iter().filter(|part| self.is_shown(part)).collect();
        if shown.is_empty() {
            let text = match (self.parts.len(), &self.state) {
                (0, PanelState::Pending(why)) => why.clone(),
                (0, _) => "Nothing was diagnosed".into(),
                (n, _) => format!("None of {n} parts passes the filters"),
            };
            return widget::empty_note(ui, ui.available_rect_before_wrap(), &text);
        }
        let mut did = None;
        ui.spacing_mut().item_spacing.y = 0.0;
        ScrollArea::vertical()
            .auto_shrink(false)
            .id_salt("parts")
            .show_rows(ui, ROW_HEIGHT, shown.len(), |ui, range| {
                for part in shown.get(range).unwrap_or_default() {
                    did = self.row_ui(ui, part, view).map(|d| ((*part).clone(), d)).or(did.take());
                }
            });
        match did {
            Some((part, Did::Select)) => self.config.selected = part.id,
            Some((part, Did::Pin)) => {
                let before = self.config.pinned.len();
                self.config.pinned.retain(|id| !part.is(id));
                if self.config.pinned.len() == before {
                    self.config.pinned.push(part.id);
                }
            }
            Some((part, Did::Copy)) => {
                out.push(Action::CopyText(detail::as_text(&part)));
                return;
            }
            None => return,
        }
        out.push(Action::Changed);
    }

    fn row_ui(&self, ui: &mut Ui, part: &Part, view: &View) -> Option<Did> {
        let p = theme::palette(ui.visuals());
        let status = &part.status;
        let (rect, response) = ui.allocate_exact_size(egui::vec2(ui.available_width(), ROW_HEIGHT), Sense::click());
        let is_selected = self.selected().is_some_and(|selected| selected.id == part.id);
        response.widget_info(|| {
            let words = [part.level.name(), &*status.name, &*part.apart, &*status.message];
            let text = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
            egui::WidgetInfo::selected(egui::Role::ListItem, true, is_selected, text)
        });
        let is_pinned = self.config.pinned.iter().any(|id| part.is(id));
        if ui.is_rect_visible(rect) {
            let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
            if is_selected {
                painter.rect_filled(rect, 0.0, p.selected);
            } else if response.hovered() {
                painter.rect_filled(rect, 0.0, p.hover);
            } else if part.level == Level::Error {
                painter.rect_filled(rect, 0.0, p.error.gamma_multiply(0.10));
            }
            let y = rect.center().y;
            let glyph = if is_pinned { icon::PUSH_PIN } else { part.level.icon() };
            painter.text(
                pos2(rect.left() + 16.0, y),
                Align2::CENTER_CENTER,
                glyph,
                theme::icons(14.0),
                part.level.color(p),
            );
            let age = time::format_duration(view.now.since(part.heard));
            let age = painter.layout_no_wrap(age, theme::small(), if part.level == Level::Stale { p.warn } else { p.faint });
            let age_left = rect.right() - 10.0 - age.size().x;
            painter.galley(pos2(age_left, y - age.size().y / 2.0), age, p.faint);
            let middle = rect.left() + 32.0 + (rect.width() - 32.0) * 0.46;
            let name_rect = egui::Rect::from_min_max(pos2(rect.left() + 32.0, rect.top()), pos2(middle - 8.0, rect.bottom()));
            let color = if part.level == Level::Stale { p.weak } else { p.text };
            clipped(&painter, name_rect, &[(&status.name, color), (&part.apart, p.weak)]);
            let text_rect = egui::Rect::from_min_max(pos2(middle, rect.top()), pos2(age_left - 8.0, rect.bottom()));
            clipped(&painter, text_rect, &[(&status.message, p.weak)]);
        }
        let mut did = response.clicked().then_some(Did::Select);
        response.context_menu(|ui| {
            let pin = if is_pinned { "Unpin" } else { "Pin to the top" };
            for (text, what) in [("Show details", Did::Select), (pin, Did::Pin), ("Copy as text", Did::Copy)] {
                if ui.button(text).clicked() {
                    did = Some(what);
                    ui.close();
                }
            }
        });
        did
    }
}

impl DiagnosticsPanel {
    /// All parts that are listed and `fits`, as text.
    fn text(&self, fits: impl Fn(&Part) -> bool) -> String {
        let parts = self.parts.iter().filter(|part| self.is_shown(part) && fits(part));
        parts.map(detail::as_text).collect::<Vec<_>>().join("\n\n")
    }

    fn show_from(&mut self, level: Level, out: &mut Vec<Action>) {
        self.config.min_level = level;
        out.push(Action::Changed);
    }
}

const COMMANDS: &[command::Command<DiagnosticsPanel>] = &[
    ("Select what is worst", |panel, _, out| {
        let worst = panel
            .parts
            .iter()
            .filter(|part| panel.is_shown(part))
            .min_by_key(|part| Reverse(part.level));
        if let Some(part) = worst {
            panel.config.selected = part.id.clone();
            out.push(Action::Changed);
        }
    }),
    ("Copy what is not OK as text", |panel, _, out| {
        out.push(Action::CopyText(panel.text(|part| part.level > Level::Ok)));
    }),
    ("Copy all as text", |panel, _, out| out.push(Action::CopyText(panel.text(|_| true)))),
    ("Save all as text…", |panel, _, out| {
        out.push(Action::SaveFile {
            name: "diagnostics.txt".into(),
            bytes: panel.text(|_| true).into_bytes().into(),
        });
    }),
    ("Show warnings and worse", |panel, _, out| panel.show_from(Level::Warn, out)),
    ("Show all levels", |panel, _, out| panel.show_from(Level::Ok, out)),
    ("Close the details", |panel, _, out| {
        panel.config.selected.clear();
        out.push(Action::Changed);
    }),
];

#[derive(Clone, Copy)]
enum Did {
    Select,
    Pin,
    Copy,
}

/// Texts on one line, cut with an ellipsis.
fn clipped(painter: &egui::Painter, rect: egui::Rect, texts: &[(&str, egui::Color32)]) {
    if rect.width() < 8.0 {
        return;
    }
    let mut job = egui::text::LayoutJob::default();
    for (text, color) in texts.iter().filter(|(text, _)| !text.is_empty()) {
        let gap = if job.is_empty() { 0.0 } else { 8.0 };
        let text: String = text.chars().take(200).collect();
        job.append(&text, gap, egui::TextFormat::simple(theme::body(), *color));
    }
    job.break_on_newline = false;
    job.wrap = egui::text::TextWrapping::truncate_at_width(rect.width());
    let galley = painter.layout_job(job);
    let color = egui::Color32::PLACEHOLDER;
    painter.galley(pos2(rect.left(), rect.center().y - galley.size().y / 2.0), galley, color);
}

fn automatic(store: &Store) -> Vec<Value> {
    let any = store.topics().iter().any(|t| t.form == Some(Form::Diagnostics) && t.messages > 0);
    if any { vec![serde_json::json!({})] } else { Vec::new() }
}

impl Panel for DiagnosticsPanel {
    fn title(&self, _view: &View) -> String {
        "Diagnostics".into()
    }

    fn wants(&self, view: &View, out: &mut Vec<Want>) {
        for topic in self.topics_shown(view.store) {
            out.push(Want {
                topic: topic.id,
                what: What::Latest(Form::Diagnostics),
            });
        }
    }

    fn ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let rect = ui.available_rect_before_wrap();
        self.refresh(view);
        match &self.state {
            PanelState::Absent(why) => return widget::empty_note(ui, rect, why),
            PanelState::Failed(why) if self.parts.is_empty() => return widget::failure_note(ui, rect, why),
            _ => {}
        }
        let behind = ui.interact(rect, ui.scope_id().with("diagnostics"), Sense::click());
        command::menu(&behind, COMMANDS, self, view, out);
        let head = egui::UiBuilder::new().max_rect(rect.shrink2(egui::vec2(0.0, 2.0)));
        let below = ui.scope_builder(head, |ui| self.head_ui(ui, out)).response.rect.bottom();
        let rest = egui::Rect::from_min_max(pos2(rect.left(), below.min(rect.bottom())), rect.max);
        let selected = self.selected().cloned();
        let Some(selected) = selected else {
            ui.scope_builder(egui::UiBuilder::new().max_rect(rest), |ui| self.list_ui(ui, view, out));
            ui.advance_cursor_after_rect(rect);
            return;
        };
        let (list, details) = if rest.width() > 560.0 {
            rest.split_left_right_at_fraction(0.5)
        } else {
            rest.split_top_bottom_at_fraction(0.5)
        };
        ui.scope_builder(egui::UiBuilder::new().max_rect(list), |ui| {
            ui.set_clip_rect(list.intersect(ui.clip_rect()));
            self.list_ui(ui, view, out);
        });
        let closed = ui
            .scope_builder(egui::UiBuilder::new().max_rect(details), |ui| {
                ui.set_clip_rect(details.intersect(ui.clip_rect()));
                self.detail_ui(ui, &selected, view, out)
            })
            .inner;
        if closed {
            self.config.selected.clear();
            out.push(Action::Changed);
        }
        ui.advance_cursor_after_rect(rect);
    }

    fn settings_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let before = self.config.clone();
        theme::widget::section(ui, "Topics");
        for topic in view.store.topics().iter().filter(|t| t.form == Some(Form::Diagnostics)) {
            let mut on = self.topics_shown(view.store).iter().any(|t| t.id == topic.id);
            if ui.checkbox(&mut on, &*topic.name).changed() {
                if self.config.topics.is_empty() {
                    self.config.topics = self.topics_shown(view.store).iter().map(|t| t.name.to_string()).collect();
                }
                self.config.topics.retain(|name| **name != *topic.name);
                if on {
                    self.config.topics.push(topic.name.to_string());
                }
            }
            if let Some(bytes) = view.store.whole_cost_bytes(topic.id)
                && ui
                    .button(format!("Read all of {} ({})", topic.name, widget::bytes_text(bytes)))
                    .clicked()
            {
                out.push(Action::ReadWhole(topic.id));
            }
        }
        theme::widget::section(ui, "Filters");
        egui::ComboBox::from_label("Least level")
            .selected_text(self.config.min_level.name())
            .show_ui(ui, |ui| {
                for level in Level::WORST_FIRST.into_iter().rev() {
                    ui.selectable_value(&mut self.config.min_level, level, level.name());
                }
            });
        let mut hardware: Vec<String> = self.parts.iter().map(|p| p.status.hardware_id.to_string()).collect();
        hardware.sort();
        hardware.dedup();
        let shown = if self.config.hardware_id.is_empty() {
            "All"
        } else {
            &self.config.hardware_id
        }
        .to_owned();
        egui::ComboBox::from_label("Hardware").selected_text(shown).show_ui(ui, |ui| {
            ui.selectable_value(&mut self.config.hardware_id, String::new(), "All");
            for id in hardware.into_iter().filter(|id| !id.is_empty()) {
                ui.selectable_value(&mut self.config.hardware_id, id.clone(), id);
            }
        });
        let limit = egui::DragValue::new(&mut self.config.stale_after_secs)
            .range(0.0..=3600.0)
            .speed(0.1)
            .suffix(" s");
        ui.horizontal(|ui| {
            let label = ui.label("Stale after");
            ui.add(limit).on_hover_text("0: never").labelled_by(label.id);
        });
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
        let Some(topic) = view.store.topic(topic).filter(|t| t.form == Some(Form::Diagnostics)) else {
            return false;
        };
        self.config.topics = vec![topic.name.to_string()];
        true
    }

    fn topics(&self, view: &View) -> Vec<TopicId> {
        self.topics_shown(view.store).iter().map(|t| t.id).collect()
    }
}

//! How well each topic was recorded: rate, jitter, gaps, skew between stamps and receive times, order, sizes.
//!
//! Invariants: receive times come from the recording's index, so that looking at all topics unpacks nothing; stamps and sizes are
//! read for the selected topic only. What is not measured is left empty, never shown as zero.

mod detail;

use egui::emath::GuiRounding as _;
use egui::{Color32, Rect, RichText, ScrollArea, Ui, pos2, vec2};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::decode::Form;
use crate::panel::columns::{self, Align, Column};
use crate::panel::{Action, Kind, Panel, PanelState, View, command, widget};
use crate::store::{Store, Timing, Topic, TopicId, Want, What};
use crate::theme;
use crate::time::{self, Span};

pub const KIND: Kind = Kind {
    id: "health",
    name: "Topic health",
    what: "Rates, gaps, jitter and skew of every topic",
    icon: theme::icon::PULSE,
    create: |config| Box::new(HealthPanel::new(config)),
    schema: crate::panel::schema_of::<Config>,
    automatic: |_| Vec::new(),
};

/// What a layout stores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
struct Config {
    sort: Sort,
    descending: bool,
    /// The topic whose stamps and gaps are shown.
    selected: String,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            sort: Sort::Gaps,
            descending: true,
            selected: String::new(),
            extra: Map::new(),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Sort {
    Topic,
    Messages,
    Rate,
    Jitter,
    #[default]
    Gaps,
    Longest,
}

const COLUMNS: [(Sort, Column<'static>); 6] = {
    const fn column(name: &'static str, hint: &'static str, width: f32, align: Align) -> Column<'static> {
        Column { name, hint, width, align }
    }
    [
        (Sort::Topic, column("Topic", "By name", 0.0, Align::Left)),
        (Sort::Messages, column("Messages", "How many were recorded", 76.0, Align::Right)),
        (Sort::Rate, column("Rate", "Messages a second, on average", 76.0, Align::Right)),
        (
            Sort::Jitter,
            column("Jitter", "Standard deviation of the period", 76.0, Align::Right),
        ),
        (
            Sort::Gaps,
            column(
                "Gaps",
                "Times without a message, of more than 2.5 usual periods",
                56.0,
                Align::Right,
            ),
        ),
        (
            Sort::Longest,
            column("Longest gap", "The longest time without a message", 96.0, Align::Right),
        ),
    ]
};

struct HealthPanel {
    config: Config,
    search: String,
    state: PanelState,
}

impl HealthPanel {
    fn new(config: &Value) -> HealthPanel {
        HealthPanel {
            config: widget::config_from(config),
            search: String::new(),
            state: PanelState::Pending("the recording's index is being read".into()),
        }
    }

    fn selected<'a>(&self, store: &'a Store) -> Option<&'a Topic> {
        store.topic_by_name(&self.config.selected)
    }

    fn refresh(&mut self, view: &View) {
        let mut missing = 0;
        let mut failed = None;
        let mut cost = 0;
        for topic in view.store.topics() {
            let Some(rows) = view.store.rows(topic.id, Form::Arrivals) else {
                missing += 1;
                continue;
            };
            failed = failed.or(view.store.rows_failure(topic.id, Form::Arrivals));
            if !rows.is_complete(view.span) {
                missing += 1;
                cost += view.store.whole_cost_bytes(topic.id).unwrap_or(0);
            }
        }
        self.state = match (view.store.topics().len(), failed, missing) {
            (0, _, _) => PanelState::Absent("No recording is open".into()),
            (_, Some(why), _) => PanelState::Failed(why.to_string()),
            (_, _, 0) => PanelState::Ready,
            (_, _, n) if cost > 0 => PanelState::Partial(format!("{n} topics are measured around the playhead only")),
            (_, _, n) => PanelState::Partial(format!("{n} topics are still being read")),
        };
    }

    fn sorted<'a>(&self, store: &'a Store) -> Vec<&'a Topic> {
        let mut topics: Vec<&Topic> = store
            .topics()
            .iter()
            .filter(|t| widget::matches_words(&t.name, &self.search))
            .collect();
        let key = |topic: &Topic| -> f64 {
            let timing = measured(store, topic.id);
            match self.config.sort {
                Sort::Topic => 0.0,
                Sort::Messages => topic.messages as f64,
                Sort::Rate => timing.and_then(Timing::rate_hz).unwrap_or(0.0),
                Sort::Jitter => timing.map_or(0.0, |t| t.jitter_nanos),
                Sort::Gaps => timing.map_or(0.0, |t| t.gap_count as f64),
                Sort::Longest => timing.and_then(|t| t.longest).map_or(0.0, |g| g.nanos() as f64),
            }
        };
        topics.sort_by(|a, b| {
            let by_value = key(a).total_cmp(&key(b));
            let by_value = if self.config.descending { by_value.reverse() } else { by_value };
            by_value.then_with(|| match self.config.descending && self.config.sort == Sort::Topic {
                true => b.name.cmp(&a.name),
                false => a.name.cmp(&b.name),
            })
        });
        topics
    }

    fn list_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let rect = ui.available_rect_before_wrap();
        let (head, rest) = rect.split_top_bottom_at_y(rect.top() + columns::ROW_HEIGHT);
        let list = COLUMNS.map(|c| c.1);
        let places = columns::places(head, &list, 160.0);
        let sorted = COLUMNS.iter().position(|c| c.0 == self.config.sort).unwrap_or(0);
        let clicked = columns::head_ui(ui, head, &list, &places, Some((sorted, self.config.descending)));
        if let Some((sort, _)) = clicked.and_then(|at| COLUMNS.get(at)) {
            self.config.descending = match self.config.sort == *sort {
                true => !self.config.descending,
                false => *sort != Sort::Topic,
            };
            self.config.sort = *sort;
            out.push(Action::Changed);
        }
        let topics = self.sorted(view.store);
        let mut clicked = None;
        ui.scope_builder(egui::UiBuilder::new().max_rect(rest), |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            let rows = ScrollArea::vertical().auto_shrink(false).id_salt("topics");
            rows.show_rows(ui, columns::ROW_HEIGHT, topics.len(), |ui, range| {
                for topic in topics.get(range).unwrap_or_default() {
                    if self.row_ui(ui, &places, topic, view, out) {
                        clicked = Some(topic.name.to_string());
                    }
                }
            });
        });
        if let Some(name) = clicked {
            self.config.selected = if self.config.selected == name { String::new() } else { name };
            out.push(Action::Changed);
        }
    }

    fn row_ui(&self, ui: &mut Ui, places: &[Rect], topic: &Topic, view: &View, out: &mut Vec<Action>) -> bool {
        let p = theme::palette(ui.visuals());
        let timing = measured(view.store, topic.id);
        let cells = cells(topic, timing);
        let figures: Vec<&str> = cells.iter().map(|c| c.0.as_str()).collect();
        let name = format!("{} {}", topic.name, figures.join(" "));
        let row = columns::row_ui(ui, self.config.selected == *topic.name, name.trim_end());
        widget::topic_menu(&row, topic, out);
        let (rect, is_clicked) = (row.rect, row.clicked());
        let Some((name_place, rest)) = places.split_first() else {
            return is_clicked;
        };
        // a strip of density beside the name, where both have room
        let strip_left = name_place.left() + (name_place.width() * 0.5).clamp(140.0, 320.0);
        let has_strip = name_place.right() - strip_left > 60.0;
        let name_end = if has_strip { strip_left - 12.0 } else { name_place.right() };
        columns::cell(
            ui.painter(),
            rect,
            name_place.with_max_x(name_end),
            Align::Left,
            &topic.name,
            p.text,
        );
        if has_strip {
            let strip = Rect::from_min_max(
                pos2(strip_left, rect.top() + 5.0),
                pos2(name_place.right() - 8.0, rect.bottom() - 5.0),
            );
            self.strip_ui(ui, strip, topic, timing, view, out);
        }
        for ((text, is_bad), place) in cells.iter().zip(rest) {
            let color = if *is_bad { p.warn } else { p.text };
            columns::cell(ui.painter(), rect, *place, Align::Right, text, color);
        }
        is_clicked
    }

    /// How densely the messages lie, with its gaps; a click on one goes there.
    fn strip_ui(&self, ui: &Ui, strip: Rect, topic: &Topic, timing: Option<&Timing>, view: &View, out: &mut Vec<Action>) {
        let p = theme::palette(ui.visuals());
        let painter = ui.painter();
        let buckets = (strip.width() / 3.0) as usize;
        let rows = view.store.rows(topic.id, Form::Arrivals);
        let density = match timing.filter(|t| rows.is_some_and(|rows| rows.len() as u64 == t.messages && rows.is_complete(view.span))) {
            Some(timing) => timing.density(view.span, buckets),
            None => {
                let density = view.store.density(topic.id, view.span, buckets);
                density
                    .known
                    .iter()
                    .zip(&density.spread)
                    .map(|(known, spread)| known + spread)
                    .collect()
            }
        };
        let most = density.iter().copied().fold(0.0_f32, f32::max).max(1e-6);
        let first = strip.left().round_to_pixels(ui.pixels_per_point());
        for (at, n) in density.iter().enumerate().filter(|d| *d.1 > 0.0) {
            let left = first + at as f32 * 3.0;
            let height = (strip.height() * (n / most).clamp(0.12, 1.0)).max(2.0);
            let bar = Rect::from_min_max(pos2(left, strip.bottom() - height), pos2(left + 2.0, strip.bottom()));
            painter.rect_filled(bar, 0.0, p.faint);
        }
        let place = |t: crate::time::Time| strip.left() + (fraction(t, view.span) as f32) * strip.width();
        let pointer = ui.input(|i| i.pointer.interact_pos()).filter(|at| strip.expand(3.0).contains(*at));
        let clicked = ui.input(|i| i.pointer.primary_clicked());
        let mark_of = |from, to| {
            let (left, right) = (place(from), place(to));
            Rect::from_x_y_ranges(left..=right.max(left + 2.0), strip.y_range())
        };
        for span in timing.into_iter().flat_map(|t| &t.marks) {
            let mark = mark_of(span.start, span.end).intersect(strip.expand(2.0));
            painter.rect_filled(mark, 0.0, p.warn.gamma_multiply(0.8));
        }
        if let (Some(timing), Some(at)) = (timing, pointer.filter(|_| clicked)) {
            let is_hit = |from, to| mark_of(from, to).expand2(vec2(2.0, 3.0)).contains(at);
            let gap = timing.gaps.iter().find(|gap| is_hit(gap.from, gap.to)).map(|gap| gap.from);
            let mark = || timing.marks.iter().find(|span| is_hit(span.start, span.end)).map(|span| span.start);
            out.extend(gap.or_else(mark).map(Action::Seek));
        }
        let now = place(view.now);
        painter.vline(now, strip.y_range(), egui::Stroke::new(1.0, p.accent));
    }
}

impl HealthPanel {
    /// To the next gap, or the one before: of the selected topic, else of any.
    fn next_gap(&self, forward: bool, view: &View, out: &mut Vec<Action>) {
        let selected = self.selected(view.store).map(|t| t.id);
        let topics = view
            .store
            .topics()
            .iter()
            .map(|t| t.id)
            .filter(|id| selected.is_none_or(|s| s == *id));
        let gaps = topics.filter_map(|id| measured(view.store, id)).flat_map(|timing| &timing.gaps);
        let starts = gaps.map(|gap| gap.from);
        let next = match forward {
            true => starts.filter(|t| *t > view.now).min(),
            false => starts.filter(|t| *t < view.now).max(),
        };
        out.extend(next.map(Action::Seek));
    }

    /// What is measured of all topics that are listed, in seconds and hertz; nothing where it is not measured.
    fn csv(&self, store: &Store) -> String {
        let mut csv = "topic,messages,rate_hz,median_period_s,jitter_s,gaps,longest_gap_s\n".to_owned();
        for topic in self.sorted(store) {
            let secs = |nanos: f64| (nanos * 1e-9).to_string();
            let of = |f: &dyn Fn(&Timing) -> Option<String>| {
                measured(store, topic.id).filter(|t| t.messages > 1).and_then(f).unwrap_or_default()
            };
            let fields = [
                format!("\"{}\"", topic.name.replace('"', "\"\"")),
                topic.messages.to_string(),
                of(&|t| t.rate_hz().map(|hz| hz.to_string())),
                of(&|t| Some(secs(t.median_period_nanos as f64))),
                of(&|t| Some(secs(t.jitter_nanos))),
                of(&|t| Some(t.gap_count.to_string())),
                of(&|t| t.longest.map(|gap| secs(gap.nanos() as f64))),
            ];
            csv.push_str(&fields.join(","));
            csv.push('\n');
        }
        csv
    }
}

const COMMANDS: &[command::Command<HealthPanel>] = &[
    ("Next gap", |health, view, out| health.next_gap(true, view, out)),
    ("Previous gap", |health, view, out| health.next_gap(false, view, out)),
    ("Copy as CSV", |health, view, out| {
        out.push(Action::CopyText(health.csv(view.store)));
    }),
    ("Save as CSV…", |health, view, out| {
        out.push(Action::SaveFile {
            name: "topic_health.csv".into(),
            bytes: health.csv(view.store).into_bytes().into(),
        });
    }),
    ("Most gaps first", |health, _, out| {
        (health.config.sort, health.config.descending) = (Sort::Gaps, true);
        out.push(Action::Changed);
    }),
    ("Close the details", |health, _, out| {
        health.config.selected.clear();
        out.push(Action::Changed);
    }),
];

/// Where there is anything to measure.
fn measured(store: &Store, topic: TopicId) -> Option<&Timing> {
    store.timing(topic).filter(|t| t.messages > 0)
}

fn fraction(t: crate::time::Time, span: Span) -> f64 {
    t.since(span.start) as f64 / (span.nanos().max(1)) as f64
}

/// All columns but the name, and whether the value is worrying.
fn cells(topic: &Topic, timing: Option<&Timing>) -> [(String, bool); 5] {
    let nothing = || (String::new(), false);
    let messages = (topic.messages.to_string(), topic.messages == 0);
    let Some(timing) = timing.filter(|t| t.messages > 1) else {
        return [messages, nothing(), nothing(), nothing(), nothing()];
    };
    let rate = timing.rate_hz().map_or_else(nothing, |hz| (widget::rate_text(hz), false));
    let jitter = time::format_duration(timing.jitter_nanos as i64);
    let longest = timing.longest.map_or_else(nothing, |gap| {
        // the longest is one, if any is
        (time::format_duration(gap.nanos()), timing.gap_count > 0)
    });
    let gaps = (timing.gap_count.to_string(), timing.gap_count > 0);
    [messages, rate, (jitter, false), gaps, longest]
}

impl Panel for HealthPanel {
    fn title(&self, _view: &View) -> String {
        "Topic health".into()
    }

    fn wants(&self, view: &View, out: &mut Vec<Want>) {
        for topic in view.store.topics() {
            let span = view.store.series_span(topic.id, view.now);
            out.push(Want {
                topic: topic.id,
                what: What::Rows {
                    form: Form::Arrivals,
                    span,
                },
            });
            out.push(Want {
                topic: topic.id,
                what: What::Figures(Form::Arrivals),
            });
        }
        if let Some(topic) = self.selected(view.store) {
            let span = view.store.series_span(topic.id, view.now);
            out.push(Want {
                topic: topic.id,
                what: What::Rows { form: Form::Stamps, span },
            });
            out.push(Want {
                topic: topic.id,
                what: What::Figures(Form::Stamps),
            });
        }
    }

    fn ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let rect = ui.available_rect_before_wrap();
        self.refresh(view);
        match &self.state {
            PanelState::Absent(why) => return widget::empty_note(ui, rect, why),
            PanelState::Failed(why) if view.store.topics().iter().all(|t| measured(view.store, t.id).is_none()) => {
                return widget::failure_note(ui, rect, why);
            }
            _ => {}
        }
        let (list, details) = match self.selected(view.store) {
            None => (rect, None),
            Some(topic) if rect.width() > 760.0 => {
                let (list, details) = rect.split_left_right_at_x(rect.right() - 300.0);
                (list, Some((topic, details)))
            }
            Some(topic) => {
                let (list, details) = rect.split_top_bottom_at_fraction(0.5);
                (list, Some((topic, details)))
            }
        };
        let behind = ui.interact(list, ui.scope_id().with("health"), egui::Sense::click());
        ui.scope_builder(egui::UiBuilder::new().max_rect(list), |ui| {
            ui.set_clip_rect(list.intersect(ui.clip_rect()));
            self.list_ui(ui, view, out);
        });
        if let Some((topic, details)) = details {
            ui.scope_builder(egui::UiBuilder::new().max_rect(details), |ui| {
                ui.set_clip_rect(details.intersect(ui.clip_rect()));
                self.detail_ui(ui, topic, view, out);
            });
        }
        command::menu(&behind, COMMANDS, self, view, out);
        ui.advance_cursor_after_rect(rect);
    }

    fn settings_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let field = ui.add(
            egui::TextEdit::singleline(&mut self.search)
                .hint_text("Filter topics")
                .desired_width(f32::INFINITY),
        );
        widget::named(field, "Filter topics");
        theme::widget::section(ui, "What is measured");
        let p: &theme::Palette = theme::palette(ui.visuals());
        for (name, text) in [
            ("Rate", "Messages a second by receive time, on average."),
            ("Jitter", "The standard deviation of the time between two messages."),
            (
                "Gaps",
                "Times without a message of more than 2.5 times the median or the mean period, whichever is longer; at the recording's beginning and end of more than a second, too, of topics that are not latched and have ten messages or more.",
            ),
            ("Skew", "Receive time minus header stamp, of the selected topic."),
        ] {
            ui.label(RichText::new(name).font(theme::semibold(12.0)));
            ui.label(RichText::new(text).color(p.weak));
        }
        let costs = view
            .store
            .topics()
            .iter()
            .filter_map(|t| Some((t, view.store.whole_cost_bytes(t.id)?)));
        let costs: Vec<(&Topic, u64)> = costs.collect();
        if let Some(most) = costs.iter().map(|c| c.1).max() {
            let text = format!("Read all topics ({})", widget::bytes_text(most));
            if ui.button(text).on_hover_text("Reads the whole recording").clicked() {
                out.extend(costs.iter().map(|(topic, _)| Action::ReadWhole(topic.id)));
            }
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
        let Some(topic) = view.store.topic(topic) else { return false };
        self.config.selected = topic.name.to_string();
        true
    }

    fn topics(&self, view: &View) -> Vec<TopicId> {
        self.selected(view.store).map(|t| t.id).into_iter().collect()
    }
}

/// Colours of the histogram's bars.
fn bar_color(ui: &Ui) -> Color32 {
    theme::palette(ui.visuals()).series[0]
}

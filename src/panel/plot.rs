//! Scalars over time: series by message path, exactly decimated to what the screen can show, with the playhead as a cursor.
//!
//! Invariants: what is drawn never exceeds a few points per pixel column and never hides a peak; the visible range belongs to
//! this panel, so nothing lags a frame behind.

mod automatic;
mod axis;
mod canvas;
mod legend;
mod pointer;

use std::sync::Arc;

use egui::{Color32, RichText, Ui};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::panel::{Action, Kind, Panel, PanelState, View, widget};
use crate::store::{Series, Stamp, Store, TopicId, Want, What};
use crate::theme;
use crate::time::Span;

pub const KIND: Kind = Kind {
    id: "plot",
    name: "Plot",
    what: "Numbers of messages over time",
    icon: theme::icon::CHART_LINE,
    create: |config| Box::new(PlotPanel::new(config)),
    automatic: automatic::automatic,
};

/// What a layout stores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Config {
    /// Empty: named after its series.
    title: String,
    series: Vec<SeriesConfig>,
    x_axis: XAxis,
    y: YRange,
    y_right: YRange,
    /// The visible window moves with the playhead while playing.
    follow: bool,
    follow_window_secs: f64,
    /// Shares its visible time range with all other plots that do.
    sync_x: bool,
    legend: bool,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            title: String::new(),
            series: Vec::new(),
            x_axis: XAxis::default(),
            y: YRange::Auto,
            y_right: YRange::Auto,
            follow: false,
            follow_window_secs: 10.0,
            sync_x: true,
            legend: true,
            extra: Map::new(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct SeriesConfig {
    /// `/topic.field.sub`
    path: String,
    /// Empty: named after its path.
    label: String,
    /// `#rrggbb`; none: the next of the theme's series colours.
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<String>,
    visible: bool,
    line_width: f32,
    stamp: Stamp,
    axis: Side,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

impl Default for SeriesConfig {
    fn default() -> SeriesConfig {
        SeriesConfig {
            path: String::new(),
            label: String::new(),
            color: None,
            visible: true,
            line_width: 1.5,
            stamp: Stamp::Receive,
            axis: Side::Left,
            extra: Map::new(),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum XAxis {
    /// Seconds from the recording's start.
    #[default]
    FromStart,
    /// Time of day, UTC.
    Clock,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case")]
enum YRange {
    /// Fits what is visible.
    #[default]
    Auto,
    Manual {
        min: f64,
        max: f64,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Side {
    #[default]
    Left,
    Right,
}

/// A series' path, looked up once.
#[derive(Clone)]
struct Resolved {
    path: String,
    topic: TopicId,
    field: Arc<str>,
    problem: Option<String>,
}

struct PlotPanel {
    config: Config,
    /// One per series of the configuration; None where no topic fits.
    resolved: Vec<Option<Resolved>>,
    view: canvas::ViewRange,
    /// Whether the last frame reported a hover time.
    hovering: bool,
    state: PanelState,
}

impl PlotPanel {
    fn new(config: &Value) -> PlotPanel {
        PlotPanel {
            config: widget::config_from(config),
            resolved: Vec::new(),
            view: canvas::ViewRange::default(),
            hovering: false,
            state: PanelState::Pending("waiting for the first values".into()),
        }
    }

    fn add_series(&mut self, path: String) {
        if !self.config.series.iter().any(|s| s.path == path) {
            self.config.series.push(SeriesConfig {
                path,
                ..SeriesConfig::default()
            });
        }
    }

    /// Looks new paths up; the rest are kept.
    fn resolve(&mut self, store: &Store) {
        self.resolved.resize(self.config.series.len(), None);
        for (series, slot) in self.config.series.iter().zip(&mut self.resolved) {
            let known = slot
                .as_ref()
                .is_some_and(|r| r.path == series.path && store.topic(r.topic).is_some());
            if !known {
                *slot = resolve(store, &series.path);
            }
        }
    }

    fn series<'a>(&self, store: &'a Store, index: usize) -> Option<&'a Series> {
        let resolved = self.resolved.get(index)?.as_ref()?;
        store.series(resolved.topic, &resolved.field, self.config.series.get(index)?.stamp)
    }

    fn color(&self, visuals: &egui::Visuals, index: usize) -> Color32 {
        let own = self
            .config
            .series
            .get(index)
            .and_then(|s| s.color.as_deref())
            .and_then(|c| Color32::from_hex(c).ok());
        let series = &theme::palette(visuals).series;
        own.unwrap_or(series[index % series.len()])
    }

    /// What is read of the visible series, for the state and the offer to read all.
    fn coverage(&self, view: &View) -> Coverage {
        let mut coverage = Coverage {
            read_nanos: view.span.nanos(),
            whole: true,
            waiting: false,
            cost_bytes: 0,
            ask: Vec::new(),
        };
        for (index, _) in self.config.series.iter().enumerate().filter(|(_, s)| s.visible) {
            let Some(resolved) = self.resolved.get(index).and_then(Option::as_ref).filter(|r| r.problem.is_none()) else {
                continue;
            };
            let wanted = wanted_span(view, resolved.topic);
            let loaded = self.series(view.store, index);
            let complete = loaded.is_some_and(|s| s.is_complete(wanted));
            coverage.waiting |= !complete;
            let cost = view.store.whole_cost_bytes(resolved.topic);
            coverage.whole &= complete && cost.is_none();
            let spans = loaded.map(Series::loaded).unwrap_or_default();
            coverage.read_nanos = coverage.read_nanos.min(widget::covered_nanos(spans, view.span));
            if let Some(bytes) = cost
                && !coverage.ask.contains(&resolved.topic)
            {
                coverage.ask.push(resolved.topic);
                coverage.cost_bytes += bytes;
            }
        }
        // topics share chunks: together they never cost more than the files
        coverage.cost_bytes = coverage.cost_bytes.min(view.store.sources().iter().map(|s| s.size).sum());
        coverage
    }

    fn new_state(&self, view: &View, coverage: &Coverage) -> PanelState {
        if self.config.series.is_empty() {
            return PanelState::Absent("No series yet: add one, or drag a topic here".into());
        }
        let problems: Vec<String> = self.problems();
        if problems.len() == self.config.series.len() {
            return PanelState::Failed(problems.join("; "));
        }
        let any_value = (0..self.config.series.len()).any(|i| self.series(view.store, i).is_some_and(|s| !s.loaded().is_empty()));
        if coverage.waiting && !any_value {
            return PanelState::Pending("the values are being read".into());
        }
        if !coverage.whole {
            return PanelState::Partial(coverage.text(view.span));
        }
        match problems.first() {
            Some(problem) => PanelState::Partial(problem.clone()),
            None => PanelState::Ready,
        }
    }

    fn problems(&self) -> Vec<String> {
        self.config
            .series
            .iter()
            .zip(&self.resolved)
            .filter_map(|(series, resolved)| match resolved {
                None => Some(format!("The recording has no topic for {}", series.path)),
                Some(resolved) => resolved.problem.clone(),
            })
            .collect()
    }
}

struct Coverage {
    read_nanos: i64,
    whole: bool,
    waiting: bool,
    cost_bytes: u64,
    /// Topics whose whole recording is not read unasked.
    ask: Vec<TopicId>,
}

impl Coverage {
    fn text(&self, span: Span) -> String {
        format!("{:.0} of {:.0} s read", self.read_nanos as f64 * 1e-9, span.nanos() as f64 * 1e-9)
    }
}

fn wanted_span(view: &View, topic: TopicId) -> Span {
    let span = view.store.series_span(topic, view.now);
    Span::new(view.span.clamp(span.start), view.span.clamp(span.end))
}

fn resolve(store: &Store, path: &str) -> Option<Resolved> {
    let (topic, field) = widget::split_path(store, path)?;
    let problem = match &topic.schema {
        None => Some(format!(
            "{} cannot be decoded: {}",
            topic.name,
            topic.schema_error.as_deref().unwrap_or("no message definition")
        )),
        Some(_) if field.is_empty() => Some(format!("Choose a field of {}", topic.name)),
        Some(schema) => schema.column(field).err().map(|e| e.to_string()),
    };
    Some(Resolved {
        path: path.to_owned(),
        topic: topic.id,
        field: field.into(),
        problem,
    })
}

impl Panel for PlotPanel {
    fn title(&self, _view: &View) -> String {
        if self.config.title.is_empty() {
            legend::title(&self.config.series)
        } else {
            self.config.title.clone()
        }
    }

    fn wants(&self, view: &View, out: &mut Vec<Want>) {
        for series in self.config.series.iter().filter(|s| s.visible) {
            let known = self
                .resolved
                .iter()
                .flatten()
                .find(|r| r.path == series.path && view.store.topic(r.topic).is_some());
            let Some(resolved) = known
                .cloned()
                .or_else(|| resolve(view.store, &series.path))
                .filter(|r| r.problem.is_none())
            else {
                continue;
            };
            out.push(Want {
                topic: resolved.topic,
                what: What::Series {
                    path: Arc::clone(&resolved.field),
                    stamp: series.stamp,
                    span: wanted_span(view, resolved.topic),
                },
            });
        }
    }

    fn ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        self.resolve(view.store);
        let coverage = self.coverage(view);
        self.state = self.new_state(view, &coverage);
        let rect = ui.available_rect_before_wrap();
        if self.config.series.is_empty() {
            self.empty_ui(ui, view, out);
        } else if let PanelState::Failed(why) = &self.state {
            widget::failure_note(ui, rect, why);
        } else {
            if self.config.legend {
                self.legend_ui(ui, view, out);
            }
            self.canvas_ui(ui, view, &coverage, out);
        }
        ui.advance_cursor_after_rect(rect);
    }

    fn settings_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        self.resolve(view.store);
        let before = self.config.clone();
        legend::series_settings(ui, &mut self.config);
        if let Some(path) = widget::path_picker(ui, "plot path", view.store, "Add a series…") {
            self.add_series(path);
        }
        ui.separator();
        axis_settings(ui, &mut self.config);
        ui.horizontal(|ui| {
            if ui.button("Reset view").on_hover_text("Everything in view (double-click)").clicked() {
                self.view = canvas::ViewRange::default();
                canvas::share_range(ui.ctx(), None);
            }
            if ui
                .button("Copy as CSV")
                .on_hover_text("What is visible, as comma-separated values")
                .clicked()
            {
                out.push(Action::CopyText(self.csv(view)));
            }
        });
        if self.config != before {
            out.push(Action::Changed);
        }
    }

    fn config(&self) -> Value {
        serde_json::to_value(&self.config).unwrap_or_default()
    }

    fn state(&self, _view: &View) -> PanelState {
        self.state.clone()
    }

    fn drop_topic(&mut self, view: &View, topic: TopicId) -> bool {
        let Some(topic) = view.store.topic(topic) else { return false };
        let Some(schema) = &topic.schema else { return false };
        let paths = automatic::telling_paths(&topic.type_name, &schema.scalar_paths(), 3);
        for path in &paths {
            self.add_series(format!("{}.{path}", topic.name));
        }
        !paths.is_empty()
    }

    fn topics(&self, view: &View) -> Vec<TopicId> {
        let mut topics: Vec<TopicId> = self
            .config
            .series
            .iter()
            .filter_map(|s| widget::split_path(view.store, &s.path))
            .map(|(t, _)| t.id)
            .collect();
        topics.sort_unstable();
        topics.dedup();
        topics
    }
}

impl PlotPanel {
    fn empty_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let rect = ui.available_rect_before_wrap();
        let middle = egui::Rect::from_center_size(rect.center(), egui::vec2(280.0_f32.min(rect.width()), 56.0));
        ui.scope_builder(egui::UiBuilder::new().max_rect(middle), |ui| {
            ui.vertical_centered(|ui| {
                ui.label(RichText::new("Drag a topic here, or choose what to plot").weak());
                if let Some(path) = widget::path_picker(ui, "first path", view.store, "Add a series…") {
                    self.add_series(path);
                    out.push(Action::Changed);
                }
            });
        });
    }
}

fn axis_settings(ui: &mut Ui, config: &mut Config) {
    egui::Grid::new("plot settings").num_columns(2).spacing([12.0, 6.0]).show(ui, |ui| {
        let name = |ui: &mut Ui, text: &str| ui.label(RichText::new(text).weak()).id;
        let title = name(ui, "Title");
        ui.add(
            egui::TextEdit::singleline(&mut config.title)
                .hint_text("After its series")
                .desired_width(160.0),
        )
        .labelled_by(title);
        ui.end_row();
        name(ui, "Time axis");
        ui.horizontal(|ui| {
            ui.selectable_value(&mut config.x_axis, XAxis::FromStart, "From start");
            ui.selectable_value(&mut config.x_axis, XAxis::Clock, "Clock");
        });
        ui.end_row();
        let left = name(ui, "Left axis");
        y_settings(ui, &mut config.y, left);
        ui.end_row();
        if config.series.iter().any(|s| s.axis == Side::Right) {
            let right = name(ui, "Right axis");
            y_settings(ui, &mut config.y_right, right);
            ui.end_row();
        }
        let follow = name(ui, "Follow");
        ui.horizontal(|ui| {
            ui.checkbox(&mut config.follow, "while playing");
            ui.add_enabled(
                config.follow,
                egui::DragValue::new(&mut config.follow_window_secs)
                    .range(0.05..=3600.0)
                    .speed(0.1)
                    .suffix(" s"),
            )
            .labelled_by(follow);
        });
        ui.end_row();
        name(ui, "Time range");
        ui.checkbox(&mut config.sync_x, "same in all plots");
        ui.end_row();
        name(ui, "Legend");
        ui.checkbox(&mut config.legend, "shown");
        ui.end_row();
    });
}

fn y_settings(ui: &mut Ui, range: &mut YRange, label: egui::Id) {
    ui.horizontal(|ui| {
        let (min, max) = match *range {
            YRange::Auto => (0.0, 1.0),
            YRange::Manual { min, max } => (min, max),
        };
        ui.selectable_value(range, YRange::Auto, "Auto");
        ui.selectable_value(range, YRange::Manual { min, max }, "Fixed");
        if let YRange::Manual { min, max } = range {
            ui.add(egui::DragValue::new(min).speed(0.05)).labelled_by(label);
            ui.add(egui::DragValue::new(max).speed(0.05)).labelled_by(label);
        }
    });
}

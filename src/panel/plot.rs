//! Values of messages over time, against each other, as spectrum or histogram: any message path on either axis.
//!
//! Invariants: what is drawn never exceeds a few points per pixel column and never hides a peak; the visible range belongs to
//! this panel, so nothing lags a frame behind.

mod automatic;
mod axis;
mod background;
mod canvas;
mod config;
mod curves;
mod export;
mod legend;
mod measure;
mod pointer;
mod readout;
mod settings;

use std::sync::Arc;

use egui::{Color32, RichText, Ui};
use serde_json::Value;

use crate::panel::{Action, DraggedPath, Kind, Panel, PanelState, View, command, stamps, widget};
use crate::path::topic_text;
use crate::store::{Series, Signal, Stamp, Store, TopicId, Want, What};
use crate::theme;
use crate::time::{Span, Time};
use config::{Config, SeriesConfig, XAxis};

pub const KIND: Kind = Kind {
    id: "plot",
    name: "Plot",
    what: "Numbers of messages over time, against each other, as spectrum or histogram",
    icon: theme::icon::CHART_LINE,
    create: |config| Box::new(PlotPanel::new(config)),
    schema: crate::panel::schema_of::<Config>,
    automatic: automatic::automatic,
};

/// Of more points in view only summaries are drawn, so that points given up for memory are not read again.
const MOST_POINTS_IN_VIEW: u64 = 2_000_000;

struct PlotPanel {
    config: Config,
    /// One per series of the configuration.
    signals: Vec<Signal>,
    /// What x is of, where that is a path: one per series.
    x_signals: Vec<Signal>,
    /// What colours the background.
    background: Signal,
    /// As `signals`.
    asked: Vec<curves::Asked>,
    view: canvas::ViewRange,
    /// Whether the last frame reported a hover time.
    hovering: bool,
    /// Which of the two cursors is being dragged.
    dragged_cursor: Option<usize>,
    /// Where the picture is that is to be saved once it is drawn.
    picture: Option<export::Picture>,
    /// For the time range that all plots share.
    ctx: Option<egui::Context>,
    /// Of a legend that stands below, when it was drawn last.
    legend_height: f32,
    state: PanelState,
}

impl PlotPanel {
    fn new(config: &Value) -> PlotPanel {
        PlotPanel {
            config: widget::config_from(config),
            signals: Vec::new(),
            x_signals: Vec::new(),
            background: Signal::default(),
            asked: Vec::new(),
            view: canvas::ViewRange::default(),
            hovering: false,
            dragged_cursor: None,
            picture: None,
            ctx: None,
            legend_height: 22.0,
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

    /// Brings the signals up to date with the configuration and with what is loaded.
    fn refresh(&mut self, store: &Store) {
        self.signals.resize_with(self.config.series.len(), Signal::default);
        for (series, signal) in self.config.series.iter().zip(&mut self.signals) {
            renew(signal, &series.path, series.stamp());
            signal.refresh(store);
        }
        let xs = if self.config.x_axis.is_path() {
            self.config.series.len()
        } else {
            0
        };
        self.x_signals.resize_with(xs, Signal::default);
        for (series, signal) in self.config.series.iter().zip(&mut self.x_signals) {
            renew(signal, self.config.x_path_of(series), Stamp::Receive);
            signal.refresh(store);
        }
        renew(&mut self.background, &self.config.background.path, Stamp::Receive);
        self.background.refresh(store);
    }

    /// Signals beside those of the series.
    fn others(&self) -> impl Iterator<Item = &Signal> {
        let is_drawn = |(index, x): &(usize, &Signal)| self.is_shown(*index) && x.problem().is_none();
        let xs = self.x_signals.iter().enumerate().filter(is_drawn);
        let background = Some(&self.background).filter(|b| self.has_background() && b.problem().is_none());
        xs.map(|(_, x)| x).chain(background)
    }

    fn series<'a>(&'a self, store: &'a Store, index: usize) -> Option<&'a Series> {
        let signal = self.signals.get(index).filter(|s| problem(s).is_none())?;
        signal.series(store)
    }

    /// What a series is worth at a time, with all digits of an integer; of a number about so many.
    fn worth_text(&self, store: &Store, index: usize, t: Time, width: usize) -> Option<String> {
        let signal = self.signals.get(index)?;
        if let Some(constant) = signal.constant() {
            return Some(widget::value_text(constant, width));
        }
        let value = self.series(store, index)?.value_at(t)?;
        let integer = signal.integer_at(store, t).map(|n| n.to_string());
        Some(integer.unwrap_or_else(|| widget::value_text(value, width)))
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
        let shown = self.signals.iter().enumerate().filter(|(i, _)| self.is_shown(*i)).map(|(_, s)| s);
        for signal in shown.chain(self.others()) {
            for (topic, loaded) in signal.topics().iter().zip(signal.sources(view.store)) {
                // it may be shorter than what is open beside it
                if loaded.is_complete(view.span) {
                    continue;
                }
                let complete = loaded.is_complete(wanted_span(view, *topic));
                coverage.waiting |= !complete;
                let cost = view.store.whole_cost_bytes(*topic);
                coverage.whole = false;
                coverage.read_nanos = coverage.read_nanos.min(widget::covered_nanos(loaded.loaded(), view.span));
                if let Some(bytes) = cost
                    && !coverage.ask.contains(topic)
                {
                    coverage.ask.push(*topic);
                    coverage.cost_bytes += bytes;
                }
            }
            let is_there = signal.sources(view.store).len() == signal.topics().len();
            coverage.waiting |= !is_there;
            coverage.whole &= is_there;
        }
        // topics share chunks: together they never cost more than the files
        coverage.cost_bytes = coverage.cost_bytes.min(view.store.sources().iter().map(|s| s.size).sum());
        coverage
    }

    fn new_state(&self, view: &View, coverage: &Coverage) -> PanelState {
        if self.config.series.is_empty() {
            return PanelState::Absent("No series yet: add one, or drag a topic here".into());
        }
        let mut problems: Vec<String> = self.problems();
        let are_all = problems.len() >= self.config.series.len();
        problems.dedup();
        if are_all {
            return PanelState::Failed(problems.join("; "));
        }
        let any_value = self
            .signals
            .iter()
            .any(|s| s.constant().is_some() || s.sources(view.store).iter().any(|s| !s.loaded().is_empty()));
        if let Some(why) = self.signals.iter().find_map(|s| s.failure(view.store)) {
            let why = why.to_string();
            return if any_value {
                PanelState::Partial(why)
            } else {
                PanelState::Failed(why)
            };
        }
        if coverage.waiting && !any_value {
            return PanelState::Pending("the values are being read".into());
        }
        if !coverage.whole {
            return PanelState::Partial(coverage.text(view.span));
        }
        let shown = || self.signals.iter().enumerate().filter(|(index, _)| self.is_shown(*index));
        if let Some((_, signal)) = shown().find(|(_, s)| !s.is_exact(view.store, view.span)) {
            return PanelState::Partial(format!("the last digits of {} are being read", signal.text()));
        }
        if let Some(signal) = self.signals.iter().chain(self.others()).find(|s| !s.is_computed(view.store)) {
            return PanelState::Partial(format!("{} is being computed", signal.text()));
        }
        let queries = || self.asked.iter().filter_map(curves::Asked::query);
        if queries().any(|query| !view.store.is_analyzed(query)) {
            return PanelState::Partial(format!("the {} is being computed", self.config.x_axis.what_is_computed()));
        }
        let behind = self.has_background().then(|| self.background.problem()).flatten();
        match problems.first().or(behind.map(|p| &p.what)) {
            Some(problem) => PanelState::Partial(problem.clone()),
            None if self.asked.iter().any(curves::Asked::is_part) => {
                PanelState::Partial("Not all values took part: there are too many".into())
            }
            None => stamps::note(shown().map(|(_, signal)| signal), view.store).map_or(PanelState::Ready, PanelState::Partial),
        }
    }

    /// Why series are not drawn.
    fn problems(&self) -> Vec<String> {
        let x = |index: usize| self.x_signals.get(index).and_then(problem);
        let signals = self.signals.iter().enumerate();
        signals.filter_map(|(index, y)| x(index).or_else(|| problem(y))).collect()
    }

    /// Where points themselves are needed, not only summaries.
    fn needed_points(&self, view: &View, signal: &Signal) -> Option<Span> {
        let span = match self.config.x_axis {
            XAxis::Path => return Some(Span::ALL),
            XAxis::Index | XAxis::CurrentPath => return Some(Span::at(view.now)),
            XAxis::Frequency | XAxis::Value => self.shown_time(view),
            _ => {
                let (from, to) = self.view.x?;
                Span::new(canvas::time_of(view, from), canvas::time_of(view, to))
            }
        };
        let count = signal.series(view.store)?.statistics(span).count();
        (count <= MOST_POINTS_IN_VIEW).then_some(span)
    }

    fn wants_of(&self, view: &View, signal: &Signal, out: &mut Vec<Want>) {
        let span = signal
            .topics()
            .iter()
            .map(|t| wanted_span(view, *t))
            .reduce(Span::union)
            .unwrap_or(view.span);
        signal.wants(span, out);
        let is_summed_up = signal.series(view.store).is_some_and(|s| !s.has_points(Span::ALL));
        let points = is_summed_up.then(|| self.needed_points(view, signal)).flatten();
        if let Some(points) = points {
            signal.wants_points(points, out);
        }
        signal.wants_rest(view.store, span, points, out);
    }
}

fn renew(signal: &mut Signal, path: &str, stamp: Stamp) {
    if signal.text() != path || *signal.stamp() != stamp {
        *signal = Signal::new(path, stamp);
    }
}

/// Why a signal cannot be drawn.
fn problem(signal: &Signal) -> Option<String> {
    if let Some(problem) = signal.problem() {
        return Some(problem.what.clone());
    }
    let kind = signal.program()?.kind();
    (!kind.is_number()).then(|| format!("{} is a text: state transitions show it, a plot cannot", signal.text()))
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

const COMMANDS: &[command::Command<PlotPanel>] = &[
    ("Reset view", |plot, _, _| {
        if let Some(ctx) = plot.ctx.clone() {
            plot.reset_view(&ctx);
        }
    }),
    ("Follow while playing", |plot, _, out| {
        plot.config.follow = !plot.config.follow;
        out.push(Action::Changed);
    }),
    ("Statistics of what is visible", |plot, _, out| {
        plot.config.statistics = !plot.config.statistics;
        out.push(Action::Changed);
    }),
    ("Put a cursor at the playhead", |plot, view, out| {
        let visible = plot.view.x.unwrap_or((0.0, canvas::secs_of(view, view.span.end)));
        plot.place_cursor(canvas::secs_of(view, view.now), visible);
        out.push(Action::Changed);
    }),
    ("Remove the cursors", |plot, _, out| {
        plot.config.cursors = None;
        out.push(Action::Changed);
    }),
    ("Same scale on both axes", |plot, _, out| {
        plot.config.equal_scale = !plot.config.equal_scale;
        out.push(Action::Changed);
    }),
    ("Show over time", |plot, _, out| plot.show_over(XAxis::FromStart, out)),
    ("Show the spectrum", |plot, _, out| plot.show_over(XAxis::Frequency, out)),
    ("Show the histogram", |plot, _, out| plot.show_over(XAxis::Value, out)),
    ("Copy as CSV", |plot, view, out| out.push(Action::CopyText(plot.csv(view).text()))),
    ("Save as CSV…", |plot, view, out| plot.save_csv(view, out)),
    ("Save as PNG…", |plot, _, _| {
        if let Some(ctx) = plot.ctx.clone() {
            plot.ask_for_picture(export::Goal::File, &ctx);
        }
    }),
    ("Copy as a picture", |plot, _, _| {
        if let Some(ctx) = plot.ctx.clone() {
            plot.ask_for_picture(export::Goal::Clipboard, &ctx);
        }
    }),
];

impl Panel for PlotPanel {
    fn title(&self, _view: &View) -> String {
        if self.config.title.is_empty() {
            legend::title(&self.config.series)
        } else {
            self.config.title.clone()
        }
    }

    fn wants(&self, view: &View, out: &mut Vec<Want>) {
        // one that is not drawn yet is not known yet
        let current = |known: Option<&Signal>, path: &str, stamp: Stamp| {
            let known = known.filter(|s| s.text() == path && *s.stamp() == stamp);
            known.cloned().unwrap_or_else(|| {
                let mut signal = Signal::new(path, stamp);
                signal.refresh(view.store);
                signal
            })
        };
        if self.has_background() {
            let background = current(Some(&self.background), &self.config.background.path, Stamp::Receive);
            self.wants_of(view, &background, out);
        }
        for (index, series) in self.config.series.iter().enumerate().filter(|(_, s)| s.visible) {
            let signal = current(self.signals.get(index), &series.path, series.stamp());
            self.wants_of(view, &signal, out);
            let x = || current(self.x_signals.get(index), self.config.x_path_of(series), Stamp::Receive);
            let x = self.config.x_axis.is_path().then(x);
            x.iter().for_each(|x| self.wants_of(view, x, out));
            let asked = self.asked.get(index).and_then(curves::Asked::query).cloned();
            let query = asked.or_else(|| self.query_of(view, &signal, x.as_ref()).map(Arc::new));
            out.extend(query.map(|query| Want {
                topic: query.of.topic,
                what: What::Analysis(query),
            }));
        }
    }

    fn ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        self.ctx = Some(ui.ctx().clone());
        self.refresh(view.store);
        self.renew_asked(view);
        let coverage = self.coverage(view);
        self.state = self.new_state(view, &coverage);
        let rect = ui.available_rect_before_wrap();
        if self.config.series.is_empty() {
            self.empty_ui(ui, view, out);
        } else if let PanelState::Failed(why) = &self.state {
            widget::failure_note(ui, rect, why);
        } else {
            self.drawn_ui(ui, view, &coverage, out);
        }
        self.take_dragged(ui, rect, out);
        self.take_picture(ui, rect, out);
        ui.advance_cursor_after_rect(rect);
    }

    fn settings_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        self.refresh(view.store);
        self.renew_asked(view);
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
        let Some(topic) = view.store.topic(topic) else { return false };
        let Some(schema) = &topic.schema else { return false };
        let paths = automatic::telling_paths(&topic.type_name, &schema.scalar_paths(), 3);
        for path in &paths {
            self.add_series(format!("{}.{path}", topic_text(&topic.name)));
        }
        !paths.is_empty()
    }

    fn topics(&self, view: &View) -> Vec<TopicId> {
        let known = |s: &SeriesConfig| view.store.topic_of_path(&s.path).map(|t| t.id);
        let mut topics: Vec<TopicId> = self.config.series.iter().filter_map(known).collect();
        topics.extend(self.signals.iter().chain(self.others()).flat_map(Signal::topics));
        topics.sort_unstable();
        topics.dedup();
        topics
    }
}

impl PlotPanel {
    fn show_over(&mut self, x_axis: XAxis, out: &mut Vec<Action>) {
        (self.config.x_axis, self.view) = (x_axis, canvas::ViewRange::default());
        out.push(Action::Changed);
    }

    /// Names and plot, as the configuration arranges them.
    fn drawn_ui(&mut self, ui: &mut Ui, view: &View, coverage: &Coverage, out: &mut Vec<Action>) {
        use config::LegendPlace as At;
        let rect = ui.available_rect_before_wrap();
        // figures are a table: beside the plot there is no room for it
        let place = match (self.config.legend_place, self.config.statistics) {
            (At::Left | At::Right | At::Inside, true) => At::Top,
            (place, _) => place,
        };
        let inside = |rect| egui::UiBuilder::new().max_rect(rect);
        let side = self.legend_width(ui).min(rect.width() * 0.45);
        match place {
            _ if !self.config.legend => drop(self.canvas_ui(ui, view, coverage, out)),
            At::Top => {
                self.legend_ui(ui, view, out);
                self.canvas_ui(ui, view, coverage, out);
            }
            At::Bottom => {
                let (above, below) = rect.split_top_bottom_at_y(rect.bottom() - self.legend_height);
                ui.scope_builder(inside(above), |ui| self.canvas_ui(ui, view, coverage, out));
                let legend = ui.scope_builder(inside(below), |ui| self.legend_ui(ui, view, out));
                let height = legend.response.rect.height().min(rect.height() * 0.5);
                if (height - self.legend_height).abs() > 0.5 {
                    self.legend_height = height;
                    ui.ctx().request_discard("the legend's height is known now");
                }
            }
            At::Left => {
                let (names, plot) = rect.split_left_right_at_x(rect.left() + side);
                ui.scope_builder(inside(names), |ui| self.legend_column(ui, view, out));
                ui.scope_builder(inside(plot), |ui| self.canvas_ui(ui, view, coverage, out));
            }
            At::Right => {
                let (plot, names) = rect.split_left_right_at_x(rect.right() - side);
                ui.scope_builder(inside(plot), |ui| self.canvas_ui(ui, view, coverage, out));
                ui.scope_builder(inside(names), |ui| self.legend_column(ui, view, out));
            }
            At::Inside => {
                if let Some(plot) = self.canvas_ui(ui, view, coverage, out) {
                    self.legend_over(ui, plot, coverage.whole, view, out);
                }
            }
        }
    }

    fn empty_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let rect = ui.available_rect_before_wrap();
        let middle = egui::Rect::from_center_size(rect.center(), egui::vec2(280.0_f32.min(rect.width()), 56.0));
        ui.scope_builder(egui::UiBuilder::new().max_rect(middle), |ui| {
            ui.vertical_centered(|ui| {
                ui.label(RichText::new("Drag a topic or a field here, or choose what to plot").weak());
                if let Some(path) = widget::path_picker(ui, "first path", view.store, "Add a series…") {
                    self.add_series(path);
                    out.push(Action::Changed);
                }
            });
        });
    }

    /// A field that is dropped becomes a series; with Shift it becomes what x is of.
    fn take_dragged(&mut self, ui: &Ui, rect: egui::Rect, out: &mut Vec<Action>) {
        let Some(dragged) = egui::DragAndDrop::payload::<DraggedPath>(ui.ctx()) else {
            return;
        };
        let (at, released, shift) = ui.input(|i| (i.pointer.interact_pos(), i.pointer.any_released(), i.modifiers.shift));
        if !at.is_some_and(|at| rect.contains(at)) {
            return;
        }
        let accent = theme::palette(ui.visuals()).accent;
        let ring = egui::Stroke::new(2.0, accent);
        ui.painter().rect_stroke(rect.shrink(2.0), 4.0, ring, egui::StrokeKind::Inside);
        if !released {
            return;
        }
        egui::DragAndDrop::clear_payload(ui.ctx());
        if shift {
            self.config.x_axis = XAxis::Path;
            self.config.x_path = dragged.0.clone();
        } else {
            self.add_series(dragged.0.clone());
        }
        out.push(Action::Changed);
    }
}

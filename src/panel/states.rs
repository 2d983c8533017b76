//! States over time: each path a lane, each value a band from its first message to the next change.
//!
//! Invariant: all lanes share one time axis; what cannot be read says so in its own lane, and the others stay.

use std::collections::BTreeMap;

use egui::{Align2, Color32, PointerButton, Rangef, Rect, RichText, Sense, Stroke, Ui, pos2, vec2};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::panel::bands::{self, Band, Colors, State};
use crate::panel::stamps::StampKind;
use crate::panel::time_axis::{Labels, TimeAxis};
use crate::panel::{Action, Kind, Panel, PanelState, View, command, linked, path_field, stamps, widget};
use crate::store::{Signal, Stamp, TopicId, Want};
use crate::theme::{self, Palette, icon};
use crate::time::{self, Span, Time};

pub const KIND: Kind = Kind {
    id: "states",
    name: "State transitions",
    what: "Values of fields as bands over time: modes, flags, levels",
    icon: theme::icon::ROWS,
    create: |config| Box::new(StatesPanel::new(config)),
    schema: crate::panel::schema_of::<Config>,
    automatic: |_| Vec::new(),
};

const LANE_HEIGHT: f32 = 28.0;
const AXIS_HEIGHT: f32 = 20.0;
const RIGHT_MARGIN: f32 = 8.0;
/// Of a band, in points.
const LEAST_WIDTH: f32 = 2.0;
/// Of a band with a name that is cut.
const LEAST_NAME_WIDTH: f32 = 40.0;
const SHORTEST_NANOS: i64 = 1_000_000;

/// What a layout stores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
struct Config {
    paths: Vec<Lane>,
    stamp: StampKind,
    /// What the times are, where that is a path of the same messages.
    #[serde(skip_serializing_if = "String::is_empty")]
    stamp_path: String,
    /// Shares its visible time range with all plots that do, and with others of its kind.
    sync_x: bool,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            paths: Vec::new(),
            stamp: StampKind::default(),
            stamp_path: String::new(),
            sync_x: true,
            extra: Map::new(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
struct Lane {
    path: String,
    /// In place of the path.
    label: String,
    visible: bool,
    /// None: the panel's.
    #[serde(skip_serializing_if = "Option::is_none")]
    stamp: Option<StampKind>,
    /// What its times are, where that is a path of the same messages.
    #[serde(skip_serializing_if = "String::is_empty")]
    stamp_path: String,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

impl Default for Lane {
    fn default() -> Lane {
        Lane {
            path: String::new(),
            label: String::new(),
            visible: true,
            stamp: None,
            stamp_path: String::new(),
            extra: Map::new(),
        }
    }
}

struct StatesPanel {
    config: Config,
    /// As `config.paths`.
    signals: Vec<Signal>,
    /// What is shown of the recording, where it is not shared; None: all.
    shown: Option<Span>,
    /// For the time range that plots share.
    ctx: Option<egui::Context>,
    hovering: bool,
    state: PanelState,
}

impl StatesPanel {
    fn new(config: &Value) -> StatesPanel {
        StatesPanel {
            config: widget::config_from(config),
            signals: Vec::new(),
            shown: None,
            ctx: None,
            hovering: false,
            state: PanelState::Pending("states are being read".into()),
        }
    }

    fn refresh(&mut self, view: &View) {
        self.signals.truncate(self.config.paths.len());
        for (at, lane) in self.config.paths.iter().enumerate() {
            let stamp = match lane.stamp {
                Some(own) => own.stamp(&lane.stamp_path),
                None => self.config.stamp.stamp(&self.config.stamp_path),
            };
            // of what is hidden nothing is read
            let path = if lane.visible { lane.path.as_str() } else { "" };
            match self.signals.get_mut(at) {
                Some(signal) if signal.text() == path && *signal.stamp() == stamp => {}
                Some(signal) => *signal = Signal::new(path, stamp),
                None => self.signals.push(Signal::new(path, stamp)),
            }
        }
        for signal in &mut self.signals {
            signal.refresh(view.store);
        }
        self.state = self.state_of(view);
    }

    fn state_of(&self, view: &View) -> PanelState {
        if self.signals.iter().all(|s| s.text().is_empty()) {
            if self.config.paths.iter().any(|lane| !lane.path.is_empty()) {
                return PanelState::Absent("All lanes are hidden: show one in the settings".into());
            }
            return PanelState::Absent("Add a path in the settings, or drag a topic here".into());
        }
        let given = || self.signals.iter().filter(|s| !s.text().is_empty());
        if let Some(why) = given().find_map(problem) {
            return PanelState::Failed(why);
        }
        if let Some(why) = given().find_map(|s| s.failure(view.store)) {
            return PanelState::Failed(why.to_string());
        }
        if given().any(|s| !s.is_complete(view.store, Span::at(view.now))) {
            return PanelState::Pending("states are being read at the playhead".into());
        }
        if given().any(|s| !s.is_complete(view.store, view.span) || !s.is_exact(view.store, view.span)) {
            return PanelState::Partial("states are not read everywhere yet".into());
        }
        stamps::note(given(), view.store).map_or(PanelState::Ready, PanelState::Partial)
    }

    fn shown(&self, view: &View) -> Span {
        if !self.config.sync_x {
            return self.shown.unwrap_or(view.span);
        }
        let time = |secs: f64| view.span.start.plus_nanos((secs * 1e9).round() as i64);
        let shared = self.ctx.as_ref().and_then(linked::shared);
        shared.map_or(view.span, |(from, to)| Span::new(time(from), time(to)))
    }

    /// None: all of the recording.
    fn show(&mut self, shown: Option<Span>, view: &View) {
        self.shown = shown;
        if let Some(ctx) = self.ctx.as_ref().filter(|_| self.config.sync_x) {
            let secs = |t: Time| t.since(view.span.start) as f64 * 1e-9;
            linked::share(ctx, shown.map(|span| (secs(span.start), secs(span.end))));
        }
    }

    fn bands(&self, at: usize, view: &View, span: Span, columns: usize) -> Vec<Band> {
        let signal = self.signals.get(at);
        signal.map_or_else(Vec::new, |s| {
            bands::bands(s, view.store, span, columns, view.now.min(view.span.end))
        })
    }

    /// To where the value of any lane changes next.
    fn next_change(&self, forward: bool, view: &View, out: &mut Vec<Action>) {
        const COLUMNS: usize = 8192;
        let lanes = (0..self.config.paths.len()).flat_map(|at| self.bands(at, view, view.span, COLUMNS).into_iter().skip(1));
        let changes = lanes.map(|band| band.from);
        let next = match forward {
            true => changes.filter(|t| *t > view.now).min(),
            false => changes.filter(|t| *t < view.now).max(),
        };
        out.extend(next.map(Action::Seek));
    }

    fn value_text(&self, at: usize, view: &View) -> String {
        let newest = self.signals.get(at).and_then(|s| bands::at(s, view.store, view.now));
        newest.map_or_else(|| "–".to_owned(), |state| self.name_of(at, state, view))
    }

    /// Those that are shown, with their numbers.
    fn lanes(&self) -> impl Iterator<Item = (usize, &Lane)> {
        self.config.paths.iter().enumerate().filter(|(_, lane)| lane.visible)
    }

    /// Each lane's path and value at the playhead.
    fn states_text(&self, view: &View) -> String {
        let lanes = self.lanes();
        let lines = lanes.map(|(at, lane)| format!("{}: {}", lane.path, self.value_text(at, view)));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn name_of(&self, at: usize, state: State, view: &View) -> String {
        let signal = self.signals.get(at);
        signal.map_or_else(String::new, |s| bands::name_of(s, view.store, state))
    }

    fn lanes_ui(&mut self, ui: &mut Ui, rect: Rect, view: &View, out: &mut Vec<Action>) {
        let p = theme::palette(ui.visuals());
        let names = (rect.width() * 0.24).clamp(70.0, 220.0);
        let plot = Rect::from_min_max(
            pos2(rect.left() + names, rect.top()),
            pos2(rect.right() - RIGHT_MARGIN, rect.bottom() - AXIS_HEIGHT),
        );
        let span = self.shown(view);
        let response = ui.interact(plot, ui.scope_id().with("states"), Sense::click_and_drag());
        let response = widget::named(response, "State transitions");
        let x_of = |t: Time| plot.left() + (t.since(span.start) as f64 / span.nanos().max(1) as f64 * f64::from(plot.width())) as f32;
        axis(ui, plot, span, view, x_of);
        let pointer = response.hover_pos();
        let mut tip = None;
        for (row, (at, lane)) in self.lanes().enumerate() {
            let top = plot.top() + row as f32 * LANE_HEIGHT;
            if top + LANE_HEIGHT > plot.bottom() + 1.0 {
                break;
            }
            let row = Rect::from_min_max(pos2(rect.left(), top), pos2(plot.right(), top + LANE_HEIGHT));
            let name = if lane.label.is_empty() { &lane.path } else { &lane.label };
            let label = Rect::from_min_max(pos2(rect.left() + 10.0, top), pos2(plot.left() - 8.0, row.bottom()));
            label_ui(ui, label, name, p);
            ui.painter()
                .hline(row.x_range(), row.bottom(), Stroke::new(1.0, p.line.gamma_multiply(0.5)));
            if let Some(why) = self.signals.get(at).and_then(problem) {
                let place = Rect::from_min_max(pos2(plot.left() + 4.0, top), row.max);
                trouble_ui(ui, place, &why, p.error);
                continue;
            }
            let bands = self.bands(at, view, span, plot.width() as usize);
            let colors = self.signals.get(at).map(|signal| Colors::new(signal, view.store, &bands));
            let placed = bands.iter().filter_map(|band| {
                let (left, right) = (x_of(band.from).max(plot.left()), x_of(band.to).min(plot.right()));
                let x = Rangef::new(left, right.max(left + LEAST_WIDTH));
                (right >= plot.left() && left <= plot.right()).then_some((x, band))
            });
            for (x, part, band) in stacked(placed.collect(), plot.left()) {
                let lane = Rangef::new(top + 4.0, row.bottom() - 4.0);
                let height = |part: f32| lane.min + part * lane.span();
                let place = Rect::from_x_y_ranges(x, Rangef::new(height(part.min), height(part.max)));
                let (color, is_striped) = colors.as_ref().map_or((p.line, false), |colors| colors.look(p, band.state));
                let corners = if x.span() < 2.0 * LEAST_WIDTH { 0.0 } else { 2.0 };
                ui.painter().rect_filled(place, corners, color.gamma_multiply(0.85));
                if is_striped && place.width() > 2.0 * LEAST_WIDTH {
                    stripes_ui(ui, place, p.base.gamma_multiply(0.6));
                }
                let text = self.name_of(at, band.state, view);
                if place.width() > 18.0 {
                    text_in(ui, place, &text, p);
                }
                if pointer.is_some_and(|at| place.expand2(vec2(1.0, if part.span() < 1.0 { 0.0 } else { 4.0 })).contains(at)) {
                    tip = Some((name.clone(), text, *band));
                }
            }
            let named = format!("{name} {}", self.value_text(at, view));
            ui.interact(label, ui.scope_id().with(("lane", at)), Sense::hover())
                .widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &named));
        }
        self.pointer_ui(ui, plot, span, view, &response, out);
        command::menu(&response, COMMANDS, self, view, out);
        let now = x_of(view.now);
        if plot.x_range().contains(now) {
            ui.painter().vline(now, plot.y_range(), Stroke::new(1.5, p.accent));
        }
        if let Some((name, text, band)) = tip {
            response.on_hover_ui_at_pointer(|ui| {
                ui.label(RichText::new(name).color(p.weak).font(theme::small()));
                ui.label(RichText::new(text).font(theme::semibold(13.0)));
                let since = time::format_relative(band.from, view.span.start);
                ui.label(format!("from {since}, for {}", time::format_duration(band.to.since(band.from))));
            });
        }
    }

    /// Click seeks, drag pans, wheel zooms, double-click shows all.
    fn pointer_ui(&mut self, ui: &Ui, plot: Rect, span: Span, view: &View, response: &egui::Response, out: &mut Vec<Action>) {
        let time_at = |x: f32| {
            let fraction = f64::from((x - plot.left()) / plot.width().max(1.0));
            span.start.plus_nanos((fraction * span.nanos() as f64) as i64)
        };
        let hover = response.hover_pos().map(|at| time_at(at.x));
        if hover.is_some() || self.hovering {
            out.push(Action::Hover(hover));
        }
        self.hovering = hover.is_some();
        let p = theme::palette(ui.visuals());
        if let Some(t) = hover.or(view.hover).filter(|t| span.contains(*t)) {
            let x = plot.left() + (t.since(span.start) as f64 / span.nanos().max(1) as f64 * f64::from(plot.width())) as f32;
            ui.painter().vline(x, plot.y_range(), Stroke::new(1.0, p.weak));
        }
        if response.double_clicked() {
            self.show(None, view);
        } else if response.clicked()
            && let Some(at) = response.interact_pointer_pos()
        {
            out.push(Action::Seek(view.span.clamp(time_at(at.x))));
        }
        if response.dragged_by(PointerButton::Primary) {
            let moved = -f64::from(response.drag_delta().x) / f64::from(plot.width().max(1.0)) * span.nanos() as f64;
            let moved = moved as i64;
            self.show(Some(Span::new(span.start.plus_nanos(moved), span.end.plus_nanos(moved))), view);
        }
        if let Some(at) = response.hover_pos() {
            let (scroll, pinch) = ui.input(|i| (i.smooth_scroll_delta().y, i.zoom_delta()));
            let factor = (f64::from(-scroll) * 0.004).exp() / f64::from(pinch);
            if (factor - 1.0).abs() > 1e-6 {
                let middle = time_at(at.x);
                let part = |t: Time| (t.since(middle) as f64 * factor) as i64;
                let (from, to) = (middle.plus_nanos(part(span.start)), middle.plus_nanos(part(span.end)));
                if to.since(from) > SHORTEST_NANOS {
                    let is_all = from <= view.span.start && to >= view.span.end;
                    self.show((!is_all).then(|| Span::new(from, to)), view);
                }
            }
        }
    }
}

/// Why a path shows nothing.
fn problem(signal: &Signal) -> Option<String> {
    if signal.text().is_empty() {
        return None;
    }
    if let Some(problem) = signal.problem() {
        return Some(problem.what.clone());
    }
    None
}

fn axis(ui: &Ui, plot: Rect, span: Span, view: &View, x_of: impl Fn(Time) -> f32) {
    let p = theme::palette(ui.visuals());
    let [from, to] = [span.start, span.end].map(|end| end.since(view.span.start));
    let axis = TimeAxis::new(from, to, plot.width(), Labels::Elapsed);
    for mark in axis.marks().filter(|mark| mark.has_label) {
        let x = x_of(view.span.start.plus_nanos(mark.nanos));
        ui.painter().vline(x, plot.y_range(), Stroke::new(1.0, p.line.gamma_multiply(0.6)));
        let galley = ui.painter().layout_no_wrap(axis.text(mark.nanos), theme::small(), p.weak);
        let place = Align2::CENTER_CENTER.anchor_size(pos2(x, plot.bottom() + AXIS_HEIGHT / 2.0), galley.size());
        // none is cut at the right end
        let left = place.left().min(plot.right() + RIGHT_MARGIN - place.width());
        ui.painter().galley(pos2(left, place.top()), galley, p.weak);
    }
}

/// Where a band is drawn: from left to right, and which part of the lane's height, from 0 to 1.
type Place<'a> = (Rangef, Rangef, &'a Band);

/// Those that are no wider than the least width lie over the others, which end before them on the pixels. Where several of them fall
/// on one place, each state has a part of the height: none hides another.
fn stacked(placed: Vec<(Rangef, &Band)>, left: f32) -> Vec<Place<'_>> {
    const WHOLE: Rangef = Rangef { min: 0.0, max: 1.0 };
    let (wide, narrow): (Vec<_>, Vec<_>) = placed.into_iter().partition(|(x, _)| x.span() > LEAST_WIDTH);
    let mut cells: BTreeMap<i64, Vec<&Band>> = BTreeMap::new();
    for (x, band) in narrow {
        let cell = cells.entry(((x.min - left) / LEAST_WIDTH).floor() as i64).or_default();
        if !cell.iter().any(|other| other.state == band.state) {
            cell.push(band);
        }
    }
    let mut all: Vec<Place> = wide.into_iter().map(|(x, band)| (x, WHOLE, band)).collect();
    for (cell, mut bands) in cells {
        bands.sort_by(|a, b| a.state.value.total_cmp(&b.state.value).then(a.state.rest.total_cmp(&b.state.rest)));
        let from = left + cell as f32 * LEAST_WIDTH;
        let part = 1.0 / bands.len().max(1) as f32;
        let slices = bands.into_iter().enumerate().map(|(at, band)| {
            let slice = Rangef::new(at as f32 * part, (at + 1) as f32 * part);
            (Rangef::new(from, from + LEAST_WIDTH), slice, band)
        });
        all.extend(slices);
    }
    all
}

/// Lines over a band of a colour that another state has too.
fn stripes_ui(ui: &Ui, place: Rect, ink: Color32) {
    const STEP: f32 = 6.0;
    let painter = ui.painter().with_clip_rect(place.intersect(ui.clip_rect()));
    let mut x = place.left() - place.height();
    while x < place.right() {
        painter.line_segment(
            [pos2(x, place.bottom()), pos2(x + place.height(), place.top())],
            Stroke::new(1.5, ink),
        );
        x += STEP;
    }
}

/// One line, cut at its start: the end of a path tells most.
fn label_ui(ui: &Ui, rect: Rect, text: &str, p: &Palette) {
    let painter = ui.painter();
    let lay = |text: String| painter.layout_no_wrap(text, theme::body(), p.text);
    let fits = |galley: &egui::Galley| galley.size().x <= rect.width();
    let mut galley = lay(text.to_owned());
    if !fits(&galley) {
        let starts: Vec<usize> = text.char_indices().skip(1).map(|(at, _)| at).collect();
        let cut = |start: usize| lay(format!("…{}", text.get(start..).unwrap_or_default().trim_start_matches('.')));
        let first = starts.partition_point(|start| !fits(&cut(*start)));
        galley = cut(starts.get(first).copied().unwrap_or(text.len()));
    }
    painter.galley(pos2(rect.left(), rect.center().y - galley.size().y / 2.0), galley, p.text);
}

/// One line, cut at its end.
fn trouble_ui(ui: &Ui, rect: Rect, text: &str, color: Color32) {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), theme::body(), color);
    job.wrap = egui::text::TextWrapping::truncate_at_width(rect.width());
    let galley = ui.painter().layout_job(job);
    let at = pos2(rect.left(), rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, color);
}

fn text_in(ui: &Ui, rect: Rect, text: &str, p: &Palette) {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), theme::small(), p.text);
    job.wrap = egui::text::TextWrapping::truncate_at_width(rect.width() - 8.0);
    let galley = ui.painter().layout_job(job);
    // a letter or two of a name tell nothing
    if galley.elided && rect.width() < LEAST_NAME_WIDTH {
        return;
    }
    let at = pos2(rect.left() + 4.0, rect.center().y - galley.size().y / 2.0);
    // dark behind the text, so that it reads on every colour
    let behind = Rect::from_min_size(at, galley.size()).expand2(vec2(2.0, 0.0));
    ui.painter().rect_filled(behind, 2.0, p.base.gamma_multiply(0.55));
    ui.painter().galley(at, galley, p.text);
}

const COMMANDS: &[command::Command<StatesPanel>] = &[
    ("Show all of the recording", |states, view, _| states.show(None, view)),
    ("Next change", |states, view, out| states.next_change(true, view, out)),
    ("Previous change", |states, view, out| states.next_change(false, view, out)),
    ("Copy the states at the playhead", |states, view, out| {
        out.push(Action::CopyText(states.states_text(view)));
    }),
    ("Plot these fields", |states, _, out| {
        let series: Vec<Value> = states.lanes().map(|(_, lane)| serde_json::json!({ "path": lane.path })).collect();
        let config = serde_json::json!({ "series": series });
        out.push(Action::AddPanel { kind: "plot", config });
    }),
];

impl Panel for StatesPanel {
    fn title(&self, _view: &View) -> String {
        match self.config.paths.as_slice() {
            [one] if !one.path.is_empty() => one.path.clone(),
            _ => "State transitions".into(),
        }
    }

    fn wants(&self, view: &View, out: &mut Vec<Want>) {
        for signal in &self.signals {
            if let Some(topic) = signal.topics().first() {
                let span = view.store.series_span(*topic, view.now);
                signal.wants(span, out);
                signal.wants_rest(view.store, span, None, out);
            }
        }
    }

    fn ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let rect = ui.available_rect_before_wrap();
        self.ctx = Some(ui.ctx().clone());
        self.refresh(view);
        if let PanelState::Absent(why) = &self.state {
            return widget::empty_note(ui, rect, why);
        }
        let mut inside = ui.new_child(egui::UiBuilder::new().max_rect(rect));
        inside.set_clip_rect(rect.intersect(ui.clip_rect()));
        self.lanes_ui(&mut inside, rect.with_min_y(rect.top() + 4.0), view, out);
        ui.advance_cursor_after_rect(rect);
    }

    fn settings_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let before = self.config.clone();
        let mut removed = None;
        for (at, lane) in self.config.paths.iter_mut().enumerate() {
            ui.horizontal(|ui| {
                theme::widget::note(ui, format!("Lane {}", at + 1));
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    if theme::widget::icon_button_sized(ui, icon::TRASH, &format!("Remove lane {}", at + 1), "", 20.0, false).clicked() {
                        removed = Some(at);
                    }
                    let (glyph, what) = if lane.visible {
                        (icon::EYE, "Hide")
                    } else {
                        (icon::EYE_SLASH, "Show")
                    };
                    if theme::widget::icon_button_sized(ui, glyph, &format!("{what} lane {}", at + 1), "", 20.0, false).clicked() {
                        lane.visible = !lane.visible;
                    }
                });
            });
            let name = format!("Path of lane {}", at + 1);
            path_field::path_field(ui, &name, view.store, &mut lane.path, &name, "/topic.field");
            let edit = egui::TextEdit::singleline(&mut lane.label)
                .hint_text("Label")
                .desired_width(f32::INFINITY);
            widget::named(ui.add(edit), &format!("Label of lane {}", at + 1));
            stamps::override_settings(ui, view, &format!("lane {}", at + 1), &mut lane.stamp, &mut lane.stamp_path);
            ui.add_space(4.0);
        }
        if let Some(at) = removed {
            self.config.paths.remove(at);
        }
        if ui.button("Add a lane").clicked() {
            self.config.paths.push(Lane::default());
        }
        ui.label("Time");
        stamps::settings(ui, view, "all lanes", &mut self.config.stamp, &mut self.config.stamp_path);
        ui.checkbox(&mut self.config.sync_x, "Same time range as in plots");
        for signal in &self.signals {
            for topic in signal.topics() {
                if let Some(bytes) = view.store.whole_cost_bytes(*topic) {
                    let name = view.store.topic(*topic).map(|t| t.name.to_string()).unwrap_or_default();
                    if ui.button(format!("Read all of {name} ({})", widget::bytes_text(bytes))).clicked() {
                        out.push(Action::ReadWhole(*topic));
                    }
                }
            }
        }
        if self.config.stamp != before.stamp {
            self.config.paths.iter_mut().for_each(|lane| lane.stamp = None);
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

    fn config(&self) -> Value {
        serde_json::to_value(&self.config).unwrap_or_default()
    }

    fn state(&self, _view: &View) -> PanelState {
        self.state.clone()
    }

    /// Its flags and whole numbers, the first few.
    fn drop_topic(&mut self, view: &View, topic: TopicId) -> bool {
        const MOST: usize = 6;
        let Some(topic) = view.store.topic(topic) else { return false };
        let Some(schema) = &topic.schema else { return false };
        let is_state = |path: &String| {
            let mut signal = Signal::new(&format!("{}.{path}", crate::path::topic_text(&topic.name)), Stamp::Receive);
            signal.refresh(view.store);
            let kind = signal.program().map(|p| p.kind());
            kind.is_some_and(|k| k.is_number() && k != crate::path::ItemKind::Float) && !path.starts_with("header.")
        };
        let paths: Vec<String> = schema.scalar_paths().into_iter().filter(is_state).take(MOST).collect();
        for path in &paths {
            self.config.paths.push(Lane {
                path: format!("{}.{path}", crate::path::topic_text(&topic.name)),
                ..Lane::default()
            });
        }
        !paths.is_empty()
    }

    fn topics(&self, _view: &View) -> Vec<TopicId> {
        self.signals.iter().flat_map(|s| s.topics().to_vec()).collect()
    }
}

//! The timeline: transport, ruler, one lane of density for each topic, playhead.

use std::collections::HashMap;

use egui::{Align2, Rect, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::AppState;
use super::clock;
use super::command::Command;
use super::lanes;
use super::transport::{self, TransportState};
use crate::store::TopicId;
use crate::theme::{self, palette};
use crate::time::{Span, Time};

/// Width of the lanes' names.
const GUTTER: f32 = 200.0;
const RULER_HEIGHT: f32 = 22.0;
const MARGIN: f32 = 8.0;
/// The closest that the ruler zooms in.
const SHORTEST_NANOS: i64 = 1_000_000;
/// Around a moment.
const SHOWN_AT_LEAST_NANOS: i64 = 2_000_000_000;

#[derive(Default)]
pub struct TimelineState {
    pub(super) transport: TransportState,
    /// None: the whole recording.
    zoomed: Option<Span>,
    pub(super) densities: HashMap<TopicId, lanes::Density>,
    pub(super) levels: HashMap<TopicId, lanes::Levels>,
    pub(super) scroll_lanes: f32,
}

impl TimelineState {
    /// The part of the recording that is shown.
    pub fn shown(&self, whole: Span) -> Span {
        self.zoomed.unwrap_or(whole)
    }

    /// A part of it, if only that is shown.
    pub fn zoomed(&self) -> Option<Span> {
        self.zoomed
    }

    pub fn is_zoomed(&self) -> bool {
        self.zoomed.is_some()
    }

    pub fn fit(&mut self) {
        self.zoomed = None;
    }

    /// Shows a part of the recording, with a little on both sides.
    pub fn show(&mut self, part: Span, whole: Span) {
        let length = (part.nanos() / 4 * 5).max(SHOWN_AT_LEAST_NANOS);
        let start = part.start.plus_nanos((part.nanos() - length) / 2);
        self.zoomed = (length < whole.nanos()).then(|| within(start, length, whole));
    }
}

/// Time ↔ points.
#[derive(Clone, Copy)]
pub struct Axis {
    pub span: Span,
    pub rect: Rect,
}

impl Axis {
    pub fn x(&self, t: Time) -> f32 {
        let share = t.since(self.span.start) as f64 / self.span.nanos().max(1) as f64;
        self.rect.left() + (share * f64::from(self.rect.width())) as f32
    }

    pub fn t(&self, x: f32) -> Time {
        let share = f64::from(x - self.rect.left()) / f64::from(self.rect.width().max(1.0));
        self.span.at_fraction(share)
    }
}

pub fn ui(ui: &mut Ui, state: &mut AppState) {
    let p = palette(ui.visuals());
    let frame = egui::Frame::new().fill(p.raised);
    // a low window is not for the lanes
    let height = (ui.max_rect().height() * 0.2 + super::scenes::lanes::height(state))
        .round()
        .clamp(108.0, 240.0);
    egui::Panel::bottom("timeline")
        .resizable(true)
        .default_size(state.sidebars.timeline_height.unwrap_or(height))
        .size_range(60.0..=480.0)
        .show_separator_line(false)
        .frame(frame)
        .show(ui, |ui| {
            let whole = ui.available_rect_before_wrap();
            let (top, below) = whole.split_top_bottom_at_y(whole.top() + 36.0);
            let builder = egui::UiBuilder::new().max_rect(top.shrink2(vec2(MARGIN, 2.0)));
            transport::ui(&mut ui.new_child(builder), state);
            ui.painter().hline(whole.x_range(), whole.top(), Stroke::new(1.0, p.base));
            time_area(ui, state, below);
            ui.advance_cursor_after_rect(whole);
        });
    if let Some(size) = super::edges::resized(ui, "timeline") {
        state.sidebars.timeline_height = Some(size.y.round());
    }
}

fn time_area(ui: &mut Ui, state: &mut AppState, area: Rect) {
    let p = palette(ui.visuals());
    let gutter = GUTTER.min(area.width() * 0.3);
    let axis_rect = Rect::from_min_max(
        pos2(area.left() + gutter, area.top()),
        pos2(area.right() - MARGIN * 2.0, area.bottom()),
    );
    let (ruler, lanes_rect) = axis_rect.split_top_bottom_at_y(axis_rect.top() + RULER_HEIGHT);
    let axis = Axis {
        span: state.timeline.shown(state.span()),
        rect: axis_rect,
    };
    // senses before what is drawn on it
    let response = ui.interact(axis_rect, ui.scope_id().with("time axis"), Sense::click_and_drag());
    let seconds = state.playback.now.since(state.span().start) as f64 * 1e-9;
    response.widget_info(|| WidgetInfo::slider(true, seconds, "Timeline"));
    hover_and_zoom(ui, state, &response, axis);
    seek_or_mark(ui, state, &response, axis);
    response.context_menu(|ui| menu(ui, state));

    let names = Rect::from_min_max(pos2(area.left(), lanes_rect.top()), pos2(axis_rect.left(), area.bottom()));
    lanes::ui(
        ui,
        state,
        names,
        Rect {
            max: pos2(area.right(), area.bottom()),
            ..lanes_rect
        },
        axis,
    );
    draw_ruler(ui, state, ruler, axis);

    if let Some(looped) = state.playback.looping.map(|looped| looped.within(axis.span)) {
        let (from, to) = (axis.x(looped.start).max(ruler.left()), axis.x(looped.end).min(ruler.right()));
        let bar = Rect::from_min_max(pos2(from, ruler.bottom() - 2.0), pos2(to.max(from), ruler.bottom()));
        ui.painter().rect_filled(bar, 0.0, p.accent.gamma_multiply(0.6));
    }
    for kept in state.kept_spans() {
        let (from, to) = (axis.x(kept.start).max(ruler.left()), axis.x(kept.end).min(ruler.right()));
        let bar = Rect::from_min_max(pos2(from, ruler.top()), pos2(to.max(from), ruler.top() + 2.0));
        ui.painter().rect_filled(bar, 0.0, p.ok.gamma_multiply(0.7));
    }
    super::scenes::lanes::over(ui, state, axis, lanes_rect);
    let clip = ui.painter().with_clip_rect(axis_rect.expand2(vec2(6.0, 0.0)));
    if let Some(hover) = state.hover {
        let x = axis.x(hover);
        clip.vline(x, axis_rect.y_range(), Stroke::new(1.0, p.weak));
    }
    let x = axis.x(state.playback.now);
    clip.vline(x, axis_rect.y_range(), Stroke::new(1.5, p.accent));
    let top = ruler.bottom() - 8.0;
    let handle = vec![
        pos2(x - 5.0, top),
        pos2(x + 5.0, top),
        pos2(x + 5.0, top + 4.0),
        pos2(x, top + 9.0),
        pos2(x - 5.0, top + 4.0),
    ];
    clip.add(egui::Shape::convex_polygon(handle, p.accent, Stroke::NONE));
    hover_label(ui, state, &response, ruler, axis);
}

/// What can be done with the span that is shown.
pub(super) fn menu(ui: &mut Ui, state: &mut AppState) {
    let ctx = ui.ctx().clone();
    for command in [Command::FitTimeline, Command::ToggleLoop, Command::Mark, Command::KeepOffline] {
        if ui.button(command.name()).clicked() {
            ui.close();
            state.run(command, &ctx);
        }
    }
}

fn hover_label(ui: &Ui, state: &AppState, response: &egui::Response, ruler: Rect, axis: Axis) {
    let Some(at) = response
        .hover_pos()
        .filter(|_| !ui.ctx().dragged_id().is_some_and(|id| id != response.id))
    else {
        return;
    };
    let p = palette(ui.visuals());
    let text = state.settings.time_format.show(axis.t(at.x), state.span().start);
    let galley = ui.painter().layout_no_wrap(text, theme::small(), p.text);
    let size = galley.size() + vec2(10.0, 4.0);
    let x = (at.x - size.x / 2.0).clamp(ruler.left(), (ruler.right() - size.x).max(ruler.left()));
    let plate = Rect::from_min_size(pos2(x, ruler.top() + 1.0), size);
    ui.painter()
        .rect(plate, 3.0, p.overlay, Stroke::new(1.0, p.line), egui::StrokeKind::Inside);
    ui.painter().galley(plate.min + vec2(5.0, 2.0), galley, p.text);
}

/// What the pointer, the wheel and the other buttons do on a time axis.
pub(super) fn hover_and_zoom(ui: &Ui, state: &mut AppState, response: &egui::Response, axis: Axis) {
    let whole = state.span();
    if let Some(at) = response.hover_pos() {
        state.hover_next = Some(axis.t(at.x));
        let (scroll, zoom) = ui.input(|i| (i.smooth_scroll_delta(), i.zoom_delta()));
        let factor = f64::from(zoom) * (f64::from(scroll.y) * 0.004).exp();
        if (factor - 1.0).abs() > 1e-6 {
            state.timeline.zoomed = zoomed(axis.span, axis.t(at.x), factor, whole);
        }
        if scroll.x != 0.0 {
            state.timeline.zoomed = panned(axis, scroll.x, whole);
        }
    }
    if response.dragged_by(egui::PointerButton::Middle) || response.dragged_by(egui::PointerButton::Secondary) {
        state.timeline.zoomed = panned(axis, response.drag_delta().x, whole);
    }
}

/// What the first button does: it goes there, or with Shift marks a scene.
pub(super) fn seek_or_mark(ui: &Ui, state: &mut AppState, response: &egui::Response, axis: Axis) {
    if state.drag_mark(ui, response, axis) || response.dragged_by(egui::PointerButton::Middle) {
        return;
    }
    let is_pressed = response.is_pointer_button_down_on() && ui.input(|i| i.pointer.primary_down() && !i.modifiers.shift);
    if (response.clicked() || is_pressed)
        && let Some(at) = response.interact_pointer_pos()
    {
        state.seek(axis.t(at.x));
        ui.ctx().request_repaint();
    }
}

fn zoomed(shown: Span, fixed: Time, factor: f64, whole: Span) -> Option<Span> {
    let length = ((shown.nanos() as f64 / factor) as i64).max(SHORTEST_NANOS);
    if length >= whole.nanos() {
        return None;
    }
    let share = fixed.since(shown.start) as f64 / shown.nanos().max(1) as f64;
    let start = fixed.plus_nanos(-((length as f64 * share) as i64));
    Some(within(start, length, whole))
}

fn panned(axis: Axis, by_points: f32, whole: Span) -> Option<Span> {
    let length = axis.span.nanos();
    if length >= whole.nanos() {
        return None;
    }
    let nanos = f64::from(by_points) / f64::from(axis.rect.width().max(1.0)) * length as f64;
    Some(within(axis.span.start.plus_nanos(-(nanos as i64)), length, whole))
}

fn within(start: Time, length: i64, whole: Span) -> Span {
    let last_start = whole.end.plus_nanos(-length);
    let start = start.min(last_start).max(whole.start);
    Span::new(start, start.plus_nanos(length))
}

fn draw_ruler(ui: &Ui, state: &AppState, ruler: Rect, axis: Axis) {
    let p = palette(ui.visuals());
    let painter = ui.painter();
    painter.hline(
        ruler.left()..=ruler.right() + MARGIN * 2.0,
        ruler.bottom(),
        Stroke::new(1.0, p.line),
    );
    let format = state.settings.time_format;
    let start = state.span().start;
    let sample = format.tick(axis.span.end, start, 1_000_000);
    let width = painter.layout_no_wrap(sample, theme::small(), p.weak).size().x + 28.0;
    let nanos_per_point = axis.span.nanos() as f64 / f64::from(ruler.width().max(1.0));
    let step = clock::tick_step((nanos_per_point * f64::from(width)) as i64).max(1);
    let tick_ui = |t: Time, text: Option<String>| {
        let x = axis.x(t);
        if x < ruler.left() - 0.5 {
            return;
        }
        let (height, color) = if text.is_some() { (6.0, p.faint) } else { (3.0, p.line) };
        painter.vline(x, ruler.bottom() - height..=ruler.bottom(), Stroke::new(1.0, color));
        if let Some(text) = text.filter(|_| x + width - 28.0 < ruler.right()) {
            let at = pos2(x + 4.0, ruler.center().y - 2.0);
            painter.text(at, Align2::LEFT_CENTER, text, theme::small(), p.weak);
        }
    };
    if format == clock::TimeFormat::Utc && step > clock::DAY_NANOS {
        let ticks = clock::calendar_ticks(axis.span, ruler.width());
        return ticks.into_iter().for_each(|(t, text)| tick_ui(t, text));
    }
    // from the start, ticks stand at round offsets; otherwise at round times
    let origin = if format == clock::TimeFormat::FromStart { start.nanos() } else { 0 };
    let minor = (step / 5).max(1);
    let mut at = (axis.span.start.nanos() - origin).div_euclid(minor) * minor + origin;
    let mut drawn = 0;
    while at <= axis.span.end.nanos() && drawn < 2000 {
        let is_major = (at - origin).rem_euclid(step) == 0;
        tick_ui(Time(at), is_major.then(|| format.tick(Time(at), start, step)));
        at = at.saturating_add(minor);
        drawn += 1;
    }
}

//! The drawing itself: visible range, axes, lines.
//!
//! Invariant: the range is decided here each frame and only handed to egui_plot, which draws axes, grid and lines.

use std::cmp::Ordering;

use egui::{Align2, Color32, Id, Pos2, Rangef, Rect, Response, Sense, Stroke, Ui, vec2};
use egui_plot::{AxisHints, GridMark, HLine, HPlacement, Line, Plot, PlotBounds, PlotItem, PlotPoint, PlotPoints, PlotTransform, Points};

use super::config::{LegendPlace, Side, Style, XAxis, YRange};
use super::curves::{Curve, Shape};
use super::export::Goal;
use super::pointer::SHORTEST_SECS;
use super::{Coverage, PlotPanel, axis, legend, wanted_span};
use crate::panel::time_axis::{Labels, Mark, TimeAxis};
use crate::panel::{Action, Panel as _, View, linked, widget};
use crate::theme;
use crate::time::{Span, Time};

const DAY_NANOS: i64 = 86_400_000_000_000;
/// An axis of values is at least so wide.
const VALUES_WIDTH: f32 = 38.0;

/// What is in view, moved by hand; None follows the data.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ViewRange {
    /// Seconds from the recording's start.
    pub x: Option<(f64, f64)>,
    pub y: Option<(f64, f64)>,
    /// Where a zoom box began, in the plot's coordinates.
    pub(super) box_from: Option<Pos2>,
}

/// Seconds from the axis' own zero to the recording's start.
fn axis_offset(view: &View, x_axis: XAxis) -> f64 {
    match x_axis {
        XAxis::Clock => view.span.start.nanos().rem_euclid(DAY_NANOS) as f64 * 1e-9,
        _ => 0.0,
    }
}

/// Marks and labels of an axis of time that shows these seconds.
fn time_axis(view: &View, x_axis: XAxis, (from, to): (f64, f64), width: f32) -> TimeAxis {
    let [from, to] = [from, to].map(|secs| (secs * 1e9).round() as i64);
    let labels = match x_axis {
        XAxis::Clock => Labels::Clock(Time(view.span.start.nanos().div_euclid(DAY_NANOS) * DAY_NANOS)),
        _ => Labels::Elapsed,
    };
    TimeAxis::new(from, to, width, labels)
}

pub(super) fn secs_of(view: &View, t: Time) -> f64 {
    t.since(view.span.start) as f64 * 1e-9
}

pub(super) fn time_of(view: &View, secs: f64) -> Time {
    view.span.start.plus_nanos((secs * 1e9).round() as i64)
}

impl PlotPanel {
    /// Returns where the series are drawn.
    pub(super) fn canvas_ui(&mut self, ui: &mut Ui, view: &View, coverage: &Coverage, out: &mut Vec<Action>) -> Option<Rect> {
        let rect = ui.available_rect_before_wrap();
        if rect.width() < 40.0 || rect.height() < 30.0 {
            return None;
        }
        let is_time = self.config.x_axis.is_time();
        let columns = (rect.width() * ui.pixels_per_point()).ceil().clamp(16.0, 8192.0) as usize;
        let (x, curves) = if is_time {
            let x = self.x_range(ui, view);
            (x, self.curves(view, x, columns))
        } else {
            let curves = self.curves(view, (0.0, 0.0), columns);
            (self.view.x.unwrap_or_else(|| extent_x(&curves)), curves)
        };
        let y = self.y_range(&curves, x, Side::Left);
        let y_right = curves
            .iter()
            .any(|c| c.side == Side::Right)
            .then(|| self.y_range(&curves, x, Side::Right));
        let y_right = y_right.map(|right| axis::aligned(y, right, rect.height()));
        let offset = axis_offset(view, self.config.x_axis);
        // where things are is known once the plot is drawn: what lies behind it takes its place before
        let behind = ui.painter().add(egui::Shape::Noop);
        let sides = if y_right.is_some() { 2.0 } else { 1.0 };
        let shown = (x.0 + offset, x.1 + offset);
        let time_axis = is_time.then(|| time_axis(view, self.config.x_axis, shown, rect.width() - sides * VALUES_WIDTH));
        let response = self.show_plot(ui, rect, &curves, (x, y, y_right), offset, time_axis);
        let plot = Frame {
            rect: response.transform.frame().to_owned(),
            transform: response.transform,
            offset,
            y,
            y_right,
        };
        ui.painter().set(behind, egui::Shape::Vec(self.background_shapes(ui, view, &plot)));
        self.reference_labels(ui, &plot, &curves);
        let named = || egui::WidgetInfo::labeled(egui::Role::Image, true, format!("Plot of {}", self.title(view)));
        response.response.widget_info(named);
        let mut is_held = false;
        if is_time {
            self.unread_ui(ui, view, &plot);
            is_held = self.cursors(ui, view, &plot, &response.response, out);
            self.cursors_ui(ui, view, &plot, &response.response, out);
        } else {
            self.nearest_ui(ui, &plot, &response.response, &curves);
        }
        if !is_held {
            self.interact(ui, view, &plot, &response.response, out);
        }
        self.menu(&response.response, view, &plot, out);
        let is_empty = |c: &Curve| c.points.is_empty() && c.shape == Shape::Line;
        if curves.iter().all(is_empty) && !coverage.waiting {
            let text = if self.config.series.iter().any(|s| s.visible) {
                "No values in this span"
            } else {
                "All series are hidden"
            };
            widget::empty_note(ui, plot.rect, text);
        }
        self.coverage_ui(ui, view, coverage, plot.rect, out);
        Some(plot.rect)
    }

    /// The visible seconds from the recording's start.
    pub(super) fn x_range(&mut self, ui: &Ui, view: &View) -> (f64, f64) {
        if self.config.sync_x {
            self.view.x = linked::shared(ui.ctx());
        }
        let window = self.config.follow_window_secs.max(0.05);
        if self.config.follow && view.playing {
            let now = secs_of(view, view.now);
            return (now - window * 0.8, now + window * 0.2);
        }
        if let Some(x) = self.view.x {
            return x;
        }
        let topics = self.signals.iter().filter(|s| super::problem(s).is_none()).flat_map(|s| s.topics());
        let spans = topics.map(|topic| wanted_span(view, *topic));
        let span = spans.reduce(Span::union).unwrap_or(view.span);
        let (start, end) = (secs_of(view, span.start), secs_of(view, span.end));
        if end - start >= SHORTEST_SECS {
            (start, end)
        } else {
            (start - 0.5, end + 0.5)
        }
    }

    fn y_range(&self, curves: &[Curve], (x0, x1): (f64, f64), side: Side) -> (f64, f64) {
        let fixed = if side == Side::Left { self.config.y } else { self.config.y_right };
        if let (Side::Left, Some(y)) = (side, self.view.y) {
            return y;
        }
        if let YRange::Manual { min, max } = fixed {
            return match min.total_cmp(&max) {
                Ordering::Less => (min, max),
                Ordering::Equal => (min - 0.5, min + 0.5),
                Ordering::Greater => (max, min),
            };
        }
        let of_side = || curves.iter().filter(|c| c.side == side);
        let visible = of_side().flat_map(|c| c.points.iter());
        let values = visible.filter(|p| p.x >= x0 && p.x <= x1 && p.y.is_finite()).map(|p| p.y);
        let constants = of_side().filter_map(|c| match c.shape {
            Shape::Constant(value) => Some(value),
            Shape::Area => Some(0.0),
            Shape::Line => None,
        });
        let (low, high) = values
            .chain(constants)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        let (low, high) = padded(low, high);
        match fixed {
            YRange::From { min } => (min, if min < high { high } else { min + 1.0 }),
            YRange::UpTo { max } => (if low < max { low } else { max - 1.0 }, max),
            YRange::Auto | YRange::Manual { .. } => (low, high),
        }
    }

    fn show_plot(
        &self,
        ui: &mut Ui,
        rect: Rect,
        curves: &[Curve],
        (x, y, y_right): Ranges,
        offset: f64,
        time_axis: Option<TimeAxis>,
    ) -> egui_plot::PlotResponse<()> {
        let palette = theme::palette(ui.visuals());
        let unit = if self.config.x_axis == XAxis::Frequency { " Hz" } else { "" };
        let sides = if y_right.is_some() { 2.0 } else { 1.0 };
        let width = f64::from(rect.width() - sides * VALUES_WIDTH);
        let flip = self.config.flip_x;
        // left of the plot stand the labels of y: of two that would meet in the corner one is left out
        let left_room = match self.config.is_equally_scaled() || axis::has_label_at_start(y, rect.height(), self.config.flip_y) {
            true => 0.0,
            false => VALUES_WIDTH,
        };
        let has_room = y_right.is_some() || self.config.legend && self.config.legend_place == LegendPlace::Right;
        let right_room = if has_room { VALUES_WIDTH } else { 0.0 };
        let mut x_hints = AxisHints::new_x()
            .formatter(move |mark, range| {
                let text = match time_axis {
                    Some(time_axis) => time_label(&time_axis, mark),
                    None => format!("{}{unit}", axis::value_text(mark.value, mark.step_size)),
                };
                let at = (mark.value - range.start()) / (range.end() - range.start()) * width;
                let at = if flip { width - at } else { at };
                let half = text.chars().count() as f64 * 3.0;
                match at + f64::from(left_room) < half || width - at + f64::from(right_room) < half {
                    true => String::new(),
                    false => text,
                }
            })
            .label_spacing(match time_axis {
                Some(_) => Rangef::new(1.0, 2.0),
                None => Rangef::new(50.0, 64.0),
            })
            .tick_label_font(theme::small())
            .tick_label_color(palette.weak);
        let label = |text: &str| egui::RichText::new(text).font(theme::small()).color(palette.weak);
        if !self.config.x_label.is_empty() {
            x_hints = x_hints.label(label(&self.config.x_label));
        }
        let mut left = AxisHints::new_y()
            .formatter(|mark, _| axis::value_text(mark.value, mark.step_size))
            .min_thickness(VALUES_WIDTH)
            .label_spacing(Rangef::new(18.0, 26.0))
            .tick_label_font(theme::small())
            .tick_label_color(palette.weak);
        if !self.config.y_label.is_empty() {
            left = left.label(label(&self.config.y_label));
        }
        let mut y_hints = vec![left];
        if let Some(right) = y_right {
            y_hints.push(right_axis(y, right).tick_label_font(theme::small()).tick_label_color(palette.weak));
        }
        let mut plot = Plot::new(ui.scope_id().with("plot"));
        if self.config.is_equally_scaled() {
            plot = plot.data_aspect(1.0);
        }
        let plot = plot
            .width(rect.width())
            .height(rect.height())
            .sense(Sense::click_and_drag())
            .invert_x(self.config.flip_x)
            .invert_y(self.config.flip_y)
            .allow_drag(false)
            .allow_zoom(false)
            .allow_scroll(false)
            .allow_boxed_zoom(false)
            .allow_axis_zoom_drag(false)
            .allow_double_click_reset(false)
            .show_background(false)
            .show_crosshair(false)
            .show_x(false)
            .show_y(false)
            .label_formatter(|_| None)
            .grid_color(palette.line)
            .grid_spacing(Rangef::new(axis::LINES_APART as f32, 140.0))
            .x_grid_spacer(move |input| match time_axis {
                Some(time_axis) => time_marks(&time_axis),
                None => axis::wide_marks(input, 4.2, unit.len()),
            })
            .y_grid_spacer(|input| axis::value_marks(input, 2.2))
            .custom_x_axes(vec![x_hints])
            .custom_y_axes(y_hints);
        let items: Vec<Box<dyn PlotItem>> = curves
            .iter()
            .flat_map(|c| self.items(ui, c, (x, y, y_right), offset, rect.width()))
            .collect();
        plot.show(ui, |plot_ui| {
            plot_ui.set_plot_bounds(PlotBounds::from_min_max([x.0 + offset, y.0], [x.1 + offset, y.1]));
            items.into_iter().for_each(|item| plot_ui.add_item(item));
        })
    }

    /// What egui_plot draws of a curve: of its unbroken parts lines, dots, steps or sticks.
    fn items(&self, ui: &Ui, curve: &Curve, (x, y, y_right): Ranges, offset: f64, width: f32) -> Vec<Box<dyn PlotItem>> {
        let color = self.color(ui.visuals(), curve.index);
        let line_width = self.config.series.get(curve.index).map_or(1.5, |s| s.line_width.clamp(0.5, 12.0));
        let place = |p: &PlotPoint| {
            let v = match (curve.side, y_right) {
                (Side::Right, Some(right)) => rescaled(p.y, right, y),
                _ => p.y,
            };
            PlotPoint::new(p.x + offset, v)
        };
        if let Shape::Constant(value) = curve.shape {
            let line = HLine::new("", place(&PlotPoint::new(0.0, value)).y).color(color).width(line_width);
            return vec![Box::new(line.style(egui_plot::LineStyle::dashed_dense()).allow_hover(false))];
        }
        let visible = curve.points.iter().filter(|p| p.x >= x.0 && p.x <= x.1).count();
        let sparse = visible > 0 && (visible as f32) < width / 14.0;
        let style = curve.style;
        let with_dots = match style {
            Style::Auto | Style::Steps => sparse,
            Style::LineDots | Style::Dots | Style::Sticks => true,
            Style::Line | Style::StepsBefore => false,
        };
        let dots = |points: &[PlotPoint]| {
            let points: Vec<PlotPoint> = points.iter().map(place).collect();
            Points::new("", PlotPoints::Owned(points))
                .color(color)
                .radius(line_width + 0.6)
                .allow_hover(false)
        };
        let mut items: Vec<Box<dyn PlotItem>> = Vec::new();
        let broken = |p: &PlotPoint| !p.y.is_finite() || !p.x.is_finite();
        for part in curve.points.split(broken).filter(|part| !part.is_empty()) {
            if with_dots || part.len() == 1 {
                items.push(Box::new(dots(part)));
            }
            if style == Style::Dots {
                continue;
            }
            if style == Style::Sticks {
                let zero = place(&PlotPoint::new(0.0, 0.0)).y as f32;
                let points: Vec<PlotPoint> = part.iter().map(place).collect();
                let sticks = Points::new("", PlotPoints::Owned(points))
                    .color(color)
                    .radius(line_width)
                    .stems(zero);
                items.push(Box::new(sticks.allow_hover(false)));
                continue;
            }
            let line = Line::new("", PlotPoints::Owned(stepped(part, style, place)))
                .color(color)
                .width(line_width)
                .allow_hover(false)
                .allow_band(false);
            items.push(match curve.shape {
                Shape::Area => Box::new(line.fill(place(&PlotPoint::new(0.0, 0.0)).y as f32).fill_alpha(0.25)),
                _ => Box::new(line),
            });
        }
        items
    }

    /// What a reference line is called, at its right end.
    fn reference_labels(&self, ui: &Ui, plot: &Frame, curves: &[Curve]) {
        let painter = ui.painter().with_clip_rect(plot.rect);
        for curve in curves {
            let (Shape::Constant(value), Some(series)) = (curve.shape, self.config.series.get(curve.index)) else {
                continue;
            };
            let at = egui::pos2(plot.rect.right() - 4.0, plot.y_at(value, curve.side) - 2.0);
            let text = if series.label.is_empty() { &series.path } else { &series.label };
            painter.text(
                at,
                Align2::RIGHT_BOTTOM,
                text,
                theme::small(),
                self.color(ui.visuals(), curve.index),
            );
        }
    }

    /// The drawn point nearest to the pointer, with its values.
    fn nearest_ui(&self, ui: &Ui, plot: &Frame, response: &Response, curves: &[Curve]) {
        const REACH: f32 = 24.0;
        let Some(pointer) = response.hover_pos().filter(|p| plot.rect.contains(*p) && !response.dragged()) else {
            return;
        };
        let points = curves.iter().flat_map(|c| c.points.iter().map(move |p| (c, p)));
        let placed = points.map(|(c, p)| (c, p, egui::pos2(plot.x_at(p.x), plot.y_at(p.y, c.side))));
        let near = placed.filter(|(_, _, at)| plot.rect.contains(*at) && at.distance(pointer) < REACH);
        let Some((curve, point, at)) = near.min_by(|a, b| a.2.distance(pointer).total_cmp(&b.2.distance(pointer))) else {
            return;
        };
        let color = self.color(ui.visuals(), curve.index);
        ui.painter()
            .circle(at, 4.0, color, Stroke::new(1.0, theme::palette(ui.visuals()).raised));
        let names = legend::short_names(&self.config.series);
        let name = names.get(curve.index).map_or("", String::as_str);
        let text = format!(
            "{name}   x {}   y {}",
            widget::number_text(point.x, 10),
            widget::number_text(point.y, 10)
        );
        widget::plate(ui, plot.rect, Align2::LEFT_TOP, &text, true);
    }

    /// A veil over what is not read yet.
    fn unread_ui(&self, ui: &Ui, view: &View, plot: &Frame) {
        let Some(series) = (0..self.config.series.len())
            .filter(|i| self.config.series.get(*i).is_some_and(|s| s.visible))
            .flat_map(|i| self.signals.get(i).map(|s| s.sources(view.store)).unwrap_or_default())
            .filter(|series| !series.is_complete(view.span))
            .min_by_key(|series| widget::covered_nanos(series.loaded(), view.span))
        else {
            return;
        };
        let color = theme::palette(ui.visuals()).hover.gamma_multiply(0.45);
        let painter = ui.painter().with_clip_rect(plot.rect);
        let mut from = view.span.start;
        let mut sorted: Vec<Span> = series.loaded().to_vec();
        sorted.sort_by_key(|s| s.start);
        sorted.push(Span::at(view.span.end));
        for span in sorted {
            // where there is nothing to be read, nothing is missing
            if span.start > from && !series.is_complete(Span::new(from.plus_nanos(1), span.start.plus_nanos(-1))) {
                let x = plot.x_range(secs_of(view, from), secs_of(view, span.start));
                // chunks that touch leave gaps of less than a pixel
                if x.span() > 1.5 {
                    painter.rect_filled(Rect::from_x_y_ranges(x, plot.rect.y_range()), 0.0, color);
                }
            }
            from = from.max(span.end);
        }
    }

    fn menu(&mut self, response: &Response, view: &View, plot: &Frame, out: &mut Vec<Action>) {
        if response.dragged() {
            return;
        }
        let at = Id::unique("where a plot's menu was opened");
        if response.secondary_clicked()
            && let Some(pointer) = response.interact_pointer_pos()
        {
            let secs = plot.secs_at(pointer);
            response.ctx.data_mut(|d| d.insert_temp(at, secs));
        }
        response.context_menu(|ui| {
            if ui.button("Reset view").clicked() {
                self.reset_view(ui.ctx());
                ui.close();
            }
            let mut changed = ui.checkbox(&mut self.config.follow, "Follow while playing").changed();
            changed |= ui.checkbox(&mut self.config.statistics, "Statistics of what is visible").changed();
            if self.config.x_axis.is_path() {
                changed |= ui.checkbox(&mut self.config.equal_scale, "Same scale on both axes").changed();
            }
            if self.config.x_axis.is_time() {
                if ui.button("Put a cursor here").clicked() {
                    let secs = ui.data(|d| d.get_temp::<f64>(at)).unwrap_or_else(|| secs_of(view, view.now));
                    let x = plot.transform.bounds();
                    self.place_cursor(secs, (x.min()[0] - plot.offset, x.max()[0] - plot.offset));
                    changed = true;
                }
                if self.config.cursors.is_some() && ui.button("Remove the cursors").clicked() {
                    self.config.cursors = None;
                    changed = true;
                }
            }
            if changed {
                out.push(Action::Changed);
                ui.close();
            }
            ui.separator();
            if ui.button("Copy as CSV").clicked() {
                out.push(Action::CopyText(self.csv(view).text()));
                ui.close();
            }
            if ui.button("Save as CSV…").clicked() {
                self.save_csv(view, out);
                ui.close();
            }
            for (name, goal) in [("Save as PNG…", Goal::File), ("Copy as a picture", Goal::Clipboard)] {
                if ui.button(name).clicked() {
                    self.ask_for_picture(goal, ui.ctx());
                    ui.close();
                }
            }
        });
    }

    /// How much is read, with the offer to read the rest.
    fn coverage_ui(&self, ui: &mut Ui, view: &View, coverage: &Coverage, rect: Rect, out: &mut Vec<Action>) {
        if coverage.whole || rect.width() < 120.0 {
            return;
        }
        let text = coverage.text(view.span);
        if coverage.ask.is_empty() {
            widget::plate(ui, rect, Align2::RIGHT_TOP, &text, false);
            return;
        }
        let label = format!("{text} — read all ({})", widget::bytes_text(coverage.cost_bytes));
        let width = ui.painter().layout_no_wrap(label.clone(), theme::small(), Color32::WHITE).size().x + 18.0;
        let place = Align2::RIGHT_TOP.align_size_within_rect(vec2(width.min(rect.width() - 12.0), 22.0), rect.shrink(6.0));
        let button = egui::Button::new(egui::RichText::new(label).font(theme::small())).truncate();
        if ui
            .put(place, button)
            .on_hover_text("Reads the whole recording for these series")
            .clicked()
        {
            out.extend(coverage.ask.iter().map(|topic| Action::ReadWhole(*topic)));
        }
    }
}

fn time_marks(time_axis: &TimeAxis) -> Vec<GridMark> {
    let (fine, labelled) = time_axis.steps();
    let mark = |mark: Mark| GridMark {
        value: mark.nanos as f64 * 1e-9,
        step_size: if mark.has_label { labelled } else { fine } as f64 * 1e-9,
    };
    time_axis.marks().map(mark).collect()
}

/// Empty between those marks that have one.
fn time_label(time_axis: &TimeAxis, mark: GridMark) -> String {
    let (fine, labelled) = time_axis.steps();
    match mark.step_size > fine as f64 * 1.001e-9 || fine == labelled {
        true => time_axis.text((mark.value * 1e9).round() as i64),
        false => String::new(),
    }
}

type Ranges = ((f64, f64), (f64, f64), Option<(f64, f64)>);

/// Where the plot lies on the screen.
pub(super) struct Frame {
    pub(super) rect: Rect,
    pub(super) transform: PlotTransform,
    /// See [`axis_offset`].
    pub(super) offset: f64,
    y: (f64, f64),
    y_right: Option<(f64, f64)>,
}

impl Frame {
    pub(super) fn x_at(&self, secs: f64) -> f32 {
        self.transform.position_from_point_x(secs + self.offset)
    }

    /// From left to right, whichever way x grows.
    pub(super) fn x_range(&self, from_secs: f64, to_secs: f64) -> Rangef {
        let (a, b) = (self.x_at(from_secs), self.x_at(to_secs));
        Rangef::new(a.min(b), a.max(b))
    }

    pub(super) fn y_at(&self, value: f64, side: Side) -> f32 {
        match (side, self.y_right) {
            (Side::Right, Some(right)) => self.transform.position_from_point_y(rescaled(value, right, self.y)),
            _ => self.transform.position_from_point_y(value),
        }
    }

    pub(super) fn secs_at(&self, at: Pos2) -> f64 {
        self.transform.value_from_position(at).x - self.offset
    }
}

fn right_axis(left: (f64, f64), right: (f64, f64)) -> AxisHints<'static> {
    AxisHints::new_y()
        .placement(HPlacement::Right)
        .min_thickness(VALUES_WIDTH)
        .label_spacing(Rangef::new(18.0, 26.0))
        .formatter(move |mark, _| {
            let step = mark.step_size * (right.1 - right.0) / (left.1 - left.0);
            axis::value_text(rescaled(mark.value, left, right), step.abs())
        })
}

/// `value` of the range `from` at the same height in the range `to`.
fn rescaled(value: f64, from: (f64, f64), to: (f64, f64)) -> f64 {
    to.0 + (value - from.0) / (from.1 - from.0) * (to.1 - to.0)
}

/// The range with some air; a constant lies in the middle.
fn padded(low: f64, high: f64) -> (f64, f64) {
    if low > high {
        return (0.0, 1.0);
    }
    let size = high - low;
    if size <= f64::EPSILON * low.abs().max(high.abs()).max(f64::MIN_POSITIVE) * 8.0 {
        let air = (low.abs() * 0.1).max(if low == 0.0 { 1.0 } else { 1e-9 });
        return (low - air, high + air);
    }
    (low - size * 0.08, high + size * 0.08)
}

fn extent_x(curves: &[Curve]) -> (f64, f64) {
    let values = curves.iter().flat_map(|c| c.points.iter()).map(|p| p.x).filter(|x| x.is_finite());
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    padded(low, high)
}

/// The corners of a line in a style.
fn stepped(part: &[PlotPoint], style: Style, place: impl Fn(&PlotPoint) -> PlotPoint) -> Vec<PlotPoint> {
    let mut points: Vec<PlotPoint> = Vec::with_capacity(part.len() * 2);
    for p in part.iter().map(place) {
        if let Some(last) = points.last().copied() {
            match style {
                Style::Steps => points.push(PlotPoint::new(p.x, last.y)),
                Style::StepsBefore => points.push(PlotPoint::new(last.x, p.y)),
                _ => {}
            }
        }
        points.push(p);
    }
    points
}

//! The drawing itself: visible range, lines, cursors, and what the pointer does.
//!
//! Invariant: the range is decided here each frame and only handed to egui_plot, which draws axes, grid and lines.

use egui::{Align2, Color32, Id, Pos2, Rangef, Rect, Response, Sense, Shape, Stroke, Ui, Vec2, pos2, vec2};
use egui_plot::{AxisHints, HPlacement, Line, Plot, PlotBounds, PlotPoint, PlotPoints, PlotTransform, Points};

use super::pointer::SHORTEST_SECS;
use super::{Coverage, PlotPanel, Side, XAxis, YRange, axis, legend, wanted_span};
use crate::panel::{Action, View, widget};
use crate::theme;
use crate::time::{Span, Time};

/// What is in view, moved by hand; None follows the data.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ViewRange {
    /// Seconds from the recording's start.
    pub x: Option<(f64, f64)>,
    pub y: Option<(f64, f64)>,
    /// Where a zoom box began, in the plot's coordinates.
    pub(super) box_from: Option<Pos2>,
}

/// One series, ready to be drawn.
struct Curve {
    index: usize,
    points: Vec<PlotPoint>,
    steps: bool,
    side: Side,
}

/// Sets the time range of all plots that share theirs.
pub fn share_range(ctx: &egui::Context, range: Option<(f64, f64)>) {
    ctx.data_mut(|d| d.insert_temp(shared_id(), range));
}

fn shared_id() -> Id {
    Id::unique("time range of all plots")
}

/// Seconds from the recording's start to the axis' own zero.
fn axis_offset(view: &View, x_axis: XAxis) -> f64 {
    match x_axis {
        XAxis::FromStart => 0.0,
        XAxis::Clock => view.span.start.nanos().rem_euclid(86_400_000_000_000) as f64 * 1e-9,
    }
}

pub(super) fn secs_of(view: &View, t: Time) -> f64 {
    t.since(view.span.start) as f64 * 1e-9
}

pub(super) fn time_of(view: &View, secs: f64) -> Time {
    view.span.start.plus_nanos((secs * 1e9).round() as i64)
}

impl PlotPanel {
    pub(super) fn canvas_ui(&mut self, ui: &mut Ui, view: &View, coverage: &Coverage, out: &mut Vec<Action>) {
        let rect = ui.available_rect_before_wrap();
        if rect.width() < 40.0 || rect.height() < 30.0 {
            return;
        }
        let x = self.x_range(ui, view);
        let columns = (rect.width() * ui.ctx().pixels_per_point()).ceil().clamp(16.0, 8192.0) as usize;
        let curves = self.curves(view, x, columns);
        let y = self.y_range(&curves, x, Side::Left);
        let y_right = curves
            .iter()
            .any(|c| c.side == Side::Right)
            .then(|| self.y_range(&curves, x, Side::Right));
        let offset = axis_offset(view, self.config.x_axis);
        let response = self.show_plot(ui, rect, &curves, (x, y, y_right), offset);
        let plot = Frame {
            rect: response.transform.frame().to_owned(),
            transform: response.transform,
            offset,
            y,
            y_right,
        };
        self.unread_ui(ui, view, &plot);
        self.cursors_ui(ui, view, &plot, &response.response, out);
        self.interact(ui, view, &plot, &response.response, out);
        self.menu(&response.response, view, out);
        if curves.iter().all(|c| c.points.is_empty()) && !coverage.waiting {
            let text = if self.config.series.iter().any(|s| s.visible) {
                "No values in this span"
            } else {
                "All series are hidden"
            };
            widget::empty_note(ui, plot.rect, text);
        }
        self.coverage_ui(ui, view, coverage, plot.rect, out);
    }

    /// The visible seconds from the recording's start.
    fn x_range(&mut self, ui: &Ui, view: &View) -> (f64, f64) {
        if self.config.sync_x {
            self.view.x = ui.data(|d| d.get_temp::<Option<(f64, f64)>>(shared_id())).flatten();
        }
        let window = self.config.follow_window_secs.max(0.05);
        if self.config.follow && view.playing {
            let now = secs_of(view, view.now);
            return (now - window * 0.8, now + window * 0.2);
        }
        if let Some(x) = self.view.x {
            return x;
        }
        let spans = self
            .resolved
            .iter()
            .flatten()
            .filter(|r| r.problem.is_none())
            .map(|r| wanted_span(view, r.topic));
        let span = spans.reduce(Span::union).unwrap_or(view.span);
        let (start, end) = (secs_of(view, span.start), secs_of(view, span.end));
        if end - start >= SHORTEST_SECS {
            (start, end)
        } else {
            (start - 0.5, end + 0.5)
        }
    }

    fn curves(&self, view: &View, (x0, x1): (f64, f64), columns: usize) -> Vec<Curve> {
        let span = Span::new(time_of(view, x0), time_of(view, x1));
        let mut curves = Vec::new();
        for (index, config) in self.config.series.iter().enumerate().filter(|(_, s)| s.visible) {
            let Some(series) = self.series(view.store, index) else { continue };
            let points: Vec<PlotPoint> = series
                .decimated(span, columns)
                .into_iter()
                .map(|(t, v)| PlotPoint::new(secs_of(view, t), v))
                .collect();
            let mut values = points.iter().map(|p| p.y).filter(|y| !y.is_nan()).peekable();
            let steps = values.peek().is_some() && values.all(|y| y == 0.0 || y == 1.0);
            curves.push(Curve {
                index,
                points,
                steps,
                side: config.axis,
            });
        }
        curves
    }

    fn y_range(&self, curves: &[Curve], (x0, x1): (f64, f64), side: Side) -> (f64, f64) {
        let fixed = if side == Side::Left { self.config.y } else { self.config.y_right };
        if let (Side::Left, Some(y)) = (side, self.view.y) {
            return y;
        }
        if let YRange::Manual { min, max } = fixed {
            return if min < max { (min, max) } else { (min - 0.5, min + 0.5) };
        }
        let visible = curves.iter().filter(|c| c.side == side).flat_map(|c| &c.points);
        let values = visible.filter(|p| p.x >= x0 && p.x <= x1 && p.y.is_finite()).map(|p| p.y);
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        padded(low, high)
    }

    fn show_plot(&self, ui: &mut Ui, rect: Rect, curves: &[Curve], (x, y, y_right): Ranges, offset: f64) -> egui_plot::PlotResponse<()> {
        let palette = theme::palette(ui.visuals());
        let clock = self.config.x_axis == XAxis::Clock;
        let x_hints = AxisHints::new_x()
            .formatter(move |mark, _| {
                if clock {
                    axis::clock_text(mark.value, mark.step_size)
                } else {
                    axis::secs_text(mark.value, mark.step_size)
                }
            })
            .label_spacing(Rangef::new(if clock { 70.0 } else { 50.0 }, if clock { 90.0 } else { 64.0 }))
            .tick_label_font(theme::small())
            .tick_label_color(palette.weak);
        let mut y_hints = vec![
            AxisHints::new_y()
                .formatter(|mark, _| axis::value_text(mark.value, mark.step_size))
                .min_thickness(38.0)
                .label_spacing(Rangef::new(18.0, 26.0))
                .tick_label_font(theme::small())
                .tick_label_color(palette.weak),
        ];
        if let Some(right) = y_right {
            y_hints.push(right_axis(y, right).tick_label_font(theme::small()).tick_label_color(palette.weak));
        }
        let plot = Plot::new(ui.scope_id().with("plot"))
            .width(rect.width())
            .height(rect.height())
            .sense(Sense::click_and_drag())
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
            .grid_spacing(Rangef::new(14.0, 140.0))
            .x_grid_spacer(move |input| axis::time_marks(input, if clock { 6.0 } else { 4.2 }))
            .y_grid_spacer(|input| axis::value_marks(input, 2.2))
            .custom_x_axes(vec![x_hints])
            .custom_y_axes(y_hints);
        let lines: Vec<(Line<'_>, Option<Points<'_>>)> = curves
            .iter()
            .flat_map(|c| self.lines(ui, c, (x, y, y_right), offset, rect.width()))
            .collect();
        plot.show(ui, |plot_ui| {
            plot_ui.set_plot_bounds(PlotBounds::from_min_max([x.0 + offset, y.0], [x.1 + offset, y.1]));
            for (line, points) in lines {
                plot_ui.line(line);
                if let Some(points) = points {
                    plot_ui.points(points);
                }
            }
        })
    }

    /// The unbroken parts of a curve.
    fn lines(
        &self,
        ui: &Ui,
        curve: &Curve,
        (x, y, y_right): Ranges,
        offset: f64,
        width: f32,
    ) -> Vec<(Line<'static>, Option<Points<'static>>)> {
        let color = self.color(ui.visuals(), curve.index);
        let line_width = self.config.series.get(curve.index).map_or(1.5, |s| s.line_width.clamp(0.5, 12.0));
        let visible = curve.points.iter().filter(|p| p.x >= x.0 && p.x <= x.1).count();
        let dots = visible > 0 && (visible as f32) < width / 14.0;
        let place = |p: &PlotPoint| {
            let v = match (curve.side, y_right) {
                (Side::Right, Some(right)) => rescaled(p.y, right, y),
                _ => p.y,
            };
            PlotPoint::new(p.x + offset, v)
        };
        curve
            .points
            .split(|p| p.y.is_nan())
            .filter(|part| !part.is_empty())
            .map(|part| {
                let mut points: Vec<PlotPoint> = Vec::with_capacity(part.len() * if curve.steps { 2 } else { 1 });
                for p in part {
                    let p = place(p);
                    if let (true, Some(last)) = (curve.steps, points.last().copied()) {
                        points.push(PlotPoint::new(p.x, last.y));
                    }
                    points.push(p);
                }
                let alone = part.len() == 1;
                let marks = (dots || alone).then(|| {
                    let at: Vec<PlotPoint> = part.iter().map(place).collect();
                    Points::new("", PlotPoints::Owned(at))
                        .color(color)
                        .radius(line_width + 0.6)
                        .allow_hover(false)
                });
                let line = Line::new("", PlotPoints::Owned(points))
                    .color(color)
                    .width(line_width)
                    .allow_hover(false)
                    .allow_band(false);
                (line, marks)
            })
            .collect()
    }

    /// A veil over what is not read yet.
    fn unread_ui(&self, ui: &Ui, view: &View, plot: &Frame) {
        let Some(loaded) = (0..self.config.series.len())
            .filter(|i| self.config.series.get(*i).is_some_and(|s| s.visible))
            .filter_map(|i| self.series(view.store, i))
            .map(crate::store::Series::loaded)
            .min_by_key(|spans| widget::covered_nanos(spans, view.span))
        else {
            return;
        };
        let color = theme::palette(ui.visuals()).hover.gamma_multiply(0.45);
        let painter = ui.painter().with_clip_rect(plot.rect);
        let mut from = view.span.start;
        let mut sorted: Vec<Span> = loaded.to_vec();
        sorted.sort_by_key(|s| s.start);
        sorted.push(Span::at(view.span.end));
        for span in sorted {
            if span.start > from {
                let (a, b) = (plot.x_at(secs_of(view, from)), plot.x_at(secs_of(view, span.start)));
                // chunks that touch leave gaps of less than a pixel
                if b - a > 1.5 {
                    painter.rect_filled(Rect::from_x_y_ranges(a..=b, plot.rect.y_range()), 0.0, color);
                }
            }
            from = from.max(span.end);
        }
    }

    fn cursors_ui(&mut self, ui: &Ui, view: &View, plot: &Frame, response: &Response, out: &mut Vec<Action>) {
        let palette = theme::palette(ui.visuals());
        let painter = ui.painter().with_clip_rect(plot.rect);
        let hover = response
            .hover_pos()
            .filter(|p| plot.rect.contains(*p) && !response.dragged())
            .map(|p| time_of(view, plot.secs_at(p)));
        if hover.is_some() || self.hovering {
            out.push(Action::Hover(hover));
        }
        self.hovering = hover.is_some();
        if let Some(t) = hover.or(view.hover) {
            let x = plot.x_at(secs_of(view, t));
            painter.vline(x, plot.rect.y_range(), Stroke::new(1.0, palette.faint));
        }
        let x = plot.x_at(secs_of(view, view.now));
        painter.vline(x, plot.rect.y_range(), Stroke::new(1.5, palette.accent));
        let top = plot.rect.top();
        let head = vec![pos2(x - 4.5, top), pos2(x + 4.5, top), pos2(x, top + 6.0)];
        painter.add(Shape::convex_polygon(head, palette.accent, Stroke::NONE));
        for (index, config) in self.config.series.iter().enumerate().filter(|(_, s)| s.visible) {
            if let Some(v) = self
                .series(view.store, index)
                .and_then(|s| s.value_at(view.now))
                .filter(|v| v.is_finite())
            {
                let at = pos2(x, plot.y_at(v, config.axis));
                painter.circle(at, 3.0, self.color(ui.visuals(), index), Stroke::new(1.0, palette.raised));
            }
        }
        if let (Some(t), Some(pointer)) = (hover, response.hover_pos()) {
            self.hover_plate(ui, view, plot, t, pointer);
        }
    }

    /// Time and values under the pointer.
    fn hover_plate(&self, ui: &Ui, view: &View, plot: &Frame, t: Time, pointer: Pos2) {
        let palette = theme::palette(ui.visuals());
        let names = legend::short_names(&self.config.series);
        let rows: Vec<(Color32, String, String)> = self
            .config
            .series
            .iter()
            .enumerate()
            .filter(|(_, s)| s.visible)
            .filter_map(|(i, _)| {
                let value = self.series(view.store, i)?.value_at(t)?;
                Some((self.color(ui.visuals(), i), names.get(i)?.clone(), widget::number_text(value, 10)))
            })
            .collect();
        let at = match self.config.x_axis {
            XAxis::FromStart => format!("{:.3} s", secs_of(view, t)),
            XAxis::Clock => crate::time::format_time_of_day(t),
        };
        let mono = egui::FontId::monospace(11.0);
        let painter = ui.painter().with_clip_rect(ui.clip_rect());
        let head = painter.layout_no_wrap(at, mono.clone(), palette.weak);
        let rows: Vec<_> = rows
            .into_iter()
            .map(|(c, name, value)| {
                (
                    c,
                    painter.layout_no_wrap(name, theme::small(), palette.text),
                    painter.layout_no_wrap(value, mono.clone(), palette.text),
                )
            })
            .collect();
        let names_width = rows.iter().map(|r| r.1.size().x).fold(0.0, f32::max);
        let values_width = rows.iter().map(|r| r.2.size().x).fold(0.0, f32::max);
        let width = (names_width + values_width + 26.0).max(head.size().x) + 16.0;
        let size = vec2(width, 22.0 + rows.len() as f32 * 16.0 + 4.0);
        let mut min = pointer + vec2(14.0, 10.0);
        if min.x + size.x > plot.rect.right() {
            min.x = pointer.x - 14.0 - size.x;
        }
        min.y = min.y.min(plot.rect.bottom() - size.y - 2.0).max(plot.rect.top() + 2.0);
        let plate = Rect::from_min_size(min, size);
        painter.rect(
            plate,
            4.0,
            palette.overlay,
            Stroke::new(1.0, palette.line),
            egui::StrokeKind::Inside,
        );
        painter.galley(min + vec2(8.0, 5.0), head, palette.weak);
        for (i, (color, name, value)) in rows.into_iter().enumerate() {
            let y = min.y + 21.0 + i as f32 * 16.0;
            painter.rect_filled(Rect::from_min_size(pos2(min.x + 8.0, y + 3.0), Vec2::splat(8.0)), 2.0, color);
            painter.galley(pos2(min.x + 21.0, y), name, palette.text);
            let x = plate.right() - 8.0 - value.size().x;
            painter.galley(pos2(x, y), value, palette.text);
        }
    }

    fn menu(&mut self, response: &Response, view: &View, out: &mut Vec<Action>) {
        if response.dragged() {
            return;
        }
        response.context_menu(|ui| {
            if ui.button("Reset view").clicked() {
                self.view = ViewRange::default();
                share_range(ui.ctx(), None);
                ui.close();
            }
            if ui.checkbox(&mut self.config.follow, "Follow while playing").changed() {
                out.push(Action::Changed);
                ui.close();
            }
            if ui.button("Copy as CSV").clicked() {
                out.push(Action::CopyText(self.csv(view)));
                ui.close();
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

    /// The visible span of the visible series: `time_ns,series,value`, by series, then time.
    pub(super) fn csv(&self, view: &View) -> String {
        const MOST_COLUMNS: usize = 100_000;
        let span = self
            .view
            .x
            .map_or(view.span, |(a, b)| Span::new(time_of(view, a), time_of(view, b)));
        let mut out = String::from("time_ns,series,value\n");
        for (index, config) in self.config.series.iter().enumerate().filter(|(_, s)| s.visible) {
            for (t, v) in self
                .series(view.store, index)
                .map(|s| s.decimated(span, MOST_COLUMNS))
                .unwrap_or_default()
            {
                if span.contains(t) && !v.is_nan() {
                    out.push_str(&format!("{},\"{}\",{v}\n", t.nanos(), config.path.replace('"', "\"\"")));
                }
            }
        }
        out
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
    fn x_at(&self, secs: f64) -> f32 {
        self.transform.position_from_point_x(secs + self.offset)
    }

    fn y_at(&self, value: f64, side: Side) -> f32 {
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
        .min_thickness(38.0)
        .label_spacing(Rangef::new(18.0, 26.0))
        .formatter(move |mark, _| {
            let step = mark.step_size * (right.1 - right.0) / (left.1 - left.0);
            axis::value_text(rescaled(mark.value, left, right), step.abs() / 10.0)
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

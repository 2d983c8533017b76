//! What the pointer does on a plot.
//!
//! Invariant: whatever is dragged or turned, the visible range stays finite and no shorter than [`SHORTEST_SECS`].

use egui::{CursorIcon, PointerButton, Pos2, Rect, Response, Stroke, Ui};

use super::PlotPanel;
use super::canvas::{Frame, ViewRange, time_of};
use crate::panel::{Action, View, linked};
use crate::theme;

/// The shortest visible range in seconds.
pub const SHORTEST_SECS: f64 = 1e-5;

/// A box that is flatter, in points, zooms into time alone.
const FLAT: f32 = 12.0;

impl PlotPanel {
    /// Click seeks (with Alt: puts a cursor), drag pans, right or Shift drag zooms to a box, wheel zooms time (with Shift: moves; with Ctrl: values),
    /// double-click shows everything.
    pub(super) fn interact(&mut self, ui: &Ui, view: &View, plot: &Frame, response: &Response, out: &mut Vec<Action>) {
        let before = self.view;
        let bounds = *plot.transform.bounds();
        let (x, y) = (
            (bounds.min()[0] - plot.offset, bounds.max()[0] - plot.offset),
            (bounds.min()[1], bounds.max()[1]),
        );
        let is_time = self.config.x_axis.is_time();
        if response.double_clicked() {
            self.view = ViewRange::default();
        } else if response.clicked()
            && ui.input(|i| i.modifiers.alt)
            && let Some(pointer) = response.interact_pointer_pos()
        {
            self.place_cursor(plot.secs_at(pointer), x);
            out.push(Action::Changed);
        } else if response.clicked()
            && is_time
            && let Some(pointer) = response.interact_pointer_pos()
        {
            out.push(Action::Seek(view.span.clamp(time_of(view, plot.secs_at(pointer)))));
        }
        let boxed = response.dragged_by(PointerButton::Secondary)
            || response.dragged_by(PointerButton::Primary) && (self.view.box_from.is_some() || ui.input(|i| i.modifiers.shift));
        if boxed {
            self.zoom_box(ui, plot, response);
        } else if response.dragged_by(PointerButton::Primary) {
            ui.set_cursor_icon(CursorIcon::Grabbing);
            let delta = response.drag_delta();
            let [x_of_point, y_of_point] = plot.transform.dvalue_dpos();
            let move_x = f64::from(delta.x) * x_of_point;
            self.view.x = Some((x.0 - move_x, x.1 - move_x));
            if self.view.y.is_some() || self.config.is_equally_scaled() {
                let move_y = f64::from(delta.y) * y_of_point;
                self.view.y = Some((y.0 - move_y, y.1 - move_y));
            }
        }
        if response.drag_stopped()
            && let (Some(from), Some(to)) = (self.view.box_from.take(), response.interact_pointer_pos())
        {
            let (a, b) = (plot.transform.value_from_position(from), plot.transform.value_from_position(to));
            let size = (to - from).abs();
            if size.x > 4.0 {
                self.view.x = Some((a.x.min(b.x) - plot.offset, a.x.max(b.x) - plot.offset));
            }
            if size.x > 4.0 && size.y > FLAT {
                self.view.y = Some((a.y.min(b.y), a.y.max(b.y)));
            }
        }
        if response.contains_pointer()
            && let Some(pointer) = response.hover_pos()
        {
            self.wheel(ui, plot, pointer, x, y);
        }
        if let Some((a, b)) = self.view.x {
            self.view.x = (a.is_finite() && b.is_finite()).then(|| if is_time { at_least(a, b) } else { (a, b) });
        }
        if is_time && self.config.sync_x && self.view.x != before.x {
            linked::share(ui.ctx(), self.view.x);
        }
    }

    fn zoom_box(&mut self, ui: &Ui, plot: &Frame, response: &Response) {
        let Some(pointer) = response.interact_pointer_pos() else { return };
        let from = *self
            .view
            .box_from
            .get_or_insert(ui.input(|i| i.pointer.press_origin()).unwrap_or(pointer));
        let accent = theme::palette(ui.visuals()).accent;
        let mut area = Rect::from_two_pos(from, pointer).intersect(plot.rect);
        if area.height() <= FLAT {
            area = Rect::from_x_y_ranges(area.x_range(), plot.rect.y_range());
        }
        ui.painter().rect(
            area,
            0.0,
            accent.gamma_multiply(0.15),
            Stroke::new(1.0, accent),
            egui::StrokeKind::Inside,
        );
    }

    fn wheel(&mut self, ui: &Ui, plot: &Frame, pointer: Pos2, x: (f64, f64), y: (f64, f64)) {
        let (scroll, pinch, modifiers) = ui.input(|i| (i.smooth_scroll_delta(), i.zoom_delta(), i.modifiers));
        let at = plot.transform.value_from_position(pointer);
        let zoomed = |(a, b): (f64, f64), center: f64, factor: f64| (center - (center - a) / factor, center + (b - center) / factor);
        let zoom = match (pinch - 1.0).abs() > 1e-4 {
            true => f64::from(pinch),
            false => f64::from(scroll.y * 0.005).exp(),
        };
        let is_moved = scroll.x.abs() > 0.1 || modifiers.shift && scroll.y.abs() > 0.1;
        if self.config.is_equally_scaled() && !is_moved {
            if zoom != 1.0 {
                self.view.x = Some(zoomed(x, at.x - plot.offset, zoom));
                self.view.y = Some(zoomed(y, at.y, zoom));
            }
        } else if (pinch - 1.0).abs() > 1e-4 {
            self.view.y = Some(zoomed(y, at.y, f64::from(pinch)));
        } else if is_moved {
            let delta = if scroll.x.abs() > 0.1 { scroll.x } else { scroll.y };
            let moved = f64::from(delta) * plot.transform.dvalue_dpos()[0];
            self.view.x = Some((x.0 - moved, x.1 - moved));
            if self.config.is_equally_scaled() {
                self.view.y = Some(y);
            }
        } else if scroll.y.abs() > 0.1 {
            self.view.x = Some(zoomed(x, at.x - plot.offset, zoom));
        }
    }
}

fn at_least(a: f64, b: f64) -> (f64, f64) {
    if b - a >= SHORTEST_SECS {
        return (a, b);
    }
    let middle = (a + b) / 2.0;
    (middle - SHORTEST_SECS / 2.0, middle + SHORTEST_SECS / 2.0)
}

//! What the plot says about a time: the playhead, the pointer, and the values there.
//!
//! Invariant: figures keep their width, so that nothing moves while the pointer does.

use egui::{Color32, Pos2, Rect, Response, Shape, Stroke, Ui, Vec2, pos2, vec2};

use super::canvas::{Frame, secs_of, time_of};
use super::config::XAxis;
use super::{PlotPanel, legend};
use crate::panel::{Action, View};
use crate::theme;
use crate::time::{Time, format_relative};

impl PlotPanel {
    pub(super) fn cursors_ui(&mut self, ui: &Ui, view: &View, plot: &Frame, response: &Response, out: &mut Vec<Action>) {
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
        let mut rows: Vec<(Color32, String, String)> = self
            .config
            .series
            .iter()
            .enumerate()
            .filter(|(_, s)| s.visible)
            .filter_map(|(i, _)| {
                let value = self.series(view.store, i).and_then(|_| self.worth_text(view.store, i, t, 10))?;
                Some((self.color(ui.visuals(), i), names.get(i)?.clone(), value))
            })
            .collect();
        rows.extend(self.background_at(ui, view, t));
        let at = match self.config.x_axis {
            XAxis::Clock => crate::time::format_time_of_day(t),
            _ => format_relative(t, view.span.start).trim_start_matches('+').to_owned(),
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
}

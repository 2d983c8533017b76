//! How many lines of each level pass when: bars over the whole recording, under the clock that all panels share.
//!
//! Invariant: what is rare is seen: a column with one error among ten thousand lines shows it.

use egui::emath::GuiRounding as _;
use egui::{Rect, Sense, Stroke, Ui, pos2};

use super::LogPanel;
use super::row::level_color;
use crate::decode::LogLevel;
use crate::panel::{Action, View, widget};
use crate::theme;
use crate::time::{self, Time};

pub const HEIGHT: f32 = 34.0;
const COLUMN_POINTS: f32 = 3.0;
/// The least height of a level that is there.
const LEAST_POINTS: f32 = 2.0;

impl LogPanel {
    /// Click seeks; the pointer is shared with the other panels.
    pub(super) fn strip_ui(&mut self, ui: &Ui, rect: Rect, view: &View, out: &mut Vec<Action>) {
        let p = theme::palette(ui.visuals());
        let bars = rect.shrink2(egui::vec2(8.0, 3.0));
        let columns = ((bars.width() / COLUMN_POINTS) as usize).clamp(1, 2000);
        let counts = self.lines.histogram(view.span, columns);
        let painter = ui.painter().with_clip_rect(rect);
        painter.hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, p.line));
        // the square root, so that few lines are seen beside many
        let most = counts.iter().map(|c| c.iter().sum::<f32>()).fold(1.0, f32::max).sqrt();
        let width = bars.width() / columns as f32;
        // whole pixels, without gaps: what is alike looks alike
        let pixels = ui.pixels_per_point();
        let edge = |at: usize| (bars.left() + at as f32 * width).round_to_pixels(pixels);
        for (at, column) in counts.iter().enumerate() {
            let all: f32 = column.iter().sum();
            if all <= 0.0 {
                continue;
            }
            let height = (all.sqrt() / most * bars.height()).max(LEAST_POINTS);
            let (left, right) = (edge(at), edge(at + 1));
            let mut bottom = bars.bottom();
            // the worst at the bottom, where it is not overlooked
            for level in LogLevel::ALL.into_iter().rev() {
                let n = column.get(level as usize).copied().unwrap_or(0.0);
                if n <= 0.0 {
                    continue;
                }
                let least = if level >= LogLevel::Warn { LEAST_POINTS } else { 0.0 };
                let part = (n / all * height).max(least).min(bottom - bars.top());
                let bar = Rect::from_min_max(pos2(left, bottom - part), pos2(right, bottom));
                let color = if level >= LogLevel::Warn {
                    level_color(p, level)
                } else {
                    p.faint.gamma_multiply(0.55)
                };
                painter.rect_filled(bar, 0.0, color);
                bottom -= part;
            }
        }
        let nanos = view.span.nanos().max(1) as f64;
        let x_of = |t: Time| bars.left() + (t.since(view.span.start) as f64 / nanos * f64::from(bars.width())) as f32;
        for bookmark in &self.config.bookmarks {
            let x = x_of(bookmark.time());
            let mark = vec![pos2(x - 3.0, rect.top()), pos2(x + 3.0, rect.top()), pos2(x, rect.top() + 5.0)];
            painter.add(egui::Shape::convex_polygon(mark, p.accent, Stroke::NONE));
        }
        let response = ui.interact(rect, ui.scope_id().with("histogram"), Sense::click_and_drag());
        let response = widget::named(response, "Lines over time");
        let time_at = |x: f32| {
            let fraction = f64::from(((x - bars.left()) / bars.width()).clamp(0.0, 1.0));
            view.span.at_fraction(fraction)
        };
        let hover = response.hover_pos().map(|at| time_at(at.x));
        if hover.is_some() || self.hovering {
            out.push(Action::Hover(hover));
        }
        self.hovering = hover.is_some();
        if let Some(t) = hover.or(view.hover) {
            painter.vline(x_of(t), rect.y_range(), Stroke::new(1.0, p.weak));
        }
        painter.vline(x_of(view.now), rect.y_range(), Stroke::new(1.5, p.accent));
        if let Some(at) = response.interact_pointer_pos()
            && (response.clicked() || response.dragged())
        {
            out.push(Action::Seek(time_at(at.x)));
        }
        if let Some(t) = hover {
            let column = ((x_of(t) - bars.left()) / width) as usize;
            let of = counts.get(column.min(columns - 1)).copied().unwrap_or_default();
            response.on_hover_ui_at_pointer(|ui| {
                ui.label(time::format_relative(t, view.span.start));
                for (level, n) in LogLevel::ALL.into_iter().zip(of).rev().filter(|c| c.1 > 0.0) {
                    ui.colored_label(level_color(p, level), format!("{n:.0} × {}", level.name()));
                }
            });
        }
    }
}

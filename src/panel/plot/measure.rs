//! Two cursors to measure between, and the figures of the visible span.
//!
//! Invariant: a figure says so where it is not of every value.

use egui::{Align2, Color32, CursorIcon, Pos2, Rect, Response, Stroke, Ui, pos2, vec2};

use super::PlotPanel;
use super::canvas::{Frame, time_of};
use crate::panel::{Action, View, widget};
use crate::store::Statistics;
use crate::theme;
use crate::time::Span;

const NAMES: [&str; 2] = ["A", "B"];
/// Points around a cursor's line within which it is taken hold of.
const REACH: f32 = 5.0;

impl PlotPanel {
    /// Puts the nearer of the two cursors to a time, or both where there are none.
    pub(super) fn place_cursor(&mut self, secs: f64, visible: (f64, f64)) {
        self.config.cursors = Some(match self.config.cursors {
            None => [secs, secs + (visible.1 - visible.0) * 0.1],
            Some([a, b]) if (secs - a).abs() <= (secs - b).abs() => [secs, b],
            Some([a, _]) => [a, secs],
        });
    }

    /// Draws the cursors; takes hold of one. True while one is dragged.
    pub(super) fn cursors(&mut self, ui: &Ui, view: &View, plot: &Frame, response: &Response, out: &mut Vec<Action>) -> bool {
        let Some(cursors) = self.config.cursors.filter(|_| self.config.x_axis.is_time()) else {
            return false;
        };
        let palette = theme::palette(ui.visuals());
        let near = |at: Pos2| {
            let apart = |i: &usize| cursors.get(*i).map_or(f32::MAX, |c| (plot.x_at(*c) - at.x).abs());
            let nearest = [0, 1].into_iter().min_by(|a, b| apart(a).total_cmp(&apart(b)));
            nearest.filter(|i| apart(i) <= REACH && plot.rect.contains(at))
        };
        if response.drag_started() {
            self.dragged_cursor = ui.input(|i| i.pointer.press_origin()).and_then(near);
        }
        if let (Some(index), Some(pointer), true) = (self.dragged_cursor, response.interact_pointer_pos(), response.dragged()) {
            if let Some(slot) = self.config.cursors.as_mut().and_then(|c| c.get_mut(index)) {
                *slot = plot.secs_at(pointer);
            }
            out.push(Action::Changed);
        }
        let is_dragged = self.dragged_cursor.is_some() && (response.dragged() || response.drag_stopped());
        if !response.dragged() {
            self.dragged_cursor = None;
        }
        if is_dragged || response.hover_pos().and_then(near).is_some() {
            ui.set_cursor_icon(CursorIcon::ResizeHorizontal);
        }
        let painter = ui.painter().with_clip_rect(plot.rect);
        let at = cursors.map(|secs| plot.x_at(secs));
        let between = Rect::from_x_y_ranges(at[0].min(at[1])..=at[0].max(at[1]), plot.rect.y_range());
        painter.rect_filled(between, 0.0, palette.text.gamma_multiply(0.05));
        for (x, name) in at.into_iter().zip(NAMES) {
            painter.add(egui::Shape::dashed_line(
                &[pos2(x, plot.rect.top()), pos2(x, plot.rect.bottom())],
                Stroke::new(1.0, palette.text),
                4.0,
                3.0,
            ));
            let flag = Rect::from_min_size(pos2(x - 8.0, plot.rect.bottom() - 16.0), vec2(16.0, 14.0));
            painter.rect_filled(flag, 3.0, palette.text);
            painter.text(flag.center(), Align2::CENTER_CENTER, name, theme::small(), palette.raised);
        }
        self.delta_plate(ui, view, plot, cursors);
        is_dragged
    }

    /// What lies between the cursors: time, and each series' values.
    fn delta_plate(&self, ui: &Ui, view: &View, plot: &Frame, [a, b]: [f64; 2]) {
        let palette = theme::palette(ui.visuals());
        let secs = b - a;
        let hertz = if secs == 0.0 {
            String::new()
        } else {
            format!("   {} Hz", widget::number_text(1.0 / secs.abs(), 7))
        };
        let mut rows: Vec<(Color32, String)> = vec![(palette.weak, format!("Δt {secs:.6} s{hertz}"))];
        for index in (0..self.config.series.len()).filter(|i| self.is_shown(*i)) {
            let Some(series) = self.series(view.store, index) else { continue };
            let at = |secs| series.value_at(time_of(view, secs));
            if let (Some(from), Some(to)) = (at(a), at(b)) {
                let n = |v| signed(v, 8);
                let text = format!("{:>9}  {:>9}  Δ {:>9}", n(from), n(to), n(to - from));
                rows.push((self.color(ui.visuals(), index), text));
            }
        }
        let mono = egui::FontId::monospace(11.0);
        let galleys: Vec<_> = rows
            .into_iter()
            .map(|(color, text)| (color, ui.painter().layout_no_wrap(text, mono.clone(), palette.text)))
            .collect();
        let width = galleys.iter().map(|g| g.1.size().x).fold(0.0, f32::max) + 28.0;
        let size = vec2(width, galleys.len() as f32 * 16.0 + 8.0);
        let plate = Align2::LEFT_TOP.align_size_within_rect(size, plot.rect.shrink(6.0));
        let painter = ui.painter().with_clip_rect(plot.rect);
        painter.rect(
            plate,
            4.0,
            palette.overlay.gamma_multiply(0.94),
            Stroke::new(1.0, palette.line),
            egui::StrokeKind::Inside,
        );
        for (i, (color, galley)) in galleys.into_iter().enumerate() {
            let y = plate.top() + 4.0 + i as f32 * 16.0;
            if i > 0 {
                painter.rect_filled(Rect::from_min_size(pos2(plate.left() + 8.0, y + 4.0), vec2(8.0, 8.0)), 2.0, color);
            }
            let left = if i > 0 { 20.0 } else { 8.0 };
            painter.galley(pos2(plate.left() + left, y), galley, palette.text);
        }
    }

    /// The visible time.
    pub(super) fn visible_span(&mut self, ui: &Ui, view: &View) -> Span {
        if !self.config.x_axis.is_time() {
            return self.shown_time(view);
        }
        let (a, b) = self.x_range(ui, view);
        Span::new(time_of(view, a), time_of(view, b))
    }

    /// What is read off the visible span of a series, in the order of [`HEADS`].
    pub(super) fn figures(&self, view: &View, index: usize, span: Span, width: usize) -> Option<Vec<String>> {
        let statistics = self.series(view.store, index)?.statistics(span);
        Some(figures_of(&statistics, width))
    }
}

/// What the columns of [`PlotPanel::figures`] are.
pub const HEADS: [(&str, &str); 9] = [
    ("n", "Values in view"),
    ("min", "Least"),
    ("max", "Greatest"),
    ("mean", "Mean"),
    ("σ", "Standard deviation (of the population)"),
    ("RMS", "Root mean square"),
    ("MAV", "Mean absolute value"),
    ("p-p", "Greatest less least"),
    ("Hz", "Values a second"),
];

/// In so many characters and a sign, with as many digits on either side of zero.
pub fn signed(value: f64, width: usize) -> String {
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{}", widget::number_text(value.abs(), width))
}

fn figures_of(statistics: &Statistics, width: usize) -> Vec<String> {
    let number = |v: Option<f64>| v.map_or("–".to_owned(), |v| signed(v, width));
    let rate = statistics
        .span()
        .filter(|s| s.nanos() > 0)
        .map(|s| (statistics.count() - 1) as f64 / (s.nanos() as f64 * 1e-9));
    let about = if statistics.is_rounded { "≈" } else { "" };
    vec![
        format!("{about}{}", statistics.count()),
        number(statistics.min().map(|p| p.1)),
        number(statistics.max().map(|p| p.1)),
        number(statistics.mean()),
        number(statistics.stddev()),
        number(statistics.rms()),
        number(statistics.mean_absolute()),
        number(statistics.peak_to_peak()),
        rate.map_or("–".to_owned(), |r| widget::short_number(r, width.min(6))),
    ]
}

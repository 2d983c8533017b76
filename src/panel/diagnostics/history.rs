//! What the selected part said of itself over the whole recording: its level as bands, one of its values as a line.
//!
//! Invariant: the history is of all that is loaded, before and after the playhead; where the part fell silent for longer than the limit
//! it is stale.

use std::sync::Arc;

use egui::{Align2, Rect, Sense, Shape, Stroke, Ui, pos2, vec2};

use super::{DiagnosticsPanel, Level, Part};
use crate::panel::{Action, View, widget};
use crate::store::TopicId;
use crate::theme;
use crate::time::{self, Span, Time};

const LEVEL_HEIGHT: f32 = 14.0;
const VALUE_HEIGHT: f32 = 64.0;

/// What a history is made of.
#[derive(PartialEq)]
struct Of {
    topic: TopicId,
    name: Arc<str>,
    hardware_id: Arc<str>,
    plotted: String,
    revision: u64,
}

#[derive(Default)]
pub struct History {
    /// What `said` was made of.
    of: Option<Of>,
    /// When, how bad, and the plotted value.
    said: Vec<(Time, u8, Option<f64>)>,
}

/// The number that a value starts with: `12.5 V`, `87%`.
pub fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let is_part = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
    let mut end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    // `3 events` ends before the blank, `2e` of `2error` before the letter
    loop {
        let head = text.get(..end)?;
        if let Ok(value) = head.parse::<f64>() {
            return value.is_finite().then_some(value);
        }
        end = head.char_indices().next_back()?.0;
    }
}

impl DiagnosticsPanel {
    fn refresh_history(&mut self, part: &Part, view: &View) {
        let revision = view.store.diagnostics_revision(part.topic);
        let of = Of {
            topic: part.topic,
            name: part.status.name.clone(),
            hardware_id: part.status.hardware_id.clone(),
            plotted: self.config.plotted.clone(),
            revision,
        };
        if self.history.of.as_ref() == Some(&of) {
            return;
        }
        let mut said = Vec::new();
        view.store.each_diagnostic(of.topic, &of.name, &of.hardware_id, |time, status| {
            let value = status.values.get(of.plotted.as_str()).and_then(|v| number(v));
            said.push((time, status.level, value));
        });
        self.history = History { of: Some(of), said };
    }

    /// Click seeks; the pointer is shared with the other panels.
    pub(super) fn history_ui(&mut self, ui: &mut Ui, part: &Part, view: &View, out: &mut Vec<Action>) {
        self.refresh_history(part, view);
        let p = theme::palette(ui.visuals());
        let has_value = self.history.said.iter().any(|s| s.2.is_some());
        let height = LEVEL_HEIGHT + if has_value { VALUE_HEIGHT + 4.0 } else { 0.0 };
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click_and_drag());
        let response = widget::named(response, "History of the part");
        let levels = rect.with_max_y(rect.top() + LEVEL_HEIGHT);
        let nanos = view.span.nanos().max(1) as f64;
        let x_of = |t: Time| rect.left() + (t.since(view.span.start) as f64 / nanos * f64::from(rect.width())) as f32;
        let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
        painter.rect_filled(levels, 2.0, p.line);
        for (span, level) in self.bands(view) {
            let band = Rect::from_x_y_ranges(x_of(span.start)..=x_of(span.end).max(x_of(span.start) + 1.0), levels.y_range());
            painter.rect_filled(band, 1.0, level.color(p).gamma_multiply(0.8));
        }
        if has_value {
            let plot = rect.with_min_y(levels.bottom() + 4.0);
            painter.rect_filled(plot, 2.0, p.base);
            self.value_ui(ui, plot, &x_of, p);
        }
        let hover = response.hover_pos().map(|at| {
            let fraction = f64::from(((at.x - rect.left()) / rect.width().max(1.0)).clamp(0.0, 1.0));
            view.span.at_fraction(fraction)
        });
        if response.hovered() {
            out.push(Action::Hover(hover));
        }
        if let Some(t) = hover.or(view.hover) {
            painter.vline(x_of(t), rect.y_range(), Stroke::new(1.0, p.weak));
        }
        painter.vline(x_of(view.now), rect.y_range(), Stroke::new(1.5, p.accent));
        if let (Some(t), true) = (hover, response.clicked() || response.dragged()) {
            out.push(Action::Seek(t));
        }
        if let Some(t) = hover {
            let said = &self.history.said;
            let newest = said
                .partition_point(|s| s.0 <= t)
                .checked_sub(1)
                .and_then(|at| said.get(at))
                .copied();
            response.on_hover_ui_at_pointer(|ui| {
                ui.label(time::format_relative(t, view.span.start));
                if let Some((heard, level, value)) = newest {
                    let level = self.level(t, heard, level);
                    ui.colored_label(level.color(p), level.name());
                    if let Some(value) = value {
                        ui.label(format!("{} {}", self.config.plotted, widget::number_text(value, 9)));
                    }
                }
            });
        }
    }

    /// From each message to the next, and stale from when it was silent for too long.
    fn bands(&self, view: &View) -> Vec<(Span, Level)> {
        let limit = (self.config.stale_after_secs * 1e9) as i64;
        let mut bands: Vec<(Span, Level)> = Vec::new();
        let mut add = |span: Span, level: Level| match bands.last_mut() {
            Some((whole, last)) if *last == level && whole.end >= span.start => *whole = whole.union(span),
            _ => bands.push((span, level)),
        };
        let said = &self.history.said;
        for (at, (heard, level, _)) in said.iter().enumerate() {
            let next = said.get(at + 1).map_or(view.span.end, |s| s.0);
            let level = self.level(*heard, *heard, *level);
            let fresh_until = if limit > 0 { next.min(heard.plus_nanos(limit)) } else { next };
            add(Span::new(*heard, fresh_until), level);
            if fresh_until < next {
                add(Span::new(fresh_until, next), Level::Stale);
            }
        }
        bands
    }

    fn value_ui(&self, ui: &Ui, plot: Rect, x_of: &dyn Fn(Time) -> f32, p: &theme::Palette) {
        let values = || self.history.said.iter().filter_map(|s| Some((s.0, s.2?)));
        let (low, high) = values().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), (_, v)| (l.min(v), h.max(v)));
        let reach = if high > low { high - low } else { 1.0 };
        let inner = plot.shrink2(vec2(0.0, 6.0));
        let y_of = |v: f64| inner.bottom() - ((v - low) / reach * f64::from(inner.height())) as f32;
        let painter = ui.painter().with_clip_rect(plot.intersect(ui.clip_rect()));
        let mut line: Vec<egui::Pos2> = Vec::new();
        for at in values().map(|(t, v)| pos2(x_of(t), y_of(v))) {
            // of what falls on one column, the extremes
            let before = line.len().checked_sub(2).and_then(|i| line.get(i)).copied();
            match (before, line.last_mut()) {
                (Some(a), Some(b)) if (b.x - at.x).abs() < 0.5 && (a.x - at.x).abs() < 0.5 => {
                    let (low, high) = (a.y.min(b.y), a.y.max(b.y));
                    if at.y < low || at.y > high {
                        *b = at;
                    }
                }
                _ => line.push(at),
            }
        }
        painter.add(Shape::line(line, Stroke::new(1.5, p.accent)));
        let label = |at, align, v| painter.text(at, align, widget::number_text(v, 8), theme::small(), p.weak);
        label(plot.left_top() + vec2(4.0, 2.0), Align2::LEFT_TOP, high);
        if high > low {
            label(plot.left_bottom() + vec2(4.0, -2.0), Align2::LEFT_BOTTOM, low);
        }
        painter.text(
            plot.right_top() + vec2(-4.0, 2.0),
            Align2::RIGHT_TOP,
            &self.config.plotted,
            theme::small(),
            p.weak,
        );
    }
}

//! All about the selected topic: stamps, sizes, how its periods are spread, each gap.

use egui::{Rect, RichText, ScrollArea, Ui, pos2, vec2};

use super::{HealthPanel, bar_color, measured};
use crate::decode::Form;
use crate::panel::{Action, View, widget};
use crate::store::{Edge, SPREAD_MEDIANS, Timing, Topic};
use crate::theme::{self, icon};
use crate::time;

impl HealthPanel {
    pub(super) fn detail_ui(&mut self, ui: &mut Ui, topic: &Topic, view: &View, out: &mut Vec<Action>) {
        let p = theme::palette(ui.visuals());
        let rect = ui.available_rect_before_wrap();
        ui.painter().rect_filled(rect, 0.0, p.overlay);
        let mut closed = false;
        ui.scope_builder(egui::UiBuilder::new().max_rect(rect.shrink2(vec2(12.0, 6.0))), |ui| {
            ui.horizontal(|ui| {
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    closed = theme::widget::icon_button_sized(ui, icon::X, "Close the details", "", 20.0, false).clicked();
                    ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                        ui.add(egui::Label::new(RichText::new(&*topic.name).font(theme::semibold(13.0))).truncate());
                    });
                });
            });
            ScrollArea::vertical().auto_shrink(false).id_salt("details").show(ui, |ui| {
                egui::Grid::new("measured").num_columns(2).spacing([16.0, 2.0]).show(ui, |ui| {
                    for (name, value) in self.facts(topic, view) {
                        ui.label(RichText::new(name).color(p.weak));
                        ui.add(egui::Label::new(value).wrap());
                        ui.end_row();
                    }
                });
                if let Some(timing) = measured(view.store, topic.id).filter(|t| t.median_period_nanos > 0) {
                    gaps_ui(ui, timing, view, out);
                }
                self.histogram_ui(ui, topic, view);
            });
        });
        if closed {
            self.config.selected.clear();
            out.push(Action::Changed);
        }
    }

    fn facts(&self, topic: &Topic, view: &View) -> Vec<(&'static str, String)> {
        let mut facts = vec![("Type", topic.type_name.to_string())];
        if let Some(timing) = measured(view.store, topic.id) {
            if let Some(hz) = timing.rate_hz() {
                facts.push(("Rate", format!("{} (mean)", widget::rate_text(hz))));
                facts.push(("Median rate", widget::rate_text(1e9 / timing.median_period_nanos.max(1) as f64)));
                facts.push(("Jitter", time::format_duration(timing.jitter_nanos as i64)));
            }
            if let (Some(first), Some(last)) = (timing.first, timing.last) {
                facts.push(("First", time::format_relative(first, view.span.start)));
                facts.push(("Last", time::format_relative(last, view.span.start)));
            }
        }
        let stamping = view.store.stamping(topic.id);
        match stamping {
            Some(s) if s.stamped > 0 => {
                let skew = |nanos: i64| time::format_duration(nanos);
                let range = format!("{} … {}", skew(s.least_skew_nanos), skew(s.greatest_skew_nanos));
                facts.push(("Skew", format!("{} (median)", skew(s.median_skew_nanos))));
                facts.push(("Skew from … to", range));
                facts.push(("Out of order", s.out_of_order.to_string()));
                if s.unset > 0 {
                    facts.push(("Stamps of zero", s.unset.to_string()));
                }
            }
            Some(s) if s.unset > 0 => facts.push(("Skew", "its stamps are all zero".into())),
            Some(_) => facts.push(("Skew", "its messages have no header".into())),
            None => facts.push((
                "Skew",
                match &topic.schema_error {
                    Some(why) => format!("unknown: {why}"),
                    None => "is being read".into(),
                },
            )),
        }
        if let Some(s) = stamping.filter(|s| s.mean_size_bytes > 0.0) {
            facts.push(("Size", format!("{} (mean)", widget::bytes_text(s.mean_size_bytes as u64))));
            facts.push(("Largest", widget::bytes_text(u64::from(s.greatest_size_bytes))));
        }
        if let Some(rows) = view.store.rows(topic.id, Form::Stamps)
            && !rows.is_complete(view.span)
        {
            facts.push(("Stamps read of", format!("{} of {} messages", rows.len(), topic.messages)));
        }
        facts
    }

    /// How often each period occurs, up to three medians.
    fn histogram_ui(&self, ui: &mut Ui, topic: &Topic, view: &View) {
        let Some(timing) = measured(view.store, topic.id).filter(|t| t.median_period_nanos > 0) else {
            return;
        };
        let p = theme::palette(ui.visuals());
        let bars = &timing.spread;
        theme::widget::section(ui, "Periods");
        let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 56.0), egui::Sense::hover());
        let most = bars.iter().copied().max().unwrap_or(1).max(1) as f32;
        let width = rect.width() / bars.len().max(1) as f32;
        for (at, count) in bars.iter().enumerate().filter(|b| *b.1 > 0) {
            // the square root: rare periods stay visible beside the common one
            let height = (rect.height() * (*count as f32 / most).sqrt()).max(1.0);
            let left = rect.left() + at as f32 * width;
            let bar = Rect::from_min_max(pos2(left, rect.bottom() - height), pos2(left + width - 1.0, rect.bottom()));
            ui.painter().rect_filled(bar, 0.0, bar_color(ui));
        }
        ui.painter().hline(rect.x_range(), rect.bottom(), egui::Stroke::new(1.0, p.line));
        ui.horizontal(|ui| {
            theme::widget::note(ui, "0");
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                theme::widget::note(
                    ui,
                    format!(
                        "≥ {}",
                        time::format_duration(timing.median_period_nanos.saturating_mul(SPREAD_MEDIANS))
                    ),
                );
            });
        });
    }
}

/// No more gaps are listed.
const MOST_LISTED: usize = 50;

/// The longest gaps, the longest first: a click goes to its beginning.
fn gaps_ui(ui: &mut Ui, timing: &Timing, view: &View, out: &mut Vec<Action>) {
    let p = theme::palette(ui.visuals());
    let title = match timing.gap_count {
        0 => "No gaps".to_owned(),
        1 => "1 gap".to_owned(),
        n => format!("{n} gaps"),
    };
    theme::widget::section(ui, &title);
    let mut gaps = timing.gaps.clone();
    gaps.sort_by_key(|g| std::cmp::Reverse(g.nanos()));
    if timing.gap_count > MOST_LISTED {
        theme::widget::note(ui, format!("The longest {MOST_LISTED}:"));
    }
    for gap in gaps.iter().take(MOST_LISTED) {
        let times = gap.nanos() as f64 / timing.median_period_nanos as f64;
        let (edge, hint) = match gap.edge {
            Edge::None => ("", "Go to the last message before it"),
            Edge::Beginning => ("   until the first message", "Go to the recording's beginning"),
            Edge::End => ("   to the recording's end", "Go to the last message"),
        };
        let text = format!(
            "{}   {}   {times:.1} ×{edge}",
            time::format_relative(gap.from, view.span.start),
            time::format_duration(gap.nanos())
        );
        let button = egui::Button::new(RichText::new(text).color(p.text)).frame_when_inactive(false);
        if ui.add(button).on_hover_text(hint).clicked() {
            out.push(Action::Seek(gap.from));
        }
    }
}

//! All about one diagnosed part.

use egui::{RichText, ScrollArea, Ui};

use super::{DiagnosticsPanel, Part, history};
use crate::panel::{Action, View};
use crate::theme::{self, icon};
use crate::time;

impl DiagnosticsPanel {
    /// True: it is to be closed.
    pub(super) fn detail_ui(&mut self, ui: &mut Ui, part: &Part, view: &View, out: &mut Vec<Action>) -> bool {
        let p = theme::palette(ui.visuals());
        let rect = ui.available_rect_before_wrap();
        ui.painter().rect_filled(rect, 0.0, p.overlay);
        let status = &part.status;
        let mut closed = false;
        let inner = egui::UiBuilder::new().max_rect(rect.shrink2(egui::vec2(12.0, 6.0)));
        ui.scope_builder(inner, |ui| {
            ui.horizontal(|ui| {
                ui.label(RichText::new(part.level.icon()).color(part.level.color(p)).font(theme::icons(16.0)));
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    closed = theme::widget::icon_button_sized(ui, icon::X, "Close the details", "", 20.0, false).clicked();
                    if theme::widget::icon_button_sized(ui, icon::COPY, "Copy as text", "", 20.0, false).clicked() {
                        out.push(Action::CopyText(as_text(part)));
                    }
                    ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                        ui.add(egui::Label::new(RichText::new(&*status.name).font(theme::semibold(13.0))).truncate());
                    });
                });
            });
            if !status.message.is_empty() {
                ui.label(RichText::new(&*status.message).color(part.level.color(p)));
            }
            let age = time::format_duration(view.now.since(part.heard));
            let topic = view.store.topic(part.topic).map(|t| t.name.to_string()).unwrap_or_default();
            let mut about = format!("{age} ago on {topic}");
            if !status.hardware_id.is_empty() {
                about.push_str(&format!(" · hardware {}", status.hardware_id));
            }
            let heard = ui.add(egui::Label::new(RichText::new(about).font(theme::small()).color(p.weak)).sense(egui::Sense::click()));
            if heard.on_hover_text("Go to when this was said").clicked() {
                out.push(Action::Seek(part.heard));
            }
            ui.add_space(4.0);
            self.history_ui(ui, part, view, out);
            ui.add_space(4.0);
            ScrollArea::vertical().auto_shrink(false).id_salt("values").show(ui, |ui| {
                egui::Grid::new("values of the part")
                    .num_columns(2)
                    .striped(true)
                    .spacing([16.0, 2.0])
                    .show(ui, |ui| {
                        for (key, value) in &status.values {
                            let is_plotted = *self.config.plotted == **key;
                            let name = RichText::new(&**key).color(if is_plotted { p.accent } else { p.weak });
                            if history::number(value).is_some() {
                                let label = ui.add(egui::Button::new(name).frame(false));
                                let label = label
                                    .on_hover_text("Draw its history")
                                    .on_hover_cursor(egui::CursorIcon::PointingHand);
                                if crate::panel::widget::named(label, &format!("Draw {key}")).clicked() {
                                    self.config.plotted = if is_plotted { String::new() } else { key.to_string() };
                                    out.push(Action::Changed);
                                }
                            } else {
                                ui.label(name);
                            }
                            ui.add(egui::Label::new(&**value).wrap());
                            ui.end_row();
                        }
                    });
                if status.values.is_empty() {
                    ui.label(RichText::new("It gave no values").color(p.weak));
                }
            });
        });
        closed
    }
}

/// Name, message and values, one a line.
pub fn as_text(part: &Part) -> String {
    let status = &part.status;
    let mut text = format!("{}: {} ({})\n", status.name, status.message, part.level.name());
    if !status.hardware_id.is_empty() {
        text.push_str(&format!("hardware: {}\n", status.hardware_id));
    }
    for (key, value) in &status.values {
        text.push_str(&format!("{key}: {value}\n"));
    }
    text
}

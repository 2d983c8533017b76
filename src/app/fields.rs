//! Below the topics: the fields of the selected one, to be dragged onto panels.
//!
//! Invariant: only the rows in sight are laid out.

use egui::{RichText, Role, Sense, Ui, WidgetInfo, vec2};

use super::AppState;
use crate::panel::widget::drag_path;
use crate::path::{Leaf, leaves, topic_text};
use crate::theme::{self, icon, palette, widget};

const ROW_HEIGHT: f32 = 20.0;

pub fn ui(ui: &mut Ui, state: &mut AppState) {
    if !state.topics.fields_open {
        return;
    }
    let Some(topic) = state.selected_topic.and_then(|id| state.store.topic(id)) else {
        return;
    };
    let Some(schema) = &topic.schema else { return };
    let fields = leaves(schema);
    let name = topic_text(&topic.name);
    let frame = egui::Frame::new().inner_margin(egui::Margin::symmetric(0, 4));
    let panel = egui::Panel::bottom("fields").resizable(true).default_size(180.0).frame(frame);
    let mut close = false;
    panel.show(ui, |ui| {
        ui.horizontal(|ui| {
            widget::section(ui, &format!("Fields  {}", fields.len()));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                close = widget::icon_button_sized(ui, icon::X, "Close the fields", "", 20.0, false).clicked();
            });
        });
        let rows = egui::ScrollArea::vertical().auto_shrink(false).id_salt("fields");
        rows.show_rows(ui, ROW_HEIGHT, fields.len(), |ui, range| {
            ui.spacing_mut().item_spacing.y = 0.0;
            fields.get(range).unwrap_or_default().iter().for_each(|field| row(ui, &name, field));
        });
    });
    state.topics.fields_open &= !close;
}

fn row(ui: &mut Ui, topic: &str, field: &Leaf) {
    let p = palette(ui.visuals());
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW_HEIGHT), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(Role::TreeItem, true, &field.path));
    if response.hovered() {
        ui.painter().rect_filled(rect, 3.0, p.hover);
    }
    let type_name = ui.painter().layout_no_wrap(field.type_name.clone(), theme::small(), p.faint);
    let room = rect.width() - type_name.size().x - 12.0;
    let color = if field.is_number { p.text } else { p.weak };
    let name = super::topics::elided(ui, &field.path, theme::small(), color, room);
    let (y, right) = (rect.center().y, rect.right() - 4.0 - type_name.size().x);
    ui.painter()
        .galley(egui::pos2(rect.left() + 4.0, y - name.size().y / 2.0), name, color);
    ui.painter()
        .galley(egui::pos2(right, y - type_name.size().y / 2.0), type_name, p.faint);
    let path = format!("{topic}.{}", field.path);
    if response.dragged() {
        drag_path(&response, path);
        return;
    }
    let response = response.on_hover_ui(|ui| {
        ui.label(RichText::new(&path).font(theme::small()));
        widget::note(ui, "Drag it onto a plot");
    });
    response.context_menu(|ui| {
        if ui.button("Copy its path").clicked() {
            ui.ctx().copy_text(path.clone());
            ui.close();
        }
    });
}

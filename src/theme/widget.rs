//! Small widgets that look the same wherever they stand. Each has an accessible name.

use egui::{Color32, CursorIcon, Response, Role, Sense, Ui, Vec2, WidgetInfo};

use super::{GRID, icons, palette, semibold, small};

/// A square button with a glyph; `name` is its tooltip and its accessible name, `key` the shortcut shown beside it.
pub fn icon_button(ui: &mut Ui, icon: &str, name: &str, key: &str) -> Response {
    icon_button_sized(ui, icon, name, key, 24.0, false)
}

/// Like [`icon_button`], lit while `on`.
pub fn icon_toggle(ui: &mut Ui, icon: &str, name: &str, key: &str, on: bool) -> Response {
    icon_button_sized(ui, icon, name, key, 24.0, on)
}

/// A button of `side` points.
pub fn icon_button_sized(ui: &mut Ui, icon: &str, name: &str, key: &str, side: f32, on: bool) -> Response {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(side), Sense::click());
    let enabled = ui.is_enabled();
    response.widget_info(|| {
        if on {
            WidgetInfo::selected(Role::Button, enabled, true, name)
        } else {
            WidgetInfo::labeled(Role::Button, enabled, name)
        }
    });
    if ui.is_rect_visible(rect) {
        let p = palette(ui.visuals());
        let (fill, color) = if response.is_pointer_button_down_on() {
            (p.selected, p.text)
        } else if response.hovered() || response.has_focus() {
            (p.hover, p.text)
        } else if on {
            (Color32::TRANSPARENT, p.accent)
        } else {
            (Color32::TRANSPARENT, p.weak)
        };
        let color = if enabled { color } else { p.faint.gamma_multiply(0.5) };
        ui.painter().rect_filled(rect.shrink(1.0), GRID, fill);
        if response.has_focus() {
            let ring = egui::Stroke::new(1.0, p.accent);
            ui.painter().rect_stroke(rect.shrink(1.0), GRID, ring, egui::StrokeKind::Inside);
        }
        let size = (side * 0.68).round();
        ui.painter()
            .text(rect.center(), egui::Align2::CENTER_CENTER, icon, icons(size), color);
    }
    let tip = if key.is_empty() {
        name.to_owned()
    } else {
        format!("{name}   {key}")
    };
    response.on_hover_text(tip)
}

/// The one important button of a place.
pub fn primary_button(ui: &mut Ui, text: &str) -> Response {
    let p = palette(ui.visuals());
    let text = egui::RichText::new(text).color(p.on_accent).font(semibold(13.0));
    ui.add(
        egui::Button::new(text)
            .fill(p.accent)
            .stroke(egui::Stroke::NONE)
            .min_size(egui::vec2(0.0, 28.0)),
    )
}

/// A round mark of a state, centred in a square of `side` points.
pub fn dot(ui: &mut Ui, color: Color32, side: f32, name: &str) -> Response {
    let (rect, response) = ui.allocate_exact_size(egui::vec2(8.0, side), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    ui.painter().circle_filled(rect.center(), 3.0, color);
    response
}

/// A heading of a section of a sidebar.
pub fn section(ui: &mut Ui, text: &str) {
    let p = palette(ui.visuals());
    ui.add_space(4.0);
    ui.label(egui::RichText::new(text).font(semibold(11.0)).color(p.weak));
}

/// Secondary text of the small size.
pub fn note(ui: &mut Ui, text: impl Into<String>) -> Response {
    let p = palette(ui.visuals());
    ui.label(egui::RichText::new(text).font(small()).color(p.weak))
}

/// A quiet link-like button.
pub fn quiet_button(ui: &mut Ui, text: &str) -> Response {
    ui.add(egui::Button::new(text).frame_when_inactive(false))
        .on_hover_cursor(CursorIcon::Default)
}

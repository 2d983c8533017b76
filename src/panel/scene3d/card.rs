//! The card of what was clicked: its fields, at the bottom right, and a ring around it in the scene.

use egui::{Align2, Rect, Sense, Stroke, Ui, pos2, vec2};

use super::owners::Card;
use crate::render::View;
use crate::theme::{self, icon};

const WIDTH: f32 = 250.0;
const ROW: f32 = 17.0;

pub fn anchor(ui: &Ui, rect: Rect, view: &View, card: Option<&Card>) {
    let Some(projected) = card.and_then(|card| view.project(card.position_in_fixed)) else {
        return;
    };
    let at = rect.min + vec2(projected.px.x as f32, projected.px.y as f32) / view.viewport.pixels_per_point;
    let colors = theme::palette(ui.visuals());
    let painter = ui.painter().with_clip_rect(rect);
    painter.circle_stroke(at, 7.0, Stroke::new(3.0, colors.scene.gamma_multiply(0.7)));
    painter.circle_stroke(at, 7.0, Stroke::new(1.5, colors.accent));
}

/// True: it was closed.
pub fn show(ui: &Ui, rect: Rect, card: Option<&Card>) -> bool {
    let Some(card) = card else { return false };
    let colors = theme::palette(ui.visuals());
    let topic_height = if card.topic.is_some() { ROW } else { 0.0 };
    let fits = (((rect.height() - 70.0 - topic_height) / ROW).max(1.0) as usize).min(card.rows.len());
    let height = 34.0 + topic_height + ROW * fits as f32 + 8.0;
    let corner = rect.right_bottom() - vec2(8.0, 8.0);
    let plate = Rect::from_min_max(corner - vec2(WIDTH.min(rect.width() - 16.0), height), corner);
    let painter = ui.painter().with_clip_rect(rect);
    painter.rect(plate, 6.0, colors.overlay, Stroke::new(1.0, colors.line), egui::StrokeKind::Inside);
    // The scene under the card is not for clicking.
    let described = ui.interact(plate, ui.scope_id().with("card"), Sense::click_and_drag());
    let text = card
        .rows
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect::<Vec<_>>()
        .join("\n");
    described.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, format!("{}\n{text}", card.title)));
    let left = plate.left() + 12.0;
    painter.text(
        pos2(left, plate.top() + 10.0),
        Align2::LEFT_TOP,
        &card.title,
        theme::semibold(13.0),
        colors.text,
    );
    let mut top = plate.top() + 30.0;
    if let Some(topic) = &card.topic {
        painter.text(pos2(left, top), Align2::LEFT_TOP, topic, theme::small(), colors.weak);
        top += ROW;
    }
    for (name, value) in card.rows.iter().take(fits) {
        painter.text(pos2(left, top), Align2::LEFT_TOP, name, theme::small(), colors.weak);
        let room = plate.right() - 12.0 - (left + 96.0);
        let mut job = egui::text::LayoutJob::simple_singleline(value.clone(), theme::small(), colors.text);
        job.wrap = egui::text::TextWrapping::truncate_at_width(room);
        painter.galley(pos2(left + 96.0, top), painter.layout_job(job), colors.text);
        top += ROW;
    }
    let close = Rect::from_center_size(pos2(plate.right() - 18.0, plate.top() + 18.0), vec2(20.0, 20.0));
    let button = ui.interact(close, ui.scope_id().with("close card"), Sense::click());
    button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, "Close"));
    let color = if button.hovered() { colors.text } else { colors.weak };
    painter.text(close.center(), Align2::CENTER_CENTER, icon::X, theme::icons(13.0), color);
    button.clicked()
}

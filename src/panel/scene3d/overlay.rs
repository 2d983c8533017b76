//! What lies over the scene: labels, problems, colour bars, tools and the sentence for an empty scene.

use egui::{Align2, Color32, FontId, Rect, Response, Ui, pos2, vec2};

use super::config::{Config, Follow};
use super::layers::{Label, Legend, Notes};
use crate::panel::widget;
use crate::render::{Picked, View};
use crate::theme::{self, icon};

/// Sizes of labels that are so many metres high. Few, since each size has letters of its own in the texture of all letters: with
/// any size a label that comes nearer would fill it within seconds.
const LABEL_POINTS: [f32; 10] = [9.0, 10.0, 11.0, 13.0, 15.0, 18.0, 22.0, 27.0, 33.0, 40.0];
const MOST_LABELS: usize = 400;

fn label_points(wanted: f32) -> f32 {
    let above = LABEL_POINTS
        .iter()
        .position(|points| *points > wanted)
        .unwrap_or(LABEL_POINTS.len());
    LABEL_POINTS[above.saturating_sub(1)]
}

/// Paints labels, nearest first; one that would cover a nearer one is left out. Returns their plates and what a click on these picks.
pub fn labels(ui: &Ui, rect: Rect, view: &View, labels: &[Label]) -> Vec<(Rect, Picked)> {
    let scale = view.viewport.pixels_per_point;
    let mut placed: Vec<Rect> = Vec::new();
    let mut parts = Vec::new();
    let mut shown: Vec<_> = labels
        .iter()
        .filter_map(|label| {
            let projected = view.project(label.position)?;
            let at = rect.min + vec2(projected.px.x as f32, projected.px.y as f32) / scale;
            rect.contains(at).then_some((projected.depth, at, label))
        })
        .collect();
    shown.sort_by(|a, b| a.0.total_cmp(&b.0));
    let painter = ui.painter().with_clip_rect(rect);
    for (depth, at, label) in shown.into_iter().take(MOST_LABELS) {
        let w = if view.near().is_some() { depth as f32 } else { 1.0 };
        let points = label
            .height_metres
            .map_or(11.0, |metres| label_points(metres * view.px_per_metre() / w / scale));
        let [r, g, b, a] = label.color;
        // A dark colour would be lost on a dark scene: half-way to the text's own it still says which one it is.
        let colors = theme::palette(ui.visuals());
        let own = Color32::from_rgb(r, g, b);
        let is_lost = (own.intensity() - colors.scene.intensity()).abs() < 0.3;
        let color = own
            .lerp_to_gamma(colors.text, if is_lost { 0.8 } else { 0.4 })
            .gamma_multiply(f32::from(a) / 255.0);
        let galley = painter.layout_no_wrap(label.text.to_string(), FontId::proportional(points), color);
        let offset = if label.height_metres.is_some() {
            vec2(-galley.size().x / 2.0, -galley.size().y / 2.0)
        } else {
            vec2(6.0, -galley.size().y - 2.0)
        };
        let place = Rect::from_min_size(at + offset, galley.size()).expand2(vec2(3.0, 1.0));
        if placed.iter().any(|other| other.intersects(place)) {
            continue;
        }
        painter.rect_filled(place, 3.0, colors.scene.gamma_multiply(0.62));
        painter.galley(at + offset, galley, color);
        placed.push(place);
        parts.extend(label.part.map(|(id, index)| {
            let picked = Picked {
                id,
                index,
                depth: depth as f32,
                position_in_world: label.position,
            };
            (place, picked)
        }));
    }
    parts
}

/// Sentences about what cannot be drawn, at the top left.
pub fn problems(ui: &Ui, rect: Rect, notes: &Notes) {
    let colors = theme::palette(ui.visuals());
    let mut top = rect.top() + 8.0;
    let width = (rect.width() * 0.6).clamp(120.0, 460.0);
    let more = notes.problems.len().saturating_sub(4);
    let more = (more > 0).then(|| format!("… and {more} more"));
    for text in notes.problems.iter().take(4).chain(more.as_ref()) {
        let galley = ui.painter().layout(text.clone(), theme::small(), colors.text, width - 30.0);
        let plate = Rect::from_min_size(pos2(rect.left() + 8.0, top), galley.size() + vec2(32.0, 10.0));
        let painter = ui.painter().with_clip_rect(rect);
        painter.rect_filled(plate, 4.0, colors.overlay.gamma_multiply(0.92));
        painter.text(
            plate.min + vec2(8.0, 5.0),
            Align2::LEFT_TOP,
            icon::WARNING,
            theme::icons(13.0),
            colors.warn,
        );
        painter.galley(plate.min + vec2(26.0, 5.0), galley, colors.text);
        let described = ui.interact(plate, ui.scope_id().with(text), egui::Sense::hover());
        described.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, text));
        top = plate.bottom() + 4.0;
    }
}

/// Colour bars with their fields and ranges, at the bottom left.
pub fn legends(ui: &Ui, rect: Rect, legends: &[Legend]) {
    let colors = theme::palette(ui.visuals());
    let painter = ui.painter().with_clip_rect(rect);
    let mut bottom = rect.bottom() - 8.0;
    for legend in legends.iter().take(3) {
        let plate = Rect::from_min_max(pos2(rect.left() + 8.0, bottom - 34.0), pos2(rect.left() + 168.0, bottom));
        if rect.height() < 120.0 || rect.width() < 240.0 {
            return;
        }
        painter.rect_filled(plate, 4.0, colors.scene.gamma_multiply(0.7));
        let inner = plate.shrink2(vec2(8.0, 5.0));
        painter.text(inner.left_top(), Align2::LEFT_TOP, &legend.field, theme::small(), colors.text);
        let value = |v: f32| widget::number_text(f64::from(v), 6);
        let range = format!("{} – {}", value(legend.range.0), value(legend.range.1));
        painter.text(inner.right_top(), Align2::RIGHT_TOP, range, theme::small(), colors.weak);
        let bar = Rect::from_min_max(pos2(inner.left(), inner.bottom() - 5.0), inner.max);
        let mut mesh = egui::Mesh::default();
        const STEPS: u32 = 32;
        for step in 0..=STEPS {
            let t = step as f32 / STEPS as f32;
            let [r, g, b] = legend.colormap.color(t);
            let x = egui::lerp(bar.x_range(), t);
            mesh.colored_vertex(pos2(x, bar.top()), Color32::from_rgb(r, g, b));
            mesh.colored_vertex(pos2(x, bar.bottom()), Color32::from_rgb(r, g, b));
            if step > 0 {
                let at = step * 2;
                mesh.add_triangle(at - 2, at - 1, at);
                mesh.add_triangle(at - 1, at, at + 1);
            }
        }
        painter.add(mesh);
        bottom = plate.top() - 4.0;
    }
}

/// What a click on one of the tools asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    Reset,
    Fit,
    TopDown,
    Follow,
    Measure,
}

/// Icons at the top right: there for the keyboard and for screen readers always, seen while the pointer is on the scene or one of
/// them has the keyboard.
pub fn tools(ui: &mut Ui, rect: Rect, scene: &Response, config: &Config, measures: bool) -> Option<Tool> {
    if rect.width() < 160.0 {
        return None;
    }
    let colors = theme::palette(ui.visuals());
    let follow = match config.follow {
        Follow::Off => "Follow the vehicle",
        Follow::Position => "Follow its heading too",
        Follow::Heading => "Stop following",
    };
    let top_down = config.camera.as_ref().is_some_and(|camera| camera.top_down);
    let tools = [
        (Tool::Follow, icon::CROSSHAIR, follow, config.follow != Follow::Off),
        (
            Tool::TopDown,
            icon::PERSPECTIVE,
            if top_down { "Look from the side" } else { "Look from above" },
            top_down,
        ),
        (
            Tool::Measure,
            icon::RULER,
            if measures { "Stop measuring" } else { "Measure distances" },
            measures,
        ),
        (Tool::Fit, icon::FRAME_CORNERS, "Show everything", false),
        (Tool::Reset, icon::HOUSE, "Reset the camera", false),
    ];
    let mut clicked = None;
    let mut left = rect.right() - 8.0 - 28.0 * tools.len() as f32;
    let id = |ui: &Ui, tool: Tool| ui.scope_id().with(("tool", tool as u8));
    let has_keyboard = tools.iter().any(|(tool, ..)| ui.memory(|m| m.has_focus(id(ui, *tool))));
    let is_seen = has_keyboard || scene.contains_pointer() || ui.rect_contains_pointer(rect);
    if is_seen {
        ui.painter().rect_filled(
            Rect::from_min_size(pos2(left, rect.top() + 8.0), vec2(28.0 * tools.len() as f32, 28.0)),
            4.0,
            colors.overlay.gamma_multiply(0.9),
        );
    }
    for (tool, glyph, what, on) in tools {
        let place = Rect::from_min_size(pos2(left, rect.top() + 8.0), vec2(28.0, 28.0));
        let button = ui.interact(place, id(ui, tool), egui::Sense::click());
        button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, what));
        let color = if on {
            colors.accent
        } else if button.hovered() {
            colors.text
        } else {
            colors.weak
        };
        if button.hovered() || button.has_focus() {
            ui.painter().rect_filled(place.shrink(2.0), 4.0, colors.hover);
        }
        if is_seen {
            ui.painter()
                .text(place.center(), Align2::CENTER_CENTER, glyph, theme::icons(16.0), color);
        }
        if button.on_hover_text(what).clicked() {
            clicked = Some(tool);
        }
        left += 28.0;
    }
    clicked
}

pub fn nothing_text(notes: &Notes, no_topics: bool) -> String {
    match (no_topics, notes.absent.first()) {
        (true, _) => "Nothing is chosen: drag a point cloud, scan, marker or map topic here, or choose one in the settings".to_string(),
        (false, Some(topic)) => format!("{topic} has no message at or before the playhead"),
        (false, None) => "Nothing to show at the playhead".to_string(),
    }
}

/// The sentence for an empty scene.
pub fn nothing(ui: &Ui, rect: Rect, notes: &Notes, no_topics: bool) {
    if notes.pending.is_empty() && notes.problems.is_empty() {
        widget::empty_note(ui, rect, &nothing_text(notes, no_topics));
    }
}

//! A row of the list of scenes: picture, class, time, length, and what is odd.

use egui::{Align2, Button, CursorIcon, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::index::class_of;
use super::lanes::tooltip;
use super::thumbnails::Camera;
use super::{Key, length_text, short_name};
use crate::app::AppState;
use crate::app::topics::elided;
use crate::theme::{self, icon, palette};
use crate::time::{Span, format_relative, format_utc};

pub const ROW_HEIGHT: f32 = 44.0;
const PICTURE: egui::Vec2 = vec2(64.0, 36.0);

pub enum Asked {
    GoTo(Key),
    Loop(Key),
    Zoom(Key),
    Keep(Span),
    Delete(Key),
    Copy(String),
}

pub fn row(ui: &mut Ui, state: &mut AppState, key: Key, camera: Option<&Camera>) -> Option<Asked> {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW_HEIGHT), Sense::click());
    let span = state.scenes.index.shown_span(key);
    let is_selected = state.scenes.selected == Some(key);
    let name = short_name(state.scenes.get(key)?).to_owned();
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, is_selected, format!("Scene {name}")));
    if ui.is_rect_visible(rect) {
        let picture = camera.map(|camera| (span.and_then(|span| state.thumbnail(ui.ctx(), key, span.start, camera)), PICTURE));
        paint(ui, state, key, rect, &response, picture);
    }
    let mut asked = response.clicked().then_some(Asked::GoTo(key));
    let is_own = state.is_own(key);
    let scene = state.scenes.get(key)?;
    response.context_menu(|ui| {
        let mut item = |name: &str, is_possible: bool, of: Asked| {
            if ui.add_enabled(is_possible, Button::new(name)).clicked() {
                asked = Some(of);
                ui.close();
            }
        };
        let has_length = span.is_some_and(|span| span.nanos() > 0);
        item("Go to this scene", scene.start.is_some(), Asked::GoTo(key));
        item("Loop this scene", has_length, Asked::Loop(key));
        item("Zoom to this scene", span.is_some(), Asked::Zoom(key));
        item("Keep this scene offline", span.is_some(), Asked::Keep(span.unwrap_or(Span::ALL)));
        item("Copy its id", true, Asked::Copy(scene.id.clone()));
        if is_own {
            item("Delete this mark", true, Asked::Delete(key));
        }
    });
    response
        .on_hover_cursor(CursorIcon::Default)
        .on_hover_ui(|ui| tooltip(ui, state, key, 0));
    asked
}

pub fn act(ui: &Ui, state: &mut AppState, asked: Asked) {
    match asked {
        Asked::GoTo(key) => state.go_to_scene(key),
        Asked::Loop(key) => state.loop_this_scene(key),
        Asked::Zoom(key) => state.zoom_to_this_scene(key),
        Asked::Keep(span) => state.keep_offline(span),
        Asked::Delete(key) => state.delete_scene(key),
        Asked::Copy(id) => ui.ctx().copy_text(id),
    }
    ui.ctx().request_repaint();
}

fn paint(
    ui: &Ui,
    state: &AppState,
    key: Key,
    rect: Rect,
    response: &egui::Response,
    picture: Option<(Option<egui::TextureId>, egui::Vec2)>,
) {
    let p = palette(ui.visuals());
    let Some(scene) = state.scenes.get(key) else { return };
    let span = state.scenes.index.shown_span(key);
    let is_now = span.is_some_and(|span| span.contains(state.playback.now) && span.nanos() > 0);
    let color = theme::data::series(state.scenes.index.color(class_of(scene)));
    let painter = ui.painter();
    let fill = match (state.scenes.selected == Some(key), response.hovered()) {
        (true, _) => p.selected,
        (false, true) => p.hover,
        _ => p.raised,
    };
    painter.rect_filled(rect.expand2(vec2(4.0, -1.0)), 4.0, fill);
    let bar = Rect::from_min_size(rect.min + vec2(0.0, 5.0), vec2(if is_now { 4.0 } else { 3.0 }, ROW_HEIGHT - 10.0));
    painter.rect_filled(bar, 1.5, if span.is_some() { color } else { color.gamma_multiply(0.45) });
    let mut left = rect.left() + 10.0;
    if let Some((texture, size)) = picture {
        let frame = Rect::from_min_size(pos2(left, rect.center().y - size.y / 2.0), size);
        painter.rect_filled(frame, 3.0, p.base);
        match texture {
            Some(texture) => {
                let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
                painter.image(texture, frame, whole, egui::Color32::WHITE);
            }
            None => drop(painter.text(frame.center(), Align2::CENTER_CENTER, icon::IMAGE, theme::icons(14.0), p.line)),
        }
        left = frame.right() + 8.0;
    }
    let is_here = span.is_some();
    let is_odd = !scene.odd.is_empty() || state.scenes.index.is_outside(key);
    let (first, second) = (rect.top() + 6.0, rect.top() + 23.0);
    let mut right = rect.right();
    if is_odd {
        let mark = painter.layout_no_wrap(icon::WARNING.to_owned(), theme::icons(12.0), p.warn);
        right -= mark.size().x;
        painter.galley(pos2(right, first + 2.0), mark, p.warn);
        right -= 4.0;
    }
    let (strong, weak) = if is_here { (p.text, p.weak) } else { (p.weak, p.faint) };
    let class = elided(ui, class_of(scene), theme::body(), strong, right - left);
    painter.galley(pos2(left, first - 1.0), class, strong);
    let time = match (span, scene.start) {
        (Some(span), _) => format_relative(span.start, state.span().start),
        (None, Some(start)) => format_utc(start).chars().skip(5).take(11).collect(),
        (None, None) => "no time".to_owned(),
    };
    let length = painter.layout_no_wrap(length_text(scene), theme::small(), p.faint);
    let right = rect.right() - length.size().x;
    painter.galley(pos2(right, second), length, p.faint);
    let time = painter.layout_no_wrap(time, theme::small(), weak);
    let after_time = left + time.size().x + 8.0;
    painter.galley(pos2(left, second), time, weak);
    let rest = if is_here { detail(scene) } else { &scene.record };
    if right - after_time > ROOM_FOR_REST {
        let rest = elided(ui, rest, theme::small(), p.faint, right - after_time - 8.0);
        painter.galley(pos2(after_time, second), rest, p.faint);
    }
}

const ROOM_FOR_REST: f32 = 28.0;

/// What the class and the time do not say already.
fn detail(scene: &crate::scenes::Scene) -> &str {
    let name = short_name(scene);
    let rest = scene.class.as_deref().and_then(|class| name.strip_prefix(class));
    let rest = rest.map_or(name, |rest| rest.trim_start_matches('_'));
    if scene.text.is_none() && rest.starts_with(|c: char| c.is_ascii_digit()) {
        ""
    } else {
        rest
    }
}

//! Scenes on the timeline: a lane for each class, above those of the topics.
//!
//! Invariant: no more is drawn than fits the pixels of a lane: scenes that begin within one become one bar.

use egui::{Align2, Color32, Id, Mesh, Rect, Role, Sense, Shape, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::index::{Lane, class_of};
use super::{Key, length_text, short_name};
use crate::app::AppState;
use crate::app::layouts::Page;
use crate::app::timeline::{self, Axis};
use crate::app::topics::elided;
use crate::scenes::Scene;
use crate::text::grouped;
use crate::theme::{self, icon, palette, widget};
use crate::time::Span;

pub const LANE_HEIGHT: f32 = 18.0;
/// The narrowest that a scene is drawn, and how near the pointer has to come to it.
const NARROWEST: f32 = 3.0;
const REACH: f32 = 3.0;
/// Bars that are narrower join their neighbours.
const JOINED_BELOW: f32 = 4.0;
/// A bar as wide as this has room for words.
const ROOM_FOR_TEXT: f32 = 36.0;

/// A bar over others leaves this of each to be seen, at most of so many.
const STEP: f32 = 3.0;
const MOST_STEPS: usize = 2;

/// Scenes that are drawn as one.
struct Bar {
    from: f32,
    to: f32,
    /// How many others go on beneath it.
    over: usize,
    first: Key,
    count: usize,
}

/// Of all lanes.
pub fn height(state: &AppState) -> f32 {
    match state.scenes.index.lanes.len() {
        0 => 0.0,
        lanes => lanes as f32 * LANE_HEIGHT + 4.0,
    }
}

/// Draws the lanes from `top` on, their names into `names`; nothing outside of `clip`.
pub fn ui(ui: &mut Ui, state: &mut AppState, names: Rect, axis: Axis, top: f32, clip: Rect) {
    let mut asked = None;
    for at in 0..state.scenes.index.lanes.len() {
        let top = top + at as f32 * LANE_HEIGHT;
        let lane = Rect::from_min_max(pos2(axis.rect.left(), top), pos2(axis.rect.right(), top + LANE_HEIGHT));
        if lane.bottom() < clip.top() + 4.0 || lane.bottom() > clip.bottom() + 4.0 {
            continue;
        }
        let name = Rect::from_min_max(pos2(names.left(), top), pos2(names.right() - 8.0, lane.bottom())).intersect(clip);
        asked = one(ui, state, at, name, lane.intersect(clip), axis, clip).or(asked);
    }
    if let Some(asked) = asked {
        act(ui, state, asked);
    }
}

enum Asked {
    GoTo(Key),
    /// Only this class is shown, or all are again.
    Only(String),
    Loop(Key),
    Zoom(Key),
}

fn act(ui: &Ui, state: &mut AppState, asked: Asked) {
    match asked {
        Asked::GoTo(key) => {
            state.go_to_scene(key);
            state.scenes.list.scroll_to = Some(key);
        }
        Asked::Only(class) => {
            state.scenes.list.show_only(&state.scenes.index.classes, &class);
            (state.layouts.page, state.sidebars.left) = (Page::Scenes, true);
        }
        Asked::Loop(key) => state.loop_this_scene(key),
        Asked::Zoom(key) => state.zoom_to_this_scene(key),
    }
    ui.ctx().request_repaint();
}

fn one(ui: &mut Ui, state: &mut AppState, at: usize, name: Rect, rect: Rect, axis: Axis, clip: Rect) -> Option<Asked> {
    let lane = state.scenes.index.lanes.get(at)?;
    let (class, color) = (lane.class.clone(), theme::data::series(lane.color));
    let response = ui.interact(rect, ui.scope_id().with(("scene lane", &*class)), Sense::click_and_drag());
    let told = format!("Scenes of {class}: {}", lane.spans.len());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &told));

    let pointed = response.hover_pos().and_then(|pos| nearest(lane, axis, pos.x));
    let bars = bars(lane, axis);
    let painter = ui.painter().with_clip_rect(rect.expand2(vec2(2.0, 0.0)).intersect(clip));
    painter.extend(drawn(ui, state, &bars, rect, axis, color, pointed));
    let mut asked = lane_name(ui, name, &class, lane.spans.len(), color).then(|| Asked::Only(class.clone()));

    let menu_id = response.id.with("menu of");
    if response.secondary_clicked() {
        ui.data_mut(|data| data.insert_temp(menu_id, pointed));
    }
    response.context_menu(|ui| asked = menu(ui, state, menu_id).or(asked.take()));
    timeline::hover_and_zoom(ui, state, &response, axis);
    // a press on a scene is for that scene; elsewhere it is as on the rest of the timeline
    let pressed_on = ui.input(|i| i.pointer.press_origin()).filter(|origin| rect.contains(*origin));
    let on_scene = pressed_on.and_then(|origin| nearest(state.scenes.index.lanes.get(at)?, axis, origin.x));
    if response.clicked()
        && let Some(key) = pointed
    {
        asked = Some(Asked::GoTo(key));
    } else if on_scene.is_none() || response.dragged() && !ui.input(|i| i.pointer.could_any_button_be_click()) {
        timeline::seek_or_mark(ui, state, &response, axis);
    }
    if let Some(key) = pointed {
        let here = bars.iter().find(|bar| {
            response
                .hover_pos()
                .is_some_and(|pos| bar.from - REACH <= pos.x && pos.x <= bar.to + REACH)
        });
        let others = here.map_or(0, |bar| bar.count.saturating_sub(1));
        response.on_hover_ui_at_pointer(|ui| tooltip(ui, state, key, others));
    }
    asked
}

/// Of the scene that was clicked, else of the timeline.
fn menu(ui: &mut Ui, state: &mut AppState, id: Id) -> Option<Asked> {
    let key: Option<Key> = ui.data(|data| data.get_temp::<Option<Key>>(id)).flatten();
    let Some(key) = key.filter(|key| state.scenes.get(*key).is_some()) else {
        timeline::menu(ui, state);
        return None;
    };
    let items = [
        ("Go to this scene", Asked::GoTo(key)),
        ("Loop this scene", Asked::Loop(key)),
        ("Zoom to this scene", Asked::Zoom(key)),
    ];
    let mut chosen = None;
    for (name, asked) in items {
        if ui.button(name).clicked() {
            chosen = Some(asked);
            ui.close();
        }
    }
    chosen
}

/// The scene at a place: of those that are near, the nearest, and of several the shortest.
fn nearest(lane: &Lane, axis: Axis, x: f32) -> Option<Key> {
    let around = Span::new(axis.t(x - REACH), axis.t(x + REACH));
    let far = |span: &Span| {
        let (from, to) = (axis.x(span.start), axis.x(span.end));
        (from - x).max(x - to).max(0.0).round() as i64
    };
    let there = lane.within(around);
    there.min_by_key(|(span, _)| (far(span), span.nanos())).map(|(_, key)| *key)
}

fn bars(lane: &Lane, axis: Axis) -> Vec<Bar> {
    let mut bars: Vec<Bar> = Vec::new();
    // by how many they lie over: where the last one ends
    let mut ends = [f32::NEG_INFINITY; MOST_STEPS + 1];
    for (span, key) in lane.within(axis.span) {
        let from = axis.x(span.start).max(axis.rect.left() - NARROWEST);
        let to = axis.x(span.end).min(axis.rect.right()).max(from + NARROWEST);
        let joins = |last: &&mut Bar| from < last.from + 1.0 || (from < last.to + 1.0 && to - from < JOINED_BELOW);
        match bars.last_mut().filter(joins) {
            Some(last) => {
                last.to = last.to.max(to);
                last.count += 1;
            }
            None => {
                let over = ends.iter().position(|end| *end <= from + 1.0).unwrap_or(MOST_STEPS);
                bars.push(Bar {
                    from,
                    to,
                    over,
                    first: *key,
                    count: 1,
                });
            }
        }
        if let Some(last) = bars.last()
            && let Some(end) = ends.get_mut(last.over)
        {
            *end = end.max(last.to);
        }
    }
    bars
}

fn drawn(ui: &Ui, state: &AppState, bars: &[Bar], rect: Rect, axis: Axis, color: Color32, pointed: Option<Key>) -> Vec<Shape> {
    let p = palette(ui.visuals());
    let (top, bottom) = (rect.top() + 2.0, rect.bottom() - 2.0);
    let mut mesh = Mesh::default();
    let mut over = Vec::new();
    for (at, bar) in bars.iter().enumerate() {
        let body = Rect::from_min_max(pos2(bar.from, top + STEP * bar.over as f32), pos2(bar.to, bottom));
        // a line of the ground parts it from the one before
        mesh.add_colored_rect(body.with_min_x(bar.from - 1.0).with_max_x(bar.from), p.raised);
        let is_lit = pointed == Some(bar.first) || state.scenes.selected == Some(bar.first);
        // opaque, so that those that overlap are no brighter
        mesh.add_colored_rect(body, p.raised.lerp_to_gamma(color, if is_lit { 1.0 } else { 0.72 }));
        let scene = state.scenes.get(bar.first);
        if scene.is_some_and(|scene| scene.end.is_none()) {
            // nobody knows how far it goes
            for step in 0..4_u8 {
                let left = bar.to + 4.0 * f32::from(step);
                let tail = Rect::from_min_max(pos2(left, top + 5.0), pos2(left + 4.0, bottom - 5.0));
                mesh.add_colored_rect(tail, color.gamma_multiply(0.5 - 0.12 * f32::from(step)));
            }
        }
        if state.scenes.selected == Some(bar.first) {
            let outline = Stroke::new(1.0, p.text);
            over.push(Shape::Rect(egui::epaint::RectShape::stroke(body, 1.0, outline, StrokeKind::Inside)));
        }
        // up to where the next one covers it
        let end = bars.get(at + 1).map_or(bar.to, |next| next.from.min(bar.to));
        let seen = body.with_max_x(end).intersect(axis.rect);
        let text = match bar.count {
            1 => scene.and_then(|scene| scene.text.clone()),
            count => Some(format!("{} scenes", grouped(count as u64))),
        };
        if let Some(text) = text.filter(|_| seen.width() > ROOM_FOR_TEXT) {
            let galley = elided(ui, &text, theme::small(), p.text, seen.width() - 8.0);
            let at = Align2::LEFT_CENTER
                .align_size_within_rect(galley.size(), seen.shrink2(vec2(4.0, 0.0)))
                .min;
            over.push(Shape::galley(at, galley, p.text));
        }
    }
    std::iter::once(Shape::mesh(mesh)).chain(over).collect()
}

/// Over all lanes: where the selected scene is, and what is being marked.
pub fn over(ui: &Ui, state: &AppState, axis: Axis, lanes: Rect) {
    let p = palette(ui.visuals());
    let painter = ui.painter().with_clip_rect(lanes);
    let band = |span: Span| Rect::from_x_y_ranges(axis.x(span.start)..=axis.x(span.end).max(axis.x(span.start) + 1.0), lanes.y_range());
    let selected = state
        .scenes
        .selected
        .and_then(|key| Some((state.scenes.get(key)?, state.scenes.index.shown_span(key)?)));
    if let Some((scene, span)) = selected.filter(|(_, span)| span.nanos() > 0) {
        let color = theme::data::series(state.scenes.index.color(class_of(scene)));
        painter.rect_filled(band(span), 0.0, color.gamma_multiply(0.1));
    }
    if let Some(marked) = state.marked_so_far() {
        painter.rect_filled(band(marked), 0.0, p.accent.gamma_multiply(0.18));
        painter.vline(axis.x(marked.start), lanes.y_range(), Stroke::new(1.0, p.accent));
    }
}

/// True where it was clicked.
fn lane_name(ui: &Ui, rect: Rect, class: &str, count: usize, color: Color32) -> bool {
    if rect.height() <= 0.0 {
        return false;
    }
    let p = palette(ui.visuals());
    let response = ui.interact(rect, ui.scope_id().with(("scene lane name", class)), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Lane of {class}")));
    let ink = if response.hovered() { p.text } else { p.weak };
    let painter = ui.painter().with_clip_rect(rect.expand(1.0));
    let mark = Rect::from_center_size(pos2(rect.left() + 14.0, rect.center().y), vec2(8.0, 8.0));
    painter.rect_filled(mark, 2.0, color);
    let count = painter.layout_no_wrap(grouped(count as u64), theme::small(), p.faint);
    let right = rect.right() - count.size().x;
    let galley = elided(ui, class, theme::small(), ink, right - rect.left() - 32.0);
    let at = Align2::LEFT_CENTER
        .align_size_within_rect(galley.size(), rect.with_min_x(rect.left() + 24.0))
        .min;
    painter.galley(at, galley, ink);
    painter.galley(pos2(right, rect.center().y - count.size().y / 2.0), count, p.faint);
    response.on_hover_text("Show only these, or all again").clicked()
}

/// What a scene is, and what is odd about it.
pub fn tooltip(ui: &mut Ui, state: &AppState, key: Key, others: usize) {
    let Some(scene) = state.scenes.get(key) else { return };
    describe(ui, state, key, scene);
    if others > 0 {
        widget::note(
            ui,
            format!("and {} more within a pixel: zoom in with the wheel", grouped(others as u64)),
        );
    }
}

fn describe(ui: &mut Ui, state: &AppState, key: Key, scene: &Scene) {
    let p = palette(ui.visuals());
    ui.set_max_width(360.0);
    ui.horizontal(|ui| {
        let color = theme::data::series(state.scenes.index.color(class_of(scene)));
        ui.label(egui::RichText::new(icon::BOOKMARK_SIMPLE).font(theme::icons(13.0)).color(color));
        ui.label(egui::RichText::new(class_of(scene)).font(theme::semibold(13.0)));
        ui.label(egui::RichText::new(length_text(scene)).color(p.weak));
    });
    if let Some(text) = &scene.text {
        ui.label(text);
    }
    let times = state.settings.time_format;
    let start = state.span().start;
    if let Some(span) = state.scenes.index.shown_span(key).or_else(|| scene.span()) {
        let from = times.show(span.start, start);
        widget::note(
            ui,
            match scene.end {
                Some(_) if span.nanos() > 0 => format!("{from} – {}", times.show(span.end, start)),
                _ => from,
            },
        );
    }
    if !scene.record.is_empty() {
        widget::note(ui, format!("Recording  {}", scene.record));
    }
    if short_name(scene) != scene.id {
        widget::note(ui, &scene.id);
    }
    for (name, value) in &scene.notes {
        widget::note(ui, format!("{name}: {value}"));
    }
    let outside = state
        .scenes
        .index
        .is_outside(key)
        .then_some("There is nothing recorded at its time.");
    for odd in scene.odd.iter().map(String::as_str).chain(outside) {
        ui.label(
            egui::RichText::new(format!("{}  {odd}", icon::WARNING))
                .font(theme::small())
                .color(p.warn),
        );
    }
}

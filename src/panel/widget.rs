//! Small parts that several panels share: pickers of topics and message paths, notes in place of a picture, forgiving
//! configurations, times as text.
//!
//! Invariant: nothing here knows a particular panel.

use std::fmt::Write as _;

use egui::{Align2, Color32, FontId, Id, Popup, PopupCloseBehavior, Rect, RichText, ScrollArea, Sense, TextStyle, Ui, vec2};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Action, DraggedPath};
use crate::path::topic_text;
use crate::store::{Store, Topic, TopicId};
use crate::theme;
use crate::time::Span;

/// A configuration from a layout file. A value that this version does not understand falls back to the default, alone, however
/// deep it lies; unknown keys are kept by the type's own flattened map.
pub fn config_from<T: Default + Serialize + DeserializeOwned>(given: &Value) -> T {
    if let Ok(config) = T::deserialize(given) {
        return config;
    }
    let mut whole = serde_json::to_value(T::default()).unwrap_or_default();
    take(&mut whole, "", given, &|whole| T::deserialize(whole).is_ok());
    T::deserialize(&whole).unwrap_or_default()
}

/// Puts as much of `given` as `fits` in the place that the JSON pointer names. False: nothing did.
fn take(whole: &mut Value, place: &str, given: &Value, fits: &dyn Fn(&Value) -> bool) -> bool {
    let put = |whole: &mut Value, value: Value| whole.pointer_mut(place).map(|slot| std::mem::replace(slot, value));
    let Some(before) = put(whole, given.clone()) else {
        return false;
    };
    if fits(whole) {
        return true;
    }
    let start = match (given, &before) {
        (Value::Object(_), Value::Object(_)) => before.clone(),
        (Value::Object(_), _) => Value::Object(Map::new()),
        (Value::Array(_), _) => Value::Array(Vec::new()),
        _ => Value::Null,
    };
    let has_parts = !start.is_null();
    put(whole, start);
    if !has_parts || !fits(whole) {
        put(whole, before);
        return false;
    }
    for (key, part) in given.as_object().into_iter().flatten() {
        let Some(Value::Object(map)) = whole.pointer_mut(place) else {
            break;
        };
        let is_new = !map.contains_key(key);
        map.entry(key).or_insert(Value::Null);
        let inside = format!("{place}/{}", key.replace('~', "~0").replace('/', "~1"));
        if !take(whole, &inside, part, fits)
            && is_new
            && let Some(Value::Object(map)) = whole.pointer_mut(place)
        {
            map.remove(key);
        }
    }
    for part in given.as_array().into_iter().flatten() {
        let Some(Value::Array(list)) = whole.pointer_mut(place) else {
            break;
        };
        list.push(Value::Null);
        let inside = format!("{place}/{}", list.len() - 1);
        if !take(whole, &inside, part, fits)
            && let Some(Value::Array(list)) = whole.pointer_mut(place)
        {
            list.pop();
        }
    }
    true
}

/// A sentence in the middle of `rect`, in place of what cannot be shown.
pub fn note(ui: &Ui, rect: Rect, text: &str, color: Color32) {
    let font = TextStyle::Body.resolve(ui.style());
    let width = (rect.width() - 24.0).clamp(40.0, 460.0);
    let mut job = egui::text::LayoutJob::simple(text.to_owned(), font, color, width);
    job.halign = egui::Align::Center;
    let galley = ui.painter().layout_job(job);
    let at = rect.center() - vec2(0.0, galley.size().y / 2.0);
    ui.painter().with_clip_rect(rect).galley(at, galley, color);
    ui.interact(rect, ui.scope_id().with(("note", text)), Sense::hover())
        .widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, text));
}

/// As [`note`], in the theme's weak or error colour.
pub fn empty_note(ui: &Ui, rect: Rect, text: &str) {
    note(ui, rect, text, ui.visuals().weak_text_color());
}

pub fn failure_note(ui: &Ui, rect: Rect, text: &str) {
    note(ui, rect, text, ui.visuals().error_fg_color);
}

/// A short text on a quiet plate at a corner of `rect`. Returns the plate.
pub fn plate(ui: &Ui, rect: Rect, corner: Align2, text: &str, monospace: bool) -> Rect {
    let style = if monospace { TextStyle::Monospace } else { TextStyle::Body };
    let font = FontId::new(style.resolve(ui.style()).size.min(12.0), style.resolve(ui.style()).family);
    let galley = ui.painter().layout_no_wrap(text.to_owned(), font, ui.visuals().text_color());
    let size = galley.size() + vec2(12.0, 6.0);
    let plate = corner.align_size_within_rect(size, rect.shrink(6.0));
    let painter = ui.painter().with_clip_rect(rect);
    painter.rect_filled(plate, 4.0, ui.visuals().extreme_bg_color.gamma_multiply(0.86));
    painter.galley(plate.min + vec2(6.0, 3.0), galley, ui.visuals().text_color());
    ui.interact(plate, ui.scope_id().with(("plate", plate.min.x.to_bits())), Sense::hover())
        .widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, text));
    plate
}

/// Gives a widget that shows no text of its own a name for screen readers (and tests).
pub fn named(response: egui::Response, name: &str) -> egui::Response {
    response.ctx.accesskit_node_builder(response.id, |node| node.set_label(name));
    response
}

/// A button that shows only an icon: `name` is its accessible name and the head of its tooltip.
pub fn icon_button(ui: &mut Ui, icon: &str, name: &str, on: bool) -> egui::Response {
    let response = ui.add(egui::Button::new(icon).frame(false).selected(on)).on_hover_text(name);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, name));
    response
}

/// A button with the topic's name that opens a searchable list of the topics that `fits`. Returns the topic picked.
pub fn topic_picker<'a>(ui: &mut Ui, salt: &str, store: &'a Store, current: &str, fits: impl Fn(&Topic) -> bool) -> Option<&'a Topic> {
    let shown = if current.is_empty() { "Choose a topic" } else { current };
    let button = ui.add(egui::Button::new(shown).truncate()).on_hover_text("Choose a topic");
    let search_id = ui.scope_id().with((salt, "search"));
    let mut picked = None;
    picker_popup(&button, search_id, |ui, search| {
        let mut any = false;
        for topic in store.topics().iter().filter(|t| fits(t) && matches_words(&t.name, search)) {
            any = true;
            let row = ui
                .selectable_label(&*topic.name == current, &*topic.name)
                .on_hover_text(&*topic.type_name);
            if row.clicked() {
                picked = Some(topic);
                ui.close();
            }
        }
        any
    });
    picked
}

/// A button that opens a searchable list of all message paths that can be plotted, `/topic.field.sub`. Returns the path picked.
pub fn path_picker(ui: &mut Ui, salt: &str, store: &Store, label: &str) -> Option<String> {
    let button = ui.button(label).on_hover_text("Choose a field of a message");
    let search_id = ui.scope_id().with((salt, "search"));
    let mut picked = None;
    picker_popup(&button, search_id, |ui, search| {
        let mut left = 300_usize;
        for topic in store.topics() {
            let Some(schema) = &topic.schema else { continue };
            let scalars = schema.scalar_paths();
            let fits: Vec<String> = angles(&scalars)
                .into_iter()
                .chain(scalars)
                .filter(|p| matches_words(&format!("{}.{p}", topic.name), search))
                .take(left)
                .collect();
            if fits.is_empty() {
                continue;
            }
            ui.label(RichText::new(&*topic.name).weak());
            left = left.saturating_sub(fits.len());
            for path in fits {
                if ui.selectable_label(false, format!("   {path}")).clicked() {
                    picked = Some(format!("{}.{path}", topic_text(&topic.name)));
                    ui.close();
                }
            }
            if left == 0 {
                ui.label(RichText::new("More: type to narrow the list").weak());
                break;
            }
        }
        left < 300
    });
    picked
}

fn picker_popup(button: &egui::Response, search_id: Id, rows: impl FnOnce(&mut Ui, &str) -> bool) {
    let ctx = button.ctx.clone();
    let shown = Popup::menu(button)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .width(320.0)
        .show(|ui| {
            let mut search: String = ui.data(|d| d.get_temp(search_id)).unwrap_or_default();
            let field = ui.add(
                egui::TextEdit::singleline(&mut search)
                    .hint_text("Search")
                    .desired_width(f32::INFINITY),
            );
            let field = named(field, "Search");
            if button.clicked() {
                field.request_focus();
            }
            ui.data_mut(|d| d.insert_temp(search_id, search.clone()));
            ScrollArea::vertical().max_height(340.0).show(ui, |ui| {
                ui.set_min_width(300.0);
                if !rows(ui, &search) {
                    ui.label(RichText::new("Nothing fits").weak());
                }
            });
        });
    if shown.is_none() {
        ctx.data_mut(|d| d.remove::<String>(search_id));
    }
}

/// Whether every word of `search` occurs in `text`, in any case and order.
pub fn matches_words(text: &str, search: &str) -> bool {
    let text = text.to_lowercase();
    search.to_lowercase().split_whitespace().all(|word| text.contains(word))
}

/// Lets a message path be dragged from `response` onto a panel, and draws it at the pointer.
pub fn drag_path(response: &egui::Response, path: String) {
    let ctx = &response.ctx;
    if let Some(at) = ctx.pointer_interact_pos() {
        let palette = theme::palette(&ctx.global_style().visuals);
        let painter = ctx.layer_painter(egui::LayerId::new(egui::Order::Tooltip, Id::unique("dragged path")));
        let galley = painter.layout_no_wrap(path.clone(), theme::small(), palette.text);
        let rect = Align2::LEFT_CENTER.anchor_size(at + vec2(14.0, 8.0), galley.size() + vec2(16.0, 8.0));
        let outline = egui::Stroke::new(1.0, palette.accent);
        painter.rect(rect, 4.0, palette.overlay, outline, egui::StrokeKind::Inside);
        painter.galley(rect.min + vec2(8.0, 4.0), galley, palette.text);
    }
    response.dnd_set_drag_payload(DraggedPath(path));
}

/// Roll, pitch and yaw of the quaternions among a message's scalars.
fn angles(paths: &[String]) -> Vec<String> {
    let quaternions = paths.iter().filter_map(|p| p.strip_suffix(".w"));
    let whole = |q: &&str| {
        ["x", "y", "z"].iter().all(|part| {
            paths
                .iter()
                .any(|p| p.strip_suffix(part).is_some_and(|h| h.trim_end_matches('.') == *q))
        })
    };
    quaternions
        .filter(whole)
        .flat_map(|q| ["roll", "pitch", "yaw"].map(|angle| format!("{q}.@{angle}")))
        .collect()
}

/// The topic's last telling part: `rgb_front_left` of `/flir_adk/rgb_front_left/image_raw/compressed`.
pub fn camera_name(topic: &str) -> &str {
    const TAILS: [&str; 7] = ["compressed", "compressedDepth", "theora", "image", "raw", "color", "rgb"];
    let mut rest = topic.trim_end_matches('/');
    while let Some((head, tail)) = rest.rsplit_once('/') {
        if head.trim_matches('/').is_empty() || !(TAILS.contains(&tail) || tail.starts_with("image_")) {
            return tail;
        }
        rest = head;
    }
    rest
}

pub use crate::text::format_bytes as bytes_text;

/// A number in at most `width` characters, as exact as they allow.
pub fn number_text(value: f64, width: usize) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let exact = format!("{value}");
    if exact.len() <= width {
        return exact;
    }
    let whole = format!("{:.0}", value.trunc()).len();
    let tiny = value != 0.0 && value.abs() < 1e-4;
    if whole > width || tiny {
        return format!("{value:.*e}", width.saturating_sub(7));
    }
    let mut out = String::new();
    let _ = write!(out, "{value:.*}", width.saturating_sub(whole + 1));
    out
}

/// As [`number_text`], but whole numbers that a float tells apart from their neighbours with all their digits.
pub fn value_text(value: f64, width: usize) -> String {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value.fract() == 0.0 && value.abs() <= EXACT {
        true => format!("{value}"),
        false => number_text(value, width),
    }
}

/// As [`number_text`], without zeros at its end.
pub fn short_number(value: f64, width: usize) -> String {
    // no minus before nothing
    let text = number_text(value + 0.0, width);
    match text.contains('.') && !text.contains('e') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// What a cell of a table says of a number: all digits before the point, which seconds since 1970 and identities need, and so many behind
/// it, which metres of a latitude need.
pub fn cell_number(value: f64, decimals: usize) -> String {
    const WHOLE: f64 = 1e15;
    const WIDTH: usize = 8;
    if value.abs() >= WHOLE || value.abs() < 1e-4 {
        // as many digits as tell it from others
        return short_number(value, WIDTH + decimals);
    }
    let whole = format!("{:.0}", value.trunc()).len();
    if f64::from(value as f32) == value {
        // more digits would be those of its binary form
        return short_number(value, WIDTH.max(whole));
    }
    short_number(value, (whole + 1 + decimals).max(WIDTH))
}

/// The length of the union of `spans` within `within`, in nanoseconds.
pub fn covered_nanos(spans: &[Span], within: Span) -> i64 {
    let mut parts: Vec<Span> = spans
        .iter()
        .filter(|s| s.overlaps(within))
        .map(|s| Span::new(within.clamp(s.start), within.clamp(s.end)))
        .collect();
    parts.sort_by_key(|s| s.start);
    let mut covered = 0;
    let mut reached = within.start;
    for part in parts {
        let from = part.start.max(reached);
        if part.end > from {
            covered += part.end.since(from);
            reached = part.end;
        }
    }
    covered
}

/// `what` where nothing is chosen, else the chosen.
pub fn title_of(what: &str, chosen: &str) -> String {
    if chosen.is_empty() { what } else { chosen }.to_owned()
}

/// A label and a field for a text.
pub fn text_row(ui: &mut Ui, name: &str, text: &mut String, hint: &str) {
    ui.horizontal(|ui| {
        let label = ui.label(name);
        let edit = egui::TextEdit::singleline(text).hint_text(hint).desired_width(f32::INFINITY);
        ui.add(edit).labelled_by(label.id);
    });
}

/// Tells that the configuration changed, where it did.
pub fn report_change<T: PartialEq>(before: &T, after: &T, out: &mut Vec<Action>) {
    if before != after {
        out.push(Action::Changed);
    }
}

/// Offers to read all of the topic, where only a part around the playhead is.
pub fn read_whole_button(ui: &mut Ui, store: &Store, topic: TopicId, out: &mut Vec<Action>) {
    if let (Some(bytes), Some(topic)) = (store.whole_cost_bytes(topic), store.topic(topic))
        && ui.button(format!("Read all of {} ({})", topic.name, bytes_text(bytes))).clicked()
    {
        out.push(Action::ReadWhole(topic.id));
    }
}

/// The field that is dropped on `rect`; marks it while one is dragged over it.
pub fn dropped_path(ui: &Ui, rect: Rect) -> Option<String> {
    let dragged = egui::DragAndDrop::payload::<DraggedPath>(ui.ctx())?;
    let (at, released) = ui.input(|i| (i.pointer.interact_pos(), i.pointer.any_released()));
    if !at.is_some_and(|at| rect.contains(at)) {
        return None;
    }
    let ring = egui::Stroke::new(2.0, theme::palette(ui.visuals()).accent);
    ui.painter().rect_stroke(rect.shrink(2.0), 4.0, ring, egui::StrokeKind::Inside);
    released.then(|| {
        egui::DragAndDrop::clear_payload(ui.ctx());
        dragged.0.clone()
    })
}

/// What can be done with a topic: see its messages, list them, copy its name.
pub fn topic_menu(response: &egui::Response, topic: &Topic, out: &mut Vec<Action>) {
    let name = &*topic.name;
    let raw = serde_json::json!({ "topic": name });
    let table = serde_json::json!({ "path": topic_text(name), "rows": "recording" });
    response.context_menu(|ui| {
        for (text, action) in [
            ("Show raw messages", Action::AddPanel { kind: "raw", config: raw }),
            (
                "Show in a table",
                Action::AddPanel {
                    kind: "table",
                    config: table,
                },
            ),
            ("Copy name", Action::CopyText(name.to_owned())),
        ] {
            if ui.button(text).clicked() {
                out.push(action);
                ui.close();
            }
        }
    });
}

/// `98.7 Hz`, in three digits or more.
pub fn rate_text(hz: f64) -> String {
    match hz {
        100.0.. => format!("{hz:.0} Hz"),
        10.0..100.0 => format!("{hz:.1} Hz"),
        _ => format!("{hz:.2} Hz"),
    }
}

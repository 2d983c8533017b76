//! The dialog that shows what lies in S3: buckets, folders and objects, a page at a time as one scrolls.
//!
//! Invariant: pages come from a thread of their own; one that comes after the user has gone elsewhere is dropped.

use std::collections::BTreeSet;

use egui::{Align, Key, Layout, RichText, Role, ScrollArea, Sense, TextEdit, Ui, WidgetInfo};

use super::AppState;
use super::top_bar::bytes;
use crate::source::{Entry, EntryKind, Location, Page, S3Address};
use crate::theme::{self, icon, palette, widget};
use crate::time::{Time, format_utc};

const ROW: f32 = 24.0;
const PLACES_MAX: usize = 8;

#[derive(Default)]
pub struct Browse {
    /// As typed; what is listed is `place`.
    text: String,
    place: Option<S3Address>,
    entries: Vec<Entry>,
    next: Option<String>,
    /// What led to the page that is on its way, for asking again.
    asked_after: Option<String>,
    error: Option<String>,
    /// The error is that of a page.
    refused: bool,
    filter: String,
    /// Of `entries`, those that pass the filter; made anew when either changes.
    shown: Vec<usize>,
    shown_of: (usize, String),
    chosen: BTreeSet<usize>,
    add: bool,
    /// Which question the page on its way answers; None where none is.
    waiting: Option<u64>,
    asked: u64,
}

/// A page that was asked for.
pub struct Listed {
    asked: u64,
    result: Result<Page, String>,
}

enum Act {
    Go(S3Address),
    Open(Vec<S3Address>),
}

impl Browse {
    /// At the place that was looked at last.
    pub fn at(state: &AppState) -> Browse {
        let text = state.settings.places.first().cloned().unwrap_or_else(|| "s3://".to_owned());
        Browse { text, ..Browse::default() }
    }

    fn go(&mut self, place: S3Address, state: &mut AppState) {
        *self = Browse {
            text: place.to_string(),
            asked: self.asked,
            add: self.add,
            ..Browse::default()
        };
        state.settings.remember_place(&self.text);
        state.save_settings();
        self.place = Some(place);
        self.ask(state);
    }

    /// Asks for the first page, or for the one after those that are there.
    fn ask(&mut self, state: &mut AppState) {
        let Some(place) = self.place.clone() else { return };
        self.asked += 1;
        self.waiting = Some(self.asked);
        (self.error, self.refused) = (None, false);
        self.asked_after = self.next.take();
        let (asked, after, io) = (self.asked, self.asked_after.clone(), state.executor.io().clone());
        state.jobs.list(move || Listed {
            asked,
            result: io.list(&place, after.as_deref(), true).map_err(|error| error.to_string()),
        });
    }

    pub(super) fn take(&mut self, listed: Listed) {
        if self.waiting != Some(listed.asked) {
            return;
        }
        self.waiting = None;
        match listed.result {
            Ok(page) => {
                self.entries.extend(page.entries);
                self.next = page.next;
            }
            Err(error) => {
                (self.error, self.refused) = (Some(error), true);
                self.next = self.asked_after.take();
            }
        }
    }

    fn refresh_shown(&mut self) {
        let wanted = (self.entries.len(), self.filter.clone());
        if self.shown_of != wanted {
            let passes = |at: &usize| self.filter.is_empty() || self.entries.get(*at).is_some_and(|e| e.is_named(&self.filter));
            self.shown = (0..self.entries.len()).filter(passes).collect();
            self.shown_of = wanted;
        }
    }
}

/// True where it is done with.
pub fn dialog(ui: &mut Ui, state: &mut AppState, browse: &mut Browse) -> bool {
    ui.set_width(720.0);
    ui.label(RichText::new("Browse S3").font(theme::semibold(16.0)));
    ui.add_space(8.0);
    if browse.place.is_none() && browse.error.is_none() {
        go_to_text(state, browse);
    }
    let mut act = place_row(ui, state, browse);
    ui.add_space(8.0);
    let field = TextEdit::singleline(&mut browse.filter)
        .hint_text("Filter by name (* and ? fit anything)")
        .desired_width(f32::INFINITY);
    ui.add(field)
        .widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Filter by name"));
    ui.add_space(4.0);
    browse.refresh_shown();
    if let Some(chosen) = rows(ui, state, browse) {
        act = Some(chosen);
    }
    status(ui, state, browse);
    let (done, chosen) = buttons(ui, state, browse);
    match act.or(chosen) {
        Some(Act::Go(place)) => browse.go(place, state),
        Some(Act::Open(addresses)) => {
            let locations: Vec<Location> = addresses.into_iter().map(Location::S3).collect();
            state.offer(locations, browse.add);
            return true;
        }
        None => {}
    }
    done
}

fn go_to_text(state: &mut AppState, browse: &mut Browse) {
    let text = browse.text.trim();
    let spelled = if text.contains(':') {
        text.to_owned()
    } else {
        format!("s3://{text}")
    };
    match S3Address::parse(&spelled) {
        Some(Ok(place)) => browse.go(place, state),
        Some(Err(wrong)) => browse.error = Some(wrong.to_string()),
        None => browse.error = Some("Give s3:// (all buckets) or s3://bucket/folder/".to_owned()),
    }
}

/// Up, the place as text, the places looked at before.
fn place_row(ui: &mut Ui, state: &mut AppState, browse: &mut Browse) -> Option<Act> {
    let mut act = None;
    ui.horizontal(|ui| {
        let above = browse.place.as_ref().and_then(above);
        ui.add_enabled_ui(above.is_some(), |ui| {
            if widget::icon_button(ui, icon::ARROW_UP, "Up", "").clicked() {
                act = above.map(Act::Go);
            }
        });
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let places = widget::icon_button(ui, icon::CLOCK_COUNTER_CLOCKWISE, "Places looked at before", "");
            egui::Popup::menu(&places).show(|ui| {
                for spelled in state.settings.places.clone() {
                    if ui.button(&spelled).clicked() {
                        ui.close();
                        act = S3Address::parse(&spelled).and_then(Result::ok).map(Act::Go);
                    }
                }
            });
            let go = ui.button("Go").clicked();
            let field = TextEdit::singleline(&mut browse.text)
                .hint_text("s3://bucket/folder/")
                .desired_width(f32::INFINITY);
            let field = ui.add(field);
            field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Place"));
            if go || (field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter))) {
                browse.error = None;
                go_to_text(state, browse);
            }
        });
    });
    act
}

/// The folder around a place; all buckets around a bucket.
fn above(place: &S3Address) -> Option<S3Address> {
    let key = place.key.trim_end_matches('/');
    let (bucket, key) = match (place.bucket.is_empty(), key.rsplit_once('/')) {
        (true, _) => return None,
        (false, Some((folder, _))) => (place.bucket.clone(), format!("{folder}/")),
        (false, None) if key.is_empty() => (String::new(), String::new()),
        (false, None) => (place.bucket.clone(), String::new()),
    };
    Some(S3Address { bucket, key })
}

fn rows(ui: &mut Ui, state: &mut AppState, browse: &mut Browse) -> Option<Act> {
    let p = palette(ui.visuals());
    let mut act = None;
    let mut last_seen = false;
    egui::Frame::new().fill(p.base).corner_radius(4).inner_margin(4).show(ui, |ui| {
        let area = ScrollArea::vertical()
            .auto_shrink([false, false])
            .max_height(360.0)
            .min_scrolled_height(360.0);
        ui.set_height(360.0);
        area.show_rows(ui, ROW, browse.shown.len(), |ui, range| {
            last_seen = range.end >= browse.shown.len();
            for at in browse.shown.get(range).unwrap_or_default().to_vec() {
                let Some(entry) = browse.entries.get(at) else { continue };
                let row = row(ui, entry, browse.chosen.contains(&at));
                let folder = !matches!(entry.kind, EntryKind::Object { .. });
                if row.double_clicked() || (folder && row.clicked()) {
                    let address = entry.address.clone();
                    act = Some(if folder { Act::Go(address) } else { Act::Open(vec![address]) });
                } else if row.clicked() {
                    let many = ui.input(|i| i.modifiers.command || i.modifiers.shift);
                    let was = browse.chosen.contains(&at);
                    if !many {
                        browse.chosen.clear();
                    }
                    if was && many {
                        browse.chosen.remove(&at);
                    } else {
                        browse.chosen.insert(at);
                    }
                }
            }
        });
    });
    // a filter is answered from all of the folder
    let may_ask = browse.waiting.is_none() && !browse.refused;
    if may_ask && browse.next.is_some() && (last_seen || !browse.filter.is_empty()) {
        browse.ask(state);
    }
    act
}

fn row(ui: &mut Ui, entry: &Entry, chosen: bool) -> egui::Response {
    let p = palette(ui.visuals());
    let (rect, response) = ui.allocate_exact_size(egui::vec2(ui.available_width(), ROW), Sense::click());
    let name = entry.name();
    response.widget_info(|| WidgetInfo::selected(Role::ListItem, true, chosen, name));
    if !ui.is_rect_visible(rect) {
        return response;
    }
    let fill = match (chosen, response.hovered()) {
        (true, _) => p.selected,
        (false, true) => p.hover,
        (false, false) => egui::Color32::TRANSPARENT,
    };
    ui.painter().rect_filled(rect, 3.0, fill);
    let (glyph, size, time) = match &entry.kind {
        EntryKind::Bucket { created } => (icon::DATABASE, String::new(), *created),
        EntryKind::Prefix => (icon::FOLDER, String::new(), None),
        EntryKind::Object { size, modified, .. } => (icon::FILE, bytes(*size), *modified),
    };
    let class = match &entry.kind {
        EntryKind::Object { storage_class, .. } => storage_class.as_deref(),
        _ => None,
    };
    let painter = ui.painter().with_clip_rect(rect);
    let middle = rect.center().y;
    let text = |x: f32, align, text: &str, font, color| painter.text(egui::pos2(x, middle), align, text, font, color);
    text(rect.left() + 8.0, egui::Align2::LEFT_CENTER, glyph, theme::icons(14.0), p.weak);
    let name_end = rect.right() - if class.is_some() { 350.0 } else { 250.0 };
    let clipped = painter.with_clip_rect(rect.with_max_x(name_end));
    clipped.text(
        egui::pos2(rect.left() + 30.0, middle),
        egui::Align2::LEFT_CENTER,
        name,
        theme::body(),
        p.text,
    );
    if let Some(class) = class {
        // archives have to be restored before they open
        let color = if class.contains("ARCHIVE") || class == "GLACIER" {
            p.warn
        } else {
            p.faint
        };
        let class = class.to_lowercase().replace('_', " ");
        text(rect.right() - 240.0, egui::Align2::RIGHT_CENTER, &class, theme::small(), color);
    }
    text(rect.right() - 150.0, egui::Align2::RIGHT_CENTER, &size, theme::small(), p.weak);
    text(rect.right() - 8.0, egui::Align2::RIGHT_CENTER, &date(time), theme::small(), p.weak);
    match class {
        Some(class) => response.on_hover_text(format!("{}\nStorage class {class}", entry.address)),
        None => response.on_hover_text(entry.address.to_string()),
    }
}

fn date(time: Option<Time>) -> String {
    time.map(|t| format_utc(t).chars().take(16).collect()).unwrap_or_default()
}

fn status(ui: &mut Ui, state: &mut AppState, browse: &mut Browse) {
    let p = palette(ui.visuals());
    ui.add_space(4.0);
    if let Some(error) = &browse.error {
        ui.colored_label(p.error, error);
        if browse.refused && ui.button("Try again").clicked() {
            browse.ask(state);
        }
        return;
    }
    let more = if browse.next.is_some() || browse.waiting.is_some() {
        ", more to come"
    } else {
        ""
    };
    let count = browse.entries.len();
    let text = match (count, browse.waiting.is_some(), browse.filter.is_empty()) {
        (0, true, _) => "Listing…".to_owned(),
        (0, false, _) => "Nothing lies here".to_owned(),
        (_, _, true) => format!("{count} entries{more}"),
        (_, _, false) => format!("{} of {count} entries{more}", browse.shown.len()),
    };
    widget::note(ui, text);
}

fn buttons(ui: &mut Ui, state: &AppState, browse: &mut Browse) -> (bool, Option<Act>) {
    ui.add_space(8.0);
    let (mut done, mut act) = (false, None);
    ui.horizontal(|ui| {
        if state.is_open() {
            ui.checkbox(&mut browse.add, "Add to what is open, on one clock");
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let chosen: Vec<S3Address> = browse
                .chosen
                .iter()
                .filter_map(|at| browse.entries.get(*at))
                .map(|entry| entry.address.clone())
                .collect();
            let label = match chosen.len() {
                0 | 1 => "Open".to_owned(),
                many => format!("Open {many} recordings"),
            };
            ui.add_enabled_ui(!chosen.is_empty(), |ui| {
                if widget::primary_button(ui, &label).clicked() {
                    act = Some(Act::Open(chosen));
                }
            });
            if ui.add(egui::Button::new("Cancel").min_size(egui::vec2(0.0, 28.0))).clicked() {
                done = true;
            }
        });
    });
    (done, act)
}

impl super::settings::Settings {
    /// The newest first, each once.
    fn remember_place(&mut self, spelled: &str) {
        self.places.retain(|p| p != spelled);
        self.places.insert(0, spelled.to_owned());
        self.places.truncate(PLACES_MAX);
    }
}

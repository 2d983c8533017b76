//! The dialog that comes when someone else has written a layout's file since it was opened: part by part, what you and they changed,
//! and which of both is to stay.

use egui::{RichText, ScrollArea, Ui};

use super::AppState;
use super::dialog::{self, Dialog};
use super::place::Place;
use crate::layout::{self, Change, Layout, Merge, MergePart, Part, Take};
use crate::theme::{self, icon, palette, widget};

pub struct Merging {
    name: String,
    place: Place,
    merge: Merge,
    theirs: Layout,
    /// The file as it is.
    text: String,
}

impl Dialog {
    /// Of what both began with, what is on screen and what the file holds.
    pub fn merge(name: &str, place: Place, [base, mine, theirs]: [&Layout; 3], text: &str) -> Dialog {
        Dialog::Merge(Box::new(Merging {
            name: name.to_owned(),
            merge: layout::merge(base, mine, theirs),
            place,
            theirs: theirs.clone(),
            text: text.to_owned(),
        }))
    }
}

/// True where it is done with.
pub fn dialog(ui: &mut Ui, state: &mut AppState, merging: &mut Merging) -> bool {
    let p = palette(ui.visuals());
    ui.set_width(720.0);
    dialog::title(ui, &format!("“{}” was changed by someone else", merging.name));
    let clashes = merging.merge.clashes();
    let what = match clashes {
        0 => "Since you opened it, its file was written anew. Your changes and theirs go together.".to_owned(),
        1 => "Since you opened it, its file was written anew. One part was changed by both of you: choose which stays.".to_owned(),
        many => format!("Since you opened it, its file was written anew. {many} parts were changed by both of you: choose which stay."),
    };
    ui.label(RichText::new(what).color(p.weak));
    ui.add_space(8.0);
    egui::Frame::new().fill(p.base).corner_radius(4).inner_margin(8).show(ui, |ui| {
        ScrollArea::vertical().max_height(360.0).auto_shrink([false, true]).show(ui, |ui| {
            let told = merging.merge.parts.iter_mut().filter(|part| is_told(part));
            for (at, part) in told.enumerate() {
                if at > 0 {
                    ui.separator();
                }
                ui.push_id(at, |ui| row(ui, part));
            }
            if merging.merge.parts.is_empty() {
                ui.label(RichText::new("Nothing differs but the way it is written.").color(p.weak));
            }
        });
    });
    ui.add_space(12.0);
    let mut done = false;
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        if widget::primary_button(ui, "Merge and save").clicked() {
            match merging.merge.layout() {
                Ok(merged) => state.take_merged(merging.place.clone(), &merged, &merging.theirs, &merging.text),
                Err(error) => state.tell_error(format!("the layouts cannot be merged: {error}")),
            }
            done = true;
        }
        if ui.add(egui::Button::new("Save a copy…").min_size(egui::vec2(0.0, 28.0))).clicked() {
            state.ask_copy();
            done = true;
        }
        if ui.add(egui::Button::new("Cancel").min_size(egui::vec2(0.0, 28.0))).clicked() {
            done = true;
        }
    });
    done
}

/// Who only looked at the layout has changed what lies around the panels, too.
fn is_told(part: &MergePart) -> bool {
    part.clash || !matches!(&part.part, Part::Around(key) if ["playback", "sidebars", "topics"].contains(&key.as_str()))
}

fn row(ui: &mut Ui, part: &mut MergePart) {
    let p = palette(ui.visuals());
    ui.horizontal(|ui| {
        if part.clash {
            ui.label(RichText::new(icon::WARNING).font(theme::icons(13.0)).color(p.warn))
                .on_hover_text("Both of you changed the same thing");
        }
        ui.label(RichText::new(&part.title).font(theme::semibold(13.0)));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            // drawn from the right
            for (take, word) in [(Take::Theirs, "Theirs"), (Take::Mine, "Mine"), (Take::Both, "Both")] {
                let is_taken = part.take == take;
                let button = ui.selectable_label(is_taken, word);
                let name = format!("{word}: {}", part.title);
                button.widget_info(|| egui::WidgetInfo::selected(egui::Role::RadioButton, true, is_taken, &name));
                if button.clicked() {
                    part.take = take;
                }
            }
        });
    });
    for (who, change) in [("You", &part.mine), ("They", &part.theirs)] {
        let Some(change) = change else { continue };
        ui.horizontal_top(|ui| {
            ui.add_sized(
                [36.0, 16.0],
                egui::Label::new(RichText::new(who).font(theme::small()).color(p.faint)),
            );
            ui.vertical(|ui| changes(ui, change));
        });
    }
}

const KEYS_SHOWN: usize = 6;

/// A setting's key before what became of it.
fn key_text(pointer: &str) -> String {
    let key = pointer.trim_start_matches('/');
    match key.strip_prefix("config/").unwrap_or(key) {
        "" => String::new(),
        key => format!("{}: ", key.replace("~1", "/").replace("~0", "~")),
    }
}

fn text(value: &Option<serde_json::Value>) -> String {
    const LONGEST: usize = 400;
    let text = match value {
        None => "nothing".to_owned(),
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    text.chars().take(LONGEST).collect()
}

fn changes(ui: &mut Ui, change: &Change) {
    let p = palette(ui.visuals());
    let line = |ui: &mut Ui, text: String| {
        let label = egui::Label::new(RichText::new(&text).font(theme::small()).color(p.weak)).truncate();
        ui.add(label).on_hover_text(text);
    };
    match change {
        Change::Added => line(ui, "added it".to_owned()),
        Change::Removed => line(ui, "removed it".to_owned()),
        Change::Changed(keys) => {
            for key in keys.iter().take(KEYS_SHOWN) {
                line(ui, format!("{}{} → {}", key_text(&key.key), text(&key.before), text(&key.after)));
            }
            if keys.len() > KEYS_SHOWN {
                line(ui, format!("and {} more", keys.len() - KEYS_SHOWN));
            }
        }
    }
}

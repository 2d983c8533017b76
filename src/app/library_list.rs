//! A page of the left sidebar: the layouts that can be opened, shelf by shelf; each with what can be done to it.

use egui::{Align, Key, Layout, RichText, Role, ScrollArea, TextEdit, Ui, WidgetInfo, vec2};

use super::AppState;
use super::command::Command;
use super::library::Shelf;
use super::place::Place;
use crate::theme::{self, icon, palette, widget};

const ROW_HEIGHT: f32 = 24.0;

/// What was asked of a layout in the list.
enum Act {
    Open,
    Rename,
    /// So far.
    Typed(String),
    Named(String),
    Unnamed,
    Duplicate,
    Delete,
    Default(bool),
}

pub fn ui(ui: &mut Ui, state: &mut AppState) {
    current(ui, state);
    tools(ui, state);
    let hint = RichText::new(format!("{}  Search layouts", icon::MAGNIFYING_GLASS)).color(palette(ui.visuals()).faint);
    let field = TextEdit::singleline(&mut state.layouts.library.search)
        .hint_text(hint)
        .desired_width(f32::INFINITY);
    ui.add(field)
        .widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Search layouts"));
    ui.add_space(2.0);
    undo_row(ui, state);
    let mut asked = None;
    ScrollArea::vertical().auto_shrink(false).id_salt("layouts").show(ui, |ui| {
        let library = &state.layouts.library;
        let found = library.found(&library.search);
        for (at, shelf) in library.shelves.iter().enumerate() {
            let places: Vec<&Place> = found.iter().filter(|(of, _)| *of == at).map(|(_, place)| *place).collect();
            heading(ui, shelf, places.len());
            for place in places {
                if let Some(act) = row(ui, state, shelf, place) {
                    asked = Some((place.clone(), act));
                }
            }
            empty(ui, shelf, !library.search.is_empty());
        }
    });
    if let Some((place, act)) = asked {
        do_it(state, place, act);
        ui.ctx().request_repaint();
    }
}

/// What is on screen, and whether it is saved.
fn current(ui: &mut Ui, state: &AppState) {
    let p = palette(ui.visuals());
    ui.horizontal(|ui| {
        let (color, word) = match state.workspace.edited {
            true => (p.warn, "changed since it was saved"),
            false => (p.ok, "saved"),
        };
        widget::dot(ui, color, 20.0, word);
        let name = egui::Label::new(RichText::new(state.layout_name()).font(theme::semibold(13.0))).truncate();
        let at = match &state.layouts.place {
            Some(place) => place.to_string(),
            None => "Kept for recordings with these topics".to_owned(),
        };
        ui.add(name).on_hover_text(format!("{at}\n{word}"));
    });
}

fn tools(ui: &mut Ui, state: &mut AppState) {
    let ctx = ui.ctx().clone();
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        let tools = [
            (icon::FLOPPY_DISK, Command::SaveLayout),
            (icon::COPY, Command::SaveLayoutCopy),
            (icon::FOLDER_OPEN, Command::OpenLayout),
            (icon::EXPORT, Command::ExportLayout),
            (icon::SWAP, Command::FitLayout),
            (icon::ARROW_COUNTER_CLOCKWISE, Command::RevertLayout),
            (icon::GEAR_SIX, Command::LayoutFolders),
        ];
        for (glyph, command) in tools {
            if widget::icon_button(ui, glyph, command.name(), &command.key(&ctx)).clicked() {
                state.run(command, &ctx);
            }
        }
    });
    ui.add_space(2.0);
}

fn undo_row(ui: &mut Ui, state: &mut AppState) {
    let Some((place, _)) = &state.layouts.library.deleted else { return };
    let p = palette(ui.visuals());
    let name = place.name();
    let (mut back, mut gone) = (false, false);
    egui::Frame::new()
        .fill(p.overlay)
        .corner_radius(4)
        .inner_margin(egui::Margin::symmetric(8, 2))
        .show(ui, |ui| {
            let row = vec2(ui.available_width(), ROW_HEIGHT);
            ui.allocate_ui_with_layout(row, Layout::right_to_left(Align::Center), |ui| {
                gone = widget::icon_button_sized(ui, icon::X, "Leave it deleted", "", 20.0, false).clicked();
                back = widget::quiet_button(ui, "Bring it back").clicked();
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    ui.add(egui::Label::new(RichText::new(format!("Deleted “{name}”")).color(p.weak)).truncate());
                });
            });
        });
    if back {
        state.undelete_layout();
    } else if gone {
        state.layouts.library.deleted = None;
    }
}

fn heading(ui: &mut Ui, shelf: &Shelf, count: usize) {
    let p = palette(ui.visuals());
    ui.horizontal(|ui| {
        widget::section(ui, &format!("{}  {count}", shelf.name));
        if !shelf.writable && shelf.folder.is_some() {
            let lock = ui.label(RichText::new(icon::LOCK).font(theme::icons(11.0)).color(p.faint));
            lock.on_hover_text("Read only");
        }
        if shelf.is_listing {
            ui.add(egui::Spinner::new().size(10.0).color(p.faint));
        }
    });
}

fn empty(ui: &mut Ui, shelf: &Shelf, searches: bool) {
    let p = palette(ui.visuals());
    if let Some(error) = &shelf.error {
        ui.label(RichText::new(error).font(theme::small()).color(p.warn));
    } else if shelf.layouts.is_empty() && !shelf.is_listing && !searches {
        let text = match shelf.writable {
            true => "Save a copy of a layout, and it stands here.",
            false => "No layouts lie here.",
        };
        ui.label(RichText::new(text).font(theme::small()).color(p.faint));
    }
    ui.add_space(4.0);
}

fn row(ui: &mut Ui, state: &AppState, shelf: &Shelf, place: &Place) -> Option<Act> {
    if let Some((renamed, text)) = &state.layouts.library.renaming
        && renamed == place
    {
        return rename_field(ui, text);
    }
    let p = palette(ui.visuals());
    let mut act = None;
    let is_shown = state.layouts.place.as_ref() == Some(place);
    let is_default = state.is_default(place);
    let name = place.name();
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let more = widget::icon_button_sized(ui, icon::DOTS_THREE, &format!("More about {name}"), "", ROW_HEIGHT, false);
            egui::Popup::menu(&more).show(|ui| menu(ui, shelf, is_default, &mut act));
            if is_default {
                let star = ui.label(RichText::new(icon::STAR).font(theme::icons(12.0)).color(p.accent));
                star.on_hover_text("Opens by itself on recordings with these topics");
            }
            let button = egui::Button::selectable(is_shown, RichText::new(&name).color(p.text));
            // with something at its right the name stands at its left
            let button = ui.add(button.right_text("").truncate().min_size(vec2(ui.available_width(), ROW_HEIGHT)));
            button.widget_info(|| WidgetInfo::selected(Role::ListItem, true, is_shown, &name));
            if button.clicked() {
                act = Some(Act::Open);
            }
            button.context_menu(|ui| menu(ui, shelf, is_default, &mut act));
            button.on_hover_ui(|ui| {
                ui.label(RichText::new(&name).font(theme::semibold(13.0)));
                if let Place::Bundled(id) = place
                    && let Some(layout) = super::settings::built_in(id)
                {
                    ui.label(layout.what);
                }
                widget::note(ui, place.to_string());
            });
        });
    });
    act
}

fn menu(ui: &mut Ui, shelf: &Shelf, is_default: bool, act: &mut Option<Act>) {
    let mut entry = |ui: &mut Ui, possible: bool, text: String, asked: Act| {
        if ui.add_enabled(possible, egui::Button::new(text)).clicked() {
            *act = Some(asked);
            ui.close();
        }
    };
    entry(ui, true, format!("{}  Open", icon::FOLDER_OPEN), Act::Open);
    let default = if is_default {
        "No longer open by itself"
    } else {
        "Open by itself on these topics"
    };
    entry(ui, true, format!("{}  {default}", icon::STAR), Act::Default(!is_default));
    entry(ui, true, format!("{}  Duplicate", icon::COPY), Act::Duplicate);
    entry(ui, shelf.writable, format!("{}  Rename", icon::PENCIL_SIMPLE), Act::Rename);
    entry(ui, shelf.writable, format!("{}  Delete", icon::TRASH), Act::Delete);
}

/// Enter takes the new name, Escape or a click elsewhere leaves the old one.
fn rename_field(ui: &mut Ui, text: &str) -> Option<Act> {
    let mut text = text.to_owned();
    let field = ui.add(TextEdit::singleline(&mut text).desired_width(f32::INFINITY));
    field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "New name"));
    if field.lost_focus() {
        let entered = ui.input(|i| i.key_pressed(Key::Enter));
        return Some(if entered { Act::Named(text) } else { Act::Unnamed });
    }
    field.request_focus();
    field.changed().then_some(Act::Typed(text))
}

fn do_it(state: &mut AppState, place: Place, act: Act) {
    let library = &mut state.layouts.library;
    match act {
        Act::Open => state.open_layout(place),
        Act::Rename => library.renaming = Some((place.clone(), place.name())),
        Act::Typed(text) => library.renaming = Some((place, text)),
        Act::Named(name) => {
            library.renaming = None;
            state.rename_layout(&place, &name);
        }
        Act::Unnamed => library.renaming = None,
        Act::Duplicate => state.duplicate_layout(&place),
        Act::Delete => state.delete_layout(&place),
        Act::Default(on) => state.set_default(on.then_some(&place)),
    }
}

//! The dialogs that write a layout elsewhere: a copy in the library, another program's format; and the folders that the library shows.

use egui::{Key, RichText, Role, TextEdit, Ui, WidgetInfo};

use super::AppState;
use super::dialog::{self, Dialog};
use super::settings::LayoutFolder;
use crate::layout::Dialect;
use crate::run::TextFolder;
use crate::theme::{icon, palette, widget};

pub struct SaveCopy {
    name: String,
    folders: Vec<(String, TextFolder)>,
    chosen: usize,
    error: Option<String>,
}

#[derive(Default)]
pub struct LayoutFolders {
    text: String,
    error: Option<String>,
}

impl Dialog {
    pub fn save_copy(state: &AppState, name: &str) -> Dialog {
        Dialog::SaveCopy(SaveCopy {
            name: name.to_owned(),
            folders: state.writable_folders(),
            chosen: 0,
            error: None,
        })
    }

    pub fn layout_folders() -> Dialog {
        Dialog::LayoutFolders(LayoutFolders::default())
    }
}

fn field(ui: &mut Ui, name: &str, hint: &str, text: &mut String) -> bool {
    let field = ui.add(TextEdit::singleline(text).hint_text(hint).desired_width(f32::INFINITY));
    field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, name));
    if ui.memory(|m| m.focused().is_none()) && !field.lost_focus() {
        field.request_focus();
    }
    field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter))
}

/// True where it is done with.
pub fn copy(ui: &mut Ui, state: &mut AppState, save: &mut SaveCopy) -> bool {
    let p = palette(ui.visuals());
    ui.set_width(440.0);
    dialog::title(ui, "Save a copy of the layout");
    if save.folders.is_empty() {
        ui.label(RichText::new("There is no folder to save it in.").color(p.weak));
        return dialog::close_row(ui);
    }
    ui.label(RichText::new("Name").color(p.weak));
    let entered = field(ui, "Name of the layout", "Night drive", &mut save.name);
    if save.folders.len() > 1 {
        ui.add_space(8.0);
        ui.label(RichText::new("In").color(p.weak));
        let shown = save.folders.get(save.chosen).map_or("", |(name, _)| name);
        egui::ComboBox::from_id_salt("folder")
            .selected_text(shown)
            .width(240.0)
            .show_ui(ui, |ui| {
                for (at, (name, _)) in save.folders.iter().enumerate() {
                    ui.selectable_value(&mut save.chosen, at, name);
                }
            });
    }
    if let Some(error) = &save.error {
        ui.add_space(4.0);
        ui.colored_label(p.error, error);
    }
    ui.add_space(12.0);
    let mut done = false;
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        if widget::primary_button(ui, "Save").clicked() || entered {
            let folder = save.folders.get(save.chosen).map(|(_, folder)| folder.clone());
            match folder.map(|folder| state.save_copy(&folder, &save.name)) {
                Some(Ok(())) => done = true,
                Some(Err(why)) => save.error = Some(why),
                None => {}
            }
        }
        if ui.add(egui::Button::new("Cancel").min_size(egui::vec2(0.0, 28.0))).clicked() {
            done = true;
        }
    });
    done
}

/// True where it is done with.
pub fn export(ui: &mut Ui, state: &mut AppState) -> bool {
    let p = palette(ui.visuals());
    ui.set_width(520.0);
    dialog::title(ui, "Export the layout");
    ui.label(RichText::new("What it was imported with and Roadreel does not show goes along unchanged.").color(p.weak));
    ui.add_space(10.0);
    let mut done = false;
    for (to, what) in [
        (Dialect::Roadreel, "Everything; opens here again as it is"),
        (Dialect::Webviz, "Version 16 and later"),
        (Dialect::Foxglove, "Opens in Foxglove and Lichtblick"),
    ] {
        ui.horizontal(|ui| {
            ui.set_height(30.0);
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                ui.label(to.name());
                widget::note(ui, what);
            });
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let save = ui.button(format!("{}  Save…", icon::EXPORT));
                save.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Save as {}…", to.name())));
                if save.clicked() {
                    state.export_layout(to);
                    done = true;
                }
                let copy = ui.button(format!("{}  Copy", icon::COPY));
                copy.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Copy as {}", to.name())));
                if copy.clicked() {
                    let ctx = ui.ctx().clone();
                    state.copy_layout(to, &ctx);
                    done = true;
                }
            });
        });
    }
    ui.add_space(8.0);
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        done |= ui.add(egui::Button::new("Cancel").min_size(egui::vec2(0.0, 28.0))).clicked();
    });
    done
}

/// True where it is done with.
pub fn folders(ui: &mut Ui, state: &mut AppState, dialog: &mut LayoutFolders) -> bool {
    let p = palette(ui.visuals());
    ui.set_width(560.0);
    dialog::title(ui, "Folders of layouts");
    let what = "Folders, s3://bucket/prefix/ or addresses (of one layout, or of a JSON list of layouts) that a team shares. \
                The library shows what lies there.";
    ui.label(RichText::new(what).color(p.weak));
    ui.add_space(8.0);
    let mut removed = None;
    let before = state.settings.layout_folders.clone();
    for (at, folder) in state.settings.layout_folders.iter_mut().enumerate() {
        ui.horizontal(|ui| {
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if widget::icon_button(ui, icon::X, &format!("Remove {}", folder.place), "").clicked() {
                    removed = Some(at);
                }
                let can_write = !folder.place.starts_with("http");
                let writable = ui.add_enabled(can_write, egui::Checkbox::new(&mut folder.writable, "Save there"));
                writable
                    .widget_info(|| WidgetInfo::selected(Role::CheckBox, can_write, folder.writable, format!("Save to {}", folder.place)));
                ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                    ui.add(egui::Label::new(folder.place.as_str()).truncate());
                });
            });
        });
    }
    if let Some(at) = removed {
        state.settings.layout_folders.remove(at);
    }
    let mut added = false;
    ui.horizontal(|ui| {
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            added = ui.button("Add").clicked();
            added |= field(
                ui,
                "Folder or address",
                "/mnt/team/layouts  or  s3://bucket/layouts/",
                &mut dialog.text,
            );
        });
    });
    if added {
        match folder_of(&dialog.text) {
            Ok(folder) => {
                state.settings.layout_folders.push(folder);
                *dialog = LayoutFolders::default();
            }
            Err(why) => dialog.error = Some(why),
        }
    }
    if let Some(error) = &dialog.error {
        ui.colored_label(p.error, error);
    }
    if before != state.settings.layout_folders {
        state.save_settings();
        state.list_library();
    }
    dialog::close_row(ui)
}

/// Written down without a query: a signed address is refused.
fn folder_of(text: &str) -> Result<LayoutFolder, String> {
    let place = match TextFolder::parse(text.trim())? {
        TextFolder::Folder(path) => std::path::absolute(&path).unwrap_or(path).display().to_string(),
        TextFolder::Prefix(address) => address.to_string(),
        TextFolder::List(url) if url.query().is_some() || !url.username().is_empty() || url.password().is_some() => {
            return Err("This address holds a signature or a password, which is not written down: give a plain one".to_owned());
        }
        TextFolder::List(url) => url.to_string(),
    };
    Ok(LayoutFolder { place, writable: false })
}

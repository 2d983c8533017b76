//! The sidebar's page of scenes: the sets, filters, and the list.

use std::collections::BTreeSet;

use egui::{Button, RichText, Role, ScrollArea, TextEdit, Ui, WidgetInfo, vec2};

use super::index::{Class, Order, Sort};
use super::rows::{self, ROW_HEIGHT};
use super::{Key, Kind, editor};
use crate::app::AppState;
use crate::app::command::Command;
use crate::text::grouped;
use crate::theme::{self, icon, palette, widget};

#[derive(Default)]
pub struct ListState {
    pub order: Order,
    /// The row that is to come into view.
    pub scroll_to: Option<Key>,
    pub editing: editor::Editing,
}

impl ListState {
    /// Hides all other classes, or shows all again.
    pub fn show_only(&mut self, classes: &[Class], class: &str) {
        let others: BTreeSet<String> = classes.iter().map(|one| one.name.clone()).filter(|name| name != class).collect();
        let is_so = !others.is_empty() && self.order.hidden == others;
        self.order.hidden = if is_so { BTreeSet::new() } else { others };
    }
}

pub fn ui(ui: &mut Ui, state: &mut AppState) {
    head(ui, state);
    if state.scenes.is_empty() {
        return invitation(ui, state);
    }
    failures(ui, state);
    sets(ui, state);
    filters(ui, state);
    classes(ui, state);
    state.index_scenes();
    let below = if state.scenes.selected.is_some_and(|key| state.is_own(key)) {
        EDITOR_HEIGHT
    } else {
        0.0
    };
    let height = (ui.available_height() - below).max(ROW_HEIGHT * 2.0);
    ui.allocate_ui(vec2(ui.available_width(), height), |ui| list(ui, state, height));
    editor::ui(ui, state);
}

const EDITOR_HEIGHT: f32 = 156.0;

fn head(ui: &mut Ui, state: &mut AppState) {
    let ctx = ui.ctx().clone();
    ui.horizontal(|ui| {
        let count = state.scenes.count();
        let title = if count == 0 {
            "Scenes".to_owned()
        } else {
            format!("Scenes  {}", grouped(count as u64))
        };
        widget::section(ui, &title);
        if state.scenes.is_empty() {
            return;
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            for (glyph, command) in [
                (icon::PLUS, Command::OpenScenes),
                (icon::FLOPPY_DISK, Command::SaveScenes),
                (icon::BOOKMARK_SIMPLE, Command::Mark),
            ] {
                let is_on = command == Command::Mark && state.scenes.marks.begun.is_some();
                let is_possible = command != Command::SaveScenes || state.scenes.sets.iter().any(|held| held.kind == Kind::Own);
                ui.add_enabled_ui(is_possible, |ui| {
                    if widget::icon_button_sized(ui, glyph, command.name(), &command.key(&ctx), 20.0, is_on).clicked() {
                        state.run(command, &ctx);
                    }
                });
            }
        });
    });
}

fn invitation(ui: &mut Ui, state: &mut AppState) {
    ui.add_space(8.0);
    widget::note(
        ui,
        "Open a table of scenes (Parquet, CSV, JSON Lines, an export of DynamoDB): whatever has a start, and an end.",
    );
    ui.add_space(4.0);
    let ctx = ui.ctx().clone();
    if ui.button("Open scenes…").clicked() {
        state.run(Command::OpenScenes, &ctx);
    }
    ui.add_space(12.0);
    widget::note(
        ui,
        "Or mark your own: M begins and ends one at the playhead; a drag on the timeline with Shift does both.",
    );
}

fn failures(ui: &mut Ui, state: &mut AppState) {
    let p = palette(ui.visuals());
    let mut dismissed = None;
    for (at, why) in state.scenes.failed.iter().enumerate() {
        ui.horizontal_top(|ui| {
            if widget::icon_button_sized(ui, icon::X, "Dismiss", "", 18.0, false).clicked() {
                dismissed = Some(at);
            }
            ui.add(egui::Label::new(RichText::new(why).font(theme::small()).color(p.warn)).wrap());
        });
    }
    if let Some(at) = dismissed {
        state.scenes.failed.remove(at);
    }
    if state.scenes.reading > 0 {
        ui.horizontal(|ui| {
            ui.add(egui::Spinner::new().size(12.0));
            widget::note(ui, "Reading…");
        });
    }
}

enum OfSet {
    Hide,
    Edit,
    Save,
    SaveAs,
    Remove,
}

fn sets(ui: &mut Ui, state: &mut AppState) {
    let p = palette(ui.visuals());
    let mut asked = None;
    for held in &state.scenes.sets {
        let name = &held.set.name;
        let row = ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            let (glyph, what) = if held.is_hidden {
                (icon::EYE_SLASH, "Show")
            } else {
                (icon::EYE, "Hide")
            };
            if widget::icon_button_sized(ui, glyph, &format!("{what} the scenes of {name}"), "", 20.0, false).clicked() {
                asked = Some((held.number, OfSet::Hide));
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = 2.0;
                if widget::icon_button_sized(ui, icon::X, &format!("Close {name}"), "", 20.0, false).clicked() {
                    asked = Some((held.number, OfSet::Remove));
                }
                if held.kind == Kind::Own && held.is_edited {
                    if widget::icon_button_sized(ui, icon::FLOPPY_DISK, &format!("Save {name}"), "", 20.0, true).clicked() {
                        asked = Some((held.number, OfSet::Save));
                    }
                } else if held.kind != Kind::Own
                    && widget::icon_button_sized(ui, icon::PENCIL_SIMPLE, &format!("Edit {name}"), "", 20.0, false).clicked()
                {
                    asked = Some((held.number, OfSet::Edit));
                }
                let count = grouped(held.set.scenes.len() as u64);
                ui.label(RichText::new(count).font(theme::small()).color(p.weak));
                ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                    let glyph = match held.kind {
                        Kind::Listed => icon::DATABASE,
                        Kind::Read => icon::TABLE,
                        Kind::Own => icon::PENCIL_SIMPLE,
                    };
                    ui.label(RichText::new(glyph).font(theme::icons(12.0)).color(p.weak));
                    let mark = if held.is_edited { " •" } else { "" };
                    let color = if held.is_hidden { p.faint } else { p.text };
                    let label = ui.add(egui::Label::new(RichText::new(format!("{name}{mark}")).color(color)).truncate());
                    if let Some(at) = &held.set.at {
                        label.on_hover_text(at.to_string());
                    }
                });
            });
        });
        row.response.context_menu(|ui| {
            for (what, of) in [
                ("Save these scenes", OfSet::Save),
                ("Save a copy of these scenes…", OfSet::SaveAs),
                ("Close", OfSet::Remove),
            ] {
                let is_possible = !matches!(of, OfSet::Save) || held.kind == Kind::Own;
                if ui.add_enabled(is_possible, Button::new(what)).clicked() {
                    asked = Some((held.number, of));
                    ui.close();
                }
            }
        });
    }
    match asked {
        Some((number, OfSet::Hide)) => {
            if let Some(held) = state.scenes.held_mut(number) {
                held.is_hidden = !held.is_hidden;
                state.scenes.changed();
            }
        }
        Some((number, OfSet::Edit)) => state.edit_scene_set(number),
        Some((number, OfSet::Save)) => state.save_scene_set(number),
        Some((number, OfSet::SaveAs)) => state.ask_where_scenes_go(number),
        Some((number, OfSet::Remove)) => state.remove_scene_set(number),
        None => {}
    }
}

fn filters(ui: &mut Ui, state: &mut AppState) {
    let p = palette(ui.visuals());
    ui.add_space(2.0);
    let order = &mut state.scenes.list.order;
    let hint = RichText::new(format!("{}  Filter scenes", icon::MAGNIFYING_GLASS)).color(p.faint);
    let field = ui.add(TextEdit::singleline(&mut order.filter).hint_text(hint).desired_width(f32::INFINITY));
    field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Filter scenes"));
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let short = order.sort.name().split(',').next().unwrap_or_default();
        let sort = egui::ComboBox::from_id_salt("scenes are sorted by")
            .selected_text(RichText::new(format!("By {}", short.to_lowercase())).font(theme::small()))
            .width(84.0)
            .show_ui(ui, |ui| {
                for sort in Sort::ALL {
                    ui.selectable_value(&mut order.sort, sort, sort.name());
                }
            });
        sort.response
            .widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "Sort scenes"));
        let small = |text: String| RichText::new(text).font(theme::small());
        if state.scenes.index.has_others || order.only_open {
            ui.toggle_value(&mut order.only_open, small("Open only".to_owned()))
                .on_hover_text("Only scenes of what is open");
        }
        if state.scenes.index.odd > 0 || order.only_odd {
            let odd = grouped(state.scenes.index.odd as u64);
            let toggle = ui.toggle_value(&mut order.only_odd, small(format!("{}  {odd} odd", icon::WARNING)));
            toggle.widget_info(|| WidgetInfo::selected(Role::Button, true, order.only_odd, format!("{odd} odd")));
            toggle.on_hover_text("Only scenes that something is odd about: no end, another unit, no recording …");
        }
    });
}

/// More rows of classes scroll.
const CLASSES_HEIGHT: f32 = 76.0;

fn classes(ui: &mut Ui, state: &mut AppState) {
    let p = palette(ui.visuals());
    let hidden = &state.scenes.list.order.hidden;
    if state.scenes.index.classes.len() < 2 && hidden.is_empty() {
        return;
    }
    let (mut toggled, mut only) = (None, None);
    ScrollArea::vertical()
        .id_salt("classes of scenes")
        .max_height(CLASSES_HEIGHT)
        .show(ui, |ui| {
            ui.horizontal_wrapped(|ui| {
                ui.spacing_mut().item_spacing = vec2(4.0, 4.0);
                for class in &state.scenes.index.classes {
                    let is_shown = !hidden.contains(&class.name);
                    let color = theme::data::series(class.color).gamma_multiply(if is_shown { 1.0 } else { 0.35 });
                    let mut job = egui::text::LayoutJob::default();
                    let of = |color| egui::TextFormat::simple(theme::small(), color);
                    job.append("•", 0.0, egui::TextFormat::simple(theme::semibold(16.0), color));
                    job.append(&class.name, 4.0, of(if is_shown { p.text } else { p.faint }));
                    job.append(&grouped(class.count as u64), 6.0, of(p.faint));
                    let chip = ui.add(Button::new(job).min_size(vec2(0.0, 20.0)).corner_radius(10.0));
                    chip.widget_info(|| WidgetInfo::selected(Role::Button, true, is_shown, format!("Class {}", class.name)));
                    let chip = chip.on_hover_text("Show or hide; with a double click only these");
                    if chip.double_clicked() {
                        only = Some(class.name.clone());
                    } else if chip.clicked() {
                        toggled = Some(class.name.clone());
                    }
                }
            });
        });
    if let Some(class) = only {
        let index = &state.scenes.index;
        state.scenes.list.show_only(&index.classes, &class);
    } else if let Some(class) = toggled {
        let hidden = &mut state.scenes.list.order.hidden;
        if !hidden.remove(&class) {
            hidden.insert(class);
        }
    }
}

fn list(ui: &mut Ui, state: &mut AppState, height: f32) {
    let count = state.scenes.index.rows.len();
    if count == 0 {
        let why = if state.scenes.count() == 0 {
            "The table is empty."
        } else {
            "No scene is of these words and classes."
        };
        widget::note(ui, why);
        return;
    }
    let mut area = ScrollArea::vertical().id_salt("scenes").auto_shrink(false).max_height(height);
    let wanted = state.scenes.list.scroll_to.take();
    if let Some(at) = wanted.and_then(|key| state.scenes.index.rows.iter().position(|row| *row == key)) {
        let middle = at as f32 * ROW_HEIGHT - height / 2.0 + ROW_HEIGHT / 2.0;
        let most = count as f32 * ROW_HEIGHT - height;
        area = area.vertical_scroll_offset(middle.min(most).max(0.0));
    }
    let camera = state.camera_of_thumbnails();
    let mut asked = None;
    area.show_rows(ui, ROW_HEIGHT, count, |ui, visible| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let keys: Vec<Key> = state.scenes.index.rows.get(visible).unwrap_or_default().to_vec();
        for key in keys {
            asked = rows::row(ui, state, key, camera.as_ref()).or(asked.take());
        }
    });
    if let Some(asked) = asked {
        rows::act(ui, state, asked);
    }
}

//! The fields of one's own scene that is selected, below the list.

use egui::{Role, TextEdit, Ui, WidgetInfo};

use super::Key;
use crate::app::{AppState, clock};
use crate::scenes::Scene;
use crate::theme::{self, icon, palette, widget};
use crate::time::Time;

/// Texts of fields while they are edited.
#[derive(Default)]
pub struct Editing {
    key: Option<Key>,
    /// As it was when it was taken into the fields.
    of: Option<Scene>,
    class: String,
    text: String,
    start: String,
    end: String,
    wrong: Option<String>,
}

pub fn ui(ui: &mut Ui, state: &mut AppState) {
    let Some(key) = state.scenes.selected.filter(|key| state.is_own(*key)) else {
        return;
    };
    let Some(scene) = state.scenes.get(key).cloned() else { return };
    let mut editing = std::mem::take(&mut state.scenes.list.editing);
    if editing.key != Some(key) || editing.of.as_ref() != Some(&scene) {
        editing = taken(state, key, scene.clone());
    }
    let p = palette(ui.visuals());
    ui.horizontal(|ui| {
        widget::section(ui, "Selected mark");
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if widget::icon_button_sized(ui, icon::TRASH, "Delete this mark", "", 20.0, false).clicked() {
                state.delete_scene(key);
            }
        });
    });
    let field = |ui: &mut Ui, name: &str, text: &mut String, hint: &str| {
        let mut changed = false;
        ui.horizontal(|ui| {
            ui.add_sized(
                [40.0, 20.0],
                egui::Label::new(egui::RichText::new(name).font(theme::small()).color(p.weak)),
            );
            let hint = egui::RichText::new(hint).color(p.faint);
            let field = ui.add(TextEdit::singleline(text).hint_text(hint).desired_width(f32::INFINITY));
            field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, format!("{name} of the mark")));
            changed = field.lost_focus();
        });
        changed
    };
    let mut done = field(ui, "Class", &mut editing.class, "What it is of");
    done |= field(ui, "Text", &mut editing.text, "What there is to say of it");
    done |= field(ui, "Start", &mut editing.start, "");
    done |= field(ui, "End", &mut editing.end, "");
    if let Some(wrong) = &editing.wrong {
        ui.label(egui::RichText::new(wrong).font(theme::small()).color(p.error));
    }
    ui.add_space(4.0);
    if done {
        match edited(state, &editing, &scene) {
            Ok(new) => {
                editing.wrong = None;
                state.edit_scene(key, new);
            }
            Err(wrong) => editing.wrong = Some(wrong),
        }
        ui.ctx().request_repaint();
    }
    state.scenes.list.editing = editing;
}

fn taken(state: &AppState, key: Key, scene: Scene) -> Editing {
    let shift = state.shift_of_scene(&scene);
    let shown = |time: Option<Time>| {
        let time = time.map(|time| state.settings.time_format.exact(time.plus_nanos(shift), state.span().start));
        time.unwrap_or_default()
    };
    Editing {
        key: Some(key),
        class: scene.class.clone().unwrap_or_default(),
        text: scene.text.clone().unwrap_or_default(),
        start: shown(scene.start),
        end: shown(scene.end),
        wrong: None,
        of: Some(scene),
    }
}

fn edited(state: &AppState, editing: &Editing, scene: &Scene) -> Result<Scene, String> {
    let shift = state.shift_of_scene(scene);
    let fresh = taken(state, Key { set: 0, at: 0 }, scene.clone());
    // what was not touched stays to the nanosecond
    let time = |text: &str, shown: &str, old: Option<Time>| match text.trim() {
        same if same == shown => Ok(old),
        "" => Ok(None),
        other => clock::parse(other, state.span()).map(|time| Some(time.plus_nanos(-shift))),
    };
    let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let mut new = Scene {
        class: given(&editing.class),
        text: given(&editing.text),
        start: time(&editing.start, &fresh.start, scene.start)?,
        end: time(&editing.end, &fresh.end, scene.end)?,
        ..scene.clone()
    };
    if new.start != scene.start {
        new.start_text = None;
    }
    if new.end != scene.end {
        new.end_text = None;
    }
    new.note_oddities();
    Ok(new)
}

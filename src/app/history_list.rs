//! A page of the left sidebar: what was done to the layout, the newest first, and the checkpoints; a click goes there.
//!
//! Invariant: only the rows in sight are laid out.

use egui::{RichText, Role, ScrollArea, TextEdit, Ui, WidgetInfo, vec2};

use super::AppState;
use super::command::Command;
use crate::theme::{self, icon, palette, widget};

const ROW_HEIGHT: f32 = 24.0;

pub fn ui(ui: &mut Ui, state: &mut AppState) {
    tools(ui, state);
    checkpoints(ui, state);
    steps(ui, state);
}

fn tools(ui: &mut Ui, state: &mut AppState) {
    let history = &state.layouts.history;
    let (undoes, redoes) = (history.undoes().map(str::to_owned), history.redoes().map(str::to_owned));
    let ctx = ui.ctx().clone();
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        let mut tool = |ui: &mut Ui, glyph: &str, command: Command, possible: bool| {
            let button = |ui: &mut Ui| widget::icon_button(ui, glyph, command.name(), &command.key(&ctx)).clicked();
            if ui.add_enabled_ui(possible, button).inner {
                state.run(command, &ctx);
            }
        };
        tool(ui, icon::ARROW_COUNTER_CLOCKWISE, Command::Undo, undoes.is_some());
        tool(ui, icon::ARROW_CLOCKWISE, Command::Redo, redoes.is_some());
        tool(ui, icon::FLOPPY_DISK, Command::SaveLayout, true);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let revert = egui::Button::new("Revert to saved").frame_when_inactive(false);
            if ui
                .add_enabled(state.workspace.edited, revert)
                .on_hover_text("As it was when it was last opened or saved; this is a step too")
                .clicked()
            {
                state.run(Command::RevertLayout, &ctx);
            }
        });
    });
    ui.add_space(4.0);
}

fn checkpoints(ui: &mut Ui, state: &mut AppState) {
    widget::section(ui, "Checkpoints");
    let mut added = false;
    ui.horizontal(|ui| {
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            added = widget::icon_button(ui, icon::PLUS, "Add the checkpoint", "").clicked();
            let (name, wants_keys) = &mut state.layouts.checkpoint;
            let field = TextEdit::singleline(name).hint_text("Name this state").desired_width(f32::INFINITY);
            let field = ui.add(field);
            field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Name of the checkpoint"));
            if std::mem::take(wants_keys) {
                field.request_focus();
            }
            added |= field.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
        });
    });
    if added {
        let typed = std::mem::take(&mut state.layouts.checkpoint.0);
        let number = state.layouts.history.checkpoints.len() + 1;
        let name = if typed.trim().is_empty() {
            format!("Checkpoint {number}")
        } else {
            typed.trim().to_owned()
        };
        state.note_changes_now();
        state.layouts.history.add_checkpoint(&name);
    }
    let (mut chosen, mut removed) = (None, None);
    for (at, checkpoint) in state.layouts.history.checkpoints.iter().enumerate() {
        ui.horizontal(|ui| {
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if widget::icon_button_sized(ui, icon::X, &format!("Remove the checkpoint {}", checkpoint.name), "", 20.0, false).clicked()
                {
                    removed = Some(at);
                }
                let text = format!("{}  {}", icon::BOOKMARK_SIMPLE, checkpoint.name);
                let button = egui::Button::new(text).right_text("").frame_when_inactive(false).truncate();
                let button = button.min_size(vec2(ui.available_width(), ROW_HEIGHT));
                let button = ui.add(button);
                let name = format!("Back to {}", checkpoint.name);
                button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
                if button.on_hover_text(name).clicked() {
                    chosen = Some(at);
                }
            });
        });
    }
    if let Some(at) = chosen {
        state.show_checkpoint(at);
        ui.ctx().request_repaint();
    }
    if let Some(at) = removed {
        state.layouts.history.checkpoints.remove(at);
    }
    ui.add_space(4.0);
}

fn steps(ui: &mut Ui, state: &mut AppState) {
    let p = palette(ui.visuals());
    let count = state.layouts.history.steps().len();
    widget::section(ui, &format!("Steps  {}", count.saturating_sub(1)));
    let mut chosen = None;
    ScrollArea::vertical()
        .auto_shrink(false)
        .id_salt("steps")
        .show_rows(ui, ROW_HEIGHT, count, |ui, rows| {
            ui.spacing_mut().item_spacing.y = 0.0;
            let history = &state.layouts.history;
            for (at, step) in history.steps().enumerate().rev().skip(rows.start).take(rows.len()) {
                let is_shown = at == history.at();
                let (glyph, color) = match at.cmp(&history.at()) {
                    std::cmp::Ordering::Equal => (icon::CARET_RIGHT, p.text),
                    std::cmp::Ordering::Less => (icon::DOT_OUTLINE, p.weak),
                    std::cmp::Ordering::Greater => (icon::DOT_OUTLINE, p.faint),
                };
                let text = RichText::new(format!("{glyph}  {}", step.name)).color(color);
                let button = egui::Button::selectable(is_shown, text)
                    .truncate()
                    .min_size(vec2(ui.available_width(), ROW_HEIGHT));
                let row = ui.add(button);
                row.widget_info(|| WidgetInfo::selected(Role::ListItem, true, is_shown, &step.name));
                if row.clicked() && !is_shown {
                    chosen = Some(at);
                }
            }
        });
    if let Some(at) = chosen {
        state.note_changes_now();
        state.show_step(at);
        ui.ctx().request_repaint();
    }
    if count < 2 {
        ui.label(
            RichText::new("What you do to panels, cameras and variables is listed here.")
                .font(theme::small())
                .color(p.faint),
        );
    }
}

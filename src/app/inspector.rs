//! The right sidebar: settings of the selected panel.

use egui::{RichText, Ui};

use super::AppState;
use crate::theme::{self, icon, palette, widget};
use crate::workspace::{Pane, Workspace};

pub fn ui(ui: &mut Ui, state: &mut AppState) {
    let p = palette(ui.visuals());
    let mut open = state.sidebars.right;
    let frame = egui::Frame::new().fill(p.raised).inner_margin(egui::Margin::symmetric(12, 8));
    egui::Panel::right("settings of the panel")
        .default_size(state.sidebars.right_width.unwrap_or(280.0))
        .size_range(200.0..=520.0)
        .show_separator_line(false)
        .drag_to_open(false)
        .frame(frame)
        .show_collapsible(ui, &mut open, |ui| content(ui, state));
    state.sidebars.right = open;
    if let Some(size) = super::edges::resized(ui, "settings of the panel") {
        state.sidebars.right_width = Some(size.x.round());
    }
}

impl AppState {
    /// The panel that was selected last, or the first on screen.
    pub(super) fn selected_pane(&self) -> Option<&Pane> {
        let chosen = self.workspace.selected.as_deref().and_then(|id| self.workspace.pane(id));
        chosen.or_else(|| self.workspace.visible().into_iter().next())
    }

    /// Runs a command of the selected panel.
    pub(super) fn run_of_panel(&mut self, command: &str, ctx: &egui::Context) {
        let Some(id) = self.selected_pane().map(|pane| pane.id.clone()) else {
            return;
        };
        let mut workspace = std::mem::replace(&mut self.workspace, Workspace::empty());
        let mut actions = Vec::new();
        if let Some(pane) = workspace.pane_mut(&id) {
            pane.panel.run(command, &self.view(), &mut actions);
        }
        self.workspace = workspace;
        self.apply_actions(actions, ctx);
    }
}

fn content(ui: &mut Ui, state: &mut AppState) {
    let Some(id) = state.selected_pane().map(|pane| pane.id.clone()) else {
        widget::note(ui, "Add a panel to see its settings here.");
        return;
    };
    let mut workspace = std::mem::replace(&mut state.workspace, Workspace::empty());
    let mut actions = Vec::new();
    let mut close = false;
    if let Some(pane) = workspace.pane_mut(&id) {
        let view = state.view();
        ui.horizontal(|ui| {
            ui.label(
                RichText::new(pane.icon())
                    .font(theme::icons(15.0))
                    .color(palette(ui.visuals()).weak),
            );
            ui.label(RichText::new(pane.panel.title(&view)).font(theme::semibold(13.0)));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                close = widget::icon_button_sized(ui, icon::X, "Hide settings", "]", 20.0, false).clicked();
            });
        });
        ui.add_space(8.0);
        egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            ui.push_id(&id, |ui| pane.panel.settings_ui(ui, &view, &mut actions));
        });
    }
    state.workspace = workspace;
    if close {
        state.sidebars.right = false;
    }
    let ctx = ui.ctx().clone();
    state.apply_actions(actions, &ctx);
}

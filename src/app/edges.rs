//! The bars at the window's edges whose size the user sets.

use egui::Ui;
use egui::containers::panel::PanelState;

/// Width and height that the user has just given to this [`egui::Panel`] of `ui` by its edge.
pub fn resized(ui: &Ui, panel: &str) -> Option<egui::Vec2> {
    let id = ui.scope_id().with(panel);
    // the edge's own name within egui
    let edge = ui.read_response(id.with("__resize"))?;
    edge.drag_stopped()
        .then(|| PanelState::load(ui, id))
        .flatten()
        .map(|state| state.size())
}

//! What stands in for a panel of a kind that this version does not know: says so, and keeps its configuration.

use egui::Ui;
use serde_json::Value;

use crate::panel::{Action, Panel, PanelState, View};
use crate::theme;

/// A panel of this kind, or one that stands in for it.
pub fn create(kind: &str, config: &Value) -> Box<dyn Panel> {
    match super::kind(kind) {
        Some(known) => (known.create)(config),
        None => Box::new(Unknown {
            kind: kind.to_owned(),
            config: config.clone(),
        }),
    }
}

pub struct Unknown {
    kind: String,
    config: Value,
}

impl Panel for Unknown {
    fn title(&self, _view: &View) -> String {
        format!("{} (unknown)", self.kind)
    }

    fn ui(&mut self, ui: &mut Ui, _view: &View, _out: &mut Vec<Action>) {
        let text = format!(
            "This version of Roadreel has no panel “{}”. It is kept in the layout as it is.",
            self.kind
        );
        ui.centered_and_justified(|ui| theme::widget::note(ui, text));
    }

    fn settings_ui(&mut self, ui: &mut Ui, _view: &View, _out: &mut Vec<Action>) {
        ui.monospace(serde_json::to_string_pretty(&self.config).unwrap_or_default());
    }

    fn config(&self) -> Value {
        self.config.clone()
    }

    fn state(&self, _view: &View) -> PanelState {
        PanelState::Absent(format!("no panel “{}” in this version", self.kind))
    }
}

//! Steps back and forth through what was done to the layout, to the last saved one, and to checkpoints.
//!
//! Invariant: a step is made when a pass is over and no pointer is pressed, so that a drag is one step; playing and seeking make none.

use egui::Context;

use super::AppState;
use super::history::Recorded;
use crate::layout::Layout;
use crate::path::Literal;
use crate::workspace::Workspace;

impl AppState {
    /// Panels, arrangement and variables: what steps are made of.
    fn bare_layout(&self) -> Layout {
        Layout {
            playback: None,
            sidebars: None,
            ..self.layout()
        }
    }

    /// Panels, arrangement and variables as a layout has them; panels that do not differ stay.
    pub(super) fn show_layout(&mut self, layout: &Layout) {
        let workspace = std::mem::replace(&mut self.workspace, Workspace::empty());
        self.workspace = workspace.rearranged(layout);
        let gone: Vec<String> = self
            .store
            .variables()
            .keys()
            .filter(|name| !layout.variables.contains_key(*name))
            .cloned()
            .collect();
        for name in gone {
            self.store.set_variable(&name, None);
        }
        for (name, value) in &layout.variables {
            self.store.set_variable(name, Literal::from_json(value));
        }
        if self.workspace.is_empty() && layout.root.is_some() {
            self.workspace = Workspace::automatic(&self.store);
        }
    }

    /// The steps begin here.
    pub(super) fn begin_history(&mut self, name: &str) {
        let layout = self.bare_layout();
        self.layouts.history.begin(name, layout, self.layouts.place.clone());
        (self.layouts.touched, self.layouts.amended) = (false, false);
        self.layouts.saved.clear();
        self.mark_saved();
    }

    /// Names the step that is being made.
    pub(super) fn step(&mut self, name: &str) {
        self.layouts.touched = true;
        self.layouts.step_name = Some(name.to_owned());
    }

    /// At the end of a pass: makes a step of what was done in it.
    pub(super) fn note_changes(&mut self, ctx: &Context) {
        if ctx.input(|i| i.pointer.any_down()) {
            return;
        }
        let scrolls = ctx.input(|i| i.smooth_scroll_delta() != egui::Vec2::ZERO || i.zoom_delta() != 1.0);
        self.note(scrolls || ctx.text_edit_focused());
    }

    pub(super) fn note_changes_now(&mut self) {
        self.note(false);
    }

    fn note(&mut self, goes_on: bool) {
        let (touched, amended) = (self.layouts.touched, self.layouts.amended);
        (self.layouts.touched, self.layouts.amended) = (false, false);
        let name = self.layouts.step_name.take();
        if self.layouts.history.present().is_none() {
            return;
        }
        if touched {
            let change = Recorded {
                layout: self.bare_layout(),
                place: self.layouts.place.clone(),
                at_seconds: self.last_seconds.unwrap_or(0.0),
                name,
                goes_on,
            };
            self.layouts.history.record(change);
        } else if amended {
            let layout = self.bare_layout();
            self.layouts.history.amend(layout, self.layouts.place.clone());
        }
    }

    pub(super) fn undo(&mut self) {
        self.note_changes_now();
        if let Some(before) = self.layouts.history.at().checked_sub(1) {
            self.show_step(before);
        }
    }

    pub(super) fn redo(&mut self) {
        self.note_changes_now();
        self.show_step(self.layouts.history.at() + 1);
    }

    /// Goes to a step of the history.
    pub(super) fn show_step(&mut self, at: usize) {
        let Some(step) = self.layouts.history.go_to(at) else { return };
        let (layout, place) = (step.state.layout(), step.place.clone());
        self.layouts.place = place;
        self.show_layout(&layout);
        self.workspace.is_automatic = false;
        self.workspace.edited = !self.is_as_saved();
    }

    pub(super) fn show_checkpoint(&mut self, at: usize) {
        let Some(checkpoint) = self.layouts.history.checkpoints.get(at) else {
            return;
        };
        let (name, layout, place) = (checkpoint.name.clone(), checkpoint.state.layout(), checkpoint.place.clone());
        self.note_changes_now();
        self.layouts.place = place;
        self.change_layout(&layout, &format!("Back to “{name}”"));
    }

    /// What is on screen is what the file holds.
    pub(super) fn mark_saved(&mut self) {
        if let Some(step) = self.layouts.history.present() {
            let (place, state) = (step.place.clone(), step.state.clone());
            self.layouts.saved.insert(place, state);
        }
    }

    fn is_as_saved(&self) -> bool {
        let present = self.layouts.history.present();
        present.is_some_and(|step| self.layouts.saved.get(&step.place) == Some(&step.state))
    }

    pub(super) fn revert_layout(&mut self) {
        if let Some(saved) = self.layouts.saved.get(&self.layouts.place).cloned() {
            self.change_layout(&saved.layout(), "Reverted to the saved layout");
            self.workspace.edited = false;
        }
    }
}

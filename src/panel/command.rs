//! What can be done with a panel by name: in the command palette and in the menu of its content.
//!
//! Invariant: a panel has one table of these, so that both offer the same.

use super::{Action, View};

/// In sentence case, `…` where a dialog follows; and what it does.
pub type Command<P> = (&'static str, fn(&mut P, &View, &mut Vec<Action>));

pub fn names<P>(commands: &'static [Command<P>]) -> Vec<&'static str> {
    commands.iter().map(|(name, _)| *name).collect()
}

/// Nothing happens where no command is called so.
pub fn run<P>(commands: &'static [Command<P>], panel: &mut P, name: &str, view: &View, out: &mut Vec<Action>) {
    if let Some((_, act)) = commands.iter().find(|(known, _)| *known == name) {
        act(panel, view, out);
    }
}

/// The menu of a panel's content.
pub fn menu<P>(response: &egui::Response, commands: &'static [Command<P>], panel: &mut P, view: &View, out: &mut Vec<Action>) {
    response.context_menu(|ui| {
        for (name, act) in commands {
            if ui.button(*name).clicked() {
                act(panel, view, out);
                ui.close();
            }
        }
    });
}

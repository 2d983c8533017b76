//! A note in Markdown: what a drive is about, links, checklists for those who look at it next.
//!
//! Invariant: the text stands in the layout; nothing is loaded for it.

use egui::{ScrollArea, Sense, TextEdit, Ui, vec2};
use egui_commonmark::{CommonMarkCache, CommonMarkViewer};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::panel::{Action, Kind, Panel, PanelState, View, command, widget};
use crate::theme;

pub const KIND: Kind = Kind {
    id: "note",
    name: "Note",
    what: "A text in Markdown: what this is about, and for whom",
    icon: theme::icon::NOTE,
    create: |config| Box::new(NotePanel::new(config)),
    schema: crate::panel::schema_of::<Config>,
    automatic: |_| Vec::new(),
};

/// What a layout stores.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
struct Config {
    text: String,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

struct NotePanel {
    config: Config,
    cache: CommonMarkCache,
    editing: bool,
}

impl NotePanel {
    fn new(config: &Value) -> NotePanel {
        NotePanel {
            config: widget::config_from(config),
            cache: CommonMarkCache::default(),
            editing: false,
        }
    }

    /// Its first line, without marks.
    fn heading(&self) -> Option<&str> {
        let line = self.config.text.lines().find(|line| !line.trim().is_empty())?;
        Some(line.trim_start_matches(['#', '>', '-', '*', ' ']).trim_end_matches(['*', '_'])).filter(|text| !text.is_empty())
    }

    fn edit_ui(&mut self, ui: &mut Ui, out: &mut Vec<Action>) {
        let edit = TextEdit::multiline(&mut self.config.text)
            .hint_text("Markdown")
            .code_editor()
            .desired_width(f32::INFINITY)
            .desired_rows(8);
        let response = widget::named(ui.add(edit), "Text of the note");
        if response.changed() {
            out.push(Action::Changed);
        }
    }
}

const COMMANDS: &[command::Command<NotePanel>] = &[
    ("Edit the note", |note, _, _| note.editing = true),
    ("Copy as Markdown", |note, _, out| {
        out.push(Action::CopyText(note.config.text.clone()));
    }),
];

impl Panel for NotePanel {
    fn title(&self, _view: &View) -> String {
        self.heading()
            .map_or_else(|| "Note".to_owned(), |text| text.chars().take(40).collect())
    }

    fn ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let rect = ui.available_rect_before_wrap();
        let inside = egui::UiBuilder::new().max_rect(rect.shrink2(vec2(12.0, 8.0)));
        ui.scope_builder(inside, |ui| {
            ui.set_clip_rect(rect.intersect(ui.clip_rect()));
            if self.editing {
                if ui.button("Done").clicked() || ui.input(|i| i.key_pressed(egui::Key::Escape)) {
                    self.editing = false;
                }
                ScrollArea::vertical().auto_shrink(false).show(ui, |ui| self.edit_ui(ui, out));
            } else if self.config.text.trim().is_empty() {
                ui.vertical_centered(|ui| {
                    ui.add_space((rect.height() / 2.0 - 32.0).max(0.0));
                    theme::widget::note(ui, "Nothing is written yet");
                    self.editing = ui.button("Write a note").clicked();
                });
            } else {
                let back = ui.interact(rect, ui.scope_id().with("note"), Sense::click());
                // so that what is strong stands out
                ui.visuals_mut().override_text_color = Some(theme::palette(ui.visuals()).text.gamma_multiply(0.86));
                ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                    CommonMarkViewer::new().show(ui, &mut self.cache, &self.config.text);
                });
                self.editing = back.double_clicked();
                command::menu(&back, COMMANDS, self, view, out);
            }
        });
        ui.advance_cursor_after_rect(rect);
    }

    fn settings_ui(&mut self, ui: &mut Ui, _view: &View, out: &mut Vec<Action>) {
        self.edit_ui(ui, out);
        theme::widget::note(
            ui,
            "Headings, lists, tables, links, code; a double click on the note edits it in its place.",
        );
    }

    fn commands(&self) -> Vec<&'static str> {
        command::names(COMMANDS)
    }

    fn run(&mut self, command: &str, view: &View, out: &mut Vec<Action>) {
        command::run(COMMANDS, self, command, view, out);
    }

    fn config(&self) -> Value {
        json!(self.config)
    }

    fn state(&self, _view: &View) -> PanelState {
        match self.config.text.trim() {
            "" => PanelState::Absent("Nothing is written yet".into()),
            _ => PanelState::Ready,
        }
    }
}

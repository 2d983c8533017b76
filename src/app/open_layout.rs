//! The dialog that opens a layout of any program: from a file, an address, or pasted text.

use egui::{Event, Key, RichText, Role, ScrollArea, TextEdit, Ui, WidgetInfo};

use super::AppState;
use super::background::Choosing;
use super::dialog::{self, Dialog};
use super::place::Place;
use crate::layout::Dialect;
use crate::source::Location;
use crate::theme::{palette, widget};

#[derive(Default)]
pub struct OpenLayout {
    text: String,
    /// Whose layout the text is, as far as it looks.
    dialect: Option<Dialect>,
    error: Option<String>,
}

impl Dialog {
    pub fn open_layout() -> Dialog {
        Dialog::OpenLayout(OpenLayout::default())
    }
}

/// A pasted text that is too long to be looked at in a field.
fn long_paste(ui: &Ui) -> Option<String> {
    const LONGEST_SHOWN: usize = 256 << 10;
    ui.input_mut(|input| {
        let is_long = |event: &Event| matches!(event, Event::Paste(text) if text.len() > LONGEST_SHOWN);
        match input.events.remove(input.events.iter().position(is_long)?) {
            Event::Paste(text) => Some(text),
            _ => None,
        }
    })
}

/// What was typed or pasted.
enum Typed {
    Text,
    Address(Location),
}

/// True where it is done with.
pub fn dialog(ui: &mut Ui, state: &mut AppState, open: &mut OpenLayout) -> bool {
    let p = palette(ui.visuals());
    ui.set_width(560.0);
    dialog::title(ui, "Open a layout");
    let what = "A layout of Roadreel, Webviz, Foxglove or Lichtblick (JSON), RViz (.rviz) or PlotJuggler (.xml). \
                What cannot be shown is kept and told.";
    ui.label(RichText::new(what).color(p.weak));
    ui.add_space(10.0);
    let mut done = false;
    if ui
        .add(egui::Button::new("Choose a file…").min_size(egui::vec2(0.0, 28.0)))
        .clicked()
    {
        state.jobs.choose_files(Choosing::Layout);
        done = true;
    }
    ui.add_space(10.0);
    ui.label(RichText::new("Or paste its text, or its address").color(p.weak));
    if let Some(text) = long_paste(ui) {
        state.open_layout_text("Pasted layout", text);
        return true;
    }
    let field = ScrollArea::vertical().max_height(180.0).show(ui, |ui| {
        let field = TextEdit::multiline(&mut open.text)
            .code_editor()
            .desired_rows(6)
            .desired_width(f32::INFINITY)
            .hint_text("{ \"layout\": … }   or   https://…   s3://bucket/key");
        ui.add(field)
    });
    let field = field.inner;
    field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Text or address of a layout"));
    if ui.memory(|m| m.focused().is_none()) {
        field.request_focus();
    }
    if field.changed() {
        (open.error, open.dialect) = (None, Dialect::of(&open.text));
    }
    match (&open.error, open.dialect) {
        (Some(error), _) => drop(ui.colored_label(p.error, error)),
        (None, Some(dialect)) => drop(widget::note(ui, format!("A layout of {}", dialect.name()))),
        (None, None) => drop(widget::note(ui, " ")),
    }
    ui.add_space(8.0);
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        let enters = ui.input(|i| i.modifiers.command && i.key_pressed(Key::Enter));
        if widget::primary_button(ui, "Open").clicked() || enters {
            match typed(&open.text) {
                Ok(Typed::Text) => {
                    state.open_layout_text("Pasted layout", std::mem::take(&mut open.text));
                    done = true;
                }
                Ok(Typed::Address(location)) => {
                    state.open_layout(Place::At(location));
                    done = true;
                }
                Err(why) => open.error = Some(why),
            }
        }
        if ui.add(egui::Button::new("Cancel").min_size(egui::vec2(0.0, 28.0))).clicked() {
            done = true;
        }
    });
    done
}

fn typed(text: &str) -> Result<Typed, String> {
    let bare = text.trim();
    if bare.is_empty() {
        return Err("Paste a layout or its address, or choose a file".to_owned());
    }
    // an address has one line; of a text that is no layout the reader says what is wrong with it
    if bare.contains('\n') || bare.starts_with(['{', '[', '<']) {
        return Ok(Typed::Text);
    }
    Location::parse(bare).map(Typed::Address).map_err(|error| error.to_string())
}

//! Dialogs: a URL to open, settings, the list of keys, warnings and failures.

use egui::{Context, Id, Key, Modal, RichText, Role, ScrollArea, TextEdit, Ui, WidgetInfo};

use super::AppState;
use super::browse::Browse;
use super::clock::TimeFormat;
use super::command::{ALSO, COMMANDS};
use super::fit_dialog::Fitting;
use super::merge_dialog::Merging;
use super::open_layout::OpenLayout;
use super::report_dialog::Reported;
use super::save_layout::{LayoutFolders, SaveCopy};
use super::settings::Look;
use crate::source::Link;
use crate::theme::{self, palette, widget};

pub enum Dialog {
    Url {
        text: String,
        error: Option<String>,
        add: bool,
    },
    Browse(Box<Browse>),
    Renew {
        source: usize,
        text: String,
        error: Option<String>,
    },
    Settings,
    Keys,
    /// Of the source with this number.
    Warnings(usize),
    Failures,
    OpenLayout(OpenLayout),
    Report(Box<Reported>),
    Fit(Box<Fitting>),
    Merge(Box<Merging>),
    SaveCopy(SaveCopy),
    ExportLayout,
    LayoutFolders(LayoutFolders),
}

impl Dialog {
    pub fn url() -> Dialog {
        Dialog::url_with("")
    }

    pub fn url_with(text: &str) -> Dialog {
        Dialog::Url {
            text: text.to_owned(),
            error: None,
            add: false,
        }
    }
}

pub fn ui(ctx: &Context, state: &mut AppState) {
    let Some(mut dialog) = state.dialog.take() else {
        return;
    };
    let frame = egui::Frame::popup(&ctx.global_style()).inner_margin(20).corner_radius(8);
    // each kind has a size of its own
    let id = Id::unique(("dialog", std::mem::discriminant(&dialog)));
    let modal = Modal::new(id).frame(frame).show(ctx, |ui| match &mut dialog {
        Dialog::Url { text, error, add } => url(ui, state, text, error, add),
        Dialog::Browse(browse) => super::browse::dialog(ui, state, browse),
        Dialog::Renew { source, text, error } => super::link::dialog(ui, state, *source, text, error),
        Dialog::Settings => settings_dialog(ui, state),
        Dialog::Keys => keys(ui),
        Dialog::Warnings(at) => warnings(ui, state, *at),
        Dialog::Failures => failures(ui, state),
        Dialog::OpenLayout(open) => super::open_layout::dialog(ui, state, open),
        Dialog::Report(reported) => super::report_dialog::dialog(ui, state, reported),
        Dialog::Fit(fitting) => super::fit_dialog::dialog(ui, state, fitting),
        Dialog::Merge(merging) => super::merge_dialog::dialog(ui, state, merging),
        Dialog::SaveCopy(save) => super::save_layout::copy(ui, state, save),
        Dialog::ExportLayout => super::save_layout::export(ui, state),
        Dialog::LayoutFolders(folders) => super::save_layout::folders(ui, state, folders),
    });
    let done = modal.inner || modal.should_close();
    if !done && state.dialog.is_none() {
        state.dialog = Some(dialog);
    }
    if done {
        ctx.request_repaint();
    }
}

pub(super) fn title(ui: &mut Ui, text: &str) {
    ui.label(RichText::new(text).font(theme::semibold(16.0)));
    ui.add_space(8.0);
}

/// A row of buttons at the right; true where the last one was pressed.
pub(super) fn close_row(ui: &mut Ui) -> bool {
    ui.add_space(12.0);
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        widget::primary_button(ui, "Done").clicked()
    })
    .inner
}

fn url(ui: &mut Ui, state: &mut AppState, text: &mut String, error: &mut Option<String>, add: &mut bool) -> bool {
    let p = palette(ui.visuals());
    ui.set_width(560.0);
    title(ui, "Open URL");
    let what = "A recording's address (plain, presigned or s3://bucket/key), or a link of Webviz, Foxglove, Lichtblick or Roadreel. \
                It is read by ranges, never whole.";
    ui.label(RichText::new(what).color(p.weak));
    ui.add_space(8.0);
    let field = link_field(ui, "URL", text, error.as_deref());
    if state.is_open() {
        ui.checkbox(add, "Add it to what is open, on one clock");
    }
    ui.add_space(12.0);
    // in a field of several lines Enter is typed text: a URL has no line breaks, so it means "open"
    let entered = field.has_focus() && ui.input(|i| i.key_pressed(Key::Enter));
    let mut done = false;
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        if widget::primary_button(ui, "Open").clicked() || entered {
            match Link::parse(&super::links::unbroken(text)) {
                Ok(link) => {
                    state.open_link(link, *add);
                    done = true;
                }
                Err(wrong) => *error = Some(wrong.to_string()),
            }
        }
        if ui.add(egui::Button::new("Cancel").min_size(egui::vec2(0.0, 28.0))).clicked() {
            done = true;
        }
    });
    done
}

fn settings_dialog(ui: &mut Ui, state: &mut AppState) -> bool {
    ui.set_width(440.0);
    title(ui, "Settings");
    let before = state.settings.clone();
    egui::Grid::new("settings").num_columns(2).spacing([24.0, 10.0]).show(ui, |ui| {
        ui.label("Theme");
        ui.horizontal(|ui| {
            for (look, name) in [(Look::System, "System"), (Look::Dark, "Dark"), (Look::Light, "Light")] {
                ui.selectable_value(&mut state.settings.look, look, name);
            }
        });
        ui.end_row();
        let scale = ui.label("UI scale").id;
        ui.horizontal(|ui| {
            let mut percent = (state.settings.ui_scale * 100.0).round();
            let range = 70.0..=200.0;
            ui.add(egui::Slider::new(&mut percent, range.clone()).step_by(5.0).show_value(false))
                .labelled_by(scale);
            let typed = egui::DragValue::new(&mut percent).range(range).suffix(" %").max_decimals(0);
            ui.add(typed.update_while_editing(false)).labelled_by(scale);
            state.settings.ui_scale = percent / 100.0;
        });
        ui.end_row();
        let memory = ui.label("Memory for messages").id;
        ui.horizontal(|ui| {
            let mib = &mut state.settings.memory_mib;
            let slider = egui::Slider::new(mib, 256..=16_384).logarithmic(true).show_value(false);
            ui.add(slider)
                .labelled_by(memory)
                .on_hover_text("Counts from the next recording on");
            let typed = egui::DragValue::new(mib).range(256..=16_384).speed(16).suffix(" MiB");
            ui.add(typed.update_while_editing(false)).labelled_by(memory);
        });
        ui.end_row();
        let label = ui.label("Times").id;
        egui::ComboBox::from_id_salt("time format")
            .selected_text(state.settings.time_format.name())
            .show_ui(ui, |ui| {
                for format in TimeFormat::ALL {
                    ui.selectable_value(&mut state.settings.time_format, format, format.name());
                }
            })
            .response
            .labelled_by(label);
        ui.end_row();
    });
    ui.add_space(8.0);
    if let Some(folders) = &state.folders {
        let text = format!("Settings and layouts are kept in {}", folders.config.display());
        widget::note(ui, text);
    }
    widget::note(
        ui,
        "The layout is kept for recordings with the same topics; Ctrl+S keeps it now, leaving the window keeps it too.",
    );
    if before != state.settings {
        ui.ctx().set_theme(egui::ThemePreference::from(state.settings.look));
        state.save_settings();
    }
    // what is dragged does not slip away from under the pointer
    if !ui.input(|i| i.pointer.any_down()) && ui.ctx().zoom_factor() != state.settings.ui_scale {
        ui.ctx().set_zoom_factor(state.settings.ui_scale);
    }
    close_row(ui)
}

fn keys(ui: &mut Ui) -> bool {
    let p = palette(ui.visuals());
    ui.set_width(460.0);
    title(ui, "Keys");
    ScrollArea::vertical().max_height(460.0).show(ui, |ui| {
        for group in ["Playback", "Scenes", "File", "Edit", "Layout", "View", "Help"] {
            widget::section(ui, group);
            for entry in COMMANDS.iter().filter(|e| e.group == group) {
                let Some(shortcut) = entry.shortcut else { continue };
                let also = ALSO.iter().filter(|(command, _)| *command == entry.command).map(|(_, also)| also);
                let keys = std::iter::once(&shortcut).chain(also);
                let keys: Vec<String> = keys.map(|shortcut| super::command::key_text(ui.ctx(), shortcut)).collect();
                ui.horizontal(|ui| {
                    ui.label(entry.name);
                    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                        ui.label(RichText::new(keys.join(", ")).color(p.weak));
                    });
                });
            }
            ui.add_space(4.0);
        }
    });
    close_row(ui)
}

fn warnings(ui: &mut Ui, state: &AppState, at: usize) -> bool {
    let p = palette(ui.visuals());
    ui.set_width(640.0);
    let Some(source) = state.store.sources().get(at) else {
        return true;
    };
    title(ui, &format!("Warnings about {}", source.location.name()));
    let rows = source.warnings.len();
    ScrollArea::vertical().max_height(420.0).show_rows(ui, 20.0, rows, |ui, range| {
        for warning in source.warnings.get(range).unwrap_or_default() {
            ui.horizontal(|ui| {
                let offset = crate::text::grouped(warning.offset);
                ui.add_sized([120.0, 20.0], egui::Label::new(RichText::new(format!("at {offset}")).color(p.weak)));
                ui.label(&*warning.what);
            });
        }
    });
    close_row(ui)
}

fn failures(ui: &mut Ui, state: &mut AppState) -> bool {
    ui.set_width(640.0);
    title(ui, "What failed");
    let mut dismissed = false;
    ScrollArea::vertical().max_height(420.0).show(ui, |ui| {
        for failure in &state.status.failures {
            ui.label(&**failure);
            ui.add_space(4.0);
        }
    });
    if widget::quiet_button(ui, "Dismiss")
        .on_hover_text("What fails from now on is told again")
        .clicked()
    {
        state.store.dismiss_failures();
        dismissed = true;
    }
    close_row(ui) || dismissed
}

/// A field for a pasted link, with what is wrong with it below.
pub(super) fn link_field(ui: &mut Ui, name: &str, text: &mut String, error: Option<&str>) -> egui::Response {
    let field = ui.add(
        TextEdit::multiline(text)
            .desired_rows(3)
            .desired_width(f32::INFINITY)
            .hint_text("https://… or s3://bucket/key"),
    );
    field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, name));
    if !field.has_focus() && ui.memory(|m| m.focused().is_none()) {
        field.request_focus();
    }
    if let Some(error) = error {
        ui.add_space(4.0);
        ui.colored_label(palette(ui.visuals()).error, error);
    }
    field
}

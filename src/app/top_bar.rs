//! The bar on top: the menu, what is open and how it fares, panels and sidebars.

use egui::{Align, Layout, RichText, Ui};

use super::command::{COMMANDS, Command};
use super::dialog::Dialog;
use super::{AppState, link, settings};
use crate::panel::{self, PANELS};
use crate::source::Location;
use crate::store::{SourceInfo, SourceState};
use crate::theme::{self, icon, palette, widget};
use crate::workspace::Edit;

pub fn ui(ui: &mut Ui, state: &mut AppState) {
    let p = palette(ui.visuals());
    let frame = egui::Frame::new().fill(p.base).inner_margin(egui::Margin::symmetric(6, 3));
    egui::Panel::top("top")
        .exact_size(36.0)
        .show_separator_line(false)
        .frame(frame)
        .show(ui, |ui| {
            let bar = ui.available_rect_before_wrap();
            let side = |ui: &mut Ui, rect: egui::Rect, layout: Layout| {
                let mut side = ui.new_child(egui::UiBuilder::new().max_rect(rect).layout(layout));
                side.spacing_mut().item_spacing.x = 4.0;
                side
            };
            // what stands at the right keeps its place; names of recordings share the rest
            let mut at_right = side(ui, bar, Layout::right_to_left(Align::Center));
            right(&mut at_right, state, bar.width());
            let rest = bar.with_max_x((at_right.min_rect().left() - 8.0).max(bar.left() + 64.0));
            let mut at_left = side(ui, rest, Layout::left_to_right(Align::Center));
            menu(&mut at_left, state);
            if state.store.span().is_some() {
                sidebar_toggle(&mut at_left, state, Command::ToggleLeft, state.sidebars.left, icon::SIDEBAR_SIMPLE);
            }
            at_left.add_space(6.0);
            sources(&mut at_left, state);
            ui.advance_cursor_after_rect(bar);
        });
}

/// Below these widths of the window buttons show only their icon.
const ROOM_FOR_SEARCH: f32 = 1000.0;
const ROOM_FOR_ADD: f32 = 720.0;
/// And below this one the layout is not named.
const ROOM_FOR_LAYOUT: f32 = 1120.0;

fn sidebar_toggle(ui: &mut Ui, state: &mut AppState, command: Command, on: bool, glyph: &str) {
    let key = command.key(ui.ctx());
    if widget::icon_toggle(ui, glyph, command.name(), &key, on).clicked() {
        let ctx = ui.ctx().clone();
        state.run(command, &ctx);
    }
}

fn right(ui: &mut Ui, state: &mut AppState, width: f32) {
    let ctx = ui.ctx().clone();
    if !state.workspace.is_empty() {
        sidebar_toggle(ui, state, Command::ToggleRight, state.sidebars.right, icon::SLIDERS_HORIZONTAL);
    }
    let dark = ui.visuals().dark_mode;
    if widget::icon_button(ui, if dark { icon::SUN } else { icon::MOON }, "Light or dark", "").clicked() {
        state.run(Command::ToggleTheme, &ctx);
    }
    let key = Command::Keys.key(&ctx);
    if widget::icon_button(ui, icon::QUESTION, "Keys", &key).clicked() {
        state.run(Command::Keys, &ctx);
    }
    if state.store.span().is_some() {
        let key = Command::Share.key(&ctx);
        if widget::icon_button(ui, icon::LINK, Command::Share.name(), &key).clicked() {
            state.run(Command::Share, &ctx);
        }
        let button = if width < ROOM_FOR_ADD {
            widget::icon_button(ui, icon::PLUS, "Add panel", "")
        } else {
            panel::widget::named(ui.button(format!("{}  Add panel", icon::PLUS)), "Add panel")
                .on_hover_text("A new panel beside the selected one")
        };
        egui::Popup::menu(&button).show(|ui| panel_list(ui, state));
        if width >= ROOM_FOR_LAYOUT {
            layout_button(ui, state);
        }
        ui.add_space(4.0);
    }
    search(ui, state, width);
}

/// The layout's name, and whether it is saved; a click leads to the library.
fn layout_button(ui: &mut Ui, state: &mut AppState) {
    let name = shortened(&state.layout_name(), 24);
    let mark = if state.workspace.edited { " •" } else { "" };
    let button = ui.button(format!("{}  {name}{mark}", icon::SQUARES_FOUR));
    let told = match state.workspace.edited {
        true => format!("Layout {name}, changed since it was saved"),
        false => format!("Layout {name}"),
    };
    button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &told));
    let key = Command::Layouts.key(ui.ctx());
    if button.on_hover_text(format!("{told}   {key}")).clicked() {
        let ctx = ui.ctx().clone();
        state.run(Command::Layouts, &ctx);
    }
}

fn search(ui: &mut Ui, state: &mut AppState, width: f32) {
    let p = palette(ui.visuals());
    let key = Command::Palette.key(ui.ctx());
    if width < ROOM_FOR_SEARCH {
        if widget::icon_button(ui, icon::MAGNIFYING_GLASS, Command::Palette.name(), &key).clicked() {
            let ctx = ui.ctx().clone();
            state.run(Command::Palette, &ctx);
        }
        return;
    }
    let text = RichText::new(format!("{}  Search or run…", icon::MAGNIFYING_GLASS)).color(p.weak);
    let button = egui::Button::new(text)
        .right_text(RichText::new(key).font(theme::small()).color(p.faint))
        .fill(p.raised)
        .min_size(egui::vec2(220.0, 24.0));
    if panel::widget::named(ui.add(button), Command::Palette.name()).clicked() {
        let ctx = ui.ctx().clone();
        state.run(Command::Palette, &ctx);
    }
    ui.add_space(4.0);
}

/// The kinds of panels; a click adds one.
pub fn panel_list(ui: &mut Ui, state: &mut AppState) {
    let p = palette(ui.visuals());
    for kind in PANELS {
        let text = RichText::new(format!("{}  {}", kind.icon, kind.name));
        let button = egui::Button::new(text).right_text(RichText::new(kind.what).font(theme::small()).color(p.weak));
        if ui.add(button).clicked() {
            let config = (kind.automatic)(&state.store).into_iter().next();
            state.edit(Edit::Add {
                kind: kind.id.to_owned(),
                config: config.unwrap_or(serde_json::Value::Null),
                beside: state.workspace.selected.clone(),
            });
            ui.close();
        }
    }
}

fn menu(ui: &mut Ui, state: &mut AppState) {
    let button = widget::icon_button(ui, icon::LIST, "Menu", "");
    egui::Popup::menu(&button).width(280.0).show(|ui| {
        let ctx = ui.ctx().clone();
        for group in ["File", "Edit", "Layout", "Scenes", "View", "Help"] {
            if group != "File" {
                ui.separator();
            }
            for entry in COMMANDS.iter().filter(|e| e.group == group && e.command != Command::Unmaximise) {
                let needs_recording = matches!(
                    entry.command,
                    Command::Share
                        | Command::History
                        | Command::Checkpoint
                        | Command::Layouts
                        | Command::SaveLayout
                        | Command::SaveLayoutCopy
                        | Command::FitLayout
                        | Command::ExportLayout
                        | Command::AutomaticLayout
                        | Command::AddFile
                        | Command::KeepOffline
                        | Command::NextScene
                        | Command::PreviousScene
                        | Command::LoopScene
                        | Command::ZoomToScene
                        | Command::Mark
                        | Command::DeleteMark
                        | Command::ToggleLeft
                        | Command::ToggleRight
                );
                let history = &state.layouts.history;
                let (name, is_there) = match entry.command {
                    Command::Undo => (
                        named(entry.name, history.undoes()),
                        history.undoes().is_some() || state.scenes.undoes().0,
                    ),
                    Command::Redo => (
                        named(entry.name, history.redoes()),
                        history.redoes().is_some() || state.scenes.undoes().1,
                    ),
                    Command::RevertLayout => (entry.name.to_owned(), state.workspace.edited),
                    _ => (entry.name.to_owned(), true),
                };
                let possible = is_there && (!needs_recording || state.store.span().is_some());
                let p = palette(ui.visuals());
                let key = RichText::new(entry.command.key(&ctx)).font(theme::small()).color(p.weak);
                let button = egui::Button::new(name).right_text(key);
                if ui.add_enabled(possible, button).clicked() {
                    ui.close();
                    state.run(entry.command, &ctx);
                }
                if entry.command == Command::AddFile {
                    recent_menu(ui, state);
                }
            }
        }
    });
}

/// `Undo “Moved the 3D camera”`.
fn named(name: &str, step: Option<&str>) -> String {
    step.map_or_else(|| name.to_owned(), |step| format!("{name} “{step}”"))
}

fn recent_menu(ui: &mut Ui, state: &mut AppState) {
    if state.settings.recent.is_empty() {
        return;
    }
    ui.menu_button("Open recent", |ui| {
        for spelled in state.settings.recent.clone() {
            if ui.button(shortened(&spelled, 64)).on_hover_text(&spelled).clicked() {
                ui.close();
                state.open_recent(&spelled);
            }
        }
    });
}

impl AppState {
    pub(super) fn open_recent(&mut self, spelled: &str) {
        if let Some(bare) = spelled.strip_suffix(settings::DROPPED_QUERY) {
            // its query is not stored: the user pastes it anew
            self.dialog = Some(Dialog::url_with(bare));
            return;
        }
        match Location::parse(spelled) {
            Ok(location) => self.offer(vec![location], false),
            Err(error) => self.tell_error(error.to_string()),
        }
    }
}

/// The end of a long path or URL tells more than its start.
pub fn shortened(text: &str, max: usize) -> String {
    let count = text.chars().count();
    if count <= max {
        return text.to_owned();
    }
    let tail: String = text.chars().skip(count - max + 1).collect();
    format!("…{tail}")
}

/// A further recording is named where there is this much room, otherwise counted.
const ROOM_FOR_SOURCE: f32 = 240.0;

fn sources(ui: &mut Ui, state: &mut AppState) {
    let p = palette(ui.visuals());
    if state.store.sources().is_empty() {
        ui.label(RichText::new("Roadreel").font(theme::semibold(13.0)).color(p.text));
        return;
    }
    let mut warnings_of = None;
    let count = state.store.sources().len();
    let mut shown = 0;
    let mut renew = None;
    for (at, source) in state.store.sources().iter().enumerate() {
        if at > 0 && ui.available_width() < ROOM_FOR_SOURCE {
            break;
        }
        shown = at + 1;
        if at > 0 {
            ui.add_space(8.0);
        }
        let beside = if source.warnings.is_empty() { 84.0 } else { 170.0 } + if count > 1 { 48.0 } else { 0.0 };
        let name = shortened(&source.location.name(), 40);
        let room = (ui.available_width() - beside).max(48.0);
        let job = egui::text::LayoutJob::simple_singleline(name, theme::semibold(13.0), p.text);
        let wrap = egui::text::TextWrapping::truncate_at_width(room);
        ui.label(egui::text::LayoutJob { wrap, ..job })
            .on_hover_text(source.location.to_string());
        match state.growing_source(at) {
            Some(fraction) => {
                let text = format!("being made, {:.0} %", fraction * 100.0);
                ui.label(RichText::new(text).font(theme::small()).color(p.weak));
            }
            None => {
                if matches!(source.state, SourceState::Open | SourceState::Indexing { .. }) && link::chip(ui, source) {
                    renew = Some(at);
                }
                chip(ui, source);
            }
        }
        if !source.warnings.is_empty() && warnings_button(ui, source) {
            warnings_of = Some(at);
        }
    }
    if shown < count {
        let names = state.store.sources().iter().skip(shown).map(|s| s.location.name());
        let names: Vec<String> = names.take(20).collect();
        ui.label(RichText::new(format!("+{}", count - shown)).color(p.weak))
            .on_hover_text(names.join("\n"));
    }
    if let Some(at) = warnings_of {
        state.dialog = Some(Dialog::Warnings(at));
    }
    if let Some(at) = renew {
        state.dialog = Some(Dialog::renew(at));
    }
}

fn warnings_button(ui: &mut Ui, source: &SourceInfo) -> bool {
    let p = palette(ui.visuals());
    let count = source.warnings.len();
    let text = format!("{} {count} {}", icon::WARNING, if count == 1 { "warning" } else { "warnings" });
    let button = egui::Button::new(RichText::new(text).font(theme::small()).color(p.warn)).frame_when_inactive(false);
    ui.add(button).on_hover_text("What could not be read, and where").clicked()
}

/// What a person should know of a source, in a few words.
fn chip(ui: &mut Ui, source: &SourceInfo) {
    let p = palette(ui.visuals());
    let (text, color, tip) = match &source.state {
        SourceState::Opening => ("opening…".to_owned(), p.weak, String::new()),
        SourceState::Indexing { done_fraction } => {
            let percent = (done_fraction * 100.0).floor();
            let tip = "The recording has no usable index: it is being scanned. What was found can be used already.";
            (format!("scanning {percent:.0} %"), p.warn, tip.to_owned())
        }
        SourceState::Failed(why) => ("could not be opened".to_owned(), p.error, why.to_string()),
        SourceState::Open => (bytes(source.size), p.weak, source.location.to_string()),
    };
    let label = ui.label(RichText::new(text).font(theme::small()).color(color));
    if !tip.is_empty() {
        label.on_hover_text(tip);
    }
}

pub use crate::text::format_bytes as bytes;

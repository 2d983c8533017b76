//! What stands in the middle while nothing is open, while a recording opens, and when it could not be opened.

use egui::{Align, Layout, RichText, Ui, vec2};

use super::AppState;
use super::command::Command;
use super::top_bar::shortened;
use crate::store::SourceState;
use crate::theme::{self, icon, palette, widget};

pub fn ui(ui: &mut Ui, state: &mut AppState) {
    let p = palette(ui.visuals());
    egui::CentralPanel::no_frame()
        .frame(egui::Frame::new().fill(p.raised).inner_margin(16))
        .show(ui, |ui| {
            let height = ui.available_height();
            ui.vertical_centered(|ui| {
                ui.add_space((height * 0.22).max(16.0));
                ui.set_max_width(460.0);
                if state.is_open() {
                    opening(ui, state);
                } else if !state.scenes.is_empty() {
                    scenes(ui, state);
                } else if let Some(fraction) = state.growing() {
                    making(ui, fraction);
                } else {
                    invitation(ui, state);
                }
            });
        });
}

fn invitation(ui: &mut Ui, state: &mut AppState) {
    let p = palette(ui.visuals());
    ui.label(RichText::new(icon::ROAD_HORIZON).font(theme::icons(44.0)).color(p.accent));
    ui.add_space(8.0);
    ui.label(RichText::new("Open a drive").font(theme::semibold(22.0)));
    ui.add_space(4.0);
    ui.label(RichText::new("Drop recordings here, or open ROS bags from disk, a link or S3.").color(p.weak));
    ui.add_space(20.0);
    open_buttons(ui, state);
    ui.add_space(28.0);
    recent(ui, state);
}

fn open_buttons(ui: &mut Ui, state: &mut AppState) {
    let ctx = ui.ctx().clone();
    // centred by hand: four buttons of known widths
    ui.allocate_ui_with_layout(vec2(436.0, 32.0), Layout::left_to_right(Align::Center), |ui| {
        if widget::primary_button(ui, "Open file…")
            .on_hover_text(Command::OpenFile.key(&ctx))
            .clicked()
        {
            state.run(Command::OpenFile, &ctx);
        }
        let url = egui::Button::new("Open URL…").min_size(vec2(0.0, 28.0));
        if ui.add(url).on_hover_text(Command::OpenUrl.key(&ctx)).clicked() {
            state.run(Command::OpenUrl, &ctx);
        }
        let browse = egui::Button::new("Browse S3…").min_size(vec2(0.0, 28.0));
        if ui.add(browse).clicked() {
            state.run(Command::BrowseS3, &ctx);
        }
        let demo = egui::Button::new("Open the demo drive").min_size(vec2(0.0, 28.0));
        if ui.add(demo).clicked() {
            state.run(Command::OpenDemo, &ctx);
        }
    });
}

/// A table of scenes is open, and no recording yet.
fn scenes(ui: &mut Ui, state: &mut AppState) {
    let p = palette(ui.visuals());
    ui.label(RichText::new(icon::BOOKMARK_SIMPLE).font(theme::icons(36.0)).color(p.accent));
    ui.add_space(8.0);
    ui.label(RichText::new("Choose a scene").font(theme::semibold(16.0)));
    ui.add_space(4.0);
    ui.label(RichText::new("Its recording is opened at its start: from beside the table, or from S3.").color(p.weak));
    ui.add_space(20.0);
    open_buttons(ui, state);
}

fn making(ui: &mut Ui, fraction: f32) {
    ui.label(RichText::new("Making the demo drive…").font(theme::semibold(16.0)));
    ui.add_space(12.0);
    ui.add(egui::ProgressBar::new(fraction).desired_height(4.0).desired_width(360.0));
}

fn recent(ui: &mut Ui, state: &mut AppState) {
    if state.settings.recent.is_empty() {
        return;
    }
    let p = palette(ui.visuals());
    ui.with_layout(Layout::top_down(Align::Min), |ui| {
        widget::section(ui, "Recent");
        for spelled in state.settings.recent.clone().iter().take(6) {
            let is_remote = ["http", "s3:", "arn:"].iter().any(|scheme| spelled.starts_with(scheme));
            let glyph = if is_remote { icon::CLOUD } else { icon::FILE };
            let text = RichText::new(format!("{glyph}  {}", shortened(spelled, 62))).color(p.text);
            let button = egui::Button::new(text).frame_when_inactive(false);
            if ui.add(button).on_hover_text(spelled).clicked() {
                state.open_recent(spelled);
            }
        }
    });
}

fn opening(ui: &mut Ui, state: &mut AppState) {
    let p = palette(ui.visuals());
    let failures: Vec<String> = state
        .store
        .sources()
        .iter()
        .filter_map(|s| match &s.state {
            SourceState::Failed(why) => Some(why.to_string()),
            _ => None,
        })
        .collect();
    let all_failed = failures.len() == state.store.sources().len();
    if all_failed {
        ui.label(RichText::new(icon::FILE_X).font(theme::icons(36.0)).color(p.error));
        ui.add_space(8.0);
        ui.label(RichText::new("This recording could not be opened").font(theme::semibold(16.0)));
        ui.add_space(4.0);
        for why in failures {
            ui.label(RichText::new(why).color(p.weak));
        }
        ui.add_space(20.0);
        open_buttons(ui, state);
    } else if state.is_indexed() {
        ui.label(RichText::new("The recording holds no messages").font(theme::semibold(16.0)));
        ui.add_space(20.0);
        open_buttons(ui, state);
    } else {
        let name = state.store.sources().first().map(|s| s.location.name()).unwrap_or_default();
        ui.label(RichText::new(format!("Opening {name}…")).font(theme::semibold(16.0)));
        ui.add_space(4.0);
        ui.label(RichText::new("Reading its index").color(p.weak));
    }
}

/// In place of panels, when all were closed.
pub fn no_panels(ui: &mut Ui, state: &mut AppState) {
    let p = palette(ui.visuals());
    let rect = ui.max_rect();
    ui.painter().rect_filled(rect, 0.0, p.raised);
    let mut middle = ui.new_child(
        egui::UiBuilder::new()
            .max_rect(egui::Rect::from_center_size(rect.center(), vec2(320.0, 120.0)))
            .layout(Layout::top_down(Align::Center)),
    );
    middle.label(RichText::new("No panels").font(theme::semibold(16.0)));
    middle.label(RichText::new("Double-click a topic, or let the panels be arranged from the topics.").color(p.weak));
    middle.add_space(12.0);
    if widget::primary_button(&mut middle, "Arrange automatically").clicked() {
        state.arrange_anew();
        ui.ctx().request_repaint();
    }
}

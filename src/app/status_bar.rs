//! The line at the bottom: whether what is shown is current, what is being read, what failed and why.

use egui::{Align, Layout, RichText, Ui};

use super::AppState;
use super::dialog::Dialog;
use crate::theme::{self, icon, palette, widget};

pub fn ui(ui: &mut Ui, state: &mut AppState) {
    let p = palette(ui.visuals());
    let frame = egui::Frame::new().fill(p.base).inner_margin(egui::Margin::symmetric(10, 0));
    egui::Panel::bottom("status")
        .exact_size(24.0)
        .show_separator_line(false)
        .frame(frame)
        .show(ui, |ui| {
            ui.horizontal_centered(|ui| {
                ui.style_mut().override_font_id = Some(theme::small());
                ui.spacing_mut().item_spacing.x = 16.0;
                left(ui, state);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| right(ui, state));
            });
        });
}

/// The word for how current the window is, and its colour.
fn state_word(state: &AppState) -> (&'static str, Level) {
    if !state.is_open() {
        ("nothing open", Level::Quiet)
    } else if !state.is_indexed() {
        ("opening", Level::Busy)
    } else if state.store.span().is_none() {
        ("nothing to show", Level::Quiet)
    } else if state.status.buffering {
        (if state.playback.playing { "buffering" } else { "reading" }, Level::Busy)
    } else if state.status.waiting {
        ("current, reading ahead", Level::Good)
    } else {
        ("current", Level::Good)
    }
}

enum Level {
    Quiet,
    Busy,
    Good,
}

fn left(ui: &mut Ui, state: &mut AppState) {
    let p = palette(ui.visuals());
    let (word, level) = state_word(state);
    let color = match level {
        Level::Quiet => p.faint,
        Level::Busy => p.warn,
        Level::Good => p.ok,
    };
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        widget::dot(ui, color, 16.0, word);
        ui.label(RichText::new(word).color(p.text));
    });
    if let Some(notice) = &state.notice {
        let color = if notice.is_error { p.error } else { p.text };
        ui.label(RichText::new(&notice.text).color(color));
        return;
    }
    if let Some(newest) = state.status.failures.first() {
        let count = state.status.failures.len();
        let text = format!("{} {newest}", icon::WARNING_CIRCLE);
        let button = egui::Button::new(RichText::new(text).color(p.error))
            .frame_when_inactive(false)
            .truncate();
        let tip = if count == 1 {
            "Why".to_owned()
        } else {
            format!("All {count} failures")
        };
        if ui.add(button).on_hover_text(tip).clicked() {
            state.dialog = Some(Dialog::Failures);
        }
    }
}

fn right(ui: &mut Ui, state: &mut AppState) {
    let p = palette(ui.visuals());
    let quiet = |text: String| RichText::new(text).color(p.weak);
    if state.playback.playing && state.frames.smoothed_hz > 0.0 {
        ui.label(quiet(format!("{:.0} fps", state.frames.smoothed_hz)));
    }
    let mib = |count: u64| count >> 20;
    if state.is_open() && !state.is_film {
        let memory = format!(
            "{} of {} MiB",
            mib(state.status.memory_used),
            crate::text::grouped(mib(state.status.memory_budget))
        );
        ui.label(quiet(memory)).on_hover_ui(|ui| {
            ui.label("Messages held in memory, of what the settings set aside for them");
            if let Some(bytes) = super::process::bytes("VmRSS") {
                let whole = format!("The whole program holds {} MiB", crate::text::grouped(mib(bytes)));
                widget::note(ui, whole);
            }
        });
        super::network::ui(ui, state);
        super::offline::status(ui, state);
        if state.status.reads_in_flight > 0 {
            ui.label(quiet(format!("{} in flight", state.status.reads_in_flight)));
        }
    }
}

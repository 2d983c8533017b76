//! The upper row of the timeline: play, step, speed, loop, the time field.

use egui::{Align, Key, Layout, RichText, Role, Sense, TextEdit, Ui, WidgetInfo, vec2};

use super::act::SPEEDS;
use super::clock::{self, TimeFormat};
use super::command::Command;
use super::{AppState, speed_in_range};
use crate::theme::{self, icon, palette, widget};
use crate::time::format_relative;

#[derive(Default)]
pub struct TransportState {
    /// The time field is being edited.
    editing: Option<String>,
    error: Option<String>,
    speed_text: String,
}

pub fn ui(ui: &mut Ui, state: &mut AppState) {
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        let playing = state.playback.playing;
        button(ui, state, icon::SKIP_BACK, Command::ToStart);
        button(ui, state, icon::CARET_LINE_LEFT, Command::PreviousMessage);
        play_button(ui, state, playing);
        button(ui, state, icon::CARET_LINE_RIGHT, Command::NextMessage);
        button(ui, state, icon::SKIP_FORWARD, Command::ToEnd);
        ui.add_space(6.0);
        speed(ui, state);
        let looping = state.playback.looping.is_some();
        toggle(ui, state, icon::REPEAT, Command::ToggleLoop, looping);
        ui.add_space(10.0);
        time_field(ui, state);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let zoomed = state.timeline.is_zoomed();
            ui.add_enabled_ui(zoomed, |ui| button(ui, state, icon::ARROWS_HORIZONTAL, Command::FitTimeline));
            if ui.available_width() > 110.0 {
                span_note(ui, state);
            }
        });
    });
}

fn span_note(ui: &mut Ui, state: &AppState) {
    let span = state.span();
    let text = clock::length(span.nanos());
    let text = match state.timeline.zoomed() {
        Some(shown) => format!("{} of {text}", clock::length(shown.nanos())),
        None => text,
    };
    widget::note(ui, text).on_hover_text("What the timeline shows. Turn the wheel to zoom, drag with the middle button to pan.");
}

fn button(ui: &mut Ui, state: &mut AppState, glyph: &str, command: Command) {
    toggle(ui, state, glyph, command, false);
}

fn toggle(ui: &mut Ui, state: &mut AppState, glyph: &str, command: Command, on: bool) {
    let key = command.key(ui.ctx());
    if widget::icon_toggle(ui, glyph, command.name(), &key, on).clicked() {
        let ctx = ui.ctx().clone();
        state.run(command, &ctx);
    }
}

fn play_button(ui: &mut Ui, state: &mut AppState, playing: bool) {
    let p = palette(ui.visuals());
    let name = if playing { "Pause" } else { "Play" };
    let (rect, response) = ui.allocate_exact_size(vec2(32.0, 28.0), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    let fill = if response.hovered() || response.has_focus() {
        p.accent.gamma_multiply(0.85)
    } else {
        p.accent
    };
    ui.painter().rect_filled(rect.shrink2(vec2(1.0, 2.0)), 5.0, fill);
    let center = rect.center();
    if playing {
        for x in [-3.5, 3.5] {
            let bar = egui::Rect::from_center_size(center + vec2(x, 0.0), vec2(3.0, 11.0));
            ui.painter().rect_filled(bar, 1.0, p.on_accent);
        }
    } else {
        let points = vec![center + vec2(-3.5, -6.0), center + vec2(6.0, 0.0), center + vec2(-3.5, 6.0)];
        ui.painter()
            .add(egui::Shape::convex_polygon(points, p.on_accent, egui::Stroke::NONE));
    }
    if response.on_hover_text(format!("{name}   Space")).clicked() {
        let ctx = ui.ctx().clone();
        state.run(Command::PlayPause, &ctx);
    }
}

fn speed(ui: &mut Ui, state: &mut AppState) {
    let text = speed_text(state.playback.speed);
    let response = ui.add(egui::Button::new(&text).frame_when_inactive(false).min_size(vec2(48.0, 24.0)));
    let response = response.on_hover_text("Speed   ↑ ↓");
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Speed {text}")));
    egui::Popup::menu(&response)
        .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside)
        .width(96.0)
        .show(|ui| {
            for speed in SPEEDS {
                let chosen = (speed - state.playback.speed).abs() < 1e-9;
                if ui.selectable_label(chosen, speed_text(speed)).clicked() {
                    state.playback.speed = speed;
                    ui.close();
                }
            }
            ui.separator();
            let typed = &mut state.timeline.transport.speed_text;
            let field = ui.add(TextEdit::singleline(typed).hint_text("0.01 to 10").desired_width(80.0));
            field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Speed"));
            if field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter)) {
                let number = typed.trim_end_matches(['×', 'x']).trim().parse::<f64>();
                if let Ok(speed) = number {
                    state.playback.speed = speed_in_range(speed);
                }
                typed.clear();
                ui.close();
            }
        });
}

/// `1.0×`, `0.125×`: as it was typed.
fn speed_text(speed: f64) -> String {
    let exact = format!("{}", (speed * 1e6).round() / 1e6);
    let whole = if exact.contains('.') { "" } else { ".0" };
    format!("{exact}{whole}×")
}

fn time_field(ui: &mut Ui, state: &mut AppState) {
    let p = palette(ui.visuals());
    let format = state.settings.time_format;
    let (now, start) = (state.playback.now, state.span().start);
    let shown = format.show(now, start);
    let mono = theme::body();
    if let Some(mut text) = state.timeline.transport.editing.take() {
        let field = ui.add(TextEdit::singleline(&mut text).desired_width(230.0).font(mono));
        field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Go to time"));
        if !field.has_focus() && !field.lost_focus() {
            field.request_focus();
        }
        let entered = field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
        let left = field.lost_focus() && !entered;
        if entered {
            match clock::parse(&text, state.span()) {
                Ok(t) => {
                    state.seek(t);
                    state.timeline.transport.error = None;
                }
                Err(message) => {
                    state.timeline.transport.error = Some(message);
                    state.timeline.transport.editing = Some(text);
                    field.request_focus();
                }
            }
            ui.ctx().request_repaint();
        } else if !left {
            state.timeline.transport.editing = Some(text);
        }
        if let Some(error) = &state.timeline.transport.error {
            let text = RichText::new(error).font(theme::small()).color(p.error);
            ui.add(egui::Label::new(text).truncate()).on_hover_text(error);
        }
        return;
    }
    let field = egui::Button::new(RichText::new(&shown).font(theme::semibold(13.0)).color(p.text))
        .fill(p.overlay)
        .stroke(egui::Stroke::NONE);
    let field = ui.add(field);
    field.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Time {shown}")));
    if field.clicked() {
        state.timeline.transport.editing = Some(format.exact(now, start));
        state.timeline.transport.error = None;
    }
    field.context_menu(|ui| copies(ui, state));
    field.on_hover_text("Click to type or paste a time; right-click to copy");

    let unit = egui::Button::new(RichText::new(format.short()).font(theme::small()).color(p.weak)).frame_when_inactive(false);
    let unit = ui
        .add(unit)
        .on_hover_text(format!("{}. Click for {}", format.name(), format.next().name()));
    if unit.clicked() {
        state.settings.time_format = format.next();
        state.save_settings();
    }
    unit.context_menu(|ui| copies(ui, state));
    if format != TimeFormat::FromStart && ui.available_width() > 200.0 {
        ui.add_space(4.0);
        ui.label(RichText::new(format_relative(now, start)).color(p.weak));
    }
}

/// One entry for each way to write the time.
fn copies(ui: &mut Ui, state: &AppState) {
    for format in TimeFormat::ALL {
        let exact = format.exact(state.playback.now, state.span().start);
        if ui.button(format!("Copy {exact}")).on_hover_text(format.name()).clicked() {
            ui.ctx().copy_text(exact);
            ui.close();
        }
    }
}

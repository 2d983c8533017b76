//! What the network did for this window, and what it may do: a popup of the status bar.

use egui::{Grid, RichText, Ui};

use super::AppState;
use super::top_bar::bytes;
use crate::text::grouped;
use crate::theme::{palette, widget};

/// The words in the status bar; a click opens the popup.
pub fn ui(ui: &mut Ui, state: &mut AppState) {
    let p = palette(ui.visuals());
    let traffic = state.executor.traffic();
    let read = traffic.bytes + traffic.disk_bytes + traffic.cache_bytes;
    let requests = match traffic.requests {
        0 => String::new(),
        1 => " · 1 request".to_owned(),
        count => format!(" · {} requests", grouped(count)),
    };
    let text = RichText::new(format!("{} read{requests}", bytes(read))).color(p.weak);
    let button = ui.add(egui::Button::new(text).frame_when_inactive(false)).on_hover_text("Network");
    let frame = egui::Frame::popup(ui.style()).inner_margin(14);
    egui::Popup::menu(&button)
        .frame(frame)
        .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| popup(ui, state));
}

fn popup(ui: &mut Ui, state: &mut AppState) {
    let p = palette(ui.visuals());
    let traffic = state.executor.traffic();
    ui.set_width(320.0);
    widget::section(ui, "Network");
    Grid::new("network").num_columns(2).spacing([24.0, 6.0]).show(ui, |ui| {
        let mut row = |name: &str, value: String| {
            ui.label(RichText::new(name).color(p.weak));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| ui.label(value));
            ui.end_row();
        };
        row("Requests", grouped(traffic.requests));
        row("Asked again", grouped(traffic.retries));
        let in_flight = state.executor.requests_in_flight();
        row("In flight", format!("{in_flight} of {}", state.executor.requests_at_a_time()));
        row("Fetched", bytes(traffic.bytes));
        let percent = traffic.hit_rate() * 100.0;
        row("From the cache", format!("{} ({percent:.0} %)", bytes(traffic.cache_bytes)));
        row("From disk", bytes(traffic.disk_bytes));
        if let Some(seconds) = state.first_frame_seconds {
            row("To the first frame", format!("{:.2} s", seconds));
        }
        let dollars = traffic.egress_usd(state.settings.egress_usd_per_gb);
        row("Egress, estimated", dollars_text(dollars));
    });
    super::offline::list(ui, state);
    ui.add_space(6.0);
    let before = state.settings.clone();
    ui.horizontal(|ui| {
        let price = egui::DragValue::new(&mut state.settings.egress_usd_per_gb)
            .range(0.0..=1.0)
            .speed(0.001);
        ui.label(RichText::new("Price of a GB").color(p.weak));
        ui.add(price.prefix("$").max_decimals(3));
    });
    ui.checkbox(&mut state.settings.metered, "Metered connection: read nothing ahead");
    if let Some(trouble) = state.executor.io().cache_trouble() {
        ui.add_space(4.0);
        ui.colored_label(p.warn, &*trouble);
    }
    if before != state.settings {
        state.save_settings();
    }
}

fn dollars_text(dollars: f64) -> String {
    match dollars {
        0.0 => "$0".to_owned(),
        ..0.005 => "less than 1 cent".to_owned(),
        _ => format!("${dollars:.2}"),
    }
}

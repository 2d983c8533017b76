//! Colours that a person chooses for a value: by their meaning in the theme, or one of their own.
//!
//! Invariant: a named colour fits both looks; layouts store names or `#rrggbb`.

use egui::{Color32, Ui};
use serde::{Deserialize, Serialize};

use super::widget::named;
use crate::theme::{self, Palette};

/// As layouts spell it: `ok`, `series 3`, `#ff8800`. What cannot be read is the theme's weak text colour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Ink(String);

impl Default for Ink {
    fn default() -> Ink {
        Ink("grey".to_owned())
    }
}

/// Name in layouts, name on screen.
const NAMED: [(&str, &str); 5] = [
    ("ok", "OK"),
    ("warn", "Warning"),
    ("error", "Error"),
    ("accent", "Accent"),
    ("grey", "Grey"),
];
const SERIES: usize = 8;

impl Ink {
    pub fn new(name: &str) -> Ink {
        Ink(name.to_owned())
    }

    /// One that has no name.
    pub fn own(color: Color32) -> Ink {
        Ink(color.to_hex().chars().take(7).collect())
    }

    pub fn color(&self, p: &Palette) -> Color32 {
        match self.0.as_str() {
            "ok" => p.ok,
            "warn" => p.warn,
            "error" => p.error,
            "accent" => p.accent,
            other => {
                let series = other.strip_prefix("series ").and_then(|n| n.parse::<usize>().ok());
                let series = series.and_then(|n| p.series.get(n.checked_sub(1)?).copied());
                series.or_else(|| Color32::from_hex(other).ok()).unwrap_or(p.weak)
            }
        }
    }

    /// A list to choose from. True where it changed.
    pub fn ui(&mut self, ui: &mut Ui, salt: impl std::hash::Hash + std::fmt::Debug, name: &str) -> bool {
        let p = theme::palette(ui.visuals());
        let before = self.clone();
        let title = |ink: &str| match NAMED.iter().find(|n| n.0 == ink) {
            Some((_, title)) => (*title).to_owned(),
            None => ink.replacen('s', "S", usize::from(ink.starts_with("series"))),
        };
        let series: Vec<String> = (1..=SERIES).map(|n| format!("series {n}")).collect();
        let shown = egui::ComboBox::from_id_salt(salt).selected_text("").width(40.0).show_ui(ui, |ui| {
            for ink in NAMED.iter().map(|n| n.0).chain(series.iter().map(String::as_str)) {
                ui.horizontal(|ui| {
                    theme::widget::dot(ui, Ink::new(ink).color(p), 16.0, "");
                    ui.selectable_value(&mut self.0, ink.to_owned(), title(ink));
                });
            }
            ui.separator();
            ui.horizontal(|ui| {
                let mut own = self.color(p);
                if ui.color_edit_button_srgba(&mut own).changed() {
                    *self = Ink::own(own);
                }
                ui.label("Other…");
            });
        });
        let at = shown.response.rect.left_center() + egui::vec2(12.0, 0.0);
        ui.painter().circle_filled(at, 5.0, self.color(p));
        named(shown.response, name);
        *self != before
    }
}

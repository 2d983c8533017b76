//! States over time as bands: how long a value held, what it is called, and its colour.
//!
//! Invariant: a band begins at the message that brought the value; where several changes fall on one pixel, the last one shows.

use egui::Color32;

use super::widget;
use crate::path::ItemKind;
use crate::store::{Signal, Store};
use crate::theme::{self, Palette};
use crate::time::{Span, Time};

/// A value from one moment to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    pub from: Time,
    pub to: Time,
    pub value: f64,
}

/// Those within the span, as many as can be told apart on so many pixels; the newest value holds on until `until`.
pub fn bands(signal: &Signal, store: &Store, span: Span, columns: usize, until: Time) -> Vec<Band> {
    let Some(series) = signal.series(store) else { return Vec::new() };
    let mut bands: Vec<Band> = Vec::new();
    for (time, value) in series.decimated(span, columns) {
        if let Some(last) = bands.last_mut() {
            last.to = time;
            if last.value == value {
                continue;
            }
        }
        bands.push(Band {
            from: time,
            to: time,
            value,
        });
    }
    if let Some(last) = bands.last_mut() {
        last.to = last.to.max(until);
    }
    bands.retain(|b| !b.value.is_nan());
    bands
}

/// The text or the constant that the value stands for, else the value.
pub fn name_of(signal: &Signal, store: &Store, value: f64) -> String {
    if let Some(text) = signal.series(store).and_then(|s| s.text_of(value)) {
        return text.to_string();
    }
    let program = signal.program();
    let column = program.and_then(|p| p.column()).map(|input| &input.column);
    let is_bool = program.is_some_and(|p| p.kind() == ItemKind::Bool);
    match column.and_then(|c| c.name_of(value as i128)) {
        Some(name) if value.fract() == 0.0 => name.to_owned(),
        _ if is_bool => if value == 0.0 { "false" } else { "true" }.to_owned(),
        _ => widget::number_text(value, 10),
    }
}

/// Off is quiet; every other value has a colour of its own.
pub fn color_of(p: &Palette, value: f64) -> Color32 {
    if value == 0.0 {
        return p.line;
    }
    // texts are told apart by large numbers
    if value.fract() == 0.0 && value > 0.0 && value < 1e6 {
        return theme::data::series(value as usize - 1);
    }
    theme::data::of_name(&value.to_string())
}

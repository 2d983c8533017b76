//! Colours as layouts of other programs spell them.

use serde_json::{Value, json};

use super::value::{as_number, number};

/// Parts from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Color {
    pub rgb: [f64; 3],
    pub alpha: f64,
}

/// `#rgb`, `#rrggbb`, `#rrggbbaa`, `rgb(…)` and `rgba(…)`, `r,g,b,a` and RViz's `r; g; b` of 0 to 255, `{r, g, b, a}` of 0 to 1.
pub fn parse(value: &Value) -> Option<Color> {
    match value {
        Value::String(text) => of_text(text.trim()),
        Value::Object(_) => {
            let part = |key| number(value, key);
            let rgb = [part("/r")?, part("/g")?, part("/b")?];
            Some(Color::new(rgb, part("/a").unwrap_or(1.0)))
        }
        _ => None,
    }
}

fn of_text(text: &str) -> Option<Color> {
    if let Some(hex) = text.strip_prefix('#') {
        return of_hex(hex);
    }
    let inside = text.strip_prefix("rgba(").or_else(|| text.strip_prefix("rgb("));
    let inside = inside.map_or(Some(text), |inside| inside.strip_suffix(')'))?;
    let parts = inside.split([',', ';']).map(|part| as_number(&part.into()));
    let parts: Option<Vec<f64>> = parts.collect();
    match parts?.as_slice() {
        [r, g, b] => Some(Color::new([r / 255.0, g / 255.0, b / 255.0], 1.0)),
        [r, g, b, a] => Some(Color::new([r / 255.0, g / 255.0, b / 255.0], *a)),
        _ => None,
    }
}

fn of_hex(hex: &str) -> Option<Color> {
    if !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let digits: Vec<f64> = hex.chars().filter_map(|c| c.to_digit(16)).map(f64::from).collect();
    let pair = |pair: &[f64]| pair.iter().fold(0.0, |sum, digit| sum * 16.0 + digit) / 255.0;
    let parts: Vec<f64> = match digits.len() {
        3 | 4 => digits.iter().map(|d| d / 15.0).collect(),
        6 | 8 => digits.chunks(2).map(pair).collect(),
        _ => return None,
    };
    match parts.as_slice() {
        [r, g, b] => Some(Color::new([*r, *g, *b], 1.0)),
        [r, g, b, a] => Some(Color::new([*r, *g, *b], *a)),
        _ => None,
    }
}

impl Color {
    pub fn new(rgb: [f64; 3], alpha: f64) -> Color {
        let unit = |v: f64| v.clamp(0.0, 1.0);
        Color {
            rgb: rgb.map(unit),
            alpha: unit(alpha),
        }
    }

    pub fn bytes(self) -> [u8; 3] {
        self.rgb.map(|v| (v * 255.0).round() as u8)
    }

    /// `#rrggbb`
    pub fn hex(self) -> String {
        let [r, g, b] = self.bytes();
        format!("#{r:02x}{g:02x}{b:02x}")
    }

    pub fn of_bytes(value: &Value) -> Option<Color> {
        let [r, g, b] = super::value::numbers::<3>(Some(value))?;
        Some(Color::new([r / 255.0, g / 255.0, b / 255.0], 1.0))
    }

    /// `{r, g, b, a}`
    pub fn parts(self) -> Value {
        let [r, g, b] = self.rgb;
        json!({"r": r, "g": g, "b": b, "a": self.alpha})
    }
}

//! Conditions on a value by which panels choose a colour or a text.
//!
//! Invariant: numbers are compared as numbers where both sides are some, else as texts; what is no number has no order.

use egui::Ui;
use serde::{Deserialize, Serialize};

use super::widget::named;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Operator {
    #[default]
    #[serde(rename = "==")]
    Equal,
    #[serde(rename = "!=")]
    NotEqual,
    #[serde(rename = "<")]
    Less,
    #[serde(rename = "<=")]
    LessEqual,
    #[serde(rename = ">")]
    Greater,
    #[serde(rename = ">=")]
    GreaterEqual,
    /// The text holds it.
    #[serde(rename = "contains")]
    Contains,
}

/// A value, as far as a rule looks at it.
pub struct Told<'a> {
    /// None for texts; truth values are 0 and 1.
    pub number: Option<f64>,
    /// The constant that the message definition has for it.
    pub name: Option<&'a str>,
    pub text: &'a str,
}

impl Operator {
    const ALL: [(Operator, &'static str); 7] = [
        (Operator::Equal, "="),
        (Operator::NotEqual, "≠"),
        (Operator::Less, "<"),
        (Operator::LessEqual, "≤"),
        (Operator::Greater, ">"),
        (Operator::GreaterEqual, "≥"),
        (Operator::Contains, "contains"),
    ];

    fn sign(self) -> &'static str {
        Operator::ALL.iter().find(|o| o.0 == self).map_or("", |o| o.1)
    }

    /// `given`: `true`, `3.5`, `AUTO` (a constant's name or a text).
    pub fn holds(self, told: &Told, given: &str) -> bool {
        let given = given.trim();
        let number = match given {
            "true" => Some(1.0),
            "false" => Some(0.0),
            other => other.parse::<f64>().ok(),
        };
        let by_name = told.name == Some(given);
        let order = match (told.number, number) {
            (Some(number), Some(given)) => number.partial_cmp(&given),
            _ => Some(told.text.cmp(given)),
        };
        let Some(order) = order else { return false };
        match self {
            Operator::Equal => order.is_eq() || by_name,
            Operator::NotEqual => order.is_ne() && !by_name,
            Operator::Contains => told.text.contains(given),
            _ if told.number.is_none() || number.is_none() => false,
            Operator::Less => order.is_lt(),
            Operator::LessEqual => order.is_le(),
            Operator::Greater => order.is_gt(),
            Operator::GreaterEqual => order.is_ge(),
        }
    }

    /// A list to choose from.
    pub fn ui(&mut self, ui: &mut Ui, salt: impl std::hash::Hash + std::fmt::Debug, name: &str) {
        let list = egui::ComboBox::from_id_salt(salt).selected_text(self.sign()).width(44.0);
        let list = list.show_ui(ui, |ui| {
            for (operator, sign) in Operator::ALL {
                ui.selectable_value(self, operator, sign);
            }
        });
        named(list.response, name);
    }
}

//! Colours of cells and rows by rules.
//!
//! Invariant: of several rules that hold the first colours; only rows that are drawn are looked at.

use egui::{Color32, Ui};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::TablePanel;
use super::cells::Cell;
use super::filter;
use crate::decode::Value;
use crate::panel::ink::Ink;
use crate::panel::rule::Operator;
use crate::panel::widget;
use crate::theme::{self, Palette, icon};

/// Cells of a column whose value fits are coloured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Paint {
    /// As heads spell it; empty: the row's value itself.
    pub column: String,
    pub operator: Operator,
    /// `true`, `3.5`, `KIND_CAR` (a constant's name or a text).
    pub value: String,
    pub color: Ink,
    /// All cells of the row, not only that of the column.
    pub whole_row: bool,
    #[serde(flatten)]
    pub extra: Map<String, Json>,
}

impl Paint {
    pub fn of_column(column: &str) -> Paint {
        Paint {
            column: column.to_owned(),
            color: Ink::new("warn"),
            ..Paint::default()
        }
    }

    fn holds(&self, row: &Value, columns: &[Cell]) -> bool {
        filter::holds(row, columns, &self.column, self.operator, &self.value)
    }
}

/// How strongly cells are coloured.
const STRENGTH: f32 = 0.3;

/// What lies behind a row and behind each of its cells.
pub struct Painted {
    pub row: Option<Color32>,
    pub cells: Vec<Option<Color32>>,
}

/// `columns`: those that are drawn; `all`: what rules may look at.
pub fn painted(rules: &[Paint], row: &Value, columns: &[Cell], all: &[Cell], p: &Palette) -> Painted {
    let holding: Vec<&Paint> = rules.iter().filter(|rule| rule.holds(row, all)).collect();
    let first = |fits: &dyn Fn(&Paint) -> bool| {
        let rule = holding.iter().find(|rule| fits(rule));
        rule.map(|rule| rule.color.color(p).gamma_multiply(STRENGTH))
    };
    Painted {
        row: first(&|rule| rule.whole_row),
        cells: columns
            .iter()
            .map(|cell| first(&|rule| !rule.whole_row && rule.column == cell.path))
            .collect(),
    }
}

impl TablePanel {
    pub(super) fn paints_ui(&mut self, ui: &mut Ui) {
        if !self.config.colors.is_empty() {
            theme::widget::section(ui, "Colours, the first rule that holds counts");
        }
        let mut removed = None;
        let columns: Vec<&str> = self.columns.iter().map(|c| c.path.as_str()).collect();
        for (at, rule) in self.config.colors.iter_mut().enumerate() {
            let number = at + 1;
            let named = |path: &str| if path.is_empty() { "value".to_owned() } else { path.to_owned() };
            ui.horizontal(|ui| {
                rule.color.ui(ui, ("ink", at), &format!("Colour of rule {number}"));
                let list = egui::ComboBox::from_id_salt(("column", at))
                    .selected_text(named(&rule.column))
                    .width(90.0);
                let list = list.show_ui(ui, |ui| {
                    for column in &columns {
                        ui.selectable_value(&mut rule.column, (*column).to_owned(), named(column));
                    }
                });
                widget::named(list.response, &format!("Column of rule {number}"));
                rule.operator.ui(ui, ("comparison", at), &format!("Comparison of rule {number}"));
                let edit = egui::TextEdit::singleline(&mut rule.value).hint_text("Value").desired_width(56.0);
                widget::named(ui.add(edit), &format!("Value of rule {number}"));
                if theme::widget::icon_button_sized(ui, icon::TRASH, &format!("Remove rule {number}"), "", 20.0, false).clicked() {
                    removed = Some(at);
                }
            });
            let whole = ui.checkbox(&mut rule.whole_row, "The whole row");
            widget::named(whole, &format!("The whole row of rule {number}"));
        }
        if let Some(at) = removed {
            self.config.colors.remove(at);
        }
        if !self.columns.is_empty() && ui.button("Colour cells by a rule").clicked() {
            let column = columns.first().copied().unwrap_or_default();
            self.config.colors.push(Paint::of_column(column));
        }
    }
}

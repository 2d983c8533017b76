//! What rows have to fulfil: words, which occur anywhere in them, and conditions on columns, `speed > 5 label == "city bus"`.

use std::sync::LazyLock;

use regex::Regex;

use super::cells::{self, Cell};
use crate::decode::Value;
use crate::panel::rule::{Operator, Told};
use crate::panel::widget::matches_words;

/// A column as heads spell it, a comparison, and a word or a quoted text.
static CONDITION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"([\w.]+)\s*(==|!=|<=|>=|=|<|>)\s*(?:"([^"]*)"|([^\s"]+))"#).ok());

#[derive(Default)]
pub struct Filter {
    words: String,
    conditions: Vec<(String, Operator, String)>,
}

impl Filter {
    pub fn parse(text: &str) -> Filter {
        let Some(pattern) = &*CONDITION else {
            return Filter::default();
        };
        let group = |found: &regex::Captures, at: usize| found.get(at).map(|part| part.as_str().to_owned());
        let condition = |found: regex::Captures| {
            let operator = match found.get(2)?.as_str() {
                "!=" => Operator::NotEqual,
                "<" => Operator::Less,
                "<=" => Operator::LessEqual,
                ">" => Operator::Greater,
                ">=" => Operator::GreaterEqual,
                _ => Operator::Equal,
            };
            Some((group(&found, 1)?, operator, group(&found, 3).or_else(|| group(&found, 4))?))
        };
        Filter {
            conditions: pattern.captures_iter(text).filter_map(condition).collect(),
            words: pattern.replace_all(text, " ").into_owned(),
        }
    }

    pub fn passes(&self, row: &Value, columns: &[Cell]) -> bool {
        let mut conditions = self.conditions.iter();
        conditions.all(|(column, operator, given)| holds(row, columns, column, *operator, given))
            && (self.words.trim().is_empty() || matches_words(&cells::whole_text(row), &self.words))
    }
}

/// Whether a row's value of a column compares so.
pub fn holds(row: &Value, columns: &[Cell], column: &str, operator: Operator, given: &str) -> bool {
    let Some(value) = cells::at(row, column) else { return false };
    let cell = columns.iter().find(|cell| cell.path == column);
    let name = cell.and_then(|cell| cell.name_of(value)).map(|(_, name)| name.to_string());
    let text = value.as_str().map_or_else(|| cells::text(value), str::to_owned);
    let told = Told {
        number: value.as_f64(),
        name: name.as_deref(),
        text: &text,
    };
    operator.holds(&told, given)
}

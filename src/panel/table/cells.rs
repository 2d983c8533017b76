//! Columns of a table from the shape of its rows, and what stands in their cells.
//!
//! Invariant: a column's path leads from the row's value on, field by field; empty: the value itself.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::decode::{Schema, Value};
use crate::panel::widget::cell_number;
use crate::path::{self, Expr, Path, Spot, Step, StepKind};

/// Fields that a structure may have to be written out in one cell.
const INLINE: usize = 4;

#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    pub path: String,
    /// It is a structure whose fields can be columns of their own.
    pub is_struct: bool,
    pub is_number: bool,
    /// The structure that it was opened from, at the first of its columns.
    pub first_of: Option<String>,
    /// Constants of the message definition.
    pub names: Vec<(i128, Arc<str>)>,
}

/// The columns of rows like this one; structures in `open` are columns for each field.
pub fn columns(sample: &Value, open: &BTreeSet<String>, schema: &Schema, of: &Path) -> Vec<Cell> {
    let mut out = Vec::new();
    add(sample, "", open, None, &mut out);
    for cell in &mut out {
        let mut path = of.clone();
        path.steps.extend(cell.path.split('.').filter(|f| !f.is_empty()).map(|field| Step {
            kind: StepKind::Field(field.to_owned()),
            at: Spot::default(),
        }));
        if cell.is_number
            && let Ok(column) = path::Column::compile(schema, &Expr::Path(path))
        {
            cell.names = column.names().to_vec();
        }
    }
    out
}

fn add(value: &Value, path: &str, open: &BTreeSet<String>, first_of: Option<String>, out: &mut Vec<Cell>) {
    let is_struct = matches!(value, Value::Struct { .. });
    if is_struct && (path.is_empty() || open.contains(path)) {
        let mut first_of = (!path.is_empty()).then(|| path.to_owned());
        for (name, child) in value.fields() {
            let child_path = if path.is_empty() {
                name.to_string()
            } else {
                format!("{path}.{name}")
            };
            add(child, &child_path, open, first_of.take(), out);
        }
        return;
    }
    out.push(Cell {
        path: path.to_owned(),
        is_struct,
        is_number: value.as_f64().is_some() || *value == Value::Null,
        first_of,
        names: Vec::new(),
    });
}

/// The part of a row that a column shows.
pub fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.')
        .filter(|f| !f.is_empty())
        .try_fold(value, |at, field| at.child(field))
}

impl Cell {
    /// The constant's name, or the value.
    pub fn text(&self, row: &Value) -> String {
        let Some(value) = at(row, &self.path) else {
            return String::new();
        };
        match self.name_of(value) {
            Some((number, name)) => format!("{name} ({number})"),
            None => text(value),
        }
    }

    /// The constant that the message definition has for a value of this column.
    pub fn name_of(&self, value: &Value) -> Option<&(i128, Arc<str>)> {
        let number = match value {
            Value::Int(n) => i128::from(*n),
            Value::Uint(n) => i128::from(*n),
            _ => return None,
        };
        self.names.iter().find(|(v, _)| *v == number)
    }
}

/// In one line: small structures and arrays written out, larger ones summed up.
pub fn text(value: &Value) -> String {
    match value {
        Value::F32(v) => cell_number(f64::from(*v), 7),
        Value::F64(v) => cell_number(*v, 7),
        Value::Struct { values, .. } if values.len() <= INLINE && values.iter().all(is_scalar) => {
            let parts: Vec<String> = value.fields().map(|(name, v)| format!("{name} {}", short(v))).collect();
            parts.join("  ")
        }
        Value::Numbers { .. } | Value::Bytes(_) if value.array_len().is_some_and(|n| n <= INLINE) => {
            let numbers: Vec<String> = value.numbers().into_iter().map(|v| cell_number(v, 3)).collect();
            format!("[{}]", numbers.join(", "))
        }
        Value::Array(items) if items.is_empty() => "[]".to_owned(),
        other => other.summary(),
    }
}

fn short(value: &Value) -> String {
    match value {
        Value::F32(v) => cell_number(f64::from(*v), 3),
        Value::F64(v) => cell_number(*v, 3),
        other => text(other),
    }
}

fn is_scalar(value: &Value) -> bool {
    value.as_f64().is_some() || value.as_str().is_some() || *value == Value::Null
}

/// All that can be read in a row, for filters: names and texts of every field.
pub fn whole_text(value: &Value) -> String {
    let mut out = String::new();
    gather(value, &mut out);
    out
}

fn gather(value: &Value, out: &mut String) {
    match value {
        Value::Struct { .. } => value.fields().for_each(|(_, child)| gather(child, out)),
        Value::Array(items) => items.iter().take(64).for_each(|item| gather(item, out)),
        other => {
            let _ = write!(out, "{} ", text(other));
        }
    }
}

/// Names and values of all that lies below a cell, structure by structure: what is exported.
pub fn leaves(value: &Value, path: &str, out: &mut Vec<(String, String)>) {
    match value {
        Value::Struct { .. } => {
            for (name, child) in value.fields() {
                let path = if path.is_empty() {
                    name.to_string()
                } else {
                    format!("{path}.{name}")
                };
                leaves(child, &path, out);
            }
        }
        Value::String(text) => out.push((path.to_owned(), text.to_string())),
        Value::F32(v) => out.push((path.to_owned(), v.to_string())),
        Value::F64(v) => out.push((path.to_owned(), v.to_string())),
        Value::Time { sec, nsec } => out.push((path.to_owned(), format!("{sec}.{nsec:09}"))),
        other => out.push((path.to_owned(), other.to_json())),
    }
}

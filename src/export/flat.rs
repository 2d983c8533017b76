//! Flat columns of messages, as AWS's extractor lays them out: types are those of the values that came.
//!
//! Whole numbers are int64; a column that lacks some becomes floats, NaN where there is none. Those that are null in a table stay so.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema};
use indexmap::IndexMap;

use super::ExportError;
use crate::decode::Scalar;
use crate::decode::flat::Cell;

/// Columns that grow with the rows.
#[derive(Default)]
pub(super) struct Flat {
    columns: IndexMap<String, Column>,
    rows: usize,
}

struct Column {
    values: Values,
    has_nulls: bool,
}

enum Values {
    Bool(Vec<Option<bool>>),
    Int(Vec<Option<i64>>),
    Uint(Vec<Option<u64>>),
    Float(Vec<Option<f64>>),
    Text(Vec<Option<String>>),
    /// Lists as JSON, which are there once more under the name with `_clean`.
    Json(Vec<Option<String>>),
}

impl Values {
    fn of(cell: &Cell, rows: usize) -> Values {
        match cell {
            Cell::Bool(_) => Values::Bool(vec![None; rows]),
            Cell::Int(_) => Values::Int(vec![None; rows]),
            Cell::Uint(_) => Values::Uint(vec![None; rows]),
            Cell::Float(_) => Values::Float(vec![None; rows]),
            Cell::Text(_) => Values::Text(vec![None; rows]),
            Cell::Json(_) => Values::Json(vec![None; rows]),
            Cell::Null(Scalar::Bool) => Values::Bool(vec![None; rows]),
            Cell::Null(Scalar::F32 | Scalar::F64) => Values::Float(vec![None; rows]),
            Cell::Null(Scalar::U64) => Values::Uint(vec![None; rows]),
            Cell::Null(_) => Values::Int(vec![None; rows]),
        }
    }

    fn push(&mut self, cell: Cell, rows: usize) {
        match (&mut *self, cell) {
            (Values::Bool(values), Cell::Bool(value)) => at(values, rows, value),
            (Values::Int(values), Cell::Int(value)) => at(values, rows, value),
            (Values::Uint(values), Cell::Uint(value)) => at(values, rows, value),
            (Values::Uint(values), Cell::Int(value)) => at(values, rows, u64::try_from(value).unwrap_or(0)),
            (Values::Float(values), Cell::Float(value)) => at(values, rows, value),
            (Values::Text(values), Cell::Text(value)) | (Values::Json(values), Cell::Json(value)) => at(values, rows, value),
            (Values::Int(values), Cell::Uint(value)) => {
                let mut wider: Vec<Option<u64>> = values
                    .iter()
                    .map(|value| value.map(|value| u64::try_from(value).unwrap_or(0)))
                    .collect();
                at(&mut wider, rows, value);
                *self = Values::Uint(wider);
            }
            // one type has one kind of value
            _ => {}
        }
    }

    fn finish(self, rows: usize, has_nulls: bool) -> ArrayRef {
        let has_gaps = |length: usize, gaps: bool| !has_nulls && (gaps || length < rows);
        match self {
            Values::Bool(values) => Arc::new(padded(values, rows).into_iter().collect::<BooleanArray>()),
            Values::Int(values) if has_gaps(values.len(), values.contains(&None)) => {
                floats(values.into_iter().map(|v| v.map(|v| v as f64)), rows)
            }
            Values::Uint(values) if has_gaps(values.len(), values.contains(&None)) => {
                floats(values.into_iter().map(|v| v.map(|v| v as f64)), rows)
            }
            Values::Int(values) => Arc::new(padded(values, rows).into_iter().collect::<Int64Array>()),
            Values::Uint(values) => Arc::new(padded(values, rows).into_iter().collect::<UInt64Array>()),
            Values::Float(values) => floats(values.into_iter(), rows),
            Values::Text(values) | Values::Json(values) => Arc::new(padded(values, rows).into_iter().collect::<StringArray>()),
        }
    }
}

/// Puts a value into a row; rows before it that have none stay empty.
fn at<T>(values: &mut Vec<Option<T>>, row: usize, value: T) {
    while values.len() < row {
        values.push(None);
    }
    if values.len() == row {
        values.push(Some(value));
    }
}

fn padded<T>(mut values: Vec<Option<T>>, rows: usize) -> Vec<Option<T>> {
    while values.len() < rows {
        values.push(None);
    }
    values
}

fn floats(values: impl Iterator<Item = Option<f64>>, rows: usize) -> ArrayRef {
    let all = values
        .map(|value| value.unwrap_or(f64::NAN))
        .chain(std::iter::repeat(f64::NAN))
        .take(rows);
    Arc::new(all.collect::<Float64Array>())
}

impl Flat {
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Starts a row: its values follow.
    pub fn cell(&mut self, name: &str, cell: Cell) {
        let is_null = matches!(cell, Cell::Null(_));
        let column = match self.columns.get_mut(name) {
            Some(column) => column,
            None => self.columns.entry(name.to_owned()).or_insert(Column {
                values: Values::of(&cell, self.rows),
                has_nulls: false,
            }),
        };
        column.has_nulls |= is_null;
        column.values.push(cell, self.rows);
    }

    pub fn end_row(&mut self) {
        self.rows += 1;
    }

    /// The table so far; `constants` are columns at its end.
    pub fn finish(self, constants: &[(&str, &str)]) -> Result<RecordBatch, ExportError> {
        let rows = self.rows;
        let (mut fields, mut columns, mut copies) = (Vec::new(), Vec::new(), Vec::new());
        // rows of a table that was extracted have these already
        let own: BTreeSet<String> = self.columns.keys().cloned().collect();
        for (name, Column { values, has_nulls }) in self.columns {
            let is_json = matches!(values, Values::Json(_));
            let column = values.finish(rows, has_nulls);
            let copy = format!("{name}_clean");
            if is_json && !name.ends_with("_clean") && !own.contains(&copy) {
                copies.push((copy, column.clone()));
            }
            fields.push(Field::new(name, column.data_type().clone(), true));
            columns.push(column);
        }
        for (name, column) in copies {
            fields.push(Field::new(name, DataType::Utf8, true));
            columns.push(column);
        }
        for (name, value) in constants.iter().filter(|(name, _)| !own.contains(*name)) {
            fields.push(Field::new(*name, DataType::Utf8, true));
            columns.push(Arc::new(std::iter::repeat_n(Some(*value), rows).collect::<StringArray>()) as ArrayRef);
        }
        Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
    }
}

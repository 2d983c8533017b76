//! The rows of an answer, as a window shows, orders and keeps them.
//!
//! Invariant: rows are never changed; an order is a list of their numbers.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{SortOptions, cast, sort_to_indices, take_record_batch};
use arrow::datatypes::{DataType, Float64Type, TimeUnit, TimestampNanosecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::{LakeError, Rows, Style};
use crate::decode::POSITION_COLUMNS;
use crate::format::table::{field_names, time_column};
use crate::time::Time;

/// Longer lists are only counted.
const WRITTEN_OUT: i32 = 64;

#[derive(Debug)]
pub struct Found {
    rows: RecordBatch,
    /// There were more than are kept.
    pub is_cut: bool,
    /// The column that tells when a row was.
    time: Option<usize>,
}

/// What stands in a cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Null,
    Float(f64),
    Time(Time),
    /// Whole numbers, texts, and what is nested, written out.
    Text(String),
}

impl Found {
    pub(super) fn new(rows: RecordBatch, is_cut: bool) -> Found {
        Found {
            time: time_column(&rows),
            rows,
            is_cut,
        }
    }

    pub fn len(&self) -> usize {
        self.rows.num_rows()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn bytes(&self) -> u64 {
        self.rows.get_array_memory_size() as u64
    }

    pub fn rows(&self) -> &RecordBatch {
        &self.rows
    }

    pub fn columns(&self) -> Vec<String> {
        self.rows.schema_ref().fields().iter().map(|field| field.name().clone()).collect()
    }

    pub fn is_number(&self, column: usize) -> bool {
        self.rows.columns().get(column).is_some_and(|of| of.data_type().is_numeric())
    }

    /// Whether the rows have a time, so that they can stand on a clock.
    pub fn has_time(&self) -> bool {
        self.time.is_some()
    }

    /// Columns of numbers that are no times, as message paths spell them.
    pub fn plottable(&self) -> Vec<String> {
        let names = field_names(self.rows.schema_ref());
        let of_time = |at: usize| self.time == Some(at);
        let fitting = names.into_iter().enumerate().filter(|(at, _)| self.is_number(*at) && !of_time(*at));
        fitting.map(|(_, name)| name).collect()
    }

    /// Whether there are columns of degrees that the map knows.
    pub fn has_positions(&self) -> bool {
        let is_column = |name: &str| {
            let column = self.rows.column_by_name(name);
            column.is_some_and(|column| matches!(column.data_type(), DataType::Float64 | DataType::Decimal128(..)))
        };
        POSITION_COLUMNS.iter().any(|names| names.iter().all(|name| is_column(name)))
    }

    pub fn cell(&self, row: usize, column: usize) -> Cell {
        let Some(array) = self.rows.columns().get(column).filter(|array| row < array.len()) else {
            return Cell::Null;
        };
        if array.is_null(row) {
            return Cell::Null;
        }
        let one = array.slice(row, 1);
        match one.data_type() {
            DataType::Float16 | DataType::Float32 | DataType::Float64 => match cast(&one, &DataType::Float64) {
                Ok(number) => Cell::Float(number.as_primitive::<Float64Type>().value(0)),
                Err(_) => Cell::Null,
            },
            DataType::Timestamp(..) => match cast(&one, &DataType::Timestamp(TimeUnit::Nanosecond, None)) {
                Ok(instant) => Cell::Time(Time(instant.as_primitive::<TimestampNanosecondType>().value(0))),
                Err(_) => Cell::Null,
            },
            DataType::Binary => Cell::Text(format!("[{} bytes]", one.as_binary::<i32>().value(0).len())),
            // not written out to its end for a cell
            DataType::List(_) if one.as_list::<i32>().value_length(0) > WRITTEN_OUT => {
                Cell::Text(format!("[{} values]", one.as_list::<i32>().value_length(0)))
            }
            _ => Cell::Text(text(&one)),
        }
    }

    /// Numbers of the rows in the order of a column; rows without a value come last.
    pub fn ordered(&self, column: usize, descending: bool) -> Vec<u32> {
        let options = SortOptions {
            descending,
            nulls_first: false,
        };
        let unordered = || (0..u32::try_from(self.len()).unwrap_or(u32::MAX)).collect();
        let Some(array) = self.rows.columns().get(column) else {
            return unordered();
        };
        // structures and lists have no order of their own
        let sorted = sort_to_indices(array, Some(options), None).or_else(|_| {
            let texts: ArrayRef = Arc::new(
                (0..array.len())
                    .map(|row| Some(text(&array.slice(row, 1))))
                    .collect::<arrow::array::StringArray>(),
            );
            sort_to_indices(&texts, Some(options), None)
        });
        sorted.map_or_else(|_| unordered(), |order| order.values().to_vec())
    }

    /// A row as a JSON object.
    pub fn row_json(&self, row: usize) -> String {
        let one = self.rows.slice(row.min(self.len()), usize::from(row < self.len()));
        let mut out = Vec::new();
        // writing to memory does not fail
        let _ = write(&one, Style::Json, &mut out);
        String::from_utf8_lossy(&out).trim_end().to_owned()
    }

    /// All rows as a file.
    pub fn write(&self, style: Style, out: &mut (impl Write + Send)) -> Result<(), LakeError> {
        write(&self.rows, style, out)
    }

    /// The same in the order of their times.
    pub fn write_as_topic(&self, out: &mut (impl Write + Send)) -> Result<(), LakeError> {
        let ordered = self.time.and_then(|at| {
            let order = sort_to_indices(self.rows.column(at), None, None).ok()?;
            take_record_batch(&self.rows, &order).ok()
        });
        write(ordered.as_ref().unwrap_or(&self.rows), Style::Arrow, out)
    }
}

fn write(rows: &RecordBatch, style: Style, out: &mut (impl Write + Send)) -> Result<(), LakeError> {
    let mut writer = Rows::new(style, &rows.schema(), out)?;
    writer.write(rows)?;
    writer.finish().map(drop)
}

/// Of an array of one.
fn text(one: &ArrayRef) -> String {
    let options = FormatOptions::default().with_null("");
    let shown = ArrayFormatter::try_new(one, &options).ok();
    shown.and_then(|shown| shown.value(0).try_to_string().ok()).unwrap_or_default()
}

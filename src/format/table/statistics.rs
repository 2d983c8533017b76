//! What the statistics of a row group tell of the values of a column.
//!
//! Invariant: no value of the messages lies outside; where that is not sure, nothing is told.

use arrow::array::{ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, UInt64Type};
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;

use super::parquet::File;
use super::shape::{Column, Node};
use crate::format::Limit;

/// The least and the greatest value of the column called `name`, as messages hold them.
pub(super) fn limits(file: &File, group: usize, name: &str, column: &Column) -> Option<(Limit, Limit)> {
    let of_column = column.cast.as_ref()?;
    let metadata = file.metadata().row_groups().get(group)?;
    let converter = StatisticsConverter::try_new(name, file.arrow_schema(), file.metadata().file_metadata().schema_descr()).ok()?;
    let (least, greatest) = (
        converter.row_group_mins([metadata]).ok()?,
        converter.row_group_maxes([metadata]).ok()?,
    );
    let is_text = match column.node {
        Node::Number(..) => false,
        Node::Text => true,
        _ => return None,
    };
    // null is an empty text; among numbers it is none
    let has_nulls = || {
        let counts = converter.row_group_null_counts([metadata]).ok();
        counts.is_none_or(|counts| counts.iter().any(|count| count != Some(0)))
    };
    if is_text && has_nulls() {
        return None;
    }
    Some((limit(&least, of_column)?, limit(&greatest, of_column)?))
}

fn limit(statistic: &ArrayRef, of_column: &DataType) -> Option<Limit> {
    if statistic.len() != 1 || statistic.is_null(0) {
        return None;
    }
    let value = cast(statistic, of_column).ok().filter(|value| value.is_valid(0))?;
    Some(match of_column {
        DataType::Boolean => Limit::Bool(value.as_boolean().value(0)),
        of if of.is_unsigned_integer() => {
            let wide = cast(&value, &DataType::UInt64).ok()?;
            Limit::Int(wide.as_primitive::<UInt64Type>().value(0).into())
        }
        of if of.is_signed_integer() => {
            let wide = cast(&value, &DataType::Int64).ok()?;
            Limit::Int(wide.as_primitive::<Int64Type>().value(0).into())
        }
        DataType::Float32 | DataType::Float64 => {
            let wide = cast(&value, &DataType::Float64).ok()?;
            let number = wide.as_primitive::<Float64Type>().value(0);
            Limit::Float(Some(number).filter(|number| !number.is_nan())?)
        }
        DataType::Utf8 => Limit::Text(value.as_string::<i32>().value(0).to_owned()),
        _ => return None,
    })
}

//! What the statistics of a row group tell of the values of a column.
//!
//! Invariant: no value of the messages lies outside; where that is not sure, nothing is told.

use arrow::array::{Array as _, ArrayRef, AsArray};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema, TimeUnit, TimestampSecondType, UInt64Type};
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;

use super::clock::Clock;
use super::parquet::{File, is_text};
use super::shape::{Column, Node};
use crate::format::Limit;
use crate::time::Span;

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
        Node::Number(..) | Node::Maybe(..) => false,
        // numbers that are texts in the table have another order
        Node::Text => is_text(file.arrow_schema().field_with_name(name).ok()?.data_type()).then_some(true)?,
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

/// The span that the statistics of a row group tell.
pub(super) fn span(clock: &Clock, file: &File, group: usize, schema: &Schema) -> Option<Span> {
    let metadata = file.metadata().row_group(group);
    let bounds = |is_max: bool| {
        let columns = clock.columns().into_iter().map(|at| {
            let name = schema.field(at).name();
            let converter = StatisticsConverter::try_new(name, file.arrow_schema(), file.metadata().file_metadata().schema_descr()).ok()?;
            let groups = std::iter::once(metadata);
            if is_max {
                converter.row_group_maxes(groups).ok()
            } else {
                converter.row_group_mins(groups).ok()
            }
        });
        clock.times(&columns.collect::<Option<Vec<_>>>()?).first().copied().flatten()
    };
    let slack = match clock {
        Clock::Pair { .. } => 1_000_000_000,
        Clock::Column { .. } => 0,
    };
    Some(Span::new(bounds(false)?.plus_nanos(-slack), bounds(true)?.plus_nanos(slack)))
}

/// The least and the greatest value of a column of numbers or instants.
pub(super) fn bounds(file: &File, group: usize, field: &Field) -> Option<ArrayRef> {
    // texts may be cut short, and of structures nothing is told
    if is_text(field.data_type()) || field.data_type().is_nested() {
        return None;
    }
    let group = file.metadata().row_groups().get(group)?;
    let converter = StatisticsConverter::try_new(field.name(), file.arrow_schema(), file.metadata().file_metadata().schema_descr()).ok()?;
    let (least, greatest) = (converter.row_group_mins([group]).ok()?, converter.row_group_maxes([group]).ok()?);
    let bounds = concat(&[&*least, &*greatest]).ok()?;
    (bounds.len() == 2 && bounds.null_count() == 0).then_some(bounds)
}

/// Whether the column holds times that no message can hold.
pub(super) fn has_far_times(file: &File, name: &str) -> bool {
    let groups = file.metadata().row_groups();
    let bounds = || {
        let converter = StatisticsConverter::try_new(name, file.arrow_schema(), file.metadata().file_metadata().schema_descr()).ok()?;
        Some([converter.row_group_mins(groups).ok()?, converter.row_group_maxes(groups).ok()?])
    };
    let is_far = |bound: &ArrayRef| {
        let secs = cast(bound, &DataType::Timestamp(TimeUnit::Second, None)).ok();
        secs.is_some_and(|secs| {
            let secs = secs.as_primitive::<TimestampSecondType>();
            secs.iter().flatten().any(|secs| u32::try_from(secs).is_err())
        })
    };
    bounds().is_some_and(|bounds| bounds.iter().any(is_far))
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

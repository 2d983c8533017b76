//! Columns of any type as texts.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, DurationNanosecondType, Float64Type, TimeUnit, TimestampNanosecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::format::table::structure_times;
use crate::time::{Time, rfc3339};

/// A list or structure is told up to here.
const LONGEST: usize = 200;

/// None for null. Instants, also as structures of seconds and nanoseconds, are RFC 3339, lengths of time seconds.
pub(super) fn texts(array: &ArrayRef) -> Vec<Option<String>> {
    use DataType::*;
    let as_type = |of: DataType| cast(array, &of).ok();
    let texts = match array.data_type() {
        Float16 | Float32 | Float64 | Decimal32(..) | Decimal64(..) | Decimal128(..) | Decimal256(..) => as_type(Float64).map(|numbers| {
            let numbers = numbers.as_primitive::<Float64Type>();
            numbers.iter().map(|n| n.filter(|n| !n.is_nan()).map(|n| n.to_string())).collect()
        }),
        Timestamp(..) | Date32 | Date64 => as_type(Timestamp(TimeUnit::Nanosecond, None)).map(|instants| {
            let nanos = instants.as_primitive::<TimestampNanosecondType>();
            nanos.iter().map(|nanos| nanos.map(|nanos| rfc3339(Time(nanos)))).collect()
        }),
        Duration(_) => as_type(Duration(TimeUnit::Nanosecond)).map(|lengths| {
            let nanos = lengths.as_primitive::<DurationNanosecondType>();
            nanos
                .iter()
                .map(|nanos| nanos.map(|nanos| (nanos as f64 / 1e9).to_string()))
                .collect()
        }),
        Struct(_) => structure_times(array.as_struct()).map(|times| times.into_iter().map(|time| time.map(rfc3339)).collect()),
        of if of.is_nested() => None,
        _ => as_type(Utf8).map(|texts| texts.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect()),
    };
    texts.unwrap_or_else(|| shown(array))
}

fn shown(array: &ArrayRef) -> Vec<Option<String>> {
    let options = FormatOptions::default();
    let Ok(formatter) = ArrayFormatter::try_new(array, &options) else {
        return vec![None; array.len()];
    };
    let text = |row: usize| {
        let text = formatter.value(row).try_to_string().ok().filter(|_| array.is_valid(row))?;
        Some(text.chars().take(LONGEST).collect())
    };
    (0..array.len()).map(text).collect()
}

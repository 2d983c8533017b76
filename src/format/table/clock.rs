//! Which column of a table is its time, found by name, type and magnitude, and what its values are.
//!
//! Invariant: a value that is no time gives None, never a moment of its own.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, Schema, TimeUnit, TimestampNanosecondType};

use crate::time::{Time, When};

/// Names of time columns, the likeliest first; case makes no difference.
const NAMES: &[&str] = &[
    "time",
    "timestamp",
    "timestamp_ns",
    "time_ns",
    "stamp",
    "receive_time",
    "log_time",
    "ts",
    "t",
    "datetime",
    "date_time",
    "event_time",
    "header_stamp",
    "start_time",
    "date",
];

/// How seconds and nanoseconds of one time are called.
const PAIRS: &[(&str, &str)] = &[("secs", "nsecs"), ("sec", "nanosec"), ("sec", "nsec"), ("seconds", "nanoseconds")];

/// Columns that name the picture a row was found in; the names of AWS's pictures hold its time.
const PICTURES: &[&str] = &["source_image", "image_filename"];

/// A float of this size or more (in seconds) cannot tell nanoseconds: it is taken for whole microseconds.
const COARSE_SECS: f64 = (1 << 29) as f64;

/// Where the times of a table's rows are.
#[derive(Clone, Debug, PartialEq)]
pub enum Clock {
    /// A column of instants, numbers or texts.
    Column { column: usize, unit: Unit },
    /// Seconds in one column, nanoseconds in another.
    Pair { secs: usize, nanos: usize },
}

/// What numbers count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Secs,
    Millis,
    Micros,
    Nanos,
}

impl Unit {
    fn nanos(self) -> f64 {
        match self {
            Unit::Secs => 1e9,
            Unit::Millis => 1e6,
            Unit::Micros => 1e3,
            Unit::Nanos => 1.0,
        }
    }

    /// By magnitude: what makes a date of our days out of it.
    fn of(number: f64) -> Unit {
        match number.abs() {
            n if n >= 1e17 => Unit::Nanos,
            n if n >= 1e14 => Unit::Micros,
            n if n >= 1e11 => Unit::Millis,
            _ => Unit::Secs,
        }
    }
}

impl Clock {
    /// What may be the table's time, the likeliest first; their values decide ([`Clock::fits`]).
    pub fn candidates(schema: &Schema, named: Option<&str>) -> Vec<Clock> {
        let fields = schema.fields();
        let lower: Vec<String> = fields.iter().map(|field| field.name().to_ascii_lowercase()).collect();
        let at = |name: &str| lower.iter().position(|other| other == name);
        let of = |column: usize| Clock::Column { column, unit: Unit::Secs };
        let chosen = named.and_then(|named| {
            fields
                .iter()
                .position(|f| f.name() == named)
                .or_else(|| at(&named.to_ascii_lowercase()))
        });
        if let Some(chosen) = chosen {
            return vec![of(chosen)];
        }
        let by_name = NAMES.iter().filter_map(|name| at(name)).map(of);
        let pairs = lower.iter().enumerate().flat_map(|(secs, name)| {
            let twins = PAIRS.iter().filter_map(move |(high, low)| {
                let prefix = name.strip_suffix(high)?;
                (prefix.is_empty() || prefix.ends_with('_')).then(|| format!("{prefix}{low}"))
            });
            twins.filter_map(|twin| at(&twin)).map(move |nanos| Clock::Pair { secs, nanos })
        });
        let by_type = fields
            .iter()
            .enumerate()
            .filter(|(_, field)| is_instant(field.data_type()))
            .map(|(column, _)| of(column));
        // the time of an exposure is no moment
        let is_ending = |column: usize, name: &str| {
            let is_amount = fields.get(column).is_none_or(|field| is_number(field.data_type()));
            name.ends_with("timestamp") || (name.ends_with("_time") && !is_amount)
        };
        let by_ending = lower.iter().enumerate().filter(|(column, name)| is_ending(*column, name));
        let by_picture = PICTURES.iter().filter_map(|name| at(name)).map(of);
        let mut all: Vec<Clock> = Vec::new();
        for clock in by_name
            .chain(pairs)
            .chain(by_type)
            .chain(by_ending.map(|(column, _)| of(column)))
            .chain(by_picture)
        {
            let is_fitting = clock
                .columns()
                .iter()
                .all(|column| fields.get(*column).is_some_and(|f| may_be_time(f.data_type())));
            if is_fitting && !all.contains(&clock) {
                all.push(clock);
            }
        }
        all
    }

    /// The columns that it needs, in the order in which it takes them.
    pub fn columns(&self) -> Vec<usize> {
        match self {
            Clock::Column { column, .. } => vec![*column],
            Clock::Pair { secs, nanos } => vec![*secs, *nanos],
        }
    }

    /// Learns the unit from values; false where they are no times.
    pub fn fits(&mut self, values: &[ArrayRef]) -> bool {
        if let (Clock::Column { unit, .. }, [values]) = (&mut *self, values)
            && is_number(values.data_type())
            && let Ok(numbers) = cast(values, &DataType::Float64)
        {
            let numbers = numbers.as_primitive::<Float64Type>();
            let largest = numbers.iter().flatten().filter(|n| n.is_finite()).map(f64::abs).fold(0.0, f64::max);
            *unit = Unit::of(largest);
        }
        let times = self.times(values);
        let (known, rows) = (times.iter().flatten().count(), times.len());
        known * 2 > rows || (rows == 0 && !values.is_empty())
    }

    /// The time of each row.
    pub fn times(&self, values: &[ArrayRef]) -> Vec<Option<Time>> {
        match (self, values) {
            (Clock::Column { unit, .. }, [values]) => column_times(values, *unit),
            (Clock::Pair { .. }, [secs, nanos]) => {
                let whole = |array: &ArrayRef| cast(array, &DataType::Int64).ok();
                let (Some(secs), Some(nanos)) = (whole(secs), whole(nanos)) else {
                    return vec![None; secs.len()];
                };
                let pairs = secs
                    .as_primitive::<Int64Type>()
                    .iter()
                    .zip(nanos.as_primitive::<Int64Type>().iter());
                pairs
                    .map(|(secs, nanos)| Some(Time(secs?.checked_mul(1_000_000_000)?.checked_add(nanos?)?)))
                    .collect()
            }
            _ => Vec::new(),
        }
    }
}

fn column_times(values: &ArrayRef, unit: Unit) -> Vec<Option<Time>> {
    let none = || vec![None; values.len()];
    match values.data_type() {
        of if is_instant(of) => {
            let Ok(instants) = cast(values, &DataType::Timestamp(TimeUnit::Nanosecond, None)) else {
                return none();
            };
            instants
                .as_primitive::<TimestampNanosecondType>()
                .iter()
                .map(|nanos| nanos.map(Time))
                .collect()
        }
        DataType::Float16 | DataType::Float32 | DataType::Float64 | DataType::Decimal128(..) => match cast(values, &DataType::Float64) {
            Ok(numbers) => numbers.as_primitive::<Float64Type>().iter().map(|n| float_time(n?, unit)).collect(),
            Err(_) => none(),
        },
        of if of.is_integer() => match cast(values, &DataType::Int64) {
            Ok(numbers) => numbers.as_primitive::<Int64Type>().iter().map(|n| whole_time(n?, unit)).collect(),
            Err(_) => none(),
        },
        _ => match cast(values, &DataType::Utf8) {
            Ok(texts) => texts.as_string::<i32>().iter().map(|text| text_time(text?)).collect(),
            Err(_) => none(),
        },
    }
}

fn float_time(number: f64, unit: Unit) -> Option<Time> {
    if !number.is_finite() {
        return None;
    }
    if unit == Unit::Secs && (COARSE_SECS..9.2e9).contains(&number.abs()) {
        return Some(Time((number * 1e6).round() as i64 * 1_000));
    }
    let nanos = number * unit.nanos();
    (nanos.abs() < 9.2e18).then_some(Time(nanos.round() as i64))
}

fn whole_time(number: i64, unit: Unit) -> Option<Time> {
    number.checked_mul(unit.nanos() as i64).map(Time)
}

/// A date with or without a time of day; numbers of any unit.
fn text_time(text: &str) -> Option<Time> {
    let text = text.trim();
    if let Ok(When::At(time)) = When::parse(text) {
        return Some(time);
    }
    let Ok(civil) = text.parse::<jiff::civil::DateTime>() else {
        return picture_time(text);
    };
    let stamp = jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()?;
    i64::try_from(stamp.as_nanosecond()).ok().map(Time)
}

/// Of `…/frame_0000012_1600000000_5000000.png` (seconds, nanoseconds) or `frame_0000012_1600000000005000000.png`.
fn picture_time(name: &str) -> Option<Time> {
    let file = name.rsplit(['/', '\\']).next()?;
    let (stem, _) = file.rsplit_once('.')?;
    let numbers: Option<Vec<i64>> = stem.strip_prefix("frame_")?.split('_').map(|part| part.parse().ok()).collect();
    match *numbers?.as_slice() {
        [_, secs, nanos] => Some(Time(secs.checked_mul(1_000_000_000)?.checked_add(nanos)?)),
        [_, stamp] => match Unit::of(stamp as f64) {
            // a mere number tells nothing
            Unit::Secs if stamp < 100_000_000 => None,
            unit => whole_time(stamp, unit),
        },
        _ => None,
    }
}

fn is_instant(of: &DataType) -> bool {
    matches!(of, DataType::Timestamp(..) | DataType::Date32 | DataType::Date64)
}

fn is_number(of: &DataType) -> bool {
    of.is_numeric()
}

fn may_be_time(of: &DataType) -> bool {
    match of {
        DataType::Dictionary(_, values) => may_be_time(values),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        other => is_instant(other) || is_number(other),
    }
}

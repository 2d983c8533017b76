//! Which column of a table is its time, found by name, type and magnitude, and what its values are.
//!
//! Invariant: a value that is no time gives None, never a moment of its own.

use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Fields, Float64Type, Int64Type, Schema, TimeUnit, TimestampNanosecondType};

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

/// Structures that hold the time of a message.
const STRUCTURES: &[&str] = &["header", "stamp"];

/// Words of names that speak of a time; where the column holds numbers, these tell whether it is of a moment.
const WORDS: &[&str] = &["time", "timestamp", "stamp", "datetime", "epoch", "unix", "utc"];

/// Columns that name the picture a row was found in; the names of AWS's pictures hold its time.
const PICTURES: &[&str] = &["source_image", "image_filename"];

/// A float of this size or more (in seconds) cannot tell nanoseconds: it is taken for whole microseconds.
const COARSE_SECS: f64 = (1 << 29) as f64;

/// Where the times of a table's rows are.
#[derive(Clone, Debug, PartialEq)]
pub enum Clock {
    /// A column of instants, numbers, texts or structures of seconds and nanoseconds.
    Column { column: usize, units: Units, guess: Option<Guess> },
    /// Seconds in one column, nanoseconds in another.
    Pair { secs: usize, nanos: usize },
}

/// Nothing but its values tells that a column may be the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guess {
    /// Its numbers have to be moments of our days.
    Numbers,
    /// Its texts have to begin with dates.
    Texts,
}

/// What the numbers of a column count: most of them one thing, some perhaps another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Units {
    usual: Unit,
    /// Most numbers are moments of our days.
    are_dates: bool,
}

impl Units {
    const SECS: Units = Units {
        usual: Unit::Secs,
        are_dates: false,
    };

    fn of(numbers: impl Iterator<Item = f64>) -> Units {
        let all = [Unit::Secs, Unit::Millis, Unit::Micros, Unit::Nanos];
        let mut counts = [(0, 0); 4];
        for number in numbers.filter(|n| n.is_finite() && *n != 0.0) {
            let unit = Unit::of(number);
            for (_, (count, dates)) in all.iter().zip(&mut counts).filter(|(other, _)| **other == unit) {
                *count += 1;
                *dates += usize::from(unit.is_date(number));
            }
        }
        // seconds where as many are in another unit
        let usual = all.into_iter().zip(counts).rev().max_by_key(|(_, (count, _))| *count);
        usual.map_or(Units::SECS, |(usual, (count, dates))| Units {
            usual,
            are_dates: dates * 2 > count,
        })
    }

    /// Of one number: among moments of our days one that is none counts something else, where that makes it one.
    fn unit(self, number: f64) -> Unit {
        let own = Unit::of(number);
        match self.are_dates && !self.usual.is_date(number) && own.is_date(number) {
            true => own,
            false => self.usual,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
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

    /// Whether a number of this unit is a moment between 2000 and 2100.
    fn is_date(self, number: f64) -> bool {
        (9.4e17..4.11e18).contains(&(number * self.nanos()))
    }
}

impl Clock {
    /// What may be the table's time, the likeliest first; their values decide ([`Clock::fits`]).
    pub fn candidates(schema: &Schema, named: Option<&str>) -> Vec<Clock> {
        let fields = schema.fields();
        let lower: Vec<String> = fields.iter().map(|field| field.name().to_ascii_lowercase()).collect();
        let at = |name: &str| lower.iter().position(|other| other == name);
        let guessed = |column: usize, guess: Option<Guess>| Clock::Column {
            column,
            units: Units::SECS,
            guess,
        };
        let of = |column: usize| guessed(column, None);
        let guess = |column: usize| guessed(column, Some(Guess::Numbers));
        if let Some(chosen) = named.and_then(|named| named_column(schema, named)) {
            return vec![of(chosen)];
        }
        let by_name = NAMES.iter().filter_map(|name| at(name)).map(of);
        let pairs = lower.iter().enumerate().flat_map(|(secs, name)| {
            let twins = PAIRS.iter().filter_map(move |(high, low)| {
                let prefix = name.strip_suffix(high)?;
                (prefix.is_empty() || prefix.ends_with(['_', '.'])).then(|| format!("{prefix}{low}"))
            });
            twins.filter_map(|twin| at(&twin)).map(move |nanos| Clock::Pair { secs, nanos })
        });
        let by_type = fields
            .iter()
            .enumerate()
            .filter(|(_, field)| is_instant(field.data_type()))
            .map(|(column, _)| of(column));
        // of JSON, a structure is a text
        let is_structure = |column: &usize| {
            let of = fields.get(*column).map(|field| field.data_type());
            of.is_some_and(|of| matches!(of, DataType::Struct(_)) || is_text(of))
        };
        let by_structure = STRUCTURES.iter().filter_map(|name| at(name)).filter(is_structure).map(of);
        let by_ending = lower.iter().enumerate().filter(|(_, name)| name.ends_with("timestamp"));
        // the time of an exposure is no moment
        let speaks_of_time = |name: &str| name.split(|c: char| !c.is_alphanumeric()).any(|word| WORDS.contains(&word));
        let by_word = lower.iter().enumerate().filter(|(_, name)| speaks_of_time(name));
        let by_picture = PICTURES.iter().filter_map(|name| at(name)).map(of);
        let mut all: Vec<Clock> = Vec::new();
        for clock in by_name
            .chain(pairs)
            .chain(by_structure)
            .chain(by_type)
            .chain(by_ending.map(|(column, _)| of(column)))
            .chain(by_word.map(|(column, _)| guess(column)))
            .chain(by_picture)
        {
            let is_fitting = clock
                .columns()
                .iter()
                .all(|column| fields.get(*column).is_some_and(|f| may_be_time(f.data_type())));
            let is_known = all.iter().any(|known| known.columns() == clock.columns());
            if is_fitting && !is_known {
                all.push(clock);
            }
        }
        let is_guess = |clock: &Clock| matches!(clock, Clock::Column { guess: Some(_), .. });
        if all.iter().all(is_guess) {
            let texts = fields.iter().enumerate().filter(|(_, field)| is_text(field.data_type()));
            all.extend(texts.map(|(column, _)| guessed(column, Some(Guess::Texts))));
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
        if let (Clock::Column { units, guess, .. }, [values]) = (&mut *self, values) {
            if is_number(values.data_type())
                && let Ok(numbers) = cast(values, &DataType::Float64)
            {
                *units = Units::of(numbers.as_primitive::<Float64Type>().iter().flatten());
                if guess.is_some() && !units.are_dates {
                    return false;
                }
            }
            if *guess == Some(Guess::Texts) && !are_dates(values) {
                return false;
            }
        }
        let times = self.times(values);
        let (known, rows) = (times.iter().flatten().count(), times.len());
        known * 2 > rows || (rows == 0 && !values.is_empty())
    }

    /// The time of each row.
    pub fn times(&self, values: &[ArrayRef]) -> Vec<Option<Time>> {
        match (self, values) {
            (Clock::Column { units, .. }, [values]) => column_times(values, *units),
            (Clock::Pair { .. }, [secs, nanos]) => pair_times(secs, nanos),
            _ => Vec::new(),
        }
    }
}

/// The column that is called so, or whose fields are.
pub fn named_column(schema: &Schema, named: &str) -> Option<usize> {
    let fields = schema.fields();
    let position = |name: &str| {
        let exactly = fields.iter().position(|field| field.name() == name);
        exactly.or_else(|| fields.iter().position(|field| field.name().eq_ignore_ascii_case(name)))
    };
    let of_stamp = || position(named.strip_suffix(".stamp")?);
    position(named).or_else(of_stamp)
}

/// Whether texts are dates, if there are any: 2024-07-25, perhaps with a time of day.
fn are_dates(values: &ArrayRef) -> bool {
    let Ok(texts) = cast(values, &DataType::Utf8) else { return false };
    let is_date = |text: &str| {
        let date = text.trim().as_bytes().get(..10);
        date.is_some_and(|date| {
            let mut bytes = date.iter().enumerate();
            bytes.all(|(at, byte)| {
                if matches!(at, 4 | 7) {
                    b"-/".contains(byte)
                } else {
                    byte.is_ascii_digit()
                }
            })
        })
    };
    let texts = texts.as_string::<i32>();
    let mut known = texts.iter().flatten().filter(|text| !text.trim().is_empty()).peekable();
    known.peek().is_some() && known.all(is_date)
}

fn pair_times(secs: &ArrayRef, nanos: &ArrayRef) -> Vec<Option<Time>> {
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

/// Of structures like `stamp{sec, nanosec}` or `header{stamp{…}}`.
pub fn structure_times(values: &StructArray) -> Option<Vec<Option<Time>>> {
    let pair = PAIRS
        .iter()
        .find_map(|(secs, nanos)| Some((values.column_by_name(secs)?, values.column_by_name(nanos)?)));
    if let Some((secs, nanos)) = pair {
        return Some(pair_times(secs, nanos));
    }
    let stamp = values.column_by_name("stamp")?;
    match stamp.data_type() {
        DataType::Struct(_) => structure_times(stamp.as_struct()),
        of if is_instant(of) => Some(column_times(stamp, Units::SECS)),
        _ => None,
    }
}

/// Whether [`structure_times`] finds some.
fn is_time_structure(fields: &Fields, depth: usize) -> bool {
    let of = |name: &str| fields.iter().find(|field| field.name() == name).map(|field| field.data_type());
    let is_whole = |name: &str| of(name).is_some_and(DataType::is_integer);
    let has_pair = PAIRS.iter().any(|(secs, nanos)| is_whole(secs) && is_whole(nanos));
    has_pair
        || of("stamp").is_some_and(|of| match of {
            DataType::Struct(inner) => depth > 0 && is_time_structure(inner, depth - 1),
            other => is_instant(other),
        })
}

fn column_times(values: &ArrayRef, units: Units) -> Vec<Option<Time>> {
    let none = || vec![None; values.len()];
    match values.data_type() {
        DataType::Struct(_) => structure_times(values.as_struct()).unwrap_or_else(none),
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
            Ok(numbers) => numbers
                .as_primitive::<Float64Type>()
                .iter()
                .map(|n| float_time(n?, units))
                .collect(),
            Err(_) => none(),
        },
        of if of.is_integer() => match cast(values, &DataType::Int64) {
            Ok(numbers) => numbers
                .as_primitive::<Int64Type>()
                .iter()
                .map(|n| whole_time(n?, units.unit(n? as f64)))
                .collect(),
            Err(_) => none(),
        },
        _ => match cast(values, &DataType::Utf8) {
            Ok(texts) => texts.as_string::<i32>().iter().map(|text| text_time(text?)).collect(),
            Err(_) => none(),
        },
    }
}

/// Numbers as times, each by its own magnitude.
pub fn number_times(numbers: &ArrayRef) -> Vec<Option<Time>> {
    let own = |number: f64| Units {
        usual: Unit::of(number),
        are_dates: false,
    };
    match (
        numbers.data_type().is_integer(),
        cast(numbers, &DataType::Int64),
        cast(numbers, &DataType::Float64),
    ) {
        (true, Ok(whole), _) => whole
            .as_primitive::<Int64Type>()
            .iter()
            .map(|n| whole_time(n?, Unit::of(n? as f64)))
            .collect(),
        (false, _, Ok(floats)) => floats
            .as_primitive::<Float64Type>()
            .iter()
            .map(|n| float_time(n?, own(n?)))
            .collect(),
        _ => vec![None; numbers.len()],
    }
}

fn float_time(number: f64, units: Units) -> Option<Time> {
    if !number.is_finite() {
        return None;
    }
    let unit = units.unit(number);
    let nanos = number * unit.nanos();
    let secs = nanos.abs() / 1e9;
    if matches!(unit, Unit::Secs | Unit::Millis) && (COARSE_SECS..9.2e9).contains(&secs) {
        return Some(Time((number * (unit.nanos() / 1e3)).round() as i64 * 1_000));
    }
    (nanos.abs() < 9.2e18).then_some(Time(nanos.round() as i64))
}

fn whole_time(number: i64, unit: Unit) -> Option<Time> {
    number.checked_mul(unit.nanos() as i64).map(Time)
}

/// A date with or without a time of day; numbers of any unit.
fn text_time(text: &str) -> Option<Time> {
    let text = text.trim();
    if text.starts_with('{') {
        return object_time(&serde_json::from_str(text).ok()?);
    }
    if let Ok(When::At(time)) = When::parse(text) {
        return Some(time);
    }
    // 2020/09/13
    let is_date = |(at, b): (usize, u8)| if matches!(at, 4 | 7) { b == b'/' } else { b.is_ascii_digit() };
    let with_dashes = text.len() >= 10 && text.bytes().take(10).enumerate().all(is_date);
    let dashed = if with_dashes { text.replacen('/', "-", 2) } else { text.to_owned() };
    let Ok(civil) = dashed.parse::<jiff::civil::DateTime>() else {
        return picture_time(text);
    };
    let stamp = jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()?;
    i64::try_from(stamp.as_nanosecond()).ok().map(Time)
}

/// As [`structure_times`], of JSON.
pub fn object_time(value: &serde_json::Value) -> Option<Time> {
    let whole = |name: &str| value.get(name)?.as_i64();
    let pair = PAIRS.iter().find_map(|(secs, nanos)| Some((whole(secs)?, whole(nanos)?)));
    if let Some((secs, nanos)) = pair {
        return Some(Time(secs.checked_mul(1_000_000_000)?.checked_add(nanos)?));
    }
    match value.get("stamp")? {
        serde_json::Value::String(text) => text_time(text),
        inner => object_time(inner),
    }
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

fn is_text(of: &DataType) -> bool {
    match of {
        DataType::Dictionary(_, values) => is_text(values),
        other => matches!(other, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View),
    }
}

fn is_number(of: &DataType) -> bool {
    of.is_numeric()
}

fn may_be_time(of: &DataType) -> bool {
    match of {
        DataType::Dictionary(_, values) => may_be_time(values),
        of if is_text(of) => true,
        DataType::Struct(fields) => is_time_structure(fields, 1),
        other => is_instant(other) || is_number(other),
    }
}

//! Times as people read and type them: UTC, local, seconds since the epoch, seconds from the start.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::panel::time_axis::{Labels, Mark, TimeAxis};
pub use crate::time::format_seconds as seconds;
use crate::time::{Span, Time, When, format_duration, format_elapsed};

/// From here on between two ticks, days are told.
const HOUR_NANOS: i64 = 3_600_000_000_000;
pub const DAY_NANOS: i64 = 24 * HOUR_NANOS;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeFormat {
    #[default]
    Utc,
    Local,
    Epoch,
    FromStart,
}

impl TimeFormat {
    pub const ALL: [TimeFormat; 4] = [TimeFormat::Utc, TimeFormat::Local, TimeFormat::Epoch, TimeFormat::FromStart];

    pub fn name(self) -> &'static str {
        match self {
            TimeFormat::Utc => "UTC",
            TimeFormat::Local => "Local time",
            TimeFormat::Epoch => "Seconds since the epoch",
            TimeFormat::FromStart => "Seconds from the start",
        }
    }

    /// Beside the time.
    pub fn short(self) -> &'static str {
        match self {
            TimeFormat::Utc => "UTC",
            TimeFormat::Local => "local",
            TimeFormat::Epoch => "epoch",
            TimeFormat::FromStart => "from start",
        }
    }

    pub fn next(self) -> TimeFormat {
        match self {
            TimeFormat::Utc => TimeFormat::Local,
            TimeFormat::Local => TimeFormat::Epoch,
            TimeFormat::Epoch => TimeFormat::FromStart,
            TimeFormat::FromStart => TimeFormat::Utc,
        }
    }

    /// To the millisecond, for the time field.
    pub fn show(self, t: Time, start: Time) -> String {
        match self {
            TimeFormat::Utc => civil(t, TimeZone::UTC, "%Y-%m-%d %H:%M:%S%.3f"),
            TimeFormat::Local => civil(t, TimeZone::system(), "%Y-%m-%d %H:%M:%S%.3f"),
            TimeFormat::Epoch => seconds(t.nanos(), 3),
            TimeFormat::FromStart => from_start(t.since(start), 3),
        }
    }

    /// To the nanosecond, for the clipboard; each can be typed back.
    pub fn exact(self, t: Time, start: Time) -> String {
        match self {
            TimeFormat::Utc => civil(t, TimeZone::UTC, "%Y-%m-%dT%H:%M:%S%.9fZ"),
            TimeFormat::Local => civil(t, TimeZone::system(), "%Y-%m-%dT%H:%M:%S%.9f%:z"),
            TimeFormat::Epoch => seconds(t.nanos(), 9),
            TimeFormat::FromStart => from_start(t.since(start), 9),
        }
    }

    /// For ruler ticks that are `step_nanos` apart.
    pub fn tick(self, t: Time, start: Time, step_nanos: i64) -> String {
        let digits = fraction_digits(step_nanos);
        match self {
            TimeFormat::Utc | TimeFormat::Local => {
                let zone = if self == TimeFormat::Utc {
                    TimeZone::UTC
                } else {
                    TimeZone::system()
                };
                let is_midnight = || civil(t, zone.clone(), "%H:%M:%S") == "00:00:00";
                let clock = match digits {
                    0 if step_nanos >= HOUR_NANOS && is_midnight() => "%Y-%m-%d",
                    0 => "%H:%M:%S",
                    1 => "%H:%M:%S%.1f",
                    2 => "%H:%M:%S%.2f",
                    3 => "%H:%M:%S%.3f",
                    _ => "%H:%M:%S%.6f",
                };
                civil(t, zone, clock)
            }
            TimeFormat::Epoch => seconds(t.nanos(), digits),
            TimeFormat::FromStart => format!("{} s", seconds(t.since(start), digits)),
        }
    }
}

fn civil(t: Time, zone: TimeZone, pattern: &str) -> String {
    match jiff::Timestamp::from_nanosecond(i128::from(t.nanos())) {
        Ok(stamp) => stamp.to_zoned_datetime(zone).strftime(pattern).to_string(),
        Err(_) => seconds(t.nanos(), 3),
    }
}

fn from_start(nanos: i64, digits: usize) -> String {
    let sign = if nanos < 0 { "" } else { "+" };
    format!("{sign}{}", seconds(nanos, digits))
}

fn fraction_digits(step_nanos: i64) -> usize {
    let mut digits = 0;
    let mut unit = 1_000_000_000;
    while step_nanos % unit != 0 && digits < 9 {
        unit /= 10;
        digits += 1;
    }
    digits
}

/// How long a span is: in seconds, from an hour on as a clock shows it, from a day on in days and hours.
pub fn length(nanos: i64) -> String {
    match nanos {
        ..HOUR_NANOS => format!("{} s", seconds(nanos, 3)),
        HOUR_NANOS..DAY_NANOS => format_elapsed(nanos, 3),
        _ => format_duration(nanos),
    }
}

/// The smallest readable step of ticks that stand at least `min_nanos` apart.
pub fn tick_step(min_nanos: i64) -> i64 {
    let second = 1_000_000_000i64;
    let mut step = 1i64;
    while step < second {
        for factor in [1, 2, 5] {
            if step * factor >= min_nanos {
                return step * factor;
            }
        }
        step *= 10;
    }
    for seconds in [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400] {
        if seconds * second >= min_nanos {
            return seconds * second;
        }
    }
    let day = 86_400 * second;
    (min_nanos / day + 1).saturating_mul(day)
}

/// Ticks of whole days, months and years, UTC, on a ruler so many points wide; those with a text are the major ones.
pub fn calendar_ticks(span: Span, width: f32) -> Vec<(Time, Option<String>)> {
    let axis = TimeAxis::new(span.start.nanos(), span.end.nanos(), width, Labels::Clock(Time(0)));
    let tick = |mark: Mark| (Time(mark.nanos), mark.has_label.then(|| axis.text(mark.nanos)));
    axis.marks().map(tick).collect()
}

/// What was typed or pasted into the time field: every spelling of [`When`].
pub fn parse(text: &str, span: Span) -> Result<Time, String> {
    When::parse(text)
        .map(|when| when.unclamped(span))
        .map_err(|error| error.to_string())
}

//! What users type or paste as a time → a [`When`]. Decimal digits are read as integers, never as floats.

use super::{Span, Time};

const NANOS_PER_SEC: i128 = 1_000_000_000;
const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// A time as it was written; [`When::at`] finds it in a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum When {
    At(Time),
    /// Nanoseconds from the recording's start.
    FromStart(i64),
    /// Nanoseconds before the recording's end.
    FromEnd(i64),
    /// Part of the recording in billionths: `50%` is 500,000,000.
    Fraction(i64),
    /// Nanoseconds since midnight, UTC, of the day of the recording.
    TimeOfDay(i64),
}

/// One sentence that names the forms that are understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "“{0}” is not a time: give seconds, milliseconds, microseconds or nanoseconds since 1970 (1600000003.25), \
     RFC 3339 (2020-09-13T12:26:43.25Z), a time of day (12:26:43), seconds from the start (+12.5) or a part of the recording (50%)"
)]
pub struct TimeError(pub String);

impl When {
    /// Every spelling of the command line's contract, and what people paste: quotes and spaces around it, a space instead of
    /// `T`, `1600000003:250000000` (seconds:nanoseconds), a unit behind the number.
    pub fn parse(text: &str) -> Result<When, TimeError> {
        let bare = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '“' | '”' | ','));
        parse(bare).ok_or_else(|| TimeError(bare.chars().take(80).collect()))
    }

    /// The time, held within the recording.
    pub fn at(self, span: Span) -> Time {
        span.clamp(self.unclamped(span))
    }

    /// The time, wherever it lies.
    pub fn unclamped(self, span: Span) -> Time {
        match self {
            When::At(time) => time,
            When::FromStart(nanos) => span.start.plus_nanos(nanos),
            When::FromEnd(nanos) => span.end.plus_nanos(nanos.saturating_neg()),
            When::Fraction(billionths) => {
                let nanos = i128::from(span.end.since(span.start)) * i128::from(billionths) / NANOS_PER_SEC;
                span.start.plus_nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
            }
            When::TimeOfDay(nanos) => {
                let midnight = Time(span.start.nanos().div_euclid(NANOS_PER_DAY).saturating_mul(NANOS_PER_DAY));
                let today = midnight.plus_nanos(nanos);
                let tomorrow = today.plus_nanos(NANOS_PER_DAY);
                // A drive over midnight: the hour that the recording holds.
                if today < span.start && tomorrow <= span.end {
                    tomorrow
                } else {
                    today
                }
            }
        }
    }
}

fn parse(text: &str) -> Option<When> {
    if let Some(percent) = text.strip_suffix('%') {
        let billionths = fixed(percent.trim(), NANOS_PER_SEC / 100)?;
        return (0..=NANOS_PER_SEC)
            .contains(&billionths)
            .then_some(When::Fraction(narrow(billionths)?));
    }
    if let Some(rest) = text.strip_prefix('+') {
        let rest = rest.trim();
        let nanos = if rest.contains(':') {
            clock(rest, true)?
        } else {
            with_unit(rest).unwrap_or(None).map_or_else(|| fixed(rest, NANOS_PER_SEC), Some)?
        };
        return Some(When::FromStart(narrow(nanos)?));
    }
    if let Some(nanos) = absolute(text) {
        return Some(When::At(Time(narrow(nanos)?)));
    }
    if let Some(nanos) = clock(text.trim_end_matches(['Z', 'z']).trim_end(), false) {
        return Some(When::TimeOfDay(narrow(nanos)?));
    }
    calendar(text).map(When::At)
}

/// A number since the epoch: its unit by name or by magnitude.
fn absolute(text: &str) -> Option<i128> {
    if let Some((sec, nsec)) = text.split_once(':')
        && sec.len() > 2
        && !nsec.contains(':')
    {
        let nsec: i128 = digits(nsec).filter(|n| *n < NANOS_PER_SEC)?;
        return Some(digits(sec)? * NANOS_PER_SEC + nsec);
    }
    if let Some(named) = with_unit(text)? {
        return Some(named);
    }
    let seconds = fixed(text, 1)?;
    let scale = match seconds {
        ..100_000_000_000 => NANOS_PER_SEC,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        _ => 1,
    };
    fixed(text, scale)
}

/// `12.5 ms` → nanoseconds; Some(None) for a number without a unit, None where this is no number.
fn with_unit(text: &str) -> Option<Option<i128>> {
    let number = text.trim_end_matches(|c: char| c.is_alphabetic()).trim_end();
    // An exponent's letter stands inside the number, so it is never trimmed.
    let scale = match text.get(number.len()..)?.trim() {
        "" => return Some(None),
        "s" | "sec" | "secs" | "seconds" => NANOS_PER_SEC,
        "ms" => 1_000_000,
        "us" | "µs" | "μs" => 1_000,
        "ns" => 1,
        _ => return None,
    };
    fixed(number, scale).map(Some)
}

/// A decimal number (an exponent is allowed) times `scale`, rounded to the nearest integer, halves up.
fn fixed(text: &str, scale: i128) -> Option<i128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok().filter(|e| (-30..=30).contains(e))?),
        None => (text, 0),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && part.is_empty() || whole.len() > 20 {
        return None;
    }
    // Digits beyond the 15th behind the point are far below a nanosecond.
    let kept = part.get(..part.len().min(15))?;
    if !part.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value = if whole.is_empty() { 0 } else { digits(whole)? } * 10i128.pow(u32::try_from(kept.len()).ok()?)
        + if kept.is_empty() { 0 } else { digits(kept)? };
    let value = value.checked_mul(scale)?;
    let shift = i32::try_from(kept.len()).ok()? - exponent;
    if shift <= 0 {
        return value.checked_mul(10i128.checked_pow(shift.unsigned_abs())?);
    }
    let unit = 10i128.checked_pow(shift.unsigned_abs())?;
    Some(value.checked_add(unit / 2)? / unit)
}

fn digits(text: &str) -> Option<i128> {
    (!text.is_empty() && text.len() <= 20 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// `hh:mm:ss.fff`, `hh:mm`; with `is_span` `mm:ss` and any number of hours.
fn clock(text: &str, is_span: bool) -> Option<i128> {
    let parts: Vec<&str> = text.split(':').collect();
    let (hours, minutes, seconds) = match *parts.as_slice() {
        [hours, minutes, seconds] => (hours, minutes, seconds),
        [minutes, seconds] if is_span => ("0", minutes, seconds),
        [hours, minutes] => (hours, minutes, "0"),
        _ => return None,
    };
    let hours = digits(hours).filter(|h| is_span && *h < 1_000_000 || *h < 24)?;
    let minutes = digits(minutes).filter(|m| *m < 60)?;
    let nanos = fixed(seconds, NANOS_PER_SEC).filter(|n| *n < 60 * NANOS_PER_SEC)?;
    Some((hours * 3600 + minutes * 60) * NANOS_PER_SEC + nanos)
}

/// RFC 3339 and its relatives; without an offset UTC is meant.
fn calendar(text: &str) -> Option<Time> {
    let text = text
        .strip_suffix(" UTC")
        .or_else(|| text.strip_suffix(" GMT"))
        .map_or_else(|| text.to_owned(), |t| format!("{t}Z"));
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    // `12:26:43.25 +02:00` is written with a space before the offset by many tools.
    let joined = text.replace(" +", "+").replace(" -", "-").replace(" Z", "Z");
    let nanos = match joined.parse::<jiff::Timestamp>() {
        Ok(timestamp) => timestamp.as_nanosecond(),
        Err(_) => {
            let civil: jiff::civil::DateTime = joined.parse().ok()?;
            jiff::tz::Offset::UTC.to_timestamp(civil).ok()?.as_nanosecond()
        }
    };
    narrow(nanos).map(Time)
}

fn narrow(nanos: i128) -> Option<i64> {
    i64::try_from(nanos).ok()
}

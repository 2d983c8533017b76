//! Times and durations as text. Every time is exact: digits come from integers.

use jiff::tz::TimeZone;

use super::Time;

const NANOS_PER_SEC: i64 = 1_000_000_000;

/// `2020-09-13 12:26:43.250`.
pub fn format_utc(time: Time) -> String {
    civil(time, &TimeZone::UTC, " ", 3)
}

/// `2020-09-13 14:26:43.250 +02:00`, in the machine's own zone.
pub fn format_local(time: Time) -> String {
    format_in_zone(time, &TimeZone::system())
}

/// `2020-09-13 14:26:43.250 +02:00`.
pub fn format_in_zone(time: Time, zone: &TimeZone) -> String {
    let offset = zone.to_offset(timestamp(time)).seconds();
    let minutes = offset.unsigned_abs() / 60;
    let sign = if offset < 0 { '-' } else { '+' };
    format!("{} {sign}{:02}:{:02}", civil(time, zone, " ", 3), minutes / 60, minutes % 60)
}

/// `12:26:43.250`, UTC.
pub fn format_time_of_day(time: Time) -> String {
    format_time_of_day_to(time, 3)
}

/// As [`format_time_of_day`], to so many digits of a second.
pub fn format_time_of_day_to(time: Time, digits: usize) -> String {
    civil(time, &TimeZone::UTC, " ", digits).split_off(11)
}

/// `2020-09-13`, UTC.
pub fn format_date(time: Time) -> String {
    let mut text = civil(time, &TimeZone::UTC, " ", 0);
    text.truncate(10);
    text
}

/// `2020-09-13T12:26:43.25Z`: as many digits as there are, so that parsing gives the same time again.
pub fn rfc3339(time: Time) -> String {
    let text = civil(time, &TimeZone::UTC, "T", 9);
    let short = text.trim_end_matches('0').trim_end_matches('.');
    format!("{short}Z")
}

/// `1600000003.250000000`.
pub fn format_epoch(time: Time) -> String {
    let sign = if time.0 < 0 { "-" } else { "" };
    let nanos = time.0.unsigned_abs();
    format!(
        "{sign}{}.{:09}",
        nanos / NANOS_PER_SEC.unsigned_abs(),
        nanos % NANOS_PER_SEC.unsigned_abs()
    )
}

/// `+3.250 s` from `start`, cut to milliseconds; `-0.100 s` before it; `+6:59:51.600` from an hour on.
pub fn format_relative(time: Time, start: Time) -> String {
    let nanos = i128::from(time.0) - i128::from(start.0);
    let millis = nanos.div_euclid(1_000_000);
    let sign = if millis < 0 { '-' } else { '+' };
    let millis = millis.unsigned_abs();
    match i64::try_from(millis.saturating_mul(1_000_000)) {
        Ok(nanos) if millis >= 3_600_000 => format!("{sign}{}", format_elapsed(nanos, 3)),
        _ => format!("{sign}{}.{:03} s", millis / 1000, millis % 1000),
    }
}

/// `12.250`: seconds, cut after so many digits.
pub fn format_seconds(nanos: i64, digits: usize) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let (whole, fraction) = parts(nanos.unsigned_abs(), digits);
    format!("{sign}{whole}{fraction}")
}

/// `6:59:51.600`, `3 d 4:00:00`: cut after so many digits of a second.
pub fn format_elapsed(nanos: i64, digits: usize) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let (seconds, fraction) = parts(nanos.unsigned_abs(), digits);
    let days = match seconds / 86_400 {
        0 => String::new(),
        days => format!("{days} d "),
    };
    let (hours, minutes) = (seconds / 3600 % 24, seconds / 60 % 60);
    format!("{sign}{days}{hours}:{minutes:02}:{:02}{fraction}", seconds % 60)
}

/// Whole seconds, and `.` with so many digits of the rest.
fn parts(nanos: u64, digits: usize) -> (u64, String) {
    let fraction = format!(".{:09}", nanos % NANOS_PER_SEC.unsigned_abs());
    let kept = if digits == 0 {
        ""
    } else {
        fraction.get(..=digits).unwrap_or(&fraction)
    };
    (nanos / NANOS_PER_SEC.unsigned_abs(), kept.to_owned())
}

/// `850 ns`, `12.5 ms`, `3.25 s`, `2 min 05 s`, `1 h 02 min`, `3 d 04 h`: rounded.
pub fn format_duration(nanos: i64) -> String {
    const MINUTE: u64 = 60 * NANOS_PER_SEC.unsigned_abs();
    const HOUR: u64 = 60 * MINUTE;
    let sign = if nanos < 0 { "-" } else { "" };
    let n = nanos.unsigned_abs();
    let digits = n.checked_ilog10().unwrap_or(0);
    // what is rounded up may be a minute, and then reads as one
    let short = rounded(n, 10_u64.pow(digits.saturating_sub(2)));
    let (seconds, minutes, hours) = (
        rounded(n, NANOS_PER_SEC.unsigned_abs()),
        rounded(n, MINUTE) / MINUTE,
        rounded(n, HOUR) / HOUR,
    );
    let text = match short {
        0 => "0 s".to_owned(),
        1..1_000 => format!("{short} ns"),
        1_000..1_000_000 => format!("{} µs", decimal(short, 1_000)),
        1_000_000..1_000_000_000 => format!("{} ms", decimal(short, 1_000_000)),
        1_000_000_000..MINUTE => format!("{} s", decimal(short, 1_000_000_000)),
        _ if seconds < HOUR => format!("{} min {:02} s", seconds / MINUTE, seconds % MINUTE / NANOS_PER_SEC.unsigned_abs()),
        _ if minutes < 24 * 60 => format!("{} h {:02} min", minutes / 60, minutes % 60),
        _ => format!("{} d {:02} h", hours / 24, hours % 24),
    };
    format!("{sign}{text}")
}

/// To the nearest multiple, halves up.
fn rounded(n: u64, of: u64) -> u64 {
    n.saturating_add(of / 2) / of * of
}

/// Three significant digits, without trailing zeros; what follows them is cut.
fn decimal(n: u64, unit: u64) -> String {
    let whole = n / unit;
    let hundredths = n % unit * 100 / unit;
    let text = match whole {
        100.. => format!("{whole}"),
        10.. => format!("{whole}.{}", hundredths / 10),
        _ => format!("{whole}.{hundredths:02}"),
    };
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

fn civil(time: Time, zone: &TimeZone, between: &str, digits: usize) -> String {
    let at = zone.to_datetime(timestamp(time));
    let fraction = format!(".{:09}", at.subsec_nanosecond());
    let kept = if digits == 0 {
        ""
    } else {
        fraction.get(..=digits).unwrap_or(&fraction)
    };
    format!(
        "{:04}-{:02}-{:02}{between}{:02}:{:02}:{:02}{kept}",
        at.year(),
        at.month(),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// i64 nanoseconds span the years 1677 to 2262: always a timestamp.
fn timestamp(time: Time) -> jiff::Timestamp {
    jiff::Timestamp::from_nanosecond(i128::from(time.0)).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

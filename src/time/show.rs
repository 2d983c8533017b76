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
    civil(time, &TimeZone::UTC, " ", 3).split_off(11)
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

/// `+3.250 s` from `start`, cut to milliseconds; `-0.100 s` before it.
pub fn format_relative(time: Time, start: Time) -> String {
    let nanos = i128::from(time.0) - i128::from(start.0);
    let millis = nanos.div_euclid(1_000_000);
    let sign = if millis < 0 { '-' } else { '+' };
    format!("{sign}{}.{:03} s", millis.unsigned_abs() / 1000, millis.unsigned_abs() % 1000)
}

/// `850 ns`, `12.5 ms`, `3.25 s`, `2 min 05 s`, `1 h 02 min`, `3 d 04 h`.
pub fn format_duration(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let n = nanos.unsigned_abs();
    let seconds = n / NANOS_PER_SEC.unsigned_abs();
    let text = match n {
        0 => "0 s".to_owned(),
        1..1_000 => format!("{n} ns"),
        1_000..1_000_000 => format!("{} µs", decimal(n, 1_000)),
        1_000_000..1_000_000_000 => format!("{} ms", decimal(n, 1_000_000)),
        _ if seconds < 60 => format!("{} s", decimal(n, 1_000_000_000)),
        _ if seconds < 3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ if seconds < 86_400 => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {:02} h", seconds / 86_400, seconds / 3600 % 24),
    };
    format!("{sign}{text}")
}

/// Three significant digits, cut, without trailing zeros.
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
    let fraction = format!("{:09}", at.subsec_nanosecond());
    let kept = fraction.get(..digits).unwrap_or(&fraction);
    format!(
        "{:04}-{:02}-{:02}{between}{:02}:{:02}:{:02}.{kept}",
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

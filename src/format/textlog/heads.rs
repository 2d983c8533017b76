//! Heads of lines that are not made of parts in brackets: syslog's, glog's, `key=value` pairs, JSON, access logs.
//!
//! Invariant: the text of a line of pairs or of JSON is all of it.

use serde_json::Value;

use super::line::{INFO, Line, date_time, epoch, level_of, number, skip_blank};
use crate::time::Time;

/// Of a time that names no year: a year that has all days.
pub const NO_YEAR: i16 = 1972;

const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];
/// So far into a line of an access log its time is looked for.
const ACCESS_REACH: usize = 256;

/// None: it is none of these.
pub fn parse(line: &[u8]) -> Option<Line<'_>> {
    match line.first()? {
        b'{' => json(line),
        b'0'..=b'9' => access(line),
        _ => glog(line).or_else(|| syslog(line)).or_else(|| pairs(line)).or_else(|| access(line)),
    }
}

/// `Nov  3 09:23:38 host process[123]: text`
fn syslog(line: &[u8]) -> Option<Line<'_>> {
    let month = month_of(line)?;
    if line.get(3) != Some(&b' ') || line.get(6) != Some(&b' ') {
        return None;
    }
    let day = match line.get(4)? {
        b' ' => number(line, 5, 1)?,
        _ => number(line, 4, 2)?,
    };
    let time = in_year(i64::from(NO_YEAR), month, day, line.get(7..)?)?;
    let mut found = Line {
        time: Some(time),
        has_year: false,
        text_at: skip_blank(line, 15),
        ..Line::default()
    };
    // the host, then who speaks
    let rest = line.get(found.text_at..)?;
    let host = rest.iter().position(|b| *b == b' ')?;
    let tag = rest.get(host + 1..)?;
    let end = tag.iter().take(128).position(|b| *b == b':' || b.is_ascii_whitespace());
    if let Some(end) = end.filter(|end| tag.get(*end) == Some(&b':')) {
        let name = tag.get(..end)?;
        let bracket = name.iter().position(|b| *b == b'[').unwrap_or(end);
        found.node = name.get(..bracket)?;
        found.text_at = skip_blank(line, found.text_at + host + 1 + end + 1);
    } else {
        found.text_at += host + 1;
    }
    Some(found)
}

/// `E0517 15:04:22.619632 12345 file.cc:253] text`
fn glog(line: &[u8]) -> Option<Line<'_>> {
    let level = match line.first()? {
        b'D' | b'V' => 1,
        b'I' => INFO,
        b'W' => 4,
        b'E' => 8,
        b'F' => 16,
        _ => return None,
    };
    let (month, day) = (number(line, 1, 2)?, number(line, 3, 2)?);
    if line.get(5) != Some(&b' ') {
        return None;
    }
    let time = in_year(i64::from(NO_YEAR), month, day, line.get(6..)?)?;
    let end = line.iter().take(512).position(|b| *b == b']')?;
    let place = line.get(..end)?.rsplit(|b| b.is_ascii_whitespace()).next()?;
    let colon = place.iter().rposition(|b| *b == b':')?;
    Some(Line {
        time: Some(time),
        has_year: false,
        level,
        file: place.get(..colon)?,
        line: std::str::from_utf8(place.get(colon + 1..)?).ok()?.parse().ok()?,
        text_at: skip_blank(line, end + 1),
        ..Line::default()
    })
}

/// `time="2021-09-15T21:17:10Z" level=error msg="…"`
fn pairs(line: &[u8]) -> Option<Line<'_>> {
    let mut found = Line::default();
    let mut has_level = false;
    let mut at = 0;
    while let Some((key, value, next)) = pair(line, at) {
        match key {
            b"time" | b"ts" | b"t" | b"timestamp" => found.time = found.time.or_else(|| time_of(value)),
            b"level" | b"lvl" | b"severity" => {
                if let Some(level) = level_of(value) {
                    (found.level, has_level) = (level, true);
                }
            }
            b"logger" | b"node" | b"name" | b"component" => found.node = value,
            _ => {}
        }
        at = skip_blank(line, next);
    }
    (found.time.is_some() || has_level && at >= line.len()).then_some(found)
}

/// A key, its value without quotes, and where the next pair may start.
fn pair(line: &[u8], at: usize) -> Option<(&[u8], &[u8], usize)> {
    let rest = line.get(at..)?;
    let is_key = |b: &u8| b.is_ascii_alphanumeric() || b"_.-@".contains(b);
    let equals = rest.iter().position(|b| !is_key(b)).filter(|end| *end > 0)?;
    let (key, value) = (rest.get(..equals)?, rest.get(equals..)?.strip_prefix(b"=")?);
    let from = at + equals + 1;
    if value.first() != Some(&b'"') {
        let end = value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len());
        return Some((key, value.get(..end)?, from + end));
    }
    let mut escaped = false;
    let end = value.iter().skip(1).position(|b| {
        let is_end = *b == b'"' && !escaped;
        escaped = *b == b'\\' && !escaped;
        is_end
    })?;
    Some((key, value.get(1..end + 1)?, from + end + 2))
}

/// `{"level":30,"time":"2023-03-24T14:26:16.243Z","msg":"…"}`
fn json(line: &[u8]) -> Option<Line<'_>> {
    let said: serde_json::Map<String, Value> = serde_json::from_slice(line).ok()?;
    let find = |keys: &[&str]| keys.iter().find_map(|key| said.get(*key));
    let time = find(&["time", "timestamp", "ts", "@timestamp", "asctime", "t"]).and_then(|time| match time {
        Value::String(text) => time_of(text.as_bytes()),
        other => epoch(other.to_string().as_bytes()),
    });
    let level = find(&["level", "severity", "lvl", "levelname"]).and_then(|level| match level {
        Value::String(name) => level_of(name.as_bytes()),
        // bunyan's and Python's
        other => Some(match other.as_u64()? {
            0..=20 => 1,
            21..=30 => INFO,
            31..=40 => 4,
            41..=50 => 8,
            _ => 16,
        }),
    });
    let name = find(&["logger", "node", "name", "target"]).and_then(Value::as_str);
    (time.is_some() || level.is_some()).then(|| Line {
        time,
        level: level.unwrap_or(INFO),
        node: name.and_then(|name| quoted(line, name)).unwrap_or_default(),
        ..Line::default()
    })
}

/// Where the line has that text in quotes: nowhere, if it needs escapes.
fn quoted<'a>(line: &'a [u8], text: &str) -> Option<&'a [u8]> {
    let wanted = format!("\"{text}\"");
    let at = line.windows(wanted.len()).position(|part| part == wanted.as_bytes())?;
    line.get(at + 1..at + 1 + text.len())
}

/// `… [10/Oct/2000:13:55:36 -0700] …`
fn access(line: &[u8]) -> Option<Line<'_>> {
    let reach = line.get(..ACCESS_REACH).unwrap_or(line);
    let open = reach.iter().position(|b| *b == b'[')?;
    let date = line.get(open + 1..)?;
    let separators = [(2, b'/'), (6, b'/'), (11, b':')];
    if separators.iter().any(|(at, separator)| date.get(*at) != Some(separator)) {
        return None;
    }
    let time = in_year(number(date, 7, 4)?, month_of(date.get(3..)?)?, number(date, 0, 2)?, date.get(12..)?)?;
    let sign = match date.get(21) {
        Some(b'-') => -1,
        _ => 1,
    };
    let zone_secs = match (number(date, 22, 2), number(date, 24, 2)) {
        (Some(hours), Some(minutes)) => sign * (hours * 3600 + minutes * 60),
        _ => 0,
    };
    Some(Line {
        time: Some(time.plus_nanos(-zone_secs * 1_000_000_000)),
        ..Line::default()
    })
}

fn time_of(text: &[u8]) -> Option<Time> {
    match date_time(text) {
        Some((time, length)) if length == text.len() => Some(time),
        Some(_) => None,
        None => epoch(text),
    }
}

fn month_of(text: &[u8]) -> Option<i64> {
    let name = text.get(..3)?;
    let month = MONTHS.iter().position(|month| month.as_slice() == name)?;
    i64::try_from(month).ok().map(|month| month + 1)
}

/// `clock`: `09:23:38`, with a fraction or without, and whatever follows.
fn in_year(year: i64, month: i64, day: i64, clock: &[u8]) -> Option<Time> {
    let (hour, minute, second) = (number(clock, 0, 2)?, number(clock, 3, 2)?, number(clock, 6, 2)?);
    if clock.get(2) != Some(&b':') || clock.get(5) != Some(&b':') {
        return None;
    }
    let digits = match clock.get(8) {
        Some(b'.' | b',') => clock.iter().skip(9).take(9).take_while(|b| b.is_ascii_digit()).count(),
        _ => 0,
    };
    let scale = 10_i64.checked_pow(9 - u32::try_from(digits).ok()?)?;
    let nanos = number(clock, 9, digits).map_or(0, |fraction| fraction * scale);
    let small = |n: i64| i8::try_from(n).ok();
    let date = jiff::civil::Date::new(i16::try_from(year).ok()?, small(month)?, small(day)?).ok()?;
    let time = jiff::civil::Time::new(small(hour)?, small(minute)?, small(second)?, i32::try_from(nanos).ok()?).ok()?;
    of_civil(date.to_datetime(time))
}

fn of_civil(moment: jiff::civil::DateTime) -> Option<Time> {
    let moment = jiff::tz::TimeZone::UTC.to_timestamp(moment).ok()?;
    i64::try_from(moment.as_nanosecond()).ok().map(Time)
}

fn civil(time: Time) -> Option<jiff::civil::DateTime> {
    let moment = jiff::Timestamp::from_nanosecond(i128::from(time.nanos())).ok()?;
    Some(jiff::tz::TimeZone::UTC.to_datetime(moment))
}

/// The same day and time of day in another year; of a day that this year has not, the day before.
pub fn with_year(time: Time, year: i16) -> Time {
    let moved = civil(time).and_then(|civil| {
        let moved = civil.with().year(year).build();
        of_civil(moved.or_else(|_| civil.with().day(28).year(year).build()).ok()?)
    });
    moved.unwrap_or(time)
}

/// The year that puts `time` nearest to `wanted`.
pub fn nearest_year(time: Time, wanted: Time) -> i16 {
    let around = civil(wanted).map_or(NO_YEAR, |civil| civil.year());
    let years = (around - 1)..=(around + 1);
    let apart = |year: &i16| with_year(time, *year).since(wanted).unsigned_abs();
    years.min_by_key(apart).unwrap_or(around)
}

/// The year that a text says: of a date in it, or of digits that look like one (`node.INFO.20170517-150422`).
pub fn year_of(text: &[u8]) -> Option<i16> {
    let groups = text.split(|b| !b.is_ascii_digit());
    let years = groups.filter(|digits| matches!(digits.len(), 4 | 8 | 14)).filter_map(|digits| {
        let year = i16::try_from(number(digits, 0, 4)?).ok()?;
        (1990..2100).contains(&year).then_some(year)
    });
    years.into_iter().next()
}

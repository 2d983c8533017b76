//! What a line of a log says before its text: time, level, node, place. ROS consoles and log files of both generations, ISO dates
//! (also with two digits of the year), seconds (or milli-, micro-, nanoseconds) since the epoch.
//!
//! Invariant: what is not recognised stays text.

use std::borrow::Cow;

use super::heads;
use crate::time::Time;

/// The head of a line. `text_at`: where its text starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    pub time: Option<Time>,
    /// Where its time names none it is in [`heads::NO_YEAR`].
    pub has_year: bool,
    /// As rosgraph_msgs/Log has it.
    pub level: u8,
    pub node: &'a [u8],
    pub file: &'a [u8],
    pub function: &'a [u8],
    pub line: u32,
    pub text_at: usize,
}

impl Default for Line<'_> {
    fn default() -> Self {
        Line {
            time: None,
            has_year: true,
            level: INFO,
            node: b"",
            file: b"",
            function: b"",
            line: 0,
            text_at: 0,
        }
    }
}

pub(super) const INFO: u8 = 2;
/// No head has more parts.
const MOST_PARTS: usize = 7;

/// Whether the line begins a message in a log whose messages have times.
pub fn starts_message(line: &[u8]) -> bool {
    parse(line).time.is_some()
}

pub fn parse(line: &[u8]) -> Line<'_> {
    let found = of_parts(line);
    if found.time.is_some() {
        return found;
    }
    // what has no time at its head may have it elsewhere
    heads::parse(line).unwrap_or(found)
}

fn of_parts(line: &[u8]) -> Line<'_> {
    let mut found = Line::default();
    let mut has_level = false;
    let mut at = 0;
    for _ in 0..MOST_PARTS {
        at = skip_blank(line, at);
        let rest = line.get(at..).unwrap_or_default();
        let Some(part) = Part::of(rest) else { break };
        let after = line.get(at + part.length..).unwrap_or_default();
        let is_last = after.first() == Some(&b':');
        let text = part.text.trim_ascii();
        if let Some(time) = time_of(text).filter(|_| found.time.is_none()) {
            found.time = Some(time);
        } else if let Some(level) = level_of(text).filter(|_| !has_level) {
            (found.level, has_level) = (level, true);
        } else if !(part.is_bracketed && take_place(text, &mut found)) {
            let is_node = match part.is_bracketed {
                true => is_last || follows_head(after),
                false => (has_level || found.time.is_some()) && (is_last || text.first() == Some(&b'/')),
            };
            if !is_node || !found.node.is_empty() || !is_name(text) {
                break;
            }
            found.node = text;
        }
        at += part.length;
        if is_last {
            at += 1;
            // a rospy log: `[node][INFO] date: text`; a console: `[INFO] [time] [node]: text`
            break;
        }
        found.text_at = at;
    }
    // A head without a time or level is none: `[12] items` is a text.
    if found.time.is_none() && !has_level {
        return Line {
            node: b"",
            file: b"",
            function: b"",
            line: 0,
            text_at: 0,
            ..found
        };
    }
    found.text_at = skip_blank(line, at);
    found
}

/// One part of a head: in brackets, or up to a blank.
struct Part<'a> {
    text: &'a [u8],
    length: usize,
    is_bracketed: bool,
}

impl<'a> Part<'a> {
    fn of(rest: &'a [u8]) -> Option<Part<'a>> {
        if rest.first()? == &b'[' {
            let end = rest.iter().take(256).position(|b| *b == b']')?;
            return Some(Part {
                text: rest.get(1..end)?,
                length: end + 1,
                is_bracketed: true,
            });
        }
        // a date and a time of day are one part
        let date = date_time(rest);
        let length = match date {
            Some((_, length)) => length,
            None => rest
                .iter()
                .take(256)
                .position(|b| b.is_ascii_whitespace() || *b == b'[')
                .unwrap_or(rest.len().min(256)),
        };
        let text = rest.get(..length)?;
        let text = if date.is_none() {
            text.strip_suffix(b":").unwrap_or(text)
        } else {
            text
        };
        (!text.is_empty()).then_some(Part {
            text,
            length: text.len(),
            is_bracketed: false,
        })
    }
}

/// Blanks, and what colours the text on a terminal.
pub(super) fn skip_blank(line: &[u8], mut at: usize) -> usize {
    loop {
        match line.get(at) {
            Some(b' ' | b'\t') => at += 1,
            Some(27) => at += colour_length(line.get(at..).unwrap_or_default()),
            _ => return at,
        }
    }
}

/// Of `ESC [ … m`.
fn colour_length(bytes: &[u8]) -> usize {
    let end = bytes.iter().skip(1).take(24).position(|b| b.is_ascii_alphabetic());
    end.map_or(1, |end| end + 2)
}

pub fn without_colours(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&27) {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        if *byte == 27 {
            at += colour_length(text.get(at..).unwrap_or_default());
        } else {
            out.push(*byte);
            at += 1;
        }
    }
    Cow::Owned(out)
}

pub fn newline(bytes: &[u8]) -> Option<usize> {
    memchr(b'\n', bytes)
}

/// Eight bytes at a time.
fn memchr(wanted: u8, bytes: &[u8]) -> Option<usize> {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut chunks = bytes.chunks_exact(8);
    let mut at = 0;
    for chunk in chunks.by_ref() {
        let word = u64::from_le_bytes(chunk.try_into().unwrap_or_default()) ^ (LOW * u64::from(wanted));
        let hit = word.wrapping_sub(LOW) & !word & HIGH;
        if hit != 0 {
            return Some(at + (hit.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    chunks.remainder().iter().position(|b| *b == wanted).map(|found| at + found)
}

pub(super) fn level_of(text: &[u8]) -> Option<u8> {
    const NAMES: [(&str, u8); 14] = [
        ("DEBUG", 1),
        ("DBG", 1),
        ("TRACE", 1),
        ("INFO", 2),
        ("INF", 2),
        ("NOTICE", 2),
        ("WARN", 4),
        ("WARNING", 4),
        ("WRN", 4),
        ("ERROR", 8),
        ("ERR", 8),
        ("FATAL", 16),
        ("CRITICAL", 16),
        ("EMERG", 16),
    ];
    let is_it = |name: &str| text.eq_ignore_ascii_case(name.as_bytes());
    NAMES.iter().find(|n| is_it(n.0)).map(|n| n.1)
}

fn is_name(text: &[u8]) -> bool {
    let legal = |b: &u8| b.is_ascii_alphanumeric() || b"_/-.~:".contains(b);
    text.len() <= 128 && text.iter().all(legal) && text.iter().any(u8::is_ascii_alphabetic)
}

/// Whether another part of a head comes: in brackets, a level or a time.
fn follows_head(after: &[u8]) -> bool {
    let at = skip_blank(after, 0);
    let rest = after.get(at..).unwrap_or_default();
    Part::of(rest).is_some_and(|part| {
        let text = part.text.trim_ascii();
        level_of(text).is_some() || time_of(text).is_some() || part.is_bracketed && at <= 1
    })
}

/// `/path/file.cpp:120(function)`, and `topics: …`, which is passed over: as rosout.log has them.
fn take_place<'a>(text: &'a [u8], found: &mut Line<'a>) -> bool {
    let place = || {
        let open = text.iter().position(|b| *b == b'(')?;
        let (place, function) = (text.get(..open)?, text.get(open + 1..)?.strip_suffix(b")")?);
        let colon = place.iter().rposition(|b| *b == b':')?;
        let line: u32 = std::str::from_utf8(place.get(colon + 1..)?).ok()?.parse().ok()?;
        Some((place.get(..colon)?, function, line))
    };
    match place() {
        Some((file, function, line)) => (found.file, found.function, found.line) = (file, function, line),
        None => return text.starts_with(b"topics:"),
    }
    true
}

fn time_of(text: &[u8]) -> Option<Time> {
    if !text.first()?.is_ascii_digit() {
        return None;
    }
    // with simulated time: `wall, simulated`
    let text = text.split(|b| *b == b',').next().filter(|wall| is_epoch(wall)).unwrap_or(text);
    match date_time(text) {
        Some((time, length)) if length == text.len() => Some(time),
        Some(_) => None,
        None => epoch(text),
    }
}

fn is_epoch(text: &[u8]) -> bool {
    epoch(text).is_some()
}

/// Seconds with or without a fraction; as an integer also milli-, micro- and nanoseconds. Only of this century.
pub(super) fn epoch(text: &[u8]) -> Option<Time> {
    let (whole, fraction) = match text.iter().position(|b| *b == b'.') {
        Some(point) => (text.get(..point)?, text.get(point + 1..)?),
        None => (text, &b""[..]),
    };
    let digits = |text: &[u8]| -> Option<i64> {
        let fits = text.len() <= 19 && text.iter().all(u8::is_ascii_digit);
        fits.then(|| {
            text.iter()
                .try_fold(0_i64, |n, b| n.checked_mul(10)?.checked_add(i64::from(b - b'0')))
        })?
    };
    let value = digits(whole)?;
    match (whole.len(), fraction.len()) {
        (9..=10, _) => {
            let digits_kept = fraction.get(..9).unwrap_or(fraction);
            let scale = 10_i64.checked_pow(9 - u32::try_from(digits_kept.len()).ok()?)?;
            (value > 900_000_000).then(|| Some(Time(value.checked_mul(1_000_000_000)?.checked_add(digits(digits_kept)? * scale)?)))?
        }
        (13, 0) => Some(Time(value.checked_mul(1_000_000)?)),
        (16, 0) => Some(Time(value.checked_mul(1_000)?)),
        (19, 0) => Some(Time(value)),
        _ => None,
    }
}

/// `2020-09-13T12:26:40.5Z`, `2020-09-13 12:26:40,123`, `2020/09/13 12:26:40 +0200`: the time (UTC where no zone is given), and how long
/// the text is.
pub(super) fn date_time(text: &[u8]) -> Option<(Time, usize)> {
    short_date(text).or_else(|| long_date(text))
}

/// `17/06/09 20:10:40`: as log4j has it, the year first.
fn short_date(text: &[u8]) -> Option<(Time, usize)> {
    let date = text.get(..17)?;
    let separators = [(2, b'/'), (5, b'/'), (8, b' '), (11, b':'), (14, b':')];
    if separators.iter().any(|(at, separator)| date.get(*at) != Some(separator)) {
        return None;
    }
    let mut long = *b"20YY/MM/DD HH:MM:SS";
    long.get_mut(2..)?.copy_from_slice(date);
    long_date(&long).map(|(time, _)| (time, date.len()))
}

fn long_date(text: &[u8]) -> Option<(Time, usize)> {
    let two = |at: usize| number(text, at, 2);
    let is = |at: usize, of: &[u8]| text.get(at).is_some_and(|b| of.contains(b));
    let date = text.get(..19)?;
    if !is(4, b"-/") || date.get(7) != date.get(4) || !is(10, b"T _") || !is(13, b":") || !is(16, b":") {
        return None;
    }
    let (year, month, day) = (number(text, 0, 4)?, two(5)?, two(8)?);
    let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
    let is_date = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
    if !is_date {
        return None;
    }
    let mut at = 19;
    let mut nanos = 0;
    if is(at, b".,") && text.get(at + 1).is_some_and(u8::is_ascii_digit) {
        let digits = text.get(at + 1..)?.iter().take_while(|b| b.is_ascii_digit()).count();
        let kept = digits.min(9);
        nanos = number(text, at + 1, kept)? * 10_i64.pow(9 - u32::try_from(kept).ok()?);
        at += 1 + digits;
    }
    let mut offset_minutes = 0;
    let zone = if is(at, b" ") { at + 1 } else { at };
    if is(at, b"Z") {
        at += 1;
    }
    let colon = usize::from(is(zone + 3, b":"));
    if let (true, Some(hours), Some(minutes)) = (is(zone, b"+-"), two(zone + 1), two(zone + 3 + colon)) {
        let sign = if is(zone, b"-") { -1 } else { 1 };
        offset_minutes = sign * (hours * 60 + minutes);
        at = zone + 5 + colon;
    }
    let days = days_since_epoch(year, month, day);
    let seconds = days * 86_400 + hour * 3_600 + (minute - offset_minutes) * 60 + second;
    Some((Time(seconds.checked_mul(1_000_000_000)?.checked_add(nanos)?), at))
}

pub(super) fn number(text: &[u8], at: usize, count: usize) -> Option<i64> {
    let digits = text.get(at..at + count)?;
    let all = digits.iter().all(u8::is_ascii_digit);
    all.then(|| digits.iter().fold(0, |n, b| n * 10 + i64::from(b - b'0')))
}

/// Of the proleptic Gregorian calendar.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

//! What a line of a log says before its text: time, level, node, place. The heads of ROS consoles and log files of both generations are
//! understood part by part, those of other programs by [`heads`], and lines of named fields by [`fields`].
//!
//! Invariant: what is not recognised stays text.

use std::borrow::Cow;

use super::times::{date_time, time_of, time_of_day, wall_time};
use super::{fields, heads};
use crate::time::Time;

/// The head of a line. `text_at`: where its text starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    pub time: Option<Time>,
    /// What its time is without.
    pub lacks: Lacks,
    /// It has no time, and a level in brackets: it is a message all the same.
    pub has_level_alone: bool,
    /// As rosgraph_msgs/Log has it.
    pub level: u8,
    pub node: Cow<'a, [u8]>,
    pub file: Cow<'a, [u8]>,
    /// Or the thread or process that wrote it.
    pub function: Cow<'a, [u8]>,
    pub line: u32,
    pub text_at: usize,
    /// What the line says in other words: stands for its text.
    pub said: Option<Vec<u8>>,
}

/// What a time is without: one without a year is of 1972, one without a day of its first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lacks {
    Nothing,
    Year,
    Day,
}

impl Line<'_> {
    pub const BLANK: Line<'static> = Line {
        time: None,
        lacks: Lacks::Nothing,
        has_level_alone: false,
        level: INFO,
        node: Cow::Borrowed(b""),
        file: Cow::Borrowed(b""),
        function: Cow::Borrowed(b""),
        line: 0,
        text_at: 0,
        said: None,
    };

    fn into_owned(self) -> Line<'static> {
        let owned = |text: Cow<[u8]>| Cow::Owned(text.into_owned());
        Line {
            node: owned(self.node),
            file: owned(self.file),
            function: owned(self.function),
            ..self
        }
    }
}

pub const DEBUG: u8 = 1;
pub const INFO: u8 = 2;
pub const WARN: u8 = 4;
pub const ERROR: u8 = 8;
pub const FATAL: u8 = 16;
/// With which editors of Windows begin a file in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// No head has more parts.
const MOST_PARTS: usize = 7;
/// What colours the text on a terminal starts with it.
const ESCAPE: u8 = 27;

/// Whether the line begins a message in a log whose messages have times.
pub fn starts_message(line: &[u8], lacks_days: bool) -> bool {
    let found = parse(line, lacks_days);
    found.time.is_some() || found.has_level_alone
}

/// `lacks_days`: a time of day alone is a time.
pub fn parse(line: &[u8], lacks_days: bool) -> Line<'_> {
    if memchr(ESCAPE, line).is_none() {
        return parse_plain(line, lacks_days);
    }
    let plain = without_colours(line);
    let found = parse_plain(&plain, lacks_days).into_owned();
    Line {
        text_at: with_colours(line, found.text_at),
        ..found
    }
}

fn parse_plain(line: &[u8], lacks_days: bool) -> Line<'_> {
    let rest = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
    // before the first line after a crash
    let zeros = rest.iter().take_while(|b| **b == 0).count();
    let rest = rest.get(zeros..).unwrap_or_default();
    let found = heads::parse(rest)
        .or_else(|| fields::parse(rest))
        .unwrap_or_else(|| console(rest, lacks_days));
    Line {
        text_at: found.text_at + line.len() - rest.len(),
        ..found
    }
}

/// Parts in brackets or between blanks, in many orders.
fn console(line: &[u8], lacks_days: bool) -> Line<'_> {
    let mut found = Line::BLANK;
    let (mut has_level, mut is_level_bracketed, mut is_node_first) = (false, false, false);
    let mut at = 0;
    for _ in 0..MOST_PARTS {
        at = skip_blank(line, at);
        let rest = line.get(at..).unwrap_or_default();
        let Some(part) = Part::of(rest, lacks_days) else { break };
        let after = line.get(at + part.length..).unwrap_or_default();
        let is_last = after.first() == Some(&b':');
        let text = part.text.trim_ascii();
        if let Some(time) = time_of(text).filter(|_| found.time.is_none()) {
            found.time = Some(time);
        } else if let Some((time, _)) = time_of_day(text).filter(|_| lacks_days && found.time.is_none()) {
            (found.time, found.lacks) = (Some(time), Lacks::Day);
        } else if let Some(time) = wall_time(text).filter(|_| found.time.is_none() && part.is_bracketed) {
            found.time = Some(time);
            at += part.length;
            at += simulated_length(after);
            break;
        } else if let Some(level) = level_of(text).filter(|_| !has_level) {
            (found.level, has_level, is_level_bracketed) = (level, true, part.is_bracketed);
        } else if !(part.is_bracketed && take_place(text, &mut found)) {
            let is_node = match part.is_bracketed {
                true => is_last || follows_head(after),
                false => (has_level || found.time.is_some()) && (is_last || text.first() == Some(&b'/')),
            };
            // launch: `[process] [INFO] [time] [node]: text`
            let is_process = is_node_first && part.is_bracketed && is_last && found.time.is_some();
            if !is_node || !(found.node.is_empty() || is_process) || !is_name(text) {
                break;
            }
            if is_process {
                found.function = std::mem::take(&mut found.node);
            }
            is_node_first = !has_level && found.time.is_none();
            found.node = text.into();
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
        return Line::BLANK;
    }
    found.has_level_alone = is_level_bracketed && found.time.is_none();
    found.text_at = skip_blank(line, at);
    found
}

/// ` [12.340000]`: the simulated time behind the true one.
fn simulated_length(text: &[u8]) -> usize {
    let inside = text.strip_prefix(b" [").unwrap_or_default();
    let digits = inside.iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
    match inside.get(digits) {
        Some(b']') if digits > 0 => digits + 3,
        _ => 0,
    }
}

/// One part of a head: in brackets, or up to a blank.
struct Part<'a> {
    text: &'a [u8],
    length: usize,
    is_bracketed: bool,
}

impl<'a> Part<'a> {
    fn of(rest: &'a [u8], lacks_days: bool) -> Option<Part<'a>> {
        if rest.first()? == &b'[' {
            let end = rest.iter().take(256).position(|b| *b == b']')?;
            return Some(Part {
                text: rest.get(1..end)?,
                length: end + 1,
                is_bracketed: true,
            });
        }
        // a date and a time of day are one part
        let date = date_time(rest).or_else(|| time_of_day(rest).filter(|_| lacks_days));
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

fn skip_blank(line: &[u8], at: usize) -> usize {
    let rest = line.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count()
}

/// Where a byte of the text without colours stands in the text with them.
fn with_colours(text: &[u8], plain_at: usize) -> usize {
    let (mut at, mut plain) = (0, 0);
    while plain < plain_at {
        match text.get(at) {
            Some(&ESCAPE) => at += colour_length(text.get(at..).unwrap_or_default()),
            Some(_) => (at, plain) = (at + 1, plain + 1),
            None => break,
        }
    }
    at
}

/// Of `ESC [ … m`.
fn colour_length(bytes: &[u8]) -> usize {
    let end = bytes.iter().skip(1).take(24).position(|b| b.is_ascii_alphabetic());
    end.map_or(1, |end| end + 2)
}

pub fn without_colours(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&ESCAPE) {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        if *byte == ESCAPE {
            at += colour_length(text.get(at..).unwrap_or_default());
        } else {
            out.push(*byte);
            at += 1;
        }
    }
    Cow::Owned(out)
}

/// Lines end with `\n`, whatever the file's end with.
pub fn without_returns(text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    if !text.contains(&b'\r') {
        return text;
    }
    let next = text.iter().skip(1).map(Some).chain([None]);
    let kept = text
        .iter()
        .zip(next)
        .filter(|(byte, next)| !(**byte == b'\r' && *next == Some(&b'\n')));
    Cow::Owned(kept.map(|(byte, _)| *byte).collect())
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

pub fn level_of(text: &[u8]) -> Option<u8> {
    const NAMES: [(&str, u8); 17] = [
        ("DEBUG", DEBUG),
        ("DBG", DEBUG),
        ("TRACE", DEBUG),
        ("VERBOSE", DEBUG),
        ("INFO", INFO),
        ("INF", INFO),
        ("NOTICE", INFO),
        ("WARN", WARN),
        ("WARNING", WARN),
        ("WRN", WARN),
        ("ERROR", ERROR),
        ("ERR", ERROR),
        ("SEVERE", ERROR),
        ("FATAL", FATAL),
        ("CRITICAL", FATAL),
        ("CRIT", FATAL),
        ("EMERG", FATAL),
    ];
    named(&NAMES, text)
}

pub fn named(names: &[(&str, u8)], text: &[u8]) -> Option<u8> {
    let is_it = |name: &str| text.eq_ignore_ascii_case(name.as_bytes());
    names.iter().find(|n| is_it(n.0)).map(|n| n.1)
}

fn is_name(text: &[u8]) -> bool {
    let legal = |b: &u8| b.is_ascii_alphanumeric() || b"_/-.~:".contains(b);
    text.len() <= 128 && text.iter().all(legal) && text.iter().any(u8::is_ascii_alphabetic)
}

/// Whether another part of a head comes: in brackets, a level or a time.
fn follows_head(after: &[u8]) -> bool {
    let at = skip_blank(after, 0);
    let rest = after.get(at..).unwrap_or_default();
    Part::of(rest, false).is_some_and(|part| {
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
        Some((file, function, line)) => (found.file, found.function, found.line) = (file.into(), function.into(), line),
        None => return text.starts_with(b"topics:"),
    }
    true
}

//! Text logs: files of lines that nodes wrote beside a recording, read as messages of rosgraph_msgs/Log on one topic.
//!
//! Invariants: every byte of the file is in one message; a line without a time goes on with the message before it, or, where it has a
//! level in brackets, stands at its time, or, where no line has a time, stands in its order; chunks are blocks of whole messages. Times
//! without a year lie in the year that brings them nearest to when the file says that it was begun, else to what is recorded beside them,
//! else to the day in the file's name, else in the last year before the file was written; lines go on into the next year. Times of day
//! alone count where no line has a date, and lie in days found alike.

mod encoding;
mod fields;
mod heads;
mod indexer;
mod line;
mod times;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::{Batch, Catalog, Checks, ChunkId, Connection, ConnectionSet, Container, Fetched, Format, Indexer, Message};
use crate::time::{Span, Time};
use encoding::Encoding;
use line::{Lacks, Line, parse};
use times::{days_to, in_nearest_year, in_year, next_at, year_of, years_to};

pub struct TextLog;

const NAME: &str = "textlog";
/// Lines of the head that are looked at to tell what the file is.
const SNIFFED_LINES: usize = 64;
/// How texts start that are no logs.
const OTHERS: [&[u8]; 6] = [b"#ROSBAG", b"<?xml", b"<!doctype", b"<html", b"\xff\xfe", b"\xfe\xff"];
/// A message of more than so many bytes is cut: the rest is the next one.
const LONGEST_BYTES: usize = 1 << 20;
/// Between lines that have no time.
const STEP_NANOS: i64 = 1_000;
/// So far back a line may go without being of the next day.
const BACK_NANOS: i64 = 3_600_000_000_000;

/// As roscpp and rospy generate it.
const DEFINITION: &str = "\
byte DEBUG=1
byte INFO=2
byte WARN=4
byte ERROR=8
byte FATAL=16
Header header
byte level
string name
string msg
string file
string function
uint32 line
string[] topics
================================================================================
MSG: std_msgs/Header
uint32 seq
time stamp
string frame_id
";
const MD5: &str = "acffd30cd6b6de30f120938c17c593fb";

impl Format for TextLog {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sniff(&self, name: &str, head: &[u8]) -> bool {
        let encoding = Encoding::of(head);
        let head = &*encoding.decoded(&Bytes::copy_from_slice(head.get(encoding.mark_len()..).unwrap_or_default()));
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
        let is_other = OTHERS
            .iter()
            .any(|start| head.get(..start.len()).is_some_and(|h| h.eq_ignore_ascii_case(start)));
        if is_other || !is_text(head) || matches!(ending.as_str(), "json" | "csv" | "xml" | "yaml" | "yml" | "html" | "md" | "bag") {
            return false;
        }
        if matches!(ending.as_str(), "log" | "txt" | "out" | "err") {
            return true;
        }
        let lines = || {
            head.split(|b| *b == b'\n')
                .filter(|l| !l.trim_ascii().is_empty())
                .take(SNIFFED_LINES)
        };
        let timed = lines().filter(|line| parse(line, false).time.is_some()).count();
        timed > 0 && timed * 2 >= lines().count()
    }

    fn indexer(&self, len: u64) -> Box<dyn Indexer> {
        Box::new(indexer::Scan::new(len))
    }
}

/// UTF-8 (or nearly) as far as it goes, with few runs of zeros: crashes leave these, and logs emptied while they are written.
fn is_text(head: &[u8]) -> bool {
    let start = head.iter().take_while(|b| **b == 0).count();
    let sample = head.get(start..).unwrap_or_default();
    let sample = sample.get(..4096).unwrap_or(sample);
    let is_control = |b: &u8| matches!(*b, 1..=8 | 14..=26 | 28..=31);
    let runs = sample.chunk_by(|a, b| (*a == 0) == (*b == 0)).filter(|run| run.starts_with(&[0]));
    let texts = sample.iter().filter(|b| **b != 0).count();
    texts > 0 && !sample.iter().any(is_control) && runs.count() <= 3 + texts / 128
}

/// An indexed text log.
#[derive(Clone, Debug)]
struct Log {
    catalog: Catalog,
    /// Of each chunk: its first message's number.
    numbers: Vec<u64>,
    /// No line has a time: the first stands here, the others after it.
    start: Option<Time>,
    encoding: Encoding,
    /// What the first line that has a time does not name.
    lacks: Lacks,
}

/// How lines are read.
#[derive(Clone, Copy)]
struct Manner {
    /// Lines without a time belong to the one before.
    is_joined: bool,
    /// Times of day alone are times.
    lacks_days: bool,
}

impl Container for Log {
    fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    fn messages(&self, chunk: ChunkId, got: &Fetched, connections: &ConnectionSet, _: Checks) -> Batch {
        let mut batch = Batch::default();
        let Some(of) = self.catalog.chunks.get(chunk as usize).filter(|_| connections.contains(0)) else {
            return batch;
        };
        let Some(bytes) = got.get(of.range.clone()) else { return batch };
        let bytes = self.encoding.decoded(&bytes);
        let first = self.numbers.get(chunk as usize).copied().unwrap_or(0);
        let mut at = Clock {
            start: self.start,
            number: first,
            // lines before the first that has a time
            last: of.span.start,
        };
        each_message(&bytes, self.manner(), |line, text| {
            let time = of.span.clamp(at.time_of(line));
            batch.messages.push(Message {
                connection: 0,
                time,
                payload: payload(line, time, text),
            });
        });
        batch
    }

    fn placed(&self, start: Time) -> Option<Arc<dyn Container>> {
        let mut placed = self.clone();
        match self.start {
            Some(old) if old != start => {
                placed.start = Some(start);
                placed.move_spans(|t| start.plus_nanos(t.since(old)));
            }
            None if self.lacks == Lacks::Day => {
                let nanos = days_to(self.catalog.span()?, start);
                if nanos == 0 {
                    return None;
                }
                placed.move_spans(|t| t.plus_nanos(nanos));
            }
            None if self.lacks == Lacks::Year => {
                let years = years_to(self.catalog.span()?, start);
                if years == 0 {
                    return None;
                }
                placed.move_spans(|t| in_year(t, year_of(t) + years).unwrap_or(t));
            }
            _ => return None,
        }
        Some(Arc::new(placed))
    }
}

impl Log {
    fn manner(&self) -> Manner {
        Manner {
            is_joined: self.start.is_none(),
            lacks_days: self.lacks == Lacks::Day,
        }
    }

    fn move_spans(&mut self, moved: impl Fn(Time) -> Time) {
        for chunk in &mut self.catalog.chunks {
            chunk.span = Span::new(moved(chunk.span.start), moved(chunk.span.end));
        }
    }
}

/// Times of messages in their order.
struct Clock {
    start: Option<Time>,
    number: u64,
    last: Time,
}

impl Clock {
    fn time_of(&mut self, line: &Line) -> Time {
        if let Some(start) = self.start {
            let number = i64::try_from(self.number).unwrap_or(i64::MAX);
            self.number += 1;
            return start.plus_nanos(number.saturating_mul(STEP_NANOS));
        }
        self.last = match (line.time, line.lacks) {
            (Some(time), Lacks::Year) => in_nearest_year(time, self.last),
            (Some(time), Lacks::Day) => next_at(time, self.last.plus_nanos(-BACK_NANOS)),
            (Some(time), Lacks::Nothing) => time,
            (None, _) => self.last,
        };
        self.last
    }
}

/// Calls `f` with each message: what its first line says, and its whole text.
fn each_message(bytes: &[u8], manner: Manner, mut f: impl FnMut(&Line, &[u8])) {
    let mut at = 0;
    while let Some((line, range, next)) = message_at(bytes, at, manner) {
        f(&line, bytes.get(range).unwrap_or_default());
        at = next;
    }
}

/// The message that starts at `at`: its first line, where its text is, and where the next one starts. None at the end.
fn message_at(bytes: &[u8], at: usize, manner: Manner) -> Option<(Line<'_>, Range<usize>, usize)> {
    let (first, mut end, mut next) = line_at(bytes, at)?;
    let line = parse(first, manner.lacks_days);
    let start = at + line.text_at;
    while manner.is_joined && next - at < LONGEST_BYTES {
        match line_at(bytes, next) {
            Some((following, following_end, after)) if !line::starts_message(following, manner.lacks_days) => {
                (end, next) = (following_end, after);
            }
            _ => break,
        }
    }
    Some((line, start.min(end)..end, next))
}

/// The line at `at` without its ending, where it ends, and where the next one starts.
fn line_at(bytes: &[u8], at: usize) -> Option<(&[u8], usize, usize)> {
    let rest = bytes.get(at..).filter(|r| !r.is_empty())?;
    let window = rest.get(..LONGEST_BYTES).unwrap_or(rest);
    let (length, next) = match line::newline(window) {
        Some(found) => (found, found + 1),
        None if window.len() < rest.len() => {
            let end = before_character(rest, window.len());
            (end, end)
        }
        None => (window.len(), window.len()),
    };
    let line = window.get(..length)?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    Some((line, at + line.len(), at + next))
}

/// Where the character begins that a cut would go through.
fn before_character(bytes: &[u8], cut: usize) -> usize {
    const LONGEST: usize = 4;
    let is_start = |at: &usize| bytes.get(*at).is_none_or(|byte| byte & 0xc0 != 0x80);
    let mut places = (0..LONGEST).filter_map(|back| cut.checked_sub(back));
    places.find(is_start).unwrap_or(cut)
}

/// rosgraph_msgs/Log, serialized.
fn payload(line: &Line, time: Time, text: &[u8]) -> Bytes {
    let text = match &line.said {
        Some(said) => [said, text].concat().into(),
        None => Cow::Borrowed(text),
    };
    let text = line::without_returns(line::without_colours(&text));
    let mut out: Vec<u8> = Vec::with_capacity(64 + line.node.len() + text.len() + line.file.len());
    let number = |out: &mut Vec<u8>, n: u32| out.extend_from_slice(&n.to_le_bytes());
    let string = |out: &mut Vec<u8>, text: &str| {
        out.extend_from_slice(&u32::try_from(text.len()).unwrap_or(0).to_le_bytes());
        out.extend_from_slice(text.as_bytes());
    };
    number(&mut out, 0);
    let nanos = time.nanos().max(0);
    number(&mut out, u32::try_from(nanos / 1_000_000_000).unwrap_or(u32::MAX));
    number(&mut out, u32::try_from(nanos % 1_000_000_000).unwrap_or(0));
    string(&mut out, "");
    out.push(line.level);
    string(&mut out, &String::from_utf8_lossy(&line.node));
    string(&mut out, &String::from_utf8_lossy(&text));
    string(&mut out, &String::from_utf8_lossy(&line.file));
    string(&mut out, &String::from_utf8_lossy(&line.function));
    number(&mut out, line.line);
    number(&mut out, 0);
    out.into()
}

/// `/node_log` of `node.log`.
fn topic_of(name: &str) -> Arc<str> {
    let legal = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' };
    let name: String = name.chars().map(legal).collect();
    match name.is_empty() {
        true => "/log".into(),
        false => format!("/{name}").into(),
    }
}

fn connection(name: &str) -> Connection {
    Connection {
        topic: topic_of(name),
        type_name: "rosgraph_msgs/Log".into(),
        md5: MD5.into(),
        definition: DEFINITION.into(),
        latching: false,
        callerid: None,
        bag: None,
    }
}

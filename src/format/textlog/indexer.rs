//! Cuts a text log into chunks, from front to back. What was read so far can be used while it goes on.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::encoding::Encoding;
use super::{Clock, Lacks, Log, NAME, connection, line, message_at, times};
use crate::format::{Catalog, Chunk, Fetched, FormatError, Indexer, Step, Warning};
use crate::time::{Span, Time};

/// What is read at a time.
const BLOCK_BYTES: u64 = 4 << 20;
const DAY_NANOS: i64 = 86_400_000_000_000;
const HALF_A_YEAR_NANOS: i64 = 182 * DAY_NANOS;
/// One of these has a time, if any has.
const LOOKED_AT_LINES: usize = 10_000;
/// A chunk holds about so many.
const CHUNK_BYTES: usize = 512 << 10;

pub(super) struct Scan {
    len: u64,
    log: Log,
    /// What is not cut yet, and where it starts.
    rest: Bytes,
    at: u64,
    /// The first bytes of a character.
    undecoded: BytesMut,
    read_to: u64,
    messages: u64,
    /// The time of the message before.
    last: Option<Time>,
    /// When the file was written last.
    written: Option<Time>,
    /// The day that the file's name tells.
    named: Option<Time>,
    has_looked: bool,
    published: usize,
}

impl Scan {
    pub fn new(len: u64) -> Scan {
        let catalog = Catalog {
            format: NAME,
            size: len,
            indexed: true,
            connections: vec![connection("")],
            ..Catalog::default()
        };
        Scan {
            len,
            log: Log {
                catalog,
                numbers: Vec::new(),
                start: None,
                encoding: Encoding::default(),
                lacks: Lacks::Nothing,
            },
            undecoded: BytesMut::new(),
            rest: Bytes::new(),
            at: 0,
            read_to: 0,
            messages: 0,
            last: None,
            written: None,
            named: None,
            has_looked: false,
            published: 0,
        }
    }

    /// Makes chunks of what is there; all of it at the end of the file.
    fn cut(&mut self) {
        let is_end = self.read_to >= self.len;
        if !self.has_looked {
            self.look_for_times();
        }
        let manner = self.log.manner();
        let bytes = self.rest.clone();
        let (mut from, mut at, mut count) = (0, 0, 0_u32);
        let mut clock = Clock {
            start: self.log.start,
            number: self.messages,
            last: self.last.unwrap_or_default(),
        };
        let mut span: Option<Span> = None;
        // the last message may go on in what is not read yet
        while let Some((line, _, next)) = message_at(&bytes, at, manner).filter(|m| is_end || m.2 < bytes.len()) {
            let time = clock.time_of(&line);
            span = Some(span.map_or(Span::at(time), |s| s.union(Span::at(time))));
            count += 1;
            at = next;
            if at - from >= CHUNK_BYTES {
                self.add(&bytes, from..at, count, span.take());
                (from, count) = (at, 0);
            }
        }
        if is_end || count > 0 {
            self.add(&bytes, from..at, count, span);
        }
        self.last = Some(clock.last);
        self.rest = bytes.slice(at..);
        self.at += self.log.encoding.len_in_file(bytes.get(..at).unwrap_or_default());
    }

    /// Lines without a time stand in their order only where there is none with a time.
    fn look_for_times(&mut self) {
        self.has_looked = true;
        let lines = || self.rest.split(|b| *b == b'\n').take(LOOKED_AT_LINES);
        let told = |lacks_days: bool| {
            let mut all = lines().map(|line| line::parse(line, lacks_days));
            all.find_map(|line| Some((line.time?, line.lacks)))
        };
        let mut warn = |what: &str| {
            self.log.catalog.warnings.push(Warning {
                offset: 0,
                what: what.into(),
            });
        };
        // a time of day is a text where there are dates
        let Some((time, lacks)) = told(false).or_else(|| told(true)) else {
            self.log.start = Some(Time(0));
            warn("no line has a time: they stand in their order at the start of what is recorded beside them");
            return;
        };
        let written = |nanos: i64| self.written.map(|at| at.plus_nanos(-nanos)).unwrap_or_default();
        match lacks {
            Lacks::Nothing => self.last = Some(time),
            Lacks::Year => {
                let created = lines().find_map(times::created_at);
                // what is in it was written in the year before
                let near = created.or(self.named).unwrap_or_else(|| written(HALF_A_YEAR_NANOS));
                self.last = Some(times::in_nearest_year(time, near));
                self.log.lacks = if created.is_some() { Lacks::Nothing } else { lacks };
            }
            Lacks::Day => {
                warn(
                    "no line has a date: their day is the one nearest to what is recorded beside them, else that in the file's name, else the last before the file was written",
                );
                let from = self.named.unwrap_or_else(|| written(DAY_NANOS));
                self.last = Some(times::next_at(time, from));
                self.log.lacks = lacks;
            }
        }
    }

    fn add(&mut self, text: &[u8], range: std::ops::Range<usize>, count: u32, span: Option<Span>) {
        let Some(span) = span.filter(|_| count > 0) else { return };
        self.log.numbers.push(self.messages);
        self.messages += u64::from(count);
        let at = |end: usize| self.at + self.log.encoding.len_in_file(text.get(..end).unwrap_or_default());
        let range = at(range.start)..at(range.end);
        self.log.catalog.chunks.push(Chunk {
            range,
            span,
            compression: "none".into(),
            counts: vec![(0, count)],
        });
    }

    fn take(&mut self, got: &Fetched) {
        let mut more = BytesMut::from(&self.rest[..]);
        while let Some(mut bytes) = got.from(self.read_to, u64::MAX) {
            self.read_to += bytes.len() as u64;
            if self.at == 0 && self.messages == 0 && more.is_empty() {
                self.log.encoding = Encoding::of(&bytes);
                let mark = bytes.split_to(self.log.encoding.mark_len());
                self.at = mark.len() as u64;
            }
            more.extend_from_slice(&self.decoded(bytes));
        }
        self.rest = more.freeze();
    }
}

impl Scan {
    /// As UTF-8; the rest of a character that is not whole yet stays.
    fn decoded(&mut self, bytes: Bytes) -> Bytes {
        let encoding = self.log.encoding;
        if encoding == Encoding::Utf8 {
            return bytes;
        }
        self.undecoded.extend_from_slice(&bytes);
        let whole = match self.read_to >= self.len {
            true => self.undecoded.len(),
            false => encoding.whole(&self.undecoded),
        };
        encoding.decoded(&self.undecoded.split_to(whole).freeze())
    }
}

impl Indexer for Scan {
    fn is_called(&mut self, name: &str) {
        self.log.catalog.connections = vec![connection(name)];
        self.named = times::day_in(name);
    }

    fn was_written(&mut self, at: Time) {
        self.written = Some(at);
    }

    fn step(&mut self, got: &Fetched) -> Result<Step, FormatError> {
        let before = self.read_to;
        self.take(got);
        let is_stuck = self.read_to == before && self.read_to > 0;
        if is_stuck {
            return Err(FormatError("the file ended while it was read: it may be growing or cut".into()));
        }
        if !self.rest.is_empty() {
            self.cut();
        }
        if self.read_to >= self.len {
            return Ok(Step::Ready(Arc::new(self.log.clone())));
        }
        let next = self.read_to..(self.read_to + BLOCK_BYTES).min(self.len);
        let need = Vec::from([next]);
        let chunks = self.log.catalog.chunks.len();
        // publishing copies the catalogue, so it is done ever more rarely
        if chunks > self.published + self.published / 4 {
            self.published = chunks;
            return Ok(Step::Grew {
                so_far: Arc::new(self.log.clone()),
                need,
            });
        }
        Ok(Step::Need(need))
    }
}

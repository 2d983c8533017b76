//! Cuts a text log into chunks, from front to back. What was read so far can be used while it goes on.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::encoding::Encoding;
use super::{Clock, Log, NAME, connection, line, message_at, times};
use crate::format::{Catalog, Chunk, Fetched, FormatError, Indexer, Step, Warning};
use crate::time::{Span, Time};

/// What is read at a time.
const BLOCK_BYTES: u64 = 4 << 20;
const HALF_A_YEAR_NANOS: i64 = 182 * 86_400_000_000_000;
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
    /// The time of the message before; at first one that the file's first is near.
    last: Option<Time>,
    /// The day that the file's name tells.
    named: Option<Time>,
    has_times: Option<bool>,
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
                lacks_year: false,
                encoding: Encoding::default(),
            },
            undecoded: BytesMut::new(),
            rest: Bytes::new(),
            at: 0,
            read_to: 0,
            messages: 0,
            last: None,
            named: None,
            has_times: None,
            published: 0,
        }
    }

    /// Makes chunks of what is there; all of it at the end of the file.
    fn cut(&mut self) {
        let is_end = self.read_to >= self.len;
        let has_times = match self.has_times {
            Some(known) => known,
            None => self.look_for_times(),
        };
        let bytes = self.rest.clone();
        let (mut from, mut at, mut count) = (0, 0, 0_u32);
        let mut clock = Clock {
            start: self.log.start,
            number: self.messages,
            last: self.last.unwrap_or_default(),
        };
        let mut span: Option<Span> = None;
        // the last message may go on in what is not read yet
        while let Some((line, _, next)) = message_at(&bytes, at, has_times).filter(|m| is_end || m.2 < bytes.len()) {
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
    fn look_for_times(&mut self) -> bool {
        let lines = || self.rest.split(|b| *b == b'\n').take(LOOKED_AT_LINES);
        let first = lines().map(line::parse).find(|line| line.time.is_some());
        let created = lines().find_map(times::created_at).filter(|_| first.is_some());
        self.log.lacks_year = created.is_none() && first.as_ref().is_some_and(|line| line.lacks_year);
        self.last = created.or(self.named).or(self.last);
        let mut clock = Clock {
            start: None,
            number: 0,
            last: self.last.unwrap_or_default(),
        };
        self.last = first.as_ref().map(|line| clock.time_of(line));
        self.has_times = Some(first.is_some());
        if first.is_none() {
            self.log.start = Some(Time(0));
            self.log.catalog.warnings.push(Warning {
                offset: 0,
                what: "no line has a time: they stand in their order at the start of what is recorded beside them".into(),
            });
        }
        first.is_some()
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
        // what is in it was written in the year before
        self.last = Some(at.plus_nanos(-HALF_A_YEAR_NANOS));
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

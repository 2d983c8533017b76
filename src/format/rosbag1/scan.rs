//! Reads a bag without its index: from record to record, past damage, to the end of the file.
//!
//! Where a chunk is whole and index records stand behind it, those tell its messages and the chunk itself is not decompressed, unless
//! a connection is met for the first time. What was found can be used while the scan goes on.

use std::collections::BTreeMap;
use std::ops::Range;

use bytes::{Bytes, BytesMut};

use super::chunk::{Head, survey};
use super::index::{ChunkIndex, is_padding};
use super::record::{self, BAG_HEADER, CHUNK, CHUNK_INFO, CONNECTION, INDEX_DATA, Peek};
use super::unpack::{Item, MAX_CHUNK_BYTES, unpack};
use super::{Bag, MAGIC, NAME, Place, nameless_topic};
use crate::format::{Catalog, Chunk, Connection, ConnectionId, Fetched, Warning};
use crate::time::{Span, Time};

/// What is asked for at a time where each read costs a round trip: little at first, so that something is soon shown …
const FAR_FIRST_BYTES: u64 = 4 << 20;
const FAR_MOST_BYTES: u64 = 16 << 20;
/// … in parts of this size, which are read together.
const FAR_PART_BYTES: u64 = 4 << 20;
/// Where it does not.
const NEAR_BLOCK_BYTES: u64 = 256 << 10;
/// A search for the next record keeps so many bytes of the last block, since its start may lie there.
const OVERLAP_BYTES: u64 = 512;
const MAX_WARNINGS: usize = 256;

pub(super) enum Progress {
    /// One stretch of the file, in parts.
    Need(Vec<Range<u64>>),
    Grew(Bag, Vec<Range<u64>>),
    Done(Bag),
}

pub(super) struct Scan {
    len: u64,
    block_bytes: u64,
    most_block_bytes: u64,
    bag: Bag,
    /// Bytes at hand, and where they start.
    window: (u64, Bytes),
    at: u64,
    phase: Phase,
    published: usize,
    /// Numbers of connections that messages use and no record has described so far, and where they were met.
    undescribed: BTreeMap<u32, u64>,
}

enum Phase {
    /// At a record of the file.
    Records,
    /// Behind a chunk's data, where its index records stand.
    Behind(Found),
    /// Looking for the next chunk. Everything up to it is damage, or the data of a chunk whose length is not to be believed.
    Search { from: u64, chunk: Option<Found> },
    /// The chunk is to be decompressed.
    Decode(Found),
}

/// A chunk being looked at.
struct Found {
    at: u64,
    data: Range<u64>,
    /// Whether the header's length of the data is not used.
    guessed: bool,
    counts: BTreeMap<u32, u32>,
    span: Option<Span>,
    compression: String,
}

impl Scan {
    pub fn new(len: u64, cheap: bool, why: Warning) -> Scan {
        let catalog = Catalog {
            format: NAME,
            size: len,
            indexed: false,
            warnings: vec![why],
            ..Catalog::default()
        };
        Scan {
            len,
            block_bytes: if cheap { NEAR_BLOCK_BYTES } else { FAR_FIRST_BYTES },
            most_block_bytes: if cheap { NEAR_BLOCK_BYTES } else { FAR_MOST_BYTES },
            bag: Bag { catalog, ..Bag::default() },
            window: (0, Bytes::new()),
            at: MAGIC.len() as u64,
            phase: Phase::Records,
            published: 0,
            undescribed: BTreeMap::new(),
        }
    }

    pub fn step(&mut self, got: &Fetched) -> Progress {
        self.take(got);
        loop {
            let phase = std::mem::replace(&mut self.phase, Phase::Records);
            let need = match phase {
                Phase::Records if self.at >= self.len => return Progress::Done(self.finish()),
                Phase::Records => self.record(),
                Phase::Behind(found) => self.behind(found),
                Phase::Search { from, chunk } => self.search(from, chunk),
                Phase::Decode(found) => self.decode(found),
            };
            let Some(need) = need.map(parts) else { continue };
            self.block_bytes = self.block_bytes.saturating_mul(2).min(self.most_block_bytes);
            let chunks = self.bag.catalog.chunks.len();
            // Publishing copies the catalogue, so it is done ever more rarely.
            if chunks > self.published + self.published / 4 {
                self.published = chunks;
                return Progress::Grew(self.bag.clone(), need);
            }
            return Progress::Need(need);
        }
    }

    /// Adds what was fetched to the window, or makes it the window.
    fn take(&mut self, got: &Fetched) {
        let mut parts: Vec<(u64, &Bytes)> = got.parts().filter(|(_, bytes)| !bytes.is_empty()).collect();
        parts.sort_by_key(|(offset, _)| *offset);
        let end = |window: &(u64, Bytes)| window.0.saturating_add(window.1.len() as u64);
        if let Some((offset, first)) = parts.first()
            && (self.window.1.is_empty() || *offset != end(&self.window))
        {
            self.window = (*offset, (*first).clone());
            parts.remove(0);
        }
        if !parts.is_empty() {
            let more = parts.iter().map(|(_, bytes)| bytes.len()).sum();
            let mut joined = BytesMut::with_capacity(self.window.1.len().saturating_add(more));
            joined.extend_from_slice(&self.window.1);
            for (offset, bytes) in parts {
                // A part that is missing ends what is at hand.
                if offset == self.window.0.saturating_add(joined.len() as u64) {
                    joined.extend_from_slice(bytes);
                }
            }
            self.window.1 = joined.freeze();
        }
        // A file that got shorter while it is read ends here.
        if got.parts().all(|(_, bytes)| bytes.is_empty()) {
            self.len = self.len.min(self.at.max(self.window.0.saturating_add(self.window.1.len() as u64)));
        }
    }

    /// What is at hand from `at` on.
    fn view(&self, at: u64) -> Bytes {
        Fetched::one(self.window.0, self.window.1.clone())
            .from(at, u64::MAX)
            .unwrap_or_default()
    }

    /// The range to ask for so that `bytes` from `at` on are at hand; None where they are, or where the file ends before.
    fn lack(&mut self, at: u64, bytes: u64) -> Option<Range<u64>> {
        let wanted_end = at.saturating_add(bytes).min(self.len);
        let window_end = self.window.0.saturating_add(self.window.1.len() as u64);
        if at >= wanted_end || (self.window.0 <= at && wanted_end <= window_end) {
            return None;
        }
        let end = wanted_end.max(at.saturating_add(self.block_bytes)).min(self.len);
        if self.window.0 <= at && at < window_end {
            // Only the rest is read; what is already behind `at` is dropped.
            self.window = (at, self.view(at));
            return Some(window_end..end);
        }
        Some(at..end)
    }

    fn warn(&mut self, offset: u64, what: String) {
        let warnings = &mut self.bag.catalog.warnings;
        match warnings.len() {
            0..MAX_WARNINGS => warnings.push(Warning { offset, what }),
            MAX_WARNINGS => warnings.push(Warning {
                offset,
                what: "and more of the kind".into(),
            }),
            _ => {}
        }
    }

    fn record(&mut self) -> Option<Range<u64>> {
        let at = self.at;
        if let Some(need) = self.lack(at, 512) {
            return Some(need);
        }
        let view = self.view(at);
        let found = match record::peek(&view, 0) {
            Peek::Record(found) => found,
            Peek::Short(bytes) => {
                if let Some(need) = self.lack(at, bytes as u64) {
                    return Some(need);
                }
                if !is_padding(&view) {
                    self.warn(at, format!("{} bytes at the end of the file that are no whole record", view.len()));
                }
                self.at = self.len;
                return None;
            }
            Peek::Bad(_) => {
                self.phase = Phase::Search { from: at, chunk: None };
                return None;
            }
        };
        let data = at.saturating_add(found.data.start as u64)..at.saturating_add(found.data.end as u64);
        match found.header.op {
            CHUNK => self.chunk(&view, data),
            CONNECTION if data.end <= self.len => {
                if let Some(need) = self.lack(at, data.end - at) {
                    return Some(need);
                }
                if let (Some(number), Some(topic)) = (found.header.conn, found.header.topic) {
                    self.describe(number, topic, view.get(found.data.clone()).unwrap_or_default());
                }
                self.at = data.end;
            }
            BAG_HEADER | INDEX_DATA | CHUNK_INFO if data.end <= self.len => self.at = data.end,
            _ => self.phase = Phase::Search { from: at, chunk: None },
        }
        None
    }

    fn chunk(&mut self, view: &[u8], data: Range<u64>) {
        let Ok(head) = Head::read(view, 0) else {
            self.phase = Phase::Search {
                from: self.at,
                chunk: None,
            };
            return;
        };
        let mut found = Found {
            at: self.at,
            data,
            guessed: false,
            counts: BTreeMap::new(),
            span: None,
            compression: head.name,
        };
        // Recorders fill the lengths in when they close a chunk.
        let open = found.data.is_empty() && found.data.end < self.len;
        if open || found.data.end > self.len {
            found.guessed = true;
            self.search_behind(found);
        } else {
            self.at = found.data.end;
            self.phase = Phase::Behind(found);
        }
    }

    /// The chunk's length is not to be believed: it ends where the next one starts, or with the file.
    fn search_behind(&mut self, found: Found) {
        self.at = found.data.start;
        self.phase = Phase::Search {
            from: found.data.start,
            chunk: Some(found),
        };
    }

    fn behind(&mut self, mut found: Found) -> Option<Range<u64>> {
        let at = self.at;
        if let Some(need) = self.lack(at, 512) {
            self.phase = Phase::Behind(found);
            return Some(need);
        }
        let view = self.view(at);
        let next = match record::peek(&view, 0) {
            Peek::Record(next) => next,
            Peek::Short(_) if at.saturating_add(view.len() as u64) >= self.len => {
                // More index records may have stood where the file ends.
                self.settle(found, false);
                return None;
            }
            Peek::Short(bytes) => {
                let need = self.lack(at, bytes as u64);
                self.phase = Phase::Behind(found);
                return need;
            }
            // Index records were there, so the chunk's length is right and only this is damage.
            Peek::Bad(_) if !found.counts.is_empty() => {
                self.settle(found, false);
                return None;
            }
            Peek::Bad(_) => {
                let (offset, what) = (
                    found.at,
                    "what follows this chunk is no record, so its length is not to be believed".to_string(),
                );
                self.warn(offset, what);
                found.guessed = true;
                self.search_behind(found);
                return None;
            }
        };
        let end = at.saturating_add(next.data.end as u64);
        if next.header.op != INDEX_DATA || end > self.len {
            self.settle(found, next.header.op != INDEX_DATA);
            return None;
        }
        if let Some(need) = self.lack(at, next.data.end as u64) {
            self.phase = Phase::Behind(found);
            return Some(need);
        }
        let index = ChunkIndex::read(view.get(..next.data.end).unwrap_or_default(), 0);
        for entry in &index.entries {
            count(&mut found, entry.conn, entry.time);
        }
        for fault in index.faults {
            self.warn(at.saturating_add(fault.at as u64), fault.what);
        }
        self.at = end;
        self.phase = Phase::Behind(found);
        None
    }

    /// The index records of the chunk were read, all of them if `complete`: do they tell enough?
    fn settle(&mut self, found: Found, complete: bool) {
        let known = |number: &u32| self.bag.ids.contains_key(number);
        match complete && !found.counts.is_empty() && found.counts.keys().all(known) {
            true => self.add_chunk(found, self.at),
            false => self.phase = Phase::Decode(found),
        }
    }

    fn search(&mut self, from: u64, chunk: Option<Found>) -> Option<Range<u64>> {
        let at = self.at;
        if let Some(need) = self.lack(at, OVERLAP_BYTES * 2) {
            self.phase = Phase::Search { from, chunk };
            return Some(need);
        }
        let view = self.view(at);
        let only_chunks = chunk.is_some();
        // At the start of a damaged record there is none to be found.
        let skip = usize::from(at == from && !only_chunks);
        let next = record::find(&view, skip, |op| op == CHUNK || (!only_chunks && op == CONNECTION));
        let end = at.saturating_add(view.len() as u64);
        let (next, done) = match next {
            Some(next) => (at.saturating_add(next as u64), true),
            None if end >= self.len => (self.len, true),
            None => (end.saturating_sub(OVERLAP_BYTES).max(at.saturating_add(1)), false),
        };
        self.at = next;
        if !done {
            self.phase = Phase::Search { from, chunk };
            return None;
        }
        match chunk {
            Some(mut found) => {
                found.data.end = if found.data.is_empty() { next } else { found.data.end.min(next) };
                self.phase = Phase::Decode(found);
            }
            None => {
                let padding = next < end && is_padding(view.get(..usize::try_from(next - at).unwrap_or(0)).unwrap_or_default());
                if !padding || from != at {
                    self.warn(from, format!("{} bytes that are no record were passed over", next - from));
                }
            }
        }
        None
    }

    /// Decompresses the chunk for its connections, and for its messages where no index record tells them.
    fn decode(&mut self, mut found: Found) -> Option<Range<u64>> {
        let end = self.at.max(found.data.end).min(found.at.saturating_add(MAX_CHUNK_BYTES as u64));
        if let Some(need) = self.lack(found.at, end.saturating_sub(found.at)) {
            self.phase = Phase::Decode(found);
            return Some(need);
        }
        let view = self.view(found.at);
        let local = |offset: u64| {
            usize::try_from(offset.saturating_sub(found.at))
                .unwrap_or(usize::MAX)
                .min(view.len())
        };
        let Ok(head) = Head::read(&view, 0) else { return None };
        let body = view.slice(local(found.data.start)..local(found.data.end));
        let index = ChunkIndex::read(view.get(..local(end)).unwrap_or_default(), local(found.data.end));
        let unpacked = unpack(head.compression, &body, head.size as usize, false);
        for fault in &unpacked.faults {
            self.warn(found.data.start.saturating_add(fault.at as u64), fault.what.clone());
        }
        found.counts.clear();
        found.span = None;
        let (mut faults, mut connections) = (Vec::new(), Vec::new());
        survey(&unpacked, &index, |item| match item {
            Item::Message { conn, time, .. } => count(&mut found, conn, time),
            Item::Connection { conn, topic, data, .. } => {
                if !self.bag.ids.contains_key(&conn) || self.undescribed.contains_key(&conn) {
                    connections.push((conn, topic.to_vec(), data.to_vec()));
                }
            }
            Item::Fault(fault) => faults.push(fault),
        });
        for (number, topic, data) in connections {
            self.describe(number, &topic, &data);
        }
        for fault in faults {
            self.warn(found.at, format!("at byte {} of this chunk: {}", fault.at, fault.what));
        }
        if found.guessed {
            let messages: u64 = found.counts.values().map(|n| u64::from(*n)).sum();
            self.warn(
                found.at,
                format!("a chunk that was not closed or is cut short: {messages} messages of it could be read"),
            );
        }
        self.add_chunk(found, end);
        None
    }

    fn add_chunk(&mut self, found: Found, end: u64) {
        let Some(span) = found.span else { return };
        let mut counts = Vec::with_capacity(found.counts.len());
        for (number, count) in found.counts {
            if !self.bag.ids.contains_key(&number) {
                let Ok(id) = ConnectionId::try_from(self.bag.catalog.connections.len()) else {
                    continue;
                };
                self.undescribed.insert(number, found.at);
                self.bag.ids.insert(number, id);
                let topic = nameless_topic(number).into();
                self.bag.catalog.connections.push(Connection {
                    topic,
                    ..Connection::default()
                });
            }
            counts.extend(self.bag.ids.get(&number).map(|id| (*id, count)));
        }
        let data = found.guessed.then_some(found.data);
        self.bag.catalog.chunks.push(Chunk {
            range: found.at..end,
            span,
            compression: found.compression.into(),
            counts,
        });
        self.bag.places.push(Place { data });
    }

    /// Takes a connection record; its messages may have been met before.
    fn describe(&mut self, number: u32, topic: &[u8], data: &[u8]) {
        if self.undescribed.remove(&number).is_none() {
            self.bag.add_connection(number, topic, data);
        } else if let Some(id) = self.bag.ids.get(&number)
            && let Some(slot) = self.bag.catalog.connections.get_mut(*id as usize)
        {
            *slot = super::connection(topic, data);
            self.bag.prints.insert(number, super::print(topic, data));
        }
    }

    fn finish(&mut self) -> Bag {
        for (number, at) in std::mem::take(&mut self.undescribed) {
            self.warn(at, super::undescribed_warning(number));
        }
        std::mem::take(&mut self.bag)
    }
}

/// A stretch of the file, cut so that its parts are read at once.
fn parts(stretch: Range<u64>) -> Vec<Range<u64>> {
    let mut parts = Vec::new();
    let mut from = stretch.start;
    while from < stretch.end {
        let to = stretch.end.min(from.saturating_add(FAR_PART_BYTES));
        parts.push(from..to);
        from = to;
    }
    parts
}

fn count(found: &mut Found, conn: u32, time: Time) {
    let count = found.counts.entry(conn).or_default();
    *count = count.saturating_add(1);
    found.span = Some(found.span.map_or(Span::at(time), |span| span.union(Span::at(time))));
}

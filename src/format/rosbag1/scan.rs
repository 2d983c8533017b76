//! Reads a bag without its index: from record to record, past damage, to the end of the file.
//!
//! Where a chunk is whole and index records stand behind it, those tell its messages and the chunk itself is not decompressed, unless
//! a connection is met for the first time. What was found can be used while the scan goes on.

use std::ops::Range;

use bytes::{Bytes, BytesMut};

use super::chunk::{Head, data_end};
use super::index::{ChunkIndex, Tally, is_padding};
use super::record::{self, BAG_HEADER, CHUNK, CHUNK_INFO, CONNECTION, INDEX_DATA, MESSAGE, Peek, Record};
use super::unpack::{Item, MAX_CHUNK_BYTES, unpack, walk};
use super::{Bag, MAGIC, NAME, Place};
use crate::format::{Catalog, Chunk, Fetched, Warning};

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
/// Of a chunk whose own length is not to be believed, no more than this is read.
const MAX_GUESSED_BYTES: u64 = 64 << 20;
/// No more is added to the bytes at hand at a time, so that little is held twice.
const MAX_STEP_BYTES: u64 = 32 << 20;

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
    tally: Tally,
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
            // Bytes that nobody else holds grow where they are.
            let at_hand = std::mem::take(&mut self.window.1);
            let mut joined = at_hand.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&*shared));
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
            return Some(window_end..end.min(window_end.saturating_add(MAX_STEP_BYTES)));
        }
        Some(at..end.min(at.saturating_add(MAX_STEP_BYTES)))
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
                if record::find(&view, 1, |op| op == CHUNK || op == CONNECTION).is_some() {
                    self.phase = Phase::Search { from: at, chunk: None };
                    return None;
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
            _ if data.end > self.len || !is_plausible(&found) => self.phase = Phase::Search { from: at, chunk: None },
            CONNECTION => {
                if let Some(need) = self.lack(at, data.end - at) {
                    return Some(need);
                }
                if let (Some(number), Some(topic)) = (found.header.conn, found.header.topic) {
                    self.bag.describe(number, topic, view.get(found.data.clone()).unwrap_or_default());
                }
                self.at = data.end;
            }
            BAG_HEADER | INDEX_DATA | CHUNK_INFO => self.at = data.end,
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
            tally: Tally::default(),
            compression: head.name,
        };
        // Recorders fill the lengths in when they close a chunk.
        let open = found.data.is_empty() && found.data.end < self.len;
        let is_huge = found.data.end - found.data.start > MAX_CHUNK_BYTES as u64;
        if open || is_huge || found.data.end > self.len {
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
        let none_yet = found.tally.counts.is_empty();
        let next = match record::peek(&view, 0) {
            // What only stands in a chunk cannot stand behind it.
            Peek::Record(next) if none_yet && next.header.op == MESSAGE => return self.disbelieve(found),
            Peek::Record(next) => next,
            Peek::Short(_) if at.saturating_add(view.len() as u64) >= self.len => {
                if none_yet && record::find(&view, 0, |op| op == CHUNK || op == INDEX_DATA).is_some() {
                    return self.disbelieve(found);
                }
                // More index records may have stood where the file ends.
                self.settle(found, false);
                return None;
            }
            Peek::Short(bytes) => {
                let need = self.lack(at, bytes as u64);
                self.phase = Phase::Behind(found);
                return need;
            }
            Peek::Bad(_) if none_yet => return self.disbelieve(found),
            // Index records were there, so the chunk's length is right and only this is damage.
            Peek::Bad(_) => {
                self.settle(found, false);
                return None;
            }
        };
        let is_index = next.header.op == INDEX_DATA;
        let end = at.saturating_add(next.data.end as u64);
        if !is_index || end > self.len || !is_plausible(&next) {
            self.settle(found, !is_index);
            return None;
        }
        if let Some(need) = self.lack(at, next.data.end as u64) {
            self.phase = Phase::Behind(found);
            return Some(need);
        }
        let index = ChunkIndex::read(view.get(..next.data.end).unwrap_or_default(), 0);
        index.entries.iter().for_each(|entry| found.tally.add(entry.conn, entry.time));
        for fault in index.faults {
            self.warn(at.saturating_add(fault.at as u64), fault.what);
        }
        self.at = end;
        self.phase = Phase::Behind(found);
        None
    }

    fn disbelieve(&mut self, mut found: Found) -> Option<Range<u64>> {
        let what = "what follows this chunk is not what can, so its length is not to be believed";
        self.warn(found.at, what.into());
        found.guessed = true;
        self.search_behind(found);
        None
    }

    /// The index records of the chunk were read, all of them if `complete`: do they tell enough?
    fn settle(&mut self, found: Found, complete: bool) {
        let known = |number: &u32| self.bag.ids.contains_key(number);
        match complete && !found.tally.counts.is_empty() && found.tally.counts.keys().all(known) {
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
                found.data.end = next;
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
        let most = if found.guessed { MAX_GUESSED_BYTES } else { MAX_CHUNK_BYTES as u64 };
        let end = self.at.max(found.data.end).min(found.at.saturating_add(most));
        if let Some(need) = self.lack(found.at, end.saturating_sub(found.at)) {
            self.phase = Phase::Decode(found);
            return Some(need);
        }
        let view = self.view(found.at);
        let within = |offset: u64| usize::try_from(offset.saturating_sub(found.at)).map_or(view.len(), |at| at.min(view.len()));
        let view = view.slice(..within(end));
        let Ok(head) = Head::read(&view, 0) else { return None };
        let start = within(found.data.start).min(view.len());
        let data = match found.guessed {
            true => start..data_end(&view, &(start..usize::MAX)),
            false => start..within(found.data.end).min(view.len()),
        };
        found.data.end = found.at.saturating_add(data.end as u64);
        let index = ChunkIndex::read(&view, data.end);
        let unpacked = unpack(head.compression, &view.slice(data), head.size as usize, false);
        for fault in &unpacked.faults {
            self.warn(found.data.start.saturating_add(fault.at as u64), fault.what.clone());
        }
        found.tally = Tally::default();
        let (mut faults, bag) = (Vec::new(), &mut self.bag);
        walk(&unpacked, &|| index.starts(), |item| match item {
            Item::Message { conn, time, .. } => found.tally.add(conn, time),
            Item::Connection { conn, topic, data, .. } => bag.describe(conn, topic, data),
            Item::Fault(fault) => faults.push(fault),
        });
        for fault in faults {
            self.warn(found.at, format!("at byte {} of this chunk: {}", fault.at, fault.what));
        }
        if found.guessed {
            let messages: u64 = found.tally.counts.values().map(|n| u64::from(*n)).sum();
            self.warn(
                found.at,
                format!("a chunk that was not closed or is cut short: {messages} messages of it could be read"),
            );
        }
        if end < self.at {
            self.warn(
                end,
                format!("{} bytes that may belong to this chunk were passed over", self.at - end),
            );
        }
        self.add_chunk(found, end);
        None
    }

    fn add_chunk(&mut self, found: Found, end: u64) {
        let Some(span) = found.tally.span else { return };
        let counts = found.tally.counts.iter();
        let counts = counts
            .filter_map(|(number, count)| Some((self.bag.id_of(*number, found.at)?, *count)))
            .collect();
        let data = found.guessed.then_some(found.data);
        self.bag.catalog.chunks.push(Chunk {
            range: found.at..end,
            span,
            compression: found.compression.into(),
            counts,
        });
        self.bag.places.push(Place { data });
    }

    fn finish(&mut self) -> Bag {
        self.bag.warn_of_undescribed();
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

/// Whether a record's length is to be believed, so that what it covers may be passed over or held.
fn is_plausible(found: &Record<'_>) -> bool {
    const MOST_BYTES: usize = 16 << 20;
    let (header, len) = (&found.header, found.data.len());
    let holds = |entry_bytes: usize| {
        header
            .count
            .is_some_and(|count| (count as usize).checked_mul(entry_bytes) == Some(len))
    };
    match header.op {
        INDEX_DATA => len <= 4 * MOST_BYTES && holds(12),
        CHUNK_INFO => holds(8),
        _ => len <= MOST_BYTES,
    }
}

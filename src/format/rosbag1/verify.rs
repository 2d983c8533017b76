//! Holds what the index says about chunks against the chunks themselves: that they lie where it says, hold what it says, and that
//! it leaves none out.
//!
//! Three looks, each at what the one before made doubtful: the chunks' headers, the index records behind them, and the few chunks
//! whose records contradict the index or that alone can describe a connection. Where each read costs a round trip, headers are
//! looked at as far as they are at hand, and index records not at all: reading a chunk compares them.

use std::collections::BTreeSet;
use std::ops::Range;

use bytes::Bytes;

use super::chunk::{Head, data_end};
use super::index::{ChunkIndex, Tally, is_filler};
use super::record::{self, CHUNK, Peek};
use super::unpack::{Item, unpack, walk};
use super::{Bag, Lie};
use crate::format::{Chunk, ChunkId, ConnectionId, Fetched, Warning};

/// So many chunks are looked at, evenly over the file.
const MAX_PROBES: usize = 4096;
/// What a chunk's header takes.
const PROBE_BYTES: u64 = 256;
/// Index records that are read, those of all chunks together.
const MAX_RECORD_BYTES: u64 = 16 << 20;
/// Chunks that are read as a whole; where the index is wrong about more of them, it is not used.
const MAX_SURVEYED: usize = 64;
/// What is read of them at a time, and the largest of them.
const SURVEY_BYTES: u64 = 64 << 20;

pub(super) struct Verify {
    bag: Bag,
    cheap: bool,
    look: Look,
    /// Chunks that are to be read as a whole.
    doubtful: BTreeSet<ChunkId>,
}

enum Look {
    Headers,
    /// What stands behind these chunks' data.
    Records(Vec<(ChunkId, Range<u64>)>),
    Chunks(Vec<ChunkId>),
}

pub(super) enum Verdict {
    Need(Vec<Range<u64>>),
    /// With what was wrong put right, and warnings of it.
    Holds(Box<Bag>),
}

impl Verify {
    pub fn new(bag: Bag, cheap: bool) -> Verify {
        Verify {
            bag,
            cheap,
            look: Look::Headers,
            doubtful: BTreeSet::new(),
        }
    }

    /// What to read first where reads are cheap; otherwise the first step takes what is at hand.
    pub fn probes(&self) -> Vec<Range<u64>> {
        let chunks = &self.bag.catalog.chunks;
        let every = chunks.len().div_ceil(MAX_PROBES).max(1);
        chunks.iter().step_by(every).map(probe).collect()
    }

    pub fn step(&mut self, got: &Fetched) -> Result<Verdict, Lie> {
        let parts = Parts::of(got);
        match std::mem::replace(&mut self.look, Look::Headers) {
            Look::Headers => {
                let ends = self.check_headers(&parts)?;
                let records = if self.cheap { self.records_behind(ends)? } else { Vec::new() };
                if records.is_empty() {
                    return self.survey_doubtful();
                }
                let need = records.iter().map(|(_, range)| range.clone()).collect();
                self.look = Look::Records(records);
                Ok(Verdict::Need(need))
            }
            Look::Records(records) => {
                for (id, range) in records {
                    if let Some(bytes) = parts.get(&range) {
                        self.check_records(id, range.start, &bytes)?;
                    }
                }
                self.survey_doubtful()
            }
            Look::Chunks(ids) => {
                for id in ids {
                    let bytes = self.chunk(id).and_then(|chunk| parts.get(&chunk.range));
                    if let Some(bytes) = bytes {
                        self.survey(id, &bytes)?;
                    }
                }
                Ok(self.next_chunks())
            }
        }
    }

    fn chunk(&self, id: ChunkId) -> Option<&Chunk> {
        self.bag.catalog.chunks.get(id as usize)
    }

    /// A chunk stands where the index says, as far as that is at hand. Returns where their data ends.
    fn check_headers(&mut self, parts: &Parts) -> Result<Vec<(ChunkId, u64)>, Lie> {
        let mut ends = Vec::new();
        for (chunk, id) in self.bag.catalog.chunks.iter_mut().zip(0..) {
            let Some(bytes) = parts.get(&probe(chunk)).or_else(|| parts.from(chunk.range.start)) else {
                continue;
            };
            let all = probe(chunk).end - chunk.range.start;
            match Head::read(&bytes, 0) {
                Ok(head) => {
                    ends.push((id, chunk.range.start.saturating_add(head.data.end as u64)));
                    if *head.name != *chunk.compression {
                        chunk.compression = head.name.into();
                    }
                }
                Err(_) if (bytes.len() as u64) < all && matches!(record::peek(&bytes, 0), Peek::Short(_)) => {}
                Err(what) => return Err(Lie(chunk.range.start, format!("the index names a chunk where there is {what}"))),
            }
        }
        Ok(ends)
    }

    /// Where the index records behind chunks stand; a chunk that leaves too little or too much room for them is doubtful.
    fn records_behind(&mut self, ends: Vec<(ChunkId, u64)>) -> Result<Vec<(ChunkId, Range<u64>)>, Lie> {
        const RECORD_HEADER_BYTES: u64 = 128;
        const ENTRY_BYTES: u64 = 12;
        const PADDING_BYTES: u64 = 64 << 10;
        let (mut records, mut sum) = (Vec::new(), 0);
        for (id, end) in ends {
            let Some(chunk) = self.chunk(id) else { continue };
            let range = end..chunk.range.end;
            let expected = chunk.messages() * ENTRY_BYTES + chunk.counts.len() as u64 * RECORD_HEADER_BYTES + PADDING_BYTES;
            match range.end.checked_sub(range.start) {
                Some(0) => {}
                Some(bytes) if bytes <= expected => {
                    sum += bytes;
                    if sum <= MAX_RECORD_BYTES {
                        records.push((id, range));
                    }
                }
                _ => self.doubt(id)?,
            }
        }
        Ok(records)
    }

    /// The index records behind a chunk say what the index says about it, and no other chunk stands there.
    fn check_records(&mut self, id: ChunkId, offset: u64, bytes: &[u8]) -> Result<(), Lie> {
        let Some(chunk) = self.chunk(id) else { return Ok(()) };
        let index = ChunkIndex::read(bytes, 0);
        refuse_unlisted(offset, bytes, index.end)?;
        let rest = bytes.get(index.end..).unwrap_or_default();
        let none = index.end == 0;
        if index.faults.is_empty() && is_filler(rest) && (none || self.bag.agrees(chunk, &index.tally())) {
            return Ok(());
        }
        self.doubt(id)
    }

    fn doubt(&mut self, id: ChunkId) -> Result<(), Lie> {
        let Some(chunk) = self.chunk(id) else { return Ok(()) };
        if chunk.range.end - chunk.range.start > SURVEY_BYTES {
            let what = "the index is wrong about the chunk that starts here, or leaves out chunks behind it";
            return Err(Lie(chunk.range.start, what.into()));
        }
        self.doubtful.insert(id);
        Ok(())
    }

    fn survey_doubtful(&mut self) -> Result<Verdict, Lie> {
        if let Some(first) = self.doubtful.first().and_then(|id| self.chunk(*id))
            && self.doubtful.len() > MAX_SURVEYED
        {
            let what = format!(
                "the index is wrong about {} chunks, of which the first starts here",
                self.doubtful.len()
            );
            return Err(Lie(first.range.start, what));
        }
        self.doubtful.extend(self.describing());
        Ok(self.next_chunks())
    }

    /// The first chunks of connections that no record has described so far: it may stand there.
    fn describing(&self) -> Vec<ChunkId> {
        let numbers = self.bag.undescribed.keys();
        let mut left: BTreeSet<ConnectionId> = numbers.filter_map(|number| self.bag.ids.get(number).copied()).collect();
        let chunks = self.bag.catalog.chunks.iter().zip(0..);
        let is_small = |chunk: &Chunk| chunk.range.end - chunk.range.start <= SURVEY_BYTES;
        chunks
            .filter(|(chunk, _)| is_small(chunk) && chunk.counts.iter().filter(|(id, _)| left.remove(id)).count() > 0)
            .map(|(_, id)| id)
            .take(MAX_SURVEYED)
            .collect()
    }

    /// The next of the doubtful chunks, together not too large.
    fn next_chunks(&mut self) -> Verdict {
        let (mut ids, mut need, mut sum) = (Vec::new(), Vec::new(), 0);
        while let Some(id) = self.doubtful.first().copied() {
            let range = self.chunk(id).map_or(0..0, |chunk| chunk.range.clone());
            sum += range.end - range.start;
            if sum > SURVEY_BYTES && !ids.is_empty() {
                break;
            }
            self.doubtful.remove(&id);
            ids.push(id);
            need.push(range);
        }
        if ids.is_empty() {
            self.bag.warn_of_undescribed();
            return Verdict::Holds(Box::new(std::mem::take(&mut self.bag)));
        }
        self.look = Look::Chunks(ids);
        Verdict::Need(need)
    }

    /// Reads a chunk for what it holds.
    fn survey(&mut self, id: ChunkId, bytes: &Bytes) -> Result<(), Lie> {
        let Ok(head) = Head::read(bytes, 0) else { return Ok(()) };
        let end = data_end(bytes, &head.data);
        let index = ChunkIndex::read(bytes, end);
        if let (true, Some(chunk)) = (self.cheap, self.chunk(id)) {
            refuse_unlisted(chunk.range.start, bytes, index.end)?;
        }
        let body = bytes.slice(head.data.start.min(end)..end);
        let unpacked = unpack(head.compression, &body, head.size as usize, false);
        let (mut found, mut damaged) = (Tally::default(), !unpacked.faults.is_empty());
        let bag = &mut self.bag;
        walk(&unpacked, &|| index.starts(), |item| match item {
            Item::Message { conn, time, .. } => found.add(conn, time),
            Item::Connection { conn, topic, data, .. } => bag.describe(conn, topic, data),
            Item::Fault(_) => damaged = true,
        });
        // Of a damaged chunk the index may know better.
        if !damaged {
            self.correct(id, &found);
        }
        Ok(())
    }

    fn correct(&mut self, id: ChunkId, found: &Tally) {
        let Some(chunk) = self.chunk(id).filter(|chunk| !self.bag.agrees(chunk, found)) else {
            return;
        };
        let (offset, claimed) = (chunk.range.start, chunk.messages());
        let id_of = |(number, count): (&u32, &u32)| Some((self.bag.id_of(*number, offset)?, *count));
        let counts: Vec<_> = found.counts.iter().filter_map(id_of).collect();
        let Some(chunk) = self.bag.catalog.chunks.get_mut(id as usize) else {
            return;
        };
        chunk.counts = counts;
        chunk.span = found.span.unwrap_or(chunk.span);
        let what = match chunk.messages() {
            there if there != claimed => format!("the index claims {claimed} messages in this chunk, which holds {there}"),
            _ => "the index is wrong about the topics or times of the messages in this chunk".into(),
        };
        self.bag.catalog.warnings.push(Warning { offset, what });
    }
}

fn probe(chunk: &Chunk) -> Range<u64> {
    chunk.range.start..chunk.range.end.min(chunk.range.start.saturating_add(PROBE_BYTES))
}

/// `offset` is that of `bytes` in the file.
fn refuse_unlisted(offset: u64, bytes: &[u8], behind: usize) -> Result<(), Lie> {
    match record::find(bytes, behind, |op| op == CHUNK) {
        Some(at) => Err(Lie(offset.saturating_add(at as u64), "a chunk that the index does not list".into())),
        None => Ok(()),
    }
}

/// What was fetched, by offset.
struct Parts<'a>(Vec<(u64, &'a Bytes)>);

impl Parts<'_> {
    fn of(got: &Fetched) -> Parts<'_> {
        let mut parts: Vec<_> = got.parts().collect();
        parts.sort_by_key(|(offset, _)| *offset);
        Parts(parts)
    }

    /// What there is from `offset` on.
    fn from(&self, offset: u64) -> Option<Bytes> {
        let after = self.0.partition_point(|(start, _)| *start <= offset);
        let (start, bytes) = self.0.get(after.checked_sub(1)?)?;
        let skip = usize::try_from(offset - start).ok().filter(|skip| *skip < bytes.len())?;
        Some(bytes.slice(skip..))
    }

    fn get(&self, range: &Range<u64>) -> Option<Bytes> {
        let bytes = self.from(range.start)?;
        let len = usize::try_from(range.end.checked_sub(range.start)?).ok()?;
        (len <= bytes.len()).then(|| bytes.slice(..len))
    }
}

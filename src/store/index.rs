//! Which chunks hold what, by time: a sorted list of chunk spans that answers what must be read for an instant.
//!
//! Invariant: chunk spans are outer bounds and may overlap in any way; every answer is right whatever lies in the chunks.

use crate::format::ChunkId;
use crate::store::SourceId;
use crate::time::{Span, Time};

/// A chunk of an opened recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ChunkKey {
    pub source: SourceId,
    pub chunk: ChunkId,
}

impl ChunkKey {
    /// Before and behind all others.
    pub const FIRST: ChunkKey = ChunkKey { source: 0, chunk: 0 };
    pub const LAST: ChunkKey = ChunkKey {
        source: SourceId::MAX,
        chunk: ChunkId::MAX,
    };
}

/// A chunk that holds messages of a topic (or of one of its publishers).
#[derive(Clone, Copy, Debug)]
pub(super) struct TopicChunk {
    pub span: Span,
    pub key: ChunkKey,
    pub count: u64,
    /// Bytes of the whole chunk in the file.
    pub bytes: u64,
}

const BLOCK: usize = 32;

/// Chunks by start, then key.
#[derive(Clone, Debug, Default)]
pub(super) struct ChunkList {
    pub chunks: Vec<TopicChunk>,
    /// The latest end among this and all earlier chunks.
    max_end: Vec<Time>,
    /// The latest end in each block of [`BLOCK`] chunks: where one early chunk ends late, the others are passed over by the block.
    block_end: Vec<Time>,
    /// Bytes of this and all earlier chunks.
    bytes: Vec<u64>,
}

impl ChunkList {
    pub fn new(mut chunks: Vec<TopicChunk>) -> ChunkList {
        chunks.sort_unstable_by_key(|c| (c.span.start, c.key));
        let mut latest = Time::MIN;
        let max_end = chunks
            .iter()
            .map(|c| {
                latest = latest.max(c.span.end);
                latest
            })
            .collect();
        let mut sum = 0;
        let bytes = chunks
            .iter()
            .map(|c| {
                sum += c.bytes;
                sum
            })
            .collect();
        let last = |block: &[TopicChunk]| block.iter().map(|c| c.span.end).max().unwrap_or(Time::MIN);
        let block_end = chunks.chunks(BLOCK).map(last).collect();
        ChunkList {
            chunks,
            max_end,
            block_end,
            bytes,
        }
    }

    pub fn span(&self) -> Option<Span> {
        Some(Span::new(self.chunks.first()?.span.start, *self.max_end.last()?))
    }

    pub fn ordinal(&self, start: Time, key: ChunkKey) -> Option<usize> {
        self.chunks.binary_search_by_key(&(start, key), |c| (c.span.start, c.key)).ok()
    }

    pub fn total_bytes(&self) -> u64 {
        self.bytes.last().copied().unwrap_or(0)
    }

    /// Bytes of the chunks that start at or before `t`.
    pub fn bytes_until(&self, t: Time) -> u64 {
        self.started(t).checked_sub(1).map_or(0, |last| self.bytes[last])
    }

    /// The chunks that start at or before `t`.
    pub fn until(&self, t: Time) -> &[TopicChunk] {
        &self.chunks[..self.started(t)]
    }

    /// How many chunks start at or before `t`.
    fn started(&self, t: Time) -> usize {
        self.chunks.partition_point(|c| c.span.start <= t)
    }

    /// Chunks that touch `from..=to`, by start.
    pub fn overlapping(&self, from: Time, to: Time) -> Vec<TopicChunk> {
        let mut found: Vec<TopicChunk> = Vec::new();
        let mut end = self.started(to);
        while let Some(last) = end.checked_sub(1)
            && self.max_end[last] >= from
        {
            let block = last / BLOCK;
            if self.block_end[block] >= from {
                found.extend(self.chunks[block * BLOCK..end].iter().rev().filter(|c| c.span.end >= from));
            }
            end = block * BLOCK;
        }
        found.reverse();
        found
    }

    /// The chunks among which the newest `k` messages at or before `t` are, whatever the chunks turn out to hold: those that
    /// straddle `t`, and wholly before it as many as make sure of `k` messages, with all that overlap these.
    pub fn newest(&self, t: Time, k: u64) -> Vec<TopicChunk> {
        let mut sure = 0;
        let mut floor = Time::MIN;
        for chunk in self.chunks[..self.started(t)].iter().rev() {
            if chunk.span.end <= t {
                sure += chunk.count;
                if sure >= k {
                    floor = chunk.span.start;
                    break;
                }
            }
        }
        self.overlapping(floor, t)
    }

    /// The chunks among which the first message after `t` is.
    pub fn soonest_after(&self, t: Time) -> Vec<TopicChunk> {
        let mut ceiling = Time::MAX;
        for chunk in &self.chunks[self.started(t)..] {
            if chunk.span.start > ceiling {
                break;
            }
            ceiling = ceiling.min(chunk.span.end);
        }
        self.overlapping(t.plus_nanos(1), ceiling)
    }
}

/// Runs of neighbouring chunks of a [`ChunkList`] that are loaded.
#[derive(Clone, Debug, Default)]
pub(super) struct Runs {
    /// First and last ordinal, sorted, never touching.
    runs: Vec<(usize, usize)>,
    spans: Vec<Span>,
}

impl Runs {
    pub fn of(list: &ChunkList, mut is_loaded: impl FnMut(&TopicChunk) -> bool) -> Runs {
        let mut runs = Runs::default();
        for (ordinal, chunk) in list.chunks.iter().enumerate() {
            if is_loaded(chunk) {
                runs.insert(ordinal, list);
            }
        }
        runs
    }

    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    pub fn insert(&mut self, ordinal: usize, list: &ChunkList) {
        let at = self.runs.partition_point(|r| r.1 < ordinal);
        if self.runs.get(at).is_some_and(|r| r.0 <= ordinal) {
            return;
        }
        let span = list.chunks[ordinal].span;
        let joins_left = at > 0 && self.runs[at - 1].1 + 1 == ordinal;
        let joins_right = self.runs.get(at).is_some_and(|r| r.0 == ordinal + 1);
        match (joins_left, joins_right) {
            (true, true) => {
                self.runs[at - 1].1 = self.runs[at].1;
                self.spans[at - 1] = self.spans[at - 1].union(span).union(self.spans[at]);
                self.runs.remove(at);
                self.spans.remove(at);
            }
            (true, false) => {
                self.runs[at - 1].1 = ordinal;
                self.spans[at - 1] = self.spans[at - 1].union(span);
            }
            (false, true) => {
                self.runs[at].0 = ordinal;
                self.spans[at] = self.spans[at].union(span);
            }
            (false, false) => {
                self.runs.insert(at, (ordinal, ordinal));
                self.spans.insert(at, span);
            }
        }
    }
}

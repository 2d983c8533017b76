//! How far a topic's chunks are loaded, each as a whole: what a series and a set of rows tell of themselves.
//!
//! Invariant: each chunk of the list is either in a run of loaded ones, or among the others.

use std::collections::BTreeMap;

use super::index::{ChunkKey, ChunkList, Runs, TopicChunk};
use crate::time::{Span, Time};

#[derive(Default)]
pub(super) struct Coverage {
    loaded: Runs,
    /// By start and key the ends of the chunks that are not loaded.
    others: BTreeMap<(Time, ChunkKey), Time>,
    longest_nanos: i64,
}

impl Coverage {
    pub fn of(list: &ChunkList, mut is_loaded: impl FnMut(&TopicChunk) -> bool) -> Coverage {
        let others = list.chunks.iter().filter(|chunk| !is_loaded(chunk));
        Coverage {
            others: others.map(|chunk| ((chunk.span.start, chunk.key), chunk.span.end)).collect(),
            longest_nanos: list.chunks.iter().map(|chunk| chunk.span.nanos()).max().unwrap_or(0),
            loaded: Runs::of(list, is_loaded),
        }
    }

    /// The chunk at this place of the list has been loaded.
    pub fn add(&mut self, ordinal: usize, list: &ChunkList) {
        self.loaded.insert(ordinal, list);
        if let Some(chunk) = list.chunks.get(ordinal) {
            self.others.remove(&(chunk.span.start, chunk.key));
        }
    }

    /// Receive-time spans that are loaded.
    pub fn spans(&self) -> &[Span] {
        self.loaded.spans()
    }

    /// Whether all chunks that touch `span` are loaded.
    pub fn is_complete(&self, span: Span) -> bool {
        let from = (span.start.plus_nanos(-self.longest_nanos), ChunkKey::FIRST);
        let to = (span.end, ChunkKey::LAST);
        from > to || !self.others.range(from..=to).any(|(_, end)| *end >= span.start)
    }

    /// Memory that it takes.
    pub fn bytes(&self) -> u64 {
        self.others.len() as u64 * 32
    }
}

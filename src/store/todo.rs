//! Chunks that are still to be read for a wider span.
//!
//! Invariant: the nearest of them is found without a walk over those of recordings that have no room for a read.

use std::collections::{BTreeMap, BTreeSet};

use super::SourceId;
use super::index::ChunkKey;
use crate::format::ChunkId;
use crate::time::Time;

/// By recording, then by start; no recording's are empty.
#[derive(Default)]
pub(super) struct Todo(BTreeMap<SourceId, BTreeSet<(Time, ChunkId)>>);

impl Todo {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn contains(&self, start: Time, key: ChunkKey) -> bool {
        self.0.get(&key.source).is_some_and(|chunks| chunks.contains(&(start, key.chunk)))
    }

    pub fn remove(&mut self, start: Time, key: ChunkKey) {
        if let Some(chunks) = self.0.get_mut(&key.source) {
            chunks.remove(&(start, key.chunk));
            if chunks.is_empty() {
                self.0.remove(&key.source);
            }
        }
    }

    /// Whether one of them starts at or before `t`.
    pub fn starts_by(&self, t: Time) -> bool {
        self.0.values().any(|chunks| chunks.first().is_some_and(|(start, _)| *start <= t))
    }

    /// The one that starts nearest to `t`, of certain recordings, and how far from it.
    pub fn nearest(&self, t: Time, has_room: impl Fn(SourceId) -> bool) -> Option<(i64, ChunkKey)> {
        let with_room = self.0.iter().filter(|(source, _)| has_room(**source));
        let sides = with_room.flat_map(|(source, chunks)| {
            let before = chunks.range(..(t, 0)).next_back();
            let after = chunks.range((t, 0)..).next();
            let key = |chunk| ChunkKey { source: *source, chunk };
            let ranked = move |(start, chunk): &(Time, ChunkId)| (start.since(t).saturating_abs(), key(*chunk));
            before.into_iter().chain(after).map(ranked)
        });
        sides.min()
    }
}

impl FromIterator<(Time, ChunkKey)> for Todo {
    fn from_iter<I: IntoIterator<Item = (Time, ChunkKey)>>(chunks: I) -> Todo {
        let mut of: BTreeMap<SourceId, Vec<(Time, ChunkId)>> = BTreeMap::new();
        for (start, key) in chunks {
            of.entry(key.source).or_default().push((start, key.chunk));
        }
        Todo(
            of.into_iter()
                .map(|(source, chunks)| (source, chunks.into_iter().collect()))
                .collect(),
        )
    }
}

//! A recording that lies in a longer file: one of several that are read one behind the other.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::{Batch, Catalog, Checks, ChunkId, ConnectionId, ConnectionSet, Container, Fetched, Limit, ReadHere};
use crate::time::Time;

struct Within {
    inner: Arc<dyn Container>,
    start: u64,
    catalog: Catalog,
}

/// The same recording, where its first byte is the one at `start`.
pub fn within(inner: Arc<dyn Container>, start: u64) -> Arc<dyn Container> {
    if start == 0 {
        return inner;
    }
    let mut catalog = inner.catalog().clone();
    for chunk in &mut catalog.chunks {
        chunk.range = moved(&chunk.range, start);
    }
    for warning in &mut catalog.warnings {
        warning.offset = warning.offset.saturating_add(start);
    }
    Arc::new(Within { inner, start, catalog })
}

/// A range of the recording as one of the whole file.
pub fn moved(range: &Range<u64>, start: u64) -> Range<u64> {
    range.start.saturating_add(start)..range.end.saturating_add(start)
}

impl Fetched {
    /// What was read of the whole file, as the recording that begins at `start` has it.
    pub fn within(&self, start: u64) -> Fetched {
        let mut own = Fetched::default();
        for (offset, bytes) in self.parts() {
            if let Some(offset) = offset.checked_sub(start) {
                own.push(offset, bytes.clone());
            }
        }
        own
    }
}

impl Container for Within {
    fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    fn messages(&self, chunk: ChunkId, got: &Fetched, connections: &ConnectionSet, checks: Checks) -> Batch {
        let mut batch = self.inner.messages(chunk, &got.within(self.start), connections, checks);
        for warning in &mut batch.warnings {
            warning.offset = warning.offset.saturating_add(self.start);
        }
        batch.instead = batch.instead.map(|range| moved(&range, self.start));
        batch
    }

    fn listed(&self, chunk: ChunkId, got: &Fetched) -> Option<Vec<(ConnectionId, Time)>> {
        self.inner.listed(chunk, &got.within(self.start))
    }

    fn ranges_of(&self, chunk: ChunkId, fields: &BTreeSet<&str>) -> Option<Vec<Range<u64>>> {
        let ranges = self.inner.ranges_of(chunk, fields)?;
        Some(ranges.iter().map(|range| moved(range, self.start)).collect())
    }

    fn needed(&self, chunk: ChunkId, connections: &ConnectionSet, read: &mut ReadHere) -> Option<Fetched> {
        let got = self
            .inner
            .needed(chunk, connections, &mut |range| read(moved(&range, self.start)))?;
        let mut moved = Fetched::default();
        got.parts()
            .for_each(|(offset, bytes)| moved.push(offset.saturating_add(self.start), bytes.clone()));
        Some(moved)
    }

    fn limits(&self, chunk: ChunkId, field: &str) -> Option<(Limit, Limit)> {
        self.inner.limits(chunk, field)
    }
}

//! A recording whose times are moved as a whole: a log whose clock was off, or in another time zone.
//!
//! Invariant: receive times move, all by the same; what messages hold stays as it was written.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::{Batch, Catalog, Checks, ChunkId, ConnectionId, ConnectionSet, Container, Fetched, Limit, ReadHere};
use crate::time::{Span, Time};

struct Shifted {
    inner: Arc<dyn Container>,
    nanos: i64,
    catalog: Catalog,
}

/// The same recording, `nanos` later.
pub fn shifted(inner: Arc<dyn Container>, nanos: i64) -> Arc<dyn Container> {
    if nanos == 0 {
        return inner;
    }
    let mut catalog = inner.catalog().clone();
    for chunk in &mut catalog.chunks {
        chunk.span = Span::new(chunk.span.start.plus_nanos(nanos), chunk.span.end.plus_nanos(nanos));
    }
    Arc::new(Shifted { inner, nanos, catalog })
}

impl Container for Shifted {
    fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    fn messages(&self, chunk: ChunkId, got: &Fetched, connections: &ConnectionSet, checks: Checks) -> Batch {
        let mut batch = self.inner.messages(chunk, got, connections, checks);
        for message in &mut batch.messages {
            message.time = message.time.plus_nanos(self.nanos);
        }
        batch
    }

    fn ranges_of(&self, chunk: ChunkId, fields: &BTreeSet<&str>) -> Option<Vec<Range<u64>>> {
        self.inner.ranges_of(chunk, fields)
    }

    fn needed(&self, chunk: ChunkId, connections: &ConnectionSet, read: &mut ReadHere) -> Option<Fetched> {
        self.inner.needed(chunk, connections, read)
    }

    fn limits(&self, chunk: ChunkId, field: &str) -> Option<(Limit, Limit)> {
        self.inner.limits(chunk, field)
    }

    fn listed(&self, chunk: ChunkId, got: &Fetched) -> Option<Vec<(ConnectionId, Time)>> {
        let mut listed = self.inner.listed(chunk, got)?;
        listed.iter_mut().for_each(|(_, time)| *time = time.plus_nanos(self.nanos));
        Some(listed)
    }
}

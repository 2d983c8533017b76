//! Keeps a span of a remote recording on disk, so that it opens and plays there without a network.
//!
//! Invariant: what is kept is what opening and playing the span read: the index, the chunks of the span, and those that hold the
//! state at its start.

use std::ops::Range;

use super::open::{OpenError, index_with};
use super::{Io, gather};
use crate::format::{Catalog, ChunkId, Connection, MAX_LATCHED_CHUNKS};
use crate::source::{HEAD_BYTES, Location, Pin};
use crate::store::Choice;
use crate::time::Span;

/// Chunks this near are read at once, in requests up to this size.
const GAP_BYTES: u64 = 128 * 1024;
const REQUEST_BYTES: u64 = 8 << 20;
/// Transforms and stamps lie a little before what is shown.
const BEFORE_NANOS: i64 = 1_000_000_000;

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepProgress {
    pub done_bytes: u64,
    pub total_bytes: u64,
}

impl Io {
    /// Keeps the part of a recording that `span` makes of its whole span. Waits: for commands.
    ///
    /// # Errors
    /// Where it cannot be opened, read or kept.
    pub fn keep(
        &self,
        location: Location,
        span: impl FnOnce(Span) -> Span + Send,
        progress: impl FnMut(KeepProgress) + Send,
    ) -> Result<Pin, OpenError> {
        self.block_on(keep(self, location, span, progress))
    }

    /// The same on another thread; `then` gets what came of it. Dropping the handle goes on, `abort` stops it.
    pub fn start_keeping(
        &self,
        location: Location,
        span: Span,
        progress: impl FnMut(KeepProgress) + Send + 'static,
        then: impl FnOnce(Result<Pin, OpenError>) + Send + 'static,
    ) -> tokio::task::AbortHandle {
        let io = self.clone();
        let task = self.spawn(async move { then(keep(&io, location, |_| span, progress).await) });
        task.abort_handle()
    }
}

async fn keep(
    io: &Io,
    location: Location,
    span: impl FnOnce(Span) -> Span + Send,
    mut progress: impl FnMut(KeepProgress) + Send,
) -> Result<Pin, OpenError> {
    let opened = gather::open(&location, &Choice::default(), io.net()).await?;
    let (container, mut ranges) = index_with(io, &opened, &mut |_, _| {}).await?;
    let reader = opened.reader;
    let whole = container.catalog().span().unwrap_or(Span::ALL);
    let span = span(whole);
    ranges.push(0..reader.len().min(HEAD_BYTES));
    let catalog = container.catalog();
    let kept = chunks(catalog, span).into_iter().filter_map(|id| catalog.chunks.get(id as usize));
    ranges.extend(kept.map(|chunk| chunk.range.clone()));
    let ranges = joined(ranges);
    let total_bytes = ranges.iter().map(|range| range.end - range.start).sum();
    let told = |done_bytes| progress(KeepProgress { done_bytes, total_bytes });
    Ok(reader.keep(span, ranges, told).await?)
}

/// The chunks of `span`, and those that hold the newest message of each connection before it.
fn chunks(catalog: &Catalog, span: Span) -> Vec<ChunkId> {
    let from = span.start.plus_nanos(-BEFORE_NANOS);
    let mut wanted = std::collections::BTreeSet::new();
    let mut before: Vec<Vec<(i64, ChunkId)>> = vec![Vec::new(); catalog.connections.len()];
    for (id, chunk) in (0..).zip(&catalog.chunks) {
        if chunk.span.end >= from && chunk.span.start <= span.end {
            wanted.insert(id);
        }
        if chunk.span.start > span.start {
            continue;
        }
        for (connection, count) in &chunk.counts {
            if *count > 0
                && let Some(list) = before.get_mut(*connection as usize)
            {
                list.push((chunk.span.end.min(span.start).nanos(), id));
            }
        }
    }
    for (connection, mut list) in before.into_iter().enumerate() {
        list.sort_unstable();
        let is_latched = catalog.connections.get(connection).is_some_and(Connection::is_latched) && list.len() <= MAX_LATCHED_CHUNKS;
        // chunks may overlap by a little: which of the last two holds the newest message only they tell
        let newest = if is_latched { list.len() } else { 2 };
        wanted.extend(list.iter().rev().take(newest).map(|(_, id)| *id));
    }
    wanted.into_iter().collect()
}

/// In order, near ones joined, long ones cut.
fn joined(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.retain(|range| range.start < range.end);
    ranges.sort_by_key(|range| range.start);
    let mut out: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match out.last_mut() {
            Some(last) if range.start <= last.end.saturating_add(GAP_BYTES) => last.end = last.end.max(range.end),
            _ => out.push(range),
        }
    }
    let cut = |range: Range<u64>| {
        let starts = (range.start..range.end).step_by(usize::try_from(REQUEST_BYTES).unwrap_or(usize::MAX));
        starts.map(move |start| start..range.end.min(start + REQUEST_BYTES))
    };
    out.into_iter().flat_map(cut).collect()
}

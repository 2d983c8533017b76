//! When messages of a topic came, as finely as little memory allows: exactly while they are few, in ever wider parts where they
//! are many. What of it is not known yet is spread over the spans of its chunks.

use std::collections::BTreeMap;

use super::index::ChunkKey;
use super::{Store, TopicId};
use crate::format::ConnectionId;
use crate::time::{Span, Time};

/// More than a screen has pixels.
const MOST_PARTS: usize = 2048;
/// What one takes in the tree.
const PART_BYTES: u64 = 24;

/// How many messages came in each part of time: parts of `1 << shift` nanoseconds, counted from the epoch, so that two can be added.
#[derive(Clone, Debug, Default)]
pub struct Times {
    shift: u32,
    parts: BTreeMap<i64, u64>,
}

impl Times {
    /// The times of each connection.
    pub fn of_each(arrivals: &[(ConnectionId, Time)]) -> Vec<(ConnectionId, Times)> {
        let mut each: BTreeMap<ConnectionId, Times> = BTreeMap::new();
        for (connection, time) in arrivals {
            let times = each.entry(*connection).or_default();
            times.add_part(time.nanos() >> times.shift, 1);
        }
        each.into_iter().collect()
    }

    pub fn add(&mut self, other: &Times) {
        self.widen(other.shift);
        for (part, count) in &other.parts {
            self.add_part(*part >> (self.shift - other.shift), *count);
        }
    }

    fn add_part(&mut self, part: i64, count: u64) {
        *self.parts.entry(part).or_default() += count;
        while self.parts.len() > MOST_PARTS {
            self.widen(self.shift + 1);
        }
    }

    fn widen(&mut self, shift: u32) {
        if let Some(wider @ 1..) = shift.checked_sub(self.shift) {
            self.shift = shift;
            for (part, count) in std::mem::take(&mut self.parts) {
                *self.parts.entry(part >> wider).or_default() += count;
            }
        }
    }

    fn remove(&mut self, span: Span) {
        let parts = span.start.nanos() >> self.shift..=span.end.nanos() >> self.shift;
        self.parts.retain(|part, _| !parts.contains(part));
    }

    /// Each part that has any, with its messages.
    fn spans(&self, within: Span) -> impl Iterator<Item = (Span, u64)> {
        let parts = within.start.nanos() >> self.shift..=within.end.nanos() >> self.shift;
        let longest = (1_i64 << self.shift) - 1;
        self.parts.range(parts).map(move |(part, count)| {
            let start = Time(*part << self.shift);
            (Span::new(start, start.plus_nanos(longest)), *count)
        })
    }
}

/// Messages in equal parts of a span.
#[derive(Clone, Debug, PartialEq)]
pub struct Density {
    /// Where they are known to be.
    pub known: Vec<f32>,
    /// Where they may be: somewhere in a chunk of which nothing was read.
    pub spread: Vec<f32>,
}

impl Store {
    /// Messages per bucket over `span`: those of chunks that were read where they are, those of others spread evenly over their chunks.
    pub fn density(&self, topic: TopicId, span: Span, buckets: usize) -> Density {
        let (mut known, mut spread) = (vec![0.0; buckets], vec![0.0; buckets]);
        if let Some(index) = self.index.get(topic.0 as usize) {
            for (part, count) in index.times.spans(span) {
                share_out(&mut known, span, part, count);
            }
            let is_timed = |key: ChunkKey| self.cell(key).is_some_and(|cell| cell.timed.contains(&topic));
            let chunks = index.all.overlapping(span.start, span.end);
            for chunk in chunks.iter().filter(|chunk| !is_timed(chunk.key)) {
                share_out(&mut spread, span, chunk.span, chunk.count);
            }
        }
        Density { known, spread }
    }

    /// Changes when [`Store::density`] gives something else, but for what the topic's number of messages tells.
    pub fn times_revision(&self, topic: TopicId) -> u64 {
        self.index.get(topic.0 as usize).map_or(0, |index| index.times_revision)
    }

    /// Whether some chunks are on their way.
    pub fn is_reading(&self) -> bool {
        !self.reads.is_empty()
    }

    /// What was read of a chunk tells of these.
    pub(super) fn take_times(&mut self, key: ChunkKey, times: Vec<(ConnectionId, Times)>) {
        let Some(inner) = self.inner.get_mut(key.source as usize) else {
            return;
        };
        let Some(cell) = inner.cells.get_mut(key.chunk as usize) else {
            return;
        };
        let mut new: BTreeMap<TopicId, Times> = BTreeMap::new();
        for (connection, times) in times {
            if let Some(topic) = inner.topics.get(connection as usize).filter(|topic| !cell.timed.contains(topic)) {
                new.entry(*topic).or_default().add(&times);
            }
        }
        for (topic, times) in new {
            if let Some(index) = self.index.get_mut(topic.0 as usize) {
                index.times.add(&times);
                index.times_revision += 1;
                cell.timed.push(topic);
            }
        }
    }

    /// The chunk is described anew. What others told of its span goes too, which is little.
    pub(super) fn forget_times(&mut self, key: ChunkKey, span: Option<Span>) {
        let timed = self.cell_mut(key).map(|cell| std::mem::take(&mut cell.timed));
        for topic in timed.into_iter().flatten() {
            if let (Some(index), Some(span)) = (self.index.get_mut(topic.0 as usize), span) {
                index.times.remove(span);
                index.times_revision += 1;
            }
        }
    }

    pub(super) fn times_bytes(&self) -> u64 {
        let parts: usize = self.index.iter().map(|index| index.times.parts.len()).sum();
        parts as u64 * PART_BYTES
    }
}

/// Adds `count`, evenly over the part of `span` that is `part`.
fn share_out(buckets: &mut [f32], span: Span, part: Span, count: u64) {
    let whole = i128::from(span.end.0) - i128::from(span.start.0);
    let Some(last) = buckets.len().checked_sub(1).filter(|_| whole > 0) else {
        return;
    };
    let place = |t: Time| (i128::from(t.0) - i128::from(span.start.0)) as f64 / whole as f64 * buckets.len() as f64;
    let (from, to) = (place(part.start), place(part.end));
    let (first_bucket, last_bucket) = ((from.max(0.0) as usize).min(last), (to.max(0.0) as usize).min(last));
    let is_moment = to - from < 1e-9;
    for (at, sum) in buckets.iter_mut().enumerate().take(last_bucket + 1).skip(first_bucket) {
        let covered = to.min(at as f64 + 1.0) - from.max(at as f64);
        let share = if is_moment { 1.0 } else { (covered / (to - from)).clamp(0.0, 1.0) };
        *sum += (count as f64 * share) as f32;
    }
}

//! Which reads run now: the most urgent first, a bounded number of requests at a time, some room always kept for the playhead.

use std::collections::BinaryHeap;
use std::ops::Range;
use std::sync::Arc;

use bytes::BytesMut;

use super::outbox::Ticket;
use crate::format::{ChunkId, ConnectionSet, Container, Fetched};
use crate::source::Reader;
use crate::store::{Deadline, Read};

/// Undecoded bytes above which only the playhead's reads begin.
const BACKLOG_BYTES: u64 = 96 * 1024 * 1024;
/// What is due soon comes by several requests at once where each has this much to bring: one connection is slow, many are not.
const PIECE_BYTES: u64 = 512 * 1024;
const MOST_PIECES: u64 = 4;

/// What a few short reads bring of a chunk, on the calling thread; None where it is to be read whole, or lies elsewhere.
pub fn needed_here(reader: &Reader, container: &dyn Container, chunk: ChunkId, connections: &ConnectionSet) -> Option<Fetched> {
    let mut read = |range| reader.read_here(range, BytesMut::new())?.ok();
    let is_here = !reader.is_remote();
    is_here.then(|| container.needed(chunk, connections, &mut read)).flatten()
}

#[derive(Default)]
pub(super) struct Lane {
    queue: BinaryHeap<Queued>,
    /// Requests.
    running: usize,
    next: u64,
    limits: Limits,
}

/// Reads at a time at which one of a class may still begin.
#[derive(Default)]
struct Limits {
    playhead: usize,
    ahead: usize,
    background: usize,
}

pub(super) struct Queued {
    number: u64,
    pub(super) read: Arc<Read>,
    pub(super) reader: Reader,
    pub(super) ticket: Arc<Ticket>,
    /// How many requests bring it; known when it begins.
    pub(super) requests: usize,
}

impl Queued {
    fn most_requests(&self) -> usize {
        let is_cut = self.reader.is_remote() && self.read.deadline.is_soon();
        let pieces = match is_cut {
            true => self.read.range.end.saturating_sub(self.read.range.start) / PIECE_BYTES,
            false => 1,
        };
        pieces.clamp(1, MOST_PIECES) as usize
    }

    /// What each of its requests brings, in order.
    pub(super) fn pieces(&self) -> impl Iterator<Item = Range<u64>> {
        let Range { start, end } = self.read.range;
        let step = end.saturating_sub(start).div_ceil(self.requests.max(1) as u64).max(1);
        (0..self.requests as u64).map(move |i| {
            let from = start.saturating_add(i.saturating_mul(step)).min(end);
            from..from.saturating_add(step).min(end)
        })
    }
}

impl Lane {
    /// Requests over HTTP.
    pub(super) fn remote(limit: usize) -> Lane {
        let mut lane = Lane::default();
        lane.allow(limit);
        lane
    }

    /// At most this many at a time; some of them for the playhead alone.
    pub(super) fn allow(&mut self, limit: usize) {
        self.limits = Limits {
            playhead: limit,
            ahead: limit - limit.div_ceil(8).min(limit - 1),
            background: (limit * 5 / 8).max(1),
        };
    }

    /// Requests.
    pub(super) fn running(&self) -> usize {
        self.running
    }

    pub(super) fn has_waiting(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Files of this machine.
    pub(super) fn local() -> Lane {
        Lane {
            limits: Limits {
                playhead: 4,
                ahead: 3,
                background: 2,
            },
            ..Lane::default()
        }
    }

    pub(super) fn push(&mut self, read: Arc<Read>, reader: Reader, ticket: Arc<Ticket>) {
        self.next += 1;
        self.queue.push(Queued {
            number: self.next,
            read,
            reader,
            ticket,
            requests: 1,
        });
    }

    /// The next read that may begin; its requests count as running until `end`.
    pub(super) fn begin(&mut self, backlog_bytes: u64) -> Option<Queued> {
        loop {
            let next = self.queue.peek()?;
            if !next.ticket.is_cancelled() {
                let limit = match next.read.deadline {
                    Deadline::Playhead => self.limits.playhead,
                    _ if backlog_bytes > BACKLOG_BYTES => 0,
                    Deadline::Ahead { .. } => self.limits.ahead,
                    Deadline::Background => self.limits.background,
                };
                if self.running >= limit {
                    return None;
                }
                // none waits for a round trip more so that another comes in pieces
                let share = (limit - self.running) / self.queue.len();
                let mut next = self.queue.pop()?;
                next.requests = next.most_requests().min(share.max(1));
                self.running += next.requests;
                return Some(next);
            }
            self.queue.pop();
        }
    }

    pub(super) fn end(&mut self, requests: usize) {
        self.running = self.running.saturating_sub(requests);
    }
}

impl Queued {
    /// The bytes of a chunk of the read.
    pub(super) fn one(&self, index: usize, bytes: bytes::Bytes) -> Fetched {
        Fetched::one(self.read.chunks.get(index).map_or(0, |chunk| chunk.range.start), bytes)
    }
}

impl Ord for Queued {
    fn cmp(&self, other: &Queued) -> std::cmp::Ordering {
        (other.read.deadline, other.number).cmp(&(self.read.deadline, self.number))
    }
}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Queued) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Queued {
    fn eq(&self, other: &Queued) -> bool {
        self.number == other.number
    }
}

impl Eq for Queued {}

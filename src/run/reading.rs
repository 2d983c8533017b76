//! Which reads run now: the most urgent first, a bounded number at a time, some room always kept for the playhead.

use std::collections::BinaryHeap;
use std::sync::Arc;

use super::outbox::Ticket;
use crate::format::Fetched;
use crate::source::Reader;
use crate::store::{Deadline, Read};

/// Undecoded bytes above which only the playhead's reads begin.
const BACKLOG_BYTES: u64 = 96 * 1024 * 1024;

#[derive(Default)]
pub(super) struct Lane {
    queue: BinaryHeap<Queued>,
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
        });
    }

    /// The next read that may begin; it counts as running until `end`.
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
                self.running += 1;
                return self.queue.pop();
            }
            self.queue.pop();
        }
    }

    pub(super) fn end(&mut self) {
        self.running = self.running.saturating_sub(1);
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

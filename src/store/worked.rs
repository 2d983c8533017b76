//! What is worked out beside the window's thread: what came of it last, and what it is being worked out of now.
//!
//! Invariant: one piece of work is in flight at a time; the last result stays until the next is there.

use super::WorkId;

/// `K` tells of which state of things a result is.
pub(super) struct Worked<K, R> {
    flight: Option<(WorkId, K)>,
    done: Option<(K, R)>,
}

impl<K, R> Default for Worked<K, R> {
    fn default() -> Worked<K, R> {
        Worked { flight: None, done: None }
    }
}

impl<K, R> Worked<K, R> {
    /// The work in flight.
    pub fn flight(&self) -> Option<WorkId> {
        self.flight.as_ref().map(|f| f.0)
    }

    /// What it is being worked out of.
    pub fn begun(&self) -> Option<&K> {
        self.flight.as_ref().map(|f| &f.1)
    }

    pub fn done(&self) -> Option<&(K, R)> {
        self.done.as_ref()
    }

    pub fn begin(&mut self, id: WorkId, of: K) {
        self.flight = Some((id, of));
    }

    /// Its work in flight came to nothing.
    pub fn fail(&mut self) {
        self.flight = None;
    }

    /// Of its work in flight.
    pub fn end(&mut self, result: R) {
        if let Some((_, of)) = self.flight.take() {
            self.done = Some((of, result));
        }
    }
}

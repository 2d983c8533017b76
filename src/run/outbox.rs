//! Events on their way to the window: bounded, taken without waiting, silent about cancelled work.
//!
//! Invariant: work counts as outstanding until its last event has been taken (or it was cancelled).

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::store::{Deadline, Event, WorkId};

/// Decode threads wait when this many events have not been taken.
const CAPACITY: usize = 512;

pub(super) struct Outbox {
    state: Mutex<State>,
    changed: Condvar,
    waker: Box<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct State {
    events: VecDeque<(Arc<Ticket>, Event)>,
    outstanding: usize,
    closed: bool,
}

/// One piece of work, until nothing refers to it.
pub(super) struct Ticket {
    pub(super) id: Option<WorkId>,
    pub(super) deadline: Deadline,
    cancelled: AtomicBool,
    /// Parts that have not been reported, and one for the request itself.
    pub(super) parts_left: AtomicUsize,
    pub(super) failed: OnceLock<Arc<str>>,
    outbox: Arc<Outbox>,
}

impl Ticket {
    pub(super) fn new(outbox: &Arc<Outbox>, id: Option<WorkId>, deadline: Deadline, parts: usize) -> Arc<Ticket> {
        outbox.lock().outstanding += 1;
        Arc::new(Ticket {
            id,
            deadline,
            cancelled: AtomicBool::new(false),
            parts_left: AtomicUsize::new(parts),
            failed: OnceLock::new(),
            outbox: outbox.clone(),
        })
    }

    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.outbox.lock().outstanding -= 1;
        self.outbox.changed.notify_all();
    }
}

impl Outbox {
    pub(super) fn new(waker: Box<dyn Fn() + Send + Sync>) -> Arc<Outbox> {
        Arc::new(Outbox {
            state: Mutex::default(),
            changed: Condvar::new(),
            waker,
        })
    }

    /// From a socket's thread: never waits. Such events are few (one a request).
    pub(super) fn push(&self, ticket: &Arc<Ticket>, event: Event) {
        self.put(self.lock(), ticket, event);
    }

    /// From a decode thread: waits while the window has not taken what is there.
    pub(super) fn push_when_room(&self, ticket: &Arc<Ticket>, event: Event) {
        let state = self
            .changed
            .wait_while(self.lock(), |s| s.events.len() >= CAPACITY && !s.closed && !ticket.is_cancelled());
        self.put(state.unwrap_or_else(PoisonError::into_inner), ticket, event);
    }

    fn put(&self, mut state: MutexGuard<'_, State>, ticket: &Arc<Ticket>, event: Event) {
        if state.closed || ticket.is_cancelled() {
            return;
        }
        let first = state.events.is_empty();
        state.events.push_back((ticket.clone(), event));
        drop(state);
        self.changed.notify_all();
        if first {
            (self.waker)();
        }
    }

    /// Takes what is there. Never waits for anything but the list itself.
    pub(super) fn drain(&self, out: &mut Vec<Event>) {
        let taken = std::mem::take(&mut self.lock().events);
        self.changed.notify_all();
        out.extend(
            taken
                .into_iter()
                .filter(|(ticket, _)| !ticket.is_cancelled())
                .map(|(_, event)| event),
        );
    }

    /// Waits until there is an event; false when nothing is outstanding any more.
    pub(super) fn wait(&self) -> bool {
        let state = self
            .changed
            .wait_while(self.lock(), |s| s.events.is_empty() && s.outstanding > 0 && !s.closed);
        let state = state.unwrap_or_else(PoisonError::into_inner);
        !state.events.is_empty()
    }

    pub(super) fn outstanding(&self) -> usize {
        self.lock().outstanding
    }

    /// Nobody takes events any more.
    pub(super) fn close(&self) {
        let taken = {
            let mut state = self.lock();
            state.closed = true;
            std::mem::take(&mut state.events)
        };
        drop(taken);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

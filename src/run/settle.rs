//! For commands and tests: lets the store come to rest on a thread that may wait.

use super::Executor;
use crate::store::Store;

/// Calls `frame` (which demands), executes what the store wants, and goes on until nothing is left to do.
pub fn settle(store: &mut Store, executor: &Executor, mut frame: impl FnMut(&mut Store)) {
    let mut events = Vec::new();
    loop {
        frame(store);
        let work = store.take_work();
        let idle = work.is_empty();
        executor.submit(work);
        let more = executor.wait();
        executor.drain(&mut events);
        if idle && !more && events.is_empty() {
            return;
        }
        for event in events.drain(..) {
            store.apply(event);
        }
    }
}

//! What of a remote recording is requested: several requests at a time, never far ahead of the merge.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::{Planned, Shared};
use crate::format::Fetched;
use crate::run::pace::MOST;
use crate::run::parts::Parts;
use crate::source::SourceError;

/// One request holds neighbouring chunks up to this size, with gaps up to that.
const REQUEST_BYTES: u64 = 4 * 1024 * 1024;
const REQUEST_GAP: u64 = 128 * 1024;

/// Requests neighbouring chunks together, several requests at a time, never far ahead of the merge.
pub(super) async fn fetch_all<T: Send + 'static>(shared: Arc<Shared<T>>) {
    let mut running = tokio::task::JoinSet::new();
    let started = std::time::Instant::now();
    for _ in 0..MOST {
        let shared = shared.clone();
        running.spawn(async move {
            while let Some(places) = next_request(&shared).await {
                fetch(&shared, places).await;
                let bytes = shared.recording.io.traffic().snapshot().bytes;
                let mut state = shared.lock();
                state.requests -= 1;
                let others_wait = state.next_request < shared.plan.len() && state.may_request();
                state.pace.ended(started.elapsed(), bytes, others_wait);
                drop(state);
                shared.room.notify_waiters();
            }
        });
    }
    while running.join_next().await.is_some() {}
}

/// Waits until there is room, then takes the places of the plan that one request brings.
async fn next_request<T: Send + 'static>(shared: &Shared<T>) -> Option<Range<usize>> {
    loop {
        // Asked for before looking, so that no notice is missed.
        let room = shared.room.notified();
        tokio::pin!(room);
        room.as_mut().enable();
        {
            let mut state = shared.lock();
            if state.stopped || state.next_request >= shared.plan.len() {
                return None;
            }
            let is_next = state.next_request <= state.taken;
            if state.requests < state.pace.limit() && (is_next || state.may_request()) {
                state.requests += 1;
                let first = state.next_request;
                let end = request_end(&shared.plan, first);
                state.next_request = end;
                let sizes = shared
                    .plan
                    .get(first..end)
                    .unwrap_or_default()
                    .iter()
                    .map(|p| p.range.end.saturating_sub(p.range.start));
                state.bytes_ahead += sizes.sum::<u64>();
                return Some(first..end);
            }
        }
        room.await;
    }
}

/// How far neighbours in the plan are neighbours in the file.
fn request_end(plan: &[Planned], first: usize) -> usize {
    let mut end = first + 1;
    while let (Some(begin), Some(last), Some(next)) = (plan.get(first), plan.get(end - 1), plan.get(end)) {
        if begin.parts.is_some() || next.parts.is_some() {
            break;
        }
        let gap = next.range.start.checked_sub(last.range.end);
        if gap.is_none_or(|g| g > REQUEST_GAP) || next.range.end.saturating_sub(begin.range.start) > REQUEST_BYTES {
            break;
        }
        end += 1;
    }
    end
}

async fn fetch<T: Send + 'static>(shared: &Shared<T>, places: Range<usize>) {
    let planned = shared.plan.get(places.clone()).unwrap_or_default();
    let (Some(first), Some(last)) = (planned.first(), planned.last()) else {
        return;
    };
    if let Some(parts) = &first.parts {
        return fetch_parts(shared, places.start, parts).await;
    }
    let mut parts = Parts::new(planned.iter().map(|p| p.range.clone()));
    let mut missing: BTreeSet<usize> = places.clone().collect();
    let mut take = |offset: u64, bytes: &[u8]| {
        parts.take(offset, bytes, |index, bytes| {
            missing.remove(&(places.start + index));
            let got = planned.get(index).map(|p| Fetched::one(p.range.start, bytes));
            shared.lock().arrived.insert(places.start + index, Ok(got.unwrap_or_default()));
            shared.changed.notify_all();
        });
    };
    let result = shared
        .recording
        .reader
        .read_streamed(first.range.start..last.range.end, &mut take)
        .await;
    shared.note_request(result.is_ok());
    let at = shared.recording.reader.location();
    let error = result.err().unwrap_or_else(|| SourceError::Truncated {
        wanted: last.range.end,
        at: at.clone(),
    });
    for place in missing {
        shared.lock().arrived.insert(place, Err(error.clone()));
        shared.changed.notify_all();
    }
}

/// A chunk of which only parts are read.
async fn fetch_parts<T: Send + 'static>(shared: &Shared<T>, place: usize, parts: &[Range<u64>]) {
    let reader = &shared.recording.reader;
    let read = parts
        .iter()
        .map(|part| async { Ok((part.start, reader.read(part.clone()).await?)) });
    let got: Result<Vec<_>, SourceError> = futures_util::future::try_join_all(read).await;
    shared.note_request(got.is_ok());
    let got = got.map(|parts| {
        let mut fetched = Fetched::default();
        parts.into_iter().for_each(|(offset, bytes)| fetched.push(offset, bytes));
        fetched
    });
    shared.lock().arrived.insert(place, got);
    shared.changed.notify_all();
}

//! Executes the store's work: opens and reads on the runtime, decodes on threads of its own.
//!
//! Invariants: `submit` and `drain` never wait; every piece of work ends with one last event, or with none once it was
//! cancelled; dropping the executor ends all requests.

use std::collections::HashMap;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::BytesMut;
use futures_util::TryStreamExt;
use futures_util::stream::FuturesOrdered;

use super::decoding::{Job, Jobs, What};
use super::gather;
use super::io::Io;
use super::open::{OpenError, index};
use super::outbox::{Outbox, Ticket};
use super::pace::Pace;
use super::parts::Parts;
use super::reading::{Lane, Queued, needed_here};
use crate::decode::Resource;
use crate::format::Fetched;
use crate::source::{Location, Policy, Reader, SourceError, TrafficSnapshot};
use crate::store::{Choice, Deadline, Event, Read, SourceId, Work, WorkId};

pub struct Executor {
    shared: Arc<Shared>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

struct Shared {
    io: Io,
    outbox: Arc<Outbox>,
    jobs: Arc<Jobs>,
    started: Instant,
    state: Mutex<State>,
    #[cfg(feature = "gui")]
    tiles: super::tiles::Archives,
}

struct State {
    readers: HashMap<SourceId, Reader>,
    tickets: HashMap<WorkId, (Arc<Ticket>, Option<tokio::task::AbortHandle>)>,
    opens: Vec<tokio::task::AbortHandle>,
    remote: Lane,
    local: Lane,
    pace: Pace,
}

impl State {
    /// Notes a task that is to end with the executor.
    fn opened(&mut self, task: tokio::task::AbortHandle) {
        self.opens.retain(|running| !running.is_finished());
        self.opens.push(task);
    }
}

impl Executor {
    /// `waker` is called, on any thread, when there is something to drain.
    ///
    /// # Panics
    /// Where the operating system gives no threads.
    pub fn new(waker: impl Fn() + Send + Sync + 'static) -> Executor {
        let io = Io::new(Policy::default(), &[]).expect("no headers that could be wrong, and threads for the runtime");
        Executor::with(io, waker)
    }

    /// With a runtime that others may use too.
    ///
    /// # Panics
    /// Where the operating system gives no threads.
    pub fn with(io: Io, waker: impl Fn() + Send + Sync + 'static) -> Executor {
        let state = State {
            readers: HashMap::new(),
            tickets: HashMap::new(),
            opens: Vec::new(),
            remote: Lane::remote(Pace::default().limit()),
            local: Lane::local(),
            pace: Pace::default(),
        };
        let shared = Arc::new(Shared {
            io,
            outbox: Outbox::new(Box::new(waker)),
            jobs: Jobs::new(),
            started: Instant::now(),
            state: Mutex::new(state),
            #[cfg(feature = "gui")]
            tiles: super::tiles::Archives::default(),
        });
        let count = std::thread::available_parallelism().map_or(2, usize::from).max(2);
        let thread = |number: usize| {
            let shared = shared.clone();
            let name = format!("roadreel-decode-{number}");
            let work = move || {
                let done = |ticket: &Arc<Ticket>, read: Option<&Read>| shared.job_done(ticket, read);
                let instead = |ticket, read, index, range| shared.read_instead(ticket, read, index, range);
                shared.jobs.work(&shared.outbox, done, instead);
            };
            std::thread::Builder::new().name(name).spawn(work).expect("a thread")
        };
        let threads = (0..count).map(thread).collect();
        Executor { shared, threads }
    }

    /// Takes work on. Never waits.
    pub fn submit(&self, work: Vec<Work>) {
        for one in work {
            match one {
                Work::Open { source, location, choice } => self.shared.open(source, location, choice),
                Work::Read(read) => self.shared.queue(read),
                Work::Renew { source, link } => self.shared.renew(source, link),
                Work::Decode { id, schema, form, payload } => {
                    let ticket = Ticket::new(&self.shared.outbox, Some(id), Deadline::Playhead, 0);
                    self.shared.lock().tickets.insert(id, (ticket.clone(), None));
                    self.shared.jobs.push(Job {
                        ticket,
                        what: What::Message { id, schema, form, payload },
                    });
                }
                Work::Compute { id, task } => {
                    let ticket = Ticket::new(&self.shared.outbox, Some(id), task.deadline(), 0);
                    self.shared.lock().tickets.insert(id, (ticket.clone(), None));
                    self.shared.jobs.push(Job {
                        ticket,
                        what: What::Task { id, task },
                    });
                }
                Work::Fetch { address, near } => self.shared.fetch(address, near),
                Work::Cancel(id) => self.shared.cancel(id),
            }
        }
        self.shared.pump();
    }

    /// Appends the events that have come. Never waits.
    pub fn drain(&self, out: &mut Vec<Event>) {
        self.shared.outbox.drain(out);
    }

    /// Waits until there is something to drain; false when all work has ended. For commands and tests.
    pub fn wait(&self) -> bool {
        self.shared.outbox.wait()
    }

    /// Pieces of work whose last event has not been drained.
    pub fn outstanding(&self) -> usize {
        self.shared.outbox.outstanding()
    }

    pub fn traffic(&self) -> TrafficSnapshot {
        self.shared.io.traffic().snapshot()
    }

    /// How many requests over HTTP may run at a time, as the network is.
    pub fn requests_at_a_time(&self) -> usize {
        self.shared.lock().pace.limit()
    }

    /// How many do.
    pub fn requests_in_flight(&self) -> usize {
        self.shared.lock().remote.running()
    }

    /// Reads what a recording's location holds, once that is open.
    pub fn reader(&self, source: SourceId) -> Option<Reader> {
        self.shared.lock().readers.get(&source).cloned()
    }

    pub fn io(&self) -> &Io {
        &self.shared.io
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        let (tickets, opens) = {
            let mut state = self.shared.lock();
            (std::mem::take(&mut state.tickets), std::mem::take(&mut state.opens))
        };
        opens.iter().for_each(tokio::task::AbortHandle::abort);
        for (ticket, abort) in tickets.into_values() {
            ticket.cancel();
            if let Some(abort) = abort {
                abort.abort();
            }
        }
        self.shared.outbox.close();
        self.shared.jobs.close();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fetch(self: &Arc<Self>, address: Arc<str>, near: Option<Location>) {
        let ticket = Ticket::new(&self.outbox, None, Deadline::Playhead, 0);
        let shared = self.clone();
        let task = self.io.spawn(async move {
            let result = shared.fetched(address.clone(), near.as_ref()).await.map_err(Into::into);
            shared.outbox.push(&ticket, Event::Fetched { address, result });
        });
        self.lock().opened(task.abort_handle());
    }

    async fn fetched(&self, address: Arc<str>, near: Option<&Location>) -> Result<Resource, String> {
        #[cfg(feature = "gui")]
        if let Some(tile) = address.strip_prefix("tile:") {
            return self.tiles.get(&self.io, tile).await;
        }
        super::fetch::fetch(address, near, self.io.net()).await
    }

    fn open(self: &Arc<Self>, source: SourceId, location: Location, choice: Choice) {
        let ticket = Ticket::new(&self.outbox, None, Deadline::Playhead, 0);
        let shared = self.clone();
        let task = self.io.spawn(async move {
            let opened = shared.open_and_index(source, location, choice, &ticket).await;
            let event = match opened {
                Ok(container) => Event::Opened {
                    source,
                    container,
                    done: true,
                    done_fraction: 1.0,
                },
                Err(error) => Event::OpenFailed {
                    source,
                    error: error.to_string().into(),
                },
            };
            shared.outbox.push(&ticket, event);
        });
        self.lock().opened(task.abort_handle());
    }

    async fn open_and_index(
        &self,
        source: SourceId,
        location: Location,
        choice: Choice,
        ticket: &Arc<Ticket>,
    ) -> Result<Arc<dyn crate::format::Container>, OpenError> {
        let opened = gather::open(&location, &choice, self.io.net()).await?;
        let reader = &opened.reader;
        self.lock().readers.insert(source, reader.clone());
        let current = reader.current();
        if current != *reader.location() {
            let result = Ok(current);
            self.outbox.push(ticket, Event::Renewed { source, result });
        }
        let mut grew = |so_far: &Arc<dyn crate::format::Container>, done_fraction: f32| {
            self.outbox.push(
                ticket,
                Event::Opened {
                    source,
                    container: so_far.clone(),
                    done: false,
                    done_fraction,
                },
            );
        };
        index(&self.io, &opened, &mut grew).await
    }

    fn renew(self: &Arc<Self>, source: SourceId, link: Location) {
        let Some(reader) = self.lock().readers.get(&source).cloned() else {
            return;
        };
        let ticket = Ticket::new(&self.outbox, None, Deadline::Playhead, 0);
        let shared = self.clone();
        let task = self.io.spawn(async move {
            let renewed = reader.renew(&link).await;
            let result = renewed.map(|()| reader.current()).map_err(|error| error.to_string().into());
            shared.outbox.push(&ticket, Event::Renewed { source, result });
        });
        self.lock().opened(task.abort_handle());
    }

    /// A link may have ended, or been renewed without the user, while a read was under way.
    fn tell_of_link(&self, next: &Queued, before: &Location, result: &Result<(), SourceError>) {
        let source = next.read.source;
        let current = next.reader.current();
        let event = match result {
            Err(SourceError::Expired { .. } | SourceError::Renewal { .. } | SourceError::OtherObject { .. }) => {
                let link = before.clone();
                Event::LinkEnded { source, link }
            }
            _ if current != *before => Event::Renewed {
                source,
                result: Ok(current),
            },
            _ => return,
        };
        let ticket = Ticket::new(&self.outbox, None, Deadline::Playhead, 0);
        self.outbox.push(&ticket, event);
    }

    fn queue(&self, read: Read) {
        let ticket = Ticket::new(&self.outbox, Some(read.id), read.deadline, 1);
        let mut state = self.lock();
        let Some(reader) = state.readers.get(&read.source).cloned() else {
            drop(state);
            let error = "this recording is not open".into();
            return self.outbox.push(
                &ticket,
                Event::ReadFailed {
                    id: read.id,
                    source: read.source,
                    error,
                },
            );
        };
        state.tickets.insert(read.id, (ticket.clone(), None));
        let lane = if reader.is_remote() { &mut state.remote } else { &mut state.local };
        lane.push(Arc::new(read), reader, ticket);
    }

    fn cancel(&self, id: WorkId) {
        let ended = self.lock().tickets.remove(&id);
        if let Some((ticket, abort)) = ended {
            ticket.cancel();
            if let Some(abort) = abort {
                abort.abort();
            }
        }
    }

    /// Begins what may begin.
    fn pump(self: &Arc<Self>) {
        let backlog = self.jobs.waiting_bytes();
        let mut begun = Vec::new();
        {
            let mut state = self.lock();
            let state = &mut *state;
            for lane in [&mut state.remote, &mut state.local] {
                begun.extend(std::iter::from_fn(|| lane.begin(backlog)));
            }
        }
        for next in begun {
            self.begin(next);
        }
    }

    fn begin(self: &Arc<Self>, next: Queued) {
        let id = next.read.id;
        let slot = Slot {
            shared: self.clone(),
            remote: next.reader.is_remote(),
            requests: next.requests,
        };
        let shared = self.clone();
        let ticket = next.ticket.clone();
        let task = match slot.remote {
            true => self.io.spawn(async move {
                let before = next.reader.current();
                let result = shared.stream(&next).await;
                shared.tell_of_link(&next, &before, &result);
                shared.request_done(&next, result);
                drop(slot);
            }),
            false => self.io.spawn_blocking(move || {
                let result = shared.read_from_disk(&next);
                shared.request_done(&next, result);
                drop(slot);
            }),
        };
        if let Some((_, abort)) = self.lock().tickets.get_mut(&id) {
            *abort = Some(task.abort_handle());
        }
        // Cancelled between being queued and being begun: nobody else holds its handle.
        if ticket.is_cancelled() {
            task.abort();
        }
    }

    /// One request, or several at once; each chunk goes to the decode threads as soon as it is there.
    async fn stream(&self, next: &Queued) -> Result<(), SourceError> {
        let apart: Option<Vec<_>> = next.read.chunks.iter().map(|chunk| chunk.ranges(&*next.read.container)).collect();
        if let Some(apart) = apart {
            return self.read_apart(next, apart).await;
        }
        let mut parts = Parts::new(next.read.chunks.iter().map(|c| c.range.clone()));
        let mut take = |offset: u64, bytes: &[u8]| {
            parts.take(offset, bytes, |index, bytes| self.decode(next, index, next.one(index, bytes)));
        };
        if next.requests == 1 {
            next.reader.read_streamed(next.read.range.clone(), &mut take).await?;
        } else {
            let read = |piece: Range<u64>| async { Ok((piece.start, next.reader.read(piece).await?)) };
            let mut coming: FuturesOrdered<_> = next.pieces().map(read).collect();
            while let Some((offset, bytes)) = coming.try_next().await? {
                take(offset, &bytes);
            }
        }
        match parts.left() {
            0 => Ok(()),
            _ => Err(SourceError::Truncated {
                wanted: next.read.range.end,
                at: next.reader.location().clone(),
            }),
        }
    }

    /// The parts of the chunks that hold what is wanted, those of a chunk at once; neighbours are one request.
    async fn read_apart(&self, next: &Queued, apart: Vec<Vec<Range<u64>>>) -> Result<(), SourceError> {
        for (index, ranges) in apart.into_iter().enumerate() {
            let reads = joined(ranges).into_iter().map(|range| async move {
                let start = range.start;
                Ok::<_, SourceError>((start, next.reader.read(range).await?))
            });
            let mut got = Fetched::default();
            for (start, bytes) in futures_util::future::try_join_all(reads).await? {
                got.push(start, bytes);
            }
            self.decode(next, index, got);
        }
        Ok(())
    }

    /// Positioned reads of the chunks alone: gaps cost nothing to leave out.
    fn read_from_disk(&self, next: &Queued) -> Result<(), SourceError> {
        let each = next.read.chunks.iter().enumerate().try_for_each(|(index, chunk)| {
            if next.ticket.is_cancelled() {
                return ControlFlow::Break(Ok(()));
            }
            let apart = chunk.ranges(&*next.read.container);
            let is_alone = apart.is_none() && chunk.arrivals.is_empty();
            let needed = || needed_here(&next.reader, &*next.read.container, chunk.chunk, &chunk.connections());
            if let Some(got) = is_alone.then(needed).flatten() {
                self.decode(next, index, got);
                return ControlFlow::Continue(());
            }
            let ranges = apart.map_or_else(|| vec![chunk.range.clone()], joined);
            let mut got = Fetched::default();
            for range in ranges {
                match next.reader.read_here(range.clone(), BytesMut::new()) {
                    Some(Ok(bytes)) => got.push(range.start, bytes),
                    Some(Err(error)) => return ControlFlow::Break(Err(error)),
                    None => match self.io.block_on(next.reader.read(range.clone())) {
                        Ok(bytes) => got.push(range.start, bytes),
                        Err(error) => return ControlFlow::Break(Err(error)),
                    },
                }
            }
            self.decode(next, index, got);
            ControlFlow::Continue(())
        });
        each.break_value().unwrap_or(Ok(()))
    }

    fn decode(&self, next: &Queued, index: usize, got: Fetched) {
        next.ticket.parts_left.fetch_add(1, Ordering::AcqRel);
        self.jobs.push(Job {
            ticket: next.ticket.clone(),
            what: What::Chunk {
                read: next.read.clone(),
                index,
                got,
            },
        });
    }

    /// A chunk lies elsewhere in the file than the index says: its job begins anew with these bytes.
    fn read_instead(self: &Arc<Self>, ticket: Arc<Ticket>, read: Arc<Read>, index: usize, range: Range<u64>) {
        let Some(reader) = self.lock().readers.get(&read.source).cloned() else {
            return self.part_done(&ticket, &read);
        };
        let (shared, at) = (self.clone(), range.start);
        self.io.spawn(async move {
            match reader.read(range).await {
                Ok(bytes) => shared.jobs.push(Job {
                    ticket,
                    what: What::Chunk {
                        read,
                        index,
                        got: Fetched::one(at, bytes),
                    },
                }),
                Err(error) => {
                    let _ = ticket.failed.set(error.to_string().into());
                    shared.part_done(&ticket, &read);
                }
            }
        });
    }

    fn request_done(&self, next: &Queued, result: Result<(), SourceError>) {
        if let Err(error) = result {
            let _ = next.ticket.failed.set(error.to_string().into());
        }
        self.part_done(&next.ticket, &next.read);
    }

    fn job_done(self: &Arc<Self>, ticket: &Arc<Ticket>, read: Option<&Read>) {
        match (read, ticket.id) {
            (Some(read), _) => {
                self.part_done(ticket, read);
                self.pump();
            }
            (None, Some(id)) => drop(self.lock().tickets.remove(&id)),
            (None, None) => {}
        }
    }

    /// The last part of a read, its request included, reports its end.
    fn part_done(&self, ticket: &Arc<Ticket>, read: &Read) {
        if ticket.parts_left.fetch_sub(1, Ordering::AcqRel) != 1 || ticket.is_cancelled() {
            return;
        }
        self.lock().tickets.remove(&read.id);
        let event = match ticket.failed.get() {
            Some(error) => Event::ReadFailed {
                id: read.id,
                source: read.source,
                error: error.clone(),
            },
            None => Event::ReadDone { id: read.id },
        };
        self.outbox.push(ticket, event);
    }
}

/// Ranges with small gaps between them as one.
fn joined(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    const GAP_BYTES: u64 = 64 << 10;
    ranges.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<u64>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match joined.last_mut().filter(|last| range.start <= last.end.saturating_add(GAP_BYTES)) {
            Some(last) => last.end = last.end.max(range.end),
            None => joined.push(range),
        }
    }
    joined
}

/// A running read's place; given back when the read ends, however it ends.
struct Slot {
    shared: Arc<Shared>,
    remote: bool,
    requests: usize,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        match self.remote {
            true => {
                let bytes = self.shared.io.traffic().snapshot().bytes;
                let others_wait = state.remote.has_waiting();
                state.pace.ended(self.shared.started.elapsed(), bytes, others_wait);
                let limit = state.pace.limit();
                state.remote.allow(limit);
                state.remote.end(self.requests);
            }
            false => state.local.end(self.requests),
        }
        drop(state);
        self.shared.pump();
    }
}

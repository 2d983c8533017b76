//! Whole recordings for the commands: chunks are read and decoded on all cores, messages come in time order.
//!
//! Invariants: memory holds the chunks whose spans overlap at the merge's front, plus a bounded number ahead of it; messages
//! come by receive time, then file order; a chunk that cannot be read is reported and the rest goes on.

mod requests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};

use super::Recording;
use super::pace::Pace;
use super::reading::needed_here;
use crate::format::{Catalog, Checks, ChunkId, ConnectionId, ConnectionSet, Fetched, Message, Warning};
use crate::source::SourceError;
use crate::time::{Span, Time};

/// Undecoded and decoded chunks ahead of the merge.
const AHEAD_CHUNKS: usize = 12;
/// File bytes of the chunks ahead of the merge; remote ones are requested this far ahead, however many they are.
const AHEAD_BYTES: u64 = 64 * 1024 * 1024;
/// Parts of a chunk this near to each other are read as one.
const PART_GAP: u64 = 16 * 1024;
/// So many requests that fail in a row show that nothing can be fetched.
const MAX_FAILED_REQUESTS: u32 = 8;

/// What comes out of a recording that is read as a whole.
#[derive(Clone, Debug)]
pub enum Piece<T> {
    /// Receive time, connection, and what was made of the message.
    Message(Time, ConnectionId, T),
    /// Damage that was met, before the messages of its chunk.
    Warning(ChunkId, Warning),
    /// Messages of a connection that stand in a chunk behind ones that were received later; with [`Checks::Full`] alone.
    Backwards(ConnectionId, Backwards),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backwards {
    pub messages: u64,
    /// When the first of them was received.
    pub first: Time,
    /// The farthest that one goes back.
    pub nanos: i64,
}

/// What is read of a recording.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub connections: ConnectionSet,
    /// Messages received outside are left out.
    pub span: Span,
    /// With [`Checks::Full`] every chunk is read, whatever it holds.
    pub checks: Checks,
    /// No other chunks are read; None: all that hold something wanted.
    pub chunks: Option<BTreeSet<ChunkId>>,
    /// Where a chunk keeps the fields of its messages apart, only these are read; None: all.
    pub fields: Option<BTreeSet<String>>,
    /// File bytes that are read ahead of what is taken.
    pub ahead_bytes: u64,
}

impl Wanted {
    /// All messages of some connections.
    pub fn all(connections: ConnectionSet) -> Wanted {
        Wanted {
            connections,
            span: Span::ALL,
            checks: Checks::Quick,
            chunks: None,
            fields: None,
            ahead_bytes: AHEAD_BYTES,
        }
    }
}

/// All messages of `connections` received within `span`, in time order. Payloads share memory with their chunk.
///
/// With [`Checks::Full`] every chunk is read, whatever it holds.
pub fn messages(recording: &Recording, connections: ConnectionSet, span: Span, checks: Checks) -> Messages<Message> {
    mapped(recording, connections, span, checks, |message| message)
}

/// As [`messages`], with `map` called on the reading threads.
pub fn mapped<T: Send + 'static>(
    recording: &Recording,
    connections: ConnectionSet,
    span: Span,
    checks: Checks,
    map: impl Fn(Message) -> T + Send + Sync + 'static,
) -> Messages<T> {
    let wanted = Wanted {
        span,
        checks,
        ..Wanted::all(connections)
    };
    mapped_of(recording, wanted, map)
}

/// What is wanted of a recording, in time order; `map` is called on the reading threads.
pub fn mapped_of<T: Send + 'static>(
    recording: &Recording,
    wanted: Wanted,
    map: impl Fn(Message) -> T + Send + Sync + 'static,
) -> Messages<T> {
    let plan = plan(recording, &wanted);
    let shared = Arc::new(Shared {
        recording: recording.clone(),
        map: Box::new(map),
        plan,
        state: Mutex::new(State {
            most_ahead: wanted.ahead_bytes,
            ..State::default()
        }),
        wanted,
        changed: Condvar::new(),
        room: tokio::sync::Notify::new(),
    });
    let mut threads = Vec::new();
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    // One more than cores where threads wait for the disk themselves.
    for number in 0..cores + usize::from(!recording.reader.is_remote()) {
        let shared = shared.clone();
        let thread = std::thread::Builder::new()
            .name(format!("roadreel-read-{number}"))
            .spawn(move || shared.read_chunks());
        match thread {
            Ok(thread) => threads.push(thread),
            Err(_) => break,
        }
    }
    let fetching = recording
        .reader
        .is_remote()
        .then(|| recording.io.spawn(requests::fetch_all(shared.clone())));
    Messages {
        shared,
        threads,
        fetching,
        next: 0,
        active: Vec::new(),
        free: Vec::new(),
        fronts: BinaryHeap::new(),
        ready: Vec::new(),
    }
}

/// One chunk to be read.
struct Planned {
    chunk: ChunkId,
    /// Holds what is read of it.
    range: Range<u64>,
    /// Not all of the range is read: these parts.
    parts: Option<Vec<Range<u64>>>,
    /// No message of it comes before this.
    start: Time,
}

/// The chunks that hold something wanted, by their first message. One that claims to hold nothing is looked at, in its place in the
/// file, where nothing may be missed.
fn plan(recording: &Recording, wanted: &Wanted) -> Vec<Planned> {
    let catalog: &Catalog = recording.container.catalog();
    let fields: Option<BTreeSet<&str>> = wanted.fields.as_ref().map(|fields| fields.iter().map(String::as_str).collect());
    let mut plan = Vec::new();
    let mut newest = Time::MIN;
    for (chunk, id) in catalog.chunks.iter().zip(0..) {
        let claims_none = chunk.messages() == 0;
        if !claims_none {
            newest = newest.max(chunk.span.start);
        }
        let holds_some = match claims_none {
            true => wanted.connections == ConnectionSet::All,
            false => {
                let counts = || chunk.counts.iter().any(|(c, n)| *n > 0 && wanted.connections.contains(*c));
                chunk.span.overlaps(wanted.span) && counts()
            }
        };
        let is_among = wanted.chunks.as_ref().is_none_or(|chunks| chunks.contains(&id));
        if holds_some && is_among || wanted.checks == Checks::Full {
            let parts = fields.as_ref().and_then(|fields| recording.container.ranges_of(id, fields));
            let parts = parts.map(joined).filter(|parts| !parts.is_empty());
            plan.push(Planned {
                chunk: id,
                range: match parts.as_deref() {
                    Some([first, .., last]) => first.start..last.end,
                    Some([only]) => only.clone(),
                    _ => chunk.range.clone(),
                },
                parts: parts.filter(|parts| parts.len() > 1),
                start: if claims_none { newest } else { chunk.span.start },
            });
        }
    }
    plan.sort_by_key(|p| p.start);
    plan
}

/// Neighbours made one, by their place.
fn joined(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.sort_by_key(|range| range.start);
    let mut all: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match all.last_mut() {
            Some(last) if range.start <= last.end.saturating_add(PART_GAP) => last.end = last.end.max(range.end),
            _ => all.push(range),
        }
    }
    all
}

struct Shared<T> {
    recording: Recording,
    wanted: Wanted,
    map: Box<dyn Fn(Message) -> T + Send + Sync>,
    plan: Vec<Planned>,
    state: Mutex<State<T>>,
    changed: Condvar,
    /// For fetching tasks, which must not block.
    room: tokio::sync::Notify,
}

struct State<T> {
    /// Next chunk of the plan that a thread takes, or that is requested.
    next_read: usize,
    next_request: usize,
    /// Chunks of the plan that the merge has taken.
    taken: usize,
    /// File bytes of chunks begun and not taken, and how many they may be.
    bytes_ahead: u64,
    most_ahead: u64,
    /// Remote: what has arrived, by place in the plan.
    arrived: BTreeMap<usize, Result<Fetched, SourceError>>,
    done: BTreeMap<usize, Result<Chunk<T>, SourceError>>,
    /// Remote: how many requests run, and may.
    requests: usize,
    pace: Pace,
    /// Remote: in a row.
    failed_requests: u32,
    stopped: bool,
}

impl<T> Default for State<T> {
    fn default() -> State<T> {
        State {
            next_read: 0,
            next_request: 0,
            taken: 0,
            bytes_ahead: 0,
            most_ahead: AHEAD_BYTES,
            arrived: BTreeMap::new(),
            done: BTreeMap::new(),
            requests: 0,
            pace: Pace::default(),
            failed_requests: 0,
            stopped: false,
        }
    }
}

/// A decoded chunk: its messages by time, then file order.
struct Chunk<T> {
    messages: Vec<(Time, ConnectionId, T)>,
    warnings: Vec<Warning>,
    backwards: BTreeMap<ConnectionId, Backwards>,
}

impl<T> Chunk<T> {
    fn lost(planned: &Planned, what: String) -> Chunk<T> {
        let offset = planned.range.start;
        Chunk {
            messages: Vec::new(),
            warnings: vec![Warning { offset, what }],
            backwards: BTreeMap::new(),
        }
    }
}

/// What of a chunk, in the file's order, was received before the message before it of its connection.
fn backwards_in(messages: &[Message]) -> BTreeMap<ConnectionId, Backwards> {
    let mut latest: BTreeMap<ConnectionId, Time> = BTreeMap::new();
    let mut found: BTreeMap<ConnectionId, Backwards> = BTreeMap::new();
    for message in messages {
        let latest = latest.entry(message.connection).or_insert(message.time);
        if message.time < *latest {
            let known = found.entry(message.connection).or_insert(Backwards {
                messages: 0,
                first: message.time,
                nanos: 0,
            });
            known.messages += 1;
            known.nanos = known.nanos.max(latest.since(message.time));
        }
        *latest = message.time.max(*latest);
    }
    found
}

impl<T> State<T> {
    /// Whether work on this place of the plan may begin. The merge's next chunk always may.
    fn has_room(&self, place: usize) -> bool {
        place <= self.taken || (self.may_decode(place) && self.may_request())
    }

    fn may_decode(&self, place: usize) -> bool {
        place < self.taken + AHEAD_CHUNKS
    }

    fn may_request(&self) -> bool {
        self.bytes_ahead < self.most_ahead
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_request(&self, went_well: bool) {
        let mut state = self.lock();
        state.failed_requests = match went_well {
            true => 0,
            false => state.failed_requests.saturating_add(1),
        };
    }

    fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
        self.room.notify_waiters();
    }
}

impl<T: Send + 'static> Shared<T> {
    /// What each thread does until the plan is done.
    fn read_chunks(&self) {
        let mut buffer = BytesMut::new();
        while let Some((place, arrived)) = self.next() {
            let Some(planned) = self.plan.get(place) else { return };
            let got = match arrived {
                Some(arrived) => arrived,
                None => self.read_planned(planned, std::mem::take(&mut buffer)),
            };
            let chunk = got.and_then(|got| {
                let bytes = got.parts().next().map(|(_, bytes)| bytes.clone());
                let chunk = self.decode(planned, got);
                // Where nothing refers to the chunk's bytes any more, the next one is read into the same memory.
                buffer = bytes.and_then(|bytes| bytes.try_into_mut().ok()).unwrap_or_default();
                chunk
            });
            self.lock().done.insert(place, chunk);
            self.changed.notify_all();
        }
    }

    /// The next place of the plan, and its bytes where they were requested.
    fn next(&self) -> Option<(usize, Option<Result<Fetched, SourceError>>)> {
        let remote = self.recording.reader.is_remote();
        let waiting = |s: &mut State<T>| {
            let ready = if remote {
                s.arrived.contains_key(&s.next_read) && s.may_decode(s.next_read)
            } else {
                s.has_room(s.next_read)
            };
            !s.stopped && s.next_read < self.plan.len() && !ready
        };
        let state = self.changed.wait_while(self.lock(), waiting);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        let place = state.next_read;
        let planned = self.plan.get(place).filter(|_| !state.stopped)?;
        state.next_read += 1;
        if !remote {
            state.bytes_ahead += planned.range.end.saturating_sub(planned.range.start);
        }
        let arrived = state.arrived.remove(&place);
        drop(state);
        self.changed.notify_all();
        Some((place, arrived))
    }

    fn read_planned(&self, planned: &Planned, mut buffer: BytesMut) -> Result<Fetched, SourceError> {
        if planned.parts.is_none() && self.wanted.checks == Checks::Quick {
            let Recording { reader, container, .. } = &self.recording;
            if let Some(got) = needed_here(reader, &**container, planned.chunk, &self.wanted.connections) {
                return Ok(got);
            }
        }
        let parts = planned.parts.as_deref().unwrap_or(std::slice::from_ref(&planned.range));
        let mut got = Fetched::default();
        for part in parts {
            got.push(part.start, self.read_here(part.clone(), std::mem::take(&mut buffer))?);
        }
        Ok(got)
    }

    fn read_here(&self, range: Range<u64>, buffer: BytesMut) -> Result<Bytes, SourceError> {
        let Recording { io, reader, .. } = &self.recording;
        let read = reader.read_here(range.clone(), buffer);
        read.unwrap_or_else(|| io.block_on(reader.read(range)))
    }

    fn decode(&self, planned: &Planned, got: Fetched) -> Result<Chunk<T>, SourceError> {
        let work = || {
            let read = |got: Fetched| {
                let container = &self.recording.container;
                container.messages(planned.chunk, &got, &self.wanted.connections, self.wanted.checks)
            };
            let mut batch = read(got);
            if let Some(elsewhere) = batch.instead.take() {
                batch = read(Fetched::one(elsewhere.start, self.read_here(elsewhere, BytesMut::new())?));
            }
            let mut backwards = BTreeMap::new();
            if !batch.messages.is_sorted_by_key(|m| m.time) {
                if self.wanted.checks == Checks::Full {
                    backwards = backwards_in(&batch.messages);
                }
                batch.messages.sort_by_key(|m| m.time);
            }
            let wanted = batch.messages.into_iter().filter(|m| self.wanted.span.contains(m.time));
            let messages = wanted.map(|m| (m.time, m.connection, (self.map)(m))).collect();
            Ok(Chunk {
                messages,
                warnings: batch.warnings,
                backwards,
            })
        };
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
            let what = "the reader crashed on this chunk, which is a bug worth reporting";
            Ok(Chunk::lost(planned, what.into()))
        })
    }

    /// Waits for a chunk; the merge takes them in the plan's order.
    fn take(&self, place: usize) -> Option<Result<Chunk<T>, SourceError>> {
        let state = self.changed.wait_while(self.lock(), |s| !s.done.contains_key(&place) && !s.stopped);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        let chunk = state.done.remove(&place);
        state.taken = place + 1;
        let size = self.plan.get(place).map_or(0, |p| p.range.end.saturating_sub(p.range.start));
        state.bytes_ahead = state.bytes_ahead.saturating_sub(size);
        drop(state);
        self.changed.notify_all();
        self.room.notify_waiters();
        chunk
    }
}

/// Messages in time order, while other threads read ahead. Dropping it ends them.
pub struct Messages<T> {
    shared: Arc<Shared<T>>,
    threads: Vec<std::thread::JoinHandle<()>>,
    fetching: Option<tokio::task::JoinHandle<()>>,
    /// Next place of the plan to be merged.
    next: usize,
    /// Chunks being merged, and which places of the list are free again.
    active: Vec<std::vec::IntoIter<(Time, ConnectionId, T)>>,
    free: Vec<usize>,
    /// The next message of each active chunk: time, place in the file, place in `active`.
    fronts: BinaryHeap<Reverse<Front<T>>>,
    /// Warnings and failures of chunks just taken, last first.
    ready: Vec<Result<Piece<T>, SourceError>>,
}

struct Front<T> {
    key: (Time, ChunkId),
    active: usize,
    message: (Time, ConnectionId, T),
}

impl<T: Send + 'static> Messages<T> {
    /// Takes in every chunk that can hold the next message.
    fn admit(&mut self) {
        let shared = self.shared.clone();
        while self.ready.is_empty()
            && let Some(planned) = shared.plan.get(self.next)
            && self.fronts.peek().is_none_or(|f| planned.start <= f.0.key.0)
        {
            let id = planned.chunk;
            let Some(taken) = shared.take(self.next) else { return };
            self.next += 1;
            match self.without_losses(taken, planned) {
                Ok(chunk) => {
                    let backwards = chunk.backwards.into_iter();
                    self.ready.extend(backwards.map(|(id, found)| Ok(Piece::Backwards(id, found))));
                    self.ready
                        .extend(chunk.warnings.into_iter().rev().map(|w| Ok(Piece::Warning(id, w))));
                    let place = self.free.pop().unwrap_or(self.active.len());
                    let messages = chunk.messages.into_iter();
                    match self.active.get_mut(place) {
                        Some(empty) => *empty = messages,
                        None => self.active.push(messages),
                    }
                    self.advance(place, id);
                }
                Err(error) => self.ready.push(Err(error)),
            }
        }
    }

    /// A chunk that alone cannot be fetched is a loss, of which its warning tells; only what fails for all of them is an error.
    fn without_losses(&self, taken: Result<Chunk<T>, SourceError>, planned: &Planned) -> Result<Chunk<T>, SourceError> {
        let others_come = || self.shared.lock().failed_requests < MAX_FAILED_REQUESTS;
        taken.or_else(|error| match error.is_of_this_range() && others_come() {
            true => Ok(Chunk::lost(planned, error.to_string())),
            false => Err(error),
        })
    }

    fn advance(&mut self, place: usize, chunk: ChunkId) {
        match self.active.get_mut(place).and_then(Iterator::next) {
            Some(message) => self.fronts.push(Reverse(Front {
                key: (message.0, chunk),
                active: place,
                message,
            })),
            None => self.free.push(place),
        }
    }
}

impl<T: Send + 'static> Iterator for Messages<T> {
    type Item = Result<Piece<T>, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.admit();
        if let Some(ready) = self.ready.pop() {
            return Some(ready);
        }
        let Reverse(Front {
            key: (_, chunk),
            active,
            message: (time, connection, message),
        }) = self.fronts.pop()?;
        self.advance(active, chunk);
        Some(Ok(Piece::Message(time, connection, message)))
    }
}

impl<T> Drop for Messages<T> {
    fn drop(&mut self) {
        self.shared.stop();
        if let Some(fetching) = self.fetching.take() {
            fetching.abort();
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl<T> Ord for Front<T> {
    fn cmp(&self, other: &Front<T>) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

impl<T> PartialOrd for Front<T> {
    fn partial_cmp(&self, other: &Front<T>) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Front<T> {
    fn eq(&self, other: &Front<T>) -> bool {
        self.key == other.key
    }
}

impl<T> Eq for Front<T> {}

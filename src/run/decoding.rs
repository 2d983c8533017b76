//! Decode threads: chunks into what the store keeps of them, messages into forms, loaded values into others. The most urgent first.
//!
//! Invariants: a panic in a reader or decoder becomes an event; kept payloads own their memory; cancelled jobs are skipped.

use std::cmp::Ordering as Order;
use std::collections::{BTreeMap, BinaryHeap};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use bytes::Bytes;

use super::outbox::{Outbox, Ticket};
use crate::decode::{DecodeError, Decoded, Form, Schema};
use crate::format::{Batch, Checks, ConnectionSet, Fetched, Message};
use crate::store::{ChunkContent, ChunkRead, Deadline, Event, Read, Task, Times, WorkId};

pub(super) struct Job {
    pub(super) ticket: Arc<Ticket>,
    pub(super) what: What,
}

pub(super) enum What {
    /// Chunk `chunks[index]` of a read, whose bytes are there.
    Chunk {
        read: Arc<Read>,
        index: usize,
        got: Fetched,
    },
    Message {
        id: WorkId,
        schema: Arc<Schema>,
        form: Form,
        payload: Bytes,
    },
    Task {
        id: WorkId,
        task: Task,
    },
}

/// Jobs that wait, shared by the threads.
pub(super) struct Jobs {
    queue: Mutex<Queue>,
    ready: Condvar,
    /// Bytes of chunks that wait or are being decoded.
    bytes: AtomicU64,
}

#[derive(Default)]
struct Queue {
    heap: BinaryHeap<Queued>,
    next: u64,
    closed: bool,
}

struct Queued {
    deadline: Deadline,
    number: u64,
    job: Job,
}

impl Ord for Queued {
    fn cmp(&self, other: &Queued) -> Order {
        (other.deadline, other.number).cmp(&(self.deadline, self.number))
    }
}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Queued) -> Option<Order> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Queued {
    fn eq(&self, other: &Queued) -> bool {
        self.cmp(other) == Order::Equal
    }
}

impl Eq for Queued {}

impl Jobs {
    pub(super) fn new() -> Arc<Jobs> {
        Arc::new(Jobs {
            queue: Mutex::default(),
            ready: Condvar::new(),
            bytes: AtomicU64::new(0),
        })
    }

    pub(super) fn push(&self, job: Job) {
        if let What::Chunk { got, .. } = &job.what {
            self.bytes.fetch_add(size(got), Ordering::Relaxed);
        }
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.next += 1;
        let number = queue.next;
        queue.heap.push(Queued {
            deadline: job.ticket.deadline,
            number,
            job,
        });
        drop(queue);
        self.ready.notify_one();
    }

    pub(super) fn waiting_bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Threads end after the job they are at.
    pub(super) fn close(&self) {
        let left = {
            let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.closed = true;
            std::mem::take(&mut queue.heap)
        };
        drop(left);
        self.ready.notify_all();
    }

    fn pop(&self) -> Option<Job> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = self.ready.wait_while(queue, |q| q.heap.is_empty() && !q.closed);
        queue.unwrap_or_else(PoisonError::into_inner).heap.pop().map(|q| q.job)
    }

    /// What a decode thread does. `finished` is called after each job, unless a chunk turned out to lie elsewhere in the file: then
    /// `instead`, which is to bring a job with these bytes.
    pub(super) fn work(
        &self,
        outbox: &Outbox,
        finished: impl Fn(&Arc<Ticket>, Option<&Read>),
        instead: impl Fn(Arc<Ticket>, Arc<Read>, usize, Range<u64>),
    ) {
        while let Some(Job { ticket, what }) = self.pop() {
            match what {
                What::Chunk { read, index, got } => {
                    let size = size(&got);
                    let elsewhere = match ticket.is_cancelled() {
                        true => None,
                        false => chunk(outbox, &ticket, &read, index, got),
                    };
                    self.bytes.fetch_sub(size, Ordering::Relaxed);
                    match elsewhere {
                        Some(range) => instead(ticket, read, index, range),
                        None => finished(&ticket, Some(&read)),
                    }
                }
                What::Message { .. } | What::Task { .. } if ticket.is_cancelled() => {}
                What::Task { id, task } => {
                    let outcome = catch_unwind(AssertUnwindSafe(|| task.run())).ok();
                    outbox.push_when_room(&ticket, Event::Computed { id, outcome });
                    finished(&ticket, None);
                }
                What::Message { id, schema, form, payload } => {
                    let crashed = |_| {
                        Err(DecodeError::NotDecodable(format!(
                            "the decoder of {} crashed on it",
                            schema.type_name
                        )))
                    };
                    let result = catch_unwind(AssertUnwindSafe(|| schema.decode(form, &payload))).unwrap_or_else(crashed);
                    outbox.push_when_room(&ticket, Event::Decoded { id, result });
                    finished(&ticket, None);
                }
            }
        }
    }
}

fn size(got: &Fetched) -> u64 {
    got.parts().map(|(_, bytes)| bytes.len() as u64).sum()
}

/// Hands over what a chunk holds, or says which bytes are needed instead.
fn chunk(outbox: &Outbox, ticket: &Arc<Ticket>, read: &Read, index: usize, got: Fetched) -> Option<Range<u64>> {
    let wanted = read.chunks.get(index)?;
    match catch_unwind(AssertUnwindSafe(|| content(read, wanted, &got))) {
        Ok(Ok(content)) => outbox.push_when_room(
            ticket,
            Event::ChunkRead {
                id: read.id,
                source: read.source,
                chunk: wanted.chunk,
                content,
            },
        ),
        Ok(Err(elsewhere)) => return Some(elsewhere),
        Err(_) => {
            let sentence = format!(
                "the reader crashed on the chunk at byte {}, which is a bug worth reporting",
                wanted.range.start
            );
            let _ = ticket.failed.set(sentence.into());
        }
    }
    None
}

/// What the store asked for, out of one chunk's bytes; Err: these hold it instead.
fn content(read: &Read, wanted: &ChunkRead, got: &Fetched) -> Result<ChunkContent, Range<u64>> {
    let connections = wanted.connections();
    let mut batch = match &connections {
        ConnectionSet::Only(none) if none.is_empty() => Batch::default(),
        some => read.container.messages(wanted.chunk, got, some, Checks::Quick),
    };
    if let Some(elsewhere) = batch.instead {
        return Err(elsewhere);
    }
    let arrivals = match wanted.arrivals.is_empty() {
        true => read.container.listed(wanted.chunk, got),
        false => Some(read.container.arrivals(wanted.chunk, got)),
    };
    // Stable: file order among equal times.
    batch.messages.sort_by_key(|m| m.time);
    let arrivals = arrivals.unwrap_or_else(|| batch.messages.iter().map(|m| (m.connection, m.time)).collect());
    let mut content = ChunkContent {
        warnings: batch.warnings,
        times: Times::of_each(&arrivals),
        ..ChunkContent::default()
    };
    for job in &wanted.series {
        let (mut points, mut texts) = (Vec::new(), BTreeMap::new());
        for message in batch.messages.iter().filter(|m| m.connection == job.connection) {
            job.read(message, &mut points, &mut texts);
        }
        content.series.push((job.series, points));
        if !texts.is_empty() {
            let named = texts.into_iter().map(|(number, text)| (number as f64, text));
            content.texts.push((job.series, named.collect()));
        }
    }
    for job in &wanted.arrivals {
        content.rows.extend(job.rows_of(&arrivals).map(|rows| (job.rows, rows)));
    }
    for job in &wanted.rows {
        content.rows.extend(job.rows_of(&batch.messages).map(|rows| (job.rows, rows)));
    }
    for message in &batch.messages {
        if let Some((_, schema)) = wanted.transforms.iter().find(|(c, _)| *c == message.connection) {
            transforms(schema, message, &mut content);
        }
    }
    batch.messages.retain(|m| wanted.keep.contains(&m.connection));
    for message in &mut batch.messages {
        message.payload = Bytes::copy_from_slice(&message.payload);
    }
    content.messages = batch.messages;
    Ok(content)
}

fn transforms(schema: &Schema, message: &Message, content: &mut ChunkContent) {
    if let Ok(Decoded::Transforms(list)) = schema.decode(Form::Transforms, &message.payload) {
        content
            .transforms
            .extend(list.into_iter().map(|t| (message.connection, message.time, t)));
    }
}

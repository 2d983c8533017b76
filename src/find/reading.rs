//! Which chunks of a recording have to be read for a condition, and what is known of the others.
//!
//! Invariant: what is found is the same as if everything were read.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use super::condition::{Condition, Value};
use super::drive::schema_of;
use crate::format::{Chunk, ChunkId, Connection, ConnectionId, ConnectionSet};
use crate::path::{Expr, ItemKind, may_hold, parse};
use crate::run::{Recording, Wanted};
use crate::time::{Span, Time};

/// What a search reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    pub chunks: usize,
    /// Left out: what they hold is known, or does not matter.
    pub skipped: usize,
}

/// What is read of one recording.
pub(super) struct Reading {
    pub wanted: Wanted,
    /// Of each connection.
    pub values: Vec<Vec<Value>>,
    /// Values that need no reading: when, of which input.
    pub known: VecDeque<(Time, usize, f64)>,
    pub reads: Reads,
    /// Connections that could not be understood.
    pub problems: Vec<String>,
}

/// A topic of the recording that the condition names.
struct Named {
    connections: Vec<ConnectionId>,
    inputs: BTreeSet<usize>,
}

/// None where nothing of the recording is named.
pub(super) fn reading(recording: &Recording, names: &[(ConnectionId, Arc<str>)], condition: &Condition, within: Span) -> Option<Reading> {
    let catalog = recording.container.catalog();
    let mut values: Vec<Vec<Value>> = vec![Vec::new(); catalog.connections.len()];
    let mut problems = Vec::new();
    let mut topics: Vec<Named> = Vec::new();
    for topic in condition.topics() {
        let mut named = Named {
            connections: Vec::new(),
            inputs: BTreeSet::new(),
        };
        for id in names.iter().filter(|(_, name)| **name == *topic).map(|(id, _)| *id) {
            let compiled = schema_of(recording, id).map_err(|why| why.to_string());
            let compiled = compiled.and_then(|schema| condition.values(topic, &schema).map_err(|error| error.to_string()));
            match (compiled, values.get_mut(id as usize)) {
                (Ok(compiled), Some(values)) => {
                    named.connections.push(id);
                    named.inputs.extend(compiled.iter().map(|value| value.input));
                    values.extend(compiled);
                }
                (Err(why), _) => {
                    let type_name = catalog.connections.get(id as usize).map_or("", |c: &Connection| &*c.type_name);
                    problems.push(format!("{why}: a connection of {topic} ({type_name})"));
                }
                _ => {}
            }
        }
        if !named.connections.is_empty() {
            topics.push(named);
        }
    }
    let mut connections: Vec<ConnectionId> = topics.iter().flat_map(|topic| topic.connections.iter().copied()).collect();
    connections.sort_unstable();
    connections.dedup();
    if connections.is_empty() && problems.is_empty() {
        return None;
    }
    let mut wanted = Wanted::all(ConnectionSet::Only(connections.into()));
    let mut chunks = chunks(&catalog.chunks, &topics, within, &mut wanted.span);
    let known = leave_out(recording, condition, &topics, &mut chunks);
    wanted.fields = fields(values.iter().flatten());
    let reads = Reads {
        chunks: chunks.len(),
        skipped: catalog.chunks.len() - chunks.len(),
    };
    wanted.chunks = Some(chunks);
    Some(Reading {
        wanted,
        values,
        known,
        reads,
        problems,
    })
}

fn holds(chunk: &Chunk, topic: &Named) -> bool {
    chunk.counts.iter().any(|(id, n)| *n > 0 && topic.connections.contains(id))
}

/// The chunks that hold messages of the topics within the span, and of each topic the last one wholly before it: what was so when it
/// began. `span` becomes what they are read for.
fn chunks(all: &[Chunk], topics: &[Named], within: Span, span: &mut Span) -> BTreeSet<ChunkId> {
    let numbered = || all.iter().zip(0..);
    *span = within;
    let mut wanted: BTreeSet<ChunkId> = BTreeSet::new();
    for topic in topics {
        let inside = numbered().filter(|(chunk, _)| chunk.span.overlaps(within) && holds(chunk, topic));
        wanted.extend(inside.map(|(_, id)| id));
        let before = || numbered().filter(|(chunk, _)| chunk.span.end < within.start && holds(chunk, topic));
        let last_end = before().map(|(chunk, _)| chunk.span.end).max();
        // several may end with messages of one moment
        for (chunk, id) in before().filter(|(chunk, _)| Some(chunk.span.end) == last_end) {
            wanted.insert(id);
            span.start = span.start.min(chunk.span.start);
        }
        // the others that reach into the span may hold what came first in it, too
        let straddling = numbered().filter(|(chunk, _)| chunk.span.contains(within.start) && holds(chunk, topic));
        let earliest = straddling.map(|(chunk, _)| chunk.span.start).min();
        span.start = span.start.min(earliest.unwrap_or(span.start));
    }
    wanted
}

/// Takes chunks out of which the file's statistics say that the condition's parts are false there; what is so at their start is told.
fn leave_out(
    recording: &Recording,
    condition: &Condition,
    topics: &[Named],
    chunks: &mut BTreeSet<ChunkId>,
) -> VecDeque<(Time, usize, f64)> {
    let catalog = recording.container.catalog();
    let inputs = condition.program().inputs();
    let mut known = Vec::new();
    for topic in topics {
        let exprs: Option<Vec<(usize, Expr)>> = topic
            .inputs
            .iter()
            .map(|number| {
                let input = inputs.get(*number).filter(|input| input.column.kind() == ItemKind::Bool)?;
                Some((*number, parse(&input.text).ok()?))
            })
            .collect();
        let Some(exprs) = exprs else { continue };
        let of_topic: Vec<(ChunkId, &Chunk)> = catalog
            .chunks
            .iter()
            .zip(0..)
            .filter(|(chunk, id)| chunks.contains(id) && holds(chunk, topic))
            .map(|(chunk, id)| (id, chunk))
            .collect();
        let is_false = |(id, chunk): &(ChunkId, &Chunk)| {
            let is_alone = chunk.counts.iter().all(|(c, _)| topic.connections.contains(c));
            let limits = |field: &str| recording.container.limits(*id, field);
            is_alone && exprs.iter().all(|(_, expr)| !may_hold(expr, &limits))
        };
        let (left_out, mut read): (Vec<_>, Vec<_>) = of_topic.into_iter().partition(is_false);
        read.sort_by_key(|(_, chunk)| chunk.span.start);
        // of those that start no later than the nth: when the last one ends
        let mut ends: Vec<Time> = Vec::with_capacity(read.len());
        for (_, chunk) in &read {
            ends.push(ends.last().map_or(chunk.span.end, |end| chunk.span.end.max(*end)));
        }
        for (id, chunk) in left_out {
            let started = read.partition_point(|(_, other)| other.span.start <= chunk.span.end);
            let is_mixed = started
                .checked_sub(1)
                .and_then(|at| ends.get(at))
                .is_some_and(|end| *end >= chunk.span.start);
            if !is_mixed && chunks.remove(&id) {
                known.extend(exprs.iter().map(|(input, _)| (chunk.span.start, *input, 0.0)));
            }
        }
    }
    known.sort_by_key(|(time, input, _)| (*time, *input));
    known.into()
}

/// The fields that are looked at; None: all may be.
fn fields<'a>(values: impl Iterator<Item = &'a Value>) -> Option<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    for value in values {
        all.extend(value.column.roots()?.iter().cloned());
    }
    Some(all)
}

/// What is read of a message.
pub(super) fn read(values: &Arc<[Vec<Value>]>, connection: ConnectionId, payload: &[u8]) -> Vec<(usize, f64)> {
    let of_connection = values.get(connection as usize).map_or(&[][..], Vec::as_slice);
    of_connection.iter().map(|value| (value.input, value.of(payload))).collect()
}

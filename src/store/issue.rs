//! Work: which chunks are read next and together, what is decoded, what is called off.
//!
//! Invariants: what the playhead needs goes first and never waits for anything else; nothing is read twice; background reading
//! goes on only while nothing at the playhead is missing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use super::cache::{Data, Decoding, Kept, State, Unit};
use super::index::ChunkKey;
use super::plan::DecodeKey;
use super::{ArrivalsJob, ChunkRead, Compiled, Deadline, Entry, Read, RowsJob, SeriesJob, SourceId, Store, TopicId, Work, WorkId};
use crate::decode::{Decoded, Form, Schema, Value};
use crate::format::{ChunkId, ConnectionId, ConnectionSet};
use crate::time::Time;

/// The executor begins fewer of them where the network is not quicker for it.
const REMOTE_READS: usize = 16;
const LOCAL_READS: usize = 4;
const JOIN_GAP_BYTES: u64 = 64 << 10;
/// A connection is slow, many are not: what is waited for comes in small pieces at once.
const PLAYHEAD_READ_BYTES: u64 = 1 << 20;
const AHEAD_READ_BYTES: u64 = 4 << 20;
const WIDE_READ_BYTES: u64 = 8 << 20;
const FOLD_DECODES: usize = 32;

/// A read that was issued and has not ended.
pub(super) struct Reading {
    pub source: SourceId,
    pub is_playhead: bool,
    /// What is still to come.
    pub chunks: BTreeMap<ChunkId, Awaited>,
}

/// What a read is to bring of one chunk.
pub(super) struct Awaited {
    pub units: Vec<Unit>,
    /// What it takes until it is there: the chunk's bytes, and what they hold as far as that can be foretold.
    pub bytes: u64,
}

/// What a decode in flight is for.
pub(super) enum Target {
    Kept(DecodeKey),
    Fold(ChunkKey, TopicId, u32),
}

/// A message that waits to be decoded into accumulated state.
pub(super) struct Undecoded {
    pub time: Time,
    pub schema: Arc<Schema>,
    pub form: Form,
    pub payload: bytes::Bytes,
    pub work: Option<WorkId>,
}

struct Candidate {
    key: ChunkKey,
    units: BTreeSet<Unit>,
    rank: i64,
}

impl Store {
    pub fn take_work(&mut self) -> Vec<Work> {
        self.refresh();
        let mut out = Vec::new();
        loop {
            out.append(&mut self.queue);
            self.issue_decodes(&mut out);
            self.issue_shades(&mut out);
            self.issue_derived(&mut out);
            self.issue_analyses(&mut out);
            self.issue_figures(&mut out);
            self.issue_matches(&mut out);
            self.issue_pieces(&mut out);
            self.issue_playhead(&mut out);
            if !self.plan.is_missing && !self.ahead_is_held {
                self.issue_ahead(&mut out);
            }
            if !self.plan.is_missing && !self.plan.is_undecoded && !self.background_is_held {
                self.issue_background(&mut out);
            }
            // Some of it may have been answered without any work: what follows from that is due now.
            if !self.dirty {
                // what is on its way needs room, too
                self.evict();
                return out;
            }
            self.refresh();
        }
    }

    pub(super) fn new_id(&mut self) -> WorkId {
        self.next_id += 1;
        self.next_id
    }

    pub(super) fn is_remote(&self, source: SourceId) -> bool {
        self.sources.get(source as usize).is_some_and(|s| s.location.is_remote())
    }

    fn in_flight(&self, remote: bool, playhead_only: bool) -> usize {
        self.reads
            .values()
            .filter(|r| self.is_remote(r.source) == remote && (r.is_playhead || !playhead_only))
            .count()
    }

    fn limit(remote: bool) -> usize {
        if remote { REMOTE_READS } else { LOCAL_READS }
    }

    fn missing_of(&self, key: ChunkKey, units: &BTreeSet<Unit>) -> BTreeSet<Unit> {
        units.iter().copied().filter(|u| self.state(key, *u).is_none()).collect()
    }

    fn start_of(&self, key: ChunkKey) -> Option<(Time, Range<u64>)> {
        let container = self.inner.get(key.source as usize)?.container.as_ref()?;
        let chunk = container.catalog().chunks.get(key.chunk as usize)?;
        Some((chunk.span.start, chunk.range.clone()))
    }

    /// What else is wanted of a chunk that is read anyway.
    fn with_the_rest(&self, key: ChunkKey, units: &mut BTreeSet<Unit>) {
        if let Some(ahead) = self.plan.ahead_of(key) {
            units.extend(self.missing_of(key, ahead));
        }
        if let Some((start, _)) = self.start_of(key) {
            units.extend(self.jobs.iter().filter(|(_, j)| j.todo.contains(start, key)).map(|(u, _)| *u));
        }
    }

    fn issue_playhead(&mut self, out: &mut Vec<Work>) {
        let mut candidates = Vec::new();
        for (key, units) in &self.plan.units {
            let mut units = self.missing_of(*key, units);
            if units.is_empty() {
                continue;
            }
            self.with_the_rest(*key, &mut units);
            candidates.push(self.candidate(*key, units));
        }
        self.issue(candidates, Deadline::Playhead, PLAYHEAD_READ_BYTES, out);
    }

    fn issue_ahead(&mut self, out: &mut Vec<Work>) {
        for remote in [false, true] {
            let (mut soon, mut later) = (Vec::new(), Vec::new());
            for (key, millis, units) in &self.plan.ahead {
                let mut units = self.missing_of(*key, units);
                if units.is_empty() || self.is_remote(key.source) != remote {
                    continue;
                }
                self.with_the_rest(*key, &mut units);
                let mut candidate = self.candidate(*key, units);
                candidate.rank = i64::from(*millis);
                let deadline = Deadline::Ahead { millis: *millis };
                if deadline.is_soon() { &mut soon } else { &mut later }.push((*millis, candidate));
            }
            for (candidates, largest) in [(soon, PLAYHEAD_READ_BYTES), (later, AHEAD_READ_BYTES)] {
                let (due, candidates): (Vec<u32>, Vec<Candidate>) = candidates.into_iter().unzip();
                let millis = due.into_iter().min().unwrap_or(u32::MAX);
                self.issue(candidates, Deadline::Ahead { millis }, largest, out);
            }
        }
    }

    fn candidate(&self, key: ChunkKey, units: BTreeSet<Unit>) -> Candidate {
        Candidate {
            key,
            units,
            rank: self.distance_of(key),
        }
    }

    /// Joins candidates into reads and issues the most urgent, as many as may be in flight.
    fn issue(&mut self, mut candidates: Vec<Candidate>, deadline: Deadline, max_bytes: u64, out: &mut Vec<Work>) {
        candidates.sort_by_key(|c| (c.key.source, self.start_of(c.key).map_or(0, |s| s.1.start), c.key));
        let mut reads: Vec<Vec<Candidate>> = Vec::new();
        for candidate in candidates {
            match reads.last_mut() {
                Some(read) if self.joins(read, &candidate, max_bytes) => read.push(candidate),
                _ => reads.push(vec![candidate]),
            }
        }
        reads.sort_by_key(|read| read.iter().map(|c| (c.rank, c.key)).min());
        for read in reads {
            let Some(source) = read.first().map(|c| c.key.source) else {
                continue;
            };
            let remote = self.is_remote(source);
            if self.in_flight(remote, deadline == Deadline::Playhead) < Store::limit(remote) {
                self.start_read(source, read, deadline, out);
            }
        }
    }

    fn joins(&self, read: &[Candidate], next: &Candidate, max_bytes: u64) -> bool {
        let (Some(first), Some(last)) = (read.first(), read.last()) else {
            return false;
        };
        if first.key.source != next.key.source || !self.is_remote(next.key.source) {
            return false;
        }
        let (Some((_, from)), Some((_, before)), Some((_, range))) =
            (self.start_of(first.key), self.start_of(last.key), self.start_of(next.key))
        else {
            return false;
        };
        is_one_read(&(from.start..before.end), &range, max_bytes)
    }

    fn start_read(&mut self, source: SourceId, candidates: Vec<Candidate>, deadline: Deadline, out: &mut Vec<Work>) {
        let Some(container) = self.inner.get(source as usize).and_then(|s| s.container.clone()) else {
            return;
        };
        let mut chunks: Vec<ChunkRead> = Vec::new();
        let mut reading = BTreeMap::new();
        let id = self.new_id();
        for Candidate { key, units, .. } in candidates {
            let Some(mut chunk) = self.chunk_read_of(key, &units) else {
                continue;
            };
            chunk.range = container.catalog().chunks.get(key.chunk as usize).map_or(0..0, |c| c.range.clone());
            let kept: u64 = units.iter().map(|unit| self.expected_bytes(*unit, key)).sum();
            let bytes = chunk.range.end.saturating_sub(chunk.range.start).saturating_add(kept);
            for unit in &units {
                if let Some(cell) = self.cell_mut(key) {
                    cell.set(*unit, State::InFlight(id));
                }
            }
            let units = units.into_iter().collect();
            reading.insert(key.chunk, Awaited { units, bytes });
            chunks.push(chunk);
        }
        let Some(range) = chunks
            .iter()
            .map(|c| c.range.clone())
            .reduce(|a, b| a.start.min(b.start)..a.end.max(b.end))
        else {
            return;
        };
        self.reads.insert(
            id,
            Reading {
                source,
                is_playhead: deadline == Deadline::Playhead,
                chunks: reading,
            },
        );
        out.push(Work::Read(Read {
            id,
            source,
            container,
            range,
            chunks,
            deadline,
        }));
    }

    /// What to take out of a chunk. None where nothing of it can be decoded: then the units are as good as loaded.
    fn chunk_read_of(&mut self, key: ChunkKey, units: &BTreeSet<Unit>) -> Option<ChunkRead> {
        let mut chunk = ChunkRead {
            chunk: key.chunk,
            range: 0..0,
            keep: Vec::new(),
            series: Vec::new(),
            rows: Vec::new(),
            arrivals: Vec::new(),
            transforms: Vec::new(),
        };
        for unit in units {
            self.ask(key, *unit, &mut chunk);
        }
        chunk.keep.sort_unstable();
        chunk.keep.dedup();
        if let Some((start, _)) = self.start_of(key) {
            for unit in units {
                if let Some(job) = self.jobs.get_mut(unit) {
                    job.todo.remove(start, key);
                }
            }
        }
        if chunk.arrivals.is_empty() && matches!(chunk.connections(), ConnectionSet::Only(all) if all.is_empty()) {
            for unit in units {
                self.load_nothing(key, *unit);
            }
            self.dirty = true;
            return None;
        }
        Some(chunk)
    }

    fn load_nothing(&mut self, key: ChunkKey, unit: Unit) {
        let data = match unit {
            Unit::Keep(_) => Data::Keep(Kept::new(Vec::new())),
            Unit::Fold(_) => Data::Fold { undecoded: 0 },
            Unit::Transforms(_) => Data::Transforms,
            Unit::Series(_) => Data::Series,
            Unit::Rows(number) => {
                self.load(key, unit, Data::Rows);
                return self.take_rows(key, number, None);
            }
        };
        self.load(key, unit, data);
    }

    /// Adds what `unit` needs of the chunk to the read.
    fn ask(&mut self, key: ChunkKey, unit: Unit, chunk: &mut ChunkRead) {
        let topic = self.topic_of(unit);
        let inner = &self.inner[key.source as usize];
        let Some(info) = inner.container.as_ref().and_then(|c| c.catalog().chunks.get(key.chunk as usize)) else {
            return;
        };
        let connections: Vec<(ConnectionId, Option<Arc<Schema>>)> = info
            .counts
            .iter()
            .filter(|(c, n)| *n > 0 && inner.topics.get(*c as usize) == Some(&topic))
            .map(|(c, _)| (*c, inner.schemas.get(*c as usize).and_then(|s| s.as_ref().ok().cloned())))
            .collect();
        match unit {
            Unit::Keep(_) | Unit::Fold(_) => chunk.keep.extend(connections.iter().map(|c| c.0)),
            Unit::Transforms(_) => chunk.transforms.extend(connections.into_iter().filter_map(|(c, s)| Some((c, s?)))),
            Unit::Rows(number) => {
                let form = self.row_sets.get(number as usize).map(|r| r.form);
                if form == Some(Form::Arrivals) {
                    let connections = connections.into_iter().map(|c| c.0).collect();
                    return chunk.arrivals.push(ArrivalsJob { rows: number, connections });
                }
                let connections: Vec<_> = connections.into_iter().filter_map(|(c, s)| Some((c, s?))).collect();
                if let Some(form) = form.filter(|_| !connections.is_empty()) {
                    chunk.rows.push(RowsJob {
                        rows: number,
                        form,
                        connections,
                    });
                }
            }
            Unit::Series(number) => {
                for (connection, schema) in connections {
                    if let Some(schema) = schema
                        && let Some((column, clock)) = self.column(number, &schema)
                    {
                        chunk.series.push(SeriesJob {
                            connection,
                            series: number,
                            column,
                            clock,
                        });
                    }
                }
            }
        }
    }

    /// The series' path and times, compiled for a schema once.
    pub(super) fn column(&mut self, number: u32, schema: &Arc<Schema>) -> Option<Compiled> {
        let known = self.columns.iter().find(|(n, s, _)| *n == number && Arc::ptr_eq(s, schema));
        if let Some((_, _, column)) = known {
            return column.clone();
        }
        let series = self.series.get(number as usize)?;
        let column = super::column_of(schema, &series.path).ok();
        let column = column.map(|column| (Arc::new(column), series.stamp.clock(schema)));
        self.columns.push((number, schema.clone(), column.clone()));
        column
    }

    fn issue_background(&mut self, out: &mut Vec<Work>) {
        let ahead_is_due = self
            .plan
            .ahead
            .iter()
            .any(|(key, _, units)| !self.missing_of(*key, units).is_empty());
        if ahead_is_due {
            return;
        }
        loop {
            if self.deny_when_full() && !self.makes_room() {
                return;
            }
            let room = [false, true].map(|remote| self.in_flight(remote, false) < Store::limit(remote));
            let Some(key) = self.nearest_todo(room) else { return };
            let read = self.run_of(key);
            let Some(source) = read.first().map(|c| c.key.source) else { return };
            self.start_read(source, read, Deadline::Background, out);
        }
    }

    /// Half of the budget is for wider spans. Beyond, reading for them stops; accumulated state falls back to what the playhead needs.
    fn deny_when_full(&mut self) -> bool {
        self.sum_up_series();
        let full = self.wide_bytes() > self.budget / 2;
        if full && self.jobs.values().any(|j| !j.todo.is_empty()) {
            let topics: Vec<TopicId> = self
                .jobs
                .iter()
                .filter(|(unit, job)| !unit.is_column() && !job.todo.is_empty())
                .map(|(unit, _)| self.topic_of(*unit))
                .collect();
            self.dirty |= topics.iter().any(|t| !self.denied.contains(t));
            self.denied.extend(topics);
            if !self.wide_is_full {
                self.wide_is_full = true;
                self.fail("plots and accumulated state fill half of the memory budget: what is not read yet of them is left out".into());
            }
        } else if !full {
            self.wide_is_full = false;
        }
        full
    }

    /// Where wider spans fill their part of the memory, rows far from the playhead give way to nearer ones.
    fn makes_room(&mut self) -> bool {
        let nearest = self.nearest_todo([true, true]).and_then(|key| self.start_of(key));
        nearest.is_some_and(|(start, _)| self.drop_farther_rows(start.since(self.now).saturating_abs()))
    }

    /// The chunk nearest to the playhead that some job misses, of recordings with room for a read.
    fn nearest_todo(&self, room: [bool; 2]) -> Option<ChunkKey> {
        if room == [false, false] {
            return None;
        }
        let is_denied = |unit: &Unit| self.denied.contains(&self.topic_of(*unit)) && !unit.is_column();
        let has_room = |source: SourceId| room[usize::from(self.is_remote(source))];
        let jobs = self.jobs.iter().filter(|(unit, _)| !is_denied(unit));
        let nearest = jobs.filter_map(|(_, job)| job.todo.nearest(self.now, has_room)).min();
        nearest.map(|(_, key)| key)
    }

    /// The chunk and, where remote, its neighbours in the file that are missing too.
    fn run_of(&self, key: ChunkKey) -> Vec<Candidate> {
        let wanted = |key: ChunkKey| {
            let mut units = BTreeSet::new();
            self.with_the_rest(key, &mut units);
            (!units.is_empty()).then(|| self.candidate(key, units))
        };
        let mut run: VecDeque<Candidate> = wanted(key).into_iter().collect();
        let Some((start, mut whole)) = self.start_of(key).filter(|_| self.is_remote(key.source)) else {
            return run.into();
        };
        // Away from the playhead, so that the next run lies beside this one.
        let is_before = start < self.now;
        let step = |chunk: ChunkId| if is_before { chunk.checked_sub(1) } else { chunk.checked_add(1) };
        let mut next = key.chunk;
        while let Some(chunk) = step(next) {
            next = chunk;
            let key = ChunkKey { chunk, ..key };
            let (Some(candidate), Some((_, range))) = (wanted(key), self.start_of(key)) else {
                break;
            };
            let (before, after) = if is_before { (&range, &whole) } else { (&whole, &range) };
            if !is_one_read(before, after, WIDE_READ_BYTES) {
                break;
            }
            whole = before.start..after.end;
            if is_before {
                run.push_front(candidate)
            } else {
                run.push_back(candidate)
            }
        }
        run.into()
    }

    fn issue_decodes(&mut self, out: &mut Vec<Work>) {
        for wanted in [self.plan.decodes.clone(), self.plan.ahead_decodes.clone()] {
            for key in wanted {
                self.decode_kept(key, out);
            }
        }
        self.issue_fold_decodes(out);
    }

    /// Issues one decode, unless it is there or on its way; what has no definition is shown as bytes.
    fn decode_kept(&mut self, key: DecodeKey, out: &mut Vec<Work>) {
        let (chunk, topic, at, form) = key;
        let frame = self.frame;
        let Some(kept) = self.cell_mut(chunk).and_then(|c| c.kept_mut(topic)) else {
            return;
        };
        if let Some(decoding) = kept.decoded.get_mut(&(at, form)) {
            if let Decoding::Ready { used, .. } = decoding {
                *used = frame;
            }
            return;
        }
        let Some(message) = kept.messages.get(at as usize).cloned() else {
            return;
        };
        let schema = self.inner[chunk.source as usize].schemas.get(message.connection as usize).cloned();
        let decoding = match schema {
            Some(Ok(schema)) => {
                let id = self.new_id();
                self.decodes.insert(id, Target::Kept(key));
                out.push(Work::Decode {
                    id,
                    schema,
                    form,
                    payload: message.payload,
                });
                Decoding::InFlight(id)
            }
            _ if form == Form::Value => {
                self.next_key += 1;
                Decoding::Ready {
                    entry: Entry {
                        time: message.time,
                        key: self.next_key,
                        decoded: Arc::new(Decoded::Value(Value::Bytes(message.payload))),
                    },
                    bytes: 0,
                    used: frame,
                }
            }
            Some(Err(error)) => Decoding::Failed(error),
            None => Decoding::Failed("its connection is not in the catalogue".into()),
        };
        if !matches!(decoding, Decoding::InFlight(_)) {
            self.dirty = true;
        }
        if let Some(kept) = self.cell_mut(chunk).and_then(|c| c.kept_mut(topic)) {
            kept.decoded.insert((at, form), decoding);
        }
    }

    fn issue_fold_decodes(&mut self, out: &mut Vec<Work>) {
        let busy = self.decodes.values().filter(|target| matches!(target, Target::Fold(..))).count();
        let room = FOLD_DECODES.saturating_sub(busy);
        let urgent = self.plan.units.iter().flat_map(|(key, units)| {
            let folds = units.iter().filter_map(|unit| match unit {
                Unit::Fold(topic) => Some(*topic),
                _ => None,
            });
            folds.flat_map(|topic| self.fold_waiting.range((*key, topic, 0)..=(*key, topic, u32::MAX)))
        });
        let mut next: Vec<(ChunkKey, TopicId, u32)> = urgent.take(room).copied().collect();
        if next.len() < room {
            let others = self.fold_waiting.iter().filter(|of| !self.plan.wants(of.0, Unit::Fold(of.1)));
            next.extend(others.take(room - next.len()));
        }
        for key in next {
            let id = self.new_id();
            self.fold_waiting.remove(&key);
            let Some(undecoded) = self.undecoded.get_mut(&key) else { continue };
            undecoded.work = Some(id);
            out.push(Work::Decode {
                id,
                schema: undecoded.schema.clone(),
                form: undecoded.form,
                payload: undecoded.payload.clone(),
            });
            self.decodes.insert(id, Target::Fold(key.0, key.1, key.2));
        }
    }

    /// Calls off what serves nothing any more, after a seek or a change of what is wanted.
    pub(super) fn cancel_useless(&mut self) {
        let serves = |store: &Store, source: SourceId, reading: &Reading| {
            reading.chunks.iter().any(|(chunk, awaited)| {
                let key = ChunkKey { source, chunk: *chunk };
                awaited
                    .units
                    .iter()
                    .any(|unit| store.plan.wants(key, *unit) || store.plan.wants_ahead(key, *unit) || store.is_in_job(key, *unit))
            })
        };
        let useless: Vec<WorkId> = self
            .reads
            .iter()
            .filter(|(_, reading)| !serves(self, reading.source, reading))
            .map(|(id, _)| *id)
            .collect();
        for id in useless {
            self.forget_read(id);
            self.queue.push(Work::Cancel(id));
        }
        self.cancel_unwanted_derived();
        let stale: Vec<(WorkId, DecodeKey)> = self
            .decodes
            .iter()
            .filter_map(|(id, target)| match target {
                Target::Kept(key) if !self.plan.decodes.contains(key) && !self.plan.ahead_decodes.contains(key) => Some((*id, *key)),
                _ => None,
            })
            .collect();
        for (id, (chunk, topic, at, form)) in stale {
            self.decodes.remove(&id);
            if let Some(kept) = self.cell_mut(chunk).and_then(|c| c.kept_mut(topic)) {
                kept.decoded.remove(&(at, form));
            }
            self.queue.push(Work::Cancel(id));
        }
    }

    /// Whether all that a job wants of chunks that start at or before the playhead is there.
    pub(super) fn is_read_until_now(&self, unit: Unit) -> bool {
        let is_in_flight = || {
            self.reads
                .values()
                .flat_map(|r| r.chunks.values())
                .any(|awaited| awaited.units.contains(&unit))
        };
        self.jobs.get(&unit).is_some_and(|job| !job.todo.starts_by(self.now)) && !is_in_flight()
    }

    pub(super) fn is_in_job(&self, key: ChunkKey, unit: Unit) -> bool {
        let span = self.inner[key.source as usize]
            .container
            .as_ref()
            .and_then(|c| c.catalog().chunks.get(key.chunk as usize).map(|c| c.span));
        match (self.jobs.get(&unit), span) {
            (Some(job), Some(span)) => job.spans.iter().any(|s| s.overlaps(span)),
            _ => false,
        }
    }

    /// Takes a read's outstanding units back to where they can be asked for again.
    fn forget_read(&mut self, id: WorkId) {
        if let Some(reading) = self.reads.remove(&id) {
            self.want_again(reading.source, reading.chunks);
        }
    }
}

/// Whether what lies in both is read at once: near each other, and not too much.
fn is_one_read(before: &Range<u64>, after: &Range<u64>, max_bytes: u64) -> bool {
    let gap = after.start.checked_sub(before.end);
    gap.is_some_and(|gap| gap <= JOIN_GAP_BYTES) && after.end.saturating_sub(before.start) <= max_bytes
}

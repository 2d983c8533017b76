//! What is loaded of each chunk, what it weighs, and what goes first when the budget is full.
//!
//! Invariant: memory stays within the budget unless what is shown at the playhead alone exceeds it, and that is said.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::catalog::{has_topic, has_wide};
use super::index::{ChunkKey, Runs};
use super::{Entry, Store, TopicId, What, WorkId};
use crate::decode::{Decoded, Form, Pixels, Value};
use crate::format::Message;
use crate::time::{Span, Time};

/// What can be loaded of a chunk, one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unit {
    /// A topic's messages as they are.
    Keep(TopicId),
    /// A topic's messages decoded into what accumulates.
    Fold(TopicId),
    Transforms(TopicId),
    /// A scalar, by the store's number of the series.
    Series(u32),
    /// All messages in one form, by the store's number of the set.
    Rows(u32),
}

impl Unit {
    /// Whether it is all of a topic in some column, rather than state at the playhead.
    pub fn is_column(self) -> bool {
        matches!(self, Unit::Series(_) | Unit::Rows(_))
    }

    /// Whether it is read for wider spans than the playhead.
    pub fn is_wide(self) -> bool {
        !matches!(self, Unit::Keep(_))
    }
}

pub(super) enum State {
    InFlight(WorkId),
    Failed { error: Arc<str>, seek: u64, at: Time },
    Loaded(Data),
}

impl State {
    pub fn is_loaded(&self) -> bool {
        matches!(self, State::Loaded(_))
    }
}

pub(super) enum Data {
    Keep(Kept),
    /// So many messages are still being decoded.
    Fold {
        undecoded: u32,
    },
    Transforms,
    Series,
    Rows,
}

/// A topic's messages in one chunk, by time, and what was decoded of them.
#[derive(Default)]
pub(super) struct Kept {
    pub messages: Vec<Message>,
    pub decoded: BTreeMap<(u32, Form), Decoding>,
    bytes: u64,
}

pub(super) enum Decoding {
    InFlight(WorkId),
    Ready { entry: Entry, bytes: u64, used: u64 },
    Failed(Arc<str>),
}

impl Kept {
    pub fn new(messages: Vec<Message>) -> Kept {
        let bytes = messages.iter().map(|m| m.payload.len() as u64 + size_of::<Message>() as u64).sum();
        Kept {
            messages,
            decoded: BTreeMap::new(),
            bytes,
        }
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// All units of one chunk: few, so a list.
#[derive(Default)]
pub(super) struct Cell {
    pub units: Vec<(Unit, State)>,
    /// Topics whose messages' times in it are known.
    pub timed: Vec<TopicId>,
}

impl Cell {
    pub fn get(&self, unit: Unit) -> Option<&State> {
        self.units.iter().find(|(u, _)| *u == unit).map(|(_, s)| s)
    }

    pub fn get_mut(&mut self, unit: Unit) -> Option<&mut State> {
        self.units.iter_mut().find(|(u, _)| *u == unit).map(|(_, s)| s)
    }

    pub fn set(&mut self, unit: Unit, state: State) {
        match self.get_mut(unit) {
            Some(old) => *old = state,
            None => self.units.push((unit, state)),
        }
    }

    pub fn take(&mut self, unit: Unit) -> Option<State> {
        let at = self.units.iter().position(|(u, _)| *u == unit)?;
        Some(self.units.swap_remove(at).1)
    }

    pub fn kept(&self, topic: TopicId) -> Option<&Kept> {
        match self.get(Unit::Keep(topic)) {
            Some(State::Loaded(Data::Keep(kept))) => Some(kept),
            _ => None,
        }
    }

    pub fn kept_mut(&mut self, topic: TopicId) -> Option<&mut Kept> {
        match self.get_mut(Unit::Keep(topic)) {
            Some(State::Loaded(Data::Keep(kept))) => Some(kept),
            _ => None,
        }
    }
}

/// Bytes by what they are spent on.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub kept: u64,
    pub decoded: u64,
    /// Payloads that wait to be decoded into accumulated state.
    pub undecoded: u64,
    /// What is loaded, but for series, which are dropped whole: so that what can be dropped is found without a walk over all chunks.
    loaded: BTreeMap<Unit, BTreeSet<ChunkKey>>,
}

impl Store {
    pub(super) fn cell(&self, key: ChunkKey) -> Option<&Cell> {
        self.inner.get(key.source as usize)?.cells.get(key.chunk as usize)
    }

    pub(super) fn cell_mut(&mut self, key: ChunkKey) -> Option<&mut Cell> {
        self.inner.get_mut(key.source as usize)?.cells.get_mut(key.chunk as usize)
    }

    pub(super) fn state(&self, key: ChunkKey, unit: Unit) -> Option<&State> {
        self.cell(key)?.get(unit)
    }

    pub(super) fn topic_of(&self, unit: Unit) -> TopicId {
        match unit {
            Unit::Keep(t) | Unit::Fold(t) | Unit::Transforms(t) => t,
            Unit::Series(s) => self.series.get(s as usize).map(|s| s.topic).unwrap_or_default(),
            Unit::Rows(r) => self.row_sets.get(r as usize).map(|r| r.topic).unwrap_or_default(),
        }
    }

    /// What series and accumulated state weigh: all that is read for wider spans than the playhead.
    pub(super) fn wide_bytes(&self) -> u64 {
        let series: u64 = self.series.iter().map(super::Series::bytes).sum();
        let rows: u64 = self.row_sets.iter().map(super::RowSet::bytes).sum();
        let matches: u64 = self.matches.iter().map(super::MatchSet::bytes).sum();
        let pieces: u64 = self.pieces.iter().map(super::pieces::PieceSet::bytes).sum();
        let folds: u64 = self.folds.values().map(super::fold::Fold::bytes).sum();
        let derived: u64 = self.derived.iter().map(super::derived::Derived::bytes).sum();
        let analyses: u64 = self.inquiries.iter().map(super::analysis::Inquiry::bytes).sum();
        series + derived + analyses + rows + matches + pieces + folds + self.transforms.bytes() + self.memory.undecoded
    }

    /// What reads under way take, wherever it is: on the line, waiting to be decoded, or on its way here.
    fn awaited_bytes(&self) -> u64 {
        self.reads
            .values()
            .flat_map(|r| r.chunks.values())
            .map(|awaited| awaited.bytes)
            .sum()
    }

    pub(super) fn memory_used(&self) -> u64 {
        with_overhead(self.held_bytes() + self.awaited_bytes())
    }

    fn held_bytes(&self) -> u64 {
        let grids: u64 = self.grids.values().map(super::grid::bytes).sum();
        let shades: u64 = self.shades.iter().map(super::shades::Shade::bytes).sum();
        let beside = self.wants.iter().map(|want| match want.what {
            super::What::Held(bytes) => bytes,
            _ => 0,
        });
        beside.sum::<u64>()
            + self.memory.kept
            + self.memory.decoded
            + self.times_bytes()
            + grids
            + shades
            + self.resource_bytes()
            + self.wide_bytes()
    }

    /// What a unit will weigh of a chunk as long as its messages wait to be shown, going by those that were read before.
    pub(super) fn expected_bytes(&self, unit: Unit, key: ChunkKey) -> u64 {
        let Unit::Keep(topic) = unit else { return 0 };
        let Some(index) = self.index.get(topic.0 as usize) else { return 0 };
        let Some(chunk) = self.ordinal(topic, key).and_then(|at| index.all.chunks.get(at)) else {
            return 0;
        };
        match self.weights.get(topic.0 as usize) {
            Some((bytes, messages)) if *messages > 0 => bytes / messages * chunk.count,
            _ => chunk.bytes * 2,
        }
    }

    pub(super) fn load(&mut self, key: ChunkKey, unit: Unit, data: Data) {
        if let Data::Keep(kept) = &data {
            self.memory.kept += kept.bytes;
        }
        if !matches!(unit, Unit::Series(_)) {
            self.memory.loaded.entry(unit).or_default().insert(key);
        }
        let topic = self.topic_of(unit);
        let had_wide = self.has_wide(key, topic);
        if let Some(cell) = self.cell_mut(key) {
            cell.set(unit, State::Loaded(data));
        }
        if let Some(ordinal) = self.ordinal(topic, key) {
            let index = &mut self.index[topic.0 as usize];
            index.loaded.insert(ordinal, &index.all);
            if unit.is_wide() && !had_wide {
                index.wide_bytes += index.all.chunks[ordinal].bytes;
            }
        }
    }

    fn has_wide(&self, key: ChunkKey, topic: TopicId) -> bool {
        let wide_topics = self.wide_topics();
        self.cell(key).is_some_and(|cell| has_wide(cell, topic, &wide_topics))
    }

    pub(super) fn ordinal(&self, topic: TopicId, key: ChunkKey) -> Option<usize> {
        let container = self.inner.get(key.source as usize)?.container.as_ref()?;
        let start = container.catalog().chunks.get(key.chunk as usize)?.span.start;
        self.index.get(topic.0 as usize)?.all.ordinal(start, key)
    }

    pub(super) fn drop_cell(&mut self, key: ChunkKey) {
        let units: Vec<Unit> = self.cell(key).map(|c| c.units.iter().map(|u| u.0).collect()).unwrap_or_default();
        for unit in units {
            self.unload(key, unit);
            if let Unit::Series(number) = unit
                && let Some(series) = self.series.get_mut(number as usize)
            {
                let touched = series.remove(key);
                self.touch_derived(number, touched);
            }
        }
    }

    /// Forgets a unit, whatever its state.
    pub(super) fn unload(&mut self, key: ChunkKey, unit: Unit) {
        let Some(state) = self.cell_mut(key).and_then(|c| c.take(unit)) else {
            return;
        };
        if let State::Loaded(data) = &state {
            if let Some(keys) = self.memory.loaded.get_mut(&unit) {
                keys.remove(&key);
            }
            let topic = self.topic_of(unit);
            if unit.is_wide()
                && !self.has_wide(key, topic)
                && let Some(ordinal) = self.ordinal(topic, key)
            {
                let index = &mut self.index[topic.0 as usize];
                index.wide_bytes -= index.all.chunks[ordinal].bytes;
            }
            match data {
                Data::Keep(kept) => {
                    self.memory.kept -= kept.bytes;
                    for decoding in kept.decoded.values() {
                        match decoding {
                            Decoding::InFlight(id) => {
                                self.decodes.remove(id);
                                self.queue.push(super::Work::Cancel(*id));
                            }
                            Decoding::Ready { bytes, .. } => self.memory.decoded -= bytes,
                            Decoding::Failed(_) => {}
                        }
                    }
                }
                Data::Fold { .. } => {
                    let topic = self.topic_of(unit);
                    if let Some(fold) = self.folds.get_mut(&topic) {
                        fold.remove_chunk(key);
                    }
                    self.forget_undecoded(key, topic);
                }
                Data::Transforms => self.transforms.remove(self.topic_of(unit), key),
                // What is known of it stays until it is read again, or is dropped with its series or its chunk.
                Data::Series => {}
                Data::Rows => {
                    if let Unit::Rows(number) = unit {
                        self.drop_rows(key, number);
                    }
                }
            }
        }
        self.unloaded.insert(self.topic_of(unit));
        self.stale_jobs.insert(unit);
    }

    /// Series give up points where all that is read for wider spans takes more than half of the budget: those farthest from the
    /// playhead first, never those that are wanted themselves. Their summaries stay.
    pub(super) fn sum_up_series(&mut self) {
        let most = self.budget / 2;
        let over = self.wide_bytes().saturating_sub(most / 8 * 7);
        if self.wide_bytes() <= most {
            return;
        }
        let wanted = self.wanted_points();
        let mut left = over;
        // what can be computed again goes first
        for number in 0..self.derived.len() {
            let wanted = self.derived.get(number).and_then(|d| self.derived_points_wanted(d));
            let keep: Vec<Span> = wanted.into_iter().chain([Span::at(self.now)]).collect();
            if let Some(derived) = self.derived.get_mut(number) {
                left = left.saturating_sub(derived.series.sum_up(&keep, left));
            }
        }
        // the heaviest first
        let mut order: Vec<usize> = (0..self.series.len()).collect();
        order.sort_by_key(|i| std::cmp::Reverse(self.series.get(*i).map_or(0, super::Series::bytes)));
        for number in order {
            if left == 0 {
                return;
            }
            let of_it = wanted.iter().filter(|(of, _)| *of as usize == number).map(|(_, span)| *span);
            let keep: Vec<Span> = of_it.chain([Span::at(self.now)]).collect();
            if let Some(series) = self.series.get_mut(number) {
                left = left.saturating_sub(series.sum_up(&keep, left));
            }
        }
    }

    /// Spans in which the points of a series themselves are needed, by its number.
    fn wanted_points(&self) -> Vec<(u32, Span)> {
        let by_panels = self.wants.iter().filter_map(|want| match &want.what {
            What::Points { path, stamp, span } => Some((self.series_number(want.topic, path, stamp)?, *span)),
            _ => None,
        });
        by_panels.chain(self.points_for_derived()).collect()
    }

    /// Chunks whose points were given up and are wanted are to be read again; until then their summaries stay.
    pub(super) fn reread_points(&mut self) {
        let mut again: Vec<(ChunkKey, Unit)> = Vec::new();
        for (number, span) in self.wanted_points() {
            if let Some(series) = self.series.get(number as usize) {
                again.extend(series.summed_up(span).into_iter().map(|key| (key, Unit::Series(number))));
            }
        }
        for (key, unit) in again {
            if self.state(key, unit).is_some_and(State::is_loaded) {
                self.unload(key, unit);
                self.dirty = true;
            }
        }
    }

    pub(super) fn drop_series(&mut self, number: u32) {
        let Some(topic) = self.series.get(number as usize).map(|s| s.topic) else {
            return;
        };
        let keys: Vec<ChunkKey> = self.index[topic.0 as usize].all.chunks.iter().map(|c| c.key).collect();
        for key in keys {
            if self.state(key, Unit::Series(number)).is_some_and(State::is_loaded) {
                self.unload(key, Unit::Series(number));
            }
        }
        let list = &self.index[topic.0 as usize].all;
        let touched = self.series[number as usize].clear();
        self.series[number as usize].set_chunks(list, |_| false);
        self.touch_derived(number, touched);
    }

    /// Brings the topics' loaded spans up to date after something was dropped.
    pub(super) fn refresh_loaded(&mut self) {
        let wide_topics = self.wide_topics();
        for topic in std::mem::take(&mut self.unloaded) {
            let all = std::mem::take(&mut self.index[topic.0 as usize].all);
            let loaded = Runs::of(&all, |c| self.cell(c.key).is_some_and(|cell| has_topic(cell, topic, &wide_topics)));
            let mut row_sets = std::mem::take(&mut self.row_sets);
            for (number, set) in row_sets.iter_mut().enumerate().filter(|(_, set)| set.topic == topic) {
                let unit = Unit::Rows(number as u32);
                set.set_chunks(&all, |c| self.state(c.key, unit).is_some_and(State::is_loaded));
            }
            self.row_sets = row_sets;
            let index = &mut self.index[topic.0 as usize];
            index.all = all;
            index.loaded = loaded;
        }
    }

    /// Drops what is least useful where the budget is exceeded, and a little more, so that it is not exceeded again at once.
    pub(super) fn evict(&mut self) {
        let most_decoded = self.budget / 4;
        if self.memory.decoded > most_decoded {
            self.evict_decoded(most_decoded - most_decoded / 8);
        }
        if self.memory_used() <= self.budget {
            self.over_budget = false;
            return;
        }
        self.refresh_plan();
        self.evict_units(self.budget - self.budget / 16, false);
        if self.memory_used() > self.budget {
            self.evict_decoded(0);
        }
        if self.memory_used() > self.budget {
            self.evict_unwanted_wide();
        }
        if self.memory_used() > self.budget {
            self.ahead_shrunk += 1;
            self.evict_units(self.budget, true);
        }
        self.refresh_loaded();
        let used = with_overhead(self.held_bytes());
        if used > self.budget && !self.over_budget {
            self.over_budget = true;
            self.fail(
                format!(
                    "what is shown at the playhead takes {} MiB, more than the memory budget of {} MiB: show less, or raise --memory",
                    used >> 20,
                    self.budget >> 20
                )
                .into(),
            );
        }
    }

    /// Messages and narrow state that nobody wants at the playhead, farthest first, until `limit`; with `ahead` also what was read
    /// ahead.
    fn evict_units(&mut self, limit: u64, ahead: bool) {
        let mut candidates: Vec<(i64, ChunkKey, Unit)> = Vec::new();
        for (unit, keys) in &self.memory.loaded {
            let is_evictable = match unit {
                Unit::Keep(_) => true,
                Unit::Fold(t) | Unit::Transforms(t) => !self.is_whole_wanted(*unit, *t),
                Unit::Series(_) => false,
                Unit::Rows(_) => !self.jobs.contains_key(unit),
            };
            if !is_evictable {
                continue;
            }
            for key in keys {
                if !self.plan.wants(*key, *unit) && (ahead || !self.plan.wants_ahead(*key, *unit)) {
                    candidates.push((self.distance_of(*key), *key, *unit));
                }
            }
        }
        candidates.sort_unstable_by(|a, b| b.cmp(a));
        for (_, key, unit) in candidates {
            if self.memory_used() <= limit {
                return;
            }
            self.unload(key, unit);
        }
    }

    /// Nanoseconds from the playhead.
    pub(super) fn distance_of(&self, key: ChunkKey) -> i64 {
        let container = self.inner.get(key.source as usize).and_then(|s| s.container.as_ref());
        let chunk = container.and_then(|c| c.catalog().chunks.get(key.chunk as usize));
        chunk.map_or(i64::MAX, |chunk| distance(self.now, chunk.span))
    }

    /// Series that no panel shows any more.
    fn evict_unwanted_wide(&mut self) {
        self.drop_unwanted_derived();
        for number in 0..self.series.len() as u32 {
            if self.memory_used() <= self.budget {
                return;
            }
            if !self.jobs.contains_key(&Unit::Series(number)) {
                self.drop_series(number);
            }
        }
    }

    fn is_whole_wanted(&self, unit: Unit, topic: TopicId) -> bool {
        self.jobs.contains_key(&unit) && !self.denied.contains(&topic)
    }

    /// Decoded messages that nobody wants now, least recently used first, until `limit`.
    fn evict_decoded(&mut self, limit: u64) {
        if self.memory.decoded <= limit {
            return;
        }
        let mut candidates: Vec<(u64, ChunkKey, TopicId, u32, Form)> = Vec::new();
        for (unit, keys) in &self.memory.loaded {
            let Unit::Keep(topic) = *unit else { continue };
            for key in keys {
                let decoded = self.cell(*key).and_then(|cell| cell.kept(topic)).map(|kept| &kept.decoded);
                for ((at, form), decoding) in decoded.into_iter().flatten() {
                    if let Decoding::Ready { used, .. } = decoding
                        && *used < self.frame
                    {
                        candidates.push((*used, *key, topic, *at, *form));
                    }
                }
            }
        }
        candidates.sort();
        for (_, key, topic, at, form) in candidates {
            if self.memory.decoded <= limit {
                return;
            }
            let dropped = self
                .cell_mut(key)
                .and_then(|c| c.kept_mut(topic))
                .and_then(|k| k.decoded.remove(&(at, form)));
            if let Some(Decoding::Ready { bytes, .. }) = dropped {
                self.memory.decoded -= bytes;
            }
        }
    }
}

/// Nanoseconds from `t` to the nearest end of `span`; 0 within.
pub(super) fn distance(t: Time, span: crate::time::Span) -> i64 {
    if t < span.start {
        span.start.since(t)
    } else if t > span.end {
        t.since(span.end)
    } else {
        0
    }
}

/// What the program takes for so many bytes: an allocator that is handed messages of all sizes keeps about an eighth beside.
fn with_overhead(bytes: u64) -> u64 {
    bytes + bytes / 8
}

/// What a decoded message weighs besides the payload that it shares.
pub(super) fn decoded_bytes(decoded: &Decoded) -> u64 {
    let own = match decoded {
        Decoded::Value(value) => value_bytes(value),
        Decoded::Image(image) => match &image.pixels {
            Pixels::Rgba8(bytes) => bytes.len() as u64,
            Pixels::Gray(values) => values.len() as u64 * 4,
        },
        Decoded::Transforms(all) => all.len() as u64 * 160,
        Decoded::Markers(all) => all
            .iter()
            .map(|m| 400 + m.points.len() as u64 * 12 + m.colors.len() as u64 * 16)
            .sum(),
        Decoded::Poses(poses) => poses.poses.len() as u64 * 56,
        Decoded::Diagnostics(all) => all.iter().map(|s| 200 + s.values.len() as u64 * 100).sum(),
        Decoded::Log(line) => (line.text.len() + line.node.len() + line.file.len() + line.function.len()) as u64,
        Decoded::Features(features) => features.bytes(),
        Decoded::Annotations(annotations) => annotations.bytes() as u64,
        Decoded::Cloud(_) | Decoded::Scan(_) | Decoded::Pose(_) | Decoded::Grid(_) | Decoded::GridUpdate(_) | Decoded::Fix(_) => 0,
    };
    own + 512
}

fn value_bytes(value: &Value) -> u64 {
    let own = size_of::<Value>() as u64;
    own + match value {
        Value::String(text) => text.len() as u64,
        Value::Array(values) | Value::Struct { values, .. } => values.iter().map(value_bytes).sum(),
        _ => 0,
    }
}

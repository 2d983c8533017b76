//! What the playhead needs, what play reaches next, and what wider spans still miss: worked out anew from the wants.
//!
//! Invariant: a plan is a function of the wants, the playhead, the index and what is loaded; nothing remembers the way here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::cache::{Data, Decoding, Kept, State, Unit, distance};
use super::index::ChunkKey;
use super::todo::Todo;
use super::{Lookup, Store, TopicId, Want, What};
use crate::decode::Form;
use crate::format::MAX_LATCHED_CHUNKS;
use crate::time::{Span, Time};

/// A message of a loaded chunk, in a form.
pub(super) type DecodeKey = (ChunkKey, TopicId, u32, Form);

/// So much of a remote recording is read for wider spans without asking.
pub(super) const SMALL_BYTES: u64 = 32 << 20;
/// Transforms this long before the playhead, and before the oldest message of a trail, are always there: header stamps lie a
/// little before receive times.
const TRANSFORM_WINDOW_NANOS: i64 = 500_000_000;
/// For so many moments that lie further back the transforms around them are read.
const MAX_LATE_STAMPS: usize = 64;
const AHEAD_REMOTE_NANOS: f64 = 10e9;
const AHEAD_LOCAL_NANOS: f64 = 2e9;

#[derive(Default)]
pub(super) struct Plan {
    /// What the playhead needs, loaded or not.
    pub units: BTreeMap<ChunkKey, BTreeSet<Unit>>,
    pub decodes: BTreeSet<DecodeKey>,
    /// Nearest first: chunk, milliseconds until play is there, units.
    pub ahead: Vec<(ChunkKey, u32, BTreeSet<Unit>)>,
    ahead_at: BTreeMap<ChunkKey, usize>,
    pub ahead_decodes: BTreeSet<DecodeKey>,
    /// For topics that accumulate: the chunks that the state at the playhead is made of where the whole is not read. Sorted.
    pub narrow: BTreeMap<TopicId, Vec<ChunkKey>>,
    /// Stamps of what is shown that lie before the window in which transforms are read anyway. Sorted.
    pub late_stamps: Vec<Time>,
    /// Whether something of `units` is neither loaded nor failed.
    pub is_missing: bool,
    /// Whether something at the playhead is still to be decoded.
    pub is_undecoded: bool,
}

impl Plan {
    pub fn wants(&self, key: ChunkKey, unit: Unit) -> bool {
        self.units.get(&key).is_some_and(|u| u.contains(&unit))
    }

    pub fn wants_ahead(&self, key: ChunkKey, unit: Unit) -> bool {
        self.ahead_at
            .get(&key)
            .and_then(|at| self.ahead.get(*at))
            .is_some_and(|a| a.2.contains(&unit))
    }

    pub fn ahead_of(&self, key: ChunkKey) -> Option<&BTreeSet<Unit>> {
        self.ahead_at.get(&key).and_then(|at| self.ahead.get(*at)).map(|a| &a.2)
    }
}

/// Something read for a wider span than the playhead.
#[derive(Default)]
pub(super) struct Job {
    pub spans: Vec<Span>,
    /// Chunks that are neither loaded, nor on their way, nor failed.
    pub todo: Todo,
    pub revision: u64,
}

/// A message that is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct At {
    pub time: Time,
    pub key: ChunkKey,
    pub at: u32,
}

/// How far an answer is known.
#[derive(Clone, Debug)]
pub(super) enum Known {
    Yes,
    Pending,
    Failed(Arc<str>),
}

/// Messages next to an instant, as far as they are loaded, and the chunks that decide about them.
pub(super) struct Found {
    pub messages: Vec<At>,
    pub needed: Vec<ChunkKey>,
    pub known: Known,
}

impl Store {
    fn kept(&self, key: ChunkKey, topic: TopicId) -> Option<&Kept> {
        self.cell(key)?.kept(topic)
    }

    pub(super) fn known(&self, needed: &[ChunkKey], unit: Unit) -> Known {
        let mut known = Known::Yes;
        for key in needed {
            match self.state(*key, unit) {
                Some(State::Loaded(Data::Fold { undecoded })) if *undecoded > 0 => known = Known::Pending,
                Some(State::Loaded(_)) => {}
                Some(State::Failed { error, .. }) => return Known::Failed(error.clone()),
                Some(State::InFlight(_)) | None => known = Known::Pending,
            }
        }
        known
    }

    /// The newest `k` messages at or before `t`, newest first.
    pub(super) fn newest(&self, topic: TopicId, t: Time, k: usize) -> Found {
        let candidates = self
            .index
            .get(topic.0 as usize)
            .map(|i| i.all.newest(t, k as u64))
            .unwrap_or_default();
        let mut messages: Vec<At> = Vec::new();
        for chunk in &candidates {
            let Some(kept) = self.kept(chunk.key, topic) else { continue };
            let end = kept.messages.partition_point(|m| m.time <= t);
            for at in end.saturating_sub(k)..end {
                messages.push(At {
                    time: kept.messages[at].time,
                    key: chunk.key,
                    at: at as u32,
                });
            }
        }
        messages.sort_unstable_by(|a, b| b.cmp(a));
        messages.truncate(k);
        // Chunks that end before the k-th newest message that is known cannot hold a newer one.
        let floor = messages.get(k - 1).map_or(Time::MIN, |m| m.time);
        let needed: Vec<ChunkKey> = candidates.iter().filter(|c| c.span.end >= floor).map(|c| c.key).collect();
        Found {
            known: self.known(&needed, Unit::Keep(topic)),
            messages,
            needed,
        }
    }

    /// The first message after `t`.
    pub(super) fn next_after(&self, topic: TopicId, t: Time) -> Found {
        let candidates = self.index.get(topic.0 as usize).map(|i| i.all.soonest_after(t)).unwrap_or_default();
        let first = candidates
            .iter()
            .filter_map(|chunk| {
                let kept = self.kept(chunk.key, topic)?;
                let at = kept.messages.partition_point(|m| m.time <= t);
                Some(At {
                    time: kept.messages.get(at)?.time,
                    key: chunk.key,
                    at: at as u32,
                })
            })
            .min();
        let ceiling = first.map_or(Time::MAX, |m| m.time);
        let needed: Vec<ChunkKey> = candidates.iter().filter(|c| c.span.start <= ceiling).map(|c| c.key).collect();
        Found {
            known: self.known(&needed, Unit::Keep(topic)),
            messages: first.into_iter().collect(),
            needed,
        }
    }

    /// All messages in `span`, oldest first.
    pub(super) fn within(&self, topic: TopicId, span: Span) -> Found {
        let chunks = self
            .index
            .get(topic.0 as usize)
            .map(|i| i.all.overlapping(span.start, span.end))
            .unwrap_or_default();
        let needed: Vec<ChunkKey> = chunks.iter().map(|c| c.key).collect();
        let mut messages = Vec::new();
        for key in &needed {
            let Some(kept) = self.kept(*key, topic) else { continue };
            let from = kept.messages.partition_point(|m| m.time < span.start);
            let to = kept.messages.partition_point(|m| m.time <= span.end);
            for at in from..to {
                messages.push(At {
                    time: kept.messages[at].time,
                    key: *key,
                    at: at as u32,
                });
            }
        }
        messages.sort_unstable();
        Found {
            known: self.known(&needed, Unit::Keep(topic)),
            messages,
            needed,
        }
    }

    /// Chunks that the accumulated state at the playhead is made of where the whole is not read: per publisher what straddles the
    /// playhead and the newest before it, a short window, what lies next to `moments`, everything that latched publishers sent.
    fn narrow_chunks(&self, topic: TopicId, window_nanos: i64, moments: &[Time]) -> Vec<ChunkKey> {
        let mut keys: Vec<ChunkKey> = Vec::new();
        for publisher in &self.index[topic.0 as usize].publishers {
            let list = &publisher.list;
            keys.extend(list.newest(self.now, 1).iter().map(|c| c.key));
            if window_nanos > 0 {
                keys.extend(list.overlapping(self.now.plus_nanos(-window_nanos), self.now).iter().map(|c| c.key));
            }
            for moment in moments {
                let after = list.soonest_after(*moment).into_iter().filter(|c| c.span.start <= self.now);
                keys.extend(list.newest(*moment, 1).into_iter().chain(after).map(|c| c.key));
            }
            if publisher.latching && list.chunks.len() <= MAX_LATCHED_CHUNKS {
                keys.extend(list.overlapping(Time::MIN, self.now).iter().map(|c| c.key));
            }
        }
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    pub(super) fn unit_of(topic: TopicId, form: Form) -> Unit {
        match form {
            Form::Transforms => Unit::Transforms(topic),
            Form::Markers | Form::Diagnostics => Unit::Fold(topic),
            _ => Unit::Keep(topic),
        }
    }

    pub(super) fn refresh_plan(&mut self) {
        let mut plan = Plan::default();
        for want in &self.wants {
            self.plan_want(want, &mut plan);
        }
        let (window_nanos, late_stamps) = (self.transform_window_nanos(), self.late_stamps());
        if self.wants_transforms() {
            for topic in self.transform_topics() {
                self.plan_narrow(topic, Unit::Transforms(topic), window_nanos, &late_stamps, &mut plan);
            }
        }
        plan.late_stamps = late_stamps;
        plan.is_missing = plan.units.iter().any(|(key, units)| {
            units
                .iter()
                .any(|u| matches!(self.state(*key, *u), None | Some(State::InFlight(_))))
        });
        plan.is_undecoded = plan.decodes.iter().any(|d| !self.is_decoded(d))
            || plan.narrow.iter().any(|(topic, keys)| {
                keys.iter()
                    .any(|k| matches!(self.state(*k, Unit::Fold(*topic)), Some(State::Loaded(Data::Fold { undecoded })) if *undecoded > 0))
            });
        if self.speed != 0.0 {
            self.plan_ahead(&mut plan);
        }
        self.plan = plan;
    }

    fn is_decoded(&self, key: &DecodeKey) -> bool {
        self.kept(key.0, key.1)
            .and_then(|k| k.decoded.get(&(key.2, key.3)))
            .is_some_and(|d| !matches!(d, Decoding::InFlight(_)))
    }

    pub(super) fn wants_transforms(&self) -> bool {
        self.wants.iter().any(|w| w.what == What::Latest(Form::Transforms))
    }

    fn plan_want(&self, want: &Want, plan: &mut Plan) {
        let topic = want.topic;
        match &want.what {
            What::Latest(Form::Transforms)
            | What::Resource(_)
            | What::Shaded(_)
            | What::Figures(_)
            | What::Held(_)
            | What::Points { .. }
            | What::Derived { .. }
            | What::Analysis(_)
            | What::Lines(_)
            | What::Pieces => {}
            What::Latest(Form::Markers | Form::Diagnostics) => self.plan_narrow(topic, Unit::Fold(topic), 0, &[], plan),
            What::Latest(form) => {
                let found = self.newest(topic, self.now, 1);
                if *form == Form::Grid {
                    self.plan_grid_updates(topic, &found, plan);
                }
                plan_found(topic, Some(*form), found.messages.first().copied(), found, plan);
            }
            What::Previous(form) => {
                let found = self.newest(topic, self.now, 2);
                plan_found(topic, Some(*form), found.messages.get(1).copied(), found, plan);
            }
            What::Trail { form, window_nanos } => {
                let found = self.within(topic, Span::new(self.now.plus_nanos(-window_nanos), self.now));
                plan.decodes.extend(found.messages.iter().map(|m| (m.key, topic, m.at, *form)));
                plan_found(topic, None, None, found, plan);
            }
            What::Neighbours => {
                plan_found(topic, None, None, self.newest(topic, self.now.plus_nanos(-1), 1), plan);
                plan_found(topic, None, None, self.next_after(topic, self.now), plan);
            }
            What::Rows { form, span } => {
                if let Some(number) = self.rows_number(topic, *form)
                    && span.contains(self.now)
                {
                    for chunk in self.index[topic.0 as usize].all.newest(self.now, 1) {
                        plan.units.entry(chunk.key).or_default().insert(Unit::Rows(number));
                    }
                }
            }
            What::Series { path, stamp, span } => {
                if let Some(number) = self.series_number(topic, path, stamp)
                    && span.contains(self.now)
                {
                    for chunk in self.index[topic.0 as usize].all.newest(self.now, 1) {
                        plan.units.entry(chunk.key).or_default().insert(Unit::Series(number));
                    }
                }
            }
        }
    }

    fn transform_window_nanos(&self) -> i64 {
        let trails = self.wants.iter().map(|want| match want.what {
            What::Trail { window_nanos, .. } => window_nanos,
            _ => 0,
        });
        TRANSFORM_WINDOW_NANOS.saturating_add(trails.max().unwrap_or(0))
    }

    /// Stamps of what the wants show that lie before the window: of messages that came late, of markers that stay where they were.
    pub(super) fn late_stamps(&self) -> Vec<Time> {
        let mut stamps: Vec<Time> = Vec::new();
        if !self.wants_transforms() || self.transform_topics().iter().all(|topic| self.counts_whole(*topic)) {
            return stamps;
        }
        for want in &self.wants {
            match &want.what {
                What::Latest(Form::Markers) => {
                    let Lookup::Ready(set) = self.markers(want.topic) else { continue };
                    let staying = set.markers.iter().filter(|(_, marker)| !marker.frame_locked);
                    stamps.extend(staying.filter_map(|(received, marker)| {
                        self.transforms.parent(&marker.header.frame_id)?;
                        Some(marker.stamp_or(*received))
                    }));
                }
                What::Latest(form @ (Form::Cloud | Form::Scan | Form::Poses | Form::Pose)) => {
                    let newest = self.newest(want.topic, self.now, 1).messages;
                    stamps.extend(newest.iter().filter_map(|m| self.stamp_of(want.topic, *form, m)));
                }
                What::Trail { form, window_nanos } => {
                    let trail = self
                        .within(want.topic, Span::new(self.now.plus_nanos(-window_nanos), self.now))
                        .messages;
                    stamps.extend(trail.iter().filter_map(|m| self.stamp_of(want.topic, *form, m)));
                }
                _ => {}
            }
        }
        let window_start = self.now.plus_nanos(-self.transform_window_nanos());
        stamps.retain(|stamp| *stamp > Time(0) && *stamp < window_start);
        stamps.sort_unstable();
        stamps.dedup();
        stamps.drain(..stamps.len().saturating_sub(MAX_LATE_STAMPS));
        stamps
    }

    /// The header's, of a message that is decoded.
    fn stamp_of(&self, topic: TopicId, form: Form, message: &At) -> Option<Time> {
        match self.kept(message.key, topic)?.decoded.get(&(message.at, form))? {
            Decoding::Ready { entry, .. } => entry.decoded.header().map(|header| header.stamp),
            _ => None,
        }
    }

    fn plan_narrow(&self, topic: TopicId, unit: Unit, window_nanos: i64, moments: &[Time], plan: &mut Plan) {
        let keys = self.narrow_chunks(topic, window_nanos, moments);
        for key in &keys {
            plan.units.entry(*key).or_default().insert(unit);
        }
        plan.narrow.insert(topic, keys);
    }

    /// The topic of a map's updates.
    pub(super) fn updates_of(&self, topic: TopicId) -> Option<TopicId> {
        let name = format!("{}_updates", self.topic(topic)?.name);
        self.topic_by_name(&name).filter(|t| t.form == Some(Form::GridUpdate)).map(|t| t.id)
    }

    /// The updates of a map received at `since`: all that came between it and the playhead.
    pub(super) fn grid_updates(&self, topic: TopicId, since: Time) -> Option<(TopicId, Found)> {
        let updates = self.updates_of(topic)?;
        let span = Span::new(since, self.now);
        let list = &self.index[updates.0 as usize].all;
        let cost: u64 = list.overlapping(span.start, span.end).iter().map(|c| c.bytes).sum();
        let found = if self.is_whole(updates) || cost <= SMALL_BYTES {
            self.within(updates, span)
        } else {
            let mut found = self.newest(updates, self.now, 1);
            found.messages.retain(|m| m.time >= since);
            found
        };
        Some((updates, found))
    }

    fn plan_grid_updates(&self, topic: TopicId, map: &Found, plan: &mut Plan) {
        let known = matches!(map.known, Known::Yes);
        let since = match known {
            true => map.messages.first().map(|map| map.time),
            // Not read yet: it is no older than its chunk, so both come in one round.
            false => self.index[topic.0 as usize].all.newest(self.now, 1).first().map(|c| c.span.start),
        };
        let Some((updates, found)) = since.and_then(|since| self.grid_updates(topic, since)) else {
            return;
        };
        if known {
            plan.decodes
                .extend(found.messages.iter().map(|m| (m.key, updates, m.at, Form::GridUpdate)));
        }
        plan_found(updates, None, None, found, plan);
    }

    fn plan_ahead(&self, plan: &mut Plan) {
        let mut chunks: BTreeMap<ChunkKey, (i64, BTreeSet<Unit>, u64)> = BTreeMap::new();
        for want in &self.wants {
            let form = match &want.what {
                What::Latest(form) | What::Previous(form) | What::Trail { form, .. } => *form,
                What::Neighbours
                | What::Shaded(_)
                | What::Figures(_)
                | What::Held(_)
                | What::Series { .. }
                | What::Points { .. }
                | What::Derived { .. }
                | What::Analysis(_)
                | What::Rows { .. }
                | What::Lines(_)
                | What::Pieces
                | What::Resource(_) => continue,
            };
            self.ahead_of_topic(want.topic, Store::unit_of(want.topic, form), &mut chunks);
            self.ahead_decodes(want.topic, form, plan);
        }
        if self.wants_transforms() {
            for topic in self.transform_topics() {
                self.ahead_of_topic(topic, Unit::Transforms(topic), &mut chunks);
            }
        }
        let mut allowance = self.ahead_allowance(plan);
        let mut order: Vec<(i64, ChunkKey)> = chunks.iter().map(|(key, c)| (c.0, *key)).collect();
        order.sort_unstable();
        for (distance_nanos, key) in order {
            let Some((_, units, bytes)) = chunks.remove(&key) else { continue };
            if bytes > allowance {
                break;
            }
            allowance -= bytes;
            let millis = (distance_nanos as f64 * 1e-6 / self.speed.abs().max(0.001)).min(1e9) as u32;
            plan.ahead_at.insert(key, plan.ahead.len());
            plan.ahead.push((key, millis, units));
        }
    }

    /// Bytes that may be read ahead: a quarter of the budget, less where the playhead and wider spans need it.
    fn ahead_allowance(&self, plan: &Plan) -> u64 {
        let at_playhead: u64 = plan
            .units
            .iter()
            .flat_map(|(key, units)| units.iter().map(move |u| (key, u)))
            .filter_map(|(key, unit)| match unit {
                Unit::Keep(topic) => self.kept(*key, *topic),
                _ => None,
            })
            .map(Kept::bytes)
            .sum();
        let free = self.budget.saturating_sub(self.wide_bytes() + at_playhead + self.memory.decoded);
        ((self.budget / 4).min(free / 5 * 4)) >> self.ahead_shrunk.min(63)
    }

    fn ahead_of_topic(&self, topic: TopicId, unit: Unit, out: &mut BTreeMap<ChunkKey, (i64, BTreeSet<Unit>, u64)>) {
        let Some(index) = self.index.get(topic.0 as usize) else { return };
        let reach = if index.remote_bytes > 0 {
            AHEAD_REMOTE_NANOS
        } else {
            AHEAD_LOCAL_NANOS
        };
        let reach = (reach * self.speed.abs().max(0.5)).min(60e9) as i64;
        let span = if self.speed > 0.0 {
            Span::new(self.now, self.now.plus_nanos(reach))
        } else {
            Span::new(self.now.plus_nanos(-reach), self.now)
        };
        for chunk in index.all.overlapping(span.start, span.end) {
            let entry = out
                .entry(chunk.key)
                .or_insert_with(|| (distance(self.now, chunk.span), BTreeSet::new(), 0));
            if entry.1.insert(unit) {
                entry.2 += self.expected_bytes(unit, chunk.key);
            }
        }
    }

    /// The next two messages in play direction are decoded before they are due.
    fn ahead_decodes(&self, topic: TopicId, form: Form, plan: &mut Plan) {
        if !matches!(Store::unit_of(topic, form), Unit::Keep(_)) {
            return;
        }
        let near = (1e9 * self.speed.abs()).clamp(1e8, 3e9) as i64;
        let mut next = if self.speed > 0.0 {
            self.within(topic, Span::new(self.now.plus_nanos(1), self.now.plus_nanos(near)))
                .messages
        } else {
            let mut before = self.within(topic, Span::new(self.now.plus_nanos(-near), self.now)).messages;
            before.reverse();
            before.into_iter().skip(1).collect()
        };
        next.truncate(2);
        plan.ahead_decodes.extend(next.iter().map(|m| (m.key, topic, m.at, form)));
    }

    /// Whether the whole of this topic is read unasked, or was asked for.
    pub(super) fn is_whole(&self, topic: TopicId) -> bool {
        self.allowed.contains(&topic) || self.index.get(topic.0 as usize).is_some_and(|i| i.remote_bytes < SMALL_BYTES)
    }

    /// The jobs that the wants make, each with what it still misses.
    pub(super) fn refresh_jobs(&mut self) {
        let mut wanted: BTreeMap<Unit, Vec<Span>> = BTreeMap::new();
        for want in &self.wants {
            match &want.what {
                What::Series { path, stamp, span } => {
                    if let Some(number) = self.series_number(want.topic, path, stamp) {
                        wanted.entry(Unit::Series(number)).or_default().push(*span);
                    }
                }
                What::Rows { form, span } => {
                    if let Some(number) = self.rows_number(want.topic, *form) {
                        wanted.entry(Unit::Rows(number)).or_default().push(*span);
                    }
                }
                What::Latest(form @ (Form::Markers | Form::Diagnostics)) if self.is_whole(want.topic) => {
                    wanted.insert(Store::unit_of(want.topic, *form), vec![Span::ALL]);
                }
                _ => {}
            }
        }
        if self.wants_transforms() {
            for topic in self.transform_topics().into_iter().filter(|t| self.is_whole(*t)) {
                wanted.insert(Unit::Transforms(topic), vec![Span::ALL]);
            }
        }
        let stale = std::mem::take(&mut self.stale_jobs);
        self.jobs.retain(|unit, _| wanted.contains_key(unit));
        for (unit, mut spans) in wanted {
            spans.sort_by_key(|s| (s.start, s.end));
            spans.dedup();
            let current = self
                .jobs
                .get(&unit)
                .is_some_and(|j| j.spans == spans && j.revision == self.catalog_revision && !stale.contains(&unit));
            if !current {
                let list = &self.index[self.topic_of(unit).0 as usize].all;
                let chunks = spans.iter().flat_map(|span| list.overlapping(span.start, span.end));
                let missing = chunks.filter(|chunk| self.state(chunk.key, unit).is_none());
                let todo = missing.map(|chunk| (chunk.span.start, chunk.key)).collect();
                self.jobs.insert(
                    unit,
                    Job {
                        spans,
                        todo,
                        revision: self.catalog_revision,
                    },
                );
            }
        }
    }
}

fn plan_found(topic: TopicId, form: Option<Form>, message: Option<At>, found: Found, plan: &mut Plan) {
    for key in found.needed {
        plan.units.entry(key).or_default().insert(Unit::Keep(topic));
    }
    // Decoded only once it is sure that this is the message.
    if let (Some(form), Some(m), Known::Yes) = (form, message, found.known) {
        plan.decodes.insert((m.key, topic, m.at, form));
    }
}

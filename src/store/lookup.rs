//! Answers about now, from what is loaded. Invariant: nothing here changes anything or waits.

use std::sync::Arc;

use bytes::Bytes;

use super::cache::{Decoding, State, Unit};
use super::fold::MarkerSet;
use super::index::TopicChunk;
use super::plan::{At, Found, Known};
use super::{Entry, Lookup, Series, Stamp, Status, Store, TopicId, Transforms};
use crate::decode::{DiagnosticStatus, Form};
use crate::time::{Span, Time};

/// So many messages behind the playhead are looked through for one that is decoded.
const SHOWN_BEHIND: usize = 64;
/// Series around the playhead of a large remote recording reach so far to both sides …
const WINDOW_NANOS: i64 = 5_000_000_000;
/// … from a playhead that is rounded to this, so that small moves ask for nothing new.
const WINDOW_STEP_NANOS: i64 = 2_500_000_000;

impl Store {
    /// The newest message at or before the playhead of the last `demand`. Transforms, markers and diagnostics have their own
    /// look-ups ([`Store::transforms`], [`Store::markers`], [`Store::diagnostics`]).
    pub fn latest(&self, topic: TopicId, form: Form) -> Lookup<Entry> {
        let found = self.newest(topic, self.now, 1);
        let message = found.messages.first().copied();
        self.answer(topic, form, &found, message)
    }

    pub fn previous(&self, topic: TopicId, form: Form) -> Lookup<Entry> {
        let found = self.newest(topic, self.now, 2);
        let message = found.messages.get(1).copied();
        self.answer(topic, form, &found, message)
    }

    /// The newest message at or before the playhead that is decoded already. In play the playhead may reach the next message of a
    /// quick topic before this one is decoded, every frame anew: then panels show this while [`Store::latest`] is pending.
    pub fn latest_decoded(&self, topic: TopicId, form: Form) -> Option<Entry> {
        let found = self.newest(topic, self.now, SHOWN_BEHIND);
        found.messages.iter().find_map(|m| match self.entry(topic, form, *m) {
            Lookup::Ready(entry) => Some(entry),
            _ => None,
        })
    }

    /// The newest message as it was recorded, for what cannot be decoded. Wants [`super::What::Latest`] of any form that is not
    /// accumulated, such as [`Form::Value`].
    pub fn latest_payload(&self, topic: TopicId) -> Lookup<(Time, Bytes)> {
        let found = self.newest(topic, self.now, 1);
        match (&found.known, found.messages.first()) {
            (Known::Failed(error), _) => Lookup::Failed(error.clone()),
            (Known::Pending, _) => Lookup::Pending,
            (Known::Yes, None) => Lookup::Absent,
            (Known::Yes, Some(m)) => {
                let message = self
                    .cell(m.key)
                    .and_then(|c| c.kept(topic))
                    .and_then(|k| k.messages.get(m.at as usize));
                message.map_or(Lookup::Absent, |m| Lookup::Ready((m.time, m.payload.clone())))
            }
        }
    }

    /// The message that `entry` was made of, as it was recorded: one of the newest at the playhead.
    pub fn payload_of(&self, topic: TopicId, form: Form, entry: &Entry) -> Option<Bytes> {
        let found = self.newest(topic, self.now, SHOWN_BEHIND);
        let is_it = |m: &&At| matches!(self.entry(topic, form, **m), Lookup::Ready(found) if found.key == entry.key);
        let message = found.messages.iter().find(is_it)?;
        let kept = self.cell(message.key)?.kept(topic)?;
        Some(kept.messages.get(message.at as usize)?.payload.clone())
    }

    fn answer(&self, topic: TopicId, form: Form, found: &Found, message: Option<At>) -> Lookup<Entry> {
        match (&found.known, message) {
            (Known::Failed(error), _) => Lookup::Failed(error.clone()),
            (Known::Pending, _) => Lookup::Pending,
            (Known::Yes, None) => Lookup::Absent,
            (Known::Yes, Some(m)) => self.entry(topic, form, m),
        }
    }

    pub(super) fn entry(&self, topic: TopicId, form: Form, m: At) -> Lookup<Entry> {
        match self
            .cell(m.key)
            .and_then(|c| c.kept(topic))
            .and_then(|k| k.decoded.get(&(m.at, form)))
        {
            Some(Decoding::Ready { entry, .. }) => Lookup::Ready(entry.clone()),
            Some(Decoding::Failed(error)) => Lookup::Failed(error.clone()),
            Some(Decoding::InFlight(_)) | None => Lookup::Pending,
        }
    }

    /// Decoded messages of the trail, oldest first, and whether all are there.
    pub fn trail(&self, topic: TopicId, form: Form, window_nanos: i64) -> (Vec<Entry>, bool) {
        let found = self.within(topic, Span::new(self.now.plus_nanos(-window_nanos), self.now));
        let mut is_whole = !matches!(found.known, Known::Pending);
        let mut entries = Vec::with_capacity(found.messages.len());
        for m in &found.messages {
            match self.entry(topic, form, *m) {
                Lookup::Ready(entry) => entries.push(entry),
                Lookup::Pending => is_whole = false,
                Lookup::Absent | Lookup::Failed(_) => {}
            }
        }
        (entries, is_whole)
    }

    /// Markers alive at the playhead, each with when its message was received.
    pub fn markers(&self, topic: TopicId) -> Lookup<Arc<MarkerSet>> {
        self.folded(topic, |fold| fold.markers.clone(), |markers| markers.markers.is_empty())
    }

    /// Newest status of each part: by name and hardware.
    pub fn diagnostics(&self, topic: TopicId) -> Lookup<Arc<Vec<(Time, DiagnosticStatus)>>> {
        self.folded(topic, |fold| fold.diagnostics.clone(), |statuses| statuses.is_empty())
    }

    /// All that a diagnosed part said of itself, as far as it is loaded, before and after the playhead, in the order of the messages.
    pub fn each_diagnostic(&self, topic: TopicId, name: &str, hardware_id: &str, f: impl FnMut(Time, &DiagnosticStatus)) {
        if let Some(fold) = self.folds.get(&topic) {
            fold.each_status(name, hardware_id, f);
        }
    }

    /// Changes when [`Store::each_diagnostic`] gives something else.
    pub fn diagnostics_revision(&self, topic: TopicId) -> u64 {
        self.folds.get(&topic).map_or(0, |fold| fold.revision)
    }

    /// Absent where nothing was received yet; a set that became empty is an answer.
    fn folded<T>(&self, topic: TopicId, of: impl Fn(&super::fold::Fold) -> T, is_empty: impl Fn(&T) -> bool) -> Lookup<T> {
        let Some(needed) = self.plan.narrow.get(&topic) else {
            return Lookup::Pending;
        };
        match self.known(needed, Unit::Fold(topic)) {
            Known::Failed(error) => Lookup::Failed(error),
            Known::Pending => Lookup::Pending,
            Known::Yes => match self.folds.get(&topic) {
                Some(fold) if !(is_empty(&of(fold)) && fold.is_untouched(self.now)) => Lookup::Ready(of(fold)),
                _ => match self.topic(topic).and_then(|t| t.schema_error.clone()) {
                    Some(error) => Lookup::Failed(error),
                    None => Lookup::Absent,
                },
            },
        }
    }

    /// The map at the playhead, with all updates (map_msgs) of `<topic>_updates` applied.
    pub fn grid(&self, topic: TopicId) -> Lookup<Entry> {
        let found = self.newest(topic, self.now, 1);
        let map = found.messages.first().copied();
        let (base, map) = match (self.answer(topic, Form::Grid, &found, map), map) {
            (Lookup::Ready(base), Some(map)) => (base, map),
            (other, _) => return other,
        };
        let Some((updates, found)) = self.grid_updates(topic, map.time) else {
            return Lookup::Ready(base);
        };
        match found.known {
            Known::Failed(error) => return Lookup::Failed(error),
            Known::Pending => return Lookup::Pending,
            Known::Yes if found.messages.is_empty() => return Lookup::Ready(base),
            Known::Yes => {}
        }
        match self.grids.get(&topic).and_then(super::grid::Composition::done) {
            Some((parts, entry)) if parts.are(base.key, self.update_keys(updates, &found.messages).as_deref()) => {
                Lookup::Ready(entry.clone())
            }
            _ => Lookup::Pending,
        }
    }

    /// Transforms received at or before the playhead, of all transform topics. Always wanted once any panel wants one topic of
    /// [`Form::Transforms`]; the 3D panel wants all of them.
    pub fn transforms(&self) -> &Transforms {
        &self.transforms
    }

    /// Whether transforms that the playhead needs are still on their way.
    pub fn transforms_pending(&self) -> bool {
        self.plan.narrow.iter().any(|(topic, keys)| {
            let unit = Unit::Transforms(*topic);
            keys.iter()
                .any(|key| self.plan.wants(*key, unit) && matches!(self.state(*key, unit), None | Some(State::InFlight(_))))
        })
    }

    /// Why transforms could not be read.
    pub fn transforms_failure(&self) -> Option<Arc<str>> {
        let of_transforms = |unit: &Unit| matches!(unit, Unit::Transforms(_));
        let unit = self.failed.iter().map(|(_, unit)| *unit).find(of_transforms)?;
        self.unit_failure(unit)
    }

    /// Receive times of the messages before and after the playhead.
    pub fn neighbours(&self, topic: TopicId) -> Lookup<(Option<Time>, Option<Time>)> {
        let before = self.newest(topic, self.now.plus_nanos(-1), 1);
        let after = self.next_after(topic, self.now);
        match (before.known, after.known) {
            (Known::Failed(error), _) | (_, Known::Failed(error)) => Lookup::Failed(error),
            (Known::Pending, _) | (_, Known::Pending) => Lookup::Pending,
            (Known::Yes, Known::Yes) => Lookup::Ready((before.messages.first().map(|m| m.time), after.messages.first().map(|m| m.time))),
        }
    }

    pub(super) fn series_number(&self, topic: TopicId, path: &str, stamp: &Stamp) -> Option<u32> {
        let at = self
            .series
            .iter()
            .position(|s| s.topic == topic && s.stamp == *stamp && &*s.path == path)?;
        u32::try_from(at).ok()
    }

    /// What is loaded of a series; None until it was wanted once.
    pub fn series(&self, topic: TopicId, path: &str, stamp: &Stamp) -> Option<&Series> {
        self.series.get(self.series_number(topic, path, stamp)? as usize)
    }

    /// The span that plots and tracks of this topic should show: the whole recording where that is local or small or was
    /// allowed, otherwise a window around `now`. That is the playhead of the next `demand`: a jump asks for its window at once.
    pub fn series_span(&self, topic: TopicId, now: Time) -> Span {
        let whole = self.span.unwrap_or(Span::at(now));
        if self.is_whole(topic) {
            return whole;
        }
        let step = now.0.div_euclid(WINDOW_STEP_NANOS).saturating_mul(WINDOW_STEP_NANOS);
        let start = Time(step).plus_nanos(-WINDOW_NANOS);
        let end = Time(step).plus_nanos(WINDOW_STEP_NANOS + WINDOW_NANOS);
        Span::new(whole.clamp(start), whole.clamp(end))
    }

    /// Bytes still to be read for the whole recording of this topic; None where `series_span` is the whole already.
    pub fn whole_cost_bytes(&self, topic: TopicId) -> Option<u64> {
        if self.is_whole(topic) {
            return None;
        }
        let index = self.index.get(topic.0 as usize)?;
        Some(index.all.total_bytes() - index.wide_bytes)
    }

    /// The user asked for the whole recording of this topic.
    pub fn read_whole(&mut self, topic: TopicId) {
        self.allowed.insert(topic);
        self.dirty = true;
    }

    /// When the topic's first message has come, as far as the index tells: at the end of a chunk that holds some for sure; within a
    /// chunk that is a large part of the recording as soon as one of that many is to be expected.
    pub fn begun_by(&self, topic: TopicId) -> Option<Time> {
        let whole = self.span()?;
        let quarter = whole.at_fraction(0.25);
        let begun = |chunk: &TopicChunk| match chunk.span.end <= quarter {
            true => chunk.span.end,
            false => chunk.span.at_fraction(1.0 / chunk.count.max(1) as f64),
        };
        self.index.get(topic.0 as usize)?.all.chunks.iter().map(begun).min()
    }

    /// Lines of a log by level in equal parts of `span`, as far as a panel has them loaded.
    pub fn log_levels(&self, topic: TopicId, span: Span, buckets: usize) -> Vec<[f32; 5]> {
        let mut out = vec![[0.0; 5]; buckets];
        for block in self.rows(topic, Form::Log).into_iter().flat_map(|set| set.blocks()) {
            if let Some(rows) = block.rows.log() {
                rows.levels().add_to(rows, block.rows.times(), |_| true, span, &mut out);
            }
        }
        out
    }

    /// Spans of receive time in which this topic's messages or series are loaded.
    pub fn loaded(&self, topic: TopicId) -> Vec<Span> {
        self.index
            .get(topic.0 as usize)
            .map(|i| i.loaded.spans().to_vec())
            .unwrap_or_default()
    }

    pub fn status(&self) -> Status {
        let is_opening = |s: &super::SourceInfo| s.state == super::SourceState::Opening;
        let is_indexing = |s: &super::SourceInfo| matches!(s.state, super::SourceState::Indexing { .. });
        let opening = self.sources.iter().any(is_opening);
        let is_readable = |s: &super::SourceInfo| s.state == super::SourceState::Open || is_indexing(s);
        // One that does not answer does not stop the others.
        let nothing_yet = opening && !self.sources.iter().any(is_readable);
        let waiting_at_playhead = opening
            || self.plan.is_missing
            || self.plan.is_undecoded
            || self.is_shading()
            || self.is_composing()
            || self.is_cutting()
            || self.awaits_resources();
        let wide_is_due = self
            .jobs
            .iter()
            .any(|(unit, job)| !job.todo.is_empty() && !self.wide_is_full && !self.denied.contains(&self.topic_of(*unit)));
        Status {
            waiting_at_playhead,
            buffering: nothing_yet || self.plan.is_missing,
            waiting: waiting_at_playhead
                || wide_is_due
                || !self.reads.is_empty()
                || !self.undecoded.is_empty()
                || self.is_deriving()
                || self.is_analyzing()
                || self.is_figuring()
                || self.is_matching()
                || self.sources.iter().any(is_indexing),
            reads_in_flight: self.reads.len(),
            memory_used: self.memory_used(),
            memory_budget: self.budget,
            failures: self.failures.clone(),
        }
    }
}

//! All messages of a topic in one form, chunk by chunk, as far as they are loaded: logs, tracks.
//!
//! Invariant: a block stands for one chunk and never changes; blocks of overlapping chunks overlap in time.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cache::{State, Unit};
use super::coverage::Coverage;
use super::index::{ChunkKey, ChunkList, TopicChunk};
use super::{Store, TopicId, What};
use crate::decode::{Form, Rows};
use crate::time::{Span, Time};

/// A topic's messages in one form, as far as they are loaded.
pub struct RowSet {
    pub(super) topic: TopicId,
    pub(super) form: Form,
    blocks: BTreeMap<(Time, ChunkKey), Block>,
    coverage: Coverage,
    bytes: u64,
    messages: usize,
    failed: u64,
    next_key: u64,
    revision: u64,
}

/// The rows of one chunk.
#[derive(Clone, Debug)]
pub struct Block {
    /// Stands for these rows as long as they are loaded.
    pub key: u64,
    /// From the first message to the last; none where none was decoded.
    pub span: Option<Span>,
    pub len: usize,
    pub rows: Arc<Rows>,
}

impl RowSet {
    fn new(topic: TopicId, form: Form) -> RowSet {
        RowSet {
            topic,
            form,
            blocks: BTreeMap::new(),
            coverage: Coverage::default(),
            bytes: 0,
            messages: 0,
            failed: 0,
            next_key: 0,
            revision: 0,
        }
    }

    /// By the starts of their chunks; none is empty.
    pub fn blocks(&self) -> impl DoubleEndedIterator<Item = &Block> {
        self.blocks.values()
    }

    /// Changes when `blocks` do.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Number of messages that are loaded.
    pub fn len(&self) -> usize {
        self.messages
    }

    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Receive-time spans that are loaded.
    pub fn loaded(&self) -> &[Span] {
        self.coverage.spans()
    }

    /// Whether all that the recordings hold within `span` is loaded.
    pub fn is_complete(&self, span: Span) -> bool {
        self.coverage.is_complete(span)
    }

    /// How many messages could not be decoded, and why the first could not.
    pub fn failed(&self) -> Option<(u64, String)> {
        if self.failed == 0 {
            return None;
        }
        let error = self.blocks.values().find_map(|b| b.rows.first_error.as_ref())?;
        Some((self.failed, error.to_string()))
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes + self.coverage.bytes()
    }

    /// What is new, and what it replaces.
    pub(super) fn add(&mut self, start: Time, key: ChunkKey, ordinal: Option<usize>, list: &ChunkList, rows: Rows) -> [Option<Block>; 2] {
        if let Some(ordinal) = ordinal {
            self.coverage.add(ordinal, list);
        }
        if rows.is_empty() && rows.failed == 0 {
            return [None, None];
        }
        self.bytes += rows.bytes();
        self.messages += rows.len();
        self.failed += rows.failed;
        self.next_key += 1;
        self.revision += 1;
        let block = Block {
            key: self.next_key,
            span: rows
                .times()
                .first()
                .zip(rows.times().last())
                .map(|(first, last)| Span::new(*first, *last)),
            len: rows.len(),
            rows: Arc::new(rows),
        };
        let old = self.blocks.insert((start, key), block.clone());
        if let Some(old) = &old {
            self.subtract(&old.rows);
        }
        [Some(block), old]
    }

    pub(super) fn remove(&mut self, start: Time, key: ChunkKey) -> Option<Block> {
        let old = self.blocks.remove(&(start, key))?;
        self.subtract(&old.rows);
        self.revision += 1;
        Some(old)
    }

    fn subtract(&mut self, rows: &Rows) {
        self.bytes -= rows.bytes();
        self.messages -= rows.len();
        self.failed -= rows.failed;
    }

    /// The catalogue changed, or chunks were dropped.
    pub(super) fn set_chunks(&mut self, list: &ChunkList, is_loaded: impl FnMut(&TopicChunk) -> bool) {
        self.coverage = Coverage::of(list, is_loaded);
    }

    /// The loaded block whose chunk lies farthest from `t`, and how far.
    fn farthest(&self, t: Time) -> Option<(i64, ChunkKey)> {
        let ends = [self.blocks.first_key_value(), self.blocks.last_key_value()];
        ends.into_iter()
            .flatten()
            .map(|((start, key), _)| (start.since(t).saturating_abs(), *key))
            .max()
    }
}

impl Store {
    /// What is loaded of all messages of a topic in a form; None until it was wanted once. Wants [`What::Rows`].
    pub fn rows(&self, topic: TopicId, form: Form) -> Option<&RowSet> {
        self.row_sets.get(self.rows_number(topic, form)? as usize)
    }

    /// Why a part of these messages could not be read.
    pub fn rows_failure(&self, topic: TopicId, form: Form) -> Option<Arc<str>> {
        self.unit_failure(Unit::Rows(self.rows_number(topic, form)?))
    }

    pub(super) fn unit_failure(&self, unit: Unit) -> Option<Arc<str>> {
        let of = self.failed.iter().find(|(_, failed)| *failed == unit)?;
        match self.state(of.0, unit) {
            Some(State::Failed { error, .. }) => Some(error.clone()),
            _ => None,
        }
    }

    pub(super) fn rows_number(&self, topic: TopicId, form: Form) -> Option<u32> {
        let at = self.row_sets.iter().position(|r| r.topic == topic && r.form == form)?;
        u32::try_from(at).ok()
    }

    /// A number for each set of rows that is wanted for the first time.
    pub(super) fn add_row_sets(&mut self) {
        for want in &self.wants {
            let What::Rows { form, .. } = &want.what else { continue };
            if self.rows_number(want.topic, *form).is_none() {
                let mut rows = RowSet::new(want.topic, *form);
                rows.set_chunks(&self.index[want.topic.0 as usize].all, |_| false);
                self.row_sets.push(rows);
            }
        }
    }

    pub(super) fn take_rows(&mut self, key: ChunkKey, number: u32, rows: Option<Rows>) {
        let topic = self.topic_of(Unit::Rows(number));
        let (Some(start), ordinal) = (self.chunk_start(key), self.ordinal(topic, key)) else {
            return;
        };
        let list = &self.index[topic.0 as usize].all;
        if let Some(set) = self.row_sets.get_mut(number as usize)
            && let Some(rows) = rows.or_else(|| Rows::new(set.form))
        {
            let [new, old] = set.add(start, key, ordinal, list, rows);
            self.rows_changed(number, new, old);
        }
    }

    pub(super) fn drop_rows(&mut self, key: ChunkKey, number: u32) {
        let topic = self.topic_of(Unit::Rows(number));
        if let (Some(start), Some(set)) = (self.chunk_start(key), self.row_sets.get_mut(number as usize)) {
            let old = set.remove(start, key);
            self.rows_changed(number, None, old);
            self.unloaded.insert(topic);
        }
    }

    /// What is worked out of the rows follows them.
    fn rows_changed(&mut self, number: u32, new: Option<Block>, old: Option<Block>) {
        for pieces in self.pieces.iter_mut().filter(|pieces| pieces.is_of(number)) {
            old.iter().for_each(|block| pieces.remove(block));
            new.iter().for_each(|block| pieces.add(block));
        }
        self.match_blocks(number, new, old);
    }

    fn chunk_start(&self, key: ChunkKey) -> Option<Time> {
        let container = self.inner.get(key.source as usize)?.container.as_ref()?;
        Some(container.catalog().chunks.get(key.chunk as usize)?.span.start)
    }

    /// Makes room for rows nearer to the playhead than `nearest_nanos` by dropping one block that is farther. False: there is none.
    pub(super) fn drop_farther_rows(&mut self, nearest_nanos: i64) -> bool {
        let farthest = self.row_sets.iter().enumerate().filter_map(|(number, set)| {
            let (distance, key) = set.farthest(self.now)?;
            Some((distance, key, number as u32))
        });
        match farthest.max() {
            // not for a little: the playhead moves on
            Some((distance, key, number)) if distance / 2 > nearest_nanos => {
                self.unload(key, Unit::Rows(number));
                self.dirty = true;
                true
            }
            _ => false,
        }
    }
}

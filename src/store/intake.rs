//! What came of the work: catalogues, chunks, decoded messages, failures. Invariant: an event of work that was called off, or of a
//! chunk that is no longer known, changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cache::{Data, Decoding, Kept, State, Unit, decoded_bytes};
use super::fold::{Fold, Item};
use super::index::ChunkKey;
use super::issue::{Target, Undecoded};
use super::{ChunkContent, Entry, Event, Outcome, SourceId, Store, TopicId, WorkId};
use crate::decode::{DecodeError, Decoded, Form, Rows};
use crate::format::{ChunkId, Connection, ConnectionId, Message};
use crate::time::Time;

const MAX_FAILURES: usize = 20;

impl Store {
    pub fn apply(&mut self, event: Event) {
        self.dirty = true;
        match event {
            Event::Opened {
                source,
                container,
                done,
                done_fraction,
            } => self.opened(source, container, done, done_fraction),
            Event::OpenFailed { source, error } => self.open_failed(source, error),
            Event::ChunkRead {
                id,
                source,
                chunk,
                content,
            } => self.chunk_read(id, source, chunk, content),
            Event::LinkEnded { source, link } => self.link_ended(source, &link),
            Event::Renewed { source, result } => self.renewed(source, result),
            Event::ReadFailed { id, error, .. } => self.read_failed(id, error),
            Event::ReadDone { id } => self.read_failed(id, "the read ended without this part of the recording".into()),
            Event::Decoded { id, result } => self.decoded(id, result),
            Event::Computed { id, outcome } => self.computed(id, outcome),
            Event::Fetched { address, result } => self.fetched(&address, result),
        }
        self.evict();
    }

    /// What failed is known to the user.
    pub fn dismiss_failures(&mut self) {
        self.failures.clear();
    }

    fn computed(&mut self, id: WorkId, outcome: Option<Outcome>) {
        match outcome {
            Some(Outcome::Window(window)) => self.derived_window(id, window),
            Some(Outcome::Analysis(analyzed)) => self.analysis_done(id, Some(analyzed)),
            Some(Outcome::Figures(figures)) => self.figures_done(id, Some(figures)),
            Some(Outcome::Lines(examined)) => self.examined(id, examined),
            Some(Outcome::Pieces(pieces)) => self.pieces_done(id, Some(pieces)),
            Some(Outcome::Shade(shaded)) => self.shade_done(id, Some(shaded)),
            Some(Outcome::Grid(grid)) => self.grid_done(id, grid),
            None => self.computing_failed(id),
        }
    }

    /// What crashed comes to nothing.
    fn computing_failed(&mut self, id: WorkId) {
        self.derived_failed(id);
        self.analysis_done(id, None);
        self.figures_done(id, None);
        self.examined(id, Vec::new());
        self.pieces_done(id, None);
        self.shade_done(id, None);
        self.grid_done(id, None);
        self.fail("working out what a panel shows crashed, which is a bug worth reporting".into());
    }

    /// Newest first, each sentence once.
    pub(super) fn fail(&mut self, sentence: Arc<str>) {
        self.failures.retain(|f| *f != sentence);
        self.failures.insert(0, sentence);
        self.failures.truncate(MAX_FAILURES);
    }

    /// What had not come of a read will not come.
    fn read_failed(&mut self, id: WorkId, error: Arc<str>) {
        let Some(reading) = self.reads.remove(&id) else { return };
        if reading.chunks.is_empty() {
            return;
        }
        let through_former_link = self.inner.get(reading.source as usize).is_some_and(|inner| id <= inner.renewed);
        if through_former_link {
            return self.want_again(reading.source, reading.chunks);
        }
        for (chunk, awaited) in reading.chunks {
            let key = ChunkKey {
                source: reading.source,
                chunk,
            };
            for unit in awaited.units {
                let state = State::Failed {
                    error: error.clone(),
                    seek: self.seek,
                    at: self.now,
                };
                if let Some(cell) = self.cell_mut(key) {
                    cell.set(unit, state);
                    self.failed.insert((key, unit));
                }
            }
        }
        self.fail(error);
    }

    /// Failures are tried again after a seek, or when the playhead has moved on by more than five seconds.
    pub(super) fn retry_failed(&mut self) {
        let due: Vec<(ChunkKey, Unit)> = self
            .failed
            .iter()
            .filter(|(key, unit)| match self.state(*key, *unit) {
                Some(State::Failed { seek, at, .. }) => *seek != self.seek || self.now.since(*at).saturating_abs() > 5_000_000_000,
                _ => true,
            })
            .copied()
            .collect();
        self.forget_failures(due);
    }

    fn chunk_read(&mut self, id: WorkId, source: SourceId, chunk: ChunkId, content: ChunkContent) {
        let Some(awaited) = self.reads.get_mut(&id).and_then(|r| r.chunks.remove(&chunk)) else {
            return;
        };
        let key = ChunkKey { source, chunk };
        if self.cell(key).is_none() {
            return;
        }
        self.warn(source, content.warnings);
        self.take_times(key, content.times);
        let mut messages: BTreeMap<TopicId, Vec<Message>> = BTreeMap::new();
        for message in content.messages {
            if let Some(topic) = self.inner[source as usize].topics.get(message.connection as usize) {
                messages.entry(*topic).or_default().push(message);
            }
        }
        let mut series: BTreeMap<u32, Vec<(Time, f64)>> = BTreeMap::new();
        for (number, piece) in content.series {
            series.entry(number).or_default().extend(piece);
        }
        for (number, texts) in content.texts {
            if let Some(series) = self.series.get_mut(number as usize) {
                series.name(texts);
            }
        }
        let mut rows: BTreeMap<u32, Rows> = content.rows.into_iter().collect();
        for unit in awaited.units {
            // A catalogue that grew may have emptied the cell in the meantime.
            if !matches!(self.state(key, unit), Some(State::InFlight(of)) if *of == id) {
                continue;
            }
            match unit {
                Unit::Keep(topic) => self.keep(key, topic, messages.get(&topic).cloned().unwrap_or_default()),
                Unit::Fold(topic) => self.fold(key, topic, messages.get(&topic).cloned().unwrap_or_default()),
                Unit::Transforms(topic) => {
                    self.load(key, unit, Data::Transforms);
                    let of_topic = |c: &ConnectionId| self.inner[source as usize].topics.get(*c as usize) == Some(&topic);
                    let samples: Vec<_> = content.transforms.iter().filter(|(c, _, _)| of_topic(c)).collect();
                    for (connection, received, transform) in samples {
                        let is_static = self.is_latching(source, *connection);
                        self.transforms.add(topic, key, is_static, *received, transform);
                    }
                }
                Unit::Rows(number) => {
                    self.load(key, unit, Data::Rows);
                    self.take_rows(key, number, rows.remove(&number));
                }
                Unit::Series(number) => {
                    self.load(key, unit, Data::Series);
                    let topic = self.topic_of(unit);
                    let ordinal = self.ordinal(topic, key);
                    let piece = series.remove(&number).unwrap_or_default();
                    let list = &self.index[topic.0 as usize].all;
                    let touched = self.series.get_mut(number as usize).and_then(|s| s.add(key, ordinal, list, piece));
                    self.touch_derived(number, touched);
                }
            }
        }
    }

    fn is_latching(&self, source: SourceId, connection: ConnectionId) -> bool {
        let catalog = self.inner[source as usize].container.as_ref().map(|c| c.catalog());
        catalog
            .and_then(|c| c.connections.get(connection as usize))
            .is_some_and(Connection::is_latched)
    }

    fn keep(&mut self, key: ChunkKey, topic: TopicId, mut messages: Vec<Message>) {
        messages.sort_by_key(|m| m.time);
        if let Some(weight) = self.weights.get_mut(topic.0 as usize) {
            weight.0 += messages.iter().map(|m| m.payload.len() as u64 + 64).sum::<u64>();
            weight.1 += messages.len() as u64;
        }
        self.load(key, Unit::Keep(topic), Data::Keep(Kept::new(messages)));
    }

    fn fold(&mut self, key: ChunkKey, topic: TopicId, mut messages: Vec<Message>) {
        messages.sort_by_key(|m| m.time);
        let form = self.topic(topic).and_then(|t| t.form).unwrap_or(Form::Value);
        self.folds.entry(topic).or_insert_with(|| Fold::new(form));
        let mut undecoded = 0;
        for (at, message) in messages.into_iter().enumerate() {
            let schema = self.inner[key.source as usize].schemas.get(message.connection as usize);
            let Some(Ok(schema)) = schema else { continue };
            self.memory.undecoded += message.payload.len() as u64;
            undecoded += 1;
            self.fold_waiting.insert((key, topic, at as u32));
            self.undecoded.insert(
                (key, topic, at as u32),
                Undecoded {
                    time: message.time,
                    schema: schema.clone(),
                    form,
                    payload: message.payload,
                    work: None,
                },
            );
        }
        self.load(key, Unit::Fold(topic), Data::Fold { undecoded });
    }

    pub(super) fn forget_undecoded(&mut self, key: ChunkKey, topic: TopicId) {
        let gone: Vec<(ChunkKey, TopicId, u32)> = self
            .undecoded
            .range((key, topic, 0)..=(key, topic, u32::MAX))
            .map(|(k, _)| *k)
            .collect();
        for k in gone {
            self.fold_waiting.remove(&k);
            if let Some(undecoded) = self.undecoded.remove(&k) {
                self.memory.undecoded -= undecoded.payload.len() as u64;
                if let Some(id) = undecoded.work {
                    self.decodes.remove(&id);
                    self.queue.push(super::Work::Cancel(id));
                }
            }
        }
    }

    fn decoded(&mut self, id: WorkId, result: Result<Decoded, DecodeError>) {
        match self.decodes.remove(&id) {
            None => {}
            Some(Target::Fold(key, topic, at)) => self.decoded_fold((key, topic, at), result),
            Some(Target::Kept((key, topic, at, form))) => {
                let name = self.topic(topic).map(|t| t.name.clone()).unwrap_or_default();
                let used = self.frame;
                self.next_key += 1;
                let next_key = self.next_key;
                let mut failed = None;
                let mut added = 0;
                if let Some(kept) = self.cell_mut(key).and_then(|c| c.kept_mut(topic))
                    && let Some(time) = kept.messages.get(at as usize).map(|m| m.time)
                {
                    let decoding = match result {
                        Ok(decoded) => {
                            added = decoded_bytes(&decoded);
                            Decoding::Ready {
                                entry: Entry {
                                    time,
                                    key: next_key,
                                    decoded: Arc::new(decoded),
                                },
                                bytes: added,
                                used,
                            }
                        }
                        Err(error) => {
                            let sentence: Arc<str> = format!("{name}: {error}").into();
                            failed = Some(sentence.clone());
                            Decoding::Failed(sentence)
                        }
                    };
                    kept.decoded.insert((at, form), decoding);
                }
                self.memory.decoded += added;
                if let Some(sentence) = failed {
                    self.fail(sentence);
                }
            }
        }
    }

    fn decoded_fold(&mut self, of: (ChunkKey, TopicId, u32), result: Result<Decoded, DecodeError>) {
        let (key, topic, at) = of;
        let Some(undecoded) = self.undecoded.remove(&of) else { return };
        self.memory.undecoded -= undecoded.payload.len() as u64;
        if let Some(State::Loaded(Data::Fold { undecoded })) = self.cell_mut(key).and_then(|c| c.get_mut(Unit::Fold(topic))) {
            *undecoded = undecoded.saturating_sub(1);
        }
        match result.map(Item::new) {
            Ok(Some(item)) => {
                if let Some(fold) = self.folds.get_mut(&topic) {
                    fold.add((undecoded.time, key, at), item);
                }
            }
            Ok(None) => {}
            Err(error) => {
                let name = self.topic(topic).map(|t| t.name.clone()).unwrap_or_default();
                self.fail(format!("{name}: {error}").into());
            }
        }
    }
}

//! All open recordings as one list of topics: joins split parts, tells clashes apart by a prefix, keeps handles stable.
//!
//! Invariant: a [`TopicId`] once given stands for the same topic for good. Names depend on the order of the locations only,
//! not on which of them was read first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::cache::{Cell, State, Unit};
use super::index::{ChunkKey, ChunkList, Runs, TopicChunk};
use super::{SourceInfo, SourceState, Store, Topic, TopicId, Work};
use crate::decode::{Form, Schema, definitions};
use crate::format::{Catalog, ConnectionId, Container, Warning};
use crate::source::Location;
use crate::store::{SourceId, WorkId};
use crate::time::{Span, Time};

const MAX_WARNINGS: usize = 1000;

/// What the store knows of one opened location, besides its [`SourceInfo`].
#[derive(Default)]
pub(super) struct Source {
    pub container: Option<Arc<dyn Container>>,
    /// A catalogue that waits for the earlier locations' ones.
    held: Option<(Arc<dyn Container>, bool, f32)>,
    /// Recordings of one group are parts of one.
    group: Option<usize>,
    /// By connection.
    pub topics: Vec<TopicId>,
    pub schemas: Vec<Result<Arc<Schema>, Arc<str>>>,
    /// By chunk.
    pub cells: Vec<Cell>,
    read_warnings: Vec<Warning>,
    /// Reads up to this one went through a link that has been replaced: that they fail says nothing about the new one.
    pub renewed: WorkId,
}

/// One publisher's chunks.
pub(super) struct Publisher {
    /// What it published is still valid for who comes late: every message counts.
    pub latching: bool,
    pub list: ChunkList,
}

/// Where a topic's messages are.
#[derive(Default)]
pub(super) struct TopicIndex {
    pub all: ChunkList,
    pub publishers: Vec<Publisher>,
    /// Chunks of which anything of this topic is loaded.
    pub loaded: Runs,
    /// Bytes of the chunks of which a series or accumulated state of this topic is loaded.
    pub wide_bytes: u64,
    /// Bytes of all its chunks in remote recordings.
    pub remote_bytes: u64,
    group: usize,
}

impl Store {
    /// Adds recordings; topics of split parts join.
    pub fn open(&mut self, locations: Vec<Location>) {
        for location in locations {
            let source = self.sources.len() as SourceId;
            self.queue.push(Work::Open {
                source,
                location: location.clone(),
            });
            self.sources.push(SourceInfo {
                location,
                state: SourceState::Opening,
                link: super::LinkState::Works,
                size: 0,
                prefix: "".into(),
                warnings: Vec::new(),
            });
            self.inner.push(Source::default());
        }
    }

    /// Reads the catalogue of a recording anew, which has grown since.
    pub fn reopen(&mut self, source: SourceId) {
        if let Some(info) = self.sources.get(source as usize) {
            self.queue.push(Work::Open {
                source,
                location: info.location.clone(),
            });
        }
    }

    pub(super) fn opened(&mut self, source: SourceId, container: Arc<dyn Container>, done: bool, done_fraction: f32) {
        let Some(inner) = self.inner.get_mut(source as usize) else {
            return;
        };
        inner.held = Some((container, done, done_fraction));
        self.settle_catalogues();
    }

    pub(super) fn open_failed(&mut self, source: SourceId, error: Arc<str>) {
        let Some(info) = self.sources.get_mut(source as usize) else {
            return;
        };
        let sentence: Arc<str> = error.clone();
        info.state = SourceState::Failed(error);
        self.fail(sentence);
        self.settle_catalogues();
    }

    pub(super) fn warn(&mut self, source: SourceId, warnings: Vec<Warning>) {
        let (Some(inner), Some(info)) = (self.inner.get_mut(source as usize), self.sources.get_mut(source as usize)) else {
            return;
        };
        for warning in warnings {
            if info.warnings.len() < MAX_WARNINGS && !info.warnings.contains(&warning) {
                inner.read_warnings.push(warning.clone());
                info.warnings.push(warning);
            }
        }
    }

    /// Takes catalogues in the order of the locations: a later one waits until all earlier ones are known or failed.
    fn settle_catalogues(&mut self) {
        let mut changed = false;
        for source in 0..self.inner.len() {
            if let Some((container, done, done_fraction)) = self.inner[source].held.take() {
                self.take_catalogue(source, container, done, done_fraction);
                self.place_untimed();
                changed = true;
            }
            let known = self.inner[source].group.is_some() || self.sources[source].state == SourceState::Open;
            if !known && !matches!(self.sources[source].state, SourceState::Failed(_)) {
                break;
            }
        }
        if changed {
            self.rebuild_index();
        }
    }

    /// What has an order and no times starts with what is recorded beside it.
    fn place_untimed(&mut self) {
        let containers = || self.inner.iter().filter_map(|inner| inner.container.as_ref());
        let timed = containers().filter(|c| c.placed(Time::MAX).is_none());
        let Some(start) = timed.filter_map(|c| c.catalog().span()).map(|s| s.start).min() else {
            return;
        };
        for source in 0..self.inner.len() {
            let placed = self.inner[source].container.as_ref().and_then(|c| c.placed(start));
            if let Some(placed) = placed {
                let done_fraction = match self.sources[source].state {
                    SourceState::Indexing { done_fraction } => Some(done_fraction),
                    _ => None,
                };
                self.take_catalogue(source, placed, done_fraction.is_none(), done_fraction.unwrap_or(1.0));
            }
        }
    }

    fn take_catalogue(&mut self, source: usize, container: Arc<dyn Container>, done: bool, done_fraction: f32) {
        let catalog = container.catalog();
        let info = &mut self.sources[source];
        info.state = if done {
            SourceState::Open
        } else {
            SourceState::Indexing { done_fraction }
        };
        info.size = catalog.size;
        info.warnings = catalog.warnings.iter().take(MAX_WARNINGS).cloned().collect();
        info.warnings.extend(self.inner[source].read_warnings.iter().cloned());
        if self.inner[source].group.is_none() && !catalog.connections.is_empty() && (catalog.span().is_some() || done) {
            self.inner[source].group = Some(self.group_of(source, catalog));
        }
        self.keep_cells(source, catalog);
        if let Some(group) = self.inner[source].group {
            for at in self.inner[source].topics.len()..catalog.connections.len() {
                self.add_connection(source, group, catalog, at);
            }
        }
        self.inner[source].container = Some(container);
    }

    /// Cells of chunks that a grown catalogue describes anew are emptied.
    fn keep_cells(&mut self, source: usize, catalog: &Catalog) {
        let old = self.inner[source].container.clone();
        let changed = |at: usize| {
            let Some(was) = old.as_ref().and_then(|o| o.catalog().chunks.get(at)) else {
                return false;
            };
            catalog
                .chunks
                .get(at)
                .is_none_or(|is| is.range != was.range || is.counts != was.counts || is.span != was.span)
        };
        for at in 0..self.inner[source].cells.len() {
            if changed(at) {
                let key = ChunkKey {
                    source: source as SourceId,
                    chunk: at as u32,
                };
                self.drop_cell(key);
            }
        }
        self.inner[source].cells.resize_with(catalog.chunks.len(), Cell::default);
    }

    /// The group of recordings that `source` is a part of.
    fn group_of(&mut self, source: usize, catalog: &Catalog) -> usize {
        let (base, _) = part_of(&stem(&self.sources[source].location));
        for group in 0..self.groups {
            let members: Vec<usize> = (0..self.inner.len()).filter(|m| self.inner[*m].group == Some(group)).collect();
            let apart = |m: &usize| {
                let other = self.inner[*m].container.as_ref().and_then(|c| c.catalog().span());
                match (catalog.span(), other) {
                    (Some(a), Some(b)) => overlap_fraction(a, b),
                    _ => 0.0,
                }
            };
            let named_alike = members
                .iter()
                .any(|m| base.is_some() && part_of(&stem(&self.sources[*m].location)).0 == base);
            // Parts of one recording may touch; two recordings of the same minutes are not parts.
            let limit = if named_alike { 0.5 } else { 0.0 };
            if members.iter().all(|m| apart(m) <= limit) {
                return group;
            }
        }
        self.groups += 1;
        self.groups - 1
    }

    fn add_connection(&mut self, source: usize, group: usize, catalog: &Catalog, at: usize) {
        let connection = &catalog.connections[at];
        let schema = self.schema(&connection.type_name, &connection.definition, &connection.md5);
        let same = self.topics.iter().find(|t| {
            let at = t.id.0 as usize;
            self.index[at].group == group && self.identities[at].matches(connection)
        });
        let id = match same {
            Some(topic) => topic.id,
            None => self.add_topic(source, group, connection, &schema),
        };
        let inner = &mut self.inner[source];
        inner.topics.push(id);
        inner.schemas.push(schema);
    }

    fn add_topic(
        &mut self,
        source: usize,
        group: usize,
        connection: &crate::format::Connection,
        schema: &Result<Arc<Schema>, Arc<str>>,
    ) -> TopicId {
        let taken = |store: &Store, name: &str| store.topics.iter().any(|t| &*t.name == name);
        let mut name = connection.topic.clone();
        if taken(self, &name) {
            let prefix = self.prefix(source);
            let rest = connection.topic.trim_start_matches('/');
            name = format!("{prefix}/{rest}").into();
            let mut number = 2;
            while taken(self, &name) {
                name = format!("{prefix}_{number}/{rest}").into();
                number += 1;
            }
        }
        let id = TopicId(self.index.len() as u32);
        self.index.push(TopicIndex {
            group,
            ..TopicIndex::default()
        });
        self.weights.push((0, 0));
        self.identities.push(Identity {
            topic: connection.topic.clone(),
            type_name: connection.type_name.clone(),
            md5: connection.md5.clone(),
        });
        self.topics.push(Topic {
            id,
            name,
            type_name: connection.type_name.clone(),
            schema: schema.as_ref().ok().cloned(),
            schema_error: schema.as_ref().err().cloned(),
            form: schema.as_ref().ok().and_then(|s| s.form()),
            messages: 0,
            connections: 0,
            latching: false,
            span: None,
        });
        id
    }

    /// `/<file stem>`, told apart from other recordings' prefixes.
    fn prefix(&mut self, source: usize) -> Arc<str> {
        if self.sources[source].prefix.is_empty() {
            let stem = stem(&self.sources[source].location);
            let mut prefix = format!("/{stem}");
            let mut number = 2;
            while self.sources.iter().any(|s| *s.prefix == prefix) {
                prefix = format!("/{stem}_{number}");
                number += 1;
            }
            self.sources[source].prefix = prefix.into();
        }
        self.sources[source].prefix.clone()
    }

    fn schema(&mut self, type_name: &Arc<str>, definition: &Arc<str>, md5: &Arc<str>) -> Result<Arc<Schema>, Arc<str>> {
        // without a definition the version decides
        let text = if definition.trim().is_empty() { md5 } else { definition };
        let key = (type_name.clone(), text.clone());
        if let Some(known) = self.schemas.get(&key) {
            return known.clone();
        }
        let schema = definitions()
            .schema(type_name, definition, md5)
            .map(Arc::new)
            .map_err(|e| e.to_string().into());
        self.schemas.insert(key, schema.clone());
        schema
    }

    /// Chunk lists by topic and publisher, from all catalogues.
    fn rebuild_index(&mut self) {
        let mut by_topic: BTreeMap<TopicId, Vec<TopicChunk>> = BTreeMap::new();
        let mut by_publisher: BTreeMap<(SourceId, ConnectionId), Vec<TopicChunk>> = BTreeMap::new();
        let mut span: Option<Span> = None;
        for (source, inner) in self.inner.iter().enumerate() {
            let Some(container) = &inner.container else { continue };
            for (chunk, info) in container.catalog().chunks.iter().enumerate() {
                let key = ChunkKey {
                    source: source as SourceId,
                    chunk: chunk as u32,
                };
                let bytes = info.range.end.saturating_sub(info.range.start);
                let mut counts: BTreeMap<TopicId, u64> = BTreeMap::new();
                for (connection, count) in info.counts.iter().filter(|c| c.1 > 0) {
                    let Some(topic) = inner.topics.get(*connection as usize) else {
                        continue;
                    };
                    *counts.entry(*topic).or_default() += u64::from(*count);
                    by_publisher.entry((key.source, *connection)).or_default().push(TopicChunk {
                        span: info.span,
                        key,
                        count: u64::from(*count),
                        bytes,
                    });
                }
                if !counts.is_empty() {
                    span = Some(span.map_or(info.span, |s| s.union(info.span)));
                }
                for (topic, count) in counts {
                    by_topic.entry(topic).or_default().push(TopicChunk {
                        span: info.span,
                        key,
                        count,
                        bytes,
                    });
                }
            }
        }
        self.span = span;
        for index in &mut self.index {
            index.all = ChunkList::default();
            index.publishers.clear();
        }
        for (topic, chunks) in by_topic {
            let remote = chunks.iter().filter(|c| self.is_remote(c.key.source));
            let remote_bytes = remote.map(|c| c.bytes).sum();
            let index = &mut self.index[topic.0 as usize];
            index.remote_bytes = remote_bytes;
            index.all = ChunkList::new(chunks);
        }
        self.rebuild_publishers(by_publisher);
        self.describe_topics();
        self.rebuild_loaded();
        self.catalog_revision += 1;
        self.dirty = true;
    }

    fn rebuild_publishers(&mut self, mut by_publisher: BTreeMap<(SourceId, ConnectionId), Vec<TopicChunk>>) {
        for (source, inner) in self.inner.iter().enumerate() {
            let Some(container) = &inner.container else { continue };
            for (connection, (info, topic)) in container.catalog().connections.iter().zip(&inner.topics).enumerate() {
                let key = (source as SourceId, connection as ConnectionId);
                self.index[topic.0 as usize].publishers.push(Publisher {
                    latching: info.latching || info.topic.ends_with("tf_static"),
                    list: ChunkList::new(by_publisher.remove(&key).unwrap_or_default()),
                });
            }
        }
    }

    fn describe_topics(&mut self) {
        for topic in &mut self.topics {
            let index = &self.index[topic.id.0 as usize];
            topic.messages = index.all.chunks.iter().map(|c| c.count).sum();
            topic.span = index.all.span();
            topic.connections = index.publishers.len();
            topic.latching = index.publishers.iter().any(|p| p.latching);
        }
        self.topics.sort_by(|a, b| a.name.cmp(&b.name).then(a.id.cmp(&b.id)));
        self.positions = vec![0; self.index.len()];
        for (position, topic) in self.topics.iter().enumerate() {
            self.positions[topic.id.0 as usize] = position;
        }
    }

    fn rebuild_loaded(&mut self) {
        let inner = &self.inner;
        let wide_topics = self.wide_topics();
        for (topic, index) in self.index.iter_mut().enumerate() {
            let id = TopicId(topic as u32);
            let all = std::mem::take(&mut index.all);
            index.loaded = Runs::of(&all, |c| {
                has_topic(&inner[c.key.source as usize].cells[c.key.chunk as usize], id, &wide_topics)
            });
            let wide = all.chunks.iter().filter(|c| {
                let cell = &inner[c.key.source as usize].cells[c.key.chunk as usize];
                has_wide(cell, id, &wide_topics)
            });
            index.wide_bytes = wide.map(|c| c.bytes).sum();
            index.all = all;
        }
        for (number, series) in self.series.iter_mut().enumerate() {
            let unit = Unit::Series(number as u32);
            let list = &self.index[series.topic.0 as usize].all;
            series.set_chunks(list, |c| {
                inner[c.key.source as usize].cells[c.key.chunk as usize]
                    .get(unit)
                    .is_some_and(State::is_loaded)
            });
        }
        for (number, rows) in self.row_sets.iter_mut().enumerate() {
            let unit = Unit::Rows(number as u32);
            let list = &self.index[rows.topic.0 as usize].all;
            rows.set_chunks(list, |c| {
                inner[c.key.source as usize].cells[c.key.chunk as usize]
                    .get(unit)
                    .is_some_and(State::is_loaded)
            });
        }
    }

    /// Topics of the series, and of the sets of rows, by number.
    pub(super) fn wide_topics(&self) -> WideTopics {
        [
            self.series.iter().map(|s| s.topic).collect(),
            self.row_sets.iter().map(|r| r.topic).collect(),
        ]
    }

    /// Topics of transforms that can be decoded, by handle.
    pub(super) fn transform_topics(&self) -> BTreeSet<TopicId> {
        self.topics
            .iter()
            .filter(|t| t.form == Some(Form::Transforms))
            .map(|t| t.id)
            .collect()
    }
}

/// Topics of the series, and of the sets of rows, by number.
pub(super) type WideTopics = [Vec<TopicId>; 2];

/// Whether anything of `topic` is loaded in this cell.
pub(super) fn has_topic(cell: &Cell, topic: TopicId, wide_topics: &WideTopics) -> bool {
    loaded_of(cell, topic, wide_topics).next().is_some()
}

/// Whether a series or accumulated state of `topic` is loaded in this cell.
pub(super) fn has_wide(cell: &Cell, topic: TopicId, wide_topics: &WideTopics) -> bool {
    loaded_of(cell, topic, wide_topics).any(|unit| unit.is_wide())
}

fn loaded_of(cell: &Cell, topic: TopicId, [series, rows]: &WideTopics) -> impl Iterator<Item = Unit> {
    let of = move |unit: Unit| match unit {
        Unit::Keep(t) | Unit::Fold(t) | Unit::Transforms(t) => Some(t),
        Unit::Series(s) => series.get(s as usize).copied(),
        Unit::Rows(r) => rows.get(r as usize).copied(),
    };
    let loaded = cell.units.iter().filter(|(_, state)| state.is_loaded()).map(|(unit, _)| *unit);
    loaded.filter(move |unit| of(*unit) == Some(topic))
}

/// What makes two connections one topic.
pub(super) struct Identity {
    topic: Arc<str>,
    type_name: Arc<str>,
    md5: Arc<str>,
}

impl Identity {
    fn matches(&self, connection: &crate::format::Connection) -> bool {
        self.topic == connection.topic && self.type_name == connection.type_name && self.md5 == connection.md5
    }
}

fn stem(location: &Location) -> String {
    let name = location.name();
    let name = name.strip_suffix(".active").unwrap_or(&name);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned()
}

/// `drive_2020-09-13-12-26-40_3` is part 3 of `drive`: rosbag's `--split` numbers the parts, each with its own date.
fn part_of(stem: &str) -> (Option<String>, Option<u64>) {
    let Some((rest, number)) = stem.rsplit_once('_') else {
        return (None, None);
    };
    let Ok(number) = number.parse::<u64>() else {
        return (None, None);
    };
    let is_date = |s: &str| {
        s.len() == 19
            && s.bytes().enumerate().all(|(i, b)| {
                if matches!(i, 4 | 7 | 10 | 13 | 16) {
                    b == b'-'
                } else {
                    b.is_ascii_digit()
                }
            })
    };
    let base = match rest.rsplit_once('_') {
        Some((base, date)) if is_date(date) => base,
        None if is_date(rest) => "",
        _ => rest,
    };
    (Some(base.to_owned()), Some(number))
}

/// How much of the shorter span lies in the other.
fn overlap_fraction(a: Span, b: Span) -> f64 {
    if !a.overlaps(b) {
        return 0.0;
    }
    let common = a.end.min(b.end).since(a.start.max(b.start)) as f64;
    let shorter = a.nanos().min(b.nanos()) as f64;
    if shorter > 0.0 { common / shorter } else { 1.0 }
}

//! All open recordings as one list of topics: joins split parts, tells clashes apart by a prefix, keeps handles stable.
//!
//! Invariant: a [`TopicId`] once given stands for the same topic for good. Names depend on the order of the locations only,
//! not on which of them was read first; so one may change when an earlier location is read at last.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::cache::{Cell, State, Unit};
use super::index::{ChunkKey, ChunkList, Runs, TopicChunk};
use super::{SourceInfo, SourceState, Store, Times, Topic, TopicId, Work};
use crate::decode::{Form, Schema, definitions};
use crate::format::table::segment;
use crate::format::{Catalog, Container, Warning, shifted};
use crate::source::{Location, record_of};
use crate::store::{Choice, SourceId, WorkId};
use crate::time::{Span, Time};

const MAX_WARNINGS: usize = 1000;

/// What the store knows of one opened location, besides its [`SourceInfo`].
#[derive(Default)]
pub(super) struct Source {
    choice: Choice,
    pub container: Option<Arc<dyn Container>>,
    /// The same as it was opened: at its own times.
    opened: Option<Arc<dyn Container>>,
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
    /// When its messages came, as far as chunks were read.
    pub times: Times,
    /// Changes with `times`.
    pub times_revision: u64,
    /// First to last message of the recordings that know it, with all their parts.
    pub recorded: Option<Span>,
    group: usize,
}

impl Store {
    /// Adds recordings; topics of split parts join.
    pub fn open(&mut self, locations: Vec<Location>) {
        let first = self.sources.len();
        self.add(locations, false);
        // all that are opened together know of each other
        for source in first..self.sources.len() {
            self.queue_open(source);
        }
    }

    /// The same of a location at which recordings lie that are opened each for itself: only its tables.
    pub fn open_tables(&mut self, location: Location) {
        let source = self.sources.len();
        self.add(vec![location], true);
        self.queue_open(source);
    }

    fn queue_open(&mut self, source: usize) {
        let others = self.sources.iter().enumerate().filter(|(other, _)| *other != source);
        let beside = others.map(|(_, info)| record_of(&info.location.name()).to_owned()).collect();
        if let (Some(info), Some(inner)) = (self.sources.get(source), self.inner.get_mut(source)) {
            inner.choice.beside = beside;
            self.queue.push(Work::Open {
                source: source as SourceId,
                location: info.location.clone(),
                choice: inner.choice.clone(),
            });
        }
    }

    fn add(&mut self, locations: Vec<Location>, only_tables: bool) {
        for location in locations {
            self.sources.push(SourceInfo {
                location,
                state: SourceState::Opening,
                link: super::LinkState::Works,
                size: 0,
                prefix: "".into(),
                shift_nanos: 0,
                bags: BTreeSet::new(),
                warnings: Vec::new(),
            });
            let choice = Choice {
                only_tables,
                ..Choice::default()
            };
            self.inner.push(Source {
                choice,
                ..Source::default()
            });
        }
    }

    /// Reads the catalogue of a recording anew, which has grown since.
    pub fn reopen(&mut self, source: SourceId) {
        if let (Some(info), Some(inner)) = (self.sources.get(source as usize), self.inner.get(source as usize)) {
            self.queue.push(Work::Open {
                source,
                location: info.location.clone(),
                choice: inner.choice.clone(),
            });
        }
    }

    pub(super) fn opened(&mut self, source: SourceId, container: Arc<dyn Container>, done: bool, done_fraction: f32) {
        if self.inner.get(source as usize).is_some() {
            self.take_catalogue(source as usize, container, done, done_fraction);
            self.place_untimed();
            self.rebuild_index();
        }
    }

    pub(super) fn open_failed(&mut self, source: SourceId, error: Arc<str>) {
        let Some(info) = self.sources.get_mut(source as usize) else {
            return;
        };
        let sentence: Arc<str> = error.clone();
        info.state = SourceState::Failed(error);
        self.fail(sentence);
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

    /// What has an order and no times starts with what is recorded beside it.
    fn place_untimed(&mut self) {
        let is_timed = |inner: &&Source| inner.opened.as_ref().is_some_and(|c| c.placed(Time::MAX).is_none());
        let timed = self.inner.iter().filter(is_timed).filter_map(|inner| inner.container.as_ref());
        let Some(start) = timed.filter_map(|c| c.catalog().span()).map(|s| s.start).min() else {
            return;
        };
        for source in 0..self.inner.len() {
            let placed = self.inner[source].opened.as_ref().and_then(|c| c.placed(start));
            if let Some(placed) = placed {
                self.take_again(source, placed);
            }
        }
    }

    /// Another look at what was opened before.
    fn take_again(&mut self, source: usize, container: Arc<dyn Container>) {
        let (done, done_fraction) = match self.sources[source].state {
            SourceState::Indexing { done_fraction } => (false, done_fraction),
            _ => (true, 1.0),
        };
        self.take_catalogue(source, container, done, done_fraction);
    }

    /// All that was received of a recording was received so much later: for logs whose clock was off.
    pub fn shift_times(&mut self, source: SourceId, nanos: i64) {
        let Some(info) = self.sources.get_mut(source as usize).filter(|info| info.shift_nanos != nanos) else {
            return;
        };
        info.shift_nanos = nanos;
        if let Some(opened) = self.inner.get(source as usize).and_then(|inner| inner.opened.clone()) {
            self.take_again(source as usize, opened);
            self.place_untimed();
            self.rebuild_index();
            self.evict();
        }
    }

    fn take_catalogue(&mut self, source: usize, opened: Arc<dyn Container>, done: bool, done_fraction: f32) {
        let info = &mut self.sources[source];
        self.inner[source].opened = Some(opened.clone());
        let container = shifted(opened, info.shift_nanos);
        let catalog = container.catalog();
        info.state = if done {
            SourceState::Open
        } else {
            SourceState::Indexing { done_fraction }
        };
        info.size = catalog.size;
        info.bags = catalog.connections.iter().filter_map(|connection| connection.bag.clone()).collect();
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
                let span = old.as_ref().and_then(|o| o.catalog().chunks.get(at)).map(|chunk| chunk.span);
                self.forget_times(key, span);
            }
        }
        self.inner[source].cells.resize_with(catalog.chunks.len(), Cell::default);
    }

    /// The group of recordings that `source` is a part of: the one with parts of the same name, or one of other times.
    fn group_of(&mut self, source: usize, catalog: &Catalog) -> usize {
        let part = Part::of(&self.sources[source].location);
        let span = catalog.span();
        let fitting = (0..self.groups).filter_map(|group| {
            let members = (0..self.inner.len()).filter(|m| self.inner[*m].group == Some(group));
            let mut is_named_alike = false;
            let mut all_fit = members.map(|m| {
                let alike = part.is_alike(&Part::of(&self.sources[m].location));
                is_named_alike |= alike;
                let other = self.inner[m].container.as_ref().and_then(|c| c.catalog().span());
                span.zip(other).is_none_or(|(a, b)| may_be_parts(a, b, alike))
            });
            all_fit.all(|fits| fits).then_some((!is_named_alike, group))
        });
        if let Some((_, group)) = fitting.min() {
            return group;
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
            None => self.add_topic(group, connection, &schema),
        };
        let inner = &mut self.inner[source];
        inner.topics.push(id);
        inner.schemas.push(schema);
    }

    fn add_topic(&mut self, group: usize, connection: &crate::format::Connection, schema: &Result<Arc<Schema>, Arc<str>>) -> TopicId {
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
            name: connection.topic.clone(),
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

    /// Names topics: as recorded, or behind their recording's prefix (`/<file stem>`) where an earlier location has that name.
    fn name_topics(&mut self) {
        let mut names: Vec<Option<Arc<str>>> = vec![None; self.index.len()];
        let (mut taken, mut prefixes) = (BTreeSet::<Arc<str>>::new(), BTreeSet::new());
        for (source, inner) in self.sources.iter_mut().zip(&self.inner) {
            source.prefix = "".into();
            let connections = inner.container.iter().flat_map(|container| &container.catalog().connections);
            for (TopicId(id), connection) in inner.topics.iter().zip(connections) {
                let slot = &mut names[*id as usize];
                if slot.is_some() {
                    continue;
                }
                let mut name = self.identities[*id as usize].topic.clone();
                if taken.contains(&name)
                    && let Some(bag) = &connection.bag
                {
                    // beside its bag: under that one's name, as where it lies among tables of other bags
                    let rest = format!("/{}", name.trim_start_matches('/'));
                    name = free_name(&format!("/{}", segment(bag)), &rest, &taken);
                } else if taken.contains(&name) {
                    if source.prefix.is_empty() {
                        source.prefix = free_name(&format!("/{}", stem(&source.location)), "", &prefixes);
                        prefixes.insert(source.prefix.clone());
                    }
                    let rest = format!("/{}", name.trim_start_matches('/'));
                    name = free_name(&source.prefix, &rest, &taken);
                }
                taken.insert(name.clone());
                *slot = Some(name);
            }
        }
        for topic in &mut self.topics {
            if let Some(name) = names[topic.id.0 as usize].take() {
                topic.name = name;
            }
        }
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
        let mut by_topic: Vec<Vec<TopicChunk>> = self.index.iter().map(|_| Vec::new()).collect();
        let mut by_publisher: Vec<Vec<Vec<TopicChunk>>> = Vec::with_capacity(self.inner.len());
        let mut span: Option<Span> = None;
        for (source, inner) in (0..).zip(&self.inner) {
            let mut of_source = vec![Vec::new(); inner.topics.len()];
            let chunks = inner.container.iter().flat_map(|container| &container.catalog().chunks);
            for (chunk, info) in (0..).zip(chunks) {
                let key = ChunkKey { source, chunk };
                for (connection, count) in info.counts.iter().filter(|c| c.1 > 0) {
                    let at = *connection as usize;
                    let (Some(topic), Some(of_publisher)) = (inner.topics.get(at), of_source.get_mut(at)) else {
                        continue;
                    };
                    let part = TopicChunk {
                        span: info.span,
                        key,
                        count: u64::from(*count),
                        bytes: info.range.end.saturating_sub(info.range.start),
                    };
                    span = Some(span.map_or(info.span, |s| s.union(info.span)));
                    of_publisher.push(part);
                    match by_topic[topic.0 as usize].last_mut().filter(|last| last.key == key) {
                        Some(last) => last.count += part.count,
                        None => by_topic[topic.0 as usize].push(part),
                    }
                }
            }
            by_publisher.push(of_source);
        }
        self.span = span;
        for (topic, chunks) in by_topic.into_iter().enumerate() {
            let remote = chunks.iter().filter(|c| self.is_remote(c.key.source));
            let remote_bytes = remote.map(|c| c.bytes).sum();
            let index = &mut self.index[topic];
            index.remote_bytes = remote_bytes;
            index.all = ChunkList::new(chunks);
            index.publishers.clear();
        }
        self.rebuild_publishers(by_publisher);
        self.rebuild_recorded();
        self.name_topics();
        self.describe_topics();
        self.rebuild_loaded();
        self.catalog_revision += 1;
        self.dirty = true;
    }

    fn rebuild_publishers(&mut self, by_publisher: Vec<Vec<Vec<TopicChunk>>>) {
        for (inner, of_source) in self.inner.iter().zip(by_publisher) {
            let connections = inner.container.iter().flat_map(|container| &container.catalog().connections);
            for ((info, topic), chunks) in connections.zip(&inner.topics).zip(of_source) {
                self.index[topic.0 as usize].publishers.push(Publisher {
                    latching: info.is_latched(),
                    list: ChunkList::new(chunks),
                });
            }
        }
    }

    fn rebuild_recorded(&mut self) {
        let mut of_parts: BTreeMap<(Option<usize>, String, String), Span> = BTreeMap::new();
        let mut spans = Vec::with_capacity(self.inner.len());
        for (info, inner) in self.sources.iter().zip(&self.inner) {
            let span = inner.container.as_ref().and_then(|c| c.catalog().span());
            let part = Some(Part::of(&info.location)).filter(|part| part.number.is_some());
            let key = part.map(|part| (inner.group, part.folder, part.base));
            if let (Some(key), Some(span)) = (&key, span) {
                of_parts.entry(key.clone()).and_modify(|all| *all = all.union(span)).or_insert(span);
            }
            spans.push((key, span));
        }
        for index in &mut self.index {
            index.recorded = None;
        }
        for (inner, (key, span)) in self.inner.iter().zip(spans) {
            let span = key.and_then(|key| of_parts.get(&key).copied()).or(span);
            for topic in &inner.topics {
                if let (Some(index), Some(span)) = (self.index.get_mut(topic.0 as usize), span) {
                    index.recorded = Some(index.recorded.map_or(span, |all| all.union(span)));
                }
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

/// `<base><rest>` or, where that is taken, `<base>_2<rest>` and so on.
fn free_name(base: &str, rest: &str, taken: &BTreeSet<Arc<str>>) -> Arc<str> {
    let numbered = (2..).map(|number| format!("{base}_{number}{rest}"));
    let mut names = std::iter::once(format!("{base}{rest}")).chain(numbered);
    let free = names.find(|name| !taken.contains(&**name));
    free.unwrap_or_default().into()
}

/// What a location's name says of a part of a split recording: `drive_2020-09-13-12-26-40_3` is part 3 of `drive` (rosbag's `--split`
/// numbers the parts, each with its own date).
struct Part {
    folder: String,
    base: String,
    number: Option<u64>,
}

impl Part {
    fn of(location: &Location) -> Part {
        let stem = stem(location);
        let numbered = stem.rsplit_once('_').and_then(|(rest, number)| Some((rest, number.parse().ok()?)));
        let (rest, number) = match numbered {
            Some((rest, number)) => (rest, Some(number)),
            None => (&*stem, None),
        };
        let base = match rest.rsplit_once('_') {
            Some((base, date)) if is_date(date) => base,
            None if is_date(rest) => "",
            _ => rest,
        };
        // as it is printed: what a query says of a place does not count
        let place = location.to_string();
        let place = place.split('?').next().unwrap_or_default();
        Part {
            folder: place.rsplit_once(['/', '\\']).map_or("", |(folder, _)| folder).to_owned(),
            base: base.to_owned(),
            number,
        }
    }

    fn is_alike(&self, other: &Part) -> bool {
        let both_numbered = self.number.is_some() && other.number.is_some();
        both_numbered && self.number != other.number && self.base == other.base && self.folder == other.folder
    }
}

fn is_date(text: &str) -> bool {
    let fits = |(i, b): (usize, u8)| match i {
        4 | 7 | 10 | 13 | 16 => b == b'-',
        _ => b.is_ascii_digit(),
    };
    text.len() == 19 && text.bytes().enumerate().all(fits)
}

/// Parts of one recording overlap little; two recordings of the same minutes are not parts of one.
fn may_be_parts(a: Span, b: Span, named_alike: bool) -> bool {
    /// A last part may be shorter than what the one before it holds back.
    const MOST_HELD_BACK_NANOS: i64 = 2_000_000_000;
    let common = a.end.min(b.end).since(a.start.max(b.start));
    let (shorter, longer) = (a.nanos().min(b.nanos()), a.nanos().max(b.nanos()));
    match named_alike {
        true if shorter < longer / 2 => common <= MOST_HELD_BACK_NANOS.max(shorter / 2),
        true => common <= shorter / 2,
        false => a.end <= b.start || b.end <= a.start,
    }
}

//! What is loaded, what is wanted, what to fetch next, what to evict; transforms, accumulated state, playback.
//!
//! Sans-IO and deterministic: [`Store::demand`] takes what the panels want, [`Store::take_work`] gives what is to be done,
//! [`Store::apply`] takes what came of it. Invariants: nothing here blocks, reads a clock or opens anything; memory stays
//! within the budget; the state at T depends on messages received at or before T only, never on the way that led there.

mod analysis;
mod cache;
mod catalog;
mod clock;
mod coverage;
mod derived;
mod fold;
mod grid;
mod index;
mod intake;
mod issue;
mod links;
mod lookup;
mod matches;
mod pieces;
mod plan;
mod playback;
mod resources;
mod rows;
mod series;
mod shades;
mod signal;
mod times;
mod timing;
mod todo;
mod transforms;
mod work;
mod worked;

pub use analysis::{Analysis, AnalysisQuery, Analyzed, MOST_FFT, MOST_PAIRS, SeriesName, distinct, histogram, pairs, spectrum};
pub use clock::{Clock, Stamp};
pub use fold::MarkerSet;
pub use links::LinkState;
pub use matches::{LogFilter, LogQuery, MatchSet, Verdict, expression};
pub use pieces::{
    Bounds, Level, Part, Piece, Pieces, Point, RUN, SHORTEST_GAP_NANOS, World, contains, distance_to, overlaps, project, union,
};
pub use playback::Playback;
pub use rows::{Block, RowSet};
pub use series::{Points, Series, Statistics};
pub use signal::{Problem, Signal, integer};
pub use times::{Density, Times};
pub use timing::{Edge, Figures, Gap, SPREAD_MEDIANS, Stamping, Timing};
pub use transforms::{Branch, Flaw, Transforms};
pub use work::*;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::decode::{Decoded, Form, Schema, Shading};
use crate::format::{Catalog, ConnectionId, Container, Warning};
use crate::path::{self, Column, Literal, TopicSchema, Variables};
use crate::source::Location;
use crate::time::{Span, Time};

/// A topic of all open recordings together: a stable handle. Order by [`Topic::name`], not by this.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicId(pub u32);

#[derive(Clone, Debug)]
pub struct Topic {
    pub id: TopicId,
    /// With its recording's prefix where two recordings that are not parts of one have the same topic.
    pub name: Arc<str>,
    pub type_name: Arc<str>,
    /// The first connection's; None where the definition is missing or wrong, then `schema_error` says why.
    pub schema: Option<Arc<Schema>>,
    pub schema_error: Option<Arc<str>>,
    /// The form that panels draw, besides `Form::Value`.
    pub form: Option<Form>,
    pub messages: u64,
    pub connections: usize,
    pub latching: bool,
    /// Over the chunks that hold it: an outer bound of its first and last message.
    pub span: Option<Span>,
}

impl Topic {
    /// Messages a second over its span; None for fewer than two messages.
    pub fn rate_hz(&self) -> Option<f64> {
        let secs = self.span?.nanos() as f64 * 1e-9;
        (self.messages > 1 && secs > 0.0).then(|| (self.messages - 1) as f64 / secs)
    }
}

/// Something a visible panel wants to draw. Declared anew every frame; what is no longer wanted is no longer fetched.
#[derive(Clone, Debug, PartialEq)]
pub struct Want {
    pub topic: TopicId,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// The newest message at or before the playhead; for accumulating forms the state at the playhead.
    Latest(Form),
    /// Pixels for the screen of the newest picture, which is wanted beside it.
    Shaded(Arc<Shading>),
    /// The message before the newest one (differences).
    Previous(Form),
    /// All messages received in the last `window_nanos` before the playhead (decay).
    Trail { form: Form, window_nanos: i64 },
    /// The receive times of the messages next to the playhead (stepping).
    Neighbours,
    /// A scalar over a span of receive time. The path is an expression over this topic alone, as
    /// [`path::Input::text`] gives it.
    Series { path: Arc<str>, stamp: Stamp, span: Span },
    /// The same, where its points themselves are needed: those that were given up for memory are read again.
    Points { path: Arc<str>, stamp: Stamp, span: Span },
    /// What is computed from series of several topics, or from values before, as [`path::Program::text`] names it; the series that it
    /// is of are wanted beside it. `points`: where its points themselves are needed.
    Derived {
        text: Arc<str>,
        stamp: Stamp,
        points: Option<Span>,
    },
    /// A spectrum, a histogram, pairs or different values of series, which are wanted beside it, with their points.
    Analysis(Arc<AnalysisQuery>),
    /// All messages in a span of receive time, in one of the forms that are read in bulk ([`crate::decode::Rows`]).
    Rows { form: Form, span: Span },
    /// What the times in rows of [`Form::Arrivals`] or [`Form::Stamps`] say, which are wanted beside it.
    Figures(Form),
    /// Which lines of a log pass, of those that [`What::Rows`] has.
    Lines(Arc<LogQuery>),
    /// Positions as pieces of a track, of those that [`What::Rows`] has.
    Pieces,
    /// So many bytes are held by whoever wants it, beside what the store counts: they are a part of the budget.
    Held(u64),
    /// A file that the topic's messages name by its address.
    Resource(Arc<str>),
}

/// An answer about now.
#[derive(Clone, Debug)]
pub enum Lookup<T> {
    Ready(T),
    /// Wanted and on its way.
    Pending,
    /// The recording holds none at or before the playhead.
    Absent,
    /// Read or decoded in vain: a sentence.
    Failed(Arc<str>),
}

impl<T> Lookup<T> {
    pub fn map<U>(self, of: impl FnOnce(T) -> U) -> Lookup<U> {
        match self {
            Lookup::Ready(value) => Lookup::Ready(of(value)),
            Lookup::Pending => Lookup::Pending,
            Lookup::Absent => Lookup::Absent,
            Lookup::Failed(why) => Lookup::Failed(why),
        }
    }
}

/// A decoded message.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Receive time.
    pub time: Time,
    /// Stands for this message and form as long as it is loaded: GPU caches key by it.
    pub key: u64,
    pub decoded: Arc<Decoded>,
}

/// One recording that was opened.
#[derive(Clone, Debug)]
pub struct SourceInfo {
    /// Where it is read: another location than it was opened at, once its link has been renewed.
    pub location: Location,
    pub state: SourceState,
    pub link: LinkState,
    pub size: u64,
    /// Put before its topics' names where they would clash; empty otherwise.
    pub prefix: Arc<str>,
    /// By how much later it is taken to have been received: see [`Store::shift_times`].
    pub shift_nanos: i64,
    /// Names of the recordings whose rows its tables hold.
    pub bags: BTreeSet<Arc<str>>,
    pub warnings: Vec<Warning>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum SourceState {
    Opening,
    /// A recovery scan goes on; what is known can be used.
    Indexing {
        done_fraction: f32,
    },
    Open,
    Failed(Arc<str>),
}

/// For the status line and `--stats`.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// Whether something wanted at the playhead is not there yet.
    pub waiting_at_playhead: bool,
    /// Whether something that the playhead needs is not read yet: playback waits for it. What is merely being decoded is skipped
    /// over, so `Playback::tick` takes this and `screenshot` takes `waiting_at_playhead`.
    pub buffering: bool,
    /// Whether anything wanted at all is not there yet.
    pub waiting: bool,
    pub reads_in_flight: usize,
    pub memory_used: u64,
    pub memory_budget: u64,
    /// Newest first: what failed and why.
    pub failures: Vec<Arc<str>>,
}

/// A series' path and times.
type Compiled = (Arc<Column>, Clock);

/// Compiled definitions, or why they do not compile, by type and definition.
type Schemas = HashMap<(Arc<str>, Arc<str>), Result<Arc<Schema>, Arc<str>>>;

/// All open recordings on one clock.
pub struct Store {
    budget: u64,
    sources: Vec<SourceInfo>,
    /// As `sources`.
    inner: Vec<catalog::Source>,
    /// How many groups of recordings that are parts of one.
    groups: usize,
    /// By name.
    topics: Vec<Topic>,
    /// Where in `topics`, by handle; as are `index`, `identities` and `weights`.
    positions: Vec<usize>,
    index: Vec<catalog::TopicIndex>,
    identities: Vec<catalog::Identity>,
    /// Bytes and number of messages that were kept so far.
    weights: Vec<(u64, u64)>,
    /// Looked up only, never walked.
    schemas: Schemas,
    columns: Vec<(u32, Arc<Schema>, Option<Compiled>)>,
    variables: Variables,
    variables_revision: u64,
    span: Option<Span>,
    catalog_revision: u64,

    now: Time,
    speed: f64,
    wants: Vec<Want>,
    /// Counts demands, and demands that jumped.
    frame: u64,
    seek: u64,

    series: Vec<Series>,
    derived: Vec<derived::Derived>,
    inquiries: Vec<analysis::Inquiry>,
    row_sets: Vec<RowSet>,
    matches: Vec<MatchSet>,
    pieces: Vec<pieces::PieceSet>,
    shades: Vec<shades::Shade>,
    figures: Vec<timing::FigureSet>,
    folds: BTreeMap<TopicId, fold::Fold>,
    undecoded: BTreeMap<(index::ChunkKey, TopicId, u32), issue::Undecoded>,
    /// Those of them that no decoder works on.
    fold_waiting: std::collections::BTreeSet<(index::ChunkKey, TopicId, u32)>,
    grids: BTreeMap<TopicId, grid::Composition>,
    transforms: Transforms,
    memory: cache::Memory,

    plan: plan::Plan,
    jobs: BTreeMap<cache::Unit, plan::Job>,
    stale_jobs: BTreeSet<cache::Unit>,
    failed: BTreeSet<(index::ChunkKey, cache::Unit)>,
    /// Topics of which something was dropped.
    unloaded: BTreeSet<TopicId>,
    /// Topics that the user wants whole, and those that do not fit whole.
    allowed: BTreeSet<TopicId>,
    denied: BTreeSet<TopicId>,
    wide_is_full: bool,
    background_is_held: bool,
    ahead_is_held: bool,
    over_budget: bool,
    /// Halvings of what is read ahead, since the last seek.
    ahead_shrunk: u32,
    dirty: bool,

    resources: resources::Resources,
    queue: Vec<Work>,
    reads: BTreeMap<WorkId, issue::Reading>,
    decodes: BTreeMap<WorkId, issue::Target>,
    next_id: WorkId,
    next_key: u64,
    failures: Vec<Arc<str>>,
}

impl Store {
    /// `memory_budget` in bytes.
    pub fn new(memory_budget: u64) -> Store {
        Store {
            budget: memory_budget,
            sources: Vec::new(),
            inner: Vec::new(),
            groups: 0,
            topics: Vec::new(),
            positions: Vec::new(),
            index: Vec::new(),
            identities: Vec::new(),
            weights: Vec::new(),
            schemas: HashMap::new(),
            columns: Vec::new(),
            variables: Variables::new(),
            variables_revision: 0,
            span: None,
            catalog_revision: 0,
            now: Time::MIN,
            speed: 0.0,
            wants: Vec::new(),
            frame: 0,
            seek: 0,
            series: Vec::new(),
            derived: Vec::new(),
            inquiries: Vec::new(),
            row_sets: Vec::new(),
            matches: Vec::new(),
            pieces: Vec::new(),
            shades: Vec::new(),
            figures: Vec::new(),
            folds: BTreeMap::new(),
            undecoded: BTreeMap::new(),
            fold_waiting: std::collections::BTreeSet::new(),
            grids: BTreeMap::new(),
            transforms: Transforms::default(),
            memory: cache::Memory::default(),
            plan: plan::Plan::default(),
            jobs: BTreeMap::new(),
            stale_jobs: BTreeSet::new(),
            failed: BTreeSet::new(),
            unloaded: BTreeSet::new(),
            allowed: BTreeSet::new(),
            denied: BTreeSet::new(),
            wide_is_full: false,
            background_is_held: false,
            ahead_is_held: false,
            over_budget: false,
            ahead_shrunk: 0,
            dirty: true,
            resources: resources::Resources::new(),
            queue: Vec::new(),
            reads: BTreeMap::new(),
            decodes: BTreeMap::new(),
            next_id: 0,
            next_key: 0,
            failures: Vec::new(),
        }
    }

    /// What is wanted now. `speed` is 0 when paused, negative when playing backwards (read-ahead follows it).
    pub fn demand(&mut self, now: Time, speed: f64, wants: &[Want]) {
        self.frame += 1;
        let is_seek = self.is_seek(now, speed);
        let mut wants: Vec<Want> = wants.iter().filter(|w| self.topic(w.topic).is_some()).cloned().collect();
        wants.sort_by_key(|w| w.topic);
        let is_changed = wants != self.wants || speed != self.speed;
        if is_seek {
            self.seek += 1;
            self.ahead_shrunk = 0;
        }
        if is_changed || now != self.now {
            self.dirty = true;
        }
        self.now = now;
        self.speed = speed;
        self.transforms.now = now;
        self.wants = wants;
        self.add_series();
        self.add_derived();
        self.add_inquiries();
        self.add_row_sets();
        self.add_matches();
        self.add_pieces();
        self.add_shades();
        self.add_figures();
        self.reread_points();
        self.demand_resources();
        if is_seek || !self.failed.is_empty() {
            self.retry_failed();
            self.dirty = true;
        }
        self.refresh();
        if is_seek || is_changed {
            self.cancel_useless();
            self.dirty = true;
        }
    }

    /// Reads nothing ahead of the playhead while held: for connections whose bytes cost.
    pub fn hold_ahead(&mut self, is_held: bool) {
        self.ahead_is_held = is_held;
    }

    /// Reads for wider spans than the playhead wait while this holds: for a picture of the playhead alone.
    pub fn hold_background(&mut self, is_held: bool) {
        self.background_is_held = is_held;
    }

    /// Whether the playhead jumped, rather than played on.
    fn is_seek(&self, now: Time, speed: f64) -> bool {
        let moved_nanos = now.0.saturating_sub(self.now.0);
        let against = moved_nanos != 0 && (speed == 0.0 || (speed > 0.0) != (moved_nanos > 0));
        against || moved_nanos.saturating_abs() as f64 > 1e9 * speed.abs().max(1.0)
    }

    /// A number for each series that is wanted for the first time.
    fn add_series(&mut self) {
        for want in &self.wants {
            let What::Series { path, stamp, .. } = &want.what else { continue };
            if self.series_number(want.topic, path, stamp).is_some() {
                continue;
            }
            let mut series = Series::new(want.topic, path.clone(), stamp.clone());
            let position = self.positions.get(want.topic.0 as usize).copied();
            if let Some(topic) = position.and_then(|p| self.topics.get(p)) {
                series.set_error(match (&topic.schema, &topic.schema_error) {
                    (Some(schema), _) => column_of(schema, path).err().map(|e| e.to_string().into()),
                    (None, error) => error.clone(),
                });
            }
            series.set_chunks(&self.index[want.topic.0 as usize].all, |_| false);
            self.series.push(series);
        }
    }

    /// Brings everything that is derived up to date.
    fn refresh(&mut self) {
        if !std::mem::take(&mut self.dirty) {
            return;
        }
        self.refresh_plan();
        self.refresh_jobs();
        self.refresh_transforms();
        self.refresh_folds();
        self.refresh_grids();
        self.refresh_loaded();
        // markers say where they were put only once they are folded
        if self.late_stamps() != self.plan.late_stamps {
            self.refresh_plan();
            self.refresh_jobs();
            self.refresh_transforms();
        }
    }

    /// Whether all that is loaded of an accumulating topic counts, not only what the playhead needs.
    fn counts_whole(&self, topic: TopicId) -> bool {
        self.is_whole(topic) && !self.denied.contains(&topic)
    }

    /// Whether all that was received until now is there to be folded. As long as it is being read, from the playhead outwards, each
    /// chunk that comes would have everything after it folded anew.
    fn folds_whole(&self, topic: TopicId) -> bool {
        self.counts_whole(topic) && self.is_read_until_now(cache::Unit::Fold(topic))
    }

    fn refresh_transforms(&mut self) {
        let topics = self.transform_topics();
        self.transforms.whole = topics.iter().copied().filter(|t| self.counts_whole(*t)).collect();
        let mut active: Vec<index::ChunkKey> = topics.iter().filter_map(|t| self.plan.narrow.get(t)).flatten().copied().collect();
        active.sort_unstable();
        active.dedup();
        self.transforms.active = active;
    }

    fn refresh_folds(&mut self) {
        for topic in self.folds.keys().copied().collect::<Vec<_>>() {
            let Some(narrow) = self.plan.narrow.get(&topic) else { continue };
            let only = (!self.folds_whole(topic)).then_some(narrow.as_slice());
            let looked_back = self.looked_back(topic, narrow);
            if let Some(fold) = self.folds.get_mut(&topic) {
                fold.advance(self.now, only, looked_back);
            }
        }
    }

    /// How far back an accumulated state reaches, and what the rest would cost; None where it reaches the start.
    fn looked_back(&self, topic: TopicId, narrow: &[index::ChunkKey]) -> Option<(Time, u64)> {
        if self.folds_whole(topic) {
            return None;
        }
        let unit = cache::Unit::Fold(topic);
        let list = &self.index[topic.0 as usize].all;
        let is_there = |chunk: &&index::TopicChunk| {
            let state = self.state(chunk.key, unit);
            narrow.binary_search(&chunk.key).is_ok() && matches!(state, Some(cache::State::Loaded(_) | cache::State::Failed { .. }))
        };
        let until_now = list.until(self.now);
        let first_there = until_now
            .iter()
            .rev()
            .take_while(is_there)
            .last()
            .map_or(self.now, |c| c.span.start);
        let places = narrow.iter().filter_map(|key| self.ordinal(topic, *key));
        let there_bytes: u64 = places.filter_map(|at| until_now.get(at)).filter(is_there).map(|c| c.bytes).sum();
        let cost = list.bytes_until(self.now) - there_bytes;
        (cost > 0).then_some((first_there, cost))
    }

    /// Sorted by name.
    pub fn topics(&self) -> &[Topic] {
        &self.topics
    }

    pub fn topic(&self, id: TopicId) -> Option<&Topic> {
        self.topics.get(*self.positions.get(id.0 as usize)?)
    }

    pub fn topic_by_name(&self, name: &str) -> Option<&Topic> {
        let at = self.topics.binary_search_by(|t| (*t.name).cmp(name)).ok()?;
        self.topics.get(at)
    }

    pub fn sources(&self) -> &[SourceInfo] {
        &self.sources
    }

    /// What a recording's index tells: its connections, chunks and counts. None until it is known.
    pub fn catalog(&self, source: SourceId) -> Option<&Catalog> {
        let container = self.inner.get(source as usize)?.container.as_ref()?;
        Some(container.catalog())
    }

    /// What reads a recording's messages, at the times that they are taken to have been received.
    pub fn container(&self, source: SourceId) -> Option<Arc<dyn Container>> {
        self.inner.get(source as usize)?.container.clone()
    }

    /// Grows whenever a catalogue does.
    pub fn catalog_revision(&self) -> u64 {
        self.catalog_revision
    }

    /// The topic of a connection of a recording.
    pub fn topic_of_connection(&self, source: SourceId, connection: ConnectionId) -> Option<&Topic> {
        let id = self.inner.get(source as usize)?.topics.get(connection as usize)?;
        self.topic(*id)
    }

    /// What `$x` stands for in message paths.
    pub fn variables(&self) -> &Variables {
        &self.variables
    }

    /// None forgets the variable.
    pub fn set_variable(&mut self, name: &str, value: Option<Literal>) {
        if self.variables.get(name) != value.as_ref() {
            self.variables_revision += 1;
        }
        match value {
            Some(value) => self.variables.insert(name.to_owned(), value),
            None => self.variables.remove(name),
        };
    }

    /// What message paths are compiled against.
    pub fn topic_schemas(&self) -> Vec<TopicSchema> {
        let schema = |t: &Topic| match (&t.schema, &t.schema_error) {
            (Some(schema), _) => Ok(schema.clone()),
            (None, why) => Err(why.clone().unwrap_or_else(|| "it comes without a message definition".into())),
        };
        self.topics.iter().map(|t| (t.name.clone(), schema(t))).collect()
    }

    /// The playhead that answers are about: of the last `demand`.
    pub fn now(&self) -> Time {
        self.now
    }

    /// 0 at rest, negative backwards: of the last `demand`.
    pub fn speed(&self) -> f64 {
        self.speed
    }

    /// First to last message of all recordings.
    pub fn span(&self) -> Option<Span> {
        self.span
    }
}

fn column_of(schema: &Schema, path: &str) -> Result<Column, path::PathError> {
    Column::compile(schema, &path::parse(path)?)
}

//! What is loaded, what is wanted, what to fetch next, what to evict; transforms, accumulated state, playback.
//!
//! Sans-IO and deterministic: [`Store::demand`] takes what the panels want, [`Store::take_work`] gives what is to be done,
//! [`Store::apply`] takes what came of it. Invariants: nothing here blocks, reads a clock or opens anything; memory stays
//! within the budget; the state at T depends on messages received at or before T only, never on the way that led there.

mod work;
pub use work::*;

use std::sync::Arc;

use crate::decode::{Decoded, Form, Schema};
use crate::format::Warning;
use crate::source::Location;
use crate::time::{Span, Time};

/// A topic of all open recordings together: a stable handle. Order by [`Topic::name`], not by this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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

/// Which clock a series runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stamp {
    #[default]
    Receive,
    Header,
}

/// Something a visible panel wants to draw. Declared anew every frame; what is no longer wanted is no longer fetched.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Want {
    pub topic: TopicId,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// The newest message at or before the playhead; for accumulating forms the state at the playhead.
    Latest(Form),
    /// The message before the newest one (differences).
    Previous(Form),
    /// All messages received in the last `window_nanos` before the playhead (decay).
    Trail { form: Form, window_nanos: i64 },
    /// The receive times of the messages next to the playhead (stepping).
    Neighbours,
    /// A scalar over a span of receive time.
    Series { path: Arc<str>, stamp: Stamp, span: Span },
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
    pub location: Location,
    pub state: SourceState,
    pub size: u64,
    /// Put before its topics' names where they would clash; empty otherwise.
    pub prefix: Arc<str>,
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
    /// Whether anything wanted at all is not there yet.
    pub waiting: bool,
    pub reads_in_flight: usize,
    pub memory_used: u64,
    pub memory_budget: u64,
    /// Newest first: what failed and why.
    pub failures: Vec<Arc<str>>,
}

/// All open recordings on one clock.
pub struct Store {}

impl Store {
    /// `memory_budget` in bytes.
    pub fn new(memory_budget: u64) -> Store {
        let _ = memory_budget;
        Store {}
    }

    /// Adds recordings; topics of split parts join.
    pub fn open(&mut self, locations: Vec<Location>) {
        let _ = locations;
    }

    /// What is wanted now. `speed` is 0 when paused, negative when playing backwards (read-ahead follows it).
    pub fn demand(&mut self, now: Time, speed: f64, wants: &[Want]) {
        let _ = (now, speed, wants);
    }

    pub fn take_work(&mut self) -> Vec<Work> {
        Vec::new()
    }

    pub fn apply(&mut self, event: Event) {
        drop(event);
    }

    /// Sorted by name.
    pub fn topics(&self) -> &[Topic] {
        &[]
    }

    pub fn topic(&self, id: TopicId) -> Option<&Topic> {
        self.topics().iter().find(|t| t.id == id)
    }

    pub fn topic_by_name(&self, name: &str) -> Option<&Topic> {
        self.topics().iter().find(|t| &*t.name == name)
    }

    pub fn sources(&self) -> &[SourceInfo] {
        &[]
    }

    /// First to last message of all recordings.
    pub fn span(&self) -> Option<Span> {
        None
    }

    /// The newest message at or before the playhead of the last `demand`.
    pub fn latest(&self, topic: TopicId, form: Form) -> Lookup<Entry> {
        let _ = (topic, form);
        Lookup::Absent
    }

    pub fn previous(&self, topic: TopicId, form: Form) -> Lookup<Entry> {
        let _ = (topic, form);
        Lookup::Absent
    }

    /// Decoded messages of the trail, oldest first, and whether all are there.
    pub fn trail(&self, topic: TopicId, form: Form, window_nanos: i64) -> (Vec<Entry>, bool) {
        let _ = (topic, form, window_nanos);
        (Vec::new(), true)
    }

    /// Markers alive at the playhead; `stamp`s are the messages', `received` tells frame-locked ones apart.
    pub fn markers(&self, topic: TopicId) -> Lookup<Arc<MarkerSet>> {
        let _ = topic;
        Lookup::Absent
    }

    /// The map at the playhead, with all updates (map_msgs) of `<topic>_updates` applied.
    pub fn grid(&self, topic: TopicId) -> Lookup<Entry> {
        let _ = topic;
        Lookup::Absent
    }

    /// Newest status by name.
    pub fn diagnostics(&self, topic: TopicId) -> Lookup<Arc<Vec<(Time, crate::decode::DiagnosticStatus)>>> {
        let _ = topic;
        Lookup::Absent
    }

    /// Transforms received at or before the playhead, of all transform topics. Always wanted once any panel wants one topic of
    /// [`Form::Transforms`]; the 3D panel wants all of them.
    pub fn transforms(&self) -> &Transforms {
        const { &Transforms {} }
    }

    /// The bytes of a file that messages name (`mesh_resource`): a path, an `http(s)` or a `package://` address.
    pub fn resource(&self, address: &str) -> Lookup<bytes::Bytes> {
        let _ = address;
        Lookup::Absent
    }

    /// Receive times of the messages before and after the playhead.
    pub fn neighbours(&self, topic: TopicId) -> Lookup<(Option<Time>, Option<Time>)> {
        let _ = topic;
        Lookup::Absent
    }

    /// What is loaded of a series; None until it was wanted once.
    pub fn series(&self, topic: TopicId, path: &str, stamp: Stamp) -> Option<&Series> {
        let _ = (topic, path, stamp);
        None
    }

    /// The span that plots and tracks of this topic should show: the whole recording where that is local or small or was
    /// allowed, otherwise a window around the playhead.
    pub fn series_span(&self, topic: TopicId) -> Span {
        let _ = topic;
        Span::ALL
    }

    /// Bytes still to be read for the whole recording of this topic; None where `series_span` is the whole already.
    pub fn whole_cost_bytes(&self, topic: TopicId) -> Option<u64> {
        let _ = topic;
        None
    }

    /// The user asked for the whole recording of this topic.
    pub fn read_whole(&mut self, topic: TopicId) {
        let _ = topic;
    }

    /// Messages per bucket over `span`, from the index alone (a chunk's messages spread evenly over its span).
    pub fn density(&self, topic: TopicId, span: Span, buckets: usize) -> Vec<f32> {
        let _ = (topic, span);
        vec![0.0; buckets]
    }

    /// Spans of receive time in which this topic's messages or series are loaded.
    pub fn loaded(&self, topic: TopicId) -> Vec<Span> {
        let _ = topic;
        Vec::new()
    }

    pub fn status(&self) -> Status {
        Status::default()
    }
}

/// Markers alive at one moment, by namespace and id, in the order of their first appearance.
#[derive(Clone, Debug, Default)]
pub struct MarkerSet {
    /// Receive time, marker. Lifetimes are over in none of them.
    pub markers: Vec<(Time, Arc<crate::decode::Marker>)>,
    /// Some when the look-back did not reach the recording's start: how far it went and what it would cost to read the rest.
    pub looked_back: Option<(Time, u64)>,
    /// Changes when the set does.
    pub key: u64,
}

/// The transform tree at the playhead: per child frame, samples by header stamp; only what was received at or before it.
pub struct Transforms {}

impl Transforms {
    /// `target_from_source` at `stamp` (interpolated; before the first or after the last sample the nearest one holds), or a
    /// sentence that says what is missing and which frames there are.
    pub fn lookup(&self, target: &str, source: &str, stamp: Time) -> Result<glam::DAffine3, String> {
        let _ = stamp;
        Err(format!("no transform from {source} to {target}"))
    }

    /// All frames, sorted.
    pub fn frames(&self) -> Vec<Arc<str>> {
        Vec::new()
    }

    pub fn parent(&self, child: &str) -> Option<Arc<str>> {
        let _ = child;
        None
    }

    /// Frames without a parent, the one with most descendants first.
    pub fn roots(&self) -> Vec<Arc<str>> {
        Vec::new()
    }
}

/// A scalar of a topic over time, as far as it is loaded.
pub struct Series {}

impl Series {
    /// At most a few points per pixel column: exact minimum and maximum of each column, first and last too, in time order;
    /// NaN marks a gap. x is on the series' stamp.
    pub fn decimated(&self, span: Span, columns: usize) -> Vec<(Time, f64)> {
        let _ = (span, columns);
        Vec::new()
    }

    /// The newest value at or before `t`.
    pub fn value_at(&self, t: Time) -> Option<f64> {
        let _ = t;
        None
    }

    /// Receive-time spans that are loaded.
    pub fn loaded(&self) -> &[Span] {
        &[]
    }

    pub fn is_complete(&self, span: Span) -> bool {
        let _ = span;
        false
    }

    pub fn min_max(&self, span: Span) -> Option<(f64, f64)> {
        let _ = span;
        None
    }
}

/// The one clock. Plain data; ticked by the window with the time that passed.
#[derive(Clone, Debug, PartialEq)]
pub struct Playback {
    pub now: Time,
    pub playing: bool,
    /// 1 = real time; negative plays backwards.
    pub speed: f64,
    /// Played again and again, if any.
    pub looping: Option<Span>,
}

impl Playback {
    /// Moves the playhead by `elapsed_nanos` of wall time, not while `waiting` (buffering); stops or wraps at the ends.
    pub fn tick(&mut self, elapsed_nanos: i64, span: Span, waiting: bool) {
        if !self.playing || waiting {
            return;
        }
        let bounds = self.looping.unwrap_or(span);
        let next = self.now.plus_nanos((elapsed_nanos as f64 * self.speed) as i64);
        if bounds.contains(next) {
            self.now = next;
        } else if self.looping.is_some() {
            self.now = if self.speed >= 0.0 { bounds.start } else { bounds.end };
        } else {
            self.now = span.clamp(next);
            self.playing = false;
        }
    }
}

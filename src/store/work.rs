//! What the store asks of the outside, and what comes back: plain data. `run` executes it and decides nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::decode::{DecodeError, Decoded, Form, Grid, Resource, Rows, Schema, Shaded, TransformStamped};
use crate::format::{ChunkId, ConnectionId, ConnectionSet, Container, Message, Warning};
use crate::path::{Column, Item};
use crate::source::Location;
use crate::store::analysis::{AnalysisTask, Analyzed};
use crate::store::clock::Clock;
use crate::store::derived::{Derivation, DerivedWindow};
use crate::store::grid::GridTask;
use crate::store::matches::{LinesTask, Verdict};
use crate::store::pieces::{Pieces, PiecesTask};
use crate::store::shades::ShadeTask;
use crate::store::times::Times;
use crate::store::timing::{Figures, FiguresTask};
use crate::time::Time;

/// Index of an opened location, in the order of opening.
pub type SourceId = u32;
/// Names a piece of work until its last event.
pub type WorkId = u64;

/// When something is needed. Executors take the smallest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Deadline {
    /// A visible panel needs it at the playhead.
    Playhead,
    /// Play reaches it in about this many milliseconds.
    Ahead { millis: u32 },
    /// Wider spans of plots and tracks, look-back of accumulated state.
    Background,
}

const SOON_MILLIS: u32 = 1500;

impl Deadline {
    /// Whether the picture, or play that begins, would stand still until a large read has come: then it comes in small ones.
    pub fn is_soon(self) -> bool {
        match self {
            Deadline::Playhead => true,
            Deadline::Ahead { millis } => millis < SOON_MILLIS,
            Deadline::Background => false,
        }
    }
}

/// What of all that lies at a location is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Recordings that lie there are opened each for itself.
    pub only_tables: bool,
    /// Names of recordings that are open beside it: where tables hold rows of some of these, those of others are left out.
    pub beside: Vec<String>,
}

#[derive(Clone, Debug)]
pub enum Work {
    Open {
        source: SourceId,
        location: Location,
        choice: Choice,
    },
    Read(Read),
    /// Another link to an open recording, in place of the one that ended.
    Renew {
        source: SourceId,
        link: Location,
    },
    /// One message into a form.
    Decode {
        id: WorkId,
        schema: Arc<Schema>,
        form: Form,
        payload: Bytes,
    },
    /// Something is worked out of what is loaded.
    Compute {
        id: WorkId,
        task: Task,
    },
    /// A file that messages name, whole. `near` is a recording beside which packages may lie.
    Fetch {
        address: Arc<str>,
        near: Option<Location>,
    },
    /// Nobody wants it any more: drop it if it has not begun, abort the request if it has. No event follows.
    Cancel(WorkId),
}

/// What is worked out on another thread than the window's: plain data, and a bounded piece of work.
#[derive(Clone, Debug)]
pub enum Task {
    /// A window of a series that is computed from others.
    Window(Derivation),
    /// A spectrum, a histogram or pairs of series.
    Analysis(AnalysisTask),
    /// What the times of messages say.
    Figures(FiguresTask),
    /// Lines of a log against a query.
    Lines(LinesTask),
    /// Positions into pieces of a track.
    Pieces(PiecesTask),
    /// Pixels for the screen of a picture.
    Shade(ShadeTask),
    /// A map with its updates.
    Grid(GridTask),
}

/// What came of a [`Task`].
pub enum Outcome {
    Window(DerivedWindow),
    Analysis(Analyzed),
    Figures(Figures),
    /// By the key of the block.
    Lines(Vec<(u64, Verdict)>),
    Pieces(Pieces),
    Shade(Shaded),
    Grid(Option<Grid>),
}

impl Task {
    pub fn run(&self) -> Outcome {
        match self {
            Task::Window(derivation) => Outcome::Window(derivation.run()),
            Task::Analysis(analysis) => Outcome::Analysis(analysis.run()),
            Task::Figures(figures) => Outcome::Figures(figures.run()),
            Task::Lines(lines) => Outcome::Lines(lines.run()),
            Task::Pieces(pieces) => Outcome::Pieces(pieces.run()),
            Task::Shade(shade) => Outcome::Shade(shade.run()),
            Task::Grid(grid) => Outcome::Grid(grid.run()),
        }
    }

    pub fn deadline(&self) -> Deadline {
        match self {
            Task::Window(_) | Task::Analysis(_) | Task::Figures(_) => Deadline::Background,
            Task::Shade(_) | Task::Grid(_) => Deadline::Playhead,
            Task::Lines(_) | Task::Pieces(_) => Deadline::Ahead { millis: 100 },
        }
    }
}

/// One range of one file (one request where remote) that holds one or several chunks.
#[derive(Clone)]
pub struct Read {
    pub id: WorkId,
    pub source: SourceId,
    pub container: Arc<dyn Container>,
    pub range: Range<u64>,
    pub chunks: Vec<ChunkRead>,
    pub deadline: Deadline,
}

impl std::fmt::Debug for Read {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Read {{ id: {}, source: {}, range: {:?}, chunks: {:?}, deadline: {:?} }}",
            self.id, self.source, self.range, self.chunks, self.deadline
        )
    }
}

/// What is wanted of one chunk.
#[derive(Clone, Debug)]
pub struct ChunkRead {
    pub chunk: ChunkId,
    /// Where the chunk lies; within [`Read::range`].
    pub range: Range<u64>,
    /// Connections whose messages are kept as they are.
    pub keep: Vec<ConnectionId>,
    /// Scalars taken out of messages that are not kept for it.
    pub series: Vec<SeriesJob>,
    /// All messages of a topic, decoded into rows while reading.
    pub rows: Vec<RowsJob>,
    /// Receive times alone, which the index behind the chunk may tell.
    pub arrivals: Vec<ArrivalsJob>,
    /// Connections whose messages are transforms, with their schema: decoded while reading.
    pub transforms: Vec<(ConnectionId, Arc<Schema>)>,
}

impl ChunkRead {
    /// All connections whose messages have to be read.
    pub fn connections(&self) -> ConnectionSet {
        let mut all: Vec<ConnectionId> = self
            .keep
            .iter()
            .copied()
            .chain(self.series.iter().map(|s| s.connection))
            .chain(self.rows.iter().flat_map(|r| r.connections.iter().map(|c| c.0)))
            .chain(self.transforms.iter().map(|t| t.0))
            .collect();
        all.sort_unstable();
        all.dedup();
        ConnectionSet::Only(all.into())
    }

    /// The fields of messages that are wanted, by their first names; None: all of them.
    pub fn fields(&self) -> Option<BTreeSet<&str>> {
        let are_whole = !self.keep.is_empty() || !self.rows.is_empty() || !self.transforms.is_empty();
        let mut fields = BTreeSet::new();
        for job in self.series.iter() {
            let roots = job.column.roots()?.iter().chain(job.clock.roots()?);
            fields.extend(roots.map(String::as_str));
        }
        (!are_whole).then_some(fields)
    }

    /// Where a container keeps fields apart: the bytes that hold those that are wanted.
    pub fn ranges(&self, container: &dyn Container) -> Option<Vec<Range<u64>>> {
        container.ranges_of(self.chunk, &self.fields()?)
    }
}

#[derive(Clone, Debug)]
pub struct SeriesJob {
    pub connection: ConnectionId,
    /// The store's own number of the series.
    pub series: u32,
    pub column: Arc<Column>,
    pub clock: Clock,
}

/// Of one text more is not kept.
const LONGEST_TEXT: usize = 200;
/// A series tells no more texts apart by name.
const MOST_TEXTS: usize = 1024;

impl SeriesJob {
    /// Adds the values of one message. A text becomes a number of its own, the same in every chunk, that `texts` names.
    pub fn read(&self, message: &Message, points: &mut Vec<(Time, f64)>, texts: &mut BTreeMap<u64, Arc<str>>) {
        let (time, before) = (self.clock.time(message), points.len());
        if self.column.kind().is_number() {
            self.column.each(&message.payload, |value| points.push((time, value)));
        } else {
            for item in self.column.items(&message.payload) {
                let Item::Text(bytes) = item else { continue };
                // 52 bits: a number that f64 holds
                let number = twox_hash::XxHash3_64::oneshot(bytes) >> 12;
                points.push((time, number as f64));
                if texts.len() < MOST_TEXTS || texts.contains_key(&number) {
                    let text = || String::from_utf8_lossy(bytes).chars().take(LONGEST_TEXT).collect::<String>().into();
                    texts.entry(number).or_insert_with(text);
                }
            }
        }
        if points.len() == before && !self.column.is_partial() {
            points.push((time, f64::NAN));
        }
        self.clock.set_each(message, points.get_mut(before..).unwrap_or_default());
    }
}

#[derive(Clone, Debug)]
pub struct RowsJob {
    /// The store's own number of the set of rows.
    pub rows: u32,
    pub form: Form,
    pub connections: Vec<(ConnectionId, Arc<Schema>)>,
}

#[derive(Clone, Debug)]
pub struct ArrivalsJob {
    /// The store's own number of the set of rows.
    pub rows: u32,
    pub connections: Vec<ConnectionId>,
}

impl ArrivalsJob {
    /// `arrivals`: of all messages of the chunk, by time.
    pub fn rows_of(&self, arrivals: &[(ConnectionId, Time)]) -> Option<Rows> {
        let mut rows = Rows::new(Form::Arrivals)?;
        for (connection, time) in arrivals {
            if self.connections.contains(connection) {
                rows.push_time(*time);
            }
        }
        rows.shrink();
        Some(rows)
    }
}

impl RowsJob {
    /// The rows of these messages, which are all that was read, by receive time.
    pub fn rows_of(&self, messages: &[Message]) -> Option<Rows> {
        let mut rows = Rows::new(self.form)?;
        for message in messages {
            if let Some((_, schema)) = self.connections.iter().find(|(c, _)| *c == message.connection) {
                rows.push(message.time, schema, &message.payload);
            }
        }
        rows.shrink();
        Some(rows)
    }
}

pub enum Event {
    /// A catalogue, whole (`done`) or what a recovery scan has found so far.
    Opened {
        source: SourceId,
        container: Arc<dyn Container>,
        done: bool,
        done_fraction: f32,
    },
    OpenFailed {
        source: SourceId,
        error: Arc<str>,
    },
    ChunkRead {
        id: WorkId,
        source: SourceId,
        chunk: ChunkId,
        content: ChunkContent,
    },
    /// This link to a recording is refused as ended; a read fails with it.
    LinkEnded {
        source: SourceId,
        link: Location,
    },
    /// The recording is read through this location from now on; or why it is not.
    Renewed {
        source: SourceId,
        result: Result<Location, Arc<str>>,
    },
    /// The rest of this read's chunks will not come.
    ReadFailed {
        id: WorkId,
        source: SourceId,
        error: Arc<str>,
    },
    /// All chunks of this read have been reported.
    ReadDone {
        id: WorkId,
    },
    Decoded {
        id: WorkId,
        result: Result<Decoded, DecodeError>,
    },
    /// None: it crashed.
    Computed {
        id: WorkId,
        outcome: Option<Outcome>,
    },
    Fetched {
        address: Arc<str>,
        result: Result<Resource, Arc<str>>,
    },
}

/// Values and the texts that they stand for.
pub type NamedValues = Vec<(f64, Arc<str>)>;

/// What was read of a chunk. Payloads own their memory (nothing keeps the decompressed chunk alive).
#[derive(Default)]
pub struct ChunkContent {
    /// Messages of the kept connections, by receive time, then file order.
    pub messages: Vec<Message>,
    /// For each job: (time on its stamp, value), by receive time. NaN values are kept: they are gaps.
    pub series: Vec<(u32, Vec<(Time, f64)>)>,
    /// What values of a series stand for, where it is one of texts.
    pub texts: Vec<(u32, NamedValues)>,
    /// For each job that its form allows.
    pub rows: Vec<(u32, Rows)>,
    /// When messages came, of each connection of which the index or what was read tells of all in the chunk.
    pub times: Vec<(ConnectionId, Times)>,
    /// Receive time and transform.
    pub transforms: Vec<(ConnectionId, Time, TransformStamped)>,
    pub warnings: Vec<Warning>,
}

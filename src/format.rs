//! Container bytes → a catalogue (topics, schemas, chunks) and the messages of one chunk.
//!
//! Pure: a reader says which byte ranges it needs and is handed them; it opens no file, reads no clock, starts no thread.
//! Bad input is normal: what can be read is returned together with [`Warning`]s that name offsets. No length field is
//! trusted before it is checked against the bytes that are there, and no byte sequence panics.

mod foreign;
mod joined;
pub mod rosbag1;
mod shifted;
pub mod table;
mod textlog;
mod within;

pub use joined::joined;
pub use shifted::shifted;
pub use within::{moved, within};

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::time::{Span, Time};

/// A container format: recognised by name and first bytes, read by its [`Indexer`].
pub trait Format: Sync {
    /// As `info --json` spells it, e.g. `rosbag1`.
    fn name(&self) -> &'static str;
    /// Whether `head` (the first bytes, at most 64 KiB, of a file called `name`) is of this format.
    fn sniff(&self, name: &str, head: &[u8]) -> bool;
    /// Starts reading the index of a file of `len` bytes.
    fn indexer(&self, len: u64) -> Box<dyn Indexer>;
}

/// Reads a catalogue step by step. The first call gets an empty [`Fetched`] (or what the caller has already read).
pub trait Indexer: Send {
    /// Takes what was fetched for the last step's ranges and says how to go on.
    fn step(&mut self, got: &Fetched) -> Result<Step, FormatError>;

    /// Says, before the first step, that small reads cost next to nothing (a local file): what the index claims may then be verified,
    /// and a recovery scan may skip what it need not read.
    fn reads_are_cheap(&mut self) {}

    /// Says, before the first step, what the file is called: for containers that do not name what is in them.
    fn is_called(&mut self, _name: &str) {}

    /// Says, before the first step, when the file was last written, or a later time where that is not known: for times without a year.
    fn was_written(&mut self, _at: Time) {}

    /// Says, before the first step, of which files the recording is made, one behind the other.
    fn is_made_of(&mut self, _parts: &[Part]) {}

    /// Says, before the first step, which column is the time, where the container could only guess.
    fn has_time_in(&mut self, _column: &str) {}
}

/// One of the files that together are a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// From the recording's folder on, with `/`.
    pub path: String,
    /// Where it lies in the recording.
    pub range: Range<u64>,
    /// What all its rows have in common: column and value, None for null.
    pub partitions: Vec<(String, Option<String>)>,
    /// The table that it is a file of, where the recording is of several.
    pub table: Option<Arc<str>>,
}

impl Part {
    /// The only one.
    pub fn whole(name: &str, len: u64) -> Part {
        Part {
            path: name.to_owned(),
            range: 0..len,
            partitions: Vec::new(),
            table: None,
        }
    }

    /// Names it at a sentence's end, where there are others.
    fn suffix(&self, parts: usize) -> String {
        match parts {
            0 | 1 => String::new(),
            _ => format!(" ({})", self.path),
        }
    }
}

/// What an indexer wants next.
pub enum Step {
    /// Read these ranges, then call `step` again with them.
    Need(Vec<Range<u64>>),
    /// A recovery scan found more: this much can be used already; then as `Need`.
    Grew {
        so_far: Arc<dyn Container>,
        need: Vec<Range<u64>>,
    },
    Ready(Arc<dyn Container>),
}

/// An indexed recording. Immutable; shared by all threads.
pub trait Container: Send + Sync {
    fn catalog(&self) -> &Catalog;
    /// The messages of `connections` in `chunk`, in file order, from the bytes that the catalogue says it takes, or from those that
    /// [`Batch::instead`] named. Damage becomes warnings.
    fn messages(&self, chunk: ChunkId, got: &Fetched, connections: &ConnectionSet, checks: Checks) -> Batch;
    /// When which connection's messages in `chunk` were received, by time; without unpacking them where the container has an index.
    fn arrivals(&self, chunk: ChunkId, got: &Fetched) -> Vec<(ConnectionId, Time)> {
        let unpacked = || arrivals_of(self.messages(chunk, got, &ConnectionSet::All, Checks::Quick));
        self.listed(chunk, got).unwrap_or_else(unpacked)
    }
    /// The same, where an index among these bytes tells of all messages in `chunk`.
    fn listed(&self, _chunk: ChunkId, _got: &Fetched) -> Option<Vec<(ConnectionId, Time)>> {
        None
    }
    /// Where a chunk keeps the fields of its messages apart: the bytes that hold these, by their first names.
    fn ranges_of(&self, _chunk: ChunkId, _fields: &BTreeSet<&str>) -> Option<Vec<Range<u64>>> {
        None
    }
    /// Of a chunk, the bytes that hold the messages of some connections, found by short reads: for where these cost nothing, as on a
    /// disk. None: all of it is to be read.
    fn needed(&self, _chunk: ChunkId, _connections: &ConnectionSet, _read: &mut ReadHere) -> Option<Fetched> {
        None
    }
    /// Between which two the values of a field lie in all messages of a chunk, where the file tells without their being read, and where
    /// the chunk's span is that of its messages to the nanosecond. What is no number may stand among them.
    fn limits(&self, _chunk: ChunkId, _field: &str) -> Option<(Limit, Limit)> {
        None
    }
    /// The chunk as the file stores it, where a file of the same format can take it over as it is.
    fn stored(&self, _chunk: ChunkId, _got: &Fetched) -> Option<StoredChunk> {
        None
    }
    /// The numbers that the file itself gives its connections.
    fn own_numbers(&self) -> Vec<(u32, ConnectionId)> {
        Vec::new()
    }
    /// Where messages have an order and no times: the same, from `start` on.
    fn placed(&self, _start: Time) -> Option<Arc<dyn Container>> {
        None
    }
}

/// Reads a range of the file at once; None where it cannot.
pub type ReadHere<'a> = dyn FnMut(Range<u64>) -> Option<Bytes> + 'a;

fn arrivals_of(batch: Batch) -> Vec<(ConnectionId, Time)> {
    let mut arrivals: Vec<(ConnectionId, Time)> = batch.messages.iter().map(|m| (m.connection, m.time)).collect();
    arrivals.sort_by_key(|a| a.1);
    arrivals
}

/// A value that others do not fall below, or do not exceed.
#[derive(Clone, Debug, PartialEq)]
pub enum Limit {
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
}

/// A chunk with its index, as its file stores it.
#[derive(Clone, Debug)]
pub struct StoredChunk {
    /// Its record, without the index behind it.
    pub record: Bytes,
    pub span: Span,
    /// Receive times and offsets in the chunk of the messages of each connection, by the numbers that the file itself gives those.
    pub index: BTreeMap<u32, Vec<(Time, u32)>>,
    /// Which connections these numbers are.
    pub connections: Vec<(u32, ConnectionId)>,
}

/// How thoroughly a chunk is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checks {
    /// Only what the messages need: blocks without wanted messages are neither decompressed nor checksummed.
    Quick,
    /// Every byte: checksums, the index against the data, records that nobody asked for.
    Full,
}

/// Index of a connection in [`Catalog::connections`].
pub type ConnectionId = u32;
/// Index of a chunk in [`Catalog::chunks`].
pub type ChunkId = u32;

#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// The format's name.
    pub format: &'static str,
    /// Bytes of the file.
    pub size: u64,
    /// Whether the file's own index was used; false after a recovery scan.
    pub indexed: bool,
    pub connections: Vec<Connection>,
    /// In file order. Spans may overlap and need not be sorted.
    pub chunks: Vec<Chunk>,
    pub warnings: Vec<Warning>,
    /// What lies at the location and is not in here, a sentence each.
    pub notes: Vec<String>,
}

impl Catalog {
    /// First to last message, over all chunks that hold any.
    pub fn span(&self) -> Option<Span> {
        self.chunks.iter().filter(|c| c.messages() > 0).map(|c| c.span).reduce(Span::union)
    }

    pub fn messages(&self) -> u64 {
        self.chunks.iter().map(Chunk::messages).sum()
    }
}

/// One publisher of one topic.
#[derive(Clone, Debug, Default)]
pub struct Connection {
    pub topic: Arc<str>,
    /// As the container spells it, e.g. `sensor_msgs/Imu`.
    pub type_name: Arc<str>,
    pub md5: Arc<str>,
    /// Message definition text; empty where the container has none.
    pub definition: Arc<str>,
    pub latching: bool,
    /// The publishing node, where known.
    pub callerid: Option<Arc<str>>,
    /// The recording that it was extracted from, where the container is a table that says so.
    pub bag: Option<Arc<str>>,
}

/// A latched connection with more chunks than this is none: its newest messages stand for it.
pub const MAX_LATCHED_CHUNKS: usize = 64;

impl Connection {
    /// Whether what it sent once goes on counting: latched, or static transforms, which recorders do not always mark.
    pub fn is_latched(&self) -> bool {
        self.latching || self.topic.ends_with("tf_static")
    }
}

#[derive(Clone, Debug)]
pub struct Chunk {
    /// Bytes of the chunk in the file, its index records included.
    pub range: Range<u64>,
    /// Receive times of the first and last message.
    pub span: Span,
    /// `none`, `lz4`, `bz2`; where only the chunk itself tells, as the index's best knowledge.
    pub compression: Arc<str>,
    /// Messages per connection; connections without messages are left out.
    pub counts: Vec<(ConnectionId, u32)>,
}

impl Chunk {
    pub fn messages(&self) -> u64 {
        self.counts.iter().map(|(_, n)| u64::from(*n)).sum()
    }
}

/// A set of connections of one catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ConnectionSet {
    All,
    /// Sorted, no duplicates.
    Only(Arc<[ConnectionId]>),
}

impl ConnectionSet {
    pub fn contains(&self, id: ConnectionId) -> bool {
        match self {
            ConnectionSet::All => true,
            ConnectionSet::Only(ids) => ids.binary_search(&id).is_ok(),
        }
    }
}

/// Something lost or odd in a file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Byte offset in the file.
    pub offset: u64,
    pub what: String,
}

/// One recorded message. `payload` shares memory with the chunk it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub connection: ConnectionId,
    /// Receive time.
    pub time: Time,
    pub payload: Bytes,
}

#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub messages: Vec<Message>,
    pub warnings: Vec<Warning>,
    /// The chunk is not where it should be, nothing of it was read: call again with these bytes.
    pub instead: Option<Range<u64>>,
}

/// Byte ranges that were read, as asked for.
#[derive(Clone, Debug, Default)]
pub struct Fetched {
    parts: Vec<(u64, Bytes)>,
}

impl Fetched {
    pub fn one(offset: u64, bytes: Bytes) -> Fetched {
        Fetched {
            parts: vec![(offset, bytes)],
        }
    }

    pub fn push(&mut self, offset: u64, bytes: Bytes) {
        self.parts.push((offset, bytes));
    }

    /// What was read, with the offset of each part.
    pub fn parts(&self) -> impl Iterator<Item = (u64, &Bytes)> {
        self.parts.iter().map(|(offset, bytes)| (*offset, bytes))
    }

    /// The bytes of `range`, if one part holds them all. No copy.
    pub fn get(&self, range: Range<u64>) -> Option<Bytes> {
        self.parts.iter().find_map(|(offset, bytes)| {
            let start = usize::try_from(range.start.checked_sub(*offset)?).ok()?;
            let end = usize::try_from(range.end.checked_sub(*offset)?).ok()?;
            (start <= end && end <= bytes.len()).then(|| bytes.slice(start..end))
        })
    }

    /// What there is from `offset` on, at most `len` bytes, from the part that holds `offset`.
    pub fn from(&self, offset: u64, len: u64) -> Option<Bytes> {
        self.parts.iter().find_map(|(start, bytes)| {
            let skip = usize::try_from(offset.checked_sub(*start)?).ok()?;
            (skip < bytes.len())
                .then(|| bytes.slice(skip..bytes.len().min(skip.saturating_add(usize::try_from(len).unwrap_or(usize::MAX)))))
        })
    }
}

/// Why a file cannot be read at all: a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FormatError(pub String);

/// The formats that can be read, in the order in which they are tried.
pub static FORMATS: &[&dyn Format] = &[
    &rosbag1::Rosbag1,
    &table::Parquet,
    &table::Arrow,
    &table::ArrowStream,
    &table::JsonLines,
    &table::JsonArray,
    &table::Csv,
    &textlog::TextLog,
];

/// The format of a file, or a sentence that says what it is instead and what to do.
pub fn recognise(name: &str, head: &[u8], len: u64) -> Result<&'static dyn Format, FormatError> {
    if let Some(what) = foreign::refusal(head, len) {
        return Err(FormatError(what));
    }
    let format = FORMATS.iter().copied().find(|format| format.sniff(name, head));
    format.ok_or_else(|| FormatError(foreign::guess(name, head)))
}

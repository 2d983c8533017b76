//! ROS 1 bags, format 2.0.
//!
//! Follows <https://wiki.ros.org/Bags/Format/2.0>. Where the file has an index that fits, nothing but the index is read to open it;
//! otherwise the records are walked. Every length is checked against the bytes that are there before it is believed.

mod buffer;
mod bz2;
mod chunk;
mod index;
mod indexer;
mod lz4;
mod record;
mod scan;
mod sparse;
mod summary;
mod unpack;
mod verify;
pub mod writer;

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use crate::format::{
    Batch, Catalog, Checks, Chunk, ChunkId, Connection, ConnectionId, ConnectionSet, Container, Fetched, Format, Indexer, ReadHere,
    StoredChunk, Warning,
};
use crate::time::{Span, Time};
use index::Tally;

pub use writer::MAGIC;

/// The format, for the table of formats.
pub struct Rosbag1;

impl Format for Rosbag1 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sniff(&self, _name: &str, head: &[u8]) -> bool {
        head.starts_with(MAGIC)
    }

    fn indexer(&self, len: u64) -> Box<dyn Indexer> {
        Box::new(indexer::BagIndexer::new(len))
    }
}

const NAME: &str = "rosbag1";
/// More of them say nothing new.
const MAX_UNDESCRIBED_WARNINGS: usize = 256;

/// Whether the bag header names an encryptor: such a bag holds no readable records.
pub(super) fn encryptor(head: &[u8]) -> Option<String> {
    let record::Peek::Record(bag) = record::peek(head, MAGIC.len()) else {
        return None;
    };
    let name = bag
        .header
        .encryptor
        .filter(|name| !name.is_empty() && *name != b"rosbag/NoEncryptor")?;
    Some(String::from_utf8_lossy(name).into_owned())
}

/// A bag whose chunks and connections are known.
#[derive(Clone, Default)]
struct Bag {
    catalog: Catalog,
    /// From the numbers that the file gives its connections.
    ids: HashMap<u32, ConnectionId>,
    /// Of each described connection's record, to tell whether its copies in chunks are the same.
    prints: HashMap<u32, u32>,
    /// Numbers of connections that messages use and no record has described so far, and where they were met.
    undescribed: BTreeMap<u32, u64>,
    /// One for each chunk of the catalogue.
    places: Vec<Place>,
}

/// Why an index is not used, and where that shows.
struct Lie(u64, String);

/// What a recovery scan knows better than the chunk's own header.
#[derive(Clone, Debug, Default)]
struct Place {
    /// Where the chunk's compressed data lies in the file, if not where its header says.
    data: Option<Range<u64>>,
}

impl Bag {
    /// Takes a connection record: the first of its number that names a type, or the first after messages that use it. `topic` is from
    /// its header, `data` holds the other fields.
    fn describe(&mut self, number: u32, topic: &[u8], data: &[u8]) {
        let is_undescribed = !self.ids.contains_key(&number) || self.undescribed.contains_key(&number);
        let Some(id) = self.id_of(number, 0) else { return };
        let Some(slot) = self.catalog.connections.get_mut(id as usize) else {
            return;
        };
        if !is_undescribed && !slot.type_name.is_empty() {
            return;
        }
        let found = connection(topic, data);
        if is_undescribed || !found.type_name.is_empty() {
            self.prints.insert(number, print(topic, data));
            self.undescribed.remove(&number);
            *slot = found;
        }
    }

    /// The connection of a number that was met at byte `at`; one without a name where no record has described it.
    fn id_of(&mut self, number: u32, at: u64) -> Option<ConnectionId> {
        if let Some(id) = self.ids.get(&number) {
            return Some(*id);
        }
        let id = ConnectionId::try_from(self.catalog.connections.len()).ok()?;
        self.ids.insert(number, id);
        self.undescribed.insert(number, at);
        self.catalog.connections.push(Connection {
            topic: format!("/connection_{number}").into(),
            ..Connection::default()
        });
        Some(id)
    }

    /// Warns of the connections that no record has described after all.
    fn warn_of_undescribed(&mut self) {
        let warning = |(number, offset)| Warning {
            offset,
            what: format!("connection {number} is described nowhere: its messages are shown as the topic /connection_{number}"),
        };
        let undescribed = std::mem::take(&mut self.undescribed);
        self.catalog
            .warnings
            .extend(undescribed.into_iter().map(warning).take(MAX_UNDESCRIBED_WARNINGS));
    }

    /// Whether the index says of a chunk what was found in it. Spans may be a little wide.
    fn agrees(&self, chunk: &Chunk, found: &Tally) -> bool {
        let counted = |(number, count): (&u32, &u32)| self.ids.get(number).is_some_and(|id| chunk.counts.contains(&(*id, *count)));
        found.counts.len() == chunk.counts.len() && found.counts.iter().all(counted) && found.span.is_none_or(|span| fits(chunk.span, span))
    }
}

/// Whether `claimed` holds `found` and not much more.
fn fits(claimed: Span, found: Span) -> bool {
    const SLACK_NANOS: i64 = 1_000_000_000;
    (0..=SLACK_NANOS).contains(&found.start.since(claimed.start)) && (0..=SLACK_NANOS).contains(&claimed.end.since(found.end))
}

/// Of a connection's record, in whichever order its fields stand. Its topic again, and that it is not latching, need no field.
fn print(topic: &[u8], mut data: &[u8]) -> u32 {
    let hash = |seed: u32, bytes: &[u8]| twox_hash::XxHash32::oneshot(seed, bytes);
    let mut sum = hash(0, topic);
    while let Ok((name, value)) = record::take_field(&mut data) {
        if (name, value) != (b"latching", b"0") && (name, value) != (b"topic", topic) {
            sum = sum.wrapping_add(hash(hash(0, name), value));
        }
    }
    // what is no field
    sum.wrapping_add(hash(1, data))
}

/// Whether a connection record's data is anything else than fields.
fn is_garbled(mut data: &[u8]) -> bool {
    while !data.is_empty() {
        if record::take_field(&mut data).is_err() {
            return true;
        }
    }
    false
}

/// Reads a connection record's data. Fields that are missing or cut short stay empty.
fn connection(topic: &[u8], mut data: &[u8]) -> Connection {
    let text = |value: &[u8]| -> Arc<str> { String::from_utf8_lossy(value).into() };
    let mut connection = Connection {
        topic: text(topic),
        ..Connection::default()
    };
    while let Ok((name, value)) = record::take_field(&mut data) {
        match name {
            b"type" => connection.type_name = text(value),
            b"md5sum" => connection.md5 = text(value),
            b"message_definition" => connection.definition = text(value),
            b"callerid" => connection.callerid = Some(text(value)),
            b"latching" => connection.latching = value == b"1",
            _ => {}
        }
    }
    connection
}

impl Container for Bag {
    fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    fn messages(&self, chunk: ChunkId, got: &Fetched, connections: &ConnectionSet, checks: Checks) -> Batch {
        chunk::messages(self, chunk, got, connections, checks)
    }

    fn needed(&self, chunk: ChunkId, connections: &ConnectionSet, read: &mut ReadHere) -> Option<Fetched> {
        chunk::needed(self, chunk, connections, read)
    }

    fn stored(&self, chunk: ChunkId, got: &Fetched) -> Option<StoredChunk> {
        chunk::stored(self, chunk, got)
    }

    fn own_numbers(&self) -> Vec<(u32, ConnectionId)> {
        self.ids.iter().map(|(number, id)| (*number, *id)).collect()
    }

    fn listed(&self, chunk: ChunkId, got: &Fetched) -> Option<Vec<(ConnectionId, Time)>> {
        chunk::listed(self, chunk, got)
    }
}

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
mod unpack;
pub mod writer;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::format::{
    Batch, Catalog, Checks, ChunkId, Connection, ConnectionId, ConnectionSet, Container, Fetched, Format, Indexer, arrivals_of,
};
use crate::time::Time;

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
    /// One for each chunk of the catalogue.
    places: Vec<Place>,
}

/// What a recovery scan knows better than the chunk's own header.
#[derive(Clone, Debug, Default)]
struct Place {
    /// Where the chunk's compressed data lies in the file, if not where its header says.
    data: Option<Range<u64>>,
}

impl Bag {
    /// Adds a connection record, the first of its number; `topic` is from its header, `data` holds the other fields.
    fn add_connection(&mut self, number: u32, topic: &[u8], data: &[u8]) {
        if let (false, Ok(id)) = (
            self.ids.contains_key(&number),
            ConnectionId::try_from(self.catalog.connections.len()),
        ) {
            self.ids.insert(number, id);
            self.catalog.connections.push(connection(topic, data));
            self.prints.insert(number, print(topic, data));
        }
    }
}

fn print(topic: &[u8], data: &[u8]) -> u32 {
    twox_hash::XxHash32::oneshot(twox_hash::XxHash32::oneshot(0, topic), data)
}

/// The topic of a connection that no record describes.
fn nameless_topic(number: u32) -> String {
    format!("/connection_{number}")
}

fn undescribed_warning(number: u32) -> String {
    format!(
        "connection {number} is described nowhere: its messages are shown as the topic {}",
        nameless_topic(number)
    )
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

    fn need(&self, chunk: ChunkId, _connections: &ConnectionSet) -> Range<u64> {
        self.catalog.chunks.get(chunk as usize).map_or(0..0, |chunk| chunk.range.clone())
    }

    fn messages(&self, chunk: ChunkId, got: &Fetched, connections: &ConnectionSet, checks: Checks) -> Batch {
        chunk::messages(self, chunk, got, connections, checks)
    }

    fn arrivals(&self, chunk: ChunkId, got: &Fetched) -> Vec<(ConnectionId, Time)> {
        chunk::arrivals(self, chunk, got).unwrap_or_else(|| arrivals_of(self.messages(chunk, got, &ConnectionSet::All, Checks::Quick)))
    }
}

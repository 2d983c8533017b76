//! Writes ROS 1 bags that ROS's own tools read: connections, chunks with their index records, and the index at the end.
//!
//! Pure: writes where it is told. Nothing is kept in memory but the open chunk and one line per chunk.

use std::collections::BTreeMap;
use std::io::{self, Seek, SeekFrom, Write};

use crate::format::{Connection, ConnectionId, StoredChunk};
use crate::time::Time;

pub const MAGIC: &[u8] = b"#ROSBAG V2.0\n";
/// `rosbag record` closes a chunk once it holds this much.
const CHUNK_THRESHOLD: usize = 768 * 1024;
/// The bag header and its padding, lengths not counted, as ROS writes it.
const BAG_HEADER_BYTES: usize = 4096;
/// roslz4 writes blocks of 1 MiB.
const LZ4_BLOCK_BYTES: usize = 1 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    None,
    Lz4,
    Bz2,
}

impl Compression {
    /// As the `compression` field of a chunk header spells it.
    pub fn name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Lz4 => "lz4",
            Compression::Bz2 => "bz2",
        }
    }
}

/// An open bag. Without [`Writer::finish`] the file has no index, like a `.bag.active`.
pub struct Writer<W: Write + Seek> {
    out: W,
    compression: Compression,
    chunk_threshold: usize,
    at: u64,
    connections: BTreeMap<u32, Described>,
    chunk: OpenChunk,
    infos: Vec<ChunkInfo>,
}

/// A connection's record, and whether it stands in a chunk already.
struct Described {
    record: Vec<u8>,
    is_written: bool,
}

#[derive(Default)]
struct OpenChunk {
    data: Vec<u8>,
    /// Per connection: time and offset of each message.
    index: BTreeMap<ConnectionId, Vec<(RosTime, u32)>>,
}

struct ChunkInfo {
    at: u64,
    start: RosTime,
    end: RosTime,
    counts: Vec<(ConnectionId, u32)>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct RosTime {
    sec: u32,
    nsec: u32,
}

impl RosTime {
    fn bytes(self) -> [u8; 8] {
        let mut bytes = [0; 8];
        bytes[..4].copy_from_slice(&self.sec.to_le_bytes());
        bytes[4..].copy_from_slice(&self.nsec.to_le_bytes());
        bytes
    }
}

impl TryFrom<Time> for RosTime {
    type Error = io::Error;

    fn try_from(time: Time) -> io::Result<RosTime> {
        let sec = time.nanos().div_euclid(1_000_000_000);
        let nsec = time.nanos().rem_euclid(1_000_000_000);
        match (u32::try_from(sec), u32::try_from(nsec)) {
            (Ok(sec), Ok(nsec)) => Ok(RosTime { sec, nsec }),
            _ => Err(invalid(format!(
                "{} ns is outside of ROS time, which runs from 1970 to 2106",
                time.nanos()
            ))),
        }
    }
}

impl<W: Write + Seek> Writer<W> {
    /// Starts a bag at the start of `out`.
    pub fn new(mut out: W, compression: Compression) -> io::Result<Writer<W>> {
        out.write_all(MAGIC)?;
        let header = bag_header(0, 0, 0)?;
        out.write_all(&header)?;
        Ok(Writer {
            out,
            compression,
            chunk_threshold: CHUNK_THRESHOLD,
            at: (MAGIC.len() + header.len()) as u64,
            connections: BTreeMap::new(),
            chunk: OpenChunk::default(),
            infos: Vec::new(),
        })
    }

    /// Closes each chunk once it holds `bytes` of records.
    pub fn with_chunk_threshold(mut self, bytes: usize) -> Self {
        self.chunk_threshold = bytes;
        self
    }

    pub fn add_connection(&mut self, connection: &Connection) -> ConnectionId {
        let id = self.connections.last_key_value().map_or(0, |(last, _)| last.saturating_add(1));
        self.add_connection_as(id, connection);
        id
    }

    /// Under the number that chunks use which are copied as they are. One that is there already stays.
    pub fn add_connection_as(&mut self, id: u32, connection: &Connection) {
        let mut header = Vec::new();
        field(&mut header, "conn", &id.to_le_bytes());
        field(&mut header, "op", &[0x07]);
        field(&mut header, "topic", connection.topic.as_bytes());
        let mut data = Vec::new();
        field(&mut data, "topic", connection.topic.as_bytes());
        field(&mut data, "type", connection.type_name.as_bytes());
        field(&mut data, "md5sum", connection.md5.as_bytes());
        field(&mut data, "message_definition", connection.definition.as_bytes());
        if let Some(callerid) = &connection.callerid {
            field(&mut data, "callerid", callerid.as_bytes());
        }
        if connection.latching {
            field(&mut data, "latching", b"1");
        }
        let mut record = Vec::new();
        put(&mut record, &header);
        put(&mut record, &data);
        self.connections.entry(id).or_insert(Described { record, is_written: false });
    }

    /// Appends a message that was received at `time`.
    pub fn write(&mut self, connection: ConnectionId, time: Time, payload: &[u8]) -> io::Result<()> {
        let time = RosTime::try_from(time)?;
        let described = self
            .connections
            .get_mut(&connection)
            .ok_or_else(|| invalid(format!("connection {connection} was never added")))?;
        u32::try_from(payload.len()).map_err(|_| invalid(format!("a message of {} bytes is more than a bag can hold", payload.len())))?;
        if !described.is_written {
            self.chunk.data.extend_from_slice(&described.record);
            described.is_written = true;
        }
        let offset = u32::try_from(self.chunk.data.len()).map_err(|_| invalid("the chunk grew beyond 4 GiB".into()))?;
        self.chunk.index.entry(connection).or_default().push((time, offset));
        let mut header = Vec::with_capacity(64);
        field(&mut header, "conn", &connection.to_le_bytes());
        field(&mut header, "op", &[0x02]);
        field(&mut header, "time", &time.bytes());
        put(&mut self.chunk.data, &header);
        put(&mut self.chunk.data, payload);
        if self.chunk.data.len() >= self.chunk_threshold {
            self.close_chunk()?;
        }
        Ok(())
    }

    /// Ends the open chunk, if it holds anything; the next message starts a new one.
    pub fn close_chunk(&mut self) -> io::Result<()> {
        let chunk = std::mem::take(&mut self.chunk);
        let times = || chunk.index.values().flatten().map(|(time, _)| *time);
        let (Some(start), Some(end)) = (times().min(), times().max()) else {
            return Ok(());
        };
        let packed = compress(self.compression, &chunk.data)?;
        let size = u32::try_from(chunk.data.len()).map_err(|_| invalid("the chunk grew beyond 4 GiB".into()))?;
        let mut header = Vec::new();
        field(&mut header, "compression", self.compression.name().as_bytes());
        field(&mut header, "op", &[0x05]);
        field(&mut header, "size", &size.to_le_bytes());
        self.infos.push(ChunkInfo {
            at: self.at,
            start,
            end,
            counts: chunk.index.iter().map(|(id, entries)| (*id, entries.len() as u32)).collect(),
        });
        self.emit(&header, packed.as_deref().unwrap_or(&chunk.data))?;
        for (id, entries) in &chunk.index {
            self.emit_index(*id, entries)?;
        }
        self.chunk.data = chunk.data;
        self.chunk.data.clear();
        Ok(())
    }

    /// Takes over a chunk as another bag stores it; its connections have to be there under the numbers that it uses. Its index is written
    /// anew: readers take it that all index records of a bag have their fields in one order.
    pub fn copy_chunk(&mut self, stored: &StoredChunk) -> io::Result<()> {
        self.close_chunk()?;
        self.infos.push(ChunkInfo {
            at: self.at,
            start: RosTime::try_from(stored.span.start)?,
            end: RosTime::try_from(stored.span.end)?,
            counts: stored.index.iter().map(|(id, entries)| (*id, entries.len() as u32)).collect(),
        });
        self.out.write_all(&stored.record)?;
        self.at += stored.record.len() as u64;
        for (id, entries) in &stored.index {
            let entries = entries.iter().map(|(time, offset)| Ok((RosTime::try_from(*time)?, *offset)));
            self.emit_index(*id, &entries.collect::<io::Result<Vec<_>>>()?)?;
        }
        Ok(())
    }

    fn emit_index(&mut self, id: ConnectionId, entries: &[(RosTime, u32)]) -> io::Result<()> {
        let mut header = Vec::new();
        field(&mut header, "conn", &id.to_le_bytes());
        field(&mut header, "count", &(entries.len() as u32).to_le_bytes());
        field(&mut header, "op", &[0x04]);
        field(&mut header, "ver", &1u32.to_le_bytes());
        let mut data = Vec::with_capacity(entries.len() * 12);
        for (time, offset) in entries {
            data.extend_from_slice(&time.bytes());
            data.extend_from_slice(&offset.to_le_bytes());
        }
        self.emit(&header, &data)
    }

    /// Writes the index, and the bag header that points to it.
    pub fn finish(mut self) -> io::Result<W> {
        self.close_chunk()?;
        self.write_index()?;
        self.out.seek(SeekFrom::End(0))?;
        self.out.flush()?;
        Ok(self.out)
    }

    /// As [`Writer::finish`], but goes on: what was written so far is a whole bag until the next chunk is written over the index.
    pub fn publish(&mut self) -> io::Result<()> {
        self.close_chunk()?;
        let index_at = self.at;
        self.write_index()?;
        self.out.flush()?;
        self.out.seek(SeekFrom::Start(index_at))?;
        self.at = index_at;
        Ok(())
    }

    fn write_index(&mut self) -> io::Result<()> {
        let index_at = self.at;
        for described in self.connections.values() {
            self.out.write_all(&described.record)?;
        }
        let infos = std::mem::take(&mut self.infos);
        for info in &infos {
            let mut header = Vec::new();
            field(&mut header, "chunk_pos", &info.at.to_le_bytes());
            field(&mut header, "count", &(info.counts.len() as u32).to_le_bytes());
            field(&mut header, "end_time", &info.end.bytes());
            field(&mut header, "op", &[0x06]);
            field(&mut header, "start_time", &info.start.bytes());
            field(&mut header, "ver", &1u32.to_le_bytes());
            let mut data = Vec::new();
            for (id, count) in &info.counts {
                data.extend_from_slice(&id.to_le_bytes());
                data.extend_from_slice(&count.to_le_bytes());
            }
            self.emit(&header, &data)?;
        }
        let header = bag_header(index_at, self.connections.len() as u32, infos.len() as u32)?;
        self.out.seek(SeekFrom::Start(MAGIC.len() as u64))?;
        self.out.write_all(&header)?;
        self.infos = infos;
        Ok(())
    }

    fn emit(&mut self, header: &[u8], data: &[u8]) -> io::Result<()> {
        for part in [header, data] {
            let len = u32::try_from(part.len()).map_err(|_| invalid("a record grew beyond 4 GiB".into()))?;
            self.out.write_all(&len.to_le_bytes())?;
            self.out.write_all(part)?;
            self.at += 4 + part.len() as u64;
        }
        Ok(())
    }
}

fn bag_header(index_at: u64, connections: u32, chunks: u32) -> io::Result<Vec<u8>> {
    let mut header = Vec::new();
    field(&mut header, "chunk_count", &chunks.to_le_bytes());
    field(&mut header, "conn_count", &connections.to_le_bytes());
    field(&mut header, "index_pos", &index_at.to_le_bytes());
    field(&mut header, "op", &[0x03]);
    let padding = vec![b' '; BAG_HEADER_BYTES.saturating_sub(header.len())];
    let mut record = Vec::new();
    put(&mut record, &header);
    put(&mut record, &padding);
    Ok(record)
}

/// Appends `name=value` with its length, as record headers spell it.
fn field(header: &mut Vec<u8>, name: &str, value: &[u8]) {
    header.extend_from_slice(&((name.len() + 1 + value.len()) as u32).to_le_bytes());
    header.extend_from_slice(name.as_bytes());
    header.push(b'=');
    header.extend_from_slice(value);
}

fn put(record: &mut Vec<u8>, part: &[u8]) {
    record.extend_from_slice(&(part.len() as u32).to_le_bytes());
    record.extend_from_slice(part);
}

fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

/// The data as the chunk stores it; None where that is the data itself.
fn compress(how: Compression, data: &[u8]) -> io::Result<Option<Vec<u8>>> {
    match how {
        Compression::None => Ok(None),
        Compression::Lz4 => lz4_frame(data).map(Some),
        Compression::Bz2 => {
            let mut out = bzip2::write::BzEncoder::new(Vec::with_capacity(data.len() / 4), bzip2::Compression::best());
            out.write_all(data)?;
            out.finish().map(Some)
        }
    }
}

/// The frame that roslz4 writes: independent blocks of 1 MiB, a content checksum, no content size.
fn lz4_frame(data: &[u8]) -> io::Result<Vec<u8>> {
    const VERSION_1_INDEPENDENT_CONTENT_CHECKSUM: u8 = 0b0110_0100;
    const BLOCKS_OF_1_MIB: u8 = 6 << 4;
    const STORED: u32 = 1 << 31;
    let descriptor = [VERSION_1_INDEPENDENT_CONTENT_CHECKSUM, BLOCKS_OF_1_MIB];
    let mut frame = Vec::with_capacity(data.len() / 2 + 64);
    frame.extend_from_slice(&0x184D_2204u32.to_le_bytes());
    frame.extend_from_slice(&descriptor);
    frame.push(twox_hash::XxHash32::oneshot(0, &descriptor).to_le_bytes()[1]);
    let mut packed = vec![0; lz4_flex::block::get_maximum_output_size(data.len().min(LZ4_BLOCK_BYTES))];
    for block in data.chunks(LZ4_BLOCK_BYTES) {
        let len = lz4_flex::block::compress_into(block, &mut packed).map_err(|e| io::Error::other(e.to_string()))?;
        match packed.get(..len).filter(|_| len < block.len()) {
            Some(packed) => put(&mut frame, packed),
            None => {
                frame.extend_from_slice(&(block.len() as u32 | STORED).to_le_bytes());
                frame.extend_from_slice(block);
            }
        }
    }
    frame.extend_from_slice(&0u32.to_le_bytes());
    frame.extend_from_slice(&twox_hash::XxHash32::oneshot(0, data).to_le_bytes());
    Ok(frame)
}

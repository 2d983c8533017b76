//! The messages of some connections, without reading or decompressing what they do not need.
//!
//! The index behind a chunk says where they are; of an LZ4 frame of independent blocks only the blocks that hold them are decompressed,
//! each as far as the last of them, and where short reads cost nothing only these are read. Every promise is verified on the way (block sizes, the record at each
//! offset); where one does not hold, the whole chunk is read.

use std::ops::Range;

use bytes::Bytes;

use super::Bag;
use super::buffer::Buffer;
use super::chunk::{Head, Out};
use super::index::{ChunkIndex, Entry};
use super::lz4::{Block, Frame, decode_until};
use super::record::{self, MESSAGE, Peek};
use super::unpack::{Compression, MAX_CHUNK_BYTES, unpack};
use crate::format::{Chunk, ConnectionSet, Fetched, Message, ReadHere};

/// Messages that fill less than this part of a buffer are copied out of it, so that they do not keep it in memory.
const COPY_BELOW: usize = 4;
/// The record's header and the description of what its data is compressed with lie in so many bytes.
const HEAD_BYTES: u64 = 512;
/// A chunk that is no larger is read at once.
const SMALL_BYTES: u64 = 64 << 10;
/// Index records that take more are read with their chunk.
const MAX_INDEX_BYTES: u64 = 4 << 20;
/// Messages that lie so near to each other are read at once.
const GAP_BYTES: usize = 16 << 10;
/// To read more than this part of a chunk in pieces is no gain.
const WORTH_IT: f64 = 0.7;

/// The bytes of a range of the chunk's data, as the file stores it.
type Read<'a> = dyn FnMut(Range<usize>) -> Option<Bytes> + 'a;

/// Appends the messages of `wanted`. False, with nothing appended, where the whole chunk has to be read.
pub(super) fn messages(
    bag: &Bag,
    chunk: &Chunk,
    head: &Head,
    body: &Bytes,
    index: &ChunkIndex,
    wanted: &ConnectionSet,
    out: &mut Out,
) -> bool {
    let Some(spots) = spots(bag, chunk, head, index, wanted) else {
        return false;
    };
    let read = match head.compression {
        Compression::Bz2 if !spots.is_empty() => {
            let unpacked = unpack(head.compression, body, head.size as usize, false);
            unpacked.faults.is_empty().then(|| Stored::Plain(vec![(0, unpacked.bytes.clone())]))
        }
        Compression::None => Some(Stored::Plain(vec![(0, body.clone())])),
        _ => stored(head, &spots, &mut |range| (range.end <= body.len()).then(|| body.slice(range))),
    };
    let found = read.and_then(|stored| stored.messages(bag, head, &spots));
    let is_read = found.is_some();
    out.batch.messages.extend(found.unwrap_or_default());
    is_read
}

/// The bytes that [`pieced`] finds the messages of `wanted` in. None where to read the whole chunk is no worse.
pub(super) fn needed(bag: &Bag, chunk: &Chunk, wanted: &ConnectionSet, read: &mut ReadHere) -> Option<Fetched> {
    if chunk.range.end.saturating_sub(chunk.range.start) <= SMALL_BYTES {
        return None;
    }
    let mut got = Fetched::default();
    let mut keep = |range: Range<u64>| {
        let bytes = read(range.clone()).filter(|bytes| bytes.len() as u64 == range.end - range.start)?;
        got.push(range.start, bytes.clone());
        Some(bytes)
    };
    let (head, spots) = known(bag, chunk, wanted, &mut keep)?;
    let data = chunk.range.start + head.data.start as u64;
    stored(&head, &spots, &mut |range| keep(data + range.start as u64..data + range.end as u64))?;
    Some(got)
}

/// The messages of `wanted`, from what [`needed`] read.
pub(super) fn pieced(bag: &Bag, chunk: &Chunk, wanted: &ConnectionSet, got: &Fetched) -> Option<Vec<Message>> {
    let (head, spots) = known(bag, chunk, wanted, &mut |range| got.get(range))?;
    let data = chunk.range.start + head.data.start as u64;
    let stored = stored(&head, &spots, &mut |range| {
        got.get(data + range.start as u64..data + range.end as u64)
    })?;
    stored.messages(bag, &head, &spots)
}

/// What a chunk says of itself before and behind its data, without that.
fn known(bag: &Bag, chunk: &Chunk, wanted: &ConnectionSet, read: &mut ReadHere) -> Option<(Head, Vec<Spot>)> {
    let Range { start, end } = chunk.range;
    let head = Head::read(&read(start..end.min(start.saturating_add(HEAD_BYTES)))?, 0).ok()?;
    let index_at = start.checked_add(head.data.end as u64).filter(|at| *at < end)?;
    if end - index_at > MAX_INDEX_BYTES {
        return None;
    }
    let bytes = read(index_at..end)?;
    let index = ChunkIndex::read(&bytes, 0);
    // what else lies there, or says something else than the file's index, is looked at with the whole chunk at hand
    if index.end != bytes.len() || !bag.catalog.indexed || !bag.agrees(chunk, &index.tally()) {
        return None;
    }
    let spots = spots(bag, chunk, &head, &index, wanted)?;
    Some((head, spots))
}

/// A wanted message: its entry, and where the next one in the chunk starts.
struct Spot {
    entry: Entry,
    end: usize,
}

impl Spot {
    fn range(&self) -> Range<usize> {
        self.entry.offset as usize..self.end
    }
}

/// Where the wanted messages are; None where the index behind the chunk does not name them all.
fn spots(bag: &Bag, chunk: &Chunk, head: &Head, index: &ChunkIndex, wanted: &ConnectionSet) -> Option<Vec<Spot>> {
    let ConnectionSet::Only(ids) = wanted else { return None };
    let counts = chunk.counts.iter().filter(|(id, _)| ids.contains(id));
    let listed: u64 = counts.map(|(_, n)| u64::from(*n)).sum();
    let mut spots = Vec::new();
    let mut rest = index.entries.iter().peekable();
    while let Some(entry) = rest.next() {
        let end = rest.peek().map_or(head.size, |next| next.offset);
        if bag.ids.get(&entry.conn).is_some_and(|id| wanted.contains(*id)) {
            if end <= entry.offset || end > head.size {
                return None;
            }
            spots.push(Spot {
                entry: *entry,
                end: end as usize,
            });
        }
    }
    (index.faults.is_empty() && spots.len() as u64 == listed).then_some(spots)
}

/// The parts of a chunk's data that hold wanted messages, as the file stores them.
enum Stored {
    /// By where they start.
    Plain(Vec<(usize, Bytes)>),
    /// Of blocks that hold `block_bytes` each: those that are needed, by their numbers.
    Lz4 { block_bytes: usize, blocks: Vec<Needed> },
}

struct Needed {
    number: usize,
    block: Block,
    bytes: Bytes,
    /// The first so many bytes that it holds are all that is needed.
    until: usize,
}

/// None where the data cannot be read in parts, or where nearly all of it is needed.
fn stored(head: &Head, spots: &[Spot], read: &mut Read) -> Option<Stored> {
    if spots.is_empty() {
        return Some(Stored::Plain(Vec::new()));
    }
    match head.compression {
        Compression::None => plain(head, spots, read),
        Compression::Lz4 => blocks(head, spots, read),
        Compression::Bz2 | Compression::Unknown => None,
    }
}

fn plain(head: &Head, spots: &[Spot], read: &mut Read) -> Option<Stored> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for range in spots.iter().map(Spot::range) {
        match ranges.last_mut() {
            Some(last) if range.start <= last.end.saturating_add(GAP_BYTES) => last.end = last.end.max(range.end),
            _ => ranges.push(range),
        }
    }
    let bytes: usize = ranges.iter().map(Range::len).sum();
    if bytes as f64 > f64::from(head.size) * WORTH_IT || ranges.last()?.end > head.data.len() {
        return None;
    }
    let parts = ranges.into_iter().map(|range| Some((range.start, read(range)?)));
    Some(Stored::Plain(parts.collect::<Option<_>>()?))
}

fn blocks(head: &Head, spots: &[Spot], read: &mut Read) -> Option<Stored> {
    let size = head.size as usize;
    let room = head.data.len();
    let frame = Frame::begin(&read(0..room.min(Frame::MAX_HEADER_BYTES))?)?;
    let block_bytes = frame.block_bytes;
    if frame.is_linked || size > MAX_CHUNK_BYTES {
        return None;
    }
    let mut needed = vec![0; size.div_ceil(block_bytes)];
    for range in spots.iter().map(Spot::range) {
        let last = range.end.checked_sub(1)? / block_bytes;
        let until = needed.get(last)?.max(&(range.end - last * block_bytes)).to_owned();
        needed.get_mut(range.start / block_bytes..last)?.fill(block_bytes);
        *needed.get_mut(last)? = until;
    }
    let mut at = frame.header_bytes;
    let mut blocks = Vec::new();
    for (number, until) in needed.into_iter().enumerate() {
        let word = record::u32_at(&read(at..at.checked_add(4).filter(|end| *end <= room)?)?, 0)?;
        let block = Block::of(word).filter(|block| block.bytes.len() <= block_bytes)?;
        let start = at + 4;
        let end = start + block.bytes.len();
        if end > room {
            return None;
        }
        if until > 0 {
            let bytes = read(start..end)?;
            blocks.push(Needed {
                number,
                block,
                bytes,
                until,
            });
        }
        at = end + frame.checksum_bytes;
    }
    // nothing follows but the mark of the end
    (record::u32_at(&read(at..at.checked_add(4).filter(|end| *end <= room)?)?, 0)? == 0).then_some(Stored::Lz4 { block_bytes, blocks })
}

impl Stored {
    fn messages(&self, bag: &Bag, head: &Head, spots: &[Spot]) -> Option<Vec<Message>> {
        match self {
            Stored::Plain(parts) => {
                let held = parts.iter().map(|(_, bytes)| bytes.len()).sum();
                let record = |range: Range<usize>| {
                    let at = parts.partition_point(|(start, _)| *start <= range.start).checked_sub(1)?;
                    let (start, bytes) = parts.get(at)?;
                    (range.end - start <= bytes.len()).then(|| bytes.slice(range.start - start..range.end - start))
                };
                records(bag, spots, held, &record)
            }
            Stored::Lz4 { block_bytes, blocks } => {
                let block_bytes = *block_bytes;
                let room = blocks.len().checked_mul(block_bytes)?;
                let most: usize = blocks.iter().map(|needed| needed.block.most(block_bytes)).sum();
                if most.saturating_add(block_bytes) < room {
                    return None;
                }
                // a message lies in neighbours, so it stays in one piece
                let mut buffer = Buffer::with_len(room);
                for (slot, needed) in blocks.iter().enumerate() {
                    let holds = block_bytes.min((head.size as usize).checked_sub(needed.number * block_bytes)?);
                    let into = buffer.all().get_mut(slot * block_bytes..slot * block_bytes + holds)?;
                    decode_until(&needed.block, &needed.bytes, needed.until, into)?;
                }
                let unpacked = buffer.share(room);
                let record = |range: Range<usize>| {
                    let number = range.start / block_bytes;
                    let slot = blocks.binary_search_by_key(&number, |needed| needed.number).ok()?;
                    let at = slot * block_bytes + range.start % block_bytes;
                    let end = at + range.len();
                    (end <= unpacked.len()).then(|| unpacked.slice(at..end))
                };
                records(bag, spots, room, &record)
            }
        }
    }
}

/// Messages out of their records, which share `held` bytes of memory.
fn records(bag: &Bag, spots: &[Spot], held: usize, record: &dyn Fn(Range<usize>) -> Option<Bytes>) -> Option<Vec<Message>> {
    let mut messages = Vec::with_capacity(spots.len());
    let mut total = 0;
    for spot in spots {
        let (entry, bytes) = (spot.entry, record(spot.range())?);
        let Peek::Record(found) = record::peek(&bytes, 0) else {
            return None;
        };
        let fits = found.header.op == MESSAGE && found.header.conn == Some(entry.conn) && found.header.time == Some(entry.time);
        if !fits || found.data.end > bytes.len() {
            return None;
        }
        total += found.data.len();
        messages.push(Message {
            connection: *bag.ids.get(&entry.conn)?,
            time: entry.time,
            payload: bytes.slice(found.data),
        });
    }
    if total.saturating_mul(COPY_BELOW) < held {
        let mut copy = Vec::with_capacity(total);
        messages.iter().for_each(|message| copy.extend_from_slice(&message.payload));
        let mut copy = Bytes::from(copy);
        messages
            .iter_mut()
            .for_each(|message| message.payload = copy.split_to(message.payload.len()));
    }
    Some(messages)
}

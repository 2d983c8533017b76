//! The messages of some connections, without decompressing what they do not need.
//!
//! The index behind a chunk says where they are; of an LZ4 frame of independent blocks only the blocks that hold them are decompressed.
//! Every promise is verified on the way (block sizes, the record at each offset); where one does not hold, the whole chunk is read.

use bytes::Bytes;

use super::Bag;
use super::buffer::Buffer;
use super::chunk::{Head, Out};
use super::index::{ChunkIndex, Entry};
use super::lz4::{Frame, decode_one};
use super::record::{self, MESSAGE, Peek};
use super::unpack::{Compression, MAX_CHUNK_BYTES, unpack};
use crate::format::{Chunk, ConnectionSet, Message};

/// Messages that fill less than this part of a buffer are copied out of it, so that they do not keep it in memory.
const COPY_BELOW: usize = 4;

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
    let ConnectionSet::Only(ids) = wanted else { return false };
    let listed: u64 = chunk
        .counts
        .iter()
        .filter(|(id, _)| ids.contains(id))
        .map(|(_, n)| u64::from(*n))
        .sum();
    let Some(spots) = spots(bag, index, wanted, head.size) else {
        return false;
    };
    if !index.faults.is_empty() || spots.len() as u64 != listed {
        return false;
    }
    if spots.is_empty() {
        return true;
    }
    let read = match head.compression {
        Compression::Lz4 => from_lz4(bag, head, body, &spots),
        Compression::None => from_slots(bag, body, &spots, &|offset| Some(offset)),
        Compression::Bz2 => {
            let unpacked = unpack(head.compression, body, head.size as usize, false);
            if !unpacked.faults.is_empty() {
                return false;
            }
            from_slots(bag, &unpacked.bytes, &spots, &|offset| Some(offset))
        }
        Compression::Unknown => None,
    };
    match read {
        Some(messages) => {
            out.batch.messages.extend(messages);
            true
        }
        None => false,
    }
}

/// A wanted message: its entry, and where the next one in the chunk starts.
struct Spot {
    entry: Entry,
    end: usize,
}

fn spots(bag: &Bag, index: &ChunkIndex, wanted: &ConnectionSet, size: u32) -> Option<Vec<Spot>> {
    let mut spots = Vec::new();
    let mut rest = index.entries.iter().peekable();
    while let Some(entry) = rest.next() {
        let end = rest.peek().map_or(size, |next| next.offset);
        if bag.ids.get(&entry.conn).is_some_and(|id| wanted.contains(*id)) {
            if end <= entry.offset || end > size {
                return None;
            }
            spots.push(Spot {
                entry: *entry,
                end: end as usize,
            });
        }
    }
    Some(spots)
}

fn from_lz4(bag: &Bag, head: &Head, body: &Bytes, spots: &[Spot]) -> Option<Vec<Message>> {
    let frame = Frame::read(body);
    let (size, block_bytes) = (head.size as usize, frame.block_bytes);
    if frame.linked || !frame.faults.is_empty() || frame.blocks.len() != size.div_ceil(block_bytes) || size > MAX_CHUNK_BYTES {
        return None;
    }
    // Blocks that are needed get slots of `block_bytes` in order; a message lies in neighbours, so it stays in one piece.
    let mut slots: Vec<Option<usize>> = vec![None; frame.blocks.len()];
    for spot in spots {
        let last = spot.end.checked_sub(1)? / block_bytes;
        for slot in slots.get_mut(spot.entry.offset as usize / block_bytes..=last)? {
            *slot = Some(0);
        }
    }
    let mut count = 0;
    for slot in slots.iter_mut().flatten() {
        *slot = count;
        count += 1;
    }
    let room = count.checked_mul(block_bytes)?;
    let most = frame
        .blocks
        .iter()
        .zip(&slots)
        .filter(|(_, slot)| slot.is_some())
        .map(|(b, _)| b.most(block_bytes))
        .sum::<usize>();
    if most.saturating_add(block_bytes) < room {
        return None;
    }
    let mut buffer = Buffer::with_len(room);
    for (i, (block, slot)) in frame.blocks.iter().zip(&slots).enumerate() {
        let Some(slot) = slot else { continue };
        let holds = block_bytes.min(size - i * block_bytes);
        let into = buffer.all().get_mut(slot * block_bytes..slot * block_bytes + holds)?;
        if decode_one(block, body, into)? != holds {
            return None;
        }
    }
    let bytes = buffer.share(room);
    from_slots(bag, &bytes, spots, &|offset| {
        Some((*slots.get(offset / block_bytes)?)? * block_bytes + offset % block_bytes)
    })
}

/// Reads the messages out of `bytes`, where `place` says the chunk's byte of an offset to be.
fn from_slots(bag: &Bag, bytes: &Bytes, spots: &[Spot], place: &dyn Fn(usize) -> Option<usize>) -> Option<Vec<Message>> {
    let mut messages = Vec::with_capacity(spots.len());
    let mut total = 0;
    for Spot { entry, end } in spots {
        let at = place(entry.offset as usize)?;
        let Peek::Record(found) = record::peek(bytes, at) else {
            return None;
        };
        let fits = found.header.op == MESSAGE && found.header.conn == Some(entry.conn) && found.header.time == Some(entry.time);
        if !fits || found.data.end - at > end - entry.offset as usize || found.data.end > bytes.len() {
            return None;
        }
        total += found.data.len();
        messages.push(Message {
            connection: *bag.ids.get(&entry.conn)?,
            time: entry.time,
            payload: bytes.slice(found.data),
        });
    }
    if total.saturating_mul(COPY_BELOW) < bytes.len() {
        let mut copy = Vec::with_capacity(total);
        messages.iter().for_each(|message| copy.extend_from_slice(&message.payload));
        let mut copy = Bytes::from(copy);
        messages
            .iter_mut()
            .for_each(|message| message.payload = copy.split_to(message.payload.len()));
    }
    Some(messages)
}

//! The messages of one chunk, and every check of it.
//!
//! Payloads share memory with the bytes that were fetched (uncompressed chunks) or with one buffer per chunk.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use bytes::Bytes;

use super::index::{ChunkIndex, Entry, Tally, is_filler, is_padding};
use super::record::{self, CHUNK, INDEX_DATA, Peek};
use super::unpack::{Compression, Fault, Item, unpack, walk};
use super::{Bag, sparse};
use crate::format::{Batch, Checks, Chunk, ChunkId, ConnectionId, ConnectionSet, Fetched, Message, ReadHere, StoredChunk, Warning};
use crate::time::Time;

/// More warnings about one chunk say nothing new.
const MAX_WARNINGS: usize = 64;

/// A chunk record: what its header says and where its data lies in the bytes at hand.
pub(super) struct Head {
    pub compression: Compression,
    pub name: String,
    pub size: u32,
    pub data: Range<usize>,
}

impl Head {
    /// The chunk record at `at`, if there is one. Its data may end beyond the bytes.
    pub fn read(bytes: &[u8], at: usize) -> Result<Head, String> {
        match record::peek(bytes, at) {
            Peek::Bad(what) => Err(what),
            Peek::Short(_) => Err("a chunk record that is cut short".into()),
            Peek::Record(found) if found.header.op != CHUNK => Err(format!("a record of kind {}", found.header.op)),
            Peek::Record(found) => {
                let name = found.header.compression.ok_or("a chunk header without compression")?;
                let size = found.header.size.ok_or("a chunk header without size")?;
                Ok(Head {
                    compression: Compression::of(name),
                    name: String::from_utf8_lossy(name).into_owned(),
                    size,
                    data: found.data,
                })
            }
        }
    }
}

/// Collects what is read and what is wrong, at offsets of the file.
pub(super) struct Out {
    /// Offset in the file of the bytes at hand.
    base: u64,
    pub batch: Batch,
    left_out: usize,
}

impl Out {
    fn at(base: u64) -> Out {
        Out {
            base,
            batch: Batch::default(),
            left_out: 0,
        }
    }

    pub fn warn(&mut self, at: usize, what: impl Into<String>) {
        let (offset, what) = (self.base.saturating_add(at as u64), what.into());
        match self.batch.warnings.len() < MAX_WARNINGS {
            true => self.batch.warnings.push(Warning { offset, what }),
            false => self.left_out += 1,
        }
    }

    fn finish(mut self) -> Batch {
        if let Some(last) = self.batch.warnings.last().filter(|_| self.left_out > 0) {
            let offset = last.offset;
            self.batch.warnings.push(Warning {
                offset,
                what: format!("{} more warnings about this chunk", self.left_out),
            });
        }
        self.batch
    }
}

pub(super) fn messages(bag: &Bag, id: ChunkId, got: &Fetched, wanted: &ConnectionSet, checks: Checks) -> Batch {
    let Some(chunk) = bag.catalog.chunks.get(id as usize) else {
        return Batch::default();
    };
    let reader = |bytes| Reader {
        bag,
        chunk,
        bytes,
        wanted,
        checks,
    };
    let mut out = Out::at(chunk.range.start);
    if got.parts().nth(1).is_some() {
        // what it lacks is read at once
        let Some(messages) = sparse::pieced(bag, chunk, wanted, got) else {
            return needing(chunk.range.clone());
        };
        out.batch.messages = messages;
        return out.finish();
    }
    let len = chunk.range.end.saturating_sub(chunk.range.start);
    let Some(bytes) = got.from(chunk.range.start, len) else {
        out.warn(0, "the chunk's bytes are not there");
        return out.finish();
    };
    if (bytes.len() as u64) < len {
        out.warn(
            bytes.len(),
            format!("the file ends {} bytes before the end of this chunk", len - bytes.len() as u64),
        );
    }
    if let Err(what) = Head::read(&bytes, 0)
        && let Some(before) = id.checked_sub(1).and_then(|id| bag.catalog.chunks.get(id as usize))
    {
        // It lies elsewhere, so its start may be among the bytes that the index gives to the chunk before.
        let wider = before.range.start..chunk.range.end;
        let Some(bytes) = got.get(wider.clone()) else {
            return needing(wider);
        };
        return reader(bytes).read_misplaced(wider.start, what);
    }
    let place = bag.places.get(id as usize).and_then(|place| place.data.clone());
    if place.is_none()
        && goes_on(&bytes)
        && let Some(next) = bag.catalog.chunks.get(id as usize + 1)
    {
        // The next one is not where it should be, so the end of this one is among the bytes that the index gives to that.
        let wider = chunk.range.start..next.range.end;
        let Some(bytes) = got.get(wider.clone()) else {
            return needing(wider);
        };
        reader(bytes).read_chunk(0, None, &mut out);
        return out.finish();
    }
    let reader = reader(bytes);
    let end = reader.read_chunk(0, place.as_ref(), &mut out);
    // An index that forgot a chunk does not lose it: it lies in the range of the one before.
    reader.read_unlisted(end, 0, &mut out);
    out.finish()
}

/// What few short reads make of a chunk that lies where the index says.
pub(super) fn needed(bag: &Bag, id: ChunkId, wanted: &ConnectionSet, read: &mut ReadHere) -> Option<Fetched> {
    let chunk = bag.catalog.chunks.get(id as usize)?;
    let is_moved = bag.places.get(id as usize).is_some_and(|place| place.data.is_some());
    if is_moved || *wanted == ConnectionSet::All {
        return None;
    }
    sparse::needed(bag, chunk, wanted, read)
}

fn needing(wider: Range<u64>) -> Batch {
    Batch {
        instead: Some(wider),
        ..Batch::default()
    }
}

/// Receive times from the index records behind the chunk; None where these do not list all that the file's index counts.
pub(super) fn listed(bag: &Bag, id: ChunkId, got: &Fetched) -> Option<Vec<(ConnectionId, Time)>> {
    let chunk = bag.catalog.chunks.get(id as usize)?;
    if bag.places.get(id as usize).is_some_and(|place| place.data.is_some()) {
        return None;
    }
    let Range { start, end } = chunk.range;
    let bytes = got.from(start, end.saturating_sub(start))?;
    let head = Head::read(&bytes, 0).ok()?;
    let index = match got.parts().nth(1) {
        None => ChunkIndex::read(&bytes, data_end(&bytes, &head.data)),
        Some(_) => ChunkIndex::read(&got.get(start.checked_add(head.data.end as u64)?..end)?, 0),
    };
    if !index.faults.is_empty() || index.entries.len() as u64 != chunk.messages() {
        return None;
    }
    let known = index.entries.iter().map(|entry| Some((*bag.ids.get(&entry.conn)?, entry.time)));
    let mut arrivals = known.collect::<Option<Vec<_>>>()?;
    arrivals.sort_by_key(|a| a.1);
    Some(arrivals)
}

/// The chunk and the index records behind it, where these say all of it that the catalogue says.
pub(super) fn stored(bag: &Bag, id: ChunkId, got: &Fetched) -> Option<StoredChunk> {
    let chunk = bag.catalog.chunks.get(id as usize)?;
    if !bag.catalog.indexed || bag.places.get(id as usize).is_some_and(|place| place.data.is_some()) {
        return None;
    }
    let bytes = got.get(chunk.range.clone())?;
    let head = Head::read(&bytes, 0).ok()?;
    let end = data_end(&bytes, &head.data);
    let index = ChunkIndex::read(&bytes, end);
    let mut tally = Tally::default();
    index.entries.iter().for_each(|entry| tally.add(entry.conn, entry.time));
    if !index.faults.is_empty() || !bag.agrees(chunk, &tally) {
        return None;
    }
    let known = tally.counts.keys().map(|number| Some((*number, *bag.ids.get(number)?)));
    let connections = known.collect::<Option<_>>()?;
    let mut entries: BTreeMap<u32, Vec<(Time, u32)>> = BTreeMap::new();
    for entry in &index.entries {
        entries.entry(entry.conn).or_default().push((entry.time, entry.offset));
    }
    Some(StoredChunk {
        record: bytes.slice(..end.min(bytes.len())),
        span: tally.span?,
        connections,
        index: entries,
    })
}

struct Reader<'a> {
    bag: &'a Bag,
    chunk: &'a Chunk,
    bytes: Bytes,
    wanted: &'a ConnectionSet,
    checks: Checks,
}

impl Reader<'_> {
    /// Reads a chunk that is not where the index names it, because there is `what`. The bytes begin with the chunk before it.
    fn read_misplaced(&self, from: u64, what: String) -> Batch {
        let mut out = Out::at(from);
        let claimed = usize::try_from(self.chunk.range.start.saturating_sub(from)).unwrap_or(usize::MAX);
        let before = Head::read(&self.bytes, 0).map_or(0, |head| head.data.end);
        out.warn(claimed, format!("no chunk where the index names one, but {what}"));
        self.read_unlisted(before, claimed, &mut out);
        out.finish()
    }

    /// Reads the chunks from `at` on that the index does not list, without those whose data end before `own`: they belong to the
    /// chunk before. One that goes on in the next chunk's bytes belongs to that one.
    fn read_unlisted(&self, mut at: usize, own: usize, out: &mut Out) {
        while at < self.bytes.len()
            && let Some(next) = record::find(&self.bytes, at, |op| op == CHUNK)
            && let Ok(head) = Head::read(&self.bytes, next)
        {
            let is_last = self.chunk.range.end == self.bag.catalog.chunks.last().map_or(0, |chunk| chunk.range.end);
            if head.data.end > self.bytes.len() && !is_last {
                return;
            }
            if head.data.end <= own {
                at = head.data.end;
                continue;
            }
            out.warn(next, "a chunk that the index does not list");
            at = self.read_chunk(next, None, out);
        }
    }

    /// Reads the chunk record at `at` and the index behind it; returns where they end.
    fn read_chunk(&self, at: usize, place: Option<&Range<u64>>, out: &mut Out) -> usize {
        let mut head = match Head::read(&self.bytes, at) {
            Ok(head) => head,
            Err(what) => {
                out.warn(at, format!("no chunk where the index names one, but {what}"));
                return at.saturating_add(1);
            }
        };
        let claimed = head.data.clone();
        head.data = match place {
            Some(place) => {
                let local = |offset: u64| usize::try_from(offset.saturating_sub(out.base)).unwrap_or(usize::MAX);
                local(place.start)..local(place.end)
            }
            None => claimed.start..data_end(&self.bytes, &claimed),
        };
        let lies = place.is_none() && head.data != claimed;
        if lies {
            let (claims, holds) = (claimed.len(), head.data.len());
            out.warn(at, format!("a chunk that claims {claims} bytes of data and holds {holds}"));
        }
        let within = |offset: usize| offset.min(self.bytes.len());
        let body = self.bytes.slice(within(head.data.start)..within(head.data.end));
        let index = ChunkIndex::read(&self.bytes, within(head.data.end));
        let quick = self.checks == Checks::Quick && !lies && place.is_none();
        if quick && at == 0 && self.contradicts(&index) {
            out.warn(at, "the index records behind this chunk contradict the index about its messages");
        }
        if !(quick && sparse::messages(self.bag, self.chunk, &head, &body, &index, self.wanted, out)) {
            self.read_all(at, &head, &body, &index, place.is_some() || lies, out);
        }
        index.end.max(head.data.end)
    }

    fn contradicts(&self, index: &ChunkIndex) -> bool {
        self.bag.catalog.indexed && !index.entries.is_empty() && !self.bag.agrees(self.chunk, &index.tally())
    }

    /// Decompresses everything and goes through all records.
    fn read_all(&self, at: usize, head: &Head, body: &Bytes, index: &ChunkIndex, damaged: bool, out: &mut Out) {
        let full = self.checks == Checks::Full;
        let unpacked = unpack(head.compression, body, head.size as usize, full);
        for fault in &unpacked.faults {
            out.warn(head.data.start.saturating_add(fault.at), &*fault.what);
        }
        if full && !damaged && unpacked.faults.is_empty() && unpacked.bytes.len() != head.size as usize {
            out.warn(at, format!("a chunk of {} bytes that claims {}", unpacked.bytes.len(), head.size));
        }
        let mut found = Vec::new();
        walk(&unpacked, &|| index.starts(), |item| match item {
            Item::Message {
                at: offset,
                conn,
                time,
                payload,
            } => {
                if full {
                    found.push(Entry {
                        offset: u32::try_from(offset).unwrap_or(u32::MAX),
                        conn,
                        time,
                    });
                }
                match self.bag.ids.get(&conn) {
                    Some(id) if self.wanted.contains(*id) => {
                        out.batch.messages.push(Message {
                            connection: *id,
                            time,
                            payload: unpacked.bytes.slice(payload),
                        });
                    }
                    Some(_) => {}
                    None => out.warn(
                        at,
                        format!(
                            "{}: a message of connection {conn}, which nothing describes",
                            place_of(head, offset)
                        ),
                    ),
                }
            }
            Item::Connection {
                at: offset,
                conn,
                topic,
                data,
            } => {
                if full {
                    self.check_connection(at, head, offset, conn, (topic, data), out);
                }
            }
            Item::Fault(Fault { at: offset, what }) => out.warn(at, format!("{}: {what}", place_of(head, offset))),
        });
        if full {
            self.check_index(at, index, &found, out);
            self.check_summary(at, &found, out);
            self.check_rest(index, out);
        }
    }

    fn check_connection(&self, at: usize, head: &Head, offset: usize, number: u32, (topic, data): (&[u8], &[u8]), out: &mut Out) {
        let what = match self.bag.prints.get(&number) {
            Some(listed) if *listed == super::print(topic, data) => return,
            Some(_) => "is not what the index says about it",
            None => "is not in the index",
        };
        let (place, topic) = (place_of(head, offset), String::from_utf8_lossy(topic));
        out.warn(at, format!("{place}: connection {number} ({topic}) {what}"));
    }

    /// The index behind the chunk names each message, and nothing else.
    fn check_index(&self, at: usize, index: &ChunkIndex, found: &[Entry], out: &mut Out) {
        for fault in &index.faults {
            out.warn(fault.at, &*fault.what);
        }
        if index.entries.is_empty() && !found.is_empty() {
            return out.warn(at, "a chunk without index records behind it");
        }
        let (mut lies, mut missing) = (0, 0);
        let mut first_lie = None;
        let mut entries = index.entries.iter().peekable();
        for message in found {
            while let Some(entry) = entries.next_if(|entry| entry.offset < message.offset) {
                lies += 1;
                first_lie.get_or_insert(*entry);
            }
            match entries.next_if(|entry| entry.offset == message.offset) {
                Some(entry) if entry == message => {}
                Some(entry) => {
                    lies += 1;
                    first_lie.get_or_insert(*entry);
                }
                None => missing += 1,
            }
        }
        for entry in entries {
            lies += 1;
            first_lie.get_or_insert(*entry);
        }
        if let Some(entry) = first_lie {
            let what = format!(
                "byte {} as a message of connection {} at {} ns",
                entry.offset,
                entry.conn,
                entry.time.nanos()
            );
            out.warn(
                at,
                format!("the index behind the chunk has {lies} entries that do not fit the messages, first: {what}"),
            );
        }
        if missing > 0 {
            out.warn(at, format!("the index behind the chunk leaves out {missing} messages"));
        }
    }

    /// The chunk's line in the bag's index: counts and span.
    fn check_summary(&self, at: usize, found: &[Entry], out: &mut Out) {
        if at != 0 {
            return;
        }
        let mut counts: HashMap<u32, u32> = HashMap::new();
        for message in found {
            if let Some(id) = self.bag.ids.get(&message.conn) {
                *counts.entry(*id).or_default() += 1;
            }
        }
        for (id, claimed) in &self.chunk.counts {
            let there = counts.remove(id).unwrap_or(0);
            if there != *claimed {
                let topic = self.bag.catalog.connections.get(*id as usize).map_or("", |c| &*c.topic);
                out.warn(
                    at,
                    format!("the index claims {claimed} messages of {topic} in this chunk, which holds {there}"),
                );
            }
        }
        for (id, there) in counts {
            let topic = self.bag.catalog.connections.get(id as usize).map_or("", |c| &*c.topic);
            out.warn(at, format!("the index knows nothing of {there} messages of {topic} in this chunk"));
        }
        let outside = |time: Time| !self.chunk.span.contains(time);
        if let Some(first) = found.iter().find(|message| outside(message.time)) {
            let count = found.iter().filter(|message| outside(message.time)).count();
            let what = format!(
                "{count} messages outside of the span that the index claims for this chunk, first at {} ns",
                first.time.nanos()
            );
            out.warn(at, what);
        }
    }

    /// Nothing but padding, or a chunk that is read next, stands behind the index records.
    fn check_rest(&self, index: &ChunkIndex, out: &mut Out) {
        let rest = self.bytes.get(index.end..).unwrap_or_default();
        if is_padding(rest) || record::find(rest, 0, |op| op == CHUNK) == Some(0) {
            return;
        }
        match record::peek(rest, 0) {
            // the index section of a bag that was found by scanning
            Peek::Record(found) if matches!(found.header.op, record::CONNECTION | record::CHUNK_INFO) => {}
            Peek::Record(found) => out.warn(index.end, format!("a record of kind {} behind the chunk", found.header.op)),
            Peek::Short(_) | Peek::Bad(_) => out.warn(index.end, format!("{} bytes behind the chunk that are no record", rest.len())),
        }
    }
}

/// Offsets in a compressed chunk are of its decompressed bytes.
fn place_of(head: &Head, offset: usize) -> String {
    match head.compression {
        Compression::None => format!("at byte {offset} of the chunk's data"),
        _ => format!("at byte {offset} of the decompressed chunk"),
    }
}

/// Whether a chunk's data does not end within its bytes, as far as can be seen.
fn goes_on(bytes: &[u8]) -> bool {
    Head::read(bytes, 0).is_ok_and(|head| head.data.end > bytes.len() && data_end(bytes, &head.data) == bytes.len())
}

/// Where the data of a chunk ends: where its header says, unless its index records begin elsewhere.
pub(super) fn data_end(bytes: &[u8], claimed: &Range<usize>) -> usize {
    let end = claimed.end.min(bytes.len());
    let next = record::find(bytes, end, |op| op == INDEX_DATA || op == CHUNK);
    let between = bytes.get(end..next.unwrap_or(bytes.len())).unwrap_or_default();
    match claimed.end <= bytes.len() && is_filler(between) {
        true => end,
        false => record::find(bytes, claimed.start.min(end), |op| op == INDEX_DATA).unwrap_or(end),
    }
}

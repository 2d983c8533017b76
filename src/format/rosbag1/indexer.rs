//! Opens a bag: one block from its start, then its index. Where the index is missing or lies, a [`Scan`] takes over.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::chunk::Head;
use super::record::{self, BAG_HEADER, CHUNK_INFO, CONNECTION, Header, Peek};
use super::scan::{Progress, Scan};
use super::unpack::{Item, unpack, walk};
use super::{Bag, MAGIC, NAME, Place};
use crate::format::{Catalog, Chunk, Connection, ConnectionId, Fetched, FormatError, Indexer, Step, Warning};
use crate::time::Span;

const FIRST_BLOCK_BYTES: u64 = 64 * 1024;
/// Chunk headers are read at up to so many places to see whether the index tells the truth.
const MAX_PROBES: usize = 256;
const PROBE_BYTES: u64 = 256;
/// Chunks that are read to find connections which the index leaves out.
const MAX_CHUNKS_FOR_CONNECTIONS: usize = 64;

pub(super) struct BagIndexer {
    len: u64,
    cheap: bool,
    head: Bytes,
    state: State,
}

enum State {
    Start,
    Index(Claims),
    /// The index is read; what it says about chunks is being looked at.
    Probe(Box<Bag>),
    /// Some connections have no record in the index: these chunks are read for them.
    Connections(Box<Bag>),
    Scan(Box<Scan>),
    Done,
}

/// What the bag header says about the index.
#[derive(Clone, Copy)]
struct Claims {
    index_pos: u64,
    chunks: u32,
    connections: u32,
}

/// Why an index is not used, and where that shows.
struct Lie(u64, String);

impl BagIndexer {
    pub fn new(len: u64) -> BagIndexer {
        BagIndexer {
            len,
            cheap: false,
            head: Bytes::new(),
            state: State::Start,
        }
    }

    fn start(&mut self, got: &Fetched) -> Result<Step, FormatError> {
        let wanted = self.len.min(FIRST_BLOCK_BYTES);
        let first_block = 0..wanted;
        let Some(head) = got.get(first_block.clone()).or_else(|| got.from(0, wanted)) else {
            return match wanted {
                0 => Err(FormatError::Unreadable("the file is empty: nothing was recorded".into())),
                _ => Ok(Step::Need(vec![first_block])),
            };
        };
        if !head.starts_with(MAGIC) {
            return Err(FormatError::Unreadable(
                "not a ROS 1 bag: it does not start with `#ROSBAG V2.0`".into(),
            ));
        }
        self.head = head;
        match self.claims() {
            Err(Lie(offset, what)) => self.scan(offset, what),
            Ok(claims) => match self.range_of_index(claims) {
                Err(Lie(offset, what)) => self.scan(offset, what),
                Ok(range) => {
                    self.state = State::Index(claims);
                    match self.held(&range) {
                        Some(bytes) => self.index(claims, &bytes),
                        None if range.is_empty() => self.index(claims, &Bytes::new()),
                        None => Ok(Step::Need(vec![range])),
                    }
                }
            },
        }
    }

    fn held(&self, range: &Range<u64>) -> Option<Bytes> {
        Fetched::one(0, self.head.clone()).get(range.clone())
    }

    fn claims(&self) -> Result<Claims, Lie> {
        let at = MAGIC.len();
        match record::peek(&self.head, at) {
            Peek::Record(found) if found.header.op == BAG_HEADER => {
                let Header {
                    index_pos,
                    chunk_count,
                    conn_count,
                    ..
                } = found.header;
                let index_pos = index_pos.ok_or_else(|| Lie(at as u64, "the bag header does not say where the index is".into()))?;
                Ok(Claims {
                    index_pos,
                    chunks: chunk_count.unwrap_or(0),
                    connections: conn_count.unwrap_or(0),
                })
            }
            _ => Err(Lie(at as u64, "the bag header cannot be read".into())),
        }
    }

    fn range_of_index(&self, claims: Claims) -> Result<Range<u64>, Lie> {
        /// A generous measure of what an index record takes.
        const CONNECTION_BYTES: u64 = 256 << 10;
        const BYTES_BESIDE: u64 = 64 << 20;
        let Claims {
            index_pos,
            chunks,
            connections,
        } = claims;
        if index_pos == 0 {
            return Err(Lie(MAGIC.len() as u64, "the recording was not closed, so it has no index".into()));
        }
        if index_pos == self.len && self.after_bag_header() < self.len {
            return Err(Lie(index_pos, "the bag header places the index at the very end of the file".into()));
        }
        if index_pos > self.len {
            return Err(Lie(
                self.len,
                format!(
                    "the file was cut off: it ends at byte {} and its index would start at {index_pos}",
                    self.len
                ),
            ));
        }
        let chunk_bytes = 128 + 8 * u64::from(connections);
        let most = u64::from(chunks)
            .saturating_mul(chunk_bytes)
            .saturating_add(u64::from(connections).saturating_mul(CONNECTION_BYTES));
        if index_pos <= MAGIC.len() as u64 || self.len - index_pos > most.saturating_add(BYTES_BESIDE) {
            return Err(Lie(
                MAGIC.len() as u64,
                format!("the bag header places the index at byte {index_pos}, where it cannot be"),
            ));
        }
        Ok(index_pos..self.len)
    }

    fn index(&mut self, claims: Claims, bytes: &Bytes) -> Result<Step, FormatError> {
        match self.read_index(claims, bytes) {
            Err(Lie(offset, what)) => self.scan(offset, what),
            Ok(bag) => {
                if self.cheap && !bag.catalog.chunks.is_empty() {
                    let every = bag.catalog.chunks.len() / MAX_PROBES + 1;
                    let probe = |chunk: &Chunk| chunk.range.start..chunk.range.end.min(chunk.range.start.saturating_add(PROBE_BYTES));
                    let probes = bag.catalog.chunks.iter().step_by(every).map(probe).collect();
                    self.state = State::Probe(Box::new(bag));
                    return Ok(Step::Need(probes));
                }
                self.probed(Box::new(bag), &Fetched::one(0, self.head.clone()))
            }
        }
    }

    fn read_index(&self, claims: Claims, bytes: &[u8]) -> Result<Bag, Lie> {
        let mut bag = Bag {
            catalog: Catalog {
                format: NAME,
                size: self.len,
                indexed: true,
                ..Catalog::default()
            },
            ..Bag::default()
        };
        let mut infos = Vec::new();
        let (mut at, mut connections) = (0, 0u32);
        let place = |at: usize| claims.index_pos.saturating_add(at as u64);
        while at < bytes.len() {
            let lie = |what: String| Lie(place(at), format!("the index is damaged: {what}"));
            let complete = infos.len() as u64 >= u64::from(claims.chunks) && connections >= claims.connections;
            let found = match record::peek(bytes, at) {
                Peek::Record(found) => found,
                Peek::Bad(_) | Peek::Short(_) if super::index::is_padding(bytes.get(at..).unwrap_or_default()) => break,
                Peek::Bad(what) if complete => {
                    bag.catalog.warnings.push(Warning {
                        offset: place(at),
                        what: format!("behind the index: {what}"),
                    });
                    break;
                }
                Peek::Short(_) if complete => {
                    bag.catalog.warnings.push(Warning {
                        offset: place(at),
                        what: "bytes behind the index that are no record".into(),
                    });
                    break;
                }
                Peek::Bad(what) => return Err(lie(what)),
                Peek::Short(_) => return Err(lie("a record that is cut short".into())),
            };
            let Some(data) = bytes.get(found.data.clone()) else {
                return Err(lie(format!(
                    "a record with {} bytes of data where {} are left",
                    found.data.len(),
                    bytes.len().saturating_sub(found.data.start)
                )));
            };
            match found.header.op {
                CONNECTION => {
                    let (Some(number), Some(topic)) = (found.header.conn, found.header.topic) else {
                        return Err(lie("a connection without number or topic".into()));
                    };
                    connections += 1;
                    bag.add_connection(number, topic, data);
                }
                CHUNK_INFO => infos.push(chunk_info(&found.header, data, claims.index_pos).map_err(lie)?),
                op if bag.catalog.warnings.len() < 16 => {
                    bag.catalog.warnings.push(Warning {
                        offset: place(at),
                        what: format!("a record of kind {op} in the index"),
                    });
                }
                _ => {}
            }
            at = found.data.end;
        }
        check_counts(claims, infos.len(), connections, &mut bag)?;
        self.add_chunks(claims, infos, &mut bag)?;
        Ok(bag)
    }

    fn add_chunks(&self, claims: Claims, mut infos: Vec<Info>, bag: &mut Bag) -> Result<(), Lie> {
        infos.sort_by_key(|info| info.at);
        let compression = self.first_compression();
        let ends: Vec<u64> = infos.iter().skip(1).map(|info| info.at).chain([claims.index_pos]).collect();
        for (info, end) in infos.into_iter().zip(ends) {
            if end == info.at {
                return Err(Lie(info.at, "the index names one chunk twice".into()));
            }
            let mut counts = Vec::with_capacity(info.counts.len());
            for (number, count) in info.counts {
                // Described nowhere so far: its record may stand in the chunk alone.
                let known = bag.ids.get(&number).copied();
                let Some(id) = known.or_else(|| ConnectionId::try_from(bag.catalog.connections.len()).ok()) else {
                    continue;
                };
                if known.is_none() {
                    bag.ids.insert(number, id);
                    bag.catalog.connections.push(Connection::default());
                }
                if count > 0 {
                    counts.push((id, count));
                }
            }
            bag.catalog.chunks.push(Chunk {
                range: info.at..end,
                span: info.span,
                compression: compression.clone(),
                counts,
            });
            bag.places.push(Place::default());
        }
        Ok(())
    }

    fn after_bag_header(&self) -> u64 {
        match record::peek(&self.head, MAGIC.len()) {
            Peek::Record(found) => found.data.end as u64,
            _ => MAGIC.len() as u64,
        }
    }

    /// The compression of the first chunk that the first block shows: recorders use one for all.
    fn first_compression(&self) -> Arc<str> {
        let after_bag_header = usize::try_from(self.after_bag_header()).unwrap_or(usize::MAX);
        let at = record::find(&self.head, after_bag_header, |op| op == record::CHUNK);
        at.and_then(|at| Head::read(&self.head, at).ok())
            .map_or("unknown".into(), |head| head.name.into())
    }

    /// Holds what was fetched of the chunks against the index.
    fn probed(&mut self, mut bag: Box<Bag>, got: &Fetched) -> Result<Step, FormatError> {
        let mut parts = got.parts().collect::<Vec<_>>();
        parts.sort_by_key(|(offset, _)| *offset);
        for chunk in &mut bag.catalog.chunks {
            let after = parts.partition_point(|(offset, _)| *offset <= chunk.range.start);
            let Some((offset, bytes)) = after.checked_sub(1).and_then(|i| parts.get(i)) else {
                continue;
            };
            let Ok(at) = usize::try_from(chunk.range.start - offset) else {
                continue;
            };
            if at >= bytes.len() || matches!(record::peek(bytes, at), Peek::Short(_)) {
                continue;
            }
            match Head::read(bytes, at) {
                Ok(head) if *head.name != *chunk.compression => chunk.compression = head.name.into(),
                Ok(_) => {}
                Err(what) => {
                    let (offset, what) = (chunk.range.start, format!("the index names a chunk where there is {what}"));
                    return self.scan(offset, what);
                }
            }
        }
        let undescribed = undescribed(&bag);
        if undescribed.is_empty() {
            return Ok(self.ready(bag));
        }
        let mut ranges = Vec::new();
        let mut left: BTreeSet<ConnectionId> = undescribed;
        for chunk in &bag.catalog.chunks {
            if chunk.counts.iter().filter(|(id, _)| left.remove(id)).count() > 0 && ranges.len() < MAX_CHUNKS_FOR_CONNECTIONS {
                ranges.push(chunk.range.clone());
            }
        }
        self.state = State::Connections(bag);
        match ranges.is_empty() {
            true => self.step(&Fetched::default()),
            false => Ok(Step::Need(ranges)),
        }
    }

    /// Takes connection records out of the chunks that were fetched for them.
    fn connections_from_chunks(&mut self, mut bag: Box<Bag>, got: &Fetched) -> Step {
        let mut missing = undescribed(&bag);
        for (_, bytes) in got.parts() {
            let Ok(head) = Head::read(bytes, 0) else { continue };
            let body = bytes.slice(head.data.start.min(bytes.len())..head.data.end.min(bytes.len()));
            let unpacked = unpack(head.compression, &body, head.size as usize, false);
            let Bag { ids, catalog, prints, .. } = &mut *bag;
            walk(&unpacked, &Vec::new, |item| {
                if let Item::Connection { conn, topic, data, .. } = item
                    && let Some(id) = ids.get(&conn).filter(|id| missing.remove(id))
                    && let Some(slot) = catalog.connections.get_mut(*id as usize)
                {
                    *slot = super::connection(topic, data);
                    prints.insert(conn, super::print(topic, data));
                }
            });
        }
        let numbers: Vec<(u32, ConnectionId)> = bag.ids.iter().map(|(number, id)| (*number, *id)).collect();
        for (number, id) in numbers.into_iter().filter(|(_, id)| missing.contains(id)) {
            let offset = bag
                .catalog
                .chunks
                .iter()
                .find(|c| c.counts.iter().any(|(i, _)| *i == id))
                .map_or(0, |c| c.range.start);
            bag.catalog.warnings.push(Warning {
                offset,
                what: super::undescribed_warning(number),
            });
            if let Some(slot) = bag.catalog.connections.get_mut(id as usize) {
                slot.topic = super::nameless_topic(number).into();
            }
        }
        self.ready(bag)
    }

    fn ready(&mut self, bag: Box<Bag>) -> Step {
        self.state = State::Done;
        Step::Ready(Arc::new(*bag))
    }

    fn scan(&mut self, offset: u64, what: String) -> Result<Step, FormatError> {
        let warning = Warning { offset, what };
        tracing::debug!(offset, what = warning.what, "reading without the index");
        let mut scan = Scan::new(self.len, self.cheap, warning);
        let progress = scan.step(&Fetched::one(0, self.head.clone()));
        self.state = State::Scan(Box::new(scan));
        Ok(self.scanned(progress))
    }

    fn scanned(&mut self, progress: Progress) -> Step {
        match progress {
            Progress::Need(need) => Step::Need(need),
            Progress::Grew(bag, need) => Step::Grew {
                so_far: Arc::new(bag),
                need,
            },
            Progress::Done(bag) => {
                self.state = State::Done;
                Step::Ready(Arc::new(bag))
            }
        }
    }
}

impl Indexer for BagIndexer {
    fn reads_are_cheap(&mut self) {
        self.cheap = true;
    }

    fn step(&mut self, got: &Fetched) -> Result<Step, FormatError> {
        match std::mem::replace(&mut self.state, State::Done) {
            State::Start => {
                self.state = State::Start;
                self.start(got)
            }
            State::Index(claims) => match got.get(claims.index_pos..self.len) {
                Some(bytes) => self.index(claims, &bytes),
                None => self.scan(claims.index_pos, "the index could not be read".into()),
            },
            State::Probe(bag) => self.probed(bag, got),
            State::Connections(bag) => Ok(self.connections_from_chunks(bag, got)),
            State::Scan(mut scan) => {
                let progress = scan.step(got);
                self.state = State::Scan(scan);
                Ok(self.scanned(progress))
            }
            State::Done => Err(FormatError::Unreadable("the bag was already read".into())),
        }
    }
}

struct Info {
    at: u64,
    span: Span,
    counts: Vec<(u32, u32)>,
}

fn chunk_info(header: &Header<'_>, data: &[u8], index_pos: u64) -> Result<Info, String> {
    let (Some(at), Some(start), Some(end)) = (header.chunk_pos, header.start_time, header.end_time) else {
        return Err("a chunk info that lacks fields".into());
    };
    if let Some(ver) = header.ver.filter(|ver| *ver != 1) {
        return Err(format!("a chunk info of version {ver}, of which only 1 is known"));
    }
    if at < MAGIC.len() as u64 || at >= index_pos {
        return Err(format!("a chunk at byte {at}, where none can be"));
    }
    let pair = |entry: &[u8]| Some((record::u32_at(entry, 0)?, record::u32_at(entry, 4)?));
    let counts: Vec<_> = data.chunks_exact(8).filter_map(pair).collect();
    if header.count.is_some_and(|count| count as usize != counts.len()) || !data.len().is_multiple_of(8) {
        return Err(format!(
            "a chunk info for {} connections in {} bytes",
            header.count.unwrap_or(0),
            data.len()
        ));
    }
    Ok(Info {
        at,
        span: Span::new(start.min(end), start.max(end)),
        counts,
    })
}

fn check_counts(claims: Claims, chunks: usize, connections: u32, bag: &mut Bag) -> Result<(), Lie> {
    if (chunks as u64) < u64::from(claims.chunks) {
        return Err(Lie(
            claims.index_pos,
            format!("the bag header promises {} chunks and the index lists {chunks}", claims.chunks),
        ));
    }
    let mut warn = |what| {
        bag.catalog.warnings.push(Warning {
            offset: MAGIC.len() as u64,
            what,
        })
    };
    if chunks as u64 > u64::from(claims.chunks) {
        warn(format!(
            "the bag header claims {} chunks and the index lists {chunks}",
            claims.chunks
        ));
    }
    if connections != claims.connections {
        warn(format!(
            "the bag header claims {} connections and the index describes {connections}",
            claims.connections
        ));
    }
    Ok(())
}

/// Connections that messages use and no record of the index describes.
fn undescribed(bag: &Bag) -> BTreeSet<ConnectionId> {
    let nameless = |(id, c): (usize, &Connection)| {
        ConnectionId::try_from(id)
            .ok()
            .filter(|_| c.topic.is_empty() && c.type_name.is_empty())
    };
    bag.catalog.connections.iter().enumerate().filter_map(nameless).collect()
}

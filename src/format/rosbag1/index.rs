//! The index records behind a chunk: which connection has a message where in the decompressed data.

use std::collections::BTreeMap;

use super::record::{self, CONNECTION, INDEX_DATA, Peek};
use super::unpack::Fault;
use crate::time::{Span, Time};

const VERSION: u32 = 1;
const ENTRY_BYTES: usize = 12;

/// Where a message record starts, in a chunk's decompressed data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub offset: u32,
    pub conn: u32,
    pub time: Time,
}

/// How many messages of which connection a chunk holds, and when they were received.
#[derive(Default)]
pub(super) struct Tally {
    pub counts: BTreeMap<u32, u32>,
    pub span: Option<Span>,
}

impl Tally {
    pub fn add(&mut self, conn: u32, time: Time) {
        let count = self.counts.entry(conn).or_default();
        *count = count.saturating_add(1);
        self.span = Some(self.span.map_or(Span::at(time), |span| span.union(Span::at(time))));
    }
}

/// All index records behind one chunk.
#[derive(Default)]
pub(super) struct ChunkIndex {
    /// By offset.
    pub entries: Vec<Entry>,
    /// Where they end.
    pub end: usize,
    pub faults: Vec<Fault>,
}

impl ChunkIndex {
    /// Reads the index records that start at `at`, up to the first record of another kind. Padding is passed over.
    pub fn read(bytes: &[u8], at: usize) -> ChunkIndex {
        let mut index = ChunkIndex {
            end: at,
            ..ChunkIndex::default()
        };
        while index.end < bytes.len() {
            match record::peek(bytes, index.end) {
                Peek::Record(found) if found.header.op == INDEX_DATA => {
                    let at = index.end;
                    let Some(data) = bytes.get(found.data.clone()) else {
                        index.faults.push(Fault::new(at, "an index record that is cut short"));
                        break;
                    };
                    match (found.header.conn, found.header.ver, found.header.count) {
                        (Some(conn), Some(VERSION), Some(count)) => index.take(at, conn, count, data),
                        (_, Some(ver), _) if ver != VERSION => index.faults.push(Fault::new(
                            at,
                            format!("an index record of version {ver}, of which only {VERSION} is known"),
                        )),
                        _ => index.faults.push(Fault::new(at, "an index record that lacks fields")),
                    }
                    index.end = found.data.end;
                }
                Peek::Record(_) => break,
                Peek::Short(_) | Peek::Bad(_) => {
                    let Some(next) = record::find(bytes, index.end, |op| op != record::MESSAGE) else {
                        break;
                    };
                    let skipped = bytes.get(index.end..next).unwrap_or_default();
                    if !is_padding(skipped) {
                        index
                            .faults
                            .push(Fault::new(index.end, format!("{} bytes that are no record", skipped.len())));
                    }
                    index.end = next;
                }
            }
        }
        index.entries.sort_unstable();
        index
    }

    fn take(&mut self, at: usize, conn: u32, count: u32, data: &[u8]) {
        if data.len() != (count as usize).saturating_mul(ENTRY_BYTES) {
            self.faults.push(Fault::new(
                at,
                format!("an index record that claims {count} messages in {} bytes", data.len()),
            ));
        }
        for entry in data.chunks_exact(ENTRY_BYTES) {
            let (time, offset) = entry.split_at(8);
            if let (Some(time), Some(offset)) = (record::time_of(time), record::u32_at(offset, 0)) {
                self.entries.push(Entry { offset, conn, time });
            }
        }
    }

    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        self.entries.iter().for_each(|entry| tally.add(entry.conn, entry.time));
        tally
    }

    pub fn starts(&self) -> Vec<u32> {
        self.entries.iter().map(|entry| entry.offset).collect()
    }
}

/// Writers may leave room between records.
pub(super) fn is_padding(bytes: &[u8]) -> bool {
    bytes.iter().all(|b| *b == 0 || *b == b' ')
}

/// Nothing that holds a message: connection records, then padding.
pub(super) fn is_filler(bytes: &[u8]) -> bool {
    let mut at = 0;
    while let Peek::Record(found) = record::peek(bytes, at)
        && found.header.op == CONNECTION
        && found.data.end <= bytes.len()
    {
        at = found.data.end;
    }
    is_padding(bytes.get(at..).unwrap_or_default())
}

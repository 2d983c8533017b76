//! A chunk's data → its records' bytes, whatever the compression, and the row of records in them.
//!
//! Damage costs what it covers and no more: holes are named, and reading goes on behind them.

use std::ops::Range;

use bytes::Bytes;

use super::record::{self, CONNECTION, MESSAGE, Peek};
use super::{bz2, lz4};
use crate::time::Time;

/// More than any recorder puts into one chunk, and little enough to be held.
pub(super) const MAX_CHUNK_BYTES: usize = 1 << 30;

/// Something wrong, at an offset of whatever is being read.
pub(super) struct Fault {
    pub at: usize,
    pub what: String,
}

impl Fault {
    pub fn new(at: usize, what: impl Into<String>) -> Fault {
        Fault { at, what: what.into() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Lz4,
    Bz2,
    Unknown,
}

impl Compression {
    pub fn of(name: &[u8]) -> Compression {
        match name {
            b"none" | b"" => Compression::None,
            b"lz4" => Compression::Lz4,
            b"bz2" => Compression::Bz2,
            _ => Compression::Unknown,
        }
    }
}

/// The records of a chunk, decompressed.
pub(super) struct Unpacked {
    pub bytes: Bytes,
    /// Parts of `bytes` that could not be had.
    pub holes: Vec<Range<usize>>,
    /// At offsets of the chunk's compressed data.
    pub faults: Vec<Fault>,
}

impl Unpacked {
    /// The first hole that ends behind `at`. Holes stand in order and apart.
    fn hole_behind(&self, at: usize) -> Option<&Range<usize>> {
        self.holes.get(self.holes.partition_point(|hole| hole.end <= at))
    }

    fn hole_at(&self, at: usize) -> Option<&Range<usize>> {
        self.hole_behind(at).filter(|hole| hole.start <= at)
    }
}

/// Decompresses all of `body`. `claimed` is the size in the chunk's header: a hint, not a promise.
pub(super) fn unpack(compression: Compression, body: &Bytes, claimed: usize, verify: bool) -> Unpacked {
    match compression {
        Compression::None => Unpacked {
            bytes: body.clone(),
            holes: Vec::new(),
            faults: Vec::new(),
        },
        Compression::Lz4 => {
            let mut frame = lz4::Frame::read(body);
            let decoded = lz4::decode_all(&mut frame, body, claimed, verify);
            Unpacked {
                bytes: decoded.buffer.share(decoded.len),
                holes: decoded.holes,
                faults: frame.faults,
            }
        }
        Compression::Bz2 => {
            let (buffer, len, faults) = bz2::decode(body, claimed);
            Unpacked {
                bytes: buffer.share(len),
                holes: Vec::new(),
                faults,
            }
        }
        Compression::Unknown => Unpacked {
            bytes: Bytes::new(),
            holes: Vec::new(),
            faults: vec![Fault::new(0, "a compression that is none of none, lz4 and bz2")],
        },
    }
}

/// What stands in a chunk. Offsets are of the decompressed bytes.
pub(super) enum Item<'a> {
    Message {
        at: usize,
        conn: u32,
        time: Time,
        payload: Range<usize>,
    },
    Connection {
        at: usize,
        conn: u32,
        topic: &'a [u8],
        data: &'a [u8],
    },
    Fault(Fault),
}

/// Goes through the records of a chunk. Where one makes no sense, goes on at the next of `starts` (sorted), which the chunk's
/// index names, or else at the next one that can be recognised.
pub(super) fn walk<'a>(unpacked: &'a Unpacked, starts: &dyn Fn() -> Vec<u32>, mut visit: impl FnMut(Item<'a>)) {
    let bytes = &unpacked.bytes;
    let mut known_starts = None;
    let mut at = 0;
    while at < bytes.len() {
        let hole = unpacked.hole_at(at);
        let what = match (hole, record::peek(bytes, at)) {
            (Some(hole), _) => format!("{} bytes that could not be decompressed", hole.len()),
            (None, Peek::Bad(what)) => what,
            (None, Peek::Short(_)) => "a record that is cut short".into(),
            (None, Peek::Record(record)) => {
                let end = record.data.end;
                let Some(data) = bytes.get(record.data.clone()) else {
                    let left = bytes.len().saturating_sub(record.data.start);
                    let what = format!("a record with {} bytes of data where {left} are left", record.data.len());
                    match resume(unpacked, at, &mut known_starts, starts) {
                        Some(next) => {
                            visit(Item::Fault(Fault::new(at, what)));
                            at = next;
                            continue;
                        }
                        None => return visit(Item::Fault(Fault::new(at, what))),
                    }
                };
                let damaged = unpacked.hole_behind(at).is_some_and(|hole| hole.start < end);
                match (record.header.op, record.header.conn, record.header.time, record.header.topic) {
                    _ if damaged => visit(Item::Fault(Fault::new(at, "a record with bytes that could not be decompressed"))),
                    (MESSAGE, Some(conn), Some(time), _) => visit(Item::Message {
                        at,
                        conn,
                        time,
                        payload: record.data,
                    }),
                    (CONNECTION, Some(conn), _, Some(topic)) => visit(Item::Connection { at, conn, topic, data }),
                    (MESSAGE | CONNECTION, ..) => visit(Item::Fault(Fault::new(at, "a record header that lacks fields"))),
                    (op, ..) => visit(Item::Fault(Fault::new(
                        at,
                        format!("a record of kind {op}, which does not belong into a chunk"),
                    ))),
                }
                at = end;
                continue;
            }
        };
        visit(Item::Fault(Fault::new(at, what)));
        match resume(unpacked, at, &mut known_starts, starts) {
            Some(next) => at = next,
            None => return,
        }
    }
}

/// Where to go on behind a record that makes no sense.
fn resume(unpacked: &Unpacked, at: usize, known: &mut Option<Vec<u32>>, starts: &dyn Fn() -> Vec<u32>) -> Option<usize> {
    let known = known.get_or_insert_with(starts);
    let past_hole = unpacked.hole_at(at).map_or(at.saturating_add(1), |hole| hole.end);
    let next = known.partition_point(|start| (*start as usize) < past_hole);
    let from_index = known
        .get(next)
        .map(|start| *start as usize)
        .filter(|start| *start < unpacked.bytes.len());
    from_index.or_else(|| record::find(&unpacked.bytes, past_hole, |op| op == MESSAGE || op == CONNECTION))
}

//! The index at the end of a bag: connection records and a line for each chunk.
//!
//! Invariant: what comes out of here fits together (chunks in order, none of impossible size); whether it is true is for
//! [`super::verify`] to see.

use super::index::is_padding;
use super::record::{self, CHUNK_INFO, CONNECTION, Header, Peek};
use super::unpack::MAX_CHUNK_BYTES;
use super::{Bag, Lie, MAGIC, Place, is_garbled};
use crate::format::{Chunk, Warning};
use crate::text::format_bytes;
use crate::time::Span;

/// What the bag header says about the index.
#[derive(Clone, Copy)]
pub(super) struct Claims {
    pub index_pos: u64,
    pub chunks: u32,
    pub connections: u32,
}

/// A chunk's index records take no more than this.
const MOST_BEHIND_CHUNK: u64 = 64 << 20;
/// More odd records of the index than these are not told.
const MAX_WARNINGS: usize = 16;

/// Takes the index, which is all that stands from `claims.index_pos` on, into `bag`.
pub(super) fn read(claims: Claims, bytes: &[u8], bag: &mut Bag) -> Result<(), Lie> {
    let mut infos = Vec::new();
    let (mut at, mut connections) = (0, 0u32);
    let place = |at: usize| claims.index_pos.saturating_add(at as u64);
    while at < bytes.len() {
        let lie = |what: String| Lie(place(at), format!("the index is damaged: {what}"));
        let is_complete = claims.chunks > 0 && infos.len() as u64 >= u64::from(claims.chunks) && connections >= claims.connections;
        let (found, data) = match whole_record(bytes, at) {
            Ok(whole) => whole,
            Err(_) if is_padding(bytes.get(at..).unwrap_or_default()) => break,
            Err(what) if is_complete => {
                let (offset, what) = (place(at), format!("behind the index: {what}"));
                bag.catalog.warnings.push(Warning { offset, what });
                break;
            }
            Err(what) => return Err(lie(what)),
        };
        match found.header.op {
            CONNECTION => {
                let (Some(number), Some(topic)) = (found.header.conn, found.header.topic) else {
                    return Err(lie("a connection without number or topic".into()));
                };
                connections += 1;
                if is_garbled(data) {
                    let topic = String::from_utf8_lossy(topic);
                    return Err(lie(format!("what it says of connection {number} ({topic}) is no list of fields")));
                }
                bag.describe(number, topic, data);
            }
            CHUNK_INFO => infos.push(chunk_info(&found.header, data, claims.index_pos).map_err(lie)?),
            op if bag.catalog.warnings.len() < MAX_WARNINGS => {
                let (offset, what) = (place(at), format!("a record of kind {op} in the index"));
                bag.catalog.warnings.push(Warning { offset, what });
            }
            _ => {}
        }
        at = found.data.end;
    }
    check_counts(claims, infos.len(), connections, bag)?;
    add_chunks(claims, infos, bag)
}

fn whole_record(bytes: &[u8], at: usize) -> Result<(record::Record<'_>, &[u8]), String> {
    let found = match record::peek(bytes, at) {
        Peek::Record(found) => found,
        Peek::Bad(what) => return Err(what),
        Peek::Short(_) => return Err("a record that is cut short".into()),
    };
    let (wanted, left) = (found.data.len(), bytes.len().saturating_sub(found.data.start));
    let data = bytes
        .get(found.data.clone())
        .ok_or_else(|| format!("a record with {wanted} bytes of data where {left} are left"))?;
    Ok((found, data))
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

fn add_chunks(claims: Claims, mut infos: Vec<Info>, bag: &mut Bag) -> Result<(), Lie> {
    infos.sort_by_key(|info| info.at);
    let ends: Vec<u64> = infos.iter().skip(1).map(|info| info.at).chain([claims.index_pos]).collect();
    for (info, end) in infos.into_iter().zip(ends) {
        if end == info.at {
            return Err(Lie(info.at, "the index names one chunk twice".into()));
        }
        if end - info.at > MAX_CHUNK_BYTES as u64 + MOST_BEHIND_CHUNK {
            let what = format!("the index leaves {} to one chunk", format_bytes(end - info.at));
            return Err(Lie(info.at, what));
        }
        // A connection described nowhere so far: its record may stand in the chunk alone.
        let used = info.counts.into_iter().filter(|(_, count)| *count > 0);
        let counts = used
            .filter_map(|(number, count)| Some((bag.id_of(number, info.at)?, count)))
            .collect();
        bag.catalog.chunks.push(Chunk {
            range: info.at..end,
            span: info.span,
            compression: "unknown".into(),
            counts,
        });
        bag.places.push(Place::default());
    }
    Ok(())
}

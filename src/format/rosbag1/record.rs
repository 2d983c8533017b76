//! Records: a header of named fields and data, each behind its length. Both bag and chunk are rows of them.
//!
//! Nothing here trusts a length: [`peek`] says where a record's data would end, and its caller compares that with what is there.

use std::ops::Range;

use crate::time::Time;

pub(super) const MESSAGE: u8 = 0x02;
pub(super) const BAG_HEADER: u8 = 0x03;
pub(super) const INDEX_DATA: u8 = 0x04;
pub(super) const CHUNK: u8 = 0x05;
pub(super) const CHUNK_INFO: u8 = 0x06;
pub(super) const CONNECTION: u8 = 0x07;

/// Headers hold a handful of short fields; the longest name a topic.
const MAX_HEADER_BYTES: usize = 64 * 1024;

/// The fields of a record header that mean anything to us.
#[derive(Clone, Copy, Default)]
pub(super) struct Header<'a> {
    pub op: u8,
    pub conn: Option<u32>,
    pub time: Option<Time>,
    pub topic: Option<&'a [u8]>,
    pub compression: Option<&'a [u8]>,
    pub size: Option<u32>,
    pub ver: Option<u32>,
    pub count: Option<u32>,
    pub chunk_pos: Option<u64>,
    pub start_time: Option<Time>,
    pub end_time: Option<Time>,
    pub index_pos: Option<u64>,
    pub conn_count: Option<u32>,
    pub chunk_count: Option<u32>,
    pub encryptor: Option<&'a [u8]>,
}

pub(super) struct Record<'a> {
    pub header: Header<'a>,
    /// Where the data lies, counted from the start of the bytes; it may end beyond them.
    pub data: Range<usize>,
}

pub(super) enum Peek<'a> {
    Record(Record<'a>),
    /// The bytes end before the record's lengths are known; so many are needed, counted from the record's start.
    Short(usize),
    Bad(String),
}

/// Reads the header of the record at `at`.
pub(super) fn peek(bytes: &[u8], at: usize) -> Peek<'_> {
    let Some(header_len) = u32_at(bytes, at) else {
        return Peek::Short(8);
    };
    let header_len = header_len as usize;
    if header_len > MAX_HEADER_BYTES {
        return Peek::Bad(format!("a record header of {header_len} bytes"));
    }
    let header_at = at.saturating_add(4);
    let data_len_at = header_at.saturating_add(header_len);
    let Some(header) = bytes.get(header_at..data_len_at) else {
        return Peek::Short(header_len.saturating_add(8));
    };
    let header = match parse_header(header) {
        Ok(header) => header,
        Err(what) => return Peek::Bad(what),
    };
    let Some(data_len) = u32_at(bytes, data_len_at) else {
        return Peek::Short(header_len.saturating_add(8));
    };
    let data_at = data_len_at.saturating_add(4);
    Peek::Record(Record {
        header,
        data: data_at..data_at.saturating_add(data_len as usize),
    })
}

fn parse_header(mut bytes: &[u8]) -> Result<Header<'_>, String> {
    let mut header = Header::default();
    while !bytes.is_empty() {
        let (name, value) = take_field(&mut bytes)?;
        match name {
            b"op" => {
                header.op = value
                    .first()
                    .copied()
                    .filter(|_| value.len() == 1)
                    .ok_or("an op that is not one byte")?
            }
            b"conn" => header.conn = u32_of(value),
            b"time" => header.time = time_of(value),
            b"topic" => header.topic = Some(value),
            b"compression" => header.compression = Some(value),
            b"size" => header.size = u32_of(value),
            b"ver" => header.ver = u32_of(value),
            b"count" => header.count = u32_of(value),
            b"chunk_pos" => header.chunk_pos = u64_of(value),
            b"start_time" => header.start_time = time_of(value),
            b"end_time" => header.end_time = time_of(value),
            b"index_pos" => header.index_pos = u64_of(value),
            b"conn_count" => header.conn_count = u32_of(value),
            b"chunk_count" => header.chunk_count = u32_of(value),
            b"encryptor" => header.encryptor = Some(value),
            _ => {}
        }
    }
    match header.op {
        0 => Err("a record header without an op".into()),
        _ => Ok(header),
    }
}

/// Takes the next `name=value` off `bytes`. The value may hold anything, `=` included.
pub(super) fn take_field<'a>(bytes: &mut &'a [u8]) -> Result<(&'a [u8], &'a [u8]), String> {
    let len = u32_at(bytes, 0).ok_or("a field length cut short")? as usize;
    let field = bytes
        .get(4..len.saturating_add(4))
        .ok_or_else(|| format!("a field of {len} bytes where {} are left", bytes.len().saturating_sub(4)))?;
    *bytes = bytes.get(len.saturating_add(4)..).unwrap_or_default();
    let equals = field.iter().position(|b| *b == b'=').ok_or("a field without `=`")?;
    let (name, value) = field.split_at(equals);
    Ok((name, value.get(1..).unwrap_or_default()))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    u32_of(bytes.get(at..at.checked_add(4)?)?)
}

fn u32_of(bytes: &[u8]) -> Option<u32> {
    bytes.try_into().ok().map(u32::from_le_bytes)
}

fn u64_of(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_le_bytes)
}

pub(super) fn time_of(bytes: &[u8]) -> Option<Time> {
    let sec = u32_at(bytes, 0)?;
    let nsec = u32_at(bytes, 4)?;
    (bytes.len() == 8).then(|| Time::from_sec_nsec(sec, nsec))
}

/// The start of the next record from `from` on whose op `wanted` accepts, found by the spelling of its op field.
pub(super) fn find(bytes: &[u8], from: usize, wanted: impl Fn(u8) -> bool) -> Option<usize> {
    /// `\x04\0\0\0op=` and any op, read as one word.
    const OP: u64 = u64::from_le_bytes(*b"\x04\0\0\0op=\0");
    const ANY_OP: u64 = 0xff << 56;
    /// The op field stands within so many bytes of the start of a record without a topic.
    const REACH: usize = 256;
    let mut at = from;
    loop {
        let is_op = |w: &[u8]| w.try_into().is_ok_and(|w| u64::from_le_bytes(w) & !ANY_OP == OP);
        let found = at.checked_add(bytes.get(at..)?.windows(8).position(is_op)?)?;
        let op = bytes.get(found.checked_add(7)?).copied()?;
        at = found.checked_add(1)?;
        if !wanted(op) {
            continue;
        }
        let nearest_start = found.checked_sub(4).unwrap_or(from);
        let start = (found.saturating_sub(REACH).max(from)..=nearest_start).find(|start| match u32_at(bytes, *start) {
            Some(len) if start.saturating_add(4).saturating_add(len as usize) > found => {
                matches!(peek(bytes, *start), Peek::Record(r) if r.header.op == op && complete(&r.header))
            }
            _ => false,
        });
        if start.is_some() {
            return start;
        }
    }
}

/// Whether a header has all fields of its kind.
pub(super) fn complete(header: &Header<'_>) -> bool {
    match header.op {
        MESSAGE => header.conn.is_some() && header.time.is_some(),
        BAG_HEADER => header.index_pos.is_some(),
        INDEX_DATA => header.conn.is_some() && header.count.is_some() && header.ver.is_some(),
        CHUNK => header.compression.is_some() && header.size.is_some(),
        CHUNK_INFO => header.chunk_pos.is_some() && header.start_time.is_some() && header.end_time.is_some(),
        CONNECTION => header.conn.is_some() && header.topic.is_some(),
        _ => false,
    }
}

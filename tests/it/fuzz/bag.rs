//! What a fuzzer does with a bag: changes a valid one where it hurts, and reads the result in every way.

use bytes::Bytes;
use fastrand::Rng;
use roadreel::format::{Checks, ConnectionSet};

use super::driver::{open, read};

/// Which parts of the reader the inputs reached.
#[derive(Debug, Default)]
pub struct Reached {
    pub refused: u64,
    pub indexed: u64,
    pub recovered: u64,
    pub lz4_chunks: u64,
    pub bz2_chunks: u64,
    pub messages: u64,
    pub warnings: u64,
}

/// Opens and reads `bytes`; whatever they hold, this returns.
pub fn exercise(bytes: &[u8], reached: &mut Reached) {
    let bytes = Bytes::copy_from_slice(bytes);
    let reads_are_cheap = bytes.len().is_multiple_of(2);
    let Ok(opened) = open(&bytes, reads_are_cheap) else {
        reached.refused += 1;
        return;
    };
    let catalog = opened.bag.catalog();
    match catalog.indexed {
        true => reached.indexed += 1,
        false => reached.recovered += 1,
    }
    for chunk in &catalog.chunks {
        reached.lz4_chunks += u64::from(&*chunk.compression == "lz4");
        reached.bz2_chunks += u64::from(&*chunk.compression == "bz2");
    }
    for (wanted, checks) in [
        (ConnectionSet::All, Checks::Full),
        (ConnectionSet::All, Checks::Quick),
        (ConnectionSet::Only([0, 2].into()), Checks::Quick),
    ] {
        let (messages, warnings) = read(&*opened.bag, &bytes, &wanted, checks);
        reached.messages += messages.len() as u64;
        reached.warnings += warnings.len() as u64;
        assert!(
            messages
                .iter()
                .all(|m| wanted.contains(m.connection) && (m.connection as usize) < catalog.connections.len())
        );
    }
}

const NAMES: &[&[u8]] = &[
    b"index_pos=",
    b"size=",
    b"count=",
    b"conn=",
    b"op=",
    b"chunk_pos=",
    b"ver=",
    b"compression=",
    b"conn_count=",
    b"chunk_count=",
    b"time=",
    b"start_time=",
    b"end_time=",
    b"\x04\x22\x4d\x18",
    b"BZh",
];

/// Changes `bytes` in a few places, preferably in those that mean something.
pub fn mutate(bytes: &mut Vec<u8>, rng: &mut Rng) {
    for _ in 0..rng.usize(1..5) {
        if bytes.is_empty() {
            return;
        }
        let at = rng.usize(..bytes.len());
        match rng.u8(..11) {
            8..11 => change_record(bytes, rng),
            0 => bytes[at] ^= 1 << rng.u8(..8),
            1 => bytes[at] = rng.u8(..),
            2 => put(bytes, at, rng),
            3 => bytes.truncate(at),
            4 => {
                let end = (at + rng.usize(..200)).min(bytes.len());
                bytes.drain(at..end);
            }
            5 => {
                let end = (at + rng.usize(..200)).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                let to = rng.usize(..=bytes.len());
                bytes.splice(to..to, copy);
            }
            _ => {
                let name = NAMES[rng.usize(..NAMES.len())];
                let places: Vec<usize> = bytes
                    .windows(name.len())
                    .enumerate()
                    .filter(|(_, w)| *w == name)
                    .map(|(i, _)| i)
                    .collect();
                if !places.is_empty() {
                    let place = places[rng.usize(..places.len())];
                    // its value, the length before it, or the record's length behind it
                    let at = [
                        place + name.len(),
                        place.saturating_sub(4),
                        place.saturating_sub(8),
                        place + name.len() + 4,
                    ][rng.usize(..4)];
                    put(bytes, at, rng);
                }
            }
        }
    }
}

/// Changes a whole record of the file: leaves it out, writes it twice, or says something else of where it ends or what it holds.
fn change_record(bytes: &mut Vec<u8>, rng: &mut Rng) {
    const OPS: [&[u8]; 4] = [b"op=\x06", b"op=\x05", b"op=\x04", b"op=\x07"];
    let op = OPS[rng.usize(..OPS.len())];
    let places: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(op)).collect();
    let Some(place) = rng.choice(places) else { return };
    let Some((start, data)) = record_around(bytes, place) else { return };
    let end = (data + u32_at(bytes, data - 4)).min(bytes.len());
    match rng.u8(..5) {
        0 => drop(bytes.drain(start..end)),
        1 => {
            let copy = bytes[start..end].to_vec();
            bytes.splice(end..end, copy);
        }
        2 => {
            let len = u32_at(bytes, data - 4);
            let changed = [
                len.saturating_sub(rng.usize(..=len.min(300))),
                len + rng.usize(..300),
                0,
                len + bytes.len(),
            ][rng.usize(..4)];
            bytes[data - 4..data].copy_from_slice(&(changed as u32).to_le_bytes());
        }
        3 => put(bytes, rng.usize(start..data), rng),
        _ if data < end => put(bytes, rng.usize(data..end), rng),
        _ => {}
    }
}

/// Where the record whose header holds `place` starts, and where its data do.
fn record_around(bytes: &[u8], place: usize) -> Option<(usize, usize)> {
    let fields_end = |mut at: usize, end: usize| {
        while at < end {
            at += 4 + u32_at(bytes, at);
        }
        at
    };
    (place.saturating_sub(200)..place).rev().find_map(|start| {
        let end = start + 4 + u32_at(bytes, start);
        let is_header = end > place && end < place + 200 && fields_end(start + 4, end) == end && end + 4 <= bytes.len();
        is_header.then_some((start, end + 4))
    })
}

fn u32_at(bytes: &[u8], at: usize) -> usize {
    let word = bytes.get(at..at + 4).and_then(|b| b.try_into().ok());
    word.map_or(usize::MAX / 4, |word| u32::from_le_bytes(word) as usize)
}

fn put(bytes: &mut [u8], at: usize, rng: &mut Rng) {
    let len = bytes.len() as u32;
    let old = bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes);
    let values = [
        0,
        1,
        2,
        12,
        255,
        0xffff,
        0x7fff_ffff,
        0x8000_0000,
        u32::MAX,
        len,
        rng.u32(..len.max(1)),
        old.wrapping_add(1),
        old.wrapping_sub(1),
    ];
    let value = values[rng.usize(..values.len())].to_le_bytes();
    let count = if rng.bool() { 4 } else { 1 };
    for (byte, value) in bytes.iter_mut().skip(at).take(count).zip(value) {
        *byte = value;
    }
}

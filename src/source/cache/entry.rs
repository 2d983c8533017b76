//! One file of the cache: a head that says what it is of, a checksum, the bytes.
//!
//! Invariant: [`parse`] hands out bytes only as they were given to [`write`] under the same name.

use std::io::{self, Write};

use bytes::Bytes;

/// What an entry is of: the object and the offset. Another one's file under this name is as good as damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) object: u128,
    pub(super) start: u64,
}

const MAGIC: [u8; 8] = *b"reelseg1";
pub(super) const HEAD_BYTES: usize = 48;

/// Magic, object, start, length, checksum.
pub(super) fn write(name: Name, bytes: &[u8], out: &mut impl Write) -> io::Result<()> {
    let named = named(name, bytes.len());
    out.write_all(&named)?;
    out.write_all(&checksum(&named, bytes).to_le_bytes())?;
    out.write_all(bytes)
}

/// The bytes of a whole file; None where it is not exactly what was written.
pub(super) fn parse(name: Name, mut file: Bytes) -> Option<Bytes> {
    let (head, bytes) = file.split_at_checked(HEAD_BYTES)?;
    let (named_as, sum) = head.split_at_checked(HEAD_BYTES - 8)?;
    let wanted = named(name, bytes.len());
    let is_whole = named_as == wanted && *sum == checksum(&wanted, bytes).to_le_bytes();
    is_whole.then(|| file.split_off(HEAD_BYTES))
}

fn named(name: Name, len: usize) -> [u8; HEAD_BYTES - 8] {
    let mut head = [0; HEAD_BYTES - 8];
    let (magic, rest) = head.split_at_mut(8);
    let (object, rest) = rest.split_at_mut(16);
    let (start, length) = rest.split_at_mut(8);
    magic.copy_from_slice(&MAGIC);
    object.copy_from_slice(&name.object.to_le_bytes());
    start.copy_from_slice(&name.start.to_le_bytes());
    length.copy_from_slice(&(len as u64).to_le_bytes());
    head
}

fn checksum(named: &[u8], bytes: &[u8]) -> u64 {
    let mut hasher = twox_hash::XxHash3_64::new();
    std::hash::Hasher::write(&mut hasher, named);
    std::hash::Hasher::write(&mut hasher, bytes);
    std::hash::Hasher::finish(&hasher)
}

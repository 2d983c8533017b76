//! Small objects that were read whole, by their whole address: as they were last seen, and until when nobody has to be asked.

use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::disk::Disk;
use super::{ObjectKey, entry, hash};

/// What is noted of one.
pub(super) struct Note {
    pub(super) key: ObjectKey,
    pub(super) total: u64,
    pub(super) is_fresh: bool,
}

/// Of these bytes: another version has another key.
pub(super) fn key(url: &url::Url, bytes: &[u8]) -> ObjectKey {
    ObjectKey(hash(&[b"small", url.as_str().as_bytes(), bytes]))
}

fn name(url: &url::Url) -> entry::Name {
    let object = hash(&[b"small", url.as_str().as_bytes()]);
    entry::Name { object, start: 0 }
}

pub(super) fn read(disk: &Disk, url: &url::Url) -> Option<Note> {
    let name = name(url);
    let (file, written) = disk.read_known(name.object)?;
    let bytes = entry::parse(name, file)?;
    let (total, rest) = bytes.split_first_chunk::<8>()?;
    let (fresh_secs, rest) = rest.split_first_chunk::<8>()?;
    let (key, _) = rest.split_first_chunk::<16>()?;
    let fresh_for = Duration::from_secs(u64::from_le_bytes(*fresh_secs));
    Some(Note {
        key: ObjectKey(u128::from_le_bytes(*key)),
        total: u64::from_le_bytes(*total),
        // a clock that was set back makes nothing fresh
        is_fresh: SystemTime::now().duration_since(written).is_ok_and(|age| age < fresh_for),
    })
}

pub(super) fn write(disk: &Disk, url: &url::Url, bytes: &Bytes, fresh_for: Duration) {
    let mut note = (bytes.len() as u64).to_le_bytes().to_vec();
    note.extend_from_slice(&fresh_for.as_secs().to_le_bytes());
    note.extend_from_slice(&key(url, bytes).0.to_le_bytes());
    let name = name(url);
    disk.write_known(name.object, name, &note);
}

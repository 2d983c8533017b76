//! Bytes of remote objects that were fetched before, in memory and on disk, so that nothing is fetched twice.
//!
//! An object is known by its strong ETag, its length and its path, without host and query: whoever signs a new link for it
//! gets the same bytes for nothing. Its bytes are kept as *segments*: exactly the ranges that were fetched, cut where they
//! become long. Blocks of a fixed size would be simpler, but streaming asks for chunks of any size at any offset, and
//! each request would fetch up to two blocks' worth of bytes that nobody asked for.
//!
//! Invariants: an object without a strong ETag is never kept; what is handed out has passed its checksum; a cache that
//! cannot be written costs a sentence, never a read; no lock is held across a file operation; file names are hashes.

mod disk;
mod entry;
mod known;
mod pins;
mod segments;
mod small;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use disk::Disk;
pub(super) use known::{Known, store_of};
pub use pins::Pin;
use segments::{Found, Segments};

use super::Location;
use super::location::percent_decoded;
use super::presigned::{Kind, presigned};

/// Segments are cut at this length: one is read and checked as a whole.
const SEGMENT_BYTES: u64 = 1 << 20;
/// What another program put into the folder is looked for at most this often.
const LIST_AGAIN: Duration = Duration::from_secs(1);

/// What the cache may take.
#[derive(Clone, Debug)]
pub struct CacheOptions {
    /// None: in memory only.
    pub folder: Option<PathBuf>,
    pub disk_bytes: u64,
    pub memory_bytes: u64,
}

/// What lies in a cache's folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheUse {
    pub objects: u64,
    pub bytes: u64,
}

/// Shared by all readers of one [`Net`](super::Net). Cheap to clone.
#[derive(Clone)]
pub struct Cache {
    shared: Arc<Shared>,
}

struct Shared {
    segments: Mutex<Segments>,
    disk: Option<Disk>,
}

/// The name of an object's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ObjectKey(u128);

impl ObjectKey {
    /// None where the ETag does not promise the same bytes.
    pub(super) fn new(at: &Location, total: u64, etag: &[u8]) -> Option<ObjectKey> {
        let path = match at {
            Location::Url(url) => format!("/{}", url_key(url)),
            Location::S3(address) => format!("/{}", address.key),
            Location::Path(_) => return None,
        };
        let strong = etag.len() > 2 && etag.starts_with(b"\"");
        strong.then(|| ObjectKey(hash(&[etag, &total.to_le_bytes(), path.as_bytes()])))
    }
}

/// The URL's path, or the key in it where a bucket stands before it: one object has one name, however a store is asked for it.
fn url_key(url: &url::Url) -> String {
    let path = percent_decoded(url.path().trim_start_matches('/'));
    let host = url.host_str().unwrap_or_default();
    let is_aws = host.contains(".amazonaws.");
    let names_bucket = match is_aws {
        true => host.starts_with("s3.") || host.starts_with("s3-"),
        // other stores seldom know a host for each bucket
        false => presigned(url).is_some_and(|link| matches!(link.kind, Kind::S3 | Kind::S3Version2)),
    };
    match path.split_once('/') {
        Some((_, key)) if names_bucket => key.to_owned(),
        _ => path,
    }
}

/// Of the parts and where they end.
fn hash(parts: &[&[u8]]) -> u128 {
    let mut hasher = twox_hash::XxHash3_128::new();
    for part in parts {
        hasher.write(&(part.len() as u64).to_le_bytes());
        hasher.write(part);
    }
    hasher.finish_128()
}

/// A small object that is kept whole.
pub(super) struct Small {
    pub(super) bytes: Bytes,
    /// Nobody has to be asked for it.
    pub(super) is_fresh: bool,
}

/// A part of a range: there, or to be fetched.
pub(super) enum Piece {
    Held(Range<u64>, Bytes),
    OnDisk(Range<u64>, Range<u64>),
    Missing(Range<u64>),
}

impl Cache {
    pub fn new(options: CacheOptions) -> Cache {
        let CacheOptions {
            folder,
            disk_bytes,
            memory_bytes,
        } = options;
        Cache {
            shared: Arc::new(Shared {
                segments: Mutex::new(Segments::new(memory_bytes)),
                disk: folder.filter(|_| disk_bytes > 0).map(|folder| Disk::new(folder, disk_bytes)),
            }),
        }
    }

    /// Why nothing is written to disk any more: one sentence.
    pub fn trouble(&self) -> Option<Arc<str>> {
        self.shared.disk.as_ref()?.trouble()
    }

    /// Waits until what was fetched so far is written.
    pub fn flush(&self) {
        if let Some(disk) = &self.shared.disk {
            disk.flush();
        }
    }

    /// What lies in this folder.
    pub fn used(folder: &Path) -> std::io::Result<CacheUse> {
        disk::used(folder)
    }

    /// Deletes what the cache has put into this folder, and nothing else.
    pub fn clear(folder: &Path) -> std::io::Result<CacheUse> {
        disk::clear(folder)
    }

    /// What is kept in this folder until it is let go.
    pub fn pins(folder: &Path) -> Vec<Pin> {
        pins::all(folder)
    }

    /// Lets go what was kept; it stays until something else needs the room.
    pub fn unpin(folder: &Path, pin: &Pin) -> std::io::Result<()> {
        pin.remove(folder)
    }

    /// Where this one writes; None where it keeps nothing on disk.
    pub fn folder(&self) -> Option<&Path> {
        Some(self.shared.disk.as_ref()?.folder())
    }

    /// Bytes that may still be pinned, and the limit, which pins keep within. Waits for the disk.
    pub(super) fn room_for_pins(&self, new: &Pin) -> Option<(u64, u64)> {
        let disk = self.shared.disk.as_ref()?;
        let others = pins::all(disk.folder());
        let pinned: u64 = others.iter().filter(|pin| !pin.is_of_same_span(new)).map(Pin::bytes).sum();
        Some((disk.limit_bytes().saturating_sub(pinned), disk.limit_bytes()))
    }

    pub(super) fn is_pinned(&self, key: ObjectKey) -> bool {
        self.shared
            .disk
            .as_ref()
            .is_some_and(|disk| pins::Held::of(disk.folder()).is_of(key))
    }

    /// Holds what a pin names. Waits for the disk.
    pub(super) fn pin(&self, pin: &Pin) -> std::io::Result<()> {
        match &self.shared.disk {
            Some(disk) => pin.write(disk.folder()),
            None => Ok(()),
        }
    }

    /// Sees to it that these bytes are on disk. Waits for the disk.
    pub(super) fn complete(&self, key: ObjectKey, start: u64, bytes: &Bytes) -> std::io::Result<()> {
        match &self.shared.disk {
            Some(disk) => disk.complete(key, start, bytes),
            None => Ok(()),
        }
    }

    fn segments(&self) -> MutexGuard<'_, Segments> {
        self.shared.segments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was last known of the object at a location. Waits for the disk.
    pub(super) fn known(&self, at: &Location) -> Option<Known> {
        known::read(self.shared.disk.as_ref()?, at)
    }

    /// Remembers that the object at a location is, as of now, this one. Waits for the disk.
    pub(super) fn learn(&self, at: &Location, known: &Known) {
        if let Some(disk) = &self.shared.disk {
            known::write(disk, at, known);
        }
    }

    pub(super) fn forget(&self, at: &Location) {
        if let Some(disk) = &self.shared.disk {
            known::forget(disk, at);
        }
    }

    /// Looks what the disk holds of an object. Waits for the disk.
    pub(super) fn list(&self, key: ObjectKey) {
        let found = self.shared.disk.as_ref().map(|disk| disk.list(key)).unwrap_or_default();
        self.segments().listed(key, found, Instant::now());
    }

    /// Whether the folder may hold more than when it was last looked at.
    pub(super) fn is_stale(&self, key: ObjectKey) -> bool {
        let Some(listed) = self.segments().last_listed(key) else {
            return self.shared.disk.is_some();
        };
        self.shared.disk.is_some() && listed.elapsed() > LIST_AGAIN
    }

    /// The parts of `range` in order, without gaps.
    pub(super) fn pieces(&self, key: ObjectKey, range: &Range<u64>) -> Vec<Piece> {
        let found = self.segments().find(key, range);
        let piece = |found: Found| match found {
            Found::Held(part, segment, bytes) => {
                let at = |offset: u64| usize::try_from(offset - segment.start).unwrap_or(usize::MAX).min(bytes.len());
                Piece::Held(part.clone(), bytes.slice(at(part.start)..at(part.end)))
            }
            Found::OnDisk(part, segment) => Piece::OnDisk(part, segment),
            Found::Missing(part) => Piece::Missing(part),
        };
        found.into_iter().map(piece).collect()
    }

    /// The bytes of `part`, which lies in a segment on disk; None where that is gone or damaged. Waits for the disk.
    pub(super) fn load(&self, key: ObjectKey, part: &Range<u64>, segment: &Range<u64>) -> Option<Bytes> {
        let read = self.shared.disk.as_ref().and_then(|disk| disk.read(key, segment));
        let mut segments = self.segments();
        let Some(bytes) = read else {
            segments.lost(key, segment);
            return None;
        };
        segments.put(key, segment.start, bytes.clone(), true);
        let at = |offset: u64| usize::try_from(offset.checked_sub(segment.start)?).ok();
        (part.end <= segment.end).then_some(())?;
        Some(bytes.slice(at(part.start)?..at(part.end)?))
    }

    /// All of `range`, as far as it lies here without a gap. Waits for the disk.
    pub(super) fn whole(&self, key: ObjectKey, range: Range<u64>) -> Option<Bytes> {
        self.list(key);
        let mut whole = BytesMut::new();
        for piece in self.pieces(key, &range) {
            match piece {
                Piece::Held(_, bytes) => whole.extend_from_slice(&bytes),
                Piece::OnDisk(part, segment) => whole.extend_from_slice(&self.load(key, &part, &segment)?),
                Piece::Missing(_) => return None,
            }
        }
        Some(whole.freeze())
    }

    /// A small object as it was last seen. Waits for the disk.
    pub(super) fn small(&self, url: &url::Url) -> Option<Small> {
        let note = small::read(self.shared.disk.as_ref()?, url)?;
        let bytes = self.whole(note.key, 0..note.total)?;
        let is_fresh = note.is_fresh;
        Some(Small { bytes, is_fresh })
    }

    /// Keeps a small object for as long as there is room, and asks nobody for it for a while. Waits for the disk.
    pub(super) fn keep_small(&self, url: &url::Url, bytes: &Bytes, fresh_for: Duration) {
        if let Some(disk) = &self.shared.disk {
            self.record(small::key(url, bytes), 0).take(bytes);
            small::write(disk, url, bytes, fresh_for);
        }
    }

    /// Keeps what is fetched from `start` on.
    pub(super) fn record(&self, key: ObjectKey, start: u64) -> Recorder {
        Recorder {
            cache: self.clone(),
            key,
            start,
            bytes: BytesMut::new(),
        }
    }

    fn keep(&self, key: ObjectKey, start: u64, bytes: Bytes) {
        self.segments().put(key, start, bytes.clone(), false);
        if let Some(disk) = &self.shared.disk {
            let cache = Arc::downgrade(&self.shared);
            let range = start..start + bytes.len() as u64;
            disk.write(key, start, bytes, move || {
                if let Some(shared) = cache.upgrade() {
                    let mut segments = shared.segments.lock().unwrap_or_else(PoisonError::into_inner);
                    segments.written(key, &range);
                }
            });
        }
    }
}

/// Takes bytes as they arrive. What has arrived when it is dropped is kept: a cancelled request was not in vain.
pub(super) struct Recorder {
    cache: Cache,
    key: ObjectKey,
    start: u64,
    bytes: BytesMut,
}

impl Recorder {
    pub(super) fn take(&mut self, mut part: &[u8]) {
        while !part.is_empty() {
            let room = usize::try_from(SEGMENT_BYTES).unwrap_or(usize::MAX) - self.bytes.len();
            let (now, rest) = part.split_at(room.min(part.len()));
            self.bytes.extend_from_slice(now);
            part = rest;
            if now.len() == room {
                self.close();
            }
        }
    }

    fn close(&mut self) {
        let bytes = self.bytes.split().freeze();
        if !bytes.is_empty() {
            let start = self.start;
            self.start += bytes.len() as u64;
            self.cache.keep(self.key, start, bytes);
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.close();
    }
}

//! The cache's folder: `objects/<object>/<start>-<end>`, `known/<url>` and `pins/<span>`, names being hashes and offsets.
//!
//! A file is written beside and renamed: it is there whole or not at all, and what a crash of the machine leaves fails its
//! checksum. So any number of programs may use a folder at once. One thread writes; when the folder has grown too large it
//! deletes what was used least recently, by the files' times of modification, which each use renews, and no pin holds.
//!
//! Invariant: only this user can read what is written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::entry::{self, Name};
use super::pins::Held;
use super::{CacheUse, ObjectKey, SEGMENT_BYTES};

/// Segments that wait to be written; more are not kept: the network never waits for the disk.
const QUEUE: usize = 32;
/// A file that is still being written after so long was left behind.
const LEFT_BEHIND: Duration = Duration::from_secs(3600);
/// What is known of objects is small, and useful until the object is gone: it is deleted by its age alone.
const FORGOTTEN: Duration = Duration::from_secs(90 * 86_400);
/// After a clean-up this much of the limit is in use.
const KEPT_PERCENT: u64 = 90;
const PARTS: [&str; 3] = ["objects", "known", "pins"];

pub(super) struct Disk {
    folder: PathBuf,
    limit_bytes: u64,
    writer: Mutex<Option<SyncSender<Task>>>,
    trouble: Arc<OnceLock<Arc<str>>>,
}

enum Task {
    Write {
        key: ObjectKey,
        start: u64,
        bytes: Bytes,
        written: Box<dyn FnOnce() + Send>,
    },
    Flush(SyncSender<()>),
}

impl Disk {
    pub(super) fn new(folder: PathBuf, limit_bytes: u64) -> Disk {
        Disk {
            folder,
            limit_bytes,
            writer: Mutex::new(None),
            trouble: Arc::default(),
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn limit_bytes(&self) -> u64 {
        self.limit_bytes
    }

    /// Writes what of `bytes`, which begin at `start`, is not there, now: unlike [`Disk::write`] nothing is left out.
    pub(super) fn complete(&self, key: ObjectKey, start: u64, bytes: &Bytes) -> io::Result<()> {
        let end = start + bytes.len() as u64;
        let mut there = self.list(key);
        there.sort_by_key(|segment| segment.start);
        let mut at = start;
        let mut missing = Vec::new();
        for segment in there.iter().filter(|s| s.start < end && s.end > start) {
            if segment.start > at {
                missing.push(at..segment.start);
            }
            at = at.max(segment.end);
        }
        missing.push(at..end);
        for gap in missing.into_iter().filter(|gap| gap.start < gap.end) {
            let mut from = gap.start;
            while from < gap.end {
                let to = gap.end.min(from + SEGMENT_BYTES);
                let within = |offset: u64| usize::try_from(offset - start).unwrap_or(usize::MAX);
                let part = bytes.get(within(from)..within(to)).unwrap_or_default();
                write_whole(
                    &self.object(key).join(file_name(&(from..to))),
                    Name {
                        object: key.0,
                        start: from,
                    },
                    part,
                )?;
                from = to;
            }
        }
        Ok(())
    }

    pub(super) fn trouble(&self) -> Option<Arc<str>> {
        self.trouble.get().cloned()
    }

    fn object(&self, key: ObjectKey) -> PathBuf {
        object_folder(&self.folder, key)
    }

    fn known(&self, name: u128) -> PathBuf {
        self.folder.join("known").join(hex(name))
    }

    /// The segments of an object, by their files' names.
    pub(super) fn list(&self, key: ObjectKey) -> Vec<Range<u64>> {
        let Ok(files) = fs::read_dir(self.object(key)) else {
            return Vec::new();
        };
        files.flatten().filter_map(|file| range_of(file.file_name().to_str()?)).collect()
    }

    /// A segment's bytes; a damaged file is deleted.
    pub(super) fn read(&self, key: ObjectKey, segment: &Range<u64>) -> Option<Bytes> {
        let path = self.object(key).join(file_name(segment));
        let (file, bytes) = read_short(&path)?;
        let name = Name {
            object: key.0,
            start: segment.start,
        };
        let len = segment.end - segment.start;
        let bytes = entry::parse(name, bytes).filter(|bytes| bytes.len() as u64 == len);
        if bytes.is_none() {
            tracing::debug!(path = %path.display(), "a damaged file of the cache is fetched again");
            let _ = fs::remove_file(&path);
            return None;
        }
        // a file that cannot be renewed is deleted earlier than it deserves, no more
        let _ = file.set_modified(SystemTime::now());
        bytes
    }

    /// Queues a segment; calls `written` once it is there.
    pub(super) fn write(&self, key: ObjectKey, start: u64, bytes: Bytes, written: impl FnOnce() + Send + 'static) {
        if self.trouble.get().is_some() {
            return;
        }
        let task = Task::Write {
            key,
            start,
            bytes,
            written: Box::new(written),
        };
        // a full queue means a disk slower than the network
        if let Some(writer) = self.writer() {
            let _ = writer.try_send(task);
        }
    }

    /// Waits, but not for ever, until what was queued is written.
    pub(super) fn flush(&self) {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (sender, done) = sync_channel(1);
        if let Some(writer) = writer
            && writer.send(Task::Flush(sender)).is_ok()
        {
            let _ = done.recv_timeout(Duration::from_secs(10));
        }
    }

    fn writer(&self) -> Option<SyncSender<Task>> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if writer.is_none() {
            let (sender, tasks) = sync_channel(QUEUE);
            let state = Writing {
                folder: self.folder.clone(),
                limit_bytes: self.limit_bytes,
                used_bytes: None,
                trouble: self.trouble.clone(),
            };
            let spawned = std::thread::Builder::new()
                .name("roadreel-cache".to_owned())
                .spawn(move || state.run(&tasks));
            *writer = spawned.is_ok().then_some(sender);
        }
        writer.clone()
    }

    pub(super) fn read_known(&self, name: u128) -> Option<(Bytes, SystemTime)> {
        let (file, bytes) = read_short(&self.known(name))?;
        Some((bytes, file.metadata().ok()?.modified().ok()?))
    }

    pub(super) fn write_known(&self, name: u128, entry: Name, bytes: &[u8]) {
        if let Err(error) = write_whole(&self.known(name), entry, bytes) {
            note(&self.trouble, &self.folder, &error);
        }
    }

    pub(super) fn forget_known(&self, name: u128) {
        // not there: as good
        let _ = fs::remove_file(self.known(name));
    }
}

struct Writing {
    folder: PathBuf,
    limit_bytes: u64,
    /// None until the folder was looked through.
    used_bytes: Option<u64>,
    trouble: Arc<OnceLock<Arc<str>>>,
}

impl Writing {
    fn run(mut self, tasks: &Receiver<Task>) {
        make_private(&self.folder);
        let mut since_looked = 0;
        for task in tasks {
            match task {
                Task::Flush(done) => drop(done.try_send(())),
                Task::Write { .. } if self.trouble.get().is_some() => {}
                Task::Write {
                    key,
                    start,
                    bytes,
                    written,
                } => {
                    let len = bytes.len() as u64 + entry::HEAD_BYTES as u64;
                    let path = object_folder(&self.folder, key).join(file_name(&(start..start + bytes.len() as u64)));
                    let name = Name { object: key.0, start };
                    match write_whole(&path, name, &bytes) {
                        Ok(()) => written(),
                        Err(error) => note(&self.trouble, &self.folder, &error),
                    }
                    since_looked += len;
                    let used = self.used_bytes.get_or_insert(u64::MAX);
                    *used = used.saturating_add(len);
                    // others write here, too
                    if *used > self.limit_bytes || since_looked > self.limit_bytes / 8 {
                        *used = clean_up(&self.folder, self.limit_bytes);
                        since_looked = 0;
                    }
                }
            }
        }
    }
}

fn note(trouble: &OnceLock<Arc<str>>, folder: &Path, error: &io::Error) {
    let why = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "the disk is full".to_owned(),
        _ => error.to_string(),
    };
    let sentence = format!(
        "what is fetched is not kept on disk any more ({why}): free space there, or name another folder with --cache-dir: {}",
        folder.display()
    );
    tracing::warn!("{sentence}");
    let _ = trouble.set(sentence.into());
}

fn object_folder(folder: &Path, key: ObjectKey) -> PathBuf {
    folder.join("objects").join(hex(key.0))
}

pub(super) fn hex(name: u128) -> String {
    format!("{name:032x}")
}

fn file_name(segment: &Range<u64>) -> String {
    format!("{:012x}-{:012x}", segment.start, segment.end)
}

pub(super) fn range_of(name: &str) -> Option<Range<u64>> {
    let (start, end) = name.split_once('-')?;
    let range = u64::from_str_radix(start, 16).ok()?..u64::from_str_radix(end, 16).ok()?;
    (range.start < range.end && range.end - range.start <= SEGMENT_BYTES).then_some(range)
}

/// A file no longer than any that is written here.
fn read_short(path: &Path) -> Option<(File, Bytes)> {
    let mut file = File::open(path).ok()?;
    let longest = SEGMENT_BYTES + entry::HEAD_BYTES as u64;
    let len = file.metadata().ok()?.len();
    let mut bytes = Vec::with_capacity(usize::try_from(len.min(longest)).ok()?);
    (&mut file).take(longest + 1).read_to_end(&mut bytes).ok()?;
    Some((file, bytes.into()))
}

pub(super) fn read_small(path: &Path) -> Option<Bytes> {
    Some(read_short(path)?.1)
}

pub(super) fn write_small(path: &Path, name: Name, bytes: &[u8]) -> io::Result<()> {
    write_whole(path, name, bytes)
}

/// Beside first, then renamed.
fn write_whole(path: &Path, name: Name, bytes: &[u8]) -> io::Result<()> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let folder = path.parent().unwrap_or(path);
    let beside = folder.join(format!(".{}-{}.tmp", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed)));
    let write = || {
        let mut file = BufWriter::with_capacity(64 * 1024, create_private(&beside)?);
        entry::write(name, bytes, &mut file)?;
        file.flush()?;
        fs::rename(&beside, path)
    };
    let mut written = write();
    // the folder is new, or another program has just found it empty
    if written.as_ref().is_err_and(|e| e.kind() == io::ErrorKind::NotFound) {
        create_private_folder(folder)?;
        written = write();
    }
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn create_private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// A folder that was there before, where nothing else lies in it: what is written is in private folders in any case.
fn make_private(folder: &Path) {
    let Ok(mut entries) = fs::read_dir(folder) else { return };
    let is_ours = |entry: io::Result<fs::DirEntry>| entry.is_ok_and(|e| PARTS.iter().any(|part| e.file_name() == *part));
    if entries.all(is_ours) {
        // another user's folder stays as it is
        #[cfg(unix)]
        let _ = fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700));
    }
}

struct Kept {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

/// All files of the cache; those that somebody left behind half-written are deleted.
fn files(folder: &Path) -> io::Result<Vec<Kept>> {
    let mut kept = Vec::new();
    for part in PARTS {
        let mut waiting = vec![folder.join(part)];
        while let Some(within) = waiting.pop() {
            let entries = match fs::read_dir(&within) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                entries => entries?,
            };
            for entry in entries {
                let entry = entry?;
                let Ok(meta) = entry.metadata() else { continue };
                let path = entry.path();
                if meta.is_dir() {
                    waiting.push(path);
                    continue;
                }
                let used = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                let is_unfinished = path.extension().is_some_and(|e| e == "tmp");
                if is_unfinished && SystemTime::now().duration_since(used).is_ok_and(|age| age > LEFT_BEHIND) {
                    let _ = fs::remove_file(&path);
                } else if !is_unfinished {
                    let bytes = meta.len();
                    kept.push(Kept { path, bytes, used });
                }
            }
        }
    }
    Ok(kept)
}

/// Deletes what was used least recently until the limit is kept; returns the bytes in use.
fn clean_up(folder: &Path, limit_bytes: u64) -> u64 {
    let mut kept = files(folder).unwrap_or_default();
    let mut used: u64 = kept.iter().map(|k| k.bytes).sum();
    if used <= limit_bytes {
        return used;
    }
    kept.sort_by_key(|k| k.used);
    let known = folder.join("known");
    let is_old = |k: &Kept| SystemTime::now().duration_since(k.used).is_ok_and(|age| age > FORGOTTEN);
    let (held, pins) = (Held::of(folder), folder.join("pins"));
    kept.retain(|k| (is_old(k) || !k.path.starts_with(&known)) && !k.path.starts_with(&pins) && !held.holds(&k.path));
    for one in kept {
        if used <= limit_bytes / 100 * KEPT_PERCENT {
            break;
        }
        if fs::remove_file(&one.path).is_ok() {
            used -= one.bytes;
        }
    }
    remove_empty(&folder.join("objects"));
    used
}

/// A folder that is not empty stays: the operating system sees to it.
fn remove_empty(objects: &Path) {
    for entry in fs::read_dir(objects).into_iter().flatten().flatten() {
        let _ = fs::remove_dir(entry.path());
    }
}

pub(super) fn used(folder: &Path) -> io::Result<CacheUse> {
    let kept = files(folder)?;
    let objects = folder.join("objects");
    let objects: std::collections::HashSet<_> = kept
        .iter()
        .filter(|k| k.path.starts_with(&objects))
        .filter_map(|k| k.path.parent())
        .collect();
    Ok(CacheUse {
        objects: objects.len() as u64,
        bytes: kept.iter().map(|k| k.bytes).sum(),
    })
}

pub(super) fn clear(folder: &Path) -> io::Result<CacheUse> {
    let was = used(folder)?;
    for part in PARTS {
        match fs::remove_dir_all(folder.join(part)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(was)
}

//! Small text files that people share, such as layouts: listed, read, written, renamed, taken away; on disk and in S3.
//!
//! Invariants: a file is replaced whole or not at all; none is replaced that is not what it is expected to be, nor by a new name.

use std::io::{Error, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Io;
use crate::source::{EntryKind, Location, Net, S3Address};
use crate::time::Time;

/// What is expected where something is to be written.
#[derive(Clone, Debug)]
pub enum Expected {
    Anything,
    /// No file yet.
    Nothing,
    /// This, or no file at all.
    Text(Arc<str>),
}

/// How writing went.
#[derive(Debug, PartialEq, Eq)]
pub enum Wrote {
    Whole,
    /// This lies there, which was not expected: nothing was written.
    Differs(String),
}

impl Expected {
    fn differs(&self, there: Option<String>) -> Option<String> {
        let there = there?;
        match self {
            Expected::Anything => None,
            Expected::Text(expected) if **expected == *there => None,
            Expected::Text(_) | Expected::Nothing => Some(there),
        }
    }
}

/// Texts are small; what is larger is none.
pub const LARGEST_TEXT: u64 = 4 << 20;

/// Waits for the disk.
pub fn read_text(path: &Path) -> std::io::Result<String> {
    let bytes = std::fs::metadata(path)?.len();
    if bytes > LARGEST_TEXT {
        let what = format!("the file has {} MiB; up to {} MiB are read", bytes >> 20, LARGEST_TEXT >> 20);
        return Err(Error::new(ErrorKind::FileTooLarge, what));
    }
    std::fs::read_to_string(path)
}

/// Replaces the file, or leaves it as it is. Waits for the disk.
pub fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    if let Some(folder) = folder {
        std::fs::create_dir_all(folder)?;
    }
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let written = (|| {
        let mut file = std::fs::File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    })();
    if written.is_err() {
        // the error that matters is the first one
        let _ = std::fs::remove_file(&beside);
    }
    written
}

/// Waits for the disk.
pub fn write_text(path: &Path, text: &str, expected: &Expected) -> std::io::Result<Wrote> {
    let there = match expected {
        Expected::Anything => None,
        Expected::Nothing | Expected::Text(_) => match read_text(path) {
            Ok(there) => Some(there),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        },
    };
    match expected.differs(there) {
        Some(there) => Ok(Wrote::Differs(there)),
        None => write_whole(path, text.as_bytes()).map(|()| Wrote::Whole),
    }
}

/// Never onto a file that is there. Waits for the disk.
pub fn rename_text(from: &Path, to: &Path) -> std::io::Result<()> {
    if to.exists() {
        return Err(Error::new(ErrorKind::AlreadyExists, "there is a file of that name already"));
    }
    std::fs::rename(from, to)
}

/// Texts that were taken away, at most.
const BIN_MAX: usize = 100;

/// Keeps a file's text in the folder `bin` before it goes, and returns it. Waits for the disk.
pub fn remove_text(path: &Path, bin: &Path) -> std::io::Result<String> {
    let text = read_text(path)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    write_whole(&free_path(bin, &name), text.as_bytes())?;
    std::fs::remove_file(path)?;
    let mut kept = files_of(bin, |_| true).unwrap_or_default();
    kept.sort_by_key(|file| file.modified);
    let too_many = kept.len().saturating_sub(BIN_MAX);
    for oldest in kept.iter().take(too_many) {
        if let Location::Path(path) = &oldest.location {
            // the next one that is taken away tries again
            let _ = std::fs::remove_file(path);
        }
    }
    Ok(text)
}

/// `name` in `folder`, with a number where there is one of that name.
pub fn free_path(folder: &Path, name: &str) -> PathBuf {
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, "json"));
    let numbered = (2..1000).map(|number| folder.join(format!("{stem} {number}.{ending}")));
    let mut paths = std::iter::once(folder.join(name)).chain(numbered);
    paths.find(|path| !path.exists()).unwrap_or_else(|| folder.join(name))
}

/// A file of a folder.
#[derive(Clone, Debug, PartialEq)]
pub struct TextFile {
    pub location: Location,
    pub modified: Option<Time>,
}

/// Where texts lie together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextFolder {
    Folder(PathBuf),
    /// All objects whose keys begin so, up to the next `/`.
    Prefix(S3Address),
    /// A list of addresses (a JSON array of strings, relative to its own), or one text.
    List(url::Url),
}

impl TextFolder {
    /// A folder's path, `s3://bucket/prefix/` or `https://…`; an error is one sentence.
    pub fn parse(text: &str) -> Result<TextFolder, String> {
        if let Some(address) = S3Address::parse(text) {
            let mut address = address.map_err(|error| error.to_string())?;
            if address.bucket.is_empty() {
                return Err("name a bucket: s3://bucket/folder/".to_owned());
            }
            if !address.key.is_empty() && !address.key.ends_with('/') {
                address.key.push('/');
            }
            return Ok(TextFolder::Prefix(address));
        }
        match Location::parse(text).map_err(|error| error.to_string())? {
            Location::Path(path) => Ok(TextFolder::Folder(path)),
            Location::Url(url) => Ok(TextFolder::List(url)),
            Location::S3(address) => Ok(TextFolder::Prefix(address)),
        }
    }

    /// Where a file of this name lies in it; None where the folder cannot be written to.
    pub fn file(&self, name: &str) -> Option<Location> {
        match self {
            TextFolder::Folder(folder) => Some(Location::Path(folder.join(name))),
            TextFolder::Prefix(prefix) => Some(Location::S3(S3Address {
                bucket: prefix.bucket.clone(),
                key: format!("{}{name}", prefix.key),
            })),
            TextFolder::List(_) => None,
        }
    }

    pub fn holds(&self, location: &Location) -> bool {
        match (self, location) {
            (TextFolder::Folder(folder), Location::Path(path)) => path.parent() == Some(folder),
            (TextFolder::Prefix(prefix), Location::S3(address)) => prefix.bucket == address.bucket && address.key.starts_with(&prefix.key),
            (TextFolder::List(list), Location::Url(url)) => list.origin() == url.origin(),
            _ => false,
        }
    }
}

const FILES_MAX: usize = 5000;

/// A folder that is not there is empty.
fn files_of(folder: &Path, is_one: impl Fn(&str) -> bool) -> std::io::Result<Vec<TextFile>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries.take(FILES_MAX).flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') || !is_one(&name) {
            continue;
        }
        let path = entry.path();
        if let Ok(about) = std::fs::metadata(&path)
            && about.is_file()
        {
            let since = about.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
            found.push(TextFile {
                location: Location::Path(path),
                modified: since.and_then(|since| i64::try_from(since.as_nanos()).ok()).map(Time),
            });
        }
    }
    Ok(found)
}

impl Io {
    /// Hands the files of a folder, by name, or a sentence, to `then` on another thread. Never waits.
    pub fn list_texts(
        &self,
        folder: TextFolder,
        is_one: fn(&str) -> bool,
        then: impl FnOnce(Result<Vec<TextFile>, String>) + Send + 'static,
    ) {
        let net = self.net().clone();
        let look = async move {
            match folder {
                TextFolder::Folder(path) => {
                    let what = format!("{}", path.display());
                    let looked = tokio::task::spawn_blocking(move || files_of(&path, is_one)).await;
                    let looked = looked.map_err(|_| "the folder could not be read".to_owned())?;
                    looked.map_err(|error| format!("the folder could not be read: {error}: {what}"))
                }
                TextFolder::Prefix(prefix) => objects(&prefix, is_one, &net).await,
                TextFolder::List(url) => listed(url, is_one, &net).await,
            }
        };
        self.spawn(async move {
            then(look.await.map(|mut files| {
                files.sort_by_key(|file| file.location.name().to_lowercase());
                files
            }));
        });
    }

    /// Writes an object, and hands how it went, or a sentence, to `then` on another thread. Never waits.
    pub fn put_text(
        &self,
        address: S3Address,
        text: String,
        expected: Expected,
        then: impl FnOnce(Result<Wrote, String>) + Send + 'static,
    ) {
        let io = self.clone();
        self.spawn(async move { then(put(address, text, &expected, io.net()).await) });
    }

    /// Gives an object another key, and hands how it went to `then` on another thread. Never waits.
    pub fn move_text(&self, from: S3Address, to: S3Address, then: impl FnOnce(Result<(), String>) + Send + 'static) {
        let io = self.clone();
        self.spawn(async move {
            let moved = async {
                let text = super::fetch::text(Location::S3(from.clone()), LARGEST_TEXT, io.net()).await?;
                match put(to, text, &Expected::Nothing, io.net()).await? {
                    Wrote::Whole => io.net().delete(&from).await.map_err(|error| error.to_string()),
                    Wrote::Differs(_) => Err("there is a layout of that name already".to_owned()),
                }
            };
            then(moved.await);
        });
    }

    /// Takes an object away, and hands the text that it was, or a sentence, to `then` on another thread. Never waits.
    pub fn delete_text(&self, address: S3Address, then: impl FnOnce(Result<String, String>) + Send + 'static) {
        let io = self.clone();
        self.spawn(async move {
            let gone = async {
                let text = super::fetch::text(Location::S3(address.clone()), LARGEST_TEXT, io.net()).await?;
                io.net().delete(&address).await.map_err(|error| error.to_string())?;
                Ok(text)
            };
            then(gone.await);
        });
    }
}

async fn objects(prefix: &S3Address, is_one: fn(&str) -> bool, net: &Net) -> Result<Vec<TextFile>, String> {
    let mut found = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = net.list(prefix, after.as_deref(), true).await.map_err(|error| error.to_string())?;
        found.extend(page.entries.into_iter().filter_map(|entry| match entry.kind {
            EntryKind::Object { modified, .. } if is_one(entry.name()) => Some(TextFile {
                location: Location::S3(entry.address),
                modified,
            }),
            _ => None,
        }));
        after = page.next;
        if after.is_none() || found.len() >= FILES_MAX {
            return Ok(found);
        }
    }
}

async fn listed(list: url::Url, is_one: fn(&str) -> bool, net: &Net) -> Result<Vec<TextFile>, String> {
    let text = super::fetch::text(Location::Url(list.clone()), LARGEST_TEXT, net).await?;
    let Ok(names) = serde_json::from_str::<Vec<String>>(&text) else {
        return Ok(vec![TextFile {
            location: Location::Url(list),
            modified: None,
        }]);
    };
    let urls = names.iter().take(FILES_MAX).filter_map(|name| list.join(name).ok());
    let files = urls.filter(|url| matches!(url.scheme(), "http" | "https")).map(|url| TextFile {
        location: Location::Url(url),
        modified: None,
    });
    Ok(files.filter(|file| is_one(&file.location.name())).collect())
}

async fn put(address: S3Address, text: String, expected: &Expected, net: &Net) -> Result<Wrote, String> {
    let told = |error: crate::source::SourceError| error.to_string();
    let etag = net.etag(&address).await.map_err(told)?;
    let there = match (&etag, expected) {
        (None, _) | (_, Expected::Anything) => None,
        (Some(_), _) => Some(super::fetch::text(Location::S3(address.clone()), LARGEST_TEXT, net).await?),
    };
    if let Some(there) = expected.differs(there) {
        return Ok(Wrote::Differs(there));
    }
    net.put(&address, text.into_bytes(), etag.as_deref()).await.map_err(told)?;
    Ok(Wrote::Whole)
}

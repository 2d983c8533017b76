//! What lies below a folder or a prefix, and what a list of locations names: many objects that belong together.
//!
//! Invariant: at most [`MOST`] objects are listed; a folder that leads back to itself ends.

use std::path::Path;

use serde_json::Value;

use super::location::percent_decoded;
use super::reader::blocking;
use super::{EntryKind, Location, Net, S3Address, SourceError};

/// More objects are not taken for one thing.
const MOST: usize = 200_000;
const MAX_DEPTH: usize = 32;
/// A list is no longer.
pub const LONGEST_LIST_BYTES: u64 = 64 << 20;

/// An object below a folder, or on a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// From the folder on, with `/`.
    pub path: String,
    pub location: Location,
    pub len: Option<u64>,
}

/// All objects below a folder of this machine or a prefix of S3, by path; None where the location is neither.
pub async fn below(location: &Location, net: &Net) -> Result<Option<Vec<Found>>, SourceError> {
    let mut found = match location {
        Location::Path(path) => {
            let (root, at) = (path.clone(), location.clone());
            let walked = blocking(location, move || {
                if !root.is_dir() {
                    return Ok(None);
                }
                let mut found = Vec::new();
                walk(&root, "", 0, &mut found).map_err(|error| SourceError::io(&error, &at))?;
                Ok(Some(found))
            });
            match walked.await? {
                Some(found) => found,
                None => return Ok(None),
            }
        }
        Location::S3(address) if address.is_prefix() => listed(address, net).await?,
        Location::S3(_) | Location::Url(_) => return Ok(None),
    };
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Some(found))
}

fn walk(folder: &Path, path: &str, depth: usize, found: &mut Vec<Found>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if path.is_empty() { name } else { format!("{path}/{name}") };
        let Ok(meta) = std::fs::metadata(entry.path()) else { continue };
        if meta.is_dir() && depth < MAX_DEPTH {
            walk(&entry.path(), &path, depth + 1, found)?;
        } else if meta.is_file() && found.len() < MOST {
            found.push(Found {
                path,
                location: Location::Path(entry.path()),
                len: Some(meta.len()),
            });
        }
    }
    Ok(())
}

async fn listed(prefix: &S3Address, net: &Net) -> Result<Vec<Found>, SourceError> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = net.list(prefix, after.as_deref(), false).await?;
        for entry in page.entries {
            let EntryKind::Object { size, .. } = entry.kind else { continue };
            let path = entry.address.key.strip_prefix(&prefix.key).unwrap_or(&entry.address.key).to_owned();
            if !path.is_empty() && !path.ends_with('/') {
                found.push(Found {
                    path,
                    location: Location::S3(entry.address),
                    len: Some(size),
                });
            }
        }
        after = page.next;
        if after.is_none() || found.len() >= MOST {
            return Ok(found);
        }
    }
}

/// Whether the first bytes of an object are those of a list of locations.
pub fn is_list(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let text = String::from_utf8_lossy(head.get(..4096).unwrap_or(head)).into_owned();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    match text.chars().next() {
        Some('[') => is_url(text.trim_start_matches(['[', '"', ' ', '\n', '\r', '\t'])) || (text.contains("\"url\"") && has_url(&text)),
        Some('{') => {
            let keys = ["\"entries\"", "\"urls\"", "\"fileLocations\"", "\"files\""];
            // rows that hold links are a table
            let are_rows = lines.next().is_some_and(|line| line.ends_with('}')) && lines.next().is_some_and(|line| line.starts_with('{'));
            !are_rows && has_url(&text) && keys.iter().any(|key| text.contains(key))
        }
        Some(_) => lines.find(|line| !line.starts_with('#')).is_some_and(is_url),
        None => false,
    }
}

fn is_url(text: &str) -> bool {
    ["https://", "http://", "s3://"].iter().any(|scheme| text.starts_with(scheme))
}

fn has_url(text: &str) -> bool {
    ["\"https://", "\"http://", "\"s3://"].iter().any(|start| text.contains(start))
}

/// The objects that a list names: a location a line, or JSON: an array of locations or of objects with a `url`, or the manifests that
/// UNLOAD (`entries`) and QuickSight (`fileLocations`) write.
pub fn list_of(text: &str) -> Result<Vec<Found>, String> {
    let text = text.trim_start_matches('\u{feff}').trim();
    let mut urls = Vec::new();
    match text.chars().next() {
        Some('[' | '{') => {
            let json: Value = serde_json::from_str(text).map_err(|error| format!("the list is no JSON ({error})"))?;
            collect(&json, &mut urls);
        }
        _ => urls.extend(
            text.lines()
                .map(str::trim)
                .filter(|line| !line.is_empty() && !line.starts_with('#'))
                .map(str::to_owned),
        ),
    }
    let mut found = Vec::new();
    for (number, url) in urls.iter().enumerate() {
        let location = Location::plain(url).map_err(|error| format!("entry {} of the list: {error}", number + 1))?;
        found.push(Found {
            path: path_of(&location),
            location,
            len: None,
        });
    }
    let common = common_folder(&found);
    for one in &mut found {
        one.path.drain(..common);
    }
    Ok(found)
}

fn collect(json: &Value, urls: &mut Vec<String>) {
    match json {
        Value::String(text) if is_url(text) => urls.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| collect(value, urls)),
        Value::Object(map) => map.values().for_each(|value| collect(value, urls)),
        _ => {}
    }
}

fn path_of(location: &Location) -> String {
    match location {
        Location::Path(path) => path.display().to_string(),
        Location::Url(url) => percent_decoded(url.path().trim_start_matches('/')),
        Location::S3(address) => address.key.clone(),
    }
}

/// Bytes of the folders that all have in common, without the table's own and those that are its columns (`key=value`).
fn common_folder(found: &[Found]) -> usize {
    let folders = |path: &'_ str| {
        path.rsplit_once('/')
            .map_or(Vec::new(), |(folders, _)| folders.split('/').map(str::to_owned).collect())
    };
    let Some(first) = found.first() else { return 0 };
    let mut shared: Vec<String> = folders(&first.path);
    for one in found {
        let equal = shared.iter().zip(folders(&one.path)).take_while(|(a, b)| *a == b).count();
        shared.truncate(equal);
    }
    while shared.last().is_some_and(|folder| folder.contains('=')) {
        shared.pop();
    }
    shared.pop();
    shared.iter().map(|folder| folder.len() + 1).sum()
}

//! Hudi: the newest base file of each file group whose commit the timeline knows as completed, without the groups that a later
//! commit replaced.
//!
//! Timelines of both layouts: `.hoodie/<instant>.<action>` in JSON (up to version 6), `.hoodie/timeline/<requested>_<completed>.<action>`
//! in Avro (from version 8 on). See <https://hudi.apache.org/tech-specs>.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Listed, Live, Read, Snapshot, avro, hive_partitions, refused};
use crate::format::FormatError;

pub(super) const PROPERTIES: &str = ".hoodie/hoodie.properties";
const METADATA: &str = ".hoodie/metadata/";

/// A completed action.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Instant<'a> {
    requested: &'a str,
    action: &'a str,
    path: &'a str,
}

fn instant(path: &str) -> Option<Instant<'_>> {
    let name = path.strip_prefix(".hoodie/")?;
    let name = name.strip_prefix("timeline/").unwrap_or(name);
    let (times, action) = name.split_once('.')?;
    let requested = times.split('_').next()?;
    let is_time = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (matches!(action, "commit" | "deltacommit" | "replacecommit") && times.split('_').all(is_time)).then_some(Instant {
        requested,
        action,
        path,
    })
}

fn timeline(listed: &[Listed]) -> Vec<Instant<'_>> {
    let mut instants: Vec<Instant> = listed.iter().filter_map(|file| instant(&file.path)).collect();
    instants.sort();
    instants
}

pub(super) fn needs(listed: &[Listed]) -> Vec<&str> {
    let replaced = timeline(listed).into_iter().filter(|instant| instant.action == "replacecommit");
    std::iter::once(PROPERTIES).chain(replaced.map(|instant| instant.path)).collect()
}

pub(super) fn snapshot(listed: &[Listed], read: &[Read], as_of: Option<&str>) -> Result<Snapshot, FormatError> {
    let text = |path: &str| read.iter().find(|(at, _)| at == path).map(|(_, bytes)| bytes);
    let properties = text(PROPERTIES)
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .unwrap_or_default();
    let properties = Properties::parse(&properties);
    let format = properties.get("hoodie.table.base.file.format").unwrap_or("PARQUET");
    if !format.eq_ignore_ascii_case("parquet") {
        return Err(refused(format!(
            "a Hudi table of {format} files: only those of Parquet files are read"
        )));
    }
    let as_of = as_of.map(moment).transpose()?;
    let counts = |time: &str| as_of.as_deref().is_none_or(|limit| is_up_to(time, limit));
    let timeline = timeline(listed);
    let first = timeline.first().map(|instant| instant.requested);
    let completed: BTreeSet<&str> = timeline.iter().map(|instant| instant.requested).collect();
    // what was archived from the timeline was completed
    let is_committed = |time: &str| counts(time) && (completed.contains(time) || first.is_some_and(|first| time < first));

    let mut replaced: BTreeSet<(String, String)> = BTreeSet::new();
    for instant in timeline.iter().filter(|i| i.action == "replacecommit" && counts(i.requested)) {
        let bytes = text(instant.path).ok_or_else(|| refused(format!("the Hudi timeline's {} was not read", instant.path)))?;
        let commit = commit(bytes).map_err(|why| refused(format!("the Hudi timeline's {} cannot be read: {why}", instant.path)))?;
        let partitions = commit.get("partitionToReplaceFileIds").and_then(Value::as_object);
        for (partition, ids) in partitions.into_iter().flatten() {
            let ids = ids.as_array().into_iter().flatten().filter_map(Value::as_str);
            replaced.extend(ids.map(|id| (partition.clone(), id.to_owned())));
        }
    }

    let files = || {
        listed
            .iter()
            .filter(|file| !file.path.starts_with(".hoodie/") && !file.path.starts_with(METADATA))
            .map(|file| {
                file.path
                    .rsplit_once('/')
                    .map_or(("", &*file.path), |(folder, name)| (folder, name))
            })
    };
    let mut newest: BTreeMap<(&str, &str), (&str, &str)> = BTreeMap::new();
    for (folder, name) in files() {
        let Some((id, time)) = base_file(name).filter(|(_, time)| is_committed(time)) else {
            continue;
        };
        if replaced.contains(&(folder.to_owned(), id.to_owned())) {
            continue;
        }
        let slot = newest.entry((folder, id)).or_insert((time, name));
        *slot = (*slot).max((time, name));
    }
    let version: u32 = properties.get("hoodie.table.version").and_then(|v| v.parse().ok()).unwrap_or(0);
    let live_log = files().find(|(folder, name)| {
        let Some((id, time)) = log_file(name) else { return false };
        let is_replaced = replaced.contains(&((*folder).to_owned(), id.to_owned()));
        let base = newest.get(&(*folder, id)).map(|(time, _)| *time);
        !is_replaced
            && match version >= 8 {
                // named by the commit that wrote it
                true => counts(time) && base.is_none_or(|base| time >= base),
                // named by the base file that it belongs to
                false => base.map_or_else(|| counts(time), |base| time == base),
            }
    });
    if let Some((folder, name)) = live_log {
        let place = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        return Err(refused(format!(
            "a merge-on-read Hudi table whose newest rows are in log files ({place}{name}), which are not read here: \
            compact the table, or query it with Spark"
        )));
    }
    if let (true, Some(limit)) = (newest.is_empty() && !timeline.is_empty(), &as_of) {
        return Err(refused(format!(
            "the Hudi table has no commit up to {limit}: its first is {}",
            first.unwrap_or_default()
        )));
    }
    let is_dropped = properties.get("hoodie.datasource.write.drop.partition.columns") == Some("true");
    let is_hive = properties.get("hoodie.datasource.write.hive_style_partitioning") == Some("true");
    let fields: Vec<&str> = properties
        .get("hoodie.table.partition.fields")
        .map(|names| names.split(',').map(|name| name.split(':').next().unwrap_or(name)).collect())
        .unwrap_or_default();
    let live = newest.into_iter().map(|((folder, _), (_, name))| {
        let path = if folder.is_empty() {
            name.to_owned()
        } else {
            format!("{folder}/{name}")
        };
        let partitions = match (is_dropped, is_hive) {
            (false, _) => Vec::new(),
            (true, true) => hive_partitions(&path),
            (true, false) => fields
                .iter()
                .zip(folder.split('/'))
                .map(|(field, value)| ((*field).to_owned(), Some(value.to_owned())))
                .collect(),
        };
        Live { path, partitions }
    });
    Ok(Snapshot {
        files: live.collect(),
        log: Some("hudi"),
        ..Snapshot::default()
    })
}

/// `<file id>_<write token>_<instant>.parquet`.
fn base_file(name: &str) -> Option<(&str, &str)> {
    let stem = name.strip_suffix(".parquet").filter(|_| !name.starts_with('.'))?;
    let (rest, time) = stem.rsplit_once('_')?;
    let (id, _) = rest.rsplit_once('_')?;
    Some((id, time))
}

/// `.<file id>_<instant>.log.<version>_<write token>`.
fn log_file(name: &str) -> Option<(&str, &str)> {
    let (before, _) = name.strip_prefix('.')?.split_once(".log.")?;
    before.rsplit_once('_')
}

/// JSON, or an Avro file that holds one record.
fn commit(bytes: &[u8]) -> Result<Value, String> {
    match avro::is_file(bytes) {
        true => avro::first_record(bytes),
        false if bytes.iter().all(u8::is_ascii_whitespace) => Ok(Value::Null),
        false => serde_json::from_slice(bytes).map_err(|error| error.to_string()),
    }
}

/// An instant as the timeline spells it, `20240418173213674`, from that or from a date and time.
fn moment(text: &str) -> Result<String, FormatError> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let is_spelled = text.chars().all(|c| c.is_ascii_digit() || "-:.T Z".contains(c));
    match digits.len() {
        8..=17 if is_spelled => Ok(digits),
        _ => Err(refused(format!(
            "“{text}” is no moment of a Hudi timeline: give it as 20240418173213674 or 2024-04-18 17:32:13"
        ))),
    }
}

/// A limit that names a day, minute or second holds all of it.
fn is_up_to(time: &str, limit: &str) -> bool {
    let length = time.len().min(limit.len());
    time.get(..length) <= limit.get(..length)
}

/// A Java properties file.
struct Properties<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Properties<'a> {
    fn parse(text: &'a str) -> Properties<'a> {
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with(['#', '!']));
        Properties(
            lines
                .filter_map(|line| line.split_once('='))
                .map(|(k, v)| (k.trim(), v.trim()))
                .collect(),
        )
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).copied().filter(|value| !value.is_empty())
    }
}

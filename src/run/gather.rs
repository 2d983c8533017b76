//! What a location stands for: one object, or what a folder, a prefix or a list of links holds: recordings, tables (those of Hudi and Delta
//! by their logs), and what else lies there.

mod left_out;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::open::OpenError;
use crate::format::table::lake::{Listed, Log, Snapshot, governed, hive_partitions};
use crate::format::table::without_rows;
use crate::format::{FormatError, Part};
use crate::source::{Found, LONGEST_LIST_BYTES, Location, Net, Reader, S3Address, SourceError, below, is_list, list_of};
use crate::store::Choice;
pub(super) use left_out::SCENES_ELSEWHERE;
use left_out::{leave_out_others, take_scenes};

/// Objects opened at a time.
const PARALLEL: usize = 8;

/// More JSON files than this beside tables are no scenes.
pub const MOST_JSON: usize = 16;

/// What a location stands for.
pub enum Place {
    One(Reader, Part),
    Many(Held),
}

/// What lies in a folder or below a prefix, or is on a list. One of the first three is not empty.
#[derive(Clone, Debug, Default)]
pub struct Held {
    pub recordings: Vec<Found>,
    pub tables: Vec<Table>,
    /// JSON, which may be scenes.
    pub json: Vec<Found>,
    /// Paths of what is none of these.
    pub others: Vec<String>,
    /// Tables whose logs say more than is understood: their names, and why they are not read.
    pub refused: Vec<(String, String)>,
}

impl Held {
    /// A sentence about what is there and not opened; None where that is nothing.
    pub fn passed_over(&self) -> Option<String> {
        let files = passed_over(self.others.iter().chain(self.json.iter().map(|one| &one.path)).map(String::as_str));
        let tables = self.refused.iter().map(|(name, why)| format!("{name} is not read: {why}"));
        let all: Vec<String> = files.into_iter().chain(tables).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

/// The same of these paths.
fn passed_over<'a>(paths: impl Iterator<Item = &'a str> + Clone) -> Option<String> {
    const FEW: usize = 3;
    let count = paths.clone().count();
    let told = match count {
        0 => return None,
        1..=FEW => paths.collect::<Vec<_>>().join(", "),
        _ => {
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            for path in paths {
                let name = path.rsplit('/').next().unwrap_or(path);
                let ending = name
                    .rsplit_once('.')
                    .map_or("without an ending".to_owned(), |(_, ending)| format!(".{ending}"));
                *counts.entry(ending).or_default() += 1;
            }
            let counts: Vec<String> = counts.iter().map(|(ending, count)| format!("{count} {ending}")).collect();
            counts.join(", ")
        }
    };
    Some(format!("not opened, as it is neither a recording nor a table: {told}"))
}

/// Files that together are one table.
#[derive(Clone, Debug)]
pub struct Table {
    /// The folder's name, or the file's without its ending.
    pub name: String,
    pub kind: Kind,
    pub files: Vec<TableFile>,
    /// Types of partition columns, where a log gives them.
    pub partition_types: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableFile {
    /// From the table's folder on.
    pub path: String,
    pub location: Location,
    pub len: Option<u64>,
    pub partitions: Vec<(String, Option<String>)>,
    /// Its bytes, where it lies nowhere: a table without files is read from one without rows.
    pub held: Option<Bytes>,
}

impl TableFile {
    /// What stands for the files of a table that has none.
    fn without_rows(folder: &str, bytes: Bytes, at: &Location) -> TableFile {
        TableFile {
            path: format!("{folder}none.parquet"),
            location: at.clone(),
            len: None,
            partitions: Vec::new(),
            held: Some(bytes),
        }
    }

    async fn open(self, net: &Net) -> Result<Reader, SourceError> {
        match self.held {
            Some(bytes) => Ok(Reader::held(self.location, bytes, net)),
            None => Reader::open(self.location, net).await,
        }
    }
}

/// What a file's name says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Parquet,
    Csv,
    JsonLines,
    Arrow,
    /// A name without an ending: its content tells.
    Unknown,
}

/// Whether a file is a recording, by its name.
pub fn is_recording(path: &str) -> bool {
    [".bag", ".bag.active"]
        .iter()
        .any(|ending| path.to_ascii_lowercase().ends_with(ending))
}

impl Kind {
    fn of(path: &str) -> Option<Kind> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let Some((_, ending)) = name.rsplit_once('.') else {
            return Some(Kind::Unknown);
        };
        match ending.to_ascii_lowercase().as_str() {
            "parquet" | "parq" | "pq" => Some(Kind::Parquet),
            "csv" | "tsv" => Some(Kind::Csv),
            "jsonl" | "ndjson" => Some(Kind::JsonLines),
            "arrow" | "arrows" | "feather" | "ipc" => Some(Kind::Arrow),
            _ => None,
        }
    }
}

/// Opens a location, or finds the files that it stands for; `as_of` names an earlier state of a table that keeps its past.
pub async fn gather(location: &Location, as_of: Option<&str>, net: &Net) -> Result<Place, OpenError> {
    if let Some(found) = below(location, net).await? {
        return many(location, found, as_of, net).await;
    }
    // a prefix may be named without its slash
    if may_be_prefix(location)
        && let Some(found) = as_prefix(location, net).await
    {
        return many(location, found, as_of, net).await;
    }
    let reader = match Reader::open(location.clone(), net).await {
        Err(error @ (SourceError::NoSuchObject { .. } | SourceError::Denied { .. } | SourceError::NotAllowed { .. })) => {
            return match as_prefix(location, net).await {
                Some(found) => many(location, found, as_of, net).await,
                None => Err(error.into()),
            };
        }
        opened => opened?,
    };
    if is_list(reader.head()) && reader.len() <= LONGEST_LIST_BYTES {
        let bytes = reader.read(0..reader.len()).await?;
        let found = list_of(&String::from_utf8_lossy(&bytes)).map_err(|what| wrong(what, location))?;
        return many(location, found, as_of, net).await;
    }
    if as_of.is_some() {
        return Err(wrong(
            "one file has no earlier states: name the folder of a Hudi or Delta table",
            location,
        ));
    }
    let path = full_path(location);
    let part = Part {
        range: 0..reader.len(),
        partitions: hive_partitions(&path),
        path,
        table: None,
    };
    Ok(Place::One(reader, part))
}

/// A key without an ending may be a folder's name.
fn may_be_prefix(location: &Location) -> bool {
    matches!(location, Location::S3(address) if !address.key.rsplit('/').next().unwrap_or_default().contains('.'))
}

async fn as_prefix(location: &Location, net: &Net) -> Option<Vec<Found>> {
    let Location::S3(address) = location else { return None };
    let folder = S3Address {
        key: format!("{}/", address.key),
        ..address.clone()
    };
    let found = below(&Location::S3(folder), net).await.ok()??;
    (!found.is_empty()).then_some(found)
}

fn wrong(what: impl Into<String>, location: &Location) -> OpenError {
    OpenError::Format {
        error: FormatError(what.into()),
        at: location.clone(),
    }
}

/// The folders count that may be columns, and the one before them.
fn full_path(location: &Location) -> String {
    let text = match location {
        Location::Path(path) => std::path::absolute(path)
            .unwrap_or_else(|_| path.clone())
            .display()
            .to_string()
            .replace('\\', "/"),
        // what a signed link spells as `bag_file%3Ddrive_a`
        Location::Url(url) => url.path().replace("%3D", "=").replace("%3d", "="),
        Location::S3(address) => address.key.clone(),
    };
    text.trim_start_matches('/').to_owned()
}

async fn many(location: &Location, found: Vec<Found>, as_of: Option<&str>, net: &Net) -> Result<Place, OpenError> {
    let listed: Vec<Listed> = found
        .iter()
        .map(|one| Listed {
            path: one.path.clone(),
            len: one.len,
        })
        .collect();
    let by_path: BTreeMap<&str, &Found> = found.iter().map(|one| (&*one.path, one)).collect();
    let mut held = Held::default();
    let mut folders: Vec<(String, Snapshot)> = Vec::new();
    let groups = governed(listed);
    let has_log = groups.first().is_some_and(|(_, own)| Log::of(own).is_some());
    for (root, own) in groups {
        let log = Log::of(&own);
        let needs = log
            .needs()
            .into_iter()
            .filter_map(|path| Some((path, *by_path.get(&*format!("{root}{path}"))?)));
        let read = read_whole(needs.collect(), location, net).await?;
        // beside tables with logs, what has none is as it is now
        let as_of = as_of.filter(|_| log.is_some() || !has_log);
        match log.snapshot(&read, as_of) {
            Ok(snapshot) => folders.push((root, snapshot)),
            Err(error) if root.is_empty() => return Err(wrong(error.0, location)),
            Err(error) => held.refused.push((root.trim_end_matches('/').to_owned(), error.0)),
        }
    }
    for (root, snapshot) in &mut folders {
        let above = match snapshot.log {
            // a part of a table named by itself: the folders above say what all its rows have
            None => hive_partitions(&format!("{}/", full_path(location).trim_end_matches('/'))),
            Some(_) => Vec::new(),
        };
        for live in &mut snapshot.files {
            live.partitions.splice(0..0, above.iter().cloned());
            if !live.path.contains("://") {
                live.path.insert_str(0, root);
            }
        }
    }
    let is_empty_table = folders
        .iter()
        .any(|(_, snapshot)| snapshot.log.is_some() && snapshot.files.is_empty() && snapshot.schema.is_none());
    let mut tables = tables(location, &by_path, &folders)?;
    let files = || {
        let plain = folders.iter().filter(|(_, snapshot)| snapshot.log.is_none());
        plain.flat_map(|(_, snapshot)| &snapshot.files)
    };
    // beside recordings, what has no ending is no table
    if files().any(|live| is_recording(&live.path)) {
        tables.retain(|table| table.kind != Kind::Unknown);
    }
    let taken: std::collections::BTreeSet<&str> = tables.iter().flat_map(|table| &table.files).map(|file| &*file.path).collect();
    for live in files().filter(|live| !taken.contains(&*live.path)) {
        let Some(one) = by_path.get(&*live.path) else { continue };
        match () {
            () if is_recording(&one.path) => held.recordings.push((*one).clone()),
            () if is_json(&one.path) => held.json.push((*one).clone()),
            () => held.others.push(one.path.clone()),
        }
    }
    held.tables = tables;
    match held.tables.is_empty() && held.recordings.is_empty() && held.json.is_empty() {
        false => Ok(Place::Many(held)),
        true if let Some((name, why)) = held.refused.first() => Err(wrong(format!("{name}: {why}"), location)),
        true if is_empty_table => Err(wrong("the table is empty: its log names neither files nor columns", location)),
        true if found.is_empty() && !is_folder(location) => Err(wrong("nothing lies there", location)),
        true => Err(nothing_to_open(location)),
    }
}

/// Files of a log, by their paths from its folder on.
async fn read_whole(needs: Vec<(&str, &Found)>, at: &Location, net: &Net) -> Result<Vec<(String, Bytes)>, OpenError> {
    let mut read: Vec<(String, Bytes)> = Vec::new();
    for group in needs.chunks(PARALLEL) {
        let mut running = tokio::task::JoinSet::new();
        for (path, one) in group {
            let path = (*path).to_owned();
            // an empty file of a log says that nothing is replaced
            if one.len == Some(0) {
                read.push((path, Bytes::new()));
                continue;
            }
            let (location, net) = (one.location.clone(), net.clone());
            running.spawn(async move {
                let reader = Reader::open(location, &net).await?;
                Ok::<_, SourceError>((path, reader.read(0..reader.len()).await?))
            });
        }
        while let Some(done) = running.join_next().await {
            read.push(done.unwrap_or_else(|_| Err(given_up(at)))?);
        }
    }
    Ok(read)
}

/// Why a place cannot be opened in which neither recordings nor tables lie.
pub fn nothing_to_open(location: &Location) -> OpenError {
    match is_folder(location) {
        true => SourceError::Folder { at: location.clone() }.into(),
        false => wrong(
            "there is neither a recording nor a table among what lies there (bags, Parquet, CSV, JSON Lines or Arrow files)",
            location,
        ),
    }
}

fn is_folder(location: &Location) -> bool {
    matches!(location, Location::Path(path) if path.is_dir())
}

/// JSON that is read whole; DynamoDB exports it compressed.
fn is_json(path: &str) -> bool {
    [".json", ".json.gz"]
        .iter()
        .any(|ending| path.to_ascii_lowercase().ends_with(ending))
}

/// What a folder or list is called; a part of a table as the table.
fn own_name(location: &Location) -> String {
    let name = location.name();
    match name.contains('=') {
        false => name,
        true => {
            let path = full_path(location);
            let mut folders = path.split('/').rev().filter(|folder| !folder.is_empty() && !folder.contains('='));
            folders.next().map_or(name, str::to_owned)
        }
    }
}

/// Files of one folder (but for folders that are columns) and one kind are a table.
fn tables(location: &Location, found: &BTreeMap<&str, &Found>, folders: &[(String, Snapshot)]) -> Result<Vec<Table>, OpenError> {
    let mut groups: BTreeMap<(String, Kind), Vec<TableFile>> = BTreeMap::new();
    let mut types: BTreeMap<&str, &[(String, String)]> = BTreeMap::new();
    for (root, snapshot) in folders.iter().filter(|(_, snapshot)| snapshot.files.is_empty()) {
        if let Some(schema) = &snapshot.schema {
            let bytes = without_rows(schema)
                .map_err(|error| wrong(format!("the table is empty, and its columns cannot be told ({error})"), location))?;
            let folder = root.trim_end_matches('/').to_owned();
            groups.insert((folder, Kind::Parquet), vec![TableFile::without_rows(root, bytes, location)]);
        }
    }
    let all = folders
        .iter()
        .flat_map(|(root, snapshot)| snapshot.files.iter().map(move |live| (root.trim_end_matches('/'), snapshot, live)));
    for (root, snapshot, live) in all {
        let one = match found.get(&*live.path) {
            Some(one) => (*one).clone(),
            // a log may name files elsewhere
            None if live.path.contains("://") => Found {
                path: live.path.clone(),
                location: Location::parse(&live.path).map_err(|error| wrong(error.to_string(), location))?,
                len: None,
            },
            // without it, rows would be missing
            None => {
                return Err(wrong(
                    format!("the table's log names a file that is not there ({})", live.path),
                    location,
                ));
            }
        };
        let Some(kind) = Kind::of(&live.path) else { continue };
        let folder = match snapshot.log {
            Some(_) => {
                types.insert(root, &snapshot.partition_types);
                root.to_owned()
            }
            None => {
                let folders = live.path.rsplit_once('/').map_or("", |(folders, _)| folders);
                folders
                    .split('/')
                    .filter(|folder| !folder.contains('='))
                    .collect::<Vec<_>>()
                    .join("/")
            }
        };
        groups.entry((folder, kind)).or_default().push(TableFile {
            path: one.path,
            location: one.location,
            len: one.len,
            partitions: live.partitions.clone(),
            held: None,
        });
    }
    // a file without an ending is none of a table's where others have one
    if groups.keys().any(|(_, kind)| *kind != Kind::Unknown) {
        groups.retain(|(_, kind), _| *kind != Kind::Unknown);
    }
    let kinds_of = |folder: &str| groups.keys().filter(|(other, _)| other == folder).count();
    let own_name = || own_name(location);
    let named = groups.iter().map(|((folder, kind), files)| {
        let stem = |path: &str| {
            let name = path.rsplit('/').next().unwrap_or(path);
            name.split_once('.').map_or(name, |(stem, _)| stem).to_owned()
        };
        let name = match (kinds_of(folder), folder.rsplit('/').next().filter(|last| !last.is_empty())) {
            (1, Some(last)) => last.to_owned(),
            (1, None) => own_name(),
            _ => files.first().map(|file| stem(&file.path)).unwrap_or_else(own_name),
        };
        Table {
            name,
            kind: *kind,
            files: files.clone(),
            partition_types: types.get(&**folder).map_or(Vec::new(), |types| types.to_vec()),
        }
    });
    let mut named: Vec<Table> = named.collect();
    // scenes.csv beside scenes.parquet
    let names: Vec<String> = named.iter().map(|table| table.name.clone()).collect();
    for table in &mut named {
        if names.iter().filter(|name| **name == table.name).count() > 1 {
            let ending = table.files.first().and_then(|file| file.path.rsplit_once('.'));
            table.name = format!("{}_{}", table.name, ending.map_or("", |(_, ending)| ending));
        }
    }
    Ok(named)
}

/// The readers of a table's files, in their order.
pub async fn open_files(files: &[TableFile], at: &Location, net: &Net) -> Result<Vec<Reader>, SourceError> {
    let mut readers: Vec<Option<Reader>> = vec![None; files.len()];
    let mut running = tokio::task::JoinSet::new();
    let mut waiting = files.iter().enumerate();
    loop {
        while running.len() < PARALLEL
            && let Some((number, file)) = waiting.next()
        {
            let (file, net) = (file.clone(), net.clone());
            running.spawn(async move { (number, file.open(&net).await) });
        }
        match running.join_next().await {
            None => break,
            Some(Err(_)) => return Err(given_up(at)),
            Some(Ok((number, opened))) => {
                if let Some(slot) = readers.get_mut(number) {
                    *slot = Some(opened?);
                }
            }
        }
    }
    Ok(readers.into_iter().flatten().collect())
}

/// An open location.
#[derive(Clone)]
pub struct Opened {
    pub reader: Reader,
    /// The files that it is made of, those of a table one behind the other.
    pub parts: Vec<Part>,
    /// What of it is not opened, and why.
    pub notes: Vec<String>,
}

impl Opened {
    /// One object.
    pub fn one(reader: Reader, part: Part) -> Opened {
        Opened {
            reader,
            parts: vec![part],
            notes: Vec::new(),
        }
    }
}

/// One reader of all that a location stands for.
pub(super) async fn open(location: &Location, choice: &Choice, net: &Net) -> Result<Opened, OpenError> {
    let mut held = match gather(location, None, net).await? {
        Place::One(reader, part) => return Ok(Opened::one(reader, part)),
        Place::Many(held) => held,
    };
    if held.recordings.is_empty() && held.tables.is_empty() {
        return Err(nothing_to_open(location));
    }
    let mut notes: Vec<String> = Vec::new();
    if choice.only_tables {
        held.recordings.clear();
    } else {
        notes.extend(take_scenes(&mut held.json, net).await);
        notes.extend(held.passed_over());
    }
    notes.extend(leave_out_others(&mut held.tables, &choice.beside));
    if let ([only], true) = (held.recordings.as_slice(), held.tables.is_empty()) {
        let reader = Reader::open(only.location.clone(), net).await?;
        let parts = vec![Part::whole(&only.path, reader.len())];
        return Ok(Opened { reader, parts, notes });
    }
    let (reader, parts) = open_held(held, location, net).await?;
    Ok(Opened { reader, parts, notes })
}

/// The same of each table that lies there; of several only those under names that are wanted.
pub(super) async fn open_each(location: &Location, net: &Net, wanted: impl Fn(&str) -> bool) -> Result<Vec<Opened>, OpenError> {
    let mut tables = match gather(location, None, net).await? {
        Place::One(reader, part) => return Ok(vec![Opened::one(reader, part)]),
        Place::Many(held) => held.tables,
    };
    if tables.len() > 1 {
        let names: Vec<String> = tables.iter().map(|table| table.name.clone()).collect();
        tables.retain(|table| wanted(&table.name));
        if tables.is_empty() {
            return Err(wrong(
                format!("of the tables there none is asked for ({})", names.join(", ")),
                location,
            ));
        }
    }
    open_tables(tables, location, net).await
}

/// The tables that lie there under names that are wanted.
pub(super) async fn open_called(location: &Location, net: &Net, wanted: impl Fn(&str) -> bool) -> Result<Vec<Opened>, OpenError> {
    let mut tables = match gather(location, None, net).await? {
        Place::One(..) => Vec::new(),
        Place::Many(held) => held.tables,
    };
    tables.retain(|table| wanted(&table.name));
    open_tables(tables, location, net).await
}

async fn open_tables(tables: Vec<Table>, location: &Location, net: &Net) -> Result<Vec<Opened>, OpenError> {
    let mut opened = Vec::with_capacity(tables.len());
    for table in tables {
        let place = folder_of(&table, location);
        let held = Held {
            tables: vec![table],
            ..Held::default()
        };
        let (reader, parts) = open_held(held, &place, net).await?;
        let notes = Vec::new();
        opened.push(Opened { reader, parts, notes });
    }
    Ok(opened)
}

/// The folder of one of the tables that lie at a location.
fn folder_of(table: &Table, location: &Location) -> Location {
    let path = table.files.first().map_or("", |file| &*file.path);
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    let own: Vec<&str> = folders.split('/').take_while(|folder| !folder.contains('=')).collect();
    match (own.join("/"), location) {
        (folder, Location::Path(path)) if !folder.is_empty() => Location::Path(path.join(folder)),
        (folder, Location::S3(address)) if !folder.is_empty() => {
            let prefix = address.key.trim_end_matches('/');
            let slash = if prefix.is_empty() { "" } else { "/" };
            Location::S3(S3Address {
                key: format!("{prefix}{slash}{folder}/"),
                ..address.clone()
            })
        }
        _ => location.clone(),
    }
}

/// The recordings, then the tables.
async fn open_held(held: Held, location: &Location, net: &Net) -> Result<(Reader, Vec<Part>), OpenError> {
    let recordings = held.recordings.into_iter().map(|one| {
        let file = TableFile {
            path: one.path.clone(),
            location: one.location,
            len: one.len,
            partitions: Vec::new(),
            held: None,
        };
        (Arc::from(one.path), file)
    });
    let tables = held.tables.into_iter().flat_map(|table| {
        let name: Arc<str> = table.name.into();
        table.files.into_iter().map(move |file| (name.clone(), file))
    });
    let files: Vec<(Arc<str>, TableFile)> = recordings.chain(tables).collect();
    let all: Vec<TableFile> = files.iter().map(|(_, file)| file.clone()).collect();
    let readers = open_files(&all, location, net).await?;
    let mut at = 0;
    let parts = files.into_iter().zip(&readers).map(|((table, file), reader)| {
        let start = at;
        at += reader.len();
        Part {
            path: file.path,
            range: start..at,
            partitions: file.partitions,
            table: Some(table),
        }
    });
    let parts = parts.collect();
    Ok((Reader::joined(location.clone(), readers), parts))
}

fn given_up(at: &Location) -> SourceError {
    SourceError::Io {
        cause: "the read was given up".into(),
        at: at.clone(),
    }
}

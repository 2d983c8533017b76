//! What a location stands for: one object, or the files of a table (a folder, a prefix, a list of links, a Hudi or Delta table).

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::open::OpenError;
use crate::format::table::lake::{Listed, Live, Log, Snapshot, hive_partitions};
use crate::format::{FormatError, Part};
use crate::source::{Found, LONGEST_LIST_BYTES, Location, Net, Reader, S3Address, SourceError, below, is_list, list_of};

/// Objects opened at a time.
const PARALLEL: usize = 8;

/// What a location stands for.
pub enum Place {
    One(Reader, Part),
    Many(Vec<Table>),
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
            "arrow" | "feather" | "ipc" => Some(Kind::Arrow),
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
        Location::Url(url) => url.path().to_owned(),
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
    let log = Log::of(&listed);
    let needs = log.needs();
    let by_path: BTreeMap<&str, &Found> = found.iter().map(|one| (&*one.path, one)).collect();
    let mut read: Vec<(String, Bytes)> = Vec::new();
    for group in needs.chunks(PARALLEL) {
        let mut running = tokio::task::JoinSet::new();
        for path in group {
            let Some(one) = by_path.get(path).map(|one| (*one).clone()) else {
                continue;
            };
            // an empty file of a log says that nothing is replaced
            if one.len == Some(0) {
                read.push((one.path, Bytes::new()));
                continue;
            }
            let net = net.clone();
            running.spawn(async move {
                let reader = Reader::open(one.location, &net).await?;
                Ok::<_, SourceError>((one.path, reader.read(0..reader.len()).await?))
            });
        }
        while let Some(done) = running.join_next().await {
            read.push(done.unwrap_or_else(|_| Err(given_up(location)))?);
        }
    }
    let snapshot = log.snapshot(&read, as_of).map_err(|error| wrong(error.0, location))?;
    let tables = tables(location, &by_path, &snapshot)?;
    match tables.is_empty() && snapshot.log.is_none() {
        true => match location {
            Location::Path(_) => Err(SourceError::Folder { at: location.clone() }.into()),
            _ if found.is_empty() => Err(wrong("nothing lies there", location)),
            _ => Err(wrong(
                "there is no table among what lies there: Parquet, CSV, JSON Lines or Arrow files",
                location,
            )),
        },
        false if tables.is_empty() => Err(wrong("the table is empty: its log names no files", location)),
        false => Ok(Place::Many(tables)),
    }
}

/// Files of one folder (but for folders that are columns) and one kind are a table.
fn tables(location: &Location, found: &BTreeMap<&str, &Found>, snapshot: &Snapshot) -> Result<Vec<Table>, OpenError> {
    let mut groups: BTreeMap<(String, Kind), Vec<(&Live, Found)>> = BTreeMap::new();
    for live in &snapshot.files {
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
            Some(_) => String::new(),
            None => {
                let folders = live.path.rsplit_once('/').map_or("", |(folders, _)| folders);
                folders
                    .split('/')
                    .filter(|folder| !folder.contains('='))
                    .collect::<Vec<_>>()
                    .join("/")
            }
        };
        groups.entry((folder, kind)).or_default().push((live, one));
    }
    // a file without an ending is none of a table's where others have one
    if groups.keys().any(|(_, kind)| *kind != Kind::Unknown) {
        groups.retain(|(_, kind), _| *kind != Kind::Unknown);
    }
    let kinds_of = |folder: &str| groups.keys().filter(|(other, _)| other == folder).count();
    let own_name = || location.name();
    let named = groups.iter().map(|((folder, kind), files)| {
        let stem = |path: &str| {
            let name = path.rsplit('/').next().unwrap_or(path);
            name.split_once('.').map_or(name, |(stem, _)| stem).to_owned()
        };
        let name = match (kinds_of(folder), folder.rsplit('/').next().filter(|last| !last.is_empty())) {
            (1, Some(last)) => last.to_owned(),
            (1, None) => own_name(),
            _ => files.first().map(|(live, _)| stem(&live.path)).unwrap_or_else(own_name),
        };
        Table {
            name,
            kind: *kind,
            files: files
                .iter()
                .map(|(live, one)| TableFile {
                    path: one.path.clone(),
                    location: one.location.clone(),
                    len: one.len,
                    partitions: live.partitions.clone(),
                })
                .collect(),
            partition_types: snapshot.partition_types.clone(),
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
            let (location, net) = (file.location.clone(), net.clone());
            running.spawn(async move { (number, Reader::open(location, &net).await) });
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

/// One reader of all that a location stands for, and the files that it is made of, those of a table one behind the other.
pub(super) async fn open(location: &Location, net: &Net) -> Result<(Reader, Vec<Part>), OpenError> {
    let tables = match gather(location, None, net).await? {
        Place::One(reader, part) => return Ok((reader, vec![part])),
        Place::Many(tables) => tables,
    };
    open_tables(tables, location, net).await
}

/// The same of each table that lies there; of several only those under names that are wanted.
pub(super) async fn open_each(
    location: &Location,
    net: &Net,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<(Reader, Vec<Part>)>, OpenError> {
    let mut tables = match gather(location, None, net).await? {
        Place::One(reader, part) => return Ok(vec![(reader, vec![part])]),
        Place::Many(tables) => tables,
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
    let mut opened = Vec::with_capacity(tables.len());
    for table in tables {
        let place = folder_of(&table, location);
        opened.push(open_tables(vec![table], &place, net).await?);
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

async fn open_tables(tables: Vec<Table>, location: &Location, net: &Net) -> Result<(Reader, Vec<Part>), OpenError> {
    let are_several = tables.len() > 1;
    let files: Vec<(Option<Arc<str>>, TableFile)> = tables
        .into_iter()
        .flat_map(|table| {
            let name = are_several.then(|| Arc::from(table.name));
            table.files.into_iter().map(move |file| (name.clone(), file))
        })
        .collect();
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
            table,
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

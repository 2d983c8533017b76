//! What is searched together on one clock: a recording, with the tables that were extracted from it; or such tables alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::decode::{Schema, definitions};
use crate::format::{Chunk, ConnectionId, recognise};
use crate::path::TopicSchema;
use crate::run::{Io, OpenError, Recording};
use crate::source::{Found, LONGEST_LIST_BYTES, Location, Reader, S3Address, Scene, SourceError, below, is_list, list_of, record_of};
use crate::time::{Span, Time};

/// What a location stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Recording,
    /// A table, or a folder of them.
    Table,
    /// The tables of a folder in which recordings lie, too.
    Among,
}

/// A recording or a table that is to be searched.
#[derive(Clone, Debug)]
pub struct Place {
    pub kind: Kind,
    pub location: Location,
    /// Bytes, where known without its being opened.
    pub len: Option<u64>,
}

const TABLES: [&str; 9] = ["parquet", "parq", "pq", "csv", "tsv", "jsonl", "ndjson", "arrow", "feather"];

fn is_recording(name: &str) -> bool {
    name.ends_with(".bag") || name.ends_with(".bag.active")
}

fn is_table(name: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, ending)| TABLES.contains(&ending.to_ascii_lowercase().as_str()))
}

/// The recordings and tables that locations stand for, in their order: those of a folder, a prefix or a list one by one. Waits.
pub fn places(io: &Io, locations: &[Location]) -> Result<Vec<Place>, OpenError> {
    let mut all = Vec::new();
    for location in locations {
        all.extend(io.block_on(places_of(io, location))?);
    }
    Ok(all)
}

async fn places_of(io: &Io, location: &Location) -> Result<Vec<Place>, OpenError> {
    let one = |kind| {
        vec![Place {
            kind,
            location: location.clone(),
            len: None,
        }]
    };
    if let Some(found) = below(location, io.net()).await? {
        return Ok(recordings_of(found, location).unwrap_or_else(|| one(Kind::Table)));
    }
    let name = location.name();
    if is_recording(&name) || is_table(&name) {
        return Ok(one(if is_table(&name) { Kind::Table } else { Kind::Recording }));
    }
    let reader = match Reader::open(location.clone(), io.net()).await {
        Ok(reader) => reader,
        Err(error) => {
            let prefix = match (location, &error) {
                (Location::S3(address), SourceError::NoSuchObject { .. }) => Location::S3(S3Address {
                    key: format!("{}/", address.key),
                    ..address.clone()
                }),
                // it is told where it is opened
                _ => return Ok(one(Kind::Recording)),
            };
            let found = below(&prefix, io.net()).await?.filter(|found| !found.is_empty());
            return Ok(match found {
                None => one(Kind::Recording),
                Some(found) => recordings_of(found, &prefix).unwrap_or_else(|| {
                    vec![Place {
                        kind: Kind::Table,
                        location: prefix.clone(),
                        len: None,
                    }]
                }),
            });
        }
    };
    if is_list(reader.head()) && reader.len() <= LONGEST_LIST_BYTES {
        let text = reader.read(0..reader.len()).await?;
        let found = list_of(&String::from_utf8_lossy(&text)).unwrap_or_default();
        return Ok(recordings_of(found, location).unwrap_or_else(|| one(Kind::Table)));
    }
    let format = recognise(&name, reader.head(), reader.len()).map_or("", |format| format.name());
    let is_table = crate::format::table::is_table(format);
    Ok(one(if is_table { Kind::Table } else { Kind::Recording }))
}

/// The recordings of a folder or list, and the tables among them; None where there is no recording.
fn recordings_of(found: Vec<Found>, at: &Location) -> Option<Vec<Place>> {
    let has_tables = found.iter().any(|one| is_table(&one.path));
    let places = found.into_iter().filter(|one| is_recording(&one.path)).map(|one| Place {
        kind: Kind::Recording,
        location: one.location,
        len: one.len,
    });
    let mut places: Vec<Place> = places.collect();
    if places.is_empty() {
        return None;
    }
    places.extend(has_tables.then(|| Place {
        kind: Kind::Among,
        location: at.clone(),
        len: None,
    }));
    Some(places)
}

/// Opens the tables among the places, where there are several in a folder those that are called like one of the topics. Waits.
pub fn tables(io: &Io, places: &[Place], topics: &[&str]) -> Result<Vec<Recording>, OpenError> {
    let mut all = Vec::new();
    for place in places.iter().filter(|place| place.kind == Kind::Table) {
        all.extend(Recording::open_each(io, &place.location, |name| is_called(name, topics))?);
    }
    Ok(all)
}

/// Whether a table is called like one of the topics.
fn is_called(table: &str, topics: &[&str]) -> bool {
    topics.iter().any(|topic| topic.trim_start_matches('/') == table)
}

/// The same of the tables that lie among recordings, as far as they are called like the topics. Waits.
pub fn tables_among(io: &Io, places: &[Place], topics: &[&str]) -> Result<Vec<Recording>, OpenError> {
    let mut all = Vec::new();
    for place in places.iter().filter(|place| place.kind == Kind::Among) {
        all.extend(Recording::open_called(io, &place.location, |name| is_called(name, topics))?);
    }
    Ok(all)
}

/// Recordings that are searched together.
#[derive(Clone)]
pub struct Drive {
    pub recordings: Vec<Recording>,
    /// Of each: its connections, under every name that their topics have here.
    names: Vec<Names>,
    /// As tables call it.
    record: Arc<str>,
    at: Location,
}

type Names = Vec<(ConnectionId, Arc<str>)>;

impl Drive {
    /// A recording alone.
    pub fn of(recording: Recording) -> Drive {
        let at = recording.reader.location().clone();
        let names = names_of(&recording, None);
        Drive {
            recordings: vec![recording],
            names: vec![names],
            ..Drive::at(at)
        }
    }

    /// One that is not open: what was found in it before.
    pub fn at(at: Location) -> Drive {
        Drive {
            recordings: Vec::new(),
            names: Vec::new(),
            record: record_of(&at.name()).into(),
            at,
        }
    }

    /// Tables alone: a drive for each recording that they were extracted from.
    pub fn of_tables(tables: Vec<Recording>) -> Vec<Drive> {
        let Some(at) = tables.first().map(|table| table.reader.location().clone()) else {
            return Vec::new();
        };
        let connections = tables.iter().flat_map(|table| &table.container.catalog().connections);
        let records: BTreeSet<Arc<str>> = connections.filter_map(|connection| connection.bag.clone()).collect();
        if records.is_empty() {
            return vec![Drive::at(at).beside(&tables)];
        }
        let drive = |record: Arc<str>| Drive {
            record: record_of(&record).into(),
            ..Drive::at(at.clone())
        };
        records.into_iter().map(|record| drive(record).beside(&tables)).collect()
    }

    /// Recordings that are open side by side, with the names that their topics have there. Scenes are of the recording at `at`.
    pub fn open(recordings: Vec<(Recording, Names)>, at: Location) -> Drive {
        let (recordings, names) = recordings.into_iter().unzip();
        Drive {
            recordings,
            names,
            ..Drive::at(at)
        }
    }

    /// With the rows of tables that were extracted from it, or from nothing in particular.
    pub fn beside(mut self, tables: &[Recording]) -> Drive {
        for table in tables {
            self.names.push(names_of(table, Some(&self.record)));
            self.recordings.push(table.clone());
        }
        self
    }

    /// With those of the tables that have topics which it lacks.
    pub fn completed(mut self, tables: &[Recording], topics: &[&str]) -> Drive {
        let lacking: Vec<&str> = topics.iter().copied().filter(|topic| !self.has(topic)).collect();
        for table in tables {
            let names = names_of(table, Some(&self.record));
            if names.iter().any(|(_, name)| lacking.contains(&&**name)) {
                self.names.push(names);
                self.recordings.push(table.clone());
            }
        }
        self
    }

    pub fn has(&self, topic: &str) -> bool {
        self.names.iter().flatten().any(|(_, name)| **name == *topic)
    }

    /// As tables call it.
    pub fn record(&self) -> &str {
        &self.record
    }

    /// From the first message to the last, whatever their topics.
    pub fn span(&self) -> Span {
        let spans = self.recordings.iter().zip(&self.names).filter_map(|(recording, names)| {
            let catalog = recording.container.catalog();
            let own: BTreeSet<ConnectionId> = names.iter().map(|(id, _)| *id).collect();
            if own.len() == catalog.connections.len() {
                return catalog.span();
            }
            let is_own = |chunk: &&Chunk| chunk.counts.iter().any(|(id, n)| *n > 0 && own.contains(id));
            catalog.chunks.iter().filter(is_own).map(|chunk| chunk.span).reduce(Span::union)
        });
        spans.reduce(Span::union).unwrap_or(Span::at(Time(0)))
    }

    /// A span of it under a name, as a scene.
    pub fn scene(&self, class: &str, span: Span) -> Scene {
        let scene = Scene::new(&self.at, class, span);
        match *scene.record == *self.record {
            true => scene,
            // of tables: where the recording lies is not known
            false => Scene {
                id: format!("{}_{class}_{:?}", self.record, span.start.nearest_secs()),
                file: self.record.to_string(),
                record: self.record.to_string(),
                bucket: None,
                prefix: None,
                ..scene
            },
        }
    }

    /// All topics; only those that are named are compiled.
    pub fn schemas(&self, named: &[&str]) -> Vec<TopicSchema> {
        let mut all: Vec<TopicSchema> = Vec::new();
        for (recording, names) in self.recordings.iter().zip(&self.names) {
            for (id, name) in names {
                let known = all.iter_mut().find(|(known, _)| known == name);
                if known.as_ref().is_some_and(|(_, schema)| schema.is_ok()) {
                    continue;
                }
                let schema = match named.contains(&&**name) {
                    true => schema_of(recording, *id),
                    false => Err("nothing asked for it".into()),
                };
                match known {
                    Some(known) => known.1 = schema,
                    None => all.push((name.clone(), schema)),
                }
            }
        }
        all
    }

    /// Each recording with the names of its topics.
    pub(super) fn named(&self) -> impl Iterator<Item = (&Recording, &Names)> {
        self.recordings.iter().zip(&self.names)
    }
}

/// The names of a recording's topics; of a table only those of what was extracted from `record`, or from nothing in particular.
fn names_of(recording: &Recording, record: Option<&str>) -> Names {
    let connections = recording.container.catalog().connections.iter().zip(0..);
    let is_own = |bag: Option<&str>| record.zip(bag).is_none_or(|(record, bag)| record_of(bag) == record);
    let own = connections.filter(|(connection, _)| is_own(connection.bag.as_deref()));
    let named = own.flat_map(|(connection, id)| {
        // a table of several recordings has a topic of each: `/drive_a/imu_raw`
        let after_bag = |topic: &str| {
            let at = topic.get(1..)?.find('/')?;
            Some(topic.get(at + 1..)?.into())
        };
        let alone = connection.bag.as_ref().and(record).and_then(|_| after_bag(&connection.topic));
        std::iter::once(connection.topic.clone()).chain(alone).map(move |name| (id, name))
    });
    named.collect()
}

pub(super) fn schema_of(recording: &Recording, id: ConnectionId) -> Result<Arc<Schema>, Arc<str>> {
    let connection = recording.container.catalog().connections.get(id as usize);
    let connection = connection.ok_or("it is not there")?;
    let schema = definitions().schema(&connection.type_name, &connection.definition, &connection.md5);
    schema.map(Arc::new).map_err(|error| error.to_string().into())
}

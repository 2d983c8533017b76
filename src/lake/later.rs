//! What lies in a folder beside its tables: recordings and JSON, which are opened when a query asks for something that is no table.
//!
//! The topics of one recording are tables under their names; of several, those of one name and shape are one table, with the recording's
//! name in a column, as tables that were extracted have it.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::logical_expr::lit;
use futures_util::{StreamExt, stream};

use super::{Lake, LakeError, Opened, topic};
use crate::format::table::documents::{LONGEST_DOCUMENT_BYTES, too_long};
use crate::format::table::{BAG_FILE, segment};
use crate::run::{Recording, Table, TableFile, TableKind, nothing_to_open};
use crate::source::{Found, Location, Reader, record_of};

/// Objects opened at a time.
const PARALLEL: usize = 8;
/// What is said of an export, no part of it.
const MANIFEST: &str = "manifest-";

/// What is not opened yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Later {
    pub recordings: Vec<Found>,
    pub json: Vec<Found>,
}

type Tables = Vec<(String, Arc<dyn TableProvider>)>;

impl Later {
    pub fn is_empty(&self) -> bool {
        self.recordings.is_empty() && self.json.is_empty()
    }
}

impl Lake {
    /// Opens what lies beside the tables of a name, or of all names; whether there was something.
    pub(super) async fn open_later(&self, schema: Option<&str>) -> Result<bool, LakeError> {
        let waiting: Vec<(String, Later)> = {
            let mut state = self.state();
            let is_meant = |name: &str| schema.is_none_or(|schema| schema.eq_ignore_ascii_case(name));
            let names: Vec<String> = state.later.keys().filter(|name| is_meant(name)).cloned().collect();
            names.into_iter().filter_map(|name| state.later.remove_entry(&name)).collect()
        };
        for (schema, later) in &waiting {
            for (name, table) in self.all_of(later).await? {
                self.register(schema, &self.free_in(schema, &name), table)?;
            }
        }
        Ok(!waiting.is_empty())
    }

    /// Tables of all that lies there; what cannot be read is kept as refused.
    pub(super) async fn all_of(&self, later: &Later) -> Result<Tables, LakeError> {
        let mut tables = self.topics_of(&later.recordings).await?;
        for (name, files) in groups(&later.json) {
            match self.json_table(&files).await {
                Ok(table) => tables.push((name, table)),
                Err(error) => self.refuse(vec![(name, error.to_string())]),
            }
        }
        Ok(tables)
    }

    /// JSON alone.
    pub(super) async fn only_json(&self, later: &Later, location: &Location) -> Result<Opened, LakeError> {
        let tables = self.all_of(later).await?;
        if !tables.is_empty() {
            return Ok(Opened::several(tables, Later::default()));
        }
        let refused = self.state().refused.first().cloned();
        Err(match refused {
            Some((name, why)) if !later.is_empty() => LakeError::Table(format!("{name} is not read: {why}")),
            _ => nothing_to_open(location).into(),
        })
    }

    async fn topics_of(&self, recordings: &[Found]) -> Result<Tables, LakeError> {
        let opened = stream::iter(recordings).map(|found| async move {
            let recording = Recording::of_one(&self.io, found.location.clone()).await;
            (
                found,
                recording.map_err(LakeError::from).and_then(|recording| topic::topics(&recording)),
            )
        });
        let opened: Vec<_> = opened.buffered(PARALLEL).collect().await;
        let mut tables: BTreeMap<String, Arc<dyn TableProvider>> = BTreeMap::new();
        for (found, topics) in opened {
            let name = found.path.rsplit('/').next().unwrap_or(&found.path);
            let topics = match topics {
                Ok(topics) => topics,
                Err(error) => {
                    self.state().losses.push(format!("{name} is not read: {error}"));
                    continue;
                }
            };
            for (topic, table) in topics {
                let table = match recordings.len() {
                    1 => table,
                    _ => self.with_recording(table, record_of(name))?,
                };
                let own = format!("/{}{topic}", segment(record_of(name)));
                match tables.remove(&topic) {
                    Some(others) if others.schema() == table.schema() => {
                        let all = self.context.read_table(others)?.union(self.context.read_table(table)?)?;
                        tables.insert(topic, all.into_view());
                    }
                    Some(others) => {
                        tables.insert(topic, others);
                        tables.insert(own, table);
                    }
                    None => drop(tables.insert(topic, table)),
                }
            }
        }
        Ok(tables.into_iter().collect())
    }

    fn with_recording(&self, table: Arc<dyn TableProvider>, name: &str) -> Result<Arc<dyn TableProvider>, LakeError> {
        if table.schema().field_with_name(BAG_FILE).is_ok() {
            return Ok(table);
        }
        Ok(self.context.read_table(table)?.with_column(BAG_FILE, lit(name))?.into_view())
    }

    /// Files of JSON as one table.
    async fn json_table(&self, files: &[Found]) -> Result<Arc<dyn TableProvider>, LakeError> {
        if files.iter().filter_map(|found| found.len).sum::<u64>() > LONGEST_DOCUMENT_BYTES {
            return Err(LakeError::Table(too_long()));
        }
        let mut readers = Vec::with_capacity(files.len());
        for found in files {
            let reader = Reader::open(found.location.clone(), self.io.net()).await?;
            readers.push(self.lines_of(&reader).await?.unwrap_or(reader));
        }
        let file = |(found, reader): (&Found, &Reader)| TableFile {
            path: found.path.clone(),
            location: found.location.clone(),
            len: Some(reader.len()),
            partitions: Vec::new(),
            held: None,
        };
        let table = Table {
            name: String::new(),
            kind: TableKind::JsonLines,
            files: files.iter().zip(&readers).map(file).collect(),
            partition_types: Vec::new(),
        };
        self.provider(&table, Some(readers)).await
    }

    /// The name, or one like it that is not taken.
    pub(super) fn free_in(&self, schema: &str, name: &str) -> String {
        let state = self.state();
        let is_free = |name: &String| !state.tables.contains_key(&(schema.to_owned(), name.clone()));
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        names.find(is_free).unwrap_or_else(|| name.to_owned())
    }
}

impl Opened {
    /// What lies there, and what is opened later.
    pub(super) fn several(tables: Tables, later: Later) -> Opened {
        match <[_; 1]>::try_from(tables) {
            Ok([(_, only)]) if later.is_empty() => Opened::Table(only),
            Ok(only) => Opened::Several(only.into(), later),
            Err(tables) => Opened::Several(tables, later),
        }
    }
}

/// Files of one folder are a table, under its name; one alone is under its own.
fn groups(json: &[Found]) -> Vec<(String, Vec<Found>)> {
    let mut folders: BTreeMap<&str, Vec<Found>> = BTreeMap::new();
    for found in json {
        let (folder, name) = found.path.rsplit_once('/').unwrap_or(("", &found.path));
        if !name.starts_with(MANIFEST) {
            folders.entry(folder).or_default().push(found.clone());
        }
    }
    let named = folders.into_iter().map(|(folder, files)| {
        let path = files.first().map_or("", |file| &*file.path);
        let stem = |path: &str| {
            let name = path.rsplit('/').next().unwrap_or(path);
            name.split_once('.').map_or(name, |(stem, _)| stem).to_owned()
        };
        let name = match (files.len(), folder.rsplit('/').next()) {
            (2.., Some(last)) if !last.is_empty() => last.to_owned(),
            _ => stem(path),
        };
        (name, files)
    });
    named.collect()
}

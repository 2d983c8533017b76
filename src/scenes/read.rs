//! Tables → scenes: Parquet, CSV, JSON Lines, Arrow, folders and prefixes of them through [`Lake`]; DynamoDB's JSON as it is.

use std::collections::{BTreeSet, HashSet};

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use bytes::Bytes;
use serde_json::Value;

use super::cells::texts;
use super::columns::Columns;
use super::joined::{Frames, are_frames};
use super::{Scene, SceneSet};
use crate::format::table::documents::{items, names, start};
use crate::format::table::scenes::are_of_scenes;
use crate::format::table::{is_table, object_time};
use crate::format::{Part, recognise};
use crate::lake::{Answer, Lake, LakeError, document};
use crate::run::{Held, Io, MOST_JSON, Place, Table, gather, nothing_to_open};
use crate::source::{Found, Location, Reader, SceneTable};
use crate::time::{Time, rfc3339};

/// A table of scenes has no more.
const MOST: usize = 1_000_000;
/// Of queries over tables of scenes.
const MEMORY_BYTES: u64 = 256 << 20;
const NAME: &str = "scenes";

/// Why a table is no scenes: one sentence.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SceneReadError {
    #[error(transparent)]
    Lake(#[from] LakeError),
    #[error("no column says when a scene starts (start_time, start, begin, from, Time …): there are {columns}: {at}")]
    NoStart { columns: String, at: Location },
    #[error("a table of more than {MOST} rows is no set of scenes: choose some with `roadreel query … -o scenes.parquet`")]
    TooMany,
    #[error("{what}: {at}")]
    Json { what: String, at: Location },
}

/// What a location holds, by what becomes of it.
#[derive(Debug, Default)]
pub struct Sorted {
    /// Tables of scenes, as one set.
    pub scenes: Option<SceneSet>,
    /// Recordings in a folder, below a prefix or on a list.
    pub recordings: Vec<Location>,
    /// The location itself is a recording, or tables of measurements lie there.
    pub has_others: bool,
    /// Why tables of scenes could not be read, and what else was passed over.
    pub failed: Vec<String>,
    pub passed_over: Option<String>,
}

/// Tells the scenes that lie at a location from all else, and reads them; of the rest no more than columns are read. Waits.
pub fn sort(io: &Io, location: &Location) -> Result<Sorted, SceneReadError> {
    let place = io.block_on(gather(location, None, io.net())).map_err(LakeError::from)?;
    let held = match place {
        Place::One(reader, part) => {
            let scenes = match are_scenes(io, &reader, &part, location)? {
                true => Some(read_place(io, Place::One(reader, part), location)?),
                false => None,
            };
            let has_others = scenes.is_none();
            return Ok(Sorted {
                scenes,
                has_others,
                ..Sorted::default()
            });
        }
        Place::Many(held) => held,
    };
    let (of_scenes, tables): (Vec<Table>, Vec<Table>) = held.tables.into_iter().partition(|table| columns_are_scenes(io, table, location));
    let (json, other_json): (Vec<Found>, Vec<Found>) = match held.json.len() {
        // a picture's detections are a file each
        ..=MOST_JSON => held.json.into_iter().partition(|found| json_is_scenes(io, found)),
        _ => (Vec::new(), held.json),
    };
    let mut sorted = Sorted {
        recordings: held.recordings.into_iter().map(|found| found.location).collect(),
        has_others: !tables.is_empty(),
        passed_over: Held {
            others: held.others,
            refused: held.refused,
            json: other_json,
            ..Held::default()
        }
        .passed_over(),
        ..Sorted::default()
    };
    let scenes = Held {
        tables: of_scenes,
        json,
        ..Held::default()
    };
    if !scenes.tables.is_empty() || !scenes.json.is_empty() {
        match read_place(io, Place::Many(scenes), location) {
            Ok(set) => sorted.scenes = Some(set),
            Err(error) => sorted.failed.push(error.to_string()),
        }
    }
    let is_empty = sorted.recordings.is_empty() && !sorted.has_others && sorted.scenes.is_none() && sorted.failed.is_empty();
    if is_empty {
        return Err(LakeError::from(nothing_to_open(location)).into());
    }
    Ok(sorted)
}

/// Reads all scenes of a table, or those of a folder's tables that are of scenes, where some are. Waits: for commands and threads of their
/// own.
pub fn read(io: &Io, location: &Location) -> Result<SceneSet, SceneReadError> {
    let place = match io.block_on(gather(location, None, io.net())).map_err(LakeError::from)? {
        Place::Many(mut held) => {
            held.json.retain(|found| json_is_scenes(io, found));
            let has_several = held.tables.len() + held.json.len() > 1;
            if has_several {
                let (of_scenes, others) = held.tables.into_iter().partition(|table| columns_are_scenes(io, table, location));
                let has_scenes = !Vec::is_empty(&of_scenes) || !held.json.is_empty();
                held.tables = if has_scenes { of_scenes } else { others };
            }
            Place::Many(held)
        }
        one => one,
    };
    read_place(io, place, location)
}

fn read_place(io: &Io, place: Place, location: &Location) -> Result<SceneSet, SceneReadError> {
    let mut all = Distinct::default();
    match place {
        Place::One(reader, part) => match is_json(&reader) {
            true => return of_json(&whole_json(io, &reader)?, location),
            false => tables_of(io, Place::One(reader, part), location, &mut all)?,
        },
        Place::Many(mut held) => {
            let json = std::mem::take(&mut held.json);
            if !held.tables.is_empty() {
                tables_of(io, Place::Many(held), location, &mut all)?;
            }
            for found in json {
                let reader = io
                    .block_on(Reader::open(found.location.clone(), io.net()))
                    .map_err(LakeError::from)?;
                all.add(of_json(&whole_json(io, &reader)?, &found.location)?.scenes);
            }
        }
    }
    match all.scenes.is_empty() && !all.other_columns.is_empty() {
        true => Err(SceneReadError::NoStart {
            columns: all.other_columns.into_iter().take(12).collect::<Vec<_>>().join(", "),
            at: location.clone(),
        }),
        false => Ok(SceneSet::new(location.name(), Some(location.clone()), all.scenes)),
    }
}

/// Scenes of several tables: the same ones may lie there in two formats.
#[derive(Default)]
struct Distinct {
    scenes: Vec<Scene>,
    known: HashSet<(String, String, Option<Time>, Option<Time>)>,
    /// Of tables that have no start.
    other_columns: BTreeSet<String>,
}

impl Distinct {
    fn add(&mut self, mut own: Vec<Scene>) {
        let key = |scene: &Scene| (scene.file.clone(), scene.id.clone(), scene.start, scene.end);
        own.retain(|scene| scene.id.is_empty() || !self.known.contains(&key(scene)));
        self.known.extend(own.iter().map(key));
        self.scenes.append(&mut own);
    }
}

fn tables_of(io: &Io, place: Place, location: &Location, all: &mut Distinct) -> Result<(), SceneReadError> {
    let lake = Lake::new(io, MEMORY_BYTES)?;
    lake.add_place(NAME, place, location)?;
    for (class, table) in tables(&lake)? {
        let mut own = Vec::new();
        let answer = lake.query(&format!("SELECT * FROM {table}"))?;
        match of_rows(&answer.schema().clone(), answer, &mut own)? {
            Rows::Scenes => {}
            Rows::NoStart(columns) => all.other_columns.extend(columns),
        }
        // ADDF keeps a folder for each class
        for scene in own.iter_mut().filter(|scene| scene.class.is_none()) {
            scene.class.clone_from(&class);
        }
        all.add(own);
    }
    Ok(())
}

/// Whether an object is a table of scenes rather than one of measurements, or a recording.
fn are_scenes(io: &Io, reader: &Reader, part: &Part, location: &Location) -> Result<bool, SceneReadError> {
    if is_json(reader) {
        return Ok(names_are_scenes(&names(reader.head())));
    }
    let format = recognise(&location.name(), reader.head(), reader.len());
    if !format.is_ok_and(|format| is_table(format.name())) {
        return Ok(false);
    }
    Ok(names_are_scenes(&columns_at(
        io,
        Place::One(reader.clone(), part.clone()),
        location,
    )?))
}

/// The same of a table, by its first file. What cannot be looked at is told by whoever opens it.
fn columns_are_scenes(io: &Io, table: &Table, location: &Location) -> bool {
    let first = Table {
        files: table.files.iter().take(1).cloned().collect(),
        ..table.clone()
    };
    let held = Held {
        tables: vec![first],
        ..Held::default()
    };
    columns_at(io, Place::Many(held), location).is_ok_and(|names| names_are_scenes(&names))
}

fn json_is_scenes(io: &Io, found: &Found) -> bool {
    let reader = io.block_on(Reader::open(found.location.clone(), io.net()));
    reader.is_ok_and(|reader| is_json(&reader) && names_are_scenes(&names(reader.head())))
}

fn names_are_scenes(names: &[String]) -> bool {
    are_of_scenes(&names.iter().map(String::as_str).collect::<Vec<_>>())
}

fn columns_at(io: &Io, place: Place, location: &Location) -> Result<Vec<String>, SceneReadError> {
    let lake = Lake::new(io, MEMORY_BYTES)?;
    lake.add_place(NAME, place, location)?;
    let mut names = Vec::new();
    for (_, table) in tables(&lake)? {
        let answer = lake.query(&format!("SELECT * FROM {table} LIMIT 0"))?;
        names.extend(answer.schema().fields().iter().map(|field| field.name().clone()));
    }
    Ok(names)
}

/// The rows of a query as scenes.
pub fn of_query(name: &str, answer: Answer) -> Result<SceneSet, SceneReadError> {
    named(name, &answer.schema().clone(), answer)
}

/// The same of rows that are there already.
pub fn of_batch(name: &str, rows: &RecordBatch) -> Result<SceneSet, SceneReadError> {
    named(name, rows.schema_ref(), std::iter::once(Ok(rows.clone())))
}

/// Whether rows with such columns can be read as scenes.
pub fn may_be_scenes(names: &[&str]) -> bool {
    Columns::of(names).is_some()
}

fn named(name: &str, schema: &Schema, batches: impl Iterator<Item = Result<RecordBatch, LakeError>>) -> Result<SceneSet, SceneReadError> {
    let mut scenes = Vec::new();
    match of_rows(schema, batches, &mut scenes)? {
        Rows::Scenes => Ok(SceneSet::new(name.to_owned(), None, scenes)),
        Rows::NoStart(columns) => Err(SceneReadError::NoStart {
            columns: columns.join(", "),
            at: Location::Path("the query".into()),
        }),
    }
}

enum Rows {
    Scenes,
    /// The columns that there are.
    NoStart(Vec<String>),
}

fn of_rows(
    schema: &Schema,
    batches: impl Iterator<Item = Result<RecordBatch, LakeError>>,
    scenes: &mut Vec<Scene>,
) -> Result<Rows, SceneReadError> {
    let names: Vec<&str> = schema.fields().iter().map(|field| &**field.name()).collect();
    let Some(columns) = Columns::of(&names) else {
        return Ok(Rows::NoStart(names.into_iter().map(str::to_owned).collect()));
    };
    if are_frames(schema) {
        let mut frames = Frames::default();
        for batch in batches {
            frames.add(&batch?);
        }
        scenes.extend(frames.scenes());
        return Ok(Rows::Scenes);
    }
    for batch in batches {
        add(&columns, &batch?, scenes);
        if scenes.len() > MOST {
            return Err(SceneReadError::TooMany);
        }
    }
    Ok(Rows::Scenes)
}

fn add(columns: &Columns, batch: &RecordBatch, scenes: &mut Vec<Scene>) {
    let cells: Vec<Vec<Option<String>>> = batch.columns().iter().map(texts).collect();
    for row in 0..batch.num_rows() {
        let item = columns.item(|at| cells.get(at)?.get(row)?.clone());
        scenes.push(Scene::of_item(&SceneTable::default(), item));
    }
}

/// The tables that were opened, with the folder's name where there are several, as a query names them.
fn tables(lake: &Lake) -> Result<Vec<(Option<String>, String)>, LakeError> {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let found = lake.tables();
    let several = found.iter().any(|(schema, _)| schema == NAME);
    let tables = found.into_iter().filter(|(schema, _)| !several || schema == NAME);
    Ok(tables
        .map(|(schema, name)| {
            let full = format!("{}.{}", quoted(&schema), quoted(&name));
            (several.then_some(name), full)
        })
        .collect())
}

/// Whether a text is JSON, in whatever form.
fn is_json(reader: &Reader) -> bool {
    let (name, start) = (reader.location().name(), start(reader.head()));
    let is_jsonl = || recognise(&name, &start, reader.len()).is_ok_and(|format| format.name() == "jsonlines");
    start.trim_ascii_start().starts_with(b"{") || start.trim_ascii_start().starts_with(b"[") || is_jsonl()
}

fn whole_json(io: &Io, reader: &Reader) -> Result<Bytes, SceneReadError> {
    Ok(io.block_on(document(reader))?)
}

/// A document of JSON. Values may be DynamoDB's, which say their types.
fn of_json(bytes: &Bytes, at: &Location) -> Result<SceneSet, SceneReadError> {
    let items = items(bytes).map_err(|what| SceneReadError::Json { what, at: at.clone() })?;
    if items.len() > MOST {
        return Err(SceneReadError::TooMany);
    }
    let mut names: Vec<&str> = Vec::new();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for name in items.iter().flat_map(|item| item.keys()) {
        if known.insert(name) {
            names.push(name);
        }
    }
    let Some(columns) = Columns::of(&names) else {
        return Err(SceneReadError::NoStart {
            columns: names.into_iter().take(12).collect::<Vec<_>>().join(", "),
            at: at.clone(),
        });
    };
    let scenes = items.iter().map(|item| {
        let text = |at: usize| names.get(at).and_then(|name| text(item.get(*name)?));
        Scene::of_item(&SceneTable::default(), columns.item(text))
    });
    Ok(SceneSet::new(at.name(), Some(at.clone()), scenes.collect()))
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Object(map) if map.len() == 1 => match map.iter().next() {
            Some((kind, inner)) if matches!(&**kind, "S" | "N" | "BOOL") => text(inner),
            Some((kind, _)) if kind == "NULL" => None,
            _ => Some(value.to_string()),
        },
        other => Some(object_time(other).map_or_else(|| other.to_string(), rfc3339)),
    }
}

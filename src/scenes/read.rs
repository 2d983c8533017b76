//! Tables → scenes: Parquet, CSV, JSON Lines, Arrow, folders and prefixes of them through [`Lake`]; DynamoDB's JSON as it is.

use std::collections::{BTreeSet, HashSet};

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use bytes::Bytes;
use serde_json::{Map, Value};

use super::cells::texts;
use super::columns::Columns;
use super::joined::{Frames, are_frames};
use super::{Scene, SceneSet};
use crate::format::recognise;
use crate::lake::{Answer, Lake, LakeError};
use crate::run::{Io, Place, gather};
use crate::source::{Location, Reader, SceneTable};

/// A table of scenes has no more.
const MOST: usize = 1_000_000;
/// JSON that is read whole is no longer.
const LONGEST_JSON_BYTES: u64 = 512 << 20;
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

/// Reads all scenes of a table. Waits: for commands and threads of their own.
pub fn read(io: &Io, location: &Location) -> Result<SceneSet, SceneReadError> {
    if let Some(reader) = io.block_on(json_at(io, location))? {
        if reader.len() > LONGEST_JSON_BYTES {
            return Err(SceneReadError::Json {
                what: format!("the JSON is longer than {} MiB", LONGEST_JSON_BYTES >> 20),
                at: location.clone(),
            });
        }
        let bytes = io.block_on(reader.read(0..reader.len())).map_err(LakeError::from)?;
        return of_json(&bytes, location);
    }
    let lake = Lake::new(io, MEMORY_BYTES)?;
    lake.add(NAME, location, None)?;
    let (mut scenes, mut other) = (Vec::new(), BTreeSet::new());
    let mut known = HashSet::new();
    for (class, table) in tables(&lake)? {
        let mut own = Vec::new();
        let answer = lake.query(&format!("SELECT * FROM {table}"))?;
        match of_rows(&answer.schema().clone(), answer, &mut own)? {
            Found::Scenes => {}
            Found::NoStart(columns) => other.extend(columns),
        }
        // a table may lie there in two formats
        let key = |scene: &Scene| (scene.file.clone(), scene.id.clone(), scene.start, scene.end);
        own.retain(|scene| scene.id.is_empty() || !known.contains(&key(scene)));
        known.extend(own.iter().map(key));
        // ADDF keeps a folder for each class
        for scene in own.iter_mut().filter(|scene| scene.class.is_none()) {
            scene.class.clone_from(&class);
        }
        scenes.append(&mut own);
    }
    match scenes.is_empty() && !other.is_empty() {
        true => Err(SceneReadError::NoStart {
            columns: other.into_iter().take(12).collect::<Vec<_>>().join(", "),
            at: location.clone(),
        }),
        false => Ok(SceneSet::new(location.name(), Some(location.clone()), scenes)),
    }
}

/// Whether what lies there is a table of scenes rather than one of measurements, or a recording; reads no more than its columns.
/// Waits, as [`read`] does.
pub fn are_scenes(io: &Io, location: &Location) -> Result<bool, SceneReadError> {
    if let Some(reader) = io.block_on(json_at(io, location))? {
        let names = names_in_json(reader.head());
        return Ok(Columns::are_of_scenes(&names.iter().map(String::as_str).collect::<Vec<_>>()));
    }
    let lake = Lake::new(io, MEMORY_BYTES)?;
    lake.add(NAME, location, None)?;
    let tables = tables(&lake)?;
    let mut all = !tables.is_empty();
    for (_, table) in tables {
        let answer = lake.query(&format!("SELECT * FROM {table} LIMIT 0"))?;
        let names: Vec<&str> = answer.schema().fields().iter().map(|field| &**field.name()).collect();
        all &= Columns::are_of_scenes(&names);
    }
    Ok(all)
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
        Found::Scenes => Ok(SceneSet::new(name.to_owned(), None, scenes)),
        Found::NoStart(columns) => Err(SceneReadError::NoStart {
            columns: columns.join(", "),
            at: Location::Path("the query".into()),
        }),
    }
}

enum Found {
    Scenes,
    /// The columns that there are.
    NoStart(Vec<String>),
}

fn of_rows(
    schema: &Schema,
    batches: impl Iterator<Item = Result<RecordBatch, LakeError>>,
    scenes: &mut Vec<Scene>,
) -> Result<Found, SceneReadError> {
    let names: Vec<&str> = schema.fields().iter().map(|field| &**field.name()).collect();
    let Some(columns) = Columns::of(&names) else {
        return Ok(Found::NoStart(names.into_iter().map(str::to_owned).collect()));
    };
    if are_frames(schema) {
        let mut frames = Frames::default();
        for batch in batches {
            frames.add(&batch?);
        }
        scenes.extend(frames.scenes());
        return Ok(Found::Scenes);
    }
    for batch in batches {
        add(&columns, &batch?, scenes);
        if scenes.len() > MOST {
            return Err(SceneReadError::TooMany);
        }
    }
    Ok(Found::Scenes)
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

/// The reader of a text that is JSON, in whatever form.
async fn json_at(io: &Io, location: &Location) -> Result<Option<Reader>, LakeError> {
    let Place::One(reader, _) = gather(location, None, io.net()).await? else {
        return Ok(None);
    };
    let name = location.name();
    let is_jsonl = || recognise(&name, reader.head(), reader.len()).is_ok_and(|format| format.name() == "jsonlines");
    let is_json = reader.head().trim_ascii_start().starts_with(b"{") || reader.head().trim_ascii_start().starts_with(b"[") || is_jsonl();
    Ok(is_json.then_some(reader))
}

/// The names of a first item, as far as the first bytes show it.
fn names_in_json(head: &[u8]) -> Vec<String> {
    let first = head.trim_ascii_start().split(|b| *b == b'\n').next().unwrap_or_default();
    let items = ["Items", "items", "scenes"];
    match serde_json::from_slice::<Value>(first).ok().and_then(item) {
        Some(only) if !items.iter().any(|name| only.contains_key(*name)) => only.into_iter().map(|(name, _)| name).collect(),
        _ => {
            let text = String::from_utf8_lossy(head);
            let strings: Vec<String> = text.split('"').skip(1).step_by(2).map(str::to_owned).collect();
            let is_list = text.trim_start().starts_with('[') || strings.iter().any(|name| items.contains(&&**name));
            if is_list { strings } else { Vec::new() }
        }
    }
}

/// One JSON value (`Items` of `aws dynamodb scan` and of backups, an array, one object), or one a line (`Item`s of an export to S3, plain
/// objects). Values may be DynamoDB's, which say their types.
fn of_json(bytes: &Bytes, at: &Location) -> Result<SceneSet, SceneReadError> {
    let wrong = |what: String| SceneReadError::Json { what, at: at.clone() };
    let values: Vec<Value> = match serde_json::from_slice::<Value>(bytes) {
        Ok(Value::Array(items)) => items,
        Ok(Value::Object(mut whole)) => match whole
            .remove("Items")
            .or_else(|| whole.remove("items"))
            .or_else(|| whole.remove("scenes"))
        {
            Some(Value::Array(items)) => items,
            _ => vec![serde_json::from_slice(bytes).map_err(|error| wrong(error.to_string()))?],
        },
        _ => {
            let lines = bytes
                .split(|b| *b == b'\n')
                .enumerate()
                .filter(|(_, line)| !line.trim_ascii().is_empty());
            let read = lines.map(|(number, line)| {
                serde_json::from_slice(line).map_err(|error| wrong(format!("line {} is no JSON ({error})", number + 1)))
            });
            read.collect::<Result<_, _>>()?
        }
    };
    if values.len() > MOST {
        return Err(SceneReadError::TooMany);
    }
    let items: Vec<Map<String, Value>> = values.into_iter().filter_map(item).collect();
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

/// `{"Item": {…}}`, or the item itself.
fn item(value: Value) -> Option<Map<String, Value>> {
    let Value::Object(mut item) = value else { return None };
    match (item.len(), item.remove("Item")) {
        (1, Some(Value::Object(inner))) => Some(inner),
        (_, Some(other)) => {
            item.insert("Item".to_owned(), other);
            Some(item)
        }
        (_, None) => Some(item),
    }
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
        other => Some(other.to_string()),
    }
}

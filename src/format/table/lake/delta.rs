//! Delta: the log's actions, replayed in their order. See <https://github.com/delta-io/delta/blob/master/PROTOCOL.md>.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, TimeUnit};
use serde_json::Value;

use super::{Listed, Live, Read, Snapshot, decoded, refused};
use crate::format::FormatError;

pub(super) const FOLDER: &str = "_delta_log/";

/// Features of readers that change nothing for whoever reads whole files.
const HARMLESS: &[&str] = &[
    "timestampNtz",
    "vacuumProtocolCheck",
    "deletionVectors",
    "columnMapping",
    "domainMetadata",
    "appendOnly",
    "invariants",
    "checkConstraints",
    "changeDataFeed",
    "generatedColumns",
    "identityColumns",
    "typeWidening",
    "inCommitTimestamp",
    "rowTracking",
    "clustering",
];

/// The version that `_delta_log/00000000000000000012.json` makes, and what follows it.
fn version(path: &str) -> Option<(u64, &str)> {
    let (digits, kind) = path.strip_prefix(FOLDER)?.split_once('.')?;
    (digits.len() == 20).then_some(())?;
    Some((digits.parse().ok()?, kind))
}

pub(super) fn needs(listed: &[Listed]) -> Vec<&str> {
    let of_log = listed
        .iter()
        .filter(|file| version(&file.path).is_some_and(|(_, kind)| kind == "json" || is_checkpoint(kind)));
    of_log.map(|file| &*file.path).collect()
}

/// `checkpoint.parquet`, or a part of one: `checkpoint.0000000001.0000000010.parquet`.
fn is_checkpoint(kind: &str) -> bool {
    kind.starts_with("checkpoint.") && kind.ends_with(".parquet")
}

#[derive(Default)]
struct State {
    files: BTreeMap<String, Value>,
    metadata: Value,
    protocol: Value,
}

pub(super) fn snapshot(read: &[Read], as_of: Option<&str>) -> Result<Snapshot, FormatError> {
    let mut commits: BTreeMap<u64, &Read> = BTreeMap::new();
    let mut checkpoints: BTreeMap<u64, Vec<&Read>> = BTreeMap::new();
    for file in read {
        match version(&file.0) {
            Some((number, "json")) => drop(commits.insert(number, file)),
            Some((number, kind)) if is_checkpoint(kind) => checkpoints.entry(number).or_default().push(file),
            _ => {}
        }
    }
    let last = match as_of {
        Some(text) => version_at(&commits, text)?,
        None => commits.keys().chain(checkpoints.keys()).max().copied().unwrap_or(0),
    };
    let base = checkpoints.range(..=last).next_back().filter(|_| !commits.contains_key(&0));
    let mut state = State::default();
    let mut next = 0;
    if let Some((number, parts)) = base {
        for (path, bytes) in parts {
            let rows = super::super::parquet_rows(bytes).map_err(|error| refused(format!("{path}: {error}")))?;
            rows.iter().try_for_each(|action| state.apply(action))?;
        }
        next = number + 1;
    }
    for number in next..=last {
        let Some((path, bytes)) = commits.get(&number) else {
            return Err(refused(format!(
                "version {number} is missing from the Delta log, so that its files cannot be told: restore the log, or name a later version"
            )));
        };
        for line in bytes.split(|b| *b == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            let action =
                serde_json::from_slice(line).map_err(|error| refused(format!("the Delta log cannot be read ({error}): {path}")))?;
            state.apply(&action)?;
        }
    }
    state.snapshot()
}

/// A version by its number, or the newest of a moment.
fn version_at(commits: &BTreeMap<u64, &Read>, text: &str) -> Result<u64, FormatError> {
    let newest = commits.keys().next_back().copied().unwrap_or(0);
    let number = text.trim_start_matches('v');
    if let Ok(number) = number.parse::<u64>()
        && number < 100_000_000
    {
        return match number <= newest {
            true => Ok(number),
            false => Err(refused(format!("the Delta table has no version {number}: its newest is {newest}"))),
        };
    }
    let Ok(crate::time::When::At(time)) = crate::time::When::parse(&text.replacen(' ', "T", 1)) else {
        return Err(refused(format!("“{text}” is no version of a Delta table: give a number or a time")));
    };
    let millis = time.nanos() / 1_000_000;
    let made = |bytes: &[u8]| {
        bytes.split(|b| *b == b'\n').find_map(|line| {
            let action: Value = serde_json::from_slice(line).ok()?;
            action.pointer("/commitInfo/timestamp")?.as_i64()
        })
    };
    let fitting = commits
        .iter()
        .filter(|(_, (_, bytes))| made(bytes).is_some_and(|made| made <= millis));
    fitting
        .map(|(number, _)| *number)
        .max()
        .ok_or_else(|| refused("the Delta table has no version of that time or before"))
}

impl State {
    fn apply(&mut self, action: &Value) -> Result<(), FormatError> {
        let of = |name: &str| action.get(name).filter(|value| value.is_object());
        let path = |value: &Value| value.get("path").and_then(Value::as_str).map(str::to_owned);
        if let Some(add) = of("add")
            && let Some(path) = path(add)
        {
            self.files.insert(path, add.clone());
        }
        if let Some(path) = of("remove").and_then(path) {
            self.files.remove(&path);
        }
        if let Some(metadata) = of("metaData") {
            self.metadata = metadata.clone();
        }
        if let Some(protocol) = of("protocol") {
            self.protocol = protocol.clone();
        }
        match action.get("sidecar").filter(|value| value.is_object()) {
            Some(_) => Err(refused(
                "a Delta table whose checkpoint is in sidecar files, which are not read here",
            )),
            None => Ok(()),
        }
    }

    fn snapshot(self) -> Result<Snapshot, FormatError> {
        let features = self.protocol.get("readerFeatures").and_then(Value::as_array);
        let unknown = features
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .find(|name| !HARMLESS.contains(name));
        if let Some(name) = unknown {
            return Err(refused(format!(
                "a Delta table that needs a reader with “{name}”, which this one has not"
            )));
        }
        let mapping = self
            .metadata
            .pointer("/configuration/delta.columnMapping.mode")
            .and_then(Value::as_str);
        if mapping.is_some_and(|mode| mode != "none") {
            return Err(refused(
                "a Delta table whose columns have other names in its files (column mapping), which is not read here",
            ));
        }
        if let Some((path, _)) = self
            .files
            .iter()
            .find(|(_, add)| add.get("deletionVector").is_some_and(Value::is_object))
        {
            return Err(refused(format!(
                "a Delta table with deletion vectors ({path}), so that its files hold deleted rows: rewrite it with REORG TABLE … APPLY (PURGE)"
            )));
        }
        let schema: Value = self
            .metadata
            .get("schemaString")
            .and_then(Value::as_str)
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let columns = self.metadata.get("partitionColumns").and_then(Value::as_array);
        let columns: Vec<&str> = columns.into_iter().flatten().filter_map(Value::as_str).collect();
        let of_column = |name: &str| {
            let fields = schema.get("fields").and_then(Value::as_array)?;
            let field = fields
                .iter()
                .find(|field| field.get("name").and_then(Value::as_str) == Some(name))?;
            field.get("type")?.as_str().map(str::to_owned)
        };
        let types = columns.iter().filter_map(|name| Some(((*name).to_owned(), of_column(name)?)));
        let files = self.files.iter().map(|(path, add)| {
            let value = |name: &str| add.get("partitionValues")?.get(name)?.as_str().map(str::to_owned);
            Live {
                path: decoded(path),
                partitions: columns.iter().map(|name| ((*name).to_owned(), value(name))).collect(),
            }
        });
        Ok(Snapshot {
            files: files.collect(),
            partition_types: types.collect(),
            schema: fields(&schema).map(|fields| Arc::new(Schema::new(fields))),
            log: Some("delta"),
        })
    }
}

/// The fields of a structure, as a log spells it.
fn fields(structure: &Value) -> Option<Fields> {
    let fields = structure.get("fields").and_then(Value::as_array)?.iter();
    let field = |field: &Value| Some(Field::new(field.get("name")?.as_str()?, data_type(field.get("type")?), true));
    fields.map(field).collect()
}

/// A type of later versions, which is not known here, holds texts.
fn data_type(of: &Value) -> DataType {
    if let Some(name) = of.as_str() {
        return plain_type(name).or_else(|| decimal(name)).unwrap_or(DataType::Utf8);
    }
    let inner = |name: &str| of.get(name).map_or(DataType::Utf8, data_type);
    match of.get("type").and_then(Value::as_str) {
        Some("struct") => fields(of).map_or(DataType::Utf8, DataType::Struct),
        Some("array") => DataType::new_list(inner("elementType"), true),
        Some("map") => {
            let entries = vec![
                Field::new("key", inner("keyType"), false),
                Field::new("value", inner("valueType"), true),
            ];
            DataType::Map(Arc::new(Field::new("key_value", DataType::Struct(entries.into()), false)), false)
        }
        _ => DataType::Utf8,
    }
}

/// The type of a column of values, as a log spells it.
pub fn plain_type(name: &str) -> Option<DataType> {
    Some(match name {
        "integer" => DataType::Int32,
        "long" => DataType::Int64,
        "short" => DataType::Int16,
        "byte" => DataType::Int8,
        "float" => DataType::Float32,
        "double" => DataType::Float64,
        "boolean" => DataType::Boolean,
        "date" => DataType::Date32,
        "timestamp" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        "timestamp_ntz" => DataType::Timestamp(TimeUnit::Microsecond, None),
        "string" => DataType::Utf8,
        "binary" => DataType::Binary,
        _ => return None,
    })
}

/// `decimal(10,2)`.
fn decimal(name: &str) -> Option<DataType> {
    let (precision, scale) = name.strip_prefix("decimal(")?.strip_suffix(')')?.split_once(',')?;
    let (precision, scale) = (precision.trim().parse().ok()?, scale.trim().parse().ok()?);
    let is_possible = (1..=38).contains(&precision) && (0..=38).contains(&scale);
    is_possible.then_some(DataType::Decimal128(precision, scale))
}

//! Tables: Parquet, CSV, JSON and Arrow files read as messages of one topic, a row each.
//!
//! The columns become a message definition ([`shape`]), rows its messages ([`rows`]), one column their time ([`clock`]). Invariants:
//! a row is never dropped: one without a time stands at the time of the row before it; nothing is read that nobody wants.

mod arrow_file;
mod arrow_stream;
mod clock;
pub mod documents;
mod json;
pub mod lake;
mod lines;
pub mod non_finite;
mod parquet;
mod rows;
pub mod scenes;
mod shape;
mod statistics;
mod thrift;
mod types;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use ::arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use ::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;

use super::{
    Batch, Catalog, Checks, Chunk, ChunkId, Connection, ConnectionId, ConnectionSet, Container, Fetched, Limit, Message, Part, Warning,
};
use crate::time::{Span, Time};
use clock::Clock;
use json::Json;
use shape::Column;

pub use arrow_file::Arrow;
pub use arrow_stream::ArrowStream;
pub use clock::{number_times, object_time, structure_times};
pub use lines::{Csv, JsonArray, JsonLines};
pub use parquet::{ENCRYPTED_COLUMNS, Parquet, TRAILER_BYTES, footer_range, has_encrypted_columns, without_rows, writer_properties};
pub use shape::ONE_OR_NONE;
pub use types::merged;

/// So many columns are told by their names.
const MOST_TOLD: usize = 24;
/// Between rows that have no time.
const STEP_NANOS: i64 = 1_000;
const PACKAGE: &str = "table";

/// What an index learned of a table.
struct Facts {
    schema: SchemaRef,
    /// Of columns whose texts hold JSON.
    json: BTreeMap<usize, Json>,
    clock: Option<Clock>,
    /// Columns that the folders name, of every file.
    partitions: Vec<Partitions>,
    /// What stands in the column that names recordings, where it was read.
    bags: BTreeSet<String>,
}

/// Of a table that names more, they are no recordings.
const MOST_BAGS: usize = 1_000;

type Partitions = Vec<(String, Option<String>)>;

/// The column that names the recording which a row was extracted from.
pub const BAG_FILE: &str = "bag_file";

/// Where the rows of a chunk are.
#[derive(Clone, Debug)]
enum Block {
    /// A row group of a Parquet file.
    Group { file: usize, group: usize },
    /// Whole lines.
    Lines { file: usize },
    /// A batch of an Arrow file.
    Batch { file: usize, batch: usize },
}

/// An indexed table.
struct Table {
    catalog: Catalog,
    schema: SchemaRef,
    columns: Arc<[Column]>,
    json: Arc<BTreeMap<usize, Json>>,
    /// The recordings that rows are of, where there are several: a topic each.
    bags: Arc<[String]>,
    clock: Option<Clock>,
    blocks: Vec<Block>,
    /// Of each chunk: the number of its first row.
    numbers: Vec<u64>,
    /// No column is a time: the first row stands here, the others after it.
    start: Option<Time>,
    files: Vec<parquet::File>,
    lines: Vec<lines::File>,
    arrows: Vec<arrow_file::File>,
    /// Its files.
    parts: Vec<Part>,
}

impl Table {
    fn new(format: &'static str, size: u64, topic: &str, facts: Facts, has_nulls: &dyn Fn(&[&str]) -> bool) -> Table {
        let mut fields: Vec<Arc<Field>> = facts.schema.fields().iter().cloned().collect();
        for (name, _) in facts.partitions.first().into_iter().flatten() {
            if !fields.iter().any(|field| field.name() == name) {
                fields.push(Arc::new(Field::new(name, DataType::Utf8, true)));
            }
        }
        let schema = Arc::new(Schema::new(fields));
        let columns = shape::columns(&schema, |at| facts.json.get(&at).cloned(), has_nulls);
        let is_known = facts.bags.len() <= MOST_BAGS;
        let base = shape::Names::default().free(topic.trim_start_matches('/'));
        let type_name = format!("{PACKAGE}/{base}");
        let definition: Arc<str> = shape::definition(&type_name, &columns).into();
        let whole = Connection {
            definition,
            type_name: type_name.into(),
            ..Connection::default()
        };
        let mut table = Table {
            catalog: Catalog {
                format,
                size,
                indexed: true,
                connections: vec![whole],
                ..Catalog::default()
            },
            schema,
            columns: columns.into(),
            bags: Arc::default(),
            json: Arc::new(facts.json),
            start: facts.clock.is_none().then_some(Time(0)),
            clock: facts.clock,
            blocks: Vec::new(),
            numbers: Vec::new(),
            files: Vec::new(),
            lines: Vec::new(),
            arrows: Vec::new(),
            parts: Vec::new(),
        };
        let in_rows = facts.bags.into_iter().filter(|_| is_known);
        table.name_topics(topic, facts.partitions.iter().filter_map(bag_of).map(str::to_owned).chain(in_rows));
        table
    }

    /// Recordings of the same minutes are told apart: where rows are of several, each has a topic.
    fn name_topics(&mut self, topic: &str, bags: impl Iterator<Item = String>) {
        let bags: BTreeSet<String> = bags.collect();
        let topics: Vec<(String, Option<&String>)> = match bags.len() {
            0 | 1 => vec![(topic.to_owned(), bags.first())],
            _ => segments(&bags)
                .into_iter()
                .map(|(bag, name)| (format!("/{name}{topic}"), Some(bag)))
                .collect(),
        };
        let whole = self.catalog.connections.first().cloned().unwrap_or_default();
        let connections = topics.into_iter().map(|(topic, bag)| Connection {
            topic: topic.into(),
            bag: bag.map(|bag| bag.as_str().into()),
            ..whole.clone()
        });
        self.catalog.connections = connections.collect();
        self.bags = bags.into_iter().collect();
    }

    /// The same once all rows were read: so many of each chunk are of which recording.
    fn tell_apart(&mut self, topic: &str, rows_of: Vec<BTreeMap<Option<String>, u32>>) {
        let named: BTreeSet<&String> = rows_of.iter().flat_map(BTreeMap::keys).flatten().collect();
        if named.len() > MOST_BAGS {
            return;
        }
        self.name_topics(topic, named.into_iter().cloned());
        for (at, rows) in rows_of.iter().enumerate() {
            let mut counts: BTreeMap<ConnectionId, u32> = BTreeMap::new();
            for (bag, count) in rows {
                *counts.entry(self.connection(bag.as_deref())).or_default() += count;
            }
            if let Some(chunk) = self.catalog.chunks.get_mut(at) {
                chunk.counts = counts.into_iter().collect();
            }
        }
    }

    fn clock(&self) -> Option<&Clock> {
        self.clock.as_ref()
    }

    /// The topic that rows of a file are of.
    fn connection_of(&self, partitions: &Partitions) -> ConnectionId {
        self.connection(bag_of(partitions))
    }

    fn connection(&self, bag: Option<&str>) -> ConnectionId {
        let at = bag.and_then(|bag| self.bags.iter().position(|other| other == bag));
        at.and_then(|at| ConnectionId::try_from(at).ok())
            .filter(|_| self.bags.len() > 1)
            .unwrap_or(0)
    }

    /// Of each row, where a column names the recordings of a file's rows and there are several.
    fn connections_of(&self, partitions: &Partitions, column: Option<&ArrayRef>) -> Option<Vec<ConnectionId>> {
        let column = column.filter(|_| self.bags.len() > 1 && bag_of(partitions).is_none())?;
        let texts = ::arrow::compute::cast(column, &DataType::Utf8).ok()?;
        Some(texts.as_string::<i32>().iter().map(|bag| self.connection(bag)).collect())
    }

    /// How many rows of a chunk are of which topic.
    fn counts(&self, partitions: &Partitions, rows: usize, column: Option<&ArrayRef>) -> Vec<(ConnectionId, u32)> {
        let of_rows = self.connections_of(partitions, column).filter(|of| of.len() == rows);
        let mut counts: BTreeMap<ConnectionId, u32> = BTreeMap::new();
        match of_rows {
            Some(of_rows) => of_rows.into_iter().for_each(|of| *counts.entry(of).or_default() += 1),
            None => drop(counts.insert(self.connection_of(partitions), u32::try_from(rows).unwrap_or(u32::MAX))),
        }
        counts.into_iter().collect()
    }

    fn push(&mut self, mut chunk: Chunk, block: Block, has_span: bool) {
        let first = self.catalog.messages();
        if let Some(start) = self.start {
            let at = |number: u64| start.plus_nanos(i64::try_from(number).unwrap_or(i64::MAX).saturating_mul(STEP_NANOS));
            chunk.span = Span::new(at(first), at(first + chunk.messages().saturating_sub(1)));
        } else if !has_span {
            self.catalog.warnings.push(Warning {
                offset: chunk.range.start,
                what: format!(
                    "{} rows have no time: they stand at the time of the rows before them",
                    chunk.messages()
                ),
            });
            let before = self.catalog.chunks.last().map_or(Time(0), |chunk| chunk.span.end);
            chunk.span = Span::at(before);
        }
        self.numbers.push(first);
        self.blocks.push(block);
        self.catalog.chunks.push(chunk);
    }

    fn finished(mut self) -> Table {
        if self.start.is_some() && !self.catalog.chunks.is_empty() {
            self.catalog.warnings.push(Warning {
                offset: 0,
                what: "no column of the table is a time: its rows stand in their order at the start of what is recorded beside it".into(),
            });
        }
        self
    }

    /// Names the file at an offset, where there are several.
    fn file_of(&self, offset: u64) -> String {
        let part = self.parts.iter().find(|part| part.range.contains(&offset));
        part.map_or(String::new(), |part| part.suffix(self.parts.len()))
    }

    /// What it is made of; tells where the column that was named as the time is none.
    fn is_made_of(&mut self, parts: &[Part], named: Option<&str>) {
        self.parts = parts.to_vec();
        let Some(named) = named else { return };
        let is_there = clock::named_column(&self.schema, named).is_some();
        if is_there && self.clock.is_some() {
            return;
        }
        let names = self.schema.fields().iter().map(|field| &**field.name());
        let mut columns = names.take(MOST_TOLD).collect::<Vec<_>>().join(", ");
        if self.schema.fields().len() > MOST_TOLD {
            columns.push_str(", …");
        }
        let what = match is_there {
            true => format!("the column {named} cannot be read as a time; the table's columns are {columns}"),
            false => format!("there is no column {named} to take times from; the table's columns are {columns}"),
        };
        self.catalog.warnings.push(Warning { offset: 0, what });
    }

    fn partitions(&self, block: &Block) -> &Partitions {
        const NONE: &Partitions = &Vec::new();
        match block {
            Block::Group { file, .. } => self.files.get(*file).map_or(NONE, parquet::File::partitions),
            Block::Lines { file } => self.lines.get(*file).map_or(NONE, lines::File::partitions),
            Block::Batch { file, .. } => self.arrows.get(*file).map_or(NONE, arrow_file::File::partitions),
        }
    }

    /// Appends the rows of a batch, whose columns are found by their names.
    fn write(&self, batch: &RecordBatch, partitions: &Partitions, wanted: &ConnectionSet, stand: &mut Stand, out: &mut Batch) {
        let of_file = self.connection_of(partitions);
        let of_rows = self.connections_of(partitions, batch.column_by_name(BAG_FILE));
        let array = |at: usize| -> Option<ArrayRef> {
            let name = self.schema.fields().get(at)?.name();
            let of_folder = || {
                let (_, value) = partitions.iter().find(|(of, _)| of == name)?;
                let texts: StringArray = std::iter::repeat_n(value.as_deref(), batch.num_rows()).collect();
                Some(Arc::new(texts) as ArrayRef)
            };
            batch.column_by_name(name).cloned().or_else(of_folder)
        };
        let times = self.clock.as_ref().and_then(|clock| {
            let columns: Option<Vec<ArrayRef>> = clock.columns().into_iter().map(array).collect();
            Some(clock.times(&columns?))
        });
        let rows = rows::Rows::new(&self.columns, array, |at| self.json.get(&at));
        for row in 0..batch.num_rows() {
            let time = stand.next(times.as_ref().and_then(|times| times.get(row).copied().flatten()));
            let connection = of_rows.as_ref().and_then(|of| of.get(row).copied()).unwrap_or(of_file);
            if !wanted.contains(connection) {
                continue;
            }
            let mut payload = Vec::new();
            rows.write(row, &mut payload);
            out.messages.push(Message {
                connection,
                time,
                payload: payload.into(),
            });
        }
    }

    fn read(
        &self,
        chunk: &Chunk,
        block: &Block,
        got: &Fetched,
        wanted: &ConnectionSet,
        stand: &mut Stand,
        out: &mut Batch,
    ) -> Result<(), String> {
        let partitions = self.partitions(block);
        match block {
            Block::Group { file, group } => {
                let file = self.files.get(*file).ok_or("there is no such file")?;
                for batch in parquet::batches(file, *group, got, |_| true)? {
                    self.write(&batch?, partitions, wanted, stand, out);
                }
            }
            Block::Lines { file } => {
                let file = self.lines.get(*file).ok_or("there is no such file")?;
                let bytes = got.get(chunk.range.clone()).ok_or("its bytes are not there")?;
                let (batch, _) = file.batch(&bytes)?;
                self.write(&batch, partitions, wanted, stand, out);
            }
            Block::Batch { file, batch } => {
                let file = self.arrows.get(*file).ok_or("there is no such file")?;
                let bytes = got.get(chunk.range.clone()).ok_or("its bytes are not there")?;
                self.write(&file.batch(*batch, bytes)?, partitions, wanted, stand, out);
            }
        }
        Ok(())
    }
}

/// Where rows stand that have no time of their own.
struct Stand {
    /// The place of the first row where no row has a time, and the next row's number.
    start: Option<Time>,
    number: u64,
    last: Time,
}

impl Stand {
    fn next(&mut self, own: Option<Time>) -> Time {
        if let Some(start) = self.start {
            let number = i64::try_from(self.number).unwrap_or(i64::MAX);
            self.number += 1;
            return start.plus_nanos(number.saturating_mul(STEP_NANOS));
        }
        self.last = own.unwrap_or(self.last);
        self.last
    }
}

impl Container for Table {
    fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    fn messages(&self, id: ChunkId, got: &Fetched, connections: &ConnectionSet, _: Checks) -> Batch {
        let mut batch = Batch::default();
        let at = id as usize;
        let (Some(chunk), Some(block)) = (self.catalog.chunks.get(at), self.blocks.get(at)) else {
            return batch;
        };
        if !chunk.counts.iter().any(|(id, _)| connections.contains(*id)) {
            return batch;
        }
        let mut stand = Stand {
            start: self.start,
            number: self.numbers.get(at).copied().unwrap_or(0),
            last: chunk.span.start,
        };
        if let Err(what) = self.read(chunk, block, got, connections, &mut stand, &mut batch) {
            batch.warnings.push(Warning {
                offset: chunk.range.start,
                what: format!("rows that cannot be read: {what}{}", self.file_of(chunk.range.start)),
            });
        }
        batch
    }

    fn ranges_of(&self, chunk: ChunkId, fields: &BTreeSet<&str>) -> Option<Vec<Range<u64>>> {
        let Some(Block::Group { file, group }) = self.blocks.get(chunk as usize) else {
            return None;
        };
        let wanted = self
            .columns
            .iter()
            .filter(|column| fields.contains(&*column.name))
            .map(|column| column.at);
        let times = self.clock.iter().flat_map(Clock::columns);
        let names = wanted
            .chain(times)
            .filter_map(|at| self.schema.fields().get(at))
            .map(|field| &**field.name())
            .chain((self.bags.len() > 1).then_some(BAG_FILE));
        let mut ranges = parquet::ranges_of(self.files.get(*file)?, *group, &names.collect());
        ranges.sort_by_key(|range| range.start);
        Some(ranges)
    }

    fn limits(&self, chunk: ChunkId, field: &str) -> Option<(Limit, Limit)> {
        let Some(Block::Group { file, group }) = self.blocks.get(chunk as usize) else {
            return None;
        };
        // statistics may cut texts short, and of a pair they tell no more than the second
        let has_exact_span = match &self.clock {
            None => true,
            Some(Clock::Column { column, .. }) => !parquet::is_text(self.schema.fields().get(*column)?.data_type()),
            Some(Clock::Pair { .. }) => false,
        };
        let column = self.columns.iter().find(|column| column.name == field).filter(|_| has_exact_span)?;
        let name = self.schema.fields().get(column.at)?.name();
        statistics::limits(self.files.get(*file)?, *group, name, column)
    }

    fn placed(&self, start: Time) -> Option<Arc<dyn Container>> {
        let old = self.start.filter(|old| *old != start)?;
        let mut catalog = self.catalog.clone();
        for chunk in &mut catalog.chunks {
            let moved = |t: Time| start.plus_nanos(t.since(old));
            chunk.span = Span::new(moved(chunk.span.start), moved(chunk.span.end));
        }
        Some(Arc::new(Table {
            catalog,
            schema: self.schema.clone(),
            columns: self.columns.clone(),
            json: self.json.clone(),
            bags: self.bags.clone(),
            clock: None,
            blocks: self.blocks.clone(),
            numbers: self.numbers.clone(),
            start: Some(start),
            files: self.files.clone(),
            lines: self.lines.clone(),
            arrows: self.arrows.clone(),
            parts: self.parts.clone(),
        }))
    }
}

/// What a column that names recordings holds.
fn bags_in<'a>(columns: impl Iterator<Item = &'a ArrayRef>) -> BTreeSet<String> {
    let mut bags = BTreeSet::new();
    for column in columns {
        let Ok(texts) = ::arrow::compute::cast(column, &DataType::Utf8) else {
            continue;
        };
        for bag in texts.as_string::<i32>().iter().flatten() {
            if !bags.contains(bag) && bags.len() <= MOST_BAGS {
                bags.insert(bag.to_owned());
            }
        }
    }
    bags
}

fn bag_of(partitions: &Partitions) -> Option<&str> {
    partitions.iter().find(|(name, _)| name == BAG_FILE)?.1.as_deref()
}

/// `/imu_raw` of `imu_raw/bag_file=drive_a/data.parq`, `/scenes` of `scenes.csv`.
fn topic_of(name: &str, parts: &[Part]) -> String {
    // a file called like every other is told by its folder
    const COMMON: [&str; 3] = ["data", "part-", "00000"];
    let stem = |name: &str| name.split_once('.').map_or(name, |(stem, _)| stem).to_owned();
    let folder_of = |part: &Part| {
        let (folders, _) = part.path.rsplit_once('/')?;
        folders.rsplit('/').find(|folder| !folder.contains('=')).map(str::to_owned)
    };
    let name = name.rsplit('/').next().unwrap_or(name);
    let own = stem(name);
    let is_common = COMMON.iter().any(|common| own.starts_with(common)) || own.is_empty();
    // a list of files is told by the folder that all of them are in
    let is_list = parts.len() > 1 && !parts.iter().any(|part| part.path.ends_with(name));
    let first = parts.first().and_then(folder_of);
    let is_shared = parts.iter().all(|part| folder_of(part) == first);
    let chosen = first.filter(|_| is_common || (is_list && is_shared)).unwrap_or(own);
    format!("/{}", shape::Names::default().free(&chosen))
}

/// The column of a batch that is its time, as it would be of a table.
pub fn time_column(rows: &RecordBatch) -> Option<usize> {
    let columns =
        |clock: &Clock| -> Option<Vec<ArrayRef>> { clock.columns().into_iter().map(|at| rows.columns().get(at).cloned()).collect() };
    let fitting = Clock::candidates(rows.schema_ref(), None).into_iter().find(|clock| {
        let mut clock = clock.clone();
        columns(&clock).is_some_and(|values| rows.num_rows() > 0 && clock.fits(&values))
    });
    fitting.and_then(|clock| clock.columns().first().copied())
}

/// Whether a format is one of tables, by its name.
pub fn is_table(format: &str) -> bool {
    matches!(format, "parquet" | "csv" | "jsonlines" | "json" | "arrow")
}

/// Whether the rows of a table are scenes, by the columns of its topic.
pub fn holds_scenes(table: &Catalog) -> bool {
    let columns = |connection: &Connection| -> bool {
        let lines = connection.definition.lines().take_while(|line| !line.starts_with('='));
        let names: Vec<&str> = lines.filter_map(|line| line.split(' ').nth(1)).collect();
        scenes::are_of_scenes(&names)
    };
    is_table(table.format) && table.connections.first().is_some_and(columns)
}

/// A recording's name as a part of a topic's.
pub fn segment(name: &str) -> String {
    shape::Names::default().free(name)
}

/// The same of each of them, none like another: those that need no change keep their names.
fn segments(names: &BTreeSet<String>) -> BTreeMap<&String, String> {
    let mut taken = shape::Names::default();
    let (plain, odd): (Vec<&String>, Vec<&String>) = names.iter().partition(|name| segment(name) == **name);
    plain.into_iter().chain(odd).map(|name| (name, taken.free(name))).collect()
}

/// How message paths spell the columns of a table.
pub fn field_names(schema: &Schema) -> Vec<String> {
    let mut names = shape::Names::default();
    schema.fields().iter().map(|field| names.free(field.name())).collect()
}

/// Rows as JSON objects.
fn json_rows(batch: &RecordBatch) -> Result<Vec<serde_json::Value>, String> {
    let mut out = Vec::new();
    let mut writer = ::arrow::json::LineDelimitedWriter::new(&mut out);
    writer
        .write(batch)
        .and_then(|()| writer.finish())
        .map_err(|error| error.to_string())?;
    drop(writer);
    let lines = out.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_slice(line).map_err(|error| error.to_string()))
        .collect()
}

/// Rows of a whole Parquet file as JSON objects.
fn parquet_rows(bytes: &Bytes) -> Result<Vec<serde_json::Value>, String> {
    parquet::all_rows(bytes)
}

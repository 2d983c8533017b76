//! CSV, JSON Lines and JSON that is one array: read once from front to back, cut into chunks of whole rows.
//!
//! Values are texts until they are written: what does not fit the type that the first rows show is null, not an error. A row of other
//! values than the head names keeps those that have a name; a line that is no row is left out; both are told.

mod array;
mod head;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, RecordBatch, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use bytes::{Bytes, BytesMut};
use indexmap::IndexMap;
use serde_json::Value;

use super::clock::Clock;
use super::json::Json;
use super::non_finite::{spelled, value};
use super::{BAG_FILE, Block, Facts, MOST_BAGS, Partitions, Table};
use crate::format::{Chunk, Fetched, Format, FormatError, Indexer, Part, Step, Warning};
use crate::time::{Span, Time};

pub struct Csv;
pub struct JsonLines;
pub struct JsonArray;

/// What is read at a time; the first block shows the columns.
const BLOCK_BYTES: u64 = 4 << 20;
/// A chunk holds about so many.
const CHUNK_BYTES: usize = 1 << 20;
/// A row is no longer.
const LONGEST_ROW: usize = 64 << 20;
const SNIFFED_LINES: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Csv {
        delimiter: u8,
    },
    Json,
    /// Objects between brackets.
    Array,
}

impl Format for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn sniff(&self, name: &str, head: &[u8]) -> bool {
        let ending = ending(name);
        is_text(head) && (matches!(&*ending, "csv" | "tsv") || (!has_other_ending(&ending) && looks_like_csv(head)))
    }

    fn indexer(&self, len: u64) -> Box<dyn Indexer> {
        Box::new(Index::new(len, "csv"))
    }
}

impl Format for JsonLines {
    fn name(&self) -> &'static str {
        "jsonlines"
    }

    fn sniff(&self, name: &str, head: &[u8]) -> bool {
        let first = head
            .split(|b| *b == b'\n')
            .find(|line| !line.trim_ascii().is_empty())
            .unwrap_or_default();
        let is_object = || value(first).is_ok_and(|value| value.is_object());
        let is_cut = || first.len() == head.len() && first.trim_ascii().starts_with(b"{");
        !is_log(&ending(name)) && is_text(head) && (is_object() || (is_cut() && matches!(&*ending(name), "jsonl" | "ndjson")))
    }

    fn indexer(&self, len: u64) -> Box<dyn Indexer> {
        Box::new(Index::new(len, "jsonlines"))
    }
}

impl Format for JsonArray {
    fn name(&self) -> &'static str {
        "json"
    }

    fn sniff(&self, name: &str, head: &[u8]) -> bool {
        let body = head.get(array_start(head)..).unwrap_or_default();
        is_text(head) && !is_log(&ending(name)) && head.len() > body.len() && body.trim_ascii_start().starts_with(b"{")
    }

    fn indexer(&self, len: u64) -> Box<dyn Indexer> {
        Box::new(Index::new(len, "json"))
    }
}

fn is_log(ending: &str) -> bool {
    matches!(ending, "log" | "txt" | "out" | "err")
}

fn ending(name: &str) -> String {
    name.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase()
}

fn has_other_ending(ending: &str) -> bool {
    matches!(
        ending,
        "log" | "txt" | "out" | "err" | "xml" | "html" | "yaml" | "yml" | "md" | "json" | "jsonl"
    )
}

fn is_text(head: &[u8]) -> bool {
    let is_control = |b: &u8| *b < 9 || (14..32).contains(b);
    !head.is_empty() && !head.iter().take(4096).any(is_control)
}

/// A head of names, and rows of as many values.
fn looks_like_csv(head: &[u8]) -> bool {
    let lines: Vec<&[u8]> = head.split(|b| *b == b'\n').take(SNIFFED_LINES + 1).collect();
    let whole = lines.split_last().map_or(&lines[..], |(_, whole)| whole);
    let commas = |line: &&[u8]| line.iter().filter(|b| **b == b',').count();
    let Some(first) = whole.first() else { return false };
    let is_name = |value: &[u8]| {
        let value = value.trim_ascii();
        value.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_' || *b == b'"') && !value.contains(&b' ')
    };
    whole.len() > 1
        && commas(first) > 0
        && first.split(|b| *b == b',').all(is_name)
        && whole.iter().all(|line| commas(line) == commas(first))
}

/// A file of rows.
#[derive(Clone)]
pub(super) struct File {
    kind: Kind,
    /// Names in the file's order.
    names: Arc<[String]>,
    partitions: Partitions,
}

impl File {
    pub fn partitions(&self) -> &Partitions {
        &self.partitions
    }

    /// Whole rows as columns of texts, and what is odd about them.
    pub fn batch(&self, bytes: &[u8]) -> Result<(RecordBatch, Odd), String> {
        let mut columns: Vec<StringBuilder> = self.names.iter().map(|_| StringBuilder::new()).collect();
        let odd = match self.kind {
            Kind::Json => self.objects(rows(bytes), &mut columns),
            Kind::Array => self.objects(array::rows(bytes), &mut columns),
            Kind::Csv { delimiter } => records(bytes, delimiter, &mut columns),
        };
        let columns = columns.into_iter().map(|mut column| Arc::new(column.finish()) as ArrayRef);
        let batch = RecordBatch::try_new(self.schema(), columns.collect()).map_err(|error| error.to_string())?;
        Ok((batch, odd))
    }

    fn schema(&self) -> SchemaRef {
        let fields = self.names.iter().map(|name| Field::new(name, DataType::Utf8, true));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    fn objects(&self, rows: impl Iterator<Item = Row>, columns: &mut [StringBuilder]) -> Odd {
        let mut odd = Odd::default();
        for (line, row) in rows {
            let row = match row {
                Ok(row) => row,
                Err(what) => {
                    odd.add(line, || what);
                    continue;
                }
            };
            for (name, column) in self.names.iter().zip(columns.iter_mut()) {
                match row.get(name) {
                    None | Some(Value::Null) => column.append_null(),
                    Some(Value::String(text)) => column.append_value(spelled(text)),
                    Some(other) => column.append_value(other.to_string()),
                }
            }
        }
        odd
    }
}

/// Rows that are not as the others.
#[derive(Clone, Debug, Default)]
pub(super) struct Odd {
    count: usize,
    /// The line (of an array, the element) of the first, from 0 on, and what is odd about it.
    first: Option<(usize, String)>,
}

impl Odd {
    fn add(&mut self, line: usize, what: impl FnOnce() -> String) {
        self.count += 1;
        self.first.get_or_insert_with(|| (line, what()));
    }

    /// Takes in what was found in lines that begin with the line `from`.
    fn extend(&mut self, from: usize, more: Odd) {
        self.count += more.count;
        if let (None, Some((line, what))) = (&self.first, more.first) {
            self.first = Some((from + line, what));
        }
    }

    fn warning(&self, kind: Kind) -> Option<String> {
        let (line, what) = self.first.as_ref()?;
        let (rows, place) = match kind {
            Kind::Json => ("line(s) that are no JSON objects are left out", "line"),
            Kind::Array => ("element(s) that are no JSON objects are left out", "element"),
            Kind::Csv { .. } => (
                "row(s) have other values than the head names: those without a name are left out",
                "line",
            ),
        };
        Some(format!("{} {rows}; the first is {place} {}: {what}", self.count, line + 1))
    }
}

/// The values of each row; of one that is too short the last are null.
fn records(bytes: &[u8], delimiter: u8, columns: &mut [StringBuilder]) -> Odd {
    let mut odd = Odd::default();
    let mut reader = csv_reader(bytes, delimiter);
    let mut record = csv::ByteRecord::new();
    // what is read is in memory, and no row is too long or too short
    while reader.read_byte_record(&mut record).unwrap_or(false) {
        if record.len() != columns.len() {
            let line = record.position().map_or(0, |at| at.line().saturating_sub(1));
            let what = || format!("{} values instead of {}", record.len(), columns.len());
            odd.add(usize::try_from(line).unwrap_or(0), what);
        }
        for (at, column) in columns.iter_mut().enumerate() {
            match record.get(at) {
                None | Some(b"") => column.append_null(),
                Some(value) => column.append_value(String::from_utf8_lossy(value)),
            }
        }
    }
    odd
}

fn csv_reader(bytes: &[u8], delimiter: u8) -> csv::Reader<&[u8]> {
    let mut builder = csv::ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(delimiter).from_reader(bytes)
}

/// Its number, from 0 on, and its object or why it is none.
type Row = (usize, Result<Value, String>);

/// The object of each line.
fn rows(bytes: &[u8]) -> impl Iterator<Item = Row> {
    let lines = bytes.split(|b| *b == b'\n').enumerate();
    let lines = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
    lines.map(|(number, line)| (number, object(line)))
}

fn object(text: &[u8]) -> Result<Value, String> {
    match value(text) {
        Ok(value) if value.is_object() => Ok(value),
        Ok(_) => Err("it is a value alone".into()),
        Err(error) => Err(told(&error)),
    }
}

/// What is wrong with a line, and in which column: the library counts the line as the first.
fn told(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
    format!("{what} in column {}", error.column())
}

struct Index {
    format: &'static str,
    len: u64,
    name: String,
    parts: Vec<Part>,
    time_column: Option<String>,
    /// The part that is being read, how far, and what of it is not cut yet.
    part: usize,
    read_to: u64,
    rest: BytesMut,
    /// Lines of the part that are cut.
    lines: usize,
    odd: Odd,
    file: Option<File>,
    table: Option<Table>,
    /// Of each chunk: the rows of each recording.
    rows_of: Vec<BTreeMap<Option<String>, u32>>,
}

impl Index {
    fn new(len: u64, format: &'static str) -> Index {
        Index {
            format,
            len,
            name: String::new(),
            parts: Vec::new(),
            time_column: None,
            part: 0,
            read_to: 0,
            rest: BytesMut::new(),
            lines: 0,
            odd: Odd::default(),
            file: None,
            table: None,
            rows_of: Vec::new(),
        }
    }
}

impl Indexer for Index {
    fn is_called(&mut self, name: &str) {
        self.name = name.to_owned();
    }

    fn is_made_of(&mut self, parts: &[Part]) {
        self.parts = parts.to_vec();
    }

    fn has_time_in(&mut self, column: &str) {
        self.time_column = Some(column.to_owned());
    }

    fn step(&mut self, got: &Fetched) -> Result<Step, FormatError> {
        if self.parts.is_empty() {
            self.parts.push(Part::whole(&self.name, self.len));
        }
        let before = (self.part, self.read_to);
        while let Some(part) = self.parts.get(self.part).cloned() {
            self.read_to = self.read_to.max(part.range.start);
            while self.read_to < part.range.end
                && let Some(bytes) = got.from(self.read_to, part.range.end - self.read_to)
            {
                self.rest.extend_from_slice(&bytes);
                self.read_to += bytes.len() as u64;
            }
            let is_end = self.read_to >= part.range.end;
            if !is_end && (self.rest.len() as u64) < BLOCK_BYTES.min(part.range.end - part.range.start) {
                if before == (self.part, self.read_to) && got.parts().next().is_some() && self.read_to > part.range.start {
                    return Err(FormatError("the file ended while it was read: it may be growing or cut".into()));
                }
                return Ok(self.next_block(&part));
            }
            self.cut(&part, is_end)?;
            match is_end {
                true => {
                    self.tell(&part);
                    self.part += 1;
                    self.lines = 0;
                    self.file = None;
                    self.rest.clear();
                }
                false => return Ok(self.next_block(&part)),
            }
        }
        match self.table.take() {
            Some(mut table) => {
                table.tell_apart(&super::topic_of(&self.name, &self.parts), std::mem::take(&mut self.rows_of));
                table.is_made_of(&self.parts, self.time_column.as_deref());
                Ok(Step::Ready(Arc::new(table.finished())))
            }
            None => Err(FormatError("a table without rows".into())),
        }
    }
}

impl Index {
    /// Says what is odd about the rows of a part.
    fn tell(&mut self, part: &Part) {
        let odd = std::mem::take(&mut self.odd);
        let kind = self.file.as_ref().map(|file| file.kind);
        if let (Some(what), Some(table)) = (kind.and_then(|kind| odd.warning(kind)), &mut self.table) {
            table.catalog.warnings.push(Warning {
                offset: part.range.start,
                what: format!("{what}{}", part.suffix(self.parts.len())),
            });
        }
    }

    fn next_block(&self, part: &Part) -> Step {
        let from = self.read_to.max(part.range.start);
        let block = from..(from + BLOCK_BYTES).min(part.range.end);
        Step::Need(vec![block])
    }

    /// Makes chunks of the whole rows that are there.
    fn cut(&mut self, part: &Part, is_end: bool) -> Result<(), FormatError> {
        let mut at = self.read_to - self.rest.len() as u64;
        if self.file.is_none() {
            let first = self.rest.clone().freeze();
            let (file, body) = self.begin(part, &first)?;
            at += body as u64;
            let head = self.rest.split_to(body.min(self.rest.len()));
            // before the first element there is none
            self.lines += if file.kind == Kind::Array { 0 } else { file.kind.lines(&head) };
            self.file = Some(file);
        }
        let kind = self.file.as_ref().map_or(Kind::Json, |file| file.kind);
        loop {
            let end = match kind {
                Kind::Array => array::end(&self.rest, CHUNK_BYTES),
                kind => row_end(&self.rest, CHUNK_BYTES, kind != Kind::Json),
            };
            let length = match end {
                Some(end) => end,
                None if is_end => self.rest.len(),
                None if self.rest.len() > LONGEST_ROW => {
                    return Err(FormatError("a row of more than 64 MiB: this is no table of rows".into()));
                }
                None => return Ok(()),
            };
            if length == 0 {
                return Ok(());
            }
            let bytes = self.rest.split_to(length).freeze();
            self.add(at..at + length as u64, bytes)?;
            at += length as u64;
        }
    }

    /// What the first rows of a file show, and where its rows begin.
    fn begin(&mut self, part: &Part, first: &Bytes) -> Result<(File, usize), FormatError> {
        let whole = match first.iter().rposition(|b| *b == b'\n') {
            Some(end) if self.read_to < part.range.end => first.slice(..=end),
            _ => first.clone(),
        };
        let (kind, schema, json, body) = match self.format {
            "csv" => head::columns(&whole, &part.path)?,
            "json" => array_columns(first),
            _ => json_columns(Kind::Json, rows(&whole), 0),
        };
        let whole = if kind == Kind::Array { first } else { &whole };
        let file = File {
            kind,
            names: schema.fields().iter().map(|field| field.name().clone()).collect(),
            partitions: part.partitions.clone(),
        };
        let (mut nulls, mut texts) = (vec![false; file.names.len()], BTreeMap::new());
        if let Ok((sample, _)) = file.batch(whole.get(body..).unwrap_or_default()) {
            for (at, (null, column)) in nulls.iter_mut().zip(sample.columns()).enumerate() {
                *null = column.null_count() > 0 || is_blank_somewhere(column);
                texts.insert(at, column.clone());
            }
        }
        if self.table.is_none() {
            let clocks = Clock::candidates(&schema, self.time_column.as_deref());
            let clock = clocks.into_iter().find_map(|mut clock| {
                let columns: Option<Vec<ArrayRef>> = clock.columns().iter().map(|at| texts.get(at).cloned()).collect();
                clock.fits(&columns?).then_some(clock)
            });
            let mut json = json;
            for (at, field) in schema
                .fields()
                .iter()
                .enumerate()
                .filter(|(_, field)| field.data_type() == &DataType::Utf8)
            {
                let learned = texts
                    .get(&at)
                    .cloned()
                    .and_then(|column| super::parquet::learned(std::iter::once(column)));
                if let (Some(learned), false) = (learned, field.name().is_empty()) {
                    json.entry(at).or_insert(learned);
                }
            }
            let facts = Facts {
                schema: schema.clone(),
                json,
                clock,
                partitions: self.parts.iter().map(|part| part.partitions.clone()).collect(),
                bags: Default::default(),
            };
            // what comes behind the first block may lack what that has
            let is_whole = self.read_to >= part.range.end && self.parts.len() < 2;
            let has_nulls = |path: &[&str]| {
                let at = schema.fields().iter().position(|field| path.first() == Some(&&**field.name()));
                !is_whole || at.and_then(|at| nulls.get(at).copied()).unwrap_or(true)
            };
            self.table = Some(Table::new(
                self.format,
                self.len,
                &super::topic_of(&self.name, &self.parts),
                facts,
                &has_nulls,
            ));
        }
        if let Some(table) = &mut self.table {
            table.lines.push(file.clone());
        }
        Ok((file, body))
    }

    fn add(&mut self, range: Range<u64>, bytes: Bytes) -> Result<(), FormatError> {
        let (Some(file), Some(table)) = (&self.file, &mut self.table) else {
            return Ok(());
        };
        let wrong = |what: String| FormatError(format!("rows from byte {} on cannot be read: {what}", range.start));
        let (batch, odd) = file.batch(&bytes).map_err(wrong)?;
        self.odd.extend(self.lines, odd);
        self.lines += file.kind.lines(&bytes);
        let rows = batch.num_rows();
        if rows == 0 {
            return Ok(());
        }
        let columns_of = |clock: &Clock| -> Option<Vec<ArrayRef>> {
            let named = |at: usize| batch.column_by_name(table.schema.fields().get(at)?.name()).cloned();
            clock.columns().into_iter().map(named).collect()
        };
        let times = table.clock().and_then(|clock| Some(clock.times(&columns_of(clock)?)));
        let known = || times.iter().flatten().flatten().copied();
        let span = known().min().zip(known().max()).map(|(first, last)| Span::new(first, last));
        let chunk = Chunk {
            range,
            span: span.unwrap_or(Span::at(Time(0))),
            compression: "none".into(),
            counts: vec![(table.connection_of(&file.partitions), u32::try_from(rows).unwrap_or(u32::MAX))],
        };
        self.rows_of.push(rows_of(&batch, &file.partitions));
        let block = Block::Lines {
            file: table.lines.len() - 1,
        };
        table.push(chunk, block, span.is_some());
        Ok(())
    }
}

/// How many rows are of which recording; of more than are told apart not all.
fn rows_of(batch: &RecordBatch, partitions: &Partitions) -> BTreeMap<Option<String>, u32> {
    let of_file = super::bag_of(partitions);
    let column = batch.column_by_name(BAG_FILE).filter(|_| of_file.is_none());
    let texts = column.and_then(|column| column.as_string_opt::<i32>());
    let mut rows: BTreeMap<Option<&str>, u32> = BTreeMap::new();
    for row in 0..batch.num_rows() {
        let bag = texts.filter(|texts| texts.is_valid(row)).map(|texts| texts.value(row));
        *rows.entry(bag.or(of_file)).or_default() += 1;
        if rows.len() > MOST_BAGS + 1 {
            break;
        }
    }
    rows.into_iter().map(|(bag, count)| (bag.map(str::to_owned), count)).collect()
}

impl Kind {
    /// How many lines end there; of an array, elements.
    fn lines(self, bytes: &[u8]) -> usize {
        match self {
            Kind::Array => array::rows(bytes).count(),
            _ => bytes.iter().filter(|b| **b == b'\n').count(),
        }
    }
}

fn is_blank_somewhere(column: &ArrayRef) -> bool {
    let texts: Option<&StringArray> = column.as_string_opt::<i32>();
    texts.is_some_and(|texts| texts.iter().flatten().any(str::is_empty))
}

/// Where the last whole row within about `most` bytes ends, its newline included; a row that is longer is taken whole.
fn row_end(bytes: &[u8], most: usize, is_csv: bool) -> Option<usize> {
    let (mut is_quoted, mut last) = (false, None);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'"' if is_csv => is_quoted = !is_quoted,
            b'\n' if !is_quoted => last = Some(at + 1),
            _ => {}
        }
        if at >= most && last.is_some() {
            return last;
        }
    }
    // what is left may go on
    None
}

type Columns = (Kind, SchemaRef, BTreeMap<usize, Json>, usize);

/// Behind the bracket that opens the array; 0 where there is none.
fn array_start(head: &[u8]) -> usize {
    let is_between = |b: &u8| b.is_ascii_whitespace() || [0xef, 0xbb, 0xbf].contains(b);
    let first = head.iter().position(|b| !is_between(b));
    first.filter(|at| head.get(*at) == Some(&b'[')).map_or(0, |at| at + 1)
}

/// An element that goes on behind these bytes shows nothing.
fn array_columns(first: &[u8]) -> Columns {
    let start = array_start(first);
    let body = first.get(start..).unwrap_or_default();
    json_columns(Kind::Array, array::rows(body), start)
}

fn json_columns(kind: Kind, rows: impl Iterator<Item = Row>, body: usize) -> Columns {
    let mut columns: IndexMap<String, Json> = IndexMap::new();
    for (_, row) in rows {
        for (key, value) in row.iter().filter_map(Value::as_object).flatten() {
            let json = columns.entry(key.clone()).or_insert(Json::Unknown);
            *json = std::mem::replace(json, Json::Unknown).and(Json::of(value));
        }
    }
    let mut nested = BTreeMap::new();
    let fields = columns.into_iter().enumerate().map(|(at, (name, json))| {
        let data_type = match json {
            Json::Bool => DataType::Boolean,
            Json::Whole(0.., greatest) if greatest > i64::MAX.into() => DataType::UInt64,
            Json::Whole(_, greatest) if greatest <= i64::MAX.into() => DataType::Int64,
            Json::Number | Json::Whole(..) => DataType::Float64,
            Json::List(_) | Json::Object(_) => {
                nested.insert(at, json);
                DataType::Utf8
            }
            _ => DataType::Utf8,
        };
        Field::new(name, data_type, true)
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    (kind, schema, nested, body)
}

//! Parquet: footers tell the row groups, which are the chunks; the column of time tells their spans.
//!
//! Invariants: of a file nothing is read but its footer, the columns that may be its time (where reads cost, only if statistics do not
//! tell) and a sample of texts that may hold JSON; of a chunk nothing but the columns that are wanted.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use bytes::{Buf, Bytes};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{ChunkReader, Length};

use super::clock::Clock;
use super::json::{Json, opened};
use super::thrift::has_field;
use super::types::{absent, merged};
use super::{BAG_FILE, Block, Facts, Partitions, Table, bags_in, statistics};
use crate::format::{Chunk, Fetched, Format, FormatError, Indexer, Part, Step};
use crate::time::{Span, Time};

pub struct Parquet;

const MAGIC: &[u8] = b"PAR1";
const ENCRYPTED: &[u8] = b"PARE";
pub const ENCRYPTED_COLUMNS: &str = "a Parquet file with encrypted columns: decrypt it where its keys are, and open the result";
/// The footer's length and the magic.
pub const TRAILER_BYTES: u64 = 8;
/// Of a file's end so much is read at first: most footers are shorter.
const TAIL_BYTES: u64 = 64 << 10;
/// A longer footer lies.
const MAX_FOOTER_BYTES: u64 = 512 << 20;
/// Columns of time are read whole up to this size together; the statistics of larger ones have to do.
const MOST_TIME_BYTES: u64 = 64 << 20;
/// Of texts that may hold JSON so much is looked at where reads are cheap; elsewhere the first rows have to do.
const SAMPLE_BYTES: u64 = 16 << 20;
const REMOTE_SAMPLE_BYTES: u64 = 1 << 20;
const SAMPLE_ROWS: usize = 256;
const BATCH_ROWS: usize = 8192;

impl Format for Parquet {
    fn name(&self) -> &'static str {
        "parquet"
    }

    fn sniff(&self, _name: &str, head: &[u8]) -> bool {
        head.starts_with(MAGIC)
    }

    fn indexer(&self, len: u64) -> Box<dyn Indexer> {
        Box::new(Index {
            len,
            parts: Vec::new(),
            name: String::new(),
            time_column: None,
            got: Fetched::default(),
            stage: Stage::Start,
            files: Vec::new(),
            sample_bytes: REMOTE_SAMPLE_BYTES,
            reads_are_cheap: false,
        })
    }
}

/// How Parquet files are written: compressed with zstd.
pub fn writer_properties() -> WriterProperties {
    let level = ZstdLevel::try_new(3).unwrap_or_default();
    WriterProperties::builder().set_compression(Compression::ZSTD(level)).build()
}

/// A whole file of these columns, and no rows.
pub fn without_rows(schema: &SchemaRef) -> Result<Bytes, ParquetError> {
    Ok(ArrowWriter::try_new(Vec::new(), schema.clone(), Some(writer_properties()))?
        .into_inner()?
        .into())
}

/// A file of the table.
#[derive(Clone)]
pub(super) struct File {
    range: Range<u64>,
    metadata: ArrowReaderMetadata,
    partitions: Partitions,
}

/// The bytes of a file that are at hand.
#[derive(Clone)]
struct Window {
    got: Fetched,
    range: Range<u64>,
}

impl Length for Window {
    fn len(&self) -> u64 {
        self.range.end.saturating_sub(self.range.start)
    }
}

impl ChunkReader for Window {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let at = self.range.start.saturating_add(start);
        let bytes = self.got.from(at, u64::MAX);
        Ok(bytes.ok_or_else(|| unread(start))?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let at = self.range.start.saturating_add(start);
        let end = at.saturating_add(length as u64);
        self.got.get(at..end).ok_or_else(|| unread(start))
    }
}

fn unread(at: u64) -> ParquetError {
    ParquetError::EOF(format!("the bytes from {at} on are not there"))
}

/// Where the footer of a file lies, by its last [`TRAILER_BYTES`]; or what is wrong with the file.
pub fn footer_range(file: &Range<u64>, trailer: &[u8]) -> Result<Range<u64>, &'static str> {
    let Some((length, magic)) = trailer.split_first_chunk::<4>() else {
        return Err("a Parquet file that is cut off: it is too short to hold a table; fetch it again");
    };
    match magic {
        MAGIC => {}
        ENCRYPTED => return Err("an encrypted Parquet file: decrypt it where its keys are, and open the result"),
        _ => return Err("a Parquet file that is cut off or damaged: it does not end with its footer; fetch it again"),
    }
    let length = u64::from(u32::from_le_bytes(*length));
    let end = file.end.saturating_sub(TRAILER_BYTES);
    let start = end
        .checked_sub(length)
        .filter(|at| *at >= file.start + 4 && length <= MAX_FOOTER_BYTES);
    start
        .map(|start| start..end)
        .ok_or("a damaged Parquet file: its footer claims to be longer than the file")
}

/// Whether the file's footer can be read, but not all of its columns (`FileMetaData.encryption_algorithm`).
pub fn has_encrypted_columns(footer: &[u8]) -> bool {
    has_field(footer, 8)
}

struct Index {
    len: u64,
    name: String,
    parts: Vec<Part>,
    time_column: Option<String>,
    got: Fetched,
    stage: Stage,
    files: Vec<File>,
    sample_bytes: u64,
    reads_are_cheap: bool,
}

enum Stage {
    Start,
    Footers,
    Columns { clocks: Vec<Clock>, schema: SchemaRef },
}

impl Indexer for Index {
    fn reads_are_cheap(&mut self) {
        self.sample_bytes = SAMPLE_BYTES;
        self.reads_are_cheap = true;
    }

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
        got.parts().for_each(|(offset, bytes)| self.got.push(offset, bytes.clone()));
        loop {
            let need = match std::mem::replace(&mut self.stage, Stage::Start) {
                Stage::Start => {
                    if self.parts.is_empty() {
                        self.parts.push(Part::whole(&self.name, self.len));
                    }
                    self.stage = Stage::Footers;
                    self.missing(
                        self.parts
                            .iter()
                            .map(|part| part.range.end.saturating_sub(TAIL_BYTES).max(part.range.start)..part.range.end),
                    )
                }
                Stage::Footers => {
                    let longer = self.read_footers()?;
                    match longer.is_empty() {
                        true => {
                            let (clocks, schema) = self.choose();
                            let wanted = self.of_columns(&clocks, &schema);
                            self.stage = Stage::Columns { clocks, schema };
                            self.missing(wanted.into_iter())
                        }
                        false => {
                            self.stage = Stage::Footers;
                            longer
                        }
                    }
                }
                Stage::Columns { clocks, schema } => return Ok(Step::Ready(Arc::new(self.table(clocks, schema)?))),
            };
            if !need.is_empty() {
                return Ok(Step::Need(need));
            }
        }
    }
}

impl Index {
    /// Those that are not at hand yet.
    fn missing(&self, ranges: impl Iterator<Item = Range<u64>>) -> Vec<Range<u64>> {
        ranges
            .filter(|range| !range.is_empty() && self.got.get(range.clone()).is_none())
            .collect()
    }

    /// Reads the footers that are there; the ranges of those that are longer than what was read.
    fn read_footers(&mut self) -> Result<Vec<Range<u64>>, FormatError> {
        let (mut files, mut longer) = (Vec::new(), Vec::new());
        for part in &self.parts {
            let wrong = |what: &str| FormatError(format!("{what}{}", part.suffix(self.parts.len())));
            let range = part.range.clone();
            let end = range.end.checked_sub(TRAILER_BYTES).filter(|at| *at >= range.start);
            let trailer = end.and_then(|at| self.got.get(at..range.end));
            let place = footer_range(&range, trailer.as_deref().unwrap_or_default()).map_err(wrong)?;
            let Some(footer) = self.got.get(place.clone()) else {
                longer.push(place.start..range.end);
                continue;
            };
            if has_encrypted_columns(&footer) {
                return Err(wrong(ENCRYPTED_COLUMNS));
            }
            let decoded = ParquetMetaDataReader::decode_metadata(&footer).and_then(|metadata| {
                let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Skip);
                ArrowReaderMetadata::try_new(Arc::new(metadata), options)
            });
            let file = File {
                range,
                metadata: decoded.map_err(|error| wrong(&format!("a Parquet file whose footer cannot be read ({})", plain(&error))))?,
                partitions: part.partitions.clone(),
            };
            let groups = file.metadata().row_groups();
            if groups.iter().any(|group| column_ranges(&file, group).count() < group.num_columns()) {
                return Err(wrong("a damaged Parquet file: its footer names bytes outside of it"));
            }
            files.push(file);
        }
        if longer.is_empty() {
            self.files = files;
        }
        Ok(longer)
    }

    /// The table's schema (of all files together) and what may be its time.
    fn choose(&self) -> (Vec<Clock>, SchemaRef) {
        let schemas: Vec<SchemaRef> = self.files.iter().map(|file| file.arrow_schema().clone()).collect();
        let schema = merged(&schemas);
        (Clock::candidates(&schema, self.time_column.as_deref()), schema)
    }

    /// Byte ranges of the columns that may be the time, and of texts that may hold JSON.
    fn of_columns(&self, clocks: &[Clock], schema: &Schema) -> Vec<Range<u64>> {
        let names = |columns: Vec<usize>| -> BTreeSet<&str> {
            columns
                .into_iter()
                .filter_map(|at| schema.fields().get(at))
                .map(|field| &**field.name())
                .collect()
        };
        let mut wanted = Vec::new();
        let (mut time_bytes, mut sample) = (0, BTreeMap::<&str, u64>::new());
        // the second guess is only needed where the first is wrong, which is rare: but then it costs no second round
        let mut times = match self.reads_are_cheap || self.told_clock(clocks, schema).is_none() {
            true => names(clocks.iter().take(2).flat_map(Clock::columns).collect()),
            false => BTreeSet::new(),
        };
        times.extend(schema.column_with_name(BAG_FILE).map(|_| BAG_FILE));
        let texts = names(
            (0..schema.fields().len())
                .filter(|at| is_text(schema.field(*at).data_type()))
                .collect(),
        );
        for file in &self.files {
            for group in file.metadata.metadata().row_groups() {
                for (name, range) in column_ranges(file, group) {
                    let length = range.end.saturating_sub(range.start);
                    if times.contains(name) && time_bytes + length <= MOST_TIME_BYTES {
                        time_bytes += length;
                        wanted.push(range);
                    } else if let Some(name) = texts.get(name) {
                        let read = sample.entry(*name).or_default();
                        let left = self.sample_bytes.saturating_sub(*read);
                        // all of it, or of the first row group its first rows
                        if length <= left || *read == 0 {
                            wanted.push(range.start..range.end.min(range.start + left));
                            *read += length;
                        }
                    }
                }
            }
        }
        wanted
    }

    /// The clock that the statistics of all row groups tell the spans of.
    fn told_clock(&self, clocks: &[Clock], schema: &Schema) -> Option<Clock> {
        let groups = self.files.iter().flat_map(groups_of);
        let groups: Vec<(&File, usize)> = groups.filter(|(file, group)| file.rows(*group) > 0).collect();
        for clock in clocks {
            let Clock::Column { column, .. } = clock else { return None };
            let told = groups
                .iter()
                .map(|(file, group)| statistics::bounds(file, *group, schema.field(*column)));
            let told: Vec<ArrayRef> = told.collect::<Option<_>>()?;
            let mut clock = clock.clone();
            if clock.fits(std::slice::from_ref(told.first()?)) {
                let are_times = told
                    .iter()
                    .all(|bounds| clock.times(std::slice::from_ref(bounds)).iter().all(Option::is_some));
                return are_times.then_some(clock);
            }
        }
        None
    }

    fn table(&mut self, mut clocks: Vec<Clock>, schema: SchemaRef) -> Result<Table, FormatError> {
        let told = match self.reads_are_cheap {
            true => None,
            false => self.told_clock(&clocks, &schema),
        };
        let files = std::mem::take(&mut self.files);
        // of each row group what was read for the index
        let read = |file: &File, group: usize, columns: &[usize]| -> Option<Vec<ArrayRef>> {
            columns
                .iter()
                .map(|at| read_column(&self.got, file, group, schema.field(*at).name()))
                .collect()
        };
        let groups = || {
            files
                .iter()
                .enumerate()
                .flat_map(|(at, file)| (0..file.metadata.metadata().num_row_groups()).map(move |group| (at, group)))
        };
        let clock = told.or_else(|| {
            clocks.iter_mut().find_map(|clock| {
                let columns = clock.columns();
                let first = groups().find_map(|(at, group)| read(files.get(at)?, group, &columns))?;
                clock.fits(&first).then(|| clock.clone())
            })
        });
        let json = self.json(&files, &schema);
        let schema = with_far_times_as_texts(&schema, &files);
        let nulls = NullCounts::of(&files);
        let schemas: Vec<SchemaRef> = files.iter().map(|file| file.arrow_schema().clone()).collect();
        let absent = absent(&schemas);
        let bag_column = |file: &File, group: usize| read_column(&self.got, file, group, BAG_FILE);
        let bag_columns: Vec<ArrayRef> = groups().filter_map(|(at, group)| bag_column(files.get(at)?, group)).collect();
        let facts = Facts {
            schema: schema.clone(),
            json,
            clock,
            partitions: files.iter().map(|file| file.partitions.clone()).collect(),
            bags: bags_in(bag_columns.iter()),
        };
        let mut table = Table::new("parquet", self.len, &super::topic_of(&self.name, &self.parts), facts, &|path| {
            nulls.has(path) || absent.has(path)
        });
        for (at, group) in groups() {
            let Some(file) = files.get(at) else { continue };
            let metadata = file.metadata.metadata().row_group(group);
            let rows = u32::try_from(metadata.num_rows()).unwrap_or(0);
            if rows == 0 {
                continue;
            }
            let times = table
                .clock()
                .and_then(|clock| Some(clock.times(&read(file, group, &clock.columns())?)));
            let span = match times {
                Some(times) => span_of(&times),
                None => table.clock().and_then(|clock| statistics::span(clock, file, group, &schema)),
            };
            let range = column_ranges(file, metadata)
                .map(|(_, range)| range)
                .reduce(|a, b| a.start.min(b.start)..a.end.max(b.end));
            let chunk = Chunk {
                range: range.unwrap_or(file.range.clone()),
                span: span.unwrap_or(Span::at(Time(0))),
                compression: compression(metadata).into(),
                counts: table.counts(&file.partitions, rows as usize, bag_column(file, group).as_ref()),
            };
            table.push(chunk, Block::Group { file: at, group }, span.is_some());
        }
        table.files = files;
        table.is_made_of(&self.parts, self.time_column.as_deref());
        Ok(table.finished())
    }

    /// What the texts of each column hold, where all that were looked at hold JSON.
    fn json(&self, files: &[File], schema: &Schema) -> BTreeMap<usize, Json> {
        let mut all = BTreeMap::new();
        for (at, field) in schema.fields().iter().enumerate().filter(|(_, field)| is_text(field.data_type())) {
            let groups = files
                .iter()
                .flat_map(|file| (0..file.metadata.metadata().num_row_groups()).map(move |group| (file, group)));
            let read = groups.filter_map(|(file, group)| {
                read_column(&self.got, file, group, field.name()).or_else(|| read_head(&self.got, file, group, field.name()))
            });
            if let Some(json) = learned(read) {
                all.insert(at, json);
            }
        }
        all
    }
}

/// What texts hold; None where one of them is no JSON, or there are none.
pub(super) fn learned(columns: impl Iterator<Item = ArrayRef>) -> Option<Json> {
    let mut json: Option<Json> = None;
    for column in columns {
        let texts = cast(&column, &DataType::Utf8).ok()?;
        let texts: &StringArray = texts.as_string::<i32>();
        for text in texts.iter().flatten().filter(|text| !text.is_empty()) {
            let one = Json::of(&opened(text)?);
            json = Some(match json {
                Some(known) => known.and(one),
                None => one,
            });
        }
    }
    json.filter(|json| json.node().is_some())
}

pub(super) fn is_text(of: &DataType) -> bool {
    match of {
        DataType::Dictionary(_, values) => is_text(values),
        other => matches!(
            other,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Binary | DataType::BinaryView
        ),
    }
}

/// Messages hold times of the years 1970 to 2106: columns with others are texts.
fn with_far_times_as_texts(schema: &Schema, files: &[File]) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| {
        let is_time = matches!(field.data_type(), DataType::Timestamp(..) | DataType::Date32 | DataType::Date64);
        match is_time && files.iter().any(|file| statistics::has_far_times(file, field.name())) {
            true => Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8)),
            false => field.clone(),
        }
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn span_of(times: &[Option<Time>]) -> Option<Span> {
    let known = || times.iter().flatten().copied();
    Some(Span::new(known().min()?, known().max()?))
}

fn groups_of(file: &File) -> impl Iterator<Item = (&File, usize)> {
    (0..file.metadata().num_row_groups()).map(move |group| (file, group))
}

/// The name of the column and the bytes of each of its leaves.
fn column_ranges<'a>(file: &'a File, group: &'a RowGroupMetaData) -> impl Iterator<Item = (&'a str, Range<u64>)> {
    group.columns().iter().filter_map(|column| {
        let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
        let start = file.range.start.checked_add(u64::try_from(start).ok()?)?;
        let length = u64::try_from(column.compressed_size()).ok()?;
        let end = start.checked_add(length).filter(|end| *end <= file.range.end)?;
        let name = column.column_path().parts().first()?;
        Some((&**name, start..end))
    })
}

/// The ranges of a chunk that hold these columns and the time.
pub(super) fn ranges_of(file: &File, group: usize, names: &BTreeSet<&str>) -> Vec<Range<u64>> {
    let metadata = file.metadata.metadata();
    let Some(group) = metadata.row_groups().get(group) else {
        return Vec::new();
    };
    column_ranges(file, group)
        .filter(|(name, _)| names.contains(name))
        .map(|(_, range)| range)
        .collect()
}

/// The columns of a row group that are at hand, by name, batch by batch.
pub(super) fn batches(
    file: &File,
    group: usize,
    got: &Fetched,
    wanted: impl Fn(&str) -> bool,
) -> Result<impl Iterator<Item = Result<arrow::array::RecordBatch, String>>, String> {
    let metadata = file.metadata.metadata();
    let of_group = metadata.row_groups().get(group).ok_or("there is no such row group")?;
    let mut absent: BTreeSet<&str> = BTreeSet::new();
    for (name, range) in column_ranges(file, of_group) {
        if got.get(range).is_none() {
            absent.insert(name);
        }
    }
    let roots = file.metadata.schema().fields().iter().enumerate();
    let roots = roots
        .filter(|(_, field)| !absent.contains(&**field.name()) && wanted(field.name()))
        .map(|(at, _)| at);
    let mask = ProjectionMask::roots(file.metadata.parquet_schema(), roots);
    let window = Window {
        got: got.clone(),
        range: file.range.clone(),
    };
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(window, file.metadata.clone())
        .with_projection(mask)
        .with_row_groups(vec![group])
        .with_batch_size(BATCH_ROWS)
        .build()
        .map_err(|error| plain(&error))?;
    Ok(reader.map(|batch| batch.map_err(|error| error.to_string())))
}

/// A column of a row group, where its bytes are at hand.
fn read_column(got: &Fetched, file: &File, group: usize, name: &str) -> Option<ArrayRef> {
    let metadata = file.metadata.metadata();
    let mut ranges = column_ranges(file, metadata.row_groups().get(group)?).filter(|(of, _)| *of == name);
    let is_there = ranges.all(|(_, range)| got.get(range).is_some());
    let batches = is_there.then(|| batches(file, group, got, |other| other == name).ok())??;
    let columns: Vec<ArrayRef> = batches
        .map(|batch| Some(batch.ok()?.column_by_name(name)?.clone()))
        .collect::<Option<_>>()?;
    let all: Vec<&dyn arrow::array::Array> = columns.iter().map(|column| &**column).collect();
    concat(&all).ok()
}

/// The first rows of a column of which only the first bytes are at hand.
fn read_head(got: &Fetched, file: &File, group: usize, name: &str) -> Option<ArrayRef> {
    let schema = file.metadata.schema();
    let root = schema.fields().iter().position(|field| field.name() == name)?;
    let of_group = file.metadata.metadata().row_groups().get(group)?;
    let (_, range) = column_ranges(file, of_group).find(|(of, _)| *of == name)?;
    got.from(range.start, 1)?;
    let window = Window {
        got: got.clone(),
        range: file.range.clone(),
    };
    let mut reader = ParquetRecordBatchReaderBuilder::new_with_metadata(window, file.metadata.clone())
        .with_projection(ProjectionMask::roots(file.metadata.parquet_schema(), [root]))
        .with_row_groups(vec![group])
        .with_limit(SAMPLE_ROWS)
        .with_batch_size(SAMPLE_ROWS)
        .build()
        .ok()?;
    reader.next()?.ok()?.columns().first().cloned()
}

impl File {
    fn rows(&self, group: usize) -> i64 {
        self.metadata().row_groups().get(group).map_or(0, RowGroupMetaData::num_rows)
    }

    pub fn partitions(&self) -> &Partitions {
        &self.partitions
    }

    pub fn metadata(&self) -> &ParquetMetaData {
        self.metadata.metadata()
    }

    pub fn arrow_schema(&self) -> &SchemaRef {
        self.metadata.schema()
    }
}

/// Which leaves have nulls, by their paths.
struct NullCounts(BTreeMap<Vec<String>, bool>);

impl NullCounts {
    fn of(files: &[File]) -> NullCounts {
        let mut all = BTreeMap::new();
        for column in files
            .iter()
            .flat_map(|file| file.metadata().row_groups())
            .flat_map(RowGroupMetaData::columns)
        {
            let nulls = column.statistics().and_then(|statistics| statistics.null_count_opt());
            *all.entry(column.column_path().parts().to_vec()).or_insert(false) |= nulls.is_none_or(|count| count > 0);
        }
        NullCounts(all)
    }

    /// Names of lists' elements differ between a schema and a file: a path is found by its first name and its last.
    fn has(&self, path: &[&str]) -> bool {
        let (Some(first), Some(last)) = (path.first(), path.last()) else {
            return true;
        };
        let mut fitting = self.0.iter().filter(|(parts, _)| {
            let is_first = parts.first().is_some_and(|part| part == first);
            is_first && (path.len() == 1 || parts.last().is_some_and(|part| part == last || path.len() < parts.len()))
        });
        let is_known = self.0.keys().any(|parts| parts.first().is_some_and(|part| part == first));
        !is_known || fitting.any(|(_, has)| *has)
    }
}

fn compression(group: &RowGroupMetaData) -> String {
    let codec = group
        .columns()
        .first()
        .map(|column| format!("{:?}", column.compression()))
        .unwrap_or_default();
    match codec.split('(').next().unwrap_or_default() {
        "UNCOMPRESSED" | "" => "none".into(),
        name => name.to_ascii_lowercase(),
    }
}

/// Without the library's own prefixes.
fn plain(error: &ParquetError) -> String {
    let text = error.to_string();
    text.split_once(": ").map_or(text.clone(), |(_, what)| what.to_owned())
}

/// All rows of a whole Parquet file as JSON.
pub(super) fn all_rows(bytes: &Bytes) -> Result<Vec<serde_json::Value>, String> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).and_then(ParquetRecordBatchReaderBuilder::build);
    let mut rows = Vec::new();
    for batch in reader.map_err(|error| plain(&error))? {
        rows.extend(super::json_rows(&batch.map_err(|error| error.to_string())?)?);
    }
    Ok(rows)
}

//! Arrow files (IPC): the batches are the chunks. In the file format the footer names them; streams ([`super::arrow_stream`]) are walked.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::FileDecoder;
use arrow::ipc::{Block as IpcBlock, convert::fb_to_schema, root_as_footer};
use bytes::Bytes;

use super::clock::Clock;
use super::types::{absent, merged};
use super::{BAG_FILE, Block, Facts, Partitions, Table, arrow_stream, bags_in};
use crate::format::{Chunk, Fetched, Format, FormatError, Indexer, Part, Step};
use crate::time::{Span, Time};

pub struct Arrow;

const MAGIC: &[u8] = b"ARROW1";
/// Footer length and magic.
const TRAILER_BYTES: u64 = 10;
const MAX_FOOTER_BYTES: u64 = 256 << 20;

impl Format for Arrow {
    fn name(&self) -> &'static str {
        "arrow"
    }

    fn sniff(&self, _name: &str, head: &[u8]) -> bool {
        head.starts_with(MAGIC)
    }

    fn indexer(&self, len: u64) -> Box<dyn Indexer> {
        Box::new(Index::new(len, false))
    }
}

/// A file of batches.
#[derive(Clone)]
pub(super) struct File {
    pub schema: SchemaRef,
    pub version: arrow::ipc::MetadataVersion,
    /// With their offsets from the start of the recording.
    pub batches: Vec<(u64, IpcBlock)>,
    /// The blocks of dictionaries, whole.
    pub dictionaries: Vec<(IpcBlock, Bytes)>,
    /// Of each batch of a stream: how many of them stand before it, where later ones may take their place.
    pub before: Option<Vec<usize>>,
    pub partitions: Partitions,
}

impl File {
    pub fn partitions(&self) -> &Partitions {
        &self.partitions
    }

    pub fn batch(&self, batch: usize, bytes: Bytes) -> Result<RecordBatch, String> {
        let (_, block) = self.batches.get(batch).ok_or("there is no such batch")?;
        let mut decoder = FileDecoder::new(self.schema.clone(), self.version);
        let before = self.before.as_ref().and_then(|before| before.get(batch).copied());
        for (block, bytes) in self.dictionaries.iter().take(before.unwrap_or(usize::MAX)) {
            decoder.read_dictionary(block, &aligned(bytes)).map_err(|error| error.to_string())?;
        }
        let batch = decoder
            .read_record_batch(block, &aligned(&bytes))
            .map_err(|error| error.to_string())?;
        batch.ok_or_else(|| "the batch is empty".into())
    }
}

/// Arrow reads numbers where they lie, which has to be at multiples of their size.
fn aligned(bytes: &[u8]) -> Buffer {
    Buffer::from_slice_ref(bytes)
}

fn length(block: &IpcBlock) -> Option<u64> {
    let head = u64::try_from(block.metaDataLength()).ok()?;
    head.checked_add(u64::try_from(block.bodyLength()).ok()?)
}

pub(super) struct Index {
    len: u64,
    is_stream: bool,
    name: String,
    parts: Vec<Part>,
    time_column: Option<String>,
    got: Fetched,
}

impl Index {
    pub fn new(len: u64, is_stream: bool) -> Index {
        Index {
            len,
            is_stream,
            name: String::new(),
            parts: Vec::new(),
            time_column: None,
            got: Fetched::default(),
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

    /// Footers first, then all batches: only they know when their rows are.
    fn step(&mut self, got: &Fetched) -> Result<Step, FormatError> {
        got.parts().for_each(|(offset, bytes)| self.got.push(offset, bytes.clone()));
        if self.parts.is_empty() {
            self.parts.push(Part::whole(&self.name, self.len));
        }
        let (mut need, mut files) = (Vec::new(), Vec::new());
        for part in &self.parts {
            let file = match self.is_stream {
                true => arrow_stream::file(part, &self.got, self.parts.len())?,
                false => self.file(part)?,
            };
            match file {
                Ok(file) => files.push(file),
                Err(range) => need.extend(range),
            }
        }
        if need.is_empty() {
            let batches = files.iter().flat_map(|file: &File| &file.batches);
            let ranges = batches.filter_map(|(at, block)| Some(*at..at.checked_add(length(block)?)?));
            need = ranges.filter(|range| self.got.get(range.clone()).is_none()).collect();
        }
        match need.is_empty() {
            true => Ok(Step::Ready(Arc::new(self.table(files)?))),
            false => Ok(Step::Need(need)),
        }
    }
}

impl Index {
    /// What the footer says; or the bytes that it needs.
    fn file(&self, part: &Part) -> Result<Result<File, Vec<Range<u64>>>, FormatError> {
        let wrong = |what: &str| FormatError(format!("an Arrow file {what}{}", part.suffix(self.parts.len())));
        let Range { start, end } = part.range;
        let trailer = end
            .checked_sub(TRAILER_BYTES)
            .filter(|at| *at >= start)
            .ok_or_else(|| wrong("that is cut off"))?;
        let range = trailer..end;
        let Some(tail) = self.got.get(range.clone()) else {
            return Ok(Err(vec![range]));
        };
        let size = tail.first_chunk::<4>().map_or(0, |size| u64::from(u32::from_le_bytes(*size)));
        if tail.get(4..) != Some(MAGIC) || size > MAX_FOOTER_BYTES {
            return Err(wrong("that is cut off or damaged: it does not end with its footer; fetch it again"));
        }
        let from = trailer
            .checked_sub(size)
            .filter(|at| *at >= start)
            .ok_or_else(|| wrong("whose footer is longer than the file"))?;
        let range = from..trailer;
        let Some(footer) = self.got.get(range.clone()) else {
            return Ok(Err(vec![range]));
        };
        let footer = root_as_footer(&footer).map_err(|error| wrong(&format!("whose footer cannot be read: {error}")))?;
        let schema = footer.schema().ok_or_else(|| wrong("without a schema"))?;
        let place = |block: &IpcBlock| {
            let at = start.checked_add(u64::try_from(block.offset()).ok()?)?;
            at.checked_add(length(block)?).filter(|block_end| *block_end <= end)?;
            Some((at, *block))
        };
        let placed = |blocks: Option<Vec<IpcBlock>>| blocks.into_iter().flatten().map(|block| place(&block)).collect::<Option<Vec<_>>>();
        let outside = || wrong("whose footer names bytes outside of it");
        let batches = placed(footer.recordBatches().map(|blocks| blocks.iter().copied().collect())).ok_or_else(outside)?;
        let dictionaries = placed(footer.dictionaries().map(|blocks| blocks.iter().copied().collect())).ok_or_else(outside)?;
        let (mut held, mut need) = (Vec::new(), Vec::new());
        for (at, block) in dictionaries {
            let range = at..at + length(&block).unwrap_or(0);
            match self.got.get(range.clone()) {
                Some(bytes) => held.push((block, bytes)),
                None => need.push(range),
            }
        }
        if !need.is_empty() {
            return Ok(Err(need));
        }
        Ok(Ok(File {
            schema: Arc::new(fb_to_schema(schema)),
            version: footer.version(),
            batches,
            dictionaries: held,
            before: None,
            partitions: part.partitions.clone(),
        }))
    }

    fn table(&self, files: Vec<File>) -> Result<Table, FormatError> {
        let schemas: Vec<SchemaRef> = files.iter().map(|file| file.schema.clone()).collect();
        let (schema, absent) = (merged(&schemas), absent(&schemas));
        let mut read: Vec<(usize, usize, Range<u64>, RecordBatch)> = Vec::new();
        for (at, file) in files.iter().enumerate() {
            for (number, (start, block)) in file.batches.iter().enumerate() {
                let range = *start..start + length(block).unwrap_or(0);
                let bytes = self
                    .got
                    .get(range.clone())
                    .ok_or_else(|| FormatError("an Arrow file that ended while it was read".into()))?;
                let wrong = |error: String| FormatError(format!("an Arrow file whose batch {number} cannot be read: {error}"));
                read.push((at, number, range, file.batch(number, bytes).map_err(wrong)?));
            }
        }
        let columns = |batch: &RecordBatch, clock: &Clock| -> Option<Vec<ArrayRef>> {
            let names = clock.columns().into_iter().map(|at| schema.fields().get(at));
            names.map(|field| batch.column_by_name(field?.name()).cloned()).collect()
        };
        let clock = Clock::candidates(&schema, self.time_column.as_deref())
            .into_iter()
            .find_map(|mut clock| {
                let first = read.iter().find(|(.., batch)| batch.num_rows() > 0)?;
                clock.fits(&columns(&first.3, &clock)?).then_some(clock)
            });
        let mut json = BTreeMap::new();
        let mut has_nulls: HashMap<&str, bool> = HashMap::new();
        for (at, field) in schema.fields().iter().enumerate() {
            let values = || read.iter().filter_map(|(.., batch)| batch.column_by_name(field.name()));
            has_nulls.insert(field.name(), values().any(|column| column.null_count() > 0));
            if super::parquet::is_text(field.data_type())
                && let Some(learned) = super::parquet::learned(values().cloned())
            {
                json.insert(at, learned);
            }
        }
        let facts = Facts {
            schema: schema.clone(),
            json,
            clock: clock.clone(),
            partitions: files.iter().map(|file| file.partitions.clone()).collect(),
            bags: bags_in(read.iter().filter_map(|(.., batch)| batch.column_by_name(BAG_FILE))),
        };
        let nulls = |path: &[&str]| {
            path.len() > 1 || absent.has(path) || path.first().is_none_or(|name| has_nulls.get(name).copied().unwrap_or(true))
        };
        let mut table = Table::new("arrow", self.len, &super::topic_of(&self.name, &self.parts), facts, &nulls);
        let counts = |table: &Table, file: &usize, batch: &RecordBatch| {
            let partitions = files.get(*file).map(|file| &file.partitions);
            partitions.map_or(Vec::new(), |partitions| {
                table.counts(partitions, batch.num_rows(), batch.column_by_name(BAG_FILE))
            })
        };
        for (file, number, range, batch) in read.iter().filter(|(.., batch)| batch.num_rows() > 0) {
            let times = clock.as_ref().and_then(|clock| Some(clock.times(&columns(batch, clock)?)));
            let known: Vec<Time> = times.into_iter().flatten().flatten().collect();
            let span = known
                .iter()
                .min()
                .zip(known.iter().max())
                .map(|(first, last)| Span::new(*first, *last));
            let chunk = Chunk {
                range: range.clone(),
                span: span.unwrap_or(Span::at(Time(0))),
                compression: "none".into(),
                counts: counts(&table, file, batch),
            };
            table.push(
                chunk,
                Block::Batch {
                    file: *file,
                    batch: *number,
                },
                span.is_some(),
            );
        }
        table.arrows = files;
        table.is_made_of(&self.parts, self.time_column.as_deref());
        Ok(table.finished())
    }
}

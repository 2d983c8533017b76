//! A topic of a recording as a table: a row a message, its fields as columns, `time` (received) and `stamp` (of its header) before them.
//!
//! Invariants: a condition on `time` and a limit decide which chunks are read; fields that no query names are not decoded; parts of the
//! recording are read and decoded side by side.

use std::cell::Cell;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, TimestampNanosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Schema as ArrowSchema, SchemaRef};
use async_trait::async_trait;
use bytes::BytesMut;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, ReplaceChildrenOptions};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::LakeError;
use super::span::span_of;
use crate::decode::columns::{Columns, INSTANT};
use crate::decode::{Schema, definitions};
use crate::format::{Checks, ChunkId, ConnectionId, ConnectionSet, Fetched};
use crate::run::{Recording, needed_here};
use crate::source::SourceError;
use crate::time::{Span, Time};

/// The column of receive times.
pub(super) const TIME: &str = "time";
/// The column of header stamps.
const STAMP: &str = "stamp";
/// Runs of chunks of one partition that are read or decoded at a time.
const AHEAD: usize = 3;
/// Chunks of the disk that are read one after the other: to wake a thread for each would cost as much as to read it.
const LOCAL_RUN: usize = 8;
/// A batch of rows takes no more of messages.
const BATCH_BYTES: usize = 64 << 20;
const BATCH_ROWS: usize = 8192;

/// A table under its name.
type Named = (String, Arc<dyn TableProvider>);

/// All topics of a recording that can be decoded, by name.
pub(super) fn topics(recording: &Recording) -> std::result::Result<Vec<Named>, LakeError> {
    let mut topics: Vec<(String, Topic)> = Vec::new();
    for (connection, id) in recording.container.catalog().connections.iter().zip(0..) {
        let same = topics.iter_mut().find(|(name, _)| **name == *connection.topic);
        if let Some((_, topic)) = same {
            if topic.definition == (connection.type_name.clone(), connection.md5.clone()) {
                topic.connections.push(id);
            }
            continue;
        }
        let Ok(schema) = definitions().schema(&connection.type_name, &connection.definition, &connection.md5) else {
            continue;
        };
        let definition = (connection.type_name.clone(), connection.md5.clone());
        topics.push((connection.topic.to_string(), Topic::new(recording, schema, definition, id)?));
    }
    topics.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(topics
        .into_iter()
        .map(|(name, topic)| (name, Arc::new(topic) as Arc<dyn TableProvider>))
        .collect())
}

struct Topic {
    recording: Recording,
    connections: Vec<ConnectionId>,
    /// Type and version: what else the topic's name stands for is another table.
    definition: (Arc<str>, Arc<str>),
    decoder: Arc<Schema>,
    columns: Columns,
    schema: SchemaRef,
    /// Columns before the message's own.
    own: Vec<Own>,
}

/// A column that is not a field of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Own {
    Time,
    Stamp,
}

impl Topic {
    fn new(
        recording: &Recording,
        decoder: Schema,
        definition: (Arc<str>, Arc<str>),
        connection: ConnectionId,
    ) -> std::result::Result<Topic, LakeError> {
        let columns = Columns::all(&decoder)?;
        let fields = columns.schema().fields();
        let is_field = |name: &str| fields.iter().any(|field| field.name() == name);
        let mut own = vec![Own::Time];
        if decoder.has_header() && !is_field(STAMP) {
            own.push(Own::Stamp);
        }
        let before = own.iter().map(|own| match own {
            Own::Time => Field::new(TIME, INSTANT, false),
            Own::Stamp => Field::new(STAMP, INSTANT, true),
        });
        let after = fields.iter().map(|field| {
            let name = if field.name() == TIME { "time_" } else { field.name() };
            field.as_ref().clone().with_name(name).with_data_type(widened(field.data_type()))
        });
        Ok(Topic {
            recording: recording.clone(),
            connections: vec![connection],
            definition,
            decoder: Arc::new(decoder),
            schema: Arc::new(ArrowSchema::new(before.chain(after).collect::<Vec<_>>())),
            columns,
            own,
        })
    }
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Topic({})", self.definition.0)
    }
}

#[async_trait]
impl TableProvider for Topic {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let pushed = filters.iter().map(|filter| match span_of(filter) {
            Span::ALL => TableProviderFilterPushDown::Unsupported,
            _ => TableProviderFilterPushDown::Inexact,
        });
        Ok(pushed.collect())
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let wanted: Vec<usize> = match projection {
            Some(wanted) => wanted.clone(),
            None => (0..self.schema.fields().len()).collect(),
        };
        let span = filters.iter().map(span_of).fold(Span::ALL, intersection);
        let catalog = self.recording.container.catalog();
        let connections = ConnectionSet::Only(self.connections.clone().into());
        let (mut chunks, mut rows) = (Vec::new(), 0_u64);
        for (chunk, id) in catalog.chunks.iter().zip(0..) {
            let held: u64 = chunk
                .counts
                .iter()
                .filter(|(c, _)| connections.contains(*c))
                .map(|(_, count)| u64::from(*count))
                .sum();
            if held == 0 || !chunk.span.overlaps(span) {
                continue;
            }
            chunks.push(id);
            rows += held;
            if limit.is_some_and(|limit| rows >= limit as u64) {
                break;
            }
        }
        // the first rows come first
        let cores = if limit.is_some() { 1 } else { session.config().target_partitions() };
        let parts = cores.clamp(1, chunks.len().max(1));
        let partitions: Vec<Vec<ChunkId>> = chunks.chunks(chunks.len().div_ceil(parts).max(1)).map(<[_]>::to_vec).collect();
        let partitions = if partitions.is_empty() { vec![Vec::new()] } else { partitions };
        let fields: Vec<usize> = wanted.iter().filter_map(|at| at.checked_sub(self.own.len())).collect();
        let mut sorted = fields.clone();
        sorted.sort_unstable();
        sorted.dedup();
        let schema = Arc::new(self.schema.project(&wanted)?);
        let outputs = wanted.iter().map(|at| match self.own.get(*at) {
            Some(own) => Output::Own(*own),
            None => Output::Field(
                sorted
                    .iter()
                    .position(|field| Some(*field) == at.checked_sub(self.own.len()))
                    .unwrap_or(0),
            ),
        });
        let read = Read {
            recording: self.recording.clone(),
            connections,
            decoder: self.decoder.clone(),
            columns: self.columns.only(&sorted).map_err(external)?,
            outputs: outputs.collect(),
            schema: schema.clone(),
            span,
        };
        Ok(Arc::new(Scan {
            properties: Arc::new(PlanProperties::new(
                EquivalenceProperties::new(schema),
                Partitioning::UnknownPartitioning(partitions.len()),
                EmissionType::Incremental,
                Boundedness::Bounded,
            )),
            read: Arc::new(read),
            partitions,
        }))
    }
}

fn intersection(a: Span, b: Span) -> Span {
    Span {
        start: a.start.max(b.start),
        end: a.end.min(b.end),
    }
}

fn external(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// What each column of the result is.
#[derive(Clone, Copy, Debug)]
enum Output {
    Own(Own),
    /// A decoded field, by its number among those that are decoded.
    Field(usize),
}

/// Of a chunk; or where its bytes are instead.
type Rows = std::result::Result<Vec<RecordBatch>, Range<u64>>;

/// How chunks become rows.
struct Read {
    recording: Recording,
    connections: ConnectionSet,
    decoder: Arc<Schema>,
    columns: Columns,
    outputs: Vec<Output>,
    schema: SchemaRef,
    span: Span,
}

impl Read {
    /// Chunks one after the other: those that lie on the disk without coming back between them.
    async fn run(self: Arc<Self>, ids: Vec<ChunkId>) -> Result<Vec<RecordBatch>> {
        let (mut batches, mut left) = (Vec::new(), ids);
        if !self.recording.reader.is_remote() {
            let read = self.clone();
            let here = tokio::task::spawn_blocking(move || read.all_here(left)).await;
            (batches, left) = here.map_err(|_| external(given_up(&self.recording)))??;
        }
        for id in left {
            batches.extend(self.clone().chunk(id).await?);
        }
        Ok(batches)
    }

    /// The rows of the first chunks, as far as the disk alone has them, and the chunks that are left.
    fn all_here(&self, mut ids: Vec<ChunkId>) -> Result<(Vec<RecordBatch>, Vec<ChunkId>)> {
        let (mut batches, mut done) = (Vec::new(), 0);
        for id in &ids {
            let Some(chunk) = self.recording.container.catalog().chunks.get(*id as usize) else {
                break;
            };
            let Some(Ok(rows)) = self.here(*id, chunk.range.clone())? else {
                break;
            };
            batches.extend(rows);
            done += 1;
        }
        let left = ids.split_off(done);
        Ok((batches, left))
    }

    async fn chunk(self: Arc<Self>, id: ChunkId) -> Result<Vec<RecordBatch>> {
        let Some(chunk) = self.recording.container.catalog().chunks.get(id as usize) else {
            return Ok(Vec::new());
        };
        let place = chunk.range.clone();
        let crashed = |_| external(given_up(&self.recording));
        let start = place.start;
        let mut got = Fetched::one(start, self.recording.reader.read(place).await.map_err(external)?);
        loop {
            let read = self.clone();
            let batches = tokio::task::spawn_blocking(move || read.rows(id, &got)).await.map_err(crashed)??;
            match batches {
                Ok(batches) => return Ok(batches),
                Err(elsewhere) => got = Fetched::one(elsewhere.start, self.recording.reader.read(elsewhere).await.map_err(external)?),
            }
        }
    }

    /// Reads a chunk from the disk on this thread, into the memory of the one before it; None where only a request can.
    fn here(&self, id: ChunkId, range: Range<u64>) -> Result<Option<Rows>> {
        thread_local! {
            static BUFFER: Cell<BytesMut> = Cell::default();
        }
        if let Some(got) = needed_here(&self.recording.reader, &*self.recording.container, id, &self.connections)
            && let Ok(rows) = self.rows(id, &got)?
        {
            return Ok(Some(Ok(rows)));
        }
        let Some(bytes) = self.recording.reader.read_here(range.clone(), BUFFER.take()) else {
            return Ok(None);
        };
        let bytes = bytes.map_err(external)?;
        let rows = self.rows(id, &Fetched::one(range.start, bytes.clone()));
        if let Ok(buffer) = bytes.try_into_mut() {
            BUFFER.set(buffer);
        }
        rows.map(Some)
    }

    fn rows(&self, id: ChunkId, got: &Fetched) -> Result<Rows> {
        let mut batch = self.recording.container.messages(id, got, &self.connections, Checks::Quick);
        if let Some(elsewhere) = batch.instead {
            return Ok(Err(elsewhere));
        }
        batch.messages.retain(|message| self.span.contains(message.time));
        batch.messages.sort_by_key(|message| message.time);
        let (mut batches, mut rows, mut bytes) = (Vec::new(), self.columns.rows().map_err(external)?, 0);
        let mut times: Vec<(Time, Option<Time>)> = Vec::new();
        for message in &batch.messages {
            times.push((message.time, self.decoder.header_stamp(&message.payload)));
            // a broken message is a row of nulls
            let _ = rows.push(&message.payload);
            bytes += message.payload.len();
            if bytes >= BATCH_BYTES || times.len() >= BATCH_ROWS {
                let full = std::mem::replace(&mut rows, self.columns.rows().map_err(external)?);
                batches.push(self.batch(&std::mem::take(&mut times), full.finish().map_err(external)?)?);
                bytes = 0;
            }
        }
        if !times.is_empty() {
            batches.push(self.batch(&times, rows.finish().map_err(external)?)?);
        }
        Ok(Ok(batches))
    }

    fn batch(&self, times: &[(Time, Option<Time>)], fields: Vec<ArrayRef>) -> Result<RecordBatch> {
        let columns = self.outputs.iter().map(|output| match output {
            Output::Own(Own::Time) => Some(Arc::new(
                times
                    .iter()
                    .map(|(time, _)| Some(time.nanos()))
                    .collect::<TimestampNanosecondArray>(),
            ) as ArrayRef),
            Output::Own(Own::Stamp) => {
                let stamps = times.iter().map(|(_, stamp)| stamp.map(Time::nanos));
                Some(Arc::new(stamps.collect::<TimestampNanosecondArray>()) as ArrayRef)
            }
            Output::Field(at) => fields.get(*at).cloned(),
        });
        let columns = columns.zip(self.schema.fields()).map(|(column, field)| match column {
            Some(column) if column.data_type() != field.data_type() => cast(&column, field.data_type()).ok(),
            other => other,
        });
        let options = RecordBatchOptions::new().with_row_count(Some(times.len()));
        let columns = columns.collect::<Option<Vec<_>>>().unwrap_or_default();
        Ok(RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)?)
    }
}

/// Sums and products are worked out with 64 bits, as over tables that were extracted: these have no other floats.
fn widened(of: &DataType) -> DataType {
    let wide = |field: &FieldRef| Arc::new(field.as_ref().clone().with_data_type(widened(field.data_type())));
    match of {
        DataType::Float32 => DataType::Float64,
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(wide).collect()),
        DataType::List(field) => DataType::List(wide(field)),
        DataType::FixedSizeList(field, len) => DataType::FixedSizeList(wide(field), *len),
        other => other.clone(),
    }
}

fn given_up(recording: &Recording) -> SourceError {
    SourceError::Io {
        cause: "the reader crashed on a chunk, which is a bug worth reporting".into(),
        at: recording.reader.location().clone(),
    }
}

/// Reads chunks: a partition is a part of the recording.
struct Scan {
    read: Arc<Read>,
    partitions: Vec<Vec<ChunkId>>,
    properties: Arc<PlanProperties>,
}

impl fmt::Debug for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TopicScan({} chunks)", self.partitions.iter().map(Vec::len).sum::<usize>())
    }
}

impl DisplayAs for Scan {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<&str> = self.read.schema.fields().iter().map(|field| &**field.name()).collect();
        let chunks: usize = self.partitions.iter().map(Vec::len).sum();
        write!(
            f,
            "TopicScan: chunks={chunks}, partitions={}, columns=[{}]",
            self.partitions.len(),
            columns.join(", ")
        )
    }
}

impl ExecutionPlan for Scan {
    fn name(&self) -> &str {
        "TopicScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(&self, _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>, _: ReplaceChildrenOptions) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, partition: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (read, chunks) = (self.read.clone(), self.partitions.get(partition).cloned().unwrap_or_default());
        let length = if read.recording.reader.is_remote() { 1 } else { LOCAL_RUN };
        let runs: Vec<Vec<ChunkId>> = chunks.chunks(length).map(<[_]>::to_vec).collect();
        let batches = stream::iter(runs).map(move |run| read.clone().run(run)).buffered(AHEAD);
        let rows = batches.map_ok(|batches| stream::iter(batches.into_iter().map(Ok))).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.read.schema.clone(), rows)))
    }
}

//! JSON Lines that the library's reader refuses: in which a field is a text here and a number there (it is a text, as everywhere in the
//! program), or which hold NaN and infinities.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::json::ReaderBuilder;
use arrow::json::reader::{Decoder, infer_json_schema_from_iterator};
use bytes::{Buf, Bytes};
use datafusion::catalog::streaming::StreamingTable;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use serde_json::Value;

use super::BATCH_ROWS;
use crate::format::table::non_finite::Words;

/// The columns of a file, and whether any holds texts and other values, or numbers that JSON has not.
pub(super) async fn schema(objects: &Arc<dyn ObjectStore>, path: &Path) -> Result<(SchemaRef, bool), DataFusionError> {
    let bytes = objects.get(path).await?.bytes().await?;
    match inferred(&bytes) {
        Ok((schema, kinds)) => Ok((schema, kinds.is_mixed())),
        Err(error) => match Words::numbers().replaced(&bytes) {
            Some(bytes) => Ok((inferred(&bytes)?.0, true)),
            None => Err(error),
        },
    }
}

fn inferred(bytes: &[u8]) -> Result<(SchemaRef, Kinds), DataFusionError> {
    let mut kinds = Kinds::default();
    let rows = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
    let rows = rows.map(|row| row.map_err(|error| arrow::error::ArrowError::JsonError(error.to_string())));
    let schema = infer_json_schema_from_iterator(rows.inspect(|row| row.iter().for_each(|row| kinds.note(row))))?;
    Ok((Arc::new(schema), kinds))
}

/// What values there were in a place.
#[derive(Default)]
struct Kinds {
    has_texts: bool,
    has_others: bool,
    fields: HashMap<String, Kinds>,
    elements: Option<Box<Kinds>>,
}

impl Kinds {
    fn note(&mut self, value: &Value) {
        match value {
            Value::Null => {}
            Value::String(_) => self.has_texts = true,
            Value::Bool(_) | Value::Number(_) => self.has_others = true,
            Value::Array(values) => {
                let elements = self.elements.get_or_insert_default();
                values.iter().for_each(|value| elements.note(value));
            }
            Value::Object(map) => {
                for (key, value) in map {
                    match self.fields.get_mut(key) {
                        Some(known) => known.note(value),
                        None => self.fields.entry(key.clone()).or_default().note(value),
                    }
                }
            }
        }
    }

    fn is_mixed(&self) -> bool {
        let inside = || self.fields.values().chain(self.elements.as_deref()).any(Kinds::is_mixed);
        self.has_texts && self.has_others || inside()
    }
}

/// A file of a table.
#[derive(Debug)]
pub(super) struct File {
    pub objects: Arc<dyn ObjectStore>,
    pub path: Path,
    /// What its lines hold; other values than texts become texts where these say so.
    pub own: SchemaRef,
    /// And what its folders say.
    pub schema: SchemaRef,
    pub folders: Vec<Option<String>>,
}

pub(super) fn table(schema: SchemaRef, files: Vec<File>) -> Result<StreamingTable, DataFusionError> {
    let files = files.into_iter().map(|file| Arc::new(file) as Arc<dyn PartitionStream>);
    StreamingTable::try_new(schema, files.collect())
}

impl PartitionStream for File {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (objects, path, own) = (self.objects.clone(), self.path.clone(), self.own.clone());
        let (schema, folders) = (self.schema.clone(), self.folders.clone());
        let rows = async move {
            let reader = ReaderBuilder::new(own).with_batch_size(BATCH_ROWS).with_coerce_primitive(true);
            let rows = Rows {
                bytes: objects.get(&path).await?.into_stream().boxed(),
                rest: Bytes::new(),
                words: Words::quoted(),
                decoder: reader.build_decoder()?,
            };
            Ok::<_, DataFusionError>(stream::try_unfold(rows, Rows::next))
        };
        let whole = stream::once(rows).try_flatten();
        let whole = whole.map(move |batch| with_folders(batch?, &folders, &schema));
        Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), whole))
    }
}

struct Rows {
    bytes: BoxStream<'static, object_store::Result<Bytes>>,
    rest: Bytes,
    words: Words,
    decoder: Decoder,
}

impl Rows {
    async fn next(mut self) -> Result<Option<(RecordBatch, Rows)>, DataFusionError> {
        loop {
            if self.rest.is_empty() {
                match self.bytes.next().await {
                    Some(bytes) => {
                        let mut rest = Vec::new();
                        self.words.take(&bytes?, &mut rest);
                        self.rest = rest.into();
                        // all of it may be a word that goes on
                        continue;
                    }
                    None => break,
                }
            }
            let taken = self.decoder.decode(&self.rest)?;
            let is_full = taken < self.rest.len();
            self.rest.advance(taken);
            if is_full {
                break;
            }
        }
        Ok(self.decoder.flush()?.map(|batch| (batch, self)))
    }
}

fn with_folders(batch: RecordBatch, folders: &[Option<String>], schema: &SchemaRef) -> Result<RecordBatch, DataFusionError> {
    let types = schema.fields().iter().skip(batch.num_columns()).map(|field| field.data_type());
    let of_folders = folders.iter().zip(types).map(|(value, of)| {
        let texts: StringArray = std::iter::repeat_n(value.as_deref(), batch.num_rows()).collect();
        cast(&texts, of)
    });
    let of_folders = of_folders.collect::<Result<Vec<ArrayRef>, _>>()?;
    let columns = batch.columns().iter().cloned().chain(of_folders);
    Ok(RecordBatch::try_new(schema.clone(), columns.collect())?)
}

/// Whether a file has other values where the table has texts.
pub(super) fn differs(file: &Schema, table: &Schema) -> bool {
    let is_text = |name: &str| {
        table
            .field_with_name(name)
            .is_ok_and(|field| matches!(field.data_type(), DataType::Utf8))
    };
    let others = file
        .fields()
        .iter()
        .filter(|field| !matches!(field.data_type(), DataType::Utf8 | DataType::Null));
    others.into_iter().any(|field| is_text(field.name()))
}

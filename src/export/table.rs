//! Topics as tables: flat ones as AWS's extractor writes them, typed and nested ones, CSV.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampNanosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema as ArrowSchema, SchemaRef};
use parquet::arrow::ArrowWriter;

use super::flat::Flat;
use super::{ExportError, Merged, Selection, Written, bucket_and_key, each_message, stem, table_name};
use crate::decode::columns::{ColumnRows, Columns, INSTANT};
use crate::decode::flat::{Cell, each_cell, is_regular};
use crate::decode::{Schema, definitions};
use crate::format::Connection;
use crate::format::table::lake::hive_folder;
use crate::format::table::{BAG_FILE, writer_properties};
use crate::run::Recording;
use crate::time::Time;

/// Rows of a row group.
const GROUP_ROWS: usize = 1 << 16;
/// Messages of a row group, in bytes.
const GROUP_BYTES: usize = 64 << 20;

/// What tables look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `<topic>/bag_file=<bag>/data.parq` with flat columns, `Time` in seconds, `bag_file_prefix` and `bag_file_bucket`.
    Aws,
    /// The same folders, columns as the message has them: nested, typed, `time` an instant.
    Nested,
    /// `<topic>.csv` with flat columns.
    Csv,
}

impl Layout {
    fn path(self, connection: &Connection, bag: &Bag) -> String {
        let topic = match &connection.bag {
            // a table's topic may stand behind its recording's name
            Some(_) if self != Layout::Csv => connection.topic.rsplit('/').next().unwrap_or_default(),
            _ => &connection.topic,
        };
        let name = table_name(topic);
        match self {
            Layout::Csv => format!("{name}.csv"),
            Layout::Aws | Layout::Nested => {
                let of = connection.bag.as_deref().unwrap_or(&bag.stem);
                format!("{name}/{}/data.parq", hive_folder(BAG_FILE, of))
            }
        }
    }
}

/// The path, or one beside it where that is taken: rows of one topic and recording are one table, whoever has them.
fn free(path: String, taken: &mut BTreeSet<String>) -> String {
    let (stem, ending) = path.rsplit_once('.').unwrap_or((&path, ""));
    let numbered = (2..).map(|number| format!("{stem}_{number}.{ending}"));
    let free = std::iter::once(path.clone()).chain(numbered).find(|path| !taken.contains(path));
    let free = free.unwrap_or(path);
    taken.insert(free.clone());
    free
}

/// Opens a file of the result: by the path within it, or None for the only one.
pub type Create<'a> = &'a mut dyn FnMut(Option<&str>) -> io::Result<Box<dyn Write + Send>>;

/// Writes a table a topic (and recording); as the one and only file where `is_single`.
pub fn write_tables(
    recordings: &[Recording],
    selection: &Selection,
    layout: Layout,
    is_single: bool,
    create: Create,
    progress: &mut dyn FnMut(f64),
) -> Result<Written, ExportError> {
    let mut written = Written::default();
    let mut paths = BTreeSet::new();
    let share = 1.0 / recordings.len().max(1) as f64;
    // a CSV file holds all recordings, a folder of columns one
    let groups: Vec<&[Recording]> = match layout {
        Layout::Csv => vec![recordings],
        Layout::Aws | Layout::Nested => recordings.chunks(1).collect(),
    };
    for (number, group) in groups.into_iter().enumerate() {
        let mut open: BTreeMap<String, Table> = BTreeMap::new();
        let mut done = |part: f64| progress((number as f64 + part) * share);
        let (mut count, mut broken) = (0, BTreeMap::new());
        let bags: Vec<Bag> = group.iter().map(|recording| Bag::of(recording.reader.location())).collect();
        each_message(
            group,
            selection,
            &mut written,
            &mut done,
            |Merged {
                 recording,
                 connection,
                 message,
             }| {
                let Some((of, bag)) = group.get(recording).zip(bags.get(recording)) else {
                    return Ok(());
                };
                let Some(described) = of.container.catalog().connections.get(connection as usize) else {
                    return Ok(());
                };
                let topic = &*described.topic;
                let table = match open.get_mut(topic) {
                    Some(table) => table,
                    None => {
                        let path = free(layout.path(described, bag), &mut paths);
                        open.entry(topic.to_owned())
                            .or_insert(Table::new(described, layout, path, is_single)?)
                    }
                };
                if table.push(message.time, &message.payload, bag)? {
                    count += 1;
                } else {
                    *broken.entry(topic.to_owned()).or_insert(0) += 1;
                }
                table.flush_if_full(is_single, create)
            },
        )?;
        for (_, table) in open {
            table.finish(is_single, create)?;
        }
        written.messages += count;
        for (topic, number) in broken {
            *written.broken.entry(topic).or_insert(0) += number;
        }
    }
    Ok(written)
}

/// What all rows of a recording have in common.
struct Bag {
    stem: String,
    prefix: Arc<str>,
    bucket: Arc<str>,
}

impl Bag {
    fn of(location: &crate::source::Location) -> Bag {
        let (bucket, key) = bucket_and_key(location);
        Bag {
            stem: stem(location),
            prefix: key.into(),
            bucket: bucket.into(),
        }
    }
}

struct Table {
    schema: Schema,
    path: String,
    rows: Rows,
    out: Option<Out>,
    bytes: usize,
    bag: Option<(Arc<str>, Arc<str>)>,
    /// What the folder says of all rows is no column beside it.
    left_out: Option<&'static str>,
}

enum Rows {
    Flat {
        flat: Flat,
        is_regular: bool,
        is_csv: bool,
    },
    Nested {
        columns: Columns,
        rows: ColumnRows,
        times: Vec<i64>,
    },
}

enum Out {
    Parquet(Box<ArrowWriter<Box<dyn Write + Send>>>, SchemaRef),
    Csv(Box<arrow::csv::Writer<Box<dyn Write + Send>>>, SchemaRef),
}

impl Table {
    fn new(connection: &Connection, layout: Layout, path: String, is_single: bool) -> Result<Table, ExportError> {
        let schema = definitions().schema(&connection.type_name, &connection.definition, &connection.md5)?;
        let rows = match layout {
            Layout::Aws | Layout::Csv => Rows::Flat {
                flat: Flat::default(),
                is_regular: is_regular(&schema),
                is_csv: layout == Layout::Csv,
            },
            Layout::Nested => {
                let columns = Columns::all(&schema)?;
                Rows::Nested {
                    rows: columns.rows()?,
                    columns,
                    times: Vec::new(),
                }
            }
        };
        Ok(Table {
            schema,
            path,
            rows,
            out: None,
            bytes: 0,
            bag: None,
            left_out: (connection.bag.is_some() && layout != Layout::Csv && !is_single).then_some(BAG_FILE),
        })
    }

    /// Appends a message; false where it is not what its definition says.
    fn push(&mut self, time: Time, payload: &bytes::Bytes, bag: &Bag) -> Result<bool, ExportError> {
        self.bytes += payload.len();
        self.bag.get_or_insert_with(|| (bag.prefix.clone(), bag.bucket.clone()));
        match &mut self.rows {
            Rows::Flat { flat, .. } => {
                if self.schema.validate(payload).is_err() {
                    return Ok(false);
                }
                flat.cell("Time", Cell::Float(time.nanos() as f64 / 1e9));
                each_cell(&self.schema, payload, |name, cell| {
                    if self.left_out != Some(name) {
                        flat.cell(name, cell);
                    }
                })?;
                flat.end_row();
            }
            Rows::Nested { rows, times, .. } => {
                times.push(time.nanos());
                if rows.push(payload).is_err() {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn flush_if_full(&mut self, is_single: bool, create: Create) -> Result<(), ExportError> {
        let is_full = match &self.rows {
            // columns that depend on the messages are known at the end
            Rows::Flat { flat, is_regular, .. } => *is_regular && flat.rows() >= GROUP_ROWS,
            Rows::Nested { times, .. } => times.len() >= GROUP_ROWS || self.bytes >= GROUP_BYTES,
        };
        if is_full {
            self.bytes = 0;
            return self.flush(is_single, create);
        }
        Ok(())
    }

    fn flush(&mut self, is_single: bool, create: Create) -> Result<(), ExportError> {
        let (prefix, bucket) = self.bag.clone().unwrap_or_default();
        let (batch, is_csv) = match &mut self.rows {
            Rows::Flat { flat, is_csv, .. } => {
                let constants = [("bag_file_prefix", &*prefix), ("bag_file_bucket", &*bucket)];
                let full = std::mem::take(flat);
                (full.finish(if *is_csv { &[] } else { &constants })?, *is_csv)
            }
            Rows::Nested { columns, rows, times } => {
                let full = std::mem::replace(rows, columns.rows()?);
                (
                    nested(columns, full, std::mem::take(times), &prefix, &bucket, self.left_out)?,
                    false,
                )
            }
        };
        let path = (!is_single).then_some(&*self.path);
        let out = match &mut self.out {
            Some(out) => out,
            None => {
                let file = create(path)?;
                let schema = batch.schema();
                self.out.insert(match is_csv {
                    true => Out::Csv(Box::new(arrow::csv::WriterBuilder::new().with_header(true).build(file)), schema),
                    false => Out::Parquet(
                        Box::new(ArrowWriter::try_new(file, schema.clone(), Some(writer_properties()))?),
                        schema,
                    ),
                })
            }
        };
        match out {
            Out::Csv(out, schema) => out.write(&fitted(batch, schema)?)?,
            Out::Parquet(out, schema) => {
                out.write(&fitted(batch, schema)?)?;
                out.flush()?;
            }
        }
        Ok(())
    }

    fn finish(mut self, is_single: bool, create: Create) -> Result<(), ExportError> {
        self.flush(is_single, create)?;
        match self.out {
            Some(Out::Parquet(out, _)) => out.into_inner()?.flush()?,
            Some(Out::Csv(out, _)) => out.into_inner().flush()?,
            None => {}
        }
        Ok(())
    }
}

/// The types of the first row group hold for all.
fn fitted(batch: RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ExportError> {
    if batch.schema() == *schema {
        return Ok(batch);
    }
    let columns = schema.fields().iter().map(|field| match batch.column_by_name(field.name()) {
        Some(column) => cast(column, field.data_type()),
        None => Ok(arrow::array::new_null_array(field.data_type(), batch.num_rows())),
    });
    Ok(RecordBatch::try_new(schema.clone(), columns.collect::<Result<Vec<_>, _>>()?)?)
}

fn nested(
    columns: &Columns,
    rows: ColumnRows,
    times: Vec<i64>,
    prefix: &str,
    bucket: &str,
    left_out: Option<&str>,
) -> Result<RecordBatch, ExportError> {
    let count = times.len();
    let text = |value: &str| Arc::new(std::iter::repeat_n(Some(value), count).collect::<StringArray>()) as ArrayRef;
    let mut fields = vec![Arc::new(Field::new("time", INSTANT, false))];
    let mut arrays: Vec<ArrayRef> = vec![Arc::new(TimestampNanosecondArray::from(times))];
    for (field, array) in columns.schema().fields().iter().zip(rows.finish()?) {
        match &**field.name() {
            name if left_out == Some(name) => continue,
            "time" => fields.push(Arc::new(field.as_ref().clone().with_name("time_"))),
            _ => fields.push(field.clone()),
        }
        arrays.push(array);
    }
    for (name, value) in [("bag_file_prefix", prefix), ("bag_file_bucket", bucket)] {
        // rows of a table say it themselves
        if !fields.iter().any(|field| field.name() == name) {
            fields.push(Arc::new(Field::new(name, DataType::Utf8, true)));
            arrays.push(text(value));
        }
    }
    // a duration has no type of its own in Parquet that others read: nanoseconds
    for (field, array) in fields.iter_mut().zip(&mut arrays) {
        if let DataType::Duration(_) = field.data_type() {
            *array = cast(array, &DataType::Int64)?;
            *field = Arc::new(field.as_ref().clone().with_data_type(DataType::Int64));
        }
    }
    Ok(RecordBatch::try_new(Arc::new(ArrowSchema::new(fields)), arrays)?)
}

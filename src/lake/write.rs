//! Rows → text: an aligned table, JSON Lines, CSV; → files: Parquet, Arrow.
//!
//! Invariant: an aligned table keeps no more rows in memory than it takes to align the first ones.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::json::writer::LineDelimited;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::ArrowWriter;

use super::fit::for_json;
use super::{LakeError, json};
use crate::format::table::writer_properties;

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// An aligned table.
    Text,
    /// The same with long cells cut.
    Screen,
    /// An object a line.
    Json,
    Csv,
    Parquet,
    Arrow,
}

impl Style {
    /// By a file's ending.
    pub fn of(name: &str) -> Option<Style> {
        let (_, ending) = name.rsplit_once('.')?;
        Some(match ending.to_ascii_lowercase().as_str() {
            "parquet" | "parq" | "pq" => Style::Parquet,
            "csv" => Style::Csv,
            "json" | "jsonl" | "ndjson" => Style::Json,
            "arrow" | "feather" | "ipc" => Style::Arrow,
            "txt" => Style::Text,
            _ => return None,
        })
    }
}

/// A row group of a Parquet file takes no more while it is written.
const GROUP_BYTES: usize = 32 << 20;
/// Rows aligned by the first so many.
const ALIGNED_ROWS: usize = 4096;
/// On a screen a cell is cut behind so many characters; elsewhere longer ones stand out of their columns.
const LONGEST_CELL: usize = 64;

/// Takes batches of one schema.
pub struct Rows<W: Write + Send> {
    kind: Kind<W>,
}

enum Kind<W: Write + Send> {
    Text(Text<W>),
    Json(arrow::json::Writer<W, LineDelimited>),
    Csv { out: arrow::csv::Writer<W>, schema: SchemaRef },
    Parquet(Box<ArrowWriter<W>>),
    Arrow(arrow::ipc::writer::FileWriter<W>),
}

impl<W: Write + Send> Rows<W> {
    pub fn new(style: Style, schema: &SchemaRef, out: W) -> Result<Rows<W>, LakeError> {
        let kind = match style {
            Style::Text => Kind::Text(Text::new(schema, usize::MAX, out)),
            Style::Screen => Kind::Text(Text::new(schema, LONGEST_CELL, out)),
            Style::Json => Kind::Json(json::builder().build(out)),
            Style::Csv => {
                let schema = flat_schema(schema);
                let mut out = arrow::csv::WriterBuilder::new().with_header(true).build(out);
                // a result without rows has its head too
                out.write(&RecordBatch::new_empty(schema.clone()))?;
                Kind::Csv { out, schema }
            }
            Style::Parquet => Kind::Parquet(Box::new(
                ArrowWriter::try_new(out, schema.clone(), Some(writer_properties())).map_err(unwritten)?,
            )),
            Style::Arrow => Kind::Arrow(arrow::ipc::writer::FileWriter::try_new(out, schema)?),
        };
        Ok(Rows { kind })
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), LakeError> {
        match &mut self.kind {
            Kind::Text(text) => text.write(batch),
            Kind::Json(out) => Ok(out.write(&for_json(batch)?)?),
            Kind::Csv { out, schema } => Ok(out.write(&flat(batch, schema)?)?),
            Kind::Parquet(out) => {
                out.write(batch).map_err(unwritten)?;
                match out.memory_size() > GROUP_BYTES {
                    true => out.flush().map_err(unwritten),
                    false => Ok(()),
                }
            }
            Kind::Arrow(out) => Ok(out.write(batch)?),
        }
    }

    /// Writes what is still to be written.
    pub fn finish(self) -> Result<W, LakeError> {
        match self.kind {
            Kind::Text(text) => text.finish(),
            Kind::Json(mut out) => {
                out.finish()?;
                Ok(out.into_inner())
            }
            Kind::Csv { out, .. } => Ok(out.into_inner()),
            Kind::Parquet(out) => out.into_inner().map_err(unwritten),
            Kind::Arrow(mut out) => {
                out.finish()?;
                Ok(out.into_inner()?)
            }
        }
    }
}

fn unwritten(error: parquet::errors::ParquetError) -> LakeError {
    LakeError::Write(super::error::plain(&error.to_string()))
}

fn is_nested(of: &DataType) -> bool {
    of.is_nested()
        || matches!(
            of,
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) | DataType::Duration(_)
        )
}

/// CSV knows no lists and structures: they are JSON.
fn flat_schema(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match is_nested(field.data_type()) {
        true => Arc::new(Field::new(field.name(), DataType::Utf8, true)),
        false => field.clone(),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn flat(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, LakeError> {
    let columns = batch.columns().iter().map(|column| match is_nested(column.data_type()) {
        true => as_json(column),
        false => Ok(column.clone()),
    });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(schema.clone(), columns, &options)?)
}

fn as_json(column: &ArrayRef) -> Result<ArrayRef, LakeError> {
    const NAME: &str = "v";
    let schema = Arc::new(Schema::new(vec![Field::new(NAME, column.data_type().clone(), true)]));
    let batch = for_json(&RecordBatch::try_new(schema, vec![column.clone()])?)?;
    let mut out = Vec::new();
    let mut writer = json::builder().build::<_, LineDelimited>(&mut out);
    writer.write(&batch)?;
    writer.finish()?;
    drop(writer);
    let text = String::from_utf8_lossy(&out);
    let values = text.lines().map(|line| {
        let value = line.strip_prefix("{\"v\":").and_then(|rest| rest.strip_suffix('}'))?;
        let is_text = value.starts_with('"');
        match value {
            "null" => None,
            text if is_text => serde_json::from_str::<String>(text).ok(),
            other => Some(other.to_owned()),
        }
    });
    Ok(Arc::new(values.collect::<StringArray>()))
}

/// An aligned table.
struct Text<W: Write> {
    out: W,
    heads: Vec<String>,
    /// Which columns are flush right.
    right: Vec<bool>,
    /// Until the widths are known.
    waiting: Vec<Vec<String>>,
    widths: Option<Vec<usize>>,
    longest_cell: usize,
    /// Of an explained query: its cells keep their lines.
    is_plan: bool,
}

impl<W: Write> Text<W> {
    fn new(schema: &Schema, longest_cell: usize, out: W) -> Text<W> {
        let fields = schema.fields();
        Text {
            out,
            longest_cell,
            is_plan: fields.iter().map(|field| field.name().as_str()).eq(["plan_type", "plan"]),
            heads: fields.iter().map(|field| shown(field.name(), longest_cell)).collect(),
            right: fields.iter().map(|field| field.data_type().is_numeric()).collect(),
            waiting: Vec::new(),
            widths: None,
        }
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), LakeError> {
        let options = FormatOptions::default().with_null("");
        let columns = batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            let cells = columns.iter().map(|column| column.value(row).try_to_string());
            let cells = cells.collect::<Result<Vec<String>, _>>()?;
            if let ([kind, plan], true) = (cells.as_slice(), self.is_plan) {
                write!(self.out, "{kind}:\n{}\n\n", plan.trim_end()).map_err(LakeError::from_io)?;
                continue;
            }
            let cells: Vec<String> = cells.iter().map(|text| shown(text, self.longest_cell)).collect();
            match self.widths.is_some() {
                true => self.line(&cells)?,
                false => self.waiting.push(cells),
            }
        }
        match self.waiting.len() >= ALIGNED_ROWS {
            true => self.align(),
            false => Ok(()),
        }
    }

    /// Writes what waits.
    fn align(&mut self) -> Result<(), LakeError> {
        if self.widths.is_some() || self.is_plan {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.waiting);
        let mut widths: Vec<usize> = self.heads.iter().map(|head| head.chars().count()).collect();
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count().min(LONGEST_CELL));
            }
        }
        self.widths = Some(widths);
        let heads = self.heads.clone();
        self.line(&heads)?;
        rows.iter().try_for_each(|row| self.line(row))
    }

    fn line(&mut self, cells: &[String]) -> Result<(), LakeError> {
        let mut line = String::new();
        let widths = self.widths.as_deref().unwrap_or_default();
        for ((cell, width), right) in cells.iter().zip(widths).zip(&self.right) {
            let gap = " ".repeat(width.saturating_sub(cell.chars().count()));
            line.push_str(&if *right {
                format!("{gap}{cell}  ")
            } else {
                format!("{cell}{gap}  ")
            });
        }
        writeln!(self.out, "{}", line.trim_end()).map_err(LakeError::from_io)
    }

    fn finish(mut self) -> Result<W, LakeError> {
        self.align()?;
        Ok(self.out)
    }
}

/// One line, no longer than so many characters.
fn shown(text: &str, longest: usize) -> String {
    let mut cell: String = text
        .chars()
        .take(longest.saturating_add(1))
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if cell.chars().count() > longest {
        cell = cell.chars().take(longest.saturating_sub(1)).collect();
        cell.push('…');
    }
    cell
}

//! Rows of columns → messages, as the definition that [`super::shape`] makes of them lays them out.
//!
//! Invariant: a column that was not read gives what stands for nulls, so that every row has every field.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BooleanArray, ListArray, RecordBatch, StringArray, StructArray, new_null_array};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, TimestampNanosecondType};

use super::json::{Json, opened, write_count, write_text};
use super::shape::{Column, Node};

/// The columns of some rows, ready to be written.
pub(super) struct Rows<'a> {
    columns: Vec<Cells<'a>>,
}

impl<'a> Rows<'a> {
    /// `array` gives the values of a column by its number, where they were read; `json` what its texts hold.
    pub fn new(columns: &'a [Column], array: impl Fn(usize) -> Option<ArrayRef>, json: impl Fn(usize) -> Option<&'a Json>) -> Rows<'a> {
        let cells = columns.iter().map(|column| match (array(column.at), json(column.at)) {
            (Some(array), Some(json)) => match cast(&array, &DataType::Utf8) {
                Ok(texts) => Cells::Json(texts.as_string::<i32>().clone(), json),
                Err(_) => Cells::Missing(&column.node),
            },
            (Some(array), None) => column
                .cast
                .as_ref()
                .and_then(|of| fitted(&array, of))
                .and_then(|array| Cells::of(&array, &column.node))
                .unwrap_or(Cells::Missing(&column.node)),
            (None, _) => Cells::Missing(&column.node),
        });
        Rows { columns: cells.collect() }
    }

    pub fn write(&self, row: usize, out: &mut Vec<u8>) {
        self.columns.iter().for_each(|cells| cells.write(row, out));
    }
}

/// As the type that the whole table has there: fields that this file has not are null.
fn fitted(array: &ArrayRef, of: &DataType) -> Option<ArrayRef> {
    match array.data_type() == of {
        true => Some(array.clone()),
        false => fitted_parts(&without_maps(array)?, of),
    }
}

fn fitted_parts(array: &ArrayRef, of: &DataType) -> Option<ArrayRef> {
    Some(match (array.data_type(), of) {
        (own, of) if own == of => array.clone(),
        (DataType::Dictionary(_, values), _) => fitted_parts(&cast(array, values).ok()?, of)?,
        (DataType::Struct(own), DataType::Struct(fields)) => {
            let structure = array.as_struct();
            let is_named = fields.iter().any(|field| structure.column_by_name(field.name()).is_some());
            let columns = fields.iter().enumerate().map(|(at, field)| {
                let column = match is_named {
                    true => structure.column_by_name(field.name()),
                    // entries of mappings, whatever they are called
                    false => structure.columns().get(at).filter(|_| own.len() == fields.len()),
                };
                match column {
                    Some(column) => fitted_parts(column, field.data_type()),
                    None => Some(new_null_array(field.data_type(), array.len())),
                }
            });
            let columns = columns.collect::<Option<Vec<_>>>()?;
            Arc::new(StructArray::try_new(fields.clone(), columns, structure.nulls().cloned()).ok()?)
        }
        (DataType::List(_), DataType::List(field)) => {
            let list = array.as_list::<i32>();
            let values = fitted_parts(list.values(), field.data_type())?;
            Arc::new(ListArray::try_new(field.clone(), list.offsets().clone(), values, list.nulls().cloned()).ok()?)
        }
        (
            DataType::LargeList(own) | DataType::FixedSizeList(own, _) | DataType::ListView(own) | DataType::LargeListView(own),
            DataType::List(_),
        ) => fitted_parts(&without_maps(&cast(array, &DataType::List(own.clone())).ok()?)?, of)?,
        (own, DataType::Utf8) if own.is_nested() => texts(array)?,
        _ => cast(array, of).ok()?,
    })
}

/// What is nested, as JSON.
fn texts(array: &ArrayRef) -> Option<ArrayRef> {
    const NAME: &str = "v";
    let batch = RecordBatch::try_from_iter_with_nullable([(NAME, array.clone(), true)]).ok()?;
    let rows = super::json_rows(&batch).ok()?;
    let texts = rows.iter().map(|row| Some(row.get(NAME)?.to_string()));
    Some(Arc::new(texts.collect::<StringArray>()))
}

/// Mappings as lists of their entries, at any depth.
fn without_maps(array: &ArrayRef) -> Option<ArrayRef> {
    let field = |name: &str, values: &ArrayRef| Arc::new(Field::new(name, values.data_type().clone(), true));
    Some(match array.data_type() {
        DataType::Map(entries, _) => {
            let map = array.as_map();
            let values = without_maps(&(Arc::new(map.entries().clone()) as ArrayRef))?;
            let list = ListArray::try_new(field(entries.name(), &values), map.offsets().clone(), values, map.nulls().cloned());
            Arc::new(list.ok()?)
        }
        DataType::List(of) => {
            let list = array.as_list::<i32>();
            let values = without_maps(list.values())?;
            let list = ListArray::try_new(field(of.name(), &values), list.offsets().clone(), values, list.nulls().cloned());
            Arc::new(list.ok()?)
        }
        DataType::Struct(fields) if !fields.is_empty() => {
            let structure = array.as_struct();
            let columns: Vec<ArrayRef> = structure.columns().iter().map(without_maps).collect::<Option<_>>()?;
            let fields = fields.iter().zip(&columns).map(|(of, values)| field(of.name(), values));
            Arc::new(StructArray::try_new(fields.collect(), columns, structure.nulls().cloned()).ok()?)
        }
        _ => array.clone(),
    })
}

enum Cells<'a> {
    Bool(BooleanArray),
    /// Values of this many bytes, and what stands for null.
    Numbers {
        data: arrow::buffer::Buffer,
        size: usize,
        start: usize,
        nulls: Option<NullBuffer>,
        null: [u8; 8],
    },
    Time(arrow::array::TimestampNanosecondArray),
    Text(StringArray),
    Bytes(BinaryArray),
    List {
        ends: arrow::buffer::OffsetBuffer<i32>,
        nulls: Option<NullBuffer>,
        elements: Box<Cells<'a>>,
    },
    Struct {
        nulls: Option<NullBuffer>,
        node: &'a Node,
        parts: Vec<Cells<'a>>,
    },
    Json(StringArray, &'a Json),
    /// Values some of which are null.
    Maybe(Option<NullBuffer>, Box<Cells<'a>>),
    Missing(&'a Node),
}

impl<'a> Cells<'a> {
    fn of(array: &ArrayRef, node: &'a Node) -> Option<Cells<'a>> {
        Some(match (array.data_type(), node) {
            (_, Node::Maybe(..)) => {
                const VALUE: &Node = &Node::Number("", 0);
                Cells::Maybe(array.nulls().cloned(), Box::new(Cells::of(array, VALUE)?))
            }
            (DataType::Boolean, _) => Cells::Bool(array.as_boolean().clone()),
            (DataType::Utf8, _) => Cells::Text(array.as_string::<i32>().clone()),
            (DataType::Binary, _) => Cells::Bytes(array.as_binary::<i32>().clone()),
            (DataType::Timestamp(..), _) => Cells::Time(array.as_primitive::<TimestampNanosecondType>().clone()),
            (DataType::List(_), Node::List(inner)) => {
                let list = array.as_list::<i32>();
                Cells::List {
                    ends: list.offsets().clone(),
                    nulls: list.nulls().cloned(),
                    elements: Box::new(Cells::of(list.values(), inner)?),
                }
            }
            (DataType::Struct(_), Node::Struct(parts)) => {
                let columns = array.as_struct();
                let parts = columns.columns().iter().zip(parts).map(|(array, (_, node))| Cells::of(array, node));
                Cells::Struct {
                    nulls: columns.nulls().cloned(),
                    node,
                    parts: parts.collect::<Option<_>>()?,
                }
            }
            (of, Node::Number(..)) if of.is_primitive() => {
                let data = array.to_data();
                let size = of.primitive_width()?;
                Cells::Numbers {
                    data: data.buffers().first()?.clone(),
                    size,
                    start: data.offset().checked_mul(size)?,
                    nulls: data.nulls().cloned(),
                    null: match of {
                        DataType::Float64 => f64::NAN.to_le_bytes(),
                        DataType::Float32 => {
                            let [a, b, c, d] = f32::NAN.to_le_bytes();
                            [a, b, c, d, 0, 0, 0, 0]
                        }
                        _ => [0; 8],
                    },
                }
            }
            _ => return None,
        })
    }

    fn write(&self, row: usize, out: &mut Vec<u8>) {
        let is_null = |nulls: &Option<NullBuffer>| nulls.as_ref().is_some_and(|nulls| row >= nulls.len() || nulls.is_null(row));
        match self {
            Cells::Missing(node) => write_nothing(node, out),
            Cells::Bool(flags) => out.push(u8::from(row < flags.len() && flags.is_valid(row) && flags.value(row))),
            Cells::Numbers {
                data,
                size,
                start,
                nulls,
                null,
            } => {
                let at = start.saturating_add(row.saturating_mul(*size));
                let value = data.as_slice().get(at..at.saturating_add(*size)).filter(|_| !is_null(nulls));
                out.extend_from_slice(value.or(null.get(..*size)).unwrap_or_default());
            }
            Cells::Time(times) => {
                let nanos = if row < times.len() && times.is_valid(row) {
                    times.value(row).max(0)
                } else {
                    0
                };
                out.extend_from_slice(&u32::try_from(nanos / 1_000_000_000).unwrap_or(u32::MAX).to_le_bytes());
                out.extend_from_slice(&u32::try_from(nanos % 1_000_000_000).unwrap_or(0).to_le_bytes());
            }
            Cells::Text(texts) => write_text(text_at(texts, row), out),
            Cells::Bytes(bytes) => {
                let value = if row < bytes.len() && bytes.is_valid(row) {
                    bytes.value(row)
                } else {
                    &[]
                };
                write_count(value.len(), out);
                out.extend_from_slice(value);
            }
            Cells::List { ends, nulls, elements } => {
                let bound = |at: usize| ends.get(at).and_then(|end| usize::try_from(*end).ok()).unwrap_or(0);
                let range = match is_null(nulls) {
                    true => 0..0,
                    false => bound(row)..bound(row + 1),
                };
                write_count(range.len(), out);
                range.for_each(|at| elements.write(at, out));
            }
            Cells::Struct { nulls, node, parts } => match is_null(nulls) {
                true => write_nothing(node, out),
                false => parts.iter().for_each(|part| part.write(row, out)),
            },
            Cells::Maybe(nulls, values) => match is_null(nulls) {
                true => write_count(0, out),
                false => {
                    write_count(1, out);
                    values.write(row, out);
                }
            },
            Cells::Json(texts, json) => json.write(opened(text_at(texts, row)).as_ref(), out),
        }
    }
}

fn text_at(texts: &StringArray, row: usize) -> &str {
    match row < texts.len() && texts.is_valid(row) {
        true => texts.value(row),
        false => "",
    }
}

/// What stands for a null.
fn write_nothing(node: &Node, out: &mut Vec<u8>) {
    match node {
        Node::Number("float64", _) => out.extend_from_slice(&f64::NAN.to_le_bytes()),
        Node::Number("float32", _) => out.extend_from_slice(&f32::NAN.to_le_bytes()),
        Node::Number(_, size) => out.extend(std::iter::repeat_n(0, *size)),
        Node::Time => out.extend_from_slice(&[0; 8]),
        Node::Text | Node::Bytes | Node::List(_) | Node::Maybe(..) => write_count(0, out),
        Node::Struct(parts) => parts.iter().for_each(|(_, node)| write_nothing(node, out)),
    }
}

//! Messages → Arrow columns: one column a field, nested messages as structures, arrays as lists.
//!
//! Invariants: numbers are copied as the message holds them; a message that cannot be walked is a row of nulls; fields that
//! nobody wants are skipped.

use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayDataBuilder, ArrayRef, BinaryBuilder, BooleanArray, ListArray, RecordBatch, RecordBatchOptions, StringBuilder,
    StructArray, make_array,
};
use arrow::buffer::{BooleanBuffer, Buffer, MutableBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, SchemaRef, TimeUnit};

use super::parse::Array;
use super::plan::{Kind, Plan};
use super::reader::Reader;
use super::{DecodeError, Scalar, Schema};

/// Instants: nanoseconds since 1970, UTC.
pub const INSTANT: DataType = DataType::Timestamp(TimeUnit::Nanosecond, None);

/// Which fields of a type's messages become columns.
#[derive(Clone, Debug)]
pub struct Columns {
    plan: Arc<Plan>,
    /// For each field of the message: whether it is wanted.
    wanted: Vec<bool>,
    schema: SchemaRef,
}

impl Columns {
    /// All fields of the message, in the definition's order.
    pub fn all(of: &Schema) -> Result<Columns, DecodeError> {
        let plan = of.plan().clone();
        let fields = struct_fields(&plan, plan.root)?;
        Ok(Columns {
            wanted: vec![true; fields.len()],
            schema: Arc::new(arrow::datatypes::Schema::new(fields)),
            plan,
        })
    }

    /// Only these fields, by number in ascending order.
    pub fn only(&self, fields: &[usize]) -> Result<Columns, DecodeError> {
        let lacking = |_| DecodeError::NotDecodable("there is no such field".into());
        Ok(Columns {
            plan: self.plan.clone(),
            wanted: (0..self.wanted.len()).map(|at| fields.contains(&at)).collect(),
            schema: Arc::new(self.schema.project(fields).map_err(lacking)?),
        })
    }

    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// No rows yet.
    pub fn rows(&self) -> Result<ColumnRows, DecodeError> {
        let root = self.plan.get(self.plan.root)?;
        let fields = root.fields.iter().zip(&self.wanted).filter(|(_, wanted)| **wanted);
        let cells = fields.map(|(field, _)| Cells::new(&self.plan, field.kind, field.array));
        Ok(ColumnRows {
            cells: cells.collect::<Result<_, _>>()?,
            of: self.clone(),
            valid: Vec::new(),
        })
    }
}

/// Columns that grow by a row a message.
pub struct ColumnRows {
    of: Columns,
    cells: Vec<Cells>,
    valid: Vec<bool>,
}

impl ColumnRows {
    /// Appends a message. One that is not what its definition says becomes a row of nulls.
    pub fn push(&mut self, payload: &[u8]) -> Result<(), DecodeError> {
        let plan = self.of.plan.clone();
        let mut walk = Reader::new(payload);
        let walked = plan.skip_struct(plan.root, &mut walk).and_then(|()| walk.finish());
        self.valid.push(walked.is_ok());
        if walked.is_err() {
            self.cells.iter_mut().for_each(Cells::push_nothing);
            return walked;
        }
        let root = plan.get(plan.root)?;
        let (mut reader, mut cells) = (Reader::new(payload), self.cells.iter_mut());
        for (field, wanted) in root.fields.iter().zip(&self.of.wanted) {
            match wanted.then(|| cells.next()).flatten() {
                Some(cells) => cells.push(&plan, field.kind, field.array, &mut reader)?,
                None => plan.skip(plan.skip_for(field.kind, field.array), &mut reader)?,
            }
        }
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.valid.len()
    }

    pub fn is_empty(&self) -> bool {
        self.valid.is_empty()
    }

    /// The columns, in the schema's order.
    pub fn finish(self) -> Result<Vec<ArrayRef>, DecodeError> {
        let nulls = self
            .valid
            .contains(&false)
            .then(|| NullBuffer::new(BooleanBuffer::from(self.valid.clone())));
        let fields = self.of.schema.fields().iter();
        fields
            .zip(self.cells)
            .map(|(field, cells)| cells.finish(field.data_type(), nulls.clone()))
            .collect()
    }

    pub fn into_batch(self) -> Result<RecordBatch, DecodeError> {
        let (schema, rows) = (self.of.schema.clone(), self.len());
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(schema, self.finish()?, &options).map_err(unfitting)
    }
}

fn unfitting(error: arrow::error::ArrowError) -> DecodeError {
    DecodeError::NotDecodable(format!("the columns do not fit together: {error}"))
}

/// The type of a column that holds this.
fn data_type(plan: &Plan, kind: Kind, array: Array) -> Result<DataType, DecodeError> {
    let one = match kind {
        Kind::Scalar(scalar) | Kind::Maybe(scalar) => scalar_type(scalar),
        Kind::Time => INSTANT,
        Kind::Duration => DataType::Duration(TimeUnit::Nanosecond),
        Kind::String => DataType::Utf8,
        Kind::Struct(id) => DataType::Struct(struct_fields(plan, id)?),
    };
    Ok(match (array, kind) {
        (Array::One, _) => one,
        (_, Kind::Scalar(Scalar::U8)) => DataType::Binary,
        _ => DataType::List(element(one)),
    })
}

fn element(of: DataType) -> FieldRef {
    Arc::new(Field::new_list_field(of, true))
}

fn struct_fields(plan: &Plan, id: usize) -> Result<Fields, DecodeError> {
    let fields = plan.get(id)?.fields.iter();
    fields
        .map(|field| Ok(Field::new(&*field.name, data_type(plan, field.kind, field.array)?, true)))
        .collect()
}

fn scalar_type(scalar: Scalar) -> DataType {
    match scalar {
        Scalar::Bool => DataType::Boolean,
        Scalar::I8 => DataType::Int8,
        Scalar::U8 => DataType::UInt8,
        Scalar::I16 => DataType::Int16,
        Scalar::U16 => DataType::UInt16,
        Scalar::I32 => DataType::Int32,
        Scalar::U32 => DataType::UInt32,
        Scalar::I64 => DataType::Int64,
        Scalar::U64 => DataType::UInt64,
        Scalar::F32 => DataType::Float32,
        Scalar::F64 => DataType::Float64,
    }
}

/// A column that grows.
enum Cells {
    /// Numbers (truth values as bytes), little-endian, of this size.
    Plain {
        size: usize,
        data: MutableBuffer,
    },
    /// The same, some of them null.
    Maybe {
        size: usize,
        data: MutableBuffer,
        valid: Vec<bool>,
    },
    /// Times and durations in nanoseconds.
    Nanos(Vec<i64>),
    Text(StringBuilder),
    Bytes(BinaryBuilder),
    List {
        ends: Vec<i32>,
        elements: Box<Cells>,
        count: usize,
    },
    Struct {
        rows: usize,
        cells: Vec<Cells>,
    },
}

impl Cells {
    fn new(plan: &Plan, kind: Kind, array: Array) -> Result<Cells, DecodeError> {
        let one = match kind {
            Kind::Scalar(Scalar::U8) if array != Array::One => return Ok(Cells::Bytes(BinaryBuilder::new())),
            Kind::Scalar(scalar) => Cells::Plain {
                size: scalar.size(),
                data: MutableBuffer::new(0),
            },
            Kind::Maybe(scalar) => Cells::Maybe {
                size: scalar.size(),
                data: MutableBuffer::new(0),
                valid: Vec::new(),
            },
            Kind::Time | Kind::Duration => Cells::Nanos(Vec::new()),
            Kind::String => Cells::Text(StringBuilder::new()),
            Kind::Struct(id) => {
                let fields = plan.get(id)?.fields.iter();
                Cells::Struct {
                    rows: 0,
                    cells: fields.map(|f| Cells::new(plan, f.kind, f.array)).collect::<Result<_, _>>()?,
                }
            }
        };
        Ok(match array {
            Array::One => one,
            _ => Cells::List {
                ends: vec![0],
                elements: Box::new(one),
                count: 0,
            },
        })
    }

    fn push(&mut self, plan: &Plan, kind: Kind, array: Array, reader: &mut Reader) -> Result<(), DecodeError> {
        match self {
            Cells::Bytes(bytes) => {
                let count = plan.count(kind, array, reader)?;
                bytes.append_value(reader.take(count)?);
            }
            Cells::List { ends, elements, count } => {
                let more = plan.count(kind, array, reader)?;
                match &mut **elements {
                    Cells::Plain { size, data } => data.extend_from_slice(reader.take(more.saturating_mul(*size))?),
                    elements => (0..more).try_for_each(|_| elements.push(plan, kind, Array::One, reader))?,
                }
                *count += more;
                ends.push(i32::try_from(*count).map_err(|_| too_long())?);
            }
            Cells::Plain { size, data } => data.extend_from_slice(reader.take(*size)?),
            Cells::Maybe { size, data, valid } => {
                let Kind::Maybe(scalar) = kind else { return Err(too_long()) };
                let value = plan.maybe(scalar, reader)?;
                valid.push(value.is_some());
                match value {
                    Some(value) => data.extend_from_slice(value),
                    None => data.extend_zeros(*size),
                }
            }
            Cells::Nanos(nanos) => {
                let [high, low] = [reader.array::<4>()?, reader.array::<4>()?];
                nanos.push(match kind {
                    Kind::Duration => i64::from(i32::from_le_bytes(high)) * 1_000_000_000 + i64::from(i32::from_le_bytes(low)),
                    _ => i64::from(u32::from_le_bytes(high)) * 1_000_000_000 + i64::from(u32::from_le_bytes(low)),
                });
            }
            Cells::Text(texts) => texts.append_value(String::from_utf8_lossy(reader.counted(1)?)),
            Cells::Struct { rows, cells } => {
                let Kind::Struct(id) = kind else { return Err(too_long()) };
                for (field, cells) in plan.get(id)?.fields.iter().zip(cells) {
                    cells.push(plan, field.kind, field.array, reader)?;
                }
                *rows += 1;
            }
        }
        Ok(())
    }

    /// What stands below a null.
    fn push_nothing(&mut self) {
        match self {
            Cells::Plain { size, data } => data.extend_zeros(*size),
            Cells::Maybe { size, data, valid } => {
                data.extend_zeros(*size);
                valid.push(false);
            }
            Cells::Nanos(nanos) => nanos.push(0),
            Cells::Text(texts) => texts.append_value(""),
            Cells::Bytes(bytes) => bytes.append_value([]),
            Cells::List { ends, .. } => ends.push(ends.last().copied().unwrap_or(0)),
            Cells::Struct { rows, cells } => {
                cells.iter_mut().for_each(Cells::push_nothing);
                *rows += 1;
            }
        }
    }

    fn finish(self, of: &DataType, nulls: Option<NullBuffer>) -> Result<ArrayRef, DecodeError> {
        Ok(match (self, of) {
            (Cells::Plain { data, .. }, DataType::Boolean) => {
                let values = BooleanBuffer::from_iter(data.as_slice().iter().map(|byte| *byte != 0));
                Arc::new(BooleanArray::new(values, nulls))
            }
            (Cells::Plain { size, data }, _) => {
                let rows = data.len() / size;
                with_buffers(of, rows, nulls, data.into())?
            }
            (Cells::Maybe { size, data, valid }, _) => {
                let own = NullBuffer::from(valid);
                let nulls = NullBuffer::union(nulls.as_ref(), Some(&own));
                return Cells::Plain { size, data }.finish(of, nulls);
            }
            (Cells::Nanos(nanos), _) => {
                let rows = nanos.len();
                with_buffers(of, rows, nulls, Buffer::from_vec(nanos))?
            }
            (Cells::Text(mut texts), _) => with_nulls(Arc::new(texts.finish()), nulls)?,
            (Cells::Bytes(mut bytes), _) => with_nulls(Arc::new(bytes.finish()), nulls)?,
            (Cells::List { ends, elements, .. }, DataType::List(field)) => {
                let elements = elements.finish(field.data_type(), None)?;
                let ends = OffsetBuffer::new(ScalarBuffer::from(ends));
                Arc::new(ListArray::try_new(field.clone(), ends, elements, nulls).map_err(unfitting)?)
            }
            (Cells::Struct { rows, cells }, DataType::Struct(fields)) => {
                let of_field = |(field, cells): (&FieldRef, Cells)| cells.finish(field.data_type(), None);
                let columns: Vec<ArrayRef> = fields.iter().zip(cells).map(of_field).collect::<Result<_, _>>()?;
                match columns.is_empty() {
                    true => Arc::new(StructArray::new_empty_fields(rows, nulls)),
                    false => Arc::new(StructArray::try_new(fields.clone(), columns, nulls).map_err(unfitting)?),
                }
            }
            _ => return Err(too_long()),
        })
    }
}

fn with_buffers(of: &DataType, rows: usize, nulls: Option<NullBuffer>, values: Buffer) -> Result<ArrayRef, DecodeError> {
    let data = ArrayDataBuilder::new(of.clone()).len(rows).nulls(nulls).add_buffer(values);
    Ok(make_array(data.build().map_err(unfitting)?))
}

fn with_nulls(array: ArrayRef, nulls: Option<NullBuffer>) -> Result<ArrayRef, DecodeError> {
    match nulls {
        None => Ok(array),
        some => Ok(make_array(array.to_data().into_builder().nulls(some).build().map_err(unfitting)?)),
    }
}

fn too_long() -> DecodeError {
    DecodeError::NotDecodable("the rows do not fit into one column".into())
}

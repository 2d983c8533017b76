//! Messages → trees of [`Value`], and how a tree is read.
//!
//! Invariant: arrays of numbers are slices of the message, in the tree and in what is taken out of it.

use std::sync::Arc;

use bytes::Bytes;

use super::json::{Number, each};
use super::parse::Array;
use super::plan::{Kind, Plan};
use super::reader::Reader;
use super::{DecodeError, Scalar, Value};

pub(super) fn message(plan: &Plan, payload: &Bytes) -> Result<Value, DecodeError> {
    let mut reader = Reader::new(payload);
    let value = structure(plan, plan.root, payload, &mut reader)?;
    reader.finish()?;
    Ok(value)
}

fn structure(plan: &Plan, id: usize, payload: &Bytes, reader: &mut Reader) -> Result<Value, DecodeError> {
    let of = plan.get(id)?;
    let mut values = Vec::with_capacity(of.fields.len());
    for field in &of.fields {
        values.push(field_value(plan, field.kind, field.array, payload, reader)?);
    }
    Ok(Value::Struct {
        names: of.names.clone(),
        values,
    })
}

pub(crate) fn field_value(plan: &Plan, kind: Kind, array: Array, payload: &Bytes, reader: &mut Reader) -> Result<Value, DecodeError> {
    if array == Array::One {
        return one(plan, kind, payload, reader);
    }
    let count = plan.count(kind, array, reader)?;
    if let Kind::Scalar(scalar) = kind {
        let start = reader.offset();
        reader.skip(count.saturating_mul(scalar.size()))?;
        let data = payload.slice(start..reader.offset());
        return Ok(if scalar == Scalar::U8 {
            Value::Bytes(data)
        } else {
            Value::Numbers { kind: scalar, data }
        });
    }
    // Collecting results reserves nothing: a count that lies ends at the message's end.
    (0..count)
        .map(|_| one(plan, kind, payload, reader))
        .collect::<Result<Vec<_>, _>>()
        .map(Value::Array)
}

pub(crate) fn one(plan: &Plan, kind: Kind, payload: &Bytes, reader: &mut Reader) -> Result<Value, DecodeError> {
    Ok(match kind {
        Kind::Scalar(scalar) => first(scalar, reader.take(scalar.size())?),
        Kind::Maybe(scalar) => plan.maybe(scalar, reader)?.map_or(Value::Null, |data| first(scalar, data)),
        Kind::Time => Value::Time {
            sec: reader.u32()?,
            nsec: reader.u32()?,
        },
        Kind::Duration => Value::Duration {
            sec: reader.i32()?,
            nsec: reader.i32()?,
        },
        Kind::String => Value::String(Arc::from(String::from_utf8_lossy(reader.counted(1)?))),
        Kind::Struct(id) => structure(plan, id, payload, reader)?,
    })
}

fn first(scalar: Scalar, data: &[u8]) -> Value {
    let mut value = Value::Uint(0);
    each(scalar, data.get(..scalar.size()).unwrap_or(&[]), |number| value = number.into());
    value
}

impl From<Number> for Value {
    fn from(number: Number) -> Value {
        match number {
            Number::Bool(b) => Value::Bool(b),
            Number::Int(i) => Value::Int(i),
            Number::Uint(u) => Value::Uint(u),
            Number::F32(f) => Value::F32(f),
            Number::F64(f) => Value::F64(f),
        }
    }
}

impl Number {
    pub(crate) fn to_f64(self) -> f64 {
        match self {
            Number::Bool(b) => f64::from(u8::from(b)),
            Number::Int(i) => i as f64,
            Number::Uint(u) => u as f64,
            Number::F32(f) => f64::from(f),
            Number::F64(f) => f,
        }
    }
}

impl Value {
    /// The field of that name.
    pub fn child(&self, name: &str) -> Option<&Value> {
        self.fields().find(|(n, _)| n.as_ref() == name).map(|(_, value)| value)
    }

    /// Name and value of each field; nothing where this is no structure.
    pub fn fields(&self) -> impl Iterator<Item = (&Arc<str>, &Value)> {
        let (names, values): (&[Arc<str>], &[Value]) = match self {
            Value::Struct { names, values } => (names, values),
            _ => (&[], &[]),
        };
        names.iter().zip(values)
    }

    /// Number of elements; None where this is no array.
    pub fn array_len(&self) -> Option<usize> {
        match self {
            Value::Bytes(data) => Some(data.len()),
            Value::Numbers { kind, data } => Some(data.len() / kind.size()),
            Value::Array(values) => Some(values.len()),
            _ => None,
        }
    }

    /// One element of an array. Elements of trees are cloned, which copies no arrays of numbers.
    pub fn element(&self, index: usize) -> Option<Value> {
        match self {
            Value::Bytes(data) => data.get(index).map(|b| Value::Uint(u64::from(*b))),
            Value::Numbers { kind, data } => {
                let start = index.checked_mul(kind.size())?;
                data.get(start..start.checked_add(kind.size())?).map(|part| first(*kind, part))
            }
            Value::Array(values) => values.get(index).cloned(),
            _ => None,
        }
    }

    /// A number, as plots read it: bool 0 or 1, time and duration in seconds.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Bool(b) => Some(f64::from(u8::from(*b))),
            Value::Int(i) => Some(*i as f64),
            Value::Uint(u) => Some(*u as f64),
            Value::F32(f) => Some(f64::from(*f)),
            Value::F64(f) => Some(*f),
            Value::Time { sec, nsec } => Some(f64::from(*sec) + f64::from(*nsec) * 1e-9),
            Value::Duration { sec, nsec } => Some(f64::from(*sec) + f64::from(*nsec) * 1e-9),
            _ => None,
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(s) => Some(s),
            _ => None,
        }
    }

    /// All numbers of an array of numbers; nothing for anything else.
    pub fn numbers(&self) -> Vec<f64> {
        let mut all = Vec::with_capacity(self.array_len().unwrap_or(0));
        match self {
            Value::Bytes(data) => all.extend(data.iter().map(|b| f64::from(*b))),
            Value::Numbers { kind, data } => each(*kind, data, |number| all.push(number.to_f64())),
            _ => {}
        }
        all
    }

    /// One line: scalars as they are, arrays as `[f32; 1024]  0.1…81.3`, structures as `{3 fields}`.
    pub fn summary(&self) -> String {
        match self {
            Value::String(s) => s.to_string(),
            Value::Time { sec, nsec } => format!("{sec}.{nsec:09}"),
            Value::Duration { sec, nsec } => {
                let nanos = i64::from(*sec) * 1_000_000_000 + i64::from(*nsec);
                let sign = if nanos < 0 { "-" } else { "" };
                format!(
                    "{sign}{}.{:09} s",
                    nanos.unsigned_abs() / 1_000_000_000,
                    nanos.unsigned_abs() % 1_000_000_000
                )
            }
            Value::Bytes(data) => format!("[u8; {}]", data.len()),
            Value::Numbers { kind, data } => numbers_summary(*kind, data),
            Value::Array(values) => match values.len() {
                1 => "[1 element]".to_owned(),
                n => format!("[{n} elements]"),
            },
            Value::Struct { values, .. } => match values.len() {
                1 => "{1 field}".to_owned(),
                n => format!("{{{n} fields}}"),
            },
            Value::F32(f) => format!("{f}"),
            Value::F64(f) => format!("{f}"),
            scalar => scalar.to_json(),
        }
    }
}

fn numbers_summary(kind: Scalar, data: &[u8]) -> String {
    let (mut low, mut high): (Option<Number>, Option<Number>) = (None, None);
    each(kind, data, |number| {
        let f = number.to_f64();
        if f.is_nan() {
            return;
        }
        if high.is_none_or(|h| f > h.to_f64()) {
            high = Some(number);
        }
        if low.is_none_or(|l| f < l.to_f64()) {
            low = Some(number);
        }
    });
    let head = format!("[{}; {}]", kind.name(), data.len() / kind.size());
    match (low, high) {
        (Some(low), Some(high)) => format!("{head}  {}…{}", Value::from(low).summary(), Value::from(high).summary()),
        _ => head,
    }
}

//! Messages → JSON text, straight from their bytes. The spelling is the command line's contract.
//!
//! Invariant: what is written is valid JSON, whatever the bytes; after an error nothing of the message stays written.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::ser::{CompactFormatter, Formatter};

use super::parse::Array;
use super::plan::{Kind, Plan};
use super::reader::Reader;
use super::{DecodeError, Scalar, Value};

/// What could not be written as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JsonNotes {
    /// Strings whose invalid UTF-8 was replaced by U+FFFD.
    pub replaced_strings: usize,
    /// Where the first of them starts in the message.
    pub first_replaced_at: Option<usize>,
}

impl JsonNotes {
    /// One sentence, where there is something to say.
    pub fn warning(&self) -> Option<String> {
        let at = self.first_replaced_at?;
        Some(match self.replaced_strings {
            1 => format!("the string at byte {at} of the message is not valid UTF-8"),
            n => format!("{n} strings of the message are not valid UTF-8, the first at byte {at}"),
        })
    }
}

pub(super) fn write_message(plan: &Plan, payload: &[u8], out: &mut Vec<u8>) -> Result<JsonNotes, DecodeError> {
    let start = out.len();
    let mut writer = Writer {
        plan,
        reader: Reader::new(payload),
        notes: JsonNotes::default(),
    };
    let written = writer.structure(plan.root, out).and_then(|()| writer.reader.finish());
    if let Err(error) = written {
        out.truncate(start);
        return Err(error);
    }
    Ok(writer.notes)
}

struct Writer<'a> {
    plan: &'a Plan,
    reader: Reader<'a>,
    notes: JsonNotes,
}

impl Writer<'_> {
    fn structure(&mut self, id: usize, out: &mut Vec<u8>) -> Result<(), DecodeError> {
        let of = self.plan.get(id)?;
        out.push(b'{');
        for (index, field) in of.fields.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            // Field names are letters, digits and underscores: nothing to escape.
            out.push(b'"');
            out.extend_from_slice(field.name.as_bytes());
            out.extend_from_slice(b"\":");
            self.field(field.kind, field.array, out)?;
        }
        out.push(b'}');
        Ok(())
    }

    fn field(&mut self, kind: Kind, array: Array, out: &mut Vec<u8>) -> Result<(), DecodeError> {
        if array == Array::One {
            return self.one(kind, out);
        }
        let count = self.plan.count(kind, array, &mut self.reader)?;
        if let Kind::Scalar(scalar) = kind {
            let data = self.reader.take(count.saturating_mul(scalar.size()))?;
            numbers(scalar, data, out);
            return Ok(());
        }
        out.push(b'[');
        for index in 0..count {
            if index > 0 {
                out.push(b',');
            }
            self.one(kind, out)?;
        }
        out.push(b']');
        Ok(())
    }

    fn one(&mut self, kind: Kind, out: &mut Vec<u8>) -> Result<(), DecodeError> {
        match kind {
            Kind::Scalar(scalar) => {
                let data = self.reader.take(scalar.size())?;
                each(scalar, data, |number| number.write(out));
            }
            Kind::Maybe(scalar) => match self.plan.maybe(scalar, &mut self.reader)? {
                Some(data) => each(scalar, data, |number| number.write(out)),
                None => out.extend_from_slice(b"null"),
            },
            Kind::Time => seconds(i64::from(self.reader.u32()?), i64::from(self.reader.u32()?), out),
            Kind::Duration => seconds(i64::from(self.reader.i32()?), i64::from(self.reader.i32()?), out),
            Kind::String => {
                let at = self.reader.offset();
                let data = self.reader.counted(1)?;
                let text = String::from_utf8_lossy(data);
                if matches!(text, std::borrow::Cow::Owned(_)) {
                    self.notes.replaced_strings += 1;
                    self.notes.first_replaced_at.get_or_insert(at);
                }
                string(&text, out);
            }
            Kind::Struct(id) => self.structure(id, out)?,
        }
        Ok(())
    }
}

/// One number of an array, widened without loss.
#[derive(Clone, Copy)]
pub(crate) enum Number {
    Bool(bool),
    Int(i64),
    Uint(u64),
    F32(f32),
    F64(f64),
}

impl Number {
    fn write(self, out: &mut Vec<u8>) {
        // Writing to memory cannot fail.
        let _ = match self {
            Number::Bool(b) => CompactFormatter.write_bool(out, b),
            Number::Int(i) => CompactFormatter.write_i64(out, i),
            Number::Uint(u) => CompactFormatter.write_u64(out, u),
            Number::F32(f) if f.is_finite() => CompactFormatter.write_f32(out, f),
            Number::F64(f) if f.is_finite() => CompactFormatter.write_f64(out, f),
            Number::F32(f) => return not_finite(f64::from(f), out),
            Number::F64(f) => return not_finite(f, out),
        };
    }
}

/// As a text: JSON has no such numbers.
pub(crate) fn not_finite(f: f64, out: &mut Vec<u8>) {
    out.extend_from_slice(if f.is_nan() {
        b"\"NaN\""
    } else if f > 0.0 {
        b"\"Infinity\""
    } else {
        b"\"-Infinity\""
    });
}

/// Calls `f` with each number of a little-endian array.
#[inline]
pub(crate) fn each(scalar: Scalar, data: &[u8], mut f: impl FnMut(Number)) {
    match scalar {
        Scalar::Bool => data.iter().for_each(|b| f(Number::Bool(*b != 0))),
        Scalar::I8 => data.iter().for_each(|b| f(Number::Int(i64::from(i8::from_le_bytes([*b]))))),
        Scalar::U8 => data.iter().for_each(|b| f(Number::Uint(u64::from(*b)))),
        Scalar::I16 => data
            .as_chunks()
            .0
            .iter()
            .for_each(|c| f(Number::Int(i64::from(i16::from_le_bytes(*c))))),
        Scalar::U16 => data
            .as_chunks()
            .0
            .iter()
            .for_each(|c| f(Number::Uint(u64::from(u16::from_le_bytes(*c))))),
        Scalar::I32 => data
            .as_chunks()
            .0
            .iter()
            .for_each(|c| f(Number::Int(i64::from(i32::from_le_bytes(*c))))),
        Scalar::U32 => data
            .as_chunks()
            .0
            .iter()
            .for_each(|c| f(Number::Uint(u64::from(u32::from_le_bytes(*c))))),
        Scalar::I64 => data.as_chunks().0.iter().for_each(|c| f(Number::Int(i64::from_le_bytes(*c)))),
        Scalar::U64 => data.as_chunks().0.iter().for_each(|c| f(Number::Uint(u64::from_le_bytes(*c)))),
        Scalar::F32 => data.as_chunks().0.iter().for_each(|c| f(Number::F32(f32::from_le_bytes(*c)))),
        Scalar::F64 => data.as_chunks().0.iter().for_each(|c| f(Number::F64(f64::from_le_bytes(*c)))),
    }
}

/// An array of numbers: base64 for bytes, otherwise a JSON array.
fn numbers(scalar: Scalar, data: &[u8], out: &mut Vec<u8>) {
    if scalar == Scalar::U8 {
        return base64(data, out);
    }
    out.push(b'[');
    let mut first = true;
    each(scalar, data, |number| {
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        number.write(out);
    });
    out.push(b']');
}

fn base64(data: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let start = out.len();
    out.resize(start + data.len().div_ceil(3) * 4, 0);
    let written = out
        .get_mut(start..)
        .and_then(|room| STANDARD.encode_slice(data, room).ok())
        .unwrap_or(0);
    out.truncate(start + written);
    out.push(b'"');
}

/// A message that cannot be decoded, as base64 in quotes.
pub fn write_base64(data: &[u8], out: &mut Vec<u8>) {
    base64(data, out);
}

/// A JSON string with its quotes.
fn string(text: &str, out: &mut Vec<u8>) {
    let _ = serde_json::to_writer(out, text);
}

fn seconds(sec: i64, nsec: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"sec\":");
    Number::Int(sec).write(out);
    out.extend_from_slice(b",\"nsec\":");
    Number::Int(nsec).write(out);
    out.push(b'}');
}

impl Value {
    /// The same spelling as [`super::Schema::write_json`].
    pub fn to_json(&self) -> String {
        let mut out = Vec::new();
        self.write_json(&mut out);
        String::from_utf8(out).unwrap_or_default()
    }

    pub fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            Value::Null => out.extend_from_slice(b"null"),
            Value::Bool(b) => Number::Bool(*b).write(out),
            Value::Int(i) => Number::Int(*i).write(out),
            Value::Uint(u) => Number::Uint(*u).write(out),
            Value::F32(f) => Number::F32(*f).write(out),
            Value::F64(f) => Number::F64(*f).write(out),
            Value::String(s) => string(s, out),
            Value::Time { sec, nsec } => seconds(i64::from(*sec), i64::from(*nsec), out),
            Value::Duration { sec, nsec } => seconds(i64::from(*sec), i64::from(*nsec), out),
            Value::Bytes(data) => base64(data, out),
            Value::Numbers { kind, data } => numbers(*kind, data, out),
            Value::Array(values) => {
                out.push(b'[');
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    value.write_json(out);
                }
                out.push(b']');
            }
            Value::Struct { names, values } => {
                out.push(b'{');
                for (index, (name, value)) in names.iter().zip(values).enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    string(name, out);
                    out.push(b':');
                    value.write_json(out);
                }
                out.push(b'}');
            }
        }
    }
}

//! Messages → flat rows, as bagpy's and AWS's extractors lay them out: `header_stamp_secs`, `orientation_covariance_0`.
//!
//! Nested fields are joined by `_`; arrays of numbers give a cell for each of their first elements; other lists become one text of
//! JSON, whose structures are flat again. Constants of a type stand behind its fields.
//!
//! Invariant: a definition's cells come in the same order in every message.

use std::fmt::Write as _;

use bytes::Bytes;

use super::json::{Number, each};
use super::parse::Array;
use super::plan::{Kind, Plan};
use super::reader::Reader;
use super::{DecodeError, Scalar, Schema, Value};

/// Of an array of numbers more elements get no cell.
pub const MOST_ELEMENTS: usize = 64;

/// A value of a flat row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Text(String),
    /// A list.
    Json(String),
    /// A truth value or a whole number that is null.
    Null(Scalar),
}

/// Calls `f` with the name and the value of each cell of a message.
pub fn each_cell(schema: &Schema, payload: &Bytes, mut f: impl FnMut(&str, Cell)) -> Result<(), DecodeError> {
    let plan = schema.plan();
    let mut reader = Reader::new(payload);
    structure(plan, plan.root, &mut String::new(), &mut reader, &mut f)?;
    reader.finish()
}

/// Whether each message has the same cells.
pub fn is_regular(schema: &Schema) -> bool {
    fn regular(plan: &Plan, id: usize) -> bool {
        plan.types.get(id).is_some_and(|of| {
            of.fields.iter().all(|field| match (field.kind, field.array) {
                (Kind::Scalar(_), Array::Dynamic) => false,
                (Kind::Struct(id), Array::One) => regular(plan, id),
                _ => true,
            })
        })
    }
    regular(schema.plan(), schema.plan().root)
}

type Sink<'a> = &'a mut dyn FnMut(&str, Cell);

fn structure(plan: &Plan, id: usize, name: &mut String, reader: &mut Reader, f: Sink) -> Result<(), DecodeError> {
    let of = plan.get(id)?;
    for field in &of.fields {
        within(name, &field.name, |name| value(plan, field.kind, field.array, name, reader, f))?;
    }
    for constant in &of.constants {
        if let Some(cell) = constant_cell(&constant.value) {
            within(name, &constant.name, |name| {
                f(name, cell);
                Ok(())
            })?;
        }
    }
    Ok(())
}

fn within(name: &mut String, part: &str, work: impl FnOnce(&mut String) -> Result<(), DecodeError>) -> Result<(), DecodeError> {
    let before = name.len();
    if before > 0 {
        name.push('_');
    }
    name.push_str(part);
    let done = work(name);
    name.truncate(before);
    done
}

fn value(plan: &Plan, kind: Kind, array: Array, name: &mut String, reader: &mut Reader, f: Sink) -> Result<(), DecodeError> {
    if array != Array::One {
        let count = plan.count(kind, array, reader)?;
        if let Kind::Scalar(scalar) = kind {
            let data = reader.take(count.saturating_mul(scalar.size()))?;
            let mut number = 0;
            let shown = data.get(..MOST_ELEMENTS * scalar.size()).unwrap_or(data);
            each(scalar, shown, |element| {
                let before = name.len();
                let _ = write!(name, "_{number}");
                f(name, number_cell(element));
                name.truncate(before);
                number += 1;
            });
            return Ok(());
        }
        let mut json = String::from("[");
        for at in 0..count {
            json.push_str(if at == 0 { "" } else { ", " });
            object(plan, kind, reader, &mut json)?;
        }
        json.push(']');
        f(name, Cell::Json(json));
        return Ok(());
    }
    match kind {
        Kind::Struct(id) => structure(plan, id, name, reader, f)?,
        Kind::Time => {
            let (sec, nsec) = (reader.u32()?, reader.u32()?);
            for (part, number) in [("secs", i64::from(sec)), ("nsecs", i64::from(nsec))] {
                within(name, part, |name| {
                    f(name, Cell::Int(number));
                    Ok(())
                })?;
            }
        }
        Kind::Duration => {
            let (sec, nsec) = (reader.i32()?, reader.i32()?);
            for (part, number) in [("sec", i64::from(sec)), ("nanosec", i64::from(nsec))] {
                within(name, part, |name| {
                    f(name, Cell::Int(number));
                    Ok(())
                })?;
            }
        }
        Kind::String => f(name, Cell::Text(String::from_utf8_lossy(reader.counted(1)?).into_owned())),
        Kind::Scalar(scalar) => f(name, scalar_cell(scalar, reader.take(scalar.size())?)),
        Kind::Maybe(scalar) => {
            let data = plan.maybe(scalar, reader)?;
            f(name, data.map_or(Cell::Null(scalar), |data| scalar_cell(scalar, data)));
        }
    }
    Ok(())
}

/// An element of a list: an object with its flat cells.
fn object(plan: &Plan, kind: Kind, reader: &mut Reader, json: &mut String) -> Result<(), DecodeError> {
    json.push('{');
    let mut is_first = true;
    value(plan, kind, Array::One, &mut String::new(), reader, &mut |name, cell| {
        json.push_str(if is_first { "" } else { ", " });
        is_first = false;
        write_text(name, json);
        json.push_str(": ");
        write_cell(&cell, json);
    })?;
    json.push('}');
    Ok(())
}

fn scalar_cell(scalar: Scalar, data: &[u8]) -> Cell {
    let mut cell = Cell::Null(scalar);
    each(scalar, data, |number| cell = number_cell(number));
    cell
}

fn number_cell(number: Number) -> Cell {
    match number {
        Number::Bool(flag) => Cell::Bool(flag),
        Number::Int(int) => Cell::Int(int),
        Number::Uint(uint) => i64::try_from(uint).map_or(Cell::Uint(uint), Cell::Int),
        Number::F32(float) => Cell::Float(f64::from(float)),
        Number::F64(float) => Cell::Float(float),
    }
}

fn constant_cell(value: &Value) -> Option<Cell> {
    Some(match value {
        Value::Bool(flag) => Cell::Bool(*flag),
        Value::Int(int) => Cell::Int(*int),
        Value::Uint(uint) => i64::try_from(*uint).map_or(Cell::Uint(*uint), Cell::Int),
        Value::F32(float) => Cell::Float(f64::from(*float)),
        Value::F64(float) => Cell::Float(*float),
        Value::String(text) => Cell::Text(text.to_string()),
        _ => return None,
    })
}

/// As Python's `json` writes it.
fn write_cell(cell: &Cell, json: &mut String) {
    match cell {
        Cell::Bool(flag) => json.push_str(if *flag { "true" } else { "false" }),
        Cell::Int(int) => json.push_str(&int.to_string()),
        Cell::Uint(uint) => json.push_str(&uint.to_string()),
        Cell::Null(_) => json.push_str("null"),
        Cell::Float(float) => json.push_str(&python_float(*float)),
        Cell::Text(text) | Cell::Json(text) => write_text(text, json),
    }
}

/// A string as Python's `json` writes it: ASCII only.
fn write_text(text: &str, json: &mut String) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\u{8}' => json.push_str("\\b"),
            '\u{c}' => json.push_str("\\f"),
            ' '..='~' => json.push(c),
            _ => c
                .encode_utf16(&mut [0; 2])
                .iter()
                .for_each(|unit| json.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    json.push('"');
}

/// The shortest digits that give the same number, laid out as Python's `repr` does.
pub fn python_float(float: f64) -> String {
    if float.is_nan() {
        return "NaN".into();
    }
    if float.is_infinite() {
        return if float > 0.0 { "Infinity".into() } else { "-Infinity".into() };
    }
    let scientific = format!("{float:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    match exponent {
        -4..=15 => format!("{float:?}"),
        _ => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
        }
    }
}

//! A message on one line for people: names without quotes, long arrays as their first values and their length.

use std::fmt::Write;

use crate::decode::Value;

const SHOWN: usize = 6;

pub fn write(value: &Value, out: &mut String) {
    match value {
        Value::Struct { names, values } => {
            out.push('{');
            for (i, (name, value)) in names.iter().zip(values).enumerate() {
                let _ = write!(out, "{}{name}: ", if i == 0 { "" } else { ", " });
                write(value, out);
            }
            out.push('}');
        }
        Value::Array(values) => {
            out.push('[');
            for (i, value) in values.iter().take(SHOWN).enumerate() {
                out.push_str(if i == 0 { "" } else { ", " });
                write(value, out);
            }
            more(values.len(), out);
        }
        Value::Numbers { .. } => {
            let json = value.to_json();
            let mut numbers = json.trim_start_matches('[').trim_end_matches(']').split(',');
            let first: Vec<&str> = numbers.by_ref().take(SHOWN).collect();
            out.push('[');
            out.push_str(&first.join(", "));
            more(first.len() + numbers.count(), out);
        }
        Value::Bytes(bytes) => {
            let _ = write!(out, "<{} bytes>", bytes.len());
        }
        Value::Time { sec, nsec } => {
            let _ = write!(out, "{sec}.{nsec:09}");
        }
        Value::Duration { sec, nsec } => {
            let nanos = i64::from(*sec) * 1_000_000_000 + i64::from(*nsec);
            let sign = if nanos < 0 { "-" } else { "" };
            let _ = write!(
                out,
                "{sign}{}.{:09}",
                nanos.unsigned_abs() / 1_000_000_000,
                nanos.unsigned_abs() % 1_000_000_000
            );
        }
        scalar => out.push_str(&scalar.to_json()),
    }
}

fn more(len: usize, out: &mut String) {
    if len > SHOWN {
        let _ = write!(out, ", … {len}");
    }
    out.push(']');
}

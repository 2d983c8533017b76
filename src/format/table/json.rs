//! JSON in texts, once or twice encoded: what it holds, learned from values, and values as parts of messages.
//!
//! Invariant: whatever a text holds, what is written fits the shape that was learned; what is missing is NaN, empty or false, among
//! integers beyond what floats hold 0.

use indexmap::IndexMap;
use serde_json::Value;

use super::non_finite::{infinity, spelled, value};
use super::shape::{FLOAT, Names, Node};

/// Structures are learned no deeper.
const MAX_DEPTH: usize = 24;
/// An object with more keys than this is a mapping, not a structure.
const MOST_KEYS: usize = 512;

/// What JSON texts hold.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    /// Nothing but null, or an empty list's elements.
    Unknown,
    Bool,
    Number,
    /// Integers, from the least to the greatest that was seen.
    Whole(i128, i128),
    Text,
    List(Box<Json>),
    Object(IndexMap<String, Json>),
    /// Values that have nothing in common: their JSON.
    Mixed,
}

/// A text that is an object or a list; an encoded one is opened.
pub(super) fn opened(text: &str) -> Option<Value> {
    let text = text.trim();
    if !text.starts_with(['{', '[', '"']) {
        return None;
    }
    match value(text.as_bytes()).ok()? {
        Value::String(inner) => opened(&inner),
        value => (value.is_object() || value.is_array()).then_some(value),
    }
}

impl Json {
    pub fn of(value: &Value) -> Json {
        Json::learned(value, 0)
    }

    fn learned(value: &Value, depth: usize) -> Json {
        match value {
            _ if depth > MAX_DEPTH => Json::Mixed,
            Value::Null => Json::Unknown,
            Value::Bool(_) => Json::Bool,
            Value::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(n), _) => Json::Whole(n.into(), n.into()),
                (_, Some(n)) => Json::Whole(n.into(), n.into()),
                _ => Json::Number,
            },
            Value::String(text) if infinity(text).is_some() => Json::Number,
            Value::String(text) => match opened(text) {
                Some(inner) => Json::learned(&inner, depth + 1),
                None => Json::Text,
            },
            Value::Array(values) => {
                let elements = values.iter().map(|value| Json::learned(value, depth + 1));
                Json::List(Box::new(elements.reduce(Json::and).unwrap_or(Json::Unknown)))
            }
            Value::Object(map) if map.len() > MOST_KEYS => Json::Mixed,
            Value::Object(map) => Json::Object(map.iter().map(|(k, v)| (k.clone(), Json::learned(v, depth + 1))).collect()),
        }
    }

    /// What holds both.
    pub fn and(self, other: Json) -> Json {
        match (self, other) {
            (Json::Unknown, some) | (some, Json::Unknown) => some,
            (Json::Whole(a, b), Json::Whole(c, d)) => Json::Whole(a.min(c), b.max(d)),
            (Json::Bool, Json::Bool) => Json::Bool,
            (Json::Bool | Json::Number | Json::Whole(..), Json::Bool | Json::Number | Json::Whole(..)) => Json::Number,
            (Json::List(a), Json::List(b)) => Json::List(Box::new(a.and(*b))),
            (Json::Object(mut a), Json::Object(b)) => {
                for (key, json) in b {
                    let known = a.entry(key).or_insert(Json::Unknown);
                    *known = std::mem::replace(known, Json::Unknown).and(json);
                }
                match a.len() {
                    0..=MOST_KEYS => Json::Object(a),
                    _ => Json::Mixed,
                }
            }
            (a, b) if a == b => a,
            _ => Json::Mixed,
        }
    }

    /// None where there is nothing in it.
    pub fn node(&self) -> Option<Node> {
        Some(match self {
            Json::Unknown | Json::Text | Json::Mixed => Node::Text,
            Json::Bool => Node::Number("bool", 1),
            Json::Number => FLOAT,
            Json::Whole(least, greatest) => whole(*least, *greatest),
            Json::List(element) => Node::List(Box::new(element.node().unwrap_or(Node::Text))),
            Json::Object(map) => {
                let mut names = Names::default();
                let parts = map.iter().map(|(key, json)| (names.free(key), json.node().unwrap_or(Node::Text)));
                let parts: Vec<_> = parts.collect();
                (!parts.is_empty()).then_some(Node::Struct(parts))?
            }
        })
    }

    /// Writes a value, or what stands for one that is missing.
    pub fn write(&self, value: Option<&Value>, out: &mut Vec<u8>) {
        let encoded;
        let value = match (self, value) {
            (Json::List(_) | Json::Object(_), Some(Value::String(text))) => {
                encoded = opened(text);
                encoded.as_ref()
            }
            (_, value) => value,
        };
        match self {
            Json::Bool => out.push(u8::from(value.and_then(Value::as_bool).unwrap_or(false))),
            Json::Whole(least, greatest) if whole(*least, *greatest) != FLOAT => {
                let integer = value.and_then(|value| value.as_i64().map(i64::to_le_bytes).or_else(|| Some(value.as_u64()?.to_le_bytes())));
                out.extend_from_slice(&integer.unwrap_or_default());
            }
            Json::Number | Json::Whole(..) => {
                let other = |value: &Value| match value {
                    Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
                    Value::String(text) => infinity(text),
                    _ => None,
                };
                let number = value.and_then(|value| value.as_f64().or_else(|| other(value)));
                out.extend_from_slice(&number.unwrap_or(f64::NAN).to_le_bytes());
            }
            Json::Unknown | Json::Text | Json::Mixed => match value {
                None | Some(Value::Null) => write_text("", out),
                Some(Value::String(text)) => write_text(spelled(text), out),
                Some(other) => write_text(&other.to_string(), out),
            },
            Json::List(element) => {
                let values = value.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                write_count(values.len(), out);
                let is_nested = matches!(**element, Json::Object(ref map) if map.is_empty());
                match is_nested {
                    true => values.iter().for_each(|value| Json::Text.write(Some(value), out)),
                    false => values.iter().for_each(|value| element.write(Some(value), out)),
                }
            }
            Json::Object(map) => {
                let object = value.and_then(Value::as_object);
                for (key, json) in map {
                    let value = object.and_then(|object| object.get(key));
                    match json.node() {
                        Some(_) => json.write(value, out),
                        None => Json::Text.write(value, out),
                    }
                }
            }
        }
    }
}

/// What holds these integers: floats, which know missing ones, as long as they hold each of them exactly.
fn whole(least: i128, greatest: i128) -> Node {
    const EXACT: std::ops::RangeInclusive<i128> = -(1 << 53)..=1 << 53;
    match () {
        () if EXACT.contains(&least) && EXACT.contains(&greatest) => FLOAT,
        () if greatest <= i64::MAX.into() => Node::Number("int64", 8),
        () if least >= 0 => Node::Number("uint64", 8),
        () => FLOAT,
    }
}

pub(super) fn write_count(count: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
}

pub(super) fn write_text(text: &str, out: &mut Vec<u8>) {
    write_count(text.len(), out);
    out.extend_from_slice(text.as_bytes());
}

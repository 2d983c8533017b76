//! YAML into JSON's values, event by event.
//!
//! Invariant: what comes out is no larger than what goes in: aliases, by which a few lines can mean gigabytes, are refused.

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};
use serde_json::{Map, Number, Value};

use super::LayoutError;

const DEEPEST: usize = 100;

/// The first document of a text.
pub fn parse(text: &str) -> Result<Value, LayoutError> {
    let mut open: Vec<Open> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| scan_error(&error))?;
        let line = span.start.line();
        let done = match event {
            Event::Scalar(text, style, _, _) => match open.last_mut() {
                Some(Open::Map { key: key @ None, .. }) => {
                    *key = Some(text.into_owned());
                    continue;
                }
                _ => scalar(&text, style),
            },
            Event::SequenceStart(..) => {
                start(&mut open, Open::List(Vec::new()), line)?;
                continue;
            }
            Event::MappingStart(..) => {
                let map = Open::Map {
                    map: Map::new(),
                    key: None,
                };
                start(&mut open, map, line)?;
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::List(list)) => Value::Array(list),
                Some(Open::Map { map, .. }) => Value::Object(map),
                None => continue,
            },
            Event::Alias(_) => return Err(wrong("it repeats a part of itself by an alias", line)),
            Event::DocumentEnd | Event::StreamEnd => return Ok(Value::Null),
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => continue,
        };
        match open.last_mut() {
            Some(Open::List(list)) => list.push(done),
            Some(Open::Map { map, key }) => match key.take() {
                Some(key) => drop(map.insert(key, done)),
                None => return Err(wrong("a key is no text", line)),
            },
            None => return Ok(done),
        }
    }
    Ok(Value::Null)
}

/// What has begun and not ended.
enum Open {
    List(Vec<Value>),
    Map { map: Map<String, Value>, key: Option<String> },
}

fn start(open: &mut Vec<Open>, what: Open, line: usize) -> Result<(), LayoutError> {
    if open.len() >= DEEPEST {
        return Err(wrong(&format!("it is nested more than {DEEPEST} deep"), line));
    }
    open.push(what);
    Ok(())
}

fn wrong(what: &str, line: usize) -> LayoutError {
    LayoutError::Syntax(format!("{what}, at line {line}"))
}

fn scan_error(error: &ScanError) -> LayoutError {
    wrong(error.info(), error.marker().line())
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return text.into();
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" | ".nan" | ".NaN" | ".NAN" | ".inf" | "-.inf" | "+.inf" => Value::Null,
        "true" | "True" | "TRUE" => true.into(),
        "false" | "False" | "FALSE" => false.into(),
        _ => number(text).unwrap_or_else(|| text.into()),
    }
}

fn number(text: &str) -> Option<Value> {
    let is_number = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)) && text.bytes().any(|b| b.is_ascii_digit());
    if !is_number {
        return None;
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    Some(Value::Number(Number::from_f64(text.parse().ok()?)?))
}

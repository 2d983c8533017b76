//! Lines of named fields: JSON objects and `name=value` pairs (logfmt). Which fields are the time, the level, the logger and the message is
//! told by their names.

use std::borrow::Cow;

use serde_json::Value;

use super::line::{DEBUG, ERROR, FATAL, INFO, Line, WARN, level_of};
use super::times::time_of;

/// By the last part of a field's name, the likelier first.
const TIMES: [&str; 8] = ["time", "ts", "timestamp", "@timestamp", "t", "datetime", "asctime", "date"];
const LEVELS: [&str; 7] = ["level", "lvl", "severity", "levelname", "loglevel", "severitytext", "priority"];
const LOGGERS: [&str; 7] = ["logger", "name", "target", "component", "node", "module", "caller"];
const MESSAGES: [&str; 5] = ["msg", "message", "text", "event", "body"];

struct Field<'a> {
    name: Cow<'a, str>,
    value: Cow<'a, str>,
}

/// None: the line is no such line, or none of its fields is a time.
pub fn parse(line: &[u8]) -> Option<Line<'_>> {
    let mut fields = match line.first()? {
        b'{' => of_json(line)?,
        first if first.is_ascii_alphabetic() => of_pairs(std::str::from_utf8(line).ok()?)?,
        _ => return None,
    };
    let time = take(&mut fields, &TIMES, |text| time_of(text.as_bytes()))?;
    let level = take(&mut fields, &LEVELS, level).unwrap_or(INFO);
    let node = take(&mut fields, &LOGGERS, |text| Some(text.to_owned())).unwrap_or_default();
    let mut said = take(&mut fields, &MESSAGES, |text| Some(text.to_owned())).unwrap_or_default();
    for Field { name, value } in fields {
        let blank = if said.is_empty() { "" } else { " " };
        said.push_str(&format!("{blank}{name}={value}"));
    }
    Some(Line {
        time: Some(time),
        level,
        node: node.into_bytes().into(),
        text_at: line.len(),
        said: Some(said.into_bytes()),
        ..Line::BLANK
    })
}

/// Takes the first field of these names whose value makes sense.
fn take<T>(fields: &mut Vec<Field>, names: &[&str], sense: impl Fn(&str) -> Option<T>) -> Option<T> {
    let of_name = |field: &Field, name: &str| field.name.rsplit('.').next().unwrap_or_default().eq_ignore_ascii_case(name);
    names.iter().find_map(|name| {
        let at = fields.iter().position(|field| of_name(field, name))?;
        let value = sense(&fields.get(at)?.value)?;
        fields.remove(at);
        Some(value)
    })
}

/// A word; a number as Bunyan and Pino have them.
fn level(text: &str) -> Option<u8> {
    match text.parse::<u32>() {
        Ok(..=20) => Some(DEBUG),
        Ok(..=30) => Some(INFO),
        Ok(..=40) => Some(WARN),
        Ok(..=50) => Some(ERROR),
        Ok(_) => Some(FATAL),
        // `DEBUG5`
        Err(_) => level_of(text.trim_end_matches(|c: char| c.is_ascii_digit()).as_bytes()),
    }
}

fn of_json(line: &[u8]) -> Option<Vec<Field<'static>>> {
    let value: Value = serde_json::from_slice(line).ok()?;
    let mut fields = Vec::new();
    flatten(String::new(), value, &mut fields);
    Some(fields)
}

fn flatten(name: String, value: Value, fields: &mut Vec<Field<'static>>) {
    let value = match value {
        Value::Object(inner) => {
            for (key, value) in inner {
                let name = if name.is_empty() { key } else { format!("{name}.{key}") };
                flatten(name, value, fields);
            }
            return;
        }
        Value::String(text) => text,
        other => other.to_string(),
    };
    fields.push(Field {
        name: name.into(),
        value: value.into(),
    });
}

/// `name=value name="a value"`; None where the line is anything else.
fn of_pairs(mut rest: &str) -> Option<Vec<Field<'_>>> {
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-./@".contains(&b));
        if !is_name {
            return None;
        }
        let value: Cow<str>;
        (value, rest) = match after.strip_prefix('"') {
            Some(inside) => {
                let end = closing_mark(inside)?;
                let quoted = after.get(..end + 2)?;
                let plain = || inside.get(..end).unwrap_or_default().to_owned();
                (
                    serde_json::from_str(quoted).unwrap_or_else(|_| plain()).into(),
                    inside.get(end + 1..)?,
                )
            }
            None => {
                let end = after.find(' ').unwrap_or(after.len());
                (after.get(..end)?.into(), after.get(end..)?)
            }
        };
        fields.push(Field { name: name.into(), value });
        rest = rest.trim_start_matches(' ');
    }
    Some(fields)
}

fn closing_mark(inside: &str) -> Option<usize> {
    let mut is_escaped = false;
    inside.bytes().position(|b| {
        let closes = b == b'"' && !is_escaped;
        is_escaped = b == b'\\' && !is_escaped;
        closes
    })
}

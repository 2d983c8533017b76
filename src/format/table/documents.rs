//! JSON that is one document or compressed: an array, what `aws dynamodb scan` prints, an export of DynamoDB to S3.

use std::borrow::Cow;
use std::io::Read as _;

use bytes::Bytes;
use flate2::read::{GzDecoder, MultiGzDecoder};
use serde_json::{Map, Value};

use super::non_finite::value;

/// A document is no longer, nor what it is unpacked: it is read whole.
pub const LONGEST_DOCUMENT_BYTES: u64 = 512 << 20;
/// Of a compressed one so much is unpacked to see what it is.
const START_BYTES: u64 = 64 << 10;
const GZIP: &[u8] = &[0x1f, 0x8b];
const MARK: &[u8] = b"\xef\xbb\xbf";
/// Fields that hold the items of a document.
const LISTS: [&str; 3] = ["Items", "items", "scenes"];
/// The field that holds an item of an export.
const ITEM: &str = "Item";

/// Whether a file that begins so is JSON, but not plain lines of it.
pub fn is_document(head: &[u8]) -> bool {
    let start = start(head);
    let start = start.strip_prefix(MARK).unwrap_or(&start).trim_ascii_start();
    let begins = |with: &[u8], then: &[u8]| {
        start
            .strip_prefix(with)
            .is_some_and(|rest| rest.trim_ascii_start().starts_with(then))
    };
    let (is_array, is_object) = (begins(b"[", b"{"), begins(b"{", b"\""));
    if is_array || head.starts_with(GZIP) {
        return is_array || is_object;
    }
    let first = start.split(|b| *b == b'\n').next().unwrap_or_default();
    match value(first) {
        Ok(Value::Object(only)) => match (only.len(), only.get(ITEM)) {
            (1, Some(item)) => item.is_object(),
            _ => LISTS.iter().any(|name| only.get(*name).is_some_and(Value::is_array)),
        },
        Ok(_) => false,
        // it goes on in other lines, or is longer than what was read of it
        Err(_) => is_object && (first.len() < start.len() || starts_with_list(start)),
    }
}

/// Whether the first field is one of items.
fn starts_with_list(start: &[u8]) -> bool {
    let name = start
        .strip_prefix(b"{")
        .and_then(|rest| rest.trim_ascii_start().strip_prefix(b"\""));
    name.is_some_and(|name| LISTS.iter().any(|list| name.starts_with(format!("{list}\"").as_bytes())))
}

/// The first bytes, unpacked.
pub fn start(head: &[u8]) -> Cow<'_, [u8]> {
    if !head.starts_with(GZIP) {
        return Cow::Borrowed(head);
    }
    // it ends in the middle
    let mut start = Vec::new();
    let _ = GzDecoder::new(head).take(START_BYTES).read_to_end(&mut start);
    Cow::Owned(start)
}

/// All bytes of a document, unpacked where they are compressed. An error is a sentence.
pub fn unpacked(bytes: Bytes) -> Result<Bytes, String> {
    if !bytes.starts_with(GZIP) {
        return Ok(bytes);
    }
    let mut whole = Vec::new();
    let unpacked = MultiGzDecoder::new(&*bytes)
        .take(LONGEST_DOCUMENT_BYTES + 1)
        .read_to_end(&mut whole);
    match unpacked {
        Ok(_) if whole.len() as u64 > LONGEST_DOCUMENT_BYTES => Err(too_long()),
        Ok(_) => Ok(whole.into()),
        Err(error) => Err(format!("the compressed JSON is damaged ({error})")),
    }
}

pub fn too_long() -> String {
    format!(
        "the JSON is longer than {} MiB, and would have to be read whole",
        LONGEST_DOCUMENT_BYTES >> 20
    )
}

/// The items of a document as JSON Lines, as plain values. An error is a sentence.
pub fn lines(bytes: &[u8]) -> Result<Bytes, String> {
    let mut lines = Vec::new();
    for item in items(bytes)? {
        let is_typed = !item.is_empty() && item.values().all(is_typed);
        let item: Map<String, Value> = match is_typed {
            true => item.into_iter().map(|(name, value)| (name, untyped(value))).collect(),
            false => item,
        };
        // writing to memory does not fail
        let _ = serde_json::to_writer(&mut lines, &item);
        lines.push(b'\n');
    }
    match lines.is_empty() {
        true => Err("a JSON document without items: there is no row in it".into()),
        false => Ok(lines.into()),
    }
}

/// The names of a first item, as far as the first bytes show it.
pub fn names(head: &[u8]) -> Vec<String> {
    let start = start(head);
    let first = start.trim_ascii_start().split(|b| *b == b'\n').next().unwrap_or_default();
    if let Some(item) = items(first).ok().and_then(|items| items.into_iter().next()) {
        return item.into_iter().map(|(name, _)| name).collect();
    }
    let text = String::from_utf8_lossy(&start);
    let strings: Vec<String> = text.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    let is_list = text.trim_start().starts_with('[') || strings.iter().any(|name| LISTS.contains(&&**name));
    if is_list { strings } else { Vec::new() }
}

/// One JSON value (`Items` of `aws dynamodb scan` and of backups, an array, one object), or one a line (`Item`s of an export to S3, plain
/// objects). An error is a sentence.
pub fn items(bytes: &[u8]) -> Result<Vec<Map<String, Value>>, String> {
    let bytes = bytes.strip_prefix(MARK).unwrap_or(bytes);
    let values: Vec<Value> = match serde_json::from_slice::<Value>(bytes) {
        Ok(Value::Array(items)) => items,
        Ok(Value::Object(mut whole)) => match LISTS.iter().find_map(|name| whole.remove(*name)) {
            Some(Value::Array(items)) => items,
            _ => vec![serde_json::from_slice(bytes).map_err(|error| error.to_string())?],
        },
        // an array that is cut off, or a document of several lines
        Err(error) if bytes.trim_ascii_start().starts_with(b"[") => return Err(format!("this is no JSON ({error})")),
        _ => {
            let lines = bytes
                .split(|b| *b == b'\n')
                .enumerate()
                .filter(|(_, line)| !line.trim_ascii().is_empty());
            let read = lines.map(|(number, line)| value(line).map_err(|error| format!("line {} is no JSON ({error})", number + 1)));
            read.collect::<Result<_, _>>()?
        }
    };
    Ok(values.into_iter().filter_map(item).collect())
}

/// `{"Item": {…}}`, or the item itself.
fn item(value: Value) -> Option<Map<String, Value>> {
    let Value::Object(mut item) = value else { return None };
    match (item.len(), item.remove(ITEM)) {
        (1, Some(Value::Object(inner))) => Some(inner),
        (_, Some(other)) => {
            item.insert(ITEM.to_owned(), other);
            Some(item)
        }
        (_, None) => Some(item),
    }
}

/// Whether a value says its type, as DynamoDB's do: `{"N": "1.5"}`.
fn is_typed(value: &Value) -> bool {
    let Value::Object(map) = value else { return false };
    let mut parts = map.iter();
    let (Some((kind, inner)), None) = (parts.next(), parts.next()) else {
        return false;
    };
    match &**kind {
        "S" | "N" | "B" => inner.is_string(),
        "BOOL" | "NULL" => inner.is_boolean(),
        "SS" | "NS" | "BS" => inner.is_array(),
        "L" => inner.as_array().is_some_and(|values| values.iter().all(is_typed)),
        "M" => inner.as_object().is_some_and(|fields| fields.values().all(is_typed)),
        _ => false,
    }
}

/// The same without its type.
fn untyped(value: Value) -> Value {
    let number = |text: &str| serde_json::from_str::<serde_json::Number>(text).map(Value::Number);
    let Value::Object(map) = value else { return value };
    let Some((kind, inner)) = map.into_iter().next() else {
        return Value::Null;
    };
    match (&*kind, inner) {
        ("NULL", _) => Value::Null,
        ("N", Value::String(text)) => number(&text).unwrap_or(Value::String(text)),
        ("NS", Value::Array(texts)) => {
            let numbers = texts
                .into_iter()
                .map(|text| text.as_str().and_then(|text| number(text).ok()).unwrap_or(text));
            Value::Array(numbers.collect())
        }
        ("L", Value::Array(values)) => Value::Array(values.into_iter().map(untyped).collect()),
        ("M", Value::Object(fields)) => Value::Object(fields.into_iter().map(|(name, value)| (name, untyped(value))).collect()),
        (_, inner) => inner,
    }
}

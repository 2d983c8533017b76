//! What the first lines of a CSV file say of its columns.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::csv::reader::Format as CsvFormat;
use arrow::datatypes::{DataType, Field, Schema};
use bytes::Bytes;

use super::{Columns, Kind, csv_reader, ending, row_end};
use crate::format::FormatError;

/// Where the head begins: behind a byte order mark and lines of comment, which have fewer columns than what follows them.
fn head_start(first: &[u8]) -> usize {
    let mut at = if first.starts_with("\u{feff}".as_bytes()) { 3 } else { 0 };
    let columns = |line: &[u8]| line.iter().filter(|b| matches!(b, b',' | b';' | b'\t' | b'|')).count();
    loop {
        let rest = first.get(at..).unwrap_or_default();
        let mut lines = rest.split_inclusive(|b| *b == b'\n');
        match (lines.next(), lines.find(|line| !line.starts_with(b"#"))) {
            (Some(line), Some(next)) if line.starts_with(b"#") && columns(line) < columns(next) => at += line.len(),
            _ => return at,
        }
    }
}

/// Names are no numbers; of columns that have none but numbers, these count up, as pandas writes them.
fn is_head(record: &csv::StringRecord) -> bool {
    let is_number = |value: &str| value.trim().parse::<f64>().is_ok();
    let counts_up = record.iter().enumerate().all(|(at, value)| value.trim() == at.to_string());
    counts_up || !record.iter().all(is_number)
}

pub(super) fn columns(first: &Bytes, path: &str) -> Result<Columns, FormatError> {
    let start = head_start(first);
    let first = first.get(start..).unwrap_or_default();
    let head_end = row_end(first, 0, true).unwrap_or(first.len());
    let head = first.get(..head_end).unwrap_or_default();
    let delimiter = match ending(path).as_str() {
        "tsv" => b'\t',
        _ => *[b',', b';', b'\t', b'|']
            .iter()
            .max_by_key(|d| (head.iter().filter(|b| b == d).count(), **d == b','))
            .unwrap_or(&b','),
    };
    let head: csv::StringRecord = csv_reader(head, delimiter)
        .byte_records()
        .find_map(Result::ok)
        .map(|record| record.iter().map(String::from_utf8_lossy).collect())
        .unwrap_or_default();
    let has_head = is_head(&head);
    let body = if has_head { head_end } else { 0 };
    let types = types_of(first.get(body..).unwrap_or_default(), delimiter, head.len());
    // each name once, as columns are found by them
    let mut seen = BTreeSet::new();
    let fields = head.iter().enumerate().map(|(at, name)| {
        // as `rostopic echo -p` and numpy mark a head
        let name = if at == 0 {
            name.trim_start_matches(['%', '#']).trim_start()
        } else {
            name
        };
        let name = match has_head && !name.is_empty() && seen.insert(name.to_owned()) {
            true => name.to_owned(),
            false if has_head && !name.is_empty() => format!("{name}_{}", at + 1),
            false => format!("column_{}", at + 1),
        };
        Field::new(name, types.get(at).cloned().unwrap_or(DataType::Utf8), true)
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    Ok((Kind::Csv { delimiter }, schema, BTreeMap::new(), start + body))
}

/// What the values of so many columns are, by the rows that have as many.
fn types_of(body: &[u8], delimiter: u8, columns: usize) -> Vec<DataType> {
    let mut whole = csv::WriterBuilder::new().from_writer(Vec::new());
    let mut reader = csv_reader(body, delimiter);
    for record in reader.byte_records().flatten().filter(|record| record.len() == columns) {
        let record: csv::StringRecord = record.iter().map(String::from_utf8_lossy).collect();
        if whole.write_record(&record).is_err() {
            break;
        }
    }
    let whole = whole.into_inner().unwrap_or_default();
    let inferred = CsvFormat::default().with_header(false).infer_schema(&whole[..], None);
    inferred.map_or_else(
        |_| Vec::new(),
        |(schema, _)| schema.fields().iter().map(|f| f.data_type().clone()).collect(),
    )
}

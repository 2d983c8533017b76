//! The first record of an Avro file as JSON: all that is wanted of a Hudi commit.

use std::io::Cursor;

use serde_json::Value;

const MAGIC: &[u8] = b"Obj\x01";

pub(super) fn is_file(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

pub(super) fn first_record(bytes: &[u8]) -> Result<Value, String> {
    let mut reader = arrow_avro::reader::ReaderBuilder::new()
        .build(Cursor::new(bytes))
        .map_err(|error| error.to_string())?;
    let batch = reader.next().ok_or("it holds no record")?.map_err(|error| error.to_string())?;
    let mut rows = super::super::json_rows(&batch).map_err(|error| error.to_string())?;
    match rows.is_empty() {
        true => Err("it holds no record".into()),
        false => Ok(rows.swap_remove(0)),
    }
}

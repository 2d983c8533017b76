//! A message definition, a zero byte, and a message to be read with it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use roadreel::decode::Schema;

fuzz_target!(|data: &[u8]| {
    let (definition, payload) = data.split_at(data.iter().position(|b| *b == 0).unwrap_or(data.len()));
    let Ok(schema) = Schema::ros1("a/A", &String::from_utf8_lossy(definition)) else { return };
    let payload = payload.get(1..).unwrap_or_default();
    let _ = schema.validate(payload);
    let _ = schema.write_json(payload, &mut Vec::new());
    let payload = bytes::Bytes::copy_from_slice(payload);
    let _ = schema.value(&payload);
    if let Some(form) = schema.form() {
        let _ = schema.decode(form, &payload);
    }
    for path in schema.scalar_paths() {
        let _ = roadreel::path::Column::of_fields(&schema, &path);
    }
});

//! The MD5 by which ROS 1 tells versions of a message type apart: <https://wiki.ros.org/ROS/Technical%20Overview> and genmsg.
//!
//! The text that is hashed: constants first, `type name=value`, then fields, `type name`, comments and spare spaces left out; a field
//! of another message type bears that type's own MD5 instead of its name.

use std::collections::HashMap;

use md5::{Digest, Md5};

use super::parse::{Array, Definition, canonical};

const MAX_DEPTH: usize = 32;

/// Of a type among definitions by full name, each of which is asked for once; None where one is missing or makes no sense.
pub(super) fn md5_of(type_name: &str, definition_of: &mut dyn FnMut(&str) -> Option<Definition>) -> Option<String> {
    let mut known = HashMap::new();
    sum(&canonical(type_name), definition_of, &mut known, 0)
}

fn sum(
    type_name: &str,
    definition_of: &mut dyn FnMut(&str) -> Option<Definition>,
    known: &mut HashMap<String, String>,
    depth: usize,
) -> Option<String> {
    if let Some(known) = known.get(type_name) {
        return Some(known.clone());
    }
    if depth > MAX_DEPTH {
        return None;
    }
    let definition = definition_of(type_name)?;
    let mut lines = Vec::with_capacity(definition.constants.len() + definition.fields.len());
    for constant in &definition.constants {
        lines.push(format!("{} {}={}", constant.type_name, constant.name, constant.value));
    }
    for field in &definition.fields {
        let kind = match full_name(type_name, &field.type_name) {
            Some(full) => sum(&full, definition_of, known, depth + 1)?,
            None => match field.array {
                Array::One => field.type_name.clone(),
                Array::Fixed(n) => format!("{}[{n}]", field.type_name),
                Array::Dynamic => format!("{}[]", field.type_name),
            },
        };
        lines.push(format!("{kind} {}", field.name));
    }
    let hash = Md5::digest(lines.join("\n").as_bytes());
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    known.insert(type_name.to_owned(), hex.clone());
    Some(hex)
}

/// The message type that a field's type stands for; None for built-in types.
pub(super) fn full_name(inside: &str, base: &str) -> Option<String> {
    const BUILT_IN: [&str; 16] = [
        "bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64", "string", "time",
        "duration", "byte", "char",
    ];
    if BUILT_IN.contains(&base) {
        return None;
    }
    Some(match base {
        "Header" => "std_msgs/Header".to_owned(),
        base if base.contains('/') => canonical(base),
        base => format!("{}/{base}", inside.split('/').next().unwrap_or_default()),
    })
}

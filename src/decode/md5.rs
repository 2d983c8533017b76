//! The MD5 by which ROS 1 tells versions of a message type apart: <https://wiki.ros.org/ROS/Technical%20Overview> and genmsg.
//!
//! The text that is hashed: constants first, `type name=value`, then fields, `type name`, comments and spare spaces left out; a field
//! of another message type bears that type's own MD5 instead of its name.

use std::collections::HashMap;

use md5::{Digest, Md5};

use super::parse::canonical;

const MAX_DEPTH: usize = 32;

/// Of a type among definitions by full name; None where one is missing or makes no sense.
pub(super) fn md5_of(type_name: &str, texts: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut known = HashMap::new();
    sum(&canonical(type_name), texts, &mut known, 0)
}

fn sum(type_name: &str, texts: &dyn Fn(&str) -> Option<String>, known: &mut HashMap<String, String>, depth: usize) -> Option<String> {
    if let Some(known) = known.get(type_name) {
        return Some(known.clone());
    }
    if depth > MAX_DEPTH {
        return None;
    }
    let (mut constants, mut fields) = (String::new(), String::new());
    for raw in texts(type_name)?.lines() {
        let line = raw.split('#').next().unwrap_or_default().trim();
        let Some((kind, rest)) = line.split_once(char::is_whitespace) else {
            continue;
        };
        if rest.contains('=') {
            // a string's value is all that follows, `#` and all
            let whole = if kind == "string" { raw.trim() } else { line };
            let (name, value) = whole.split_once(char::is_whitespace)?.1.split_once('=')?;
            constants.push_str(&format!("{kind} {}={}\n", name.trim(), value.trim()));
            continue;
        }
        let base = kind.split('[').next().unwrap_or(kind);
        let of = match full_name(type_name, base) {
            None => kind.to_owned(),
            Some(full) => sum(&full, texts, known, depth + 1)?,
        };
        fields.push_str(&format!("{of} {}\n", rest.trim()));
    }
    let text = constants + &fields;
    let hash = Md5::digest(text.trim().as_bytes());
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

//! What a layout file must not hold: paths of one machine, addresses with queries, secrets.
//!
//! Invariant: only such texts change; a topic's name, however it looks, is none of them.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::source::is_secret_name;

/// An address up to its query, with whoever signs in; then the query and the fragment.
static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let address = r#"(?i)\b(https?|s3|wss?|ftp|roadreel)://(?:[^\s/?#"'@]*@)?([^\s?#"'@]*)(\?[^\s#"']*)?(#[^\s"']*)?"#;
    Regex::new(address).ok()
});

/// The whole of a text is a path that means something on one machine only. Topics start with `/` too: there, only endings that no
/// field is called tell.
static MACHINE_PATH: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let files = "bag|mcap|db3|parquet|csv|yaml|yml|rviz|pmtiles|mbtiles|urdf|xacro|sdf|dae|stl|glb|gltf|png|jpg|jpeg|pem";
    Regex::new(&format!(
        r"(?i)^(file:.*|~[/\\].*|(?-i:[A-Z]):[\\/].*|[a-z]:\\.*|\\\\[^\\]+\\.*|/.+\.({files}))$"
    ))
    .ok()
});

/// Keys whose text is the path of a file.
const FILES: [&str; 2] = ["tile_file", "filePath"];

/// Takes out of all texts in `value` what should not be shared. Where: JSON pointers.
pub fn scrub(value: &mut Value) -> Vec<String> {
    let mut changed = Vec::new();
    walk(value, "", &mut changed);
    changed
}

fn walk(value: &mut Value, at: &str, changed: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            if let Some(clean) = without_secrets(text) {
                *text = clean;
                changed.push(at.to_owned());
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter_mut().enumerate() {
                walk(value, &format!("{at}/{index}"), changed);
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                let inside = format!("{at}/{}", escape(key));
                match value {
                    Value::String(text) if FILES.contains(&key.as_str()) && text.starts_with('/') => {
                        *text = file_name(text);
                        changed.push(inside);
                    }
                    Value::String(text) if !key.starts_with('/') && is_secret_name(key) && !text.is_empty() => {
                        text.clear();
                        changed.push(inside);
                    }
                    value => walk(value, &inside, changed),
                }
            }
        }
        _ => {}
    }
}

/// The text without queries and machine paths; None where it has none.
fn without_secrets(text: &str) -> Option<String> {
    if MACHINE_PATH.as_ref().is_some_and(|r| r.is_match(text)) {
        return Some(file_name(text));
    }
    if !text.contains("://") {
        return None;
    }
    let clean = ADDRESS.as_ref()?.replace_all(text, "$1://$2");
    (clean != text).then(|| clean.into_owned())
}

fn file_name(path: &str) -> String {
    path.rsplit(['/', '\\']).next().unwrap_or_default().to_owned()
}

/// A key as JSON pointers spell it.
pub fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

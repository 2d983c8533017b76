//! Lines of a log as files hold them: text, CSV, JSON lines.
//!
//! Invariant: but for text, a line of the log is one line of the file, whatever it says.

use super::captured::Captured;
use super::lines::{Lines, Place};
use super::row;
use crate::decode::LogRow;
use crate::store::TopicId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Text,
    Csv,
    Json,
}

impl Format {
    pub fn file_name(self) -> &'static str {
        match self {
            Format::Text => "log.txt",
            Format::Csv => "log.csv",
            Format::Json => "log.jsonl",
        }
    }

    /// What stands before all lines.
    pub fn head(self, captured: &Captured) -> String {
        match self {
            Format::Text | Format::Json => String::new(),
            Format::Csv => {
                let more: String = captured.names().iter().map(|name| format!(",{name}")).collect();
                format!("received_ns,stamp_ns,level,topic,node,file,line,function,message{more}\n")
            }
        }
    }

    pub fn line(self, name_of: &dyn Fn(TopicId) -> String, place: Place, line: &LogRow, captured: &Captured) -> String {
        let topic = || name_of(Lines::topic(place));
        match self {
            Format::Text => row::as_text(name_of, place, line),
            Format::Csv => {
                let stamp = line.stamp.map_or_else(String::new, |t| t.0.to_string());
                let level = line.level.name().to_uppercase();
                let texts = [&*topic(), &**line.node, line.file].map(quoted).join(",");
                let (function, message) = (quoted(line.function), quoted(line.text.trim_end()));
                let more: String = captured.of(line.text).into_iter().map(|v| format!(",{}", quoted(v))).collect();
                format!("{},{stamp},{level},{texts},{},{function},{message}{more}", place.time.0, line.line)
            }
            Format::Json => with_columns(
                captured,
                line.text,
                serde_json::json!({
                    "received_ns": place.time.0,
                    "stamp_ns": line.stamp.map(|t| t.0),
                    "level": line.level.name().to_uppercase(),
                    "topic": topic(),
                    "node": &**line.node,
                    "file": line.file,
                    "line": line.line,
                    "function": line.function,
                    "message": line.text.trim_end(),
                }),
            )
            .to_string(),
        }
    }
}

/// As `columns`, where an expression makes some.
fn with_columns(captured: &Captured, text: &str, mut line: serde_json::Value) -> serde_json::Value {
    if !captured.names().is_empty() {
        let columns = captured.names().iter().zip(captured.of(text));
        line["columns"] = columns.map(|(name, value)| (name.clone(), serde_json::json!(value))).collect();
    }
    line
}

/// A newline within a cell would be taken for the next line by most tools.
fn quoted(text: &str) -> String {
    let text = text.replace('\n', "\\n").replace('\r', "\\r");
    match text.contains([',', '"']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

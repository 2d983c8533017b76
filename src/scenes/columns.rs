//! Which column of a table means what of a scene, by its name, whoever named it.

use std::collections::BTreeMap;

use crate::format::table::scenes::{END, ENDS, LENGTH, START, STARTS, TIMES, plain};

/// How columns are called, the likeliest first; the first of each row is AWS's own name, under which a scene is read.
const NAMES: &[&[&str]] = &[
    &[
        "bag_file",
        "bag",
        "bag_name",
        "bagfile",
        "recording",
        "record",
        "record_id",
        "drive_id",
        "drive",
        "file_id",
        "file_name",
        "filename",
        "file",
        "source_file",
    ],
    &["scene_id", "event_id", "id", "uuid", "scene"],
    &["bag_file_prefix", "s3_key", "object_key", "key", "prefix", "path"],
    &["bag_file_bucket", "s3_bucket", "bucket"],
    STARTS,
    ENDS,
    &[
        LENGTH,
        "duration",
        "length",
        "duration_s",
        "duration_sec",
        "duration_secs",
        "length_s",
        "duration_ms",
        "duration_us",
        "duration_ns",
    ],
    &["class", "label", "type", "category", "event_type", "event", "kind", "tag", "name"],
    &["text", "description", "comment", "note", "notes", "title"],
];

/// The columns of a table of scenes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Columns {
    /// AWS's name of each column that has one.
    known: BTreeMap<usize, &'static str>,
    /// Seconds for each 1 of a length.
    length_secs: f64,
    names: Vec<String>,
}

impl Columns {
    /// None where no column says from when on a scene is.
    pub fn of(names: &[&str]) -> Option<Columns> {
        let plain: Vec<String> = names.iter().map(|name| plain(name)).collect();
        let at = |name: &&str| plain.iter().position(|other| other == name);
        let mut known: BTreeMap<usize, &'static str> = BTreeMap::new();
        for group in NAMES {
            if let (Some(at), Some(own)) = (group.iter().find_map(at), group.first()) {
                known.entry(at).or_insert(own);
            }
        }
        let has = |known: &BTreeMap<usize, &str>, name: &str| known.values().any(|own| *own == name);
        if !has(&known, START) {
            match TIMES.iter().find_map(at) {
                Some(at) => drop(known.insert(at, START)),
                None if has(&known, "scene_id") && has(&known, END) => {}
                None => return None,
            }
        }
        let length = known.iter().find(|(_, own)| **own == LENGTH).and_then(|(at, _)| plain.get(*at));
        let length_secs = match length.and_then(|name| name.rsplit('_').next()) {
            Some("ms") => 1e-3,
            Some("us") => 1e-6,
            Some("ns") => 1e-9,
            _ => 1.0,
        };
        Some(Columns {
            known,
            length_secs,
            names: names.iter().map(|name| (*name).to_owned()).collect(),
        })
    }

    /// A row under AWS's names, further columns under their own. `text` gives the text of a column by its number.
    pub fn item(&self, mut text: impl FnMut(usize) -> Option<String>) -> BTreeMap<String, String> {
        let mut item = BTreeMap::new();
        for (at, name) in self.names.iter().enumerate() {
            // null, as DynamoDB says it
            let value = text(at).unwrap_or_else(|| "null".to_owned());
            let own = self.known.get(&at).copied();
            let value = match own {
                Some(LENGTH) => self.seconds(value),
                _ => value,
            };
            item.insert(own.map_or_else(|| name.clone(), str::to_owned), value);
        }
        item
    }

    /// Of `500`, in what the column is called after, or `500ms`.
    fn seconds(&self, length: String) -> String {
        let text = length.trim();
        let is_of_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E');
        let (number, unit) = text.split_at(text.find(|c| !is_of_number(c)).unwrap_or(text.len()));
        let secs = match unit.trim() {
            "" if self.length_secs == 1.0 => return length,
            "" => self.length_secs,
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" | "sec" | "secs" | "seconds" => 1.0,
            "min" => 60.0,
            "h" => 3600.0,
            _ => return length,
        };
        number.parse::<f64>().map_or(length, |number| (number * secs).to_string())
    }
}

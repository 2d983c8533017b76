//! Which column of a table means what of a scene, by its name, whoever named it.

use std::collections::BTreeMap;

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
    &[
        START,
        "start",
        "start_timestamp",
        "start_ts",
        "starttime",
        "start_at",
        "scene_start",
        "start_s",
        "start_sec",
        "start_secs",
        "start_ms",
        "start_us",
        "t_start",
        "time_start",
        "begin",
        "begin_time",
        "begin_ts",
        "from",
        "from_time",
        "onset",
    ],
    &[
        END,
        "end",
        "end_timestamp",
        "end_ts",
        "endtime",
        "end_at",
        "scene_end",
        "end_s",
        "end_sec",
        "end_secs",
        "end_ms",
        "end_us",
        "t_end",
        "time_end",
        "stop",
        "stop_time",
        "to",
        "to_time",
        "until",
        "finish",
    ],
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

const START: &str = "start_time";
const END: &str = "end_time";
const LENGTH: &str = "scene_length";
/// Where a table has no start, its rows are moments at these.
const TIMES: &[&str] = &[
    "time",
    "timestamp",
    "timestamp_ns",
    "time_ns",
    "stamp",
    "ts",
    "t",
    "datetime",
    "date_time",
    "event_time",
    "date",
];
/// Starts and ends that are nothing else in a table of measurements.
const PLAIN: [&str; 4] = ["start", "begin", "end", "stop"];
/// Exact times, which may stand beside those in seconds, and then under these names.
const EXACT: [(&str, &str); 2] = [("start_ns", START), ("end_ns", END)];

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
        for (exact, own) in EXACT {
            let is_there = known.values().any(|known| *known == own);
            if let (Some(at), false) = (at(&exact), is_there) {
                known.insert(at, own);
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

    /// Whether a table with these columns is scenes rather than measurements: it has ids of scenes, or starts and ends and no time of its own.
    pub fn are_of_scenes(names: &[&str]) -> bool {
        let plain: Vec<String> = names.iter().map(|name| plain(name)).collect();
        let is = |wanted: &str| plain.iter().any(|name| name == wanted);
        let has = |group: &str| {
            let group = NAMES
                .iter()
                .find(|names| names.first() == Some(&group))
                .copied()
                .unwrap_or_default();
            let sure = group.iter().filter(|name| PLAIN.iter().any(|plain| name.contains(plain)));
            sure.into_iter().any(|name| is(name))
        };
        let has_time = TIMES.iter().any(|time| is(time));
        is("scene_id") || (has(START) && (has(END) || is(LENGTH) || is("duration")) && !has_time)
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

    fn seconds(&self, length: String) -> String {
        match length.trim().parse::<f64>() {
            Ok(number) if self.length_secs != 1.0 => (number * self.length_secs).to_string(),
            _ => length,
        }
    }
}

/// `Start time`, `startTime` and `START_TIME` are `start_time`.
fn plain(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut was_lower = false;
    for c in name.trim().chars() {
        if c.is_uppercase() && was_lower {
            out.push('_');
        }
        was_lower = c.is_lowercase() || c.is_ascii_digit();
        match c.is_alphanumeric() {
            true => out.extend(c.to_lowercase()),
            false => out.push('_'),
        }
    }
    out.trim_matches('_').to_owned()
}

//! Scenes by id: a DynamoDB table says in which recording a scene lies, and from when to when.
//!
//! Tables of several generations are understood: the prefix of a recording is its key, or the folder it lies in; times are
//! numbers of any unit, texts, null or nonsense.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use serde::Deserialize;

use super::s3::failure::of_sdk;
use super::{Location, Net, SourceError};
use crate::time::{Span, Time, When};

/// A DynamoDB table of scenes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SceneTable {
    pub table_name: String,
    pub region: Option<String>,
    /// Of the record: the recording's name.
    pub partition_key: String,
    pub sort_key: String,
}

impl Default for SceneTable {
    fn default() -> SceneTable {
        SceneTable {
            table_name: "Rosbag-Scene-Metadata".to_owned(),
            region: None,
            partition_key: "bag_file".to_owned(),
            sort_key: "scene_id".to_owned(),
        }
    }
}

/// A span of a recording that somebody found worth a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scene {
    /// What tables call the recording; empty where they name none.
    pub record: String,
    pub id: String,
    /// What it is a scene of: `PersonInLane`, `braking`.
    pub class: Option<String>,
    /// What somebody wrote of it.
    pub text: Option<String>,
    pub bucket: Option<String>,
    /// As it stands in the table: the recording's key, or the folder it lies in.
    pub prefix: Option<String>,
    /// The recording's name.
    pub file: String,
    /// As they stand in the table.
    pub start_text: Option<String>,
    pub end_text: Option<String>,
    pub start: Option<Time>,
    pub end: Option<Time>,
    /// Fields that the table does not have of it, not even as null.
    pub missing: Vec<&'static str>,
    /// The table has no column for them.
    pub names_no_recordings: bool,
    /// What is odd about it: sentences.
    pub odd: Vec<String>,
    /// Everything else that the table says of it.
    pub notes: Vec<(String, String)>,
}

fn folder_of(path: &std::path::Path) -> Option<String> {
    let path = std::path::absolute(path).ok()?;
    Some(path.parent()?.file_name()?.to_string_lossy().into_owned())
}

/// What stood in the place of a time and is none, in tables that we write.
pub const START_TEXT: &str = "start_text";
pub const END_TEXT: &str = "end_text";

/// Names of what a scene is of, the likeliest first.
const CLASSES: [&str; 7] = ["class", "label", "type", "category", "event_type", "event", "tag"];
const TEXTS: [&str; 5] = ["text", "description", "comment", "note", "notes"];

impl Scene {
    /// A scene of the recording that lies there, as AWS's detector would name it.
    pub fn new(recording: &Location, class: &str, span: Span) -> Scene {
        let name = recording.name();
        let record = record_of(&name).to_owned();
        // of a local one its folder is as good as a bucket, as in tables that are exported
        let (bucket, key) = match recording {
            Location::S3(address) => (Some(address.bucket.clone()), address.key.clone()),
            Location::Path(path) => (folder_of(path), name),
            Location::Url(_) => (None, name),
        };
        Scene {
            id: format!("{record}_{class}_{:?}", span.start.nearest_secs()),
            class: Some(class.to_owned()),
            bucket,
            prefix: Some(key),
            file: record.clone(),
            record,
            start: Some(span.start),
            end: Some(span.end),
            ..Scene::default()
        }
    }

    /// Reads an item's strings and numbers under the names of AWS's table; what is null or missing is None, what makes no sense as a
    /// time, too.
    pub fn of_item(table: &SceneTable, mut item: BTreeMap<String, String>) -> Scene {
        let fields = ["bag_file_bucket", "bag_file_prefix", "start_time"];
        let missing = fields.into_iter().filter(|name| !item.contains_key(*name)).collect();
        let names_no_recordings = !item.contains_key(&table.partition_key) && !item.contains_key("bag_file_prefix");
        // what is null is known to be nothing
        item.retain(|_, text| !matches!(text.trim(), "" | "None" | "null" | "NaN" | "nan" | "NaT"));
        let mut take = |name: &str| item.remove(name);
        let record = take(&table.partition_key).unwrap_or_default();
        let id = take(&table.sort_key).unwrap_or_default();
        let (odd_start, odd_end) = (take(START_TEXT), take(END_TEXT));
        let (start_text, end_text) = (take("start_time").or(odd_start), take("end_time").or(odd_end));
        let length = take("scene_length");
        let (exact_start, exact_end) = (take("start_ns"), take("end_ns"));
        let named = |id: &str| {
            let start = start_text.as_deref().and_then(|start| id.strip_suffix(start)?.strip_suffix('_'));
            class_in(start.unwrap_or(id), &record)
        };
        let class = CLASSES.iter().find_map(|name| take(name)).or_else(|| named(&id));
        let text = TEXTS.iter().find_map(|name| take(name));
        let mut scene = Scene {
            bucket: take("bag_file_bucket"),
            prefix: take("bag_file_prefix"),
            file: take("bag_file").unwrap_or_else(|| record.clone()),
            start: exact(exact_start, start_text.as_deref().and_then(instant)),
            end: exact(exact_end, end_text.as_deref().and_then(instant)),
            start_text,
            end_text,
            missing,
            names_no_recordings,
            record,
            id,
            class,
            text,
            odd: Vec::new(),
            notes: item.into_iter().collect(),
        };
        if let (Some(start), None, Some(secs)) = (
            scene.start,
            &scene.end_text,
            length.and_then(|text| text.trim().parse::<f64>().ok()),
        ) && secs.is_finite()
        {
            // as a cast saturates, so does the end
            scene.end = Some(start.plus_nanos((secs * 1e9).round() as i64));
        }
        scene.note_oddities();
        scene
    }

    /// Says anew what is odd about it, seen alone.
    pub fn note_oddities(&mut self) {
        self.odd.clear();
        if self.record.is_empty() && !self.names_no_recordings {
            self.odd.push("It names no recording.".into());
        }
        match (&self.start_text, self.start) {
            (None, None) => self.odd.push("It has no start.".into()),
            (Some(text), None) => self.odd.push(format!("Its start is no time: “{}”.", short(text))),
            _ => {}
        }
        match (&self.end_text, self.end) {
            (None, None) => self.odd.push("It has no end: a moment.".into()),
            (Some(text), None) => self.odd.push(format!("Its end is no time: “{}”.", short(text))),
            _ => {}
        }
        if let (Some(start), Some(end)) = (self.start, self.end)
            && end < start
        {
            self.odd.push("Its end is before its start.".into());
        }
    }

    /// Whether it names no recording: then it is of what is open at its time.
    pub fn is_of_any(&self) -> bool {
        self.record.is_empty() && self.prefix.is_none()
    }

    /// From its start to its end; a moment where it has no end, or one before its start.
    pub fn span(&self) -> Option<Span> {
        let start = self.start?;
        Some(Span::new(start, self.end.map_or(start, |end| end.max(start))))
    }

    /// Where the recording may lie in its bucket, the likeliest first.
    pub fn keys(&self) -> Vec<String> {
        let Some(prefix) = self.prefix.as_deref() else {
            return Vec::new();
        };
        let is_recording = |name: &str| record_of(name) != name;
        if is_recording(prefix) {
            return vec![prefix.to_owned()];
        }
        let within = match prefix.trim_end_matches('/') {
            "" => self.file.clone(),
            folder => format!("{folder}/{}", self.file),
        };
        match is_recording(&within) {
            true => vec![within],
            false => vec![format!("{within}.bag"), within, prefix.to_owned()],
        }
    }
}

/// Tables name recordings without their ending: that of a recording's file, the rest of its name being anything.
pub fn record_of(name: &str) -> &str {
    let endings = [".bag", ".mcap", ".db3"];
    endings.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

/// Seconds as numbers end at a fraction of a microsecond: nanoseconds beside them tell the rest, where they are of the same moment.
fn exact(nanos: Option<String>, about: Option<Time>) -> Option<Time> {
    const SAME_NANOS: u64 = 1_000_000;
    let nanos = nanos.and_then(|text| text.trim().parse().ok()).map(Time);
    let is_same = |nanos: &Time| about.is_none_or(|about| about.since(*nanos).unsigned_abs() < SAME_NANOS);
    nanos.filter(is_same).or(about)
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

/// `PersonInLane` of `drive_a_PersonInLane_1600000003.25`, whose recording is `drive_a`.
fn class_in(id: &str, record: &str) -> Option<String> {
    let is_number = |part: &&str| part.starts_with(|c: char| c.is_ascii_digit());
    let own = id.strip_prefix(record).and_then(|rest| rest.strip_prefix('_'));
    let class = match own.filter(|_| !record.is_empty()) {
        Some(rest) => rest.split('_').take_while(|part| !is_number(part)).collect::<Vec<_>>().join("_"),
        // of a name that is not known the last word before the number is taken
        None => {
            let parts: Vec<&str> = id.split('_').collect();
            let number = parts.iter().rposition(is_number)?;
            parts.get(number.checked_sub(1)?)?.to_string()
        }
    };
    (!class.is_empty() && !is_number(&&*class)).then_some(class)
}

/// Seconds, milli-, micro- or nanoseconds by magnitude; `1600000003_250000000` is seconds and nanoseconds.
fn instant(text: &str) -> Option<Time> {
    match When::parse(&text.replace('_', ":")) {
        Ok(When::At(time)) => Some(time),
        _ => None,
    }
}

/// More scenes of one recording are not listed.
const MOST_SCENES: usize = 10_000;

impl Net {
    /// Looks a scene up; None where the table has none of that id.
    pub async fn scene(&self, table: &SceneTable, record: &str, scene: &str) -> Result<Option<Scene>, SourceError> {
        let client = self.dynamo(table).await?;
        let request = client
            .get_item()
            .table_name(&table.table_name)
            .key(&table.partition_key, AttributeValue::S(record.to_owned()))
            .key(&table.sort_key, AttributeValue::S(scene.to_owned()));
        let answer = request.send().await.map_err(|error| self.failed(&error, table))?;
        Ok(answer.item.map(|item| Scene::of_item(table, texts(item))))
    }

    /// All scenes of a recording, by their start.
    pub async fn scenes(&self, table: &SceneTable, record: &str) -> Result<Vec<Scene>, SourceError> {
        let client = self.dynamo(table).await?;
        let mut pages = client
            .query()
            .table_name(&table.table_name)
            .key_condition_expression("#record = :record")
            .expression_attribute_names("#record", &table.partition_key)
            .expression_attribute_values(":record", AttributeValue::S(record.to_owned()))
            .into_paginator()
            .send();
        let mut scenes = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.failed(&error, table))?;
            scenes.extend(
                page.items
                    .unwrap_or_default()
                    .into_iter()
                    .map(|item| Scene::of_item(table, texts(item))),
            );
            if scenes.len() >= MOST_SCENES {
                break;
            }
        }
        scenes.sort_by(|a, b| (a.start.is_none(), a.start, &a.id).cmp(&(b.start.is_none(), b.start, &b.id)));
        Ok(scenes)
    }

    async fn dynamo(&self, table: &SceneTable) -> Result<Client, SourceError> {
        let mut config = aws_sdk_dynamodb::config::Builder::from(self.aws().config().await?);
        if let Some(region) = &table.region {
            config = config.region(aws_sdk_dynamodb::config::Region::new(region.clone()));
        }
        if self.aws().options.unsigned {
            config = config.allow_no_auth();
        }
        Ok(Client::from_conf(config.build()))
    }

    fn failed<E: std::error::Error + 'static>(&self, error: &SdkError<E, HttpResponse>, table: &SceneTable) -> SourceError {
        let at = table.at();
        let Some(raw) = error.raw_response() else {
            return of_sdk(error, &self.aws().options, &at);
        };
        let body: serde_json::Value = serde_json::from_slice(raw.body().bytes().unwrap_or_default()).unwrap_or_default();
        let text = |name: &str| body.get(name).and_then(|v| v.as_str()).unwrap_or_default();
        let code = text("__type").rsplit('#').next().unwrap_or_default();
        let message = [text("message"), text("Message")].concat();
        let detail = format!("{} {code}: {}", raw.status().as_u16(), super::without_secrets(&message));
        SourceError::Scenes {
            detail: detail.trim_end_matches([':', ' ']).into(),
            at,
        }
    }
}

impl SceneTable {
    fn at(&self) -> Location {
        Location::Path(format!("table {}", self.table_name).into())
    }
}

/// Strings, numbers and null; what is more than one value is left out.
fn texts(item: HashMap<String, AttributeValue>) -> BTreeMap<String, String> {
    let text = |value| match value {
        AttributeValue::S(text) | AttributeValue::N(text) => Some(text),
        AttributeValue::Bool(flag) => Some(flag.to_string()),
        AttributeValue::Null(_) => Some("null".to_owned()),
        _ => None,
    };
    item.into_iter().filter_map(|(name, value)| Some((name, text(value)?))).collect()
}

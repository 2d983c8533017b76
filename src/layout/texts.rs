//! Raw messages, logs, diagnostics, tables and notes as Webviz and its descendants store them.

use serde_json::{Value, json};

use super::hidden::Hidden;
use super::rule::{Codec, Group, Rule, key};
use super::value::{self, as_number, put};
use crate::path;

pub static RAW: &[Rule] = &[Rule::Group(&SUBJECT), Rule::Group(&COMPARE)];

/// A message path: a topic, and the part of its messages that is shown.
static SUBJECT: Group = Group {
    ours: &["/topic", "/part"],
    read: |reader| {
        let Some(topic) = reader.take("/topicPath", "/topic", Codec::Own(topic_of_path, path_of_topic)) else {
            return Value::Null;
        };
        match value::text(reader.value, "/topicPath")
            .map(part_of_path)
            .filter(|part| !part.is_empty())
        {
            Some(part) => json!({"topic": topic, "part": part}),
            None => json!({ "topic": topic }),
        }
    },
    write: |now, theirs| {
        let topic = value::text(now, "/topic").filter(|topic| !topic.is_empty());
        let path = match (topic, value::text(now, "/part").unwrap_or_default()) {
            (None, _) => String::new(),
            (Some(topic), "") => path::topic_text(topic),
            (Some(topic), part) => match path::parse_fields(part) {
                Ok(expr) if !matches!(expr, path::Expr::Literal(_)) => expr.with_topic(Some(topic)).to_string(),
                _ if part.starts_with(['{', '[', '.']) => format!("{}{part}", path::topic_text(topic)),
                _ => format!("{}.{part}", path::topic_text(topic)),
            },
        };
        put(theirs, "/topicPath", path.into());
        true
    },
};

/// `pose.position`, `items[:]{id == 4}`, `orientation.@yaw`: what a path takes of its topic's messages. One that cannot be read stays
/// as it is, so that the panel tells what is wrong with it.
fn part_of_path(text: &str) -> String {
    match path::parse(text) {
        Ok(path::Expr::Path(path)) if path.steps.is_empty() => String::new(),
        Ok(expr) if expr.topics().len() == 1 => expr.with_topic(None).to_string(),
        _ => {
            let topic = before_steps(text);
            let rest = text.get(topic.len()..).unwrap_or_default();
            rest.strip_prefix('.')
                .filter(|rest| !rest.starts_with('@'))
                .unwrap_or(rest)
                .to_owned()
        }
    }
}

/// The topic whose fields a message path names.
fn topic_of_path(text: &Value) -> Option<Value> {
    let text = text.as_str().filter(|text| !text.is_empty())?;
    let topic = match path::parse(text) {
        Ok(expr) => expr.topics().first().map(|topic| (*topic).to_owned())?,
        _ => before_steps(text).to_owned(),
    };
    Some(topic.into())
}

fn before_steps(text: &str) -> &str {
    text.split(['.', '[', '{']).next().unwrap_or_default()
}

fn path_of_topic(topic: &Value) -> Option<Value> {
    Some(path::topic_text(topic.as_str()?).into())
}

const PREVIOUS: &str = "previous message";

static COMPARE: Group = Group {
    ours: &["/compare"],
    read: |reader| {
        let is_previous = value::text(reader.value, "/diffMethod") == Some(PREVIOUS);
        let is_topic = value::text(reader.value, "/diffTopicPath").is_some_and(|topic| !topic.trim().is_empty());
        // with nothing to compare with, it means nothing whether it is compared
        if !is_previous && !is_topic {
            return Value::Null;
        }
        if reader.flag("/diffEnabled", "/compare") != Some(true) {
            return Value::Null;
        }
        match reader.text("/diffMethod", "/compare/with") {
            Some(PREVIOUS) => json!({"compare": {"with": "previous"}}),
            _ => match reader.take("/diffTopicPath", "/compare/topic", Codec::Own(topic_of_path, path_of_topic)) {
                Some(topic) => json!({"compare": {"with": "topic", "topic": topic}}),
                None => json!({"compare": {"with": "nothing"}}),
            },
        }
    },
    write: |now, theirs| {
        let with = value::text(now, "/compare/with").unwrap_or("nothing");
        put(theirs, "/diffEnabled", (with != "nothing").into());
        match with {
            "previous" => put(theirs, "/diffMethod", PREVIOUS.into()),
            "topic" => {
                put(theirs, "/diffMethod", "custom".into());
                let topic = now.pointer("/compare/topic").and_then(path_of_topic);
                put(theirs, "/diffTopicPath", topic.unwrap_or_else(|| "".into()));
            }
            _ => {}
        }
        true
    },
};

/// Levels as ROS 1 numbers them.
pub static LOG_OF_WEBVIZ: &[Rule] = &[
    key("/topicToRender", "/topics", Codec::Own(one_in_list, first_of_list)),
    key(
        "/minLogLevel",
        "/min_level",
        Codec::Own(|v| level(v, &ROS1), |v| number_of_level(v, &ROS1)),
    ),
    key("/searchTerms", "/filters", Codec::Own(filters_of_terms, terms_of_filters)),
];

/// Levels from 1 to 5.
pub static LOG_OF_FOXGLOVE: &[Rule] = &[
    key("/topicToRender", "/topics", Codec::Own(one_in_list, first_of_list)),
    key(
        "/minLogLevel",
        "/min_level",
        Codec::Own(|v| level(v, &FOXGLOVE), |v| number_of_level(v, &FOXGLOVE)),
    ),
    key("/searchTerms", "/filters", Codec::Own(filters_of_terms, terms_of_filters)),
    Rule::Group(&NODES),
];

type Levels = [(f64, &'static str); 5];
const ROS1: Levels = [(1.0, "debug"), (2.0, "info"), (4.0, "warn"), (8.0, "error"), (16.0, "fatal")];
const FOXGLOVE: Levels = [(1.0, "debug"), (2.0, "info"), (3.0, "warn"), (4.0, "error"), (5.0, "fatal")];

fn level(value: &Value, levels: &Levels) -> Option<Value> {
    let number = as_number(value)?;
    let least = levels.iter().rev().find(|level| level.0 <= number).or(levels.first())?;
    Some(least.1.into())
}

fn number_of_level(value: &Value, levels: &Levels) -> Option<Value> {
    let name = value.as_str()?;
    levels.iter().find(|level| level.1 == name).map(|level| value::of_number(level.0))
}

fn one_in_list(topic: &Value) -> Option<Value> {
    let topic = topic.as_str().filter(|topic| !topic.is_empty())?;
    Some(json!([topic]))
}

fn first_of_list(topics: &Value) -> Option<Value> {
    match topics.as_array()?.as_slice() {
        [] => Some("".into()),
        [one] => Some(one.clone()),
        _ => None,
    }
}

/// Any of the texts: our filters are expressions.
fn filters_of_terms(terms: &Value) -> Option<Value> {
    let terms = terms.as_array()?.iter().map(Value::as_str);
    let filters = terms.map(|term| Some(json!({"pattern": regex::escape(term?), "mode": "in"})));
    filters.collect::<Option<Vec<_>>>().map(Value::Array)
}

fn terms_of_filters(filters: &Value) -> Option<Value> {
    let term = |filter: &Value| {
        let pattern = value::text(filter, "/pattern")?;
        let is_in = value::text(filter, "/mode").is_none_or(|mode| mode == "in");
        let is_on = value::flag(filter, "/enabled").unwrap_or(true);
        let term = unescaped(pattern);
        // an expression that is more than a text
        (is_in && is_on && regex::escape(&term) == pattern).then(|| term.into())
    };
    filters.as_array()?.iter().map(term).collect::<Option<Vec<_>>>().map(Value::Array)
}

fn unescaped(pattern: &str) -> String {
    let mut out = String::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        out.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    out
}

static NODES: Group = Group {
    ours: &["/hidden_nodes"],
    read: |reader| HIDDEN_NODES.read(reader),
    write: |now, theirs| HIDDEN_NODES.write(now, theirs),
};

const HIDDEN_NODES: Hidden = Hidden {
    theirs: "/nameFilter",
    prefix: "",
    ours: "/hidden_nodes",
};

pub static DIAGNOSTICS: &[Rule] = &[
    key("/topicToRender", "/topics", Codec::Own(one_in_list, first_of_list)),
    key("/minLevel", "/min_level", Codec::Own(severity, number_of_severity)),
    key("/pinnedIds", "/pinned", Codec::Own(parts_of_ids, ids_of_parts)),
    key("/hardwareIdFilter", "/hardware_id", Codec::Text),
    key("/secondsUntilStale", "/stale_after_secs", Codec::Number),
];

pub static DIAGNOSTIC: &[Rule] = &[
    key("/topicToRender", "/topics", Codec::Own(one_in_list, first_of_list)),
    Rule::Group(&PART),
    key("/secondsUntilStale", "/stale_after_secs", Codec::Number),
];

const SEVERITIES: [(f64, &str); 4] = [(0.0, "ok"), (1.0, "warn"), (2.0, "error"), (3.0, "stale")];

fn severity(value: &Value) -> Option<Value> {
    let number = as_number(value)?;
    SEVERITIES.iter().find(|s| s.0 == number).map(|s| s.1.into())
}

fn number_of_severity(value: &Value) -> Option<Value> {
    let name = value.as_str()?;
    SEVERITIES.iter().find(|s| s.1 == name).map(|s| value::of_number(s.0))
}

/// The one part that is shown.
static PART: Group = Group {
    ours: &["/hardware_id", "/selected"],
    read: |reader| {
        let hardware_id = reader.take("/selectedHardwareId", "/hardware_id", Codec::Text);
        let selected = reader.take("/selectedName", "/selected", Codec::Text);
        let both = [("hardware_id", hardware_id), ("selected", selected)];
        let told = both.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        Value::Object(told.collect())
    },
    write: |now, theirs| {
        let selected = value::text(now, "/selected");
        let (of_part, name) = match selected.and_then(hardware_and_name) {
            Some((hardware_id, name)) => (Some(hardware_id), Some(name)),
            None => (None, selected),
        };
        let hardware_id = of_part.or_else(|| value::text(now, "/hardware_id"));
        for (key, text) in [("/selectedHardwareId", hardware_id), ("/selectedName", name)] {
            if let Some(text) = text {
                put(theirs, key, text.into());
            }
        }
        true
    },
};

/// Of `|hardware id|name|`, and of `|hardware id|name|topic`.
fn hardware_and_name(id: &str) -> Option<(&str, &str)> {
    let (hardware_id, rest) = id.strip_prefix('|')?.split_once('|')?;
    Some((hardware_id, rest.rsplit_once('|')?.0))
}

/// Of no hardware, a name alone.
fn parts_of_ids(ids: &Value) -> Option<Value> {
    let part = |id: &Value| {
        let id = id.as_str()?;
        Some(match hardware_and_name(id) {
            Some(("", name)) => name.into(),
            _ => id.into(),
        })
    };
    ids.as_array()?.iter().map(part).collect::<Option<Vec<_>>>().map(Value::Array)
}

fn ids_of_parts(parts: &Value) -> Option<Value> {
    let id = |part: &Value| {
        let part = part.as_str()?;
        let (hardware_id, name) = hardware_and_name(part).unwrap_or(("", part));
        Some(format!("|{hardware_id}|{name}|").into())
    };
    parts.as_array()?.iter().map(id).collect::<Option<Vec<_>>>().map(Value::Array)
}

pub static NOTE: &[Rule] = &[key("/noteText", "/text", Codec::Text)];

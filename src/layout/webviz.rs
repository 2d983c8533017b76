//! Webviz, layouts of versions 1 to 19 (and those from before there were versions).

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::color::Color;
use super::instruments::{DROPDOWN, IMAGE_VIEW, SLIDER};
use super::plots::{NONE, PLOT, STATES};
use super::portable::escape;
use super::rule::{Codec, Group, Reader, Rule, key};
use super::scene::{CAMERA_IN_RADIANS, color_of, field, flat, flat_color, range};
use super::studio::{PanelType, Studio};
use super::tables::TABLE;
use super::texts::{DIAGNOSTIC, DIAGNOSTICS, LOG_OF_WEBVIZ, NOTE, RAW};
use super::value::{self, number, put, remove};
use super::{Dialect, variables};

pub static WEBVIZ: Studio = Studio {
    dialect: Dialect::Webviz,
    configs: "savedProps",
    panels: &[
        panel(&["3D Panel"], "scene3d", SCENE),
        panel(&["ImageViewPanel"], "image", IMAGE_VIEW),
        panel(&["Plot"], "plot", PLOT),
        panel(&["RawMessages"], "raw", RAW),
        panel(&["StateTransitions"], "states", STATES),
        panel(&["RosOut"], "log", LOG_OF_WEBVIZ),
        panel(&["Table"], "table", TABLE),
        panel(&["DiagnosticSummary"], "diagnostics", DIAGNOSTICS),
        panel(&["DiagnosticStatusPanel"], "diagnostics", DIAGNOSTIC),
        panel(&["Note"], "note", NOTE),
        panel(&["Global"], "variables", NONE),
        panel(&["GlobalVariableSliderPanel"], "variables", SLIDER),
        panel(&["GlobalVariableDropdownPanel"], "variables", DROPDOWN),
        panel(&["SourceInfo"], "source_info", NONE),
    ],
    around: &[
        key("/playbackConfig/speed", "/playback/speed", Codec::Number),
        Rule::Group(&variables::GROUP),
    ],
    newest: 19,
    empty: || {
        json!({
            "layout": null,
            "savedProps": {},
            "globalVariables": {},
            "userNodes": {},
            "linkedGlobalVariables": [],
            "playbackConfig": {"speed": 1, "messageOrder": "receiveTime", "timeDisplayMethod": "ROS"},
            "version": 16
        })
    },
};

const fn panel(theirs: &'static [&'static str], ours: &'static str, rules: &'static [Rule]) -> PanelType {
    PanelType { theirs, ours, rules }
}

pub static SCENE: &[Rule] = &[
    Rule::Group(&CAMERA_IN_RADIANS),
    Rule::Group(&Group {
        ours: &["/follow", "/follow_frame"],
        read: read_follow,
        write: write_follow,
    }),
    Rule::Group(&Group {
        ours: &["/topics", "/frames"],
        read: read_topics,
        write: write_topics,
    }),
];

fn read_follow(reader: &Reader<'_>) -> Value {
    let frame = match reader.value.get("followTf") {
        Some(Value::String(frame)) if !frame.is_empty() => frame,
        Some(Value::Bool(false)) => {
            reader.mark("/followTf", "/follow");
            return json!({"follow": "off"});
        }
        _ => return json!({"follow": "off"}),
    };
    reader.mark("/followTf", "/follow_frame");
    let turns = reader.flag("/followOrientation", "/follow").unwrap_or(false);
    json!({"follow": if turns { "heading" } else { "position" }, "follow_frame": frame})
}

fn write_follow(now: &Value, theirs: &mut Value) -> bool {
    let follow = value::text(now, "/follow").unwrap_or("position");
    if follow == "off" {
        put(theirs, "/followTf", false.into());
        return true;
    }
    let Some(frame) = value::text(now, "/follow_frame") else {
        return false;
    };
    put(theirs, "/followTf", frame.into());
    put(theirs, "/followOrientation", (follow == "heading").into());
    true
}

/// Transforms are topics there.
const TRANSFORMS: [&str; 2] = ["/tf", "/tf_static"];
/// Of the group in which all topics stand that no tree of topics names.
const ALL_TOPICS: &str = "name:Topics";

/// Keys of checked entries: under an older name in the first versions.
fn checked(theirs: &Value) -> &'static str {
    match theirs.get("checkedKeys").is_none() && theirs.get("checkedNodes").is_some() {
        true => "checkedNodes",
        false => "checkedKeys",
    }
}

/// Settings of topics: under an older name in the first versions.
fn settings(theirs: &Value) -> &'static str {
    match theirs.get("settingsByKey").is_none() && theirs.get("topicSettings").is_some() {
        true => "topicSettings",
        false => "settingsByKey",
    }
}

fn texts<'a>(value: &'a Value, key: &str) -> Vec<&'a str> {
    let list = value.get(key).and_then(Value::as_array);
    list.into_iter().flatten().map(|text| text.as_str().unwrap_or_default()).collect()
}

/// `t:/topic`, and `/topic` of the first versions.
fn topic_of(key: &str) -> Option<&str> {
    key.strip_prefix("t:").or_else(|| key.starts_with('/').then_some(key))
}

/// `ns:/topic:namespace`
fn namespace_of(key: &str) -> Option<(&str, &str)> {
    key.strip_prefix("ns:")?.split_once(':')
}

fn read_topics(reader: &Reader<'_>) -> Value {
    let list = checked(reader.value);
    let keys = texts(reader.value, list);
    let mut topics: IndexMap<&str, Map<String, Value>> = IndexMap::new();
    let mut transforms = false;
    for (at, key) in keys.iter().enumerate() {
        let Some(topic) = topic_of(key) else { continue };
        let place = format!("/{list}/{at}");
        if TRANSFORMS.contains(&topic) {
            transforms = true;
            reader.mark(&place, "/frames");
        } else if topics.entry(topic).or_default().insert("visible".to_owned(), true.into()).is_none() {
            reader.mark(&place, &format!("/topics/{}/visible", escape(topic)));
        }
    }
    for (at, topic) in texts(reader.value, "modifiedNamespaceTopics").into_iter().enumerate() {
        if topic.is_empty() {
            continue;
        }
        let only = format!("/topics/{}/only_namespaces", escape(topic));
        reader.mark(&format!("/modifiedNamespaceTopics/{at}"), &only);
        let mut shown: Vec<&str> = Vec::new();
        for (place, key) in keys.iter().enumerate() {
            if let Some((_, namespace)) = namespace_of(key).filter(|(of, _)| *of == topic)
                && !shown.contains(&namespace)
            {
                reader.mark(&format!("/{list}/{place}"), &only);
                shown.push(namespace);
            }
        }
        topics.entry(topic).or_default().insert("only_namespaces".to_owned(), json!(shown));
    }
    for (key, inside) in reader.entries(&format!("/{}", settings(reader.value))) {
        let Some(topic) = topic_of(key) else { continue };
        let made = read_settings(&inside, &format!("/topics/{}", escape(topic)));
        topics.entry(topic).or_default().extend(made);
    }
    for settings in topics.values_mut() {
        settings.entry("visible").or_insert_with(|| false.into());
    }
    json!({"topics": topics, "frames": {"axes": transforms, "names": transforms, "links": transforms}})
}

fn read_settings(reader: &Reader<'_>, to: &str) -> Map<String, Value> {
    let mut made = Map::new();
    let mut say = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            made.insert(key.to_owned(), value);
        }
    };
    let color_to = format!("{to}/color");
    let own = ["/overrideColor", "/color"].iter().find_map(|key| color_of(reader, key, &color_to));
    let (color, color_alpha) = match own {
        Some(own) => (Some(flat(own)), own.alpha),
        None => match read_color_mode(&reader.inside("/colorMode", ""), &color_to) {
            Some((color, alpha)) => (Some(color), alpha),
            None => (None, 1.0),
        },
    };
    let alpha = reader.number("/alpha", &format!("{to}/alpha"));
    let is_told = alpha.is_some() || color_alpha < 1.0;
    say("alpha", is_told.then(|| value::of_number(alpha.unwrap_or(1.0) * color_alpha)));
    say("color", color);
    let size = reader.number("/pointSize", &format!("{to}/size")).filter(|size| *size > 0.0);
    say("size", size.map(|size| json!({"px": value::of_number(size)})));
    say(
        "round",
        reader.take("/pointShape", &format!("{to}/round"), Codec::Own(read_shape, write_shape)),
    );
    say("decay_secs", reader.take("/decayTime", &format!("{to}/decay_secs"), Codec::Number));
    made
}

pub fn read_shape(shape: &Value) -> Option<Value> {
    match shape.as_str()? {
        "circle" => Some(true.into()),
        "square" => Some(false.into()),
        _ => None,
    }
}

pub fn write_shape(round: &Value) -> Option<Value> {
    Some(if round.as_bool()? { "circle" } else { "square" }.into())
}

/// And how opaque it is.
fn read_color_mode(reader: &Reader<'_>, to: &str) -> Option<(Value, f64)> {
    const MODES: Codec = Codec::Words(&[("flat", ""), ("rgb", ""), ("rainbow", "rainbow"), ("gradient", "grey")]);
    let map = reader.take("/mode", to, MODES)?;
    let of_field = |map: &str| {
        let name = reader.text("/colorField", to)?;
        Some(field(name, map, range(reader, "/minValue", "/maxValue", to)))
    };
    match value::text(reader.value, "/mode") {
        Some("flat") => {
            let color = color_of(reader, "/flatColor", to);
            Some(color.map_or((json!("auto"), 1.0), |color| (flat(color), color.alpha)))
        }
        Some("rgb") => Some((json!("rgb"), 1.0)),
        _ => Some((of_field(map.as_str().unwrap_or_default()).unwrap_or_else(|| json!("auto")), 1.0)),
    }
}

fn write_color(color: &Value, theirs: &mut Value) -> bool {
    if let Some(color) = flat_color(color) {
        let is_own = theirs.get("overrideColor").is_some() || theirs.get("colorMode").is_none();
        if is_own {
            let alpha = number(theirs, "/overrideColor/a").unwrap_or(1.0);
            put(theirs, "/overrideColor", Color { alpha, ..color }.parts());
        }
        if theirs.get("overrideColor").is_none() || theirs.get("colorMode").is_some() {
            put(theirs, "/colorMode/mode", "flat".into());
            put(theirs, "/colorMode/flatColor", color.parts());
        }
        return true;
    }
    remove(theirs, "/overrideColor");
    remove(theirs, "/color");
    match color {
        Value::String(word) if word == "rgb" => put(theirs, "/colorMode/mode", "rgb".into()),
        Value::Object(_) => {
            let Some(name) = value::text(color, "/field/name") else {
                return false;
            };
            let mode = match value::text(color, "/field/colormap") {
                Some("rainbow" | "turbo") => "rainbow",
                Some("grey") => "gradient",
                _ => return false,
            };
            put(theirs, "/colorMode/mode", mode.into());
            put(theirs, "/colorMode/colorField", name.into());
            for (at, key) in ["minValue", "maxValue"].iter().enumerate() {
                match color.pointer(&format!("/field/range/{at}")) {
                    Some(end) => put(theirs, &format!("/colorMode/{key}"), end.clone()),
                    None => drop(remove(theirs, &format!("/colorMode/{key}"))),
                }
            }
        }
        _ => drop(remove(theirs, "/colorMode")),
    }
    true
}

fn write_topics(now: &Value, theirs: &mut Value) -> bool {
    let marks = Default::default();
    let was = read_topics(&Reader::new(theirs, &marks));
    let none = Map::new();
    let topics = |value: &'_ Value| value.get("topics").and_then(Value::as_object).cloned().unwrap_or_default();
    let (was_topics, now_topics) = (topics(&was), topics(now));
    let mut said = write_checked(now, &was, theirs);
    for (topic, settings_now) in &now_topics {
        let before = was_topics.get(topic).and_then(Value::as_object).unwrap_or(&none);
        let Some(settings_now) = settings_now.as_object() else { continue };
        let list = settings(theirs);
        let key = if list == "topicSettings" {
            topic.clone()
        } else {
            format!("t:{topic}")
        };
        let pointer = format!("/{list}/{}", escape(&key));
        let mut given = theirs
            .pointer(&pointer)
            .filter(|v| v.is_object())
            .cloned()
            .unwrap_or_else(|| json!({}));
        let mut changed = false;
        for (setting, value) in settings_now.iter().filter(|(key, value)| before.get(*key) != Some(value)) {
            said &= match setting.as_str() {
                "visible" | "only_namespaces" => continue,
                "color" => write_color(value, &mut given),
                "size" => match number(value, "/px") {
                    Some(size) => say(&mut given, "/pointSize", Some(value::of_number(size))),
                    None => false,
                },
                "round" => say(&mut given, "/pointShape", write_shape(value)),
                "decay_secs" => say(&mut given, "/decayTime", Some(value.clone())),
                "alpha" => say(&mut given, "/alpha", Some(value.clone())),
                _ => false,
            };
            changed = true;
        }
        for gone in before.keys().filter(|key| !settings_now.contains_key(*key)) {
            let key = match gone.as_str() {
                "color" => "/colorMode",
                "size" => "/pointSize",
                "round" => "/pointShape",
                "decay_secs" => "/decayTime",
                "alpha" => "/alpha",
                _ => continue,
            };
            remove(&mut given, key);
            changed = true;
        }
        if changed {
            put(theirs, &pointer, given);
        }
    }
    said
}

fn say(theirs: &mut Value, pointer: &str, value: Option<Value>) -> bool {
    let is_there = value.is_some();
    if let Some(value) = value {
        put(theirs, pointer, value);
    }
    is_there
}

/// Which topics, namespaces and transforms are shown.
fn write_checked(now: &Value, was: &Value, theirs: &mut Value) -> bool {
    let list = checked(theirs);
    let mut keys: Vec<String> = texts(theirs, list).into_iter().map(str::to_owned).collect();
    let mut modified: Vec<String> = texts(theirs, "modifiedNamespaceTopics").into_iter().map(str::to_owned).collect();
    let before = (keys.clone(), modified.clone());
    let none = Map::new();
    let topics = now.get("topics").and_then(Value::as_object).unwrap_or(&none);
    let is_shown = |topic: &str| {
        topics
            .get(topic)
            .is_some_and(|settings| value::flag(settings, "/visible").unwrap_or(true))
    };
    let axes = |value: &Value| value::flag(value, "/frames/axes");
    let transforms = axes(now).filter(|_| axes(now) != axes(was));
    keys.retain(|key| match topic_of(key) {
        Some(topic) if TRANSFORMS.contains(&topic) => transforms != Some(false),
        Some(topic) => is_shown(topic),
        None => true,
    });
    let checked_topics: BTreeSet<String> = keys.iter().filter_map(|key| topic_of(key)).map(str::to_owned).collect();
    let shown = topics.keys().filter(|topic| is_shown(topic) && !checked_topics.contains(*topic));
    let mut new: Vec<String> = shown.map(|topic| format!("t:{topic}")).collect();
    if transforms == Some(true) {
        new.push("t:/tf".to_owned());
    }
    if !new.is_empty() && !keys.iter().any(|key| key == ALL_TOPICS) {
        keys.push(ALL_TOPICS.to_owned());
    }
    keys.extend(new);
    let mut said = true;
    for (topic, settings) in topics {
        let Some(only) = settings.get("only_namespaces").and_then(Value::as_array) else {
            // theirs has a list of those that are shown, and nobody knows the others
            said &= settings
                .get("hidden_namespaces")
                .and_then(Value::as_array)
                .is_none_or(Vec::is_empty);
            modified.retain(|of| of != topic);
            continue;
        };
        let only: Vec<&str> = only.iter().filter_map(Value::as_str).collect();
        keys.retain(|key| namespace_of(key).is_none_or(|(of, namespace)| of != topic || only.contains(&namespace)));
        for namespace in only {
            let key = format!("ns:{topic}:{namespace}");
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        if !modified.contains(topic) {
            modified.push(topic.clone());
        }
    }
    if keys != before.0 {
        put(theirs, &format!("/{list}"), json!(keys));
    }
    if modified != before.1 {
        put(theirs, "/modifiedNamespaceTopics", json!(modified));
    }
    said
}

//! How Foxglove and Lichtblick show one topic in 3D.

use serde_json::{Value, json};

use crate::layout::hidden::Hidden;
use crate::layout::rule::{Codec, Group, Plain, Reader, Rule, key, key_or};
use crate::layout::scene::{COLORMAPS, color_of, field, flat, flat_color, range};
use crate::layout::value::{self, number, put, remove};
use crate::layout::webviz;

pub static TOPIC: &[Rule] = &[
    key_or("/visible", "/visible", Codec::Bool, Plain::Bool(false)),
    Rule::Group(&Group {
        ours: &["/color"],
        read: read_color,
        write: write_color,
    }),
    Rule::Group(&Group {
        ours: &["/size"],
        read: |reader| match reader.number("/pointSize", "/size") {
            Some(size) if size > 0.0 => json!({"size": {"px": value::of_number(size)}}),
            _ => Value::Null,
        },
        write: |now, theirs| {
            match (now.get("size"), number(now, "/size/px")) {
                (_, Some(size)) => put(theirs, "/pointSize", value::of_number(size)),
                (None, None) => drop(remove(theirs, "/pointSize")),
                (Some(_), None) => return false,
            }
            true
        },
    }),
    Rule::Group(&Group {
        ours: &["/cells"],
        read: |reader| match value::text(reader.value, "/colorMode") {
            Some(look @ ("map" | "costmap")) => {
                reader.mark("/colorMode", "/cells");
                json!({ "cells": look })
            }
            _ => Value::Null,
        },
        write: |now, theirs| {
            match value::text(now, "/cells") {
                Some(look @ ("map" | "costmap")) => put(theirs, "/colorMode", look.into()),
                _ => drop(remove(theirs, "/colorMode")),
            }
            true
        },
    }),
    key("/pointShape", "/round", Codec::Own(webviz::read_shape, webviz::write_shape)),
    key("/decayTime", "/decay_secs", Codec::Number),
    Rule::Group(&Group {
        ours: &["/alpha"],
        read: |reader| {
            let said = ["/explicitAlpha", "/alpha"].iter().find_map(|key| reader.number(key, "/alpha"));
            said.map_or(Value::Null, |alpha| json!({"alpha": value::of_number(alpha)}))
        },
        write: |now, theirs| {
            let key = if theirs.get("alpha").is_some() {
                "/alpha"
            } else {
                "/explicitAlpha"
            };
            match now.get("alpha") {
                Some(alpha) => put(theirs, key, alpha.clone()),
                None => drop(remove(theirs, key)),
            }
            true
        },
    }),
    Rule::Group(&Group {
        ours: &["/scale_metres"],
        read: |reader| {
            let key = scale_key(reader.value);
            match reader.number(key, "/scale_metres") {
                Some(metres) => json!({"scale_metres": value::of_number(metres)}),
                None => Value::Null,
            }
        },
        write: |now, theirs| {
            let key = scale_key(theirs);
            match number(now, "/scale_metres") {
                Some(metres) => put(theirs, key, value::of_number(metres)),
                None => drop(remove(theirs, key)),
            }
            true
        },
    }),
    Rule::Group(&Group {
        ours: &["/hidden_namespaces"],
        read: |reader| NAMESPACES.read(reader),
        write: |now, theirs| NAMESPACES.write(now, theirs),
    }),
];

const NAMESPACES: Hidden = Hidden {
    theirs: "/namespaces",
    prefix: "",
    ours: "/hidden_namespaces",
};

/// Which of their sizes is ours: the one that counts for what is drawn.
fn scale_key(theirs: &Value) -> &'static str {
    let has = |key: &str| theirs.get(key).is_some();
    match value::text(theirs, "/type") {
        Some("arrow") if has("arrowScale") => "/arrowScale/0",
        _ if has("axisScale") => "/axisScale",
        _ => "/lineWidth",
    }
}

fn read_color(reader: &Reader<'_>) -> Value {
    let color = match value::text(reader.value, "/colorMode") {
        Some("flat") => {
            reader.mark("/colorMode", "/color");
            color_of(reader, "/flatColor", "/color").map(|color| (flat(color), color.alpha))
        }
        Some("rgb" | "rgba" | "rgba-fields") => {
            reader.mark("/colorMode", "/color");
            Some((json!("rgb"), 1.0))
        }
        Some(mode @ ("colormap" | "gradient")) => {
            let name = reader.text("/colorField", "/color");
            name.map(|name| {
                reader.mark("/colorMode", "/color");
                let map = match mode {
                    "gradient" => Value::from("grey"),
                    _ => reader.take("/colorMap", "/color", COLORMAPS).unwrap_or_else(|| "turbo".into()),
                };
                let range = range(reader, "/minValue", "/maxValue", "/color");
                (field(name, map.as_str().unwrap_or("turbo"), range), 1.0)
            })
        }
        // of a grid's cells
        Some("map" | "costmap") => None,
        Some(_) => {
            reader.take("/colorMode", "/color", Codec::Words(&[]));
            None
        }
        None => color_of(reader, "/color", "/color").map(|color| (flat(color), color.alpha)),
    };
    match color {
        Some((color, alpha)) if alpha < 1.0 => json!({"color": color, "alpha": value::of_number(alpha)}),
        Some((color, _)) => json!({ "color": color }),
        None => Value::Null,
    }
}

fn write_color(now: &Value, theirs: &mut Value) -> bool {
    let Some(color) = now.get("color") else {
        ["/colorMode", "/color"].iter().for_each(|key| drop(remove(theirs, key)));
        return true;
    };
    if let Some(color) = flat_color(color) {
        let is_cloud = theirs.get("colorMode").is_some();
        if is_cloud || theirs.get("color").is_none() {
            put(theirs, "/colorMode", "flat".into());
            put(theirs, "/flatColor", color.hex().into());
        }
        if !is_cloud {
            put(theirs, "/color", color.hex().into());
        }
        return true;
    }
    match color {
        Value::String(word) if word == "rgb" => put(theirs, "/colorMode", "rgb".into()),
        Value::Object(_) => {
            let Some(name) = value::text(color, "/field/name") else {
                return false;
            };
            match value::text(color, "/field/colormap") {
                Some(map @ ("turbo" | "rainbow")) => {
                    put(theirs, "/colorMode", "colormap".into());
                    put(theirs, "/colorMap", map.into());
                }
                Some("grey") => {
                    put(theirs, "/colorMode", "gradient".into());
                    if theirs.get("gradient").is_none() {
                        put(theirs, "/gradient", json!(["#000000ff", "#ffffffff"]));
                    }
                }
                _ => return false,
            }
            put(theirs, "/colorField", name.into());
            for (at, key) in ["/minValue", "/maxValue"].iter().enumerate() {
                match color.pointer(&format!("/field/range/{at}")) {
                    Some(end) => put(theirs, key, end.clone()),
                    None => drop(remove(theirs, key)),
                }
            }
        }
        _ => drop(remove(theirs, "/colorMode")),
    }
    true
}

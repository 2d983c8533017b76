//! Foxglove and Lichtblick.

use serde_json::{Map, Value, json};

use super::instruments::{GAUGE, IMAGE, IMAGE_VIEW, INDICATOR, MAP, SLIDER};
use super::plots::{NONE, PLOT, STATES};
use super::portable::escape;
use super::rule::{Codec, Group, Plain, Reader, Rule, key, key_or};
use super::scene::{CAMERA_IN_DEGREES, COLORMAPS, color_of, field, flat, flat_color, range};
use super::studio::{PanelType, Studio};
use super::tables::TABLE;
use super::texts::{DIAGNOSTIC, DIAGNOSTICS, LOG_OF_FOXGLOVE, NOTE, RAW};
use super::value::{self, number, put, remove};
use super::{Dialect, variables, webviz};

pub static FOXGLOVE: Studio = Studio {
    dialect: Dialect::Foxglove,
    configs: "configById",
    panels: &[
        panel(&["3D"], "scene3d", SCENE),
        panel(&["3D Panel"], "scene3d", webviz::SCENE),
        panel(&["Image"], "image", IMAGE),
        panel(&["ImageViewPanel"], "image", IMAGE_VIEW),
        panel(&["Plot"], "plot", PLOT),
        panel(&["RawMessages", "RawMessagesVirtual"], "raw", RAW),
        panel(&["StateTransitions"], "states", STATES),
        panel(&["RosOut", "Log"], "log", LOG_OF_FOXGLOVE),
        panel(&["Table"], "table", TABLE),
        panel(&["map"], "map", MAP),
        panel(&["DiagnosticSummary"], "diagnostics", DIAGNOSTICS),
        panel(&["DiagnosticStatusPanel"], "diagnostics", DIAGNOSTIC),
        panel(&["Gauge"], "gauge", GAUGE),
        panel(&["Indicator"], "indicator", INDICATOR),
        panel(&["Note"], "note", NOTE),
        panel(&["Global", "GlobalVariables"], "variables", NONE),
        panel(&["GlobalVariableSliderPanel"], "variables", SLIDER),
        panel(&["TopicGraph"], "topic_graph", NONE),
        panel(&["SourceInfo"], "source_info", NONE),
    ],
    around: &[
        key("/playbackConfig/speed", "/playback/speed", Codec::Number),
        Rule::Group(&variables::GROUP),
    ],
    newest: 1,
    empty: || {
        json!({
            "configById": {},
            "globalVariables": {},
            "userNodes": {},
            "playbackConfig": {"speed": 1},
            "layout": null
        })
    },
};

const fn panel(theirs: &'static [&'static str], ours: &'static str, rules: &'static [Rule]) -> PanelType {
    PanelType { theirs, ours, rules }
}

/// An axis of a frame at scale 1.
const AXIS_METRES: f64 = 0.2;

static SCENE: &[Rule] = &[
    Rule::Group(&CAMERA_IN_DEGREES),
    Rule::Group(&Group {
        ours: &["/follow", "/follow_frame"],
        read: |reader| {
            const MODES: Codec = Codec::Words(&[("follow-pose", "heading"), ("follow-position", "position"), ("follow-none", "off")]);
            let follow = reader.take("/followMode", "/follow", MODES);
            let mut made = json!({"follow": follow.unwrap_or_else(|| "heading".into())});
            if let Some(frame) = reader.text("/followTf", "/follow_frame") {
                put(&mut made, "/follow_frame", frame.into());
            }
            made
        },
        write: |now, theirs| {
            let mode = match value::text(now, "/follow") {
                Some("heading") => "follow-pose",
                Some("off") => "follow-none",
                _ => "follow-position",
            };
            let is_default = mode == "follow-pose" && theirs.get("followMode").is_none();
            if !is_default {
                put(theirs, "/followMode", mode.into());
            }
            match value::text(now, "/follow_frame") {
                Some(frame) => put(theirs, "/followTf", frame.into()),
                None => drop(remove(theirs, "/followTf")),
            }
            true
        },
    }),
    Rule::Keyed {
        theirs: "/topics",
        ours: "/topics",
        rules: TOPIC,
    },
    Rule::Group(&Group {
        ours: &["/grid"],
        read: read_grid,
        write: write_grid,
    }),
    key("/scene/transforms/showLabel", "/frames/names", Codec::Bool),
    key(
        "/scene/transforms/axisScale",
        "/frames/axis_metres",
        Codec::Linear {
            times: AXIS_METRES,
            plus: 0.0,
        },
    ),
    key(
        "/scene/transforms/lineWidth",
        "/frames/links",
        Codec::Own(
            |width| Some((value::as_number(width)? > 0.0).into()),
            |links| Some(if links.as_bool()? { 2 } else { 0 }.into()),
        ),
    ),
];

const GRID: &str = "foxglove.Grid";

fn is_grid(layer: &Value) -> bool {
    value::text(layer, "/layerId") == Some(GRID)
}

fn read_grid(reader: &Reader<'_>) -> Value {
    if !reader.value.get("layers").is_some_and(Value::is_object) {
        return Value::Null;
    }
    let mut shown = false;
    for (_, layer) in reader.entries("/layers").into_iter().filter(|(_, layer)| is_grid(layer.value)) {
        layer.mark("/layerId", "/grid");
        shown |= layer.flag("/visible", "/grid").unwrap_or(true);
    }
    json!({ "grid": shown })
}

fn write_grid(now: &Value, theirs: &mut Value) -> bool {
    let shown = value::flag(now, "/grid").unwrap_or(true);
    let layers = theirs.get("layers").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut found = false;
    for (id, _) in layers.iter().filter(|(_, layer)| is_grid(layer)) {
        put(theirs, &format!("/layers/{}/visible", escape(id)), shown.into());
        found = true;
    }
    if shown && !found {
        let grid = json!({"layerId": GRID, "instanceId": "grid", "label": "Grid", "visible": true});
        put(theirs, "/layers/grid", grid);
    }
    if !shown && layers.is_empty() {
        put(theirs, "/layers", Value::Object(Map::new()));
    }
    true
}

static TOPIC: &[Rule] = &[
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
        read: |reader| {
            let mut hidden = Vec::new();
            for (name, namespace) in reader.entries("/namespaces") {
                if namespace.flag("/visible", "/hidden_namespaces") == Some(false) {
                    hidden.push(name);
                }
            }
            if hidden.is_empty() {
                Value::Null
            } else {
                json!({ "hidden_namespaces": hidden })
            }
        },
        write: |now, theirs| {
            let hidden = now.get("hidden_namespaces").and_then(Value::as_array);
            let hidden: Vec<&str> = hidden.into_iter().flatten().filter_map(Value::as_str).collect();
            let mut all = theirs.get("namespaces").and_then(Value::as_object).cloned().unwrap_or_default();
            for (name, namespace) in &mut all {
                if !hidden.contains(&name.as_str()) {
                    put(namespace, "/visible", true.into());
                }
            }
            for name in hidden {
                put(all.entry(name).or_insert_with(|| json!({})), "/visible", false.into());
            }
            put(theirs, "/namespaces", Value::Object(all));
            true
        },
    }),
];

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

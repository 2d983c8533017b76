//! Gauges, indicators, variables, maps and cameras as Webviz and its descendants store them.

use serde_json::{Map, Value, json};

use super::color;
use super::portable::escape;
use super::rule::{Codec, Group, Plain, Rule, key, key_or};
use super::scene::{COLORMAPS, range};
use super::value::{self, number, numbers, put, remove};

pub static GAUGE: &[Rule] = &[
    key("/path", "/path", Codec::Text),
    key_or("/minValue", "/min", Codec::Number, Plain::Number(0.0)),
    key_or("/maxValue", "/max", Codec::Number, Plain::Number(1.0)),
    Rule::Group(&GAUGE_COLORS),
];

/// Their levels go from red to green, ours from green to red.
static GAUGE_COLORS: Group = Group {
    ours: &["/coloring", "/colormap", "/gradient", "/reverse"],
    read: |reader| {
        let reverse = reader.flag("/reverse", "/reverse").unwrap_or(false);
        if value::text(reader.value, "/colorMode") == Some("gradient") {
            reader.mark("/colorMode", "/coloring");
            let ends = [
                reader.take("/gradient/0", "/gradient/0", Codec::Color),
                reader.take("/gradient/1", "/gradient/1", Codec::Color),
            ];
            return match ends {
                [Some(low), Some(high)] => json!({"coloring": "gradient", "gradient": [low, high], "reverse": reverse}),
                _ => json!({"coloring": "gradient", "reverse": reverse}),
            };
        }
        match reader.text("/colorMap", "/colormap") {
            Some(map @ ("turbo" | "rainbow")) => json!({"coloring": "map", "colormap": map, "reverse": reverse}),
            _ => json!({"coloring": "levels", "reverse": !reverse}),
        }
    },
    write: |now, theirs| {
        let reverse = value::flag(now, "/reverse").unwrap_or(false);
        let map = value::text(now, "/colormap").unwrap_or("turbo");
        let (mode, map, reverse) = match value::text(now, "/coloring") {
            Some("levels") => ("colormap", "red-yellow-green", !reverse),
            Some("map") if matches!(map, "turbo" | "rainbow") => ("colormap", map, reverse),
            Some("gradient") => ("gradient", "", reverse),
            _ => return false,
        };
        put(theirs, "/colorMode", mode.into());
        put(theirs, "/reverse", reverse.into());
        match now.pointer("/gradient").filter(|_| mode == "gradient") {
            Some(ends) => put(theirs, "/gradient", ends.clone()),
            None if mode == "colormap" => put(theirs, "/colorMap", map.into()),
            None => {}
        }
        true
    },
};

pub static INDICATOR: &[Rule] = &[
    key("/path", "/path", Codec::Text),
    key_or(
        "/style",
        "/style",
        Codec::Words(&[("bulb", "lamp"), ("background", "background")]),
        Plain::Text("lamp"),
    ),
    key("/fallbackColor", "/other_color", Codec::Color),
    key("/fallbackLabel", "/other_text", Codec::Text),
    Rule::Each {
        theirs: "/rules",
        ours: "/rules",
        by: "/text",
        rules: &[
            key_or(
                "/operator",
                "/operator",
                Codec::Words(&[("=", "=="), ("<", "<"), ("<=", "<="), (">", ">"), (">=", ">=")]),
                Plain::Text("=="),
            ),
            key("/rawValue", "/value", Codec::Text),
            key("/color", "/color", Codec::Color),
            key("/label", "/text", Codec::Text),
        ],
    },
];

pub static SLIDER: &[Rule] = &[Rule::Group(&Group {
    ours: &["/only", "/controls"],
    read: |reader| {
        let Some(name) = reader.text("/globalVariableName", "/only").filter(|name| !name.is_empty()) else {
            return Value::Null;
        };
        let mut control = Map::new();
        control.insert("kind".to_owned(), "slider".into());
        for part in ["min", "max", "step"] {
            let to = format!("/controls/{}/{part}", escape(name));
            if let Some(number) = reader.number(&format!("/sliderProps/{part}"), &to) {
                control.insert(part.to_owned(), value::of_number(number));
            }
        }
        json!({"only": [name], "controls": {name: control}})
    },
    write: |now, theirs| {
        let Some((name, control)) = the_one(now) else { return false };
        if value::text(control, "/kind") != Some("slider") {
            return false;
        }
        put(theirs, "/globalVariableName", name.into());
        for part in ["min", "max", "step"] {
            if let Some(number) = number(control, &format!("/{part}")) {
                put(theirs, &format!("/sliderProps/{part}"), value::of_number(number));
            }
        }
        true
    },
})];

pub static DROPDOWN: &[Rule] = &[Rule::Group(&Group {
    ours: &["/only", "/controls"],
    read: |reader| {
        let Some(name) = reader.text("/globalVariableName", "/only").filter(|name| !name.is_empty()) else {
            return Value::Null;
        };
        let to = format!("/controls/{}/path", escape(name));
        let path = reader.text("/topicPath", &to).unwrap_or_default();
        json!({"only": [name], "controls": {name: {"kind": "dropdown", "path": path}}})
    },
    write: |now, theirs| {
        let Some((name, control)) = the_one(now) else { return false };
        if value::text(control, "/kind") != Some("dropdown") {
            return false;
        }
        put(theirs, "/globalVariableName", name.into());
        put(theirs, "/topicPath", value::text(control, "/path").unwrap_or_default().into());
        true
    },
})];

/// The variable that a panel is about, where it is one.
fn the_one(now: &Value) -> Option<(&str, &Value)> {
    let [only] = now.get("only")?.as_array()?.as_slice() else {
        return None;
    };
    let name = only.as_str()?;
    Some((name, now.get("controls")?.get(name).unwrap_or(&Value::Null)))
}

pub static MAP: &[Rule] = &[
    key(
        "/layer",
        "/layer",
        Codec::Words(&[("map", "open_street_map"), ("satellite", "esri_imagery"), ("custom", "custom")]),
    ),
    key("/customTileUrl", "/custom_tiles", Codec::Text),
    Rule::Group(&Group {
        ours: &["/view"],
        read: |reader| {
            let part = |key| reader.value.pointer(key).and_then(value::as_number);
            if part("/center/lat").is_none() || part("/center/lon").is_none() {
                return Value::Null;
            }
            let (lat, lon) = (reader.number("/center/lat", "/view"), reader.number("/center/lon", "/view"));
            let zoom = reader.number("/zoomLevel", "/view").unwrap_or(10.0);
            let view = [lat.unwrap_or_default(), lon.unwrap_or_default(), zoom].map(value::of_number);
            json!({ "view": view })
        },
        write: |now, theirs| {
            match numbers::<3>(now.get("view")) {
                Some([lat, lon, zoom]) => {
                    put(theirs, "/center/lat", value::of_number(lat));
                    put(theirs, "/center/lon", value::of_number(lon));
                    put(theirs, "/zoomLevel", value::of_number(zoom));
                }
                None => drop(remove(theirs, "/center")),
            }
            true
        },
    }),
    key("/disabledTopics", "/hidden", Codec::Own(texts, texts)),
    Rule::Group(&TRACK_COLORS),
    Rule::Group(&Group {
        ours: &["/follow", "/follow_topic"],
        read: |reader| match value::text(reader.value, "/followTopic") {
            Some(topic) if !topic.is_empty() => {
                reader.mark("/followTopic", "/follow_topic");
                json!({"follow": true, "follow_topic": topic})
            }
            _ => json!({"follow": false}),
        },
        write: |now, theirs| {
            if !value::flag(now, "/follow").unwrap_or(false) {
                put(theirs, "/followTopic", "".into());
                return true;
            }
            // theirs follows a topic by name, ours the newest position where none is named
            let mut named = ["/follow_topic", "/topics/0"].iter().filter_map(|key| value::text(now, key));
            match named.find(|topic| !topic.is_empty()) {
                Some(topic) => put(theirs, "/followTopic", topic.into()),
                None => return false,
            }
            true
        },
    }),
];

fn texts(list: &Value) -> Option<Value> {
    list.as_array()?.iter().all(Value::is_string).then(|| list.clone())
}

static TRACK_COLORS: Group = Group {
    ours: &["/colors"],
    read: |reader| {
        let mut colors = Map::new();
        for (topic, inside) in reader.entries("/topicColors") {
            if let Some(color) = inside.take("", &format!("/colors/{}", escape(topic)), Codec::Color) {
                colors.insert(topic.to_owned(), color);
            }
        }
        if colors.is_empty() {
            Value::Null
        } else {
            json!({ "colors": colors })
        }
    },
    write: |now, theirs| {
        let object = |value: &Value, key: &str| value.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
        let (colors, mut given) = (object(now, "colors"), object(theirs, "topicColors"));
        given.retain(|topic, color| colors.contains_key(topic) || color::parse(color).is_none());
        let mut said = true;
        for (topic, color) in colors {
            // others have a name in our themes only
            let is_told = color.as_str().is_some_and(|color| color.starts_with('#'));
            let is_same = given.get(&topic).and_then(color::parse).map(|given| given.hex().into()) == Some(color.clone());
            if is_told && !is_same {
                given.insert(topic, color);
            }
            said &= is_told;
        }
        put(theirs, "/topicColors", Value::Object(given));
        said
    },
};

pub static IMAGE: &[Rule] = &[
    key("/imageMode/imageTopic", "/topic", Codec::Text),
    key("/imageMode/rotation", "/rotation_degrees", Codec::Own(quarter_turns, quarter_turns)),
    key("/imageMode/flipHorizontal", "/flip_horizontal", Codec::Bool),
    key("/imageMode/flipVertical", "/flip_vertical", Codec::Bool),
    key("/imageMode/brightness", "/brightness", Codec::Linear { times: 0.012, plus: -0.6 }),
    key("/imageMode/contrast", "/contrast", Codec::Linear { times: 0.018, plus: 0.1 }),
    Rule::Group(&Group {
        ours: &["/range"],
        read: |reader| value_range(range(reader, "/imageMode/minValue", "/imageMode/maxValue", "/range")),
        write: |now, theirs| write_value_range(now, theirs, "/imageMode/minValue", "/imageMode/maxValue"),
    }),
    Rule::Group(&Group {
        ours: &["/colormap"],
        read: |reader| match value::text(reader.value, "/imageMode/colorMode") {
            Some("colormap") => {
                reader.mark("/imageMode/colorMode", "/colormap");
                let map = reader.take("/imageMode/colorMap", "/colormap", COLORMAPS);
                json!({"colormap": map.unwrap_or_else(|| "turbo".into())})
            }
            Some("gradient") => {
                reader.mark("/imageMode/colorMode", "/colormap");
                json!({"colormap": "grey"})
            }
            _ => Value::Null,
        },
        write: |now, theirs| {
            match value::text(now, "/colormap") {
                Some(map @ ("turbo" | "rainbow")) => {
                    put(theirs, "/imageMode/colorMode", "colormap".into());
                    put(theirs, "/imageMode/colorMap", map.into());
                }
                Some("grey") | None => put(theirs, "/imageMode/colorMode", "gradient".into()),
                _ => return false,
            }
            true
        },
    }),
];

/// The image panel of Webviz and of Foxglove's first years.
pub static IMAGE_VIEW: &[Rule] = &[
    key("/cameraTopic", "/topic", Codec::Text),
    key("/rotation", "/rotation_degrees", Codec::Own(quarter_turns, quarter_turns)),
    key("/flipHorizontal", "/flip_horizontal", Codec::Bool),
    key("/flipVertical", "/flip_vertical", Codec::Bool),
    key("/smooth", "/smooth", Codec::Bool),
    Rule::Group(&Group {
        ours: &["/range"],
        read: |reader| value_range(range(reader, "/minValue", "/maxValue", "/range")),
        write: |now, theirs| write_value_range(now, theirs, "/minValue", "/maxValue"),
    }),
];

fn quarter_turns(value: &Value) -> Option<Value> {
    let degrees = value::as_number(value)?;
    [0.0, 90.0, 180.0, 270.0].contains(&degrees).then(|| value::of_number(degrees))
}

fn value_range(range: Option<[f64; 2]>) -> Value {
    match range {
        Some([min, max]) => json!({"range": {"mode": "manual", "min": value::of_number(min), "max": value::of_number(max)}}),
        None => Value::Null,
    }
}

fn write_value_range(now: &Value, theirs: &mut Value, low: &str, high: &str) -> bool {
    match (number(now, "/range/min"), number(now, "/range/max")) {
        (Some(min), Some(max)) => {
            put(theirs, low, value::of_number(min));
            put(theirs, high, value::of_number(max));
        }
        _ => {
            remove(theirs, low);
            remove(theirs, high);
        }
    }
    true
}

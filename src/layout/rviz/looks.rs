//! What RViz's displays say of their topics and of frames, in a 3D panel's terms.

use serde_json::{Map, Value, json};

use crate::layout::rule::{Codec, Reader};
use crate::layout::scene::{self, color_of, field, flat};
use crate::layout::value;

/// What makes a topic's settings of a display of this class.
pub fn drawn(class: &str) -> Option<fn(&Reader<'_>, &str) -> Settings> {
    Some(match class {
        "PointCloud2" | "PointCloud" | "LaserScan" => cloud,
        "Marker" | "MarkerArray" => markers,
        "Map" => map,
        "Pose" | "PoseArray" | "PoseWithCovariance" | "Odometry" | "Path" => pose,
        _ => return None,
    })
}

pub type Settings = Map<String, Value>;

pub fn say(made: &mut Settings, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        made.insert(key.to_owned(), value);
    }
}

fn alpha(display: &Reader<'_>, key: &str, to: &str, made: &mut Settings) {
    let alpha = display.number(key, &format!("{to}/alpha"));
    say(made, "alpha", alpha.map(value::of_number));
}

fn cloud(display: &Reader<'_>, to: &str) -> Settings {
    let mut made = Settings::new();
    let color = format!("{to}/color");
    let say_number = |key: &str, to: &str| display.number(key, to);
    let transformer = value::text(display.value, "/Color Transformer").unwrap_or_default();
    let made_color = match transformer {
        "Intensity" => {
            let name = display.text("/Channel Name", &color).unwrap_or("intensity");
            let rainbow = display.flag("/Use rainbow", &color).unwrap_or(true);
            let fixed = display.flag("/Autocompute Intensity Bounds", &color) == Some(false);
            let range = match fixed {
                true => scene::range(display, "/Min Intensity", "/Max Intensity", &color),
                false => None,
            };
            Some(field(name, if rainbow { "rainbow" } else { "grey" }, range))
        }
        "AxisColor" => {
            let axis = display.text("/Axis", &color).unwrap_or("Z").to_lowercase();
            let fixed = display.flag("/Autocompute Value Bounds/Value", &color) == Some(false);
            let bounds = display.inside("/Autocompute Value Bounds", "");
            let range = match fixed {
                true => scene::range(&bounds, "/Min Value", "/Max Value", &color),
                false => None,
            };
            Some(field(&axis, "rainbow", range))
        }
        "FlatColor" => color_of(display, "/Color", &color).map(flat),
        "RGB8" | "RGBF32" => Some(json!("rgb")),
        _ => None,
    };
    if made_color.is_some() {
        display.mark("/Color Transformer", &color);
    }
    say(&mut made, "color", made_color);
    let style = display.text("/Style", &format!("{to}/size")).unwrap_or("Points");
    let size = match style {
        "Points" => say_number("/Size (Pixels)", &format!("{to}/size")).map(|size| json!({"px": value::of_number(size)})),
        _ => say_number("/Size (m)", &format!("{to}/size")).map(|size| json!({"metres": value::of_number(size)})),
    };
    say(&mut made, "size", size);
    made.insert("round".to_owned(), (style == "Spheres").into());
    let decay = say_number("/Decay Time", &format!("{to}/decay_secs"));
    say(&mut made, "decay_secs", decay.map(value::of_number));
    alpha(display, "/Alpha", to, &mut made);
    made
}

fn markers(display: &Reader<'_>, to: &str) -> Settings {
    let mut hidden = Vec::new();
    for (name, inside) in display.entries("/Namespaces") {
        if let Some(shown) = inside.value.as_bool() {
            inside.mark("", &format!("{to}/hidden_namespaces"));
            if !shown {
                hidden.push(name);
            }
        }
    }
    let mut made = Settings::new();
    say(&mut made, "hidden_namespaces", (!hidden.is_empty()).then(|| json!(hidden)));
    made
}

fn map(display: &Reader<'_>, to: &str) -> Settings {
    const LOOKS: Codec = Codec::Words(&[("map", "map"), ("costmap", "costmap")]);
    let mut made = Settings::new();
    alpha(display, "/Alpha", to, &mut made);
    say(&mut made, "cells", display.take("/Color Scheme", &format!("{to}/cells"), LOOKS));
    made
}

/// What is shown as arrows or a line; ROS 1's Odometry has its arrow's settings in `Shape`.
fn pose(display: &Reader<'_>, to: &str) -> Settings {
    let mut made = Settings::new();
    let shape = match display.value.get("Shape").is_some_and(Value::is_object) {
        true => display.inside("/Shape", ""),
        false => display.clone(),
    };
    let own = color_of(&shape, "/Color", &format!("{to}/color"));
    say(&mut made, "color", own.map(flat));
    alpha(&shape, "/Alpha", to, &mut made);
    let scale = format!("{to}/scale_metres");
    let length = match value::text(display.value, "/Line Style") {
        Some("Billboards") => {
            display.mark("/Line Style", &scale);
            display.number("/Line Width", &scale)
        }
        Some(_) => None,
        None => match (shape.number("/Shaft Length", &scale), shape.number("/Head Length", &scale)) {
            (Some(shaft), head) => Some(shaft + head.unwrap_or(0.0)),
            (None, _) => None,
        },
    };
    say(&mut made, "scale_metres", length.map(value::of_number));
    made
}

/// Of an axis at scale 1.
const AXIS_METRES: f64 = 0.2;

pub fn frames(display: &Reader<'_>, shown: bool) -> Value {
    if !shown || display.flag("/Enabled", "/frames") == Some(false) {
        return json!({"axes": false, "names": false, "links": false});
    }
    let flag = |key: &str, to: &str| display.flag(key, to).unwrap_or(true);
    let mut made = json!({
        "axes": flag("/Show Axes", "/frames/axes"),
        "names": flag("/Show Names", "/frames/names"),
        "links": flag("/Show Arrows", "/frames/links"),
    });
    if let Some(scale) = display.number("/Marker Scale", "/frames/axis_metres") {
        made["axis_metres"] = value::of_number(scale * AXIS_METRES);
    }
    let mut hidden = Vec::new();
    for (name, frame) in display.entries("/Frames") {
        if frame.flag("/Value", "/frames/hidden") == Some(false) {
            hidden.push(bare(name));
        }
    }
    if !hidden.is_empty() {
        made["hidden"] = json!(hidden);
    }
    made
}

pub fn bare(frame: &str) -> &str {
    frame.trim_start_matches('/')
}

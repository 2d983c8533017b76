//! The 3D panel in other programs' terms: cameras, what they follow, colours.
//!
//! Their cameras stand at `phi` from the zenith and `thetaOffset` clockwise from the -y axis; ours look down by `pitch_degrees` along
//! `yaw_degrees` counter-clockwise from +x: pitch = 90° - phi, yaw = 90° - thetaOffset.

use serde_json::{Value, json};

use super::color::{self, Color};
use super::rule::{Codec, Group, Reader};
use super::value::{self, as_number, number, numbers, put, remove};

/// Of a parallel picture theirs is as high as its distance; with this angle ours is too.
pub const PARALLEL_FOV_DEGREES: f64 = 53.130_102_354;

pub static CAMERA_IN_DEGREES: Group = Group {
    ours: &["/camera"],
    read: |reader| read_camera(reader, &DEGREES),
    write: |now, theirs| write_camera(now, theirs, &DEGREES),
};

pub static CAMERA_IN_RADIANS: Group = Group {
    ours: &["/camera"],
    read: |reader| read_camera(reader, &RADIANS),
    write: |now, theirs| write_camera(now, theirs, &RADIANS),
};

/// How a program says angles, and what it takes where nothing is said.
struct Cameras {
    degrees_per_unit: f64,
    distance: f64,
    phi_degrees: f64,
    theta_degrees: f64,
    /// `target` counts where nothing is followed.
    has_target: bool,
}

const DEGREES: Cameras = Cameras {
    degrees_per_unit: 1.0,
    distance: 20.0,
    phi_degrees: 60.0,
    theta_degrees: 45.0,
    has_target: false,
};

const RADIANS: Cameras = Cameras {
    degrees_per_unit: 180.0 / std::f64::consts::PI,
    distance: 75.0,
    phi_degrees: 45.0,
    theta_degrees: 0.0,
    has_target: true,
};

const FOV_DEGREES: f64 = 45.0;

fn tidy(number: f64) -> Value {
    value::of_number((number * 1e9).round() / 1e9)
}

fn is_followed(theirs: &Value) -> bool {
    value::text(theirs, "/followTf").is_some_and(|frame| !frame.is_empty())
}

fn read_camera(reader: &Reader<'_>, cameras: &Cameras) -> Value {
    if !reader.value.get("cameraState").is_some_and(Value::is_object) {
        return Value::Null;
    }
    let state = reader.inside("/cameraState", "/camera");
    let angle = |key, to| state.number(key, to).map(|angle| angle * cameras.degrees_per_unit);
    let perspective = state.flag("/perspective", "/top_down").unwrap_or(true);
    let offset = state.numbers::<3>("/targetOffset", "/target").unwrap_or_default();
    let target = match cameras.has_target && !is_followed(reader.value) {
        true => state.numbers::<3>("/target", "/target").unwrap_or_default(),
        false => [0.0; 3],
    };
    let fov = match perspective {
        true => angle("/fovy", "/fov_degrees").unwrap_or(FOV_DEGREES),
        false => PARALLEL_FOV_DEGREES,
    };
    let looks_at = offset.iter().zip(target).map(|(offset, target)| tidy(offset + target));
    json!({"camera": {
        "target": looks_at.collect::<Vec<_>>(),
        "distance": tidy(state.number("/distance", "/distance").unwrap_or(cameras.distance)),
        "yaw_degrees": tidy(90.0 - angle("/thetaOffset", "/yaw_degrees").unwrap_or(cameras.theta_degrees)),
        "pitch_degrees": tidy(90.0 - angle("/phi", "/pitch_degrees").unwrap_or(cameras.phi_degrees)),
        "top_down": !perspective,
        "fov_degrees": tidy(fov),
    }})
}

fn write_camera(now: &Value, theirs: &mut Value, cameras: &Cameras) -> bool {
    let Some(camera) = now.get("camera").filter(|camera| camera.is_object()) else {
        remove(theirs, "/cameraState");
        return true;
    };
    let is_new = theirs.get("cameraState").is_none();
    let mut say = |key: &str, number: Option<f64>| {
        if let Some(number) = number {
            put_number(theirs, &format!("/cameraState/{key}"), number);
        }
    };
    let turned = |key| number(camera, key).map(|degrees| (90.0 - degrees) / cameras.degrees_per_unit);
    say("distance", number(camera, "/distance"));
    say("thetaOffset", turned("/yaw_degrees"));
    say("phi", turned("/pitch_degrees"));
    let top_down = value::flag(camera, "/top_down").unwrap_or(false);
    if !top_down {
        say(
            "fovy",
            number(camera, "/fov_degrees").map(|degrees| degrees / cameras.degrees_per_unit),
        );
    }
    if is_new {
        say("near", Some(0.01));
        say("far", Some(5000.0));
    }
    put(theirs, "/cameraState/perspective", (!top_down).into());
    if let Some(looks_at) = numbers::<3>(camera.get("target")) {
        let target = match cameras.has_target && !is_followed(theirs) {
            true => numbers::<3>(theirs.pointer("/cameraState/target")).unwrap_or_default(),
            false => [0.0; 3],
        };
        let offset: Vec<f64> = looks_at.iter().zip(target).map(|(a, b)| a - b).collect();
        if numbers::<3>(theirs.pointer("/cameraState/targetOffset")).as_ref().map(|t| &t[..]) != Some(offset.as_slice()) {
            let offset = offset.into_iter().map(value::of_number).collect();
            put(theirs, "/cameraState/targetOffset", Value::Array(offset));
        }
    }
    true
}

/// Leaves a number that is the same but for rounding.
pub fn put_number(value: &mut Value, pointer: &str, new: f64) {
    let is_same = value
        .pointer(pointer)
        .and_then(as_number)
        .is_some_and(|old| (old - new).abs() <= 1e-8 * old.abs().max(1.0));
    if !is_same {
        put(value, pointer, value::of_number(new));
    }
}

/// `{"flat":{"rgb":[…]}}`
pub fn flat(color: Color) -> Value {
    json!({"flat": {"rgb": color.bytes()}})
}

/// The colour of a flat `color` of ours.
pub fn flat_color(color: &Value) -> Option<Color> {
    Color::of_bytes(color.pointer("/flat/rgb")?)
}

/// `{"field":{…}}`
pub fn field(name: &str, colormap: &str, range: Option<[f64; 2]>) -> Value {
    let mut field = json!({"name": name, "colormap": colormap});
    if let Some(range) = range {
        field["range"] = json!(range.map(value::of_number));
    }
    json!({ "field": field })
}

/// Both ends, or none.
pub fn range(reader: &Reader<'_>, low: &str, high: &str, to: &str) -> Option<[f64; 2]> {
    let has = |key| reader.value.pointer(key).and_then(as_number).is_some();
    match (has(low), has(high)) {
        (true, true) => Some([reader.number(low, to)?, reader.number(high, to)?]),
        (true, false) => {
            reader.odd(low, ONE_END);
            None
        }
        (false, true) => {
            reader.odd(high, ONE_END);
            None
        }
        (false, false) => None,
    }
}

pub const ONE_END: &str = "one end of a range alone has no effect here";

/// Names of colour maps; of those that only we have, the nearest of theirs is not said.
pub const COLORMAPS: Codec = Codec::Words(&[("turbo", "turbo"), ("rainbow", "rainbow")]);

pub fn color_of(reader: &Reader<'_>, key: &str, to: &str) -> Option<Color> {
    let given = reader.value.pointer(key).filter(|value| !value.is_null())?;
    let color = color::parse(given);
    match color {
        Some(_) => reader.mark(key, to),
        None => reader.odd(key, super::rule::not_understood(given)),
    }
    color
}

//! RViz's cameras in a 3D panel's terms.

use serde_json::{Map, Value, json};

use super::looks::bare;
use crate::layout::rule::Reader;
use crate::layout::scene::PARALLEL_FOV_DEGREES;
use crate::layout::value::{self, number};

/// Points of a window's height, by which a scale in points a metre becomes a distance.
const WINDOW_POINTS: f64 = 800.0;

pub fn view(view: &Reader<'_>) -> Map<String, Value> {
    let class = value::text(view.value, "/Class").unwrap_or_default();
    let class = class.rsplit('/').next().unwrap_or_default();
    let mut made = Map::new();
    let camera = match class {
        "Orbit" | "XYOrbit" | "ThirdPersonFollower" => orbit(view),
        "TopDownOrtho" => top_down(view),
        "FPS" => first_person(view),
        _ => {
            view.odd("", "a camera of this kind is not known here");
            return made;
        }
    };
    let turns = class == "ThirdPersonFollower";
    view.mark("/Class", "/camera");
    made.insert("camera".to_owned(), camera);
    let follow = match view.text("/Target Frame", "/follow_frame") {
        Some(frame) if !frame.is_empty() && !frame.starts_with('<') => {
            made.insert("follow_frame".to_owned(), bare(frame).into());
            if turns { "heading" } else { "position" }
        }
        _ => "off",
    };
    made.insert("follow".to_owned(), follow.into());
    made
}

fn tidy(number: f64) -> Value {
    value::of_number((number * 1e6).round() / 1e6)
}

/// Their camera stands along yaw and pitch of the focal point, ours looks along them.
fn orbit(view: &Reader<'_>) -> Value {
    let turn = |key: &str, to: &str| view.number(key, to).map_or(45.0, f64::to_degrees);
    let yaw = (turn("/Yaw", "/camera/yaw_degrees") + 180.0 + 180.0).rem_euclid(360.0) - 180.0;
    let target = ["X", "Y", "Z"].map(|axis| {
        let at = view.number(&format!("/Focal Point/{axis}"), "/camera/target");
        tidy(at.unwrap_or(0.0))
    });
    json!({
        "target": target,
        "distance": tidy(view.number("/Distance", "/camera/distance").unwrap_or(10.0)),
        "yaw_degrees": tidy(yaw),
        "pitch_degrees": tidy(turn("/Pitch", "/camera/pitch_degrees")),
        "top_down": false,
        "fov_degrees": tidy(turn("/Field of View", "/camera/fov_degrees")),
    })
}

/// How far before the eye lies what our camera turns around.
const BEFORE_METRES: f64 = 10.0;

/// Their camera looks along yaw and pitch, as ours does.
fn first_person(view: &Reader<'_>) -> Value {
    let turn = |key: &str, to: &str| view.number(key, to).unwrap_or(0.0);
    let (yaw, pitch) = (turn("/Yaw", "/camera/yaw_degrees"), turn("/Pitch", "/camera/pitch_degrees"));
    let ahead = [yaw.cos() * pitch.cos(), yaw.sin() * pitch.cos(), -pitch.sin()];
    let target = ["X", "Y", "Z"].iter().zip(ahead).map(|(axis, ahead)| {
        let eye = view.number(&format!("/Position/{axis}"), "/camera/target").unwrap_or(0.0);
        tidy(eye + BEFORE_METRES * ahead)
    });
    json!({
        "target": target.collect::<Vec<_>>(),
        "distance": BEFORE_METRES,
        "yaw_degrees": tidy(yaw.to_degrees()),
        "pitch_degrees": tidy(pitch.to_degrees()),
        "top_down": false,
        "fov_degrees": 45,
    })
}

fn top_down(view: &Reader<'_>) -> Value {
    let at = |key: &str| view.number(key, "/camera/target").unwrap_or(0.0);
    let target = [at("/X"), at("/Y"), 0.0].map(tidy);
    let scale = number(view.value, "/Scale").filter(|scale| *scale > 0.0);
    if scale.is_some() {
        view.mark("/Scale", "/camera/distance");
    }
    let angle = view.number("/Angle", "/camera/yaw_degrees").unwrap_or(0.0);
    json!({
        "target": target,
        "distance": tidy(WINDOW_POINTS / scale.unwrap_or(10.0)),
        "yaw_degrees": tidy(90.0 + angle.to_degrees()),
        "pitch_degrees": 90,
        "top_down": true,
        "fov_degrees": tidy(PARALLEL_FOV_DEGREES),
    })
}

//! The 3D panel of Foxglove and Lichtblick: camera, what it follows, ground grid, frames.

use serde_json::{Map, Value, json};

use super::topic::TOPIC;
use crate::layout::color::{self, Color};
use crate::layout::hidden::Hidden;
use crate::layout::portable::escape;
use crate::layout::rule::{Codec, Group, Reader, Rule, key};
use crate::layout::scene::{CAMERA_IN_DEGREES, color_of, put_number};
use crate::layout::value::{self, number, put, remove};

/// An axis of a frame at scale 1.
const AXIS_METRES: f64 = 0.2;

pub static SCENE: &[Rule] = &[
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
        ours: &["/grid", "/grid_color", "/grid_cell_metres"],
        read: read_grid,
        write: write_grid,
    }),
    key("/scene/backgroundColor", "/background", Codec::Own(rgb_of_color, color_of_rgb)),
    Rule::Group(&HIDDEN_FRAMES),
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

fn is_shown(layer: &Value) -> bool {
    value::flag(layer, "/visible").unwrap_or(true)
}

/// Ours is one: the first that is shown tells how it looks.
fn read_grid(reader: &Reader<'_>) -> Value {
    if !reader.value.get("layers").is_some_and(Value::is_object) {
        return Value::Null;
    }
    let layers = reader.entries("/layers");
    let grids = || layers.iter().map(|(_, layer)| layer).filter(|layer| is_grid(layer.value));
    let shown: Vec<&Reader<'_>> = grids().filter(|layer| is_shown(layer.value)).collect();
    let Some(grid) = shown.first() else {
        for layer in grids() {
            layer.flag("/visible", "/grid");
        }
        return json!({"grid": false});
    };
    if shown.len() == 1 {
        grid.mark("/layerId", "/grid");
        grid.flag("/visible", "/grid");
    }
    let mut made = json!({"grid": true});
    if let Some(color) = color_of(grid, "/color", "/grid_color") {
        put(&mut made, "/grid_color", json!(color.bytes()));
    }
    let (size, divisions) = (
        grid.number("/size", "/grid_cell_metres"),
        grid.number("/divisions", "/grid_cell_metres"),
    );
    if size.is_some() || divisions.is_some() {
        let cell = size.unwrap_or(GRID_METRES) / divisions.unwrap_or(GRID_DIVISIONS).max(1.0);
        put(&mut made, "/grid_cell_metres", value::of_number(cell));
    }
    made
}

/// Of a grid that says nothing of them.
const GRID_METRES: f64 = 10.0;
const GRID_DIVISIONS: f64 = 10.0;

fn write_grid(now: &Value, theirs: &mut Value) -> bool {
    let shown = value::flag(now, "/grid").unwrap_or(true);
    let layers = theirs.get("layers").and_then(Value::as_object).cloned().unwrap_or_default();
    let grids = || layers.iter().filter(|(_, layer)| is_grid(layer));
    let first = grids().find(|(_, layer)| is_shown(layer)).or_else(|| grids().next());
    let first = first.map_or("grid", |(id, _)| id.as_str());
    if shown && grids().next().is_none() {
        let grid = json!({"layerId": GRID, "instanceId": "grid", "label": "Grid", "visible": true});
        put(theirs, "/layers/grid", grid);
    }
    // one that was hidden stays so beside one that is shown
    for (id, _) in grids().filter(|(id, layer)| is_shown(layer) != shown && (!shown || *id == first)) {
        put(theirs, &format!("/layers/{}/visible", escape(id)), shown.into());
    }
    if shown && let Some(grid) = theirs.pointer_mut(&format!("/layers/{}", escape(first))) {
        write_look_of_grid(now, grid);
    }
    if !shown && layers.is_empty() {
        put(theirs, "/layers", Value::Object(Map::new()));
    }
    true
}

fn write_look_of_grid(now: &Value, grid: &mut Value) {
    let before = grid.get("color").and_then(color::parse).map(Color::bytes);
    match now.get("grid_color").and_then(Color::of_bytes) {
        Some(color) if before == Some(color.bytes()) => {}
        Some(color) => put(grid, "/color", color.hex().into()),
        None => drop(remove(grid, "/color")),
    }
    match number(now, "/grid_cell_metres") {
        Some(cell) => {
            let divisions = number(grid, "/divisions").unwrap_or(GRID_DIVISIONS).max(1.0);
            put_number(grid, "/size", cell * divisions);
        }
        None => ["/size", "/divisions"].iter().for_each(|key| drop(remove(grid, key))),
    }
}

fn rgb_of_color(color: &Value) -> Option<Value> {
    Some(json!(color::parse(color)?.bytes()))
}

fn color_of_rgb(rgb: &Value) -> Option<Value> {
    Some(Color::of_bytes(rgb)?.hex().into())
}

static HIDDEN_FRAMES: Group = Group {
    ours: &["/frames/hidden"],
    read: |reader| FRAMES.read(reader),
    write: |now, theirs| FRAMES.write(now, theirs),
};

const FRAMES: Hidden = Hidden {
    theirs: "/transforms",
    prefix: "frame:",
    ours: "/frames/hidden",
};

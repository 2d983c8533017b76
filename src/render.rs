//! Draws one 3D view: points, lines, meshes, cell maps and a ground grid, into a texture that egui shows.
//!
//! Invariants: nothing here knows ROS, topics, panels or messages; the input is a [`Scene`] of plain data whose bulk parts are
//! shared, never copied, so the same scene draws again after a lost device. Positions are metres, z up, in any frame whose
//! `world_from_item` is given; the camera's subtraction happens in f64 on the CPU, so that map coordinates of millions of metres
//! do not jitter. Picking is computed on the CPU with the formulas of the shaders.

mod scene;
pub use scene::*;
mod camera;
pub use camera::{Camera, FOV_Y_RADIANS, Projected, Projection, Ray, View, ViewportPx};
mod colormap;
pub use colormap::{Colormap, colormap_bytes};
mod points;
pub use points::{Bounds, NumberKind, PointField, PointLayout};
mod shapes;
pub use shapes::{Shape, mesh_of, outline_box};
mod ground;
pub use ground::{Ground, ground_lines};
mod pick;
pub use pick::{Picked, pick};
mod gpu;
pub use gpu::{Renderer, Report, compiling, install, next_frame, paint, point_parts};

/// The shaders by name, as they are handed to the GPU: for tests that parse them.
pub const SHADERS: &[(&str, &str)] = &[
    (
        "points",
        concat!(include_str!("render/common.wgsl"), include_str!("render/points.wgsl")),
    ),
    (
        "lines",
        concat!(include_str!("render/common.wgsl"), include_str!("render/lines.wgsl")),
    ),
    (
        "meshes",
        concat!(include_str!("render/common.wgsl"), include_str!("render/meshes.wgsl")),
    ),
    (
        "cells",
        concat!(include_str!("render/common.wgsl"), include_str!("render/cells.wgsl")),
    ),
    ("blit", include_str!("render/blit.wgsl")),
];

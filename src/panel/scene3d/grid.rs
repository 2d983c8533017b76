//! OccupancyGrid: cells on the map's own plane.

use std::sync::Arc;

use glam::{DAffine3, DVec3};

use super::cloud::transformed;
use super::config::CellLook;
use super::layers::{Layer, Out};
use super::owners::Owner;
use crate::decode::{Decoded, Pose};
use crate::render::{Bounds, CellColors, Cells, Raw};

pub fn affine(pose: &Pose) -> DAffine3 {
    let rotation = if pose.orientation.length_squared() > 1e-12 {
        pose.orientation.normalize()
    } else {
        glam::DQuat::IDENTITY
    };
    DAffine3::from_rotation_translation(rotation, pose.position)
}

pub fn draw(layer: &Layer<'_>, out: &mut Out<'_>) {
    let Some(entry) = layer.grid(out.notes) else {
        return;
    };
    let decoded = Arc::clone(&entry.decoded);
    let Decoded::Grid(grid) = &*decoded else { return };
    // A map is where it was published; it does not move with the frames of its moment.
    let Some(fixed_from_frame) = layer.fixed_from(&grid.header.frame_id, layer.now, out.notes) else {
        return;
    };
    let world_from_item = fixed_from_frame * affine(&grid.origin);
    let is_costmap = match layer.config.cells {
        CellLook::Auto => layer.topic.name.contains("costmap"),
        CellLook::Map => false,
        CellLook::Costmap => true,
    };
    out.notes.drawn += 1;
    let extent = DVec3::new(f64::from(grid.width), f64::from(grid.height), 0.0) * f64::from(grid.resolution);
    out.include(Some(transformed(
        Bounds {
            min: DVec3::ZERO,
            max: extent,
        },
        world_from_item,
    )));
    let id = out.own(Owner::Grid {
        topic: Arc::clone(&layer.topic.name),
        entry,
    });
    out.scene.cells.push(Cells {
        id,
        data: Raw(grid.data.clone()),
        width: grid.width,
        height: grid.height,
        metres_per_cell: grid.resolution,
        colors: if is_costmap { CellColors::Costmap } else { CellColors::Map },
        alpha: layer.config.alpha.unwrap_or(0.7),
        world_from_item,
    });
}

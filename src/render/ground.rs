//! The ground grid: a lattice around the camera's target that fades out before its edge, so that it looks endless at every zoom.
//!
//! Invariant: lines lie at whole multiples of the spacing in world coordinates, wherever the camera is; every tenth is a major one.

use glam::{DAffine3, DVec3};

use super::{Blob, Camera, ItemId, Lines, Segment, Size};

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ground {
    /// Height of the plane.
    pub z: f64,
    /// sRGB of major lines; minor ones are fainter.
    pub color: [u8; 3],
    /// Between the lines, all of which are major ones; None: as the distance of the camera asks for.
    pub cell_metres: Option<f64>,
}

/// What a grid may be drawn with.
const CELLS_METRES: std::ops::RangeInclusive<f64> = 1e-3..=1e5;
/// Lines to each side of the middle.
const REACH: i32 = 20;
/// Each line is cut into this many pieces, whose ends carry the fading.
const PIECES: i32 = 8;

pub fn ground_lines(ground: Ground, camera: &Camera) -> Lines {
    if let Some(cell) = ground.cell_metres.filter(|cell| CELLS_METRES.contains(cell)) {
        return cells(ground, camera, cell);
    }
    let level = (camera.distance / 5.0).max(1e-6).log10();
    let exponent = level.floor();
    // How far the view has zoomed out within this decade: minor lines fade away until the major ones take their place.
    let progress = (level - exponent) as f32;
    let spacing = 10f64.powf(exponent);
    let mut segments = Vec::new();
    let origin = (camera.target / (spacing * 10.0)).round() * (spacing * 10.0);
    let middle = (camera.target - origin) / spacing;
    lattice(
        &mut segments,
        ground.color,
        spacing,
        [middle.x, middle.y],
        (1.0 - progress) * 0.30,
        false,
    );
    lattice(
        &mut segments,
        ground.color,
        spacing * 10.0,
        [middle.x / 10.0, middle.y / 10.0],
        0.55,
        true,
    );
    lines(segments, DVec3::new(origin.x, origin.y, ground.z))
}

/// One lattice, whatever the distance of the camera.
fn cells(ground: Ground, camera: &Camera, cell: f64) -> Lines {
    let origin = (camera.target / cell).round() * cell;
    let middle = (camera.target - origin) / cell;
    let mut segments = Vec::new();
    lattice(&mut segments, ground.color, cell, [middle.x, middle.y], 0.55, true);
    lines(segments, DVec3::new(origin.x, origin.y, ground.z))
}

fn lines(segments: Vec<Segment>, origin: DVec3) -> Lines {
    Lines {
        id: ItemId::default(),
        segments: Blob::new(segments),
        width: Size::Px(1.0),
        hides: false,
        world_from_item: DAffine3::from_translation(origin),
    }
}

/// Both directions of one spacing. `middle` is where the target lies, in units of the spacing.
fn lattice(segments: &mut Vec<Segment>, rgb: [u8; 3], spacing: f64, middle: [f64; 2], strength: f32, all: bool) {
    for axis in 0..2 {
        let (across, along) = (middle[axis], middle[1 - axis]);
        for line in -REACH..=REACH {
            let at = across.round() + f64::from(line);
            // A minor line that coincides with a major one would brighten it.
            if !all && (at.rem_euclid(10.0)) < 0.5 {
                continue;
            }
            let point = |piece: i32| {
                let t = along + f64::from(REACH) * f64::from(2 * piece - PIECES) / f64::from(PIECES);
                let away = ((at - across).powi(2) + (t - along).powi(2)).sqrt() / f64::from(REACH);
                let fade = (1.0 - away as f32).clamp(0.0, 1.0);
                let alpha = (255.0 * strength * fade * fade.sqrt()) as u8;
                let (u, v) = ((at * spacing) as f32, (t * spacing) as f32);
                (if axis == 0 { [u, v, 0.0] } else { [v, u, 0.0] }, [rgb[0], rgb[1], rgb[2], alpha])
            };
            for piece in 0..PIECES {
                let ((a, color_a), (b, color_b)) = (point(piece), point(piece + 1));
                if color_a[3] > 0 || color_b[3] > 0 {
                    segments.push(Segment { a, color_a, b, color_b });
                }
            }
        }
    }
}

//! `/os1_cloud_node/points`: 64 beams × 1024 columns in Ouster's layout of 48 bytes a point.
//!
//! A ray that meets nothing gives a point at the origin, as Ouster's driver writes it.

use glam::Vec3;

use super::rays::Caster;
use super::road::Road;
use super::shade::{Shader, hash};
use super::wire::Wire;
use super::world::Scene;

const BEAMS: usize = 64;
const COLUMNS: usize = 1024;
const POINT_BYTES: usize = 48;
const FARTHEST: f32 = 120.0;
/// Half the vertical field of view, degrees.
const ELEVATION: f32 = 16.6;

/// The lidar in the car's frame; `os1_lidar` looks backwards, as Ouster mounts it.
pub const ORIGIN: Vec3 = Vec3::new(0.6, 0.0, 1.886);

/// name, offset, datatype
const FIELDS: [(&str, u32, u8); 9] = [
    ("x", 0, 7),
    ("y", 4, 7),
    ("z", 8, 7),
    ("intensity", 16, 7),
    ("t", 20, 6),
    ("reflectivity", 24, 4),
    ("ring", 26, 2),
    ("noise", 28, 4),
    ("range", 32, 6),
];

pub fn message(road: &Road, scene: &Scene, seq: u32, stamp_nanos: i64) -> Vec<u8> {
    let mut wire = Wire::stamped(seq, stamp_nanos, "os1_lidar")
        .u32(BEAMS as u32)
        .u32(COLUMNS as u32)
        .u32(FIELDS.len() as u32);
    for (name, offset, datatype) in FIELDS {
        wire = wire.string(name).u32(offset).u8(datatype).u32(1);
    }
    wire = wire.bool(false).u32(POINT_BYTES as u32).u32((POINT_BYTES * COLUMNS) as u32);
    wire.bytes(&points(road, scene, seq)).bool(true).0
}

fn points(road: &Road, scene: &Scene, seq: u32) -> Vec<u8> {
    let caster = Caster::new(&scene.objects, ORIGIN);
    let shader = Shader::new(road, scene);
    let mut points = vec![0_u8; BEAMS * COLUMNS * POINT_BYTES];
    let beams: Vec<(f32, f32)> = (0..BEAMS)
        .map(|ring| {
            (ELEVATION - 2.0 * ELEVATION * ring as f32 / (BEAMS - 1) as f32)
                .to_radians()
                .sin_cos()
        })
        .collect();
    for column in 0..COLUMNS {
        // clockwise, from straight behind the car
        let azimuth = std::f32::consts::PI - std::f32::consts::TAU * (column as f32 + 0.5) / COLUMNS as f32;
        let (sin, cos) = azimuth.sin_cos();
        let candidates = caster.column(azimuth);
        for (ring, (up, flat)) in beams.iter().enumerate() {
            let direction = Vec3::new(cos * flat, sin * flat, *up);
            let at = (ring * COLUMNS + column) * POINT_BYTES;
            let point = &mut points[at..at + POINT_BYTES];
            point[20..24].copy_from_slice(&((column * (100_000_000 / COLUMNS)) as u32).to_le_bytes());
            point[26] = ring as u8;
            let dice = hash(seq, column as u32, ring as u32);
            point[28..30].copy_from_slice(&(30 + (dice >> 27) as u16).to_le_bytes());
            let Some(hit) = caster.cast(direction, candidates, FARTHEST) else {
                continue;
            };
            let reflectivity = shader.reflectivity(&hit, direction, ORIGIN);
            // what returns falls with distance; the weakest is lost
            if reflectivity / (1.0 + (hit.distance / 60.0).powi(2)) < 0.02 + 0.03 * (dice & 0xff) as f32 / 255.0 {
                continue;
            }
            let bell = ((dice & 0x3ff) + (dice >> 10 & 0x3ff) + (dice >> 20 & 0x3ff)) as f32 / 1535.0 - 1.0;
            let range = hit.distance + 0.025 * bell;
            let position = direction * range;
            let intensity = 255.0 * reflectivity * (1.0 - hit.distance / 220.0) + 6.0 * bell;
            for (offset, value) in [(0, -position.x), (4, -position.y), (8, position.z), (16, intensity.max(1.0))] {
                point[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
            }
            point[24..26].copy_from_slice(&((reflectivity * 255.0) as u16).to_le_bytes());
            point[32..36].copy_from_slice(&((range * 1000.0) as u32).to_le_bytes());
        }
    }
    points
}

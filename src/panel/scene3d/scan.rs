//! LaserScan: beams become points once for each message.

use std::sync::Arc;

use bytes::Bytes;

use super::cloud::{alpha, flat, size_of, transformed};
use super::config::ColorBy;
use super::layers::{Layer, Legend, Out};
use super::owners::Owner;
use crate::decode::{Decoded, Scan};
use crate::render::{Bounds, NumberKind, PointCloud, PointColor, PointField, PointLayout, Raw};

const STEP: u32 = 20;

struct Beams {
    data: Bytes,
    layout: PointLayout,
    bounds: Option<Bounds>,
    intensities: Option<(f32, f32)>,
    ranges: (f32, f32),
}

/// x, y, z, intensity and range of every beam; beams that met nothing are NaN.
fn beams(scan: &Scan) -> Beams {
    let number = |bytes: &[u8], index: usize| {
        let at = index.checked_mul(4)?;
        bytes.get(at..at + 4)?.try_into().ok().map(f32::from_le_bytes)
    };
    let count = scan.ranges.len() / 4;
    let mut data = Vec::with_capacity(count * STEP as usize);
    for index in 0..count {
        let range = number(&scan.ranges, index)
            .filter(|range| *range >= scan.range_min && *range <= scan.range_max)
            .unwrap_or(f32::NAN);
        let (sin, cos) = (f64::from(scan.angle_min) + f64::from(scan.angle_increment) * index as f64).sin_cos();
        let intensity = number(&scan.intensities, index).unwrap_or(0.0);
        for value in [range * cos as f32, range * sin as f32, range * 0.0, intensity, range] {
            data.extend_from_slice(&value.to_le_bytes());
        }
    }
    let layout = PointLayout::xyz_f32(u32::try_from(count).unwrap_or(0), STEP);
    let field = |offset| PointField {
        offset,
        kind: NumberKind::F32,
    };
    let intensities = (!scan.intensities.is_empty()).then(|| layout.range(&data, field(12))).flatten();
    let ranges = layout.range(&data, field(16)).unwrap_or((0.0, 1.0));
    let bounds = layout.bounds(&data);
    Beams {
        data: data.into(),
        layout,
        bounds,
        intensities,
        ranges,
    }
}

pub fn draw(layer: &Layer<'_>, out: &mut Out<'_>) {
    let entries = layer.entries(out.notes);
    let newest = entries.len().saturating_sub(1);
    for (index, entry) in entries.into_iter().enumerate() {
        let decoded = Arc::clone(&entry.decoded);
        let Decoded::Scan(scan) = &*decoded else { continue };
        let Some(fixed_from_scan) = layer.fixed_from(&scan.header.frame_id, scan.header.stamp, out.notes) else {
            continue;
        };
        let beams = out.memo.get(("scan", entry.key), || beams(scan));
        let color = match &layer.config.color {
            ColorBy::Flat { rgb: [r, g, b] } => PointColor::Flat([*r, *g, *b, alpha(layer.config)]),
            ColorBy::Field { name, colormap, range } => {
                let (offset, auto) = if name == "range" {
                    (16, beams.ranges)
                } else {
                    (12, beams.intensities.unwrap_or((0.0, 1.0)))
                };
                let (min, max) = range.map_or(auto, |[min, max]| (min, max));
                if index == newest {
                    out.legends.push(Legend {
                        topic: Arc::clone(&layer.topic.name),
                        field: name.clone(),
                        colormap: *colormap,
                        range: (min, max),
                    });
                }
                PointColor::Field {
                    field: PointField {
                        offset,
                        kind: NumberKind::F32,
                    },
                    colormap: *colormap,
                    min,
                    max,
                }
            }
            ColorBy::Auto | ColorBy::Rgb => PointColor::Flat(flat(out.colors.beams, layer.config)),
        };
        out.notes.drawn += 1;
        out.include(beams.bounds.map(|bounds| transformed(bounds, fixed_from_scan)));
        let id = out.own(Owner::Message {
            topic: Arc::clone(&layer.topic.name),
            entry,
            part: "Beam",
        });
        let size = size_of(layer.config, 3.0);
        out.scene.clouds.push(PointCloud {
            id,
            data: Raw(beams.data.clone()),
            layout: beams.layout,
            color,
            size,
            round: layer.config.round,
            world_from_item: fixed_from_scan,
        });
    }
}

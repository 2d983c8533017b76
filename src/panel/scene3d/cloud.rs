//! PointCloud2: the message's bytes go to the GPU as they are; this finds the fields and the colours.

use std::sync::Arc;

use super::config::{ColorBy, PointSize, TopicConfig};
use super::layers::{Layer, Legend, Out};
use super::owners::Owner;
use crate::decode::{Cloud, Decoded, PointDatatype, PointField as Field};
use crate::render::{Bounds, Colormap, NumberKind, PointCloud, PointColor, PointField, PointLayout, Raw, Size};

/// Fields that people look at, the most telling first.
const BEST_FIELDS: [&str; 6] = ["intensity", "reflectivity", "intensities", "i", "z", "range"];

pub fn number_kind(datatype: PointDatatype) -> NumberKind {
    match datatype {
        PointDatatype::Int8 => NumberKind::I8,
        PointDatatype::Uint8 => NumberKind::U8,
        PointDatatype::Int16 => NumberKind::I16,
        PointDatatype::Uint16 => NumberKind::U16,
        PointDatatype::Int32 => NumberKind::I32,
        PointDatatype::Uint32 => NumberKind::U32,
        PointDatatype::Float32 => NumberKind::F32,
        PointDatatype::Float64 => NumberKind::F64,
    }
}

fn point_field(field: &Field) -> PointField {
    PointField {
        offset: field.offset,
        kind: number_kind(field.datatype),
    }
}

/// A number of a point; `item` counts within fields that hold several.
pub fn field_number(cloud: &Cloud, layout: &PointLayout, field: &Field, item: u32, index: u32) -> Option<f64> {
    let mut at = point_field(field);
    at.offset = at.offset.saturating_add(item * at.kind.size());
    layout.number(&cloud.data, index, at)
}

/// What is found out about a message once.
struct Found {
    layout: PointLayout,
    bounds: Option<Bounds>,
}

fn find(cloud: &Cloud) -> Found {
    let field = |name: &str| cloud.fields.iter().find(|field| &*field.name == name).map(point_field);
    let layout = PointLayout {
        width: cloud.width,
        height: cloud.height,
        point_step: cloud.point_step,
        row_step: cloud.row_step,
        big_endian: cloud.is_bigendian,
        position: ["x", "y", "z"].map(field),
        origin: glam::DVec3::ZERO,
    };
    let layout = layout.with_origin(&cloud.data);
    Found {
        layout,
        bounds: layout.bounds(&cloud.data),
    }
}

/// About so many points tell the range of a field.
const RANGE_POINTS: u32 = 4096;

/// The range that all but the outermost hundredth on each side lies in: a few glaring reflectors do not darken the rest.
fn auto_range(cloud: &Cloud, layout: &PointLayout, field: PointField) -> (f32, f32) {
    let stride = (layout.count() / RANGE_POINTS).max(1) as usize;
    let mut values: Vec<f32> = (0..layout.count())
        .step_by(stride)
        .filter(|index| layout.position(&cloud.data, *index).is_some())
        .filter_map(|index| layout.number(&cloud.data, index, field))
        .map(|value| value as f32)
        .filter(|value| value.is_finite())
        .collect();
    values.sort_unstable_by(f32::total_cmp);
    let at = |fraction: f64| {
        values
            .get((fraction * values.len().saturating_sub(1) as f64).round() as usize)
            .copied()
    };
    match (at(0.01), at(0.99)) {
        (Some(low), Some(high)) if low < high => (low, high),
        // all alike: in the middle of the map, whose ends are dark
        (Some(low), Some(_)) => (low - 0.5, low + 0.5),
        _ => (0.0, 1.0),
    }
}

/// The colouring that `Auto` stands for; itself where no field tells anything.
pub fn resolved(color: &ColorBy, fields: &[Field]) -> ColorBy {
    if *color != ColorBy::Auto {
        return color.clone();
    }
    if fields.iter().any(|field| matches!(&*field.name, "rgb" | "rgba")) {
        return ColorBy::Rgb;
    }
    match BEST_FIELDS.iter().find(|name| fields.iter().any(|field| &*field.name == **name)) {
        Some(name) => ColorBy::Field {
            name: (*name).to_string(),
            colormap: Default::default(),
            range: None,
        },
        None => ColorBy::Auto,
    }
}

pub fn size_of(config: &TopicConfig, otherwise: f32) -> Size {
    match config.size {
        Some(PointSize::Px(px)) => Size::Px(px),
        Some(PointSize::Metres(metres)) => Size::Metres(metres),
        None => Size::Px(otherwise),
    }
}

pub fn draw(layer: &Layer<'_>, out: &mut Out<'_>) {
    let entries = layer.entries(out.notes);
    let newest = entries.len().saturating_sub(1);
    for (index, entry) in entries.into_iter().enumerate() {
        let decoded = Arc::clone(&entry.decoded);
        let Decoded::Cloud(cloud) = &*decoded else { continue };
        let Some(fixed_from_cloud) = layer.fixed_from(&cloud.header.frame_id, cloud.header.stamp, out.notes) else {
            continue;
        };
        let found = out.memo.get(("cloud", entry.key), || find(cloud));
        if found.layout.position.iter().all(Option::is_none) {
            if index == newest {
                out.notes
                    .problems
                    .push(format!("{}: the cloud has none of the fields x, y and z", layer.topic.name));
            }
            continue;
        }
        if index == newest
            && let Some(note) = &cloud.note
        {
            out.notes.partial.push(format!("{}: {note}", layer.topic.name));
        }
        let color = match resolved(&layer.config.color, &cloud.fields) {
            ColorBy::Rgb => packed(cloud),
            ColorBy::Flat { rgb: [r, g, b] } => Some(PointColor::Flat([r, g, b, alpha(layer.config)])),
            ColorBy::Field { name, colormap, range } => by_field(out, &entry, cloud, &found.layout, &name, colormap, range)
                .inspect(|(_, legend)| {
                    if index == newest {
                        let (field, topic) = (name.clone(), Arc::clone(&layer.topic.name));
                        out.legends.push(Legend {
                            topic,
                            field,
                            colormap,
                            range: *legend,
                        });
                    }
                })
                .map(|(color, _)| color),
            ColorBy::Auto => Some(PointColor::Flat(flat(out.colors.points, layer.config))),
        };
        if color.is_none() && index == newest {
            out.notes
                .partial
                .push(format!("{}: has no such field to colour by", layer.topic.name));
        }
        out.notes.drawn += 1;
        out.include(found.bounds.map(|bounds| transformed(bounds, fixed_from_cloud)));
        let id = out.own(Owner::Cloud {
            topic: Arc::clone(&layer.topic.name),
            entry,
            layout: found.layout,
        });
        out.scene.clouds.push(PointCloud {
            id,
            data: Raw(cloud.data.clone()),
            layout: found.layout,
            color: color.unwrap_or(PointColor::Flat(flat(out.colors.points, layer.config))),
            size: size_of(layer.config, 2.0),
            round: layer.config.round,
            world_from_item: fixed_from_cloud,
        });
    }
}

/// A colour of the theme with the topic's opacity.
pub fn flat(color: egui::Color32, config: &TopicConfig) -> [u8; 4] {
    let [r, g, b, _] = color.to_array();
    [r, g, b, alpha(config)]
}

pub fn alpha(config: &TopicConfig) -> u8 {
    (config.alpha.unwrap_or(1.0).clamp(0.0, 1.0) * 255.0).round() as u8
}

fn packed(cloud: &Cloud) -> Option<PointColor> {
    let field = cloud.fields.iter().find(|field| matches!(&*field.name, "rgb" | "rgba"))?;
    Some(PointColor::Packed {
        offset: field.offset,
        has_alpha: &*field.name == "rgba",
    })
}

fn by_field(
    out: &mut Out<'_>,
    entry: &crate::store::Entry,
    cloud: &Cloud,
    layout: &PointLayout,
    name: &str,
    colormap: Colormap,
    range: Option<[f32; 2]>,
) -> Option<(PointColor, (f32, f32))> {
    let field = point_field(cloud.fields.iter().find(|field| &*field.name == name)?);
    let (min, max) = match range {
        Some([min, max]) => (min, max),
        None => *out.memo.get(("range", entry.key, field), || auto_range(cloud, layout, field)),
    };
    Some((PointColor::Field { field, colormap, min, max }, (min, max)))
}

/// The box around a turned box.
pub fn transformed(bounds: Bounds, fixed_from_item: glam::DAffine3) -> Bounds {
    let corner = |bits: usize| {
        let pick = |axis: usize| {
            if bits >> axis & 1 == 1 {
                bounds.max[axis]
            } else {
                bounds.min[axis]
            }
        };
        fixed_from_item.transform_point3(glam::DVec3::new(pick(0), pick(1), pick(2)))
    };
    Bounds::of((0..8).map(corner)).unwrap_or(bounds)
}

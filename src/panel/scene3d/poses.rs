//! Path, PoseArray, PoseStamped and Odometry: lines and arrows.

use std::sync::Arc;

use glam::{Affine3A, DAffine3, DVec3, Quat, Vec3};

use super::config::{ColorBy, TopicConfig};
use super::grid::affine;
use super::layers::{Layer, Out};
use super::owners::Owner;
use crate::decode::{Decoded, Pose, Poses};
use crate::render::{Blob, Bounds, Instance, Lines, MeshSource, Meshes, Segment, Shape, Size};
use crate::store::Entry;
use crate::theme;

fn color_of(layer: &Layer<'_>) -> [u8; 4] {
    let alpha = super::cloud::alpha(layer.config);
    match layer.config.color {
        ColorBy::Flat { rgb: [r, g, b] } => [r, g, b, alpha],
        _ => {
            let [r, g, b, _] = theme::data::of_name(&layer.topic.name).to_array();
            [r, g, b, alpha]
        }
    }
}

/// An arrow along +x: shaft and head, as instances of the two solids.
pub fn arrow(item_from_arrow: Affine3A, length: f32, shaft: f32, head: f32, head_length: f32, color: [u8; 4]) -> [Instance; 2] {
    let shaft_length = (length - head_length).max(0.0);
    let shaft_part = Affine3A::from_scale(Vec3::new(shaft_length, shaft, shaft));
    let head_part = Affine3A::from_scale_rotation_translation(
        Vec3::new(length - shaft_length, head, head),
        Quat::IDENTITY,
        Vec3::new(shaft_length, 0.0, 0.0),
    );
    [
        Instance::new(item_from_arrow * shaft_part, color),
        Instance::new(item_from_arrow * head_part, color),
    ]
}

/// Arrows of poses, relative to `origin`.
struct Drawn {
    origin: DVec3,
    segments: Blob<Segment>,
    shafts: Blob<Instance>,
    heads: Blob<Instance>,
    bounds: Option<Bounds>,
}

fn drawn(poses: &[Pose], joined: bool, arrow_metres: f32, color: [u8; 4]) -> Drawn {
    let origin = poses.iter().map(|pose| pose.position).find(|p| p.is_finite()).unwrap_or_default();
    let local = |pose: &Pose| (pose.position - origin).as_vec3();
    let mut segments = Vec::new();
    if joined {
        for pair in poses.windows(2) {
            if let [a, b] = pair {
                let (a, b) = (local(a).to_array(), local(b).to_array());
                segments.push(Segment {
                    a,
                    color_a: color,
                    b,
                    color_b: color,
                });
            }
        }
    }
    let (mut shafts, mut heads) = (Vec::new(), Vec::new());
    if !joined {
        for pose in poses.iter().filter(|pose| pose.position.is_finite()) {
            let from_pose = affine(&Pose {
                position: pose.position - origin,
                orientation: pose.orientation,
            });
            let at = Affine3A::from_rotation_translation(
                glam::DQuat::from_mat3(&from_pose.matrix3).as_quat(),
                from_pose.translation.as_vec3(),
            );
            let [shaft, head] = arrow(
                at,
                arrow_metres,
                arrow_metres * 0.08,
                arrow_metres * 0.2,
                arrow_metres * 0.28,
                color,
            );
            shafts.push(shaft);
            heads.push(head);
        }
    }
    let bounds = Bounds::of(poses.iter().map(|pose| pose.position));
    Drawn {
        origin,
        segments: Blob::new(segments),
        shafts: Blob::new(shafts),
        heads: Blob::new(heads),
        bounds,
    }
}

fn push(layer: &Layer<'_>, out: &mut Out<'_>, entry: Entry, drawn: &Drawn, fixed_from_frame: DAffine3, part: &'static str) {
    let id = out.own(Owner::Message {
        topic: Arc::clone(&layer.topic.name),
        entry,
        part,
    });
    let world_from_item = fixed_from_frame * DAffine3::from_translation(drawn.origin);
    out.notes.drawn += 1;
    out.include(drawn.bounds.map(|bounds| super::cloud::transformed(bounds, fixed_from_frame)));
    if !drawn.segments.is_empty() {
        let width = layer.config.scale_metres.map_or(Size::Px(2.5), Size::Metres);
        out.scene.lines.push(Lines {
            id,
            segments: drawn.segments.clone(),
            width,
            hides: true,
            world_from_item,
        });
    }
    let translucent = super::cloud::alpha(layer.config) < 255;
    for (shape, instances) in [(Shape::Rod, &drawn.shafts), (Shape::Cone, &drawn.heads)] {
        if !instances.is_empty() {
            let mesh = MeshSource::Shape(shape);
            out.scene.meshes.push(Meshes {
                id,
                mesh,
                instances: instances.clone(),
                lit: true,
                translucent,
                world_from_item,
            });
        }
    }
}

fn settings_key(config: &TopicConfig, color: [u8; 4]) -> (u32, [u8; 4]) {
    (config.scale_metres.unwrap_or(0.0).to_bits(), color)
}

pub fn draw_poses(layer: &Layer<'_>, out: &mut Out<'_>) {
    let Some(entry) = layer.entry(out.notes) else {
        return;
    };
    let decoded = Arc::clone(&entry.decoded);
    let Decoded::Poses(Poses { header, poses, joined }) = &*decoded else {
        return;
    };
    let Some(fixed_from_frame) = layer.fixed_from(&header.frame_id, header.stamp, out.notes) else {
        return;
    };
    let color = color_of(layer);
    let metres = layer.config.scale_metres.unwrap_or(0.6);
    let drawn = out.memo.get(("poses", entry.key, settings_key(layer.config, color)), || {
        drawn(poses, *joined, metres, color)
    });
    push(
        layer,
        out,
        entry,
        &drawn,
        fixed_from_frame,
        if *joined { "Path, part" } else { "Pose" },
    );
}

pub fn draw_pose(layer: &Layer<'_>, out: &mut Out<'_>) {
    let entries = layer.entries(out.notes);
    let color = color_of(layer);
    let mut track: Vec<Pose> = Vec::new();
    let newest = entries.len().saturating_sub(1);
    for (index, entry) in entries.into_iter().enumerate() {
        let decoded = Arc::clone(&entry.decoded);
        let Decoded::Pose(stamped) = &*decoded else { continue };
        let Some(fixed_from_frame) = layer.fixed_from(&stamped.header.frame_id, stamped.header.stamp, out.notes) else {
            continue;
        };
        let position = fixed_from_frame.transform_point3(stamped.pose.position);
        track.push(Pose {
            position,
            orientation: glam::DQuat::IDENTITY,
        });
        if index < newest {
            continue;
        }
        let metres = layer.config.scale_metres.unwrap_or(2.0);
        let arrow = out.memo.get(("pose", entry.key, settings_key(layer.config, color)), || {
            drawn(&[stamped.pose], false, metres, color)
        });
        if track.len() > 1 {
            let keys: Vec<u64> = track.iter().flat_map(|pose| pose.position.to_array()).map(f64::to_bits).collect();
            let line = out.memo.get(("track", keys, color), || drawn(&track, true, 0.0, color));
            push(layer, out, entry.clone(), &line, DAffine3::IDENTITY, "Track, part");
        }
        push(layer, out, entry, &arrow, fixed_from_frame, "Pose");
    }
}

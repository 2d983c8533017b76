//! What each drawn item stands for, so that a click can be answered with a message's fields.

use std::sync::Arc;

use glam::DVec3;

use crate::decode::{Cloud, Decoded, Marker, Pose};
use crate::render::{ItemId, Picked, PointLayout};
use crate::store::Entry;
use crate::text::grouped;
use crate::time::Time;

use super::cloud::field_number;

#[derive(Clone)]
pub enum Owner {
    Cloud {
        topic: Arc<str>,
        entry: Entry,
        layout: PointLayout,
    },
    /// Anything of one message whose parts have names: beam or pose number.
    Message {
        topic: Arc<str>,
        entry: Entry,
        part: &'static str,
    },
    /// Each instance, segment or point belongs to one of the markers.
    Markers {
        topic: Arc<str>,
        markers: Arc<Vec<(Time, Arc<Marker>)>>,
        of_index: Arc<Vec<u32>>,
    },
    Grid {
        topic: Arc<str>,
        entry: Entry,
    },
    Frame {
        name: Arc<str>,
        parent: Option<Arc<str>>,
    },
}

#[derive(Clone, Default)]
pub struct Owners(Vec<Owner>);

/// What was clicked: a title, and names with values.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    pub title: String,
    pub topic: Option<Arc<str>>,
    pub rows: Vec<(String, String)>,
    pub position_in_fixed: DVec3,
}

impl Owners {
    pub fn add(&mut self, owner: Owner) -> ItemId {
        self.0.push(owner);
        ItemId(self.0.len() as u64 - 1)
    }

    pub fn card(&self, picked: Picked) -> Option<Card> {
        let owner = self.0.get(usize::try_from(picked.id.0).ok()?)?;
        let mut rows: Vec<(String, String)> = Vec::new();
        let mut row = |name: &str, value: String| rows.push((name.to_string(), value));
        let (title, topic) = match owner {
            Owner::Cloud { topic, entry, layout } => {
                if let Decoded::Cloud(cloud) = &*entry.decoded {
                    cloud_rows(cloud, layout, picked.index, &mut row);
                }
                (format!("Point {}", grouped(u64::from(picked.index))), Some(topic))
            }
            Owner::Message { topic, entry, part } => {
                message_rows(&entry.decoded, picked.index, &mut row);
                (format!("{part} {}", picked.index), Some(topic))
            }
            Owner::Markers { topic, markers, of_index } => {
                let index = of_index.get(picked.index as usize).or(of_index.last()).copied()?;
                let (received, marker) = markers.get(index as usize)?;
                marker_rows(marker, *received, &mut row);
                (format!("Marker {}", marker.id), Some(topic))
            }
            Owner::Grid { topic, entry } => {
                if let Decoded::Grid(grid) = &*entry.decoded {
                    let (x, y) = (picked.index % grid.width.max(1), picked.index / grid.width.max(1));
                    row("cell", format!("{x}, {y}"));
                    let value = grid.data.get(picked.index as usize).map(|v| *v as i8);
                    row(
                        "value",
                        value.map_or("none".into(), |v| if v < 0 { "unknown".into() } else { v.to_string() }),
                    );
                    row("frame", grid.header.frame_id.to_string());
                }
                ("Map cell".to_string(), Some(topic))
            }
            Owner::Frame { name, parent } => {
                row(
                    "parent",
                    parent.as_ref().map_or("none: a root".to_string(), |parent| parent.to_string()),
                );
                (format!("Frame {name}"), None)
            }
        };
        row("in fixed frame", metres(picked.position_in_world));
        Some(Card {
            title,
            topic: topic.cloned(),
            rows,
            position_in_fixed: picked.position_in_world,
        })
    }
}

fn metres(p: DVec3) -> String {
    format!("{:.3}, {:.3}, {:.3} m", p.x, p.y, p.z)
}

fn cloud_rows(cloud: &Cloud, layout: &PointLayout, index: u32, row: &mut impl FnMut(&str, String)) {
    if cloud.height > 1 {
        row(
            "row, column",
            format!("{}, {}", index / cloud.width.max(1), index % cloud.width.max(1)),
        );
    }
    for field in cloud.fields.iter() {
        let values: Vec<String> = (0..field.count.clamp(1, 16))
            .filter_map(|item| field_number(cloud, layout, field, item, index))
            .map(|value| {
                if value == value.trunc() && value.abs() < 1e15 {
                    format!("{value}")
                } else {
                    format!("{}", value as f32)
                }
            })
            .collect();
        let value = if values.is_empty() {
            "beyond the data".to_string()
        } else {
            values.join(", ")
        };
        row(&field.name, value);
    }
    row("frame", cloud.header.frame_id.to_string());
}

fn pose_rows(pose: &Pose, row: &mut impl FnMut(&str, String)) {
    row("position", metres(pose.position));
    let q = pose.orientation;
    row("orientation", format!("{:.4}, {:.4}, {:.4}, {:.4}", q.x, q.y, q.z, q.w));
}

fn message_rows(decoded: &Decoded, index: u32, row: &mut impl FnMut(&str, String)) {
    match decoded {
        Decoded::Scan(scan) => {
            let number = |bytes: &[u8]| {
                let at = index as usize * 4;
                bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map(f32::from_le_bytes)
            };
            row(
                "angle",
                format!("{:.3}°", (scan.angle_min + scan.angle_increment * index as f32).to_degrees()),
            );
            row("range", number(&scan.ranges).map_or("none".into(), |v| format!("{v} m")));
            if let Some(intensity) = number(&scan.intensities) {
                row("intensity", intensity.to_string());
            }
            row("frame", scan.header.frame_id.to_string());
        }
        Decoded::Poses(poses) => {
            if let Some(pose) = poses.poses.get(index as usize) {
                pose_rows(pose, row);
            }
            row("frame", poses.header.frame_id.to_string());
        }
        Decoded::Pose(pose) => {
            pose_rows(&pose.pose, row);
            if let Some(covariance) = &pose.covariance {
                let sigma = |i: usize| covariance.get(i * 7).map_or(0.0, |v| v.max(0.0).sqrt());
                row("σ of position", format!("{:.3}, {:.3}, {:.3} m", sigma(0), sigma(1), sigma(2)));
            }
            row("frame", pose.header.frame_id.to_string());
            if let Some(child) = &pose.child_frame_id {
                row("child frame", child.to_string());
            }
        }
        _ => {}
    }
}

const KINDS: [&str; 12] = [
    "arrow",
    "cube",
    "sphere",
    "cylinder",
    "line strip",
    "line list",
    "cube list",
    "sphere list",
    "points",
    "text",
    "mesh resource",
    "triangle list",
];

fn marker_rows(marker: &Marker, received: Time, row: &mut impl FnMut(&str, String)) {
    let kind = usize::try_from(marker.kind).ok().and_then(|kind| KINDS.get(kind)).copied();
    row("kind", kind.map_or_else(|| format!("unknown ({})", marker.kind), str::to_string));
    row("namespace", marker.ns.to_string());
    row("id", marker.id.to_string());
    pose_rows(&marker.pose, row);
    row("scale", metres(marker.scale));
    let [r, g, b, a] = marker.color;
    row("color", format!("{r:.2}, {g:.2}, {b:.2}, {a:.2}"));
    if !marker.points.is_empty() {
        row("points", marker.points.len().to_string());
    }
    if !marker.text.is_empty() {
        row("text", marker.text.to_string());
    }
    if !marker.mesh_resource.is_empty() {
        row("mesh", marker.mesh_resource.to_string());
    }
    let lifetime = marker.lifetime_nanos;
    row(
        "lifetime",
        if lifetime == 0 {
            "for ever".to_string()
        } else {
            crate::time::format_duration(lifetime)
        },
    );
    row(
        "frame",
        format!("{}{}", marker.header.frame_id, if marker.frame_locked { " (locked)" } else { "" }),
    );
    row("received", format!("{:.3} s", received.secs()));
}

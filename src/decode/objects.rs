//! derived_object_msgs/ObjectWithCovarianceArray and ObjectArray → markers: a box in its class's colour, a label, and an
//! arrow as long as the object moves in one second.
//!
//! Invariant: each message stands for all objects of its time, so its first marker deletes those of the message before.

use std::sync::Arc;

use bytes::Bytes;
use glam::{DQuat, DVec3};

use super::bind::{Binding, Want, XYZ, is_pose, struct_of};
use super::geometry::{header_at, pose_at, vector};
use super::plan::{Kind, Plan};
use super::reader::Reader;
use super::{DecodeError, Header, Marker, MarkerAction, Pose, Scalar};

const CUBE: i32 = 1;
const SPHERE: i32 = 2;
const CYLINDER: i32 = 3;
const ARROW: i32 = 0;
const TEXT: i32 = 9;

/// Slower than this no arrow is drawn.
const MIN_SPEED_METRES_PER_SEC: f64 = 0.2;

#[derive(Debug)]
pub(super) struct ObjectsShape {
    message: Binding<2>,
    object: Binding<6>,
    /// `PoseWithCovariance`, `TwistWithCovariance`: one level further in.
    inner_pose: Option<Binding<1>>,
    inner_twist: Option<Binding<1>>,
    twist: Binding<1>,
    shape: Binding<2>,
    min_size: usize,
}

impl ObjectsShape {
    pub fn of(plan: &Plan) -> Option<ObjectsShape> {
        let element = struct_of(plan, plan.root, "objects")?;
        let wants = [
            ("header", Want::Header),
            ("id", Want::Scalar(Scalar::U32)),
            ("pose", Want::Struct),
            ("twist", Want::Struct),
            ("shape", Want::Struct),
            ("classification", Want::Byte),
        ];
        let pose = struct_of(plan, element, "pose")?;
        let inner_pose = if is_pose(plan, Kind::Struct(pose)) {
            None
        } else {
            Some(Binding::new(plan, pose, [("pose", Want::Pose)])?)
        };
        let outer_twist = struct_of(plan, element, "twist")?;
        let inner_twist = Binding::new(plan, outer_twist, [("twist", Want::Struct)]);
        let twist = if inner_twist.is_some() {
            struct_of(plan, outer_twist, "twist")?
        } else {
            outer_twist
        };
        let shape = [("type", Want::Byte), ("dimensions", Want::Numbers(Scalar::F64))];
        Some(ObjectsShape {
            message: Binding::new(plan, plan.root, [("header", Want::Header), ("objects", Want::Structs)])?,
            object: Binding::new(plan, element, wants)?,
            inner_pose,
            inner_twist,
            twist: Binding::new(plan, twist, [("linear", XYZ)])?,
            shape: Binding::new(plan, struct_of(plan, element, "shape")?, shape)?,
            min_size: plan.types.get(element)?.min_size,
        })
    }

    pub fn decode(&self, plan: &Plan, payload: &Bytes) -> Result<Vec<Marker>, DecodeError> {
        let [header, objects] = self.message.locate(plan, &mut Reader::new(payload))?;
        let header = header_at(payload, header)?;
        let mut reader = Reader::starting_at(payload, objects);
        let count = reader.count(self.min_size)?;
        let blank = marker(&header, "", 0, CUBE);
        let mut markers = vec![Marker {
            action: MarkerAction::DeleteAll,
            ..blank
        }];
        for _ in 0..count {
            let object = self.object(plan, payload, &header, &mut reader)?;
            object.markers(&mut markers);
        }
        Ok(markers)
    }

    fn object(&self, plan: &Plan, payload: &[u8], of: &Header, reader: &mut Reader) -> Result<Object, DecodeError> {
        let [header, id, mut pose, mut twist, shape, class] = self.object.locate(plan, reader)?;
        let at = |offset| Reader::starting_at(payload, offset);
        if let Some(binding) = &self.inner_pose {
            [pose] = binding.locate(plan, &mut at(pose))?;
        }
        if let Some(binding) = &self.inner_twist {
            [twist] = binding.locate(plan, &mut at(twist))?;
        }
        let [linear] = self.twist.locate(plan, &mut at(twist))?;
        let [kind, dimensions] = self.shape.locate(plan, &mut at(shape))?;
        let mut header = header_at(payload, header)?;
        if header.frame_id.is_empty() {
            header = of.clone();
        }
        let class = at(class).u8()?;
        let (kind, size) = solid(at(kind).u8()?, &mut at(dimensions), class)?;
        Ok(Object {
            header,
            id: at(id).u32()?,
            pose: pose_at(payload, pose)?,
            velocity: vector(&mut at(linear))?,
            kind,
            size,
            class,
        })
    }
}

/// shape_msgs/SolidPrimitive → a marker's kind and size in metres.
fn solid(kind: u8, dimensions: &mut Reader, class: u8) -> Result<(i32, DVec3), DecodeError> {
    let count = dimensions.count(8)?;
    let mut given = [0.0; 3];
    for value in given.iter_mut().take(count) {
        *value = dimensions.f64()?;
    }
    let [a, b, c] = given;
    Ok(match (kind, count) {
        (1, 3..) => (CUBE, DVec3::new(a, b, c)),
        (2, 1..) => (SPHERE, DVec3::splat(2.0 * a)),
        (3 | 4, 2..) => (CYLINDER, DVec3::new(2.0 * b, 2.0 * b, a)),
        _ => (
            CUBE,
            CLASSES.get(usize::from(class)).map_or(DVec3::ONE, |c| DVec3::from_array(c.size)),
        ),
    })
}

struct Object {
    header: Header,
    id: u32,
    pose: Pose,
    /// In the header's frame.
    velocity: DVec3,
    kind: i32,
    size: DVec3,
    class: u8,
}

struct Class {
    label: &'static str,
    color: [f32; 3],
    /// Metres, for objects that give none.
    size: [f64; 3],
}

/// By derived_object_msgs' classification; hues that colour-blind people can tell apart (after Okabe and Ito).
const CLASSES: [Class; 12] = [
    Class {
        label: "unknown",
        color: [0.62, 0.64, 0.67],
        size: [1.0, 1.0, 1.0],
    },
    Class {
        label: "unknown small",
        color: [0.62, 0.64, 0.67],
        size: [0.5, 0.5, 0.5],
    },
    Class {
        label: "unknown medium",
        color: [0.62, 0.64, 0.67],
        size: [1.5, 1.5, 1.5],
    },
    Class {
        label: "unknown big",
        color: [0.62, 0.64, 0.67],
        size: [4.0, 2.0, 2.0],
    },
    Class {
        label: "pedestrian",
        color: [0.94, 0.53, 0.20],
        size: [0.6, 0.6, 1.75],
    },
    Class {
        label: "bike",
        color: [0.94, 0.82, 0.25],
        size: [1.8, 0.6, 1.7],
    },
    Class {
        label: "car",
        color: [0.34, 0.66, 0.93],
        size: [4.5, 1.9, 1.6],
    },
    Class {
        label: "truck",
        color: [0.16, 0.47, 0.78],
        size: [9.0, 2.5, 3.2],
    },
    Class {
        label: "motorcycle",
        color: [0.87, 0.49, 0.68],
        size: [2.1, 0.8, 1.5],
    },
    Class {
        label: "vehicle",
        color: [0.20, 0.68, 0.55],
        size: [5.0, 2.0, 2.0],
    },
    Class {
        label: "barrier",
        color: [0.82, 0.38, 0.22],
        size: [2.0, 0.5, 1.0],
    },
    Class {
        label: "sign",
        color: [0.60, 0.80, 0.35],
        size: [0.6, 0.1, 0.6],
    },
];

impl Object {
    fn markers(self, out: &mut Vec<Marker>) {
        let class = CLASSES.get(usize::from(self.class)).or(CLASSES.first());
        let (label, [r, g, b]) = class.map_or(("unknown", [0.6; 3]), |c| (c.label, c.color));
        // Ids above i32's range wrap: they only have to differ.
        let id = i32::from_le_bytes(self.id.to_le_bytes());
        let centre = Pose {
            position: self.pose.position,
            orientation: DQuat::IDENTITY,
        };
        let top = DVec3::new(0.0, 0.0, self.size.z * 0.5);
        let solid = marker(&self.header, "objects", id, self.kind);
        out.push(Marker {
            pose: self.pose,
            scale: self.size,
            color: [r, g, b, 0.55],
            ..solid
        });
        let speed = self.velocity.length();
        let moves = speed.is_finite() && speed >= MIN_SPEED_METRES_PER_SEC;
        let text = if moves {
            format!("{label} {}  {speed:.1} m/s", self.id)
        } else {
            format!("{label} {}", self.id)
        };
        let label_pose = Pose {
            position: self.pose.position + top + DVec3::Z * 0.6,
            ..centre
        };
        let words = marker(&self.header, "labels", id, TEXT);
        out.push(Marker {
            pose: label_pose,
            scale: DVec3::splat(0.6),
            color: [r, g, b, 1.0],
            text: text.into(),
            ..words
        });
        if moves {
            let points = Arc::from([[0.0; 3], self.velocity.as_vec3().to_array()]);
            let arrow = marker(&self.header, "velocity", id, ARROW);
            out.push(Marker {
                pose: centre,
                scale: DVec3::new(0.12, 0.35, 0.5),
                color: [r, g, b, 1.0],
                points,
                ..arrow
            });
        }
    }
}

fn marker(header: &Header, ns: &str, id: i32, kind: i32) -> Marker {
    Marker {
        header: header.clone(),
        ns: ns.into(),
        id,
        action: MarkerAction::Add,
        kind,
        pose: Pose {
            position: DVec3::ZERO,
            orientation: DQuat::IDENTITY,
        },
        scale: DVec3::ONE,
        color: [1.0; 4],
        lifetime_nanos: 0,
        frame_locked: false,
        points: Arc::from([]),
        colors: Arc::from([]),
        text: "".into(),
        mesh_resource: "".into(),
        mesh_use_embedded_materials: false,
    }
}

//! Headers, poses, transforms and paths.
//!
//! Invariant: every rotation that leaves here is a unit quaternion; one of zero or of no finite length is the identity.

use std::sync::Arc;

use bytes::Bytes;
use glam::{DQuat, DVec3};

use super::bind::{Binding, Want, XYZ, XYZW, is_pose, struct_of, text, text_at};
use super::plan::{Kind, Plan};
use super::reader::Reader;
use super::{DecodeError, Header, Pose, PoseStamped, Poses, TransformStamped};
use crate::time::Time;

/// `std_msgs/Header`: sequence number, stamp, frame.
pub(super) fn header_at(payload: &[u8], offset: usize) -> Result<Header, DecodeError> {
    let mut reader = Reader::starting_at(payload, offset);
    reader.skip(4)?;
    let stamp = Time::from_sec_nsec(reader.u32()?, reader.u32()?);
    Ok(Header {
        stamp,
        frame_id: text(&mut reader)?,
    })
}

pub(super) fn pose_at(payload: &[u8], offset: usize) -> Result<Pose, DecodeError> {
    pose(&mut Reader::starting_at(payload, offset))
}

fn pose(reader: &mut Reader) -> Result<Pose, DecodeError> {
    Ok(Pose {
        position: vector(reader)?,
        orientation: rotation(reader)?,
    })
}

pub(super) fn vector(reader: &mut Reader) -> Result<DVec3, DecodeError> {
    Ok(DVec3::new(reader.f64()?, reader.f64()?, reader.f64()?))
}

fn quaternion(reader: &mut Reader) -> Result<DQuat, DecodeError> {
    Ok(DQuat::from_xyzw(reader.f64()?, reader.f64()?, reader.f64()?, reader.f64()?))
}

/// Of length 1, whatever length was told.
pub(super) fn rotation(reader: &mut Reader) -> Result<DQuat, DecodeError> {
    let quaternion = quaternion(reader)?;
    let length_squared = quaternion.length_squared();
    if !length_squared.is_finite() || length_squared < 1e-12 {
        return Ok(DQuat::IDENTITY);
    }
    Ok(if (length_squared - 1.0).abs() < 1e-9 {
        quaternion
    } else {
        quaternion.normalize()
    })
}

#[derive(Debug)]
pub(super) struct TransformsShape {
    /// The array's field; None where the message is one transform.
    array: Option<(Binding<1>, usize)>,
    transform: Binding<3>,
    parts: Binding<2>,
}

impl TransformsShape {
    pub fn array(plan: &Plan) -> Option<TransformsShape> {
        let element = struct_of(plan, plan.root, "transforms")?;
        let binding = Binding::new(plan, plan.root, [("transforms", Want::Structs)])?;
        let min_size = plan.types.get(element)?.min_size;
        Some(TransformsShape {
            array: Some((binding, min_size)),
            ..TransformsShape::of(plan, element)?
        })
    }

    pub fn single(plan: &Plan) -> Option<TransformsShape> {
        TransformsShape::of(plan, plan.root)
    }

    fn of(plan: &Plan, id: usize) -> Option<TransformsShape> {
        let wants = [
            ("header", Want::Header),
            ("child_frame_id", Want::Text),
            ("transform", Want::Struct),
        ];
        let transform = Binding::new(plan, id, wants)?;
        let parts = Binding::new(plan, struct_of(plan, id, "transform")?, [("translation", XYZ), ("rotation", XYZW)])?;
        Some(TransformsShape {
            array: None,
            transform,
            parts,
        })
    }

    pub fn decode(&self, plan: &Plan, payload: &Bytes) -> Result<Vec<TransformStamped>, DecodeError> {
        let mut reader = Reader::new(payload);
        let Some((binding, min_size)) = &self.array else {
            return Ok(vec![self.one(plan, payload, &mut reader)?]);
        };
        let [transforms] = binding.locate(plan, &mut reader)?;
        let mut reader = Reader::starting_at(payload, transforms);
        let count = reader.count(*min_size)?;
        (0..count).map(|_| self.one(plan, payload, &mut reader)).collect()
    }

    fn one(&self, plan: &Plan, payload: &[u8], reader: &mut Reader) -> Result<TransformStamped, DecodeError> {
        let [header, child, transform] = self.transform.locate(plan, reader)?;
        let [translation, rotation_at] = self.parts.locate(plan, &mut Reader::starting_at(payload, transform))?;
        Ok(TransformStamped {
            header: header_at(payload, header)?,
            child_frame_id: text_at(payload, child)?,
            translation: vector(&mut Reader::starting_at(payload, translation))?,
            rotation: quaternion(&mut Reader::starting_at(payload, rotation_at))?,
        })
    }
}

#[derive(Debug)]
pub(super) struct PosesShape {
    message: Binding<2>,
    /// Path: its elements bear a header of their own.
    element: Option<Binding<1>>,
    min_size: usize,
}

impl PosesShape {
    pub fn path(plan: &Plan) -> Option<PosesShape> {
        let element = struct_of(plan, plan.root, "poses")?;
        Some(PosesShape {
            message: PosesShape::message(plan)?,
            element: Some(Binding::new(plan, element, [("pose", Want::Pose)])?),
            min_size: plan.types.get(element)?.min_size,
        })
    }

    pub fn array(plan: &Plan) -> Option<PosesShape> {
        let element = struct_of(plan, plan.root, "poses")?;
        if !is_pose(plan, Kind::Struct(element)) {
            return None;
        }
        Some(PosesShape {
            message: PosesShape::message(plan)?,
            element: None,
            min_size: plan.types.get(element)?.min_size,
        })
    }

    fn message(plan: &Plan) -> Option<Binding<2>> {
        Binding::new(plan, plan.root, [("header", Want::Header), ("poses", Want::Structs)])
    }

    pub fn decode(&self, plan: &Plan, payload: &Bytes) -> Result<Poses, DecodeError> {
        let [header, poses] = self.message.locate(plan, &mut Reader::new(payload))?;
        let mut reader = Reader::starting_at(payload, poses);
        let count = reader.count(self.min_size)?;
        let one = |_| match &self.element {
            Some(binding) => binding.locate(plan, &mut reader).and_then(|[at]| pose_at(payload, at)),
            None => pose(&mut reader),
        };
        let poses = (0..count).map(one).collect::<Result<_, _>>()?;
        Ok(Poses {
            header: header_at(payload, header)?,
            poses,
            joined: self.element.is_some(),
        })
    }
}

#[derive(Debug)]
pub(super) enum PoseShape {
    Stamped(Binding<2>),
    WithCovariance(Binding<2>, Binding<2>),
    Odometry(Binding<3>, Binding<2>),
}

impl PoseShape {
    pub fn stamped(plan: &Plan) -> Option<PoseShape> {
        Binding::new(plan, plan.root, [("header", Want::Header), ("pose", Want::Pose)]).map(PoseShape::Stamped)
    }

    pub fn with_covariance(plan: &Plan) -> Option<PoseShape> {
        let message = Binding::new(plan, plan.root, [("header", Want::Header), ("pose", Want::Struct)])?;
        Some(PoseShape::WithCovariance(message, PoseShape::covariance(plan)?))
    }

    pub fn odometry(plan: &Plan) -> Option<PoseShape> {
        let wants = [("header", Want::Header), ("child_frame_id", Want::Text), ("pose", Want::Struct)];
        Some(PoseShape::Odometry(
            Binding::new(plan, plan.root, wants)?,
            PoseShape::covariance(plan)?,
        ))
    }

    fn covariance(plan: &Plan) -> Option<Binding<2>> {
        Binding::new(
            plan,
            struct_of(plan, plan.root, "pose")?,
            [("pose", Want::Pose), ("covariance", Want::Doubles(36))],
        )
    }

    pub fn decode(&self, plan: &Plan, payload: &Bytes) -> Result<PoseStamped, DecodeError> {
        let mut reader = Reader::new(payload);
        match self {
            PoseShape::Stamped(message) => {
                let [header, pose] = message.locate(plan, &mut reader)?;
                let (header, pose) = (header_at(payload, header)?, pose_at(payload, pose)?);
                Ok(PoseStamped {
                    header,
                    pose,
                    child_frame_id: None,
                    covariance: None,
                })
            }
            PoseShape::WithCovariance(message, inner) => {
                let [header, pose] = message.locate(plan, &mut reader)?;
                uncertain(plan, payload, inner, header, pose, None)
            }
            PoseShape::Odometry(message, inner) => {
                let [header, child, pose] = message.locate(plan, &mut reader)?;
                uncertain(plan, payload, inner, header, pose, Some(text_at(payload, child)?))
            }
        }
    }
}

fn uncertain(
    plan: &Plan,
    payload: &[u8],
    inner: &Binding<2>,
    header: usize,
    pose: usize,
    child_frame_id: Option<Arc<str>>,
) -> Result<PoseStamped, DecodeError> {
    let [pose, covariance] = inner.locate(plan, &mut Reader::starting_at(payload, pose))?;
    let mut reader = Reader::starting_at(payload, covariance);
    let mut matrix = Box::new([0.0; 36]);
    for cell in matrix.iter_mut() {
        *cell = reader.f64()?;
    }
    Ok(PoseStamped {
        header: header_at(payload, header)?,
        pose: pose_at(payload, pose)?,
        child_frame_id,
        covariance: Some(matrix),
    })
}

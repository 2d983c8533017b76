//! visualization_msgs/Marker and MarkerArray.

use std::sync::Arc;

use bytes::Bytes;
use glam::DVec3;

use super::bind::{Binding, RGBA, Want, XYZ, is_flat, struct_of, text_at};
use super::geometry::{header_at, pose_at, vector};
use super::plan::{Kind, Plan};
use super::reader::Reader;
use super::{DecodeError, Marker, MarkerAction, Scalar};

#[derive(Debug)]
pub(super) struct MarkersShape {
    /// The array's field and the fewest bytes of an element; None where the message is one marker.
    array: Option<(Binding<1>, usize)>,
    marker: Binding<15>,
}

impl MarkersShape {
    pub fn array(plan: &Plan) -> Option<MarkersShape> {
        let element = struct_of(plan, plan.root, "markers")?;
        let binding = Binding::new(plan, plan.root, [("markers", Want::Structs)])?;
        Some(MarkersShape {
            array: Some((binding, plan.types.get(element)?.min_size)),
            marker: MarkersShape::marker(plan, element)?,
        })
    }

    pub fn single(plan: &Plan) -> Option<MarkersShape> {
        Some(MarkersShape {
            array: None,
            marker: MarkersShape::marker(plan, plan.root)?,
        })
    }

    fn marker(plan: &Plan, id: usize) -> Option<Binding<15>> {
        let points_fit = is_flat(plan, Kind::Struct(struct_of(plan, id, "points")?), &["x", "y", "z"], Scalar::F64);
        let colors_fit = is_flat(
            plan,
            Kind::Struct(struct_of(plan, id, "colors")?),
            &["r", "g", "b", "a"],
            Scalar::F32,
        );
        if !points_fit || !colors_fit {
            return None;
        }
        let wants = [
            ("header", Want::Header),
            ("ns", Want::Text),
            ("id", Want::Scalar(Scalar::I32)),
            ("type", Want::Scalar(Scalar::I32)),
            ("action", Want::Scalar(Scalar::I32)),
            ("pose", Want::Pose),
            ("scale", XYZ),
            ("color", RGBA),
            ("lifetime", Want::Duration),
            ("frame_locked", Want::Byte),
            ("points", Want::Structs),
            ("colors", Want::Structs),
            ("text", Want::Text),
            ("mesh_resource", Want::Text),
            ("mesh_use_embedded_materials", Want::Byte),
        ];
        Binding::new(plan, id, wants)
    }

    pub fn decode(&self, plan: &Plan, payload: &Bytes) -> Result<Vec<Marker>, DecodeError> {
        let mut reader = Reader::new(payload);
        let Some((binding, min_size)) = &self.array else {
            return Ok(vec![self.one(plan, payload, &mut reader)?]);
        };
        let [markers] = binding.locate(plan, &mut reader)?;
        let mut reader = Reader::starting_at(payload, markers);
        let count = reader.count(*min_size)?;
        // A marker is larger in memory than in a message: grow as they come.
        let mut all = Vec::new();
        for _ in 0..count {
            all.push(self.one(plan, payload, &mut reader)?);
        }
        Ok(all)
    }

    fn one(&self, plan: &Plan, payload: &[u8], reader: &mut Reader) -> Result<Marker, DecodeError> {
        let [
            header,
            ns,
            id,
            kind,
            action,
            pose,
            scale,
            color,
            lifetime,
            locked,
            points,
            colors,
            text,
            mesh,
            embedded,
        ] = self.marker.locate(plan, reader)?;
        let at = |offset| Reader::starting_at(payload, offset);
        Ok(Marker {
            header: header_at(payload, header)?,
            ns: text_at(payload, ns)?,
            id: at(id).i32()?,
            action: match at(action).i32()? {
                2 => MarkerAction::Delete,
                3 => MarkerAction::DeleteAll,
                _ => MarkerAction::Add,
            },
            kind: at(kind).i32()?,
            pose: pose_at(payload, pose)?,
            scale: vector(&mut at(scale))?,
            color: rgba(&mut at(color))?,
            lifetime_nanos: duration_nanos(&mut at(lifetime))?,
            frame_locked: at(locked).u8()? != 0,
            points: points_at(&mut at(points))?,
            colors: colors_at(&mut at(colors))?,
            text: text_at(payload, text)?,
            mesh_resource: text_at(payload, mesh)?,
            mesh_use_embedded_materials: at(embedded).u8()? != 0,
        })
    }
}

fn rgba(reader: &mut Reader) -> Result<[f32; 4], DecodeError> {
    Ok([reader.f32()?, reader.f32()?, reader.f32()?, reader.f32()?])
}

fn duration_nanos(reader: &mut Reader) -> Result<i64, DecodeError> {
    Ok(i64::from(reader.i32()?) * 1_000_000_000 + i64::from(reader.i32()?))
}

fn points_at(reader: &mut Reader) -> Result<Arc<[[f32; 3]]>, DecodeError> {
    let count = reader.count(24)?;
    (0..count).map(|_| vector(reader).map(|p: DVec3| p.as_vec3().to_array())).collect()
}

fn colors_at(reader: &mut Reader) -> Result<Arc<[[f32; 4]]>, DecodeError> {
    let count = reader.count(16)?;
    (0..count).map(|_| rgba(reader)).collect()
}

//! Binds the fields that a form needs to their places in a type, when the schema is compiled.
//!
//! Invariant: a binding exists only where every wanted field is there with the wanted shape; other fields may stand between
//! them, in any order. A message is then walked once and yields the offsets of the wanted fields.

use bytes::Bytes;

use super::parse::Array;
use super::plan::{Kind, Plan, Skip};
use super::reader::Reader;
use super::{DecodeError, Scalar};

/// The shape a field must have.
#[derive(Clone, Copy, Debug)]
pub(super) enum Want {
    Scalar(Scalar),
    /// Any one-byte scalar: flags and levels are spelt bool, byte and uint8.
    Byte,
    /// `time`, or its structure in ROS 2.
    Time,
    Duration,
    Text,
    /// A counted array of bytes, signed or not.
    Bytes,
    /// A counted array.
    Numbers(Scalar),
    /// `float64[n]`.
    Doubles(u32),
    /// `std_msgs/Header`.
    Header,
    /// A structure of exactly these scalars.
    Flat(&'static [&'static str], Scalar),
    /// `geometry_msgs/Pose`: position x y z, orientation x y z w.
    Pose,
    Struct,
    /// A counted array of structures.
    Structs,
}

pub(super) const XYZ: Want = Want::Flat(&["x", "y", "z"], Scalar::F64);
pub(super) const XYZW: Want = Want::Flat(&["x", "y", "z", "w"], Scalar::F64);
pub(super) const RGBA: Want = Want::Flat(&["r", "g", "b", "a"], Scalar::F32);

#[derive(Debug)]
pub(super) struct Binding<const N: usize> {
    steps: Box<[Step]>,
}

#[derive(Debug)]
struct Step {
    /// Which wanted field starts here.
    wanted: Option<usize>,
    skip: Skip,
}

impl<const N: usize> Binding<N> {
    pub fn new(plan: &Plan, type_id: usize, wants: [(&str, Want); N]) -> Option<Binding<N>> {
        let of = plan.types.get(type_id)?;
        let mut steps: Vec<Step> = Vec::new();
        let mut found = 0;
        for field in &of.fields {
            let wanted = wants.iter().position(|(name, _)| *name == &*field.name);
            if let Some((_, want)) = wanted.and_then(|i| wants.get(i)) {
                if !want.fits(plan, field.kind, field.array) {
                    return None;
                }
                found += 1;
            }
            match (wanted, plan.skip_for(field.kind, field.array), steps.last_mut()) {
                (
                    None,
                    Skip::Fixed(more),
                    Some(Step {
                        skip: Skip::Fixed(size), ..
                    }),
                ) => *size = size.saturating_add(more),
                (wanted, skip, _) => steps.push(Step { wanted, skip }),
            }
        }
        (found == N).then(|| Binding { steps: steps.into() })
    }

    /// The offsets of the wanted fields; the reader moves past the structure.
    pub fn locate(&self, plan: &Plan, reader: &mut Reader) -> Result<[usize; N], DecodeError> {
        let mut offsets = [0; N];
        for step in &self.steps {
            if let Some(offset) = step.wanted.and_then(|i| offsets.get_mut(i)) {
                *offset = reader.offset();
            }
            plan.skip(step.skip, reader)?;
        }
        Ok(offsets)
    }
}

impl Want {
    fn fits(self, plan: &Plan, kind: Kind, array: Array) -> bool {
        match self {
            Want::Scalar(scalar) => array == Array::One && kind == Kind::Scalar(scalar),
            Want::Byte => array == Array::One && is_byte(kind),
            Want::Time => array == Array::One && is_time(plan, kind),
            Want::Duration => array == Array::One && kind == Kind::Duration,
            Want::Text => array == Array::One && kind == Kind::String,
            Want::Bytes => array == Array::Dynamic && is_byte(kind),
            Want::Numbers(scalar) => array == Array::Dynamic && kind == Kind::Scalar(scalar),
            Want::Doubles(n) => array == Array::Fixed(n) && kind == Kind::Scalar(Scalar::F64),
            Want::Header => array == Array::One && is_header(plan, kind),
            Want::Flat(names, scalar) => array == Array::One && is_flat(plan, kind, names, scalar),
            Want::Pose => array == Array::One && is_pose(plan, kind),
            Want::Struct => array == Array::One && matches!(kind, Kind::Struct(_)),
            Want::Structs => array == Array::Dynamic && matches!(kind, Kind::Struct(_)),
        }
    }
}

/// The type of a structure field, or of the elements of an array of structures.
pub(super) fn struct_of(plan: &Plan, type_id: usize, name: &str) -> Option<usize> {
    let field = plan.types.get(type_id)?.fields.iter().find(|f| &*f.name == name)?;
    match field.kind {
        Kind::Struct(id) => Some(id),
        _ => None,
    }
}

pub(super) fn is_flat(plan: &Plan, kind: Kind, names: &[&str], scalar: Scalar) -> bool {
    fields_are(plan, kind, |i, name, kind, array| {
        names.get(i) == Some(&name) && kind == Kind::Scalar(scalar) && array == Array::One
    }) == Some(names.len())
}

pub(super) fn is_pose(plan: &Plan, kind: Kind) -> bool {
    let part = |i, name: &str, kind, array| {
        array == Array::One
            && match i {
                0 => name == "position" && XYZ.fits(plan, kind, array),
                _ => name == "orientation" && XYZW.fits(plan, kind, array),
            }
    };
    fields_are(plan, kind, part) == Some(2)
}

fn is_header(plan: &Plan, kind: Kind) -> bool {
    let part = |i, _: &str, kind, array| {
        let wanted = [Kind::Scalar(Scalar::U32), Kind::Time, Kind::String];
        array == Array::One && wanted.get(i) == Some(&kind)
    };
    fields_are(plan, kind, part) == Some(3)
}

fn is_time(plan: &Plan, kind: Kind) -> bool {
    let part = |_, name: &str, kind, array| {
        let four = matches!(kind, Kind::Scalar(Scalar::I32 | Scalar::U32));
        array == Array::One && four && matches!(name, "sec" | "nanosec" | "nsec")
    };
    kind == Kind::Time || fields_are(plan, kind, part) == Some(2)
}

fn is_byte(kind: Kind) -> bool {
    matches!(kind, Kind::Scalar(Scalar::Bool | Scalar::I8 | Scalar::U8))
}

/// The number of fields, where each passes.
fn fields_are(plan: &Plan, kind: Kind, passes: impl Fn(usize, &str, Kind, Array) -> bool) -> Option<usize> {
    let Kind::Struct(id) = kind else { return None };
    let of = plan.types.get(id)?;
    of.fields
        .iter()
        .enumerate()
        .all(|(i, f)| passes(i, &f.name, f.kind, f.array))
        .then_some(of.fields.len())
}

/// A counted array at `offset`, as a slice of the message.
pub(super) fn slice_at(payload: &Bytes, offset: usize, element_size: usize) -> Result<Bytes, DecodeError> {
    let data = Reader::starting_at(payload, offset).counted(element_size)?;
    Ok(payload.slice_ref(data))
}

/// The string at `offset`; invalid UTF-8 becomes U+FFFD.
pub(super) fn text_at(payload: &[u8], offset: usize) -> Result<std::sync::Arc<str>, DecodeError> {
    text(&mut Reader::starting_at(payload, offset))
}

pub(super) fn text(reader: &mut Reader) -> Result<std::sync::Arc<str>, DecodeError> {
    Ok(String::from_utf8_lossy(reader.counted(1)?).into())
}

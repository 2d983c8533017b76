//! Message definitions → an immutable plan → values, columns and *forms* (what panels draw).
//!
//! Invariants: a name is looked up when a plan is made, never per message; byte arrays are slices of the message, never
//! copies; no byte sequence panics or allocates more than the message's own length justifies.

mod annotations;
mod bind;
mod camera;
mod cloud;
pub mod columns;
mod features;
pub mod flat;
mod form;
mod geo;
mod geometry;
mod json;
mod known;
mod listing;
mod log;
mod markers;
mod md5;
mod mesh;
mod objects;
mod parse;
mod picture;
mod plan;
mod reader;
mod resource;
mod rows;
mod shading;
mod shapes;
mod value;

pub use annotations::{Annotations, Detection, Lane};
pub use features::{Feature, FeatureShape, FeatureStyle, Features};
pub use form::*;
pub use geo::POSITION_COLUMNS;
pub use json::{JsonNotes, write_base64};
pub use known::{Definitions, definition_md5, definitions};
pub use mesh::{Mesh, Vertex};
pub use resource::{Raster, Resource};
pub use rows::{Head as LogHead, LevelCounts, LogRow, LogRows, Opened as OpenedLog, Rows, Stamped};
pub use shading::{Shaded, Shading, ValueRange};

// How a message is walked, for [`crate::path`].
pub(crate) use json::{Number, each, not_finite};
pub(crate) use parse::Array;
pub(crate) use plan::{Constant, Kind, Plan, Skip, Type};
pub(crate) use reader::Reader;
pub(crate) use value::field_value;

use std::sync::Arc;

use bytes::Bytes;

use crate::time::Time;
use shapes::Shape;

/// A compiled message definition: how to walk one message type. Immutable, shared by all threads.
#[derive(Debug)]
pub struct Schema {
    pub type_name: Arc<str>,
    plan: Arc<Plan>,
    shape: Option<Shape>,
    /// Where a leading header's stamp lies.
    stamp_offset: Option<usize>,
}

impl Schema {
    /// Compiles a ROS 1 definition: the type's own text, then `===`-separated dependencies. An error is a sentence; the
    /// topic is then listed, and its messages are raw bytes.
    pub fn ros1(type_name: &str, definition: &str) -> Result<Schema, DecodeError> {
        let plan = Arc::new(Plan::ros1(type_name, definition)?);
        let shape = Shape::of(&plan, &parse::canonical(type_name));
        let stamp_offset = stamp_offset(&plan);
        Ok(Schema {
            type_name: type_name.into(),
            plan,
            shape,
            stamp_offset,
        })
    }

    /// The whole message as a tree. Byte arrays and number arrays stay slices of `payload`.
    pub fn value(&self, payload: &Bytes) -> Result<Value, DecodeError> {
        value::message(&self.plan, payload)
    }

    /// The whole message as JSON, appended to `out` straight from the bytes; after an error `out` is as before.
    pub fn write_json(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<JsonNotes, DecodeError> {
        json::write_message(&self.plan, payload, out)
    }

    /// Whether the message can be walked from its first byte to exactly its last, without making anything of it.
    pub fn validate(&self, payload: &[u8]) -> Result<(), DecodeError> {
        let mut reader = Reader::new(payload);
        self.plan.skip_struct(self.plan.root, &mut reader)?;
        reader.finish()
    }

    /// The form that messages of this type can take besides [`Form::Value`].
    pub fn form(&self) -> Option<Form> {
        self.shape.as_ref().map(Shape::form)
    }

    /// One message in a form. `Form::Value` always works where the message decodes.
    pub fn decode(&self, form: Form, payload: &Bytes) -> Result<Decoded, DecodeError> {
        match &self.shape {
            _ if form == Form::Value => self.value(payload).map(Decoded::Value),
            Some(shape) if shape.form() == form => shape.decode(&self.plan, payload),
            shape => {
                let other = shape.as_ref().and_then(|shape| shape.decode_as(form, &self.plan, payload));
                other.unwrap_or_else(|| Err(DecodeError::NotDecodable(format!("{} has no form {form:?}", self.type_name))))
            }
        }
    }

    /// Whether messages start with a `std_msgs/Header`.
    pub fn has_header(&self) -> bool {
        self.stamp_offset.is_some()
    }

    /// The stamp of messages that start with a `std_msgs/Header`.
    pub fn header_stamp(&self, payload: &[u8]) -> Option<Time> {
        let mut reader = Reader::starting_at(payload, self.stamp_offset?);
        Some(Time::from_sec_nsec(reader.u32().ok()?, reader.u32().ok()?))
    }

    /// Whether messages start with a `std_msgs/Header`.
    pub fn has_stamp(&self) -> bool {
        self.stamp_offset.is_some()
    }

    /// The frame that a message's `std_msgs/Header` names.
    pub fn header_frame(&self, payload: &[u8]) -> Option<Arc<str>> {
        let mut reader = Reader::starting_at(payload, self.stamp_offset?);
        reader.skip(8).ok()?;
        bind::text(&mut reader).ok()
    }

    /// All paths to scalars (numbers and booleans) that can be plotted, in definition order, dynamic arrays left out.
    /// Of long fixed arrays the first 64 elements are listed.
    pub fn scalar_paths(&self) -> Vec<String> {
        listing::scalar_paths(&self.plan)
    }

    pub(crate) fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }
}

fn stamp_offset(plan: &Plan) -> Option<usize> {
    let root = plan.types.get(plan.root)?;
    let first = root.fields.first().filter(|f| f.array == parse::Array::One)?;
    let Kind::Struct(id) = first.kind else { return None };
    let header = plan.types.get(id).filter(|t| &*t.name == "std_msgs/Header")?;
    let mut offset = 0usize;
    for field in &header.fields {
        if &*field.name == "stamp" && field.kind == Kind::Time && field.array == parse::Array::One {
            return Some(offset);
        }
        let plan::Skip::Fixed(size) = plan.skip_for(field.kind, field.array) else {
            return None;
        };
        offset = offset.checked_add(size)?;
    }
    None
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A definition that cannot be compiled, or a message whose contents make no sense: a sentence.
    #[error("{0}")]
    NotDecodable(String),
    /// The bytes are not what the definition says.
    #[error("{what} (at byte {offset} of the message)")]
    Broken { offset: usize, what: String },
}

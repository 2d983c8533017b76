//! Message definitions → an immutable plan → values, columns and *forms* (what panels draw).
//!
//! Invariants: a name is looked up when a plan is made, never per message; byte arrays are slices of the message, never
//! copies; no byte sequence panics or allocates more than the message's own length justifies.

mod form;
pub use form::*;

use std::sync::Arc;

use bytes::Bytes;

/// A compiled message definition: how to walk one message type. Immutable, shared by all threads.
#[derive(Debug)]
pub struct Schema {
    pub type_name: Arc<str>,
}

impl Schema {
    /// Compiles a ROS 1 definition: the type's own text, then `===`-separated dependencies.
    pub fn ros1(type_name: &str, definition: &str) -> Result<Schema, DecodeError> {
        let _ = definition;
        Ok(Schema {
            type_name: type_name.into(),
        })
    }

    /// The whole message as a tree. Byte arrays and number arrays stay slices of `payload`.
    pub fn value(&self, payload: &Bytes) -> Result<Value, DecodeError> {
        let _ = payload;
        Err(DecodeError::NotDecodable("not built yet".into()))
    }

    /// The forms that messages of this type can take besides [`Form::Value`].
    pub fn form(&self) -> Option<Form> {
        None
    }

    /// One message in a form. `Form::Value` always works where the message decodes.
    pub fn decode(&self, form: Form, payload: &Bytes) -> Result<Decoded, DecodeError> {
        let _ = (form, payload);
        Err(DecodeError::NotDecodable("not built yet".into()))
    }

    /// All paths to scalars (numbers and booleans) that can be plotted, in definition order, dynamic arrays left out.
    pub fn scalar_paths(&self) -> Vec<String> {
        Vec::new()
    }

    /// Compiles a message path such as `pose.pose.position.x`, `ranges[3]` or `axes[-1]`.
    pub fn column(&self, path: &str) -> Result<Column, DecodeError> {
        Err(DecodeError::NoSuchField {
            path: path.into(),
            type_name: self.type_name.to_string(),
        })
    }
}

/// A compiled message path: reads one scalar out of a message.
#[derive(Debug)]
pub struct Column {}

impl Column {
    /// The scalar as f64 (bool 0/1, time and duration in seconds); None where the array is too short or the message broken.
    pub fn get(&self, payload: &[u8]) -> Option<f64> {
        let _ = payload;
        None
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("{0}")]
    NotDecodable(String),
    #[error("there is no field “{path}” in {type_name}")]
    NoSuchField { path: String, type_name: String },
}

//! Whole parts of messages, whatever they are.
//!
//! Invariant: only the bytes that lead to the parts are read, and arrays of numbers are not copied.

use std::sync::Arc;

use bytes::Bytes;

use super::PathError;
use super::ast::Path;
use super::column::Compiler;
use super::eval::{Leaf, Walk};
use super::place::type_text;
use crate::decode::{Array, Kind, Plan, Reader, Schema, Value, field_value};

/// The parts of a message that a path leads to, whatever they are: for tables and trees.
#[derive(Clone, Debug)]
pub struct Select {
    plan: Arc<Plan>,
    walk: Walk,
    kind: Kind,
    array: Array,
    is_list: bool,
}

impl Select {
    /// A plain path; which topic it names is not looked at. Variables must be bound.
    pub fn compile(schema: &Schema, path: &Path) -> Result<Select, PathError> {
        let plan = schema.plan();
        let place = Compiler { plan }.place(path, (Kind::Struct(plan.root), Array::One))?;
        Ok(Select {
            plan: Arc::clone(plan),
            walk: Walk {
                moves: place.moves,
                leaf: Leaf::Whole,
            },
            kind: place.kind,
            array: place.array,
            is_list: place.is_list,
        })
    }

    /// Whether a message can hold several.
    pub fn is_list(&self) -> bool {
        self.is_list
    }

    /// Each part as a tree. Arrays of numbers stay slices of `payload`.
    pub fn values(&self, payload: &Bytes) -> Vec<Value> {
        let mut values = Vec::new();
        self.walk.run(&self.plan, Reader::new(payload), &mut |_, mut at| {
            values.extend(field_value(&self.plan, self.kind, self.array, payload, &mut at));
            true
        });
        values
    }

    /// As message definitions write it: `geometry_msgs/Point`, `float64[]`.
    pub fn type_name(&self) -> String {
        type_text(&self.plan, self.kind, self.array)
    }
}

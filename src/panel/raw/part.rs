//! What a path takes of one message: a value, or several.
//!
//! Invariant: what fits no message of the topic is told before one is read.

use std::sync::Arc;

use bytes::Bytes;

use super::tree;
use crate::decode::{Schema, Value};
use crate::path::{Bound, Column, Expr, Item, Path, Select, StepKind, Variables, bind, parse_fields};

/// A path from a message's fields on, as it reads messages of one definition.
pub struct Part {
    /// With variables bound.
    pub text: String,
    kind: Kind,
    /// Whether a message can hold several.
    pub is_list: bool,
}

enum Kind {
    /// Fields and elements, of messages without a definition.
    Plain,
    Select(Select),
    Computed(Column),
}

impl Part {
    /// `schema`: None where messages are shown as bytes.
    pub fn compile(text: &str, schema: Option<&Schema>, variables: &Variables) -> Result<Part, String> {
        // a filter on the message itself, an element of it, a function of it
        let text = match text.starts_with(['{', '[', '.']) {
            true => format!("@this{text}"),
            false => text.to_owned(),
        };
        let parsed = parse_fields(&text).and_then(|expr| bind(&expr, variables, &[]));
        let expr = parsed.map_err(|error| error.to_string())?;
        let (kind, is_list) = match (&expr, schema) {
            (_, None) => (Kind::Plain, false),
            (Expr::Path(path), Some(schema)) if !ends_in_length(path) => {
                let select = Select::compile(schema, path).map_err(|error| error.to_string())?;
                let is_list = select.is_list();
                (Kind::Select(select), is_list)
            }
            (expr, Some(schema)) => {
                let column = Column::compile(schema, expr).map_err(|error| error.to_string())?;
                let is_list = column.is_list();
                (Kind::Computed(column), is_list)
            }
        };
        // as rows have always called it
        let text = match &expr {
            Expr::Path(path) if is_plain(path) => text,
            expr => expr.to_string(),
        };
        Ok(Part { text, kind, is_list })
    }

    /// What it takes of a message; `payload` gives the message as it was recorded.
    pub fn values(&self, message: &Value, payload: impl FnOnce() -> Option<Bytes>) -> Vec<Value> {
        if let Some(value) = tree::at_path(message, &self.text) {
            return vec![value];
        }
        match (&self.kind, payload()) {
            (Kind::Plain, _) | (_, None) => Vec::new(),
            (Kind::Select(select), Some(payload)) => select.values(&payload),
            (Kind::Computed(column), Some(payload)) => column.items(&payload).into_iter().map(value_of).collect(),
        }
    }
}

fn is_plain(path: &Path) -> bool {
    let is_one = |kind: &StepKind| matches!(kind, StepKind::Field(_) | StepKind::Index(Bound::Number(_)));
    path.steps.iter().all(|step| is_one(&step.kind))
}

/// Which may be the length of an array, no part of the message.
fn ends_in_length(path: &Path) -> bool {
    let last = path.steps.last().map(|step| &step.kind);
    matches!(last, Some(StepKind::Field(name)) if name == "length")
}

fn value_of(item: Item) -> Value {
    match item {
        Item::Bool(b) => Value::Bool(b),
        Item::Int(n) => match (i64::try_from(n), u64::try_from(n)) {
            (Ok(n), _) => Value::Int(n),
            (_, Ok(n)) => Value::Uint(n),
            _ => Value::F64(item.number()),
        },
        Item::Text(text) => Value::String(Arc::from(String::from_utf8_lossy(text))),
        Item::Float(_) | Item::Nanos(_) => Value::F64(item.number()),
    }
}

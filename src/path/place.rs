//! A place in a message definition: what a path leads to, what it is called, and which constants belong to it.

use std::sync::Arc;

use super::ast::Literal;
use super::eval::Move;
use crate::decode::{Array, Constant, Kind, Plan, Type, Value};

/// Where a path leads, and how to get there.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub moves: Vec<Move>,
    pub kind: Kind,
    pub array: Array,
    /// The type and the number of the field that it is.
    pub owner: Option<(usize, usize)>,
    /// Whether a message can hold several.
    pub is_list: bool,
    /// It is the length of what the moves lead to: so many, or what the message says.
    pub length: Option<Option<u32>>,
}

impl Place {
    pub fn start((kind, array): (Kind, Array)) -> Place {
        Place {
            moves: Vec::new(),
            kind,
            array,
            owner: None,
            is_list: false,
            length: None,
        }
    }
}

/// As message definitions write it: `float64[]`, `geometry_msgs/Point`.
pub(super) fn type_text(plan: &Plan, kind: Kind, array: Array) -> String {
    let name = match kind {
        Kind::Scalar(scalar) | Kind::Maybe(scalar) => scalar.ros_name(),
        Kind::Time => "time",
        Kind::Duration => "duration",
        Kind::String => "string",
        Kind::Struct(id) => plan.get(id).map_or("structure", |t| &t.name),
    };
    match array {
        Array::One => name.to_owned(),
        Array::Fixed(n) => format!("{name}[{n}]"),
        Array::Dynamic => format!("{name}[]"),
    }
}

pub(super) fn elements_text(n: u32) -> String {
    match n {
        0 => "no elements".into(),
        1 => "one element: [0]".into(),
        n => format!("{n} elements: [0] to [{}]", n - 1),
    }
}

/// A constant by its name: of the type whose field is compared, or of what is filtered.
pub(super) fn named_constant(plan: &Plan, of: Option<&Place>, base: Kind, name: &str) -> Option<Literal> {
    let owner = of.and_then(|p| p.owner).map(|(id, _)| id);
    let base = match base {
        Kind::Struct(id) => Some(id),
        _ => None,
    };
    let types = owner.into_iter().chain(base).filter_map(|id| plan.get(id).ok());
    let constant = types.flat_map(|t| &t.constants).find(|c| &*c.name == name)?;
    Some(match &constant.value {
        Value::Bool(b) => Literal::Bool(*b),
        Value::Int(n) => Literal::Int(i128::from(*n)),
        Value::Uint(n) => Literal::Int(i128::from(*n)),
        Value::String(text) => Literal::Text(text.to_string()),
        other => Literal::Float(other.as_f64()?),
    })
}

/// The integer constants that belong to a field. Definitions do not say; so these: of its type, and named after it
/// (`CLASSIFICATION_CAR` of `classification`), or else standing together right before it, or else right behind it, or else at the head of
/// a message that has no other field of that type (`INFO` of `level`, with a header between).
pub(super) fn constant_names(plan: &Plan, place: &Place) -> Vec<(i128, Arc<str>)> {
    let Some((id, position)) = place.owner else { return Vec::new() };
    let Ok(of) = plan.get(id) else { return Vec::new() };
    if !matches!(place.kind, Kind::Scalar(_)) {
        return Vec::new();
    }
    let fits: Vec<&Constant> = of.constants.iter().filter(|c| c.kind == place.kind).collect();
    let prefix = of
        .fields
        .get(position)
        .map(|f| format!("{}_", f.name.to_uppercase()))
        .unwrap_or_default();
    let named: Vec<&Constant> = fits.iter().copied().filter(|c| c.name.starts_with(&prefix)).collect();
    let belongs = |at: usize| -> Vec<&Constant> { fits.iter().copied().filter(|c| c.place == at).collect() };
    let others_prefix = |c: &Constant| is_named_after_another(of, position, c);
    let mut found = named;
    for at in [position, position + 1] {
        if found.is_empty() {
            found = belongs(at).into_iter().filter(|c| !others_prefix(c)).collect();
        }
    }
    let is_only = || of.fields.iter().filter(|f| f.kind == place.kind).count() == 1;
    if found.is_empty() && is_only() {
        found = belongs(0).into_iter().filter(|c| !others_prefix(c)).collect();
    }
    let value = |c: &Constant| match c.value {
        Value::Int(n) => Some(i128::from(n)),
        Value::Uint(n) => Some(i128::from(n)),
        Value::Bool(b) => Some(i128::from(b)),
        _ => None,
    };
    found.into_iter().filter_map(|c| Some((value(c)?, c.name.clone()))).collect()
}

fn is_named_after_another(of: &Type, position: usize, constant: &Constant) -> bool {
    let mut others = of.fields.iter().enumerate().filter(|(i, _)| *i != position);
    others.any(|(_, f)| constant.name.starts_with(&format!("{}_", f.name.to_uppercase())))
}

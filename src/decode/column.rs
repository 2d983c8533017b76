//! Message paths: `pose.pose.position.x`, `ranges[3]`, `axes[-1]`, `ranges.length` → one scalar of each message.
//!
//! Invariant: reading allocates nothing; runs of fixed-size fields are passed in one addition.

use std::sync::Arc;

use super::json::each;
use super::parse::Array;
use super::plan::{Kind, Plan, Skip};
use super::reader::Reader;
use super::{DecodeError, Scalar};

/// At most so many elements of a fixed array are offered as paths, and so many paths in all.
const MAX_LISTED_ELEMENTS: u32 = 64;
const MAX_LISTED_PATHS: usize = 4096;

/// A compiled message path: reads one scalar out of a message.
#[derive(Debug)]
pub struct Column {
    plan: Arc<Plan>,
    steps: Vec<Step>,
    leaf: Leaf,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Skip(Skip),
    /// Into element `index` (from the end where negative) of a counted array.
    Element {
        kind: Kind,
        index: i64,
    },
}

#[derive(Clone, Copy, Debug)]
enum Leaf {
    Scalar(Scalar),
    Time,
    Duration,
    /// The count of an array, the length of a string.
    Length,
    /// The length of a fixed array.
    Constant(u32),
}

impl Column {
    /// The scalar as f64 (bool 0/1, time and duration in seconds); None where the array is too short or the message broken.
    pub fn get(&self, payload: &[u8]) -> Option<f64> {
        let mut reader = Reader::new(payload);
        for step in &self.steps {
            match step {
                Step::Skip(Skip::Fixed(size)) => reader.skip(*size).ok()?,
                Step::Skip(skip) => self.plan.skip(*skip, &mut reader).ok()?,
                Step::Element { kind, index } => self.enter(*kind, *index, &mut reader)?,
            }
        }
        match self.leaf {
            Leaf::Scalar(scalar) => {
                let mut value = None;
                each(scalar, reader.take(scalar.size()).ok()?, |number| value = Some(number.to_f64()));
                value
            }
            Leaf::Time => Some(f64::from(reader.u32().ok()?) + f64::from(reader.u32().ok()?) * 1e-9),
            Leaf::Duration => Some(f64::from(reader.i32().ok()?) + f64::from(reader.i32().ok()?) * 1e-9),
            Leaf::Length => reader.u32().ok().map(f64::from),
            Leaf::Constant(n) => Some(f64::from(n)),
        }
    }

    fn enter(&self, kind: Kind, index: i64, reader: &mut Reader) -> Option<()> {
        let count = reader.count(self.plan.min_size(kind)).ok()?;
        let index = if index < 0 {
            count.checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?
        } else {
            usize::try_from(index).ok()?
        };
        if index >= count {
            return None;
        }
        match self.plan.fixed_size(kind) {
            Some(size) => reader.skip(index.checked_mul(size)?).ok(),
            None => (0..index).try_for_each(|_| self.plan.skip_kind(kind, reader)).ok(),
        }
    }

    pub(super) fn compile(plan: &Arc<Plan>, path: &str) -> Result<Column, DecodeError> {
        let root = plan.get(plan.root)?;
        let no_field = || DecodeError::NoSuchField {
            path: path.to_owned(),
            type_name: root.name.to_string(),
        };
        let mut column = Column {
            plan: plan.clone(),
            steps: Vec::new(),
            leaf: Leaf::Length,
        };
        let trimmed = path.trim();
        let mut parts = trimmed.strip_prefix('.').unwrap_or(trimmed).split('.');
        let mut of = root;
        loop {
            let (name, index) = split_index(parts.next().ok_or_else(no_field)?).ok_or_else(no_field)?;
            let position = of.fields.iter().position(|f| &*f.name == name).ok_or_else(no_field)?;
            for field in of.fields.iter().take(position) {
                column.push(Step::Skip(plan.skip_for(field.kind, field.array)));
            }
            let field = of.fields.get(position).ok_or_else(no_field)?;
            match (field.array, index) {
                (Array::One, None) => {}
                (Array::Fixed(n), Some(index)) => column.fixed_element(plan, field.kind, n, index).ok_or_else(no_field)?,
                (Array::Dynamic, Some(index)) => column.push(Step::Element { kind: field.kind, index }),
                (array, None) if parts.next() == Some("length") && parts.next().is_none() => {
                    column.leaf = if let Array::Fixed(n) = array {
                        Leaf::Constant(n)
                    } else {
                        Leaf::Length
                    };
                    return Ok(column);
                }
                _ => return Err(no_field()),
            }
            match field.kind {
                Kind::Struct(id) => of = plan.get(id)?,
                Kind::String if parts.next() == Some("length") => column.leaf = Leaf::Length,
                Kind::String => return Err(no_field()),
                Kind::Scalar(scalar) => column.leaf = Leaf::Scalar(scalar),
                Kind::Time => column.leaf = Leaf::Time,
                Kind::Duration => column.leaf = Leaf::Duration,
            }
            if !matches!(field.kind, Kind::Struct(_)) {
                return if parts.next().is_none() { Ok(column) } else { Err(no_field()) };
            }
        }
    }

    fn fixed_element(&mut self, plan: &Plan, kind: Kind, count: u32, index: i64) -> Option<()> {
        let index = if index < 0 { i64::from(count) + index } else { index };
        let index = u32::try_from(index).ok().filter(|i| *i < count)?;
        self.push(Step::Skip(plan.skip_for(kind, Array::Fixed(index))));
        Some(())
    }

    /// Adjoining fixed runs become one.
    fn push(&mut self, step: Step) {
        match (step, self.steps.last_mut()) {
            (Step::Skip(Skip::Fixed(0)), _) => {}
            (Step::Skip(Skip::Fixed(more)), Some(Step::Skip(Skip::Fixed(size)))) => *size = size.saturating_add(more),
            (step, _) => self.steps.push(step),
        }
    }
}

/// `ranges[-1]` → (`ranges`, -1).
fn split_index(part: &str) -> Option<(&str, Option<i64>)> {
    match part.split_once('[') {
        None => Some((part, None)),
        Some((name, index)) => Some((name, Some(index.strip_suffix(']')?.trim().parse().ok()?))),
    }
}

pub(super) fn scalar_paths(plan: &Plan) -> Vec<String> {
    let mut paths = Vec::new();
    list(plan, plan.root, "", &mut paths);
    paths
}

fn list(plan: &Plan, id: usize, prefix: &str, paths: &mut Vec<String>) {
    let Ok(of) = plan.get(id) else { return };
    for field in &of.fields {
        let elements = match field.array {
            Array::One => vec![format!("{prefix}{}", field.name)],
            Array::Fixed(n) => (0..n.min(MAX_LISTED_ELEMENTS))
                .map(|i| format!("{prefix}{}[{i}]", field.name))
                .collect(),
            Array::Dynamic => continue,
        };
        for path in elements {
            if paths.len() >= MAX_LISTED_PATHS {
                return;
            }
            match field.kind {
                Kind::Scalar(_) => paths.push(path),
                Kind::Struct(inner) if plan.min_size(field.kind) > 0 => list(plan, inner, &format!("{path}."), paths),
                _ => {}
            }
        }
    }
}

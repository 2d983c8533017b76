//! The scalars of a message type, by the paths that lead to them.
//!
//! Invariant: the list is bounded, whatever the definition.

use super::parse::Array;
use super::plan::{Kind, Plan};

/// At most so many elements of a fixed array are listed, and so many paths in all.
const MAX_LISTED_ELEMENTS: u32 = 64;
const MAX_LISTED_PATHS: usize = 4096;
/// Structures that hold none of them are looked into, too: at most so many in all.
const MAX_VISITS: usize = 4 * MAX_LISTED_PATHS;

pub(super) fn scalar_paths(plan: &Plan) -> Vec<String> {
    let (mut paths, mut visits) = (Vec::new(), MAX_VISITS);
    list(plan, plan.root, "", &mut visits, &mut paths);
    paths
}

fn list(plan: &Plan, id: usize, prefix: &str, visits: &mut usize, paths: &mut Vec<String>) {
    let (Ok(of), Some(left)) = (plan.get(id), visits.checked_sub(1)) else {
        return;
    };
    *visits = left;
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
                Kind::Scalar(_) | Kind::Maybe(_) => paths.push(path),
                Kind::Struct(inner) if plan.min_size(field.kind) > 0 => list(plan, inner, &format!("{path}."), visits, paths),
                _ => {}
            }
        }
    }
}

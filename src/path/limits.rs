//! What can be said of a condition where only the limits of a message's fields are known.
//!
//! Invariant: never that it cannot hold where a message between these limits could make it hold.

use std::cmp::Ordering;

use super::ast::{Expr, Literal, Op, Path, StepKind};
use super::eval::{Item, compare};
use crate::format::Limit;

/// Whether a condition over one message may hold; `limits` gives the least and the greatest value of a field of it.
pub fn may_hold(expr: &Expr, limits: &dyn Fn(&str) -> Option<(Limit, Limit)>) -> bool {
    match expr {
        Expr::Literal(literal) => item(literal).is_true(),
        Expr::Path(path) => field(path).and_then(limits).is_none_or(|(least, greatest)| {
            let is_zero = |limit: &Limit| compare(of_limit(limit), Item::Int(0)) == Some(Ordering::Equal);
            !(is_zero(&least) && is_zero(&greatest))
        }),
        Expr::Binary {
            op: Op::And, left, right, ..
        } => may_hold(left, limits) && may_hold(right, limits),
        Expr::Binary {
            op: Op::Or, left, right, ..
        } => may_hold(left, limits) || may_hold(right, limits),
        Expr::Binary { op, left, right, .. } => match (&**left, &**right) {
            (Expr::Path(path), Expr::Literal(literal)) => compared(path, *op, literal, limits),
            (Expr::Literal(literal), Expr::Path(path)) => mirrored(*op).is_none_or(|op| compared(path, op, literal, limits)),
            _ => true,
        },
        Expr::Variable(..) | Expr::Negated(_) | Expr::Not(_) | Expr::Call { .. } => true,
    }
}

/// A field of the message itself.
fn field(path: &Path) -> Option<&str> {
    match path.steps.as_slice() {
        [step] => match &step.kind {
            StepKind::Field(name) => Some(name),
            _ => None,
        },
        _ => None,
    }
}

fn mirrored(op: Op) -> Option<Op> {
    Some(match op {
        Op::Equal => Op::Equal,
        Op::Less => Op::Greater,
        Op::LessEqual => Op::GreaterEqual,
        Op::Greater => Op::Less,
        Op::GreaterEqual => Op::LessEqual,
        _ => return None,
    })
}

fn compared(path: &Path, op: Op, literal: &Literal, limits: &dyn Fn(&str) -> Option<(Limit, Limit)>) -> bool {
    let Some((least, greatest)) = field(path).and_then(limits) else {
        return true;
    };
    let order = |limit: &Limit| compare(of_limit(limit), item(literal));
    let (Some(least), Some(greatest)) = (order(&least), order(&greatest)) else {
        return true;
    };
    match op {
        Op::Equal => least != Ordering::Greater && greatest != Ordering::Less,
        Op::Less => least == Ordering::Less,
        Op::LessEqual => least != Ordering::Greater,
        Op::Greater => greatest == Ordering::Greater,
        Op::GreaterEqual => greatest != Ordering::Less,
        _ => true,
    }
}

fn of_limit(limit: &Limit) -> Item<'_> {
    match limit {
        Limit::Bool(b) => Item::Bool(*b),
        Limit::Int(n) => Item::Int(*n),
        Limit::Float(v) => Item::Float(*v),
        Limit::Text(text) => Item::Text(text.as_bytes()),
    }
}

fn item(literal: &Literal) -> Item<'_> {
    match literal {
        Literal::Bool(b) => Item::Bool(*b),
        Literal::Int(n) => Item::Int(*n),
        Literal::Float(v) => Item::Float(*v),
        Literal::Text(text) => Item::Text(text.as_bytes()),
    }
}

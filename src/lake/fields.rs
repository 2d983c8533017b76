//! Parts of a column that AWS's tables have as columns of their own: the seconds and nanoseconds of an instant, elements of a list.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, Value, ValueWithSpan};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

use crate::time::When;

/// Longer lists stay lists.
const MOST_COMPARED: usize = 32;

/// A part by the end of its name: `header_stamp_secs`, `orientation_covariance_0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Secs,
    Nanos,
    /// From 0 on.
    Element(u32),
}

/// As `rosbag`, ROS 2 and AWS's tables call them.
const OF_INSTANT: [(&str, Part); 5] = [
    ("secs", Part::Secs),
    ("sec", Part::Secs),
    ("nsecs", Part::Nanos),
    ("nsec", Part::Nanos),
    ("nanosec", Part::Nanos),
];

impl Part {
    /// A field of an instant.
    pub fn of_instant(field: &str) -> Option<Part> {
        OF_INSTANT.iter().find(|(name, _)| *name == field).map(|(_, part)| *part)
    }

    /// The column and its part that a flat name means.
    pub fn split(name: &str) -> Option<(&str, Part)> {
        let (column, last) = name.rsplit_once('_')?;
        let part = Part::of_instant(last).or_else(|| last.parse().ok().map(Part::Element))?;
        Some((column, part))
    }

    pub fn is_of_instant(self) -> bool {
        !matches!(self, Part::Element(_))
    }

    pub fn of(self, column: &Expr) -> Option<Expr> {
        expression(&match self {
            Part::Secs => format!("(arrow_cast({column}, 'Timestamp(Nanosecond, None)')::BIGINT / 1000000000)"),
            Part::Nanos => format!("(arrow_cast({column}, 'Timestamp(Nanosecond, None)')::BIGINT % 1000000000)"),
            // SQL counts from 1
            Part::Element(index) => format!("{column}[{}]", u64::from(index) + 1),
        })
    }
}

pub(super) fn compares(op: &BinaryOperator) -> bool {
    use BinaryOperator as Op;
    matches!(op, Op::Eq | Op::NotEq | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq)
}

/// A number that is compared with an instant becomes one: seconds to nanoseconds since the epoch, by its magnitude.
pub(super) fn make_instant(expr: &mut Expr) {
    let Expr::Value(ValueWithSpan {
        value: Value::Number(number, _),
        ..
    }) = expr
    else {
        return;
    };
    if let Ok(When::At(time)) = When::parse(&number.to_string())
        && let Some(instant) = expression(&format!("arrow_cast({}, 'Timestamp(Nanosecond, None)')", time.nanos()))
    {
        *expr = instant;
    }
}

/// `name BETWEEN a AND b` as two comparisons.
pub(super) fn between(expr: &Expr) -> Option<Expr> {
    let Expr::Between { expr, negated, low, high } = expr else {
        return None;
    };
    let within = compared(expr, BinaryOperator::GtEq, low);
    let within = joined(within, BinaryOperator::And, compared(expr, BinaryOperator::LtEq, high));
    is_name(expr).then(|| negated_if(*negated, within))
}

/// `name IN (a, b)` as comparisons with each.
pub(super) fn any_of(expr: &Expr) -> Option<Expr> {
    let Expr::InList { expr, list, negated } = expr else {
        return None;
    };
    let each = list.iter().map(|one| compared(expr, BinaryOperator::Eq, one));
    let any = each.reduce(|a, b| joined(a, BinaryOperator::Or, b))?;
    (is_name(expr) && list.len() <= MOST_COMPARED).then(|| negated_if(*negated, any))
}

fn is_name(expr: &Expr) -> bool {
    matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
}

fn compared(left: &Expr, op: BinaryOperator, right: &Expr) -> Expr {
    joined(left.clone(), op, right.clone())
}

fn joined(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp {
        left: Box::new(left),
        op,
        right: Box::new(right),
    }
}

fn negated_if(is_negated: bool, expr: Expr) -> Expr {
    match is_negated {
        false => expr,
        true => Expr::UnaryOp {
            op: UnaryOperator::Not,
            expr: Box::new(Expr::Nested(Box::new(expr))),
        },
    }
}

pub(super) fn expression(text: &str) -> Option<Expr> {
    Parser::new(&GenericDialect {}).try_with_sql(text).ok()?.parse_expr().ok()
}

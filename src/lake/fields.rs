//! Parts of a column that AWS's tables have as columns of their own: the seconds and nanoseconds of an instant, elements of a list.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Ident, Value, ValueWithSpan};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

use crate::time::When;

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

    /// Of the column at `path`.
    pub fn of(self, path: &[Ident]) -> Option<Expr> {
        let column = path.iter().map(ToString::to_string).collect::<Vec<_>>().join(".");
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

fn expression(text: &str) -> Option<Expr> {
    Parser::new(&GenericDialect {}).try_with_sql(text).ok()?.parse_expr().ok()
}

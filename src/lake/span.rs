//! The span of time that a condition leaves: what of a recording has to be read for it.
//!
//! Invariant: no row that fulfils the condition lies outside.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};

use super::topic::TIME;
use crate::time::{Span, Time};

pub(super) fn span_of(condition: &Expr) -> Span {
    match condition {
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: Operator::And,
            right,
        }) => both(span_of(left), span_of(right)),
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: Operator::Or,
            right,
        }) => either(span_of(left), span_of(right)),
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match (is_time(left), is_time(right)) {
            (true, false) => compared(*op, instant(right)),
            (false, true) => op.swap().map_or(Span::ALL, |op| compared(op, instant(left))),
            _ => Span::ALL,
        },
        Expr::Between(between) if !between.negated && is_time(&between.expr) => both(
            compared(Operator::GtEq, instant(&between.low)),
            compared(Operator::LtEq, instant(&between.high)),
        ),
        _ => Span::ALL,
    }
}

fn both(a: Span, b: Span) -> Span {
    Span {
        start: a.start.max(b.start),
        end: a.end.min(b.end),
    }
}

fn either(a: Span, b: Span) -> Span {
    Span {
        start: a.start.min(b.start),
        end: a.end.max(b.end),
    }
}

fn compared(op: Operator, bound: Option<Time>) -> Span {
    let Some(bound) = bound else { return Span::ALL };
    match op {
        Operator::Eq => Span::at(bound),
        Operator::Gt | Operator::GtEq => Span { start: bound, ..Span::ALL },
        Operator::Lt | Operator::LtEq => Span { end: bound, ..Span::ALL },
        _ => Span::ALL,
    }
}

/// The column itself, or a cast that keeps its order.
fn is_time(expr: &Expr) -> bool {
    match expr {
        Expr::Column(column) => column.name == TIME,
        Expr::Cast(cast) => {
            is_time(&cast.expr)
                && matches!(
                    cast.field.data_type(),
                    DataType::Timestamp(TimeUnit::Nanosecond, _) | DataType::Int64
                )
        }
        _ => false,
    }
}

fn instant(expr: &Expr) -> Option<Time> {
    match expr {
        Expr::Literal(value, _) => match value {
            ScalarValue::TimestampNanosecond(nanos, _) => nanos.map(Time),
            ScalarValue::TimestampMicrosecond(micros, _) => micros.and_then(|n| n.checked_mul(1_000)).map(Time),
            ScalarValue::TimestampMillisecond(millis, _) => millis.and_then(|n| n.checked_mul(1_000_000)).map(Time),
            ScalarValue::TimestampSecond(secs, _) => secs.and_then(|n| n.checked_mul(1_000_000_000)).map(Time),
            ScalarValue::Int64(nanos) => nanos.map(Time),
            other => match other.cast_to(&DataType::Timestamp(TimeUnit::Nanosecond, None)) {
                Ok(ScalarValue::TimestampNanosecond(nanos, _)) => nanos.map(Time),
                _ => None,
            },
        },
        Expr::Cast(cast) if matches!(cast.field.data_type(), DataType::Timestamp(TimeUnit::Nanosecond, _)) => instant(&cast.expr),
        _ => None,
    }
}

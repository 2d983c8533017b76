//! A condition compiled against the topics of a drive: what is read out of each message, and what is true then.
//!
//! Invariant: a message that does not hold what a condition asks for does not fulfil it.

use std::sync::Arc;

use crate::decode::Schema;
use crate::path::{Column, Expr, Function, FunctionKind, ItemKind, Literal, Op, PathError, Program, TopicSchema, Variables, bind, parse};

/// An expression that is true or not at any moment.
#[derive(Clone, Debug)]
pub struct Condition {
    program: Program,
}

/// What is read out of the messages of one connection.
#[derive(Clone, Debug)]
pub(super) struct Value {
    /// Its number among [`Program::inputs`].
    pub input: usize,
    pub column: Arc<Column>,
}

impl Condition {
    /// A number is true where it is not 0, of several values of a message one is enough. Errors: what is no condition, names no topic,
    /// or does not fit the topics.
    pub fn compile(expr: &Expr, topics: &[TopicSchema], variables: &Variables) -> Result<Condition, PathError> {
        let bound = bind(expr, variables, topics)?;
        let condition = Condition {
            program: Program::compile(&as_truth(&bound, topics)?, topics, variables)?,
        };
        match bound.topics().is_empty() {
            true => Err(PathError::new(
                "a condition names a topic, such as /vehicle/brake_report.pedal_input > 0.3",
                0..expr.to_string().len(),
            )),
            false => Ok(condition),
        }
    }

    pub(super) fn program(&self) -> &Program {
        &self.program
    }

    /// The topics that are read, each once.
    pub fn topics(&self) -> Vec<&str> {
        let mut topics: Vec<&str> = self.program.inputs().iter().map(|input| &*input.topic).collect();
        topics.sort_unstable();
        topics.dedup();
        topics
    }

    /// What is read out of messages of `topic` that are defined so: one topic's connections may have several definitions.
    pub(super) fn values(&self, topic: &str, schema: &Schema) -> Result<Vec<Value>, PathError> {
        let inputs = self.program.inputs().iter().enumerate().filter(|(_, input)| &*input.topic == topic);
        let values = inputs.map(|(number, input)| {
            Ok(Value {
                input: number,
                column: Arc::new(Column::compile(schema, &parse(&input.text)?)?),
            })
        });
        values.collect()
    }
}

impl Value {
    /// As the program takes it: truth as 0 or 1, what is not there as NaN.
    pub fn of(&self, payload: &[u8]) -> f64 {
        match self.column.kind() {
            ItemKind::Bool => f64::from(u8::from(self.column.holds(payload))),
            _ => self.column.get(payload).unwrap_or(f64::NAN),
        }
    }
}

/// The same where every part that is asked for its truth gives it.
fn as_truth(expr: &Expr, topics: &[TopicSchema]) -> Result<Expr, PathError> {
    let again = |inner: &Expr| Ok::<_, PathError>(Box::new(as_truth(inner, topics)?));
    Ok(match expr {
        Expr::Binary {
            op: op @ (Op::And | Op::Or),
            left,
            right,
            at,
        } => Expr::Binary {
            op: *op,
            left: again(left)?,
            right: again(right)?,
            at: at.clone(),
        },
        Expr::Not(inner) => Expr::Not(again(inner)?),
        Expr::Binary { op, .. } if op.is_comparison() => expr.clone(),
        Expr::Literal(Literal::Text(_)) => return Err(no_truth(expr)),
        Expr::Literal(_) | Expr::Variable(..) => expr.clone(),
        other => match kind_of(other, topics) {
            Some(ItemKind::Text) => return Err(no_truth(expr)),
            Some(ItemKind::Int | ItemKind::Float | ItemKind::Nanos) => is_not_zero(other),
            // of several topics or over time: the program's own number
            Some(ItemKind::Bool) | None => expr.clone(),
        },
    })
}

fn no_truth(expr: &Expr) -> PathError {
    PathError::new("a text is not true or false: compare it with == or =~", expr.span())
}

/// What one message gives for it; None where it needs more, or does not fit.
fn kind_of(expr: &Expr, topics: &[TopicSchema]) -> Option<ItemKind> {
    let named = expr.topics();
    let [topic] = named.as_slice() else { return None };
    let (_, schema) = topics.iter().find(|(name, _)| &**name == *topic)?;
    Some(Column::compile(schema.as_ref().ok()?, expr).ok()?.kind())
}

/// `abs(x) > 0`, which what is no number does not fulfil.
fn is_not_zero(expr: &Expr) -> Expr {
    let absolute = |function: &&'static Function| matches!(function.kind, FunctionKind::One(_)) && function.name == "abs";
    let Some(function) = crate::path::FUNCTIONS.iter().find(absolute) else {
        return expr.clone();
    };
    let at = crate::path::Spot(expr.span());
    Expr::Binary {
        op: Op::Greater,
        left: Box::new(Expr::Call {
            function,
            args: vec![expr.clone()],
            style: crate::path::Style::Prefix,
            at: at.clone(),
        }),
        right: Box::new(Expr::Literal(Literal::Int(0))),
        at,
    }
}

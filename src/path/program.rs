//! A whole expression compiled against the topics of the recordings: what is read out of messages, and what is computed from that.
//!
//! Invariant: all that needs one message only is one column, read while its chunk is decoded; only the rest needs series.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::PathError;
use super::ast::{Bound, Expr, Literal, Op, Path, Spot, StepKind, Style};
use super::column::{Column, Compiler, ItemKind};
use super::eval::arithmetic;
use super::functions::{self, Function};
use super::nearest::nearest;
use super::place::named_constant;
use super::transform::Transform;
use crate::decode::{Array, Kind, Schema};

/// What `$x` stands for, by name.
pub type Variables = BTreeMap<String, Literal>;

/// A topic and its compiled message definition, or why there is none.
pub type TopicSchema = (Arc<str>, Result<Arc<Schema>, Arc<str>>);

#[derive(Clone, Debug)]
pub struct Program {
    text: Arc<str>,
    inputs: Vec<Input>,
    pub(super) node: Node,
    is_truth: bool,
}

/// What is read out of the messages of one topic.
#[derive(Clone, Debug)]
pub struct Input {
    pub topic: Arc<str>,
    /// As [`super::parse`] reads it, variables bound: names the values.
    pub text: Arc<str>,
    pub column: Arc<Column>,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    Input(usize),
    Constant(f64),
    One(fn(f64) -> f64, Box<Node>),
    Many(fn(&[f64]) -> f64, Vec<Node>),
    Binary(Op, Box<Node>, Box<Node>),
    Series(Transform, Box<Node>),
}

impl Program {
    pub fn compile(expr: &Expr, topics: &[TopicSchema], variables: &Variables) -> Result<Program, PathError> {
        let bound = bind(expr, variables, topics)?;
        let mut program = Program {
            text: bound.to_string().into(),
            inputs: Vec::new(),
            node: Node::Constant(f64::NAN),
            is_truth: is_truth(&bound),
        };
        program.node = program.build(&bound, topics)?;
        Ok(program)
    }

    /// As [`super::parse`] reads it, variables bound: names the values.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// The number that it is, where it names no topic: a reference line.
    pub fn constant(&self) -> Option<f64> {
        match self.node {
            Node::Constant(v) => Some(v),
            _ => None,
        }
    }

    /// The column, where all is read out of the messages of one topic.
    pub fn column(&self) -> Option<&Input> {
        match self.node {
            Node::Input(at) => self.inputs.get(at),
            _ => None,
        }
    }

    /// What its values are.
    pub fn kind(&self) -> ItemKind {
        match self.column() {
            Some(input) => input.column.kind(),
            None if self.is_truth => ItemKind::Bool,
            None => ItemKind::Float,
        }
    }

    fn build(&mut self, expr: &Expr, topics: &[TopicSchema]) -> Result<Node, PathError> {
        let named = expr.topics();
        if let ([topic], true) = (named.as_slice(), is_of_one_message(expr)) {
            let schema = schema_of(topic, topics, expr)?;
            let column = Column::compile(&schema, expr)?;
            let text: Arc<str> = expr.to_string().into();
            let at = match self.inputs.iter().position(|i| i.text == text) {
                Some(at) => at,
                None => {
                    self.inputs.push(Input {
                        topic: (*topic).into(),
                        text,
                        column: Arc::new(column),
                    });
                    self.inputs.len() - 1
                }
            };
            return Ok(Node::Input(at));
        }
        Ok(match expr {
            Expr::Literal(literal) => Node::Constant(number(literal)),
            Expr::Variable(name, at) => return Err(PathError::new(format!("the variable ${name} has no value"), at.0.clone())),
            Expr::Path(path) => return Err(PathError::new("this names no topic", path.at.0.clone())),
            Expr::Negated(inner) => self.one(|v| -v, inner, topics)?,
            Expr::Not(inner) => self.one(negation, inner, topics)?,
            Expr::Binary { op: Op::Matches, at, .. } => return Err(PathError::new("=~ compares a text of one message", at.0.clone())),
            Expr::Binary { op, left, right, .. } => match (self.operand(left, topics)?, self.operand(right, topics)?) {
                (Node::Constant(a), Node::Constant(b)) => Node::Constant(arithmetic(*op, a, b)),
                (a, b) => Node::Binary(*op, Box::new(a), Box::new(b)),
            },
            Expr::Call { function, args, at, .. } => self.call(function, args, at.0.clone(), topics)?,
        })
    }

    /// A part that is computed with further: a number.
    fn operand(&mut self, expr: &Expr, topics: &[TopicSchema]) -> Result<Node, PathError> {
        let node = self.build(expr, topics)?;
        let is_text = matches!(node, Node::Input(at) if self.inputs.get(at).is_some_and(|i| !i.column.kind().is_number()));
        if is_text || matches!(expr, Expr::Literal(Literal::Text(_))) {
            return Err(PathError::new("this is a text, not a number", expr.span()));
        }
        Ok(node)
    }

    fn one(&mut self, f: fn(f64) -> f64, inner: &Expr, topics: &[TopicSchema]) -> Result<Node, PathError> {
        Ok(match self.operand(inner, topics)? {
            Node::Constant(v) => Node::Constant(f(v)),
            node => Node::One(f, Box::new(node)),
        })
    }

    fn call(
        &mut self,
        function: &'static Function,
        args: &[Expr],
        at: std::ops::Range<usize>,
        topics: &[TopicSchema],
    ) -> Result<Node, PathError> {
        let mut nodes = Vec::new();
        for (number, arg) in args.iter().enumerate() {
            let known = self.inputs.len();
            let node = match self.operand(arg, topics) {
                // of what has a time only, a whole message will do
                Err(error) if number == 0 && function.is_of_times => {
                    self.inputs.truncate(known);
                    self.operand(&presence(arg), topics).map_err(|_| error)
                }
                other => other,
            };
            nodes.push(node?);
        }
        for param in function.params.iter().skip(args.len().saturating_sub(1)) {
            nodes.push(Node::Constant(param.default.unwrap_or(f64::NAN)));
        }
        match function.kind {
            functions::Kind::One(f) => Ok(match nodes.pop() {
                Some(Node::Constant(v)) => Node::Constant(f(v)),
                Some(node) => Node::One(f, Box::new(node)),
                None => Node::Constant(f64::NAN),
            }),
            functions::Kind::Many(f) => {
                let values: Option<Vec<f64>> = nodes.iter().map(Node::constant).collect();
                Ok(values.map_or_else(|| Node::Many(f, nodes), |v| Node::Constant(f(&v))))
            }
            functions::Kind::Part(_) => Err(PathError::new(format!("{} is taken of a field", function.name), at)),
            functions::Kind::Series(make) => {
                let of = nodes.remove(0);
                let params: Option<Vec<f64>> = nodes.iter().map(Node::constant).collect();
                let params = params.ok_or_else(|| PathError::new(format!("{} takes numbers only", function.name), at.clone()))?;
                let transform = make(&params).map_err(|what| PathError::new(format!("{}: {what}", function.name), at.clone()))?;
                if of.constant().is_some() {
                    return Err(PathError::new(format!("{} is taken of values over time", function.name), at));
                }
                Ok(Node::Series(transform, Box::new(of)))
            }
        }
    }
}

impl Node {
    fn constant(&self) -> Option<f64> {
        match self {
            Node::Constant(v) => Some(*v),
            _ => None,
        }
    }
}

/// What is 1 for every message that `expr` leads somewhere in.
fn presence(expr: &Expr) -> Expr {
    match functions::function("present") {
        Some(function) => Expr::Call {
            function,
            args: vec![expr.clone()],
            style: Style::Modifier,
            at: Spot(expr.span()),
        },
        None => expr.clone(),
    }
}

/// Whether what is computed of several topics is true or false, and no other number.
fn is_truth(expr: &Expr) -> bool {
    match expr {
        Expr::Not(_) | Expr::Literal(Literal::Bool(_)) => true,
        Expr::Binary { op, .. } => op.is_comparison() || matches!(op, Op::And | Op::Or),
        _ => false,
    }
}

/// What is not known stays so.
fn negation(v: f64) -> f64 {
    if v.is_nan() { v } else { f64::from(u8::from(v == 0.0)) }
}

/// Whether one message is enough to compute it.
pub(super) fn is_of_one_message(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(_) | Expr::Variable(..) | Expr::Path(_) => true,
        Expr::Negated(inner) | Expr::Not(inner) => is_of_one_message(inner),
        Expr::Binary { left, right, .. } => is_of_one_message(left) && is_of_one_message(right),
        Expr::Call { function, args, .. } => !matches!(function.kind, functions::Kind::Series(_)) && args.iter().all(is_of_one_message),
    }
}

fn number(literal: &Literal) -> f64 {
    match literal {
        Literal::Bool(b) => f64::from(u8::from(*b)),
        Literal::Int(n) => *n as f64,
        Literal::Float(v) => *v,
        Literal::Text(_) => f64::NAN,
    }
}

fn schema_of(topic: &str, topics: &[TopicSchema], expr: &Expr) -> Result<Arc<Schema>, PathError> {
    let mut at = 0..0;
    expr.each_path(&mut |path| {
        if path.topic.as_deref() == Some(topic) && at.is_empty() {
            at = path.at.0.start..path.steps.first().map_or(path.at.0.end, |s| s.at.0.start);
        }
    });
    match topics.iter().find(|(name, _)| &**name == topic) {
        Some((_, Ok(schema))) => Ok(Arc::clone(schema)),
        Some((_, Err(why))) => Err(PathError::new(format!("{topic} cannot be decoded: {why}"), at)),
        None => {
            let close = nearest(topic, topics.iter().map(|(name, _)| &**name));
            let close = close.map(|name| super::topic_text(&name));
            Err(PathError::new(format!("the recording has no topic {topic}"), at).with_nearest(close))
        }
    }
}

/// Puts values in place of variables, and of names of constants that are compared with a topic's field.
pub fn bind(expr: &Expr, variables: &Variables, topics: &[TopicSchema]) -> Result<Expr, PathError> {
    let again = |e: &Expr| bind(e, variables, topics);
    Ok(match expr {
        Expr::Literal(_) => expr.clone(),
        Expr::Variable(name, at) => {
            let value = variables.get(name).cloned();
            Expr::Literal(value.ok_or_else(|| no_variable(name, variables, at.0.clone()))?)
        }
        Expr::Path(path) => Expr::Path(bind_path(path, variables, topics)?),
        // negated literals are literals
        Expr::Negated(inner) => match again(inner)? {
            Expr::Literal(Literal::Int(n)) => Expr::Literal(Literal::Int(-n)),
            Expr::Literal(Literal::Float(v)) => Expr::Literal(Literal::Float(-v)),
            inner => Expr::Negated(Box::new(inner)),
        },
        Expr::Not(inner) => Expr::Not(Box::new(again(inner)?)),
        Expr::Binary { op, left, right, at } => {
            let bound = |side: &Expr, other: &Expr| match op.is_comparison() {
                true => constant(side, other, topics)?.map_or_else(|| again(side), Ok),
                false => again(side),
            };
            Expr::Binary {
                op: *op,
                left: Box::new(bound(left, right)?),
                right: Box::new(bound(right, left)?),
                at: at.clone(),
            }
        }
        Expr::Call { function, args, style, at } => Expr::Call {
            function,
            args: args.iter().map(again).collect::<Result<_, _>>()?,
            style: *style,
            at: at.clone(),
        },
    })
}

fn bind_path(path: &Path, variables: &Variables, topics: &[TopicSchema]) -> Result<Path, PathError> {
    let mut bound = path.clone();
    for step in &mut bound.steps {
        let at = step.at.0.clone();
        let number = |b: &Bound| match b {
            Bound::Number(_) => Ok(b.clone()),
            Bound::Variable(name) => match variables.get(name) {
                Some(Literal::Int(n)) if i64::try_from(*n).is_ok() => Ok(Bound::Number(i64::try_from(*n).unwrap_or(0))),
                Some(_) => Err(PathError::new(format!("the variable ${name} is no whole number"), at.clone())),
                None => Err(no_variable(name, variables, at.clone())),
            },
        };
        step.kind = match &step.kind {
            StepKind::Field(name) => StepKind::Field(name.clone()),
            StepKind::Index(b) => StepKind::Index(number(b)?),
            StepKind::Slice(a, b) => StepKind::Slice(a.as_ref().map(number).transpose()?, b.as_ref().map(number).transpose()?),
            StepKind::Filter(condition) => StepKind::Filter(Box::new(bind(condition, variables, topics)?)),
        };
    }
    Ok(bound)
}

fn no_variable(name: &str, variables: &Variables, at: std::ops::Range<usize>) -> PathError {
    let close = nearest(name, variables.keys().map(String::as_str));
    PathError::new(format!("the variable ${name} has no value"), at).with_nearest(close.map(|c| format!("${c}")))
}

/// `AUTO` in `/mode.mode == AUTO`: the constant of the field's type, unless there is a topic of that name. None: it is no name of a
/// constant.
fn constant(name: &Expr, of: &Expr, topics: &[TopicSchema]) -> Result<Option<Expr>, PathError> {
    let (Expr::Path(name), Expr::Path(of)) = (name, of) else {
        return Ok(None);
    };
    let is_topic = |name: &str| topics.iter().any(|(topic, _)| &**topic == name);
    let bare = name
        .topic
        .as_deref()
        .filter(|bare| name.steps.is_empty() && !bare.contains('/') && !is_topic(bare));
    let schema = topics.iter().find(|(topic, _)| Some(&**topic) == of.topic.as_deref());
    let (Some(bare), Some((_, Ok(schema)))) = (bare, schema) else {
        return Ok(None);
    };
    let plan = schema.plan();
    let root = Kind::Struct(plan.root);
    // what is wrong with the field itself is told where it is compiled
    let placed = Compiler { plan }.place(of, (root, Array::One));
    let Ok(place) = placed else {
        return Ok(None);
    };
    if let Some(literal) = named_constant(plan, Some(&place), root, bare) {
        return Ok(Some(Expr::Literal(literal)));
    }
    let types = place.owner.map(|(id, _)| id).into_iter().chain([plan.root]);
    let known = types.filter_map(|id| plan.get(id).ok()).flat_map(|of| &of.constants);
    let close = nearest(bare, known.map(|constant| &*constant.name));
    let what = format!("there is neither a topic nor a constant “{bare}”");
    Err(PathError::new(what, name.at.0.clone()).with_nearest(close))
}

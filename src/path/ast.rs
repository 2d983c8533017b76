//! The syntax tree of a message path.
//!
//! Invariant: two trees are equal when they mean the same text; where it stood is left out of that.

use std::ops::Range;

use super::functions::Function;

/// Where a part of the text stood, in bytes. Never tells two trees apart.
#[derive(Clone, Debug, Default)]
pub struct Spot(pub Range<usize>);

impl PartialEq for Spot {
    fn eq(&self, _: &Spot) -> bool {
        true
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    Literal(Literal),
    /// `$x`
    Variable(String, Spot),
    Path(Path),
    /// Never of a number literal: that is a negative literal.
    Negated(Box<Expr>),
    Not(Box<Expr>),
    Binary {
        op: Op,
        left: Box<Expr>,
        right: Box<Expr>,
        at: Spot,
    },
    Call {
        function: &'static Function,
        /// What it is applied to comes first.
        args: Vec<Expr>,
        style: Style,
        at: Spot,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
}

impl Literal {
    /// As layouts store the values of variables. Whole numbers that JSON has no room for become floats.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Literal::Bool(b) => (*b).into(),
            Literal::Int(n) => match (i64::try_from(*n), u64::try_from(*n)) {
                (Ok(n), _) => n.into(),
                (_, Ok(n)) => n.into(),
                _ => (*n as f64).into(),
            },
            Literal::Float(v) => (*v).into(),
            Literal::Text(text) => text.as_str().into(),
        }
    }

    /// None for what is no single value.
    pub fn from_json(value: &serde_json::Value) -> Option<Literal> {
        use serde_json::Value;
        Some(match value {
            Value::Bool(b) => Literal::Bool(*b),
            Value::Number(n) => match (n.as_i64(), n.as_u64()) {
                (Some(n), _) => Literal::Int(n.into()),
                (_, Some(n)) => Literal::Int(n.into()),
                _ => Literal::Float(n.as_f64()?),
            },
            Value::String(text) => Literal::Text(text.clone()),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        })
    }
}

/// How a function is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `abs(/a.x)`
    Prefix,
    /// `/a.x.@abs`
    Modifier,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Matches,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
}

impl Op {
    pub fn text(self) -> &'static str {
        match self {
            Op::Or => "or",
            Op::And => "and",
            Op::Equal => "==",
            Op::NotEqual => "!=",
            Op::Less => "<",
            Op::LessEqual => "<=",
            Op::Greater => ">",
            Op::GreaterEqual => ">=",
            Op::Matches => "=~",
            Op::Add => "+",
            Op::Subtract => "-",
            Op::Multiply => "*",
            Op::Divide => "/",
            Op::Modulo => "%",
            Op::Power => "^",
        }
    }

    /// Binds tighter where larger.
    pub(super) fn level(self) -> u8 {
        match self {
            Op::Or => 1,
            Op::And => 2,
            Op::Add | Op::Subtract => 5,
            Op::Multiply | Op::Divide | Op::Modulo => 6,
            Op::Power => 8,
            _ => 4,
        }
    }

    pub fn is_comparison(self) -> bool {
        self.level() == 4
    }
}

/// A topic's field, or in a filter a field of what is filtered.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// None in filters: from the filtered value on.
    pub topic: Option<String>,
    pub steps: Vec<Step>,
    pub at: Spot,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub kind: StepKind,
    pub at: Spot,
}

#[derive(Clone, Debug, PartialEq)]
pub enum StepKind {
    Field(String),
    /// `[n]`
    Index(Bound),
    /// `[a:b]`, both ends included.
    Slice(Option<Bound>, Option<Bound>),
    /// `{a.b == 3}`
    Filter(Box<Expr>),
}

/// An end of a slice; negative numbers count from the end.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    Number(i64),
    Variable(String),
}

impl Expr {
    /// Calls `f` with every path to a topic (those in filters are none).
    pub fn each_path<'a>(&'a self, f: &mut impl FnMut(&'a Path)) {
        match self {
            Expr::Literal(_) | Expr::Variable(..) => {}
            Expr::Path(path) => f(path),
            Expr::Negated(inner) | Expr::Not(inner) => inner.each_path(f),
            Expr::Binary { left, right, .. } => {
                left.each_path(f);
                right.each_path(f);
            }
            Expr::Call { args, .. } => args.iter().for_each(|a| a.each_path(f)),
        }
    }

    /// The topics it names, in the order of the text, each once.
    pub fn topics(&self) -> Vec<&str> {
        let mut topics: Vec<&str> = Vec::new();
        self.each_path(&mut |path| {
            if let Some(topic) = path.topic.as_deref()
                && !topics.contains(&topic)
            {
                topics.push(topic);
            }
        });
        topics
    }

    /// The same of messages of another topic; None: from their fields on.
    pub fn with_topic(&self, topic: Option<&str>) -> Expr {
        let again = |expr: &Expr| Box::new(expr.with_topic(topic));
        match self {
            Expr::Literal(_) | Expr::Variable(..) => self.clone(),
            Expr::Path(path) => Expr::Path(Path {
                topic: topic.map(str::to_owned),
                ..path.clone()
            }),
            Expr::Negated(inner) => Expr::Negated(again(inner)),
            Expr::Not(inner) => Expr::Not(again(inner)),
            Expr::Binary { op, left, right, at } => Expr::Binary {
                op: *op,
                left: again(left),
                right: again(right),
                at: at.clone(),
            },
            Expr::Call { function, args, style, at } => Expr::Call {
                function,
                args: args.iter().map(|arg| arg.with_topic(topic)).collect(),
                style: *style,
                at: at.clone(),
            },
        }
    }

    /// Where it stood.
    pub fn span(&self) -> Range<usize> {
        match self {
            Expr::Literal(_) => 0..0,
            Expr::Variable(_, at) | Expr::Binary { at, .. } | Expr::Call { at, .. } => at.0.clone(),
            Expr::Path(path) => path.at.0.clone(),
            Expr::Negated(inner) | Expr::Not(inner) => inner.span(),
        }
    }
}

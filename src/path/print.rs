//! Syntax trees as text. Invariant: parsing what is printed gives the same tree.

use std::fmt::{self, Display, Formatter, Write as _};

use super::ast::{Bound, Expr, Literal, Path, Step, StepKind, Style};
use super::parse::{is_bare_field, is_bare_start, is_bare_topic};

/// Of a number literal with a sign, of unary minus, and of what needs no brackets.
const NOT: u8 = 3;
const SIGN: u8 = 7;
const WHOLE: u8 = 9;

impl Expr {
    fn level(&self) -> u8 {
        match self {
            Expr::Literal(Literal::Int(n)) if *n < 0 => SIGN,
            Expr::Literal(Literal::Float(f)) if f.is_sign_negative() => SIGN,
            Expr::Negated(_) => SIGN,
            Expr::Not(_) => NOT,
            Expr::Binary { op, .. } => op.level(),
            _ => WHOLE,
        }
    }

    /// In brackets where it binds looser than `least`.
    fn write(&self, f: &mut Formatter<'_>, least: u8) -> fmt::Result {
        if self.level() < least {
            return write!(f, "({self})");
        }
        write!(f, "{self}")
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Literal(literal) => write!(f, "{literal}"),
            Expr::Variable(name, _) => write!(f, "${name}"),
            // right of a comparison a quoted topic alone would be a text
            Expr::Path(path) if path.steps.is_empty() && path.topic.as_deref().is_some_and(|t| !is_bare_topic(t)) => write!(f, "({path})"),
            Expr::Path(path) => write!(f, "{path}"),
            Expr::Negated(inner) => {
                f.write_char('-')?;
                inner.write(f, SIGN)
            }
            Expr::Not(inner) => {
                f.write_str("not ")?;
                inner.write(f, NOT)
            }
            Expr::Binary { op, left, right, .. } => {
                let level = op.level();
                // comparisons do not chain; powers bind to the right, all else to the left
                let (least_left, least_right) = match level {
                    4 => (5, 5),
                    8 => (WHOLE, SIGN),
                    _ => (level, level + 1),
                };
                left.write(f, least_left)?;
                write!(f, " {} ", op.text())?;
                right.write(f, least_right)
            }
            Expr::Call { function, args, style, .. } => {
                let (head, rest) = match (style, args.split_first()) {
                    (Style::Modifier, Some((first, rest))) => (Some(first), rest),
                    _ => (None, args.as_slice()),
                };
                match head {
                    Some(first @ (Expr::Path(_) | Expr::Call { .. } | Expr::Variable(..))) => write!(f, "{first}.@{}", function.name)?,
                    Some(first) => write!(f, "({first}).@{}", function.name)?,
                    None => f.write_str(function.name)?,
                }
                if head.is_some() && rest.is_empty() {
                    return Ok(());
                }
                f.write_char('(')?;
                for (i, arg) in rest.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{arg}")?;
                }
                f.write_char(')')
            }
        }
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Bool(b) => write!(f, "{b}"),
            Literal::Int(n) => write!(f, "{n}"),
            // `{:?}` keeps the point or the exponent, by which it is told from an integer
            Literal::Float(v) => write!(f, "{v:?}"),
            Literal::Text(text) => quoted(f, text, '\''),
        }
    }
}

fn quoted(f: &mut Formatter<'_>, text: &str, mark: char) -> fmt::Result {
    f.write_char(mark)?;
    for c in text.chars() {
        match c {
            '\n' => f.write_str("\\n")?,
            '\t' => f.write_str("\\t")?,
            '\r' => f.write_str("\\r")?,
            '\\' => f.write_str("\\\\")?,
            c if c == mark => write!(f, "\\{c}")?,
            c => f.write_char(c)?,
        }
    }
    f.write_char(mark)
}

impl Display for Path {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut starts = self.topic.is_none();
        match &self.topic {
            Some(topic) if is_bare_topic(topic) => f.write_str(topic)?,
            Some(topic) => quoted(f, topic, '"')?,
            None if self
                .steps
                .first()
                .is_some_and(|step| matches!(&step.kind, StepKind::Field(name) if is_bare_start(name))) => {}
            None => {
                f.write_str("@this")?;
                starts = false;
            }
        }
        for step in &self.steps {
            if let (StepKind::Field(name), true) = (&step.kind, starts) {
                f.write_str(name)?;
            } else {
                write!(f, "{step}")?;
            }
            starts = false;
        }
        Ok(())
    }
}

impl Display for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            StepKind::Field(name) if is_bare_field(name) => write!(f, ".{name}"),
            StepKind::Field(name) => {
                f.write_char('.')?;
                quoted(f, name, '"')
            }
            StepKind::Index(bound) => write!(f, "[{bound}]"),
            StepKind::Slice(from, to) => {
                f.write_char('[')?;
                if let Some(from) = from {
                    write!(f, "{from}")?;
                }
                f.write_char(':')?;
                if let Some(to) = to {
                    write!(f, "{to}")?;
                }
                f.write_char(']')
            }
            StepKind::Filter(expr) => write!(f, "{{{expr}}}"),
        }
    }
}

impl Display for Bound {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Bound::Number(n) => write!(f, "{n}"),
            Bound::Variable(name) => write!(f, "${name}"),
        }
    }
}

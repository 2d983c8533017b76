//! Text → syntax tree, by recursive descent. The grammar stands in the README.
//!
//! Invariants: every refusal says what, where, and what would fit; the tree is no deeper than brackets that nest [`MAX_DEPTH`] deep
//! and [`MAX_LINKS`] operators and functions in a row make it.

mod list;
mod refusal;

use std::ops::Range;

use super::PathError;
use super::ast::{Bound, Expr, Literal, Op, Path, Spot, Step, StepKind, Style};
use super::functions::{FUNCTIONS, Function, Kind, function};
use super::nearest::nearest;

const MAX_DEPTH: usize = 40;
/// Whoever walks the tree goes one level deeper for each.
const MAX_LINKS: usize = 500;
/// Operators and truth values.
pub(super) const WORDS: [&str; 5] = ["true", "false", "and", "or", "not"];

/// A path or an expression over paths, such as `/imu.angular_velocity.z.@rad2deg` or `/a.x - /b.x`.
pub fn parse(text: &str) -> Result<Expr, PathError> {
    whole(text, false)
}

/// As [`parse`], but paths start at a message's fields: `pose.position.x`.
pub fn parse_fields(text: &str) -> Result<Expr, PathError> {
    whole(text, true)
}

fn whole(text: &str, relative: bool) -> Result<Expr, PathError> {
    let mut parser = Parser {
        text,
        at: 0,
        relative,
        depth: 0,
        links: 0,
    };
    parser.space();
    let expr = parser.expr(1)?;
    parser.space();
    match parser.peek() {
        None => Ok(expr),
        Some(_) => Err(parser.unexpected()),
    }
}

/// Whether it needs no quotes as a topic.
pub(super) fn is_bare_topic(name: &str) -> bool {
    let starts = name.starts_with(|c: char| c == '/' || c.is_alphabetic() || c == '_');
    starts && name.chars().all(is_of_topic) && !WORDS.contains(&name)
}

/// Whether it needs no quotes as a field.
pub(super) fn is_bare_field(name: &str) -> bool {
    !name.is_empty() && name.chars().all(is_of_name)
}

/// Whether a path may begin with it, where paths begin with fields.
pub(super) fn is_bare_start(name: &str) -> bool {
    name.starts_with(|c: char| c.is_alphabetic() || c == '_') && is_bare_field(name) && !WORDS.contains(&name)
}

fn is_of_topic(c: char) -> bool {
    is_of_name(c) || c == '/'
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-')
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    /// In a filter: names are fields, not topics.
    relative: bool,
    depth: usize,
    /// Operators and functions so far.
    links: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn space(&mut self) -> bool {
        let trimmed = self.rest().trim_start();
        let skipped = self.rest().len() - trimmed.len();
        self.at += skipped;
        skipped > 0
    }

    fn eat(&mut self, what: &str) -> bool {
        let found = self.rest().starts_with(what);
        if found {
            self.at += what.len();
        }
        found
    }

    fn error(&self, span: Range<usize>, what: impl Into<String>) -> PathError {
        PathError::new(what, span)
    }

    /// The bracket behind an expression.
    fn close(&mut self, bracket: &str, after: &str) -> Result<(), PathError> {
        match self.other_spelling() {
            Some(error) => Err(error),
            None => self.expect(bracket, after),
        }
    }

    fn expect(&mut self, what: &str, after: &str) -> Result<(), PathError> {
        if self.eat(what) {
            return Ok(());
        }
        let end = self.at + self.peek().map_or(0, char::len_utf8);
        Err(self.error(self.at..end, format!("“{what}” is missing after {after}")))
    }

    /// A word of letters, digits and `_`, if it stands here alone.
    fn word(&mut self, word: &str) -> bool {
        let Some(rest) = self.rest().strip_prefix(word) else {
            return false;
        };
        let ends = !rest.starts_with(|c| is_of_topic(c) || c == '.');
        if ends {
            self.at += word.len();
        }
        ends
    }

    /// The operator that stands here, with the spaces that it needs; None where there is none.
    fn operator(&mut self) -> Result<Option<Op>, PathError> {
        const OPS: [Op; 15] = [
            Op::Equal,
            Op::Matches,
            Op::NotEqual,
            Op::LessEqual,
            Op::GreaterEqual,
            Op::Less,
            Op::Greater,
            Op::Add,
            Op::Subtract,
            Op::Multiply,
            Op::Divide,
            Op::Modulo,
            Op::Power,
            Op::And,
            Op::Or,
        ];
        let start = self.at;
        let before = self.space();
        for op in OPS {
            if matches!(op, Op::And | Op::Or) {
                let sign = if op == Op::And { "&&" } else { "||" };
                if self.eat(sign) || before && self.word(op.text()) {
                    return Ok(Some(op));
                }
                continue;
            }
            if self.eat(op.text()) {
                let after = self.rest().starts_with(char::is_whitespace);
                if !(op.is_comparison() || before && after) {
                    self.at -= op.text().len();
                    return Err(self.unexpected());
                }
                return Ok(Some(op));
            }
        }
        self.at = start;
        Ok(None)
    }

    fn nested<T>(&mut self, f: impl FnOnce(&mut Parser<'a>) -> Result<T, PathError>) -> Result<T, PathError> {
        if self.depth >= MAX_DEPTH {
            return Err(self.error(self.at..self.at, format!("this nests more than {MAX_DEPTH} levels deep")));
        }
        self.depth += 1;
        let result = f(self);
        self.depth -= 1;
        result
    }

    fn link(&mut self) -> Result<(), PathError> {
        self.links += 1;
        match self.links > MAX_LINKS {
            true => Err(self.error(self.at..self.at, format!("these are more than {MAX_LINKS} operators and functions"))),
            false => Ok(()),
        }
    }

    /// Operators that bind at least as tightly as `least`.
    fn expr(&mut self, least: u8) -> Result<Expr, PathError> {
        self.nested(|p| p.expr_inner(least))
    }

    fn expr_inner(&mut self, least: u8) -> Result<Expr, PathError> {
        let from = self.at;
        let mut left = self.unary()?;
        // a comparison, and what holds one, is no operand of another
        let mut highest = 9;
        loop {
            let start = self.at;
            if self.is_list_ahead() {
                let level = Op::Equal.level();
                if level < least || level > highest {
                    self.at = start;
                    return Ok(left);
                }
                highest = level - 1;
                left = self.one_of(left, from)?;
                continue;
            }
            let Some(op) = self.operator()? else { return Ok(left) };
            let level = op.level();
            if level < least || level > highest {
                self.at = start;
                return Ok(left);
            }
            self.link()?;
            self.space();
            let right = match op {
                Op::Power => self.expr(7)?,
                _ if op.is_comparison() => {
                    highest = 3;
                    self.compared()?
                }
                _ => self.expr(level + 1)?,
            };
            if !op.is_comparison() {
                highest = level;
            }
            left = Expr::Binary {
                op,
                left: Box::new(left),
                right: Box::new(right),
                at: Spot(from..self.at),
            };
        }
    }

    /// What stands right of a comparison: there a quoted text is a text, unless steps follow it.
    fn compared(&mut self) -> Result<Expr, PathError> {
        if self.peek() == Some('"') {
            let start = self.at;
            let text = self.quoted('"')?;
            if !self.rest().starts_with(['.', '[', '{']) {
                return Ok(Expr::Literal(Literal::Text(text)));
            }
            self.at = start;
        }
        self.expr(5)
    }

    fn unary(&mut self) -> Result<Expr, PathError> {
        if self.eat("-") {
            let from = self.at;
            if self.rest().starts_with(char::is_whitespace) {
                return Err(self.error(from - 1..from, "“-” stands before a value without a space"));
            }
            return self.nested(|p| Ok(negated(p.expr(7)?)));
        }
        if self.word("not") {
            self.space();
            return self.nested(|p| Ok(Expr::Not(Box::new(p.expr(3)?))));
        }
        // binds as a sign does, as in other languages
        if self.peek() == Some('!') && !self.rest().starts_with("!=") {
            self.at += 1;
            self.space();
            return self.nested(|p| Ok(Expr::Not(Box::new(p.expr(7)?))));
        }
        if let Some(word) = self.capital_not() {
            return Err(self.written(word, "not"));
        }
        let mut expr = self.primary()?;
        while self.rest().starts_with(".@") {
            self.link()?;
            expr = self.modifier(expr)?;
        }
        Ok(expr)
    }

    fn primary(&mut self) -> Result<Expr, PathError> {
        let from = self.at;
        match self.peek() {
            None => Err(self.unexpected()),
            Some('(') => {
                self.at += 1;
                self.space();
                let inner = self.expr(1)?;
                self.space();
                self.close(")", "the expression in brackets")?;
                Ok(inner)
            }
            Some('$') => {
                self.at += 1;
                let name = self.name();
                Ok(Expr::Variable(name, Spot(from..self.at)))
            }
            Some('\'') => Ok(Expr::Literal(Literal::Text(self.quoted('\'')?))),
            Some('"') => {
                let name = self.quoted('"')?;
                if self.relative {
                    return Ok(Expr::Literal(Literal::Text(name)));
                }
                self.path(Some(name), from)
            }
            Some('@') if self.relative && self.eat("@this") => self.path(None, from),
            // `{==1}`: of the filtered value itself
            Some('=' | '!' | '<' | '>') if self.relative => self.path(None, from),
            Some(c) if c.is_ascii_digit() => self.number_or_name(),
            Some('.') if self.rest().as_bytes().get(1).is_some_and(u8::is_ascii_digit) => self.number_or_name(),
            Some(c) if c.is_alphabetic() || matches!(c, '_' | '/') => self.named(),
            Some(_) => Err(self.unexpected()),
        }
    }

    /// Of a variable, a function or a field; empty where there is none.
    fn name(&mut self) -> String {
        let len = self.run(is_of_name);
        let name = self.rest().get(..len).unwrap_or_default().to_owned();
        self.at += len;
        name
    }

    /// The bytes of the letters ahead that fit.
    fn run(&self, fits: fn(char) -> bool) -> usize {
        let rest = self.rest();
        rest.find(|c| !fits(c)).unwrap_or(rest.len())
    }

    fn number_or_name(&mut self) -> Result<Expr, PathError> {
        let from = self.at;
        let rest = self.rest().as_bytes();
        let digits = |from: usize| rest.iter().skip(from).take_while(|b| b.is_ascii_digit()).count();
        let mut len = digits(0);
        // `5.` is a number, too, unless something follows the point that is none of it
        let is_of_number = |c: char| c.is_ascii_digit() || !(is_of_name(c) || matches!(c, '.' | '@' | '"'));
        let behind_point = self.rest().get(len + 1..).and_then(|after| after.chars().next());
        if rest.get(len) == Some(&b'.') && behind_point.is_none_or(is_of_number) {
            len += 1 + digits(len + 1);
        }
        if matches!(rest.get(len), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(rest.get(len + 1), Some(b'+' | b'-')));
            if rest.get(len + 1 + sign).is_some_and(u8::is_ascii_digit) {
                len += 1 + sign + digits(len + 1 + sign);
            }
        }
        if self.rest().get(len..).is_some_and(|after| after.starts_with(is_of_topic)) {
            return self.named();
        }
        self.at += len;
        let text = self.text.get(from..self.at).unwrap_or_default();
        let literal = match text.parse::<i128>() {
            Ok(n) => Literal::Int(n),
            Err(_) => match text.parse::<f64>() {
                Ok(v) if v.is_finite() => Literal::Float(v),
                _ => return Err(self.error(from..self.at, format!("{text} is no number that a double can hold"))),
            },
        };
        Ok(Expr::Literal(literal))
    }

    /// A truth value, a function or a path.
    fn named(&mut self) -> Result<Expr, PathError> {
        let from = self.at;
        for (word, value) in [("true", true), ("false", false)] {
            if self.word(word) {
                return Ok(Expr::Literal(Literal::Bool(value)));
            }
        }
        let len = self.run(if self.relative { is_of_name } else { is_of_topic });
        let name = self.rest().get(..len).unwrap_or_default();
        if len == 0 {
            return Err(self.unexpected());
        }
        self.at += len;
        if self.peek() == Some('(') {
            let function = self.function(name, from)?;
            return self.call(function, from);
        }
        if WORDS.contains(&name) {
            return Err(self.error(from..self.at, format!("“{name}” does not fit here")));
        }
        self.path(Some(name.to_owned()), from)
    }

    fn function(&self, name: &str, from: usize) -> Result<&'static Function, PathError> {
        function(name).ok_or_else(|| {
            let close = nearest(name, FUNCTIONS.iter().map(|f| f.name));
            self.error(from..from + name.len(), format!("there is no function “{name}”"))
                .with_nearest(close)
        })
    }

    fn call(&mut self, function: &'static Function, from: usize) -> Result<Expr, PathError> {
        let args = self.args()?;
        self.finish_call(function, args, Style::Prefix, from)
    }

    fn modifier(&mut self, of: Expr) -> Result<Expr, PathError> {
        self.at += 2;
        let from = self.at;
        let name = self.name();
        if name.is_empty() {
            return Err(self.error(from - 2..from, "a function is missing after “.@”"));
        }
        let name = self.of_rotation(name, from)?;
        let function = self.function(&name, from)?;
        let mut args = vec![of];
        if self.peek() == Some('(') {
            args.extend(self.args()?);
        }
        self.finish_call(function, args, Style::Modifier, from)
    }

    /// Foxglove's spelling of what is taken of a quaternion or of Euler angles: `.@rpy.yaw`, `.@quat.w`.
    fn of_rotation(&mut self, name: String, from: usize) -> Result<String, PathError> {
        let (before, parts) = match name.as_str() {
            "rpy" => ("", ["roll", "pitch", "yaw", ""]),
            "quat" => ("quat_", ["x", "y", "z", "w"]),
            _ => return Ok(name),
        };
        let part = if self.eat(".") { self.name() } else { String::new() };
        match parts.contains(&part.as_str()) && !part.is_empty() {
            true => Ok(format!("{before}{part}")),
            false => {
                let wanted: Vec<String> = parts.iter().filter(|p| !p.is_empty()).map(|p| format!(".{p}")).collect();
                Err(self.error(from..self.at, format!("{name} is several numbers: choose {}", wanted.join(", "))))
            }
        }
    }

    fn args(&mut self) -> Result<Vec<Expr>, PathError> {
        self.at += 1;
        let mut args = Vec::new();
        self.space();
        while !self.eat(")") {
            if !args.is_empty() {
                self.close(",", "an argument")?;
                self.link()?;
                self.space();
            }
            args.push(self.expr(1)?);
            self.space();
        }
        Ok(args)
    }

    fn finish_call(&self, function: &'static Function, args: Vec<Expr>, style: Style, from: usize) -> Result<Expr, PathError> {
        let needed = 1 + function.params.iter().filter(|p| p.default.is_none()).count();
        let at = from..self.at;
        if args.len() < needed || args.len() > 1 + function.params.len() && !function.takes_more {
            return Err(self.error(at, format!("{} takes other arguments: {}", function.name, usage(function))));
        }
        Ok(Expr::Call {
            function,
            args,
            style,
            at: Spot(at),
        })
    }

    /// `name` is the topic, or in a filter the first field.
    fn path(&mut self, name: Option<String>, from: usize) -> Result<Expr, PathError> {
        let mut path = Path {
            topic: None,
            steps: Vec::new(),
            at: Spot(from..self.at),
        };
        match name {
            Some(field) if self.relative => path.steps.push(Step {
                kind: StepKind::Field(field),
                at: Spot(from..self.at),
            }),
            topic => path.topic = topic,
        }
        loop {
            let start = self.at;
            let kind = match self.peek() {
                Some('.') if !self.rest().starts_with(".@") => {
                    self.at += 1;
                    let name = match self.peek() {
                        Some('"') => self.quoted('"')?,
                        _ => self.name(),
                    };
                    if name.is_empty() {
                        return Err(self.error(start..self.at, "a field is missing after “.”"));
                    }
                    StepKind::Field(name)
                }
                Some('[') => self.slice()?,
                Some('{') => self.filter()?,
                _ => break,
            };
            path.steps.push(Step {
                kind,
                at: Spot(start..self.at),
            });
        }
        path.at = Spot(from..self.at);
        Ok(Expr::Path(path))
    }

    fn slice(&mut self) -> Result<StepKind, PathError> {
        let from = self.at;
        self.at += 1;
        let first = self.bound()?;
        if self.eat(":") {
            let last = self.bound()?;
            self.expect("]", "a slice")?;
            return Ok(StepKind::Slice(first, last));
        }
        self.expect("]", "an index")?;
        first
            .map(StepKind::Index)
            .ok_or_else(|| self.error(from..self.at, "an index is missing: [0], [-1], [2:5] or [:]"))
    }

    fn bound(&mut self) -> Result<Option<Bound>, PathError> {
        let from = self.at;
        if self.eat("$") {
            return Ok(Some(Bound::Variable(self.name())));
        }
        self.eat("-");
        self.at += self.rest().bytes().take_while(u8::is_ascii_digit).count();
        let text = self.text.get(from..self.at).unwrap_or_default();
        if text.is_empty() {
            return Ok(None);
        }
        text.parse()
            .map(|n| Some(Bound::Number(n)))
            .map_err(|_| self.error(from..self.at, format!("“{text}” is no index")))
    }

    fn filter(&mut self) -> Result<StepKind, PathError> {
        let from = self.at;
        self.at += 1;
        let outer = std::mem::replace(&mut self.relative, true);
        self.space();
        if self.peek() == Some('}') {
            return Err(self.error(from..self.at + 1, "a condition is missing, such as {id == 3}"));
        }
        let condition = self.expr(1)?;
        self.space();
        self.relative = outer;
        self.close("}", "a condition")?;
        Ok(StepKind::Filter(Box::new(condition)))
    }

    /// A text in quotes: `\n`, `\t`, `\r`, `\\` and escaped quotes.
    fn quoted(&mut self, mark: char) -> Result<String, PathError> {
        let from = self.at;
        self.at += 1;
        let mut out = String::new();
        let mut chars = self.rest().char_indices();
        while let Some((i, c)) = chars.next() {
            match c {
                c if c == mark => {
                    self.at += i + c.len_utf8();
                    return Ok(out);
                }
                '\\' => match chars.next().map(|(_, c)| c) {
                    Some('n') => out.push('\n'),
                    Some('t') => out.push('\t'),
                    Some('r') => out.push('\r'),
                    Some(c @ ('\\' | '\'' | '"')) => out.push(c),
                    // regular expressions are full of them
                    Some(c) => out.extend(['\\', c]),
                    None => break,
                },
                c => out.push(c),
            }
        }
        Err(self.error(from..self.text.len(), format!("the quote {mark} is not closed")))
    }
}

fn negated(inner: Expr) -> Expr {
    match inner {
        Expr::Literal(Literal::Int(n)) => Expr::Literal(Literal::Int(-n)),
        Expr::Literal(Literal::Float(v)) => Expr::Literal(Literal::Float(-v)),
        inner => Expr::Negated(Box::new(inner)),
    }
}

fn usage(function: &Function) -> String {
    let rest: Vec<&str> = function.params.iter().map(|p| p.name).collect();
    let more = if function.takes_more { ", …" } else { "" };
    match function.kind {
        Kind::Part(_) | Kind::One(_) if rest.is_empty() => format!("{}(x)", function.name),
        _ => format!("{}({}{more})", function.name, [&["x"], rest.as_slice()].concat().join(", ")),
    }
}

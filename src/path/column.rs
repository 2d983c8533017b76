//! A path compiled against a message definition.
//!
//! Invariant: names, slices, constants and regular expressions are looked up here, once; reading a message looks nothing up.

use std::ops::Range;
use std::sync::Arc;

use regex::bytes::RegexBuilder;

use super::PathError;
use super::ast::{Bound, Expr, Literal, Op, Path, StepKind};
use super::eval::{Constant, Eval, Item, Leaf, Move, Walk};
use super::functions::{self, Part};
use super::nearest::nearest;
use super::parse::{WORDS, parse_fields};
use super::place::{Place, constant_names, elements_text, named_constant, type_text};
use crate::decode::{Array, Kind, Plan, Reader, Scalar, Schema, Skip};

/// Values taken out of each message of a topic: numbers, truth values, times or texts.
#[derive(Clone, Debug)]
pub struct Column {
    plan: Arc<Plan>,
    eval: Eval,
    kind: ItemKind,
    /// Whether a message can give more than one value.
    is_list: bool,
    /// Whether a message may give none and be whole all the same.
    is_partial: bool,
    names: Vec<(i128, Arc<str>)>,
    /// The fields of the message that it looks at; None: all may be.
    roots: Option<Arc<[String]>>,
}

/// What a column's items are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    Bool,
    Int,
    Float,
    Nanos,
    Text,
}

impl ItemKind {
    pub fn is_number(self) -> bool {
        self != ItemKind::Text
    }

    pub fn name(self) -> &'static str {
        match self {
            ItemKind::Bool => "bool",
            ItemKind::Int => "integer",
            ItemKind::Float => "number",
            ItemKind::Nanos => "time",
            ItemKind::Text => "string",
        }
    }
}

impl Column {
    /// An expression over one topic: which one, is not looked at. Variables must be bound.
    pub fn compile(schema: &Schema, expr: &Expr) -> Result<Column, PathError> {
        let compiler = Compiler { plan: schema.plan() };
        let base = (Kind::Struct(compiler.plan.root), Array::One);
        let part = compiler.expr(expr, base, None)?;
        let names = match expr {
            Expr::Path(path) => constant_names(compiler.plan, &compiler.place(path, base)?),
            _ => Vec::new(),
        };
        Ok(Column {
            plan: Arc::clone(compiler.plan),
            eval: part.eval,
            kind: part.kind,
            is_list: part.is_list,
            is_partial: part.is_list || has_filter(expr),
            names,
            roots: roots(expr),
        })
    }

    /// From a message's fields on: `pose.position.x`.
    pub fn of_fields(schema: &Schema, fields: &str) -> Result<Column, PathError> {
        // A field may be called like an operator, a truth value or a number.
        let first = fields.split(['.', '[', '{']).next().unwrap_or_default();
        match WORDS.contains(&first) || first.starts_with(|c: char| c.is_ascii_digit()) {
            true => Column::compile(schema, &parse_fields(&format!("@this.{fields}"))?),
            false => Column::compile(schema, &parse_fields(fields)?),
        }
    }

    /// The first number of the message: bool 0 or 1, time in seconds. None where it is not there or the message is broken.
    pub fn get(&self, payload: &[u8]) -> Option<f64> {
        if self.is_list {
            return self.items(payload).first().map(|i| i.number());
        }
        self.eval.first(&self.plan, Reader::new(payload)).map(Item::number)
    }

    /// Whether the message gives a value that is true: of several one is enough, of none there is none.
    pub fn holds(&self, payload: &[u8]) -> bool {
        match self.is_list {
            true => self.eval.any(&self.plan, Reader::new(payload)),
            false => self.eval.first(&self.plan, Reader::new(payload)).is_some_and(Item::is_true),
        }
    }

    /// All numbers of the message.
    pub fn each(&self, payload: &[u8], mut f: impl FnMut(f64)) {
        if self.is_list {
            self.items(payload).into_iter().for_each(|item| f(item.number()));
        } else if let Some(item) = self.eval.first(&self.plan, Reader::new(payload)) {
            f(item.number());
        }
    }

    /// All values of the message, whatever they are.
    pub fn items<'a>(&'a self, payload: &'a [u8]) -> Vec<Item<'a>> {
        let mut items = Vec::new();
        if self.is_list {
            self.eval.all(&self.plan, Reader::new(payload), &mut items);
        } else {
            items.extend(self.eval.first(&self.plan, Reader::new(payload)));
        }
        items
    }

    /// The fields of the message that it looks at, where these are all.
    pub fn roots(&self) -> Option<&[String]> {
        self.roots.as_deref()
    }

    pub fn kind(&self) -> ItemKind {
        self.kind
    }

    /// Whether a message can give more than one value.
    pub fn is_list(&self) -> bool {
        self.is_list
    }

    /// Whether a message may give no value and be whole all the same.
    pub fn is_partial(&self) -> bool {
        self.is_partial
    }

    /// The constant that the message definition has for this value of the field.
    pub fn name_of(&self, value: i128) -> Option<&str> {
        self.names.iter().find(|(v, _)| *v == value).map(|(_, name)| &**name)
    }

    /// The values that the message definition has names for, with these.
    pub fn names(&self) -> &[(i128, Arc<str>)] {
        &self.names
    }
}

fn roots(expr: &Expr) -> Option<Arc<[String]>> {
    let (mut roots, mut is_all) = (Vec::new(), false);
    expr.each_path(&mut |path| match path.steps.first().map(|step| &step.kind) {
        Some(StepKind::Field(name)) => roots.push(name.clone()),
        _ => is_all = true,
    });
    (!is_all).then(|| roots.into())
}

/// A compiled part of an expression.
struct Compiled {
    eval: Eval,
    kind: ItemKind,
    is_list: bool,
}

pub(super) struct Compiler<'a> {
    pub plan: &'a Arc<Plan>,
}

type Base = (Kind, Array);

impl Compiler<'_> {
    /// `constants_of`: where names of constants are looked up, when they are compared with a field.
    fn expr(&self, expr: &Expr, base: Base, constants_of: Option<&Place>) -> Result<Compiled, PathError> {
        match expr {
            Expr::Literal(literal) => Ok(literal_part(literal)),
            Expr::Variable(name, at) => Err(PathError::new(format!("the variable ${name} has no value"), at.0.clone())),
            Expr::Path(path) => {
                if let (Some(of), Some(name)) = (constants_of, bare_name(path))
                    && !self.is_field(base, name)
                {
                    return match named_constant(self.plan, Some(of), base.0, name) {
                        Some(literal) => Ok(literal_part(&literal)),
                        None => Err(self.no_constant(name, of, path.at.0.clone())),
                    };
                }
                let place = self.place(path, base)?;
                let is_list = place.is_list;
                let (leaf, kind) = self.leaf(&place, path)?;
                Ok(Compiled {
                    eval: Eval::Walk(Walk { moves: place.moves, leaf }),
                    kind,
                    is_list,
                })
            }
            Expr::Negated(inner) => {
                let part = self.number(inner, base)?;
                let kind = if part.kind == ItemKind::Int {
                    ItemKind::Int
                } else {
                    ItemKind::Float
                };
                Ok(Compiled {
                    eval: Eval::Negated(Box::new(part.eval)),
                    kind,
                    ..part
                })
            }
            Expr::Not(inner) => {
                let part = self.expr(inner, base, None)?;
                Ok(Compiled {
                    eval: Eval::Not(Box::new(part.eval)),
                    kind: ItemKind::Bool,
                    ..part
                })
            }
            Expr::Binary { op, left, right, at } => self.binary(*op, left, right, &at.0, base),
            Expr::Call { function, args, at, .. } => self.call(function, args, &at.0, base),
        }
    }

    fn number(&self, expr: &Expr, base: Base) -> Result<Compiled, PathError> {
        let part = self.expr(expr, base, None)?;
        if part.kind.is_number() {
            return Ok(part);
        }
        Err(PathError::new("this is a text, not a number", expr.span()))
    }

    fn binary(&self, op: Op, left: &Expr, right: &Expr, at: &Range<usize>, base: Base) -> Result<Compiled, PathError> {
        if op == Op::Matches {
            let part = self.expr(left, base, None)?;
            let Expr::Literal(Literal::Text(pattern)) = right else {
                return Err(PathError::new("right of =~ stands a regular expression in quotes", at.clone()));
            };
            let regex = RegexBuilder::new(pattern).size_limit(1 << 20).build();
            let regex =
                regex.map_err(|e| PathError::new(format!("this is no regular expression: {}", one_line(&e.to_string())), at.clone()))?;
            return Ok(Compiled {
                eval: Eval::Matches(Box::new(part.eval), regex),
                kind: ItemKind::Bool,
                is_list: part.is_list,
            });
        }
        if !op.is_comparison() && !matches!(op, Op::And | Op::Or) {
            let (a, b) = (self.number(left, base)?, self.number(right, base)?);
            return Ok(joined(op, a, b, ItemKind::Float));
        }
        let place = |e: &Expr| match e {
            Expr::Path(path) => self.place(path, base).ok(),
            _ => None,
        };
        let (left_place, right_place) = if op.is_comparison() {
            (place(left), place(right))
        } else {
            (None, None)
        };
        let a = self.expr(left, base, right_place.as_ref())?;
        let b = self.expr(right, base, left_place.as_ref())?;
        if op.is_comparison() && a.kind.is_number() != b.kind.is_number() {
            let (a, b) = (a.kind.name(), b.kind.name());
            return Err(PathError::new(format!("{a} and {b} cannot be compared"), at.clone()));
        }
        Ok(joined(op, a, b, ItemKind::Bool))
    }

    fn call(&self, function: &'static functions::Function, args: &[Expr], at: &Range<usize>, base: Base) -> Result<Compiled, PathError> {
        match function.kind {
            functions::Kind::One(f) => {
                let part = self.number(first(args, at)?, base)?;
                Ok(Compiled {
                    eval: Eval::One(f, Box::new(part.eval)),
                    kind: ItemKind::Float,
                    is_list: part.is_list,
                })
            }
            functions::Kind::Many(f) => {
                let mut parts = args.iter().map(|a| self.number(a, base)).collect::<Result<Vec<_>, _>>()?;
                for param in function.params.iter().skip(args.len().saturating_sub(1)) {
                    parts.push(literal_part(&Literal::Float(param.default.unwrap_or(f64::NAN))));
                }
                let is_list = parts.iter().any(|p| p.is_list);
                let evals = parts.into_iter().map(|p| p.eval);
                let eval = match function.takes_more {
                    true => evals.reduce(|before, next| Eval::Many(f, vec![before, next])),
                    false => Some(Eval::Many(f, evals.collect())),
                };
                Ok(Compiled {
                    is_list,
                    eval: eval.unwrap_or(Eval::Constant(Constant::Float(f64::NAN))),
                    kind: ItemKind::Float,
                })
            }
            functions::Kind::Part(part) => {
                let Expr::Path(path) = first(args, at)? else {
                    return Err(PathError::new(format!("{} is taken of a field", function.name), at.clone()));
                };
                self.part(part, path, base)
            }
            functions::Kind::Series(_) => Err(PathError::new(
                format!("{} needs the values before: one message is not enough for it", function.name),
                at.clone(),
            )),
        }
    }

    fn part(&self, part: Part, path: &Path, base: Base) -> Result<Compiled, PathError> {
        let place = self.place(path, base)?;
        let child = |name: &str| self.relative(&place, name);
        let leaf = match (part, place.kind, place.array) {
            (Part::Length, _, Array::Dynamic) | (Part::Length, Kind::String, Array::One) => Some(Leaf::Count),
            (Part::Length, _, Array::Fixed(n)) => Some(Leaf::FixedCount(n)),
            (Part::Norm, Kind::Scalar(scalar), Array::Fixed(_) | Array::Dynamic) => Some(Leaf::NormOfArray(scalar, place.array)),
            (Part::Norm, Kind::Struct(_), Array::One) => {
                let parts: Vec<Walk> = ["x", "y", "z", "w"].iter().filter_map(|n| child(n)).collect();
                (parts.len() > 1).then_some(Leaf::Norm(parts))
            }
            (Part::Roll | Part::Pitch | Part::Yaw, Kind::Struct(_), Array::One) => {
                let parts: Vec<Walk> = ["x", "y", "z", "w"].iter().filter_map(|n| child(n)).collect();
                <[Walk; 4]>::try_from(parts).ok().map(|q| Leaf::Angle(part, Box::new(q)))
            }
            (Part::QuatX | Part::QuatY | Part::QuatZ | Part::QuatW, Kind::Struct(_), Array::One) => {
                let angles = |names: [&str; 3]| -> Option<[Walk; 3]> {
                    let parts: Vec<Walk> = names.iter().filter_map(|n| child(n)).collect();
                    parts.try_into().ok()
                };
                let angles = angles(["roll", "pitch", "yaw"]).or_else(|| angles(["x", "y", "z"]).filter(|_| child("w").is_none()));
                angles.map(|angles| Leaf::Quaternion(part, Box::new(angles)))
            }
            (Part::Present, ..) => Some(Leaf::Whole),
            (Part::Rest, Kind::Scalar(scalar @ (Scalar::I64 | Scalar::U64)), Array::One) => Some(Leaf::Rest(scalar)),
            (Part::Rest, Kind::Maybe(scalar @ (Scalar::I64 | Scalar::U64)), Array::One) => {
                Some(Leaf::Maybe(scalar, Box::new(Leaf::Rest(scalar))))
            }
            _ => None,
        };
        let Some(leaf) = leaf else {
            let wanted = match part {
                Part::Length => "an array or a string",
                Part::Norm => "a structure with x, y, …, or an array of numbers",
                Part::Rest => "an integer of 64 bits",
                Part::QuatX | Part::QuatY | Part::QuatZ | Part::QuatW => "a structure of angles: roll, pitch and yaw, or x, y and z",
                _ => "a quaternion with x, y, z and w",
            };
            let found = type_text(self.plan, place.kind, place.array);
            return Err(PathError::new(
                format!("this is of type {found}, but {wanted} is needed here"),
                path.at.0.clone(),
            ));
        };
        let kind = match part {
            Part::Length | Part::Rest => ItemKind::Int,
            Part::Present => ItemKind::Bool,
            _ => ItemKind::Float,
        };
        Ok(Compiled {
            is_list: place.is_list,
            eval: Eval::Walk(Walk { moves: place.moves, leaf }),
            kind,
        })
    }

    /// From a structure's start to a number in it.
    fn relative(&self, place: &Place, name: &str) -> Option<Walk> {
        let (moves, field) = self.field(place.kind, name)?;
        match (field.0, field.1) {
            (Kind::Scalar(scalar), Array::One) => Some(Walk {
                moves,
                leaf: Leaf::Scalar(scalar),
            }),
            (Kind::Maybe(scalar), Array::One) => Some(Walk {
                moves,
                leaf: Leaf::Maybe(scalar, Box::new(Leaf::Scalar(scalar))),
            }),
            _ => None,
        }
    }

    fn field(&self, kind: Kind, name: &str) -> Option<(Vec<Move>, (Kind, Array, usize))> {
        let Kind::Struct(id) = kind else { return None };
        let of = self.plan.get(id).ok()?;
        let position = of.fields.iter().position(|f| &*f.name == name)?;
        let mut moves = Vec::new();
        for field in of.fields.iter().take(position) {
            push(&mut moves, Move::Skip(self.plan.skip_for(field.kind, field.array)));
        }
        let field = of.fields.get(position)?;
        Some((moves, (field.kind, field.array, position)))
    }

    fn is_field(&self, base: Base, name: &str) -> bool {
        base.1 == Array::One && self.field(base.0, name).is_some()
    }

    fn no_constant(&self, name: &str, of: &Place, at: Range<usize>) -> PathError {
        let names = constant_names(self.plan, of);
        let close = nearest(name, names.iter().map(|(_, n)| &**n));
        PathError::new(format!("there is neither a field nor a constant “{name}” here"), at).with_nearest(close)
    }

    /// Where a path leads.
    pub fn place(&self, path: &Path, base: Base) -> Result<Place, PathError> {
        let mut place = Place::start(base);
        let mut before = path.topic.as_deref().unwrap_or("the message");
        for step in &path.steps {
            let at = &step.at.0;
            match &step.kind {
                StepKind::Field(name) => {
                    self.step_into_field(&mut place, name, before, at)?;
                    before = name;
                }
                StepKind::Index(bound) => {
                    let n = number_of(bound, at)?;
                    self.step_into_elements(&mut place, (n, n), before, at)?;
                }
                StepKind::Slice(from, to) => {
                    let from = from.as_ref().map_or(Ok(0), |b| number_of(b, at))?;
                    let to = to.as_ref().map_or(Ok(i64::MAX), |b| number_of(b, at))?;
                    self.step_into_elements(&mut place, (from, to), before, at)?;
                    place.is_list = true;
                }
                StepKind::Filter(condition) => {
                    if place.array != Array::One {
                        self.step_into_elements(&mut place, (0, i64::MAX), before, at)?;
                        place.is_list = true;
                    }
                    let part = self.expr(condition, (place.kind, Array::One), None)?;
                    place.moves.push(Move::Filter {
                        condition: Box::new(part.eval),
                        is_list: part.is_list,
                    });
                }
            }
        }
        Ok(place)
    }

    fn step_into_field(&self, place: &mut Place, name: &str, before: &str, at: &Range<usize>) -> Result<(), PathError> {
        if place.array != Array::One {
            if name == "length" {
                return self.step_into_length(place);
            }
            let error = PathError::new(format!("“{before}” is an array: choose an element, [0], or all, [:]"), at.clone());
            return Err(error.with_nearest(Some(format!("[:].{name}"))));
        }
        match place.kind {
            Kind::Struct(id) => {
                let of = self.plan.get(id).map_err(|e| PathError::new(e.to_string(), at.clone()))?;
                let Some((moves, (kind, array, position))) = self.field(place.kind, name) else {
                    let close = nearest(name, of.fields.iter().map(|f| &*f.name));
                    let error = PathError::new(format!("there is no field “{name}” in {}", of.name), at.clone());
                    return Err(error.with_nearest(close.map(|c| format!(".{c}"))));
                };
                moves.into_iter().for_each(|m| push(&mut place.moves, m));
                (place.kind, place.array) = (kind, array);
                place.owner = Some((id, position));
                Ok(())
            }
            Kind::Time | Kind::Duration => {
                let part = if place.kind == Kind::Time { Scalar::U32 } else { Scalar::I32 };
                match name {
                    "sec" | "secs" => {}
                    "nsec" | "nsecs" | "nanosec" => push(&mut place.moves, Move::Skip(Skip::Fixed(4))),
                    _ => {
                        let error = PathError::new(format!("“{before}” is a time: it has sec and nsec, not “{name}”"), at.clone());
                        return Err(error.with_nearest(Some(".sec".into())));
                    }
                }
                place.kind = Kind::Scalar(part);
                place.owner = None;
                Ok(())
            }
            Kind::String if name == "length" => self.step_into_length(place),
            kind => {
                let what = type_text(self.plan, kind, Array::One);
                let error = PathError::new(format!("“{before}” is a {what}: it has no field “{name}”"), at.clone());
                Err(error.with_nearest(Some(String::new())))
            }
        }
    }

    fn step_into_length(&self, place: &mut Place) -> Result<(), PathError> {
        place.length = Some(if let Array::Fixed(n) = place.array { Some(n) } else { None });
        (place.kind, place.array, place.owner) = (Kind::Scalar(Scalar::U32), Array::One, None);
        Ok(())
    }

    fn step_into_elements(&self, place: &mut Place, (from, to): (i64, i64), before: &str, at: &Range<usize>) -> Result<(), PathError> {
        if place.array == Array::One {
            let error = PathError::new(format!("“{before}” is one value, not an array"), at.clone());
            return Err(error.with_nearest(Some(String::new())));
        }
        if let (Array::Fixed(n), true) = (place.array, from == to) {
            let index = if from < 0 { i64::from(n).saturating_add(from) } else { from };
            let index = u32::try_from(index).ok().filter(|i| *i < n);
            let index = index.ok_or_else(|| PathError::new(format!("“{before}” has {}", elements_text(n)), at.clone()))?;
            push(&mut place.moves, Move::Skip(self.plan.skip_for(place.kind, Array::Fixed(index))));
        } else {
            place.moves.push(Move::Elements {
                kind: place.kind,
                array: place.array,
                from,
                to,
            });
        }
        place.array = Array::One;
        Ok(())
    }

    fn leaf(&self, place: &Place, path: &Path) -> Result<(Leaf, ItemKind), PathError> {
        let at = path.at.0.clone();
        match (place.length, place.array, place.kind) {
            (Some(Some(n)), ..) => Ok((Leaf::FixedCount(n), ItemKind::Int)),
            (Some(None), ..) => Ok((Leaf::Count, ItemKind::Int)),
            (_, Array::One, Kind::Scalar(scalar) | Kind::Maybe(scalar)) => {
                let kind = match scalar {
                    Scalar::Bool => ItemKind::Bool,
                    Scalar::F32 | Scalar::F64 => ItemKind::Float,
                    _ => ItemKind::Int,
                };
                let leaf = Leaf::Scalar(scalar);
                Ok(match place.kind {
                    Kind::Maybe(_) => (Leaf::Maybe(scalar, Box::new(leaf)), kind),
                    _ => (leaf, kind),
                })
            }
            (_, Array::One, Kind::Time) => Ok((Leaf::Time, ItemKind::Nanos)),
            (_, Array::One, Kind::Duration) => Ok((Leaf::Duration, ItemKind::Nanos)),
            (_, Array::One, Kind::String) => Ok((Leaf::Text, ItemKind::Text)),
            (_, Array::One, Kind::Struct(id)) => {
                let name = self.plan.get(id).map_or("a structure", |t| &*t.name);
                let field = self.plan.get(id).ok().and_then(|t| t.fields.first());
                let close = field.map(|f| format!("{path}.{}", f.name));
                Err(PathError::new(format!("this is a whole {name}: choose a field of it"), at).with_nearest(close))
            }
            (_, array, kind) => {
                let what = type_text(self.plan, kind, array);
                let error = PathError::new(format!("this is {what}: choose an element, [0], all, [:], or .length"), at);
                Err(error.with_nearest(Some(format!("{path}[:]"))))
            }
        }
    }
}

fn has_filter(expr: &Expr) -> bool {
    let mut found = false;
    expr.each_path(&mut |path| found |= path.steps.iter().any(|s| matches!(s.kind, StepKind::Filter(_))));
    found
}

fn first<'e>(args: &'e [Expr], at: &Range<usize>) -> Result<&'e Expr, PathError> {
    args.first()
        .ok_or_else(|| PathError::new("what it is applied to is missing", at.clone()))
}

/// `CLASS_CAR`, which may be a constant's name.
fn bare_name(path: &Path) -> Option<&str> {
    match (&path.topic, path.steps.as_slice()) {
        (Some(name), []) => Some(name),
        (None, [step]) => match &step.kind {
            StepKind::Field(name) => Some(name),
            _ => None,
        },
        _ => None,
    }
}

fn joined(op: Op, a: Compiled, b: Compiled, kind: ItemKind) -> Compiled {
    Compiled {
        is_list: a.is_list || b.is_list,
        eval: Eval::Binary(op, Box::new(a.eval), Box::new(b.eval)),
        kind,
    }
}

fn literal_part(literal: &Literal) -> Compiled {
    let (constant, kind) = match literal {
        Literal::Bool(b) => (Constant::Bool(*b), ItemKind::Bool),
        Literal::Int(n) => (Constant::Int(*n), ItemKind::Int),
        Literal::Float(v) => (Constant::Float(*v), ItemKind::Float),
        Literal::Text(text) => (Constant::Text(text.as_bytes().into()), ItemKind::Text),
    };
    Compiled {
        eval: Eval::Constant(constant),
        kind,
        is_list: false,
    }
}

fn number_of(bound: &Bound, at: &Range<usize>) -> Result<i64, PathError> {
    match bound {
        Bound::Number(n) => Ok(*n),
        Bound::Variable(name) => Err(PathError::new(format!("the variable ${name} has no value"), at.clone())),
    }
}

fn one_line(text: &str) -> String {
    text.lines().last().unwrap_or(text).trim_start_matches("error: ").to_owned()
}

/// Adjoining fixed runs become one.
fn push(moves: &mut Vec<Move>, step: Move) {
    match (step, moves.last_mut()) {
        (Move::Skip(Skip::Fixed(0)), _) => {}
        (Move::Skip(Skip::Fixed(more)), Some(Move::Skip(Skip::Fixed(size)))) => *size = size.saturating_add(more),
        (step, _) => moves.push(step),
    }
}

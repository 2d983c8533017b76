//! What a compiled path reads out of one message.
//!
//! Invariants: only the bytes that lead to the values are read; a path without slices allocates nothing.

use std::cmp::Ordering;
use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

use regex::bytes::Regex;

use super::ast::Op;
use super::functions::Part;
use crate::decode::{Array, Kind, Number, Plan, Reader, Scalar, Skip, each};

/// One value that a path leads to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Item<'a> {
    Bool(bool),
    Int(i128),
    Float(f64),
    /// A time or a duration.
    Nanos(i128),
    /// As the message holds it: UTF-8 if all is well.
    Text(&'a [u8]),
}

impl Item<'_> {
    /// As plots read it: bool 0 or 1, time and duration in seconds, text NaN.
    pub fn number(self) -> f64 {
        match self {
            Item::Bool(b) => f64::from(u8::from(b)),
            Item::Int(n) => n as f64,
            Item::Float(v) => v,
            // whole seconds first: exact where the seconds are, as ROS's own `toSec` is
            Item::Nanos(n) => (n.div_euclid(1_000_000_000)) as f64 + n.rem_euclid(1_000_000_000) as f64 * 1e-9,
            Item::Text(_) => f64::NAN,
        }
    }

    /// Texts that are not empty, numbers that are not 0.
    pub(super) fn is_true(self) -> bool {
        match self {
            Item::Text(text) => !text.is_empty(),
            Item::Bool(b) => b,
            other => {
                let v = other.number();
                v != 0.0 && !v.is_nan()
            }
        }
    }
}

impl Display for Item<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Item::Bool(b) => write!(f, "{b}"),
            Item::Int(n) => write!(f, "{n}"),
            Item::Float(v) => write!(f, "{v}"),
            Item::Nanos(n) => {
                let sign = if *n < 0 { "-" } else { "" };
                let (secs, nanos) = (n.unsigned_abs() / 1_000_000_000, n.unsigned_abs() % 1_000_000_000);
                write!(f, "{sign}{secs}.{nanos:09}")
            }
            Item::Text(text) => f.write_str(&String::from_utf8_lossy(text)),
        }
    }
}

/// An item that needs no message.
#[derive(Clone, Debug)]
pub(super) enum Constant {
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(Arc<[u8]>),
}

#[derive(Clone, Debug)]
pub(super) enum Eval {
    Constant(Constant),
    Walk(Walk),
    Negated(Box<Eval>),
    Not(Box<Eval>),
    Binary(Op, Box<Eval>, Box<Eval>),
    Matches(Box<Eval>, Regex),
    One(fn(f64) -> f64, Box<Eval>),
    Many(fn(&[f64]) -> f64, Vec<Eval>),
}

/// From the start of a value to the values of a path.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    pub moves: Vec<Move>,
    pub leaf: Leaf,
}

#[derive(Clone, Debug)]
pub(super) enum Move {
    Skip(Skip),
    /// Into the elements `from..=to`, from the end where negative.
    Elements {
        kind: Kind,
        array: Array,
        from: i64,
        to: i64,
    },
    /// No further where it is not true.
    Filter {
        condition: Box<Eval>,
        /// Whether it can give more than one value: one that is true is enough.
        is_list: bool,
    },
}

#[derive(Clone, Debug)]
pub(super) enum Leaf {
    Scalar(Scalar),
    /// Of a 64-bit integer, over the nearest f64.
    Rest(Scalar),
    /// The same of what may be null, which is NaN.
    Maybe(Scalar, Box<Leaf>),
    Time,
    Duration,
    Text,
    /// The count of an array, the length of a string.
    Count,
    FixedCount(u32),
    /// Of the parts that there are.
    Norm(Vec<Walk>),
    NormOfArray(Scalar, Array),
    /// Of x, y, z, w.
    Angle(Part, Box<[Walk; 4]>),
    /// Of roll, pitch, yaw.
    Quaternion(Part, Box<[Walk; 3]>),
    /// For [`super::Select`]: where it begins is all that is asked.
    Whole,
}

/// Goes on while it gives true.
type Emit<'e, 'a> = &'e mut dyn FnMut(Item<'a>, Reader<'a>) -> bool;

impl Walk {
    /// Gives each value to `emit`; false where that had enough. What a broken message does not hold is left out.
    pub fn run<'a>(&'a self, plan: &Plan, reader: Reader<'a>, emit: Emit<'_, 'a>) -> bool {
        self.run_from(0, plan, reader, emit)
    }

    fn run_from<'a>(&'a self, first: usize, plan: &Plan, mut reader: Reader<'a>, emit: Emit<'_, 'a>) -> bool {
        for (at, step) in self.moves.iter().enumerate().skip(first) {
            match step {
                Move::Skip(Skip::Fixed(size)) => {
                    if reader.skip(*size).is_err() {
                        return true;
                    }
                }
                Move::Skip(skip) => {
                    if plan.skip(*skip, &mut reader).is_err() {
                        return true;
                    }
                }
                Move::Filter { condition, is_list } => {
                    let holds = match is_list {
                        true => condition.any(plan, reader),
                        false => condition.is_true(plan, reader),
                    };
                    if !holds {
                        return true;
                    }
                }
                Move::Elements { kind, array, from, to } => {
                    return self.elements(at + 1, plan, reader, (*kind, *array), (*from, *to), emit);
                }
            }
        }
        match self.leaf.read(plan, reader) {
            Some(item) => emit(item, reader),
            None => true,
        }
    }

    fn elements<'a>(
        &'a self,
        next: usize,
        plan: &Plan,
        mut reader: Reader<'a>,
        (kind, array): (Kind, Array),
        (from, to): (i64, i64),
        emit: Emit<'_, 'a>,
    ) -> bool {
        let Ok(count) = plan.count(kind, array, &mut reader) else {
            return true;
        };
        let Some((from, to)) = bounds(count, from, to) else { return true };
        let size = plan.fixed_size(kind);
        let skipped = match size {
            Some(size) => reader.skip(from.saturating_mul(size)),
            None => (0..from).try_for_each(|_| plan.skip_kind(kind, &mut reader)),
        };
        if skipped.is_err() {
            return true;
        }
        for index in from..=to {
            if !self.run_from(next, plan, reader, emit) {
                return false;
            }
            let passed = match size {
                _ if index == to => break,
                Some(size) => reader.skip(size),
                None => plan.skip_kind(kind, &mut reader),
            };
            if passed.is_err() {
                break;
            }
        }
        true
    }
}

/// The elements that a slice takes of so many; None for none.
fn bounds(count: usize, from: i64, to: i64) -> Option<(usize, usize)> {
    let count = i64::try_from(count).ok()?;
    let absolute = |n: i64| if n < 0 { n.saturating_add(count) } else { n };
    let single = from == to;
    let (from, to) = (absolute(from), absolute(to));
    if single && !(0..count).contains(&from) {
        return None;
    }
    let (from, to) = (from.max(0), to.min(count - 1));
    (from <= to).then_some((usize::try_from(from).ok()?, usize::try_from(to).ok()?))
}

impl Leaf {
    fn read<'a>(&'a self, plan: &Plan, mut reader: Reader<'a>) -> Option<Item<'a>> {
        Some(match self {
            Leaf::Scalar(scalar) => {
                let mut item = None;
                each(*scalar, reader.take(scalar.size()).ok()?, |number| item = Some(of_number(number)));
                item?
            }
            Leaf::Rest(scalar) => {
                let mut item = None;
                each(*scalar, reader.take(scalar.size()).ok()?, |number| item = Some(of_number(number)));
                match item? {
                    Item::Int(n) => Item::Int(n - n as f64 as i128),
                    other => other,
                }
            }
            Leaf::Maybe(scalar, leaf) => match plan.maybe(*scalar, &mut reader).ok()? {
                Some(data) => leaf.read(plan, Reader::new(data))?,
                None => Item::Float(f64::NAN),
            },
            Leaf::Time => Item::Nanos(i128::from(reader.u32().ok()?) * 1_000_000_000 + i128::from(reader.u32().ok()?)),
            Leaf::Duration => Item::Nanos(i128::from(reader.i32().ok()?) * 1_000_000_000 + i128::from(reader.i32().ok()?)),
            Leaf::Text => Item::Text(reader.counted(1).ok()?),
            Leaf::Count => Item::Int(i128::from(reader.u32().ok()?)),
            Leaf::FixedCount(n) => Item::Int(i128::from(*n)),
            Leaf::Norm(parts) => {
                let mut sum = 0.0;
                for part in parts {
                    sum += part.first(plan, reader)?.number().powi(2);
                }
                Item::Float(sum.sqrt())
            }
            Leaf::NormOfArray(scalar, array) => {
                let count = plan.count(Kind::Scalar(*scalar), *array, &mut reader).ok()?;
                let mut sum = 0.0;
                let data = reader.take(count.saturating_mul(scalar.size())).ok()?;
                each(*scalar, data, |number| sum += number.to_f64().powi(2));
                Item::Float(sum.sqrt())
            }
            Leaf::Angle(part, walks) => {
                let mut q = [0.0; 4];
                for (walk, q) in walks.iter().zip(&mut q) {
                    *q = walk.first(plan, reader)?.number();
                }
                Item::Float(angle(*part, q))
            }
            Leaf::Quaternion(part, walks) => {
                let mut angles = [0.0; 3];
                for (walk, angle) in walks.iter().zip(&mut angles) {
                    *angle = walk.first(plan, reader)?.number();
                }
                Item::Float(quaternion(*part, angles))
            }
            Leaf::Whole => Item::Bool(true),
        })
    }
}

impl Walk {
    fn first<'a>(&'a self, plan: &Plan, reader: Reader<'a>) -> Option<Item<'a>> {
        let mut found = None;
        self.run(plan, reader, &mut |item, _| {
            found = Some(item);
            false
        });
        found
    }
}

/// Radians of a quaternion x, y, z, w of any length.
pub(super) fn angle(part: Part, [x, y, z, w]: [f64; 4]) -> f64 {
    let n = (x * x + y * y + z * z + w * w).sqrt();
    let (x, y, z, w) = (x / n, y / n, z / n, w / n);
    match part {
        Part::Roll => (2.0 * (w * x + y * z)).atan2(1.0 - 2.0 * (x * x + y * y)),
        Part::Pitch => (2.0 * (w * y - z * x)).clamp(-1.0, 1.0).asin(),
        _ => (2.0 * (w * z + x * y)).atan2(1.0 - 2.0 * (y * y + z * z)),
    }
}

/// A number of the quaternion of angles in radians; fixed axes x, y, z (REP 103).
fn quaternion(part: Part, angles: [f64; 3]) -> f64 {
    let [(sr, cr), (sp, cp), (sy, cy)] = angles.map(|angle| (angle / 2.0).sin_cos());
    match part {
        Part::QuatX => sr * cp * cy - cr * sp * sy,
        Part::QuatY => cr * sp * cy + sr * cp * sy,
        Part::QuatZ => cr * cp * sy - sr * sp * cy,
        _ => cr * cp * cy + sr * sp * sy,
    }
}

fn of_number(number: Number) -> Item<'static> {
    match number {
        Number::Bool(b) => Item::Bool(b),
        Number::Int(n) => Item::Int(i128::from(n)),
        Number::Uint(n) => Item::Int(i128::from(n)),
        Number::F32(v) => Item::Float(f64::from(v)),
        Number::F64(v) => Item::Float(v),
    }
}

impl Eval {
    fn is_true(&self, plan: &Plan, reader: Reader) -> bool {
        self.first(plan, reader).is_some_and(Item::is_true)
    }

    /// Whether one of several values is true.
    pub fn any(&self, plan: &Plan, reader: Reader) -> bool {
        let mut items = Vec::new();
        self.all(plan, reader, &mut items);
        items.into_iter().any(Item::is_true)
    }

    /// The first value, or the only one.
    pub fn first<'a>(&'a self, plan: &Plan, reader: Reader<'a>) -> Option<Item<'a>> {
        Some(match self {
            Eval::Constant(constant) => constant.item(),
            Eval::Walk(walk) => walk.first(plan, reader)?,
            Eval::Negated(inner) => negated(inner.first(plan, reader)?),
            // what is not there is not true
            Eval::Not(inner) => Item::Bool(!inner.is_true(plan, reader)),
            Eval::Binary(Op::And, a, b) => Item::Bool(a.is_true(plan, reader) && b.is_true(plan, reader)),
            Eval::Binary(Op::Or, a, b) => Item::Bool(a.is_true(plan, reader) || b.is_true(plan, reader)),
            Eval::Binary(op, a, b) => binary(*op, a.first(plan, reader)?, b.first(plan, reader)?),
            Eval::Matches(inner, regex) => matches(inner.first(plan, reader)?, regex),
            Eval::One(f, inner) => Item::Float(f(inner.first(plan, reader)?.number())),
            Eval::Many(f, inner) => {
                let mut values = [0.0; 4];
                for (value, eval) in values.iter_mut().zip(inner) {
                    *value = eval.first(plan, reader)?.number();
                }
                Item::Float(f(values.get(..inner.len())?))
            }
        })
    }

    /// All values, appended. Of two lists the shorter one counts; one value goes with each of a list.
    pub fn all<'a>(&'a self, plan: &Plan, reader: Reader<'a>, out: &mut Vec<Item<'a>>) {
        let list = |eval: &'a Eval| {
            let mut items = Vec::new();
            eval.all(plan, reader, &mut items);
            items
        };
        match self {
            Eval::Constant(constant) => out.push(constant.item()),
            Eval::Walk(walk) => {
                walk.run(plan, reader, &mut |item, _| {
                    out.push(item);
                    true
                });
            }
            Eval::Negated(inner) => out.extend(list(inner).into_iter().map(negated)),
            Eval::Not(inner) => out.extend(list(inner).into_iter().map(|i| Item::Bool(!i.is_true()))),
            Eval::Matches(inner, regex) => out.extend(list(inner).into_iter().map(|i| matches(i, regex))),
            Eval::One(f, inner) => out.extend(list(inner).into_iter().map(|i| Item::Float(f(i.number())))),
            Eval::Binary(op, a, b) => {
                let (a, b) = (list(a), list(b));
                // a side without values decides nothing
                if *op == Op::Or && a.is_empty() != b.is_empty() {
                    out.extend(a.into_iter().chain(b).map(|item| Item::Bool(item.is_true())));
                    return;
                }
                zipped(&[&a, &b], |items| {
                    if let [a, b] = items {
                        out.push(binary(*op, *a, *b));
                    }
                });
            }
            Eval::Many(f, inner) => {
                let lists: Vec<Vec<Item>> = inner.iter().map(list).collect();
                let lists: Vec<&[Item]> = lists.iter().map(Vec::as_slice).collect();
                zipped(&lists, |items| {
                    let values: Vec<f64> = items.iter().map(|i| i.number()).collect();
                    out.push(Item::Float(f(&values)));
                });
            }
        }
    }
}

impl Constant {
    fn item(&self) -> Item<'_> {
        match self {
            Constant::Bool(b) => Item::Bool(*b),
            Constant::Int(n) => Item::Int(*n),
            Constant::Float(v) => Item::Float(*v),
            Constant::Text(text) => Item::Text(text),
        }
    }
}

fn zipped<'a>(lists: &[&[Item<'a>]], mut f: impl FnMut(&[Item<'a>])) {
    let count = lists.iter().map(|l| l.len()).filter(|n| *n != 1).min().unwrap_or(1);
    for i in 0..count {
        let row: Vec<Item> = lists
            .iter()
            .filter_map(|l| if l.len() == 1 { l.first() } else { l.get(i) })
            .copied()
            .collect();
        f(&row);
    }
}

fn negated(item: Item) -> Item {
    match item {
        Item::Int(n) => Item::Int(-n),
        other => Item::Float(-other.number()),
    }
}

fn matches<'a>(item: Item<'a>, regex: &Regex) -> Item<'a> {
    Item::Bool(match item {
        Item::Text(text) => regex.is_match(text),
        other => regex.is_match(other.to_string().as_bytes()),
    })
}

fn binary<'a>(op: Op, a: Item<'a>, b: Item<'a>) -> Item<'a> {
    if op.is_comparison() {
        let order = compare(a, b);
        return Item::Bool(match op {
            Op::NotEqual => order != Some(Ordering::Equal),
            Op::Equal => order == Some(Ordering::Equal),
            Op::Less => order == Some(Ordering::Less),
            Op::Greater => order == Some(Ordering::Greater),
            Op::LessEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            _ => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        });
    }
    match op {
        Op::And => Item::Bool(a.is_true() && b.is_true()),
        Op::Or => Item::Bool(a.is_true() || b.is_true()),
        _ => Item::Float(arithmetic(op, a.number(), b.number())),
    }
}

pub(super) fn arithmetic(op: Op, a: f64, b: f64) -> f64 {
    let truth = |b: bool| f64::from(u8::from(b));
    match op {
        Op::Add => a + b,
        Op::Subtract => a - b,
        Op::Multiply => a * b,
        Op::Divide => a / b,
        Op::Modulo => a % b,
        Op::Power => a.powf(b),
        // what is not known leaves open what the other side does not decide
        Op::And if a == 0.0 || b == 0.0 => 0.0,
        Op::Or if is_known_true(a) || is_known_true(b) => 1.0,
        Op::And | Op::Or if a.is_nan() || b.is_nan() => f64::NAN,
        Op::And => 1.0,
        Op::Or => 0.0,
        Op::Equal => truth(a == b),
        Op::NotEqual => truth(a != b),
        Op::Less => truth(a < b),
        Op::LessEqual => truth(a <= b),
        Op::Greater => truth(a > b),
        Op::GreaterEqual => truth(a >= b),
        Op::Matches => f64::NAN,
    }
}

fn is_known_true(v: f64) -> bool {
    v != 0.0 && !v.is_nan()
}

/// Integers exactly, whatever their size.
pub(super) fn compare(a: Item, b: Item) -> Option<Ordering> {
    let int = |item: Item| match item {
        Item::Int(n) => Some(n),
        Item::Bool(b) => Some(i128::from(b)),
        _ => None,
    };
    match (a, b) {
        (Item::Text(a), Item::Text(b)) => Some(a.cmp(b)),
        (Item::Text(_), _) | (_, Item::Text(_)) => None,
        (Item::Nanos(a), Item::Nanos(b)) => Some(a.cmp(&b)),
        _ => match (int(a), int(b)) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            (Some(a), None) => int_with_float(a, b.number()),
            (None, Some(b)) => int_with_float(b, a.number()).map(Ordering::reverse),
            (None, None) => a.number().partial_cmp(&b.number()),
        },
    }
}

fn int_with_float(a: i128, b: f64) -> Option<Ordering> {
    match (a as f64).partial_cmp(&b)? {
        // equal after rounding: a double of this size is whole
        Ordering::Equal => Some(a.cmp(&(b as i128))),
        other => Some(other),
    }
}

//! Programs over values that come in windows of time: each window goes on from where the one before left off.
//!
//! Invariant: whatever the windows, the points together are those of one window over all. A point comes in the first window that
//! decides it, which may be a later one than that of its own time.

use std::collections::VecDeque;

use super::ast::Op;
use super::program::{Node, Program};
use super::transform::{Past, Point};
use crate::time::Time;

/// What a program remembers from one window to the next.
#[derive(Clone, Debug)]
pub struct Progress(State);

#[derive(Clone, Debug)]
enum State {
    /// Nothing is remembered.
    Bare,
    One(Box<State>),
    Series(Box<State>, Past),
    Merged {
        parts: Vec<State>,
        /// Of each part: points that are not decided yet, and the newest value that is.
        ahead: Vec<VecDeque<Point>>,
        held: Vec<Option<f64>>,
    },
}

/// Points, and until when all are out.
enum Flow<'a> {
    Constant(f64),
    Points(Points<'a>, Time),
}

enum Points<'a> {
    Borrowed(&'a [Point]),
    Owned(Vec<Point>),
}

impl Points<'_> {
    fn slice(&self) -> &[Point] {
        match self {
            Points::Borrowed(points) => points,
            Points::Owned(points) => points,
        }
    }
}

impl Program {
    /// Before the first value.
    pub fn start(&self) -> Progress {
        Progress(State::of(&self.node))
    }

    /// The points that the inputs' values before `until` decide. `inputs`: in the order of [`Program::inputs`], each sorted by time,
    /// from where the window before ended. [`Time::MAX`] ends it: all points come.
    pub fn advance(&self, progress: &mut Progress, inputs: &[&[Point]], until: Time) -> Vec<Point> {
        match progress.0.run(&self.node, inputs, until) {
            Flow::Constant(_) => Vec::new(),
            Flow::Points(Points::Borrowed(points), _) => points.to_vec(),
            Flow::Points(Points::Owned(points), _) => points,
        }
    }

    /// The values over time, of the inputs' values over time (in the order of [`Program::inputs`], each sorted by time).
    /// Several topics combine by sample and hold.
    pub fn points(&self, inputs: &[&[Point]]) -> Vec<Point> {
        self.advance(&mut self.start(), inputs, Time::MAX)
    }
}

impl Progress {
    pub fn bytes(&self) -> u64 {
        self.0.bytes()
    }

    /// Whether what follows is the same whichever of both it goes on from.
    pub fn is_same(&self, other: &Progress) -> bool {
        self.0.is_same(&other.0)
    }
}

impl State {
    fn of(node: &Node) -> State {
        match node {
            Node::Input(_) | Node::Constant(_) => State::Bare,
            Node::One(_, inner) => State::One(Box::new(State::of(inner))),
            Node::Series(_, inner) => State::Series(Box::new(State::of(inner)), Past::default()),
            Node::Binary(_, a, b) => State::merged([&**a, &**b].into_iter()),
            Node::Many(_, nodes) => State::merged(nodes.iter()),
        }
    }

    fn merged<'a>(nodes: impl Iterator<Item = &'a Node>) -> State {
        let parts: Vec<State> = nodes.map(State::of).collect();
        State::Merged {
            ahead: vec![VecDeque::new(); parts.len()],
            held: vec![None; parts.len()],
            parts,
        }
    }

    fn run<'a>(&mut self, node: &Node, inputs: &[&'a [Point]], until: Time) -> Flow<'a> {
        match (node, self) {
            (Node::Constant(v), _) => Flow::Constant(*v),
            (Node::Input(at), _) => Flow::Points(Points::Borrowed(inputs.get(*at).copied().unwrap_or_default()), until),
            (Node::One(f, inner), State::One(state)) => match state.run(inner, inputs, until) {
                Flow::Constant(v) => Flow::Constant(f(v)),
                Flow::Points(points, until) => {
                    let points = points.slice().iter().map(|(t, v)| (*t, f(*v))).collect();
                    Flow::Points(Points::Owned(points), until)
                }
            },
            (Node::Series(transform, inner), State::Series(state, past)) => match state.run(inner, inputs, until) {
                Flow::Constant(v) => Flow::Constant(v),
                Flow::Points(points, until) => {
                    let (points, until) = past.advance(*transform, points.slice(), until);
                    Flow::Points(Points::Owned(points), until)
                }
            },
            (Node::Binary(op, a, b), State::Merged { parts, ahead, held }) => {
                let flows = flows(parts, [&**a, &**b].into_iter(), inputs, until);
                // one side may decide these alone
                let is_decided_by_one = matches!(op, Op::And | Op::Or);
                merge(flows, ahead, held, is_decided_by_one, |v| match v {
                    [a, b] if is_decided_by_one || !a.is_nan() && !b.is_nan() => super::eval::arithmetic(*op, *a, *b),
                    _ => f64::NAN,
                })
            }
            (Node::Many(f, nodes), State::Merged { parts, ahead, held }) => {
                merge(flows(parts, nodes.iter(), inputs, until), ahead, held, false, f)
            }
            // a state is made of its node
            (_, State::Bare | State::One(_) | State::Series(..) | State::Merged { .. }) => Flow::Constant(f64::NAN),
        }
    }

    fn bytes(&self) -> u64 {
        let own = size_of::<State>() as u64;
        own + match self {
            State::Bare => 0,
            State::One(inner) => inner.bytes(),
            State::Series(inner, past) => inner.bytes() + past.bytes(),
            State::Merged { parts, ahead, held } => {
                let ahead: usize = ahead.iter().map(|a| a.len() * size_of::<Point>()).sum();
                parts.iter().map(State::bytes).sum::<u64>() + (ahead + held.len() * 16) as u64
            }
        }
    }

    fn is_same(&self, other: &State) -> bool {
        match (self, other) {
            (State::Bare, State::Bare) => true,
            (State::One(a), State::One(b)) => a.is_same(b),
            (State::Series(a, past), State::Series(b, other)) => past.is_same(other) && a.is_same(b),
            (
                State::Merged { parts, ahead, held },
                State::Merged {
                    parts: other_parts,
                    ahead: other_ahead,
                    held: other_held,
                },
            ) => {
                let bits = |v: &Option<f64>| v.map(f64::to_bits);
                held.iter().map(bits).eq(other_held.iter().map(bits))
                    && ahead.iter().zip(other_ahead).all(|(a, b)| same_points(a, b))
                    && parts.iter().zip(other_parts).all(|(a, b)| a.is_same(b))
            }
            _ => false,
        }
    }
}

/// To the bit, so that what is no number equals itself.
pub(super) fn same_points(a: &VecDeque<Point>, b: &VecDeque<Point>) -> bool {
    let bits = |p: &Point| (p.0, p.1.to_bits());
    a.iter().map(bits).eq(b.iter().map(bits))
}

fn flows<'a, 'n>(parts: &mut [State], nodes: impl Iterator<Item = &'n Node>, inputs: &[&'a [Point]], until: Time) -> Vec<Flow<'a>> {
    parts
        .iter_mut()
        .zip(nodes)
        .map(|(state, node)| state.run(node, inputs, until))
        .collect()
}

/// Sample and hold: at each time of any part `f` of the newest value of each, from when all have one, or with `starts_early` any (NaN
/// stands for those that have none yet).
fn merge<'a>(
    flows: Vec<Flow>,
    ahead: &mut [VecDeque<Point>],
    held: &mut [Option<f64>],
    starts_early: bool,
    f: impl Fn(&[f64]) -> f64,
) -> Flow<'a> {
    let mut until = Time::MAX;
    let mut moves = false;
    for ((flow, ahead), held) in flows.iter().zip(ahead.iter_mut()).zip(held.iter_mut()) {
        match flow {
            Flow::Constant(v) => *held = Some(*v),
            Flow::Points(points, out_until) => {
                moves = true;
                until = until.min(*out_until);
                ahead.extend(points.slice());
            }
        }
    }
    let mut values = vec![0.0; held.len()];
    if !moves {
        held.iter().zip(&mut values).for_each(|(h, v)| *v = h.unwrap_or(f64::NAN));
        return Flow::Constant(f(&values));
    }
    let mut out = Vec::with_capacity(ahead.iter().map(VecDeque::len).max().unwrap_or(0));
    let is_decided = |t: Time| t < until || until == Time::MAX;
    while let Some(t) = ahead.iter().filter_map(|a| a.front()).map(|p| p.0).min().filter(|t| is_decided(*t)) {
        for (ahead, held) in ahead.iter_mut().zip(held.iter_mut()) {
            while let Some(point) = ahead.front().filter(|p| p.0 <= t) {
                *held = Some(point.1);
                ahead.pop_front();
            }
        }
        held.iter().zip(&mut values).for_each(|(h, v)| *v = h.unwrap_or(f64::NAN));
        if starts_early || held.iter().all(Option::is_some) {
            out.push((t, f(&values)));
        }
    }
    Flow::Points(Points::Owned(out), until)
}

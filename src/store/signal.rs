//! A message path over the open recordings: what it wants of them, and its values over time.
//!
//! Invariants: what is computed from several topics, or from values before, is computed by the store's work, never here; a signal that
//! nothing has changed for costs a comparison.

use std::ops::Range;
use std::sync::Arc;

use super::cache::Unit;
use super::{Series, SeriesName, Stamp, Store, Topic, TopicId, Want, What};
use crate::path::{Expr, Input, ItemKind, PathError, Program, parse};
use crate::time::{Span, Time};

/// A path as a panel holds it.
#[derive(Clone, Default)]
pub struct Signal {
    text: String,
    stamp: Stamp,
    /// What it was compiled for.
    revision: Option<(u64, u64)>,
    expr: Option<Expr>,
    program: Option<Arc<Program>>,
    /// What its values are more than the numbers that stand for them, where they are integers of 64 bits.
    rest: Option<Input>,
    topics: Vec<TopicId>,
    problem: Option<Problem>,
}

/// Why a signal has no values.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// A sentence.
    pub what: String,
    /// Where in the text, in bytes.
    pub span: Range<usize>,
    /// The whole text as it was meant, perhaps.
    pub repaired: Option<String>,
}

impl Signal {
    pub fn new(text: &str, stamp: Stamp) -> Signal {
        Signal {
            text: text.to_owned(),
            stamp,
            expr: None,
            ..Signal::default()
        }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// Brings it up to date with what the recordings hold and what is loaded.
    pub fn refresh(&mut self, store: &Store) {
        let revision = Some((store.catalog_revision, store.variables_revision));
        if self.revision != revision {
            self.revision = revision;
            self.compile(store);
        }
    }

    fn compile(&mut self, store: &Store) {
        (self.program, self.rest, self.problem) = (None, None, None);
        self.topics.clear();
        let parsed = parse(&self.text);
        let topics = store.topic_schemas();
        let compiled = parsed.and_then(|expr| {
            let program = Program::compile(&expr, &topics, &store.variables);
            self.expr = Some(expr);
            program
        });
        match compiled {
            Ok(program) => {
                let of = |input: &Input| store.topic_by_name(&input.topic).map(|t| t.id).unwrap_or_default();
                self.topics = program.inputs().iter().map(of).collect();
                let is_whole = program.kind() == ItemKind::Int;
                let rest = program.column().filter(|_| is_whole).map(|input| format!("{}.@rest", input.text));
                let rest = rest.and_then(|text| Program::compile(&parse(&text).ok()?, &topics, &store.variables).ok());
                self.rest = rest.and_then(|rest| rest.column().cloned());
                let schema = |input: &Input| topics.iter().find(|(name, _)| *name == input.topic)?.1.as_ref().ok();
                let unfit = |input: &Input| self.stamp.problem(&input.topic, schema(input)?);
                self.problem = program.inputs().iter().find_map(unfit).map(|what| Problem {
                    what,
                    span: 0..self.text.len(),
                    repaired: None,
                });
                self.program = Some(Arc::new(program));
            }
            Err(error) => {
                // what it is of is known all the same
                let named = self.expr.as_ref().map(Expr::topics).unwrap_or_default();
                self.topics = named.into_iter().filter_map(|t| store.topic_by_name(t)).map(|t| t.id).collect();
                self.problem = Some(self.problem_of(&error));
            }
        }
    }

    fn problem_of(&self, error: &PathError) -> Problem {
        Problem {
            what: error.to_string(),
            span: error.span.clone(),
            repaired: error.repaired(&self.text),
        }
    }

    pub fn problem(&self) -> Option<&Problem> {
        self.problem.as_ref()
    }

    pub fn program(&self) -> Option<&Program> {
        self.program.as_deref()
    }

    /// The number that it is, where it names no topic.
    pub fn constant(&self) -> Option<f64> {
        self.program.as_ref()?.constant()
    }

    /// The topics of its inputs, in their order.
    pub fn topics(&self) -> &[TopicId] {
        &self.topics
    }

    /// Everything of its inputs within `span` of receive time that [`Store::series_span`] lets be read.
    pub fn wants(&self, span: Span, out: &mut Vec<Want>) {
        self.inputs(|topic, input| {
            let (path, stamp) = (input.text.clone(), self.stamp.clone());
            out.push(Want {
                topic,
                what: What::Series { path, stamp, span },
            });
        });
        self.wants_derived(None, out);
    }

    /// What names it among what the store computes.
    fn derived(&self) -> Option<&Arc<str>> {
        let program = self.program.as_ref()?;
        (program.column().is_none() && program.constant().is_none()).then(|| program.text())
    }

    fn wants_derived(&self, points: Option<Span>, out: &mut Vec<Want>) {
        if let (Some(text), Some(topic)) = (self.derived(), self.topics.first()) {
            let (text, stamp) = (text.clone(), self.stamp.clone());
            out.push(Want {
                topic: *topic,
                what: What::Derived { text, stamp, points },
            });
        }
    }

    /// Its points themselves, where these were given up for memory; with [`Signal::wants`].
    pub fn wants_points(&self, span: Span, out: &mut Vec<Want>) {
        if self.derived().is_some() {
            return self.wants_derived(Some(span), out);
        }
        self.inputs(|topic, input| {
            let (path, stamp) = (input.text.clone(), self.stamp.clone());
            out.push(Want {
                topic,
                what: What::Points { path, stamp, span },
            });
        });
    }

    fn inputs(&self, mut f: impl FnMut(TopicId, &Input)) {
        let inputs = self.program.iter().flat_map(|p| p.inputs());
        inputs.zip(&self.topics).for_each(|(input, topic)| f(*topic, input));
    }

    /// What is loaded of its inputs; None until they were wanted once.
    pub fn sources<'a>(&'a self, store: &'a Store) -> Vec<&'a Series> {
        let mut found = Vec::new();
        self.inputs(|topic, input| found.extend(store.series(topic, &input.text, &self.stamp)));
        found
    }

    /// Its values over time, as far as they are loaded; None while there is nothing.
    pub fn series<'a>(&'a self, store: &'a Store) -> Option<&'a Series> {
        store.series_named(&self.name()?)
    }

    /// What names its values in the store; None for a number.
    pub fn name(&self) -> Option<SeriesName> {
        let column = || Some(&self.program.as_ref()?.column()?.text);
        Some(SeriesName {
            topic: *self.topics.first()?,
            text: self.derived().or_else(column)?.clone(),
            stamp: self.stamp.clone(),
            is_derived: self.derived().is_some(),
        })
    }

    /// What its values are more than the numbers that stand for them, where some are too large for these: what the recording holds is
    /// the sum of both.
    pub fn rest<'a>(&'a self, store: &'a Store) -> Option<&'a Series> {
        store.series(*self.topics.first()?, &self.too_large(store)?.text, &self.stamp)
    }

    /// As [`Signal::wants`] and [`Signal::wants_points`], of [`Signal::rest`].
    pub fn wants_rest(&self, store: &Store, span: Span, points: Option<Span>, out: &mut Vec<Want>) {
        if let (Some(rest), Some(topic)) = (self.too_large(store), self.topics.first()) {
            let topic = *topic;
            let path = || rest.text.clone();
            let stamp = || self.stamp.clone();
            let what = What::Series {
                path: path(),
                stamp: stamp(),
                span,
            };
            out.push(Want { topic, what });
            out.extend(points.map(|span| Want {
                topic,
                what: What::Points {
                    path: path(),
                    stamp: stamp(),
                    span,
                },
            }));
        }
    }

    /// Whether there are values that are more than the numbers that stand for them, or may be.
    pub fn has_rest(&self, store: &Store) -> bool {
        self.too_large(store).is_some()
    }

    /// Whether the values within `span` are known to the last digit.
    pub fn is_exact(&self, store: &Store, span: Span) -> bool {
        !self.has_rest(store) || self.rest(store).is_some_and(|rest| rest.is_complete(span))
    }

    /// The integer at `t`, where it is one of those that no number stands for exactly.
    pub fn integer_at(&self, store: &Store, t: Time) -> Option<i128> {
        let rest = self.rest(store)?.value_at(t)?;
        Some(integer(self.series(store)?.value_at(t)?, rest))
    }

    fn too_large(&self, store: &Store) -> Option<&Input> {
        /// From there on a number may stand for several integers.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let rest = self.rest.as_ref()?;
        let (min, max) = self.series(store)?.min_max(Span::ALL)?;
        (min <= -EXACT || max >= EXACT).then_some(rest)
    }

    /// Whether all that it needs of `span` is loaded.
    pub fn is_complete(&self, store: &Store, span: Span) -> bool {
        let inputs = self.program.as_ref().map_or(0, |p| p.inputs().len());
        let sources = self.sources(store);
        sources.len() == inputs && sources.iter().all(|s| s.is_complete(span)) && self.is_computed(store)
    }

    /// Why a part of what it needs could not be read.
    pub fn failure(&self, store: &Store) -> Option<Arc<str>> {
        let mut found = None;
        self.inputs(|topic, input| {
            let number = store.series_number(topic, &input.text, &self.stamp);
            found = found.take().or_else(|| store.unit_failure(Unit::Series(number?)));
        });
        found
    }

    /// Whether it is computed of all that is loaded of its inputs.
    pub fn is_computed(&self, store: &Store) -> bool {
        self.derived().is_none_or(|text| store.is_derived(text, &self.stamp))
    }
}

/// A number and what an integer is more than it, together.
pub fn integer(value: f64, rest: f64) -> i128 {
    value as i128 + rest as i128
}

impl Store {
    /// Where a path's topic ends and its fields begin, for what names one topic only.
    pub fn topic_of_path(&self, text: &str) -> Option<&Topic> {
        let expr = parse(text).ok()?;
        expr.topics().first().and_then(|topic| self.topic_by_name(topic))
    }
}

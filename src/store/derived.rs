//! Series that are computed from others: in windows of time, on whatever thread executes the work, and anew where an input changed.
//!
//! Invariants: what is computed equals what computing it from all that is loaded at once gives; it counts in the budget as any
//! series does; one window is in flight at a time, and no more than its inputs' points are held for it.

use std::sync::Arc;

use super::cache::{State, Unit};
use super::index::ChunkKey;
use super::series::Points;
use super::{Series, SeriesName, Stamp, Store, Task, What, Work, WorkId};
use crate::path::{Point, Program, Progress, parse};
use crate::time::{Span, Time};

/// Points of all inputs that one window takes.
const WINDOW_POINTS: usize = 1 << 18;
/// While more than this is still being read, it is computed anew only once it has grown by half.
pub(super) const QUICK_POINTS: usize = 300_000;

pub(super) struct Derived {
    text: Arc<str>,
    stamp: Stamp,
    program: Arc<Program>,
    /// The store's numbers of the inputs' series, in the program's order.
    inputs: Vec<u32>,
    pub series: Series,
    /// By start; the first starts at [`Time::MIN`].
    windows: Vec<Window>,
    flight: Option<WorkId>,
    in_flight: usize,
    /// Points of the inputs when the round began: all windows that were touched until then.
    round_points: usize,
    next_piece: u32,
    state_bytes: u64,
}

struct Window {
    from: Time,
    piece: ChunkKey,
    /// Before its first value; None while a window before it is to be computed.
    before: Option<Progress>,
    /// To be computed in this round.
    is_due: bool,
    /// An input changed since the round began: to be computed in the next.
    is_touched: bool,
}

/// One window to be computed: plain data, so that any thread may.
#[derive(Clone, Debug)]
pub struct Derivation {
    program: Arc<Program>,
    before: Progress,
    /// Of each input: what of it may fall into the window.
    inputs: Vec<Points>,
    /// Values before it belong to the window.
    until: Time,
}

/// What came of it.
pub struct DerivedWindow {
    points: Vec<Point>,
    after: Progress,
}

impl Derivation {
    pub fn run(&self) -> DerivedWindow {
        let merged: Vec<Vec<Point>> = self.inputs.iter().map(|points| points.iter().collect()).collect();
        let slices: Vec<&[Point]> = merged.iter().map(Vec::as_slice).collect();
        let mut after = self.before.clone();
        let points = self.program.advance(&mut after, &slices, self.until);
        DerivedWindow { points, after }
    }
}

impl Derived {
    fn is_due(&self) -> bool {
        self.windows.iter().any(|w| w.is_due || w.is_touched)
    }

    pub fn bytes(&self) -> u64 {
        self.series.bytes() + self.state_bytes + self.windows.len() as u64 * 128
    }

    fn window(&mut self, from: Time, before: Option<Progress>) -> Window {
        self.next_piece += 1;
        Window {
            from,
            piece: ChunkKey {
                source: u32::MAX,
                chunk: self.next_piece,
            },
            before,
            is_due: false,
            is_touched: true,
        }
    }

    /// The window that `t` falls into.
    fn at(&self, t: Time) -> usize {
        self.windows.partition_point(|w| w.from <= t).saturating_sub(1)
    }

    fn touch(&mut self, span: Span) {
        let (from, to) = (self.at(span.start), self.at(span.end));
        let touched = self.windows.get_mut(from..=to).unwrap_or_default();
        touched.iter_mut().for_each(|w| w.is_touched = true);
    }

    fn begin_round(&mut self, points: usize) {
        for window in &mut self.windows {
            window.is_due |= std::mem::take(&mut window.is_touched);
        }
        self.round_points = points;
    }

    fn take(&mut self, done: DerivedWindow) {
        let at = self.in_flight;
        self.flight = None;
        let Some(window) = self.windows.get_mut(at) else { return };
        window.is_due = false;
        let piece = window.piece;
        self.series.put(piece, done.points);
        if let Some(next) = self.windows.get_mut(at + 1)
            && next.before.as_ref().is_none_or(|known| !known.is_same(&done.after))
        {
            self.state_bytes = self.state_bytes + done.after.bytes() - next.before.as_ref().map_or(0, Progress::bytes);
            next.before = Some(done.after);
            next.is_due = true;
        }
    }
}

impl Store {
    pub(super) fn derived_number(&self, text: &str, stamp: &Stamp) -> Option<usize> {
        self.derived.iter().position(|d| d.stamp == *stamp && &*d.text == text)
    }

    /// What was computed of an expression that needs more than messages of one topic one by one; None until it was wanted once.
    /// Wants [`What::Derived`], and [`What::Series`] of its inputs.
    pub fn derived(&self, text: &str, stamp: &Stamp) -> Option<&Series> {
        Some(&self.derived.get(self.derived_number(text, stamp)?)?.series)
    }

    /// Whether it is computed of all that is loaded of its inputs.
    pub fn is_derived(&self, text: &str, stamp: &Stamp) -> bool {
        self.derived_number(text, stamp)
            .and_then(|n| self.derived.get(n))
            .is_some_and(|d| d.flight.is_none() && !d.is_due())
    }

    /// A place for each expression that is wanted for the first time.
    pub(super) fn add_derived(&mut self) {
        let mut new: Vec<(Arc<str>, Stamp)> = Vec::new();
        for want in &self.wants {
            if let What::Derived { text, stamp, .. } = &want.what
                && self.derived_number(text, stamp).is_none()
            {
                new.push((text.clone(), stamp.clone()));
            }
        }
        if new.is_empty() {
            return;
        }
        let topics = self.topic_schemas();
        for (text, stamp) in new {
            let Some(program) = parse(&text).and_then(|e| Program::compile(&e, &topics, &self.variables)).ok() else {
                continue;
            };
            let number = |input: &crate::path::Input| {
                let topic = self.topic_by_name(&input.topic)?.id;
                self.series_number(topic, &input.text, &stamp)
            };
            // wanted together with its inputs
            let Some(inputs) = program.inputs().iter().map(number).collect::<Option<Vec<u32>>>() else {
                continue;
            };
            let mut derived = Derived {
                text,
                stamp,
                inputs,
                series: Series::default(),
                windows: Vec::new(),
                flight: None,
                in_flight: 0,
                round_points: 0,
                next_piece: 0,
                state_bytes: 0,
                program: Arc::new(program),
            };
            let first = derived.window(Time::MIN, Some(derived.program.start()));
            derived.windows.push(first);
            self.derived.push(derived);
        }
    }

    /// An input's points within `span` are others now.
    pub(super) fn touch_derived(&mut self, number: u32, span: Option<Span>) {
        let Some(span) = span else { return };
        for derived in self.derived.iter_mut().filter(|d| d.inputs.contains(&number)) {
            derived.touch(span);
        }
    }

    /// Points that a window needs and those that are wanted of what is computed, by the number of the series.
    pub(super) fn points_for_derived(&self) -> Vec<(u32, Span)> {
        let due = self.derived.iter().filter(|d| self.is_derived_wanted(d) && d.flight.is_none());
        due.flat_map(|derived| {
            let span = self.next_window(derived).map(|(_, span)| span);
            let inputs = span.into_iter().flat_map(|span| derived.inputs.iter().map(move |i| (*i, span)));
            inputs.collect::<Vec<_>>()
        })
        .collect()
    }

    /// Points of it are wanted themselves within these spans.
    pub(super) fn derived_points_wanted(&self, derived: &Derived) -> Option<Span> {
        let wanted = self.wants.iter().filter_map(|want| match &want.what {
            What::Derived { text, stamp, points } if *text == derived.text && *stamp == derived.stamp => *points,
            _ => None,
        });
        wanted.reduce(Span::union)
    }

    fn is_derived_wanted(&self, derived: &Derived) -> bool {
        let is_it = |want: &super::Want| matches!(&want.what, What::Derived { text, stamp, .. } if *text == derived.text && *stamp == derived.stamp);
        self.wants.iter().any(is_it)
    }

    /// Something wanted is being computed, or will be without anything more being read.
    pub(super) fn is_deriving(&self) -> bool {
        self.derived
            .iter()
            .any(|d| d.flight.is_some() || self.is_derived_wanted(d) && d.is_due() && !self.wide_is_full)
    }

    fn input_points(&self, derived: &Derived) -> usize {
        let series = derived.inputs.iter().filter_map(|i| self.series.get(*i as usize));
        series.map(Series::len).sum()
    }

    /// The first window that is due, and what of the inputs falls into it: no more than a window may take.
    fn next_window(&self, derived: &Derived) -> Option<(usize, Span)> {
        let at = derived.windows.iter().position(|w| w.is_due)?;
        let from = derived.windows.get(at)?.from;
        let end = derived.windows.get(at + 1).map_or(Time::MAX, |w| w.from.plus_nanos(-1));
        let series: Vec<&Series> = derived.inputs.iter().filter_map(|i| self.series.get(*i as usize)).collect();
        let span = Span::new(from, end);
        let mut starts: Vec<(Time, usize)> = series.iter().flat_map(|s| s.starts_within(span)).collect();
        starts.sort_unstable();
        let mut count = 0;
        for (start, points) in starts {
            if count >= WINDOW_POINTS && start > from {
                return Some((at, Span::new(from, start.plus_nanos(-1))));
            }
            count += points;
        }
        Some((at, span))
    }

    /// Windows whose results were given up and are wanted are computed again.
    fn want_points_again(&mut self) {
        for number in 0..self.derived.len() {
            let wanted = self.derived.get(number).and_then(|d| self.derived_points_wanted(d));
            if let (Some(span), Some(derived)) = (wanted, self.derived.get_mut(number)) {
                let gone = derived.series.summed_up(span);
                for window in derived.windows.iter_mut().filter(|w| gone.contains(&w.piece)) {
                    window.is_due = true;
                }
            }
        }
    }

    pub(super) fn issue_derived(&mut self, out: &mut Vec<Work>) {
        self.want_points_again();
        for number in 0..self.derived.len() {
            if let Some(work) = self.derive_on(number) {
                out.push(work);
            }
        }
    }

    fn derive_on(&mut self, number: usize) -> Option<Work> {
        let derived = self.derived.get(number)?;
        if derived.flight.is_some() || !derived.is_due() || !self.is_derived_wanted(derived) {
            return None;
        }
        let points = self.input_points(derived);
        if !derived.windows.iter().any(|w| w.is_due) {
            let is_reading = derived.inputs.iter().any(|i| self.is_being_read(Unit::Series(*i)));
            let grown = points > derived.round_points + derived.round_points / 2;
            if is_reading && points > QUICK_POINTS && !grown {
                return None;
            }
            self.derived.get_mut(number)?.begin_round(points);
        }
        let derived = self.derived.get(number)?;
        let (at, span) = self.next_window(derived)?;
        let mut inputs = Vec::new();
        for input in &derived.inputs {
            let series = self.series.get(*input as usize)?;
            // read again first; what no job reads any more is left out
            if series
                .summed_up(span)
                .iter()
                .any(|key| self.will_be_read(*key, Unit::Series(*input)))
            {
                return None;
            }
            inputs.push(series.shared(span));
        }
        let id = self.new_id();
        let derived = self.derived.get_mut(number)?;
        let until = if span.end == Time::MAX { Time::MAX } else { span.end.plus_nanos(1) };
        if derived.windows.get(at + 1).is_none_or(|next| next.from > until) && until != Time::MAX {
            let rest = derived.window(until, None);
            derived.windows.insert(at + 1, Window { is_due: true, ..rest });
        }
        let window = derived.windows.get_mut(at)?;
        let before = window.before.clone()?;
        (derived.flight, derived.in_flight) = (Some(id), at);
        let task = Task::Window(Derivation {
            program: derived.program.clone(),
            before,
            inputs,
            until,
        });
        Some(Work::Compute { id, task })
    }

    /// Whether a given-up part of a series is read again, being needed.
    pub(super) fn will_be_read(&self, key: ChunkKey, unit: Unit) -> bool {
        match self.state(key, unit) {
            Some(State::InFlight(_)) => true,
            Some(State::Loaded(_)) | None => self.jobs.contains_key(&unit) && self.is_in_job(key, unit),
            Some(State::Failed { .. }) => false,
        }
    }

    pub(super) fn is_being_read(&self, unit: Unit) -> bool {
        self.jobs.get(&unit).is_some_and(|job| !job.todo.is_empty())
    }

    /// The store's numbers of the series that are read for it.
    pub(super) fn numbers_of(&self, name: &SeriesName) -> Vec<u32> {
        match name.is_derived {
            true => {
                let derived = self.derived_number(&name.text, &name.stamp).and_then(|n| self.derived.get(n));
                derived.map(|d| d.inputs.clone()).unwrap_or_default()
            }
            false => self.series_number(name.topic, &name.text, &name.stamp).into_iter().collect(),
        }
    }

    pub(super) fn derived_window(&mut self, id: WorkId, window: DerivedWindow) {
        if let Some(derived) = self.derived.iter_mut().find(|d| d.flight == Some(id)) {
            derived.take(window);
        }
    }

    /// A window that crashed stays empty.
    pub(super) fn derived_failed(&mut self, id: WorkId) {
        if let Some(derived) = self.derived.iter_mut().find(|d| d.flight == Some(id)) {
            derived.flight = None;
            // the first that is due is the one that was worked on
            if let Some(crashed) = derived.windows.iter_mut().find(|w| w.is_due) {
                crashed.is_due = false;
            }
        }
    }

    /// Calls off what nobody wants any more.
    pub(super) fn cancel_unwanted_derived(&mut self) {
        let unwanted: Vec<usize> = (0..self.derived.len())
            .filter(|n| {
                self.derived
                    .get(*n)
                    .is_some_and(|d| d.flight.is_some() && !self.is_derived_wanted(d))
            })
            .collect();
        for number in unwanted {
            if let Some(id) = self.derived.get_mut(number).and_then(|d| d.flight.take()) {
                self.queue.push(Work::Cancel(id));
            }
        }
    }

    /// Forgets what nobody wants now, for memory.
    pub(super) fn drop_unwanted_derived(&mut self) {
        let wanted: Vec<bool> = self
            .derived
            .iter()
            .map(|d| d.flight.is_some() || self.is_derived_wanted(d))
            .collect();
        let mut wanted = wanted.into_iter();
        self.derived.retain(|_| wanted.next().unwrap_or(true));
    }
}

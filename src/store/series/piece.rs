//! What one chunk gave of a series: its points while they are kept, and summaries of runs of them.
//!
//! Invariant: summaries are of the same runs whether the points are kept or not.

use std::sync::Arc;

use crate::path::Point;
use crate::time::{Span, Time};

/// Points of a run, and runs of a longer one.
const RUN: usize = 128;
const RUNS: usize = 32;
/// More different values are no states.
pub const MOST_VALUES: usize = 32;
/// Giving up fewer points frees too little.
const LEAST: usize = 32;

pub struct Piece {
    pub summary: Summary,
    points: Option<Arc<[Point]>>,
    count: usize,
    /// Its different numbers, by their bits; None: too many.
    values: Option<Box<[u64]>>,
    /// Of each `RUN` points.
    runs: Box<[Summary]>,
    /// Of each `RUN * RUNS` points.
    long_runs: Box<[Summary]>,
}

/// The points that stand for a run of points.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    pub first: Point,
    pub last: Point,
    /// Of the finite ones.
    min: Option<Point>,
    max: Option<Point>,
    /// The first of each kind that is not finite: a line breaks there.
    nan: Option<Point>,
    below: Option<Point>,
    above: Option<Point>,
}

/// What is known of a run of points.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    pub extent: Extent,
    /// How many numbers, their mean, that of their absolute values, and the sum of the squares of what they differ from the mean by.
    count: f64,
    mean: f64,
    mean_absolute: f64,
    squares: f64,
    /// Which of its piece's different numbers are in it: a bit for each; none where these are too many.
    values: u32,
}

/// A part of a piece that falls into a span.
pub enum Taken<'a> {
    Point(Point),
    Whole(&'a Summary),
    /// Its points are given up and only some of them fall into the span or column.
    Partly(&'a Summary),
}

impl Piece {
    /// Of points in any order; those of one time stay in theirs. None of no points.
    pub fn new(mut points: Vec<Point>) -> Option<Piece> {
        if !points.is_sorted_by_key(|p| p.0) {
            points.sort_by_key(|p| p.0);
        }
        let values = different(&points);
        let known = values.as_deref().unwrap_or_default();
        let summary = |points: &[Point]| {
            let mut summary = Summary::of(points)?;
            summary.values = bits_of(points, known);
            Some(summary)
        };
        let runs: Box<[Summary]> = match points.len() {
            0..=RUN => Box::default(),
            _ => points.chunks(RUN).filter_map(summary).collect(),
        };
        let long_runs: Box<[Summary]> = match runs.len() {
            0..=RUNS => Box::default(),
            _ => runs.chunks(RUNS).filter_map(Summary::over).collect(),
        };
        let summary = match (long_runs.is_empty(), runs.is_empty()) {
            (false, _) => Summary::over(&long_runs),
            (true, false) => Summary::over(&runs),
            (true, true) => summary(&points),
        }?;
        Some(Piece {
            summary,
            count: points.len(),
            values,
            points: Some(points.into()),
            runs,
            long_runs,
        })
    }

    pub fn span(&self) -> Span {
        Span::new(self.summary.first(), self.summary.last())
    }

    pub fn count(&self) -> usize {
        self.count
    }

    pub fn bytes(&self) -> u64 {
        let points = self.points.as_ref().map_or(0, |p| p.len() * size_of::<Point>());
        let runs = (self.runs.len() + self.long_runs.len()) * size_of::<Summary>();
        let values = self.values.as_ref().map_or(0, |values| size_of_val(&**values));
        (points + runs + values + size_of::<Piece>() + 96) as u64
    }

    /// None where they are more than [`MOST_VALUES`].
    pub fn values(&self) -> Option<&[u64]> {
        self.values.as_deref()
    }

    /// Each number that is in `summary`, which is of this piece: once, with when it was there as far as that is told. Of too many the
    /// least and the greatest.
    pub fn each_value(&self, summary: &Summary, mut f: impl FnMut(Point)) {
        let extent = &summary.extent;
        [extent.min, extent.max].into_iter().flatten().for_each(&mut f);
        let values = self.values.iter().flatten().enumerate();
        let within = values.filter(|(bit, _)| summary.values >> bit & 1 == 1);
        within.for_each(|(_, bits)| f((summary.first(), f64::from_bits(*bits))));
    }

    pub fn has_points(&self) -> bool {
        self.points.is_some()
    }

    pub fn can_shrink(&self) -> bool {
        self.points.as_ref().is_some_and(|p| p.len() > LEAST)
    }

    /// Gives the points up.
    pub fn shrink(&mut self) {
        self.points = None;
    }

    pub fn shared_points(&self) -> Option<Arc<[Point]>> {
        self.points.clone()
    }

    /// Whether both are made of the same points, as far as their summaries tell.
    pub fn is_of_the_same(&self, other: &Piece) -> bool {
        let figures = |s: &Summary| [s.count, s.mean, s.mean_absolute, s.squares].map(f64::to_bits);
        let same = |a: &Summary, b: &Summary| a.extent.is_same(&b.extent) && figures(a) == figures(b);
        self.count == other.count && same(&self.summary, &other.summary) && self.runs.iter().zip(&other.runs).all(|(a, b)| same(a, b))
    }

    pub fn points_within(&self, span: Span) -> &[Point] {
        let points = self.points.as_deref().unwrap_or_default();
        let (from, to) = range(points, span);
        points.get(from..to).unwrap_or_default()
    }

    /// How many points fall into `span`; about that many where they are given up.
    pub fn count_within(&self, span: Span) -> usize {
        let own = self.span();
        if own.start >= span.start && own.end <= span.end {
            return self.count;
        }
        match &self.points {
            Some(points) => {
                let (from, to) = range(points, span);
                to - from
            }
            None => {
                let within = self.runs.iter().filter(|r| r.last() >= span.start && r.first() <= span.end);
                within.count() * RUN
            }
        }
    }

    /// All that falls into `span`, in summaries where `is_whole` lets a run from one time to another be taken at once.
    pub fn take(&self, span: Span, is_whole: impl Fn(Time, Time) -> bool, take: &mut impl FnMut(Taken)) {
        let apart = |s: &Summary| s.last() < span.start || s.first() > span.end;
        let whole = |s: &Summary| is_whole(s.first(), s.last());
        if apart(&self.summary) {
            return;
        }
        if whole(&self.summary) {
            take(Taken::Whole(&self.summary));
            return;
        }
        if self.runs.is_empty() {
            self.take_run(0, &self.summary, span, take);
            return;
        }
        let each_run = |from: usize, to: usize, take: &mut dyn FnMut(Taken)| {
            for at in from..to.min(self.runs.len()) {
                let Some(run) = self.runs.get(at).filter(|r| !apart(r)) else {
                    continue;
                };
                if whole(run) {
                    take(Taken::Whole(run));
                } else {
                    self.take_run(at, run, span, &mut |t| take(t));
                }
            }
        };
        if self.long_runs.is_empty() {
            each_run(0, self.runs.len(), take);
        }
        for (at, long) in self.long_runs.iter().enumerate() {
            if apart(long) {
                continue;
            }
            if whole(long) {
                take(Taken::Whole(long));
            } else {
                each_run(at * RUNS, (at + 1) * RUNS, take);
            }
        }
    }

    fn take_run(&self, at: usize, summary: &Summary, span: Span, take: &mut impl FnMut(Taken)) {
        let Some(points) = &self.points else {
            take(Taken::Partly(summary));
            return;
        };
        let run = points.get(at * RUN..).unwrap_or_default();
        let run = run.get(..RUN).unwrap_or(run);
        run.iter().filter(|p| span.contains(p.0)).for_each(|p| take(Taken::Point(*p)));
    }

    /// The last point of which `is_before` holds, which holds of the earlier ones too.
    pub fn last_where(&self, is_before: &impl Fn(Time) -> bool) -> Option<Point> {
        if !is_before(self.summary.first()) {
            return None;
        }
        if is_before(self.summary.last()) {
            return Some(self.summary.extent.last);
        }
        if let Some(points) = &self.points {
            return points.get(points.partition_point(|p| is_before(p.0)).checked_sub(1)?).copied();
        }
        let started = self.runs.partition_point(|r| is_before(r.first()));
        let run = started.checked_sub(1).and_then(|at| self.runs.get(at)).unwrap_or(&self.summary);
        run.extent.shown().filter(|p| is_before(p.0)).max_by_key(|p| p.0)
    }

    /// The first point after `t`.
    pub fn first_after(&self, t: Time) -> Option<Point> {
        if self.summary.last() <= t {
            return None;
        }
        if self.summary.first() > t {
            return Some(self.summary.extent.first);
        }
        if let Some(points) = &self.points {
            return points.get(points.partition_point(|p| p.0 <= t)).copied();
        }
        let run = self.runs.get(self.runs.partition_point(|r| r.last() <= t)).unwrap_or(&self.summary);
        run.extent.shown().filter(|p| p.0 > t).min_by_key(|p| p.0)
    }
}

fn different(points: &[Point]) -> Option<Box<[u64]>> {
    let mut found: Vec<u64> = Vec::new();
    let mut last = None;
    for (_, value) in points.iter().filter(|p| !p.1.is_nan()) {
        // one zero
        let bits = (value + 0.0).to_bits();
        if last.replace(bits) != Some(bits) && !found.contains(&bits) {
            if found.len() == MOST_VALUES {
                return None;
            }
            found.push(bits);
        }
    }
    Some(found.into())
}

/// Which of `values` are among the points.
fn bits_of(points: &[Point], values: &[u64]) -> u32 {
    let (mut found, mut last) = (0, None);
    for (_, value) in points.iter().filter(|_| !values.is_empty()) {
        let bits = (value + 0.0).to_bits();
        if last.replace(bits) != Some(bits)
            && let Some(at) = values.iter().position(|known| *known == bits)
        {
            found |= 1 << at;
        }
    }
    found
}

fn range(points: &[Point], span: Span) -> (usize, usize) {
    let from = points.partition_point(|p| p.0 < span.start);
    let to = points.partition_point(|p| p.0 <= span.end);
    (from, to.max(from))
}

impl Extent {
    pub fn of(point: Point) -> Extent {
        let only = |is: bool| is.then_some(point);
        Extent {
            first: point,
            last: point,
            min: only(point.1.is_finite()),
            max: only(point.1.is_finite()),
            nan: only(point.1.is_nan()),
            below: only(point.1 == f64::NEG_INFINITY),
            above: only(point.1 == f64::INFINITY),
        }
    }

    /// Of both together.
    pub fn join(&mut self, other: &Extent) {
        if other.first.0 < self.first.0 {
            self.first = other.first;
        }
        if other.last.0 >= self.last.0 {
            self.last = other.last;
        }
        let earlier = |a: Point, b: Point| if b.0 < a.0 { b } else { a };
        let lesser = |a: Point, b: Point| match a.1.total_cmp(&b.1) {
            std::cmp::Ordering::Less => a,
            std::cmp::Ordering::Equal => earlier(a, b),
            std::cmp::Ordering::Greater => b,
        };
        let greater = |a: Point, b: Point| match a.1.total_cmp(&b.1) {
            std::cmp::Ordering::Less => b,
            std::cmp::Ordering::Equal => earlier(a, b),
            std::cmp::Ordering::Greater => a,
        };
        self.min = either(self.min, other.min, lesser);
        self.max = either(self.max, other.max, greater);
        self.nan = either(self.nan, other.nan, earlier);
        self.below = either(self.below, other.below, earlier);
        self.above = either(self.above, other.above, earlier);
    }

    fn is_same(&self, other: &Extent) -> bool {
        let bits = |p: Option<Point>| p.map(|p| (p.0, p.1.to_bits()));
        let all = |e: &Extent| [Some(e.first), Some(e.last), e.min, e.max, e.nan, e.below, e.above].map(bits);
        all(self) == all(other)
    }

    /// In no order.
    pub fn shown(&self) -> impl Iterator<Item = Point> {
        [
            Some(self.first),
            self.min,
            self.max,
            self.nan,
            self.below,
            self.above,
            Some(self.last),
        ]
        .into_iter()
        .flatten()
    }
}

fn either(a: Option<Point>, b: Option<Point>, choose: impl Fn(Point, Point) -> Point) -> Option<Point> {
    match (a, b) {
        (Some(a), Some(b)) => Some(choose(a, b)),
        (a, b) => a.or(b),
    }
}

impl Summary {
    /// None of no points.
    fn of(points: &[Point]) -> Option<Summary> {
        let mut extent = Extent::of(*points.first()?);
        points.iter().for_each(|p| extent.join(&Extent::of(*p)));
        let numbers = || points.iter().map(|p| p.1).filter(|v| !v.is_nan());
        let count = numbers().count() as f64;
        let mean_of = |sum: f64| if count > 0.0 { sum / count } else { 0.0 };
        let mean = mean_of(numbers().sum());
        Some(Summary {
            extent,
            count,
            mean,
            mean_absolute: mean_of(numbers().map(f64::abs).sum()),
            squares: numbers().map(|v| (v - mean).powi(2)).sum(),
            values: 0,
        })
    }

    fn over(runs: &[Summary]) -> Option<Summary> {
        let (first, rest) = runs.split_first()?;
        let mut whole = *first;
        rest.iter().for_each(|run| whole.join(run));
        Some(whole)
    }

    /// Of both together. Moments after Chan, Golub and LeVeque 1979.
    fn join(&mut self, other: &Summary) {
        self.extent.join(&other.extent);
        self.values |= other.values;
        if other.count == 0.0 {
            return;
        }
        let both = self.count + other.count;
        let apart = other.mean - self.mean;
        self.mean = match apart.is_finite() {
            true => self.mean + apart * other.count / both,
            // as numpy's, one that is infinite makes it so
            false => self.mean + other.mean,
        };
        let apart_absolute = other.mean_absolute - self.mean_absolute;
        self.mean_absolute = match apart_absolute.is_finite() {
            true => self.mean_absolute + apart_absolute * other.count / both,
            false => f64::INFINITY,
        };
        self.squares += other.squares + apart * apart * self.count * other.count / both;
        self.count = both;
    }

    fn first(&self) -> Time {
        self.extent.first.0
    }

    fn last(&self) -> Time {
        self.extent.last.0
    }
}

/// Of the numbers in a span; what is not a number is left out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Statistics {
    sum: Option<Summary>,
    /// Some points at the span's ends are given up for memory: the figures are of the runs they are in.
    pub is_rounded: bool,
}

impl Statistics {
    pub(super) fn add(&mut self, taken: Taken) {
        let summary = match taken {
            Taken::Point(point) => Summary::of(&[point]),
            Taken::Whole(summary) => Some(*summary),
            Taken::Partly(summary) => {
                self.is_rounded = true;
                Some(*summary)
            }
        };
        match (&mut self.sum, summary.filter(|s| s.count > 0.0)) {
            (Some(sum), Some(new)) => sum.join(&new),
            (sum @ None, new) => *sum = new,
            (Some(_), None) => {}
        }
    }

    pub fn count(&self) -> u64 {
        self.sum.map_or(0, |s| s.count as u64)
    }

    pub fn mean(&self) -> Option<f64> {
        self.sum.map(|s| s.mean)
    }

    /// Of the values without their signs.
    pub fn mean_absolute(&self) -> Option<f64> {
        self.sum.map(|s| s.mean_absolute)
    }

    pub fn min(&self) -> Option<Point> {
        let extent = self.sum?.extent;
        extent.below.or(extent.min).or(extent.above)
    }

    pub fn max(&self) -> Option<Point> {
        let extent = self.sum?.extent;
        extent.above.or(extent.max).or(extent.below)
    }

    /// The least and greatest finite ones.
    pub fn finite(&self) -> Option<(Point, Point)> {
        let extent = self.sum?.extent;
        Some((extent.min?, extent.max?))
    }

    /// Of the population, as numpy's.
    pub fn variance(&self) -> Option<f64> {
        self.sum.map(|s| s.squares / s.count)
    }

    pub fn stddev(&self) -> Option<f64> {
        self.variance().map(f64::sqrt)
    }

    /// Root mean square.
    pub fn rms(&self) -> Option<f64> {
        let square = self.mean()?.powi(2) + self.variance()?;
        // only infinite values make that no number
        Some(if square.is_nan() { f64::INFINITY } else { square.sqrt() })
    }

    /// As numpy's: no number where both are the same infinity.
    pub fn peak_to_peak(&self) -> Option<f64> {
        Some(self.max()?.1 - self.min()?.1)
    }

    /// First to last number.
    pub fn span(&self) -> Option<Span> {
        self.sum.map(|s| Span::new(s.first(), s.last()))
    }
}

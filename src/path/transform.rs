//! What depends on the values before: derivatives, windows, counters.
//!
//! Invariants: a value that is not a number is a gap: it stays one, and nothing is computed across it; points stay sorted.

use std::collections::VecDeque;

use super::stream::same_points;
use crate::time::Time;

pub type Point = (Time, f64);

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Transform {
    Derivative,
    Integral,
    Delta,
    TimeSincePrevious,
    MovingAverage(usize),
    MovingRms(usize),
    MovingVariance(usize),
    MovingStddev(usize),
    OutlierRemoval(f64),
    /// Over so many seconds.
    SamplesCounter(f64),
    /// By so many seconds.
    Shift(f64),
}

/// What a transform remembers of the values before.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    /// The newest, as far back as they count.
    points: VecDeque<Point>,
    sum: f64,
}

impl Past {
    pub fn bytes(&self) -> u64 {
        (self.points.len() * size_of::<Point>()) as u64
    }

    pub fn is_same(&self, other: &Past) -> bool {
        self.sum.to_bits() == other.sum.to_bits() && same_points(&self.points, &other.points)
    }

    /// Takes the values before `until`, which end where it is [`Time::MAX`]. Gives the points that these decide, and until when all
    /// are out.
    pub fn advance(&mut self, transform: Transform, points: &[Point], until: Time) -> (Vec<Point>, Time) {
        let mut out = Vec::with_capacity(points.len());
        match transform {
            Transform::Derivative => self.steps(points, &mut out, |dt, a, b| (dt > 0.0).then(|| (b - a) / dt)),
            Transform::Delta => self.steps(points, &mut out, |_, a, b| Some(b - a)),
            Transform::TimeSincePrevious => self.steps(points, &mut out, |dt, _, _| Some(dt)),
            Transform::Integral => self.integral(points, &mut out),
            Transform::MovingAverage(n) => self.windows(points, n, &mut out, mean),
            Transform::MovingRms(n) => self.windows(points, n, &mut out, |w| mean_of(w, |v| v * v).sqrt()),
            Transform::MovingVariance(n) => self.windows(points, n, &mut out, variance),
            Transform::MovingStddev(n) => self.windows(points, n, &mut out, |w| variance(w).sqrt()),
            Transform::OutlierRemoval(factor) => return self.without_spikes(points, factor, until, out),
            Transform::SamplesCounter(secs) => self.counted(points, secs, &mut out),
            Transform::Shift(secs) => {
                let nanos = (secs * 1e9).round() as i64;
                out.extend(points.iter().map(|(t, v)| (t.plus_nanos(nanos), *v)));
                let until = if until == Time::MAX { until } else { until.plus_nanos(nanos) };
                return (out, until);
            }
        }
        (out, until)
    }

    /// From each value to the next: `f(seconds, before, now)`; None leaves the point out.
    fn steps(&mut self, points: &[Point], out: &mut Vec<Point>, f: impl Fn(f64, f64, f64) -> Option<f64>) {
        for &(t, v) in points {
            if let Some((t0, a)) = self.points.pop_front() {
                let value = match a.is_nan() || v.is_nan() {
                    true => Some(f64::NAN),
                    false => f(secs(t0, t), a, v),
                };
                out.extend(value.map(|v| (t, v)));
            }
            self.points.push_back((t, v));
        }
    }

    fn integral(&mut self, points: &[Point], out: &mut Vec<Point>) {
        for &(t, v) in points {
            let before = self.points.pop_front();
            if v.is_nan() {
                out.push((t, v));
                continue;
            }
            if let Some((t0, a)) = before {
                self.sum += secs(t0, t) * (a + v) / 2.0;
            }
            self.points.push_back((t, v));
            out.push((t, self.sum));
        }
    }

    /// `f` of the last `n` values at each value; fewer at the start.
    fn windows(&mut self, points: &[Point], n: usize, out: &mut Vec<Point>, f: impl Fn(&VecDeque<Point>) -> f64) {
        for &(t, v) in points {
            if v.is_nan() {
                self.points.clear();
                out.push((t, v));
                continue;
            }
            if self.points.len() >= n {
                self.points.pop_front();
            }
            self.points.push_back((t, v));
            out.push((t, f(&self.points)));
        }
    }

    /// A value is a spike where the steps to it and from it go opposite ways and both are more than `factor` times the step before.
    /// The first two and the last stay. So a value is decided by the one after it.
    fn without_spikes(&mut self, points: &[Point], factor: f64, until: Time, mut out: Vec<Point>) -> (Vec<Point>, Time) {
        for &(t, v) in points {
            if let Some(last) = self.points.back().copied() {
                let is_spike = match self.points.make_contiguous() {
                    [first, before, last] => {
                        let (d0, d1, d2) = (before.1 - first.1, last.1 - before.1, v - last.1);
                        d1 * d2 < 0.0 && d1.abs().min(d2.abs()) > factor * d0.abs()
                    }
                    _ => false,
                };
                if !is_spike {
                    out.push(last);
                }
            }
            if self.points.len() == 3 {
                self.points.pop_front();
            }
            self.points.push_back((t, v));
        }
        match self.points.back() {
            Some(last) if until == Time::MAX => out.push(*last),
            Some(last) => return (out, until.min(last.0)),
            None => {}
        }
        (out, until)
    }

    /// How many values lie in the last `window_secs` seconds, this one included.
    fn counted(&mut self, points: &[Point], window_secs: f64, out: &mut Vec<Point>) {
        let window = (window_secs * 1e9).round() as i64;
        for &(t, v) in points {
            while self.points.front().is_some_and(|p| t.since(p.0) >= window) {
                self.points.pop_front();
            }
            self.points.push_back((t, v));
            out.push((t, if v.is_nan() { f64::NAN } else { self.points.len() as f64 }));
        }
    }
}

fn secs(from: Time, to: Time) -> f64 {
    to.since(from) as f64 * 1e-9
}

fn mean_of(window: &VecDeque<Point>, f: impl Fn(f64) -> f64) -> f64 {
    window.iter().map(|p| f(p.1)).sum::<f64>() / window.len() as f64
}

fn mean(window: &VecDeque<Point>) -> f64 {
    mean_of(window, |v| v)
}

/// Of the population, as numpy's.
fn variance(window: &VecDeque<Point>) -> f64 {
    let mean = mean(window);
    mean_of(window, |v| (v - mean) * (v - mean))
}

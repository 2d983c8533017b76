//! What depends on the values before: derivatives, windows, counters, and how several series combine.
//!
//! Invariants: a value that is not a number is a gap: it stays one, and nothing is computed across it; points stay sorted.

use std::collections::VecDeque;

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

impl Transform {
    pub fn apply(self, points: &[Point]) -> Vec<Point> {
        match self {
            Transform::Derivative => steps(points, |dt, a, b| (dt > 0.0).then(|| (b - a) / dt)),
            Transform::Delta => steps(points, |_, a, b| Some(b - a)),
            Transform::TimeSincePrevious => steps(points, |dt, _, _| Some(dt)),
            Transform::Integral => integral(points),
            Transform::MovingAverage(n) => windows(points, n, mean),
            Transform::MovingRms(n) => windows(points, n, |w| mean_of(w, |v| v * v).sqrt()),
            Transform::MovingVariance(n) => windows(points, n, variance),
            Transform::MovingStddev(n) => windows(points, n, |w| variance(w).sqrt()),
            Transform::OutlierRemoval(factor) => without_spikes(points, factor),
            Transform::SamplesCounter(secs) => counted(points, secs),
            Transform::Shift(secs) => {
                let nanos = (secs * 1e9).round() as i64;
                points.iter().map(|(t, v)| (t.plus_nanos(nanos), *v)).collect()
            }
        }
    }
}

fn secs(from: Time, to: Time) -> f64 {
    to.since(from) as f64 * 1e-9
}

/// From each value to the next: `f(seconds, before, now)`; None leaves the point out.
fn steps(points: &[Point], f: impl Fn(f64, f64, f64) -> Option<f64>) -> Vec<Point> {
    let pair = |w: &[Point]| match *w {
        [(t0, a), (t1, b)] => {
            let value = if a.is_nan() || b.is_nan() {
                Some(f64::NAN)
            } else {
                f(secs(t0, t1), a, b)
            };
            value.map(|v| (t1, v))
        }
        _ => None,
    };
    points.windows(2).filter_map(pair).collect()
}

fn integral(points: &[Point]) -> Vec<Point> {
    let mut sum = 0.0;
    let mut before: Option<Point> = None;
    let step = |&(t, v): &Point| {
        if v.is_nan() {
            before = None;
            return (t, v);
        }
        if let Some((t0, a)) = before {
            sum += secs(t0, t) * (a + v) / 2.0;
        }
        before = Some((t, v));
        (t, sum)
    };
    points.iter().map(step).collect()
}

/// `f` of the last `n` values at each value; fewer at the start.
fn windows(points: &[Point], n: usize, f: impl Fn(&VecDeque<f64>) -> f64) -> Vec<Point> {
    let mut window: VecDeque<f64> = VecDeque::with_capacity(n.min(points.len()) + 1);
    let step = |&(t, v): &Point| {
        if v.is_nan() {
            window.clear();
            return (t, v);
        }
        if window.len() == n {
            window.pop_front();
        }
        window.push_back(v);
        (t, f(&window))
    };
    points.iter().map(step).collect()
}

fn mean_of(window: &VecDeque<f64>, f: impl Fn(f64) -> f64) -> f64 {
    window.iter().map(|v| f(*v)).sum::<f64>() / window.len() as f64
}

fn mean(window: &VecDeque<f64>) -> f64 {
    mean_of(window, |v| v)
}

/// Of the population, as numpy's.
fn variance(window: &VecDeque<f64>) -> f64 {
    let mean = mean(window);
    mean_of(window, |v| (v - mean) * (v - mean))
}

/// A value is a spike where the steps to it and from it go opposite ways and the larger is more than `factor` times the step
/// before. The first two and the last stay.
fn without_spikes(points: &[Point], factor: f64) -> Vec<Point> {
    let is_spike = |i: usize| {
        let at = |i: Option<usize>| i.and_then(|i| points.get(i)).map(|p| p.1);
        let (Some(first), Some(before), Some(v), Some(after)) = (at(i.checked_sub(2)), at(i.checked_sub(1)), at(Some(i)), at(Some(i + 1)))
        else {
            return false;
        };
        let (d0, d1, d2) = (before - first, v - before, after - v);
        d1 * d2 < 0.0 && d1.abs().max(d2.abs()) > factor * d0.abs()
    };
    let kept = |(i, point): (usize, &Point)| (!is_spike(i)).then_some(*point);
    points.iter().enumerate().filter_map(kept).collect()
}

/// How many values lie in the last `secs` seconds, this one included.
fn counted(points: &[Point], window_secs: f64) -> Vec<Point> {
    let window = (window_secs * 1e9).round() as i64;
    let mut first = 0;
    let step = |(i, (t, v)): (usize, &Point)| {
        while points.get(first).is_some_and(|p| t.since(p.0) >= window) && first < i {
            first += 1;
        }
        (*t, if v.is_nan() { f64::NAN } else { (i + 1 - first) as f64 })
    };
    points.iter().enumerate().map(step).collect()
}

/// Sample and hold: at each time of any input `f` of the newest value of each, from when all have one.
pub fn combined(inputs: &[&[Point]], f: impl Fn(&[f64]) -> f64) -> Vec<Point> {
    let mut heads = vec![0_usize; inputs.len()];
    let mut held = vec![None; inputs.len()];
    let mut out: Vec<Point> = Vec::with_capacity(inputs.iter().map(|i| i.len()).max().unwrap_or(0));
    let mut values = vec![0.0; inputs.len()];
    loop {
        let next = inputs.iter().zip(&heads).filter_map(|(i, h)| i.get(*h)).map(|p| p.0).min();
        let Some(t) = next else { return out };
        for ((input, head), held) in inputs.iter().zip(&mut heads).zip(&mut held) {
            while let Some(point) = input.get(*head).filter(|p| p.0 <= t) {
                *held = Some(point.1);
                *head += 1;
            }
        }
        if held.iter().zip(&mut values).all(|(h, v)| h.map(|h| *v = h).is_some()) {
            out.push((t, f(&values)));
        }
    }
}

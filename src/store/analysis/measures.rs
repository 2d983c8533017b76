//! Spectrum, histogram and pairs of values: pure functions.
//!
//! Invariants: what is not a number takes no part in a spectrum or a histogram; no more is held at once than is said here, however many
//! values there are.

use std::collections::HashMap;

use rustfft::FftPlanner;
use rustfft::num_complex::Complex64;

use crate::path::Point;

/// Values that a spectrum is of at most: the last ones.
pub const MOST_FFT: usize = 1 << 20;
/// Of more pairs the corners of runs are kept.
pub const MOST_PAIRS: usize = 200_000;
/// More different values are not told apart.
pub const MOST_DISTINCT: usize = 1000;
/// Pairs that are kept of a run: the least and greatest x and y, and a gap.
const CORNERS: usize = 5;

/// Amplitude over frequency in hertz, the mean removed: `2 |X_k| / n` at `k / (n dt)` for k from 1 to n / 2, as if the values were
/// evenly spaced; at n / 2 itself, which has no twin, `|X_k| / n`. Nothing of fewer than 4 values; of more than [`MOST_FFT`] the last ones, then false comes with it.
pub fn spectrum(points: impl Iterator<Item = Point>) -> (Vec<(f64, f64)>, bool) {
    let mut kept: Vec<Point> = Vec::new();
    let mut is_whole = true;
    for point in points.filter(|p| p.1.is_finite()) {
        if kept.len() == 2 * MOST_FFT {
            kept.drain(..MOST_FFT);
            is_whole = false;
        }
        kept.push(point);
    }
    let surplus = kept.len().saturating_sub(MOST_FFT);
    is_whole &= surplus == 0;
    kept.drain(..surplus);
    (amplitudes(&kept), is_whole)
}

fn amplitudes(points: &[Point]) -> Vec<(f64, f64)> {
    let (Some(first), Some(last), n) = (points.first(), points.last(), points.len()) else {
        return Vec::new();
    };
    let secs = last.0.since(first.0) as f64 * 1e-9;
    if n < 4 || secs <= 0.0 {
        return Vec::new();
    }
    let dt = secs / (n - 1) as f64;
    let mean = points.iter().map(|p| p.1).sum::<f64>() / n as f64;
    let mut values: Vec<Complex64> = points.iter().map(|p| Complex64::new(p.1 - mean, 0.0)).collect();
    FftPlanner::new().plan_fft_forward(n).process(&mut values);
    let scaled = |(k, x): (usize, &Complex64)| {
        let twins = if 2 * k == n { 1.0 } else { 2.0 };
        (k as f64 / (n as f64 * dt), twins * x.norm() / n as f64)
    };
    values.iter().enumerate().take(n / 2 + 1).skip(1).map(scaled).collect()
}

/// The edges of `bins` bars of one width from the least to the greatest value, and how many values fall into each (a value on an
/// edge into the upper one, the greatest into the last): numpy's `histogram`.
pub fn histogram(values: impl Iterator<Item = f64> + Clone, bins: usize) -> (Vec<f64>, Vec<u64>) {
    let values = values.filter(|v| v.is_finite());
    let fold = values.clone().fold(None, |e: Option<(f64, f64)>, v| {
        Some(e.map_or((v, v), |(low, high)| (low.min(v), high.max(v))))
    });
    let Some((mut low, mut high)) = fold.filter(|_| bins > 0) else {
        return (Vec::new(), Vec::new());
    };
    if low == high {
        (low, high) = (low - 0.5, high + 0.5);
    }
    let width = (high - low) / bins as f64;
    let mut edges: Vec<f64> = (0..bins).map(|i| low + i as f64 * width).collect();
    edges.push(high);
    let mut counts = vec![0; bins];
    for value in values {
        let mut at = (((value - low) / (high - low) * bins as f64) as usize).min(bins - 1);
        if edges.get(at).is_some_and(|edge| value < *edge) {
            at = at.saturating_sub(1);
        } else if at + 1 < bins && edges.get(at + 1).is_some_and(|edge| value >= *edge) {
            at += 1;
        }
        if let Some(count) = counts.get_mut(at) {
            *count += 1;
        }
    }
    (edges, counts)
}

/// Each value and how often it comes, by value; of the values after the first [`MOST_DISTINCT`] none, then false comes with it.
pub fn distinct(values: impl Iterator<Item = f64>) -> (Vec<(f64, f64)>, bool) {
    let mut counts: HashMap<u64, u64> = HashMap::new();
    let mut is_whole = true;
    // one zero
    for bits in values.filter(|v| !v.is_nan()).map(|v| (v + 0.0).to_bits()) {
        let room = counts.len() < MOST_DISTINCT;
        match counts.get_mut(&bits) {
            Some(count) => *count += 1,
            None if room => drop(counts.insert(bits, 1)),
            None => is_whole = false,
        }
    }
    let mut out: Vec<(f64, f64)> = counts.into_iter().map(|(v, count)| (f64::from_bits(v), count as f64)).collect();
    out.sort_by(|a, b| a.0.total_cmp(&b.0));
    (out, is_whole)
}

/// `y` against `x`: values of one time go in pairs where there are equally many; otherwise the newest `x` at or before it goes with
/// each `y`.
pub fn pairs(x: impl Iterator<Item = Point>, y: impl Iterator<Item = Point>, mut each: impl FnMut((f64, f64))) {
    let (mut x, mut y) = (x.peekable(), y.peekable());
    let mut held = None;
    let (mut same, mut group): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    while let Some((t, _)) = y.peek().copied() {
        while let Some(point) = x.next_if(|p| p.0 < t) {
            held = Some(point.1);
        }
        same.clear();
        same.extend(std::iter::from_fn(|| x.next_if(|p| p.0 == t)).map(|p| p.1));
        group.clear();
        group.extend(std::iter::from_fn(|| y.next_if(|p| p.0 == t)).map(|p| p.1));
        held = same.last().copied().or(held);
        if same.len() == group.len() {
            same.iter().zip(&group).for_each(|(x, y)| each((*x, *y)));
        } else if let Some(x) = held {
            group.iter().for_each(|y| each((x, *y)));
        }
    }
}

/// What is drawn of pairs that `walk` hands out, the same each time: all of them, or the corners of runs, so that no peak is lost.
pub fn thinned(walk: impl Fn(&mut dyn FnMut((f64, f64)))) -> Vec<(f64, f64)> {
    let mut count = 0;
    let mut extent = [(f64::MAX, f64::MIN); 2];
    walk(&mut |(x, y)| {
        count += 1;
        for (side, v) in extent.iter_mut().zip([x, y]).filter(|(_, v)| v.is_finite()) {
            *side = (side.0.min(v), side.1.max(v));
        }
    });
    if count <= MOST_PAIRS {
        let mut all = Vec::with_capacity(count);
        walk(&mut |pair| all.push(pair));
        return all;
    }
    let mut distinct = 0_usize;
    apart(&walk, extent, |_| distinct += 1);
    let run_len = distinct.div_ceil(MOST_PAIRS / CORNERS);
    let mut out = Vec::new();
    let mut run = Vec::new();
    apart(&walk, extent, |pair| {
        run.push(pair);
        if run.len() >= run_len {
            corners(&run, &mut out);
            run.clear();
        }
    });
    corners(&run, &mut out);
    out
}

/// Without pairs that would lie on the pixel of the one before, on a screen of 8,192 × 8,192.
fn apart(walk: impl Fn(&mut dyn FnMut((f64, f64))), [wide, high]: [(f64, f64); 2], mut each: impl FnMut((f64, f64))) {
    const PIXELS: f64 = 8192.0;
    let pixel = |v: f64, (low, high): (f64, f64)| ((v - low) / (high - low).max(f64::MIN_POSITIVE) * PIXELS) as i64;
    let mut last = None;
    walk(&mut |(x, y)| {
        let at = Some((pixel(x, wide), pixel(y, high), !x.is_finite() || !y.is_finite()));
        if at != last {
            each((x, y));
        }
        last = at;
    });
}

fn corners(run: &[(f64, f64)], out: &mut Vec<(f64, f64)>) {
    if run.len() <= CORNERS {
        return out.extend_from_slice(run);
    }
    let is_gap = |p: &(f64, f64)| !p.0.is_finite() || !p.1.is_finite();
    let numbers = || run.iter().enumerate().filter(|(_, p)| !is_gap(p));
    let x = |a: &(usize, &(f64, f64)), b: &(usize, &(f64, f64))| a.1.0.total_cmp(&b.1.0);
    let y = |a: &(usize, &(f64, f64)), b: &(usize, &(f64, f64))| a.1.1.total_cmp(&b.1.1);
    let extremes = [numbers().min_by(x), numbers().max_by(x), numbers().min_by(y), numbers().max_by(y)];
    let gap = run.iter().position(is_gap);
    let mut kept: Vec<usize> = extremes.into_iter().flatten().map(|e| e.0).chain(gap).collect();
    kept.sort_unstable();
    kept.dedup();
    out.extend(kept.iter().filter_map(|at| run.get(*at)));
}

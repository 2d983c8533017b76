//! Spectrum, histogram and pairs of series: pure functions of values.
//!
//! Invariant: what is not a number takes no part.

use rustfft::FftPlanner;
use rustfft::num_complex::Complex64;

use crate::path::Point;

/// Of more values no spectrum is made: it would be felt.
pub const MOST_FFT: usize = 1 << 20;

/// Amplitude over frequency in hertz, the mean removed: `2 |X_k| / n` at `k / (n dt)` for k from 1 to n / 2, as if the values were
/// evenly spaced. Nothing of fewer than 4 values; of more than [`MOST_FFT`] the last ones.
pub fn spectrum(points: &[Point]) -> Vec<(f64, f64)> {
    let points: Vec<Point> = points.iter().copied().filter(|p| p.1.is_finite()).collect();
    let points = points.get(points.len().saturating_sub(MOST_FFT)..).unwrap_or_default();
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
    let scaled = |(k, x): (usize, &Complex64)| (k as f64 / (n as f64 * dt), 2.0 * x.norm() / n as f64);
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

/// `y` against `x`: values of one time go in pairs where there are equally many; otherwise the newest `x` at or before it goes with
/// each `y`.
pub fn pairs(x: &[Point], y: &[Point]) -> Vec<(f64, f64)> {
    let mut out = Vec::with_capacity(y.len());
    let (mut at, mut held) = (0, None);
    for group in y.chunk_by(|a, b| a.0 == b.0) {
        let Some(t) = group.first().map(|p| p.0) else { continue };
        while let Some(point) = x.get(at).filter(|p| p.0 < t) {
            held = Some(point.1);
            at += 1;
        }
        let same = x.get(at..).unwrap_or_default();
        let same = same.get(..same.partition_point(|p| p.0 == t)).unwrap_or_default();
        if same.len() == group.len() {
            out.extend(same.iter().zip(group).map(|(x, y)| (x.1, y.1)));
            continue;
        }
        if let Some(x) = same.last().map(|p| p.1).or(held) {
            out.extend(group.iter().map(|y| (x, y.1)));
        }
    }
    out
}

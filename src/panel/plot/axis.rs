//! Where the axes of values put their marks, and how they read. Those of time are [`crate::panel::time_axis`].
//!
//! Invariant: labels tell each mark from the next.

use egui_plot::{GridInput, GridMark};

/// The closest lines are so many points apart.
pub const LINES_APART: f64 = 14.0;

/// Marks at 1, 2 and 5 times powers of ten: those that get a label are at least `labels_apart` times as far apart as the closest lines.
pub fn value_marks(input: GridInput, labels_apart: f64) -> Vec<GridMark> {
    let coarse = round_step(input.base_step_size * labels_apart);
    marks(input, coarse)
}

/// As [`value_marks`], for labels that stand side by side: farther apart where they are long.
pub fn wide_marks(input: GridInput, labels_apart: f64, more_characters: usize) -> Vec<GridMark> {
    const CHARACTER: f64 = 7.0;
    let mut coarse = round_step(input.base_step_size * labels_apart);
    for _ in 0..8 {
        let ends = [input.bounds.0, input.bounds.1].map(|end| value_text((end / coarse).round() * coarse, coarse).chars().count());
        let width = (ends[0].max(ends[1]) + more_characters) as f64 * CHARACTER;
        if coarse / input.base_step_size * LINES_APART >= width {
            break;
        }
        coarse = round_step(coarse * 1.01);
    }
    marks(input, coarse)
}

/// Whether the label of a mark stands at the lower end of an upright axis, beside the labels of the axis below.
pub fn has_label_at_start(range: (f64, f64), height: f32, flip: bool) -> bool {
    const REACH: f64 = 8.0;
    let points = f64::from(height.max(1.0)) / (range.1 - range.0);
    let input = GridInput {
        bounds: range,
        base_step_size: LINES_APART / points,
    };
    let end = if flip { range.1 } else { range.0 };
    let near = |mark: &GridMark| (mark.value - end).abs() * points < REACH && mark.step_size * points >= 18.0;
    value_marks(input, 2.2).iter().any(near)
}

/// The right range, widened so that its marks at the left axis' grid lines are round too.
pub fn aligned(left: (f64, f64), right: (f64, f64), height: f32) -> (f64, f64) {
    // as egui_plot hands it to `value_marks`
    let base = (left.1 - left.0) / f64::from(height.max(1.0)) * LINES_APART;
    let step = round_step(base * 2.2);
    let (first, last) = ((left.0 / step).floor(), (left.1 / step).ceil());
    let lines = (last - first).max(1.0);
    let mut right_step = round_step((right.1 - right.0) / lines);
    for _ in 0..8 {
        let low = (right.0 / right_step).floor() * right_step;
        // value = low + (left - first * step) * right_step / step
        let at = |v: f64| low + (v - first * step) * right_step / step;
        if at(left.0) <= right.0 && at(left.1) >= right.1 {
            return (at(left.0), at(left.1));
        }
        // a line lower, where that is enough
        let lower = |v: f64| at(v) - right_step;
        if lower(left.0) <= right.0 && lower(left.1) >= right.1 {
            return (lower(left.0), lower(left.1));
        }
        right_step = round_step(right_step * 1.01);
    }
    right
}

/// The least of 1, 2 and 5 times powers of ten that is not less.
fn round_step(least: f64) -> f64 {
    if !least.is_finite() || least <= 0.0 {
        return 1.0;
    }
    let decade = 10_f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|f| f * decade);
    steps.into_iter().find(|s| *s >= least * 0.999_999).unwrap_or(decade * 10.0)
}

fn marks(input: GridInput, coarse: f64) -> Vec<GridMark> {
    let parts = [10, 5, 2].into_iter().find(|parts| coarse / *parts as f64 >= input.base_step_size);
    let parts: i64 = parts.unwrap_or(1);
    let fine = coarse / parts as f64;
    let (low, high) = input.bounds;
    let first = (low / fine).ceil();
    let count = ((high - low) / fine).clamp(0.0, 2000.0) as i64 + 1;
    (0..count)
        .map(|i| ((first + i as f64) * fine, (first % parts as f64) as i64 + i))
        .filter(|(value, _)| *value <= high)
        .map(|(value, number)| GridMark {
            value,
            step_size: if number % parts == 0 { coarse } else { fine },
        })
        .collect()
}

/// As many decimals as the step needs; very large and very small ones with an exponent.
pub fn value_text(value: f64, step: f64) -> String {
    let value = if value.abs() < step * 1e-6 { 0.0 } else { value };
    if value != 0.0 && !(1e-4..1e6).contains(&value.abs()) {
        // so many digits tell a mark from the next
        let digits = (value.abs() / step).log10().ceil();
        return match digits > 4.0 && value.abs() >= 1e6 {
            true => format!("{value:.*}", decimals(step)),
            false => format!("{value:.*e}", digits.clamp(1.0, 4.0) as usize),
        };
    }
    let decimals = decimals(step);
    format!("{value:.decimals$}")
}

/// As many as the step itself needs: 1 of 0.5, 2 of 0.25.
fn decimals(step: f64) -> usize {
    let exact = |decimals: &usize| {
        let scaled = step * 10_f64.powi(*decimals as i32);
        scaled >= 1.0 - 1e-9 && (scaled - scaled.round()).abs() < 1e-6 * scaled.max(1.0)
    };
    if step <= 0.0 { 0 } else { (0..9).find(exact).unwrap_or(9) }
}

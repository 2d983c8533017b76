//! Where the axes put their marks, and how they read.
//!
//! Invariant: marks lie on round times of a clock (1, 2, 5 of a second; 15, 30 of a minute), never on powers of ten of minutes.

use egui_plot::{GridInput, GridMark};

/// Steps of a time axis in seconds.
const STEPS_SECS: [f64; 34] = [
    1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0,
    30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 21_600.0, 86_400.0,
];

/// Marks at round times: those that get a label are `labels_apart` times as far apart as the closest allowed.
pub fn time_marks(input: GridInput, labels_apart: f64) -> Vec<GridMark> {
    let fitting = |least: f64| STEPS_SECS.iter().copied().find(|s| *s >= least).unwrap_or(86_400.0);
    let coarse = fitting(input.base_step_size * labels_apart);
    let fine = STEPS_SECS
        .iter()
        .copied()
        .find(|s| *s >= input.base_step_size && is_multiple(coarse, *s))
        .unwrap_or(coarse);
    marks(input.bounds, fine, coarse)
}

/// Marks at 1, 2 and 5 times powers of ten; as [`time_marks`].
pub fn value_marks(input: GridInput, labels_apart: f64) -> Vec<GridMark> {
    let coarse = round_step(input.base_step_size * labels_apart);
    let fine = [0.1, 0.2, 0.5]
        .map(|f| f * coarse)
        .into_iter()
        .find(|s| *s >= input.base_step_size && is_multiple(coarse, *s));
    marks(input.bounds, fine.unwrap_or(coarse), coarse)
}

/// The right range, widened so that its marks at the left axis' grid lines are round too.
pub fn aligned(left: (f64, f64), right: (f64, f64), height: f32) -> (f64, f64) {
    // as egui_plot hands it to `value_marks`: the closest lines are 14 points apart
    let base = (left.1 - left.0) / f64::from(height.max(1.0)) * 14.0;
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

fn marks((low, high): (f64, f64), fine: f64, coarse: f64) -> Vec<GridMark> {
    let first = (low / fine).ceil();
    let count = ((high - low) / fine).clamp(0.0, 2000.0) as usize + 1;
    (0..count)
        .map(|i| (first + i as f64) * fine)
        .filter(|value| *value <= high)
        .map(|value| GridMark {
            value,
            step_size: if is_multiple(value, coarse) { coarse } else { fine },
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

fn is_multiple(value: f64, of: f64) -> bool {
    let times = value / of;
    (times - times.round()).abs() < 1e-6 * times.abs().max(1.0)
}

/// `12.5 s`, with as many decimals as the step needs.
pub fn secs_text(secs: f64, step_secs: f64) -> String {
    let decimals = decimals(step_secs);
    let secs = if secs == 0.0 { 0.0 } else { secs };
    format!("{secs:.decimals$} s")
}

/// `12:26:43.2`, with as many decimals as the step needs; whole minutes without seconds.
pub fn clock_text(secs_of_day: f64, step_secs: f64) -> String {
    let decimals = decimals(step_secs);
    let day = secs_of_day.rem_euclid(86_400.0);
    let minutes = (day / 60.0 + 1e-9).floor();
    let (h, m) = ((minutes / 60.0).floor(), minutes % 60.0);
    if step_secs >= 60.0 {
        return format!("{h:02.0}:{m:02.0}");
    }
    let s = (day - minutes * 60.0).max(0.0);
    let width = if decimals == 0 { 2 } else { 3 + decimals };
    format!("{h:02.0}:{m:02.0}:{s:0width$.decimals$}")
}

/// As many as the step itself needs: 1 of 0.5, 2 of 0.25.
fn decimals(step: f64) -> usize {
    let exact = |decimals: &usize| {
        let scaled = step * 10_f64.powi(*decimals as i32);
        scaled >= 1.0 - 1e-9 && (scaled - scaled.round()).abs() < 1e-6 * scaled.max(1.0)
    };
    if step <= 0.0 { 0 } else { (0..9).find(exact).unwrap_or(9) }
}

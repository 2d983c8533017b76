//! Marks of axes of time: one table of steps, from a nanosecond to centuries, and how their labels read.
//!
//! Invariants: marks lie on round times of a clock (1, 2, 5 of a second; 15, 30 of a minute), never on powers of ten of minutes; no label
//! touches the next.

use crate::time::{self, Time};

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// In nanoseconds.
const STEPS: [i64; 59] = [
    1,
    2,
    5,
    10,
    20,
    50,
    100,
    200,
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    20_000,
    50_000,
    100_000,
    200_000,
    500_000,
    1_000_000,
    2_000_000,
    5_000_000,
    10_000_000,
    20_000_000,
    50_000_000,
    100_000_000,
    200_000_000,
    500_000_000,
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    5 * DAY,
    10 * DAY,
    20 * DAY,
    50 * DAY,
    100 * DAY,
    200 * DAY,
    500 * DAY,
    1_000 * DAY,
    2_000 * DAY,
    5_000 * DAY,
    10_000 * DAY,
    20_000 * DAY,
    50_000 * DAY,
];

/// Points between two lines, at least.
const LINES_APART: f64 = 14.0;
/// Points between two labels, at least.
const LABELS_APART: f64 = 14.0;
/// Points that a character of a label takes at most.
const CHARACTER: f64 = 7.0;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Labels {
    /// Times are told from the axis' zero.
    Elapsed,
    /// The axis' zero is this time; clock and date are told, UTC.
    Clock(Time),
}

/// Where an axis has its marks. Times are nanoseconds from its zero.
#[derive(Clone, Copy, Debug)]
pub struct TimeAxis {
    from: i64,
    to: i64,
    fine: i64,
    labelled: i64,
    labels: Labels,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark {
    pub nanos: i64,
    pub has_label: bool,
}

impl TimeAxis {
    /// `width`: points from the one end to the other.
    pub fn new(from: i64, to: i64, width: f32, labels: Labels) -> TimeAxis {
        let nanos_a_point = (to as f64 - from as f64).max(1.0) / f64::from(width.max(1.0));
        let points = |step: i64| step as f64 / nanos_a_point;
        let mut axis = TimeAxis {
            from,
            to,
            fine: DAY,
            labelled: DAY,
            labels,
        };
        let midnight = Some(to.div_euclid(DAY).saturating_mul(DAY)).filter(|midnight| *midnight >= from);
        let fits = |step: &&i64| {
            axis.labelled = **step;
            let [first, last] = [from, to].map(|end| end.div_euclid(**step).saturating_mul(**step));
            let lengths = [first, last]
                .into_iter()
                .chain(midnight)
                .map(|nanos| axis.text(nanos).chars().count());
            points(**step) >= lengths.max().unwrap_or(0) as f64 * CHARACTER + LABELS_APART
        };
        let labelled = STEPS.iter().find(fits).copied().unwrap_or(100_000 * DAY);
        let fine = STEPS.iter().find(|step| points(**step) >= LINES_APART && labelled % **step == 0);
        axis.labelled = labelled;
        axis.fine = fine.copied().unwrap_or(labelled);
        axis
    }

    /// Between two marks; between two that have a label.
    pub fn steps(&self) -> (i64, i64) {
        (self.fine, self.labelled)
    }

    pub fn marks(&self) -> impl Iterator<Item = Mark> {
        let (fine, labelled, to) = (self.fine, self.labelled, self.to);
        let first = self.from.div_euclid(fine);
        let at = move |n: i64| (first + n).checked_mul(fine);
        let marks = (0..).map_while(at).take_while(move |nanos| *nanos <= to);
        let from = self.from;
        marks.filter(move |nanos| *nanos >= from).map(move |nanos| Mark {
            nanos,
            has_label: nanos % labelled == 0,
        })
    }

    /// What stands at a mark.
    pub fn text(&self, nanos: i64) -> String {
        let digits = fraction_digits(self.labelled);
        match self.labels {
            Labels::Clock(zero) => self.clock_text(zero.plus_nanos(nanos), digits),
            Labels::Elapsed if self.from.saturating_abs().max(self.to.saturating_abs()) < HOUR => {
                format!("{} s", time::format_seconds(nanos, digits))
            }
            Labels::Elapsed if self.labelled % DAY == 0 => format!("{} d", nanos / DAY),
            Labels::Elapsed => time::format_elapsed(nanos, digits),
        }
    }

    fn clock_text(&self, t: Time, digits: usize) -> String {
        let of_day = t.nanos().rem_euclid(DAY);
        if self.labelled >= DAY || of_day == 0 && self.labelled >= MINUTE {
            return time::format_date(t);
        }
        let text = time::format_time_of_day_to(t, digits);
        match self.labelled >= MINUTE {
            true => text.get(..5).unwrap_or(&text).to_owned(),
            false => text,
        }
    }
}

fn fraction_digits(step: i64) -> usize {
    let mut unit = SECOND;
    let mut digits = 0;
    while step % unit != 0 && digits < 9 {
        unit /= 10;
        digits += 1;
    }
    digits
}

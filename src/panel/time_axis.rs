//! Marks of axes of time: one table of steps, from a nanosecond to centuries, and how their labels read.
//!
//! Invariants: marks lie on round times of a clock (1, 2, 5 of a second; 15, 30 of a minute), never on powers of ten of minutes, and of
//! dates on first days of months and years; no label touches the next.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

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

/// Of dates, from there on in months instead.
const MOST_DAYS: i64 = 10 * DAY;
const MONTHS: [i64; 13] = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1_200, 2_400, 6_000];
/// On average.
const MONTH: i64 = 2_629_746 * SECOND;

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
    fine: Step,
    labelled: Step,
    labels: Labels,
}

/// From one mark to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Nanos(i64),
    /// Of the calendar.
    Months(i64),
}

impl Step {
    fn nanos(self) -> i64 {
        match self {
            Step::Nanos(nanos) => nanos,
            Step::Months(months) => months * MONTH,
        }
    }

    /// Whether each of the other's marks is one of its own.
    fn divides(self, other: Step) -> bool {
        match (self, other) {
            (Step::Nanos(own), Step::Nanos(other)) | (Step::Months(own), Step::Months(other)) => other % own == 0,
            _ => false,
        }
    }
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
        let points = |step: &Step| step.nanos() as f64 / nanos_a_point;
        let mut axis = TimeAxis {
            from,
            to,
            fine: Step::Nanos(1),
            labelled: Step::Nanos(DAY),
            labels,
        };
        let most = if labels == Labels::Elapsed { i64::MAX } else { MOST_DAYS };
        let months = MONTHS.into_iter().filter(|_| labels != Labels::Elapsed).map(Step::Months);
        let nanos = STEPS.into_iter().filter(|step| *step <= most).map(Step::Nanos);
        let steps: Vec<Step> = nanos.chain(months).collect();
        let midnight = Some(to.div_euclid(DAY).saturating_mul(DAY)).filter(|midnight| *midnight >= from);
        let fits = |step: &&Step| {
            axis.labelled = **step;
            let [first, last] = [from, to].map(|end| axis.mark_before(end, **step));
            let lengths = [first, last]
                .into_iter()
                .chain(midnight)
                .map(|nanos| axis.text(nanos).chars().count());
            points(step) >= lengths.max().unwrap_or(0) as f64 * CHARACTER + LABELS_APART
        };
        let labelled = steps.iter().find(fits).copied().unwrap_or(Step::Nanos(100_000 * DAY));
        let fine = steps.iter().find(|step| points(step) >= LINES_APART && step.divides(labelled));
        axis.labelled = labelled;
        axis.fine = fine.copied().unwrap_or(labelled);
        axis
    }

    /// Between two marks; between two that have a label: about so many nanoseconds.
    pub fn steps(&self) -> (i64, i64) {
        (self.fine.nanos(), self.labelled.nanos())
    }

    pub fn marks(&self) -> impl Iterator<Item = Mark> {
        let axis = *self;
        let first = axis.number_of(axis.from, axis.fine);
        let marks = (first..).map_while(move |number| Some((number, axis.time_of(number, axis.fine)?)));
        let within = marks
            .take_while(move |(_, nanos)| *nanos <= axis.to)
            .filter(move |(_, nanos)| *nanos >= axis.from);
        within.map(move |(number, nanos)| Mark {
            nanos,
            has_label: match (axis.fine, axis.labelled) {
                (Step::Months(fine), Step::Months(labelled)) => (number * fine) % labelled == 0,
                (_, labelled) => nanos % labelled.nanos() == 0,
            },
        })
    }

    /// How many steps lead to the mark at or before `nanos`: from the axis' zero, or from the year 0.
    fn number_of(&self, nanos: i64, step: Step) -> i64 {
        match step {
            Step::Nanos(step) => nanos.div_euclid(step),
            Step::Months(months) => {
                let date = date_of(self.zero().plus_nanos(nanos));
                (i64::from(date.year()) * 12 + i64::from(date.month()) - 1).div_euclid(months)
            }
        }
    }

    fn time_of(&self, number: i64, step: Step) -> Option<i64> {
        match step {
            Step::Nanos(step) => number.checked_mul(step),
            Step::Months(months) => {
                let month = number.checked_mul(months)?;
                let (year, month) = (
                    i16::try_from(month.div_euclid(12)).ok()?,
                    i8::try_from(month.rem_euclid(12) + 1).ok()?,
                );
                let start = DateTime::new(year, month, 1, 0, 0, 0, 0).ok()?;
                let start = TimeZone::UTC.to_timestamp(start).ok()?;
                let nanos = i64::try_from(start.as_nanosecond()).ok()?;
                nanos.checked_sub(self.zero().nanos())
            }
        }
    }

    fn mark_before(&self, nanos: i64, step: Step) -> i64 {
        self.time_of(self.number_of(nanos, step), step).unwrap_or(nanos)
    }

    fn zero(&self) -> Time {
        match self.labels {
            Labels::Clock(zero) => zero,
            Labels::Elapsed => Time(0),
        }
    }

    /// What stands at a mark, which may be a little beside its time.
    pub fn text(&self, nanos: i64) -> String {
        let near = self.fine.nanos() / 2;
        let nanos = self.mark_before(nanos.saturating_add(near), self.fine);
        let step = self.labelled.nanos();
        let digits = fraction_digits(step);
        match self.labels {
            Labels::Clock(zero) => self.clock_text(zero.plus_nanos(nanos), digits),
            Labels::Elapsed if self.from.saturating_abs().max(self.to.saturating_abs()) < HOUR => {
                format!("{} s", time::format_seconds(nanos, digits))
            }
            Labels::Elapsed if step % DAY == 0 => format!("{} d", nanos / DAY),
            Labels::Elapsed => time::format_elapsed(nanos, digits),
        }
    }

    fn clock_text(&self, t: Time, digits: usize) -> String {
        let of_day = t.nanos().rem_euclid(DAY);
        let step = match self.labelled {
            Step::Months(months) => {
                let length = if months % 12 == 0 { 4 } else { 7 };
                return time::format_date(t).get(..length).unwrap_or_default().to_owned();
            }
            Step::Nanos(step) => step,
        };
        if step >= DAY || of_day == 0 && step >= MINUTE {
            return time::format_date(t);
        }
        let text = time::format_time_of_day_to(t, digits);
        match step >= MINUTE {
            true => text.get(..5).unwrap_or(&text).to_owned(),
            false => text,
        }
    }
}

/// UTC.
fn date_of(t: Time) -> Date {
    let stamp = jiff::Timestamp::from_nanosecond(i128::from(t.nanos())).unwrap_or_default();
    TimeZone::UTC.to_datetime(stamp).date()
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

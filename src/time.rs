//! Instants and spans of a recording: integer nanoseconds, and every spelling of a time that users type or paste.
//!
//! Invariant: nothing here reads a clock. "Now" is always an argument.

mod parse;
mod show;

pub use parse::{TimeError, When};
pub use show::{
    format_date, format_duration, format_elapsed, format_epoch, format_in_zone, format_local, format_relative, format_seconds,
    format_time_of_day, format_time_of_day_to, format_utc, rfc3339,
};

/// An instant, in nanoseconds since the Unix epoch. ROS `time` (u32 s, u32 ns) always fits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

impl Time {
    pub const MIN: Time = Time(i64::MIN);
    pub const MAX: Time = Time(i64::MAX);

    pub fn from_sec_nsec(sec: u32, nsec: u32) -> Time {
        Time(i64::from(sec) * 1_000_000_000 + i64::from(nsec))
    }

    pub fn nanos(self) -> i64 {
        self.0
    }

    /// Seconds since the epoch; loses precision below about 200 ns for today's dates: for display and plots only.
    pub fn secs(self) -> f64 {
        self.0 as f64 * 1e-9
    }

    /// Seconds since the epoch: the number that its decimal digits are read as, so that `1600000002.941` stays that.
    pub fn nearest_secs(self) -> f64 {
        let (secs, nanos) = (self.0.div_euclid(1_000_000_000), self.0.rem_euclid(1_000_000_000));
        format!("{secs}.{nanos:09}").parse().unwrap_or_else(|_| self.secs())
    }

    /// `self - earlier`, in nanoseconds.
    pub fn since(self, earlier: Time) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    pub fn plus_nanos(self, nanos: i64) -> Time {
        Time(self.0.saturating_add(nanos))
    }
}

/// A closed interval of time: both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    pub start: Time,
    pub end: Time,
}

impl Span {
    pub const ALL: Span = Span {
        start: Time::MIN,
        end: Time::MAX,
    };

    pub fn new(start: Time, end: Time) -> Span {
        Span { start, end }
    }

    pub fn at(t: Time) -> Span {
        Span { start: t, end: t }
    }

    pub fn nanos(self) -> i64 {
        self.end.since(self.start)
    }

    pub fn contains(self, t: Time) -> bool {
        self.start <= t && t <= self.end
    }

    pub fn overlaps(self, other: Span) -> bool {
        self.start <= other.end && other.start <= self.end
    }

    /// The smallest span that holds both.
    pub fn union(self, other: Span) -> Span {
        Span {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    /// The part that lies in `other`; an end of it where they do not overlap.
    pub fn within(self, other: Span) -> Span {
        Span {
            start: other.clamp(self.start),
            end: other.clamp(self.end),
        }
    }

    pub fn clamp(self, t: Time) -> Time {
        t.max(self.start).min(self.end.max(self.start))
    }

    pub fn at_fraction(self, fraction: f64) -> Time {
        self.start.plus_nanos((self.nanos() as f64 * fraction).round() as i64)
    }
}

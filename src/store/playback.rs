//! The playhead's movement: plain data, ticked with the time that passed. Invariant: it never leaves the span it plays in.

use crate::time::{Span, Time};

/// The one clock. Plain data; ticked by the window with the time that passed.
#[derive(Clone, Debug, PartialEq)]
pub struct Playback {
    pub now: Time,
    pub playing: bool,
    /// 1 = real time; negative plays backwards.
    pub speed: f64,
    /// Played again and again, if any: what of it lies in the recording.
    pub looping: Option<Span>,
}

impl Playback {
    /// Moves the playhead by `elapsed_nanos` of wall time, not while `waiting` (buffering); stops or wraps at the ends.
    pub fn tick(&mut self, elapsed_nanos: i64, span: Span, waiting: bool) {
        if !self.playing || waiting {
            return;
        }
        let next = self.now.plus_nanos((elapsed_nanos as f64 * self.speed) as i64);
        match self.looping {
            Some(looped) => self.now = wrapped(looped.within(span), next),
            None => {
                self.now = span.clamp(next);
                // At rest on a bound it moves towards, it has arrived.
                let bound = if self.speed < 0.0 { span.start } else { span.end };
                self.playing = self.now != bound;
            }
        }
    }
}

/// `t` folded into `bounds`; what overshoots an end goes on from the other.
fn wrapped(bounds: Span, t: Time) -> Time {
    if bounds.contains(t) {
        return t;
    }
    let length = i128::from(bounds.end.0) - i128::from(bounds.start.0);
    if length <= 0 {
        return bounds.start;
    }
    let offset = (i128::from(t.0) - i128::from(bounds.start.0)).rem_euclid(length);
    // `offset` is below `length`, so this fits.
    Time(i64::try_from(i128::from(bounds.start.0) + offset).unwrap_or(bounds.start.0))
}

//! How many requests run at a time: as many as still bring more bytes a second, and no more, so that what the playhead needs
//! next does not wait behind them.
//!
//! Climbs a hill: measures, tries more, keeps that if it helped; later tries fewer, keeps that if it cost nothing. Only
//! windows count in which requests were waiting, for else the number is not what limits.
//!
//! Invariants: 2 to 16; nothing here reads a clock.

use std::time::Duration;

const FEWEST: usize = 2;
pub(super) const MOST: usize = 16;
const AT_FIRST: usize = 12;
/// More requests have to bring this part of what they would bring if each were as quick as before.
const WORTH: f64 = 0.12;
/// Fewer requests may cost this much.
const SPARED: f64 = 0.95;
/// Windows between two trials.
const REST: u32 = 6;

/// The number, and what was measured with it.
#[derive(Clone, Debug)]
pub struct Pace {
    limit: usize,
    phase: Phase,
    /// Bytes a second with the best number known.
    reference: f64,
    next_is_up: bool,
    window: Option<Window>,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    First,
    Up { from: usize, rate: f64 },
    Down { from: usize },
    Rest { left: u32 },
}

#[derive(Clone, Copy, Debug)]
struct Window {
    since: Duration,
    bytes: u64,
    /// Requests that ended: those that began under another limit are passed over first.
    passed: usize,
    ended: usize,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            limit: AT_FIRST,
            phase: Phase::First,
            reference: 0.0,
            next_is_up: true,
            window: None,
        }
    }
}

impl Pace {
    /// Requests that may run at a time.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// A request ended at `now`; `bytes` have come over the network so far; whether others were waiting.
    pub fn ended(&mut self, now: Duration, bytes: u64, others_wait: bool) {
        if !others_wait {
            self.window = None;
            return;
        }
        let fresh = Window {
            since: now,
            bytes,
            passed: 0,
            ended: 0,
        };
        let window = self.window.get_or_insert(fresh);
        if window.passed < self.limit / 2 {
            window.passed += 1;
            (window.since, window.bytes) = (now, bytes);
            return;
        }
        window.ended += 1;
        // what is gained by more is wanted soon; what fewer would cost has to be certain
        let enough = match self.phase {
            Phase::First | Phase::Up { .. } => self.limit,
            Phase::Down { .. } | Phase::Rest { .. } => self.limit + self.limit / 2,
        };
        if window.ended < enough {
            return;
        }
        let secs = now.saturating_sub(window.since).as_secs_f64();
        let came = bytes.saturating_sub(window.bytes);
        self.window = None;
        // what the cache answered says nothing of the network
        if secs > 0.0 && came > 0 {
            self.measured(came as f64 / secs);
        }
    }

    fn measured(&mut self, rate: f64) {
        match self.phase {
            Phase::First => {
                self.reference = rate;
                self.up(rate);
            }
            Phase::Up { from, rate: before } => {
                let more = self.limit as f64 / from as f64 - 1.0;
                if rate > before * (1.0 + WORTH * more) {
                    self.reference = rate;
                    self.up(rate);
                } else {
                    self.limit = from;
                    self.rest(false);
                }
            }
            Phase::Down { from } => {
                if rate >= self.reference * SPARED {
                    self.down();
                } else {
                    self.limit = from;
                    self.rest(true);
                }
            }
            Phase::Rest { left } if left > 0 => self.phase = Phase::Rest { left: left - 1 },
            Phase::Rest { .. } => {
                self.reference = rate;
                if self.next_is_up { self.up(rate) } else { self.down() }
            }
        }
    }

    fn up(&mut self, rate: f64) {
        if self.limit >= MOST {
            return self.rest(false);
        }
        self.phase = Phase::Up { from: self.limit, rate };
        self.limit = (self.limit + (self.limit / 2).max(1)).min(MOST);
    }

    fn down(&mut self) {
        if self.limit <= FEWEST {
            return self.rest(true);
        }
        self.phase = Phase::Down { from: self.limit };
        self.limit = (self.limit - (self.limit / 3).max(1)).max(FEWEST);
    }

    fn rest(&mut self, next_is_up: bool) {
        self.phase = Phase::Rest { left: REST };
        self.next_is_up = next_is_up;
    }
}

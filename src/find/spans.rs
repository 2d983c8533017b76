//! From when a condition was true until when, of its truth over time.

use crate::time::{Span, Time};

/// What of the spans counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Parts of spans outside are cut off.
    pub within: Span,
    /// Shorter ones are left out, in nanoseconds.
    pub min_length: i64,
    /// Spans no further apart become one, in nanoseconds.
    pub merge_gap: i64,
    /// Bytes that are read ahead; None: as many as make it fastest.
    pub ahead_bytes: Option<u64>,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            within: Span::ALL,
            min_length: 0,
            merge_gap: 0,
            ahead_bytes: None,
        }
    }
}

/// Turns truth over time into spans.
#[derive(Debug)]
pub(super) struct Spans {
    bounds: Bounds,
    /// Since when it is true.
    since: Option<Time>,
    /// A span that the next one may become one with.
    held: Option<Span>,
    pub found: Vec<Span>,
}

impl Spans {
    pub fn new(bounds: Bounds) -> Spans {
        Spans {
            bounds,
            since: None,
            held: None,
            found: Vec::new(),
        }
    }

    /// From `time` on it is true, or not. Times do not fall.
    pub fn take(&mut self, time: Time, is_true: bool) {
        match (self.since, is_true) {
            (None, true) => self.since = Some(time),
            (Some(since), false) => {
                self.since = None;
                self.close(Span::new(since, time));
            }
            _ => {}
        }
        let earliest = self.since.unwrap_or(time);
        if self.held.is_some_and(|held| earliest.since(held.end) > self.bounds.merge_gap) {
            self.release();
        }
    }

    /// Nothing is known from `time` on.
    pub fn end(&mut self, time: Time) {
        if let Some(since) = self.since.take() {
            self.close(Span::new(since, time.max(since)));
        }
        self.release();
    }

    fn close(&mut self, span: Span) {
        let within = self.bounds.within;
        // one that ends as the bounds begin has no part in them
        let is_before = span.end <= within.start && span.start < within.start;
        if is_before || span.start > within.end {
            return;
        }
        let span = span.within(within);
        match &mut self.held {
            Some(held) if span.start.since(held.end) <= self.bounds.merge_gap => held.end = span.end,
            _ => {
                self.release();
                self.held = Some(span);
            }
        }
    }

    fn release(&mut self) {
        let long = self.held.take().filter(|span| span.nanos() >= self.bounds.min_length);
        self.found.extend(long);
    }
}

//! Playing: the playhead goes on with the frames, and steps from message to message.

use super::AppState;
use crate::store::{Lookup, Playback};
use crate::time::{Span, Time};

impl AppState {
    /// Moves the playhead on by the time since the last pass.
    pub(super) fn tick(&mut self, seconds: f64) {
        let elapsed = seconds - self.last_seconds.replace(seconds).unwrap_or(seconds);
        if !self.playback.playing {
            return;
        }
        if elapsed > 0.0 {
            let hz = (1.0 / elapsed) as f32;
            let known = self.frames.smoothed_hz;
            self.frames.smoothed_hz = if known > 0.0 { known * 0.9 + hz * 0.1 } else { hz };
        }
        // a window that was hidden does not leap ahead
        let elapsed_nanos = (elapsed.clamp(0.0, 0.25) * 1e9) as i64;
        let span = self.span();
        let reaches = self.playback.now.plus_nanos((elapsed_nanos as f64 * self.playback.speed) as i64);
        // more comes after what is known to be the end
        let to_the_end = self.playback.looping.is_none_or(|looped| looped == Span::ALL);
        let at_end = to_the_end && reaches >= span.end && self.may_go_on();
        self.playback.tick(elapsed_nanos, span, self.status.buffering || at_end);
    }

    /// Goes to the message before or after, once the store knows when it is.
    pub(super) fn step_when_known(&mut self) {
        let (Some(topic), true) = (self.selected_topic, self.pending_step != 0) else {
            return;
        };
        match self.store.neighbours(topic) {
            Lookup::Ready((before, after)) => {
                let target = if self.pending_step > 0 { after } else { before };
                self.pending_step = 0;
                if let Some(t) = target {
                    self.seek(t);
                    (self.waker)();
                }
            }
            Lookup::Pending => {}
            Lookup::Absent | Lookup::Failed(_) => self.pending_step = 0,
        }
    }
}

pub(super) fn still() -> Playback {
    Playback {
        now: Time(0),
        playing: false,
        speed: 1.0,
        looping: None,
    }
}

pub(super) fn speed_in_range(speed: f64) -> f64 {
    if speed.is_finite() { speed.clamp(0.01, 10.0) } else { 1.0 }
}

//! How long reads wait for an answer, and how often they ask.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How patient reads are.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Requests in a row that brought nothing, after which a read fails.
    pub attempts: u32,
    /// Waits before asking again are drawn from 0 to `backoff · 2ⁿ`, at most `backoff_max`.
    pub backoff: Duration,
    pub backoff_max: Duration,
    /// A request that sends nothing for this long is given up and goes on as another one, where it stopped; sooner where the
    /// store has answered much sooner so far ([`Patience`]); doubled at each attempt up to `idle_max`.
    pub idle: Duration,
    pub idle_max: Duration,
    pub connect: Duration,
    /// A server without ranges: files up to this size are read whole and kept in memory.
    pub whole_bytes: u64,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            attempts: 6,
            backoff: Duration::from_millis(100),
            backoff_max: Duration::from_secs(5),
            idle: Duration::from_secs(2),
            idle_max: Duration::from_secs(30),
            connect: Duration::from_secs(10),
            whole_bytes: 64 * 1024 * 1024,
        }
    }
}

/// How soon answers begin, as far as was seen: one that takes many times longer has stalled.
#[derive(Debug, Default)]
pub(super) struct Patience {
    /// Smoothed; 0 before the first answer.
    answer_micros: AtomicU64,
}

impl Patience {
    /// Times the usual, after which a request counts as stalled.
    const MANY: u64 = 12;
    /// A busy machine pauses for this long without anything being wrong.
    const LEAST: Duration = Duration::from_millis(500);

    pub(super) fn answered_after(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).clamp(1, 60_000_000);
        let smooth = |known: u64| Some(if known == 0 { took } else { (known * 7 + took) / 8 });
        let _ = self.answer_micros.fetch_update(Ordering::Relaxed, Ordering::Relaxed, smooth);
    }

    pub(super) fn idle(&self, policy: &Policy) -> Duration {
        match self.answer_micros.load(Ordering::Relaxed) {
            0 => policy.idle,
            usual => Duration::from_micros(usual * Patience::MANY).max(Patience::LEAST).min(policy.idle),
        }
    }
}

//! How long reads wait for an answer, and how often they ask.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::request::Failed;
use super::{Location, Net, SourceError};

/// How patient reads are.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Requests in a row that brought nothing, after which a read fails.
    pub attempts: u32,
    /// Waits before asking again are drawn from 0 to `backoff · 2ⁿ`, at most `backoff_max`.
    pub backoff: Duration,
    pub backoff_max: Duration,
    /// Where a request sends nothing for this long, what is left of it is asked for a second time, and the first of both to
    /// answer is taken; sooner where the store has answered much sooner so far ([`Patience`]); doubled at each attempt in vain
    /// up to `idle_max`.
    pub idle: Duration,
    pub idle_max: Duration,
    pub connect: Duration,
    /// A server without ranges: files up to this size are read whole and kept in memory.
    pub whole_bytes: u64,
    /// How long URLs work that are signed here, to be read from here; they are signed again when a third of that is left.
    pub url_life: Duration,
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
            url_life: Duration::from_secs(15 * 60),
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

/// Counts attempts of one read.
pub(super) struct Tries<'a> {
    policy: &'a Policy,
    idle: Duration,
    in_vain: u32,
    all: u32,
    repairs: u32,
}

impl Tries<'_> {
    pub(super) fn new(net: &Net) -> Tries<'_> {
        Tries {
            policy: &net.policy,
            idle: net.patience.idle(&net.policy),
            in_vain: 0,
            all: 0,
            repairs: 0,
        }
    }

    pub(super) fn idle(&self) -> Duration {
        self.idle.saturating_mul(1 << self.in_vain.min(16)).min(self.policy.idle_max)
    }

    pub(super) fn progressed(&mut self) {
        self.in_vain = 0;
    }

    /// One link that does not work is replaced, then another; a third one shows that something else is wrong.
    pub(super) fn may_repair(&self) -> bool {
        self.repairs < 2
    }

    pub(super) fn repaired(&mut self) {
        self.repairs += 1;
    }

    /// Waits before the next attempt, or gives the error back where another one is no use.
    pub(super) async fn again(&mut self, failed: Failed, net: &Net, at: &Location) -> Result<(), SourceError> {
        self.in_vain += 1;
        self.all += 1;
        // A server that cuts every answer after a few bytes makes progress for ever.
        if !failed.error.is_transient() || self.in_vain >= self.policy.attempts || self.all >= self.policy.attempts.saturating_mul(16) {
            return Err(failed.error.after(self.all));
        }
        net.traffic.retries.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(%at, attempt = self.all, error = %failed.error, "asking again");
        let cap = self
            .policy
            .backoff
            .saturating_mul(1 << self.in_vain.min(16))
            .min(self.policy.backoff_max);
        let jittered = cap.mul_f64(fastrand::f64());
        tokio::time::sleep(
            failed
                .retry_after
                .map_or(jittered, |told| told.min(self.policy.backoff_max).max(jittered)),
        )
        .await;
        Ok(())
    }
}

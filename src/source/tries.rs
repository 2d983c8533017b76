//! When asking again is worth it, and how long to wait before.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Location, Net, Policy, SourceError};

/// Why one request failed, and how long the server wants us to wait.
pub(super) struct Failed {
    pub(super) error: SourceError,
    pub(super) retry_after: Option<Duration>,
}

impl From<SourceError> for Failed {
    fn from(error: SourceError) -> Failed {
        Failed { error, retry_after: None }
    }
}

/// Counts attempts of one read.
pub(super) struct Tries<'a> {
    policy: &'a Policy,
    in_vain: u32,
    all: u32,
    repairs: u32,
}

impl Tries<'_> {
    pub(super) fn new(policy: &Policy) -> Tries<'_> {
        Tries {
            policy,
            in_vain: 0,
            all: 0,
            repairs: 0,
        }
    }

    pub(super) fn idle(&self) -> Duration {
        self.policy.idle.saturating_mul(1 << self.in_vain.min(16)).min(self.policy.idle_max)
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
        net.traffic().retries.fetch_add(1, Ordering::Relaxed);
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

//! Counters of what was read, for the status line and `--stats`.

use std::sync::atomic::{AtomicU64, Ordering};

/// What was read so far, by all readers of one [`Net`](super::Net).
#[derive(Debug, Default)]
pub struct Traffic {
    pub(super) requests: AtomicU64,
    pub(super) bytes: AtomicU64,
    pub(super) retries: AtomicU64,
    cache_hits: AtomicU64,
    cache_bytes: AtomicU64,
    disk_reads: AtomicU64,
    disk_bytes: AtomicU64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrafficSnapshot {
    /// HTTP requests sent, repeated ones included.
    pub requests: u64,
    /// Body bytes received over HTTP.
    pub bytes: u64,
    /// Requests that were made again.
    pub retries: u64,
    /// Parts of reads that the cache answered.
    pub cache_hits: u64,
    pub cache_bytes: u64,
    pub disk_reads: u64,
    pub disk_bytes: u64,
}

/// What S3 asks for a thousand GET requests, in dollars.
const USD_PER_1000_REQUESTS: f64 = 0.0004;

impl TrafficSnapshot {
    /// Which part of what came from afar, or would have, came from the cache: 0 to 1.
    pub fn hit_rate(&self) -> f64 {
        match self.bytes + self.cache_bytes {
            0 => 0.0,
            all => self.cache_bytes as f64 / all as f64,
        }
    }

    /// What the store's owner is asked for it, about, in dollars.
    pub fn egress_usd(&self, usd_per_gb: f64) -> f64 {
        self.bytes as f64 / 1e9 * usd_per_gb + self.requests as f64 / 1000.0 * USD_PER_1000_REQUESTS
    }
}

impl Traffic {
    pub fn snapshot(&self) -> TrafficSnapshot {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        TrafficSnapshot {
            requests: get(&self.requests),
            bytes: get(&self.bytes),
            retries: get(&self.retries),
            cache_hits: get(&self.cache_hits),
            cache_bytes: get(&self.cache_bytes),
            disk_reads: get(&self.disk_reads),
            disk_bytes: get(&self.disk_bytes),
        }
    }

    pub(super) fn cached(&self, bytes: usize) {
        self.cache_hits.fetch_add(1, Ordering::Relaxed);
        self.cache_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn disk(&self, bytes: usize) {
        self.disk_reads.fetch_add(1, Ordering::Relaxed);
        self.disk_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

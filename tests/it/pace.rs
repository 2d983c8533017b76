//! The number of requests at a time, on networks that are computed.

use std::time::Duration;

use proptest::prelude::*;
use roadreel::run::Pace;

/// A network: each request waits for the latency, then takes its connection's rate, or its share of the line's.
#[derive(Clone, Debug)]
struct Network {
    latency_secs: f64,
    connection_rate: f64,
    line_rate: f64,
    request_bytes: f64,
}

impl Network {
    fn request_secs(&self, parallel: usize) -> f64 {
        self.latency_secs + self.request_bytes / self.connection_rate.min(self.line_rate / parallel as f64)
    }

    fn rate(&self, parallel: usize) -> f64 {
        parallel as f64 * self.request_bytes / self.request_secs(parallel)
    }

    fn best(&self) -> f64 {
        (2..=16).map(|n| self.rate(n)).fold(0.0, f64::max)
    }

    /// Requests ever waiting, `count` of them; returns the limits after each.
    fn run(&self, pace: &mut Pace, count: usize, seed: u64) -> Vec<usize> {
        let mut random = fastrand::Rng::with_seed(seed);
        let (mut now, mut bytes) = (0.0, 0.0);
        let mut limits = Vec::new();
        for _ in 0..count {
            let parallel = pace.limit();
            let jitter = 0.97 + 0.06 * random.f64();
            now += self.request_secs(parallel) / parallel as f64 * jitter;
            bytes += self.request_bytes;
            pace.ended(Duration::from_secs_f64(now), bytes as u64, true);
            limits.push(pace.limit());
        }
        limits
    }
}

proptest! {
    #[test]
    fn it_finds_a_number_that_is_as_good_as_the_best(
        latency_millis in 1.0..300.0f64,
        connection in 0.5..50.0f64,
        line in 2.0..500.0f64,
        request in 0.2..8.0f64,
        seed in any::<u64>(),
    ) {
        let network = Network {
            latency_secs: latency_millis / 1e3,
            connection_rate: connection * 1e6,
            line_rate: line * 1e6,
            request_bytes: request * 1e6,
        };
        let limits = network.run(&mut Pace::default(), 2000, seed);
        prop_assert!(limits.iter().all(|n| (2..=16).contains(n)));
        // trials of worse numbers included
        let later = &limits[500..];
        let mean = later.iter().map(|n| network.rate(*n)).sum::<f64>() / later.len() as f64;
        prop_assert!(mean > 0.85 * network.best(), "{mean} of {}: {:?}", network.best(), &later[later.len() - 20..]);
    }
}

#[test]
fn connections_that_do_not_hinder_each_other_are_used_soon() {
    // 40 ms, 4 MB/s a connection
    let network = Network {
        latency_secs: 0.04,
        connection_rate: 4e6,
        line_rate: 1e9,
        request_bytes: 4e6,
    };
    let limits = network.run(&mut Pace::default(), 60, 1);
    assert_eq!(limits.last(), Some(&16), "{limits:?}");
}

#[test]
fn a_narrow_line_is_not_crowded() {
    let network = Network {
        latency_secs: 0.005,
        connection_rate: 1e8,
        line_rate: 3e6,
        request_bytes: 2e6,
    };
    let limits = network.run(&mut Pace::default(), 1000, 1);
    assert!(limits[300..].iter().all(|n| *n <= 6), "{:?}", &limits[300..]);
}

#[test]
fn nothing_is_learned_while_nothing_waits() {
    let mut pace = Pace::default();
    for n in 0..1000 {
        pace.ended(Duration::from_millis(n), n * 1000, false);
    }
    assert_eq!(pace.limit(), 12);
}

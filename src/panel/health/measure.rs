//! What the times of a topic's messages say: rate, jitter, gaps, skew, order.
//!
//! Definitions, so that a script can check them: the period is the time between one message and the next by receive time; the rate
//! is one over the mean period; jitter is the standard deviation of the periods; a gap is a period of more than [`GAP_PERIODS`]
//! times the median or the mean, whichever is longer (bursts make the median short); skew is receive time minus header stamp; a message is out of order when its stamp is earlier than that of one received
//! before it.

use std::sync::Arc;

use crate::decode::Rows;
use crate::time::{Span, Time};

pub const GAP_PERIODS: f64 = 2.5;
const MOST_GAPS: usize = 10_000;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timing {
    pub messages: u64,
    pub first: Option<Time>,
    pub last: Option<Time>,
    pub median_period_nanos: i64,
    pub mean_period_nanos: f64,
    pub jitter_nanos: f64,
    pub longest: Option<Gap>,
    /// In time order.
    pub gaps: Vec<Gap>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gap {
    /// The message before it.
    pub from: Time,
    /// The first one after it.
    pub to: Time,
}

impl Gap {
    pub fn nanos(self) -> i64 {
        self.to.since(self.from)
    }
}

impl Timing {
    /// `blocks` by chunk, in any order; spans of which nothing is loaded make no gap.
    pub fn of<'a>(blocks: impl Iterator<Item = &'a Arc<Rows>>, loaded: &[Span]) -> Timing {
        let mut times: Vec<Time> = blocks.flat_map(|rows| rows.times()).copied().collect();
        times.sort_unstable();
        let whole = |from: Time, to: Time| loaded.len() < 2 || loaded.iter().any(|s| s.contains(from) && s.contains(to));
        let pairs = times
            .iter()
            .zip(times.iter().skip(1))
            .map(|(from, to)| Gap { from: *from, to: *to });
        let periods: Vec<Gap> = pairs.filter(|p| whole(p.from, p.to)).collect();
        let mut timing = Timing {
            messages: times.len() as u64,
            first: times.first().copied(),
            last: times.last().copied(),
            ..Timing::default()
        };
        if periods.is_empty() {
            return timing;
        }
        let mut nanos: Vec<i64> = periods.iter().map(|p| p.nanos()).collect();
        nanos.sort_unstable();
        timing.median_period_nanos = median(&nanos);
        let count = nanos.len() as f64;
        let mean = nanos.iter().map(|n| *n as f64).sum::<f64>() / count;
        timing.mean_period_nanos = mean;
        timing.jitter_nanos = (nanos.iter().map(|n| (*n as f64 - mean).powi(2)).sum::<f64>() / count).sqrt();
        timing.longest = periods.iter().copied().max_by_key(|p| p.nanos());
        let limit = mean.max(timing.median_period_nanos as f64) * GAP_PERIODS;
        let gaps = periods.into_iter().filter(|p| p.nanos() as f64 > limit);
        timing.gaps = gaps.take(MOST_GAPS).collect();
        timing
    }

    pub fn rate_hz(&self) -> Option<f64> {
        (self.mean_period_nanos > 0.0).then(|| 1e9 / self.mean_period_nanos)
    }
}

/// Of header stamps and sizes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stamping {
    pub stamped: u64,
    pub median_skew_nanos: i64,
    pub least_skew_nanos: i64,
    pub greatest_skew_nanos: i64,
    pub out_of_order: u64,
    pub mean_size_bytes: f64,
    pub greatest_size_bytes: u32,
}

impl Stamping {
    pub fn of<'a>(blocks: impl Iterator<Item = &'a Arc<Rows>>) -> Stamping {
        let mut all: Vec<(Time, Option<Time>)> = Vec::new();
        let mut stamping = Stamping::default();
        let mut sum = 0_u64;
        for rows in blocks {
            for (time, stamped) in rows.times().iter().zip(rows.stamps()) {
                all.push((*time, stamped.stamp));
                sum += u64::from(stamped.size_bytes);
                stamping.greatest_size_bytes = stamping.greatest_size_bytes.max(stamped.size_bytes);
            }
        }
        all.sort_by_key(|a| a.0);
        stamping.mean_size_bytes = sum as f64 / all.len().max(1) as f64;
        let mut latest = Time::MIN;
        let mut skews: Vec<i64> = Vec::with_capacity(all.len());
        for (time, stamp) in all {
            let Some(stamp) = stamp else { continue };
            skews.push(time.since(stamp));
            stamping.out_of_order += u64::from(stamp < latest);
            latest = latest.max(stamp);
        }
        skews.sort_unstable();
        stamping.stamped = skews.len() as u64;
        if let (Some(least), Some(greatest)) = (skews.first(), skews.last()) {
            stamping.least_skew_nanos = *least;
            stamping.greatest_skew_nanos = *greatest;
            stamping.median_skew_nanos = median(&skews);
        }
        stamping
    }
}

/// Of sorted values, not empty: the mean of the middle two where their number is even, cut to nanoseconds.
fn median(sorted: &[i64]) -> i64 {
    let middle = sorted.len() / 2;
    let at = |i: usize| sorted.get(i).copied().unwrap_or(0);
    if sorted.len() % 2 == 1 {
        at(middle)
    } else {
        let sum = i128::from(at(middle.saturating_sub(1))) + i128::from(at(middle));
        i64::try_from(sum / 2).unwrap_or(i64::MAX)
    }
}

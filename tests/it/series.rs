//! Series that are longer than the memory budget, and their figures.

use std::sync::Arc;

use roadreel::store::{Analysis, AnalysisQuery, MOST_PAIRS, Series, SeriesName, Signal, Stamp, Want, What};
use roadreel::time::{Span, Time};

use crate::long_series::{Long, PATH, SPIKES_APART, time_of, value_of};

/// Four million values in a budget that holds a tenth of them.
fn long() -> Long {
    let mut long = Long::new(14 << 20, 400, 10_000);
    let wants = long.wants(None);
    long.demand(time_of(0), &wants);
    long
}

const COUNT: u64 = 4_000_000;

fn brute(from: u64, to: u64) -> (f64, f64) {
    (from..=to)
        .map(value_of)
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)))
}

#[test]
fn no_peak_is_lost_at_any_zoom_when_points_are_given_up() {
    let long = long();
    assert!(long.series().is_complete(Span::ALL), "all of it is read");
    assert_eq!(long.series().len() as u64, COUNT);
    assert!(!long.series().has_points(Span::ALL), "the budget does not hold it");
    assert!(long.max_memory <= 14 << 20, "{} bytes", long.max_memory);
    let spikes: Vec<u64> = (0..COUNT).filter(|i| i % SPIKES_APART == SPIKES_APART / 2).collect();
    assert_eq!(spikes.len(), 5);
    // from all down to a second around each spike, with what is in memory alone
    for spike in &spikes {
        for width in [COUNT, 1_000_000, 300_000, 50_000, 7_000, 1_000] {
            let (from, to) = (spike.saturating_sub(width / 3), (spike + width / 2).min(COUNT - 1));
            let shown = long.series().decimated(Span::new(time_of(from), time_of(to)), 500);
            assert!(
                shown.iter().any(|p| *p == (time_of(*spike), value_of(*spike))),
                "the spike at {spike} is not drawn in a window of {width}"
            );
            assert!(shown.len() <= 500 * 5 + 2, "{} points drawn", shown.len());
            assert!(shown.is_sorted_by_key(|p| p.0));
        }
    }
    // nor the least value, which nothing sets apart
    let shown = long.series().decimated(Span::ALL, 300);
    let least = shown.iter().map(|p| p.1).fold(f64::INFINITY, f64::min);
    assert_eq!(least, brute(0, COUNT - 1).0);
}

#[test]
fn infinite_values_hide_no_peak() {
    // a peak and a valley beside infinities, in one pixel column
    let value = |i: i64| match i {
        5_000 => f64::INFINITY,
        5_001 => 80.0,
        5_002 => f64::NEG_INFINITY,
        5_003 => -90.0,
        i => (i % 7) as f64,
    };
    let points: Vec<(Time, f64)> = (0..100_000).map(|i| (Time(i * 1_000_000), value(i))).collect();
    let series = Series::of_points(&points);
    for columns in [10, 100, 1_000] {
        let shown = series.decimated(Span::ALL, columns);
        for point in &points[5_000..5_004] {
            assert!(shown.contains(point), "{point:?} in {columns} columns");
        }
    }
    assert_eq!(series.min_max(Span::ALL), Some((-90.0, 80.0)));
    let figures = series.statistics(Span::ALL);
    let ends = (figures.min().map(|p| p.1), figures.max().map(|p| p.1));
    assert_eq!(ends, (Some(f64::NEG_INFINITY), Some(f64::INFINITY)), "figures are numpy's");
}

#[test]
fn points_that_were_given_up_are_read_again_where_they_are_wanted() {
    let mut long = long();
    let before = long.reads;
    let (from, to) = (2_333_000, 2_340_000);
    let span = Span::new(time_of(from), time_of(to));
    let wants = long.wants(Some(span));
    long.demand(time_of(0), &wants);
    assert_eq!(long.reads - before, 2, "only the chunks of that span");
    let points = long.series().points(span).expect("they are there");
    assert_eq!(points.len() as u64, to - from + 1);
    assert!((from..=to).zip(&points).all(|(i, p)| *p == (time_of(i), value_of(i))));
    assert_eq!(long.series().len() as u64, COUNT, "nothing counts twice");
    let statistics = long.series().statistics(span);
    assert!(!statistics.is_rounded);
    let values: Vec<f64> = (from..=to).map(value_of).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    assert!((statistics.mean().expect("values") - mean).abs() < 1e-9);
    assert_eq!(long.series().min_max(span), Some(brute(from, to)));
    // and given up again elsewhere
    let other = Span::new(time_of(3_000_000), time_of(3_010_000));
    let wants = long.wants(Some(other));
    long.demand(time_of(0), &wants);
    assert!(long.series().has_points(other));
    assert!(long.max_memory <= 14 << 20, "{} bytes", long.max_memory);
}

/// Integrals need all values before, differences the one before, and neither is held whole.
#[test]
fn what_is_computed_from_a_long_series_is_computed_in_windows_within_the_budget() {
    // the summaries of both take 9 MB, the points of either 64 MB
    const BUDGET: u64 = 40 << 20;
    let mut long = Long::new(BUDGET, 400, 10_000);
    let mut signal = Signal::new("integral(/long.data) / 1000 - delta(/long.data) * 2", Stamp::Receive);
    signal.refresh(&long.store);
    let mut wants = Vec::new();
    signal.wants(Span::ALL, &mut wants);
    for _ in 0..200 {
        long.demand(time_of(0), &wants);
    }
    assert!(signal.is_complete(&long.store, Span::ALL));
    let series = signal.series(&long.store).expect("it is computed");
    assert_eq!(series.len() as u64, COUNT - 1, "all but the first value have one before");
    assert!(long.max_memory <= BUDGET, "{} bytes", long.max_memory);
    let (mut sum, mut low, mut high, mut last) = (0.0, f64::INFINITY, f64::NEG_INFINITY, 0.0);
    for i in 1..COUNT {
        let (before, v) = (value_of(i - 1), value_of(i));
        sum += 0.001 * (before + v) / 2.0;
        last = sum / 1000.0 - (v - before) * 2.0;
        (low, high) = (f64::min(low, last), f64::max(high, last));
    }
    let (found_low, found_high) = series.min_max(Span::ALL).expect("values");
    assert!(
        (found_low - low).abs() < 1e-9 && (found_high - high).abs() < 1e-9,
        "{found_low} to {found_high}"
    );
    let newest = series.value_at(time_of(COUNT)).expect("the last value");
    assert!((newest - last).abs() < 1e-9, "{newest}, not {last}");
    // its points are computed again where they are wanted
    let span = Span::new(time_of(1_000_000), time_of(1_001_000));
    signal.wants_points(span, &mut wants);
    for _ in 0..20 {
        long.demand(time_of(0), &wants);
    }
    let points = signal.series(&long.store).and_then(|s| s.points(span)).expect("they are there");
    assert_eq!(points.len(), 1001);
    let step = points[500].1 - points[499].1;
    let expected = 0.001 * (value_of(1_000_499) + value_of(1_000_500)) / 2000.0
        - 2.0 * (value_of(1_000_500) - 2.0 * value_of(1_000_499) + value_of(1_000_498));
    assert!((step - expected).abs() < 1e-9, "{step}, not {expected}");
    assert!(long.max_memory <= BUDGET, "{} bytes", long.max_memory);
}

#[test]
fn analyses_of_a_long_series_are_the_stores_work_and_of_all_values() {
    // three million values of 16 bytes, which the budget holds
    let mut long = Long::new(256 << 20, 300, 10_000);
    let series = long.wants(Some(Span::ALL));
    let name = SeriesName {
        topic: series[0].topic,
        text: PATH.into(),
        stamp: Stamp::Receive,
        is_derived: false,
    };
    let query = |analysis, span| {
        Arc::new(AnalysisQuery {
            analysis,
            of: name.clone(),
            against: (analysis == Analysis::Pairs).then(|| name.clone()),
            span,
        })
    };
    let part = Span::new(time_of(700_000), time_of(799_999));
    let [spectrum, histogram, pairs] = [
        query(Analysis::Spectrum, part),
        query(Analysis::Histogram { bins: 64 }, Span::ALL),
        query(Analysis::Pairs, Span::ALL),
    ];
    let mut wants = series.clone();
    wants.extend([&spectrum, &histogram, &pairs].map(|query| Want {
        topic: name.topic,
        what: What::Analysis(query.clone()),
    }));
    long.demand(time_of(0), &wants);
    assert!([&spectrum, &histogram, &pairs].iter().all(|query| long.store.is_analyzed(query)));
    assert!(!long.store.status().waiting);

    let of = |query: &AnalysisQuery| long.store.analyzed(query).expect("computed").clone();
    let values = || (700_000..800_000).map(|i| (time_of(i), value_of(i)));
    assert_eq!(of(&spectrum).points.to_vec(), roadreel::store::spectrum(values()).0);
    assert!(of(&spectrum).is_whole);

    let (edges, counts) = roadreel::store::histogram((0..3_000_000).map(value_of), 64);
    assert_eq!(counts.iter().sum::<u64>(), 3_000_000);
    let bars: Vec<(f64, f64)> = counts
        .iter()
        .zip(edges.windows(2))
        .flat_map(|(count, edge)| [(edge[0], *count as f64), (edge[1], *count as f64)])
        .collect();
    assert_eq!(of(&histogram).points.to_vec(), bars);

    // more than is drawn: the extremes are among what is left
    let drawn = of(&pairs);
    assert!(drawn.is_whole && drawn.points.len() <= MOST_PAIRS + 5, "{}", drawn.points.len());
    let spikes = (0..3_000_000).filter(|i| i % SPIKES_APART == SPIKES_APART / 2).map(value_of);
    let mut spikes = spikes.map(|v| (v, v));
    assert!(spikes.all(|spike| drawn.points.contains(&spike)));

    // what nobody wants any more is forgotten
    long.demand(time_of(0), &series);
    assert!(long.store.analyzed(&pairs).is_none());
}

#[test]
fn a_spectrum_is_of_the_last_values_where_there_are_too_many() {
    let most = roadreel::store::MOST_FFT as u64;
    let values = |from: u64, to: u64| (from..to).map(|i| (time_of(i), value_of(i)));
    let (whole, is_whole) = roadreel::store::spectrum(values(0, 2 * most + 1));
    assert!(!is_whole);
    assert_eq!(whole, roadreel::store::spectrum(values(most + 1, 2 * most + 1)).0);
}

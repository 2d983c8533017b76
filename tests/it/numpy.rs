//! Transforms, spectra, histograms and figures equal what numpy makes of the same values: `tests/numpy/expected.py`.

use std::sync::Arc;

use roadreel::decode::Schema;
use roadreel::path::{Column, Point, Program, TopicSchema, Variables, parse};
use roadreel::store::Series;
use roadreel::time::{Span, Time};
use serde_json::Value;

use crate::encode::Encoder;

fn expected() -> Value {
    serde_json::from_str(include_str!("../numpy/expected.json")).expect("JSON")
}

fn numbers(of: &Value) -> Vec<f64> {
    of.as_array()
        .expect("a list")
        .iter()
        .map(|v| v.as_f64().expect("a number"))
        .collect()
}

fn points(expected: &Value) -> Vec<Point> {
    let nanos = expected["nanos"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|v| v.as_i64().expect("an integer"));
    nanos.zip(numbers(&expected["values"])).map(|(t, v)| (Time(t), v)).collect()
}

#[track_caller]
fn equal(what: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(1.0_f64, |s, v| s.max(v.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= 1e-9 * scale, "{what}[{i}]: {found}, not {expected}");
    }
}

#[test]
fn transforms_equal_numpys() {
    let expected = expected();
    let points = points(&expected);
    let schema = Arc::new(Schema::ros1("std_msgs/Float64", "float64 data").expect("compiles"));
    let topics: [TopicSchema; 1] = [("/v".into(), Ok(schema))];
    for (modifier, key) in [
        ("derivative", "derivative"),
        ("delta", "delta"),
        ("timedelta", "timedelta"),
        ("time_since_previous", "timedelta"),
        ("integral", "integral"),
        ("moving_average(10)", "moving_average"),
        ("moving_rms", "moving_rms"),
        ("moving_variance(10)", "moving_variance"),
        ("moving_stddev(25)", "moving_stddev"),
        ("samples_counter(0.5)", "samples_counter"),
    ] {
        let expr = parse(&format!("/v.data.@{modifier}")).expect("parses");
        let program = Program::compile(&expr, &topics, &Variables::new()).expect("compiles");
        let found = program.points(&[&points]);
        let wanted = numbers(&expected[key]);
        let first = points.len() - wanted.len();
        assert!(
            found.iter().zip(&points[first..]).all(|(f, p)| f.0 == p.0),
            "{modifier}: at the values' times"
        );
        equal(modifier, &found.iter().map(|p| p.1).collect::<Vec<_>>(), &wanted);
    }
    let shifted = Program::compile(&parse("shift(/v.data, -1.5)").expect("parses"), &topics, &Variables::new()).expect("compiles");
    assert_eq!(shifted.points(&[&points])[7].0, points[7].0.plus_nanos(-1_500_000_000));
}

#[test]
fn spikes_are_removed_and_nothing_else() {
    let schema = Arc::new(Schema::ros1("std_msgs/Float64", "float64 data").expect("compiles"));
    let topics: [TopicSchema; 1] = [("/v".into(), Ok(schema))];
    let mut points: Vec<Point> = (0..100).map(|i| (Time(i * 1_000_000), f64::from(i as i32) * 0.1)).collect();
    points[30].1 = 50.0;
    points[70].1 = -8.0;
    // a step is no spike
    points[90..].iter_mut().for_each(|p| p.1 += 100.0);
    let program = Program::compile(&parse("/v.data.@outlier_removal(20)").expect("parses"), &topics, &Variables::new()).expect("compiles");
    let kept = program.points(&[&points]);
    let gone: Vec<i64> = points.iter().filter(|p| !kept.contains(p)).map(|p| p.0.0 / 1_000_000).collect();
    assert_eq!(gone, [30, 70]);
}

#[test]
fn figures_of_a_span_equal_numpys() {
    let expected = expected();
    let series = Series::of_points(&points(&expected));
    let found = series.statistics(Span::new(Time(2_000_000_000), Time(7_000_000_000)));
    let wanted = &expected["statistics"];
    assert_eq!(Some(found.count()), wanted["count"].as_u64());
    for (key, value) in [
        ("mean", found.mean()),
        ("stddev", found.stddev()),
        ("rms", found.rms()),
        ("mean_absolute", found.mean_absolute()),
        ("min", found.min().map(|p| p.1)),
        ("max", found.max().map(|p| p.1)),
        ("peak_to_peak", found.peak_to_peak()),
    ] {
        equal(key, &[value.expect("values")], &[wanted[key].as_f64().expect("a number")]);
    }
}

#[test]
fn figures_of_infinite_values_are_numpys() {
    let figures = |values: &[f64]| {
        let points: Vec<_> = (0..).map(|i| Time(i * 1_000_000)).zip(values.iter().copied()).collect();
        let found = Series::of_points(&points).statistics(Span::ALL);
        (
            found.mean().expect("values"),
            found.rms().expect("values"),
            found.stddev().expect("values"),
        )
    };
    let (mean, rms, deviation) = figures(&[1.0, f64::INFINITY, 2.0, f64::INFINITY, 3.0]);
    assert!(mean == f64::INFINITY && rms == f64::INFINITY && deviation.is_nan());
    let (mean, rms, _) = figures(&[1.0, f64::NEG_INFINITY, 2.0]);
    assert!(mean == f64::NEG_INFINITY && rms == f64::INFINITY);
    let (mean, rms, _) = figures(&[f64::INFINITY, 1.0, f64::NEG_INFINITY]);
    assert!(mean.is_nan() && rms == f64::INFINITY);
}

#[test]
fn angles_of_quaternions_equal_numpys() {
    let expected = expected();
    let schema = Schema::ros1("geometry_msgs/Quaternion", "float64 x\nfloat64 y\nfloat64 z\nfloat64 w").expect("compiles");
    let columns =
        ["roll", "pitch", "yaw"].map(|angle| Column::compile(&schema, &parse(&format!("/q.@{angle}")).expect("parses")).expect("compiles"));
    for (q, rpy) in expected["quaternions"]
        .as_array()
        .expect("a list")
        .iter()
        .zip(expected["rpy"].as_array().expect("a list"))
    {
        let message = Encoder::new().f64s(&numbers(q));
        let found: Vec<f64> = columns.iter().filter_map(|c| c.get(message.bytes())).collect();
        equal("roll, pitch, yaw", &found, &numbers(rpy));
    }
}

#[test]
fn spectra_and_histograms_equal_numpys() {
    let expected = expected();
    let points = points(&expected);
    let (spectrum, is_whole) = roadreel::store::spectrum(points.iter().copied());
    assert!(is_whole);
    equal(
        "frequency",
        &spectrum.iter().map(|p| p.0).collect::<Vec<_>>(),
        &numbers(&expected["frequency"]),
    );
    equal(
        "amplitude",
        &spectrum.iter().map(|p| p.1).collect::<Vec<_>>(),
        &numbers(&expected["amplitude"]),
    );
    // the waves that the signal is made of
    let strongest = |from: f64, to: f64| {
        let within = spectrum.iter().filter(|p| p.0 >= from && p.0 < to);
        within.max_by(|a, b| a.1.total_cmp(&b.1)).expect("bins").0
    };
    assert!((strongest(1.0, 9.0) - 5.0).abs() < 0.1);
    assert!((strongest(9.0, 20.0) - 12.5).abs() < 0.1);
    let (edges, counts) = roadreel::store::histogram(points.iter().map(|p| p.1), 37);
    equal("edges", &edges, &numbers(&expected["edges"]));
    assert_eq!(
        counts,
        expected["counts"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(Value::as_u64)
            .collect::<Vec<_>>()
    );
}

#[test]
fn pairs_go_by_time() {
    let paired = |x: &[Point], y: &[Point]| {
        let mut out = Vec::new();
        roadreel::store::pairs(x.iter().copied(), y.iter().copied(), |pair| out.push(pair));
        out
    };
    let t = Time;
    let x = [(t(0), 1.0), (t(10), 2.0), (t(20), 3.0), (t(20), 4.0)];
    let y = [(t(5), 10.0), (t(10), 20.0), (t(20), 30.0), (t(20), 40.0), (t(30), 50.0)];
    assert_eq!(paired(&x, &y), [(1.0, 10.0), (2.0, 20.0), (3.0, 30.0), (4.0, 40.0), (4.0, 50.0)]);
    assert_eq!(paired(&x[1..], &y[..1]), []);
}

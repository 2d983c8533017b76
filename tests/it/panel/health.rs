//! The topic health panel against `tests/topic_health.py`, which works the same out with rosbags and numpy.

use std::sync::Arc;

use egui::Theme;
use egui_kittest::kittest::Queryable as _;
use roadreel::decode::{Form, Rows};
use roadreel::panel::{Action, PanelState};
use roadreel::store::Timing;
use roadreel::time::{Span, Time};
use serde_json::json;

use super::drive;
use super::stage::{Stage, show};
use crate::data::data;
use crate::encode::Encoder;

#[test]
fn rates_gaps_and_skews_are_those_of_an_independent_script() {
    let Some(bag) = data("ros1/plotjuggler_tilt_laser.bag") else {
        return;
    };
    let config = json!({ "selected": "/imu_data" });
    let harness = show(Stage::open("health", &config, bag), [1100.0, 700.0], Theme::Dark);
    assert_eq!(harness.state().state(), PanelState::Ready);
    for row in [
        "/gravity_vector 356 20.1 Hz 65.9 ms 4 683 ms",
        "/imu_data 356 20.1 Hz 66.1 ms 5 683 ms",
        "/scan 178 10.0 Hz 65.5 ms 2 683 ms",
        "/temperature 712 40.2 Hz 52.9 ms 162 683 ms",
        "/tf 711 40.1 Hz 53.1 ms 161 682 ms",
        "/velocity 712 40.2 Hz 53 ms 162 683 ms",
    ] {
        harness.get_by_label(row);
    }
    // skew 81261155 1683503 681361660, none out of order; 321 bytes each
    for fact in ["81.3 ms (median)", "1.68 ms … 681 ms", "321 B (mean)", "20.1 Hz (mean)", "1358 Hz"] {
        harness.get_by_label(fact);
    }
}

#[test]
fn a_gap_is_found_and_a_click_goes_there() {
    // /rosout comes every 40 ms, /chatter every 400
    let config = json!({ "selected": "/diagnostics", "sort": "topic", "descending": false });
    let mut harness = show(Stage::new("health", &config), [1000.0, 600.0], Theme::Dark);
    harness.get_by_label("/rosout 50 25.0 Hz 0 s 0 40 ms");
    harness.get_by_label("/imu 200 100 Hz 0 s 0 10 ms");
    harness.get_by_label("No gaps");
    harness.get_by_label("Sort by Messages").click();
    harness.run_ok();
    assert_eq!(harness.state().panel.config()["sort"], json!("messages"));
    let mut late = Stage::new("health", &json!({ "selected": "/gappy" }));
    late.settle();
    let mut harness = show(late, [1000.0, 600.0], Theme::Light);
    harness.get_by_label("/gappy 25 12.6 Hz 90 ms 1 500 ms");
    harness.get_by_label("1 gap");
    harness.get_by_label_contains("+0.900 s   500 ms").click();
    harness.run_ok();
    let sought = harness.state().actions.iter().find_map(|a| match a {
        Action::Seek(t) => Some(*t),
        _ => None,
    });
    assert_eq!(sought, Some(drive::at(900_000_000)));
}

/// `tests/topic_health.py` tells the same of such a bag.
#[test]
fn silence_before_the_first_and_after_the_last_message_is_a_gap() {
    let point = || Encoder::new().header(0, drive::START_SEC, 0, "map").f64s(&[1.0, 2.0, 3.0]);
    let every = |topic: &'static str, from_ms: i64, step_ms: i64, count: i64| {
        (0..count).map(move |i| (topic, "geometry_msgs/PointStamped", (from_ms + i * step_ms) * 1_000_000, point()))
    };
    let mut all: Vec<drive::Said> = every("/steady", 0, 500, 121).collect();
    all.extend(every("/dies", 100, 100, 200));
    all.extend(every("/starts", 40_000, 100, 201));
    // a recorder takes its time; few have no rhythm, and what is latched counts on
    all.extend(every("/soon", 900, 100, 583));
    all.extend(every("/few", 0, 100, 9));
    all.extend(every("/latched/tf_static", 0, 100, 20));
    let (folder, path) = drive::said(&all);
    let config = json!({ "sort": "topic", "descending": false, "selected": "/dies" });
    let mut stage = Stage::open("health", &config, path);
    stage.keep(folder);
    let mut harness = show(stage, [1100.0, 600.0], Theme::Dark);
    for row in [
        "/dies 200 10.0 Hz 0 s 1 40 s",
        "/starts 201 10.0 Hz 0 s 1 40 s",
        "/soon 583 10.0 Hz 0 s 0 100 ms",
        "/few 9 10.0 Hz 0 s 0 100 ms",
        "/latched/tf_static 20 10.0 Hz 0 s 0 100 ms",
        "/steady 121 2.00 Hz 0 s 0 500 ms",
    ] {
        harness.get_by_label(row);
    }
    harness.get_by_label("1 gap");
    harness.get_by_label("+20.000 s   40 s   400.0 ×   to the recording's end").click();
    harness.run_ok();
    let sought = |harness: &egui_kittest::Harness<'_, Stage>| -> Vec<Time> {
        let seeks = harness.state().actions.iter().filter_map(|a| match a {
            Action::Seek(t) => Some(*t),
            _ => None,
        });
        seeks.collect()
    };
    assert_eq!(sought(&harness), [drive::at(20_000_000_000)]);
    harness.get_by_label("/starts 201 10.0 Hz 0 s 1 40 s").click();
    harness.run_ok();
    harness.get_by_label("+0.000 s   40 s   400.0 ×   until the first message").click();
    harness.run_ok();
    assert_eq!(sought(&harness).last(), Some(&drive::at(0)));

    // a part in which it is not heard of at all counts; a log beside it, with times of its own, does not
    let folder = tempfile::tempdir().expect("a folder");
    let place = |name: &str| folder.path().join(name);
    let write = |name: &str, messages: &[drive::Said]| {
        let (_folder, path) = drive::said(messages);
        std::fs::copy(path, place(name)).expect("copied");
    };
    let mut first: Vec<drive::Said> = every("/steady", 0, 500, 20).collect();
    first.extend(every("/dies", 0, 100, 100));
    write("drive_0.bag", &first);
    write("drive_1.bag", &every("/steady", 10_000, 500, 21).collect::<Vec<_>>());
    let log = format!("[INFO] [{}.0]: long after\n", drive::START_SEC + 1_000);
    std::fs::write(place("node.log"), log).expect("written");
    let paths = ["drive_0.bag", "drive_1.bag", "node.log"].map(place);
    let harness = show(Stage::open_all("health", &config, &paths), [1100.0, 600.0], Theme::Dark);
    harness.get_by_label("/dies 100 10.0 Hz 0 s 1 10.1 s");
    harness.get_by_label("/steady 41 2.00 Hz 0 s 0 500 ms");
}

/// However many there are.
#[test]
fn all_gaps_are_counted_and_marked() {
    let mut rows = Rows::new(Form::Arrivals).expect("rows");
    // ten a millisecond apart, every twenty milliseconds
    let tens = (0..20_000).map(|i| i * 20_000_000);
    let times = tens.flat_map(|at| (0..10).map(move |i| Time(at + i * 1_000_000)));
    times.for_each(|time| rows.push_time(time));
    let span = Span::new(Time(0), Time(800_000_000_000));
    let timing = Timing::of([Arc::new(rows)].iter(), &[span], span, None);
    assert_eq!((timing.gap_count, timing.gaps.len()), (19_999, 10_000));
    assert!(timing.gaps.windows(2).all(|pair| pair[0].from < pair[1].from));
    let [mark] = timing.marks.as_slice() else {
        panic!("{:?}", timing.marks)
    };
    assert_eq!(mark.start, Time(0));
    let end = Time(20_000 * 20_000_000);
    assert!(mark.end.since(end).abs() < 1_000_000_000, "{mark:?}");
}

#[test]
fn the_density_is_that_of_the_receive_times() {
    let mut rows = Rows::new(Form::Arrivals).expect("rows");
    // five at once, and a steady ten a second in the last second
    let burst = std::iter::repeat_n(3_000_000_000, 5);
    let steady = (0..10).map(|i| 9_000_000_000 + i * 100_000_000);
    burst.chain(steady).for_each(|nanos| rows.push_time(Time(nanos)));
    let span = Span::new(Time(0), Time(10_000_000_000));
    let timing = Timing::of([Arc::new(rows)].iter(), &[span], span, Some(span));
    assert_eq!(timing.density(span, 10), [0.0, 0.0, 0.0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0, 10.0]);
    // a part of the recording
    let late = Span::new(Time(8_000_000_000), Time(10_000_000_000));
    assert_eq!(timing.density(late, 2), [0.0, 10.0]);
    let whole: f32 = timing.density(span, 77).iter().sum();
    assert!((whole - 15.0).abs() < 1e-3, "{whole}");
}

#[test]
fn stamps_that_were_never_set_have_no_skew() {
    let point = |sec: u32| Encoder::new().header(0, sec, 0, "map").f64s(&[1.0, 2.0, 3.0]);
    let name = "geometry_msgs/PointStamped";
    let (folder, path) = drive::said(&[
        ("/unset", name, 0, point(0)),
        ("/some", name, 0, point(0)),
        ("/unset", name, 1_000_000_000, point(0)),
        ("/some", name, 1_000_000_000, point(drive::START_SEC)),
    ]);
    let facts = |topic: &str| {
        let stage = Stage::open("health", &json!({ "selected": topic }), path.clone());
        show(stage, [1000.0, 600.0], Theme::Dark)
    };
    let unset = facts("/unset");
    unset.get_by_label("its stamps are all zero");
    let some = facts("/some");
    some.get_by_label("1 s (median)");
    some.get_by_label("Stamps of zero");
    // nothing is cut at the pane's edge
    for harness in [unset, some] {
        assert!(harness.get_by_label(name).rect().right() <= 1000.0 - 12.0);
    }
    drop(folder);
}

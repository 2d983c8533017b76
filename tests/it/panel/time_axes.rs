//! Axes of time from a nanosecond to years: labels are there, read well, and never touch.

use egui::{Rect, Shape, Theme};
use egui_kittest::Harness;
use serde_json::json;

use super::drive;
use super::stage::{Stage, each_shape, show};
use crate::encode::Encoder;

const MICRO: i64 = 1_000;
const SECOND: i64 = 1_000_000_000;
const HOUR: i64 = 3600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// The texts along the lower edge, from left to right.
fn labels(harness: &Harness<'_, Stage>) -> Vec<(String, Rect)> {
    let bottom = harness.ctx.content_rect().bottom();
    let mut found = Vec::new();
    each_shape(harness, &mut |shape| {
        if let Shape::Text(text) = shape {
            let rect = text.visual_bounding_rect();
            if rect.center().y > bottom - 24.0 {
                found.push((text.galley.text().to_owned(), rect));
            }
        }
    });
    found.sort_by(|a, b| a.1.left().total_cmp(&b.1.left()));
    found
}

/// Of 100 messages over so long.
fn axis(kind: &str, x_axis: &str, nanos: i64, width: f32) -> Vec<String> {
    let messages = (0..100_i32).map(|i| ((i128::from(nanos) * i128::from(i) / 99) as i64, Encoder::new().i32(i / 10)));
    let (folder, path) = drive::one_topic("/mode", "std_msgs/Int32", "int32 data\n", messages);
    let config = match kind {
        "plot" => json!({ "series": [{ "path": "/mode.data" }], "x_axis": x_axis }),
        _ => json!({ "paths": [{ "path": "/mode.data" }] }),
    };
    let mut stage = Stage::open(kind, &config, path);
    stage.keep(folder);
    let harness = show(stage, [width, 200.0], Theme::Dark);
    let found = labels(&harness);
    for pair in found.windows(2) {
        assert!(
            pair[0].1.right() + 2.0 < pair[1].1.left(),
            "{kind} over {x_axis} of {nanos} ns: {found:?}"
        );
    }
    let of_all = harness.ctx.content_rect();
    assert!(
        found.iter().all(|(_, rect)| rect.left() >= 0.0 && rect.right() <= of_all.right()),
        "{found:?}"
    );
    found.into_iter().map(|(text, _)| text).collect()
}

#[test]
fn labels_never_touch_and_never_run_out() {
    for nanos in [
        100,
        MICRO,
        1_000 * MICRO,
        SECOND,
        10 * SECOND,
        HOUR / 2,
        7 * HOUR,
        6 * DAY,
        300 * DAY,
        4000 * DAY,
    ] {
        for (kind, x_axis) in [("plot", "from_start"), ("plot", "clock"), ("states", "from_start")] {
            for width in [420.0, 900.0] {
                let labels = axis(kind, x_axis, nanos, width);
                // of clock times to the nanosecond none may have room
                let least = if nanos < MICRO { 0 } else { 1 };
                assert!(
                    labels.len() >= least && labels.len() < 16,
                    "{kind} over {x_axis} of {nanos} ns: {labels:?}"
                );
            }
        }
    }
}

#[test]
fn times_read_as_on_a_clock_and_days_as_dates() {
    // the recording starts at 12:26:40 on 2020-09-13
    let of = |x_axis: &str, nanos: i64| axis("plot", x_axis, nanos, 700.0);
    assert_eq!(of("from_start", 2 * SECOND)[..3], ["0.0 s", "0.2 s", "0.4 s"]);
    assert_eq!(of("from_start", 7 * HOUR)[..3], ["0:00:00", "1:00:00", "2:00:00"]);
    assert_eq!(of("from_start", 6 * DAY)[..3], ["0 d", "1 d", "2 d"]);
    assert_eq!(axis("states", "", 7 * HOUR, 500.0)[..2], ["0:00:00", "2:00:00"]);
    assert_eq!(of("clock", 7 * HOUR)[..3], ["13:00", "14:00", "15:00"]);
    assert_eq!(of("clock", 30 * HOUR)[..4], ["18:00", "2020-09-14", "06:00", "12:00"]);
    assert_eq!(of("clock", 6 * DAY)[..2], ["2020-09-14", "2020-09-15"]);
    assert_eq!(of("clock", 200 * DAY)[..3], ["2020-10", "2020-11", "2020-12"]);
    assert_eq!(of("clock", 700 * DAY)[..3], ["2020-10", "2021-01", "2021-04"]);
    assert_eq!(of("clock", 4_000 * DAY)[..3], ["2021", "2022", "2023"]);
    assert_eq!(of("clock", 30_000 * DAY)[..3], ["2030", "2040", "2050"]);
    let short = of("clock", 1_000 * MICRO);
    assert!(short[0].starts_with("12:26:40.000"), "{short:?}");
}

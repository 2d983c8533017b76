//! The state transitions panel over flags that are known by heart.

use std::collections::BTreeMap;

use egui::{Theme, pos2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use roadreel::panel::{Action, PANELS, PanelState};
use serde_json::{Value, json};

use super::drive;
use super::stage::{Stage, each_shape, show, texts};
use crate::encode::Encoder;

fn lanes(paths: Value) -> Stage {
    Stage::new("states", &json!({ "paths": paths }))
}

#[test]
fn a_flag_is_two_bands_a_second() {
    // on from 0.5 to 1 s and from 1.5 s on; the playhead is at 1.0 s
    let mut harness = show(
        lanes(json!([{ "path": "/vehicle/steering_report.enabled" }])),
        [800.0, 120.0],
        Theme::Dark,
    );
    assert_eq!(harness.state().state(), PanelState::Ready);
    harness.get_by_label("/vehicle/steering_report.enabled false");
    // the lanes take what the names leave: 0.24 of the width
    let names = 784.0 * 0.24;
    let at = |secs: f32| pos2(8.0 + names + secs / 1.99 * (784.0 - names - 8.0), 8.0 + 4.0 + 14.0);
    for (secs, text, band) in [
        (0.25, "false", "from +0.000 s, for 500 ms"),
        (0.75, "true", "from +0.500 s, for 500 ms"),
        (1.25, "false", "from +1.000 s, for 500 ms"),
    ] {
        harness.hover_at(at(secs));
        harness.run_ok();
        harness.get_by_label(text);
        harness.get_by_label(band);
    }
    harness.hover_at(at(0.75));
    harness.run_ok();
    for pressed in [true, false] {
        harness.event(egui::Event::PointerButton {
            pos: at(0.75),
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: egui::Modifiers::NONE,
        });
        harness.run_ok();
    }
    let sought = harness.state().actions.iter().find_map(|a| match a {
        Action::Seek(t) => Some(t.since(drive::at(0)) as f64 * 1e-9),
        _ => None,
    });
    assert!(sought.is_some_and(|s| (s - 0.75).abs() < 0.01), "{sought:?}");
}

#[test]
fn lanes_show_the_time_that_plots_show() {
    let paths = json!([{ "path": "/vehicle/steering_report.enabled" }]);
    // seconds from the lanes' left edge to their right one, after a plot was zoomed by its wheel
    let shown_secs = |sync: bool| {
        let series = json!([{ "path": "/imu.linear_acceleration.x" }]);
        let mut harness = show(Stage::new("plot", &json!({ "series": series })), [800.0, 200.0], Theme::Dark);
        harness.hover_at(pos2(400.0, 100.0));
        harness.run_ok();
        harness.event(egui::Event::MouseWheel {
            unit: egui::MouseWheelUnit::Point,
            delta: egui::vec2(0.0, 200.0),
            phase: egui::TouchPhase::Move,
            source: egui::MouseWheelSource::Wheel,
            modifiers: egui::Modifiers::NONE,
        });
        harness.run_ok();
        let kind = PANELS.iter().find(|kind| kind.id == "states").expect("the kind");
        harness.state_mut().panel = (kind.create)(&json!({ "paths": paths, "sync_x": sync }));
        harness.run_ok();
        let lanes = harness.get_by_label("State transitions").rect();
        let mut time_at = |x: f32| {
            harness.hover_at(pos2(x, lanes.top() + 14.0));
            harness.run_ok();
            let hovers = harness.state().actions.iter().rev().find_map(|a| match a {
                Action::Hover(Some(t)) => Some(t.since(drive::at(0)) as f64 * 1e-9),
                _ => None,
            });
            hovers.expect("a time")
        };
        time_at(lanes.right() - 1.0) - time_at(lanes.left() + 1.0)
    };
    let (shared, own) = (shown_secs(true), shown_secs(false));
    assert!((own - 1.99).abs() < 0.02 && shared < 1.0, "{shared} of {own}");
}

#[test]
fn constants_bear_their_names_and_expressions_count() {
    let harness = show(
        lanes(json!([{ "path": "/gps/fix.position_covariance_type" }, { "path": "/imu.linear_acceleration.z > 9", "label": "Upright" }])),
        [800.0, 160.0],
        Theme::Light,
    );
    harness.get_by_label("/gps/fix.position_covariance_type 2");
    harness.get_by_label("Upright true");
}

#[test]
fn what_several_topics_tell_is_true_or_false() {
    let enabled = "/vehicle/steering_report.enabled";
    let both = format!("{enabled} and /imu.linear_acceleration.z > 9");
    let harness = show(
        lanes(json!([
            { "path": both, "label": "Both" },
            { "path": format!("not ({both})"), "label": "Not both" },
            { "path": format!("{enabled} + /imu.linear_acceleration.z * 0"), "label": "Sum" },
        ])),
        [800.0, 160.0],
        Theme::Dark,
    );
    for lane in ["Both false", "Not both true", "Sum 0"] {
        harness.get_by_label(lane);
    }
    let lamp = show(
        Stage::new("indicator", &json!({ "path": both, "label": "Both" })),
        [300.0, 160.0],
        Theme::Dark,
    );
    lamp.get_by_label_contains("Both false");
}

#[test]
fn texts_are_states_too() {
    // the playhead is at 1.0 s: the newest is of 0.87 s
    let harness = show(lanes(json!([{ "path": "/chatter.data" }])), [800.0, 120.0], Theme::Dark);
    assert_eq!(harness.state().state(), PanelState::Ready);
    harness.get_by_label("/chatter.data chatter 87");
}

#[test]
fn what_has_no_states_is_told() {
    let empty = show(Stage::new("states", &Value::Null), [500.0, 160.0], Theme::Dark);
    assert!(matches!(empty.state().state(), PanelState::Absent(_)));
    let gone = show(lanes(json!([{ "path": "/imu.nothing" }])), [500.0, 160.0], Theme::Dark);
    assert!(matches!(gone.state().state(), PanelState::Failed(why) if why.contains("nothing")));
}

#[test]
fn a_dropped_topic_gives_its_flags() {
    let mut stage = Stage::new("states", &Value::Null);
    assert!(stage.drop_topic("/vehicle/steering_report"));
    assert_eq!(stage.panel.config()["paths"][0]["path"], json!("/vehicle/steering_report.enabled"));
    assert!(!stage.drop_topic("/imu"), "it has neither flags nor whole numbers");
}

#[test]
fn lanes_that_are_hidden_take_no_room_and_are_not_read() {
    let paths = |visible: bool| {
        json!([
            { "path": "/vehicle/steering_report.enabled", "visible": false },
            { "path": "/gps/fix.position_covariance_type", "visible": visible },
        ])
    };
    let harness = show(lanes(paths(true)), [800.0, 160.0], Theme::Dark);
    assert_eq!(harness.state().state(), PanelState::Ready);
    harness.get_by_label_contains("/gps/fix.position_covariance_type ");
    assert!(harness.query_by_label_contains("steering_report").is_none());
    let harness = show(lanes(paths(false)), [800.0, 160.0], Theme::Dark);
    harness.get_by_label_contains("All lanes are hidden");
}

/// The bands that are drawn, from left to right, with their colours.
fn drawn(harness: &Harness<'_, Stage>) -> Vec<(egui::Rangef, egui::Color32)> {
    let mut found = Vec::new();
    each_shape(harness, &mut |shape| {
        if let egui::Shape::Rect(shape) = shape
            && (shape.rect.height() - 20.0).abs() < 0.1
        {
            found.push((shape.rect.x_range(), shape.fill));
        }
    });
    found.sort_by(|a, b| a.0.min.total_cmp(&b.0.min));
    found
}

/// Values of one field, ten a second.
fn lane(definition: &str, values: impl Iterator<Item = Encoder>) -> Harness<'static, Stage> {
    let messages = (0..).map(|i| i * 100_000_000).zip(values);
    let (folder, path) = drive::one_topic("/state", "test_msgs/State", definition, messages);
    let mut stage = Stage::open("states", &json!({ "paths": [{ "path": "/state.data" }] }), path);
    stage.keep(folder);
    let mut harness = show(stage, [900.0, 100.0], Theme::Dark);
    // the last digits are asked for once it is known that there are some
    harness.run_ok();
    assert_eq!(harness.state().state(), PanelState::Ready);
    harness
}

#[test]
fn integers_of_64_bits_are_told_apart_to_the_last_digit() {
    let first = 1_152_921_504_606_846_977_u64;
    let values = (0..20).map(|i| Encoder::new().raw(&(first + i / 5).to_le_bytes()));
    let harness = lane("uint64 data\n", values);
    assert_eq!(drawn(&harness).len(), 4);
    let shown = texts(&harness);
    for n in first..first + 4 {
        assert!(shown.contains(&n.to_string()), "{n} among {shown:?}");
    }
    let values = (0..20).map(|i| Encoder::new().raw(&(i64::MIN + i / 10).to_le_bytes()));
    let harness = lane("int64 data\n", values);
    harness.get_by_label(&format!("/state.data {}", i64::MIN));
    assert_eq!(drawn(&harness).len(), 2);
}

#[test]
fn different_states_of_a_lane_have_different_colours() {
    // 1, 9 and 17 would share one, and so do texts by chance
    let numbers = [1, 9, 17, -1, -2, 25, 33, 41].map(|n| Encoder::new().i32(n));
    let words = ["", "idle", "ready", "drive", "park", "fault", "off", "init"].map(|text| Encoder::new().text(text));
    for (definition, values) in [("int32 data\n", numbers), ("string data\n", words)] {
        let harness = lane(definition, values.into_iter());
        let mut colors: Vec<_> = drawn(&harness).into_iter().map(|band| band.1.to_array()).collect();
        colors.sort_unstable();
        colors.dedup();
        assert_eq!(colors.len(), 8, "{definition}");
    }
}

#[test]
fn as_many_states_as_are_told_apart_have_looks_of_their_own() {
    let looks = |harness: &Harness<'_, Stage>| {
        let mut found: Vec<_> = drawn(harness).into_iter().map(|band| band.1.to_array()).collect();
        found.sort_unstable();
        found.dedup();
        found.len()
    };
    let numbers = (1..=24).map(|n| Encoder::new().i32(n));
    assert_eq!(looks(&lane("int32 data\n", numbers)), 24);
    // the rest is striped
    let words = (0..32).map(|n| Encoder::new().text(&format!("state {n}")));
    let harness = lane("string data\n", words);
    assert_eq!(looks(&harness), 24);
    let mut stripes = 0;
    each_shape(&harness, &mut |shape| {
        if let egui::Shape::LineSegment { points: [a, b], .. } = shape {
            stripes += usize::from((a.x - b.x).abs() > 1.0 && (a.y - b.y).abs() > 1.0);
        }
    });
    assert!(stripes > 0);
}

#[test]
fn a_state_between_others_on_one_pixel_is_seen() {
    // 600 s: ten messages on a pixel, neither the least nor the greatest of them, the first or the last
    let values = (0..6_000).map(|i| if i == 3_003 { 2 } else { 1 + i % 2 * 2 });
    let harness = lane("int32 data\n", values.map(|n| Encoder::new().i32(n)));
    let mut heights: BTreeMap<[u8; 4], f32> = BTreeMap::new();
    each_shape(&harness, &mut |shape| {
        if let egui::Shape::Rect(shape) = shape
            && (shape.rect.width() - 2.0).abs() < 0.01
        {
            *heights.entry(shape.fill.to_array()).or_default() += shape.rect.height();
        }
    });
    assert_eq!(heights.len(), 3, "{heights:?}");
    let least = heights.values().copied().fold(f32::MAX, f32::min);
    assert!((4.0..=20.0).contains(&least), "{heights:?}");
}

#[test]
fn an_empty_text_is_a_state_that_is_seen() {
    let values = ["", "a", ""].map(|text| Encoder::new().text(text));
    let harness = lane("string data\n", values.into_iter());
    assert!(texts(&harness).contains(&"“”".to_owned()), "{:?}", texts(&harness));
}

#[test]
fn one_message_in_many_is_seen() {
    // 600 s: a message takes a tenth of a pixel
    let values = (0..6_000).map(|i| Encoder::new().i32(if i == 3_000 { 2 } else { 1 }));
    let harness = lane("int32 data\n", values);
    let mut top = None;
    each_shape(&harness, &mut |shape| {
        if let egui::Shape::Rect(shape) = shape
            && (shape.rect.height() - 20.0).abs() < 0.1
        {
            top = Some((shape.rect.width(), shape.corner_radius));
        }
    });
    let (width, corners) = top.expect("bands");
    assert!(
        (width - 2.0).abs() < 0.01 && corners == egui::CornerRadius::ZERO,
        "{width} {corners:?}"
    );
}

#[test]
fn the_last_state_holds_to_the_end_of_the_recording() {
    let messages = [(300_000_000, Encoder::new().i32(1))];
    let (_folder, one) = drive::one_topic("/state", "test_msgs/State", "int32 data\n", messages.into_iter());
    let (_drive, whole) = drive::bag();
    let mut stage = Stage::open_all("states", &json!({ "paths": [{ "path": "/state.data" }] }), &[one, whole]);
    stage.now = drive::at(100_000_000);
    let harness = show(stage, [900.0, 100.0], Theme::Dark);
    let lane = harness.get_by_label("State transitions").rect();
    let bands = drawn(&harness);
    let [(band, _)] = bands.as_slice() else { panic!("{bands:?}") };
    assert!(
        (band.max - lane.right()).abs() < 0.5 && band.min > lane.left() + 50.0,
        "{band:?} in {lane:?}"
    );
}

#[test]
fn constants_before_a_header_name_the_only_field_of_their_type() {
    let definition = "byte DEBUG=1\nbyte INFO=2\nbyte WARN=4\nHeader header\nbyte level\nstring msg\n\
                      ===\nMSG: std_msgs/Header\nuint32 seq\ntime stamp\nstring frame_id\n";
    let message = |i: i64| Encoder::new().header(0, drive::START_SEC, 0, "").u8(1 << (i / 5)).text("");
    let messages = (0..15).map(|i| (i * 100_000_000, message(i)));
    let (folder, path) = drive::one_topic("/rosout", "rosgraph_msgs/Log", definition, messages);
    let mut stage = Stage::open("states", &json!({ "paths": [{ "path": "/rosout.level" }] }), path);
    stage.keep(folder);
    stage.now = drive::at(700_000_000);
    let harness = show(stage, [900.0, 100.0], Theme::Dark);
    harness.get_by_label("/rosout.level INFO");
}

#[test]
fn what_header_stamps_keep_from_being_seen_is_told() {
    let lanes = json!({ "paths": [{ "path": "/chatter.data" }], "stamp": "header" });
    let harness = show(Stage::new("states", &lanes), [600.0, 100.0], Theme::Dark);
    let state = harness.state().state();
    assert!(
        matches!(&state, PanelState::Partial(why) if why == "/chatter has no header: its values stand at their receive time"),
        "{state:?}"
    );
    let definition = "Header header\nfloat64 data\n===\nMSG: std_msgs/Header\nuint32 seq\ntime stamp\nstring frame_id\n";
    let message = |i: u32| {
        let sec = if i < 3 { 0 } else { drive::START_SEC };
        Encoder::new()
            .header(i, sec, if sec == 0 { 0 } else { i * 100_000_000 }, "")
            .f64(1.0)
    };
    let messages = (0..9).map(|i| (i64::from(i) * 100_000_000, message(i)));
    let (folder, path) = drive::one_topic("/v", "test_msgs/V", definition, messages);
    let mut stage = Stage::open("plot", &json!({ "series": [{ "path": "/v.data", "stamp": "header" }] }), path);
    stage.keep(folder);
    let harness = show(stage, [600.0, 200.0], Theme::Dark);
    let state = harness.state().state();
    assert!(
        matches!(&state, PanelState::Partial(why) if why == "3 values of /v.data are not shown: their header stamps are zero"),
        "{state:?}"
    );
}

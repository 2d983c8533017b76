//! The state transitions panel over flags that are known by heart.

use egui::{Theme, pos2};
use egui_kittest::kittest::Queryable as _;
use roadreel::panel::{Action, PANELS, PanelState};
use serde_json::{Value, json};

use super::drive;
use super::stage::{Stage, show};

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

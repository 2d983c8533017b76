//! The diagnostics panel: what a part said over the whole drive.

use egui::Theme;
use egui_kittest::kittest::Queryable as _;
use roadreel::panel::{Action, PanelState};
use serde_json::json;

use super::drive;
use super::stage::{Stage, show};
use crate::encode::Encoder;

fn detail(config: &serde_json::Value, now_secs: f64) -> egui_kittest::Harness<'static, Stage> {
    let mut stage = Stage::new("diagnostics", config);
    stage.now = drive::at((now_secs * 1e9) as i64);
    stage.settle();
    show(stage, [800.0, 420.0], Theme::Dark)
}

#[test]
fn parts_are_listed_by_level_and_go_stale() {
    let harness = detail(&json!({ "stale_after_secs": 1.0 }), 1.5);
    assert_eq!(harness.state().state(), PanelState::Ready);
    // heard at 1.2 s, and the third part at 0.2 s only
    harness.get_by_label("Error camera: temperature too hot");
    harness.get_by_label("OK lidar: rate ok");
    harness.get_by_label("Stale gps: start started");
}

#[test]
fn a_value_is_drawn_over_time() {
    let mut harness = detail(&json!({ "selected": "camera: temperature" }), 1.5);
    harness.get_by_label("Draw celsius").click();
    harness.run_ok();
    assert_eq!(harness.state().panel.config()["plotted"], json!("celsius"));
    // messages at 0.2, 0.7, 1.2 and 1.7 s: the history holds what comes after the playhead too
    let over = harness.get_by_label("History of the part").rect();
    let at = |secs: f32| egui::pos2(over.left() + secs / 1.99 * over.width(), over.top() + 7.0);
    for (secs, level, value) in [
        (0.5, "Warning", "celsius 58"),
        (1.0, "Error", "celsius 71"),
        (1.9, "Error", "celsius 71"),
    ] {
        harness.hover_at(at(secs));
        harness.run_ok();
        harness.get_by_label(level);
        harness.get_by_label(value);
    }
    harness.get_by_label("History of the part").click();
    harness.run_ok();
    assert!(harness.state().actions.iter().any(|a| matches!(a, Action::Seek(_))));
}

/// Three motors of one name, twice; the third fails at once, the second in the end.
fn motors() -> Vec<drive::Said> {
    let message = |second: u8, third: u8, load: [&str; 3]| {
        let mut out = Encoder::new().header(0, drive::START_SEC, 0, "").u32(4);
        for (at, level) in [0, second, third].into_iter().enumerate() {
            out = out.u8(level).text("motor").text(&format!("m{at}")).text(&format!("hw{at}"));
            out = out.u32(1).text("load").text(load[at]);
        }
        out.u8(0).text("fan").text("turns").text("hw0").u32(0)
    };
    vec![
        ("/diagnostics", "diagnostic_msgs/DiagnosticArray", 0, message(0, 2, ["1", "2", "3"])),
        (
            "/diagnostics",
            "diagnostic_msgs/DiagnosticArray",
            1_000_000_000,
            message(1, 2, ["4", "5", "6"]),
        ),
    ]
}

fn of_motors(config: &serde_json::Value) -> egui_kittest::Harness<'static, Stage> {
    let (folder, path) = drive::said(&motors());
    let mut stage = Stage::open("diagnostics", config, path);
    stage.keep(folder);
    stage.now = drive::at(1_000_000_000);
    stage.settle();
    show(stage, [800.0, 420.0], Theme::Dark)
}

#[test]
fn parts_of_one_name_are_told_apart_by_their_hardware() {
    let mut harness = of_motors(&json!({}));
    for row in ["Error motor hw2 m2", "Warning motor hw1 m1", "OK motor hw0 m0", "OK fan turns"] {
        harness.get_by_label(row);
    }
    harness.get_by_label("Warning motor hw1 m1").click();
    harness.run_ok();
    assert_eq!(harness.state().panel.config()["selected"], json!("|hw1|motor|"));
    harness.get_by_label_contains("hardware hw1");
    // its own history: all was well before the last message
    harness.get_by_label("Draw load").click();
    harness.run_ok();
    let over = harness.get_by_label("History of the part").rect();
    harness.hover_at(egui::pos2(over.left() + over.width() * 0.5, over.top() + 7.0));
    harness.run_ok();
    harness.get_by_label("OK");
    harness.get_by_label("load 2");
}

#[test]
fn a_name_alone_selects_the_part_of_the_hardware_that_is_shown() {
    let first = of_motors(&json!({ "selected": "motor", "pinned": ["fan"] }));
    first.get_by_label_contains("hardware hw2");
    let of_one = of_motors(&json!({ "selected": "motor", "hardware_id": "hw0" }));
    of_one.get_by_label_contains("hardware hw0");
    let pinned = of_motors(&json!({ "pinned": ["|hw0|motor|"] }));
    let top = |label: &str| pinned.get_by_label(label).rect().top();
    assert!(top("OK motor hw0 m0") < top("Error motor hw2 m2"));
}

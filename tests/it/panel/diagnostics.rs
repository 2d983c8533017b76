//! The diagnostics panel: what a part said over the whole drive.

use egui::Theme;
use egui_kittest::kittest::Queryable as _;
use roadreel::panel::{Action, PanelState};
use serde_json::json;

use super::drive;
use super::stage::{Stage, show};

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

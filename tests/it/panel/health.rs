//! The topic health panel against `tests/topic_health.py`, which works the same out with rosbags and numpy.

use egui::Theme;
use egui_kittest::kittest::Queryable as _;
use roadreel::panel::{Action, PanelState};
use serde_json::json;

use super::drive;
use super::stage::{Stage, show};
use crate::data::data;

#[test]
fn rates_gaps_and_skews_are_those_of_an_independent_script() {
    let Some(bag) = data("ros1/plotjuggler_tilt_laser.bag") else {
        return;
    };
    let config = json!({ "selected": "/imu_data" });
    let harness = show(Stage::open("health", &config, bag), [1100.0, 700.0], Theme::Dark);
    assert_eq!(harness.state().state(), PanelState::Ready);
    for row in [
        "/gravity_vector 356 20.1 Hz 65.8 ms 4 682 ms",
        "/imu_data 356 20.1 Hz 66 ms 5 682 ms",
        "/scan 178 10.0 Hz 65.5 ms 2 683 ms",
        "/temperature 712 40.2 Hz 52.9 ms 162 682 ms",
        "/tf 711 40.1 Hz 53.1 ms 161 682 ms",
        "/velocity 712 40.2 Hz 53 ms 162 682 ms",
    ] {
        harness.get_by_label(row);
    }
    // skew 81261155 1683503 681361660, none out of order; 321 bytes each
    for fact in ["81.2 ms (median)", "1.68 ms … 681 ms", "321 B (mean)", "20.1 Hz (mean)", "1358 Hz"] {
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

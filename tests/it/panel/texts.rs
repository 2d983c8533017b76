//! Text logs beside a recording, bookmarks, the histogram, and saving: on the drive that is known by heart.

use std::path::PathBuf;

use egui::Theme;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use roadreel::panel::{Action, PanelState};
use serde_json::json;

use super::drive;
use super::stage::{Stage, show, show_settings};

/// The drive, and a text log with a line every 300 ms from 12:26:40.005 on: every third a warning with a second line.
fn beside(config: &serde_json::Value, name: &str, text: &str) -> Stage {
    let (folder, path) = drive::bag();
    let log: PathBuf = folder.path().join(name);
    std::fs::write(&log, text).expect("written");
    let mut stage = Stage::open_all("log", config, &[path, log]);
    stage.now = drive::at(1_000_000_000);
    stage.settle();
    stage.keep(folder);
    stage
}

fn driver_log() -> String {
    let line = |i: i64| {
        let nanos = drive::at(5_000_000 + i * 300_000_000).nanos();
        let (sec, nsec) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
        match i % 3 {
            2 => format!("[ WARN] [{sec}.{nsec:09}]: frame {i} late\n    by a lot\n"),
            _ => format!("[ INFO] [{sec}.{nsec:09}]: frame {i}\n"),
        }
    };
    (0..6).map(line).collect()
}

fn lines(stage: Stage) -> Vec<String> {
    let mut harness = show(stage, [900.0, 400.0], Theme::Dark);
    assert_eq!(harness.state().state(), PanelState::Ready);
    harness.get_by_label("More of the log").click();
    harness.run_ok();
    harness.get_by_label("Copy the lines shown").click();
    harness.run_ok();
    harness.state().copied().expect("copied").lines().map(str::to_owned).collect()
}

#[test]
fn a_text_log_is_merged_with_the_recordings_on_one_clock() {
    let all = lines(beside(&json!({}), "driver.log", &driver_log()));
    let times: Vec<&str> = all.iter().filter(|l| l.starts_with("2020")).map(|l| &l[..23]).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!(times.len(), 50 + 6);
    let from_file: Vec<&String> = all.iter().filter(|l| l.contains("/driver_log")).collect();
    assert_eq!(*from_file[0], "2020-09-13 12:26:40.005  INFO   /driver_log  frame 0");
    assert_eq!(*from_file[2], "2020-09-13 12:26:40.605  WARN   /driver_log  frame 2 late");
    assert!(
        all.iter().any(|l| l == "    by a lot"),
        "the line without a time goes on with the one before"
    );
}

#[test]
fn lines_without_times_stand_at_the_start_of_the_recording() {
    let all = lines(beside(&json!({ "topics": ["/notes_txt"] }), "notes.txt", "first\nsecond\nthird\n"));
    assert_eq!(
        all,
        [
            "2020-09-13 12:26:40.000  INFO   /notes_txt  first",
            "2020-09-13 12:26:40.000  INFO   /notes_txt  second",
            "2020-09-13 12:26:40.000  INFO   /notes_txt  third",
        ]
    );
}

fn log(config: &serde_json::Value) -> Harness<'static, Stage> {
    show(Stage::new("log", config), [900.0, 400.0], Theme::Dark)
}

fn sought(harness: &Harness<'_, Stage>) -> Option<i64> {
    harness.state().actions.iter().rev().find_map(|a| match a {
        Action::Seek(t) => Some(t.since(drive::at(0)) / 1_000_000),
        _ => None,
    })
}

#[test]
fn bookmarks_are_kept_gone_to_and_taken_away() {
    let mut harness = log(&json!({ "min_level": "warn" }));
    harness.get_by_label("Warn /planner late by 61 ms").click();
    harness.run_ok();
    harness.state_mut().now = drive::at(610_000_000);
    harness.hover_at(egui::pos2(400.0, 200.0));
    harness.run_ok();
    harness.key_press(egui::Key::M);
    harness.run_ok();
    let config = harness.state().panel.config();
    assert_eq!(config["bookmarks"][0]["topic"], json!("/rosout"));
    assert_eq!(config["bookmarks"][0]["text"], json!("late by 61 ms"));
    // the next session finds it, even where the line is filtered out
    let mut again = log(&json!({ "min_level": "error", "bookmarks": config["bookmarks"] }));
    again.state_mut().now = drive::at(100_000_000);
    again.hover_at(egui::pos2(400.0, 200.0));
    again.run_ok();
    again.key_press(egui::Key::U);
    again.run_ok();
    assert_eq!(sought(&again), Some(610));
    harness.key_press(egui::Key::M);
    harness.run_ok();
    assert_eq!(harness.state().panel.config()["bookmarks"], json!([]));
}

#[test]
fn the_histogram_counts_by_level_and_seeks() {
    let mut harness = log(&json!({}));
    // 2 s over the width of the panel less its margins: the first error is at 0.41 s
    let at = |secs: f32| egui::pos2(8.0 + 8.0 + secs / 1.99 * (884.0 - 16.0), 8.0 + 26.0 + 17.0);
    harness.hover_at(at(0.41));
    harness.run_ok();
    let hovered = harness.state().actions.iter().rev().find_map(|a| match a {
        Action::Hover(Some(t)) => Some(t.since(drive::at(0)) as f64 * 1e-9),
        _ => None,
    });
    assert!(hovered.is_some_and(|t| (t - 0.41).abs() < 0.02), "{hovered:?}");
    harness.get_by_label("Lines over time").click();
    harness.run_ok();
    let middle = sought(&harness).expect("a click seeks");
    assert!((middle - 995).abs() < 40, "{middle}");
}

#[test]
fn what_passes_is_saved_whole() {
    let mut harness = log(&json!({ "filters": [{ "pattern": "late" }] }));
    harness.get_by_label("More of the log").click();
    harness.run_ok();
    harness.get_by_label("Save the lines shown…").click();
    harness.run_ok();
    let made = harness.state().actions.iter().find_map(|a| match a {
        Action::SaveMade { name, make } => Some((name.clone(), make.clone())),
        _ => None,
    });
    let (name, make) = made.expect("a file");
    assert_eq!(name, "log.txt");
    let mut out: Vec<u8> = Vec::new();
    make.write(&mut out).expect("written");
    let text = String::from_utf8(out).expect("text");
    assert_eq!(text.lines().count(), (1..200).step_by(12).filter(|t| t % 100 != 41).count());
    assert!(
        text.starts_with("2020-09-13 12:26:40.010  WARN   /vehicle/control  late by 1 ms"),
        "{text}"
    );
}

#[test]
fn nodes_are_a_tree_that_is_hidden_branch_by_branch() {
    let lines = |node: &str, i: i64| format!("{}.5 INFO /{node} step\n", drive::at(0).nanos() / 1_000_000_000 + i);
    let text: String = ["arm/left", "arm/right", "arm/right", "base"]
        .iter()
        .zip(0..)
        .map(|(node, i)| lines(node, i))
        .collect();
    let stage = beside(&json!({ "topics": ["/nodes_log"] }), "nodes.log", &text);
    let mut harness = show_settings(stage);
    harness.get_by_label("/arm/left");
    harness.get_by_label("/base");
    harness.get_by_label("/arm and 2 nodes below").click();
    harness.run_ok();
    assert_eq!(harness.state().panel.config()["hidden_nodes"], json!(["/arm/left", "/arm/right"]));
    harness.get_by_label("/arm/right").click();
    harness.run_ok();
    assert_eq!(harness.state().panel.config()["hidden_nodes"], json!(["/arm/left"]));
    // partly shown: the whole is shown again
    harness.get_by_label("/arm and 2 nodes below").click();
    harness.run_ok();
    assert_eq!(harness.state().panel.config()["hidden_nodes"], json!([]));
}

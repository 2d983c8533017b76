//! Text logs beside a recording, bookmarks, the histogram, and saving: on the drive that is known by heart.

use std::path::PathBuf;

use egui::Theme;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use roadreel::panel::{Action, PanelState};
use serde_json::json;

use super::drive;
use super::stage::{Stage, right_click, save_log, show, show_settings};

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

/// A log whose clock is two hours behind the recording's, in ISO times.
fn early_log() -> String {
    (0..4)
        .map(|i| format!("2020-09-13 10:26:4{i}.500 INFO step {i} took {} ms\n", i * 7))
        .collect()
}

/// What the panel asked for last, done as the window does it.
fn shift(stage: &mut Stage) -> Option<i64> {
    let last = stage.actions.drain(..).rev().find_map(|a| match a {
        Action::ShiftTimes { source, nanos } => Some((source, nanos)),
        _ => None,
    })?;
    stage.store.shift_times(last.0, last.1);
    Some(last.1)
}

const HOUR: i64 = 3_600_000_000_000;

#[test]
fn a_log_of_another_time_zone_is_moved_to_where_it_belongs() {
    let stage = beside(&json!({}), "node.log", &early_log());
    let apart = stage.store.span().expect("a span").nanos();
    assert!(apart > 2 * HOUR, "{apart}");
    let mut settings = show_settings(stage);
    for hours in [1, 2] {
        settings.get_by_label("+1 h").click();
        settings.run_ok();
        assert_eq!(shift(settings.state_mut()), Some(hours * HOUR));
        settings.run_ok();
    }
    let together = settings.state().store.span().expect("a span");
    assert!(together.nanos() < 4_000_000_000, "{together:?}");
    let mut stage = beside(&json!({}), "node.log", &early_log());
    stage.store.shift_times(1, 2 * HOUR);
    let all = lines(stage);
    let times: Vec<&str> = all.iter().filter(|l| l.starts_with("2020")).map(|l| &l[..23]).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert!(
        all.contains(&"2020-09-13 12:26:40.500  INFO   /node_log  step 0 took 0 ms".to_owned()),
        "{all:?}"
    );
    // and back
    let mut stage = beside(&json!({ "topics": ["/node_log"] }), "node.log", &early_log());
    stage.store.shift_times(1, 2 * HOUR);
    stage.settle();
    stage.store.shift_times(1, 0);
    assert_eq!(lines(stage)[3], "2020-09-13 10:26:43.500  INFO   /node_log  step 3 took 21 ms");
}

#[test]
fn a_log_is_moved_to_the_recordings_start_and_a_line_to_the_playhead() {
    let mut settings = show_settings(beside(&json!({}), "node.log", &early_log()));
    settings.get_by_label("At the start").click();
    settings.run_ok();
    // the first line stands at 10:26:40.500, the recording starts at 12:26:40
    assert_eq!(shift(settings.state_mut()), Some(2 * HOUR - 500_000_000));
    settings.get_by_label("Shift of /node_log");
    let mut harness = show(
        beside(&json!({ "topics": ["/node_log"] }), "node.log", &early_log()),
        [900.0, 400.0],
        Theme::Dark,
    );
    harness.get_by_label("Info  step 2 took 14 ms").click();
    harness.run_ok();
    harness.state_mut().actions.clear();
    harness.state_mut().command("Move the selected line's file to the playhead");
    assert_eq!(
        shift(harness.state_mut()),
        Some(drive::at(1_000_000_000).since(drive::at(2_500_000_000)) + 2 * HOUR)
    );
    harness.run_ok();
    assert_eq!(harness.state().topic_start("/node_log"), drive::at(-1_000_000_000));
}

#[test]
fn a_log_without_times_is_moved_from_the_recordings_start() {
    let mut stage = beside(&json!({}), "plain.log", "one\ntwo\nthree\n");
    assert_eq!(stage.topic_start("/plain_log"), drive::at(0));
    stage.store.shift_times(1, 250_000_000);
    stage.settle();
    assert_eq!(stage.topic_start("/plain_log"), drive::at(250_000_000));
    let all = lines(stage);
    assert!(
        all.iter().any(|l| l.starts_with("2020-09-13 12:26:40.250  INFO   /plain_log  one")),
        "{all:?}"
    );
}

#[test]
fn named_groups_of_an_expression_are_columns() {
    let config = json!({ "columns": "^(?<what>\\w+) by (?<ms>\\d+) ms", "min_level": "warn" });
    let mut harness = show(Stage::new("log", &config), [900.0, 400.0], Theme::Dark);
    for head in ["what", "ms"] {
        harness.get_by_label(head);
    }
    harness.get_by_label("Warn /planner late 61 late by 61 ms");
    // an error does not fit: its columns are empty
    assert!(
        harness
            .query_all_by_label_contains("Error /vehicle/control   brake")
            .next()
            .is_some()
    );
    let mut saved = |how: &str| save_log(&mut harness, how);
    let csv = saved("Save the lines shown as CSV…");
    let rows: Vec<&str> = csv.lines().collect();
    assert!(rows[0].ends_with(",message,what,ms"), "{}", rows[0]);
    assert!(rows[1].ends_with(",late by 1 ms,late,1"), "{}", rows[1]);
    let error = rows.iter().find(|r| r.contains("ERROR")).expect("an error");
    assert!(error.ends_with(",,"), "{error}");
    let json = saved("Save the lines shown as JSON lines…");
    let first: serde_json::Value = serde_json::from_str(json.lines().next().expect("a line")).expect("JSON");
    assert_eq!(first["columns"], json!({ "what": "late", "ms": "1" }));
}

#[test]
fn columns_are_made_of_a_line_and_what_is_wrong_with_them_is_told() {
    let mut harness = show(Stage::new("log", &json!({ "min_level": "warn" })), [900.0, 400.0], Theme::Dark);
    let line = harness.get_by_label("Warn /planner late by 61 ms").rect().center();
    right_click(&mut harness, line);
    harness.get_by_label("A column for each of its numbers").click();
    harness.run_ok();
    harness.run_ok();
    harness.get_by_label("Warn /planner 61 late by 61 ms");
    harness.get_by_label("n1");
    let unnamed = show_settings(Stage::new("log", &json!({ "columns": "(\\d+) ms" })));
    unnamed.get_by_label_contains("Name a group to make a column of it");
    let broken = show_settings(Stage::new("log", &json!({ "columns": "(?<ms>\\d+" })));
    broken.get_by_label_contains("unclosed group");
}

#[test]
fn what_fits_may_stand_out_without_leaving_lines_out() {
    let filters = json!([{ "pattern": "cycle", "mode": "mark" }, { "pattern": "broken(", "mode": "mark" }]);
    let picture = |filters: serde_json::Value| {
        let config = json!({ "filters": filters, "show_histogram": false });
        let mut harness = show(Stage::new("log", &config), [900.0, 400.0], Theme::Dark);
        if filters[0].is_object() {
            harness.get_by_label("50 of 50 lines");
        }
        let line = harness
            .query_all_by_label_contains("Debug /planner cycle")
            .next()
            .expect("a line")
            .rect();
        let picture = harness.render().expect("a picture");
        let y = line.center().y as u32 + 6;
        let mut colors: Vec<[u8; 4]> = (line.left() as u32..line.right() as u32)
            .map(|x| picture.get_pixel(x, y).0)
            .collect();
        colors.sort_unstable();
        colors.dedup();
        colors.len()
    };
    let (plain, marked) = (picture(json!([])), picture(filters.clone()));
    assert!(marked > plain, "{marked} {plain}");
    let mut harness = show(Stage::new("log", &json!({ "filters": filters })), [900.0, 400.0], Theme::Dark);
    for mode in ["in", "out", "mark"] {
        harness.get_by_label("Way of filter 1").click();
        harness.run_ok();
        assert_eq!(harness.state().panel.config()["filters"][0]["mode"], json!(mode));
    }
}

#[test]
fn what_is_hidden_is_told_in_one_piece_and_what_is_wrong_with_a_filter_too() {
    let filters = json!([{ "pattern": "brake" }, { "pattern": "late" }]);
    let config = json!({ "filters": filters, "hidden_nodes": ["/planner"] });
    for width in [300, 420, 440, 460, 480, 500] {
        let harness = show(Stage::new("log", &config), [width as f32, 300.0], Theme::Dark);
        let told = harness.get_by_label("1 node hidden").rect();
        assert!(told.height() < 20.0 && told.left() >= 8.0 + 4.0, "{width}: {told}");
    }
    let harness = log(&json!({ "filters": [{ "pattern": "broken(" }] }));
    let PanelState::Partial(why) = harness.state().state() else {
        panic!("{:?}", harness.state().state())
    };
    assert!(
        why.starts_with("the filter “broken(” is not applied: ") && why.contains("unclosed group"),
        "{why}"
    );
}

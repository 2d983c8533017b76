//! The log panel over a small drive whose lines are known by heart.

use egui::Theme;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use roadreel::panel::{Action, PanelState};
use roadreel::time::Time;
use serde_json::{Value, json};

use super::drive;
use super::stage::{Stage, each_shape, save_log, show, show_settings, texts};
use crate::encode::Encoder;

fn log(config: &Value) -> Harness<'static, Stage> {
    show(Stage::new("log", config), [900.0, 400.0], Theme::Dark)
}

/// Seconds after the start of what was sought last.
fn sought(harness: &Harness<'_, Stage>) -> Option<f64> {
    let seek = harness.state().actions.iter().rev().find_map(|a| match a {
        Action::Seek(t) => Some(t.since(drive::at(0)) as f64 * 1e-9),
        _ => None,
    });
    seek.map(|s| (s * 1000.0).round() / 1000.0)
}

/// The lines that pass, as they are copied.
fn lines(config: &Value) -> Vec<String> {
    let mut harness = log(config);
    harness.get_by_label("More of the log").click();
    harness.run_ok();
    harness.get_by_label("Copy the lines shown").click();
    harness.run_ok();
    let text = harness.state().copied().expect("copied");
    text.lines().map(str::to_owned).collect()
}

#[test]
fn levels_are_counted_and_filter() {
    let harness = log(&json!({}));
    assert_eq!(harness.state().state(), PanelState::Ready);
    // 50 lines: ticks 1, 5, 9 … 197
    let ticks: Vec<u32> = (1..200).step_by(4).collect();
    let errors = ticks.iter().filter(|t| **t % 100 == 41).count();
    let warnings = ticks.iter().filter(|t| **t % 12 == 1 && **t % 100 != 41).count();
    harness.get_by_label("Error and worse");
    harness.get_by_label("Warn and worse");
    let all = lines(&json!({}));
    let of = |word: &str| all.iter().filter(|l| l.contains(word)).count();
    // one of the messages has a second line
    assert_eq!(all.len(), ticks.len() + errors);
    assert_eq!((of("  ERROR  "), of("  WARN   ")), (errors, warnings));
    assert_eq!(lines(&json!({ "min_level": "error" })).len(), errors * 2);
    assert_eq!(
        all[0],
        "2020-09-13 12:26:40.010  WARN   /vehicle/control  late by 1 ms  (/ws/src/control/src/control_node.cpp:101)"
    );
}

#[test]
fn lines_are_hidden_by_time_and_saved_for_other_tools() {
    let config = json!({ "from_ns": drive::at(500_000_000).nanos(), "until_ns": drive::at(1_500_000_000).nanos() });
    // ticks 53, 57 … 149
    let mut harness = log(&config);
    harness.get_by_label("25 of 50 lines");
    let mut saved = |how: &str| save_log(&mut harness, how);
    let csv = saved("Save the lines shown as CSV…");
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!(
        (rows.len(), rows[0]),
        (26, "received_ns,stamp_ns,level,topic,node,file,line,function,message")
    );
    assert_eq!(
        rows[1],
        "1600000000530000000,1600000000530000000,DEBUG,/rosout,/planner,/ws/src/control/src/control_node.cpp,153,spin,cycle 53"
    );
    let of_error = rows.iter().find(|r| r.contains("ERROR")).expect("tick 141");
    assert!(of_error.ends_with(r"brake pressure 141 out of range\nsecond line"), "{of_error}");
    let json = saved("Save the lines shown as JSON lines…");
    let lines: Vec<Value> = json.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    assert_eq!(
        (lines.len(), &lines[0]["line"], &lines[0]["node"]),
        (25, &json!(153), &json!("/planner"))
    );
    harness.get_by_label("Show lines of all times").click();
    harness.run_ok();
    assert_eq!(harness.state().panel.config()["from_ns"], Value::Null);
}

#[test]
fn expressions_stack() {
    let only = |filters: Value| lines(&json!({ "filters": filters })).len();
    let late = (1..200).step_by(12).filter(|t| t % 100 != 41).count();
    assert_eq!(only(json!([{ "pattern": "late by \\d+ ms" }])), late);
    assert_eq!(only(json!([{ "pattern": "LATE" }])), 0, "a capital letter makes the case count");
    assert_eq!(only(json!([{ "pattern": "Late|cycle", "enabled": false }])), 52);
    let cycles = (5..200).step_by(8).filter(|t| t % 12 != 1 && t % 100 != 41).count();
    assert_eq!(only(json!([{ "pattern": "late" }, { "pattern": "cycle" }])), late + cycles);
    let odd = json!([{ "pattern": "late" }, { "pattern": "cycle" }, { "pattern": "1", "mode": "out" }]);
    let kept = lines(&json!({ "filters": odd }));
    assert!(
        kept.iter().all(|l| !l.split("  ").nth(3).unwrap_or_default().contains('1')),
        "{kept:?}"
    );
    // what cannot be compiled filters nothing
    assert_eq!(only(json!([{ "pattern": "late(" }])), 52);
}

#[test]
fn nodes_are_hidden_and_counted() {
    assert!(
        lines(&json!({ "hidden_nodes": ["/planner"] }))
            .iter()
            .all(|l| !l.contains("/planner"))
    );
    let mut harness = show_settings(Stage::new("log", &json!({})));
    harness.run_ok();
    let shown = log(&json!({ "hidden_nodes": ["/vehicle/control"] }));
    shown.get_by_label("1 node hidden");
    assert!(shown.query_by_label_contains("lane keeping").is_none());
}

#[test]
fn loggers_are_a_tree_by_their_dots() {
    let line = |name: &str| {
        let line = Encoder::new().u32(drive::START_SEC).u32(0).u8(20).text(name);
        line.text("hello").text("a.cpp").text("f").u32(1)
    };
    let names = ["driver.left.camera", "driver.left.lens", "driver.right", "planner"];
    let said: Vec<drive::Said> = names.iter().map(|name| ("/rosout", "rcl_interfaces/Log", 0, line(name))).collect();
    let (folder, path) = drive::said(&said);
    let mut drawn = show(Stage::open("log", &json!({}), path), [900.0, 400.0], Theme::Dark);
    drawn.run_ok();
    drawn.state_mut().settings = true;
    drawn.run_ok();
    for row in [
        "driver and 3 nodes below",
        "driver.left and 2 nodes below",
        "driver.left.lens",
        "driver.right",
        "planner",
    ] {
        drawn.get_by_label(row);
    }
    drop(folder);
}

#[test]
fn topics_are_merged_on_one_clock() {
    let merged = lines(&json!({ "topics": ["/rosout", "/chatter"] }));
    let times: Vec<&str> = merged.iter().filter(|l| l.starts_with("2020")).map(|l| &l[..23]).collect();
    assert!(times.is_sorted(), "{times:?}");
    let chatter: Vec<&String> = merged.iter().filter(|l| l.contains("chatter")).collect();
    assert_eq!(chatter.len(), 5);
    assert_eq!(*chatter[0], "2020-09-13 12:26:40.070  INFO   /chatter  chatter 7");
}

#[test]
fn keys_go_to_errors_and_warnings() {
    let mut harness = log(&json!({}));
    harness.hover_at(egui::pos2(400.0, 200.0));
    harness.run_ok();
    // the playhead stands at 1.0 s
    harness.key_press(egui::Key::E);
    harness.run_ok();
    assert_eq!(sought(&harness), Some(1.41));
    harness.state_mut().now = drive::at(1_410_000_000);
    harness.key_press_modifiers(egui::Modifiers::SHIFT, egui::Key::E);
    harness.run_ok();
    assert_eq!(sought(&harness), Some(0.41));
    harness.state_mut().now = drive::at(410_000_000);
    harness.run_ok();
    harness.key_press(egui::Key::W);
    harness.run_ok();
    assert_eq!(sought(&harness), Some(0.49));
    // Shift is up again before the frame ends
    harness.state_mut().now = drive::at(1_410_000_000);
    harness.event(egui::Event::Key {
        key: egui::Key::E,
        physical_key: None,
        pressed: true,
        repeat: false,
        modifiers: egui::Modifiers::SHIFT,
    });
    harness.run_ok();
    assert_eq!(sought(&harness), Some(0.41));
}

#[test]
fn a_click_seeks_and_a_search_counts() {
    let mut harness = log(&json!({ "min_level": "warn" }));
    harness.get_by_label("Warn /planner late by 61 ms").click();
    harness.run_ok();
    assert_eq!(sought(&harness), Some(0.61));
    harness.get_by_label("Search the log").click();
    harness.run_ok();
    harness.get_by_label("Search the log").type_text("late by 1\\d\\d");
    harness.run_ok();
    // what was typed in one pass is asked for in the next one, and shown in that
    harness.run_steps(2);
    // 109, 121, 133, 145, 157, 169, 181, 193
    harness.get_by_label("8 found");
    harness.get_by_label("Next line found").click();
    harness.run_ok();
    assert_eq!(sought(&harness), Some(1.09));
    harness.get_by_label("1 of 8");
}

#[test]
fn the_line_at_the_playhead_is_in_view() {
    let mut stage = Stage::new("log", &json!({}));
    stage.now = drive::at(1_990_000_000);
    let harness = show(stage, [700.0, 200.0], Theme::Light);
    harness.get_by_label("Warn /vehicle/control late by 193 ms");
    let mut stage = Stage::new("log", &json!({}));
    stage.now = Time(drive::at(0).0);
    let harness = show(stage, [700.0, 200.0], Theme::Light);
    harness.get_by_label("Warn /vehicle/control late by 1 ms");
    assert!(harness.query_by_label("Warn /vehicle/control late by 193 ms").is_none());
}

#[test]
fn nothing_to_show_is_told() {
    let harness = log(&json!({ "filters": [{ "pattern": "never said" }] }));
    harness.get_by_label("None of 50 lines passes the filters");
    let harness = log(&json!({ "topics": ["/gone"] }));
    assert_eq!(
        harness.state().state(),
        PanelState::Absent("The recording has no topic /gone".into())
    );
}

const RCL_LOG: &str = "time stamp\nuint8 level\nstring name\nstring msg\nstring file\nstring function\nuint32 line\n";

/// 20 lines of three loggers, a tenth of a second apart, each recorded 20 ms after it was written.
fn ros_2(config: &Value) -> Stage {
    let messages = (0..20_u32).map(|n| {
        let level = [10, 20, 30, 40, 50][n as usize % 5];
        let line = Encoder::new().u32(drive::START_SEC + n / 10).u32(n % 10 * 100_000_000).u8(level);
        let line = line
            .text(&format!("driver.sub.x{}", n % 3))
            .text(&format!("cycle {n} of twenty took {n} ms"));
        let line = line.text("/ws/src/driver.cpp").text("spin").u32(n);
        (i64::from(n) * 100_000_000 + 20_000_000, line)
    });
    let (folder, path) = drive::one_topic("/rosout", "rcl_interfaces/Log", RCL_LOG, messages);
    let mut stage = Stage::open("log", config, path);
    stage.keep(folder);
    stage
}

#[test]
fn lines_of_ros_2_have_their_levels_and_loggers() {
    let mut harness = show(ros_2(&json!({})), [900.0, 400.0], Theme::Dark);
    assert_eq!(harness.state().state(), PanelState::Ready);
    let saved = save_log(&mut harness, "Save the lines shown as CSV…");
    let rows: Vec<&str> = saved.lines().collect();
    assert_eq!(rows.len(), 21);
    assert_eq!(
        rows[5],
        "1600000000420000000,1600000000400000000,FATAL,/rosout,driver.sub.x1,/ws/src/driver.cpp,4,spin,cycle 4 of twenty took 4 ms"
    );
    let levels: Vec<&str> = rows[1..6].iter().filter_map(|row| row.split(',').nth(2)).collect();
    assert_eq!(levels, ["DEBUG", "INFO", "WARN", "ERROR", "FATAL"]);
    // the names' parts are a tree, and all of a branch are hidden together
    let mut settings = show_settings(ros_2(&json!({})));
    settings.get_by_label("driver.sub.x0");
    settings.get_by_label("driver.sub and 3 nodes below").click();
    settings.run_ok();
    let hidden = &settings.state().panel.config()["hidden_nodes"];
    assert_eq!(hidden, &json!(["driver.sub.x0", "driver.sub.x1", "driver.sub.x2"]));
}

#[test]
fn each_of_the_times_stands_before_a_line() {
    for (time, told) in [
        ("receive", Some("12:26:40.220")),
        ("stamp", Some("12:26:40.200")),
        ("relative", Some("+0.200 s")),
        ("delta", Some("+0.100 s")),
        ("hidden", None),
    ] {
        let harness = show(ros_2(&json!({ "time": time })), [900.0, 400.0], Theme::Dark);
        let shown = texts(&harness);
        let others = ["12:26:40.220", "12:26:40.200", "+0.200 s"];
        for other in others {
            assert_eq!(shown.iter().any(|text| text == other), told == Some(other), "{time}: {shown:?}");
        }
        if let Some(told) = told {
            assert!(shown.iter().any(|text| text == told), "{time}: {shown:?}");
        }
    }
}

#[test]
fn long_lines_are_wrapped_or_cut() {
    for wrap in [true, false] {
        let harness = show(ros_2(&json!({ "wrap": wrap, "show_node": false })), [240.0, 400.0], Theme::Dark);
        let mut rows = Vec::new();
        each_shape(&harness, &mut |shape| match shape {
            egui::Shape::Text(text) if text.galley.text().starts_with("cycle 4") => {
                let galley = &text.galley;
                rows.push((galley.rows.len(), galley.elided));
            }
            _ => {}
        });
        let [(count, is_cut)] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!((*count > 1, *is_cut), (wrap, !wrap));
    }
}

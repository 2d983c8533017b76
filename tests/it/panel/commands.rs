//! What can be done with panels by name: the command palette and the menu of their content offer the same.

use egui::Theme;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use roadreel::panel::Action;
use roadreel::path::Literal;
use serde_json::{Value, json};

use super::drive;
use super::stage::{Stage, right_click, show};

/// The panel, with the menu of its content open.
fn with_menu(stage: Stage, at: egui::Pos2) -> Harness<'static, Stage> {
    let mut harness = show(stage, [700.0, 420.0], Theme::Dark);
    right_click(&mut harness, at);
    harness
}

#[test]
fn the_menu_of_the_content_offers_them() {
    let speed = json!({ "path": "/speed.data" });
    // below all rows
    let free = egui::pos2(300.0, 405.0);
    for (kind, config, at) in [
        ("gauge", &speed, egui::pos2(300.0, 200.0)),
        ("indicator", &speed, egui::pos2(300.0, 200.0)),
        ("variables", &Value::Null, free),
        ("topic_graph", &Value::Null, free),
        ("health", &Value::Null, free),
    ] {
        let harness = with_menu(Stage::fleet(kind, config), at);
        for name in harness.state().panel.commands() {
            assert!(harness.query_by_label(name).is_some(), "{kind}: {name}");
        }
    }
    let harness = with_menu(Stage::new("diagnostics", &Value::Null), free);
    for name in harness.state().panel.commands() {
        assert!(harness.query_by_label(name).is_some(), "diagnostics: {name}");
    }
    let harness = with_menu(Stage::fleet("source_info", &Value::Null), egui::pos2(13.0, 100.0));
    for name in harness.state().panel.commands() {
        assert!(harness.query_by_label(name).is_some(), "source_info: {name}");
    }
}

/// A panel that was drawn once.
fn drawn(stage: Stage) -> Harness<'static, Stage> {
    let mut harness = show(stage, [900.0, 500.0], Theme::Dark);
    harness.state_mut().actions.clear();
    harness
}

fn copied(harness: &mut Harness<'static, Stage>, command: &str) -> String {
    harness.state_mut().command(command);
    harness.state().copied().expect("copied").to_owned()
}

#[test]
fn gauges_and_lamps_give_their_value_and_its_history() {
    let mut gauge = drawn(Stage::fleet("gauge", &json!({ "path": "/speed.data" })));
    assert_eq!(copied(&mut gauge, "Copy value"), "20");
    assert_eq!(copied(&mut gauge, "Copy path"), "/speed.data");
    let added = |harness: &Harness<'static, Stage>| {
        let last = harness.state().actions.iter().rev().find_map(|a| match a {
            Action::AddPanel { kind, config } => Some((*kind, config.clone())),
            _ => None,
        });
        last.expect("a panel")
    };
    gauge.state_mut().command("Plot this field");
    assert_eq!(added(&gauge), ("plot", json!({ "series": [{ "path": "/speed.data" }] })));
    gauge.state_mut().command("Dial or bar");
    assert_eq!(gauge.state().panel.config()["shape"], json!("bar"));
    // what is no number has states
    for (path, kind) in [("/mode.text", "states"), ("/mode.mode", "plot")] {
        let mut lamp = drawn(Stage::fleet("indicator", &json!({ "path": path })));
        lamp.state_mut().command("Show over time");
        assert_eq!(added(&lamp).0, kind, "{path}");
    }
    let mut lamp = drawn(Stage::fleet("indicator", &json!({ "path": "/mode.mode" })));
    assert_eq!(copied(&mut lamp, "Copy value"), "AUTO");
    lamp.state_mut().command("Lamp or background");
    assert_eq!(lamp.state().panel.config()["style"], json!("background"));
}

#[test]
fn variables_are_copied_and_forgotten() {
    let mut stage = Stage::fleet("variables", &json!({ "only": ["gap"] }));
    for (name, value) in [("gap", Literal::Int(3)), ("who", Literal::Text("a \"b\"".into()))] {
        stage.store.set_variable(name, Some(value));
    }
    let mut harness = drawn(stage);
    let one: Value = serde_json::from_str(&copied(&mut harness, "Copy the variables as JSON")).expect("JSON");
    assert_eq!(one, json!({ "gap": 3 }));
    harness.state_mut().command("Show all variables");
    let all: Value = serde_json::from_str(&copied(&mut harness, "Copy the variables as JSON")).expect("JSON");
    assert_eq!(all, json!({ "gap": 3, "who": "a \"b\"" }));
    harness.state_mut().command("Forget the variables shown");
    let forgotten = harness.state().actions.iter().filter_map(|a| match a {
        Action::SetVariable { name, value: None } => Some(name.as_str()),
        _ => None,
    });
    assert_eq!(forgotten.collect::<Vec<_>>(), ["gap", "who"]);
}

#[test]
fn health_goes_from_gap_to_gap_and_is_saved() {
    let mut harness = drawn(Stage::new("health", &json!({ "sort": "topic", "descending": false })));
    let sought = |harness: &mut Harness<'static, Stage>, command: &str| {
        harness.state_mut().actions.clear();
        harness.state_mut().command(command);
        harness.state().actions.iter().find_map(|a| match a {
            Action::Seek(t) => Some(t.since(drive::at(0)) / 1_000_000),
            _ => None,
        })
    };
    // the one gap is from 0.9 s on, the playhead at 1 s
    assert_eq!(sought(&mut harness, "Previous gap"), Some(900));
    assert_eq!(sought(&mut harness, "Next gap"), None);
    harness.state_mut().now = drive::at(0);
    assert_eq!(sought(&mut harness, "Next gap"), Some(900));
    let csv = copied(&mut harness, "Copy as CSV");
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!(rows[0], "topic,messages,rate_hz,median_period_s,jitter_s,gaps,longest_gap_s");
    let of = |topic: &str| {
        let row = rows.iter().find(|r| r.starts_with(&format!("\"{topic}\","))).expect("a row");
        row.split(',').skip(1).map(|f| f.parse().unwrap_or(f64::NAN)).collect::<Vec<f64>>()
    };
    let gappy = of("/gappy");
    assert_eq!((gappy[0], gappy[4], gappy[5]), (25.0, 1.0, 0.5));
    assert!((of("/imu")[1] - 100.0).abs() < 1e-9 && (of("/imu")[2] - 0.01).abs() < 1e-12);
    harness.state_mut().command("Save as CSV…");
    assert_eq!(harness.state().saved(), Some(csv));
}

#[test]
fn diagnostics_select_and_copy_what_is_wrong() {
    let mut stage = Stage::new("diagnostics", &json!({ "stale_after_secs": 0.0 }));
    stage.now = drive::at(1_500_000_000);
    stage.settle();
    let mut harness = drawn(stage);
    let wrong = copied(&mut harness, "Copy what is not OK as text");
    assert!(wrong.contains("camera: temperature") && !wrong.contains("lidar: rate"), "{wrong}");
    let all = copied(&mut harness, "Copy all as text");
    assert!(all.contains("lidar: rate") && all.contains("too hot"), "{all}");
    harness.state_mut().command("Select what is worst");
    assert_eq!(harness.state().panel.config()["selected"], json!("camera: temperature"));
    harness.state_mut().command("Show warnings and worse");
    harness.run_ok();
    let shown = copied(&mut harness, "Copy all as text");
    assert!(!shown.contains("lidar: rate"), "{shown}");
}

#[test]
fn the_graph_is_copied_as_text_and_for_graphviz() {
    let mut harness = drawn(Stage::fleet("topic_graph", &Value::Null));
    let text = copied(&mut harness, "Copy as text");
    for line in [
        "/tracker → /objects: 20 messages",
        "/robot_state → /tf_static: 1 messages, latched",
        "/localization → /never: 0 messages",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} in {text}");
    }
    let dot = copied(&mut harness, "Copy as Graphviz");
    assert!(dot.starts_with("digraph topics {\n") && dot.ends_with("}\n"), "{dot}");
    assert!(
        dot.contains("  \"/objects\" [shape=box];\n  ") && dot.contains("\"/tracker\" -> \"/objects\" [label=20];"),
        "{dot}"
    );
    assert!(dot.contains("\"/robot_state\" -> \"/tf_static\" [label=1, style=dashed];"), "{dot}");
    harness.state_mut().command("Hide or show topics without messages");
    harness.run_ok();
    assert!(!copied(&mut harness, "Copy as text").contains("/never"));
}

#[test]
fn sources_are_copied_as_text_and_their_topics_as_csv() {
    let mut harness = drawn(Stage::fleet("source_info", &Value::Null));
    let text = copied(&mut harness, "Copy all as text");
    for line in ["Messages: ", "Compression: lz4", "Index: The file's own"] {
        assert!(text.lines().any(|l| l.starts_with(line)), "{line} in {text}");
    }
    let of_speed = |csv: &str| {
        csv.lines()
            .find(|l| l.starts_with("\"/speed\","))
            .map(str::to_owned)
            .expect("a row")
    };
    let before = of_speed(&copied(&mut harness, "Copy the topics as CSV"));
    assert!(
        before.starts_with("\"/speed\",std_msgs/Float32,20,") && before.ends_with(','),
        "{before}"
    );
    harness.state_mut().command("Measure sizes");
    harness.run_ok();
    harness.run_ok();
    let after = of_speed(&copied(&mut harness, "Copy the topics as CSV"));
    assert!(after.ends_with(",4"), "{after}");
}

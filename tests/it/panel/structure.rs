//! What a recording is made of: its transform tree, its nodes, its files.

use egui::Theme;
use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use roadreel::decode::Form;
use roadreel::panel::{Action, PanelState};
use roadreel::store::{Want, What};
use serde_json::{Value, json};

use super::drive;
use super::stage::{Stage, show, show_settings};
use crate::encode::Encoder;

#[test]
fn the_tree_tells_frames_rates_and_ages() {
    let mut harness = show(Stage::fleet("tf_tree", &Value::Null), [900.0, 560.0], Theme::Dark);
    assert_eq!(harness.state().state(), PanelState::Ready);
    // 50 a second, the newest at the playhead itself
    harness.get_by_role_and_label(Role::Row, "odom dynamic 50.0 Hz 0 s 0.000  0.000  0.000 0.00  0.00  0.00");
    harness.get_by_role_and_label(Role::Row, "lidar static   1.500  0.000  2.000 0.00  0.00  0.00");
    harness.get_by_role_and_label(Role::Row, "map root");
    harness.get_by_role_and_label(Role::Row, "base dynamic 5.00 Hz 0 s 0.000  0.000  0.000 0.00  0.00  0.00");
    // before all but the first messages
    harness.state_mut().now = drive::at(5_000_000);
    harness.run_ok();
    harness.get_by_role_and_label(Role::Row, "odom dynamic  5 ms 0.000  0.000  0.000 0.00  0.00  0.00");
}

#[test]
fn every_break_is_told() {
    let harness = show(Stage::fleet("tf_tree", &Value::Null), [900.0, 560.0], Theme::Light);
    harness.get_by_label("A loop: a → c → b → a. No transform can be worked out of it.");
    harness.get_by_label("base has 2 parents: gps, odom");
    harness.get_by_label_contains("trees, which no transform joins:");
    // the wheel was last heard of at 0.19 s, 0.81 s before the playhead: not yet silent
    assert!(harness.query_by_label_contains("Silent").is_none());
    let mut later = Stage::fleet("tf_tree", &Value::Null);
    later.now = drive::at(1_500_000_000);
    show(later, [900.0, 560.0], Theme::Dark).get_by_label_contains("Silent: wheel for 1.31 s");
}

#[test]
fn a_frame_that_a_message_names_and_nobody_publishes_is_told() {
    let ((_fleet, fleet), (_drive, drive)) = (super::fleet::bag(), drive::bag());
    let mut stage = Stage::open_all("tf_tree", &Value::Null, &[fleet, drive]);
    let topic = stage.topic("/cam/front_left/image_raw");
    let what = What::Latest(Form::Image);
    stage.beside = vec![Want { topic, what }];
    stage.settle();
    let harness = show(stage, [900.0, 560.0], Theme::Dark);
    harness.get_by_label("front_left has no parent: nobody publishes a transform of it, and /cam/front_left/image_raw names it");
    harness.get_by_role_and_label(Role::Row, "front_left root");
}

/// One transform of a frame in `map`.
fn placed(child: &str, translation: [f64; 3], rotation: [f64; 4]) -> Encoder {
    let header = Encoder::new().u32(1).header(0, drive::START_SEC, 0, "map");
    header.text(child).f64s(&translation).f64s(&rotation)
}

#[test]
fn transforms_that_are_no_transforms_are_told() {
    let name = "tf2_msgs/TFMessage";
    let good = [0.0, 0.0, 0.0, 1.0];
    let (folder, path) = drive::said(&[
        ("/tf", name, 0, placed("good", [1.0, 0.0, 0.0], good)),
        ("/tf", name, 0, placed("lost", [f64::NAN, 0.0, 0.0], good)),
        ("/tf", name, 0, placed("late", [2.0, 0.0, 0.0], good)),
        ("/tf", name, 0, placed("unset", [3.0, 0.0, 0.0], [0.0; 4])),
        ("/tf", name, 0, placed("long", [4.0, 0.0, 0.0], [0.0, 0.0, 0.0, 2.0])),
        ("/tf", name, 100_000_000, placed("late", [f64::INFINITY, 0.0, 0.0], good)),
        (
            "/pose",
            "geometry_msgs/PointStamped",
            0,
            Encoder::new().header(0, drive::START_SEC, 0, "nowhere").f64s(&[0.0; 3]),
        ),
        (
            "/point",
            "geometry_msgs/PointStamped",
            0,
            Encoder::new().header(0, drive::START_SEC, 0, "/nowhere").f64s(&[0.0; 3]),
        ),
        (
            "/seen",
            "geometry_msgs/PointStamped",
            0,
            Encoder::new().header(0, drive::START_SEC, 0, "good").f64s(&[0.0; 3]),
        ),
    ]);
    let mut stage = Stage::open("tf_tree", &Value::Null, path);
    stage.keep(folder);
    let place = |frame: &str| stage.store.transforms().lookup("map", frame, stage.now).map(|p| p.translation.x);
    assert_eq!(place("good"), Ok(1.0));
    assert_eq!(place("late"), Ok(2.0), "what holds a number still holds");
    assert!(place("lost").is_err_and(|why| why.contains("they hold NaN or infinity")));
    let harness = show(stage, [900.0, 560.0], Theme::Dark);
    for trouble in [
        "The transform of lost holds NaN or infinity, and places nothing",
        "The transform of late holds NaN or infinity, and places nothing",
        "The transform of unset has a rotation of length 0, which is taken as none",
        "The transform of long has a rotation that is not normalized: RViz drops it",
        "nowhere has no parent: nobody publishes a transform of it, and /point and /pose name it",
    ] {
        harness.get_by_label(trouble);
    }
    assert!(harness.query_by_label_contains("The transform of good").is_none());
}

#[test]
fn transforms_without_a_child_frame_are_told_and_place_nothing() {
    let name = "tf2_msgs/TFMessage";
    let good = [0.0, 0.0, 0.0, 1.0];
    let (folder, path) = drive::said(&[("/tf", name, 0, placed("", [1.0, 0.0, 0.0], good))]);
    let mut stage = Stage::open("tf_tree", &Value::Null, path);
    stage.keep(folder);
    let harness = show(stage, [900.0, 300.0], Theme::Dark);
    harness.get_by_label("Transforms in map name no child frame, and place nothing");

    let (folder, path) = drive::said(&[
        ("/tf", name, 0, placed("base", [1.0, 0.0, 0.0], good)),
        ("/tf", name, 0, placed("/", [2.0, 0.0, 0.0], good)),
    ]);
    let mut stage = Stage::open("tf_tree", &Value::Null, path);
    stage.keep(folder);
    assert!(stage.store.transforms().lookup("map", "", stage.now).is_err());
    let harness = show(stage, [900.0, 300.0], Theme::Dark);
    harness.get_by_label("Transforms in map name no child frame, and place nothing");
    harness.get_by_label("2 frames in one tree");
}

#[test]
fn a_frame_without_a_name_is_listed_and_not_selected() {
    let header = Encoder::new().u32(1).header(0, drive::START_SEC, 0, "");
    let place = header.text("base").f64s(&[1.0, 0.0, 0.0]).f64s(&[0.0, 0.0, 0.0, 1.0]);
    let (folder, path) = drive::said(&[("/tf", "tf2_msgs/TFMessage", 0, place)]);
    let mut stage = Stage::open("tf_tree", &Value::Null, path);
    stage.keep(folder);
    let harness = show(stage, [900.0, 300.0], Theme::Dark);
    let row = harness.get_by_role_and_label(Role::Row, "“” (a frame without a name) root");
    assert_ne!(row.accesskit_node().is_selected(), Some(true));
}

#[test]
fn branches_close_and_a_frame_is_told_in_another() {
    let mut harness = show(
        Stage::fleet("tf_tree", &json!({ "selected": "lidar" })),
        [900.0, 560.0],
        Theme::Dark,
    );
    // the car was 10 m from the map's origin, the lidar stands 1.5 m before its middle
    let place = harness.query_all_by_label_contains("1.500  0.000  2.000 m").count()
        + harness.query_all_by_label_contains("11.500  0.000  2.000 m").count();
    assert!(place > 0);
    harness.get_by_label("In gps");
    harness.get_by_label("Close the details").click();
    harness.run_ok();
    assert!(harness.query_by_label("In gps").is_none());
    let settings = json!({ "closed": ["map", "gps", "odom", "base"] });
    let closed = show(Stage::fleet("tf_tree", &settings), [900.0, 560.0], Theme::Dark);
    assert!(closed.query_by_label_contains("lidar static").is_none());
    let mut filtered = show(Stage::fleet("tf_tree", &settings), [900.0, 560.0], Theme::Dark);
    filtered.get_by_label("Filter frames").click();
    filtered.run_ok();
    filtered.get_by_label("Filter frames").type_text("lid");
    filtered.run_ok();
    filtered.get_by_label_contains("lidar static");
    assert!(filtered.query_by_label_contains("imu static").is_none());
}

#[test]
fn a_recording_without_transforms_says_so() {
    let harness = show(Stage::new("tf_tree", &Value::Null), [400.0, 240.0], Theme::Dark);
    harness.get_by_label("The recording holds no transforms");
}

#[test]
fn the_graph_joins_nodes_with_their_topics() {
    let mut harness = show(Stage::fleet("topic_graph", &Value::Null), [700.0, 320.0], Theme::Dark);
    assert_eq!(harness.state().state(), PanelState::Ready);
    harness.get_by_label("6 nodes → 7 topics");
    for node in [
        "Node /localization, 3 topics",
        "Node /slam, 1 topic",
        "Node /tracker, 1 topic",
        "Node (not named), 1 topic",
    ] {
        harness.get_by_label(node);
    }
    harness.get_by_label("Topic /objects, 20 messages").click();
    harness.run_ok();
    let objects = harness.state().topic("/objects");
    assert!(
        harness
            .state()
            .actions
            .iter()
            .any(|a| matches!(a, Action::Select(t) if *t == objects))
    );
    harness.get_by_label("Filter nodes and topics").click();
    harness.run_ok();
    harness.get_by_label("Filter nodes and topics").type_text("slam");
    harness.run_ok();
    harness.get_by_label("1 node → 1 topic");
    let mut settings = show_settings(Stage::fleet("topic_graph", &Value::Null));
    settings.get_by_label("Hide topics without messages").click();
    settings.run_ok();
    assert_eq!(settings.state().panel.config()["hide_silent"], json!(true));
    let hidden = show(
        Stage::fleet("topic_graph", &json!({ "hide_silent": true })),
        [700.0, 320.0],
        Theme::Dark,
    );
    assert!(hidden.query_by_label_contains("/never").is_none());
}

#[test]
fn nodes_that_are_not_named_are_told() {
    let harness = show(Stage::new("topic_graph", &Value::Null), [700.0, 420.0], Theme::Light);
    assert!(
        matches!(harness.state().state(), PanelState::Partial(_)),
        "{:?}",
        harness.state().state()
    );
    harness.get_by_label_contains("1 node → ");
}

#[test]
fn a_source_is_described_from_its_index() {
    let mut harness = show(Stage::fleet("source_info", &Value::Null), [900.0, 640.0], Theme::Dark);
    assert_eq!(harness.state().state(), PanelState::Ready);
    for text in [
        "fleet.bag",
        "2020-09-13 12:26:40.000  (1600000000.000000000)",
        "1.99 s",
        "lz4",
        "The file's own",
    ] {
        harness.get_by_label(text);
    }
    harness.get_by_role_and_label(Role::Row, "/objects 20 9.95 Hz test_msgs/Objects");
    harness.get_by_label_contains("Measure sizes (reads ").click();
    harness.run_ok();
    harness.run_ok();
    // 4 + 4 + 4 + 4 + 3 of the header, and a Float32 is 4 bytes, 20 times
    harness.get_by_role_and_label(Role::Row, "/speed 20 9.95 Hz 4 B 80 B std_msgs/Float32");
    harness.get_by_label("Sort by Messages").click();
    harness.run_ok();
    let config = harness.state().panel.config();
    assert_eq!((&config["sort"], &config["descending"]), (&json!("messages"), &json!(true)));
}

#[test]
fn damage_is_listed_with_its_place() {
    let (folder, path) = super::fleet::bag();
    let mut bytes = std::fs::read(&path).expect("the bag");
    bytes.truncate(bytes.len() * 2 / 3);
    let cut = folder.path().join("cut.bag");
    std::fs::write(&cut, bytes).expect("written");
    let harness = show(Stage::open("source_info", &Value::Null, cut), [900.0, 900.0], Theme::Dark);
    harness.get_by_label_contains("warning");
    harness.get_by_label("Made anew by reading the whole file");
    assert!(harness.query_all_by_label_contains("byte ").count() > 0);
}

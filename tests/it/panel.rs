//! Panels as layouts, the store and the pointer see them.

#[path = "panel/commands.rs"]
mod commands;
#[path = "panel/diagnostics.rs"]
mod diagnostics;
#[path = "panel/drive.rs"]
mod drive;
#[path = "panel/every.rs"]
mod every;
#[path = "panel/fleet.rs"]
mod fleet;
#[path = "panel/globe.rs"]
mod globe;
#[path = "panel/ground.rs"]
mod ground;
#[path = "panel/health.rs"]
mod health;
#[path = "panel/log.rs"]
mod log;
#[path = "panel/map.rs"]
mod map;
#[path = "panel/overlay.rs"]
mod overlay;
#[path = "panel/plot_place.rs"]
mod plot_place;
#[path = "panel/plots.rs"]
mod plots;
#[path = "panel/stage.rs"]
mod stage;
#[path = "panel/states.rs"]
mod states;
#[path = "panel/structure.rs"]
mod structure;
#[path = "panel/table.rs"]
mod table;
#[path = "panel/texts.rs"]
mod texts;
#[path = "panel/time_axes.rs"]
mod time_axes;
#[path = "panel/values.rs"]
mod values;

use std::sync::Arc;

use egui::Theme;
use egui_kittest::kittest::Queryable as _;
use egui_kittest::{Harness, SnapshotOptions, SnapshotResults};
use roadreel::decode::{Form, Shading, ValueRange};
use roadreel::panel::{Action, PANELS, PanelState};
use roadreel::store::{Event, Want, What, Work};
use serde_json::{Value, json};

use crate::inline::Inline;
use stage::{Stage, show, show_settings};

/// Keys that some other version may have written.
fn with_unknown(mut config: Value) -> Value {
    if let Some(map) = config.as_object_mut() {
        map.insert("from_the_future".into(), json!({ "deep": [1, "two", null] }));
    }
    config
}

#[test]
fn kinds_are_told_apart() {
    for (i, kind) in PANELS.iter().enumerate() {
        assert!(
            !kind.id.is_empty() && !kind.name.is_empty() && !kind.what.is_empty() && !kind.icon.is_empty(),
            "{}",
            kind.id
        );
        assert!(
            PANELS.iter().skip(i + 1).all(|other| other.id != kind.id),
            "two kinds are called {}",
            kind.id
        );
    }
}

#[test]
fn the_readme_names_every_panel() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).expect("the README");
    let rows: Vec<String> = PANELS.iter().map(|k| format!("| {} | {} |", k.name, k.what)).collect();
    let table = rows.join("\n");
    assert!(readme.contains(&table), "the README's table of panels should be:\n{table}");
}

#[test]
fn configurations_survive_with_unknown_keys() {
    for kind in PANELS {
        let default = (kind.create)(&Value::Null).config();
        assert!(default.is_object(), "{}: {default}", kind.id);
        let given = with_unknown(default);
        let kept = (kind.create)(&given).config();
        assert_eq!(kept, given, "{}", kind.id);
        assert_eq!((kind.create)(&kept).config(), kept, "{}", kind.id);
    }
}

#[test]
fn a_wrong_value_costs_only_itself() {
    for kind in PANELS {
        let default = (kind.create)(&Value::Null).config();
        for (key, _) in default.as_object().into_iter().flatten() {
            let mut broken = with_unknown(default.clone());
            broken[key] = json!({ "nothing": "of this kind" });
            let kept = (kind.create)(&broken).config();
            assert_eq!(kept["from_the_future"], broken["from_the_future"], "{}: {key}", kind.id);
            assert!(kept.get(key).is_some(), "{}: {key}", kind.id);
        }
    }
}

#[test]
fn nested_unknown_keys_survive() {
    let given = json!({ "series": [{ "path": "/imu.x", "glow": true }] });
    let kind = PANELS.iter().find(|k| k.id == "plot").expect("the plot");
    let kept = (kind.create)(&given).config();
    assert_eq!(kept["series"][0]["glow"], json!(true));
    assert_eq!(kept["series"][0]["path"], json!("/imu.x"));
}

#[test]
fn automatic_panels_are_ready() {
    let example = Stage::new("raw", &Value::Null);
    for kind in PANELS.iter().filter(|k| k.id != "scene3d") {
        for config in (kind.automatic)(&example.store) {
            let harness = show(Stage::new(kind.id, &config), [400.0, 260.0], Theme::Dark);
            let stage = harness.state();
            assert_eq!(stage.state(), PanelState::Ready, "{}: {config}", kind.id);
            assert!(!stage.title().is_empty());
        }
    }
}

#[test]
fn automatic_choices() {
    let stage = Stage::new("raw", &Value::Null);
    let of = |id: &str| {
        PANELS
            .iter()
            .filter(|k| k.id == id)
            .flat_map(|k| (k.automatic)(&stage.store))
            .collect::<Vec<_>>()
    };
    insta::assert_snapshot!(Value::Array(of("image")), @r#"[{"topic":"/cam/front_left/image_raw"},{"topic":"/cam/wide/image_raw"},{"topic":"/cam/thermal/image_raw"}]"#);
    let plots: Vec<String> = of("plot")
        .iter()
        .map(|c| {
            let paths: Vec<&str> = c["series"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|s| s["path"].as_str())
                .collect();
            format!("{}: {}", c["title"].as_str().unwrap_or_default(), paths.join(" "))
        })
        .collect();
    insta::assert_snapshot!(plots.join("
"), @r"
    Acceleration: /imu.linear_acceleration.x /imu.linear_acceleration.y
    Speed: /vehicle/steering_report.speed
    ");
}

#[test]
fn settings_of_every_kind_are_drawn() {
    let example = Stage::new("raw", &Value::Null);
    for kind in PANELS.iter().filter(|k| k.id != "scene3d") {
        for config in (kind.automatic)(&example.store).into_iter().chain([Value::Null]) {
            let harness = show_settings(Stage::new(kind.id, &config));
            assert!(harness.state().actions.is_empty(), "{} reports a change that nobody made", kind.id);
        }
    }
}

#[test]
fn panels_look_as_they_did() {
    let mut results = SnapshotResults::new();
    let picture = json!({ "topic": "/cam/front_left/image_raw" });
    let thermal = json!({ "topic": "/cam/thermal/image_raw", "colormap": "viridis" });
    let plot = json!({ "series": [{ "path": "/imu.linear_acceleration.x" }, { "path": "/imu.linear_acceleration.y" },
                                  { "path": "/vehicle/steering_report.enabled" }] });
    let raw = json!({ "topic": "/imu", "compare": { "with": "previous" } });
    for (name, kind, config, theme) in [
        ("image_dark", "image", picture, Theme::Dark),
        ("image_light", "image", thermal, Theme::Light),
        ("plot_dark", "plot", plot.clone(), Theme::Dark),
        ("plot_light", "plot", plot, Theme::Light),
        ("raw_dark", "raw", raw.clone(), Theme::Dark),
        ("raw_light", "raw", raw, Theme::Light),
    ] {
        let mut harness = show(Stage::new(kind, &config), [360.0, 240.0], theme);
        results.add(harness.try_snapshot_options(name, &snapshot_options()));
        results.extend_harness(&mut harness);
    }
}

/// Software rasterisers differ in a shade here and there.
fn snapshot_options() -> SnapshotOptions {
    SnapshotOptions::new().threshold(1.0).max_failed_pixels(40)
}

#[test]
fn a_missing_topic_is_told() {
    for (kind, config) in [("image", json!({ "topic": "/gone" })), ("raw", json!({ "topic": "/gone" }))] {
        let harness = show(Stage::new(kind, &config), [300.0, 200.0], Theme::Dark);
        assert_eq!(
            harness.state().state(),
            PanelState::Absent("The recording has no topic /gone".into()),
            "{kind}"
        );
        harness.get_by_label("The recording has no topic /gone");
    }
    let plot = show(
        Stage::new("plot", &json!({ "series": [{ "path": "/imu.nothing" }] })),
        [300.0, 200.0],
        Theme::Dark,
    );
    assert!(
        matches!(plot.state().state(), PanelState::Failed(why) if why.contains("nothing")),
        "{:?}",
        plot.state().state()
    );
}

#[test]
fn the_value_under_the_pointer() {
    // 48 × 32 pixels on 480 × 320 points
    let mut harness = show(
        Stage::new("image", &json!({ "topic": "/cam/front_left/image_raw" })),
        [496.0, 336.0],
        Theme::Dark,
    );
    harness.hover_at(egui::pos2(8.0 + 10.0 * 5.5, 8.0 + 10.0 * 3.5));
    harness.run_ok();
    harness.get_by_label_contains("5    3   25  24 100");
    let mut thermal = show(
        Stage::new("image", &json!({ "topic": "/cam/thermal/image_raw" })),
        [496.0, 336.0],
        Theme::Dark,
    );
    thermal.hover_at(egui::pos2(8.0 + 10.0 * 5.5, 8.0 + 10.0 * 3.5));
    thermal.run_ok();
    thermal.get_by_label_contains("5    3  30053");
    let turned = json!({ "topic": "/cam/thermal/image_raw", "rotation_degrees": 180, "flip_horizontal": true });
    let mut turned = show(Stage::new("image", &turned), [496.0, 336.0], Theme::Dark);
    turned.hover_at(egui::pos2(8.0 + 10.0 * 5.5, 8.0 + 10.0 * 3.5));
    turned.run_ok();
    turned.get_by_label_contains("5   28  30078");
}

#[test]
fn zooming_keeps_the_pixel_under_the_pointer() {
    let mut harness = show(
        Stage::new("image", &json!({ "topic": "/cam/thermal/image_raw" })),
        [496.0, 336.0],
        Theme::Dark,
    );
    harness.hover_at(egui::pos2(63.0, 43.0));
    scroll(&mut harness, 300.0);
    harness.get_by_label_contains("5    3  30053");
    let times = harness.state().panel.config()["view"]["times"].as_f64().expect("zoomed in");
    assert!(times > 1.5, "{times}");
}

#[test]
fn a_click_on_a_plot_seeks() {
    let mut harness = show(
        Stage::new("plot", &json!({ "series": [{ "path": "/imu.linear_acceleration.x" }] })),
        [400.0, 260.0],
        Theme::Dark,
    );
    harness.hover_at(egui::pos2(210.0, 120.0));
    harness.run_ok();
    let hovered = harness.state().actions.iter().rev().find_map(|a| match a {
        Action::Hover(Some(t)) => Some(*t),
        _ => None,
    });
    click(&mut harness, egui::pos2(210.0, 120.0));
    let sought = harness.state().actions.iter().find_map(|a| match a {
        Action::Seek(t) => Some(*t),
        _ => None,
    });
    assert_eq!(sought, hovered);
    let secs = sought.expect("a seek").since(drive::at(0)) as f64 * 1e-9;
    assert!((0.8..1.1).contains(&secs), "{secs}");
}

#[test]
fn the_legend_hides_and_a_drop_adds() {
    let mut stage = Stage::new("plot", &Value::Null);
    assert_eq!(stage.title(), "Plot");
    assert!(stage.drop_topic("/imu"));
    assert!(!stage.drop_topic("/mystery"), "nothing in it can be plotted");
    let mut harness = show(stage, [420.0, 260.0], Theme::Dark);
    harness.get_by_label("linear_acceleration.x").click();
    harness.run_ok();
    let config = harness.state().panel.config();
    assert_eq!(config["series"][0]["visible"], json!(false));
    assert_eq!(config["series"][1]["visible"], json!(true));
    assert!(harness.state().actions.iter().any(|a| matches!(a, Action::Changed)));
}

#[test]
fn a_message_as_a_tree() {
    let mut harness = show(Stage::new("raw", &json!({ "topic": "/imu" })), [420.0, 640.0], Theme::Dark);
    harness.get_by_label("linear_acceleration.z 9.81");
    harness.get_by_label("linear_acceleration_covariance float64[9]  all 0.01").click();
    harness.run_ok();
    harness.get_by_label("linear_acceleration_covariance[8] 0.01");
    harness.get_by_label("header.frame_id “imu”");
}

#[test]
fn a_part_of_a_message_is_shown_alone() {
    let part = |part: &str| {
        let config = json!({ "topic": "/imu", "part": part });
        show(Stage::new("raw", &config), [420.0, 300.0], Theme::Dark)
    };
    let mut harness = part("linear_acceleration");
    harness.get_by_label("linear_acceleration.z 9.81");
    assert!(harness.query_by_label("header.frame_id “imu”").is_none());
    harness.get_by_label("Show the whole message").click();
    harness.run_ok();
    harness.get_by_label("header.frame_id “imu”");
    assert_eq!(harness.state().panel.config().get("part"), None);
    part("linear_acceleration_covariance[-1]").get_by_label("linear_acceleration_covariance[-1] 0.01");
    part("linear_acceleration_covariance[-1:]").get_by_label("linear_acceleration_covariance[-1:] 0.01");
    part("linear_acceleration.@norm").get_by_label_contains("linear_acceleration.@norm 9.8");
    part("{header.seq < 3}").get_by_label("The message has nothing at {header.seq < 3}");
    let wrong = part("linear_accelaration.x");
    let told = "there is no field “linear_accelaration” in sensor_msgs/Imu (did you mean “.linear_acceleration”?)";
    assert_eq!(wrong.state().state(), PanelState::Failed(told.into()));
    wrong.get_by_label_contains(told);
}

#[test]
fn a_part_of_a_message_may_be_several_values() {
    let part = |part: &str| {
        let config = json!({ "topic": "/diagnostics", "part": part });
        show(Stage::new("raw", &config), [420.0, 300.0], Theme::Dark)
    };
    part("status[:]{level > 0}.name").get_by_label("status[:]{level > 0}.name “camera: temperature”");
    let keys = part("status[0:1].values[0].key");
    keys.get_by_label("status[0:1].values[0].key “hertz”");
    keys.get_by_label("status[0:1].values[0].key “celsius”");
    part("{status[:].name =~ 'camera'}.header.seq").get_by_label("@this{status[:].name =~ 'camera'}.header.seq 70");
    let mut harness = part("status[:]{hardware_id == 'cam-3'}");
    harness.get_by_label("status[:]{hardware_id == 'cam-3'}.message “too hot”");
    harness.get_by_label("status[:]{hardware_id == 'cam-3'}.values [1]").click();
    harness.run_ok();
    harness.get_by_label("status[:]{hardware_id == 'cam-3'}.values[0] ").click();
    harness.run_ok();
    harness.get_by_label("status[:]{hardware_id == 'cam-3'}.values[0].value “71”");
}

#[test]
fn ten_thousand_elements_are_paged() {
    let mut harness = show(Stage::new("raw", &json!({ "topic": "/long" })), [420.0, 420.0], Theme::Dark);
    harness.get_by_label("values float32[10000]  100 … 5099.5").click();
    harness.run_ok();
    harness.get_by_label("values[100…199] ").click();
    harness.run_ok();
    harness.get_by_label("values[100] 150");
    assert!(
        harness.query_by_label("values[199] 199.5").is_none(),
        "rows out of sight are not laid out"
    );
}

#[test]
fn bytes_without_a_definition_are_hex() {
    let harness = show(Stage::new("raw", &json!({ "topic": "/mystery" })), [560.0, 200.0], Theme::Dark);
    assert!(
        matches!(harness.state().state(), PanelState::Partial(_)),
        "{:?}",
        harness.state().state()
    );
    harness.get_by_label_contains("00 01 6e 6f 20 64 65 66");
}

#[test]
fn differences_to_the_message_before() {
    let config = json!({ "topic": "/vehicle/steering_report", "compare": { "with": "previous" } });
    let harness = show(Stage::new("raw", &config), [420.0, 300.0], Theme::Dark);
    harness.get_by_label("speed 11 +0.02000046");
    harness.get_by_label("enabled false was true");
}

#[test]
fn copies_and_plots_from_the_tree() {
    let mut harness = show(
        Stage::new("raw", &json!({ "topic": "/vehicle/steering_report" })),
        [420.0, 300.0],
        Theme::Dark,
    );
    harness.get_by_label("Copy the message as JSON").click();
    harness.run_ok();
    let copied: Value = serde_json::from_str(harness.state().copied().expect("copied")).expect("JSON");
    assert_eq!(copied["speed"], json!(11.0));
    harness.get_by_label("speed 11").hover();
    harness.run_ok();
    for button in ["Copy value", "Plot this field"] {
        harness.get_by_role_and_label(egui::accesskit::Role::Button, button);
    }
    harness.get_by_label("speed 11").click_secondary();
    harness.run_ok();
    harness
        .get_all_by_role_and_label(egui::accesskit::Role::Button, "Plot this field")
        .last()
        .expect("the menu's entry")
        .click();
    harness.run_ok();
    let plotted = harness.state().actions.iter().find_map(|a| match a {
        Action::AddPanel { kind, config } => Some((*kind, config["series"][0]["path"].clone())),
        _ => None,
    });
    assert_eq!(plotted, Some(("plot", json!("/vehicle/steering_report.speed"))));
}

/// Red, green and blue of the pixel in the middle of the panel.
fn middle(kind: &str, config: &Value) -> [u8; 3] {
    let mut harness = show(Stage::new(kind, config), [496.0, 336.0], Theme::Dark);
    let picture = harness.render().expect("a picture");
    let [r, g, b, _] = picture.get_pixel(249, 169).0;
    [r, g, b]
}

#[test]
fn values_become_colours() {
    // the middle shows pixel (24, 16): 30,256 of thermal; (120, 128, 100) of the camera
    let thermal = |more: Value| {
        let mut config = json!({ "topic": "/cam/thermal/image_raw", "colormap": "grey" });
        for (key, value) in more.as_object().into_iter().flatten() {
            config[key] = value.clone();
        }
        middle("image", &config)
    };
    assert_eq!(
        thermal(json!({ "range": { "mode": "manual", "min": 30_000, "max": 30_510 } })),
        [128; 3]
    );
    assert_eq!(
        thermal(json!({ "range": { "mode": "manual", "min": 30_256, "max": 30_511 } })),
        [0; 3]
    );
    assert_eq!(thermal(json!({ "range": { "mode": "min_max" } })), [130; 3]);
    assert_eq!(middle("image", &json!({ "topic": "/cam/front_left/image_raw" })), [120, 128, 100]);
    assert_eq!(
        middle(
            "image",
            &json!({ "topic": "/cam/front_left/image_raw", "contrast": 0.0, "brightness": 0.1 })
        ),
        [153; 3]
    );
}

#[test]
fn pictures_wider_than_a_texture_are_tiled() {
    for x in [2040_u32, 2047, 2048, 2060, 2099] {
        let center = [(x as f32 + 0.52) / drive::WIDE as f32, 0.55];
        let config = json!({ "topic": "/cam/wide/image_raw", "view": { "times": 60.0, "center": center } });
        assert_eq!(middle("image", &config), [(x % 251) as u8; 3], "{x}");
    }
}

#[test]
fn following_keeps_the_playhead_in_view() {
    let config = json!({ "series": [{ "path": "/imu.linear_acceleration.x" }], "follow": true, "follow_window_secs": 0.5 });
    let mut stage = Stage::new("plot", &config);
    stage.playing = true;
    let mut harness = show(stage, [400.0, 260.0], Theme::Dark);
    harness.hover_at(egui::pos2(60.0, 120.0));
    harness.step();
    let hovered = harness.state().actions.iter().rev().find_map(|a| match a {
        Action::Hover(Some(t)) => Some(t.since(drive::at(0)) as f64 * 1e-9),
        _ => None,
    });
    let secs = hovered.expect("a time");
    assert!((0.6..0.66).contains(&secs), "the window begins 0.4 s before the playhead: {secs}");
}

#[test]
fn what_is_visible_as_csv() {
    let mut harness = show_settings(Stage::new(
        "plot",
        &json!({ "series": [{ "path": "/vehicle/steering_report.speed" }] }),
    ));
    harness.get_by_label("Copy as CSV").click();
    harness.run_ok();
    let csv = harness.state().copied().expect("copied").to_owned();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 101);
    assert_eq!(lines[0], "time_ns,series,value");
    assert_eq!(lines[1], r#"1600000000000000000,"/vehicle/steering_report.speed",10"#);
}

#[test]
fn in_play_a_panel_shows_the_newest_decoded_message() {
    for (kind, config, drawn) in [
        (
            "image",
            json!({ "topic": "/cam/front_left/image_raw" }),
            "Picture of /cam/front_left/image_raw",
        ),
        ("raw", json!({ "topic": "/cam/front_left/image_raw" }), "encoding"),
    ] {
        let mut harness = show(Stage::new(kind, &config), [400.0, 260.0], Theme::Dark);
        assert_eq!(harness.state().state(), PanelState::Ready);
        // the playhead has just reached the next of ten pictures a second
        harness.state_mut().move_unanswered(drive::at(1_105_000_000), true);
        harness.step();
        assert_eq!(harness.state().state(), PanelState::Ready, "{kind}: 105 ms old is not late");
        assert!(harness.query_by_label_contains(drawn).is_some(), "{kind}: the last picture stays");
        harness.state_mut().move_unanswered(drive::at(1_700_000_000), true);
        harness.step();
        assert!(
            matches!(harness.state().state(), PanelState::Pending(_)),
            "{kind}: 700 ms old is late"
        );
        assert!(harness.query_by_label_contains(drawn).is_some(), "{kind}: even then");
    }
}

#[test]
fn at_rest_only_the_state_at_the_playhead_is_ready() {
    let config = json!({ "topic": "/cam/front_left/image_raw" });
    for kind in ["image", "raw"] {
        let mut harness = show(Stage::new(kind, &config), [400.0, 260.0], Theme::Dark);
        harness.state_mut().move_unanswered(drive::at(1_105_000_000), false);
        harness.step();
        assert!(matches!(harness.state().state(), PanelState::Pending(_)), "{kind}");
        harness.state_mut().answered = true;
        harness.step();
        assert_eq!(harness.state().state(), PanelState::Ready, "{kind}");
    }
}

#[test]
fn a_topic_that_fell_silent_is_told_to_be_stale() {
    for (kind, topic) in [("image", "/cam/front_left/image_raw"), ("raw", "/imu")] {
        let mut stage = Stage::new(kind, &json!({ "topic": topic }));
        stage.now = drive::at(5_000_000_000);
        let harness = show(stage, [400.0, 260.0], Theme::Dark);
        let PanelState::Stale(why) = harness.state().state() else {
            panic!("{kind}: {:?}", harness.state().state())
        };
        assert!(["stale 3.1 s", "stale 3.0 s"].contains(&&*why), "{kind}: {why}");
    }
}

fn scroll(harness: &mut Harness<'_, Stage>, points: f32) {
    harness.event(egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: egui::vec2(0.0, points),
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Wheel,
        modifiers: egui::Modifiers::NONE,
    });
    for _ in 0..20 {
        harness.step();
    }
}

fn click(harness: &mut Harness<'_, Stage>, pos: egui::Pos2) {
    for pressed in [true, false] {
        harness.event(egui::Event::PointerButton {
            pos,
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: egui::Modifiers::NONE,
        });
        harness.step();
    }
    harness.run_ok();
}

#[test]
fn another_range_of_a_picture_reads_and_decodes_nothing_again() {
    let (_folder, path) = drive::bag();
    let mut inline = Inline::open(std::fs::read(path).expect("the bag"));
    let topic = inline.store.topic_by_name("/cam/thermal/image_raw").expect("the camera").id;
    let shading = |max: f32| {
        Arc::new(Shading {
            range: ValueRange::Manual { min: 30_000.0, max },
            ink: Arc::new(std::array::from_fn(|step| [step as u8; 3])),
            tone: None,
            reduce: 1,
        })
    };
    let wants = |shading: &Arc<Shading>| {
        let whats = [What::Latest(Form::Image), What::Shaded(shading.clone())];
        whats.map(|what| Want { topic, what })
    };
    // at 40, 10: 30000 + 400 + 10
    let at = (10 * drive::WIDTH + 40) as usize;
    let (first, second) = (shading(30_500.0), shading(31_000.0));
    inline.settle(&wants(&first));
    let (_, shown) = inline.store.shaded(topic, &first).expect("it is made");
    assert_eq!(shown.pixels[at], [209, 209, 209, 255]);
    assert_eq!(shown.range, Some((30_000.0, 30_500.0)));
    inline.store.demand(inline.now, 0.0, &wants(&second));
    let work = inline.store.take_work();
    let [Work::Compute { id, task }] = work.as_slice() else {
        panic!("{work:?}")
    };
    let outcome = Some(task.run());
    inline.store.apply(Event::Computed { id: *id, outcome });
    let (_, shown) = inline.store.shaded(topic, &second).expect("it is made");
    assert_eq!(shown.pixels[at], [104, 104, 104, 255]);
}

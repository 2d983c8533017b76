//! What holds of every kind of panel: how it looks in both looks, and what it says without a recording, before its data is there
//! and after reading failed. And: which panels show which topics of real recordings.

use egui::Theme;
use egui_kittest::{SnapshotOptions, SnapshotResults, try_image_snapshot_options};
use image::RgbaImage;
use roadreel::decode::Form;
use roadreel::panel::{PANELS, PanelState};
use roadreel::store::{Topic, Want, What};
use serde_json::{Value, json};

use super::stage::{Stage, show, show_settings};
use crate::data::data;
use crate::drive::drive;
use crate::names::unnamed;

/// A panel of each kind with something to show.
struct Example {
    kind: &'static str,
    /// Of the recording with broken frames, objects and nodes; otherwise of the one with pictures.
    is_fleet: bool,
    config: Value,
    /// It needs more of the recording than its index.
    reads: bool,
}

/// All kinds but the 3D panel, which needs a GPU of its own (see the tests of it).
fn examples() -> Vec<Example> {
    let example = |kind, is_fleet, config, reads| Example {
        kind,
        is_fleet,
        config,
        reads,
    };
    let rules = json!([{ "value": "AUTO", "color": "ok", "text": "Automatic" }]);
    vec![
        example("image", false, json!({ "topic": "/cam/front_left/image_raw" }), true),
        example("plot", false, json!({ "series": [{ "path": "/imu.linear_acceleration.x" }] }), true),
        example("raw", false, json!({ "topic": "/imu" }), true),
        example("map", false, json!({}), true),
        example("log", false, json!({}), true),
        example("diagnostics", false, json!({}), true),
        example("health", false, json!({}), true),
        example(
            "states",
            true,
            json!({ "paths": [{ "path": "/mode.mode" }, { "path": "/mode.engaged" }] }),
            true,
        ),
        example(
            "sql",
            false,
            json!({
                "sql": "-- how hard it brakes\nSELECT time, linear_acceleration_x AS ax\nFROM \"/imu\" WHERE linear_acceleration_x > 0.5",
                "run_at_once": true,
            }),
            false,
        ),
        example("table", true, json!({ "path": "/objects.objects[:]" }), true),
        example("tf_tree", true, json!({}), true),
        example("topic_graph", true, json!({}), false),
        example("source_info", true, json!({}), false),
        example(
            "gauge",
            true,
            json!({ "path": "/speed.data", "unit": "m/s", "max": 40.0, "coloring": "map" }),
            true,
        ),
        example("indicator", true, json!({ "path": "/mode.mode", "rules": rules }), true),
        example(
            "note",
            true,
            json!({ "text": "# Rain\n\nWet road from **1 s** on.\n\n- glare\n- wipers" }),
            false,
        ),
        example("variables", true, json!({ "controls": { "gap": { "kind": "slider" } } }), false),
    ]
}

fn stage(example: &Example) -> Stage {
    let mut stage = match example.is_fleet {
        true => Stage::fleet(example.kind, &example.config),
        false => Stage::new(example.kind, &example.config),
    };
    for (name, value) in [("gap", 3), ("id", 40)] {
        stage.store.set_variable(name, Some(roadreel::path::Literal::Int(value)));
    }
    stage
}

#[test]
fn every_kind_has_an_example() {
    let of = |kind: &str| examples().iter().filter(|e| e.kind == kind).count();
    for kind in PANELS.iter().filter(|k| k.id != "scene3d") {
        assert_eq!(of(kind.id), 1, "{}", kind.id);
    }
    assert_eq!(examples().len(), PANELS.len() - 1);
}

/// Dark on the left, light on the right.
#[test]
fn every_panel_in_both_looks() {
    let mut results = SnapshotResults::new();
    for example in examples() {
        let mut pictures = [Theme::Dark, Theme::Light].map(|theme| {
            let mut harness = show(stage(&example), [320.0, 200.0], theme);
            let state = harness.state().state();
            assert!(
                matches!(state, PanelState::Ready | PanelState::Partial(_)),
                "{}: {state:?}",
                example.kind
            );
            assert!(harness.state().actions.is_empty(), "{} changed by itself", example.kind);
            harness.render().expect("a picture")
        });
        let [dark, light] = &mut pictures;
        if example.kind == "source_info" {
            // the temporary folder has another name each time
            for picture in [&mut *dark, &mut *light] {
                let line = RgbaImage::from_pixel(picture.width(), 28, *picture.get_pixel(2, 2));
                image::imageops::replace(picture, &line, 0, 40);
            }
        }
        let mut both = RgbaImage::new(dark.width() + light.width(), dark.height());
        image::imageops::replace(&mut both, dark, 0, 0);
        image::imageops::replace(&mut both, light, i64::from(dark.width()), 0);
        let options = SnapshotOptions::new().threshold(1.0).max_failed_pixels(60);
        results.add(try_image_snapshot_options(&both, format!("every_{}", example.kind), &options));
    }
}

#[test]
fn every_widget_of_every_panel_and_its_settings_has_a_name() {
    let mut nameless = Vec::new();
    let mut all = examples();
    // with all that may be added
    let more = |kind, config| Example {
        kind,
        is_fleet: false,
        config,
        reads: true,
    };
    all.push(more(
        "plot",
        json!({ "series": [{ "path": "/imu.linear_acceleration.x", "axis": "right" }, { "path": "3" }], "cursors": [0.2, 0.6],
            "statistics": true, "x_axis": "path", "x_path": "/imu.linear_acceleration.y", "y": { "mode": "manual", "min": 0.0, "max": 1.0 } }),
    ));
    all.push(more(
        "log",
        json!({ "filters": [{ "pattern": "late" }], "hidden_nodes": ["/planner"], "from_ns": 1, "bookmarks": [] }),
    ));
    all.push(more(
        "map",
        json!({ "layer": "custom", "color_by": "path", "color_path": "/imu.linear_acceleration.x" }),
    ));
    all.push(more(
        "image",
        json!({ "topic": "/cam/thermal/image_raw", "range": { "mode": "manual", "min": 0.0, "max": 9.0 } }),
    ));
    all.push(more(
        "table",
        json!({ "path": "/imu", "rows": "recording", "open": ["linear_acceleration"] }),
    ));
    all.push(more("health", json!({ "selected": "/imu" })));
    all.push(more("diagnostics", json!({ "selected": "lidar: rate", "plotted": "hertz" })));
    all.push(more("raw", json!({ "topic": "/imu", "compare": { "with": "previous" } })));
    for example in all {
        let panel = show(stage(&example), [900.0, 560.0], Theme::Dark);
        let settings = show_settings(stage(&example));
        for (of, found) in [("panel", unnamed(&panel)), ("settings", unnamed(&settings))] {
            nameless.extend(found.into_iter().map(|what| format!("{} ({of}): {what}", example.kind)));
        }
    }
    assert!(nameless.is_empty(), "{nameless:#?}");
}

/// What the content's menu and the command palette offer: each does something, and nothing twice.
#[test]
fn every_command_of_every_panel_does_something() {
    for example in examples() {
        let mut harness = show(stage(&example), [640.0, 360.0], Theme::Dark);
        let names = harness.state().panel.commands();
        assert!(!names.is_empty(), "{}", example.kind);
        let different: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len(), "{}: {names:?}", example.kind);
        for name in names {
            harness.state_mut().command(name);
            harness.run_ok();
            assert!(is_told(&harness.state().state()) || harness.state().state() == PanelState::Ready);
        }
    }
}

#[test]
fn the_scene_is_looked_at_from_all_sides() {
    let mut scene = Stage::new("scene3d", &Value::Null);
    let camera = |scene: &Stage| scene.panel.config()["camera"].clone();
    assert_eq!(camera(&scene), Value::Null);
    for (command, yaw) in [
        ("Look from behind", 0.0),
        ("Look from the front", 180.0),
        ("Look from the left", -90.0),
    ] {
        scene.command(command);
        assert_eq!(
            (&camera(&scene)["yaw_degrees"], &camera(&scene)["top_down"]),
            (&json!(yaw), &json!(false)),
            "{command}"
        );
    }
    scene.command("Look from above or from the side");
    assert_eq!(camera(&scene)["top_down"], json!(true));
    scene.command("Reset the camera");
    assert_eq!(camera(&scene), Value::Null);
    assert_eq!(scene.actions.len(), 5, "each is a change of the layout");
}

/// A sentence, not a word.
fn is_told(state: &PanelState) -> bool {
    match state {
        PanelState::Ready => false,
        PanelState::Stale(why)
        | PanelState::Partial(why)
        | PanelState::Pending(why)
        | PanelState::Absent(why)
        | PanelState::Failed(why) => why.split_whitespace().count() > 2,
    }
}

#[test]
fn without_a_recording_every_panel_says_what_to_do() {
    for kind in PANELS {
        let harness = show(Stage::bare(kind.id, &Value::Null), [360.0, 240.0], Theme::Dark);
        let state = harness.state().state();
        assert!(matches!(state, PanelState::Absent(_)) && is_told(&state), "{}: {state:?}", kind.id);
        assert!(!harness.state().title().is_empty(), "{}", kind.id);
        assert!(harness.state().actions.is_empty(), "{}", kind.id);
    }
}

#[test]
fn before_its_data_is_there_every_panel_says_that_it_waits() {
    for example in examples().into_iter().filter(|e| e.reads) {
        let mut waiting = stage(&example);
        waiting.forget();
        let mut harness = show(waiting, [360.0, 240.0], Theme::Dark);
        let state = harness.state().state();
        let waits = matches!(state, PanelState::Pending(_) | PanelState::Partial(_));
        assert!(waits && is_told(&state), "{}: {state:?}", example.kind);
        harness.state_mut().answered = true;
        for _ in 0..3 {
            harness.run_ok();
        }
        let state = harness.state().state();
        assert!(
            matches!(state, PanelState::Ready | PanelState::Partial(_)),
            "{}: {state:?}",
            example.kind
        );
    }
}

#[test]
fn after_reading_failed_every_panel_says_why() {
    let mut silent = Vec::new();
    for example in examples().into_iter().filter(|e| e.reads) {
        let mut broken = stage(&example);
        broken.forget();
        broken.lose_file();
        broken.answered = true;
        let mut harness = show(broken, [360.0, 240.0], Theme::Light);
        for _ in 0..3 {
            harness.run_ok();
        }
        let state = harness.state().state();
        // what was read along with the index is shown, with a word on the rest
        let tells = match &state {
            PanelState::Failed(_) => is_told(&state),
            PanelState::Partial(why) => why.contains("became shorter"),
            _ => false,
        };
        if !tells {
            silent.push(format!("{}: {state:?}", example.kind));
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
}

/// Which kinds of panel, other than raw messages, take each topic that is dropped on them.
#[test]
fn topics_and_the_panels_that_show_them() {
    let Some(folder) = data("ros1") else { return };
    let mut bags: Vec<_> = std::fs::read_dir(folder).expect("a folder").flatten().map(|e| e.path()).collect();
    bags.sort();
    bags.push(drive().to_owned());
    let mut out = String::new();
    for bag in bags {
        let name = bag.file_name().unwrap_or_default().to_string_lossy().into_owned();
        out += &format!("{name}\n");
        let mut stage = Stage::open("raw", &Value::Null, bag);
        // what texts hold is known once one was read
        let texts = stage.store.topics().iter().filter(|t| t.type_name.ends_with("/String"));
        let newest = |topic: &Topic| Want {
            topic: topic.id,
            what: What::Latest(Form::Value),
        };
        stage.beside = texts.map(newest).collect();
        stage.now = stage.store.span().map_or(stage.now, |span| span.end);
        stage.settle();
        let view = stage.view();
        for topic in stage.store.topics() {
            let shows = |kind: &&roadreel::panel::Kind| {
                kind.id != "raw" && kind.id != "health" && (kind.create)(&Value::Null).drop_topic(&view, topic.id)
            };
            let kinds: Vec<&str> = PANELS.iter().filter(shows).map(|k| k.name).collect();
            assert!(!kinds.is_empty() || topic.schema.is_none(), "{name}: nothing shows {}", topic.name);
            out += &format!("  {}  {}: {}\n", topic.name, topic.type_name, kinds.join(", "));
        }
    }
    insta::assert_snapshot!(out);
}

//! The map panel: a track that crosses the antimeridian.

use egui::{Theme, pos2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use roadreel::panel::{Action, PanelState};
use serde_json::{Value, json};

use super::drive;
use super::stage::{Stage, show, show_settings, texts};
use crate::encode::Encoder;

const SIZE: [f32; 2] = [600.0, 400.0];

fn map(config: &Value) -> Harness<'static, Stage> {
    show(Stage::new("map", config), SIZE, Theme::Dark)
}

fn seconds(t: roadreel::time::Time) -> f64 {
    t.since(drive::at(0)) as f64 * 1e-9
}

fn hovered(harness: &Harness<'_, Stage>) -> Option<f64> {
    harness.state().actions.iter().rev().find_map(|a| match a {
        Action::Hover(at) => Some(at.map(seconds)),
        _ => None,
    })?
}

/// Where on screen the track is at `fraction` of its 1.9°: it fills the panel but for a margin.
fn on_track(fraction: f32) -> egui::Pos2 {
    let margin = 52.0;
    pos2(8.0 + margin + fraction * (SIZE[0] - 16.0 - 2.0 * margin), SIZE[1] / 2.0)
}

#[test]
fn a_track_across_the_antimeridian_is_one_line() {
    let mut harness = map(&json!({}));
    assert_eq!(harness.state().state(), PanelState::Ready);
    for (fraction, secs) in [(0.0, 0.05), (0.25, 0.5), (0.5, 1.0), (0.75, 1.5), (1.0, 1.95)] {
        harness.hover_at(on_track(fraction));
        harness.run_ok();
        let at = hovered(&harness).unwrap_or_else(|| panic!("nothing at {fraction}"));
        assert!((at - secs).abs() < 0.08, "{fraction}: {at}");
    }
    harness.hover_at(pos2(300.0, 60.0));
    harness.run_ok();
    assert_eq!(hovered(&harness), None, "away from the track");
}

#[test]
fn the_way_tells_heading_and_speed_whatever_a_chunk_holds() {
    let (_folder, path) = drive::lonely_track();
    let stage = Stage::open("map", &json!({}), path);
    let chunks = stage.store.catalog(0).expect("a catalogue").chunks.len();
    assert_eq!(chunks, 40, "each position has one");
    let mut harness = show(stage, SIZE, Theme::Dark);
    for fraction in [0.0, 0.5, 1.0] {
        harness.hover_at(on_track(fraction));
        harness.run_ok();
        harness.get_by_label("Heading 90°");
        // 0.05° of longitude at 17° south in 50 ms
        let speed = harness.query_all_by_label_contains(" m/s (").next().expect("a speed");
        let label = speed
            .accesskit_node()
            .label()
            .or(speed.accesskit_node().value())
            .unwrap_or_default();
        let metres: f64 = label.split(' ').next().and_then(|n| n.parse().ok()).expect("a number");
        assert!((metres / 106_458.0 - 1.0).abs() < 0.005, "{label}");
    }
}

/// A picture that is drawn then has them all.
#[test]
fn all_positions_are_in_pieces_once_the_store_rests() {
    let (_folder, path) = drive::long_track();
    let stage = Stage::open("map", &json!({}), path);
    let topic = stage.store.topic_by_name("/other/fix").expect("a topic");
    let pieces = stage.store.pieces(topic.id).expect("wanted");
    let points = pieces
        .parts
        .iter()
        .filter_map(|part| part.piece.as_ref())
        .map(|piece| piece.points.len());
    // the first has no fix
    assert_eq!((pieces.messages, points.sum::<usize>()), (6_000, 5_999));
    assert!(!stage.store.status().waiting);
}

#[test]
fn no_line_leads_over_positions_without_a_fix() {
    // beside the positions, where the parts of a line meet
    let lines_at = |path: std::path::PathBuf, fraction: f32| {
        let mut harness = show(Stage::open("map", &json!({}), path), SIZE, Theme::Dark);
        harness.run_ok();
        let shapes = &harness.output().shapes;
        let places: Vec<_> = (-12_i8..12)
            .map(|dy| on_track(fraction) + egui::vec2(0.7, f32::from(dy) + 0.3))
            .collect();
        shapes
            .iter()
            .filter(|s| places.iter().any(|place| covers(&s.shape, *place)))
            .count()
    };
    let (_whole, whole) = drive::lonely_track();
    let [middle, side] = [0.5, 0.3].map(|fraction| lines_at(whole.clone(), fraction));
    assert!(middle >= 2 && side >= 2, "{middle}, {side}");
    for chunk_bytes in [1, 64 * 1024] {
        let (_folder, broken) = drive::broken_track(chunk_bytes);
        assert_eq!(lines_at(broken.clone(), 0.3), side, "where it has a fix");
        assert_eq!(lines_at(broken, 0.5), middle - 2, "neither the line nor its edge");
    }
}

/// Whether a triangle of a mesh lies there.
fn covers(shape: &egui::Shape, at: egui::Pos2) -> bool {
    let egui::Shape::Mesh(mesh) = shape else { return false };
    mesh.indices.chunks_exact(3).any(|corners| {
        let [a, b, c] = [0, 1, 2].map(|i| mesh.vertices[corners[i] as usize].pos - at);
        let turns = [(a, b), (b, c), (c, a)].map(|(from, to)| from.x * to.y - from.y * to.x);
        turns.iter().all(|turn| *turn > 0.0) || turns.iter().all(|turn| *turn < 0.0)
    })
}

#[test]
fn a_click_on_the_track_seeks() {
    let mut harness = map(&json!({}));
    let at = on_track(0.25);
    harness.hover_at(at);
    harness.run_ok();
    for pressed in [true, false] {
        harness.event(egui::Event::PointerButton {
            pos: at,
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: egui::Modifiers::NONE,
        });
        harness.run_ok();
    }
    let sought = harness.state().actions.iter().find_map(|a| match a {
        Action::Seek(t) => Some(seconds(*t)),
        _ => None,
    });
    assert!(sought.is_some_and(|s| (s - 0.5).abs() < 0.08), "{sought:?}");
}

#[test]
fn the_view_is_kept_and_given_back() {
    let mut harness = map(&json!({}));
    assert_eq!(harness.state().panel.config()["view"], Value::Null);
    harness.get_by_label("Zoom in").click();
    harness.run_ok();
    let [latitude, longitude, zoom]: [f64; 3] = serde_json::from_value(harness.state().panel.config()["view"].clone()).expect("a view");
    assert!((latitude + 17.0).abs() < 0.01, "{latitude}");
    assert!(longitude.abs() > 179.9, "{longitude}");
    assert!((8.0..11.0).contains(&zoom), "{zoom}");
    harness.get_by_label("Show the whole track").click();
    harness.run_ok();
    assert_eq!(harness.state().panel.config()["view"], Value::Null);
}

#[test]
fn distances_follow_the_globe() {
    let mut harness = map(&json!({}));
    harness.get_by_label("Measure distances").click();
    harness.run_ok();
    for at in [on_track(0.0), on_track(1.0)] {
        harness.hover_at(at);
        harness.run_ok();
        for pressed in [true, false] {
            harness.event(egui::Event::PointerButton {
                pos: at,
                button: egui::PointerButton::Primary,
                pressed,
                modifiers: egui::Modifiers::NONE,
            });
            harness.run_ok();
        }
    }
    // 1.9° along 17° S: 1.9 × 111.19 km × cos 17°
    harness.get_by_label("Measured 202 km");
    assert!(
        !harness.state().actions.iter().any(|a| matches!(a, Action::Seek(_))),
        "measuring seeks nothing"
    );
}

#[test]
fn colours_and_layers_are_offered() {
    for by in ["topic", "status", "accuracy", "speed", "altitude", "path"] {
        let config = json!({ "color_by": by, "color_path": "/vehicle/steering_report.speed" });
        let harness = map(&config);
        assert_eq!(harness.state().state(), PanelState::Ready, "{by}");
        assert_eq!(harness.state().panel.config()["color_by"], json!(by));
        show_settings(Stage::new("map", &config));
    }
}

#[test]
fn colours_range_over_what_the_positions_are_worth() {
    let fix = |millis: i64| {
        let head = Encoder::new()
            .header(0, drive::START_SEC, millis as u32 * 1_000_000, "gps")
            .u8(0)
            .raw(&[1, 0]);
        let place = head.f64s(&[47.0, 8.0 + millis as f64 * 1e-6, 400.0]).f64s(&[0.0; 9]).u8(0);
        ("/fix", "sensor_msgs/NavSatFix", millis * 1_000_000, place)
    };
    let value = |millis: i64, v: f64| ("/v", "std_msgs/Float64", millis * 1_000_000, Encoder::new().f64(v));
    let (folder, path) = drive::said(&[
        value(0, 90.0),
        value(400, 2.0),
        fix(500),
        value(600, 3.0),
        fix(700),
        value(750, 80.0),
        value(800, 4.0),
        fix(900),
        value(999, 70.0),
    ]);
    let mut stage = Stage::open("map", &json!({ "color_by": "path", "color_path": "/v.data" }), path);
    stage.keep(folder);
    stage.now = drive::at(900_000_000);
    stage.settle();
    let mut harness = show(stage, SIZE, Theme::Dark);
    harness.run_ok();
    let shown = texts(&harness);
    let has = |text: &str| shown.iter().any(|t| t == text);
    assert!(has("2") && has("4") && !has("90"), "{shown:?}");
}

#[test]
fn tracks_of_several_recordings_are_compared_from_their_starts() {
    let ((_drive, drive), (_other, other)) = (drive::bag(), drive::other_track(100));
    let open = |config: Value| Stage::open_all("map", &config, &[drive.clone(), other.clone()]);
    let mut drawn = show(open(json!({})), SIZE, Theme::Dark);
    drawn.run_ok();
    drawn.state_mut().settings = true;
    drawn.run_ok();
    drawn.get_by_label("Align starts").click();
    drawn.run_ok();
    let offsets = &drawn.state().panel.config()["offsets"];
    assert_eq!(offsets, &json!({ "/gps/fix": 0.0, "/other/fix": -100.0 }));
    // the other track, a hundred seconds later by itself, answers at the playhead of the first
    let config = json!({ "topics": ["/other/fix"], "offsets": { "/other/fix": -100.0 } });
    let mut harness = show(open(config), SIZE, Theme::Dark);
    harness.hover_at(on_track(0.5));
    harness.run_ok();
    let at = hovered(&harness).expect("the track is hovered");
    assert!((at - 1.0).abs() < 0.08, "{at}");
}

#[test]
fn all_that_messages_draw_is_in_view_at_first() {
    // the tracks lie about 180° east and 17° south
    let far =
        r##"{"type":"Feature","properties":{"name":"Far away","stroke":"#ff00ff"},"geometry":{"type":"Point","coordinates":[170,-20]}}"##;
    let (_drive, drive) = drive::bag();
    let (_far, far) = drive::said(&[("/zones", "foxglove_msgs/GeoJSON", 0, Encoder::new().text(far))]);
    let names = |config: Value| {
        let mut harness = show(Stage::open_all("map", &config, &[drive.clone(), far.clone()]), SIZE, Theme::Dark);
        harness.run_ok();
        let shapes = harness.output().shapes.iter();
        shapes
            .filter(|s| matches!(&s.shape, egui::Shape::Text(text) if text.galley.text() == "Far away"))
            .count()
    };
    assert!(names(json!({})) > 0, "beside the tracks");
    assert_eq!(names(json!({ "hidden": ["/zones"] })), 0);
    assert!(names(json!({ "hidden": ["/gps/fix"] })) > 0, "alone");
}

#[test]
fn no_positions_are_told() {
    let harness = map(&json!({ "topics": ["/gone"] }));
    assert_eq!(
        harness.state().state(),
        PanelState::Absent("The recording has no topic /gone".into())
    );
}

#[test]
fn topics_that_are_hidden_are_not_shown() {
    let harness = map(&json!({ "hidden": ["/gps/fix"] }));
    assert_eq!(
        harness.state().state(),
        PanelState::Absent("All positions are hidden: show some in the settings".into())
    );
}

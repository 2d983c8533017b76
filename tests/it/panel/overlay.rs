//! Boxes and lane points of tables on the camera: at their pixels, at their times, as the settings say.

use std::path::PathBuf;

use egui::Theme;
use egui_kittest::kittest::Queryable as _;
use image::RgbaImage;
use roadreel::decode::{Annotations, Decoded, Form};
use roadreel::panel::PanelState;
use roadreel::store::Lookup;
use roadreel::theme::data::of_name;
use serde_json::{Value, json};

use super::drive;
use super::stage::{Stage, show, show_settings};

const CAMERA: &str = "/cam/front_left/image_raw";

/// The drive and a table beside it, with the playhead so many milliseconds after the start.
fn beside(overlay: &Value, name: &str, text: &str, millis: i64) -> Stage {
    let (folder, path) = drive::bag();
    let table: PathBuf = folder.path().join(name);
    std::fs::write(&table, text).expect("written");
    let config = json!({ "topic": CAMERA, "overlay": overlay });
    let mut stage = Stage::open_all("image", &config, &[path, table]);
    stage.now = drive::at(millis * 1_000_000);
    stage.settle();
    stage.keep(folder);
    stage
}

/// Two rows: a car and somebody at 0.2 s, with a lane; a truck at 0.6 s.
fn detections() -> String {
    let lane = json!([{ "image_points": [{ "x": 4, "y": 30 }, { "x": 4, "y": 10 }] }]).to_string();
    let first = json!({
        "Time": 1_600_000_000.2,
        "objects_in_lane": [
            { "x": 24.0, "y": 16.0, "width": 16.0, "height": 8.0, "Class": "car", "confidence": 0.9, "corners_in_lane": 4 },
            { "x": 40.0, "y": 26.0, "width": 6.0, "height": 8.0, "Class": "person", "confidence": 0.3, "corners_in_lane": 2 },
        ],
        // encoded twice, as the lake has it
        "lanes_clean": json!(lane).to_string(),
    });
    let second = json!({
        "Time": 1_600_000_000.6,
        "objects_in_lane": [{ "x": 12.0, "y": 8.0, "width": 8.0, "height": 8.0, "Class": "truck", "confidence": 0.8, "corners_in_lane": 4 }],
        "lanes_clean": "[]",
    });
    format!("{first}\n{second}\n")
}

const DETECTIONS: &str = "/scene_detections";

fn drawn(overlay: Value, millis: i64) -> Drawn {
    Drawn::of(beside(&overlay, "scene_detections.jsonl", &detections(), millis))
}

/// The panel as a picture.
struct Drawn {
    picture: RgbaImage,
    rect: egui::Rect,
}

impl Drawn {
    fn of(stage: Stage) -> Drawn {
        let mut harness = show(stage, [640.0, 440.0], Theme::Dark);
        assert_eq!(harness.state().state(), PanelState::Ready);
        let rect = harness.get_by_label(&format!("Picture of {CAMERA}")).rect();
        Drawn {
            picture: harness.render().expect("a picture"),
            rect,
        }
    }

    /// Whether the colour of a class is seen at a pixel of the camera's picture.
    fn has(&self, class: &str, x: f32, y: f32) -> bool {
        let (width, height) = (drive::WIDTH as f32, drive::HEIGHT as f32);
        let rect = self.rect.shrink(0.5);
        let scale = (rect.width() / width).min(rect.height() / height);
        let at = rect.center() + (egui::vec2(x, y) - egui::vec2(width, height) / 2.0) * scale;
        let wanted = of_name(class);
        let is_like = |x: i32, y: i32| {
            let pixel = self.picture.get_pixel(x as u32, y as u32).0;
            let near = |a: u8, b: u8| a.abs_diff(b) < 24;
            near(pixel[0], wanted.r()) && near(pixel[1], wanted.g()) && near(pixel[2], wanted.b())
        };
        let (x, y) = (at.x.floor() as i32, at.y.floor() as i32);
        (-1..=1).any(|dx| (-1..=1).any(|dy| is_like(x + dx, y + dy)))
    }

    /// Whether a box of this class has its four sides there.
    fn has_box(&self, class: &str, [x, y, w, h]: [f32; 4]) -> bool {
        let sides = [(x - w / 2.0, y), (x + w / 2.0, y), (x, y - h / 2.0), (x, y + h / 2.0)];
        sides.iter().all(|(x, y)| self.has(class, *x, *y))
    }
}

const CAR: [f32; 4] = [24.0, 16.0, 16.0, 8.0];
const PERSON: [f32; 4] = [40.0, 26.0, 6.0, 8.0];
const TRUCK: [f32; 4] = [12.0, 8.0, 8.0, 8.0];

#[test]
fn boxes_and_lanes_stand_where_the_table_says() {
    let drawn = drawn(json!({ "topics": [DETECTIONS] }), 300);
    assert!(drawn.has_box("car", CAR) && drawn.has_box("person", PERSON));
    assert!(!drawn.has("car", 24.0, 16.0), "a box is empty");
    assert!(drawn.has("lane", 4.0, 20.0) && !drawn.has("lane", 8.0, 20.0));
    assert!(!drawn.has_box("truck", TRUCK), "its time has not come");
}

#[test]
fn each_row_holds_from_its_time_to_the_next() {
    let topics = json!({ "topics": [DETECTIONS] });
    let before = drawn(topics.clone(), 190);
    assert!(!before.has_box("car", CAR));
    let at_the_end = drawn(topics.clone(), 599);
    assert!(at_the_end.has_box("car", CAR));
    let after = drawn(topics, 600);
    assert!(after.has_box("truck", TRUCK) && !after.has_box("car", CAR));
    assert!(!after.has("lane", 4.0, 20.0), "that row has no lanes");
    let young = json!({ "topics": [DETECTIONS], "max_age_secs": 0.25 });
    assert!(drawn(young.clone(), 400).has_box("car", CAR));
    assert!(!drawn(young, 500).has_box("car", CAR), "it is older than that");
}

#[test]
fn confidence_and_classes_decide_what_is_drawn() {
    let sure = drawn(json!({ "topics": [DETECTIONS], "min_confidence": 0.5 }), 300);
    assert!(sure.has_box("car", CAR) && !sure.has_box("person", PERSON));
    let hidden = drawn(json!({ "topics": [DETECTIONS], "hidden_classes": ["car", "lane"] }), 300);
    assert!(!hidden.has_box("car", CAR) && hidden.has_box("person", PERSON));
    assert!(!hidden.has("lane", 4.0, 20.0));
}

#[test]
fn boxes_of_a_scaled_picture_are_scaled_back() {
    let scaled = drawn(json!({ "topics": [DETECTIONS], "picture_size": [96, 64] }), 300);
    assert!(scaled.has_box("car", CAR.map(|number| number / 2.0)));
}

/// ADDF's table has a row for each box, and no time but that in the picture's name.
#[test]
fn a_table_with_a_row_for_each_box_is_one_picture_at_a_time() {
    let head = ",xmin,ymin,xmax,ymax,confidence,class,name,source_image\n";
    let row = |number: u32, x: u32, name: &str, image: &str| format!("{number},{x},8,{},16,0.75,2,{name},{image}\n", x + 8);
    let (first, second) = ("frame_0000001_1600000000_200000000.png", "frame_0000002_1600000000600000000.png");
    let rows = [row(0, 4, "car", first), row(1, 20, "bus", first), row(0, 32, "train", second)];
    let table = format!("{head}{}", rows.concat());
    let overlay = json!({ "topics": ["/all_predictions"] });
    let at = |millis| Drawn::of(beside(&overlay, "all_predictions.csv", &table, millis));
    let drawn = at(300);
    assert!(drawn.has_box("car", [8.0, 12.0, 8.0, 8.0]) && drawn.has_box("bus", [24.0, 12.0, 8.0, 8.0]));
    let drawn = at(700);
    assert!(drawn.has_box("train", [36.0, 12.0, 8.0, 8.0]) && !drawn.has_box("car", [8.0, 12.0, 8.0, 8.0]));
}

fn newest(stage: &Stage, topic: &str) -> Annotations {
    match stage.store.latest(stage.topic(topic), Form::Annotations) {
        Lookup::Ready(entry) => match &*entry.decoded {
            Decoded::Annotations(annotations) => annotations.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// One JSON text a topic, lists encoded once more in it, the raw column beside the opened one; what is no number is no box.
#[test]
fn lists_are_found_in_synchronized_rows() {
    let boxes = json!([
        { "x": 10.0, "y": 20.0, "width": 4.0, "height": 6.0, "Class": "car", "id": 3 },
        { "x": null, "y": 20.0, "width": 4.0, "height": 6.0, "Class": "car", "id": 4 },
    ]);
    let row = json!({
        "Time": 1_600_000_000.1,
        "rgb_right_detections_only_clean": json!({ "detections_bboxes_clean": boxes.to_string(), "detections_bboxes": boxes.to_string(), "n": 2 }).to_string(),
        "post_process_lane_points_rgb_front_right_clean": json!({
            "lanes_clean": json!([{ "image_points": [{ "x": 1, "y": 2 }, { "x": 3, "y": 4 }] }]).to_string()
        }).to_string(),
    });
    let stage = beside(
        &json!({ "topics": ["/synchronized_topics"] }),
        "synchronized_topics.jsonl",
        &format!("{row}\n"),
        300,
    );
    let found = newest(&stage, "/synchronized_topics");
    assert_eq!(found.boxes.len(), 1, "{found:?}");
    let only = found.boxes.first().expect("a box");
    assert_eq!(
        (only.centre, only.size, &*only.class, only.confidence),
        ([10.0, 20.0], [4.0, 6.0], "car", None)
    );
    let lanes: Vec<_> = found.lanes.iter().map(|lane| lane.points.clone()).collect();
    assert_eq!(lanes, [vec![[1.0, 2.0], [3.0, 4.0]]]);
}

#[test]
fn settings_offer_tables_and_classes() {
    let config = json!({ "topics": [DETECTIONS] });
    let mut stage = beside(&config, "scene_detections.jsonl", &detections(), 300);
    let mut actions = Vec::new();
    {
        let harness = show(stage, [320.0, 240.0], Theme::Dark);
        stage = harness.into_state();
    }
    actions.append(&mut stage.actions);
    assert!(actions.is_empty(), "nothing changes by itself");
    let mut settings = show_settings(stage);
    settings.get_by_label("Class person").click();
    settings.run_ok();
    assert_eq!(settings.state().panel.config()["overlay"]["hidden_classes"], json!(["person"]));
    settings.get_by_label(DETECTIONS).click();
    settings.run_ok();
    assert_eq!(settings.state().panel.config()["overlay"]["topics"], json!([]));
}

#[test]
fn what_belongs_on_the_first_camera_is_drawn_without_being_asked_for() {
    let all = drawn(json!({}), 300);
    assert!(all.has("car", 16.0, 16.0), "on its edge");
    let none = drawn(json!({ "topics": [] }), 300);
    assert!(!none.has("car", 16.0, 16.0));
}

#[test]
fn a_table_is_dropped_on_the_picture() {
    let mut stage = beside(&json!({}), "scene_detections.jsonl", &detections(), 300);
    assert!(stage.drop_topic(DETECTIONS));
    let config = stage.panel.config();
    assert_eq!(
        (&config["topic"], &config["overlay"]["topics"]),
        (&json!(CAMERA), &json!([DETECTIONS]))
    );
}

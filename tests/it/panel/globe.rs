//! The map panel over every message that says where something is, and what the hand and the playhead do there.

use egui::{Modifiers, PointerButton, Pos2, Shape, Theme, pos2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use roadreel::decode::definitions;
use roadreel::format::Connection;
use roadreel::format::rosbag1::writer::{Compression, Writer};
use roadreel::panel::{Action, PanelState};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::drive::{START_SEC, at};
use super::stage::{Stage, each_shape, show, texts};
use crate::encode::Encoder;

const SIZE: [f32; 2] = [600.0, 400.0];
const MIDDLE: Pos2 = pos2(300.0, 200.0);
const LOCATION_FIX: &str = "time timestamp\nstring frame_id\nfloat64 latitude\nfloat64 longitude\nfloat64 altitude\n\
                            float64[9] position_covariance\nuint8 position_covariance_type\n";

/// 41 positions in two seconds, the n-th a hundredth of a degree farther to the east: on the equator from 10° to 10.4°.
const POSITIONS: u32 = 41;

fn longitude(n: u32) -> f64 {
    10.0 + f64::from(n) * 0.01
}

struct Topic {
    name: &'static str,
    type_name: &'static str,
    definition: String,
    message: Box<dyn Fn(u32) -> Encoder>,
}

impl Topic {
    fn new(name: &'static str, type_name: &'static str, message: impl Fn(u32) -> Encoder + 'static) -> Topic {
        let definition = match type_name {
            "foxglove_msgs/LocationFix" => LOCATION_FIX.to_owned(),
            "foxglove_msgs/GeoJSON" => "string geojson\n".to_owned(),
            known => definitions().complete(known).expect("known"),
        };
        Topic {
            name,
            type_name,
            definition,
            message: Box::new(message),
        }
    }
}

fn header(n: u32) -> Encoder {
    Encoder::new().header(n, START_SEC + n / 20, n % 20 * 50_000_000, "gps")
}

fn fix(n: u32, latitude: f64, longitude: f64, variances: [f64; 2]) -> Encoder {
    let [east, north] = variances;
    let covariance = [east, 0.0, 0.0, 0.0, north, 0.0, 0.0, 0.0, 1.0];
    let place = header(n).u8(0).raw(&[1, 0]).f64s(&[latitude, longitude, 30.0]);
    place.f64s(&covariance).u8(2)
}

/// On its way to the north-east, whatever the positions say.
fn gps_fix(n: u32) -> Encoder {
    let status = header(n).header(n, 0, 0, "").raw(&[0, 0]).u32(0).raw(&[0, 0]);
    let status = status.u32(0).u32(0).u32(0).u32(0).raw(&[0; 8]);
    let place = status.f64s(&[0.0, longitude(n), 400.0]);
    let course = place.f64s(&[45.0, 12.5, 0.0]);
    course.f64s(&[0.0; 20]).f64s(&[0.0; 9]).u8(0)
}

fn pose(n: u32) -> Encoder {
    header(n).f64s(&[0.0, longitude(n), 30.0]).f64s(&[0.0, 0.0, 0.0, 1.0])
}

fn bag(topics: &[Topic]) -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("globe.bag");
    let mut bag = Writer::new(std::io::Cursor::new(Vec::new()), Compression::None).expect("a bag");
    for topic in topics {
        let id = bag.add_connection(&Connection {
            topic: topic.name.into(),
            type_name: topic.type_name.into(),
            md5: "0".repeat(32).into(),
            definition: topic.definition.clone().into(),
            latching: false,
            callerid: None,
            bag: None,
        });
        for n in 0..POSITIONS {
            bag.write(id, at(i64::from(n) * 50_000_000), (topic.message)(n).bytes())
                .expect("written");
        }
    }
    std::fs::write(&path, bag.finish().expect("finished").into_inner()).expect("the file");
    (folder, path)
}

fn stage(topics: &[Topic], config: &Value) -> Stage {
    let (folder, path) = bag(topics);
    let mut stage = Stage::open("map", config, path);
    stage.keep(folder);
    stage
}

fn map(topics: &[Topic], config: &Value) -> Harness<'static, Stage> {
    show(stage(topics, config), SIZE, Theme::Dark)
}

/// Seconds after the start.
fn hovered(harness: &mut Harness<'static, Stage>, pointer: Pos2) -> Option<f64> {
    harness.state_mut().actions.clear();
    harness.hover_at(pointer);
    harness.run_ok();
    harness.state().actions.iter().rev().find_map(|a| match a {
        Action::Hover(Some(t)) => Some(t.since(at(0)) as f64 * 1e-9),
        _ => None,
    })
}

/// Where on screen the track is after a part of its way: it fills the panel but for a margin.
fn on_track(fraction: f32) -> Pos2 {
    let margin = 52.0;
    pos2(8.0 + margin + fraction * (SIZE[0] - 16.0 - 2.0 * margin), SIZE[1] / 2.0)
}

#[test]
fn every_message_of_positions_is_a_track() {
    for (type_name, message) in [
        (
            "sensor_msgs/NavSatFix",
            (|n| fix(n, 0.0, longitude(n), [1.0, 1.0])) as fn(u32) -> Encoder,
        ),
        ("gps_common/GPSFix", gps_fix),
        ("geographic_msgs/GeoPointStamped", |n| header(n).f64s(&[0.0, longitude(n), 30.0])),
        ("geographic_msgs/GeoPoseStamped", pose),
        ("foxglove_msgs/LocationFix", |n| {
            let place = Encoder::new().u32(START_SEC).u32(n).text("gps").f64s(&[0.0, longitude(n), 30.0]);
            place.f64s(&[0.0; 9]).u8(0)
        }),
    ] {
        let mut harness = map(&[Topic::new("/place", type_name, message)], &json!({}));
        assert_eq!(harness.state().state(), PanelState::Ready, "{type_name}");
        for fraction in [0.0, 0.25, 0.5, 1.0] {
            let secs = hovered(&mut harness, on_track(fraction)).unwrap_or_else(|| panic!("{type_name}: nothing at {fraction}"));
            assert!((secs - 2.0 * f64::from(fraction)).abs() < 0.06, "{type_name} {fraction}: {secs}");
        }
        // its own heading and speed, where it tells them
        let heading = if type_name == "gps_common/GPSFix" {
            "Heading 45°"
        } else {
            "Heading 90°"
        };
        harness.get_by_label(heading);
        assert_eq!(harness.query_by_label("12.5 m/s (45 km/h)").is_some(), heading == "Heading 45°");
    }
}

#[test]
fn what_messages_draw_lies_where_they_say() {
    let stop = r##"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"name":"Stop","marker-color":"#ff0000"},
        "geometry":{"type":"Point","coordinates":[10.1,0.1]}}]}"##;
    let path = |n: u32| {
        let ends = [[-0.1, 10.3], [0.1, 10.3]];
        ends.iter().fold(header(n).u32(2), |path, [latitude, longitude]| {
            path.header(0, 0, 0, "")
                .f64s(&[*latitude, *longitude, 0.0])
                .f64s(&[0.0, 0.0, 0.0, 1.0])
        })
    };
    let topics = [
        Topic::new("/fix", "sensor_msgs/NavSatFix", |n| fix(n, 0.0, longitude(n), [1.0, 1.0])),
        Topic::new("/stops", "foxglove_msgs/GeoJSON", move |_| Encoder::new().text(stop)),
        Topic::new("/text", "std_msgs/String", move |_| {
            Encoder::new().text(&stop.replace("Stop", "Said").replace("0.1]", "-0.1]"))
        }),
        Topic::new("/path", "geographic_msgs/GeoPath", path),
    ];
    // the world is 256 points wide at zoom 0
    let per_degree = 256.0 * 1024.0 / 360.0;
    let on_screen = |latitude: f32, longitude: f32| MIDDLE + egui::vec2((longitude - 10.2) * per_degree, -latitude * per_degree);
    let view = json!({ "view": [0.0, 10.2, 10.0], "topics": ["/fix", "/stops", "/text", "/path"] });
    let picture = |config: &Value| {
        let mut harness = map(&topics, config);
        let texts = texts(&harness);
        (harness.render().expect("a picture"), texts)
    };
    let (all, names) = picture(&view);
    let (alone, _) = picture(&json!({ "view": [0.0, 10.2, 10.0], "topics": ["/fix"] }));
    let pixel = |picture: &image::RgbaImage, at: Pos2| picture.get_pixel(at.x.round() as u32, at.y.round() as u32).0;
    for place in [on_screen(0.1, 10.1), on_screen(-0.1, 10.1)] {
        let [r, g, b, _] = pixel(&all, place);
        assert!(r > 200 && g < 60 && b < 60, "{place:?}: {:?}", [r, g, b]);
    }
    let differs = |place: Pos2| pixel(&all, place) != pixel(&alone, place);
    assert!(differs(on_screen(0.05, 10.3)) && differs(on_screen(-0.08, 10.3)), "on the path");
    assert!(
        !differs(on_screen(0.15, 10.3)) && !differs(on_screen(0.05, 10.35)),
        "beyond and beside it"
    );
    assert!(names.iter().any(|n| n == "Stop") && names.iter().any(|n| n == "Said"), "{names:?}");
}

/// 95 % of a normal distribution with these standard deviations, in points of the map.
#[test]
fn an_ellipse_tells_how_sure_a_position_is() {
    let (east, north) = (4_000.0_f64, 1_000.0_f64);
    let topic = Topic::new("/fix", "sensor_msgs/NavSatFix", move |n| {
        fix(n, 0.0, 10.0 + f64::from(n) * 1e-9, [east * east, north * north])
    });
    let harness = map(&[topic], &json!({ "view": [0.0, 10.0, 9.0] }));
    let points_per_metre = 256.0 * 512.0 / 40_075_016.686;
    let mut sizes = Vec::new();
    each_shape(&harness, &mut |shape| match shape {
        Shape::Path(path) if path.closed && path.points.len() == 48 => {
            let bounds = egui::Rect::from_points(&path.points);
            assert!(bounds.center().distance(MIDDLE) < 0.5, "{bounds:?}");
            sizes.push(bounds.size());
        }
        _ => {}
    });
    let [size] = sizes.as_slice() else {
        panic!("one ellipse: {sizes:?}")
    };
    let wanted = [east, north].map(|sigma| (2.0 * 2.448 * sigma * points_per_metre) as f32);
    assert!((size.x / wanted[0] - 1.0).abs() < 0.01, "{size:?}, {wanted:?}");
    assert!((size.y / wanted[1] - 1.0).abs() < 0.01, "{size:?}, {wanted:?}");
}

#[test]
fn the_position_of_one_of_several_tracks_is_followed() {
    let topics = || {
        [
            Topic::new("/a/fix", "sensor_msgs/NavSatFix", |n| fix(n, 0.0, longitude(n), [1.0, 1.0])),
            Topic::new("/b/fix", "sensor_msgs/NavSatFix", |n| fix(n, 3.0, longitude(n), [1.0, 1.0])),
        ]
    };
    for (config, name) in [
        (json!({ "follow": true }), "/a/fix"),
        (json!({ "follow": true, "follow_topic": "/b/fix" }), "/b/fix"),
    ] {
        let mut harness = map(&topics(), &config);
        for secs in [0.5, 1.5] {
            harness.state_mut().now = at((secs * 1e9) as i64);
            let under = hovered(&mut harness, MIDDLE).expect("the position is in the middle");
            assert!((under - secs).abs() < 0.03, "{name}: {under} for {secs}");
            harness.get_by_label(name);
        }
        // who moves the map looks elsewhere
        drag(&mut harness, pos2(300.0, 300.0), pos2(330.0, 320.0));
        assert_eq!(harness.state().panel.config()["follow"], json!(false));
    }
}

fn drag(harness: &mut Harness<'static, Stage>, from: Pos2, to: Pos2) {
    harness.hover_at(from);
    harness.run_ok();
    let button = |pos, pressed| egui::Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    harness.event(button(from, true));
    harness.step();
    for part in 1..=8_i8 {
        harness.event(egui::Event::PointerMoved(from + (to - from) * (f32::from(part) / 8.0)));
        harness.step();
    }
    harness.event(button(to, false));
    harness.run_ok();
}

#[test]
fn a_drag_along_the_track_scrubs_through_time() {
    let topic = Topic::new("/fix", "sensor_msgs/NavSatFix", |n| fix(n, 0.0, longitude(n), [1.0, 1.0]));
    let mut harness = map(&[topic], &json!({}));
    // nor need the hand be steady
    drag(&mut harness, on_track(0.25), on_track(0.75) + egui::vec2(0.0, 60.0));
    let sought: Vec<f64> = harness
        .state()
        .actions
        .iter()
        .filter_map(|a| match a {
            Action::Seek(t) => Some(t.since(at(0)) as f64 * 1e-9),
            _ => None,
        })
        .collect();
    assert!(sought.len() >= 6 && sought.is_sorted(), "{sought:?}");
    let last = sought.last().copied().expect("a seek");
    assert!((last - 1.5).abs() < 0.06 && sought[0] < 0.8, "{sought:?}");
    assert_eq!(harness.state().panel.config()["view"], Value::Null, "the map stays");
}

#[test]
fn the_poles_lie_at_the_edge_of_the_map() {
    for (latitude, y) in [(89.0, 12.0), (-89.9, 388.0)] {
        let topic = Topic::new("/fix", "sensor_msgs/NavSatFix", move |n| fix(n, latitude, longitude(n), [1.0, 1.0]));
        let config = json!({ "view": [85.05_f64.copysign(latitude), 10.2, 8.0] });
        let mut harness = map(&[topic], &config);
        assert_eq!(harness.state().state(), PanelState::Ready);
        let secs = hovered(&mut harness, pos2(300.0, y)).expect("the track");
        assert!((secs - 1.0).abs() < 0.1, "{latitude}: {secs}");
    }
}

#[test]
fn a_track_too_small_to_be_seen_is_a_dot() {
    let topics = [
        Topic::new("/fix", "sensor_msgs/NavSatFix", |n| {
            fix(n, 0.0, 10.0 + f64::from(n) * 1e-6, [0.0; 2])
        }),
        Topic::new("/far", "sensor_msgs/NavSatFix", |n| {
            fix(n, 0.0, 40.0 + f64::from(n) * 1e-6, [0.0; 2])
        }),
    ];
    let mut stage = stage(&topics, &json!({ "view": [0.0, 25.0, 4.0] }));
    // before both have begun
    stage.now = at(-1);
    let harness = show(stage, SIZE, Theme::Dark);
    let mut dots = Vec::new();
    each_shape(&harness, &mut |shape| {
        if let Shape::Circle(circle) = shape
            && circle.radius >= 3.0
            && (circle.center.y - MIDDLE.y).abs() < 1.0
        {
            dots.push(circle.center.x.round());
        }
    });
    let far = (15.0_f32 * 256.0 * 16.0 / 360.0).round();
    assert!(dots.contains(&(MIDDLE.x - far)) && dots.contains(&(MIDDLE.x + far)), "{dots:?}");
}

/// What is to come is fainter, however often the line lies over itself.
#[test]
fn the_way_to_come_is_as_faint_where_positions_are_dense() {
    // to and fro, four points
    let topic = Topic::new("/fix", "sensor_msgs/NavSatFix", |n| {
        fix(n, 0.0, 10.0 + if n < 2 { 0.0 } else { 0.1 + f64::from(n % 2) * 0.0005 }, [0.0; 2])
    });
    let mut stage = stage(&[topic], &json!({ "view": [0.0, 10.05, 13.0], "line_width_points": 8.0 }));
    stage.now = at(0);
    let mut harness = show(stage, SIZE, Theme::Dark);
    let picture = harness.render().expect("a picture");
    let brightest = |from: u32, to: u32| (from..to).map(|x| picture.get_pixel(x, 200).0[2]).max().unwrap_or(0);
    // 0.05° is 291 points
    let (once, often) = (brightest(400, 500), brightest(585, 592));
    assert!(once > 60 && often.abs_diff(once) <= 6, "{once}, {often}");
}

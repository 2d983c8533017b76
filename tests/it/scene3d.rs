//! The 3D panel on small recordings made here: pictures, reasons, picking, configurations.

use std::cell::RefCell;
use std::io::Cursor;
use std::rc::Rc;

use bytes::Bytes;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use roadreel::decode::Resource;
use roadreel::format::Connection;
use roadreel::format::rosbag1::writer::{Compression, Writer};
use roadreel::panel::{Action, Panel, PanelState, View, scene3d};
use roadreel::store::Want;
use roadreel::time::Time;
use serde_json::json;

use crate::encode::Encoder;
use crate::inline::Inline;

const HEADER: &str = "uint32 seq\ntime stamp\nstring frame_id";
const POSE: &str = "Point position\nQuaternion orientation\n===\nMSG: geometry_msgs/Point\nfloat64 x\nfloat64 y\nfloat64 z\n===\nMSG: geometry_msgs/Quaternion\nfloat64 x\nfloat64 y\nfloat64 z\nfloat64 w";

fn with_header(body: &str) -> String {
    format!("Header header\n{body}\n===\nMSG: std_msgs/Header\n{HEADER}")
}

fn with_pose(body: &str) -> String {
    with_header(&format!("{body}\n===\nMSG: geometry_msgs/Pose\n{POSE}"))
}

fn cloud_type() -> (&'static str, String) {
    let field = "string name\nuint32 offset\nuint8 datatype\nuint32 count";
    let body = format!(
        "uint32 height\nuint32 width\nPointField[] fields\nbool is_bigendian\nuint32 point_step\nuint32 row_step\nuint8[] data\nbool is_dense\n===\nMSG: sensor_msgs/PointField\n{field}"
    );
    ("sensor_msgs/PointCloud2", with_header(&body))
}

fn marker_type() -> (&'static str, String) {
    let body = "string ns\nint32 id\nint32 type\nint32 action\ngeometry_msgs/Pose pose\ngeometry_msgs/Vector3 scale\nstd_msgs/ColorRGBA color\nduration lifetime\nbool frame_locked\ngeometry_msgs/Point[] points\nstd_msgs/ColorRGBA[] colors\nstring text\nstring mesh_resource\nbool mesh_use_embedded_materials\n===\nMSG: geometry_msgs/Vector3\nfloat64 x\nfloat64 y\nfloat64 z\n===\nMSG: std_msgs/ColorRGBA\nfloat32 r\nfloat32 g\nfloat32 b\nfloat32 a";
    let marker = with_pose(body);
    (
        "visualization_msgs/MarkerArray",
        format!("Marker[] markers\n===\nMSG: visualization_msgs/Marker\n{marker}"),
    )
}

fn transform_type() -> (&'static str, String) {
    let stamped = with_header(
        "string child_frame_id\nTransform transform\n===\nMSG: geometry_msgs/Transform\nVector3 translation\nQuaternion rotation\n===\nMSG: geometry_msgs/Vector3\nfloat64 x\nfloat64 y\nfloat64 z\n===\nMSG: geometry_msgs/Quaternion\nfloat64 x\nfloat64 y\nfloat64 z\nfloat64 w",
    );
    (
        "tf2_msgs/TFMessage",
        format!("geometry_msgs/TransformStamped[] transforms\n===\nMSG: geometry_msgs/TransformStamped\n{stamped}"),
    )
}

fn grid_type() -> (&'static str, String) {
    let body = "MapMetaData info\nint8[] data\n===\nMSG: nav_msgs/MapMetaData\ntime map_load_time\nfloat32 resolution\nuint32 width\nuint32 height\ngeometry_msgs/Pose origin";
    ("nav_msgs/OccupancyGrid", with_pose(body))
}

fn path_type() -> (&'static str, String) {
    let stamped = "Header header\nPose pose";
    (
        "nav_msgs/Path",
        with_pose(&format!(
            "geometry_msgs/PoseStamped[] poses\n===\nMSG: geometry_msgs/PoseStamped\n{stamped}"
        )),
    )
}

fn scan_type() -> (&'static str, String) {
    let body = "float32 angle_min\nfloat32 angle_max\nfloat32 angle_increment\nfloat32 time_increment\nfloat32 scan_time\nfloat32 range_min\nfloat32 range_max\nfloat32[] ranges\nfloat32[] intensities";
    ("sensor_msgs/LaserScan", with_header(body))
}

fn pose_type() -> (&'static str, String) {
    ("geometry_msgs/PoseStamped", with_pose("geometry_msgs/Pose pose"))
}

/// A bag in memory; every message is received at its second.
struct Bag {
    writer: Writer<Cursor<Vec<u8>>>,
}

impl Bag {
    fn new() -> Bag {
        Bag {
            writer: Writer::new(Cursor::new(Vec::new()), Compression::None).unwrap(),
        }
    }

    fn add(mut self, topic: &str, (type_name, definition): (&str, String), sec: u32, message: Encoder) -> Bag {
        let connection = Connection {
            topic: topic.into(),
            type_name: type_name.into(),
            definition: definition.as_str().into(),
            ..Connection::default()
        };
        let id = self.writer.add_connection(&connection);
        self.writer.write(id, Time::from_sec_nsec(sec, 0), message.bytes()).unwrap();
        self
    }

    fn open(self) -> Inline {
        Inline::open(self.writer.finish().unwrap().into_inner())
    }
}

fn transforms(list: &[(&str, &str, [f64; 3])], sec: u32) -> Encoder {
    list.iter().fold(Encoder::new().u32(list.len() as u32), |e, (parent, child, at)| {
        e.header(0, sec, 0, parent).text(child).f64s(at).f64s(&[0.0, 0.0, 0.0, 1.0])
    })
}

/// Points on a wavy floor of `side` × `side`, 0.2 m apart, with an intensity; point 5 is NaN.
fn cloud(frame: &str, sec: u32, side: u32) -> Encoder {
    let mut data = Vec::new();
    for index in 0..side * side {
        let (x, y) = (
            (index % side) as f32 * 0.2 - side as f32 * 0.1,
            (index / side) as f32 * 0.2 - side as f32 * 0.1,
        );
        let z = if index == 5 {
            f32::NAN
        } else {
            (x * 0.9).sin() * (y * 0.7).cos() * 0.6
        };
        [x, y, z, (x * x + y * y).sqrt()]
            .iter()
            .for_each(|v| data.extend_from_slice(&v.to_le_bytes()));
    }
    let fields = [("x", 0), ("y", 4), ("z", 8), ("intensity", 12)];
    let message = Encoder::new().header(0, sec, 0, frame).u32(side).u32(side).u32(4);
    let message = fields
        .iter()
        .fold(message, |e, (name, offset)| e.text(name).u32(*offset).u8(7).u32(1));
    message.u8(0).u32(16).u32(16 * side).counted(&data).u8(0)
}

struct Mark {
    ns: &'static str,
    id: i32,
    kind: i32,
    at: [f64; 3],
    scale: [f64; 3],
    color: [f32; 4],
    points: Vec<[f64; 3]>,
    text: &'static str,
    mesh: &'static str,
}

fn mark(id: i32, kind: i32, at: [f64; 3]) -> Mark {
    let color = [
        [0.95, 0.4, 0.3, 1.0],
        [0.3, 0.75, 0.95, 1.0],
        [0.45, 0.85, 0.4, 1.0],
        [0.95, 0.8, 0.3, 1.0],
    ][id as usize % 4];
    Mark {
        ns: "show",
        id,
        kind,
        at,
        scale: [1.0; 3],
        color,
        points: Vec::new(),
        text: "",
        mesh: "",
    }
}

fn markers(list: &[Mark], frame: &str, sec: u32) -> Encoder {
    list.iter().fold(Encoder::new().u32(list.len() as u32), |e, m| {
        let e = e.header(0, sec, 0, frame).text(m.ns).i32(m.id).i32(m.kind).i32(0);
        let e = e.f64s(&m.at).f64s(&[0.0, 0.0, 0.0, 1.0]).f64s(&m.scale);
        let e = m
            .color
            .iter()
            .fold(e, |e, v| e.f32(*v))
            .i32(0)
            .i32(0)
            .u8(0)
            .u32(m.points.len() as u32);
        let e = m.points.iter().fold(e, |e, p| e.f64s(p)).u32(0);
        e.text(m.text).text(m.mesh).u8(0)
    })
}

/// All twelve kinds, in two rows.
fn all_kinds() -> Vec<Mark> {
    let zigzag = || {
        (0..6)
            .map(|i| [f64::from(i) * 0.3 - 0.75, f64::from(i % 2) * 0.8 - 0.4, 0.0])
            .collect::<Vec<_>>()
    };
    let place = |kind: i32| [f64::from(kind / 6) * -3.0 + 1.5, f64::from(kind % 6) * -2.0 + 5.0, 0.6];
    (0..12)
        .map(|kind| {
            let m = mark(kind, kind, place(kind));
            match kind {
                0 => Mark {
                    scale: [1.4, 0.2, 0.2],
                    ..m
                },
                4 | 5 => Mark {
                    scale: [0.12, 0.0, 0.0],
                    points: zigzag(),
                    ..m
                },
                6 | 7 => Mark {
                    scale: [0.3; 3],
                    points: zigzag(),
                    ..m
                },
                8 => Mark {
                    scale: [0.2, 0.2, 0.0],
                    points: zigzag(),
                    ..m
                },
                9 => Mark {
                    scale: [0.0, 0.0, 0.7],
                    text: "text",
                    ..m
                },
                10 => Mark {
                    mesh: "package://cars/meshes/car.dae",
                    ..m
                },
                11 => Mark {
                    points: vec![
                        [-0.7, -0.7, 0.0],
                        [0.7, -0.7, 0.0],
                        [0.0, 0.0, 0.9],
                        [0.7, -0.7, 0.0],
                        [0.7, 0.7, 0.0],
                        [0.0, 0.0, 0.9],
                    ],
                    ..m
                },
                _ => m,
            }
        })
        .collect()
}

fn pose(at: [f64; 3]) -> Encoder {
    Encoder::new().f64s(&at).f64s(&[0.0, 0.0, 0.0, 1.0])
}

fn path(frame: &str, sec: u32) -> Encoder {
    let message = Encoder::new().header(0, sec, 0, frame).u32(20);
    (0..20).fold(message, |e, i| {
        let t = f64::from(i) * 0.5;
        e.header(0, sec, 0, frame).raw(pose([t - 4.0, (t * 0.8).sin() * 2.0, 0.05]).bytes())
    })
}

fn grid(frame: &str, sec: u32) -> Encoder {
    let cells: Vec<u8> = (0..30 * 20u32)
        .map(|i| {
            if i % 30 == 0 || i / 30 == 19 {
                100
            } else if i % 7 == 0 {
                255
            } else {
                0
            }
        })
        .collect();
    let message = Encoder::new().header(0, sec, 0, frame).u32(0).u32(0).f32(0.4).u32(30).u32(20);
    message.raw(pose([-6.0, -4.0, 0.0]).bytes()).counted(&cells)
}

fn scan(frame: &str, sec: u32) -> Encoder {
    let ranges: Vec<f32> = (0..180)
        .map(|i| {
            if i % 40 == 0 {
                f32::INFINITY
            } else {
                3.5 + (i as f32 * 0.2).sin() * 0.4
            }
        })
        .collect();
    let head = [-1.5, 1.5, 3.0 / 180.0, 0.0, 0.1, 0.1, 30.0]
        .iter()
        .fold(Encoder::new().header(0, sec, 0, frame), |e, v| e.f32(*v));
    ranges.iter().fold(head.u32(180), |e, v| e.f32(*v)).u32(0)
}

/// A panel over a recording, driven by a harness.
struct Stage {
    harness: Harness<'static>,
    inline: Rc<RefCell<Inline>>,
    panel: Rc<RefCell<Box<dyn Panel>>>,
}

impl Stage {
    fn new(inline: Inline, config: serde_json::Value, size: [f32; 2], scale: f32) -> Stage {
        let inline = Rc::new(RefCell::new(inline));
        let panel = Rc::new(RefCell::new((scene3d::KIND.create)(&config)));
        let (store, drawn) = (Rc::clone(&inline), Rc::clone(&panel));
        let mut themed = false;
        let ui = move |ui: &mut egui::Ui| {
            // Fonts are there from the next pass on.
            if !std::mem::replace(&mut themed, true) {
                roadreel::theme::install(ui.ctx());
                ui.ctx().set_theme(egui::Theme::Dark);
                return;
            }
            let mut inline = store.borrow_mut();
            let mut panel = drawn.borrow_mut();
            let mut wants: Vec<Want> = Vec::new();
            panel.wants(&view(&inline), &mut wants);
            inline.settle(&wants);
            let mut actions: Vec<Action> = Vec::new();
            panel.ui(ui, &view(&inline), &mut actions);
        };
        let mut harness = Harness::builder().with_size(size).with_pixels_per_point(scale).wgpu().build_ui(ui);
        harness.run();
        Stage { harness, inline, panel }
    }

    fn state(&self) -> PanelState {
        self.panel.borrow().state(&view(&self.inline.borrow()))
    }
}

fn view(inline: &Inline) -> View<'_> {
    View {
        store: &inline.store,
        now: inline.now,
        span: inline.store.span().unwrap_or(roadreel::time::Span::ALL),
        playing: false,
        hover: None,
        selected: None,
        queries: &[],
        gpu: None,
    }
}

fn automatic(inline: &Inline) -> serde_json::Value {
    (scene3d::KIND.automatic)(&inline.store).into_iter().next().unwrap()
}

fn street() -> Bag {
    Bag::new()
        .add(
            "/tf",
            transform_type(),
            1,
            transforms(&[("map", "base_link", [2.0, 1.0, 0.0]), ("base_link", "lidar", [0.5, 0.0, 1.6])], 1),
        )
        .add("/points", cloud_type(), 1, cloud("lidar", 1, 60))
        .add("/scan", scan_type(), 1, scan("base_link", 1))
        .add("/map", grid_type(), 1, grid("map", 1))
        .add("/path", path_type(), 1, path("map", 1))
        .add(
            "/pose",
            pose_type(),
            1,
            Encoder::new().header(0, 1, 0, "map").raw(pose([0.0, -2.0, 0.3]).bytes()),
        )
}

#[test]
fn everything_of_a_street_is_drawn() {
    let inline = street().open();
    let config = automatic(&inline);
    let mut stage = Stage::new(inline, config, [300.0, 200.0], 1.0);
    assert_eq!(stage.state(), PanelState::Ready);
    assert_eq!(scene3d::points_drawn(&stage.harness.ctx), 60 * 60 + 180);
    stage.harness.snapshot("scene3d_street");
}

#[test]
fn markers_of_all_kinds_are_drawn() {
    let inline = Bag::new()
        .add("/tf", transform_type(), 1, transforms(&[("map", "base_link", [0.0; 3])], 1))
        .add("/markers", marker_type(), 1, markers(&all_kinds(), "base_link", 1))
        .open();
    let mut config = automatic(&inline);
    config["camera"] = json!({"target": [0, 0, 0], "distance": 12.0, "yaw_degrees": 0.0, "pitch_degrees": 40.0});
    let mut stage = Stage::new(inline, config, [340.0, 200.0], 1.0);
    stage.harness.snapshot("scene3d_markers");
}

#[test]
fn in_play_the_last_picture_stays_while_the_next_is_decoded() {
    let twice = |bag: Bag, at: u32| {
        bag.add("/points", cloud_type(), at, cloud("map", at, 60 + at))
            .add("/scan", scan_type(), at, scan("map", at))
            .add("/map", grid_type(), at, grid("map", at))
            .add("/path", path_type(), at, path("map", at))
    };
    let inline = twice(twice(Bag::new(), 1), 2).open();
    let config = automatic(&inline);
    let mut stage = Stage::new(inline, config, [300.0, 200.0], 1.0);
    let first = scene3d::points_drawn(&stage.harness.ctx);
    assert_eq!(first, 61 * 61 + 180);
    let move_to = |stage: &mut Stage, secs: f64, speed: f64, answers: bool| {
        let mut inline = stage.inline.borrow_mut();
        (inline.now, inline.speed, inline.answers) = (Time((secs * 1e9) as i64), speed, answers);
        drop(inline);
        stage.harness.step();
    };
    move_to(&mut stage, 2.0, 1.0, false);
    assert_eq!(scene3d::points_drawn(&stage.harness.ctx), first, "nothing vanishes");
    assert_eq!(stage.state(), PanelState::Ready, "a second old is not late at 1 Hz");
    // at rest it is not the state at the playhead
    move_to(&mut stage, 2.0, 0.0, false);
    assert_eq!(scene3d::points_drawn(&stage.harness.ctx), first);
    assert!(matches!(stage.state(), PanelState::Pending(_)), "{:?}", stage.state());
    move_to(&mut stage, 2.0, 0.0, true);
    assert_eq!(scene3d::points_drawn(&stage.harness.ctx), 62 * 62 + 180);
    assert_eq!(stage.state(), PanelState::Ready);
    // long after the last message
    move_to(&mut stage, 12.0, 0.0, true);
    let PanelState::Stale(why) = stage.state() else {
        panic!("{:?}", stage.state())
    };
    assert!(why.ends_with("stale 10.0 s"), "{why}");
}

#[test]
fn a_missing_transform_is_named_on_the_panel() {
    let inline = Bag::new()
        .add(
            "/tf",
            transform_type(),
            1,
            transforms(&[("map", "base_link", [0.0; 3]), ("os1_sensor", "os1_lidar", [0.0; 3])], 1),
        )
        .add("/points", cloud_type(), 1, cloud("os1_lidar", 1, 8))
        .open();
    let mut config = automatic(&inline);
    config["fixed_frame"] = json!("map");
    let stage = Stage::new(inline, config, [480.0, 320.0], 1.0);
    let PanelState::Failed(why) = stage.state() else {
        panic!("{:?}", stage.state())
    };
    for expected in ["/points: ", "os1_lidar", "map", "two separate trees", "os1_sensor"] {
        assert!(why.contains(expected), "“{expected}” is not in {why}");
    }
    stage.harness.get_by_label(&why);
}

/// Nine points half a metre apart, most significant byte first, every field at an odd place: number `7 · index + 1000` as `ring`,
/// `-index` as `flag`, `(index, -index)` as `pair`, and positions of eight bytes.
fn odd_cloud() -> Encoder {
    let mut data = Vec::new();
    for row in 0..3u8 {
        for column in 0..3u8 {
            let index = 3 * row + column;
            data.extend((7 * u16::from(index) + 1000).to_be_bytes());
            data.push(0xa5);
            for v in [f64::from(column) * 0.5 - 0.5, f64::from(row) * 0.5 - 0.5, 0.25] {
                data.extend(v.to_be_bytes());
            }
            data.push(index.wrapping_neg());
            data.extend(i32::from(index).to_be_bytes());
            data.extend((-i32::from(index)).to_be_bytes());
        }
        data.extend([0xa5; 5]);
    }
    let fields = [
        ("ring", 0, 4, 1),
        ("x", 3, 8, 1),
        ("y", 11, 8, 1),
        ("z", 19, 8, 1),
        ("flag", 27, 1, 1),
        ("pair", 28, 5, 2),
    ];
    let message = Encoder::new().header(0, 1, 0, "lidar").u32(3).u32(3).u32(fields.len() as u32);
    let message = fields.iter().fold(message, |e, (name, offset, datatype, count)| {
        e.text(name).u32(*offset).u8(*datatype).u32(*count)
    });
    message.u8(1).u32(36).u32(3 * 36 + 5).counted(&data).u8(1)
}

#[test]
fn the_fixed_frame_is_one_from_which_what_is_shown_is_reached() {
    let tree = || {
        let list = [("map", "base_link", [0.0; 3]), ("os1_sensor", "os1_lidar", [0.0; 3])];
        Bag::new().add("/tf", transform_type(), 1, transforms(&list, 1))
    };
    let shown = |bag: Bag| {
        let inline = bag.open();
        let config = automatic(&inline);
        let stage = Stage::new(inline, config, [240.0, 160.0], 1.0);
        (stage.state(), scene3d::points_drawn(&stage.harness.ctx))
    };
    // in a tree apart, in none, in two
    assert_eq!(
        shown(tree().add("/a", cloud_type(), 1, cloud("os1_lidar", 1, 8))),
        (PanelState::Ready, 64)
    );
    assert_eq!(
        shown(tree().add("/a", cloud_type(), 1, cloud("velodyne", 1, 8))),
        (PanelState::Ready, 64)
    );
    let two = tree().add("/a", cloud_type(), 1, cloud("os1_lidar", 1, 8));
    let two = two
        .add("/b", cloud_type(), 1, cloud("base_link", 1, 9))
        .add("/c", cloud_type(), 1, cloud("map", 1, 10));
    let (state, points) = shown(two);
    assert!(matches!(&state, PanelState::Partial(why) if why.contains("/a: ")), "{state:?}");
    assert_eq!(points, 81 + 100, "most of it");
}

#[test]
fn clicking_a_point_shows_its_fields() {
    let row = ["row, column: 2, 6", "x: 0.3", "y: -0.5", "intensity: 0.58309", "frame: lidar"];
    check_click(cloud("lidar", 1, 9), [0.3, -0.5], "Point 24", &row);
    let row = [
        "row, column: 2, 1",
        "ring: 1049",
        "x: 0\n",
        "y: 0.5",
        "z: 0.25",
        "flag: -7",
        "pair: 7, -7",
    ];
    check_click(odd_cloud(), [0.0, 0.5], "Point 7", &row);
}

/// Clicks from above where a point is, and looks at what the card says.
#[track_caller]
fn check_click(cloud: Encoder, xy: [f32; 2], title: &str, lines: &[&str]) {
    let mut stage = from_above(Bag::new().add("/points", cloud_type(), 1, cloud).open());
    let text = card_at(&mut stage, xy);
    for line in lines.iter().chain([&title]) {
        assert!(text.contains(line), "“{line}” is not in {text}");
    }
}

/// Three metres above the origin of the fixed frame, x to the right.
fn from_above(inline: Inline) -> Stage {
    let mut config = automatic(&inline);
    config["camera"] = json!({"target": [0, 0, 0], "distance": 3.0, "yaw_degrees": 90.0, "pitch_degrees": 90.0, "top_down": true});
    config["follow"] = json!("off");
    if !config["topics"]["/points"].is_null() {
        config["topics"]["/points"]["size"] = json!({"px": 6.0});
    }
    Stage::new(inline, config, [400.0, 400.0], 1.0)
}

/// What is told of what is clicked at this place.
fn card_at(stage: &mut Stage, xy: [f32; 2]) -> String {
    click(stage, xy);
    let card = stage.harness.query_by_label_contains("in fixed frame");
    card.and_then(|card| card.accesskit_node().value()).unwrap_or_default()
}

fn click(stage: &mut Stage, xy: [f32; 2]) {
    // The picture is as high as the view at the target.
    let camera = roadreel::render::Camera {
        distance: 3.0,
        ..Default::default()
    };
    let rect = stage.harness.get_by_label("3D scene").rect();
    let px_per_metre = rect.height() / camera.height_at_target() as f32;
    let at = rect.center() + egui::vec2(xy[0] * px_per_metre + 1.0, -xy[1] * px_per_metre - 1.0);
    stage.harness.hover_at(at);
    stage.harness.run();
    stage.harness.drag_at(at);
    stage.harness.drop_at(at);
    stage.harness.run();
}

#[test]
fn distances_are_measured_between_points() {
    let mut stage = from_above(Bag::new().add("/points", cloud_type(), 1, cloud("lidar", 1, 9)).open());
    stage.harness.get_by_label("Measure distances").click();
    stage.harness.run();
    stage.harness.get_by_label("Click two points to measure between");
    click(&mut stage, [0.3, -0.5]);
    stage.harness.get_by_label("Click another point");
    click(&mut stage, [-0.3, 0.3]);
    let told = |stage: &Stage| {
        let plate = stage.harness.query_all_by_label_contains(" m   ").next().expect("a distance");
        let text = plate
            .accesskit_node()
            .label()
            .or(plate.accesskit_node().value())
            .unwrap_or_default();
        let numbers = text.split_whitespace().filter_map(|word| word.parse::<f64>().ok());
        (text.clone(), numbers.collect::<Vec<f64>>())
    };
    let (text, numbers) = told(&stage);
    let [whole, x, y, z] = numbers.as_slice() else { panic!("{text}") };
    assert!((x + 0.6).abs() < 1e-3 && (y - 0.8).abs() < 1e-3, "{text}");
    assert!((whole - (0.6_f64.powi(2) + 0.8_f64.powi(2) + z * z).sqrt()).abs() < 2e-3, "{text}");
    // a third point beside all of the cloud lies on the ground
    click(&mut stage, [0.9, -0.9]);
    let (text, numbers) = told(&stage);
    assert!(text.contains("last ") && numbers[0] > numbers[1] && numbers[1] > 1.6, "{text}");
    assert!(
        stage.harness.query_by_label_contains("in fixed frame").is_none(),
        "no card meanwhile"
    );
    stage.harness.get_by_label("Stop measuring").click();
    stage.harness.run();
    assert!(stage.harness.query_by_label_contains(" m   ").is_none());
    click(&mut stage, [0.3, -0.5]);
    assert!(stage.harness.query_by_label_contains("in fixed frame").is_some());
}

#[test]
fn what_is_seen_through_is_picked_through() {
    let cube = Mark {
        color: [1.0, 0.5, 0.0, 0.5],
        ..mark(7, 1, [0.3, 0.5, 0.0])
    };
    let text = Mark {
        text: "lane",
        scale: [0.0, 0.0, 0.3],
        ..mark(8, 9, [-0.7, 1.0, 0.0])
    };
    let bag = Bag::new().add("/points", cloud_type(), 1, cloud("map", 1, 9));
    let mut stage = from_above(bag.add("/markers", marker_type(), 1, markers(&[cube, text], "map", 1)).open());
    let of = |stage: &mut Stage, xy| card_at(stage, xy).lines().next().unwrap_or_default().to_owned();
    assert_eq!(of(&mut stage, [0.3, 0.5]), "Point 69", "inside the cube");
    assert_eq!(of(&mut stage, [0.21, 0.41]), "Marker 7", "beside all points");
    assert_eq!(of(&mut stage, [-0.7, 1.0]), "Marker 8", "by its text");
}

#[test]
fn a_marker_without_a_stamp_stays_where_it_arrived() {
    let moved = |sec: u32, x: f64| transforms(&[("map", "base_link", [x, 0.0, 0.0])], sec);
    let inline = Bag::new()
        .add("/tf", transform_type(), 1, moved(1, 0.0))
        .add("/markers", marker_type(), 1, markers(&[mark(7, 1, [0.0; 3])], "base_link", 0))
        .add("/tf", transform_type(), 3, moved(3, 20.0))
        .open();
    let mut stage = from_above(inline);
    stage.inline.borrow_mut().now = Time::from_sec_nsec(3, 0);
    stage.harness.run();
    assert!(card_at(&mut stage, [0.1, 0.1]).starts_with("Marker 7"));
}

#[test]
fn what_a_cloud_lacks_is_told() {
    let of = |message: Encoder| {
        let inline = Bag::new().add("/points", cloud_type(), 1, message).open();
        let config = automatic(&inline);
        Stage::new(inline, config, [300.0, 200.0], 1.0)
    };
    let message = Encoder::new().header(0, 1, 0, "map").u32(1).u32(2).u32(1);
    let message = message.text("power").u32(0).u8(7).u32(1).u8(0).u32(4).u32(8).counted(&[0; 8]).u8(1);
    let nowhere = of(message);
    let why = "/points: the cloud has none of the fields x, y and z";
    assert_eq!(nowhere.state(), PanelState::Failed(why.into()));
    nowhere.harness.get_by_label(why);
    let message = Encoder::new().header(0, 1, 0, "map").u32(1).u32(4).u32(3);
    let message = ["x", "y", "z"]
        .iter()
        .zip([0, 4, 8])
        .fold(message, |e, (name, at)| e.text(name).u32(at).u8(7).u32(1));
    let short = of(message.u8(0).u32(12).u32(48).counted(&[0; 36]).u8(1));
    assert_eq!(short.state(), PanelState::Partial("/points: 4 points announced, 3 there".into()));
}

#[test]
fn points_that_no_field_colours_are_seen_in_both_looks() {
    let place = |i: u16| [f32::from(i % 20) * 0.05 - 0.5, f32::from(i / 20) * 0.05 - 0.5];
    let data: Vec<u8> = (0..400).flat_map(place).flat_map(f32::to_le_bytes).collect();
    let message = Encoder::new().header(0, 1, 0, "map").u32(1).u32(400).u32(2);
    let fields = [("x", 0), ("y", 4)];
    let message = fields.iter().fold(message, |e, (name, at)| e.text(name).u32(*at).u8(7).u32(1));
    let message = message.u8(0).u32(8).u32(3200).counted(&data).u8(1);
    let mut stage = from_above(Bag::new().add("/points", cloud_type(), 1, message).open());
    for theme in [egui::Theme::Dark, egui::Theme::Light] {
        stage.harness.ctx.set_theme(theme);
        stage.harness.run();
        let picture = stage.harness.render().unwrap();
        let brightness = |x, y| {
            let [r, g, b, _] = picture.get_pixel(x, y).0;
            (i32::from(r) + i32::from(g) + i32::from(b)) / 3
        };
        let around = brightness(12, 390);
        let apart = (150..250).flat_map(|x| (150..250).map(move |y| (x, y)));
        let seen = apart.filter(|(x, y)| (brightness(*x, *y) - around).abs() > 100).count();
        assert!(seen > 300, "{theme:?}: {seen}");
    }
}

#[test]
fn what_is_seen_stays_when_the_camera_follows_something_else() {
    let inline = street().open();
    let mut config = automatic(&inline);
    config["camera"] = json!({"target": [1.0, 0.0, 0.0], "distance": 9.0, "yaw_degrees": 0.0, "pitch_degrees": 30.0});
    let mut stage = Stage::new(inline, config, [400.0, 300.0], 1.0);
    let target = |stage: &Stage| stage.panel.borrow().config()["camera"]["target"].clone();
    let mut settings = settings_of(&stage);
    settings.run();
    // base_link stands at 2, 1, 0 of the map
    for (follow, expected) in [
        ("Off", [3.0, 1.0, 0.0]),
        ("Heading", [1.0, 0.0, 0.0]),
        ("Position", [1.0, 0.0, 0.0]),
    ] {
        settings.get_by_label(follow).click();
        settings.run();
        assert_eq!(target(&stage), json!(expected), "{follow}");
    }
    // the tools are there without the pointer
    for (tool, expected) in [("Follow its heading too", [1.0, 0.0, 0.0]), ("Stop following", [3.0, 1.0, 0.0])] {
        stage.harness.get_by_role_and_label(egui::accesskit::Role::Button, tool).click();
        stage.harness.run();
        assert_eq!(target(&stage), json!(expected), "{tool}");
    }
}

#[test]
fn fields_of_the_settings_bear_names() {
    let inline = street().open();
    let config = automatic(&inline);
    let stage = Stage::new(inline, config, [200.0, 150.0], 1.0);
    let mut settings = settings_of(&stage);
    settings.run();
    settings
        .get_by_role_and_label(egui::accesskit::Role::SpinButton, "Axis length")
        .set_value_accesskit(2.0);
    settings.run();
    assert_eq!(stage.panel.borrow().config()["frames"]["axis_metres"], json!(2.0));
}

#[test]
fn dragging_and_scrolling_move_the_camera_and_are_kept() {
    let inline = street().open();
    let config = automatic(&inline);
    let mut stage = Stage::new(inline, config, [400.0, 300.0], 1.0);
    let camera = |stage: &Stage| stage.panel.borrow().config().get("camera").cloned();
    assert_eq!(camera(&stage), None);
    stage.harness.drag_at(egui::pos2(200.0, 150.0));
    stage.harness.run();
    stage.harness.hover_at(egui::pos2(260.0, 150.0));
    stage.harness.run();
    stage.harness.drop_at(egui::pos2(260.0, 150.0));
    stage.harness.run();
    let turned = camera(&stage).unwrap();
    assert_ne!(turned["yaw_degrees"], json!(20.0535));
    stage.harness.hover_at(egui::pos2(220.0, 150.0));
    stage.harness.run();
    stage.harness.event(egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: egui::vec2(0.0, 100.0),
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Wheel,
        modifiers: egui::Modifiers::NONE,
    });
    stage.harness.run();
    let near = camera(&stage).unwrap();
    assert!(near["distance"].as_f64() < turned["distance"].as_f64());
    let again = (scene3d::KIND.create)(&stage.panel.borrow().config());
    assert_eq!(again.config(), stage.panel.borrow().config());
}

#[test]
fn a_layout_keeps_what_this_version_does_not_know() {
    let config = json!({"topics": {"/a": {"visible": true, "round": false, "sparkle": 3}}, "sky": "blue", "grid": false});
    let kept = (scene3d::KIND.create)(&config).config();
    assert_eq!(
        (&kept["sky"], &kept["topics"]["/a"]["sparkle"], &kept["grid"]),
        (&json!("blue"), &json!(3), &json!(false))
    );
    assert_eq!((scene3d::KIND.create)(&kept).config(), kept);
}

const OBJ: &str = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 2 3\nf 1 2 4\n";
const STL: &str = "solid one\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\nendsolid one\n";
const DAE: &str = r##"<?xml version="1.0" encoding="utf-8"?>
<COLLADA xmlns="http://www.collada.org/2005/11/COLLADASchema" version="1.4.1">
  <asset><created>1970-01-01T00:00:00Z</created><modified>1970-01-01T00:00:00Z</modified><unit name="centimeter" meter="0.01"/><up_axis>Z_UP</up_axis></asset>
  <library_geometries><geometry id="g"><mesh>
    <source id="p"><float_array id="pa" count="9">0 0 0 100 0 0 0 100 0</float_array>
      <technique_common><accessor source="#pa" count="3" stride="3"><param name="X" type="float"/><param name="Y" type="float"/><param name="Z" type="float"/></accessor></technique_common></source>
    <vertices id="v"><input semantic="POSITION" source="#p"/></vertices>
    <triangles count="1"><input semantic="VERTEX" source="#v" offset="0"/><p>0 1 2</p></triangles>
  </mesh></geometry></library_geometries>
  <library_visual_scenes><visual_scene id="s"><node id="n"><translate>0 0 300</translate><instance_geometry url="#g"/></node></visual_scene></library_visual_scenes>
  <scene><instance_visual_scene url="#s"/></scene>
</COLLADA>"##;

fn glb() -> Vec<u8> {
    let corners: [[f32; 3]; 3] = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];
    let bin: Vec<u8> = corners.iter().flatten().flat_map(|v| v.to_le_bytes()).collect();
    let mut text = json!({
        "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3", "min": [0, 0, 0], "max": [1, 1, 0]}],
        "bufferViews": [{"buffer": 0, "byteLength": 36}], "buffers": [{"byteLength": 36}]
    })
    .to_string();
    while !text.len().is_multiple_of(4) {
        text.push(' ');
    }
    let total = 12 + 8 + text.len() + 8 + bin.len();
    let mut out = b"glTF".to_vec();
    [2, total as u32, text.len() as u32, 0x4e4f_534a]
        .iter()
        .for_each(|v| out.extend(v.to_le_bytes()));
    out.extend(text.bytes());
    [bin.len() as u32, 0x004e_4942].iter().for_each(|v| out.extend(v.to_le_bytes()));
    out.extend(bin);
    out
}

/// The corners of a mesh, to the millimetre.
fn corners(name: &str, bytes: &[u8]) -> String {
    match Resource::read(name, Bytes::copy_from_slice(bytes)) {
        Ok(Resource::Bytes(_) | Resource::Picture(_)) => "no mesh".to_owned(),
        Ok(Resource::Mesh(mesh)) => mesh
            .vertices
            .iter()
            .map(|v| v.position.map(|x| ((x * 1e3).round() / 1e3 + 0.0).to_string()).join(","))
            .collect::<Vec<_>>()
            .join(" "),
        Err(why) => why,
    }
}

#[test]
fn mesh_files_of_four_kinds_are_read() {
    assert_eq!(corners("a.STL", STL.as_bytes()), "0,0,0 1,0,0 0,1,0");
    assert_eq!(
        corners("http://x/a.obj?version=2", OBJ.as_bytes()),
        "0,0,0 1,0,0 0,1,0 0,0,0 1,0,0 0,0,1"
    );
    assert_eq!(corners("a.dae", DAE.as_bytes()), "0,0,3 1,0,3 0,1,3");
    // glTF is y-up: its y is z here.
    assert_eq!(corners("a.glb", &glb()), "0,0,0 1,0,0 0,0,1");
}

#[test]
fn broken_mesh_files_are_sentences() {
    for (name, bytes) in [
        ("a.stl", STL.as_bytes()),
        ("a.obj", OBJ.as_bytes()),
        ("a.dae", DAE.as_bytes()),
        ("a.glb", &glb()[..]),
    ] {
        for len in [0, 1, bytes.len() / 3, bytes.len() * 2 / 3] {
            let _ = corners(name, &bytes[..len]);
        }
        assert!(!corners(name, b"").is_empty());
    }
    assert_eq!(corners("a.step", b"ISO"), "no mesh");
    for claim in ["count=\"99999999999\"", "count='99999999999'", "count = \" 99999999999\""] {
        assert_eq!(
            corners("a.dae", DAE.replace("count=\"9\"", claim).as_bytes()),
            "the file is broken: an array claims more numbers than the file has bytes"
        );
    }
    let in_a_ring = r#"{"asset":{"version":"2.0"},"scene":0,"scenes":[{"nodes":[0]}],"nodes":[{"children":[0]}]}"#;
    assert_eq!(
        corners("a.gltf", in_a_ring.as_bytes()),
        "the file is broken: a node of its scene stands in two places"
    );
}

#[test]
fn a_mesh_that_is_there_is_drawn_and_one_that_is_not_says_why() {
    let list = [
        Mark {
            mesh: "package://cars/car.obj",
            ..mark(1, 10, [0.0, 1.0, 0.0])
        },
        Mark {
            mesh: "package://cars/bus.obj",
            ..mark(2, 10, [0.0, -1.0, 0.0])
        },
    ];
    let mut inline = Bag::new().add("/markers", marker_type(), 1, markers(&list, "map", 1)).open();
    inline.files.insert("package://cars/car.obj".into(), OBJ.into());
    let config = automatic(&inline);
    let stage = Stage::new(inline, config, [200.0, 150.0], 1.0);
    assert_eq!(stage.state(), PanelState::Ready);
    let answers = ["car", "bus"].map(|name| {
        format!("{:?}", stage.inline.borrow().store.resource(&format!("package://cars/{name}.obj")))
            .chars()
            .take(6)
            .collect::<String>()
    });
    assert_eq!(answers, ["Ready(", "Failed"]);
}

#[test]
fn labels_that_come_nearer_need_no_letters_of_every_size() {
    let list = [Mark {
        text: "pedestrian 4.2 m/s",
        ..mark(1, 9, [0.0; 3])
    }];
    let inline = Bag::new().add("/markers", marker_type(), 1, markers(&list, "map", 1)).open();
    let mut config = automatic(&inline);
    let mut stage = Stage::new(inline, config.clone(), [300.0, 200.0], 1.0);
    let mut letters_after_approach = |first_metres: f64| {
        for step in 0..120 {
            let distance = first_metres - 0.3 * f64::from(step);
            config["camera"] = json!({"target": [0, 0, 0], "distance": distance, "yaw_degrees": 0.0, "pitch_degrees": 40.0});
            *stage.panel.borrow_mut() = (scene3d::KIND.create)(&config);
            stage.harness.step();
        }
        stage
            .harness
            .ctx
            .fonts(|fonts| (fonts.font_image_size(), fonts.font_atlas_fill_ratio()))
    };
    let first = letters_after_approach(40.0);
    assert_eq!(letters_after_approach(40.13), first);
}

/// The settings of the stage's panel.
fn settings_of(stage: &Stage) -> Harness<'static> {
    let (store, panel) = (Rc::clone(&stage.inline), Rc::clone(&stage.panel));
    let mut themed = false;
    Harness::builder().with_size([300.0, 560.0]).wgpu().build_ui(move |ui| {
        if !std::mem::replace(&mut themed, true) {
            roadreel::theme::install(ui.ctx());
            ui.ctx().set_theme(egui::Theme::Dark);
            return;
        }
        panel.borrow_mut().settings_ui(ui, &view(&store.borrow()), &mut Vec::new());
    })
}

#[test]
fn a_topic_is_hidden_in_the_settings() {
    let inline = street().open();
    let config = automatic(&inline);
    let stage = Stage::new(inline, config, [200.0, 150.0], 1.0);
    let mut settings = settings_of(&stage);
    settings.run();
    let visible = || stage.panel.borrow().config()["topics"]["/points"]["visible"].clone();
    assert_eq!(visible(), json!(true));
    settings.get_by_label("Hide /points").click();
    settings.run();
    assert_eq!(visible(), json!(false));
    settings.get_by_label("Show /points").click();
    settings.run();
    assert_eq!(visible(), json!(true));
}

#[test]
fn ground_frames_and_cells_look_as_the_layout_says() {
    let picture = |pointer: &str, value: serde_json::Value| {
        let inline = street().open();
        let mut config = automatic(&inline);
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        config.pointer_mut(parent).unwrap()[key] = value;
        let mut stage = Stage::new(inline, config, [300.0, 200.0], 1.0);
        stage.harness.render().unwrap()
    };
    let usual = picture("/grid", json!(true));
    for (pointer, value) in [
        ("/background", json!([120, 0, 0])),
        ("/grid_color", json!([255, 0, 0])),
        ("/grid_cell_metres", json!(0.3)),
        ("/frames", json!({"hidden": ["lidar"]})),
        ("/topics/~1map/cells", json!("costmap")),
    ] {
        let told = format!("{pointer}: {value}");
        assert!(picture(pointer, value).as_raw() != usual.as_raw(), "{told}");
    }
    let red = picture("/background", json!([120, 0, 0]));
    let is_red = |pixel: &&image::Rgba<u8>| pixel.0[..3] == [120, 0, 0];
    assert!(red.pixels().filter(is_red).count() > 10_000);
}

//! RViz's `.rviz` files, of ROS 1 and ROS 2: displays become topics of one 3D panel, images become panels beside it.

use std::cell::RefCell;

use serde_json::{Map, Value, json};

use super::arrangement::canonical;
use super::own::{Child, Direction, Layout, Node, Origin, PanelEntry, Tab};
use super::portable::escape;
use super::report::{PanelReport, Report};
use super::rule::{Marks, Reader};
use super::scene::{PARALLEL_FOV_DEGREES, color_of, field, flat};
use super::value::{self, number};
use super::{Dialect, LayoutError, Opened, yaml};

pub fn looks_so(text: &str) -> bool {
    text.contains("Visualization Manager:")
}

const SCENE: &str = "3D";
const MANAGER: &str = "/Visualization Manager";
/// Groups hold displays, and groups.
const DEEPEST: usize = 32;

pub fn import(text: &str) -> Result<Opened, LayoutError> {
    let document = yaml::parse(text)?;
    let marks = RefCell::new(Marks::default());
    let reader = Reader::new(&document, &marks);
    let mut displays = Displays::default();
    displays.list(&reader.inside(MANAGER, ""), 0);
    let scene = displays.scene(&reader);

    let mut report = Report::new(Dialect::Rviz, Dialect::Roadreel);
    let mut layout = Layout::empty();
    layout.panels.insert(SCENE.to_owned(), entry("scene3d", scene));
    for (id, image, _) in &displays.images {
        layout.panels.insert(id.clone(), entry("image", image.clone()));
    }
    layout.root = arranged(&displays.images);
    let layout = layout.checked()?;

    let marks = marks.borrow();
    let is_image = |pointer: &str| displays.images.iter().any(|(_, _, at)| is_under(pointer, at));
    let is_scene = |pointer: &str| !is_image(pointer) && [SHOWN, VIEW, OPTIONS].iter().any(|part| is_under(pointer, part));
    let mut told = PanelReport::new(SCENE, "Displays", Some("scene3d"));
    marks.tell(&document, &mut told, &is_scene);
    report.panels.push(told);
    for (id, _, at) in &displays.images {
        let mut told = PanelReport::new(id, "Image", Some("image"));
        marks.tell(&document, &mut told, &|pointer| is_under(pointer, at));
        report.panels.push(told);
    }
    report.around.theirs = Dialect::Rviz.name().to_owned();
    marks.tell(&document, &mut report.around, &|pointer| !is_scene(pointer) && !is_image(pointer));
    drop(marks);
    let origin = Origin {
        dialect: Dialect::Rviz,
        document,
        extra: Map::new(),
    };
    let layout = Layout {
        origin: Some(origin),
        ..layout
    };
    Ok(Opened { layout, report })
}

const SHOWN: &str = "/Visualization Manager/Displays";
const VIEW: &str = "/Visualization Manager/Views/Current";
const OPTIONS: &str = "/Visualization Manager/Global Options";

fn is_under(pointer: &str, part: &str) -> bool {
    pointer
        .strip_prefix(part)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn entry(kind: &str, config: Value) -> PanelEntry {
    PanelEntry {
        kind: kind.to_owned(),
        config,
        extra: Map::new(),
    }
}

/// The scene large on the left, images in a column on its right: where RViz had them is written in Qt's own bytes.
fn arranged(images: &[(String, Value, String)]) -> Option<Node> {
    let split = |split, children: Vec<(f32, Node)>| Node::Split {
        split,
        children: children.into_iter().map(|(share, node)| Child { share, node }).collect(),
        extra: Map::new(),
    };
    let column = images.iter().map(|(id, ..)| (1.0, Tab::alone(id))).collect::<Vec<_>>();
    let root = match column.is_empty() {
        true => Tab::alone(SCENE),
        false => split(
            Direction::Row,
            vec![(0.68, Tab::alone(SCENE)), (0.32, split(Direction::Column, column))],
        ),
    };
    canonical(&root)
}

#[derive(Default)]
struct Displays {
    topics: Map<String, Value>,
    frames: Option<Value>,
    grid: bool,
    /// Id, configuration, place in the document.
    images: Vec<(String, Value, String)>,
}

impl Displays {
    fn list(&mut self, group: &Reader<'_>, depth: usize) {
        for display in group.items("/Displays") {
            let class = value::text(display.value, "/Class").unwrap_or_default();
            let class = class.rsplit('/').next().unwrap_or_default();
            match class {
                "Group" if depth < DEEPEST => self.list(&display, depth + 1),
                "Grid" => {
                    display.mark("/Class", "/grid");
                    self.grid |= display.flag("/Enabled", "/grid").unwrap_or(true);
                }
                "TF" => {
                    display.mark("/Class", "/frames");
                    self.frames = Some(frames(&display));
                }
                "Image" | "Camera" => self.image(class, &display),
                _ => self.topic(class, &display),
            }
        }
    }

    fn image(&mut self, class: &str, display: &Reader<'_>) {
        let Some(topic) = topic_of(display, "/topic") else { return };
        display.mark("/Class", "");
        let mut config = json!({ "topic": topic });
        let normalised = display.value.get("Normalize Range").and_then(Value::as_bool).unwrap_or(true);
        if class == "Image" && !normalised {
            display.mark("/Normalize Range", "/range");
            if let Some([min, max]) = super::scene::range(display, "/Min Value", "/Max Value", "/range") {
                config["range"] = json!({"mode": "manual", "min": value::of_number(min), "max": value::of_number(max)});
            }
        }
        let name = value::text(display.value, "/Name").unwrap_or(class);
        let mut id = name.to_owned();
        let mut number = 2;
        while id == SCENE || self.images.iter().any(|(taken, ..)| *taken == id) {
            id = format!("{name} {number}");
            number += 1;
        }
        self.images.push((id, config, display.place().to_owned()));
    }

    fn topic(&mut self, class: &str, display: &Reader<'_>) {
        let made: fn(&Reader<'_>, &str) -> Map<String, Value> = match class {
            "PointCloud2" | "PointCloud" | "LaserScan" => cloud,
            "Marker" | "MarkerArray" => markers,
            "Map" => map,
            "Pose" | "PoseArray" | "PoseWithCovariance" | "Odometry" | "Path" => pose,
            _ => {
                display.odd("", format!("{class} is nothing that a 3D panel shows here"));
                return;
            }
        };
        let Some(topic) = topic_of(display, "/topics") else { return };
        let to = format!("/topics/{}", escape(&topic));
        let mut settings = made(display, &to);
        let visible = display.flag("/Enabled", &format!("{to}/visible")).unwrap_or(true);
        settings.insert("visible".to_owned(), visible.into());
        self.topics.insert(topic, Value::Object(settings));
    }

    /// The 3D panel's configuration.
    fn scene(&self, reader: &Reader<'_>) -> Value {
        let mut scene = Map::new();
        scene.insert("topics".to_owned(), Value::Object(self.topics.clone()));
        if let Some(frame) = reader.text(&format!("{OPTIONS}/Fixed Frame"), "/fixed_frame") {
            scene.insert("fixed_frame".to_owned(), bare(frame).into());
        }
        scene.insert("grid".to_owned(), self.grid.into());
        let none = json!({"axes": false, "names": false, "links": false});
        scene.insert("frames".to_owned(), self.frames.clone().unwrap_or(none));
        scene.extend(view(&reader.inside(VIEW, "")));
        Value::Object(scene)
    }
}

fn bare(frame: &str) -> &str {
    frame.trim_start_matches('/')
}

/// Under several names; in ROS 2 with the settings of its subscription.
fn topic_of(display: &Reader<'_>, to: &str) -> Option<String> {
    const NAMES: [&str; 5] = ["/Topic", "/Topic/Value", "/Image Topic", "/Marker Topic", "/Topic/Name"];
    let named = NAMES
        .iter()
        .find(|name| value::text(display.value, name).is_some_and(|topic| !topic.is_empty()))?;
    let topic = display.text(named, to)?;
    // a relative name stands in the root
    Some(if topic.starts_with('/') {
        topic.to_owned()
    } else {
        format!("/{topic}")
    })
}

type Settings = Map<String, Value>;

fn say(made: &mut Settings, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        made.insert(key.to_owned(), value);
    }
}

fn alpha(display: &Reader<'_>, key: &str, to: &str, made: &mut Settings) {
    let alpha = display.number(key, &format!("{to}/alpha"));
    say(made, "alpha", alpha.map(value::of_number));
}

fn cloud(display: &Reader<'_>, to: &str) -> Settings {
    let mut made = Settings::new();
    let color = format!("{to}/color");
    let say_number = |key: &str, to: &str| display.number(key, to);
    let transformer = value::text(display.value, "/Color Transformer").unwrap_or_default();
    let made_color = match transformer {
        "Intensity" => {
            let name = display.text("/Channel Name", &color).unwrap_or("intensity");
            let rainbow = display.flag("/Use rainbow", &color).unwrap_or(true);
            let fixed = display.flag("/Autocompute Intensity Bounds", &color) == Some(false);
            let range = match fixed {
                true => super::scene::range(display, "/Min Intensity", "/Max Intensity", &color),
                false => None,
            };
            Some(field(name, if rainbow { "rainbow" } else { "grey" }, range))
        }
        "AxisColor" => {
            let axis = display.text("/Axis", &color).unwrap_or("Z").to_lowercase();
            let fixed = display.flag("/Autocompute Value Bounds/Value", &color) == Some(false);
            let bounds = display.inside("/Autocompute Value Bounds", "");
            let range = match fixed {
                true => super::scene::range(&bounds, "/Min Value", "/Max Value", &color),
                false => None,
            };
            Some(field(&axis, "rainbow", range))
        }
        "FlatColor" => color_of(display, "/Color", &color).map(flat),
        "RGB8" | "RGBF32" => Some(json!("rgb")),
        _ => None,
    };
    if made_color.is_some() {
        display.mark("/Color Transformer", &color);
    }
    say(&mut made, "color", made_color);
    let style = display.text("/Style", &format!("{to}/size")).unwrap_or("Points");
    let size = match style {
        "Points" => say_number("/Size (Pixels)", &format!("{to}/size")).map(|size| json!({"px": value::of_number(size)})),
        _ => say_number("/Size (m)", &format!("{to}/size")).map(|size| json!({"metres": value::of_number(size)})),
    };
    say(&mut made, "size", size);
    made.insert("round".to_owned(), (style == "Spheres").into());
    let decay = say_number("/Decay Time", &format!("{to}/decay_secs"));
    say(&mut made, "decay_secs", decay.map(value::of_number));
    alpha(display, "/Alpha", to, &mut made);
    made
}

fn markers(display: &Reader<'_>, to: &str) -> Settings {
    let mut hidden = Vec::new();
    for (name, inside) in display.entries("/Namespaces") {
        if let Some(shown) = inside.value.as_bool() {
            inside.mark("", &format!("{to}/hidden_namespaces"));
            if !shown {
                hidden.push(name);
            }
        }
    }
    let mut made = Settings::new();
    say(&mut made, "hidden_namespaces", (!hidden.is_empty()).then(|| json!(hidden)));
    made
}

fn map(display: &Reader<'_>, to: &str) -> Settings {
    let mut made = Settings::new();
    alpha(display, "/Alpha", to, &mut made);
    made
}

/// What is shown as arrows or a line; ROS 1's Odometry has its arrow's settings in `Shape`.
fn pose(display: &Reader<'_>, to: &str) -> Settings {
    let mut made = Settings::new();
    let shape = match display.value.get("Shape").is_some_and(Value::is_object) {
        true => display.inside("/Shape", ""),
        false => display.clone(),
    };
    let own = color_of(&shape, "/Color", &format!("{to}/color"));
    say(&mut made, "color", own.map(flat));
    alpha(&shape, "/Alpha", to, &mut made);
    let scale = format!("{to}/scale_metres");
    let length = match value::text(display.value, "/Line Style") {
        Some("Billboards") => {
            display.mark("/Line Style", &scale);
            display.number("/Line Width", &scale)
        }
        Some(_) => None,
        None => match (shape.number("/Shaft Length", &scale), shape.number("/Head Length", &scale)) {
            (Some(shaft), head) => Some(shaft + head.unwrap_or(0.0)),
            (None, _) => None,
        },
    };
    say(&mut made, "scale_metres", length.map(value::of_number));
    made
}

/// Of an axis at scale 1.
const AXIS_METRES: f64 = 0.2;

fn frames(display: &Reader<'_>) -> Value {
    if display.flag("/Enabled", "/frames") == Some(false) {
        return json!({"axes": false, "names": false, "links": false});
    }
    let flag = |key: &str, to: &str| display.flag(key, to).unwrap_or(true);
    let mut made = json!({
        "axes": flag("/Show Axes", "/frames/axes"),
        "names": flag("/Show Names", "/frames/names"),
        "links": flag("/Show Arrows", "/frames/links"),
    });
    if let Some(scale) = display.number("/Marker Scale", "/frames/axis_metres") {
        made["axis_metres"] = value::of_number(scale * AXIS_METRES);
    }
    made
}

/// Points of a window's height, by which a scale in points a metre becomes a distance.
const WINDOW_POINTS: f64 = 800.0;

fn view(view: &Reader<'_>) -> Map<String, Value> {
    let class = value::text(view.value, "/Class").unwrap_or_default();
    let class = class.rsplit('/').next().unwrap_or_default();
    let mut made = Map::new();
    let camera = match class {
        "Orbit" | "XYOrbit" | "ThirdPersonFollower" => orbit(view),
        "TopDownOrtho" => top_down(view),
        _ => {
            view.odd("", "a camera of this kind is not known here");
            return made;
        }
    };
    let turns = class == "ThirdPersonFollower";
    view.mark("/Class", "/camera");
    made.insert("camera".to_owned(), camera);
    let follow = match view.text("/Target Frame", "/follow_frame") {
        Some(frame) if !frame.is_empty() && !frame.starts_with('<') => {
            made.insert("follow_frame".to_owned(), bare(frame).into());
            if turns { "heading" } else { "position" }
        }
        _ => "off",
    };
    made.insert("follow".to_owned(), follow.into());
    made
}

fn tidy(number: f64) -> Value {
    value::of_number((number * 1e6).round() / 1e6)
}

/// Their camera stands along yaw and pitch of the focal point, ours looks along them.
fn orbit(view: &Reader<'_>) -> Value {
    let turn = |key: &str, to: &str| view.number(key, to).map_or(45.0, f64::to_degrees);
    let yaw = (turn("/Yaw", "/camera/yaw_degrees") + 180.0 + 180.0).rem_euclid(360.0) - 180.0;
    let target = ["X", "Y", "Z"].map(|axis| {
        let at = view.number(&format!("/Focal Point/{axis}"), "/camera/target");
        tidy(at.unwrap_or(0.0))
    });
    json!({
        "target": target,
        "distance": tidy(view.number("/Distance", "/camera/distance").unwrap_or(10.0)),
        "yaw_degrees": tidy(yaw),
        "pitch_degrees": tidy(turn("/Pitch", "/camera/pitch_degrees")),
        "top_down": false,
        "fov_degrees": tidy(turn("/Field of View", "/camera/fov_degrees")),
    })
}

fn top_down(view: &Reader<'_>) -> Value {
    let at = |key: &str| view.number(key, "/camera/target").unwrap_or(0.0);
    let target = [at("/X"), at("/Y"), 0.0].map(tidy);
    let scale = number(view.value, "/Scale").filter(|scale| *scale > 0.0);
    if scale.is_some() {
        view.mark("/Scale", "/camera/distance");
    }
    let angle = view.number("/Angle", "/camera/yaw_degrees").unwrap_or(0.0);
    json!({
        "target": target,
        "distance": tidy(WINDOW_POINTS / scale.unwrap_or(10.0)),
        "yaw_degrees": tidy(90.0 + angle.to_degrees()),
        "pitch_degrees": 90,
        "top_down": true,
        "fov_degrees": tidy(PARALLEL_FOV_DEGREES),
    })
}

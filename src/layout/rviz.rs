//! RViz's `.rviz` files, of ROS 1 and ROS 2: displays become topics of one 3D panel, images become panels beside it.

mod looks;
mod views;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::arrangement::canonical;
use super::own::{Child, Direction, Layout, MOST_PANELS, Node, Origin, PanelEntry, Tab, few_enough};
use super::portable::escape;
use super::report::{PanelReport, Report};
use super::rule::{Marks, Reader};
use super::scene::color_of;
use super::value::{self, ancestors};
use super::{Dialect, LayoutError, Opened, yaml};
use looks::{bare, drawn, frames, say};

pub fn looks_so(text: &str) -> bool {
    text.contains("Visualization Manager:")
}

const SCENE: &str = "3D";
const MANAGER: &str = "/Visualization Manager";
/// Groups hold displays, and groups.
const DEEPEST: usize = 32;

pub fn import(text: &str) -> Result<Opened, LayoutError> {
    let document = yaml::parse(text)?;
    super::spellable(&document)?;
    let marks = RefCell::new(Marks::default());
    let reader = Reader::new(&document, &marks);
    let mut displays = Displays::default();
    if let Some(manager) = document.pointer(MANAGER) {
        displays.choose(manager, MANAGER, 0, true);
    }
    displays.list(&reader.inside(MANAGER, ""), 0, true);
    few_enough(1 + displays.images.len())?;
    let scene = displays.scene(&reader);

    let mut report = Report::new(Dialect::Rviz, Dialect::Roadreel);
    let mut layout = Layout::empty();
    layout.panels.insert(SCENE.to_owned(), entry("scene3d", scene));
    for (id, image) in &displays.images {
        layout.panels.insert(id.clone(), entry("image", image.config.clone()));
    }
    layout.root = arranged(displays.images.keys());
    let layout = layout.checked()?;

    let marks = marks.borrow();
    let images: HashSet<&str> = displays.images.values().map(|image| image.place.as_str()).collect();
    let is_of_scene = |pointer: &str| !ancestors(pointer).any(|at| images.contains(at));
    let mut told = PanelReport::new(SCENE, "Displays", Some("scene3d"));
    for part in OF_SCENE {
        marks.tell(&document, part, &mut told, &is_of_scene);
    }
    report.panels.push(told);
    for (id, image) in &displays.images {
        let mut told = PanelReport::new(id, "Image", Some("image"));
        marks.tell(&document, &image.place, &mut told, &|_| true);
        report.panels.push(told);
    }
    report.around.theirs = Dialect::Rviz.name().to_owned();
    let is_around = |pointer: &str| !ancestors(pointer).any(|at| OF_SCENE.contains(&at));
    marks.tell(&document, "", &mut report.around, &is_around);
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
const OF_SCENE: [&str; 3] = [SHOWN, OPTIONS, VIEW];

fn entry(kind: &str, config: Value) -> PanelEntry {
    PanelEntry {
        kind: kind.to_owned(),
        config,
        extra: Map::new(),
    }
}

/// The scene large on the left, images in a column on its right: where RViz had them is written in Qt's own bytes.
fn arranged<'a>(images: impl Iterator<Item = &'a String>) -> Option<Node> {
    let split = |split, children: Vec<(f32, Node)>| Node::Split {
        split,
        children: children.into_iter().map(|(share, node)| Child { share, node }).collect(),
        extra: Map::new(),
    };
    let column = images.map(|id| (1.0, Tab::alone(id))).collect::<Vec<_>>();
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
    /// Of each topic the place of the display that tells how it is shown, and whether it is.
    chosen: HashMap<String, (String, bool)>,
    /// How many ground grids are shown: one is all that is drawn.
    grids: usize,
    frames: Option<Value>,
    /// Colour and cells of the first that is shown.
    grid: Option<Map<String, Value>>,
    images: IndexMap<String, ImageDisplay>,
}

struct ImageDisplay {
    config: Value,
    /// Where it stands in the document.
    place: String,
}

impl Displays {
    /// Among several displays of a topic the first that is shown, or the first.
    fn choose(&mut self, group: &Value, at: &str, depth: usize, shown: bool) {
        let displays = group.get("Displays").and_then(Value::as_array);
        for (index, display) in displays.into_iter().flatten().enumerate() {
            let place = format!("{at}/Displays/{index}");
            let shown = shown && value::flag(display, "/Enabled").unwrap_or(true);
            match class_of(display) {
                "Group" if depth < DEEPEST => self.choose(display, &place, depth + 1, shown),
                "Grid" => self.grids += usize::from(shown),
                class if drawn(class).is_some() => {
                    let Some(topic) = topic_key(display).and_then(|key| value::text(display, key)).map(rooted) else {
                        continue;
                    };
                    let is_first_shown = self.chosen.get(&topic).is_none_or(|(_, before)| shown && !before);
                    if is_first_shown {
                        self.chosen.insert(topic, (place, shown));
                    }
                }
                _ => {}
            }
        }
    }

    /// Nothing is shown of what a group holds that is not. True where something would be.
    fn list(&mut self, group: &Reader<'_>, depth: usize, shown: bool) -> bool {
        let mut any = false;
        for display in group.items("/Displays") {
            let class = class_of(display.value);
            let enabled = value::flag(display.value, "/Enabled").unwrap_or(true);
            let made = match class {
                "Group" if depth < DEEPEST => {
                    let made = self.list(&display, depth + 1, shown && enabled);
                    if made && shown {
                        display.flag("/Enabled", "/topics");
                    }
                    made
                }
                "Grid" if self.grid.is_none() => {
                    let is_shown = shown && enabled;
                    if is_shown {
                        self.grid(&display);
                    }
                    // where others are shown, one of them takes its place
                    let decides = self.grids == usize::from(is_shown);
                    if decides && shown {
                        display.flag("/Enabled", "/grid");
                    }
                    if decides && is_shown {
                        display.mark("/Class", "/grid");
                    }
                    decides
                }
                "Grid" => {
                    display.odd("", "there is one ground grid, and another tells how it looks");
                    false
                }
                "TF" => {
                    if shown && enabled {
                        display.mark("/Class", "/frames");
                    }
                    self.frames = Some(frames(&display, shown));
                    true
                }
                "Image" | "Camera" if shown && enabled => self.image(class, &display),
                "Image" | "Camera" => {
                    display.odd("", "it is not shown there: no panel is made of it");
                    topic_key(display.value).is_some()
                }
                _ => self.topic(class, &display, shown),
            };
            any |= made && enabled;
        }
        any
    }

    fn grid(&mut self, display: &Reader<'_>) {
        let mut look = Map::new();
        let color = color_of(display, "/Color", "/grid_color").map(|color| json!(color.bytes()));
        say(&mut look, "grid_color", color);
        let cell = display.number("/Cell Size", "/grid_cell_metres").map(value::of_number);
        say(&mut look, "grid_cell_metres", cell);
        self.grid = Some(look);
    }

    fn image(&mut self, class: &str, display: &Reader<'_>) -> bool {
        // more than a layout may have: enough to say so
        if self.images.len() > MOST_PANELS {
            return false;
        }
        let Some(topic) = topic_of(display, "/topic") else { return false };
        display.flag("/Enabled", "/root");
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
        while id == SCENE || self.images.contains_key(&id) {
            id = format!("{name} {number}");
            number += 1;
        }
        let place = display.place().to_owned();
        self.images.insert(id, ImageDisplay { config, place });
        true
    }

    fn topic(&mut self, class: &str, display: &Reader<'_>, shown: bool) -> bool {
        let Some(made) = drawn(class) else {
            display.odd("", format!("{class} is nothing that a 3D panel shows here"));
            return false;
        };
        let Some(topic) = topic_key(display.value).and_then(|key| value::text(display.value, key)).map(rooted) else {
            return false;
        };
        if self.chosen.get(&topic).is_none_or(|(place, _)| place != display.place()) {
            display.odd("", "another display tells how this topic is shown");
            return false;
        }
        topic_of(display, "/topics");
        let to = format!("/topics/{}", escape(&topic));
        let mut settings = made(display, &to);
        let visible = match shown {
            true => display.flag("/Enabled", &format!("{to}/visible")).unwrap_or(true),
            false => false,
        };
        settings.insert("visible".to_owned(), visible.into());
        self.topics.insert(topic, Value::Object(settings));
        true
    }

    /// The 3D panel's configuration.
    fn scene(&self, reader: &Reader<'_>) -> Value {
        let mut scene = Map::new();
        scene.insert("topics".to_owned(), Value::Object(self.topics.clone()));
        if let Some(frame) = reader.text(&format!("{OPTIONS}/Fixed Frame"), "/fixed_frame") {
            scene.insert("fixed_frame".to_owned(), bare(frame).into());
        }
        scene.insert("grid".to_owned(), self.grid.is_some().into());
        scene.extend(self.grid.clone().unwrap_or_default());
        let background = color_of(reader, &format!("{OPTIONS}/Background Color"), "/background");
        say(&mut scene, "background", background.map(|color| json!(color.bytes())));
        let none = json!({"axes": false, "names": false, "links": false});
        scene.insert("frames".to_owned(), self.frames.clone().unwrap_or(none));
        scene.extend(views::view(&reader.inside(VIEW, "")));
        Value::Object(scene)
    }
}

fn class_of(display: &Value) -> &str {
    let class = value::text(display, "/Class").unwrap_or_default();
    class.rsplit('/').next().unwrap_or_default()
}

/// A relative name stands in the root.
fn rooted(topic: &str) -> String {
    format!("/{}", topic.trim_start_matches('/'))
}

/// Where a display names its topic: under several names, in ROS 2 with the settings of its subscription.
fn topic_key(display: &Value) -> Option<&'static str> {
    const NAMES: [&str; 5] = ["/Topic", "/Topic/Value", "/Image Topic", "/Marker Topic", "/Topic/Name"];
    let is_named = |name: &&str| value::text(display, name).is_some_and(|topic| !topic.is_empty());
    NAMES.into_iter().find(is_named)
}

fn topic_of(display: &Reader<'_>, to: &str) -> Option<String> {
    let named = topic_key(display.value)?;
    display.text(named, to).map(rooted)
}

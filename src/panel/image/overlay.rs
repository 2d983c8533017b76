//! What tables know of a picture, drawn on it: boxes with class and confidence, lane points, each from its time to the next of its topic.
//!
//! Invariant: what is drawn stands at or before the playhead; a box is where its numbers say, in pixels of the picture or of the size
//! that the detector saw.

use std::collections::BTreeSet;

use egui::{Align2, Color32, Painter, Pos2, Rect, RichText, Shape, Stroke, StrokeKind, Ui, pos2, vec2};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::place::Place;
use super::{cameras, stem_of};
use crate::decode::{Annotations, Decoded, Detection, Form, Lane};
use crate::panel::shown::{Freshness, Shown};
use crate::panel::{View, widget};
use crate::store::{Entry, Lookup, Store, Topic, TopicId, Want, What};
use crate::theme;
use crate::time::Time;

/// What a layout stores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Config {
    /// Topics of boxes and lane points that are drawn; none: all, each on the camera that its name speaks of, otherwise on the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topics: Option<Vec<String>>,
    /// Boxes with less confidence are not drawn; those without any are.
    pub min_confidence: f32,
    /// Classes that are not drawn; points of lanes are of class `lane`.
    pub hidden_classes: BTreeSet<String>,
    /// In points.
    pub line_width: f32,
    /// Class and confidence above each box.
    pub labels: bool,
    /// What is older is not drawn; none: it stays until the next of its topic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age_secs: Option<f64>,
    /// Width and height in pixels of the picture that was looked at; none: of this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture_size: Option<[u32; 2]>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            topics: None,
            min_confidence: 0.0,
            hidden_classes: BTreeSet::new(),
            line_width: 2.0,
            labels: true,
            max_age_secs: None,
            picture_size: None,
            extra: Map::new(),
        }
    }
}

/// More boxes or lanes of one moment nobody could tell apart.
const MOST: usize = 4096;
const FAR_POINTS: f32 = 10_000.0;
/// The class of lane points.
const LANE: &str = "lane";
/// And of boxes without one.
const UNNAMED: &str = "object";

/// Topics whose messages can be drawn on pictures.
pub fn offered(store: &Store) -> impl Iterator<Item = &Topic> {
    store.topics().iter().filter(|topic| topic.form == Some(Form::Annotations))
}

/// What is drawn of each topic.
#[derive(Default)]
pub struct Overlay {
    layers: Vec<Layer>,
    /// Classes that were there once, for the settings.
    classes: BTreeSet<String>,
    /// What is late or failed, of the last frame.
    pub trouble: Option<Trouble>,
}

pub enum Trouble {
    Late(String),
    Failed(String),
}

struct Layer {
    topic: TopicId,
    /// All messages of the newest one's time: some tables have a row for each box.
    shown: Shown<Vec<Entry>>,
}

impl Config {
    /// What is drawn on the pictures of a topic.
    fn chosen<'a>(&self, camera: &str, store: &'a Store) -> Vec<&'a Topic> {
        match &self.topics {
            Some(names) => {
                let named = names.iter().filter_map(|name| store.topic_by_name(name));
                named.filter(|topic| topic.form == Some(Form::Annotations)).collect()
            }
            None => offered(store).filter(|topic| are_of(topic, camera, store)).collect(),
        }
    }

    /// The names of these, to be changed.
    pub fn named(&mut self, camera: &str, store: &Store) -> &mut Vec<String> {
        let chosen = self.chosen(camera, store);
        self.topics
            .get_or_insert_with(|| chosen.iter().map(|topic| topic.name.to_string()).collect())
    }
}

/// Whether boxes belong on a camera: of those whose names begin as theirs, or of all, on the one that shares most words about cameras with their name, and of those on the first.
fn are_of(topic: &Topic, camera: &str, store: &Store) -> bool {
    const WORDS: [&str; 8] = ["front", "rear", "back", "left", "right", "side", "rgb", "thermal"];
    let name = topic.name.to_lowercase();
    let spoken: Vec<&str> = WORDS.into_iter().filter(|word| name.contains(word)).collect();
    let shared = |stem: &str| {
        let stem = stem.to_lowercase();
        spoken.iter().filter(|word| stem.contains(**word)).count()
    };
    // those of its own recording, where several are open
    let first = |name: &str| name.trim_start_matches('/').split('/').next().map(str::to_owned);
    let is_beside = |stem: &&str| first(stem) == first(&topic.name);
    let all = cameras(store);
    let beside: Vec<&str> = all.iter().copied().filter(is_beside).collect();
    let offered = if beside.is_empty() { all } else { beside };
    // of as many the one that comes first
    let best = offered.into_iter().rev().max_by_key(|stem| shared(stem));
    best.is_some_and(|best| best == stem_of(camera))
}

impl Overlay {
    pub fn wants(&self, config: &Config, camera: &str, view: &View, out: &mut Vec<Want>) {
        for topic in config.chosen(camera, view.store) {
            out.push(Want {
                topic: topic.id,
                what: What::Latest(Form::Annotations),
            });
            // beside the newest row those of the same time
            if let Lookup::Ready(entry) = view.store.latest(topic.id, Form::Annotations)
                && entry.time <= view.now
            {
                let (form, window_nanos) = (Form::Annotations, view.now.since(entry.time));
                out.push(Want {
                    topic: topic.id,
                    what: What::Trail { form, window_nanos },
                });
            }
        }
    }

    /// Takes the store's answers.
    pub fn refresh(&mut self, config: &Config, camera: &str, view: &View) {
        self.trouble = None;
        let topics = config.chosen(camera, view.store);
        self.layers.retain(|layer| topics.iter().any(|topic| topic.id == layer.topic));
        for topic in topics {
            let at = self.layers.iter().position(|layer| layer.topic == topic.id).unwrap_or_else(|| {
                let shown = Shown::default();
                self.layers.push(Layer { topic: topic.id, shown });
                self.layers.len() - 1
            });
            let Some(layer) = self.layers.get_mut(at) else { continue };
            let older = || view.store.latest_decoded(topic.id, Form::Annotations).map(|e| (e.time, vec![e]));
            let (entries, freshness) = layer.shown.take(view.store, topic, newest(view.store, topic.id), older);
            match freshness {
                Freshness::Late => self.trouble = Some(Trouble::Late(format!("{} is being read", topic.name))),
                Freshness::Failed(why) => self.trouble = Some(Trouble::Failed(format!("{}: {why}", topic.name))),
                Freshness::Current | Freshness::Stale { .. } | Freshness::Absent => {}
            }
            for annotations in entries.iter().flatten().filter_map(annotations) {
                let classes = annotations.boxes.iter().map(class_of);
                for class in classes.chain((!annotations.lanes.is_empty()).then_some(LANE)) {
                    if !self.classes.contains(class) {
                        self.classes.insert(class.to_owned());
                    }
                }
            }
        }
    }

    pub fn topics(&self) -> impl Iterator<Item = TopicId> {
        self.layers.iter().map(|layer| layer.topic)
    }

    /// On a picture of so many pixels.
    pub fn paint(&self, painter: &Painter, config: &Config, place: &Place, size: [u32; 2], now: Time) {
        let [sx, sy] = match config.picture_size {
            Some([w, h]) if w > 0 && h > 0 => [size[0] as f32 / w as f32, size[1] as f32 / h as f32],
            _ => [1.0, 1.0],
        };
        // numbers of any size: what lies far outside need not be drawn where it is
        let far = painter.clip_rect().expand(FAR_POINTS);
        let to_screen = |[x, y]: [f32; 2]| far.clamp(place.to_screen(pos2(x * sx, y * sy)));
        let is_young = |layer: &&Layer| {
            let age_nanos = layer.shown.time().map_or(0, |time| now.since(time));
            config.max_age_secs.is_none_or(|most| age_nanos as f64 * 1e-9 <= most)
        };
        let layers = self.layers.iter().filter(is_young).filter_map(|layer| layer.shown.last());
        let all: Vec<&Annotations> = layers.flatten().filter_map(annotations).collect();
        if !config.hidden_classes.contains(LANE) {
            for lane in all.iter().flat_map(|a| &a.lanes).take(MOST) {
                paint_lane(painter, lane, config.line_width, &to_screen);
            }
        }
        let drawn = |found: &&Detection| {
            !config.hidden_classes.contains(class_of(found)) && found.confidence.is_none_or(|c| c >= config.min_confidence)
        };
        // small ones last, so that none lies behind another
        let mut boxes: Vec<&Detection> = all.iter().flat_map(|a| &a.boxes).filter(drawn).take(MOST).collect();
        boxes.sort_by(|a, b| (b.size[0] * b.size[1]).total_cmp(&(a.size[0] * a.size[1])));
        for found in boxes {
            paint_box(painter, found, config, &to_screen);
        }
    }
}

fn newest(store: &Store, topic: TopicId) -> Lookup<(Time, Vec<Entry>)> {
    match store.latest(topic, Form::Annotations) {
        Lookup::Ready(entry) => {
            let (mut all, is_whole) = store.trail(topic, Form::Annotations, store.now().since(entry.time));
            all.retain(|other| other.time == entry.time);
            match is_whole {
                true => Lookup::Ready((entry.time, all)),
                false => Lookup::Pending,
            }
        }
        other => other.map(|entry| (entry.time, vec![entry])),
    }
}

fn annotations(entry: &Entry) -> Option<&Annotations> {
    match &*entry.decoded {
        Decoded::Annotations(annotations) => Some(annotations),
        _ => None,
    }
}

fn class_of(found: &Detection) -> &str {
    if found.class.is_empty() { UNNAMED } else { &found.class }
}

/// The same in every picture and every session.
fn color_of(class: &str) -> Color32 {
    theme::data::of_name(class)
}

/// Such as `car 87 %`.
fn label_of(found: &Detection) -> String {
    let class = class_of(found);
    match found.confidence {
        Some(confidence) => format!("{class} {:.0} %", confidence * 100.0),
        None => class.to_owned(),
    }
}

fn paint_box(painter: &Painter, found: &Detection, config: &Config, to_screen: &dyn Fn([f32; 2]) -> Pos2) {
    let ([x, y], [w, h]) = (found.centre, found.size.map(|side| side / 2.0));
    let rect = Rect::from_two_pos(to_screen([x - w, y - h]), to_screen([x + w, y + h]));
    if !rect.intersects(painter.clip_rect()) {
        return;
    }
    let color = color_of(class_of(found));
    painter.rect_filled(rect, 0.0, color.gamma_multiply(0.12));
    painter.rect_stroke(rect, 0.0, (config.line_width, color), StrokeKind::Middle);
    if config.labels {
        let galley = painter.layout_no_wrap(label_of(found), theme::small(), theme::data::INK);
        let size = galley.size() + vec2(8.0, 2.0);
        // above the box, or inside where there is no room
        let left = rect.left() - config.line_width / 2.0;
        let top = rect.top() - config.line_width / 2.0 - size.y;
        let inside = if top < painter.clip_rect().top() { rect.top() } else { top };
        let plate = Rect::from_min_size(pos2(left, inside), size);
        painter.rect_filled(plate, 2.0, color);
        painter.galley(plate.min + vec2(4.0, 1.0), galley, theme::data::INK);
    }
}

fn paint_lane(painter: &Painter, lane: &Lane, line_width: f32, to_screen: &dyn Fn([f32; 2]) -> Pos2) {
    let color = color_of(LANE);
    let points: Vec<Pos2> = lane.points.iter().map(|point| to_screen(*point)).collect();
    for point in &points {
        painter.circle_filled(*point, line_width, color);
    }
    painter.add(Shape::line(points, Stroke::new(line_width, color)));
}

/// The settings; nothing where no topic can be drawn on pictures.
pub fn settings_ui(ui: &mut Ui, config: &mut Config, camera: &str, overlay: &Overlay, store: &Store) {
    let mut names: Vec<&str> = offered(store).map(|topic| &*topic.name).collect();
    let given = config.topics.iter().flatten().map(String::as_str);
    names.extend(given.filter(|name| store.topic_by_name(name).is_none()));
    if names.is_empty() {
        return;
    }
    theme::widget::section(ui, "Boxes and lanes");
    let drawn: Vec<&str> = match &config.topics {
        Some(names) => names.iter().map(String::as_str).collect(),
        None => config.chosen(camera, store).iter().map(|topic| &*topic.name).collect(),
    };
    let draws_some = !drawn.is_empty();
    let mut toggled = None;
    for name in &names {
        let mut is_on = drawn.contains(name);
        if ui.checkbox(&mut is_on, *name).changed() {
            toggled = Some(((*name).to_owned(), is_on));
        }
    }
    match toggled {
        Some((name, true)) => config.named(camera, store).push(name),
        Some((name, false)) => config.named(camera, store).retain(|chosen| *chosen != name),
        None => {}
    }
    if !draws_some {
        return;
    }
    classes_ui(ui, config, &overlay.classes);
    egui::Grid::new("overlay settings")
        .num_columns(2)
        .spacing([12.0, 6.0])
        .show(ui, |ui| {
            let mut percent = config.min_confidence * 100.0;
            row(ui, "Confidence from", |ui| {
                ui.add(egui::Slider::new(&mut percent, 0.0..=100.0).suffix(" %").fixed_decimals(0))
            });
            config.min_confidence = percent / 100.0;
            row(ui, "Line width", |ui| ui.add(egui::Slider::new(&mut config.line_width, 1.0..=6.0)));
            row(ui, "Labels", |ui| ui.checkbox(&mut config.labels, "Class and confidence"));
            let mut secs = config.max_age_secs.unwrap_or(0.0);
            let shown = |n: f64, _: std::ops::RangeInclusive<usize>| match n {
                0.0 => "until the next".to_owned(),
                n => format!("{n:.2} s"),
            };
            row(ui, "Stay", |ui| {
                ui.add(
                    egui::DragValue::new(&mut secs)
                        .range(0.0..=3600.0)
                        .speed(0.02)
                        .custom_formatter(shown),
                )
                .on_hover_text("How long boxes and lanes stay where no others follow")
            });
            config.max_age_secs = (secs > 0.0).then_some(secs);
            size_ui(ui, config);
        });
}

fn row(ui: &mut Ui, name: &str, add: impl FnOnce(&mut Ui) -> egui::Response) {
    let label = ui.label(RichText::new(name).weak()).id;
    add(ui).labelled_by(label);
    ui.end_row();
}

/// The size of the picture that the detector saw.
fn size_ui(ui: &mut Ui, config: &mut Config) {
    let label = ui.label(RichText::new("Found in").weak()).id;
    let [mut width, mut height] = config.picture_size.unwrap_or_default();
    let shown = |n: f64, _: std::ops::RangeInclusive<usize>| if n == 0.0 { "as it is".to_owned() } else { format!("{n:.0}") };
    ui.horizontal(|ui| {
        for side in [&mut width, &mut height] {
            let drag = egui::DragValue::new(side).range(0..=32_768).custom_formatter(shown);
            ui.add(drag)
                .labelled_by(label)
                .on_hover_text("Width and height of the picture in which they were found, where it was scaled");
        }
    });
    ui.end_row();
    config.picture_size = (width > 0 || height > 0).then_some([width, height]);
}

fn classes_ui(ui: &mut Ui, config: &mut Config, known: &BTreeSet<String>) {
    let classes: BTreeSet<String> = known.union(&config.hidden_classes).cloned().collect();
    ui.horizontal_wrapped(|ui| {
        for class in classes {
            let is_shown = !config.hidden_classes.contains(&class);
            let (rect, _) = ui.allocate_exact_size(vec2(10.0, 10.0), egui::Sense::hover());
            let color = if is_shown {
                color_of(&class)
            } else {
                theme::palette(ui.visuals()).faint
            };
            ui.painter()
                .rect_filled(Align2::CENTER_CENTER.align_size_within_rect(vec2(10.0, 10.0), rect), 2.0, color);
            let response = ui.selectable_label(is_shown, &class).on_hover_text("Shown or not");
            if widget::named(response, &format!("Class {class}")).clicked() && !config.hidden_classes.remove(&class) {
                config.hidden_classes.insert(class);
            }
        }
    });
}

//! A camera: the newest picture at the playhead, with zoom, value range, rotation and the value under the pointer.
//!
//! Invariants: a picture is uploaded once, not every frame; the last picture stays until the next one is there; pixels are worked on by
//! the store's work alone.

mod overlay;
mod picture;
mod place;

use std::sync::Arc;

use egui::{Color32, CursorIcon, Rect, Sense, Ui, pos2, vec2};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::decode::{Decoded, Form, Image, Pixels, Shading, ValueRange};
use crate::layout::TRANSPORTS;
use crate::panel::shown::{Freshness, Shown};
use crate::panel::{Action, Kind, Panel, PanelState, View, command, widget};
use crate::render::Colormap;
use crate::store::{Entry, Store, Topic, TopicId, Want, What};
use overlay::{Overlay, Trouble};
use picture::Picture;
use place::{Place, Turn};

pub const KIND: Kind = Kind {
    id: "image",
    name: "Image",
    what: "A camera's picture at the playhead",
    icon: crate::theme::icon::IMAGE,
    create: |config| Box::new(ImagePanel::new(config)),
    schema: crate::panel::schema_of::<Config>,
    automatic,
};

/// What a layout stores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
struct Config {
    topic: String,
    /// How values of one channel become brightness.
    range: ValueRange,
    colormap: Colormap,
    /// -1 to 1, added.
    brightness: f32,
    /// 0 to 4, times, around the middle.
    contrast: f32,
    #[serde(flatten)]
    turn: Turn,
    /// Interpolates when magnified.
    smooth: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    view: Option<place::Zoom>,
    /// Boxes and lane points of tables that are drawn on the picture.
    overlay: overlay::Config,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            topic: String::new(),
            range: ValueRange::default(),
            colormap: Colormap::Grey,
            brightness: 0.0,
            contrast: 1.0,
            turn: Turn::default(),
            smooth: false,
            view: None,
            overlay: overlay::Config::default(),
            extra: Map::new(),
        }
    }
}

struct ImagePanel {
    config: Config,
    picture: Option<Picture>,
    /// What pixels are asked for.
    asked: Option<Arc<Shading>>,
    shown: Shown<Entry>,
    overlay: Overlay,
    /// Why nothing new is shown, of the last frame.
    state: PanelState,
}

impl ImagePanel {
    fn new(config: &Value) -> ImagePanel {
        ImagePanel {
            config: widget::config_from(config),
            picture: None,
            asked: None,
            shown: Shown::default(),
            overlay: Overlay::default(),
            state: PanelState::Pending("waiting for the first picture".into()),
        }
    }

    fn topic<'a>(&self, view: &View<'a>) -> Option<&'a Topic> {
        let topic = view.store.topic_by_name(&self.config.topic);
        // the same pictures, sent otherwise
        topic.or_else(|| {
            let sent = |ending| view.store.topic_by_name(&format!("{}/{ending}", self.config.topic));
            let as_image = |topic: &&Topic| topic.form == Some(Form::Image);
            TRANSPORTS.iter().find_map(sent).filter(as_image)
        })
    }

    fn set_topic(&mut self, name: &str) {
        name.clone_into(&mut self.config.topic);
        self.config.view = None;
        self.picture = None;
    }

    /// Takes the store's answer; afterwards `picture` is what to draw and `state` says how things stand.
    fn refresh(&mut self, view: &View) -> Option<Entry> {
        let Some(topic) = self.topic(view) else {
            self.picture = None;
            self.state = match self.config.topic.as_str() {
                "" => PanelState::Absent("Choose a camera topic in the settings, or drag one here".into()),
                name => PanelState::Absent(format!("The recording has no topic {name}")),
            };
            return None;
        };
        if topic.form != Some(Form::Image) {
            self.picture = None;
            let why = topic.schema_error.as_deref().map(|e| format!(": {e}")).unwrap_or_default();
            self.state = PanelState::Failed(format!("{} ({}) is not a picture{why}", topic.name, topic.type_name));
            return None;
        }
        let (entry, freshness) = self.shown.latest(view.store, topic, Form::Image);
        if matches!(freshness, Freshness::Absent | Freshness::Failed(_)) {
            self.picture = None;
        }
        self.state = match freshness {
            Freshness::Absent => PanelState::Absent(format!("No picture of {} at or before the playhead", topic.name)),
            freshness => freshness.state(topic, "the picture"),
        };
        entry
    }

    fn draw(&mut self, ui: &mut Ui, view: &View, newest: Option<&Entry>, rect: Rect, out: &mut Vec<Action>) {
        let topic = self.topic(view).map(|t| t.id);
        let (Some(picture), Some(topic)) = (&mut self.picture, topic) else {
            return;
        };
        let label = format!("Picture of {}", self.config.topic);
        let response = ui.interact(rect, ui.scope_id().with("picture"), Sense::click_and_drag());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, &label));
        let size = picture.size();
        let mut place = Place::new(rect.shrink(0.5), size, self.config.turn, self.config.view);
        if let Some(moved) = place.interact(ui, &response) {
            self.config.view = moved;
            place = Place::new(rect.shrink(0.5), size, self.config.turn, self.config.view);
            if !response.dragged() {
                out.push(Action::Changed);
            }
        }
        if response.drag_stopped() {
            out.push(Action::Changed);
        }
        let shading = shading(&self.config, place.pixels_per_texel(ui.ctx().pixels_per_point()));
        // what is under way is awaited first: something is seen while a slider moves
        let made = self.asked.as_ref().and_then(|asked| view.store.shaded(topic, asked));
        let is_made = made.is_some_and(|m| view.playing || newest.is_none_or(|n| n.key == m.0.key));
        if self.asked.as_ref().is_none_or(|asked| is_made && **asked != shading) {
            self.asked = Some(Arc::new(shading));
            ui.ctx().request_repaint();
        }
        let asked = self.asked.as_ref();
        if let Some((asked, made)) = asked.and_then(|asked| Some((asked, view.store.shaded(topic, asked)?))) {
            picture.show(ui.ctx(), made, asked, self.config.smooth);
        }
        let is_shown = view.playing || newest.is_none_or(|n| picture.shows(n.key));
        if self.state == PanelState::Ready && !is_shown {
            self.state = PanelState::Pending("the picture is being drawn".into());
        }
        let painter = ui.painter().with_clip_rect(rect);
        picture.paint(&painter, &place);
        self.overlay.paint(&painter, &self.config.overlay, &place, size, view.now);
        let range = picture.range();
        let image = picture.image();
        command::menu(&response, COMMANDS, self, view, out);
        if response.dragged() {
            ui.set_cursor_icon(CursorIcon::Grabbing);
        }
        let pointer = response.hover_pos().filter(|_| !response.dragged()).and_then(|p| place.pixel_at(p));
        if let Some((x, y)) = pointer {
            if place.scale() >= 6.0 {
                let outline = place.pixel_outline(x, y);
                ui.painter().with_clip_rect(rect).rect_stroke(
                    outline,
                    0.0,
                    (1.0, ui.visuals().selection.stroke.color),
                    egui::StrokeKind::Outside,
                );
            }
            value_strip(ui, rect, &image, x, y);
        }
        if let Some((low, high)) = range {
            range_bar(ui, rect, self.config.colormap, low, high, pointer.is_some());
        }
    }
}

/// Coordinates and value under the pointer, at the bottom left.
fn value_strip(ui: &Ui, rect: Rect, image: &Image, x: u32, y: u32) {
    let (text, color) = value_text(image, x, y);
    let plate = widget::plate(ui, rect, egui::Align2::LEFT_BOTTOM, &text, true);
    if let Some(color) = color {
        let swatch = Rect::from_min_size(pos2(plate.right() + 2.0, plate.top()), vec2(plate.height(), plate.height()));
        ui.painter().with_clip_rect(rect).rect_filled(swatch, 4.0, color);
    }
}

fn value_text(image: &Image, x: u32, y: u32) -> (String, Option<Color32>) {
    let index = y as usize * image.width as usize + x as usize;
    let at = format!("{x:>4} {y:>4}  ");
    match &image.pixels {
        Pixels::Gray(values) => match values.get(index) {
            Some(v) => (format!("{at}{}", widget::number_text(f64::from(*v), 9)), None),
            None => (at, None),
        },
        Pixels::Rgba8(bytes) => match bytes.get(index * 4..index * 4 + 4) {
            Some(&[r, g, b, a]) => {
                let alpha = if a == 255 { String::new() } else { format!(" {a:>3}") };
                let text = if image.encoding.starts_with("mono") {
                    format!("{at}{r:>3}")
                } else {
                    format!("{at}{r:>3} {g:>3} {b:>3}{alpha}")
                };
                (text, Some(Color32::from_rgb(r, g, b)))
            }
            _ => (at, None),
        },
    }
}

/// What black and white stand for, at the bottom right.
fn range_bar(ui: &Ui, rect: Rect, colormap: Colormap, low: f32, high: f32, pointed: bool) {
    if rect.width() < if pointed { 320.0 } else { 180.0 } || rect.height() < 90.0 {
        return;
    }
    let text = format!(
        "{}              {}",
        widget::number_text(f64::from(low), 6),
        widget::number_text(f64::from(high), 6)
    );
    let plate = widget::plate(ui, rect, egui::Align2::RIGHT_BOTTOM, &text, true);
    let left = widget::number_text(f64::from(low), 6).len() as f32 / text.chars().count() as f32;
    let right = 1.0 - widget::number_text(f64::from(high), 6).len() as f32 / text.chars().count() as f32;
    let inner = plate.shrink2(vec2(6.0, 0.0));
    let (x0, x1) = (
        inner.left() + inner.width() * left + 6.0,
        inner.left() + inner.width() * right - 6.0,
    );
    let mut mesh = egui::Mesh::default();
    const STEPS: u32 = 24;
    for i in 0..=STEPS {
        let f = i as f32 / STEPS as f32;
        let [r, g, b] = colormap.color(f);
        let x = x0 + (x1 - x0) * f;
        mesh.colored_vertex(pos2(x, plate.center().y - 3.0), Color32::from_rgb(r, g, b));
        mesh.colored_vertex(pos2(x, plate.center().y + 3.0), Color32::from_rgb(r, g, b));
        if i > 0 {
            mesh.add_triangle(i * 2 - 2, i * 2 - 1, i * 2);
            mesh.add_triangle(i * 2 - 1, i * 2, i * 2 + 1);
        }
    }
    ui.painter().with_clip_rect(rect).add(mesh);
}

/// `pixels_per_texel`: how much coarser than the picture the screen is.
fn shading(config: &Config, pixels_per_texel: f32) -> Shading {
    let adjusted = |step: usize| ((step as f32 / 255.0 - 0.5) * config.contrast + 0.5 + config.brightness).clamp(0.0, 1.0);
    let is_adjusted = config.brightness != 0.0 || config.contrast != 1.0;
    Shading {
        range: config.range,
        ink: Arc::new(std::array::from_fn(|step| config.colormap.color(adjusted(step)))),
        tone: is_adjusted.then(|| Arc::new(std::array::from_fn(|step| (adjusted(step) * 255.0).round() as u8))),
        reduce: match pixels_per_texel {
            p if p >= 8.0 => 8,
            p if p >= 4.0 => 4,
            p if p >= 2.0 => 2,
            _ => 1,
        },
    }
}

const COMMANDS: &[command::Command<ImagePanel>] = &[
    ("Fit the picture", |image, _, out| {
        image.config.view = None;
        out.push(Action::Changed);
    }),
    ("Turn by 90°", |image, _, out| {
        image.config.turn.rotation_degrees = (image.config.turn.rotation_degrees + 90) % 360;
        out.push(Action::Changed);
    }),
    ("Flip left and right", |image, _, out| {
        image.config.turn.flip_horizontal = !image.config.turn.flip_horizontal;
        out.push(Action::Changed);
    }),
    ("Smooth pixels", |image, _, out| {
        image.config.smooth = !image.config.smooth;
        out.push(Action::Changed);
    }),
    ("Show raw messages of the camera", |image, _, out| {
        let config = serde_json::json!({ "topic": image.config.topic });
        out.push(Action::AddPanel { kind: "raw", config });
    }),
    ("Save the picture as PNG…", |image, _, out| {
        out.extend(image.picture.as_ref().and_then(Picture::save))
    }),
];

impl Panel for ImagePanel {
    fn title(&self, _view: &View) -> String {
        match self.config.topic.as_str() {
            "" => "Image".into(),
            topic => widget::camera_name(topic).to_owned(),
        }
    }

    fn wants(&self, view: &View, out: &mut Vec<Want>) {
        if let Some(topic) = self.topic(view).filter(|t| t.form == Some(Form::Image)) {
            out.push(Want {
                topic: topic.id,
                what: What::Latest(Form::Image),
            });
            out.extend(self.asked.iter().map(|asked| Want {
                topic: topic.id,
                what: What::Shaded(asked.clone()),
            }));
            self.overlay.wants(&self.config.overlay, &topic.name, view, out);
        }
    }

    fn ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let rect = ui.available_rect_before_wrap();
        ui.painter().rect_filled(rect, 0.0, ui.visuals().extreme_bg_color);
        let newest = self.refresh(view);
        if let (Some(entry), None) = (&newest, &self.picture) {
            match &*entry.decoded {
                Decoded::Image(_) => self.picture = Some(Picture::new(entry.clone())),
                _ => self.state = PanelState::Failed("The topic's messages are not pictures".into()),
            }
        }
        let camera = self.topic(view).map_or("", |topic| &*topic.name);
        self.overlay.refresh(&self.config.overlay, camera, view);
        match &self.overlay.trouble {
            Some(Trouble::Late(what)) if self.state == PanelState::Ready => self.state = PanelState::Pending(what.clone()),
            Some(Trouble::Failed(why)) if self.state == PanelState::Ready => self.state = PanelState::Partial(why.clone()),
            _ => {}
        }
        if self.picture.is_some() {
            self.draw(ui, view, newest.as_ref(), rect, out);
        } else {
            match &self.state {
                PanelState::Failed(why) => widget::failure_note(ui, rect, why),
                PanelState::Absent(why) => widget::empty_note(ui, rect, why),
                _ => {}
            }
        }
        ui.advance_cursor_after_rect(rect);
    }

    fn settings_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let before = self.config.clone();
        if let Some(topic) = widget::topic_picker(ui, "image topic", view.store, &self.config.topic, |t| t.form == Some(Form::Image)) {
            let name = Arc::clone(&topic.name);
            self.set_topic(&name);
        }
        egui::Grid::new("image settings")
            .num_columns(2)
            .spacing([12.0, 6.0])
            .show(ui, |ui| {
                if let Some(picture) = &self.picture {
                    facts(ui, &picture.image(), picture.time());
                }
                let gray = self.picture.as_ref().is_none_or(|p| matches!(p.image().pixels, Pixels::Gray(_)));
                if gray {
                    range_settings(ui, &mut self.config, self.picture.as_ref().and_then(Picture::range));
                }
                look_settings(ui, &mut self.config);
            });
        let camera = self.topic(view).map_or("", |topic| &*topic.name);
        overlay::settings_ui(ui, &mut self.config.overlay, camera, &self.overlay, view.store);
        ui.horizontal(|ui| {
            if ui.button("Fit").on_hover_text("The whole picture (double-click)").clicked() {
                self.config.view = None;
            }
            if ui
                .button("Reset")
                .on_hover_text("All settings but the topic as they were at first")
                .clicked()
            {
                let (topic, extra) = (std::mem::take(&mut self.config.topic), std::mem::take(&mut self.config.extra));
                self.config = Config {
                    topic,
                    extra,
                    ..Config::default()
                };
            }
        });
        if self.config != before {
            out.push(Action::Changed);
        }
    }

    fn commands(&self) -> Vec<&'static str> {
        command::names(COMMANDS)
    }

    fn run(&mut self, command: &str, view: &View, out: &mut Vec<Action>) {
        command::run(COMMANDS, self, command, view, out);
    }

    fn config(&self) -> Value {
        serde_json::to_value(&self.config).unwrap_or_default()
    }

    fn state(&self, _view: &View) -> PanelState {
        self.state.clone()
    }

    fn drop_topic(&mut self, view: &View, topic: TopicId) -> bool {
        match view.store.topic(topic) {
            Some(topic) if topic.form == Some(Form::Image) => {
                self.set_topic(&topic.name);
                true
            }
            Some(topic) if topic.form == Some(Form::Annotations) => {
                let camera = self.topic(view).map_or("", |topic| &*topic.name);
                let drawn = self.config.overlay.named(camera, view.store);
                if !drawn.iter().any(|name| **name == *topic.name) {
                    drawn.push(topic.name.to_string());
                }
                true
            }
            _ => false,
        }
    }

    fn hidden(&mut self) {
        self.picture = None;
    }

    fn topics(&self, view: &View) -> Vec<TopicId> {
        self.topic(view).map(|t| t.id).into_iter().chain(self.overlay.topics()).collect()
    }
}

fn facts(ui: &mut Ui, image: &Image, received: crate::time::Time) {
    let fact = |ui: &mut Ui, name: &str, value: String| {
        ui.label(egui::RichText::new(name).weak());
        ui.label(value);
        ui.end_row();
    };
    fact(ui, "Size", format!("{} × {}", image.width, image.height));
    fact(ui, "Encoding", image.encoding.to_string());
    fact(ui, "Stamp", format!("{} UTC", crate::time::format_time_of_day(image.header.stamp)));
    fact(ui, "Received", format!("{} UTC", crate::time::format_time_of_day(received)));
    fact(ui, "Frame", image.header.frame_id.to_string());
}

fn range_settings(ui: &mut Ui, config: &mut Config, now: Option<(f32, f32)>) {
    let range_label = ui.label(egui::RichText::new("Range").weak()).id;
    let (mut cut, manual) = match config.range {
        ValueRange::Percentile { cut_percent } => (cut_percent, now.unwrap_or((0.0, 1.0))),
        ValueRange::Manual { min, max } => (0.5, (min, max)),
        ValueRange::MinMax => (0.5, now.unwrap_or((0.0, 1.0))),
    };
    ui.horizontal(|ui| {
        let name = match config.range {
            ValueRange::MinMax => "Min to max",
            ValueRange::Percentile { .. } => "Percentile",
            ValueRange::Manual { .. } => "Manual",
        };
        egui::ComboBox::from_id_salt("range")
            .selected_text(name)
            .width(96.0)
            .show_ui(ui, |ui| {
                let manual = ValueRange::Manual {
                    min: manual.0,
                    max: manual.1,
                };
                ui.selectable_value(&mut config.range, ValueRange::MinMax, "Min to max");
                ui.selectable_value(&mut config.range, ValueRange::Percentile { cut_percent: cut }, "Percentile");
                ui.selectable_value(&mut config.range, manual, "Manual");
            })
            .response
            .labelled_by(range_label);
        match &mut config.range {
            ValueRange::MinMax => {}
            ValueRange::Percentile { cut_percent } => {
                ui.add(egui::DragValue::new(&mut cut).range(0.0..=20.0).speed(0.05).suffix(" % cut"))
                    .labelled_by(range_label);
                *cut_percent = cut;
            }
            ValueRange::Manual { min, max } => {
                let speed = (f64::from(*max - *min).abs() / 200.0).max(1e-4);
                ui.add(egui::DragValue::new(min).speed(speed)).labelled_by(range_label);
                ui.add(egui::DragValue::new(max).speed(speed)).labelled_by(range_label);
            }
        }
    });
    ui.end_row();
    ui.label(egui::RichText::new("Colours").weak());
    ui.horizontal(|ui| {
        for map in Colormap::ALL {
            ui.selectable_value(&mut config.colormap, map, map.name());
        }
    });
    ui.end_row();
}

fn slider(ui: &mut Ui, name: &str, value: &mut f32, range: std::ops::RangeInclusive<f32>) {
    let label = ui.label(egui::RichText::new(name).weak()).id;
    ui.horizontal(|ui| {
        ui.add(egui::Slider::new(value, range.clone()).show_value(false)).labelled_by(label);
        ui.add(egui::DragValue::new(value).range(range).speed(0.01).fixed_decimals(2))
            .labelled_by(label);
    });
    ui.end_row();
}

fn look_settings(ui: &mut Ui, config: &mut Config) {
    slider(ui, "Brightness", &mut config.brightness, -1.0..=1.0);
    slider(ui, "Contrast", &mut config.contrast, 0.0..=4.0);
    ui.label(egui::RichText::new("Rotation").weak());
    ui.horizontal(|ui| {
        for degrees in [0, 90, 180, 270] {
            ui.selectable_value(&mut config.turn.rotation_degrees, degrees, format!("{degrees}°"));
        }
    });
    ui.end_row();
    ui.label(egui::RichText::new("Flip").weak());
    ui.horizontal(|ui| {
        ui.toggle_value(&mut config.turn.flip_horizontal, "Left–right");
        ui.toggle_value(&mut config.turn.flip_vertical, "Up–down");
    });
    ui.end_row();
    ui.label(egui::RichText::new("Magnified").weak());
    ui.horizontal(|ui| {
        ui.selectable_value(&mut config.smooth, false, "Pixels");
        ui.selectable_value(&mut config.smooth, true, "Smooth");
    });
    ui.end_row();
}

/// One panel a camera: of a raw and a compressed topic the one that is cheaper to bring, front and left cameras first.
fn automatic(store: &Store) -> Vec<Value> {
    let remote = store.sources().iter().any(|s| s.location.is_remote());
    let mut cameras: Vec<(&str, &Topic)> = Vec::new();
    for topic in pictures(store) {
        let stem = stem_of(&topic.name);
        match cameras.iter_mut().find(|(s, _)| *s == stem) {
            Some((_, kept)) => {
                // a raw picture costs no decoding, a compressed one a tenth of the bytes
                if topic.type_name.ends_with("CompressedImage") == remote {
                    *kept = topic;
                }
            }
            None => cameras.push((stem, topic)),
        }
    }
    cameras.sort_by_key(|(stem, _)| camera_rank(stem));
    let panels = cameras.iter().map(|(_, topic)| serde_json::json!({ "topic": &*topic.name }));
    panels.collect()
}

fn pictures(store: &Store) -> impl Iterator<Item = &Topic> {
    store.topics().iter().filter(|t| t.form == Some(Form::Image) && t.messages > 0)
}

/// What the raw and the compressed pictures of a camera have in common.
fn stem_of(name: &str) -> &str {
    name.strip_suffix("/compressed").unwrap_or(name)
}

/// By the stems of their topics, the first one first.
fn cameras(store: &Store) -> Vec<&str> {
    let mut stems: Vec<&str> = pictures(store).map(|topic| stem_of(&topic.name)).collect();
    stems.dedup();
    stems.sort_by_key(|stem| camera_rank(stem));
    stems
}

/// Front before side before rear, left before right, colour before thermal and depth.
fn camera_rank(stem: &str) -> (u8, u8, u8) {
    let name = stem.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|w| name.contains(w));
    let sort = if has(&["depth", "disparity", "mask", "debug"]) {
        2
    } else {
        u8::from(has(&["thermal", "infra", "_ir"]))
    };
    let side = if has(&["front", "center", "centre"]) {
        0
    } else if has(&["rear", "back"]) {
        2
    } else {
        1
    };
    let hand = if has(&["left"]) { 0 } else { u8::from(has(&["right"])) };
    (sort, side, hand)
}

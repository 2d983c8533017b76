//! Lines, areas and places that messages draw on the map, as the newest one at the playhead has them.
//!
//! Invariant: a message is projected once; what cannot be decoded is said, and the rest is drawn.

use egui::{Align2, Color32, Mesh, Painter, Shape, Stroke, Ui, vec2};

use super::MapPanel;
use super::mercator::{self, Viewport, World};
use super::world;
use crate::decode::{Decoded, Feature, FeatureShape, Form};
use crate::panel::View;
use crate::store::Bounds;
use crate::store::{Lookup, Store, Topic, TopicId};
use crate::theme;

/// What one topic draws now.
pub struct Overlay {
    pub topic: TopicId,
    /// Of the message that it was made of.
    key: u64,
    drawn: Vec<Drawn>,
    pub trouble: Option<String>,
}

struct Drawn {
    name: String,
    color: Option<Color32>,
    /// Of an area's inside, where it is not that of its outline.
    fill: Option<Color32>,
    opacity: f32,
    fill_opacity: f32,
    width_points: f32,
    outlines: Vec<Vec<World>>,
    /// Corners of triangles, in all outlines together.
    triangles: Vec<u32>,
    is_area: bool,
    is_places: bool,
}

/// Whether a topic's messages may draw features: strings where the newest holds GeoJSON, or is not known yet.
pub fn may_draw(store: &Store, topic: &Topic) -> bool {
    match (store.latest_payload(topic.id), &topic.schema) {
        _ if topic.form == Some(Form::Features) => true,
        (Lookup::Ready((_, payload)), Some(schema)) if is_text(topic) => schema.decode(Form::Features, &payload).is_ok(),
        _ => is_text(topic),
    }
}

fn is_text(topic: &Topic) -> bool {
    topic.type_name.ends_with("/String")
}

impl MapPanel {
    pub(super) fn feature_topics<'a>(&self, store: &'a Store) -> Vec<&'a Topic> {
        // of texts only those that someone named
        let is_named = !self.config.topics.is_empty();
        let chosen = self.chosen(store).into_iter();
        chosen
            .filter(|t| t.form == Some(Form::Features) || (is_named && is_text(t)))
            .collect()
    }

    pub(super) fn refresh_features(&mut self, view: &View) {
        let topics = self.feature_topics(view.store);
        self.overlays.retain(|o| topics.iter().any(|t| t.id == o.topic));
        for topic in topics {
            let entry = match view.store.latest(topic.id, Form::Features) {
                Lookup::Ready(entry) => Some(Ok(entry)),
                Lookup::Failed(why) => Some(Err(why.to_string())),
                Lookup::Pending => view.store.latest_decoded(topic.id, Form::Features).map(Ok),
                Lookup::Absent => {
                    self.overlays.retain(|o| o.topic != topic.id);
                    None
                }
            };
            let known = self.overlays.iter().position(|o| o.topic == topic.id);
            let overlay = match entry {
                None => continue,
                Some(Err(why)) => Overlay {
                    topic: topic.id,
                    key: 0,
                    drawn: Vec::new(),
                    trouble: Some(format!("{}: {why}", topic.name)),
                },
                Some(Ok(entry)) => {
                    if known.and_then(|at| self.overlays.get(at)).is_some_and(|o| o.key == entry.key) {
                        continue;
                    }
                    let features: &[Feature] = match &*entry.decoded {
                        Decoded::Features(features) => &features.features,
                        _ => &[],
                    };
                    Overlay {
                        topic: topic.id,
                        key: entry.key,
                        drawn: features.iter().map(Drawn::new).collect(),
                        trouble: None,
                    }
                }
            };
            match known.and_then(|at| self.overlays.get_mut(at)) {
                Some(old) => *old = overlay,
                None => self.overlays.push(overlay),
            }
        }
    }

    /// Of each line, area and place that is drawn.
    pub(super) fn feature_bounds(&self) -> impl Iterator<Item = Bounds> {
        let outlines = self.overlays.iter().flat_map(|o| &o.drawn).flat_map(|d| &d.outlines);
        outlines.filter_map(|outline| {
            let places = outline.iter().map(|w| [w[0], w[1], w[0], w[1]]);
            places.reduce(|a, b| [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])])
        })
    }

    pub(super) fn draw_features(&self, ui: &Ui, viewport: &Viewport) {
        let p = theme::palette(ui.visuals());
        let painter = ui.painter();
        for (number, overlay) in self.overlays.iter().enumerate() {
            // after the tracks' colours
            let own = theme::data::series(self.tracks.len() + number);
            for drawn in &overlay.drawn {
                drawn.draw(painter, viewport, drawn.color.unwrap_or(own), p);
            }
        }
    }

    /// Over the tracks.
    pub(super) fn draw_feature_names(&self, ui: &Ui, viewport: &Viewport) {
        let p = theme::palette(ui.visuals());
        let all = self.overlays.iter().flat_map(|o| &o.drawn);
        all.for_each(|drawn| drawn.draw_name(ui.painter(), viewport, p));
    }
}

impl Drawn {
    fn new(feature: &Feature) -> Drawn {
        let (rings, is_area, is_places): (Vec<&[[f64; 2]]>, bool, bool) = match &feature.shape {
            FeatureShape::Places(places) => (vec![places], false, true),
            FeatureShape::Line(line) => (vec![line], false, false),
            FeatureShape::Area(rings) => (rings.iter().map(Vec::as_slice).collect(), true, false),
        };
        let outlines: Vec<Vec<World>> = rings.iter().map(|ring| projected(ring)).collect();
        let mut triangles: Vec<u32> = Vec::new();
        if is_area {
            let mut holes: Vec<u32> = Vec::new();
            let mut count = 0;
            for outline in &outlines {
                if count > 0 {
                    holes.push(count);
                }
                count += outline.len() as u32;
            }
            earcut::Earcut::new().earcut(outlines.iter().flatten().copied(), &holes, &mut triangles);
        }
        let style = &feature.style;
        Drawn {
            name: feature.name.to_string(),
            color: style.color.as_deref().and_then(color_of_css),
            fill: style.fill.as_deref().and_then(color_of_css),
            opacity: style.opacity.unwrap_or(1.0).min(1.0),
            fill_opacity: style.fill_opacity.unwrap_or(0.18).min(1.0),
            width_points: style.width_pixels.unwrap_or(2.0).min(40.0),
            outlines,
            triangles,
            is_area,
            is_places,
        }
    }

    fn draw(&self, painter: &Painter, viewport: &Viewport, color: Color32, p: &theme::Palette) {
        let all = || self.outlines.iter().flatten();
        let Some((west, east)) = all().map(|w| (w[0], w[0])).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else {
            return;
        };
        let fill = self.fill.unwrap_or(color).gamma_multiply(self.fill_opacity);
        let color = color.gamma_multiply(self.opacity);
        let stroke = Stroke::new(self.width_points, color);
        for shift in viewport.shifts(west, east) {
            let screen = |w: &World| viewport.to_screen([w[0] + f64::from(shift), w[1]]);
            if self.is_area {
                let mut mesh = Mesh::default();
                all().for_each(|w| mesh.colored_vertex(screen(w), fill));
                mesh.indices.clone_from(&self.triangles);
                painter.add(Shape::mesh(mesh));
            }
            for outline in &self.outlines {
                let points: Vec<egui::Pos2> = outline.iter().map(screen).collect();
                if self.is_places {
                    for at in points {
                        painter.circle(at, 5.0, color, Stroke::new(2.0, p.base));
                    }
                } else if self.is_area {
                    painter.add(Shape::closed_line(points, stroke));
                } else {
                    // a dark edge, so that the line can be told from any ground
                    let edge = p.base.gamma_multiply(0.7 * self.opacity);
                    painter.add(Shape::line(points.clone(), Stroke::new(self.width_points + 2.0, edge)));
                    painter.add(Shape::line(points, stroke));
                }
            }
        }
    }

    fn draw_name(&self, painter: &Painter, viewport: &Viewport, p: &theme::Palette) {
        let Some(first) = self.outlines.iter().flatten().next().filter(|_| !self.name.is_empty()) else {
            return;
        };
        for shift in viewport.shifts(first[0], first[0]) {
            let at = viewport.to_screen([first[0] + f64::from(shift), first[1]]);
            if viewport.rect.contains(at) {
                world::halo_text(painter, at + vec2(8.0, -8.0), Align2::LEFT_BOTTOM, &self.name, p);
            }
        }
    }
}

/// `#rgb`, `#rrggbb`, `#rrggbbaa` and the names that need no table to be known by.
fn color_of_css(text: &str) -> Option<Color32> {
    let hex = match text.trim().to_ascii_lowercase().as_str() {
        "black" => "#000000",
        "white" => "#ffffff",
        "gray" | "grey" => "#808080",
        "silver" => "#c0c0c0",
        "red" => "#ff0000",
        "maroon" => "#800000",
        "orange" => "#ffa500",
        "yellow" => "#ffff00",
        "olive" => "#808000",
        "lime" => "#00ff00",
        "green" => "#008000",
        "teal" => "#008080",
        "aqua" | "cyan" => "#00ffff",
        "blue" => "#0000ff",
        "navy" => "#000080",
        "purple" => "#800080",
        "magenta" | "fuchsia" => "#ff00ff",
        "pink" => "#ffc0cb",
        "brown" => "#a52a2a",
        _ => text.trim(),
    };
    Color32::from_hex(hex).ok()
}

/// Longitudes go on across the antimeridian.
fn projected(places: &[[f64; 2]]) -> Vec<World> {
    let mut out: Vec<World> = Vec::with_capacity(places.len());
    for [longitude, latitude] in places {
        if let Some(mut world) = mercator::project(*latitude, *longitude) {
            if let Some(before) = out.last() {
                world[0] -= (world[0] - before[0]).round();
            }
            out.push(world);
        }
    }
    out
}

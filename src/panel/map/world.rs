//! The map that needs no network: land, borders and cities of Natural Earth.
//!
//! Invariant: a frame draws no more places than can be told apart at its zoom; a line or an area out of view costs one comparison.

mod land;

use egui::{Align2, Color32, Mesh, Painter, Pos2, Rect, Shape, Vec2, vec2};

use super::mercator::{Viewport, World};
use super::ribbon::{Line as Way, ribbon};
use crate::theme::{self, Palette};
use land::{Area, Bounds, Label, Line};

pub use land::{prepare, wait};

pub const ATTRIBUTION: &str = "Natural Earth";

/// In points: no name is narrower, letter by letter.
const NARROWEST_LETTER: f32 = 3.0;

/// Land, borders, names. False: they are still being read.
pub fn draw(painter: &Painter, view: &Viewport, p: &Palette) -> bool {
    let Some((map, detail)) = land::basemap().and_then(|map| Some((map, map.detail(view.zoom)?))) else {
        return false;
    };
    let [_, north, _, south] = view.bounds();
    let is_seen = |b: &Bounds| b[1] <= south && b[3] >= north;
    let mut land = Mesh::default();
    for area in detail.areas.iter().filter(|a| is_seen(&a.bounds)) {
        for shift in view.shifts(area.bounds[0], area.bounds[2]) {
            fill(&mut land, area, view, f64::from(shift), land_color(p));
        }
    }
    painter.add(Shape::mesh(land));
    let mut ways: Vec<Way> = Vec::new();
    for line in detail.lines.iter().filter(|l| is_seen(&l.bounds)) {
        let color = p.faint.gamma_multiply(if line.is_border { 0.45 } else { 0.8 });
        for shift in view.shifts(line.bounds[0], line.bounds[2]) {
            ways_of(line, view, f64::from(shift), color, &mut ways);
        }
    }
    painter.add(ribbon(ways.iter(), 1.0, None));
    names(painter, &map.labels, view, p);
    true
}

pub fn land_color(p: &Palette) -> Color32 {
    p.overlay
}

pub fn water_color(p: &Palette) -> Color32 {
    p.base
}

fn fill(mesh: &mut Mesh, area: &Area, view: &Viewport, shift: f64, color: Color32) {
    let first = mesh.vertices.len() as u32;
    for [x, y] in &area.points {
        mesh.colored_vertex(view.to_screen([x + shift, *y]), color);
    }
    mesh.indices.extend(area.triangles.iter().map(|i| i + first));
}

/// As much of a line as is in view.
fn ways_of(line: &Line, view: &Viewport, shift: f64, color: Color32, out: &mut Vec<Way>) {
    let seen = view.rect.expand(view.rect.width().max(view.rect.height()));
    let mut way: Way = Vec::new();
    let mut flush = |way: &mut Way| {
        if way.len() > 1 {
            out.push(std::mem::take(way));
        }
        way.clear();
    };
    let mut before: Option<World> = None;
    for (at, point) in line.points.iter().enumerate() {
        let on = view.to_screen([point[0] + shift, point[1]]);
        // where areas are cut at the antimeridian there is no coast
        if before.is_some_and(|b| land::is_cut(&b) && land::is_cut(point)) {
            flush(&mut way);
        }
        before = Some(*point);
        let is_last = at + 1 == line.points.len();
        if !is_last && way.last().is_some_and(|last| last.0.distance_sq(on) < 1.5) {
            continue;
        }
        let is_far = !seen.contains(on);
        way.push((on, color));
        if is_far && way.len() > 2 && way.iter().rev().take(3).all(|place| !seen.contains(place.0)) {
            let last = way.split_off(way.len() - 1);
            flush(&mut way);
            way = last;
        }
    }
    flush(&mut way);
}

/// Cities first; a name that would cover another is left out.
fn names(painter: &Painter, labels: &[Label], view: &Viewport, p: &Palette) {
    let mut taken: Vec<Rect> = Vec::new();
    for label in labels.iter().filter(|l| view.zoom >= l.min_zoom && view.zoom <= l.max_zoom) {
        for shift in view.shifts(label.at[0], label.at[0]) {
            let at = view.to_screen([label.at[0] + f64::from(shift), label.at[1]]);
            if !view.rect.contains(at) {
                continue;
            }
            let (font, color) = match label.is_city {
                true => (theme::small(), p.weak),
                false => (theme::semibold(11.0), p.faint),
            };
            let offset = |size: Vec2| match label.is_city {
                true => vec2(6.0, -size.y / 2.0),
                false => -size / 2.0,
            };
            let covers = |size: Vec2| {
                let place = Rect::from_min_size(at + offset(size), size).expand(3.0);
                (place, taken.iter().any(|t| t.intersects(place)))
            };
            // most would: to lay out their letters only to leave them out took a frame's time
            let least = vec2(label.name.chars().count() as f32 * NARROWEST_LETTER, NARROWEST_LETTER);
            if covers(least).1 {
                continue;
            }
            let galley = painter.layout_no_wrap(label.name.clone(), font, color);
            let (place, covers_another) = covers(galley.size());
            if covers_another {
                continue;
            }
            let offset = offset(galley.size());
            taken.push(place);
            if label.is_city {
                painter.circle_filled(at, 2.0, p.weak);
            }
            painter.galley(at + offset, galley, color);
        }
    }
}

/// A place for a text with a halo, for what stands on any background.
pub fn halo_text(painter: &Painter, at: Pos2, align: Align2, text: &str, p: &Palette) {
    let galley = painter.layout_no_wrap(text.to_owned(), theme::small(), p.text);
    let rect = align.anchor_size(at, galley.size()).expand2(vec2(4.0, 1.0));
    painter.rect_filled(rect, 3.0, p.base.gamma_multiply(0.75));
    painter.galley(rect.min + vec2(4.0, 1.0), galley, p.text);
}

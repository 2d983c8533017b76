//! The map that needs no network: land, borders and cities of Natural Earth, from `assets`.
//!
//! Invariant: read once, when a map is first drawn; a line or an area out of view costs one comparison.

use std::collections::HashMap;
use std::sync::OnceLock;

use egui::{Align2, Color32, Mesh, Painter, Pos2, Rect, Shape, Stroke, vec2};
use serde::Deserialize;

use super::mercator::{self, Viewport, World};
use crate::theme::{self, Palette};

static COUNTRIES: &[u8] = include_bytes!("../../../assets/natural_earth/countries-50m.topojson");
static CITIES: &str = include_str!("../../../assets/natural_earth/cities.csv");

pub const ATTRIBUTION: &str = "Natural Earth";

struct Basemap {
    areas: Vec<Area>,
    lines: Vec<Line>,
    labels: Vec<Label>,
}

/// West, north, east, south.
type Bounds = [f64; 4];

struct Area {
    bounds: Bounds,
    points: Vec<World>,
    triangles: Vec<u32>,
}

struct Line {
    bounds: Bounds,
    points: Vec<World>,
    is_border: bool,
}

struct Label {
    at: World,
    name: String,
    /// From this zoom on.
    min_zoom: f64,
    max_zoom: f64,
    is_city: bool,
}

/// <https://github.com/topojson/topojson-specification>, as far as the asset uses it.
#[derive(Deserialize)]
struct Topology {
    transform: Transform,
    arcs: Vec<Vec<[f64; 2]>>,
    objects: HashMap<String, Collection>,
}

#[derive(Deserialize)]
struct Transform {
    scale: [f64; 2],
    translate: [f64; 2],
}

#[derive(Deserialize)]
struct Collection {
    #[serde(default)]
    geometries: Vec<Geometry>,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Geometry {
    Polygon {
        arcs: Vec<Vec<i64>>,
        #[serde(default)]
        properties: Properties,
    },
    MultiPolygon {
        arcs: Vec<Vec<Vec<i64>>>,
        #[serde(default)]
        properties: Properties,
    },
    #[serde(other)]
    Other,
}

#[derive(Default, Deserialize)]
struct Properties {
    #[serde(default)]
    name: String,
}

fn basemap() -> &'static Basemap {
    static BASEMAP: OnceLock<Basemap> = OnceLock::new();
    BASEMAP.get_or_init(|| {
        read().unwrap_or_else(|| Basemap {
            areas: Vec::new(),
            lines: Vec::new(),
            labels: Vec::new(),
        })
    })
}

fn read() -> Option<Basemap> {
    let topology: Topology = serde_json::from_slice(COUNTRIES).ok()?;
    let Transform { scale, translate } = topology.transform;
    let arcs: Vec<Vec<World>> = topology
        .arcs
        .iter()
        .map(|arc| {
            let mut sum = [0.0, 0.0];
            arc.iter()
                .filter_map(|delta| {
                    sum = [sum[0] + delta[0], sum[1] + delta[1]];
                    mercator::project(sum[1] * scale[1] + translate[1], sum[0] * scale[0] + translate[0])
                })
                .collect()
        })
        .collect();
    let mut uses = vec![0_u32; arcs.len()];
    let mut map = Basemap {
        areas: Vec::new(),
        lines: Vec::new(),
        labels: cities(),
    };
    for geometry in &topology.objects.get("countries")?.geometries {
        let (polygons, name) = match geometry {
            Geometry::Polygon { arcs, properties } => (vec![arcs.clone()], &properties.name),
            Geometry::MultiPolygon { arcs, properties } => (arcs.clone(), &properties.name),
            Geometry::Other => continue,
        };
        let mut largest: Option<(f64, Bounds)> = None;
        for rings in &polygons {
            for arc in rings.iter().flatten() {
                if let Some(count) = uses.get_mut(arc_index(*arc)) {
                    *count += 1;
                }
            }
            let area = area_of(rings, &arcs);
            let [west, north, east, south] = area.bounds;
            let size = (east - west) * (south - north);
            if largest.is_none_or(|l| size > l.0) {
                largest = Some((size, area.bounds));
            }
            map.areas.push(area);
        }
        if let Some((size, [west, north, east, south])) = largest {
            // large countries are named first
            let min_zoom = (-1.0 - size.max(1e-9).log2() / 2.0).clamp(1.5, 5.0);
            map.labels.push(Label {
                at: [(west + east) / 2.0, (north + south) / 2.0],
                name: name.clone(),
                min_zoom,
                max_zoom: min_zoom + 4.0,
                is_city: false,
            });
        }
    }
    map.lines = arcs
        .into_iter()
        .zip(uses)
        .filter(|(points, _)| points.len() > 1)
        .map(|(points, uses)| Line {
            bounds: bounds_of(&points),
            points,
            is_border: uses > 1,
        })
        .collect();
    Some(map)
}

/// `~3` is arc 3 backwards.
fn arc_index(arc: i64) -> usize {
    usize::try_from(if arc < 0 { !arc } else { arc }).unwrap_or(usize::MAX)
}

fn area_of(rings: &[Vec<i64>], arcs: &[Vec<World>]) -> Area {
    let mut points: Vec<World> = Vec::new();
    let mut holes: Vec<u32> = Vec::new();
    for (number, ring) in rings.iter().enumerate() {
        if number > 0 {
            holes.push(points.len() as u32);
        }
        for arc in ring {
            let of = arcs.get(arc_index(*arc)).map(Vec::as_slice).unwrap_or_default();
            // the last point is the next arc's first
            let kept = of.len().saturating_sub(1);
            if *arc < 0 {
                points.extend(of.iter().rev().take(kept));
            } else {
                points.extend(of.iter().take(kept));
            }
        }
    }
    let mut triangles: Vec<u32> = Vec::new();
    earcut::Earcut::new().earcut(points.iter().copied(), &holes, &mut triangles);
    Area {
        bounds: bounds_of(&points),
        points,
        triangles,
    }
}

fn bounds_of(points: &[World]) -> Bounds {
    points.iter().fold(
        [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY],
        |[w, n, e, s], [x, y]| [w.min(*x), n.min(*y), e.max(*x), s.max(*y)],
    )
}

fn cities() -> Vec<Label> {
    let city = |line: &str| {
        let mut parts = line.rsplitn(3, ',');
        let (longitude, latitude) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some(Label {
            at: mercator::project(latitude, longitude)?,
            name: parts.next()?.to_owned(),
            min_zoom: 3.2,
            max_zoom: 12.0,
            is_city: true,
        })
    };
    CITIES.lines().skip(1).filter_map(city).collect()
}

/// Land, borders, names.
pub fn draw(painter: &Painter, view: &Viewport, p: &Palette) {
    let map = basemap();
    let [_, north, _, south] = view.bounds();
    let is_seen = |b: &Bounds| b[1] <= south && b[3] >= north;
    let mut land = Mesh::default();
    for area in map.areas.iter().filter(|a| is_seen(&a.bounds)) {
        for shift in view.shifts(area.bounds[0], area.bounds[2]) {
            fill(&mut land, area, view, f64::from(shift), land_color(p));
        }
    }
    painter.add(Shape::mesh(land));
    for line in map.lines.iter().filter(|l| is_seen(&l.bounds)) {
        for shift in view.shifts(line.bounds[0], line.bounds[2]) {
            let color = if line.is_border {
                p.faint.gamma_multiply(0.45)
            } else {
                p.faint.gamma_multiply(0.8)
            };
            stroke(painter, line, view, f64::from(shift), Stroke::new(1.0, color));
        }
    }
    names(painter, map, view, p);
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

fn stroke(painter: &Painter, line: &Line, view: &Viewport, shift: f64, stroke: Stroke) {
    let seen = view.rect.expand(view.rect.width().max(view.rect.height()));
    let mut run: Vec<Pos2> = Vec::new();
    let flush = |run: &mut Vec<Pos2>| {
        if run.len() > 1 {
            painter.add(Shape::line(std::mem::take(run), stroke));
        }
        run.clear();
    };
    let mut before: Option<World> = None;
    for (at, point) in line.points.iter().enumerate() {
        let on = view.to_screen([point[0] + shift, point[1]]);
        // where areas are cut at the antimeridian there is no coast
        let is_cut = |x: f64| !(1e-9..=1.0 - 1e-9).contains(&x);
        if before.is_some_and(|b| is_cut(b[0]) && is_cut(point[0])) {
            flush(&mut run);
        }
        before = Some(*point);
        let is_last = at + 1 == line.points.len();
        if !is_last && run.last().is_some_and(|last| last.distance_sq(on) < 1.5) {
            continue;
        }
        let is_far = !seen.contains(on);
        run.push(on);
        if is_far && run.len() > 2 && run.iter().rev().take(3).all(|p| !seen.contains(*p)) {
            let last = run.split_off(run.len() - 1);
            flush(&mut run);
            run = last;
        }
    }
    flush(&mut run);
}

/// Cities first; a name that would cover another is left out.
fn names(painter: &Painter, map: &Basemap, view: &Viewport, p: &Palette) {
    let mut taken: Vec<Rect> = Vec::new();
    let mut labels: Vec<&Label> = map
        .labels
        .iter()
        .filter(|l| view.zoom >= l.min_zoom && view.zoom <= l.max_zoom)
        .collect();
    labels.sort_by(|a, b| a.min_zoom.total_cmp(&b.min_zoom));
    for label in labels {
        for shift in view.shifts(label.at[0], label.at[0]) {
            let at = view.to_screen([label.at[0] + f64::from(shift), label.at[1]]);
            if !view.rect.contains(at) {
                continue;
            }
            let (font, color) = match label.is_city {
                true => (theme::small(), p.weak),
                false => (theme::semibold(11.0), p.faint),
            };
            let galley = painter.layout_no_wrap(label.name.clone(), font, color);
            let offset = if label.is_city {
                vec2(6.0, -galley.size().y / 2.0)
            } else {
                -galley.size() / 2.0
            };
            let place = Rect::from_min_size(at + offset, galley.size()).expand(3.0);
            if taken.iter().any(|t| t.intersects(place)) {
                continue;
            }
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

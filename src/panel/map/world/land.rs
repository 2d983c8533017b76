//! Natural Earth's land, borders and cities, from `assets`, in several details.
//!
//! Invariants: read once, beside the window's thread; areas that meet share their border in every detail.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Deserialize;

use crate::panel::map::mercator::{self, World};

static COUNTRIES: &[u8] = include_bytes!("../../../../assets/natural_earth/countries-50m.topojson");
static CITIES: &str = include_str!("../../../../assets/natural_earth/cities.csv");

/// A detail is drawn up to its zoom; the last one is as the asset has it.
const ZOOMS: [f64; 7] = [2.0, 2.5, 3.0, 3.5, 4.0, 5.0, f64::INFINITY];
/// A simpler line is at most so far from the asset's, at its detail's zoom.
const TOLERANCE_POINTS: f64 = 0.6;
/// Coasts and borders that are smaller at their detail's zoom are left out.
const LEAST_POINTS: f64 = 0.8;

#[derive(Default)]
pub struct Basemap {
    arcs: Vec<Vec<World>>,
    countries: Vec<Country>,
    /// From coarse to fine.
    details: [OnceLock<Detail>; ZOOMS.len()],
    /// Those that are seen from the farthest first.
    pub labels: Vec<Label>,
}

pub struct Detail {
    pub areas: Vec<Area>,
    pub lines: Vec<Line>,
}

/// West, north, east, south.
pub type Bounds = [f64; 4];

pub struct Area {
    pub bounds: Bounds,
    pub points: Vec<World>,
    pub triangles: Vec<u32>,
}

pub struct Line {
    pub bounds: Bounds,
    pub points: Vec<World>,
    pub is_border: bool,
}

pub struct Label {
    pub at: World,
    pub name: String,
    /// From this zoom on.
    pub min_zoom: f64,
    pub max_zoom: f64,
    pub is_city: bool,
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
        arcs: Rings,
        #[serde(default)]
        properties: Properties,
    },
    MultiPolygon {
        arcs: Vec<Rings>,
        #[serde(default)]
        properties: Properties,
    },
    #[serde(other)]
    Other,
}

/// Each of numbers of arcs.
type Rings = Vec<Vec<i64>>;

#[derive(Default, Deserialize)]
struct Properties {
    #[serde(default)]
    name: String,
}

/// A country.
struct Country {
    name: String,
    polygons: Vec<Rings>,
}

static BASEMAP: OnceLock<Basemap> = OnceLock::new();
static IS_ASKED: AtomicBool = AtomicBool::new(false);

/// Begins to read it, so that it is there when a map is drawn.
pub fn prepare() {
    if !IS_ASKED.swap(true, Ordering::Relaxed) {
        rayon::spawn(read_all);
    }
}

/// Until it is there, if a map began to read it: for pictures without a window.
pub fn wait() {
    if IS_ASKED.load(Ordering::Relaxed) {
        read_all();
    }
}

fn read_all() {
    let map = BASEMAP.get_or_init(|| read().unwrap_or_default());
    for (made, zoom) in map.details.iter().zip(ZOOMS) {
        made.get_or_init(|| map.make(zoom));
    }
}

/// None until it is read.
pub fn basemap() -> Option<&'static Basemap> {
    BASEMAP.get()
}

impl Basemap {
    /// None until it is made.
    pub fn detail(&self, zoom: f64) -> Option<&Detail> {
        self.details.get(ZOOMS.partition_point(|max_zoom| *max_zoom < zoom))?.get()
    }

    fn make(&self, max_zoom: f64) -> Detail {
        if !max_zoom.is_finite() {
            return detail(max_zoom, &self.arcs, &self.countries);
        }
        let tolerance = TOLERANCE_POINTS / mercator::scale_of(max_zoom);
        let arcs: Vec<Vec<World>> = self.arcs.iter().map(|arc| simplified(arc, tolerance)).collect();
        detail(max_zoom, &arcs, &self.countries)
    }
}

fn read() -> Option<Basemap> {
    let topology: Topology = serde_json::from_slice(COUNTRIES).ok()?;
    let Transform { scale, translate } = topology.transform;
    let arc_of = |deltas: &Vec<[f64; 2]>| -> Vec<World> {
        let mut sum = [0.0, 0.0];
        let places = deltas.iter().filter_map(|delta| {
            sum = [sum[0] + delta[0], sum[1] + delta[1]];
            mercator::project(sum[1] * scale[1] + translate[1], sum[0] * scale[0] + translate[0])
        });
        unrolled(places)
    };
    let arcs: Vec<Vec<World>> = topology.arcs.iter().map(arc_of).collect();
    let country_of = |geometry: &Geometry| match geometry {
        Geometry::Polygon { arcs, properties } => Some(Country {
            name: properties.name.clone(),
            polygons: vec![arcs.clone()],
        }),
        Geometry::MultiPolygon { arcs, properties } => Some(Country {
            name: properties.name.clone(),
            polygons: arcs.clone(),
        }),
        Geometry::Other => None,
    };
    let countries: Vec<Country> = topology
        .objects
        .get("countries")?
        .geometries
        .iter()
        .filter_map(country_of)
        .collect();
    let mut labels = cities();
    labels.extend(countries.iter().filter_map(|country| name_of(country, &arcs)));
    labels.sort_by(|a, b| a.min_zoom.total_cmp(&b.min_zoom));
    Some(Basemap {
        arcs,
        countries,
        details: Default::default(),
        labels,
    })
}

/// Goes on across the antimeridian.
fn unrolled(places: impl Iterator<Item = World>) -> Vec<World> {
    let mut out: Vec<World> = Vec::new();
    for [x, y] in places {
        let turns = out.last().map_or(0.0, |before| (before[0] - x).round());
        out.push([x + turns, y]);
    }
    out
}

fn detail(max_zoom: f64, arcs: &[Vec<World>], countries: &[Country]) -> Detail {
    let mut uses = vec![0_u32; arcs.len()];
    for arc in countries.iter().flat_map(|country| country.polygons.iter().flatten().flatten()) {
        if let Some(count) = uses.get_mut(arc_index(*arc)) {
            *count += 1;
        }
    }
    let areas = countries
        .iter()
        .flat_map(|country| &country.polygons)
        .flat_map(|rings| areas_of(rings, arcs));
    let lines = arcs.iter().zip(uses).map(|(points, uses)| Line {
        bounds: bounds_of(points),
        points: points.clone(),
        is_border: uses > 1,
    });
    let least = LEAST_POINTS / mercator::scale_of(max_zoom);
    let is_seen = |[west, north, east, south]: Bounds| east - west > least || south - north > least;
    Detail {
        areas: areas.filter(|area| !area.triangles.is_empty()).collect(),
        lines: lines.filter(|line| is_seen(line.bounds)).collect(),
    }
}

/// In the middle of its largest part.
fn name_of(country: &Country, arcs: &[Vec<World>]) -> Option<Label> {
    let bounds = country
        .polygons
        .iter()
        .flat_map(|rings| areas_of(rings, arcs))
        .map(|area| area.bounds);
    let size_of = |[west, north, east, south]: &Bounds| (east - west) * (south - north);
    let largest = bounds.max_by(|a, b| size_of(a).total_cmp(&size_of(b)))?;
    // large countries are named first
    let min_zoom = (-1.0 - size_of(&largest).max(1e-9).log2() / 2.0).clamp(1.5, 5.0);
    let [west, north, east, south] = largest;
    Some(Label {
        at: [(west + east) / 2.0, (north + south) / 2.0],
        name: country.name.clone(),
        min_zoom,
        max_zoom: min_zoom + 4.0,
        is_city: false,
    })
}

/// Fewer of a line's places: none that is left out is farther than `tolerance` from what is left, in parts of the world (Douglas and
/// Peucker, "Algorithms for the reduction of the number of points required to represent a digitized line or its caricature", 1973).
fn simplified(line: &[World], tolerance: f64) -> Vec<World> {
    let mut is_kept = vec![false; line.len()];
    let last = line.len().saturating_sub(1);
    let ends: Vec<usize> = (0..=last)
        .filter(|at| *at == 0 || *at == last || line.get(*at).is_some_and(is_cut))
        .collect();
    let mut spans: Vec<(usize, usize)> = ends.iter().copied().zip(ends.iter().copied().skip(1)).collect();
    while let Some((first, last)) = spans.pop() {
        for end in [first, last] {
            if let Some(kept) = is_kept.get_mut(end) {
                *kept = true;
            }
        }
        let (Some(&from), Some(&to)) = (line.get(first), line.get(last)) else {
            continue;
        };
        let inner = line.get(first + 1..last).unwrap_or_default();
        let distances = (first + 1..).zip(inner.iter().map(|place| square_to_segment(*place, from, to)));
        if let Some((at, square)) = distances.max_by(|a, b| a.1.total_cmp(&b.1))
            && square > tolerance * tolerance
        {
            spans.extend([(first, at), (at, last)]);
        }
    }
    line.iter()
        .zip(is_kept)
        .filter_map(|(place, is_kept)| is_kept.then_some(*place))
        .collect()
}

/// Whether areas are cut there: at the antimeridian.
pub fn is_cut([x, _]: &World) -> bool {
    (x - x.round()).abs() < 1e-9
}

fn square_to_segment([x, y]: World, from: World, to: World) -> f64 {
    let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
    let square = dx * dx + dy * dy;
    let along = ((x - from[0]) * dx + (y - from[1]) * dy) / square;
    // a ring begins where it ends
    let along = if square > 0.0 { along.clamp(0.0, 1.0) } else { 0.0 };
    (x - from[0] - along * dx).powi(2) + (y - from[1] - along * dy).powi(2)
}

/// `~3` is arc 3 backwards.
fn arc_index(arc: i64) -> usize {
    usize::try_from(if arc < 0 { !arc } else { arc }).unwrap_or(usize::MAX)
}

/// An area and its holes; a ring around the globe is an area of its own, that reaches to the pole.
fn areas_of(rings: &Rings, arcs: &[Vec<World>]) -> Vec<Area> {
    let rings = rings.iter().map(|ring| ring_of(ring, arcs));
    let (around, own): (Vec<_>, Vec<_>) = rings.partition(|ring| ring.is_around);
    let areas = around.into_iter().map(|ring| vec![ring.points]);
    let own: Vec<Vec<World>> = own.into_iter().map(|ring| ring.points).collect();
    areas.chain([own]).map(|rings| filled(&rings)).collect()
}

struct Ring {
    points: Vec<World>,
    is_around: bool,
}

fn ring_of(ring: &[i64], arcs: &[Vec<World>]) -> Ring {
    let mut points: Vec<World> = Vec::new();
    for arc in ring {
        let mut of = arcs.get(arc_index(*arc)).cloned().unwrap_or_default();
        if *arc < 0 {
            of.reverse();
        }
        // an arc goes on where the one before it ended
        let ends = points.last().zip(of.first());
        let turns = ends.map_or(0.0, |(before, start)| (before[0] - start[0]).round());
        let is_first = points.is_empty();
        let further = of.into_iter().skip(usize::from(!is_first));
        points.extend(further.map(|[x, y]| [x + turns, y]));
    }
    let ends = points.first().copied().zip(points.last().copied());
    let around = ends.filter(|(first, last)| (last[0] - first[0]).abs() > 0.5);
    match around {
        Some((first, last)) => {
            let pole = first[1].round();
            points.extend([[last[0], pole], [first[0], pole]]);
        }
        // a ring ends where it began
        None => drop(points.pop()),
    }
    Ring {
        points,
        is_around: around.is_some(),
    }
}

fn filled(rings: &[Vec<World>]) -> Area {
    let mut points: Vec<World> = Vec::new();
    let mut holes: Vec<u32> = Vec::new();
    for ring in rings {
        // a hole lies in its area
        let turns = points.first().zip(ring.first()).map_or(0.0, |(a, b)| (a[0] - b[0]).round());
        holes.extend(u32::try_from(points.len()).ok().filter(|first| *first > 0));
        points.extend(ring.iter().map(|[x, y]| [x + turns, *y]));
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

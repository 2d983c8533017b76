//! Tracks: positions on the globe of one topic, thinned for a zoom, and what is nearest to a place or a time.
//!
//! Invariants: a chunk's positions are projected once; a line never leads over a gap in what is loaded or over positions without a
//! fix; longitudes go on across the antimeridian.

use std::collections::HashMap;
use std::sync::Arc;

use super::mercator::{self, Viewport, World};
use crate::decode::{Fix, Rows};
use crate::store::{RowSet, TopicId};
use crate::time::Time;

/// Points that are left out are this near to one that is drawn.
const TOLERANCE_POINTS: f64 = 0.6;
/// No line is drawn over a time without positions that is so many mean periods long, and not shorter than this.
const GAP_PERIODS: i64 = 10;
const SHORTEST_GAP_NANOS: i64 = 2_000_000_000;

pub struct Track {
    pub topic: TopicId,
    /// With a fix, by receive time.
    pub points: Vec<Point>,
    /// West, north, east, south.
    pub bounds: Option<[f64; 4]>,
    /// With and without a fix.
    pub messages: usize,
    blocks: Vec<Projected>,
    thinned: Option<(i32, Vec<u32>)>,
    revision: u64,
}

#[derive(Clone, Copy, Debug)]
pub struct Point {
    pub world: World,
    pub time: Time,
    /// No line leads to it.
    pub starts: bool,
    block: u32,
    row: u32,
}

/// The positions of one chunk.
#[derive(Clone)]
struct Projected {
    key: u64,
    rows: Arc<Rows>,
    /// Row and place of those with a fix.
    places: Arc<Vec<(u32, World)>>,
}

/// A position of a track.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    pub time: Time,
    pub fix: Fix,
    pub world: World,
    /// Clockwise from north, as the message says or from the way before and after.
    pub heading_deg: Option<f64>,
    pub speed_metres_per_sec: Option<f64>,
}

impl Track {
    pub fn new(topic: TopicId) -> Track {
        Track {
            topic,
            points: Vec::new(),
            bounds: None,
            messages: 0,
            blocks: Vec::new(),
            thinned: None,
            revision: u64::MAX,
        }
    }

    /// Takes what is new. True: something is.
    pub fn take(&mut self, rows: &RowSet) -> bool {
        if self.revision == rows.revision() {
            return false;
        }
        self.revision = rows.revision();
        let mut known: HashMap<u64, Projected> = self.blocks.drain(..).map(|p| (p.key, p)).collect();
        self.blocks = rows
            .blocks()
            .map(|block| {
                known
                    .remove(&block.key)
                    .unwrap_or_else(|| Projected::new(block.key, block.rows.clone()))
            })
            .collect();
        self.join();
        true
    }

    /// One line of all chunks.
    fn join(&mut self) {
        self.thinned = None;
        self.messages = self.blocks.iter().map(|b| b.rows.len()).sum();
        let mut points: Vec<Point> = Vec::with_capacity(self.blocks.iter().map(|b| b.places.len()).sum());
        for (number, block) in self.blocks.iter().enumerate() {
            let times = block.rows.times();
            points.extend(block.places.iter().filter_map(|(row, world)| {
                Some(Point {
                    world: *world,
                    time: *times.get(*row as usize)?,
                    starts: false,
                    block: number as u32,
                    row: *row,
                })
            }));
        }
        // chunks that overlap in time
        if !points.is_sorted_by_key(|p| p.time) {
            points.sort_by_key(|p| p.time);
        }
        let whole = points.first().zip(points.last()).map_or(0, |(a, b)| b.time.since(a.time));
        let mean = whole / (points.len().max(2) as i64 - 1);
        let limit = mean.saturating_mul(GAP_PERIODS).max(SHORTEST_GAP_NANOS);
        let mut before: Option<Point> = None;
        let mut bounds: Option<[f64; 4]> = None;
        for point in &mut points {
            if let Some(before) = before {
                point.world[0] -= (point.world[0] - before.world[0]).round();
                let skips = point.block == before.block && point.row > before.row + 1;
                point.starts = skips || point.time.since(before.time) > limit;
            } else {
                point.starts = true;
            }
            before = Some(*point);
            let [x, y] = point.world;
            bounds = Some(bounds.map_or([x, y, x, y], |[w, n, e, s]| [w.min(x), n.min(y), e.max(x), s.max(y)]));
        }
        self.points = points;
        self.bounds = bounds;
    }

    pub fn fix(&self, point: &Point) -> Option<&Fix> {
        self.blocks.get(point.block as usize)?.rows.fixes().get(point.row as usize)
    }

    /// The newest position at or before `t`.
    pub fn at(&self, t: Time) -> Option<Found> {
        let end = self.points.partition_point(|p| p.time <= t);
        self.found(end.checked_sub(1)?)
    }

    fn found(&self, at: usize) -> Option<Found> {
        let point = self.points.get(at)?;
        let fix = *self.fix(point)?;
        let way = self.way(at);
        Some(Found {
            time: point.time,
            fix,
            world: point.world,
            heading_deg: fix.heading_deg.map(f64::from).or(way.map(|w| w.0)),
            speed_metres_per_sec: fix.speed_metres_per_sec.map(f64::from).or(way.map(|w| w.1)),
        })
    }

    /// The position nearest to a place on screen, and how many points away it is; none beyond `reach`.
    pub fn nearest(&self, view: &Viewport, to: egui::Pos2, reach: f32) -> Option<(f32, Found)> {
        let [west, _, east, _] = self.bounds?;
        let wanted = view.to_world(to);
        let limit = f64::from(reach) / view.scale();
        let mut best: Option<(f64, usize)> = None;
        for shift in view.shifts(west, east) {
            let [x, y] = [wanted[0] - f64::from(shift), wanted[1]];
            for (at, point) in self.points.iter().enumerate() {
                let (dx, dy) = (point.world[0] - x, point.world[1] - y);
                let distance = dx * dx + dy * dy;
                if distance <= limit * limit && best.is_none_or(|b| distance < b.0) {
                    best = Some((distance, at));
                }
            }
        }
        let (distance, at) = best?;
        Some(((distance.sqrt() * view.scale()) as f32, self.found(at)?))
    }

    /// Places in `points` that are enough at this zoom.
    pub fn thinned(&mut self, zoom: f64) -> &[u32] {
        let step = zoom.ceil() as i32;
        if self.thinned.as_ref().is_none_or(|t| t.0 != step) {
            self.thinned = Some((step, thin(&self.points, f64::from(step))));
        }
        self.thinned.as_ref().map_or(&[], |t| &t.1)
    }

    /// Heading in degrees and speed in m/s from the positions before (or after), some metres apart; none where it stands.
    pub fn way(&self, at: usize) -> Option<(f64, f64)> {
        const FAR_ENOUGH_METRES: f64 = 1.5;
        const LOOK: usize = 50;
        let here = self.points.get(at)?;
        let place = |p: &Point| self.fix(p).map(|f| (f.latitude_deg, f.longitude_deg));
        let apart = |a: &Point, b: &Point| mercator::distance_metres(place(a).unwrap_or_default(), place(b).unwrap_or_default());
        let before = self.points.get(at.saturating_sub(LOOK)..at).unwrap_or_default().iter().rev();
        let after = self.points.get(at + 1..).unwrap_or_default().iter().take(LOOK);
        let from = before.into_iter().find(|p| apart(p, here) > FAR_ENOUGH_METRES);
        let (from, to) = match from {
            Some(from) => (from, here),
            None => (here, after.into_iter().find(|p| apart(p, here) > FAR_ENOUGH_METRES)?),
        };
        let seconds = to.time.since(from.time) as f64 * 1e-9;
        let speed = if seconds > 0.0 { apart(from, to) / seconds } else { 0.0 };
        Some((mercator::bearing_deg(from.world, to.world), speed))
    }
}

impl Projected {
    fn new(key: u64, rows: Arc<Rows>) -> Projected {
        let places = rows.fixes().iter().enumerate().filter(|(_, fix)| has_fix(fix));
        let places = places.filter_map(|(row, fix)| Some((row as u32, mercator::project(fix.latitude_deg, fix.longitude_deg)?)));
        Projected {
            key,
            places: Arc::new(places.collect()),
            rows,
        }
    }
}

/// Whether it is a position at all.
fn has_fix(fix: &Fix) -> bool {
    fix.status.is_none_or(|status| status >= 0) && fix.latitude_deg.is_finite() && fix.longitude_deg.is_finite()
}

fn thin(points: &[Point], zoom: f64) -> Vec<u32> {
    let tolerance = TOLERANCE_POINTS / (256.0 * zoom.exp2());
    let mut kept: Vec<u32> = Vec::new();
    let mut last: Option<World> = None;
    for (at, point) in points.iter().enumerate() {
        let is_near = last.is_some_and(|l| (point.world[0] - l[0]).abs().max((point.world[1] - l[1]).abs()) < tolerance);
        let ends = points.get(at + 1).is_none_or(|next| next.starts);
        if !is_near || point.starts || ends {
            kept.push(at as u32);
            last = Some(point.world);
        }
    }
    kept
}

/// Bounds of several tracks together, on the shortest part of the globe that holds them.
pub fn bounds_of<'a>(tracks: impl Iterator<Item = &'a Track>) -> Option<[f64; 4]> {
    tracks.filter_map(|t| t.bounds).reduce(|a, b| {
        let turn = ((b[0] + b[2]) / 2.0 - (a[0] + a[2]) / 2.0).round();
        [a[0].min(b[0] - turn), a[1].min(b[1]), a[2].max(b[2] - turn), a[3].max(b[3])]
    })
}

//! A stretch of a track: positions of one chunk, or of several that overlap in time, in runs with their bounds.
//!
//! Invariant: a stretch never changes once it is made, so that a frame costs what is in view, not what is loaded.

use std::sync::Arc;

use super::level::Level;
use super::{Block, World, project};
use crate::decode::{Fix, Rows};
use crate::time::Time;

/// No line is drawn over a time without positions that is this long, and it may have to be longer.
pub const SHORTEST_GAP_NANOS: i64 = 2_000_000_000;
/// Positions of a run: few, since a run that the view touches is drawn whole.
pub const RUN: usize = 16;

/// A position with a fix.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// Goes on across the antimeridian within a stretch.
    pub world: World,
    pub time: Time,
    /// Messages without a fix lie before it.
    skips: bool,
    block: u16,
    row: u32,
}

/// West, north, east, south.
pub type Bounds = [f64; 4];

#[derive(Debug)]
pub struct Piece {
    rows: Vec<Arc<Rows>>,
    pub points: Vec<Point>,
    /// From all positions to few; never empty.
    levels: Vec<Level>,
    pub bounds: Bounds,
    /// Messages without a fix lie behind it.
    pub ends_lost: bool,
}

impl Point {
    /// Whether no line may lead from `before` to this one.
    pub fn is_break(&self, before: &Point) -> bool {
        self.skips || self.time.since(before.time) > SHORTEST_GAP_NANOS
    }
}

impl Piece {
    /// None where none of the positions has a fix.
    pub fn new(blocks: &[Block]) -> Option<Piece> {
        let mut points: Vec<Point> = Vec::new();
        let mut skips = false;
        for (number, block) in blocks.iter().enumerate() {
            let rows = &block.rows;
            for (row, (fix, time)) in rows.fixes().iter().zip(rows.times()).enumerate() {
                match has_fix(fix).then(|| project(fix.latitude_deg, fix.longitude_deg)).flatten() {
                    Some(world) => points.push(Point {
                        world,
                        time: *time,
                        skips: std::mem::take(&mut skips),
                        block: number as u16,
                        row: row as u32,
                    }),
                    None => skips = true,
                }
            }
        }
        if !points.is_sorted_by_key(|p| p.time) {
            points.sort_by_key(|p| p.time);
        }
        let mut before: Option<World> = None;
        for point in &mut points {
            if let Some(before) = before {
                point.world[0] -= (point.world[0] - before[0]).round();
            }
            before = Some(point.world);
        }
        let levels = Level::all(&points);
        let bounds = levels.first()?.runs.iter().copied().reduce(union)?;
        Some(Piece {
            rows: blocks.iter().map(|b| b.rows.clone()).collect(),
            points,
            levels,
            bounds,
            ends_lost: skips,
        })
    }

    pub fn bytes(&self) -> u64 {
        let levels: usize = self.levels.iter().map(Level::bytes).sum();
        (self.points.len() * size_of::<Point>() + levels) as u64
    }

    /// Whether messages without a fix lie before it.
    pub fn starts_lost(&self) -> bool {
        self.points.first().is_some_and(|first| first.skips)
    }

    pub fn fix(&self, at: usize) -> Option<&Fix> {
        let point = self.points.get(at)?;
        self.rows.get(usize::from(point.block))?.fixes().get(point.row as usize)
    }

    /// Whether a line leads to this position from the one before it in the stretch.
    pub fn is_joined(&self, at: usize, gap_nanos: i64) -> bool {
        match (at.checked_sub(1).and_then(|before| self.points.get(before)), self.points.get(at)) {
            (Some(before), Some(point)) => !point.skips && point.time.since(before.time) <= gap_nanos,
            _ => false,
        }
    }

    /// The one with the fewest positions whose line is nowhere farther than `tolerance` from the track, in parts of the world.
    pub fn level(&self, tolerance: f64) -> Option<&Level> {
        let fits = self.levels.partition_point(|level| level.tolerance <= tolerance);
        self.levels.get(fits.saturating_sub(1))
    }

    /// The position nearest to a place, nearer than the square root of `limit`: the square of how far, and which.
    pub fn nearest(&self, [x, y]: World, limit: f64) -> Option<(f64, usize)> {
        let mut best: Option<(f64, usize)> = None;
        let runs = self.levels.first().map_or(&[][..], |all| &all.runs);
        for (number, run) in runs.iter().enumerate() {
            if distance_to(*run, [x, y]) > best.map_or(limit, |b| b.0) {
                continue;
            }
            let first = number * RUN;
            let points = self.points.get(first..).unwrap_or_default().iter().take(RUN);
            for (at, point) in points.enumerate() {
                let distance = (point.world[0] - x).powi(2) + (point.world[1] - y).powi(2);
                if distance <= limit && best.is_none_or(|b| distance < b.0) {
                    best = Some((distance, first + at));
                }
            }
        }
        best
    }
}

/// Whether it is a position at all.
fn has_fix(fix: &Fix) -> bool {
    fix.status.is_none_or(|status| status >= 0) && fix.latitude_deg.is_finite() && fix.longitude_deg.is_finite()
}

pub fn union(a: Bounds, b: Bounds) -> Bounds {
    [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])]
}

pub fn overlaps(a: Bounds, b: Bounds) -> bool {
    a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3]
}

/// Whether all of `b` lies in `a`.
pub fn contains(a: Bounds, b: Bounds) -> bool {
    a[0] <= b[0] && a[1] <= b[1] && b[2] <= a[2] && b[3] <= a[3]
}

/// The square of how far a place is from the bounds.
pub fn distance_to([west, north, east, south]: Bounds, [x, y]: World) -> f64 {
    let dx = (west - x).max(x - east).max(0.0);
    let dy = (north - y).max(y - south).max(0.0);
    dx * dx + dy * dy
}

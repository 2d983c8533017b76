//! A stretch of a track with fewer and fewer positions, so that a frame costs no more than what can be told apart on the screen.
//!
//! Invariants: all positions beside a break of the line are kept; a level's line is nowhere farther from the track than its tolerance.
//! Positions are left out by the sector bound of Zhao and Saalfeld, "Linear-time sleeve-fitting polyline simplification algorithms"
//! (Auto-Carto 13, 1997): one pass, each of them seen once.

use super::World;
use super::piece::{Bounds, Point, RUN, union};

/// In parts of the world: about 4 cm, at the equator.
const FINEST: f64 = 1e-9;
const LEVELS: i32 = 24;
/// A step is at most so many tolerances long: what colours a line changes along a straight one, too.
const LONGEST_STEP: f64 = 24.0;
/// A level that leaves out less than this part of the one before it is not worth its memory.
const WORTH_IT: f64 = 0.3;

#[derive(Debug)]
pub struct Level {
    /// In parts of the world.
    pub tolerance: f64,
    /// Positions that are kept; none where all are.
    kept: Option<Box<[u32]>>,
    len: usize,
    /// The bounds of so many kept positions and of the way that leads to the first of them.
    pub runs: Vec<Bounds>,
}

impl Level {
    /// From all positions to few.
    pub fn all(points: &[Point]) -> Vec<Level> {
        let mut levels = vec![Level::new(0.0, None, points)];
        let mut kept: Vec<u32> = (0..points.len()).filter_map(|at| u32::try_from(at).ok()).collect();
        for number in 0..LEVELS {
            // what was left out before was left out of the track itself: half of the tolerance each time, so that the sum stays below it
            let tolerance = FINEST * 2.0_f64.powi(number);
            let fewer = thinned(points, &kept, tolerance / 2.0);
            if (fewer.len() as f64) < kept.len() as f64 * (1.0 - WORTH_IT) {
                levels.push(Level::new(tolerance, Some(fewer.as_slice().into()), points));
                kept = fewer;
            }
            if kept.len() <= 2 {
                break;
            }
        }
        levels
    }

    fn new(tolerance: f64, kept: Option<Box<[u32]>>, points: &[Point]) -> Level {
        let len = kept.as_ref().map_or(points.len(), |k| k.len());
        let mut level = Level {
            tolerance,
            kept,
            len,
            runs: Vec::new(),
        };
        let of_run = |run: usize| {
            let (first, end) = (run * RUN, ((run + 1) * RUN).min(len));
            let worlds = (first.saturating_sub(1)..end).filter_map(|i| Some(points.get(level.position(i)?)?.world));
            worlds.map(|[x, y]| [x, y, x, y]).reduce(union)
        };
        level.runs = (0..len.div_ceil(RUN)).filter_map(of_run).collect();
        level
    }

    pub fn bytes(&self) -> usize {
        self.runs.len() * size_of::<Bounds>() + self.kept.as_ref().map_or(0, |kept| kept.len() * size_of::<u32>())
    }

    /// Positions that are kept.
    pub fn count(&self) -> usize {
        self.len
    }

    /// Of all positions, the `index`-th that is kept.
    pub fn position(&self, index: usize) -> Option<usize> {
        match &self.kept {
            Some(kept) => kept.get(index).map(|at| *at as usize),
            None => (index < self.len).then_some(index),
        }
    }
}

/// Those of `kept` that a line within `tolerance` of them all needs.
fn thinned(points: &[Point], kept: &[u32], tolerance: f64) -> Vec<u32> {
    let mut out: Vec<u32> = Vec::new();
    let mut before: Option<(u32, &Point)> = None;
    let mut sector = Sector::default();
    for &at in kept {
        let Some(point) = points.get(at as usize) else { continue };
        // both sides of a break are kept, so that they stand beside each other
        let is_start = before.is_none_or(|(last, previous)| last + 1 == at && point.is_break(previous));
        match before {
            Some((last, previous)) if !is_start => {
                if !sector.take(point.world, tolerance) {
                    out.push(last);
                    sector = Sector::from(previous.world);
                    sector.take(point.world, tolerance);
                }
            }
            before => {
                out.extend(before.map(|b| b.0).filter(|last| out.last() != Some(last)));
                out.push(at);
                sector = Sector::from(point.world);
            }
        }
        before = Some((at, point));
    }
    out.extend(before.map(|b| b.0).filter(|last| out.last() != Some(last)));
    out
}

/// The directions in which a line from a position stays near to all that was seen since.
#[derive(Default)]
struct Sector {
    from: World,
    /// Unit vectors of its sides, less than half a turn apart; none before anything was far enough away to have a direction.
    sides: Option<[World; 2]>,
    farthest: f64,
}

impl Sector {
    fn from(from: World) -> Sector {
        Sector { from, ..Sector::default() }
    }

    /// False: a line to this position would be too far from one before it.
    fn take(&mut self, [x, y]: World, tolerance: f64) -> bool {
        let (dx, dy) = (x - self.from[0], y - self.from[1]);
        let distance = (dx * dx + dy * dy).sqrt();
        if distance <= tolerance {
            return self.farthest <= tolerance * 2.0;
        }
        // a way back is no part of the line forth
        if distance > tolerance * 2.0 * LONGEST_STEP || distance < self.farthest - tolerance {
            return false;
        }
        self.farthest = self.farthest.max(distance);
        // the tangents at the circle of the tolerance around the position
        let direction = [dx / distance, dy / distance];
        let sine = tolerance / distance;
        let cosine = (1.0 - sine * sine).sqrt();
        let turned = |sine: f64| {
            let [x, y] = direction;
            [x * cosine - y * sine, x * sine + y * cosine]
        };
        let [right, left] = [turned(-sine), turned(sine)];
        let Some([low, high]) = &mut self.sides else {
            self.sides = Some([right, left]);
            return true;
        };
        if cross(*low, direction) < 0.0 || cross(direction, *high) < 0.0 {
            return false;
        }
        if cross(*low, right) > 0.0 {
            *low = right;
        }
        if cross(left, *high) > 0.0 {
            *high = left;
        }
        true
    }
}

/// Positive: `b` lies less than half a turn counterclockwise of `a`.
fn cross([ax, ay]: World, [bx, by]: World) -> f64 {
    ax * by - ay * bx
}

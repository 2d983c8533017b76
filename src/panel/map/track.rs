//! Tracks: positions on the globe of one topic, as many as a view needs, and what is nearest to a place or a time.
//!
//! Invariants: a line never leads over a gap in what is loaded or over positions without a fix; longitudes go on across the antimeridian; a frame costs what is in view, whatever is loaded.

use std::sync::Arc;

use super::mercator::{self, Viewport, World};
use crate::decode::Fix;
use crate::store::{Bounds, Level, Piece, Pieces, Point, RUN, SHORTEST_GAP_NANOS, TopicId, contains, distance_to, overlaps, union};
use crate::time::{Span, Time};

/// Points that are left out are this near to one that is drawn, or to the line.
const TOLERANCE_POINTS: f64 = 0.6;
/// Where more would be drawn, less far apart than can be told, the tolerance grows.
const MOST_DRAWN: usize = 2_000;
/// No line is drawn over a time without positions that is so many mean periods long.
const GAP_PERIODS: i64 = 10;

pub struct Track {
    pub topic: TopicId,
    /// Added to its own times: tracks of several recordings are compared as if they were driven together.
    pub offset_nanos: i64,
    /// West, north, east, south.
    pub bounds: Option<Bounds>,
    /// With and without a fix, and with one.
    pub messages: usize,
    pub fixes: usize,
    /// By time, never overlapping.
    stretches: Vec<Stretch>,
    gap_nanos: i64,
    /// What the stretches were made of.
    taken: Arc<Pieces>,
}

/// A piece where the track has led to.
struct Stretch {
    span: Span,
    piece: Arc<Piece>,
    /// Positions without a fix lie before it.
    is_after_loss: bool,
    /// Whole turns around the globe.
    turns: f64,
}

/// A position by its stretch and its place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At(usize, usize);

/// A position to be drawn.
pub struct Shown {
    pub world: World,
    pub time: Time,
    /// No line leads to it.
    pub starts: bool,
    pub at: At,
}

/// A position of a track.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    pub time: Time,
    /// The playhead that shows it.
    pub playhead: Time,
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
            offset_nanos: 0,
            bounds: None,
            messages: 0,
            fixes: 0,
            stretches: Vec::new(),
            gap_nanos: SHORTEST_GAP_NANOS,
            taken: Arc::default(),
        }
    }

    /// Takes what is new. True: something is.
    pub fn take(&mut self, pieces: &Arc<Pieces>) -> bool {
        if Arc::ptr_eq(&self.taken, pieces) {
            return false;
        }
        self.stretches.clear();
        let mut is_lost = false;
        for part in &pieces.parts {
            let Some(piece) = &part.piece else {
                is_lost = true;
                continue;
            };
            let is_after_loss = std::mem::replace(&mut is_lost, piece.ends_lost) || piece.starts_lost();
            self.stretches.push(Stretch {
                span: part.span,
                piece: piece.clone(),
                is_after_loss,
                turns: 0.0,
            });
        }
        self.messages = pieces.messages;
        self.taken = pieces.clone();
        self.join();
        true
    }

    /// Where each stretch lies after those before it.
    fn join(&mut self) {
        self.fixes = self.stretches.iter().map(|s| s.piece.points.len()).sum();
        let first = self.stretches.first().map(|s| s.span.start);
        let last = self.stretches.last().map(|s| s.span.end);
        let whole = first.zip(last).map_or(0, |(a, b)| b.since(a));
        let mean = whole / (self.fixes.max(2) as i64 - 1);
        self.gap_nanos = mean.saturating_mul(GAP_PERIODS).max(SHORTEST_GAP_NANOS);
        let mut before: Option<f64> = None;
        self.bounds = None;
        for stretch in &mut self.stretches {
            let x = |at: Option<&Point>| at.map_or(0.0, |p| p.world[0]);
            let starts_at = x(stretch.piece.points.first());
            stretch.turns = before.map_or(0.0, |before| (before - starts_at).round());
            before = Some(x(stretch.piece.points.last()) + stretch.turns);
            let own = turned(stretch.piece.bounds, stretch.turns);
            self.bounds = Some(self.bounds.map_or(own, |b| union(b, own)));
        }
    }

    pub fn fix(&self, At(stretch, at): At) -> Option<&Fix> {
        self.stretches.get(stretch)?.piece.fix(at)
    }

    /// In m/s: as the message says, or from the way.
    pub fn speed(&self, at: At) -> Option<f64> {
        let said = self.fix(at)?.speed_metres_per_sec;
        Some(said.map_or_else(|| self.way(at).map_or(0.0, |way| way.1), f64::from))
    }

    /// Heading in degrees and speed in m/s from the positions before (or after), some metres apart and not long before; none where it
    /// stands.
    fn way(&self, At(stretch, at): At) -> Option<(f64, f64)> {
        const FAR_ENOUGH_METRES: f64 = 1.5;
        const LOOK: usize = 50;
        const LONGEST_NANOS: i64 = 10_000_000_000;
        let placed = |of: &Stretch, p: &Point| ([p.world[0] + of.turns, p.world[1]], p.time);
        let of = self.stretches.get(stretch)?;
        let here = placed(of, of.piece.points.get(at)?);
        let metres = mercator::metres_per_world(here.0[1]);
        let square = |a: World, b: World| (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2);
        let far = (FAR_ENOUGH_METRES / metres).powi(2);
        let is_near = |p: &(World, Time)| p.1.since(here.1).saturating_abs() <= LONGEST_NANOS;
        // a chunk of a recording may hold no more than one position
        let earlier = self.stretches.get(..=stretch)?.iter().rev().enumerate().flat_map(|(back, of)| {
            let end = if back == 0 { at } else { of.piece.points.len() };
            let points = of.piece.points.get(..end).unwrap_or_default();
            points.iter().rev().map(move |p| placed(of, p))
        });
        let later = self.stretches.get(stretch..)?.iter().enumerate().flat_map(|(on, of)| {
            let start = if on == 0 { at + 1 } else { 0 };
            let points = of.piece.points.get(start..).unwrap_or_default();
            points.iter().map(move |p| placed(of, p))
        });
        let is_far = |p: &(World, Time)| square(p.0, here.0) > far;
        let (from, to) = match earlier.take(LOOK).take_while(is_near).find(is_far) {
            Some(from) => (from, here),
            None => (here, later.take(LOOK).take_while(is_near).find(is_far)?),
        };
        let seconds = to.1.since(from.1) as f64 * 1e-9;
        let speed = if seconds > 0.0 {
            square(from.0, to.0).sqrt() * metres / seconds
        } else {
            0.0
        };
        Some((mercator::bearing_deg(from.0, to.0), speed))
    }

    /// Its first position, on its own clock.
    pub fn start(&self) -> Option<Time> {
        Some(self.stretches.first()?.piece.points.first()?.time)
    }

    /// The playhead on its own clock.
    pub fn own_time(&self, playhead: Time) -> Time {
        playhead.plus_nanos(-self.offset_nanos)
    }

    /// The newest position at or before the playhead `t`.
    pub fn at(&self, t: Time) -> Option<Found> {
        let t = self.own_time(t);
        let started = self.stretches.partition_point(|s| s.span.start <= t).checked_sub(1)?;
        let until = |stretch: usize| {
            self.stretches
                .get(stretch)
                .map_or(0, |s| s.piece.points.partition_point(|p| p.time <= t))
        };
        // the first position of a stretch may have no fix
        let (stretch, end) = match until(started) {
            0 => (started.checked_sub(1)?, until(started - 1)),
            end => (started, end),
        };
        self.found(At(stretch, end.checked_sub(1)?))
    }

    fn found(&self, At(stretch, at): At) -> Option<Found> {
        let of = self.stretches.get(stretch)?;
        let point = of.piece.points.get(at)?;
        let fix = *of.piece.fix(at)?;
        let way = self.way(At(stretch, at));
        Some(Found {
            time: point.time,
            playhead: point.time.plus_nanos(self.offset_nanos),
            fix,
            world: [point.world[0] + of.turns, point.world[1]],
            heading_deg: fix.heading_deg.map(f64::from).or(way.map(|w| w.0)),
            speed_metres_per_sec: fix.speed_metres_per_sec.map(f64::from).or(way.map(|w| w.1)),
        })
    }

    /// The position nearest to a place on screen, and how many points away it is; none beyond `reach`.
    pub fn nearest(&self, view: &Viewport, to: egui::Pos2, reach: f32) -> Option<(f32, Found)> {
        let [west, _, east, _] = self.bounds?;
        let wanted = view.to_world(to);
        let reach = f64::from(reach) / view.scale();
        let mut limit = reach * reach;
        let mut best: Option<At> = None;
        for shift in view.shifts(west, east) {
            for (number, stretch) in self.stretches.iter().enumerate() {
                let place = [wanted[0] - f64::from(shift) - stretch.turns, wanted[1]];
                if distance_to(stretch.piece.bounds, place) > limit {
                    continue;
                }
                if let Some((distance, at)) = stretch.piece.nearest(place, limit)
                    && (best.is_none() || distance < limit)
                {
                    (limit, best) = (distance, Some(At(number, at)));
                }
            }
        }
        Some(((limit.sqrt() * view.scale()) as f32, self.found(best?)?))
    }

    /// Positions that are enough to draw what is in view, with the world moved by `shift`; the one at `now` among them.
    pub fn visible(&self, view: &Viewport, shift: f64, now: Time) -> Vec<Shown> {
        let margin = 16.0 / view.scale();
        let [west, north, east, south] = view.bounds();
        let window = [west - margin - shift, north - margin, east + margin - shift, south + margin];
        let mut out = Drawn {
            tolerance: self.tolerance(TOLERANCE_POINTS / view.scale(), window),
            shown: Vec::new(),
            waiting: None,
        };
        let now = self.own_time(now);
        for (number, stretch) in self.stretches.iter().enumerate() {
            if let Some(level) = stretch.piece.level(out.tolerance) {
                self.visible_of(number, stretch, level, now, turned(window, -stretch.turns), &mut out);
            }
        }
        out.end();
        out.shown
    }

    /// The least from `tolerance` on with which no more than [`MOST_DRAWN`] positions are in view.
    fn tolerance(&self, mut tolerance: f64, window: Bounds) -> f64 {
        let seen = self.stretches.iter().map(|s| (&*s.piece, turned(window, -s.turns)));
        let seen: Vec<(&Piece, Bounds)> = seen.filter(|(piece, own)| overlaps(piece.bounds, *own)).collect();
        let in_view = |tolerance: f64| -> usize {
            let of = |(piece, own): &(&Piece, Bounds)| {
                let level = piece.level(tolerance)?;
                if contains(*own, piece.bounds) {
                    return Some(level.count());
                }
                let runs = level.runs.iter().filter(|run| overlaps(**run, *own)).count();
                Some((runs * RUN).min(level.count()))
            };
            seen.iter().filter_map(of).sum()
        };
        // the ends of each stretch always are
        let most = MOST_DRAWN.max(2 * seen.len());
        while tolerance < 1.0 {
            let excess = in_view(tolerance) as f64 / most as f64;
            if excess <= 1.0 {
                break;
            }
            // what is kept of a line shrinks more slowly than the tolerance grows
            tolerance *= excess.powf(1.5).max(2.0);
        }
        tolerance
    }

    fn visible_of(&self, number: usize, stretch: &Stretch, level: &Level, now: Time, window: Bounds, out: &mut Drawn) {
        let piece = &stretch.piece;
        let shown = |at: usize, starts: bool| {
            let point = piece.points.get(at)?;
            Some(Shown {
                world: [point.world[0] + stretch.turns, point.world[1]],
                time: point.time,
                starts,
                at: At(number, at),
            })
        };
        // the way from the stretch before
        let before = number.checked_sub(1).and_then(|n| self.stretches.get(n));
        let is_joined = !stretch.is_after_loss && before.is_some_and(|b| stretch.span.start.since(b.span.end) <= self.gap_nanos);
        if !is_joined {
            out.end();
        }
        if !overlaps(piece.bounds, window) {
            // what leads in and out of the view
            out.pass(shown(0, !is_joined), window, stretch.turns);
            out.skip_to(shown(piece.points.len() - 1, true));
            return;
        }
        let played = match now {
            now if now < stretch.span.start => 0,
            now if now >= stretch.span.end => piece.points.len(),
            now => piece.points.partition_point(|p| p.time <= now),
        };
        // both sides of every break are kept: what was left out lies on the line
        let joined = |at: usize, before: Option<usize>| match before {
            None => is_joined,
            Some(before) => before + 1 < at || piece.is_joined(at, self.gap_nanos),
        };
        let last_before = |index: usize| level.position(index.checked_sub(1)?).and_then(|last| shown(last, true));
        let mut is_skipping = false;
        for (run_number, run) in level.runs.iter().enumerate() {
            let (first, end) = (run_number * RUN, ((run_number + 1) * RUN).min(level.count()));
            if !overlaps(*run, window) && (first > 0 || !is_joined) {
                is_skipping = true;
                continue;
            }
            if std::mem::take(&mut is_skipping) {
                out.skip_to(last_before(first));
            }
            for index in first..end {
                let Some(at) = level.position(index) else { continue };
                let before = index.checked_sub(1).and_then(|i| level.position(i));
                // the line changes its colour where the playhead is, not at the next position that is kept
                if before.is_some_and(|before| before + 1 < played) && played <= at {
                    out.add(shown(played - 1, false));
                }
                out.add(shown(at, !joined(at, before)));
            }
        }
        if is_skipping {
            out.skip_to(last_before(level.count()));
        }
    }

    /// Least and greatest of `value` over about so many positions spread over the track.
    pub fn range(&self, most: usize, value: impl Fn(At) -> Option<f64>) -> Option<(f64, f64)> {
        let step = (self.fixes / most).max(1);
        let mut range: Option<(f64, f64)> = None;
        for (number, stretch) in self.stretches.iter().enumerate() {
            for at in (0..stretch.piece.points.len()).step_by(step) {
                if let Some(v) = value(At(number, at)).filter(|v| v.is_finite()) {
                    range = Some(range.map_or((v, v), |(low, high)| (low.min(v), high.max(v))));
                }
            }
        }
        range
    }

    pub fn time_of(&self, At(stretch, at): At) -> Option<Time> {
        Some(self.stretches.get(stretch)?.piece.points.get(at)?.time)
    }
}

/// Positions on their way to the screen: those that nothing is lost without are left out.
struct Drawn {
    tolerance: f64,
    shown: Vec<Shown>,
    /// The newest, while it is too near to the last that is drawn.
    waiting: Option<Shown>,
}

impl Drawn {
    fn add(&mut self, point: Option<Shown>) {
        let Some(mut point) = point else { return };
        if point.starts {
            self.end();
            self.shown.push(point);
            return;
        }
        // a line begins where the view was left
        if let Some(left) = self.waiting.take_if(|w| w.starts) {
            self.shown.push(left);
        } else if self.shown.is_empty() {
            point.starts = true;
        }
        let is_near = self.shown.last().is_some_and(|last| {
            let apart = (point.world[0] - last.world[0]).abs().max((point.world[1] - last.world[1]).abs());
            !point.starts && apart < self.tolerance
        });
        if is_near {
            self.waiting = Some(point);
        } else {
            self.waiting = None;
            self.shown.push(point);
        }
    }

    /// The line ends at the newest position.
    fn end(&mut self) {
        self.shown.extend(self.waiting.take().filter(|w| !w.starts));
    }

    /// All up to this position is out of view.
    fn skip_to(&mut self, point: Option<Shown>) {
        self.end();
        self.waiting = point.map(|p| Shown { starts: true, ..p });
    }

    /// A single step that may lead through the view.
    fn pass(&mut self, point: Option<Shown>, window: Bounds, turns: f64) {
        let from = self.waiting.as_ref().or(self.shown.last()).map(|p| p.world);
        if let (Some(point), Some(from)) = (point, from)
            && !point.starts
        {
            let at = |w: World| [w[0] - turns, w[1], w[0] - turns, w[1]];
            if overlaps(union(at(from), at(point.world)), window) {
                self.add(Some(point));
            }
        }
        self.end();
    }
}

fn turned([west, north, east, south]: Bounds, turns: f64) -> Bounds {
    [west + turns, north, east + turns, south]
}

/// Several bounds together, on the shortest part of the globe that holds them.
pub fn bounds_of(all: impl Iterator<Item = Bounds>) -> Option<Bounds> {
    all.reduce(|a, b| {
        let turn = ((b[0] + b[2]) / 2.0 - (a[0] + a[2]) / 2.0).round();
        union(a, turned(b, -turn))
    })
}

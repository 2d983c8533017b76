//! A scalar over time: sorted points with a min/max pyramid over them, built from chunks that arrive in any order.
//!
//! Invariant: what is drawn never hides a peak: each pixel column shows its exact minimum and maximum.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::index::{ChunkKey, ChunkList, Runs, TopicChunk};
use super::{Stamp, TopicId};
use crate::time::{Span, Time};

type Point = (Time, f64);

const BLOCK_POINTS: usize = 4096;
const FINE: usize = 16;
const COARSE: usize = 256;
const NONE: u16 = u16::MAX;

/// A scalar of a topic over time, as far as it is loaded.
#[derive(Default)]
pub struct Series {
    pub(super) topic: TopicId,
    pub(super) path: Arc<str>,
    pub(super) stamp: Stamp,
    error: Option<Arc<str>>,
    /// By time; never empty, never overlapping.
    blocks: Vec<Block>,
    points: usize,
    runs: Runs,
    /// Chunks of the topic that are not loaded: by start and key, their ends.
    unloaded: BTreeMap<(Time, ChunkKey), Time>,
    longest_chunk_nanos: i64,
}

impl Series {
    pub(super) fn new(topic: TopicId, path: Arc<str>, stamp: Stamp) -> Series {
        Series {
            topic,
            path,
            stamp,
            ..Series::default()
        }
    }

    /// Why there is nothing: no such field, no definition.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// At most a few points per pixel column: exact minimum and maximum of each column, first and last too, in time order;
    /// NaN marks a gap. x is on the series' stamp. The neighbours on both sides of `span` come with it, so that lines reach
    /// the edges.
    pub fn decimated(&self, span: Span, columns: usize) -> Vec<(Time, f64)> {
        if columns == 0 || span.end < span.start {
            return Vec::new();
        }
        let first = self.position(|t| t < span.start);
        let end = self.position(|t| t <= span.end);
        let mut out = Vec::new();
        if let Some(before) = self.before(first) {
            out.push(before);
        }
        if self.distance(first, end) <= columns.saturating_mul(4) {
            self.each(first, end, |block, from, to| out.extend_from_slice(&block.points[from..to]));
        } else {
            self.columns(span, columns, first, end, &mut out);
        }
        if let Some(after) = self.point(end) {
            out.push(after);
        }
        self.with_gaps(out)
    }

    /// The newest value at or before `t`; None where there is none or where it is not a number.
    pub fn value_at(&self, t: Time) -> Option<f64> {
        self.before(self.position(|at| at <= t)).map(|p| p.1).filter(|v| !v.is_nan())
    }

    /// Receive-time spans that are loaded.
    pub fn loaded(&self) -> &[Span] {
        self.runs.spans()
    }

    /// Whether all that the recordings hold within `span` (receive time) is loaded.
    pub fn is_complete(&self, span: Span) -> bool {
        let from = (span.start.plus_nanos(-self.longest_chunk_nanos), ChunkKey { source: 0, chunk: 0 });
        let to = (
            span.end,
            ChunkKey {
                source: u32::MAX,
                chunk: u32::MAX,
            },
        );
        from > to || !self.unloaded.range(from..=to).any(|(_, end)| *end >= span.start)
    }

    pub fn min_max(&self, span: Span) -> Option<(f64, f64)> {
        if span.end < span.start {
            return None;
        }
        let mut extent = Extent::default();
        let (first, end) = (self.position(|t| t < span.start), self.position(|t| t <= span.end));
        self.each(first, end, |block, from, to| block.extent(from, to, &mut extent));
        Some((extent.min?.1, extent.max?.1))
    }

    /// Number of points that are loaded.
    pub fn len(&self) -> usize {
        self.points
    }

    pub fn is_empty(&self) -> bool {
        self.points == 0
    }

    pub(super) fn bytes(&self) -> u64 {
        (self.points * (size_of::<Point>() + size_of::<Group>() / FINE + 1)) as u64 + self.unloaded.len() as u64 * 32
    }

    pub(super) fn set_error(&mut self, error: Option<Arc<str>>) {
        self.error = error;
    }

    pub(super) fn clear(&mut self) {
        self.blocks.clear();
        self.points = 0;
    }

    /// The catalogue changed, or chunks were dropped.
    pub(super) fn set_chunks(&mut self, list: &ChunkList, mut is_loaded: impl FnMut(&TopicChunk) -> bool) {
        self.unloaded.clear();
        self.longest_chunk_nanos = 0;
        for chunk in &list.chunks {
            self.longest_chunk_nanos = self.longest_chunk_nanos.max(chunk.span.nanos());
            if !is_loaded(chunk) {
                self.unloaded.insert((chunk.span.start, chunk.key), chunk.span.end);
            }
        }
        self.runs = Runs::of(list, is_loaded);
    }

    /// A chunk's points, in any order.
    pub(super) fn add(&mut self, ordinal: Option<usize>, list: &ChunkList, mut piece: Vec<Point>) {
        if let Some(ordinal) = ordinal {
            self.runs.insert(ordinal, list);
            let chunk = &list.chunks[ordinal];
            self.unloaded.remove(&(chunk.span.start, chunk.key));
        }
        piece.sort_by(point_order);
        let (Some(first), Some(last)) = (piece.first().copied(), piece.last().copied()) else {
            return;
        };
        self.points += piece.len();
        let mut lo = self.blocks.partition_point(|b| point_order(&b.last(), &first).is_lt());
        let mut hi = self.blocks.partition_point(|b| point_order(&b.first(), &last).is_le());
        if lo >= hi {
            // Between two blocks: into one that has room, so that small chunks do not make small blocks.
            hi = lo;
            let room = |at: usize| self.blocks.get(at).is_some_and(|b| b.points.len() + piece.len() <= BLOCK_POINTS);
            if lo > 0 && room(lo - 1) {
                lo -= 1;
            } else if room(lo) {
                hi += 1;
            }
        }
        let old = self.blocks[lo..hi].iter_mut().flat_map(|b| std::mem::take(&mut b.points));
        let merged = merge(old, piece);
        let parts = merged.len().div_ceil(BLOCK_POINTS).max(1);
        let size = merged.len().div_ceil(parts);
        self.blocks
            .splice(lo..hi, merged.chunks(size).map(|points| Block::new(points.to_vec())));
    }

    fn columns(&self, span: Span, columns: usize, first: Position, end: Position, out: &mut Vec<Point>) {
        let width = i128::from(span.end.0) - i128::from(span.start.0);
        let mut from = first;
        for column in 1..=columns {
            let to = if column == columns {
                end
            } else {
                let bound = i128::from(span.start.0) + width * column as i128 / columns as i128;
                self.position_from(from, |t| i128::from(t.0) < bound)
            };
            if from < to {
                let mut extent = Extent::default();
                self.each(from, to, |block, a, b| block.extent(a, b, &mut extent));
                let mut shown = [self.point(from), extent.min, extent.max, extent.nan, self.before(to)];
                shown.sort_by(|a, b| a.map(|p| p.0).cmp(&b.map(|p| p.0)));
                for point in shown.into_iter().flatten() {
                    if out.last().is_none_or(|l| l.0 != point.0 || l.1.to_bits() != point.1.to_bits()) {
                        out.push(point);
                    }
                }
            }
            from = to;
        }
    }

    /// A NaN between points with chunks between them that are not loaded.
    fn with_gaps(&self, points: Vec<Point>) -> Vec<Point> {
        let spans = self.runs.spans();
        if self.stamp != Stamp::Receive || spans.len() < 2 {
            return points;
        }
        let mut out: Vec<Point> = Vec::with_capacity(points.len());
        for point in points {
            if let Some(last) = out.last().copied() {
                let run = spans.partition_point(|s| s.start <= last.0);
                let apart = run > 0 && spans.get(run).is_some_and(|next| next.start <= point.0 && next.start > last.0);
                if apart && !last.1.is_nan() {
                    out.push((spans[run - 1].end.max(last.0), f64::NAN));
                }
            }
            out.push(point);
        }
        out
    }

    fn position(&self, before: impl Fn(Time) -> bool) -> Position {
        self.position_from((0, 0), before)
    }

    /// The first point at or after `from` of which `before` no longer holds.
    fn position_from(&self, from: Position, before: impl Fn(Time) -> bool) -> Position {
        let rest = self.blocks.get(from.0..).unwrap_or_default();
        let block = from.0 + rest.partition_point(|b| before(b.last().0));
        let Some(found) = self.blocks.get(block) else {
            return (self.blocks.len(), 0);
        };
        let at = found.points.partition_point(|p| before(p.0));
        (block, if block == from.0 { at.max(from.1) } else { at })
    }

    fn point(&self, at: Position) -> Option<Point> {
        self.blocks.get(at.0)?.points.get(at.1).copied()
    }

    fn before(&self, at: Position) -> Option<Point> {
        match at.1.checked_sub(1) {
            Some(previous) => self.point((at.0, previous)),
            None => self.blocks.get(at.0.checked_sub(1)?).map(Block::last),
        }
    }

    fn each(&self, from: Position, to: Position, mut f: impl FnMut(&Block, usize, usize)) {
        for block in from.0..=to.0 {
            let Some(b) = self.blocks.get(block) else { break };
            let start = if block == from.0 { from.1 } else { 0 };
            let end = if block == to.0 { to.1 } else { b.points.len() };
            if start < end {
                f(b, start, end);
            }
        }
    }

    fn distance(&self, from: Position, to: Position) -> usize {
        let mut n = 0;
        self.each(from, to, |_, a, b| n += b - a);
        n
    }
}

/// Block and offset; the end is (number of blocks, 0).
type Position = (usize, usize);

/// Times first; equal times by value, so that the order of arrival leaves no trace.
fn point_order(a: &Point, b: &Point) -> std::cmp::Ordering {
    a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
}

fn merge(old: impl Iterator<Item = Point>, new: Vec<Point>) -> Vec<Point> {
    let mut out = Vec::with_capacity(new.len() + old.size_hint().0);
    let mut new = new.into_iter().peekable();
    for point in old {
        while let Some(next) = new.next_if(|n| point_order(n, &point).is_lt()) {
            out.push(next);
        }
        out.push(point);
    }
    out.extend(new);
    out
}

#[derive(Default)]
struct Extent {
    min: Option<Point>,
    max: Option<Point>,
    /// The first that is not a number.
    nan: Option<Point>,
}

impl Extent {
    fn add(&mut self, point: Point) {
        if point.1.is_nan() {
            self.nan = self.nan.or(Some(point));
            return;
        }
        if self.min.is_none_or(|m| point.1 < m.1) {
            self.min = Some(point);
        }
        if self.max.is_none_or(|m| point.1 > m.1) {
            self.max = Some(point);
        }
    }
}

/// Offsets of the least, the greatest and the first that is no number, of neighbouring points.
struct Group {
    min: u16,
    max: u16,
    nan: u16,
}

struct Block {
    points: Vec<Point>,
    fine: Vec<Group>,
    coarse: Vec<Group>,
}

impl Block {
    fn new(points: Vec<Point>) -> Block {
        let groups = |size: usize| {
            (0..points.len() / size)
                .map(|g| {
                    let mut group = Group {
                        min: NONE,
                        max: NONE,
                        nan: NONE,
                    };
                    for i in g * size..(g + 1) * size {
                        let v = points[i].1;
                        // A block has at most 4,096 points.
                        let at = i as u16;
                        if v.is_nan() {
                            group.nan = group.nan.min(at);
                        } else {
                            if group.min == NONE || v < points[usize::from(group.min)].1 {
                                group.min = at;
                            }
                            if group.max == NONE || v > points[usize::from(group.max)].1 {
                                group.max = at;
                            }
                        }
                    }
                    group
                })
                .collect()
        };
        let (fine, coarse) = (groups(FINE), groups(COARSE));
        Block { points, fine, coarse }
    }

    fn first(&self) -> Point {
        self.points[0]
    }

    fn last(&self) -> Point {
        self.points[self.points.len() - 1]
    }

    fn extent(&self, mut from: usize, to: usize, extent: &mut Extent) {
        while from < to {
            let (group, size) = if from.is_multiple_of(COARSE) && from + COARSE <= to {
                (&self.coarse[from / COARSE], COARSE)
            } else if from.is_multiple_of(FINE) && from + FINE <= to {
                (&self.fine[from / FINE], FINE)
            } else {
                extent.add(self.points[from]);
                from += 1;
                continue;
            };
            for at in [group.min, group.max, group.nan] {
                if let Some(point) = self.points.get(usize::from(at)) {
                    extent.add(*point);
                }
            }
            from += size;
        }
    }
}

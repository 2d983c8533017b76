//! A scalar over time: what chunks gave, in any order, with summaries over it.
//!
//! Invariants: what is drawn never hides a peak: each pixel column shows the minimum and maximum of the finite values that fall into it;
//! the order in which chunks arrive leaves no trace; points that were given up for memory stay in the summaries.

mod piece;
mod points;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::coverage::Coverage;
use super::index::{ChunkKey, ChunkList, TopicChunk};
use super::{Stamp, TopicId};
use crate::path::Point;
use crate::time::{Span, Time};
pub use piece::Statistics;
use piece::{Extent, MOST_VALUES, Piece, Taken};
pub use points::Points;

/// Texts that are kept of one series.
const MOST_TEXTS: usize = 4096;

/// A scalar of a topic over time, as far as it is loaded.
#[derive(Default)]
pub struct Series {
    pub(super) topic: TopicId,
    pub(super) path: Arc<str>,
    pub(super) stamp: Stamp,
    error: Option<Arc<str>>,
    /// By their first point, then by chunk; never empty. They may overlap in any way.
    pieces: BTreeMap<(Time, ChunkKey), Piece>,
    /// Where the chunks' pieces lie.
    starts: BTreeMap<ChunkKey, Time>,
    longest_piece_nanos: i64,
    points: usize,
    bytes: u64,
    revision: u64,
    coverage: Coverage,
    /// The different values, by their bits, of those pieces that have few, and how many pieces have each.
    values: BTreeMap<u64, usize>,
    /// How many pieces have too many.
    varied: usize,
    /// What values stand for, by their bits, where they are texts.
    texts: BTreeMap<u64, Arc<str>>,
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

    /// Of points in time order, as computed from other series.
    pub fn of_points(points: &[Point]) -> Series {
        let mut series = Series::default();
        for (chunk, part) in (0..).zip(points.chunks(1 << 16)) {
            let key = ChunkKey { source: u32::MAX, chunk };
            series.put(key, part.to_vec());
        }
        series
    }

    /// Why there is nothing: no such field, no definition.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// The text that a value stands for, in a series of texts.
    pub fn text_of(&self, value: f64) -> Option<&Arc<str>> {
        self.texts.get(&value.to_bits())
    }

    pub(super) fn name(&mut self, texts: Vec<(f64, Arc<str>)>) {
        for (value, text) in texts {
            if self.texts.len() < MOST_TEXTS && !self.texts.contains_key(&value.to_bits()) {
                self.bytes += text.len() as u64 + 64;
                self.texts.insert(value.to_bits(), text);
            }
        }
    }

    /// Its different values, in no order that means anything; None where they are too many to be states.
    pub fn values(&self) -> Option<impl Iterator<Item = f64>> {
        let are_few = self.varied == 0 && self.values.len() <= MOST_VALUES;
        are_few.then(|| self.values.keys().map(|bits| f64::from_bits(*bits)))
    }

    /// Grows whenever the points change.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// At most a few points per pixel column: exact finite minimum and maximum of each column, first and last too, in time order;
    /// NaN marks a gap. x is on the series' stamp. The neighbours on both sides of `span` come with it, so that lines reach
    /// the edges.
    pub fn decimated(&self, span: Span, columns: usize) -> Vec<Point> {
        if columns == 0 || span.end < span.start {
            return Vec::new();
        }
        let mut out: Vec<Point> = Vec::new();
        out.extend(self.before(span.start, false));
        let pieces: Vec<&Piece> = self.overlapping(span).collect();
        let few = pieces.iter().map(|p| p.count_within(span)).sum::<usize>() <= columns.saturating_mul(4);
        let start = out.len();
        if few && pieces.iter().all(|p| p.has_points()) {
            pieces.iter().for_each(|p| out.extend_from_slice(p.points_within(span)));
        } else {
            columns_of(&pieces, span, columns, &mut out);
        }
        // stable: points of one time stay as the messages gave them
        if let Some(new) = out.get_mut(start..) {
            new.sort_by_key(|p| p.0);
        }
        out.extend(self.after(span.end));
        self.with_gaps(out)
    }

    /// As [`Series::decimated`], with each different value of each pixel column, as long as they are few enough to be states.
    pub fn decimated_states(&self, span: Span, columns: usize) -> Vec<Point> {
        let mut shown = self.decimated(span, columns);
        if columns == 0 || span.end < span.start || shown.is_empty() {
            return shown;
        }
        let grid = Columns::new(span, columns);
        let key = |point: &Point| (grid.of(point.0), (point.1 + 0.0).to_bits());
        let mut known: BTreeSet<(usize, u64)> = shown.iter().filter(|p| span.contains(p.0)).map(key).collect();
        let mut hidden: Vec<Point> = Vec::new();
        let mut add = |point: Point| {
            if span.contains(point.0) && known.insert(key(&point)) {
                hidden.push(point);
            }
        };
        for piece in self.overlapping(span) {
            piece.take(span, |from, to| grid.is_whole(from, to), &mut |taken| match taken {
                Taken::Point(point) if point.1.is_nan() => {}
                Taken::Point(point) => add(point),
                Taken::Whole(summary) | Taken::Partly(summary) => piece.each_value(summary, &mut add),
            });
        }
        if !hidden.is_empty() {
            // stable: the last of a column stays that
            hidden.append(&mut shown);
            hidden.sort_by_key(|p| p.0);
            return hidden;
        }
        shown
    }

    /// The newest value at or before `t`; None where there is none or where it is not a number.
    pub fn value_at(&self, t: Time) -> Option<f64> {
        self.before(t, true).map(|p| p.1).filter(|v| !v.is_nan())
    }

    /// The newest point at or before `t`.
    pub fn point_at(&self, t: Time) -> Option<Point> {
        self.before(t, true)
    }

    /// All points within `span`, in time order; None while some of them are given up for memory (want
    /// [`super::What::Points`] to have them again).
    pub fn points(&self, span: Span) -> Option<Vec<Point>> {
        if !self.has_points(span) {
            return None;
        }
        let mut out: Vec<Point> = Vec::new();
        self.overlapping(span).for_each(|p| out.extend_from_slice(p.points_within(span)));
        if !out.is_sorted_by_key(|p| p.0) {
            out.sort_by_key(|p| p.0);
        }
        Some(out)
    }

    /// Whether the points within `span` are in memory, not only their summaries.
    pub fn has_points(&self, span: Span) -> bool {
        self.overlapping(span).all(Piece::has_points)
    }

    /// Of the numbers within `span`.
    pub fn statistics(&self, span: Span) -> Statistics {
        let mut sum = Statistics::default();
        for piece in self.overlapping(span) {
            let is_whole = |from, to| from >= span.start && to <= span.end;
            piece.take(span, is_whole, &mut |taken| sum.add(taken));
        }
        sum
    }

    /// The least and greatest finite values.
    pub fn min_max(&self, span: Span) -> Option<(f64, f64)> {
        let (min, max) = self.statistics(span).finite()?;
        Some((min.1, max.1))
    }

    /// Receive-time spans that are loaded.
    pub fn loaded(&self) -> &[Span] {
        self.coverage.spans()
    }

    /// Whether all that the recordings hold within `span` (receive time) is loaded.
    pub fn is_complete(&self, span: Span) -> bool {
        self.coverage.is_complete(span)
    }

    /// First to last point.
    pub fn span(&self) -> Option<Span> {
        let start = self.pieces.first_key_value()?.0.0;
        let end = self.pieces.values().map(|p| p.span().end).max()?;
        Some(Span::new(start, end))
    }

    /// Number of points that were loaded.
    pub fn len(&self) -> usize {
        self.points
    }

    pub fn is_empty(&self) -> bool {
        self.points == 0
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes + self.coverage.bytes()
    }

    pub(super) fn set_error(&mut self, error: Option<Arc<str>>) {
        self.error = error;
    }

    /// Returns where points were.
    pub(super) fn clear(&mut self) -> Option<Span> {
        let span = self.span();
        self.pieces.clear();
        self.starts.clear();
        self.texts.clear();
        self.values.clear();
        (self.points, self.bytes, self.longest_piece_nanos, self.varied) = (0, 0, 0, 0);
        self.revision += 1;
        span
    }

    /// The catalogue changed, or chunks were dropped.
    pub(super) fn set_chunks(&mut self, list: &ChunkList, is_loaded: impl FnMut(&TopicChunk) -> bool) {
        self.coverage = Coverage::of(list, is_loaded);
    }

    /// A chunk's points, in any order; in place of those it gave before. Returns where points are others now: none where these are the
    /// ones that were given up.
    pub(super) fn add(&mut self, key: ChunkKey, ordinal: Option<usize>, list: &ChunkList, points: Vec<Point>) -> Option<Span> {
        if let Some(ordinal) = ordinal {
            self.coverage.add(ordinal, list);
        }
        self.put(key, points)
    }

    /// As `add`, of anything that has a key.
    pub(super) fn put(&mut self, key: ChunkKey, points: Vec<Point>) -> Option<Span> {
        let old = self.take_piece(key);
        let new = Piece::new(points);
        let touched = match (&old, &new) {
            (Some(old), Some(new)) if old.is_of_the_same(new) => None,
            (old, new) => [old, new].into_iter().flatten().map(Piece::span).reduce(Span::union),
        };
        if let Some(piece) = new {
            self.insert(key, piece);
        }
        touched
    }

    fn insert(&mut self, key: ChunkKey, piece: Piece) {
        let span = piece.span();
        self.longest_piece_nanos = self.longest_piece_nanos.max(span.nanos());
        self.points += piece.count();
        self.bytes += piece.bytes();
        self.revision += 1;
        match piece.values() {
            Some(values) => values.iter().for_each(|bits| *self.values.entry(*bits).or_default() += 1),
            None => self.varied += 1,
        }
        self.starts.insert(key, span.start);
        self.pieces.insert((span.start, key), piece);
    }

    /// Forgets what a chunk gave. Returns where that was.
    pub(super) fn remove(&mut self, key: ChunkKey) -> Option<Span> {
        self.take_piece(key).map(|piece| piece.span())
    }

    fn take_piece(&mut self, key: ChunkKey) -> Option<Piece> {
        let start = self.starts.remove(&key)?;
        let piece = self.pieces.remove(&(start, key))?;
        self.points -= piece.count();
        self.bytes -= piece.bytes();
        self.revision += 1;
        match piece.values() {
            Some(values) => values.iter().for_each(|bits| self.forget(*bits)),
            None => self.varied -= 1,
        }
        Some(piece)
    }

    fn forget(&mut self, bits: u64) {
        if let Some(pieces) = self.values.get_mut(&bits) {
            *pieces -= 1;
            if *pieces == 0 {
                self.values.remove(&bits);
            }
        }
    }

    /// Of each piece that may hold points within `span`: from where on, and how many points it holds.
    pub(super) fn starts_within(&self, span: Span) -> impl Iterator<Item = (Time, usize)> {
        self.overlapping(span)
            .map(move |piece| (piece.span().start.max(span.start), piece.count()))
    }

    /// The points within `span`, as far as they are kept, without copying them.
    pub fn shared(&self, span: Span) -> Points {
        Points::new(self.overlapping(span).filter_map(Piece::shared_points).collect(), span)
    }

    /// Chunks whose points are given up and fall into `span`.
    pub(super) fn summed_up(&self, span: Span) -> Vec<ChunkKey> {
        let of = self.overlapping_keyed(span).filter(|(_, piece)| !piece.has_points());
        of.map(|((_, key), _)| *key).collect()
    }

    /// Gives up points that lie in none of `keep`, those farthest from the first of them first, until `enough` bytes are free.
    /// Returns how many were freed.
    pub(super) fn sum_up(&mut self, keep: &[Span], enough: u64) -> u64 {
        let pivot = keep.first().copied().unwrap_or(Span::at(Time::MIN));
        let mut candidates: Vec<(i64, (Time, ChunkKey))> = self
            .pieces
            .iter()
            .filter(|(_, piece)| piece.can_shrink() && !keep.iter().any(|k| piece.span().overlaps(*k)))
            .map(|(key, piece)| (distance(piece.span(), pivot), *key))
            .collect();
        candidates.sort_unstable_by(|a, b| b.cmp(a));
        let mut freed = 0;
        for (_, key) in candidates {
            if freed >= enough {
                break;
            }
            if let Some(piece) = self.pieces.get_mut(&key) {
                let before = piece.bytes();
                piece.shrink();
                freed += before - piece.bytes();
            }
        }
        self.bytes -= freed;
        freed
    }

    fn overlapping(&self, span: Span) -> impl Iterator<Item = &Piece> {
        self.overlapping_keyed(span).map(|(_, piece)| piece)
    }

    fn overlapping_keyed(&self, span: Span) -> impl Iterator<Item = (&(Time, ChunkKey), &Piece)> {
        let from = (span.start.plus_nanos(-self.longest_piece_nanos), ChunkKey::FIRST);
        let to = (span.end.max(from.0), ChunkKey::LAST);
        self.pieces.range(from..=to).filter(move |(_, piece)| piece.span().overlaps(span))
    }

    /// The last point before `t`, or at it.
    fn before(&self, t: Time, or_at: bool) -> Option<Point> {
        let is_before = |at: Time| at < t || or_at && at == t;
        let mut best: Option<Point> = None;
        for ((start, _), piece) in self.pieces.range(..=(t, ChunkKey::LAST)).rev() {
            if best.is_some_and(|b| start.plus_nanos(self.longest_piece_nanos) < b.0) {
                break;
            }
            if let Some(point) = piece.last_where(&is_before)
                && best.is_none_or(|b| point.0 > b.0)
            {
                best = Some(point);
            }
        }
        best
    }

    /// The first point after `t`.
    fn after(&self, t: Time) -> Option<Point> {
        let mut best: Option<Point> = None;
        let from = (t.plus_nanos(-self.longest_piece_nanos), ChunkKey::FIRST);
        for ((start, _), piece) in self.pieces.range(from..) {
            if best.is_some_and(|b| *start >= b.0) {
                break;
            }
            if let Some(point) = piece.first_after(t)
                && best.is_none_or(|b| point.0 < b.0)
            {
                best = Some(point);
            }
        }
        best
    }

    /// A NaN between points with chunks between them that are not loaded.
    fn with_gaps(&self, points: Vec<Point>) -> Vec<Point> {
        let spans = self.coverage.spans();
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
}

fn distance(span: Span, from: Span) -> i64 {
    if span.start > from.end {
        span.start.since(from.end)
    } else {
        from.start.since(span.end).max(0)
    }
}

/// The pixel columns of a span.
struct Columns {
    span: Span,
    count: u64,
}

impl Columns {
    fn new(span: Span, columns: usize) -> Columns {
        let count = columns.max(1) as u64;
        Columns { span, count }
    }

    /// Column c begins at the whole nanosecond width * c / columns. The same for every point of one time, so that no run is taken
    /// for a column that it leaves.
    fn of(&self, t: Time) -> usize {
        let (width, count) = (self.span.nanos().max(1).unsigned_abs(), self.count);
        let after = t.since(self.span.start).max(0).unsigned_abs().saturating_add(1);
        let at = match after.checked_mul(count) {
            Some(scaled) => (scaled - 1) / width,
            None => ((u128::from(after) * u128::from(count) - 1) / u128::from(width)) as u64,
        };
        at.min(count - 1) as usize
    }

    fn is_whole(&self, from: Time, to: Time) -> bool {
        from >= self.span.start && to <= self.span.end && self.of(from) == self.of(to)
    }
}

/// First, minimum, maximum, gap and last of each pixel column.
fn columns_of(pieces: &[&Piece], span: Span, columns: usize, out: &mut Vec<Point>) {
    let mut found: Vec<Option<Extent>> = vec![None; columns];
    let grid = Columns::new(span, columns);
    let mut add = |extent: &Extent| match found.get_mut(grid.of(extent.first.0)) {
        Some(Some(known)) => known.join(extent),
        Some(empty) => *empty = Some(*extent),
        None => {}
    };
    for piece in pieces {
        piece.take(span, |from, to| grid.is_whole(from, to), &mut |taken| match taken {
            Taken::Point(point) => add(&Extent::of(point)),
            Taken::Whole(summary) => add(&summary.extent),
            // its points are given up: what is known of them, each where it was
            Taken::Partly(summary) => {
                let known = summary.extent.shown().filter(|p| span.contains(p.0));
                known.for_each(|point| add(&Extent::of(point)));
            }
        });
    }
    for extent in found.into_iter().flatten() {
        let mut shown: Vec<Point> = extent.shown().collect();
        shown.sort_by_key(|p| p.0);
        shown.dedup_by(|a, b| a.0 == b.0 && a.1.to_bits() == b.1.to_bits());
        out.extend(shown);
    }
}

//! The lines that pass the filters, of any number of topics on one clock: merged only where they are drawn.
//!
//! Invariants: no line is copied or sorted as a whole, so the millionth costs what the first does; of packed texts only those near the
//! drawn lines are open. The order of lines is receive time, then topic, then place in the recording.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::decode::{LogLevel, LogRow, OpenedLog, Rows};
use crate::store::{TopicId, Verdict};
use crate::time::{Span, Time};

/// Opened texts that are kept.
const MOST_OPEN: usize = 8;

#[derive(Default)]
pub struct Lines {
    /// By the time of the first line.
    streams: Vec<Stream>,
    /// The latest time in this and all streams before; shown lines in all streams before.
    latest: Vec<Time>,
    before: Vec<usize>,
    shown: usize,
    hits: usize,
    /// Of all lines, by level and node.
    pub levels: [u64; 5],
    pub nodes: Vec<(Arc<str>, [u64; 5])>,
    /// Newest last.
    opened: RefCell<Vec<(StreamId, Arc<OpenedLog>)>>,
    histogram: RefCell<Option<Histogram>>,
}

/// Of a span in columns: how many lines of each level pass.
#[derive(Clone)]
pub struct Histogram {
    span: Span,
    pub columns: Arc<[[f32; 5]]>,
}

/// The rows of one chunk that were examined.
#[derive(Clone)]
pub struct Stream {
    id: StreamId,
    rows: Arc<Rows>,
    verdict: Arc<Verdict>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct StreamId {
    first: Time,
    topic: TopicId,
    block: u64,
}

/// A line, whatever else is loaded or filtered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub time: Time,
    stream: StreamId,
    row: u32,
}

/// What the store has of one chunk: its verdict once it was examined.
pub struct Loaded {
    pub topic: TopicId,
    pub block: u64,
    pub rows: Arc<Rows>,
    pub verdict: Option<Arc<Verdict>>,
}

impl Lines {
    /// Takes what the store has now. `recount`: other rows than the last time.
    pub fn take(&mut self, blocks: Vec<Loaded>, recount: bool) {
        if recount {
            self.count_all(&blocks);
        }
        let stream = |loaded: Loaded| {
            let first = *loaded.rows.times().first()?;
            let (topic, block) = (loaded.topic, loaded.block);
            Some(Stream {
                id: StreamId { first, topic, block },
                rows: loaded.rows,
                verdict: loaded.verdict?,
            })
        };
        self.streams = blocks.into_iter().filter_map(stream).collect();
        self.streams.sort_by_key(|s| s.id);
        self.index();
    }

    fn count_all(&mut self, blocks: &[Loaded]) {
        let mut nodes: BTreeMap<Arc<str>, [u64; 5]> = BTreeMap::new();
        self.levels = [0; 5];
        for (node, counts) in blocks.iter().filter_map(|b| b.rows.log()).flat_map(|rows| rows.nodes()) {
            let sum = nodes.entry(node).or_default();
            for ((all, of_node), n) in self.levels.iter_mut().zip(sum).zip(counts) {
                *all += n;
                *of_node += n;
            }
        }
        self.nodes = nodes.into_iter().collect();
    }

    fn index(&mut self) {
        (self.shown, self.hits) = (0, 0);
        self.latest.clear();
        self.before.clear();
        self.histogram.get_mut().take();
        let mut latest = Time::MIN;
        for stream in &self.streams {
            latest = latest.max(stream.rows.times().last().copied().unwrap_or(Time::MIN));
            self.latest.push(latest);
            self.before.push(self.shown);
            self.shown += stream.verdict.shown.count();
            self.hits += stream.verdict.hits.count();
        }
    }

    /// How many lines pass.
    pub fn len(&self) -> usize {
        self.shown
    }

    /// How many lines are loaded.
    pub fn total(&self) -> u64 {
        self.levels.iter().sum()
    }

    /// How many of those that pass the search finds.
    pub fn hits(&self) -> usize {
        self.hits
    }

    /// What `f` makes of a line.
    pub fn with<T>(&self, place: Place, f: impl FnOnce(&LogRow) -> T) -> Option<T> {
        let stream = self.stream(place)?;
        let opened = self.open(stream);
        let row = stream.rows.log()?.get(&opened, place.row as usize)?;
        Some(f(&row))
    }

    fn stream(&self, place: Place) -> Option<&Stream> {
        let at = self.streams.binary_search_by_key(&place.stream, |s| s.id).ok()?;
        self.streams.get(at)
    }

    fn open(&self, stream: &Stream) -> Arc<OpenedLog> {
        let mut opened = self.opened.borrow_mut();
        let known = opened.iter().position(|(id, _)| *id == stream.id);
        let entry = match known {
            Some(at) => opened.remove(at),
            None => (stream.id, stream.rows.log().map(|rows| rows.open()).unwrap_or_default()),
        };
        let log = Arc::clone(&entry.1);
        opened.push(entry);
        if opened.len() > MOST_OPEN {
            opened.remove(0);
        }
        log
    }

    pub fn topic(place: Place) -> TopicId {
        place.stream.topic
    }

    /// How many lines that pass come before `place`.
    pub fn rank(&self, place: Place) -> usize {
        let earlier = self.rank_of_time(place.time);
        let same = self.at_time(place.time);
        earlier + same.iter().filter(|p| **p < place).count()
    }

    /// How many lines that pass were received before `t`.
    pub fn rank_of_time(&self, t: Time) -> usize {
        let from = self.latest.partition_point(|latest| *latest < t);
        let to = self.streams.partition_point(|s| s.id.first < t);
        let whole = self.before.get(from).copied().unwrap_or(self.shown);
        let straddling = self.streams.get(from..to).unwrap_or_default();
        whole + straddling.iter().map(|s| s.shown_before(t)).sum::<usize>()
    }

    /// All that pass of exactly this time, in order.
    pub fn at_time(&self, t: Time) -> Vec<Place> {
        let from = self.latest.partition_point(|latest| *latest < t);
        let to = self.streams.partition_point(|s| s.id.first <= t);
        let mut found = Vec::new();
        for stream in self.streams.get(from..to).unwrap_or_default() {
            let end = stream.shown_before(t.plus_nanos(1));
            found.extend((stream.shown_before(t)..end).filter_map(|at| stream.shown(at)));
        }
        found.sort_unstable();
        found
    }

    /// `count` lines that pass, from the `index`-th on.
    pub fn walk(&self, index: usize, count: usize) -> Vec<Place> {
        let (Some(first), Some(last)) = (self.streams.first(), self.latest.last()) else {
            return Vec::new();
        };
        if index >= self.shown || count == 0 {
            return Vec::new();
        }
        // the latest instant before which at most `index` lines come
        let (mut low, mut high) = (first.id.first, *last);
        while low < high {
            let middle = above_middle(low, high);
            if self.rank_of_time(middle) <= index {
                low = middle;
            } else {
                high = middle.plus_nanos(-1);
            }
        }
        let skipped = index - self.rank_of_time(low);
        let needed = skipped + count;
        let from = self.latest.partition_point(|latest| *latest < low);
        let mut found: Vec<Place> = Vec::new();
        let mut reached = Time::MIN;
        for stream in self.streams.get(from..).unwrap_or_default() {
            if found.len() >= needed && stream.id.first > reached {
                break;
            }
            let at = stream.shown_before(low);
            for place in (at..stream.verdict.shown.count().min(at + needed)).filter_map(|at| stream.shown(at)) {
                reached = reached.max(place.time);
                found.push(place);
            }
        }
        found.sort_unstable();
        found.into_iter().skip(skipped).take(count).collect()
    }

    /// The nearest line after (or before) `from` that the search finds.
    pub fn next_hit(&self, from: Option<Place>, forward: bool) -> Option<Place> {
        let candidates = self.streams.iter().filter_map(|stream| {
            let hits = &stream.verdict.hits;
            let (mut low, mut high) = (0, hits.count());
            // how many hits come before (or at) `from`
            while low < high {
                let middle = usize::midpoint(low, high);
                let here = hits.select(middle).and_then(|row| stream.place(row));
                let is_before = match (here, from) {
                    (Some(here), Some(from)) if forward => here <= from,
                    (Some(here), Some(from)) => here < from,
                    _ => !forward,
                };
                if is_before {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            let at = if forward { low } else { low.checked_sub(1)? };
            stream.place(hits.select(at)?)
        });
        if forward { candidates.min() } else { candidates.max() }
    }

    /// The nearest line after (or before) `from` of this level or worse.
    pub fn next_mark(&self, from: Option<Place>, forward: bool, level: LogLevel) -> Option<Place> {
        let of_stream = |stream: &Stream| {
            let rows = stream.rows.log()?;
            // most chunks hold nothing of the kind
            let is_any = rows.heads().iter().any(|head| head.level >= level);
            let is_it = |row: &usize| rows.head(*row).is_some_and(|head| head.level >= level);
            let mut places = stream
                .verdict
                .shown
                .iter()
                .filter(|_| is_any)
                .filter(is_it)
                .filter_map(|row| stream.place(row));
            match forward {
                true => places.find(|p| from.is_none_or(|f| *p > f)),
                false => places.rfind(|p| from.is_none_or(|f| *p < f)),
            }
        };
        let limit = from.map(|f| f.time);
        // streams wholly on the other side hold none
        let candidates = self.streams.iter().filter(|stream| match limit {
            Some(t) if forward => stream.rows.times().last().is_some_and(|last| *last >= t),
            Some(t) => stream.id.first <= t,
            None => true,
        });
        let mut best: Option<Place> = None;
        let beats = |stream: &Stream, best: Option<Place>| match best {
            Some(best) if forward => stream.id.first <= best.time,
            Some(best) => stream.rows.times().last().is_some_and(|last| *last >= best.time),
            None => true,
        };
        let mut look = |stream: &Stream| {
            if beats(stream, best) {
                let found = of_stream(stream);
                best = match (best, found) {
                    (Some(a), Some(b)) => Some(if forward { a.min(b) } else { a.max(b) }),
                    (a, b) => a.or(b),
                };
            }
        };
        if forward {
            candidates.for_each(&mut look);
        } else {
            candidates.rev().for_each(&mut look);
        }
        best
    }

    /// How many of the hits come before `place`.
    pub fn hit_rank(&self, place: Place) -> usize {
        let before = |stream: &Stream| {
            let row = stream.rows_before(place);
            stream.verdict.hits.rank(row)
        };
        self.streams.iter().map(before).sum()
    }

    pub fn is_hit(&self, place: Place) -> bool {
        self.stream(place).is_some_and(|stream| stream.verdict.hits.get(place.row as usize))
    }

    /// How many lines of each level pass, in columns of equal time.
    pub fn histogram(&self, span: Span, columns: usize) -> Arc<[[f32; 5]]> {
        let mut known = self.histogram.borrow_mut();
        if let Some(known) = known.as_ref().filter(|h| h.span == span && h.columns.len() == columns) {
            return Arc::clone(&known.columns);
        }
        let mut out = vec![[0.0_f32; 5]; columns];
        for stream in &self.streams {
            if let Some(rows) = stream.rows.log() {
                let verdict = &stream.verdict;
                let is_shown = |line: usize| verdict.shown.get(line);
                verdict.levels.add_to(rows, stream.rows.times(), is_shown, span, &mut out);
            }
        }
        let columns: Arc<[[f32; 5]]> = out.into();
        *known = Some(Histogram {
            span,
            columns: Arc::clone(&columns),
        });
        columns
    }

    /// What the lines are made of, for another thread.
    pub fn streams(&self) -> Vec<Stream> {
        self.streams.clone()
    }

    pub fn of(streams: Vec<Stream>) -> Lines {
        let mut lines = Lines {
            streams,
            ..Lines::default()
        };
        lines.index();
        lines
    }

    /// Calls `f` with all that pass, in order, opening one text after another.
    pub fn each<E>(&self, mut f: impl FnMut(Place, &LogRow) -> Result<(), E>) -> Result<(), E> {
        let mut at = 0;
        while at < self.shown {
            let places = self.walk(at, 4096);
            at += places.len().max(1);
            for place in places {
                self.with(place, |row| f(place, row)).unwrap_or(Ok(()))?;
            }
        }
        Ok(())
    }
}

impl Stream {
    fn shown_before(&self, t: Time) -> usize {
        self.verdict.shown.rank(self.rows.times().partition_point(|at| *at < t))
    }

    /// The `rank`-th line that passes.
    fn shown(&self, rank: usize) -> Option<Place> {
        self.place(self.verdict.shown.select(rank)?)
    }

    /// How many rows come before `place`, which may be of another stream.
    fn rows_before(&self, place: Place) -> usize {
        if place.stream == self.id {
            return place.row as usize;
        }
        let is_before = place.stream < self.id;
        self.rows
            .times()
            .partition_point(|at| *at < place.time || !is_before && *at == place.time)
    }

    fn place(&self, row: usize) -> Option<Place> {
        Some(Place {
            time: *self.rows.times().get(row)?,
            stream: self.id,
            row: u32::try_from(row).ok()?,
        })
    }
}

/// Greater than `low`.
fn above_middle(low: Time, high: Time) -> Time {
    let sum = i128::from(low.0) + i128::from(high.0) + 1;
    Time(i64::try_from(sum.div_euclid(2)).unwrap_or(high.0))
}

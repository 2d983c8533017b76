//! The lines that pass the filters, of any number of topics on one clock: found piece by piece, merged only where they are drawn.
//!
//! Invariants: a frame examines a bounded number of bytes; no line is copied or sorted as a whole, so the millionth costs what the
//! first does. The order of lines is receive time, then topic, then place in the recording.

use std::sync::Arc;

use crate::decode::{LogLevel, LogRow, Rows};
use crate::store::TopicId;
use crate::time::Time;

use super::filter::Compiled;

/// Bytes that one frame may examine.
const BYTES_A_FRAME: usize = 4 << 20;
/// What a line costs beside its text.
const BYTES_A_LINE: usize = 48;

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
    revision: u64,
}

struct Stream {
    id: StreamId,
    rows: Arc<Rows>,
    /// Rows that pass, and places in `shown` of those that the search finds.
    shown: Vec<u32>,
    hits: Vec<u32>,
    /// Places in `shown` of warnings and worse.
    marks: Vec<(u32, LogLevel)>,
    /// So many rows are examined.
    done: usize,
}

/// The rows of one chunk of a topic.
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

impl Lines {
    /// Takes what the store has now: blocks of each topic.
    pub fn take(&mut self, blocks: Vec<(TopicId, u64, Arc<Rows>)>) {
        let old = std::mem::take(&mut self.streams);
        let mut known: std::collections::BTreeMap<StreamId, Stream> = old.into_iter().map(|s| (s.id, s)).collect();
        let mut streams = Vec::with_capacity(blocks.len());
        for (topic, block, rows) in blocks {
            let Some(first) = rows.times().first().copied() else { continue };
            let id = StreamId { first, topic, block };
            streams.push(known.remove(&id).unwrap_or_else(|| Stream {
                id,
                rows,
                shown: Vec::new(),
                hits: Vec::new(),
                marks: Vec::new(),
                done: 0,
            }));
        }
        streams.sort_by_key(|s| s.id);
        self.streams = streams;
        self.count_all();
        self.index();
    }

    fn count_all(&mut self) {
        let mut nodes: std::collections::BTreeMap<Arc<str>, [u64; 5]> = std::collections::BTreeMap::new();
        self.levels = [0; 5];
        for (node, counts) in self.streams.iter().filter_map(|s| s.rows.log()).flat_map(|rows| rows.nodes()) {
            let sum = nodes.entry(node).or_default();
            for ((all, of_node), n) in self.levels.iter_mut().zip(sum).zip(counts) {
                *all += n;
                *of_node += n;
            }
        }
        self.nodes = nodes.into_iter().collect();
    }

    /// The filters changed: every line is to be examined anew.
    pub fn restart(&mut self) {
        for stream in &mut self.streams {
            stream.done = 0;
            stream.shown.clear();
            stream.hits.clear();
            stream.marks.clear();
        }
        self.index();
    }

    /// Examines some more lines, those nearest to `near` first. True: there are more.
    pub fn examine(&mut self, filter: &Compiled, near: Time) -> bool {
        let mut order: Vec<(i64, usize)> = self
            .streams
            .iter()
            .enumerate()
            .filter(|(_, s)| s.done < s.rows.len())
            .map(|(at, s)| (s.id.first.since(near).saturating_abs(), at))
            .collect();
        if order.is_empty() {
            return false;
        }
        order.sort_unstable();
        let mut left = BYTES_A_FRAME;
        for (_, at) in order {
            if left == 0 {
                break;
            }
            if let Some(stream) = self.streams.get_mut(at) {
                stream.examine(filter, &mut left);
            }
        }
        self.index();
        self.streams.iter().any(|s| s.done < s.rows.len())
    }

    fn index(&mut self) {
        (self.shown, self.hits) = (0, 0);
        self.latest.clear();
        self.before.clear();
        let mut latest = Time::MIN;
        for stream in &self.streams {
            latest = latest.max(stream.rows.times().last().copied().unwrap_or(Time::MIN));
            self.latest.push(latest);
            self.before.push(self.shown);
            self.shown += stream.shown.len();
            self.hits += stream.hits.len();
        }
        self.revision += 1;
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

    pub fn get(&self, place: Place) -> Option<LogRow<'_>> {
        let at = self.streams.binary_search_by_key(&place.stream, |s| s.id).ok()?;
        self.streams.get(at)?.rows.log()?.get(place.row as usize)
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
    fn at_time(&self, t: Time) -> Vec<Place> {
        let from = self.latest.partition_point(|latest| *latest < t);
        let to = self.streams.partition_point(|s| s.id.first <= t);
        let mut found = Vec::new();
        for stream in self.streams.get(from..to).unwrap_or_default() {
            let end = stream.shown_before(t.plus_nanos(1));
            found.extend((stream.shown_before(t)..end).filter_map(|at| stream.place(at)));
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
            for place in (at..stream.shown.len().min(at + needed)).filter_map(|at| stream.place(at)) {
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
            let place = |at: usize| stream.place(*stream.hits.get(at)? as usize);
            let cut = stream.hits.partition_point(|at| match (stream.place(*at as usize), from) {
                (Some(here), Some(from)) if forward => here <= from,
                (Some(here), Some(from)) => here < from,
                _ => !forward,
            });
            if forward { place(cut) } else { place(cut.checked_sub(1)?) }
        });
        if forward { candidates.min() } else { candidates.max() }
    }

    /// The nearest line after (or before) `from` of this level or worse.
    pub fn next_mark(&self, from: Option<Place>, forward: bool, level: LogLevel) -> Option<Place> {
        let candidates = self.streams.iter().filter_map(|stream| {
            let mut places = stream
                .marks
                .iter()
                .filter(|m| m.1 >= level)
                .filter_map(|m| stream.place(m.0 as usize));
            match forward {
                true => places.find(|p| from.is_none_or(|f| *p > f)),
                false => places.rfind(|p| from.is_none_or(|f| *p < f)),
            }
        });
        if forward { candidates.min() } else { candidates.max() }
    }

    /// How many of the hits come before `place`.
    pub fn hit_rank(&self, place: Place) -> usize {
        let before = |stream: &Stream| {
            stream
                .hits
                .partition_point(|at| stream.place(*at as usize).is_some_and(|p| p < place))
        };
        self.streams.iter().map(before).sum()
    }

    pub fn is_hit(&self, place: Place) -> bool {
        let Ok(at) = self.streams.binary_search_by_key(&place.stream, |s| s.id) else {
            return false;
        };
        self.streams.get(at).is_some_and(|stream| {
            let shown = stream.shown.binary_search(&place.row).ok().and_then(|at| u32::try_from(at).ok());
            shown.is_some_and(|at| stream.hits.binary_search(&at).is_ok())
        })
    }
}

impl Stream {
    fn examine(&mut self, filter: &Compiled, left: &mut usize) {
        let Some(rows) = self.rows.log() else {
            self.done = self.rows.len();
            return;
        };
        while self.done < rows.len() && *left > 0 {
            let at = self.done;
            self.done += 1;
            let Some(row) = rows.get(at) else { continue };
            *left = left.saturating_sub(row.text.len() + BYTES_A_LINE);
            if !filter.passes(&row) {
                continue;
            }
            let place = self.shown.len() as u32;
            if row.level >= LogLevel::Warn {
                self.marks.push((place, row.level));
            }
            if filter.finds(&row) {
                self.hits.push(place);
            }
            self.shown.push(at as u32);
        }
    }

    fn shown_before(&self, t: Time) -> usize {
        let times = self.rows.times();
        self.shown.partition_point(|row| times.get(*row as usize).is_some_and(|at| *at < t))
    }

    fn place(&self, at: usize) -> Option<Place> {
        let row = *self.shown.get(at)?;
        Some(Place {
            time: *self.rows.times().get(row as usize)?,
            stream: self.id,
            row,
        })
    }
}

/// Greater than `low`.
fn above_middle(low: Time, high: Time) -> Time {
    let sum = i128::from(low.0) + i128::from(high.0) + 1;
    Time(i64::try_from(sum.div_euclid(2)).unwrap_or(high.0))
}

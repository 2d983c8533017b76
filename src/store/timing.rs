//! What the times of a topic's messages say: rate, jitter, gaps, skew, order. Worked out of all rows that are loaded, on whatever thread
//! executes the work, and anew once they have grown.
//!
//! Definitions, so that a script can check them: the period is the time between one message and the next by receive time; the rate
//! is one over the mean period; jitter is the standard deviation of the periods; a gap is a period of more than [`GAP_PERIODS`]
//! times the median or the mean, whichever is longer (bursts make the median short), and, where a topic of [`RHYTHM_MESSAGES`] or more
//! is not latched, the time from its recording's beginning to its first message and from its last to the end, where that is as long, and
//! longer than [`EDGE_NANOS`]; skew is receive time minus header stamp; a message is out of order when its stamp is earlier than that of
//! one received before it.

use std::sync::Arc;

use super::cache::Unit;
use super::worked::Worked;
use super::{RowSet, Store, Task, TopicId, What, Work, WorkId};
use crate::decode::{Form, Rows};
use crate::time::{Span, Time};

const GAP_PERIODS: f64 = 2.5;
/// Fewer messages say nothing of when the next one should come.
const RHYTHM_MESSAGES: usize = 10;
/// A recorder starts and stops with one topic after the other.
const EDGE_NANOS: i64 = 1_000_000_000;
/// Of more gaps the longest are kept, and all are counted.
const MOST_GAPS: usize = 10_000;
/// More gaps are marked by parts of the recording.
const MOST_MARKS: usize = 200;
const SPREAD_BARS: usize = 48;
const DENSITY_PARTS: usize = 960;
pub const SPREAD_MEDIANS: i64 = 3;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timing {
    pub messages: u64,
    pub first: Option<Time>,
    pub last: Option<Time>,
    pub median_period_nanos: i64,
    pub mean_period_nanos: f64,
    pub jitter_nanos: f64,
    /// The longest time without a message, whether it is a gap or not.
    pub longest: Option<Gap>,
    pub gap_count: usize,
    /// In time order; of very many the longest.
    pub gaps: Vec<Gap>,
    /// Where the gaps are: each of them, or the parts of the recording that all of them touch.
    pub marks: Vec<Span>,
    /// How many periods are how long, in bars from 0 to [`SPREAD_MEDIANS`] medians; the last counts longer ones too.
    pub spread: Vec<u32>,
    density: Density,
}

/// How many messages lie in each of equal parts of a span.
#[derive(Clone, Debug, PartialEq)]
struct Density {
    span: Span,
    counts: Vec<u32>,
}

impl Default for Density {
    fn default() -> Density {
        let (span, counts) = (Span::at(Time(0)), Vec::new());
        Density { span, counts }
    }
}

impl Density {
    fn of(times: &[Time], span: Span) -> Density {
        let mut counts = vec![0; DENSITY_PARTS];
        let whole = span.nanos().max(1) as f64;
        for time in times.iter().filter(|t| span.contains(**t)) {
            let part = (time.since(span.start) as f64 / whole * DENSITY_PARTS as f64) as usize;
            if let Some(count) = counts.get_mut(part.min(DENSITY_PARTS - 1)) {
                *count += 1;
            }
        }
        Density { span, counts }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gap {
    /// The message before it, or the recording's beginning.
    pub from: Time,
    /// The first one after it, or the recording's end.
    pub to: Time,
    pub edge: Edge,
}

/// At which end of its recording a gap lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    None,
    Beginning,
    End,
}

impl Gap {
    pub fn nanos(self) -> i64 {
        self.to.since(self.from)
    }
}

impl Timing {
    /// `blocks` by chunk, in any order; spans of which nothing is loaded make no gap. `recording`: all of it; `within`: when messages of the
    /// topic could come, where all of them are loaded and none counts on after the next.
    pub fn of<'a>(blocks: impl Iterator<Item = &'a Arc<Rows>>, loaded: &[Span], recording: Span, within: Option<Span>) -> Timing {
        let mut times: Vec<Time> = blocks.flat_map(|rows| rows.times()).copied().collect();
        times.sort_unstable();
        let whole = |from: Time, to: Time| loaded.len() < 2 || loaded.iter().any(|s| s.contains(from) && s.contains(to));
        let pairs = times.iter().zip(times.iter().skip(1)).map(|(from, to)| Gap {
            from: *from,
            to: *to,
            edge: Edge::None,
        });
        let periods: Vec<Gap> = pairs.filter(|p| whole(p.from, p.to)).collect();
        let mut timing = Timing {
            messages: times.len() as u64,
            first: times.first().copied(),
            last: times.last().copied(),
            density: Density::of(&times, recording),
            ..Timing::default()
        };
        if periods.is_empty() {
            return timing;
        }
        let mut nanos: Vec<i64> = periods.iter().map(|p| p.nanos()).collect();
        nanos.sort_unstable();
        timing.median_period_nanos = median(&nanos);
        let count = nanos.len() as f64;
        let mean = nanos.iter().map(|n| *n as f64).sum::<f64>() / count;
        timing.mean_period_nanos = mean;
        timing.jitter_nanos = (nanos.iter().map(|n| (*n as f64 - mean).powi(2)).sum::<f64>() / count).sqrt();
        let bar_nanos = timing.median_period_nanos.max(1) as f64 * SPREAD_MEDIANS as f64 / SPREAD_BARS as f64;
        timing.spread = vec![0; SPREAD_BARS];
        for nanos in &nanos {
            let at = (*nanos as f64 / bar_nanos) as usize;
            if let Some(bar) = timing.spread.get_mut(at.min(SPREAD_BARS - 1)) {
                *bar += 1;
            }
        }
        let limit = mean.max(timing.median_period_nanos as f64) * GAP_PERIODS;
        let [before, after] = edges(&times, within).map(|edge| edge.filter(|gap| gap.nanos() as f64 > limit));
        let all = || before.iter().chain(&periods).chain(&after).copied();
        timing.longest = all().max_by_key(|gap| gap.nanos());
        timing.gaps = all().filter(|gap| gap.nanos() as f64 > limit).collect();
        timing.gap_count = timing.gaps.len();
        timing.marks = marks(&timing.gaps, recording);
        if timing.gap_count > MOST_GAPS {
            timing.gaps.sort_unstable_by_key(|gap| std::cmp::Reverse(gap.nanos()));
            timing.gaps.truncate(MOST_GAPS);
            timing.gaps.sort_unstable_by_key(|gap| gap.from);
        }
        timing
    }

    /// How many messages lie in each of equal parts of `span`, as finely as it is known.
    pub fn density(&self, span: Span, buckets: usize) -> Vec<f32> {
        let mut sums = vec![0.0_f32; buckets];
        let part_nanos = self.density.span.nanos() as f64 / self.density.counts.len().max(1) as f64;
        let bucket_nanos = span.nanos().max(1) as f64 / buckets.max(1) as f64;
        let offset_nanos = self.density.span.start.since(span.start) as f64;
        for (part, count) in self.density.counts.iter().enumerate().filter(|part| *part.1 > 0) {
            let mut from = (offset_nanos + part as f64 * part_nanos) / bucket_nanos;
            let mut to = from + (part_nanos / bucket_nanos).max(1e-9);
            // few are not divided: one message is one bar
            if *count <= 2 {
                from = (from + to) / 2.0;
                to = from + 1e-9;
            }
            let first = from.max(0.0) as usize;
            for (bucket, sum) in sums.iter_mut().enumerate().skip(first).take_while(|b| (b.0 as f64) < to) {
                let covered = to.min(bucket as f64 + 1.0) - from.max(bucket as f64);
                *sum += *count as f32 * (covered / (to - from)).clamp(0.0, 1.0) as f32;
            }
        }
        sums
    }

    pub fn rate_hz(&self) -> Option<f64> {
        (self.mean_period_nanos > 0.0).then(|| 1e9 / self.mean_period_nanos)
    }
}

/// What is silent before the first and after the last of many messages.
fn edges(times: &[Time], within: Option<Span>) -> [Option<Gap>; 2] {
    let (Some(within), [first, .., last]) = (within.filter(|_| times.len() >= RHYTHM_MESSAGES), times) else {
        return [None; 2];
    };
    let gap = |from, to, edge| Some(Gap { from, to, edge }).filter(|gap| gap.nanos() > EDGE_NANOS);
    [gap(within.start, *first, Edge::Beginning), gap(*last, within.end, Edge::End)]
}

fn marks(gaps: &[Gap], recording: Span) -> Vec<Span> {
    if gaps.len() <= MOST_MARKS {
        return gaps.iter().map(|gap| Span::new(gap.from, gap.to)).collect();
    }
    let part_nanos = recording.nanos() / DENSITY_PARTS as i64 + 1;
    let part = |t: Time| t.since(recording.start) / part_nanos;
    let begin = |part: i64| recording.start.plus_nanos(part.saturating_mul(part_nanos));
    let mut marks: Vec<Span> = Vec::new();
    for gap in gaps {
        let (from, to) = (begin(part(gap.from)), begin(part(gap.to) + 1));
        match marks.last_mut().filter(|last| from <= last.end) {
            Some(last) => last.end = last.end.max(to),
            None => marks.push(Span::new(from, to)),
        }
    }
    marks
}

/// Of header stamps and sizes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stamping {
    /// Messages with a stamp that is not zero.
    pub stamped: u64,
    /// Messages whose stamp was never set.
    pub unset: u64,
    pub median_skew_nanos: i64,
    pub least_skew_nanos: i64,
    pub greatest_skew_nanos: i64,
    pub out_of_order: u64,
    pub mean_size_bytes: f64,
    pub greatest_size_bytes: u32,
}

impl Stamping {
    pub fn of<'a>(blocks: impl Iterator<Item = &'a Arc<Rows>>) -> Stamping {
        let mut all: Vec<(Time, Option<Time>)> = Vec::new();
        let mut stamping = Stamping::default();
        let mut sum = 0_u64;
        for rows in blocks {
            for (time, stamped) in rows.times().iter().zip(rows.stamps()) {
                all.push((*time, stamped.stamp));
                sum += u64::from(stamped.size_bytes);
                stamping.greatest_size_bytes = stamping.greatest_size_bytes.max(stamped.size_bytes);
            }
        }
        all.sort_by_key(|a| a.0);
        stamping.mean_size_bytes = sum as f64 / all.len().max(1) as f64;
        let mut latest = Time::MIN;
        let mut skews: Vec<i64> = Vec::with_capacity(all.len());
        for (time, stamp) in all {
            let Some(stamp) = stamp else { continue };
            if stamp == Time(0) {
                stamping.unset += 1;
                continue;
            }
            skews.push(time.since(stamp));
            stamping.out_of_order += u64::from(stamp < latest);
            latest = latest.max(stamp);
        }
        skews.sort_unstable();
        stamping.stamped = skews.len() as u64;
        if let (Some(least), Some(greatest)) = (skews.first(), skews.last()) {
            stamping.least_skew_nanos = *least;
            stamping.greatest_skew_nanos = *greatest;
            stamping.median_skew_nanos = median(&skews);
        }
        stamping
    }
}

/// Of sorted values, not empty: the mean of the middle two where their number is even, cut to nanoseconds.
fn median(sorted: &[i64]) -> i64 {
    let middle = sorted.len() / 2;
    let at = |i: usize| sorted.get(i).copied().unwrap_or(0);
    if sorted.len() % 2 == 1 {
        at(middle)
    } else {
        let sum = i128::from(at(middle.saturating_sub(1))) + i128::from(at(middle));
        i64::try_from(sum / 2).unwrap_or(i64::MAX)
    }
}

/// Rows that figures are to be worked out of: plain data, so that any thread may.
#[derive(Clone, Debug)]
pub struct FiguresTask {
    form: Form,
    blocks: Vec<Arc<Rows>>,
    loaded: Vec<Span>,
    bounds: Bounds,
}

/// When anything of all recordings, and when messages of the topic, could come.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bounds {
    recording: Span,
    within: Option<Span>,
}

/// Of receive times alone, or of stamps and sizes.
#[derive(Clone, Debug, PartialEq)]
pub enum Figures {
    Timing(Timing),
    Stamping(Stamping),
}

impl FiguresTask {
    pub fn run(&self) -> Figures {
        match self.form {
            Form::Stamps => Figures::Stamping(Stamping::of(self.blocks.iter())),
            _ => Figures::Timing(Timing::of(
                self.blocks.iter(),
                &self.loaded,
                self.bounds.recording,
                self.bounds.within,
            )),
        }
    }
}

/// Figures of a topic's rows in a form, by the revision of these.
pub(super) struct FigureSet {
    topic: TopicId,
    form: Form,
    worked: Worked<u64, Figures>,
    /// How many rows they are of.
    rows: usize,
    bounds: Option<Bounds>,
}

impl Store {
    fn figures(&self, topic: TopicId, form: Form) -> Option<&(u64, Figures)> {
        let set = self.figures.iter().find(|f| f.topic == topic && f.form == form)?;
        set.worked.done()
    }

    /// As it was worked out last. Wants [`What::Figures`], and [`What::Rows`] of [`Form::Arrivals`].
    pub fn timing(&self, topic: TopicId) -> Option<&Timing> {
        match self.figures(topic, Form::Arrivals)? {
            (_, Figures::Timing(timing)) => Some(timing),
            _ => None,
        }
    }

    /// As it was worked out last. Wants [`What::Figures`], and [`What::Rows`] of [`Form::Stamps`].
    pub fn stamping(&self, topic: TopicId) -> Option<&Stamping> {
        match self.figures(topic, Form::Stamps)? {
            (_, Figures::Stamping(stamping)) => Some(stamping),
            _ => None,
        }
    }

    /// A place for those that are wanted for the first time; those that nobody wants any more go, and their work with them.
    pub(super) fn add_figures(&mut self) {
        let wanted = self.wants.iter().filter_map(|want| match want.what {
            What::Figures(form) => Some((want.topic, form)),
            _ => None,
        });
        let wanted: Vec<(TopicId, Form)> = wanted.collect();
        let is_wanted = |set: &FigureSet| wanted.contains(&(set.topic, set.form));
        let gone = self.figures.iter().filter(|f| !is_wanted(f)).filter_map(|f| f.worked.flight());
        self.queue.extend(gone.map(Work::Cancel));
        self.figures.retain(is_wanted);
        for (topic, form) in wanted {
            if !self.figures.iter().any(|f| f.topic == topic && f.form == form) {
                self.figures.push(FigureSet {
                    topic,
                    form,
                    worked: Worked::default(),
                    rows: 0,
                    bounds: None,
                });
            }
        }
    }

    /// Rows that the figures are not of yet. While these grow only now and then: all of them are looked at.
    fn due_rows(&self, set: &FigureSet) -> Option<&RowSet> {
        let number = self.rows_number(set.topic, set.form)?;
        let rows = self.row_sets.get(number as usize)?;
        let is_due = !self.is_being_read(Unit::Rows(number)) || rows.len() > set.rows + set.rows / 4;
        let is_new = set.worked.done().is_none_or(|(of, _)| *of != rows.revision());
        // of a recording that is still being indexed more is known later
        let is_within_others = || set.form == Form::Arrivals && set.bounds != Some(self.bounds(set.topic, rows));
        (is_due && (is_new || is_within_others())).then_some(rows)
    }

    fn bounds(&self, topic: TopicId, rows: &RowSet) -> Bounds {
        let recording = self.span().unwrap_or(Span::at(Time(0)));
        let is_whole = rows.is_complete(recording) && self.topic(topic).is_some_and(|t| !t.latching);
        let index = self.index.get(topic.0 as usize).filter(|_| is_whole);
        Bounds {
            recording,
            within: index.and_then(|index| index.recorded),
        }
    }

    pub(super) fn issue_figures(&mut self, out: &mut Vec<Work>) {
        for at in 0..self.figures.len() {
            let Some(set) = self.figures.get(at).filter(|f| f.worked.flight().is_none()) else {
                continue;
            };
            let Some(rows) = self.due_rows(set) else { continue };
            let (revision, count) = (rows.revision(), rows.len());
            let bounds = self.bounds(set.topic, rows);
            let task = Task::Figures(FiguresTask {
                form: set.form,
                blocks: rows.blocks().map(|b| b.rows.clone()).collect(),
                loaded: rows.loaded().to_vec(),
                bounds,
            });
            let id = self.new_id();
            if let Some(set) = self.figures.get_mut(at) {
                set.worked.begin(id, revision);
                set.rows = count;
                set.bounds = Some(bounds);
                out.push(Work::Compute { id, task });
            }
        }
    }

    /// None: it crashed, and nothing is told.
    pub(super) fn figures_done(&mut self, id: WorkId, figures: Option<Figures>) {
        if let Some(set) = self.figures.iter_mut().find(|f| f.worked.flight() == Some(id)) {
            set.worked.end(figures.unwrap_or(Figures::Timing(Timing::default())));
        }
    }

    pub(super) fn is_figuring(&self) -> bool {
        self.figures
            .iter()
            .any(|f| f.worked.flight().is_some() || self.due_rows(f).is_some())
    }
}

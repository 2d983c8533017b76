//! Lines of a log in one chunk: the text packed, heads (level, node, place) kept once.
//!
//! Invariant: a line takes 16 bytes beside its packed text, so that ten million lines fit into a budget of a gigabyte.

use std::collections::HashMap;
use std::sync::Arc;

use crate::decode::{LogLevel, LogLine};
use crate::time::{Span, Time};

/// Less text is kept as it is.
const LEAST_PACKED: usize = 16 << 10;
/// How many lines come before is known of each of so many.
const COUNTED_TOGETHER: usize = 256;

/// Lines of a log by receive time.
#[derive(Debug, Default)]
pub struct LogRows {
    /// Of each line: where its text ends; it starts where that of the line before ends, and its newline.
    ends: Vec<u32>,
    /// Of each line: its head.
    head_of: Vec<u32>,
    heads: Vec<Head>,
    /// As `heads`: how many lines.
    counts: Vec<u32>,
    nodes: Vec<Arc<str>>,
    places: Vec<Place>,
    text: Text,
    /// Of all lines.
    levels: LevelCounts,
    known: Known,
}

/// Lines by level: how many come before each [`COUNTED_TOGETHER`]th. So many lines cost no more to count than a few.
#[derive(Clone, Debug, Default)]
pub struct LevelCounts(Box<[[u32; 5]]>);

/// What lines share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Head {
    pub level: LogLevel,
    node: u32,
    place: u32,
}

/// Numbers of what is kept once; only while lines are added.
#[derive(Debug, Default)]
struct Known {
    heads: HashMap<Head, u32>,
    nodes: HashMap<Arc<str>, u32>,
    places: HashMap<Place, u32>,
}

/// Where in the source code a line was written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    file: Arc<str>,
    function: Arc<str>,
    line: u32,
}

/// All texts, each behind a newline, and all stamps.
#[derive(Debug)]
enum Text {
    Growing(String, Vec<Option<Time>>),
    Plain(Arc<Opened>),
    /// Stamps and text in an LZ4 block.
    Packed {
        block: Box<[u8]>,
        stamps: usize,
    },
}

impl Default for Text {
    fn default() -> Text {
        Text::Growing(String::new(), Vec::new())
    }
}

/// A log's texts and stamps, unpacked.
#[derive(Debug, Default)]
pub struct Opened {
    text: String,
    stamps: Vec<Option<Time>>,
}

/// A line as it is kept.
#[derive(Clone, Copy, Debug)]
pub struct LogRow<'a> {
    pub stamp: Option<Time>,
    pub level: LogLevel,
    pub node: &'a Arc<str>,
    pub file: &'a str,
    pub function: &'a str,
    pub line: u32,
    pub text: &'a str,
}

impl LogRows {
    pub(super) fn push(&mut self, line: &LogLine) {
        let Text::Growing(text, stamps) = &mut self.text else { return };
        let known = &mut self.known;
        let node = *known.nodes.entry(line.node.clone()).or_insert_with(|| {
            self.nodes.push(line.node.clone());
            self.nodes.len() as u32 - 1
        });
        let place = Place {
            file: line.file.clone(),
            function: line.function.clone(),
            line: line.line,
        };
        let place = *known.places.entry(place).or_insert_with_key(|place| {
            self.places.push(place.clone());
            self.places.len() as u32 - 1
        });
        let level = line.level;
        let head = Head { level, node, place };
        let head = *known.heads.entry(head).or_insert_with(|| {
            self.heads.push(head);
            self.counts.push(0);
            self.heads.len() as u32 - 1
        });
        if let Some(count) = self.counts.get_mut(head as usize) {
            *count += 1;
        }
        // a chunk of more than 4 GiB of text there is none
        text.push('\n');
        text.push_str(&line.text);
        stamps.push(line.stamp);
        self.ends.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
        self.head_of.push(head);
    }

    /// All lines are there.
    pub(super) fn shrink(&mut self) {
        self.levels = LevelCounts::new(self, |_| true);
        self.ends.shrink_to_fit();
        self.head_of.shrink_to_fit();
        self.known = Known::default();
        let Text::Growing(text, stamps) = &mut self.text else { return };
        let (mut text, mut stamps) = (std::mem::take(text), std::mem::take(stamps));
        self.text = if text.len() < LEAST_PACKED {
            text.shrink_to_fit();
            stamps.shrink_to_fit();
            Text::Plain(Arc::new(Opened { text, stamps }))
        } else {
            // deltas of neighbours repeat, so that they pack well
            let mut bytes = std::mem::take(&mut text).into_bytes();
            bytes.reserve_exact(stamps.len() * 8);
            let mut before = 0_i64;
            for stamp in &stamps {
                let nanos = stamp.map_or(NO_STAMP, Time::nanos);
                bytes.extend_from_slice(&nanos.wrapping_sub(before).to_le_bytes());
                before = nanos;
            }
            let block = lz4_flex::block::compress_prepend_size(&bytes);
            Text::Packed {
                block: block.into_boxed_slice(),
                stamps: stamps.len(),
            }
        };
    }

    pub(super) fn bytes(&self) -> usize {
        let names: usize = self.nodes.iter().map(|n| n.len() + 32).sum();
        let places: usize = self.places.iter().map(|p| p.file.len() + p.function.len() + 64).sum();
        let text = match &self.text {
            Text::Growing(text, stamps) => text.capacity() + stamps.capacity() * 16,
            Text::Plain(opened) => opened.bytes() as usize,
            Text::Packed { block, .. } => block.len(),
        };
        (self.ends.capacity() + self.head_of.capacity()) * 4
            + self.levels.bytes()
            + self.heads.len() * (size_of::<Head>() + 4)
            + text
            + names
            + places
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// What `f` makes of all texts, each behind a newline.
    pub fn with_text<T>(&self, f: impl FnOnce(&str) -> T) -> T {
        match &self.text {
            Text::Plain(opened) => f(opened.text()),
            Text::Packed { block, stamps } => f(&unpacked_text(block, *stamps).unwrap_or_default().0),
            Text::Growing(..) => f(""),
        }
    }

    /// Unpacks texts and stamps.
    pub fn open(&self) -> Arc<Opened> {
        match &self.text {
            Text::Plain(opened) => Arc::clone(opened),
            Text::Packed { block, stamps } => Arc::new(unpacked(block, *stamps).unwrap_or_default()),
            Text::Growing(..) => Arc::default(),
        }
    }

    pub fn get<'a>(&'a self, opened: &'a Opened, index: usize) -> Option<LogRow<'a>> {
        let head = self.head(index)?;
        let place = self.places.get(head.place as usize)?;
        Some(LogRow {
            stamp: *opened.stamps.get(index)?,
            level: head.level,
            node: self.node(head)?,
            file: &place.file,
            function: &place.function,
            line: place.line,
            text: opened.text.get(self.text_range(index)?)?,
        })
    }

    pub fn levels(&self) -> &LevelCounts {
        &self.levels
    }

    pub fn head(&self, index: usize) -> Option<Head> {
        self.heads.get(*self.head_of.get(index)? as usize).copied()
    }

    /// Of each line: the place of its head in [`LogRows::heads`].
    pub fn head_numbers(&self) -> &[u32] {
        &self.head_of
    }

    pub fn heads(&self) -> &[Head] {
        &self.heads
    }

    pub fn node(&self, head: Head) -> Option<&Arc<str>> {
        self.nodes.get(head.node as usize)
    }

    /// Where in [`Opened::text`] a line's text is.
    fn text_range(&self, index: usize) -> Option<std::ops::Range<usize>> {
        let end = *self.ends.get(index)? as usize;
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)? as usize,
            None => 0,
        };
        Some(start + 1..end)
    }

    /// Of each line: where its text ends in [`Opened::text`]. It starts one byte behind the end of the line before.
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// Every node that wrote a line, in the order of their first lines, with the number of lines by level.
    pub fn nodes(&self) -> Vec<(Arc<str>, [u64; 5])> {
        let mut out: Vec<(Arc<str>, [u64; 5])> = self.nodes.iter().map(|n| (n.clone(), [0; 5])).collect();
        for (head, n) in self.heads.iter().zip(&self.counts) {
            if let Some(count) = out
                .get_mut(head.node as usize)
                .and_then(|(_, counts)| counts.get_mut(head.level as usize))
            {
                *count += u64::from(*n);
            }
        }
        out
    }
}

impl LevelCounts {
    /// Of the lines that `is_counted`.
    pub fn new(rows: &LogRows, is_counted: impl Fn(usize) -> bool) -> LevelCounts {
        let mut so_far = [0; 5];
        let mut counts = Vec::with_capacity(rows.len().div_ceil(COUNTED_TOGETHER));
        for from in (0..rows.len()).step_by(COUNTED_TOGETHER) {
            counts.push(so_far);
            count(rows, from..rows.len().min(from + COUNTED_TOGETHER), &is_counted, &mut so_far);
        }
        LevelCounts(counts.into())
    }

    pub fn bytes(&self) -> usize {
        self.0.len() * size_of::<[u32; 5]>()
    }

    /// Adds how many lines of each level are in equal parts of `whole`: of the same lines that it was made of, at these times.
    pub fn add_to(&self, rows: &LogRows, times: &[Time], is_counted: impl Fn(usize) -> bool, whole: Span, out: &mut [[f32; 5]]) {
        let parts = out.len() as i128;
        let nanos = i128::from(whole.nanos().max(1));
        let mut at = times.partition_point(|t| *t < whole.start);
        let end = times.partition_point(|t| *t <= whole.end);
        let mut before = self.before(rows, at, &is_counted);
        while let Some(time) = times.get(at).filter(|_| at < end) {
            // the end of all belongs to the last part
            let part = (i128::from(time.since(whole.start)) * parts / nanos).min(parts - 1);
            let part_nanos = ((part + 1) * nanos + parts - 1) / parts;
            let is_last = part + 1 == parts;
            let next = match times.get(at..end) {
                Some(rest) if !is_last => at + rest.partition_point(|t| i128::from(t.since(whole.start)) < part_nanos),
                _ => end,
            };
            let after = self.before(rows, next, &is_counted);
            if let Some(sums) = usize::try_from(part).ok().and_then(|part| out.get_mut(part)) {
                for ((sum, after), before) in sums.iter_mut().zip(after).zip(before) {
                    *sum += after.saturating_sub(before) as f32;
                }
            }
            (at, before) = (next.max(at + 1), after);
        }
    }

    /// Of the lines before this one.
    fn before(&self, rows: &LogRows, index: usize, is_counted: impl Fn(usize) -> bool) -> [u32; 5] {
        let index = index.min(rows.len());
        let together = (index / COUNTED_TOGETHER).min(self.0.len().saturating_sub(1));
        let mut counts = self.0.get(together).copied().unwrap_or_default();
        count(rows, together * COUNTED_TOGETHER..index, is_counted, &mut counts);
        counts
    }
}

fn count(rows: &LogRows, lines: std::ops::Range<usize>, is_counted: impl Fn(usize) -> bool, counts: &mut [u32; 5]) {
    for head in lines.filter(|line| is_counted(*line)).filter_map(|line| rows.head(line)) {
        if let Some(count) = counts.get_mut(head.level as usize) {
            *count += 1;
        }
    }
}

/// Stands for no stamp: no recording is of the year 1677.
const NO_STAMP: i64 = i64::MIN;

fn unpacked(block: &[u8], stamps: usize) -> Option<Opened> {
    let (text, deltas) = unpacked_text(block, stamps)?;
    let mut before = 0_i64;
    let stamp = |delta: &[u8]| {
        before = before.wrapping_add(i64::from_le_bytes(delta.try_into().unwrap_or_default()));
        (before != NO_STAMP).then_some(Time(before))
    };
    Some(Opened {
        stamps: deltas.chunks_exact(8).map(stamp).collect(),
        text,
    })
}

/// The texts, and the differences of the stamps behind them.
fn unpacked_text(block: &[u8], stamps: usize) -> Option<(String, Vec<u8>)> {
    let mut bytes = lz4_flex::block::decompress_size_prepended(block).ok()?;
    let deltas = bytes.split_off(bytes.len().checked_sub(stamps * 8)?);
    Some((String::from_utf8(bytes).ok()?, deltas))
}

impl Opened {
    /// All texts, each behind a newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn bytes(&self) -> u64 {
        (self.text.capacity() + self.stamps.capacity() * size_of::<Option<Time>>()) as u64
    }
}

//! What is derived of all scenes: which lie in what is open, lanes by class, the rows of the list.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{Key, ScenesState, shifted};
use crate::scenes::Scene;
use crate::store::SourceInfo;
use crate::time::{Span, Time};

/// Scenes that are of no class.
pub const NO_CLASS: &str = "scenes";
/// More classes have no lane of their own.
const MOST_LANES: usize = 24;
const OTHER: &str = "other";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Time,
    Class,
    Length,
    Recording,
}

impl Sort {
    pub const ALL: [Sort; 4] = [Sort::Time, Sort::Class, Sort::Length, Sort::Recording];

    pub fn name(self) -> &'static str {
        match self {
            Sort::Time => "Time",
            Sort::Class => "Class",
            Sort::Length => "Length, the longest first",
            Sort::Recording => "Recording",
        }
    }
}

/// How the list is filtered and sorted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Order {
    pub filter: String,
    /// Classes that are not shown, in the list or on the timeline.
    pub hidden: BTreeSet<String>,
    pub sort: Sort,
    /// Only what lies in what is open.
    pub only_open: bool,
    /// Only what is odd.
    pub only_odd: bool,
}

pub struct Lane {
    pub class: String,
    /// Which of the colours of classes.
    pub color: usize,
    /// Of scenes in what is open, by their start.
    pub spans: Vec<(Span, Key)>,
    pub longest_nanos: i64,
}

impl Lane {
    /// Those that lie in `shown`, by their start.
    pub fn within(&self, shown: Span) -> impl Iterator<Item = &(Span, Key)> {
        let earliest = shown.start.plus_nanos(-self.longest_nanos);
        let first = self.spans.partition_point(|(span, _)| span.start < earliest);
        let from_first = self.spans.get(first..).unwrap_or_default().iter();
        from_first
            .take_while(move |(span, _)| span.start <= shown.end)
            .filter(move |(span, _)| span.end >= shown.start)
    }
}

/// A class of all scenes, shown or not.
pub struct Class {
    pub name: String,
    pub color: usize,
    pub count: usize,
}

#[derive(Default)]
pub struct Index {
    stamp: Option<Stamp>,
    order: Order,
    /// By name.
    pub classes: Vec<Class>,
    /// As classes; those with nothing in what is open have none.
    pub lanes: Vec<Lane>,
    /// As the list shows them.
    pub rows: Vec<Key>,
    /// Colours of classes, as they came.
    colors: HashMap<String, usize>,
    /// Of scenes in what is open: the times at which they are there.
    spans: HashMap<Key, Span>,
    /// Scenes of what is open at whose times there is nothing.
    outside: HashSet<Key>,
    /// Of rows in what is open: by their start.
    steps: Vec<(Time, Key)>,
    /// Of all sets: scenes with something odd about them.
    pub odd: usize,
    /// Whether some are of recordings that are not open.
    pub has_others: bool,
}

type Stamp = (u64, u64, usize);

impl Index {
    pub fn is_of(&self, stamp: Stamp, order: &Order) -> bool {
        self.stamp == Some(stamp) && self.order == *order
    }

    pub fn new(scenes: &ScenesState, sources: &[SourceInfo], whole: Option<Span>, stamp: Stamp) -> Index {
        let order = scenes.list.order.clone();
        let mut index = Index {
            stamp: Some(stamp),
            colors: scenes.index.colors.clone(),
            ..Index::default()
        };
        let words: Vec<String> = order.filter.split_whitespace().map(str::to_lowercase).collect();
        let mut sources_of = SourcesOf::new(scenes, sources, whole);
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let mut lanes: BTreeMap<&str, Vec<(Span, Key)>> = BTreeMap::new();
        for held in scenes.sets.iter().filter(|held| !held.is_hidden) {
            for (at, scene) in held.set.scenes.iter().enumerate() {
                let key = Key { set: held.number, at };
                let class = class_of(scene);
                *counts.entry(class).or_default() += 1;
                let place = sources_of.place(scene);
                let span = match place {
                    Some((span, true)) => Some(span),
                    _ => None,
                };
                match place {
                    Some((span, true)) => drop(index.spans.insert(key, span)),
                    Some(_) => drop(index.outside.insert(key)),
                    None => index.has_others = true,
                }
                let is_odd = !scene.odd.is_empty() || index.outside.contains(&key);
                index.odd += usize::from(is_odd);
                if order.hidden.contains(class) {
                    continue;
                }
                if let Some(span) = span {
                    lanes.entry(class).or_default().push((span, key));
                }
                let is_listed = (span.is_some() || !order.only_open) && (is_odd || !order.only_odd) && fits(scene, &words);
                if is_listed {
                    index.rows.push(key);
                    index.steps.extend(span.map(|span| (span.start, key)));
                }
            }
        }
        index.steps.sort_unstable();
        for (name, count) in counts {
            let next = index.colors.len();
            let color = *index.colors.entry(name.to_owned()).or_insert(next);
            let name = name.to_owned();
            index.classes.push(Class { name, color, count });
        }
        index.lanes = lanes_of(lanes, &index.colors);
        index.order_rows(scenes, order.sort);
        index.order = order;
        index
    }

    fn order_rows(&mut self, scenes: &ScenesState, sort: Sort) {
        let scene = |key: &Key| scenes.get(*key);
        let start = |key: &Key| {
            let start = scene(key).and_then(|scene| scene.start);
            (start.is_none(), start)
        };
        let length = |key: &Key| scene(key).and_then(Scene::span).map_or(-1, Span::nanos);
        let class = |key: &Key| scene(key).map_or("", class_of);
        let record = |key: &Key| scene(key).map_or("", |scene| &*scene.record);
        match sort {
            Sort::Time => self.rows.sort_by_key(start),
            Sort::Class => self.rows.sort_by(|a, b| (class(a), start(a)).cmp(&(class(b), start(b)))),
            Sort::Length => self.rows.sort_by(|a, b| length(b).cmp(&length(a)).then(start(a).cmp(&start(b)))),
            Sort::Recording => self.rows.sort_by(|a, b| (record(a), start(a)).cmp(&(record(b), start(b)))),
        }
    }

    /// When a scene is there, on the window's clock; None where its recording is not open.
    pub fn shown_span(&self, key: Key) -> Option<Span> {
        self.spans.get(&key).copied()
    }

    /// Whether its recording is open, and there is nothing at its time.
    pub fn is_outside(&self, key: Key) -> bool {
        self.outside.contains(&key)
    }

    /// The colour of a class.
    pub fn color(&self, class: &str) -> usize {
        self.colors.get(class).copied().unwrap_or(0)
    }

    pub fn first_after(&self, now: Time) -> Option<Key> {
        let at = self.steps.partition_point(|(start, _)| *start <= now);
        self.steps.get(at).map(|(_, key)| *key)
    }

    pub fn last_before(&self, now: Time) -> Option<Key> {
        let at = self.steps.partition_point(|(start, _)| *start < now);
        self.steps.get(at.checked_sub(1)?).map(|(_, key)| *key)
    }

    /// The shortest scene at a moment.
    pub fn at(&self, now: Time) -> Option<(Key, Span)> {
        let there = self.lanes.iter().flat_map(|lane| lane.within(Span::at(now)));
        there.min_by_key(|(span, _)| span.nanos()).map(|(span, key)| (*key, *span))
    }
}

pub fn class_of(scene: &Scene) -> &str {
    scene.class.as_deref().unwrap_or(NO_CLASS)
}

fn lanes_of(lanes: BTreeMap<&str, Vec<(Span, Key)>>, color_of: &HashMap<String, usize>) -> Vec<Lane> {
    let mut made: Vec<Lane> = Vec::new();
    for (class, spans) in lanes {
        let has_room = made.len() < MOST_LANES;
        match made.last_mut().filter(|_| !has_room) {
            Some(last) => {
                OTHER.clone_into(&mut last.class);
                last.spans.extend(spans);
            }
            None => made.push(Lane {
                color: color_of.get(class).copied().unwrap_or(0),
                class: class.to_owned(),
                spans,
                longest_nanos: 0,
            }),
        }
    }
    for lane in &mut made {
        lane.spans.sort_unstable_by_key(|(span, key)| (span.start, span.end, *key));
        lane.longest_nanos = lane.spans.iter().map(|(span, _)| span.nanos()).max().unwrap_or(0);
    }
    made
}

fn fits(scene: &Scene, words: &[String]) -> bool {
    if words.is_empty() {
        return true;
    }
    let mut text = String::new();
    let parts = [&scene.id, &scene.record].into_iter().map(String::as_str);
    let given = [&scene.class, &scene.text].into_iter().flatten().map(String::as_str);
    let notes = scene.notes.iter().flat_map(|(name, value)| [&**name, &**value]);
    for part in parts.chain(given).chain(notes) {
        text.push_str(part);
        text.push(' ');
    }
    let text = text.to_lowercase();
    words.iter().all(|word| text.contains(word))
}

/// Name, bucket and prefix of a recording.
type Named<'a> = (&'a str, Option<&'a str>, Option<&'a str>);

/// Which open recording a scene is of. What tables call recordings is looked up once for each.
struct SourcesOf<'a> {
    scenes: &'a ScenesState,
    sources: &'a [SourceInfo],
    whole: Option<Span>,
    known: HashMap<Named<'a>, Option<i64>>,
}

impl<'a> SourcesOf<'a> {
    fn new(scenes: &'a ScenesState, sources: &'a [SourceInfo], whole: Option<Span>) -> SourcesOf<'a> {
        SourcesOf {
            scenes,
            sources,
            whole,
            known: HashMap::new(),
        }
    }

    /// When it is there, and whether that is in what is open; None where its recording is not open. One that names no recording is of
    /// what is open at its time.
    fn place(&mut self, scene: &'a Scene) -> Option<(Span, bool)> {
        let (span, whole) = (scene.span()?, self.whole?);
        if scene.is_of_any() {
            return whole.contains(span.start).then_some((span, true));
        }
        let (scenes, sources) = (self.scenes, self.sources);
        let name: Named = (&*scene.record, scene.bucket.as_deref(), scene.prefix.as_deref());
        let shift = *self.known.entry(name).or_insert_with(|| {
            let mut of = sources.iter().filter(|source| scenes.is_of(scene, source));
            of.next().map(|source| source.shift_nanos)
        });
        let shift = shift?;
        let moved = Span::new(shifted(span.start, shift), shifted(span.end, shift));
        Some((moved, whole.overlaps(moved)))
    }
}

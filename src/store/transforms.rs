//! The transform tree: samples by child frame, each with its receive time, and a pure walk over them.
//!
//! Invariant: only what was received at or before the playhead is visible, whatever else is loaded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use glam::{DAffine3, DQuat, DVec3};

use super::TopicId;
use super::index::ChunkKey;
use crate::decode::TransformStamped;
use crate::time::Time;

const BLOCK_SAMPLES: usize = 512;

/// The transform tree at the playhead: per child frame, samples by header stamp; only what was received at or before it.
#[derive(Default)]
pub struct Transforms {
    pub(super) now: Time,
    /// Topics all of whose samples count; of others only those in `active` chunks do.
    pub(super) whole: BTreeSet<TopicId>,
    /// Sorted.
    pub(super) active: Vec<ChunkKey>,
    children: BTreeMap<Arc<str>, Vec<Track>>,
    names: BTreeSet<Arc<str>>,
    samples: usize,
}

/// What one topic says of a frame's place in another, as far as it has been received at the playhead.
#[derive(Clone, Debug)]
pub struct Branch {
    pub child: Arc<str>,
    pub parent: Arc<str>,
    pub topic: TopicId,
    /// Valid for ever.
    pub is_static: bool,
    /// How often it came lately; None for what came once.
    pub rate_hz: Option<f64>,
    /// Of the newest sample: its header stamp and receive time.
    pub stamp: Time,
    pub received: Time,
    /// `parent_from_child`.
    pub translation: DVec3,
    pub rotation: DQuat,
    pub flaw: Option<Flaw>,
}

/// What is wrong with a transform itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It names no child frame: it places nothing.
    Nameless,
    /// A number of it is none, or infinite: it places nothing, what was told before it still holds.
    NotFinite,
    /// A quaternion of length 0: taken as no rotation.
    NoRotation,
    /// A quaternion whose length is not 1: made that long.
    Denormalized,
}

impl Flaw {
    /// As tf2, which drops a transform whose quaternion's squared length is farther from 1.
    const TOLERANCE: f64 = 0.01;
    /// Of less squared length a quaternion tells no rotation.
    const LEAST: f64 = 1e-12;

    fn of(translation: DVec3, rotation: DQuat) -> Option<Flaw> {
        if !translation.is_finite() || !rotation.is_finite() {
            return Some(Flaw::NotFinite);
        }
        let squared = rotation.length_squared();
        match (squared < Flaw::LEAST, (squared - 1.0).abs() > Flaw::TOLERANCE) {
            (true, _) => Some(Flaw::NoRotation),
            (_, true) => Some(Flaw::Denormalized),
            _ => None,
        }
    }
}

/// The samples of one child frame from one topic.
struct Track {
    topic: TopicId,
    /// Valid for ever; the last received counts. Sorted by receive time; others by stamp.
    is_static: bool,
    blocks: Vec<TrackBlock>,
}

struct TrackBlock {
    samples: Vec<Sample>,
    first_received: Time,
}

#[derive(Clone)]
struct Sample {
    stamp: Time,
    received: Time,
    key: ChunkKey,
    parent: Arc<str>,
    translation: DVec3,
    rotation: [f64; 4],
    flaw: Option<Flaw>,
}

impl Sample {
    fn parent_from_child(&self) -> DAffine3 {
        DAffine3::from_rotation_translation(DQuat::from_array(self.rotation), self.translation)
    }
}

impl Transforms {
    /// `target_from_source` at `stamp` (interpolated; before the first or after the last sample the nearest one holds), or a
    /// sentence that says what is missing and which frames there are.
    pub fn lookup(&self, target: &str, source: &str, stamp: Time) -> Result<DAffine3, String> {
        let (target, source) = (bare(target), bare(source));
        if target == source {
            return Ok(DAffine3::IDENTITY);
        }
        let up_from_source = self.chain(source, stamp)?;
        let up_from_target = self.chain(target, stamp)?;
        for (frame, common_from_target) in &up_from_target {
            if let Some((_, common_from_source)) = up_from_source.iter().find(|(f, _)| f == frame) {
                return Ok(common_from_target.inverse() * *common_from_source);
            }
        }
        Err(self.why_apart(target, source, &up_from_target, &up_from_source))
    }

    /// All frames, sorted.
    pub fn frames(&self) -> Vec<Arc<str>> {
        let mut all: BTreeSet<Arc<str>> = BTreeSet::new();
        for child in self.children.keys() {
            if let Some(parent) = self.parent(child) {
                all.insert(child.clone());
                all.insert(parent);
            }
        }
        all.into_iter().collect()
    }

    /// What every topic says of every frame, by frame, the newest first. A frame with two parents has two branches.
    pub fn branches(&self) -> Vec<Branch> {
        let mut out: Vec<Branch> = Vec::new();
        for (child, tracks) in &self.children {
            let first = out.len();
            for track in tracks {
                let lately = self.lately(track);
                let mut parents: Vec<&Arc<str>> = Vec::new();
                for newest in &lately {
                    if parents.contains(&&newest.parent) {
                        continue;
                    }
                    parents.push(&newest.parent);
                    let same: Vec<Time> = lately.iter().filter(|s| s.parent == newest.parent).map(|s| s.stamp).collect();
                    let nanos = same.last().map_or(0, |oldest| newest.stamp.since(*oldest));
                    let rate_hz = (nanos > 0 && !track.is_static).then(|| (same.len() - 1) as f64 * 1e9 / nanos as f64);
                    out.push(Branch {
                        child: child.clone(),
                        parent: newest.parent.clone(),
                        topic: track.topic,
                        is_static: track.is_static,
                        rate_hz,
                        stamp: newest.stamp,
                        received: newest.received,
                        translation: newest.translation,
                        rotation: DQuat::from_array(newest.rotation),
                        flaw: newest.flaw,
                    });
                }
            }
            // as `parent` chooses
            out[first..].sort_by_key(|b| (b.is_static, std::cmp::Reverse((b.stamp, b.received))));
        }
        out
    }

    /// The newest visible samples of a track, newest first.
    fn lately<'a>(&self, track: &'a Track) -> Vec<&'a Sample> {
        const MOST: usize = 256;
        let heard = track.blocks.iter().rev().filter(|b| b.first_received <= self.now);
        let samples = heard.flat_map(|b| b.samples.iter().rev());
        samples.filter(|s| self.is_visible(track, s)).take(MOST).collect()
    }

    pub fn parent(&self, child: &str) -> Option<Arc<str>> {
        let tracks = self.children.get(bare(child))?;
        let newest = |is_static: bool| {
            tracks
                .iter()
                .filter(|t| t.is_static == is_static)
                .filter_map(|t| self.last(t))
                .max_by_key(|s| (s.stamp, s.received))
        };
        newest(false).or_else(|| newest(true)).map(|s| s.parent.clone())
    }

    /// The frame's farthest ancestor: itself where it has no parent.
    pub fn root_of(&self, frame: &str) -> Arc<str> {
        let mut at: Arc<str> = bare(frame).into();
        // a loop has no root
        for _ in 0..self.children.len() {
            match self.parent(&at) {
                Some(parent) => at = parent,
                None => break,
            }
        }
        at
    }

    /// Frames without a parent, the one with most descendants first.
    pub fn roots(&self) -> Vec<Arc<str>> {
        let parents: BTreeMap<Arc<str>, Arc<str>> = self
            .children
            .keys()
            .filter_map(|child| Some((child.clone(), self.parent(child)?)))
            .collect();
        let mut descendants: BTreeMap<Arc<str>, usize> = BTreeMap::new();
        for child in parents.keys() {
            let mut at = child;
            for _ in 0..=parents.len() {
                match parents.get(at) {
                    Some(parent) => at = parent,
                    None => break,
                }
            }
            if !parents.contains_key(at) {
                *descendants.entry(at.clone()).or_default() += 1;
            }
        }
        let mut roots: Vec<(usize, Arc<str>)> = descendants.into_iter().map(|(frame, n)| (n, frame)).collect();
        roots.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        roots.into_iter().map(|(_, frame)| frame).collect()
    }

    /// Number of samples that are loaded, received already or not.
    pub fn len(&self) -> usize {
        self.samples
    }

    pub fn is_empty(&self) -> bool {
        self.samples == 0
    }

    pub(super) fn bytes(&self) -> u64 {
        (self.samples * size_of::<Sample>()) as u64
    }

    pub(super) fn add(&mut self, topic: TopicId, key: ChunkKey, is_static: bool, received: Time, transform: &TransformStamped) {
        let child = bare(&transform.child_frame_id);
        let flaw = Flaw::of(transform.translation, transform.rotation);
        let rotation = match flaw {
            Some(Flaw::NotFinite | Flaw::NoRotation) => DQuat::IDENTITY,
            Some(Flaw::Denormalized | Flaw::Nameless) | None => transform.rotation.normalize(),
        };
        let flaw = if child.is_empty() { Some(Flaw::Nameless) } else { flaw };
        let sample = Sample {
            stamp: transform.header.stamp,
            received,
            key,
            parent: self.name(bare(&transform.header.frame_id)),
            translation: transform.translation,
            rotation: rotation.to_array(),
            flaw,
        };
        let child = self.name(child);
        let tracks = self.children.entry(child).or_default();
        let at = match tracks.iter().position(|t| t.topic == topic && t.is_static == is_static) {
            Some(at) => at,
            None => {
                tracks.push(Track {
                    topic,
                    is_static,
                    blocks: Vec::new(),
                });
                tracks.sort_by_key(|t| (t.topic, t.is_static));
                tracks
                    .iter()
                    .position(|t| t.topic == topic && t.is_static == is_static)
                    .unwrap_or(0)
            }
        };
        tracks[at].insert(sample);
        self.samples += 1;
    }

    /// Forgets a chunk's samples.
    pub(super) fn remove(&mut self, topic: TopicId, key: ChunkKey) {
        let mut removed = 0;
        for track in self.children.values_mut().flatten().filter(|t| t.topic == topic) {
            for block in &mut track.blocks {
                let before = block.samples.len();
                block.samples.retain(|s| s.key != key);
                if block.samples.len() != before {
                    removed += before - block.samples.len();
                    block.first_received = block.samples.iter().map(|s| s.received).min().unwrap_or(Time::MAX);
                }
            }
            track.blocks.retain(|b| !b.samples.is_empty());
        }
        self.samples -= removed;
        self.children.retain(|_, tracks| {
            tracks.retain(|t| !t.blocks.is_empty());
            !tracks.is_empty()
        });
    }

    /// One `Arc` per name, not one per sample.
    fn name(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return known.clone();
        }
        let name: Arc<str> = name.into();
        self.names.insert(name.clone());
        name
    }

    /// `frame` and its ancestors, each with `ancestor_from_frame`.
    fn chain(&self, frame: &str, stamp: Time) -> Result<Vec<(Arc<str>, DAffine3)>, String> {
        let mut chain: Vec<(Arc<str>, DAffine3)> = vec![(frame.into(), DAffine3::IDENTITY)];
        while let Some((at, at_from_frame)) = chain.last().cloned() {
            let Some((parent, parent_from_at)) = self.local(&at, stamp) else {
                break;
            };
            if chain.iter().any(|(f, _)| *f == parent) {
                let mut names: Vec<&str> = chain.iter().map(|(f, _)| &**f).skip_while(|f| *f != &*parent).collect();
                names.push(&parent);
                return Err(format!("the transform tree has a loop: {}", names.join(" → ")));
            }
            chain.push((parent, parent_from_at * at_from_frame));
        }
        Ok(chain)
    }

    /// The parent of `child` and `parent_from_child` at `stamp`.
    fn local(&self, child: &str, stamp: Time) -> Option<(Arc<str>, DAffine3)> {
        let tracks = self.children.get(child)?;
        let mut left: Option<&Sample> = None;
        let mut right: Option<&Sample> = None;
        for track in tracks.iter().filter(|t| !t.is_static) {
            let (l, r) = self.around(track, stamp);
            left = [left, l].into_iter().flatten().max_by_key(|s| (s.stamp, s.received));
            right = [right, r].into_iter().flatten().min_by_key(|s| (s.stamp, s.received));
        }
        match (left, right) {
            (Some(l), Some(r)) if l.parent == r.parent && r.stamp > l.stamp => Some((l.parent.clone(), between(l, r, stamp))),
            (Some(nearest), _) | (None, Some(nearest)) => Some((nearest.parent.clone(), nearest.parent_from_child())),
            (None, None) => tracks
                .iter()
                .filter(|t| t.is_static)
                .filter_map(|t| self.last(t))
                .max_by_key(|s| (s.received, s.stamp))
                .map(|s| (s.parent.clone(), s.parent_from_child())),
        }
    }

    fn is_visible(&self, track: &Track, sample: &Sample) -> bool {
        sample.received <= self.now && (self.whole.contains(&track.topic) || self.active.binary_search(&sample.key).is_ok())
    }

    /// Whether it is visible and says where something is.
    fn places(&self, track: &Track, sample: &Sample) -> bool {
        !matches!(sample.flaw, Some(Flaw::NotFinite | Flaw::Nameless)) && self.is_visible(track, sample)
    }

    /// The last sample in the track's order that places something.
    fn last<'a>(&self, track: &'a Track) -> Option<&'a Sample> {
        self.last_in(track, track.blocks.len(), usize::MAX)
    }

    /// The last such one before sample `end` of block `blocks - 1`.
    fn last_in<'a>(&self, track: &'a Track, blocks: usize, end: usize) -> Option<&'a Sample> {
        for (i, block) in track.blocks[..blocks].iter().enumerate().rev() {
            if block.first_received > self.now {
                continue;
            }
            let end = if i + 1 == blocks {
                end.min(block.samples.len())
            } else {
                block.samples.len()
            };
            if let Some(found) = block.samples[..end].iter().rev().find(|s| self.places(track, s)) {
                return Some(found);
            }
        }
        None
    }

    /// The samples at or before and after `stamp` that place something.
    fn around<'a>(&self, track: &'a Track, stamp: Time) -> (Option<&'a Sample>, Option<&'a Sample>) {
        // The first block whose last sample lies after the stamp: the split is in there, or the end.
        let block = track.blocks.partition_point(|b| b.samples.last().is_some_and(|s| s.stamp <= stamp));
        let split = track
            .blocks
            .get(block)
            .map_or(0, |b| b.samples.partition_point(|s| s.stamp <= stamp));
        let left = match track.blocks.get(block) {
            Some(_) => self.last_in(track, block + 1, split),
            None => self.last(track),
        };
        let mut right = None;
        for (i, b) in track.blocks.iter().enumerate().skip(block) {
            if b.first_received > self.now {
                continue;
            }
            let start = if i == block { split } else { 0 };
            right = b.samples[start..].iter().find(|s| self.places(track, s));
            if right.is_some() {
                break;
            }
        }
        (left, right)
    }

    fn why_apart(&self, target: &str, source: &str, up_target: &[(Arc<str>, DAffine3)], up_source: &[(Arc<str>, DAffine3)]) -> String {
        let frames = self.frames();
        if frames.is_empty() {
            return format!("no transform from “{source}” to “{target}”: no transforms have been received up to the playhead");
        }
        let known = |frame: &str| frames.iter().any(|f| &**f == frame);
        let names: Vec<&str> = frames.iter().take(24).map(|f| &**f).collect();
        let more = if frames.len() > names.len() { " …" } else { "" };
        let list = format!("{}{more}", names.join(", "));
        for frame in [source, target] {
            let heard = |frame: &str| self.children.get(frame).into_iter().flatten().any(|t| !self.lately(t).is_empty());
            if !known(frame) && !frame.is_empty() && heard(frame) {
                return format!("no transform of “{frame}” up to the playhead can be used: they hold NaN or infinity");
            }
            if !known(frame) {
                return format!("there is no frame “{frame}” at the playhead; there are {list}");
            }
        }
        let root = |chain: &[(Arc<str>, DAffine3)]| chain.last().map(|(f, _)| f.to_string()).unwrap_or_default();
        format!(
            "“{source}” and “{target}” are in two separate trees: “{}” is the root of the one, “{}” of the other",
            root(up_source),
            root(up_target)
        )
    }
}

/// ROS 1 allowed a leading slash (tf_prefix); tf2 does not.
fn bare(frame: &str) -> &str {
    frame.strip_prefix('/').unwrap_or(frame)
}

fn between(a: &Sample, b: &Sample, stamp: Time) -> DAffine3 {
    let whole = b.stamp.since(a.stamp) as f64;
    let at = (stamp.since(a.stamp) as f64 / whole).clamp(0.0, 1.0);
    let rotation = DQuat::from_array(a.rotation).slerp(DQuat::from_array(b.rotation), at);
    DAffine3::from_rotation_translation(rotation, a.translation.lerp(b.translation, at))
}

impl Track {
    fn order(&self, s: &Sample) -> (Time, Time, ChunkKey) {
        if self.is_static {
            (s.received, s.stamp, s.key)
        } else {
            (s.stamp, s.received, s.key)
        }
    }

    fn insert(&mut self, sample: Sample) {
        let order = self.order(&sample);
        let mut at = self
            .blocks
            .partition_point(|b| b.samples.last().is_some_and(|last| self.order(last) <= order));
        if at == self.blocks.len() {
            // After everything: into the last block while it has room.
            match self.blocks.last_mut() {
                Some(last) if last.samples.len() < BLOCK_SAMPLES => {
                    last.first_received = last.first_received.min(sample.received);
                    last.samples.push(sample);
                }
                _ => self.blocks.push(TrackBlock {
                    first_received: sample.received,
                    samples: vec![sample],
                }),
            }
            return;
        }
        if self.blocks[at].samples.len() >= BLOCK_SAMPLES {
            let upper = self.blocks[at].samples.split_off(BLOCK_SAMPLES / 2);
            let goes_up = upper.first().is_some_and(|first| self.order(first) <= order);
            self.blocks[at].first_received = earliest(&self.blocks[at].samples);
            self.blocks.insert(
                at + 1,
                TrackBlock {
                    first_received: earliest(&upper),
                    samples: upper,
                },
            );
            at += usize::from(goes_up);
        }
        let place = self.blocks[at].samples.partition_point(|s| self.order(s) <= order);
        let block = &mut self.blocks[at];
        block.first_received = block.first_received.min(sample.received);
        block.samples.insert(place, sample);
    }
}

fn earliest(samples: &[Sample]) -> Time {
    samples.iter().map(|s| s.received).min().unwrap_or(Time::MAX)
}

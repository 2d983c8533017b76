//! The kinds of layers of a 3D scene: a closed table from a topic's form to what is wanted for it and how it is drawn.
//!
//! Invariant: a layer turns what the store has into plain drawing data and says in a sentence why it cannot; it never waits.

use std::collections::HashMap;
use std::sync::Arc;

use glam::{DAffine3, DVec3};

use super::config::TopicConfig;
use super::memo::Memo;
use super::owners::{Owner, Owners};
use super::{cloud, grid, markers, poses, scan};
use crate::decode::Form;
use crate::panel::shown::{Freshness, Shown, stale_text, timed};
use crate::render::{Bounds, ItemId, Scene};
use crate::store::{Entry, Lookup, MarkerSet, Store, Topic, TopicId, What};
use crate::theme::Palette;
use crate::time::Time;

/// One kind of layer.
pub struct LayerKind {
    pub form: Form,
    /// For the settings.
    pub name: &'static str,
    /// Whether older messages can stay.
    pub decays: bool,
    pub draw: fn(&Layer<'_>, &mut Out<'_>),
}

/// All kinds. Transforms are drawn by the panel itself: they belong to no single topic.
pub static LAYERS: &[LayerKind] = &[
    LayerKind {
        form: Form::Grid,
        name: "map",
        decays: false,
        draw: grid::draw,
    },
    LayerKind {
        form: Form::Cloud,
        name: "point cloud",
        decays: true,
        draw: cloud::draw,
    },
    LayerKind {
        form: Form::Scan,
        name: "laser scan",
        decays: true,
        draw: scan::draw,
    },
    LayerKind {
        form: Form::Markers,
        name: "markers",
        decays: false,
        draw: markers::draw,
    },
    LayerKind {
        form: Form::Poses,
        name: "poses",
        decays: false,
        draw: poses::draw_poses,
    },
    LayerKind {
        form: Form::Pose,
        name: "pose",
        decays: true,
        draw: poses::draw_pose,
    },
];

pub fn kind_of(topic: &Topic) -> Option<&'static LayerKind> {
    let form = topic.form?;
    LAYERS.iter().find(|kind| kind.form == form)
}

/// One visible topic.
pub struct Layer<'a> {
    pub store: &'a Store,
    pub topic: &'a Topic,
    pub kind: &'static LayerKind,
    pub config: &'a TopicConfig,
    pub fixed_frame: &'a str,
    pub now: Time,
}

/// What layers write into.
pub struct Out<'a> {
    pub scene: &'a mut Scene,
    pub labels: &'a mut Vec<Label>,
    pub owners: &'a mut Owners,
    pub memo: &'a mut Memo,
    pub notes: &'a mut Notes,
    /// Box around what was drawn, in the fixed frame.
    pub bounds: &'a mut Option<Bounds>,
    /// Colour bars to show: topic, field, colour map, range.
    pub legends: &'a mut Vec<Legend>,
    pub colors: &'static Palette,
}

/// A text in the scene, painted over it.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// In the fixed frame.
    pub position: DVec3,
    pub text: Arc<str>,
    pub color: [u8; 4],
    /// Height of its letters in the scene; none is as large as other labels of the window.
    pub height_metres: Option<f32>,
    /// What a click on it picks.
    pub part: Option<(ItemId, u32)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Legend {
    pub topic: Arc<str>,
    pub field: String,
    pub colormap: crate::render::Colormap,
    pub range: (f32, f32),
}

/// What the panel has to say about its layers.
#[derive(Debug, Default)]
pub struct Notes {
    /// A message was drawn.
    pub drawn: usize,
    /// Topics of which what is drawn is late.
    pub pending: Vec<Arc<str>>,
    /// Sentences about topics that have been silent unusually long.
    pub stale: Vec<String>,
    /// Something could not be placed because transforms are still on their way.
    pub unplaced: bool,
    /// Topics without a message at or before the playhead.
    pub absent: Vec<Arc<str>>,
    /// Sentences that begin with the topic.
    pub problems: Vec<String>,
    /// Something is shown, but not all that was asked for.
    pub partial: Vec<String>,
    /// What each topic showed last: it stays until there is something newer.
    held: HashMap<TopicId, Shown<Vec<Entry>>>,
    held_markers: HashMap<TopicId, Shown<Arc<MarkerSet>>>,
}

impl Notes {
    /// Starts a frame.
    pub fn begin(&mut self) {
        *self = Notes {
            held: std::mem::take(&mut self.held),
            held_markers: std::mem::take(&mut self.held_markers),
            ..Notes::default()
        };
    }

    /// The newest message that this topic showed last.
    pub fn newest(&self, topic: TopicId) -> Option<&Entry> {
        self.held.get(&topic)?.last()?.last()
    }

    /// The marker set that this topic showed last.
    pub fn markers(&self, topic: TopicId) -> Option<&Arc<MarkerSet>> {
        self.held_markers.get(&topic)?.last()
    }

    fn tell(&mut self, topic: &Topic, freshness: Freshness) {
        let name = &topic.name;
        match freshness {
            Freshness::Current => {}
            Freshness::Stale { age_nanos } => self.stale.push(format!("{name}: {}", stale_text(age_nanos))),
            Freshness::Late => self.pending.push(Arc::clone(name)),
            Freshness::Absent => self.absent.push(Arc::clone(name)),
            Freshness::Failed(why) => self.problems.push(format!("{name}: {why}")),
        }
    }
}

impl Layer<'_> {
    pub fn what(&self) -> What {
        wanted(self.kind, self.config)
    }

    /// The transform at `stamp` into the fixed frame; says on the panel why there is none. A zero stamp means now.
    pub fn fixed_from(&self, frame: &str, stamp: Time, notes: &mut Notes) -> Option<DAffine3> {
        let frame = frame.trim_start_matches('/');
        if frame == self.fixed_frame {
            return Some(DAffine3::IDENTITY);
        }
        let stamp = if stamp == Time(0) { self.now } else { stamp };
        match self.store.transforms().lookup(self.fixed_frame, frame, stamp) {
            Ok(transform) => Some(transform),
            Err(_) if self.store.transforms_pending() => {
                notes.unplaced = true;
                notes.pending.push(Arc::clone(&self.topic.name));
                None
            }
            Err(reason) => {
                let sentence = format!("{}: {reason}", self.topic.name);
                if !notes.problems.contains(&sentence) {
                    notes.problems.push(sentence);
                }
                None
            }
        }
    }

    /// Messages to draw, oldest first.
    pub fn entries(&self, notes: &mut Notes) -> Vec<Entry> {
        let (store, topic) = (self.store, self.topic.id);
        let newest = |entries: Vec<Entry>| entries.last().map(|e| e.time).map(|time| (time, entries));
        if let What::Trail { form, window_nanos } = self.what() {
            let (trail, is_whole) = store.trail(topic, form, window_nanos);
            if !is_whole && store.speed() == 0.0 && !trail.is_empty() {
                // the rest comes in one by one
                notes.pending.push(Arc::clone(&self.topic.name));
                return trail;
            }
            match newest(trail) {
                Some(trail) if is_whole => return self.keep(Lookup::Ready(trail), || None, notes),
                trail if !is_whole => return self.keep(Lookup::Pending, || trail, notes),
                // What lies longer ago than the window still shows its newest message.
                _ => {}
            }
        }
        let form = self.kind.form;
        let alone = |(time, entry): (Time, Entry)| (time, vec![entry]);
        let answer = timed(store.latest(topic, form)).map(alone);
        self.keep(answer, || newest(store.latest_decoded(topic, form).into_iter().collect()), notes)
    }

    /// The newest message.
    pub fn entry(&self, notes: &mut Notes) -> Option<Entry> {
        self.entries(notes).pop()
    }

    /// The map with its updates.
    pub fn grid(&self, notes: &mut Notes) -> Option<Entry> {
        let answer = timed(self.store.grid(self.topic.id)).map(|(time, entry)| (time, vec![entry]));
        self.keep(answer, || None, notes).pop()
    }

    /// The markers alive.
    pub fn markers(&self, notes: &mut Notes) -> Option<Arc<MarkerSet>> {
        let now = self.store.now();
        let answer = self.store.markers(self.topic.id).map(|set| (now, set));
        let mut shown = notes.held_markers.remove(&self.topic.id).unwrap_or_default();
        let (set, freshness) = shown.take(self.store, self.topic, answer, || None);
        notes.held_markers.insert(self.topic.id, shown);
        notes.tell(self.topic, freshness);
        set
    }

    fn keep(
        &self,
        answer: Lookup<(Time, Vec<Entry>)>,
        older: impl FnOnce() -> Option<(Time, Vec<Entry>)>,
        notes: &mut Notes,
    ) -> Vec<Entry> {
        let mut shown = notes.held.remove(&self.topic.id).unwrap_or_default();
        let (entries, freshness) = shown.take(self.store, self.topic, answer, older);
        notes.held.insert(self.topic.id, shown);
        notes.tell(self.topic, freshness);
        entries.unwrap_or_default()
    }
}

pub fn wanted(kind: &LayerKind, config: &TopicConfig) -> What {
    if kind.decays && config.decay_secs > 0.0 {
        What::Trail {
            form: kind.form,
            window_nanos: (config.decay_secs.min(3600.0) * 1e9) as i64,
        }
    } else {
        What::Latest(kind.form)
    }
}

impl Out<'_> {
    pub fn own(&mut self, owner: Owner) -> ItemId {
        self.owners.add(owner)
    }

    pub fn include(&mut self, bounds: Option<Bounds>) {
        *self.bounds = match (*self.bounds, bounds) {
            (Some(a), Some(b)) => Some(a.union(b)),
            (a, b) => a.or(b),
        };
    }
}

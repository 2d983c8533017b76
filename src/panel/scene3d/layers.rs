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
use crate::render::{Bounds, Scene};
use crate::store::{Entry, Lookup, Store, Topic, TopicId, What};
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
    pub pending: Vec<Arc<str>>,
    /// Topics without a message at or before the playhead.
    pub absent: Vec<Arc<str>>,
    /// Sentences that begin with the topic.
    pub problems: Vec<String>,
    /// Something is shown, but not all that was asked for.
    pub partial: Vec<String>,
    /// What each topic showed last: it stays until the next message is there.
    held: HashMap<TopicId, Vec<Entry>>,
}

impl Notes {
    /// Starts a frame.
    pub fn begin(&mut self) {
        *self = Notes {
            held: std::mem::take(&mut self.held),
            ..Notes::default()
        };
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
            Err(reason) => {
                let sentence = format!("{}: {reason}", self.topic.name);
                if !notes.problems.contains(&sentence) {
                    notes.problems.push(sentence);
                }
                None
            }
        }
    }

    /// Messages to draw, oldest first. While the next ones are on their way, the last ones.
    pub fn entries(&self, notes: &mut Notes) -> Vec<Entry> {
        let waiting = notes.pending.len();
        let entries = self.current(notes);
        if entries.is_empty() && notes.pending.len() > waiting {
            return notes.held.get(&self.topic.id).cloned().unwrap_or_default();
        }
        notes.held.insert(self.topic.id, entries.clone());
        entries
    }

    fn current(&self, notes: &mut Notes) -> Vec<Entry> {
        if let What::Trail { form, window_nanos } = self.what() {
            let (entries, complete) = self.store.trail(self.topic.id, form, window_nanos);
            if !complete {
                notes.pending.push(Arc::clone(&self.topic.name));
            }
            // What lies longer ago than the window still shows its newest message.
            if !entries.is_empty() || !complete {
                return entries;
            }
        }
        self.settle(self.store.latest(self.topic.id, self.kind.form), notes)
            .into_iter()
            .collect()
    }

    /// Takes a lookup's answer and notes why there is none.
    pub fn settle<T>(&self, lookup: Lookup<T>, notes: &mut Notes) -> Option<T> {
        match lookup {
            Lookup::Ready(value) => return Some(value),
            Lookup::Pending => notes.pending.push(Arc::clone(&self.topic.name)),
            Lookup::Absent => notes.absent.push(Arc::clone(&self.topic.name)),
            Lookup::Failed(why) => notes.problems.push(format!("{}: {why}", self.topic.name)),
        }
        None
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
    pub fn own(&mut self, owner: Owner) -> crate::render::ItemId {
        self.owners.add(owner)
    }

    pub fn include(&mut self, bounds: Option<Bounds>) {
        *self.bounds = match (*self.bounds, bounds) {
            (Some(a), Some(b)) => Some(a.union(b)),
            (a, b) => a.or(b),
        };
    }
}

//! Pictures as the screen needs them, made of the newest decoded ones beside the window's thread.
//!
//! Invariant: one of a topic and a shading is in flight at a time; what was made last stays until the next is there.

use std::sync::Arc;

use super::worked::Worked;
use super::{Entry, Lookup, Store, Task, TopicId, What, Work, WorkId};
use crate::decode::{Decoded, Form, Shaded, Shading};

/// A picture to be shaded: plain data, so that any thread may.
#[derive(Clone, Debug)]
pub struct ShadeTask {
    image: Arc<Decoded>,
    shading: Arc<Shading>,
}

impl ShadeTask {
    pub fn run(&self) -> Shaded {
        match &*self.image {
            Decoded::Image(image) => self.shading.shade(image),
            _ => Shaded::empty(),
        }
    }
}

pub(super) struct Shade {
    topic: TopicId,
    shading: Arc<Shading>,
    made: Worked<Entry, Arc<Shaded>>,
}

impl Shade {
    fn done(&self) -> Option<&Entry> {
        self.made.done().map(|(entry, _)| entry)
    }

    pub fn bytes(&self) -> u64 {
        self.made.done().map_or(0, |(_, shaded)| shaded.pixels.len() as u64 * 4)
    }
}

impl Store {
    /// The newest that was made, with the picture that it is of. Wants [`What::Shaded`], and [`What::Latest`] of [`Form::Image`].
    pub fn shaded(&self, topic: TopicId, shading: &Shading) -> Option<&(Entry, Arc<Shaded>)> {
        let shade = self.shades.iter().find(|s| s.topic == topic && *s.shading == *shading)?;
        shade.made.done()
    }

    /// A place for each that is wanted for the first time; those that nobody wants any more go, and their work with them.
    pub(super) fn add_shades(&mut self) {
        let wanted = self.wants.iter().filter_map(|want| match &want.what {
            What::Shaded(shading) => Some((want.topic, shading.clone())),
            _ => None,
        });
        let wanted: Vec<(TopicId, Arc<Shading>)> = wanted.collect();
        let is = |s: &Shade, topic: TopicId, shading: &Arc<Shading>| s.topic == topic && s.shading == *shading;
        let (kept, gone): (Vec<Shade>, Vec<Shade>) = std::mem::take(&mut self.shades)
            .into_iter()
            .partition(|s| wanted.iter().any(|(topic, shading)| is(s, *topic, shading)));
        self.shades = kept;
        let flights = gone.iter().filter_map(|s| s.made.flight());
        self.queue.extend(flights.map(Work::Cancel));
        for (topic, shading) in wanted {
            if !self.shades.iter().any(|s| is(s, topic, &shading)) {
                self.shades.push(Shade {
                    topic,
                    shading,
                    made: Worked::default(),
                });
            }
        }
    }

    /// The picture that is to be shaded, unless it is.
    fn unshaded(&self, shade: &Shade) -> Option<Entry> {
        let done = shade.done();
        match self.latest(shade.topic, Form::Image) {
            Lookup::Ready(entry) => Some(entry).filter(|e| done.is_none_or(|d| d.key != e.key)),
            // in play one that is a little older is better than none
            Lookup::Pending if self.speed != 0.0 => {
                let older = self.latest_decoded(shade.topic, Form::Image);
                older.filter(|e| done.is_none_or(|d| d.time < e.time || d.time > self.now))
            }
            _ => None,
        }
    }

    pub(super) fn issue_shades(&mut self, out: &mut Vec<Work>) {
        for at in 0..self.shades.len() {
            let Some(shade) = self.shades.get(at).filter(|s| s.made.flight().is_none()) else {
                continue;
            };
            let Some(entry) = self.unshaded(shade) else { continue };
            let task = Task::Shade(ShadeTask {
                image: entry.decoded.clone(),
                shading: shade.shading.clone(),
            });
            let id = self.new_id();
            if let Some(shade) = self.shades.get_mut(at) {
                shade.made.begin(id, entry);
                out.push(Work::Compute { id, task });
            }
        }
    }

    /// None: it crashed.
    pub(super) fn shade_done(&mut self, id: WorkId, shaded: Option<Shaded>) {
        if let Some(shade) = self.shades.iter_mut().find(|s| s.made.flight() == Some(id)) {
            shade.made.end(Arc::new(shaded.unwrap_or_else(Shaded::empty)));
        }
    }

    /// A picture at the playhead is not made yet.
    pub(super) fn is_shading(&self) -> bool {
        self.shades.iter().any(|s| s.made.flight().is_some() || self.unshaded(s).is_some())
    }
}

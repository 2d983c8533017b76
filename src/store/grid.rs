//! A map with its updates applied, on whatever thread executes the work. Invariant: the picture is a function of the map and of the
//! updates since, in receive order.

use std::sync::Arc;

use bytes::Bytes;

use super::plan::{At, Known};
use super::worked::Worked;
use super::{Entry, Lookup, Store, Task, TopicId, What, Work, WorkId};
use crate::decode::{Decoded, Form, Grid, GridUpdate};
use crate::time::Time;

/// Of what a map is composed: the map and the updates, by their keys.
#[derive(Clone)]
pub(super) struct Parts {
    base: u64,
    updates: Vec<u64>,
    /// Of the newest part.
    time: Time,
}

pub(super) type Composition = Worked<Parts, Entry>;

/// A map, and updates to be applied to it: plain data, so that any thread may.
#[derive(Clone, Debug)]
pub struct GridTask {
    from: Arc<Decoded>,
    updates: Vec<Arc<Decoded>>,
}

impl GridTask {
    /// None where these are no map.
    pub fn run(&self) -> Option<Grid> {
        let Decoded::Grid(grid) = &*self.from else { return None };
        let mut cells = grid.data.to_vec();
        for update in &self.updates {
            if let Decoded::GridUpdate(update) = &**update {
                apply_update(&mut cells, grid, update);
            }
        }
        Some(Grid {
            data: Bytes::from(cells),
            ..grid.clone()
        })
    }
}

impl Parts {
    pub fn are(&self, base: u64, updates: Option<&[u64]>) -> bool {
        self.base == base && updates == Some(&self.updates)
    }
}

pub(super) fn bytes(composition: &Composition) -> u64 {
    match composition.done().map(|(_, entry)| &*entry.decoded) {
        Some(Decoded::Grid(grid)) => grid.data.len() as u64,
        _ => 0,
    }
}

impl Store {
    /// The keys of decoded updates; those that do not decode are left out; None while one is on its way.
    pub(super) fn update_keys(&self, updates: TopicId, messages: &[At]) -> Option<Vec<u64>> {
        Some(self.update_entries(updates, messages)?.iter().map(|e| e.key).collect())
    }

    fn update_entries(&self, updates: TopicId, messages: &[At]) -> Option<Vec<Entry>> {
        let mut entries = Vec::new();
        for m in messages {
            match self.entry(updates, Form::GridUpdate, *m) {
                Lookup::Ready(entry) => entries.push(entry),
                Lookup::Pending => return None,
                Lookup::Absent | Lookup::Failed(_) => {}
            }
        }
        Some(entries)
    }

    pub(super) fn refresh_grids(&mut self) {
        let mut topics: Vec<TopicId> = self
            .wants
            .iter()
            .filter(|w| w.what == What::Latest(Form::Grid))
            .map(|w| w.topic)
            .collect();
        topics.dedup();
        let gone = self.grids.iter().filter(|(topic, _)| !topics.contains(topic));
        let flights = gone.filter_map(|(_, grid)| grid.flight());
        self.queue.extend(flights.map(Work::Cancel));
        self.grids.retain(|topic, _| topics.contains(topic));
        for topic in topics {
            if let Some(work) = self.compose(topic) {
                self.queue.push(work);
            }
        }
    }

    /// What is to be composed next, unless something is being composed.
    fn compose(&mut self, topic: TopicId) -> Option<Work> {
        let found = self.newest(topic, self.now, 1);
        let (Known::Yes, Some(map)) = (&found.known, found.messages.first().copied()) else {
            return None;
        };
        let Lookup::Ready(base) = self.entry(topic, Form::Grid, map) else {
            return None;
        };
        let (updates, found) = self.grid_updates(topic, map.time)?;
        let (Known::Yes, entries) = (&found.known, self.update_entries(updates, &found.messages)?) else {
            return None;
        };
        let keys: Vec<u64> = entries.iter().map(|e| e.key).collect();
        let grid = self.grids.entry(topic).or_default();
        let done = grid.done();
        if keys.is_empty() || grid.flight().is_some() || done.is_some_and(|(parts, _)| parts.are(base.key, Some(&keys))) {
            return None;
        }
        // Playing forwards adds to what is there; otherwise from the map on.
        let (from, applied) = match done {
            Some((parts, entry)) if parts.base == base.key && keys.starts_with(&parts.updates) => (entry, parts.updates.len()),
            _ => (&base, 0),
        };
        let task = Task::Grid(GridTask {
            from: from.decoded.clone(),
            updates: entries.iter().skip(applied).map(|e| e.decoded.clone()).collect(),
        });
        self.next_id += 1;
        let parts = Parts {
            base: base.key,
            updates: keys,
            time: entries.last().map_or(base.time, |e| e.time),
        };
        grid.begin(self.next_id, parts);
        Some(Work::Compute { id: self.next_id, task })
    }

    /// None: it crashed.
    pub(super) fn grid_done(&mut self, id: WorkId, composed: Option<Grid>) {
        let Some(grid) = self.grids.values_mut().find(|g| g.flight() == Some(id)) else {
            return;
        };
        let (Some(composed), Some(parts)) = (composed, grid.begun()) else {
            return grid.fail();
        };
        self.next_key += 1;
        let (time, key) = (parts.time, self.next_key);
        let decoded = Arc::new(Decoded::Grid(composed));
        grid.end(Entry { time, key, decoded });
        self.dirty = true;
    }

    /// A map at the playhead is not composed yet.
    pub(super) fn is_composing(&self) -> bool {
        self.grids.values().any(|g| g.flight().is_some())
    }
}

/// Cells of the update that lie outside of the map, or beyond the update's data, are left out.
fn apply_update(cells: &mut [u8], grid: &Grid, update: &GridUpdate) {
    let (width, height) = (i64::from(grid.width), i64::from(grid.height));
    let above = (-i64::from(update.y)).max(0);
    let below = i64::from(update.height).min(height - i64::from(update.y));
    // a height may be anything; rows without cells are none
    let rows = if update.width == 0 { 0..0 } else { above..below };
    for row in rows {
        let y = i64::from(update.y) + row;
        let skip = (-i64::from(update.x)).max(0);
        let x = i64::from(update.x) + skip;
        let len = (i64::from(update.width) - skip).min(width - x);
        if len <= 0 {
            continue;
        }
        let from = row * i64::from(update.width) + skip;
        let to = y * width + x;
        let (Ok(from), Ok(to), Ok(len)) = (usize::try_from(from), usize::try_from(to), usize::try_from(len)) else {
            continue;
        };
        if let (Some(source), Some(target)) = (update.data.get(from..from + len), cells.get_mut(to..to + len)) {
            target.copy_from_slice(source);
        }
    }
}

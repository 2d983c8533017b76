//! A map with its updates applied. Invariant: the picture is a function of the map and of the updates since, in receive order.

use std::sync::Arc;

use bytes::Bytes;

use super::plan::{At, Known};
use super::{Entry, Lookup, Store, TopicId, What};
use crate::decode::{Decoded, Form, Grid, GridUpdate};

/// A map with the updates that were applied to it, by their keys.
pub(super) struct Composed {
    base: u64,
    updates: Vec<u64>,
    pub entry: Entry,
    pub bytes: u64,
}

impl Composed {
    pub fn is_of(&self, base: u64, updates: Option<&[u64]>) -> bool {
        self.base == base && updates == Some(&self.updates)
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
        self.grids.retain(|topic, _| topics.contains(topic));
        for topic in topics {
            self.compose(topic);
        }
    }

    fn compose(&mut self, topic: TopicId) {
        let found = self.newest(topic, self.now, 1);
        let (Known::Yes, Some(map)) = (&found.known, found.messages.first().copied()) else {
            return;
        };
        let Lookup::Ready(base) = self.entry(topic, Form::Grid, map) else {
            return;
        };
        let Some((updates, found)) = self.grid_updates(topic, map.time) else {
            return;
        };
        let (Known::Yes, Some(entries)) = (&found.known, self.update_entries(updates, &found.messages)) else {
            return;
        };
        let keys: Vec<u64> = entries.iter().map(|e| e.key).collect();
        let old = self.grids.get(&topic);
        if keys.is_empty() || old.is_some_and(|g| g.is_of(base.key, Some(&keys))) {
            return;
        }
        // Playing forwards adds to what is there; otherwise from the map on.
        let (from, done) = match old {
            Some(old) if old.base == base.key && keys.starts_with(&old.updates) => (old.entry.clone(), old.updates.len()),
            _ => (base.clone(), 0),
        };
        let Decoded::Grid(grid) = &*from.decoded else { return };
        let mut cells = grid.data.to_vec();
        for entry in &entries[done..] {
            if let Decoded::GridUpdate(update) = &*entry.decoded {
                apply_update(&mut cells, grid, update);
            }
        }
        let grid = Grid {
            data: Bytes::from(cells),
            ..grid.clone()
        };
        self.next_key += 1;
        self.grids.insert(
            topic,
            Composed {
                base: base.key,
                updates: keys,
                bytes: grid.data.len() as u64,
                entry: Entry {
                    time: entries.last().map_or(base.time, |e| e.time),
                    key: self.next_key,
                    decoded: Arc::new(Decoded::Grid(grid)),
                },
            },
        );
    }
}

/// Cells of the update that lie outside of the map, or beyond the update's data, are left out.
fn apply_update(cells: &mut [u8], grid: &Grid, update: &GridUpdate) {
    let (width, height) = (i64::from(grid.width), i64::from(grid.height));
    for row in 0..i64::from(update.height) {
        let y = i64::from(update.y) + row;
        if !(0..height).contains(&y) {
            continue;
        }
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

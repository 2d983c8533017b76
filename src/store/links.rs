//! Links that end while a recording is open: nothing that is loaded is lost, and what failed for it is read through the next one.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::cache::{State, Unit};
use super::index::ChunkKey;
use super::issue::Awaited;
use super::{SourceId, Store, Work};
use crate::format::ChunkId;
use crate::source::Location;

/// How a recording's link fares.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum LinkState {
    #[default]
    Works,
    /// The server refused it as ended: a new one is needed ([`Store::renew`]).
    Ended,
    /// A new one is being tried.
    Renewing,
    /// The one that was given cannot be used: a sentence.
    Refused(Arc<str>),
}

impl Store {
    /// Reads on through another link to the same recording.
    pub fn renew(&mut self, source: SourceId, link: Location) {
        let Some(info) = self.sources.get_mut(source as usize) else {
            return;
        };
        info.link = LinkState::Renewing;
        self.queue.push(Work::Renew { source, link });
    }

    pub(super) fn link_ended(&mut self, source: SourceId, link: &Location) {
        if let Some(info) = self.sources.get_mut(source as usize)
            && info.link == LinkState::Works
            && info.location == *link
        {
            info.link = LinkState::Ended;
        }
    }

    pub(super) fn renewed(&mut self, source: SourceId, result: Result<Location, Arc<str>>) {
        let Some(info) = self.sources.get_mut(source as usize) else {
            return;
        };
        match result {
            Ok(location) => {
                info.location = location;
                info.link = LinkState::Works;
                if let Some(inner) = self.inner.get_mut(source as usize) {
                    inner.renewed = self.next_id;
                }
                let failed = self.failed.iter().filter(|(key, _)| key.source == source).copied().collect();
                self.forget_failures(failed);
            }
            Err(error) => {
                info.link = LinkState::Refused(error.clone());
                self.fail(error);
            }
        }
    }

    /// What a read should have brought is wanted again.
    pub(super) fn want_again(&mut self, source: SourceId, chunks: impl IntoIterator<Item = (ChunkId, Awaited)>) {
        for (chunk, awaited) in chunks {
            for unit in awaited.units {
                if let Some(cell) = self.cell_mut(ChunkKey { source, chunk }) {
                    cell.take(unit);
                }
                self.stale_jobs.insert(unit);
            }
        }
    }

    /// These are wanted again.
    pub(super) fn forget_failures(&mut self, failed: Vec<(ChunkKey, Unit)>) {
        let mut sentences: BTreeSet<Arc<str>> = BTreeSet::new();
        for (key, unit) in failed {
            self.failed.remove(&(key, unit));
            if let Some(cell) = self.cell_mut(key)
                && let Some(State::Failed { error, .. }) = cell.get(unit)
            {
                sentences.insert(error.clone());
                cell.take(unit);
                self.stale_jobs.insert(unit);
            }
        }
        // what is tried again has not failed, unless the same was said of something else
        for (key, unit) in &self.failed {
            if let Some(State::Failed { error, .. }) = self.state(*key, *unit) {
                sentences.remove(error);
            }
        }
        self.failures.retain(|sentence| !sentences.contains(sentence));
    }
}

//! Files that messages name (`mesh_resource`): asked for once while they are wanted, let go when they are not.
//!
//! Invariant: a resource never changes while it is wanted.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Lookup, Store, What, Work};
use crate::decode::Resource;

/// By address. None: on its way.
pub(super) type Resources = BTreeMap<Arc<str>, Option<Result<Resource, Arc<str>>>>;

impl Store {
    /// A file that messages name: a path, an `http(s)`, a `file` or a `package://` address. Wants [`What::Resource`].
    pub fn resource(&self, address: &str) -> Lookup<Resource> {
        match self.resources.get(address) {
            Some(Some(Ok(resource))) => Lookup::Ready(resource.clone()),
            Some(Some(Err(why))) => Lookup::Failed(why.clone()),
            Some(None) | None => Lookup::Pending,
        }
    }

    /// Asks for what is newly wanted, forgets what no longer is.
    pub(super) fn demand_resources(&mut self) {
        let wanted = |what: &What| match what {
            What::Resource(address) => Some(address.clone()),
            _ => None,
        };
        let mut before = std::mem::take(&mut self.resources);
        for (topic, address) in self.wants.iter().filter_map(|want| Some((want.topic, wanted(&want.what)?))) {
            if self.resources.contains_key(&address) {
                continue;
            }
            let known = before.remove(&address).unwrap_or_else(|| {
                let holds_it = self.inner.iter().position(|inner| inner.topics.contains(&topic));
                let near = holds_it.and_then(|source| self.sources.get(source));
                self.queue.push(Work::Fetch {
                    address: address.clone(),
                    near: near.map(|source| source.location.clone()),
                });
                None
            });
            self.resources.insert(address, known);
        }
    }

    pub(super) fn fetched(&mut self, address: &Arc<str>, result: Result<Resource, Arc<str>>) {
        if let Some(known) = self.resources.get_mut(address) {
            *known = Some(result);
        }
    }

    pub(super) fn resource_bytes(&self) -> u64 {
        self.resources.values().flatten().flatten().map(Resource::bytes).sum()
    }

    pub(super) fn awaits_resources(&self) -> bool {
        self.resources.values().any(Option::is_none)
    }
}

//! Files that messages name (`mesh_resource`): asked for once while they are wanted, let go when they are not.
//!
//! Invariant: the bytes of a resource never change while it is wanted.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::{Lookup, Store, What, Work};

/// By address. None: on its way.
pub(super) type Resources = BTreeMap<Arc<str>, Option<Result<Bytes, Arc<str>>>>;

impl Store {
    /// The bytes of a file that messages name: a path, an `http(s)`, a `file` or a `package://` address. Wants [`What::Resource`].
    pub fn resource(&self, address: &str) -> Lookup<Bytes> {
        match self.resources.get(address) {
            Some(Some(Ok(bytes))) => Lookup::Ready(bytes.clone()),
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

    pub(super) fn fetched(&mut self, address: &Arc<str>, result: Result<Bytes, Arc<str>>) {
        if let Some(known) = self.resources.get_mut(address) {
            *known = Some(result);
        }
    }

    pub(super) fn resource_bytes(&self) -> u64 {
        let bytes = |resource: &Option<Result<Bytes, Arc<str>>>| resource.as_ref().and_then(|r| r.as_ref().ok()).map_or(0, Bytes::len);
        self.resources.values().map(|r| bytes(r) as u64).sum()
    }

    pub(super) fn awaits_resources(&self) -> bool {
        self.resources.values().any(Option::is_none)
    }
}

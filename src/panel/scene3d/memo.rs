//! What was made of a message once and is drawn again: kept by the message's key, let go when no frame asks for it.
//!
//! Invariant: the same key gives the same shared data, so that its identity stands for it on the GPU.

use std::any::Any;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

#[derive(Default)]
pub struct Memo {
    entries: HashMap<u64, (u64, Arc<dyn Any + Send + Sync>)>,
    frame: u64,
}

impl Memo {
    /// Starts a frame: what the last two did not use is let go.
    pub fn begin(&mut self) {
        let frame = self.frame;
        self.entries.retain(|_, (used, _)| *used + 1 >= frame);
        self.frame += 1;
    }

    /// What `make` made for this key. The type of the result belongs to the key.
    pub fn get<T: Send + Sync + 'static>(&mut self, key: impl Hash, make: impl FnOnce() -> T) -> Arc<T> {
        let mut hasher = DefaultHasher::new();
        (key, std::any::type_name::<T>()).hash(&mut hasher);
        let frame = self.frame;
        let hash = hasher.finish();
        if let Some((used, kept)) = self.entries.get_mut(&hash)
            && let Ok(kept) = Arc::clone(kept).downcast::<T>()
        {
            *used = frame;
            return kept;
        }
        let made = Arc::new(make());
        self.entries.insert(hash, (frame, Arc::clone(&made) as Arc<dyn Any + Send + Sync>));
        made
    }
}

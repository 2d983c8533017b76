//! State that accumulates: markers by namespace and id, diagnostics by name and hardware, folded from messages in receive order.
//!
//! Invariant: the state at T is a function of the messages received at or before T. Keyframes make seeks cheap; they never
//! change the answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;

use super::index::ChunkKey;
use crate::decode::{Decoded, DiagnosticStatus, Form, Marker, MarkerAction};
use crate::time::Time;

/// A keyframe at least after so many messages; where they become too many, every second goes.
const KEYFRAME_ITEMS: usize = 128;
const MOST_KEYFRAMES: usize = 32;

/// Markers alive at one moment, by namespace and id, in the order of their first appearance.
#[derive(Clone, Debug, Default)]
pub struct MarkerSet {
    /// Receive time, marker. Lifetimes are over in none of them.
    pub markers: Vec<(Time, Arc<Marker>)>,
    /// Some when the look-back did not reach the recording's start: how far it went and what it would cost to read the rest.
    pub looked_back: Option<(Time, u64)>,
    /// Changes when the set does.
    pub key: u64,
}

/// Place of a message in the order of all: receive time, chunk, place in the chunk.
pub(super) type MessageOrder = (Time, ChunkKey, u32);

/// A decoded message of a topic that accumulates.
pub(super) enum Item {
    Markers(Vec<Arc<Marker>>),
    Diagnostics(Vec<DiagnosticStatus>),
}

impl Item {
    pub fn new(decoded: Decoded) -> Option<Item> {
        match decoded {
            Decoded::Markers(markers) => Some(Item::Markers(markers.into_iter().map(Arc::new).collect())),
            Decoded::Diagnostics(statuses) => Some(Item::Diagnostics(statuses)),
            _ => None,
        }
    }

    pub fn bytes(&self) -> u64 {
        let bytes: usize = match self {
            Item::Markers(markers) => markers
                .iter()
                .map(|m| size_of::<Marker>() + m.points.len() * 12 + m.colors.len() * 16 + m.text.len() + 64)
                .sum(),
            Item::Diagnostics(statuses) => statuses
                .iter()
                .map(|s| size_of::<DiagnosticStatus>() + s.name.len() + s.message.len() + s.values.len() * 96)
                .sum(),
        };
        bytes as u64 + 64
    }
}

#[derive(Clone, Default)]
struct State {
    markers: IndexMap<(Arc<str>, i32), (MessageOrder, Arc<Marker>)>,
    /// By name and hardware.
    diagnostics: BTreeMap<(Arc<str>, Arc<str>), (Time, DiagnosticStatus)>,
}

impl State {
    /// Markers are shared with the messages, statuses are not.
    fn bytes(&self) -> u64 {
        const STATUS_BYTES: usize = size_of::<DiagnosticStatus>() + 512;
        (self.markers.len() * 96 + self.diagnostics.len() * STATUS_BYTES) as u64
    }

    fn apply(&mut self, order: MessageOrder, item: &Item) {
        match item {
            Item::Markers(markers) => {
                for marker in markers {
                    let id = (marker.ns.clone(), marker.id);
                    match marker.action {
                        MarkerAction::Add => {
                            self.markers.insert(id, (order, marker.clone()));
                        }
                        MarkerAction::Delete => {
                            self.markers.shift_remove(&id);
                        }
                        MarkerAction::DeleteAll => self.markers.clear(),
                    }
                }
            }
            Item::Diagnostics(statuses) => {
                for status in statuses {
                    let part = (status.name.clone(), status.hardware_id.clone());
                    self.diagnostics.insert(part, (order.0, status.clone()));
                }
            }
        }
    }
}

/// One topic's fold.
pub(super) struct Fold {
    pub form: Form,
    items: BTreeMap<MessageOrder, Item>,
    /// Time and place of each chunk's items.
    by_chunk: BTreeMap<ChunkKey, BTreeSet<(Time, u32)>>,
    /// States after so many items, by the order of the last of them.
    keyframes: BTreeMap<MessageOrder, State>,
    /// The state after `at` (None: nothing), and how many items since the last keyframe.
    state: State,
    at: Option<MessageOrder>,
    since_keyframe: usize,
    keyframe_items: usize,
    pub markers: Arc<MarkerSet>,
    shown: Vec<(MessageOrder, Arc<str>, i32)>,
    next_key: u64,
    pub diagnostics: Arc<Vec<(Time, DiagnosticStatus)>>,
    diagnostics_at: Option<MessageOrder>,
    bytes: u64,
    /// Grows whenever items come or go.
    pub revision: u64,
}

impl Fold {
    pub fn new(form: Form) -> Fold {
        Fold {
            form,
            items: BTreeMap::new(),
            by_chunk: BTreeMap::new(),
            keyframes: BTreeMap::new(),
            state: State::default(),
            at: None,
            since_keyframe: 0,
            keyframe_items: KEYFRAME_ITEMS,
            markers: Arc::default(),
            shown: Vec::new(),
            next_key: 1,
            diagnostics: Arc::default(),
            diagnostics_at: None,
            bytes: 0,
            revision: 0,
        }
    }

    /// All that a part said of itself, as far as it is loaded, in the order of the messages.
    pub fn each_status(&self, name: &str, hardware_id: &str, mut f: impl FnMut(Time, &DiagnosticStatus)) {
        let is_of_part = |s: &&DiagnosticStatus| &*s.name == name && &*s.hardware_id == hardware_id;
        for ((time, _, _), item) in &self.items {
            if let Item::Diagnostics(statuses) = item {
                statuses.iter().filter(is_of_part).for_each(|s| f(*time, s));
            }
        }
    }

    pub fn bytes(&self) -> u64 {
        self.bytes + self.keyframes.values().chain([&self.state]).map(State::bytes).sum::<u64>()
    }

    /// Whether no message at or before `t` is there.
    pub fn is_untouched(&self, t: Time) -> bool {
        self.items.range(..=last_at(t)).next().is_none()
    }

    pub fn add(&mut self, order: MessageOrder, item: Item) {
        self.forget_from(order);
        self.revision += 1;
        self.bytes += item.bytes();
        let (time, key, at) = order;
        self.by_chunk.entry(key).or_default().insert((time, at));
        if let Some(old) = self.items.insert(order, item) {
            self.bytes -= old.bytes();
        }
    }

    pub fn remove_chunk(&mut self, key: ChunkKey) {
        self.revision += 1;
        let places = self.by_chunk.remove(&key).unwrap_or_default();
        if let Some((time, at)) = places.first() {
            self.forget_from((*time, key, *at));
        }
        for (time, at) in places {
            if let Some(old) = self.items.remove(&(time, key, at)) {
                self.bytes -= old.bytes();
            }
        }
    }

    /// Folds up to `t`. `only`: of these chunks only, else of all that is loaded.
    pub fn advance(&mut self, t: Time, only: Option<&[ChunkKey]>, looked_back: Option<(Time, u64)>) {
        match only {
            None => self.advance_all(t),
            Some(chunks) => {
                self.state = State::default();
                let places = |key: &ChunkKey| {
                    let places = self.by_chunk.get(key).into_iter().flatten();
                    places.map(|(time, at)| (*time, *key, *at)).collect::<Vec<MessageOrder>>()
                };
                let mut orders: Vec<MessageOrder> = chunks.iter().flat_map(places).filter(|o| o.0 <= t).collect();
                orders.sort_unstable();
                for order in orders {
                    if let Some(item) = self.items.get(&order) {
                        self.state.apply(order, item);
                    }
                }
                // Not a state of the incremental walk.
                self.at = None;
                self.since_keyframe = 0;
                self.keyframes.clear();
            }
        }
        self.show(t, looked_back);
        if only.is_some() {
            self.state = State::default();
        }
    }

    fn advance_all(&mut self, t: Time) {
        let last = last_at(t);
        if self.at.is_some_and(|at| at > last) {
            match self.keyframes.range(..=last).next_back() {
                Some((order, state)) => {
                    self.state = state.clone();
                    self.at = Some(*order);
                }
                None => {
                    self.state = State::default();
                    self.at = None;
                }
            }
            self.since_keyframe = 0;
        } else if let Some((order, state)) = self.keyframes.range(..=last).next_back()
            && self.at.is_none_or(|at| *order > at)
        {
            self.state = state.clone();
            self.at = Some(*order);
            self.since_keyframe = 0;
        }
        let from = self.at.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        if self.at.is_some_and(|at| at >= last) {
            return;
        }
        for (order, item) in self.items.range((from, std::ops::Bound::Included(last))) {
            self.state.apply(*order, item);
            self.at = Some(*order);
            self.since_keyframe += 1;
            if self.since_keyframe >= self.keyframe_items {
                self.since_keyframe = 0;
                self.keyframes.insert(*order, self.state.clone());
                if self.keyframes.len() > MOST_KEYFRAMES {
                    let mut number = 0;
                    self.keyframes.retain(|_, _| {
                        number += 1;
                        number % 2 == 0
                    });
                    self.keyframe_items *= 2;
                }
            }
        }
    }

    /// Something changes at `order`: what was folded at or after it no longer holds.
    fn forget_from(&mut self, order: MessageOrder) {
        self.keyframes.split_off(&order);
        self.diagnostics_at = None;
        if self.at.is_some_and(|at| at >= order) {
            self.at = None;
            self.since_keyframe = 0;
            self.state = State::default();
            if let Some((at, state)) = self.keyframes.iter().next_back() {
                self.at = Some(*at);
                self.state = state.clone();
            }
        }
    }

    fn show(&mut self, t: Time, looked_back: Option<(Time, u64)>) {
        if self.form == Form::Diagnostics {
            if self.diagnostics_at.is_none() || self.diagnostics_at != self.at {
                self.diagnostics = Arc::new(self.state.diagnostics.values().cloned().collect());
                self.diagnostics_at = self.at;
            }
            return;
        }
        let alive =
            |(order, marker): &&(MessageOrder, Arc<Marker>)| marker.lifetime_nanos <= 0 || t <= order.0.plus_nanos(marker.lifetime_nanos);
        let now_shown = || self.state.markers.values().filter(alive);
        let same = now_shown()
            .map(|(o, m)| (*o, &*m.ns, m.id))
            .eq(self.shown.iter().map(|(o, ns, id)| (*o, &**ns, *id)));
        if same && self.markers.looked_back == looked_back && self.markers.key != 0 {
            return;
        }
        let markers: Vec<(Time, Arc<Marker>)> = now_shown().map(|(o, m)| (o.0, m.clone())).collect();
        self.shown = now_shown().map(|(o, m)| (*o, m.ns.clone(), m.id)).collect();
        if !same || self.markers.key == 0 {
            self.next_key += 1;
        }
        self.markers = Arc::new(MarkerSet {
            markers,
            looked_back,
            key: self.next_key,
        });
    }
}

/// Greater than every message at or before `t`, less than every later one.
fn last_at(t: Time) -> MessageOrder {
    (t, ChunkKey::LAST, u32::MAX)
}

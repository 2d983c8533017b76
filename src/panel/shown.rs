//! What a panel draws of a topic while its newest message is still on its way, and how current that is.
//!
//! Invariants: what was drawn stays until there is something newer, so nothing flickers; at rest only the state at the playhead
//! counts as current, in play also a message that is no later than the next one and its decoding take.

use std::sync::Arc;

use crate::decode::Form;
use crate::panel::PanelState;
use crate::store::{Entry, Lookup, Store, Topic, TopicId};
use crate::time::{Time, format_duration};

/// How long a message may take from the playhead's reaching it to its picture, in play.
const DECODING_NANOS: f64 = 250e6;
/// Silence this long, and twice as long as usual, is worth a word.
const SILENCE_NANOS: i64 = 1_000_000_000;

/// How current that is which a panel draws of a topic.
#[derive(Clone, Debug, PartialEq)]
pub enum Freshness {
    Current,
    /// The newest there is, but this old, which is unusual for the topic.
    Stale {
        age_nanos: i64,
    },
    /// What should be drawn is still on its way.
    Late,
    Absent,
    Failed(Arc<str>),
}

impl Freshness {
    /// As a panel of this one topic tells it; `what` is late in words, such as `the picture`.
    pub fn state(&self, topic: &Topic, what: &str) -> PanelState {
        match self {
            Freshness::Current => PanelState::Ready,
            Freshness::Stale { age_nanos } => PanelState::Stale(stale_text(*age_nanos)),
            Freshness::Late => PanelState::Pending(format!("{what} is being read")),
            Freshness::Absent => PanelState::Absent(format!("No message of {} at or before the playhead", topic.name)),
            Freshness::Failed(why) => PanelState::Failed(why.to_string()),
        }
    }
}

/// `stale 3.2 s`.
pub fn stale_text(age_nanos: i64) -> String {
    match age_nanos {
        ..60_000_000_000 => format!("stale {:.1} s", age_nanos as f64 * 1e-9),
        _ => format!("stale {}", format_duration(age_nanos)),
    }
}

/// What was drawn of a topic last, with the time from which it holds.
#[derive(Debug)]
pub struct Shown<T> {
    last: Option<(TopicId, Time, T)>,
}

impl<T> Default for Shown<T> {
    fn default() -> Shown<T> {
        Shown { last: None }
    }
}

impl<T: Clone> Shown<T> {
    /// What is to be drawn, given the store's answer for the playhead; `older` is the newest that could be drawn in its place.
    pub fn take(
        &mut self,
        store: &Store,
        topic: &Topic,
        answer: Lookup<(Time, T)>,
        older: impl FnOnce() -> Option<(Time, T)>,
    ) -> (Option<T>, Freshness) {
        let freshness = match answer {
            Lookup::Ready((time, value)) => {
                self.last = Some((topic.id, time, value));
                silence(store, topic, time)
            }
            Lookup::Pending => {
                self.last.take_if(|(of, ..)| *of != topic.id);
                if store.speed() != 0.0
                    && let Some((time, value)) = older()
                    && self.time().is_none_or(|last| last < time || last > store.now())
                {
                    self.last = Some((topic.id, time, value));
                }
                match self.time() {
                    Some(time) if is_in_time(store, topic, time) => Freshness::Current,
                    _ => Freshness::Late,
                }
            }
            Lookup::Absent => {
                self.last = None;
                Freshness::Absent
            }
            Lookup::Failed(why) => {
                self.last = None;
                Freshness::Failed(why)
            }
        };
        (self.last().cloned(), freshness)
    }

    /// What was drawn last.
    pub fn last(&self) -> Option<&T> {
        self.last.as_ref().map(|(_, _, value)| value)
    }

    /// From when on that holds.
    pub fn time(&self) -> Option<Time> {
        self.last.as_ref().map(|(_, time, _)| *time)
    }
}

impl Shown<Entry> {
    /// The topic's newest message.
    pub fn latest(&mut self, store: &Store, topic: &Topic, form: Form) -> (Option<Entry>, Freshness) {
        let answer = timed(store.latest(topic.id, form));
        self.take(store, topic, answer, || store.latest_decoded(topic.id, form).map(|e| (e.time, e)))
    }
}

/// An answer about one message with that message's time.
pub fn timed(answer: Lookup<Entry>) -> Lookup<(Time, Entry)> {
    answer.map(|entry| (entry.time, entry))
}

fn period_nanos(topic: &Topic) -> f64 {
    topic.rate_hz().map_or(0.0, |hz| 1e9 / hz)
}

fn is_in_time(store: &Store, topic: &Topic, time: Time) -> bool {
    let speed = store.speed();
    let age = store.now().since(time) as f64;
    let allowed = period_nanos(topic) + DECODING_NANOS * speed.abs().max(1.0);
    speed != 0.0 && age <= allowed && age >= if speed < 0.0 { -allowed } else { 0.0 }
}

fn silence(store: &Store, topic: &Topic, time: Time) -> Freshness {
    let age_nanos = store.now().since(time);
    let usual = (2.0 * period_nanos(topic)) as i64;
    if topic.latching || topic.messages < 2 || age_nanos <= SILENCE_NANOS.saturating_add(usual) {
        Freshness::Current
    } else {
        Freshness::Stale { age_nanos }
    }
}

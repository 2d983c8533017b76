//! What header stamps keep from being shown in time.

use crate::store::{Signal, Stamp, Store};
use crate::time::{Span, Time};

/// A sentence where values over header stamps stand at other times, or at none that is seen.
pub fn note<'a>(signals: impl Iterator<Item = &'a Signal>, store: &Store) -> Option<String> {
    signals
        .filter(|signal| signal.stamp() == Stamp::Header)
        .find_map(|signal| of_signal(signal, store))
}

fn of_signal(signal: &Signal, store: &Store) -> Option<String> {
    let topics = || signal.topics().iter().filter_map(|topic| store.topic(*topic));
    let has_none = |schema: &std::sync::Arc<crate::decode::Schema>| !schema.has_stamp();
    if let Some(topic) = topics().find(|topic| topic.schema.as_ref().is_some_and(has_none)) {
        return Some(format!("{} has no header: its values stand at their receive time", topic.name));
    }
    // 1970: the publisher left the stamp out
    let unset = signal
        .sources(store)
        .iter()
        .map(|s| s.statistics(Span::at(Time(0))).count())
        .sum::<u64>();
    let text = signal.text();
    match unset {
        0 => None,
        1 => Some(format!("One value of {text} is not shown: its header stamp is zero")),
        n => Some(format!("{n} values of {text} are not shown: their header stamps are zero")),
    }
}

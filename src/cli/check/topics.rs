//! What `check` learns of each connection, and what it says of each topic.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::{Damage, Seen};
use crate::format::Catalog;
use crate::run::Backwards;
use crate::time::{Span, Time, format_duration, format_epoch};

/// What was seen of one connection, in order of receive time.
#[derive(Default)]
pub struct Watch {
    pub messages: u64,
    undecodable: u64,
    first_error: Option<(Time, String)>,
    span: Option<(Time, Time)>,
    longest_gap: Option<(i64, Time)>,
    /// Receive time minus stamp: the least and the greatest.
    lag: Option<(i64, i64)>,
    last_stamp: Option<Time>,
    stamps_backwards: u64,
    first_backwards: Option<Time>,
    /// Messages that stand in their chunk behind later ones.
    behind_later: Option<Backwards>,
}

impl Watch {
    pub fn take(&mut self, time: Time, seen: Seen) {
        self.messages += 1;
        if let Some((_, last)) = self.span {
            let gap = time.since(last);
            if self.longest_gap.is_none_or(|(longest, _)| gap > longest) {
                self.longest_gap = Some((gap, last));
            }
        }
        self.span = Some((self.span.map_or(time, |span| span.0), time));
        match seen {
            // a stamp of zero is one that was never set
            Seen::Whole(Some(stamp)) if stamp.nanos() != 0 => self.take_stamp(time, stamp),
            Seen::Whole(_) => {}
            Seen::Undecodable(error) => {
                self.undecodable += 1;
                self.first_error.get_or_insert((time, error));
            }
        }
    }

    pub fn take_backwards(&mut self, found: Backwards) {
        let known = self.behind_later.get_or_insert(Backwards { messages: 0, ..found });
        known.messages += found.messages;
        known.nanos = known.nanos.max(found.nanos);
    }

    fn take_stamp(&mut self, time: Time, stamp: Time) {
        let lag = time.since(stamp);
        let (least, greatest) = self.lag.unwrap_or((lag, lag));
        self.lag = Some((least.min(lag), greatest.max(lag)));
        if self.last_stamp.is_some_and(|last| stamp < last) {
            self.stamps_backwards += 1;
            self.first_backwards.get_or_insert(time);
        }
        self.last_stamp = Some(stamp);
    }

    /// Mean time between two messages.
    fn period_nanos(&self) -> Option<i64> {
        let (first, last) = self.span?;
        let steps = i64::try_from(self.messages).ok()?.checked_sub(1).filter(|steps| *steps > 0)?;
        Some(last.since(first) / steps)
    }
}

#[derive(Serialize)]
pub struct TopicCheck {
    topic: String,
    #[serde(rename = "type")]
    type_name: String,
    messages: u64,
    undecodable: u64,
    /// When it was received, the offset of its chunk, what is wrong with it.
    #[serde(skip)]
    first_error: Option<(Time, u64, String)>,
    start_ns: Option<i64>,
    end_ns: Option<i64>,
    rate_hz: Option<f64>,
    longest_gap_ns: Option<i64>,
    longest_gap_at_ns: Option<i64>,
    stamp_lag_min_ns: Option<i64>,
    stamp_lag_max_ns: Option<i64>,
    stamps_backwards: u64,
}

/// Something that is odd, but lost nothing.
#[derive(Serialize)]
pub struct Note {
    topic: String,
    time_ns: i64,
    what: String,
}

impl Note {
    pub fn line(&self) -> String {
        let of = if self.topic.is_empty() { "" } else { ": " };
        format!("{} (at {}){of}{}", self.what, format_epoch(Time(self.time_ns)), self.topic)
    }

    /// Of the whole file: its clock was set back while it was recorded, or it was put together of several.
    pub fn of_order(catalog: &Catalog) -> Option<Note> {
        const FAR_NANOS: i64 = 1_000_000_000;
        let mut latest: Option<Time> = None;
        let mut steps: Vec<(i64, Time)> = Vec::new();
        for chunk in catalog.chunks.iter().filter(|chunk| !chunk.counts.is_empty()) {
            if let Some(latest) = latest.filter(|latest| latest.since(chunk.span.start) > FAR_NANOS) {
                steps.push((latest.since(chunk.span.start), chunk.span.start));
            }
            latest = latest.max(Some(chunk.span.end));
        }
        let (first, largest) = (steps.first()?.1, steps.iter().map(|step| step.0).max()?);
        let chunks = match steps.len() {
            1 => "a chunk begins".to_owned(),
            n => format!("{n} chunks begin"),
        };
        Some(Note {
            topic: String::new(),
            time_ns: first.nanos(),
            what: format!(
                "receive times go back in the file: {chunks} up to {} before the end of those before",
                format_duration(largest)
            ),
        })
    }
}

pub fn report(catalog: &Catalog, watches: &[Watch]) -> (Vec<TopicCheck>, Vec<Note>) {
    let mut topics: BTreeMap<Arc<str>, TopicCheck> = BTreeMap::new();
    let mut notes: Vec<Note> = Note::of_order(catalog).into_iter().collect();
    for ((connection, watch), id) in catalog.connections.iter().zip(watches).zip(0..) {
        let topic = topics.entry(connection.topic.clone()).or_insert_with(|| TopicCheck {
            topic: connection.topic.to_string(),
            type_name: connection.type_name.to_string(),
            messages: 0,
            undecodable: 0,
            first_error: None,
            start_ns: None,
            end_ns: None,
            rate_hz: None,
            longest_gap_ns: None,
            longest_gap_at_ns: None,
            stamp_lag_min_ns: None,
            stamp_lag_max_ns: None,
            stamps_backwards: 0,
        });
        topic.add(watch, |time| super::chunk_offset(catalog, id, Span::at(time)));
        note(&connection.topic, watch, &mut notes);
    }
    (topics.into_values().map(TopicCheck::with_rate).collect(), notes)
}

fn note(topic: &Arc<str>, watch: &Watch, notes: &mut Vec<Note>) {
    const SHORTEST_GAP_NANOS: i64 = 200_000_000;
    const FAR_NANOS: i64 = 1_000_000_000;
    let mut add = |time: Time, what: String| {
        notes.push(Note {
            topic: topic.to_string(),
            time_ns: time.nanos(),
            what,
        })
    };
    if let (Some((gap, at)), Some(period)) = (watch.longest_gap, watch.period_nanos())
        && watch.messages > 10
        && gap > SHORTEST_GAP_NANOS
        && gap / 5 > period
    {
        add(
            at,
            format!("nothing for {}, usually every {}", format_duration(gap), format_duration(period)),
        );
    }
    if let Some(found) = watch.behind_later {
        let went = match found.messages {
            1 => "1 receive time goes back".to_owned(),
            n => format!("{n} receive times go back"),
        };
        let far = format_duration(found.nanos);
        add(
            found.first,
            format!("{went} within a chunk, by up to {far}: messages are read in the order of their times"),
        );
    }
    if let Some(first) = watch.first_backwards {
        add(
            first,
            format!("{} stamps lie before the stamp of the message before", watch.stamps_backwards),
        );
    }
    if let (Some((least, greatest)), Some((start, _))) = (watch.lag, watch.span) {
        if least < -FAR_NANOS {
            add(
                start,
                format!("stamps up to {} after the receive time", format_duration(least.saturating_neg())),
            );
        }
        if greatest > FAR_NANOS {
            add(start, format!("stamps up to {} before the receive time", format_duration(greatest)));
        }
    }
}

impl TopicCheck {
    /// `chunk_of` says where the chunk starts that holds a message received then.
    fn add(&mut self, watch: &Watch, chunk_of: impl Fn(Time) -> u64) {
        fn least(a: Option<i64>, b: Option<i64>) -> Option<i64> {
            a.into_iter().chain(b).min()
        }
        self.messages += watch.messages;
        self.undecodable += watch.undecodable;
        self.stamps_backwards += watch.stamps_backwards;
        if let (None, Some((time, error))) = (&self.first_error, &watch.first_error) {
            self.first_error = Some((*time, chunk_of(*time), error.clone()));
        }
        self.start_ns = least(self.start_ns, watch.span.map(|span| span.0.nanos()));
        self.end_ns = self.end_ns.max(watch.span.map(|span| span.1.nanos()));
        if let Some((gap, at)) = watch.longest_gap
            && self.longest_gap_ns.is_none_or(|longest| gap > longest)
        {
            (self.longest_gap_ns, self.longest_gap_at_ns) = (Some(gap), Some(at.nanos()));
        }
        self.stamp_lag_min_ns = least(self.stamp_lag_min_ns, watch.lag.map(|lag| lag.0));
        self.stamp_lag_max_ns = self.stamp_lag_max_ns.max(watch.lag.map(|lag| lag.1));
    }

    fn with_rate(mut self) -> TopicCheck {
        if let (Some(start), Some(end)) = (self.start_ns, self.end_ns)
            && self.messages > 1
            && end > start
        {
            let secs = (end - start) as f64 * 1e-9;
            self.rate_hz = Some(((self.messages - 1) as f64 / secs * 1000.0).round() / 1000.0);
        }
        self
    }

    pub fn undecodable_problem(&self) -> Option<Damage> {
        let (time, offset, error) = self.first_error.as_ref()?;
        let what = format!(
            "{} messages of {} cannot be decoded, the first at {}: {error}",
            self.undecodable,
            self.topic,
            format_epoch(*time)
        );
        Some(Damage { offset: *offset, what })
    }

    /// topic, messages, per s, longest gap, stamp to receive, broken
    pub fn row(&self) -> [String; 6] {
        let lag = match (self.stamp_lag_min_ns, self.stamp_lag_max_ns) {
            (Some(least), Some(greatest)) => format!("{} … {}", signed(least), signed(greatest)),
            _ => String::new(),
        };
        [
            self.topic.clone(),
            self.messages.to_string(),
            self.rate_hz.map(|rate| format!("{rate:.1}")).unwrap_or_default(),
            self.longest_gap_ns.map(format_duration).unwrap_or_default(),
            lag,
            if self.undecodable > 0 {
                self.undecodable.to_string()
            } else {
                String::new()
            },
        ]
    }
}

fn signed(nanos: i64) -> String {
    if nanos < 0 {
        format!("-{}", format_duration(nanos.saturating_neg()))
    } else {
        format_duration(nanos)
    }
}

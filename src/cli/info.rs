//! `roadreel info`: what is in a recording, from its index alone.

use std::io::Write;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::Serialize;

use super::{Common, InfoArgs, open, output};
use crate::format::{Catalog, Connection, ConnectionId, Warning};
use crate::text::format_bytes;
use crate::time::{Span, Time, format_duration, format_utc};

pub fn run(common: &Common, args: &InfoArgs) -> anyhow::Result<()> {
    let recording = open::recording_or_scene(common, args.location.as_deref())?;
    let catalog = recording.container.catalog();
    output::losses(catalog);
    let info = Info::new(catalog, recording.reader.location().to_string());
    let mut out = output::results();
    if args.json {
        serde_json::to_writer(&mut out, &info).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        info.write_table(&mut out)?;
    }
    out.flush()?;
    Ok(())
}

/// The JSON shape of the command line's contract.
#[derive(Serialize)]
struct Info {
    format: &'static str,
    location: String,
    size: u64,
    start_ns: Option<i64>,
    end_ns: Option<i64>,
    messages: u64,
    chunks: usize,
    compression: IndexMap<String, u64>,
    indexed: bool,
    topics: Vec<TopicInfo>,
    warnings: Vec<Damage>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

#[derive(Serialize)]
struct TopicInfo {
    topic: String,
    #[serde(rename = "type")]
    type_name: String,
    md5: String,
    messages: u64,
    connections: u64,
    latching: bool,
    start_ns: Option<i64>,
    end_ns: Option<i64>,
}

/// A warning, as `info` and `check` spell it.
#[derive(Serialize)]
pub struct Damage {
    pub offset: u64,
    pub what: String,
}

impl From<&Warning> for Damage {
    fn from(warning: &Warning) -> Damage {
        Damage {
            offset: warning.offset,
            what: warning.what.clone(),
        }
    }
}

impl Info {
    fn new(catalog: &Catalog, location: String) -> Info {
        let span = catalog.span();
        let mut compression = IndexMap::new();
        for chunk in &catalog.chunks {
            *compression.entry(chunk.compression.to_string()).or_default() += 1;
        }
        Info {
            format: catalog.format,
            location,
            size: catalog.size,
            start_ns: span.map(|s| s.start.nanos()),
            end_ns: span.map(|s| s.end.nanos()),
            messages: catalog.messages(),
            chunks: catalog.chunks.len(),
            compression,
            indexed: catalog.indexed,
            topics: topics(catalog),
            warnings: catalog.warnings.iter().map(Damage::from).collect(),
            notes: catalog.notes.clone(),
        }
    }

    fn write_table(&self, out: &mut impl Write) -> std::io::Result<()> {
        writeln!(out, "{}", self.location)?;
        let compression: Vec<String> = self.compression.iter().map(|(name, chunks)| format!("{chunks} {name}")).collect();
        writeln!(
            out,
            "{} · {} · {} messages · {} chunks ({}){}",
            self.format,
            format_bytes(self.size),
            self.messages,
            self.chunks,
            compression.join(", "),
            if self.indexed { "" } else { " · no index: recovered" },
        )?;
        let secs = match (self.start_ns, self.end_ns) {
            (Some(start), Some(end)) => {
                writeln!(
                    out,
                    "{} to {} UTC · {}",
                    format_utc(Time(start)),
                    format_utc(Time(end)),
                    format_duration(end - start)
                )?;
                (end - start) as f64 * 1e-9
            }
            _ => 0.0,
        };
        let rows = self.topics.iter().map(|topic| {
            let rate = if secs > 0.0 {
                format!("{:.1}", topic.messages as f64 / secs)
            } else {
                String::new()
            };
            let mut notes = Vec::new();
            if topic.connections > 1 {
                notes.push(format!("{} publishers", topic.connections));
            }
            if topic.latching {
                notes.push("latched".to_owned());
            }
            [
                topic.topic.clone(),
                topic.type_name.clone(),
                topic.messages.to_string(),
                rate,
                notes.join(", "),
            ]
        });
        writeln!(out)?;
        output::table(
            out,
            ["topic", "type", "messages", "per s", ""],
            [false, false, true, true, false],
            rows,
        )
    }
}

fn topics(catalog: &Catalog) -> Vec<TopicInfo> {
    let mut topics: IndexMap<Arc<str>, (TopicInfo, Ends)> = IndexMap::new();
    let mut of_connection: Vec<usize> = Vec::with_capacity(catalog.connections.len());
    for connection in &catalog.connections {
        let entry = topics.entry(connection.topic.clone());
        of_connection.push(entry.index());
        let (topic, _) = entry.or_insert_with(|| (TopicInfo::new(connection), Ends::default()));
        topic.connections += 1;
        topic.latching |= connection.latching;
    }
    for chunk in &catalog.chunks {
        let held = chunk.counts.iter().filter(|(_, count)| *count > 0);
        let of_topic = |(connection, count): &(ConnectionId, u32)| Some((*of_connection.get(*connection as usize)?, *count));
        let held: Vec<(usize, u32)> = held.filter_map(of_topic).collect();
        let is_alone = held.windows(2).all(|pair| matches!(pair, [a, b] if a.0 == b.0));
        for (at, count) in held {
            if let Some((_, (topic, ends))) = topics.get_index_mut(at) {
                topic.messages += u64::from(count);
                ends.take(chunk.span, is_alone);
            }
        }
    }
    topics.sort_unstable_keys();
    let told = topics.into_values().map(|(topic, ends)| TopicInfo {
        start_ns: ends.first.and_then(|(time, is_alone)| is_alone.then_some(time.nanos())),
        end_ns: ends.last.and_then(|(time, is_alone)| is_alone.then_some(time.nanos())),
        ..topic
    });
    told.collect()
}

impl TopicInfo {
    fn new(connection: &Connection) -> TopicInfo {
        TopicInfo {
            topic: connection.topic.to_string(),
            type_name: connection.type_name.to_string(),
            md5: connection.md5.to_string(),
            messages: 0,
            connections: 0,
            latching: false,
            start_ns: None,
            end_ns: None,
        }
    }
}

/// First and last time that chunks of a topic name, and whether they are the topic's own: if no other is in a chunk that names it.
#[derive(Default)]
struct Ends {
    first: Option<(Time, bool)>,
    last: Option<(Time, bool)>,
}

impl Ends {
    fn take(&mut self, span: Span, is_alone: bool) {
        // among equal times one that is not its own decides
        let first = (span.start, is_alone);
        self.first = Some(self.first.map_or(first, |known| known.min(first)));
        let better = self.last.is_none_or(|(time, _)| span.end >= time);
        if better {
            let stays_own = self.last.is_none_or(|(time, own)| own || time < span.end);
            self.last = Some((span.end, is_alone && stays_own));
        }
    }
}

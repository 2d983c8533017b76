//! `roadreel info`: what is in a recording, from its index alone.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::Serialize;

use super::{Common, InfoArgs, open, output};
use crate::format::{Catalog, Warning};
use crate::text::format_bytes;
use crate::time::{Time, format_duration, format_utc};

pub fn run(common: &Common, args: &InfoArgs) -> anyhow::Result<()> {
    let recording = open::recording_or_scene(common, args.location.as_deref())?;
    let catalog = recording.container.catalog();
    output::warnings(&catalog.warnings);
    let info = Info::new(catalog, recording.reader.location().to_string());
    let mut out = output::results();
    if args.json {
        serde_json::to_writer(&mut out, &info)?;
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
    let mut topics: BTreeMap<Arc<str>, TopicInfo> = BTreeMap::new();
    let mut of_connection: Vec<Arc<str>> = Vec::with_capacity(catalog.connections.len());
    for connection in &catalog.connections {
        of_connection.push(connection.topic.clone());
        let topic = topics.entry(connection.topic.clone()).or_insert_with(|| TopicInfo {
            topic: connection.topic.to_string(),
            type_name: connection.type_name.to_string(),
            md5: connection.md5.to_string(),
            messages: 0,
            connections: 0,
            latching: false,
            start_ns: None,
            end_ns: None,
        });
        topic.connections += 1;
        topic.latching |= connection.latching;
    }
    for chunk in &catalog.chunks {
        for (connection, count) in &chunk.counts {
            let name = usize::try_from(*connection).ok().and_then(|index| of_connection.get(index));
            if let Some(topic) = name.and_then(|name| topics.get_mut(name)) {
                topic.messages += u64::from(*count);
            }
        }
    }
    for topic in topics.values_mut() {
        (topic.start_ns, topic.end_ns) = exact_span(catalog, &of_connection, &topic.topic);
    }
    topics.into_values().collect()
}

/// First and last message of a topic, where the index tells: if the chunk whose span bounds it holds nothing else.
fn exact_span(catalog: &Catalog, of_connection: &[Arc<str>], topic: &str) -> (Option<i64>, Option<i64>) {
    let is_it = |id: &u32| {
        usize::try_from(*id)
            .ok()
            .and_then(|index| of_connection.get(index))
            .is_some_and(|name| **name == *topic)
    };
    let holding = || {
        let all = catalog
            .chunks
            .iter()
            .filter(|chunk| chunk.counts.iter().any(|(id, n)| *n > 0 && is_it(id)));
        all.map(|chunk| (chunk.span, chunk.counts.iter().all(|(id, n)| *n == 0 || is_it(id))))
    };
    let start = holding()
        .min_by_key(|(span, alone)| (span.start, *alone))
        .filter(|(_, alone)| *alone);
    let end = holding().max_by_key(|(span, alone)| (span.end, !alone)).filter(|(_, alone)| *alone);
    (start.map(|(span, _)| span.start.nanos()), end.map(|(span, _)| span.end.nanos()))
}

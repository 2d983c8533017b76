//! `roadreel check`: reads everything and says what is wrong with it, and where.
//!
//! A *problem* is a loss: bytes that do not read, sums that do not fit, messages that do not decode, counts that differ from
//! the index. Gaps, stamps that run backwards or far from the receive time are *notes*: drives have them.

mod topics;

use std::io::Write;

use serde::Serialize;

use super::info::Damage;
use super::{CheckArgs, Common, Outcome, open, output};
use crate::decode::{DecodeError, Schema, definitions};
use crate::format::{Catalog, Checks, Chunk, Connection, ConnectionId, ConnectionSet, Message};
use crate::run::{Piece, Recording, mapped};
use crate::text::format_bytes;
use crate::time::{Span, Time};
use topics::{Note, TopicCheck, Watch};

pub fn run(common: &Common, args: &CheckArgs) -> anyhow::Result<Outcome> {
    let recording = open::recording_or_scene(common, args.location.as_deref())?;
    let report = read(&recording)?;
    let mut out = output::results();
    if args.json {
        serde_json::to_writer(&mut out, &report).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        report.write_text(&mut out)?;
    }
    out.flush()?;
    Ok(if report.problems.is_empty() {
        Outcome::Done
    } else {
        Outcome::Problems
    })
}

#[derive(Serialize)]
struct Report {
    format: &'static str,
    location: String,
    size: u64,
    indexed: bool,
    messages: u64,
    problems: Vec<Damage>,
    notes: Vec<Note>,
    topics: Vec<TopicCheck>,
}

/// What is kept of a message.
enum Seen {
    /// With the stamp of its header, where it has one.
    Whole(Option<Time>),
    Undecodable(String),
}

fn read(recording: &Recording) -> anyhow::Result<Report> {
    let catalog = recording.container.catalog();
    let schema = |c: &Connection| definitions().schema(&c.type_name, &c.definition, &c.md5);
    let schemas: Vec<_> = catalog.connections.iter().map(schema).collect();
    let mut problems: Vec<Damage> = catalog.warnings.iter().map(Damage::from).collect();
    problems.extend(unreadable_definitions(catalog, &schemas));
    let look = move |message: Message| match schemas.get(message.connection as usize) {
        None | Some(Err(_)) => Seen::Whole(None),
        Some(Ok(schema)) => match schema.validate(&message.payload) {
            Ok(()) => Seen::Whole(schema.header_stamp(&message.payload)),
            Err(error) => Seen::Undecodable(error.to_string()),
        },
    };

    let mut watches: Vec<Watch> = catalog.connections.iter().map(|_| Watch::default()).collect();
    let whole = open::span(recording);
    let mut progress = output::Progress::new();
    for piece in mapped(recording, ConnectionSet::All, Span::ALL, Checks::Full, look) {
        match piece? {
            Piece::Message(time, connection, seen) => {
                progress.at("checking", time.since(whole.start) as f64 / whole.nanos().max(1) as f64);
                if let Some(watch) = watches.get_mut(connection as usize) {
                    watch.take(time, seen);
                }
            }
            Piece::Warning(_, warning) => problems.push(Damage::from(&warning)),
            Piece::Backwards(connection, found) => {
                if let Some(watch) = watches.get_mut(connection as usize) {
                    watch.take_backwards(found);
                }
            }
        }
    }
    drop(progress);
    problems.extend(differing_counts(catalog, &watches));
    let (topics, notes) = topics::report(catalog, &watches);
    problems.extend(topics.iter().filter_map(TopicCheck::undecodable_problem));
    problems.sort_by_key(|problem| problem.offset);
    problems.dedup_by(|a, b| a.offset == b.offset && a.what == b.what);

    Ok(Report {
        format: catalog.format,
        location: recording.reader.location().to_string(),
        size: catalog.size,
        indexed: catalog.indexed,
        messages: watches.iter().map(|watch| watch.messages).sum(),
        problems,
        notes,
        topics,
    })
}

/// Connections whose definition makes no sense, so that nobody can look at their messages. That one is missing is no loss of this file.
fn unreadable_definitions(catalog: &Catalog, schemas: &[Result<Schema, DecodeError>]) -> Vec<Damage> {
    let all = catalog.connections.iter().zip(schemas).zip(0..);
    let damage = |((connection, schema), id): ((&Connection, &Result<Schema, DecodeError>), ConnectionId)| {
        let error = schema.as_ref().err().filter(|_| !connection.definition.trim().is_empty())?;
        let counts = catalog.chunks.iter().flat_map(|chunk| &chunk.counts);
        let messages: u64 = counts.filter(|(of, _)| *of == id).map(|(_, n)| u64::from(*n)).sum();
        Some(Damage {
            offset: chunk_offset(catalog, id, Span::ALL),
            what: format!("{error}; {messages} messages of {} cannot be decoded", connection.topic),
        })
    };
    all.filter_map(damage).collect()
}

/// Connections of which the chunks hold more or less than the index says.
fn differing_counts(catalog: &Catalog, watches: &[Watch]) -> Vec<Damage> {
    let mut indexed = vec![0_u64; watches.len()];
    for (id, count) in catalog.chunks.iter().flat_map(|chunk| &chunk.counts) {
        if let Some(sum) = indexed.get_mut(*id as usize) {
            *sum += u64::from(*count);
        }
    }
    let all = indexed.iter().zip(watches).zip(&catalog.connections).zip(0..);
    all.filter(|(((indexed, watch), _), _)| **indexed != watch.messages)
        .map(|(((indexed, watch), connection), id)| Damage {
            offset: chunk_offset(catalog, id, Span::ALL),
            what: format!(
                "the index promises {indexed} messages of {}, {} could be read",
                connection.topic, watch.messages
            ),
        })
        .collect()
}

/// Where the first chunk starts that holds messages of a connection within a span; 0 where the index knows of none.
fn chunk_offset(catalog: &Catalog, connection: ConnectionId, span: Span) -> u64 {
    let holds = |chunk: &&Chunk| chunk.span.overlaps(span) && chunk.counts.iter().any(|(id, n)| *id == connection && *n > 0);
    catalog.chunks.iter().find(holds).map_or(0, |chunk| chunk.range.start)
}

impl Report {
    fn write_text(&self, out: &mut impl Write) -> std::io::Result<()> {
        writeln!(out, "{}", self.location)?;
        let index = if self.indexed { "" } else { " · no index: recovered" };
        writeln!(
            out,
            "{} · {} · {} messages read{index}",
            self.format,
            format_bytes(self.size),
            self.messages
        )?;
        writeln!(out)?;
        let rows = self.topics.iter().map(TopicCheck::row);
        let right = [false, true, true, true, true, true];
        output::table(
            out,
            ["topic", "messages", "per s", "longest gap", "stamp to receive", "broken"],
            right,
            rows,
        )?;
        if !self.notes.is_empty() {
            writeln!(out)?;
        }
        for note in &self.notes {
            writeln!(out, "note: {}", note.line())?;
        }
        writeln!(out)?;
        for problem in &self.problems {
            writeln!(out, "problem: {}: byte {}", problem.what, problem.offset)?;
        }
        match self.problems.len() {
            0 => writeln!(out, "no problems"),
            1 => writeln!(out, "1 problem"),
            n => writeln!(out, "{n} problems"),
        }
    }
}

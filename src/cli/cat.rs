//! `roadreel cat`: messages in time order, one a line.
//!
//! Lines are made on the threads that read the chunks, unless few are asked for: of these chunks most is not printed. What is printed is in order of receive time, then of the file.

mod short;

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use anyhow::bail;

use super::{CatArgs, Common, open, output};
use crate::decode::{DecodeError, Schema, definitions, write_base64};
use crate::format::{Catalog, Connection, ConnectionId, ConnectionSet, Message};
use crate::run::{Piece, Wanted, mapped_of};
use crate::time::{Span, Time, format_epoch};

/// For so many messages nothing is read ahead.
const FEW: u64 = 1_000;

pub fn run(common: &Common, args: &CatArgs) -> anyhow::Result<()> {
    let recording = open::recording_or_scene(common, args.location.as_deref())?;
    let catalog = recording.container.catalog();
    output::losses(catalog);
    let connections = wanted(catalog, &args.topics)?;
    let whole = open::span(&recording);
    let span = Span::new(
        args.start.map_or(Time::MIN, |when| when.unclamped(whole)),
        args.end.map_or(Time::MAX, |when| when.unclamped(whole)),
    );
    if span.start > span.end {
        bail!("--start is after --end");
    }
    let printers: Arc<[Printer]> = catalog
        .connections
        .iter()
        .map(|connection| Printer::new(connection, args.json))
        .collect();
    let names: Vec<Arc<str>> = catalog.connections.iter().map(|connection| connection.topic.clone()).collect();

    let line = move |message: &Message| match printers.get(message.connection as usize) {
        Some(printer) => printer.line(message),
        None => Line::default(),
    };
    let is_few = args.limit.is_some_and(|limit| limit <= FEW);
    let mut wanted = Wanted {
        span,
        ..Wanted::all(connections)
    };
    if is_few {
        wanted.ahead_bytes = 0;
    }
    let mut out = output::results();
    let mut notes = Notes::default();
    let mut left = args.limit.unwrap_or(u64::MAX);
    let on_threads = line.clone();
    let pieces = mapped_of(&recording, wanted, move |message| match is_few {
        true => Err(message),
        false => Ok(on_threads(&message)),
    });
    for piece in pieces {
        if left == 0 {
            break;
        }
        match piece? {
            Piece::Message(time, connection, made) => {
                left -= 1;
                let line = made.unwrap_or_else(|message| line(&message));
                notes.take(connection, time, &line);
                out.write_all(&line.text)?;
            }
            Piece::Warning(_, warning) => output::warning(&warning),
            Piece::Backwards(..) => {}
        }
    }
    out.flush()?;
    notes.tell(&names);
    Ok(())
}

fn wanted(catalog: &Catalog, topics: &[String]) -> anyhow::Result<ConnectionSet> {
    if topics.is_empty() {
        return Ok(ConnectionSet::All);
    }
    for topic in topics {
        if !catalog.connections.iter().any(|connection| *connection.topic == **topic) {
            let mut there: Vec<&str> = catalog.connections.iter().map(|connection| &*connection.topic).collect();
            there.sort_unstable();
            there.dedup();
            bail!("there is no topic {topic}; there are {}", there.join(", "));
        }
    }
    let ids = catalog
        .connections
        .iter()
        .zip(0..)
        .filter(|(connection, _)| topics.iter().any(|topic| *connection.topic == **topic));
    Ok(ConnectionSet::Only(ids.map(|(_, id)| id).collect()))
}

/// A printed message.
#[derive(Default)]
struct Line {
    text: Vec<u8>,
    /// What could not be printed as it was recorded.
    note: Option<String>,
}

/// How the messages of one connection are printed.
struct Printer {
    schema: Result<Schema, DecodeError>,
    json: bool,
    /// Everything before the time.
    before: String,
    topic: Arc<str>,
}

impl Printer {
    fn new(connection: &Connection, json: bool) -> Printer {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        Printer {
            schema: definitions().schema(&connection.type_name, &connection.definition, &connection.md5),
            json,
            before: format!(
                "{{\"topic\":{},\"type\":{},\"time_ns\":",
                quoted(&connection.topic),
                quoted(&connection.type_name)
            ),
            topic: connection.topic.clone(),
        }
    }

    fn line(&self, message: &Message) -> Line {
        let mut line = if self.json { self.json(message) } else { self.short(message) };
        line.text.push(b'\n');
        line
    }

    fn json(&self, message: &Message) -> Line {
        let mut text = Vec::with_capacity(self.before.len() + 64 + message.payload.len() / 2 * 3);
        text.extend_from_slice(format!("{}{},\"message\":", self.before, message.time.nanos()).as_bytes());
        let written = match &self.schema {
            Ok(schema) => schema.write_json(&message.payload, &mut text),
            Err(error) => Err(error.clone()),
        };
        let note = match written {
            Ok(notes) => notes.warning(),
            Err(error) => {
                let error = error.to_string();
                text.extend_from_slice(format!("null,\"error\":{},\"raw\":", serde_json::Value::from(&*error)).as_bytes());
                write_base64(&message.payload, &mut text);
                Some(error)
            }
        };
        text.push(b'}');
        Line { text, note }
    }

    fn short(&self, message: &Message) -> Line {
        let mut text = format!("{} {} ", format_epoch(message.time), self.topic);
        let value = match &self.schema {
            Ok(schema) => schema.value(&message.payload),
            Err(error) => Err(error.clone()),
        };
        let note = match value {
            Ok(value) => {
                short::write(&value, &mut text);
                None
            }
            Err(error) => {
                text.push_str(&format!("<{} bytes: {error}>", message.payload.len()));
                Some(error.to_string())
            }
        };
        Line {
            text: text.into_bytes(),
            note,
        }
    }
}

/// Notes about messages: the first of each connection, and how many have one, so that a broken topic costs one line.
#[derive(Default)]
struct Notes(BTreeMap<ConnectionId, Noted>);

struct Noted {
    first: String,
    at: Time,
    messages: u64,
}

impl Notes {
    fn take(&mut self, connection: ConnectionId, time: Time, line: &Line) {
        if let Some(note) = &line.note {
            let new = || Noted {
                first: note.clone(),
                at: time,
                messages: 0,
            };
            self.0.entry(connection).or_insert_with(new).messages += 1;
        }
    }

    fn tell(&self, topics: &[Arc<str>]) {
        for (connection, Noted { first, at, messages }) in &self.0 {
            let topic = topics.get(*connection as usize).map_or("", |topic| topic);
            output::loss(&format!(
                "{first} ({messages} messages, the first at {}): {topic}",
                format_epoch(*at)
            ));
        }
    }
}

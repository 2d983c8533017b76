//! All messages of a topic in one chunk, in compact columns: what logs, tracks and statistics over a whole recording are made of.
//!
//! Invariant: rows own their memory and are sorted by receive time; equal strings of one chunk are kept once.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use super::{DecodeError, Decoded, Fix, Form, LogLevel, LogLine, Schema};
use crate::time::Time;

#[derive(Debug)]
pub struct Rows {
    times: Vec<Time>,
    columns: Columns,
    /// Messages that could not be decoded, and why the first could not.
    pub failed: u64,
    pub first_error: Option<DecodeError>,
}

#[derive(Debug)]
enum Columns {
    Log(LogRows),
    Fix(Vec<Fix>),
    /// Nothing but receive times.
    Arrivals,
    Stamps(Vec<Stamped>),
    Messages(Messages),
}

/// Messages one behind the other.
#[derive(Debug, Default)]
struct Messages {
    bytes: Vec<u8>,
    /// What `bytes` become once all are there.
    whole: Bytes,
    /// Where each one ends.
    ends: Vec<usize>,
}

/// Larger messages are no rows of a table.
const LARGEST_MESSAGE: usize = 256 * 1024;

/// What a message's envelope says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stamped {
    /// None where it does not start with a header.
    pub stamp: Option<Time>,
    pub size_bytes: u32,
}

impl Rows {
    /// None for forms that are not read in bulk.
    pub fn new(form: Form) -> Option<Rows> {
        let columns = match form {
            Form::Log => Columns::Log(LogRows::default()),
            Form::Fix => Columns::Fix(Vec::new()),
            Form::Arrivals => Columns::Arrivals,
            Form::Stamps => Columns::Stamps(Vec::new()),
            Form::Messages => Columns::Messages(Messages::default()),
            _ => return None,
        };
        Some(Rows {
            times: Vec::new(),
            columns,
            failed: 0,
            first_error: None,
        })
    }

    /// Messages come by receive time.
    pub fn push(&mut self, time: Time, schema: &Schema, payload: &Bytes) {
        let pushed = match &mut self.columns {
            Columns::Log(rows) => schema.decode(Form::Log, payload).map(|decoded| {
                if let Decoded::Log(line) = decoded {
                    rows.push(&line);
                }
            }),
            Columns::Fix(rows) => schema.decode(Form::Fix, payload).map(|decoded| {
                if let Decoded::Fix(fix) = decoded {
                    rows.push(fix);
                }
            }),
            Columns::Arrivals => Ok(()),
            Columns::Stamps(rows) => {
                rows.push(Stamped {
                    stamp: schema.header_stamp(payload),
                    size_bytes: u32::try_from(payload.len()).unwrap_or(u32::MAX),
                });
                Ok(())
            }
            Columns::Messages(_) if payload.len() > LARGEST_MESSAGE => Err(DecodeError::NotDecodable(format!(
                "messages of more than {LARGEST_MESSAGE} bytes are left out, this one has {}",
                payload.len()
            ))),
            Columns::Messages(rows) => {
                rows.bytes.extend_from_slice(payload);
                rows.ends.push(rows.bytes.len());
                Ok(())
            }
        };
        match pushed {
            Ok(()) => self.times.push(time),
            Err(error) => {
                self.failed += 1;
                self.first_error.get_or_insert(error);
            }
        }
    }

    /// For rows of nothing but receive times.
    pub fn push_time(&mut self, time: Time) {
        if let Columns::Arrivals = self.columns {
            self.times.push(time);
        }
    }

    /// Gives back what was allocated in reserve.
    pub fn shrink(&mut self) {
        self.times.shrink_to_fit();
        match &mut self.columns {
            Columns::Log(rows) => rows.shrink(),
            Columns::Fix(rows) => rows.shrink_to_fit(),
            Columns::Arrivals => {}
            Columns::Stamps(rows) => rows.shrink_to_fit(),
            Columns::Messages(rows) => {
                rows.ends.shrink_to_fit();
                rows.whole = Bytes::from(std::mem::take(&mut rows.bytes).into_boxed_slice());
            }
        }
    }

    /// Receive times.
    pub fn times(&self) -> &[Time] {
        &self.times
    }

    pub fn len(&self) -> usize {
        self.times.len()
    }

    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    pub fn bytes(&self) -> u64 {
        let columns = match &self.columns {
            Columns::Log(rows) => rows.bytes(),
            Columns::Fix(rows) => rows.capacity() * size_of::<Fix>(),
            Columns::Arrivals => 0,
            Columns::Stamps(rows) => rows.capacity() * size_of::<Stamped>(),
            Columns::Messages(rows) => rows.ends.capacity() * size_of::<usize>() + rows.bytes.capacity() + rows.whole.len(),
        };
        (self.times.capacity() * size_of::<Time>() + columns + 128) as u64
    }

    pub fn log(&self) -> Option<&LogRows> {
        match &self.columns {
            Columns::Log(rows) => Some(rows),
            _ => None,
        }
    }

    pub fn fixes(&self) -> &[Fix] {
        match &self.columns {
            Columns::Fix(rows) => rows,
            _ => &[],
        }
    }

    /// One message, of rows that are complete.
    pub fn message(&self, index: usize) -> Option<Bytes> {
        let Columns::Messages(rows) = &self.columns else { return None };
        let start = match index.checked_sub(1) {
            Some(before) => *rows.ends.get(before)?,
            None => 0,
        };
        let end = *rows.ends.get(index)?;
        (start <= end && end <= rows.whole.len()).then(|| rows.whole.slice(start..end))
    }

    pub fn stamps(&self) -> &[Stamped] {
        match &self.columns {
            Columns::Stamps(rows) => rows,
            _ => &[],
        }
    }
}

/// Lines of a log: one text for all messages, places and nodes by number.
#[derive(Debug, Default)]
pub struct LogRows {
    lines: Vec<Line>,
    text: String,
    nodes: Vec<Arc<str>>,
    places: Vec<Place>,
    known_nodes: HashMap<Arc<str>, u32>,
    known_places: HashMap<Place, u32>,
}

#[derive(Debug)]
struct Line {
    stamp: Option<Time>,
    /// Where its text ends; it starts where that of the line before ends.
    end: usize,
    node: u32,
    place: u32,
    level: LogLevel,
}

/// Where in the source code a line was written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    file: Arc<str>,
    function: Arc<str>,
    line: u32,
}

/// A line as it is kept.
#[derive(Clone, Copy, Debug)]
pub struct LogRow<'a> {
    pub stamp: Option<Time>,
    pub level: LogLevel,
    pub node: &'a Arc<str>,
    pub file: &'a str,
    pub function: &'a str,
    pub line: u32,
    pub text: &'a str,
}

impl LogRows {
    fn push(&mut self, line: &LogLine) {
        let node = match self.known_nodes.get(&line.node) {
            Some(known) => *known,
            None => {
                let new = self.nodes.len() as u32;
                self.nodes.push(line.node.clone());
                self.known_nodes.insert(line.node.clone(), new);
                new
            }
        };
        let place = Place {
            file: line.file.clone(),
            function: line.function.clone(),
            line: line.line,
        };
        let place = match self.known_places.get(&place) {
            Some(known) => *known,
            None => {
                let new = self.places.len() as u32;
                self.places.push(place.clone());
                self.known_places.insert(place, new);
                new
            }
        };
        self.text.push_str(&line.text);
        self.lines.push(Line {
            stamp: line.stamp,
            end: self.text.len(),
            node,
            place,
            level: line.level,
        });
    }

    fn shrink(&mut self) {
        self.lines.shrink_to_fit();
        self.text.shrink_to_fit();
        self.known_nodes = HashMap::new();
        self.known_places = HashMap::new();
    }

    fn bytes(&self) -> usize {
        let names: usize = self.nodes.iter().map(|n| n.len() + 32).sum();
        let places: usize = self.places.iter().map(|p| p.file.len() + p.function.len() + 64).sum();
        self.lines.capacity() * size_of::<Line>() + self.text.capacity() + names + places
    }

    pub fn len(&self) -> usize {
        self.lines.len()
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub fn get(&self, index: usize) -> Option<LogRow<'_>> {
        let line = self.lines.get(index)?;
        let start = match index.checked_sub(1) {
            Some(before) => self.lines.get(before)?.end,
            None => 0,
        };
        let place = self.places.get(line.place as usize)?;
        Some(LogRow {
            stamp: line.stamp,
            level: line.level,
            node: self.nodes.get(line.node as usize)?,
            file: &place.file,
            function: &place.function,
            line: place.line,
            text: self.text.get(start..line.end)?,
        })
    }

    /// Every node that wrote a line, in the order of their first lines, with the number of lines by level.
    pub fn nodes(&self) -> Vec<(Arc<str>, [u64; 5])> {
        let mut out: Vec<(Arc<str>, [u64; 5])> = self.nodes.iter().map(|n| (n.clone(), [0; 5])).collect();
        for line in &self.lines {
            if let Some((_, counts)) = out.get_mut(line.node as usize)
                && let Some(count) = counts.get_mut(line.level as usize)
            {
                *count += 1;
            }
        }
        out
    }
}

//! All messages of a topic in one chunk, in compact columns: what logs, tracks and statistics over a whole recording are made of.
//!
//! Invariant: rows own their memory and are sorted by receive time; equal strings of one chunk are kept once.

mod log;

use std::sync::Arc;

use bytes::Bytes;

use super::{DecodeError, Decoded, Fix, Form, Schema};
use crate::time::Time;
pub use log::{Head, LevelCounts, LogRow, LogRows, Opened};

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
    Log(Box<LogRows>),
    Fix(Vec<Fix>),
    /// Nothing but receive times.
    Arrivals,
    Stamps(Vec<Stamped>),
    /// Each once.
    Frames(Vec<Arc<str>>),
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
            Form::Log => Columns::Log(Box::default()),
            Form::Fix => Columns::Fix(Vec::new()),
            Form::Arrivals => Columns::Arrivals,
            Form::Stamps => Columns::Stamps(Vec::new()),
            Form::Frames => Columns::Frames(Vec::new()),
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
            Columns::Frames(frames) => {
                let frame = schema.header_frame(payload);
                frames.extend(frame.filter(|frame| !frames.contains(frame)));
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
            Columns::Frames(frames) => frames.shrink_to_fit(),
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
            Columns::Frames(frames) => frames.iter().map(|f| f.len() + 32).sum(),
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

    pub fn frames(&self) -> &[Arc<str>] {
        match &self.columns {
            Columns::Frames(frames) => frames,
            _ => &[],
        }
    }

    pub fn stamps(&self) -> &[Stamped] {
        match &self.columns {
            Columns::Stamps(rows) => rows,
            _ => &[],
        }
    }
}

//! The search itself: values of all recordings in one order of time, through the program, into spans.
//!
//! Invariant: what one topic's condition asks for is so at a moment if any message of that moment makes it so; of numbers that are computed
//! with further the moment's last one counts.

use std::collections::VecDeque;
use std::sync::Arc;

use super::condition::Condition;
use super::drive::Drive;
use super::reading::{Reading, Reads, read, reading};
use super::spans::{Bounds, Spans};
use crate::format::Warning;
use crate::path::{ItemKind, Point, Program, Progress};
use crate::run::{Messages, Piece, mapped_of};
use crate::source::{Location, SourceError};
use crate::time::{Span, Time};

/// So many messages go through the program together.
const WINDOW: usize = 64;

/// What comes of a search while it runs.
#[derive(Clone, Debug)]
pub enum Step {
    Found(Span),
    /// What could not be read, and of what.
    Lost(Location, Warning),
    /// It is through until there.
    Reached(Time),
}

/// A search that runs. Dropping it ends it.
pub struct Search {
    streams: Vec<Stream>,
    program: Program,
    progress: Progress,
    spans: Spans,
    /// Of each input: values that have not gone through the program.
    values: Vec<Vec<Point>>,
    end: Time,
    reads: Reads,
    ready: VecDeque<Step>,
    is_done: bool,
}

/// What comes of one recording.
struct Stream {
    at: Location,
    messages: Messages<Vec<(usize, f64)>>,
    front: Option<(Time, Vec<(usize, f64)>)>,
    known: VecDeque<(Time, usize, f64)>,
}

impl Search {
    /// Begins to read.
    pub fn begin(drive: &Drive, condition: &Condition, bounds: Bounds) -> Search {
        let mut search = Search {
            streams: Vec::new(),
            program: condition.program().clone(),
            progress: condition.program().start(),
            spans: Spans::new(bounds),
            values: vec![Vec::new(); condition.program().inputs().len()],
            end: drive.span().end.min(bounds.within.end),
            reads: Reads::default(),
            ready: VecDeque::new(),
            is_done: false,
        };
        for (recording, names) in drive.named() {
            let Some(mut reading) = reading(recording, names, condition, bounds.within) else {
                continue;
            };
            reading.wanted.ahead_bytes = bounds.ahead_bytes.unwrap_or(reading.wanted.ahead_bytes);
            let at = recording.reader.location().clone();
            let Reading {
                wanted,
                values,
                known,
                reads,
                problems,
            } = reading;
            search.reads.chunks += reads.chunks;
            search.reads.skipped += reads.skipped;
            let lost = |what| Step::Lost(at.clone(), Warning { offset: 0, what });
            search.ready.extend(problems.into_iter().map(lost));
            let values: Arc<[_]> = values.into();
            search.streams.push(Stream {
                messages: mapped_of(recording, wanted, move |message| {
                    read(&values, message.connection, &message.payload)
                }),
                front: None,
                known,
                at,
            });
        }
        search
    }

    pub fn reads(&self) -> Reads {
        self.reads
    }

    /// Takes in what comes next until a window is full and decided, or all is through.
    fn window(&mut self) -> Result<(), SourceError> {
        let (mut taken, mut last) = (0, None);
        loop {
            let Some((time, number)) = self.next_time()? else {
                self.advance(Time::MAX);
                self.spans.end(self.end);
                self.is_done = true;
                break;
            };
            if taken >= WINDOW && last != Some(time) {
                self.advance(time);
                self.ready.push_back(Step::Reached(time));
                break;
            }
            self.take_value(number);
            (taken, last) = (taken + 1, Some(time));
        }
        self.ready.extend(self.spans.found.drain(..).map(Step::Found));
        Ok(())
    }

    /// When the next value is, and of which stream.
    fn next_time(&mut self) -> Result<Option<(Time, usize)>, SourceError> {
        for stream in &mut self.streams {
            while stream.front.is_none() {
                match stream.messages.next().transpose()? {
                    Some(Piece::Message(time, _, values)) => stream.front = Some((time, values)),
                    Some(Piece::Warning(_, warning)) => self.ready.push_back(Step::Lost(stream.at.clone(), warning)),
                    Some(Piece::Backwards(..)) => {}
                    None => break,
                }
            }
        }
        let next = self
            .streams
            .iter()
            .enumerate()
            .filter_map(|(number, stream)| Some((stream.next_time()?, number)));
        Ok(next.min())
    }

    fn take_value(&mut self, number: usize) {
        let Some(stream) = self.streams.get_mut(number) else { return };
        let put = |values: &mut Vec<Vec<Point>>, time: Time, input: usize, value: f64| {
            if let Some(values) = values.get_mut(input) {
                values.push((time, value));
            }
        };
        match (stream.known.front(), stream.front.take()) {
            (Some((known, ..)), front) if front.as_ref().is_none_or(|(time, _)| known <= time) => {
                stream.front = front;
                if let Some((time, input, value)) = stream.known.pop_front() {
                    put(&mut self.values, time, input, value);
                }
            }
            (_, Some((time, values))) => values
                .into_iter()
                .for_each(|(input, value)| put(&mut self.values, time, input, value)),
            (_, None) => {}
        }
    }

    /// All values before `until` are there.
    fn advance(&mut self, until: Time) {
        for (values, input) in self.values.iter_mut().zip(self.program.inputs()) {
            if input.column.kind() == ItemKind::Bool {
                join_moments(values);
            }
        }
        let inputs: Vec<&[Point]> = self.values.iter().map(Vec::as_slice).collect();
        let mut points = self.program.advance(&mut self.progress, &inputs, until).into_iter().peekable();
        while let Some((time, value)) = points.next() {
            // of one moment the last one counts
            if points.peek().is_none_or(|(next, _)| *next != time) {
                self.spans.take(time, value != 0.0 && !value.is_nan());
            }
        }
        self.values.iter_mut().for_each(Vec::clear);
    }
}

/// Of several messages of one moment one that is true is enough.
fn join_moments(values: &mut Vec<Point>) {
    values.dedup_by(|later, first| {
        let is_same = later.0 == first.0;
        if is_same {
            first.1 = first.1.max(later.1);
        }
        is_same
    });
}

impl Stream {
    fn next_time(&self) -> Option<Time> {
        let known = self.known.front().map(|(time, ..)| *time);
        let read = self.front.as_ref().map(|(time, _)| *time);
        known.into_iter().chain(read).min()
    }
}

impl Iterator for Search {
    type Item = Result<Step, SourceError>;

    /// Waits for what comes next.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(step) = self.ready.pop_front() {
                return Some(Ok(step));
            }
            if self.is_done {
                return None;
            }
            if let Err(error) = self.window() {
                self.is_done = true;
                return Some(Err(error));
            }
        }
    }
}

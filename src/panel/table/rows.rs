//! The rows of a table: parts of one message or of all, those that pass the filter, in the order asked for.
//!
//! Invariants: messages are looked at a few at a time, so that no frame waits; a row is decoded when it is looked at and when it is
//! seen, never kept for all.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use rayon::slice::ParallelSliceMut as _;

use super::cells::{self, Cell};
use super::filter::Filter;
use crate::decode::{Rows, Value};
use crate::path::Select;
use crate::time::Time;

/// So many bytes of messages, or rows, are looked at in one frame.
const BYTES_A_FRAME: usize = 1 << 20;
const ROWS_A_FRAME: usize = 4000;
/// No more rows are listed than these bytes hold.
const MOST_BYTES: u64 = 96 << 20;
/// An entry, its place, and what a place takes while rows are put in order.
const ROW_BYTES: u64 = (size_of::<Entry>() + size_of::<Place>() + size_of::<(Place, Option<&Key>)>()) as u64;
/// Decoded messages that are kept for drawing.
const CACHED: usize = 256;

/// Messages that came together.
#[derive(Clone)]
pub enum Messages {
    One(Time, Bytes),
    Many(Arc<Rows>),
}

impl Messages {
    fn len(&self) -> usize {
        match self {
            Messages::One(..) => 1,
            Messages::Many(rows) => rows.len(),
        }
    }

    fn get(&self, at: usize) -> Option<(Time, Bytes)> {
        match self {
            Messages::One(time, bytes) => (at == 0).then(|| (*time, bytes.clone())),
            Messages::Many(rows) => Some((*rows.times().get(at)?, rows.message(at)?)),
        }
    }
}

struct Block {
    key: u64,
    messages: Messages,
    /// So many messages were looked at.
    examined: usize,
    entries: Vec<Entry>,
    /// As `entries`, where rows are sorted.
    keys: Vec<Key>,
    total: usize,
    /// What `entries` and `keys` hold.
    bytes: u64,
}

#[derive(Clone, Copy)]
struct Entry {
    time: Time,
    message: u32,
    part: u32,
}

/// Where a row comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub time: Time,
    block: u64,
    message: u32,
    /// Which of the message's parts it is.
    pub part: u32,
}

/// What rows are sorted by.
#[derive(Clone, Debug, PartialEq)]
enum Key {
    Number(f64),
    Text(String),
    Nothing,
}

impl Key {
    fn of(value: Option<&Value>) -> Key {
        match value.map(|v| (v.as_f64(), v)) {
            Some((Some(number), _)) => Key::Number(number),
            Some((None, value)) => Key::Text(cells::text(value)),
            None => Key::Nothing,
        }
    }

    fn bytes(&self) -> u64 {
        let text = match self {
            Key::Text(text) => text.len(),
            Key::Number(_) | Key::Nothing => 0,
        };
        (size_of::<Key>() + text) as u64
    }

    fn order(&self, other: &Key) -> Ordering {
        match (self, other) {
            (Key::Number(a), Key::Number(b)) => a.total_cmp(b),
            (Key::Text(a), Key::Text(b)) => a.cmp(b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Key::Number(_) => 0,
            Key::Text(_) => 1,
            Key::Nothing => 2,
        }
    }
}

/// Which rows are asked for, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// As [`Filter`] reads it.
    pub filter: String,
    /// A column, and whether the largest comes first.
    pub sort: Option<(String, bool)>,
}

#[derive(Default)]
pub struct Body {
    blocks: Vec<Block>,
    query: Query,
    /// A row, whether it passes the filter or not.
    first: Option<Place>,
    order: Vec<Place>,
    /// `order` lacks something.
    is_old: bool,
    cache: HashMap<(u64, u32), Arc<Vec<Value>>>,
}

impl Body {
    /// What there is now, each with a key that stands for it. What is known of others is forgotten.
    pub fn take(&mut self, given: Vec<(u64, Messages)>) {
        let mut known: HashMap<u64, Block> = self.blocks.drain(..).map(|b| (b.key, b)).collect();
        let new = |key: u64, messages: Messages| Block {
            key,
            messages,
            examined: 0,
            entries: Vec::new(),
            keys: Vec::new(),
            total: 0,
            bytes: 0,
        };
        self.blocks = given
            .into_iter()
            .map(|(key, messages)| known.remove(&key).unwrap_or_else(|| new(key, messages)))
            .collect();
        self.first = None;
        self.cache.clear();
        self.is_old = true;
    }

    /// A row that can be looked at, whether it passes the filter or not.
    pub fn first(&self) -> Option<Place> {
        self.first.or_else(|| self.order.first().copied())
    }

    /// All is looked at anew.
    pub fn restart(&mut self) {
        for block in &mut self.blocks {
            block.examined = 0;
            block.total = 0;
            block.bytes = 0;
            block.entries.clear();
            block.keys.clear();
        }
        self.cache.clear();
        self.is_old = true;
    }

    pub fn ask(&mut self, query: Query) {
        let is_same_rows = self.query.filter == query.filter && self.query.sort.as_ref().map(|s| &s.0) == query.sort.as_ref().map(|s| &s.0);
        if self.query != query {
            self.query = query;
            self.is_old = true;
        }
        if !is_same_rows {
            self.restart();
        }
    }

    /// Looks at some more messages. False: all are done.
    pub fn work(&mut self, select: &Select, columns: &[Cell]) -> bool {
        let filter = Filter::parse(&self.query.filter);
        let (mut bytes, mut rows) = (0, 0);
        let mut left = false;
        let mut held = self.bytes();
        'all: for block in &mut self.blocks {
            while block.examined < block.messages.len() {
                if bytes > BYTES_A_FRAME || rows > ROWS_A_FRAME {
                    left = true;
                    break 'all;
                }
                if held >= MOST_BYTES {
                    break 'all;
                }
                let message = block.examined;
                block.examined += 1;
                let Some((time, payload)) = block.messages.get(message) else {
                    continue;
                };
                bytes += payload.len();
                for (part, value) in parts(select, &payload).into_iter().enumerate() {
                    block.total += 1;
                    rows += 1;
                    self.first.get_or_insert(Place {
                        time,
                        block: block.key,
                        message: message as u32,
                        part: part as u32,
                    });
                    if !filter.passes(&value, columns) {
                        continue;
                    }
                    let before = block.bytes;
                    block.bytes += ROW_BYTES;
                    block.entries.push(Entry {
                        time,
                        message: message as u32,
                        part: part as u32,
                    });
                    if let Some((column, _)) = &self.query.sort {
                        let key = Key::of(cells::at(&value, column));
                        block.bytes += key.bytes();
                        block.keys.push(key);
                    }
                    held += block.bytes - before;
                }
                self.is_old = true;
            }
        }
        // sorted once all is there; in the order of time whenever there is a good part more, so that each row is moved few times
        let count: usize = self.blocks.iter().map(|block| block.entries.len()).sum();
        let is_worth = self.query.sort.is_none() && count >= self.order.len() / 4 * 5;
        if self.is_old && (!left || is_worth || self.order.is_empty()) {
            self.put_in_order();
        }
        left
    }

    fn put_in_order(&mut self) {
        self.is_old = false;
        let mut rows: Vec<(Place, Option<&Key>)> = Vec::new();
        for block in &self.blocks {
            rows.extend(block.entries.iter().enumerate().map(|(at, entry)| {
                let place = Place {
                    time: entry.time,
                    block: block.key,
                    message: entry.message,
                    part: entry.part,
                };
                (place, block.keys.get(at))
            }));
        }
        match &self.query.sort {
            None => rows.sort_by_key(|(place, _)| place.time),
            Some((_, descending)) => rows.par_sort_by(|a, b| match (a.1, b.1) {
                (Some(a), Some(b)) if *descending && a.rank() == b.rank() => b.order(a),
                (Some(a), Some(b)) => a.order(b),
                (a, b) => b.is_some().cmp(&a.is_some()),
            }),
        }
        self.order = rows.into_iter().map(|(place, _)| place).collect();
    }

    /// Rows that pass the filter.
    pub fn rows(&self) -> &[Place] {
        &self.order
    }

    /// All rows that were looked at.
    pub fn total(&self) -> usize {
        self.blocks.iter().map(|b| b.total).sum()
    }

    /// What is held for the rows.
    pub fn bytes(&self) -> u64 {
        self.blocks.iter().map(|b| b.bytes).sum()
    }

    /// There are more rows than are listed.
    pub fn is_full(&self) -> bool {
        self.bytes() >= MOST_BYTES
    }

    pub fn is_sorted_by_time(&self) -> bool {
        self.query.sort.is_none()
    }

    /// What stands in a row.
    pub fn value(&mut self, select: &Select, place: Place) -> Option<Value> {
        let key = (place.block, place.message);
        if let Some(values) = self.cache.get(&key) {
            return values.get(place.part as usize).cloned();
        }
        let block = self.blocks.iter().find(|b| b.key == place.block)?;
        let (_, payload) = block.messages.get(place.message as usize)?;
        let values = Arc::new(parts(select, &payload));
        if self.cache.len() >= CACHED {
            self.cache.clear();
        }
        self.cache.insert(key, Arc::clone(&values));
        values.get(place.part as usize).cloned()
    }
}

/// The parts of a message that become rows: arrays element by element.
fn parts(select: &Select, payload: &Bytes) -> Vec<Value> {
    let mut out = Vec::new();
    for value in select.values(payload) {
        match value.array_len() {
            Some(len) => out.extend((0..len).filter_map(|at| value.element(at))),
            None => out.push(value),
        }
    }
    out
}

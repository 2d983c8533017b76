//! What is kept whatever else is fetched: spans of recordings, to be played without a network. One small file each.
//!
//! Invariant: a pin names its recording as [`Location`] prints it, without anything secret.

use std::collections::{HashMap, HashSet};
use std::io;
use std::ops::Range;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{ObjectKey, disk, entry, hash, known};
use crate::source::Location;
use crate::time::{Span, Time};

/// A span of a recording that is kept until it is let go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The recording, as it is shown.
    pub location: String,
    start_ns: i64,
    end_ns: i64,
    /// The object's folder.
    object: String,
    /// The file that says which object lies at the location.
    known: Option<String>,
    ranges: Vec<(u64, u64)>,
    /// False while its bytes are being fetched, or where that was broken off.
    pub is_complete: bool,
}

impl Pin {
    pub(in crate::source) fn new(at: &Location, key: ObjectKey, span: Span, ranges: &[Range<u64>]) -> Pin {
        Pin {
            location: at.to_string(),
            start_ns: span.start.nanos(),
            end_ns: span.end.nanos(),
            object: disk::hex(key.0),
            known: known::name(at).map(disk::hex),
            ranges: ranges.iter().map(|range| (range.start, range.end)).collect(),
            is_complete: false,
        }
    }

    pub(in crate::source) fn completed(self) -> Pin {
        Pin { is_complete: true, ..self }
    }

    pub fn span(&self) -> Span {
        Span::new(Time(self.start_ns), Time(self.end_ns))
    }

    /// Of the recording, as it lies on disk.
    pub fn bytes(&self) -> u64 {
        self.ranges.iter().map(|(start, end)| end.saturating_sub(*start)).sum()
    }

    pub(super) fn is_of_same_span(&self, other: &Pin) -> bool {
        self.name() == other.name()
    }

    /// Of the same span of the same object there is one.
    fn name(&self) -> u128 {
        hash(&[self.object.as_bytes(), &self.start_ns.to_le_bytes(), &self.end_ns.to_le_bytes()])
    }

    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let name = self.name();
        let json = serde_json::to_vec(self).map_err(io::Error::other)?;
        disk::write_small(&folder.join("pins").join(disk::hex(name)), entry_name(name), &json)
    }

    pub(super) fn remove(&self, folder: &Path) -> io::Result<()> {
        std::fs::remove_file(folder.join("pins").join(disk::hex(self.name())))
    }
}

fn entry_name(name: u128) -> entry::Name {
    entry::Name { object: name, start: 0 }
}

/// All pins of a folder, by location and start. A damaged one counts for nothing.
pub(super) fn all(folder: &Path) -> Vec<Pin> {
    let files = std::fs::read_dir(folder.join("pins")).into_iter().flatten().flatten();
    let read = |path: &Path| {
        let name = u128::from_str_radix(path.file_name()?.to_str()?, 16).ok()?;
        let bytes = entry::parse(entry_name(name), disk::read_small(path)?)?;
        serde_json::from_slice::<Pin>(&bytes).ok()
    };
    let mut pins: Vec<Pin> = files.filter_map(|file| read(&file.path())).collect();
    pins.sort_by(|a, b| (&a.location, a.start_ns, a.end_ns).cmp(&(&b.location, b.start_ns, b.end_ns)));
    pins
}

/// Which files the pins hold.
#[derive(Default)]
pub(super) struct Held {
    /// By the object's folder.
    ranges: HashMap<String, Vec<(u64, u64)>>,
    known: HashSet<String>,
}

impl Held {
    pub(super) fn of(folder: &Path) -> Held {
        let mut held = Held::default();
        for pin in all(folder) {
            held.known.extend(pin.known);
            held.ranges.entry(pin.object).or_default().extend(pin.ranges);
        }
        held
    }

    /// Whether any pin is of this object.
    pub(super) fn is_of(&self, key: ObjectKey) -> bool {
        self.ranges.contains_key(&disk::hex(key.0))
    }

    /// Whether a pin needs this file.
    pub(super) fn holds(&self, path: &Path) -> bool {
        let name = |path: &Path| path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        let (Some(file), Some(within)) = (name(path), path.parent().and_then(name)) else {
            return false;
        };
        match (self.ranges.get(&within), disk::range_of(&file)) {
            (Some(ranges), Some(segment)) => ranges.iter().any(|(start, end)| segment.start < *end && *start < segment.end),
            _ => within == "known" && self.known.contains(&file),
        }
    }
}

//! Which ranges of which objects are held: in memory, least recently used first out, or on disk.
//!
//! Invariant: the bytes in memory stay within their limit.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::time::Instant;

use bytes::Bytes;
use indexmap::IndexMap;

use super::{ObjectKey, SEGMENT_BYTES};

/// A segment this short between two that are missing is fetched again: a request of its own would cost more.
const NOT_WORTH_A_REQUEST: u64 = 64 * 1024;

pub(super) struct Segments {
    objects: HashMap<ObjectKey, Object>,
    /// In memory, the least recently used first.
    recent: IndexMap<(ObjectKey, u64), ()>,
    memory_bytes: u64,
    used_bytes: u64,
}

#[derive(Default)]
struct Object {
    /// By start.
    segments: BTreeMap<u64, Segment>,
    listed: Option<Instant>,
}

struct Segment {
    end: u64,
    bytes: Option<Bytes>,
    on_disk: bool,
}

/// A part of a range, with the segment that holds it.
pub(super) enum Found {
    Held(Range<u64>, Range<u64>, Bytes),
    OnDisk(Range<u64>, Range<u64>),
    Missing(Range<u64>),
}

impl Segments {
    pub(super) fn new(memory_bytes: u64) -> Segments {
        Segments {
            objects: HashMap::new(),
            recent: IndexMap::new(),
            memory_bytes,
            used_bytes: 0,
        }
    }

    pub(super) fn last_listed(&self, key: ObjectKey) -> Option<Instant> {
        self.objects.get(&key)?.listed
    }

    /// Takes what the disk holds.
    pub(super) fn listed(&mut self, key: ObjectKey, found: Vec<Range<u64>>, now: Instant) {
        let object = self.objects.entry(key).or_default();
        object.listed = Some(now);
        for range in found {
            match object.segments.get_mut(&range.start) {
                Some(known) if known.end > range.end || known.bytes.is_some() => {}
                Some(known) => (known.end, known.on_disk) = (range.end, true),
                None => {
                    let segment = Segment {
                        end: range.end,
                        bytes: None,
                        on_disk: true,
                    };
                    object.segments.insert(range.start, segment);
                }
            }
        }
    }

    pub(super) fn put(&mut self, key: ObjectKey, start: u64, bytes: Bytes, on_disk: bool) {
        let end = start + bytes.len() as u64;
        let object = self.objects.entry(key).or_default();
        if object.segments.get(&start).is_some_and(|known| known.end > end) {
            return;
        }
        self.used_bytes += bytes.len() as u64;
        let segment = Segment {
            end,
            bytes: Some(bytes),
            on_disk,
        };
        if let Some(former) = object.segments.insert(start, segment) {
            self.used_bytes -= former.bytes.map_or(0, |b| b.len() as u64);
        }
        self.recent.shift_remove(&(key, start));
        self.recent.insert((key, start), ());
        self.evict();
    }

    fn evict(&mut self) {
        while self.used_bytes > self.memory_bytes
            && let Some(((key, start), ())) = self.recent.shift_remove_index(0)
        {
            let Some(object) = self.objects.get_mut(&key) else { continue };
            let Some(segment) = object.segments.get_mut(&start) else { continue };
            self.used_bytes -= segment.bytes.take().map_or(0, |b| b.len() as u64);
            if !segment.on_disk {
                object.segments.remove(&start);
            }
        }
    }

    /// A segment has reached the disk.
    pub(super) fn written(&mut self, key: ObjectKey, range: &Range<u64>) {
        self.listed_one(key, range.clone());
    }

    fn listed_one(&mut self, key: ObjectKey, range: Range<u64>) {
        let object = self.objects.entry(key).or_default();
        match object.segments.get_mut(&range.start) {
            Some(known) if known.end == range.end => known.on_disk = true,
            Some(_) => {}
            None => {
                let segment = Segment {
                    end: range.end,
                    bytes: None,
                    on_disk: true,
                };
                object.segments.insert(range.start, segment);
            }
        }
    }

    /// A segment is not on disk any more.
    pub(super) fn lost(&mut self, key: ObjectKey, range: &Range<u64>) {
        let Some(object) = self.objects.get_mut(&key) else { return };
        let Some(segment) = object.segments.get_mut(&range.start).filter(|s| s.end == range.end) else {
            return;
        };
        segment.on_disk = false;
        if segment.bytes.is_none() {
            object.segments.remove(&range.start);
        }
    }

    /// The parts of `range`, in order, without gaps.
    pub(super) fn find(&mut self, key: ObjectKey, range: &Range<u64>) -> Vec<Found> {
        let Some(object) = self.objects.get(&key) else {
            return vec![Found::Missing(range.clone())];
        };
        let mut found: Vec<Found> = Vec::new();
        let mut used = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let reaching = object.segments.range(at.saturating_sub(SEGMENT_BYTES)..=at);
            let best = reaching
                .filter(|(_, segment)| segment.end > at)
                .max_by_key(|(_, segment)| (segment.bytes.is_some(), segment.end));
            let end = match best {
                Some((&start, segment)) => {
                    let part = at..segment.end.min(range.end);
                    let whole = start..segment.end;
                    found.push(match &segment.bytes {
                        Some(bytes) => {
                            used.push((key, start));
                            Found::Held(part.clone(), whole, bytes.clone())
                        }
                        None => Found::OnDisk(part.clone(), whole),
                    });
                    part.end
                }
                None => {
                    let next = object.segments.range(at + 1..).next().map_or(range.end, |(&start, _)| start);
                    let part = at..next.min(range.end);
                    let end = part.end;
                    miss(&mut found, part);
                    end
                }
            };
            at = end;
        }
        for one in used {
            self.recent.shift_remove(&one);
            self.recent.insert(one, ());
        }
        found
    }
}

/// Adds a missing part; one that follows another after a short segment joins it.
fn miss(found: &mut Vec<Found>, part: Range<u64>) {
    let mut joined = part.start;
    let mut keep = found.len();
    for (at, before) in found.iter().enumerate().rev() {
        match before {
            Found::Missing(range) => {
                joined = range.start;
                keep = at;
                break;
            }
            Found::Held(range, ..) | Found::OnDisk(range, _) => {
                if part.start - range.start > NOT_WORTH_A_REQUEST {
                    break;
                }
            }
        }
    }
    found.truncate(keep);
    found.push(Found::Missing(joined..part.end));
}

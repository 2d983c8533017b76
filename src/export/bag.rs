//! Bags out of bags: a chunk that lies inside of what is wanted is copied as it is, others are written anew.
//!
//! Invariant: what is copied was read whole, with every check, so that no damage is handed on unseen.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Seek, Write};

use futures_util::{StreamExt, stream};

use super::{ExportError, Selection, Written};
use crate::format::rosbag1::writer::{Compression, Writer};
use crate::format::{Batch, Checks, Chunk, ChunkId, ConnectionId, ConnectionSet, Fetched, StoredChunk, Warning};
use crate::run::Recording;
use crate::source::SourceError;

/// Chunks that are read ahead.
const AHEAD: usize = 6;

/// A chunk of one of the recordings.
#[derive(Clone, Copy)]
struct Planned {
    recording: usize,
    chunk: ChunkId,
    /// It may be copied.
    is_whole: bool,
}

/// Writes one bag. Without a `compression` chunks that are copied keep theirs, and others get the one that all recordings share, or LZ4.
pub fn write_bag<W: Write + Seek>(
    recordings: &[Recording],
    selection: &Selection,
    compression: Option<Compression>,
    out: W,
    progress: &mut dyn FnMut(f64),
) -> Result<Written, ExportError> {
    let mut own = recordings
        .iter()
        .map(|recording| usual_compression(&recording.container.catalog().chunks));
    let first = own.next().unwrap_or(Compression::Lz4);
    let shared = if own.all(|other| other == first) { first } else { Compression::Lz4 };
    let writer = Writer::new(out, compression.unwrap_or(shared))?;
    let mut slicer = Slicer {
        recordings,
        wanted: recordings
            .iter()
            .map(|recording| selection.connections(recording.container.catalog()))
            .collect(),
        selection,
        compression,
        writer,
        numbers: BTreeMap::new(),
        owners: BTreeMap::new(),
        written: Written::default(),
    };
    slicer.describe();
    slicer.copy(progress)?;
    let Slicer { writer, written, .. } = slicer;
    writer.finish()?;
    Ok(written)
}

fn usual_compression(chunks: &[Chunk]) -> Compression {
    let count = |name: &str| chunks.iter().filter(|chunk| &*chunk.compression == name).count();
    let all = [
        (count("lz4"), Compression::Lz4),
        (count("bz2"), Compression::Bz2),
        (count("none"), Compression::None),
    ];
    let (most, usual) = all.into_iter().max_by_key(|(count, _)| *count).unwrap_or((0, Compression::Lz4));
    if most == 0 { Compression::Lz4 } else { usual }
}

struct Slicer<'a, W: Write + Seek> {
    recordings: &'a [Recording],
    wanted: Vec<ConnectionSet>,
    selection: &'a Selection,
    compression: Option<Compression>,
    writer: Writer<W>,
    /// The number that a recording's connection has in the new bag.
    numbers: BTreeMap<(usize, ConnectionId), u32>,
    /// What a number stands for.
    owners: BTreeMap<u32, (usize, ConnectionId)>,
    written: Written,
}

impl<W: Write + Seek> Slicer<'_, W> {
    /// Numbers the connections: the first recording's as its file does, so that its chunks can be copied.
    fn describe(&mut self) {
        for (at, recording) in self.recordings.iter().enumerate() {
            let catalog = recording.container.catalog();
            let own: BTreeMap<ConnectionId, u32> = recording
                .container
                .own_numbers()
                .into_iter()
                .map(|(number, id)| (id, number))
                .collect();
            let taken: BTreeSet<u32> = own.values().copied().collect();
            for (connection, id) in catalog.connections.iter().zip(0..) {
                let is_wanted = self.wanted.get(at).is_some_and(|wanted| wanted.contains(id));
                if !is_wanted {
                    continue;
                }
                let free = own.get(&id).copied().filter(|number| !self.owners.contains_key(number));
                let unused = |number: &u32| !self.owners.contains_key(number) && !taken.contains(number);
                let Some(number) = free.or_else(|| (0..=u32::MAX).find(unused)) else {
                    continue;
                };
                self.owners.insert(number, (at, id));
                self.numbers.insert((at, id), number);
                self.writer.add_connection_as(number, connection);
            }
        }
    }

    fn plan(&self) -> Vec<Planned> {
        let mut plan = Vec::new();
        for (at, (recording, wanted)) in self.recordings.iter().zip(&self.wanted).enumerate() {
            for (chunk, id) in recording.container.catalog().chunks.iter().zip(0..) {
                let claims_none = chunk.messages() == 0;
                let is_wanted = match claims_none {
                    true => *wanted == ConnectionSet::All,
                    false => chunk.span.overlaps(self.selection.span) && chunk.counts.iter().any(|(c, n)| *n > 0 && wanted.contains(*c)),
                };
                if is_wanted {
                    let planned = Planned {
                        recording: at,
                        chunk: id,
                        is_whole: self.is_whole(chunk),
                    };
                    plan.push((chunk.span.start, planned));
                }
            }
        }
        plan.sort_by_key(|(start, planned)| (*start, planned.recording, planned.chunk));
        plan.into_iter().map(|(_, planned)| planned).collect()
    }

    fn copy(&mut self, progress: &mut dyn FnMut(f64)) -> Result<(), ExportError> {
        let plan = self.plan();
        let Some(io) = self.recordings.first().map(|recording| recording.io.clone()) else {
            return Ok(());
        };
        let readers: Vec<_> = self
            .recordings
            .iter()
            .zip(&self.wanted)
            .map(|(recording, wanted)| (recording.reader.clone(), recording.container.clone(), wanted.clone()))
            .collect();
        let total = plan.len().max(1) as f64;
        let mut reads = stream::iter(plan.into_iter().enumerate())
            .map(|(place, planned)| {
                let of = readers.get(planned.recording).cloned();
                async move {
                    let Some((reader, container, wanted)) = of else {
                        return (place, planned, None);
                    };
                    let range = container
                        .catalog()
                        .chunks
                        .get(planned.chunk as usize)
                        .map(|chunk| chunk.range.clone());
                    let Some(range) = range else {
                        return (place, planned, None);
                    };
                    let read = async {
                        let got = Fetched::one(range.start, reader.read(range).await?);
                        let checks = if planned.is_whole { Checks::Full } else { Checks::Quick };
                        let decode = move || {
                            let batch = container.messages(planned.chunk, &got, &wanted, checks);
                            (got, batch)
                        };
                        Ok::<_, SourceError>(tokio::task::spawn_blocking(decode).await.ok())
                    };
                    (place, planned, Some(read.await))
                }
            })
            .buffered(AHEAD)
            .boxed();
        while let Some((place, planned, read)) = io.block_on(reads.next()) {
            progress(place as f64 / total);
            match read {
                Some(Ok(Some((got, batch)))) => self.chunk(planned, &got, batch)?,
                Some(Ok(None)) => self.lost(planned, "the reader crashed on this chunk, which is a bug worth reporting".into()),
                Some(Err(error)) if error.is_of_this_range() => self.lost(planned, error.to_string()),
                Some(Err(error)) => return Err(error.into()),
                None => {}
            }
        }
        Ok(())
    }

    fn lost(&mut self, planned: Planned, what: String) {
        let Some(recording) = self.recordings.get(planned.recording) else {
            return;
        };
        let chunk = recording.container.catalog().chunks.get(planned.chunk as usize);
        let offset = chunk.map_or(0, |chunk| chunk.range.start);
        self.written
            .losses
            .push((recording.reader.location().clone(), Warning { offset, what }));
    }

    fn chunk(&mut self, planned: Planned, got: &Fetched, mut batch: Batch) -> Result<(), ExportError> {
        let Some(recording) = self.recordings.get(planned.recording) else {
            return Ok(());
        };
        let container = &recording.container;
        let is_sound = planned.is_whole && batch.warnings.is_empty() && batch.instead.is_none();
        if let Some(stored) = is_sound.then(|| self.whole(planned, got)).flatten() {
            self.writer.copy_chunk(&stored)?;
            self.written.copied_chunks += 1;
            self.written.messages += stored.index.values().map(|entries| entries.len() as u64).sum::<u64>();
            return Ok(());
        }
        let Some(wanted) = self.wanted.get(planned.recording) else {
            return Ok(());
        };
        if let Some(elsewhere) = batch.instead {
            let start = elsewhere.start;
            let read = recording.io.block_on(recording.reader.read(elsewhere));
            match read {
                Ok(bytes) => batch = container.messages(planned.chunk, &Fetched::one(start, bytes), wanted, Checks::Quick),
                Err(error) => {
                    self.lost(planned, error.to_string());
                    return Ok(());
                }
            }
        }
        batch.messages.retain(|message| self.selection.span.contains(message.time));
        batch.messages.sort_by_key(|message| message.time);
        for warning in batch.warnings {
            self.written.losses.push((recording.reader.location().clone(), warning));
        }
        for message in &batch.messages {
            let Some(number) = self.numbers.get(&(planned.recording, message.connection)) else {
                continue;
            };
            self.writer.write(*number, message.time, &message.payload)?;
            self.written.messages += 1;
        }
        Ok(())
    }

    /// Whether all of a chunk's time is wanted, in the compression that it has.
    fn is_whole(&self, chunk: &Chunk) -> bool {
        let span = self.selection.span;
        let is_inside = span.start <= chunk.span.start && chunk.span.end <= span.end;
        is_inside && self.compression.is_none_or(|wanted| wanted.name() == &*chunk.compression)
    }

    /// The chunk as it is stored, where its numbers mean the same in the new bag.
    fn whole(&self, planned: Planned, got: &Fetched) -> Option<StoredChunk> {
        let recording = self.recordings.get(planned.recording)?;
        let span = self.selection.span;
        let stored = recording.container.stored(planned.chunk, got)?;
        let same = |(number, id): &(u32, ConnectionId)| self.owners.get(number) == Some(&(planned.recording, *id));
        let numbers: BTreeSet<u32> = stored
            .connections
            .iter()
            .filter(|pair| same(pair))
            .map(|(number, _)| *number)
            .collect();
        let fits = numbers.len() == stored.connections.len() && span.start <= stored.span.start && stored.span.end <= span.end;
        fits.then_some(stored)
    }
}

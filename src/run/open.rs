//! Opening: the first block tells the format, the format's indexer says what else to read.
//!
//! Invariant: a well-formed remote recording costs at most two requests: the first block, and the index.

use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};

use super::gather::Opened;
use super::{Io, gather};
use crate::format::table::{holds_scenes, is_table};
use crate::format::{Catalog, Container, Fetched, FormatError, Part, Step, Warning, joined, moved, recognise, within};
use crate::source::{HEAD_BYTES, Location, Reader, SourceError};
use crate::store::Choice;
use crate::time::Time;

/// An indexed recording that can be read.
#[derive(Clone)]
pub struct Recording {
    pub io: Io,
    pub reader: Reader,
    pub container: Arc<dyn Container>,
}

/// Why a location did not open.
#[derive(Clone, Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("{error}: {at}")]
    Format { error: FormatError, at: Location },
    #[error("the reader of this format crashed on it, which is a bug worth reporting: {at}")]
    Crashed { at: Location },
}

impl Recording {
    /// Opens a location and waits; `progress` gets what a recovery scan has found and how far it is (0 to 1).
    pub fn open(io: &Io, location: Location, mut progress: impl FnMut(&Arc<dyn Container>, f32) + Send) -> Result<Recording, OpenError> {
        let (reader, container) = io.block_on(async {
            let opened = gather::open(&location, &Choice::default(), io.net()).await?;
            let container = index(io, &opened, &mut progress).await?;
            Ok::<_, OpenError>((opened.reader, container))
        })?;
        Ok(Recording {
            io: io.clone(),
            reader,
            container,
        })
    }

    /// The same, from now on and on other threads: the answer waits until it is there.
    pub fn opening(io: &Io, location: Location) -> impl FnOnce() -> Result<Recording, OpenError> + Send + use<> {
        let (own, at) = (io.clone(), location.clone());
        let opening = io.spawn(async move {
            let opened = gather::open(&location, &Choice::default(), own.net()).await?;
            Recording::of(&own, opened).await
        });
        let io = io.clone();
        move || io.block_on(opening).unwrap_or(Err(OpenError::Crashed { at }))
    }

    /// Opens each table that lies at a location, or the recording that does; of several tables only those under names that are wanted.
    /// Waits.
    pub fn open_each(io: &Io, location: &Location, wanted: impl Fn(&str) -> bool) -> Result<Vec<Recording>, OpenError> {
        Recording::all_of(io, gather::open_each(location, io.net(), wanted))
    }

    /// The same of the tables under names that are wanted, be there none.
    pub fn open_called(io: &Io, location: &Location, wanted: impl Fn(&str) -> bool) -> Result<Vec<Recording>, OpenError> {
        Recording::all_of(io, gather::open_called(location, io.net(), wanted))
    }

    fn all_of(io: &Io, opening: impl Future<Output = Result<Vec<Opened>, OpenError>>) -> Result<Vec<Recording>, OpenError> {
        io.block_on(async {
            let mut all = Vec::new();
            for opened in opening.await? {
                all.push(Recording::of(io, opened).await?);
            }
            Ok(all)
        })
    }

    /// The recording that one object is.
    pub async fn of_one(io: &Io, location: Location) -> Result<Recording, OpenError> {
        let reader = Reader::open(location, io.net()).await?;
        let part = Part::whole(&reader.location().name(), reader.len());
        Recording::of(io, Opened::one(reader, part)).await
    }

    /// The recording that an open location holds.
    pub async fn of(io: &Io, opened: Opened) -> Result<Recording, OpenError> {
        let container = index(io, &opened, &mut |_, _| {}).await?;
        Ok(Recording {
            io: io.clone(),
            reader: opened.reader,
            container,
        })
    }
}

/// Runs the indexers of an open location to their end.
pub(super) async fn index(
    io: &Io,
    opened: &Opened,
    progress: &mut (dyn FnMut(&Arc<dyn Container>, f32) + Send),
) -> Result<Arc<dyn Container>, OpenError> {
    Ok(index_with(io, opened, progress).await?.0)
}

/// The same, with the ranges that were read for it.
pub(super) async fn index_with(
    io: &Io,
    opened: &Opened,
    progress: &mut (dyn FnMut(&Arc<dyn Container>, f32) + Send),
) -> Result<(Arc<dyn Container>, Vec<Range<u64>>), OpenError> {
    let Opened { reader, parts, notes } = opened;
    let members: Vec<&[Part]> = parts.chunk_by(|a, b| a.table == b.table).collect();
    if members.len() < 2 {
        let (container, ranges) = index_one(io, reader, parts, progress).await?;
        return match notes.is_empty() {
            true => Ok((container, ranges)),
            false => Ok((joined(vec![container], Vec::new(), notes.clone()), ranges)),
        };
    }
    let (mut containers, mut scenes, mut read) = (Vec::new(), Vec::new(), Vec::new());
    let (mut lost, mut failed, mut notes) = (Vec::new(), None, notes.clone());
    for member in members {
        // what grows would change the numbers of what comes behind it
        match index_one(io, reader, member, &mut |_, _| {}).await {
            Ok((container, ranges)) => {
                read.extend(ranges);
                match holds_scenes(container.catalog()) {
                    true => scenes.push((container, member)),
                    false => containers.push(container),
                }
            }
            // the others can be read
            Err(OpenError::Format { error, .. }) => {
                let name = member.first().and_then(|part| part.table.clone()).unwrap_or_default();
                failed = failed.or(Some(format!("{name}: {error}")));
                lost.push(Warning {
                    offset: member.first().map_or(0, |part| part.range.start),
                    what: format!("{name}: {error}"),
                });
            }
            Err(error) => return Err(error),
        }
    }
    // scenes among measurements have no clock of their own to join
    match containers.is_empty() {
        true => containers.extend(scenes.into_iter().map(|(container, _)| container)),
        false => notes.extend(
            scenes
                .iter()
                .filter_map(|(container, member)| told_scenes(container.catalog(), member)),
        ),
    }
    match (containers.is_empty(), failed) {
        (true, Some(what)) => Err(OpenError::Format {
            error: FormatError(what),
            at: reader.location().clone(),
        }),
        _ => Ok((joined(containers, lost, notes), read)),
    }
}

fn told_scenes(catalog: &Catalog, member: &[Part]) -> Option<String> {
    let (path, count) = (&member.first()?.path, catalog.messages());
    Some(format!("{path}: {count} {}", gather::SCENES_ELSEWHERE))
}

/// A recording, or one of the recordings and tables that a reader reads.
async fn index_one(
    io: &Io,
    reader: &Reader,
    parts: &[Part],
    progress: &mut (dyn FnMut(&Arc<dyn Container>, f32) + Send),
) -> Result<(Arc<dyn Container>, Vec<Range<u64>>), OpenError> {
    let at = reader.location();
    let wrong = |error: FormatError| OpenError::Format { error, at: at.clone() };
    let first = parts.first();
    let (start, end) = first.map_or((0, reader.len()), |part| (part.range.start, part.range.end));
    let head = match start {
        0 => reader
            .head()
            .slice(..reader.head().len().min(usize::try_from(end).unwrap_or(usize::MAX))),
        _ => reader.read(start..end.min(start.saturating_add(HEAD_BYTES))).await?,
    };
    let table = first.and_then(|part| part.table.as_deref());
    let name = match (parts, table) {
        ([first, _, ..], _) | ([first], Some(_)) => first.path.rsplit('/').next().unwrap_or_default().to_owned(),
        _ => at.name(),
    };
    // a table's reader knows that its files lie behind one another, a recording's does not
    let format = recognise(&name, &head, end - start).map_err(wrong)?;
    let (len, base) = match is_table(format.name()) {
        true => (reader.len(), 0),
        false => (end - start, start),
    };
    let mut indexer = format.indexer(len);
    indexer.is_called(table.unwrap_or(&at.name()));
    indexer.was_written(written_at(at).await);
    indexer.is_made_of(parts);
    if let Some(column) = io.time_column() {
        indexer.has_time_in(column);
    }
    if !reader.is_remote() {
        indexer.reads_are_cheap();
    }
    let mut got = Fetched::one(start - base, head);
    let mut read = Vec::new();
    loop {
        // An index of a large recording is megabytes, a recovery scan decompresses: not for a thread that serves sockets.
        let stepped = io.spawn_blocking(move || {
            let step = indexer.step(&got);
            (indexer, step)
        });
        let step: Result<Step, FormatError>;
        (indexer, step) = stepped.await.map_err(|_| OpenError::Crashed { at: at.clone() })?;
        let need = match step.map_err(wrong)? {
            Step::Ready(container) => return Ok((within(container, base), read)),
            Step::Need(need) => need,
            Step::Grew { so_far, need } => {
                let done = need.first().map_or(0, |r| r.start) as f32 / len as f32;
                progress(&within(so_far, base), done.clamp(0.0, 1.0));
                need
            }
        };
        let need: Vec<Range<u64>> = need.iter().map(|range| moved(range, base)).collect();
        read.extend_from_slice(&need);
        got = fetch(reader, need).await?;
        if base > 0 {
            got = got.within(base);
        }
    }
}

/// When a file on disk was last written; now, where that cannot be told.
async fn written_at(at: &Location) -> Time {
    let modified = match at {
        Location::Path(path) => tokio::fs::metadata(path).await.and_then(|about| about.modified()).ok(),
        _ => None,
    };
    let since_epoch = modified.unwrap_or_else(SystemTime::now).duration_since(SystemTime::UNIX_EPOCH);
    Time(since_epoch.map_or(0, |since| i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)))
}

/// Reads at a time while indexing.
const PARALLEL: usize = 8;

/// Reads ranges, several at once: that saves round trips, and a disk sorts what waits for it.
async fn fetch(reader: &Reader, need: Vec<Range<u64>>) -> Result<Fetched, SourceError> {
    // Each request is a task of its own; of a file's many small reads some make one.
    let at_a_time = if reader.is_remote() {
        1
    } else {
        need.len().div_ceil(PARALLEL).max(1)
    };
    let mut got = Fetched::default();
    let mut running = tokio::task::JoinSet::new();
    let mut waiting = need.chunks(at_a_time);
    loop {
        while running.len() < PARALLEL
            && let Some(ranges) = waiting.next()
        {
            running.spawn(read_all(reader.clone(), ranges.to_vec()));
        }
        match running.join_next().await {
            Some(Ok(parts)) => parts?.into_iter().for_each(|(start, bytes)| got.push(start, bytes)),
            Some(Err(_)) => return Err(given_up(reader)),
            None => return Ok(got),
        }
    }
}

async fn read_all(reader: Reader, ranges: Vec<Range<u64>>) -> Result<Vec<(u64, Bytes)>, SourceError> {
    if let ([range], true) = (ranges.as_slice(), reader.is_remote()) {
        return Ok(vec![(range.start, reader.read(range.clone()).await?)]);
    }
    let failed = given_up(&reader);
    let read = move || {
        let one = |range: Range<u64>| {
            let bytes = reader.read_here(range.clone(), BytesMut::new());
            bytes.map(|bytes| Ok((range.start, bytes?)))
        };
        ranges.into_iter().filter_map(one).collect()
    };
    tokio::task::spawn_blocking(read).await.unwrap_or(Err(failed))
}

fn given_up(reader: &Reader) -> SourceError {
    SourceError::Io {
        cause: "the read was given up".into(),
        at: reader.location().clone(),
    }
}

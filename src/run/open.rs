//! Opening: the first block tells the format, the format's indexer says what else to read.
//!
//! Invariant: a well-formed remote recording costs at most two requests: the first block, and the index.

use std::ops::Range;
use std::sync::Arc;

use super::Io;
use crate::format::{Container, Fetched, FormatError, Step, recognise};
use crate::source::{Location, Reader, SourceError};

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
            let reader = Reader::open(location, io.net()).await?;
            let container = index(io, &reader, &mut progress).await?;
            Ok::<_, OpenError>((reader, container))
        })?;
        Ok(Recording {
            io: io.clone(),
            reader,
            container,
        })
    }
}

/// Runs the indexer of an open location to its end.
pub(super) async fn index(
    io: &Io,
    reader: &Reader,
    progress: &mut (dyn FnMut(&Arc<dyn Container>, f32) + Send),
) -> Result<Arc<dyn Container>, OpenError> {
    let at = reader.location();
    let wrong = |error: FormatError| OpenError::Format { error, at: at.clone() };
    let format = recognise(&at.name(), reader.head(), reader.len()).map_err(wrong)?;
    let mut indexer = format.indexer(reader.len());
    indexer.is_called(&at.name());
    if !reader.is_remote() {
        indexer.reads_are_cheap();
    }
    let mut got = Fetched::one(0, reader.head().clone());
    loop {
        // An index of a large recording is megabytes, a recovery scan decompresses: not for a thread that serves sockets.
        let stepped = io.spawn_blocking(move || {
            let step = indexer.step(&got);
            (indexer, step)
        });
        let step: Result<Step, FormatError>;
        (indexer, step) = stepped.await.map_err(|_| OpenError::Crashed { at: at.clone() })?;
        let need = match step.map_err(wrong)? {
            Step::Ready(container) => return Ok(container),
            Step::Need(need) => need,
            Step::Grew { so_far, need } => {
                let done = need.first().map_or(0, |r| r.start) as f32 / reader.len() as f32;
                progress(&so_far, done.clamp(0.0, 1.0));
                need
            }
        };
        got = fetch(reader, need).await?;
    }
}

/// Requests at a time while indexing.
const PARALLEL: usize = 8;

/// Reads ranges, several at once: that saves round trips.
async fn fetch(reader: &Reader, need: Vec<Range<u64>>) -> Result<Fetched, SourceError> {
    let mut got = Fetched::default();
    if let [range] = need.as_slice() {
        got.push(range.start, reader.read(range.clone()).await?);
        return Ok(got);
    }
    let mut running = tokio::task::JoinSet::new();
    let mut waiting = need.into_iter();
    loop {
        while running.len() < PARALLEL
            && let Some(range) = waiting.next()
        {
            let reader = reader.clone();
            running.spawn(async move { (range.start, reader.read(range).await) });
        }
        match running.join_next().await {
            Some(Ok((start, bytes))) => got.push(start, bytes?),
            Some(Err(_)) => {
                return Err(SourceError::Io {
                    cause: "the read was given up".into(),
                    at: reader.location().clone(),
                });
            }
            None => return Ok(got),
        }
    }
}

//! Recordings, whole or in part, written anew: bags, MCAP files, Parquet and CSV tables; several merged, damaged ones repaired.
//!
//! Invariants: memory holds the messages of the chunks at hand (of tables that a definition does not fix the columns of, the table);
//! what could not be read is told, and the rest is written.

mod bag;
mod flat;
mod mcap;
mod table;

use std::collections::BTreeSet;

use arrow::error::ArrowError;

use crate::decode::DecodeError;
use crate::format::{Catalog, Checks, ConnectionId, ConnectionSet, Message, Warning};
use crate::run::{Piece, Recording, mapped};
use crate::source::{Location, SourceError};
use crate::time::{Span, Time};

pub use bag::write_bag;
pub use mcap::write_mcap;
pub use table::{Layout, write_tables};

/// Why nothing, or not all, was written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("a table cannot be written ({0})")]
    Table(String),
    #[error("the MCAP file cannot be written ({0})")]
    Mcap(String),
}

impl From<ArrowError> for ExportError {
    fn from(error: ArrowError) -> ExportError {
        ExportError::Table(error.to_string())
    }
}

impl From<parquet::errors::ParquetError> for ExportError {
    fn from(error: parquet::errors::ParquetError) -> ExportError {
        ExportError::Table(error.to_string())
    }
}

/// What of recordings is written.
#[derive(Clone, Debug)]
pub struct Selection {
    /// None: all of them.
    pub topics: Option<BTreeSet<String>>,
    pub span: Span,
}

impl Selection {
    fn connections(&self, catalog: &Catalog) -> ConnectionSet {
        let Some(topics) = &self.topics else { return ConnectionSet::All };
        let ids = catalog
            .connections
            .iter()
            .zip(0..)
            .filter(|(connection, _)| topics.contains(&*connection.topic));
        ConnectionSet::Only(ids.map(|(_, id)| id).collect())
    }
}

/// What was written.
#[derive(Clone, Debug, Default)]
pub struct Written {
    pub messages: u64,
    /// Chunks that were taken over as they were.
    pub copied_chunks: u64,
    pub files: Vec<std::path::PathBuf>,
    /// What could not be read: in which recording, and what.
    pub losses: Vec<(Location, Warning)>,
    /// Messages that are not what their definitions say, by topic.
    pub broken: std::collections::BTreeMap<String, u64>,
}

/// A message of one of several recordings.
struct Merged {
    recording: usize,
    connection: ConnectionId,
    message: Message,
}

/// The messages of all recordings in time order; `progress` gets how far it is (0 to 1).
fn each_message(
    recordings: &[Recording],
    selection: &Selection,
    written: &mut Written,
    progress: &mut dyn FnMut(f64),
    mut f: impl FnMut(Merged) -> Result<(), ExportError>,
) -> Result<(), ExportError> {
    let mut streams: Vec<_> = recordings
        .iter()
        .map(|recording| {
            let connections = selection.connections(recording.container.catalog());
            mapped(recording, connections, selection.span, Checks::Quick, |message| message)
        })
        .collect();
    let mut fronts: Vec<Option<(Time, ConnectionId, Message)>> = Vec::with_capacity(streams.len());
    let mut losses = Vec::new();
    let mut next = |number: usize| -> Result<Option<(Time, ConnectionId, Message)>, ExportError> {
        let Some(stream) = streams.get_mut(number) else { return Ok(None) };
        for piece in stream.by_ref() {
            match piece? {
                Piece::Message(time, connection, message) => return Ok(Some((time, connection, message))),
                Piece::Warning(_, warning) => losses.push((number, warning)),
                Piece::Backwards(..) => {}
            }
        }
        Ok(None)
    };
    for number in 0..recordings.len() {
        fronts.push(next(number)?);
    }
    let whole = recordings
        .iter()
        .filter_map(|r| r.container.catalog().span())
        .reduce(Span::union)
        .unwrap_or(selection.span);
    let (start, end) = (whole.start.max(selection.span.start), whole.end.min(selection.span.end));
    let length = end.since(start).max(1) as f64;
    loop {
        let first = fronts
            .iter()
            .enumerate()
            .filter_map(|(number, front)| Some((front.as_ref()?.0, number)))
            .min();
        let Some((time, recording)) = first else { break };
        let Some((_, connection, message)) = fronts.get_mut(recording).and_then(Option::take) else {
            break;
        };
        progress(time.since(start) as f64 / length);
        f(Merged {
            recording,
            connection,
            message,
        })?;
        if let Some(slot) = fronts.get_mut(recording) {
            *slot = next(recording)?;
        }
    }
    for (number, warning) in losses {
        if let Some(recording) = recordings.get(number) {
            written.losses.push((recording.reader.location().clone(), warning));
        }
    }
    Ok(())
}

/// The bucket and the key of a recording: of a file its folder's name and its own.
fn bucket_and_key(location: &Location) -> (String, String) {
    let last_two = |path: &str| {
        let mut parts = path.rsplit('/').filter(|part| !part.is_empty());
        let name = parts.next().unwrap_or_default().to_owned();
        (parts.next().unwrap_or_default().to_owned(), name)
    };
    match location {
        Location::S3(address) => (address.bucket.clone(), address.key.clone()),
        Location::Path(path) => {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            last_two(&path.display().to_string().replace('\\', "/"))
        }
        Location::Url(url) => {
            let host = url.host_str().unwrap_or_default();
            let path = url.path().trim_start_matches('/');
            match host.split_once(".s3") {
                Some((bucket, rest)) if rest.contains("amazonaws") => (bucket.to_owned(), path.to_owned()),
                _ => {
                    let (bucket, key) = path.split_once('/').unwrap_or(("", path));
                    (bucket.to_owned(), key.to_owned())
                }
            }
        }
    }
}

/// A recording's name without its ending.
fn stem(location: &Location) -> String {
    let name = location.name();
    let name = name.strip_suffix(".active").unwrap_or(&name);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned()
}

/// As AWS's tables are called: `/gps/fix` is gps_fix.
pub fn table_name(topic: &str) -> String {
    topic.trim_start_matches('/').replace('/', "_")
}

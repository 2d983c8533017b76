//! What a search over many recordings remembers: a line for each that is done.
//!
//! Invariant: whatever ends the program, all lines but the last one stay whole, and a last one that is torn counts as never written.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use super::{FindArgs, output};
use crate::find::Place;
use crate::time::{Span, Time};

/// What is searched for: another search's finds do not count.
#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Head {
    find: String,
    start: Option<String>,
    end: Option<String>,
    min_length_ns: i64,
    merge_gap_ns: i64,
}

#[derive(Serialize, Deserialize)]
struct Line {
    recording: String,
    size: Option<u64>,
    start_ns: i64,
    /// Start and end.
    found: Vec<(i64, i64)>,
}

/// Where a recording lies, and its size where that is known: one that was written anew is another.
type Key = (String, Option<u64>);

/// Spans, and where the recording starts.
pub(super) type Found = Vec<(Span, Time)>;

pub(super) struct State {
    path: PathBuf,
    file: File,
    /// What was found in each recording that is done.
    done: HashMap<Key, Found>,
    /// It is only for a search that is ended early.
    ends_with_search: bool,
}

impl State {
    /// None where nothing is to be remembered.
    pub fn open(args: &FindArgs, is_several: bool) -> anyhow::Result<Option<State>> {
        let (path, is_own) = match (&args.resume, &args.output) {
            (Some(path), _) => (path.clone(), false),
            (None, Some(output)) if is_several => {
                let mut name = output.as_os_str().to_owned();
                name.push(".part-found");
                (name.into(), true)
            }
            _ => return Ok(None),
        };
        let head = Head {
            find: args.condition.expr.to_string(),
            start: args.start.map(|when| format!("{when:?}")),
            end: args.end.map(|when| format!("{when:?}")),
            min_length_ns: args.min_length,
            merge_gap_ns: args.merge_gap,
        };
        let opened = State::of(&path, &head, is_own);
        opened
            .with_context(|| format!("what is done cannot be remembered: {}", path.display()))
            .map(Some)
    }

    fn of(path: &Path, head: &Head, is_own: bool) -> anyhow::Result<State> {
        let text = match std::fs::read(path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error.into()),
        };
        let mut lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let (mut done, mut whole) = (HashMap::new(), 0);
        let first = lines.next();
        let is_same = first
            .and_then(|line| serde_json::from_str::<Head>(line).ok())
            .is_some_and(|known| known == *head);
        if is_same {
            whole += first.map_or(0, str::len);
            for text in lines {
                let Ok(line) = serde_json::from_str::<Line>(text) else { break };
                whole += text.len();
                let span = |(from, to): (i64, i64)| (Span::new(Time(from), Time(to)), Time(line.start_ns));
                done.insert((line.recording, line.size), line.found.into_iter().map(span).collect());
            }
        } else if !text.trim().is_empty() && !is_own {
            bail!("it is of another search, or none: delete it, or name another file");
        }
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
        file.set_len(whole as u64)?;
        file.seek(SeekFrom::End(0))?;
        let mut state = State {
            path: path.to_owned(),
            file,
            done,
            ends_with_search: is_own,
        };
        if whole == 0 {
            state.write(head)?;
        } else if !state.done.is_empty() {
            output::note(&format!("{} recordings are done already: {}", state.done.len(), path.display()));
        }
        Ok(state)
    }

    /// What was found in a recording that is done.
    pub fn scenes_of(&self, place: &Place) -> Option<&Found> {
        self.done.get(&key(place))
    }

    /// A recording is done; that is on the disk when this returns.
    pub fn add(&mut self, place: &Place, start: Time, found: impl Iterator<Item = Span>) -> anyhow::Result<()> {
        let (recording, size) = key(place);
        let line = Line {
            recording,
            size,
            start_ns: start.nanos(),
            found: found.map(|span| (span.start.nanos(), span.end.nanos())).collect(),
        };
        self.write(&line)
            .with_context(|| format!("what is done cannot be remembered: {}", self.path.display()))
    }

    fn write(&mut self, line: &impl Serialize) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.file.write_all(&text)?;
        Ok(self.file.sync_data()?)
    }

    /// The search is through.
    pub fn done(self) -> anyhow::Result<()> {
        match self.ends_with_search {
            true => Ok(std::fs::remove_file(&self.path)?),
            false => Ok(()),
        }
    }
}

fn key(place: &Place) -> Key {
    let on_disk = match &place.location {
        crate::source::Location::Path(path) => std::fs::metadata(path).ok().map(|meta| meta.len()),
        _ => None,
    };
    (place.location.to_string(), place.len.or(on_disk))
}

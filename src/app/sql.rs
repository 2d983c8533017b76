//! Questions of SQL panels, run on threads of their own over what is open; answers that become topics.
//!
//! Invariants: this thread opens, plans and waits for nothing; a query has its share of the memory budget; an answer's file is gone with
//! the window.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::AppState;
use super::background::Done;
use crate::lake::{Found, Lake, LakeError, OpenSource, Question};
use crate::panel::Work;
use crate::run::{Io, Recording};
use crate::scenes::{self, Scene};
use crate::source::Location;
use crate::store::{SourceId, SourceState};

/// Of the memory budget queries take this part together.
const MEMORY_SHARE: u64 = 4;
/// Earlier queries that are remembered.
const REMEMBERED: usize = 50;
/// A query that is longer is not.
const LONGEST_REMEMBERED: usize = 4096;
/// The table of all scenes.
const SCENES: &str = "scenes";
/// How long a picture waits for an answer.
const PATIENCE: Duration = Duration::from_secs(600);

#[derive(Default)]
pub struct SqlState {
    /// Tables of what is open, made for this state of it by the first query.
    lake: Arc<Mutex<Known>>,
    running: Vec<Arc<Question>>,
    /// Where answers that became topics lie.
    answers: Option<Answers>,
}

/// Changes when what is open does, or any scene.
type Stamp = (u64, u64);
type Known = Option<(Stamp, Arc<Lake>)>;

/// A folder that goes with the window.
struct Answers(PathBuf);

impl Drop for Answers {
    fn drop(&mut self) {
        // what is left lies among the platform's temporary files
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Drop for SqlState {
    fn drop(&mut self) {
        self.running.iter().for_each(|question| question.stop());
    }
}

impl SqlState {
    /// Waits until every question is answered: for pictures.
    pub fn wait(&mut self) {
        self.running.retain(|question| !question.wait(PATIENCE));
    }
}

impl AppState {
    /// Runs a query in the background.
    pub(super) fn ask(&mut self, question: Arc<Question>) {
        self.remember_query(question.sql());
        self.sql.running.retain(|running| !running.stage().is_over());
        self.sql.running.push(question.clone());
        let (sources, now) = (self.open_sources(), (self.store.catalog_revision(), self.scenes.revision()));
        let scenes: Vec<Scene> = self.scene_sets().flat_map(|set| set.scenes.iter().cloned()).collect();
        let (known, io) = (self.sql.lake.clone(), self.executor.io().clone());
        let memory_bytes = self.store.status().memory_budget / MEMORY_SHARE;
        self.jobs.work(move || {
            let make = || {
                let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
                match &*known {
                    Some((of, lake)) if *of == now => Ok(lake.clone()),
                    _ => {
                        let lake = Arc::new(lake_of(&io, memory_bytes, sources, &scenes)?);
                        *known = Some((now, lake.clone()));
                        Ok::<_, LakeError>(lake)
                    }
                }
            };
            match make() {
                Ok(lake) => lake.answer(&question),
                Err(error) => question.fail(error.to_string()),
            }
            Done::Nothing
        });
    }

    pub(super) fn work_aside(&self, work: Work) {
        self.jobs.work(move || {
            work.run();
            Done::Nothing
        });
    }

    /// The rows become a table that is open beside the rest.
    pub(super) fn add_topic(&mut self, name: &str, rows: Arc<Found>) {
        let folder = self.sql.answers.get_or_insert_with(|| {
            let name = format!("roadreel-answers-{}-{:x}", std::process::id(), Arc::as_ptr(&rows).addr());
            Answers(std::env::temp_dir().join(name))
        });
        let (folder, path) = (folder.0.clone(), folder.0.join(format!("{name}.arrow")));
        self.jobs.work(move || {
            let write = || {
                std::fs::create_dir_all(&folder)?;
                let mut file = BufWriter::new(File::create(&path)?);
                rows.write_as_topic(&mut file).map_err(std::io::Error::other)?;
                file.flush()
            };
            let written = write().map(|()| path.clone());
            Done::AnswerWritten(written.map_err(|error| format!("The rows could not be kept: {error}: {}", path.display())))
        });
    }

    /// The rows become scenes, as those of a table do.
    pub(super) fn make_scenes(&self, rows: Arc<Found>) {
        self.jobs
            .work(move || Done::ScenesMade(scenes::of_batch("SQL", rows.rows()).map_err(|error| error.to_string())));
    }

    /// Beside what is open; it is no recording that one would open again.
    pub(super) fn take_answer(&mut self, written: Result<PathBuf, String>) {
        match written {
            Ok(path) => self.store.open(vec![Location::Path(path)]),
            Err(why) => self.tell_error(why),
        }
    }

    fn remember_query(&mut self, sql: &str) {
        let sql = sql.trim();
        // links hold secrets
        if sql.len() > LONGEST_REMEMBERED || (sql.contains("://") && sql.contains('?')) {
            return;
        }
        let queries = &mut self.settings.queries;
        queries.retain(|known| known != sql);
        queries.insert(0, sql.to_owned());
        queries.truncate(REMEMBERED);
        self.save_settings();
    }

    fn open_sources(&self) -> Vec<OpenSource> {
        let mut out = Vec::new();
        for (info, source) in self.store.sources().iter().zip(0 as SourceId..) {
            let is_known = matches!(info.state, SourceState::Open | SourceState::Indexing { .. });
            let Some(container) = self.store.container(source).filter(|_| is_known) else {
                continue;
            };
            let connections = container.catalog().connections.iter().zip(0..);
            let named = connections.filter_map(|(connection, id)| {
                let topic = self.store.topic_of_connection(source, id)?;
                Some((connection.topic.clone(), topic.name.clone()))
            });
            let names: Vec<(Arc<str>, Arc<str>)> = named.collect();
            let is_table = crate::format::table::is_table(container.catalog().format);
            match (is_table, names.first(), self.executor.reader(source)) {
                (true, Some((_, topic)), _) => out.push(OpenSource::Table(topic.clone(), info.location.clone())),
                (false, _, Some(reader)) => {
                    let io = self.executor.io().clone();
                    out.push(OpenSource::Recording(Recording { io, reader, container }, names));
                }
                _ => {}
            }
        }
        out
    }
}

/// What cannot be a table is none: a query that names it says so.
fn lake_of(io: &Io, memory_bytes: u64, mut sources: Vec<OpenSource>, of_scenes: &[Scene]) -> Result<Lake, LakeError> {
    let lake = Lake::new(io, memory_bytes)?;
    if !of_scenes.is_empty() {
        sources.push(OpenSource::Rows(SCENES.to_owned(), scenes::batch(of_scenes)?));
    }
    for source in sources {
        if let Err(error) = lake.add_open(source) {
            tracing::warn!("no table for SQL: {error}");
        }
    }
    Ok(lake)
}

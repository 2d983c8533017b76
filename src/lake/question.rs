//! A query that somebody waits for beside other work: one thread runs it, another looks how it stands, either stops it.
//!
//! Invariants: the lock is held for moments, never while anything is awaited; what is kept is bounded in rows and bytes; a question that
//! was stopped changes no more.

use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arrow::compute::concat_batches;
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use tokio::sync::Notify;

use super::{Found, Lake, LakeError};

/// No more of a result is kept.
const MOST_BYTES: usize = 128 << 20;

/// A query under way, or answered.
#[derive(Debug)]
pub struct Question {
    sql: String,
    most_rows: usize,
    stage: Mutex<Stage>,
    changed: Condvar,
    stopped: Notify,
}

/// How a question stands.
#[derive(Clone, Debug)]
pub enum Stage {
    /// Its tables are opened, and it is planned.
    Planning,
    /// So many rows so far.
    Running(usize),
    Answered(std::sync::Arc<Found>),
    Failed(Wrong),
    Stopped,
}

impl Stage {
    pub fn is_over(&self) -> bool {
        !matches!(self, Stage::Planning | Stage::Running(_))
    }
}

/// Why there is no answer: a sentence, and the part of the query that it speaks of, in bytes, where it speaks of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub text: String,
    pub at: Option<Range<usize>>,
}

impl Question {
    pub fn new(sql: impl Into<String>, most_rows: usize) -> Question {
        Question {
            sql: sql.into(),
            most_rows,
            stage: Mutex::new(Stage::Planning),
            changed: Condvar::new(),
            stopped: Notify::new(),
        }
    }

    pub fn sql(&self) -> &str {
        &self.sql
    }

    pub fn stage(&self) -> Stage {
        self.lock().clone()
    }

    /// At once: whoever works on it hears of it at the next moment.
    pub fn stop(&self) {
        self.reach(Stage::Stopped);
        self.stopped.notify_one();
    }

    /// It could not even be asked: why.
    pub fn fail(&self, text: String) {
        self.reach(Stage::Failed(Wrong { text, at: None }));
    }

    /// Waits until it is over, or for so long: for pictures that show its answer. Whether it is over.
    pub fn wait(&self, longest: Duration) -> bool {
        let stage = self.lock();
        let waited = self.changed.wait_timeout_while(stage, longest, |stage| !stage.is_over());
        waited.map_or(true, |(stage, _)| stage.is_over())
    }

    fn reach(&self, next: Stage) {
        let mut stage = self.lock();
        if !stage.is_over() {
            *stage = next;
            self.changed.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lake {
    /// Answers a question, and returns when it is over: not for the window's thread.
    pub fn answer(&self, question: &Question) {
        let work = || {
            self.io.block_on(async {
                let (stopped, found) = (question.stopped.notified(), self.found(question));
                match select(std::pin::pin!(stopped), std::pin::pin!(found)).await {
                    Either::Left(_) => Ok(None),
                    Either::Right((found, _)) => found.map(Some),
                }
            })
        };
        match super::caught(work).map_err(|error| self.explained(error)) {
            Ok(None) => question.reach(Stage::Stopped),
            Ok(Some(found)) => question.reach(Stage::Answered(found.into())),
            Err(error) => question.reach(Stage::Failed(wrong(&question.sql, &error.to_string()))),
        }
    }

    async fn found(&self, question: &Question) -> Result<Found, LakeError> {
        let (schema, mut stream) = self.plan(&question.sql).await?;
        question.reach(Stage::Running(0));
        let (mut batches, mut rows, mut bytes, mut is_cut) = (Vec::new(), 0, 0, false);
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            let kept = batch.num_rows().min(question.most_rows - rows);
            rows += kept;
            bytes += batch.get_array_memory_size();
            is_cut = kept < batch.num_rows() || bytes > MOST_BYTES;
            batches.push(batch.slice(0, kept));
            if is_cut {
                break;
            }
            question.reach(Stage::Running(rows));
        }
        Ok(Found::new(concat_batches(&schema, &batches)?, is_cut))
    }
}

/// The sentence without the place that the parser names, and the place.
fn wrong(sql: &str, told: &str) -> Wrong {
    let parsed = told.split_once(" at Line: ").and_then(|(text, place)| {
        let (line, rest) = place.split_once(", Column: ")?;
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let column = rest.get(..digits)?.parse::<usize>().ok()?;
        let start = offset(sql, line.parse().ok()?, column)?;
        Some((format!("{text}{}", rest.get(digits..)?), start..word_end(sql, start)))
    });
    match parsed {
        Some((text, at)) => Wrong { text, at: Some(at) },
        None => Wrong {
            text: told.to_owned(),
            at: named(sql, told),
        },
    }
}

/// Line and column count from 1, columns in characters.
fn offset(sql: &str, line: usize, column: usize) -> Option<usize> {
    let start: usize = sql.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    let inside = sql.get(start..)?.char_indices().nth(column.checked_sub(1)?);
    Some(inside.map_or(sql.len(), |(at, _)| start + at))
}

fn word_end(sql: &str, start: usize) -> usize {
    let rest = sql.get(start..).unwrap_or_default();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let length = match rest.find(|c: char| !is_word(c)) {
        Some(0) => rest.chars().next().map_or(0, char::len_utf8),
        Some(length) => length,
        None => rest.len(),
    };
    start + length
}

/// The first name in the sentence that the query has, too.
fn named(sql: &str, told: &str) -> Option<Range<usize>> {
    let lower = sql.to_lowercase();
    let is_name = |word: &&str| word.len() > 1;
    let after = ["field named ", "no table ", "no topic ", "function '", "column '"];
    let words = after.iter().filter_map(|head| {
        let (_, rest) = told.split_once(head)?;
        let word = rest.trim_start_matches(['"', '\'']).split(['"', '\'', ' ', ',', ':', ';']).next()?;
        Some(word.trim_end_matches('.').rsplit("\".\"").next().unwrap_or(word))
    });
    words.filter(is_name).find_map(|word| {
        let word = word.to_lowercase();
        let last = word.rsplit('.').next().unwrap_or(&word);
        let (start, length) = [&*word, last].into_iter().find_map(|word| Some((lower.find(word)?, word.len())))?;
        // lower case may be longer or shorter
        sql.get(start..start + length).map(|_| start..start + length)
    })
}

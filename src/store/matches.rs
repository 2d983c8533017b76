//! Which lines of a log pass filters, block by block, worked out beside the window's thread.
//!
//! Invariants: the blocks nearest to the playhead come first; what nobody wants any more is called off; an expression that cannot be
//! compiled filters nothing.

mod scan;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use super::rows::{Block, RowSet};
use super::{Store, Task, TopicId, What, Work, WorkId};
use crate::decode::{Form, LogLevel, Rows};
use crate::time::{Span, Time};
use scan::Compiled;
pub use scan::{Verdict, expression};

/// Pieces of work in flight, and how much one may be.
const AT_ONCE: usize = 4;
const BATCH_BYTES: u64 = 1 << 20;
const BATCH_BLOCKS: usize = 64;

/// What lines must be to pass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LogQuery {
    pub min_level: LogLevel,
    pub hidden_nodes: BTreeSet<String>,
    /// Expressions: a line must fit one of these …
    pub ins: Vec<String>,
    /// … and none of these.
    pub outs: Vec<String>,
    /// Lines received outside of it do not pass; None: whenever they were.
    pub within: Option<Span>,
    /// What is looked for among those that pass; what is no expression is looked for as it stands.
    pub search: String,
}

/// A query, compiled by whoever needs it first.
#[derive(Debug)]
pub struct LogFilter {
    query: LogQuery,
    compiled: OnceLock<Compiled>,
}

impl LogFilter {
    pub fn new(query: LogQuery) -> LogFilter {
        LogFilter {
            query,
            compiled: OnceLock::new(),
        }
    }

    pub fn query(&self) -> &LogQuery {
        &self.query
    }

    /// None where these are no lines of a log.
    pub fn examine(&self, rows: &Rows) -> Option<Verdict> {
        let compiled = self.compiled.get_or_init(|| Compiled::new(&self.query));
        Some(compiled.examine(rows.log()?, rows.times()))
    }
}

/// Blocks of lines that are to be examined: plain data, so that any thread may.
#[derive(Clone, Debug)]
pub struct LinesTask {
    filter: Arc<LogFilter>,
    blocks: Vec<(u64, Arc<Rows>)>,
}

impl LinesTask {
    pub fn run(&self) -> Vec<(u64, Verdict)> {
        let examined = |(key, rows): &(u64, Arc<Rows>)| Some((*key, self.filter.examine(rows)?));
        self.blocks.iter().filter_map(examined).collect()
    }
}

/// What is known of a log under one query.
pub struct MatchSet {
    /// No other set of the store, earlier ones included, has it.
    id: WorkId,
    topic: TopicId,
    rows: u32,
    filter: Arc<LogFilter>,
    /// By the key of the block.
    verdicts: BTreeMap<u64, Arc<Verdict>>,
    /// By the time of the first line, then the key.
    todo: BTreeMap<(Time, u64), Arc<Rows>>,
    flights: BTreeMap<WorkId, Vec<u64>>,
    bytes: u64,
    revision: u64,
}

impl MatchSet {
    fn new(id: WorkId, topic: TopicId, rows: u32, query: &LogQuery, set: &RowSet) -> MatchSet {
        let mut matches = MatchSet {
            id,
            topic,
            rows,
            filter: Arc::new(LogFilter::new(query.clone())),
            verdicts: BTreeMap::new(),
            todo: BTreeMap::new(),
            flights: BTreeMap::new(),
            bytes: 0,
            revision: 0,
        };
        set.blocks().for_each(|block| matches.add(block));
        matches
    }

    fn add(&mut self, block: &Block) {
        if let Some(span) = block.span {
            self.todo.insert((span.start, block.key), block.rows.clone());
        }
    }

    fn remove(&mut self, block: &Block) {
        if let Some(span) = block.span {
            self.todo.remove(&(span.start, block.key));
        }
        if let Some(verdict) = self.verdicts.remove(&block.key) {
            self.bytes -= verdict.bytes();
            self.revision += 1;
        }
        // what is in flight for it comes to nothing
        self.flights.values_mut().for_each(|keys| keys.retain(|key| *key != block.key));
    }

    /// None until the block with this key was examined.
    pub fn verdict(&self, block: u64) -> Option<&Arc<Verdict>> {
        self.verdicts.get(&block)
    }

    /// Whether all that is loaded was examined.
    pub fn is_done(&self) -> bool {
        self.todo.is_empty() && self.flights.is_empty()
    }

    /// Whether any block was examined.
    pub fn is_begun(&self) -> bool {
        self.revision > 0
    }

    /// Changes when verdicts do; another set never has the same.
    pub fn revision(&self) -> (WorkId, u64) {
        (self.id, self.revision)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Blocks to be examined next: those nearest to `now`.
    fn batch(&mut self, now: Time) -> Vec<(u64, Arc<Rows>)> {
        let mut blocks = Vec::new();
        let mut bytes = 0;
        while bytes < BATCH_BYTES && blocks.len() < BATCH_BLOCKS {
            let before = self.todo.range(..(now, 0)).next_back().map(|(at, _)| *at);
            let after = self.todo.range((now, 0)..).next().map(|(at, _)| *at);
            let nearest = [before, after]
                .into_iter()
                .flatten()
                .min_by_key(|at| at.0.since(now).saturating_abs());
            let Some((at, rows)) = nearest.and_then(|at| self.todo.remove_entry(&at)) else {
                break;
            };
            bytes += rows.bytes();
            blocks.push((at.1, rows));
        }
        blocks
    }

    fn take(&mut self, id: WorkId, examined: Vec<(u64, Verdict)>) {
        let Some(keys) = self.flights.remove(&id) else { return };
        for (key, verdict) in examined.into_iter().filter(|(key, _)| keys.contains(key)) {
            self.bytes += verdict.bytes();
            self.verdicts.insert(key, Arc::new(verdict));
        }
        self.revision += 1;
    }
}

impl Store {
    /// What is known of a topic's log under a query. Wants [`What::Lines`], and [`What::Rows`] of [`Form::Log`].
    pub fn matches(&self, topic: TopicId, query: &LogQuery) -> Option<&MatchSet> {
        self.matches.iter().find(|m| m.topic == topic && m.filter.query == *query)
    }

    /// Sets for what is wanted for the first time; those that nobody wants any more go, and their work with them.
    pub(super) fn add_matches(&mut self) {
        let is_it = |m: &MatchSet, want: &super::Want| matches!(&want.what, What::Lines(query) if want.topic == m.topic && **query == m.filter.query);
        let (kept, gone): (Vec<MatchSet>, Vec<MatchSet>) = std::mem::take(&mut self.matches)
            .into_iter()
            .partition(|m| self.wants.iter().any(|want| is_it(m, want)));
        self.matches = kept;
        let flights = gone.iter().flat_map(|m| m.flights.keys());
        self.queue.extend(flights.map(|id| Work::Cancel(*id)));
        for want in &self.wants {
            if let What::Lines(query) = &want.what
                && !self.matches.iter().any(|m| is_it(m, want))
                && let Some(number) = self.rows_number(want.topic, Form::Log)
                && let Some(set) = self.row_sets.get(number as usize)
            {
                self.next_id += 1;
                self.matches.push(MatchSet::new(self.next_id, want.topic, number, query, set));
            }
        }
    }

    /// Rows of a set came or went.
    pub(super) fn match_blocks(&mut self, number: u32, new: Option<Block>, old: Option<Block>) {
        for matches in self.matches.iter_mut().filter(|m| m.rows == number) {
            old.iter().for_each(|block| matches.remove(block));
            new.iter().for_each(|block| matches.add(block));
        }
    }

    pub(super) fn issue_matches(&mut self, out: &mut Vec<Work>) {
        for at in 0..self.matches.len() {
            while let Some(matches) = self.matches.get_mut(at).filter(|m| m.flights.len() < AT_ONCE) {
                let blocks = matches.batch(self.now);
                if blocks.is_empty() {
                    break;
                }
                let filter = matches.filter.clone();
                let id = self.new_id();
                if let Some(matches) = self.matches.get_mut(at) {
                    matches.flights.insert(id, blocks.iter().map(|b| b.0).collect());
                }
                let task = Task::Lines(LinesTask { filter, blocks });
                out.push(Work::Compute { id, task });
            }
        }
    }

    pub(super) fn examined(&mut self, id: WorkId, examined: Vec<(u64, Verdict)>) {
        if let Some(matches) = self.matches.iter_mut().find(|m| m.flights.contains_key(&id)) {
            matches.take(id, examined);
        }
    }

    pub(super) fn is_matching(&self) -> bool {
        self.matches.iter().any(|m| !m.is_done())
    }
}

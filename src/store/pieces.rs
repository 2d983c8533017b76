//! Positions of a topic as pieces of a track, thinned for every zoom, worked out beside the window's thread.
//!
//! Invariants: a chunk's positions are projected once, whatever is loaded around them; work is bounded, and one piece of it is in
//! flight for a topic at a time.

mod level;
mod piece;
mod projection;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use super::cache::Unit;
use super::rows::{Block, RowSet};
use super::{Store, Task, TopicId, What, Work, WorkId};
use crate::decode::Form;
use crate::time::{Span, Time};
pub use level::Level;
pub use piece::{Bounds, Piece, Point, RUN, SHORTEST_GAP_NANOS, contains, distance_to, overlaps, union};
pub use projection::{World, project};

/// Positions of small blocks that are taken together, on average and at most.
const MEAN_GROUP: u64 = 256;
const LARGEST_GROUP: usize = 2_048;
const MOST_BLOCKS: usize = 1 << 16;
/// Positions that one piece of work takes.
const BATCH_POSITIONS: usize = 1 << 17;
/// While more come, blocks wait until they are this part of those that are known: all of these are gone through each time.
const WORTH_IT: usize = 16;

/// All positions of a topic that are loaded.
#[derive(Debug, Default)]
pub struct Pieces {
    /// By time, never overlapping.
    pub parts: Vec<Part>,
    /// With a fix and without one.
    pub messages: usize,
    /// By time.
    blocks: Vec<Block>,
    bytes: u64,
}

/// The positions of some blocks.
#[derive(Clone, Debug)]
pub struct Part {
    pub span: Span,
    /// None where none of the messages has a fix.
    pub piece: Option<Arc<Piece>>,
    /// Of the blocks.
    keys: Box<[u64]>,
}

/// Blocks that came and went since the pieces were made: plain data, so that any thread may take them in.
#[derive(Clone, Debug)]
pub struct PiecesTask {
    known: Arc<Pieces>,
    new: Vec<Block>,
    gone: BTreeSet<u64>,
}

impl PiecesTask {
    pub fn run(&self) -> Pieces {
        let kept = self.known.blocks.iter().filter(|block| !self.gone.contains(&block.key));
        let mut blocks: Vec<Block> = kept.chain(&self.new).cloned().collect();
        blocks.sort_by_key(|block| (block.span.map(|span| span.start), block.key));
        let by_first: HashMap<u64, &Part> = self
            .known
            .parts
            .iter()
            .filter_map(|part| Some((*part.keys.first()?, part)))
            .collect();
        let part_of = |(span, range): (Span, Range<usize>)| {
            let group = blocks.get(range)?;
            let keys: Box<[u64]> = group.iter().map(|block| block.key).collect();
            let known = keys.first().and_then(|first| by_first.get(first)).filter(|part| part.keys == keys);
            Some(match known {
                Some(part) => (*part).clone(),
                None => Part {
                    span,
                    piece: Piece::new(group).map(Arc::new),
                    keys,
                },
            })
        };
        let parts: Vec<Part> = groups(&blocks).into_iter().filter_map(part_of).collect();
        Pieces {
            messages: blocks.iter().map(|block| block.len).sum(),
            bytes: parts.iter().filter_map(|part| Some(part.piece.as_ref()?.bytes())).sum(),
            parts,
            blocks,
        }
    }
}

/// Blocks that overlap together, and small ones: which, their keys say alone, so that a new block changes one group.
fn groups(blocks: &[Block]) -> Vec<(Span, Range<usize>)> {
    let mut groups: Vec<(Span, Range<usize>)> = Vec::new();
    let mut room = 0;
    for (at, block) in blocks.iter().enumerate() {
        let Some(span) = block.span else { continue };
        match groups.last_mut() {
            Some((whole, group)) if (whole.end > span.start || room > 0) && group.len() < MOST_BLOCKS => {
                *whole = whole.union(span);
                group.end = at + 1;
            }
            _ => {
                groups.push((span, at..at + 1));
                room = LARGEST_GROUP;
            }
        }
        let chance = (block.len as u64).saturating_mul((1 << 32) / MEAN_GROUP);
        let is_last = block.key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32 < chance;
        room = if is_last { 0 } else { room.saturating_sub(block.len) };
    }
    groups
}

/// The pieces of a topic, and what they are not of yet.
pub(super) struct PieceSet {
    topic: TopicId,
    rows: u32,
    known: Arc<Pieces>,
    /// By their keys.
    new: BTreeMap<u64, Block>,
    gone: BTreeSet<u64>,
    flight: Option<WorkId>,
}

impl PieceSet {
    fn new(topic: TopicId, rows: u32, set: &RowSet) -> PieceSet {
        let mut pieces = PieceSet {
            topic,
            rows,
            known: Arc::default(),
            new: BTreeMap::new(),
            gone: BTreeSet::new(),
            flight: None,
        };
        set.blocks().for_each(|block| pieces.add(block));
        pieces
    }

    pub fn add(&mut self, block: &Block) {
        if block.span.is_some() {
            self.new.insert(block.key, block.clone());
        }
    }

    pub fn remove(&mut self, block: &Block) {
        if self.new.remove(&block.key).is_none() && block.span.is_some() {
            self.gone.insert(block.key);
        }
    }

    pub fn is_of(&self, rows: u32) -> bool {
        self.rows == rows
    }

    pub fn bytes(&self) -> u64 {
        self.known.bytes
    }

    /// Whether what came and went is to be taken in now.
    fn is_due(&self, now: Time, more_comes: bool) -> bool {
        let changes = self.new.len() + self.gone.len();
        changes > 0 && (!more_comes || changes * WORTH_IT >= self.known.blocks.len() || self.is_new_at(now))
    }

    /// Whether the newest position at the playhead is in none of the pieces.
    fn is_new_at(&self, now: Time) -> bool {
        let start = |block: &Block| block.span.map(|span| span.start).filter(|start| *start <= now);
        let known = self.known.blocks.partition_point(|block| start(block).is_some());
        let known = known.checked_sub(1).and_then(|last| start(self.known.blocks.get(last)?));
        self.new.values().filter_map(start).max() > known
    }

    fn task(&mut self) -> PiecesTask {
        let mut new = Vec::new();
        let mut positions = 0;
        while positions < BATCH_POSITIONS
            && let Some((_, block)) = self.new.pop_first()
        {
            positions += block.len;
            new.push(block);
        }
        PiecesTask {
            known: self.known.clone(),
            new,
            gone: std::mem::take(&mut self.gone),
        }
    }
}

impl Store {
    /// A topic's positions, as far as they are loaded and cut into pieces. Wants [`What::Pieces`], and [`What::Rows`] of [`Form::Fix`].
    pub fn pieces(&self, topic: TopicId) -> Option<&Arc<Pieces>> {
        self.pieces.iter().find(|set| set.topic == topic).map(|set| &set.known)
    }

    /// A place for those that are wanted for the first time; those that nobody wants any more go, and their work with them.
    pub(super) fn add_pieces(&mut self) {
        let wanted = self.wants.iter().filter(|want| want.what == What::Pieces).map(|want| want.topic);
        let wanted: BTreeSet<TopicId> = wanted.collect();
        let gone = self.pieces.iter().filter(|set| !wanted.contains(&set.topic));
        self.queue.extend(gone.filter_map(|set| set.flight).map(Work::Cancel));
        self.pieces.retain(|set| wanted.contains(&set.topic));
        for topic in wanted {
            if !self.pieces.iter().any(|set| set.topic == topic)
                && let Some(number) = self.rows_number(topic, Form::Fix)
                && let Some(rows) = self.row_sets.get(number as usize)
            {
                self.pieces.push(PieceSet::new(topic, number, rows));
            }
        }
    }

    pub(super) fn issue_pieces(&mut self, out: &mut Vec<Work>) {
        for at in 0..self.pieces.len() {
            if !self.pieces.get(at).is_some_and(|set| set.flight.is_none() && self.is_due(set)) {
                continue;
            }
            let id = self.new_id();
            if let Some(set) = self.pieces.get_mut(at) {
                set.flight = Some(id);
                let task = Task::Pieces(set.task());
                out.push(Work::Compute { id, task });
            }
        }
    }

    fn is_due(&self, set: &PieceSet) -> bool {
        set.is_due(self.now, self.is_being_read(Unit::Rows(set.rows)))
    }

    /// None: it crashed, and what it was to take in is not shown.
    pub(super) fn pieces_done(&mut self, id: WorkId, pieces: Option<Pieces>) {
        if let Some(set) = self.pieces.iter_mut().find(|set| set.flight == Some(id)) {
            set.flight = None;
            if let Some(pieces) = pieces {
                set.known = Arc::new(pieces);
            }
        }
    }

    pub(super) fn is_cutting(&self) -> bool {
        self.pieces.iter().any(|set| set.flight.is_some() || self.is_due(set))
    }
}

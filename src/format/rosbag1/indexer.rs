//! Opens a bag: one block from its start, then its index. Where the index is missing or lies, a [`Scan`] takes over.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::chunk::Head;
use super::index::is_filler;
use super::record::{self, BAG_HEADER, Header, Peek};
use super::scan::{Progress, Scan};
use super::summary::{self, Claims};
use super::verify::{Verdict, Verify};
use super::{Bag, Lie, MAGIC, NAME};
use crate::format::{Catalog, Fetched, FormatError, Indexer, Step, Warning};

const FIRST_BLOCK_BYTES: u64 = 64 * 1024;

pub(super) struct BagIndexer {
    len: u64,
    cheap: bool,
    head: Bytes,
    state: State,
}

enum State {
    Start,
    Index(Claims),
    /// The index is read; whether it tells the truth about chunks is being looked at.
    Verify(Box<Verify>),
    Scan(Box<Scan>),
    Done,
}

impl BagIndexer {
    pub fn new(len: u64) -> BagIndexer {
        BagIndexer {
            len,
            cheap: false,
            head: Bytes::new(),
            state: State::Start,
        }
    }

    fn start(&mut self, got: &Fetched) -> Result<Step, FormatError> {
        let wanted = self.len.min(FIRST_BLOCK_BYTES);
        let first_block = 0..wanted;
        let Some(head) = got.get(first_block.clone()).or_else(|| got.from(0, wanted)) else {
            return match wanted {
                0 => Err(FormatError("the file is empty: nothing was recorded".into())),
                _ => Ok(Step::Need(vec![first_block])),
            };
        };
        if !head.starts_with(MAGIC) {
            return Err(FormatError("not a ROS 1 bag: it does not start with `#ROSBAG V2.0`".into()));
        }
        self.head = head;
        match self.claims() {
            Err(Lie(offset, what)) => self.scan(offset, what),
            Ok(claims) => match self.range_of_index(claims) {
                Err(Lie(offset, what)) => self.scan(offset, what),
                Ok(range) => {
                    self.state = State::Index(claims);
                    match self.held(&range) {
                        Some(bytes) => self.index(claims, &bytes),
                        None if range.is_empty() => self.index(claims, &Bytes::new()),
                        None => Ok(Step::Need(vec![range])),
                    }
                }
            },
        }
    }

    fn held(&self, range: &Range<u64>) -> Option<Bytes> {
        Fetched::one(0, self.head.clone()).get(range.clone())
    }

    fn claims(&self) -> Result<Claims, Lie> {
        let at = MAGIC.len();
        match record::peek(&self.head, at) {
            Peek::Record(found) if found.header.op == BAG_HEADER => {
                let Header {
                    index_pos,
                    chunk_count,
                    conn_count,
                    ..
                } = found.header;
                let index_pos = index_pos.ok_or_else(|| Lie(at as u64, "the bag header does not say where the index is".into()))?;
                Ok(Claims {
                    index_pos,
                    chunks: chunk_count.unwrap_or(0),
                    connections: conn_count.unwrap_or(0),
                })
            }
            _ => Err(Lie(at as u64, "the bag header cannot be read".into())),
        }
    }

    fn range_of_index(&self, claims: Claims) -> Result<Range<u64>, Lie> {
        /// A generous measure of what an index record takes, and of what all take.
        const CONNECTION_BYTES: u64 = 256 << 10;
        const BYTES_BESIDE: u64 = 64 << 20;
        const MOST_BYTES: u64 = 1 << 30;
        let Claims {
            index_pos,
            chunks,
            connections,
        } = claims;
        if index_pos == 0 {
            return Err(Lie(MAGIC.len() as u64, "the recording was not closed, so it has no index".into()));
        }
        if index_pos == self.len && self.after_bag_header() < self.len {
            return Err(Lie(index_pos, "the bag header places the index at the very end of the file".into()));
        }
        if index_pos > self.len {
            return Err(Lie(
                self.len,
                format!(
                    "the file was cut off: it ends at byte {} and its index would start at {index_pos}",
                    self.len
                ),
            ));
        }
        let chunk_bytes = 128 + 8 * u64::from(connections);
        let most = u64::from(chunks)
            .saturating_mul(chunk_bytes)
            .saturating_add(u64::from(connections).saturating_mul(CONNECTION_BYTES))
            .saturating_add(BYTES_BESIDE)
            .min(MOST_BYTES);
        if index_pos <= MAGIC.len() as u64 || self.len - index_pos > most {
            return Err(Lie(
                MAGIC.len() as u64,
                format!("the bag header places the index at byte {index_pos}, where it cannot be"),
            ));
        }
        Ok(index_pos..self.len)
    }

    fn index(&mut self, claims: Claims, bytes: &Bytes) -> Result<Step, FormatError> {
        let bag = match self.read_index(claims, bytes) {
            Ok(bag) => bag,
            Err(Lie(offset, what)) => return self.scan(offset, what),
        };
        let verify = Box::new(Verify::new(bag, self.cheap));
        let probes = verify.probes();
        if self.cheap && !probes.is_empty() {
            self.state = State::Verify(verify);
            return Ok(Step::Need(probes));
        }
        self.verify(verify, &Fetched::one(0, self.head.clone()))
    }

    fn read_index(&self, claims: Claims, bytes: &[u8]) -> Result<Bag, Lie> {
        let mut bag = Bag {
            catalog: Catalog {
                format: NAME,
                size: self.len,
                indexed: true,
                ..Catalog::default()
            },
            ..Bag::default()
        };
        summary::read(claims, bytes, &mut bag)?;
        let first = bag.catalog.chunks.first().map_or(claims.index_pos, |chunk| chunk.range.start);
        let before_chunks = self.after_bag_header()..first;
        if !before_chunks.is_empty() && !self.held(&before_chunks).is_some_and(|bytes| is_filler(&bytes)) {
            return Err(Lie(
                before_chunks.start,
                "the index lists no chunk where the first one should be".into(),
            ));
        }
        let compression = self.first_compression();
        for chunk in &mut bag.catalog.chunks {
            chunk.compression = compression.clone();
        }
        Ok(bag)
    }

    fn after_bag_header(&self) -> u64 {
        match record::peek(&self.head, MAGIC.len()) {
            Peek::Record(found) => found.data.end as u64,
            _ => MAGIC.len() as u64,
        }
    }

    /// The compression of the first chunk that the first block shows: recorders use one for all.
    fn first_compression(&self) -> Arc<str> {
        let after_bag_header = usize::try_from(self.after_bag_header()).unwrap_or(usize::MAX);
        let at = record::find(&self.head, after_bag_header, |op| op == record::CHUNK);
        at.and_then(|at| Head::read(&self.head, at).ok())
            .map_or("unknown".into(), |head| head.name.into())
    }

    /// Holds what was fetched of the chunks against the index.
    fn verify(&mut self, mut verify: Box<Verify>, got: &Fetched) -> Result<Step, FormatError> {
        match verify.step(got) {
            Ok(Verdict::Need(need)) => {
                self.state = State::Verify(verify);
                Ok(Step::Need(need))
            }
            Ok(Verdict::Holds(bag)) => {
                self.state = State::Done;
                Ok(Step::Ready(Arc::new(*bag)))
            }
            Err(Lie(offset, what)) => self.scan(offset, what),
        }
    }

    fn scan(&mut self, offset: u64, what: String) -> Result<Step, FormatError> {
        let warning = Warning { offset, what };
        tracing::debug!(offset, what = warning.what, "reading without the index");
        let mut scan = Scan::new(self.len, self.cheap, warning);
        let progress = scan.step(&Fetched::one(0, self.head.clone()));
        self.state = State::Scan(Box::new(scan));
        Ok(self.scanned(progress))
    }

    fn scanned(&mut self, progress: Progress) -> Step {
        match progress {
            Progress::Need(need) => Step::Need(need),
            Progress::Grew(bag, need) => Step::Grew {
                so_far: Arc::new(bag),
                need,
            },
            Progress::Done(bag) => {
                self.state = State::Done;
                Step::Ready(Arc::new(bag))
            }
        }
    }
}

impl Indexer for BagIndexer {
    fn reads_are_cheap(&mut self) {
        self.cheap = true;
    }

    fn step(&mut self, got: &Fetched) -> Result<Step, FormatError> {
        match std::mem::replace(&mut self.state, State::Done) {
            State::Start => {
                self.state = State::Start;
                self.start(got)
            }
            State::Index(claims) => match got.get(claims.index_pos..self.len) {
                Some(bytes) => self.index(claims, &bytes),
                None => self.scan(claims.index_pos, "the index could not be read".into()),
            },
            State::Verify(verify) => self.verify(verify, got),
            State::Scan(mut scan) => {
                let progress = scan.step(got);
                self.state = State::Scan(scan);
                Ok(self.scanned(progress))
            }
            State::Done => Err(FormatError("the bag was already read".into())),
        }
    }
}

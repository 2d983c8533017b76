//! Reads a bag that lies in memory, counting what its indexer asks for.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use roadreel::format::{Batch, Checks, ChunkId, ConnectionSet, Container, Fetched, FormatError, Message, Step, Warning, recognise};

pub struct Opened {
    pub bag: Arc<dyn Container>,
    /// All ranges that were asked for, in order.
    pub asked: Vec<Range<u64>>,
    pub grown: usize,
}

pub fn index_bytes(bytes: &Bytes) -> Result<Arc<dyn Container>, FormatError> {
    open(bytes, false).map(|opened| opened.bag)
}

/// `cheap`: as for a local file.
pub fn open(bytes: &Bytes, cheap: bool) -> Result<Opened, FormatError> {
    let len = bytes.len() as u64;
    let format = recognise("test.bag", &bytes[..bytes.len().min(64 * 1024)], len)?;
    let mut indexer = format.indexer(len);
    if cheap {
        indexer.reads_are_cheap();
    }
    let (mut asked, mut grown, mut got) = (Vec::new(), 0, Fetched::default());
    loop {
        let need = match indexer.step(&got)? {
            Step::Ready(bag) => return Ok(Opened { bag, asked, grown }),
            Step::Grew { so_far, need } => {
                grown += 1;
                assert!(!so_far.catalog().chunks.is_empty());
                need
            }
            Step::Need(need) => need,
        };
        got = Fetched::default();
        for range in need {
            assert!(range.start < range.end && range.end <= len, "{range:?} of a file of {len} bytes");
            got.push(range.start, bytes.slice(range.start as usize..range.end as usize));
            asked.push(range);
        }
        assert!(asked.len() < 100_000, "the indexer does not come to an end");
    }
}

/// All messages and warnings, chunk by chunk.
pub fn read(bag: &dyn Container, bytes: &Bytes, wanted: &ConnectionSet, checks: Checks) -> (Vec<Message>, Vec<Warning>) {
    let (mut messages, mut warnings) = (Vec::new(), bag.catalog().warnings.clone());
    for id in 0..bag.catalog().chunks.len() as u32 {
        let batch = read_chunk(bag, bytes, id, wanted, checks);
        if checks == Checks::Quick
            && let Some((pieced, _)) = read_in_pieces(bag, bytes, id, wanted)
        {
            assert!(pieced == batch.messages, "chunk {id}: in pieces it reads otherwise");
        }
        messages.extend(batch.messages);
        warnings.extend(batch.warnings);
    }
    (messages, warnings)
}

pub fn read_chunk(bag: &dyn Container, bytes: &Bytes, id: ChunkId, wanted: &ConnectionSet, checks: Checks) -> Batch {
    let read = |range: Range<u64>| {
        let part = bytes.slice((range.start as usize).min(bytes.len())..(range.end as usize).min(bytes.len()));
        bag.messages(id, &Fetched::one(range.start, part), wanted, checks)
    };
    let batch = read(bag.catalog().chunks[id as usize].range.clone());
    let Some(elsewhere) = batch.instead else { return batch };
    let batch = read(elsewhere);
    assert_eq!(batch.instead, None, "of chunk {id}: other bytes help");
    batch
}

/// The messages of a chunk by short reads, and how many bytes these took; None where it is to be read whole, perhaps only once what was
/// read turned out to be damaged.
pub fn read_in_pieces(bag: &dyn Container, bytes: &Bytes, id: ChunkId, wanted: &ConnectionSet) -> Option<(Vec<Message>, u64)> {
    let mut taken = 0;
    let got = bag.needed(id, wanted, &mut |range| {
        taken += range.end - range.start;
        (range.end <= bytes.len() as u64).then(|| bytes.slice(range.start as usize..range.end as usize))
    })?;
    let batch = bag.messages(id, &got, wanted, Checks::Quick);
    assert_eq!(batch.warnings, [], "chunk {id}");
    if batch.instead.is_none() {
        let Range { start, end } = bag.catalog().chunks[id as usize].range;
        let whole = Fetched::one(start, bytes.slice(start as usize..end as usize));
        let listed = bag.listed(id, &got);
        assert!(
            listed.is_some() && listed == bag.listed(id, &whole),
            "chunk {id}: its index says other times in pieces"
        );
    }
    batch.instead.is_none().then_some((batch.messages, taken))
}

pub fn read_all(bytes: &Bytes, checks: Checks) -> (Vec<Message>, Vec<Warning>) {
    let bag = index_bytes(bytes).expect("opens");
    read(&*bag, bytes, &ConnectionSet::All, checks)
}

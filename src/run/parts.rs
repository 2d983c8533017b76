//! Cuts a stream of bytes into the chunks that it holds: each is whole as soon as its last byte is there.
//!
//! Each part owns memory of its own size, so that a decoded chunk does not keep its neighbours alive. Parts may overlap (an
//! index can claim anything).

use std::ops::Range;

use bytes::{Bytes, BytesMut};

pub(super) struct Parts {
    /// By start; `usize` is the caller's number of the part.
    waiting: Vec<(usize, Range<u64>, BytesMut)>,
}

impl Parts {
    pub(super) fn new(ranges: impl Iterator<Item = Range<u64>>) -> Parts {
        let mut waiting: Vec<_> = ranges.enumerate().map(|(i, range)| (i, range, BytesMut::new())).collect();
        waiting.sort_by_key(|(_, range, _)| range.start);
        Parts { waiting }
    }

    /// Takes the bytes that follow those of the last call; hands over the parts that are whole now.
    pub(super) fn take(&mut self, offset: u64, bytes: &[u8], mut whole: impl FnMut(usize, Bytes)) {
        let end = offset + bytes.len() as u64;
        for (_, range, buffer) in self.waiting.iter_mut().take_while(|(_, range, _)| range.start < end) {
            let from = offset.max(range.start + buffer.len() as u64);
            let to = end.min(range.end);
            if from < to && from == range.start + buffer.len() as u64 {
                // What has arrived bounds what is allocated: a request's size was checked against the recording's.
                buffer.reserve(usize::try_from(range.end - from).unwrap_or(0));
                let at = |o: u64| usize::try_from(o - offset).unwrap_or(usize::MAX);
                buffer.extend_from_slice(bytes.get(at(from)..at(to)).unwrap_or_default());
            }
        }
        let mut i = 0;
        while let Some((_, range, buffer)) = self.waiting.get(i).filter(|(_, range, _)| range.start < end) {
            if buffer.len() as u64 == range.end.saturating_sub(range.start) {
                let (number, _, buffer) = self.waiting.remove(i);
                whole(number, buffer.freeze());
            } else {
                i += 1;
            }
        }
    }

    /// Parts that never became whole.
    pub(super) fn left(&self) -> usize {
        self.waiting.len()
    }
}

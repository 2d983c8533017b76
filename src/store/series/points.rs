//! Points of a series, shared with whoever computes something of them.
//!
//! Invariant: nothing is copied; points come in time order, those of one time as the messages gave them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::sync::Arc;

use crate::path::Point;
use crate::time::Span;

#[derive(Clone, Debug)]
pub struct Points {
    /// Each in time order; they may overlap in any way.
    pieces: Vec<Arc<[Point]>>,
    span: Span,
}

impl Points {
    pub(super) fn new(pieces: Vec<Arc<[Point]>>, span: Span) -> Points {
        Points { pieces, span }
    }

    pub fn iter(&self) -> impl Iterator<Item = Point> + Clone {
        let first = |(piece, points): (usize, &Arc<[Point]>)| {
            let at = points.partition_point(|p| p.0 < self.span.start);
            let point = points.get(at).filter(|p| p.0 <= self.span.end)?;
            Some(Reverse((point.0, piece, at)))
        };
        let mut next: BinaryHeap<_> = self.pieces.iter().enumerate().filter_map(first).collect();
        std::iter::from_fn(move || {
            let mut top = next.peek_mut()?;
            let Reverse((_, piece, at)) = *top;
            let points = self.pieces.get(piece)?;
            match points.get(at + 1).filter(|p| p.0 <= self.span.end) {
                Some(following) => *top = Reverse((following.0, piece, at + 1)),
                None => {
                    PeekMut::pop(top);
                }
            }
            points.get(at).copied()
        })
    }
}

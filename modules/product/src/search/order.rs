//! In which order products are listed, and where a page starts.

use std::collections::BinaryHeap;

use contracts::product::Sort;
use serde::{Deserialize, Serialize};

use super::snapshot::Segment;

/// What products are sorted by, ascending; the id decides between equals, so that the order is total.
pub type Key = (i64, i64);

/// Where a page ended. It names the product, not its place in the index, so it outlives changes of the index.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    key: Key,
    id: u128,
}

/// A product on its way to the page.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    pub position: Position,
    pub segment: u32,
    pub doc: u32,
}

/// The sort key of a document. `!x` turns the order of `x` around and, unlike `-x`, cannot overflow.
pub fn key(sort: Sort, segment: &Segment, doc: usize, score: u32, min_price: i64) -> Key {
    match sort {
        Sort::Relevance => (!i64::from(score), !segment.popularity[doc]),
        Sort::Popular => (!segment.popularity[doc], 0),
        Sort::Newest => (!segment.published[doc], 0),
        Sort::PriceAscending => (min_price, 0),
        Sort::PriceDescending => (!min_price, 0),
        Sort::Rating => (!segment.rating[doc], !segment.ratings[doc]),
    }
}

/// Keeps the first `size` hits after a position, whatever number it is offered.
pub struct Top {
    size: usize,
    after: Option<Position>,
    heap: BinaryHeap<Hit>,
}

impl Top {
    pub fn new(size: usize, after: Option<Position>) -> Self {
        Self { size, after, heap: BinaryHeap::with_capacity(size + 1) }
    }

    /// The id is only read where the key does not decide.
    pub fn offer(&mut self, key: Key, segment: u32, doc: u32, id: impl FnOnce() -> u128) {
        let full = self.heap.len() == self.size;
        let last = self.heap.peek().map(|hit| hit.position.key).filter(|_| full);
        if last.is_some_and(|last| key > last) || self.after.is_some_and(|after| key < after.key) {
            return;
        }
        let position = Position { key, id: id() };
        if self.after.is_some_and(|after| position <= after) {
            return;
        }
        self.heap.push(Hit { position, segment, doc });
        if full {
            self.heap.pop();
        }
    }

    /// In order.
    pub fn into_hits(self) -> Vec<Hit> {
        self.heap.into_sorted_vec()
    }
}

use std::collections::{BTreeMap, BTreeSet};

use crate::learn::Interactions;

/// What happened: visitors and products by number.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// Their names, by number.
    pub visitors: Vec<String>,
    /// Their names, by number.
    pub products: Vec<String>,
    /// Visitor, product, time in whatever unit, weight.
    pub events: Vec<(u32, u32, i64, f32)>,
}

/// A log cut in two at a moment.
#[derive(Clone, Debug)]
pub struct Split {
    /// What came before.
    pub training: Interactions,
    /// What came after, of visitors and products that were there before.
    pub wanted: Vec<Wanted>,
    /// The moment: the first that is not trained from.
    pub at: i64,
}

/// What a visitor wanted after the moment, and had not had before.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    pub visitor: u32,
    /// Ascending, not empty.
    pub products: Vec<u32>,
}

impl Log {
    /// Cuts so that the last `share` (0 to 1) of what happened is for judging. Time goes one way for everybody: nothing
    /// is trained from that happened after anything that is judged by.
    pub fn split(&self, share: f64) -> Split {
        let mut times: Vec<i64> = self.events.iter().map(|(_, _, at, _)| *at).collect();
        times.sort_unstable();
        let at = times.get((times.len() as f64 * (1.0 - share)) as usize).copied().unwrap_or(i64::MAX);
        let before = self.events.iter().filter(|(_, _, t, _)| *t < at);
        let entries = before.map(|(visitor, product, _, weight)| (*visitor, *product, *weight));
        let training = Interactions::new(self.visitors.len(), self.products.len(), entries);
        let known: BTreeSet<u32> =
            (0..training.visitors()).flat_map(|visitor| training.row(visitor).0.iter().copied()).collect();
        let mut wanted = BTreeMap::<u32, BTreeSet<u32>>::new();
        for (visitor, product, _, _) in self.events.iter().filter(|(_, _, t, _)| *t >= at) {
            let had = training.row(*visitor as usize).0;
            if !had.is_empty() && had.binary_search(product).is_err() && known.contains(product) {
                wanted.entry(*visitor).or_default().insert(*product);
            }
        }
        let wanted = wanted
            .into_iter()
            .map(|(visitor, products)| Wanted { visitor, products: products.into_iter().collect() });
        Split { training, wanted: wanted.collect(), at }
    }

    /// All of it.
    pub fn interactions(&self) -> Interactions {
        let entries = self.events.iter().map(|(visitor, product, _, weight)| (*visitor, *product, *weight));
        Interactions::new(self.visitors.len(), self.products.len(), entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_trained_from_that_happened_later() {
        let names = |n: usize| (0..n).map(|n| n.to_string()).collect();
        let events =
            vec![(0, 0, 10, 1.0), (1, 1, 11, 1.0), (0, 2, 12, 1.0), (0, 1, 20, 1.0), (1, 1, 20, 1.0)];
        let more = [(1, 3, 20, 1.0), (2, 0, 21, 1.0)];
        let log = Log { visitors: names(3), products: names(4), events: [events, more.to_vec()].concat() };
        let split = log.split(0.5);
        assert_eq!(split.at, 20);
        assert_eq!(split.training.len(), 3);
        // Visitor 1 had product 1 already, product 3 is new to all, and visitor 2 has no past.
        assert_eq!(split.wanted, [Wanted { visitor: 0, products: vec![1] }]);
        assert_eq!(log.interactions().len(), 6);
    }
}

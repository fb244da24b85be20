use linfa::{
    DatasetBase, Error,
    traits::{Fit, PredictInplace},
};
use ndarray::Array2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Interactions;

/// How much two products are wanted by the same visitors, by sparse co-occurrence.
///
/// With [`Weighting::Bm25`] a visitor's interest is weighed as a search engine weighs a word in a document (Robertson and
/// Zaragoza, *The Probabilistic Relevance Framework: BM25 and Beyond*, 2009): a product is the document and its visitors
/// are the words. Who wants everything says little of any one thing (the inverse document frequency), and what everybody
/// wants is not near to all (the length normalisation):
///
/// `w(v, p) = log(P / (1 + n(v))) · x (k1 + 1) / (x + k1 (1 - b + b · |p| / mean |p|))`
///
/// where `x` is the interaction's weight, `n(v)` how many products the visitor wants, `|p|` the sum of the product's
/// weights and `P` the number of products. The nearness of two products is the inner product of their columns of `w`.
#[derive(Clone, Debug)]
pub struct ItemItem {
    /// How a visitor's interest is weighed.
    pub weighting: Weighting,
    /// How many of the nearest are kept for each product.
    pub neighbours: usize,
    /// A visitor who wants more than so many is no person; theirs are left out beyond it.
    pub longest_row: usize,
}

/// See [`ItemItem`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Weighting {
    /// Each visitor counts as one: how often the two occur together.
    Counts,
    /// See [`ItemItem`].
    Bm25 {
        /// How slowly repetition saturates.
        k1: f32,
        /// How much popular products are held back: 0 to 1.
        b: f32,
    },
}

impl Default for ItemItem {
    fn default() -> Self {
        Self { weighting: Weighting::Bm25 { k1: 1.2, b: 0.3 }, neighbours: 200, longest_row: 1_000 }
    }
}

/// The nearest of each product, best first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Neighbours {
    starts: Vec<u32>,
    products: Vec<u32>,
    scores: Vec<f32>,
}

impl Neighbours {
    /// Lists of product and score, best first.
    pub fn new(lists: impl IntoIterator<Item = Vec<(u32, f32)>>) -> Self {
        let mut all = Self { starts: vec![0], ..Self::default() };
        for list in lists {
            all.products.extend(list.iter().map(|(product, _)| product));
            all.scores.extend(list.iter().map(|(_, score)| score));
            all.starts.push(u32::try_from(all.products.len()).expect("fewer than 4 billion neighbours"));
        }
        all
    }

    /// Those of a product, best first.
    pub fn of(&self, product: u32) -> impl Iterator<Item = (u32, f32)> + '_ {
        let range = self.starts[product as usize] as usize..self.starts[product as usize + 1] as usize;
        self.products[range.clone()].iter().copied().zip(self.scores[range].iter().copied())
    }

    /// How many products there are.
    pub fn products(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.products.len()
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.products.is_empty()
    }
}

impl Fit<Interactions, (), Error> for ItemItem {
    type Object = Neighbours;

    fn fit(&self, data: &DatasetBase<Interactions, ()>) -> Result<Neighbours, Error> {
        let visitors = self.weigh(data.records());
        let products = visitors.transposed();
        let kept = 0..products.visitors();
        let scratch = || (vec![0.0_f32; visitors.products()], Vec::new());
        let nearest = |(sums, touched): &mut (Vec<f32>, Vec<u32>), product: usize| {
            for (visitor, own) in products.entries(product) {
                let (others, weights) = visitors.row(visitor as usize);
                for (&other, &weight) in others.iter().zip(weights).take(self.longest_row) {
                    let sum = &mut sums[other as usize];
                    if *sum == 0.0 {
                        touched.push(other);
                    }
                    *sum += own * weight;
                }
            }
            let mut list: Vec<(u32, f32)> =
                touched.iter().map(|&other| (other, sums[other as usize])).collect();
            touched.drain(..).for_each(|other| sums[other as usize] = 0.0);
            list.retain(|(other, score)| *other as usize != product && *score > 0.0);
            best(&mut list, self.neighbours);
            list.shrink_to_fit();
            list
        };
        let lists: Vec<_> = kept.into_par_iter().with_min_len(64).map_init(scratch, nearest).collect();
        Ok(Neighbours::new(lists))
    }
}

impl ItemItem {
    fn weigh(&self, data: &Interactions) -> Interactions {
        let Weighting::Bm25 { k1, b } = self.weighting else {
            return data.reweighted(|_, _, _| 1.0);
        };
        let mut lengths = vec![0.0_f32; data.products()];
        for visitor in 0..data.visitors() {
            data.entries(visitor).for_each(|(product, weight)| lengths[product as usize] += weight);
        }
        let mean = lengths.iter().sum::<f32>() / data.products().max(1) as f32;
        let rarity = |visitor| (data.products() as f32 / (1.0 + data.row(visitor).0.len() as f32)).ln();
        let rarities: Vec<f32> = (0..data.visitors()).map(|visitor| rarity(visitor).max(0.0)).collect();
        data.reweighted(|visitor, product, x| {
            let length = 1.0 - b + b * lengths[product] / mean;
            rarities[visitor] * x * (k1 + 1.0) / (x + k1 * length)
        })
    }
}

/// Keeps the `limit` best, best first; equal ones in their order.
pub fn best(list: &mut Vec<(u32, f32)>, limit: usize) {
    let order = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if limit > 0 && list.len() > limit {
        list.select_nth_unstable_by(limit - 1, order);
    }
    list.truncate(limit);
    list.sort_unstable_by(order);
}

impl PredictInplace<Interactions, Array2<f32>> for Neighbours {
    /// Each product's score is the sum of its nearness to what the visitor wants.
    fn predict_inplace(&self, visitors: &Interactions, scores: &mut Array2<f32>) {
        scores.fill(0.0);
        for (visitor, mut row) in scores.rows_mut().into_iter().enumerate() {
            for (product, weight) in visitors.entries(visitor) {
                self.of(product).for_each(|(other, score)| row[other as usize] += weight * score);
            }
        }
    }

    fn default_target(&self, visitors: &Interactions) -> Array2<f32> {
        Array2::zeros((visitors.visitors(), visitors.products()))
    }
}

#[cfg(test)]
mod tests {
    use linfa::traits::Predict;

    use super::*;

    /// Two tastes, 0 to 2 and 3 to 5, and product 6 that everybody has.
    pub fn two_tastes() -> DatasetBase<Interactions, ()> {
        let taste = |visitor: u32| (0..3).map(move |i| (visitor % 2) * 3 + (visitor / 2 + i) % 3);
        let entries = (0..12)
            .flat_map(move |visitor| taste(visitor).take(2).chain([6]).map(move |p| (visitor, p, 1.0)));
        DatasetBase::new(Interactions::new(12, 7, entries), ())
    }

    #[test]
    fn counts_count_who_wants_both() {
        let counts = ItemItem { weighting: Weighting::Counts, ..ItemItem::default() };
        let model = counts.fit(&two_tastes()).unwrap();
        assert_eq!(model.of(0).collect::<Vec<_>>(), [(6, 4.0), (1, 2.0), (2, 2.0)]);
        assert_eq!(model.products(), 7);
    }

    #[test]
    fn what_everybody_wants_is_near_to_nothing() {
        let model = ItemItem::default().fit(&two_tastes()).unwrap();
        let counts = ItemItem { weighting: Weighting::Counts, ..ItemItem::default() };
        let share = |model: &Neighbours| {
            let of: Vec<_> = model.of(0).collect();
            of.iter().find(|(p, _)| *p == 6).unwrap().1 / of.iter().find(|(p, _)| *p == 1).unwrap().1
        };
        assert!(share(&model) < share(&counts.fit(&two_tastes()).unwrap()));
    }

    #[test]
    fn a_visitor_gets_what_is_near_to_what_they_want() {
        let data = two_tastes();
        let model = ItemItem::default().fit(&data).unwrap();
        let scores: Array2<f32> = model.predict(&DatasetBase::new(data.records().select(&[0]), ()));
        assert!(scores[[0, 2]] > scores[[0, 3]]);
        let few = ItemItem { neighbours: 2, ..ItemItem::default() }.fit(&data).unwrap();
        assert_eq!(few.len(), 14);
    }

    #[test]
    fn the_best_come_first() {
        let mut list = vec![(5, 1.0), (1, 3.0), (2, 2.0), (4, 2.0)];
        best(&mut list, 3);
        assert_eq!(list, [(1, 3.0), (2, 2.0), (4, 2.0)]);
        best(&mut list, 0);
        assert!(list.is_empty());
    }
}

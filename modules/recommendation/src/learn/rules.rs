use std::collections::HashMap;

use linfa::{DatasetBase, Error, traits::Fit};
use serde::{Deserialize, Serialize};

use super::Interactions;

/// Finds what is bought together: association rules between two products (Agrawal, Imieliński and Swami, *Mining
/// Association Rules between Sets of Items in Large Databases*, SIGMOD 1993; lift after Brin et al., SIGMOD 1997).
/// Each row of the data is one basket.
#[derive(Clone, Debug)]
pub struct BoughtTogether {
    /// At least so many baskets hold both.
    pub min_baskets: u32,
    /// At least this share of the baskets with the one hold the other too.
    pub min_confidence: f32,
    /// At least so many times as often as if the two had nothing to do with each other.
    pub min_lift: f32,
    /// So many are kept for a product.
    pub per_product: usize,
    /// A basket with more than so many products is a bulk order, and says nothing.
    pub largest_basket: usize,
}

impl Default for BoughtTogether {
    fn default() -> Self {
        Self { min_baskets: 3, min_confidence: 0.02, min_lift: 1.2, per_product: 20, largest_basket: 50 }
    }
}

/// Who buys the one also buys `product`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// The other.
    pub product: u32,
    /// The share of all baskets that hold both.
    pub support: f32,
    /// The share of the baskets with the one that hold the other.
    pub confidence: f32,
    /// The confidence by the share of all baskets that hold the other.
    pub lift: f32,
}

impl Rule {
    /// Rules of one product are ordered by it: confidence times lift, which for a given first product orders as the
    /// cosine of the two does, so that neither what everybody buys nor what nobody else buys wins.
    pub fn strength(&self) -> f32 {
        self.confidence * self.lift
    }
}

/// The rules by their first product, strongest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rules(HashMap<u32, Vec<Rule>>);

impl Rules {
    /// What is bought with the product, strongest first.
    pub fn of(&self, product: u32) -> &[Rule] {
        self.0.get(&product).map_or(&[], Vec::as_slice)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Fit<Interactions, (), Error> for BoughtTogether {
    type Object = Rules;

    fn fit(&self, data: &DatasetBase<Interactions, ()>) -> Result<Rules, Error> {
        let baskets = data.records();
        let mut single = vec![0_u32; baskets.products()];
        let mut pairs = HashMap::<(u32, u32), u32>::new();
        let mut total = 0_u32;
        for basket in 0..baskets.visitors() {
            let (products, _) = baskets.row(basket);
            if products.is_empty() || products.len() > self.largest_basket {
                continue;
            }
            total += 1;
            for (place, &one) in products.iter().enumerate() {
                single[one as usize] += 1;
                products[place + 1..].iter().for_each(|&other| *pairs.entry((one, other)).or_default() += 1);
            }
        }
        let mut rules = HashMap::<u32, Vec<Rule>>::new();
        for ((a, b), both) in pairs.into_iter().filter(|(_, both)| *both >= self.min_baskets) {
            for (one, product) in [(a, b), (b, a)] {
                let confidence = both as f32 / single[one as usize] as f32;
                let lift = confidence * total as f32 / single[product as usize] as f32;
                if confidence >= self.min_confidence && lift >= self.min_lift {
                    let support = both as f32 / total as f32;
                    rules.entry(one).or_default().push(Rule { product, support, confidence, lift });
                }
            }
        }
        for list in rules.values_mut() {
            let order = |rule: &Rule| (rule.strength(), std::cmp::Reverse(rule.product));
            list.sort_by(|a, b| order(b).partial_cmp(&order(a)).unwrap_or(std::cmp::Ordering::Equal));
            list.truncate(self.per_product);
        }
        Ok(Rules(rules))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn baskets(baskets: &[&[u32]]) -> DatasetBase<Interactions, ()> {
        let entries = baskets.iter().zip(0..).flat_map(|(all, row)| all.iter().map(move |p| (row, *p, 1.0)));
        DatasetBase::new(Interactions::new(baskets.len(), 6, entries), ())
    }

    #[test]
    fn support_confidence_and_lift_are_as_defined() {
        let data = baskets(&[&[0, 1], &[0, 1], &[0, 1], &[0, 2], &[3], &[3], &[2], &[1]]);
        let rules = BoughtTogether::default().fit(&data).unwrap();
        assert_eq!(rules.of(0), [Rule { product: 1, support: 3.0 / 8.0, confidence: 0.75, lift: 1.5 }]);
        assert_eq!(rules.of(1), [Rule { product: 0, support: 3.0 / 8.0, confidence: 0.75, lift: 1.5 }]);
        assert_eq!(rules.len(), 2);
        assert!(rules.of(5).is_empty());
    }

    #[test]
    fn what_everybody_buys_is_bought_with_nothing() {
        let data = baskets(&[&[0, 5], &[0, 5], &[0, 5], &[1, 5], &[2, 5], &[3, 5]]);
        assert!(BoughtTogether::default().fit(&data).unwrap().is_empty());
    }

    #[test]
    fn bulk_orders_say_nothing() {
        let data = baskets(&[&[0, 1, 2, 3], &[0, 1, 2, 3], &[0, 1, 2, 3], &[4], &[5]]);
        let small = BoughtTogether { largest_basket: 3, ..BoughtTogether::default() };
        assert!(small.fit(&data).unwrap().is_empty());
        assert_eq!(BoughtTogether::default().fit(&data).unwrap().of(0).len(), 3);
    }
}

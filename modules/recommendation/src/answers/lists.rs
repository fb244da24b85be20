use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use contracts::{
    product::{CategoryId, ProductId},
    recommendation::Recommended,
};

use crate::catalogue::{Card, Catalogue};

/// An answer while it is made: takes what can be bought, is not excluded and not there yet, and not too much of a kind.
pub struct List<'a> {
    catalogue: &'a Catalogue,
    excluded: HashSet<ProductId>,
    limit: usize,
    pub per_category: usize,
    of_category: HashMap<CategoryId, usize>,
    taken: Vec<Recommended>,
}

impl<'a> List<'a> {
    pub fn new(
        catalogue: &'a Catalogue,
        excluded: HashSet<ProductId>,
        limit: usize,
        per_category: usize,
    ) -> Self {
        Self { catalogue, excluded, limit, per_category, of_category: HashMap::new(), taken: Vec::new() }
    }

    /// The product, if it can be recommended at all.
    pub fn takes(&self, product: ProductId) -> Option<Arc<Card>> {
        if self.excluded.contains(&product) { None } else { self.catalogue.sellable(product) }
    }

    /// Takes them in order, as long as there is room.
    pub fn extend(&mut self, found: impl IntoIterator<Item = Recommended>) {
        for one in found {
            if self.is_full() {
                return;
            }
            let Some(card) = self.takes(one.product_id) else { continue };
            if let Some(category) = card.category() {
                let count = self.of_category.entry(category).or_default();
                if *count >= self.per_category {
                    continue;
                }
                *count += 1;
            }
            self.excluded.insert(one.product_id);
            self.taken.push(one);
        }
    }

    /// There is no more room.
    pub fn is_full(&self) -> bool {
        self.taken.len() == self.limit
    }

    /// What was taken.
    pub fn finish(self) -> Vec<Recommended> {
        self.taken
    }
}

//! What is known of products: enough to tell whether one can be recommended now.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, RwLock},
};

use contracts::product::{
    CategoryId, Product, ProductId, ProductStatus, Variant, VariantId, stock::Availability,
};

/// A product.
#[derive(Clone, Debug)]
pub struct Card {
    pub id: ProductId,
    published: bool,
    /// Those that have stock, and what can be sold of each. Empty: always in stock.
    stock: HashMap<VariantId, i64>,
    /// A variant needs no stock.
    untracked: bool,
    pub categories: Vec<CategoryId>,
    /// Minor units of the shop's first currency, the cheapest variant; 0 where there is none.
    pub price: i64,
    /// 0 to 1; few stars count less.
    pub rating: f32,
    /// `brand:…`, `tag:…` and the like.
    pub facts: Vec<String>,
}

impl Card {
    /// It can be bought now.
    pub fn is_sellable(&self) -> bool {
        self.published && (self.untracked || self.stock.values().any(|available| *available > 0))
    }

    /// What it counts as where a list must not hold too many of a kind.
    pub fn category(&self) -> Option<CategoryId> {
        self.categories.first().copied()
    }

    /// How far two prices are apart: 0 (equal) to 1 (e times as dear, or more).
    pub fn price_distance(&self, other: &Self) -> f32 {
        if self.price <= 0 || other.price <= 0 {
            return 0.0;
        }
        (self.price as f32 / other.price as f32).ln().abs().min(1.0)
    }
}

impl From<&Product> for Card {
    fn from(product: &Product) -> Self {
        let tracked = product.variants.iter().filter(|variant| variant.tracked);
        let price = |variant: &Variant| variant.prices.first().map(|price| price.amount);
        let rating = product.rating;
        let facts = product.brand.iter().map(|brand| format!("brand:{brand}"));
        let facts = facts
            .chain(product.category_ids.iter().map(|category| format!("category:{category}")))
            .chain(product.tags.iter().map(|tag| format!("tag:{tag}")))
            .chain(product.attributes.iter().map(|(name, value)| format!("{name}={value}")));
        Self {
            id: product.id,
            published: product.status == ProductStatus::Published,
            stock: tracked.map(|variant| (variant.id, variant.available)).collect(),
            untracked: product.variants.iter().any(|variant| !variant.tracked),
            categories: product.category_ids.clone(),
            price: product.variants.iter().filter_map(price).min().unwrap_or(0),
            rating: (rating.average / 5.0) as f32 * (rating.count as f32 / (rating.count as f32 + 5.0)),
            facts: facts.collect(),
        }
    }
}

/// Every product, and what sells best of them. Cheap to look into, changed by events.
#[derive(Default)]
pub struct Catalogue(RwLock<HashMap<ProductId, Arc<Card>>>);

impl Catalogue {
    /// A product that is known.
    pub fn get(&self, id: ProductId) -> Option<Arc<Card>> {
        self.read().get(&id).cloned()
    }

    /// A product that can be bought now.
    pub fn sellable(&self, id: ProductId) -> Option<Arc<Card>> {
        self.get(id).filter(|card| card.is_sellable())
    }

    /// Every product.
    pub fn all(&self) -> Vec<Arc<Card>> {
        self.read().values().cloned().collect()
    }

    /// Nothing is known.
    pub fn is_empty(&self) -> bool {
        self.read().is_empty()
    }

    /// How many can be bought now.
    pub fn count_sellable(&self) -> u64 {
        self.read().values().filter(|card| card.is_sellable()).count() as u64
    }

    /// A product is new or different.
    pub fn put(&self, product: &Product) {
        self.0.write().expect("nobody panics while holding it").insert(product.id, Arc::new(product.into()));
    }

    /// A product is gone.
    pub fn remove(&self, id: ProductId) {
        self.0.write().expect("nobody panics while holding it").remove(&id);
    }

    /// Nothing else is there than these.
    pub fn keep(&self, ids: &BTreeSet<ProductId>) {
        self.0.write().expect("nobody panics while holding it").retain(|id, _| ids.contains(id));
    }

    /// There is more or less of some.
    pub fn stock(&self, items: &[Availability]) {
        let mut cards = self.0.write().expect("nobody panics while holding it");
        for item in items {
            if let Some(card) = cards.get_mut(&item.product_id)
                && let Some(available) = Arc::make_mut(card).stock.get_mut(&item.variant_id)
            {
                *available = item.available;
            }
        }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, HashMap<ProductId, Arc<Card>>> {
        self.0.read().expect("nobody panics while holding it")
    }
}

//! What a list shows of a product, kept in the index so that a page needs no other store.

use std::collections::BTreeMap;

use contracts::product::{Image, OptionValue, ProductCard, ProductId, Rating, SuggestedProduct, VariantId};
use serde::{Deserialize, Serialize};
use shared::{Currency, Money};

use super::{CardPrice, IndexedProduct, fields};

/// A card with the prices of all currencies.
#[derive(Serialize, Deserialize)]
pub struct StoredCard {
    id: ProductId,
    slug: String,
    title: String,
    subtitle: Option<String>,
    brand: Option<String>,
    /// The first two.
    images: Vec<Image>,
    in_stock: bool,
    rating: Rating,
    swatches: Vec<OptionValue>,
    variant_id: Option<VariantId>,
    prices: BTreeMap<Currency, CardPrice>,
}

impl StoredCard {
    pub fn new(indexed: &IndexedProduct) -> Self {
        let product = &indexed.product;
        Self {
            id: product.id,
            slug: product.slug.clone(),
            title: product.title.clone(),
            subtitle: product.subtitle.clone(),
            brand: product.brand.clone(),
            images: product.images.iter().take(2).cloned().collect(),
            in_stock: fields::in_stock(product),
            rating: product.rating,
            swatches: product.options.first().map(|option| option.values.clone()).unwrap_or_default(),
            variant_id: match product.variants.as_slice() {
                [only] => Some(only.id),
                _ => None,
            },
            prices: indexed.prices.clone(),
        }
    }

    /// The card in `currency`, if it has a price in it.
    pub fn priced(self, currency: Currency) -> Option<ProductCard> {
        let price = self.prices.get(&currency)?;
        let mut images = self.images.into_iter();
        Some(ProductCard {
            id: self.id,
            slug: self.slug,
            title: self.title,
            subtitle: self.subtitle,
            brand: self.brand,
            image: images.next(),
            hover_image: images.next(),
            price: Money::new(price.min, currency),
            price_max: (price.max > price.min).then(|| Money::new(price.max, currency)),
            compare_at_price: price.compare_at.map(|amount| Money::new(amount, currency)),
            in_stock: self.in_stock,
            rating: self.rating,
            swatches: self.swatches,
            variant_id: self.variant_id,
        })
    }

    pub fn suggested(self) -> SuggestedProduct {
        let image = self.images.into_iter().next().map(|image| image.file);
        SuggestedProduct { id: self.id, slug: self.slug, title: self.title, image }
    }
}

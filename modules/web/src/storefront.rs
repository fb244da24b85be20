//! What shoppers see: one file per group of pages.

mod account;
pub(crate) mod address;
pub(crate) mod cart;
mod checkout;
mod content;
mod filters;
pub(crate) mod footer;
mod home;
mod list;
mod order;
mod preferences;
mod product;
pub(crate) mod recommendations;
mod reviews;
mod saved;
mod seo;

use std::collections::BTreeMap;

use actix_web::web;
use contracts::product::{Image, OptionValue, ProductCard, ProductView, SearchQuery, Sort};
use shared::{Money, PageRequest};

use crate::{Answer, Page};

/// Registers the storefront, for one language.
pub fn configure(config: &mut web::ServiceConfig) {
    home::configure(config);
    list::configure(config);
    product::configure(config);
    recommendations::configure(config);
    reviews::configure(config);
    saved::configure(config);
    cart::configure(config);
    checkout::configure(config);
    order::configure(config);
    account::configure(config);
    preferences::configure(config);
    content::configure(config);
    seo::configure(config);
}

/// A search without words and filters.
pub(crate) fn everything(p: &Page, sort: Sort, limit: u32) -> SearchQuery {
    SearchQuery {
        q: None,
        category: Vec::new(),
        collection: Vec::new(),
        tag: Vec::new(),
        brand: Vec::new(),
        options: BTreeMap::new(),
        attributes: BTreeMap::new(),
        min_price: None,
        max_price: None,
        in_stock: None,
        min_rating: None,
        sort,
        context: p.prices(),
        facets: false,
        page: PageRequest { limit, cursor: None },
    }
}

/// What sells best and can be sold.
pub(crate) async fn best_sellers(p: &Page, limit: u32) -> Answer<Vec<ProductCard>> {
    let query = SearchQuery { in_stock: Some(true), ..everything(p, Sort::Popular, limit) };
    Ok(p.ports().products.search(query).await?.data)
}

/// Prices and pictures in lists.
impl Page {
    /// How much less than before, in whole percent, if that is worth saying.
    pub fn percent_off(&self, price: &Money, former: &Option<Money>) -> Option<i64> {
        let former = former.filter(|former| former.amount > price.amount)?;
        let percent = (former.amount - price.amount) * 100 / former.amount;
        (percent >= 1).then_some(percent)
    }

    /// Does the product come in several colours, all of them known?
    pub fn coloured(&self, swatches: &[OptionValue]) -> bool {
        swatches.len() > 1 && swatches.iter().all(|value| value.swatch.is_some())
    }

    /// Can any variant be bought?
    pub fn in_stock(&self, product: &ProductView) -> bool {
        product.variants.iter().any(|variant| variant.in_stock)
    }

    /// Are there smaller forms of the picture?
    pub fn has_sizes(&self, image: &Image) -> bool {
        !image.widths.is_empty()
    }

    /// Those forms, for `srcset`: as `webp` or `avif`.
    pub fn srcset(&self, image: &Image, extension: &str) -> String {
        let form = |width: &u32| format!("/media/{} {width}w", Image::form(&image.file, *width, extension));
        image.widths.iter().map(form).collect::<Vec<_>>().join(", ")
    }
}

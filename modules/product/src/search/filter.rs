//! Which of the products that a text finds are wanted.

use std::collections::{BTreeMap, BTreeSet};

use contracts::product::{CategoryId, CategoryRef, SearchQuery};
use serde::Serialize;
use shared::{Error, Result};

use super::facets::{self, Facet};

/// The bit of the price; the other 63 are for names.
const PRICE: u64 = 1 << 63;
const MOST_NAMES: usize = 60;

/// The wanted keys by facet name, and the wanted prices. Each condition has a bit in a mask.
#[derive(Serialize)]
pub struct Filter {
    names: BTreeMap<String, BTreeSet<String>>,
    min_price: Option<i64>,
    max_price: Option<i64>,
}

impl Filter {
    pub fn new(query: &SearchQuery, categories: &[CategoryRef]) -> Result<Self> {
        let mut names = BTreeMap::<String, BTreeSet<String>>::new();
        let mut want = |name: &str, values: &[String], key: &dyn Fn(&String) -> String| {
            if !values.is_empty() {
                names.entry(name.to_owned()).or_default().extend(values.iter().map(key));
            }
        };
        want(facets::CATEGORY, &query.category, &|value| category_key(value, categories));
        let by_text = |value: &String| facets::key(value);
        want(facets::COLLECTION, &query.collection, &by_text);
        want(facets::BRAND, &query.brand, &by_text);
        want(facets::TAG, &query.tag, &by_text);
        for (name, values) in &query.options {
            want(&facets::option(name), values, &by_text);
        }
        for (name, values) in &query.attributes {
            want(&facets::attribute(name), values, &by_text);
        }
        if let Some(in_stock) = query.in_stock {
            want(facets::IN_STOCK, &[in_stock.to_string()], &by_text);
        }
        if let Some(stars) = query.min_rating {
            want(facets::RATING, &[stars.to_string()], &by_text);
        }
        if names.len() > MOST_NAMES {
            return Err(Error::invalid("/attributes", "too_many", "a search has at most 60 filters"));
        }
        if matches!((query.min_price, query.max_price), (Some(min), Some(max)) if min > max) {
            return Err(Error::invalid("/max_price", "out_of_range", "max_price is below min_price"));
        }
        Ok(Self { names, min_price: query.min_price, max_price: query.max_price })
    }

    /// The bits of the conditions that a product does not meet which costs from `min` to `max` and has `facets`, whose
    /// bits are in `bits`.
    pub fn failed(&self, (min, max): (i64, i64), facets: &[u32], bits: &[FacetBits]) -> u64 {
        let names = (1 << self.names.len()) - 1;
        let too_cheap = self.min_price.is_some_and(|lowest| max < lowest);
        let too_dear = self.max_price.is_some_and(|highest| min > highest);
        let price = if too_cheap || too_dear { PRICE } else { 0 };
        match names {
            0 => price,
            _ => price | facets.iter().fold(names, |open, facet| open & !bits[*facet as usize].meets),
        }
    }

    /// True for the bit of the price.
    pub fn is_price(bit: u64) -> bool {
        bit == PRICE
    }

    /// For each facet the bit of the condition on its name (0: none), and the same if it meets that condition.
    pub fn bits(&self, facets: &[Facet]) -> Vec<FacetBits> {
        let wanted: BTreeMap<&str, (u64, &BTreeSet<String>)> =
            self.names.iter().enumerate().map(|(n, (name, keys))| (name.as_str(), (1 << n, keys))).collect();
        let bits = facets.iter().map(|facet| match wanted.get(facet.name.as_str()) {
            Some((named, keys)) => {
                // A collection's value is its slug, by which it can be named as well.
                let by_slug = facet.name == facets::COLLECTION && keys.contains(&facets::key(&facet.value));
                FacetBits {
                    named: *named,
                    meets: if by_slug || keys.contains(&facet.key) { *named } else { 0 },
                }
            }
            None => FacetBits::default(),
        });
        bits.collect()
    }
}

/// See [`Filter::bits`].
#[derive(Clone, Copy, Default)]
pub struct FacetBits {
    pub named: u64,
    pub meets: u64,
}

/// The key of a category given by id or slug; what is neither is nobody's key.
fn category_key(value: &str, categories: &[CategoryRef]) -> String {
    let by_slug = categories.iter().find(|category| category.slug == value).map(|category| category.id);
    by_slug
        .or_else(|| value.parse::<CategoryId>().ok())
        .map_or_else(|| facets::key(value), |id| id.to_string())
}

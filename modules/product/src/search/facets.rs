//! What products are filtered by, and how many have each value.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
};

use contracts::product::{CategoryRef, FacetValue};

use super::{IndexedProduct, fields};

/// No shopper reads more values of a facet.
const MOST_VALUES: usize = 100;
/// An attribute with more values than that is a measurement or a number, nothing to choose by.
const MOST_VALUES_OF_ATTRIBUTE: usize = 30;
/// Stands between the parts of a facet's text; no part contains it.
const SEPARATOR: char = '\u{1f}';

/// A product filters by collection, but lists do not count them.
pub const COLLECTION: &str = "collection";
pub const CATEGORY: &str = "category";
pub const BRAND: &str = "brand";
pub const TAG: &str = "tag";
pub const IN_STOCK: &str = "in_stock";
/// A product with 4.6 stars has the values 4, 3, 2 and 1: at least so many.
pub const RATING: &str = "rating";
const ATTRIBUTE: &str = "attr.";

/// The name of the facet of an option.
pub fn option(name: &str) -> String {
    clean(&format!("option.{}", name.to_lowercase()))
}

/// The name of the facet of an attribute.
pub fn attribute(name: &str) -> String {
    clean(&format!("{ATTRIBUTE}{name}"))
}

/// How a value is compared: without case.
pub fn key(value: &str) -> String {
    clean(value).to_lowercase()
}

/// A value of a product to filter by. As text its four parts, so that one column of texts holds all facets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facet {
    pub name: String,
    pub key: String,
    pub value: String,
    pub label: String,
}

impl Facet {
    /// All of a product, each name and key once.
    pub fn all_of(indexed: &IndexedProduct) -> Vec<Self> {
        let product = &indexed.product;
        let mut all = Vec::new();
        for category in &indexed.categories {
            all.push(Self::new(CATEGORY, &category.id.to_string(), &category.slug, &category.title));
        }
        for (id, slug) in &indexed.collections {
            all.push(Self::new(COLLECTION, &id.to_string(), slug, slug));
        }
        let plain = |name: &str, value: &str| Self::new(name, value, value, value);
        all.extend(product.brand.iter().map(|brand| plain(BRAND, brand)));
        all.extend(product.tags.iter().map(|tag| plain(TAG, tag)));
        all.extend(product.attributes.iter().map(|(name, value)| plain(&attribute(name), value)));
        for field in indexed.fields.iter().filter(|field| field.facet) {
            all.extend(field.texts.iter().map(|text| plain(&attribute(&field.name), text)));
        }
        for (name, value) in product.variants.iter().flat_map(|variant| &variant.options) {
            let options = product.options.iter().filter(|option| option.name == *name);
            let label = options.flat_map(|option| &option.values).find(|known| known.value == *value);
            all.push(Self::new(&option(name), value, value, label.map_or(value, |known| &known.label)));
        }
        let in_stock = fields::in_stock(product).to_string();
        all.push(plain(IN_STOCK, &in_stock));
        // Stars of a product without reviews are none.
        let stars = product.rating.average.floor() as u8;
        all.extend((1..=stars.min(5)).map(|stars| plain(RATING, &stars.to_string())));
        let mut seen = BTreeSet::new();
        all.retain(|facet| !facet.value.is_empty() && seen.insert((facet.name.clone(), facet.key.clone())));
        all
    }

    /// The opposite of `to_string`.
    pub fn parse(text: &str) -> Self {
        let mut parts = text.split(SEPARATOR).map(str::to_owned);
        let mut part = || parts.next().unwrap_or_default();
        Self { name: part(), key: part(), value: part(), label: part() }
    }

    fn new(name: &str, value_to_compare: &str, value: &str, label: &str) -> Self {
        Self { name: name.to_owned(), key: key(value_to_compare), value: clean(value), label: clean(label) }
    }
}

impl fmt::Display for Facet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, key, value, label } = self;
        write!(f, "{name}{SEPARATOR}{key}{SEPARATOR}{value}{SEPARATOR}{label}")
    }
}

/// The counted values by facet: most frequent first, then by label. `counts` belongs to `facets`. Categories are shown
/// as `categories` name them now.
pub fn counted(
    facets: &[Facet],
    counts: &[u64],
    categories: &[CategoryRef],
) -> BTreeMap<String, Vec<FacetValue>> {
    let categories: HashMap<String, &CategoryRef> =
        categories.iter().map(|category| (category.id.to_string(), category)).collect();
    // Products may spell the same value differently: the spelling of most of them is shown.
    let mut spellings: BTreeMap<(&str, &str), (u64, u64, &Facet)> = BTreeMap::new();
    for (facet, &count) in facets.iter().zip(counts) {
        if count == 0 || facet.name == COLLECTION {
            continue;
        }
        let (total, most, shown) = spellings.entry((&facet.name, &facet.key)).or_insert((0, 0, facet));
        *total += count;
        if count > *most {
            (*most, *shown) = (count, facet);
        }
    }
    let mut found: BTreeMap<String, Vec<FacetValue>> = BTreeMap::new();
    for ((name, key), (count, _, facet)) in spellings {
        let category = categories.get(key).filter(|_| name == CATEGORY);
        let (value, label) =
            category.map_or((&facet.value, &facet.label), |category| (&category.slug, &category.title));
        let value = FacetValue { value: value.clone(), label: label.clone(), count };
        found.entry(name.to_owned()).or_default().push(value);
    }
    for values in found.values_mut() {
        values.sort_by(|a, b| {
            (b.count.cmp(&a.count)).then_with(|| (&a.label, &a.value).cmp(&(&b.label, &b.value)))
        });
        values.truncate(MOST_VALUES);
    }
    found
}

/// Without the attributes that nothing can be narrowed by: too many values, or none that two products share. Those in
/// `chosen`, which the search filters by, stay: shoppers must be able to undo their choice.
pub fn without_noise(
    mut found: BTreeMap<String, Vec<FacetValue>>,
    chosen: &BTreeMap<String, Vec<String>>,
) -> BTreeMap<String, Vec<FacetValue>> {
    let chosen: BTreeSet<String> =
        chosen.iter().filter(|(_, values)| !values.is_empty()).map(|(name, _)| attribute(name)).collect();
    let narrows = |values: &[FacetValue]| {
        values.len() <= MOST_VALUES_OF_ATTRIBUTE && values.iter().any(|value| value.count > 1)
    };
    found.retain(|name, values| !name.starts_with(ATTRIBUTE) || chosen.contains(name) || narrows(values));
    found
}

/// Without control characters, and not longer than any value that a person would choose from a list.
fn clean(text: &str) -> String {
    text.chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

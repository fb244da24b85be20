//! Variants against the options of their product.

use std::collections::{BTreeMap, HashMap, HashSet};

use contracts::product::{NewVariant, OptionValue, Product, ProductOption, Variant, VariantId};
use shared::{Currency, Money, money::MAX_AMOUNT};

use crate::model::{
    faults::{Faults, segment},
    shelf::MAX_UNITS,
};

/// Checks the variants and says which are which: one with a known id or SKU is that one, any other is new and may bring
/// stock.
pub(super) fn variants(
    faults: &mut Faults,
    new: Vec<NewVariant>,
    options: &[ProductOption],
    product_title: &str,
    before: Option<&Product>,
) -> (Vec<Variant>, Vec<(VariantId, i64)>) {
    faults.check((1..=250).contains(&new.len()), "/variants", "out_of_range", "must have 1 to 250 variants");
    let ids = identities(faults, &new, before.map_or(&[], |b| &b.variants));
    let (mut skus, mut combinations) = (HashSet::new(), HashSet::new());
    let (mut variants, mut stock) = (Vec::with_capacity(new.len()), Vec::new());
    for ((i, new), known) in new.into_iter().enumerate().zip(ids) {
        let at = format!("/variants/{i}");
        let variant = variant(faults, &at, &new, options, product_title, known);
        let detail = format!("the SKU {:?} is there twice", variant.sku);
        faults.check(skus.insert(variant.sku.clone()), format!("{at}/sku"), "sku_taken", &detail);
        let is_new = combinations.insert(variant.options.clone());
        faults.check(
            is_new,
            format!("{at}/options"),
            "duplicate_options",
            "another variant has the same options",
        );
        let units = new.stock.unwrap_or(0);
        faults.check(
            (0..=MAX_UNITS).contains(&units),
            format!("{at}/stock"),
            "out_of_range",
            "must be 0 to 1,000,000",
        );
        if known.is_none() && variant.tracked && units > 0 {
            stock.push((variant.id, units));
        }
        variants.push(variant);
    }
    (variants, stock)
}

/// For each new variant the one it is of those that are there.
fn identities(faults: &mut Faults, new: &[NewVariant], there: &[Variant]) -> Vec<Option<VariantId>> {
    let ids: HashSet<VariantId> = there.iter().map(|v| v.id).collect();
    let by_sku: HashMap<&str, VariantId> = there.iter().map(|v| (v.sku.as_str(), v.id)).collect();
    let mut claimed: HashSet<VariantId> = HashSet::new();
    for (i, id) in new.iter().enumerate().filter_map(|(i, v)| Some((i, v.id?))) {
        let holds = ids.contains(&id) && claimed.insert(id);
        faults.check(
            holds,
            format!("/variants/{i}/id"),
            "unknown_variant",
            "the product has no such variant, or it is there twice",
        );
    }
    let by_sku = |sku: &str| by_sku.get(sku.trim()).copied();
    new.iter().map(|v| v.id.or_else(|| by_sku(&v.sku).filter(|id| claimed.insert(*id)))).collect()
}

fn variant(
    faults: &mut Faults,
    at: &str,
    new: &NewVariant,
    options: &[ProductOption],
    product_title: &str,
    known: Option<VariantId>,
) -> Variant {
    faults.check(!new.prices.is_empty(), format!("{at}/prices"), "required", "must have a price");
    prices(faults, &format!("{at}/prices"), &new.prices);
    prices(faults, &format!("{at}/compare_at_prices"), &new.compare_at_prices);
    let weight = (0..=10_000_000).contains(&new.weight_grams);
    faults.check(weight, format!("{at}/weight_grams"), "out_of_range", "must be 0 to 10,000,000 g");
    let labels = choices(faults, &format!("{at}/options"), options, &new.options);
    Variant {
        id: known.unwrap_or_else(VariantId::new),
        sku: faults.text(format!("{at}/sku"), &new.sku, 64),
        title: if labels.is_empty() { product_title.to_owned() } else { labels.join(" / ") },
        options: new.options.clone(),
        prices: new.prices.clone(),
        compare_at_prices: new.compare_at_prices.clone(),
        barcode: faults.optional(&format!("{at}/barcode"), new.barcode.as_deref(), 64),
        weight_grams: new.weight_grams,
        tracked: new.tracked,
        available: 0,
    }
}

fn prices(faults: &mut Faults, at: &str, prices: &[Money]) {
    let mut seen = HashSet::<Currency>::new();
    for (i, price) in prices.iter().enumerate() {
        let in_range = (0..=MAX_AMOUNT).contains(&price.amount);
        faults.check(in_range, format!("{at}/{i}/amount"), "out_of_range", "must be 0 to 1,000,000,000,000");
        let is_new = seen.insert(price.currency);
        faults.check(
            is_new,
            format!("{at}/{i}/currency"),
            "duplicate_currency",
            "there is another price in this currency",
        );
    }
}

/// The labels of what a variant chose, in the order of the options. It must name one value of each.
fn choices(
    faults: &mut Faults,
    at: &str,
    options: &[ProductOption],
    chosen: &BTreeMap<String, String>,
) -> Vec<String> {
    for (name, value) in chosen {
        choice(faults, at, options, name, value);
    }
    let mut labels = Vec::new();
    for option in options {
        match chosen.get(&option.name) {
            Some(value) => labels.extend(find(option, value).map(|v| v.label.clone())),
            None => faults.add(pointer(at, &option.name), "required", "must name one value of each option"),
        }
    }
    labels
}

/// Notes an unknown option or value.
pub(super) fn choice(faults: &mut Faults, at: &str, options: &[ProductOption], name: &str, value: &str) {
    match options.iter().find(|option| option.name == name) {
        None => faults.add(pointer(at, name), "unknown_option", "the product has no such option"),
        Some(option) if find(option, value).is_none() => {
            faults.add(pointer(at, name), "unknown_value", "the option has no such value");
        }
        Some(_) => {}
    }
}

fn find<'a>(option: &'a ProductOption, value: &str) -> Option<&'a OptionValue> {
    option.values.iter().find(|v| v.value == value)
}

fn pointer(at: &str, name: &str) -> String {
    format!("{at}/{}", segment(name))
}

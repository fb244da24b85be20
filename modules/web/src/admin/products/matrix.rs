//! Options to variants: which combinations stay, and which are new.

use std::collections::BTreeMap;

use contracts::product::{NewVariant, OptionValue, ProductOption};

/// No product has more variants; the catalogue says so too.
const LIMIT: usize = 250;

/// The variants of a product whose options have changed: those that still fit keep everything; a new option gets its
/// first value; each combination with a value that is new becomes a variant like the first one.
///
/// Combinations that were there and have been removed by hand do not come back. At most one more than the catalogue
/// takes, so that it refuses them.
pub fn spread(
    before: &[ProductOption],
    after: &[ProductOption],
    variants: Vec<(usize, NewVariant)>,
) -> Vec<(Option<usize>, NewVariant)> {
    let model = variants.first().map(|(_, variant)| variant.clone());
    let mut kept: Vec<(Option<usize>, NewVariant)> = Vec::new();
    for (row, mut variant) in variants {
        let Some(options) = fitted(&variant.options, after) else { continue };
        if kept.iter().all(|(_, other)| other.options != options) {
            variant.options = options;
            kept.push((Some(row), variant));
        }
    }
    let Some(model) = model else { return kept };
    let mut skus: Vec<String> = kept.iter().map(|(_, variant)| variant.sku.to_lowercase()).collect();
    for options in combinations(after) {
        let is_new = options.iter().any(|(name, value)| !has(before, name, value));
        if kept.len() > LIMIT || !is_new || kept.iter().any(|(_, variant)| variant.options == options) {
            continue;
        }
        let sku = free_sku(&model.sku, &options, after, &skus);
        skus.push(sku.to_lowercase());
        kept.push((None, NewVariant { id: None, sku, options, barcode: None, ..model.clone() }));
    }
    kept
}

fn has(options: &[ProductOption], name: &str, value: &str) -> bool {
    options.iter().any(|option| option.name == name && option.values.iter().any(|v| v.value == value))
}

/// What the variant chooses of these options; `None` when its value is gone.
fn fitted(chosen: &BTreeMap<String, String>, options: &[ProductOption]) -> Option<BTreeMap<String, String>> {
    let fit = |option: &ProductOption| {
        let value = match chosen.get(&option.name) {
            Some(value) => option.values.iter().find(|known| known.value == *value)?,
            None => option.values.first()?,
        };
        Some((option.name.clone(), value.value.clone()))
    };
    options.iter().map(fit).collect()
}

fn combinations(options: &[ProductOption]) -> Vec<BTreeMap<String, String>> {
    if options.is_empty() {
        return Vec::new();
    }
    let mut all = vec![BTreeMap::new()];
    for option in options {
        let with = |chosen: &BTreeMap<String, String>, value: &OptionValue| {
            let mut chosen = chosen.clone();
            chosen.insert(option.name.clone(), value.value.clone());
            chosen
        };
        // A list that is too long is cut: the catalogue refuses what is left of it.
        all = all
            .iter()
            .flat_map(|chosen| option.values.iter().map(|value| with(chosen, value)))
            .take(5000)
            .collect();
    }
    all
}

/// The first variant's SKU with the values behind it: `MUG-SAGE-LARGE`.
fn free_sku(
    base: &str,
    chosen: &BTreeMap<String, String>,
    options: &[ProductOption],
    taken: &[String],
) -> String {
    let mut sku = base.to_owned();
    for value in options.iter().filter_map(|option| chosen.get(&option.name)) {
        let word: String = value.chars().filter(|c| c.is_alphanumeric()).take(12).collect();
        sku = format!("{sku}-{}", word.to_uppercase());
    }
    let sku: String = sku.chars().take(60).collect();
    let numbered = (2..).map(|n| format!("{sku}-{n}"));
    std::iter::once(sku.clone())
        .chain(numbered)
        .find(|sku| !taken.contains(&sku.to_lowercase()))
        .expect("there are more numbers than SKUs")
}

/// `Terracotta #c4532d, Sage` as values; one that is there keeps its value, which links and pictures name.
pub fn values(text: &str, before: &[OptionValue]) -> Vec<OptionValue> {
    let words = text.split([',', '\n']).map(str::trim).filter(|word| !word.is_empty());
    let value = |word: &str| {
        let (label, swatch) = match word.rsplit_once(char::is_whitespace) {
            Some((label, swatch)) if swatch.starts_with('#') => (label.trim(), Some(swatch.to_owned())),
            _ => (word, None),
        };
        let known = before.iter().find(|known| known.label == label);
        let value = known.map_or_else(|| label.to_owned(), |known| known.value.clone());
        OptionValue { value, label: label.to_owned(), swatch }
    };
    words.map(value).collect()
}

/// The reverse of [`values`].
pub fn text(values: &[OptionValue]) -> String {
    let word = |value: &OptionValue| match &value.swatch {
        Some(swatch) => format!("{} {swatch}", value.label),
        None => value.label.clone(),
    };
    values.iter().map(word).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(name: &str, list: &str) -> ProductOption {
        ProductOption { name: name.into(), values: values(list, &[]) }
    }

    fn variant(sku: &str, options: &[(&str, &str)]) -> NewVariant {
        NewVariant {
            id: None,
            sku: sku.into(),
            options: options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            prices: Vec::new(),
            compare_at_prices: Vec::new(),
            barcode: Some("4006381333931".into()),
            stock: Some(3),
            weight_grams: 0,
            tracked: true,
        }
    }

    fn skus(before: &[ProductOption], after: &[ProductOption], variants: &[NewVariant]) -> Vec<String> {
        let variants = variants.iter().cloned().enumerate().collect();
        spread(before, after, variants).into_iter().map(|(_, variant)| variant.sku).collect()
    }

    #[test]
    fn options_of_a_new_product_become_all_combinations() {
        let after = [option("Colour", "Sage, Clay #c4532d"), option("Size", "S, L")];
        let made = spread(&[], &after, vec![(0, variant("MUG", &[]))]);
        let skus: Vec<&str> = made.iter().map(|(_, variant)| variant.sku.as_str()).collect();
        assert_eq!(skus, ["MUG", "MUG-SAGE-L", "MUG-CLAY-S", "MUG-CLAY-L"]);
        assert_eq!(made[0].1.options["Size"], "S");
        assert_eq!((made[0].0, made[1].0, &made[1].1.barcode), (Some(0), None, &None));
    }

    #[test]
    fn a_new_value_adds_only_its_own_combinations() {
        let before = [option("Colour", "Sage, Clay"), option("Size", "S, L")];
        let after = [option("Colour", "Sage, Clay, Ink"), option("Size", "S, L")];
        // Sage in large was removed by hand and stays away.
        let there = [
            variant("A", &[("Colour", "Sage"), ("Size", "S")]),
            variant("B", &[("Colour", "Clay"), ("Size", "L")]),
        ];
        assert_eq!(skus(&before, &after, &there), ["A", "B", "A-INK-S", "A-INK-L"]);
        assert_eq!(skus(&before, &before, &there), ["A", "B"]);
    }

    #[test]
    fn what_loses_its_value_or_its_difference_goes() {
        let before = [option("Colour", "Sage, Clay"), option("Size", "S, L")];
        let there = [
            variant("A", &[("Colour", "Sage"), ("Size", "S")]),
            variant("B", &[("Colour", "Sage"), ("Size", "L")]),
            variant("C", &[("Colour", "Clay"), ("Size", "L")]),
        ];
        assert_eq!(skus(&before, &[option("Colour", "Sage"), option("Size", "S, L")], &there), ["A", "B"]);
        assert_eq!(skus(&before, &[option("Colour", "Sage, Clay")], &there), ["A", "C"]);
        assert_eq!(skus(&before, &[], &there), ["A"]);
    }

    #[test]
    fn values_read_back_as_they_are_shown() {
        let list = "Terracotta #c4532d, Dark Sage, #1";
        assert_eq!(text(&values(list, &[])), list);
        let known = [OptionValue { value: "terracotta".into(), label: "Terracotta".into(), swatch: None }];
        assert_eq!(values(list, &known)[0].value, "terracotta");
    }
}

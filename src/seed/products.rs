//! Products that nobody makes, each a function of the seed and its index.

use std::collections::{BTreeMap, BTreeSet};

use contracts::product::{
    Image, ImportProduct, NewProduct, NewVariant, OptionValue, ProductOption, ProductStatus,
};
use rand::{RngExt, rngs::StdRng, seq::IndexedRandom};
use serde::Deserialize;
use shared::{Currency, Money, Result};

use super::generator;
use crate::demo::Catalogue;

/// What titles, makers and choices are put together from.
pub(super) struct Words {
    lists: Lists,
    /// Pictures of the demo's products by the slug of their category, to lend.
    pictures: BTreeMap<String, Vec<String>>,
    currencies: [Currency; 3],
}

#[derive(Deserialize)]
struct Lists {
    names: [Vec<String>; 2],
    makers: [Vec<String>; 2],
    adjectives: Vec<String>,
    /// Label and swatch.
    colours: Vec<(String, String)>,
    sizes: Vec<String>,
    origins: Vec<String>,
    care: Vec<String>,
    openings: Vec<String>,
    closings: Vec<String>,
    departments: Vec<Department>,
}

#[derive(Deserialize)]
struct Department {
    slug: String,
    title: String,
    /// Euro cents, from and to.
    price: (i64, i64),
    /// Grams, from and to.
    weight: (i64, i64),
    shipping: String,
    materials: Vec<String>,
    /// The category's title and the word for one thing in it.
    leaves: Vec<(String, String)>,
}

impl Words {
    pub fn load() -> Result<Self> {
        let mut pictures: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for product in Catalogue::load()?.products {
            let file = product.images.first().map(|picture| picture.file.clone());
            for category in product.categories {
                pictures.entry(category).or_default().extend(file.clone());
            }
        }
        let currencies = [Currency::EUR, "GBP".parse()?, "USD".parse()?];
        Ok(Self { lists: serde_json::from_str(include_str!("words.json"))?, pictures, currencies })
    }

    /// The files that products refer to.
    pub fn pictures(&self) -> Vec<String> {
        let files: BTreeSet<&String> = self.pictures.values().flatten().collect();
        files.into_iter().cloned().collect()
    }

    /// The product of this index.
    pub fn product(&self, seed: u64, index: u64) -> ImportProduct {
        let mut rng = generator(seed, "product", index);
        let rng = &mut rng;
        let lists = &self.lists;
        let department = pick(&lists.departments, rng);
        let (leaf, noun) = pick(&department.leaves, rng);
        let (material, adjective) = (pick(&department.materials, rng), pick(&lists.adjectives, rng));
        let title = format!("{} {} {material} {noun}", joined(&lists.names, rng), adjective.to_lowercase());
        let options = self.options(rng);
        let product = NewProduct {
            slug: Some(format!("{}-{seed}-{index}", slug::slugify(&title))),
            subtitle: Some(format!("{}, {}", capital(material), pick(&lists.origins, rng))),
            description: format!("{} {}", pick(&lists.openings, rng), pick(&lists.closings, rng)),
            status: ProductStatus::Published,
            brand: Some(joined(&lists.makers, rng)),
            category_ids: Vec::new(),
            tags: vec![adjective.to_lowercase(), noun.clone(), material.clone()],
            attributes: self.attributes(material, rng),
            tax_class: "standard".to_owned(),
            shipping_class: department.shipping.clone(),
            images: self.image(department, &title, rng).into_iter().collect(),
            variants: self.variants(&options, department, &format!("S{seed}-{index:06}"), rng),
            options,
            seo_title: None,
            seo_description: None,
            title,
        };
        ImportProduct {
            product,
            category_paths: vec![vec![department.title.clone(), leaf.clone()]],
            collections: Vec::new(),
            popularity: 10_000 / rng.random_range(1..=2_000),
        }
    }

    fn options(&self, rng: &mut StdRng) -> Vec<ProductOption> {
        let option = |name: &str, values: Vec<OptionValue>| ProductOption { name: name.to_owned(), values };
        let value = |label: &str, swatch: Option<&str>| OptionValue {
            value: slug::slugify(label),
            label: label.to_owned(),
            swatch: swatch.map(str::to_owned),
        };
        let mut colours = |count: usize| {
            let first = rng.random_range(0..self.lists.colours.len());
            let some = self.lists.colours.iter().cycle().skip(first).take(count);
            option("Colour", some.map(|(label, swatch)| value(label, Some(swatch))).collect())
        };
        let sizes = |count: usize| {
            option("Size", self.lists.sizes.iter().take(count).map(|label| value(label, None)).collect())
        };
        let two = colours(2);
        let three = colours(3);
        let five = colours(5);
        match rng.random_range(0..100) {
            0..35 => Vec::new(),
            35..50 => vec![two],
            50..65 => vec![three],
            65..70 => vec![five],
            70..88 => vec![sizes(rng.random_range(3..=4))],
            _ => vec![three, sizes(2)],
        }
    }

    fn variants(
        &self,
        options: &[ProductOption],
        department: &Department,
        sku: &str,
        rng: &mut StdRng,
    ) -> Vec<NewVariant> {
        let (low, high) = department.price;
        let price = (low as f64 * (high as f64 / low as f64).powf(rng.random())) as i64;
        let weight = rng.random_range(department.weight.0..=department.weight.1);
        let was = rng.random_bool(0.12).then_some(price * 5 / 4);
        let variant = |(number, options): (usize, BTreeMap<String, String>)| {
            // A larger one costs and weighs more.
            let step = options
                .get("Size")
                .and_then(|size| self.lists.sizes.iter().position(|s| slug::slugify(s) == *size));
            let more = |amount: i64| amount + amount * step.unwrap_or(0) as i64 / 4;
            NewVariant {
                id: None,
                sku: format!("{sku}-{}", number + 1),
                options,
                prices: self.in_currencies(more(price)),
                compare_at_prices: was.map(|was| self.in_currencies(more(was))).unwrap_or_default(),
                barcode: Some(barcode(rng.random_range(0..10_000_000_000))),
                stock: Some(if rng.random_bool(0.08) { 0 } else { rng.random_range(1..=200) }),
                weight_grams: more(weight),
                tracked: true,
            }
        };
        combinations(options).into_iter().enumerate().map(variant).collect()
    }

    /// Whole units of each currency.
    fn in_currencies(&self, euro_cents: i64) -> Vec<Money> {
        let whole = |percent: i64| (euro_cents * percent / 100 + 50) / 100 * 100;
        self.currencies
            .iter()
            .zip([100, 86, 110])
            .map(|(c, percent)| Money::new(whole(percent).max(100), *c))
            .collect()
    }

    fn attributes(&self, material: &str, rng: &mut StdRng) -> BTreeMap<String, String> {
        let facts = [
            ("material", capital(material)),
            ("origin", pick(&self.lists.origins, rng).clone()),
            ("care", pick(&self.lists.care, rng).clone()),
            ("guarantee", format!("{} years", rng.random_range(2..=10))),
        ];
        facts.map(|(name, value)| (name.to_owned(), value)).into()
    }

    fn image(&self, department: &Department, title: &str, rng: &mut StdRng) -> Option<Image> {
        let file = self.pictures.get(&department.slug)?.choose(rng)?.clone();
        Some(Image { file, alt: title.to_owned(), width: 960, height: 1200, ..Image::default() })
    }
}

fn pick<'a, T>(list: &'a [T], rng: &mut StdRng) -> &'a T {
    list.choose(rng).expect("no list of words.json is empty; a test makes products of it")
}

fn joined([first, second]: &[Vec<String>; 2], rng: &mut StdRng) -> String {
    format!("{}{}", pick(first, rng), pick(second, rng))
}

fn capital(word: &str) -> String {
    word.chars().enumerate().map(|(i, c)| if i == 0 { c.to_ascii_uppercase() } else { c }).collect()
}

/// Every choice of one value of each option; without options there is one.
fn combinations(options: &[ProductOption]) -> Vec<BTreeMap<String, String>> {
    options.iter().fold(vec![BTreeMap::new()], |chosen, option| {
        let with = |so_far: &BTreeMap<String, String>, value: &OptionValue| {
            let mut more = so_far.clone();
            more.insert(option.name.clone(), value.value.clone());
            more
        };
        chosen.iter().flat_map(|so_far| option.values.iter().map(move |value| with(so_far, value))).collect()
    })
}

/// An EAN-13 of the range that shops may use for themselves.
fn barcode(number: i64) -> String {
    let digits = format!("21{number:010}");
    let weighted =
        digits.bytes().enumerate().map(|(i, b)| u32::from(b - b'0') * if i % 2 == 0 { 1 } else { 3 });
    format!("{digits}{}", (10 - weighted.sum::<u32>() % 10) % 10)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_product() {
        let words = Words::load().unwrap();
        let text = |seed, index| serde_json::to_string(&words.product(seed, index)).unwrap();
        assert_eq!(text(1, 7), text(1, 7));
        assert_ne!(text(1, 7), text(2, 7));
        assert_ne!(text(1, 7), text(1, 8));
    }

    #[test]
    fn made_up_products_are_products() {
        let words = Words::load().unwrap();
        let (mut slugs, mut skus, mut paths) = (HashSet::new(), HashSet::new(), HashSet::new());
        for index in 0..2_000 {
            let ImportProduct { product, category_paths, .. } = words.product(1, index);
            let slug = product.slug.clone().unwrap();
            assert_eq!(slug::slugify(&slug), slug);
            assert!(slugs.insert(slug) && (1..=6).contains(&product.variants.len()));
            paths.extend(category_paths);
            for variant in &product.variants {
                assert!(
                    skus.insert(variant.sku.clone()) && variant.prices.iter().all(|price| price.amount > 0)
                );
                assert_eq!(variant.options.len(), product.options.len());
                assert_eq!(variant.barcode.as_ref().unwrap().len(), 13);
            }
            assert!(product.images.iter().all(|image| words.pictures().contains(&image.file)));
        }
        assert_eq!(paths.len(), 56);
    }
}

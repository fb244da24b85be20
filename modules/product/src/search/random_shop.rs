//! Products and queries as chance makes them.

use std::collections::BTreeMap;

use contracts::product::{
    CategoryId, CategoryRef, CollectionId, OptionValue, ProductId, ProductOption, ProductStatus, Rating,
    SearchQuery, Sort,
};
use shared::{Currency, Time};

use super::{
    CardPrice, IndexedProduct,
    tests::{product, query, usd, variant},
};

const WORDS: [&str; 24] = [
    "shirt",
    "skirt",
    "shorts",
    "mug",
    "mugs",
    "teapot",
    "tea",
    "ceramic",
    "ceramics",
    "linen",
    "blue",
    "Blué",
    "glue",
    "stoneware",
    "waterproof",
    "T-shirt",
    "box",
    "boxes",
    "lamp",
    "lamps",
    "X12",
    "Größe",
    "candle",
    "handle",
];
const TYPOS: [&str; 12] = [
    "shrit",
    "cermaic",
    "watreprof",
    "tshirt",
    "cand",
    "lam",
    "grosse",
    "x-12",
    "🦄",
    "stonewaer",
    "MUG",
    "sku-1",
];
const LABELS: [&str; 6] = ["Red", "red", "Blue", "Dark Green", "XL", "Oak"];

/// Numbers that are the same in every run.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % end as u64) as usize
    }
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
    fn some<T: Clone>(&mut self, from: &[T], at_most: usize) -> Vec<T> {
        (0..self.below(at_most + 1)).map(|_| self.pick(from).clone()).collect()
    }
    fn text(&mut self, at_most: usize) -> String {
        self.some(&WORDS, at_most).join(" ")
    }
}

pub struct Shop {
    pub categories: Vec<CategoryRef>,
    collections: Vec<(CollectionId, String)>,
    pub products: BTreeMap<ProductId, IndexedProduct>,
}

impl Shop {
    pub fn random(dice: &mut Dice) -> Self {
        let category = |n| CategoryRef {
            id: CategoryId::new(),
            slug: format!("category-{n}"),
            title: format!("Category {}", WORDS[n]),
        };
        let mut shop = Self {
            categories: (0..6).map(category).collect(),
            collections: (0..3).map(|n| (CollectionId::new(), format!("collection-{n}"))).collect(),
            products: BTreeMap::new(),
        };
        for _ in 0..200 {
            let product = shop.random_product(dice, ProductId::new());
            shop.products.insert(product.product.id, product);
        }
        shop
    }

    pub fn random_product(&self, dice: &mut Dice, id: ProductId) -> IndexedProduct {
        let mut made = product(&format!("{} {}", dice.pick(&WORDS), dice.text(2)));
        let product = &mut made.product;
        product.id = id;
        if dice.one_in(12) {
            product.status = ProductStatus::Draft;
        }
        product.subtitle = Some(dice.text(2));
        product.description = format!("<p>{}</p>", dice.text(3));
        product.brand = dice.some(&LABELS, 1).pop().map(str::to_owned);
        product.tags = dice.some(&LABELS, 3).into_iter().map(str::to_owned).collect();
        for name in dice.some(&["material", "Fit"], 2) {
            product.attributes.insert(name.into(), dice.pick(&LABELS).to_string());
        }
        let name = *dice.pick(&["Colour", "colour", "Size"]);
        let value =
            |value: &&str| OptionValue { value: value.to_string(), label: value.to_string(), swatch: None };
        product.options =
            vec![ProductOption { name: name.into(), values: LABELS.iter().map(value).collect() }];
        product.variants = (0..dice.below(4))
            .map(|n| {
                variant(
                    &format!("SKU-{}-{n}", dice.below(50)),
                    &[(name, *dice.pick(&LABELS))],
                    dice.below(2) as i64,
                )
            })
            .collect();
        product.rating = Rating { average: dice.below(6) as f64 / 2.0, count: dice.below(3) as u32 };
        product.published_at = (!dice.one_in(9)).then(|| Time::from_micros(dice.below(5) as i64 * 1_000_000));
        made.categories = dice.some(&self.categories, 3);
        made.collections = dice.some(&self.collections, 2);
        made.popularity = dice.below(5) as i64 - 1;
        made.prices = BTreeMap::new();
        for currency in [Currency::EUR, usd()] {
            let min = dice.below(20) as i64 * 100;
            if !dice.one_in(6) {
                let max = min + dice.below(4) as i64 * 100;
                made.prices.insert(currency, CardPrice { min, max, compare_at: None });
            }
        }
        made
    }

    pub fn random_query(&self, dice: &mut Dice) -> SearchQuery {
        let spelled: Vec<_> = WORDS.iter().chain(&TYPOS).copied().collect();
        let at_most = [0, 0, 1, 3][dice.below(4)];
        let mut query = query(&dice.some(&spelled, at_most).join(" "));
        let strings = |values: Vec<&str>| values.into_iter().map(str::to_owned).collect::<Vec<_>>();
        if dice.one_in(3) {
            query.category =
                dice.some(&self.categories, 2).into_iter().map(|category| category.slug).collect();
        }
        if dice.one_in(6) {
            query.category.push(self.categories[0].id.to_string());
        }
        if dice.one_in(8) {
            query.category.push("nowhere".into());
        }
        if dice.one_in(5) {
            query.collection = dice.some(&self.collections, 2).into_iter().map(|(_, slug)| slug).collect();
        }
        if dice.one_in(3) {
            query.tag = strings(dice.some(&LABELS, 3));
        }
        if dice.one_in(3) {
            query.brand = strings(dice.some(&LABELS, 3));
        }
        if dice.one_in(3) {
            query.options.insert((*dice.pick(&["COLOUR", "size"])).into(), strings(dice.some(&LABELS, 4)));
        }
        if dice.one_in(3) {
            query
                .attributes
                .insert((*dice.pick(&["material", "Fit", "fit"])).into(), strings(dice.some(&LABELS, 4)));
        }
        query.min_price = dice.one_in(4).then(|| dice.below(15) as i64 * 100);
        query.max_price = dice.one_in(4).then(|| query.min_price.unwrap_or(0) + dice.below(15) as i64 * 100);
        query.in_stock = dice.one_in(5).then(|| dice.one_in(2));
        query.sort = *dice.pick(&[
            Sort::Relevance,
            Sort::Newest,
            Sort::PriceAscending,
            Sort::PriceDescending,
            Sort::Rating,
            Sort::Popular,
        ]);
        if dice.one_in(4) {
            query.context.currency = usd();
        }
        query
    }
}

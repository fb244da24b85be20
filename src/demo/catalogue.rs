//! The demo's catalogue as it is written down, and as the shop takes it.

use std::collections::BTreeMap;

use contracts::Ports;
use contracts::product::{
    CategoryId, CategoryNode, Image, ImportProduct, NewCategory, NewCollection, NewProduct, NewVariant,
    OptionValue, ProductOption, ProductStatus,
};
use serde::Deserialize;
use serde_json::Value;
use shared::{Currency, Money, Result, values::Country};

/// How many products are best sellers.
const BEST_SELLERS: usize = 12;
/// A gift that does not need to be thought over, in euro cents.
const SMALL_GIFT: i64 = 5_000;

/// `catalogue.json`. What is not named here is for others.
#[derive(Deserialize)]
pub(crate) struct Catalogue {
    pub categories: Vec<Category>,
    pub products: Vec<Product>,
    pub orders_profile: Profile,
}

#[derive(Deserialize)]
pub(crate) struct Category {
    pub slug: String,
    title: String,
    description: String,
    position: i32,
    banner: Picture,
}

#[derive(Deserialize)]
pub(crate) struct Product {
    pub slug: String,
    pub title: String,
    subtitle: String,
    brand: String,
    description: String,
    pub categories: Vec<String>,
    pub tags: Vec<String>,
    pub shipping_class: String,
    attributes: BTreeMap<String, Value>,
    pub options: Vec<Choice>,
    pub variants: Vec<Variant>,
    pub images: Vec<Picture>,
    pub bought_together: Vec<String>,
    pub reviews: Vec<Review>,
}

/// What somebody thinks of it.
#[derive(Deserialize)]
pub(crate) struct Review {
    pub rating: u8,
    pub title: String,
    pub body: String,
    /// As it is shown: `Robin S.`.
    pub author: String,
    pub country: Country,
    pub days_ago: u64,
    pub verified: bool,
}

#[derive(Deserialize)]
pub(crate) struct Choice {
    pub name: String,
    pub values: Vec<ChoiceValue>,
}

#[derive(Deserialize)]
pub(crate) struct ChoiceValue {
    pub value: String,
    label: String,
    hex: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Variant {
    pub sku: String,
    /// By the lower-case name of the option.
    pub options: BTreeMap<String, String>,
    pub price: BTreeMap<Currency, i64>,
    #[serde(default)]
    compare_at: BTreeMap<Currency, i64>,
    stock: i64,
    weight_grams: i64,
    barcode: String,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Picture {
    pub file: String,
    alt: String,
    width: u32,
    height: u32,
    /// By the lower-case name of the option.
    #[serde(default)]
    option: BTreeMap<String, String>,
}

/// How the made-up shoppers behave.
#[derive(Deserialize)]
pub(crate) struct Profile {
    pub months: u64,
    pub orders_per_shopper: Spread,
    pub second_archetype_share: f64,
    pub random_item_share: f64,
    pub bought_together_share: f64,
    pub archetypes: Vec<Archetype>,
}

#[derive(Deserialize)]
pub(crate) struct Spread {
    pub mean: f64,
    pub max: usize,
}

/// A kind of shopper. Weights are relative.
#[derive(Deserialize)]
pub(crate) struct Archetype {
    pub share: f64,
    pub likes: Likes,
    pub basket: Spread,
    /// 1: does not mind the price; 0: likes it cheap.
    pub price_pull: f64,
    pub colours: Vec<String>,
    /// 1 is January.
    pub peak_months: Vec<u32>,
    pub countries: Vec<Country>,
}

#[derive(Deserialize)]
pub(crate) struct Likes {
    pub tags: BTreeMap<String, f64>,
    pub categories: BTreeMap<String, f64>,
    pub products: Vec<String>,
}

impl Catalogue {
    pub fn load() -> Result<Self> {
        Ok(serde_json::from_str(include_str!("catalogue.json"))?)
    }
}

impl Product {
    /// The product as the shop takes it. `popularity` is what was sold of it.
    pub fn import(&self, categories: &BTreeMap<String, CategoryId>, popularity: i64) -> ImportProduct {
        let product = NewProduct {
            title: self.title.clone(),
            slug: Some(self.slug.clone()),
            subtitle: Some(self.subtitle.clone()),
            description: self.description.clone(),
            status: ProductStatus::Published,
            brand: Some(self.brand.clone()),
            category_ids: self.categories.iter().filter_map(|slug| categories.get(slug).copied()).collect(),
            tags: self.tags.clone(),
            options: self.options.iter().map(Choice::option).collect(),
            attributes: self.attributes.iter().map(|(name, value)| attribute(name, value)).collect(),
            tax_class: "standard".to_owned(),
            shipping_class: self.shipping_class.clone(),
            images: self.images.iter().map(|picture| picture.image(&self.options)).collect(),
            variants: self.variants.iter().map(|variant| variant.variant(&self.options)).collect(),
            seo_title: None,
            seo_description: None,
        };
        ImportProduct { product, category_paths: Vec::new(), collections: Vec::new(), popularity }
    }

    /// The cheapest variant.
    pub fn lowest_price(&self, currency: Currency) -> i64 {
        self.variants.iter().filter_map(|variant| variant.price.get(&currency).copied()).min().unwrap_or(0)
    }

    fn has_tag(&self, tag: &str) -> bool {
        self.tags.iter().any(|own| own == tag)
    }
}

impl Choice {
    fn option(&self) -> ProductOption {
        let values = self.values.iter().map(|value| OptionValue {
            value: value.value.clone(),
            label: value.label.clone(),
            swatch: value.hex.clone(),
        });
        ProductOption { name: self.name.clone(), values: values.collect() }
    }
}

impl Variant {
    fn variant(&self, choices: &[Choice]) -> NewVariant {
        NewVariant {
            id: None,
            sku: self.sku.clone(),
            options: by_option_name(&self.options, choices),
            prices: moneys(&self.price),
            compare_at_prices: moneys(&self.compare_at),
            barcode: Some(self.barcode.clone()),
            stock: Some(self.stock),
            weight_grams: self.weight_grams,
            tracked: true,
        }
    }
}

impl Picture {
    fn image(&self, choices: &[Choice]) -> Image {
        Image {
            file: self.file.clone(),
            alt: self.alt.clone(),
            width: self.width,
            height: self.height,
            options: by_option_name(&self.option, choices),
            ..Image::default()
        }
    }
}

/// The catalogue's keys are the options' names in lower case.
fn by_option_name(chosen: &BTreeMap<String, String>, choices: &[Choice]) -> BTreeMap<String, String> {
    let of = |choice: &Choice| Some((choice.name.clone(), chosen.get(&choice.name.to_lowercase())?.clone()));
    choices.iter().filter_map(of).collect()
}

fn moneys(amounts: &BTreeMap<Currency, i64>) -> Vec<Money> {
    amounts.iter().map(|(currency, amount)| Money::new(*amount, *currency)).collect()
}

/// A fact in words: `dimensions_mm: [132, 132, 280]` becomes `dimensions: 132 × 132 × 280 mm`.
fn attribute(name: &str, value: &Value) -> (String, String) {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Bool(yes) => if *yes { "Yes" } else { "No" }.to_owned(),
        Value::Array(parts) => parts.iter().map(plain).collect::<Vec<_>>().join(" × "),
        other => plain(other),
    };
    match name.rsplit_once('_') {
        Some((name, unit @ ("mm" | "g" | "kg" | "ml" | "l" | "m" | "h"))) => {
            (name.to_owned(), format!("{text} {unit}"))
        }
        Some((name, "w")) => (name.to_owned(), format!("{text} W")),
        _ => (name.to_owned(), text),
    }
}

/// A number with its thousands apart: `1,180`.
fn plain(value: &Value) -> String {
    let text = value.to_string();
    match text.parse::<u64>() {
        Ok(number) if number >= 1_000 => format!("{},{:03}", number / 1_000, number % 1_000),
        _ => text,
    }
}

/// Makes the categories that are missing; the ids of all by slug.
pub(super) async fn place_categories(
    ports: &Ports,
    catalogue: &Catalogue,
) -> Result<BTreeMap<String, CategoryId>> {
    let roots: Vec<CategoryNode> = ports.products.categories().await?;
    let mut ids: BTreeMap<String, CategoryId> =
        roots.into_iter().map(|n| (n.category.slug, n.category.id)).collect();
    for category in catalogue.categories.iter() {
        if ids.contains_key(&category.slug) {
            continue;
        }
        let new = NewCategory {
            title: category.title.clone(),
            slug: Some(category.slug.clone()),
            description: category.description.clone(),
            parent_id: None,
            position: category.position,
            image: Some(category.banner.image(&[])),
        };
        ids.insert(category.slug.clone(), ports.products.create_category(new).await?.id);
    }
    Ok(ids)
}

/// Makes the collections that are missing. `products` and `sold` are in the order of the catalogue.
pub(super) async fn collect(
    ports: &Ports,
    catalogue: &Catalogue,
    products: &[contracts::product::Product],
    sold: &[i64],
) -> Result<()> {
    let there = ports.products.collections().await?;
    let mut by_sales: Vec<usize> = (0..products.len()).collect();
    by_sales.sort_by_key(|&index| std::cmp::Reverse(sold[index]));
    let those = |wanted: &dyn Fn(&Product) -> bool| -> Vec<_> {
        by_sales
            .iter()
            .filter(|&&index| wanted(&catalogue.products[index]))
            .map(|&index| products[index].id)
            .collect()
    };
    let best = by_sales.iter().take(BEST_SELLERS).map(|&index| products[index].id).collect();
    let small_gift = |p: &Product| p.has_tag("gift") && p.lowest_price(Currency::EUR) <= SMALL_GIFT;
    let collections = [
        ("New in", "new-in", "Just off the bench.", those(&|p| p.has_tag("new"))),
        ("Best sellers", "best-sellers", "What others keep coming back for.", best),
        ("Gifts under 50", "gifts-under-50", "Small things that are easy to wrap.", those(&small_gift)),
        (
            "Small spaces",
            "small-spaces",
            "Things that fold, stack and nest.",
            those(&|p| p.has_tag("small-space")),
        ),
        (
            "For the desk",
            "for-the-desk",
            "A table where work gets done.",
            those(&|p| p.has_tag("desk-setup")),
        ),
    ];
    for (title, slug, description, product_ids) in collections {
        if there.iter().all(|collection| collection.slug != slug) {
            let (title, slug, description) =
                (title.to_owned(), Some(slug.to_owned()), description.to_owned());
            ports.products.create_collection(NewCollection { title, slug, description, product_ids }).await?;
        }
    }
    Ok(())
}

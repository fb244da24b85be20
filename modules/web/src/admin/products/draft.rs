//! The editor's form: from a product to fields, and back.

use std::collections::BTreeMap;

use contracts::product::{
    Image, NewProduct, NewVariant, Product, ProductOption, ProductPatch, ProductStatus, VariantId,
};
use shared::{Currency, Error, Money};

use super::matrix;
use crate::{Page, forms::Fields};

/// Options that a product may have.
pub const OPTIONS: usize = 5;

/// What the form asks for.
pub struct Draft {
    pub product: NewProduct,
    /// The row of the form of each variant; none for those that the options have made.
    rows: Vec<Option<usize>>,
}

/// The name that a status has in forms.
pub fn status_name(status: ProductStatus) -> &'static str {
    match status {
        ProductStatus::Draft => "draft",
        ProductStatus::Published => "published",
        ProductStatus::Archived => "archived",
    }
}

/// The status of a name.
pub fn status_of(name: &str) -> Option<ProductStatus> {
    [ProductStatus::Draft, ProductStatus::Published, ProductStatus::Archived]
        .into_iter()
        .find(|status| status_name(*status) == name)
}

/// An empty form: one variant, which is tracked.
pub fn empty() -> Fields {
    Fields::default()
        .with("status", "draft")
        .with("tax_class", "standard")
        .with("shipping_class", "parcel")
        .with("v0-sku", "")
        .with("v0-tracked", "on")
}

/// The form of a product.
pub fn filled(p: &Page, product: &Product) -> Fields {
    let mut f = Fields::default()
        .with("version", product.version)
        .with("title", &product.title)
        .with("subtitle", product.subtitle.as_deref().unwrap_or_default())
        .with("description", &product.description)
        .with("status", status_name(product.status))
        .with("brand", product.brand.as_deref().unwrap_or_default())
        .with("slug", &product.slug)
        .with("tags", product.tags.join(", "))
        .with("attributes", facts(&product.attributes))
        .with("tax_class", &product.tax_class)
        .with("shipping_class", &product.shipping_class)
        .with("seo_title", product.seo_title.as_deref().unwrap_or_default())
        .with("seo_description", product.seo_description.as_deref().unwrap_or_default());
    for category in &product.category_ids {
        f = f.with("category", category);
    }
    for (n, option) in product.options.iter().enumerate() {
        f = f
            .with(&format!("o{n}-option"), &option.name)
            .with(&format!("o{n}-values"), matrix::text(&option.values));
    }
    for (n, image) in product.images.iter().enumerate() {
        let shows = image.options.iter().next().map(|(name, value)| format!("{name}={value}"));
        f = f
            .with(&format!("i{n}-file"), &image.file)
            .with(&format!("i{n}-alt"), &image.alt)
            .with(&format!("i{n}-shows"), shows.unwrap_or_default());
    }
    for (n, variant) in product.variants.iter().enumerate() {
        f = f
            .with(&format!("v{n}-id"), variant.id)
            .with(&format!("v{n}-sku"), &variant.sku)
            .with(&format!("v{n}-barcode"), variant.barcode.as_deref().unwrap_or_default())
            .with(&format!("v{n}-weight"), variant.weight_grams);
        if variant.tracked {
            f = f.with(&format!("v{n}-tracked"), "on");
        }
        for (kind, prices) in [("price", &variant.prices), ("was", &variant.compare_at_prices)] {
            for currency in p.currencies() {
                let price = prices.iter().find(|price| price.currency == *currency);
                let text = price.map(|price| p.amount(price)).unwrap_or_default();
                f = f.with(&format!("v{n}-{kind}.{currency}"), text);
            }
        }
    }
    f
}

/// The numbers of the form's variants.
pub fn rows(f: &Fields) -> Vec<usize> {
    (0..250).filter(|n| f.all(&format!("v{n}-sku")).next().is_some()).collect()
}

/// Reads the form. What is wrong is noted in it; `before` is the product as it is.
pub fn read(p: &Page, f: &mut Fields, before: Option<&Product>) -> Draft {
    let title = f.required(p, "title");
    let options = options(f, before);
    let mut variants = Vec::new();
    for n in rows(f) {
        if !f.ticked(&format!("v{n}-drop")) {
            variants.push((n, variant(p, f, n, before)));
        }
    }
    let there = before.map_or(&[][..], |product| &product.options);
    let (rows, variants) = matrix::spread(there, &options, variants).into_iter().unzip();
    let attributes = attributes(p, f);
    let text = |name: &str| Some(f.value(name).to_owned());
    let category_ids = f.all("category").filter_map(|id| id.parse().ok()).collect();
    let product = NewProduct {
        title,
        slug: f.given("slug").map(ToOwned::to_owned),
        subtitle: text("subtitle"),
        description: f.value("description").to_owned(),
        status: status_of(f.value("status")).unwrap_or(ProductStatus::Draft),
        brand: text("brand"),
        category_ids,
        tags: words(f.value("tags")),
        images: images(f, before, &options),
        options,
        attributes,
        tax_class: f.value("tax_class").to_owned(),
        shipping_class: f.value("shipping_class").to_owned(),
        variants,
        seo_title: text("seo_title"),
        seo_description: text("seo_description"),
    };
    Draft { product, rows }
}

/// A list with commas.
pub fn words(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(ToOwned::to_owned).collect()
}

fn facts(attributes: &BTreeMap<String, String>) -> String {
    attributes.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n")
}

fn attributes(p: &Page, f: &mut Fields) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::new();
    let mut broken = false;
    for line in f.value("attributes").lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.split_once(':') {
            Some((name, value)) => {
                attributes.insert(name.trim().to_owned(), value.trim().to_owned());
            }
            None => broken = true,
        }
    }
    if broken {
        f.fail("attributes", p.t("error-fact-line"));
    }
    attributes
}

fn options(f: &Fields, before: Option<&Product>) -> Vec<ProductOption> {
    let mut options = Vec::new();
    for n in 0..OPTIONS {
        let Some(name) = f.given(&format!("o{n}-option")) else { continue };
        let known = before.and_then(|product| product.options.iter().find(|option| option.name == name));
        let values =
            matrix::values(f.value(&format!("o{n}-values")), known.map_or(&[], |option| &option.values));
        options.push(ProductOption { name: name.to_owned(), values });
    }
    options
}

fn images(f: &Fields, before: Option<&Product>, options: &[ProductOption]) -> Vec<Image> {
    let known = before.map_or(&[][..], |product| &product.images);
    let mut images = Vec::new();
    for n in 0..known.len().max(50) {
        let file = f.value(&format!("i{n}-file"));
        let Some(image) = known.iter().find(|image| image.file == file) else { continue };
        let shows = f.value(&format!("i{n}-shows")).split_once('=').filter(|(name, value)| {
            options
                .iter()
                .any(|option| option.name == *name && option.values.iter().any(|v| v.value == *value))
        });
        let mut image = image.clone();
        image.alt = f.value(&format!("i{n}-alt")).to_owned();
        image.options = shows.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
        images.push(image);
    }
    images
}

fn variant(p: &Page, f: &mut Fields, n: usize, before: Option<&Product>) -> NewVariant {
    let id: Option<VariantId> = f.value(&format!("v{n}-id")).parse().ok();
    let known = id.and_then(|id| before?.variants.iter().find(|variant| variant.id == id));
    let currencies: Vec<Currency> = p.currencies().to_vec();
    let mut prices = |kind: &str, stored: &[Money]| {
        // Prices in currencies that the shop does not show stay.
        let other = stored.iter().copied().filter(|price| !currencies.contains(&price.currency));
        let mut prices: Vec<Money> = other.collect();
        prices.extend(currencies.iter().filter_map(|c| f.money(p, &format!("v{n}-{kind}.{c}"), *c)));
        prices
    };
    let (own, former) = known.map_or((&[][..], &[][..]), |v| (&v.prices[..], &v.compare_at_prices[..]));
    let (prices, compare_at_prices) = (prices("price", own), prices("was", former));
    let first = format!("v{n}-price.{}", currencies[0]);
    if prices.is_empty() {
        f.required(p, &first);
    }
    NewVariant {
        // One that somebody else has removed meanwhile is a new one.
        id: known.map(|variant| variant.id),
        sku: f.required(p, &format!("v{n}-sku")),
        options: known.map(|variant| variant.options.clone()).unwrap_or_default(),
        prices,
        compare_at_prices,
        barcode: f.given(&format!("v{n}-barcode")).map(ToOwned::to_owned),
        stock: f.count(p, &format!("v{n}-stock")),
        weight_grams: f.count(p, &format!("v{n}-weight")).unwrap_or(0),
        tracked: f.ticked(&format!("v{n}-tracked")),
    }
}

/// Adds the variants and pictures of `theirs` that the form does not know, so that sending it removes none of them.
pub fn join(f: &mut Fields, theirs: &Fields) {
    for (list, key) in [("v", "id"), ("i", "file")] {
        let known: Vec<String> = (0..250).map(|n| f.value(&format!("{list}{n}-{key}")).to_owned()).collect();
        let mut free = known.iter().rposition(|id| !id.is_empty()).map_or(0, |last| last + 1);
        for n in 0..250 {
            let id = theirs.value(&format!("{list}{n}-{key}"));
            if id.is_empty() || known.iter().any(|known| known == id) {
                continue;
            }
            let prefix = format!("{list}{n}-");
            for (name, value) in theirs.iter().filter(|(name, _)| name.starts_with(&prefix)) {
                f.set(&format!("{list}{free}-{}", &name[prefix.len()..]), value);
            }
            free += 1;
        }
    }
}

impl Draft {
    /// All of it as a change.
    pub fn patch(self) -> ProductPatch {
        let new = self.product;
        ProductPatch {
            title: Some(new.title),
            slug: new.slug,
            subtitle: new.subtitle,
            description: Some(new.description),
            status: Some(new.status),
            brand: new.brand,
            category_ids: Some(new.category_ids),
            tags: Some(new.tags),
            options: Some(new.options),
            attributes: Some(new.attributes),
            tax_class: Some(new.tax_class),
            shipping_class: Some(new.shipping_class),
            images: Some(new.images),
            variants: Some(new.variants),
            seo_title: new.seo_title,
            seo_description: new.seo_description,
        }
    }

    /// The fields of a form that an error is about.
    pub fn places(&self) -> Places {
        Places(self.rows.clone())
    }
}

/// Where in the form the catalogue's pointers lead.
pub struct Places(Vec<Option<usize>>);

impl Places {
    /// Notes what the catalogue has refused, each at its field.
    pub fn refuse(&self, p: &Page, f: &mut Fields, error: &Error) {
        if error.fields.is_empty() {
            let name = if error.code == "slug_taken" { "slug" } else { "" };
            match name {
                "" => f.problem = Some(p.error(&error.code, &error.detail)),
                name => f.fail(name, p.error(&error.code, &error.detail)),
            }
        }
        for field in &error.fields {
            let text = p.error(&field.code, &field.detail);
            match self.field(p, &field.pointer) {
                Some(name) => f.fail(&name, text),
                None => f.problem = Some(text),
            }
        }
    }

    fn field(&self, p: &Page, pointer: &str) -> Option<String> {
        let mut parts = pointer.split('/').skip(1);
        let (list, index) = (parts.next()?, parts.next());
        let index = index.and_then(|index| index.parse::<usize>().ok());
        let name = match (list, index, parts.next()) {
            ("variants", Some(i), Some(part)) => {
                let row = (*self.0.get(i)?)?;
                match part {
                    "sku" | "barcode" | "stock" => format!("v{row}-{part}"),
                    "weight_grams" => format!("v{row}-weight"),
                    "prices" => format!("v{row}-price.{}", p.currencies()[0]),
                    "compare_at_prices" => format!("v{row}-was.{}", p.currencies()[0]),
                    _ => return None,
                }
            }
            ("options", Some(i), Some("name")) => format!("o{i}-option"),
            ("options", Some(i), _) => format!("o{i}-values"),
            ("images", Some(i), _) => format!("i{i}-alt"),
            ("category_ids", ..) => "category".to_owned(),
            ("title" | "slug" | "subtitle" | "description" | "brand" | "tags" | "attributes", ..) => {
                list.to_owned()
            }
            ("tax_class" | "shipping_class" | "seo_title" | "seo_description", ..) => list.to_owned(),
            _ => return None,
        };
        Some(name)
    }
}

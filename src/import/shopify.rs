//! Shopify's product export, with the column names of the old and the new kind.
//!
//! The first row of a product has its title and everything that belongs to the product; each row with a price, a SKU or
//! an option's value is a variant; each row with a picture adds one, and may have nothing else.

mod images;
mod variants;

use std::collections::BTreeMap;

use contracts::product::{ImportProduct, NewProduct, ProductStatus};
use shared::Currency;

use super::{
    cells,
    draft::{Draft, Faults},
    pictures::Gallery,
    report::RowError,
    sheet::{Column, Group, Header, Row},
};

/// Where the columns are that we read.
pub(super) struct Columns {
    title: Column,
    body: Column,
    vendor: Column,
    category: Column,
    kind: Column,
    tags: Column,
    published: Column,
    status: Column,
    gift_card: Column,
    seo_title: Column,
    seo_description: Column,
    /// Name and value.
    options: [(Column, Column); 3],
    sku: Column,
    barcode: Column,
    grams: Column,
    tracker: Column,
    quantity: Column,
    policy: Column,
    price: Column,
    compare_at: Column,
    taxable: Column,
    image: Column,
    image_position: Column,
    image_alt: Column,
    variant_image: Column,
}

impl Columns {
    pub fn of(header: &Header) -> Self {
        let column = |names: &[&'static str]| header.column(names);
        Self {
            title: column(&["Title"]),
            body: column(&["Body (HTML)", "Description"]),
            vendor: column(&["Vendor"]),
            category: column(&["Product Category", "Standardized Product Type"]),
            kind: column(&["Type", "Custom Product Type"]),
            tags: column(&["Tags"]),
            published: column(&["Published", "Published on online store"]),
            status: column(&["Status"]),
            gift_card: column(&["Gift Card"]),
            seo_title: column(&["SEO Title"]),
            seo_description: column(&["SEO Description"]),
            options: [
                (column(&["Option1 Name"]), column(&["Option1 Value"])),
                (column(&["Option2 Name"]), column(&["Option2 Value"])),
                (column(&["Option3 Name"]), column(&["Option3 Value"])),
            ],
            sku: column(&["Variant SKU", "SKU"]),
            barcode: column(&["Variant Barcode", "Barcode"]),
            grams: column(&["Variant Grams", "Weight value (grams)"]),
            tracker: column(&["Variant Inventory Tracker", "Inventory tracker"]),
            quantity: column(&["Variant Inventory Qty", "Variant Inventory Quantity", "Inventory quantity"]),
            policy: column(&["Variant Inventory Policy", "Continue selling when out of stock"]),
            price: column(&["Variant Price", "Price"]),
            compare_at: column(&["Variant Compare At Price", "Compare-at price"]),
            taxable: column(&["Variant Taxable", "Charge tax"]),
            image: column(&["Image Src", "Product image URL"]),
            image_position: column(&["Image Position"]),
            image_alt: column(&["Image Alt Text"]),
            variant_image: column(&["Variant Image", "Variant image URL"]),
        }
    }
}

/// The product that the rows make, or all that is wrong with them.
pub(super) fn draft(
    columns: &Columns,
    group: &Group,
    currency: Currency,
    gallery: &Gallery,
) -> Result<Draft, Vec<RowError>> {
    let mut faults = Faults::of(group);
    let first = &group.rows[0];
    check_product(columns, first, &mut faults);
    let offer = variants::offer(columns, group, currency, &mut faults);
    let hung = images::hang(columns, group, &offer, gallery, &mut faults);
    let status = status(columns, first, &mut faults);
    faults.done()?;
    let optional =
        |column: Column| Some(column.text(first)).filter(|text| !text.is_empty()).map(str::to_owned);
    let product = NewProduct {
        title: columns.title.text(first).to_owned(),
        slug: Some(group.slug.clone()),
        subtitle: None,
        description: columns.body.text(first).to_owned(),
        status,
        brand: optional(columns.vendor),
        category_ids: Vec::new(),
        tags: columns
            .tags
            .text(first)
            .split(',')
            .map(str::trim)
            .filter(|tag| !tag.is_empty())
            .map(str::to_owned)
            .collect(),
        options: offer.options,
        attributes: attributes(columns, first),
        tax_class: if offer.taxable { "standard" } else { "zero" }.to_owned(),
        shipping_class: "parcel".to_owned(),
        images: hung.images,
        variants: offer.variants,
        seo_title: optional(columns.seo_title),
        seo_description: optional(columns.seo_description),
    };
    let category_paths = category_path(columns, first).into_iter().collect();
    Ok(Draft {
        import: ImportProduct { product, category_paths, collections: Vec::new(), popularity: 0 },
        line: first.line,
        variant_lines: offer.lines,
        pictures: hung.pictures,
        images_skipped: hung.skipped,
    })
}

fn check_product(columns: &Columns, first: &Row, faults: &mut Faults<'_>) {
    if columns.title.text(first).is_empty() {
        faults.add(first, columns.title.name, "required", "the first row of a product must have its title");
    }
    if cells::truth(columns.gift_card.text(first)) == Some(true) {
        faults.add(first, columns.gift_card.name, "gift_card", "gift cards cannot be imported");
    }
}

/// Only what is active and on the online store is shown.
fn status(columns: &Columns, first: &Row, faults: &mut Faults<'_>) -> ProductStatus {
    let published = match columns.published.text(first) {
        "" => Some(true),
        text => faults.parse((first, columns.published.name), text, "boolean", "true or false", cells::truth),
    };
    match columns.status.text(first).to_lowercase().as_str() {
        "archived" => ProductStatus::Archived,
        "draft" | "unlisted" => ProductStatus::Draft,
        "active" | "" if published == Some(true) => ProductStatus::Published,
        "active" | "" => ProductStatus::Draft,
        other => {
            faults.add(
                first,
                columns.status.name,
                "status",
                format!("{other:?} is not active, draft or archived"),
            );
            ProductStatus::Draft
        }
    }
}

/// `Apparel & Accessories > Clothing`, else the merchant's own type. Shopify's numbers of categories say nothing here.
fn category_path(columns: &Columns, first: &Row) -> Option<Vec<String>> {
    let path = |text: &str| -> Vec<String> {
        text.split('>').map(str::trim).filter(|title| !title.is_empty()).map(str::to_owned).collect()
    };
    let known =
        |text: &str| !text.eq_ignore_ascii_case("uncategorized") && !text.bytes().all(|b| b.is_ascii_digit());
    let category = columns.category.text(first);
    let own = columns.kind.text(first);
    Some(if known(category) { path(category) } else { path(own) }).filter(|path| !path.is_empty())
}

/// The merchant's own type, where the category is Shopify's.
fn attributes(columns: &Columns, first: &Row) -> BTreeMap<String, String> {
    let own = columns.kind.text(first);
    let is_category = category_path(columns, first).is_some_and(|path| path == [own]);
    if own.is_empty() || is_category { BTreeMap::new() } else { [("type".to_owned(), own.to_owned())].into() }
}

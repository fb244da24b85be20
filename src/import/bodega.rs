//! Bodega's own columns, as `bodega export products` writes them: one row a variant, what belongs to the product in the
//! first one.

use contracts::product::{Image, ImportProduct, NewProduct, NewVariant, ProductOption, ProductStatus};
use serde::de::DeserializeOwned;

use super::{
    cells,
    draft::{Draft, Faults},
    pictures::Gallery,
    report::RowError,
    sheet::{Column, Group, Header, Row},
};

/// The names of all columns, in the order in which they are written.
pub(crate) const COLUMNS: [&str; 28] = [
    "slug",
    "title",
    "subtitle",
    "description",
    "status",
    "brand",
    "categories",
    "collections",
    "tags",
    "options",
    "attributes",
    "tax_class",
    "shipping_class",
    "images",
    "seo_title",
    "seo_description",
    "sku",
    "option1",
    "option2",
    "option3",
    "option4",
    "option5",
    "prices",
    "compare_at_prices",
    "barcode",
    "stock",
    "weight_grams",
    "tracked",
];

/// Where they are, in the same order.
pub(super) struct Columns([Column; 28]);

impl Columns {
    pub fn of(header: &Header) -> Self {
        Self(COLUMNS.map(|name| header.column(&[name])))
    }

    fn column(&self, name: &str) -> Column {
        let index = COLUMNS.iter().position(|known| *known == name);
        self.0[index.expect("the name is one of COLUMNS")]
    }

    fn text<'a>(&self, row: &'a Row, name: &str) -> &'a str {
        cells::unguard(self.column(name).raw(row))
    }

    fn optional(&self, row: &Row, name: &str) -> Option<String> {
        Some(self.text(row, name)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    fn or(&self, row: &Row, name: &str, otherwise: &str) -> String {
        self.optional(row, name).unwrap_or_else(|| otherwise.to_owned())
    }
}

/// The product that the rows make, or all that is wrong with them.
pub(super) fn draft(columns: &Columns, group: &Group, gallery: &Gallery) -> Result<Draft, Vec<RowError>> {
    let mut faults = Faults::of(group);
    let first = &group.rows[0];
    let options: Vec<ProductOption> = json(columns, first, "options", &mut faults);
    let images: Vec<Image> = json(columns, first, "images", &mut faults);
    let attributes = json(columns, first, "attributes", &mut faults);
    let status = status(columns, first, &mut faults);
    let variants: Vec<NewVariant> =
        group.rows.iter().filter_map(|row| variant(columns, row, &options, &mut faults)).collect();
    faults.done()?;
    // Others may be in the shop already.
    let pictures = images.iter().filter_map(|image| gallery.find(&image.file, first.line)).collect();
    let list = |name| cells::split(columns.text(first, name), '|');
    let product = NewProduct {
        title: columns.text(first, "title").to_owned(),
        slug: Some(group.slug.clone()),
        subtitle: columns.optional(first, "subtitle"),
        description: columns.text(first, "description").to_owned(),
        status,
        brand: columns.optional(first, "brand"),
        category_ids: Vec::new(),
        tags: list("tags"),
        options,
        attributes,
        tax_class: columns.or(first, "tax_class", "standard"),
        shipping_class: columns.or(first, "shipping_class", "parcel"),
        images,
        variants,
        seo_title: columns.optional(first, "seo_title"),
        seo_description: columns.optional(first, "seo_description"),
    };
    Ok(Draft {
        import: ImportProduct {
            product,
            category_paths: list("categories").iter().map(|path| cells::split(path, '>')).collect(),
            collections: list("collections"),
            popularity: 0,
        },
        line: first.line,
        variant_lines: group.rows.iter().map(|row| row.line).collect(),
        pictures,
        images_skipped: 0,
    })
}

fn json<T: DeserializeOwned + Default>(
    columns: &Columns,
    row: &Row,
    name: &str,
    faults: &mut Faults<'_>,
) -> T {
    let text = columns.text(row, name);
    if text.is_empty() {
        return T::default();
    }
    serde_json::from_str(text).unwrap_or_else(|error| {
        faults.add(row, name, "json", format!("the cell is not what it should be: {error}"));
        T::default()
    })
}

fn status(columns: &Columns, row: &Row, faults: &mut Faults<'_>) -> ProductStatus {
    match columns.text(row, "status").trim() {
        "published" => ProductStatus::Published,
        "draft" | "" => ProductStatus::Draft,
        "archived" => ProductStatus::Archived,
        other => {
            faults.add(row, "status", "status", format!("{other:?} is not published, draft or archived"));
            ProductStatus::Draft
        }
    }
}

fn variant(
    columns: &Columns,
    row: &Row,
    options: &[ProductOption],
    faults: &mut Faults<'_>,
) -> Option<NewVariant> {
    let names = ["option1", "option2", "option3", "option4", "option5"];
    let mut moneys = |name: &str| -> Option<Vec<_>> {
        let cells = cells::split(columns.text(row, name), '|');
        let parse = |cell: &String| {
            faults.parse((row, name), cell, "price", "a price such as 19.99 EUR", cells::money_with_currency)
        };
        cells.iter().map(parse).collect()
    };
    let (prices, compare_at_prices) = (moneys("prices"), moneys("compare_at_prices"));
    let mut count = |name: &str| match columns.text(row, name) {
        "" => None,
        text => faults.parse((row, name), text, "number", "a number", cells::count),
    };
    let (stock, weight_grams) = (count("stock"), count("weight_grams"));
    let tracked = match columns.text(row, "tracked") {
        "" => Some(true),
        text => faults.parse((row, "tracked"), text, "boolean", "true or false", cells::truth),
    };
    let chosen = options
        .iter()
        .zip(names)
        .map(|(option, name)| (option.name.clone(), columns.text(row, name).to_owned()));
    Some(NewVariant {
        id: None,
        sku: columns.text(row, "sku").to_owned(),
        options: chosen.collect(),
        prices: prices?,
        compare_at_prices: compare_at_prices?,
        barcode: columns.optional(row, "barcode"),
        stock,
        weight_grams: weight_grams.unwrap_or(0),
        tracked: tracked?,
    })
}

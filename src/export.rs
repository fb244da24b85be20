//! What is in the shop, as CSV. Page by page: memory does not grow with the shop.
//!
//! Cells that a spreadsheet would take for formulas begin with an apostrophe; the import takes it off again.

use std::{collections::HashMap, io::Write};

use contracts::Ports;
use contracts::{
    order::{Order, OrderFilter, OrderLine, Viewer},
    product::{CategoryId, CategoryNode, CollectionId, Product, ProductStatus, Variant},
};
use csv::Writer;
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;
use shared::{Error, Money, PageRequest, Result};

use crate::import::{
    bodega::COLUMNS,
    cells::{guard, join},
};

/// Products in one call.
const PRODUCTS: u32 = 200;
/// Orders that are read at the same time.
const AT_ONCE: usize = 8;
/// How many options a product may have.
const OPTIONS: usize = 5;

const ORDER_COLUMNS: [&str; 34] = [
    "number",
    "id",
    "placed_at",
    "status",
    "payment_status",
    "fulfillment_status",
    "email",
    "customer_id",
    "name",
    "company",
    "line1",
    "line2",
    "city",
    "region",
    "postal_code",
    "country",
    "phone",
    "shipping_method",
    "discount_codes",
    "currency",
    "subtotal",
    "discount",
    "shipping",
    "tax",
    "total",
    "captured",
    "refunded",
    "line_sku",
    "line_title",
    "line_variant",
    "line_quantity",
    "line_unit_price",
    "line_discount",
    "line_total",
];

/// All products, one row a variant; what belongs to the product is in its first row. `import` reads it back.
pub async fn products_csv(ports: &Ports, out: impl Write) -> Result<()> {
    let mut sheet = Sheet::new(out, &COLUMNS)?;
    let shelves = Shelves::load(ports).await?;
    let mut after = None;
    loop {
        let page = ports.products.export(after, PRODUCTS).await?;
        let Some(last) = page.last() else { return sheet.finish() };
        after = Some(last.id);
        for product in &page {
            for (number, variant) in product.variants.iter().enumerate() {
                let mut row = if number == 0 { shelves.product(product)? } else { continuation(product) };
                row.extend(variant_cells(product, variant));
                sheet.write(&row)?;
            }
        }
    }
}

/// All orders, newest first, one row a line; what belongs to the order is in its first row.
pub async fn orders_csv(ports: &Ports, out: impl Write) -> Result<()> {
    let mut sheet = Sheet::new(out, &ORDER_COLUMNS)?;
    let mut page = PageRequest { limit: 100, cursor: None };
    loop {
        let summaries = ports.orders.list(OrderFilter::default(), page.clone()).await?;
        let finds = summaries.data.iter().map(|summary| ports.orders.find(summary.id, Viewer::System));
        let mut orders = futures::stream::iter(finds).buffered(AT_ONCE);
        while let Some(order) = orders.try_next().await? {
            for (number, line) in order.lines.iter().enumerate() {
                let mut row = if number == 0 { order_cells(&order)? } else { order_continuation(&order) };
                row.extend(line_cells(line));
                sheet.write(&row)?;
            }
        }
        page.cursor = summaries.next_cursor;
        if page.cursor.is_none() {
            return sheet.finish();
        }
    }
}

/// All accounts, newest first.
pub async fn customers_csv(ports: &Ports, out: impl Write) -> Result<()> {
    let mut sheet = Sheet::new(out, &["id", "email", "name", "email_verified", "group", "created_at"])?;
    let mut page = PageRequest { limit: 100, cursor: None };
    loop {
        let customers = ports.customers.list(None, page).await?;
        for customer in customers.data {
            sheet.write(&[
                customer.id.to_string(),
                customer.email.to_string(),
                customer.name,
                customer.email_verified.to_string(),
                customer.group.unwrap_or_default(),
                customer.created_at.to_string(),
            ])?;
        }
        page = PageRequest { limit: 100, cursor: customers.next_cursor };
        if page.cursor.is_none() {
            return sheet.finish();
        }
    }
}

struct Sheet<W: Write>(Writer<W>);

impl<W: Write> Sheet<W> {
    fn new(out: W, columns: &[&str]) -> Result<Self> {
        let mut sheet = Self(Writer::from_writer(out));
        sheet.write(columns)?;
        Ok(sheet)
    }

    fn write(&mut self, cells: &[impl AsRef<str>]) -> Result<()> {
        self.0
            .write_record(cells.iter().map(|cell| guard(cell.as_ref()).into_owned()))
            .map_err(Error::internal)
    }

    fn finish(mut self) -> Result<()> {
        self.0.flush().map_err(Error::internal)
    }
}

/// Where products are, by name.
struct Shelves {
    paths: HashMap<CategoryId, String>,
    collections: HashMap<CollectionId, String>,
}

impl Shelves {
    async fn load(ports: &Ports) -> Result<Self> {
        let mut paths = HashMap::new();
        note_paths(&ports.products.categories().await?, &[], &mut paths);
        let collections = ports.products.collections().await?.into_iter().map(|c| (c.id, c.title)).collect();
        Ok(Self { paths, collections })
    }

    /// The cells of the product itself.
    fn product(&self, product: &Product) -> Result<Vec<String>> {
        let categories = product.category_ids.iter().filter_map(|id| self.paths.get(id));
        let collections = product.collection_ids.iter().filter_map(|id| self.collections.get(id));
        Ok(vec![
            product.slug.clone(),
            product.title.clone(),
            product.subtitle.clone().unwrap_or_default(),
            product.description.clone(),
            word(product.status),
            product.brand.clone().unwrap_or_default(),
            join(categories, '|'),
            join(collections, '|'),
            join(&product.tags, '|'),
            json(&product.options, product.options.is_empty())?,
            json(&product.attributes, product.attributes.is_empty())?,
            product.tax_class.clone(),
            product.shipping_class.clone(),
            json(&product.images, product.images.is_empty())?,
            product.seo_title.clone().unwrap_or_default(),
            product.seo_description.clone().unwrap_or_default(),
        ])
    }
}

fn note_paths(nodes: &[CategoryNode], above: &[&str], paths: &mut HashMap<CategoryId, String>) {
    for node in nodes {
        let path = [above, &[node.category.title.as_str()]].concat();
        paths.insert(node.category.id, join(&path, '>'));
        note_paths(&node.children, &path, paths);
    }
}

fn continuation(product: &Product) -> Vec<String> {
    let mut cells = vec![String::new(); 16];
    cells[0].clone_from(&product.slug);
    cells
}

fn variant_cells(product: &Product, variant: &Variant) -> Vec<String> {
    let mut cells = vec![variant.sku.clone()];
    let chosen =
        product.options.iter().map(|option| variant.options.get(&option.name).cloned().unwrap_or_default());
    cells.extend(chosen.chain(std::iter::repeat(String::new())).take(OPTIONS));
    cells.extend([
        moneys(&variant.prices),
        moneys(&variant.compare_at_prices),
        variant.barcode.clone().unwrap_or_default(),
        if variant.tracked { variant.available.to_string() } else { String::new() },
        variant.weight_grams.to_string(),
        variant.tracked.to_string(),
    ]);
    cells
}

fn moneys(moneys: &[Money]) -> String {
    join(moneys.iter().map(Money::to_string), '|')
}

fn json(value: &impl Serialize, is_empty: bool) -> Result<String> {
    Ok(if is_empty { String::new() } else { serde_json::to_string(value)? })
}

fn word(status: ProductStatus) -> String {
    match status {
        ProductStatus::Draft => "draft",
        ProductStatus::Published => "published",
        ProductStatus::Archived => "archived",
    }
    .to_owned()
}

fn order_cells(order: &Order) -> Result<Vec<String>> {
    let state = |value: serde_json::Result<serde_json::Value>| {
        Ok::<_, Error>(value?.as_str().unwrap_or_default().to_owned())
    };
    let address = &order.shipping_address;
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut cells = vec![
        order.number.clone(),
        order.id.to_string(),
        order.placed_at.map(|at| at.to_string()).unwrap_or_default(),
        state(serde_json::to_value(order.status))?,
        state(serde_json::to_value(order.payment_status))?,
        state(serde_json::to_value(order.fulfillment_status))?,
        order.email.to_string(),
        order.customer_id.map(|id| id.to_string()).unwrap_or_default(),
        address.name.clone(),
        optional(&address.company),
        address.line1.clone(),
        optional(&address.line2),
        address.city.clone(),
        optional(&address.region),
        address.postal_code.clone(),
        address.country.to_string(),
        optional(&address.phone),
        order.shipping.name.clone(),
        join(order.discounts.iter().filter_map(|discount| discount.code.as_ref()), '|'),
        order.currency.to_string(),
    ];
    let totals = [
        order.subtotal,
        order.discount_total,
        order.shipping_total,
        order.tax_total,
        order.total,
        order.captured_total,
        order.refunded_total,
    ];
    cells.extend(totals.map(amount));
    Ok(cells)
}

fn order_continuation(order: &Order) -> Vec<String> {
    let mut cells = vec![String::new(); 27];
    cells[0].clone_from(&order.number);
    cells
}

fn line_cells(OrderLine { line, .. }: &OrderLine) -> [String; 7] {
    [
        line.sku.clone(),
        line.title.clone(),
        line.variant_title.clone(),
        line.quantity.to_string(),
        amount(line.unit_price),
        amount(line.discount),
        amount(line.total),
    ]
}

/// Without the currency, which has a column.
fn amount(money: Money) -> String {
    money.to_string().trim_end_matches(|c: char| !c.is_ascii_digit()).to_owned()
}

#[cfg(test)]
mod tests;

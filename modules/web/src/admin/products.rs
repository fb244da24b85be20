//! Products: the list, what can be done to many at once, and the editor.

mod bulk;
mod draft;
mod editor;
mod matrix;

use actix_web::web;
use askama::Template;
use contracts::{
    customer::Permission,
    product::{Product, ProductFilter, ProductStatus},
};
use serde::Deserialize;
use shared::{Money, PageRequest};

pub(super) use draft::words;

use super::places::{self, Place};
use crate::{
    Answer, Page,
    app::{at, get, post},
};

/// As many as the undo of a bulk action can name in a cookie.
const LIMIT: u32 = 25;

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/admin/products", [get(list)]);
    at(config, "/admin/products/bulk", [post(bulk::change)]);
    at(config, "/admin/products/new", [get(editor::show_new), post(editor::create)]);
    at(config, "/admin/products/{id}", [get(editor::show), post(editor::save)]);
    at(config, "/admin/products/{id}/picture", [post(editor::put_back)]);
}

#[derive(Deserialize)]
struct Query {
    #[serde(default)]
    q: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    category: String,
    cursor: Option<String>,
}

/// A product in the list.
struct Row {
    product: Product,
    /// Units that can be sold; none where nothing is counted.
    stock: Option<i64>,
    /// The lowest price in the page's currency, and whether there are higher ones.
    price: Option<(Money, bool)>,
    /// Where it is, by titles.
    categories: Vec<String>,
}

#[derive(Template)]
#[template(path = "admin/products.html")]
struct List<'a> {
    p: &'a Page,
    query: &'a Query,
    rows: Vec<Row>,
    places: &'a [Place],
    next: Option<String>,
}

impl List<'_> {
    /// The saved views: the text's key, and what is asked for.
    fn views(&self) -> [(&'static str, &'static str); 4] {
        [
            ("view-all", ""),
            ("status-published", "published"),
            ("status-draft", "draft"),
            ("status-archived", "archived"),
        ]
    }

    fn is_filtered(&self) -> bool {
        !self.query.q.is_empty() || !self.query.status.is_empty() || !self.query.category.is_empty()
    }
}

async fn list(p: Page, query: web::Query<Query>) -> Answer {
    p.staff(Permission::ProductsRead)?;
    let query = query.0;
    let filter = ProductFilter {
        q: Some(query.q.clone()).filter(|q| !q.trim().is_empty()),
        status: draft::status_of(&query.status),
        category_id: query.category.parse().ok(),
    };
    let page = PageRequest { limit: LIMIT, cursor: query.cursor.clone() };
    let places = places::all(&p).await?;
    let found = p.ports().products.list(filter, page).await?;
    let rows = found.data.into_iter().map(|product| row(&p, &places, product)).collect();
    let next = found.next_cursor.map(|cursor| next(&query, &cursor));
    p.html(&List { p: &p, query: &query, rows, places: &places, next })
}

fn row(p: &Page, places: &[Place], product: Product) -> Row {
    let tracked = product.variants.iter().filter(|variant| variant.tracked);
    let stock = tracked.map(|variant| variant.available).reduce(|sum, available| sum + available);
    let prices = product.variants.iter().flat_map(|variant| &variant.prices);
    let prices: Vec<Money> = prices.filter(|price| price.currency == p.currency).copied().collect();
    let lowest = prices.iter().min_by_key(|price| price.amount).copied();
    let price = lowest.map(|lowest| (lowest, prices.iter().any(|price| price.amount > lowest.amount)));
    let categories = places
        .iter()
        .filter(|place| product.category_ids.contains(&place.category.id))
        .map(|place| place.category.title.clone())
        .collect();
    Row { product, stock, price, categories }
}

fn next(query: &Query, cursor: &str) -> String {
    let Query { q, status, category, .. } = query;
    let pairs = [("q", q.as_str()), ("status", status), ("category", category), ("cursor", cursor)];
    serde_html_form::to_string(pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect::<Vec<_>>())
        .unwrap_or_default()
}

/// The look of a status and the key of its word.
impl Page {
    pub fn product_status(&self, status: &ProductStatus) -> (&'static str, &'static str) {
        match status {
            ProductStatus::Published => ("ok", "status-published"),
            ProductStatus::Draft => ("info", "status-draft"),
            ProductStatus::Archived => ("", "status-archived"),
        }
    }

    /// The look and the word for a number of units.
    pub fn stock_tone(&self, units: &i64) -> &'static str {
        match *units {
            ..1 => "bad",
            few if few <= self.said.few => "warn",
            _ => "ok",
        }
    }
}

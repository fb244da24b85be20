//! The command palette, the list of keys, and the page with every section.

use actix_web::web;
use askama::Template;
use contracts::{
    customer::{Customer, Permission},
    order::{OrderFilter, OrderSummary},
    product::ProductCard,
};
use serde::Deserialize;
use shared::PageRequest;

use super::menu::Entry;
use crate::{
    Answer, Fault, Page,
    app::{at, get},
    storefront::everything,
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/admin/search", [get(search)]);
    at(config, "/admin/keys", [get(keys)]);
    at(config, "/admin/more", [get(more)]);
}

/// What was found, of every kind.
struct Found {
    q: String,
    pages: Vec<&'static Entry>,
    orders: Vec<OrderSummary>,
    products: Vec<ProductCard>,
    customers: Vec<Customer>,
}

#[derive(Template)]
#[template(path = "admin/search.html")]
struct Search<'a> {
    p: &'a Page,
    found: Found,
}

#[derive(Template)]
#[template(path = "admin/palette.html")]
struct Palette<'a> {
    p: &'a Page,
    found: Found,
}

#[derive(Template)]
#[template(path = "admin/keys.html")]
struct Keys<'a> {
    p: &'a Page,
}

#[derive(Template)]
#[template(path = "admin/more.html")]
struct More<'a> {
    p: &'a Page,
}

#[derive(Deserialize)]
struct Typed {
    #[serde(default)]
    q: String,
}

async fn search(p: Page, typed: web::Query<Typed>) -> Answer {
    let q: String = typed.0.q.trim().chars().take(100).collect();
    let found = find(&p, q).await?;
    match p.fragment {
        true => p.html(&Palette { p: &p, found }),
        false => p.html(&Search { p: &p, found }),
    }
}

/// Only what the person may open.
async fn find(p: &Page, q: String) -> Answer<Found> {
    if p.claims.as_ref().is_none_or(|claims| claims.permissions.is_empty()) {
        return Err(Fault::SignIn);
    }
    let word = q.to_lowercase();
    let mut pages = p.admin_menu();
    pages.retain(|entry| p.t(entry.label).to_lowercase().contains(&word));
    let mut found =
        Found { q: q.clone(), pages, orders: Vec::new(), products: Vec::new(), customers: Vec::new() };
    if q.chars().count() < 2 {
        return Ok(found);
    }
    let first = || PageRequest { limit: 5, cursor: None };
    let ports = p.ports();
    if p.may(&Permission::OrdersRead) {
        let filter = OrderFilter { q: Some(q.clone()), ..OrderFilter::default() };
        found.orders = ports.orders.list(filter, first()).await?.data;
    }
    if p.may(&Permission::ProductsRead) {
        let mut query = everything(p, contracts::product::Sort::Relevance, 5);
        query.q = Some(q.clone());
        found.products = ports.products.search(query).await?.data;
    }
    if p.may(&Permission::CustomersRead) {
        found.customers = ports.customers.list(Some(q), first()).await?.data;
    }
    Ok(found)
}

async fn keys(p: Page) -> Answer {
    if p.admin_menu().is_empty() {
        return Err(Fault::SignIn);
    }
    p.html(&Keys { p: &p })
}

async fn more(p: Page) -> Answer {
    if p.admin_menu().is_empty() {
        return Err(Fault::SignIn);
    }
    p.html(&More { p: &p })
}

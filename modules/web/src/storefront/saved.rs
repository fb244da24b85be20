//! What this browser remembers: the wishlist, and what was looked at.

use actix_web::web;
use askama::Template;
use contracts::product::{ProductId, ProductView};
use serde::Deserialize;

use crate::{
    Answer, Page,
    app::{at, get, ids, post},
    cookies::Name,
    forms::OpenPost,
};

/// How many products either list keeps.
const KEPT: usize = 60;
/// How many of those that were looked at are shown.
const SHOWN: usize = 8;

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/wishlist", [get(wishlist), post(wish)]);
    at(config, "/recent", [get(recent)]);
}

#[derive(Template)]
#[template(path = "storefront/wishlist.html")]
struct Wishlist<'a> {
    p: &'a Page,
    products: Vec<ProductView>,
    /// Somebody else's, by a link.
    shared: bool,
    link: String,
}

#[derive(Deserialize)]
struct Shared {
    ids: Option<String>,
}

async fn wishlist(p: Page, query: web::Query<Shared>) -> Answer {
    let shared = query.0.ids.is_some();
    let list: Vec<ProductId> = if shared { ids(query.0.ids.as_deref()) } else { p.wishlist.clone() };
    let products = p.ports().products.views(list.clone(), p.prices()).await?;
    let link = p.absolute(&format!("/wishlist?ids={}", joined(&list)));
    p.html(&Wishlist { p: &p, products, shared, link })
}

#[derive(Deserialize)]
struct Wish {
    product: ProductId,
    #[serde(rename = "do")]
    action: Action,
    to: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Add,
    Remove,
}

async fn wish(p: Page, form: OpenPost<Wish>) -> Answer {
    let Wish { product, action, to } = form.0;
    let mut list = p.wishlist.clone();
    list.retain(|known| *known != product);
    if matches!(action, Action::Add) {
        list.insert(0, product);
    }
    list.truncate(KEPT);
    let mut response = p.back(to.as_deref(), "/wishlist");
    match list.is_empty() {
        true => p.cookies.remove(&mut response, Name::Wishlist),
        false => p.cookies.set(&mut response, Name::Wishlist, joined(&list)),
    }
    Ok(response)
}

#[derive(Template)]
#[template(path = "storefront/recent.html")]
struct Recent<'a> {
    p: &'a Page,
    products: Vec<ProductView>,
}

#[derive(Template)]
#[template(path = "storefront/recent-part.html")]
struct RecentPart<'a> {
    p: &'a Page,
    products: Vec<ProductView>,
}

async fn recent(p: Page) -> Answer {
    let mut list: Vec<ProductId> = ids(p.cookies.get(Name::Recent));
    list.truncate(SHOWN);
    let products = p.ports().products.views(list, p.prices()).await?;
    if p.fragment { p.html(&RecentPart { p: &p, products }) } else { p.html(&Recent { p: &p, products }) }
}

/// The cookie after another look.
pub fn looked_at(p: &Page, product: ProductId) -> String {
    let mut list: Vec<ProductId> = ids(p.cookies.get(Name::Recent));
    list.retain(|known| *known != product);
    list.insert(0, product);
    list.truncate(SHOWN + 1);
    joined(&list)
}

fn joined(list: &[ProductId]) -> String {
    list.iter().map(ToString::to_string).collect::<Vec<_>>().join(".")
}

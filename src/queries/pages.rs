//! Every page that a link leads to, of the storefront and of the admin.

use std::collections::{BTreeSet, VecDeque};

use shared::Result;

use super::tour::{Sights, text};
use crate::demo;

/// Pages of a kind that are opened: those after them ask for the same.
const MOST: usize = 400;

/// Opens pages as the owner of the shop, who may see all of them.
pub async fn crawl(sights: &Sights) -> Result<()> {
    let browser = sights.guest.other();
    let (email, password) = demo::OWNER;
    browser.submit("/admin/sign-in", &[("email", email), ("password", password)]).await?;
    let product = text(&sights.products[0]["slug"]).to_owned();
    let order = text(&sights.order["id"]);
    let mut queue: VecDeque<String> =
        ["/", "/admin", "/account", "/sitemap.xml", "/feed.xml", "/journal.xml"]
            .map(str::to_owned)
            .into_iter()
            .chain([
                format!("/products/{product}"),
                format!("/products/{product}/reviews?sort=helpful"),
                format!("/admin/orders/{order}"),
                format!("/admin/orders/{order}/packing-slip"),
                "/search?q=mug".to_owned(),
                "/search/suggest?q=mu".to_owned(),
                "/admin/search?q=mug".to_owned(),
                "/recommendations/for-you".to_owned(),
                "/recommendations/cart".to_owned(),
                "/sitemaps/products.xml".to_owned(),
                "/sitemaps/categories.xml".to_owned(),
                "/wishlist".to_owned(),
                "/recent".to_owned(),
            ])
            .collect();
    let mut seen = BTreeSet::new();
    while let Some(path) = queue.pop_front() {
        if seen.len() >= MOST || !seen.insert(kind(&path)) {
            continue;
        }
        let page = browser.open(&path).await?;
        queue.extend(page.location.filter(|to| to.starts_with('/')));
        queue.extend(links(&page.text));
    }
    Ok(())
}

/// The links of a page that stay in the shop and only read.
fn links(page: &str) -> Vec<String> {
    let targets = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let ours = targets.filter(|to| to.starts_with('/') && !to.starts_with("//"));
    let pages =
        ours.filter(|to| !["/assets/", "/media/", "/de", "/api/"].iter().any(|other| to.starts_with(other)));
    pages.map(|to| to.split('#').next().unwrap_or(to).replace("&amp;", "&").replace("&#38;", "&")).collect()
}

/// What pages have in common that ask the same of the databases: ids and names in the path are left out, and so are the
/// values of the query except the words of its choices.
fn kind(path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let parts: Vec<&str> = path.split('/').collect();
    let is_name = |place: usize, part: &str| {
        part.contains('_')
            || part.len() > 20
            || (place == 2 && ["products", "categories", "pages", "journal"].contains(&parts[1]))
    };
    let path: Vec<&str> =
        parts.iter().enumerate().map(|(place, part)| if is_name(place, part) { "*" } else { part }).collect();
    let mut query: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, value))
                if ["status", "sort", "kind", "payment", "fulfilment", "tab"].contains(&name) =>
            {
                format!("{name}={value}")
            }
            Some((name, _)) => name.to_owned(),
            None => pair.to_owned(),
        })
        .collect();
    query.sort();
    query.dedup();
    format!("{}?{}", path.join("/"), query.join("&"))
}

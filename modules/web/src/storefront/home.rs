//! The home page.

use actix_web::{HttpRequest, web};
use askama::Template;
use contracts::product::{Image, ProductCard, SearchQuery, Sort};

use super::{best_sellers, everything, seo};
use crate::{
    Answer, Page,
    app::{at, get},
    locale::Locale,
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/", [get(home)]);
    // The root of a language with a prefix.
    at(config, "", [get(home)]);
}

#[derive(Template)]
#[template(path = "storefront/home.html")]
struct Home<'a> {
    p: &'a Page,
    hero: Option<Image>,
    best: Vec<ProductCard>,
    new: Vec<ProductCard>,
    schema: String,
}

async fn home(p: Page, request: HttpRequest) -> Answer {
    let accepted = request.headers().get("accept-language").and_then(|value| value.to_str().ok());
    let preferred = Locale::preferred(accepted.unwrap_or_default());
    if p.locale != preferred && p.locale == Locale::En && p.preferences.language.is_none() {
        return Ok(p.redirect(&p.in_language(&preferred)));
    }
    p.public(&request, async |p| {
        let best = best_sellers(p, 8).await?;
        let newest = SearchQuery { in_stock: Some(true), ..everything(p, Sort::Newest, 4) };
        let new = p.ports().products.search(newest).await?.data;
        // The first category with a banner lends it to the top of the page.
        let hero = p.nav.iter().find_map(|node| node.category.image.clone());
        let schema = seo::shop(p);
        let tags = vec!["products".to_owned(), "lists".to_owned()];
        Ok((Home { p, hero, best, new, schema }.render()?, tags))
    })
    .await
}

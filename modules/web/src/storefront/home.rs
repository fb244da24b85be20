//! The home page.

use actix_web::{HttpRequest, web};
use askama::Template;

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
}

async fn home(p: Page, request: HttpRequest) -> Answer {
    let accepted = request.headers().get("accept-language").and_then(|value| value.to_str().ok());
    let preferred = Locale::preferred(accepted.unwrap_or_default());
    if p.locale != preferred && p.locale == Locale::En && p.preferences.language.is_none() {
        return Ok(p.redirect(&p.in_language(&preferred)));
    }
    p.public(&request, async |p| Ok((Home { p }.render()?, vec!["products".to_owned(), "lists".to_owned()])))
        .await
}

//! Language, currency and theme.

use actix_web::web;
use serde::Deserialize;
use shared::Currency;

use crate::{
    Answer, Page,
    app::{at, post},
    cookies::Name,
    forms::OpenPost,
    page::Theme,
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/preferences", [post(choose)]);
}

#[derive(Deserialize)]
struct Choice {
    theme: Option<Theme>,
    currency: Option<Currency>,
    to: Option<String>,
}

async fn choose(p: Page, form: OpenPost<Choice>) -> Answer {
    let Choice { theme, currency, to } = form.0;
    let mut preferences = p.preferences.clone();
    preferences.theme = theme.unwrap_or(preferences.theme);
    preferences.currency =
        currency.filter(|currency| p.currencies().contains(currency)).or(preferences.currency);
    preferences.language = Some(p.locale.code().to_owned());
    let mut response = p.back(to.as_deref(), "/");
    p.cookies.set_json(&mut response, Name::Preferences, &preferences);
    Ok(response)
}

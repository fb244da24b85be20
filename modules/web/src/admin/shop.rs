//! What is set for the shop. It comes from the configuration, so that it is shown and cannot be changed here.

use actix_web::web;
use askama::Template;
use contracts::customer::Permission;

use crate::{
    Answer, Page,
    app::{at, get},
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/admin/settings", [get(show)]);
}

/// Settings that belong together: the keys of the names, and the values.
struct Group {
    title: &'static str,
    settings: Vec<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "admin/settings.html")]
struct Shown<'a> {
    p: &'a Page,
    groups: Vec<Group>,
}

async fn show(p: Page) -> Answer {
    p.staff(Permission::SettingsRead)?;
    let groups = groups(&p);
    p.html(&Shown { p: &p, groups })
}

fn groups(p: &Page) -> Vec<Group> {
    let settings = &p.state.settings;
    let shop = &settings.shop;
    let currencies: Vec<&str> = shop.currencies.iter().map(|currency| currency.code()).collect();
    let languages: Vec<&str> = p.languages().iter().map(|language| language.name()).collect();
    let mode = if settings.development { "mode-development" } else { "mode-production" };
    vec![
        Group {
            title: "settings-shop",
            settings: vec![
                ("setting-name", shop.name.clone()),
                ("setting-address", settings.public_url.clone()),
                ("setting-country", p.country_name(shop.default_country.code())),
            ],
        },
        Group {
            title: "settings-money",
            settings: vec![
                ("setting-currencies", currencies.join(", ")),
                ("setting-languages", languages.join(", ")),
                ("setting-time-zone", settings.time_zone.name().to_owned()),
            ],
        },
        Group { title: "settings-machinery", settings: vec![("setting-mode", p.t(mode))] },
    ]
}

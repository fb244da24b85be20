//! Shipping zones: their countries, methods and prices.

mod zone;

use actix_web::{http::StatusCode, web};
use askama::Template;
use contracts::{
    customer::Permission,
    shipping::{Method, Zone, ZoneId},
};

use super::conflict::{Difference, differences, print};
use crate::{
    Answer, Page,
    app::{at, get, post},
    forms::{Empty, Fields, Post},
    page::Undo,
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/admin/shipping", [get(list)]);
    at(config, "/admin/shipping/new", [get(show_new), post(create)]);
    at(config, "/admin/shipping/{id}", [get(show), post(save)]);
    at(config, "/admin/shipping/{id}/delete", [post(delete)]);
}

#[derive(Template)]
#[template(path = "admin/shipping.html")]
struct List<'a> {
    p: &'a Page,
    zones: Vec<Zone>,
}

impl List<'_> {
    fn countries(&self, zone: &Zone) -> String {
        zone.countries.iter().map(|c| self.p.country_name(c.code())).collect::<Vec<_>>().join(", ")
    }

    /// The lowest price of each currency.
    fn prices(&self, method: &Method) -> String {
        let mut lowest: Vec<shared::Money> = Vec::new();
        for tier in &method.tiers {
            match lowest.iter_mut().find(|price| price.currency == tier.price.currency) {
                Some(price) => price.amount = price.amount.min(tier.price.amount),
                None => lowest.push(tier.price),
            }
        }
        lowest.iter().map(|price| self.p.money(price)).collect::<Vec<_>>().join(", ")
    }
}

async fn list(p: Page) -> Answer {
    p.staff(Permission::SettingsRead)?;
    let zones = p.ports().shipping.zones().await?;
    p.html(&List { p: &p, zones })
}

#[derive(Template)]
#[template(path = "admin/zone.html")]
struct Editor<'a> {
    p: &'a Page,
    f: Fields,
    zone: Option<&'a Zone>,
    conflict: Vec<Difference>,
}

impl Editor<'_> {
    fn methods(&self) -> std::ops::Range<usize> {
        zone::methods(&self.f)
    }

    fn tiers(&self, n: &usize) -> std::ops::Range<usize> {
        zone::tiers(&self.f, *n)
    }

    fn field(&self, n: &usize, name: &str) -> String {
        format!("m{n}-{name}")
    }

    fn tier(&self, n: &usize, k: &usize, name: &str) -> String {
        format!("m{n}-tier_{name}.{k}")
    }

    fn free(&self, n: &usize, currency: &shared::Currency) -> String {
        format!("m{n}-free.{currency}")
    }

    fn free_label(&self, currency: &shared::Currency) -> String {
        format!("{} {currency}", self.p.t("label-free"))
    }

    /// The countries in words, as they are saved.
    fn names(&self) -> String {
        let countries = self.zone.map_or(&[][..], |zone| &zone.countries);
        countries.iter().map(|c| self.p.country_name(c.code())).collect::<Vec<_>>().join(", ")
    }
}

async fn zones(p: &Page, id: &str) -> Answer<(Vec<Zone>, usize)> {
    let zones = p.ports().shipping.zones().await?;
    let at = zones.iter().position(|zone| zone.id.to_string() == id).ok_or_else(ZoneId::not_found)?;
    Ok((zones, at))
}

async fn show_new(p: Page) -> Answer {
    p.staff(Permission::SettingsWrite)?;
    p.html(&Editor { p: &p, f: Fields::default(), zone: None, conflict: Vec::new() })
}

async fn show(p: Page, id: web::Path<String>) -> Answer {
    p.staff(Permission::SettingsRead)?;
    let (zones, at) = zones(&p, &id).await?;
    let zone = &zones[at];
    p.html(&Editor { p: &p, f: zone::filled(&p, zone), zone: Some(zone), conflict: Vec::new() })
}

async fn create(p: Page, form: Post<Fields>) -> Answer {
    p.staff(Permission::SettingsWrite)?;
    let mut f = form.0;
    let wanted = zone::read(&p, &mut f);
    if !f.failed() {
        match p.ports().shipping.create_zone(wanted).await {
            Ok(zone) => return Ok(saved(&p, &zone)),
            Err(error) => zone::refuse(&p, &mut f, &error),
        }
    }
    p.html_as(StatusCode::UNPROCESSABLE_ENTITY, &Editor { p: &p, f, zone: None, conflict: Vec::new() })
}

async fn save(p: Page, id: web::Path<String>, form: Post<Fields>) -> Answer {
    p.staff(Permission::SettingsWrite)?;
    let (zones, at) = zones(&p, &id).await?;
    let zone = &zones[at];
    let mut f = form.0;
    let wanted = zone::read(&p, &mut f);
    if !f.failed() && f.value("version") != print(zone) {
        let differences = differences(&p, &zone::filled(&p, zone), &f, |_, value| value.to_owned());
        f.set("version", print(zone));
        return p
            .html_as(StatusCode::CONFLICT, &Editor { p: &p, f, zone: Some(zone), conflict: differences });
    }
    if !f.failed() {
        match p.ports().shipping.update_zone(zone.id, wanted).await {
            Ok(zone) => return Ok(saved(&p, &zone)),
            Err(error) => zone::refuse(&p, &mut f, &error),
        }
    }
    p.html_as(StatusCode::UNPROCESSABLE_ENTITY, &Editor { p: &p, f, zone: Some(zone), conflict: Vec::new() })
}

fn saved(p: &Page, zone: &Zone) -> actix_web::HttpResponse {
    let mut response = p.see_other(&format!("/admin/shipping/{}", zone.id));
    p.notify(&mut response, "ok", p.t("saved"));
    response
}

/// Gone at once, with a way back: the methods keep their ids.
async fn delete(p: Page, id: web::Path<String>, _: Post<Empty>) -> Answer {
    p.staff(Permission::SettingsWrite)?;
    let (zones, at) = zones(&p, &id).await?;
    let zone = &zones[at];
    let fields = zone::filled(&p, zone);
    p.ports().shipping.delete_zone(zone.id).await?;
    let undo = Undo {
        action: p.link("/admin/shipping/new"),
        label: p.t("undo"),
        fields: fields
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    };
    let mut response = p.see_other("/admin/shipping");
    p.notify_undoable(&mut response, "info", p.text("zone-deleted").arg("name", &zone.name), Some(undo));
    Ok(response)
}

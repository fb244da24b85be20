//! Tax rates: one table, and one form that adds or replaces a rate.

use actix_web::{http::StatusCode, web};
use askama::Template;
use contracts::{
    cart::{NewTaxRate, TaxRate, TaxRateId},
    customer::Permission,
};
use serde::Deserialize;
use shared::values::Country;

use crate::{
    Answer, Page,
    app::{at, get, post},
    forms::{Empty, Fields, Post},
    page::Undo,
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/admin/taxes", [get(list), post(put)]);
    at(config, "/admin/taxes/{id}/delete", [post(delete)]);
}

#[derive(Template)]
#[template(path = "admin/taxes.html")]
struct List<'a> {
    p: &'a Page,
    f: Fields,
    rates: Vec<TaxRate>,
}

impl Page {
    /// `19` or `5.5`: a rate in percent, as it is typed.
    pub fn tax_percent(&self, basis_points: &i64) -> String {
        let (whole, rest) = (basis_points / 100, basis_points % 100);
        let text = format!("{whole}.{rest:02}");
        self.formats_decimal(text.trim_end_matches('0').trim_end_matches('.'))
    }

    fn formats_decimal(&self, text: &str) -> String {
        if self.locale == crate::locale::Locale::De { text.replace('.', ",") } else { text.to_owned() }
    }
}

#[derive(Deserialize)]
struct Asked {
    /// The rate that the form begins with.
    edit: Option<String>,
}

async fn list(p: Page, asked: web::Query<Asked>) -> Answer {
    p.staff(Permission::SettingsRead)?;
    let rates = rates(&p).await?;
    let chosen = asked.0.edit.and_then(|id| rates.iter().find(|rate| rate.id.to_string() == id));
    let f = match chosen {
        Some(rate) => filled(&p, rate),
        None => Fields::default().with("tax_class", "standard").with("included", "on"),
    };
    p.html(&List { p: &p, f, rates })
}

async fn rates(p: &Page) -> Answer<Vec<TaxRate>> {
    let mut rates = p.ports().carts.tax_rates().await?;
    rates.sort_by_key(|TaxRate { rate, .. }| {
        (p.country_name(rate.country.code()), rate.region.clone(), -rate.rate_basis_points)
    });
    Ok(rates)
}

fn filled(p: &Page, rate: &TaxRate) -> Fields {
    let rate = &rate.rate;
    let f = Fields::default()
        .with("country", rate.country.code())
        .with("region", rate.region.as_deref().unwrap_or_default())
        .with("tax_class", &rate.tax_class)
        .with("name", &rate.name)
        .with("rate", p.tax_percent(&rate.rate_basis_points));
    if rate.included { f.with("included", "on") } else { f }
}

async fn put(p: Page, form: Post<Fields>) -> Answer {
    p.staff(Permission::SettingsWrite)?;
    let mut f = form.0;
    let code = f.required(&p, "country");
    let country = code.to_uppercase().parse::<Country>();
    if country.is_err() {
        f.fail("country", p.text("error-no-country").arg("code", &code).to_string());
    }
    f.required(&p, "rate");
    // A percentage has two places, as an amount in euros has.
    let rate = f.money(&p, "rate", shared::Currency::EUR).map_or(0, |percent| percent.amount);
    let wanted = country.ok().map(|country| NewTaxRate {
        country,
        region: f.given("region").map(ToOwned::to_owned),
        tax_class: f.value("tax_class").to_owned(),
        name: f.value("name").to_owned(),
        rate_basis_points: rate,
        included: f.ticked("included"),
    });
    for name in ["tax_class", "name"] {
        f.required(&p, name);
    }
    if let Some(wanted) = wanted.filter(|_| !f.failed()) {
        match p.ports().carts.put_tax_rate(wanted).await {
            Ok(_) => {
                let mut response = p.see_other("/admin/taxes");
                p.notify(&mut response, "ok", p.t("saved"));
                return Ok(response);
            }
            Err(error) => refuse(&p, &mut f, &error),
        }
    }
    let rates = rates(&p).await?;
    p.html_as(StatusCode::UNPROCESSABLE_ENTITY, &List { p: &p, f, rates })
}

fn refuse(p: &Page, f: &mut Fields, error: &shared::Error) {
    match error.fields.first() {
        Some(field) if field.pointer == "/rate_basis_points" => {
            f.fail("rate", p.error(&field.code, &field.detail))
        }
        _ => f.refuse(p, error),
    }
}

/// Gone at once, with a way back.
async fn delete(p: Page, id: web::Path<String>, _: Post<Empty>) -> Answer {
    p.staff(Permission::SettingsWrite)?;
    let rates = rates(&p).await?;
    let rate = rates.iter().find(|rate| rate.id.to_string() == *id).ok_or_else(TaxRateId::not_found)?;
    p.ports().carts.delete_tax_rate(rate.id).await?;
    let undo = Undo {
        action: p.link("/admin/taxes"),
        label: p.t("undo"),
        fields: filled(&p, rate).iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
    };
    let mut response = p.see_other("/admin/taxes");
    p.notify_undoable(&mut response, "info", p.text("tax-deleted").arg("name", &rate.rate.name), Some(undo));
    Ok(response)
}

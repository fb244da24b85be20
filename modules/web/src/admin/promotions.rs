//! Promotions: the list, and the editor of one with what it applies to.

mod terms;

use actix_web::{http::StatusCode, web};
use askama::Template;
use contracts::{
    cart::{Promotion, PromotionId, PromotionKind},
    customer::Permission,
};
use serde::Deserialize;
use shared::PageRequest;

use super::{
    conflict::{Difference, differences, stale},
    places::{self, Place},
};
use crate::{
    Answer, Page,
    app::{at, get, post},
    forms::{Empty, Fields, Post},
    page::Undo,
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/admin/promotions", [get(list)]);
    at(config, "/admin/promotions/new", [get(show_new), post(create)]);
    at(config, "/admin/promotions/{id}", [get(show), post(save)]);
    at(config, "/admin/promotions/{id}/switch", [post(switch)]);
    at(config, "/admin/promotions/{id}/delete", [post(delete)]);
}

#[derive(Deserialize)]
struct Asked {
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/promotions.html")]
struct List<'a> {
    p: &'a Page,
    promotions: Vec<Promotion>,
    more: Option<String>,
}

impl Page {
    /// Whether an offer is at work: the look and the word.
    pub fn promotion_state(&self, promotion: &Promotion) -> (&'static str, String) {
        let terms = &promotion.terms;
        let (tone, key) = if !terms.enabled {
            ("", "promotion-off")
        } else if terms.ends_at.is_some_and(|end| end <= self.now) {
            ("", "promotion-ended")
        } else if terms.starts_at.is_some_and(|start| start > self.now) {
            ("info", "promotion-scheduled")
        } else if terms.usage_limit.is_some_and(|limit| promotion.used >= limit) {
            ("warn", "promotion-used-up")
        } else {
            ("ok", "promotion-active")
        };
        (tone, self.t(key))
    }

    /// What an offer takes off, in words.
    pub fn promotion_offer(&self, promotion: &Promotion) -> String {
        let terms = &promotion.terms;
        match terms.kind {
            PromotionKind::Percentage => {
                self.text("offer-percentage").number("value", terms.value).to_string()
            }
            PromotionKind::Fixed => {
                let currency = terms.currency.unwrap_or(self.currencies()[0]);
                let amount = self.price(&shared::Money { amount: terms.value, currency });
                self.text("offer-fixed").arg("amount", amount).to_string()
            }
            PromotionKind::FreeShipping => self.t("offer-free-shipping"),
            PromotionKind::BuyXGetY => self
                .text("offer-buy-get")
                .number("buy", terms.buy_quantity.unwrap_or(1))
                .number("get", terms.get_quantity.unwrap_or(1))
                .number("value", terms.value)
                .to_string(),
        }
    }
}

async fn list(p: Page, asked: web::Query<Asked>) -> Answer {
    p.staff(Permission::PromotionsRead)?;
    let page = PageRequest { limit: 50, cursor: asked.0.cursor };
    let found = p.ports().carts.promotions(page).await?;
    let more = found.next_cursor.map(|cursor| format!("cursor={cursor}"));
    p.html(&List { p: &p, promotions: found.data, more })
}

#[derive(Template)]
#[template(path = "admin/promotion.html")]
struct Editor<'a> {
    p: &'a Page,
    f: Fields,
    promotion: Option<&'a Promotion>,
    places: Vec<Place>,
    conflict: Vec<Difference>,
    /// How many products of the shop it applies to.
    reach: u64,
}

impl Editor<'_> {
    fn kind_key(&self, kind: &str) -> String {
        format!("kind-{}", kind.replace('_', "-"))
    }
}

async fn page(
    p: &Page,
    status: StatusCode,
    f: Fields,
    promotion: Option<&Promotion>,
    conflict: Vec<Difference>,
) -> Answer {
    let (places, reach) = (places::all(p).await?, terms::reach(p, &f).await?);
    p.html_as(status, &Editor { p, f, promotion, places, conflict, reach })
}

async fn find(p: &Page, id: &str) -> Answer<Promotion> {
    let id: PromotionId = id.parse().map_err(|_| PromotionId::not_found())?;
    Ok(p.ports().carts.promotion(id).await?)
}

async fn show_new(p: Page) -> Answer {
    p.staff(Permission::PromotionsWrite)?;
    let f = Fields::default()
        .with("kind", "percentage")
        .with("currency", p.currencies()[0])
        .with("enabled", "on");
    page(&p, StatusCode::OK, f, None, Vec::new()).await
}

async fn show(p: Page, id: web::Path<String>) -> Answer {
    p.staff(Permission::PromotionsRead)?;
    let promotion = find(&p, &id).await?;
    let f = terms::filled(&p, &promotion).await?;
    page(&p, StatusCode::OK, f, Some(&promotion), Vec::new()).await
}

async fn create(p: Page, form: Post<Fields>) -> Answer {
    p.staff(Permission::PromotionsWrite)?;
    let mut f = form.0;
    if f.value("do") == "preview" {
        return page(&p, StatusCode::OK, f, None, Vec::new()).await;
    }
    let wanted = terms::read(&p, &mut f).await?;
    if !f.failed() {
        match p.ports().carts.create_promotion(wanted).await {
            Ok(promotion) => return saved(&p, &promotion),
            Err(error) => terms::refuse(&p, &mut f, &error),
        }
    }
    page(&p, StatusCode::UNPROCESSABLE_ENTITY, f, None, Vec::new()).await
}

async fn save(p: Page, id: web::Path<String>, form: Post<Fields>) -> Answer {
    p.staff(Permission::PromotionsWrite)?;
    let promotion = find(&p, &id).await?;
    let mut f = form.0;
    if f.value("do") == "preview" {
        return page(&p, StatusCode::OK, f, Some(&promotion), Vec::new()).await;
    }
    let wanted = terms::read(&p, &mut f).await?;
    let version = Some(f.value("version").parse().unwrap_or(0));
    if !f.failed() {
        match p.ports().carts.update_promotion(promotion.id, wanted, version).await {
            Ok(promotion) => return saved(&p, &promotion),
            Err(error) if stale(&error) => return conflict(&p, f, &promotion).await,
            Err(error) => terms::refuse(&p, &mut f, &error),
        }
    }
    page(&p, StatusCode::UNPROCESSABLE_ENTITY, f, Some(&promotion), Vec::new()).await
}

async fn conflict(p: &Page, mut f: Fields, promotion: &Promotion) -> Answer {
    let theirs = terms::filled(p, promotion).await?;
    let places = places::all(p).await?;
    let show = |name: &str, value: &str| match name {
        "category" => places
            .iter()
            .find(|place| place.category.id.to_string() == value)
            .map_or_else(|| value.to_owned(), |place| place.path.clone()),
        "kind" => p.t(&format!("kind-{}", value.replace('_', "-"))),
        _ => value.to_owned(),
    };
    let differences = differences(p, &theirs, &f, show);
    f.set("version", promotion.version);
    page(p, StatusCode::CONFLICT, f, Some(promotion), differences).await
}

fn saved(p: &Page, promotion: &Promotion) -> Answer {
    let mut response = p.see_other(&format!("/admin/promotions/{}", promotion.id));
    p.notify(&mut response, "ok", p.t("saved"));
    Ok(response)
}

/// On or off at once; the same button takes it back.
async fn switch(p: Page, id: web::Path<String>, form: Post<Fields>) -> Answer {
    p.staff(Permission::PromotionsWrite)?;
    let promotion = find(&p, &id).await?;
    let mut wanted = promotion.terms;
    wanted.enabled = form.0.value("to") == "on";
    let key = if wanted.enabled { "promotion-switched-on" } else { "promotion-switched-off" };
    let back = if wanted.enabled { "off" } else { "on" };
    let version = Some(promotion.version);
    let promotion = p.ports().carts.update_promotion(promotion.id, wanted, version).await?;
    let undo = Undo {
        action: p.link(&format!("/admin/promotions/{}/switch", promotion.id)),
        label: p.t("undo"),
        fields: vec![("to".to_owned(), back.to_owned())],
    };
    let mut response = p.see_other("/admin/promotions");
    p.notify_undoable(&mut response, "ok", p.t(key), Some(undo));
    Ok(response)
}

/// One that orders hold is only switched off: they name it.
async fn delete(p: Page, id: web::Path<String>, _: Post<Empty>) -> Answer {
    p.staff(Permission::PromotionsWrite)?;
    let promotion = find(&p, &id).await?;
    if promotion.used > 0 {
        let mut response = p.see_other(&format!("/admin/promotions/{}", promotion.id));
        p.notify(&mut response, "bad", p.t("promotion-is-used"));
        return Ok(response);
    }
    let fields = terms::filled(&p, &promotion).await?;
    p.ports().carts.delete_promotion(promotion.id).await?;
    let undo = Undo {
        action: p.link("/admin/promotions/new"),
        label: p.t("undo"),
        fields: fields.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
    };
    let mut response = p.see_other("/admin/promotions");
    p.notify_undoable(&mut response, "info", p.t("promotion-deleted"), Some(undo));
    Ok(response)
}

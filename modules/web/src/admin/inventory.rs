//! Stock: what lies where, adjustments, and the ledger of a variant.

use actix_web::{http::StatusCode, web};
use askama::Template;
use contracts::{
    Actor,
    customer::Permission,
    product::{
        ProductId, VariantId,
        stock::{Adjustment, Level, LevelFilter, Location, LocationId, Movement, MovementId, NewLocation},
    },
};
use serde::{Deserialize, Serialize};
use shared::PageRequest;

use crate::{
    Answer, Page,
    app::{at, get, post},
    forms::{Fields, Post},
    page::Undo,
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/admin/inventory", [get(list)]);
    at(config, "/admin/inventory/locations", [post(add_location)]);
    at(config, "/admin/inventory/{variant}", [get(show), post(adjust)]);
}

/// What the toolbar holds.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default)]
struct Asked {
    q: String,
    location: String,
    low: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/inventory.html")]
struct List<'a> {
    p: &'a Page,
    f: Fields,
    asked: Asked,
    levels: Vec<Level>,
    locations: Vec<Location>,
    more: Option<String>,
}

impl List<'_> {
    fn place(&self, level: &Level) -> &str {
        name_of(&self.locations, &level.location_id)
    }
}

fn name_of<'a>(locations: &'a [Location], id: &LocationId) -> &'a str {
    locations.iter().find(|location| location.id == *id).map_or("", |location| &location.name)
}

async fn list(p: Page, asked: web::Query<Asked>) -> Answer {
    p.staff(Permission::InventoryRead)?;
    page(&p, StatusCode::OK, asked.0, Fields::default()).await
}

async fn page(p: &Page, status: StatusCode, mut asked: Asked, f: Fields) -> Answer {
    let filter = LevelFilter {
        variant_ids: Vec::new(),
        location_id: asked.location.parse().ok(),
        below: (!asked.low.is_empty()).then_some(p.said.few + 1),
        q: Some(asked.q.clone()).filter(|q| !q.trim().is_empty()),
    };
    let page = PageRequest { limit: 50, cursor: asked.cursor.take() };
    let found = p.ports().stock.levels(filter, page).await?;
    let locations = p.ports().stock.locations().await?;
    let more = found.next_cursor.map(|cursor| {
        let next = Asked { cursor: Some(cursor), ..asked.clone() };
        serde_html_form::to_string(next).unwrap_or_default()
    });
    p.html_as(status, &List { p, f, asked, levels: found.data, locations, more })
}

async fn add_location(p: Page, form: Post<Fields>) -> Answer {
    p.staff(Permission::InventoryWrite)?;
    let mut f = form.0;
    let new = NewLocation {
        name: f.required(&p, "name"),
        priority: i32::try_from(f.count(&p, "priority").unwrap_or(0)).unwrap_or(i32::MAX),
    };
    if !f.failed() {
        match p.ports().stock.create_location(new).await {
            Ok(_) => {
                let mut response = p.see_other("/admin/inventory");
                p.notify(&mut response, "ok", p.t("location-added"));
                return Ok(response);
            }
            Err(error) => f.refuse(&p, &error),
        }
    }
    page(&p, StatusCode::UNPROCESSABLE_ENTITY, Asked::default(), f).await
}

#[derive(Template)]
#[template(path = "admin/stock.html")]
struct Item<'a> {
    p: &'a Page,
    f: Fields,
    title: String,
    product: ProductId,
    levels: Vec<Level>,
    locations: Vec<Location>,
    movements: Vec<Movement>,
    more: Option<String>,
}

impl Item<'_> {
    fn place(&self, id: &LocationId) -> &str {
        name_of(&self.locations, id)
    }

    /// What kind of movement it was, in words; an adjustment says so by its reason.
    fn kind(&self, movement: &Movement) -> String {
        match movement.kind.as_str() {
            "initial" => self.p.t("movement-initial"),
            "sale" => self.p.t("movement-sale"),
            "restock" => self.p.t("movement-restock"),
            _ => self.p.t("movement-adjustment"),
        }
    }

    /// Who did it.
    fn who(&self, actor: &Actor) -> String {
        self.p.t(match actor {
            Actor::Staff(id) if self.p.claims.as_ref().is_some_and(|claims| claims.sub == *id) => "actor-you",
            Actor::Staff(_) => "actor-staff",
            Actor::Customer(_) | Actor::Guest => "actor-customer",
            Actor::Provider => "actor-provider",
            Actor::System => "actor-system",
        })
    }

    /// `+5` or `−5`.
    fn signed(&self, delta: &i64) -> String {
        let sign = if *delta < 0 { "−" } else { "+" };
        format!("{sign}{}", self.p.number(delta.abs()))
    }
}

#[derive(Deserialize)]
struct Of {
    /// Names the product of a variant that has never been in stock.
    product: Option<String>,
    cursor: Option<String>,
}

async fn show(p: Page, variant: web::Path<String>, of: web::Query<Of>) -> Answer {
    p.staff(Permission::InventoryRead)?;
    let f = Fields::default().with("key", MovementId::new());
    item(&p, StatusCode::OK, &variant, of.0, f).await
}

async fn item(p: &Page, status: StatusCode, variant: &str, of: Of, f: Fields) -> Answer {
    let variant: VariantId = variant.parse().map_err(|_| VariantId::not_found())?;
    let stock = &p.ports().stock;
    let filter = LevelFilter { variant_ids: vec![variant], ..LevelFilter::default() };
    let levels = stock.levels(filter, PageRequest { limit: 100, cursor: None }).await?.data;
    let (title, product) = match levels.first() {
        Some(level) => (level.title.clone(), level.product_id),
        None => {
            let id: Option<ProductId> = of.product.and_then(|id| id.parse().ok());
            let product = p.ports().products.find(id.ok_or_else(VariantId::not_found)?).await?;
            let found = product.variants.iter().find(|known| known.id == variant);
            let found = found.ok_or_else(VariantId::not_found)?;
            (format!("{} – {}", product.title, found.sku), product.id)
        }
    };
    let page = stock.movements(variant, PageRequest { limit: 30, cursor: of.cursor }).await?;
    let locations = stock.locations().await?;
    let (movements, more) = (page.data, page.next_cursor);
    p.html_as(status, &Item { p, f, title, product, levels, locations, movements, more })
}

async fn adjust(p: Page, variant: web::Path<String>, of: web::Query<Of>, form: Post<Fields>) -> Answer {
    let actor = p.staff(Permission::InventoryWrite)?;
    let mut f = form.0;
    let variant_id: VariantId = variant.parse().map_err(|_| VariantId::not_found())?;
    // The form's own id: sending it twice moves the goods once.
    let id: Option<MovementId> = f.value("key").parse().ok();
    f.required(&p, "delta");
    let delta = f.change(&p, "delta").unwrap_or(0);
    let reason = f.required(&p, "reason");
    let location_id: Option<LocationId> = f.value("location").parse().ok();
    if let Some(id) = id.filter(|_| !f.failed()) {
        let adjustment = Adjustment { id, variant_id, location_id, delta, reason, actor };
        match p.ports().stock.adjust(adjustment).await {
            Ok(level) => return Ok(adjusted(&p, &level, delta)),
            Err(error) => f.refuse(&p, &error),
        }
    }
    item(&p, StatusCode::UNPROCESSABLE_ENTITY, &variant, of.0, f).await
}

/// Says what is there now, with a way back: the opposite movement.
fn adjusted(p: &Page, level: &Level, delta: i64) -> actix_web::HttpResponse {
    let path = format!("/admin/inventory/{}", level.variant_id);
    let fields = [
        ("key", MovementId::new().to_string()),
        ("delta", (-delta).to_string()),
        ("location", level.location_id.to_string()),
        ("reason", p.t("undo")),
    ];
    let undo = Undo {
        action: p.link(&path),
        label: p.t("undo"),
        fields: fields.map(|(name, value)| (name.to_owned(), value)).into(),
    };
    let mut response = p.see_other(&path);
    let text = p.text("stock-adjusted").number("count", level.on_hand);
    p.notify_undoable(&mut response, "ok", text, Some(undo));
    response
}

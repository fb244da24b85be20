//! A walk through the whole shop.

use std::time::Duration;

use serde_json::{Value, json};
use shared::{PageRequest, Result, Time};

use super::{PATIENCE, pages, shopper, staff, visitor::Visitor};
use crate::{App, demo};

/// What the walk is about: things that are there.
pub struct Sights {
    pub now: Time,
    pub guest: Visitor,
    pub owner: Visitor,
    /// What takes a little off.
    pub code: String,
    /// Some products that are in stock.
    pub products: Vec<Value>,
    /// An order with all that an order may have.
    pub order: Value,
}

/// Returns what was refused.
pub async fn walk(app: &App) -> Result<Vec<String>> {
    let guest = Visitor::new(app).await;
    let owner = guest.signed_in(demo::OWNER.0, demo::OWNER.1).await?;
    let mut products = Vec::new();
    for card in guest.list("/products?in_stock=true").await? {
        products.push(guest.get(&format!("/products/{}", text(&card["slug"]))).await?);
    }
    let code = fresh("TOUR").to_uppercase();
    owner.post("/admin/promotions", json!({"kind": "percentage", "value": 5, "code": code})).await?;
    let mut sights =
        Sights { now: shared::time::system_clock().now(), guest, owner, code, products, order: Value::Null };
    shopper::buys(app, &mut sights).await?;
    staff::reads(&sights).await?;
    staff::writes(&sights).await?;
    shopper::leaves(app, &sights).await?;
    pages::crawl(&sights).await?;
    ports(app).await?;
    Ok(sights.guest.refused())
}

/// What no route leads to.
async fn ports(app: &App) -> Result<()> {
    let ports = &app.ports;
    ports.reviews.rebuild().await?;
    ports.recommendations.models().await?;
    ports.payments.reconcile().await?;
    let page = ports.products.export(None, 2).await?;
    ports.products.export(page.last().map(|product| product.id), 2).await?;
    ports.notifications.mails(None, PageRequest { limit: 2, cursor: None }).await?;
    app.interactions().await?;
    Ok(())
}

/// Waits until a look finds what it looks for; `Null` if it never does.
pub async fn eventually(mut look: impl AsyncFnMut() -> Result<Option<Value>>) -> Result<Value> {
    let until = tokio::time::Instant::now() + PATIENCE / 4;
    while tokio::time::Instant::now() < until {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(Value::Null)
}

/// A name that nobody has taken.
pub fn fresh(what: &str) -> String {
    format!("{what}-{}", &shared::telemetry::trace_id()[..10])
}

/// The text of a member that is an id or a name.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Somewhere in Germany.
pub fn address() -> Value {
    json!({"name": "Ada Lovelace", "line1": "Hauptstr. 1", "city": "Berlin", "postal_code": "10115", "country": "DE"})
}

//! Somebody with an account and somebody without: they look, buy, say what they think of it, and leave.

use serde_json::{Value, json};
use shared::{PageRequest, Result};

use super::{
    tour::{Sights, address, eventually, fresh, text},
    visitor::Visitor,
};
use crate::App;

const PASSWORD: &str = "correct horse battery";

/// Buys in every way there is, and writes reviews.
pub async fn buys(app: &App, sights: &mut Sights) -> Result<()> {
    let email = format!("{}@example.com", fresh("tour"));
    let guest = sights.guest.clone();
    let new = json!({"email": email, "password": PASSWORD, "name": "Terry Tourist"});
    guest.post("/customers", new).await?;
    let token = mailed(app, &email, "verify_email").await?;
    guest.post(&format!("/email_verifications/{token}"), json!({})).await?;
    let shopper = guest.signed_in(&email, PASSWORD).await?;
    sights.order = order(sights, &shopper, &email, "tok_ok").await?;
    order(sights, &guest, "guest@example.com", "tok_ok").await?;
    let pending = order(sights, &guest, "guest@example.com", "tok_3ds").await?;
    let token = text(&pending["token"]).to_owned();
    guest.get(&format!("/orders/{}?token={token}", text(&pending["id"]))).await?;
    fulfil(sights).await?;
    let shopper = account(&guest, &shopper, &email).await?;
    looks(sights, &shopper).await?;
    reviews(sights, &shopper).await
}

/// Erases what is kept of a shopper.
pub async fn leaves(app: &App, sights: &Sights) -> Result<()> {
    let guest = &sights.guest;
    let email = format!("{}@example.com", fresh("gone"));
    guest.post("/customers", json!({"email": email, "password": PASSWORD, "name": "Gone Soon"})).await?;
    let shopper = guest.signed_in(&email, PASSWORD).await?;
    order(sights, &shopper, &email, "tok_ok").await?;
    let key = text(&sights.products[1]["id"]);
    let review = json!({"rating": 4, "title": "Fine", "body": "It does what it says."});
    shopper.post(&format!("/products/{key}/reviews"), review).await?;
    guest.post("/password_resets", json!({"email": email})).await?;
    let token = mailed(app, &email, "reset_password").await?;
    guest.post(&format!("/password_resets/{token}"), json!({"password": "another long password"})).await?;
    let shopper = guest.signed_in(&email, "another long password").await?;
    shopper.delete("/customers/me").await?;
    let visitor = visitor_id();
    guest.delete(&format!("/recommendations/visitors/{visitor}")).await?;
    Ok(())
}

/// The token in the newest mail of a kind.
async fn mailed(app: &App, email: &str, template: &str) -> Result<String> {
    let page = PageRequest { limit: 20, cursor: None };
    let found = eventually(async || {
        let mails = app.ports.notifications.mails(Some(email.to_owned()), page.clone()).await?;
        let mail = mails.data.into_iter().find(|mail| mail.template == template);
        Ok(mail.and_then(|mail| {
            let token = mail.text.split("?token=").nth(1)?.split_whitespace().next()?;
            Some(token.into())
        }))
    });
    Ok(text(&found.await?).to_owned())
}

async fn order(sights: &Sights, who: &Visitor, email: &str, token: &str) -> Result<Value> {
    let variant = |product: usize| sights.products[product]["variants"][0]["id"].clone();
    let first = json!({"variant_id": variant(0), "quantity": 2});
    let cart = who.post("/carts", json!({"lines": [first]})).await?;
    let path = format!("/carts/{}", text(&cart["id"]));
    let lines = format!("{path}/lines");
    who.post(&lines, json!({"variant_id": variant(1), "quantity": 1})).await?;
    let cart = who.post(&lines, json!({"variant_id": variant(2), "quantity": 1})).await?;
    let line = |n: usize| format!("{lines}/{}", text(&cart["lines"][n]["id"]));
    who.patch(&line(0), json!({"quantity": 1})).await?;
    who.delete(&line(2)).await?;
    who.post(&format!("{path}/discount_codes"), json!({"code": sights.code})).await?;
    who.delete(&format!("{path}/discount_codes/{}", sights.code)).await?;
    who.post(&format!("{path}/discount_codes"), json!({"code": sights.code})).await?;
    who.get(&path).await?;
    let options = who.post(&format!("{path}/shipping_options"), json!({"address": address()})).await?;
    let option = &options["data"][0]["id"];
    let body = json!({"cart_id": cart["id"], "email": email, "shipping_address": address(),
        "shipping_option_id": option, "payment": {"provider": "test", "token": token}});
    let order = who.post("/checkout", body.clone()).await?;
    // A cart becomes one order, however often it is sent.
    who.try_post("/checkout", body).await?;
    Ok(order)
}

/// Money is taken, parcels go out, something comes back.
async fn fulfil(sights: &Sights) -> Result<()> {
    let (owner, order) = (&sights.owner, &sights.order);
    let path = format!("/admin/orders/{}", text(&order["id"]));
    let placed = eventually(async || {
        let order = owner.get(&path).await?;
        Ok((order["status"] == "placed").then_some(order))
    });
    let placed = placed.await?;
    if placed["payment_status"] == "authorized" {
        owner.post(&format!("{path}/capture"), json!({})).await?;
    }
    owner.post(&format!("{path}/notes"), json!({"text": "Seen on tour."})).await?;
    let lines = placed["lines"].as_array().cloned().unwrap_or_default();
    let all: Vec<_> = lines.iter().map(|l| json!({"line_id": l["id"], "quantity": l["quantity"]})).collect();
    let parcel = json!({"lines": all, "carrier": "DHL", "tracking_number": "T1"});
    owner.post(&format!("{path}/shipments"), parcel).await?;
    let shipped = eventually(async || {
        let order = owner.get(&path).await?;
        Ok(order["shipments"].as_array().is_some_and(|all| !all.is_empty()).then_some(order))
    });
    let parcel = format!("/admin/shipments/{}", text(&shipped.await?["shipments"][0]["id"]));
    for status in ["in_transit", "delivered"] {
        owner.patch(&parcel, json!({"status": status})).await?;
    }
    let back =
        json!({"reason": "too many", "lines": [{"line_id": lines[0]["id"], "quantity": 1, "restock": true}]});
    owner.post(&format!("{path}/refunds"), back).await?;
    owner.get(&format!("{path}/ledger")).await?;
    owner.get(&format!("{path}/events")).await?;
    let other = order_of_guest(sights).await?;
    owner
        .post(&format!("/admin/orders/{}/cancel", text(&other["id"])), json!({"reason": "changed my mind"}))
        .await?;
    Ok(())
}

async fn order_of_guest(sights: &Sights) -> Result<Value> {
    order(sights, &sights.guest, "guest@example.com", "tok_ok").await
}

/// Returns the shopper, who had to sign in again.
async fn account(guest: &Visitor, shopper: &Visitor, email: &str) -> Result<Visitor> {
    let login = json!({"email": email, "password": PASSWORD});
    let other = guest.post("/sessions", login).await?;
    guest.post("/sessions/refresh", json!({"refresh_token": other["refresh_token"]})).await?;
    guest.post("/email_verifications", json!({"email": email})).await?;
    shopper.get("/customers/me").await?;
    shopper.patch("/customers/me", json!({"name": "Terry T."})).await?;
    let saved = shopper.post("/customers/me/addresses", address()).await?;
    let path = format!("/customers/me/addresses/{}", text(&saved["id"]));
    shopper.put(&path, address()).await?;
    shopper.get("/customers/me/addresses").await?;
    shopper.delete(&path).await?;
    for list in ["/orders", "/customers/me/reviews"] {
        shopper.list(list).await?;
    }
    shopper.get("/customers/me/export").await?;
    let change = json!({"current_password": PASSWORD, "new_password": "another long password"});
    shopper.put("/customers/me/password", change).await?;
    let sessions = shopper.get("/customers/me/sessions").await?;
    let third = guest.signed_in(email, "another long password").await?;
    let current = third.get("/customers/me/sessions").await?;
    let other = current["data"].as_array().into_iter().flatten().find(|session| session["current"] == false);
    let other = other.unwrap_or(&sessions["data"][0]);
    third.delete(&format!("/customers/me/sessions/{}", text(&other["id"]))).await?;
    third.delete("/sessions/current").await?;
    guest.signed_in(email, "another long password").await
}

/// Looks at everything, and is recommended more.
async fn looks(sights: &Sights, shopper: &Visitor) -> Result<()> {
    let (guest, product) = (&sights.guest, &sights.products[0]);
    let (id, slug) = (text(&product["id"]), text(&product["slug"]));
    let categories = guest.get("/categories").await?;
    let category = text(&categories["data"][0]["slug"]).to_owned();
    let collections = guest.get("/collections").await?;
    let collection = text(&collections["data"][0]["slug"]).to_owned();
    for sort in ["relevance", "newest", "price", "-price", "rating"] {
        guest.get(&format!("/products?sort={sort}&limit=2")).await?;
    }
    for path in [
        format!("/products?q=mug&category={category}&in_stock=true&rating=3&min_price=100&max_price=90000"),
        format!("/products?collection={collection}&currency=USD"),
        format!("/products/{id}"),
        format!("/products/{slug}?currency=GBP"),
        format!("/categories/{category}"),
        format!("/categories/{category}/products"),
        format!("/collections/{collection}/products"),
        "/search/suggest?q=mu".to_owned(),
        "/shop".to_owned(),
        "/orders/transitions".to_owned(),
        format!("/metafields/product/{id}"),
    ] {
        guest.get(&path).await?;
    }
    for kind in ["page", "journal", "block"] {
        let pages = guest.list(&format!("/pages?kind={kind}")).await?;
        if let Some(page) = pages.first().filter(|_| kind != "block") {
            guest.get(&format!("/pages/{}?locale=de", text(&page["slug"]))).await?;
        }
    }
    guest
        .post("/orders/track", json!({"number": sights.order["number"], "email": sights.order["email"]}))
        .await?;
    recommended(guest, shopper, id).await
}

async fn recommended(guest: &Visitor, shopper: &Visitor, product: &str) -> Result<()> {
    let visitor = visitor_id();
    for who in [guest, shopper] {
        for kind in ["view", "cart_add"] {
            let done = json!({"kind": kind, "product_id": product, "visitor_id": visitor});
            who.post("/recommendations/interactions", done).await?;
        }
        for list in ["", "/recently_viewed", "/trending"] {
            who.get(&format!("/recommendations{list}?visitor_id={visitor}")).await?;
        }
        for list in ["related", "bought_together"] {
            who.get(&format!("/products/{product}/{list}?visitor_id={visitor}")).await?;
        }
        let shown = json!({"surface": "trending", "shown": [product], "visitor_id": visitor});
        let impression = who.post("/recommendations/impressions", shown).await?;
        let clicks = format!("/recommendations/impressions/{}/clicks", text(&impression["id"]));
        who.post(&clicks, json!({"product_id": product})).await?;
    }
    Ok(())
}

fn visitor_id() -> String {
    contracts::recommendation::VisitorId::derived("a tour").to_string()
}

async fn reviews(sights: &Sights, shopper: &Visitor) -> Result<()> {
    let (owner, product) = (&sights.owner, text(&sights.products[0]["id"]));
    let words = json!({"rating": 5, "title": "Just right", "body": "I would buy it again, and I have."});
    let review = shopper.post(&format!("/products/{product}/reviews"), words).await?;
    let id = text(&review["id"]);
    shopper.patch(&format!("/reviews/{id}"), json!({"rating": 4})).await?;
    let admin = format!("/admin/reviews/{id}");
    owner.get(&admin).await?;
    owner.post(&format!("{admin}/approve"), json!({})).await?;
    owner.put(&format!("{admin}/reply"), json!({"text": "Thank you."})).await?;
    owner.put(&format!("/reviews/{id}/vote"), json!({})).await?;
    owner.delete(&format!("/reviews/{id}/vote")).await?;
    owner.post(&format!("/reviews/{id}/reports"), json!({"reason": "only to see"})).await?;
    owner.get(&format!("{admin}/reports")).await?;
    for sort in ["newest", "helpful", "highest", "lowest"] {
        sights.guest.list(&format!("/products/{product}/reviews?sort={sort}")).await?;
        sights.guest.list(&format!("/products/{product}/reviews?sort={sort}&rating=4")).await?;
    }
    for queue in ["?status=pending", "?status=approved", "", "?reported=true"] {
        owner.list(&format!("/admin/reviews{queue}")).await?;
    }
    owner.list(&format!("/admin/reviews?product_id={product}")).await?;
    owner.list(&format!("/admin/reviews?product_id={product}&status=approved")).await?;
    owner.post(&format!("{admin}/reject"), json!({"reason": "only to see"})).await?;
    owner.post(&format!("{admin}/reopen"), json!({})).await?;
    shopper.list("/customers/me/reviews").await?;
    shopper.delete(&format!("/reviews/{id}")).await?;
    Ok(())
}

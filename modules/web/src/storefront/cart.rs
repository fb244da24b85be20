//! The cart: a page, a drawer, and what can be done with its lines.

use actix_web::{HttpResponse, http::StatusCode, web};
use askama::Template;
use contracts::{
    cart::{Cart, LineId, NewCart, NewLine},
    product::{ProductCard, VariantId},
};
use serde::Deserialize;
use shared::{Error, Kind, Money};

use super::{best_sellers, recommendations};
use crate::{
    Answer, Page,
    app::{at, get, post},
    cookies::Name,
    forms::{Fields, OpenPost, Post},
    page::Undo,
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/cart", [get(show)]);
    at(config, "/cart/drawer", [get(drawer)]);
    at(config, "/cart/lines", [post(add)]);
    at(config, "/cart/lines/{line}", [post(change)]);
    at(config, "/cart/codes", [post(apply_code)]);
    at(config, "/cart/codes/remove", [post(remove_code)]);
}

/// The visitor's open cart: the browser's, or the account's.
pub async fn current(p: &Page) -> Answer<Option<Cart>> {
    if let Some(known) = p.cart {
        match p.ports().carts.view(known.id, p.viewer()).await {
            Ok(cart) if cart.order_id.is_none() => return Ok(Some(cart)),
            // Bought, expired, or somebody else's by now: begin anew.
            Ok(_) => {}
            Err(error) if error.kind == Kind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    let Ok(customer) = p.customer() else { return Ok(None) };
    let Some(cart) = p.ports().carts.of_customer(customer).await? else { return Ok(None) };
    Ok(Some(p.ports().carts.view(cart.id, p.viewer()).await?))
}

/// How much is missing until delivery is free.
pub struct Meter {
    pub missing: Money,
    pub reached: i64,
    pub goal: i64,
}

async fn meter(p: &Page, cart: &Cart) -> Option<Meter> {
    let zones = p.ports().shipping.zones().await.ok()?;
    let zone = zones.into_iter().find(|zone| zone.countries.contains(&p.country()))?;
    let limits = zone.methods.iter().flat_map(|method| &method.free_above);
    let goal = limits.filter(|limit| limit.currency == cart.currency).map(|limit| limit.amount).min()?;
    let reached = cart.subtotal.amount - cart.discount_total.amount;
    let missing = Money { amount: (goal - reached).max(0), currency: cart.currency };
    Some(Meter { missing, reached: reached.clamp(0, goal), goal })
}

#[derive(Template)]
#[template(path = "storefront/cart.html")]
struct CartPage<'a> {
    p: &'a Page,
    cart: Option<Cart>,
    meter: Option<Meter>,
    popular: Vec<ProductCard>,
    f: Fields,
}

#[derive(Template)]
#[template(path = "storefront/cart-drawer.html")]
struct Drawer<'a> {
    p: &'a Page,
    cart: Option<Cart>,
    meter: Option<Meter>,
    problem: Option<String>,
    /// Units, for the badge in the header; absent where it has not changed.
    count: Option<i64>,
}

async fn show(p: Page) -> Answer {
    page(&p, StatusCode::OK, Fields::default()).await
}

async fn page(p: &Page, status: StatusCode, f: Fields) -> Answer {
    let cart = current(p).await?.filter(|cart| !cart.lines.is_empty());
    let (meter, popular) = match &cart {
        Some(cart) => (meter(p, cart).await, Vec::new()),
        None => (None, best_sellers(p, 4).await?),
    };
    let template = CartPage { p, cart, meter, popular, f };
    let mut response = p.html_as(status, &template)?;
    remember(p, &mut response, template.cart.as_ref());
    Ok(response)
}

async fn drawer(p: Page) -> Answer {
    let cart = current(&p).await?.filter(|cart| !cart.lines.is_empty());
    let meter = match &cart {
        Some(cart) => meter(&p, cart).await,
        None => None,
    };
    p.html(&Drawer { p: &p, cart, meter, problem: None, count: None })
}

/// Keeps the cookie in step with the cart.
fn remember(p: &Page, response: &mut HttpResponse, cart: Option<&Cart>) {
    match cart {
        Some(cart) => p.keep_cart(response, cart),
        None if p.cart.is_some_and(|cart| cart.count > 0) => p.cookies.remove(response, Name::Cart),
        None => {}
    }
}

#[derive(Deserialize)]
struct Adding {
    variant_id: VariantId,
    #[serde(default = "one")]
    quantity: i64,
    to: Option<String>,
}

fn one() -> i64 {
    1
}

async fn add(p: Page, form: OpenPost<Adding>) -> Answer {
    let Adding { variant_id, quantity, to } = form.0;
    let line = NewLine { variant_id, quantity: quantity.clamp(1, 9999) };
    let carts = &p.ports().carts;
    let added = match current(&p).await? {
        Some(cart) if cart.currency == p.currency || !cart.lines.is_empty() => {
            carts.add_line(cart.id, line, p.viewer()).await
        }
        _ => carts.create(NewCart { currency: Some(p.currency), lines: vec![line] }, p.viewer()).await,
    };
    if let Ok(cart) = &added
        && let Some(line) = cart.lines.iter().find(|line| line.variant_id == variant_id)
    {
        recommendations::added(&p, line.product_id).await;
    }
    match added {
        Ok(cart) if p.fragment => {
            let count = cart.lines.iter().map(|line| line.quantity).sum();
            let meter = meter(&p, &cart).await;
            let template = Drawer { p: &p, cart: Some(cart), meter, problem: None, count: Some(count) };
            let mut response = p.html(&template)?;
            remember(&p, &mut response, template.cart.as_ref());
            Ok(response)
        }
        Ok(cart) => {
            let mut response = p.back(to.as_deref(), "/cart");
            p.keep_cart(&mut response, &cart);
            p.notify(&mut response, "ok", p.t("added-to-cart"));
            Ok(response)
        }
        Err(error) if error.kind == Kind::Internal || error.kind == Kind::Unavailable => Err(error.into()),
        Err(error) => {
            let problem = refusal(&p, &error);
            if p.fragment {
                let cart = current(&p).await?.filter(|cart| !cart.lines.is_empty());
                let meter = None;
                let status = crate::fault::status(&error);
                return p
                    .html_as(status, &Drawer { p: &p, cart, meter, problem: Some(problem), count: None });
            }
            let mut response = p.back(to.as_deref(), "/cart");
            p.notify(&mut response, "bad", problem);
            Ok(response)
        }
    }
}

/// Why something cannot be in the cart; with what is left, where that is known.
fn refusal(p: &Page, error: &Error) -> String {
    let left = error.extra.get("available").and_then(|available| match available {
        serde_json::Value::Array(all) => all.first()?.get("available")?.as_i64(),
        one => one.as_i64(),
    });
    match (error.code.as_ref(), left) {
        ("out_of_stock", Some(left)) if left > 0 => p.text("only-left").number("count", left).to_string(),
        (code, _) => p.error(code, &error.detail),
    }
}

#[derive(Deserialize)]
struct Changing {
    quantity: Option<i64>,
    /// `remove`, or `save`: to the wishlist.
    #[serde(rename = "do")]
    action: Option<String>,
}

async fn change(p: Page, line: web::Path<String>, form: Post<Changing>) -> Answer {
    let line: LineId = line.parse().map_err(|_| LineId::not_found())?;
    let Some(cart) = current(&p).await? else { return Ok(p.see_other("/cart")) };
    let carts = &p.ports().carts;
    let removes = form.0.action.is_some() || form.0.quantity == Some(0);
    let gone = cart.lines.iter().find(|known| known.id == line).cloned();
    let changed = match (removes, form.0.quantity) {
        (true, _) => carts.remove_line(cart.id, line, p.viewer()).await,
        (false, Some(quantity)) => carts.set_quantity(cart.id, line, quantity, p.viewer()).await,
        (false, None) => Ok(cart),
    };
    let mut response = p.see_other("/cart");
    match changed {
        Ok(cart) => {
            remember(&p, &mut response, Some(&cart));
            let Some(gone) = gone.filter(|_| removes) else { return Ok(response) };
            if form.0.action.as_deref() == Some("save") {
                let mut list = p.wishlist.clone();
                list.retain(|known| *known != gone.product_id);
                list.insert(0, gone.product_id);
                let ids: Vec<String> = list.iter().map(ToString::to_string).collect();
                p.cookies.set(&mut response, Name::Wishlist, ids.join("."));
                p.notify(&mut response, "ok", p.text("saved-for-later").arg("title", &gone.title));
                return Ok(response);
            }
            let undo = Undo {
                action: p.link("/cart/lines"),
                label: p.t("undo"),
                fields: vec![
                    ("variant_id".into(), gone.variant_id.to_string()),
                    ("quantity".into(), gone.quantity.to_string()),
                    ("to".into(), p.link("/cart")),
                ],
            };
            p.notify_undoable(
                &mut response,
                "info",
                p.text("removed-from-cart").arg("title", &gone.title),
                Some(undo),
            );
        }
        Err(error) if error.kind == Kind::NotFound => {}
        Err(error) if error.kind == Kind::Internal || error.kind == Kind::Unavailable => {
            return Err(error.into());
        }
        Err(error) => p.notify(&mut response, "bad", refusal(&p, &error)),
    }
    Ok(response)
}

async fn apply_code(p: Page, form: Post<Fields>) -> Answer {
    let mut f = form.0;
    let code = f.required(&p, "code");
    let Some(cart) = current(&p).await? else { return Ok(p.see_other("/cart")) };
    if !f.failed() {
        match p.ports().carts.apply_code(cart.id, code, p.viewer()).await {
            Ok(_) => {
                let mut response = p.see_other("/cart");
                p.notify(&mut response, "ok", p.t("code-applied"));
                return Ok(response);
            }
            Err(error) if error.kind == Kind::Internal || error.kind == Kind::Unavailable => {
                return Err(error.into());
            }
            Err(error) => f.fail("code", p.error(&error.code, &error.detail)),
        }
    }
    page(&p, StatusCode::UNPROCESSABLE_ENTITY, f).await
}

async fn remove_code(p: Page, form: Post<Fields>) -> Answer {
    if let Some(cart) = current(&p).await? {
        p.ports().carts.remove_code(cart.id, form.0.value("code").to_owned(), p.viewer()).await?;
    }
    Ok(p.see_other("/cart"))
}

impl Page {
    /// Where a line is changed.
    pub fn line_link(&self, line: &LineId) -> String {
        self.link(&format!("/cart/lines/{line}"))
    }
}

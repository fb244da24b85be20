//! An order: to its customer, or to whoever holds its token.

use actix_web::{HttpRequest, http::StatusCode, web};
use askama::Template;
use contracts::{
    cart::{NewCart, NewLine},
    order::{FulfillmentStatus, Order, OrderId, OrderPaymentStatus, OrderStatus, OrderSummary, Viewer},
    shipping::ShipmentStatus,
};
use serde::Deserialize;
use shared::{Kind, Time, limits::Limited, values::Email};

use super::cart::current;
use crate::{
    Answer, Fault, Page,
    app::{at, get, post},
    forms::{Empty, Fields, Post},
    sessions::address,
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/orders/{id}", [get(show)]);
    at(config, "/orders/{id}/cancel", [post(cancel)]);
    at(config, "/orders/{id}/reorder", [post(reorder)]);
    at(config, "/track", [get(show_track), post(track)]);
}

#[derive(Template)]
#[template(path = "storefront/order.html")]
struct OrderPage<'a> {
    p: &'a Page,
    order: Order,
    /// For the links of somebody without the account.
    token: Option<String>,
    events: Vec<(Time, String)>,
}

impl OrderPage<'_> {
    /// Nothing has been sent yet, and the money can go back.
    fn cancellable(&self) -> bool {
        matches!(self.order.status, OrderStatus::Pending | OrderStatus::Placed)
            && self.order.fulfillment_status == FulfillmentStatus::Unfulfilled
    }

    /// Where the order's forms lead.
    fn action(&self, what: &str) -> String {
        let query = self.token.as_ref().map(|token| format!("?token={token}")).unwrap_or_default();
        self.p.link(&format!("/orders/{}/{what}{query}", self.order.id))
    }

    /// Units of a line in a parcel, for its list.
    fn title_of(&self, line: &contracts::shipping::ShipmentLine) -> String {
        let known = self.order.lines.iter().find(|known| known.line.id == line.line_id);
        let title = known.map_or_else(String::new, |known| known.line.title.clone());
        format!("{} × {title}", self.p.number(line.quantity))
    }

    /// How far it is, of three: placed, on its way, delivered.
    fn progress(&self) -> u8 {
        match (self.order.status, self.order.fulfillment_status) {
            (OrderStatus::Pending | OrderStatus::Cancelled, _) => 0,
            (_, FulfillmentStatus::Unfulfilled) => 1,
            (_, FulfillmentStatus::PartiallyShipped | FulfillmentStatus::Shipped) => 2,
            _ => 3,
        }
    }
}

/// The proof of somebody without the account.
#[derive(Deserialize)]
pub struct Token {
    token: Option<String>,
}

impl Token {
    fn viewer(&self, p: &Page) -> Answer<Viewer> {
        match &self.token {
            Some(token) => Ok(Viewer::Token(token.clone())),
            None => Ok(Viewer::Customer(p.customer()?)),
        }
    }

    /// The order's page, for redirects.
    fn path(&self, id: &OrderId) -> String {
        match &self.token {
            Some(token) => format!("/orders/{id}?token={token}"),
            None => format!("/orders/{id}"),
        }
    }
}

fn id(text: &str) -> Answer<OrderId> {
    text.parse().map_err(|_| Fault::not_found())
}

async fn show(p: Page, path: web::Path<String>, token: web::Query<Token>) -> Answer {
    let order = p.ports().orders.find(id(&path)?, token.viewer(&p)?).await?;
    let events = events(&p, &order);
    p.html(&OrderPage { p: &p, order, token: token.0.token, events })
}

/// What happened, as far as it concerns the shopper: the entries there are words for.
fn events(p: &Page, order: &Order) -> Vec<(Time, String)> {
    let told = |entry: &contracts::order::TimelineEntry| {
        let to = entry.to.as_deref().unwrap_or_default().replace('_', "-");
        let key = format!("order-{}-{to}", entry.kind.replace('_', "-"));
        p.known(&key).map(|text| (entry.at, text))
    };
    order.timeline.iter().filter_map(told).collect()
}

async fn cancel(p: Page, path: web::Path<String>, token: web::Query<Token>, _: Post<Empty>) -> Answer {
    let id = id(&path)?;
    let cancelled = p.ports().orders.cancel(id, Some("customer".into()), token.viewer(&p)?).await;
    let mut response = p.see_other(&token.path(&id));
    match cancelled {
        Ok(_) => p.notify(&mut response, "ok", p.t("order-cancelled")),
        Err(error) if error.kind == Kind::Conflict => {
            p.notify(&mut response, "bad", p.t("order-not-cancellable"));
        }
        // It is on its way, and goes on by itself.
        Err(error) if error.code == "cancel_pending" => {
            p.notify(&mut response, "info", p.t("order-cancel-pending"));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(response)
}

/// Puts into the cart what can still be bought, and says what cannot.
async fn reorder(p: Page, path: web::Path<String>, token: web::Query<Token>, _: Post<Empty>) -> Answer {
    let order = p.ports().orders.find(id(&path)?, token.viewer(&p)?).await?;
    let carts = &p.ports().carts;
    let mut cart = match current(&p).await? {
        Some(cart) => cart,
        None => carts.create(NewCart { currency: Some(p.currency), lines: Vec::new() }, p.viewer()).await?,
    };
    let mut missing = Vec::new();
    for known in &order.lines {
        let line = NewLine { variant_id: known.line.variant_id, quantity: known.line.quantity };
        match carts.add_line(cart.id, line, p.viewer()).await {
            Ok(more) => cart = more,
            Err(error) if matches!(error.kind, Kind::Internal | Kind::Unavailable) => {
                return Err(error.into());
            }
            Err(_) => missing.push(known.line.title.as_str()),
        }
    }
    let mut response = p.see_other("/cart");
    p.keep_cart(&mut response, &cart);
    if missing.is_empty() {
        p.notify(&mut response, "ok", p.t("reordered"));
    } else {
        p.notify(&mut response, "bad", p.text("reordered-partly").arg("titles", missing.join(", ")));
    }
    Ok(response)
}

#[derive(Template)]
#[template(path = "storefront/track.html")]
struct Track<'a> {
    p: &'a Page,
    f: Fields,
}

async fn show_track(p: Page) -> Answer {
    p.html(&Track { p: &p, f: Fields::default() })
}

/// Number and address together are the proof; which of them is wrong is not told.
async fn track(p: Page, request: HttpRequest, form: Post<Fields>) -> Answer {
    let mut f = form.0;
    let number = f.required(&p, "number").to_uppercase();
    let email: Option<Email> = f.parsed(&p, "email");
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    if let Some(email) = email.filter(|_| !f.failed()) {
        let found = match p.state.limits.check(Limited::Reset, address(&p, &request)).await {
            Ok(()) => p.ports().orders.track(number, email).await,
            Err(limited) => Err(limited),
        };
        match found {
            Ok(order) => return Ok(p.see_other(&format!("/orders/{}?token={}", order.id, order.token))),
            Err(error) if matches!(error.kind, Kind::NotFound | Kind::Invalid | Kind::Malformed) => {
                f.problem = Some(p.t("track-nothing"));
                status = StatusCode::NOT_FOUND;
            }
            Err(error) => {
                status = crate::fault::status(&error);
                f.refuse(&p, &error);
            }
        }
    }
    p.html_as(status, &Track { p: &p, f })
}

/// Where an order stands, as a tone and the key of a word.
fn standing(
    status: OrderStatus,
    payment: OrderPaymentStatus,
    fulfillment: FulfillmentStatus,
) -> (&'static str, &'static str) {
    match (status, payment, fulfillment) {
        (OrderStatus::Pending, ..) => ("warn", "standing-pending"),
        (OrderStatus::Cancelled, ..) => ("bad", "standing-cancelled"),
        (_, OrderPaymentStatus::Refunded, _) => ("", "standing-refunded"),
        (.., FulfillmentStatus::Unfulfilled) => ("info", "standing-preparing"),
        (.., FulfillmentStatus::PartiallyShipped) => ("info", "standing-partly-shipped"),
        (.., FulfillmentStatus::Shipped) => ("info", "standing-shipped"),
        (.., FulfillmentStatus::Delivered) => ("ok", "standing-delivered"),
        (.., FulfillmentStatus::Returned) => ("", "standing-returned"),
    }
}

impl Page {
    /// How far a parcel is, as a tone and a word.
    pub fn parcel(&self, status: &ShipmentStatus) -> (&'static str, String) {
        let (tone, key) = match status {
            ShipmentStatus::Pending => ("warn", "parcel-pending"),
            ShipmentStatus::Shipped => ("info", "parcel-shipped"),
            ShipmentStatus::InTransit => ("info", "parcel-in-transit"),
            ShipmentStatus::Delivered => ("ok", "parcel-delivered"),
        };
        (tone, self.t(key))
    }

    /// Where an order of a list stands, as a tone and a word.
    pub fn order_standing(&self, order: &OrderSummary) -> (&'static str, String) {
        let (tone, key) = standing(order.status, order.payment_status, order.fulfillment_status);
        (tone, self.t(key))
    }

    /// Where an order stands, as a tone and a word.
    pub fn standing(&self, order: &Order) -> (&'static str, String) {
        let (tone, key) = standing(order.status, order.payment_status, order.fulfillment_status);
        (tone, self.t(key))
    }

    /// A text that may be missing.
    pub fn known(&self, key: &str) -> Option<String> {
        self.state.texts.has(self.locale, key).then(|| self.t(key))
    }
}

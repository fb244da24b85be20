//! The last step and what follows it: the order, the bank's question, the thanks.

use actix_web::{HttpRequest, http::StatusCode, web};
use askama::Template;
use contracts::order::{Checkout, CheckoutPayment, Order, OrderId, OrderStatus, Principal, Viewer};
use serde::Deserialize;
use shared::{Error, Kind, Money, limits::Limited};

use super::{
    draft::{Draft, Step},
    steps,
};
use crate::{
    Answer, Page,
    cookies::Name,
    forms::{Fields, Post},
    sessions::address,
    storefront::cart,
};

/// The path of the test provider's extra step; behind it stands its reference.
const TEST_STEP: &str = "/test-payments/";

#[derive(Template)]
#[template(path = "storefront/waiting.html")]
struct Waiting<'a> {
    p: &'a Page,
    /// The order form again, for an attempt whose outcome is not known; without it the page looks again by itself.
    again: Option<Fields>,
}

#[derive(Template)]
#[template(path = "storefront/bank.html")]
struct Bank<'a> {
    p: &'a Page,
    order: Order,
}

#[derive(Template)]
#[template(path = "storefront/thanks.html")]
struct Thanks<'a> {
    p: &'a Page,
    order: Order,
}

/// Buys. The key in the form makes it happen once, however often the form is sent.
pub async fn buy(p: Page, request: HttpRequest, form: Post<Fields>) -> Answer {
    let form = form.0;
    let mut draft = Draft::read(&p);
    if let Some(key) = form.given("key").filter(|key| (22..=64).contains(&key.len())) {
        key.clone_into(&mut draft.key);
    }
    let complete = (draft.email.clone(), draft.address.clone(), draft.option, draft.card.clone());
    let (Some(email), Some(shipping_address), Some(shipping_option_id), Some(token)) = complete else {
        return Ok(p.see_other(&draft.missing().path()));
    };
    // The cart of a second sending is already an order's: the key leads to it.
    let cart_id = match p.cart {
        Some(known) => Some(known.id),
        None => cart::current(&p).await?.map(|cart| cart.id),
    };
    let Some(cart_id) = cart_id else { return Ok(p.see_other("/cart")) };
    let shown = form.value("total").parse().ok().zip(form.value("currency").parse().ok());
    let checkout = Checkout {
        cart_id,
        email,
        shipping_address,
        billing_address: draft.billing.clone(),
        shipping_option_id,
        payment: CheckoutPayment { provider: "test".into(), token: Some(token) },
        expected_total: shown.map(|(amount, currency)| Money { amount, currency }),
    };
    let viewer = p.viewer();
    let principal =
        Principal { customer_id: viewer.customer_id, group: viewer.group, key: draft.key.clone() };
    let ordered = match p.state.limits.check(Limited::Checkout, address(&p, &request)).await {
        Ok(()) => p.ports().orders.checkout(checkout, principal).await,
        Err(limited) => Err(limited),
    };
    match ordered {
        Ok(order) => next(&p, &order),
        Err(error) => refused(&p, draft, form, error).await,
    }
}

/// Where an order leads its shopper.
fn next(p: &Page, order: &Order) -> Answer {
    let Some(action) = &order.payment.next_action else {
        return Ok(p.see_other(&format!("/checkout/thanks/{}?token={}", order.id, order.token)));
    };
    if action.url.contains(TEST_STEP) {
        return Ok(p.see_other(&format!("/checkout/pay/{}?token={}", order.id, order.token)));
    }
    Ok(p.redirect(&action.url))
}

/// Back to where it can be put right, with everything that was entered.
async fn refused(p: &Page, mut draft: Draft, form: Fields, error: Error) -> Answer {
    let text = p.error(&error.code, &error.detail);
    let to = match (error.code.as_ref(), error.kind) {
        ("payment_declined", _) => {
            return declined(p, draft, error.extra.get("decline_code").and_then(|c| c.as_str()));
        }
        ("out_of_stock" | "coupon_exhausted" | "cart_completed" | "cart_empty", _) | (_, Kind::NotFound) => {
            "/cart"
        }
        ("price_changed", _) => "/checkout/review",
        (_, Kind::Unavailable) => {
            return p.html_as(StatusCode::SERVICE_UNAVAILABLE, &Waiting { p, again: Some(form) });
        }
        (_, Kind::Internal | Kind::Forbidden | Kind::Unauthenticated) => return Err(error.into()),
        (_, Kind::Invalid) => {
            // A field that only the order could judge: to the step it belongs to.
            let at = error.fields.first().map_or("", |field| field.pointer.as_str());
            let step = match at {
                at if at.starts_with("/email") => Step::Contact,
                at if at.contains("address") => Step::Address,
                at if at.starts_with("/shipping_option") => Step::Delivery,
                at if at.starts_with("/payment") => Step::Payment,
                _ => Step::Review,
            };
            let mut f = steps::form(p, step, &draft);
            f.refuse(p, &error);
            return steps::page(p, StatusCode::UNPROCESSABLE_ENTITY, step, draft, f).await;
        }
        _ => {
            let mut f = form;
            f.problem = Some(text);
            let status = crate::fault::status(&error);
            return steps::page(p, status, Step::Review, draft, f).await;
        }
    };
    if error.code != "price_changed" {
        // The attempt is over; the next one is another.
        draft.renew();
    }
    let mut response = p.see_other(to);
    p.cookies.set_json(&mut response, Name::Checkout, &draft);
    p.notify(&mut response, "bad", text);
    Ok(response)
}

/// Another card, please.
fn declined(p: &Page, mut draft: Draft, code: Option<&str>) -> Answer {
    draft.renew();
    let mut response = p.see_other(&Step::Payment.path());
    p.cookies.set_json(&mut response, Name::Checkout, &draft);
    let otherwise = p.error("payment_declined", "the payment was declined");
    p.notify(&mut response, "bad", code.map_or(otherwise.clone(), |code| p.error(code, &otherwise)));
    Ok(response)
}

/// The proof that the order may be seen.
#[derive(Deserialize)]
pub struct Token {
    token: String,
}

impl Token {
    async fn order(&self, p: &Page, id: &str) -> Answer<Order> {
        let id: OrderId = id.parse().map_err(|_| OrderId::not_found())?;
        Ok(p.ports().orders.find(id, Viewer::Token(self.token.clone())).await?)
    }
}

/// The bank's question, asked by the test provider.
pub async fn step(p: Page, id: web::Path<String>, token: web::Query<Token>) -> Answer {
    let order = token.order(&p, &id).await?;
    match reference(&order) {
        Some(_) => p.html(&Bank { p: &p, order }),
        None => next(&p, &order),
    }
}

/// What only this step's form knows.
#[derive(Deserialize)]
pub struct Reply {
    accept: bool,
}

pub async fn answer(p: Page, id: web::Path<String>, token: web::Query<Token>, reply: Post<Reply>) -> Answer {
    let order = token.order(&p, &id).await?;
    if let Some(reference) = reference(&order) {
        match p.ports().payments.confirm_test_step(reference, reply.0.accept).await {
            // Answered already, by another sending of this form.
            Err(error) if error.kind == Kind::Conflict => {}
            answered => answered?,
        }
    }
    Ok(p.see_other(&format!("/checkout/thanks/{}?token={}", order.id, order.token)))
}

/// The test provider's name for the payment, while it waits for its answer.
fn reference(order: &Order) -> Option<String> {
    let action = order.payment.next_action.as_ref()?;
    Some(action.url.split_once(TEST_STEP)?.1.to_owned())
}

/// The order, once it is there: placed, or still on its way, or declined after all.
pub async fn thanks(p: Page, id: web::Path<String>, token: web::Query<Token>) -> Answer {
    let order = token.order(&p, &id).await?;
    match order.status {
        OrderStatus::Pending => p.html(&Waiting { p: &p, again: None }),
        OrderStatus::Cancelled if order.placed_at.is_none() => {
            declined(&p, Draft::read(&p), order.payment.decline_code.as_deref())
        }
        // What was bought is not in the cart any more: also not in this page's header.
        _ if p.cart.is_some_and(|cart| cart.id == order.cart_id) => {
            let mut response = p.redirect(&p.here());
            p.cookies.remove(&mut response, Name::Cart);
            p.cookies.remove(&mut response, Name::Checkout);
            Ok(response)
        }
        _ => p.html(&Thanks { p: &p, order }),
    }
}

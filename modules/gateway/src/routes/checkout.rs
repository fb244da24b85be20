//! The checkout.

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use contracts::order::{Checkout, Order, Principal};
use shared::limits::Limited;

use crate::{
    app::State,
    auth::Visitor,
    body::Body,
    idempotency::Key,
    limits,
    problem::Answer,
    router::{at, post},
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/checkout", [post(checkout)]);
}

/// This file's part of the API document.
#[derive(utoipa::OpenApi)]
#[openapi(paths(checkout))]
pub struct Document;

/// Turns a cart into an order.
///
/// Needs an `Idempotency-Key`. Answers when the order is placed, or when the shopper must do something
/// (`payment.next_action`): then the provider's message alone moves the order on.
#[utoipa::path(post, path = "/checkout", tag = "checkout", request_body = Checkout,
    params(("Idempotency-Key" = String, Header)),
    responses((status = 201, body = Order), (status = 402, description = "payment_declined"),
        (status = 409, description = "out_of_stock, coupon_exhausted, cart_completed, line_unavailable, price_changed")))]
async fn checkout(
    state: web::Data<State>,
    request: HttpRequest,
    visitor: Visitor,
    key: Key,
    checkout: Body<Checkout>,
) -> Answer {
    state.limits.check(Limited::Checkout, limits::address(&request)).await?;
    let principal = Principal { customer_id: visitor.customer(), group: visitor.group(), key: key.0 };
    let order = state.ports.orders.checkout(checkout.0, principal).await?;
    let location = format!("/api/v1/orders/{}", order.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(order))
}

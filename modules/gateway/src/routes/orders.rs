//! A shopper's orders.

use actix_web::{HttpRequest, web};
use contracts::{
    customer::Permission,
    order::{Order, OrderFilter, OrderSummary, TransitionTable, Viewer},
};
use serde::Deserialize;
use shared::{Error, Kind, Page, limits::Limited, values::Email};

use super::{All, all, id, ok};
use crate::{
    app::State,
    auth::{CurrentCustomer, Visitor},
    body::Body,
    limits,
    problem::{Answer, Problem},
    query::{PageQuery, Query},
    router::{at, get, post},
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/orders", [get(list)]);
    at(config, "/orders/track", [post(track)]);
    at(config, "/orders/transitions", [get(transitions)]);
    at(config, "/orders/{id}", [get(find)]);
    at(config, "/orders/{id}/cancel", [post(cancel)]);
}

/// This file's part of the API document.
#[derive(utoipa::OpenApi)]
#[openapi(paths(list, find, cancel, track, transitions))]
pub struct Document;

/// One's own orders, newest first.
#[utoipa::path(get, path = "/orders", tag = "orders", params(PageQuery), responses((status = 200, body = Page<OrderSummary>)))]
async fn list(state: web::Data<State>, customer: CurrentCustomer, page: Query<PageQuery>) -> Answer {
    let filter = OrderFilter { customer_id: Some(customer.0.sub), ..Default::default() };
    ok(state.ports.orders.list(filter, page.0.request()?).await?)
}

/// `?token=`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenQuery {
    token: Option<String>,
}

/// Who asks: the holder of the order's token, staff who may read orders, or the customer.
fn viewer(visitor: Visitor, token: Option<String>, needed: Permission) -> Result<Viewer, Problem> {
    match (token, visitor.0) {
        (Some(token), _) => Ok(Viewer::Token(token)),
        (None, Some(claims)) if claims.permissions.contains(&needed) => Ok(Viewer::Staff(claims.sub)),
        (None, Some(claims)) => Ok(Viewer::Customer(claims.sub)),
        (None, None) => {
            let detail = "sign in, or send the order's token";
            Err(Error::new(Kind::Unauthenticated, "unauthenticated", detail).into())
        }
    }
}

/// An order: its owner's, or with its token anybody's.
#[utoipa::path(get, path = "/orders/{id}", tag = "orders",
    params(("id" = String, Path), ("token" = Option<String>, Query)), responses((status = 200, body = Order)))]
async fn find(
    state: web::Data<State>,
    visitor: Visitor,
    path: web::Path<String>,
    query: Query<TokenQuery>,
) -> Answer {
    let viewer = viewer(visitor, query.0.token, Permission::OrdersRead)?;
    ok(state.ports.orders.find(id(&path)?, viewer).await?)
}

/// Why.
#[derive(Deserialize, Default, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
struct Reason {
    reason: Option<String>,
}

/// Cancels an order that is not shipped: stock, coupon and money go back.
#[utoipa::path(post, path = "/orders/{id}/cancel", tag = "orders",
    params(("id" = String, Path), ("token" = Option<String>, Query)), request_body = Reason,
    responses((status = 200, body = Order), (status = 409, description = "illegal_transition")))]
async fn cancel(
    state: web::Data<State>,
    visitor: Visitor,
    path: web::Path<String>,
    query: Query<TokenQuery>,
    reason: Body<Reason>,
) -> Answer {
    let viewer = viewer(visitor, query.0.token, Permission::OrdersWrite)?;
    ok(state.ports.orders.cancel(id(&path)?, reason.0.reason, viewer).await?)
}

/// The number on the mail, and the address it went to.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Track {
    number: String,
    email: Email,
}

/// Finds an order by number and e-mail address.
#[utoipa::path(post, path = "/orders/track", tag = "orders", request_body = Track, responses((status = 200, body = Order)))]
async fn track(state: web::Data<State>, request: HttpRequest, body: Body<Track>) -> Answer {
    state.limits.check(Limited::Reset, limits::address(&request)).await?;
    ok(state.ports.orders.track(body.0.number, body.0.email).await?)
}

/// The legal moves of an order's states.
#[utoipa::path(get, path = "/orders/transitions", tag = "orders", responses((status = 200, body = All<TransitionTable>)))]
async fn transitions(state: web::Data<State>) -> Answer {
    all(state.ports.orders.transitions().await?)
}

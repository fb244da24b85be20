//! Carts.

use actix_web::web;
use contracts::{
    Address,
    cart::{Cart, Destination, NewCart, NewLine},
    shipping::ShippingOption,
};
use serde::Deserialize;
use shared::values::Country;

use super::{All, all, created, id, ok};
use crate::{
    app::State,
    auth::Visitor,
    body::Body,
    problem::Answer,
    router::{at, delete, get, patch, post},
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/carts", [post(create)]);
    at(config, "/carts/{id}", [get(view)]);
    at(config, "/carts/{id}/lines", [post(add_line)]);
    at(config, "/carts/{id}/lines/{line}", [patch(set_quantity), delete(remove_line)]);
    at(config, "/carts/{id}/discount_codes", [post(apply_code)]);
    at(config, "/carts/{id}/discount_codes/{code}", [delete(remove_code)]);
    at(config, "/carts/{id}/shipping_options", [post(shipping_options)]);
}

/// This file's part of the API document.
#[derive(utoipa::OpenApi)]
#[openapi(paths(
    create,
    view,
    add_line,
    set_quantity,
    remove_line,
    apply_code,
    remove_code,
    shipping_options
))]
pub struct Document;

/// Opens a cart. Its id is the key to it.
#[utoipa::path(post, path = "/carts", tag = "cart", request_body = NewCart, responses((status = 201, body = Cart)))]
async fn create(state: web::Data<State>, visitor: Visitor, new: Body<NewCart>) -> Answer {
    created(state.ports.carts.create(new.0, visitor.viewer()).await?)
}

/// A cart with today's prices.
#[utoipa::path(get, path = "/carts/{id}", tag = "cart", params(("id" = String, Path)), responses((status = 200, body = Cart)))]
async fn view(state: web::Data<State>, visitor: Visitor, path: web::Path<String>) -> Answer {
    ok(state.ports.carts.view(id(&path)?, visitor.viewer()).await?)
}

/// Adds units of a variant.
#[utoipa::path(post, path = "/carts/{id}/lines", tag = "cart", params(("id" = String, Path)), request_body = NewLine,
    responses((status = 201, body = Cart)))]
async fn add_line(
    state: web::Data<State>,
    visitor: Visitor,
    path: web::Path<String>,
    line: Body<NewLine>,
) -> Answer {
    created(state.ports.carts.add_line(id(&path)?, line.0, visitor.viewer()).await?)
}

/// How many.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Quantity {
    /// 0 removes the line.
    quantity: i64,
}

/// Sets a line's quantity.
#[utoipa::path(patch, path = "/carts/{id}/lines/{line}", tag = "cart",
    params(("id" = String, Path), ("line" = String, Path)), request_body = Quantity, responses((status = 200, body = Cart)))]
async fn set_quantity(
    state: web::Data<State>,
    visitor: Visitor,
    path: web::Path<(String, String)>,
    new: Body<Quantity>,
) -> Answer {
    let (cart, line) = (id(&path.0)?, id(&path.1)?);
    ok(state.ports.carts.set_quantity(cart, line, new.0.quantity, visitor.viewer()).await?)
}

/// Removes a line.
#[utoipa::path(delete, path = "/carts/{id}/lines/{line}", tag = "cart",
    params(("id" = String, Path), ("line" = String, Path)), responses((status = 200, body = Cart)))]
async fn remove_line(state: web::Data<State>, visitor: Visitor, path: web::Path<(String, String)>) -> Answer {
    ok(state.ports.carts.remove_line(id(&path.0)?, id(&path.1)?, visitor.viewer()).await?)
}

/// A coupon code.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Code {
    code: String,
}

/// Applies a coupon.
#[utoipa::path(post, path = "/carts/{id}/discount_codes", tag = "cart", params(("id" = String, Path)), request_body = Code,
    responses((status = 201, body = Cart)))]
async fn apply_code(
    state: web::Data<State>,
    visitor: Visitor,
    path: web::Path<String>,
    code: Body<Code>,
) -> Answer {
    created(state.ports.carts.apply_code(id(&path)?, code.0.code, visitor.viewer()).await?)
}

/// Takes a coupon off.
#[utoipa::path(delete, path = "/carts/{id}/discount_codes/{code}", tag = "cart",
    params(("id" = String, Path), ("code" = String, Path)), responses((status = 200, body = Cart)))]
async fn remove_code(state: web::Data<State>, visitor: Visitor, path: web::Path<(String, String)>) -> Answer {
    ok(state.ports.carts.remove_code(id(&path.0)?, path.1.clone(), visitor.viewer()).await?)
}

/// Where to: a whole address, or as much as is known of it.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct To {
    address: PartialAddress,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(untagged, deny_unknown_fields)]
enum PartialAddress {
    Whole(Address),
    Part {
        country: Country,
        #[serde(default)]
        region: Option<String>,
        #[serde(default)]
        postal_code: Option<String>,
    },
}

/// Ways to send the cart there, cheapest first; none outside all zones.
#[utoipa::path(post, path = "/carts/{id}/shipping_options", tag = "cart", params(("id" = String, Path)), request_body = To,
    responses((status = 200, body = All<ShippingOption>)))]
async fn shipping_options(
    state: web::Data<State>,
    visitor: Visitor,
    path: web::Path<String>,
    to: Body<To>,
) -> Answer {
    let destination = match to.0.address {
        PartialAddress::Whole(address) => Destination::from(&address),
        PartialAddress::Part { country, region, postal_code } => Destination { country, region, postal_code },
    };
    all(state.ports.carts.shipping_options(id(&path)?, destination, visitor.viewer()).await?)
}

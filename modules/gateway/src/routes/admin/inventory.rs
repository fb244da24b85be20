//! Stock.

use actix_web::web;
use contracts::product::{
    VariantId,
    stock::{Adjustment, Level, LevelFilter, Location, LocationId, Movement, MovementId, NewLocation},
};
use serde::Deserialize;
use shared::Page;

use crate::{
    app::State,
    auth::{Staff, can},
    body::Body,
    idempotency::MaybeKey,
    problem::Answer,
    query::{Query, page},
    router::{at, get, post},
    routes::{All, all, created, ok},
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/admin/inventory/levels", [get(levels)]);
    at(config, "/admin/inventory/movements", [get(movements)]);
    at(config, "/admin/inventory/adjustments", [post(adjust)]);
    at(config, "/admin/inventory/locations", [get(locations), post(create_location)]);
}

/// This file's part of the API document.
#[derive(utoipa::OpenApi)]
#[openapi(paths(levels, movements, adjust, locations, create_location))]
pub struct Document;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LevelQuery {
    #[param(value_type = Option<String>)]
    variant_id: Option<VariantId>,
    #[param(value_type = Option<String>)]
    location_id: Option<LocationId>,
    /// Only those with fewer available.
    below: Option<i64>,
    /// A part of SKU or title.
    q: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// What is on hand, reserved and available.
#[utoipa::path(get, path = "/admin/inventory/levels", tag = "admin: inventory", params(LevelQuery), responses((status = 200, body = Page<Level>)))]
async fn levels(state: web::Data<State>, _: Staff<can::ReadInventory>, query: Query<LevelQuery>) -> Answer {
    let LevelQuery { variant_id, location_id, below, q, limit, cursor } = query.0;
    let filter = LevelFilter { variant_ids: variant_id.into_iter().collect(), location_id, below, q };
    ok(state.ports.stock.levels(filter, page(limit, cursor)?).await?)
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct MovementQuery {
    #[param(value_type = String)]
    variant_id: VariantId,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// What happened to the stock of a variant, newest first.
#[utoipa::path(get, path = "/admin/inventory/movements", tag = "admin: inventory", params(MovementQuery), responses((status = 200, body = Page<Movement>)))]
async fn movements(
    state: web::Data<State>,
    _: Staff<can::ReadInventory>,
    query: Query<MovementQuery>,
) -> Answer {
    let MovementQuery { variant_id, limit, cursor } = query.0;
    ok(state.ports.stock.movements(variant_id, page(limit, cursor)?).await?)
}

/// A change of what is on hand.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAdjustment {
    #[schema(value_type = String)]
    variant_id: VariantId,
    /// The default location when absent.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    location_id: Option<LocationId>,
    delta: i64,
    reason: String,
}

/// Books a change of what is on hand.
#[utoipa::path(post, path = "/admin/inventory/adjustments", tag = "admin: inventory", request_body = NewAdjustment,
    responses((status = 201, body = Level), (status = 409, description = "insufficient_stock")))]
async fn adjust(
    state: web::Data<State>,
    staff: Staff<can::WriteInventory>,
    key: MaybeKey,
    new: Body<NewAdjustment>,
) -> Answer {
    let NewAdjustment { variant_id, location_id, delta, reason } = new.0;
    let id = key.0.map_or_else(MovementId::new, |key| MovementId::derived(&format!("{}:{key}", staff.id())));
    let adjustment = Adjustment { id, variant_id, location_id, delta, reason, actor: staff.actor() };
    created(state.ports.stock.adjust(adjustment).await?)
}

/// Places where stock lies.
#[utoipa::path(get, path = "/admin/inventory/locations", tag = "admin: inventory", responses((status = 200, body = All<Location>)))]
async fn locations(state: web::Data<State>, _: Staff<can::ReadInventory>) -> Answer {
    all(state.ports.stock.locations().await?)
}

/// Adds a place.
#[utoipa::path(post, path = "/admin/inventory/locations", tag = "admin: inventory", request_body = NewLocation, responses((status = 201, body = Location)))]
async fn create_location(
    state: web::Data<State>,
    _: Staff<can::WriteInventory>,
    new: Body<NewLocation>,
) -> Answer {
    created(state.ports.stock.create_location(new.0).await?)
}

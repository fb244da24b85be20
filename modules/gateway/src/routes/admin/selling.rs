//! Promotions, taxes, shipping zones.

use actix_web::{HttpRequest, http::StatusCode, web};
use contracts::{
    cart::{NewPromotion, NewTaxRate, Promotion, TaxRate},
    shipping::{NewZone, Zone},
};
use shared::Page;

use crate::{
    app::State,
    auth::{Staff, can},
    body::Body,
    problem::Answer,
    query::{PageQuery, Query},
    router::{at, delete, get, post, put},
    routes::{All, all, created, id, if_match, no_content, ok, versioned},
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/admin/promotions", [get(promotions), post(create_promotion)]);
    at(config, "/admin/promotions/{id}", [get(promotion), put(update_promotion), delete(delete_promotion)]);
    at(config, "/admin/tax_rates", [get(tax_rates), post(put_tax_rate)]);
    at(config, "/admin/tax_rates/{id}", [delete(delete_tax_rate)]);
    at(config, "/admin/shipping_zones", [get(zones), post(create_zone)]);
    at(config, "/admin/shipping_zones/{id}", [put(update_zone), delete(delete_zone)]);
}

/// This file's part of the API document.
#[derive(utoipa::OpenApi)]
#[openapi(paths(
    promotions,
    create_promotion,
    promotion,
    update_promotion,
    delete_promotion,
    tax_rates,
    put_tax_rate,
    delete_tax_rate,
    zones,
    create_zone,
    update_zone,
    delete_zone
))]
pub struct Document;

/// Offers, newest first.
#[utoipa::path(get, path = "/admin/promotions", tag = "admin: selling", params(PageQuery), responses((status = 200, body = Page<Promotion>)))]
async fn promotions(
    state: web::Data<State>,
    _: Staff<can::ReadPromotions>,
    page: Query<PageQuery>,
) -> Answer {
    ok(state.ports.carts.promotions(page.0.request()?).await?)
}

/// Makes an offer.
#[utoipa::path(post, path = "/admin/promotions", tag = "admin: selling", request_body = NewPromotion,
    responses((status = 201, body = Promotion), (status = 409, description = "code_taken")))]
async fn create_promotion(
    state: web::Data<State>,
    _: Staff<can::WritePromotions>,
    new: Body<NewPromotion>,
) -> Answer {
    let promotion = state.ports.carts.create_promotion(new.0).await?;
    versioned(StatusCode::CREATED, promotion.version, promotion)
}

/// One offer.
#[utoipa::path(get, path = "/admin/promotions/{id}", tag = "admin: selling", params(("id" = String, Path)), responses((status = 200, body = Promotion)))]
async fn promotion(
    state: web::Data<State>,
    _: Staff<can::ReadPromotions>,
    path: web::Path<String>,
) -> Answer {
    let promotion = state.ports.carts.promotion(id(&path)?).await?;
    versioned(StatusCode::OK, promotion.version, promotion)
}

/// Replaces an offer.
#[utoipa::path(put, path = "/admin/promotions/{id}", tag = "admin: selling",
    params(("id" = String, Path), ("If-Match" = String, Header)), request_body = NewPromotion,
    responses((status = 200, body = Promotion), (status = 412, description = "version")))]
async fn update_promotion(
    state: web::Data<State>,
    request: HttpRequest,
    _: Staff<can::WritePromotions>,
    path: web::Path<String>,
    new: Body<NewPromotion>,
) -> Answer {
    let promotion = state.ports.carts.update_promotion(id(&path)?, new.0, if_match(&request)?).await?;
    versioned(StatusCode::OK, promotion.version, promotion)
}

/// Ends an offer.
#[utoipa::path(delete, path = "/admin/promotions/{id}", tag = "admin: selling", params(("id" = String, Path)), responses((status = 204)))]
async fn delete_promotion(
    state: web::Data<State>,
    _: Staff<can::WritePromotions>,
    path: web::Path<String>,
) -> Answer {
    state.ports.carts.delete_promotion(id(&path)?).await?;
    no_content()
}

/// Taxes by country.
#[utoipa::path(get, path = "/admin/tax_rates", tag = "admin: selling", responses((status = 200, body = All<TaxRate>)))]
async fn tax_rates(state: web::Data<State>, _: Staff<can::ReadSettings>) -> Answer {
    all(state.ports.carts.tax_rates().await?)
}

/// Sets the tax of a country, region and class.
#[utoipa::path(post, path = "/admin/tax_rates", tag = "admin: selling", request_body = NewTaxRate, responses((status = 201, body = TaxRate)))]
async fn put_tax_rate(
    state: web::Data<State>,
    _: Staff<can::WriteSettings>,
    new: Body<NewTaxRate>,
) -> Answer {
    created(state.ports.carts.put_tax_rate(new.0).await?)
}

/// Removes a tax.
#[utoipa::path(delete, path = "/admin/tax_rates/{id}", tag = "admin: selling", params(("id" = String, Path)), responses((status = 204)))]
async fn delete_tax_rate(
    state: web::Data<State>,
    _: Staff<can::WriteSettings>,
    path: web::Path<String>,
) -> Answer {
    state.ports.carts.delete_tax_rate(id(&path)?).await?;
    no_content()
}

/// Where the shop sends to, and how.
#[utoipa::path(get, path = "/admin/shipping_zones", tag = "admin: selling", responses((status = 200, body = All<Zone>)))]
async fn zones(state: web::Data<State>, _: Staff<can::ReadSettings>) -> Answer {
    all(state.ports.shipping.zones().await?)
}

/// Adds a zone.
#[utoipa::path(post, path = "/admin/shipping_zones", tag = "admin: selling", request_body = NewZone,
    responses((status = 201, body = Zone), (status = 409, description = "country_taken")))]
async fn create_zone(state: web::Data<State>, _: Staff<can::WriteSettings>, new: Body<NewZone>) -> Answer {
    created(state.ports.shipping.create_zone(new.0).await?)
}

/// Replaces a zone.
#[utoipa::path(put, path = "/admin/shipping_zones/{id}", tag = "admin: selling", params(("id" = String, Path)), request_body = NewZone,
    responses((status = 200, body = Zone)))]
async fn update_zone(
    state: web::Data<State>,
    _: Staff<can::WriteSettings>,
    path: web::Path<String>,
    new: Body<NewZone>,
) -> Answer {
    ok(state.ports.shipping.update_zone(id(&path)?, new.0).await?)
}

/// Removes a zone.
#[utoipa::path(delete, path = "/admin/shipping_zones/{id}", tag = "admin: selling", params(("id" = String, Path)), responses((status = 204)))]
async fn delete_zone(
    state: web::Data<State>,
    _: Staff<can::WriteSettings>,
    path: web::Path<String>,
) -> Answer {
    state.ports.shipping.delete_zone(id(&path)?).await?;
    no_content()
}

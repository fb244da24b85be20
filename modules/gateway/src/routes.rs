//! The resources, a file each. Handlers only translate: extract, call one port, wrap.

pub mod admin;
pub mod carts;
pub mod catalogue;
pub mod checkout;
pub mod content;
pub mod customers;
pub mod orders;
pub mod recommendations;
pub mod reviews;
pub mod sessions;
pub mod webhooks;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web,
};
use serde::Serialize;
use shared::{Error, Id, Kind, ids::Entity};

use crate::problem::{Answer, Problem};

/// All routes below `/api/v1`.
pub fn configure(config: &mut web::ServiceConfig) {
    catalogue::configure(config);
    carts::configure(config);
    checkout::configure(config);
    content::configure(config);
    orders::configure(config);
    recommendations::configure(config);
    customers::configure(config);
    sessions::configure(config);
    reviews::configure(config);
    webhooks::configure(config);
    admin::configure(config);
}

/// A list that has no pages.
#[derive(Serialize, utoipa::ToSchema)]
pub struct All<T> {
    /// The items.
    pub data: Vec<T>,
}

/// 200 with JSON.
fn ok(value: impl Serialize) -> Answer {
    Ok(HttpResponse::Ok().json(value))
}

/// 200 with all items.
fn all<T: Serialize>(data: Vec<T>) -> Answer {
    ok(All { data })
}

/// 201 with JSON.
fn created(value: impl Serialize) -> Answer {
    Ok(HttpResponse::Created().json(value))
}

/// 204.
fn no_content() -> Answer {
    Ok(HttpResponse::NoContent().finish())
}

/// JSON with the version as its `ETag`, for `If-Match` later.
fn versioned(status: StatusCode, version: i64, value: impl Serialize) -> Answer {
    Ok(HttpResponse::build(status).insert_header((header::ETAG, format!("\"{version}\""))).json(value))
}

/// An id in a path: what is not one leads nowhere.
pub fn id<E: Entity>(text: &str) -> Result<Id<E>, Problem> {
    text.parse().map_err(|_| Id::<E>::not_found().into())
}

/// The version in `If-Match`, where it is there.
fn if_match_given(request: &HttpRequest) -> Result<Option<i64>, Problem> {
    if request.headers().contains_key(header::IF_MATCH) { if_match(request) } else { Ok(None) }
}

/// The version in `If-Match`: required, so that nobody overwrites what they have not seen. `*` is any.
fn if_match(request: &HttpRequest) -> Result<Option<i64>, Problem> {
    let value = request.headers().get(header::IF_MATCH).and_then(|v| v.to_str().ok()).ok_or_else(|| {
        let detail = "send If-Match with the ETag that you have seen";
        Error::new(Kind::PreconditionRequired, "if_match_required", detail)
    })?;
    if value == "*" {
        return Ok(None);
    }
    let version = value.trim_start_matches("W/").trim_matches('"').parse();
    let mismatch =
        |_| Error::new(Kind::PreconditionFailed, "version", "this is not an ETag of this resource").into();
    version.map(Some).map_err(mismatch)
}

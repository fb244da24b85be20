//! Messages of payment providers.

use actix_web::{HttpRequest, HttpResponse, web};
use shared::values::Blob;

use crate::{
    app::State,
    body::{Limit, Raw},
    problem::Answer,
    router::{at_limited, post},
};

pub fn configure(config: &mut web::ServiceConfig) {
    at_limited(config, "/webhooks/{provider}", Limit(256 << 10), [post(receive)]);
}

/// This file's part of the API document.
#[derive(utoipa::OpenApi)]
#[openapi(paths(receive))]
pub struct Document;

/// Stores a provider's message; what it says happens right after. The signature covers the raw bytes.
#[utoipa::path(post, path = "/webhooks/{provider}", tag = "webhooks", params(("provider" = String, Path)),
    request_body = String, responses((status = 200), (status = 400, description = "invalid_signature")))]
async fn receive(
    state: web::Data<State>,
    request: HttpRequest,
    provider: web::Path<String>,
    body: Raw,
) -> Answer {
    let header = |name: &str| request.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let signature =
        header(&format!("{provider}-signature")).or_else(|| header("bodega-signature")).unwrap_or_default();
    state.ports.payments.webhook(provider.into_inner(), signature, Blob(body.0)).await?;
    Ok(HttpResponse::Ok().finish())
}

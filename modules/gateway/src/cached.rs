//! Public answers from memory: ready bytes, `ETag`, `If-None-Match`, pre-compressed bodies.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
};
use contracts::{
    customer::SessionsRevoked,
    product::{CategoryChanged, PricesChanged, ProductChanged, stock::StockChanged},
};
use serde::Serialize;
use shared::{
    Result,
    cache::{Cache, Entry, Fresh},
    events::Envelope,
};

use crate::{app::State, problem::Answer};

/// Everything that shows products.
pub const PRODUCTS: &str = "products";
/// Lists, facets, suggestions.
pub const LISTS: &str = "lists";
/// The category tree.
pub const CATEGORIES: &str = "categories";

/// The tag of one product.
pub fn product_tag(id: impl std::fmt::Display) -> String {
    format!("product:{id}")
}

/// Answers from memory, or loads, remembers and answers. `load` gives the value and the tags it depends on.
pub async fn answer<T: Serialize>(
    state: &State,
    request: &HttpRequest,
    key: &str,
    load: impl AsyncFnOnce() -> Result<(T, Vec<String>)>,
) -> Answer {
    let entry = state
        .cache
        .get_or_insert(key, async || {
            let (value, tags) = load().await?;
            Ok(Fresh { content_type: "application/json".to_owned(), body: serde_json::to_vec(&value)?, tags })
        })
        .await?;
    Ok(respond(request, &entry))
}

/// The entry, or 304, in the best encoding that the client takes.
pub fn respond(request: &HttpRequest, entry: &Arc<Entry>) -> HttpResponse {
    let text = |name| {
        request.headers().get(name).and_then(|v: &header::HeaderValue| v.to_str().ok()).unwrap_or_default()
    };
    let matches = |tag: &str| tag == "*" || tag.trim_start_matches("W/") == entry.etag;
    let known = text(header::IF_NONE_MATCH).split(',').map(str::trim).any(matches);
    let mut response = HttpResponse::build(if known { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
    response
        .insert_header((header::ETAG, entry.etag.as_str()))
        .insert_header((header::CACHE_CONTROL, "public, no-cache"))
        .insert_header((header::VARY, "Accept-Encoding, Authorization"));
    if known {
        return response.finish();
    }
    response.content_type(entry.content_type.as_str());
    let accepted = text(header::ACCEPT_ENCODING);
    let accepts = |coding: &str| accepted.split(',').any(|c| takes(c, coding));
    let (coding, body) = match (entry.brotli(), entry.gzip()) {
        (Some(body), _) if accepts("br") => ("br", body),
        (_, Some(body)) if accepts("gzip") => ("gzip", body),
        _ => return response.body(entry.body.clone()),
    };
    response.insert_header((header::CONTENT_ENCODING, coding)).body(body.clone())
}

/// One entry of `Accept-Encoding`: `gzip`, `gzip;q=0.5`, but not `gzip;q=0`.
fn takes(entry: &str, coding: &str) -> bool {
    let (name, quality) = entry.split_once(';').unwrap_or((entry, "q=1"));
    let quality = quality.trim().trim_start_matches("q=").parse::<f32>().unwrap_or(1.0);
    name.trim() == coding && quality > 0.0
}

/// Drops what an event makes stale. Called right after each commit in this process, and for events from others.
pub fn forget(cache: &Cache, verifier: &crate::auth::Verifier, event: &Envelope) {
    if event.is::<ProductChanged>() {
        if let Ok(changed) = event.parse::<ProductChanged>() {
            cache.drop_tag(&product_tag(changed.product_id));
        }
    } else if event.is::<StockChanged>() {
        for item in event.parse::<StockChanged>().map(|s| s.items).unwrap_or_default() {
            cache.drop_tag(&product_tag(item.product_id));
        }
    } else if event.is::<CategoryChanged>() {
        cache.drop_tag(CATEGORIES);
        cache.drop_tag(PRODUCTS);
        cache.drop_tag(LISTS);
    } else if event.is::<PricesChanged>() {
        cache.drop_tag(PRODUCTS);
        cache.drop_tag(LISTS);
    } else if event.is::<contracts::product::SearchUpdated>() {
        cache.drop_tag(LISTS);
        cache.drop_tag(CATEGORIES);
    } else if let Ok(revoked) = event.parse::<SessionsRevoked>()
        && event.is::<SessionsRevoked>()
    {
        verifier.revoke(&revoked.sessions);
    }
}

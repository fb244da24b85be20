//! Public answers from memory: ready bytes, `ETag`, `If-None-Match`, pre-compressed bodies.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
};
use contracts::{
    customer::SessionsRevoked,
    metadata::{DefinitionChanged, MetafieldsChanged, content::ContentChanged, settings::SettingsChanged},
    product::{CategoryChanged, PicturesReady, PricesChanged, ProductChanged, stock::StockChanged},
    review::{AggregateChanged, ReviewChanged},
};
use serde::Serialize;
use shared::{
    Result,
    cache::{Cache, Entry, Fresh, Negotiated},
    events::Envelope,
};

use crate::{app::State, problem::Answer};

/// Everything that shows products.
pub const PRODUCTS: &str = "products";
/// Lists, facets, suggestions.
pub const LISTS: &str = "lists";
/// The category tree.
pub const CATEGORIES: &str = "categories";

/// Pages and lists of pages.
pub const CONTENT: &str = "content";
/// What the shop says of itself.
pub const SETTINGS: &str = "settings";
/// Custom fields of anything.
pub const METAFIELDS: &str = "metafields";

/// The tag of one product.
pub fn product_tag(id: impl std::fmt::Display) -> String {
    format!("product:{id}")
}

/// The tag of the custom fields of one thing.
pub fn metafields_tag(id: impl std::fmt::Display) -> String {
    format!("metafields:{id}")
}

/// The tag of the reviews of one product.
pub fn reviews_tag(id: impl std::fmt::Display) -> String {
    format!("reviews:{id}")
}

/// Answers from memory, or loads, remembers and answers. `load` gives the value and the tags it depends on.
pub async fn answer<T: Serialize>(
    state: &State,
    request: &HttpRequest,
    key: &str,
    load: impl AsyncFnOnce() -> Result<(T, Vec<String>)>,
) -> Answer {
    answer_found(state, request, key, async || {
        let (value, tags) = load().await?;
        Ok((Found::Here(value), tags))
    })
    .await
}

/// What was asked for, or where it is now: its path below `/api/v1`.
pub enum Found<T> {
    Here(T),
    /// Without something that is not essential and cannot be had now.
    Partly(T),
    Moved(String),
}

/// Marks an entry that only says where something is now.
const MOVED: &str = "bodega/moved";

/// The same for what may have another address by now: 301.
pub async fn answer_found<T: Serialize>(
    state: &State,
    request: &HttpRequest,
    key: &str,
    load: impl AsyncFnOnce() -> Result<(Found<T>, Vec<String>)>,
) -> Answer {
    let entry = state
        .cache
        .get_or_insert(key, async || {
            let (found, tags) = load().await?;
            let partial = matches!(found, Found::Partly(_));
            let (content_type, body) = match found {
                Found::Here(value) | Found::Partly(value) => {
                    ("application/json", serde_json::to_vec(&value)?)
                }
                Found::Moved(path) => (MOVED, path.into_bytes()),
            };
            Ok(Fresh { content_type: content_type.to_owned(), body, tags, partial, ..Fresh::default() })
        })
        .await?;
    if entry.content_type == MOVED {
        return Ok(moved(&String::from_utf8_lossy(&entry.body)));
    }
    Ok(respond(request, &entry))
}

/// 301 to a path below `/api/v1`. Asked again each time: a slug may come back to what had it before.
pub fn moved(path: &str) -> HttpResponse {
    HttpResponse::MovedPermanently()
        .insert_header((header::LOCATION, format!("/api/v1{path}")))
        .insert_header((header::CACHE_CONTROL, "public, no-cache"))
        .finish()
}

/// The entry, or 304, in the best encoding that the client takes.
pub fn respond(request: &HttpRequest, entry: &Entry) -> HttpResponse {
    let text = |name| {
        request.headers().get(name).and_then(|v: &header::HeaderValue| v.to_str().ok()).unwrap_or_default()
    };
    let negotiated = entry.negotiate(text(header::IF_NONE_MATCH), text(header::ACCEPT_ENCODING));
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::ETAG, entry.etag.as_str()))
        .insert_header((header::CACHE_CONTROL, "public, no-cache"))
        .insert_header((header::VARY, "Accept-Encoding, Authorization"));
    match negotiated {
        Negotiated::NotModified => response.status(StatusCode::NOT_MODIFIED).finish(),
        Negotiated::Body { coding, body } => {
            if let Some(coding) = coding {
                response.insert_header((header::CONTENT_ENCODING, coding));
            }
            response.content_type(entry.content_type.as_str()).body(body)
        }
    }
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
    } else if event.is::<CategoryChanged>() || event.is::<PicturesReady>() {
        cache.drop_tag(CATEGORIES);
        cache.drop_tag(PRODUCTS);
        cache.drop_tag(LISTS);
    } else if event.is::<PricesChanged>() {
        cache.drop_tag(PRODUCTS);
        cache.drop_tag(LISTS);
    } else if event.is::<contracts::product::SearchUpdated>() {
        cache.drop_tag(LISTS);
        cache.drop_tag(CATEGORIES);
    } else if event.is::<MetafieldsChanged>() {
        if let Ok(changed) = event.parse::<MetafieldsChanged>() {
            cache.drop_tag(&product_tag(&changed.entity_id));
            cache.drop_tag(&metafields_tag(&changed.entity_id));
        }
    } else if event.is::<DefinitionChanged>() {
        cache.drop_tag(METAFIELDS);
        cache.drop_tag(PRODUCTS);
    } else if event.is::<ContentChanged>() {
        cache.drop_tag(CONTENT);
    } else if event.is::<SettingsChanged>() {
        cache.drop_tag(SETTINGS);
    } else if event.is::<ReviewChanged>() {
        if let Ok(changed) = event.parse::<ReviewChanged>() {
            cache.drop_tag(&reviews_tag(changed.product_id));
        }
    } else if event.is::<AggregateChanged>() {
        if let Ok(changed) = event.parse::<AggregateChanged>() {
            cache.drop_tag(&reviews_tag(changed.product_id));
        }
    } else if let Ok(revoked) = event.parse::<SessionsRevoked>()
        && event.is::<SessionsRevoked>()
    {
        verifier.revoke(&revoked.sessions);
    }
}

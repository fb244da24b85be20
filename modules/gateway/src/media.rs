//! Pictures.

use actix_web::{
    HttpRequest,
    http::header::{CACHE_CONTROL, HeaderValue},
    web,
};
use shared::cache::Fresh;

use crate::{
    app::State,
    cached,
    problem::Answer,
    router::{at, get},
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/media/{file}", [get(picture)]);
}

async fn picture(state: web::Data<State>, request: HttpRequest, file: web::Path<String>) -> Answer {
    let entry = state
        .cache
        .get_or_insert(&format!("media:{file}"), async || {
            let media = state.ports.products.media(file.to_string()).await?;
            let body = media.content.0.to_vec();
            Ok(Fresh { content_type: media.content_type, body, ..Fresh::default() })
        })
        .await?;
    let mut response = cached::respond(&request, &entry);
    let keep = if is_named_by_content(&file) {
        "public, max-age=31536000, immutable"
    } else {
        "public, max-age=86400"
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(keep));
    Ok(response)
}

/// The name of an upload, and of its smaller forms, begins with a digest. A picture that an import has named may be
/// replaced.
fn is_named_by_content(file: &str) -> bool {
    let (digest, rest) = file.split_at_checked(16).unwrap_or(("", ""));
    digest.len() == 16 && digest.bytes().all(|b| b.is_ascii_hexdigit()) && rest.starts_with(['.', '-'])
}

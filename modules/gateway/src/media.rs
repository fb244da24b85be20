//! Pictures.

use actix_web::{HttpRequest, web};
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
    let forever = actix_web::http::header::HeaderValue::from_static("public, max-age=86400");
    response.headers_mut().insert(actix_web::http::header::CACHE_CONTROL, forever);
    Ok(response)
}

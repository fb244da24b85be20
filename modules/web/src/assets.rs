//! Style sheets, scripts, icons and the font: embedded, named after their content, compressed when they were built.

use std::borrow::Cow;

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use rust_embed::RustEmbed;

/// Names and hashed names; see `build.rs`.
const NAMES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/names.rs"));

#[derive(RustEmbed)]
#[folder = "$OUT_DIR/assets"]
struct Files;

/// Where an asset is served, such as `/assets/app.0123456789abcdef.css`. Panics for a name that is not there: a bug.
pub fn path(name: &str) -> String {
    let hashed = NAMES.iter().find(|(known, _)| *known == name).map(|(_, hashed)| hashed);
    format!("/assets/{}", hashed.unwrap_or_else(|| panic!("there is no asset {name}")))
}

pub fn configure(config: &mut web::ServiceConfig) {
    config.service(web::resource("/assets/{name}").route(crate::app::get(serve)));
}

async fn serve(request: HttpRequest, name: web::Path<String>) -> Result<HttpResponse, crate::Fault> {
    if name.ends_with(".br") || name.ends_with(".gz") || !NAMES.iter().any(|(_, hashed)| *hashed == *name) {
        return Err(crate::Fault::not_found());
    }
    let accepted =
        request.headers().get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let packed = [("br", "br"), ("gzip", "gz")]
        .into_iter()
        .filter(|(coding, _)| accepted.split(',').any(|entry| entry.trim() == *coding))
        .find_map(|(coding, suffix)| Some((coding, Files::get(&format!("{name}.{suffix}"))?)));
    let mut response = HttpResponse::Ok();
    response
        .content_type(media_type(&name))
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((header::VARY, "Accept-Encoding"));
    let file = match packed {
        Some((coding, file)) => {
            response.insert_header((header::CONTENT_ENCODING, coding));
            file
        }
        None => Files::get(&name).ok_or_else(crate::Fault::not_found)?,
    };
    Ok(match file.data {
        Cow::Borrowed(bytes) => response.body(web::Bytes::from_static(bytes)),
        Cow::Owned(bytes) => response.body(bytes),
    })
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        "webp" => "image/webp",
        "png" => "image/png",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

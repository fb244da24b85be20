//! The API document, generated from the handlers, and a page that shows it without the internet.

use actix_web::{HttpResponse, http::header, web};
use shared::Error;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Components, ContentBuilder, Ref, ResponseBuilder, SecurityRequirement,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use crate::{
    middleware::Page,
    problem::{Answer, CONTENT_TYPE, of_status},
    router::{at, get},
    routes,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Bodega",
        description = "The API of the shop. Money is in minor units; times are RFC 3339 in UTC; lists have cursors; errors are problem documents with a stable `code`. See docs/API.md.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    servers((url = "/api/v1")),
    components(schemas(ProblemDocument, contracts::product::Sort)),
    modifiers(&Everywhere)
)]
struct Base;

/// An answer that is not a success (RFC 9457).
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the document that problem.rs writes member by member")]
struct ProblemDocument {
    /// `urn:bodega:problem:<code>`.
    #[schema(rename = "type")]
    kind: String,
    title: String,
    status: u16,
    /// Stable: match on it.
    code: String,
    detail: String,
    instance: String,
    trace_id: Option<String>,
    errors: Vec<shared::error::FieldError>,
}

/// What is true of every operation.
struct Everywhere;

impl Modify for Everywhere {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        let components = document.components.get_or_insert_with(Components::new);
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// The OpenAPI 3.1 document.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = Base::openapi()
        .merge_from(routes::admin::catalogue::Document::openapi())
        .merge_from(routes::admin::content::Document::openapi())
        .merge_from(routes::admin::inventory::Document::openapi())
        .merge_from(routes::admin::metafields::Document::openapi())
        .merge_from(routes::admin::orders::Document::openapi())
        .merge_from(routes::admin::people::Document::openapi())
        .merge_from(routes::admin::recommendations::Document::openapi())
        .merge_from(routes::admin::reviews::Document::openapi())
        .merge_from(routes::admin::selling::Document::openapi())
        .merge_from(routes::admin::system::Document::openapi())
        .merge_from(routes::carts::Document::openapi())
        .merge_from(routes::catalogue::Document::openapi())
        .merge_from(routes::checkout::Document::openapi())
        .merge_from(routes::content::Document::openapi())
        .merge_from(routes::customers::Document::openapi())
        .merge_from(routes::orders::Document::openapi())
        .merge_from(routes::recommendations::Document::openapi())
        .merge_from(routes::reviews::Document::openapi())
        .merge_from(routes::sessions::Document::openapi())
        .merge_from(routes::webhooks::Document::openapi());
    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("ProblemDocument"))).build();
    let default =
        ResponseBuilder::new().description("A problem document").content(CONTENT_TYPE, problem).build();
    for item in document.paths.paths.values_mut() {
        for operation in [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete]
            .into_iter()
            .flatten()
        {
            operation.responses.responses.insert("default".to_owned(), default.clone().into());
            let staff = operation.tags.iter().flatten().any(|tag| tag.starts_with("admin"));
            if staff {
                operation.security = Some(vec![SecurityRequirement::new("bearer", Vec::<String>::new())]);
            }
        }
    }
    document
}

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/api/v1/openapi.json", [get(json)]);
    at(config, "/api/docs", [get(to_page)]);
    at(config, "/api/docs/{file:.*}", [get(page)]);
    at(config, "/oauth/jwks.json", [get(jwks)]);
}

async fn json() -> HttpResponse {
    HttpResponse::Ok().json(document())
}

async fn jwks(state: web::Data<crate::app::State>) -> Answer {
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .json(state.ports.customers.jwks().await?))
}

async fn to_page() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/api/docs/")).finish()
}

/// Swagger UI from the binary.
async fn page(file: web::Path<String>) -> Answer {
    let file = if file.is_empty() { "index.html" } else { file.as_str() };
    let config = std::sync::Arc::new(utoipa_swagger_ui::Config::from("/api/v1/openapi.json"));
    let found = utoipa_swagger_ui::serve(file, config).map_err(|e| Error::internal(e.to_string()))?;
    let found = found.ok_or_else(|| of_status(actix_web::http::StatusCode::NOT_FOUND))?;
    let mut response =
        HttpResponse::Ok().content_type(found.content_type.as_str()).body(found.bytes.into_owned());
    let policy =
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, header::HeaderValue::from_static(policy));
    response.extensions_mut().insert(Page);
    Ok(response)
}

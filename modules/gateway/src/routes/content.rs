//! Pages, the journal, what the shop says of itself, and custom fields that shoppers see.

use actix_web::{HttpRequest, web};
use contracts::metadata::{
    Metafields, Owner, Visibility,
    content::{PageKind, PageSummary, PageView},
    settings::ShopSettings,
};
use serde::Deserialize;
use shared::{Error, Page, values::Locale};

use crate::{
    app::State,
    cached::{self, CONTENT, Found, METAFIELDS, SETTINGS},
    problem::{Answer, Problem},
    query::{Query, page},
    router::{at, get},
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/pages", [get(pages)]);
    at(config, "/pages/{slug}", [get(one_page)]);
    at(config, "/shop", [get(shop)]);
    at(config, "/metafields/{owner}/{id}", [get(fields)]);
}

/// This file's part of the API document.
#[derive(utoipa::OpenApi)]
#[openapi(paths(pages, one_page, shop, fields))]
pub struct Document;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PagesQuery {
    /// `page` when absent.
    kind: Option<PageKind>,
    /// `de`; pages without words in it come in the shop's first language.
    locale: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Published pages: of the journal newest first, others by title.
#[utoipa::path(get, path = "/pages", tag = "content", params(PagesQuery), responses((status = 200, body = Page<PageSummary>)))]
async fn pages(state: web::Data<State>, request: HttpRequest, query: Query<PagesQuery>) -> Answer {
    let PagesQuery { kind, locale, limit, cursor } = query.0;
    let (kind, locale, page) = (kind.unwrap_or(PageKind::Page), parsed(locale)?, page(limit, cursor)?);
    let key = format!("pages:{}", serde_json::to_string(&(kind, &locale, &page)).map_err(Error::from)?);
    let load = async || Ok((state.ports.metadata.pages(kind, locale, page).await?, vec![CONTENT.to_owned()]));
    cached::answer(&state, &request, &key, load).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LocaleQuery {
    locale: Option<String>,
}

/// One published page. A former slug answers 301.
#[utoipa::path(get, path = "/pages/{slug}", tag = "content", params(
    ("slug" = String, Path), ("locale" = Option<String>, Query, description = "such as de"),
), responses((status = 200, body = PageView), (status = 301, description = "the slug has changed")))]
async fn one_page(
    state: web::Data<State>,
    request: HttpRequest,
    slug: web::Path<String>,
    query: Query<LocaleQuery>,
) -> Answer {
    let locale = parsed(query.0.locale)?;
    let key = format!("content:{slug}:{}", serde_json::to_string(&locale).map_err(Error::from)?);
    let load = async || {
        let view = state.ports.metadata.page(slug.to_string(), locale).await?;
        let found = match view.summary.slug == *slug {
            true => Found::Here(view),
            false => Found::Moved(format!("/pages/{}", view.summary.slug)),
        };
        Ok((found, vec![CONTENT.to_owned()]))
    };
    cached::answer_found(&state, &request, &key, load).await
}

/// What the shop says of itself.
#[utoipa::path(get, path = "/shop", tag = "content", responses((status = 200, body = ShopSettings)))]
async fn shop(state: web::Data<State>, request: HttpRequest) -> Answer {
    let load = async || Ok((state.ports.metadata.settings().await?.settings, vec![SETTINGS.to_owned()]));
    cached::answer(&state, &request, "shop", load).await
}

/// The custom fields of a product, variant, category, collection or page that shoppers see.
#[utoipa::path(get, path = "/metafields/{owner}/{id}", tag = "content",
    params(("owner" = Owner, Path), ("id" = String, Path)), responses((status = 200, body = Metafields)))]
async fn fields(state: web::Data<State>, request: HttpRequest, path: web::Path<(String, String)>) -> Answer {
    let (owner, id) = path.into_inner();
    let owner = self::owner(&owner)?;
    if matches!(owner, Owner::Customer | Owner::Order) {
        return Err(Error::not_found(owner.as_str()).into());
    }
    let key = format!("metafields:{}:{id}", owner.as_str());
    let load = async || {
        let mut found = state.ports.metadata.fields(owner, id.clone()).await?;
        found.fields.retain(|field| field.visibility == Visibility::Storefront);
        Ok((found, vec![METAFIELDS.to_owned(), cached::metafields_tag(&id)]))
    };
    cached::answer(&state, &request, &key, load).await
}

/// The owner in a path.
pub fn owner(text: &str) -> Result<Owner, Problem> {
    serde_json::from_value(text.into()).map_err(|_| Error::not_found("kind of entity").into())
}

fn parsed(locale: Option<String>) -> Result<Option<Locale>, Problem> {
    let parsed = locale.map(|text| text.parse::<Locale>()).transpose();
    parsed.map_err(|error| Error::invalid("?locale", "locale", error.detail).into())
}

//! Content pages and the shop's settings.

use actix_web::{HttpRequest, http::StatusCode, web};
use contracts::metadata::{
    content::{ContentPage, NewPage, PageFilter, PageKind, PagePatch, PageStatus},
    settings::{SettingsChange, SettingsPatch, StoredSettings},
};
use serde::{Deserialize, Serialize};
use shared::{Error, Page};

use crate::{
    app::State,
    auth::{Staff, can},
    body::{Body, Limit},
    problem::Answer,
    query::{PageQuery, Query, page},
    router::{at, at_limited, delete, get, patch, post},
    routes::{id, if_match, no_content, ok, versioned},
};

/// A page of 100,000 characters in several languages.
const PAGE: Limit = Limit(2 << 20);

pub fn configure(config: &mut web::ServiceConfig) {
    at_limited(config, "/admin/pages", PAGE, [get(list), post(create)]);
    at_limited(config, "/admin/pages/preview", PAGE, [post(preview)]);
    at_limited(config, "/admin/pages/{id}", PAGE, [get(find), patch(update), delete(remove)]);
    at(config, "/admin/settings", [get(settings), patch(change)]);
    at(config, "/admin/settings/history", [get(history)]);
    at(config, "/admin/settings/history/{version}/restore", [post(restore)]);
}

/// This file's part of the API document.
#[derive(utoipa::OpenApi)]
#[openapi(paths(list, create, preview, find, update, remove, settings, change, history, restore))]
pub struct Document;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// A part of slug or title.
    q: Option<String>,
    kind: Option<PageKind>,
    status: Option<PageStatus>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Pages, drafts too, newest first.
#[utoipa::path(get, path = "/admin/pages", tag = "admin: content", params(ListQuery), responses((status = 200, body = Page<ContentPage>)))]
async fn list(state: web::Data<State>, _: Staff<can::ReadSettings>, query: Query<ListQuery>) -> Answer {
    let ListQuery { q, kind, status, limit, cursor } = query.0;
    ok(state.ports.metadata.list_pages(PageFilter { q, kind, status }, page(limit, cursor)?).await?)
}

/// Creates a page.
#[utoipa::path(post, path = "/admin/pages", tag = "admin: content", request_body = NewPage,
    responses((status = 201, body = ContentPage), (status = 409, description = "slug_taken")))]
async fn create(state: web::Data<State>, _: Staff<can::WriteSettings>, new: Body<NewPage>) -> Answer {
    let page = state.ports.metadata.create_page(new.0).await?;
    versioned(StatusCode::CREATED, page.version, page)
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Markdown {
    markdown: String,
}

#[derive(Serialize, utoipa::ToSchema)]
struct Rendered {
    html: String,
}

/// Markdown as a page would show it.
#[utoipa::path(post, path = "/admin/pages/preview", tag = "admin: content", request_body = Markdown, responses((status = 200, body = Rendered)))]
async fn preview(state: web::Data<State>, _: Staff<can::ReadSettings>, body: Body<Markdown>) -> Answer {
    ok(Rendered { html: state.ports.metadata.render(body.0.markdown).await? })
}

/// One page in all its languages.
#[utoipa::path(get, path = "/admin/pages/{id}", tag = "admin: content", params(("id" = String, Path)), responses((status = 200, body = ContentPage)))]
async fn find(state: web::Data<State>, _: Staff<can::ReadSettings>, path: web::Path<String>) -> Answer {
    let page = state.ports.metadata.find_page(id(&path)?).await?;
    versioned(StatusCode::OK, page.version, page)
}

/// Changes a page that nobody else has changed meanwhile.
#[utoipa::path(patch, path = "/admin/pages/{id}", tag = "admin: content",
    params(("id" = String, Path), ("If-Match" = String, Header)), request_body = PagePatch,
    responses((status = 200, body = ContentPage), (status = 412, description = "version")))]
async fn update(
    state: web::Data<State>,
    request: HttpRequest,
    _: Staff<can::WriteSettings>,
    path: web::Path<String>,
    patch: Body<PagePatch>,
) -> Answer {
    let page = state.ports.metadata.update_page(id(&path)?, patch.0, if_match(&request)?).await?;
    versioned(StatusCode::OK, page.version, page)
}

/// Removes a page.
#[utoipa::path(delete, path = "/admin/pages/{id}", tag = "admin: content", params(("id" = String, Path)), responses((status = 204)))]
async fn remove(state: web::Data<State>, _: Staff<can::WriteSettings>, path: web::Path<String>) -> Answer {
    state.ports.metadata.delete_page(id(&path)?).await?;
    no_content()
}

/// What the shop says of itself.
#[utoipa::path(get, path = "/admin/settings", tag = "admin: settings", responses((status = 200, body = StoredSettings)))]
async fn settings(state: web::Data<State>, _: Staff<can::ReadSettings>) -> Answer {
    let settings = state.ports.metadata.settings().await?;
    versioned(StatusCode::OK, settings.version, settings)
}

/// Changes settings that nobody else has changed meanwhile.
#[utoipa::path(patch, path = "/admin/settings", tag = "admin: settings", params(("If-Match" = String, Header)),
    request_body = SettingsPatch, responses((status = 200, body = StoredSettings), (status = 412, description = "version")))]
async fn change(
    state: web::Data<State>,
    request: HttpRequest,
    staff: Staff<can::WriteSettings>,
    patch: Body<SettingsPatch>,
) -> Answer {
    let changed = state.ports.metadata.update_settings(patch.0, if_match(&request)?, staff.actor()).await?;
    versioned(StatusCode::OK, changed.version, changed)
}

/// Who changed what, newest first.
#[utoipa::path(get, path = "/admin/settings/history", tag = "admin: settings", params(PageQuery), responses((status = 200, body = Page<SettingsChange>)))]
async fn history(state: web::Data<State>, _: Staff<can::ReadSettings>, query: Query<PageQuery>) -> Answer {
    ok(state.ports.metadata.settings_history(query.0.request()?).await?)
}

/// Makes what was in force at a version the newest version; 0 is the configuration's.
#[utoipa::path(post, path = "/admin/settings/history/{version}/restore", tag = "admin: settings",
    params(("version" = i64, Path), ("If-Match" = String, Header)), responses((status = 200, body = StoredSettings)))]
async fn restore(
    state: web::Data<State>,
    request: HttpRequest,
    staff: Staff<can::WriteSettings>,
    path: web::Path<String>,
) -> Answer {
    let missing = |_| Error::not_found("version of the settings");
    let version = path.parse().map_err(missing)?;
    let restored = state.ports.metadata.restore_settings(version, if_match(&request)?, staff.actor()).await?;
    versioned(StatusCode::OK, restored.version, restored)
}

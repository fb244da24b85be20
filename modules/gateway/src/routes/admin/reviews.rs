//! Moderation.

use actix_web::{HttpRequest, http::StatusCode, web};
use contracts::{
    product::ProductId,
    review::{ModeratedReview, QueueFilter, Report, ReviewStatus},
};
use serde::Deserialize;
use shared::Page;

use crate::{
    app::State,
    auth::{Staff, can},
    body::Body,
    problem::Answer,
    query::{Query, page},
    router::{at, get, post, put},
    routes::{All, all, id, if_match_given, ok, versioned},
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/admin/reviews", [get(queue)]);
    at(config, "/admin/reviews/{id}", [get(find)]);
    at(config, "/admin/reviews/{id}/reports", [get(reports)]);
    at(config, "/admin/reviews/{id}/approve", [post(approve)]);
    at(config, "/admin/reviews/{id}/reject", [post(reject)]);
    at(config, "/admin/reviews/{id}/reopen", [post(reopen)]);
    at(config, "/admin/reviews/{id}/reply", [put(reply)]);
}

/// This file's part of the API document.
#[derive(utoipa::OpenApi)]
#[openapi(paths(queue, find, reports, approve, reject, reopen, reply))]
pub struct Document;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct QueueQuery {
    status: Option<ReviewStatus>,
    #[param(value_type = Option<String>)]
    product_id: Option<ProductId>,
    /// Only those that somebody has reported.
    reported: Option<bool>,
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Reviews to look at, the last change first.
#[utoipa::path(get, path = "/admin/reviews", tag = "admin: reviews", params(QueueQuery), responses((status = 200, body = Page<ModeratedReview>)))]
async fn queue(state: web::Data<State>, _: Staff<can::ReadReviews>, query: Query<QueueQuery>) -> Answer {
    let QueueQuery { status, product_id, reported, limit, cursor } = query.0;
    let filter = QueueFilter { status, product_id, reported: reported.unwrap_or_default() };
    ok(state.ports.reviews.queue(filter, page(limit, cursor)?).await?)
}

/// One review.
#[utoipa::path(get, path = "/admin/reviews/{id}", tag = "admin: reviews", params(("id" = String, Path)), responses((status = 200, body = ModeratedReview)))]
async fn find(state: web::Data<State>, _: Staff<can::ReadReviews>, path: web::Path<String>) -> Answer {
    let found = state.ports.reviews.find(id(&path)?).await?;
    versioned(StatusCode::OK, found.review.version, found)
}

/// What was said against it, newest first.
#[utoipa::path(get, path = "/admin/reviews/{id}/reports", tag = "admin: reviews", params(("id" = String, Path)), responses((status = 200, body = All<Report>)))]
async fn reports(state: web::Data<State>, _: Staff<can::ReadReviews>, path: web::Path<String>) -> Answer {
    all(state.ports.reviews.reports(id(&path)?).await?)
}

/// Makes it public and dismisses what was said against it. `If-Match` may name the version that was read.
#[utoipa::path(post, path = "/admin/reviews/{id}/approve", tag = "admin: reviews", params(("id" = String, Path)),
    responses((status = 200, body = ModeratedReview), (status = 412, description = "version")))]
async fn approve(
    state: web::Data<State>,
    request: HttpRequest,
    staff: Staff<can::WriteReviews>,
    path: web::Path<String>,
) -> Answer {
    let seen = if_match_given(&request)?;
    let decided = state.ports.reviews.approve(id(&path)?, seen, staff.actor()).await?;
    versioned(StatusCode::OK, decided.review.version, decided)
}

/// Why it is not let in.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Rejection {
    /// The author reads it. 1..=1,000 characters.
    reason: String,
}

/// Takes it away, or does not let it in. `If-Match` may name the version that was read.
#[utoipa::path(post, path = "/admin/reviews/{id}/reject", tag = "admin: reviews", params(("id" = String, Path)), request_body = Rejection,
    responses((status = 200, body = ModeratedReview), (status = 412, description = "version")))]
async fn reject(
    state: web::Data<State>,
    request: HttpRequest,
    staff: Staff<can::WriteReviews>,
    path: web::Path<String>,
    body: Body<Rejection>,
) -> Answer {
    let seen = if_match_given(&request)?;
    let decided = state.ports.reviews.reject(id(&path)?, body.0.reason, seen, staff.actor()).await?;
    versioned(StatusCode::OK, decided.review.version, decided)
}

/// Takes a decision back: the review waits again. `If-Match` may name the version that was read.
#[utoipa::path(post, path = "/admin/reviews/{id}/reopen", tag = "admin: reviews", params(("id" = String, Path)),
    responses((status = 200, body = ModeratedReview), (status = 412, description = "version")))]
async fn reopen(
    state: web::Data<State>,
    request: HttpRequest,
    staff: Staff<can::WriteReviews>,
    path: web::Path<String>,
) -> Answer {
    let seen = if_match_given(&request)?;
    let reopened = state.ports.reviews.reopen(id(&path)?, seen, staff.actor()).await?;
    versioned(StatusCode::OK, reopened.review.version, reopened)
}

/// The shop's public answer.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewReply {
    /// 1..=2,000 characters; null takes the answer back.
    text: Option<String>,
}

/// Answers in public, in place of the last answer. `If-Match` may name the version that was read.
#[utoipa::path(put, path = "/admin/reviews/{id}/reply", tag = "admin: reviews", params(("id" = String, Path)), request_body = NewReply,
    responses((status = 200, body = ModeratedReview), (status = 412, description = "version")))]
async fn reply(
    state: web::Data<State>,
    request: HttpRequest,
    _: Staff<can::WriteReviews>,
    path: web::Path<String>,
    body: Body<NewReply>,
) -> Answer {
    let seen = if_match_given(&request)?;
    let answered = state.ports.reviews.reply(id(&path)?, body.0.text, seen).await?;
    versioned(StatusCode::OK, answered.review.version, answered)
}

//! What customers think of products.

use actix_web::{HttpRequest, http::StatusCode, web};
use contracts::{
    product::{PriceContext, ProductId},
    review::{NewReport, NewReview, ProductReviews, Review, ReviewFilter, ReviewPatch, ReviewSort},
};
use serde::Deserialize;
use shared::{Page, Result, limits::Limited};

use super::{catalogue::stars, id, no_content, ok, versioned};
use crate::{
    app::State,
    auth::CurrentCustomer,
    body::Body,
    cached::{self, PRODUCTS},
    limits,
    problem::{Answer, Problem},
    query::{PageQuery, Query, page},
    router::{at, delete, get, patch, post, put},
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/products/{key}/reviews", [get(list), post(create)]);
    at(config, "/customers/me/reviews", [get(own)]);
    at(config, "/reviews/{id}", [patch(update), delete(remove)]);
    at(config, "/reviews/{id}/vote", [put(vote), delete(unvote)]);
    at(config, "/reviews/{id}/reports", [post(report)]);
}

/// This file's part of the API document.
#[derive(utoipa::OpenApi)]
#[openapi(paths(list, create, own, update, remove, vote, unvote, report), components(schemas(ReviewSort)))]
pub struct Document;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    sort: Option<ReviewSort>,
    /// Only those with so many stars.
    #[param(value_type = Option<u8>, minimum = 1, maximum = 5)]
    rating: Option<String>,
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    cursor: Option<String>,
}

/// The approved reviews of a product, with average and histogram of all of them.
#[utoipa::path(get, path = "/products/{key}/reviews", tag = "reviews",
    params(("key" = String, Path, description = "id or slug"), ListQuery), responses((status = 200, body = ProductReviews)))]
async fn list(
    state: web::Data<State>,
    request: HttpRequest,
    key: web::Path<String>,
    query: Query<ListQuery>,
) -> Answer {
    let ListQuery { sort, rating, limit, cursor } = query.0;
    let rating = rating.map(|rating| stars("rating", &rating)).transpose()?;
    let filter = ReviewFilter { sort: sort.unwrap_or_default(), rating };
    let page = page(limit, cursor)?;
    let cache_key = format!(
        "reviews:{key}:{:?}:{:?}:{}:{}",
        filter.sort,
        filter.rating,
        page.limit,
        page.cursor.as_deref().unwrap_or_default()
    );
    let load = async || {
        let product = product(&state, &key).await?;
        let reviews = state.ports.reviews.list(product, filter, page).await?;
        let tags = [cached::reviews_tag(product), cached::product_tag(product), PRODUCTS.to_owned()];
        Ok((reviews, tags.to_vec()))
    };
    cached::answer(&state, &request, &cache_key, load).await
}

/// The published product with this id or slug.
async fn product(state: &State, key: &str) -> Result<ProductId> {
    let context = PriceContext { currency: state.settings.currencies[0], group: None };
    Ok(state.ports.products.view(key.to_owned(), context).await?.id)
}

/// Counts a request that changes reviews.
async fn limited(state: &State, request: &HttpRequest) -> Result<(), Problem> {
    Ok(state.limits.check(Limited::Review, limits::address(request)).await?)
}

/// Writes one's review of a product: one each.
#[utoipa::path(post, path = "/products/{key}/reviews", tag = "reviews",
    params(("key" = String, Path, description = "id or slug")), request_body = NewReview,
    responses((status = 201, body = Review), (status = 409, description = "review_exists, with review_id")))]
async fn create(
    state: web::Data<State>,
    request: HttpRequest,
    customer: CurrentCustomer,
    key: web::Path<String>,
    new: Body<NewReview>,
) -> Answer {
    limited(&state, &request).await?;
    let product = product(&state, &key).await?;
    let review = state.ports.reviews.create(product, new.0, customer.0.sub).await?;
    versioned(StatusCode::CREATED, review.version, review)
}

/// One's own reviews in any status, newest first.
#[utoipa::path(get, path = "/customers/me/reviews", tag = "reviews", params(PageQuery), responses((status = 200, body = Page<Review>)))]
async fn own(state: web::Data<State>, customer: CurrentCustomer, query: Query<PageQuery>) -> Answer {
    ok(state.ports.reviews.of_customer(customer.0.sub, query.0.request()?).await?)
}

/// Changes one's own review, which waits for approval again.
#[utoipa::path(patch, path = "/reviews/{id}", tag = "reviews", params(("id" = String, Path)), request_body = ReviewPatch,
    responses((status = 200, body = Review)))]
async fn update(
    state: web::Data<State>,
    request: HttpRequest,
    customer: CurrentCustomer,
    path: web::Path<String>,
    patch: Body<ReviewPatch>,
) -> Answer {
    limited(&state, &request).await?;
    let review = state.ports.reviews.update(id(&path)?, patch.0, customer.0.sub).await?;
    versioned(StatusCode::OK, review.version, review)
}

/// Deletes one's own review.
#[utoipa::path(delete, path = "/reviews/{id}", tag = "reviews", params(("id" = String, Path)), responses((status = 204)))]
async fn remove(state: web::Data<State>, customer: CurrentCustomer, path: web::Path<String>) -> Answer {
    state.ports.reviews.delete(id(&path)?, customer.0.sub).await?;
    no_content()
}

/// Finds somebody else's review helpful, once.
#[utoipa::path(put, path = "/reviews/{id}/vote", tag = "reviews", params(("id" = String, Path)),
    responses((status = 200, body = Review), (status = 403, description = "own_review")))]
async fn vote(
    state: web::Data<State>,
    request: HttpRequest,
    customer: CurrentCustomer,
    path: web::Path<String>,
) -> Answer {
    limited(&state, &request).await?;
    ok(state.ports.reviews.vote(id(&path)?, customer.0.sub).await?)
}

/// Takes the vote back.
#[utoipa::path(delete, path = "/reviews/{id}/vote", tag = "reviews", params(("id" = String, Path)), responses((status = 200, body = Review)))]
async fn unvote(
    state: web::Data<State>,
    request: HttpRequest,
    customer: CurrentCustomer,
    path: web::Path<String>,
) -> Answer {
    limited(&state, &request).await?;
    ok(state.ports.reviews.unvote(id(&path)?, customer.0.sub).await?)
}

/// Tells staff that a review should not be there, once.
#[utoipa::path(post, path = "/reviews/{id}/reports", tag = "reviews", params(("id" = String, Path)), request_body = NewReport,
    responses((status = 204)))]
async fn report(
    state: web::Data<State>,
    request: HttpRequest,
    customer: CurrentCustomer,
    path: web::Path<String>,
    new: Body<NewReport>,
) -> Answer {
    limited(&state, &request).await?;
    state.ports.reviews.report(id(&path)?, new.0, customer.0.sub).await?;
    no_content()
}

//! What somebody may also want, and what they did with it. A visitor's id is sent by those who have agreed to be
//! remembered; without it what they do counts for nobody in particular.

use std::collections::HashMap;

use actix_web::web;
use contracts::{
    cart::CartId,
    product::{PriceContext, ProductCard, ProductId},
    recommendation::{
        Context, Impression, ImpressionId, Interaction, InteractionKind, Reason, Recommended, Surface,
        Visitor as Known, VisitorId,
    },
};
use serde::{Deserialize, Serialize};
use shared::{Error, ids::Entity};

use super::{All, all, catalogue::currency, created, id, no_content};
use crate::{
    app::State,
    auth::Visitor,
    body::Body,
    problem::{Answer, Problem},
    query::Query,
    router::{at, delete, get, post},
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/products/{id}/related", [get(related)]);
    at(config, "/products/{id}/bought_together", [get(bought_together)]);
    at(config, "/recommendations", [get(personal)]);
    at(config, "/recommendations/trending", [get(trending)]);
    at(config, "/recommendations/recently_viewed", [get(recently_viewed)]);
    at(config, "/recommendations/interactions", [post(record)]);
    at(config, "/recommendations/impressions", [post(shown)]);
    at(config, "/recommendations/impressions/{id}/clicks", [post(clicked)]);
    at(config, "/recommendations/visitors/{id}", [delete(forget)]);
}

/// This file's part of the API document.
#[derive(utoipa::OpenApi)]
#[openapi(paths(
    related,
    bought_together,
    personal,
    trending,
    recently_viewed,
    record,
    shown,
    clicked,
    forget
))]
pub struct Document;

/// For whom, and what they have in the cart.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ForWhom {
    /// 1..=50 (8).
    #[param(minimum = 1, maximum = 50)]
    limit: Option<u32>,
    /// ISO 4217.
    currency: Option<String>,
    /// What is in it is not recommended.
    cart_id: Option<String>,
    /// The anonymous visitor. Whoever is signed in is known without.
    visitor_id: Option<String>,
}

/// A product that somebody may want.
#[derive(Serialize, utoipa::ToSchema)]
struct RecommendedProduct {
    #[serde(flatten)]
    card: ProductCard,
    reason: Reason,
    /// The title of the product that the reason names.
    because: Option<String>,
}

/// What others who like the product like. Best sellers of its category where nothing is known.
#[utoipa::path(get, path = "/products/{id}/related", tag = "recommendations", params(("id" = String, Path), ForWhom),
    responses((status = 200, body = All<RecommendedProduct>)))]
async fn related(
    state: web::Data<State>,
    visitor: Visitor,
    path: web::Path<String>,
    query: Query<ForWhom>,
) -> Answer {
    let context = context(&state, &visitor, &query.0).await?;
    let found = state.ports.recommendations.related(id(&path)?, context).await?;
    dressed(&state, &visitor, query.0, found).await
}

/// What is bought with the product; often few or none.
#[utoipa::path(get, path = "/products/{id}/bought_together", tag = "recommendations",
    params(("id" = String, Path), ForWhom), responses((status = 200, body = All<RecommendedProduct>)))]
async fn bought_together(
    state: web::Data<State>,
    visitor: Visitor,
    path: web::Path<String>,
    query: Query<ForWhom>,
) -> Answer {
    let context = context(&state, &visitor, &query.0).await?;
    let found = state.ports.recommendations.bought_together(vec![id(&path)?], context).await?;
    dressed(&state, &visitor, query.0, found).await
}

/// For the visitor, from what they did last. Best sellers for a stranger.
#[utoipa::path(get, path = "/recommendations", tag = "recommendations", params(ForWhom),
    responses((status = 200, body = All<RecommendedProduct>)))]
async fn personal(state: web::Data<State>, visitor: Visitor, query: Query<ForWhom>) -> Answer {
    let context = context(&state, &visitor, &query.0).await?;
    let known = known(&visitor, query.0.visitor_id.as_deref(), "?visitor_id")?;
    let found = state.ports.recommendations.personal(known, context).await?;
    dressed(&state, &visitor, query.0, found).await
}

/// What is wanted more than usual.
#[utoipa::path(get, path = "/recommendations/trending", tag = "recommendations", params(ForWhom),
    responses((status = 200, body = All<RecommendedProduct>)))]
async fn trending(state: web::Data<State>, visitor: Visitor, query: Query<ForWhom>) -> Answer {
    let context = context(&state, &visitor, &query.0).await?;
    let found = state.ports.recommendations.trending(context).await?;
    dressed(&state, &visitor, query.0, found).await
}

/// What the visitor looked at, last first.
#[utoipa::path(get, path = "/recommendations/recently_viewed", tag = "recommendations", params(ForWhom),
    responses((status = 200, body = All<RecommendedProduct>)))]
async fn recently_viewed(state: web::Data<State>, visitor: Visitor, query: Query<ForWhom>) -> Answer {
    let context = context(&state, &visitor, &query.0).await?;
    let known = known(&visitor, query.0.visitor_id.as_deref(), "?visitor_id")?;
    let found = state.ports.recommendations.recently_viewed(known, context).await?;
    dressed(&state, &visitor, query.0, found).await
}

/// Somebody did something with a product.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewInteraction {
    product_id: ProductId,
    kind: NewKind,
    /// Of somebody who has agreed to be remembered.
    visitor_id: Option<VisitorId>,
}

/// What can be done besides buying, which is heard of from orders.
#[derive(Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum NewKind {
    View,
    CartAdd,
}

impl From<NewKind> for InteractionKind {
    fn from(kind: NewKind) -> Self {
        match kind {
            NewKind::View => Self::View,
            NewKind::CartAdd => Self::CartAdd,
        }
    }
}

/// Tells that somebody looked at a product or put it into the cart: the next answer reflects it.
#[utoipa::path(post, path = "/recommendations/interactions", tag = "recommendations", request_body = NewInteraction,
    responses((status = 204)))]
async fn record(state: web::Data<State>, visitor: Visitor, new: Body<NewInteraction>) -> Answer {
    let NewInteraction { product_id, kind, visitor_id } = new.0;
    let visitor = Known { customer_id: visitor.customer(), visitor_id };
    let at = state.clock.now();
    state.ports.recommendations.record(Interaction { visitor, product_id, kind: kind.into(), at }).await?;
    no_content()
}

/// A list came into sight.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewImpression {
    surface: Surface,
    /// The product it was shown beside.
    product_id: Option<ProductId>,
    /// What was in it, in its order; 1 to 50.
    shown: Vec<ProductId>,
    visitor_id: Option<VisitorId>,
}

/// The list's id, for clicks.
#[derive(Serialize, utoipa::ToSchema)]
struct ShownList {
    id: ImpressionId,
}

/// Tells that a list came into sight: what is clicked of it teaches the order of the next ones.
#[utoipa::path(post, path = "/recommendations/impressions", tag = "recommendations", request_body = NewImpression,
    responses((status = 201, body = ShownList)))]
async fn shown(state: web::Data<State>, visitor: Visitor, new: Body<NewImpression>) -> Answer {
    let NewImpression { surface, product_id, shown, visitor_id } = new.0;
    if !(1..=50).contains(&shown.len()) {
        return Err(Error::invalid("/shown", "out_of_range", "a list has 1 to 50 products").into());
    }
    let visitor = Known { customer_id: visitor.customer(), visitor_id };
    let (id, at) = (ImpressionId::random(), state.clock.now());
    let impression = Impression { id, visitor, surface, product_id, shown, at };
    state.ports.recommendations.shown(impression).await?;
    created(ShownList { id })
}

/// Somebody followed a product of a list.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewClick {
    product_id: ProductId,
}

/// Tells that somebody followed a product of a list.
#[utoipa::path(post, path = "/recommendations/impressions/{id}/clicks", tag = "recommendations",
    params(("id" = String, Path)), request_body = NewClick, responses((status = 204)))]
async fn clicked(state: web::Data<State>, path: web::Path<String>, click: Body<NewClick>) -> Answer {
    state.ports.recommendations.clicked(id(&path)?, click.0.product_id).await?;
    no_content()
}

/// Erases all that is kept of an anonymous visitor. Their id is the key to it.
#[utoipa::path(delete, path = "/recommendations/visitors/{id}", tag = "recommendations",
    params(("id" = String, Path)), responses((status = 204)))]
async fn forget(state: web::Data<State>, path: web::Path<String>) -> Answer {
    let visitor = Known { customer_id: None, visitor_id: Some(id(&path)?) };
    state.ports.recommendations.forget(visitor).await?;
    no_content()
}

fn known(visitor: &Visitor, visitor_id: Option<&str>, pointer: &str) -> Result<Known, Problem> {
    let visitor_id = visitor_id.map(|text| parsed(text, pointer)).transpose()?;
    Ok(Known { customer_id: visitor.customer(), visitor_id })
}

fn parsed<E: Entity>(text: &str, pointer: &str) -> Result<shared::Id<E>, Problem> {
    text.parse().map_err(|error| Error::invalid(pointer, "invalid_value", format!("{error}")).into())
}

async fn context(state: &State, visitor: &Visitor, query: &ForWhom) -> Result<Context, Problem> {
    let limit = query.limit.unwrap_or(8);
    if !(1..=50).contains(&limit) {
        return Err(Error::invalid("?limit", "out_of_range", "limit must be between 1 and 50").into());
    }
    let Some(cart) = &query.cart_id else { return Ok(Context { limit, exclude: Vec::new() }) };
    let cart: CartId = parsed(cart, "?cart_id")?;
    let cart = state.ports.carts.view(cart, visitor.viewer()).await?;
    Ok(Context { limit, exclude: cart.lines.iter().map(|line| line.product_id).collect() })
}

/// What is recommended, as it can be shown.
async fn dressed(state: &State, visitor: &Visitor, query: ForWhom, found: Vec<Recommended>) -> Answer {
    let context = PriceContext { currency: currency(state, query.currency)?, group: visitor.group() };
    let reasons = found.iter().filter_map(|one| one.reason.product_id());
    let mut ids: Vec<ProductId> = found.iter().map(|one| one.product_id).chain(reasons).collect();
    ids.sort();
    ids.dedup();
    let views = state.ports.products.views(ids, context).await?;
    let views: HashMap<ProductId, _> = views.iter().map(|view| (view.id, view)).collect();
    let dress = |one: Recommended| {
        let card = views.get(&one.product_id)?.card()?;
        let because = one.reason.product_id().and_then(|id| views.get(&id)).map(|view| view.title.clone());
        Some(RecommendedProduct { card, reason: one.reason, because })
    };
    all(found.into_iter().filter_map(dress).collect())
}

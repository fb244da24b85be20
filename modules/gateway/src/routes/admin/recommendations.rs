//! What recommendations have learned.

use actix_web::web;
use contracts::recommendation::{ModelInfo, RecommendationStatus};
use serde::Serialize;

use crate::{
    app::State,
    auth::{Staff, can},
    problem::Answer,
    router::{at, get, post},
    routes::ok,
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/admin/recommendations", [get(status)]);
    at(config, "/admin/recommendations/train", [post(train)]);
}

/// This file's part of the API document.
#[derive(utoipa::OpenApi)]
#[openapi(paths(status, train))]
pub struct Document;

/// How recommendations are doing.
#[derive(Serialize, utoipa::ToSchema)]
struct Overview {
    #[serde(flatten)]
    status: RecommendationStatus,
    /// Those that are kept, newest first.
    models: Vec<ModelInfo>,
}

/// What was learned from, and when.
#[utoipa::path(get, path = "/admin/recommendations", tag = "admin: system", responses((status = 200, body = Overview)))]
async fn status(state: web::Data<State>, _: Staff<can::ReadSystem>) -> Answer {
    let port = &state.ports.recommendations;
    ok(Overview { status: port.status().await?, models: port.models().await? })
}

/// Trains now, and answers with the new model. 409 `training` while another is trained.
#[utoipa::path(post, path = "/admin/recommendations/train", tag = "admin: system", responses((status = 200, body = ModelInfo)))]
async fn train(state: web::Data<State>, _: Staff<can::WriteSystem>) -> Answer {
    ok(state.ports.recommendations.train().await?)
}

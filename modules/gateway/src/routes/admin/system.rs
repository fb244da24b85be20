//! The machinery: modules, outbox lag, dead letters, jobs, health.

use actix_web::{HttpResponse, web};
use contracts::{
    payment::ReconcileReport,
    system::{DeadLetter, SystemReport},
};
use serde::Deserialize;

use crate::{
    app::State,
    auth::{Staff, can},
    problem::Answer,
    router::{at, delete, get, post},
    routes::{All, all, no_content, ok},
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/admin/system", [get(report)]);
    at(config, "/admin/system/dead_letters", [get(dead_letters)]);
    at(config, "/admin/system/dead_letters/{id}/replay", [post(replay)]);
    at(config, "/admin/system/dead_letters/{id}", [delete(discard)]);
    at(config, "/admin/system/reconcile", [post(reconcile)]);
}

/// This file's part of the API document.
#[derive(utoipa::OpenApi)]
#[openapi(paths(report, dead_letters, replay, discard, reconcile))]
pub struct Document;

/// Modules and where they run, outbox lag, jobs, health.
#[utoipa::path(get, path = "/admin/system", tag = "admin: system", responses((status = 200, body = SystemReport)))]
async fn report(state: web::Data<State>, _: Staff<can::ReadSystem>) -> Answer {
    ok(state.system.report().await?)
}

/// Events that a consumer could not take.
#[utoipa::path(get, path = "/admin/system/dead_letters", tag = "admin: system", responses((status = 200, body = All<DeadLetter>)))]
async fn dead_letters(state: web::Data<State>, _: Staff<can::ReadSystem>) -> Answer {
    all(state.system.dead_letters().await?)
}

#[derive(Deserialize)]
struct DeadLetterPath {
    id: String,
}

/// Delivers a dead letter again.
#[utoipa::path(post, path = "/admin/system/dead_letters/{id}/replay", tag = "admin: system", params(("id" = String, Path)), responses((status = 202)))]
async fn replay(
    state: web::Data<State>,
    _: Staff<can::WriteSystem>,
    path: web::Path<DeadLetterPath>,
) -> Answer {
    state.system.replay(&path.id).await?;
    Ok(HttpResponse::Accepted().finish())
}

/// Gives a dead letter up.
#[utoipa::path(delete, path = "/admin/system/dead_letters/{id}", tag = "admin: system", params(("id" = String, Path)), responses((status = 204)))]
async fn discard(
    state: web::Data<State>,
    _: Staff<can::WriteSystem>,
    path: web::Path<DeadLetterPath>,
) -> Answer {
    state.system.discard(&path.id).await?;
    no_content()
}

/// Compares the payments with the providers, now.
#[utoipa::path(post, path = "/admin/system/reconcile", tag = "admin: system", responses((status = 200, body = ReconcileReport)))]
async fn reconcile(state: web::Data<State>, _: Staff<can::WriteSystem>) -> Answer {
    ok(state.ports.payments.reconcile().await?)
}

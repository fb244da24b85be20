//! Signing in and out, verified addresses, forgotten passwords.

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use contracts::{
    cart::{CartEntity, CartId},
    customer::{Customer, Login, Tokens},
};
use serde::Deserialize;
use shared::{Id, limits::Limited, values::Email};

use super::{no_content, ok};
use crate::{
    app::State,
    auth::CurrentCustomer,
    body::Body,
    limits,
    problem::Answer,
    router::{at, delete, post},
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/sessions", [post(log_in)]);
    at(config, "/sessions/current", [delete(log_out)]);
    at(config, "/sessions/refresh", [post(refresh)]);
    at(config, "/password_resets", [post(request_reset)]);
    at(config, "/password_resets/{token}", [post(reset)]);
    at(config, "/email_verifications", [post(request_verification)]);
    at(config, "/email_verifications/{token}", [post(verify)]);
}

/// This file's part of the API document.
#[derive(utoipa::OpenApi)]
#[openapi(paths(log_in, refresh, log_out, request_reset, reset, request_verification, verify))]
pub struct Document;

/// Who, and the cart that becomes theirs.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSession {
    email: Email,
    password: String,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    cart_id: Option<CartId>,
}

/// Signs in; the cart merges with the customer's.
#[utoipa::path(post, path = "/sessions", tag = "sessions", request_body = NewSession,
    responses((status = 201, body = Tokens), (status = 401, description = "invalid_credentials")))]
async fn log_in(state: web::Data<State>, request: HttpRequest, new: Body<NewSession>) -> Answer {
    let NewSession { email, password, cart_id } = new.0;
    state.limits.login(limits::address(&request), &email).await?;
    let user_agent = request
        .headers()
        .get(header::USER_AGENT)
        .and_then(|v| v.to_str().ok())
        .map(|v| v.chars().take(200).collect());
    let tokens = state.ports.customers.log_in(Login { email, password, user_agent }).await?;
    if let Some(cart) = cart_id {
        merge(&state, cart, &tokens).await;
    }
    Ok(HttpResponse::Created().json(tokens))
}

/// Signing in succeeds even if the merge fails: the cart stays as it is and can be merged at the next login.
async fn merge(state: &State, cart: Id<CartEntity>, tokens: &Tokens) {
    if let Err(error) = state.ports.carts.merge(cart, tokens.customer.id).await {
        tracing::warn!(%cart, error = %error.chain(), "the cart was not merged at login");
    }
}

/// A refresh token.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Refresh {
    refresh_token: String,
}

/// New tokens for an old refresh token, which is used up by this. Using it again ends the session.
#[utoipa::path(post, path = "/sessions/refresh", tag = "sessions", request_body = Refresh, responses((status = 200, body = Tokens)))]
async fn refresh(state: web::Data<State>, body: Body<Refresh>) -> Answer {
    ok(state.ports.customers.refresh(body.0.refresh_token).await?)
}

/// Signs out here.
#[utoipa::path(delete, path = "/sessions/current", tag = "sessions", responses((status = 204)))]
async fn log_out(state: web::Data<State>, customer: CurrentCustomer) -> Answer {
    state.ports.customers.log_out(customer.0.sid).await?;
    state.verifier.revoke(&[customer.0.sid]);
    no_content()
}

/// An e-mail address.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct EmailAddress {
    email: Email,
}

/// Sends a mail to reset the password, if there is such an account. The answer does not tell.
#[utoipa::path(post, path = "/password_resets", tag = "sessions", request_body = EmailAddress, responses((status = 202)))]
async fn request_reset(state: web::Data<State>, request: HttpRequest, body: Body<EmailAddress>) -> Answer {
    state.limits.check(Limited::Reset, limits::address(&request)).await?;
    state.ports.customers.request_password_reset(body.0.email).await?;
    Ok(HttpResponse::Accepted().finish())
}

/// A new password.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    password: String,
}

/// Sets the password and ends all sessions.
#[utoipa::path(post, path = "/password_resets/{token}", tag = "sessions", params(("token" = String, Path)),
    request_body = NewPassword, responses((status = 204), (status = 410, description = "token_used")))]
async fn reset(state: web::Data<State>, token: web::Path<String>, body: Body<NewPassword>) -> Answer {
    state.ports.customers.reset_password(token.into_inner(), body.0.password).await?;
    no_content()
}

/// Sends the verification mail again. The answer does not tell whether there is such an account.
#[utoipa::path(post, path = "/email_verifications", tag = "sessions", request_body = EmailAddress, responses((status = 202)))]
async fn request_verification(
    state: web::Data<State>,
    request: HttpRequest,
    body: Body<EmailAddress>,
) -> Answer {
    state.limits.check(Limited::Reset, limits::address(&request)).await?;
    state.ports.customers.request_verification(body.0.email).await?;
    Ok(HttpResponse::Accepted().finish())
}

/// Proves an address.
#[utoipa::path(post, path = "/email_verifications/{token}", tag = "sessions", params(("token" = String, Path)),
    responses((status = 200, body = Customer), (status = 410, description = "token_used")))]
async fn verify(state: web::Data<State>, token: web::Path<String>) -> Answer {
    ok(state.ports.customers.verify_email(token.into_inner()).await?)
}

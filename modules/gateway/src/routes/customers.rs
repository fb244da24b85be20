//! Accounts and address books.

use actix_web::{HttpRequest, web};
use contracts::{
    Address,
    customer::{Customer, CustomerPatch, NewCustomer, SavedAddress, Session},
    export::Export,
};
use serde::Deserialize;
use shared::{Error, Kind, limits::Limited};

use super::{All, all, created, id, no_content, ok};
use crate::{
    app::State,
    auth::CurrentCustomer,
    body::Body,
    limits,
    problem::Answer,
    router::{at, delete, get, patch, post, put},
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/customers", [post(register)]);
    at(config, "/customers/me", [get(me), patch(update), delete(erase)]);
    at(config, "/customers/me/password", [put(change_password)]);
    at(config, "/customers/me/export", [get(export)]);
    at(config, "/customers/me/sessions", [get(sessions)]);
    at(config, "/customers/me/sessions/{id}", [delete(end_session)]);
    at(config, "/customers/me/addresses", [get(addresses), post(add_address)]);
    at(config, "/customers/me/addresses/{id}", [put(update_address), delete(delete_address)]);
}

/// This file's part of the API document.
#[derive(utoipa::OpenApi)]
#[openapi(paths(
    register,
    me,
    update,
    erase,
    change_password,
    export,
    sessions,
    end_session,
    addresses,
    add_address,
    update_address,
    delete_address
))]
pub struct Document;

/// Opens an account. The answer does not tell whether the address had one already; a mail does.
#[utoipa::path(post, path = "/customers", tag = "customers", request_body = NewCustomer, responses((status = 201, body = Customer)))]
async fn register(state: web::Data<State>, request: HttpRequest, new: Body<NewCustomer>) -> Answer {
    state.limits.check(Limited::Register, limits::address(&request)).await?;
    created(state.ports.customers.register(new.0).await?)
}

/// One's own account.
#[utoipa::path(get, path = "/customers/me", tag = "customers", responses((status = 200, body = Customer)))]
async fn me(state: web::Data<State>, customer: CurrentCustomer) -> Answer {
    ok(state.ports.customers.find(customer.0.sub).await?)
}

/// What shoppers may change of themselves.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct OwnPatch {
    name: Option<String>,
}

/// Changes one's own account.
#[utoipa::path(patch, path = "/customers/me", tag = "customers", request_body = OwnPatch, responses((status = 200, body = Customer)))]
async fn update(state: web::Data<State>, customer: CurrentCustomer, patch: Body<OwnPatch>) -> Answer {
    let patch = CustomerPatch { name: patch.0.name, group: None };
    ok(state.ports.customers.update(customer.0.sub, patch, None).await?)
}

/// Erases one's account and everything personal in it.
#[utoipa::path(delete, path = "/customers/me", tag = "customers", responses((status = 204)))]
async fn erase(state: web::Data<State>, customer: CurrentCustomer) -> Answer {
    state.ports.customers.delete(customer.0.sub).await?;
    no_content()
}

/// The old and the new password.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    current_password: String,
    new_password: String,
}

/// Changes the password and ends all other sessions.
#[utoipa::path(put, path = "/customers/me/password", tag = "customers", request_body = PasswordChange, responses((status = 204)))]
async fn change_password(
    state: web::Data<State>,
    customer: CurrentCustomer,
    change: Body<PasswordChange>,
) -> Answer {
    let PasswordChange { current_password, new_password } = change.0;
    let (id, session) = (customer.0.sub, customer.0.sid);
    state.ports.customers.change_password(id, current_password, new_password, Some(session)).await?;
    no_content()
}

/// Everything the shop knows of oneself.
#[utoipa::path(get, path = "/customers/me/export", tag = "customers", responses((status = 200, body = Export)))]
async fn export(state: web::Data<State>, customer: CurrentCustomer) -> Answer {
    ok(state.ports.everything_of(customer.0.sub).await?)
}

/// Where one is signed in.
#[utoipa::path(get, path = "/customers/me/sessions", tag = "customers", responses((status = 200, body = All<Session>)))]
async fn sessions(state: web::Data<State>, customer: CurrentCustomer) -> Answer {
    all(state.ports.customers.sessions(customer.0.sub).await?)
}

/// Signs out elsewhere.
#[utoipa::path(delete, path = "/customers/me/sessions/{id}", tag = "customers", params(("id" = String, Path)), responses((status = 204)))]
async fn end_session(state: web::Data<State>, customer: CurrentCustomer, path: web::Path<String>) -> Answer {
    let session = id(&path)?;
    let own = state.ports.customers.sessions(customer.0.sub).await?.iter().any(|s| s.id == session);
    if !own {
        return Err(Error::new(Kind::NotFound, "not_found", "no such session").into());
    }
    state.ports.customers.log_out(session).await?;
    no_content()
}

/// The address book.
#[utoipa::path(get, path = "/customers/me/addresses", tag = "customers", responses((status = 200, body = All<SavedAddress>)))]
async fn addresses(state: web::Data<State>, customer: CurrentCustomer) -> Answer {
    all(state.ports.customers.addresses(customer.0.sub).await?)
}

/// Adds an address.
#[utoipa::path(post, path = "/customers/me/addresses", tag = "customers", request_body = Address, responses((status = 201, body = SavedAddress)))]
async fn add_address(state: web::Data<State>, customer: CurrentCustomer, address: Body<Address>) -> Answer {
    created(state.ports.customers.add_address(customer.0.sub, address.0).await?)
}

/// Replaces an address.
#[utoipa::path(put, path = "/customers/me/addresses/{id}", tag = "customers", params(("id" = String, Path)),
    request_body = Address, responses((status = 200, body = SavedAddress)))]
async fn update_address(
    state: web::Data<State>,
    customer: CurrentCustomer,
    path: web::Path<String>,
    address: Body<Address>,
) -> Answer {
    ok(state.ports.customers.update_address(customer.0.sub, id(&path)?, address.0).await?)
}

/// Removes an address.
#[utoipa::path(delete, path = "/customers/me/addresses/{id}", tag = "customers", params(("id" = String, Path)), responses((status = 204)))]
async fn delete_address(
    state: web::Data<State>,
    customer: CurrentCustomer,
    path: web::Path<String>,
) -> Answer {
    state.ports.customers.delete_address(customer.0.sub, id(&path)?).await?;
    no_content()
}

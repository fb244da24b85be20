//! Customers, staff, roles.

use actix_web::{HttpRequest, http::StatusCode, web};
use contracts::customer::{Customer, CustomerPatch, NewStaff, Role, StaffMember};
use serde::Deserialize;
use shared::Page;

use crate::{
    app::State,
    auth::{Staff, can},
    body::Body,
    problem::Answer,
    query::{Query, page},
    router::{at, delete, get, patch, post, put},
    routes::{All, all, created, id, if_match, no_content, ok, versioned},
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/admin/customers", [get(list)]);
    at(config, "/admin/customers/{id}", [get(find), patch(update), delete(erase)]);
    at(config, "/admin/staff", [get(staff), post(add_staff)]);
    at(config, "/admin/staff/{id}/roles", [put(set_roles)]);
    at(config, "/admin/roles", [get(roles)]);
}

/// This file's part of the API document.
#[derive(utoipa::OpenApi)]
#[openapi(paths(list, find, update, erase, staff, add_staff, set_roles, roles))]
pub struct Document;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The start of an e-mail address or a part of a name.
    q: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Accounts, newest first.
#[utoipa::path(get, path = "/admin/customers", tag = "admin: people", params(ListQuery), responses((status = 200, body = Page<Customer>)))]
async fn list(state: web::Data<State>, _: Staff<can::ReadCustomers>, query: Query<ListQuery>) -> Answer {
    let ListQuery { q, limit, cursor } = query.0;
    ok(state.ports.customers.list(q, page(limit, cursor)?).await?)
}

/// One account.
#[utoipa::path(get, path = "/admin/customers/{id}", tag = "admin: people", params(("id" = String, Path)), responses((status = 200, body = Customer)))]
async fn find(state: web::Data<State>, _: Staff<can::ReadCustomers>, path: web::Path<String>) -> Answer {
    let customer = state.ports.customers.find(id(&path)?).await?;
    versioned(StatusCode::OK, customer.version, customer)
}

/// Changes an account.
#[utoipa::path(patch, path = "/admin/customers/{id}", tag = "admin: people",
    params(("id" = String, Path), ("If-Match" = String, Header)), request_body = CustomerPatch,
    responses((status = 200, body = Customer), (status = 412, description = "version")))]
async fn update(
    state: web::Data<State>,
    request: HttpRequest,
    _: Staff<can::WriteCustomers>,
    path: web::Path<String>,
    patch: Body<CustomerPatch>,
) -> Answer {
    let customer = state.ports.customers.update(id(&path)?, patch.0, if_match(&request)?).await?;
    versioned(StatusCode::OK, customer.version, customer)
}

/// Erases a person.
#[utoipa::path(delete, path = "/admin/customers/{id}", tag = "admin: people", params(("id" = String, Path)), responses((status = 204)))]
async fn erase(state: web::Data<State>, _: Staff<can::WriteCustomers>, path: web::Path<String>) -> Answer {
    state.ports.customers.delete(id(&path)?).await?;
    no_content()
}

/// Who works here.
#[utoipa::path(get, path = "/admin/staff", tag = "admin: people", responses((status = 200, body = All<StaffMember>)))]
async fn staff(state: web::Data<State>, _: Staff<can::ReadStaff>) -> Answer {
    all(state.ports.customers.staff().await?)
}

/// Gives somebody a role.
#[utoipa::path(post, path = "/admin/staff", tag = "admin: people", request_body = NewStaff, responses((status = 201, body = StaffMember)))]
async fn add_staff(state: web::Data<State>, _: Staff<can::WriteStaff>, new: Body<NewStaff>) -> Answer {
    created(state.ports.customers.add_staff(new.0).await?)
}

/// Roles by name.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Roles {
    /// None: no longer staff.
    roles: Vec<String>,
}

/// Sets somebody's roles and ends their sessions.
#[utoipa::path(put, path = "/admin/staff/{id}/roles", tag = "admin: people", params(("id" = String, Path)), request_body = Roles,
    responses((status = 200, body = StaffMember), (status = 409, description = "last_owner")))]
async fn set_roles(
    state: web::Data<State>,
    _: Staff<can::WriteStaff>,
    path: web::Path<String>,
    body: Body<Roles>,
) -> Answer {
    ok(state.ports.customers.set_roles(id(&path)?, body.0.roles).await?)
}

/// Roles and what they may do.
#[utoipa::path(get, path = "/admin/roles", tag = "admin: people", responses((status = 200, body = All<Role>)))]
async fn roles(state: web::Data<State>, _: Staff<can::ReadStaff>) -> Answer {
    all(state.ports.customers.roles().await?)
}

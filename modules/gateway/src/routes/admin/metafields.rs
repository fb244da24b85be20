//! Definitions of custom fields, and their values on anything.

use actix_web::{HttpRequest, http::StatusCode, web};
use contracts::{
    customer::Permission,
    metadata::{Definition, DefinitionPatch, FieldValues, Metafields, NewDefinition, Owner},
};
use serde::{Deserialize, Deserializer, de::Error};

use crate::{
    app::State,
    auth::{Clerk, Staff, can},
    body::{Body, Limit},
    problem::Answer,
    query::Query,
    router::{at, at_limited, delete, get, patch, post, put},
    routes::{All, all, content::owner, id, if_match, no_content, versioned},
};

/// Many values of 16 KiB.
const VALUES: Limit = Limit(1 << 20);

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/admin/metafield_definitions", [get(list), post(create)]);
    at(config, "/admin/metafield_definitions/{id}", [get(find), patch(update), delete(remove)]);
    at_limited(config, "/admin/metafields/{owner}/{id}", VALUES, [get(values), patch(set), put(replace)]);
}

/// This file's part of the API document.
#[derive(utoipa::OpenApi)]
#[openapi(paths(list, create, find, update, remove, values, set, replace))]
pub struct Document;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Of one kind of entity only.
    owner: Option<Owner>,
}

/// All definitions, by owner, namespace and key.
#[utoipa::path(get, path = "/admin/metafield_definitions", tag = "admin: metafields", params(ListQuery), responses((status = 200, body = All<Definition>)))]
async fn list(state: web::Data<State>, _: Staff<can::ReadSettings>, query: Query<ListQuery>) -> Answer {
    all(state.ports.metadata.definitions(query.0.owner).await?)
}

/// Creates a definition.
#[utoipa::path(post, path = "/admin/metafield_definitions", tag = "admin: metafields", request_body = NewDefinition,
    responses((status = 201, body = Definition), (status = 409, description = "definition_taken")))]
async fn create(state: web::Data<State>, _: Staff<can::WriteSettings>, new: Body<NewDefinition>) -> Answer {
    let definition = state.ports.metadata.create_definition(new.0).await?;
    versioned(StatusCode::CREATED, definition.version, definition)
}

/// One definition.
#[utoipa::path(get, path = "/admin/metafield_definitions/{id}", tag = "admin: metafields", params(("id" = String, Path)), responses((status = 200, body = Definition)))]
async fn find(state: web::Data<State>, _: Staff<can::ReadSettings>, path: web::Path<String>) -> Answer {
    let definition = state.ports.metadata.definition(id(&path)?).await?;
    versioned(StatusCode::OK, definition.version, definition)
}

/// Changes a definition, and its values with it where they fit the new terms.
#[utoipa::path(patch, path = "/admin/metafield_definitions/{id}", tag = "admin: metafields",
    params(("id" = String, Path), ("If-Match" = String, Header)), request_body = DefinitionPatch,
    responses((status = 200, body = Definition), (status = 409, description = "definition_in_use: `count` and `examples` of values that do not fit"),
        (status = 412, description = "version")))]
async fn update(
    state: web::Data<State>,
    request: HttpRequest,
    _: Staff<can::WriteSettings>,
    path: web::Path<String>,
    patch: Body<DefinitionPatch>,
) -> Answer {
    let definition = state.ports.metadata.update_definition(id(&path)?, patch.0, if_match(&request)?).await?;
    versioned(StatusCode::OK, definition.version, definition)
}

/// Removes a definition and all its values.
#[utoipa::path(delete, path = "/admin/metafield_definitions/{id}", tag = "admin: metafields", params(("id" = String, Path)), responses((status = 204)))]
async fn remove(state: web::Data<State>, _: Staff<can::WriteSettings>, path: web::Path<String>) -> Answer {
    state.ports.metadata.delete_definition(id(&path)?).await?;
    no_content()
}

/// The custom fields of anything.
#[utoipa::path(get, path = "/admin/metafields/{owner}/{id}", tag = "admin: metafields",
    params(("owner" = Owner, Path), ("id" = String, Path)), responses((status = 200, body = Metafields)))]
async fn values(state: web::Data<State>, clerk: Clerk, path: web::Path<(String, String)>) -> Answer {
    let owner = owner(&path.0)?;
    clerk.may(permissions(owner).0)?;
    let fields = state.ports.metadata.fields(owner, path.1.clone()).await?;
    versioned(StatusCode::OK, fields.version, fields)
}

/// Sets values by `namespace.key`; `null` removes one, absent ones stay.
#[utoipa::path(patch, path = "/admin/metafields/{owner}/{id}", tag = "admin: metafields",
    params(("owner" = Owner, Path), ("id" = String, Path), ("If-Match" = String, Header)),
    request_body(content = Object, content_type = "application/json"), responses((status = 200, body = Metafields), (status = 412, description = "version")))]
async fn set(
    state: web::Data<State>,
    request: HttpRequest,
    clerk: Clerk,
    path: web::Path<(String, String)>,
    values: Body<Values>,
) -> Answer {
    let owner = owner(&path.0)?;
    clerk.may(permissions(owner).1)?;
    let seen = if_match(&request)?;
    let fields = state.ports.metadata.set_fields(owner, path.1.clone(), values.0.0, seen).await?;
    versioned(StatusCode::OK, fields.version, fields)
}

/// Sets values by `namespace.key`; those that are not named are removed.
#[utoipa::path(put, path = "/admin/metafields/{owner}/{id}", tag = "admin: metafields",
    params(("owner" = Owner, Path), ("id" = String, Path), ("If-Match" = String, Header)),
    request_body(content = Object, content_type = "application/json"), responses((status = 200, body = Metafields), (status = 412, description = "version")))]
async fn replace(
    state: web::Data<State>,
    request: HttpRequest,
    clerk: Clerk,
    path: web::Path<(String, String)>,
    values: Body<Values>,
) -> Answer {
    let owner = owner(&path.0)?;
    clerk.may(permissions(owner).1)?;
    let seen = if_match(&request)?;
    let fields = state.ports.metadata.replace_fields(owner, path.1.clone(), values.0.0, seen).await?;
    versioned(StatusCode::OK, fields.version, fields)
}

/// Values by `namespace.key`: any other name is no member of the body.
struct Values(FieldValues);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = FieldValues::deserialize(deserializer)?;
        match values.keys().find(|name| !name.contains('.')) {
            Some(name) => Err(D::Error::unknown_field(name, &["<namespace>.<key>"])),
            None => Ok(Self(values)),
        }
    }
}

/// What reads and what writes the fields of such an entity: the permissions for the entity itself.
fn permissions(owner: Owner) -> (Permission, Permission) {
    match owner {
        Owner::Product | Owner::Variant | Owner::Category | Owner::Collection => {
            (Permission::ProductsRead, Permission::ProductsWrite)
        }
        Owner::Customer => (Permission::CustomersRead, Permission::CustomersWrite),
        Owner::Order => (Permission::OrdersRead, Permission::OrdersWrite),
        Owner::Page => (Permission::SettingsRead, Permission::SettingsWrite),
    }
}

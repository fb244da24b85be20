//! Products, categories, collections, price lists.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, http::StatusCode, web};
use contracts::product::{
    Category, CategoryId, CategoryPatch, Collection, NewCategory, NewCollection, NewImage, NewPriceList,
    NewProduct, PriceList, Product, ProductFilter, ProductPatch, ProductStatus,
};
use serde::Deserialize;
use shared::{Page, values::Blob};

use crate::{
    app::State,
    auth::{Staff, can},
    body::{Body, Limit, Raw},
    problem::Answer,
    query::{Query, page},
    router::{at, at_limited, delete, get, patch, post, put},
    routes::{All, all, created, id, if_match, if_match_given, no_content, ok, versioned},
};

/// A product with 250 variants in several currencies.
const PRODUCT: Limit = Limit(1 << 20);
const PICTURE: Limit = Limit::LARGEST;

pub fn configure(config: &mut web::ServiceConfig) {
    at_limited(config, "/admin/products", PRODUCT, [get(list), post(create)]);
    at_limited(config, "/admin/products/{id}", PRODUCT, [get(find), patch(update), delete(archive)]);
    at_limited(config, "/admin/products/{id}/images", PICTURE, [post(add_image)]);
    at(config, "/admin/products/{id}/images/{file}", [delete(remove_image)]);
    at(config, "/admin/categories", [post(create_category)]);
    at(config, "/admin/categories/{id}", [patch(update_category), delete(delete_category)]);
    at_limited(config, "/admin/collections", PRODUCT, [post(create_collection)]);
    at_limited(
        config,
        "/admin/collections/{id}",
        PRODUCT,
        [put(update_collection), delete(delete_collection)],
    );
    at_limited(config, "/admin/price_lists", PRODUCT, [get(price_lists), post(create_price_list)]);
    at_limited(
        config,
        "/admin/price_lists/{id}",
        PRODUCT,
        [put(update_price_list), delete(delete_price_list)],
    );
}

/// This file's part of the API document.
#[derive(utoipa::OpenApi)]
#[openapi(paths(
    list,
    create,
    find,
    update,
    archive,
    add_image,
    remove_image,
    create_category,
    update_category,
    delete_category,
    create_collection,
    update_collection,
    delete_collection,
    price_lists,
    create_price_list,
    update_price_list,
    delete_price_list
))]
pub struct Document;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// A part of title, slug or SKU.
    q: Option<String>,
    status: Option<ProductStatus>,
    #[param(value_type = Option<String>)]
    category_id: Option<CategoryId>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Products of any status, newest first.
#[utoipa::path(get, path = "/admin/products", tag = "admin: catalogue", params(ListQuery), responses((status = 200, body = Page<Product>)))]
async fn list(state: web::Data<State>, _: Staff<can::ReadProducts>, query: Query<ListQuery>) -> Answer {
    let ListQuery { q, status, category_id, limit, cursor } = query.0;
    ok(state.ports.products.list(ProductFilter { q, status, category_id }, page(limit, cursor)?).await?)
}

/// Creates a product.
#[utoipa::path(post, path = "/admin/products", tag = "admin: catalogue", request_body = NewProduct,
    responses((status = 201, body = Product), (status = 409, description = "sku_taken, slug_taken")))]
async fn create(state: web::Data<State>, _: Staff<can::WriteProducts>, new: Body<NewProduct>) -> Answer {
    let product = state.ports.products.create(new.0).await?;
    versioned(StatusCode::CREATED, product.version, product)
}

/// One product of any status.
#[utoipa::path(get, path = "/admin/products/{id}", tag = "admin: catalogue", params(("id" = String, Path)), responses((status = 200, body = Product)))]
async fn find(state: web::Data<State>, _: Staff<can::ReadProducts>, path: web::Path<String>) -> Answer {
    let product = state.ports.products.find(id(&path)?).await?;
    versioned(StatusCode::OK, product.version, product)
}

/// Changes a product that nobody else has changed meanwhile.
#[utoipa::path(patch, path = "/admin/products/{id}", tag = "admin: catalogue",
    params(("id" = String, Path), ("If-Match" = String, Header)), request_body = ProductPatch,
    responses((status = 200, body = Product), (status = 412, description = "version")))]
async fn update(
    state: web::Data<State>,
    request: HttpRequest,
    _: Staff<can::WriteProducts>,
    path: web::Path<String>,
    patch: Body<ProductPatch>,
) -> Answer {
    let product = state.ports.products.update(id(&path)?, patch.0, if_match(&request)?).await?;
    versioned(StatusCode::OK, product.version, product)
}

/// Archives a product.
#[utoipa::path(delete, path = "/admin/products/{id}", tag = "admin: catalogue", params(("id" = String, Path)), responses((status = 204)))]
async fn archive(state: web::Data<State>, _: Staff<can::WriteProducts>, path: web::Path<String>) -> Answer {
    state.ports.products.delete(id(&path)?).await?;
    no_content()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImageQuery {
    #[serde(default)]
    alt: String,
}

/// Adds a picture: the body is the file itself.
#[utoipa::path(post, path = "/admin/products/{id}/images", tag = "admin: catalogue",
    params(("id" = String, Path), ("alt" = Option<String>, Query)), request_body(content = Vec<u8>, content_type = "image/*"),
    responses((status = 201, body = Product)))]
async fn add_image(
    state: web::Data<State>,
    _: Staff<can::WriteProducts>,
    path: web::Path<String>,
    query: Query<ImageQuery>,
    body: Raw,
) -> Answer {
    let image = NewImage { content: Blob(body.0), alt: query.0.alt, options: BTreeMap::new() };
    created(state.ports.products.add_image(id(&path)?, image).await?)
}

/// Takes a picture away.
#[utoipa::path(delete, path = "/admin/products/{id}/images/{file}", tag = "admin: catalogue",
    params(("id" = String, Path), ("file" = String, Path)), responses((status = 200, body = Product)))]
async fn remove_image(
    state: web::Data<State>,
    _: Staff<can::WriteProducts>,
    path: web::Path<(String, String)>,
) -> Answer {
    ok(state.ports.products.remove_image(id(&path.0)?, path.1.clone()).await?)
}

/// Creates a category.
#[utoipa::path(post, path = "/admin/categories", tag = "admin: catalogue", request_body = NewCategory, responses((status = 201, body = Category)))]
async fn create_category(
    state: web::Data<State>,
    _: Staff<can::WriteProducts>,
    new: Body<NewCategory>,
) -> Answer {
    created(state.ports.products.create_category(new.0).await?)
}

/// Changes or moves a category. With `If-Match` (its version) only if nobody else has changed it: 412.
#[utoipa::path(patch, path = "/admin/categories/{id}", tag = "admin: catalogue", params(("id" = String, Path)),
    request_body = CategoryPatch, responses((status = 200, body = Category), (status = 422, description = "cycle")))]
async fn update_category(
    state: web::Data<State>,
    _: Staff<can::WriteProducts>,
    path: web::Path<String>,
    request: HttpRequest,
    patch: Body<CategoryPatch>,
) -> Answer {
    let seen = if_match_given(&request)?;
    let category = state.ports.products.update_category(id(&path)?, patch.0, seen).await?;
    versioned(StatusCode::OK, category.version, category)
}

/// Removes an empty category.
#[utoipa::path(delete, path = "/admin/categories/{id}", tag = "admin: catalogue", params(("id" = String, Path)), responses((status = 204)))]
async fn delete_category(
    state: web::Data<State>,
    _: Staff<can::WriteProducts>,
    path: web::Path<String>,
) -> Answer {
    state.ports.products.delete_category(id(&path)?).await?;
    no_content()
}

/// Creates a collection.
#[utoipa::path(post, path = "/admin/collections", tag = "admin: catalogue", request_body = NewCollection, responses((status = 201, body = Collection)))]
async fn create_collection(
    state: web::Data<State>,
    _: Staff<can::WriteProducts>,
    new: Body<NewCollection>,
) -> Answer {
    created(state.ports.products.create_collection(new.0).await?)
}

/// Replaces a collection.
#[utoipa::path(put, path = "/admin/collections/{id}", tag = "admin: catalogue", params(("id" = String, Path)),
    request_body = NewCollection, responses((status = 200, body = Collection)))]
async fn update_collection(
    state: web::Data<State>,
    _: Staff<can::WriteProducts>,
    path: web::Path<String>,
    new: Body<NewCollection>,
) -> Answer {
    ok(state.ports.products.update_collection(id(&path)?, new.0).await?)
}

/// Removes a collection.
#[utoipa::path(delete, path = "/admin/collections/{id}", tag = "admin: catalogue", params(("id" = String, Path)), responses((status = 204)))]
async fn delete_collection(
    state: web::Data<State>,
    _: Staff<can::WriteProducts>,
    path: web::Path<String>,
) -> Answer {
    state.ports.products.delete_collection(id(&path)?).await?;
    no_content()
}

/// Prices for groups and quantities.
#[utoipa::path(get, path = "/admin/price_lists", tag = "admin: catalogue", responses((status = 200, body = All<PriceList>)))]
async fn price_lists(state: web::Data<State>, _: Staff<can::ReadProducts>) -> Answer {
    all(state.ports.products.price_lists().await?)
}

/// Creates a price list.
#[utoipa::path(post, path = "/admin/price_lists", tag = "admin: catalogue", request_body = NewPriceList, responses((status = 201, body = PriceList)))]
async fn create_price_list(
    state: web::Data<State>,
    _: Staff<can::WriteProducts>,
    new: Body<NewPriceList>,
) -> Answer {
    created(state.ports.products.create_price_list(new.0).await?)
}

/// Replaces a price list.
#[utoipa::path(put, path = "/admin/price_lists/{id}", tag = "admin: catalogue", params(("id" = String, Path)),
    request_body = NewPriceList, responses((status = 200, body = PriceList)))]
async fn update_price_list(
    state: web::Data<State>,
    _: Staff<can::WriteProducts>,
    path: web::Path<String>,
    new: Body<NewPriceList>,
) -> Answer {
    ok(state.ports.products.update_price_list(id(&path)?, new.0).await?)
}

/// Removes a price list.
#[utoipa::path(delete, path = "/admin/price_lists/{id}", tag = "admin: catalogue", params(("id" = String, Path)), responses((status = 204)))]
async fn delete_price_list(
    state: web::Data<State>,
    _: Staff<can::WriteProducts>,
    path: web::Path<String>,
) -> Answer {
    state.ports.products.delete_price_list(id(&path)?).await?;
    no_content()
}

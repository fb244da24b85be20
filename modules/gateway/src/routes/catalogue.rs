//! Products, categories, collections, search.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, web};
use contracts::{
    metadata::{Owner, Visibility},
    product::{
        Category, CategoryNode, Collection, PriceContext, ProductView, SearchQuery, SearchResult, Sort,
        Suggestions,
    },
};
use serde::Deserialize;
use shared::{Currency, Error, Kind};

use super::All;
use crate::{
    app::State,
    auth::Visitor,
    cached::{self, CATEGORIES, Found, LISTS, PRODUCTS},
    problem::{Answer, Problem},
    query::{Query, page},
    router::{at, get},
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/products", [get(search)]);
    at(config, "/products/{key}", [get(product)]);
    at(config, "/categories", [get(categories)]);
    at(config, "/categories/{key}", [get(category)]);
    at(config, "/categories/{key}/products", [get(category_products)]);
    at(config, "/collections", [get(collections)]);
    at(config, "/collections/{key}/products", [get(collection_products)]);
    at(config, "/search/suggest", [get(suggest)]);
}

/// This file's part of the API document.
#[derive(utoipa::OpenApi)]
#[openapi(paths(
    search,
    category_products,
    collection_products,
    product,
    categories,
    category,
    collections,
    suggest
))]
pub struct Document;

/// Published products that match, with facets.
#[utoipa::path(get, path = "/products", tag = "catalogue", params(
    ("q" = Option<String>, Query, description = "words; typing errors are forgiven"),
    ("category" = Option<String>, Query, description = "id or slug; may be repeated (OR)"),
    ("collection" = Option<String>, Query, description = "id or slug; may be repeated"),
    ("tag" = Option<String>, Query, description = "may be repeated"),
    ("brand" = Option<String>, Query, description = "may be repeated"),
    ("option.<name>" = Option<String>, Query, description = "such as option.colour; may be repeated"),
    ("attr.<name>" = Option<String>, Query, description = "such as attr.material; may be repeated"),
    ("min_price" = Option<i64>, Query, description = "minor units"),
    ("max_price" = Option<i64>, Query, description = "minor units"),
    ("in_stock" = Option<bool>, Query),
    ("rating" = Option<u8>, Query, minimum = 1, maximum = 5, description = "at least so many stars"),
    ("currency" = Option<String>, Query, description = "ISO 4217"),
    ("sort" = Option<Sort>, Query),
    ("facets" = Option<bool>, Query, description = "false leaves them out"),
    ("limit" = Option<u32>, Query, minimum = 1, maximum = 100),
    ("cursor" = Option<String>, Query),
), responses((status = 200, body = SearchResult)))]
async fn search(state: web::Data<State>, request: HttpRequest, visitor: Visitor) -> Answer {
    let query = search_query(&state, request.query_string(), visitor.group())?;
    found(&state, &request, query).await
}

/// Published products in a category and below. A former slug answers 301.
#[utoipa::path(get, path = "/categories/{key}/products", tag = "catalogue",
    params(("key" = String, Path, description = "id or slug")),
    responses((status = 200, body = SearchResult), (status = 301, description = "the slug has changed")))]
async fn category_products(
    state: web::Data<State>,
    request: HttpRequest,
    key: web::Path<String>,
    visitor: Visitor,
) -> Answer {
    let mut query = search_query(&state, request.query_string(), visitor.group())?;
    let category = state.ports.products.category(key.to_string()).await?;
    if is_former(&key, &category) {
        let asked = Some(request.query_string()).filter(|query| !query.is_empty());
        let asked = asked.map_or_else(String::new, |query| format!("?{query}"));
        return Ok(cached::moved(&format!("/categories/{}/products{asked}", category.slug)));
    }
    query.category = vec![category.id.to_string()];
    found(&state, &request, query).await
}

/// Published products of a collection.
#[utoipa::path(get, path = "/collections/{key}/products", tag = "catalogue",
    params(("key" = String, Path, description = "id or slug")), responses((status = 200, body = SearchResult)))]
async fn collection_products(
    state: web::Data<State>,
    request: HttpRequest,
    key: web::Path<String>,
    visitor: Visitor,
) -> Answer {
    let mut query = search_query(&state, request.query_string(), visitor.group())?;
    query.collection = vec![key.into_inner()];
    found(&state, &request, query).await
}

async fn found(state: &State, request: &HttpRequest, query: SearchQuery) -> Answer {
    let key = format!("search:{}", serde_json::to_string(&query).map_err(Error::from)?);
    let load = async || {
        let result = state.ports.products.search(query).await?;
        Ok((result, vec![LISTS.to_owned()]))
    };
    cached::answer(state, request, &key, load).await
}

/// One published product, by id or slug. A former slug answers 301.
#[utoipa::path(get, path = "/products/{key}", tag = "catalogue", params(
    ("key" = String, Path, description = "id or slug"),
    ("currency" = Option<String>, Query, description = "ISO 4217"),
), responses((status = 200, body = ProductView), (status = 301, description = "the slug has changed")))]
async fn product(
    state: web::Data<State>,
    request: HttpRequest,
    key: web::Path<String>,
    query: Query<CurrencyQuery>,
    visitor: Visitor,
) -> Answer {
    let context = PriceContext { currency: currency(&state, query.0.currency)?, group: visitor.group() };
    let cache_key =
        format!("product:{key}:{}:{}", context.currency, context.group.as_deref().unwrap_or_default());
    let load = async || {
        let mut view = state.ports.products.view(key.to_string(), context).await?;
        let tags = vec![cached::product_tag(view.id), PRODUCTS.to_owned()];
        if *key != view.slug && *key != view.id.to_string() {
            return Ok((Found::Moved(format!("/products/{}", view.slug)), tags));
        }
        // They never keep a product from being shown.
        match visible(&state, &view).await {
            Ok(fields) => view.metafields = fields,
            Err(error) if error.kind == Kind::Unavailable => return Ok((Found::Partly(view), tags)),
            Err(error) => return Err(error),
        }
        Ok((Found::Here(view), tags))
    };
    cached::answer_found(&state, &request, &cache_key, load).await
}

/// The custom fields that shoppers see.
async fn visible(state: &State, view: &ProductView) -> shared::Result<BTreeMap<String, serde_json::Value>> {
    let fields = state.ports.metadata.fields(Owner::Product, view.id.to_string()).await?.fields;
    let shown = fields.into_iter().filter(|field| field.visibility == Visibility::Storefront);
    Ok(shown.map(|field| (format!("{}.{}", field.namespace, field.key), field.value)).collect())
}

/// The whole tree.
#[utoipa::path(get, path = "/categories", tag = "catalogue", responses((status = 200, body = All<CategoryNode>)))]
async fn categories(state: web::Data<State>, request: HttpRequest) -> Answer {
    let load =
        async || Ok((All { data: state.ports.products.categories().await? }, vec![CATEGORIES.to_owned()]));
    cached::answer(&state, &request, "categories", load).await
}

/// One category. A former slug answers 301.
#[utoipa::path(get, path = "/categories/{key}", tag = "catalogue",
    params(("key" = String, Path, description = "id or slug")),
    responses((status = 200, body = Category), (status = 301, description = "the slug has changed")))]
async fn category(state: web::Data<State>, request: HttpRequest, key: web::Path<String>) -> Answer {
    let load = async || {
        let category = state.ports.products.category(key.to_string()).await?;
        let found = match is_former(&key, &category) {
            true => Found::Moved(format!("/categories/{}", category.slug)),
            false => Found::Here(category),
        };
        Ok((found, vec![CATEGORIES.to_owned()]))
    };
    cached::answer_found(&state, &request, &format!("category:{key}"), load).await
}

/// Was the category found by a slug that it had before?
fn is_former(key: &str, category: &Category) -> bool {
    key != category.slug && key != category.id.to_string()
}

/// Hand-picked sets.
#[utoipa::path(get, path = "/collections", tag = "catalogue", responses((status = 200, body = All<Collection>)))]
async fn collections(state: web::Data<State>, request: HttpRequest) -> Answer {
    let load =
        async || Ok((All { data: state.ports.products.collections().await? }, vec![CATEGORIES.to_owned()]));
    cached::answer(&state, &request, "collections", load).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SuggestQuery {
    q: String,
    limit: Option<u32>,
}

/// Completions for a half-typed search.
#[utoipa::path(get, path = "/search/suggest", tag = "catalogue", params(
    ("q" = String, Query), ("limit" = Option<u32>, Query, minimum = 1, maximum = 100),
), responses((status = 200, body = Suggestions)))]
async fn suggest(state: web::Data<State>, request: HttpRequest, query: Query<SuggestQuery>) -> Answer {
    let limit = page(query.0.limit.or(Some(8)), None)?.limit;
    let key = format!("suggest:{limit}:{}", query.0.q);
    let load = async || Ok((state.ports.products.suggest(query.0.q, limit).await?, vec![LISTS.to_owned()]));
    cached::answer(&state, &request, &key, load).await
}

/// `?currency=`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurrencyQuery {
    pub currency: Option<String>,
}

/// The currency asked for, if the shop has it; the shop's first one otherwise.
pub fn currency(state: &State, code: Option<String>) -> Result<Currency, Problem> {
    let Some(code) = code else { return Ok(state.settings.currencies[0]) };
    let known = code.parse::<Currency>().ok().filter(|c| state.settings.currencies.contains(c));
    known.ok_or_else(|| {
        Error::invalid("?currency", "currency", format!("this shop has no prices in {code:?}")).into()
    })
}

fn search_query(state: &State, query_string: &str, group: Option<String>) -> Result<SearchQuery, Problem> {
    let context = PriceContext { currency: state.settings.currencies[0], group };
    let mut query = SearchQuery {
        q: None,
        category: Vec::new(),
        collection: Vec::new(),
        tag: Vec::new(),
        brand: Vec::new(),
        options: BTreeMap::new(),
        attributes: BTreeMap::new(),
        min_price: None,
        max_price: None,
        in_stock: None,
        min_rating: None,
        sort: Sort::default(),
        context,
        facets: true,
        page: Default::default(),
    };
    let (mut limit, mut cursor) = (None, None);
    for (name, value) in serde_urlencoded::from_str::<Vec<(String, String)>>(query_string).unwrap_or_default()
    {
        match name.as_str() {
            "limit" => limit = Some(number(&name, &value)?),
            "cursor" => cursor = Some(value),
            "currency" => query.context.currency = currency(state, Some(value))?,
            _ => parameter(&mut query, &name, value)?,
        }
    }
    query.page = page(limit, cursor)?;
    Ok(query)
}

/// 1 to 5 stars in a query string.
pub fn stars(name: &str, value: &str) -> Result<u8, Problem> {
    let stars = number(name, value)?;
    if (1..=5).contains(&stars) { Ok(stars) } else { Err(wrong(name, "stars are 1 to 5")) }
}

fn parameter(query: &mut SearchQuery, name: &str, value: String) -> Result<(), Problem> {
    match name {
        "q" => query.q = Some(value).filter(|q| !q.trim().is_empty()),
        "category" => query.category.push(value),
        "collection" => query.collection.push(value),
        "tag" => query.tag.push(value),
        "brand" => query.brand.push(value),
        "min_price" => query.min_price = Some(number(name, &value)?),
        "max_price" => query.max_price = Some(number(name, &value)?),
        "in_stock" => query.in_stock = Some(number(name, &value)?),
        "rating" => query.min_rating = Some(stars(name, &value)?),
        "facets" => query.facets = number(name, &value)?,
        "sort" => {
            query.sort = serde_json::from_value(value.into()).map_err(|_| wrong(name, "no such order"))?
        }
        _ => match name.split_once('.') {
            Some(("option", option)) => query.options.entry(option.to_owned()).or_default().push(value),
            Some(("attr", attribute)) => {
                query.attributes.entry(attribute.to_owned()).or_default().push(value)
            }
            _ => return Err(Error::invalid(format!("?{name}"), "unknown_field", "no such parameter").into()),
        },
    }
    Ok(())
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, Problem> {
    value.parse().map_err(|_| wrong(name, "not a valid value"))
}

fn wrong(name: &str, detail: &str) -> Problem {
    Error::invalid(format!("?{name}"), "invalid_value", detail).into()
}

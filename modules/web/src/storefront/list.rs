//! Lists of products: a category, or what a search has found.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, web};
use askama::Template;
use contracts::product::{
    CategoryNode, Collection, CollectionId, FacetValue, ProductCard, SearchQuery, SearchResult, Sort,
};

use super::{filters::Filters, seo};
use crate::{
    Answer, Page,
    app::{at, get},
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/categories", [get(categories)]);
    at(config, "/categories/{slug}", [get(category)]);
    at(config, "/collections/{slug}", [get(collection)]);
    at(config, "/search", [get(search)]);
    at(config, "/search/suggest", [get(suggest)]);
}

/// A list as its template needs it.
pub struct Listing {
    /// Where the form of the filters leads.
    pub path: String,
    pub title: String,
    pub filters: Filters,
    pub data: Vec<ProductCard>,
    pub total: u64,
    pub facets: Vec<Facet>,
    pub chips: Vec<Chip>,
    /// The query string that shows more.
    pub more: Option<String>,
    /// The cheapest and the dearest, in whole units.
    pub price: Option<(i64, i64)>,
}

/// A filter with its values.
pub struct Facet {
    pub name: String,
    pub title: String,
    pub values: Vec<FacetValue>,
    /// Colours by value, where they are known.
    pub swatches: BTreeMap<String, String>,
    pub open: bool,
}

/// A filter in force.
pub struct Chip {
    pub label: String,
    /// The query string without it.
    pub without: String,
}

impl Listing {
    fn new(p: &Page, path: String, title: String, filters: Filters, found: SearchResult) -> Self {
        let swatches: BTreeMap<String, String> = found
            .data
            .iter()
            .flat_map(|card| &card.swatches)
            .filter_map(|value| Some((value.value.clone(), value.swatch.clone()?)))
            .collect();
        let unit = 10_i64.pow(p.currency.exponent());
        let facets: Vec<Facet> = facets(p, &filters, found.facets, &swatches);
        Self {
            chips: chips(p, &filters, &facets),
            more: found.next_cursor.map(|cursor| filters.more(&cursor)),
            price: found.price.map(|range| (range.min.amount / unit, (range.max.amount + unit - 1) / unit)),
            data: found.data,
            total: found.total,
            path,
            title,
            filters,
            facets,
        }
    }

    /// How many are shown, when the list begins at its beginning.
    pub fn shown(&self) -> usize {
        self.data.len()
    }

    /// The orders to choose from.
    pub fn orders(&self) -> [&'static str; 6] {
        ["relevance", "popular", "newest", "price", "-price", "rating"]
    }
}

fn facets(
    p: &Page,
    filters: &Filters,
    found: BTreeMap<String, Vec<FacetValue>>,
    swatches: &BTreeMap<String, String>,
) -> Vec<Facet> {
    let rank = |name: &str| match name {
        "in_stock" => 0,
        name if name.starts_with("option.") => 1,
        name if name.starts_with("attr.") => 2,
        _ => 3,
    };
    let shown = |name: &str| name != "category" && name != "tag";
    let mut facets: Vec<Facet> = found
        .into_iter()
        .filter(|(name, values)| shown(name) && !values.is_empty())
        .map(|(name, mut values)| {
            if name == "in_stock" {
                values.retain(|value| value.value == "true");
                values.iter_mut().for_each(|value| value.label = p.t("in-stock"));
            }
            if name == "rating" {
                values.sort_by(|a, b| b.value.cmp(&a.value));
                values.retain(|value| value.value != "1" || filters.has("rating", "1"));
                values.iter_mut().for_each(|value| value.label = stars(p, &value.value));
            }
            let coloured = values.iter().all(|value| swatches.contains_key(&value.value));
            let swatches =
                if coloured && name.starts_with("option.") { swatches.clone() } else { BTreeMap::new() };
            Facet {
                title: p.label(&name),
                open: filters.chosen.contains_key(&name) || rank(&name) < 2,
                name,
                values,
                swatches,
            }
        })
        .filter(|facet| !facet.values.is_empty())
        .collect();
    facets.sort_by_key(|facet| (rank(&facet.name), facet.name.clone()));
    for (index, facet) in facets.iter_mut().enumerate() {
        facet.open |= index < 4;
    }
    facets
}

/// "4 stars and up".
fn stars(p: &Page, stars: &str) -> String {
    p.text("reviews-at-least").number("stars", stars.parse().unwrap_or(0)).to_string()
}

fn chips(p: &Page, filters: &Filters, facets: &[Facet]) -> Vec<Chip> {
    let label = |name: &str, value: &str| {
        let facet = facets.iter().find(|facet| facet.name == name);
        let known = facet.and_then(|facet| facet.values.iter().find(|known| known.value == value));
        known.map_or_else(|| value.to_owned(), |known| known.label.clone())
    };
    let mut chips = Vec::new();
    for (name, values) in &filters.chosen {
        let chip = |value: &String| Chip { label: label(name, value), without: filters.without(name, value) };
        chips.extend(values.iter().map(chip));
    }
    let symbol = p.formats().symbol(p.currency);
    for (name, key, price) in
        [("min_price", "price-from", filters.min_price), ("max_price", "price-to", filters.max_price)]
    {
        let label = price.map(|price| p.text(key).arg("price", format!("{symbol}{price}")).to_string());
        chips.extend(label.map(|label| Chip { label, without: filters.without(name, "") }));
    }
    chips
}

/// The page of a part of the shop: a category or a collection.
#[derive(Template)]
#[template(path = "storefront/part.html")]
struct Part<'a> {
    p: &'a Page,
    description: &'a str,
    /// Categories below it.
    children: &'a [CategoryNode],
    /// From the root down, this one last.
    trail: Vec<(String, String)>,
    l: Listing,
    schema: String,
}

#[derive(Template)]
#[template(path = "storefront/search.html")]
struct Search<'a> {
    p: &'a Page,
    l: Listing,
    terms: Vec<String>,
    popular: Vec<ProductCard>,
}

#[derive(Template)]
#[template(path = "storefront/results.html")]
struct Results<'a> {
    p: &'a Page,
    l: Listing,
}

#[derive(Template)]
#[template(path = "storefront/categories.html")]
struct Categories<'a> {
    p: &'a Page,
    /// Those with something in them.
    collections: Vec<Collection>,
}

async fn categories(p: Page, request: HttpRequest) -> Answer {
    p.public(&request, async |p| {
        let mut collections = p.ports().products.collections().await?;
        collections.retain(|collection| !collection.product_ids.is_empty());
        Ok((Categories { p, collections }.render()?, vec!["categories".into()]))
    })
    .await
}

async fn category(p: Page, request: HttpRequest, slug: web::Path<String>) -> Answer {
    let nav = p.nav.clone();
    let Some(path) = path_to(&nav, &slug) else {
        // By its id or a former slug, or a category that was made a moment ago.
        let category = p.ports().products.category(slug.into_inner()).await?;
        if path_to(&nav, &category.slug).is_some() {
            return Ok(p.moved(&format!("/categories/{}", category.slug)));
        }
        return Err(crate::Fault::not_found());
    };
    p.public(&request, async |p| {
        let CategoryNode { category, children, .. } = path[path.len() - 1];
        let within = |query| SearchQuery { category: vec![category.id.to_string()], ..query };
        let step = |node: &&CategoryNode| {
            (node.category.title.clone(), format!("/categories/{}", node.category.slug))
        };
        part(p, path.iter().map(step).collect(), &category.description, children, within).await
    })
    .await
}

async fn collection(p: Page, request: HttpRequest, key: web::Path<String>) -> Answer {
    p.public(&request, async |p| {
        let all = p.ports().products.collections().await?;
        let is_meant = |one: &&Collection| one.slug == *key;
        let collection = all.iter().find(is_meant).ok_or_else(CollectionId::not_found)?;
        let within = |query| SearchQuery { collection: vec![collection.id.to_string()], ..query };
        let trail = vec![(collection.title.clone(), format!("/collections/{}", collection.slug))];
        part(p, trail, &collection.description, &[], within).await
    })
    .await
}

/// The page of a part of the shop, the last of `trail`, or only its list, with the tags of the kept page.
async fn part(
    p: &Page,
    mut trail: Vec<(String, String)>,
    description: &str,
    children: &[CategoryNode],
    within: impl Fn(SearchQuery) -> SearchQuery,
) -> Answer<(String, Vec<String>)> {
    let filters = Filters::parse(&p.query);
    let found = found(p, &filters, within).await?;
    let (title, here) = trail.last().cloned().unwrap_or_default();
    let l = Listing::new(p, here, title, filters, found);
    let tags = vec!["lists".to_owned(), "products".to_owned()];
    if p.fragment {
        return Ok((Results { p, l }.render()?, tags));
    }
    let schema = seo::listing(p, &trail, &l.data);
    if let Some(last) = trail.last_mut() {
        last.1.clear();
    }
    Ok((Part { p, description, children, trail, l, schema }.render()?, tags))
}

async fn search(p: Page, request: HttpRequest) -> Answer {
    p.public(&request, async |p| {
        let filters = Filters::parse(&p.query);
        let result = found(p, &filters, |query| query).await?;
        let title = match (filters.q.as_str(), filters.sort) {
            ("", Sort::Newest) => p.t("new-arrivals"),
            ("", Sort::Popular) => p.t("best-sellers"),
            ("", _) => p.t("all-products"),
            (q, _) => p.text("search-title").arg("q", q).to_string(),
        };
        let (mut terms, mut popular) = (Vec::new(), Vec::new());
        if result.total == 0 {
            let words: Vec<&str> = filters.q.split_whitespace().collect();
            for word in words.iter().take(3) {
                let start: String = word.chars().take(3).collect();
                terms.extend(p.ports().products.suggest(start, 3).await?.terms);
            }
            popular = super::best_sellers(p, 4).await?;
        }
        let l = Listing::new(p, "/search".into(), title, filters, result);
        let tags = vec!["lists".to_owned(), "products".to_owned()];
        if p.fragment {
            return Ok((Results { p, l }.render()?, tags));
        }
        Ok((Search { p, l, terms, popular }.render()?, tags))
    })
    .await
}

/// What the filters find, `within` a part of the shop.
async fn found(
    p: &Page,
    filters: &Filters,
    within: impl Fn(SearchQuery) -> SearchQuery,
) -> Answer<SearchResult> {
    let products = &p.ports().products;
    match products.search(within(filters.query(p))).await {
        // A cursor of another search: from the beginning.
        Err(error) if error.code == "invalid_cursor" => {
            let first = Filters { after: None, page: 1, ..filters.clone() };
            Ok(products.search(within(first.query(p))).await?)
        }
        found => Ok(found?),
    }
}

#[derive(serde::Deserialize)]
struct Typed {
    #[serde(default)]
    q: String,
}

#[derive(Template)]
#[template(path = "storefront/suggest.html")]
struct Suggest<'a> {
    p: &'a Page,
    q: String,
    s: contracts::product::Suggestions,
}

async fn suggest(p: Page, request: HttpRequest, typed: web::Query<Typed>) -> Answer {
    p.public(&request, async |p| {
        let q: String = typed.0.q.trim().chars().take(100).collect();
        let s = p.ports().products.suggest(q.clone(), 5).await?;
        Ok((Suggest { p, q, s }.render()?, vec!["lists".into(), "products".into()]))
    })
    .await
}

/// The categories from a root down to the one with this slug.
pub fn path_to<'a>(nodes: &'a [CategoryNode], slug: &str) -> Option<Vec<&'a CategoryNode>> {
    for node in nodes {
        if node.category.slug == slug {
            return Some(vec![node]);
        }
        if let Some(mut path) = path_to(&node.children, slug) {
            path.insert(0, node);
            return Some(path);
        }
    }
    None
}

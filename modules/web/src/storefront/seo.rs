//! What search engines and readers of feeds ask for.

use actix_web::{HttpResponse, http::header, web};
use contracts::{
    metadata::content::{PageSummary, PageView},
    product::{ProductCard, ProductView, SearchQuery, Sort},
};
use serde_json::{Value, json};
use shared::{Money, PageRequest};

use super::everything;
use crate::{
    Answer, Page,
    app::{at, get},
    assets,
};

/// Products in one site map.
const PER_MAP: u32 = 100;

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/robots.txt", [get(robots)]);
    at(config, "/sitemap.xml", [get(index)]);
    at(config, "/sitemaps/categories.xml", [get(categories)]);
    at(config, "/sitemaps/products.xml", [get(products)]);
    at(config, "/feed.xml", [get(feed)]);
    at(config, "/site.webmanifest", [get(manifest)]);
}

/// JSON inside a script element: nothing in it may end the element.
fn embedded(value: &Value) -> String {
    value.to_string().replace('<', "\\u003c")
}

/// An amount as schema.org writes it: `189.00`.
fn decimal(money: Money) -> String {
    let unit = 10_i64.pow(money.currency.exponent());
    let places = money.currency.exponent() as usize;
    match places {
        0 => money.amount.to_string(),
        _ => format!("{}.{:0places$}", money.amount / unit, money.amount % unit),
    }
}

fn trail_of(p: &Page, trail: &[(String, String)]) -> Value {
    let home = (p.t("home"), "/".to_owned());
    let steps: Vec<Value> = std::iter::once(&home)
        .chain(trail)
        .enumerate()
        .map(|(n, (name, path))| {
            json!({"@type": "ListItem", "position": n + 1, "name": name, "item": p.absolute(path)})
        })
        .collect();
    json!({"@type": "BreadcrumbList", "itemListElement": steps})
}

/// The shop itself.
pub fn shop(p: &Page) -> String {
    let home = p.absolute("/");
    embedded(&json!({"@context": "https://schema.org", "@graph": [
        {"@type": "Organization", "name": p.shop(), "url": home},
        {"@type": "WebSite", "name": p.shop(), "url": home, "inLanguage": p.locale.code(), "potentialAction": {
            "@type": "SearchAction",
            "target": {"@type": "EntryPoint", "urlTemplate": format!("{}?q={{search_term_string}}", p.absolute("/search"))},
            "query-input": "required name=search_term_string",
        }},
    ]}))
}

/// A category with what is on its page.
pub fn listing(p: &Page, trail: &[(String, String)], cards: &[ProductCard]) -> String {
    let items: Vec<Value> = cards
        .iter()
        .enumerate()
        .map(|(n, card)| {
            let url = p.absolute(&format!("/products/{}", card.slug));
            json!({"@type": "ListItem", "position": n + 1, "url": url, "name": card.title})
        })
        .collect();
    let list = json!({"@type": "ItemList", "itemListElement": items});
    embedded(&json!({"@context": "https://schema.org", "@graph": [trail_of(p, trail), list]}))
}

/// A product with its offers.
pub fn product(p: &Page, x: &ProductView, trail: &[(String, String)]) -> String {
    let url = p.absolute(&format!("/products/{}", x.slug));
    let offers: Vec<Value> = x
        .variants
        .iter()
        .map(|v| {
            let availability = if v.in_stock { "InStock" } else { "OutOfStock" };
            json!({
                "@type": "Offer", "sku": v.sku, "url": format!("{url}?variant={}", v.id),
                "price": decimal(v.price), "priceCurrency": v.price.currency.code(),
                "availability": format!("https://schema.org/{availability}"),
            })
        })
        .collect();
    let images: Vec<String> = x.images.iter().map(|image| p.absolute_file(&image.file)).collect();
    let mut product = json!({
        "@type": "Product", "name": x.title, "url": url, "description": x.subtitle.clone().unwrap_or_default(),
        "image": images, "offers": offers,
    });
    if let Some(brand) = &x.brand {
        product["brand"] = json!({"@type": "Brand", "name": brand});
    }
    if x.rating.count > 0 {
        product["aggregateRating"] = json!({
            "@type": "AggregateRating", "reviewCount": x.rating.count,
            "ratingValue": format!("{:.1}", x.rating.average),
        });
    }
    let mut trail = trail.to_vec();
    trail.push((x.title.clone(), format!("/products/{}", x.slug)));
    embedded(&json!({"@context": "https://schema.org", "@graph": [product, trail_of(p, &trail)]}))
}

/// A page that staff have written.
pub fn article(p: &Page, view: &PageView, path: &str) -> String {
    let PageSummary { title, excerpt, image, published_at, updated_at, locale, .. } = &view.summary;
    let mut article = json!({
        "@type": "Article", "headline": title, "description": excerpt, "url": p.absolute(path),
        "datePublished": published_at, "dateModified": updated_at, "inLanguage": locale,
        "publisher": {"@type": "Organization", "name": p.shop()},
    });
    if let Some(image) = image {
        article["image"] = p.absolute_file(&image.file).into();
    }
    embedded(&json!({"@context": "https://schema.org", "@graph": [article]}))
}

impl Page {
    /// The absolute address of a picture.
    pub fn absolute_file(&self, file: &str) -> String {
        format!("{}/media/{file}", self.state.settings.public_url.trim_end_matches('/'))
    }
}

fn answer(content_type: &str, body: String) -> Answer {
    let mut response = HttpResponse::Ok();
    response.content_type(content_type).insert_header((header::CACHE_CONTROL, "public, max-age=3600"));
    Ok(response.body(body))
}

async fn robots(p: Page) -> Answer {
    let closed =
        ["/admin", "/account", "/cart", "/checkout", "/orders", "/track", "/search", "/wishlist", "/api/"];
    let rules: String =
        closed.iter().map(|path| format!("Disallow: {path}\nDisallow: /de{path}\n")).collect();
    let map = p.absolute_in(&crate::locale::Locale::En, "/sitemap.xml");
    answer("text/plain; charset=utf-8", format!("User-agent: *\n{rules}\nSitemap: {map}\n"))
}

async fn index(p: Page) -> Answer {
    let mut maps = vec![p.absolute("/sitemaps/categories.xml")];
    let mut cursor = None;
    loop {
        let page = format!("/sitemaps/products.xml{}", after(cursor.as_deref()));
        maps.push(p.absolute(&page));
        cursor = batch(&p, cursor).await?.1;
        if cursor.is_none() || maps.len() >= 50_000 {
            break;
        }
    }
    let entries: String =
        maps.iter().map(|map| format!("<sitemap><loc>{}</loc></sitemap>", xml(map))).collect();
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><sitemapindex xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">{entries}</sitemapindex>"
    );
    answer("application/xml; charset=utf-8", body)
}

fn after(cursor: Option<&str>) -> String {
    cursor.map_or_else(String::new, |cursor| format!("?after={cursor}"))
}

async fn batch(p: &Page, cursor: Option<String>) -> Answer<(Vec<ProductCard>, Option<String>)> {
    let page = PageRequest { limit: PER_MAP, cursor };
    let found =
        p.ports().products.search(SearchQuery { page, ..everything(p, Sort::Newest, PER_MAP) }).await?;
    Ok((found.data, found.next_cursor))
}

async fn categories(p: Page) -> Answer {
    let mut paths = vec!["/".to_owned(), "/categories".to_owned()];
    paths.extend(p.footer.paths());
    let mut nodes: Vec<&contracts::product::CategoryNode> = p.nav.iter().collect();
    while let Some(node) = nodes.pop() {
        paths.push(format!("/categories/{}", node.category.slug));
        nodes.extend(&node.children);
    }
    let collections = p.ports().products.collections().await?;
    paths.extend(collections.iter().map(|collection| format!("/collections/{}", collection.slug)));
    urls(&p, &paths)
}

#[derive(serde::Deserialize)]
struct From {
    after: Option<String>,
}

async fn products(p: Page, from: web::Query<From>) -> Answer {
    let (cards, _) = batch(&p, from.0.after).await?;
    urls(&p, &cards.iter().map(|card| format!("/products/{}", card.slug)).collect::<Vec<_>>())
}

/// A site map: every path in every language.
fn urls(p: &Page, paths: &[String]) -> Answer {
    let mut body = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\" xmlns:xhtml=\"http://www.w3.org/1999/xhtml\">",
    );
    for path in paths {
        let links: String = p
            .offered()
            .iter()
            .map(|language| {
                let address = xml(&p.absolute_in(language, path));
                format!("<xhtml:link rel=\"alternate\" hreflang=\"{}\" href=\"{address}\"/>", language.code())
            })
            .collect();
        for language in p.offered() {
            body.push_str(&format!("<url><loc>{}</loc>{links}</url>", xml(&p.absolute_in(language, path))));
        }
    }
    body.push_str("</urlset>");
    answer("application/xml; charset=utf-8", body)
}

async fn feed(p: Page) -> Answer {
    let new = p.ports().products.search(everything(&p, Sort::Newest, 20)).await?.data.into_iter();
    let items: Vec<Item> = new
        .map(|card| Item {
            address: p.absolute(&format!("/products/{}", card.slug)),
            title: card.title,
            text: card.subtitle.unwrap_or_default(),
        })
        .collect();
    rss(&p, "/feed.xml", &p.t("new-arrivals"), &items)
}

/// An entry of a feed.
pub struct Item {
    pub address: String,
    pub title: String,
    pub text: String,
}

/// A feed at `path`.
pub fn rss(p: &Page, path: &str, about: &str, items: &[Item]) -> Answer {
    let items: String = items
        .iter()
        .map(|item| {
            let (link, text) = (xml(&item.address), xml(&item.text));
            format!("<item><title>{}</title><link>{link}</link><guid>{link}</guid><description>{text}</description></item>", xml(&item.title))
        })
        .collect();
    let here = xml(&p.absolute(path));
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><rss version=\"2.0\" xmlns:atom=\"http://www.w3.org/2005/Atom\"><channel><title>{}</title><link>{}</link><description>{}</description><language>{}</language><atom:link href=\"{here}\" rel=\"self\" type=\"application/rss+xml\"/>{items}</channel></rss>",
        xml(p.shop()),
        xml(&p.absolute("/")),
        xml(about),
        p.locale.code(),
    );
    answer("application/rss+xml; charset=utf-8", body)
}

async fn manifest(p: Page) -> Answer {
    let icon = json!({"src": assets::path("favicon.svg"), "sizes": "any", "type": "image/svg+xml"});
    let manifest = json!({
        "name": p.shop(), "short_name": p.shop(), "start_url": p.link("/"), "display": "minimal-ui", "icons": [icon],
        "lang": p.locale.code(), "background_color": "#ffffff", "theme_color": "#ffffff",
    });
    answer("application/manifest+json", manifest.to_string())
}

fn xml(text: &str) -> String {
    askama::filters::escape(text, askama::filters::Html).map_or_else(|e| match e {}, |s| s.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_the_data_ends_the_script() {
        assert_eq!(embedded(&json!({"name": "</script><b>"})), "{\"name\":\"\\u003c/script>\\u003cb>\"}");
    }

    #[test]
    fn amounts_have_their_places() {
        let money = |amount, code: &str| Money { amount, currency: code.parse().unwrap() };
        assert_eq!(decimal(money(18905, "EUR")), "189.05");
        assert_eq!(decimal(money(1500, "JPY")), "1500");
    }
}

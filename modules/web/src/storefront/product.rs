//! The page of one product.

use actix_web::{HttpRequest, web};
use askama::Template;
use contracts::{
    cart::Destination,
    metadata::{Kind, Owner, Visibility},
    product::{Image, ProductCard, ProductView, QuoteLine, SearchQuery, Sort, VariantId, VariantView},
    shipping::{RateRequest, ShippingOption},
};
use serde::Deserialize;
use serde_json::Value;

use super::{everything, saved, seo};
use crate::{
    Answer, Page,
    app::{at, get},
    cookies::Name,
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/products/{key}", [get(product)]);
}

#[derive(Deserialize)]
struct Chosen {
    variant: Option<String>,
}

#[derive(Template)]
#[template(path = "storefront/product.html")]
struct Product<'a> {
    p: &'a Page,
    x: &'a ProductView,
    v: &'a VariantView,
    pictures: Vec<&'a Image>,
    options: Vec<OptionView<'a>>,
    facts: Vec<(String, String)>,
    body: String,
    delivery: Option<ShippingOption>,
    trail: Vec<(String, String)>,
    related: Vec<ProductCard>,
    schema: String,
    path: String,
}

/// An option with its choices.
struct OptionView<'a> {
    name: &'a str,
    /// The label of what is chosen.
    chosen: &'a str,
    choices: Vec<Choice<'a>>,
    /// Shown as pictures rather than as words.
    pictured: bool,
}

/// One choice: a link to the page with the variant that it leads to.
struct Choice<'a> {
    label: &'a str,
    swatch: Option<&'a str>,
    image: Option<&'a str>,
    link: String,
    on: bool,
    in_stock: bool,
}

async fn product(
    p: Page,
    request: HttpRequest,
    key: web::Path<String>,
    chosen: web::Query<Chosen>,
) -> Answer {
    let view = p.ports().products.view(key.to_string(), p.prices()).await?;
    if *key != view.slug {
        return Ok(p.moved(&format!("/products/{}", view.slug)));
    }
    let Some(variant) = pick(&view, chosen.variant.as_deref()) else { return Err(crate::Fault::not_found()) };
    let mut response = p
        .public(&request, async |p| {
            let html = page(p, &view, variant).await?;
            Ok((html, vec![format!("product:{}", view.id), "products".to_owned(), "lists".to_owned()]))
        })
        .await?;
    p.cookies.set(&mut response, Name::Recent, saved::looked_at(&p, view.id));
    Ok(response)
}

/// The variant asked for, else the first that can be bought, else the first.
fn pick<'a>(view: &'a ProductView, asked: Option<&str>) -> Option<&'a VariantView> {
    let asked = asked.and_then(|id| id.parse::<VariantId>().ok());
    let all = &view.variants;
    all.iter()
        .find(|variant| Some(variant.id) == asked)
        .or_else(|| all.iter().find(|variant| variant.in_stock))
        .or_else(|| all.first())
}

async fn page(p: &Page, x: &ProductView, v: &VariantView) -> Answer<String> {
    let path = format!("/products/{}", x.slug);
    let mut trail: Vec<(String, String)> =
        x.categories.iter().map(|c| (c.title.clone(), format!("/categories/{}", c.slug))).collect();
    let schema = seo::product(p, x, &trail);
    trail.push((x.title.clone(), String::new()));
    let product = Product {
        pictures: pictures(x, v),
        options: options(p, x, v),
        facts: facts(p, x, v).into_iter().chain(custom(p, x).await).collect(),
        body: body(&x.description),
        delivery: delivery(p, v).await,
        related: related(p, x).await?,
        p,
        x,
        v,
        trail,
        schema,
        path,
    };
    Ok(product.render()?)
}

/// Those of the variant first, and those that show all; others only where nothing is left without them.
fn pictures<'a>(x: &'a ProductView, v: &VariantView) -> Vec<&'a Image> {
    let same = |name: &String, value: &String| {
        v.options.iter().any(|(known, chosen)| known.eq_ignore_ascii_case(name) && chosen == value)
    };
    let fits = |image: &&Image| image.options.iter().all(|(name, value)| same(name, value));
    let mut fitting: Vec<&Image> = x.images.iter().filter(fits).collect();
    if fitting.is_empty() {
        fitting = x.images.iter().collect();
    }
    fitting.sort_by_key(|image| image.options.is_empty());
    fitting
}

fn options<'a>(p: &Page, x: &'a ProductView, v: &VariantView) -> Vec<OptionView<'a>> {
    let value_of = |variant: &VariantView, name: &str| {
        variant
            .options
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.clone())
    };
    let mut views = Vec::new();
    for option in &x.options {
        let current = value_of(v, &option.name).unwrap_or_default();
        let mut choices = Vec::new();
        for value in &option.values {
            let has =
                |variant: &&VariantView| value_of(variant, &option.name).as_deref() == Some(&value.value);
            // The variant that differs in nothing else, or the first that has the value.
            let others = |variant: &&VariantView| {
                x.options
                    .iter()
                    .filter(|other| other.name != option.name)
                    .all(|other| value_of(variant, &other.name) == value_of(v, &other.name))
            };
            let exact = x.variants.iter().find(|variant| has(variant) && others(variant));
            let Some(leads) = exact.or_else(|| x.variants.iter().find(has)) else { continue };
            choices.push(Choice {
                label: &value.label,
                swatch: value.swatch.as_deref(),
                image: leads.image.as_deref(),
                link: format!("{}?variant={}", p.link(&format!("/products/{}", x.slug)), leads.id),
                on: value.value == current,
                in_stock: exact.is_some_and(|variant| variant.in_stock),
            });
        }
        let chosen = option.values.iter().find(|value| value.value == current);
        let pictured = choices.len() > 1
            && choices.iter().all(|choice| choice.image.is_some() && choice.swatch.is_some());
        views.push(OptionView {
            name: &option.name,
            chosen: chosen.map_or("", |value| value.label.as_str()),
            choices,
            pictured,
        });
    }
    views
}

fn facts(p: &Page, x: &ProductView, v: &VariantView) -> Vec<(String, String)> {
    let mut facts: Vec<(String, String)> = Vec::new();
    for (name, value) in &x.attributes {
        // The variant knows its weight better.
        if name != "weight" || v.weight_grams == 0 {
            facts.push((p.label(name), value.clone()));
        }
    }
    if v.weight_grams > 0 {
        let weight = match v.weight_grams {
            grams if grams >= 1000 => format!("{} kg", p.formats().tenths(grams as f64 / 1000.0)),
            grams => format!("{} g", p.number(grams)),
        };
        facts.push((p.label("weight"), weight));
    }
    if let Some(brand) = &x.brand {
        facts.push((p.label("brand"), brand.clone()));
    }
    facts.push((p.label("sku"), v.sku.clone()));
    facts
}

/// The custom fields that shoppers see and that are words or sums. The page can do without them.
async fn custom(p: &Page, x: &ProductView) -> Vec<(String, String)> {
    let fields = match p.ports().metadata.fields(Owner::Product, x.id.to_string()).await {
        Ok(found) => found.fields,
        Err(error) => {
            tracing::warn!(error = %error.chain(), "the custom fields could not be read");
            return Vec::new();
        }
    };
    let visible = fields.into_iter().filter(|field| field.visibility == Visibility::Storefront);
    visible.filter_map(|field| Some((field.name, said(p, field.kind, &field.value)?))).collect()
}

fn said(p: &Page, kind: Kind, value: &Value) -> Option<String> {
    match (kind, value) {
        (Kind::Text | Kind::Decimal, Value::String(text)) => Some(text.clone()),
        (Kind::Date, Value::String(day)) => Some(p.weekday(day)),
        (Kind::Integer, Value::Number(number)) => Some(p.number(number.as_i64()?)),
        (Kind::Money, money) => Some(p.money(&serde_json::from_value(money.clone()).ok()?)),
        (Kind::List, Value::Array(items)) => {
            let words =
                items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned));
            Some(words.collect::<Vec<_>>().join(", "))
        }
        _ => None,
    }
}

/// The description as HTML: the catalogue has sanitised markup, plain text gets its paragraphs and lists.
fn body(description: &str) -> String {
    if description.contains("</") || description.contains("<br") {
        return description.to_owned();
    }
    let escape = |text: &str| {
        askama::filters::escape(text, askama::filters::Html).map_or_else(|e| match e {}, |s| s.to_string())
    };
    let mut html = String::new();
    for block in description.split("\n\n").filter(|block| !block.trim().is_empty()) {
        let lines: Vec<&str> = block.lines().collect();
        if lines.iter().all(|line| line.starts_with("- ")) {
            let items: String = lines.iter().map(|line| format!("<li>{}</li>", escape(&line[2..]))).collect();
            html.push_str(&format!("<ul>{items}</ul>"));
        } else {
            html.push_str(&format!("<p>{}</p>", escape(block)));
        }
    }
    html
}

/// The cheapest way here, for one of it. Only a hint: without an answer the page does without.
async fn delivery(p: &Page, v: &VariantView) -> Option<ShippingOption> {
    let line = QuoteLine { variant_id: v.id, quantity: 1 };
    let quote = p.ports().products.quote(vec![line], p.prices()).await.ok()?.into_iter().next()?;
    let request = RateRequest {
        destination: Destination { country: p.country(), region: None, postal_code: None },
        subtotal: quote.unit_price,
        weight_grams: quote.weight_grams,
        classes: vec![quote.shipping_class],
    };
    p.ports().shipping.options(request).await.ok()?.into_iter().next()
}

/// Others of its last category.
async fn related(p: &Page, x: &ProductView) -> Answer<Vec<ProductCard>> {
    let Some(category) = x.categories.last() else { return Ok(Vec::new()) };
    let query = SearchQuery {
        category: vec![category.id.to_string()],
        in_stock: Some(true),
        ..everything(p, Sort::Popular, 5)
    };
    let mut cards = p.ports().products.search(query).await?.data;
    cards.retain(|card| card.id != x.id);
    cards.truncate(4);
    Ok(cards)
}

impl Page {
    /// Where things are sent to before an address is known.
    pub fn country(&self) -> shared::values::Country {
        self.state.settings.shop.default_country
    }

    /// "Only 3 left", "In stock", "Sold out".
    pub fn stock(&self, variant: &VariantView) -> String {
        match variant.available {
            _ if !variant.in_stock => self.t("sold-out"),
            few if few <= self.said.few => self.text("only-few-left").number("count", few).to_string(),
            _ => self.t("in-stock"),
        }
    }

    /// A delivery window in words.
    pub fn arrives(&self, option: &ShippingOption) -> String {
        let (from, to) = (self.weekday(&option.delivery.from), self.weekday(&option.delivery.to));
        if from == to {
            return self.text("arrives-on").arg("day", to).to_string();
        }
        self.text("arrives-between").arg("from", from).arg("to", to).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::body;

    #[test]
    fn plain_text_gets_paragraphs_and_lists_and_is_escaped() {
        let html = body("One <b\n\n- first\n- second & last\n\nTwo");
        assert_eq!(html, "<p>One &#60;b</p><ul><li>first</li><li>second &#38; last</li></ul><p>Two</p>");
    }

    #[test]
    fn markup_of_the_catalogue_stays() {
        assert_eq!(body("<p>One</p>"), "<p>One</p>");
    }
}

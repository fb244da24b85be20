//! The form of a promotion: from its terms to fields, and back.

use chrono::{Days, NaiveDate};
use contracts::{
    cart::{NewPromotion, Promotion, PromotionKind},
    product::{CategoryId, ProductFilter, ProductId, Sort},
};
use shared::{Error, Money, PageRequest, Time};

use crate::{Answer, Page, forms::Fields, storefront::everything};

const KINDS: [(&str, PromotionKind); 4] = [
    ("percentage", PromotionKind::Percentage),
    ("fixed", PromotionKind::Fixed),
    ("free_shipping", PromotionKind::FreeShipping),
    ("buy_x_get_y", PromotionKind::BuyXGetY),
];

/// The form of a promotion. Days are the shop's, and the last one is within.
pub async fn filled(p: &Page, promotion: &Promotion) -> Answer<Fields> {
    let terms = &promotion.terms;
    let kind = KINDS.iter().find(|(_, kind)| *kind == terms.kind).map_or("", |(name, _)| *name);
    let currency = terms.currency.or_else(|| terms.minimum_subtotal.map(|money| money.currency));
    let currency = currency.unwrap_or(p.currencies()[0]);
    let day =
        |time: Option<Time>| time.map(|time| p.formats().local_date(time).to_string()).unwrap_or_default();
    let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    let last = terms.ends_at.map(|end| Time::from_micros(end.micros() - 1));
    let amount = |amount| p.amount(&Money { amount, currency });
    let is_fixed = terms.kind == PromotionKind::Fixed;
    let mut f = Fields::default()
        .with("version", promotion.version)
        .with("title", terms.title.as_deref().unwrap_or_default())
        .with("code", terms.code.as_deref().unwrap_or_default())
        .with("kind", kind)
        .with("percent", if is_fixed { String::new() } else { terms.value.to_string() })
        .with("amount", if is_fixed { amount(terms.value) } else { String::new() })
        .with("currency", currency)
        .with("buy_quantity", number(terms.buy_quantity))
        .with("get_quantity", number(terms.get_quantity))
        .with("starts_at", day(terms.starts_at))
        .with("ends_at", day(last))
        .with("usage_limit", number(terms.usage_limit))
        .with("usage_limit_per_customer", number(terms.usage_limit_per_customer))
        .with("minimum", terms.minimum_subtotal.map(|money| p.amount(&money)).unwrap_or_default());
    let mut slugs = Vec::new();
    for id in &terms.product_ids {
        match p.ports().products.find(*id).await {
            Ok(product) => slugs.push(product.slug),
            Err(error) if error.kind == shared::Kind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    f = f.with("products", slugs.join(", "));
    for category in &terms.category_ids {
        f = f.with("category", category);
    }
    for (name, is_on) in [("combinable", terms.combinable), ("enabled", terms.enabled)] {
        if is_on {
            f = f.with(name, "on");
        }
    }
    Ok(f)
}

/// Reads the form. What is wrong is noted in it.
pub async fn read(p: &Page, f: &mut Fields) -> Answer<NewPromotion> {
    let kind = KINDS.iter().find(|(name, _)| *name == f.value("kind")).map(|(_, kind)| *kind);
    let kind = kind.unwrap_or(PromotionKind::Percentage);
    let currency = f.value("currency").parse().unwrap_or(p.currencies()[0]);
    let value = match kind {
        PromotionKind::Fixed => {
            f.required(p, "amount");
            f.money(p, "amount", currency).map_or(0, |money| money.amount)
        }
        PromotionKind::Percentage => {
            f.required(p, "percent");
            f.count(p, "percent").unwrap_or(0)
        }
        // Without a percentage the cheapest ones are free.
        PromotionKind::BuyXGetY => f.count(p, "percent").unwrap_or(100),
        PromotionKind::FreeShipping => 0,
    };
    let groups = kind == PromotionKind::BuyXGetY;
    let (buy, get) = (f.count(p, "buy_quantity"), f.count(p, "get_quantity"));
    let product_ids = products(p, f).await?;
    Ok(NewPromotion {
        title: f.given("title").map(ToOwned::to_owned),
        code: f.given("code").map(ToOwned::to_owned),
        kind,
        value,
        currency: (kind == PromotionKind::Fixed).then_some(currency),
        buy_quantity: buy.filter(|_| groups),
        get_quantity: get.filter(|_| groups),
        starts_at: day(p, f, "starts_at", 0),
        ends_at: day(p, f, "ends_at", 1),
        usage_limit: f.count(p, "usage_limit"),
        usage_limit_per_customer: f.count(p, "usage_limit_per_customer"),
        minimum_subtotal: f.money(p, "minimum", currency),
        category_ids: categories(f),
        product_ids,
        combinable: f.ticked("combinable"),
        enabled: f.ticked("enabled"),
    })
}

/// The start of a day, or of the one after it.
fn day(p: &Page, f: &mut Fields, name: &str, after: u64) -> Option<Time> {
    let day = f.given(name)?.parse::<NaiveDate>().ok().and_then(|day| day.checked_add_days(Days::new(after)));
    if day.is_none() {
        f.fail(name, p.t("error-day"));
    }
    day.map(|day| p.formats().start_of(day))
}

fn categories(f: &Fields) -> Vec<CategoryId> {
    f.all("category").filter_map(|id| id.parse().ok()).collect()
}

/// Products by their addresses; one that is not there is noted.
async fn products(p: &Page, f: &mut Fields) -> Answer<Vec<ProductId>> {
    let slugs: Vec<String> = f
        .value("products")
        .split([',', '\n', ' '])
        .map(str::trim)
        .filter(|slug| !slug.is_empty())
        .map(ToOwned::to_owned)
        .collect();
    let mut ids = Vec::new();
    for slug in slugs {
        let filter = ProductFilter { q: Some(slug.clone()), ..ProductFilter::default() };
        let found = p.ports().products.list(filter, PageRequest { limit: 100, cursor: None }).await?;
        match found.data.iter().find(|product| product.slug == slug) {
            Some(product) => ids.push(product.id),
            None => f.fail("products", p.text("error-no-product").arg("slug", &slug).to_string()),
        }
    }
    Ok(ids)
}

/// How many published products it applies to: those of its categories, and those named beside them.
pub async fn reach(p: &Page, f: &Fields) -> Answer<u64> {
    let products = products(p, &mut f.clone()).await?;
    let categories: Vec<String> = categories(f).iter().map(ToString::to_string).collect();
    if products.is_empty() || !categories.is_empty() {
        let query = contracts::product::SearchQuery {
            category: categories.clone(),
            ..everything(p, Sort::Newest, 1)
        };
        let within = p.ports().products.search(query).await?.total;
        if products.is_empty() {
            return Ok(within);
        }
        let views = p.ports().products.views(products, p.prices()).await?;
        let nav = crate::admin::places::all(p).await?;
        let is_within = |id: &CategoryId| {
            let above = nav.iter().find(|place| place.category.id == *id);
            above.is_some_and(|place| {
                place.above.iter().chain([&place.category.id]).any(|id| categories.contains(&id.to_string()))
            })
        };
        let others =
            views.iter().filter(|view| !view.categories.iter().any(|category| is_within(&category.id)));
        return Ok(within + others.count() as u64);
    }
    Ok(p.ports().products.views(products, p.prices()).await?.len() as u64)
}

/// Notes what the cart's module has refused, each at its field.
pub fn refuse(p: &Page, f: &mut Fields, error: &Error) {
    if error.code.contains("code") && error.fields.is_empty() {
        f.fail("code", p.error(&error.code, &error.detail));
        return;
    }
    for field in &error.fields {
        let text = p.error(&field.code, &field.detail);
        match field.pointer.as_str() {
            "/value" if f.value("kind") == "fixed" => f.fail("amount", text),
            "/value" => f.fail("percent", text),
            "/minimum_subtotal/amount" => f.fail("minimum", text),
            pointer => f.fail(pointer.trim_start_matches('/'), text),
        }
    }
    if error.fields.is_empty() {
        f.problem = Some(p.error(&error.code, &error.detail));
    }
}

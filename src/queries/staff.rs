//! Those who work in the shop: every list by everything, and something of each kind made, changed and thrown away.

use std::time::Duration;

use serde_json::{Value, json};
use shared::Result;

use super::tour::{Sights, address, fresh, text};

/// Every list of the admin with every filter, alone and together.
pub async fn reads(sights: &Sights) -> Result<()> {
    let (owner, now) = (&sights.owner, sights.now);
    let (order, product) = (&sights.order, &sights.products[0]);
    let variant = text(&product["variants"][0]["id"]);
    let customer = text(&order["customer_id"]);
    let orders = [
        String::new(),
        "status=placed".to_owned(),
        "payment_status=captured".to_owned(),
        "fulfillment_status=shipped".to_owned(),
        "placed_from=2020-01-01T00:00:00Z&placed_to=2099-01-01T00:00:00Z".to_owned(),
        "status=placed&payment_status=captured&fulfillment_status=unfulfilled".to_owned(),
        format!("customer_id={customer}"),
        format!("customer_id={customer}&status=placed"),
        format!("q={}", text(&order["number"])),
        "q=guest@".to_owned(),
        "q=guest@&status=placed".to_owned(),
    ];
    for filter in orders {
        owner.list(&format!("/admin/orders?{filter}")).await?;
    }
    let categories = owner.get("/categories").await?;
    let category = text(&categories["data"][0]["id"]);
    for list in [
        "/admin/products".to_owned(),
        "/admin/products?status=published".to_owned(),
        "/admin/products?q=mug".to_owned(),
        "/admin/products?q=mug&status=published".to_owned(),
        format!("/admin/products?category_id={category}"),
        format!("/admin/products?category_id={category}&status=published&q=mug"),
        "/admin/customers".to_owned(),
        "/admin/customers?q=tour".to_owned(),
        "/admin/inventory/levels".to_owned(),
        "/admin/inventory/levels?below=5".to_owned(),
        "/admin/inventory/levels?q=mug".to_owned(),
        "/admin/inventory/levels?q=mug&below=5".to_owned(),
        format!("/admin/inventory/levels?variant_id={variant}"),
        format!("/admin/inventory/movements?variant_id={variant}"),
        "/admin/pages".to_owned(),
        "/admin/pages?kind=page".to_owned(),
        "/admin/pages?kind=page&status=published".to_owned(),
        "/admin/pages?status=draft".to_owned(),
        "/admin/pages?q=ship".to_owned(),
        "/admin/promotions".to_owned(),
        "/admin/settings/history".to_owned(),
    ] {
        owner.list(&list).await?;
    }
    for path in [
        format!("/admin/analytics/summary?from={}&to={}", now.before(Duration::from_secs(300 * 86_400)), now),
        format!("/admin/products/{}", text(&product["id"])),
        format!("/admin/customers/{customer}"),
        "/admin/inventory/locations".to_owned(),
        "/admin/price_lists".to_owned(),
        "/admin/recommendations".to_owned(),
        "/admin/roles".to_owned(),
        "/admin/staff".to_owned(),
        "/admin/settings".to_owned(),
        "/admin/shipping_zones".to_owned(),
        "/admin/tax_rates".to_owned(),
        "/admin/system".to_owned(),
        "/admin/system/dead_letters".to_owned(),
        "/admin/metafield_definitions".to_owned(),
        "/admin/metafield_definitions?owner=product".to_owned(),
    ] {
        owner.get(&path).await?;
    }
    Ok(())
}

/// Something of each kind.
pub async fn writes(sights: &Sights) -> Result<()> {
    let product = catalogue(sights).await?;
    prices(sights, &product).await?;
    fields(sights, &product).await?;
    content(sights).await?;
    selling(sights).await?;
    people(sights).await?;
    let owner = &sights.owner;
    owner.delete(&format!("/admin/products/{}", text(&product["id"]))).await?;
    owner.post("/admin/recommendations/train", json!({})).await?;
    owner.post("/admin/system/reconcile", json!({})).await?;
    Ok(())
}

fn eur(amount: i64) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

async fn catalogue(sights: &Sights) -> Result<Value> {
    let owner = &sights.owner;
    let category = owner.post("/admin/categories", json!({"title": fresh("Tour")})).await?;
    let path = format!("/admin/categories/{}", text(&category["id"]));
    let inner = json!({"title": fresh("Inner"), "parent_id": category["id"]});
    let inner = owner.post("/admin/categories", inner).await?;
    owner.patch(&path, json!({"description": "Seen on tour.", "slug": fresh("tour-renamed")})).await?;
    sights.guest.get(&format!("/categories/{}", text(&category["slug"]))).await?;
    let variant = json!({"sku": fresh("TOUR"), "prices": [eur(1900)], "stock": 9, "weight_grams": 100});
    let new = json!({"title": fresh("Tour mug"), "status": "published", "variants": [variant],
        "category_ids": [category["id"]], "tags": ["tour"]});
    let product = owner.post("/admin/products", new).await?;
    let admin = format!("/admin/products/{}", text(&product["id"]));
    owner.patch(&admin, json!({"slug": fresh("tour-renamed"), "subtitle": "Renamed"})).await?;
    sights.guest.get(&format!("/products/{}", text(&product["slug"]))).await?;
    let with_picture = owner.send_raw(&format!("{admin}/images?alt=A%20dot"), "image/png", dot()).await?;
    let file = text(&with_picture["images"][0]["file"]);
    owner.delete(&format!("{admin}/images/{file}")).await?;
    let collection = json!({"title": fresh("Tour"), "product_ids": [product["id"]]});
    let made = owner.post("/admin/collections", collection.clone()).await?;
    let kept = format!("/admin/collections/{}", text(&made["id"]));
    owner.put(&kept, collection).await?;
    owner.delete(&kept).await?;
    let location =
        owner.post("/admin/inventory/locations", json!({"name": fresh("Shelf"), "priority": 9})).await?;
    for place in [Value::Null, location["id"].clone()] {
        let more = json!({"variant_id": product["variants"][0]["id"], "delta": 3, "reason": "found", "location_id": place});
        owner.post("/admin/inventory/adjustments", more).await?;
    }
    owner.list(&format!("/admin/inventory/levels?location_id={}", text(&location["id"]))).await?;
    owner.patch(&admin, json!({"category_ids": []})).await?;
    owner.delete(&format!("/admin/categories/{}", text(&inner["id"]))).await?;
    owner.delete(&path).await?;
    Ok(product)
}

/// The smallest picture: one grey pixel as PNG.
fn dot() -> Vec<u8> {
    const PNG: &str = "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550\
        000000a49444154789c63a8070000810080d394534a0000000049454e44ae426082";
    let digits: Vec<u32> = PNG.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).filter_map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
}

async fn prices(sights: &Sights, product: &Value) -> Result<()> {
    let owner = &sights.owner;
    let price = json!([{"variant_id": product["variants"][0]["id"], "min_quantity": 2, "amount": 1500}]);
    let list = json!({"name": fresh("Tour"), "currency": "EUR", "group": "tour", "prices": price});
    let made = owner.post("/admin/price_lists", list.clone()).await?;
    let path = format!("/admin/price_lists/{}", text(&made["id"]));
    owner.put(&path, list).await?;
    owner.delete(&path).await?;
    Ok(())
}

async fn fields(sights: &Sights, product: &Value) -> Result<()> {
    let owner = &sights.owner;
    let key = format!("k{}", &shared::telemetry::trace_id()[..8]);
    let new = json!({"owner": "product", "namespace": "tour", "key": key, "name": "Tour", "kind": "text",
        "visibility": "storefront", "searchable": true, "facet": true});
    let definition = owner.post("/admin/metafield_definitions", new).await?;
    let path = format!("/admin/metafield_definitions/{}", text(&definition["id"]));
    owner.get(&path).await?;
    let values = format!("/admin/metafields/product/{}", text(&product["id"]));
    let name = format!("tour.{key}");
    owner.patch(&values, json!({name.as_str(): "yes"})).await?;
    owner.put(&values, json!({name.as_str(): "no"})).await?;
    owner.get(&values).await?;
    owner.patch(&path, json!({"name": "Tour again", "rules": {"max_length": 10}})).await?;
    owner.patch(&path, json!({"kind": "integer", "rules": {}, "drop_invalid": true})).await?;
    owner.delete(&path).await?;
    Ok(())
}

async fn content(sights: &Sights) -> Result<()> {
    let owner = &sights.owner;
    let slug = fresh("tour");
    let new = json!({"kind": "journal", "slug": slug, "status": "published",
        "texts": {"en": {"title": fresh("A tour"), "body": "Seen."}}});
    let page = owner.post("/admin/pages", new).await?;
    let path = format!("/admin/pages/{}", text(&page["id"]));
    owner.patch(&path, json!({"slug": fresh("tour"), "texts": {"en": {"title": "Another"}}})).await?;
    owner.get(&path).await?;
    sights.guest.get(&format!("/pages/{slug}")).await?;
    owner.delete(&path).await?;
    let settings = owner.get("/admin/settings").await?;
    owner.patch("/admin/settings", json!({"return_days": 31})).await?;
    let version = settings["version"].as_i64().unwrap_or_default().max(1);
    owner.post(&format!("/admin/settings/history/{version}/restore"), json!({})).await?;
    Ok(())
}

/// Promotions, taxes and zones.
async fn selling(sights: &Sights) -> Result<()> {
    let owner = &sights.owner;
    let product = &sights.products[0]["id"];
    let new = json!({"kind": "percentage", "value": 5, "code": fresh("T"), "product_ids": [product]});
    let made = owner.post("/admin/promotions", new.clone()).await?;
    let path = format!("/admin/promotions/{}", text(&made["id"]));
    owner.get(&path).await?;
    owner.put(&path, new).await?;
    owner.delete(&path).await?;
    let rate = json!({"country": "BR", "tax_class": "standard", "name": "Tour", "rate_basis_points": 700, "included": true});
    let rate = owner.post("/admin/tax_rates", rate).await?;
    owner.delete(&format!("/admin/tax_rates/{}", text(&rate["id"]))).await?;
    let method = json!({"name": "Standard", "carrier": "DHL", "tiers": [{"price": eur(900)}], "min_days": 1, "max_days": 9});
    let zone = json!({"name": "Tour", "countries": ["BR"], "methods": [method]});
    let made = owner.post("/admin/shipping_zones", zone.clone()).await?;
    let path = format!("/admin/shipping_zones/{}", text(&made["id"]));
    owner.put(&path, zone).await?;
    owner.delete(&path).await?;
    Ok(())
}

async fn people(sights: &Sights) -> Result<()> {
    let owner = &sights.owner;
    let email = format!("{}@example.com", fresh("staff"));
    let new =
        json!({"email": email, "name": "Tour Staff", "role": "support", "password": "correct horse battery"});
    let member = owner.post("/admin/staff", new).await?;
    let id = text(&member["id"]);
    owner.put(&format!("/admin/staff/{id}/roles"), json!({"roles": ["manager"]})).await?;
    owner.put(&format!("/admin/staff/{id}/roles"), json!({"roles": []})).await?;
    let customer = format!("/admin/customers/{}", text(&sights.order["customer_id"]));
    owner.patch(&customer, json!({"group": "tour"})).await?;
    owner.get(&customer).await?;
    owner.post("/admin/pages/preview", json!({"markdown": "*seen*"})).await?;
    let saved = json!({"address": address()});
    owner.patch("/admin/settings", saved).await?;
    Ok(())
}

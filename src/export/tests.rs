use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::import::tests::double::{self, Shop};

fn order(lines: serde_json::Value) -> serde_json::Value {
    let eur = |amount: i64| json!({"amount": amount, "currency": "EUR"});
    let at = "2026-11-01T10:00:00.000000Z";
    let id = contracts::order::OrderId::derived("1");
    let address = json!({"name": "=cmd()", "line1": "Am Markt 1", "city": "Köln", "postal_code": "50672", "country": "DE"});
    json!({
        "id": id, "number": "B-1", "token": "secret", "cart_id": contracts::cart::CartId::derived("1"),
        "customer_id": null, "email": "ada@example.com", "status": "placed", "payment_status": "captured",
        "fulfillment_status": "unfulfilled", "currency": "EUR", "lines": lines, "shipping_address": address,
        "billing_address": address,
        "shipping": {
            "id": contracts::shipping::MethodId::derived("1"), "name": "Standard", "carrier": "DHL", "price": eur(490),
            "delivery": {"from": "2026-11-03", "to": "2026-11-05"},
        },
        "discounts": [], "subtotal": eur(1_000), "discount_total": eur(100), "shipping_total": eur(490),
        "tax_total": eur(222), "total": eur(1_390), "prices_include_tax": true, "tax_lines": [],
        "captured_total": eur(1_390), "refunded_total": eur(0),
        "payment": {"provider": "test", "status": "captured", "next_action": null, "decline_code": null},
        "shipments": [], "refunds": [], "timeline": [], "cancel_reason": null, "created_at": at, "placed_at": at,
        "updated_at": at, "version": 1,
    })
}

fn line(sku: &str, total: i64) -> serde_json::Value {
    let eur = |amount: i64| json!({"amount": amount, "currency": "EUR"});
    json!({
        "id": contracts::cart::LineId::derived(sku), "variant_id": contracts::product::VariantId::derived(sku),
        "product_id": contracts::product::ProductId::derived(sku), "slug": "s", "sku": sku, "title": "Mug",
        "variant_title": "Red, large", "image": null, "quantity": 2, "unit_price": eur(500), "subtotal": eur(1_000),
        "discount": eur(0), "tax": eur(0), "total": eur(total), "tax_rate_basis_points": 1_900, "weight_grams": 1,
        "shipped_quantity": 0, "refunded_quantity": 0,
    })
}

fn records(file: &[u8]) -> Vec<Vec<String>> {
    let records = csv::Reader::from_reader(file).into_records();
    records.map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[tokio::test]
async fn an_order_has_a_row_for_each_line_and_its_totals_once() {
    let full = order(json!([line("A", 1_000), line("B", 0)]));
    let summary = json!({
        "id": full["id"], "number": "B-1", "customer_id": null, "email": "ada@example.com", "name": "Ada",
        "status": "placed", "payment_status": "captured", "fulfillment_status": "unfulfilled", "total": full["total"],
        "units": 4, "created_at": full["created_at"], "placed_at": full["placed_at"],
    });
    let shop = Shop {
        answers: [("order.list", json!({"data": [summary], "next_cursor": null})), ("order.find", full)]
            .into(),
        ..Shop::default()
    };
    let mut file = Vec::new();
    orders_csv(&double::ports(&Arc::new(shop)), &mut file).await.unwrap();
    let rows = records(&file);
    let column = |name: &str| ORDER_COLUMNS.iter().position(|known| *known == name).unwrap();
    let cells = |name: &str| rows.iter().map(|row| row[column(name)].as_str()).collect::<Vec<_>>();
    assert_eq!(cells("number"), ["B-1", "B-1"]);
    assert_eq!(cells("total"), ["13.90", ""]);
    assert_eq!(cells("line_sku"), ["A", "B"]);
    assert_eq!(cells("line_total"), ["10.00", "0.00"]);
    assert_eq!(cells("name"), ["'=cmd()", ""]);
    assert!(!String::from_utf8(file).unwrap().contains("secret"), "whoever has the token may read the order");
}

#[tokio::test]
async fn every_account_has_a_row() {
    let customer = json!({
        "id": contracts::customer::CustomerId::derived("1"), "email": "ada@example.com", "name": "@Ada, Countess",
        "email_verified": true, "group": null, "created_at": "2026-11-01T10:00:00.000000Z", "version": 1,
    });
    let shop = Shop {
        answers: [("customer.list", json!({"data": [customer], "next_cursor": null}))].into(),
        ..Shop::default()
    };
    let mut file = Vec::new();
    customers_csv(&double::ports(&Arc::new(shop)), &mut file).await.unwrap();
    assert_eq!(records(&file)[0][1..4], ["ada@example.com", "'@Ada, Countess", "true"]);
}

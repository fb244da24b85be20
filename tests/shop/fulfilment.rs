//! Parcels, cancellations, and the moves an order may make.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Goods, Shape, Shop, Stock, check_out, eur, list, number, text, wait_for};

crate::rules! {
    an_order_that_is_not_sent_can_be_cancelled_once,
    an_order_that_is_sent_cannot_be_cancelled,
    an_order_is_sent_in_parts_and_complete_when_all_has_arrived,
    no_more_is_sent_than_was_bought,
    a_parcel_never_moves_backwards,
    only_a_paid_order_is_sent,
    every_move_is_in_the_published_table_and_on_the_timeline,
    a_repeated_shipment_is_one_parcel,
    the_overview_counts_what_was_sold,
    orders_are_found_by_what_is_known_of_them,
}

/// The path of an order below `/admin`.
fn admin(order: &Value) -> String {
    format!("/admin/orders/{}", text(&order["id"]))
}

/// Sends units of the first line.
async fn send(shop: &Shop, order: &Value, units: i64) -> crate::client::Answer {
    let lines = json!([{"line_id": order["lines"][0]["id"], "quantity": units}]);
    let parcel = json!({"lines": lines, "carrier": "DHL", "tracking_number": "00340434"});
    shop.owner.post(&format!("{}/shipments", admin(order)), &parcel).await
}

/// Tells where a parcel is.
async fn report(shop: &Shop, shipment: &Value, status: &str) -> crate::client::Answer {
    shop.owner.patch(&format!("/admin/shipments/{}", text(&shipment["id"])), &json!({"status": status})).await
}

async fn bought(shape: Shape, units: i64) -> (Shop, Goods, Value) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let order = shop.buy(&mug, units).await;
    (shop, mug, order)
}

async fn an_order_that_is_not_sent_can_be_cancelled_once(shape: Shape) {
    let (shop, mug, order) = bought(shape, 3).await;
    let path = format!("/orders/{}/cancel?token={}", text(&order["id"]), text(&order["token"]));
    let reason = json!({"reason": "changed my mind"});
    shop.guest.post(&path, &reason).await.expect(200);
    let cancelled = shop.order_becomes(&order["id"], "cancelled").await;
    assert_eq!(
        (&cancelled["refunded_total"], &cancelled["payment_status"]),
        (&order["total"], &json!("refunded"))
    );
    assert_eq!(shop.stock(&mug).await, Stock { on_hand: 10, reserved: 0 });
    shop.guest.post(&path, &reason).await.expect(200);
    shop.owner.post(&format!("{}/cancel", admin(&order)), &json!({})).await.expect(200);
    shop.mail("ada@example.com", "order_cancelled").await;
    let again = shop.order(&order["id"]).await;
    assert_eq!((&again["refunded_total"], again["refunds"].as_array().unwrap().len()), (&order["total"], 1));
    assert_eq!(shop.stock(&mug).await, Stock { on_hand: 10, reserved: 0 });
    assert_eq!(shop.mails("ada@example.com", "order_cancelled").await.len(), 1);
    assert!(again["timeline"].to_string().contains("changed my mind"), "{again}");
}

async fn an_order_that_is_sent_cannot_be_cancelled(shape: Shape) {
    let (shop, mug, order) = bought(shape, 2).await;
    send(&shop, &order, 1).await.expect(201);
    let by_shopper = format!("/orders/{}/cancel?token={}", text(&order["id"]), text(&order["token"]));
    for (who, path) in [(&shop.guest, by_shopper), (&shop.owner, format!("{}/cancel", admin(&order)))] {
        let problem = who.post(&path, &json!({})).await.refused(409, "illegal_transition");
        assert!(problem["from"].is_string() && problem["to"].is_string(), "{problem}");
    }
    let order = shop.order(&order["id"]).await;
    assert_eq!((&order["status"], &order["refunded_total"]), (&json!("placed"), &eur(0)));
    assert_eq!(shop.stock(&mug).await, Stock { on_hand: 8, reserved: 0 });
}

async fn an_order_is_sent_in_parts_and_complete_when_all_has_arrived(shape: Shape) {
    let (shop, _, order) = bought(shape, 3).await;
    let part = send(&shop, &order, 2).await.expect(201);
    assert_eq!(
        (&part["fulfillment_status"], &part["lines"][0]["shipped_quantity"]),
        (&json!("partially_shipped"), &json!(2))
    );
    let mail = shop.mail("ada@example.com", "order_shipped").await;
    assert!(text(&mail["text"]).contains("00340434"), "{mail}");
    let rest = send(&shop, &order, 1).await.expect(201);
    assert_eq!(rest["fulfillment_status"], "shipped");
    let parcels = rest["shipments"].as_array().unwrap().clone();
    assert_eq!(parcels.len(), 2);
    assert!(text(&parcels[0]["tracking_url"]).contains("00340434"));

    report(&shop, &parcels[0], "in_transit").await.expect(200);
    report(&shop, &parcels[0], "delivered").await.expect(200);
    let half = shop.order(&order["id"]).await;
    assert_eq!((&half["fulfillment_status"], &half["status"]), (&json!("shipped"), &json!("placed")));
    report(&shop, &parcels[1], "delivered").await.expect(200);
    let done = shop.order_becomes(&order["id"], "completed").await;
    assert_eq!(done["fulfillment_status"], "delivered");
    shop.owner
        .post(&format!("{}/cancel", admin(&order)), &json!({}))
        .await
        .refused(409, "illegal_transition");
    wait_for("a mail for each parcel", async || {
        shop.mails("ada@example.com", "order_shipped").await.len() == 2
    })
    .await;
}

async fn no_more_is_sent_than_was_bought(shape: Shape) {
    let (shop, _, order) = bought(shape, 3).await;
    send(&shop, &order, 4).await.refused(422, "quantity_exceeds_remaining");
    for wrong in [0, -1] {
        let refused = send(&shop, &order, wrong).await;
        assert_eq!(refused.status, 422, "{refused}");
    }
    send(&shop, &order, 2).await.expect(201);
    send(&shop, &order, 2).await.refused(422, "quantity_exceeds_remaining");
    let line = &order["lines"][0]["id"];
    let twice = json!({"lines": [{"line_id": line, "quantity": 1}, {"line_id": line, "quantity": 1}]});
    let path = format!("{}/shipments", admin(&order));
    shop.owner.post(&path, &twice).await.refused_at(422, "duplicate", "/lines/1/line_id");
    let unknown = json!({"lines": [{"line_id": format!("line_{}", "0".repeat(26)), "quantity": 1}]});
    let refused = shop.owner.post(&path, &unknown).await;
    assert!([404, 422].contains(&refused.status), "{refused}");
    assert_eq!(shop.owner.post(&path, &json!({"lines": []})).await.status, 422);

    let key = json!({"lines": [{"line_id": line, "quantity": 1, "restock": true}], "reason": "not needed"});
    shop.owner.post_once(&format!("{}/refunds", admin(&order)), &key, "refund").await.expect(201);
    send(&shop, &order, 1).await.refused(422, "quantity_exceeds_remaining");
}

async fn a_parcel_never_moves_backwards(shape: Shape) {
    let (shop, _, order) = bought(shape, 1).await;
    let parcel = send(&shop, &order, 1).await.expect(201)["shipments"][0].clone();
    report(&shop, &parcel, "delivered").await.expect(200);
    let problem = report(&shop, &parcel, "in_transit").await.refused(409, "illegal_transition");
    assert_eq!((&problem["from"], &problem["to"]), (&json!("delivered"), &json!("in_transit")));
    report(&shop, &parcel, "delivered").await.expect(200);
    let refused = report(&shop, &parcel, "lost").await;
    assert_eq!(
        (refused.status, refused.body["errors"][0]["pointer"].as_str()),
        (422, Some("/status")),
        "{refused}"
    );
    report(&shop, &json!({"id": format!("ship_{}", "0".repeat(26))}), "delivered")
        .await
        .refused(404, "not_found");
}

async fn only_a_paid_order_is_sent(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let body = shop.order_for(&shop.guest, &mug, 1, "tok_3ds_abandoned").await;
    let pending = check_out(&shop.guest, &body).await.expect(201);
    let problem = send(&shop, &pending, 1).await.refused(409, "illegal_transition");
    assert!(problem["from"].is_string() && problem["to"].is_string(), "{problem}");
    let order = shop.buy(&mug, 1).await;
    shop.owner.post(&format!("{}/cancel", admin(&order)), &json!({})).await.expect(200);
    shop.order_becomes(&order["id"], "cancelled").await;
    send(&shop, &order, 1).await.refused(409, "illegal_transition");
}

async fn every_move_is_in_the_published_table_and_on_the_timeline(shape: Shape) {
    let (shop, _, order) = bought(shape, 1).await;
    let parcel = send(&shop, &order, 1).await.expect(201)["shipments"][0].clone();
    report(&shop, &parcel, "delivered").await.expect(200);
    let refund = json!({"reason": "came back"});
    shop.owner.post_once(&format!("{}/refunds", admin(&order)), &refund, "refund").await.expect(201);

    let tables = list(&shop.guest.get("/orders/transitions").await.expect(200));
    let timeline = list(&shop.owner.get(&format!("{}/events", admin(&order))).await.expect(200));
    for state in ["status", "payment_status", "fulfillment_status"] {
        let table = tables.iter().find(|table| table["state"] == state).unwrap();
        let legal = table["moves"].as_array().unwrap();
        let moves: Vec<&Value> = timeline.iter().filter(|entry| entry["kind"] == state).collect();
        assert!(moves.iter().all(|m| m["actor"]["kind"].is_string() && m["at"].is_string()), "{moves:?}");
        let mut at = json!(null);
        for entry in moves {
            if !entry["from"].is_null() {
                assert!(at.is_null() || at == entry["from"], "{timeline:?}");
                assert!(legal.contains(&json!({"from": entry["from"], "to": entry["to"]})), "{entry}");
            }
            at = entry["to"].clone();
        }
        assert_eq!(at, shop.order(&order["id"]).await[state], "{timeline:?}");
    }
}

async fn a_repeated_shipment_is_one_parcel(shape: Shape) {
    let (shop, _, order) = bought(shape, 3).await;
    let parcel = json!({"lines": [{"line_id": order["lines"][0]["id"], "quantity": 1}]});
    let path = format!("{}/shipments", admin(&order));
    let first = shop.owner.post_once(&path, &parcel, "parcel-1").await;
    let second = shop.owner.post_once(&path, &parcel, "parcel-1").await;
    assert_eq!((first.status, &first.bytes), (201, &second.bytes));
    let order = shop.order(&order["id"]).await;
    assert_eq!(
        (order["shipments"].as_array().unwrap().len(), &order["lines"][0]["shipped_quantity"]),
        (1, &json!(1))
    );
}

async fn the_overview_counts_what_was_sold(shape: Shape) {
    let (shop, mug, first) = bought(shape, 2).await;
    let second = shop.buy(&mug, 1).await;
    shop.owner
        .request(Method::POST, &format!("{}/refunds", admin(&second)))
        .key("r")
        .json(&json!({"amount": eur(500), "reason": "late"}))
        .send()
        .await
        .expect(201);
    let path = "/admin/analytics/summary?from=2020-01-01T00:00:00Z&to=2020-06-01T00:00:00Z";
    assert_eq!(shop.owner.get(path).await.expect(200)["orders"], 0);
    let now = shared::time::system_clock().now();
    let day = std::time::Duration::from_secs(86_400);
    let path = format!("/admin/analytics/summary?from={}&to={}", now.before(day), now.after(day));
    let summary = shop.owner.get(&path).await.expect(200);
    assert_eq!((&summary["orders"], &summary["units"]), (&json!(2), &json!(3)));
    let gross = number(&first["total"]["amount"]) + number(&second["total"]["amount"]);
    assert_eq!((&summary["gross"], &summary["refunded"]), (&json!([eur(gross)]), &json!([eur(500)])));
    assert_eq!(summary["net"], json!([eur(gross - 500)]));
    assert_eq!(
        (&summary["best_sellers"][0]["product_id"], &summary["best_sellers"][0]["units"]),
        (&json!(mug.product), &json!(3))
    );
    let wrong = "/admin/analytics/summary?from=2020-01-01T00:00:00Z&to=2022-01-01T00:00:00Z";
    assert_eq!(shop.owner.get(wrong).await.status, 422);
}

async fn orders_are_found_by_what_is_known_of_them(shape: Shape) {
    let (shop, mug, first) = bought(shape, 1).await;
    let mut body = shop.order_for(&shop.guest, &mug, 1, "tok_ok").await;
    body["email"] = "bob@example.com".into();
    let second = check_out(&shop.guest, &body).await.expect(201);
    send(&shop, &second, 1).await.expect(201);
    let find = async |query: &str| {
        let orders = list(&shop.owner.get(&format!("/admin/orders?{query}")).await.expect(200));
        orders.iter().map(|order| text(&order["number"])).collect::<Vec<_>>()
    };
    let (one, two) = (text(&first["number"]), text(&second["number"]));
    let (one, two) = (one.as_str(), two.as_str());
    assert_eq!(find("").await, [two, one]);
    assert_eq!(find(&format!("q={one}")).await, [one]);
    assert_eq!(find("q=bob").await, [two]);
    assert_eq!(find("fulfillment_status=shipped").await, [two]);
    assert_eq!(find("fulfillment_status=unfulfilled&payment_status=captured").await, [one]);
    assert!(find("status=cancelled").await.is_empty());
    assert_eq!(shop.owner.get("/admin/orders?status=lost").await.status, 422);
    assert_eq!(shop.owner.get("/admin/orders?total=1").await.status, 422);
}

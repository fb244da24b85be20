//! What a shopper and the staff do in a day, through nginx.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use shared::telemetry::TraceParent;

use crate::{
    cluster::within,
    harness::{PASSWORD, address, fresh, list, log_in, text},
    journal::{Journal, Purchase},
    shop::Shop,
};

const SOON: Duration = Duration::from_secs(15);

pub async fn a_whole_journey_is_one_trace(shop: &Shop) {
    let begun = Instant::now();
    let (guest, goods) = (&shop.guest, &shop.town.goods[1]);
    let counter = shop.counter().await;

    guest.root(Method::GET, "/").send().await.expect(200);
    guest.root(Method::GET, &format!("/products/{}", goods.slug)).send().await.expect(200);
    guest.get(&format!("/products/{}", goods.slug)).await.expect(200);
    within(SOON, "it is found", async || {
        let found = guest.get("/products?q=thing").await.expect(200);
        list(&found).iter().any(|product| product["id"] == goods.product.as_str())
    })
    .await;

    let line = json!({"lines": [{"variant_id": goods.variant, "quantity": 1}]});
    let cart = guest.post("/carts", &line).await.expect(201);
    let of_cart = |what: &str| format!("/carts/{}/{what}", text(&cart["id"]));
    let line = json!({"variant_id": goods.variant, "quantity": 1});
    guest.post(&of_cart("lines"), &line).await.expect(201);
    guest.post(&of_cart("discount_codes"), &json!({"code": "TENTH"})).await.expect(201);
    let options =
        guest.post(&of_cart("shipping_options"), &json!({"address": address("DE")})).await.expect(200);
    assert_eq!(list(&options).len(), 1);

    let email = format!("carla-{}@example.com", fresh());
    let declined = Purchase::new(shop.town.checkout_of(&cart, &email, "tok_declined"));
    declined.request(guest).send().await.refused(402, "payment_declined");
    let mut purchase = Purchase::new(shop.town.checkout_of(&cart, &email, "tok_ok"));
    let trace = TraceParent::new();
    let answer = purchase.request(guest).header("traceparent", &trace.to_string()).send().await;
    assert_eq!(answer.header("x-request-id"), trace.trace_id());
    purchase.answer = Some(answer.clone());
    let order = answer.expect(201);
    let id = text(&order["id"]);
    guest.get(&format!("/orders/{id}?token={}", text(&order["token"]))).await.expect(200);
    guest.get(&format!("/orders/{id}")).await.refused(401, "unauthenticated");

    let admin = format!("/admin/orders/{id}");
    let lines = json!([{"line_id": order["lines"][0]["id"], "quantity": 1, "restock": true}]);
    let refund = json!({"lines": lines, "reason": "one is enough"});
    counter.owner.post_once(&format!("{admin}/refunds"), &refund, &fresh()).await.expect(201);
    let parcel = json!({"lines": [{"line_id": order["lines"][0]["id"], "quantity": 1}], "carrier": "DHL"});
    let parcel = counter.owner.post(&format!("{admin}/shipments"), &parcel).await.expect(201);
    let parcel = format!("/admin/shipments/{}", text(&parcel["shipments"][0]["id"]));
    counter.owner.patch(&parcel, &json!({"status": "shipped"})).await;
    within(SOON, "the mail is caught", async || {
        let mails = guest.root(Method::GET, &format!("/dev/mail.json?to={email}")).send().await.expect(200);
        list(&mails).iter().any(|mail| mail["template"] == "order_placed")
    })
    .await;

    let new = json!({"email": email, "password": PASSWORD, "name": "Carla Customer"});
    guest.post("/customers", &new).await.expect(201);
    let carla = log_in(guest, &email, PASSWORD).await;
    let reviews = format!("/products/{}/reviews", goods.slug);
    let words = json!({"rating": 5, "title": "A thing", "body": "It is one, and a good one at that."});
    let review = carla.post(&reviews, &words).await.expect(201);
    let approve = format!("/admin/reviews/{}/approve", text(&review["id"]));
    counter.owner.post(&approve, &json!({})).await.expect(200);
    within(SOON, "the review appears", async || {
        list(&guest.get(&reviews).await.expect(200)).iter().any(|shown| shown["id"] == review["id"])
    })
    .await;

    let places = ["gateway", "order", "cart", "product", "payment", "notification"];
    let saw = |place: &str| {
        [1, 2].iter().any(|n| shop.cluster.said(&format!("{place}-{n}")).contains(&trace.trace_id()))
    };
    within(SOON, "the trace is everywhere", async || places.iter().all(|place| saw(place))).await;
    println!(
        "journey: {:.1?}; trace {} in the logs of {}",
        begun.elapsed(),
        trace.trace_id(),
        places.join(", ")
    );
    shop.owes_nobody_anything(Journal::from_iter([purchase])).await;
}

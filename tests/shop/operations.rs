//! What whoever runs the shop asks it.

use reqwest::Method;
use serde_json::json;

use crate::harness::{Shape, Shop, check_out, wait_for};

crate::rules! {
    it_says_that_it_lives_and_is_ready,
    it_counts_its_requests_by_route,
    production_shows_nothing_of_development,
    a_full_shop_says_so_at_once,
}

async fn it_says_that_it_lives_and_is_ready(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let alive = shop.guest.root(Method::GET, "/healthz").send().await.expect(200);
    assert_eq!(alive["status"], "ok");
    let ready = shop.guest.root(Method::GET, "/readyz").send().await.expect(200);
    assert_eq!(ready["status"], "ready");
    // Four databases; or, where modules are elsewhere, what leads to them.
    #[cfg(feature = "distributed")]
    let expected = if shape == Shape::Split { 1 } else { 4 };
    #[cfg(not(feature = "distributed"))]
    let expected = 4;
    assert_eq!(ready["dependencies"].as_array().unwrap().len(), expected);
    shop.guest.root(Method::POST, "/healthz").send().await.refused(405, "method_not_allowed");
}

async fn it_counts_its_requests_by_route(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(1).await;
    for _ in 0..3 {
        shop.guest.get(&format!("/products/{}", mug.slug)).await.expect(200);
    }
    shop.guest.get("/products/nothing").await.refused(404, "not_found");
    let metrics = shop.guest.root(Method::GET, "/metrics").send().await;
    assert!(metrics.header("content-type").starts_with("text/plain"));
    let text = String::from_utf8(metrics.bytes).unwrap();
    let count = |status: u16| {
        let labels = format!("{{method=\"GET\",route=\"/api/v1/products/{{key}}\",status=\"{status}\"}}");
        text.lines()
            .find_map(|line| line.strip_prefix(&format!("bodega_http_request_seconds_count{labels} ")))
    };
    assert_eq!((count(200), count(404)), (Some("3"), Some("1")), "{text}");
    assert!(!text.contains(&mug.slug), "an id is no label: {text}");
}

async fn production_shows_nothing_of_development(shape: Shape) {
    let production = [("environment", "production"), ("gateway.metrics_token", "a token for prometheus")];
    let shop = Shop::start(shape, &production).await;
    for path in ["/dev/mail", "/dev/mail.json", "/test-payments/x", "/metrics"] {
        shop.guest.root(Method::GET, path).send().await.refused(404, "not_found");
    }
    let wrong = shop.guest.with_token("another token").root(Method::GET, "/metrics").send().await;
    wrong.refused(404, "not_found");
    let metrics = shop.guest.with_token("a token for prometheus").root(Method::GET, "/metrics").send().await;
    assert_eq!(metrics.status, 200);
}

async fn a_full_shop_says_so_at_once(shape: Shape) {
    let slow = [("gateway.max_in_flight", "1"), ("payment.test.latency_ms", "400")];
    let shop = Shop::start(shape, &slow).await;
    let mug = shop.buyable(10).await;
    let body = shop.order_for(&shop.guest, &mug, 1, "tok_ok").await;
    // The one place may be taken by who looks whether it is.
    let bought = wait_for("it is bought", async || {
        let answer = check_out(&shop.guest, &body).await;
        assert!([201, 503].contains(&answer.status), "{answer}");
        answer.status == 201
    });
    let full = wait_for("it is full", async || {
        let answer = shop.guest.get("/categories").await;
        answer.status == 503 && answer.body["code"] == json!("unavailable")
    });
    futures::future::join(bought, full).await;
    shop.guest.get("/categories").await.expect(200);
}

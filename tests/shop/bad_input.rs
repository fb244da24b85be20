//! What nobody should send: each gets the documented refusal, and nothing happens.

use reqwest::Method;
use serde_json::json;

use crate::harness::{Goods, Shape, Shop, Stock, check_out, fresh};

crate::rules! {
    what_is_not_json_is_refused_as_such,
    only_json_in_utf_8_is_read,
    members_that_nobody_asked_for_are_refused_everywhere,
    a_body_has_a_limit,
    an_unknown_address_and_a_wrong_method_are_told_apart,
    nobody_overrides_the_method_or_the_host,
    a_request_with_a_huge_head_is_refused,
}

/// A shop with ten mugs.
pub async fn ready(shape: Shape) -> (Shop, Goods) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    (shop, mug)
}

async fn what_is_not_json_is_refused_as_such(shape: Shape) {
    let (shop, mug) = ready(shape).await;
    let good = shop.order_for(&shop.guest, &mug, 1, "tok_ok").await.to_string();
    let doubled = good.replacen("\"email\"", "\"email\":\"a@example.com\",\"email\"", 1);
    let deep = format!("{{\"lines\":{}", "[".repeat(10_000));
    let broken = [
        "",
        "{",
        "nul",
        "'x'",
        "{\"a\":1,}",
        "{} {}",
        "{\"email\":\"\\ud800\"}",
        "\u{feff}{}",
        &good[..good.len() - 1],
        &format!("{good}{good}"),
        &format!("{good},"),
        &doubled,
        &deep,
    ];
    for body in broken {
        for (path, key) in [("/checkout", Some(fresh())), ("/carts", None)] {
            let request = shop.guest.request(Method::POST, path).raw("application/json", body.to_owned());
            let request = match &key {
                Some(key) => request.key(key),
                None => request,
            };
            let answer = request.send().await;
            // A member that only one of the two knows is refused before the second of its kind is seen.
            if answer.status != 422 {
                answer.refused(400, "malformed_json");
            }
        }
    }
    let request =
        shop.guest.request(Method::POST, "/checkout").key(&fresh()).raw("application/json", doubled);
    request.send().await.refused(400, "malformed_json");
    for value in ["null", "1", "\"x\"", "[]", "true"] {
        let answer =
            shop.guest.request(Method::POST, "/carts").raw("application/json", value.to_owned()).send().await;
        assert_eq!(answer.status, 422, "{value}: {answer}");
    }
    let read = shop.guest.request(Method::GET, "/products").raw("application/json", "{").send().await;
    assert_eq!(read.status, 200);
    assert_eq!(shop.stock(&mug).await, Stock { on_hand: 10, reserved: 0 });
}

async fn only_json_in_utf_8_is_read(shape: Shape) {
    let (shop, _) = ready(shape).await;
    let post = |content_type: &str| shop.guest.request(Method::POST, "/carts").raw(content_type, "{}").send();
    for good in ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON;charset=\"UTF-8\""]
    {
        post(good).await.expect(201);
    }
    for wrong in [
        "text/plain",
        "application/xml",
        "application/json; charset=utf-16",
        "application/x-www-form-urlencoded",
        "",
        "json",
    ] {
        post(wrong).await.refused(415, "unsupported_media_type");
    }
    let packed = shop.guest.request(Method::POST, "/carts").header("content-encoding", "gzip");
    packed
        .raw("application/json", b"\x1f\x8b\x08\x00".to_vec())
        .send()
        .await
        .refused(415, "unsupported_encoding");
    let binary = shop.guest.request(Method::POST, "/carts").raw("application/json", b"{\"\xff\":1}".to_vec());
    let answer = binary.send().await;
    assert!([400, 422].contains(&answer.status), "{answer}");
    let accept =
        shop.guest.request(Method::GET, "/products").header("accept", "application/xml").send().await;
    accept.refused(406, "not_acceptable");
    for good in ["*/*", "application/json", "application/*;q=0.8", "text/html, */*;q=0.1"] {
        assert_eq!(
            shop.guest.request(Method::GET, "/products").header("accept", good).send().await.status,
            200
        );
    }
}

async fn members_that_nobody_asked_for_are_refused_everywhere(shape: Shape) {
    let (shop, mug) = ready(shape).await;
    let mut body = shop.order_for(&shop.guest, &mug, 1, "tok_ok").await;
    for member in
        ["price", "total", "paid", "status", "customer_id", "shipping_total", "tax_total", "discount_total"]
    {
        body[member] = json!(1);
        check_out(&shop.guest, &body).await.refused_at(422, "unknown_field", &format!("/{member}"));
        body.as_object_mut().unwrap().remove(member);
    }
    for member in ["price", "unit_price", "total", "title"] {
        let line = json!({"variant_id": mug.variant, "quantity": 1, member: 1});
        let pointer = format!("/lines/0/{member}");
        shop.guest.post("/carts", &json!({"lines": [line]})).await.refused_at(422, "unknown_field", &pointer);
    }
    for member in ["role", "roles", "email_verified", "group", "permissions", "id"] {
        let new = json!({"email": "ada@example.com", "password": "a fine password", "name": "Ada", member: "owner"});
        shop.guest.post("/customers", &new).await.refused_at(422, "unknown_field", &format!("/{member}"));
    }
    let ada = shop.customer("ada@example.com").await;
    for member in ["group", "email", "role"] {
        let pointer = format!("/{member}");
        ada.patch("/customers/me", &json!({member: "wholesale"})).await.refused_at(
            422,
            "unknown_field",
            &pointer,
        );
    }
    // And wherever else a body is read.
    for (method, path, sample) in crate::openapi::bodies(&shop).await {
        let answer = shop
            .owner
            .request(method.clone(), &path)
            .header("if-match", "*")
            .key(&fresh())
            .json(&sample)
            .send()
            .await;
        let problem = answer.body.to_string();
        assert!(
            answer.status == 422 && problem.contains("unknown_field"),
            "{method} {path} {sample}: {answer}"
        );
    }
    assert_eq!(shop.stock(&mug).await, Stock { on_hand: 10, reserved: 0 });
}

async fn a_body_has_a_limit(shape: Shape) {
    let (shop, _) = ready(shape).await;
    let body = |bytes: usize| format!("{{\"currency\":\"{}\"}}", "x".repeat(bytes - 15));
    let post =
        |bytes: usize| shop.guest.request(Method::POST, "/carts").raw("application/json", body(bytes)).send();
    assert_eq!(post(64 << 10).await.status, 422);
    post((64 << 10) + 1).await.refused(413, "payload_too_large");
    shop.guest.get("/products").await.expect(200);
    let picture =
        shop.owner.request(Method::POST, &format!("/admin/products/prod_{}/images", "0".repeat(26)));
    picture.raw("image/png", vec![0; (8 << 20) + 1]).send().await.refused(413, "payload_too_large");
    let name =
        json!({"email": "ada@example.com", "password": "a fine password", "name": "x".repeat(1 << 20)});
    shop.guest.post("/customers", &name).await.refused(413, "payload_too_large");
    let name = json!({"email": "ada@example.com", "password": "a fine password", "name": "x".repeat(201)});
    shop.guest.post("/customers", &name).await.refused_at(422, "too_long", "/name");
}

async fn an_unknown_address_and_a_wrong_method_are_told_apart(shape: Shape) {
    let (shop, mug) = ready(shape).await;
    for path in [
        "/api/v1/nothing",
        "/api/v1",
        "/api/v1/",
        "/api/v2/products",
        "/nothing",
        "/.git/config",
        "/.env",
        "/api/v1//products",
        "/api/v1/products/",
        "/api/v1/carts/x/y/z",
        "/%2e%2e/etc/passwd",
        "/admin/%00",
    ] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            shop.guest.root(method, path).send().await.refused(404, "not_found");
        }
    }
    let product = format!("/products/{}", mug.slug);
    for (method, path, allowed) in [
        (Method::POST, product.as_str(), "GET, HEAD"),
        (Method::DELETE, "/products", "GET, HEAD"),
        (Method::GET, "/checkout", "POST"),
        (Method::PUT, "/customers/me", "GET, HEAD, PATCH, DELETE"),
        (Method::PATCH, "/carts", "POST"),
        (Method::TRACE, "/products", "GET, HEAD"),
        (Method::OPTIONS, "/products", "GET, HEAD"),
        (Method::from_bytes(b"BREW").unwrap(), "/products", "GET, HEAD"),
    ] {
        let answer = shop.guest.request(method, path).send().await;
        let sorted = |list: &str| {
            let mut methods: Vec<String> = list.split(',').map(|method| method.trim().to_owned()).collect();
            methods.sort();
            methods
        };
        assert_eq!(sorted(answer.header("allow")), sorted(allowed), "{answer}");
        answer.refused(405, "method_not_allowed");
    }
}

async fn nobody_overrides_the_method_or_the_host(shape: Shape) {
    let (shop, mug) = ready(shape).await;
    let path = format!("/admin/products/{}", mug.product);
    let overridden = shop.owner.request(Method::GET, &path).header("x-http-method-override", "DELETE");
    overridden.header("x-user-id", "1").header("x-forwarded-for", "10.0.0.1").send().await.expect(200);
    assert_eq!(shop.owner.get(&path).await.expect(200)["status"], "published");
    shop.guest
        .request(Method::GET, "/customers/me")
        .header("x-user-id", "1")
        .send()
        .await
        .refused(401, "unauthenticated");
    let elsewhere = shop.guest.request(Method::GET, &format!("/products/{}", mug.slug));
    let answer = elsewhere
        .header("x-forwarded-host", "evil.example")
        .header("x-forwarded-proto", "gopher")
        .send()
        .await;
    assert!(!answer.clone().expect(200).to_string().contains("evil.example"));
    assert_eq!(answer.header("access-control-allow-origin"), "");
    let foreign =
        shop.guest.request(Method::GET, "/products").header("origin", "https://evil.example").send().await;
    assert_eq!(foreign.header("access-control-allow-origin"), "");
}

async fn a_request_with_a_huge_head_is_refused(shape: Shape) {
    let (shop, _) = ready(shape).await;
    let long = shop.guest.get(&format!("/products?q={}", "x".repeat(16 << 10))).await;
    assert!([414, 422].contains(&long.status), "{long}");
    let mut request = shop.guest.request(Method::GET, "/products");
    for i in 0..200 {
        request = request.header(&format!("x-filler-{i}"), "x");
    }
    // Before there is a request there is nobody who could describe the problem.
    let refused = request.try_send_unchecked().await;
    assert!(refused.is_none_or(|status| [200, 400, 431].contains(&status)), "{refused:?}");
    let huge = shop.guest.request(Method::GET, "/products").header("x-filler", &"x".repeat(200 << 10));
    let refused = huge.try_send_unchecked().await;
    assert!(refused.is_none_or(|status| [400, 431].contains(&status)), "{refused:?}");
    shop.guest.get("/products").await.expect(200);
}

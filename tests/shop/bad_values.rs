//! Values that cannot be: each is named by a pointer, and nothing happens.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    bad_input::ready,
    harness::{Shape, Shop, cart, check_out, eur, fresh, text},
};

crate::rules! {
    a_quantity_is_a_number_of_things,
    an_id_of_another_kind_leads_nowhere,
    parameters_are_as_strict_as_bodies,
    operators_of_a_database_are_just_wrong_values,
    strange_text_is_stored_as_it_is_or_refused,
    what_comes_with_html_is_harmless,
    amounts_stay_within_bounds,
    a_product_that_cannot_be_is_refused_with_a_pointer,
}

async fn a_quantity_is_a_number_of_things(shape: Shape) {
    let (shop, mug) = ready(shape).await;
    let cart = cart(&shop.guest, &[(&mug, 1)]).await;
    let (lines, line) = (format!("/carts/{}/lines", text(&cart["id"])), text(&cart["lines"][0]["id"]));
    let raw = |method: Method, path: String, body: String| {
        shop.guest.request(method, &path).raw("application/json", body).send()
    };
    for wrong in [
        "0",
        "-1",
        "1.5",
        "\"1\"",
        "2147483648",
        "9223372036854775807",
        "9223372036854775808",
        "1e309",
        "1e2",
        "null",
        "true",
        "[1]",
        "{}",
        "10000",
    ] {
        let create = format!("{{\"lines\":[{{\"variant_id\":\"{}\",\"quantity\":{wrong}}}]}}", mug.variant);
        let answers = [
            (raw(Method::POST, "/carts".into(), create).await, "/lines/0/quantity"),
            (
                raw(
                    Method::POST,
                    lines.clone(),
                    format!("{{\"variant_id\":\"{}\",\"quantity\":{wrong}}}", mug.variant),
                )
                .await,
                "/quantity",
            ),
            (
                raw(Method::PATCH, format!("{lines}/{line}"), format!("{{\"quantity\":{wrong}}}")).await,
                "/quantity",
            ),
        ];
        for (i, (answer, pointer)) in answers.into_iter().enumerate() {
            // A line is removed by a quantity of 0, and 1e309 is no JSON number at all.
            match (wrong, i) {
                ("0", 2) => continue,
                ("1e309", _) if answer.status == 400 => {}
                _ => assert_eq!(
                    (answer.status, answer.body["errors"][0]["pointer"].as_str()),
                    (422, Some(pointer)),
                    "{wrong}: {answer}"
                ),
            }
        }
    }
    let many: Vec<Value> =
        (0..101).map(|_| json!({"variant_id": format!("var_{}", "0".repeat(26)), "quantity": 1})).collect();
    let answer = shop.guest.post("/carts", &json!({"lines": many})).await;
    assert!((400..500).contains(&answer.status), "{answer}");
}

async fn an_id_of_another_kind_leads_nowhere(shape: Shape) {
    let (shop, mug) = ready(shape).await;
    let order = shop.buy(&mug, 1).await;
    let cart_id = text(&order["cart_id"]);
    let long = "x".repeat(300);
    let upper = text(&order["id"]).to_uppercase();
    for id in [
        "1",
        "0",
        "-1",
        "null",
        "%00",
        "'",
        "ord_",
        &long,
        &upper,
        &mug.product,
        &cart_id,
        "..%2f..%2fetc%2fpasswd",
    ] {
        shop.owner.get(&format!("/orders/{id}")).await.refused(404, "not_found");
        shop.owner.get(&format!("/admin/orders/{id}")).await.refused(404, "not_found");
        shop.owner.get(&format!("/admin/customers/{id}")).await.refused(404, "not_found");
        shop.guest.get(&format!("/products/nothing-{id}")).await.refused(404, "not_found");
        if id != cart_id {
            shop.guest.get(&format!("/carts/{id}")).await.refused(404, "not_found");
        }
    }
    let unknown = format!("/orders/ord_{}", "0".repeat(26));
    shop.owner.get(&unknown).await.refused(404, "not_found");
    let mut body = shop.order_for(&shop.guest, &mug, 1, "tok_ok").await;
    body["cart_id"] = order["id"].clone();
    check_out(&shop.guest, &body).await.refused_at(422, "invalid_value", "/cart_id");
    let line = json!({"variant_id": mug.product, "quantity": 1});
    shop.guest.post("/carts", &json!({"lines": [line]})).await.refused_at(
        422,
        "invalid_value",
        "/lines/0/variant_id",
    );
}

async fn parameters_are_as_strict_as_bodies(shape: Shape) {
    let (shop, mug) = ready(shape).await;
    for (query, pointer) in [
        ("min_price=-1", "min_price"),
        ("min_price=x", "min_price"),
        ("max_price=1e9", "max_price"),
        ("min_price=9223372036854775808", "min_price"),
        ("in_stock=maybe", "in_stock"),
        ("facets=2", "facets"),
        ("currency=XXX", "currency"),
        ("currency=eur", "currency"),
        ("password=1", "password"),
        ("q[$ne]=1", "q[$ne]"),
        ("min_price=5&max_price=4", "max_price"),
    ] {
        let answer = shop.guest.get(&format!("/products?{query}")).await;
        let at = answer.body["errors"][0]["pointer"]
            .as_str()
            .unwrap_or_default()
            .trim_start_matches(['?', '/'])
            .to_owned();
        assert_eq!((answer.status, at.as_str()), (422, pointer), "{answer}");
    }
    let longest = "x".repeat(201);
    assert_eq!(shop.guest.get(&format!("/products?q={longest}")).await.status, 422);
    shop.guest.get(&format!("/products/{}?currency=JPY", mug.slug)).await.refused_at(
        422,
        "currency",
        "?currency",
    );
    shop.guest.get(&format!("/products/{}?draft=1", mug.slug)).await.refused(422, "unknown_field");
    shop.guest.get("/products?q=%ff%fe").await;
    shop.owner.get("/admin/inventory/movements").await.refused_at(422, "required", "?variant_id");
    shop.owner.get("/admin/inventory/movements?variant_id=1").await.expect(422);
}

async fn operators_of_a_database_are_just_wrong_values(shape: Shape) {
    let (shop, _) = ready(shape).await;
    for operator in
        [json!({"$gt": ""}), json!({"$ne": null}), json!(["owner@example.com"]), json!(true), json!(null)]
    {
        let answer =
            shop.guest.post("/sessions", &json!({"email": operator, "password": "bodega-owner"})).await;
        assert_eq!(
            (answer.status, answer.body["errors"][0]["pointer"].as_str()),
            (422, Some("/email")),
            "{answer}"
        );
        let answer =
            shop.guest.post("/sessions", &json!({"email": "owner@example.com", "password": operator})).await;
        assert_eq!(
            (answer.status, answer.body["errors"][0]["pointer"].as_str()),
            (422, Some("/password")),
            "{answer}"
        );
    }
    let dotted = json!({"title": "Odd", "attributes": {"$where": "1", "a.b": "c", "x'; drop table products; --": "y"},
        "variants": [{"sku": "ODD", "prices": [eur(1)]}]});
    let answer = shop.owner.post("/admin/products", &dotted).await;
    assert!([201, 422].contains(&answer.status), "{answer}");
    if answer.status == 201 {
        assert_eq!(answer.body["attributes"], dotted["attributes"]);
    }
    for evil in [
        "'; drop table orders; --",
        "\" or 1=1",
        "$1",
        "%27%20union%20select",
        "*",
        "a OR b",
        "title:mug~2",
        "\\",
    ] {
        let found =
            shop.guest.root(Method::GET, &format!("/api/v1/products?q={}", encoded(evil))).send().await;
        assert!([200, 422].contains(&found.status), "{found}");
        let found = shop.owner.get(&format!("/admin/orders?q={}", encoded(evil))).await.expect(200);
        assert_eq!(found["data"], json!([]));
        shop.owner.get(&format!("/admin/products?q={}", encoded(evil))).await.expect(200);
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

async fn strange_text_is_stored_as_it_is_or_refused(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let register = async |i: usize, name: &str| {
        let new = json!({"email": format!("c{i}@example.com"), "password": "a fine password", "name": name});
        shop.guest.post("/customers", &new).await
    };
    let kept = [
        "Zoë",
        "Łukasz",
        "王小明",
        "👩‍👩‍👧",
        "O'Brien",
        "a\u{301}".repeat(50).as_str(),
        "<b>Ada</b>",
        "=1+1",
        "\u{feff}x",
    ]
    .map(str::to_owned);
    for (i, name) in kept.iter().enumerate() {
        let answer = register(i, name).await;
        if answer.status == 201 {
            assert_eq!(answer.body["name"].as_str().map(str::trim), Some(name.trim()), "{answer}");
        } else {
            answer.expect(422);
        }
    }
    for name in ["a\u{0}b", "a\u{1b}[31m", "\u{202e}evil", " \n\t ", ""] {
        register(99, name).await.expect(422);
    }
    for email in [
        "",
        "x",
        "@",
        "a@b",
        "a b@example.com",
        "a@example.com\n",
        "a@example.com\u{0}",
        "\"a\"@example.com",
        "a@[127.0.0.1]",
        "a,b@example.com",
        &format!("{}@example.com", "x".repeat(250)),
    ] {
        let new = json!({"email": email, "password": "a fine password", "name": "Ada"});
        let answer = shop.guest.post("/customers", &new).await;
        // Outer spaces are forgiven.
        if answer.status == 201 {
            assert_eq!(answer.body["email"], email.trim(), "{answer}");
        } else {
            assert_eq!(
                (answer.status, answer.body["errors"][0]["pointer"].as_str()),
                (422, Some("/email")),
                "{answer}"
            );
        }
    }
}

async fn what_comes_with_html_is_harmless(shape: Shape) {
    let (shop, _) = ready(shape).await;
    let html = "<p onclick=\"x()\">Fine <b>mug</b></p><script>alert(1)</script><img src=x onerror=alert(1)>\
        <a href=\"javascript:alert(1)\">x</a>";
    let product = json!({"title": "<script>alert(1)</script>", "description": html, "variants": [crate::harness::variant("X", 1, 1)]});
    let goods = shop.product(product).await;
    let page = shop.guest.get(&format!("/products/{}", goods.slug)).await.expect(200);
    let description = text(&page["description"]);
    assert!(description.contains("<b>mug</b>"), "{description}");
    for evil in ["<script", "onclick", "onerror", "javascript:"] {
        assert!(!description.contains(evil), "{description}");
    }
    let mut body = shop.order_for(&shop.guest, &goods, 1, "tok_ok").await;
    body["shipping_address"]["name"] = "<img src=x onerror=alert(1)>".into();
    check_out(&shop.guest, &body).await.expect(201);
    let mail = shop.mail("ada@example.com", "order_placed").await;
    assert!(
        !text(&mail["html"]).contains("<script>alert") && !text(&mail["html"]).contains("<img src=x"),
        "{mail}"
    );
    let list = shop.guest.root(Method::GET, "/dev/mail").send().await;
    assert_eq!(list.status, 200);
    let shown = shop.guest.root(Method::GET, &format!("/dev/mail/{}", text(&mail["id"]))).send().await;
    assert!(shown.header("content-security-policy").contains("default-src 'none'"));
    assert!(!String::from_utf8_lossy(&shown.bytes).contains("<script>alert"));
}

async fn amounts_stay_within_bounds(shape: Shape) {
    let (shop, _) = ready(shape).await;
    let product = |price: Value| json!({"title": "X", "variants": [{"sku": fresh(), "prices": [price]}]});
    for price in [
        json!({"amount": -1, "currency": "EUR"}),
        json!({"amount": 1.5, "currency": "EUR"}),
        json!({"amount": "1", "currency": "EUR"}),
        json!({"amount": 1, "currency": "eur"}),
        json!({"amount": 1, "currency": "XXX"}),
        json!({"amount": 1}),
        json!({"amount": 1, "currency": "EUR", "exponent": 2}),
        json!({"amount": i64::MAX, "currency": "EUR"}),
        json!({"amount": u64::MAX, "currency": "EUR"}),
        json!(100),
        json!("1.00"),
    ] {
        let answer = shop.owner.post("/admin/products", &product(price.clone())).await;
        assert_eq!(answer.status, 422, "{price}: {answer}");
        assert!(answer.body["errors"][0]["pointer"].as_str().unwrap().starts_with("/variants/0"), "{answer}");
    }
    let twice = json!({"title": "X", "variants": [{"sku": "X", "prices": [eur(1), eur(2)]}]});
    shop.owner.post("/admin/products", &twice).await.expect(422);
}

async fn a_product_that_cannot_be_is_refused_with_a_pointer(shape: Shape) {
    let (shop, mug) = ready(shape).await;
    let colour = json!([{"name": "Colour", "values": ["red"]}]);
    let one = |more: Value| {
        let mut variant = json!({"sku": fresh(), "prices": [eur(100)]});
        variant.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        variant
    };
    for (product, pointer) in [
        (json!({"title": " ", "variants": [one(json!({}))]}), "/title"),
        (json!({"title": "x".repeat(1000), "variants": [one(json!({}))]}), "/title"),
        (json!({"title": "X", "variants": []}), "/variants"),
        (json!({"title": "X", "variants": [{"sku": "X", "prices": []}]}), "/variants/0/prices"),
        (json!({"title": "X", "variants": [{"sku": "", "prices": [eur(1)]}]}), "/variants/0/sku"),
        (json!({"title": "X", "variants": [one(json!({"stock": -1}))]}), "/variants/0/stock"),
        (json!({"title": "X", "variants": [one(json!({"weight_grams": -1}))]}), "/variants/0/weight_grams"),
        (json!({"title": "X", "options": colour, "variants": [one(json!({}))]}), "/variants/0/options"),
        (json!({"title": "X", "slug": "Not A Slug!", "variants": [one(json!({}))]}), "/slug"),
        (json!({"title": "X", "status": "live", "variants": [one(json!({}))]}), "/status"),
        (
            json!({"title": "X", "category_ids": [format!("cat_{}", "0".repeat(26))], "variants": [one(json!({}))]}),
            "/category_ids",
        ),
    ] {
        let answer = shop.owner.post("/admin/products", &product).await;
        let at = answer.body["errors"][0]["pointer"].as_str().unwrap_or_default().to_owned();
        assert!(answer.status == 422 && at.starts_with(pointer), "{pointer}: {answer}");
    }
    let taken = json!({"title": "X", "slug": mug.slug, "variants": [one(json!({}))]});
    shop.owner.post("/admin/products", &taken).await.refused(409, "slug_taken");
    let mut taken =
        json!({"title": "X", "options": colour, "variants": [one(json!({"options": {"Colour": "red"}}))]});
    taken["variants"][0]["sku"] = mug.sku.into();
    shop.owner.post("/admin/products", &taken).await.refused_at(409, "sku_taken", "/variants/0/sku");
}

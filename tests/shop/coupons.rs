//! A discount is given as often as it was promised, and not once more.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    client::{Answer, Client},
    harness::{Goods, Shape, Shop, Stock, address, adds_up, all, cart, check_out, eur, text},
};

crate::rules! {
    fifty_carts_with_a_coupon_of_one_use_make_one_order,
    a_coupon_with_a_limit_for_each_person_counts_at_the_order,
    a_cancelled_order_gives_its_coupon_back,
    a_code_is_the_same_code_in_any_case,
    a_code_that_does_not_fit_says_why,
    a_coupon_that_no_longer_fits_takes_nothing_off,
    codes_that_do_not_combine_stand_alone,
    an_offer_is_changed_by_who_has_seen_it,
}

/// Creates a promotion and returns it.
pub async fn promote(shop: &Shop, terms: Value) -> Value {
    shop.owner.post("/admin/promotions", &terms).await.expect(201)
}

/// Puts a code into a cart.
pub async fn apply(who: &Client, cart: &Value, code: &str) -> Answer {
    who.post(&format!("/carts/{}/discount_codes", text(&cart["id"])), &json!({"code": code})).await
}

/// A cart with one unit and a code.
async fn cart_with(shop: &Shop, goods: &Goods, code: &str) -> Value {
    let cart = cart(&shop.guest, &[(goods, 1)]).await;
    apply(&shop.guest, &cart, code).await.expect(201)
}

async fn uses(shop: &Shop, promotion: &Value) -> Value {
    let path = format!("/admin/promotions/{}", text(&promotion["id"]));
    shop.owner.get(&path).await.expect(200)["used"].clone()
}

fn ten_percent(code: &str) -> Value {
    json!({"code": code, "kind": "percentage", "value": 10})
}

async fn fifty_carts_with_a_coupon_of_one_use_make_one_order(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(100).await;
    let promotion = promote(
        &shop,
        json!({"code": "ONCE", "kind": "fixed", "value": 1000, "currency": "EUR", "usage_limit": 1}),
    )
    .await;
    let carts = join_all((0..50).map(|_| cart_with(&shop, &mug, "ONCE"))).await;
    assert!(carts.iter().all(|cart| cart["discount_total"] == eur(1000)));
    let bodies: Vec<Value> = carts.iter().map(|cart| shop.checkout_of(cart, "tok_ok")).collect();
    let answers = join_all(bodies.iter().map(|body| check_out(&shop.guest, body))).await;
    let (placed, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((placed.len(), refused.len()), (1, 49));
    assert_eq!(placed[0].body["discount_total"], eur(1000));
    for answer in refused {
        answer.refused(409, "coupon_exhausted");
    }
    assert_eq!(uses(&shop, &promotion).await, 1);
    assert_eq!(shop.stock(&mug).await, Stock { on_hand: 99, reserved: 0 });
    let discounted: Vec<Value> = shop.orders("placed").await;
    assert_eq!(discounted.len(), 1);
}

async fn a_coupon_with_a_limit_for_each_person_counts_at_the_order(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(100).await;
    promote(
        &shop,
        json!({"code": "HELLO", "kind": "percentage", "value": 10, "usage_limit_per_customer": 1}),
    )
    .await;
    let (first, second) = (cart_with(&shop, &mug, "HELLO").await, cart_with(&shop, &mug, "hello").await);
    check_out(&shop.guest, &shop.checkout_of(&first, "tok_ok")).await.expect(201);
    let mut again = shop.checkout_of(&second, "tok_ok");
    again["email"] = "ADA@example.com".into();
    check_out(&shop.guest, &again).await.refused(409, "coupon_exhausted");
    again["email"] = "bob@example.com".into();
    let order = check_out(&shop.guest, &again).await.expect(201);
    assert_eq!(order["discount_total"], eur(250));
}

async fn a_cancelled_order_gives_its_coupon_back(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(100).await;
    let promotion =
        promote(&shop, json!({"code": "ONCE", "kind": "percentage", "value": 50, "usage_limit": 1})).await;
    let declined = cart_with(&shop, &mug, "ONCE").await;
    check_out(&shop.guest, &shop.checkout_of(&declined, "tok_declined"))
        .await
        .refused(402, "payment_declined");
    assert_eq!(uses(&shop, &promotion).await, 0);

    let order = check_out(&shop.guest, &shop.checkout_of(&declined, "tok_ok")).await.expect(201);
    assert_eq!((uses(&shop, &promotion).await, &order["discount_total"]), (json!(1), &eur(1250)));
    let late = cart(&shop.guest, &[(&mug, 1)]).await;
    apply(&shop.guest, &late, "ONCE").await.refused(409, "coupon_exhausted");

    let cancel = format!("/orders/{}/cancel?token={}", text(&order["id"]), text(&order["token"]));
    shop.guest.post(&cancel, &json!({})).await.expect(200);
    shop.order_becomes(&order["id"], "cancelled").await;
    assert_eq!(uses(&shop, &promotion).await, 0);
    apply(&shop.guest, &late, "ONCE").await.expect(201);
    check_out(&shop.guest, &shop.checkout_of(&late, "tok_ok")).await.expect(201);
}

async fn a_code_is_the_same_code_in_any_case(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(100).await;
    promote(&shop, ten_percent("Summer")).await;
    shop.owner.post("/admin/promotions", &ten_percent(" SUMMER ")).await.refused(409, "code_taken");
    let cart = cart_with(&shop, &mug, "  sUMMER ").await;
    assert_eq!(cart["discount_codes"].as_array().unwrap().len(), 1);
    let twice = apply(&shop.guest, &cart, "SUMMER").await.expect(201);
    assert_eq!((twice["discount_codes"].as_array().unwrap().len(), &twice["discount_total"]), (1, &eur(250)));
    let path = format!("/carts/{}/discount_codes/summer", text(&cart["id"]));
    let without = shop.guest.delete(&path).await.expect(200);
    assert_eq!((&without["discount_codes"], &without["total"]), (&json!([]), &eur(2500)));
}

async fn a_code_that_does_not_fit_says_why(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let (mug, pot) = (shop.buyable(100).await, shop.goods("Pot", 5000, 10).await);
    let from = |code: &str, more: Value| {
        let mut terms = ten_percent(code);
        terms.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        terms
    };
    promote(&shop, from("LATER", json!({"starts_at": "2100-01-01T00:00:00Z"}))).await;
    promote(&shop, from("OVER", json!({"ends_at": "2020-01-01T00:00:00Z"}))).await;
    promote(&shop, from("MUCH", json!({"minimum_subtotal": eur(10_000)}))).await;
    promote(&shop, from("POTS", json!({"product_ids": [pot.product]}))).await;
    promote(&shop, from("OFF", json!({"enabled": false}))).await;
    let cart = cart(&shop.guest, &[(&mug, 1)]).await;
    for (code, why) in [
        ("LATER", "coupon_expired"),
        ("OVER", "coupon_expired"),
        ("MUCH", "coupon_minimum"),
        ("POTS", "coupon_not_applicable"),
        ("OFF", "coupon_unknown"),
        ("NEVER", "coupon_unknown"),
        ("' or 1=1 --", "coupon_unknown"),
    ] {
        apply(&shop.guest, &cart, code).await.refused_at(422, why, "/code");
    }
    let unchanged = shop.guest.get(&format!("/carts/{}", text(&cart["id"]))).await.expect(200);
    assert_eq!((&unchanged["discount_codes"], &unchanged["total"]), (&json!([]), &eur(2500)));
}

async fn a_coupon_that_no_longer_fits_takes_nothing_off(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(100).await;
    let terms = json!({"code": "MUCH", "kind": "percentage", "value": 20, "minimum_subtotal": eur(10_000)});
    promote(&shop, terms).await;
    let cart = cart(&shop.guest, &[(&mug, 4)]).await;
    let cart = apply(&shop.guest, &cart, "MUCH").await.expect(201);
    assert_eq!(cart["discount_total"], eur(2000));
    let line = format!("/carts/{}/lines/{}", text(&cart["id"]), text(&cart["lines"][0]["id"]));
    let cart = shop.guest.patch(&line, &json!({"quantity": 3})).await.expect(200);
    adds_up(&cart);
    assert_eq!(cart["discount_total"], eur(0));
    let order = check_out(&shop.guest, &shop.checkout_of(&cart, "tok_ok")).await.expect(201);
    assert_eq!((&order["discount_total"], &order["total"]), (&eur(0), &eur(7990)));
}

async fn codes_that_do_not_combine_stand_alone(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(100).await;
    promote(&shop, ten_percent("ALONE")).await;
    promote(&shop, json!({"code": "A", "kind": "percentage", "value": 10, "combinable": true})).await;
    promote(
        &shop,
        json!({"code": "B", "kind": "fixed", "value": 300, "currency": "EUR", "combinable": true}),
    )
    .await;
    let cart = cart_with(&shop, &mug, "A").await;
    apply(&shop.guest, &cart, "ALONE").await.refused_at(422, "coupon_not_combinable", "/code");
    let cart = apply(&shop.guest, &cart, "B").await.expect(201);
    adds_up(&cart);
    assert_eq!((&cart["discount_total"], cart["discounts"].as_array().unwrap().len()), (&eur(550), 2));
    let path = format!("/carts/{}/shipping_options", text(&cart["id"]));
    shop.guest.post(&path, &json!({"address": address("DE")})).await.expect(200);
    let order = check_out(&shop.guest, &shop.checkout_of(&cart, "tok_ok")).await.expect(201);
    adds_up(&order);
    assert_eq!((&order["discount_total"], &order["total"]), (&eur(550), &eur(2440)));
}

async fn an_offer_is_changed_by_who_has_seen_it(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let created = shop.owner.post("/admin/promotions", &ten_percent("SPRING")).await;
    let etag = created.header("etag").to_owned();
    let path = format!("/admin/promotions/{}", text(&created.expect(201)["id"]));
    let change = |tag: Option<&str>, value: i64| {
        let body = json!({"code": "SPRING", "kind": "percentage", "value": value});
        let request = shop.owner.request(reqwest::Method::PUT, &path).json(&body);
        match tag {
            Some(tag) => request.header("if-match", tag).send(),
            None => request.send(),
        }
    };
    change(None, 20).await.refused(428, "if_match_required");
    change(Some(&etag), 20).await.expect(200);
    change(Some(&etag), 30).await.refused(412, "version");
    change(Some("*"), 40).await.expect(200);
    assert_eq!(shop.owner.get(&path).await.expect(200)["value"], 40);
    shop.owner.delete(&path).await.expect(204);
    shop.owner.get(&path).await.refused(404, "not_found");
    assert!(all(&shop.owner, "/admin/promotions").await.is_empty());
}

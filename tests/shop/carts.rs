//! Carts: whose they are, what they take, and how two become one.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::harness::{Goods, PASSWORD, Shape, Shop, Stock, adds_up, cart, check_out, eur, fresh, text};

crate::rules! {
    a_cart_clicked_twenty_times_is_one_order,
    a_cart_checked_out_under_twenty_keys_is_one_order,
    ten_logins_at_once_lose_and_double_nothing,
    logging_in_works_with_a_cart_that_cannot_be_merged,
    a_cart_of_an_account_is_nobody_elses,
    lines_are_added_changed_and_removed,
    a_cart_holds_no_more_than_there_is,
    a_cart_with_what_is_gone_cannot_be_bought_unnoticed,
    an_empty_cart_cannot_be_bought,
    a_cart_has_one_currency,
    what_a_cart_costs_cannot_grow_beyond_all_bounds,
}

async fn a_cart_clicked_twenty_times_is_one_order(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(100).await;
    let body = shop.order_for(&shop.guest, &mug, 1, "tok_ok").await;
    let key = fresh();
    let answers = join_all((0..20).map(|_| shop.guest.post_once("/checkout", &body, &key))).await;
    one_order(&shop, answers, &["idempotency_in_progress"]).await;
    assert_eq!(shop.stock(&mug).await, Stock { on_hand: 99, reserved: 0 });
}

async fn a_cart_checked_out_under_twenty_keys_is_one_order(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(100).await;
    let body = shop.order_for(&shop.guest, &mug, 1, "tok_ok").await;
    let answers = join_all((0..20).map(|_| check_out(&shop.guest, &body))).await;
    one_order(&shop, answers, &["cart_completed", "checkout_in_progress"]).await;
    assert_eq!(shop.stock(&mug).await, Stock { on_hand: 99, reserved: 0 });
}

/// One order is placed, and who did not get it was told why.
async fn one_order(shop: &Shop, answers: Vec<crate::client::Answer>, refusals: &[&str]) {
    let (placed, others): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert!(!placed.is_empty());
    assert!(placed.iter().all(|answer| answer.body["id"] == placed[0].body["id"]));
    for answer in others {
        assert_eq!(answer.status, 409, "{answer}");
        assert!(refusals.contains(&answer.body["code"].as_str().unwrap()), "{answer}");
    }
    assert_eq!(shop.orders("placed").await.len(), 1);
    assert!(shop.orders("pending").await.is_empty());
    let order = shop.order(&placed[0].body["id"]).await;
    assert_eq!(order["captured_total"], order["total"]);
}

async fn ten_logins_at_once_lose_and_double_nothing(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let goods = join_all((0..3).map(|i| shop.goods(["Mug", "Pot", "Pan"][i], 1000, 100))).await;
    let customer = shop.customer("ada@example.com").await;
    let own = cart(&customer, &[(&goods[0], 1), (&goods[1], 9)]).await;

    let (guest, things) = (&shop.guest, &goods);
    let carts =
        join_all((0..10).map(|i| async move {
            cart(guest, &[(&things[0], 2 + i), (&things[1], 3), (&things[2], 4)]).await
        }))
        .await;
    let logins = carts.iter().map(|cart| {
        let body = json!({"email": "ada@example.com", "password": PASSWORD, "cart_id": cart["id"]});
        log_in_with(&shop, body)
    });
    join_all(logins).await;

    let merged = customer.get(&format!("/carts/{}", text(&own["id"]))).await.expect(200);
    adds_up(&merged);
    let quantity = |goods: &Goods| {
        let lines = merged["lines"].as_array().unwrap();
        let found: Vec<&Value> = lines.iter().filter(|line| line["variant_id"] == goods.variant).collect();
        assert_eq!(found.len(), 1, "{merged}");
        found[0]["quantity"].as_i64().unwrap()
    };
    assert_eq!(goods.iter().map(quantity).collect::<Vec<_>>(), [11, 9, 4]);
    assert_eq!(merged["lines"].as_array().unwrap().len(), 3);
}

async fn log_in_with(shop: &Shop, body: Value) {
    // All ten hash passwords at once: who is told to come back comes back.
    crate::harness::wait_for("the login", async || {
        let answer = shop.guest.post("/sessions", &body).await;
        assert!([201, 503].contains(&answer.status), "{answer}");
        answer.status == 201
    })
    .await;
}

async fn logging_in_works_with_a_cart_that_cannot_be_merged(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let (ada, _bob) = (shop.customer("ada@example.com").await, shop.customer("bob@example.com").await);
    let hers = cart(&ada, &[(&mug, 1)]).await;
    let sold = cart(&shop.guest, &[(&mug, 1)]).await;
    check_out(&shop.guest, &shop.checkout_of(&sold, "tok_ok")).await.expect(201);
    let unknown = format!("cart_{}", "0".repeat(26));
    for id in [&hers["id"], &sold["id"], &json!(unknown)] {
        let body = json!({"email": "bob@example.com", "password": PASSWORD, "cart_id": id});
        shop.guest.post("/sessions", &body).await.expect(201);
    }
    let still = ada.get(&format!("/carts/{}", text(&hers["id"]))).await.expect(200);
    assert_eq!(still["lines"].as_array().unwrap().len(), 1);
}

async fn a_cart_of_an_account_is_nobody_elses(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let (ada, bob) = (shop.customer("ada@example.com").await, shop.customer("bob@example.com").await);
    let cart = cart(&ada, &[(&mug, 1)]).await;
    let (path, line) = (format!("/carts/{}", text(&cart["id"])), text(&cart["lines"][0]["id"]));
    crate::coupons::promote(&shop, json!({"code": "X", "kind": "percentage", "value": 10})).await;
    for stranger in [&shop.guest, &bob, &shop.owner] {
        stranger.get(&path).await.refused(404, "not_found");
        let more = json!({"variant_id": mug.variant, "quantity": 1});
        stranger.post(&format!("{path}/lines"), &more).await.refused(404, "not_found");
        stranger
            .patch(&format!("{path}/lines/{line}"), &json!({"quantity": 9}))
            .await
            .refused(404, "not_found");
        stranger.delete(&format!("{path}/lines/{line}")).await.refused(404, "not_found");
        stranger
            .post(&format!("{path}/discount_codes"), &json!({"code": "X"}))
            .await
            .refused(404, "not_found");
        let address = json!({"address": {"country": "DE"}});
        stranger.post(&format!("{path}/shipping_options"), &address).await.refused(404, "not_found");
        check_out(stranger, &shop.checkout_of(&cart, "tok_ok")).await.refused(404, "not_found");
    }
    assert_eq!(ada.get(&path).await.expect(200)["lines"][0]["quantity"], 1);
}

async fn lines_are_added_changed_and_removed(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let (mug, pot) = (shop.buyable(10).await, shop.goods("Pot", 4000, 10).await);
    let empty = shop.guest.post("/carts", &json!({})).await.expect(201);
    assert_eq!((&empty["lines"], &empty["total"]), (&json!([]), &eur(0)));
    let path = format!("/carts/{}", text(&empty["id"]));
    let add = async |goods: &Goods, units: i64| {
        let line = json!({"variant_id": goods.variant, "quantity": units});
        shop.guest.post(&format!("{path}/lines"), &line).await.expect(201)
    };
    add(&mug, 1).await;
    add(&pot, 1).await;
    let cart = add(&mug, 2).await;
    assert_eq!((cart["lines"].as_array().unwrap().len(), &cart["subtotal"]), (2, &eur(11_500)));
    assert!(cart["version"].as_i64() > empty["version"].as_i64());
    let lines = cart["lines"].as_array().unwrap().clone();
    let line = |i: usize| format!("{path}/lines/{}", text(&lines[i]["id"]));
    let cart = shop.guest.patch(&line(0), &json!({"quantity": 5})).await.expect(200);
    assert_eq!(cart["lines"][0]["quantity"], 5);
    let cart = shop.guest.patch(&line(0), &json!({"quantity": 0})).await.expect(200);
    assert_eq!((cart["lines"].as_array().unwrap().len(), &cart["total"]), (1, &eur(4000)));
    let cart = shop.guest.delete(&line(1)).await.expect(200);
    assert_eq!(cart["lines"], json!([]));
    shop.guest.delete(&line(1)).await.refused(404, "not_found");
    shop.guest.patch(&line(0), &json!({"quantity": 1})).await.refused(404, "not_found");
}

async fn a_cart_holds_no_more_than_there_is(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(3).await;
    let cart = cart(&shop.guest, &[(&mug, 3)]).await;
    let path = format!("/carts/{}/lines", text(&cart["id"]));
    let one = json!({"variant_id": mug.variant, "quantity": 1});
    shop.guest.post(&path, &one).await.refused(409, "out_of_stock");
    let line = format!("{path}/{}", text(&cart["lines"][0]["id"]));
    shop.guest.patch(&line, &json!({"quantity": 4})).await.refused(409, "out_of_stock");
    assert_eq!(cart["lines"][0]["available"], 3);
    let unknown = json!({"variant_id": format!("var_{}", "0".repeat(26)), "quantity": 1});
    let refused = shop.guest.post(&path, &unknown).await;
    assert!([404, 409, 422].contains(&refused.status), "{refused}");
}

async fn a_cart_with_what_is_gone_cannot_be_bought_unnoticed(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let (mug, pot) = (shop.buyable(10).await, shop.goods("Pot", 4000, 10).await);
    let cart = cart(&shop.guest, &[(&mug, 1), (&pot, 1)]).await;
    shop.owner.delete(&format!("/admin/products/{}", pot.product)).await.expect(204);
    let body = shop.checkout_of(&cart, "tok_ok");
    check_out(&shop.guest, &body).await.refused(409, "line_unavailable");
    let seen = shop.guest.get(&format!("/carts/{}", text(&cart["id"]))).await.expect(200);
    adds_up(&seen);
    assert_eq!((seen["lines"].as_array().unwrap().len(), &seen["total"]), (1, &eur(2500)));
    let order = check_out(&shop.guest, &body).await.expect(201);
    assert_eq!(order["subtotal"], eur(2500));
}

async fn an_empty_cart_cannot_be_bought(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let empty = shop.guest.post("/carts", &json!({})).await.expect(201);
    check_out(&shop.guest, &shop.checkout_of(&empty, "tok_ok")).await.refused(409, "cart_empty");
    let nowhere = json!({"id": format!("cart_{}", "0".repeat(26))});
    check_out(&shop.guest, &shop.checkout_of(&nowhere, "tok_ok")).await.refused(404, "not_found");
    assert!(shop.orders("pending").await.is_empty());
}

async fn a_cart_has_one_currency(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let prices = json!([eur(2500), {"amount": 2900, "currency": "USD"}]);
    let mug = shop
        .product(json!({"title": "Mug", "variants": [{"sku": "MUG", "prices": prices, "stock": 5}]}))
        .await;
    let euros_only = shop.buyable(5).await;
    let line = |goods: &Goods| json!({"variant_id": goods.variant, "quantity": 1});
    let cart =
        shop.guest.post("/carts", &json!({"currency": "USD", "lines": [line(&mug)]})).await.expect(201);
    assert_eq!(cart["total"], json!({"amount": 2900, "currency": "USD"}));
    let path = format!("/carts/{}/lines", text(&cart["id"]));
    let refused = shop.guest.post(&path, &line(&euros_only)).await;
    assert!((400..500).contains(&refused.status), "{refused}");
    for wrong in ["usd", "XXX", "JPY", "EURO", ""] {
        let refused = shop.guest.post("/carts", &json!({"currency": wrong})).await;
        assert_eq!(
            (refused.status, refused.body["errors"][0]["pointer"].as_str()),
            (422, Some("/currency")),
            "{refused}"
        );
    }
}

async fn what_a_cart_costs_cannot_grow_beyond_all_bounds(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let product = json!({"title": "Palace", "variants": [
        {"sku": "PALACE", "prices": [eur(999_999_999_999)], "stock": 9_999}]});
    let palace = shop.product(product).await;
    let line = json!({"variant_id": palace.variant, "quantity": 9_999});
    let created = shop.guest.post("/carts", &json!({"lines": [line]})).await;
    created.refused(422, "amount_too_large");
    let too_dear =
        json!({"title": "Moon", "variants": [{"sku": "MOON", "prices": [eur(1_000_000_000_001)]}]});
    let refused = shop.owner.post("/admin/products", &too_dear).await;
    assert_eq!(refused.status, 422, "{refused}");
}

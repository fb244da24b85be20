//! A command sent twice has one effect and one answer.

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    client::Answer,
    harness::{OWNER, Shape, Shop, Stock, eur, fresh, text},
};

crate::rules! {
    a_repeated_command_gets_the_same_bytes,
    a_key_belongs_to_one_body,
    two_at_once_make_one_order,
    commands_that_move_money_need_a_key,
    a_key_is_visible_ascii_of_1_to_255_characters,
    the_same_key_of_somebody_else_is_another_key,
    a_request_that_was_not_valid_does_not_use_the_key_up,
    a_decline_is_remembered_and_another_key_tries_again,
    other_commands_may_have_a_key_too,
    credentials_are_never_remembered,
}

/// The replay of an answer is that answer and says that it is one.
#[track_caller]
fn is_replay(first: &Answer, second: &Answer) {
    assert_eq!(first.header("idempotent-replayed"), "");
    assert_eq!(second.header("idempotent-replayed"), "true");
    assert_eq!((first.status, &first.bytes), (second.status, &second.bytes));
    assert_eq!(first.header("content-type"), second.header("content-type"));
    assert_eq!(first.header("location"), second.header("location"));
}

async fn a_repeated_command_gets_the_same_bytes(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let body = shop.order_for(&shop.guest, &mug, 2, "tok_ok").await;
    let key = fresh();
    let first = shop.guest.post_once("/checkout", &body, &key).await;
    let order = first.clone().expect(201);
    for _ in 0..3 {
        is_replay(&first, &shop.guest.post_once("/checkout", &body, &key).await);
    }
    // The answer stays as it was, however the order has changed since.
    let path = format!("/admin/orders/{}/refunds", text(&order["id"]));
    let refund = json!({"amount": eur(100), "reason": "a chip"});
    let refund_key = fresh();
    let refunded = shop.owner.post_once(&path, &refund, &refund_key).await;
    refunded.clone().expect(201);
    is_replay(&refunded, &shop.owner.post_once(&path, &refund, &refund_key).await);
    is_replay(&first, &shop.guest.post_once("/checkout", &body, &key).await);
    assert_eq!(shop.order(&order["id"]).await["refunded_total"], eur(100));
    assert_eq!(shop.stock(&mug).await, Stock { on_hand: 8, reserved: 0 });
}

async fn a_key_belongs_to_one_body(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let body = shop.order_for(&shop.guest, &mug, 1, "tok_ok").await;
    let key = fresh();
    shop.guest.post_once("/checkout", &body, &key).await.expect(201);
    let mut other = body.clone();
    other["email"] = "eve@example.com".into();
    shop.guest.post_once("/checkout", &other, &key).await.refused(422, "idempotency_key_reused");
    let other = shop.order_for(&shop.guest, &mug, 1, "tok_ok").await;
    shop.guest.post_once("/checkout", &other, &key).await.refused(422, "idempotency_key_reused");
    assert_eq!(shop.stock(&mug).await.on_hand, 9);
}

async fn two_at_once_make_one_order(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(100).await;
    for _ in 0..5 {
        let body = shop.order_for(&shop.guest, &mug, 1, "tok_ok").await;
        let key = fresh();
        let answers = join_all((0..2).map(|_| shop.guest.post_once("/checkout", &body, &key))).await;
        let placed: Vec<&Answer> = answers.iter().filter(|a| a.status == 201).collect();
        assert!(!placed.is_empty());
        for other in answers.iter().filter(|a| a.status != 201) {
            other.clone().refused(409, "idempotency_in_progress");
            assert!(!other.header("retry-after").is_empty());
        }
        assert!(placed.iter().all(|a| a.body["id"] == placed[0].body["id"]));
        let later = shop.guest.post_once("/checkout", &body, &key).await;
        assert_eq!(later.bytes, placed[0].bytes);
    }
    assert_eq!(shop.orders("placed").await.len(), 5);
    assert_eq!(shop.stock(&mug).await, Stock { on_hand: 95, reserved: 0 });
}

async fn commands_that_move_money_need_a_key(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let body = shop.order_for(&shop.guest, &mug, 1, "tok_ok").await;
    shop.guest.post("/checkout", &body).await.refused(428, "idempotency_key_required");
    let order = shop.buy(&mug, 1).await;
    let path = format!("/admin/orders/{}", text(&order["id"]));
    let refund = json!({"reason": "a chip"});
    shop.owner.post(&format!("{path}/refunds"), &refund).await.refused(428, "idempotency_key_required");
    shop.owner.post(&format!("{path}/capture"), &json!({})).await.refused(428, "idempotency_key_required");
    assert_eq!(shop.order(&order["id"]).await["refunded_total"], eur(0));
}

async fn a_key_is_visible_ascii_of_1_to_255_characters(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let body = shop.order_for(&shop.guest, &mug, 1, "tok_ok").await;
    let send = async |key: &str| shop.guest.post_once("/checkout", &body, key).await;
    for wrong in ["", "a b", "a\tb", "schlüssel", &"k".repeat(256)] {
        send(wrong).await.refused(400, "idempotency_key_invalid");
    }
    send(&"k".repeat(255)).await.expect(201);
    assert_eq!(shop.stock(&mug).await.on_hand, 9);
}

async fn the_same_key_of_somebody_else_is_another_key(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let (ada, bob) = (shop.customer("ada@example.com").await, shop.customer("bob@example.com").await);
    let key = fresh();
    let buy = async |who| {
        let body = shop.order_for(who, &mug, 1, "tok_ok").await;
        who.post_once("/checkout", &body, &key).await.expect(201)
    };
    let orders = [buy(&ada).await, buy(&bob).await, buy(&shop.guest).await];
    let mut ids: Vec<String> = orders.iter().map(|order| text(&order["id"])).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    assert_eq!(shop.stock(&mug).await.on_hand, 7);
}

async fn a_request_that_was_not_valid_does_not_use_the_key_up(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let body = shop.order_for(&shop.guest, &mug, 1, "tok_ok").await;
    let key = fresh();
    let mut wrong = body.clone();
    wrong["shipping_address"]["city"] = "".into();
    let refused = shop.guest.post_once("/checkout", &wrong, &key).await;
    refused.refused_at(422, "required", "/shipping_address/city");
    let broken =
        shop.guest.request(Method::POST, "/checkout").key(&key).raw("application/json", "{").send().await;
    broken.refused(400, "malformed_json");
    shop.guest.post_once("/checkout", &body, &key).await.expect(201);
}

async fn a_decline_is_remembered_and_another_key_tries_again(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let mut body = shop.order_for(&shop.guest, &mug, 1, "tok_declined").await;
    let key = fresh();
    let first = shop.guest.post_once("/checkout", &body, &key).await;
    first.clone().refused(402, "payment_declined");
    is_replay(&first, &shop.guest.post_once("/checkout", &body, &key).await);
    body["payment"]["token"] = "tok_ok".into();
    shop.guest.post_once("/checkout", &body, &fresh()).await.expect(201);
    assert_eq!(shop.stock(&mug).await, Stock { on_hand: 9, reserved: 0 });
}

async fn other_commands_may_have_a_key_too(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let change = json!({"variant_id": mug.variant, "delta": 5, "reason": "found behind the shelf"});
    let key = fresh();
    let first = shop.owner.post_once("/admin/inventory/adjustments", &change, &key).await;
    first.clone().expect(201);
    is_replay(&first, &shop.owner.post_once("/admin/inventory/adjustments", &change, &key).await);
    assert_eq!(shop.stock(&mug).await.on_hand, 15);
    shop.owner.post("/admin/inventory/adjustments", &change).await.expect(201);
    assert_eq!(shop.stock(&mug).await.on_hand, 20);

    let category = json!({"title": "Kitchen"});
    let key = fresh();
    let first = shop.owner.post_once("/admin/categories", &category, &key).await;
    is_replay(&first, &shop.owner.post_once("/admin/categories", &category, &key).await);
    let tree: Vec<Value> = crate::harness::list(&shop.guest.get("/categories").await.expect(200));
    assert_eq!(tree.len(), 1);
}

async fn credentials_are_never_remembered(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let (key, login) = (fresh(), json!({"email": OWNER.0, "password": OWNER.1}));
    let first = shop.guest.post_once("/sessions", &login, &key).await;
    let second = shop.guest.post_once("/sessions", &login, &key).await;
    assert_eq!(second.header("idempotent-replayed"), "");
    assert_ne!(first.expect(201)["refresh_token"], second.expect(201)["refresh_token"]);
}

//! Money: asked for once, believed only from the provider, given back when nothing came of it.

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use shared::{signer::Signer, time::system_clock};

use crate::{
    client::Answer,
    harness::{Shape, Shop, Stock, check_out, eur, fresh, list, number, text, wait_for},
};

crate::rules! {
    a_declined_card_leaves_everything_as_it_was,
    an_extra_step_is_finished_by_the_providers_message_alone,
    an_extra_step_confirms_itself_without_the_shopper_coming_back,
    a_refused_extra_step_cancels_the_order,
    a_lost_reply_is_asked_for_again_and_charged_once,
    a_silent_provider_ends_in_a_cancelled_order_with_everything_given_back,
    a_forged_message_is_refused,
    a_message_is_not_believed_but_looked_up,
    a_payment_that_cannot_be_is_refused_before_anything_happens,
    money_can_be_taken_when_the_goods_leave,
    the_books_balance_and_agree_with_the_provider,
}

async fn a_declined_card_leaves_everything_as_it_was(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(1).await;
    let mut body = shop.order_for(&shop.guest, &mug, 1, "tok_ok").await;
    for (token, why) in [("tok_declined", "declined"), ("tok_insufficient_funds", "insufficient_funds")] {
        body["payment"]["token"] = token.into();
        let problem = check_out(&shop.guest, &body).await.refused(402, "payment_declined");
        assert_eq!(problem["decline_code"], why, "{problem}");
        assert_eq!(shop.stock(&mug).await, Stock { on_hand: 1, reserved: 0 });
    }
    let cancelled = shop.orders("cancelled").await;
    assert_eq!(cancelled.len(), 2);
    let order = shop.order(&cancelled[0]["id"]).await;
    assert_eq!(
        (&order["cancel_reason"], &order["payment_status"]),
        (&json!("payment_declined"), &json!("failed"))
    );
    let cart = shop.guest.get(&format!("/carts/{}", text(&body["cart_id"]))).await.expect(200);
    assert_eq!((cart["lines"].as_array().unwrap().len(), &cart["order_id"]), (1, &json!(null)));

    body["payment"]["token"] = "tok_ok".into();
    check_out(&shop.guest, &body).await.expect(201);
    assert_eq!(shop.stock(&mug).await, Stock { on_hand: 0, reserved: 0 });
    shop.mail("ada@example.com", "order_placed").await;
    assert!(shop.mails("ada@example.com", "order_cancelled").await.is_empty());
}

/// An order that waits for its shopper.
async fn waiting(shop: &Shop, token: &str) -> (Value, String) {
    let mug = shop.buyable(5).await;
    let body = shop.order_for(&shop.guest, &mug, 2, token).await;
    let order = check_out(&shop.guest, &body).await.expect(201);
    assert_eq!((&order["status"], &order["payment_status"]), (&json!("pending"), &json!("awaiting")));
    assert_eq!(order["payment"]["next_action"]["kind"], "redirect");
    let url = text(&order["payment"]["next_action"]["url"]);
    let path = url.find("/test-payments/").map(|at| url[at..].to_owned()).unwrap();
    (order, path)
}

async fn answer_step(shop: &Shop, path: &str, accept: bool) -> Answer {
    let form = format!("accept={accept}");
    shop.guest.root(Method::POST, path).raw("application/x-www-form-urlencoded", form).send().await
}

async fn an_extra_step_is_finished_by_the_providers_message_alone(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let (order, path) = waiting(&shop, "tok_3ds_abandoned").await;
    assert_eq!(shop.guest.root(Method::GET, &path).send().await.status, 200);
    answer_step(&shop, &path, true).await.expect(200);
    let placed = shop.order_becomes(&order["id"], "placed").await;
    assert_eq!((&placed["payment_status"], &placed["captured_total"]), (&json!("captured"), &order["total"]));
    assert_eq!(placed["payment"]["next_action"], json!(null));
    shop.mail("ada@example.com", "order_placed").await;
    wait_for("the cart is the order's", async || {
        let cart = shop.guest.get(&format!("/carts/{}", text(&order["cart_id"]))).await.expect(200);
        cart["order_id"] == order["id"]
    })
    .await;
    // The shopper's yes a second time is the same yes; a no is too late.
    answer_step(&shop, &path, true).await.expect(200);
    answer_step(&shop, &path, false).await.refused(409, "illegal_transition");
}

async fn an_extra_step_confirms_itself_without_the_shopper_coming_back(shape: Shape) {
    let shop = Shop::start(shape, &[("payment.test.confirm_after_seconds", "1")]).await;
    let (order, _) = waiting(&shop, "tok_3ds").await;
    let placed = shop.order_becomes(&order["id"], "placed").await;
    assert_eq!(placed["captured_total"], order["total"]);
    let path = format!("/orders/{}?token={}", text(&order["id"]), text(&order["token"]));
    assert_eq!(shop.guest.get(&path).await.expect(200)["status"], "placed");
}

async fn a_refused_extra_step_cancels_the_order(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let (order, path) = waiting(&shop, "tok_3ds_abandoned").await;
    answer_step(&shop, &path, false).await.expect(200);
    let cancelled = shop.order_becomes(&order["id"], "cancelled").await;
    assert_eq!((&cancelled["captured_total"], &cancelled["payment_status"]), (&eur(0), &json!("failed")));
    // The shopper was told that it is on its way, so the end is told too.
    shop.mail("ada@example.com", "order_cancelled").await;
    assert_eq!(shop.mails("ada@example.com", "order_placed").await.len(), 0);
}

async fn a_lost_reply_is_asked_for_again_and_charged_once(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(5).await;
    let body = shop.order_for(&shop.guest, &mug, 1, "tok_lost_reply").await;
    let key = fresh();
    let first = shop.guest.post_once("/checkout", &body, &key).await;
    // Silence may outlast the request; the same key then tells how it ended.
    let order = match first.status {
        201 => first.body,
        _ => {
            first.refused(503, "payment_unknown");
            crate::harness::eventually("the order is placed", async || {
                let answer = shop.guest.post_once("/checkout", &body, &key).await;
                (answer.status == 201).then_some(answer.body)
            })
            .await
        }
    };
    let order = shop.order_becomes(&order["id"], "placed").await;
    assert_eq!(order["captured_total"], order["total"]);
    let payment =
        shop.app.ports.payments.of_order(text(&order["id"]).parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((payment.authorized, payment.captured), (payment.amount, payment.amount));
    assert_eq!(shop.orders("placed").await.len(), 1);
    assert_eq!(shop.stock(&mug).await, Stock { on_hand: 4, reserved: 0 });

    let path = format!("/admin/orders/{}/refunds", text(&order["id"]));
    let refund = json!({"amount": eur(700), "reason": "a chip"});
    let key = fresh();
    wait_for("the refund", async || {
        let answer = shop.owner.post_once(&path, &refund, &key).await;
        assert!([201, 503].contains(&answer.status), "{answer}");
        answer.status == 201
    })
    .await;
    wait_for("the refund is counted once", async || {
        shop.order(&order["id"]).await["refunded_total"] == eur(700)
    })
    .await;
    balanced(&shop, &order["id"]).await;
}

async fn a_silent_provider_ends_in_a_cancelled_order_with_everything_given_back(shape: Shape) {
    let impatient = [
        ("order.checkout_deadline_seconds", "1"),
        ("order.call_timeout_seconds", "1"),
        ("order.lease_seconds", "2"),
        ("order.payment_attempts", "2"),
        ("payment.provider_timeout_seconds", "1"),
    ];
    let shop = Shop::start(shape, &impatient).await;
    let mug = shop.buyable(1).await;
    let body = shop.order_for(&shop.guest, &mug, 1, "tok_timeout").await;
    let key = fresh();
    let unknown = shop.guest.post_once("/checkout", &body, &key).await.refused(503, "payment_unknown");
    assert!(unknown["detail"].as_str().unwrap().contains("same key"), "{unknown}");
    let order = crate::harness::eventually("the order is cancelled", async || {
        shop.orders("cancelled").await.into_iter().next()
    })
    .await;
    let order = shop.order(&order["id"]).await;
    assert_eq!((&order["captured_total"], &order["payment_status"]), (&eur(0), &json!("failed")));
    wait_for("the stock is free", async || shop.stock(&mug).await == Stock { on_hand: 1, reserved: 0 }).await;
    shop.mail("ada@example.com", "order_cancelled").await;
    let mut again = body.clone();
    again["payment"]["token"] = "tok_ok".into();
    check_out(&shop.guest, &again).await.expect(201);
}

async fn a_forged_message_is_refused(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let (order, path) = waiting(&shop, "tok_3ds_abandoned").await;
    let reference = path.rsplit('/').next().unwrap();
    let message = json!({"id": "tev_1", "type": "payment.authorized", "created": 1,
        "data": {"reference": reference, "amount": order["total"]}});
    let now = system_clock().now().seconds();
    let forged = Signer::new(b"guess").sign(format!("{now}.{message}").as_bytes());
    for signature in ["", "t=1,v1=00", "v1=00", &format!("t={now},v1={forged}"), &format!("t={now},v1=")] {
        let request =
            shop.guest.request(Method::POST, "/webhooks/test").raw("application/json", message.to_string());
        let answer = request.header("test-signature", signature).send().await;
        answer.refused(400, "invalid_signature");
    }
    shop.guest.post("/webhooks/test", &message).await.refused(400, "invalid_signature");
    shop.guest.post("/webhooks/nobody", &message).await.refused(404, "not_found");
    assert_eq!(shop.order(&order["id"]).await["status"], "pending");
}

async fn a_message_is_not_believed_but_looked_up(shape: Shape) {
    let key = "a secret key that this test knows";
    let shop = Shop::start(shape, &[("secret_key", key)]).await;
    let provider = Signer::new(Signer::new(key.as_bytes()).sign(b"payment.test.webhooks").as_bytes());
    let (order, path) = waiting(&shop, "tok_3ds_abandoned").await;
    let tell = async |id: &str, amount: &Value| {
        let total = &amount["amount"];
        let data = json!({"reference": path.rsplit('/').next(), "payment_id": null, "order_id": order["id"],
            "amount": amount, "authorized": total, "captured": total, "refunded": 0, "decline_code": null});
        let message = json!({"id": id, "type": "payment.captured", "created": 1, "data": data}).to_string();
        let now = system_clock().now().seconds();
        let signature = format!("t={now},v1={}", provider.sign(format!("{now}.{message}").as_bytes()));
        let request = shop.guest.request(Method::POST, "/webhooks/test").raw("application/json", message);
        assert_eq!(request.header("test-signature", &signature).send().await.status, 200);
    };
    // The provider's own message says that it is paid, five times at once: its books say that it is not.
    join_all((0..5).map(|_| tell("tev_early", &order["total"]))).await;
    let report = shop.owner.post("/admin/system/reconcile", &json!({})).await.expect(200);
    assert_eq!(
        (&report["cases"], &shop.order(&order["id"]).await["status"]),
        (&json!([]), &json!("pending"))
    );

    answer_step(&shop, &path, true).await.expect(200);
    shop.order_becomes(&order["id"], "placed").await;
    join_all((0..5).map(|_| tell("tev_late", &order["total"]))).await;
    shop.owner.post("/admin/system/reconcile", &json!({})).await.expect(200);
    let after = shop.order(&order["id"]).await;
    assert_eq!((&after["captured_total"], &after["refunded_total"]), (&order["total"], &eur(0)));
    balanced(&shop, &order["id"]).await;
    shop.mail("ada@example.com", "order_placed").await;
    assert_eq!(shop.mails("ada@example.com", "order_placed").await.len(), 1);

    // One about another amount is for a person to look at.
    tell("tev_odd", &eur(1)).await;
    wait_for("a case", async || {
        let report = shop.owner.post("/admin/system/reconcile", &json!({})).await.expect(200);
        report["cases"]
            .as_array()
            .is_some_and(|cases| cases.iter().any(|case| case["order_id"] == order["id"]))
    })
    .await;
    assert_eq!(shop.order(&order["id"]).await["captured_total"], order["total"]);
}

async fn a_payment_that_cannot_be_is_refused_before_anything_happens(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(5).await;
    let mut body = shop.order_for(&shop.guest, &mug, 1, "tok_none_of_ours").await;
    check_out(&shop.guest, &body).await.refused_at(422, "token", "/payment/token");
    body["payment"] = json!({"provider": "test"});
    check_out(&shop.guest, &body).await.refused_at(422, "token", "/payment/token");
    body["payment"] = json!({"provider": "barter", "token": "tok_ok"});
    let refused = check_out(&shop.guest, &body).await;
    assert_eq!(
        (refused.status, refused.body["errors"][0]["pointer"].as_str()),
        (422, Some("/payment/provider")),
        "{refused}"
    );
    body["payment"] = json!({"provider": "test", "token": "tok_ok", "number": "4242424242424242"});
    check_out(&shop.guest, &body).await.refused_at(422, "unknown_field", "/payment/number");
    assert_eq!(shop.stock(&mug).await, Stock { on_hand: 5, reserved: 0 });
    assert!(shop.orders("placed").await.is_empty());
    body["payment"] = json!({"provider": "test", "token": "tok_ok"});
    check_out(&shop.guest, &body).await.expect(201);
}

async fn money_can_be_taken_when_the_goods_leave(shape: Shape) {
    let shop = Shop::start(shape, &[("order.capture", "at_fulfillment")]).await;
    let mug = shop.buyable(5).await;
    let order = shop.buy(&mug, 2).await;
    assert_eq!((&order["payment_status"], &order["captured_total"]), (&json!("authorized"), &eur(0)));
    assert_eq!(shop.stock(&mug).await, Stock { on_hand: 3, reserved: 0 });
    let path = format!("/admin/orders/{}", text(&order["id"]));
    let capture = async |amount: i64| {
        shop.owner.post_once(&format!("{path}/capture"), &json!({"amount": eur(amount)}), &fresh()).await
    };
    capture(5491).await.refused(422, "amount_exceeds_authorized");
    let part = capture(1000).await.expect(200);
    assert_eq!((&part["payment_status"], &part["captured_total"]), (&json!("authorized"), &eur(1000)));
    capture(4491).await.refused(422, "amount_exceeds_authorized");
    let key = fresh();
    let rest = shop.owner.post_once(&format!("{path}/capture"), &json!({}), &key).await;
    let replay = shop.owner.post_once(&format!("{path}/capture"), &json!({}), &key).await;
    assert_eq!(rest.bytes, replay.bytes);
    let rest = rest.expect(200);
    assert_eq!((&rest["payment_status"], &rest["captured_total"]), (&json!("captured"), &eur(5490)));
    balanced(&shop, &order["id"]).await;

    // What leaves the house is paid for.
    let other = shop.buy(&mug, 1).await;
    let lines = json!([{"line_id": other["lines"][0]["id"], "quantity": 1}]);
    let sent = format!("/admin/orders/{}/shipments", text(&other["id"]));
    shop.owner.post(&sent, &json!({"lines": lines})).await.expect(201);
    wait_for("the money is taken", async || shop.order(&other["id"]).await["captured_total"] == eur(2990))
        .await;

    let third = shop.buy(&mug, 1).await;
    shop.owner.post(&format!("/admin/orders/{}/cancel", text(&third["id"])), &json!({})).await.expect(200);
    let third = shop.order_becomes(&third["id"], "cancelled").await;
    assert_eq!((&third["captured_total"], &third["refunded_total"]), (&eur(0), &eur(0)));
    let payment =
        shop.app.ports.payments.of_order(text(&third["id"]).parse().unwrap()).await.unwrap().unwrap();
    assert!(payment.authorized.is_zero(), "{payment:?}");
}

async fn the_books_balance_and_agree_with_the_provider(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(50).await;
    let mut orders = Vec::new();
    for units in 1..5 {
        orders.push(shop.buy(&mug, units).await);
    }
    let refund = json!({"amount": eur(1234), "reason": "late"});
    let path = format!("/admin/orders/{}/refunds", text(&orders[0]["id"]));
    shop.owner.post_once(&path, &refund, &fresh()).await.expect(201);
    shop.owner
        .post(&format!("/admin/orders/{}/cancel", text(&orders[1]["id"])), &json!({}))
        .await
        .expect(200);
    shop.order_becomes(&orders[1]["id"], "cancelled").await;
    for order in &orders {
        balanced(&shop, &order["id"]).await;
    }
    let report = shop.owner.post("/admin/system/reconcile", &json!({})).await.expect(200);
    assert_eq!(report["cases"], json!([]));
}

/// Debits equal credits, and the provider's account holds what the order says.
async fn balanced(shop: &Shop, id: &Value) {
    let order = shop.order(id).await;
    let held = number(&order["captured_total"]["amount"]) - number(&order["refunded_total"]["amount"]);
    let ledger = list(&shop.owner.get(&format!("/admin/orders/{}/ledger", text(id))).await.expect(200));
    let sum = |entries: &[&Value]| entries.iter().map(|e| number(&e["amount"]["amount"])).sum::<i64>();
    let mut transactions: Vec<&Value> = ledger.iter().map(|entry| &entry["transaction_id"]).collect();
    transactions.dedup();
    for transaction in transactions {
        let entries: Vec<&Value> = ledger.iter().filter(|e| &e["transaction_id"] == transaction).collect();
        assert!(entries.len() >= 2 && sum(&entries) == 0, "{entries:?}");
    }
    let provider: Vec<&Value> = ledger.iter().filter(|entry| entry["account"] == "provider").collect();
    assert_eq!(sum(&provider), held, "{ledger:?}");
}

//! Money that goes back: never more than was taken, once for each decision.

use serde_json::{Value, json};

use crate::{
    client::Answer,
    harness::{Shape, Shop, Stock, cart, check_out, eur, fresh, number, text, wait_for},
};

crate::rules! {
    lines_are_refunded_one_by_one_and_go_back_on_the_shelf,
    no_more_is_refunded_than_was_taken,
    a_refund_of_everything_is_everything,
    refunds_at_once_do_not_exceed_what_was_taken,
    a_refunded_line_returns_what_was_paid_for_it,
    what_was_not_paid_cannot_be_refunded,
}

async fn refund(shop: &Shop, order: &Value, refund: Value) -> Answer {
    shop.owner.post_once(&format!("/admin/orders/{}/refunds", text(&order["id"])), &refund, &fresh()).await
}

async fn lines_are_refunded_one_by_one_and_go_back_on_the_shelf(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let order = shop.buy(&mug, 3).await;
    let line = |units: i64, restock: bool| json!([{"line_id": order["lines"][0]["id"], "quantity": units, "restock": restock}]);
    let first = refund(&shop, &order, json!({"lines": line(1, true), "reason": "chipped"})).await.expect(201);
    assert_eq!(
        (&first["refunded_total"], &first["payment_status"]),
        (&eur(2500), &json!("partially_refunded"))
    );
    assert_eq!(first["lines"][0]["refunded_quantity"], 1);
    wait_for("it is back", async || shop.stock(&mug).await == Stock { on_hand: 8, reserved: 0 }).await;
    let second =
        refund(&shop, &order, json!({"lines": line(1, false), "reason": "broken"})).await.expect(201);
    assert_eq!(second["refunded_total"], eur(5000));
    assert_eq!(shop.stock(&mug).await.on_hand, 8);
    refund(&shop, &order, json!({"lines": line(2, true), "reason": "x"}))
        .await
        .refused(422, "quantity_exceeds_remaining");
    let third = refund(&shop, &order, json!({"lines": line(1, true), "reason": "x"})).await.expect(201);
    assert_eq!((&third["refunded_total"], third["refunds"].as_array().unwrap().len()), (&eur(7500), 3));
    wait_for("it is back", async || shop.stock(&mug).await.on_hand == 9).await;
    let mail = shop.mail("ada@example.com", "order_refunded").await;
    assert!(text(&mail["text"]).contains("25.00"), "{mail}");
    wait_for("a mail for each", async || shop.mails("ada@example.com", "order_refunded").await.len() == 3)
        .await;
}

async fn no_more_is_refunded_than_was_taken(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let order = shop.buy(&mug, 1).await;
    refund(&shop, &order, json!({"amount": eur(2991), "reason": "x"}))
        .await
        .refused(422, "amount_exceeds_captured");
    refund(&shop, &order, json!({"amount": eur(2000), "reason": "x"})).await.expect(201);
    refund(&shop, &order, json!({"amount": eur(991), "reason": "x"}))
        .await
        .refused(422, "amount_exceeds_captured");
    for wrong in [json!(0), json!(-100)] {
        let refused =
            refund(&shop, &order, json!({"amount": {"amount": wrong, "currency": "EUR"}, "reason": "x"}))
                .await;
        assert_eq!(refused.status, 422, "{refused}");
    }
    let dollars = json!({"amount": {"amount": 100, "currency": "USD"}, "reason": "x"});
    assert_eq!(refund(&shop, &order, dollars).await.status, 422);
    refund(&shop, &order, json!({"amount": eur(990), "reason": "x"})).await.expect(201);
    let order = shop.order(&order["id"]).await;
    assert_eq!((&order["refunded_total"], &order["payment_status"]), (&eur(2990), &json!("refunded")));
    let refused = refund(&shop, &order, json!({"amount": eur(1), "reason": "x"})).await;
    assert!([409, 422].contains(&refused.status), "{refused}");
}

async fn a_refund_of_everything_is_everything(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let order = shop.buy(&mug, 2).await;
    refund(&shop, &order, json!({"amount": eur(777), "reason": "late"})).await.expect(201);
    let all = refund(&shop, &order, json!({"reason": "sorry"})).await.expect(201);
    assert_eq!((&all["refunded_total"], &all["payment_status"]), (&order["total"], &json!("refunded")));
    assert_eq!((&all["status"], shop.stock(&mug).await.on_hand), (&json!("placed"), 8));
    refund(&shop, &order, json!({})).await.refused_at(422, "required", "/reason");
}

async fn refunds_at_once_do_not_exceed_what_was_taken(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let order = shop.buy(&mug, 1).await;
    let refunds = (0..8).map(|_| refund(&shop, &order, json!({"amount": eur(1000), "reason": "x"})));
    let answers = futures::future::join_all(refunds).await;
    let done = answers.iter().filter(|answer| answer.status == 201).count();
    for answer in answers.into_iter().filter(|answer| answer.status != 201) {
        assert!([409, 422, 503].contains(&answer.status), "{answer}");
    }
    let order = shop.order(&order["id"]).await;
    assert!((1..=2).contains(&done));
    assert_eq!(order["refunded_total"], eur(done as i64 * 1000));
    let payment =
        shop.app.ports.payments.of_order(text(&order["id"]).parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(payment.refunded.amount, done as i64 * 1000);
}

async fn a_refunded_line_returns_what_was_paid_for_it(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let (mug, pot) = (shop.buyable(10).await, shop.goods("Pot", 1001, 10).await);
    crate::coupons::promote(&shop, json!({"kind": "percentage", "value": 10, "title": "Week"})).await;
    let cart = cart(&shop.guest, &[(&mug, 1), (&pot, 3)]).await;
    let order = check_out(&shop.guest, &shop.checkout_of(&cart, "tok_ok")).await.expect(201);
    let lines = order["lines"].as_array().unwrap();
    let pots = lines.iter().find(|line| line["variant_id"] == pot.variant).unwrap();
    let mut refunded = 0;
    for _ in 0..3 {
        let line = json!([{"line_id": pots["id"], "quantity": 1}]);
        let after = refund(&shop, &order, json!({"lines": line, "reason": "x"})).await.expect(201);
        refunded = number(&after["refunded_total"]["amount"]);
    }
    assert_eq!(refunded, number(&pots["total"]["amount"]));
}

async fn what_was_not_paid_cannot_be_refunded(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let body = shop.order_for(&shop.guest, &mug, 1, "tok_3ds_abandoned").await;
    let order = check_out(&shop.guest, &body).await.expect(201);
    for request in [json!({"amount": eur(1), "reason": "x"}), json!({"reason": "x"})] {
        let refused = refund(&shop, &order, request).await;
        assert!([409, 422].contains(&refused.status), "{refused}");
    }
    assert_eq!(shop.order(&order["id"]).await["status"], "pending");
}

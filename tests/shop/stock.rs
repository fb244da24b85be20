//! Nothing is sold twice, and nothing is held for ever.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::harness::{Shape, Shop, Stock, cart, check_out, eur, number, text, wait_for};

crate::rules! {
    ten_of_two_hundred_get_the_last_ten,
    one_of_many_gets_a_set_of_which_one_part_is_scarce,
    carts_in_opposite_order_do_not_block_each_other,
    lines_of_the_same_variant_count_together,
    what_is_paid_for_elsewhere_is_not_available,
    a_reservation_that_nobody_pays_is_given_back,
    stock_cannot_be_taken_from_under_a_reservation,
}

async fn ten_of_two_hundred_get_the_last_ten(shape: Shape) {
    // Everybody waits for an answer, however slow the machine: one after the other changes the same document.
    let shop = Shop::start(shape, &[("order.checkout_deadline_seconds", "25")]).await;
    let mug = shop.buyable(10).await;
    let bodies: Vec<Value> = join_all((0..200).map(|_| shop.order_for(&shop.guest, &mug, 1, "tok_ok"))).await;
    let answers = join_all(bodies.iter().map(|body| check_out(&shop.guest, body))).await;
    let (placed, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((placed.len(), refused.len()), (10, 190));
    for answer in refused {
        let problem = answer.refused(409, "out_of_stock");
        let short = &problem["available"][0];
        assert_eq!(
            (&short["variant_id"], &short["requested"]),
            (&json!(mug.variant), &json!(1)),
            "{problem}"
        );
        assert!(number(&short["available"]) < 1, "{problem}");
    }
    assert_eq!(shop.stock(&mug).await, Stock { on_hand: 0, reserved: 0 });
    assert_eq!(shop.orders("placed").await.len(), 10);
    assert!(shop.orders("pending").await.is_empty());
    for order in shop.orders("cancelled").await {
        let payment = shop.app.ports.payments.of_order(text(&order["id"]).parse().unwrap()).await.unwrap();
        assert!(payment.is_none_or(|p| p.authorized.is_zero() && p.captured.is_zero()), "{order}");
    }
}

async fn one_of_many_gets_a_set_of_which_one_part_is_scarce(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let (pot, lid) = (shop.goods("Pot", 5000, 1).await, shop.goods("Lid", 900, 20).await);
    let wanted = [(&lid, 2), (&pot, 1)];
    let carts = join_all((0..12).map(|_| cart(&shop.guest, &wanted))).await;
    let bodies: Vec<Value> = carts.iter().map(|cart| shop.checkout_of(cart, "tok_ok")).collect();
    let answers = join_all(bodies.iter().map(|body| check_out(&shop.guest, body))).await;
    assert_eq!(answers.iter().filter(|a| a.status == 201).count(), 1);
    for answer in answers.into_iter().filter(|a| a.status != 201) {
        let problem = answer.refused(409, "out_of_stock");
        assert_eq!(problem["available"][0]["variant_id"], pot.variant, "{problem}");
    }
    assert_eq!(shop.stock(&pot).await, Stock { on_hand: 0, reserved: 0 });
    assert_eq!(shop.stock(&lid).await, Stock { on_hand: 18, reserved: 0 });
}

async fn carts_in_opposite_order_do_not_block_each_other(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let (pot, lid) = (shop.goods("Pot", 5000, 30).await, shop.goods("Lid", 900, 30).await);
    let orders = [[(&pot, 1), (&lid, 1)], [(&lid, 1), (&pot, 1)]];
    let carts = join_all((0..16).map(|i| cart(&shop.guest, &orders[i % 2]))).await;
    let bodies: Vec<Value> = carts.iter().map(|cart| shop.checkout_of(cart, "tok_ok")).collect();
    for answer in join_all(bodies.iter().map(|body| check_out(&shop.guest, body))).await {
        answer.expect(201);
    }
    assert_eq!(shop.stock(&pot).await, Stock { on_hand: 14, reserved: 0 });
    assert_eq!(shop.stock(&lid).await, Stock { on_hand: 14, reserved: 0 });
}

async fn lines_of_the_same_variant_count_together(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let line = |quantity: i64| json!({"variant_id": mug.variant, "quantity": quantity});
    let cart = shop.guest.post("/carts", &json!({"lines": [line(4), line(3)]})).await.expect(201);
    assert_eq!(cart["lines"].as_array().unwrap().len(), 1);
    assert_eq!(cart["lines"][0]["quantity"], 7);
    let lines = format!("/carts/{}/lines", text(&cart["id"]));
    let problem = shop.guest.post(&lines, &line(4)).await.refused(409, "out_of_stock");
    assert!(problem["available"].to_string().contains("10"), "{problem}");
    shop.guest.post("/carts", &json!({"lines": [line(6), line(5)]})).await.refused(409, "out_of_stock");
    let cart = shop.guest.post(&lines, &line(3)).await.expect(201);
    let order = check_out(&shop.guest, &shop.checkout_of(&cart, "tok_ok")).await.expect(201);
    assert_eq!(order["subtotal"], eur(25_000));
    assert_eq!(shop.stock(&mug).await, Stock { on_hand: 0, reserved: 0 });
}

async fn what_is_paid_for_elsewhere_is_not_available(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(5).await;
    let late = cart(&shop.guest, &[(&mug, 3)]).await;
    let body = shop.order_for(&shop.guest, &mug, 4, "tok_3ds_abandoned").await;
    let order = check_out(&shop.guest, &body).await.expect(201);
    assert_eq!(shop.stock(&mug).await, Stock { on_hand: 5, reserved: 4 });
    let page = shop.guest.get(&format!("/products/{}", mug.slug)).await.expect(200);
    assert_eq!(page["variants"][0]["available"], 1);
    let problem =
        check_out(&shop.guest, &shop.checkout_of(&late, "tok_ok")).await.refused(409, "out_of_stock");
    assert_eq!(
        (&problem["available"][0]["requested"], &problem["available"][0]["available"]),
        (&json!(3), &json!(1))
    );

    let cancel = format!("/orders/{}/cancel?token={}", text(&order["id"]), text(&order["token"]));
    shop.guest.post(&cancel, &json!({})).await.expect(200);
    assert_eq!(shop.stock(&mug).await, Stock { on_hand: 5, reserved: 0 });
    check_out(&shop.guest, &shop.checkout_of(&late, "tok_ok")).await.expect(201);
}

async fn a_reservation_that_nobody_pays_is_given_back(shape: Shape) {
    let shop = Shop::start(shape, &[("order.reservation_seconds", "2")]).await;
    let mug = shop.buyable(3).await;
    let body = shop.order_for(&shop.guest, &mug, 3, "tok_3ds_abandoned").await;
    let order = check_out(&shop.guest, &body).await.expect(201);
    assert_eq!((&order["status"], shop.stock(&mug).await.reserved), (&json!("pending"), 3));
    let order = shop.order_becomes(&order["id"], "cancelled").await;
    assert_eq!(order["captured_total"], eur(0));
    wait_for("the stock is free", async || shop.stock(&mug).await == Stock { on_hand: 3, reserved: 0 }).await;
    let payment =
        shop.app.ports.payments.of_order(text(&order["id"]).parse().unwrap()).await.unwrap().unwrap();
    assert!(payment.authorized.is_zero(), "{payment:?}");
    shop.buy(&mug, 3).await;
}

async fn stock_cannot_be_taken_from_under_a_reservation(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(5).await;
    let body = shop.order_for(&shop.guest, &mug, 4, "tok_3ds_abandoned").await;
    check_out(&shop.guest, &body).await.expect(201);
    let change = |delta: i64| json!({"variant_id": mug.variant, "delta": delta, "reason": "stocktaking"});
    let path = "/admin/inventory/adjustments";
    shop.owner.post(path, &change(-2)).await.refused(409, "insufficient_stock");
    shop.owner.post(path, &change(0)).await.refused_at(422, "out_of_range", "/delta");
    let level = shop.owner.post(path, &change(-1)).await.expect(201);
    assert_eq!((&level["on_hand"], &level["available"]), (&json!(4), &json!(0)));
    assert_eq!(shop.stock(&mug).await, Stock { on_hand: 4, reserved: 4 });
}

//! More shoppers than goods.

use std::time::Instant;

use futures::{StreamExt, future::join_all, stream};
use serde_json::json;

use crate::{
    harness::{all, cart, goods, number, wait_for},
    journal::{Journal, Purchase},
    rounds,
    shop::Shop,
};

/// Shoppers, and those of them for whom there is enough.
const SHOPPERS: i64 = 100;
const LUCKY: i64 = 10;

/// F25.
#[tokio::test]
async fn f25_a_rush_sells_exactly_what_there_is_and_charges_nobody_else() {
    let shop = Shop::open(&["postgres", "redis"], &[]).await;
    let counter = shop.town.counter(&shop.guest).await;
    let (shoppers, lucky) = (SHOPPERS * rounds(), LUCKY * rounds());
    // Each takes two, so that an order costs what every order here costs.
    let rare = goods(&counter.owner, "Last ones", 1250, 2 * lucky).await;
    let carts = stream::iter(0..shoppers).map(async |_| cart(&shop.guest, &[(&rare, 1), (&rare, 1)]).await);
    let carts: Vec<_> = carts.buffer_unordered(16).collect().await;
    let begun = Instant::now();
    let purchases = join_all(carts.iter().enumerate().map(async |(i, cart)| {
        let email = format!("shopper-{i}@example.com");
        let mut purchase = Purchase::new(shop.town.checkout_of(cart, &email, "tok_ok"));
        wait_for("an answer", async || {
            let answer = purchase.request(&shop.guest).send().await;
            assert!([201, 409, 503].contains(&answer.status), "{answer}");
            let known = answer.status == 201 || answer.body["code"] == "out_of_stock";
            purchase.answer = Some(answer);
            known
        })
        .await;
        purchase
    }))
    .await;
    println!("F25: {shoppers} shoppers for {lucky} took {:?}", begun.elapsed());
    let sold = purchases.iter().filter(|purchase| purchase.order().is_some()).count();
    assert_eq!(i64::try_from(sold).unwrap(), lucky);
    shop.owes_nobody_anything(Journal::from_iter(purchases)).await;
    let levels = all(&counter.owner, &format!("/admin/inventory/levels?variant_id={}", rare.variant)).await;
    assert_eq!((number(&levels[0]["on_hand"]), number(&levels[0]["reserved"])), (0, 0));
    let orders = counter.orders().await;
    let charged =
        orders.iter().filter(|order| order["captured_total"] != json!({"amount": 0, "currency": "EUR"}));
    assert_eq!(i64::try_from(charged.count()).unwrap(), lucky);
}

//! What happens to a cart at login.

use contracts::{
    cart::{CartId, Carts},
    customer::CustomerId,
    order::OrderId,
};
use shared::Kind;

use crate::shop::{account, eur, guest, line, new_cart, percent, quantities, shop};

#[tokio::test]
async fn the_cart_of_nobody_becomes_the_customers() {
    let shop = shop().await;
    let (customer, a) = (CustomerId::new(), shop.catalogue.sells(100));
    let cart = shop.cart_of(&[(a, 2)]).await;
    let merged = shop.carts.merge(cart.id, customer).await.unwrap();
    assert_eq!((merged.id, merged.customer_id, quantities(&merged)), (cart.id, Some(customer), vec![(a, 2)]));
    assert_eq!(shop.carts.merge(cart.id, customer).await.unwrap(), merged);
    assert_eq!(shop.carts.of_customer(customer).await.unwrap(), Some(merged));
    assert_eq!(shop.carts.view(cart.id, guest()).await.unwrap_err().kind, Kind::NotFound);
    let thief = shop.carts.merge(cart.id, CustomerId::new()).await;
    assert_eq!(thief.unwrap_err().kind, Kind::NotFound);
}

#[tokio::test]
async fn lines_and_codes_join_the_customers_cart_and_the_old_id_leads_there() {
    let shop = shop().await;
    shop.carts.create_promotion(percent("TEN", 10)).await.unwrap();
    let customer = CustomerId::new();
    let (a, b, c) = (shop.catalogue.sells(100), shop.catalogue.sells(200), shop.catalogue.sells(300));
    let mine = shop.carts.create(new_cart(&[(a, 1), (b, 5)]), account(customer)).await.unwrap();
    let from = shop.cart_of(&[(a, 3), (b, 2), (c, 1)]).await;
    shop.carts.apply_code(from.id, "ten".into(), guest()).await.unwrap();
    let merged = shop.carts.merge(from.id, customer).await.unwrap();
    assert_eq!((merged.id, quantities(&merged)), (mine.id, vec![(a, 3), (b, 5), (c, 1)]));
    assert_eq!((merged.discount_codes.as_slice(), merged.total), (&["TEN".to_owned()][..], eur(1_440)));
    assert_eq!(shop.carts.merge(from.id, customer).await.unwrap(), merged);
    assert_eq!(shop.carts.view(from.id, account(customer)).await.unwrap(), merged);
    assert_eq!(shop.carts.view(from.id, guest()).await.unwrap_err().kind, Kind::NotFound);
    let more = shop.carts.add_line(from.id, line(c, 1), account(customer)).await.unwrap();
    assert_eq!((more.id, more.version), (mine.id, merged.version + 1));
}

#[tokio::test]
async fn ten_parallel_logins_lose_and_double_nothing() {
    let shop = shop().await;
    let customer = CustomerId::new();
    let variants: Vec<_> = (0..10).map(|_| shop.catalogue.sells(100)).collect();
    let mut logins = Vec::new();
    for (i, variant) in variants.iter().enumerate() {
        let from = shop.cart_of(&[(*variant, 2), (variants[0], 1 + i as i64)]).await.id;
        // Twice each, because browsers repeat themselves.
        for _ in 0..2 {
            let carts = shop.carts.clone();
            logins.push(tokio::spawn(async move { carts.merge(from, customer).await.unwrap() }));
        }
    }
    for login in logins {
        assert_eq!(login.await.unwrap().customer_id, Some(customer));
    }
    let cart = shop.carts.of_customer(customer).await.unwrap().unwrap();
    let mut merged = quantities(&cart);
    merged.sort();
    let mut expected: Vec<_> = variants.iter().map(|variant| (*variant, 2)).collect();
    expected[0].1 = 10;
    expected.sort();
    assert_eq!(merged, expected);
}

#[tokio::test]
async fn the_same_login_ten_times_is_one_merge() {
    let shop = shop().await;
    let (customer, a, b) = (CustomerId::new(), shop.catalogue.sells(100), shop.catalogue.sells(200));
    let mine = shop.carts.create(new_cart(&[(a, 1)]), account(customer)).await.unwrap();
    let from = shop.cart_of(&[(b, 3)]).await.id;
    let instances = [shop.carts.clone(), shop.other_instance().await];
    let logins = (0..10).map(|i| {
        let carts = instances[i % 2].clone();
        tokio::spawn(async move { carts.merge(from, customer).await.unwrap() })
    });
    for login in logins.collect::<Vec<_>>() {
        let merged = login.await.unwrap();
        assert_eq!((merged.id, quantities(&merged)), (mine.id, vec![(a, 1), (b, 3)]));
    }
    assert_eq!(shop.carts.of_customer(customer).await.unwrap().unwrap().version, mine.version + 1);
}

#[tokio::test]
async fn a_further_cart_of_the_customer_can_be_merged_too() {
    let shop = shop().await;
    let (customer, a, b) = (CustomerId::new(), shop.catalogue.sells(100), shop.catalogue.sells(200));
    let first = shop.carts.create(new_cart(&[(a, 1)]), account(customer)).await.unwrap();
    let second = shop.carts.create(new_cart(&[(b, 1)]), account(customer)).await.unwrap();
    let merged = shop.carts.merge(second.id, customer).await.unwrap();
    assert_eq!((merged.id, quantities(&merged)), (first.id, vec![(a, 1), (b, 1)]));
    let third = shop.carts.create(new_cart(&[(b, 9)]), account(customer)).await.unwrap();
    shop.carts.complete(first.id, OrderId::new()).await.unwrap();
    assert_eq!(shop.carts.merge(third.id, customer).await.unwrap().id, third.id);
    assert_eq!(shop.carts.of_customer(customer).await.unwrap().unwrap().id, third.id);
}

#[tokio::test]
async fn a_cart_that_an_order_has_or_that_is_unknown_cannot_be_merged() {
    let shop = shop().await;
    let (customer, order) = (CustomerId::new(), OrderId::new());
    let cart = shop.cart_of(&[(shop.catalogue.sells(1), 1)]).await;
    shop.carts.complete(cart.id, order).await.unwrap();
    let error = shop.carts.merge(cart.id, customer).await.unwrap_err();
    assert_eq!((&*error.code, &error.extra["order_id"]), ("cart_completed", &order.to_string().into()));
    assert_eq!(shop.carts.merge(CartId::random(), customer).await.unwrap_err().kind, Kind::NotFound);
}

#[tokio::test]
async fn lines_of_another_currency_are_quoted_in_the_customers() {
    let shop = shop().await;
    let (customer, a) = (CustomerId::new(), shop.catalogue.sells(100));
    let dollars = contracts::cart::NewCart { currency: Some("USD".parse().unwrap()), lines: Vec::new() };
    let mine = shop.carts.create(dollars, account(customer)).await.unwrap();
    let merged = shop.carts.merge(shop.cart_of(&[(a, 1)]).await.id, customer).await.unwrap();
    // Nothing costs dollars here, so nothing can be shown; the line is kept until the next change.
    assert_eq!((merged.id, merged.currency.code(), merged.lines.len()), (mine.id, "USD", 0));
    shop.catalogue.change(a, |quote| quote.unit_price = shared::Money::new(150, "USD".parse().unwrap()));
    assert_eq!(shop.carts.view(mine.id, account(customer)).await.unwrap().total.amount, 150);
}

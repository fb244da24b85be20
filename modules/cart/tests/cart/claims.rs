//! Uses of promotions, counted for orders.

use contracts::{
    cart::{Carts, NewPromotion, PromotionId},
    order::OrderId,
};
use shared::{Kind, values::Email};

use crate::shop::{Shop, percent, shop};

async fn promotion(shop: &Shop, code: &str, limit: Option<i64>, per_customer: Option<i64>) -> PromotionId {
    let terms =
        NewPromotion { usage_limit: limit, usage_limit_per_customer: per_customer, ..percent(code, 10) };
    shop.carts.create_promotion(terms).await.expect("a promotion").id
}

async fn used(shop: &Shop, id: PromotionId) -> i64 {
    shop.carts.promotion(id).await.expect("a promotion").used
}

fn email(name: &str) -> Email {
    format!("{name}@example.com").parse().expect("an address")
}

#[tokio::test]
async fn fifty_parallel_uses_of_a_single_use_code_are_one_use() {
    let shop = shop().await;
    let id = promotion(&shop, "ONCE", Some(1), None).await;
    let claims = (0..50).map(|i| {
        let carts = shop.carts.clone();
        tokio::spawn(async move { carts.claim(OrderId::new(), vec![id], email(&format!("c{i}"))).await })
    });
    let mut won = 0;
    for claim in claims.collect::<Vec<_>>() {
        match claim.await.unwrap() {
            Ok(()) => won += 1,
            Err(error) => {
                assert_eq!((error.kind, &*error.code), (Kind::Conflict, "coupon_exhausted"));
                assert_eq!(error.extra["code"], "ONCE");
            }
        }
    }
    assert_eq!((won, used(&shop, id).await), (1, 1));
}

#[tokio::test]
async fn an_order_counts_once_however_often_it_asks() {
    let shop = shop().await;
    let (id, order) = (promotion(&shop, "TWICE", Some(2), None).await, OrderId::new());
    let claims = (0..10).map(|_| {
        let carts = shop.carts.clone();
        tokio::spawn(async move { carts.claim(order, vec![id, id], email("ada")).await.unwrap() })
    });
    for claim in claims.collect::<Vec<_>>() {
        claim.await.unwrap();
    }
    assert_eq!(used(&shop, id).await, 1);
}

#[tokio::test]
async fn uses_by_one_address_are_limited_whatever_its_spelling() {
    let shop = shop().await;
    let id = promotion(&shop, "WELCOME", None, Some(1)).await;
    let claims = (0..20).map(|i| {
        let carts = shop.carts.clone();
        let email = if i % 2 == 0 { email("ada") } else { " ADA@example.com ".parse().unwrap() };
        tokio::spawn(async move { carts.claim(OrderId::new(), vec![id], email).await.is_ok() })
    });
    let mut won = 0;
    for claim in claims.collect::<Vec<_>>() {
        won += i32::from(claim.await.unwrap());
    }
    assert_eq!((won, used(&shop, id).await), (1, 1));
    shop.carts.claim(OrderId::new(), vec![id], email("bob")).await.unwrap();
    assert_eq!(used(&shop, id).await, 2);
}

#[tokio::test]
async fn all_promotions_are_claimed_or_none() {
    let shop = shop().await;
    let free = promotion(&shop, "FREE", None, None).await;
    let once = promotion(&shop, "ONCE", Some(1), None).await;
    shop.carts.claim(OrderId::new(), vec![once], email("ada")).await.unwrap();
    let order = OrderId::new();
    let refused = shop.carts.claim(order, vec![free, once], email("bob")).await;
    assert_eq!(refused.unwrap_err().code, "coupon_exhausted");
    assert_eq!((used(&shop, free).await, used(&shop, once).await), (0, 1));
    // The refused claim left nothing behind: the order may ask for less.
    shop.carts.claim(order, vec![free], email("bob")).await.unwrap();
    assert_eq!(used(&shop, free).await, 1);
}

#[tokio::test]
async fn a_release_gives_the_uses_back_once_and_for_good() {
    let shop = shop().await;
    let id = promotion(&shop, "ONCE", Some(1), Some(1)).await;
    let order = OrderId::new();
    shop.carts.claim(order, vec![id], email("ada")).await.unwrap();
    for _ in 0..3 {
        shop.carts.release(order).await.unwrap();
    }
    assert_eq!(used(&shop, id).await, 0);
    assert_eq!(shop.carts.claim(order, vec![id], email("ada")).await.unwrap_err().code, "claim_released");
    assert_eq!(used(&shop, id).await, 0);
    shop.carts.claim(OrderId::new(), vec![id], email("ada")).await.unwrap();
    assert_eq!(used(&shop, id).await, 1);
}

#[tokio::test]
async fn a_release_that_overtakes_its_claim_wins() {
    let shop = shop().await;
    let (id, order) = (promotion(&shop, "ONCE", Some(1), None).await, OrderId::new());
    shop.carts.release(order).await.unwrap();
    let late = shop.carts.claim(order, vec![id], email("ada")).await.unwrap_err();
    assert_eq!((late.kind, &*late.code), (Kind::Conflict, "claim_released"));
    assert_eq!(used(&shop, id).await, 0);
}

#[tokio::test]
async fn uses_equal_the_orders_that_hold_them_after_a_storm() {
    let shop = shop().await;
    let id = promotion(&shop, "SEVEN", Some(7), None).await;
    let storm = (0..40).map(|i| {
        let carts = shop.carts.clone();
        tokio::spawn(async move {
            let order = OrderId::new();
            let claimed = carts.claim(order, vec![id], email(&format!("c{i}"))).await.is_ok();
            if i % 3 == 0 {
                carts.release(order).await.unwrap();
            }
            claimed && i % 3 != 0
        })
    });
    let mut holding = 0;
    for order in storm.collect::<Vec<_>>() {
        holding += i64::from(order.await.unwrap());
    }
    assert!(holding <= 7);
    assert_eq!(used(&shop, id).await, holding);
}

#[tokio::test]
async fn a_deleted_promotion_cannot_be_claimed_and_can_be_released() {
    let shop = shop().await;
    let (id, order) = (promotion(&shop, "GONE", None, None).await, OrderId::new());
    shop.carts.claim(order, vec![id], email("ada")).await.unwrap();
    shop.carts.delete_promotion(id).await.unwrap();
    assert_eq!(
        shop.carts.claim(OrderId::new(), vec![id], email("ada")).await.unwrap_err().code,
        "coupon_exhausted"
    );
    shop.carts.release(order).await.unwrap();
    shop.carts.claim(OrderId::new(), Vec::new(), email("ada")).await.unwrap();
}

#[tokio::test]
async fn a_limit_may_be_raised_while_orders_claim() {
    let shop = shop().await;
    let id = promotion(&shop, "MORE", Some(1), None).await;
    shop.carts.claim(OrderId::new(), vec![id], email("ada")).await.unwrap();
    let more = NewPromotion { usage_limit: Some(2), ..percent("MORE", 10) };
    assert_eq!(shop.carts.update_promotion(id, more, Some(1)).await.unwrap().used, 1);
    shop.carts.claim(OrderId::new(), vec![id], email("bob")).await.unwrap();
    assert!(shop.carts.claim(OrderId::new(), vec![id], email("eve")).await.is_err());
    assert_eq!(used(&shop, id).await, 2);
}

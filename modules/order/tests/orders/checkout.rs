use contracts::{
    cart::Viewer,
    customer::CustomerId,
    order::{Checkout, OrderCancelled, OrderPaymentStatus, OrderPlaced, OrderStatus, Orders, Principal},
};
use shared::{Error, Kind, Money};

use crate::{
    goods::{cart, eur, line},
    shop::{Shop, request},
    world::{Fault, Hold},
};

#[tokio::test]
async fn a_cart_becomes_a_placed_and_paid_order() {
    let shop = Shop::open().await;
    let cart = shop.cart();
    let order = shop.checkout(cart, "tok_ok", "k").await.unwrap();
    assert_eq!((order.status, order.payment_status), (OrderStatus::Placed, OrderPaymentStatus::Captured));
    assert_eq!((order.total, order.captured_total), (eur(3845), eur(3845)));
    assert_eq!(order.lines.len(), 2);
    assert!(order.number.starts_with("B-") && order.placed_at.is_some());
    let order = shop.is_settled(order.id).await;
    let moves: Vec<_> =
        order.timeline.iter().map(|e| format!("{} {}", e.kind, e.to.as_deref().unwrap())).collect();
    assert_eq!(
        moves,
        ["status pending", "payment_status authorized", "payment_status captured", "status placed"]
    );
    assert_eq!(shop.said::<OrderPlaced>()[0].order.id, order.id);
    assert_eq!(shop.service.work().await.unwrap(), 0, "nothing is left to do");
}

#[tokio::test]
async fn an_order_without_a_price_needs_no_payment() {
    let shop = Shop::open().await;
    let tea = shop.stock(1);
    let cart = shop.put(cart(vec![line(tea, 1, 500)], 0, 500));
    let order = shop.checkout(cart, "tok_declined", "k").await.unwrap();
    assert_eq!(
        (order.payment.provider.as_str(), order.payment_status),
        ("none", OrderPaymentStatus::Captured)
    );
    assert_eq!(shop.world.count("payment.authorize"), 0);
    shop.is_settled(order.id).await;
}

#[tokio::test]
async fn each_refusal_cancels_the_order_and_gives_everything_back() {
    let refusals = [
        (
            "product.stock.reserve",
            Error::conflict("out_of_stock", "none").with("available", vec![1]),
            Kind::Conflict,
        ),
        ("cart.claim", Error::conflict("coupon_exhausted", "used up"), Kind::Conflict),
        ("payment.authorize", Error::invalid("/payment/provider", "provider", "unknown"), Kind::Invalid),
        ("product.stock.commit", Error::conflict("out_of_stock", "gone"), Kind::Conflict),
        ("payment.capture", Error::new(Kind::Declined, "payment_declined", "no"), Kind::Declined),
    ];
    for (method, refusal, kind) in refusals {
        let shop = Shop::open().await;
        let cart = shop.cart();
        shop.world.fault(method, Fault::Refuse(refusal.clone()));
        let error = shop.checkout(cart, "tok_ok", "k").await.unwrap_err();
        assert_eq!(
            (error.kind, &error.code, &error.extra),
            (kind, &refusal.code, &refusal.extra),
            "{method}"
        );
        let order = shop.order_of(cart).await;
        assert_eq!(order.status, OrderStatus::Cancelled, "{method}");
        assert_eq!(order.cancel_reason.as_deref(), Some(&*refusal.code));
        shop.is_settled(order.id).await;
        let cancelled = shop.said::<OrderCancelled>();
        assert!(
            cancelled.len() == 1 && !cancelled[0].tell_shopper,
            "{method}: the answer has told the shopper"
        );
        let again = shop.checkout(cart, "tok_ok", "k").await.unwrap();
        assert_eq!(again.status, OrderStatus::Placed, "the cart stays usable");
        assert_ne!(again.id, order.id);
    }
}

#[tokio::test]
async fn a_declined_payment_says_why() {
    let shop = Shop::open().await;
    let cart = shop.cart();
    let error = shop.checkout(cart, "tok_declined", "k").await.unwrap_err();
    assert_eq!((error.kind, &*error.code), (Kind::Declined, "payment_declined"));
    assert_eq!(error.extra["decline_code"], "declined");
    let order = shop.is_settled(shop.order_of(cart).await.id).await;
    assert_eq!(order.payment_status, OrderPaymentStatus::Failed);
    assert_eq!(order.payment.decline_code.as_deref(), Some("declined"));
}

#[tokio::test]
async fn silence_before_the_payment_is_asked_again_and_then_told() {
    let shop = Shop::open().await;
    let cart = shop.cart();
    let silence = || Fault::Refuse(Error::unavailable("away"));
    shop.world.fault("product.stock.reserve", silence());
    let order = shop.checkout(cart, "tok_ok", "k").await.unwrap();
    assert_eq!(
        shop.is_settled(order.id).await.status,
        OrderStatus::Placed,
        "one hiccup is nobody's business"
    );
    let cart = shop.cart();
    (0..3).for_each(|_| shop.world.fault("cart.claim", silence()));
    let error = shop.checkout(cart, "tok_ok", "k").await.unwrap_err();
    assert_eq!(error.kind, Kind::Unavailable);
    let order = shop.is_settled(shop.order_of(cart).await.id).await;
    assert_eq!(order.status, OrderStatus::Cancelled);
}

#[tokio::test]
async fn what_cannot_be_given_back_now_is_given_back_later() {
    let shop = Shop::open().await;
    let cart = shop.cart();
    for method in ["cart.release", "product.stock.release", "payment.void"] {
        shop.world.fault(method, Fault::Refuse(Error::unavailable("away")));
        shop.world.fault(method, Fault::LoseReply);
    }
    shop.world.fault("product.stock.commit", Fault::Refuse(Error::conflict("reservation_expired", "late")));
    let error = shop.checkout(cart, "tok_ok", "k").await.unwrap_err();
    assert_eq!(error.code, "out_of_stock");
    assert_eq!(shop.order_of(cart).await.status, OrderStatus::Pending);
    for _ in 0..10 {
        shop.later(60).await;
    }
    shop.is_settled(shop.order_of(cart).await.id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_double_click_is_one_order_with_one_answer() {
    let shop = Shop::open().await;
    let cart = shop.cart();
    let clicks = (0..20).map(|_| shop.checkout(cart, "tok_ok", "same"));
    let orders = futures::future::join_all(clicks).await;
    let first = orders[0].as_ref().unwrap();
    for order in &orders {
        assert_eq!(order.as_ref().unwrap(), first);
    }
    assert_eq!((shop.events("order.placed"), shop.world.lock().payments.len()), (1, 1));
    let again = shop.checkout(cart, "tok_ok", "same").await.unwrap();
    assert_eq!(again.id, first.id, "later too");
    shop.is_settled(first.id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_tabs_of_one_cart_are_one_order() {
    let shop = Shop::open().await;
    let cart = shop.cart();
    let keys: Vec<_> = (0..20).map(|i| format!("tab {i}")).collect();
    let tabs = keys.iter().map(|key| shop.checkout(cart, "tok_ok", key));
    let results = futures::future::join_all(tabs).await;
    let winners: Vec<_> = results.iter().filter_map(|result| result.as_ref().ok()).collect();
    assert_eq!(winners.len(), 1);
    for loser in results.iter().filter_map(|result| result.as_ref().err()) {
        assert_eq!(
            (&*loser.code, &loser.extra["order_id"]),
            ("cart_completed", &winners[0].id.to_string().into())
        );
    }
    assert_eq!(shop.world.lock().payments.len(), 1, "nobody else was charged");
    shop.is_settled(winners[0].id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_units_are_sold_once_and_the_others_are_not_charged() {
    let shop = Shop::open().await;
    let tea = shop.stock(5);
    let carts: Vec<_> = (0..25).map(|_| shop.put(cart(vec![line(tea, 1, 1000)], 0, 0))).collect();
    let rush = carts.iter().map(|cart| shop.checkout(*cart, "tok_ok", "k"));
    let results = futures::future::join_all(rush).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 5);
    assert!(results.iter().filter_map(|r| r.as_ref().err()).all(|error| error.code == "out_of_stock"));
    assert_eq!((shop.world.available(tea), shop.world.lock().payments.len()), (0, 5));
    for cart in carts {
        shop.is_settled(shop.order_of(cart).await.id).await;
    }
}

#[tokio::test]
async fn a_key_belongs_to_one_cart_of_one_customer() {
    let shop = Shop::open().await;
    let ada = Principal { customer_id: Some(CustomerId::new()), group: None, key: "k".into() };
    let (first, second) = (shop.cart(), shop.cart());
    shop.service.checkout(request(first, "tok_ok"), ada.clone()).await.unwrap();
    let error = shop.service.checkout(request(second, "tok_ok"), ada).await.unwrap_err();
    assert_eq!((error.kind, &*error.code), (Kind::Invalid, "idempotency_key_reused"));
    let bob = Principal { customer_id: Some(CustomerId::new()), group: None, key: "k".into() };
    shop.service.checkout(request(second, "tok_ok"), bob).await.unwrap();
}

#[tokio::test]
async fn a_wrong_address_is_named_where_it_is() {
    let shop = Shop::open().await;
    let mut request = request(shop.cart(), "tok_ok");
    request.shipping_address.city = " ".into();
    let key = Principal { customer_id: None, group: None, key: "k".into() };
    let error = shop.service.checkout(request, key).await.unwrap_err();
    assert_eq!(error.fields[0].pointer, "/shipping_address/city");
}

#[tokio::test]
async fn a_total_that_was_not_shown_is_refused_before_anything_is_written() {
    let shop = Shop::open().await;
    let cart = shop.cart();
    let with = |expected| Checkout { expected_total: Some(expected), ..request(cart, "tok_ok") };
    let key = |key: &str| Principal { customer_id: None, group: None, key: key.into() };
    for shown in [eur(3844), eur(3846), Money::new(3845, "USD".parse().unwrap())] {
        let error = shop.service.checkout(with(shown), key("k")).await.unwrap_err();
        assert_eq!((error.kind, &*error.code), (Kind::Conflict, "price_changed"));
        assert_eq!(error.extra["total"], serde_json::json!({"amount": 3845, "currency": "EUR"}));
    }
    assert!(shop.service.list(Default::default(), Default::default()).await.unwrap().data.is_empty());
    assert_eq!(shop.world.count("product.stock.reserve"), 0);
    let order = shop.service.checkout(with(eur(3845)), key("confirmed")).await.unwrap();
    assert_eq!(order.total, eur(3845));
    shop.is_settled(order.id).await;
}

#[tokio::test]
async fn the_cart_is_priced_for_the_customer_and_their_group() {
    let shop = Shop::open().await;
    let ada =
        Principal { customer_id: Some(CustomerId::new()), group: Some("wholesale".into()), key: "k".into() };
    let order = shop.service.checkout(request(shop.cart(), "tok_ok"), ada.clone()).await.unwrap();
    let viewer = Viewer { customer_id: ada.customer_id, group: ada.group };
    assert_eq!(shop.world.lock().viewers, [viewer]);
    shop.is_settled(order.id).await;
}

#[tokio::test]
async fn sums_that_do_not_add_up_are_never_written_down() {
    let shop = Shop::open().await;
    let mut wrong = cart(vec![line(shop.stock(1), 1, 1000)], 0, 0);
    wrong.totals.total = eur(1);
    let error = shop.checkout(shop.put(wrong), "tok_ok", "k").await.unwrap_err();
    assert_eq!(error.kind, Kind::Internal);
    let mut wrong = cart(vec![line(shop.stock(1), 1, 1000)], 0, 0);
    wrong.lines[0].subtotal = eur(999);
    assert!(shop.checkout(shop.put(wrong), "tok_ok", "k").await.is_err());
    assert!(shop.service.list(Default::default(), Default::default()).await.unwrap().data.is_empty());
}

#[tokio::test]
async fn a_shopper_who_leaves_does_not_stop_the_checkout() {
    let shop = Shop::open().await;
    let cart = shop.cart();
    let gate = std::sync::Arc::new(tokio::sync::Notify::new());
    shop.world.fault("product.stock.reserve", Fault::Hold(gate.clone()));
    let service = shop.service.clone();
    let key = Principal { customer_id: None, group: None, key: "k".into() };
    let caller = tokio::spawn(async move { service.checkout(request(cart, "tok_ok"), key).await });
    crate::until(async || shop.world.count("product.stock.reserve") == 1).await;
    caller.abort();
    gate.notify_one();
    crate::until(async || shop.world.lock().completed.contains_key(&cart)).await;
    let order = shop.order_of(cart).await;
    shop.is_settled(order.id).await;
    assert_eq!(shop.world.lock().holds[&order.id].1, Hold::Sold);
}

use contracts::{
    order::{OrderCancelled, OrderPaymentStatus, OrderStatus, Orders, Viewer},
    payment::{PaymentChanged, PaymentState},
};
use order::{Capture, Settings};
use shared::{Error, Kind};

use crate::{
    goods::eur,
    shop::{STAFF, Shop},
    world::Fault,
};

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_and_charges_once() {
    let shop = Shop::open().await;
    let cart = shop.cart();
    shop.world.fault("payment.authorize", Fault::LoseReply);
    let error = shop.checkout(cart, "tok_ok", "k").await.unwrap_err();
    assert_eq!((error.kind, &*error.code), (Kind::Unavailable, "payment_unknown"));
    assert!(error.retry_after.is_some());
    shop.later(5).await;
    let order = shop.is_settled(shop.order_of(cart).await.id).await;
    assert_eq!(order.status, OrderStatus::Placed);
    assert_eq!(shop.checkout(cart, "tok_ok", "k").await.unwrap().id, order.id);
    assert_eq!(shop.world.lock().payments.len(), 1);
}

#[tokio::test]
async fn a_provider_that_stays_silent_costs_nobody_anything() {
    let shop = Shop::open().await;
    let cart = shop.cart();
    let error = shop.checkout(cart, "tok_timeout", "k").await.unwrap_err();
    assert_eq!(error.code, "payment_unknown");
    for _ in 0..10 {
        shop.later(40).await;
    }
    let order = shop.is_settled(shop.order_of(cart).await.id).await;
    assert_eq!(
        (order.status, order.cancel_reason.as_deref()),
        (OrderStatus::Cancelled, Some("payment_unknown"))
    );
    assert!(shop.said::<OrderCancelled>()[0].tell_shopper, "the answer had left it open");
}

#[tokio::test]
async fn an_order_waits_for_the_bank_and_the_providers_message_alone_moves_it_on() {
    let shop = Shop::open().await;
    let cart = shop.cart();
    let order = shop.checkout(cart, "tok_3ds", "k").await.unwrap();
    assert_eq!((order.status, order.payment_status), (OrderStatus::Pending, OrderPaymentStatus::Awaiting));
    assert!(order.payment.next_action.is_some());
    assert_eq!(shop.checkout(cart, "tok_3ds", "k").await.unwrap().id, order.id);
    shop.payment_news(order.id).await;
    shop.work().await;
    assert_eq!(shop.find(order.id).await.status, OrderStatus::Pending, "no news is no news");
    shop.world.lock().confirm(order.id, true);
    shop.payment_news(order.id).await;
    shop.work().await;
    let order = shop.is_settled(order.id).await;
    assert_eq!((order.status, order.payment.next_action), (OrderStatus::Placed, None));
}

#[tokio::test]
async fn news_that_is_faster_than_the_waiting_is_not_missed() {
    let shop = Shop::open().await;
    let cart = shop.cart();
    let gate = std::sync::Arc::new(tokio::sync::Notify::new());
    // The first question after the answer "ask the shopper" is held up; the shopper is faster.
    shop.world.fault("payment.of_order", Fault::Hold(gate.clone()));
    let checkout = shop.checkout(cart, "tok_3ds", "k");
    let shopper = async {
        crate::until(async || shop.world.count("payment.of_order") == 1).await;
        let order = shop.order_of(cart).await;
        shop.world.lock().confirm(order.id, true);
        gate.notify_one();
    };
    let (order, ()) = tokio::join!(checkout, shopper);
    assert_eq!(order.unwrap().status, OrderStatus::Placed);
}

#[tokio::test]
async fn a_shopper_who_says_no_or_nothing_gets_everything_back() {
    for says_no in [true, false] {
        let shop = Shop::open().await;
        let cart = shop.cart();
        let order = shop.checkout(cart, "tok_3ds", "k").await.unwrap();
        if says_no {
            shop.world.lock().confirm(order.id, false);
            shop.payment_news(order.id).await;
            shop.work().await;
        } else {
            shop.later(899).await;
            assert_eq!(shop.find(order.id).await.status, OrderStatus::Pending);
            shop.later(1).await;
        }
        let order = shop.is_settled(order.id).await;
        assert_eq!(
            (order.status, order.payment_status),
            (OrderStatus::Cancelled, OrderPaymentStatus::Failed)
        );
        let reason = if says_no { "payment_declined" } else { "payment_expired" };
        assert_eq!(order.cancel_reason.as_deref(), Some(reason));
        assert!(shop.said::<OrderCancelled>()[0].tell_shopper);
        assert_eq!(shop.world.available(order.lines[0].line.variant_id), 10);
    }
}

#[tokio::test]
async fn a_waiting_order_gives_way_to_a_later_checkout_of_its_cart() {
    let shop = Shop::open().await;
    let cart = shop.cart();
    let waiting = shop.checkout(cart, "tok_3ds", "first").await.unwrap();
    let error = shop.checkout(cart, "tok_ok", "second").await.unwrap_err();
    assert_eq!(
        (&*error.code, &error.extra["order_id"]),
        ("checkout_in_progress", &waiting.id.to_string().into())
    );
    shop.later(11).await;
    let order = shop.checkout(cart, "tok_ok", "second").await.unwrap();
    assert_eq!(shop.is_settled(order.id).await.status, OrderStatus::Placed);
    let waiting = shop.is_settled(waiting.id).await;
    assert_eq!(
        (waiting.status, waiting.cancel_reason.as_deref()),
        (OrderStatus::Cancelled, Some("superseded"))
    );
}

#[tokio::test]
async fn a_waiting_order_can_be_cancelled() {
    let shop = Shop::open().await;
    let order = shop.checkout(shop.cart(), "tok_3ds", "k").await.unwrap();
    let cancelled = shop.service.cancel(order.id, None, Viewer::Token(order.token.clone())).await.unwrap();
    assert_eq!(cancelled.status, OrderStatus::Cancelled);
    shop.is_settled(order.id).await;
    shop.world.lock().confirm(order.id, true);
    shop.payment_news(order.id).await;
    shop.work().await;
    shop.is_settled(order.id).await;
}

#[tokio::test]
async fn money_that_comes_after_the_end_goes_back() {
    let shop = Shop::open().await;
    let cart = shop.cart();
    shop.checkout(cart, "tok_declined", "k").await.unwrap_err();
    let order = shop.order_of(cart).await;
    {
        let mut state = shop.world.lock();
        state.news += 1;
        let payment = state.payments.get_mut(&order.id).unwrap();
        (payment.status, payment.authorized, payment.captured) =
            (PaymentState::Captured, payment.amount, payment.amount);
    }
    shop.payment_news(order.id).await;
    shop.work().await;
    let order = shop.is_settled(order.id).await;
    assert_eq!((order.payment_status, order.refunded_total), (OrderPaymentStatus::Refunded, order.total));
    assert_eq!((order.refunds.len(), shop.events("order.cancelled")), (1, 1));
}

#[tokio::test]
async fn stale_and_repeated_news_changes_nothing() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let payment = shop.world.lock().payments[&order.id].clone();
    let mut old = payment.clone();
    (old.status, old.captured) = (PaymentState::Authorized, eur(0));
    shop.hear(order.id, 50, &PaymentChanged { payment: payment.clone() }).await;
    shop.hear(order.id, 50, &PaymentChanged { payment: old.clone() }).await;
    shop.hear(order.id, 3, &PaymentChanged { payment: old.clone() }).await;
    shop.hear(order.id, 51, &PaymentChanged { payment: old }).await;
    let after = shop.find(order.id).await;
    assert_eq!((after.payment_status, after.version), (order.payment_status, order.version));
    let mut refunded = payment;
    (refunded.refunded, refunded.status) = (eur(100), PaymentState::Captured);
    shop.hear(order.id, 52, &PaymentChanged { payment: refunded }).await;
    let after = shop.find(order.id).await;
    assert_eq!(
        (after.payment_status, after.refunded_total),
        (OrderPaymentStatus::PartiallyRefunded, eur(100))
    );
}

#[tokio::test]
async fn where_money_is_taken_at_fulfillment_the_first_parcel_takes_it() {
    let settings = Settings { capture: Capture::AtFulfillment, ..Settings::default() };
    let shop = Shop::with(settings).await;
    let order = shop.placed().await;
    assert_eq!((order.payment_status, order.captured_total), (OrderPaymentStatus::Authorized, eur(0)));
    let part = shop.service.capture(order.id, Some(eur(1000)), "c".into(), STAFF()).await.unwrap();
    assert_eq!((part.payment_status, part.captured_total), (OrderPaymentStatus::Authorized, eur(1000)));
    let again = shop.service.capture(order.id, Some(eur(1000)), "c".into(), STAFF()).await.unwrap();
    assert_eq!(again.captured_total, eur(1000), "a key captures once");
    let error = shop.service.capture(order.id, Some(eur(9000)), "d".into(), STAFF()).await.unwrap_err();
    assert_eq!((error.kind, &*error.code), (Kind::Invalid, "amount_exceeds_authorized"));
    let too_much = crate::after_sale::parcel(&order, &[(0, 4)]);
    shop.service.ship(order.id, too_much, "x".into(), STAFF()).await.unwrap_err();
    assert_eq!(shop.find(order.id).await.captured_total, eur(1000), "no money without a parcel");
    let parcel = crate::after_sale::parcel(&order, &[(0, 1)]);
    let shipped = shop.service.ship(order.id, parcel, "s".into(), STAFF()).await.unwrap();
    assert_eq!((shipped.payment_status, shipped.captured_total), (OrderPaymentStatus::Captured, order.total));
    shop.is_legal(&shipped).await;
}

#[tokio::test]
async fn what_is_only_authorised_is_voided_by_a_cancellation() {
    let settings = Settings { capture: Capture::AtFulfillment, ..Settings::default() };
    let shop = Shop::with(settings).await;
    let order = shop.placed().await;
    shop.service.cancel(order.id, None, Viewer::System).await.unwrap();
    let order = shop.is_settled(order.id).await;
    assert_eq!((order.refunds.len(), shop.world.count("payment.refund")), (0, 0));
    let error = shop.service.capture(order.id, None, "c".into(), STAFF()).await.unwrap_err();
    assert_eq!(error.code, "illegal_transition");
}

#[tokio::test]
async fn a_payment_of_another_amount_does_not_pay_the_order() {
    let shop = Shop::open().await;
    let cart = shop.cart();
    shop.world.fault("payment.authorize", Fault::LoseReply);
    shop.checkout(cart, "tok_ok", "k").await.unwrap_err();
    let order = shop.order_of(cart).await;
    shop.world.lock().payments.get_mut(&order.id).unwrap().amount = eur(1);
    shop.later(5).await;
    let order = shop.is_settled(order.id).await;
    assert_eq!(
        (order.status, order.cancel_reason.as_deref()),
        (OrderStatus::Cancelled, Some("payment_mismatch"))
    );
}

#[tokio::test]
async fn the_provider_is_not_asked_for_ever() {
    let shop = Shop::open().await;
    let cart = shop.cart();
    (0..100).for_each(|_| shop.world.fault("payment.capture", Fault::Refuse(Error::unavailable("away"))));
    shop.checkout(cart, "tok_ok", "k").await.unwrap_err();
    for _ in 0..40 {
        shop.later(31).await;
    }
    let order = shop.is_settled(shop.order_of(cart).await.id).await;
    assert_eq!(order.status, OrderStatus::Cancelled);
}

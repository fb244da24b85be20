use super::*;

#[tokio::test]
async fn money_moves_in_parts_and_never_beyond_its_limits() {
    let shop = Shop::open().await;
    let order_id = shop.held(1000).await;
    assert_eq!(shop.refund(order_id, 1).await.unwrap_err().code, "amount_exceeds_captured");
    assert_eq!(shop.capture(order_id, 400).await.unwrap().captured, eur(400));
    assert_eq!(shop.capture(order_id, 500).await.unwrap().captured, eur(900));
    let error = shop.capture(order_id, 101).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_ref()), (Kind::Invalid, "amount_exceeds_authorized"));
    assert_eq!(error.extra["capturable"], 100);
    assert_eq!(shop.refund(order_id, 300).await.unwrap().refunded, eur(300));
    let error = shop.refund(order_id, 601).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_ref()), (Kind::Invalid, "amount_exceeds_captured"));
    assert_eq!(error.extra["refundable"], 600);
    let payment = shop.refund(order_id, 600).await.unwrap();
    assert_eq!((payment.status, payment.refunded), (PaymentState::Refunded, eur(900)));
    assert_eq!(shop.capture(order_id, 100).await.unwrap_err().code, "illegal_transition");
    for wrong in [shop.capture(order_id, 0).await, shop.refund(order_id, -1).await] {
        assert_eq!(wrong.unwrap_err().code, "out_of_range");
    }
    use PaymentState::{Authorized, Captured, Refunded};
    assert_eq!(shop.said(order_id), [Authorized, Captured, Captured, Captured, Refunded]);
    shop.assert_books(order_id).await;
}

#[tokio::test]
async fn a_capture_and_a_refund_happen_once_per_id() {
    let shop = Shop::open().await;
    let [order_id, other] = [shop.held(1000).await, shop.held(1000).await];
    let (capture, refund) = (CaptureId::new(), RefundId::new());
    let again = |amount| shop.service.capture(order_id, capture, eur(amount));
    let back = |amount| shop.service.refund(order_id, refund, eur(amount), String::new());
    futures::future::join_all((0..8).map(|_| again(600)))
        .await
        .into_iter()
        .for_each(|done| drop(done.unwrap()));
    futures::future::join_all((0..8).map(|_| back(250)))
        .await
        .into_iter()
        .for_each(|done| drop(done.unwrap()));
    let payment = shop.payment(order_id).await;
    assert_eq!((payment.captured, payment.refunded), (eur(600), eur(250)));
    let reused = [again(601).await, back(1).await, shop.service.capture(other, capture, eur(600)).await];
    for wrong in reused {
        let error = wrong.unwrap_err();
        assert_eq!((error.kind, error.code.as_ref()), (Kind::Invalid, "idempotency_key_reused"));
    }
    assert_eq!(shop.service.ledger(order_id).await.unwrap().len(), 4);
    shop.assert_books(order_id).await;
}

#[tokio::test]
async fn twenty_at_once_never_take_or_give_back_too_much() {
    let shop = Shop::open().await;
    let order_id = shop.held(1000).await;
    let captures = futures::future::join_all((0..20).map(|_| shop.capture(order_id, 90))).await;
    assert_eq!(captures.iter().filter(|done| done.is_ok()).count(), 11);
    for refused in captures.into_iter().filter_map(Result::err) {
        assert_eq!(refused.code, "amount_exceeds_authorized");
    }
    let refunds = futures::future::join_all((0..20).map(|_| shop.refund(order_id, 70))).await;
    assert_eq!(refunds.iter().filter(|done| done.is_ok()).count(), 14);
    for refused in refunds.into_iter().filter_map(Result::err) {
        assert_eq!(refused.code, "amount_exceeds_captured");
    }
    let payment = shop.payment(order_id).await;
    assert_eq!((payment.captured, payment.refunded), (eur(990), eur(980)));
    shop.assert_books(order_id).await;
}

#[tokio::test]
async fn a_void_gives_back_what_is_not_captured() {
    let shop = Shop::open().await;
    let [none, some, all] = [shop.held(500).await, shop.held(500).await, shop.held(500).await];
    shop.capture(some, 200).await.unwrap();
    shop.capture(all, 500).await.unwrap();
    for _ in 0..2 {
        let payment = shop.service.void(none).await.unwrap();
        assert_eq!((payment.status, payment.authorized), (PaymentState::Voided, eur(0)));
        let payment = shop.service.void(some).await.unwrap();
        assert_eq!((payment.status, payment.authorized), (PaymentState::Captured, eur(200)));
        let payment = shop.service.void(all).await.unwrap();
        assert_eq!((payment.status, payment.authorized), (PaymentState::Captured, eur(500)));
    }
    assert_eq!(shop.capture(none, 1).await.unwrap_err().code, "illegal_transition");
    let error = shop.capture(some, 1).await.unwrap_err();
    assert_eq!((error.code.as_ref(), &error.extra["capturable"]), ("amount_exceeds_authorized", &0.into()));
    assert_eq!(shop.truth(none).await.authorized, 0);
    assert_eq!(shop.truth(some).await.authorized, 200);
    assert_eq!(shop.refund(some, 200).await.unwrap().status, PaymentState::Refunded);
}

#[tokio::test]
async fn money_of_another_currency_or_of_no_order_does_not_move() {
    let shop = Shop::open().await;
    let order_id = shop.held(500).await;
    let dollars = Money::new(100, "USD".parse().unwrap());
    let error = shop.service.capture(order_id, CaptureId::new(), dollars).await.unwrap_err();
    assert_eq!((error.code.as_ref(), error.fields[0].pointer.as_str()), ("currency", "/amount"));
    assert_eq!(shop.capture(OrderId::new(), 1).await.unwrap_err().kind, Kind::NotFound);
    assert_eq!(shop.service.of_order(OrderId::new()).await.unwrap(), None);
}

#[tokio::test]
async fn payments_of_the_past_come_with_their_ledger_and_without_events() {
    let shop = Shop::open().await;
    let at = Time::from_micros(1_700_000_000_000_000);
    let one =
        |refunded| ImportPayment { order_id: OrderId::new(), amount: eur(800), refunded: eur(refunded), at };
    let payments = vec![one(0), one(300), one(800)];
    for _ in 0..2 {
        shop.service.import(payments.clone()).await.unwrap();
    }
    let states =
        [(0, PaymentState::Captured, 2), (300, PaymentState::Captured, 4), (800, PaymentState::Refunded, 4)];
    for (payment, (refunded, status, entries)) in payments.iter().zip(states) {
        let stored = shop.payment(payment.order_id).await;
        assert_eq!((stored.status, stored.refunded, stored.created_at), (status, eur(refunded), at));
        let ledger = shop.service.ledger(payment.order_id).await.unwrap();
        assert_eq!((ledger.len(), ledger.iter().map(|e| e.amount.amount).sum::<i64>()), (entries, 0));
    }
    assert!(shop.heard.lock().unwrap().is_empty());
    assert_eq!(shop.service.reconcile().await.unwrap(), ReconcileReport::default());
    // Staff give the rest of it back by hand.
    assert_eq!(shop.refund(payments[1].order_id, 500).await.unwrap().status, PaymentState::Refunded);
    assert_eq!(shop.service.void(payments[0].order_id).await.unwrap().status, PaymentState::Captured);
}

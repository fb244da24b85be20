use super::*;

#[tokio::test]
async fn each_token_does_what_its_name_says() {
    let shop = Shop::open().await;
    let of = async |token: &str| shop.authorize(OrderId::new(), 1999, token).await.unwrap();
    let held = of("tok_ok").await;
    assert_eq!((held.status, held.authorized, held.captured), (PaymentState::Authorized, eur(1999), eur(0)));
    for (token, code) in [("tok_declined", "declined"), ("tok_insufficient_funds", "insufficient_funds")] {
        let failed = of(token).await;
        assert_eq!((failed.status, failed.decline_code.as_deref()), (PaymentState::Failed, Some(code)));
        let again = shop.authorize(failed.order_id, 1999, "tok_ok").await.unwrap();
        assert_eq!(again.status, PaymentState::Failed, "a new order is a new payment");
    }
    for token in ["tok_3ds", "tok_3ds_abandoned"] {
        let waiting = of(token).await;
        assert_eq!((waiting.status, waiting.authorized), (PaymentState::RequiresAction, eur(0)));
        let action = waiting.next_action.unwrap();
        let url = format!("https://shop.example/test-payments/{}", waiting.reference.unwrap());
        assert_eq!((action.kind.as_str(), action.url), ("redirect", url));
    }
}

#[tokio::test]
async fn wrong_tokens_providers_and_amounts_are_refused_before_anything_is_written() {
    let shop = Shop::open().await;
    let order_id = OrderId::new();
    let good = request(order_id, 100, "tok_ok");
    let cases = [
        (Authorize { token: None, ..good.clone() }, "token", "/payment/token"),
        (Authorize { token: Some("tok_other".to_owned()), ..good.clone() }, "token", "/payment/token"),
        (Authorize { provider: "paypal".to_owned(), ..good.clone() }, "provider", "/payment/provider"),
        (Authorize { provider: "import".to_owned(), ..good.clone() }, "provider", "/payment/provider"),
        (Authorize { amount: eur(0), ..good.clone() }, "out_of_range", "/amount"),
        (Authorize { amount: eur(-5), ..good }, "out_of_range", "/amount"),
    ];
    for (request, code, pointer) in cases {
        let error = shop.service.authorize(request).await.unwrap_err();
        assert_eq!((error.kind, error.code.as_ref()), (Kind::Invalid, code));
        assert_eq!(error.fields[0].pointer, pointer);
    }
    assert_eq!(shop.service.of_order(order_id).await.unwrap(), None);
}

#[tokio::test]
async fn a_disabled_test_provider_does_not_exist() {
    let test = TestSettings { enabled: false, ..TestSettings::default() };
    let shop = Shop::with(Settings { test, ..settings() }).await;
    assert_eq!(shop.authorize(OrderId::new(), 100, "tok_ok").await.unwrap_err().code, "provider");
    let body = Blob(bytes::Bytes::from_static(b"{}"));
    let error = shop.service.webhook(NAME.to_owned(), String::new(), body).await.unwrap_err();
    assert_eq!(error.kind, Kind::NotFound);
    assert_eq!(
        shop.service.confirm_test_step("tpi_1".to_owned(), true).await.unwrap_err().kind,
        Kind::NotFound
    );
}

#[tokio::test]
async fn an_order_has_one_payment_however_often_it_is_asked_for() {
    let shop = Shop::open().await;
    let order_id = OrderId::new();
    let all = futures::future::join_all((0..10).map(|_| shop.authorize(order_id, 500, "tok_ok"))).await;
    let ids: std::collections::HashSet<_> =
        all.into_iter().map(|p| (p.as_ref().unwrap().id, p.unwrap().reference)).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(shop.said(order_id), [PaymentState::Authorized]);
    let later = Authorize { token: None, ..request(order_id, 500, "tok_ok") };
    assert_eq!(shop.service.authorize(later).await.unwrap().status, PaymentState::Authorized);
    let error = shop.authorize(order_id, 501, "tok_ok").await.unwrap_err();
    assert_eq!((error.kind, error.code.as_ref()), (Kind::Conflict, "payment_mismatch"));
}

#[tokio::test]
async fn a_lost_reply_is_one_authorisation() {
    let shop = Shop::open().await;
    let order_id = OrderId::new();
    let payment = shop.authorize(order_id, 700, "tok_lost_reply").await.unwrap();
    assert_eq!(payment.status, PaymentState::Authorized);
    let all = shop.test().list_changed(Time::from_micros(0), None).await.unwrap().payments;
    assert_eq!(all.len(), 1);
    let payment = shop.capture(order_id, 700).await.unwrap();
    assert_eq!(payment.status, PaymentState::Captured);
    assert_eq!(shop.refund(order_id, 200).await.unwrap().refunded, eur(200));
    shop.assert_books(order_id).await;
}

#[tokio::test]
async fn the_provider_answers_a_key_always_the_same_and_refuses_it_for_anything_else() {
    let shop = Shop::open().await;
    let intent = Intent {
        payment_id: contracts::payment::PaymentId::new(),
        order_id: OrderId::new(),
        amount: eur(900),
        token: Some("tok_lost_reply".to_owned()),
        email: "ada@example.com".parse().unwrap(),
    };
    let test = shop.test();
    assert!(test.authorize(&intent).await.unwrap_err().is_transient());
    let first = test.authorize(&intent).await.unwrap();
    assert_eq!(test.authorize(&intent).await.unwrap(), first);
    let other = Intent { amount: eur(901), ..intent.clone() };
    assert_eq!(test.authorize(&other).await.unwrap_err().code, "idempotency_key_reused");
    let handle = Handle {
        payment_id: intent.payment_id,
        order_id: intent.order_id,
        reference: Some(first.reference),
        amount: intent.amount,
    };
    assert!(test.capture(&handle, "cap_1", eur(400)).await.unwrap_err().is_transient());
    test.capture(&handle, "cap_1", eur(400)).await.unwrap();
    assert_eq!(shop.truth(intent.order_id).await.captured, 400);
    for wrong in [test.capture(&handle, "cap_1", eur(1)).await, test.refund(&handle, "cap_1", eur(400)).await]
    {
        assert_eq!(wrong.unwrap_err().code, "idempotency_key_reused");
    }
    assert_eq!(test.capture(&handle, "cap_2", eur(501)).await.unwrap_err().code, "not_capturable");
    assert_eq!(test.refund(&handle, "ref_1", eur(401)).await.unwrap_err().code, "not_refundable");
}

#[tokio::test]
async fn silence_is_unknown_and_a_void_closes_it_for_ever() {
    let shop = Shop::with(Settings { provider_timeout_seconds: 1, ..settings() }).await;
    let order_id = OrderId::new();
    let error = shop.authorize(order_id, 100, "tok_timeout").await.unwrap_err();
    assert_eq!((error.kind, error.code.as_ref()), (Kind::Unavailable, "payment_unknown"));
    let pending = shop.payment(order_id).await;
    assert_eq!(pending.status, PaymentState::Pending);
    assert_eq!(shop.service.void(order_id).await.unwrap().status, PaymentState::Voided);
    assert_eq!(shop.authorize(order_id, 100, "tok_timeout").await.unwrap().status, PaymentState::Voided);
    // The request that was on its way arrives after all.
    let late = Intent {
        payment_id: pending.id,
        order_id,
        amount: eur(100),
        token: Some("tok_ok".to_owned()),
        email: "ada@example.com".parse().unwrap(),
    };
    assert_eq!(shop.test().authorize(&late).await.unwrap_err().code, "payment_voided");
    assert_eq!(shop.said(order_id), [PaymentState::Voided]);
}

#[tokio::test]
async fn an_order_that_was_voided_first_is_never_authorised() {
    let shop = Shop::open().await;
    let order_id = OrderId::new();
    assert_eq!(shop.service.void(order_id).await.unwrap().status, PaymentState::Voided);
    assert_eq!(shop.authorize(order_id, 100, "tok_ok").await.unwrap().status, PaymentState::Voided);
    assert_eq!(shop.service.void(order_id).await.unwrap().status, PaymentState::Voided);
    assert_eq!(shop.test().fetch(&Lookup::Order(order_id)).await.unwrap(), None);
}

#[tokio::test]
async fn the_extra_step_confirms_itself_after_its_time() {
    let shop = Shop::open().await;
    let [order_id, abandoned] = [OrderId::new(), OrderId::new()];
    shop.authorize(order_id, 100, "tok_3ds").await.unwrap();
    shop.authorize(abandoned, 100, "tok_3ds_abandoned").await.unwrap();
    shop.pass(1);
    shop.hear().await;
    assert_eq!(shop.payment(order_id).await.status, PaymentState::RequiresAction);
    shop.pass(1);
    shop.hear().await;
    let payment = shop.payment(order_id).await;
    assert_eq!(
        (payment.status, payment.authorized, payment.next_action),
        (PaymentState::Authorized, eur(100), None)
    );
    shop.pass(86_400);
    shop.hear().await;
    assert_eq!(shop.payment(abandoned).await.status, PaymentState::RequiresAction);
    let payment = shop.service.void(abandoned).await.unwrap();
    assert_eq!((payment.status, payment.next_action), (PaymentState::Voided, None));
    let reference = payment.reference.unwrap();
    let error = shop.service.confirm_test_step(reference, true).await.unwrap_err();
    assert_eq!(error.code, "illegal_transition", "the shopper comes too late");
}

#[tokio::test]
async fn the_shopper_says_yes_or_no_once() {
    let shop = Shop::open().await;
    for (accept, status) in [(true, PaymentState::Authorized), (false, PaymentState::Failed)] {
        let order_id = OrderId::new();
        let reference = shop.authorize(order_id, 100, "tok_3ds_abandoned").await.unwrap().reference.unwrap();
        shop.service.confirm_test_step(reference.clone(), accept).await.unwrap();
        shop.service.confirm_test_step(reference.clone(), accept).await.unwrap();
        let error = shop.service.confirm_test_step(reference, !accept).await.unwrap_err();
        assert_eq!(error.code, "illegal_transition");
        shop.hear().await;
        assert_eq!(shop.payment(order_id).await.status, status);
        assert_eq!(shop.said(order_id), [PaymentState::RequiresAction, status]);
    }
    let nobody = shop.service.confirm_test_step("tpi_nobody".to_owned(), true).await.unwrap_err();
    assert_eq!(nobody.kind, Kind::NotFound);
}

#[tokio::test]
async fn the_workers_bring_the_shoppers_yes_by_themselves() {
    let shop = Shop::open().await;
    let jobs = shared::jobs::Jobs::new();
    shop.service.start(&jobs);
    let order_id = OrderId::new();
    let reference = shop.authorize(order_id, 100, "tok_3ds_abandoned").await.unwrap().reference.unwrap();
    shop.service.confirm_test_step(reference, true).await.unwrap();
    until(async || shop.payment(order_id).await.status == PaymentState::Authorized).await;
    jobs.stop(Duration::from_secs(5)).await;
}

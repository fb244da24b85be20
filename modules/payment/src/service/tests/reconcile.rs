use super::*;

impl Shop {
    /// Runs `command` until the provider has acted, and kills the process before the answer is recorded.
    async fn crash<F>(
        &mut self,
        operation: &'static str,
        order_id: OrderId,
        command: F,
        acted: impl Fn(&Truth) -> bool,
    ) where
        F: AsyncFnOnce(Arc<Service>) + 'static,
    {
        self.restart(Some(Line::SilentAfter(operation)));
        let (service, test) = (self.service.clone(), self.test());
        let act = async {
            until(async || test.fetch(&Lookup::Order(order_id)).await.unwrap().as_ref().is_some_and(&acted))
                .await;
        };
        tokio::select! {
            () = command(service) => panic!("the answer cannot have come"),
            () = act => {}
        }
        self.restart(None);
        self.pass(10);
    }
}

#[tokio::test]
async fn an_authorisation_whose_answer_was_never_recorded_is_found() {
    let mut shop = Shop::open().await;
    let order_id = OrderId::new();
    let command =
        async move |service: Arc<Service>| drop(service.authorize(request(order_id, 100, "tok_ok")).await);
    shop.crash("authorize", order_id, command, |truth| truth.authorized == 100).await;
    assert_eq!(shop.payment(order_id).await.status, PaymentState::Pending);
    let report = shop.service.reconcile().await.unwrap();
    assert_eq!((report.repaired, report.cases.len()), (1, 0));
    let payment = shop.payment(order_id).await;
    assert_eq!((payment.status, payment.authorized), (PaymentState::Authorized, eur(100)));
    assert_eq!(shop.authorize(order_id, 100, "tok_ok").await.unwrap(), payment);
    assert_eq!(shop.service.reconcile().await.unwrap().repaired, 0);
}

#[tokio::test]
async fn the_tab_may_be_closed_the_message_alone_moves_the_payment() {
    let mut shop = Shop::open().await;
    let order_id = OrderId::new();
    let command =
        async move |service: Arc<Service>| drop(service.authorize(request(order_id, 100, "tok_ok")).await);
    shop.crash("authorize", order_id, command, |truth| truth.authorized == 100).await;
    shop.hear().await;
    assert_eq!(shop.payment(order_id).await.status, PaymentState::Authorized);
}

#[tokio::test]
async fn a_capture_and_a_refund_whose_answers_were_lost_with_the_process_are_booked_once() {
    let mut shop = Shop::open().await;
    let order_id = shop.held(500).await;
    let (capture, refund) = (CaptureId::new(), RefundId::new());
    let command = async move |service: Arc<Service>| drop(service.capture(order_id, capture, eur(300)).await);
    shop.crash("capture", order_id, command, |truth| truth.captured == 300).await;
    assert_eq!(shop.payment(order_id).await.captured, eur(0));
    // What is under way is not free to be captured again.
    assert_eq!(shop.capture(order_id, 201).await.unwrap_err().code, "amount_exceeds_authorized");
    assert_eq!(shop.service.reconcile().await.unwrap().repaired, 1);
    assert_eq!(shop.service.capture(order_id, capture, eur(300)).await.unwrap().captured, eur(300));
    let command = async move |service: Arc<Service>| {
        drop(service.refund(order_id, refund, eur(120), String::new()).await)
    };
    shop.crash("refund", order_id, command, |truth| truth.refunded == 120).await;
    assert_eq!(shop.payment(order_id).await.refunded, eur(0));
    shop.hear().await;
    assert_eq!(shop.payment(order_id).await.refunded, eur(120));
    let ids: Vec<_> =
        shop.service.ledger(order_id).await.unwrap().into_iter().map(|e| e.transaction_id).collect();
    assert_eq!(ids, [capture.to_string(), capture.to_string(), refund.to_string(), refund.to_string()]);
    shop.assert_books(order_id).await;
    assert_eq!(shop.service.reconcile().await.unwrap().repaired, 0);
}

#[tokio::test]
async fn a_void_that_was_cut_off_is_finished() {
    let mut shop = Shop::open().await;
    let order_id = shop.held(500).await;
    let command = async move |service: Arc<Service>| drop(service.void(order_id).await);
    shop.crash("void", order_id, command, |truth| truth.authorized == 0).await;
    assert_eq!(shop.payment(order_id).await.status, PaymentState::Authorized);
    assert!(shop.capture(order_id, 1).await.is_err());
    assert_eq!(shop.service.reconcile().await.unwrap().repaired, 1);
    assert_eq!(shop.payment(order_id).await.status, PaymentState::Voided);
}

#[tokio::test]
async fn a_void_overtakes_a_capture_that_never_arrived() {
    let mut shop = Shop::with(Settings { provider_timeout_seconds: 1, ..settings() }).await;
    let order_id = shop.held(500).await;
    let id = CaptureId::new();
    // Written down, never sent: as after a crash between the two.
    let now = shop.clock.now();
    shop.sql(&format!(
        "update payments set capturing = 500; insert into payment_movements select '{id}', id, 'capture', 500, '',
         'pending', null, '{now}', '{now}' from payments"
    ))
    .await;
    let payment = shop.service.void(order_id).await.unwrap();
    assert_eq!((payment.status, payment.captured), (PaymentState::Voided, eur(0)));
    let error = shop.service.capture(order_id, id, eur(500)).await.unwrap_err();
    assert_eq!(
        (error.code.as_ref(), &error.extra["provider_code"]),
        ("capture_refused", &"not_capturable".into())
    );
    shop.restart(None);
    assert_eq!(shop.service.reconcile().await.unwrap().cases, []);
    shop.assert_books(order_id).await;
}

#[tokio::test]
async fn an_authorisation_nobody_wants_any_more_is_given_back() {
    let shop = Shop::open().await;
    let order_id = shop.held(500).await;
    // We are sure that it is void; the provider still holds it.
    shop.sql("update payments set status = 'voided', authorized = 0, closing = true, closed = true").await;
    let report = shop.service.reconcile().await.unwrap();
    assert_eq!((report.repaired, report.cases.len()), (1, 0));
    assert_eq!(shop.truth(order_id).await.authorized, 0);
    assert_eq!(shop.payment(order_id).await.status, PaymentState::Voided);
}

#[tokio::test]
async fn a_lost_message_is_a_delay_and_no_loss() {
    let shop = Shop::open().await;
    let order_id = shop.held(500).await;
    shop.service.reconcile().await.unwrap();
    shop.pass(3600);
    let handle = Handle::from(&shop.payment(order_id).await);
    shop.test().capture(&handle, "in the provider's own dashboard", eur(200)).await.unwrap();
    shop.sql("delete from test_provider_events").await;
    shop.service.compare_due().await.unwrap();
    assert_eq!(shop.payment(order_id).await.captured, eur(200));
    shop.assert_books(order_id).await;
}

#[tokio::test]
async fn a_drift_of_three_rows_is_found_exactly() {
    let shop = Shop::open().await;
    let mut orders = Vec::new();
    for amount in 1..=12 {
        let order_id = shop.held(amount * 100).await;
        shop.capture(order_id, amount * 100).await.unwrap();
        orders.push((order_id, shop.payment(order_id).await.reference.unwrap()));
    }
    shop.hear().await;
    let clean = shop.service.reconcile().await.unwrap();
    assert_eq!((clean.checked, clean.repaired, clean.cases), (12, 0, Vec::new()));
    let [here, there, sums] = [&orders[2], &orders[5], &orders[8]];
    let ours = shop.payment(there.0).await.id.uuid();
    shop.sql(&format!("delete from test_provider_payments where reference = '{}'", here.1)).await;
    shop.sql(&format!("delete from payment_movements where payment_id = '{ours}'")).await;
    shop.sql(&format!("delete from payments where id = '{ours}'")).await;
    shop.sql(&format!("update payments set captured = captured - 1 where reference = '{}'", sums.1)).await;
    for _ in 0..2 {
        let report = shop.service.reconcile().await.unwrap();
        let mut found: Vec<_> =
            report.cases.iter().map(|c| (c.kind.as_str(), c.reference.as_str())).collect();
        found.sort_unstable();
        let mut wanted =
            [("only_here", here.1.as_str()), ("only_at_provider", &there.1), ("amount_differs", &sums.1)];
        wanted.sort_unstable();
        assert_eq!((report.repaired, found), (0, wanted.to_vec()));
    }
}

#[tokio::test]
async fn more_payments_than_one_page_are_compared_page_by_page() {
    let shop = Shop::open().await;
    let all = futures::future::join_all((0..205).map(|_| shop.held(100))).await;
    let report = shop.service.reconcile().await.unwrap();
    assert_eq!((report.checked, report.repaired, report.cases.len()), (205, 0, 0));
    shop.sql("update payments set reference = null, status = 'pending', authorized = 0").await;
    shop.pass(10);
    let report = shop.service.reconcile().await.unwrap();
    assert_eq!((report.checked, report.repaired, report.cases.len()), (205, 205, 0));
    assert_eq!(shop.payment(all[204]).await.status, PaymentState::Authorized);
}

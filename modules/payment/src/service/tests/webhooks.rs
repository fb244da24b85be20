use super::*;
use crate::provider::signature;

/// The `test` provider's own secret.
fn secret() -> Signer {
    Signer::new(signer().sign(b"payment.test.webhooks").as_bytes())
}

impl Shop {
    async fn deliver(&self, signature: &str, body: &[u8]) -> Result<()> {
        let body = Blob(bytes::Bytes::copy_from_slice(body));
        self.service.webhook(NAME.to_owned(), signature.to_owned(), body).await
    }

    /// A message as the provider would sign it now.
    async fn signed(&self, event: &str, reference: &str, amount: Money) -> Result<()> {
        let said = serde_json::json!({
            "id": event, "type": "payment.captured", "created": self.clock.now().seconds(),
            "data": { "reference": reference, "amount": amount, "authorized": 0, "captured": 0, "refunded": 0 },
        });
        let body = said.to_string();
        self.deliver(&signature::sign(&secret(), body.as_bytes(), self.clock.now()), body.as_bytes()).await
    }

    /// What is written beside each stored message, by its id.
    async fn verdicts(&self) -> Vec<(String, String)> {
        use diesel::prelude::*;
        use diesel_async::RunQueryDsl;

        use crate::schema::payment_webhooks as w;
        let conn = &mut self.db.get().await.unwrap();
        let query = w::table.select((w::event_id, w::state)).order(w::event_id);
        shared::on!(conn, |c| query.load(c).await).unwrap()
    }
}

#[tokio::test]
async fn forged_old_and_changed_messages_are_refused_without_a_trace() {
    let shop = Shop::open().await;
    let order_id = OrderId::new();
    shop.authorize(order_id, 100, "tok_ok").await.unwrap();
    let real = shop.test().deliveries(10).await.unwrap().remove(0);
    let (now, body) = (shop.clock.now(), real.body.as_slice());
    let forged = [
        String::new(),
        "t=1,v1=00".to_owned(),
        signature::sign(&Signer::new(b"guess"), body, now),
        signature::sign(&signer(), body, now),
        signature::sign(&secret(), body, now.before(Duration::from_secs(301))),
        signature::sign(&secret(), body, now.before(Duration::from_secs(2 * 86_400))),
        signature::sign(&secret(), body, now.after(Duration::from_secs(301))),
    ];
    for signature in forged {
        let error = shop.deliver(&signature, body).await.unwrap_err();
        assert_eq!((error.kind, error.code.as_ref()), (Kind::Malformed, "invalid_signature"), "{signature}");
    }
    // The same JSON in other bytes is another message.
    let value: serde_json::Value = serde_json::from_slice(body).unwrap();
    let pretty = serde_json::to_vec_pretty(&value).unwrap();
    assert_eq!(shop.deliver(&real.signature, &pretty).await.unwrap_err().code, "invalid_signature");
    assert!(shop.verdicts().await.is_empty());
    let other = shop
        .service
        .webhook("paypal".to_owned(), real.signature.clone(), Blob(real.body.clone().into()))
        .await;
    assert_eq!(other.unwrap_err().kind, Kind::NotFound);
    shop.deliver(&real.signature, body).await.unwrap();
    assert_eq!(shop.verdicts().await.len(), 1);
}

#[tokio::test]
async fn a_message_that_comes_again_has_no_second_effect() {
    let shop = Shop::open().await;
    let order_id = shop.held(100).await;
    shop.capture(order_id, 100).await.unwrap();
    let due = shop.test().deliveries(10).await.unwrap();
    let before = shop.payment(order_id).await;
    for _ in 0..5 {
        let all = due.iter().map(|message| shop.deliver(&message.signature, &message.body));
        futures::future::join_all(all).await.into_iter().for_each(Result::unwrap);
        shop.service.work_webhooks().await.unwrap();
    }
    let verdicts = shop.verdicts().await;
    assert!(verdicts.len() == 2 && verdicts.iter().all(|(_, state)| state == "done"), "{verdicts:?}");
    assert_eq!(shop.payment(order_id).await, before);
    shop.assert_books(order_id).await;
}

#[tokio::test]
async fn a_message_about_nobodys_payment_is_kept_for_review() {
    let shop = Shop::open().await;
    shop.signed("tev_stranger", "tpi_stranger", eur(100)).await.unwrap();
    shop.hear().await;
    assert_eq!(shop.verdicts().await, [("tev_stranger".to_owned(), "unmatched".to_owned())]);
    let cases = shop.service.reconcile().await.unwrap().cases;
    assert_eq!(cases.len(), 1);
    assert_eq!((cases[0].reference.as_str(), cases[0].kind.as_str()), ("tpi_stranger", "only_at_provider"));
}

#[tokio::test]
async fn a_message_of_another_amount_or_currency_moves_nothing() {
    let shop = Shop::open().await;
    let order_id = OrderId::new();
    let waiting = shop.authorize(order_id, 100, "tok_3ds_abandoned").await.unwrap();
    let reference = waiting.reference.clone().unwrap();
    shop.test().confirm(&reference, true).await.unwrap();
    shop.signed("tev_amount", &reference, eur(1)).await.unwrap();
    shop.signed("tev_currency", &reference, Money::new(100, "USD".parse().unwrap())).await.unwrap();
    shop.service.work_webhooks().await.unwrap();
    assert!(shop.verdicts().await.iter().all(|(_, state)| state == "review"));
    assert_eq!(shop.payment(order_id).await, waiting);
    // So does a provider that itself has another amount.
    shop.sql("update test_provider_payments set amount = 1, authorized = 1").await;
    shop.signed("tev_truth", &reference, eur(100)).await.unwrap();
    shop.hear().await;
    let verdicts = shop.verdicts().await;
    assert!(verdicts.iter().all(|(_, state)| state == "review"), "{verdicts:?}");
    assert_eq!(shop.payment(order_id).await, waiting);
    let cases = shop.service.reconcile().await.unwrap().cases;
    assert_eq!(cases.len(), 1);
    assert_eq!((cases[0].order_id, cases[0].kind.as_str()), (Some(order_id), "amount_differs"));
}

#[tokio::test]
async fn messages_wait_while_the_provider_is_silent() {
    let mut shop = Shop::with(Settings { provider_timeout_seconds: 1, ..settings() }).await;
    let order_id = OrderId::new();
    let reference = shop.authorize(order_id, 100, "tok_3ds_abandoned").await.unwrap().reference.unwrap();
    shop.service.confirm_test_step(reference, true).await.unwrap();
    shop.restart(Some(Line::SilentAfter("fetch")));
    shop.hear().await;
    assert_eq!(shop.payment(order_id).await.status, PaymentState::RequiresAction);
    shop.restart(None);
    shop.hear().await;
    assert_eq!(shop.payment(order_id).await.status, PaymentState::RequiresAction, "not before its time");
    shop.pass(5);
    shop.hear().await;
    assert_eq!(shop.payment(order_id).await.status, PaymentState::Authorized);
}

/// All orders of `items`.
fn permutations(items: &[usize]) -> Vec<Vec<usize>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let without = |i: usize| items.iter().copied().filter(move |x| *x != items[i]).collect::<Vec<_>>();
    let starting =
        |i: usize| permutations(&without(i)).into_iter().map(move |rest| [vec![items[i]], rest].concat());
    (0..items.len()).flat_map(starting).collect()
}

#[tokio::test]
async fn four_messages_in_any_order_and_number_give_one_final_state() {
    let shop = Shop::open().await;
    for (round, order) in permutations(&[0, 1, 2, 3]).into_iter().enumerate() {
        let order_id = OrderId::new();
        let payment = shop.authorize(order_id, 1000, "tok_3ds_abandoned").await.unwrap();
        // All of it happens at the provider alone: authorised, captured twice, refunded.
        let (test, handle) = (shop.test(), Handle::from(&payment));
        test.confirm(&payment.reference.unwrap(), true).await.unwrap();
        let key = |n: usize| format!("{order_id}-{n}");
        for (n, act) in [(1, 400), (2, 500)] {
            test.capture(&handle, &key(n), eur(act)).await.unwrap();
        }
        test.refund(&handle, &key(3), eur(300)).await.unwrap();
        let due = shop.test().deliveries(10).await.unwrap();
        assert_eq!(due.len(), 4);
        for &message in &order {
            for _ in 0..=(round + message) % 5 {
                shop.deliver(&due[message].signature, &due[message].body).await.unwrap();
                shop.service.work_webhooks().await.unwrap();
            }
        }
        shop.test().delivered(due.into_iter().map(|message| message.id).collect()).await.unwrap();
        let payment = shop.payment(order_id).await;
        let sums = (payment.authorized, payment.captured, payment.refunded);
        assert_eq!(
            (payment.status, sums),
            (PaymentState::Captured, (eur(1000), eur(900), eur(300))),
            "{order:?}"
        );
        shop.assert_books(order_id).await;
    }
}

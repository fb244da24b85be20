use super::*;

const ORDERS: usize = 10;
const ROUNDS: usize = 30;

/// Thirty random operations on one order. Their outcomes do not matter, the books at the end do.
async fn script(shop: &Shop, order_id: OrderId, dice: &AtomicU64) {
    let amount = 1000;
    for _ in 0..ROUNDS {
        let part = eur(1 + i64::try_from(roll(dice)).unwrap());
        let _ = match roll(dice) {
            0..10 => shop.authorize(order_id, amount, "tok_ok").await,
            10..50 => shop.service.capture(order_id, CaptureId::new(), part).await,
            50..90 => shop.service.refund(order_id, RefundId::new(), part, String::new()).await,
            90..97 => {
                shop.hear().await;
                continue;
            }
            97..99 => shop.authorize(order_id, amount, "tok_ok").await,
            _ => shop.service.void(order_id).await,
        };
    }
}

#[tokio::test]
async fn three_hundred_operations_over_a_bad_line_leave_the_books_equal() {
    let mut shop = Shop::with(Settings { provider_timeout_seconds: 1, ..settings() }).await;
    shop.restart(Some(Line::Lossy));
    let orders: Vec<_> = (0..ORDERS).map(|_| OrderId::new()).collect();
    let dice: Vec<_> = (0..ORDERS).map(|seed| AtomicU64::new(seed as u64)).collect();
    for order_id in &orders {
        // Some of these answers are lost too.
        let _ = shop.authorize(*order_id, 1000, "tok_ok").await;
    }
    let scripts = orders.iter().zip(&dice).map(|(order_id, dice)| script(&shop, *order_id, dice));
    futures::future::join_all(scripts).await;

    shop.restart(None);
    shop.pass(600);
    shop.hear().await;
    let report = shop.service.reconcile().await.unwrap();
    assert_eq!(report.cases, []);
    let again = shop.service.reconcile().await.unwrap();
    assert_eq!((again.repaired, again.cases), (0, Vec::new()), "one run repairs everything");
    let mut moved = 0;
    for order_id in orders {
        let payment = shop.payment(order_id).await;
        if payment.reference.is_some() {
            shop.assert_books(order_id).await;
            moved += payment.captured.amount;
        }
        let said = shop.said(order_id);
        let forward = said.windows(2).all(|two| two[0] == two[1] || crate::model::may_move(two[0], two[1]));
        assert!(forward, "{said:?}");
    }
    assert!(moved > 0, "the script did something");
}

//! Many at once: what happens once happens once, and what happens to all lines happens to all.

use futures::future::join_all;

use super::*;

/// Runs `work` for each of `0..count` at once.
async fn race<T, F>(count: usize, work: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let all: Vec<_> = (0..count).map(|n| tokio::spawn(work(n))).collect();
    join_all(all).await.into_iter().map(|done| done.unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_thirty_two_who_want_the_last_ten_exactly_ten_get_one() {
    let shop = Shop::open().await;
    let (_, variant) = shop.simple("A", 10).await;
    let until = shop.soon();
    let done = race(32, |_| {
        let service = shop.service.clone();
        async move { service.reserve(OrderId::new(), vec![line(variant, 1)], until).await }
    })
    .await;
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 10);
    assert!(done.iter().filter_map(|done| done.as_ref().err()).all(|error| error.code == "out_of_stock"));
    assert_eq!(shop.level(variant).await, (10, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_sell_no_more_than_there_is() {
    let shop = Shop::open().await;
    let other = Shop::start(tempfile::tempdir().unwrap(), shop.url.clone(), None).await;
    let (_, variant) = shop.simple("A", 10).await;
    let until = shop.soon();
    let done = race(32, |n| {
        let service = if n % 2 == 0 { shop.service.clone() } else { other.service.clone() };
        async move { service.reserve(OrderId::new(), vec![line(variant, 1)], until).await }
    })
    .await;
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 10);
    assert!(done.iter().filter_map(|done| done.as_ref().err()).all(|error| error.code == "out_of_stock"));
    assert_eq!(other.level(variant).await, (10, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_of_the_same_things_in_any_order_of_lines_take_all_or_nothing() {
    let shop = Shop::open().await;
    let (_, a) = shop.simple("A", 8).await;
    let (_, b) = shop.simple("B", 5).await;
    let until = shop.soon();
    let done = race(24, |n| {
        let service = shop.service.clone();
        let lines = if n % 2 == 0 { vec![line(a, 1), line(b, 1)] } else { vec![line(b, 1), line(a, 1)] };
        async move { service.reserve(OrderId::new(), lines, until).await }
    })
    .await;
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 5);
    assert_eq!((shop.level(a).await, shop.level(b).await), ((8, 5), (5, 5)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_reserves_many_times_at_once_has_one_claim() {
    let shop = Shop::open().await;
    let (_, variant) = shop.simple("A", 10).await;
    let (order, until) = (OrderId::new(), shop.soon());
    let done = race(8, |_| {
        let service = shop.service.clone();
        async move { service.reserve(order, vec![line(variant, 3)], until).await }
    })
    .await;
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    assert_eq!(shop.level(variant).await, (10, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_a_release_and_the_sweeper_at_once_leave_one_of_their_outcomes() {
    let shop = Shop::open().await;
    let (_, variant) = shop.simple("A", 100).await;
    let mut sold = 0;
    for _ in 0..8 {
        let order = OrderId::new();
        shop.reserve(order, vec![line(variant, 2)]).await.unwrap();
        shop.clock.advance(Duration::from_secs(901));
        let done = race(6, |n| {
            let service = shop.service.clone();
            async move {
                match n % 3 {
                    0 => service.commit(order).await,
                    1 => Stock::release(&*service, order).await,
                    _ => service.sweep().await,
                }
            }
        })
        .await;
        assert!(done.iter().all(Result::is_ok), "{done:?}");
        // Whoever was first: it is sold now, because a sale takes a released claim anew.
        sold += 2;
        assert_eq!(shop.level(variant).await, (100 - sold, 0));
        assert_eq!(shop.moved(variant).await, 100 - sold);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adjustment_and_a_return_that_come_many_times_at_once_happen_once() {
    let shop = Shop::open().await;
    let (_, variant) = shop.simple("A", 5).await;
    let (more, id, order) = (adjustment(variant, 2), MovementId::new(), OrderId::new());
    let done = race(8, |n| {
        let (service, more) = (shop.service.clone(), more.clone());
        async move {
            match n % 2 {
                0 => service.adjust(more).await.map(drop),
                _ => service.restock(id, order, vec![line(variant, 3)], Actor::System).await,
            }
        }
    })
    .await;
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    assert_eq!(shop.level(variant).await, (10, 0));
    assert_eq!(shop.moved(variant).await, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_away_and_what_is_claimed_at_once_is_never_more_than_there_is() {
    let shop = Shop::open().await;
    let (_, variant) = shop.simple("A", 10).await;
    let until = shop.soon();
    let done = race(24, |n| {
        let service = shop.service.clone();
        async move {
            match n % 2 {
                0 => service.adjust(adjustment(variant, -1)).await.map(drop),
                _ => service.reserve(OrderId::new(), vec![line(variant, 1)], until).await,
            }
        }
    })
    .await;
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 10);
    let (on_hand, reserved) = shop.level(variant).await;
    assert_eq!(on_hand, reserved);
}

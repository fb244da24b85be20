use std::time::Duration;

use contracts::{
    customer::CustomerId,
    order::{FulfillmentStatus, ImportOrder, OrderFilter, OrderStatus, Orders, Principal, Viewer},
};
use shared::{Clock, Currency, Kind, PageRequest, Time};

use crate::{
    after_sale::money,
    goods::{eur, line, shipping_option},
    shop::{STAFF, Shop, address, request},
};

#[tokio::test]
async fn other_peoples_orders_do_not_exist() {
    let shop = Shop::open().await;
    let ada = CustomerId::new();
    let cart = shop.cart();
    let key = Principal { customer_id: Some(ada), group: None, key: "k".into() };
    let order = shop.service.checkout(request(cart, "tok_ok"), key).await.unwrap();
    let other = shop.placed().await;
    for good in
        [Viewer::Customer(ada), Viewer::Token(order.token.clone()), Viewer::Staff(ada), Viewer::System]
    {
        assert_eq!(shop.service.find(order.id, good).await.unwrap().id, order.id);
    }
    let forged = order.token.replace('.', ".a");
    for wrong in
        [Viewer::Customer(CustomerId::new()), Viewer::Token(other.token.clone()), Viewer::Token(forged)]
    {
        let error = shop.service.find(order.id, wrong.clone()).await.unwrap_err();
        assert_eq!(error.kind, Kind::NotFound);
        let error = shop.service.cancel(order.id, None, wrong).await.unwrap_err();
        assert_eq!(error.kind, Kind::NotFound);
    }
}

#[tokio::test]
async fn a_number_needs_its_address() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let found = shop.service.track(order.number.to_lowercase(), order.email.clone()).await.unwrap();
    assert_eq!(found, order);
    let error = shop.service.track(order.number, "bob@example.com".parse().unwrap()).await.unwrap_err();
    assert_eq!(error.kind, Kind::NotFound);
}

#[tokio::test]
async fn orders_of_one_customer_live_in_one_bucket() {
    let shop = Shop::open().await;
    let (a, b) = (shop.placed().await, shop.placed().await);
    assert_eq!(a.id.bucket(), b.id.bucket());
}

#[tokio::test]
async fn lists_are_paged_newest_first_and_filtered() {
    let shop = Shop::open().await;
    let mut placed = Vec::new();
    for _ in 0..5 {
        placed.push(shop.placed().await);
        shop.clock.advance(Duration::from_secs(1));
    }
    shop.checkout(shop.cart(), "tok_declined", "k").await.unwrap_err();
    placed.reverse();
    let filter = OrderFilter { status: Some(OrderStatus::Placed), ..Default::default() };
    let mut page = PageRequest { limit: 2, cursor: None };
    let mut seen = Vec::new();
    loop {
        let part = shop.service.list(filter.clone(), page.clone()).await.unwrap();
        seen.extend(part.data.into_iter().map(|order| order.id));
        page.cursor = part.next_cursor;
        if page.cursor.is_none() {
            break;
        }
        let other = OrderFilter { customer_id: Some(CustomerId::new()), ..Default::default() };
        assert_eq!(shop.service.list(other, page.clone()).await.unwrap_err().code, "invalid_cursor");
    }
    assert_eq!(seen, placed.iter().map(|order| order.id).collect::<Vec<_>>());
    let count = async |q: &str| {
        let filter = OrderFilter { q: Some(q.into()), ..Default::default() };
        shop.service.list(filter, PageRequest::default()).await.unwrap().data.len()
    };
    assert_eq!((count("ADA@").await, count("bob").await, count("%").await), (6, 0, 0));
    assert_eq!(count(&placed[0].number[..8]).await, 1);
    let none = OrderFilter { placed_from: Some(shop.clock.now()), ..Default::default() };
    assert!(shop.service.list(none, PageRequest::default()).await.unwrap().data.is_empty());
}

#[tokio::test]
async fn the_overview_counts_placed_orders() {
    let shop = Shop::open().await;
    let from = shop.clock.now();
    let order = shop.placed().await;
    shop.service.refund(order.id, money(Some(845)), "r".into(), STAFF()).await.unwrap();
    shop.clock.advance(Duration::from_secs(86_400));
    shop.placed().await;
    let gone = shop.placed().await;
    shop.service.cancel(gone.id, None, Viewer::System).await.unwrap();
    shop.checkout(shop.cart(), "tok_declined", "k").await.unwrap_err();
    let sums = shop.service.summary(from, from.after(Duration::from_secs(200_000))).await.unwrap();
    assert_eq!((sums.orders, sums.units), (2, 8));
    assert_eq!(
        (&*sums.gross, &*sums.refunded, &*sums.net),
        (&[eur(7690)][..], &[eur(845)][..], &[eur(6845)][..])
    );
    assert_eq!(sums.days.iter().map(|day| (day.orders, day.gross)).collect::<Vec<_>>(), [(1, eur(3845)); 2]);
    assert_eq!((sums.days[0].day.len(), sums.best_sellers.len()), (10, 4));
    assert_eq!((sums.best_sellers[0].units, sums.best_sellers[0].gross), (3, eur(2800)));
    let none =
        shop.service.summary(from.after(Duration::from_secs(300_000)), Time::from_micros(i64::MAX / 8)).await;
    assert_eq!(none.unwrap().orders, 0);
}

fn past(seed: usize, fulfillment_status: FulfillmentStatus) -> ImportOrder {
    let variant = contracts::product::VariantId::derived("tea");
    ImportOrder {
        seed: format!("demo-{seed}"),
        email: "shopper@example.com".parse().unwrap(),
        customer_id: None,
        address: address(),
        currency: Currency::EUR,
        lines: vec![line(variant, 2, 1250)],
        shipping: shipping_option(500),
        tax_lines: vec![],
        tax_total: eur(479),
        placed_at: Time::from_micros(1_700_000_000_000_000 + seed as i64 * 1_000_000),
        fulfillment_status,
    }
}

#[tokio::test]
async fn orders_of_the_past_are_imported_once_and_quietly() {
    let shop = Shop::open().await;
    let orders = |range: std::ops::Range<usize>| -> Vec<_> {
        let status =
            [FulfillmentStatus::Delivered, FulfillmentStatus::Shipped, FulfillmentStatus::Unfulfilled];
        range.map(|seed| past(seed, status[seed % 3])).collect()
    };
    assert_eq!(shop.service.import(orders(0..120)).await.unwrap(), 120);
    assert_eq!(shop.service.import(orders(0..121)).await.unwrap(), 1);
    assert!(shop.said.lock().unwrap().is_empty());
    let order = shop.find(past(0, FulfillmentStatus::Delivered).id()).await;
    assert_eq!(
        (order.status, order.total, order.captured_total),
        (OrderStatus::Completed, eur(3000), eur(3000))
    );
    assert_eq!((order.payment.provider.as_str(), order.lines[0].shipped_quantity), ("import", 2));
    shop.is_legal(&order).await;
    let open = shop.find(past(2, FulfillmentStatus::Unfulfilled).id()).await;
    assert_eq!((open.status, open.lines[0].shipped_quantity), (OrderStatus::Placed, 0));
}

#[tokio::test]
async fn the_tables_are_published() {
    let shop = Shop::open().await;
    let tables = shop.service.transitions().await.unwrap();
    let names: Vec<_> = tables.iter().map(|table| table.state.as_str()).collect();
    assert_eq!(names, ["status", "payment_status", "fulfillment_status"]);
    assert!(tables[0].moves.iter().any(|m| m.from == "pending" && m.to == "placed"));
}

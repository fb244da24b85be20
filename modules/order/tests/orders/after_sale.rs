use contracts::{
    cart::LineId,
    customer::CustomerId,
    order::{
        FulfillmentStatus, NewOrderShipment, NewRefund, Order, OrderCancelled, OrderDelivered,
        OrderPaymentStatus, OrderShipped, OrderStatus, Orders, RefundLine, Viewer,
    },
    shipping::{ShipmentChanged, ShipmentLine, ShipmentStatus, ShipmentUpdate},
};
use proptest::prelude::*;
use shared::{Error, Kind};

use crate::{
    goods::eur,
    shop::{STAFF, Shop},
    world::Fault,
};

/// `(line, quantity, restock)`
pub fn lines(order: &Order, lines: &[(usize, i64, bool)]) -> NewRefund {
    let line = |&(i, quantity, restock): &(usize, i64, bool)| RefundLine {
        line_id: order.lines[i].line.id,
        quantity,
        restock,
    };
    NewRefund { amount: None, lines: lines.iter().map(line).collect(), reason: "broken".into() }
}

pub fn money(amount: Option<i64>) -> NewRefund {
    NewRefund { amount: amount.map(eur), lines: vec![], reason: "sorry".into() }
}

/// `(line, quantity)`
pub fn parcel(order: &Order, lines: &[(usize, i64)]) -> NewOrderShipment {
    let line = |&(i, quantity): &(usize, i64)| ShipmentLine { line_id: order.lines[i].line.id, quantity };
    NewOrderShipment {
        lines: lines.iter().map(line).collect(),
        carrier: Some("post".into()),
        tracking_number: Some("123".into()),
    }
}

fn update(status: ShipmentStatus) -> ShipmentUpdate {
    ShipmentUpdate { status, carrier: None, tracking_number: None, description: None }
}

#[tokio::test]
async fn a_cancelled_order_gives_back_goods_coupon_and_money_once() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let viewer = Viewer::Token(order.token.clone());
    let first = shop.service.cancel(order.id, Some("changed my mind".into()), viewer.clone()).await.unwrap();
    assert_eq!((first.status, first.payment_status), (OrderStatus::Cancelled, OrderPaymentStatus::Refunded));
    assert_eq!((first.refunded_total, first.refunds.len()), (order.total, 1));
    assert_eq!(first.cancel_reason.as_deref(), Some("customer"));
    let last = first.timeline.iter().rfind(|entry| entry.kind == "status").unwrap();
    assert_eq!(last.message.as_deref(), Some("changed my mind"));
    let second = shop.service.cancel(order.id, None, viewer).await.unwrap();
    assert_eq!(second, first);
    shop.is_settled(order.id).await;
    assert_eq!(shop.world.available(order.lines[0].line.variant_id), 10);
    assert_eq!((shop.said::<OrderCancelled>().len(), shop.world.count("payment.refund")), (1, 1));
    assert!(shop.said::<OrderCancelled>()[0].tell_shopper);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_cancellations_are_one() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let all = (0..10).map(|_| shop.service.cancel(order.id, None, Viewer::System));
    for result in futures::future::join_all(all).await {
        assert_eq!(result.unwrap().status, OrderStatus::Cancelled);
    }
    assert_eq!((shop.events("order.cancelled"), shop.world.count("payment.refund")), (1, 1));
    shop.is_settled(order.id).await;
}

#[tokio::test]
async fn what_was_sent_cannot_be_cancelled() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.service.ship(order.id, parcel(&order, &[(0, 1)]), "s".into(), STAFF()).await.unwrap();
    let error = shop.service.cancel(order.id, None, Viewer::System).await.unwrap_err();
    assert_eq!((error.kind, &*error.code), (Kind::Conflict, "illegal_transition"));
    assert_eq!(error.extra["to"], "cancelled");
}

#[tokio::test]
async fn an_order_that_is_being_cancelled_is_neither_sent_nor_refunded() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.world.fault("payment.void", Fault::Refuse(Error::unavailable("away")));
    let error = shop.service.cancel(order.id, None, Viewer::System).await.unwrap_err();
    assert_eq!(error.code, "cancel_pending");
    let error =
        shop.service.ship(order.id, parcel(&order, &[(0, 1)]), "s".into(), STAFF()).await.unwrap_err();
    assert_eq!(error.code, "illegal_transition");
    let error = shop.service.refund(order.id, money(None), "r".into(), STAFF()).await.unwrap_err();
    assert_eq!(error.code, "illegal_transition");
    shop.later(5).await;
    shop.is_settled(order.id).await;
}

#[tokio::test]
async fn lines_are_refunded_at_what_they_cost_and_restocked_if_asked() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    // 30.00 less the coupon of 2.00, for three units: 9.34, 9.33, 9.33.
    let after =
        shop.service.refund(order.id, lines(&order, &[(0, 1, true)]), "a".into(), STAFF()).await.unwrap();
    assert_eq!(
        (after.refunded_total, after.payment_status),
        (eur(934), OrderPaymentStatus::PartiallyRefunded)
    );
    assert_eq!(after.lines[0].refunded_quantity, 1);
    let after =
        shop.service.refund(order.id, lines(&order, &[(0, 2, false)]), "b".into(), STAFF()).await.unwrap();
    assert_eq!(after.refunded_total, eur(2800));
    assert_eq!(shop.world.available(order.lines[0].line.variant_id), 8, "one came back to the shelf");
    let error = shop
        .service
        .refund(order.id, lines(&order, &[(0, 1, false)]), "c".into(), STAFF())
        .await
        .unwrap_err();
    assert_eq!(
        (&*error.code, &*error.fields[0].pointer),
        ("quantity_exceeds_remaining", "/lines/0/quantity")
    );
    let after = shop.service.refund(order.id, money(None), "d".into(), STAFF()).await.unwrap();
    assert_eq!((after.refunded_total, after.payment_status), (order.total, OrderPaymentStatus::Refunded));
    assert_eq!((after.refunds.len(), shop.events("order.refunded")), (3, 3));
    shop.is_legal(&after).await;
}

#[tokio::test]
async fn a_key_refunds_once_and_wrong_requests_are_named() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let refund =
        |refund: NewRefund, key: &str| shop.service.refund(order.id, refund, key.to_owned(), STAFF());
    let first = refund(money(Some(500)), "k").await.unwrap();
    assert_eq!(refund(money(Some(500)), "k").await.unwrap(), first);
    for (wrong, code) in [
        (money(Some(order.total.amount - 499)), "amount_exceeds_captured"),
        (money(Some(0)), "out_of_range"),
        (lines(&order, &[(0, 0, false)]), "out_of_range"),
        (lines(&order, &[(0, 4, false)]), "quantity_exceeds_remaining"),
        (lines(&order, &[(0, 1, false), (0, 1, false)]), "duplicate"),
    ] {
        let error = refund(wrong, code).await.unwrap_err();
        assert_eq!((error.kind, &*error.code), (Kind::Invalid, code));
    }
    let mut unknown = lines(&order, &[(0, 1, false)]);
    unknown.lines[0].line_id = LineId::new();
    assert_eq!(refund(unknown, "u").await.unwrap_err().code, "unknown_line");
    assert_eq!(shop.find(order.id).await.refunded_total, eur(500));
}

#[tokio::test]
async fn a_refund_that_the_provider_refuses_gives_the_quantities_back() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let no = Error::invalid("", "amount_exceeds_captured", "no");
    shop.world.fault("payment.refund", Fault::Refuse(no));
    for _ in 0..2 {
        let refund = shop.service.refund(order.id, lines(&order, &[(0, 3, true)]), "k".into(), STAFF()).await;
        assert_eq!(refund.unwrap_err().code, "amount_exceeds_captured", "a repeat has the same answer");
    }
    let after = shop.find(order.id).await;
    assert_eq!((after.refunds[0].status.as_str(), after.refunded_total), ("failed", eur(0)));
    shop.service.refund(order.id, lines(&order, &[(0, 3, true)]), "other".into(), STAFF()).await.unwrap();
}

#[tokio::test]
async fn a_refund_whose_answer_is_lost_goes_on_by_itself() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.world.fault("payment.refund", Fault::LoseReply);
    let error = shop.service.refund(order.id, money(Some(700)), "k".into(), STAFF()).await.unwrap_err();
    assert_eq!(error.code, "payment_unknown");
    assert_eq!(shop.find(order.id).await.refunds[0].status, "pending");
    shop.later(5).await;
    let after = shop.service.refund(order.id, money(Some(700)), "k".into(), STAFF()).await.unwrap();
    assert_eq!((after.refunded_total, shop.world.lock().payments[&order.id].refunded), (eur(700), eur(700)));
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_at_the_same_time_never_exceed_what_was_captured() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let all = (0..20).map(|i| shop.service.refund(order.id, money(Some(1000)), format!("k{i}"), STAFF()));
    let done = futures::future::join_all(all).await;
    assert_eq!(done.iter().filter(|result| result.is_ok()).count(), 3);
    assert!(
        done.iter().filter_map(|r| r.as_ref().err()).all(|error| error.code == "amount_exceeds_captured")
    );
    assert_eq!(shop.world.lock().payments[&order.id].refunded, eur(3000));
    let order = shop.placed().await;
    let all = (0..9)
        .map(|i| shop.service.refund(order.id, lines(&order, &[(0, 1, true)]), format!("l{i}"), STAFF()));
    let done = futures::future::join_all(all).await;
    assert_eq!(done.iter().filter(|result| result.is_ok()).count(), 3);
    assert_eq!(shop.world.available(order.lines[0].line.variant_id), 10);
}

#[tokio::test]
async fn an_order_is_sent_in_parts_and_complete_when_all_has_arrived() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let first = shop.service.ship(order.id, parcel(&order, &[(0, 2)]), "a".into(), STAFF()).await.unwrap();
    assert_eq!(first.fulfillment_status, FulfillmentStatus::PartiallyShipped);
    let again = shop.service.ship(order.id, parcel(&order, &[(0, 2)]), "a".into(), STAFF()).await.unwrap();
    assert_eq!(again, first, "a key sends once");
    let error =
        shop.service.ship(order.id, parcel(&order, &[(0, 2)]), "b".into(), STAFF()).await.unwrap_err();
    assert_eq!(
        (&*error.code, &*error.fields[0].pointer),
        ("quantity_exceeds_remaining", "/lines/0/quantity")
    );
    let all =
        shop.service.ship(order.id, parcel(&order, &[(0, 1), (1, 1)]), "c".into(), STAFF()).await.unwrap();
    assert_eq!(all.fulfillment_status, FulfillmentStatus::Shipped);
    let shipped = shop.said::<OrderShipped>();
    assert_eq!(shipped.len(), 2);
    assert_eq!(shipped[0].shipment.tracking_url.as_deref(), Some("https://track.example/123"));

    let (one, two) = (all.shipments[0].id, all.shipments[1].id);
    let after = shop.service.update_shipment(one, update(ShipmentStatus::Delivered), STAFF()).await.unwrap();
    assert_eq!((after.status, after.fulfillment_status), (OrderStatus::Placed, FulfillmentStatus::Shipped));
    // The carrier tells of the other one.
    let shipment =
        shop.world.lock().update_shipment(two, update(ShipmentStatus::Delivered), contracts::Actor::Provider);
    let shipment = shipment.unwrap();
    shop.hear(two, 2, &ShipmentChanged { shipment: shipment.clone() }).await;
    shop.hear(two, 2, &ShipmentChanged { shipment }).await;
    let after = shop.find(order.id).await;
    assert_eq!(
        (after.status, after.fulfillment_status),
        (OrderStatus::Completed, FulfillmentStatus::Delivered)
    );
    assert_eq!(shop.said::<OrderDelivered>().len(), 2);
    let error =
        shop.service.update_shipment(one, update(ShipmentStatus::Shipped), STAFF()).await.unwrap_err();
    assert_eq!(error.code, "illegal_transition");
    shop.is_legal(&after).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parcels_at_the_same_time_never_hold_more_than_was_bought() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let all =
        (0..8).map(|i| shop.service.ship(order.id, parcel(&order, &[(0, 1)]), format!("k{i}"), STAFF()));
    let done = futures::future::join_all(all).await;
    assert_eq!(done.iter().filter(|result| result.is_ok()).count(), 3);
    let refunded =
        shop.service.refund(order.id, lines(&order, &[(1, 1, true)]), "r".into(), STAFF()).await.unwrap();
    assert_eq!(refunded.fulfillment_status, FulfillmentStatus::Shipped, "the rest need not be sent");
    assert!(shop.service.ship(order.id, parcel(&order, &[(1, 1)]), "x".into(), STAFF()).await.is_err());
}

#[tokio::test]
async fn only_a_placed_and_paid_order_is_sent() {
    let shop = Shop::open().await;
    let order = shop.checkout(shop.cart(), "tok_3ds", "k").await.unwrap();
    let error =
        shop.service.ship(order.id, parcel(&order, &[(0, 1)]), "s".into(), STAFF()).await.unwrap_err();
    assert_eq!((error.kind, &*error.code), (Kind::Conflict, "illegal_transition"));
    let order = shop.placed().await;
    shop.service.refund(order.id, money(None), "r".into(), STAFF()).await.unwrap();
    let error =
        shop.service.ship(order.id, parcel(&order, &[(0, 1)]), "s".into(), STAFF()).await.unwrap_err();
    assert_eq!(error.code, "illegal_transition");
}

#[tokio::test]
async fn a_parcel_is_on_the_order_even_while_the_shipping_module_is_away() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.world.fault("shipping.create_shipment", Fault::Refuse(Error::unavailable("away")));
    let after =
        shop.service.ship(order.id, parcel(&order, &[(0, 3), (1, 1)]), "s".into(), STAFF()).await.unwrap();
    assert_eq!((after.fulfillment_status, after.shipments.len()), (FulfillmentStatus::Shipped, 1));
    assert_eq!(shop.events("order.shipped"), 0);
    shop.later(5).await;
    assert_eq!((shop.events("order.shipped"), shop.world.lock().shipments.len()), (1, 1));
    assert_eq!(shop.find(order.id).await.shipments[0].status, ShipmentStatus::Shipped);
}

#[tokio::test]
async fn notes_are_for_staff() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let noted = shop.service.add_note(order.id, "  called twice ".into(), STAFF()).await.unwrap();
    let note = noted.timeline.last().unwrap();
    assert_eq!(
        (note.kind.as_str(), note.message.as_deref(), note.actor),
        ("note", Some("called twice"), STAFF())
    );
    assert!(noted.version > order.version);
    let staff = shop.service.find(order.id, Viewer::Staff(CustomerId::new())).await.unwrap();
    assert_eq!(staff.timeline.len(), noted.timeline.len());
    let shopper = shop.service.find(order.id, Viewer::Token(order.token.clone())).await.unwrap();
    assert!(shopper.timeline.iter().all(|entry| entry.kind != "note"));
}

#[derive(Clone, Debug)]
enum Move {
    Cancel,
    Refund(Option<i64>),
    RefundLine(usize, i64),
    Ship(usize, i64),
    Deliver(usize),
    Capture,
    News,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        Just(Move::Cancel),
        proptest::option::of(1_i64..4000).prop_map(Move::Refund),
        (0_usize..2, 1_i64..4).prop_map(|(line, quantity)| Move::RefundLine(line, quantity)),
        (0_usize..2, 1_i64..4).prop_map(|(line, quantity)| Move::Ship(line, quantity)),
        (0_usize..3).prop_map(Move::Deliver),
        Just(Move::Capture),
        Just(Move::News),
    ];
    prop::collection::vec(one, 1..10)
}

async fn make(shop: &Shop, order: &Order, key: usize, next: Move) {
    let (id, key) = (order.id, key.to_string());
    // Refusals are fine; what counts is where the order ends up.
    let _ = match next {
        Move::Cancel => shop.service.cancel(id, None, Viewer::System).await,
        Move::Refund(amount) => shop.service.refund(id, money(amount), key, STAFF()).await,
        Move::RefundLine(line, quantity) => {
            shop.service.refund(id, lines(order, &[(line, quantity, true)]), key, STAFF()).await
        }
        Move::Ship(line, quantity) => {
            shop.service.ship(id, parcel(order, &[(line, quantity)]), key, STAFF()).await
        }
        Move::Deliver(n) => match shop.find(id).await.shipments.get(n) {
            Some(shipment) => {
                shop.service.update_shipment(shipment.id, update(ShipmentStatus::Delivered), STAFF()).await
            }
            None => return,
        },
        Move::Capture => shop.service.capture(id, None, key, STAFF()).await,
        Move::News => return shop.payment_news(id).await,
    };
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn no_sequence_of_commands_leaves_the_tables(moves in moves(), later in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut settings = order::Settings { checkout_deadline_seconds: 1, ..Default::default() };
            if later {
                settings.capture = order::Capture::AtFulfillment;
            }
            let shop = Shop::with(settings).await;
            let order = shop.placed().await;
            for (key, next) in moves.into_iter().enumerate() {
                make(&shop, &order, key, next).await;
            }
            let after = shop.find(order.id).await;
            shop.is_legal(&after).await;
            let payment = shop.world.lock().payments[&order.id].clone();
            assert_eq!((after.captured_total, after.refunded_total), (payment.captured, payment.refunded));
            let refunds: i64 = after.refunds.iter().map(|refund| refund.amount.amount).sum();
            assert_eq!(refunds, payment.refunded.amount);
            for line in &after.lines {
                assert!(line.shipped_quantity <= line.line.quantity && line.refunded_quantity <= line.line.quantity);
            }
            if after.status == OrderStatus::Cancelled {
                shop.is_settled(order.id).await;
            }
        });
    }
}

use contracts::{
    idempotency::{Claim, ClaimId, Claimed},
    order::{OrderPaymentStatus, OrderStatus, Orders, Viewer},
};
use shared::Error;

use crate::{
    shop::{STAFF, Shop, answers},
    world::Fault,
};

/// Dies before or after the effect of each call, once on the way to a placed order and once on the way back.
#[tokio::test(flavor = "multi_thread")]
async fn a_checkout_that_dies_anywhere_ends_placed() {
    let calls = [
        "product.stock.reserve",
        "cart.claim",
        "payment.authorize",
        "product.stock.commit",
        "payment.capture",
        "cart.complete",
    ];
    for call in calls {
        for death in [Fault::DieBefore, Fault::DieAfter] {
            let mut shop = Shop::open().await;
            let cart = shop.cart();
            shop.world.fault(call, death);
            assert!(
                shop.checkout(cart, "tok_ok", "k").await.is_err(),
                "{call}: the client hears nothing good"
            );
            shop.restart().await;
            let order = shop.is_settled(shop.order_of(cart).await.id).await;
            assert_eq!(order.status, OrderStatus::Placed, "{call}");
            assert_eq!(shop.events("order.placed"), 1, "{call}");
            let again = shop.checkout(cart, "tok_ok", "k").await.unwrap();
            assert_eq!(again.id, order.id, "{call}: the same key is the same order");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_that_dies_anywhere_ends_cancelled() {
    for call in
        ["payment.void", "payment.refund", "product.stock.restock", "cart.release", "product.stock.release"]
    {
        for death in [Fault::DieBefore, Fault::DieAfter] {
            let mut shop = Shop::open().await;
            let cart = shop.cart();
            let sold = matches!(call, "product.stock.restock" | "payment.refund");
            let refused = if sold { "payment.capture" } else { "product.stock.commit" };
            shop.world.fault(refused, Fault::Refuse(Error::conflict("reservation_expired", "late")));
            shop.world.fault(call, death);
            let ended = shop.checkout(cart, "tok_ok", "k").await.is_err();
            assert!(ended);
            shop.restart().await;
            let order = shop.is_settled(shop.order_of(cart).await.id).await;
            assert_eq!(order.status, OrderStatus::Cancelled, "{call}");
            assert_eq!(shop.events("order.cancelled"), 1, "{call}");
            let line = &order.lines[0].line;
            assert_eq!(shop.world.available(line.variant_id), 10, "{call}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_that_dies_anywhere_is_finished() {
    for call in ["payment.void", "payment.refund", "product.stock.restock", "cart.release"] {
        for death in [Fault::DieBefore, Fault::DieAfter] {
            let mut shop = Shop::open().await;
            let order = shop.placed().await;
            shop.world.fault(call, death);
            let _ = shop.service.cancel(order.id, None, Viewer::System).await;
            shop.restart().await;
            let order = shop.is_settled(order.id).await;
            assert_eq!((order.status, order.refunded_total), (OrderStatus::Cancelled, order.total), "{call}");
            assert_eq!(order.refunds.len(), 1, "{call}");
            assert_eq!(shop.events("order.cancelled"), 1, "{call}");
            assert_eq!(shop.world.available(order.lines[0].line.variant_id), 10, "{call}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_dies_anywhere_happens_once() {
    for call in ["payment.refund", "product.stock.restock"] {
        for death in [Fault::DieBefore, Fault::DieAfter] {
            let mut shop = Shop::open().await;
            let order = shop.placed().await;
            let line = &order.lines[0].line;
            let refund = crate::after_sale::lines(&order, &[(0, 2, true)]);
            shop.world.fault(call, death);
            let _ = shop.service.refund(order.id, refund.clone(), "r".into(), STAFF()).await;
            shop.restart().await;
            let order = shop.service.refund(order.id, refund, "r".into(), STAFF()).await.unwrap();
            assert_eq!((order.refunds.len(), order.refunds[0].status.as_str()), (1, "succeeded"), "{call}");
            assert_eq!(order.refunded_total, order.refunds[0].amount, "{call}");
            assert_eq!((shop.events("order.refunded"), order.lines[0].refunded_quantity), (1, 2), "{call}");
            assert_eq!(shop.world.available(line.variant_id), 7 + 2, "{call}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parcel_that_dies_on_its_way_to_the_carrier_is_sent_once() {
    for death in [Fault::DieBefore, Fault::DieAfter] {
        let mut shop = Shop::open().await;
        let order = shop.placed().await;
        shop.world.fault("shipping.create_shipment", death);
        let parcel = crate::after_sale::parcel(&order, &[(0, 3)]);
        let _ = shop.service.ship(order.id, parcel.clone(), "s".into(), STAFF()).await;
        shop.restart().await;
        let order = shop.service.ship(order.id, parcel, "s".into(), STAFF()).await.unwrap();
        assert_eq!((order.shipments.len(), order.lines[0].shipped_quantity), (1, 3));
        assert_eq!((shop.events("order.shipped"), shop.world.lock().shipments.len()), (1, 1));
    }
}

#[tokio::test]
async fn an_order_that_dies_before_it_is_paid_and_is_refused_then_never_will_be_paid() {
    let shop = Shop::open().await;
    let cart = shop.cart();
    shop.world.fault("cart.claim", Fault::DieBefore);
    shop.world.fault("cart.claim", Fault::Refuse(Error::conflict("coupon_exhausted", "used up")));
    assert!(shop.checkout(cart, "tok_ok", "k").await.is_err());
    shop.service.recover().await.unwrap();
    shop.work().await;
    let order = shop.is_settled(shop.order_of(cart).await.id).await;
    assert_eq!((order.status, order.payment_status), (OrderStatus::Cancelled, OrderPaymentStatus::Awaiting));
    shop.payment_news(order.id).await;
    let after = shop.find(order.id).await;
    assert_eq!((after.payment.provider.as_str(), after.version), ("test", order.version));
}

#[tokio::test]
async fn the_keys_of_a_dead_process_may_be_taken_again() {
    let mut shop = Shop::open().await;
    let claim = Claim { id: ClaimId::new(), scope: "a".into(), key: "k".into(), request_hash: "h".into() };
    assert!(matches!(answers(&shop).claim(claim.clone()).await.unwrap(), Claimed::Fresh));
    shop.restart().await;
    assert!(matches!(
        answers(&shop).claim(Claim { id: ClaimId::new(), ..claim }).await.unwrap(),
        Claimed::Fresh
    ));
}

#[tokio::test]
async fn a_lease_that_runs_out_is_taken_over() {
    let shop = Shop::open().await;
    let cart = shop.cart();
    shop.world.fault("payment.authorize", Fault::DieAfter);
    assert!(shop.checkout(cart, "tok_ok", "k").await.is_err());
    shop.work().await;
    assert_eq!(shop.order_of(cart).await.status, OrderStatus::Pending, "its driver may be alive");
    shop.later(31).await;
    shop.is_settled(shop.order_of(cart).await.id).await;
}

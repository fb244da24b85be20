//! What must add up when everything has come to rest.

use diesel::{QueryableByName, sql_query, sql_types::BigInt};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use shared::db::{Db, on};

use crate::{
    harness::{adds_up, all, list, number, text},
    shoppers::{Counter, PLENTY, SCARCE, is_about},
};

/// What can be seen through the API.
pub async fn add_up_at_the_counter(counter: &Counter) {
    let orders = counter.orders().await;
    let mails = counter.mails().await;
    let mut held = 0;
    for order in &orders {
        assert!(order["status"] == "placed" || order["status"] == "cancelled", "{order}");
        adds_up(order);
        let paid = number(&order["captured_total"]["amount"]);
        let back = number(&order["refunded_total"]["amount"]);
        if order["status"] == "placed" {
            assert_eq!(paid, number(&order["total"]["amount"]), "{order}");
        } else {
            assert_eq!(paid, back, "{order}");
        }
        held += paid - back;
        is_booked(counter, order, paid - back).await;
        let told = mails.iter().filter(|mail| is_about(mail, order, "order_placed")).count();
        assert_eq!(told, usize::from(!order["placed_at"].is_null()), "{order}");
        let told = mails.iter().filter(|mail| is_about(mail, order, "order_cancelled")).count();
        assert!(told <= usize::from(order["status"] == "cancelled"), "{order}");
    }
    stock_is_conserved(counter, &orders).await;
    let with_coupon =
        orders.iter().filter(|o| o["status"] == "placed" && o["discounts"] != serde_json::json!([]));
    let promotion = counter.owner.get(&format!("/admin/promotions/{}", counter.promotion)).await.expect(200);
    assert_eq!(number(&promotion["used"]) as usize, with_coupon.count());
    let report = counter.owner.post("/admin/system/reconcile", &serde_json::json!({})).await.expect(200);
    assert_eq!(report["cases"], serde_json::json!([]), "{held} are held");
    let dead = list(&counter.owner.get("/admin/system/dead_letters").await.expect(200));
    assert!(dead.is_empty(), "{dead:?}");
}

/// Debits equal credits, and what the provider holds for the order is what was taken and not given back.
async fn is_booked(counter: &Counter, order: &Value, held: i64) {
    let ledger =
        list(&counter.owner.get(&format!("/admin/orders/{}/ledger", text(&order["id"]))).await.expect(200));
    let amount = |entry: &Value| number(&entry["amount"]["amount"]);
    let mut transactions = std::collections::BTreeMap::<String, i64>::new();
    for entry in &ledger {
        *transactions.entry(text(&entry["transaction_id"])).or_default() += amount(entry);
    }
    assert!(transactions.values().all(|sum| *sum == 0), "{ledger:?}");
    let provider = ledger.iter().filter(|entry| entry["account"] == "provider");
    assert_eq!(provider.map(amount).sum::<i64>(), held, "{order} {ledger:?}");
}

/// What is there and what was sold is what there was.
async fn stock_is_conserved(counter: &Counter, orders: &[Value]) {
    for (goods, initial) in counter.goods.iter().zip([SCARCE, PLENTY]) {
        let placed = orders.iter().filter(|order| order["status"] == "placed");
        let lines = placed.flat_map(|order| order["lines"].as_array().unwrap());
        let lines = lines.filter(|line| line["variant_id"] == goods.variant);
        let sold: i64 =
            lines.map(|line| number(&line["quantity"]) - number(&line["refunded_quantity"])).sum();
        let levels =
            all(&counter.owner, &format!("/admin/inventory/levels?variant_id={}", goods.variant)).await;
        let on_hand: i64 = levels.iter().map(|level| number(&level["on_hand"])).sum();
        assert_eq!(on_hand + sold, initial, "{}", goods.sku);
        let moves =
            all(&counter.owner, &format!("/admin/inventory/movements?variant_id={}", goods.variant)).await;
        assert_eq!(moves.iter().map(|m| number(&m["delta"])).sum::<i64>(), on_hand, "{moves:?}");
    }
}

/// What only the database knows: the provider's own books, the sagas, the reservations.
pub async fn add_up_in_the_database(orders: &Db) {
    for wrong in [
        "select count(*) as n from order_sagas where state <> 'done'",
        "select count(*) as n from orders where status not in ('placed', 'cancelled')",
        "select count(*) as n from orders o join test_provider_payments p on p.order_id = o.id
         where p.captured <> o.captured_total or p.refunded <> o.refunded_total",
        "select count(*) as n from orders o where o.captured_total > 0
         and not exists (select 1 from test_provider_payments p where p.order_id = o.id)",
        "select count(*) as n from test_provider_payments p
         where not exists (select 1 from orders o where o.id = p.order_id)",
        "select count(*) as n from test_provider_payments where authorized > captured",
        "select count(*) as n from (select order_id from payments group by order_id having count(*) > 1) x",
    ] {
        assert_eq!(count(orders, wrong).await, 0, "{wrong}");
    }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

async fn count(db: &Db, query: &str) -> i64 {
    let mut conn = db.get().await.unwrap();
    let count: Count = on!(&mut conn, |c| sql_query(query).get_result(c).await).unwrap();
    count.n
}

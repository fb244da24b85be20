//! What only the store in MongoDB does. They pass without looking where there is no such server.

use std::time::Duration;

use contracts::{
    cart::{Carts, NewPromotion},
    customer::{CustomerDeleted, CustomerId},
    order::OrderId,
};
use futures::TryStreamExt;
use mongodb::{
    Collection,
    bson::{Document, doc},
};
use shared::{Database, PageRequest, Result, mongo::Mongo};

use crate::shop::{Shop, account, guest, line, new_cart, percent, rate, shop};

fn mongo(shop: &Shop) -> Option<&Mongo> {
    match &shop.db {
        Database::Mongo(db) => Some(db),
        Database::Sql(_) => None,
    }
}

async fn read(carts: &Collection<Document>, id: impl ToString) -> Document {
    carts.find_one(doc! {"_id": id.to_string()}).await.expect("an answer").expect("a cart")
}

#[tokio::test]
async fn only_a_cart_without_an_owner_may_end_by_itself() {
    let shop = shop().await;
    let Some(db) = mongo(&shop) else { return };
    let (carts, owner, a) = (db.collection("carts"), CustomerId::new(), shop.catalogue.sells(100));
    let ends = async |id| read(&carts, id).await.get_datetime("idle_since").ok().copied();

    let (mine, nobodys) =
        (shop.carts.create(new_cart(&[]), account(owner)).await.unwrap(), shop.cart_of(&[]).await);
    assert_eq!(ends(mine.id).await, None);
    let made = ends(nobodys.id).await.expect("a date");
    // The server deletes by its own clock, so the date is by that one; the shop's stands still.
    shop.carts.add_line(nobodys.id, line(a, 1), guest()).await.unwrap();
    assert!(ends(nobodys.id).await.expect("a date") > made);
    shop.carts.add_line(mine.id, line(a, 1), account(owner)).await.unwrap();
    assert_eq!(ends(mine.id).await, None);
    shop.carts.complete(mine.id, OrderId::new()).await.unwrap();
    assert_eq!(ends(mine.id).await, None);
    shop.carts.merge(nobodys.id, owner).await.unwrap();
    assert_eq!(ends(nobodys.id).await, None);

    // One whose lines have gone to another is still nobody's.
    let from = shop.cart_of(&[(a, 1)]).await;
    assert_eq!(shop.carts.merge(from.id, owner).await.unwrap().id, nobodys.id);
    assert!(ends(from.id).await.is_some());
    assert_eq!(ends(nobodys.id).await, None);

    let indexes: Vec<_> = carts.list_indexes().await.unwrap().try_collect().await.unwrap();
    let nets: Vec<_> =
        indexes.into_iter().filter_map(|index| Some((index.keys, index.options?.expire_after?))).collect();
    assert_eq!(nets, [(doc! {"idle_since": 1}, Duration::from_secs(365 * 24 * 3_600))]);
}

#[tokio::test]
async fn the_server_refuses_what_no_cart_or_promotion_can_be() {
    let shop = shop().await;
    let Some(db) = mongo(&shop) else { return };
    let cart = shop.cart_of(&[(shop.catalogue.sells(100), 1)]).await;
    let promotion = shop.carts.create_promotion(percent("TEN", 10)).await.unwrap();
    shop.carts.put_tax_rate(rate("DE", "standard", 1_900, true)).await.unwrap();
    for (collection, id, wrong) in [
        ("carts", cart.id.to_string(), doc! {"$set": {"lines.0.quantity": 0_i64}}),
        ("carts", cart.id.to_string(), doc! {"$unset": {"updated_at": ""}}),
        ("promotions", promotion.id.to_string(), doc! {"$inc": {"used": -1_i64}}),
        ("tax_rates", "DE".to_owned(), doc! {"$set": {"rates.0.rate_basis_points": 10_001_i64}}),
    ] {
        let refused = db.collection(collection).update_one(doc! {"_id": id}, wrong.clone()).await;
        assert!(refused.is_err_and(|error| error.to_string().contains("validation")), "{wrong}");
    }
}

/// Everything the module asks of its database, once or more.
async fn use_everything(shop: &Shop) -> Result<()> {
    let (a, owner, order) = (shop.catalogue.sells(100), CustomerId::new(), OrderId::new());
    let limits =
        NewPromotion { usage_limit: Some(9), usage_limit_per_customer: Some(9), ..percent("TEN", 10) };
    let promotion = shop.carts.create_promotion(limits.clone()).await?;
    shop.carts.create_promotion(percent("OTHER", 10)).await?;
    shop.carts.update_promotion(promotion.id, limits, Some(1)).await?;
    let page = shop.carts.promotions(PageRequest { limit: 1, cursor: None }).await?;
    shop.carts.promotions(PageRequest { limit: 1, cursor: page.next_cursor }).await?;
    let rate = shop.carts.put_tax_rate(rate("DE", "standard", 1_900, true)).await?;

    shop.carts.create(new_cart(&[(a, 1)]), account(owner)).await?;
    let from = shop.cart_of(&[(a, 2)]).await;
    shop.carts.add_line(from.id, line(a, 1), guest()).await?;
    shop.carts.apply_code(from.id, "ten".into(), guest()).await?;
    let cart = shop.carts.merge(from.id, owner).await?;
    shop.carts.of_customer(owner).await?;
    let price = contracts::cart::PriceRequest {
        viewer: account(owner),
        email: "ada@example.com".parse()?,
        destination: crate::shop::destination("DE"),
        shipping_option_id: shop.carriers.offer("Post", 490),
    };
    shop.carts.price(cart.id, price).await?;
    shop.carts.claim(order, vec![promotion.id], "ada@example.com".parse()?).await?;
    shop.carts.complete(cart.id, order).await?;
    shop.carts.release(order).await?;

    shop.clock.advance(Duration::from_secs(31 * 24 * 3_600));
    let jobs = shared::jobs::Jobs::new();
    shop.carts.start(&jobs);
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    let cart_is_there = async || shop.carts.view(from.id, account(owner)).await.is_ok();
    while cart_is_there().await {
        assert!(std::time::Instant::now() < deadline, "the sweeper does not come");
        tokio::task::yield_now().await;
    }
    jobs.token().cancel();
    shop.carts.consumers()[0].handle(&shop.says(owner, CustomerDeleted { customer_id: owner })).await?;
    shop.carts.delete_tax_rate(rate.id).await?;
    shop.carts.delete_promotion(promotion.id).await
}

#[tokio::test]
async fn every_query_is_served_by_an_index() {
    let shop = shop().await;
    let Some(db) = mongo(&shop) else { return };
    let carts = db.collection("carts");
    let database = carts.client().database(&carts.namespace().db);
    database.run_command(doc! {"profile": 2}).await.unwrap();
    use_everything(&shop).await.unwrap();
    database.run_command(doc! {"profile": 0}).await.unwrap();

    let seen =
        doc! {"planSummary": {"$exists": true}, "ns": {"$not": {"$regex": "system|outbox|inbox|relays"}}};
    let profile = database.collection::<Document>("system.profile");
    let seen: Vec<Document> = profile.find(seen).await.unwrap().try_collect().await.unwrap();
    assert!(seen.len() > 20, "the profiler saw {}", seen.len());
    for query in seen {
        let plan = query.get_str("planSummary").unwrap();
        let is_indexed = !plan.contains("COLLSCAN") && !query.contains_key("hasSortStage");
        assert!(is_indexed, "{plan}: {query}");
    }
}

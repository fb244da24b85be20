//! What only MongoDB can be asked.

use futures::TryStreamExt;
use mongodb::{
    Client,
    bson::{Document, doc},
};

use super::*;

/// The database's own handle, if it is MongoDB.
async fn documents(shop: &Shop) -> Option<mongodb::Database> {
    matches!(shop.db, Database::Mongo(_)).then_some(())?;
    Client::with_uri_str(&shop.url).await.unwrap().default_database()
}

#[tokio::test]
async fn the_server_refuses_a_level_with_more_reserved_than_there_is() {
    let shop = Shop::open().await;
    let Some(database) = documents(&shop).await else { return };
    let (_, variant) = shop.simple("A", 5).await;
    let variants = database.collection::<Document>("variants");
    let row = doc! {"_id": variant.to_string()};
    for wrong in [
        doc! {"$inc": {"levels.0.reserved": 1_i64}},
        doc! {"$inc": {"levels.0.reserved": 6_i64, "levels.0.available": -6_i64}},
        doc! {"$inc": {"levels.0.on_hand": -6_i64, "levels.0.available": -6_i64}},
        doc! {"$inc": {"levels.0.reserved": -1_i64, "levels.0.available": 1_i64}},
        doc! {"$unset": {"levels.0.reserved": ""}},
        doc! {"$set": {"levels.0.on_hand": "5"}},
    ] {
        let refused = variants.update_one(row.clone(), wrong.clone()).await.unwrap_err();
        assert!(refused.to_string().contains("validation"), "{wrong} {refused}");
    }
    let right = doc! {"$inc": {"levels.0.reserved": 5_i64, "levels.0.available": -5_i64}};
    variants.update_one(row, right).await.unwrap();
    assert_eq!(shop.level(variant).await, (5, 5));
}

#[tokio::test]
async fn every_query_for_stock_is_served_by_an_index() {
    let shop = Shop::open().await;
    let Some(database) = documents(&shop).await else { return };
    database.run_command(doc! {"profile": 2}).await.unwrap();
    let (product, variant) = shop.simple("A", 5).await;
    shop.simple("B", 5).await;
    let far = shop.stock().create_location(parse(json!({"name": "Far", "priority": 5}))).await.unwrap();
    shop.stock().adjust(adjustment(variant, 1)).await.unwrap();
    let (paid, unpaid) = (OrderId::new(), OrderId::new());
    for order in [paid, unpaid] {
        shop.reserve(order, vec![line(variant, 1)]).await.unwrap();
    }
    shop.stock().commit(paid).await.unwrap();
    shop.stock().restock(MovementId::new(), paid, vec![line(variant, 1)], Actor::System).await.unwrap();
    shop.clock.advance(Duration::from_secs(901));
    shop.service.sweep().await.unwrap();
    shop.stock().release(paid).await.unwrap();
    shop.available(product.id).await;
    let all = LevelFilter::default();
    let text = LevelFilter { q: Some("thing".into()), ..all.clone() };
    let some = LevelFilter { variant_ids: vec![variant], below: Some(9), ..all.clone() };
    let there = LevelFilter { location_id: Some(far.id), ..all.clone() };
    for filter in [all, text, some, there] {
        let first =
            shop.stock().levels(filter.clone(), PageRequest { limit: 1, cursor: None }).await.unwrap();
        let rest = PageRequest { limit: 1, cursor: first.next_cursor };
        shop.stock().levels(filter, rest).await.unwrap();
    }
    let first = shop.stock().movements(variant, PageRequest { limit: 1, cursor: None }).await.unwrap();
    let rest = PageRequest { limit: 1, cursor: first.next_cursor };
    shop.stock().movements(variant, rest).await.unwrap();
    let profile = database.collection::<Document>("system.profile");
    let stock = doc! {"$regex": "[.](variants|locations|movements|reservations)$"};
    let slow = doc! {"ns": stock.clone(), "$or": [
        {"planSummary": {"$regex": "COLLSCAN"}}, {"hasSortStage": true},
    ]};
    let asked = profile.count_documents(doc! {"ns": stock}).await.unwrap();
    let slow: Vec<Document> = profile.find(slow).await.unwrap().try_collect().await.unwrap();
    assert!(asked > 50 && slow.is_empty(), "{asked} {slow:#?}");
}

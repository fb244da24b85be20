//! Consent and erasure.

use contracts::{
    customer::{CustomerDeleted, CustomerId},
    recommendation::{Impression, ImpressionId, InteractionKind, Recommendations, Surface, Visitor},
};
use diesel_async::RunQueryDsl;
use mongodb::bson::doc;
use shared::{
    Clock, Database,
    db::{Db, on},
    mongo::Mongo,
};

use crate::shop::{Shop, anonymous, customer, ids, placed, shop, some};

/// How many interactions and lists say who did something.
async fn traces(shop: &Shop) -> i64 {
    shop.service.flush().await.unwrap();
    match &shop.db {
        Database::Sql(db) => rows(db).await,
        Database::Mongo(db) => documents(db).await,
    }
}

async fn rows(db: &Db) -> i64 {
    #[derive(diesel::QueryableByName)]
    struct Count {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        count: i64,
    }
    let sql = "select (select count(*) from recommendation_interactions where customer_id is not null or \
               visitor_id is not null) + (select count(*) from recommendation_impressions) as count";
    let mut conn = db.get().await.unwrap();
    let count: Count = on!(&mut conn, |c| diesel::sql_query(sql).get_result(c).await).unwrap();
    count.count
}

async fn documents(db: &Mongo) -> i64 {
    let theirs = doc! {"$or": [{"customer_id": {"$ne": null}}, {"visitor_id": {"$ne": null}}]};
    let interactions = db.collection("recommendation_interactions").count_documents(theirs).await.unwrap();
    let lists = db.collection("recommendation_impressions").count_documents(doc! {}).await.unwrap();
    i64::try_from(interactions + lists).unwrap()
}

async fn lamp(shop: &Shop) -> contracts::product::ProductId {
    let lamp = shop.world.sells("lamp", None);
    shop.service.open().await.unwrap();
    lamp
}

#[tokio::test]
async fn without_consent_nobody_is_remembered() {
    let shop = shop().await;
    let lamp = lamp(&shop).await;
    shop.view(Visitor::default(), lamp).await;
    assert_eq!(traces(&shop).await, 0);
    assert_eq!(shop.service.status().await.unwrap().interactions, 1, "it counts for what is popular");
    assert!(shop.service.recently_viewed(Visitor::default(), some(4)).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_visitor_can_be_erased() {
    let shop = shop().await;
    let lamp = lamp(&shop).await;
    let ada = anonymous("ada");
    shop.view(ada, lamp).await;
    let impression = Impression {
        id: ImpressionId::new(),
        visitor: ada,
        surface: Surface::Personal,
        product_id: None,
        shown: vec![lamp],
        at: shop.clock.now(),
    };
    shop.service.shown(impression.clone()).await.unwrap();
    shop.service.clicked(impression.id, lamp).await.unwrap();
    assert_eq!(traces(&shop).await, 2);
    shop.view(ada, lamp).await;
    shop.service.forget(ada).await.unwrap();
    assert_eq!(traces(&shop).await, 0);
    assert!(shop.service.recently_viewed(ada, some(4)).await.unwrap().is_empty());
    shop.service.forget(ada).await.unwrap();
}

#[tokio::test]
async fn a_deleted_customer_goes_with_their_anonymous_past() {
    let mut shop = shop().await;
    let lamp = lamp(&shop).await;
    let (id, before) = (CustomerId::derived("ada"), anonymous("ada's browser"));
    shop.view(before, lamp).await;
    shop.view(Visitor { customer_id: Some(id), ..before }, lamp).await;
    shop.record(customer("ada"), lamp, InteractionKind::CartAdd).await;
    shop.hear(&placed(Some(id), &[lamp])).await;
    shop.view(customer("bob"), lamp).await;
    assert_eq!(traces(&shop).await, 5);
    let event = shop.hear(&CustomerDeleted { customer_id: id }).await;
    shop.deliver(&event).await;
    assert_eq!(traces(&shop).await, 1);
    shop.restart().await;
    assert!(shop.service.recently_viewed(customer("ada"), some(4)).await.unwrap().is_empty());
    assert_eq!(ids(&shop.service.recently_viewed(customer("bob"), some(4)).await.unwrap()), [lamp]);
}

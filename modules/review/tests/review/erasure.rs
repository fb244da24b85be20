//! Forgetting people.

use contracts::{
    customer::CustomerDeleted,
    review::{NewReport, NewReview, ReviewStatus, Reviews},
};
use diesel::{QueryableByName, sql_query, sql_types::BigInt};
use diesel_async::RunQueryDsl;
use futures::TryStreamExt;
use mongodb::bson::{Document, doc};
use shared::{Database, PageRequest, db::on, mongo::Mongo};

use crate::shop::{Shop, content, delivered, shop, staff};

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

async fn rows(shop: &Shop, table: &str, needle: &str) -> i64 {
    let db = match &shop.db {
        Database::Sql(db) => db,
        Database::Mongo(db) => return documents(db, table, needle).await,
    };
    let mut conn = db.get().await.unwrap();
    let column = if table == "reviews" { "document || coalesce(customer_id, '')" } else { "customer_id" };
    let query = format!("select count(*) as n from {table} where {column} like '%{needle}%'");
    let found: Vec<Count> = on!(&mut conn, |c| sql_query(query).load(c).await).unwrap();
    found[0].n
}

/// How many documents of the collection say it anywhere but in their own id.
async fn documents(db: &Mongo, collection: &str, needle: &str) -> i64 {
    let found: Vec<Document> = db
        .collection(collection)
        .find(doc! {})
        .sort(doc! {"_id": 1})
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    found.iter().filter(|document| document.to_string().contains(needle)).count().try_into().unwrap()
}

#[tokio::test]
async fn who_is_erased_leaves_stars_and_nothing_else() {
    let shop = shop().await;
    let (mug, pot, pan) = (shop.world.sells("Mug"), shop.world.sells("Pot"), shop.world.sells("Pan"));
    let (ada, bob) = (shop.world.person("Ada Lovelace"), shop.world.person("Bob Byron"));
    shop.hear(&delivered(Some(ada), "ada@example.com", &[mug], &[mug])).await;
    let telling = NewReview { body: "Ada Lovelace of 1 Engine Row likes it.".into(), ..content(4) };
    let review = shop.reviews.create(mug, telling, ada).await.unwrap();
    shop.reviews.approve(review.id, None, staff()).await.unwrap();
    shop.reviews.reply(review.id, Some("Thank you, Ada!".into()), None).await.unwrap();
    shop.written(pot, ada, 1).await;
    let others = shop.public(mug, bob, 5).await;
    shop.reviews.vote(review.id, bob).await.unwrap();
    shop.reviews.vote(others.id, ada).await.unwrap();
    shop.reviews.report(others.id, NewReport { reason: "rude".into() }, ada).await.unwrap();
    let rejected = shop.written(pan, ada, 2).await;
    shop.reviews.reject(rejected.id, "no".into(), None, staff()).await.unwrap();

    let event = shop.envelope(&CustomerDeleted { customer_id: ada });
    shop.deliver(&event).await;
    shop.deliver(&event).await;
    let left = shop.reviews.find(review.id).await.unwrap();
    assert_eq!((left.customer_id, &left.review.author, &left.review.reply), (None, &None, &None));
    assert_eq!((left.review.title.as_str(), left.review.body.as_str()), ("", ""));
    assert_eq!((left.review.rating, left.review.verified, left.review.helpful), (4, true, 1));
    assert_eq!(left.review.status, ReviewStatus::Approved);
    assert_eq!(shop.aggregate(mug).await.histogram, [0, 0, 0, 1, 1]);
    assert_eq!((shop.all(pot).await.len(), shop.all(pan).await.len()), (0, 0));
    assert!(shop.reviews.of_customer(ada, PageRequest::default()).await.unwrap().data.is_empty());
    let others = shop.reviews.find(others.id).await.unwrap();
    assert_eq!((others.review.helpful, others.reports), (0, 0));
    let uuid = ada.uuid().to_string();
    for table in ["reviews", "review_votes", "review_reports", "review_purchases"] {
        assert_eq!(rows(&shop, table, &uuid).await, 0, "{table}");
    }
    if let Database::Mongo(db) = &shop.db {
        assert_eq!(documents(db, "review_turns", &ada.to_string()).await, 0);
    }
    for needle in ["Lovelace", "Engine Row", &ada.to_string()] {
        assert_eq!(rows(&shop, "reviews", needle).await, 0, "{needle}");
    }
}

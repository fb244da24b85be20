use std::time::Duration;

use contracts::{
    customer::{CustomerDeleted, CustomerId, TokenPurpose::VerifyEmail},
    notification::Notifications,
};
use futures::TryStreamExt;
use mongodb::{
    Client,
    bson::{Document, doc},
};
use shared::{Database, PageRequest};

use super::{Office, token_issued};

/// MongoDB writes down how it found what it was asked for.
#[tokio::test]
async fn every_query_of_mongodb_is_served_by_an_index() {
    let office = Office::open().await;
    if !matches!(office.db, Database::Mongo(_)) {
        return;
    }
    let database = Client::with_uri_str(&office.url).await.unwrap().default_database().unwrap();
    database.run_command(doc! {"profile": 2}).await.unwrap();
    let ada = CustomerId::new();
    for _ in 0..5 {
        office.hear(&token_issued(ada, VerifyEmail, "Ada")).await;
    }
    while office.service.send_next().await.unwrap() {}
    for to in [None, Some("ada@example.com".to_owned())] {
        let first = office.service.mails(to.clone(), PageRequest { limit: 2, cursor: None }).await.unwrap();
        let rest = PageRequest { limit: 2, cursor: first.next_cursor };
        office.service.mails(to, rest).await.unwrap();
    }
    office.clock.advance(Duration::from_secs(40 * 24 * 3600));
    office.service.prune().await.unwrap();
    office.hear(&CustomerDeleted { customer_id: ada }).await;
    let profile = database.collection::<Document>("system.profile");
    let mails = doc! {"$regex": "[.]mails$"};
    let slow = doc! {"ns": mails.clone(), "$or": [
        {"planSummary": {"$regex": "COLLSCAN"}}, {"hasSortStage": true},
    ]};
    let asked = profile.count_documents(doc! {"ns": mails}).await.unwrap();
    let slow: Vec<Document> = profile.find(slow).await.unwrap().try_collect().await.unwrap();
    assert!(asked > 20 && slow.is_empty(), "{asked} {slow:#?}");
}

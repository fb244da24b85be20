//! What every store keeps to, whichever database it is in.

use contracts::recommendation::{Impression, InteractionKind, ModelId, Surface, VisitorId};
use futures::future::join_all;
use shared::db::Options;

use super::*;

/// Stores of processes that share one new database.
async fn stores<const N: usize>(folder: &tempfile::TempDir) -> [Arc<dyn Store>; N] {
    let url = shared::testing::documents(folder.path(), "metadata").unwrap();
    let mut stores = Vec::new();
    for _ in 0..N {
        let db = Database::open(&url, &Options::default()).await.unwrap();
        let (sql, documents) =
            ([shared::events::MIGRATIONS, crate::MIGRATIONS], [shared::events::SCHEMA, SCHEMA]);
        db.migrate(&sql, &documents).await.unwrap();
        stores.push(open(db));
    }
    stores.try_into().ok().unwrap()
}

async fn store(folder: &tempfile::TempDir) -> Arc<dyn Store> {
    let [store] = stores(folder).await;
    store
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn at(second: i64) -> Time {
    Time::from_micros(1_800_000_000_000_000 + second * 1_000_000)
}

fn customer(name: &str) -> Visitor {
    Visitor { customer_id: Some(CustomerId::derived(name)), visitor_id: None }
}

fn did(visitor: Visitor, kind: InteractionKind, second: i64) -> Interaction {
    Interaction { visitor, product_id: ProductId::derived("lamp"), kind, at: at(second) }
}

fn looks(seconds: std::ops::Range<i64>) -> Vec<Interaction> {
    seconds.map(|second| did(customer("ada"), InteractionKind::View, second)).collect()
}

#[tokio::test]
async fn what_is_known_is_not_kept_again_and_only_what_is_new_is_counted() {
    let folder = folder();
    let store = store(&folder).await;
    assert_eq!(store.add(looks(0..1_200)).await.unwrap(), 1_200);
    let mut more = looks(1_100..2_300);
    more.extend(looks(2_290..2_300));
    assert_eq!(store.add(more).await.unwrap(), 1_100);
    assert_eq!(store.add(looks(0..2_300)).await.unwrap(), 0);
    assert_eq!(store.add(Vec::new()).await.unwrap(), 0);
    assert_eq!(store.count().await.unwrap(), 2_300);
}

#[tokio::test]
async fn those_who_write_the_same_at_once_count_it_once() {
    let folder = folder();
    let [one, other] = stores(&folder).await;
    let (a, b, c) =
        futures::join!(one.add(looks(0..500)), other.add(looks(0..500)), one.add(looks(250..750)));
    assert_eq!(a.unwrap() + b.unwrap() + c.unwrap(), 750);
    assert_eq!(one.count().await.unwrap(), 750);
}

#[tokio::test]
async fn the_last_ones_come_in_order_with_all_that_was_said() {
    let folder = folder();
    let store = store(&folder).await;
    let both = Visitor { visitor_id: Some(VisitorId::derived("browser")), ..customer("ada") };
    let all = vec![
        did(Visitor::default(), InteractionKind::View, 1),
        did(both, InteractionKind::CartAdd, 2),
        did(customer("bob"), InteractionKind::Purchase, 3),
    ];
    store.add(vec![all[1].clone(), all[2].clone(), all[0].clone()]).await.unwrap();
    assert_eq!(store.interactions(10).await.unwrap(), all);
    assert_eq!(store.interactions(2).await.unwrap(), all[1..]);
    assert!(store.interactions(0).await.unwrap().is_empty());
    assert_eq!(store.of(customer("ada"), 10).await.unwrap(), all[1..2]);
    assert_eq!(store.of(both, 10).await.unwrap(), [all[1].clone(), all[1].clone()]);
    assert_eq!(store.of(customer("eve"), 10).await.unwrap(), []);
    assert_eq!(store.of(Visitor::default(), 10).await.unwrap(), []);
}

#[tokio::test]
async fn a_purchase_is_kept_once_per_event_even_if_it_is_delivered_twice_at_once() {
    let folder = folder();
    let [one, other] = stores(&folder).await;
    let bought = vec![did(customer("ada"), InteractionKind::Purchase, 1)];
    let (event, order) = (EventId::new(), OrderId::new());
    let deliveries = [&one, &other, &one, &other]
        .map(|store| async { store.bought(event, order, bought.clone()).await.unwrap() });
    assert_eq!(join_all(deliveries).await.into_iter().filter(|first| *first).count(), 1);
    // What was imported before is no reason to refuse an event.
    assert!(one.bought(EventId::new(), OrderId::new(), bought).await.unwrap());
    assert_eq!(one.count().await.unwrap(), 1);
}

#[tokio::test]
async fn what_was_bought_with_a_cancelled_order_goes_once_per_event() {
    let folder = folder();
    let store = store(&folder).await;
    let (order, cancelled) = (OrderId::new(), EventId::new());
    let bought = |second| vec![did(customer("ada"), InteractionKind::Purchase, second)];
    assert!(store.bought(EventId::new(), order, bought(1)).await.unwrap());
    assert!(store.bought(EventId::new(), OrderId::new(), bought(2)).await.unwrap());
    let named = [bought(1), bought(3)].concat();
    let cancel = async || store.cancelled(cancelled, order, named.clone()).await.unwrap();
    assert_eq!(cancel().await, bought(1), "only what was there");
    assert_eq!(store.interactions(9).await.unwrap(), bought(2));
    store.add(bought(1)).await.unwrap();
    assert!(cancel().await.is_empty());
    assert_eq!(store.count().await.unwrap(), 2);
}

#[tokio::test]
async fn an_order_that_is_placed_after_its_cancellation_is_not_bought() {
    let folder = folder();
    let store = store(&folder).await;
    let (order, bought) = (OrderId::new(), looks(0..2));
    assert!(store.cancelled(EventId::new(), order, bought.clone()).await.unwrap().is_empty());
    assert!(!store.bought(EventId::new(), order, bought.clone()).await.unwrap());
    assert_eq!(store.count().await.unwrap(), 0);
    // The other way round at once: whatever comes first, nothing stays.
    let order = OrderId::new();
    let (placed, cancelled) = futures::join!(
        store.bought(EventId::new(), order, bought.clone()),
        store.cancelled(EventId::new(), order, bought.clone()),
    );
    assert_eq!(placed.unwrap(), !cancelled.unwrap().is_empty());
    assert_eq!(store.count().await.unwrap(), 0);
}

fn list(visitor: Visitor, products: &[&str], second: i64) -> Shown {
    let shown: Vec<_> = products.iter().map(|name| ProductId::derived(name)).collect();
    let features = (0..shown.len()).map(|place| Features { position: place as f32, ..Features::default() });
    let features = features.collect();
    let (id, surface) = (ImpressionId::new(), Surface::Related);
    let impression = Impression { id, visitor, surface, product_id: None, shown, at: at(second) };
    Shown { impression, features }
}

/// Positions and whether they were clicked.
async fn clicks(store: &Arc<dyn Store>, lists: u32) -> Vec<(f32, bool)> {
    let clicks = store.clicks(lists).await.unwrap();
    clicks.into_iter().map(|(features, clicked)| (features.position, clicked)).collect()
}

#[tokio::test]
async fn a_click_counts_on_what_was_in_a_known_list_and_once() {
    let folder = folder();
    let store = store(&folder).await;
    let (early, late) = (list(customer("ada"), &["a", "b"], 1), list(customer("bob"), &["c"], 2));
    let again = Shown { features: Vec::new(), ..early.clone() };
    for shown in [&late, &early, &again] {
        store.shown(shown.clone()).await.unwrap();
    }
    let (id, b, c) = (early.impression.id, ProductId::derived("b"), ProductId::derived("c"));
    futures::try_join!(store.clicked(id, b), store.clicked(id, b), store.clicked(id, c)).unwrap();
    store.clicked(ImpressionId::new(), b).await.unwrap();
    assert_eq!(clicks(&store, 9).await, [(0.0, false), (1.0, true), (0.0, false)]);
    assert_eq!(clicks(&store, 1).await, [(0.0, false)], "the last list alone");
    assert!(clicks(&store, 0).await.is_empty());
}

#[tokio::test]
async fn old_things_go_and_what_is_of_that_very_moment_stays() {
    let folder = folder();
    let store = store(&folder).await;
    store.add(looks(0..1_300)).await.unwrap();
    for second in [0, 1_299, 1_300] {
        store.shown(list(customer("ada"), &["a"], second)).await.unwrap();
    }
    store.prune(at(1_299)).await.unwrap();
    assert_eq!(store.interactions(10).await.unwrap(), looks(1_299..1_300));
    assert_eq!(store.clicks(10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_anonymous_past_goes_with_the_customer_and_others_stay() {
    let folder = folder();
    let store = store(&folder).await;
    let [browser, phone, other] = ["browser", "phone", "other"]
        .map(|name| Visitor { visitor_id: Some(VisitorId::derived(name)), customer_id: None });
    let ada = |on: Visitor| Visitor { visitor_id: on.visitor_id, ..customer("ada") };
    let of = |visitor, second| did(visitor, InteractionKind::View, second);
    let all = vec![of(browser, 1), of(ada(browser), 2), of(phone, 3), of(ada(phone), 4), of(other, 5)];
    store.add(all.clone()).await.unwrap();
    store.shown(list(browser, &["a"], 1)).await.unwrap();
    store.shown(list(other, &["a"], 2)).await.unwrap();
    let event = EventId::new();
    store.forget_customer(event, CustomerId::derived("ada")).await.unwrap();
    assert_eq!(store.interactions(10).await.unwrap(), all[4..]);
    assert_eq!(store.clicks(10).await.unwrap().len(), 1);
    // The same event again erases nothing of what came later.
    store.add(vec![of(ada(browser), 6)]).await.unwrap();
    store.forget_customer(event, CustomerId::derived("ada")).await.unwrap();
    assert_eq!(store.count().await.unwrap(), 2);
}

fn model(second: i64) -> ModelInfo {
    ModelInfo {
        id: ModelId::new(),
        trained_at: at(second),
        milliseconds: 1,
        interactions: 2,
        visitors: 3,
        products: 4,
        rules: 5,
        impressions: 6,
        bytes: 7,
        current: true,
    }
}

#[tokio::test]
async fn a_model_comes_back_byte_by_byte_however_large_it_is() {
    let folder = folder();
    let store = store(&folder).await;
    assert_eq!(store.model().await.unwrap(), None);
    for (second, size) in [(1, 0), (2, 8 * 1024 * 1024), (3, 20_000_001)] {
        let content: Vec<u8> = (0..size).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let info = model(second);
        store.save_model(info.clone(), content.clone(), 2).await.unwrap();
        let kept = store.model().await.unwrap().unwrap();
        assert!(kept.0 == info && kept.1 == content, "{size} bytes");
    }
    assert_eq!(store.models().await.unwrap().len(), 2);
}

#[tokio::test]
async fn those_who_train_at_once_keep_the_newest_and_each_is_whole() {
    let folder = folder();
    let [one, other] = stores(&folder).await;
    let saves = (0..8).map(|n| {
        let store = if n % 2 == 0 { &one } else { &other };
        async move { store.save_model(model(n), vec![n as u8; 1_000_000], 2).await.unwrap() }
    });
    join_all(saves).await;
    let kept = one.models().await.unwrap();
    assert_eq!(kept.iter().map(|model| model.trained_at).collect::<Vec<_>>(), [at(7), at(6)]);
    assert_eq!(other.model().await.unwrap().unwrap().1, vec![7; 1_000_000]);
}

/// MongoDB writes down how it found what it was asked for.
#[tokio::test]
async fn every_query_of_mongodb_is_served_by_an_index() {
    use futures::TryStreamExt;
    use mongodb::bson::{Document, doc};

    let folder = folder();
    let url = shared::testing::documents(folder.path(), "metadata").unwrap();
    let Database::Mongo(mongo) = Database::open(&url, &Options::default()).await.unwrap() else { return };
    mongo.migrate(&[shared::events::SCHEMA, SCHEMA]).await.unwrap();
    let client = mongodb::Client::with_uri_str(&url).await.unwrap();
    let database = client.default_database().unwrap();
    database.run_command(doc! {"profile": 2}).await.unwrap();
    let store = open(mongo.into());
    let both = Visitor { visitor_id: Some(VisitorId::derived("browser")), ..customer("ada") };
    store.add(vec![did(both, InteractionKind::View, 1)]).await.unwrap();
    let order = OrderId::new();
    store.bought(EventId::new(), order, looks(2..4)).await.unwrap();
    store.cancelled(EventId::new(), order, looks(2..4)).await.unwrap();
    store.interactions(9).await.unwrap();
    store.count().await.unwrap();
    let shown = list(both, &["lamp"], 1);
    store.shown(shown.clone()).await.unwrap();
    store.clicked(shown.impression.id, ProductId::derived("lamp")).await.unwrap();
    store.clicks(9).await.unwrap();
    for second in 0..3 {
        store.save_model(model(second), vec![1], 1).await.unwrap();
    }
    store.model().await.unwrap();
    store.prune(at(0)).await.unwrap();
    store.forget_customer(EventId::new(), CustomerId::derived("ada")).await.unwrap();
    store.forget(both).await.unwrap();
    let slow = doc! {"ns": {"$regex": "recommendation_"}, "$or": [
        {"planSummary": {"$regex": "COLLSCAN"}}, {"hasSortStage": true},
    ]};
    let profile = database.collection::<Document>("system.profile");
    let asked = profile.count_documents(doc! {"ns": {"$regex": "recommendation_"}}).await.unwrap();
    let slow: Vec<Document> = profile.find(slow).await.unwrap().try_collect().await.unwrap();
    assert!(asked > 20 && slow.is_empty(), "{asked} {slow:#?}");
}

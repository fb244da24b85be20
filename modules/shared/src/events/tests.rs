use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use diesel_async::SimpleAsyncConnection;
use mongodb::bson::doc;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    Database, Kind,
    db::{Options, on},
};

#[derive(Serialize, Deserialize)]
struct Placed {
    number: i64,
}

impl Event for Placed {
    const TYPE: &'static str = "order.placed";
}

/// Adds what it hears to a list, once per event; fails for aggregates called `poison` while it is ill.
struct Listener {
    db: Database,
    ill: AtomicBool,
    tries: Mutex<HashMap<String, usize>>,
    taken: Arc<Mutex<Vec<(String, i64)>>>,
}

#[async_trait]
impl Consumer for Listener {
    fn hears(&self) -> Hears {
        Hears { consumer: "listener", kinds: &[Placed::TYPE] }
    }

    async fn handle(&self, event: &Envelope) -> Result<()> {
        *self.tries.lock().unwrap().entry(event.aggregate_id.clone()).or_default() += 1;
        if event.aggregate_id == "poison" && self.ill.load(Ordering::SeqCst) {
            panic!("indigestible");
        }
        let (id, placed) = (event.id, event.parse::<Placed>()?);
        let first = match &self.db {
            Database::Sql(db) => {
                db.transaction(async move |tx| inbox::first(tx, "listener", id).await).await?
            }
            Database::Mongo(db) => db.transaction(async move |tx| tx.first("listener", id).await).await?,
        };
        if first {
            self.taken.lock().unwrap().push((event.aggregate_id.clone(), placed.number));
        }
        Ok(())
    }
}

struct Shop {
    db: Database,
    listener: Arc<Listener>,
    bus: Arc<InProcess>,
    stop: CancellationToken,
    /// Only the first needs one.
    folder: Option<tempfile::TempDir>,
}

impl Shop {
    /// One on every database that there is here: see [`crate::testing`].
    async fn everywhere() -> Vec<Self> {
        let mut shops = Vec::new();
        let folder = tempfile::tempdir().unwrap();
        let embedded = format!("sqlite://{}/test.db", folder.path().display());
        let relational = crate::testing::relational(folder.path(), "events").await.unwrap();
        let documents = crate::testing::documents(folder.path(), "events").unwrap();
        let mut urls = vec![embedded, relational, documents];
        urls.dedup_by(|a, b| a.starts_with("sqlite:") && b.starts_with("sqlite:"));
        for url in urls {
            let db = Database::open(&url, &Options::default()).await.unwrap();
            db.migrate(&[MIGRATIONS], &[SCHEMA]).await.unwrap();
            shops.push(Self::on(db));
        }
        shops[0].folder = Some(folder);
        shops
    }

    fn on(db: Database) -> Self {
        let listener = Arc::new(Listener {
            db: db.clone(),
            ill: AtomicBool::new(true),
            tries: Mutex::default(),
            taken: Arc::default(),
        });
        let bus = Arc::new(InProcess::new(vec![listener.clone()]));
        Self { db, listener, bus, stop: CancellationToken::new(), folder: None }
    }

    fn start_relay(&self) -> tokio::task::JoinHandle<()> {
        let limits = Limits {
            delivery_limit: 3,
            backoff: Duration::from_millis(2),
            poll: Duration::from_millis(5),
            ..Limits::default()
        };
        tokio::spawn(relay(self.db.clone(), self.bus.clone(), limits, self.stop.clone()))
    }

    async fn place(&self, aggregate: &'static str, number: i64) -> EventId {
        let event = Placed { number };
        match &self.db {
            Database::Sql(db) => {
                db.transaction(async move |tx| tx.emit("order", aggregate, number, &event).await).await
            }
            Database::Mongo(db) => {
                db.transaction(async move |tx| tx.emit("order", aggregate, number, &event).await).await
            }
        }
        .unwrap()
    }

    async fn delivered(&self) {
        let wait = async {
            while lag(&self.db).await.unwrap().unpublished > 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), wait).await.expect("everything is delivered in time");
    }

    /// As if the relay had died before its mark.
    async fn forget_marks(&self) {
        match &self.db {
            Database::Sql(db) => run(db, "update outbox set published_at = null, next_at = null").await,
            Database::Mongo(db) => {
                let again =
                    doc! {"$set": {"waiting": true, "next_at": 0_i64}, "$unset": {"published_at": ""}};
                db.collection("outbox").update_many(doc! {}, again).await.unwrap();
            }
        }
    }

    /// As if the event had failed and its next try were far away.
    async fn put_off(&self, event: EventId) {
        let later = Time::from_micros(32_472_144_000_000_000);
        match &self.db {
            Database::Sql(db) => {
                run(
                    db,
                    &format!(
                        "update outbox set next_at = '{later}' where aggregate_id = 'a' and sequence = 1"
                    ),
                )
                .await;
            }
            Database::Mongo(db) => {
                let later = doc! {"$set": {"next_at": later.micros()}};
                db.collection("outbox").update_one(doc! {"_id": event.to_string()}, later).await.unwrap();
            }
        }
    }

    fn taken(&self) -> Vec<(String, i64)> {
        self.listener.taken.lock().unwrap().clone()
    }
}

async fn run(db: &crate::db::Db, sql: &str) {
    let sql = sql.to_owned();
    db.transaction(async move |tx| Ok(on!(tx, |c| c.batch_execute(&sql).await)?)).await.unwrap();
}

#[tokio::test]
async fn an_event_takes_effect_once_even_if_the_relay_dies_before_its_mark() {
    for shop in Shop::everywhere().await {
        shop.start_relay();
        shop.place("a", 1).await;
        shop.delivered().await;
        shop.forget_marks().await;
        shop.delivered().await;
        assert_eq!(shop.taken(), [("a".to_owned(), 1)]);
        assert!(shop.listener.tries.lock().unwrap()["a"] >= 2);
    }
}

#[tokio::test]
async fn a_commit_wakes_the_relay() {
    for shop in Shop::everywhere().await {
        let never = Limits { poll: Duration::from_secs(3600), ..Limits::default() };
        tokio::spawn(relay(shop.db.clone(), shop.bus.clone(), never, shop.stop.clone()));
        tokio::task::yield_now().await;
        shop.place("a", 1).await;
        shop.delivered().await;
    }
}

#[tokio::test]
async fn events_of_one_aggregate_arrive_in_order() {
    for shop in Shop::everywhere().await {
        // Written out of order: the sequence counts.
        for number in [2, 1, 3, 5, 4] {
            shop.place("a", number).await;
            shop.place("b", number).await;
        }
        shop.start_relay();
        shop.delivered().await;
        for aggregate in ["a", "b"] {
            let numbers: Vec<_> =
                shop.taken().into_iter().filter(|t| t.0 == aggregate).map(|t| t.1).collect();
            assert_eq!(numbers, [1, 2, 3, 4, 5]);
        }
    }
}

#[tokio::test]
async fn a_poison_event_holds_up_only_its_aggregate_and_only_until_the_limit() {
    for shop in Shop::everywhere().await {
        let poison = shop.place("poison", 1).await;
        shop.place("a", 1).await;
        let relay = shop.start_relay();
        shop.delivered().await;
        assert_eq!(shop.taken(), [("a".to_owned(), 1)]);
        assert_eq!(shop.listener.tries.lock().unwrap()["poison"], 3);
        let letters = dead_letters::list(&shop.db, 10).await.unwrap();
        assert_eq!(letters.len(), 1);
        assert_eq!(
            (letters[0].event, letters[0].attempts, letters[0].consumer.as_str()),
            (poison, 3, "listener")
        );
        assert!(letters[0].error.contains("indigestible"));
        shop.stop.cancel();
        relay.await.unwrap();
    }
}

#[tokio::test]
async fn an_event_waits_for_the_earlier_one_of_its_aggregate() {
    for shop in Shop::everywhere().await {
        let first = shop.place("a", 1).await;
        shop.place("a", 2).await;
        shop.place("b", 1).await;
        shop.put_off(first).await;
        let due = outbox::claim(&shop.db, 100, Duration::ZERO).await.unwrap();
        assert_eq!(
            due.iter().map(|waiting| waiting.envelope.aggregate_id.as_str()).collect::<Vec<_>>(),
            ["b"]
        );
    }
}

#[tokio::test]
async fn a_dead_letter_is_replayed_or_discarded() {
    for shop in Shop::everywhere().await {
        let event = shop.place("poison", 1).await;
        shop.start_relay();
        shop.delivered().await;
        let again = dead_letters::replay(&shop.db, &*shop.bus, event, "listener").await;
        assert_eq!(again.unwrap_err().code, "still_failing");
        assert_eq!(dead_letters::list(&shop.db, 10).await.unwrap()[0].attempts, 4);
        shop.listener.ill.store(false, Ordering::SeqCst);
        dead_letters::replay(&shop.db, &*shop.bus, event, "listener").await.unwrap();
        assert_eq!(shop.taken(), [("poison".to_owned(), 1)]);
        assert_eq!(dead_letters::count(&shop.db).await.unwrap(), 0);
        let gone = dead_letters::discard(&shop.db, event, "listener").await;
        assert_eq!(gone.unwrap_err().kind, Kind::NotFound);
    }
}

#[tokio::test]
async fn only_old_and_published_rows_are_pruned() {
    for shop in Shop::everywhere().await {
        shop.place("a", 1).await;
        shop.start_relay();
        shop.delivered().await;
        assert_eq!(prune(&shop.db, Duration::from_secs(3600)).await.unwrap(), 0);
        assert_eq!(prune(&shop.db, Duration::ZERO).await.unwrap(), 2);
        assert_eq!(lag(&shop.db).await.unwrap(), Lag { unpublished: 0, oldest: None });
    }
}

#[test]
fn a_newer_version_is_refused_and_unknown_members_are_ignored() {
    let json = serde_json::json!({
        "id": EventId::new(), "type": "order.placed", "version": 1, "module": "order",
        "occurred_at": "2026-01-01T00:00:00Z", "aggregate_id": "a", "sequence": 1,
        "data": { "number": 7, "later": true }, "later": [],
    });
    let mut envelope: Envelope = serde_json::from_value(json).unwrap();
    assert_eq!(envelope.parse::<Placed>().unwrap().number, 7);
    envelope.version = 2;
    assert!(envelope.parse::<Placed>().is_err());
}

#[tokio::test]
async fn events_can_be_moved_to_any_database_and_back() {
    let mut shops = Shop::everywhere().await;
    let source = shops.remove(0);
    source.place("a", 1).await;
    let put_off = source.place("a", 2).await;
    source.place("poison", 1).await;
    let relay = source.start_relay();
    source.delivered().await;
    source.stop.cancel();
    relay.await.unwrap();
    source.place("b", 1).await;
    source.put_off(put_off).await;
    for target in &shops {
        let transfer = |db: &Database| crate::transfer::open(db.clone(), KINDS);
        let (here, there) = (transfer(&source.db), transfer(&target.db));
        let sums = crate::transfer::copy(&*here, &*there, &|_, _| ()).await.unwrap();
        let counts: Vec<_> = sums.iter().map(|(kind, sum)| (kind.as_str(), sum.count)).collect();
        assert_eq!(counts, [("outbox", 4), ("inbox", 2), ("dead_letters", 1)]);
        assert_eq!(lag(&target.db).await.unwrap(), lag(&source.db).await.unwrap());
        assert_eq!(
            dead_letters::list(&target.db, 9).await.unwrap(),
            dead_letters::list(&source.db, 9).await.unwrap()
        );
        let back = Shop::everywhere().await.remove(0);
        let again = crate::transfer::copy(&*there, &*transfer(&back.db), &|_, _| ()).await.unwrap();
        assert_eq!(again, sums);
    }
}

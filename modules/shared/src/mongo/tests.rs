//! They run where there is a server (see [`crate::testing`]), and pass without looking elsewhere.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use mongodb::bson::Bson;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::events::{self, Bus, Consumer, Envelope, Event, Hears, InProcess, Limits, lag, relay};

const COUNTERS: Schema = Schema { module: "test", collections: counters };

fn counters() -> Vec<Spec> {
    let validator = doc! {"$jsonSchema": {"required": ["n"], "properties": {"n": {"bsonType": "long"}}}};
    let owner = unique("counters_owner", doc! {"owner": 1}, doc! {"owner": {"$exists": true}});
    vec![Spec { name: "counters", indexes: vec![owner, index(doc! {"n": 1})], validator: Some(validator) }]
}

/// As many handles to one new database as there would be instances.
async fn instances<const N: usize>() -> Option<[Mongo; N]> {
    let folder = tempfile::tempdir().unwrap();
    let url = crate::testing::documents(folder.path(), "mongo").unwrap();
    if url.starts_with("sqlite:") {
        return None;
    }
    let options = Options::default();
    let all: Vec<_> = futures::future::join_all((0..N).map(|_| Mongo::open(&url, &options))).await;
    Some(all.into_iter().collect::<Result<Vec<_>>>().unwrap().try_into().ok().unwrap())
}

async fn count(mongo: &Mongo, id: &str) -> Option<i64> {
    let found = mongo.collection("counters").find_one(doc! {"_id": id}).await.unwrap()?;
    Some(found.get_i64("n").unwrap())
}

async fn until(what: impl AsyncFn() -> bool) {
    let wait = async {
        while !what().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.expect("it happens in time");
}

#[derive(Serialize, Deserialize)]
struct Counted {
    n: i64,
}

impl Event for Counted {
    const TYPE: &'static str = "test.counted";
}

#[tokio::test]
async fn instances_that_start_together_make_each_collection_once_and_may_do_it_again() {
    let Some([one, two, three]) = instances().await else { return };
    let all = [events::SCHEMA, COUNTERS];
    assert!(one.migration_status(&all).await.unwrap().iter().all(|(_, there)| !there));
    let (a, b, c) = tokio::join!(one.migrate(&all), two.migrate(&all), three.migrate(&all));
    assert!(a.is_ok() && b.is_ok() && c.is_ok(), "{a:?} {b:?} {c:?}");
    assert!(one.migrate(&all).await.unwrap().is_empty());
    assert!(one.migration_status(&all).await.unwrap().iter().all(|(_, there)| *there));
    let wrong = one.collection("counters").insert_one(doc! {"_id": "x", "n": "text"}).await;
    assert!(wrong.unwrap_err().to_string().contains("validation"));
}

#[tokio::test]
async fn lost_races_are_run_again_and_no_increment_is_lost() {
    let Some([one, two]) = instances().await else { return };
    one.migrate(&[COUNTERS]).await.unwrap();
    one.collection("counters").insert_one(doc! {"_id": "n", "n": 0_i64}).await.unwrap();
    let runs = Arc::new(AtomicU32::new(0));
    let units = (0..40).map(|i| {
        let (mongo, runs) = (if i % 2 == 0 { one.clone() } else { two.clone() }, runs.clone());
        tokio::spawn(async move {
            mongo
                .transaction(async move |tx| {
                    runs.fetch_add(1, Ordering::SeqCst);
                    let counters = tx.collection("counters");
                    let read = counters.find_one(doc! {"_id": "n"}).session(tx.session()).await?;
                    let n = read.unwrap().get_i64("n").unwrap();
                    let next = doc! {"$set": {"n": n + 1}};
                    counters.update_one(doc! {"_id": "n"}, next).session(tx.session()).await?;
                    Ok(())
                })
                .await
        })
    });
    for result in futures::future::join_all(units).await {
        result.unwrap().unwrap();
    }
    assert_eq!(count(&one, "n").await, Some(40));
    assert!(runs.load(Ordering::SeqCst) > 40, "nobody raced");
}

#[tokio::test]
async fn an_error_or_a_panic_takes_everything_back_and_a_caller_that_leaves_does_not() {
    let Some([mongo]) = instances().await else { return };
    mongo.migrate(&[events::SCHEMA, COUNTERS]).await.unwrap();
    let insert = async |tx: &mut Tx, id: &str| -> Result<()> {
        let counter = doc! {"_id": id, "n": 1_i64};
        tx.collection("counters").insert_one(counter).session(tx.session()).await?;
        tx.emit("test", id, 1, &Counted { n: 1 }).await?;
        Ok(())
    };
    let refused = mongo.transaction(async move |tx| {
        insert(tx, "refused").await?;
        Err::<(), _>(Error::conflict("no", "no"))
    });
    assert_eq!(refused.await.unwrap_err().code, "no");
    let panicked = mongo.transaction(async move |tx| -> Result<()> {
        insert(tx, "panicked").await?;
        panic!("in the middle")
    });
    assert!(panicked.await.unwrap_err().chain().contains("in the middle"));
    assert_eq!(lag(&mongo.clone().into()).await.unwrap().unpublished, 0);
    assert_eq!((count(&mongo, "refused").await, count(&mongo, "panicked").await), (None, None));

    let (started, go) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Notify::new()));
    let caller = tokio::spawn({
        let (mongo, started, go) = (mongo.clone(), started.clone(), go.clone());
        async move {
            let work = async move |tx: &mut Tx| {
                started.notify_one();
                go.notified().await;
                insert(tx, "late").await
            };
            mongo.transaction(work).await
        }
    });
    started.notified().await;
    caller.abort();
    go.notify_one();
    until(async || count(&mongo, "late").await == Some(1)).await;
}

#[tokio::test]
async fn a_duplicate_names_its_index() {
    let Some([mongo]) = instances().await else { return };
    mongo.migrate(&[COUNTERS]).await.unwrap();
    let counters = mongo.collection("counters");
    counters.insert_one(doc! {"_id": "a", "n": 1_i64, "owner": "x"}).await.unwrap();
    let again = counters.insert_one(doc! {"_id": "b", "n": 1_i64, "owner": "x"}).await.unwrap_err();
    assert!(duplicate(&again).is_some_and(|message| message.contains("counters_owner")), "{again}");
    counters.insert_one(doc! {"_id": "c", "n": 1_i64}).await.unwrap();
    counters.insert_one(doc! {"_id": "d", "n": 1_i64}).await.unwrap();
}

#[tokio::test]
async fn a_value_becomes_a_document_and_back() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Thing {
        id: events::EventId,
        at: crate::Time,
        price: crate::Money,
        none: Option<String>,
    }
    let thing = Thing {
        id: events::EventId::new(),
        at: crate::Time::from_micros(1_700_000_000_123_456),
        price: crate::Money::new(1999, crate::Currency::EUR),
        none: None,
    };
    let document = to_document(&thing).unwrap();
    assert!(
        matches!(document.get("id"), Some(Bson::String(_)))
            && matches!(document.get("at"), Some(Bson::String(_)))
    );
    assert_eq!(from_document::<Thing>(document).unwrap(), thing);
}

struct Listener {
    taken: Arc<Mutex<Vec<(String, i64)>>>,
}

#[async_trait]
impl Consumer for Listener {
    fn hears(&self) -> Hears {
        Hears { consumer: "listener", kinds: &[Counted::TYPE] }
    }

    async fn handle(&self, event: &Envelope) -> Result<()> {
        if event.aggregate_id == "poison" {
            return Err(Error::conflict("no", "indigestible"));
        }
        self.taken.lock().unwrap().push((event.aggregate_id.clone(), event.sequence));
        Ok(())
    }
}

#[tokio::test]
async fn two_relays_share_an_outbox_in_order_and_deliver_nothing_twice() {
    let Some(instances) = instances::<2>().await else { return };
    instances[0].migrate(&[events::SCHEMA]).await.unwrap();
    let (stop, taken) = (CancellationToken::new(), Arc::<Mutex<Vec<(String, i64)>>>::default());
    let limits =
        Limits { delivery_limit: 2, backoff: Duration::from_millis(1), batch: 10, ..Limits::default() };
    let relays = instances.clone().map(|mongo| {
        let bus: Arc<dyn Bus> = Arc::new(InProcess::new(vec![Arc::new(Listener { taken: taken.clone() })]));
        tokio::spawn(relay(mongo.into(), bus, limits, stop.clone()))
    });
    for sequence in 1..=20 {
        let emit = async |mongo: &Mongo, aggregate: &'static str| {
            let event = Counted { n: sequence };
            let work = async move |tx: &mut Tx| tx.emit("test", aggregate, sequence, &event).await;
            mongo.transaction(work).await.unwrap();
        };
        tokio::join!(emit(&instances[0], "a"), emit(&instances[1], "b"), emit(&instances[0], "c"));
    }
    instances[1].transaction(async |tx| tx.emit("test", "poison", 1, &Counted { n: 1 }).await).await.unwrap();
    let database = instances[0].clone().into();
    until(async || lag(&database).await.unwrap().unpublished == 0).await;
    let taken = taken.lock().unwrap().clone();
    for aggregate in ["a", "b", "c"] {
        let order: Vec<_> = taken.iter().filter(|entry| entry.0 == aggregate).map(|entry| entry.1).collect();
        assert_eq!(order, (1..=20).collect::<Vec<_>>());
    }
    assert_eq!(events::dead_letters::list(&database, 10).await.unwrap().len(), 1);
    stop.cancel();
    for relay in relays {
        relay.await.unwrap();
    }
}

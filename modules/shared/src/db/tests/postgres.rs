//! What SQLite cannot show: side by side transactions, races lost, several instances on one outbox.
//!
//! They run where there is a server (see [`crate::testing`]), and pass without looking elsewhere.

use std::sync::atomic::AtomicU32;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::events::{Bus, Consumer, Hears, InProcess, Limits, inbox, lag, relay};

/// As many handles to one new database as there would be instances.
async fn instances<const N: usize>() -> Option<[Db; N]> {
    let folder = tempfile::tempdir().unwrap();
    let url = crate::testing::relational(folder.path(), "instances").await.unwrap();
    if url.starts_with("sqlite:") {
        return None;
    }
    let options = Options { readers: 8, ..Options::default() };
    let all: Vec<_> = futures::future::join_all((0..N).map(|_| Db::open(&url, &options))).await;
    Some(all.into_iter().collect::<Result<Vec<_>>>().unwrap().try_into().ok().unwrap())
}

#[tokio::test]
async fn instances_that_start_together_migrate_once() {
    let Some([one, two, three]) = instances().await else { return };
    let all = [events::MIGRATIONS, COUNTERS];
    let (a, b, c) = tokio::join!(one.migrate(&all), two.migrate(&all), three.migrate(&all));
    let count = all.iter().map(|module| module.list.len()).sum::<usize>();
    assert_eq!(a.unwrap().len() + b.unwrap().len() + c.unwrap().len(), count);
    while one.revert_last(&all).await.unwrap().is_some() {}
    assert!(one.migration_status(&all).await.unwrap().iter().all(|(_, applied)| !applied));
}

#[tokio::test]
async fn lost_races_are_run_again_and_no_increment_is_lost() {
    let Some([one, two]) = instances().await else { return };
    one.migrate(&[COUNTERS]).await.unwrap();
    one.transaction(async |tx| create(tx, "n", 0).await).await.unwrap();
    let runs = Arc::new(AtomicU32::new(0));
    let units = (0..60).map(|i| {
        let (db, runs) = (if i % 2 == 0 { one.clone() } else { two.clone() }, runs.clone());
        tokio::spawn(async move {
            db.transaction(async move |tx| {
                runs.fetch_add(1, Ordering::SeqCst);
                on!(tx, |c| c.batch_execute("set transaction isolation level repeatable read").await)?;
                let read = value(tx, "n").await?;
                set(tx, "n", read + 1).await
            })
            .await
        })
    });
    let results = futures::future::join_all(units).await;
    let done = results.into_iter().filter(|result| result.as_ref().unwrap().is_ok()).count();
    assert_eq!(value(&mut one.get().await.unwrap(), "n").await.unwrap(), i64::try_from(done).unwrap());
    assert!(AtomicU32::load(&runs, Ordering::SeqCst) > 60, "no race was lost, so nothing was proved");
    assert!(done >= 30, "only {done} of 60 came through");
}

#[tokio::test]
async fn a_deadlock_is_run_again() {
    let Some([db]) = instances().await else { return };
    db.migrate(&[COUNTERS]).await.unwrap();
    for name in ["a", "b"] {
        db.transaction(async move |tx| create(tx, name, 0).await).await.unwrap();
    }
    let both = Arc::new(tokio::sync::Barrier::new(2));
    let cross = |first: &'static str, second: &'static str| {
        let (both, tries) = (both.clone(), AtomicU32::new(0));
        db.transaction(async move |tx| {
            // Short, so that PostgreSQL looks for the deadlock before the lock times out.
            on!(tx, |c| c.batch_execute("set local deadlock_timeout = '20ms'").await)?;
            set(tx, first, 1).await?;
            if tries.fetch_add(1, Ordering::SeqCst) == 0 {
                both.wait().await;
            }
            set(tx, second, 1).await
        })
    };
    let (one, two) = tokio::join!(cross("a", "b"), cross("b", "a"));
    one.unwrap();
    two.unwrap();
}

#[tokio::test]
async fn failures_panics_and_leaving_callers_harm_nobody() {
    let Some([db]) = instances().await else { return };
    db.migrate(&[COUNTERS]).await.unwrap();
    for _ in 0..20 {
        let panicked = db.transaction(async |tx| {
            create(tx, "b", 1).await?;
            if tx.now().micros() > 0 {
                panic!("in the middle");
            }
            Ok(())
        });
        assert!(panicked.await.is_err());
    }
    let twice = async |tx: &mut Tx| {
        create(tx, "c", 1).await?;
        create(tx, "c", 1).await
    };
    assert!(db.transaction(twice).await.is_err());
    let handle = db.clone();
    let (started, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (has_started, may_go) = (started.clone(), go.clone());
    let caller = tokio::spawn(async move {
        let work = async move |tx: &mut Tx| {
            has_started.notify_one();
            may_go.notified().await;
            create(tx, "late", 1).await
        };
        handle.transaction(work).await
    });
    started.notified().await;
    caller.abort();
    go.notify_one();
    until(async || names(&db).await == ["late"]).await;
}

struct Listener {
    db: Db,
    taken: Arc<Mutex<Vec<(String, i64)>>>,
    deliveries: Arc<AtomicU32>,
}

#[async_trait]
impl Consumer for Listener {
    fn hears(&self) -> Hears {
        Hears { consumer: "listener", kinds: &[Counted::TYPE] }
    }

    async fn handle(&self, event: &Envelope) -> Result<()> {
        self.deliveries.fetch_add(1, Ordering::SeqCst);
        if event.aggregate_id == "poison" {
            return Err(Error::conflict("no", "indigestible"));
        }
        let (id, taken, entry) = (event.id, self.taken.clone(), (event.aggregate_id.clone(), event.sequence));
        let work = async move |tx: &mut Tx| {
            if inbox::first(tx, "listener", id).await? {
                taken.lock().unwrap().push(entry.clone());
            }
            Ok(())
        };
        self.db.transaction(work).await
    }
}

#[tokio::test]
async fn two_relays_share_an_outbox_in_order_and_deliver_nothing_twice() {
    let Some(instances) = instances::<2>().await else { return };
    instances[0].migrate(&[events::MIGRATIONS]).await.unwrap();
    let (stop, taken, deliveries) = (CancellationToken::new(), Arc::default(), Arc::new(AtomicU32::new(0)));
    let limits =
        Limits { delivery_limit: 2, backoff: Duration::from_millis(1), batch: 10, ..Limits::default() };
    let relays = instances.clone().map(|db| {
        let listener = Listener { db: db.clone(), taken: Arc::clone(&taken), deliveries: deliveries.clone() };
        let bus: Arc<dyn Bus> = Arc::new(InProcess::new(vec![Arc::new(listener)]));
        tokio::spawn(relay(db.into(), bus, limits, stop.clone()))
    });
    for sequence in 1..=30 {
        let emit = async |db: &Db, aggregate: &'static str| {
            let event = Counted { value: sequence };
            db.transaction(async move |tx| tx.emit("test", aggregate, sequence, &event).await).await.unwrap();
        };
        tokio::join!(emit(&instances[0], "a"), emit(&instances[1], "b"), emit(&instances[0], "c"));
    }
    instances[1]
        .transaction(async |tx| tx.emit("test", "poison", 1, &Counted { value: 1 }).await)
        .await
        .unwrap();
    until(async || lag(&instances[0].clone().into()).await.unwrap().unpublished == 0).await;
    let taken: Vec<(String, i64)> = taken.lock().unwrap().clone();
    for aggregate in ["a", "b", "c"] {
        let order: Vec<_> = taken.iter().filter(|entry| entry.0 == aggregate).map(|entry| entry.1).collect();
        assert_eq!(order, (1..=30).collect::<Vec<_>>());
    }
    assert_eq!(AtomicU32::load(&deliveries, Ordering::SeqCst), 92);
    assert_eq!(events::dead_letters::list(&instances[1].clone().into(), 10).await.unwrap().len(), 1);
    stop.cancel();
    for relay in relays {
        relay.await.unwrap();
    }
}

#[tokio::test]
async fn a_connection_is_encrypted_and_the_certificate_checked() {
    let folder = tempfile::tempdir().unwrap();
    let url = crate::testing::relational(folder.path(), "tls").await.unwrap();
    let Some(ca) = crate::testing::postgres_ca().filter(|_| !url.starts_with("sqlite:")) else { return };
    let url = format!("{url}?sslmode=require");
    let trusting = Options { tls_ca: Some(ca), ..Options::default() };
    let db = Db::open(&url, &trusting).await.unwrap();
    let encrypted =
        on!(&mut db.get().await.unwrap(), |c| diesel::select(diesel::dsl::sql::<diesel::sql_types::Bool>(
            "(select ssl from pg_stat_ssl where pid = pg_backend_pid())"
        ))
        .get_result::<bool>(c)
        .await);
    assert!(encrypted.unwrap());
    // The public authorities do not know it.
    let wary = Options { acquire_timeout: Duration::from_secs(2), ..Options::default() };
    assert!(Db::open(&url, &wary).await.is_err_and(|error| error.kind == crate::Kind::Unavailable));
    let nowhere = Options { tls_ca: Some(folder.path().join("none.pem")), ..Options::default() };
    assert!(Db::open(&url, &nowhere).await.is_err_and(|error| error.detail.contains("none.pem")));
}

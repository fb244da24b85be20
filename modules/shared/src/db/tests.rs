mod postgres;

use std::{
    collections::HashMap,
    sync::{Mutex, atomic::AtomicU64},
};

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};

use super::*;
use crate::events::{self, Event};

diesel::table! {
    counters (name) {
        name -> Text,
        value -> BigInt,
    }
}

const COUNTERS: Migrations = Migrations {
    module: "test",
    list: &[
        Migration {
            version: "2026-01-01_counters",
            up: "create table counters (name text primary key, value bigint not null check (value >= 0));",
            down: "drop table counters;",
        },
        Migration {
            version: "2026-01-02_index",
            up: "create index counters_value on counters (value);",
            down: "drop index counters_value;",
        },
    ],
};

#[derive(Serialize, Deserialize)]
struct Counted {
    value: i64,
}

impl Event for Counted {
    const TYPE: &'static str = "test.counted";
}

async fn open(folder: &tempfile::TempDir) -> Db {
    let url = format!("sqlite://{}/data/test.db", folder.path().display());
    let db = Db::open(&url, &Options::default()).await.unwrap();
    db.migrate(&[events::MIGRATIONS, COUNTERS]).await.unwrap();
    db
}

async fn create(conn: &mut Conn, name: &str, value: i64) -> Result<()> {
    on!(conn, |c| diesel::insert_into(counters::table)
        .values((counters::name.eq(name), counters::value.eq(value)))
        .execute(c)
        .await)?;
    Ok(())
}

async fn value(conn: &mut Conn, name: &str) -> Result<i64> {
    Ok(on!(conn, |c| counters::table.find(name).select(counters::value).first(c).await)?)
}

async fn set(conn: &mut Conn, name: &str, value: i64) -> Result<()> {
    let row = counters::table.find(name);
    on!(conn, |c| diesel::update(row).set(counters::value.eq(value)).execute(c).await)?;
    Ok(())
}

async fn names(db: &Db) -> Vec<String> {
    let mut conn = db.get().await.unwrap();
    let names = counters::table.select(counters::name).order(counters::name);
    on!(&mut conn, |c| names.load(c).await).unwrap()
}

async fn until(mut condition: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait).await.expect("the condition holds in time");
}

#[tokio::test]
async fn a_failed_unit_does_not_undo_its_neighbours_and_no_increment_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder).await;
    db.transaction(async |tx| create(tx, "n", 0).await).await.unwrap();
    let before = db.commits();
    let units = (0..250).map(|i| {
        let db = db.clone();
        tokio::spawn(async move {
            db.transaction(async move |tx| {
                let read = value(tx, "n").await?;
                tokio::task::yield_now().await;
                set(tx, "n", read + 1).await?;
                if i % 5 == 0 { Err(Error::conflict("no", "every fifth fails")) } else { Ok(read) }
            })
            .await
        })
    });
    let results = futures::future::join_all(units).await;
    assert_eq!(results.into_iter().filter(|result| result.as_ref().unwrap().is_ok()).count(), 200);
    assert_eq!(value(&mut db.get().await.unwrap(), "n").await.unwrap(), 200);
    let commits = db.commits() - before;
    assert!(commits < 125, "250 transactions took {commits} commits");
}

#[tokio::test]
async fn a_callers_end_does_not_end_its_transaction() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder).await;
    let (started, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (has_started, may_go) = (started.clone(), go.clone());
    let handle = db.clone();
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
    assert!(caller.await.unwrap_err().is_cancelled());
    go.notify_one();
    until(async || !names(&db).await.is_empty()).await;
}

#[tokio::test]
async fn a_panic_rolls_back_only_its_own_unit() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder).await;
    let (first, bad, last) = tokio::join!(
        db.transaction(async |tx| create(tx, "a", 1).await),
        db.transaction(async |tx| {
            create(tx, "b", 1).await?;
            if tx.now().micros() > 0 {
                panic!("in the middle");
            }
            Ok(())
        }),
        db.transaction(async |tx| create(tx, "c", 1).await),
    );
    assert!(first.is_ok() && last.is_ok());
    assert!(bad.unwrap_err().chain().contains("in the middle"));
    assert_eq!(names(&db).await, ["a", "c"]);
}

#[tokio::test]
async fn a_unit_that_spoils_the_commit_fails_alone() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder).await;
    let (first, bad, last) = tokio::join!(
        db.transaction(async |tx| create(tx, "a", 1).await),
        // Ends the outer transaction as SQLite itself does when the disk is full.
        db.transaction(async |tx| Ok(on!(tx, |c| c.batch_execute("rollback").await)?)),
        db.transaction(async |tx| create(tx, "c", 1).await),
    );
    assert!(first.is_ok() && bad.is_err() && last.is_ok());
    assert_eq!(names(&db).await, ["a", "c"]);
}

#[tokio::test]
async fn a_transaction_inside_a_transaction_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder).await;
    let inner = db.clone();
    let nested = db.transaction(async move |_| inner.transaction(async |_| Ok(())).await).await;
    assert!(nested.unwrap_err().chain().contains("inside a transaction"));
}

#[tokio::test]
async fn a_unit_that_hangs_is_rolled_back_and_does_not_hold_up_others() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/test.db", folder.path().display());
    let options = Options { transaction_timeout: Duration::from_millis(50), ..Options::default() };
    let db = Db::open(&url, &options).await.unwrap();
    db.migrate(&[COUNTERS]).await.unwrap();
    let (hung, next) = tokio::join!(
        db.transaction(async |tx| {
            create(tx, "hung", 1).await?;
            std::future::pending::<Result<()>>().await
        }),
        db.transaction(async |tx| create(tx, "next", 1).await),
    );
    assert_eq!(hung.unwrap_err().kind, crate::Kind::Unavailable);
    next.unwrap();
    assert_eq!(names(&db).await, ["next"]);
}

#[tokio::test]
async fn readers_see_no_uncommitted_row_cannot_write_and_are_limited() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/test.db", folder.path().display());
    let options = Options { readers: 1, acquire_timeout: Duration::from_millis(20), ..Options::default() };
    let db = Db::open(&url, &options).await.unwrap();
    db.migrate(&[COUNTERS]).await.unwrap();
    let mut reader = db.get().await.unwrap();
    assert!(create(&mut reader, "a", 1).await.is_err());
    assert_eq!(db.get().await.err().unwrap().kind, crate::Kind::Unavailable);
    // A read whose caller is gone leaves a usable connection behind.
    let Conn::Sqlite(c) = &mut reader else { panic!("this is SQLite") };
    drop(c.spawn_blocking(|_| {
        std::thread::sleep(Duration::from_millis(30));
        Ok(())
    }));
    drop(reader);
    assert_eq!(names(&db).await, Vec::<String>::new());
}

#[tokio::test]
async fn watchers_see_committed_events_only_and_before_the_caller() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder).await;
    let seen = Arc::new(Mutex::new(HashMap::<String, usize>::new()));
    let watched = seen.clone();
    db.watch(Arc::new(move |emitted| {
        for event in emitted {
            *watched.lock().unwrap().entry(event.aggregate_id.clone()).or_default() += 1;
        }
    }));
    db.watch(Arc::new(|_| panic!("a broken watcher")));
    let units = (0..20).map(|i| {
        let db = db.clone();
        async move {
            db.transaction(async move |tx| {
                tx.emit("test", i, 1, &Counted { value: i }).await?;
                if i % 2 == 0 { Ok(()) } else { Err(Error::conflict("no", "odd ones fail")) }
            })
            .await
        }
    });
    futures::future::join_all(units).await;
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 10);
    assert!(seen.iter().all(|(id, count)| id.parse::<i64>().unwrap() % 2 == 0 && *count == 1));
}

#[tokio::test]
async fn the_last_handle_ends_the_thread_after_its_work() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder).await;
    let done = Arc::new(AtomicU64::new(0));
    let counted = done.clone();
    let work = async move |tx: &mut Tx| {
        counted.fetch_add(1, Ordering::SeqCst);
        create(tx, "last", 1).await
    };
    let (reply, answer) = oneshot::channel();
    db.submit(Box::new(Job::new(work, reply))).await.unwrap();
    drop(db);
    answer.await.unwrap().unwrap();
    // The thread owned the work; when it is gone, nobody else holds the counter.
    until(async || Arc::strong_count(&done) == 1).await;
}

#[tokio::test]
async fn migrations_apply_once_and_revert_in_turn() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/test.db", folder.path().display());
    let (one, two) = (
        Db::open(&url, &Options::default()).await.unwrap(),
        Db::open(&url, &Options::default()).await.unwrap(),
    );
    let all = [events::MIGRATIONS, COUNTERS];
    let (first, second) = tokio::join!(one.migrate(&all), two.migrate(&all));
    let count = all.iter().map(|module| module.list.len()).sum::<usize>();
    assert_eq!(first.unwrap().len() + second.unwrap().len(), count);
    assert!(one.migration_status(&all).await.unwrap().iter().all(|(_, applied)| *applied));
    assert_eq!(one.revert_last(&all).await.unwrap().as_deref(), Some("test/2026-01-02_index"));
    assert_eq!(one.revert_last(&all).await.unwrap().as_deref(), Some("test/2026-01-01_counters"));
    assert_eq!(one.migrate(&all).await.unwrap(), ["test/2026-01-01_counters", "test/2026-01-02_index"]);
    for _ in 0..count {
        assert!(one.revert_last(&all).await.unwrap().is_some());
    }
    assert_eq!(one.revert_last(&all).await.unwrap(), None);
}

#[tokio::test]
async fn an_event_carries_the_trace_of_its_request() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let watched = seen.clone();
    db.watch(Arc::new(move |emitted| {
        watched.lock().unwrap().extend(emitted.iter().map(|e| e.traceparent.clone()))
    }));
    let emit = || db.transaction(async |tx| tx.emit("test", 1, 1, &Counted { value: 1 }).await);
    let trace = crate::telemetry::TraceParent::new();
    crate::telemetry::scope(trace, emit()).await.unwrap();
    emit().await.unwrap();
    assert_eq!(*seen.lock().unwrap(), [Some(trace.to_string()), None]);
}

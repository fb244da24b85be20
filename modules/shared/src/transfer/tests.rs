use std::sync::Mutex;

use diesel_async::SimpleAsyncConnection;

use super::*;
use crate::db::{Db, Migration, Migrations, Options, on};

const THINGS: Migrations = Migrations {
    module: "test",
    list: &[Migration {
        version: "2026-01-01_start",
        up: "create table things (
                id uuid primary key, name text not null, parts bigint not null, good boolean not null,
                made_at timestamptz not null, note text, score double precision
             );
             create table parts (
                thing uuid not null references things (id), position bigint not null, name text not null,
                primary key (thing, position)
             );",
        down: "drop table parts; drop table things;",
    }],
};

async fn open(url: &str) -> (Db, Tables) {
    let db = Db::open(url, &Options::default()).await.unwrap();
    db.migrate(&[THINGS]).await.unwrap();
    let tables = Tables::new(db.clone(), &[THINGS]);
    (db, tables)
}

async fn run(db: &Db, sql: String) {
    db.transaction(async move |tx| Ok(on!(tx, |c| c.batch_execute(&sql).await)?)).await.unwrap();
}

/// 1,200 things, some of them odd, with a part or two.
async fn fill(db: &Db) {
    let mut sql = String::new();
    for i in 0..1200 {
        let id = uuid::Uuid::from_u128(i * 0x1_0001);
        let (name, note) = match i % 4 {
            0 => ("O''Brien \"x\" \\ \u{fc}\u{1F600}", "null"),
            1 => ("", "''"),
            2 => ("5", "'5'"),
            _ => ("true\n", "'{\"a\": [1]}'"),
        };
        let score = match i % 5 {
            0 => "null".to_owned(),
            // Many digits, and never a whole number, which PostgreSQL writes without a point.
            _ => format!("{:?}", f64::from(2 * u32::try_from(i).unwrap() + 1) / 14.0),
        };
        let (good, at) =
            (i % 2 == 0, crate::Time::from_micros(1_800_000_000_000_000 + i64::try_from(i).unwrap()));
        sql += &format!(
            "insert into things values ('{id}', '{name}', {}, {good}, '{at}', {note}, {score});",
            i64::MAX
        );
        for position in 0..=i % 2 {
            sql += &format!("insert into parts values ('{id}', {position}, 'part');");
        }
    }
    run(db, sql).await;
}

#[tokio::test]
async fn a_database_arrives_as_it_was_and_comes_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let url = |name: &str| format!("sqlite://{}/{name}.db", folder.path().display());
    let (db, source) = open(&url("source")).await;
    fill(&db).await;
    let (_, there) = open(&crate::testing::relational(folder.path(), "transfer").await.unwrap()).await;
    let (_, back) = open(&url("back")).await;
    let told = Mutex::new(Vec::new());
    let tell = |kind: &str, count: u64| told.lock().unwrap().push((kind.to_owned(), count));
    let sums = copy(&source, &there, &tell).await.unwrap();
    assert_eq!(
        sums.iter().map(|(kind, sum)| (kind.as_str(), sum.count)).collect::<Vec<_>>(),
        [("things", 1200), ("parts", 1800)]
    );
    assert_eq!(told.lock().unwrap().iter().filter(|told| told.0 == "things").count(), 3);
    assert_eq!(copy(&there, &back, &|_, _| ()).await.unwrap(), sums);
    assert_eq!(
        source.read("things", None, 2000).await.unwrap(),
        back.read("things", None, 2000).await.unwrap()
    );
}

#[tokio::test]
async fn a_copy_goes_on_where_it_was_interrupted_and_corrects_what_is_different() {
    let folder = tempfile::tempdir().unwrap();
    let (db, source) = open(&format!("sqlite://{}/source.db", folder.path().display())).await;
    fill(&db).await;
    let (target, there) = open(&crate::testing::relational(folder.path(), "transfer").await.unwrap()).await;
    there.write("things", source.read("things", None, 700).await.unwrap()).await.unwrap();
    check(&source, &there).await.unwrap();
    let told = Mutex::new(Vec::new());
    let tell = |kind: &str, count: u64| told.lock().unwrap().push((kind.to_owned(), count));
    copy(&source, &there, &tell).await.unwrap();
    assert_eq!(
        told.lock().unwrap()[0],
        ("things".to_owned(), 500),
        "those that are there are not brought again"
    );

    run(&target, "update things set name = 'changed' where parts > 0 and note is null".to_owned()).await;
    copy(&source, &there, &|_, _| ()).await.unwrap();

    run(
        &target,
        format!(
            "insert into things values ('{}', '', 1, true, '2026-01-01T00:00:00Z', null, null)",
            uuid::Uuid::max()
        ),
    )
    .await;
    assert_eq!(check(&source, &there).await.unwrap_err().code, "not_empty");
    assert_eq!(copy(&source, &there, &|_, _| ()).await.unwrap_err().code, "different");
}

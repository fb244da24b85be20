//! On the servers that the environment names, or on SQLite.

use diesel_async::SimpleAsyncConnection;
use mongodb::bson::doc;

use super::*;
use crate::{
    db::{Db, Options},
    mongo::{Mongo, Schema, Spec, index},
};

const TABLES: &str =
    "create table things (id text primary key, owner text not null, due bigint, size bigint not null);
    create index things_owner on things (owner, size);
    create index things_due on things (due) where due is not null;
    create table parts (id text primary key, thing text not null);";

async fn relational() -> (tempfile::TempDir, Database, Recorder) {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::new();
    let options = Options { recorder: Some(recorder.clone()), ..Options::default() };
    let db = Db::open(&crate::testing::relational(folder.path(), "queries").await.unwrap(), &options)
        .await
        .unwrap();
    db.transaction(async |tx| Ok(on!(tx, |c| c.batch_execute(TABLES).await)?)).await.unwrap();
    (folder, db.into(), recorder)
}

/// The tables that a statement scans.
async fn scanned(db: &Database, text: &str) -> Vec<String> {
    let sqlite = db.kind() == "sqlite";
    let text = if sqlite { text.replace("$1", "?").replace("$2", "?") } else { text.to_owned() };
    let tables = ["things".to_owned(), "parts".to_owned()];
    let scans = db.scans(&Statement::Sql(text), &tables).await.unwrap();
    scans.into_iter().map(|scan| scan.table).collect()
}

#[tokio::test]
async fn a_table_that_no_index_helps_with_is_scanned() {
    let (_folder, db, _) = relational().await;
    for served in [
        "select id from things where id = $1",
        "select id from things where owner = $1 order by size limit $2",
        "select id from things where owner = $1 and due > $2",
        "select id from things order by due desc, id limit 5",
        "select id from things where due is not null",
        "select t.size from parts p join things t on t.id = p.thing where p.id = $1",
        "update things set size = $2 where id = $1",
        "insert into things (id, owner, size) values ($1, $2, 1) on conflict (id) do nothing",
    ] {
        // The order by due and id is no index's: with a limit it is sorted, which is a scan.
        let expected = if served.contains("due desc") { vec!["things".to_owned()] } else { Vec::new() };
        assert_eq!(scanned(&db, served).await, expected, "{served}");
    }
    for (scan, table) in [
        ("select id from things where size = $1", "things"),
        ("select owner from things order by owner", "things"),
        ("select t.size from things t join parts p on p.thing = t.id where t.id = $1", "parts"),
        ("select id from parts where exists (select 1 from things where things.size = $1)", "things"),
        ("delete from parts where thing = $1", "parts"),
        ("update things set owner = $1 where size < $2", "things"),
    ] {
        assert!(scanned(&db, scan).await.contains(&table.to_owned()), "{scan}");
    }
}

#[tokio::test]
async fn each_statement_is_noted_once_and_without_its_values() {
    let (_folder, db, recorder) = relational().await;
    let Database::Sql(sql_db) = &db else { unreachable!("a relational database") };
    for size in [1_i64, 2] {
        let insert = async move |tx: &mut crate::db::Tx| {
            let row = format!("insert into things (id, owner, size) values ('a{size}', 'secret', {size})");
            Ok(on!(tx, |c| diesel::sql_query(&row).execute(c).await)?)
        };
        sql_db.transaction(insert).await.unwrap();
        let query = diesel::sql_query("select size as n from things where size = 7 and id <> ''");
        on!(&mut sql_db.get().await.unwrap(), |c| query.execute(c).await).unwrap();
    }
    let noted: Vec<String> = recorder.statements().iter().map(Statement::text).collect();
    assert_eq!(noted.iter().filter(|text| text.starts_with("select size")).count(), 1, "{noted:?}");
    assert!(!noted.iter().any(|text| text.contains("create table")), "{noted:?}");
    let things =
        recorder.statements().iter().filter(|s| s.tables(["things", "parts"]).contains("things")).count();
    assert!(things >= 2, "{noted:?}");
    assert_eq!(db.rows("things").await.unwrap(), 2);
}

#[test]
fn lists_of_any_length_are_one_statement() {
    let short = without_values("SELECT a FROM t WHERE id IN (?, ?, ?) -- binds: [1, 2, 3]");
    let long = without_values("SELECT a\n FROM t WHERE id IN (?, ?, ?, ?, ?) -- binds: [1, 2, 3, 4, 5]");
    assert!(short.is_some() && short == long, "{short:?} {long:?}");
    assert_eq!(without_values("begin immediate"), None);
    let insert = without_values("INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) -- binds: [1, 2, 3, 4]");
    assert_eq!(insert.as_deref(), Some("INSERT INTO t (a, b) VALUES"));
}

fn collections() -> Vec<Spec> {
    let indexes = vec![index(doc! {"owner": 1, "size": 1})];
    vec![Spec { name: "things", indexes, validator: None }]
}

#[tokio::test]
async fn a_collection_that_no_index_helps_with_is_scanned() {
    let folder = tempfile::tempdir().unwrap();
    let url = crate::testing::documents(folder.path(), "queries").unwrap();
    if url.starts_with("sqlite:") {
        return;
    }
    let recorder = Recorder::new();
    let options = Options { recorder: Some(recorder.clone()), ..Options::default() };
    let mongo = Mongo::open(&url, &options).await.unwrap();
    mongo.migrate(&[Schema { module: "test", collections }]).await.unwrap();
    let things = mongo.collection("things");
    things.insert_one(doc! {"_id": "a", "owner": "x", "size": 1}).await.unwrap();
    for owner in ["x", "y"] {
        things.find_one(doc! {"owner": owner}).sort(doc! {"size": 1}).await.unwrap();
        things.find_one(doc! {"size": {"$gt": 1}}).await.unwrap();
        things.update_one(doc! {"_id": owner}, doc! {"$set": {"size": 2}}).await.unwrap();
        things.delete_many(doc! {"size": 7}).await.unwrap();
        things.count_documents(doc! {"owner": owner}).await.unwrap();
    }
    let noted = recorder.statements();
    let texts: Vec<String> = noted.iter().map(Statement::text).collect();
    assert_eq!(noted.len(), 6, "{texts:#?}");
    assert!(!texts.iter().any(|text| text.contains('y')), "{texts:#?}");
    let db = Database::from(mongo);
    let mut scanned = Vec::new();
    for statement in &noted {
        if !db.scans(statement, &["things".to_owned()]).await.unwrap().is_empty() {
            scanned.push(statement.text());
        }
    }
    assert_eq!(scanned.len(), 2, "{scanned:#?}");
    assert!(scanned[0].starts_with("{delete:") && scanned[1].starts_with("{find:"), "{scanned:#?}");
}

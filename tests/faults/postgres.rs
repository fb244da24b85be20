//! PostgreSQL dies, is away, and has deadlocks.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use diesel::{QueryableByName, sql_query, sql_types::BigInt};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use futures::future::join_all;
use reqwest::Method;
use serde_json::json;
use shared::{
    Kind,
    db::{Db, Options, Tx, on},
};

use crate::{
    client::Client,
    harness::{OWNER, PASSWORD, cart, fresh, wait_for},
    journal::Journal,
    load::{Load, Traffic},
    rounds,
    shop::{DEADLINE, Shop},
};

/// How soon after PostgreSQL takes connections something is sold again.
const BACK: Duration = Duration::from_secs(5);

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// F3.
#[tokio::test]
async fn f3_nothing_is_lost_when_postgresql_crashes_under_load() {
    let shop = Shop::open(&["postgres"], &[]).await;
    let mut journal = Journal::default();
    for _ in 0..rounds() {
        let load = Load::start(&shop).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        shop.servers.stop("postgres", "QUIT").await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        shop.servers.again("postgres").await;
        let up = Instant::now();
        tokio::time::sleep(Duration::from_secs(3)).await;
        let traffic = load.end().await;
        assert!(traffic.purchases.with_status(503) > 0, "it was away");
        journal.extend(is_back("server stopped", up, traffic));

        let load = Load::start(&shop).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        kill_backends(&shop).await;
        let up = Instant::now();
        tokio::time::sleep(Duration::from_secs(3)).await;
        journal.extend(is_back("backends killed", up, load.end().await));
    }
    shop.owes_nobody_anything(journal).await;
}

/// Whoever only looks has noticed nothing, nobody waited too long, and something is sold soon after.
fn is_back(what: &str, up: Instant, traffic: Traffic) -> Journal {
    let Traffic { looks, purchases, journal } = traffic;
    let back = purchases.first_after(up, 201).expect("something is sold again");
    println!("F3 {what}: first 201 after {back:?}; looks: {looks}; purchases: {purchases}");
    assert!(back <= BACK, "{what}: {back:?}");
    assert!(looks.served() >= 1.0, "{what}: {looks}");
    assert!(purchases.slowest() <= DEADLINE, "{what}: {purchases}");
    journal
}

/// SIGKILL to each process that serves a connection. The server then throws everybody out and recovers.
async fn kill_backends(shop: &Shop) {
    let admin = administrator(shop).await;
    let query = "select pid::bigint as n from pg_stat_activity where backend_type = 'client backend'";
    let pids: Vec<Number> = on!(&mut admin.get().await.unwrap(), |c| sql_query(query).load(c).await).unwrap();
    let pids = pids.iter().map(|pid| pid.n.to_string());
    // Some are gone as soon as the first is.
    Command::new("sh")
        .arg("-c")
        .arg(format!("kill -KILL {} 2>&-", pids.collect::<Vec<_>>().join(" ")))
        .status()
        .unwrap();
}

async fn administrator(shop: &Shop) -> Db {
    let url = format!("{}/postgres", shop.servers.postgres().unwrap());
    Db::open(&url, &Options { readers: 1, ..Options::default() }).await.unwrap()
}

/// F7. The server takes a second to see a deadlock; who has waited for a lock too long meanwhile is told to come back.
#[tokio::test]
async fn f7_deadlocks_are_run_again_and_nobody_sees_them() {
    let shop = Shop::open(&["postgres"], &[]).await;
    let db = shop.app.databases.orders().clone();
    let table = "create table storm (id bigint primary key, n bigint not null); \
                 insert into storm values (1, 0), (2, 0)";
    on!(&mut db.get().await.unwrap(), |c| c.batch_execute(table).await).unwrap();
    let begun = Instant::now();
    let clients = 16;
    let storm = join_all((0..clients).map(|client| {
        let db = db.clone();
        async move {
            let order = if client % 2 == 0 { [1, 2] } else { [2, 1] };
            db.transaction(async move |tx| count_both(tx, order).await).await
        }
    }));
    let refused: Vec<_> = storm.await.into_iter().filter_map(Result::err).collect();
    println!(
        "F7: {clients} transactions against each other took {:?}; {} were told to come back",
        begun.elapsed(),
        refused.len()
    );
    assert!(refused.iter().all(|error| error.kind == Kind::Unavailable), "{refused:?}");
    assert!(refused.len() < clients as usize, "{refused:?}");
    let sum = "select sum(n)::bigint as n from storm";
    assert_eq!(number(&db, sum).await, 2 * (clients - refused.len() as i64));
    let deadlocks = "select deadlocks as n from pg_stat_database where datname = current_database()";
    wait_for("there were deadlocks", async || number(&db, deadlocks).await > 0).await;
}

/// Takes one row, lets others take the other, and takes that.
async fn count_both(tx: &mut Tx, order: [i64; 2]) -> shared::Result<()> {
    for id in order {
        let count = format!("update storm set n = n + 1 where id = {id}; select pg_sleep(0.02)");
        on!(tx, |c| c.batch_execute(&count).await)?;
    }
    Ok(())
}

async fn number(db: &Db, query: &str) -> i64 {
    let number: Number = on!(&mut db.get().await.unwrap(), |c| sql_query(query).get_result(c).await).unwrap();
    number.n
}

#[tokio::test]
async fn without_postgresql_everything_is_shown_and_who_wants_more_is_told_when_to_come_back() {
    let shop = Shop::open(&["postgres"], &[]).await;
    let guest = &shop.guest;
    let cart = cart(guest, &[(&shop.town.goods[1], 2)]).await;
    let body = shop.town.checkout_of(&cart, "ada@example.com", "tok_ok");
    let paths = shop.town.goods.each_ref().map(|goods| format!("/api/v1/products/{}", goods.slug));
    let before = join_all(paths.iter().map(|path| guest.root(Method::GET, path).send())).await;

    shop.servers.stop("postgres", "QUIT").await;
    let begun = Instant::now();
    for (path, before) in paths.iter().zip(&before) {
        let answer = guest.root(Method::GET, path).send().await;
        assert_eq!((answer.status, &answer.bytes), (200, &before.bytes), "{answer}");
    }
    for path in [
        "/",
        "/search",
        "/categories",
        "/cart",
        "/healthz",
        &format!("/products/{}", shop.town.goods[0].slug),
    ] {
        assert_eq!(guest.root(Method::GET, path).send().await.status, 200, "{path}");
    }
    crate::harness::cart(guest, &[(&shop.town.goods[0], 1)]).await;
    let key = fresh();
    guest.post_once("/checkout", &body, &key).await.refused(503, "unavailable");
    guest
        .post("/sessions", &json!({"email": OWNER.0, "password": OWNER.1}))
        .await
        .refused(503, "unavailable");
    register(guest, "ada@example.com").await.refused(503, "unavailable");
    let ready = guest.root(Method::GET, "/readyz").send().await.refused(503, "unavailable");
    assert_eq!(ready["failing"], json!(["customers database", "orders database"]), "{ready}");
    assert!(begun.elapsed() < DEADLINE, "{:?}", begun.elapsed());

    shop.servers.again("postgres").await;
    let up = Instant::now();
    wait_for("the order is placed", async || {
        let answer = guest.post_once("/checkout", &body, &key).await;
        assert!([201, 409, 503].contains(&answer.status), "{answer}");
        answer.status == 201
    })
    .await;
    println!("without PostgreSQL: sold again after {:?}", up.elapsed());
    assert!(up.elapsed() <= BACK, "{:?}", up.elapsed());
    register(guest, "ada@example.com").await.expect(201);
    guest.root(Method::GET, "/readyz").send().await.expect(200);
}

async fn register(guest: &Client, email: &str) -> crate::client::Answer {
    guest.post("/customers", &json!({"email": email, "password": PASSWORD, "name": "Ada"})).await
}

//! The baselines: what the framework and the database alone can do.

use std::{
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use actix_web::{App, HttpResponse, HttpServer, web};
use hdrhistogram::Histogram;
use shared::db::{Db, Options};
use tokio::task::JoinSet;

use crate::{
    client::Client,
    scenario::{Row, row},
    shop::free_address,
};

/// A process that serves the same bytes for every request.
pub struct Server {
    pub address: SocketAddr,
    child: Child,
    _body: tempfile::NamedTempFile,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts this program again as a server of `body`.
    pub async fn start(body: &[u8]) -> Self {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), body).expect("written");
        let address = free_address();
        let program = std::env::current_exe().expect("this program");
        let argument = format!("{address}|{}", file.path().display());
        let child = Command::new(program)
            .args(["--bare-server", &argument])
            .stdout(Stdio::null())
            .spawn()
            .expect("runs");
        let started = Instant::now();
        while Client::connect(address).await.is_err() {
            assert!(started.elapsed() < Duration::from_secs(10), "the bare server did not start");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Self { address, child, _body: file }
    }
}

/// `argument` is `address|file`. Ends with the process.
pub fn serve(argument: &str) {
    let (address, file) = argument.split_once('|').expect("address|file");
    let body = web::Bytes::from(std::fs::read(file).expect("the file"));
    let server = HttpServer::new(move || {
        let body = body.clone();
        let handler = move || {
            let body = body.clone();
            async move { HttpResponse::Ok().content_type("application/json").body(body) }
        };
        App::new().default_service(web::to(handler))
    });
    let server = server.bind(address).expect("a free address").run();
    actix_web::rt::System::new().block_on(server).expect("the server runs");
}

/// The writes of one checkout of one line as bare SQL, one transaction a step, on one connection with the same pragmas
/// and without sharing commits (on PostgreSQL on many, where that is the database): cart, key, order, reservation, payment, authorisation, sale, capture, placed, events.
pub async fn checkout_sql(concurrency: usize, duration: Duration) -> Row {
    let folder = tempfile::tempdir().expect("a folder");
    let url = shared::testing::relational(folder.path(), "bare").await.expect("a database");
    let options = Options { readers: 16, ..Options::default() };
    let db = Db::open(&url, &options).await.expect("opens");
    db.transaction(async |tx| execute(tx, SCHEMA).await).await.expect("the schema");
    let mut times = Histogram::<u64>::new(3).expect("a precision");
    let end = Instant::now() + duration;
    let mut workers = JoinSet::new();
    let gate = std::sync::Arc::new(tokio::sync::Mutex::new(()));
    for worker in 0..concurrency {
        let (db, gate) = (db.clone(), gate.clone());
        workers.spawn(async move {
            let mut taken = Vec::new();
            let mut turn = 0;
            while Instant::now() < end {
                let started = Instant::now();
                for step in steps(&format!("{worker}-{turn}")) {
                    // SQLite: one after the other, each with its own commit, as a shop without group commit would.
                    let _turn = if db.is_sqlite() { Some(gate.lock().await) } else { None };
                    db.transaction(async move |tx| execute(tx, &step).await).await.expect("the step");
                }
                taken.push(started.elapsed().as_micros() as u64);
                turn += 1;
            }
            taken
        });
    }
    for taken in workers.join_all().await {
        taken.into_iter().for_each(|micros| times.record(micros).expect("within range"));
    }
    row("baseline: bare SQL of one checkout", concurrency, duration, &times)
}

async fn execute(tx: &mut shared::db::Tx, sql: &str) -> shared::Result<()> {
    use diesel_async::SimpleAsyncConnection;
    Ok(shared::on!(tx, |c| c.batch_execute(sql).await)?)
}

const SCHEMA: &str = "
create table documents (id text primary key, version bigint not null, updated_at text not null, data text not null);
create table orders (id text primary key, number text not null unique, email text not null, status text not null,
    created_at text not null, data text not null);
create index orders_email on orders (email, created_at);
create table lines (id text primary key, order_id text not null, quantity bigint not null, data text not null);
create index lines_order on lines (order_id);
create table timeline (id text primary key, order_id text not null, at text not null, data text not null);
create index timeline_order on timeline (order_id, at);
create table levels (variant text primary key, on_hand bigint not null, reserved bigint not null,
    check (0 <= reserved and reserved <= on_hand));
insert into levels values ('v', 1000000000, 0);
create table movements (id text primary key, variant text not null, delta bigint not null, at text not null);
create index movements_variant on movements (variant, at);
create table reservations (id text primary key, state text not null, expires_at text not null, data text not null);
create table payments (id text primary key, order_id text not null unique, status text not null, data text not null);
create table ledger (id text primary key, order_id text not null, account text not null, amount bigint not null);
create table outbox (id text primary key, aggregate text not null, sequence bigint not null, published_at text, data text not null);
create index outbox_unpublished on outbox (id) where published_at is null;
create table keys (scope text not null, key text not null, state text not null, data text not null, primary key (scope, key));
";

/// The transactions of one checkout.
fn steps(id: &str) -> Vec<String> {
    let data = "x".repeat(1500);
    let small = "x".repeat(200);
    let at = "2026-01-01T00:00:00.000000Z";
    vec![
        format!("insert into documents values ('cart-{id}', 1, '{at}', '{small}')"),
        format!("insert into keys values ('anonymous', 'k-{id}', 'started', '{small}')"),
        format!(
            "insert into orders values ('{id}', 'B-{id}', '{id}@example.com', 'pending', '{at}', '{data}');
             insert into lines values ('l-{id}', '{id}', 1, '{small}');
             insert into timeline values ('t0-{id}', '{id}', '{at}', '{small}')"
        ),
        format!(
            "update levels set reserved = reserved + 1 where variant = 'v' and reserved + 1 <= on_hand;
             insert into reservations values ('{id}', 'active', '{at}', '{small}');
             insert into outbox values ('s0-{id}', 'v', 1, null, '{small}')"
        ),
        format!("insert into payments values ('p-{id}', '{id}', 'pending', '{small}')"),
        format!(
            "update payments set status = 'authorized' where order_id = '{id}';
             insert into outbox values ('p0-{id}', '{id}', 1, null, '{small}')"
        ),
        format!(
            "update levels set reserved = reserved - 1, on_hand = on_hand - 1 where variant = 'v';
             update reservations set state = 'committed' where id = '{id}';
             insert into movements values ('m-{id}', 'v', -1, '{at}');
             insert into outbox values ('s1-{id}', 'v', 2, null, '{small}')"
        ),
        format!(
            "update payments set status = 'captured' where order_id = '{id}';
             insert into ledger values ('d-{id}', '{id}', 'provider', 1900);
             insert into ledger values ('c-{id}', '{id}', 'sales', -1900);
             insert into outbox values ('p1-{id}', '{id}', 2, null, '{small}')"
        ),
        format!(
            "update orders set status = 'placed' where id = '{id}';
             insert into timeline values ('t1-{id}', '{id}', '{at}', '{small}');
             insert into timeline values ('t2-{id}', '{id}', '{at}', '{small}');
             insert into outbox values ('o-{id}', '{id}', 3, null, '{data}')"
        ),
        format!("update documents set version = 2 where id = 'cart-{id}'"),
        format!(
            "update keys set state = 'done', data = '{data}' where scope = 'anonymous' and key = 'k-{id}'"
        ),
    ]
}

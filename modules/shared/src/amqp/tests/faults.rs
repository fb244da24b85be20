//! What may be wrong with messages and with the network: F13, F14 and F22 of the table of faults.

use std::{collections::BTreeMap, net::SocketAddr};

use lapin::BasicProperties;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use super::*;
use crate::{
    db::{Db, Migration, Migrations, Options as DbOptions},
    events::{self, Event, inbox},
};

/// How late a healthy event may be beside bad ones.
const PROMPT: Duration = Duration::from_secs(1);

#[derive(Serialize, Deserialize)]
struct Done {
    n: i64,
}

impl Event for Done {
    const TYPE: &'static str = "test.done";
}

/// Reads what it gets, panics at some of it, and says when it has taken the rest.
#[derive(Default)]
struct Reader {
    tries: StdMutex<BTreeMap<String, u64>>,
    taken: StdMutex<BTreeMap<String, Instant>>,
}

#[async_trait]
impl Consumer for Reader {
    fn hears(&self) -> Hears {
        Hears { consumer: "reader", kinds: &[Done::TYPE] }
    }

    async fn handle(&self, event: &Envelope) -> Result<()> {
        *lock(&self.tries).entry(event.aggregate_id.clone()).or_default() += 1;
        let Done { n } = event.parse()?;
        assert!(n >= 0, "a negative number");
        lock(&self.taken).insert(event.aggregate_id.clone(), Instant::now());
        Ok(())
    }
}

/// Puts bytes into a consumer's queue.
async fn put(broker: &Broker, consumer: &str, body: &[u8]) {
    let publisher = broker.publisher().await.unwrap();
    let queue = broker.name(&format!("events.{consumer}"));
    let put = publisher.events.basic_publish(
        "".into(),
        queue.into(),
        Default::default(),
        body,
        BasicProperties::default(),
    );
    put.await.unwrap().await.unwrap();
}

#[tokio::test]
async fn f13_what_nobody_can_take_is_dead_after_its_tries_and_holds_up_nobody() {
    let Some(shop) = shop() else { return };
    let reader = Arc::new(Reader::default());
    let broker = shop.process("one");
    broker.consume(vec![reader.clone()]);
    let process = shop.started(broker.clone()).await;
    let bus = broker.bus();
    until(async || bus.deliver("reader", &event("done", "first", 0)).await.is_ok()).await;

    let (unknown, too_new) =
        (event("undone", "unknown", 1), Envelope { version: 2, ..event("done", "new", 1) });
    let panics = event("done", "panics", -1);
    put(&broker, "reader", b"{\"id\": ").await;
    put(&broker, "reader", &vec![b'x'; 5 << 20]).await;
    for bad in [&unknown, &too_new, &panics] {
        put(&broker, "reader", &serde_json::to_vec(bad).unwrap()).await;
    }
    let mut published = BTreeMap::new();
    for n in 0..100 {
        let healthy = event("done", &format!("healthy {n}"), n);
        published.insert(healthy.aggregate_id.clone(), Instant::now());
        bus.publish(&healthy).await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    until(async || lock(&reader.taken).len() >= 101).await;
    until(async || dead_letters::list(&broker, "reader", 10).await.unwrap().len() == 5).await;

    let mut delays: Vec<_> = published.iter().map(|(id, at)| lock(&reader.taken)[id] - *at).collect();
    delays.sort();
    let p99 = delays[98];
    eprintln!("F13: 100 healthy events beside 5 bad ones: half after {:?}, 99 after {p99:?}", delays[49]);
    assert!(p99 <= PROMPT, "{p99:?}");
    let letters = dead_letters::list(&broker, "reader", 10).await.unwrap();
    // What is no event is not tried; everything else is as often as it may be.
    let mut attempts: Vec<_> = letters.iter().map(|letter| letter.attempts).collect();
    attempts.sort_unstable();
    assert_eq!(attempts, [1, 1, 3, 3, 3], "{letters:?}");
    for (bad, why) in [(&unknown, "is not test.done"), (&too_new, "has version 2"), (&panics, "negative")] {
        let letter = letters.iter().find(|letter| letter.id == bad.id.to_string()).unwrap();
        assert!(letter.error.contains(why), "{letter:?}");
        assert_eq!(lock(&reader.tries)[&bad.aggregate_id], 3);
    }
    process.stop().await;
}

const LEDGER: Migrations = Migrations {
    module: "ledger",
    list: &[Migration {
        version: "1",
        up: "create table ledger (aggregate text primary key, total bigint not null, last bigint not null, seen bigint not null)",
        down: "drop table ledger",
    }],
};

/// Adds up what it hears, each event once, and keeps of each aggregate what was said last.
struct Ledger {
    db: Db,
}

#[async_trait]
impl Consumer for Ledger {
    fn hears(&self) -> Hears {
        Hears { consumer: "ledger", kinds: &[Done::TYPE] }
    }

    async fn handle(&self, event: &Envelope) -> Result<()> {
        use diesel::sql_types::{BigInt, Text};
        use diesel_async::RunQueryDsl;
        let (id, aggregate, sequence) = (event.id, event.aggregate_id.clone(), event.sequence);
        let Done { n } = event.parse()?;
        self.db
            .transaction(async move |tx| {
                if !inbox::first(tx, "ledger", id).await? {
                    return Ok(());
                }
                let sql = "insert into ledger (aggregate, total, last, seen) values (?, ?, ?, ?) on conflict (aggregate) \
                           do update set total = total + excluded.total, \
                           last = case when excluded.seen > seen then excluded.last else last end, \
                           seen = max(seen, excluded.seen)";
                crate::db::on!(tx, |c| {
                    diesel::sql_query(sql)
                        .bind::<Text, _>(&aggregate)
                        .bind::<BigInt, _>(n)
                        .bind::<BigInt, _>(n)
                        .bind::<BigInt, _>(sequence)
                        .execute(c)
                        .await
                })?;
                Ok(())
            })
            .await
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = diesel::sql_types::Text)]
    aggregate: String,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    total: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    last: i64,
}

async fn lines(db: &Db) -> Vec<Line> {
    use diesel_async::RunQueryDsl;
    let sql = "select aggregate, total, last from ledger order by aggregate";
    crate::db::on!(&mut db.get().await.unwrap(), |c| diesel::sql_query(sql).load(c).await).unwrap()
}

#[tokio::test]
async fn f14_three_of_each_in_any_order_come_to_the_same_as_each_once() {
    let Some(shop) = shop() else { return };
    let said: Vec<_> = (1..=300)
        .map(|n| Envelope { data: json!({"n": n * n % 97}), ..event("done", &format!("a{}", n % 7), n) })
        .collect();
    let mut ended = Vec::new();
    for is_shuffled in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/ledger.db", folder.path().display());
        let db = Db::open(&url, &DbOptions::default()).await.unwrap();
        db.migrate(&[events::MIGRATIONS, LEDGER]).await.unwrap();
        let shop = Shop { url: shop.url.clone(), namespace: format!("{}-{is_shuffled}", shop.namespace) };
        let broker = shop.process("one");
        broker.consume(vec![Arc::new(Ledger { db: db.clone() })]);
        let process = shop.started(broker.clone()).await;
        let mut messages: Vec<_> = match is_shuffled {
            true => said.iter().flat_map(|event| [event; 3]).collect(),
            false => said.iter().collect(),
        };
        if is_shuffled {
            messages.chunks_mut(50).for_each(|window| window.shuffle(&mut rand::rng()));
        }
        let bus = broker.bus();
        until(async || bus.deliver("ledger", messages[0]).await.is_ok()).await;
        for message in &messages[1..] {
            bus.deliver("ledger", message).await.unwrap();
        }
        until(async || broker.depths().await.unwrap().iter().all(|(_, waiting)| *waiting == 0)).await;
        let sum = said.iter().map(|event| event.data["n"].as_i64().unwrap()).sum::<i64>();
        until(async || lines(&db).await.iter().map(|line| line.total).sum::<i64>() == sum).await;
        process.stop().await;
        ended.push(lines(&db).await);
    }
    assert_eq!(ended[0], ended[1]);
}

/// What a wire does with what goes over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wire {
    Open,
    /// Nothing arrives, in these directions, and nobody is told.
    Silent {
        there: bool,
        back: bool,
    },
    /// Connections are reset, and new ones too.
    Reset,
}

/// A wire to the broker.
struct Cable {
    address: SocketAddr,
    wire: watch::Sender<Wire>,
}

impl Cable {
    async fn to(broker: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let wire = watch::Sender::new(Wire::Open);
        let state = wire.subscribe();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let state = state.clone();
                tokio::spawn(async move {
                    let Ok(far) = TcpStream::connect(broker).await else { return };
                    near.set_zero_linger().ok();
                    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                    let mut over = state.clone();
                    tokio::select! {
                        () = carry(near_in, far_out, state.clone(), true) => {}
                        () = carry(far_in, near_out, state, false) => {}
                        _ = over.wait_for(|wire| *wire == Wire::Reset) => {}
                    }
                });
            }
        });
        Self { address, wire }
    }

    fn set(&self, wire: Wire) {
        self.wire.send_replace(wire);
    }
}

async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut state: watch::Receiver<Wire>,
    there: bool,
) {
    let mut bytes = [0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        let passes = |wire: &Wire| match wire {
            Wire::Silent { there: cut_there, back } => !if there { *cut_there } else { *back },
            _ => true,
        };
        if state.wait_for(passes).await.is_err() || to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn f22_whoever_calls_over_a_dead_wire_is_told_in_time_and_the_wire_is_given_up() {
    let Some(shop) = shop() else { return };
    let (server, _) = shop.parrot("server").await;
    let uri: AMQPUri = shop.url.parse().unwrap();
    let broker = (uri.authority.host.as_str(), uri.authority.port);
    let broker = tokio::net::lookup_host(broker).await.unwrap().next().unwrap();
    let cable = Cable::to(broker).await;
    // Heartbeats of a second, so that the silence is noticed while somebody looks.
    let userinfo = &uri.authority.userinfo;
    let url = format!(
        "amqp://{}:{}@{}/{}?heartbeat=1",
        userinfo.username,
        userinfo.password,
        cable.address,
        if uri.vhost == "/" { "%2f" } else { uri.vhost.as_str() }
    );
    let shop = Shop { url, namespace: shop.namespace.clone() };
    let (caller, client) = shop.caller().await;
    until(async || client.say("hello".into()).await.is_ok()).await;
    let limit = Duration::from_millis(1_500);
    for wire in [
        Wire::Silent { there: true, back: true },
        Wire::Silent { there: true, back: false },
        Wire::Silent { there: false, back: true },
        Wire::Reset,
    ] {
        cable.set(wire);
        let cut = Instant::now();
        let given_up = async {
            let mut publisher = caller.broker.0.publisher.subscribe();
            publisher.wait_for(Option::is_none).await.unwrap();
            cut.elapsed()
        };
        let calls = async {
            let mut slowest = Duration::ZERO;
            while cut.elapsed() < Duration::from_secs(4) {
                let asked = Instant::now();
                let told = deadline::scope(asked + limit, client.say("anybody?".into())).await;
                if let Err(error) = told {
                    assert_eq!(error.kind, Kind::Unavailable);
                }
                slowest = slowest.max(asked.elapsed());
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            slowest
        };
        let (given_up, slowest) =
            tokio::join!(tokio::time::timeout(Duration::from_secs(30), given_up), calls);
        let given_up = given_up.expect("a dead wire is given up");
        cable.set(Wire::Open);
        let healed = Instant::now();
        until(async || client.say("back".into()).await.is_ok()).await;
        eprintln!(
            "F22 {wire:?}: slowest {slowest:.1?} of {limit:?}, given up after {given_up:.1?}, back after {:.1?}",
            healed.elapsed()
        );
        assert!(slowest <= limit + Duration::from_millis(500), "{wire:?}: {slowest:?}");
        assert!(healed.elapsed() <= Duration::from_secs(5), "{wire:?}: {:?}", healed.elapsed());
    }
    caller.stop().await;
    server.stop().await;
}

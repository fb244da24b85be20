//! On a real RabbitMQ, if the environment names one: see [`testing::rabbitmq`].

mod faults;

use std::{
    sync::{
        Mutex as StdMutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use serde_json::json;

use super::*;
use crate::{
    Kind, Time,
    events::{EventId, Hears, Undelivered},
    ids::Id,
    rpc::{self, deadline},
    telemetry::{self, TraceParent},
    testing,
};

mod echo {
    use super::*;

    port! {
        /// Something to call.
        pub trait Echo as "echo" repeats [say, left] {
            /// The same.
            async fn say(&self, text: String) -> String;
            /// How often this was called, this time included.
            async fn count(&self) -> u64;
            /// Refuses.
            async fn refuse(&self) -> ();
            /// Panics.
            async fn panic(&self) -> ();
            /// How many milliseconds are left.
            async fn left(&self) -> Option<u64>;
            /// Takes its time.
            async fn wait(&self, milliseconds: u64) -> ();
        }
    }
}
use echo::Echo;
use rpc::port;

#[derive(Default)]
struct Parrot {
    counted: AtomicU64,
    commits: StdMutex<Option<Watcher>>,
}

#[async_trait]
impl Echo for Parrot {
    async fn say(&self, text: String) -> Result<String> {
        if let Some(commit) = &*lock(&self.commits) {
            commit(&[event("said", &text, 1)]);
        }
        Ok(text)
    }

    async fn count(&self) -> Result<u64> {
        Ok(self.counted.fetch_add(1, Ordering::Relaxed) + 1)
    }

    async fn refuse(&self) -> Result<()> {
        Err(Error::conflict("never", "not today").with("available", 3))
    }

    async fn panic(&self) -> Result<()> {
        panic!("oh no")
    }

    async fn left(&self) -> Result<Option<u64>> {
        let left = deadline::current().map(|until| until.saturating_duration_since(Instant::now()));
        Ok(left.map(|left| left.as_millis() as u64))
    }

    async fn wait(&self, milliseconds: u64) -> Result<()> {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        self.counted.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

fn event(kind: &str, aggregate: &str, sequence: i64) -> Envelope {
    Envelope {
        id: Id::new(),
        kind: format!("test.{kind}"),
        version: 1,
        module: "test".into(),
        occurred_at: Time::from_micros(1_700_000_000_000_000),
        aggregate_id: aggregate.into(),
        sequence,
        traceparent: telemetry::current().map(|trace| trace.to_string()),
        data: json!({"n": sequence}),
    }
}

/// A namespace that nobody else has, and processes in it.
struct Shop {
    url: String,
    namespace: String,
}

/// A process: it ends with this.
struct Process {
    broker: Broker,
    jobs: Jobs,
}

impl Process {
    async fn stop(self) {
        self.jobs.stop(Duration::from_secs(5)).await;
        self.broker.close().await;
    }
}

fn shop() -> Option<Shop> {
    let Some(url) = testing::rabbitmq() else {
        eprintln!("no RabbitMQ is named: nothing is tested");
        return None;
    };
    Some(Shop { url, namespace: format!("test-{}", telemetry::trace_id()) })
}

impl Shop {
    fn process(&self, instance: &str) -> Broker {
        let options = Options {
            namespace: self.namespace.clone(),
            instance: instance.into(),
            call_timeout: Duration::from_secs(5),
            max_calls: 64,
            workers: 16,
            delivery_limit: 3,
        };
        Broker::new(&self.url, options).unwrap()
    }

    async fn started(&self, broker: Broker) -> Process {
        let jobs = Jobs::new();
        broker.start(&jobs);
        broker.ping().await.unwrap();
        Process { broker, jobs }
    }

    async fn caller(&self) -> (Process, echo::Client) {
        let process = self.started(self.process("caller")).await;
        let client = echo::Client(process.broker.transport());
        (process, client)
    }

    /// A process that serves, once it does.
    async fn parrot(&self, instance: &str) -> (Process, Arc<Parrot>) {
        let (broker, parrot) = (self.process(instance), Arc::new(Parrot::default()));
        broker.serve(echo::Server(parrot.clone()));
        let process = self.started(broker).await;
        let client = echo::Client(process.broker.transport());
        until(async || client.say("ready".into()).await.is_ok()).await;
        (process, parrot)
    }
}

async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait).await.expect("it holds in time");
}

#[tokio::test]
async fn a_call_is_answered_and_its_errors_come_back() {
    let Some(shop) = shop() else { return };
    let (server, _) = shop.parrot("server").await;
    let (caller, client) = shop.caller().await;
    assert_eq!(client.say("hällo \"you\"".into()).await.unwrap(), "hällo \"you\"");
    let error = client.refuse().await.unwrap_err();
    assert_eq!((error.kind, &*error.code, &error.extra["available"]), (Kind::Conflict, "never", &json!(3)));
    assert_eq!(client.panic().await.unwrap_err().kind, Kind::Internal);
    assert_eq!(client.say("still there".into()).await.unwrap(), "still there");
    let served = server.broker.served();
    assert_eq!((served[0].service.as_str(), served[0].failures), ("echo", 1));
    caller.stop().await;
    server.stop().await;
}

#[tokio::test]
async fn when_nobody_serves_it_is_said_at_once_and_by_name() {
    let Some(shop) = shop() else { return };
    let (caller, client) = shop.caller().await;
    let started = Instant::now();
    let error = client.say("anybody?".into()).await.unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    assert_eq!(
        (error.kind, error.retry_after.is_some(), &error.extra["module"]),
        (Kind::Unavailable, true, &json!("echo"))
    );
    let (server, _) = shop.parrot("server").await;
    assert!(client.say("now".into()).await.is_ok());
    server.stop().await;
    let error = client.say("gone?".into()).await.unwrap_err();
    assert!(error.detail.contains("nobody serves echo"), "{}", error.detail);
    caller.stop().await;
}

#[tokio::test]
async fn instances_share_the_calls_and_one_that_stops_finishes_its_own() {
    let Some(shop) = shop() else { return };
    let (one, first) = shop.parrot("one").await;
    let (two, second) = shop.parrot("two").await;
    let (caller, client) = shop.caller().await;
    let client = Arc::new(client);
    let calls: Vec<_> = (0..40)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.wait(100).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    one.stop().await;
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let (first, second) = (first.counted.load(Ordering::Relaxed), second.counted.load(Ordering::Relaxed));
    assert_eq!(first + second, 40);
    assert!(first > 0 && second > 0, "{first} {second}");
    caller.stop().await;
    two.stop().await;
}

#[tokio::test]
async fn a_deadline_travels_and_is_kept_on_both_sides() {
    let Some(shop) = shop() else { return };
    let (server, parrot) = shop.parrot("server").await;
    let (caller, client) = shop.caller().await;
    let soon = || Instant::now() + Duration::from_millis(800);
    let left = deadline::scope(soon(), client.left()).await.unwrap().unwrap();
    assert!((1..=800).contains(&left), "{left}");
    let started = Instant::now();
    let error = deadline::scope(soon(), client.wait(2_000)).await.unwrap_err();
    assert_eq!(error.kind, Kind::Unavailable);
    assert!(started.elapsed() < Duration::from_millis(1_300), "{:?}", started.elapsed());
    let error = deadline::scope(Instant::now(), client.count()).await.unwrap_err();
    assert_eq!((error.kind, parrot.counted.load(Ordering::Relaxed)), (Kind::Unavailable, 0));
    caller.stop().await;
    server.stop().await;
}

#[tokio::test]
async fn an_answer_brings_what_the_call_has_caused() {
    let Some(shop) = shop() else { return };
    let (server, parrot) = shop.parrot("server").await;
    *lock(&parrot.commits) = Some(server.broker.watcher());
    let (caller, client) = shop.caller().await;
    let heard = Arc::new(StdMutex::new(Vec::new()));
    let ear = heard.clone();
    caller.broker.watch(Arc::new(move |events| {
        lock(&ear).extend(events.iter().map(|event| event.aggregate_id.clone()));
    }));
    telemetry::scope(TraceParent::new(), client.say("prod_1".into())).await.unwrap();
    assert_eq!(*lock(&heard), ["prod_1"]);
    caller.stop().await;
    server.stop().await;
}

/// What a consumer takes: those of one aggregate that it does not like fail for ever.
struct Taker {
    taken: StdMutex<Vec<(String, i64)>>,
    tries: AtomicU64,
    hates: Option<&'static str>,
}

impl Taker {
    fn new(hates: Option<&'static str>) -> Arc<Self> {
        Arc::new(Self { taken: StdMutex::default(), tries: AtomicU64::new(0), hates })
    }
}

#[async_trait]
impl Consumer for Taker {
    fn hears(&self) -> Hears {
        Hears { consumer: "taker", kinds: &["test.done"] }
    }

    async fn handle(&self, event: &Envelope) -> Result<()> {
        if self.hates == Some(&event.aggregate_id) {
            self.tries.fetch_add(1, Ordering::Relaxed);
            return Err(Error::internal("I do not like it"));
        }
        lock(&self.taken).push((event.aggregate_id.clone(), event.sequence));
        Ok(())
    }
}

#[tokio::test]
async fn events_of_an_aggregate_are_taken_in_order_and_by_one_of_several_processes() {
    let Some(shop) = shop() else { return };
    let (one, two) = (Taker::new(None), Taker::new(None));
    let mut processes = Vec::new();
    for (name, taker) in [("one", &one), ("two", &two)] {
        let broker = shop.process(name);
        broker.consume(vec![taker.clone()]);
        processes.push(shop.started(broker).await);
    }
    let bus = processes[0].broker.bus();
    until(async || bus.deliver("taker", &event("done", "first", 0)).await.is_ok()).await;
    for n in 1..=50 {
        for aggregate in ["a", "b", "c"] {
            bus.publish(&event("done", aggregate, n)).await.unwrap();
        }
    }
    bus.publish(&event("other", "a", 51)).await.unwrap();
    let all = || [lock(&one.taken).clone(), lock(&two.taken).clone()].concat();
    until(async || all().len() >= 151).await;
    for aggregate in ["a", "b", "c"] {
        let of: Vec<_> = all().iter().filter(|(a, _)| a == aggregate).map(|(_, n)| *n).collect();
        assert_eq!(of, (1..=50).collect::<Vec<_>>());
    }
    // The one that is at work goes: the other takes over.
    let (active, idle) = if lock(&one.taken).is_empty() { (1, &one) } else { (0, &two) };
    processes.remove(active).stop().await;
    processes[0].broker.bus().publish(&event("done", "late", 1)).await.unwrap();
    until(async || lock(&idle.taken).contains(&("late".to_owned(), 1))).await;
    processes.remove(0).stop().await;
}

#[tokio::test]
async fn what_is_not_taken_is_a_dead_letter_that_can_be_sent_again_or_given_up() {
    let Some(shop) = shop() else { return };
    let taker = Taker::new(Some("bad"));
    let broker = shop.process("one");
    broker.consume(vec![taker.clone()]);
    let process = shop.started(broker.clone()).await;
    let bus = broker.bus();
    until(async || bus.deliver("taker", &event("done", "first", 0)).await.is_ok()).await;
    let bad = event("done", "bad", 1);
    bus.publish(&bad).await.unwrap();
    bus.publish(&event("done", "good", 1)).await.unwrap();
    // The healthy one does not wait.
    until(async || lock(&taker.taken).contains(&("good".to_owned(), 1))).await;
    let publisher = broker.publisher().await.unwrap();
    let poison = publisher.events.basic_publish(
        "".into(),
        broker.name("events.taker").into(),
        Default::default(),
        b"no event",
        Default::default(),
    );
    poison.await.unwrap().await.unwrap();
    until(async || dead_letters::list(&broker, "taker", 10).await.unwrap().len() == 2).await;
    let letters = dead_letters::list(&broker, "taker", 10).await.unwrap();
    let find = |id: &str| letters.iter().find(|letter| letter.id == id).unwrap().clone();
    let letter = find(&bad.id.to_string());
    assert_eq!((letter.kind.as_str(), letter.attempts, &letter.data), ("test.done", 3, &json!({"n": 1})));
    assert!(letter.error.contains("I do not like it") && letter.failed_at_ms > 0, "{letter:?}");
    assert_eq!(taker.tries.load(Ordering::Relaxed), 3);
    let poison = letters.iter().find(|letter| letter.kind == "none").unwrap();
    assert!(poison.error.contains("not an event"), "{poison:?}");

    dead_letters::replay(&broker, "taker", &letter.id).await.unwrap();
    until(async || taker.tries.load(Ordering::Relaxed) == 6).await;
    until(async || dead_letters::list(&broker, "taker", 10).await.unwrap().len() == 2).await;
    dead_letters::discard(&broker, "taker", &letter.id).await.unwrap();
    dead_letters::discard(&broker, "taker", &poison.id).await.unwrap();
    assert!(dead_letters::list(&broker, "taker", 10).await.unwrap().is_empty());
    let unknown = EventId::new().to_string();
    assert_eq!(dead_letters::replay(&broker, "taker", &unknown).await.unwrap_err().kind, Kind::NotFound);
    assert_eq!(dead_letters::list(&broker, "nobody", 10).await.unwrap(), []);
    process.stop().await;
}

#[tokio::test]
async fn every_process_hears_the_news_and_answers_for_itself() {
    let Some(shop) = shop() else { return };
    let mut processes = Vec::new();
    let heard = Arc::new(AtomicU64::new(0));
    for name in ["one", "two"] {
        let broker = shop.process(name);
        let ear = heard.clone();
        broker.watch(Arc::new(move |events| {
            ear.fetch_add(events.len() as u64, Ordering::Relaxed);
        }));
        broker.report(Arc::new(move || Box::pin(async move { Ok(name.as_bytes().to_vec()) })));
        processes.push(shop.started(broker).await);
    }
    let ask = async || {
        let mut all = processes[0].broker.ask_everybody(Duration::from_millis(300)).await.unwrap();
        all.sort();
        all
    };
    until(async || ask().await == [b"one".to_vec(), b"two".to_vec()]).await;
    processes[1].broker.bus().publish(&event("done", "a", 1)).await.unwrap();
    until(async || heard.load(Ordering::Relaxed) == 2).await;
    for process in processes {
        process.stop().await;
    }
}

#[tokio::test]
async fn without_a_broker_nothing_is_lost_and_nobody_waits_long() {
    let options = shop().map(|shop| shop.process("one").0.options.clone());
    let options = options.unwrap_or(Options {
        namespace: "none".into(),
        instance: "one".into(),
        call_timeout: Duration::from_secs(5),
        max_calls: 1,
        workers: 1,
        delivery_limit: 1,
    });
    let broker = Broker::new("amqp://127.0.0.1:1", options).unwrap();
    let jobs = Jobs::new();
    broker.start(&jobs);
    let started = Instant::now();
    assert_eq!(echo::Client(broker.transport()).count().await.unwrap_err().kind, Kind::Unavailable);
    let published = broker.bus().publish(&event("done", "a", 1)).await;
    assert!(matches!(published, Err(Undelivered::Down(_))), "{published:?}");
    assert!(started.elapsed() < Duration::from_secs(4));
    assert!(Broker::new("http://127.0.0.1", broker.0.options.clone()).is_err());
    Process { broker, jobs }.stop().await;
}

#[tokio::test]
async fn a_call_whose_process_died_is_run_again_only_if_that_does_no_harm() {
    use lapin::{
        options::{BasicConsumeOptions, BasicQosOptions, QueueDeclareOptions},
        types::AMQPValue,
    };
    let Some(shop) = shop() else { return };
    let (caller, client) = shop.caller().await;
    let client = Arc::new(client);
    for repeatable in [true, false] {
        // A process takes the call and is gone before it answers.
        let doomed = caller.broker.connect("doomed").await.unwrap();
        let channel = doomed.create_channel().await.unwrap();
        channel.basic_qos(1, BasicQosOptions::default()).await.unwrap();
        let mut arguments = lapin::types::FieldTable::default();
        arguments.insert("x-max-length".into(), AMQPValue::LongInt(10_000));
        arguments.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
        arguments.insert("x-expires".into(), AMQPValue::LongInt(60_000));
        let queue = caller.broker.name("rpc.echo");
        let passing = QueueDeclareOptions { durable: true, auto_delete: true, ..Default::default() };
        channel.queue_declare(queue.as_str().into(), passing, arguments).await.unwrap();
        let consume = BasicConsumeOptions::default();
        let mut calls = channel
            .basic_consume(queue.as_str().into(), "doomed".into(), consume, Default::default())
            .await
            .unwrap();
        let asked = client.clone();
        let call = tokio::spawn(async move {
            if repeatable { asked.say("x".into()).await.map(|_| ()) } else { asked.count().await.map(|_| ()) }
        });
        futures::StreamExt::next(&mut calls).await.unwrap().unwrap();
        let broker = shop.process("heir");
        let heir = Arc::new(Parrot::default());
        broker.serve(echo::Server(heir.clone()));
        let process = shop.started(broker).await;
        until(async || process.broker.depths().await.unwrap().iter().any(|(name, _)| name == "rpc.echo"))
            .await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        doomed.close(200, "killed".into()).await.unwrap();
        let outcome = call.await.unwrap();
        if repeatable {
            outcome.unwrap();
        } else {
            assert_eq!(outcome.unwrap_err().kind, Kind::Unavailable);
            assert_eq!(heir.counted.load(Ordering::Relaxed), 0);
        }
        process.stop().await;
    }
    caller.stop().await;
}

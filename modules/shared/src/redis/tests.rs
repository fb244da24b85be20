//! They run where there is a server (see [`crate::testing`]), and pass without looking elsewhere.

use std::sync::atomic::AtomicUsize;

use deadpool_redis::redis::AsyncCommands;
use serde::{Deserialize, Serialize};

use super::*;
use crate::{
    cache::{Cache, Fresh},
    events::{Envelope, Event},
    jobs::Jobs,
    time::{Clock, SystemClock},
};

/// One instance of a shop: its Redis, its cache and its jobs.
struct Instance {
    redis: Redis,
    cache: Cache,
    jobs: Jobs,
    heard: Arc<Mutex<Vec<Envelope>>>,
    loads: AtomicUsize,
}

#[derive(Serialize, Deserialize)]
struct Changed {
    tag: String,
}

impl Event for Changed {
    const TYPE: &'static str = "test.changed";
}

impl Instance {
    /// Started and heard by the others.
    async fn start(url: &str, form: &str) -> Self {
        let instance = Self::new(url, form);
        instance.redis.start(&instance.jobs);
        until(async || instance.redis.is_up() && !instance.redis.0.lost.load(Ordering::SeqCst)).await;
        instance
    }

    fn new(url: &str, form: &str) -> Self {
        let redis = Redis::new(url, form).unwrap();
        let cache = Cache::new(1 << 20, Duration::from_secs(60), Some(redis.clone()));
        let (here, heard) = (cache.unshared(), Arc::<Mutex<Vec<Envelope>>>::default());
        let ear = heard.clone();
        redis.watch(Arc::new(move |events: &[Envelope]| {
            for event in events {
                here.drop_tag(&event.parse::<Changed>().unwrap().tag);
                ear.lock().unwrap().push(event.clone());
            }
        }));
        Self { redis, cache, jobs: Jobs::new(), heard, loads: AtomicUsize::new(0) }
    }

    async fn page(&self, key: &str, body: &str) -> String {
        let load = async || {
            self.loads.fetch_add(1, Ordering::SeqCst);
            Ok(page(body))
        };
        let entry = self.cache.get_or_insert(key, load).await.unwrap();
        String::from_utf8(entry.body.to_vec()).unwrap()
    }

    /// As after a commit: the own cache drops it, and the others hear of it.
    fn change(&self, tag: &str) {
        self.cache.drop_tag(tag);
        let event = Changed { tag: tag.to_owned() };
        let envelope = Envelope::new(SystemClock.now(), "test", "a", 1, &event).unwrap();
        self.redis.watcher()(&[envelope]);
    }

    async fn server(&self) -> deadpool_redis::Connection {
        self.redis.0.pool.get().await.unwrap()
    }

    async fn is_kept(&self, key: &str) -> bool {
        let mut server = self.server().await;
        server.exists(self.redis.key("page", key)).await.unwrap()
    }
}

fn page(body: &str) -> Fresh {
    Fresh {
        content_type: "text/plain".into(),
        body: body.into(),
        tags: vec!["product:1".into()],
        note: "n".into(),
        partial: false,
    }
}

async fn until(what: impl AsyncFn() -> bool) {
    let wait = async {
        while !what().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("it happens in time");
}

/// Two instances of a shop of their own.
async fn two() -> Option<(Instance, Instance)> {
    let url = crate::testing::redis()?;
    let form = uuid::Uuid::new_v4().simple().to_string();
    let one = Instance::start(&url, &form).await;
    let two = Instance::start(&url, &form).await;
    // The second one's beginning is heard by the first, too.
    until(async || one.page("warm", "x").await == "x" && one.is_kept("warm").await).await;
    Some((one, two))
}

#[tokio::test]
async fn what_one_has_loaded_the_other_need_not() {
    let Some((one, two)) = two().await else { return };
    assert_eq!(one.page("a", "first").await, "first");
    until(async || one.is_kept("a").await).await;
    assert_eq!(two.page("a", "second").await, "first");
    let entry = two.cache.get_or_insert("a", async || unreachable!("it is there")).await.unwrap();
    assert_eq!((entry.content_type.as_str(), entry.note.as_str()), ("text/plain", "n"));
    assert_eq!(two.loads.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_one_has_changed_nobody_serves_any_more() {
    let Some((one, two)) = two().await else { return };
    one.page("a", "old").await;
    until(async || one.is_kept("a").await).await;
    assert_eq!(two.page("a", "unused").await, "old");
    one.change("product:1");
    assert_eq!(one.page("a", "new").await, "new", "the one who changed it never sees the old one again");
    until(async || !two.heard.lock().unwrap().is_empty()).await;
    assert_eq!(two.page("a", "newer").await.replace("newer", "new"), "new");
    assert!(one.heard.lock().unwrap().is_empty(), "nobody hears their own words");
}

#[tokio::test]
async fn a_load_that_began_before_a_change_is_not_believed_even_after_a_flush() {
    let Some((one, two)) = two().await else { return };
    for flush in [false, true] {
        let key = format!("a{flush}");
        let Kept::Nothing(began) = one.redis.kept(&key).await else { unreachable!("nobody has loaded it") };
        two.change("product:1");
        until(async || two.redis.0.dropping.lock().unwrap().is_empty()).await;
        if flush {
            // Others use this server too, so only what belongs to this shop goes.
            let mut server = one.server().await;
            for kind in ["epoch:", "drop:product:1"] {
                let key = format!("{}:{kind}", one.redis.0.namespace);
                let _: i64 = server.del(key).await.unwrap();
            }
        }
        one.redis.keep(&key, &page("old"), began, Duration::from_secs(60));
        until(async || one.is_kept(&key).await).await;
        assert!(matches!(two.redis.kept(&key).await, Kept::Nothing(_)));
    }
}

#[tokio::test]
async fn nonsense_in_redis_is_not_served() {
    let Some((one, two)) = two().await else { return };
    let mut server = one.server().await;
    let _: () = server.set(one.redis.key("page", "a"), "nonsense").await.unwrap();
    assert_eq!(two.page("a", "right").await, "right");
}

#[tokio::test]
async fn without_redis_everything_goes_on_within_the_budget() {
    // Nobody listens there; and somebody listens there who never answers.
    let deaf = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    for url in ["redis://127.0.0.1:1".to_owned(), format!("redis://{}", deaf.local_addr().unwrap())] {
        let instance = Instance::new(&url, "test");
        instance.redis.0.lost.store(false, Ordering::SeqCst);
        let begun = Instant::now();
        assert_eq!(instance.page("a", "body").await, "body");
        for i in 0..50 {
            instance.page(&i.to_string(), "body").await;
        }
        // One wait and then silence; a second of it would do for fifty waits of 20 ms.
        assert!(begun.elapsed() < SILENCE, "{:?}", begun.elapsed());
        assert!(instance.redis.failures() >= 1);
        assert_eq!(instance.redis.count("k", 1).await, Verdict::Pass);
        assert_eq!(instance.redis.count("k", 1).await, Verdict::Pass);
    }
}

#[tokio::test]
async fn an_instance_that_hears_nobody_keeps_nothing_for_long() {
    let instance = Instance::new("redis://127.0.0.1:1", "test");
    assert_eq!(instance.page("a", "old").await, "old");
    assert_eq!(instance.page("a", "new").await, "old", "a second is not over");
    until(async || instance.page("a", "new").await == "new").await;
}

#[tokio::test]
async fn a_word_that_was_lost_makes_everybody_forget() {
    let Some((one, two)) = two().await else { return };
    two.page("a", "old").await;
    until(async || two.is_kept("a").await).await;
    one.redis.0.lost.store(true, Ordering::SeqCst);
    assert!(matches!(one.redis.kept("a").await, Kept::Unknown), "not before everybody knows");
    one.change("product:2");
    until(async || !one.redis.0.lost.load(Ordering::SeqCst)).await;
    until(async || two.page("a", "new").await == "new").await;
}

#[tokio::test]
async fn all_instances_share_one_allowance() {
    let Some((one, two)) = two().await else { return };
    let mut passed = 0;
    for i in 0..20 {
        let verdict = if i % 2 == 0 { &one } else { &two }.redis.count("login:a", 5).await;
        passed += usize::from(verdict == Verdict::Pass);
        if let Verdict::Wait(wait) = verdict {
            assert!(wait <= Duration::from_secs(12), "{wait:?}");
        }
    }
    assert_eq!(passed, 5);
    assert_eq!(one.redis.count("login:b", 5).await, Verdict::Pass);
}

#[tokio::test]
async fn instances_stop_when_told() {
    let Some((one, _two)) = two().await else { return };
    one.jobs.stop(Duration::from_secs(5)).await;
    assert!(!one.redis.is_up());
}

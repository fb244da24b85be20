use std::sync::atomic::AtomicUsize;

use futures::future::join_all;
use tokio::sync::{Notify, oneshot};

use super::*;

fn cache() -> Cache {
    Cache::new(1 << 20, Duration::from_secs(60), None)
}

fn page(body: &str, tags: &[&str]) -> Fresh {
    Fresh {
        content_type: "text/plain".into(),
        body: body.into(),
        tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
        note: String::new(),
        partial: false,
    }
}

async fn body(cache: &Cache, key: &str, fresh: Fresh) -> Bytes {
    cache.get_or_insert(key, async || Ok(fresh)).await.unwrap().body.clone()
}

#[tokio::test]
async fn a_hundred_concurrent_misses_load_once() {
    let (cache, loads) = (cache(), AtomicUsize::new(0));
    let entries = join_all((0..100).map(|_| {
        cache.get_or_insert("key", async || {
            loads.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Ok(page("body", &[]))
        })
    }))
    .await;
    assert_eq!(loads.into_inner(), 1);
    assert!(entries.iter().all(|entry| entry.as_ref().unwrap().body == "body"));
    assert_eq!((cache.stats().hits, cache.stats().misses), (0, 100));
}

#[tokio::test]
async fn a_dropped_tag_takes_its_entries_and_no_others() {
    let cache = cache();
    body(&cache, "a", page("old a", &["product:1", "products"])).await;
    body(&cache, "b", page("old b", &["product:2", "products"])).await;
    cache.drop_tag("product:1");
    assert_eq!(body(&cache, "a", page("new a", &["product:1", "products"])).await, "new a");
    assert_eq!(body(&cache, "b", page("new b", &["product:2", "products"])).await, "old b");
    cache.drop_tag("products");
    assert_eq!(body(&cache, "a", page("third a", &[])).await, "third a");
    assert_eq!(body(&cache, "b", page("third b", &[])).await, "third b");
}

#[tokio::test]
async fn a_load_that_a_drop_has_overtaken_is_not_served_afterwards() {
    let cache = cache();
    let (began, has_read) = oneshot::channel();
    let (finish, may_finish) = oneshot::channel::<()>();
    let early = tokio::spawn({
        let cache = cache.clone();
        async move {
            let load = async || {
                began.send(()).unwrap();
                may_finish.await.unwrap();
                Ok(page("old", &["product:1"]))
            };
            cache.get_or_insert("key", load).await.unwrap().body.clone()
        }
    });
    has_read.await.unwrap();
    cache.drop_tag("product:1");
    let late = body(&cache, "key", page("new", &["product:1"]));
    let (late, ()) = tokio::join!(late, async { finish.send(()).unwrap() });
    assert_eq!(early.await.unwrap(), "old", "who asked before the drop may see the state before it");
    assert_eq!(late, "new");
    assert_eq!(body(&cache, "key", page("third", &[])).await, "new");
}

#[tokio::test]
async fn an_error_reaches_all_who_wait_and_is_not_kept() {
    let (cache, loads) = (cache(), AtomicUsize::new(0));
    let answers = join_all((0..10).map(|_| {
        cache.get_or_insert("key", async || {
            loads.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Err(Error::not_found("product"))
        })
    }))
    .await;
    assert!(answers.iter().all(|answer| answer.as_ref().is_err_and(|error| error.code == "not_found")));
    assert_eq!(loads.into_inner(), 1);
    assert_eq!(body(&cache, "key", page("body", &[])).await, "body");
}

#[tokio::test]
async fn a_caller_who_leaves_hands_the_load_to_the_next() {
    let (cache, began) = (cache(), Notify::new());
    let leaver = cache.get_or_insert("key", async || {
        began.notify_one();
        std::future::pending().await
    });
    tokio::select! {
        _ = leaver => unreachable!("its load never ends"),
        () = began.notified() => {}
    }
    assert_eq!(body(&cache, "key", page("body", &[])).await, "body");
}

#[tokio::test]
async fn only_equal_bodies_have_equal_etags() {
    let cache = cache();
    let mut etags = Vec::new();
    for (key, text) in [("a", "one"), ("b", "one"), ("c", "two")] {
        etags.push(cache.get_or_insert(key, async || Ok(page(text, &[]))).await.unwrap().etag.clone());
    }
    assert_eq!(etags[0], etags[1]);
    assert_ne!(etags[0], etags[2]);
    assert!(etags[0].starts_with('"') && etags[0].ends_with('"') && etags[0].len() > 20);
}

#[tokio::test]
async fn the_second_request_of_a_large_body_has_it_compressed() {
    let (cache, text) = (cache(), "bodega ".repeat(1000));
    let first = cache.get_or_insert("key", async || Ok(page(&text, &[]))).await.unwrap();
    assert!(first.gzip().is_none(), "nobody knows yet that it is asked for twice");
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while first.brotli().is_none() {
        assert!(tokio::time::Instant::now() < deadline, "the body was never compressed");
        body(&cache, "key", page("other", &[])).await;
        tokio::task::yield_now().await;
    }
    let mut plain = Vec::new();
    let mut gzip = flate2::write::GzDecoder::new(&mut plain);
    gzip.write_all(first.gzip().unwrap()).unwrap();
    gzip.finish().unwrap();
    assert_eq!(plain, text.as_bytes());
    let mut plain = Vec::new();
    brotli::BrotliDecompress(&mut &first.brotli().unwrap()[..], &mut plain).unwrap();
    assert_eq!(plain, text.as_bytes());
}

#[tokio::test]
async fn the_record_of_drops_is_bounded_and_forgets_on_the_safe_side() {
    let cache = cache();
    body(&cache, "old", page("old", &["product:1"])).await;
    cache.drop_tag("product:1");
    for tag in 0..MAX_DROPPED_TAGS * 3 {
        cache.drop_tag(&format!("other:{tag}"));
        assert!(cache.here.dropped.read().unwrap().tags.len() <= MAX_DROPPED_TAGS);
    }
    assert_eq!(body(&cache, "old", page("new", &["product:1"])).await, "new");
}

#[tokio::test]
async fn memory_stays_within_its_limit() {
    let cache = Cache::new(100_000, Duration::from_secs(60), None);
    for key in 0..1000 {
        body(&cache, &key.to_string(), page(&"x".repeat(1000), &[])).await;
    }
    cache.here.memory.run_pending_tasks().await;
    assert!(cache.stats().bytes <= 100_000 && cache.stats().entries > 10);
}

//! What shoppers do, in a closed loop.

use std::{
    cell::RefCell,
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use serde::Serialize;
use tokio::task::LocalSet;

use crate::{client::Client, shop::Shop};

/// One line of the table.
#[derive(Serialize)]
pub struct Row {
    pub name: String,
    pub concurrency: usize,
    pub per_second: u64,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

/// Repeats `work` on `concurrency` connections for `duration`, after a tenth of that as warm-up.
pub async fn measure<F, Fut>(
    name: &str,
    address: SocketAddr,
    concurrency: usize,
    duration: Duration,
    work: F,
) -> Row
where
    F: Fn(Client, u64) -> Fut + 'static,
    Fut: Future<Output = Client>,
{
    let times = Rc::new(RefCell::new(Histogram::<u64>::new(3).expect("a precision")));
    let work = Rc::new(work);
    let warm = Instant::now() + duration / 10;
    let end = warm + duration;
    let local = LocalSet::new();
    for worker in 0..concurrency {
        let (times, work) = (times.clone(), work.clone());
        local.spawn_local(async move {
            let mut client = Client::connect(address).await.expect("the server listens");
            let mut turn = worker as u64;
            while Instant::now() < end {
                let started = Instant::now();
                client = work(client, turn).await;
                turn += concurrency as u64;
                if started >= warm {
                    times.borrow_mut().record(started.elapsed().as_micros() as u64).expect("within range");
                }
            }
        });
    }
    local.await;
    row(name, concurrency, duration, &times.borrow())
}

/// A line from a histogram of microseconds.
pub fn row(name: &str, concurrency: usize, duration: Duration, times: &Histogram<u64>) -> Row {
    let ms = |quantile| times.value_at_quantile(quantile) as f64 / 1000.0;
    let per_second = (times.len() as f64 / duration.as_secs_f64()) as u64;
    Row { name: name.to_owned(), concurrency, per_second, p50_ms: ms(0.5), p99_ms: ms(0.99) }
}

pub async fn gets(name: &str, shop: &Shop, path: &str, concurrency: usize, duration: Duration) -> Row {
    gets_at(name, shop.address, path, concurrency, duration).await
}

pub async fn gets_at(
    name: &str,
    address: SocketAddr,
    path: &str,
    concurrency: usize,
    duration: Duration,
) -> Row {
    let path = path.to_owned();
    measure(name, address, concurrency, duration, move |mut client, _| {
        let path = path.clone();
        async move {
            let reply = client.get(&path).await;
            assert_eq!(reply.status, 200);
            client
        }
    })
    .await
}

/// Every page differs, so that none is ready: a list with filters and 24 cards is searched and rendered.
pub async fn fresh_pages(shop: &Shop, concurrency: usize, duration: Duration) -> Row {
    let name = "listing as HTML, never cached";
    measure(name, shop.address, concurrency, duration, |mut client, turn| async move {
        let reply = client.get(&format!("/search?sort=popular&max_price={}", 100_000 + turn)).await;
        assert_eq!(reply.status, 200);
        client
    })
    .await
}

/// Every search differs, so that no answer is ready.
pub async fn searches(name: &str, shop: &Shop, concurrency: usize, duration: Duration) -> Row {
    const WORDS: [&str; 8] =
        ["mug", "lamp", "oak stool", "hedphones", "candle", "stoneware", "travel bottle", "clock"];
    measure(name, shop.address, concurrency, duration, |mut client, turn| async move {
        let word = WORDS[turn as usize % WORDS.len()].replace(' ', "%20");
        let reply =
            client.get(&format!("/api/v1/products?limit=20&q={word}&max_price={}", 10_000_000 + turn)).await;
        assert_eq!(reply.status, 200);
        client
    })
    .await
}

/// A new cart with one line, then a second line's worth into it.
pub async fn add_to_cart(shop: &Shop, concurrency: usize, duration: Duration) -> Row {
    let line = format!(r#"{{"variant_id":"{}","quantity":1}}"#, shop.variant);
    let mut client = Client::connect(shop.address).await.expect("the shop listens");
    let mut carts = Vec::new();
    for _ in 0..concurrency {
        let cart = client.post("/api/v1/carts", "", "{}").await.json();
        carts.push(cart["id"].as_str().expect("an id").to_owned());
    }
    let carts = Rc::new(carts);
    measure("add to cart", shop.address, concurrency, duration, move |mut client, turn| {
        let (line, carts) = (line.clone(), carts.clone());
        async move {
            let cart = &carts[turn as usize % carts.len()];
            let reply = client.post(&format!("/api/v1/carts/{cart}/lines"), "", &line).await;
            assert!(reply.status == 201 || reply.status == 422, "{}", reply.json());
            client
        }
    })
    .await
}

/// A new cart with a line, and the checkout of it: two requests, one order.
pub async fn checkout(shop: &Shop, concurrency: usize, duration: Duration) -> Row {
    let line = format!(r#"{{"lines":[{{"variant_id":"{}","quantity":1}}]}}"#, shop.variant);
    let option = shop.shipping_option.clone();
    let run = std::process::id();
    measure("cart and checkout", shop.address, concurrency, duration, move |mut client, turn| {
        let (line, option) = (line.clone(), option.clone());
        async move {
            let cart = client.post("/api/v1/carts", "", &line).await.json();
            let cart = cart["id"].as_str().expect("an id");
            let body = format!(
                r#"{{"cart_id":"{cart}","email":"load{turn}@example.com","shipping_option_id":"{option}",
                "shipping_address":{{"name":"Load","line1":"Street 1","city":"Berlin","postal_code":"10115","country":"DE"}},
                "payment":{{"provider":"test","token":"tok_ok"}}}}"#
            );
            let key = format!("Idempotency-Key: load-{run}-{concurrency}-{turn}\r\n");
            let reply = client.post("/api/v1/checkout", &key, &body).await;
            assert_eq!(reply.status, 201, "{}", reply.json());
            client
        }
    })
    .await
}

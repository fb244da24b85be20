//! What a call of another module costs: in process, serialised, and over RabbitMQ.
//!
//! `tests/servers up DIR rabbitmq`, `source DIR/env`, then
//! `cargo run --release -p shared --features distributed --example rpc`; docs/PERFORMANCE.md has what it printed.
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use shared::{
    Error, Result,
    amqp::{Broker, Options},
    jobs::Jobs,
    port,
    rpc::Loopback,
    testing,
};

/// About what a page needs to know of a product.
#[derive(Clone, Serialize, Deserialize)]
pub struct Goods {
    id: String,
    title: String,
    description: String,
    prices: Vec<(String, i64)>,
}

port! {
    /// Something to ask.
    pub trait Shelf as "bench" repeats [find] {
        /// The goods of this name.
        async fn find(&self, id: String) -> Goods;
    }
}

struct Filled(Goods);

#[async_trait::async_trait]
impl Shelf for Filled {
    async fn find(&self, id: String) -> Result<Goods> {
        Ok(Goods { id, ..self.0.clone() })
    }
}

async fn measure(name: &str, shelf: Arc<dyn Shelf>, concurrency: usize, lasts: Duration) -> Result<()> {
    let begun = Instant::now();
    let workers = (0..concurrency).map(|_| {
        let shelf = shelf.clone();
        tokio::spawn(async move {
            let mut took = Histogram::<u64>::new(3).map_err(Error::internal)?;
            while begun.elapsed() < lasts {
                let asked = Instant::now();
                shelf.find("prod_1".into()).await?;
                took.record(asked.elapsed().as_nanos() as u64).map_err(Error::internal)?;
                tokio::task::consume_budget().await;
            }
            Ok::<_, Error>(took)
        })
    });
    let mut all = Histogram::<u64>::new(3).map_err(Error::internal)?;
    for worker in workers.collect::<Vec<_>>() {
        all.add(worker.await.map_err(Error::internal)??).map_err(Error::internal)?;
    }
    let rate = all.len() as f64 / begun.elapsed().as_secs_f64();
    let us = |quantile| all.value_at_quantile(quantile) as f64 / 1000.0;
    let (p50, p99) = (us(0.5), us(0.99));
    println!("{name:<11} {concurrency:>3} at once {rate:>10.0}/s   p50 {p50:>8.1} us   p99 {p99:>8.1} us");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let goods = Goods {
        id: String::new(),
        title: "Field notebook".into(),
        description: "Thread-sewn, A5, 192 pages. ".repeat(35),
        prices: vec![("EUR".into(), 1_450), ("USD".into(), 1_600), ("GBP".into(), 1_250)],
    };
    let service: Arc<dyn Shelf> = Arc::new(Filled(goods));
    let mut ways: Vec<(&str, Arc<dyn Shelf>)> = vec![
        ("in process", service.clone()),
        ("loopback", Arc::new(Client(Arc::new(Loopback(Arc::new(Server(service.clone()))))))),
    ];
    let jobs = Jobs::new();
    let mut brokers = Vec::new();
    if let Some(url) = testing::rabbitmq() {
        let options = Options {
            namespace: format!("bench-{}", shared::telemetry::trace_id()),
            instance: "bench".into(),
            call_timeout: Duration::from_secs(10),
            max_calls: 1_000,
            workers: 64,
            delivery_limit: 1,
        };
        let (server, caller) = (Broker::new(&url, options.clone())?, Broker::new(&url, options)?);
        server.serve(Server(service));
        for broker in [&server, &caller] {
            broker.start(&jobs);
            broker.ping().await?;
        }
        let client: Arc<dyn Shelf> = Arc::new(Client(caller.transport()));
        while client.find("ready".into()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        ways.push(("RabbitMQ", client));
        brokers = vec![server, caller];
    }
    for concurrency in [1, 16, 64] {
        for (name, shelf) in &ways {
            measure(name, shelf.clone(), concurrency, Duration::from_secs(3)).await?;
        }
    }
    jobs.stop(Duration::from_secs(5)).await;
    for broker in brokers {
        broker.close().await;
    }
    Ok(())
}

//! How long answers take while a model is trained: 20,000 products, 20,000 visitors, 300,000 interactions.
//!
//! `cargo run --release -p recommendation --example latency`

#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use contracts::{
    product::{CategoryId, Product, ProductId, VariantId},
    recommendation::{Context, Interaction, InteractionKind, Recommendations, Visitor, VisitorId},
};
use hdrhistogram::Histogram;
use recommendation::{
    Service, Settings,
    evaluate::{Taste, synthetic},
};
use serde_json::json;
use shared::{
    Error, Result, Time,
    db::{Db, Options},
    rpc::{Method, Transport},
    time::system_clock,
};

const PRODUCTS: u32 = 20_000;

/// The catalogue.
struct Shelf(Vec<Product>);

#[async_trait]
impl Transport for Shelf {
    async fn call(&self, Method { name: method, .. }: Method, args: Vec<u8>) -> Result<Vec<u8>> {
        let (after, limit): (Option<ProductId>, usize) = serde_json::from_slice(&args)?;
        if method != "export" {
            return Err(Error::not_found(method));
        }
        let rest = self.0.iter().filter(|product| Some(product.id) > after);
        Ok(serde_json::to_vec(&rest.take(limit).collect::<Vec<_>>())?)
    }
}

fn product(number: u32) -> Result<Product> {
    let name = format!("p{number}");
    let price = json!([{"amount": 500 + number % 9_000, "currency": "EUR"}]);
    let variant = json!({
        "id": VariantId::derived(&name), "sku": name, "title": name, "options": {}, "prices": price,
        "compare_at_prices": [], "barcode": null, "weight_grams": 1, "tracked": true, "available": 5,
    });
    let time = Time::from_micros(1_700_000_000_000_000);
    Ok(serde_json::from_value(json!({
        "id": ProductId::derived(&name), "slug": name, "status": "published", "title": name, "subtitle": null,
        "description": "", "brand": format!("brand {}", number % 50), "collection_ids": [], "options": [],
        "category_ids": [CategoryId::derived(&format!("{}", number % 200))], "tags": [], "attributes": {},
        "tax_class": "standard", "shipping_class": "parcel", "images": [], "variants": [variant],
        "seo_title": null, "seo_description": null, "rating": {"average": 4.0, "count": 3}, "metafields": {},
        "created_at": time, "updated_at": time, "published_at": time, "version": 1,
    }))?)
}

fn visitor(number: u32) -> Visitor {
    Visitor { customer_id: None, visitor_id: Some(VisitorId::derived(&number.to_string())) }
}

/// What people with tastes did in the last weeks.
fn past(now: Time) -> Vec<Interaction> {
    let world = Taste {
        visitors: 20_000,
        products: PRODUCTS,
        interactions: 300_000,
        tastes: 200,
        ..Taste::default()
    };
    let ids: Vec<ProductId> = (0..PRODUCTS).map(|n| ProductId::derived(&format!("p{n}"))).collect();
    let log = synthetic(&world);
    let interaction = |(who, product, at, _): &(u32, u32, i64, f32)| Interaction {
        visitor: visitor(*who),
        product_id: ids[*product as usize],
        kind: if at % 5 == 0 { InteractionKind::Purchase } else { InteractionKind::View },
        at: now.before(Duration::from_secs((2_000_000 - *at).unsigned_abs())),
    };
    log.events.iter().map(interaction).collect()
}

#[tokio::main]
async fn main() -> Result<()> {
    let folder = tempfile::tempdir().map_err(Error::internal)?;
    let db =
        Db::open(&format!("sqlite://{}", folder.path().join("metadata.db").display()), &Options::default())
            .await?;
    db.migrate(&[shared::events::MIGRATIONS, recommendation::MIGRATIONS]).await?;
    let mut products = (0..PRODUCTS).map(product).collect::<Result<Vec<_>>>()?;
    products.sort_by_key(|product| product.id);
    let ids: Vec<ProductId> = products.iter().map(|product| product.id).collect();
    let shelf = Arc::new(contracts::product::Client(Arc::new(Shelf(products))));
    let clock = system_clock();
    let service = Service::new(db.into(), clock.clone(), shelf, Settings::default()).await?;
    let started = Instant::now();
    service.import(past(clock.now())).await?;
    println!("imported in {:.1} s", started.elapsed().as_secs_f64());
    while service.status().await?.model.is_none() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let model = service.status().await?.model;
    println!(
        "trained in {} ms, {} bytes",
        model.as_ref().map_or(0, |m| m.milliseconds),
        model.map_or(0, |m| m.bytes)
    );

    for training in [false, true] {
        let trainer = service.clone();
        let trained =
            tokio::spawn(async move { if training { trainer.train().await.map(Some) } else { Ok(None) } });
        let names = ["record", "personal", "related", "bought together", "trending", "recently viewed"];
        // One that grows would cut what is too long for it when it saturates.
        let empty = || Histogram::<u64>::new_with_max(60_000_000, 3).expect("a minute, three digits");
        let mut times = names.map(|name| (name, empty()));
        let (mut round, until) = (0_u32, Instant::now() + Duration::from_secs(4));
        while if training { !trained.is_finished() } else { Instant::now() < until } {
            let (who, what) = (visitor(round * 7_919 % 20_000), ids[(round * 104_729 % PRODUCTS) as usize]);
            let at = clock.now();
            let seen = Interaction { visitor: who, product_id: what, kind: InteractionKind::View, at };
            for (name, histogram) in &mut times {
                let begin = Instant::now();
                match *name {
                    "record" => service.record(seen.clone()).await?,
                    "personal" => drop(service.personal(who, Context::default()).await?),
                    "related" => drop(service.related(what, Context::default()).await?),
                    "bought together" => drop(service.bought_together(vec![what], Context::default()).await?),
                    "trending" => drop(service.trending(Context::default()).await?),
                    _ => drop(service.recently_viewed(who, Context::default()).await?),
                }
                histogram.saturating_record(u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX));
            }
            round += 1;
            // A shop's answers come in between others' work.
            tokio::task::yield_now().await;
        }
        println!("\n{round} rounds {}", if training { "while a model is trained" } else { "in peace" });
        for (name, histogram) in &times {
            let [p50, p99, most] = [0.5, 0.99, 1.0].map(|q| histogram.value_at_quantile(q));
            println!("{name:<16} p50 {p50:>5} µs   p99 {p99:>5} µs   max {most:>6} µs");
        }
        trained.await.map_err(Error::internal)??;
    }
    Ok(())
}

use std::{sync::Arc, time::Instant};

use contracts::product::{
    stock::{Stock, StockLine},
    *,
};
use product::{Service, Settings};
use serde_json::{Value, json};
use shared::{
    Currency, PageRequest, Time,
    db::{Db, Options},
    events,
    time::system_clock,
};

fn parse<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn import(n: usize) -> ImportProduct {
    let colours = ["red", "blue", "green"];
    let variants: Vec<Value> = (0..3).map(|v| json!({"sku": format!("SKU-{n}-{v}"), "options": {"Colour": colours[v]},
        "prices": [{"amount": 1000 + n % 5000, "currency": "EUR"}, {"amount": 1100 + n % 5000, "currency": "USD"}], "stock": n % 50})).collect();
    parse(json!({
        "product": {"title": format!("Product {} number {n}", ["Mug", "Lamp", "Chair", "Vase", "Radio"][n % 5]), "slug": format!("product-{n}"), "status": "published",
            "description": format!("<p>A fine thing number {n} made of stoneware, by hand, in small runs. It keeps warm what is warm. {}</p>", "Dishwasher safe. ".repeat(10)),
            "brand": format!("Brand {}", n % 40), "tags": ["new", format!("tag{}", n % 20)],
            "options": [{"name": "Colour", "values": colours}], "attributes": {"material": "Stoneware"},
            "images": [{"file": format!("p-{n}.webp"), "alt": "thing", "width": 800, "height": 800}],
            "variants": variants},
        "category_paths": [["Home", format!("Room {}", n % 10), format!("Shelf {}", n % 50)]],
        "collections": [format!("Collection {}", n % 8)],
        "popularity": n % 1000,
    }))
}

fn rss() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    status
        .lines()
        .filter(|l| l.starts_with("RssAnon") || l.starts_with("VmHWM"))
        .collect::<Vec<_>>()
        .join(" ")
}

#[tokio::main]
async fn main() {
    std::thread::spawn(|| {
        let mut most = 0u64;
        loop {
            std::thread::sleep(std::time::Duration::from_millis(20));
            let s = std::fs::read_to_string("/proc/self/status").unwrap();
            let now: u64 = s
                .lines()
                .find(|l| l.starts_with("RssAnon"))
                .unwrap()
                .split_whitespace()
                .nth(1)
                .unwrap()
                .parse()
                .unwrap();
            if now > most + 30_000 {
                most = now;
                println!("  anon peak {} MB", now >> 10);
            }
        }
    });
    let total: usize = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(&format!("sqlite://{}/products.db", dir.path().display()), &Options::default())
        .await
        .unwrap();
    db.migrate(&[events::MIGRATIONS, product::MIGRATIONS]).await.unwrap();
    let usd: Currency = "USD".parse().unwrap();
    let settings = Settings {
        media_dir: dir.path().join("m"),
        search_dir: Some(dir.path().join("s")),
        currencies: vec![Currency::EUR, usd],
        ..Settings::default()
    };
    let service: Arc<Service> = Service::new(db.clone(), system_clock(), settings).await.unwrap();
    let products: Arc<dyn Products> = service.clone();
    for pass in 0..2 {
        let start = Instant::now();
        for from in (0..total).step_by(200) {
            products.import((from..from + 200).map(import).collect(), false).await.unwrap();
        }
        println!(
            "import pass {pass}: {total} in {:?} = {:.0}/s {}",
            start.elapsed(),
            total as f64 / start.elapsed().as_secs_f64(),
            rss()
        );
    }
    let start = Instant::now();
    service.search_idle().await.unwrap();
    println!("index built in {:?} {}", start.elapsed(), rss());
    let context = PriceContext { currency: Currency::EUR, group: None };
    macro_rules! time {
        ($name:expr, $n:expr, $body:expr) => {{
            let start = Instant::now();
            for _ in 0..$n {
                let _ = $body;
            }
            println!("{}: {:?} each", $name, start.elapsed() / $n);
        }};
    }
    let all = products.export(None, 1000).await.unwrap();
    let mut i = 0;
    time!("view", 1000, {
        i += 1;
        products.view(all[i % 1000].slug.clone(), context.clone()).await.unwrap()
    });
    time!("quote 5", 1000, {
        i += 1;
        let lines = (0..5)
            .map(|k| QuoteLine { variant_id: all[(i + k) % 1000].variants[0].id, quantity: 1 })
            .collect();
        products.quote(lines, context.clone()).await.unwrap()
    });
    time!("categories cached", 100, products.categories().await.unwrap());
    time!("list page 1", 20, products.list(ProductFilter::default(), PageRequest::default()).await.unwrap());
    let q = |q: &str| ProductFilter { q: Some(q.into()), ..Default::default() };
    time!("list q hit", 5, products.list(q("number 777"), PageRequest::default()).await.unwrap());
    time!("list q miss", 3, products.list(q("zzzz"), PageRequest::default()).await.unwrap());
    let cat = products.categories().await.unwrap()[0].category.id;
    time!(
        "list in root category",
        5,
        products
            .list(ProductFilter { category_id: Some(cat), ..Default::default() }, PageRequest::default())
            .await
            .unwrap()
    );
    let stock: Arc<dyn Stock> = service.clone();
    time!(
        "levels q miss",
        3,
        stock
            .levels(
                parse(json!({"variant_ids": [], "location_id": null, "below": null, "q": "zzz"})),
                PageRequest::default()
            )
            .await
            .unwrap()
    );
    time!(
        "levels below 1",
        3,
        stock
            .levels(
                parse(json!({"variant_ids": [], "location_id": null, "below": 1, "q": null})),
                PageRequest::default()
            )
            .await
            .unwrap()
    );
    let far = Time::from_micros(4_000_000_000_000_000);
    let start = Instant::now();
    let tasks: Vec<_> = (0..32)
        .map(|t| {
            let stock = stock.clone();
            let all = all.clone();
            tokio::spawn(async move {
                for k in 0..100 {
                    let o = contracts::order::OrderId::new();
                    let v = all[(t * 31 + k) % 1000].variants[0].id;
                    if stock.reserve(o, vec![StockLine { variant_id: v, quantity: 1 }], far).await.is_ok() {
                        stock.commit(o).await.unwrap();
                    }
                }
            })
        })
        .collect();
    for t in tasks {
        t.await.unwrap();
    }
    println!(
        "3200 reserve+commit by 32: {:?} = {:.0}/s",
        start.elapsed(),
        3200.0 / start.elapsed().as_secs_f64()
    );
    let start = Instant::now();
    products.update_category(cat, parse(json!({"title": "House"}))).await.unwrap();
    println!("rename root category: {:?}", start.elapsed());
    let start = Instant::now();
    products.categories().await.unwrap();
    println!("categories counted anew: {:?}", start.elapsed());
    let start = Instant::now();
    println!("reindex {} in {:?} {}", service.reindex().await.unwrap(), start.elapsed(), rss());
    println!("db {} MB", std::fs::metadata(dir.path().join("products.db")).unwrap().len() >> 20);
}

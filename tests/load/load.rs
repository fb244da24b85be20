//! The load program: `cargo bench --bench load` starts the real binary on embedded databases (or on the
//! servers that the environment names: `tests/servers run cargo bench --bench load`), drives it over HTTP, and
//! prints requests per second with p50 and p99 beside two baselines of the same run: the same bytes served by a bare
//! actix handler, and the SQL of one checkout run directly on SQLite.
//!
//! Options after `--`: `--products N` (demo shop when absent), `--seconds S` per scenario (4), `--json`.
#![expect(clippy::print_stdout, reason = "a program that prints figures")]

mod bare;
mod client;
mod scenario;
mod shop;

use std::time::Duration;

use scenario::Row;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(i) = arguments.iter().position(|a| a == "--bare-server") {
        return bare::serve(&arguments[i + 1]);
    }
    let value = |name: &str| {
        arguments.iter().position(|a| a == name).and_then(|i| arguments.get(i + 1)?.parse::<u64>().ok())
    };
    let seconds = Duration::from_secs(value("--seconds").unwrap_or(4));
    let rows = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(run(value("--products"), seconds));
    if arguments.iter().any(|a| a == "--json") {
        println!("{}", serde_json::to_string(&rows).expect("plain data"));
        return;
    }
    println!("\n| scenario | concurrency | per second | p50 ms | p99 ms |\n|---|---|---|---|---|");
    for row in &rows {
        println!(
            "| {} | {} | {} | {:.2} | {:.2} |",
            row.name, row.concurrency, row.per_second, row.p50_ms, row.p99_ms
        );
    }
}

async fn run(products: Option<u64>, seconds: Duration) -> Vec<Row> {
    let shop = shop::Shop::start(products).await;
    println!("cold start to ready (empty): {} ms; with data: {} ms", shop.cold_empty_ms, shop.cold_full_ms);
    println!("memory idle: {} MB", shop.memory_mb());
    let mut rows = Vec::new();
    for concurrency in [1, 32] {
        rows.push(
            scenario::gets(
                "listing (20 products)",
                &shop,
                "/api/v1/products?limit=20&facets=false",
                concurrency,
                seconds,
            )
            .await,
        );
        rows.push(
            scenario::gets("listing with facets", &shop, "/api/v1/products?limit=20", concurrency, seconds)
                .await,
        );
        rows.push(scenario::gets("product page", &shop, &shop.product_path(), concurrency, seconds).await);
        rows.push(scenario::gets("listing as HTML", &shop, shop::LISTING_PAGE, concurrency, seconds).await);
        rows.push(
            scenario::gets("product page as HTML", &shop, &shop.page_path(), concurrency, seconds).await,
        );
        rows.push(scenario::fresh_pages(&shop, concurrency, seconds).await);
        rows.push(scenario::searches("search, never cached", &shop, concurrency, seconds).await);
        rows.push(scenario::add_to_cart(&shop, concurrency, seconds).await);
        rows.push(scenario::checkout(&shop, concurrency, seconds).await);
    }
    println!("memory after load: {} MB", shop.memory_mb());
    for (name, path) in [
        ("listing", "/api/v1/products?limit=20&facets=false".to_owned()),
        ("product", shop.product_path()),
        ("listing as HTML", shop::LISTING_PAGE.to_owned()),
    ] {
        let bare = bare::Server::start(&shop.body(&path).await).await;
        for concurrency in [1, 32] {
            let name = format!("baseline: bare actix, bytes of {name}");
            rows.push(scenario::gets_at(&name, bare.address, "/", concurrency, seconds).await);
        }
    }
    for concurrency in [1, 32] {
        rows.push(bare::checkout_sql(concurrency, seconds).await);
    }
    rows
}

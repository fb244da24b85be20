//! Commands of the binary on a shop's folder, and the shop that is served from it afterwards.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fmt::Write as _,
    path::Path,
    process::{Command, Output},
    time::{Duration, Instant},
};

use bodega::{App, Settings};

/// Runs the binary on a folder.
fn bodega(folder: &Path, arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_bodega"))
        .env("BODEGA__DATA_DIR", folder)
        .env("BODEGA__DEMO", "false")
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    output
}

fn settings(folder: &Path) -> Settings {
    settings_on(folder, &[])
}

/// The settings of a shop in a folder, with databases elsewhere.
fn settings_on(folder: &Path, databases: &[(&str, String)]) -> Settings {
    let mut all =
        vec![("data_dir", folder.to_str().unwrap()), ("demo", "false"), ("server.listen", "127.0.0.1:0")];
    all.extend(databases.iter().map(|(key, url)| (*key, url.as_str())));
    Settings::with(&all).unwrap()
}

/// What keeps an import's memory constant: nothing but the import runs. Search hears of the products from the process
/// that serves.
#[tokio::test]
async fn an_import_leaves_indexing_to_the_process_that_serves() {
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("products.csv");
    let mut text = "Handle,Title,Variant SKU,Variant Price,Status\n".to_owned();
    for i in 0..300 {
        writeln!(text, "lamp-{i},Lamp {i},SKU-{i},{i}.50,active").unwrap();
    }
    std::fs::write(&csv, text).unwrap();

    let report = bodega(folder.path(), &["import", "products", csv.to_str().unwrap(), "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&report.stdout).unwrap();
    assert_eq!(report["created"], 300, "{report}");
    let index = folder.path().join("search");
    assert!(!index.exists(), "the import made a search index");

    let app = App::build(settings(folder.path())).await.unwrap();
    app.start().await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        app.search_idle().await.unwrap();
        let found = app.ports.products.suggest("lamp".into(), 5).await.unwrap();
        if !found.products.is_empty() {
            break;
        }
        assert!(Instant::now() < deadline, "the imported products are not found");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    app.stop().await;

    // And out again, with nothing lost.
    let exported = bodega(folder.path(), &["export", "products"]);
    let lines = String::from_utf8(exported.stdout).unwrap().lines().count();
    assert_eq!(lines, 301);
}

/// How a small shop grows: everything that it has is on the servers afterwards, and sells there.
#[tokio::test]
async fn a_shop_moves_to_other_databases_and_back() {
    let [here, there, back] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let small = App::build(settings(here.path())).await.unwrap();
    let silent = bodega::seed::Progress::new(false);
    bodega::demo::load(&small.ports, &*shared::time::system_clock(), &silent).await.unwrap();
    let orders = everything(&small).await;
    assert!(orders.len() > 10, "the demo has orders");
    drop(small);

    let grown = settings_on(there.path(), &shared::testing::databases(there.path()).await.unwrap());
    let first = bodega::copy::copy(&settings(here.path()), &grown, &silent).await.unwrap();
    let again = bodega::copy::copy(&settings(here.path()), &grown, &silent).await.unwrap();
    let sums = |copied: &[bodega::copy::Copied]| -> Vec<_> {
        copied.iter().map(|c| (c.kind.clone(), c.count, c.hash.clone())).collect()
    };
    assert_eq!(sums(&first), sums(&again));
    let count = |kind: &str| first.iter().find(|copied| copied.kind == kind).map(|copied| copied.count);
    assert!(count("orders") > Some(10) && count("accounts") > Some(3), "{first:?}");
    let home = bodega::copy::copy(&grown, &settings(back.path()), &silent).await.unwrap();
    assert_eq!(sums(&first), sums(&home));

    let shop = App::build(grown).await.unwrap();
    assert_eq!(everything(&shop).await, orders);
    shop.start().await.unwrap();
    shop.search_idle().await.unwrap();
    assert!(!shop.ports.products.suggest("mug".into(), 5).await.unwrap().products.is_empty());
    let login = contracts::customer::Login {
        email: "shopper@example.com".parse().unwrap(),
        password: "bodega-shopper".into(),
        user_agent: None,
    };
    shop.ports.customers.log_in(login).await.unwrap();
    shop.stop().await;
}

/// Every order as its owner sees it.
async fn everything(app: &App) -> Vec<serde_json::Value> {
    let (mut all, mut page) = (Vec::new(), shared::PageRequest { limit: 100, cursor: None });
    loop {
        let orders = app.ports.orders.list(Default::default(), page).await.unwrap();
        all.extend(orders.data.iter().map(|order| serde_json::to_value(order).unwrap()));
        match orders.next_cursor {
            Some(cursor) => page = shared::PageRequest { limit: 100, cursor: Some(cursor) },
            None => return all,
        }
    }
}

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
    let all = [("data_dir", folder.to_str().unwrap()), ("demo", "false"), ("server.listen", "127.0.0.1:0")];
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

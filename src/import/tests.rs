pub(crate) mod double;
mod own;
mod shopify;

use std::{
    io::{Cursor, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use contracts::Ports;
use contracts::product::Products;
use shared::Currency;

use super::*;
use double::Shop;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/shopify").join(name)
}

/// Imports a file into an empty shop.
async fn import(path: &Path) -> (Arc<Shop>, ImportReport) {
    let shop = Arc::new(Shop::default());
    let report = import_into(&double::ports(&shop), path, false).await;
    (shop, report)
}

async fn import_into(ports: &Ports, path: &Path, dry_run: bool) -> ImportReport {
    products_csv(ports, path, Currency::EUR, dry_run, &Progress::new(false)).await.unwrap()
}

/// Imports what `file` yields.
async fn import_read(file: impl Read) -> (Arc<Shop>, Result<ImportReport>) {
    let shop = Arc::new(Shop::default());
    let ports = double::ports(&shop);
    let products: &dyn Products = ports.products.as_ref();
    let gallery = Gallery::beside(Path::new("/nowhere"));
    let import = Import { products, gallery, currency: Currency::EUR, dry_run: false };
    let report = match Sheet::open(file) {
        Ok(mut sheet) => import.run(&mut sheet, &Progress::new(false)).await,
        Err(error) => Err(error),
    };
    (shop, report)
}

async fn import_text(text: impl AsRef<[u8]>) -> (Arc<Shop>, ImportReport) {
    let (shop, report) = import_read(Cursor::new(text.as_ref())).await;
    (shop, report.unwrap())
}

/// `(row, code)` of each error.
fn codes(report: &ImportReport) -> Vec<(u64, &str)> {
    report.errors.iter().map(|error| (error.row, error.code.as_str())).collect()
}

#[tokio::test]
async fn the_rows_of_a_large_file_arrive_in_batches() {
    let rows = (0..1_001).map(|i| format!("p-{i},P {i},Size,S,{i}.50\np-{i},,,M,{i}.50\n"));
    let text = format!("Handle,Title,Option1 Name,Option1 Value,Variant Price\n{}", rows.collect::<String>());
    let (shop, report) = import_text(text).await;
    assert_eq!(*shop.batches.lock().unwrap(), [200, 200, 200, 200, 200, 1]);
    assert_eq!((report.rows, report.products, report.created, report.failed), (2_002, 1_001, 1_001, 0));
}

#[tokio::test]
async fn a_quotation_mark_that_is_never_closed_does_not_swallow_the_file_into_memory() {
    let start = "Handle,Title,Variant Price\na,A,1.00\nb,B,1.00\nc,\"C,1.00\n";
    let endless = start.as_bytes().chain(std::io::repeat(b'x'));
    let (shop, report) = import_read(endless).await;
    let report = report.unwrap();
    // The product before the broken row may have had more rows, so it is not taken either.
    assert_eq!((report.created, report.failed), (1, 2));
    assert_eq!(
        report.errors.iter().map(|e| e.code.as_str()).collect::<Vec<_>>(),
        ["unreadable", "unreadable"]
    );
    assert_eq!(shop.products.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn only_the_first_thousand_errors_are_kept() {
    let rows: String = (0..1_500).map(|i| format!("p-{i},P,free\n")).collect();
    let (_, report) = import_text(format!("Handle,Title,Variant Price\n{rows}")).await;
    assert_eq!((report.failed, report.errors_total, report.errors.len()), (1_500, 1_500, 1_000));
    assert!(report.to_string().contains("and 500 more errors"));
}

#[tokio::test]
async fn files_of_others_are_refused() {
    for (text, code) in [
        (b"a,b,c\n1,2,3\n".as_slice(), "unknown_format"),
        (b"", "unknown_format"),
        (b"\xff\xfeH\0a\0n\0d\0l\0e\0", "encoding"),
    ] {
        assert_eq!(import_read(text).await.1.unwrap_err().code, code);
    }
    let (ports, nothing) = (double::ports(&Arc::new(Shop::default())), Progress::new(false));
    let missing = products_csv(&ports, Path::new("/no/such.csv"), Currency::EUR, true, &nothing);
    assert_eq!(missing.await.unwrap_err().code, "file");
}

#[tokio::test]
async fn spreadsheets_of_any_country_can_be_read() {
    for text in [
        "Handle,Title,Variant Price\na,Ä,1.00\n",
        "\u{feff}Handle,Title,Variant Price\na,Ä,1.00\n",
        "Handle;Title;Variant Price\r\na;Ä;1.00\r\n",
        "\u{feff}Handle\tTitle\tVariant Price\r\na\tÄ\t1.00",
        "HANDLE , title,VARIANT_PRICE\n\n  \n,,\na,Ä,1.00\n",
    ] {
        let (shop, report) = import_text(text).await;
        assert_eq!((report.created, report.failed, report.rows), (1, 0, 1), "{text:?} {:?}", report.errors);
        assert_eq!(shop.of("a").product.title, "Ä");
    }
}

#[tokio::test]
async fn rows_that_are_not_utf_8_or_too_long_fail_with_their_number() {
    let text = b"Handle,Title,Variant Price\na,\xc4rger,1.00\nb,B,1.00\nc,C,1.00,more\nd,D\n";
    let (shop, report) = import_text(text).await;
    assert_eq!(codes(&report), [(2, "encoding"), (4, "too_many_cells"), (5, "required")]);
    assert_eq!(shop.products.lock().unwrap().keys().collect::<Vec<_>>(), ["b"]);
}

#[tokio::test]
async fn a_product_with_thousands_of_rows_fails_alone() {
    let rows: String = (0..5_000).map(|i| format!("many,M,Size,{i},1.00\n")).collect();
    let (shop, report) = import_text(format!(
        "Handle,Title,Option1 Name,Option1 Value,Variant Price\n{rows}one,O,Title,Default Title,1.00\n"
    ))
    .await;
    assert_eq!(codes(&report), [(1_001, "too_many_rows")]);
    assert_eq!((report.failed, report.created), (1, 1));
    assert!(shop.products.lock().unwrap().contains_key("one"));
}

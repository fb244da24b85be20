use contracts::product::{ImportProduct, NewProduct, NewVariant, OptionValue, ProductOption, ProductStatus};
use serde_json::json;
use shared::Money;

use super::*;
use crate::{demo::Catalogue, export};

fn money(amount: i64, currency: &str) -> Money {
    Money::new(amount, currency.parse().unwrap())
}

/// A product with everything in it that a CSV file could trip over.
fn awkward() -> ImportProduct {
    let value = |value: &str, swatch: Option<&str>| OptionValue {
        value: value.into(),
        label: format!("\"{value}\", the one"),
        swatch: swatch.map(Into::into),
    };
    let variant = |sku: &str, colour: &str, tracked: bool| NewVariant {
        id: None,
        sku: sku.into(),
        options: [("Colour | tone".to_owned(), colour.to_owned()), ("=Size".to_owned(), "-1".to_owned())]
            .into(),
        prices: vec![money(1, "EUR"), money(1_234_567, "JPY")],
        compare_at_prices: vec![money(150, "EUR")],
        barcode: Some("+49".into()),
        stock: tracked.then_some(7),
        weight_grams: 1_200,
        tracked,
    };
    let product = NewProduct {
        title: "=HYPERLINK(\"x\")".into(),
        slug: Some("awkward".into()),
        subtitle: Some("'=quoted".into()),
        description: "<p>One, \"two\";\r\nthree</p>\n\n- four".into(),
        status: ProductStatus::Draft,
        brand: Some("@home".into()),
        category_ids: Vec::new(),
        tags: vec!["a|b".into(), "c\\d".into(), "-e".into()],
        options: vec![
            ProductOption {
                name: "Colour | tone".into(),
                values: vec![
                    value("rot/grün", Some("#ff0000")),
                    value("unused", None),
                    value("\tblau", None),
                ],
            },
            ProductOption { name: "=Size".into(), values: vec![value("-1", None)] },
        ],
        attributes: [("material".to_owned(), "Stone, | ware".to_owned())].into(),
        tax_class: "reduced".into(),
        shipping_class: "bulky".into(),
        images: serde_json::from_value(
            json!([{"file": "a.webp", "alt": "An, \"alt\"", "options": {"=Size": "-1"}}]),
        )
        .unwrap(),
        variants: vec![variant("'SKU", "rot/grün", true), variant("+SKU-2", "\tblau", false)],
        seo_title: None,
        seo_description: Some("+1".into()),
    };
    ImportProduct {
        product,
        category_paths: vec![vec!["A > B".into(), "C | D".into()], vec!["E".into()]],
        collections: vec!["New | in".into()],
        popularity: 0,
    }
}

async fn export(ports: &Ports) -> Vec<u8> {
    let mut out = Vec::new();
    export::products_csv(ports, &mut out).await.unwrap();
    out
}

#[tokio::test]
async fn an_import_of_an_export_is_the_same_shop() {
    let catalogue = Catalogue::load().unwrap();
    let mut products: Vec<ImportProduct> =
        catalogue.products.iter().map(|product| product.import(&Default::default(), 0)).collect();
    products.push(awkward());
    let first = Arc::new(Shop::default());
    let ports = double::ports(&first);
    ports.products.import(products, false).await.unwrap();
    let file = export(&ports).await;

    let (second, report) = import_text(&file).await;
    assert_eq!((report.errors.as_slice(), report.created), ([].as_slice(), 65));
    let json = |shop: &Shop| serde_json::to_value(&*shop.products.lock().unwrap()).unwrap();
    assert_eq!(json(&first)["awkward"], json(&second)["awkward"]);
    assert_eq!(json(&first), json(&second));
    assert_eq!(export(&double::ports(&second)).await, file);
}

#[tokio::test]
async fn no_exported_cell_is_a_formula() {
    let shop = Arc::new(Shop::default());
    let ports = double::ports(&shop);
    ports.products.import(vec![awkward()], false).await.unwrap();
    let file = export(&ports).await;
    for record in csv::Reader::from_reader(file.as_slice()).records() {
        for cell in record.unwrap().iter() {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?}");
        }
    }
}

#[tokio::test]
async fn wrong_cells_are_named() {
    let text = "slug,title,status,options,prices,weight_grams,tracked\n\
        a,A,published,,5.00 EUR,1,\n\
        b,B,open,\"[{]\",5.00,x,maybe\n\
        c,C,draft,,5.00 EUR | 6.00 USD,,false\n";
    let (shop, report) = import_text(text).await;
    let columns: Vec<_> = report.errors.iter().map(|e| (e.row, e.column.as_str(), e.code.as_str())).collect();
    assert_eq!(
        columns,
        [
            (3, "options", "json"),
            (3, "status", "status"),
            (3, "prices", "price"),
            (3, "weight_grams", "number"),
            (3, "tracked", "boolean"),
        ]
    );
    assert_eq!(shop.of("c").product.variants[0].prices, [money(500, "EUR"), money(600, "USD")]);
    assert!(!shop.of("c").product.variants[0].tracked && shop.of("a").product.variants[0].tracked);
}

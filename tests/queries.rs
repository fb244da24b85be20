//! Every query of every module is served by an index, on whatever databases the environment names.

use bodega::{
    Settings,
    queries::{self, Size},
    seed::Progress,
};
use shared::testing;

/// What staff make by hand stays small, and is read as a whole.
const SMALL: [&str; 15] = [
    "categories",
    "collections",
    "collection_products",
    "field_definitions",
    "locations",
    "metafield_definitions",
    "promotions",
    // The newest few.
    "recommendation_models",
    "role_permissions",
    "roles",
    "shipping_methods",
    "shipping_zone_countries",
    "shipping_zones",
    "staff_roles",
    "tax_rates",
];

#[test]
fn every_query_is_served_by_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let report = actix_rt::System::new().block_on(async {
        let mut all = vec![
            ("data_dir".to_owned(), folder.path().to_str().unwrap().to_owned()),
            ("demo".to_owned(), "false".to_owned()),
        ];
        for name in ["products", "metadata"] {
            all.push((format!("database.{name}"), testing::documents(folder.path(), name).unwrap()));
        }
        for name in ["customers", "orders"] {
            all.push((format!("database.{name}"), testing::relational(folder.path(), name).await.unwrap()));
        }
        let all: Vec<_> = all.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let settings = Settings::with(&all).unwrap();
        // One row is large: what has an index uses it, and what has none is seen.
        let size = Size { products: 50, orders: 50, rows: 1 };
        queries::check(settings, size, &Progress::new(false)).await.unwrap()
    });
    let scans: Vec<String> = report
        .findings
        .iter()
        .filter(|finding| !SMALL.contains(&finding.table.as_str()))
        .map(ToString::to_string)
        .collect();
    assert!(scans.is_empty(), "{}", scans.join("\n"));
    assert!(report.refused.is_empty(), "the tour is not what it was: {:#?}", report.refused);
    let untouched: Vec<_> = report.untouched().map(|table| &table.table).collect();
    assert!(untouched.is_empty(), "no query of {untouched:?} was seen");
    assert!(report.statements > 350, "{}", report.statements);
}

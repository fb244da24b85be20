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
        let databases = testing::databases(folder.path()).await.unwrap();
        let mut all = vec![("data_dir", folder.path().to_str().unwrap()), ("demo", "false")];
        all.extend(databases.iter().map(|(key, url)| (*key, url.as_str())));
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

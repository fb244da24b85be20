use contracts::product::ImportResult;

use super::*;

fn import(slug: &str, sku: &str) -> ImportProduct {
    let mut product = simple(sku, 5);
    product["slug"] = json!(slug);
    product["description"] = json!("<p>Good <script>x</script></p>");
    parse(json!({
        "product": product,
        "category_paths": [["Home", "Kitchen"], ["Gifts"]],
        "collections": ["New in"],
        "popularity": 7,
    }))
}

async fn results(shop: &Shop, products: Vec<ImportProduct>, dry_run: bool) -> Vec<ImportResult> {
    let outcomes = shop.products().import(products, dry_run).await.unwrap();
    outcomes.into_iter().map(|outcome| outcome.result).collect()
}

#[tokio::test]
async fn the_same_import_twice_changes_nothing() {
    let shop = Shop::open().await;
    let all = || vec![import("a", "A"), import("b", "B")];
    assert_eq!(results(&shop, all(), true).await, [ImportResult::Created, ImportResult::Created]);
    assert!(shop.products().categories().await.unwrap().is_empty(), "a dry run makes nothing");
    assert_eq!(results(&shop, all(), false).await, [ImportResult::Created, ImportResult::Created]);
    let before = shop.products().export(None, 10).await.unwrap();
    shop.tick();
    for dry_run in [true, false] {
        assert_eq!(results(&shop, all(), dry_run).await, [ImportResult::Unchanged, ImportResult::Unchanged]);
    }
    assert_eq!(shop.products().export(None, 10).await.unwrap(), before);
    let tree = shop.products().categories().await.unwrap();
    assert_eq!(tree.iter().map(|node| node.category.title.as_str()).collect::<Vec<_>>(), ["Home", "Gifts"]);
    assert_eq!(tree[0].children[0].product_count, 2);
    assert_eq!(shop.products().collections().await.unwrap()[0].product_ids.len(), 2);
    assert_eq!(before[0].collection_ids.len(), 1);
}

#[tokio::test]
async fn a_changed_product_is_updated_and_its_stock_left_alone() {
    let shop = Shop::open().await;
    results(&shop, vec![import("a", "A")], false).await;
    let before = shop.products().export(None, 1).await.unwrap().remove(0);
    let mut changed = import("a", "A");
    changed.product.title = "Other".into();
    changed.product.variants[0].stock = Some(99);
    assert_eq!(results(&shop, vec![changed], false).await, [ImportResult::Updated]);
    let after = shop.products().find(before.id).await.unwrap();
    assert_eq!((after.title.as_str(), after.version), ("Other", 2));
    assert_eq!((after.variants[0].id, after.variants[0].available), (before.variants[0].id, 5));
}

#[tokio::test]
async fn a_bad_product_fails_alone() {
    let shop = Shop::open().await;
    shop.simple("TAKEN", 1).await;
    let mut no_price = import("no-price", "P");
    no_price.product.variants[0].prices.clear();
    no_price.category_paths = vec![vec!["Nobody".into()]];
    let bad_slug = import("Not A Slug", "Q");
    let all = vec![
        import("a", "A"),
        no_price,
        import("b", "TAKEN"),
        import("c", "A"),
        bad_slug,
        import("a", "Z"),
        import("d", "D"),
    ];
    let got = results(&shop, all, false).await;
    let problem = |result: &ImportResult| match result {
        ImportResult::Failed { code, pointer, .. } => format!("{code} {pointer}"),
        other => format!("{other:?}"),
    };
    let wanted = [
        "Created",
        "required /variants/0/prices",
        "sku_taken /variants/0/sku",
        "sku_taken /variants/0/sku",
        "slug /slug",
        "duplicate /slug",
        "Created",
    ];
    assert_eq!(got.iter().map(problem).collect::<Vec<_>>(), wanted);
    assert!(
        shop.products().category("nobody".into()).await.is_err(),
        "no category for a product that failed"
    );
}

#[tokio::test]
async fn imports_at_once_make_one_tree() {
    let shop = Shop::open().await;
    let run = |n: usize| shop.products().import(vec![import(&format!("p{n}"), &format!("S{n}"))], false);
    for done in futures::future::join_all((0..8).map(run)).await {
        assert_eq!(done.unwrap()[0].result, ImportResult::Created);
    }
    assert_eq!(shop.products().categories().await.unwrap().len(), 2);
    assert_eq!(shop.products().collections().await.unwrap()[0].product_ids.len(), 8);
}

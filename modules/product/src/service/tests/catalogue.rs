use contracts::product::{CategoryPatch, NewCategory, Sort};
use shared::events::Envelope;

use super::*;

fn category(title: &str, parent_id: Option<CategoryId>) -> NewCategory {
    parse(json!({ "title": title, "parent_id": parent_id }))
}

fn patch(value: Value) -> ProductPatch {
    parse(value)
}

/// Of 2 x 3 pixels.
const GIF: &[u8] =
    b"GIF87a\x02\0\x03\0\x80\0\0\0\0\0\0\0\0,\0\0\0\0\x02\0\x03\0\0\x08\x06\0\x01\x08\x1c\x18\x10\0;";

fn gif() -> Blob {
    Blob(GIF.into())
}

#[tokio::test]
async fn a_sku_is_unique_in_the_shop() {
    let shop = Shop::open().await;
    shop.simple("A", 1).await;
    let mut second = simple("B", 1);
    second["options"] = json!([{"name": "Size", "values": ["S", "L"]}]);
    second["variants"] = json!([
        {"sku": "B", "options": {"Size": "S"}, "prices": [{"amount": 1, "currency": "EUR"}]},
        {"sku": "A", "options": {"Size": "L"}, "prices": [{"amount": 1, "currency": "EUR"}]},
    ]);
    let error = shop.products().create(parse(second.clone())).await.unwrap_err();
    assert_eq!((error.code.as_ref(), error.fields[0].pointer.as_str()), ("sku_taken", "/variants/1/sku"));
    second["variants"][1]["sku"] = json!("C");
    // Nothing of the refused product is left.
    shop.create(second).await;
}

#[tokio::test]
async fn a_generated_slug_steps_aside_and_a_given_one_does_not() {
    let shop = Shop::open().await;
    let new = |sku: &str| {
        let mut new = simple(sku, 0);
        new["title"] = json!("Blue Mug");
        new
    };
    assert_eq!(shop.create(new("A")).await.slug, "blue-mug");
    assert_eq!(shop.create(new("B")).await.slug, "blue-mug-2");
    let mut given = new("C");
    given["slug"] = json!("blue-mug");
    assert_eq!(shop.products().create(parse(given)).await.unwrap_err().code, "slug_taken");
}

#[tokio::test]
async fn products_made_at_once_from_one_title_all_get_a_slug() {
    let shop = Shop::open().await;
    let create = |n: usize| {
        let mut new = simple(&format!("S{n}"), 0);
        new["title"] = json!("Same");
        shop.products().create(parse(new))
    };
    let made = futures::future::join_all((0..4).map(create)).await;
    let slugs: std::collections::HashSet<String> = made.into_iter().map(|made| made.unwrap().slug).collect();
    assert_eq!(slugs.len(), 4);
}

#[tokio::test]
async fn a_former_slug_finds_the_product_until_another_takes_it() {
    let shop = Shop::open().await;
    let (product, _) = shop.simple("A", 1).await;
    let old = product.slug.clone();
    shop.products().update(product.id, patch(json!({"slug": "new-name"})), None).await.unwrap();
    for key in ["new-name", &old, &product.id.to_string()] {
        let view = shop.products().view(key.to_owned(), euros()).await.unwrap();
        assert_eq!((view.id, view.slug.as_str()), (product.id, "new-name"), "{key}");
    }
    let mut other = simple("B", 1);
    other["slug"] = json!(old);
    let other = shop.create(other).await;
    assert_eq!(shop.products().view(old, euros()).await.unwrap().id, other.id);
}

#[tokio::test]
async fn a_version_that_has_moved_on_is_refused() {
    let shop = Shop::open().await;
    let (product, _) = shop.simple("A", 1).await;
    let rename = patch(json!({"title": "Other"}));
    let updated = shop.products().update(product.id, rename.clone(), Some(1)).await.unwrap();
    assert_eq!((updated.version, updated.title.as_str()), (2, "Other"));
    let error = shop.products().update(product.id, rename, Some(1)).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_ref()), (shared::Kind::PreconditionFailed, "version"));
}

#[tokio::test]
async fn updates_at_once_without_a_version_all_count() {
    let shop = Shop::open().await;
    let (product, _) = shop.simple("A", 1).await;
    let fields = ["title", "subtitle", "brand"];
    let update = |field: &&str| shop.products().update(product.id, patch(json!({*field: "new"})), None);
    futures::future::join_all(fields.iter().map(update))
        .await
        .into_iter()
        .for_each(|done| drop(done.unwrap()));
    let now = shop.products().find(product.id).await.unwrap();
    assert_eq!(
        (now.title.as_str(), now.subtitle.as_deref(), now.brand.as_deref()),
        ("new", Some("new"), Some("new"))
    );
}

#[tokio::test]
async fn a_patch_of_variants_keeps_changes_adds_and_removes() {
    let shop = Shop::open().await;
    let mut new = simple("A", 5);
    new["options"] = json!([{"name": "Size", "values": ["S", "M", "L"]}]);
    let variant = |sku: &str, size: &str, stock: i64| json!({"sku": sku, "options": {"Size": size}, "prices": [{"amount": 1000, "currency": "EUR"}], "stock": stock});
    new["variants"] = json!([variant("A", "S", 5), variant("B", "M", 6)]);
    let before = shop.create(new).await;
    let (a, b) = (before.variants[0].id, before.variants[1].id);
    // B keeps its id by id and takes A's SKU; A is gone; L is new.
    let mut renamed = variant("A", "M", 99);
    renamed["id"] = json!(b);
    let wanted = patch(json!({"variants": [renamed, variant("C", "L", 7)]}));
    let after = shop.products().update(before.id, wanted, None).await.unwrap();
    let seen: Vec<_> = after.variants.iter().map(|v| (v.sku.as_str(), v.available)).collect();
    assert_eq!(seen, [("A", 6), ("C", 7)]);
    assert_eq!(after.variants[0].id, b);
    let quotes =
        shop.products().quote(vec![QuoteLine { variant_id: a, quantity: 1 }], euros()).await.unwrap();
    assert!(quotes.is_empty(), "a removed variant is not sold");
    // The SKU that nobody has any more is free.
    shop.simple("B", 1).await;
}

#[tokio::test]
async fn two_variants_can_swap_their_skus() {
    let shop = Shop::open().await;
    let mut new = simple("A", 1);
    new["options"] = json!([{"name": "Size", "values": ["S", "M"]}]);
    let prices = json!([{"amount": 1, "currency": "EUR"}]);
    new["variants"] = json!([
        {"sku": "A", "options": {"Size": "S"}, "prices": prices}, {"sku": "B", "options": {"Size": "M"}, "prices": prices},
    ]);
    let product = shop.create(new.clone()).await;
    let mut swapped = new["variants"].clone();
    (swapped[0]["id"], swapped[1]["id"]) = (json!(product.variants[0].id), json!(product.variants[1].id));
    (swapped[0]["sku"], swapped[1]["sku"]) = (json!("B"), json!("A"));
    let after = shop.products().update(product.id, patch(json!({"variants": swapped})), None).await.unwrap();
    assert_eq!(after.variants[0].sku, "B");
}

#[tokio::test]
async fn publishing_is_dated_once_and_deleting_archives() {
    let shop = Shop::open().await;
    let mut draft = simple("A", 1);
    draft["status"] = json!("draft");
    let product = shop.create(draft).await;
    assert_eq!(product.published_at, None);
    assert!(shop.products().view(product.slug.clone(), euros()).await.is_err());
    let publish = async || {
        shop.tick();
        shop.products().update(product.id, patch(json!({"status": "published"})), None).await
    };
    let first = publish().await.unwrap().published_at;
    assert!(first.is_some());
    shop.products().delete(product.id).await.unwrap();
    shop.products().delete(product.id).await.unwrap();
    assert!(shop.products().view(product.slug.clone(), euros()).await.is_err());
    assert_eq!(publish().await.unwrap().published_at, first);
    assert_eq!(shop.products().delete(unknown()).await.unwrap_err().kind, shared::Kind::NotFound);
}

#[tokio::test]
async fn a_category_counts_what_is_in_it_and_below_and_refuses_a_cycle() {
    let shop = Shop::open().await;
    let products = shop.products();
    let home = products.create_category(category("Home", None)).await.unwrap();
    let kitchen = products.create_category(category("Kitchen", Some(home.id))).await.unwrap();
    let mut new = simple("A", 1);
    new["category_ids"] = json!([kitchen.id]);
    let product = shop.create(new).await;
    let tree = products.categories().await.unwrap();
    assert_eq!((tree[0].product_count, tree[0].children[0].product_count), (1, 1));
    let under_kitchen: CategoryPatch = parse(json!({"parent_id": kitchen.id}));
    assert_eq!(products.update_category(home.id, under_kitchen, None).await.unwrap_err().code, "cycle");
    assert_eq!(products.delete_category(home.id).await.unwrap_err().code, "category_not_empty");
    let root: CategoryPatch = parse(json!({"parent_id": null}));
    assert_eq!(products.update_category(kitchen.id, root, None).await.unwrap().parent_id, None);
    let stale = products.update_category(kitchen.id, CategoryPatch::default(), Some(kitchen.version)).await;
    assert_eq!(stale.unwrap_err().code, "version");
    products.delete_category(home.id).await.unwrap();
    products.delete_category(kitchen.id).await.unwrap();
    // What pointed to the category is as if it had not, and can be written again.
    assert!(products.find(product.id).await.unwrap().category_ids.is_empty());
    products.update(product.id, patch(json!({"title": "x"})), None).await.unwrap();
}

#[tokio::test]
async fn two_moves_at_once_cannot_make_a_cycle() {
    let shop = Shop::open().await;
    let a = shop.products().create_category(category("A", None)).await.unwrap();
    let b = shop.products().create_category(category("B", None)).await.unwrap();
    let under = |id: CategoryId, parent: CategoryId| {
        shop.products().update_category(id, parse(json!({"parent_id": parent})), None)
    };
    let (first, second) = tokio::join!(under(a.id, b.id), under(b.id, a.id));
    assert!(first.is_ok() != second.is_ok());
}

#[tokio::test]
async fn siblings_of_other_parents_get_readable_slugs() {
    let shop = Shop::open().await;
    let products = shop.products();
    let (home, garden) = (category("Home", None), category("Garden", None));
    let home = products.create_category(home).await.unwrap();
    let garden = products.create_category(garden).await.unwrap();
    let first = products.create_category(category("Accessories", Some(home.id))).await.unwrap();
    let second = products.create_category(category("Accessories", Some(garden.id))).await.unwrap();
    assert_eq!((first.slug.as_str(), second.slug.as_str()), ("accessories", "garden-accessories"));
}

#[tokio::test]
async fn a_list_goes_from_new_to_old_without_gaps() {
    let shop = Shop::open().await;
    for n in 0..5 {
        shop.simple(&format!("SKU-{n}"), 1).await;
        if n == 2 {
            // Three share a moment.
            shop.tick();
        }
    }
    let (mut page, mut seen) = (PageRequest { limit: 2, cursor: None }, Vec::new());
    loop {
        let part = shop.products().list(ProductFilter::default(), page).await.unwrap();
        seen.extend(part.data.into_iter().map(|p| (p.created_at, p.id)));
        let Some(cursor) = part.next_cursor else { break };
        page = PageRequest { limit: 2, cursor: Some(cursor) };
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.windows(2).all(|pair| pair[0] > pair[1]));
    let filter = ProductFilter { q: Some("sku-3".into()), ..ProductFilter::default() };
    let found = shop.products().list(filter, PageRequest::default()).await.unwrap();
    assert_eq!(found.data.len(), 1);
    let all = ProductFilter { q: Some("%".into()), ..ProductFilter::default() };
    assert!(shop.products().list(all, PageRequest::default()).await.unwrap().data.is_empty());
}

#[tokio::test]
async fn a_picture_is_kept_by_content() {
    let shop = Shop::open().await;
    let (product, _) = shop.simple("A", 1).await;
    let image = || NewImage { content: gif(), alt: "A thing".into(), options: Default::default() };
    shop.products().add_image(product.id, image()).await.unwrap();
    let with = shop.products().add_image(product.id, image()).await.unwrap();
    assert_eq!(with.images.len(), 1);
    assert_eq!((with.images[0].width, with.images[0].height), (2, 3));
    let file = with.images[0].file.clone();
    let media = shop.products().media(file.clone()).await.unwrap();
    assert_eq!((media.content_type.as_str(), media.content), ("image/gif", gif()));
    assert!(shop.products().remove_image(product.id, file).await.unwrap().images.is_empty());
    assert!(shop.products().media("../products.db".into()).await.is_err());
    let script = NewImage { content: Blob(b"<script>".as_slice().into()), ..image() };
    assert_eq!(shop.products().add_image(product.id, script).await.unwrap_err().code, "media_type");
    assert!(shop.products().store_media("a/b.gif".into(), gif()).await.is_err());
    shop.products().store_media("b.gif".into(), gif()).await.unwrap();
}

#[tokio::test]
async fn search_follows_the_catalogue() {
    let shop = Shop::open().await;
    let (product, variant) = shop.simple("A", 1).await;
    shop.service.search_idle().await.unwrap();
    let found = shop.products().search(query("thing")).await.unwrap();
    assert_eq!((found.total, found.data[0].in_stock), (1, true));
    let line = contracts::product::stock::StockLine { variant_id: variant, quantity: 1 };
    let later = shop.clock.now().after(std::time::Duration::from_secs(60));
    shop.stock().reserve(Id::new(), vec![line], later).await.unwrap();
    shop.service.search_idle().await.unwrap();
    assert!(!shop.products().search(query("thing")).await.unwrap().data[0].in_stock);
    shop.products().delete(product.id).await.unwrap();
    shop.service.search_idle().await.unwrap();
    assert_eq!(shop.products().search(query("thing")).await.unwrap().total, 0);
    assert_eq!(
        shop.products().search(SearchQuery { sort: Sort::Newest, ..query("") }).await.unwrap().total,
        0
    );
}

#[tokio::test]
async fn search_catches_up_with_what_was_written_while_it_was_away() {
    let shop = Shop::open_with(Some("search")).await;
    shop.simple("A", 1).await;
    shop.service.search_idle().await.unwrap();
    shop.tick();
    shop.simple("B", 1).await;
    let shop = shop.restarted(Some("search")).await;
    assert_eq!(shop.products().search(query("thing")).await.unwrap().total, 1);
    let jobs = Jobs::new();
    shop.service.start(&jobs);
    until_found(&shop, 2).await;
    jobs.stop(std::time::Duration::from_secs(5)).await;
}

async fn until_found(shop: &Shop, wanted: u64) {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    while shop.products().search(query("thing")).await.unwrap().total != wanted {
        assert!(tokio::time::Instant::now() < deadline, "the worker does not catch up");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_is_heard_can_soon_be_searched() {
    let shop = Shop::open().await;
    let jobs = Jobs::new();
    shop.service.start(&jobs);
    let (sender, mut events) = tokio::sync::mpsc::unbounded_channel();
    shop.db.watch(Arc::new(move |all: &[Envelope]| {
        all.iter().for_each(|event| drop(sender.send(event.clone())))
    }));
    let (product, _) = shop.simple("A", 1).await;
    shop.service.consumers()[0].handle(&events.recv().await.unwrap()).await.unwrap();
    until_found(&shop, 1).await;
    shop.products().delete(product.id).await.unwrap();
    shop.service.consumers()[0].handle(&events.recv().await.unwrap()).await.unwrap();
    until_found(&shop, 0).await;
    jobs.stop(std::time::Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_former_slug_finds_the_category_until_another_takes_it() {
    let shop = Shop::open().await;
    let products = shop.products();
    let kitchen = products.create_category(category("Kitchen", None)).await.unwrap();
    let rename = async |id, slug: &str| {
        products.update_category(id, parse(json!({"slug": slug})), None).await.unwrap();
    };
    let found = async |key: &str| {
        products.category(key.to_owned()).await.ok().map(|category| (category.id, category.slug))
    };
    rename(kitchen.id, "cooking").await;
    rename(kitchen.id, "food").await;
    for key in ["food", "cooking", "kitchen", &kitchen.id.to_string()] {
        assert_eq!(found(key).await, Some((kitchen.id, "food".to_owned())), "{key}");
    }
    // Back to a name it had: that is where it is, and the others lead there.
    rename(kitchen.id, "kitchen").await;
    for key in ["food", "cooking", "kitchen"] {
        assert_eq!(found(key).await, Some((kitchen.id, "kitchen".to_owned())), "{key}");
    }
    // Another takes one of its former names by being made, and one by being renamed.
    let other = products.create_category(category("Food", None)).await.unwrap();
    assert_eq!(found("food").await, Some((other.id, "food".to_owned())));
    rename(other.id, "cooking").await;
    for key in ["food", "cooking"] {
        assert_eq!(found(key).await, Some((other.id, "cooking".to_owned())), "{key}");
    }
    // What leads to a category goes with it.
    products.delete_category(other.id).await.unwrap();
    for key in ["food", "cooking", "", "Food", "%00", "a\0b"] {
        assert_eq!(found(key).await, None, "{key}");
    }
}

#[tokio::test]
async fn a_moved_category_moves_its_products_in_search() {
    let shop = Shop::open().await;
    let products = shop.products();
    let home = products.create_category(category("Home", None)).await.unwrap();
    let kitchen = products.create_category(category("Kitchen", None)).await.unwrap();
    let mut new = simple("A", 1);
    new["category_ids"] = json!([kitchen.id]);
    shop.create(new).await;
    shop.service.search_idle().await.unwrap();
    let in_home = || SearchQuery { category: vec!["home".into()], ..query("") };
    assert_eq!(products.search(in_home()).await.unwrap().total, 0);
    shop.tick();
    products.update_category(kitchen.id, parse(json!({"parent_id": home.id})), None).await.unwrap();
    shop.service.search_idle().await.unwrap();
    assert_eq!(products.search(in_home()).await.unwrap().total, 1);
}

#[tokio::test]
async fn search_refuses_what_cannot_be() {
    let shop = Shop::open().await;
    let yen =
        SearchQuery { context: PriceContext { currency: "JPY".parse().unwrap(), group: None }, ..query("") };
    assert_eq!(shop.products().search(yen).await.unwrap_err().code, "currency");
    let negative = SearchQuery { min_price: Some(-1), ..query("") };
    assert_eq!(shop.products().search(negative).await.unwrap_err().fields[0].pointer, "/min_price");
    let none = SearchQuery { page: PageRequest { limit: 0, cursor: None }, ..query("") };
    assert!(shop.products().search(none).await.is_err());
}

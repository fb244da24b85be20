//! What the catalogue's writes promise, whichever database they are in: all or nothing, once, and in turns.

use std::sync::Mutex as Lock;

use contracts::review::AggregateChanged;
use futures::future::join_all;
use shared::{
    Kind,
    events::{Envelope, EventId},
};

use super::*;
use crate::store::{Finished, Listing, Save};

/// All events from now on.
fn listen(shop: &Shop) -> Arc<Lock<Vec<Envelope>>> {
    let heard = Arc::new(Lock::new(Vec::new()));
    let into = heard.clone();
    shop.db.watch(Arc::new(move |all: &[Envelope]| into.lock().unwrap().extend_from_slice(all)));
    heard
}

fn count(heard: &Lock<Vec<Envelope>>, kind: &str) -> usize {
    heard.lock().unwrap().iter().filter(|event| event.kind == kind).count()
}

/// A new product such as `like`, with one new variant.
fn another(like: &Product, sku: &str, stock: i64) -> Save {
    let mut product =
        Product { id: unknown(), slug: format!("another-{sku}").to_lowercase(), version: 1, ..like.clone() };
    let variant = VariantId::new();
    (product.variants[0].id, product.variants[0].sku) = (variant, sku.to_owned());
    Save { product, popularity: 0, before: None, stock: vec![(variant, stock)], collections: Vec::new() }
}

/// The next version of a product.
fn next(before: &Product, change: impl FnOnce(&mut Product)) -> Save {
    let mut product = Product { version: before.version + 1, ..before.clone() };
    change(&mut product);
    Save { product, popularity: 0, before: Some(before.clone()), stock: Vec::new(), collections: Vec::new() }
}

#[tokio::test]
async fn products_are_written_together_or_not_at_all() {
    let shop = Shop::open().await;
    let (like, _) = shop.simple("A", 1).await;
    let heard = listen(&shop);
    let good = another(&like, "B", 5);
    let (id, variant) = (good.product.id, good.product.variants[0].id);
    for (bad, kind, code) in [
        (another(&like, "A", 5), Kind::Conflict, "sku_taken"),
        (next(&Product { version: 7, ..like.clone() }, |_| ()), Kind::PreconditionFailed, "version"),
        (
            Save {
                product: Product { slug: like.slug.clone(), ..another(&like, "C", 0).product },
                ..another(&like, "C", 0)
            },
            Kind::Conflict,
            "slug_taken",
        ),
    ] {
        let error = shop.service.catalogue.save(vec![good.clone(), bad]).await.unwrap_err();
        assert_eq!((error.kind, error.code.as_ref()), (kind, code));
    }
    assert!(shop.service.catalogue.load(&[id]).await.unwrap().is_empty());
    assert!(shop.service.catalogue.sku_owners(&["B".into()]).await.unwrap().is_empty());
    assert!(shop.service.shelves.movements(variant, None, 9).await.unwrap().is_empty());
    assert!(heard.lock().unwrap().is_empty());
    shop.service.catalogue.save(vec![good]).await.unwrap();
    assert_eq!(shop.available(id).await, 5);
}

#[tokio::test]
async fn what_one_product_gives_up_another_takes_in_the_same_batch() {
    let shop = Shop::open().await;
    let (a, _) = shop.simple("A", 1).await;
    let (b, _) = shop.simple("B", 1).await;
    let renamed = next(&a, |a| {
        a.slug = "new-name".into();
        a.variants[0].sku = "C".into();
    });
    let taking = next(&b, |b| {
        b.slug = a.slug.clone();
        b.variants[0].sku = "A".into();
    });
    shop.service.catalogue.save(vec![renamed, taking]).await.unwrap();
    let skus = ["A", "B", "C"].map(str::to_owned);
    let owners = shop.service.catalogue.sku_owners(&skus).await.unwrap();
    assert_eq!(owners, HashMap::from([("A".to_owned(), b.id), ("C".to_owned(), a.id)]));
    let found = async |slug: &str| {
        shop.service.catalogue.by_slug(slug).await.unwrap().map(|record| record.product.id)
    };
    assert_eq!(found(&a.slug).await, Some(b.id), "a slug in use leads to its product");
    assert_eq!(found(&b.slug).await, Some(b.id), "a former slug too");
    assert_eq!(found("new-name").await, Some(a.id));
}

#[tokio::test]
async fn of_many_who_change_one_version_at_once_one_does() {
    let shop = Shop::open().await;
    let (product, _) = shop.simple("A", 1).await;
    let heard = listen(&shop);
    let change = |n: i32| {
        let save = next(&product, |product| product.title = format!("Title {n}"));
        shop.service.catalogue.save(vec![save])
    };
    let done = join_all((0..6).map(change)).await;
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1);
    for error in done.into_iter().filter_map(Result::err) {
        assert_eq!((error.kind, error.code.as_ref()), (Kind::PreconditionFailed, "version"));
    }
    assert_eq!(count(&heard, "product.changed"), 1);
}

#[tokio::test]
async fn of_many_who_want_a_sku_at_once_one_gets_it() {
    let shop = Shop::open().await;
    let (like, _) = shop.simple("A", 1).await;
    let create = |n: i32| {
        let mut save = another(&like, "B", 1);
        save.product.slug = format!("thing-{n}");
        shop.service.catalogue.save(vec![save])
    };
    let done = join_all((0..6).map(create)).await;
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1);
    for error in done.into_iter().filter_map(Result::err) {
        assert_eq!((error.kind, error.code.as_ref()), (Kind::Conflict, "sku_taken"));
    }
}

#[tokio::test]
async fn attributes_and_options_may_have_any_name() {
    let shop = Shop::open().await;
    let names = ["$oid", "$ref", "a.b", "＄", "＄$set", "$", ".", "_id"];
    let mut new = simple("A", 1);
    new["attributes"] = names.iter().map(|name| ((*name).to_owned(), json!("x"))).collect::<Value>();
    new["options"] = json!([{"name": "$numberLong", "values": ["1", "2"]}]);
    new["variants"][0]["options"] = json!({"$numberLong": "1"});
    new["images"] = json!([{"file": "a.png", "options": {"$numberLong": "2"}}]);
    let product = shop.create(new).await;
    assert_eq!(product.attributes.len(), names.len());
    let read = shop.products().find(product.id).await.unwrap();
    assert_eq!(
        (&read.attributes, &read.variants, &read.images),
        (&product.attributes, &product.variants, &product.images)
    );
    let renamed = next(&product, |product| product.title = "Other".into());
    shop.service.catalogue.save(vec![renamed]).await.unwrap();
    let listed = shop.service.catalogue.list(&Listing::default(), None, 9).await.unwrap();
    assert_eq!(listed[0].product.attributes, product.attributes);
}

#[tokio::test]
async fn staff_find_text_as_it_is_written() {
    let shop = Shop::open().await;
    for (sku, title) in [("A-1", "Cup $title (50% off)"), ("B_2", "Étui\\Case .*")] {
        let mut new = simple(sku, 1);
        new["title"] = json!(title);
        shop.create(new).await;
    }
    let found = async |text: &str| {
        let listing = Listing { text: Some(text.to_lowercase()), ..Listing::default() };
        shop.service.catalogue.list(&listing, None, 9).await.unwrap().len()
    };
    for (text, count) in [
        ("$title", 1),
        ("50%", 1),
        ("(50", 1),
        ("ÉTUI\\c", 1),
        (".*", 1),
        ("b_2", 1),
        ("a_1", 0),
        ("$slug", 0),
        ("", 2),
    ] {
        assert_eq!(found(text).await, count, "{text:?}");
    }
}

#[tokio::test]
async fn what_is_touched_is_read_in_the_order_of_its_change() {
    let shop = Shop::open().await;
    let start = shop.clock.now();
    let mut products = Vec::new();
    for n in 0..5 {
        products.push(shop.simple(&format!("S{n}"), 1).await.0);
        if n % 2 == 1 {
            shop.tick();
        }
    }
    let middle = shop.clock.now();
    shop.tick();
    shop.products().update(products[0].id, parse(json!({"title": "x"})), None).await.unwrap();
    let read = async |from: Time, limit: u32| {
        let (mut after, mut seen) = (None, Vec::new());
        loop {
            let page = shop.service.catalogue.touched(from, after, limit).await.unwrap();
            let Some((time, last)) = page.last() else { return seen };
            after = Some((*time, last.product.id));
            seen.extend(page.iter().map(|(_, record)| record.product.id));
        }
    };
    let order = [1, 2, 3, 4, 0].map(|n| products[n].id);
    assert_eq!(read(start, 2).await, order);
    assert_eq!(read(start, 9).await, order);
    assert_eq!(read(middle, 1).await, order[3..]);
}

#[tokio::test]
async fn a_product_is_never_left_in_a_category_that_goes_at_the_same_moment() {
    let shop = Shop::open().await;
    let (mut product, _) = shop.simple("A", 1).await;
    for n in 0..4 {
        let new = parse(json!({"title": format!("Category {n}")}));
        let category = shop.products().create_category(new).await.unwrap().id;
        let placing = next(&product, |product| product.category_ids = vec![category]);
        let (placed, gone) = tokio::join!(
            shop.service.catalogue.save(vec![placing.clone()]),
            shop.service.catalogue.delete_category(category)
        );
        gone.unwrap();
        if placed.is_ok() {
            product = placing.product;
        }
        assert!(shop.service.catalogue.placements().await.unwrap().is_empty());
        let listing = Listing { categories: Some(vec![category]), ..Listing::default() };
        assert!(shop.service.catalogue.list(&listing, None, 9).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn placements_are_those_of_published_products() {
    let shop = Shop::open().await;
    let mut ids = Vec::new();
    for n in 0..2 {
        let new = parse(json!({"title": format!("Category {n}")}));
        ids.push(shop.products().create_category(new).await.unwrap().id);
    }
    let mut new = simple("A", 1);
    (new["status"], new["category_ids"]) = (json!("draft"), json!(ids));
    let product = shop.create(new).await;
    let placements = async || shop.service.catalogue.placements().await.unwrap();
    assert!(placements().await.is_empty());
    shop.products().update(product.id, parse(json!({"status": "published"})), None).await.unwrap();
    assert_eq!(placements().await.len(), 2);
    shop.products().update(product.id, parse(json!({"category_ids": [ids[1]]})), None).await.unwrap();
    assert_eq!(placements().await, [(product.id, ids[1])]);
    shop.products().delete(product.id).await.unwrap();
    assert!(placements().await.is_empty());
    // Staff still find it there.
    let listing = Listing { categories: Some(ids), ..Listing::default() };
    assert_eq!(shop.service.catalogue.list(&listing, None, 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn stars_are_taken_once_and_never_older_ones() {
    let shop = Shop::open().await;
    let (product, _) = shop.simple("A", 1).await;
    let heard = listen(&shop);
    let sums = |average: f64, count: i64| AggregateChanged {
        product_id: product.id,
        average,
        count,
        histogram: [0, 0, 0, 0, count],
    };
    let event = EventId::new();
    let catalogue = &shop.service.catalogue;
    catalogue.rate(event, 2, sums(4.5, 2)).await.unwrap();
    catalogue.rate(event, 3, sums(1.0, 3)).await.unwrap();
    catalogue.rate(EventId::new(), 1, sums(5.0, 1)).await.unwrap();
    catalogue
        .rate(EventId::new(), 9, AggregateChanged { product_id: unknown(), ..sums(5.0, 1) })
        .await
        .unwrap();
    let now = shop.products().find(product.id).await.unwrap();
    assert_eq!((now.rating.average, now.rating.count, now.version), (4.5, 2, product.version));
    assert_eq!(count(&heard, "product.changed"), 1);
    // Staff who save the product do not bring the old stars back.
    shop.service.catalogue.save(vec![next(&product, |_| ())]).await.unwrap();
    assert_eq!(shop.products().find(product.id).await.unwrap().rating.count, 2);
}

#[tokio::test]
async fn a_collection_keeps_its_order_and_new_products_come_last() {
    let shop = Shop::open().await;
    let products = [shop.simple("A", 1).await.0, shop.simple("B", 1).await.0, shop.simple("C", 1).await.0];
    let (a, b, c) = (products[0].id, products[1].id, products[2].id);
    let new = json!({"title": "Summer", "product_ids": [b, a]});
    let summer = shop.products().create_collection(parse(new)).await.unwrap();
    let heard = listen(&shop);
    for product in [&products[2], &products[1]] {
        let save = Save { collections: vec![summer.id], ..next(product, |_| ()) };
        shop.service.catalogue.save(vec![save]).await.unwrap();
    }
    assert_eq!(count(&heard, "category.changed"), 2);
    assert_eq!(shop.products().collections().await.unwrap()[0].product_ids, [b, a, c]);
    let bad = json!({"title": "Winter", "product_ids": [a, unknown()]});
    let error = shop.products().update_collection(summer.id, parse(bad)).await.unwrap_err();
    assert_eq!(
        (error.fields[0].pointer.as_str(), error.fields[0].code.as_str()),
        ("/product_ids/1", "unknown_product")
    );
    let after = shop.products().collections().await.unwrap().remove(0);
    assert_eq!((after.title.as_str(), after.product_ids), ("Summer", vec![b, a, c]));
    let same: Value = json!({"title": "Other", "slug": "summer"});
    assert_eq!(shop.products().create_collection(parse(same)).await.unwrap_err().code, "slug_taken");
    let joined = shop.service.catalogue.memberships(&[a, b, unknown()]).await.unwrap();
    assert_eq!(
        joined.iter().map(|m| (m.product_id, m.slug.as_str())).collect::<Vec<_>>(),
        [(a, "summer"), (b, "summer")]
    );
    shop.products().delete_collection(summer.id).await.unwrap();
    assert_eq!(shop.products().delete_collection(summer.id).await.unwrap_err().kind, Kind::NotFound);
    assert!(shop.service.catalogue.memberships(&[a]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_price_list_is_replaced_as_a_whole_and_announced_when_it_begins() {
    let shop = Shop::open().await;
    let (product, variant) = shop.simple("A", 1).await;
    let (other, sold) = shop.simple("B", 1).await;
    let list = |prices: Value, starts_at: Option<Time>| {
        parse(json!({"name": "List", "currency": "EUR", "prices": prices, "starts_at": starts_at}))
    };
    let price = |variant: VariantId, quantity: i64, amount: i64| json!({"variant_id": variant, "min_quantity": quantity, "amount": amount});
    let both = json!([price(variant, 10, 500), price(variant, 1, 900), price(sold, 1, 800)]);
    let made = shop.products().create_price_list(list(both, None)).await.unwrap();
    let offers = async |id: ProductId, currency: Currency| {
        shop.service.catalogue.offers(&[id], Some(currency)).await.unwrap().len()
    };
    assert_eq!((offers(product.id, Currency::EUR).await, offers(product.id, usd()).await), (2, 0));
    assert_eq!(shop.products().price_lists().await.unwrap()[0].prices.len(), 3);
    let later = shop.clock.now().after(std::time::Duration::from_secs(60));
    let new = list(json!([price(sold, 1, 700)]), Some(later));
    shop.products().update_price_list(made.id, new).await.unwrap();
    assert_eq!((offers(product.id, Currency::EUR).await, offers(other.id, Currency::EUR).await), (0, 1));
    let (heard, start) = (listen(&shop), shop.clock.now());
    shop.service
        .catalogue
        .turn_prices(start, later.before(std::time::Duration::from_micros(1)))
        .await
        .unwrap();
    assert_eq!(count(&heard, "prices.changed"), 0);
    shop.clock.advance(std::time::Duration::from_secs(120));
    shop.service.catalogue.turn_prices(start, later).await.unwrap();
    shop.service.catalogue.turn_prices(later, shop.clock.now()).await.unwrap();
    assert_eq!(count(&heard, "prices.changed"), 1);
    let touched = shop.service.catalogue.touched(shop.clock.now(), None, 9).await.unwrap();
    assert_eq!(touched.iter().map(|(_, record)| record.product.id).collect::<Vec<_>>(), [other.id]);
    let gone = list(json!([price(VariantId::new(), 1, 1)]), None);
    assert_eq!(shop.products().update_price_list(made.id, gone).await.unwrap_err().kind, Kind::Invalid);
    shop.products().delete_price_list(made.id).await.unwrap();
    assert_eq!(shop.products().delete_price_list(made.id).await.unwrap_err().kind, Kind::NotFound);
    assert_eq!(offers(other.id, Currency::EUR).await, 0);
}

#[tokio::test]
async fn a_picture_is_claimed_by_one_at_a_time_and_not_for_ever() {
    let shop = Shop::open().await;
    let (gallery, mut now) = (shop.service.pictures.gallery(), shop.clock.now());
    let files: Vec<String> = (0..8).map(|n| format!("{n}.png")).collect();
    gallery.add(files.clone(), now).await.unwrap();
    gallery.add(files.clone(), now).await.unwrap();
    let lease = std::time::Duration::from_secs(600);
    let claims = join_all((0..3).map(|_| gallery.claim(now, now.after(lease), 4))).await;
    let mut claimed: Vec<String> = claims.into_iter().flat_map(Result::unwrap).collect();
    claimed.sort();
    assert_eq!(claimed, files);
    // One whose content is new in the meantime is due again, and one that was made is not.
    gallery.replace(files[0].clone(), now).await.unwrap();
    let made = |file: &String| Finished {
        file: file.clone(),
        widths: vec![240, 480],
        avif: true,
        color: Some("#123456".into()),
    };
    gallery.finish(now.after(lease), files[..2].iter().map(made).collect()).await.unwrap();
    let finished = gallery.finished(files.clone()).await.unwrap();
    assert_eq!((finished.len(), finished[0].widths.as_slice(), finished[0].avif), (1, &[240, 480][..], true));
    assert_eq!(finished[0].color.as_deref(), Some("#123456"));
    assert_eq!(gallery.claim(now, now.after(lease), 4).await.unwrap(), files[..1]);
    for tries in (0..5).rev() {
        now = now.after(lease);
        let claimed = gallery.claim(now, now.after(lease), 16).await.unwrap().len();
        // The one that was replaced began anew and was claimed once since; each is let be after five.
        assert_eq!(claimed, if tries == 0 { 0 } else { 7 }, "{tries} tries left");
    }
}

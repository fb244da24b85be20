use std::time::Duration;

use futures::TryStreamExt;
use mongodb::{
    Client,
    bson::{Document, doc},
};

use super::*;
use crate::store::Listing;

/// MongoDB writes down how it found what it was asked for.
#[tokio::test]
async fn every_query_of_mongodb_is_served_by_an_index() {
    let shop = Shop::open().await;
    if !matches!(shop.db, Database::Mongo(_)) {
        return;
    }
    let database = Client::with_uri_str(&shop.url).await.unwrap().default_database().unwrap();
    database.run_command(doc! {"profile": 2}).await.unwrap();
    fill(&shop).await;
    read(&shop).await;
    let profile = database.collection::<Document>("system.profile");
    let ours = doc! {"$regex": "[.](products|variants|slug_redirects|category_redirects|categories|placements|category_tree|collections|price_lists|list_prices|product_fields|field_definitions|pictures)$"};
    let slow = doc! {"ns": ours.clone(), "$or": [
        {"planSummary": {"$regex": "COLLSCAN"}}, {"hasSortStage": true},
    ]};
    let asked = profile.count_documents(doc! {"ns": ours}).await.unwrap();
    let slow: Vec<Document> = profile.find(slow).await.unwrap().try_collect().await.unwrap();
    assert!(asked > 50 && slow.is_empty(), "{asked} {slow:#?}");
}

/// Writes of every kind.
async fn fill(shop: &Shop) {
    let (first, variant) = shop.simple("A", 1).await;
    let category = shop.products().create_category(parse(json!({"title": "Kitchen"}))).await.unwrap();
    let placed: ProductPatch = parse(json!({"category_ids": [category.id], "slug": "new", "title": "New"}));
    shop.products().update(first.id, placed, None).await.unwrap();
    shop.products()
        .update_category(category.id, parse(json!({"title": "Home", "slug": "home"})), None)
        .await
        .unwrap();
    let new: Value = json!({"title": "Summer", "product_ids": [first.id]});
    let collection = shop.products().create_collection(parse(new.clone())).await.unwrap();
    shop.products().update_collection(collection.id, parse(new)).await.unwrap();
    let prices = json!([{"variant_id": variant, "min_quantity": 1, "amount": 900}]);
    let new: Value =
        json!({"name": "List", "currency": "EUR", "starts_at": shop.clock.now(), "prices": prices});
    let list = shop.products().create_price_list(parse(new.clone())).await.unwrap();
    shop.products().update_price_list(list.id, parse(new)).await.unwrap();
    let (since, until) = (Time::from_micros(0), shop.clock.now().after(Duration::from_secs(1)));
    shop.service.catalogue.turn_prices(since, until).await.unwrap();
    fields::hear(shop, 1, &fields::definition(1, false)).await;
    fields::hear(shop, 1, &fields::values(first.id, 1, "Jura")).await;
    let gallery = shop.service.pictures.gallery();
    gallery.add(vec!["a.png".into()], shop.clock.now()).await.unwrap();
    gallery.claim(shop.clock.now(), until, 4).await.unwrap();
}

/// Each query, with and without what narrows it.
async fn read(shop: &Shop) {
    let catalogue = &shop.service.catalogue;
    let page = catalogue.list(&Listing::default(), None, 9).await.unwrap();
    let (first, now) = (page[0].product.clone(), shop.clock.now());
    let (here, ids) = (Some((now, first.id)), [first.id]);
    for text in [None, Some("new".to_owned())] {
        for status in [None, Some(first.status)] {
            for categories in
                [None, Some(first.category_ids.clone()), Some(vec![CategoryId::new(), CategoryId::new()])]
            {
                for after in [None, here] {
                    let listing = Listing { text: text.clone(), status, categories: categories.clone() };
                    catalogue.list(&listing, after, 9).await.unwrap();
                }
            }
        }
    }
    for after in [None, here] {
        catalogue.touched(Time::from_micros(0), after, 9).await.unwrap();
        catalogue.export(after.map(|(_, id)| id), 9).await.unwrap();
    }
    catalogue.by_slug("thing-a").await.unwrap();
    catalogue.by_slugs(&["new".into()]).await.unwrap();
    catalogue.by_variants(&[first.variants[0].id]).await.unwrap();
    catalogue.slugs_like("new").await.unwrap();
    catalogue.sku_owners(&["A".into()]).await.unwrap();
    catalogue.memberships(&ids).await.unwrap();
    catalogue.fields(&ids).await.unwrap();
    catalogue.former_category("kitchen").await.unwrap();
    catalogue.placements().await.unwrap();
    catalogue.collections().await.unwrap();
    catalogue.collections_by_slug(&["summer".into()]).await.unwrap();
    let lists = catalogue.price_lists().await.unwrap();
    catalogue.offers(&ids, None).await.unwrap();
    catalogue.offers(&ids, Some(Currency::EUR)).await.unwrap();
    let gallery = shop.service.pictures.gallery();
    gallery.known().await.unwrap();
    gallery.finished(vec!["a.png".into()]).await.unwrap();
    let collections = catalogue.collections().await.unwrap();
    catalogue.delete_collection(collections[0].id).await.unwrap();
    catalogue.delete_price_list(lists[0].id).await.unwrap();
    catalogue.delete_category(first.category_ids[0]).await.unwrap();
}

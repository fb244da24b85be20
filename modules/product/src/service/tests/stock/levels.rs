//! What staff see of the stock, and what search is told of it.

use super::*;

impl Shop {
    /// SKU and what can be sold, page by page.
    async fn listed(&self, filter: LevelFilter, limit: u32) -> Vec<(String, i64)> {
        let (mut all, mut cursor) = (Vec::new(), None);
        loop {
            let page = self.stock().levels(filter.clone(), PageRequest { limit, cursor }).await.unwrap();
            assert!(page.data.len() <= limit as usize);
            all.extend(page.data.into_iter().map(|level| (level.sku, level.available)));
            cursor = page.next_cursor;
            if cursor.is_none() {
                return all;
            }
        }
    }

    async fn found(&self, q: &str) -> Vec<String> {
        let filter = LevelFilter { q: Some(q.into()), ..LevelFilter::default() };
        self.listed(filter, 2).await.into_iter().map(|level| level.0).collect()
    }
}

#[tokio::test]
async fn levels_are_listed_once_each_and_narrowed() {
    let shop = Shop::open().await;
    let far = shop.stock().create_location(parse(json!({"name": "Far", "priority": 5}))).await.unwrap();
    for (n, units) in [(0, 5), (1, 2), (2, 9), (3, 1), (4, 7)] {
        let (_, variant) = shop.simple(&format!("SKU-{n}"), units).await;
        if n > 2 {
            let there = Adjustment { location_id: Some(far.id), ..adjustment(variant, 3) };
            shop.stock().adjust(there).await.unwrap();
        }
    }
    let all = LevelFilter::default();
    let named = |skus: &[(&str, i64)]| -> Vec<(String, i64)> {
        skus.iter().map(|(sku, units)| ((*sku).to_owned(), *units)).collect()
    };
    let listed = shop.listed(all.clone(), 100).await;
    let mut sorted = listed.clone();
    sorted.sort();
    let wanted =
        [("SKU-0", 5), ("SKU-1", 2), ("SKU-2", 9), ("SKU-3", 1), ("SKU-3", 3), ("SKU-4", 3), ("SKU-4", 7)];
    assert_eq!(sorted, named(&wanted));
    for limit in [1, 2, 3] {
        assert_eq!(shop.listed(all.clone(), limit).await, listed);
    }
    let there = LevelFilter { location_id: Some(far.id), ..all.clone() };
    assert_eq!(shop.listed(there.clone(), 1).await, named(&[("SKU-3", 3), ("SKU-4", 3)]));
    let few = LevelFilter { below: Some(3), ..all.clone() };
    assert_eq!(shop.listed(few, 1).await, named(&[("SKU-1", 2), ("SKU-3", 1)]));
    let few = LevelFilter { below: Some(4), q: Some(" sku-4".into()), ..there };
    assert_eq!(shop.listed(few, 1).await, named(&[("SKU-4", 3)]));
    assert!(shop.found("SKU\0").await.is_empty());
    let nothing = LevelFilter { variant_ids: vec![VariantId::new()], ..all };
    assert!(shop.listed(nothing, 1).await.is_empty());
}

#[tokio::test]
async fn text_is_found_as_it_is_typed() {
    let shop = Shop::open().await;
    for sku in ["A.1", "AX1", "A%1", "A_1", "ÄRGER", "B(2"] {
        shop.simple(sku, 1).await;
    }
    for (q, wanted) in [
        ("a.1", "A.1"),
        ("a%1", "A%1"),
        ("a_1", "A_1"),
        ("ärger", "ÄRGER"),
        ("B(2", "B(2"),
        ("thing b", "B(2"),
    ] {
        assert_eq!(shop.found(q).await, [wanted], "{q}");
    }
    assert!(shop.found("\\").await.is_empty());
    assert_eq!(shop.found("thing").await.len(), 6);
}

#[tokio::test]
async fn a_level_has_its_variants_present_name_and_goes_with_it() {
    let shop = Shop::open().await;
    let (product, old) = shop.simple("A", 4).await;
    let patch = json!({"title": "Lamp", "variants": [
        {"id": old, "sku": "A-NEW", "prices": [{"amount": 1000, "currency": "EUR"}]},
    ]});
    shop.products().update(product.id, parse(patch), None).await.unwrap();
    let level = shop.stock().adjust(adjustment(old, 1)).await.unwrap();
    let listed = shop.stock().levels(LevelFilter::default(), PageRequest::default()).await.unwrap().data;
    assert_eq!(listed, std::slice::from_ref(&level));
    assert_eq!((level.sku.as_str(), level.title.as_str(), level.on_hand), ("A-NEW", "Lamp", 5));
    assert!(shop.found("thing").await.is_empty());
    assert_eq!(shop.found("lamp").await, ["A-NEW"]);

    let patch =
        json!({"variants": [{"sku": "B", "prices": [{"amount": 1000, "currency": "EUR"}], "stock": 2}]});
    shop.products().update(product.id, parse(patch), None).await.unwrap();
    assert_eq!(shop.listed(LevelFilter::default(), 9).await, [("B".to_owned(), 2)]);
    assert_eq!(shop.stock().adjust(adjustment(old, 1)).await.unwrap_err().kind, Kind::NotFound);
    let order = OrderId::new();
    assert_eq!(shop.reserve(order, vec![line(old, 1)]).await.unwrap_err().code, "out_of_stock");
    // Who bought it may still send it back.
    shop.stock().restock(MovementId::new(), order, vec![line(old, 1)], Actor::System).await.unwrap();
    assert_eq!(shop.moved(old).await, 6);
}

#[tokio::test]
async fn movements_of_one_moment_are_each_listed_once_and_say_what_happened() {
    let shop = Shop::open().await;
    let (_, variant) = shop.simple("A", 5).await;
    for delta in [1, 2, 3, 4] {
        shop.stock().adjust(adjustment(variant, delta)).await.unwrap();
    }
    shop.tick();
    let order = OrderId::new();
    shop.reserve(order, vec![line(variant, 2)]).await.unwrap();
    shop.stock().commit(order).await.unwrap();
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = shop.stock().movements(variant, PageRequest { limit: 2, cursor }).await.unwrap();
        all.extend(page.data);
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!((all[0].kind.as_str(), all[0].delta, all[0].order_id), ("sale", -2, Some(order)));
    let mut rest: Vec<_> = all[1..].iter().map(|m| (m.kind.as_str(), m.reason.as_str(), m.delta)).collect();
    rest.sort_by_key(|movement| movement.2);
    let counted = |delta| ("adjustment", "counted", delta);
    let first = ("initial", "first stock", 5);
    assert_eq!(rest, [counted(1), counted(2), counted(3), counted(4), first]);
    assert!(shop.stock().movements(VariantId::new(), PageRequest::default()).await.unwrap().data.is_empty());
}

#[tokio::test]
async fn a_shop_begins_with_one_location_and_stock_goes_to_the_first() {
    let shop = Shop::open().await;
    let main = shop.stock().locations().await.unwrap();
    assert_eq!((main.len(), main[0].name.as_str(), main[0].priority), (1, "Main", 0));
    let first = shop.stock().create_location(parse(json!({"name": "Near", "priority": -1}))).await.unwrap();
    let all = shop.stock().locations().await.unwrap();
    assert_eq!(all.iter().map(|l| l.id).collect::<Vec<_>>(), [first.id, main[0].id]);
    let (_, variant) = shop.simple("A", 5).await;
    let level = shop.stock().adjust(adjustment(variant, 1)).await.unwrap();
    assert_eq!((level.location_id, level.on_hand), (first.id, 6));
    let nowhere = Adjustment {
        location_id: Some(parse(json!(main[0].id.to_string().replace("06d", "07d")))),
        ..adjustment(variant, 1)
    };
    let error = shop.stock().adjust(nowhere).await.unwrap_err();
    assert_eq!((error.kind, error.fields[0].code.as_ref()), (Kind::Invalid, "unknown_location"));
}

#[tokio::test]
async fn a_location_made_before_anything_else_stands_beside_the_main_one() {
    let shop = Shop::open().await;
    shop.stock().create_location(parse(json!({"name": "Far", "priority": 5}))).await.unwrap();
    let names: Vec<_> = shop.stock().locations().await.unwrap().into_iter().map(|l| l.name).collect();
    assert_eq!(names, ["Main", "Far"]);
}

#[tokio::test]
async fn search_reads_a_product_anew_when_it_comes_into_stock_or_goes_out_of_it() {
    let shop = Shop::open().await;
    let (product, variant) = shop.simple("A", 2).await;
    let order = OrderId::new();
    let touched = async || {
        shop.tick();
        let now = shop.clock.now();
        let step = shop.service.catalogue.touched(now, None, 10).await.unwrap();
        assert!(step.is_empty());
        now
    };
    let seen = async |since| {
        let rows = shop.service.catalogue.touched(since, None, 10).await.unwrap();
        rows.iter().map(|(_, record)| record.product.id).collect::<Vec<_>>()
    };
    let since = touched().await;
    shop.stock().adjust(adjustment(variant, -1)).await.unwrap();
    assert!(seen(since).await.is_empty());
    shop.reserve(order, vec![line(variant, 1)]).await.unwrap();
    assert_eq!(seen(since).await, [product.id]);
    let since = touched().await;
    shop.stock().commit(order).await.unwrap();
    assert!(seen(since).await.is_empty());
    shop.stock().restock(MovementId::new(), order, vec![line(variant, 1)], Actor::System).await.unwrap();
    assert_eq!(seen(since).await, [product.id]);
}

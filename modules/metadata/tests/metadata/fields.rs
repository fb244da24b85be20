use contracts::{
    metadata::{Metadata, MetafieldsChanged, Owner},
    order::OrderId,
    product::ProductId,
};
use serde_json::json;
use shared::Kind;

use crate::shop::{shop, values};

#[tokio::test]
async fn all_values_are_written_or_none() {
    let shop = shop().await;
    shop.field("origin", json!({})).await;
    shop.field("sizes", json!({"kind": "list", "rules": {"items": "integer"}})).await;
    let product = ProductId::new().to_string();
    let mixed = values(json!({"care.origin": "Jura", "care.sizes": [1, "x"], "care.none": 1}));
    let refused = shop.metadata.set_fields(Owner::Product, product.clone(), mixed, None).await.unwrap_err();
    let wrong: Vec<_> = refused.fields.iter().map(|f| (f.pointer.as_str(), f.code.as_str())).collect();
    assert_eq!(wrong, [("/care.none", "unknown_field"), ("/care.sizes/1", "kind")]);
    let fields = shop.metadata.fields(Owner::Product, product.clone()).await.unwrap();
    assert_eq!((fields.version, fields.fields.len()), (0, 0));
    assert!(shop.said::<MetafieldsChanged>().is_empty());
}

#[tokio::test]
async fn null_removes_and_replace_keeps_only_what_it_names() {
    let shop = shop().await;
    shop.field("origin", json!({})).await;
    shop.field("made", json!({"kind": "date"})).await;
    let product = ProductId::new().to_string();
    let set = |fields| shop.metadata.set_fields(Owner::Product, product.clone(), values(fields), None);
    let both = set(json!({"care.origin": "Jura", "care.made": "2026-11-23"})).await.unwrap();
    assert_eq!((both.version, both.fields.len()), (1, 2));
    assert_eq!(set(json!({"care.origin": "Jura"})).await.unwrap().version, 1, "nothing new is no change");
    let one = set(json!({"care.made": null})).await.unwrap();
    assert_eq!((one.version, one.fields[0].key.as_str()), (2, "origin"));
    let replaced = values(json!({"care.made": "2026-11-24"}));
    let other =
        shop.metadata.replace_fields(Owner::Product, product.clone(), replaced, Some(2)).await.unwrap();
    assert_eq!((other.version, other.fields.len(), other.fields[0].key.as_str()), (3, 1, "made"));
    let stale =
        shop.metadata.replace_fields(Owner::Product, product.clone(), values(json!({})), Some(2)).await;
    assert_eq!(stale.unwrap_err().kind, Kind::PreconditionFailed);
    let versions: Vec<_> = shop.said::<MetafieldsChanged>().iter().map(|event| event.version).collect();
    assert_eq!(versions, [1, 2, 3]);
}

#[tokio::test]
async fn writers_at_once_lose_nothing() {
    let shop = shop().await;
    for key in ["a", "b", "c", "d"] {
        shop.field(key, json!({"kind": "integer"})).await;
    }
    let product = ProductId::new().to_string();
    let mut writers = Vec::new();
    for key in ["a", "b", "c", "d"] {
        let (metadata, product) = (shop.metadata.clone(), product.clone());
        writers.push(tokio::spawn(async move {
            let set = values(json!({format!("care.{key}"): 1}));
            metadata.set_fields(Owner::Product, product, set, None).await
        }));
    }
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    let fields = shop.metadata.fields(Owner::Product, product).await.unwrap();
    assert_eq!((fields.version, fields.fields.len()), (4, 4));
}

#[tokio::test]
async fn operators_and_ids_of_other_things_are_refused() {
    let shop = shop().await;
    shop.field("origin", json!({})).await;
    let product = ProductId::new().to_string();
    for names in [
        json!({"$where": "1"}),
        json!({"care.$ne": "1"}),
        json!({"care.origin.x": "1"}),
        json!({"care.origin": {"$ne": 1}}),
    ] {
        let refused =
            shop.metadata.set_fields(Owner::Product, product.clone(), values(names.clone()), None).await;
        assert_eq!(refused.unwrap_err().kind, Kind::Invalid, "{names}");
    }
    for id in [OrderId::new().to_string(), "{\"$gt\":\"\"}".to_owned(), String::new()] {
        let refused =
            shop.metadata.set_fields(Owner::Product, id, values(json!({"care.origin": "x"})), None).await;
        assert_eq!(refused.unwrap_err().kind, Kind::NotFound);
    }
}

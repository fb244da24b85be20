use contracts::{
    metadata::{DefinitionChanged, Metadata, MetafieldsChanged, Owner},
    product::ProductId,
};
use serde_json::json;
use shared::Kind;

use crate::shop::{new, parsed, shop, values};

#[tokio::test]
async fn a_name_is_defined_once() {
    let shop = shop().await;
    let origin = shop.field("origin", json!({})).await;
    let again = shop.metadata.create_definition(new("origin", json!({"kind": "date"}))).await.unwrap_err();
    assert_eq!((again.kind, &*again.code), (Kind::Conflict, "definition_taken"));
    shop.field("origin", json!({"owner": "category"})).await;
    let of_products = shop.metadata.definitions(Some(Owner::Product)).await.unwrap();
    assert_eq!(of_products, [origin]);
    let said = shop.said::<DefinitionChanged>();
    assert_eq!(said.len(), 2);
    assert!(said.iter().all(|event| !event.deleted));
}

#[tokio::test]
async fn values_move_with_a_definition_that_becomes_wider() {
    let shop = shop().await;
    let weight = shop.field("weight", json!({"kind": "integer"})).await;
    let product = ProductId::new().to_string();
    shop.metadata
        .set_fields(Owner::Product, product.clone(), values(json!({"care.weight": 42})), None)
        .await
        .unwrap();
    shop.said::<MetafieldsChanged>();

    let patch = parsed(json!({"kind": "decimal"}));
    let wider = shop.metadata.update_definition(weight.id, patch, Some(1)).await.unwrap();
    assert_eq!(wider.version, 2);
    let fields = shop.metadata.fields(Owner::Product, product.clone()).await.unwrap();
    assert_eq!((fields.version, &fields.fields[0].value), (2, &json!("42")));
    let said = shop.said::<MetafieldsChanged>();
    assert_eq!((said.len(), &said[0].values[0].value), (1, &json!("42")));

    let stale =
        shop.metadata.update_definition(weight.id, parsed(json!({"name": "x"})), Some(1)).await.unwrap_err();
    assert_eq!(stale.kind, Kind::PreconditionFailed);
}

#[tokio::test]
async fn a_change_that_values_do_not_fit_is_refused_whole() {
    let shop = shop().await;
    let size = shop.field("size", json!({})).await;
    let mut products = Vec::new();
    for n in 0..13 {
        let product = ProductId::new().to_string();
        let text = if n == 0 { "12".to_owned() } else { format!("{n} cm") };
        shop.metadata
            .set_fields(Owner::Product, product.clone(), values(json!({"care.size": text})), None)
            .await
            .unwrap();
        products.push(product);
    }
    let number = json!({"kind": "decimal"});
    let refused = shop.metadata.update_definition(size.id, parsed(number.clone()), None).await.unwrap_err();
    assert_eq!((refused.kind, &*refused.code), (Kind::Conflict, "definition_in_use"));
    assert_eq!(refused.extra["count"], 12);
    let examples = refused.extra["examples"].as_array().unwrap();
    assert_eq!(examples.len(), 10);
    assert!(examples.iter().all(|example| example["value"].as_str().unwrap().ends_with("cm")));
    assert_eq!(shop.metadata.definition(size.id).await.unwrap(), size);
    let there = shop.metadata.fields_of(Owner::Product, products.clone()).await.unwrap();
    assert!(there.iter().all(|fields| fields.version == 1 && fields.fields.len() == 1));

    let mut dropping = number;
    dropping["drop_invalid"] = json!(true);
    shop.metadata.update_definition(size.id, parsed(dropping), None).await.unwrap();
    let left = shop.metadata.fields_of(Owner::Product, products).await.unwrap();
    let counts: Vec<_> = left.iter().map(|fields| fields.fields.len()).collect();
    assert_eq!(counts, [vec![1], vec![0; 12]].concat());
}

#[tokio::test]
async fn a_definition_that_goes_takes_its_values_along() {
    let shop = shop().await;
    let origin = shop.field("origin", json!({})).await;
    let product = ProductId::new().to_string();
    let set = values(json!({"care.origin": "Jura"}));
    shop.metadata.set_fields(Owner::Product, product.clone(), set.clone(), None).await.unwrap();
    shop.metadata.delete_definition(origin.id).await.unwrap();
    shop.metadata.delete_definition(origin.id).await.unwrap();
    let said = shop.said::<DefinitionChanged>();
    assert!(said.last().unwrap().deleted && said.len() == 2);
    let fields = shop.metadata.fields(Owner::Product, product.clone()).await.unwrap();
    assert_eq!((fields.version, fields.fields.len()), (2, 0));
    let unknown = shop.metadata.set_fields(Owner::Product, product, set, None).await.unwrap_err();
    assert_eq!(unknown.fields[0].code, "unknown_field");
}

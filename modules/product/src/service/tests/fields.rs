//! Custom fields in search.

use contracts::metadata::{DefinitionChanged, MetafieldsChanged};
use shared::events::{Envelope, Event, EventId};

use super::*;

pub(super) async fn hear<E: Event>(shop: &Shop, sequence: i64, event: &E) {
    let envelope = Envelope {
        id: EventId::new(),
        kind: E::TYPE.to_owned(),
        version: E::VERSION,
        module: "metadata".to_owned(),
        occurred_at: shop.clock.now(),
        aggregate_id: String::new(),
        sequence,
        traceparent: None,
        data: serde_json::to_value(event).unwrap(),
    };
    shop.tick();
    for consumer in shop.service.consumers() {
        if consumer.hears().kinds.contains(&E::TYPE) {
            consumer.handle(&envelope).await.unwrap();
            consumer.handle(&envelope).await.unwrap();
        }
    }
    shop.tick();
    shop.service.search_idle().await.unwrap();
}

pub(super) fn definition(version: i64, deleted: bool) -> DefinitionChanged {
    let id = contracts::metadata::DefinitionId::derived("origin");
    let at = Time::from_micros(0);
    parse(json!({"deleted": deleted, "definition": {
        "id": id, "owner": "product", "namespace": "care", "key": "origin", "name": "Origin", "kind": "text",
        "visibility": "storefront", "searchable": true, "facet": true, "created_at": at, "updated_at": at,
        "version": version,
    }}))
}

pub(super) fn values(product: ProductId, version: i64, origin: &str) -> MetafieldsChanged {
    let id = contracts::metadata::DefinitionId::derived("origin");
    let values = json!([{"definition_id": id, "value": origin}]);
    parse(json!({"owner": "product", "entity_id": product, "version": version, "values": values}))
}

#[tokio::test]
async fn products_are_found_and_narrowed_by_custom_fields() {
    let shop = Shop::open().await;
    let ids = [shop.simple("A", 1).await.0.id, shop.simple("B", 1).await.0.id];
    hear(&shop, 1, &definition(1, false)).await;
    for id in ids {
        hear(&shop, 2, &values(id, 2, "Jura")).await;
    }
    let products = shop.products();
    assert_eq!(products.search(query("jura")).await.unwrap().total, 2);
    let found = products.search(query("")).await.unwrap();
    let facet = &found.facets["attr.care.origin"];
    assert_eq!((facet.len(), facet[0].value.as_str(), facet[0].count), (1, "Jura", 2));

    hear(&shop, 1, &values(ids[0], 1, "Alps")).await;
    assert_eq!(products.search(query("alps")).await.unwrap().total, 0, "older values do not come back");
    hear(&shop, 3, &values(ids[0], 3, "Alps")).await;
    let narrowed = SearchQuery { attributes: parse(json!({"care.origin": ["alps"]})), ..query("") };
    assert_eq!(products.search(narrowed).await.unwrap().data[0].id, ids[0]);

    hear(&shop, 2, &definition(2, true)).await;
    let after = products.search(query("")).await.unwrap();
    assert!(!after.facets.contains_key("attr.care.origin"));
    assert_eq!(products.search(query("jura")).await.unwrap().total, 0);
}

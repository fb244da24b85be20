//! Who may do what: other people's things do not exist, and a role ends where it ends.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    client::{Answer, Client},
    harness::{Shape, Shop, address, check_out, eur, fresh, list, log_in, text, wait_for},
    openapi::{filled, operations},
};

crate::rules! {
    what_belongs_to_somebody_is_not_there_for_others,
    every_admin_route_is_closed_to_shoppers_and_strangers,
    support_sends_parcels_and_moves_no_money,
    a_manager_refunds_and_appoints_nobody,
    a_role_that_is_taken_away_is_gone_at_once,
    the_last_owner_stays,
    the_machinery_is_shown_to_the_owner,
}

async fn what_belongs_to_somebody_is_not_there_for_others(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let (ada, eve) = (shop.customer("ada@example.com").await, shop.customer("eve@example.com").await);
    let staff = shop.staff("support").await;
    let order = shop.buy_as(&ada, &mug, 1).await;
    let guests = shop.buy(&mug, 1).await;
    let saved = ada.post("/customers/me/addresses", &address("DE")).await.expect(201);
    let order_path = format!("/orders/{}", text(&order["id"]));
    let guest_path = format!("/orders/{}", text(&guests["id"]));
    let cancel = format!("{order_path}/cancel");
    let address_path = format!("/customers/me/addresses/{}", text(&saved["id"]));
    let ask = async |who: &Client, what: &str| -> u16 {
        let answer: Answer = match what {
            "order" => who.get(&order_path).await,
            "guest order" => who.get(&guest_path).await,
            "order by a wrong token" => {
                who.get(&format!("{order_path}?token={}", text(&guests["token"]))).await
            }
            "order by token" => who.get(&format!("{order_path}?token={}", text(&order["token"]))).await,
            "change address" => who.put(&address_path, &address("FR")).await,
            "delete address" => who.delete(&address_path).await,
            "cancel" => who.post(&cancel, &json!({})).await,
            _ => unreachable!("{what}"),
        };
        answer.status
    };
    // Nobody, somebody else, an employee; the owner of the thing comes last, because some of it happens then.
    let table = [
        ("order", [401, 404, 200, 200]),
        ("guest order", [401, 404, 200, 404]),
        ("order by a wrong token", [404, 404, 404, 404]),
        ("order by token", [200, 200, 200, 200]),
        ("change address", [401, 404, 404, 200]),
        ("delete address", [401, 404, 404, 204]),
        ("cancel", [401, 404, 404, 200]),
    ];
    for (what, expected) in table {
        for (who, status) in [&shop.guest, &eve, &staff, &ada].into_iter().zip(expected) {
            assert_eq!(ask(who, what).await, status, "{what}: {expected:?}");
        }
    }
    assert!(list(&eve.get("/orders").await.expect(200)).is_empty());
    assert!(list(&eve.get("/customers/me/addresses").await.expect(200)).is_empty());
}

async fn every_admin_route_is_closed_to_shoppers_and_strangers(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let eve = shop.customer("eve@example.com").await;
    let mut seen = 0;
    for (method, path) in operations(&shop).await {
        if !path.starts_with("/admin/") {
            continue;
        }
        seen += 1;
        let path = filled(&path);
        let body = json!({});
        let send = |who: &Client| who.request(method.clone(), &path).key(&fresh()).json(&body).send();
        send(&shop.guest).await.refused(401, "unauthenticated");
        send(&eve).await.refused(403, "forbidden");
    }
    assert!(seen > 40, "{seen}");
}

async fn support_sends_parcels_and_moves_no_money(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let order = shop.buy(&mug, 2).await;
    let support = shop.staff("support").await;
    let path = format!("/admin/orders/{}", text(&order["id"]));
    support.get(&path).await.expect(200);
    support.get("/admin/customers").await.expect(200);
    let lines = json!([{"line_id": order["lines"][0]["id"], "quantity": 1}]);
    support.post(&format!("{path}/shipments"), &json!({"lines": lines})).await.expect(201);
    support.post(&format!("{path}/notes"), &json!({"text": "Called"})).await.expect(201);

    let forbidden = |answer: Answer, permission: &str| {
        assert_eq!(answer.refused(403, "forbidden")["permission"], permission);
    };
    let refund = json!({"amount": eur(100), "reason": "x"});
    forbidden(support.post_once(&format!("{path}/refunds"), &refund, &fresh()).await, "orders:refund");
    forbidden(support.post_once(&format!("{path}/capture"), &json!({}), &fresh()).await, "orders:write");
    forbidden(support.post(&format!("{path}/cancel"), &json!({})).await, "orders:write");
    forbidden(support.get("/admin/tax_rates").await, "settings:read");
    forbidden(support.get("/admin/shipping_zones").await, "settings:read");
    forbidden(support.get("/admin/staff").await, "staff:read");
    forbidden(support.get("/admin/system").await, "system:read");
    let price = json!({"title": "Free mug"});
    let patch =
        support.request(Method::PATCH, &format!("/admin/products/{}", mug.product)).header("if-match", "*");
    forbidden(patch.json(&price).send().await, "products:write");
    let change = json!({"variant_id": mug.variant, "delta": 1, "reason": "x"});
    forbidden(support.post("/admin/inventory/adjustments", &change).await, "inventory:write");
    forbidden(
        support.post("/admin/promotions", &json!({"kind": "percentage", "value": 99})).await,
        "promotions:write",
    );
    assert_eq!(shop.order(&order["id"]).await["refunded_total"], eur(0));

    // Two paths to one order: neither is wider than the role.
    support
        .post(&format!("/orders/{}/cancel", text(&order["id"])), &json!({}))
        .await
        .refused(404, "not_found");
}

async fn a_manager_refunds_and_appoints_nobody(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let order = shop.buy(&mug, 1).await;
    let manager = shop.staff("manager").await;
    let refund = json!({"amount": eur(100), "reason": "x"});
    let path = format!("/admin/orders/{}/refunds", text(&order["id"]));
    let refunded = manager.post_once(&path, &refund, &fresh()).await.expect(201);
    assert_eq!(refunded["refunds"][0]["actor"]["kind"], "staff");
    manager.get("/admin/tax_rates").await.expect(200);
    let friend = json!({"email": "friend@example.com", "role": "owner", "password": "a fine password"});
    manager.post("/admin/staff", &friend).await.refused(403, "forbidden");
    let zone = json!({"name": "X", "countries": ["FR"], "methods": []});
    manager.post("/admin/shipping_zones", &zone).await.refused(403, "forbidden");
}

async fn a_role_that_is_taken_away_is_gone_at_once(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let support = shop.staff("support").await;
    let member = list(&shop.owner.get("/admin/staff").await.expect(200));
    let member = member.iter().find(|member| member["email"] == "support@example.com").unwrap();
    let path = format!("/admin/staff/{}/roles", text(&member["id"]));
    shop.owner.put(&path, &json!({"roles": ["king"]})).await.expect(422);
    shop.owner.put(&path, &json!({"roles": []})).await.expect(200);
    wait_for("the session is over", async || support.get("/admin/orders").await.status == 401).await;
    let again = log_in(&shop.guest, "support@example.com", crate::harness::PASSWORD).await;
    again.get("/admin/orders").await.refused(403, "forbidden");
}

async fn the_last_owner_stays(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let me = shop.owner.get("/customers/me").await.expect(200);
    let path = format!("/admin/staff/{}/roles", text(&me["id"]));
    shop.owner.put(&path, &json!({"roles": ["support"]})).await.refused(409, "last_owner");
    shop.owner.delete("/customers/me").await.refused(409, "last_owner");
    let roles: Vec<Value> = list(&shop.owner.get("/admin/roles").await.expect(200));
    assert_eq!(roles.len(), 3);
    let second = json!({"email": "second@example.com", "role": "owner", "password": "a fine password"});
    shop.owner.post("/admin/staff", &second).await.expect(201);
    shop.owner.put(&path, &json!({"roles": ["support"]})).await.expect(200);
}

async fn the_machinery_is_shown_to_the_owner(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let body = shop.order_for(&shop.guest, &mug, 1, "tok_ok").await;
    check_out(&shop.guest, &body).await.expect(201);
    let places: &[&str] = match shape {
        Shape::InProcess => &["in_process"],
        Shape::Loopback => &["loopback"],
        #[cfg(feature = "distributed")]
        Shape::Split => &["remote", "in_process"],
    };
    let report = shop.owner.get("/admin/system").await.expect(200);
    let modules = report["modules"].as_array().unwrap();
    let placed = |module: &Value| places.iter().any(|place| module["place"] == *place);
    assert!(modules.len() == 12 && modules.iter().all(placed), "{report}");
    assert!(modules.iter().all(|module| module["instances"] == 1), "{report}");
    assert_eq!(modules[0]["place"], places[0], "{report}");
    assert!(report["health"].as_array().unwrap().iter().all(|health| health["ok"] == true), "{report}");
    assert!(report["jobs"].as_array().is_some_and(|jobs| !jobs.is_empty()));
    wait_for("every event is heard", async || {
        let report = shop.owner.get("/admin/system").await.expect(200);
        report["outboxes"].as_array().unwrap().iter().all(|outbox| outbox["unpublished"] == 0)
    })
    .await;
    assert!(list(&shop.owner.get("/admin/system/dead_letters").await.expect(200)).is_empty());
    shop.owner.delete("/admin/system/dead_letters/orders-x-y").await.refused(404, "not_found");
    shop.owner.post("/admin/system/dead_letters/x/replay", &json!({})).await.refused(404, "not_found");
}

use contracts::{
    customer::{CustomerDeleted, CustomerId, EmailVerified},
    idempotency::{Answer, Claim, ClaimId, Claimed},
    order::{OrderFilter, Orders, Viewer},
};
use shared::{Kind, values::Blob};

use crate::shop::{STAFF, Shop, answers};

#[tokio::test]
async fn a_guests_orders_become_the_accounts_once_the_address_is_proved() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let ada = CustomerId::new();
    let filter = OrderFilter { customer_id: Some(ada), ..Default::default() };
    assert!(shop.service.list(filter.clone(), Default::default()).await.unwrap().data.is_empty());
    shop.hear(ada, 1, &EmailVerified { customer_id: ada, email: order.email.clone() }).await;
    assert_eq!(shop.service.list(filter, Default::default()).await.unwrap().data.len(), 1);
    shop.service.find(order.id, Viewer::Customer(ada)).await.unwrap();
    let bob = CustomerId::new();
    shop.hear(bob, 1, &EmailVerified { customer_id: bob, email: order.email }).await;
    let error = shop.service.find(order.id, Viewer::Customer(bob)).await.unwrap_err();
    assert_eq!(error.kind, Kind::NotFound, "what is somebody's stays theirs");
}

#[tokio::test]
async fn a_deleted_customer_is_forgotten_and_the_sums_stay() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let ada = CustomerId::new();
    shop.hear(ada, 1, &EmailVerified { customer_id: ada, email: order.email.clone() }).await;
    let scope = format!("{ada} POST /api/v1/checkout");
    let claim = Claim { id: ClaimId::new(), scope, key: "k".into(), request_hash: "h".into() };
    let note = "Ada Lovelace wrote from ada@example.com: ring twice".to_owned();
    shop.service.add_note(order.id, note, STAFF()).await.unwrap();
    let answers = answers(&shop);
    answers.claim(claim.clone()).await.unwrap();
    let body = Blob(bytes::Bytes::from_static(b"{\"email\":\"ada@example.com\"}"));
    let answer = Answer { status: 201, content_type: "application/json".into(), body, headers: vec![] };
    answers.complete(claim.clone(), answer).await.unwrap();
    shop.hear(ada, 2, &CustomerDeleted { customer_id: ada }).await;
    let after = shop.find(order.id).await;
    let text = serde_json::to_string(&after).unwrap();
    assert!(text.contains("erased wrote from erased: ring twice"), "{text}");
    for personal in ["ada@example.com", "Lovelace", "Engine Road"] {
        assert!(!text.contains(personal), "{personal}");
    }
    assert_eq!((after.total, after.lines.len()), (order.total, order.lines.len()));
    assert_eq!(after.shipping_address.country, order.shipping_address.country, "the tax was paid there");
    assert!(
        matches!(answers.claim(Claim { id: ClaimId::new(), ..claim }).await.unwrap(), Claimed::Fresh),
        "remembered answers are forgotten too"
    );
}

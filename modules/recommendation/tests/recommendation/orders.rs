//! What is bought, and what is not any more.

use std::time::Duration;

use contracts::{
    customer::CustomerId,
    order::OrderPlaced,
    recommendation::{Reason, Recommendations, Visitor},
};
use shared::Clock;

use crate::shop::{Shop, cancelled, customer, ids, placed, shop, some};

/// An order of now.
fn order(shop: &Shop, customer: Option<CustomerId>, product: contracts::product::ProductId) -> OrderPlaced {
    shop.clock.advance(Duration::from_secs(60));
    let mut placed = placed(customer, &[product]);
    placed.order.placed_at = Some(shop.clock.now());
    placed
}

#[tokio::test]
async fn a_cancelled_order_is_taken_out_of_store_and_memory_once() {
    let mut shop = shop().await;
    let [lamp, mug] = ["lamp", "mug"].map(|title| shop.world.sells(title, None));
    shop.service.open().await.unwrap();
    let ada = CustomerId::derived("ada");
    let (mine, theirs) = (order(&shop, Some(ada), lamp), order(&shop, None, lamp));
    let other = order(&shop, None, mug);
    for placed in [&mine, &theirs, &other] {
        shop.hear(placed).await;
    }
    shop.service.list();
    let sellers = shop.service.personal(Visitor::default(), some(2)).await.unwrap();
    assert!(ids(&sellers) == [lamp, mug] && sellers[0].score > 1.9, "{sellers:?}");
    assert_eq!(
        ids(&shop.service.personal(customer("ada"), some(2)).await.unwrap()),
        [mug],
        "they have a lamp"
    );

    shop.clock.advance(Duration::from_secs(60));
    let event = shop.hear(&cancelled(&mine)).await;
    shop.deliver(&event).await;
    shop.hear(&cancelled(&order(&shop, None, mug))).await;
    for _ in 0..2 {
        assert_eq!(shop.service.status().await.unwrap().interactions, 2);
        shop.service.list();
        let sellers = shop.service.personal(Visitor::default(), some(2)).await.unwrap();
        assert!(sellers.iter().all(|one| (0.9..1.1).contains(&one.score)), "each was sold once: {sellers:?}");
        let again = shop.service.personal(customer("ada"), some(2)).await.unwrap();
        assert!(ids(&again).contains(&lamp), "they may want a lamp again");
        shop.restart().await;
    }
}

#[tokio::test]
async fn what_was_cancelled_is_no_rule_after_the_next_training() {
    let shop = shop().await;
    let [kettle, tea, chair] = ["kettle", "tea", "chair"].map(|title| shop.world.sells(title, None));
    shop.service.open().await.unwrap();
    let mut orders = Vec::new();
    for _ in 0..5 {
        let mut both = order(&shop, None, kettle);
        both.order.lines.extend(placed(None, &[tea]).order.lines);
        shop.hear(&both).await;
        shop.hear(&order(&shop, None, chair)).await;
        orders.push(both);
    }
    shop.service.train().await.unwrap();
    let together = shop.service.bought_together(vec![kettle], some(4)).await.unwrap();
    assert_eq!(together[0].reason, Reason::BoughtTogether { product_id: kettle });
    for order in &orders {
        shop.hear(&cancelled(order)).await;
    }
    let model = shop.service.train().await.unwrap();
    assert_eq!((model.rules, model.interactions), (0, 5));
    assert!(shop.service.bought_together(vec![kettle], some(4)).await.unwrap().is_empty());
}

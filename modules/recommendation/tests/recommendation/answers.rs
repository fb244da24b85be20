//! What is answered, and what never is.

use std::time::Duration;

use contracts::{
    product::{
        CategoryId, ProductChanged, ProductStatus,
        stock::{Availability, StockChanged},
    },
    recommendation::{Context, InteractionKind, Reason, Recommendations, Visitor},
};
use recommendation::Settings;

use crate::shop::{anonymous, customer, ids, is_best_seller, placed, shop, shop_with, some};

#[tokio::test]
async fn the_next_answer_reflects_the_last_click() {
    let shop = shop_with(Settings { per_category: 10, threads: 1, ..Settings::default() }).await;
    let [lamps, mugs] = shop.two_tastes().await;
    let ada = anonymous("ada");
    shop.view(ada, lamps[0]).await;
    let first = shop.service.personal(ada, some(4)).await.unwrap();
    assert_eq!(first.len(), 4);
    assert!(first.iter().all(|one| lamps.contains(&one.product_id)), "{first:?}");
    assert!(first.iter().all(|one| one.reason == Reason::Viewed { product_id: lamps[0] }), "{first:?}");
    shop.record(ada, mugs[3], InteractionKind::CartAdd).await;
    let next = shop.service.personal(ada, some(4)).await.unwrap();
    assert!(mugs.contains(&next[0].product_id), "{next:?}");
    assert_eq!(next[0].reason, Reason::CartAdded { product_id: mugs[3] });
    assert_eq!(ids(&shop.service.recently_viewed(ada, some(4)).await.unwrap()), [lamps[0]]);
}

#[tokio::test]
async fn what_is_in_the_cart_disabled_or_sold_out_is_never_named() {
    let shop = shop().await;
    let [lamps, _] = shop.two_tastes().await;
    let all = ids(&shop.service.related(lamps[0], some(4)).await.unwrap());
    let (in_cart, disabled, sold_out) = (all[0], all[1], all[2]);
    shop.world.change(disabled, |product| product.status = ProductStatus::Archived);
    shop.hear(&ProductChanged { product_id: disabled, slug: "x".into(), published: false }).await;
    let variant_id = shop.world.change(sold_out, |_| {});
    let stock = |available| {
        let item = Availability { variant_id, product_id: sold_out, available, flipped: true };
        StockChanged { items: vec![item] }
    };
    shop.hear(&stock(0)).await;
    let context = Context { exclude: vec![in_cart], limit: 50 };
    let visitor = customer("0");
    let answers = [
        shop.service.related(lamps[0], context.clone()).await.unwrap(),
        shop.service.bought_together(vec![lamps[0]], context.clone()).await.unwrap(),
        shop.service.personal(visitor, context.clone()).await.unwrap(),
        shop.service.personal(Visitor::default(), context.clone()).await.unwrap(),
        shop.service.trending(context.clone()).await.unwrap(),
        shop.service.recently_viewed(visitor, context.clone()).await.unwrap(),
    ];
    for answer in &answers {
        let ids = ids(answer);
        assert!([in_cart, disabled, sold_out].iter().all(|id| !ids.contains(id)), "{answer:?}");
    }
    assert!(answers.iter().take(4).all(|answer| !answer.is_empty()));
    shop.hear(&stock(1)).await;
    let again = shop.service.related(lamps[0], context).await.unwrap();
    assert!(ids(&again).contains(&sold_out), "it is back in stock");
}

#[tokio::test]
async fn a_list_holds_no_more_than_some_of_a_kind() {
    let shop = shop_with(Settings { per_category: 2, threads: 1, ..Settings::default() }).await;
    let [lamps, mugs] = shop.two_tastes().await;
    let related = ids(&shop.service.related(lamps[0], some(8)).await.unwrap());
    assert_eq!(related.len(), 4);
    assert_eq!(related.iter().filter(|id| mugs.contains(id)).count(), 2);
    assert!(lamps.contains(&related[0]), "what is related comes first");
}

#[tokio::test]
async fn a_stranger_gets_best_sellers_and_a_new_product_those_of_its_category() {
    let shop = shop().await;
    let [lamps, mugs] = shop.two_tastes().await;
    let stranger = shop.service.personal(Visitor::default(), some(8)).await.unwrap();
    assert!(stranger.len() == 8 && stranger.iter().all(is_best_seller), "{stranger:?}");
    let category = CategoryId::derived("mugs");
    let new = shop.world.sells("mugs new", Some(category));
    shop.hear(&ProductChanged { product_id: new, slug: "x".into(), published: true }).await;
    let related = shop.service.related(new, some(4)).await.unwrap();
    assert!(related.iter().all(|one| mugs.contains(&one.product_id)), "{related:?}");
    assert_eq!(related[0].reason, Reason::BestSeller { category_id: Some(category) });
    shop.service.train().await.unwrap();
    let related = shop.service.related(new, some(4)).await.unwrap();
    assert_eq!(related[0].reason, Reason::Similar { product_id: new }, "by its attributes, once trained");
    assert!(!ids(&related).iter().any(|id| lamps.contains(id)));
}

#[tokio::test]
async fn before_the_first_training_answers_are_best_sellers() {
    let shop = shop().await;
    let category = CategoryId::derived("lamps");
    let lamp = shop.world.sells("lamp", Some(category));
    let other = shop.world.sells("other lamp", Some(category));
    shop.service.open().await.unwrap();
    shop.hear(&placed(None, &[other])).await;
    shop.service.list();
    let related = shop.service.related(lamp, some(4)).await.unwrap();
    assert_eq!((related[0].product_id, related.len()), (other, 1));
    assert!(is_best_seller(&related[0]));
    assert!(shop.service.bought_together(vec![lamp], some(4)).await.unwrap().is_empty());
    assert!(shop.service.status().await.unwrap().model.is_none());
}

#[tokio::test]
async fn what_is_bought_together_follows_from_orders() {
    let shop = shop().await;
    let kettle = shop.world.sells("kettle", None);
    let tea = shop.world.sells("tea", None);
    let chair = shop.world.sells("chair", None);
    shop.service.open().await.unwrap();
    for _ in 0..5 {
        shop.clock.advance(Duration::from_secs(60));
        let event = shop.hear(&placed(None, &[kettle, tea, tea])).await;
        shop.deliver(&event).await;
        shop.clock.advance(Duration::from_secs(60));
        shop.hear(&placed(None, &[chair])).await;
    }
    assert_eq!(shop.service.status().await.unwrap().interactions, 15, "each event counts once");
    assert_eq!(shop.service.train().await.unwrap().rules, 2);
    let answer = shop.service.bought_together(vec![kettle], some(4)).await.unwrap();
    assert_eq!(ids(&answer), [tea]);
    assert_eq!(answer[0].reason, Reason::BoughtTogether { product_id: kettle });
    assert!(shop.service.bought_together(vec![kettle, tea], some(4)).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_wanted_more_than_usual_is_trending() {
    let shop = shop().await;
    let [lamps, _] = shop.two_tastes().await;
    for n in 0..40 {
        shop.view(anonymous(&n.to_string()), lamps[7]).await;
    }
    shop.service.list();
    let trending = shop.service.trending(some(3)).await.unwrap();
    assert_eq!((trending[0].product_id, trending[0].reason), (lamps[7], Reason::Trending));
    shop.clock.advance(Duration::from_secs(60 * 86_400));
    shop.service.list();
    assert!(shop.service.trending(some(3)).await.unwrap().is_empty(), "it is over");
}

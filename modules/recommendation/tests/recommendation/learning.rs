//! Training, models and what outlives a restart.

use std::{sync::atomic::Ordering, time::Duration};

use contracts::{
    product::{CategoryId, ProductChanged},
    recommendation::{Impression, ImpressionId, Reason, Recommendations, Surface, Visitor},
};
use recommendation::Settings;
use shared::{Clock, Kind, jobs::Jobs};

use crate::shop::{anonymous, customer, ids, placed, shop, shop_with, some};

#[tokio::test]
async fn a_restart_forgets_nothing() {
    let mut shop = shop().await;
    let [lamps, _] = shop.two_tastes().await;
    let ada = anonymous("ada");
    shop.view(ada, lamps[2]).await;
    let before = shop.service.personal(ada, some(6)).await.unwrap();
    let model = shop.service.status().await.unwrap().model;
    shop.restart().await;
    assert_eq!(shop.service.status().await.unwrap().model, model);
    let after = shop.service.personal(ada, some(6)).await.unwrap();
    assert_eq!(ids(&after), ids(&before));
    assert_eq!(ids(&shop.service.recently_viewed(ada, some(6)).await.unwrap()), [lamps[2]]);
}

#[tokio::test]
async fn models_have_versions_and_old_ones_go() {
    let shop = shop_with(Settings { keep_models: 2, threads: 1, ..Settings::default() }).await;
    shop.two_tastes().await;
    let mut last = None;
    for _ in 0..3 {
        shop.clock.advance(Duration::from_secs(60));
        last = Some(shop.service.train().await.unwrap());
    }
    let models = shop.service.models().await.unwrap();
    assert_eq!(models.len(), 2);
    assert_eq!(Some(models[0].id), last.map(|model| model.id));
    assert_eq!(models.iter().map(|model| model.current).collect::<Vec<_>>(), [true, false]);
    assert_eq!((models[0].interactions, models[0].visitors, models[0].products), (240, 60, 20));
}

#[tokio::test]
async fn two_trainings_at_once_are_one() {
    let shop = shop().await;
    shop.two_tastes().await;
    let (one, other) = futures::join!(shop.service.train(), shop.service.train());
    let refused = one.and(other).unwrap_err();
    assert_eq!((refused.kind, &*refused.code), (Kind::Conflict, "training"));
}

#[tokio::test]
async fn the_same_past_is_taken_in_once() {
    let shop = shop().await;
    shop.two_tastes().await;
    let known = shop.service.status().await.unwrap().interactions;
    shop.two_tastes().await;
    assert_eq!(shop.service.status().await.unwrap().interactions, known);
}

#[tokio::test]
async fn answers_can_be_given_while_a_model_is_trained() {
    let shop = shop().await;
    let [lamps, _] = shop.two_tastes().await;
    let (training, service) = (shop.service.clone(), shop.service.clone());
    let training = tokio::spawn(async move { training.train().await });
    let mut answers = 0;
    while !training.is_finished() {
        assert!(!service.related(lamps[0], some(4)).await.unwrap().is_empty());
        answers += 1;
        tokio::task::yield_now().await;
    }
    training.await.unwrap().unwrap();
    assert!(answers > 0);
}

/// People click what is third, wherever that is: the position is not what they like.
#[tokio::test]
async fn what_is_clicked_is_learned_from() {
    let shop = shop_with(Settings { per_category: 10, threads: 1, ..Settings::default() }).await;
    let [lamps, mugs] = shop.two_tastes().await;
    for n in 0..260 {
        let shown: Vec<_> = (0..8).map(|place| lamps[1 + (n + place) % 9]).collect();
        let impression = Impression {
            id: ImpressionId::new(),
            visitor: customer("0"),
            surface: Surface::Related,
            product_id: Some(lamps[0]),
            shown: shown.clone(),
            at: shop.clock.now(),
        };
        shop.service.shown(impression.clone()).await.unwrap();
        shop.service.shown(impression.clone()).await.unwrap();
        shop.service.clicked(impression.id, shown[2]).await.unwrap();
        shop.service.clicked(impression.id, shown[2]).await.unwrap();
        shop.service.clicked(impression.id, mugs[0]).await.unwrap();
        shop.service.clicked(ImpressionId::new(), shown[0]).await.unwrap();
    }
    let model = shop.service.train().await.unwrap();
    assert_eq!(model.impressions, 260 * 8, "each list once");
    let related = shop.service.related(lamps[0], some(4)).await.unwrap();
    assert!(related.iter().all(|one| one.reason == Reason::Related { product_id: lamps[0] }));
    assert!(related.is_sorted_by(|a, b| a.score >= b.score));
}

#[tokio::test]
async fn a_process_without_a_model_answers_from_the_first_moment() {
    let mut shop = shop().await;
    let [lamps, mugs] = ["lamps", "mugs"].map(CategoryId::derived);
    let lamp = shop.world.sells("lamp", Some(lamps));
    let other = shop.world.sells("other lamp", Some(lamps));
    let mug = shop.world.sells("mug", Some(mugs));
    shop.service.open().await.unwrap();
    shop.hear(&placed(None, &[mug])).await;
    for n in 0..9 {
        shop.view(anonymous(&n.to_string()), other).await;
    }
    let ada = anonymous("ada");
    shop.view(ada, lamp).await;
    shop.restart().await;
    assert!(shop.service.status().await.unwrap().model.is_none());
    let related = shop.service.related(lamp, some(4)).await.unwrap();
    assert_eq!(ids(&related), [other, mug], "of its kind, then of all");
    assert_eq!(related[0].reason, Reason::BestSeller { category_id: Some(lamps) });
    let personal = shop.service.personal(ada, some(4)).await.unwrap();
    assert_eq!(ids(&personal), [other, mug], "of the kind they looked at, then of all");
    assert_eq!(personal[0].reason, Reason::BestSeller { category_id: Some(lamps) });
    let stranger = shop.service.personal(Visitor::default(), some(4)).await.unwrap();
    assert_eq!(ids(&stranger), [mug, other, lamp]);
    let trending = shop.service.trending(some(4)).await.unwrap();
    assert_eq!(trending.first().map(|one| (one.product_id, one.reason)), Some((other, Reason::Trending)));
}

#[tokio::test]
async fn a_process_that_starts_before_its_products_answers_as_soon_as_they_are_there() {
    let mut shop = shop().await;
    let lamp = shop.world.sells("lamp", None);
    shop.world.is_away.store(true, Ordering::Relaxed);
    shop.restart().await;
    assert!(shop.service.personal(Visitor::default(), some(4)).await.unwrap().is_empty());
    shop.world.is_away.store(false, Ordering::Relaxed);
    let jobs = Jobs::new();
    shop.service.start(&jobs);
    let wait = async {
        while ids(&shop.service.personal(Visitor::default(), some(4)).await.unwrap()) != [lamp] {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("it is read in time");
    jobs.stop(Duration::from_secs(20)).await;
}

#[tokio::test]
async fn the_first_product_of_a_shop_is_named_at_once() {
    let shop = shop().await;
    let lamp = shop.world.sells("lamp", None);
    shop.hear(&ProductChanged { product_id: lamp, slug: "lamp".into(), published: true }).await;
    assert_eq!(ids(&shop.service.personal(Visitor::default(), some(4)).await.unwrap()), [lamp]);
}

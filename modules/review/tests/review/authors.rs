//! Writing, changing and deleting one's own.

use std::time::Duration;

use contracts::{
    customer::CustomerId,
    product::ProductId,
    review::{AggregateChanged, Hold, NewReview, ReviewApproved, ReviewPatch, ReviewStatus, Reviews},
};
use review::{AutoApprove, Settings};
use shared::{Clock, Kind, PageRequest};

use crate::shop::{content, shop, shop_with, staff};

#[tokio::test]
async fn a_review_waits_for_staff_and_nobody_else_sees_it() {
    let shop = shop().await;
    let (mug, ada) = (shop.world.sells("Mug"), shop.world.person("Ada Lovelace"));
    let review = shop.written(mug, ada, 4).await;
    assert_eq!((review.status, review.author.as_deref()), (ReviewStatus::Pending, Some("Ada L.")));
    assert_eq!((review.product_title.as_str(), review.verified, review.approved_at), ("Mug", false, None));
    assert!(shop.listed(mug, Default::default()).await.is_empty());
    assert_eq!(shop.aggregate(mug).await.count, 0);
    assert_eq!(shop.reviews.own(mug, ada).await.unwrap(), Some(review.clone()));
    assert_eq!(shop.reviews.own(mug, CustomerId::new()).await.unwrap(), None);
    let own = shop.reviews.of_customer(ada, PageRequest::default()).await.unwrap();
    assert_eq!(own.data, [review]);
    assert!(shop.told::<AggregateChanged>().is_empty() && shop.told::<ReviewApproved>().is_empty());
}

#[tokio::test]
async fn a_customer_has_one_review_of_a_product_however_many_race() {
    let shop = shop().await;
    let (mug, ada) = (shop.world.sells("Mug"), shop.world.person("Ada"));
    let tries = (0..8).map(|_| shop.reviews.create(mug, content(5), ada));
    let (written, refused): (Vec<_>, Vec<_>) =
        futures::future::join_all(tries).await.into_iter().partition(|result| result.is_ok());
    assert_eq!((written.len(), refused.len()), (1, 7));
    let id = written.into_iter().next().unwrap().unwrap().id;
    for error in refused.into_iter().map(|result| result.unwrap_err()) {
        assert_eq!((error.kind, &*error.code), (Kind::Conflict, "review_exists"));
        assert_eq!(error.extra["review_id"], id.to_string());
    }
    shop.written(shop.world.sells("Pot"), ada, 5).await;
    shop.reviews.delete(id, ada).await.unwrap();
    assert_ne!(shop.written(mug, ada, 3).await.id, id);
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    let shop = shop().await;
    let (mug, ada) = (shop.world.sells("Mug"), shop.world.person("Ada"));
    let create = |new: NewReview| shop.reviews.create(mug, new, ada);
    let error = create(content(0)).await.unwrap_err();
    assert_eq!((error.kind, error.fields[0].pointer.as_str()), (Kind::Invalid, "/rating"));
    let pictured = |file: &str| NewReview { pictures: vec![file.into()], ..content(5) };
    let error = create(pictured("nowhere.png")).await.unwrap_err();
    assert_eq!((&*error.code, error.fields[0].pointer.as_str()), ("unknown_picture", "/pictures/0"));
    shop.world.shows("mug.png");
    assert_eq!(create(pictured("mug.png")).await.unwrap().pictures, ["mug.png"]);
    for product in
        [ProductId::new(), shop.world.product("Draft", "draft"), shop.world.product("Old", "archived")]
    {
        let error = shop.reviews.create(product, content(5), ada).await.unwrap_err();
        assert_eq!(error.kind, Kind::NotFound);
    }
    let stranger = shop.reviews.create(mug, content(5), CustomerId::new()).await.unwrap_err();
    assert_eq!(stranger.kind, Kind::NotFound);
}

#[tokio::test]
async fn an_edit_goes_back_to_pending_and_out_of_the_sums() {
    let shop = shop().await;
    let (mug, ada) = (shop.world.sells("Mug"), shop.world.person("Ada"));
    let review = shop.public(mug, ada, 5).await;
    assert_eq!(shop.aggregate(mug).await.histogram, [0, 0, 0, 0, 1]);
    let same = ReviewPatch { rating: Some(5), ..Default::default() };
    assert_eq!(shop.reviews.update(review.id, same, ada).await.unwrap(), review);

    shop.clock.advance(Duration::from_secs(60));
    let patch =
        ReviewPatch { rating: Some(2), body: Some("The handle came off.".into()), ..Default::default() };
    let edited = shop.reviews.update(review.id, patch.clone(), ada).await.unwrap();
    assert_eq!((edited.status, edited.rating, edited.approved_at), (ReviewStatus::Pending, 2, None));
    assert_eq!((edited.title, edited.version), (review.title, review.version + 1));
    assert_eq!((edited.created_at, edited.updated_at), (review.created_at, shop.clock.now()));
    assert_eq!(shop.aggregate(mug).await.count, 0);
    assert!(shop.listed(mug, Default::default()).await.is_empty());
    shop.reviews.approve(review.id, None, staff()).await.unwrap();
    assert_eq!(shop.aggregate(mug).await.histogram, [0, 1, 0, 0, 0]);

    let stranger = shop.world.person("Eve");
    let others = shop.reviews.update(review.id, patch, stranger).await.unwrap_err();
    assert_eq!(others.kind, Kind::NotFound);
    assert_eq!(shop.reviews.delete(review.id, stranger).await.unwrap_err().kind, Kind::NotFound);
    shop.reviews.delete(review.id, ada).await.unwrap();
    assert_eq!(shop.aggregate(mug).await.count, 0);
    assert_eq!(shop.reviews.delete(review.id, ada).await.unwrap_err().kind, Kind::NotFound);
    let sums: Vec<_> = shop.told::<AggregateChanged>().into_iter().map(|(n, e)| (n, e.histogram)).collect();
    assert_eq!(
        sums,
        [(1, [0, 0, 0, 0, 1]), (2, [0, 0, 0, 0, 0]), (3, [0, 1, 0, 0, 0]), (4, [0, 0, 0, 0, 0])]
    );
}

#[tokio::test]
async fn who_writes_a_lot_is_looked_at_for_a_day() {
    let shop = shop_with(Settings { auto_approve: AutoApprove::Clean, max_per_day: 2 }).await;
    let ada = shop.world.person("Ada");
    let mut first = None;
    for n in 0..4 {
        let review = shop.written(shop.world.sells("Thing"), ada, 5).await;
        first.get_or_insert(review.id);
        let held = shop.reviews.find(review.id).await.unwrap().held_for;
        assert_eq!((review.status == ReviewStatus::Approved, held.is_empty()), (n < 2, n < 2), "{n}");
        assert_eq!(held.first(), (n >= 2).then_some(&Hold::Rate));
    }
    let patch = ReviewPatch { rating: Some(4), ..Default::default() };
    let edited = shop.reviews.update(first.unwrap(), patch.clone(), ada).await.unwrap();
    assert_eq!(edited.status, ReviewStatus::Pending, "it has written three others today");
    shop.clock.advance(Duration::from_secs(24 * 3_600 + 1));
    assert_eq!(shop.written(shop.world.sells("Thing"), ada, 5).await.status, ReviewStatus::Approved);
}

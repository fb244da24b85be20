//! Helpful votes.

use contracts::{
    customer::CustomerId,
    review::{ReviewChanged, Reviews},
};
use shared::Kind;

use crate::shop::{shop, staff};

#[tokio::test]
async fn an_account_has_one_vote_and_none_for_its_own_review() {
    let shop = shop().await;
    let (mug, ada) = (shop.world.sells("Mug"), shop.world.person("Ada"));
    let review = shop.public(mug, ada, 5).await;
    let (bob, cid) = (CustomerId::new(), CustomerId::new());
    for (voter, helpful) in [(bob, 1), (bob, 1), (cid, 2)] {
        assert_eq!(shop.reviews.vote(review.id, voter).await.unwrap().helpful, helpful);
    }
    let own = shop.reviews.vote(review.id, ada).await.unwrap_err();
    assert_eq!((own.kind, &*own.code), (Kind::Forbidden, "own_review"));
    assert_eq!(shop.reviews.voted(mug, bob).await.unwrap(), [review.id]);
    for _ in 0..2 {
        assert_eq!(shop.reviews.unvote(review.id, bob).await.unwrap().helpful, 1);
    }
    assert!(shop.reviews.voted(mug, bob).await.unwrap().is_empty());
    // One approval, two votes, one taken back.
    assert_eq!(shop.told::<ReviewChanged>().len(), 4);
    let found = shop.reviews.find(review.id).await.unwrap().review;
    assert_eq!((found.version, found.helpful), (review.version, 1));
}

#[tokio::test]
async fn many_votes_at_once_are_all_counted() {
    let shop = shop().await;
    let review = shop.public(shop.world.sells("Mug"), shop.world.person("Ada"), 5).await;
    let voters: Vec<CustomerId> = (0..25).map(|_| CustomerId::new()).collect();
    let votes = voters.iter().chain(&voters).map(|voter| shop.reviews.vote(review.id, *voter));
    assert!(futures::future::join_all(votes).await.iter().all(Result::is_ok));
    assert_eq!(shop.reviews.find(review.id).await.unwrap().review.helpful, 25);
}

#[tokio::test]
async fn what_is_not_public_has_no_votes_and_keeps_those_it_had() {
    let shop = shop().await;
    let (mug, ada, bob) = (shop.world.sells("Mug"), shop.world.person("Ada"), CustomerId::new());
    let review = shop.written(mug, ada, 5).await;
    assert_eq!(shop.reviews.vote(review.id, bob).await.unwrap_err().kind, Kind::NotFound);
    shop.reviews.approve(review.id, None, staff()).await.unwrap();
    shop.reviews.vote(review.id, bob).await.unwrap();
    shop.reviews.reject(review.id, "no".into(), None, staff()).await.unwrap();
    assert_eq!(shop.reviews.unvote(review.id, bob).await.unwrap_err().kind, Kind::NotFound);
    let back = shop.reviews.approve(review.id, None, staff()).await.unwrap();
    assert_eq!(back.review.helpful, 1);
    shop.reviews.delete(review.id, ada).await.unwrap();
    assert!(shop.reviews.voted(mug, bob).await.unwrap().is_empty());
}

//! The verified mark.

use contracts::{
    customer::{CustomerId, EmailVerified},
    product::ProductId,
    review::{ReviewStatus, Reviews},
};
use review::{AutoApprove, Settings};

use crate::shop::{Shop, delivered, shop, shop_with};

async fn is_verified(shop: &Shop, product: ProductId, customer: CustomerId) -> bool {
    shop.reviews.own(product, customer).await.unwrap().unwrap().verified
}

#[tokio::test]
async fn what_has_arrived_is_verified_and_what_has_not_is_not() {
    let shop = shop().await;
    let (mug, pot) = (shop.world.sells("Mug"), shop.world.sells("Pot"));
    let ada = shop.world.person("Ada");
    let parcel = delivered(Some(ada), "ada@example.com", &[mug, pot], &[mug]);
    let envelope = shop.envelope(&parcel);
    shop.deliver(&envelope).await;
    assert!(shop.written(mug, ada, 5).await.verified);
    assert!(!shop.written(pot, ada, 5).await.verified);
    assert!(!shop.written(mug, shop.world.person("Bob"), 5).await.verified);
    // The rest comes in a second parcel; the first event comes again.
    let rest = delivered(Some(ada), "ada@example.com", &[mug, pot], &[pot]);
    shop.deliver(&envelope).await;
    assert!(!is_verified(&shop, pot, ada).await);
    shop.hear(&rest).await;
    let late = shop.reviews.own(pot, ada).await.unwrap().unwrap();
    assert_eq!((late.verified, late.version, late.status), (true, 2, ReviewStatus::Pending));
    shop.hear(&rest).await;
    assert_eq!(shop.reviews.own(pot, ada).await.unwrap().unwrap().version, 2);
}

#[tokio::test]
async fn a_guests_purchase_counts_once_the_address_is_proven() {
    let shop = shop().await;
    let (mug, pot) = (shop.world.sells("Mug"), shop.world.sells("Pot"));
    let ada = shop.world.customer("Ada", "ada@example.com", false);
    shop.hear(&delivered(None, "ada@example.com", &[mug, pot], &[mug, pot])).await;
    assert!(!shop.written(mug, ada, 5).await.verified, "anybody could have typed the address");
    shop.hear(&EmailVerified { customer_id: ada, email: "ada@example.com".parse().unwrap() }).await;
    assert!(is_verified(&shop, mug, ada).await);
    assert!(shop.written(pot, ada, 5).await.verified);
    // Somebody else who proves the same address later gets nothing of it.
    let eve = shop.world.customer("Eve", "ada@example.com", true);
    assert!(!shop.written(mug, eve, 5).await.verified);
}

#[tokio::test]
async fn a_proven_address_finds_what_was_bought_with_it_later_too() {
    let shop = shop().await;
    let (mug, ada) = (shop.world.sells("Mug"), shop.world.customer("Ada", "ada@example.com", true));
    shop.hear(&delivered(None, "ada@example.com", &[mug], &[mug])).await;
    assert!(shop.written(mug, ada, 5).await.verified);
}

#[tokio::test]
async fn the_order_of_an_erased_person_is_nobodys_purchase() {
    let shop = shop().await;
    let (mug, ada) = (shop.world.sells("Mug"), shop.world.person("Ada"));
    shop.hear(&delivered(Some(ada), &format!("{ada}@erased.invalid"), &[mug], &[mug])).await;
    assert!(!shop.written(mug, ada, 5).await.verified);
}

#[tokio::test]
async fn a_late_parcel_approves_what_waited_for_it() {
    let shop = shop_with(Settings { auto_approve: AutoApprove::Verified, max_per_day: 5 }).await;
    let (mug, ada) = (shop.world.sells("Mug"), shop.world.person("Ada"));
    assert_eq!(shop.written(mug, ada, 4).await.status, ReviewStatus::Pending);
    shop.hear(&delivered(Some(ada), "ada@example.com", &[mug], &[mug])).await;
    let review = shop.reviews.own(mug, ada).await.unwrap().unwrap();
    assert_eq!((review.status, review.verified), (ReviewStatus::Approved, true));
    assert_eq!(shop.aggregate(mug).await.histogram, [0, 0, 0, 1, 0]);
}

//! Reviews of the past.

use contracts::{
    customer::CustomerId,
    order::OrderId,
    product::ProductId,
    review::{
        AggregateChanged, ImportReview, ImportReviews, Purchase, ReviewApproved, ReviewChanged, ReviewStatus,
        Reviews,
    },
};
use shared::Clock;

use crate::shop::{Shop, content, shop};

fn past(shop: &Shop, seed: &str, product: ProductId, rating: u8, status: ReviewStatus) -> ImportReview {
    ImportReview {
        seed: seed.into(),
        product_id: product,
        product_title: "Mug".into(),
        customer_id: CustomerId::derived(seed),
        author: "Ada L.".into(),
        review: content(rating),
        status,
        voters: vec![CustomerId::derived("x"), CustomerId::derived("y"), CustomerId::derived("x")],
        reply: (rating == 1).then(|| "We are sorry.".into()),
        created_at: shop.clock.now(),
    }
}

#[tokio::test]
async fn the_past_comes_in_once_with_one_event_a_product() {
    let shop = shop().await;
    let (mug, pot) = (ProductId::new(), ProductId::new());
    let purchase = Purchase {
        order_id: OrderId::new(),
        product_id: mug,
        customer_id: Some(CustomerId::derived("a")),
        email: "ada@example.com".parse().unwrap(),
    };
    let import = ImportReviews {
        reviews: vec![
            past(&shop, "a", mug, 5, ReviewStatus::Approved),
            past(&shop, "b", mug, 1, ReviewStatus::Approved),
            past(&shop, "c", mug, 3, ReviewStatus::Pending),
            past(&shop, "d", pot, 4, ReviewStatus::Approved),
        ],
        purchases: vec![purchase],
    };
    assert_eq!(shop.reviews.import(import.clone()).await.unwrap(), 4);
    assert_eq!(shop.reviews.import(import).await.unwrap(), 0);
    assert_eq!(shop.aggregate(mug).await.histogram, [1, 0, 0, 0, 1]);
    assert_eq!(shop.aggregate(pot).await.histogram, [0, 0, 0, 1, 0]);
    let told = (shop.told::<AggregateChanged>().len(), shop.told::<ReviewApproved>().len());
    assert_eq!((told, shop.told::<ReviewChanged>().len()), ((2, 0), 0));
    let found = shop.all(mug).await;
    assert_eq!(found.iter().filter(|review| review.status == ReviewStatus::Pending).count(), 1);
    for review in found {
        assert_eq!((review.helpful, review.verified), (2, review.rating == 5));
        assert_eq!(review.reply.is_some(), review.rating == 1);
    }
    let rebuilt = shop.reviews.rebuild().await.unwrap();
    assert_eq!((rebuilt.products, rebuilt.corrected), (2, 0));
}

//! Sums and votes are what a recount says, whatever happens at the same time.

use std::{collections::HashMap, sync::Arc};

use contracts::{
    customer::CustomerId,
    product::ProductId,
    review::{Aggregate, AggregateChanged, Review, ReviewPatch, ReviewStatus, Reviews},
};
use diesel_async::RunQueryDsl;
use futures::{StreamExt, stream};
use mongodb::bson::doc;
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use shared::{Database, Kind, Result, db::on};

use crate::shop::{Shop, content, shop, staff};

const OPERATIONS: u64 = 1_000;
const AT_ONCE: usize = 32;

/// Does one random thing to a random review.
async fn operate(shop: &Shop, products: &[ProductId], people: &[CustomerId], seed: u64) -> Result<()> {
    let mut rng = StdRng::seed_from_u64(seed);
    let product = *products.choose(&mut rng).unwrap();
    let (customer, voter) = (*people.choose(&mut rng).unwrap(), *people.choose(&mut rng).unwrap());
    let (what, rating) = (rng.random_range(0..100), rng.random_range(1..=5));
    let reviews = &shop.reviews;
    if what < 25 {
        return reviews.create(product, content(rating), customer).await.map(drop);
    }
    let Some(Review { id, .. }) = reviews.own(product, customer).await? else { return Ok(()) };
    match what {
        25..35 => {
            let patch = ReviewPatch { rating: Some(rating), ..Default::default() };
            reviews.update(id, patch, customer).await.map(drop)
        }
        35..60 => reviews.approve(id, None, staff()).await.map(drop),
        60..68 => reviews.reject(id, "no".into(), None, staff()).await.map(drop),
        68..75 => reviews.delete(id, customer).await,
        75..95 => reviews.vote(id, voter).await.map(drop),
        _ => reviews.unvote(id, voter).await.map(drop),
    }
}

#[tokio::test]
async fn after_a_thousand_operations_at_once_everything_equals_a_recount() {
    let shop = Arc::new(shop().await);
    let products: Vec<ProductId> = (0..4).map(|_| shop.world.sells("Mug")).collect();
    let people: Vec<CustomerId> = (0..20).map(|_| shop.world.person("Ada")).collect();
    let operations = stream::iter(0..OPERATIONS).map(|seed| {
        let (shop, products, people) = (shop.clone(), products.clone(), people.clone());
        tokio::spawn(async move { operate(&shop, &products, &people, seed).await })
    });
    let outcomes: Vec<_> = operations.buffer_unordered(AT_ONCE).collect().await;
    let mut done = 0;
    for outcome in outcomes {
        match outcome.unwrap() {
            Ok(()) => done += 1,
            Err(error) => {
                let expected = [Kind::NotFound, Kind::Conflict, Kind::Forbidden];
                assert!(expected.contains(&error.kind), "{error:?}");
            }
        }
    }
    assert!(done > OPERATIONS / 2, "{done}");

    let mut public = 0;
    for product in &products {
        let all = shop.all(*product).await;
        let mut histogram = [0; 5];
        for review in all.iter().filter(|review| review.status == ReviewStatus::Approved) {
            histogram[usize::from(review.rating) - 1] += 1;
            public += 1;
        }
        let aggregate = shop.aggregate(*product).await;
        assert_eq!(aggregate, Aggregate::of(histogram));
        let last = shop.told::<AggregateChanged>().into_iter().filter(|(_, e)| e.product_id == *product);
        let (_, last) = last.max_by_key(|(sequence, _)| *sequence).unwrap();
        assert_eq!(
            (last.count, last.average, last.histogram),
            (aggregate.count, aggregate.average, histogram)
        );
        let mut votes = HashMap::new();
        for voter in &people {
            for review in shop.reviews.voted(*product, *voter).await.unwrap() {
                *votes.entry(review).or_insert(0) += 1;
            }
        }
        for review in &all {
            assert_eq!(review.helpful, votes.remove(&review.id).unwrap_or(0));
        }
        assert!(votes.is_empty(), "votes for reviews that are gone: {votes:?}");
    }
    assert!(public > 0);
    assert_eq!(shop.reviews.rebuild().await.unwrap().corrected, 0);
}

/// Puts wrong sums behind the module's back.
async fn lie(shop: &Shop, product: ProductId) {
    match &shop.db {
        Database::Sql(db) => {
            let id = product.uuid();
            db.transaction(async move |tx| {
                let lie = format!("update review_aggregates set one = 7, five = 0 where product_id = '{id}'");
                on!(tx, |c| diesel::sql_query(lie).execute(c).await)?;
                Ok(())
            })
            .await
            .unwrap();
        }
        Database::Mongo(db) => {
            let lie = doc! {"$set": {"one": 7_i64, "five": 0_i64}};
            db.collection("review_aggregates")
                .update_one(doc! {"_id": product.to_string()}, lie)
                .await
                .unwrap();
        }
    }
}

#[tokio::test]
async fn a_rebuild_corrects_what_is_wrong_and_tells_of_it() {
    let shop = shop().await;
    let (mug, pot) = (shop.world.sells("Mug"), shop.world.sells("Pot"));
    for (product, rating) in [(mug, 5), (mug, 5), (mug, 2), (pot, 3)] {
        shop.public(product, shop.world.person("Ada"), rating).await;
    }
    let right = shop.aggregate(mug).await;
    lie(&shop, mug).await;
    assert_ne!(shop.aggregate(mug).await, right);
    let rebuilt = shop.reviews.rebuild().await.unwrap();
    assert_eq!((rebuilt.products, rebuilt.corrected), (2, 1));
    assert_eq!(shop.aggregate(mug).await, right);
    let (sequence, last) = shop.told::<AggregateChanged>().into_iter().last().unwrap();
    assert_eq!((last.product_id, last.histogram), (mug, right.histogram));
    assert!(sequence > 3);
    assert_eq!(shop.reviews.rebuild().await.unwrap().corrected, 0);
}

//! What shoppers read, in which order.

use std::time::Duration;

use contracts::{
    customer::CustomerId,
    review::{ReviewFilter, ReviewId, ReviewSort, Reviews},
};
use shared::{Clock, PageRequest};

use crate::shop::{shop, staff};

#[tokio::test]
async fn reviews_are_sorted_filtered_and_read_page_by_page() {
    let shop = shop().await;
    let mug = shop.world.sells("Mug");
    // Stars and votes of seven reviews, oldest first.
    let made = [(5, 0), (3, 2), (1, 5), (5, 2), (4, 1), (1, 0), (3, 2)];
    let mut reviews = Vec::new();
    for (rating, votes) in made {
        shop.clock.advance(Duration::from_secs(60));
        let review = shop.public(mug, shop.world.person("Ada"), rating).await;
        for _ in 0..votes {
            shop.reviews.vote(review.id, CustomerId::new()).await.unwrap();
        }
        reviews.push((review.id, rating, votes, shop.clock.now()));
    }
    shop.written(mug, shop.world.person("Eve"), 1).await;
    let hidden = shop.public(mug, shop.world.person("Mallory"), 1).await;
    shop.reviews.reject(hidden.id, "no".into(), None, staff()).await.unwrap();
    shop.public(shop.world.sells("Pot"), shop.world.person("Ada"), 2).await;

    for sort in [ReviewSort::Newest, ReviewSort::Helpful, ReviewSort::Highest, ReviewSort::Lowest] {
        for rating in [None, Some(3), Some(2)] {
            let filter = ReviewFilter { sort, rating };
            let mut expected: Vec<_> = reviews.iter().filter(|r| rating.is_none_or(|n| n == r.1)).collect();
            expected.sort_by_key(|(_, rating, votes, at)| {
                let key = match sort {
                    ReviewSort::Newest => 0,
                    ReviewSort::Helpful => -i64::from(*votes),
                    ReviewSort::Highest => -i64::from(*rating),
                    ReviewSort::Lowest => i64::from(*rating),
                };
                (key, std::cmp::Reverse(*at))
            });
            let expected: Vec<ReviewId> = expected.into_iter().map(|review| review.0).collect();
            let (mut found, mut page) = (Vec::new(), PageRequest { limit: 2, cursor: None });
            loop {
                let part = shop.reviews.list(mug, filter, page.clone()).await.unwrap();
                assert_eq!(part.aggregate.histogram, [2, 0, 2, 1, 2]);
                assert_eq!((part.aggregate.count, part.aggregate.average), (7, 22.0 / 7.0));
                found.extend(part.data.into_iter().map(|review| review.id));
                match part.next_cursor {
                    Some(cursor) => page.cursor = Some(cursor),
                    None => break,
                }
            }
            assert_eq!(found, expected, "{filter:?}");
        }
    }
    let first = PageRequest { limit: 2, cursor: None };
    let cursor = shop.reviews.list(mug, ReviewFilter::default(), first).await.unwrap().next_cursor;
    let other = ReviewFilter { sort: ReviewSort::Helpful, rating: None };
    let foreign = shop.reviews.list(mug, other, PageRequest { limit: 2, cursor }).await.unwrap_err();
    assert_eq!(foreign.code, "invalid_cursor");
}

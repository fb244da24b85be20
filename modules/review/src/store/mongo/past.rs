//! Reviews of the past, for the demo shop.

use std::collections::BTreeMap;

use contracts::product::ProductId;
use shared::{Result, mongo::Tx};

use super::{aggregates, purchases, reviews, votes};
use crate::{model, store::PastReview};

/// Writes those that are not known yet; each product's sums move once.
pub async fn insert(tx: &mut Tx, past: &[PastReview]) -> Result<u32> {
    let (mut new, mut moves) = (0, BTreeMap::<ProductId, [i64; 5]>::new());
    for PastReview { review, voters } in past {
        let mut review = review.clone();
        if let Some(customer) = review.customer_id {
            review.verified = purchases::exist(tx, customer, review.product_id).await?;
        }
        review.helpful = i64::try_from(voters.len()).unwrap_or(i64::MAX);
        if !reviews::insert(tx, &review).await? {
            continue;
        }
        for voter in voters {
            votes::insert(tx, &review, *voter).await?;
        }
        let sums = moves.entry(review.product_id).or_default();
        for (sum, moved) in sums.iter_mut().zip(model::moved(None, Some(&review))) {
            *sum += moved;
        }
        new += 1;
    }
    for (product, stars) in moves {
        if stars != [0; 5] {
            aggregates::add(tx, product, stars).await?;
        }
    }
    Ok(new)
}

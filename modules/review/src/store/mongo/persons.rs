//! Forgetting somebody.

use contracts::customer::CustomerId;
use shared::{Error, Result, Time, mongo::Tx};

use super::{purchases, reviews, votes};
use crate::store::Saved;

/// How many reviews are read at a time.
const BATCH: i64 = 100;

/// What is public keeps its stars and nothing else; everything else of theirs goes.
pub async fn forget(tx: &mut Tx, customer: CustomerId, now: Time) -> Result<()> {
    votes::forget(tx, customer).await?;
    purchases::forget(tx, customer).await?;
    loop {
        let theirs = reviews::some_of(tx, customer, BATCH).await?;
        if theirs.is_empty() {
            return Ok(());
        }
        for before in theirs {
            if before.is_public() {
                let mut after = before.clone();
                after.anonymise(now);
                reviews::replace_or_roll_back(tx, &before, &after).await?;
            } else if reviews::delete(tx, &before).await? == Saved::Raced {
                return Err(Error::unavailable("the review is being changed by somebody else"));
            }
        }
    }
}

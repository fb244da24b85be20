//! Reviews and deliveries of the past, for the demo shop.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{
    Actor,
    product::ProductId,
    review::{ImportReview, ImportReviews, Purchase, Reply, ReviewId, ReviewStatus},
};
use futures::{StreamExt, TryStreamExt};
use shared::Result;

use super::Service;
use crate::{
    model::{self, AutoApprove, Settings, StoredReview},
    store::{Bought, PastReview},
};

/// How many purchases share a transaction: others write in between.
const PURCHASES: usize = 200;
/// How many products' reviews do.
const PRODUCTS: usize = 8;

impl Service {
    pub(super) async fn import_past(&self, past: ImportReviews) -> Result<u32> {
        let purchases: Vec<Bought> = past.purchases.into_iter().map(bought).collect();
        for batch in purchases.chunks(PURCHASES) {
            self.store.import_purchases(batch.to_vec()).await?;
        }
        let mut by_product = BTreeMap::<ProductId, Vec<PastReview>>::new();
        for review in past.reviews {
            by_product.entry(review.product_id).or_default().push(self.past(review)?);
        }
        let products: Vec<Vec<PastReview>> = by_product.into_values().collect();
        let batches: Vec<Vec<PastReview>> = products.chunks(PRODUCTS).map(<[_]>::concat).collect();
        // Several wait for the writer at a time, so that they share a commit.
        let writes = futures::stream::iter(batches).map(|batch| self.store.import(batch));
        let counts: Vec<u32> = writes.buffered(4).try_collect().await?;
        Ok(counts.into_iter().sum())
    }

    fn past(&self, past: ImportReview) -> Result<PastReview> {
        let at = past.created_at;
        let content = model::validated(past.review)?;
        let author = (past.customer_id, past.author);
        let mut review = StoredReview::new((past.product_id, past.product_title), author, content, at);
        review.id = ReviewId::derived(&past.seed);
        review.reply = past.reply.map(|text| Reply { text, at });
        match past.status {
            ReviewStatus::Approved => review.approve(Actor::System, at),
            _ => review.judge(&Settings { auto_approve: AutoApprove::Never, ..self.settings }, 0, at),
        }
        let voters: BTreeSet<_> =
            past.voters.into_iter().filter(|voter| *voter != past.customer_id).collect();
        Ok(PastReview { review, voters: voters.into_iter().collect() })
    }
}

fn bought(purchase: Purchase) -> Bought {
    Bought {
        order: purchase.order_id,
        product: purchase.product_id,
        customer: purchase.customer_id,
        buyer: model::buyer(&purchase.email),
    }
}

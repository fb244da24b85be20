//! What customers write.

use contracts::{
    customer::CustomerId,
    product::{ProductId, ProductStatus},
    review::{NewReview, Review, ReviewId, ReviewPatch},
};
use shared::{Error, Kind, Result};

use super::{ATTEMPTS, Service, busy, pause_after};
use crate::{
    model::{self, StoredReview},
    store::Saved,
};

impl Service {
    pub(super) async fn write(
        &self,
        product_id: ProductId,
        new: NewReview,
        customer_id: CustomerId,
    ) -> Result<Review> {
        let content = model::validated(new)?;
        let product = self.products.find(product_id).await?;
        if product.status != ProductStatus::Published {
            return Err(ProductId::not_found());
        }
        let customer = self.customers.find(customer_id).await?;
        self.are_there(&content.pictures, &[]).await?;
        let author = (customer_id, model::author(&customer.name));
        let review = StoredReview::new((product_id, product.title), author, content, self.clock.now());
        let buyer = customer.email_verified.then(|| model::buyer(&customer.email));
        Ok(self.store.insert(review, buyer, self.settings).await?.view())
    }

    pub(super) async fn revise(
        &self,
        id: ReviewId,
        patch: ReviewPatch,
        customer_id: CustomerId,
    ) -> Result<Review> {
        for attempt in 0..ATTEMPTS {
            let before = self.load(id).await?;
            before.open_to(customer_id)?;
            let content = model::validated(patched(&before.content, &patch))?;
            if content == before.content {
                return Ok(before.view());
            }
            self.are_there(&content.pictures, &before.content.pictures).await?;
            let now = self.clock.now();
            let today = self.store.written(customer_id, now.before(model::RATE_PERIOD), id).await?;
            let mut after = StoredReview { content, ..before.clone() };
            after.touch(now);
            after.judge(&self.settings, today, now);
            if self.store.save(before, after.clone()).await? == Saved::Yes {
                return Ok(after.view());
            }
            pause_after(attempt).await;
        }
        Err(busy())
    }

    pub(super) async fn take_back(&self, id: ReviewId, customer_id: CustomerId) -> Result<()> {
        for attempt in 0..ATTEMPTS {
            let review = self.load(id).await?;
            review.open_to(customer_id)?;
            if self.store.delete(review).await? == Saved::Yes {
                return Ok(());
            }
            pause_after(attempt).await;
        }
        Err(busy())
    }

    /// `Invalid/unknown_picture` for one that is neither `known` nor there.
    async fn are_there(&self, pictures: &[String], known: &[String]) -> Result<()> {
        for (i, file) in pictures.iter().enumerate().filter(|(_, file)| !known.contains(file)) {
            self.products.media(file.clone()).await.map_err(|error| match error.kind {
                Kind::NotFound => {
                    Error::invalid(format!("/pictures/{i}"), "unknown_picture", "there is no such picture")
                }
                _ => error,
            })?;
        }
        Ok(())
    }
}

fn patched(content: &NewReview, patch: &ReviewPatch) -> NewReview {
    let ReviewPatch { rating, title, body, pictures } = patch.clone();
    NewReview {
        rating: rating.unwrap_or(content.rating),
        title: title.unwrap_or_else(|| content.title.clone()),
        body: body.unwrap_or_else(|| content.body.clone()),
        pictures: pictures.unwrap_or_else(|| content.pictures.clone()),
    }
}

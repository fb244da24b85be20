//! Promotions and tax rates, and the copy of them in memory.

use std::sync::Arc;

use contracts::cart::{NewPromotion, NewTaxRate, Promotion, PromotionId, TaxRate};
use shared::Result;

use super::Service;
use crate::model::{Offers, validated_promotion, validated_tax_rate};

impl Service {
    /// The copy in memory.
    pub(super) fn offers(&self) -> Arc<Offers> {
        self.offers.read().expect("nobody panics while holding the offers").clone()
    }

    /// Reads promotions and tax rates anew.
    pub(crate) async fn refresh(&self) -> Result<()> {
        let _alone = self.refreshing.lock().await;
        let offers = Arc::new(self.store.offers().await?);
        *self.offers.write().expect("nobody panics while holding the offers") = offers;
        Ok(())
    }

    pub(super) async fn add_promotion(&self, new: NewPromotion) -> Result<Promotion> {
        let promotion = Promotion {
            id: PromotionId::new(),
            terms: validated_promotion(new)?,
            used: 0,
            created_at: self.clock.now(),
            version: 1,
        };
        self.store.insert_promotion(promotion.clone()).await?;
        self.refresh().await?;
        Ok(promotion)
    }

    pub(super) async fn replace_promotion(
        &self,
        id: PromotionId,
        new: NewPromotion,
        version: Option<i64>,
    ) -> Result<Promotion> {
        let promotion = self.store.update_promotion(id, validated_promotion(new)?, version).await?;
        self.refresh().await?;
        Ok(promotion)
    }

    pub(super) async fn write_tax_rate(&self, rate: NewTaxRate) -> Result<TaxRate> {
        let rate = self.store.put_tax_rate(validated_tax_rate(rate)?, self.clock.now()).await?;
        self.refresh().await?;
        Ok(rate)
    }
}

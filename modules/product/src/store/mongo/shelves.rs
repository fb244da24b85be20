//! What happens to stock.

use std::collections::HashMap;

use async_trait::async_trait;
use contracts::{
    Actor,
    order::OrderId,
    product::{
        ProductId, VariantId,
        stock::{Adjustment, Level, LevelFilter, Location, LocationId, Movement, MovementId},
    },
};
use shared::{Result, Time, mongo::{Spec, Tx}};

use super::MongoStore;
use crate::store::Shelves;

/// Writes the first stock of new variants, at the default location, with a movement each. Called by the catalogue's save
/// after the variants' documents are written with empty `levels`.
pub(super) async fn stock_new(tx: &mut Tx, stock: &[(VariantId, i64)], now: Time) -> Result<()> {
    unimplemented!()
}

pub(super) fn collections() -> Vec<Spec> {
    Vec::new()
}

#[async_trait]
impl Shelves for MongoStore {
    async fn available(&self, products: &[ProductId]) -> Result<HashMap<VariantId, i64>> {
        unimplemented!()
    }

    async fn levels(
        &self,
        filter: &LevelFilter,
        after: Option<(VariantId, LocationId)>,
        limit: u32,
    ) -> Result<Vec<Level>> {
        unimplemented!()
    }

    async fn movements(
        &self,
        variant: VariantId,
        after: Option<(Time, MovementId)>,
        limit: u32,
    ) -> Result<Vec<Movement>> {
        unimplemented!()
    }

    async fn adjust(&self, adjustment: Adjustment) -> Result<Level> {
        unimplemented!()
    }

    async fn reserve(&self, order: OrderId, lines: Vec<(VariantId, i64)>, expires_at: Time) -> Result<()> {
        unimplemented!()
    }

    async fn commit(&self, order: OrderId) -> Result<()> {
        unimplemented!()
    }

    async fn release(&self, order: OrderId) -> Result<()> {
        unimplemented!()
    }

    async fn expire(&self, order: OrderId) -> Result<()> {
        unimplemented!()
    }

    async fn expired(&self, limit: u32) -> Result<Vec<OrderId>> {
        unimplemented!()
    }

    async fn restock(
        &self,
        id: MovementId,
        order: OrderId,
        lines: Vec<(VariantId, i64)>,
        actor: Actor,
    ) -> Result<()> {
        unimplemented!()
    }

    async fn locations(&self) -> Result<Vec<Location>> {
        unimplemented!()
    }

    async fn create_location(&self, location: Location) -> Result<()> {
        unimplemented!()
    }
}

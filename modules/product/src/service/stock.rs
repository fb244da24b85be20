//! The port of the stock.

use async_trait::async_trait;
use contracts::{
    Actor,
    order::OrderId,
    product::{
        VariantId,
        stock::{
            Adjustment, Level, LevelFilter, Location, LocationId, Movement, MovementId, NewLocation, Stock,
            StockLine,
        },
    },
};
use shared::{Page, PageRequest, Result, Time};

use super::{Service, products::checked_limit};
use crate::model::{
    faults::Faults,
    shelf::{self, MAX_UNITS},
};

#[async_trait]
impl Stock for Service {
    async fn levels(&self, filter: LevelFilter, page: PageRequest) -> Result<Page<Level>> {
        let limit = checked_limit(&page, 100)?;
        let scope = format!("levels:{}", serde_json::to_string(&filter)?);
        let after = page.position::<(VariantId, LocationId)>(&scope)?;
        let q = filter.q.filter(|q| !q.trim().is_empty()).map(|q| q.trim().to_lowercase());
        let rows = self.shelves.levels(&LevelFilter { q, ..filter }, after, limit + 1).await?;
        Ok(Page::cut(rows, limit, &scope, |level| (level.variant_id, level.location_id)))
    }

    async fn movements(&self, variant_id: VariantId, page: PageRequest) -> Result<Page<Movement>> {
        let limit = checked_limit(&page, 100)?;
        let scope = format!("movements:{variant_id}");
        let after = page.position::<(Time, MovementId)>(&scope)?;
        let rows = self.shelves.movements(variant_id, after, limit + 1).await?;
        Ok(Page::cut(rows, limit, &scope, |movement| (movement.at, movement.id)))
    }

    async fn adjust(&self, adjustment: Adjustment) -> Result<Level> {
        let mut faults = Faults::default();
        let delta = adjustment.delta;
        let in_range = delta != 0 && (-MAX_UNITS..=MAX_UNITS).contains(&delta);
        faults.check(in_range, "/delta", "out_of_range", "must be -1,000,000 to 1,000,000 and not 0");
        let reason = faults.take(shelf::reason(&adjustment.reason));
        faults.done()?;
        self.shelves.adjust(Adjustment { reason, ..adjustment }).await
    }

    async fn reserve(&self, order_id: OrderId, lines: Vec<StockLine>, expires_at: Time) -> Result<()> {
        self.shelves.reserve(order_id, shelf::sum(&lines)?, expires_at).await
    }

    async fn commit(&self, order_id: OrderId) -> Result<()> {
        self.shelves.commit(order_id).await
    }

    async fn release(&self, order_id: OrderId) -> Result<()> {
        self.shelves.release(order_id).await
    }

    async fn restock(
        &self,
        id: MovementId,
        order_id: OrderId,
        lines: Vec<StockLine>,
        actor: Actor,
    ) -> Result<()> {
        self.shelves.restock(id, order_id, shelf::sum(&lines)?, actor).await
    }

    async fn locations(&self) -> Result<Vec<Location>> {
        self.shelves.locations().await
    }

    async fn create_location(&self, new: NewLocation) -> Result<Location> {
        let mut faults = Faults::default();
        let name = faults.text("/name", &new.name, 100);
        faults.done()?;
        let location = Location { id: LocationId::new(), name, priority: new.priority };
        self.shelves.create_location(location.clone()).await?;
        Ok(location)
    }
}

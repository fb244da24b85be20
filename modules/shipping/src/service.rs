//! The port.

mod parcels;
mod zones;

use std::sync::Arc;

use async_trait::async_trait;
use contracts::{
    Actor,
    order::OrderId,
    shipping::{
        NewShipment, NewZone, RateRequest, Shipment, ShipmentId, ShipmentUpdate, Shipping, ShippingOption,
        Zone, ZoneId,
    },
};
use serde::Deserialize;
use shared::{Clock, Result, db::Db, events::Consumer, jobs::Jobs};

use crate::{model, repo};

/// What the operator decides.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Working days between the order and the hand-over to the carrier; they come before the method's own days.
    pub handling_days: u32,
}

/// Zones, rates and shipments in the orders database.
pub struct Service {
    db: Db,
    clock: Arc<dyn Clock>,
    settings: Settings,
}

impl Service {
    /// Keeps its tables in `db`.
    pub fn new(db: Db, clock: Arc<dyn Clock>, settings: Settings) -> Arc<Self> {
        Arc::new(Self { db, clock, settings })
    }

    /// It hears nothing.
    pub fn consumers(self: &Arc<Self>) -> Vec<Arc<dyn Consumer>> {
        Vec::new()
    }

    /// It has no workers.
    pub fn start(self: &Arc<Self>, _jobs: &Jobs) {}
}

#[async_trait]
impl Shipping for Service {
    async fn options(&self, request: RateRequest) -> Result<Vec<ShippingOption>> {
        let mut conn = self.db.get().await?;
        let rows = repo::zones::methods_to(&mut conn, request.destination.country).await?;
        let methods = rows.into_iter().map(|row| row.into_method()).collect::<Result<Vec<_>>>()?;
        let today = self.clock.now().utc().date_naive();
        Ok(model::options(&methods, &request, today, i64::from(self.settings.handling_days)))
    }

    async fn zones(&self) -> Result<Vec<Zone>> {
        zones::list(&self.db).await
    }

    async fn create_zone(&self, new: NewZone) -> Result<Zone> {
        zones::create(&self.db, new).await
    }

    async fn update_zone(&self, id: ZoneId, new: NewZone) -> Result<Zone> {
        zones::update(&self.db, id, new).await
    }

    async fn delete_zone(&self, id: ZoneId) -> Result<()> {
        zones::delete(&self.db, id).await
    }

    async fn create_shipment(&self, new: NewShipment) -> Result<Shipment> {
        parcels::create(&self.db, new, self.clock.now()).await
    }

    async fn shipment(&self, id: ShipmentId) -> Result<Shipment> {
        let mut conn = self.db.get().await?;
        parcels::find(&mut conn, id).await
    }

    async fn shipments(&self, order_id: OrderId) -> Result<Vec<Shipment>> {
        let mut conn = self.db.get().await?;
        let rows = repo::shipments::of_order(&mut conn, order_id).await?;
        parcels::complete(&mut conn, rows).await
    }

    async fn update_shipment(
        &self,
        id: ShipmentId,
        update: ShipmentUpdate,
        actor: Actor,
    ) -> Result<Shipment> {
        parcels::update(&self.db, id, update, actor, self.clock.now()).await
    }
}

//! Zones, methods, rates, shipments and their tracking.

use serde::{Deserialize, Serialize};
use shared::{Id, Money, Time, events::Event, ids::Entity, port, values::Country};

use crate::{
    Actor,
    cart::{Destination, LineId},
    order::OrderId,
};

/// Names a shipping zone.
pub enum ZoneEntity {}
impl Entity for ZoneEntity {
    const PREFIX: &'static str = "zone";
    const NOUN: &'static str = "shipping zone";
}
/// A zone's id.
pub type ZoneId = Id<ZoneEntity>;

/// Names a shipping method of a zone; an option at checkout.
pub enum MethodEntity {}
impl Entity for MethodEntity {
    const PREFIX: &'static str = "sopt";
    const NOUN: &'static str = "shipping option";
}
/// A method's id.
pub type MethodId = Id<MethodEntity>;

/// Names a shipment.
pub enum ShipmentEntity {}
impl Entity for ShipmentEntity {
    const PREFIX: &'static str = "ship";
    const NOUN: &'static str = "shipment";
}
/// A shipment's id.
pub type ShipmentId = Id<ShipmentEntity>;

port! {
    /// How things get there.
    pub trait Shipping as "shipping" repeats [options, zones, create_shipment, shipment, shipments] {
        /// What is possible, cheapest first. Empty outside all zones.
        async fn options(&self, request: RateRequest) -> Vec<ShippingOption>;
        async fn zones(&self) -> Vec<Zone>;
        /// `Conflict/country_taken` when a country is in another zone already.
        async fn create_zone(&self, new: NewZone) -> Zone;
        /// Replaces it; methods with a known id keep it.
        async fn update_zone(&self, id: ZoneId, new: NewZone) -> Zone;
        async fn delete_zone(&self, id: ZoneId) -> ();

        /// Idempotent by id. The order has checked the quantities.
        async fn create_shipment(&self, new: NewShipment) -> Shipment;
        async fn shipment(&self, id: ShipmentId) -> Shipment;
        async fn shipments(&self, order_id: OrderId) -> Vec<Shipment>;
        /// `Conflict/illegal_transition` backwards. The same status again changes nothing.
        async fn update_shipment(&self, id: ShipmentId, update: ShipmentUpdate, actor: Actor) -> Shipment;
    }
}

/// What has to go where.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RateRequest {
    pub destination: Destination,
    /// After discounts: `free_above` looks at it. Its currency is the currency of the prices.
    pub subtotal: Money,
    pub weight_grams: i64,
    /// The shipping classes in the cart: a method must take all of them.
    pub classes: Vec<String>,
}

/// A way to send it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ShippingOption {
    pub id: MethodId,
    pub name: String,
    pub carrier: String,
    pub price: Money,
    pub delivery: DeliveryWindow,
}

/// When it arrives: two dates, `YYYY-MM-DD`, weekends left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeliveryWindow {
    pub from: String,
    pub to: String,
}

/// Countries with the same methods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Zone {
    pub id: ZoneId,
    pub name: String,
    pub countries: Vec<Country>,
    pub methods: Vec<Method>,
}

/// Wants to be a zone.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewZone {
    pub name: String,
    pub countries: Vec<Country>,
    #[serde(default)]
    pub methods: Vec<Method>,
}

/// A way to send things within a zone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Method {
    #[serde(default = "MethodId::new")]
    pub id: MethodId,
    pub name: String,
    #[serde(default)]
    pub carrier: String,
    /// `parcel`, `bulky`; empty: all.
    #[serde(default)]
    pub classes: Vec<String>,
    /// The first tier that fits weight and currency counts; none fits: the method is not offered.
    pub tiers: Vec<RateTier>,
    /// Costs nothing from these subtotals on, one per currency.
    #[serde(default)]
    pub free_above: Vec<Money>,
    /// Working days.
    pub min_days: i64,
    pub max_days: i64,
}

/// A price for a range of weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RateTier {
    /// Inclusive; absent: no limit.
    #[serde(default)]
    pub max_weight_grams: Option<i64>,
    /// Only for subtotals from here on (of the price's currency).
    #[serde(default)]
    pub min_subtotal: Option<i64>,
    pub price: Money,
}

/// How far a parcel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShipmentStatus {
    /// Packed, not handed over.
    Pending,
    Shipped,
    InTransit,
    Delivered,
}

/// A parcel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Shipment {
    pub id: ShipmentId,
    pub order_id: OrderId,
    pub status: ShipmentStatus,
    pub carrier: Option<String>,
    pub tracking_number: Option<String>,
    pub tracking_url: Option<String>,
    pub lines: Vec<ShipmentLine>,
    pub events: Vec<TrackingEvent>,
    pub created_at: Time,
}

/// What is in the parcel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShipmentLine {
    pub line_id: LineId,
    pub quantity: i64,
}

/// Where the parcel was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TrackingEvent {
    pub status: ShipmentStatus,
    pub description: Option<String>,
    pub actor: Actor,
    pub at: Time,
}

/// A parcel to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewShipment {
    pub id: ShipmentId,
    pub order_id: OrderId,
    pub lines: Vec<ShipmentLine>,
    pub carrier: Option<String>,
    pub tracking_number: Option<String>,
    pub actor: Actor,
}

/// News of a parcel.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShipmentUpdate {
    pub status: ShipmentStatus,
    #[serde(default)]
    pub carrier: Option<String>,
    #[serde(default)]
    pub tracking_number: Option<String>,
    #[serde(default)]
    pub description: Option<String>,
}

/// A parcel was made or has moved.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShipmentChanged {
    pub shipment: Shipment,
}
impl Event for ShipmentChanged {
    const TYPE: &'static str = "shipment.changed";
}

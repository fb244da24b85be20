//! Stock: levels per location, movements, reservations.
//!
//! `0 <= reserved <= on_hand` for every level; every change writes a movement; the sum of an item's movements is what is
//! on hand. Reserve, commit and release are idempotent by the order's id.

use serde::{Deserialize, Serialize};
use shared::{Id, Page, PageRequest, Time, events::Event, ids::Entity, port};

use super::{ProductId, VariantId};
use crate::{Actor, order::OrderId};

/// Names a place where stock lies.
pub enum LocationEntity {}
impl Entity for LocationEntity {
    const PREFIX: &'static str = "loc";
    const NOUN: &'static str = "location";
}
/// A location's id.
pub type LocationId = Id<LocationEntity>;

/// Names a stock movement.
pub enum MovementEntity {}
impl Entity for MovementEntity {
    const PREFIX: &'static str = "mov";
    const NOUN: &'static str = "stock movement";
}
/// A movement's id; an adjustment repeated with the same id happens once.
pub type MovementId = Id<MovementEntity>;

port! {
    /// What is there, and who has a claim on it.
    pub trait Stock as "product.stock" repeats [levels, movements, reserve, commit, release, restock, locations] {
        /// By variant id.
        async fn levels(&self, filter: LevelFilter, page: PageRequest) -> Page<Level>;
        /// Newest first.
        async fn movements(&self, variant_id: VariantId, page: PageRequest) -> Page<Movement>;
        /// `Conflict/insufficient_stock` when it would go below what is reserved.
        async fn adjust(&self, adjustment: Adjustment) -> Level;
        /// Takes all lines or none. `Conflict/out_of_stock` with `available: [{variant_id, requested, available}]`.
        /// Lines of the same variant are summed. Repeated with the same order id: the reservation that is there.
        async fn reserve(&self, order_id: OrderId, lines: Vec<StockLine>, expires_at: Time) -> ();
        /// The goods are sold: on hand and reserved go down. `Conflict/reservation_expired` when the sweeper was faster
        /// and the goods are gone (if they are still there, it takes them).
        async fn commit(&self, order_id: OrderId) -> ();
        /// Gives the claim back. Nothing to give back is success.
        async fn release(&self, order_id: OrderId) -> ();
        /// Goods come back, at most once per `id` (a refund's or a cancellation's).
        async fn restock(&self, id: MovementId, order_id: OrderId, lines: Vec<StockLine>, actor: Actor) -> ();
        async fn locations(&self) -> Vec<Location>;
        async fn create_location(&self, new: NewLocation) -> Location;
    }
}

/// A place where stock lies. Orders take from the lowest `priority` first.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Location {
    pub id: LocationId,
    pub name: String,
    pub priority: i32,
}

/// Wants a location.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLocation {
    pub name: String,
    #[serde(default)]
    pub priority: i32,
}

/// How much of a variant is at a location.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Level {
    pub variant_id: VariantId,
    pub product_id: ProductId,
    pub sku: String,
    pub title: String,
    pub location_id: LocationId,
    pub on_hand: i64,
    pub reserved: i64,
    /// `on_hand - reserved`.
    pub available: i64,
    pub updated_at: Time,
}

/// Which levels.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LevelFilter {
    pub variant_ids: Vec<VariantId>,
    pub location_id: Option<LocationId>,
    /// Only those with fewer available.
    pub below: Option<i64>,
    /// A part of SKU or title.
    pub q: Option<String>,
}

/// A quantity of a variant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StockLine {
    pub variant_id: VariantId,
    pub quantity: i64,
}

/// A change of what is on hand.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Adjustment {
    pub id: MovementId,
    pub variant_id: VariantId,
    /// The default location when absent.
    pub location_id: Option<LocationId>,
    /// Not 0; between -1,000,000 and 1,000,000.
    pub delta: i64,
    pub reason: String,
    pub actor: Actor,
}

/// One line of the stock ledger.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Movement {
    pub id: MovementId,
    pub variant_id: VariantId,
    pub location_id: LocationId,
    pub delta: i64,
    /// `initial`, `adjustment`, `sale`, `restock`.
    pub kind: String,
    pub reason: String,
    pub order_id: Option<OrderId>,
    pub actor: Actor,
    pub at: Time,
}

/// What can be sold has changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StockChanged {
    pub items: Vec<Availability>,
}
impl Event for StockChanged {
    const TYPE: &'static str = "stock.changed";
}

/// See [`StockChanged`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Availability {
    pub variant_id: VariantId,
    pub product_id: ProductId,
    pub available: i64,
    /// It has just come into stock or gone out of it: lists must show that.
    pub flipped: bool,
}

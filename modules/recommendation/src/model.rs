//! Settings, and what is said of an interaction.

use contracts::{
    customer::CustomerId,
    order::OrderId,
    recommendation::{Impression, Interaction, InteractionKind, Visitor, VisitorId},
};
use serde::{Deserialize, Serialize};
use shared::{Id, events::EventId, ids::Entity};

use crate::learn::Features;

/// See `config/default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// How often it is looked whether a training is due.
    pub train_seconds: u64,
    /// So many new interactions make one due.
    pub train_after: u64,
    /// Threads that train; 0: half of the cores.
    pub threads: usize,
    /// At most so many of the latest interactions are trained from.
    pub max_interactions: u32,
    /// Interactions and impressions are kept so long.
    pub keep_days: u64,
    /// Models that are kept, the current one included.
    pub keep_models: u32,
    /// At most so many products of one category are in a list.
    pub per_category: usize,
    /// Products are bought together if so many orders hold both,
    pub min_support: u32,
    /// at least this share of the orders with the one hold the other too,
    pub min_confidence: f32,
    /// and so many times as many as by chance.
    pub min_lift: f32,
    /// Whether other processes may serve this module too, so that what somebody did may be known there only. Not a setting:
    /// whoever starts the process knows.
    #[serde(skip)]
    pub several: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            train_seconds: 300,
            train_after: 500,
            threads: 0,
            max_interactions: 2_000_000,
            keep_days: 400,
            keep_models: 3,
            per_category: 4,
            min_support: 3,
            min_confidence: 0.02,
            min_lift: 1.2,
            several: false,
        }
    }
}

/// Names what somebody did.
pub enum InteractionEntity {}
impl Entity for InteractionEntity {
    const PREFIX: &'static str = "act";
    const NOUN: &'static str = "interaction";
}
/// The id under which an interaction is kept: the same thing done by the same visitor at the same time has the same.
pub type InteractionId = Id<InteractionEntity>;

/// The id of an interaction.
pub fn interaction_id(interaction: &Interaction) -> InteractionId {
    let Interaction { visitor, product_id, kind, at } = interaction;
    InteractionId::derived(&format!("{visitor:?}:{product_id}:{kind:?}:{at}"))
}

/// Stands in the inbox for an order whose purchases were kept, or need not be any more: a purchase that is heard of after
/// its cancellation (a dead letter that is delivered again) is none.
pub fn order_mark(order: OrderId) -> EventId {
    EventId::derived(&format!("recommendation:{order}"))
}

/// Somebody whose doings are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Who {
    Customer(CustomerId),
    Anonymous(VisitorId),
}

impl Who {
    /// The customer if it is one; `None` for somebody who does not want to be remembered.
    pub fn of(visitor: Visitor) -> Option<Self> {
        visitor.customer_id.map(Self::Customer).or(visitor.visitor_id.map(Self::Anonymous))
    }
}

/// How much more it says to put something into the cart, or to buy it, than to look at it.
pub fn weight(kind: InteractionKind) -> f32 {
    match kind {
        InteractionKind::View => 1.0,
        InteractionKind::CartAdd => 3.0,
        InteractionKind::Purchase => 5.0,
    }
}

/// A list that was shown, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Shown {
    pub impression: Impression,
    /// What was known of each product then.
    pub features: Vec<Features>,
}

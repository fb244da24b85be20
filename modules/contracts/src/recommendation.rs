//! What visitors do, and what they may also want.
//!
//! A visitor who has not agreed to be remembered is `Visitor::default()`: what they do counts for what is popular, and
//! nothing is kept of who did it.

use serde::{Deserialize, Serialize};
use shared::{Id, Time, ids::Entity, port};

use crate::{
    customer::CustomerId,
    product::{CategoryId, ProductId},
};

/// Names somebody who has not said who they are.
pub enum VisitorEntity {}
impl Entity for VisitorEntity {
    const PREFIX: &'static str = "vis";
    const NOUN: &'static str = "visitor";
}
/// An anonymous visitor's id: random, kept by their browser.
pub type VisitorId = Id<VisitorEntity>;

/// Names a list that was on a screen.
pub enum ImpressionEntity {}
impl Entity for ImpressionEntity {
    const PREFIX: &'static str = "imp";
    const NOUN: &'static str = "impression";
}
/// An impression's id; whoever shows the list makes it.
pub type ImpressionId = Id<ImpressionEntity>;

/// Names a trained model.
pub enum ModelEntity {}
impl Entity for ModelEntity {
    const PREFIX: &'static str = "model";
    const NOUN: &'static str = "model";
}
/// A model's id.
pub type ModelId = Id<ModelEntity>;

port! {
    /// Recommendations. Answers come from memory and never name what `context` excludes, what is not published or what
    /// is out of stock. Best first; fewer than asked for, or none, where there is nothing to say.
    pub trait Recommendations as "recommendation" repeats [record, shown, clicked, related, bought_together, personal, trending, recently_viewed, forget, models, status] {
        /// Somebody did something with a product: the very next answer reflects it.
        async fn record(&self, interaction: Interaction) -> ();
        /// A list came into sight. Idempotent by its id.
        async fn shown(&self, impression: Impression) -> ();
        /// Somebody followed a product of a list; unknown ones change nothing.
        async fn clicked(&self, impression_id: ImpressionId, product_id: ProductId) -> ();

        /// For those who look at the product: others like it. Best sellers of its category while nothing is known of it.
        async fn related(&self, product_id: ProductId, context: Context) -> Vec<Recommended>;
        /// What is bought with these products by rule (support, confidence, lift); often few, never filled up.
        async fn bought_together(&self, product_ids: Vec<ProductId>, context: Context) -> Vec<Recommended>;
        /// From all that is known of the visitor, what they did last above all; best sellers for a stranger.
        async fn personal(&self, visitor: Visitor, context: Context) -> Vec<Recommended>;
        /// What is wanted more than usual these days.
        async fn trending(&self, context: Context) -> Vec<Recommended>;
        /// What the visitor looked at, last first.
        async fn recently_viewed(&self, visitor: Visitor, context: Context) -> Vec<Recommended>;

        /// Erases all that is kept of the visitor. Idempotent. Models forget at the next training.
        async fn forget(&self, visitor: Visitor) -> ();

        /// Trains from all interactions, now, and answers from the new model. `Conflict/training` while another runs.
        async fn train(&self) -> ModelInfo;
        /// Those that are kept, newest first.
        async fn models(&self) -> Vec<ModelInfo>;
        /// How it is doing.
        async fn status(&self) -> RecommendationStatus;
        /// Demo data: what was done in the past. Known ones (by visitor, product, kind and time) are left alone; answers
        /// how many are new and trains in the background if there are any.
        async fn import(&self, interactions: Vec<Interaction>) -> u32;
    }
}

/// Somebody, as far as is known. With both ids, what the anonymous visitor did is the customer's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Visitor {
    #[serde(default)]
    pub customer_id: Option<CustomerId>,
    #[serde(default)]
    pub visitor_id: Option<VisitorId>,
}

/// Somebody did something with a product.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interaction {
    pub visitor: Visitor,
    pub product_id: ProductId,
    pub kind: InteractionKind,
    pub at: Time,
}

/// What can be done with a product. Purchases are heard of from orders; nobody needs to record them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InteractionKind {
    View,
    CartAdd,
    Purchase,
}

/// Where a list is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Surface {
    Related,
    BoughtTogether,
    Personal,
    Trending,
    RecentlyViewed,
}

/// A list that came into sight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Impression {
    pub id: ImpressionId,
    pub visitor: Visitor,
    pub surface: Surface,
    /// The product it was shown beside.
    pub product_id: Option<ProductId>,
    /// What was in it, in its order; at most 50.
    pub shown: Vec<ProductId>,
    pub at: Time,
}

/// What an answer must respect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Context {
    /// Never to be named: what is in the cart.
    #[serde(default)]
    pub exclude: Vec<ProductId>,
    /// 1..=50.
    pub limit: u32,
}

impl Default for Context {
    fn default() -> Self {
        Self { exclude: Vec::new(), limit: 8 }
    }
}

/// A product that somebody may want.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recommended {
    pub product_id: ProductId,
    /// Higher is better; comparable within one answer only.
    pub score: f32,
    pub reason: Reason,
}

/// Why a product is recommended, for those who show it to say in their own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reason {
    /// Who liked that product liked this one.
    Related { product_id: ProductId },
    /// Is bought with that product.
    BoughtTogether { product_id: ProductId },
    /// You looked at that product.
    Viewed { product_id: ProductId },
    /// You put that product into your cart.
    CartAdded { product_id: ProductId },
    /// You bought that product.
    Bought { product_id: ProductId },
    /// Is much like that product; nobody has bought it yet.
    Similar { product_id: ProductId },
    /// Sells best, in that category or in all of the shop.
    BestSeller { category_id: Option<CategoryId> },
    /// Is wanted more than usual these days.
    Trending,
    /// You looked at this very product.
    RecentlyViewed,
}

impl Reason {
    /// The product that speaks for the recommended one.
    pub fn product_id(&self) -> Option<ProductId> {
        match self {
            Self::Related { product_id }
            | Self::BoughtTogether { product_id }
            | Self::Viewed { product_id }
            | Self::CartAdded { product_id }
            | Self::Bought { product_id }
            | Self::Similar { product_id } => Some(*product_id),
            Self::BestSeller { .. } | Self::Trending | Self::RecentlyViewed => None,
        }
    }
}

/// A trained model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ModelInfo {
    pub id: ModelId,
    pub trained_at: Time,
    /// How long the training took.
    pub milliseconds: u64,
    /// What it was trained from.
    pub interactions: u64,
    pub visitors: u64,
    pub products: u64,
    /// Rules for what is bought together.
    pub rules: u64,
    /// Shown products that the ranking was learned from.
    pub impressions: u64,
    /// Its size in the database.
    pub bytes: u64,
    /// Answers come from this one.
    pub current: bool,
}

/// How the module is doing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RecommendationStatus {
    /// Absent before the first training: answers are best sellers then.
    pub model: Option<ModelInfo>,
    pub training: bool,
    /// Interactions that are kept.
    pub interactions: u64,
    /// Since the current model was trained.
    pub new_interactions: u64,
    /// Products that can be recommended now.
    pub products: u64,
}

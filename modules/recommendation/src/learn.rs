//! Estimators on linfa's traits for sparse implicit feedback, which linfa has none for, and linfa's own where it has.

mod attributes;
mod blend;
mod factors;
mod interactions;
mod item_item;
mod ranking;
mod rules;

pub use attributes::{Attributes, Likenesses};
pub use blend::{Blend, Popularity};
pub use factors::{Als, Factors, dot};
pub use interactions::Interactions;
pub use item_item::{ItemItem, Neighbours, Weighting, best};
pub use ranking::{FEATURES, Features, Ranker, Ranking};
pub use rules::{BoughtTogether, Rule, Rules};

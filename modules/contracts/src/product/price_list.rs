//! Price lists: other prices for some customers and quantities.

use serde::{Deserialize, Serialize};
use shared::{Currency, Time};

use super::{PriceListId, VariantId};

/// Prices for a group of customers or for quantities. The price of a variant is, of all that apply to currency, group,
/// quantity and date, the one of a list with a group before one without, then the lowest; else the variant's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PriceList {
    pub id: PriceListId,
    pub name: String,
    pub currency: Currency,
    /// Only for customers of this group.
    pub group: Option<String>,
    pub starts_at: Option<Time>,
    pub ends_at: Option<Time>,
    pub prices: Vec<ListPrice>,
}

/// Wants a price list.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPriceList {
    pub name: String,
    pub currency: Currency,
    pub group: Option<String>,
    pub starts_at: Option<Time>,
    pub ends_at: Option<Time>,
    pub prices: Vec<ListPrice>,
}

/// A unit price in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListPrice {
    pub variant_id: VariantId,
    /// From this quantity on.
    #[serde(default = "one")]
    pub min_quantity: i64,
    /// Minor units of the list's currency.
    pub amount: i64,
}

fn one() -> i64 {
    1
}

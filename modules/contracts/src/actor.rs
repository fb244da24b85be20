//! Who did it.

use serde::{Deserialize, Serialize};

use crate::customer::CustomerId;

/// Who did something: each timeline row and stock movement names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Actor {
    /// Somebody with an account.
    Customer(CustomerId),
    /// Somebody without one.
    Guest,
    /// Somebody who works here.
    Staff(CustomerId),
    /// The payment provider or a carrier, by a signed message.
    Provider,
    /// A worker of ours.
    System,
}

impl Actor {
    /// For a database column: `staff:cus_…`, `system`.
    pub fn to_column(self) -> String {
        match self {
            Self::Customer(id) => format!("customer:{id}"),
            Self::Staff(id) => format!("staff:{id}"),
            Self::Guest => "guest".into(),
            Self::Provider => "provider".into(),
            Self::System => "system".into(),
        }
    }

    /// The reverse of [`Actor::to_column`]; anything else is `System`.
    pub fn from_column(text: &str) -> Self {
        match text.split_once(':') {
            Some(("customer", id)) => id.parse().map_or(Self::System, Self::Customer),
            Some(("staff", id)) => id.parse().map_or(Self::System, Self::Staff),
            _ if text == "guest" => Self::Guest,
            _ if text == "provider" => Self::Provider,
            _ => Self::System,
        }
    }
}

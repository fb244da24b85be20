//! Where things go.

use serde::{Deserialize, Serialize};
use shared::{
    Result,
    values::{self, Country},
};

/// A postal address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// The person.
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// Street and house number.
    pub line1: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line2: Option<String>,
    pub city: String,
    /// State, province or county.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    pub postal_code: String,
    /// ISO 3166-1 alpha-2.
    pub country: Country,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

impl Address {
    /// Trims every line and checks its length. Pointers in errors are relative to the address (`/city`).
    pub fn validated(self) -> Result<Self> {
        let optional = |pointer: &str, value: Option<String>, max| {
            value.filter(|v| !v.trim().is_empty()).map(|v| values::text(pointer, &v, max)).transpose()
        };
        Ok(Self {
            name: values::text("/name", &self.name, 200)?,
            company: optional("/company", self.company, 200)?,
            line1: values::text("/line1", &self.line1, 200)?,
            line2: optional("/line2", self.line2, 200)?,
            city: values::text("/city", &self.city, 100)?,
            region: optional("/region", self.region, 100)?,
            postal_code: values::text("/postal_code", &self.postal_code, 20)?,
            country: self.country,
            phone: optional("/phone", self.phone, 40)?,
        })
    }
}

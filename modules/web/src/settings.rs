//! What the operator may set.

use std::net::IpAddr;

use serde::Deserialize;
use shared::{Currency, values::Country};

/// The `[web]` section.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// IANA name: whose days the pages show.
    pub time_zone: chrono_tz::Tz,
    /// Set by the wiring from `[shop]`: the shop's name, its currencies (the first is the default) and country.
    #[serde(skip)]
    pub shop: Shop,
    /// Set by the wiring from `[gateway]`.
    #[serde(skip)]
    pub trusted_proxies: Vec<IpAddr>,
    /// Set by the wiring: true shows the test provider's cards and page.
    #[serde(skip)]
    pub development: bool,
    /// Set by the wiring: where the shop is reached, for canonical addresses.
    #[serde(skip)]
    pub public_url: String,
}

/// What the pages say of the shop.
#[derive(Clone, Debug)]
pub struct Shop {
    pub name: String,
    pub currencies: Vec<Currency>,
    pub default_country: Country,
}

impl Default for Shop {
    fn default() -> Self {
        let default_country = "DE".parse().expect("DE is a country");
        Self { name: "Bodega".into(), currencies: vec![Currency::EUR], default_country }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            time_zone: chrono_tz::Tz::Europe__Berlin,
            shop: Shop::default(),
            trusted_proxies: Vec::new(),
            development: false,
            public_url: "http://127.0.0.1:8080".into(),
        }
    }
}

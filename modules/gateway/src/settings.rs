//! What the operator may set.

use std::net::IpAddr;

use serde::Deserialize;
use shared::{Currency, limits::Quotas};

/// The `[gateway]` section.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Prices are in the first one unless a request asks for another of these.
    pub currencies: Vec<Currency>,
    /// Requests at work at once; one more is told to come back (503).
    pub max_in_flight: usize,
    /// A request that takes longer is given up (503).
    pub request_timeout_seconds: u64,
    /// The same for one that only reads.
    pub read_timeout_seconds: u64,
    /// Bytes of ready answers kept in memory.
    pub cache_bytes: u64,
    /// No answer is served from memory for longer, even if nothing said that it changed.
    pub cache_seconds: u64,
    /// Proxies whose `X-Forwarded-For` names the client.
    pub trusted_proxies: Vec<IpAddr>,
    /// Shows `/dev/mail` and the test payment page, and `/metrics` without a token.
    pub development: bool,
    /// Opens `/metrics` outside development: `Authorization: Bearer <token>`.
    pub metrics_token: Option<String>,
    /// Requests per minute.
    pub limits: Quotas,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            currencies: vec![Currency::EUR],
            max_in_flight: 1024,
            request_timeout_seconds: 30,
            read_timeout_seconds: 10,
            cache_bytes: 64 << 20,
            cache_seconds: 60,
            trusted_proxies: Vec::new(),
            development: false,
            metrics_token: None,
            limits: Quotas::default(),
        }
    }
}

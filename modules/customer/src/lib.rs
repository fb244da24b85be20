#![doc = include_str!("../README.md")]

mod model;

mod service;
mod workers;

mod keys;
mod passwords;

mod repo;
mod schema;

use serde::Deserialize;
use shared::db::{Migration, Migrations};

pub use service::Service;

/// The tables of this module.
pub const MIGRATIONS: Migrations = Migrations {
    module: "customer",
    list: &[
        Migration {
            version: "2026-11-23_start",
            up: include_str!("../../../migrations/customer/2026-11-23_start/up.sql"),
            down: include_str!("../../../migrations/customer/2026-11-23_start/down.sql"),
        },
        Migration {
            version: "2026-11-26_browser",
            up: include_str!("../../../migrations/customer/2026-11-26_browser/up.sql"),
            down: include_str!("../../../migrations/customer/2026-11-26_browser/down.sql"),
        },
        Migration {
            version: "2026-11-27_indexes",
            up: include_str!("../../../migrations/customer/2026-11-27_indexes/up.sql"),
            down: include_str!("../../../migrations/customer/2026-11-27_indexes/down.sql"),
        },
    ],
};

/// How long things last, and how much work passwords may make.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// An access token's life; more than 600 is cut to 600.
    pub access_token_seconds: u64,
    /// A shopper's session ends after this, however often it is used.
    pub session_seconds: u64,
    /// The same for staff.
    pub staff_session_seconds: u64,
    /// A staff session in a browser ends when it is not used for so long.
    pub staff_idle_seconds: u64,
    /// A session that is not used for this long ends.
    pub session_idle_seconds: u64,
    /// How long a link that confirms an address works.
    pub verification_seconds: u64,
    /// How long a link that sets a password works.
    pub password_reset_seconds: u64,
    /// Passwords hashed at the same time; each takes 19 MiB and one core.
    pub password_workers: usize,
    /// Who may wait for that. Others are told to come back.
    pub password_queue: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            access_token_seconds: 600,
            session_seconds: 30 * 24 * 3600,
            staff_session_seconds: 12 * 3600,
            staff_idle_seconds: 30 * 60,
            session_idle_seconds: 14 * 24 * 3600,
            verification_seconds: 24 * 3600,
            password_reset_seconds: 30 * 60,
            password_workers: 2,
            password_queue: 32,
        }
    }
}

#![doc = include_str!("../README.md")]

mod model;

mod service;
mod store;

mod events;

mod schema;

use shared::db::{Migration, Migrations};

pub use events::HEARS;
pub use model::{AutoApprove, Settings};
pub use service::Service;
pub use store::{KINDS, SCHEMA};

/// The tables of this module.
pub const MIGRATIONS: Migrations = Migrations {
    module: "review",
    list: &[Migration {
        version: "2026-11-26_start",
        up: include_str!("../../../migrations/review/2026-11-26_start/up.sql"),
        down: include_str!("../../../migrations/review/2026-11-26_start/down.sql"),
    }],
};

#![doc = include_str!("../README.md")]

mod model;

mod service;
mod store;

mod schema;

use shared::db::{Migration, Migrations};

pub use model::settings::Settings;
pub use service::Service;
pub use store::{KINDS, SCHEMA};

/// The tables of this module.
pub const MIGRATIONS: Migrations = Migrations {
    module: "metadata",
    list: &[Migration {
        version: "2026-11-26_start",
        up: include_str!("../../../migrations/metadata/2026-11-26_start/up.sql"),
        down: include_str!("../../../migrations/metadata/2026-11-26_start/down.sql"),
    }],
};

#![doc = include_str!("../README.md")]

pub mod learn;

pub mod evaluate;

mod model;

mod activity;
mod catalogue;
mod demand;
mod trained;

mod answers;
mod service;
mod store;

mod events;
mod workers;

mod schema;

use shared::db::{Migration, Migrations};

pub use events::HEARS;
pub use linfa;
pub use model::Settings;
pub use service::Service;
pub use store::{KINDS, SCHEMA};

/// The tables of this module.
pub const MIGRATIONS: Migrations = Migrations {
    module: "recommendation",
    list: &[Migration {
        version: "2026-11-26_start",
        up: include_str!("../../../migrations/recommendation/2026-11-26_start/up.sql"),
        down: include_str!("../../../migrations/recommendation/2026-11-26_start/down.sql"),
    }],
};

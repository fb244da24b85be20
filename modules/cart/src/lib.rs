#![doc = include_str!("../README.md")]

mod events;
mod model;
pub mod pricing;
mod schema;
mod service;
mod store;

use shared::db::{Migration, Migrations};

pub use events::HEARS;
pub use service::{Service, Settings};
pub use store::{KINDS, SCHEMA};

/// The tables of this module.
pub const MIGRATIONS: Migrations = Migrations {
    module: "cart",
    list: &[Migration {
        version: "2026-11-23_start",
        up: include_str!("../../../migrations/cart/2026-11-23_start/up.sql"),
        down: include_str!("../../../migrations/cart/2026-11-23_start/down.sql"),
    }],
};

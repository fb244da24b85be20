#![doc = include_str!("../README.md")]

pub mod model;
mod repo;
mod schema;
mod service;

use shared::db::{Migration, Migrations};

pub use service::{Service, Settings};

/// The tables of this module.
pub const MIGRATIONS: Migrations = Migrations {
    module: "shipping",
    list: &[Migration {
        version: "2026-11-23_start",
        up: include_str!("../../../migrations/shipping/2026-11-23_start/up.sql"),
        down: include_str!("../../../migrations/shipping/2026-11-23_start/down.sql"),
    }],
};

#![doc = include_str!("../README.md")]

pub mod model;
pub mod provider;
mod repo;
mod schema;
pub mod service;
mod workers;

pub use service::{Service, Settings};

/// The tables of payments and those of the `test` provider.
pub const MIGRATIONS: shared::db::Migrations = shared::db::Migrations {
    module: "payment",
    list: &[
        shared::db::Migration {
            version: "2026-11-23_start",
            up: include_str!("../../../migrations/payment/2026-11-23_start/up.sql"),
            down: include_str!("../../../migrations/payment/2026-11-23_start/down.sql"),
        },
        shared::db::Migration {
            version: "2026-11-27_indexes",
            up: include_str!("../../../migrations/payment/2026-11-27_indexes/up.sql"),
            down: include_str!("../../../migrations/payment/2026-11-27_indexes/down.sql"),
        },
    ],
};

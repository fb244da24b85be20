#![doc = include_str!("../README.md")]

mod model;
mod rows;
mod saga;
mod schema;
mod settings;

mod repo;
mod service;

mod events;
mod workers;

use shared::db::{Migration, Migrations};

pub use events::HEARS;
pub use service::Service;
pub use settings::{Capture, Settings};

/// The tables of this module.
pub const MIGRATIONS: Migrations = Migrations {
    module: "order",
    list: &[
        Migration {
            version: "2026-11-23_start",
            up: include_str!("../../../migrations/order/2026-11-23_start/up.sql"),
            down: include_str!("../../../migrations/order/2026-11-23_start/down.sql"),
        },
        Migration {
            version: "2026-11-29_claims",
            up: include_str!("../../../migrations/order/2026-11-29_claims/up.sql"),
            down: include_str!("../../../migrations/order/2026-11-29_claims/down.sql"),
        },
    ],
};

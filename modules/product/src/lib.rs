#![doc = include_str!("../README.md")]

mod model;
mod schema;
mod search;
mod store;

mod events;
mod indexer;
mod pictures;
mod service;
mod workers;

use std::path::PathBuf;

use serde::Deserialize;
use shared::{
    Currency,
    db::{Migration, Migrations},
};

pub use events::HEARS;
pub use service::Service;
pub use store::{KINDS, SCHEMA};

/// The tables of this module.
pub const MIGRATIONS: Migrations = Migrations {
    module: "product",
    list: &[
        Migration {
            version: "2026-11-23_start",
            up: include_str!("../../../migrations/product/2026-11-23_start/up.sql"),
            down: include_str!("../../../migrations/product/2026-11-23_start/down.sql"),
        },
        Migration {
            version: "2026-11-26_pictures",
            up: include_str!("../../../migrations/product/2026-11-26_pictures/up.sql"),
            down: include_str!("../../../migrations/product/2026-11-26_pictures/down.sql"),
        },
        Migration {
            version: "2026-11-26_fields",
            up: include_str!("../../../migrations/product/2026-11-26_fields/up.sql"),
            down: include_str!("../../../migrations/product/2026-11-26_fields/down.sql"),
        },
        Migration {
            version: "2026-11-26_rating",
            up: include_str!("../../../migrations/product/2026-11-26_rating/up.sql"),
            down: include_str!("../../../migrations/product/2026-11-26_rating/down.sql"),
        },
        Migration {
            version: "2026-11-27_indexes",
            up: include_str!("../../../migrations/product/2026-11-27_indexes/up.sql"),
            down: include_str!("../../../migrations/product/2026-11-27_indexes/down.sql"),
        },
        Migration {
            version: "2026-11-28_category_redirects",
            up: include_str!("../../../migrations/product/2026-11-28_category_redirects/up.sql"),
            down: include_str!("../../../migrations/product/2026-11-28_category_redirects/down.sql"),
        },
    ],
};

/// How the module behaves.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Where pictures are.
    pub media_dir: PathBuf,
    /// Whether this process makes the smaller forms of pictures; of several, one is enough.
    pub picture_forms: bool,
    /// Whether the smaller forms of pictures are made as AVIF too: a quarter less to load, many times the work.
    pub avif: bool,
    /// Where the search index is; absent: in memory, built at each start.
    pub search_dir: Option<PathBuf>,
    /// What can be searched and filtered by price.
    pub currencies: Vec<Currency>,
    /// How often expired reservations are released and price lists that begin or end are noticed.
    pub sweep_seconds: u64,
    /// How often the search index and the category tree look for what other processes have changed.
    pub refresh_seconds: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            media_dir: "data/media".into(),
            picture_forms: true,
            avif: false,
            search_dir: Some("data/search".into()),
            currencies: vec![Currency::EUR],
            sweep_seconds: 10,
            refresh_seconds: 5,
        }
    }
}

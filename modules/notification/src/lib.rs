#![doc = include_str!("../README.md")]

mod content;
mod mail;

mod service;
mod store;

mod events;
mod workers;

mod schema;
mod transport;

use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;
use shared::db::{Migration, Migrations};

pub use events::HEARS;
pub use service::Service;
pub use store::{KINDS, SCHEMA};

/// The tables of this module.
pub const MIGRATIONS: Migrations = Migrations {
    module: "notification",
    list: &[Migration {
        version: "2026-11-23_start",
        up: include_str!("../../../migrations/notification/2026-11-23_start/up.sql"),
        down: include_str!("../../../migrations/notification/2026-11-23_start/down.sql"),
    }],
};

/// How mails leave, and what they say about the shop.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// How mails leave.
    pub transport: TransportKind,
    /// Where the `file` transport writes `<id>.eml`.
    pub folder: PathBuf,
    /// `smtp://user:password@host:587?tls=required` or `smtps://…`. Needed by the `smtp` transport.
    pub smtp_url: Option<SecretString>,
    /// The sender: `Bodega <shop@example.com>`.
    pub from: String,
    /// What the shop is called in mails.
    pub shop_name: String,
    /// Where links lead, without a path.
    pub public_url: String,
    /// Mails are forgotten after this.
    pub keep_seconds: u64,
}

/// How mails leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransportKind {
    /// Files in a folder, for development.
    File,
    /// A mail server.
    Smtp,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            transport: TransportKind::File,
            folder: "./data/mail".into(),
            smtp_url: None,
            from: "Bodega <shop@example.com>".into(),
            shop_name: "Bodega".into(),
            public_url: "http://127.0.0.1:8080".into(),
            keep_seconds: 30 * 24 * 3600,
        }
    }
}

#![doc = include_str!("../README.md")]

pub mod app;
pub mod settings;

mod auth;
mod body;
mod cached;
mod gate;
mod health;
mod idempotency;
mod limits;
mod mail_catcher;
mod media;
mod middleware;
mod openapi;
mod problem;
mod query;
mod router;
mod routes;

pub use app::{Gateway, Parts};
pub use openapi::document;
pub use settings::Settings;

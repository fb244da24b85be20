#![doc = include_str!("../README.md")]

pub mod error;
pub mod ids;
pub mod money;
pub mod page;
pub mod signer;
pub mod time;
pub mod values;

pub mod database;
pub mod db;
pub mod events;
pub mod jobs;
pub mod mongo;
pub mod queries;
pub mod rpc;

#[cfg(feature = "distributed")]
pub mod amqp;
pub mod cache;
pub mod crash;
pub mod limits;
pub mod redis;
pub mod telemetry;
pub mod testing;
pub mod transfer;

pub use database::Database;
pub use error::{Error, Kind, Result};
pub use ids::Id;
pub use money::{Currency, Money};
pub use page::{Page, PageRequest};
pub use time::{Clock, Time};

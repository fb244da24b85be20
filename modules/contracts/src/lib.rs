#![doc = include_str!("../README.md")]

pub mod actor;
pub mod address;

pub mod cart;
pub mod customer;
pub mod idempotency;
pub mod metadata;
pub mod notification;
pub mod order;
pub mod payment;
pub mod product;
pub mod recommendation;
pub mod review;
pub mod shipping;

pub mod export;
pub mod ports;
pub mod system;

pub use actor::Actor;
pub use address::Address;
pub use ports::Ports;

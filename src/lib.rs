//! Bodega, wired: settings in, a running shop out. The only code that knows every module.

#[cfg(feature = "distributed")]
mod consul;
#[cfg(not(feature = "distributed"))]
#[path = "alone.rs"]
mod fleet;
#[cfg(feature = "distributed")]
mod fleet;
#[cfg(feature = "distributed")]
mod registry;

mod app;
pub mod cli;
pub mod copy;
pub mod databases;
pub mod demo;
pub mod export;
pub mod import;
pub mod queries;
pub mod seed;
pub mod settings;
pub mod system;

pub use app::App;
pub use settings::Settings;

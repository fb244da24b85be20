#![doc = include_str!("../README.md")]

mod app;
mod assets;
mod cookies;
mod fault;
mod forms;
mod live;
mod locale;
mod page;
mod said;
mod sessions;
mod settings;

mod admin;
mod storefront;

pub use app::{Parts, Web};
pub use settings::{Settings, Shop};

pub(crate) use fault::{Answer, Fault};
pub(crate) use page::Page;

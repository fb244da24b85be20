//! The module against a real database.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod content;
mod definitions;
mod fields;
mod settings;
mod shop;

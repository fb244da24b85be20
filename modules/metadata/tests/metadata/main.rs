//! The module against a real database.

mod content;
mod definitions;
mod fields;
mod settings;
mod shop;

//! The module through its port and its ear, on a database of its own, with a small double of the catalogue.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod answers;
mod learning;
mod orders;
mod privacy;
mod shop;

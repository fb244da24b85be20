//! The module through its port and its ear, on a database of its own, with small doubles of catalogue and accounts.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod authors;
mod erasure;
mod lists;
mod moderation;
mod past;
mod purchases;
mod recount;
mod shop;
mod votes;

//! The whole shop on real servers that are killed, flushed, paused and made to lie. Nobody loses anything, nothing is
//! sold twice, and everything heals by itself.
//!
//! Each test starts the servers that it kills, and is named after its row in the table of faults. `BODEGA_TEST_ROUNDS`
//! repeats what is random.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "each fault tells its figures")]

#[path = "../crash/books.rs"]
mod books;
#[path = "../shop/client.rs"]
#[expect(dead_code, reason = "the whole-shop tests use all of it")]
mod client;
#[path = "../shop/harness.rs"]
#[expect(dead_code, reason = "the whole-shop tests use all of it")]
mod harness;
#[path = "../crash/journal.rs"]
mod journal;
#[path = "../crash/shoppers.rs"]
#[expect(dead_code, reason = "the crash tests use all of it")]
mod shoppers;

mod figures;
mod load;
mod servers;
mod shop;

mod mongodb;
mod postgres;
mod redis;
mod rush;

/// How often what is random is repeated, and how many come.
#[expect(clippy::disallowed_methods, reason = "a test has no settings")]
fn rounds() -> i64 {
    std::env::var("BODEGA_TEST_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1)
}

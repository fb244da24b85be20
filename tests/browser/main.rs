//! The whole shop in a real browser: Debian's Chromium, driven by its driver.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../shop/client.rs"]
#[expect(dead_code, reason = "the tests of the shop need more of it")]
mod client;
#[path = "../shop/harness.rs"]
#[expect(dead_code, reason = "the tests of the shop need more of it")]
mod harness;

mod driver;
mod shop;
mod steps;
mod walk;
mod webdriver;

mod accessible;
mod journeys;
mod speed;
mod staff;

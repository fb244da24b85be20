//! The whole shop through its front door: every rule once with the modules calling each other, once with every call
//! serialised as between processes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod browser;
mod client;
mod harness;

mod access;
mod accounts;
mod bad_input;
mod bad_values;
mod buying;
mod caching;
mod carts;
mod coupons;
mod fulfilment;
mod idempotency;
mod metadata;
mod openapi;
mod operations;
mod pages;
mod pages_account;
mod pages_admin;
mod pages_admin_catalogue;
mod pages_cart;
mod pages_catalogue;
mod pages_checkout;
mod parity;
mod payments;
mod promotions;
mod recommendation;
mod refunds;
mod reviews;
mod search;
mod stock;
mod taxes;

/// Runs each function in both shapes. `rules!(a_rule);` expands to
///
/// ```ignore
/// mod a_rule {
///     #[tokio::test]
///     async fn in_process() {
///         super::a_rule(crate::harness::Shape::InProcess).await;
///     }
///     #[tokio::test]
///     async fn loopback() {
///         super::a_rule(crate::harness::Shape::Loopback).await;
///     }
/// }
/// ```
macro_rules! rules {
    ($($rule:ident),+ $(,)?) => {$(
        mod $rule {
            #[tokio::test]
            async fn in_process() {
                super::$rule(crate::harness::Shape::InProcess).await;
            }

            #[tokio::test]
            async fn loopback() {
                super::$rule(crate::harness::Shape::Loopback).await;
            }

            #[cfg(feature = "distributed")]
            #[tokio::test]
            async fn split() {
                if shared::testing::rabbitmq().is_none() {
                    return eprintln!("no broker is named: nothing is tested");
                }
                super::$rule(crate::harness::Shape::Split).await;
            }
        }
    )+};
}
pub(crate) use rules;

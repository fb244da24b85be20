//! The orders against small doubles of the other modules.
#![expect(clippy::unwrap_used, reason = "what a test cannot do without may panic")]

mod after_sale;
mod checkout;
mod crashes;
mod goods;
mod idempotency;
mod payments;
mod persons;
mod reading;
mod shop;
mod world;

/// Waits for a condition, at most ten seconds.
async fn until(mut condition: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), wait)
        .await
        .expect("the condition holds in time");
}

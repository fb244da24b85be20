//! Asking a provider, and recording what came of it.

use std::sync::Arc;

use backon::{ExponentialBuilder, Retryable};
use contracts::payment::{Payment, PaymentChanged, PaymentId, PaymentState};
use shared::{Error, Result, Time, db::Tx};

use super::Service;
use crate::{
    model::state_name,
    provider::Handle,
    repo::{self, PaymentRow},
};

impl Service {
    /// At most eight calls at once, at most three tries with the same key, all within the deadline.
    pub(super) async fn ask<T, F, Fut>(&self, call: F) -> Result<T>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let backoff = ExponentialBuilder::default()
            .with_min_delay(std::time::Duration::from_millis(50))
            .with_max_times(2)
            .with_jitter();
        let asked = async {
            let _permit = self.calls.acquire().await.map_err(Error::internal)?;
            call.retry(backoff).when(Error::is_transient).await
        };
        let late = |_| Err(Error::unavailable("the provider did not answer in time"));
        tokio::time::timeout(self.timeout(), asked).await.unwrap_or_else(late)
    }

    /// Locks a payment, lets `edit` change it, and tells the others if they can see a difference.
    pub(super) async fn change(
        &self,
        id: PaymentId,
        edit: impl Fn(&mut PaymentRow) -> Result<()> + Send + 'static,
    ) -> Result<PaymentRow> {
        let (now, public_url) = (self.clock.now(), self.public_url.clone());
        self.db
            .transaction(async move |tx| {
                let before = repo::lock(tx, id).await?;
                let mut row = before.clone();
                edit(&mut row)?;
                record(tx, &before, row, now, &public_url).await
            })
            .await
    }
}

/// What the provider calls this payment.
pub(super) fn handle(row: &PaymentRow) -> Result<Handle> {
    Ok(Handle {
        payment_id: row.id,
        order_id: row.order_id,
        reference: row.reference.clone(),
        amount: row.money(row.amount)?,
    })
}

/// Saves a locked payment and, in the same transaction, the event that others hear.
pub(super) async fn record(
    tx: &mut Tx,
    before: &PaymentRow,
    mut row: PaymentRow,
    now: Time,
    public_url: &Arc<str>,
) -> Result<PaymentRow> {
    if row == *before {
        return Ok(row);
    }
    row.updated_at = now;
    if row.status != state_name(PaymentState::Pending) {
        // It was for the authorisation only.
        row.token = None;
    }
    repo::update(tx, &row).await?;
    let payment = row.view(public_url)?;
    let was = Payment { updated_at: now, ..before.view(public_url)? };
    if payment != was {
        tx.emit("payment", row.id, row.version, &PaymentChanged { payment }).await?;
    }
    Ok(row)
}

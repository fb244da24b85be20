//! Giving back what is held.

use contracts::order::OrderId;
use shared::{Currency, Error, Money, Result};

use super::{
    Service,
    authorize::NOBODY,
    calls::{handle, record},
    import, unknown,
};
use crate::{
    model::Standing,
    repo::{self, PaymentRow, movements},
};

impl Service {
    /// Closes the order's payment: what is captured stays, the rest goes back.
    pub(super) async fn give_back(&self, order_id: OrderId) -> Result<PaymentRow> {
        let row = self.begin_closing(order_id).await?;
        if is_over(&row)? {
            return Ok(row);
        }
        self.finish_closing(&row).await
    }

    /// From here on nothing more can be authorised or captured. An order without a payment gets one that is closed,
    /// so that a request which comes too late finds it.
    async fn begin_closing(&self, order_id: OrderId) -> Result<PaymentRow> {
        let (now, public_url) = (self.clock.now(), self.public_url.clone());
        let mut stone = PaymentRow::new(order_id, NOBODY, Money::zero(Currency::EUR), now);
        let mut closed = Standing::new(0);
        closed.close();
        stone.stand(&closed);
        self.db
            .transaction(async move |tx| {
                repo::insert(tx, &stone).await?;
                let missing = || Error::not_found("payment");
                let found = repo::by_order(tx, order_id).await?.ok_or_else(missing)?;
                let before = repo::lock(tx, found.id).await?;
                if is_over(&before)? {
                    return Ok(before);
                }
                let row = PaymentRow { closing: true, ..before.clone() };
                record(tx, &before, row, now, &public_url).await
            })
            .await
    }

    /// Tells the provider first: after that a capture under way has happened or cannot happen any more.
    pub(super) async fn finish_closing(&self, row: &PaymentRow) -> Result<PaymentRow> {
        let (provider, handle) = (self.provider_of(row)?, handle(row)?);
        if let Err(error) = self.ask(|| provider.void(&handle)).await {
            return Err(if error.is_transient() { unknown(&error) } else { error });
        }
        let closed = self
            .change(row.id, |row| {
                let mut standing = row.standing()?;
                standing.close();
                row.stand(&standing);
                Ok(())
            })
            .await?;
        if closed.capturing > 0 { self.settle_captures(closed).await } else { Ok(closed) }
    }

    /// Asks again for what is under way. A refusal is an outcome too.
    async fn settle_captures(&self, row: PaymentRow) -> Result<PaymentRow> {
        self.settle(&row).await?;
        repo::get(&mut self.db.get().await?, row.id).await?.ok_or_else(|| Error::not_found("payment"))
    }

    /// Sends every movement whose outcome is unknown again, with its key.
    pub(super) async fn settle(&self, row: &PaymentRow) -> Result<()> {
        let pending = movements::pending(&mut self.db.get().await?, row.id).await?;
        for movement in pending {
            match self.send_movement(row, movement).await {
                Err(error) if error.is_transient() => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Whether there is nothing to give back, and never will be.
fn is_over(row: &PaymentRow) -> Result<bool> {
    use contracts::payment::PaymentState::{Failed, Voided};
    let all_captured = row.captured > 0 && row.captured == row.authorized;
    let nobody = row.provider == NOBODY || row.provider == import::PROVIDER;
    let closed = row.closed && row.capturing == 0;
    Ok(nobody || closed || all_captured || matches!(row.state()?, Failed | Voided))
}

//! Payments of the past.

use contracts::payment::{CaptureId, ImportPayment, PaymentState, RefundId};
use shared::{Error, Money, Result, db::Tx};

use super::{Service, movements::book};
use crate::{
    model::state_name,
    repo::{
        self, PaymentRow,
        movements::{self, CAPTURE, Movement, REFUND, SUCCEEDED},
    },
};

/// The provider of imported payments: nobody can be asked.
pub(super) const PROVIDER: &str = "import";
/// Payments per transaction, so that others get their turn.
const BATCH: usize = 200;

impl Service {
    /// Orders that have a payment are left alone. No events.
    pub(super) async fn import_all(&self, payments: Vec<ImportPayment>) -> Result<()> {
        for batch in payments.chunks(BATCH) {
            let batch = batch.to_vec();
            self.db
                .transaction(async move |tx| {
                    for payment in &batch {
                        import(tx, payment).await?;
                    }
                    Ok(())
                })
                .await?;
        }
        Ok(())
    }
}

async fn import(tx: &mut Tx, payment: &ImportPayment) -> Result<()> {
    let ImportPayment { order_id, amount, refunded, at } = payment.clone();
    amount.same_currency(refunded)?;
    if amount.amount <= 0 || !(0..=amount.amount).contains(&refunded.amount) {
        return Err(Error::invalid("/refunded", "out_of_range", "0 <= refunded <= amount, and amount > 0"));
    }
    let mut row = PaymentRow::new(order_id, PROVIDER, amount, at);
    let all_back = refunded == amount;
    row.status =
        state_name(if all_back { PaymentState::Refunded } else { PaymentState::Captured }).to_owned();
    (row.authorized, row.captured, row.refunded) = (amount.amount, amount.amount, refunded.amount);
    (row.closing, row.closed) = (true, true);
    if !repo::insert(tx, &row).await? {
        return Ok(());
    }
    let seed = format!("{order_id}-import");
    write(tx, &row, CAPTURE, CaptureId::derived(&seed).to_string(), amount).await?;
    if refunded.amount > 0 {
        write(tx, &row, REFUND, RefundId::derived(&seed).to_string(), refunded).await?;
    }
    Ok(())
}

async fn write(tx: &mut Tx, row: &PaymentRow, kind: &str, id: String, amount: Money) -> Result<()> {
    let movement = Movement {
        id,
        payment_id: row.id,
        kind: kind.to_owned(),
        amount: amount.amount,
        reason: PROVIDER.to_owned(),
        state: SUCCEEDED.to_owned(),
        refusal: None,
        created_at: row.created_at,
        updated_at: row.created_at,
    };
    movements::insert(tx, &movement).await?;
    book(tx, row, &movement, row.created_at).await
}

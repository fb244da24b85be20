//! Taking over what the provider knows.

use contracts::payment::{CaptureId, PaymentState, RefundId};
use diesel::result::QueryResult;
use shared::{
    Error, Result, Time,
    db::{Conn, Tx},
};

use super::{Service, calls::record, movements::book};
use crate::{
    model::Elsewhere,
    provider::{Truth, TruthState},
    repo::{
        self, PaymentRow, ledger,
        movements::{self, CAPTURE, Movement, REFUND, SUCCEEDED},
    },
};

/// What became of a payment that met its provider's truth.
pub(super) struct Absorbed {
    pub(super) row: PaymentRow,
    /// Something was different, here or there.
    pub(super) moved: bool,
    /// Why the truth was not taken over: a person must look.
    pub(super) review: Option<String>,
}

impl Service {
    /// Moves a payment to where the provider has it, never back. Safe to repeat, in any order, with old truths.
    pub(super) async fn absorb(&self, row: PaymentRow, truth: &Truth) -> Result<Absorbed> {
        if let Some(detail) = row.mismatch(truth)? {
            return Ok(Absorbed { row, moved: false, review: Some(detail) });
        }
        let capturing = truth.captured > row.captured && row.capturing > 0;
        let refunding = truth.refunded > row.refunded && row.refunding > 0;
        if capturing || refunding {
            // It is ours that is under way: its key tells which of them happened.
            self.settle(&row).await?;
        }
        let now =
            repo::get(&mut self.db.get().await?, row.id).await?.ok_or_else(|| Error::not_found("payment"))?;
        let mut heard = now.clone();
        hear(&mut heard, truth)?;
        let mut absorbed = if heard == now {
            Absorbed { row: now, moved: false, review: None }
        } else {
            self.take_over(&now, truth).await?
        };
        if absorbed.review.is_none() && absorbed.row.standing()?.leaves_orphan(truth) {
            absorbed.row = self.finish_closing(&absorbed.row).await?;
            absorbed.moved = true;
        }
        absorbed.moved |= absorbed.row.standing()? != row.standing()?;
        Ok(absorbed)
    }

    async fn take_over(&self, row: &PaymentRow, truth: &Truth) -> Result<Absorbed> {
        let (id, truth, now, public_url) = (row.id, truth.clone(), self.clock.now(), self.public_url.clone());
        self.db
            .transaction(async move |tx| {
                let before = repo::lock(tx, id).await?;
                let mut row = before.clone();
                let elsewhere = hear(&mut row, &truth)?;
                if elsewhere != Elsewhere::default() {
                    // Books that are wrong here are no proof that money moved there.
                    if let Some(detail) = ledger_differs(tx, &before).await? {
                        return Ok(Absorbed { row: before, moved: false, review: Some(detail) });
                    }
                    book_elsewhere(tx, &row, elsewhere, now).await?;
                }
                let row = record(tx, &before, row, now, &public_url).await?;
                Ok(Absorbed { row, moved: true, review: None })
            })
            .await
    }
}

/// How a payment's sums differ from its ledger, if they do.
pub(super) async fn ledger_differs(conn: &mut Conn, row: &PaymentRow) -> QueryResult<Option<String>> {
    let entries = ledger::of_order(conn, row.order_id).await?;
    let sum = |account: &str| entries.iter().filter(|e| e.account == account).map(|e| e.amount).sum::<i64>();
    let (captured, refunded) = (-sum("sales"), sum("refunds"));
    Ok(((captured, refunded) != (row.captured, row.refunded)).then(|| {
        format!(
            "captured {} and refunded {}, but the ledger has {captured} and {refunded}",
            row.captured, row.refunded
        )
    }))
}

fn hear(row: &mut PaymentRow, truth: &Truth) -> Result<Elsewhere> {
    let mut standing = row.standing()?;
    let elsewhere = standing.hear(truth);
    row.stand(&standing);
    if row.reference.is_none() {
        row.reference = Some(truth.reference.clone());
    }
    match &truth.state {
        TruthState::NeedsShopper { url } if standing.status == PaymentState::RequiresAction => {
            row.next_action_url = Some(url.clone());
        }
        TruthState::Failed { decline_code } if standing.status == PaymentState::Failed => {
            row.decline_code.get_or_insert_with(|| decline_code.clone());
        }
        _ => {}
    }
    Ok(elsewhere)
}

/// Money that moved at the provider without us. Its id comes from the new sum, so that it is booked once.
async fn book_elsewhere(tx: &mut Tx, row: &PaymentRow, elsewhere: Elsewhere, now: Time) -> Result<()> {
    if elsewhere.captured > 0 {
        let id = CaptureId::derived(&format!("{}-elsewhere-{}", row.id, row.captured)).to_string();
        write(tx, row, CAPTURE, id, elsewhere.captured, now).await?;
    }
    if elsewhere.refunded > 0 {
        let id = RefundId::derived(&format!("{}-elsewhere-{}", row.id, row.refunded)).to_string();
        write(tx, row, REFUND, id, elsewhere.refunded, now).await?;
    }
    Ok(())
}

async fn write(tx: &mut Tx, row: &PaymentRow, kind: &str, id: String, amount: i64, now: Time) -> Result<()> {
    tracing::warn!(payment = %row.id, kind, amount, "money moved at the provider without us");
    let movement = Movement {
        id,
        payment_id: row.id,
        kind: kind.to_owned(),
        amount,
        reason: "found at the provider".to_owned(),
        state: SUCCEEDED.to_owned(),
        refusal: None,
        created_at: now,
        updated_at: now,
    };
    movements::insert(tx, &movement).await?;
    book(tx, row, &movement, now).await
}

//! Captures and refunds: the amount is reserved, the provider asked, the outcome booked.

use contracts::{
    order::OrderId,
    payment::{CaptureId, PaymentState, RefundId},
};
use shared::{Error, Kind, Money, Result, Time, db::Tx};

use super::{
    Service,
    calls::{handle, record},
    import, positive, unknown,
};
use crate::repo::{
    self, PaymentRow, ledger,
    movements::{self, CAPTURE, FAILED, Movement, PENDING, REFUND, SUCCEEDED},
};

/// A capture or a refund that somebody wants.
pub(super) struct Wish {
    kind: &'static str,
    id: String,
    amount: Money,
    reason: String,
}

impl Wish {
    pub(super) fn capture(id: CaptureId, amount: Money) -> Self {
        Self { kind: CAPTURE, id: id.to_string(), amount, reason: String::new() }
    }

    pub(super) fn refund(id: RefundId, amount: Money, reason: String) -> Self {
        Self { kind: REFUND, id: id.to_string(), amount, reason }
    }
}

impl Service {
    pub(super) async fn move_money(&self, order_id: OrderId, wish: Wish) -> Result<PaymentRow> {
        positive(wish.amount)?;
        let now = self.clock.now();
        let (row, movement) = self
            .db
            .transaction(async move |tx| {
                let found = repo::by_order(tx, order_id).await?.ok_or_else(|| Error::not_found("payment"))?;
                let row = repo::lock(tx, found.id).await?;
                let movement = reserve(tx, &row, &wish, now).await?;
                Ok((row, movement))
            })
            .await?;
        match movement.state.as_str() {
            SUCCEEDED => Ok(row),
            FAILED => Err(refused(&movement.kind, movement.refusal.as_deref())),
            _ => self.send_movement(&row, movement).await,
        }
    }

    /// Asks the provider for a reserved movement and books the outcome. Sent again, it is the same movement.
    pub(super) async fn send_movement(&self, row: &PaymentRow, movement: Movement) -> Result<PaymentRow> {
        let asked = self.ask_movement(row, &movement).await;
        self.crash.pass(if movement.kind == CAPTURE {
            "payment.capture.sent"
        } else {
            "payment.refund.sent"
        });
        match asked {
            Ok(()) => self.end(movement, None).await,
            Err(error) if error.is_transient() => Err(unknown(&error)),
            Err(error) => {
                tracing::warn!(movement = %movement.id, error = error.chain(), "a provider refused a movement");
                let refusal = refused(&movement.kind, Some(&error.code));
                self.end(movement, Some(error.code.into_owned())).await?;
                Err(refusal)
            }
        }
    }

    async fn ask_movement(&self, row: &PaymentRow, movement: &Movement) -> Result<()> {
        // Nobody else knows an imported payment: staff gave the money back by hand.
        if row.provider == import::PROVIDER {
            return Ok(());
        }
        let (provider, handle, amount) = (self.provider_of(row)?, handle(row)?, row.money(movement.amount)?);
        if movement.kind == CAPTURE {
            self.ask(|| provider.capture(&handle, &movement.id, amount)).await
        } else {
            self.ask(|| provider.refund(&handle, &movement.id, amount)).await
        }
    }

    /// Books the outcome once, whoever learns of it first.
    async fn end(&self, movement: Movement, refusal: Option<String>) -> Result<PaymentRow> {
        let (now, public_url) = (self.clock.now(), self.public_url.clone());
        self.db
            .transaction(async move |tx| {
                let before = repo::lock(tx, movement.payment_id).await?;
                let (happened, refusal) = (refusal.is_none(), refusal.as_deref());
                let state = if happened { SUCCEEDED } else { FAILED };
                if !movements::end(tx, &movement.id, state, refusal, now).await? {
                    return Ok(before);
                }
                let mut standing = before.standing()?;
                if movement.kind == CAPTURE {
                    standing.end_capture(movement.amount, happened);
                } else {
                    standing.end_refund(movement.amount, happened);
                }
                if happened {
                    book(tx, &before, &movement, now).await?;
                }
                let mut row = before.clone();
                row.stand(&standing);
                record(tx, &before, row, now, &public_url).await
            })
            .await
    }
}

/// Finds the movement of this id, or writes it down with its amount set aside.
async fn reserve(tx: &mut Tx, row: &PaymentRow, wish: &Wish, now: Time) -> Result<Movement> {
    row.money(row.amount)?.same_currency(wish.amount).map_err(|error| error.under("/amount"))?;
    let movement = Movement {
        id: wish.id.clone(),
        payment_id: row.id,
        kind: wish.kind.to_owned(),
        amount: wish.amount.amount,
        reason: wish.reason.clone(),
        state: PENDING.to_owned(),
        refusal: None,
        created_at: now,
        updated_at: now,
    };
    if let Some(known) = movements::get(tx, &wish.id).await? {
        let parts = |m: &Movement| (m.payment_id, m.kind.clone(), m.amount);
        if parts(&known) == parts(&movement) {
            return Ok(known);
        }
        let detail = "this id was used with another amount or order";
        return Err(Error::new(Kind::Invalid, "idempotency_key_reused", detail));
    }
    let reserved = if wish.kind == CAPTURE {
        repo::reserve_capture(tx, row.id, movement.amount, now).await?
    } else {
        repo::reserve_refund(tx, row.id, movement.amount, now).await?
    };
    if !reserved {
        return Err(if wish.kind == CAPTURE { not_capturable(row)? } else { not_refundable(row) });
    }
    movements::insert(tx, &movement).await?;
    Ok(movement)
}

/// Writes a movement that happened into the ledger.
pub(super) async fn book(tx: &mut Tx, row: &PaymentRow, movement: &Movement, at: Time) -> Result<()> {
    for entry in ledger::entries_of(movement, row.order_id, &row.currency, at) {
        ledger::insert(tx, &entry).await?;
    }
    Ok(())
}

fn not_capturable(row: &PaymentRow) -> Result<Error> {
    let rest = row.authorized - row.captured - row.capturing;
    Ok(match row.state()? {
        PaymentState::Authorized | PaymentState::Captured => {
            let rest = if row.closing { 0 } else { rest };
            Error::invalid(
                "/amount",
                "amount_exceeds_authorized",
                "more than is authorised and not yet captured",
            )
            .with("capturable", rest)
        }
        _ => Error::illegal_transition("the payment", &row.status, "captured"),
    })
}

fn not_refundable(row: &PaymentRow) -> Error {
    Error::invalid("/amount", "amount_exceeds_captured", "more than was captured and not yet refunded")
        .with("refundable", row.captured - row.refunded - row.refunding)
}

fn refused(kind: &str, code: Option<&str>) -> Error {
    Error::conflict(format!("{kind}_refused"), format!("the payment provider refused the {kind}"))
        .with("provider_code", code.unwrap_or_default())
}

//! Holding money.

use contracts::payment::{Authorize, PaymentState};
use shared::{Error, Result};

use super::{Service, positive, unknown};
use crate::{
    provider::{Answer, Intent, Outcome, Provider},
    repo::{self, PaymentRow},
};

/// The provider of payments that were closed before anybody asked for them: nobody.
pub(super) const NOBODY: &str = "none";

impl Service {
    /// One payment per order: a repeat goes on where the first call stopped.
    pub(super) async fn hold(&self, request: Authorize) -> Result<PaymentRow> {
        let no_such = || Error::invalid("/payment/provider", "provider", "no such payment provider");
        let provider = self.provider(&request.provider).ok_or_else(no_such)?;
        let valid = positive(request.amount).and_then(|()| provider.check_token(request.token.as_deref()));
        let row = match valid {
            Ok(()) => self.begin(&request).await?,
            // Who only asks what became of it need not have the token any more.
            Err(error) => repo::by_order(&mut self.db.get().await?, request.order_id).await?.ok_or(error)?,
        };
        if row.provider == NOBODY {
            return Ok(row);
        }
        if row.provider != request.provider || row.money(row.amount)? != request.amount {
            return Err(Error::conflict(
                "payment_mismatch",
                "this order has a payment of another amount or provider",
            ));
        }
        match row.state()? {
            PaymentState::Pending if row.closing => self.give_back(row.order_id).await,
            PaymentState::Pending => self.send(&**provider, row, &request).await,
            _ => Ok(row),
        }
    }

    /// The order's payment, written down before the provider hears of it.
    async fn begin(&self, request: &Authorize) -> Result<PaymentRow> {
        let mut row = PaymentRow::new(request.order_id, &request.provider, request.amount, self.clock.now());
        row.token = request.token.clone();
        self.db
            .transaction(async move |tx| {
                repo::insert(tx, &row).await?;
                repo::by_order(tx, row.order_id).await?.ok_or_else(|| Error::not_found("payment"))
            })
            .await
    }

    async fn send(
        &self,
        provider: &dyn Provider,
        row: PaymentRow,
        request: &Authorize,
    ) -> Result<PaymentRow> {
        let intent = Intent {
            payment_id: row.id,
            order_id: row.order_id,
            amount: request.amount,
            token: row.token.clone(),
            email: request.email.clone(),
        };
        let asked = self.ask(|| provider.authorize(&intent)).await;
        self.crash.pass("payment.authorize.sent");
        match asked {
            Ok(answer) => self.change(row.id, move |row| take(row, &answer)).await,
            Err(error) if error.is_transient() => Err(unknown(&error)),
            Err(error) => {
                tracing::warn!(payment = %row.id, error = error.chain(), "a provider refused an authorisation");
                let code = error.code.into_owned();
                self.change(row.id, move |row| decline(row, &code)).await
            }
        }
    }
}

/// Takes over the answer to an authorisation. What is known already by a webhook stays.
fn take(row: &mut PaymentRow, answer: &Answer) -> Result<()> {
    if row.reference.is_none() {
        row.reference = Some(answer.reference.clone());
    }
    match &answer.outcome {
        Outcome::Failed { decline_code } => return decline(row, decline_code),
        Outcome::Authorized => {
            let mut standing = row.standing()?;
            standing.authorize(row.amount);
            row.stand(&standing);
        }
        Outcome::RequiresAction { url } => {
            let mut standing = row.standing()?;
            standing.needs_shopper();
            row.stand(&standing);
            row.next_action_url = Some(url.clone());
        }
    }
    Ok(())
}

fn decline(row: &mut PaymentRow, code: &str) -> Result<()> {
    let mut standing = row.standing()?;
    standing.fail();
    row.stand(&standing);
    if standing.status == PaymentState::Failed && row.decline_code.is_none() {
        row.decline_code = Some(code.to_owned());
    }
    Ok(())
}

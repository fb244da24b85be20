//! Messages of providers: checked, stored, answered; worked off later by fetching the truth.

use std::time::Duration;

use futures::future::join_all;
use shared::{Error, Result, Time};

use super::Service;
use crate::{
    provider::{Lookup, Truth, test},
    repo::{
        self, PaymentRow,
        webhooks::{self, DONE, REVIEW, STORED, UNMATCHED, Webhook},
    },
};

/// Messages worked off at a time.
const BATCH: i64 = 64;

/// What is written beside a message that was worked off.
type Verdict = (&'static str, Option<String>);

impl Service {
    /// Stores a message that its provider has signed. The same message twice is one row.
    pub(super) async fn take_webhook(&self, provider: &str, signature: &str, body: &[u8]) -> Result<()> {
        let unknown = || Error::not_found("payment provider");
        let now = self.clock.now();
        let event = self.provider(provider).ok_or_else(unknown)?.verify_webhook(signature, body, now)?;
        let webhook = Webhook {
            provider: provider.to_owned(),
            event_id: event.id,
            reference: event.reference,
            kind: event.kind,
            amount: event.amount.map(|money| money.amount),
            currency: event.amount.map(|money| money.currency.to_string()),
            body: String::from_utf8_lossy(body).into_owned(),
            state: STORED.to_owned(),
            detail: None,
            attempts: 0,
            next_at: now,
            received_at: now,
        };
        self.db.transaction(async move |tx| Ok(webhooks::insert(tx, &webhook).await?)).await?;
        self.crash.pass("payment.webhook.stored");
        self.news.notify_one();
        Ok(())
    }

    /// Works off the messages that are due. One that fails is due again later.
    pub(crate) async fn work_webhooks(&self) -> Result<()> {
        loop {
            let taken = self.take_due().await?;
            if taken.is_empty() {
                return Ok(());
            }
            let verdicts = join_all(taken.iter().map(|webhook| self.judge(webhook))).await;
            let ended: Vec<_> = taken.into_iter().zip(verdicts).filter_map(told).collect();
            self.db
                .transaction(async move |tx| {
                    for (webhook, (state, detail)) in &ended {
                        webhooks::end(tx, webhook, state, detail.as_deref()).await?;
                    }
                    Ok(())
                })
                .await?;
        }
    }

    async fn take_due(&self) -> Result<Vec<Webhook>> {
        let now = self.clock.now();
        let due = webhooks::due(&mut self.db.get().await?, now, BATCH).await?;
        if due.is_empty() {
            return Ok(due);
        }
        self.db
            .transaction(async move |tx| {
                let mut taken = Vec::new();
                for webhook in &due {
                    if webhooks::take(tx, webhook, again_at(webhook, now)).await? {
                        taken.push(webhook.clone());
                    }
                }
                Ok(taken)
            })
            .await
    }

    async fn judge(&self, webhook: &Webhook) -> Result<Verdict> {
        let gone = || Error::unavailable("the payment provider is not configured");
        let provider = self.provider(&webhook.provider).ok_or_else(gone)?;
        let lookup = Lookup::Reference(webhook.reference.clone());
        let Some(truth) = self.ask(|| provider.fetch(&lookup)).await? else {
            return Ok((UNMATCHED, Some("the provider does not know this payment".to_owned())));
        };
        let Some(row) = self.find(&webhook.provider, &truth).await? else {
            return Ok((UNMATCHED, Some("no payment here has this reference".to_owned())));
        };
        let said = webhook.amount.zip(webhook.currency.clone());
        if said.is_some_and(|said| said != (row.amount, row.currency.clone())) {
            return Ok((REVIEW, Some("the message names another amount or currency".to_owned())));
        }
        Ok(match self.absorb(row, &truth).await?.review {
            Some(detail) => (REVIEW, Some(detail)),
            None => (DONE, None),
        })
    }

    /// The payment that a truth is about. Its reference may not be known here yet, its id is.
    async fn find(&self, provider: &str, truth: &Truth) -> Result<Option<PaymentRow>> {
        let conn = &mut self.db.get().await?;
        if let Some(row) = repo::by_reference(conn, provider, &truth.reference).await? {
            return Ok(Some(row));
        }
        let Some(id) = truth.payment_id else { return Ok(None) };
        Ok(repo::get(conn, id).await?.filter(|row| row.provider == provider))
    }

    /// The `test` provider's messages, by the same door as everybody's.
    pub(crate) async fn deliver_test_messages(&self) -> Result<()> {
        let Some(test) = &self.test else { return Ok(()) };
        test.confirm_due().await?;
        loop {
            let due = test.deliveries(BATCH).await?;
            if due.is_empty() {
                return Ok(());
            }
            let sent =
                due.iter().map(|message| self.take_webhook(test::NAME, &message.signature, &message.body));
            join_all(sent).await.into_iter().collect::<Result<Vec<()>>>()?;
            test.delivered(due.into_iter().map(|message| message.id).collect()).await?;
        }
    }
}

/// Each attempt waits longer for the next, up to five minutes.
fn again_at(webhook: &Webhook, now: Time) -> Time {
    let seconds = 5_u64 << webhook.attempts.clamp(0, 6);
    now.after(Duration::from_secs(seconds.min(300)))
}

fn told((webhook, verdict): (Webhook, Result<Verdict>)) -> Option<(Webhook, Verdict)> {
    match verdict {
        Ok((state, detail)) => {
            if state != DONE {
                tracing::warn!(
                    event = webhook.event_id,
                    state,
                    detail,
                    "a provider's message needs a person"
                );
            }
            Some((webhook, (state, detail)))
        }
        Err(error) => {
            tracing::warn!(event = webhook.event_id, error = error.chain(), "a provider's message waits");
            None
        }
    }
}

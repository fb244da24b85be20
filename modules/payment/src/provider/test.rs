//! The `test` provider: behaves like a real one far away. It keeps its own books, which survive this process, in
//! transactions of its own, and tells the shop about them only by answers and signed messages.
//!
//! | token | behaviour |
//! |---|---|
//! | `tok_ok` | authorised |
//! | `tok_declined`, `tok_insufficient_funds` | failed with that decline code |
//! | `tok_3ds` | needs the shopper; says yes by itself after `confirm_after_seconds` |
//! | `tok_3ds_abandoned` | needs the shopper, who never comes |
//! | `tok_timeout` | never answers and never acts |
//! | `tok_lost_reply` | the first reply to each of its operations is lost after the act |

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serde::Deserialize;
use shared::{
    Clock, Error, Money, Result, Time,
    db::{Conn, Db, Tx},
    page,
    signer::Signer,
};
use tokio::sync::Notify;
use uuid::Uuid;

use super::{
    Answer, Changes, Handle, Intent, Lookup, Outcome, Provider, Truth, TruthState, WebhookEvent,
    signature::{self, refused},
};
use books::{Entry, Message, Operation};
use messages::{Said, say};

mod books;
mod messages;

/// Its name.
pub const NAME: &str = "test";

const TOKENS: [&str; 7] = [
    "tok_ok",
    "tok_declined",
    "tok_insufficient_funds",
    "tok_3ds",
    "tok_3ds_abandoned",
    "tok_timeout",
    "tok_lost_reply",
];
const LOST: &str = "tok_lost_reply";
const PAGE: i64 = 100;
const SCOPE: &str = "test_provider.changes";

/// How the `test` provider behaves.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TestSettings {
    /// Off in production.
    pub enabled: bool,
    /// When a `tok_3ds` payment confirms itself.
    pub confirm_after_seconds: u64,
    /// How long each call takes.
    pub latency_ms: u64,
    /// How long after the act its message is sent.
    pub webhook_delay_ms: u64,
}

impl Default for TestSettings {
    fn default() -> Self {
        Self { enabled: true, confirm_after_seconds: 2, latency_ms: 0, webhook_delay_ms: 0 }
    }
}

/// See the module.
pub struct TestProvider {
    db: Db,
    clock: Arc<dyn Clock>,
    secret: Signer,
    settings: TestSettings,
    /// Woken when there is a message to deliver.
    outgoing: Arc<Notify>,
}

/// A message ready to be sent to the shop.
pub struct Delivery {
    /// For [`TestProvider::delivered`].
    pub id: String,
    /// The header.
    pub signature: String,
    /// The raw bytes.
    pub body: Vec<u8>,
}

impl TestProvider {
    /// `secret` signs its messages.
    pub fn new(
        db: Db,
        clock: Arc<dyn Clock>,
        secret: Signer,
        settings: TestSettings,
        outgoing: Arc<Notify>,
    ) -> Self {
        Self { db, clock, secret, settings, outgoing }
    }

    /// The shopper says yes or no. `NotFound`; `Conflict/illegal_transition` if the other answer was given before.
    pub async fn confirm(&self, reference: &str, accept: bool) -> Result<()> {
        let (reference, now, due_at) = (reference.to_owned(), self.clock.now(), self.due_at());
        self.db
            .transaction(async move |tx| {
                let moved = if accept {
                    books::confirm(tx, &reference, now).await?
                } else {
                    books::refuse(tx, &reference, now).await?
                };
                let entry =
                    books::by_reference(tx, &reference).await?.ok_or_else(|| Error::not_found("payment"))?;
                let wanted = if accept { "authorized" } else { "failed" };
                if moved {
                    say(tx, wanted, &entry, now, due_at).await?;
                } else if entry.state != wanted {
                    return Err(Error::illegal_transition("the payment", &entry.state, wanted));
                }
                Ok(())
            })
            .await?;
        self.outgoing.notify_one();
        Ok(())
    }

    /// Confirms the payments whose time has come.
    pub async fn confirm_due(&self) -> Result<()> {
        let references = books::confirming(&mut self.db.get().await?, self.clock.now()).await?;
        for reference in references {
            match self.confirm(&reference, true).await {
                // It was voided or refused in between.
                Err(error) if error.code == "illegal_transition" => {}
                result => result?,
            }
        }
        Ok(())
    }

    /// Messages whose time has come, signed now. They come again until they are [`delivered`](Self::delivered).
    pub async fn deliveries(&self, limit: i64) -> Result<Vec<Delivery>> {
        let now = self.clock.now();
        let due = books::due(&mut self.db.get().await?, now, limit).await?;
        let sign = |message: Message| Delivery {
            signature: signature::sign(&self.secret, message.body.as_bytes(), now),
            id: message.id,
            body: message.body.into_bytes(),
        };
        Ok(due.into_iter().map(sign).collect())
    }

    /// The shop has taken these messages.
    pub async fn delivered(&self, ids: Vec<String>) -> Result<()> {
        let now = self.clock.now();
        self.db.transaction(async move |tx| Ok(books::delivered(tx, &ids, now).await?)).await
    }

    async fn travel(&self) {
        if self.settings.latency_ms > 0 {
            tokio::time::sleep(Duration::from_millis(self.settings.latency_ms)).await;
        }
    }

    fn due_at(&self) -> Time {
        self.clock.now().after(Duration::from_millis(self.settings.webhook_delay_ms))
    }

    /// Ends an operation that acted (or had acted before), and may lose the reply.
    fn reply(&self, token: &str, acted: bool) -> Result<()> {
        self.outgoing.notify_one();
        if acted && token == LOST {
            return Err(Error::unavailable("the provider's reply was lost"));
        }
        Ok(())
    }

    fn entry(&self, intent: &Intent, token: &str, now: Time) -> Entry {
        let (state, decline_code, confirm) = match token {
            "tok_declined" => ("failed", Some("declined"), false),
            "tok_insufficient_funds" => ("failed", Some("insufficient_funds"), false),
            "tok_3ds" => ("requires_action", None, true),
            "tok_3ds_abandoned" => ("requires_action", None, false),
            _ => ("authorized", None, false),
        };
        let after = Duration::from_secs(self.settings.confirm_after_seconds);
        Entry {
            reference: new_name("tpi"),
            payment_id: intent.payment_id,
            order_id: intent.order_id,
            token: token.to_owned(),
            amount: intent.amount.amount,
            currency: intent.amount.currency.to_string(),
            state: state.to_owned(),
            authorized: if state == "authorized" { intent.amount.amount } else { 0 },
            captured: 0,
            refunded: 0,
            decline_code: decline_code.map(str::to_owned),
            confirm_at: confirm.then(|| now.after(after)),
            updated_at: now,
        }
    }

    /// Money is `captured` or `refunded`.
    async fn operate(&self, kind: &'static str, handle: &Handle, key: &str, amount: Money) -> Result<()> {
        self.travel().await;
        let (payment_id, key, now, due_at) =
            (handle.payment_id, key.to_owned(), self.clock.now(), self.due_at());
        let (token, acted) = self
            .db
            .transaction(async move |tx| {
                let entry =
                    books::by_payment(tx, payment_id).await?.ok_or_else(|| Error::not_found("payment"))?;
                let operation = Operation {
                    key: key.clone(),
                    reference: entry.reference.clone(),
                    kind: kind.to_owned(),
                    amount: amount.amount,
                    currency: amount.currency.to_string(),
                };
                if !books::insert_operation(tx, &operation).await? {
                    let same = books::operation(tx, &key).await? == operation;
                    return if same { Ok((entry.token, false)) } else { Err(key_reused()) };
                }
                move_money(tx, &entry, &operation, now).await?;
                let entry = books::by_reference(tx, &entry.reference).await?.unwrap_or(entry);
                say(tx, kind, &entry, now, due_at).await?;
                Ok((entry.token, true))
            })
            .await?;
        self.reply(&token, acted)
    }
}

#[async_trait]
impl Provider for TestProvider {
    fn name(&self) -> &'static str {
        NAME
    }

    fn check_token(&self, token: Option<&str>) -> Result<()> {
        match token {
            Some(token) if TOKENS.contains(&token) => Ok(()),
            _ => Err(Error::invalid(
                "/payment/token",
                "token",
                format!("must be one of {}", TOKENS.join(", ")),
            )),
        }
    }

    async fn authorize(&self, intent: &Intent) -> Result<Answer> {
        self.travel().await;
        self.check_token(intent.token.as_deref())?;
        let token = intent.token.clone().unwrap_or_default();
        if token == "tok_timeout" {
            std::future::pending::<()>().await;
        }
        let (now, due_at) = (self.clock.now(), self.due_at());
        let wanted = self.entry(intent, &token, now);
        let (entry, acted) = self
            .db
            .transaction(async move |tx| {
                if books::insert(tx, &wanted).await? {
                    if wanted.state != "requires_action" {
                        say(tx, &wanted.state, &wanted, now, due_at).await?;
                    }
                    return Ok((wanted.clone(), true));
                }
                let entry = books::by_payment(tx, wanted.payment_id).await?.ok_or_else(key_reused)?;
                Ok((same_intent(entry, &wanted)?, false))
            })
            .await?;
        self.reply(&token, acted)?;
        Ok(answer(&entry))
    }

    async fn capture(&self, handle: &Handle, key: &str, amount: Money) -> Result<()> {
        self.operate("captured", handle, key, amount).await
    }

    async fn void(&self, handle: &Handle) -> Result<()> {
        self.travel().await;
        let (handle, now, due_at) = (handle.clone(), self.clock.now(), self.due_at());
        let (token, acted) = self
            .db
            .transaction(async move |tx| {
                let stone = tombstone(&handle, now);
                if books::insert(tx, &stone).await? {
                    return Ok((stone.token, true));
                }
                let entry = books::by_payment(tx, handle.payment_id).await?.ok_or_else(key_reused)?;
                let acted = books::void_all(tx, &entry.reference, now).await?
                    || books::void_rest(tx, &entry.reference, now).await?;
                if acted {
                    let entry = books::by_reference(tx, &entry.reference).await?.unwrap_or(entry.clone());
                    say(tx, "voided", &entry, now, due_at).await?;
                }
                Ok((entry.token, acted))
            })
            .await?;
        self.reply(&token, acted)
    }

    async fn refund(&self, handle: &Handle, key: &str, amount: Money) -> Result<()> {
        self.operate("refunded", handle, key, amount).await
    }

    async fn fetch(&self, lookup: &Lookup) -> Result<Option<Truth>> {
        self.travel().await;
        let conn: &mut Conn = &mut self.db.get().await?;
        let entry = match lookup {
            Lookup::Reference(reference) => books::by_reference(conn, reference).await?,
            Lookup::Order(id) => books::by_order(conn, *id).await?,
        };
        entry.as_ref().map(truth).transpose()
    }

    async fn list_changed(&self, since: Time, page: Option<String>) -> Result<Changes> {
        self.travel().await;
        let position = page.map(|page| page::decode::<(Time, String)>(SCOPE, &page)).transpose()?;
        let position = position.unwrap_or((Time::from_micros(0), String::new()));
        let entries = books::changed(&mut self.db.get().await?, since, &position, PAGE).await?;
        let full = entries.len() as i64 == PAGE;
        let next =
            entries.last().filter(|_| full).map(|e| page::encode(SCOPE, &(e.updated_at, &e.reference)));
        Ok(Changes { payments: entries.iter().map(truth).collect::<Result<_>>()?, next })
    }

    fn verify_webhook(&self, signature: &str, body: &[u8], now: Time) -> Result<WebhookEvent> {
        signature::verify(&self.secret, signature, body, now)?;
        let said: Said = serde_json::from_slice(body).map_err(|_| refused("the message cannot be read"))?;
        Ok(WebhookEvent {
            id: said.id,
            kind: said.kind,
            reference: said.data.reference,
            amount: said.data.amount,
        })
    }
}

async fn move_money(tx: &mut Tx, entry: &Entry, operation: &Operation, now: Time) -> Result<()> {
    if operation.currency != entry.currency {
        return Err(Error::invalid("/amount", "currency", "the payment is in another currency"));
    }
    let (reference, amount) = (&entry.reference, operation.amount);
    match operation.kind.as_str() {
        "captured" if !books::capture(tx, reference, amount, now).await? => {
            Err(Error::conflict("not_capturable", "that much is not held"))
        }
        "refunded" if !books::refund(tx, reference, amount, now).await? => {
            Err(Error::conflict("not_refundable", "that much was not captured"))
        }
        _ => Ok(()),
    }
}

/// What is left of a payment that was voided before it was asked for: its key is used up.
fn tombstone(handle: &Handle, now: Time) -> Entry {
    Entry {
        reference: new_name("tpi"),
        payment_id: handle.payment_id,
        order_id: handle.order_id,
        token: String::new(),
        amount: handle.amount.amount,
        currency: handle.amount.currency.to_string(),
        state: "voided".to_owned(),
        authorized: 0,
        captured: 0,
        refunded: 0,
        decline_code: None,
        confirm_at: None,
        updated_at: now,
    }
}

fn same_intent(entry: Entry, wanted: &Entry) -> Result<Entry> {
    if entry.token.is_empty() {
        return Err(Error::conflict("payment_voided", "this payment was voided before it was asked for"));
    }
    let parts = |e: &Entry| (e.order_id, e.token.clone(), e.amount, e.currency.clone());
    if parts(&entry) == parts(wanted) { Ok(entry) } else { Err(key_reused()) }
}

fn key_reused() -> Error {
    Error::invalid("/id", "idempotency_key_reused", "this key was used with other parameters")
}

/// The answer to the authorisation, the same however often it is asked for.
fn answer(entry: &Entry) -> Answer {
    let outcome = match entry.token.as_str() {
        "tok_3ds" | "tok_3ds_abandoned" => Outcome::RequiresAction { url: url(entry) },
        "tok_declined" | "tok_insufficient_funds" => Outcome::Failed { decline_code: decline_code(entry) },
        _ => Outcome::Authorized,
    };
    Answer { reference: entry.reference.clone(), outcome }
}

fn truth(entry: &Entry) -> Result<Truth> {
    let state = match entry.state.as_str() {
        "requires_action" => TruthState::NeedsShopper { url: url(entry) },
        "authorized" => TruthState::Authorized,
        "failed" => TruthState::Failed { decline_code: decline_code(entry) },
        _ => TruthState::Voided,
    };
    Ok(Truth {
        reference: entry.reference.clone(),
        payment_id: Some(entry.payment_id),
        order_id: Some(entry.order_id),
        amount: amount(entry)?,
        state,
        authorized: entry.authorized,
        captured: entry.captured,
        refunded: entry.refunded,
    })
}

fn amount(entry: &Entry) -> Result<Money> {
    Ok(Money::new(entry.amount, entry.currency.parse().map_err(Error::internal)?))
}

fn url(entry: &Entry) -> String {
    format!("/test-payments/{}", entry.reference)
}

fn decline_code(entry: &Entry) -> String {
    entry.decline_code.clone().unwrap_or_else(|| "declined".to_owned())
}

/// A name that nobody can guess.
fn new_name(prefix: &str) -> String {
    format!("{prefix}_{}", Uuid::new_v4().simple())
}

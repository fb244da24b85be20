//! Payments: every command writes its intention, asks the provider, records the answer.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use contracts::{
    order::OrderId,
    payment::{
        Authorize, CaptureId, ImportPayment, LedgerEntry, Payment, Payments, ReconcileReport, RefundId,
    },
};
use serde::Deserialize;
use shared::{
    Clock, Error, Kind, Money, Result, crash::CrashPoints, db::Db, events::Consumer, signer::Signer,
    values::Blob,
};
use tokio::sync::{Notify, Semaphore};

use crate::{
    provider::{
        Provider,
        test::{TestProvider, TestSettings},
    },
    repo::{self, PaymentRow},
};
use movements::Wish;

mod absorb;
mod authorize;
mod calls;
mod import;
mod movements;
mod reconcile;
mod void;
mod webhooks;

/// How payments behave.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Goes before a next action that is a path in this shop. Empty: paths stay paths.
    pub public_url: String,
    /// How long a provider may take to answer, repeats included.
    pub provider_timeout_seconds: u64,
    /// How often payments are compared with their providers.
    pub reconcile_seconds: u64,
    /// How often all payments are compared, not only those that changed.
    pub full_reconcile_seconds: u64,
    /// What is younger is left to the command that works on it.
    pub settle_after_seconds: u64,
    /// The provider without a bank.
    pub test: TestSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public_url: String::new(),
            provider_timeout_seconds: 5,
            reconcile_seconds: 30,
            full_reconcile_seconds: 24 * 60 * 60,
            settle_after_seconds: 5,
            test: TestSettings::default(),
        }
    }
}

/// How many provider calls run at once.
const CALLS: usize = 8;

/// The module.
pub struct Service {
    db: Db,
    clock: Arc<dyn Clock>,
    crash: CrashPoints,
    settings: Settings,
    public_url: Arc<str>,
    providers: Vec<Arc<dyn Provider>>,
    test: Option<Arc<TestProvider>>,
    calls: Semaphore,
    /// Woken when there are messages to take or to work off.
    pub(crate) news: Arc<Notify>,
}

impl Service {
    /// `signer` makes the `test` provider's secret. `crash` names the points at which a fault test kills the process.
    pub fn new(
        db: Db,
        clock: Arc<dyn Clock>,
        signer: Signer,
        crash: CrashPoints,
        settings: Settings,
    ) -> Arc<Self> {
        let news = Arc::new(Notify::new());
        let test = settings.test.enabled.then(|| {
            let secret = Signer::new(signer.sign(b"payment.test.webhooks").as_bytes());
            Arc::new(TestProvider::new(
                db.clone(),
                clock.clone(),
                secret,
                settings.test.clone(),
                news.clone(),
            ))
        });
        let providers = test.iter().map(|test| test.clone() as Arc<dyn Provider>).collect();
        Self::assemble(db, clock, crash, settings, providers, test, news)
    }

    fn assemble(
        db: Db,
        clock: Arc<dyn Clock>,
        crash: CrashPoints,
        settings: Settings,
        providers: Vec<Arc<dyn Provider>>,
        test: Option<Arc<TestProvider>>,
        news: Arc<Notify>,
    ) -> Arc<Self> {
        let public_url = settings.public_url.trim_end_matches('/').into();
        let calls = Semaphore::new(CALLS);
        Arc::new(Self { db, clock, crash, settings, public_url, providers, test, calls, news })
    }

    /// It hears no events.
    pub fn consumers(self: &Arc<Self>) -> Vec<Arc<dyn Consumer>> {
        Vec::new()
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    fn provider(&self, name: &str) -> Option<&Arc<dyn Provider>> {
        self.providers.iter().find(|provider| provider.name() == name)
    }

    /// The provider of a payment that exists. `Unavailable` if it is not configured any more.
    fn provider_of(&self, row: &PaymentRow) -> Result<&Arc<dyn Provider>> {
        let gone =
            || Error::unavailable(format!("the payment provider {:?} is not configured", row.provider));
        self.provider(&row.provider).ok_or_else(gone)
    }

    fn test_provider(&self) -> Result<&Arc<TestProvider>> {
        self.test.as_ref().ok_or_else(|| Error::not_found("payment"))
    }

    fn view(&self, row: &PaymentRow) -> Result<Payment> {
        row.view(&self.public_url)
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(self.settings.provider_timeout_seconds)
    }
}

#[async_trait]
impl Payments for Service {
    async fn authorize(&self, request: Authorize) -> Result<Payment> {
        let row = self.hold(request).await?;
        self.view(&row)
    }

    async fn capture(&self, order_id: OrderId, id: CaptureId, amount: Money) -> Result<Payment> {
        let row = self.move_money(order_id, Wish::capture(id, amount)).await?;
        self.view(&row)
    }

    async fn void(&self, order_id: OrderId) -> Result<Payment> {
        let row = self.give_back(order_id).await?;
        self.view(&row)
    }

    async fn refund(
        &self,
        order_id: OrderId,
        id: RefundId,
        amount: Money,
        reason: String,
    ) -> Result<Payment> {
        let row = self.move_money(order_id, Wish::refund(id, amount, reason)).await?;
        self.view(&row)
    }

    async fn of_order(&self, order_id: OrderId) -> Result<Option<Payment>> {
        let row = repo::by_order(&mut self.db.get().await?, order_id).await?;
        row.map(|row| self.view(&row)).transpose()
    }

    async fn webhook(&self, provider: String, signature: String, body: Blob) -> Result<()> {
        self.take_webhook(&provider, &signature, &body.0).await
    }

    async fn confirm_test_step(&self, reference: String, accept: bool) -> Result<()> {
        self.test_provider()?.confirm(&reference, accept).await
    }

    async fn reconcile(&self) -> Result<ReconcileReport> {
        self.compare_all().await
    }

    async fn ledger(&self, order_id: OrderId) -> Result<Vec<LedgerEntry>> {
        let rows = repo::ledger::of_order(&mut self.db.get().await?, order_id).await?;
        let entry = |row: repo::ledger::Entry| {
            let currency = row.currency.parse().map_err(Error::internal)?;
            Ok(LedgerEntry {
                order_id: row.order_id,
                transaction_id: row.transaction_id,
                account: row.account,
                amount: Money::new(row.amount, currency),
                at: row.at,
            })
        };
        rows.into_iter().map(entry).collect()
    }

    async fn import(&self, payments: Vec<ImportPayment>) -> Result<()> {
        self.import_all(payments).await
    }
}

/// The provider did not answer in time: it may or may not have happened.
fn unknown(cause: &Error) -> Error {
    tracing::warn!(error = cause.chain(), "a provider's answer did not come");
    let detail = "the payment provider did not answer in time; ask again";
    Error::new(Kind::Unavailable, "payment_unknown", detail).retry_after(2)
}

/// Amounts that move are at least one minor unit.
fn positive(amount: Money) -> Result<()> {
    if amount.amount > 0 {
        return Ok(());
    }
    Err(Error::invalid("/amount", "out_of_range", "must be more than 0"))
}

#[cfg(test)]
mod tests;

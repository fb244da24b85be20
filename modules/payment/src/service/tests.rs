use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use contracts::payment::{PaymentChanged, PaymentState};
use diesel_async::SimpleAsyncConnection;
use shared::{Currency, Time, db, events, events::Envelope, time::ManualClock};
use tempfile::TempDir;

use super::*;
use crate::provider::{Answer, Changes, Handle, Intent, Lookup, Truth, WebhookEvent, test::NAME};

mod chaos;
mod money;
mod reconcile;
mod tokens;
mod webhooks;

/// A payment module on its own database.
struct Shop {
    _folder: TempDir,
    db: Db,
    clock: Arc<ManualClock>,
    service: Arc<Service>,
    heard: Arc<Mutex<Vec<Envelope>>>,
}

fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

fn settings() -> Settings {
    Settings { public_url: "https://shop.example/".to_owned(), ..Settings::default() }
}

fn signer() -> Signer {
    Signer::new(b"a secret of the shop")
}

impl Shop {
    async fn open() -> Self {
        Self::with(settings()).await
    }

    async fn with(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(Time::from_micros(1_800_000_000_000_000));
        let options = db::Options { clock: clock.clone(), ..db::Options::default() };
        let url = shared::testing::relational(folder.path(), "orders").await.unwrap();
        let db = Db::open(&url, &options).await.unwrap();
        db.migrate(&[events::MIGRATIONS, crate::MIGRATIONS]).await.unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ear = heard.clone();
        db.watch(Arc::new(move |events| ear.lock().unwrap().extend_from_slice(events)));
        let service = Service::new(db.clone(), clock.clone(), signer(), CrashPoints::none(), settings);
        Self { _folder: folder, db, clock, service, heard }
    }

    fn test(&self) -> Arc<TestProvider> {
        self.service.test.clone().unwrap()
    }

    /// The process dies and another one starts, with a bad line to the provider or a good one.
    fn restart(&mut self, line: Option<Line>) {
        let old = self.service.settings().clone();
        let service =
            Service::new(self.db.clone(), self.clock.clone(), signer(), CrashPoints::none(), old.clone());
        let Some(line) = line else {
            self.service = service;
            return;
        };
        let bad = BadLine { provider: service.test.clone().unwrap(), line, dice: AtomicU64::new(7) };
        let (test, news) = (service.test.clone(), service.news.clone());
        let none = CrashPoints::none();
        self.service = Service::assemble(
            self.db.clone(),
            self.clock.clone(),
            none,
            old,
            vec![Arc::new(bad)],
            test,
            news,
        );
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    async fn authorize(&self, order_id: OrderId, amount: i64, token: &str) -> Result<Payment> {
        self.service.authorize(request(order_id, amount, token)).await
    }

    /// An order with `amount` held.
    async fn held(&self, amount: i64) -> OrderId {
        let order_id = OrderId::new();
        let payment = self.authorize(order_id, amount, "tok_ok").await.unwrap();
        assert_eq!(payment.status, PaymentState::Authorized);
        order_id
    }

    async fn capture(&self, order_id: OrderId, amount: i64) -> Result<Payment> {
        self.service.capture(order_id, CaptureId::new(), eur(amount)).await
    }

    async fn refund(&self, order_id: OrderId, amount: i64) -> Result<Payment> {
        self.service.refund(order_id, RefundId::new(), eur(amount), "changed their mind".to_owned()).await
    }

    async fn payment(&self, order_id: OrderId) -> Payment {
        self.service.of_order(order_id).await.unwrap().unwrap()
    }

    async fn truth(&self, order_id: OrderId) -> Truth {
        self.test().fetch(&Lookup::Order(order_id)).await.unwrap().unwrap()
    }

    /// Delivers and works off all messages.
    async fn hear(&self) {
        self.service.deliver_test_messages().await.unwrap();
        self.service.work_webhooks().await.unwrap();
    }

    async fn sql(&self, sql: &str) {
        let sql = sql.to_owned();
        self.db
            .transaction(async move |tx| Ok(shared::on!(tx, |c| c.batch_execute(&sql).await)?))
            .await
            .unwrap();
    }

    /// I3 and I13 for one order: what the provider has is what our ledger has, and debits equal credits.
    async fn assert_books(&self, order_id: OrderId) {
        let (ours, truth) = (self.payment(order_id).await, self.truth(order_id).await);
        let ledger = self.service.ledger(order_id).await.unwrap();
        let sum = |account: &str| {
            ledger.iter().filter(|e| e.account == account).map(|e| e.amount.amount).sum::<i64>()
        };
        assert_eq!(ledger.iter().map(|e| e.amount.amount).sum::<i64>(), 0);
        assert_eq!(sum("provider"), truth.captured - truth.refunded, "{ours:?} {truth:?}");
        assert_eq!((-sum("sales"), sum("refunds")), (ours.captured.amount, ours.refunded.amount));
        assert_eq!((ours.captured.amount, ours.refunded.amount), (truth.captured, truth.refunded));
    }

    /// The states an order's payment was heard to have, in the order of the events.
    fn said(&self, order_id: OrderId) -> Vec<PaymentState> {
        let heard = self.heard.lock().unwrap();
        let events =
            heard.iter().map(|event| (event.sequence, event.parse::<PaymentChanged>().unwrap().payment));
        let of_order: Vec<_> = events.filter(|(_, payment)| payment.order_id == order_id).collect();
        assert!(of_order.windows(2).all(|two| two[0].0 < two[1].0), "sequences grow");
        of_order.into_iter().map(|(_, payment)| payment.status).collect()
    }
}

fn request(order_id: OrderId, amount: i64, token: &str) -> Authorize {
    Authorize {
        order_id,
        amount: eur(amount),
        provider: NAME.to_owned(),
        token: Some(token.to_owned()),
        email: "ada@example.com".parse().unwrap(),
    }
}

/// How bad a line is.
#[derive(Clone, Copy)]
enum Line {
    /// Loses requests and replies at random.
    Lossy,
    /// The named operation happens, and its answer never comes.
    SilentAfter(&'static str),
}

/// The `test` provider at the end of a bad line.
struct BadLine {
    provider: Arc<TestProvider>,
    line: Line,
    dice: AtomicU64,
}

impl BadLine {
    /// One of a hundred, from a fixed seed.
    fn roll(&self) -> u64 {
        roll(&self.dice)
    }

    async fn send<T>(&self, operation: &str, act: impl Future<Output = Result<T>>) -> Result<T> {
        let lost = || Err(Error::unavailable("lost on the way"));
        match self.line {
            Line::Lossy if self.roll() < 15 => lost(),
            Line::Lossy => match act.await {
                Ok(_) if self.roll() < 35 => lost(),
                result => result,
            },
            Line::SilentAfter(name) if name == operation => {
                act.await?;
                std::future::pending().await
            }
            Line::SilentAfter(_) => act.await,
        }
    }
}

/// One of a hundred, from a seed (a 64-bit linear congruential generator).
fn roll(dice: &AtomicU64) -> u64 {
    let next =
        |seed: u64| seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let seed = dice.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |seed| Some(next(seed))).unwrap();
    (next(seed) >> 33) % 100
}

#[async_trait]
impl Provider for BadLine {
    fn name(&self) -> &'static str {
        self.provider.name()
    }
    fn check_token(&self, token: Option<&str>) -> Result<()> {
        self.provider.check_token(token)
    }
    async fn authorize(&self, intent: &Intent) -> Result<Answer> {
        self.send("authorize", self.provider.authorize(intent)).await
    }
    async fn capture(&self, handle: &Handle, key: &str, amount: Money) -> Result<()> {
        self.send("capture", self.provider.capture(handle, key, amount)).await
    }
    async fn void(&self, handle: &Handle) -> Result<()> {
        self.send("void", self.provider.void(handle)).await
    }
    async fn refund(&self, handle: &Handle, key: &str, amount: Money) -> Result<()> {
        self.send("refund", self.provider.refund(handle, key, amount)).await
    }
    async fn fetch(&self, lookup: &Lookup) -> Result<Option<Truth>> {
        self.send("fetch", self.provider.fetch(lookup)).await
    }
    async fn list_changed(&self, since: Time, page: Option<String>) -> Result<Changes> {
        self.send("list", self.provider.list_changed(since, page)).await
    }
    fn verify_webhook(&self, signature: &str, body: &[u8], now: Time) -> Result<WebhookEvent> {
        self.provider.verify_webhook(signature, body, now)
    }
}

/// Waits until `condition` holds.
async fn until<F: Future<Output = bool>>(condition: impl Fn() -> F) {
    let wait = async {
        while !condition().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("the condition holds in time");
}

mod cancel;
mod change;
mod checkout;
mod idempotency;
mod import;
mod money;
pub(crate) mod parcels;
mod persons;
mod read;
mod refunds;
pub(crate) mod view;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use contracts::{
    Actor,
    cart::Carts,
    order::{
        Checkout, FulfillmentStatus, ImportOrder, NewOrderShipment, NewRefund, Order, OrderFilter, OrderId,
        OrderPaymentStatus, OrderStatus, OrderSummary, Orders, Principal, SalesSummary, TransitionTable,
        Viewer,
    },
    payment::Payments,
    product::stock::Stock,
    shipping::{ShipmentId, ShipmentUpdate, Shipping},
};
use shared::{
    Clock, Error, Money, Page, PageRequest, Result, Time, crash::CrashPoints, db::Db, rpc::deadline,
    signer::Signer, telemetry, values::Email,
};
use tokio::{sync::Notify, time::Instant};

use crate::{model, settings::Settings};

pub(crate) use change::Change;

/// What an answer needs on its way.
const MARGIN: Duration = Duration::from_millis(300);

/// Orders: see the crate. A clone is another handle to the same.
#[derive(Clone)]
pub struct Service {
    pub(crate) db: Db,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) signer: Signer,
    pub(crate) crash: CrashPoints,
    pub(crate) carts: Arc<dyn Carts>,
    pub(crate) stock: Arc<dyn Stock>,
    pub(crate) payments: Arc<dyn Payments>,
    pub(crate) shipping: Arc<dyn Shipping>,
    pub(crate) settings: Arc<Settings>,
    /// A saga has become due.
    pub(crate) due: Arc<Notify>,
    /// A driver has come to rest.
    pub(crate) rested: Arc<Notify>,
}

impl Service {
    /// `signer` makes the orders' tokens; `crash` is [`CrashPoints::none`] outside fault tests.
    #[expect(clippy::too_many_arguments, reason = "each is a collaborator of its own")]
    pub fn new(
        db: Db,
        clock: Arc<dyn Clock>,
        signer: Signer,
        crash: CrashPoints,
        carts: Arc<dyn Carts>,
        stock: Arc<dyn Stock>,
        payments: Arc<dyn Payments>,
        shipping: Arc<dyn Shipping>,
        settings: Settings,
    ) -> Arc<Self> {
        Arc::new(Self {
            db,
            clock,
            signer,
            crash,
            carts,
            stock,
            payments,
            shipping,
            settings: Arc::new(settings),
            due: Arc::default(),
            rested: Arc::default(),
        })
    }

    /// Until when whoever asks is told what has become of it: a little before nobody listens any more.
    fn answer_by(&self) -> Instant {
        let most = Instant::now() + self.settings.checkout_deadline();
        let wanted = deadline::current().and_then(|until| until.checked_sub(MARGIN));
        wanted.map_or(most, |until| most.min(until.into()))
    }

    /// Runs `work` to its end even if the caller goes away.
    async fn detached<T, F>(&self, work: impl FnOnce(Self) -> F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let task = tokio::spawn(telemetry::carry(work(self.clone())));
        task.await.map_err(Error::internal)?
    }

    /// Calls another module, which may not keep us waiting for ever. Never inside a transaction.
    pub(crate) async fn call<T>(&self, whom: &str, call: impl Future<Output = Result<T>>) -> Result<T> {
        match tokio::time::timeout(self.settings.call_timeout(), call).await {
            Ok(answer) => answer,
            Err(_) => Err(Error::unavailable(format!("{whom} did not answer in time"))),
        }
    }
}

#[async_trait]
impl Orders for Service {
    async fn checkout(&self, request: Checkout, principal: Principal) -> Result<Order> {
        let until = self.answer_by();
        self.detached(async move |service| service.check_out(request, principal, until).await).await
    }

    async fn find(&self, id: OrderId, viewer: Viewer) -> Result<Order> {
        self.read(id, &viewer).await
    }

    async fn track(&self, number: String, email: Email) -> Result<Order> {
        self.read_by_number(&number, &email).await
    }

    async fn list(&self, filter: OrderFilter, page: PageRequest) -> Result<Page<OrderSummary>> {
        self.page(filter, page).await
    }

    async fn cancel(&self, id: OrderId, reason: Option<String>, viewer: Viewer) -> Result<Order> {
        let until = self.answer_by();
        self.detached(async move |service| service.cancel_order(id, reason, viewer, until).await).await
    }

    async fn capture(&self, id: OrderId, amount: Option<Money>, key: String, actor: Actor) -> Result<Order> {
        self.detached(async move |service| service.capture_order(id, amount, key, actor).await).await
    }

    async fn refund(&self, id: OrderId, refund: NewRefund, key: String, actor: Actor) -> Result<Order> {
        let until = self.answer_by();
        self.detached(async move |service| service.refund_order(id, refund, key, actor, until).await).await
    }

    async fn ship(
        &self,
        id: OrderId,
        shipment: NewOrderShipment,
        key: String,
        actor: Actor,
    ) -> Result<Order> {
        self.detached(async move |service| service.ship_order(id, shipment, key, actor).await).await
    }

    async fn update_shipment(&self, id: ShipmentId, update: ShipmentUpdate, actor: Actor) -> Result<Order> {
        self.detached(async move |service| service.move_shipment(id, update, actor).await).await
    }

    async fn add_note(&self, id: OrderId, text: String, actor: Actor) -> Result<Order> {
        self.note(id, text, actor).await
    }

    async fn summary(&self, from: Time, to: Time) -> Result<SalesSummary> {
        self.sum_up(from, to).await
    }

    async fn transitions(&self) -> Result<Vec<TransitionTable>> {
        Ok(vec![
            model::table::<OrderStatus>(),
            model::table::<OrderPaymentStatus>(),
            model::table::<FulfillmentStatus>(),
        ])
    }

    async fn import(&self, orders: Vec<ImportOrder>) -> Result<u32> {
        self.import_orders(orders).await
    }
}

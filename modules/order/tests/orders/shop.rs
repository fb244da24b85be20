//! A shop with one real module, the orders, on a database of its own.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use contracts::{
    Actor, Address, cart,
    cart::{CartId, PricedCart},
    customer::CustomerId,
    idempotency::Idempotency,
    order::{Checkout, CheckoutPayment, Order, OrderId, OrderStatus, Orders, Principal, Viewer},
    payment::{self, PaymentChanged, PaymentState},
    product::{VariantId, stock},
    shipping::{self, MethodId},
};
use order::{Service, Settings};
use shared::{
    Id, Result, Time,
    crash::CrashPoints,
    db::{Db, Options},
    events::{Envelope, Event},
    signer::Signer,
    time::ManualClock,
};

use crate::{
    goods::{cart, line},
    world::{Hold, World},
};

pub struct Shop {
    _folder: tempfile::TempDir,
    pub db: Db,
    pub clock: Arc<ManualClock>,
    pub world: Arc<World>,
    pub said: Arc<Mutex<Vec<Envelope>>>,
    pub service: Arc<Service>,
    settings: Settings,
}

pub const STAFF: fn() -> Actor = || Actor::Staff(CustomerId::derived("staff"));

impl Shop {
    pub async fn open() -> Self {
        Self::with(Settings { checkout_deadline_seconds: 2, ..Settings::default() }).await
    }

    pub async fn with(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(Time::from_micros(1_800_000_000_000_000));
        let url = shared::testing::relational(folder.path(), "orders").await.unwrap();
        let db = Db::open(&url, &Options { clock: clock.clone(), ..Options::default() }).await.unwrap();
        db.migrate(&[shared::events::MIGRATIONS, order::MIGRATIONS]).await.unwrap();
        let said: Arc<Mutex<Vec<Envelope>>> = Arc::default();
        let heard = said.clone();
        db.watch(Arc::new(move |events| heard.lock().unwrap().extend_from_slice(events)));
        let world = Arc::new(World::default());
        world.lock().coupon_limit = usize::MAX;
        let service = service(&db, &clock, &world, &settings);
        Self { _folder: folder, db, clock, world, said, service, settings }
    }

    /// The process died; the next one begins.
    pub async fn restart(&mut self) {
        self.world.heal();
        self.service = service(&self.db, &self.clock, &self.world, &self.settings);
        self.service.recover().await.unwrap();
        self.work().await;
    }

    /// Everything that is due is done.
    pub async fn work(&self) {
        let work = async { while self.service.work().await.unwrap() > 0 {} };
        tokio::time::timeout(Duration::from_secs(20), work).await.expect("work comes to an end");
    }

    /// Time goes by, and the worker with it.
    pub async fn later(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.work().await;
    }

    pub fn stock(&self, units: i64) -> VariantId {
        let variant = VariantId::new();
        self.world.lock().on_hand.insert(variant, units);
        variant
    }

    pub fn put(&self, cart: PricedCart) -> CartId {
        let id = cart.cart_id;
        self.world.lock().carts.insert(id, cart);
        id
    }

    /// Two lines of ten and four units in stock: 3 x 10.00 and 1 x 5.55, shipping 4.90, coupon 2.00.
    pub fn cart(&self) -> CartId {
        let (tea, pot) = (self.stock(10), self.stock(4));
        self.put(cart(vec![line(tea, 3, 1000), line(pot, 1, 555)], 490, 200))
    }

    pub async fn checkout(&self, cart: CartId, token: &str, key: &str) -> Result<Order> {
        self.service
            .checkout(request(cart, token), Principal { customer_id: None, group: None, key: key.to_owned() })
            .await
    }

    /// A placed order of [`Shop::cart`].
    pub async fn placed(&self) -> Order {
        self.checkout(self.cart(), "tok_ok", "k").await.unwrap()
    }

    pub async fn find(&self, id: OrderId) -> Order {
        self.service.find(id, Viewer::System).await.unwrap()
    }

    /// The only order of a cart that is not cancelled, or the last one that is.
    pub async fn order_of(&self, cart: CartId) -> Order {
        let page = shared::PageRequest { limit: 100, cursor: None };
        let all = self.service.list(Default::default(), page).await.unwrap().data;
        let mut found = Vec::new();
        for summary in all {
            found.push(self.find(summary.id).await);
        }
        found.retain(|order| order.cart_id == cart);
        let live = found.iter().filter(|order| order.status != OrderStatus::Cancelled).count();
        assert!(live <= 1, "a cart has {live} orders");
        found.sort_by_key(|order| order.status == OrderStatus::Cancelled);
        found.remove(0)
    }

    pub async fn hear<E: Event>(&self, aggregate: impl ToString, sequence: i64, event: &E) {
        self.service.consumers()[0].handle(&envelope(aggregate, sequence, event)).await.unwrap();
    }

    /// The payment module tells what it knows of this order.
    pub async fn payment_news(&self, order: OrderId) {
        let (news, payment) = {
            let state = self.world.lock();
            (state.news, state.payments[&order].clone())
        };
        self.hear(order, news, &PaymentChanged { payment }).await;
    }

    pub fn events(&self, kind: &str) -> usize {
        self.said.lock().unwrap().iter().filter(|event| event.kind == kind).count()
    }

    pub fn said<E: Event>(&self) -> Vec<E> {
        let said = self.said.lock().unwrap();
        said.iter().filter(|event| event.is::<E>()).map(|event| event.parse().unwrap()).collect()
    }

    /// The one rule: placed, paid, sold and closed; or cancelled and everything given back. And the way there was legal.
    pub async fn is_settled(&self, id: OrderId) -> Order {
        let order = self.find(id).await;
        self.is_legal(&order).await;
        let state = self.world.lock();
        let hold = state.holds.get(&id).map(|(_, hold)| hold);
        let payment = state.payments.get(&id);
        match order.status {
            OrderStatus::Placed | OrderStatus::Completed => {
                assert_eq!(hold, Some(&Hold::Sold), "goods are sold");
                assert_eq!(state.completed.get(&order.cart_id), Some(&id), "the cart is closed");
                assert_eq!(state.coupons.contains(&id), !order.discounts.is_empty());
                let paid = payment.map_or(0, |payment| payment.captured.amount);
                assert_eq!((paid, order.captured_total.amount), (order.total.amount, order.total.amount));
            }
            OrderStatus::Cancelled => {
                assert_ne!(hold, Some(&Hold::Reserved), "nothing is held");
                assert!(!state.coupons.contains(&id), "the coupon is back");
                if let Some(payment) = payment {
                    assert_eq!(payment.captured, payment.refunded, "the money is back");
                    assert_ne!(payment.status, PaymentState::Authorized, "nothing is blocked on the card");
                    assert_eq!(order.refunded_total, payment.refunded);
                }
            }
            OrderStatus::Pending => panic!("an order ends placed or cancelled"),
        }
        order
    }

    /// Every move on the timeline is in the published tables, and one begins where the other ended.
    pub async fn is_legal(&self, order: &Order) {
        for table in self.service.transitions().await.unwrap() {
            let mut at: Option<String> = None;
            for entry in order.timeline.iter().filter(|entry| entry.kind == table.state) {
                let to = entry.to.clone().expect("a move has a goal");
                if let Some(from) = &entry.from {
                    assert!(
                        at.as_ref().is_none_or(|at| at == from),
                        "{} jumped from {at:?} to {from}",
                        table.state
                    );
                    assert!(table.moves.iter().any(|m| (&m.from, &m.to) == (from, &to)), "{from} -> {to}");
                }
                at = Some(to);
            }
        }
    }
}

fn service(db: &Db, clock: &Arc<ManualClock>, world: &Arc<World>, settings: &Settings) -> Arc<Service> {
    Service::new(
        db.clone(),
        clock.clone(),
        Signer::new(b"a secret of tests"),
        CrashPoints::none(),
        Arc::new(cart::Client(world.clone())),
        Arc::new(stock::Client(world.clone())),
        Arc::new(payment::Client(world.clone())),
        Arc::new(shipping::Client(world.clone())),
        settings.clone(),
    )
}

pub fn answers(shop: &Shop) -> Arc<dyn Idempotency> {
    shop.service.clone()
}

pub fn envelope<E: Event>(aggregate: impl ToString, sequence: i64, event: &E) -> Envelope {
    Envelope {
        id: Id::new(),
        kind: E::TYPE.to_owned(),
        version: E::VERSION,
        module: "test".to_owned(),
        occurred_at: Time::from_micros(0),
        aggregate_id: aggregate.to_string(),
        sequence,
        traceparent: None,
        data: serde_json::to_value(event).unwrap(),
    }
}

pub fn address() -> Address {
    Address {
        name: "Ada Lovelace".into(),
        company: None,
        line1: "1 Engine Road".into(),
        line2: None,
        city: "London".into(),
        region: None,
        postal_code: "N1".into(),
        country: "GB".parse().unwrap(),
        phone: None,
    }
}

pub fn request(cart_id: CartId, token: &str) -> Checkout {
    Checkout {
        cart_id,
        email: "ada@example.com".parse().unwrap(),
        shipping_address: address(),
        billing_address: None,
        shipping_option_id: MethodId::new(),
        payment: CheckoutPayment { provider: "test".into(), token: Some(token.to_owned()) },
        expected_total: None,
    }
}

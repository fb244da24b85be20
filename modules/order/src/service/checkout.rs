//! The checkout, as the shopper's request sees it: begin the saga, or find it begun, and tell how it ended.

use std::time::Duration;

use contracts::{
    Address,
    cart::{self, CartId, Destination, PriceRequest, PricedCart},
    order::{
        Checkout, FulfillmentStatus, Order, OrderId, OrderPayment, OrderPaymentStatus, OrderStatus,
        Principal, Viewer,
    },
    payment::PaymentState,
};
use shared::{Error, Kind as Why, Money, Result, values};
use tokio::time::Instant;

use super::{Service, view};
use crate::{
    model, repo,
    rows::{Addresses, Json, LineRow, OrderRow, Pricing, SagaRow, TimelineRow, Word},
    saga::{self, Cancelling, Kind, Outcome, Payload, Saga, SagaState, Step, Times},
};

/// What there was when a checkout wanted to begin.
enum Begun {
    /// Nothing: this request drives its own order.
    Mine(Box<Saga>),
    /// The order of the same key.
    Same(OrderId),
    /// The cart's order of another key; and whether the cart has changed since it was made.
    Other(OrderId, bool),
}

/// How far an order has come.
enum Standing {
    Placed,
    /// For the shopper.
    Waits(Box<SagaRow>),
    Ended(Option<Error>),
    OnItsWay,
}

impl Service {
    pub(super) async fn check_out(
        &self,
        request: Checkout,
        principal: Principal,
        deadline: Instant,
    ) -> Result<Order> {
        let request = validated(request)?;
        loop {
            match self.begin(&request, &principal).await? {
                // It was cancelled in this moment, or the number was taken.
                None => {}
                Some(Begun::Mine(saga)) => return self.drive_until(*saga, deadline).await,
                Some(Begun::Same(id)) => return self.join(id, deadline).await,
                Some(Begun::Other(id, changed)) => self.make_way(id, changed, deadline).await?,
            }
            if Instant::now() >= deadline {
                return Err(unknown());
            }
        }
    }

    async fn drive_until(&self, saga: Saga, deadline: Instant) -> Result<Order> {
        let id = saga.order.id;
        match tokio::time::timeout_at(deadline, self.launch(saga)).await {
            Ok(Ok(Outcome::Placed(order))) => Ok(*order),
            Ok(Ok(Outcome::Failed(error))) => Err(error),
            Ok(Ok(Outcome::Rests)) => self.join(id, deadline).await,
            Ok(Err(panic)) => Err(Error::internal(panic)),
            Err(_) => Err(unknown()),
        }
    }

    /// Tells how the order of the same key ends, and drives it on if nobody does.
    pub(super) async fn join(&self, id: OrderId, deadline: Instant) -> Result<Order> {
        match self.settle(id, deadline).await? {
            Standing::Placed | Standing::Waits(_) | Standing::Ended(None) => {
                self.read(id, &Viewer::System).await
            }
            Standing::Ended(Some(failure)) => Err(failure),
            Standing::OnItsWay => Err(unknown()),
        }
        .map(without_notes)
    }

    /// Another request has the cart. Its order is the cart's, if it is placed; if it waits for a shopper who has
    /// gone elsewhere, or for whom the cart has changed since, it gives way.
    async fn make_way(&self, id: OrderId, changed: bool, deadline: Instant) -> Result<()> {
        let conflict = |code, detail| Err(Error::conflict(code, detail).with("order_id", id.to_string()));
        match self.settle(id, deadline).await? {
            Standing::Placed => conflict("cart_completed", "this cart is an order already"),
            Standing::Ended(_) => Ok(()),
            Standing::OnItsWay => Err(unknown()),
            Standing::Waits(saga) => {
                let waits = self.clock.now().since(saga.updated_at);
                if waits < self.settings.supersede() && !changed {
                    return conflict("checkout_in_progress", "this cart is being paid for right now");
                }
                let failure =
                    Error::conflict("superseded", "a later checkout of the same cart took its place");
                self.turn_back(*saga, "superseded", failure, Cancelling { actor: None, message: None }).await
            }
        }
    }

    /// Waits until the order has come to rest, at most until `deadline`.
    async fn settle(&self, id: OrderId, deadline: Instant) -> Result<Standing> {
        loop {
            let rested = self.rested.notified();
            let (standing, due) = self.standing(id).await?;
            if !matches!(standing, Standing::OnItsWay) || Instant::now() >= deadline {
                return Ok(standing);
            }
            if due {
                self.resume(saga::checkout_id(id)).await?;
                continue;
            }
            // A driver in another process cannot wake us.
            let _ = tokio::time::timeout(Duration::from_millis(100), rested).await;
        }
    }

    async fn standing(&self, id: OrderId) -> Result<(Standing, bool)> {
        let mut conn = self.db.get().await?;
        let row = repo::find(&mut conn, id).await?;
        let saga = repo::sagas::get(&mut conn, saga::checkout_id(id)).await?;
        let standing = match (row.status.0, saga) {
            (OrderStatus::Placed | OrderStatus::Completed, _) => Standing::Placed,
            (OrderStatus::Cancelled, saga) => Standing::Ended(saga.and_then(|saga| saga.payload.0.failure)),
            (OrderStatus::Pending, Some(saga)) if saga.state.0 == SagaState::Waiting => {
                Standing::Waits(Box::new(saga))
            }
            (OrderStatus::Pending, Some(saga)) => {
                return Ok((Standing::OnItsWay, saga.next_at <= self.clock.now()));
            }
            (OrderStatus::Pending, None) => Standing::OnItsWay,
        };
        Ok((standing, false))
    }

    async fn begin(&self, request: &Checkout, principal: &Principal) -> Result<Option<Begun>> {
        let key = checkout_key(request, principal);
        if let Some(begun) = self.same(&key, request.cart_id).await? {
            return Ok(Some(begun));
        }
        let ask = PriceRequest {
            viewer: cart::Viewer { customer_id: principal.customer_id, group: principal.group.clone() },
            email: request.email.clone(),
            destination: Destination::from(&request.shipping_address),
            shipping_option_id: request.shipping_option_id,
        };
        let priced = match self.call("cart", self.carts.price(request.cart_id, ask)).await {
            Ok(priced) => priced,
            // The same key may have placed its order since we looked.
            Err(error) if error.code == "cart_completed" => {
                return self.same(&key, request.cart_id).await?.map(Some).ok_or(error);
            }
            Err(error) => return Err(error),
        };
        model::check_sums(&priced)?;
        as_expected(request.expected_total, priced.totals.total)?;
        let version = priced.version;
        match self.insert(request, principal, key.clone(), priced).await {
            Err(error) if repo::is_taken(&error) => {}
            saga => return saga.map(|saga| Some(Begun::Mine(Box::new(saga)))),
        }
        if let Some(begun) = self.same(&key, request.cart_id).await? {
            return Ok(Some(begun));
        }
        let other = repo::live_by_cart(&mut self.db.get().await?, request.cart_id).await?;
        Ok(other.map(|(id, of)| Begun::Other(id, of != version)))
    }

    async fn same(&self, key: &str, cart: CartId) -> Result<Option<Begun>> {
        match repo::live_by_key(&mut self.db.get().await?, key).await? {
            Some((_, other)) if other != cart => {
                let detail = "this key was used for the checkout of another cart";
                Err(Error::new(Why::Invalid, "idempotency_key_reused", detail))
            }
            found => Ok(found.map(|(id, _)| Begun::Same(id))),
        }
    }

    /// Order, lines, the first row of the timeline and the saga, in one transaction.
    async fn insert(
        &self,
        request: &Checkout,
        principal: &Principal,
        key: String,
        priced: PricedCart,
    ) -> Result<Saga> {
        let now = self.clock.now();
        let order = new_order(request, principal, key, &priced, now);
        let position = |(position, line)| LineRow::new(order.id, position, line);
        let lines: Vec<LineRow> = priced.lines.into_iter().enumerate().map(position).collect();
        let mut payload = Payload::new(view::shopper(order.customer_id));
        payload.token = request.payment.token.clone();
        let lease = now.after(self.settings.lease());
        let times = Times { now, lease, deadline: now.after(self.settings.reservation()) };
        let id = saga::checkout_id(order.id);
        let row = saga::row(id, order.id, (Kind::Checkout, Step::Reserve), payload, times);
        let saga = Saga { row, order, lines, fresh: true, placed: None };
        let (order, lines, row) = (saga.order.clone(), saga.lines.clone(), saga.row.clone());
        self.db
            .transaction(async move |tx| {
                repo::insert(tx, &order).await?;
                for line in &lines {
                    repo::lines::insert(tx, line).await?;
                }
                repo::parts::insert_entry(tx, &created(&order, &row)).await?;
                repo::sagas::insert(tx, &row).await?;
                Ok(())
            })
            .await?;
        self.crash.pass("saga.created");
        Ok(saga)
    }
}

/// Keys of different people are different keys. A guest is known by the cart, whose id is a secret.
fn checkout_key(request: &Checkout, principal: &Principal) -> String {
    match principal.customer_id {
        Some(id) => format!("{id} {}", principal.key),
        None => format!("{} {}", request.cart_id, principal.key),
    }
}

/// `Conflict/price_changed` with the new `total`: nobody pays what they were not shown.
fn as_expected(expected: Option<Money>, total: Money) -> Result<()> {
    if expected.is_none_or(|expected| expected == total) {
        return Ok(());
    }
    Err(Error::conflict("price_changed", "the total is not the one that was shown")
        .with("total", serde_json::json!(total)))
}

fn validated(mut request: Checkout) -> Result<Checkout> {
    let address = |address: Address, pointer| address.validated().map_err(|error| error.under(pointer));
    request.shipping_address = address(request.shipping_address, "/shipping_address")?;
    request.billing_address = request.billing_address.map(|a| address(a, "/billing_address")).transpose()?;
    request.payment.provider = values::text("/payment/provider", &request.payment.provider, 50)?;
    Ok(request)
}

/// The order goes on or is cancelled by itself; the same key tells.
pub(super) fn unknown() -> Error {
    let detail = "the payment is not confirmed yet; ask again with the same key";
    Error::new(Why::Unavailable, "payment_unknown", detail).retry_after(2)
}

fn without_notes(mut order: Order) -> Order {
    order.timeline.retain(|entry| entry.kind != "note");
    order
}

fn new_order(
    request: &Checkout,
    principal: &Principal,
    key: String,
    priced: &PricedCart,
    now: shared::Time,
) -> OrderRow {
    let billing = request.billing_address.clone().unwrap_or_else(|| request.shipping_address.clone());
    let free = priced.totals.total.is_zero();
    OrderRow {
        id: OrderId::in_bucket(model::bucket(&request.email)),
        number: model::number(rand::random()),
        cart_id: priced.cart_id,
        cart_version: priced.version,
        checkout_key: key,
        customer_id: principal.customer_id.or(priced.customer_id),
        email: Word(request.email.clone()),
        name: request.shipping_address.name.clone(),
        status: Word(OrderStatus::Pending),
        payment_status: Word(OrderPaymentStatus::Awaiting),
        fulfillment_status: Word(FulfillmentStatus::Unfulfilled),
        currency: Word(priced.currency),
        addresses: Json(Addresses { shipping: request.shipping_address.clone(), billing }),
        pricing: Json(Pricing {
            shipping: priced.shipping.clone(),
            discounts: priced.discounts.clone(),
            tax_lines: priced.tax_lines.clone(),
        }),
        payment: Json(OrderPayment {
            provider: if free { "none".to_owned() } else { request.payment.provider.clone() },
            status: PaymentState::Pending,
            next_action: None,
            decline_code: None,
        }),
        payment_sequence: -1,
        subtotal: priced.totals.subtotal.amount,
        discount_total: priced.totals.discount.amount,
        shipping_total: priced.totals.shipping.amount,
        tax_total: priced.totals.tax.amount,
        total: priced.totals.total.amount,
        captured_total: 0,
        refunded_total: 0,
        prices_include_tax: priced.prices_include_tax,
        line_count: i64::try_from(priced.lines.len()).unwrap_or(i64::MAX),
        units: priced.lines.iter().map(|line| line.quantity).sum(),
        cancel_reason: None,
        created_at: now,
        placed_at: None,
        updated_at: now,
        version: 1,
    }
}

fn created(order: &OrderRow, saga: &SagaRow) -> TimelineRow {
    TimelineRow {
        order_id: order.id,
        version: order.version,
        position: 0,
        at: order.created_at,
        kind: "status".to_owned(),
        moved_from: None,
        moved_to: Some("pending".to_owned()),
        message: None,
        actor: saga.payload.0.actor.to_column(),
    }
}

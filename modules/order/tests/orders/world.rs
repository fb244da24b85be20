//! The other modules, as small honest doubles behind one transport: stateful, idempotent by id, and unreliable on demand.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use async_trait::async_trait;
use contracts::{
    Actor,
    cart::{CartId, PriceRequest, PricedCart, PromotionId, Viewer},
    order::OrderId,
    payment::{Authorize, CaptureId, NextAction, Payment, PaymentId, PaymentState, RefundId},
    product::{
        VariantId,
        stock::{MovementId, StockLine},
    },
    shipping::{NewShipment, Shipment, ShipmentId, ShipmentStatus, ShipmentUpdate, TrackingEvent},
};
use shared::{
    Error, Kind, Money, Result, Time,
    rpc::{Method, Transport, arguments},
    values::Email,
};
use tokio::sync::Notify;

use crate::goods::eur;

/// What goes wrong with the next call of a method.
#[derive(Clone)]
pub enum Fault {
    /// It says no, or nothing, and has done nothing.
    Refuse(Error),
    /// It has done it, and the answer is lost.
    LoseReply,
    /// The process dies before the call, or right after it.
    DieBefore,
    DieAfter,
    /// It answers when told to.
    Hold(Arc<Notify>),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Hold {
    Reserved,
    Sold,
    Released,
}

#[derive(Default)]
pub struct State {
    pub calls: Vec<String>,
    faults: HashMap<String, VecDeque<Fault>>,
    pub on_hand: HashMap<VariantId, i64>,
    pub holds: HashMap<OrderId, (Vec<StockLine>, Hold)>,
    movements: HashSet<MovementId>,
    pub carts: HashMap<CartId, PricedCart>,
    /// For whom carts were priced.
    pub viewers: Vec<Viewer>,
    pub completed: HashMap<CartId, OrderId>,
    pub coupon_limit: usize,
    pub coupons: HashSet<OrderId>,
    pub payments: HashMap<OrderId, Payment>,
    pub news: i64,
    captures: HashSet<CaptureId>,
    refunds: HashSet<RefundId>,
    pub shipments: HashMap<ShipmentId, Shipment>,
}

#[derive(Default)]
pub struct World(Mutex<State>);

impl World {
    pub fn lock(&self) -> MutexGuard<'_, State> {
        // Simulated deaths happen outside the lock; a failed assertion inside must not hide itself.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The next call of `method`, such as `cart.price`, goes wrong; after it the one after that, if there are more.
    pub fn fault(&self, method: &str, fault: Fault) {
        self.lock().faults.entry(method.to_owned()).or_default().push_back(fault);
    }

    pub fn heal(&self) {
        self.lock().faults.clear();
    }

    pub fn count(&self, method: &str) -> usize {
        self.lock().calls.iter().filter(|call| *call == method).count()
    }

    /// Units that can be promised.
    pub fn available(&self, variant: VariantId) -> i64 {
        let state = self.lock();
        state.on_hand[&variant] - state.reserved(variant)
    }
}

#[async_trait]
impl Transport for World {
    async fn call(&self, Method { service, name: method, .. }: Method, args: Vec<u8>) -> Result<Vec<u8>> {
        let name = format!("{service}.{method}");
        let fault = {
            let mut state = self.lock();
            state.calls.push(name.clone());
            state.faults.get_mut(&name).and_then(VecDeque::pop_front)
        };
        match &fault {
            Some(Fault::Refuse(error)) => return Err(error.clone()),
            Some(Fault::DieBefore) => panic!("dies before {name}"),
            Some(Fault::Hold(gate)) => gate.notified().await,
            _ => {}
        }
        let answer = self.lock().answer(&name, &args);
        match fault {
            Some(Fault::LoseReply) => Err(Error::unavailable("the reply was lost")),
            Some(Fault::DieAfter) => panic!("dies after {name}"),
            _ => answer,
        }
    }
}

fn json<T: serde::Serialize>(value: T) -> Result<Vec<u8>> {
    Ok(serde_json::to_vec(&value)?)
}

impl State {
    fn answer(&mut self, name: &str, args: &[u8]) -> Result<Vec<u8>> {
        match name {
            "cart.price" => arguments(args).and_then(|(id, ask)| json(self.price(id, ask)?)),
            "cart.claim" => arguments(args).and_then(|(id, all, email)| json(self.claim(id, all, email)?)),
            "cart.release" => arguments(args).and_then(|(id,)| json(self.give_back(id)?)),
            "cart.complete" => arguments(args).and_then(|(cart, id)| json(self.complete(cart, id)?)),
            "product.stock.reserve" => {
                arguments(args).and_then(|(id, lines, _): (_, _, Time)| json(self.reserve(id, lines)?))
            }
            "product.stock.commit" => arguments(args).and_then(|(id,)| json(self.commit(id)?)),
            "product.stock.release" => arguments(args).and_then(|(id,)| json(self.release(id)?)),
            "product.stock.restock" => {
                arguments(args).and_then(|(id, order, lines, _): (_, OrderId, _, Actor)| {
                    json(self.restock(id, order, lines)?)
                })
            }
            "payment.authorize" => arguments(args).and_then(|(ask,)| json(self.authorize(ask)?)),
            "payment.capture" => {
                arguments(args).and_then(|(order, id, amount)| json(self.capture(order, id, amount)?))
            }
            "payment.void" => arguments(args).and_then(|(order,)| json(self.void(order)?)),
            "payment.refund" => arguments(args)
                .and_then(|(order, id, amount, _): (_, _, _, String)| json(self.refund(order, id, amount)?)),
            "payment.of_order" => {
                arguments(args).and_then(|(order,): (OrderId,)| json(self.payments.get(&order)))
            }
            "shipping.create_shipment" => arguments(args).and_then(|(new,)| json(self.create_shipment(new))),
            "shipping.update_shipment" => {
                arguments(args).and_then(|(id, update, actor)| json(self.update_shipment(id, update, actor)?))
            }
            other => panic!("nobody plays {other}"),
        }
    }

    fn reserved(&self, variant: VariantId) -> i64 {
        let held =
            self.holds.values().filter(|(_, hold)| *hold == Hold::Reserved).flat_map(|(lines, _)| lines);
        held.filter(|line| line.variant_id == variant).map(|line| line.quantity).sum()
    }

    fn price(&mut self, id: CartId, ask: PriceRequest) -> Result<PricedCart> {
        self.viewers.push(ask.viewer);
        if let Some(order) = self.completed.get(&id) {
            return Err(Error::conflict("cart_completed", "sold").with("order_id", order.to_string()));
        }
        self.carts.get(&id).cloned().ok_or_else(CartId::not_found)
    }

    fn claim(&mut self, id: OrderId, _: Vec<PromotionId>, _: Email) -> Result<()> {
        if !self.coupons.contains(&id) && self.coupons.len() >= self.coupon_limit {
            return Err(Error::conflict("coupon_exhausted", "used up"));
        }
        self.coupons.insert(id);
        Ok(())
    }

    fn complete(&mut self, cart: CartId, id: OrderId) -> Result<()> {
        match *self.completed.entry(cart).or_insert(id) {
            owner if owner == id => Ok(()),
            _ => Err(Error::conflict("cart_completed", "sold to somebody else")),
        }
    }

    fn reserve(&mut self, id: OrderId, lines: Vec<StockLine>) -> Result<()> {
        if matches!(self.holds.get(&id), Some((_, Hold::Reserved | Hold::Sold))) {
            return Ok(());
        }
        let mut sums: HashMap<VariantId, i64> = HashMap::new();
        for line in &lines {
            *sums.entry(line.variant_id).or_default() += line.quantity;
        }
        let short: Vec<_> = sums
            .iter()
            .map(|(id, wanted)| (id, wanted, self.on_hand[id] - self.reserved(*id)))
            .filter(|(_, wanted, available)| *wanted > available)
            .map(|(id, wanted, available)| {
                serde_json::json!({"variant_id": id, "requested": wanted, "available": available})
            })
            .collect();
        if short.is_empty() {
            self.holds.insert(id, (lines, Hold::Reserved));
            return Ok(());
        }
        Err(Error::conflict("out_of_stock", "not enough").with("available", short))
    }

    fn commit(&mut self, id: OrderId) -> Result<()> {
        let Some((lines, hold)) = self.holds.get_mut(&id) else {
            return Err(Error::conflict("reservation_expired", "no reservation"));
        };
        match hold {
            Hold::Sold => Ok(()),
            Hold::Released => Err(Error::conflict("reservation_expired", "too late")),
            Hold::Reserved => {
                *hold = Hold::Sold;
                for line in lines {
                    *self.on_hand.get_mut(&line.variant_id).expect("a known variant") -= line.quantity;
                }
                Ok(())
            }
        }
    }

    fn give_back(&mut self, id: OrderId) -> Result<()> {
        self.coupons.remove(&id);
        Ok(())
    }

    fn release(&mut self, id: OrderId) -> Result<()> {
        if let Some((_, hold @ Hold::Reserved)) = self.holds.get_mut(&id) {
            *hold = Hold::Released;
        }
        Ok(())
    }

    fn restock(&mut self, id: MovementId, _: OrderId, lines: Vec<StockLine>) -> Result<()> {
        if self.movements.insert(id) {
            for line in lines {
                *self.on_hand.get_mut(&line.variant_id).expect("a known variant") += line.quantity;
            }
        }
        Ok(())
    }

    fn authorize(&mut self, ask: Authorize) -> Result<Payment> {
        self.news += 1;
        let known = self.payments.entry(ask.order_id).or_insert_with(|| payment(&ask));
        if known.status != PaymentState::Pending {
            return Ok(known.clone());
        }
        match ask.token.as_deref() {
            Some("tok_declined") => {
                (known.status, known.decline_code) = (PaymentState::Failed, Some("declined".to_owned()));
            }
            Some("tok_3ds") => {
                known.status = PaymentState::RequiresAction;
                known.next_action =
                    Some(NextAction { kind: "redirect".into(), url: "https://bank.example/".into() });
            }
            Some("tok_timeout") => {
                return Err(Error::new(Kind::Unavailable, "payment_unknown", "silence"));
            }
            _ => (known.status, known.authorized) = (PaymentState::Authorized, ask.amount),
        }
        Ok(known.clone())
    }

    fn payment(&mut self, order: OrderId) -> Result<&mut Payment> {
        self.news += 1;
        self.payments.get_mut(&order).ok_or_else(PaymentId::not_found)
    }

    fn capture(&mut self, order: OrderId, id: CaptureId, amount: Money) -> Result<Payment> {
        let known = self.captures.contains(&id);
        let payment = self.payment(order)?;
        if !known {
            let captured = payment.captured.add(amount)?;
            if captured.amount > payment.authorized.amount {
                return Err(Error::invalid("", "amount_exceeds_authorized", "too much"));
            }
            (payment.captured, payment.status) = (captured, PaymentState::Captured);
        }
        let payment = payment.clone();
        self.captures.insert(id);
        Ok(payment)
    }

    fn void(&mut self, order: OrderId) -> Result<Payment> {
        self.news += 1;
        // Nothing was begun: a stone that keeps it so.
        let payment = self.payments.entry(order).or_insert_with(|| stone(order));
        match payment.status {
            PaymentState::Captured | PaymentState::Refunded | PaymentState::Failed => {}
            _ => (payment.status, payment.next_action) = (PaymentState::Voided, None),
        }
        Ok(payment.clone())
    }

    fn refund(&mut self, order: OrderId, id: RefundId, amount: Money) -> Result<Payment> {
        let known = self.refunds.contains(&id);
        let payment = self.payment(order)?;
        if !known {
            let refunded = payment.refunded.add(amount)?;
            if refunded.amount > payment.captured.amount {
                return Err(Error::invalid("", "amount_exceeds_captured", "too much"));
            }
            payment.refunded = refunded;
            if refunded == payment.captured {
                payment.status = PaymentState::Refunded;
            }
        }
        let payment = payment.clone();
        self.refunds.insert(id);
        Ok(payment)
    }

    /// The shopper has answered their bank.
    pub fn confirm(&mut self, order: OrderId, accept: bool) {
        let payment = self.payment(order).expect("a payment");
        if payment.status == PaymentState::RequiresAction {
            payment.next_action = None;
            if accept {
                (payment.status, payment.authorized) = (PaymentState::Authorized, payment.amount);
            } else {
                payment.status = PaymentState::Failed;
            }
        }
    }

    fn create_shipment(&mut self, new: NewShipment) -> Shipment {
        let event =
            |status, actor| TrackingEvent { status, description: None, actor, at: Time::from_micros(0) };
        let shipment = self.shipments.entry(new.id).or_insert_with(|| Shipment {
            id: new.id,
            order_id: new.order_id,
            status: ShipmentStatus::Shipped,
            carrier: new.carrier,
            tracking_number: new.tracking_number.clone(),
            tracking_url: new.tracking_number.map(|number| format!("https://track.example/{number}")),
            lines: new.lines,
            events: vec![event(ShipmentStatus::Shipped, new.actor)],
            created_at: Time::from_micros(0),
        });
        shipment.clone()
    }

    pub fn update_shipment(
        &mut self,
        id: ShipmentId,
        update: ShipmentUpdate,
        actor: Actor,
    ) -> Result<Shipment> {
        let shipment = self.shipments.get_mut(&id).ok_or_else(ShipmentId::not_found)?;
        if update.status < shipment.status {
            return Err(Error::illegal_transition("a shipment", "later", "earlier"));
        }
        if update.status > shipment.status {
            shipment.status = update.status;
            let event =
                TrackingEvent { status: update.status, description: None, actor, at: Time::from_micros(0) };
            shipment.events.push(event);
        }
        Ok(shipment.clone())
    }
}

fn stone(order_id: OrderId) -> Payment {
    let (amount, email) = (eur(0), "none@example.com".parse().expect("an address"));
    payment(&Authorize { order_id, amount, provider: "none".into(), token: None, email })
}

fn payment(ask: &Authorize) -> Payment {
    Payment {
        id: PaymentId::new(),
        order_id: ask.order_id,
        provider: ask.provider.clone(),
        reference: None,
        status: PaymentState::Pending,
        amount: ask.amount,
        authorized: eur(0),
        captured: eur(0),
        refunded: eur(0),
        next_action: None,
        decline_code: None,
        created_at: Time::from_micros(0),
        updated_at: Time::from_micros(0),
    }
}

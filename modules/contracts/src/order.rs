//! Orders: the checkout saga, the states, the timeline.

use serde::{Deserialize, Serialize};
use shared::{Currency, Id, Money, Page, PageRequest, Time, events::Event, ids::Entity, port, values::Email};

use crate::{
    Actor, Address,
    cart::{CartId, Discount, LineId, PricedLine, TaxLine},
    customer::CustomerId,
    payment::{NextAction, PaymentState, RefundId},
    shipping::{MethodId, Shipment, ShipmentId, ShipmentLine, ShipmentUpdate, ShippingOption},
};

/// Names an order.
pub enum OrderEntity {}
impl Entity for OrderEntity {
    const PREFIX: &'static str = "ord";
    const NOUN: &'static str = "order";
}
/// An order's id. It carries the hash bucket of its customer, so that it names its shard.
pub type OrderId = Id<OrderEntity>;

port! {
    /// Orders.
    pub trait Orders as "order" repeats [checkout, find, track, list, cancel, capture, refund, ship, summary, transitions, import] {
        /// Turns a cart into an order: priced, reserved, claimed, authorised, captured. One order per cart version and per
        /// key; repeated with the same key it returns that order. Answers when the order is placed or needs the shopper
        /// (`payment.next_action`). `Conflict/out_of_stock`, `Conflict/coupon_exhausted`, `Declined/payment_declined`,
        /// `Conflict/price_changed` with `total` when that is not `expected_total`, `Conflict/cart_completed`,
        /// `Unavailable/payment_unknown` when the provider stays silent (the order goes on or is cancelled by itself; ask
        /// again with the same key).
        async fn checkout(&self, request: Checkout, principal: Principal) -> Order;
        /// `NotFound` for other people's orders.
        async fn find(&self, id: OrderId, viewer: Viewer) -> Order;
        /// By the number on the mail, with the address as the proof.
        async fn track(&self, number: String, email: Email) -> Order;
        /// Newest first.
        async fn list(&self, filter: OrderFilter, page: PageRequest) -> Page<OrderSummary>;
        /// Before anything is shipped: releases or restocks, voids or refunds. `Conflict/illegal_transition` after.
        /// Idempotent.
        async fn cancel(&self, id: OrderId, reason: Option<String>, viewer: Viewer) -> Order;
        /// Captures `amount`, or all that is authorised. `key` makes it happen once.
        async fn capture(&self, id: OrderId, amount: Option<Money>, key: String, actor: Actor) -> Order;
        /// Refunds an amount, or lines (with restock), or all that is captured. `key` makes it happen once.
        /// `Invalid/amount_exceeds_captured`, `Invalid/quantity_exceeds_remaining`.
        async fn refund(&self, id: OrderId, refund: NewRefund, key: String, actor: Actor) -> Order;
        /// Sends lines. `Invalid/quantity_exceeds_remaining`, `Conflict/illegal_transition` unless placed and paid.
        async fn ship(&self, id: OrderId, shipment: NewOrderShipment, key: String, actor: Actor) -> Order;
        /// News of a parcel.
        async fn update_shipment(&self, id: ShipmentId, update: ShipmentUpdate, actor: Actor) -> Order;
        /// Adds a note that only staff see.
        async fn add_note(&self, id: OrderId, text: String, actor: Actor) -> Order;
        /// Totals of a period, for the overview. Counted from placed orders.
        async fn summary(&self, from: Time, to: Time) -> SalesSummary;
        /// Legal moves of every state, as published in the documentation.
        async fn transitions(&self) -> Vec<TransitionTable>;
        /// Demo data: orders of the past, without events or mails. Known ids are left alone.
        async fn import(&self, orders: Vec<ImportOrder>) -> u32;
    }
}

/// Who asks for an order.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "viewer", content = "id", rename_all = "snake_case")]
pub enum Viewer {
    /// Sees their own.
    Customer(CustomerId),
    /// Holds the order's token.
    Token(String),
    /// Sees all.
    Staff(CustomerId),
    /// A module of ours.
    System,
}

/// Who checks out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Principal {
    pub customer_id: Option<CustomerId>,
    /// The group of the account, whose prices apply.
    #[serde(default)]
    pub group: Option<String>,
    /// The client's `Idempotency-Key`.
    pub key: String,
}

/// Wants to buy the cart.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Checkout {
    pub cart_id: CartId,
    pub email: Email,
    pub shipping_address: Address,
    /// The shipping address when absent.
    #[serde(default)]
    pub billing_address: Option<Address>,
    pub shipping_option_id: MethodId,
    pub payment: CheckoutPayment,
    /// The total that the shopper was shown, shipping included; an order that would cost anything else is refused.
    #[serde(default)]
    pub expected_total: Option<Money>,
}

/// How to pay.
#[derive(Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckoutPayment {
    /// `test` or `stripe`.
    pub provider: String,
    /// The provider's name for a card; never a card number.
    #[serde(default)]
    pub token: Option<String>,
}

impl std::fmt::Debug for CheckoutPayment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.provider)
    }
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    Pending,
    Placed,
    Completed,
    Cancelled,
}

/// Where its money is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderPaymentStatus {
    Awaiting,
    Authorized,
    Captured,
    PartiallyRefunded,
    Refunded,
    Failed,
    Disputed,
}

/// Where its goods are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FulfillmentStatus {
    Unfulfilled,
    PartiallyShipped,
    Shipped,
    Delivered,
    Returned,
}

/// An order. `total = subtotal - discount_total + shipping_total`, plus `tax_total` unless `prices_include_tax`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Order {
    pub id: OrderId,
    /// For people: `B-7K2Q-9XM4`.
    pub number: String,
    /// Reads the order without an account. Shown to those who may see the order.
    pub token: String,
    pub cart_id: CartId,
    pub customer_id: Option<CustomerId>,
    pub email: Email,
    pub status: OrderStatus,
    pub payment_status: OrderPaymentStatus,
    pub fulfillment_status: FulfillmentStatus,
    pub currency: Currency,
    pub lines: Vec<OrderLine>,
    pub shipping_address: Address,
    pub billing_address: Address,
    pub shipping: ShippingOption,
    pub discounts: Vec<Discount>,
    pub subtotal: Money,
    pub discount_total: Money,
    pub shipping_total: Money,
    pub tax_total: Money,
    pub total: Money,
    pub prices_include_tax: bool,
    pub tax_lines: Vec<TaxLine>,
    pub captured_total: Money,
    pub refunded_total: Money,
    pub payment: OrderPayment,
    pub shipments: Vec<Shipment>,
    pub refunds: Vec<Refund>,
    pub timeline: Vec<TimelineEntry>,
    /// Why it was cancelled: `out_of_stock`, `payment_declined`, `customer`, …
    pub cancel_reason: Option<String>,
    pub created_at: Time,
    pub placed_at: Option<Time>,
    pub updated_at: Time,
    pub version: i64,
}

/// A line of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OrderLine {
    #[serde(flatten)]
    pub line: PricedLine,
    pub shipped_quantity: i64,
    pub refunded_quantity: i64,
}

/// How it is paid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OrderPayment {
    pub provider: String,
    pub status: PaymentState,
    /// What the shopper must do before the order can be placed.
    pub next_action: Option<NextAction>,
    pub decline_code: Option<String>,
}

/// Money that went back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Refund {
    pub id: RefundId,
    pub amount: Money,
    pub lines: Vec<RefundLine>,
    pub reason: String,
    /// `pending`, `succeeded` or `failed`.
    pub status: String,
    pub actor: Actor,
    pub created_at: Time,
}

/// Wants money to go back: an amount, or lines, or neither for everything.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRefund {
    #[serde(default)]
    pub amount: Option<Money>,
    #[serde(default)]
    pub lines: Vec<RefundLine>,
    pub reason: String,
}

/// A line that comes back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundLine {
    pub line_id: LineId,
    pub quantity: i64,
    /// Back into stock?
    #[serde(default)]
    pub restock: bool,
}

/// Wants lines to be sent.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrderShipment {
    pub lines: Vec<ShipmentLine>,
    #[serde(default)]
    pub carrier: Option<String>,
    #[serde(default)]
    pub tracking_number: Option<String>,
}

/// Something happened to an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TimelineEntry {
    pub at: Time,
    /// `status`, `payment_status`, `fulfillment_status`, `note`, `refund`, `shipment`.
    pub kind: String,
    pub from: Option<String>,
    pub to: Option<String>,
    pub message: Option<String>,
    pub actor: Actor,
}

/// Which orders.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct OrderFilter {
    pub customer_id: Option<CustomerId>,
    pub status: Option<OrderStatus>,
    pub payment_status: Option<OrderPaymentStatus>,
    pub fulfillment_status: Option<FulfillmentStatus>,
    /// A number or the start of an e-mail address.
    pub q: Option<String>,
    pub placed_from: Option<Time>,
    pub placed_to: Option<Time>,
}

/// An order in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OrderSummary {
    pub id: OrderId,
    pub number: String,
    pub customer_id: Option<CustomerId>,
    pub email: Email,
    pub name: String,
    pub status: OrderStatus,
    pub payment_status: OrderPaymentStatus,
    pub fulfillment_status: FulfillmentStatus,
    pub total: Money,
    pub units: i64,
    pub created_at: Time,
    pub placed_at: Option<Time>,
}

/// Totals of a period, one entry per currency where money is meant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SalesSummary {
    pub orders: i64,
    pub units: i64,
    /// Sum of the orders' totals.
    pub gross: Vec<Money>,
    pub refunded: Vec<Money>,
    /// `gross - refunded`.
    pub net: Vec<Money>,
    /// Net sales by UTC day, `YYYY-MM-DD`.
    pub days: Vec<DaySales>,
    pub best_sellers: Vec<BestSeller>,
}

/// One day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DaySales {
    pub day: String,
    pub orders: i64,
    pub gross: Money,
}

/// A product that sells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BestSeller {
    pub product_id: crate::product::ProductId,
    pub title: String,
    pub units: i64,
    pub gross: Money,
}

/// The legal moves of one state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TransitionTable {
    /// `status`, `payment_status`, `fulfillment_status`.
    pub state: String,
    pub moves: Vec<Transition>,
}

/// A legal move.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Transition {
    pub from: String,
    pub to: String,
}

/// An order of the past.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportOrder {
    /// Fixed by the seed, so that a repeated import changes nothing.
    pub seed: String,
    pub email: Email,
    pub customer_id: Option<CustomerId>,
    pub address: Address,
    pub currency: Currency,
    pub lines: Vec<PricedLine>,
    pub shipping: ShippingOption,
    pub tax_lines: Vec<TaxLine>,
    pub tax_total: Money,
    pub placed_at: Time,
    /// Placed and unfulfilled, or shipped, or delivered and completed.
    pub fulfillment_status: FulfillmentStatus,
}

impl ImportOrder {
    /// The id that the import gives it.
    pub fn id(&self) -> OrderId {
        OrderId::derived(&self.seed)
    }
}

/// The order is placed: stock sold, money taken.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OrderPlaced {
    pub order: Order,
}
impl Event for OrderPlaced {
    const TYPE: &'static str = "order.placed";
}

/// The order will not be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OrderCancelled {
    pub order: Order,
    /// False when the shopper was told in the checkout's answer.
    pub tell_shopper: bool,
}
impl Event for OrderCancelled {
    const TYPE: &'static str = "order.cancelled";
}

/// A parcel of the order is on its way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OrderShipped {
    pub order: Order,
    pub shipment: Shipment,
}
impl Event for OrderShipped {
    const TYPE: &'static str = "order.shipped";
}

/// A parcel of the order has arrived: reviews of these lines are verified.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OrderDelivered {
    pub order: Order,
    pub shipment: Shipment,
}
impl Event for OrderDelivered {
    const TYPE: &'static str = "order.delivered";
}

/// Money went back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OrderRefunded {
    pub order: Order,
    pub refund: Refund,
}
impl Event for OrderRefunded {
    const TYPE: &'static str = "order.refunded";
}

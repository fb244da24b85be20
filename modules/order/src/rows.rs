//! The rows, and the two ways a value becomes text in them.

use contracts::{
    Actor, Address,
    cart::{CartId, Discount, LineId, PricedLine, TaxLine},
    customer::CustomerId,
    order::{
        FulfillmentStatus, OrderId, OrderPayment, OrderPaymentStatus, OrderStatus, Refund, RefundLine,
        TimelineEntry,
    },
    payment::RefundId,
    product::{ProductId, VariantId},
    shipping::{Shipment, ShipmentId, ShipmentStatus, ShippingOption},
};
use diesel::{
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::{Pg, PgValue},
    prelude::*,
    serialize::{self, IsNull, Output, ToSql},
    sql_types::Text,
    sqlite::Sqlite,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use shared::{Currency, Money, Time, values::Email};

use crate::{
    model::Progress,
    saga::{Kind, Payload, SagaId, SagaState, Step},
    schema::{order_lines, order_refunds, order_sagas, order_shipments, order_timeline, orders},
};

/// A value that is JSON in its column.
#[derive(Clone, Debug, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct Json<T>(pub T);

/// A value whose JSON is a string, without the quotes in its column: `placed`, `EUR`.
#[derive(Clone, Copy, Debug, PartialEq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct Word<T>(pub T);

/// The word of a value whose JSON is a string.
pub fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => unreachable!("only values that are a string in JSON are words"),
    }
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

fn json<T: DeserializeOwned>(text: &str) -> Result<Json<T>, Failed> {
    Ok(Json(serde_json::from_str(text)?))
}

fn unword<T: DeserializeOwned>(text: String) -> Result<Word<T>, Failed> {
    Ok(Word(serde_json::from_value(serde_json::Value::String(text))?))
}

impl<T: Serialize + std::fmt::Debug> ToSql<Text, Pg> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        serde_json::to_writer(out, &self.0)?;
        Ok(IsNull::No)
    }
}
impl<T: Serialize + std::fmt::Debug> ToSql<Text, Sqlite> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.0)?);
        Ok(IsNull::No)
    }
}
impl<T: DeserializeOwned> FromSql<Text, Pg> for Json<T> {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        json(&<String as FromSql<Text, Pg>>::from_sql(bytes)?)
    }
}
impl<T: DeserializeOwned> FromSql<Text, Sqlite> for Json<T> {
    fn from_sql(bytes: <Sqlite as diesel::backend::Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        json(&<String as FromSql<Text, Sqlite>>::from_sql(bytes)?)
    }
}
impl<T: Serialize + std::fmt::Debug> ToSql<Text, Pg> for Word<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        std::io::Write::write_all(out, word(&self.0).as_bytes())?;
        Ok(IsNull::No)
    }
}
impl<T: Serialize + std::fmt::Debug> ToSql<Text, Sqlite> for Word<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(word(&self.0));
        Ok(IsNull::No)
    }
}
impl<T: DeserializeOwned> FromSql<Text, Pg> for Word<T> {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        unword(<String as FromSql<Text, Pg>>::from_sql(bytes)?)
    }
}
impl<T: DeserializeOwned> FromSql<Text, Sqlite> for Word<T> {
    fn from_sql(bytes: <Sqlite as diesel::backend::Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        unword(<String as FromSql<Text, Sqlite>>::from_sql(bytes)?)
    }
}

/// Where it goes and who pays: personal, and pseudonymised together.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Addresses {
    pub shipping: Address,
    pub billing: Address,
}

/// What the sums are made of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pricing {
    pub shipping: ShippingOption,
    pub discounts: Vec<Discount>,
    pub tax_lines: Vec<TaxLine>,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = orders, treat_none_as_null = true, check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub struct OrderRow {
    pub id: OrderId,
    pub number: String,
    pub cart_id: CartId,
    pub cart_version: i64,
    pub checkout_key: String,
    pub customer_id: Option<CustomerId>,
    pub email: Word<Email>,
    pub name: String,
    pub status: Word<OrderStatus>,
    pub payment_status: Word<OrderPaymentStatus>,
    pub fulfillment_status: Word<FulfillmentStatus>,
    pub currency: Word<Currency>,
    pub addresses: Json<Addresses>,
    pub pricing: Json<Pricing>,
    pub payment: Json<OrderPayment>,
    pub payment_sequence: i64,
    pub subtotal: i64,
    pub discount_total: i64,
    pub shipping_total: i64,
    pub tax_total: i64,
    pub total: i64,
    pub captured_total: i64,
    pub refunded_total: i64,
    pub prices_include_tax: bool,
    pub line_count: i64,
    pub units: i64,
    pub cancel_reason: Option<String>,
    pub created_at: Time,
    pub placed_at: Option<Time>,
    pub updated_at: Time,
    pub version: i64,
}

impl OrderRow {
    pub fn money(&self, amount: i64) -> Money {
        Money::new(amount, self.currency.0)
    }

    pub fn total(&self) -> Money {
        self.money(self.total)
    }

    /// Placed, or placed and done.
    pub fn is_placed(&self) -> bool {
        matches!(self.status.0, OrderStatus::Placed | OrderStatus::Completed)
    }
}

/// The part of an order that lists show.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = orders, check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub struct SummaryRow {
    pub id: OrderId,
    pub number: String,
    pub customer_id: Option<CustomerId>,
    pub email: Word<Email>,
    pub name: String,
    pub status: Word<OrderStatus>,
    pub payment_status: Word<OrderPaymentStatus>,
    pub fulfillment_status: Word<FulfillmentStatus>,
    pub currency: Word<Currency>,
    pub total: i64,
    pub units: i64,
    pub created_at: Time,
    pub placed_at: Option<Time>,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = order_lines, check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub struct LineRow {
    pub order_id: OrderId,
    pub id: LineId,
    pub position: i64,
    pub product_id: ProductId,
    pub variant_id: VariantId,
    pub title: String,
    pub quantity: i64,
    pub total: i64,
    pub shipped_quantity: i64,
    pub refunded_quantity: i64,
    /// Units of refunds that the provider has not confirmed.
    pub refunding_quantity: i64,
    pub line: Json<PricedLine>,
}

impl LineRow {
    pub fn new(order_id: OrderId, position: usize, line: PricedLine) -> Self {
        Self {
            order_id,
            id: line.id,
            position: i64::try_from(position).unwrap_or(i64::MAX),
            product_id: line.product_id,
            variant_id: line.variant_id,
            title: line.title.clone(),
            quantity: line.quantity,
            total: line.total.amount,
            shipped_quantity: 0,
            refunded_quantity: 0,
            refunding_quantity: 0,
            line: Json(line),
        }
    }

    pub fn progress(&self) -> Progress {
        Progress { quantity: self.quantity, shipped: self.shipped_quantity, refunded: self.refunded_quantity }
    }
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = order_timeline, check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub struct TimelineRow {
    pub order_id: OrderId,
    /// The version of the order that it came with.
    pub version: i64,
    pub position: i64,
    pub at: Time,
    pub kind: String,
    pub moved_from: Option<String>,
    pub moved_to: Option<String>,
    pub message: Option<String>,
    pub actor: String,
}

impl From<TimelineRow> for TimelineEntry {
    fn from(row: TimelineRow) -> Self {
        Self {
            at: row.at,
            kind: row.kind,
            from: row.moved_from,
            to: row.moved_to,
            message: row.message,
            actor: Actor::from_column(&row.actor),
        }
    }
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = order_refunds, check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub struct RefundRow {
    pub id: RefundId,
    pub order_id: OrderId,
    pub amount: i64,
    pub lines: Json<Vec<RefundLine>>,
    pub reason: String,
    pub status: String,
    pub actor: String,
    pub created_at: Time,
}

impl RefundRow {
    pub fn refund(self, currency: Currency) -> Refund {
        Refund {
            id: self.id,
            amount: Money::new(self.amount, currency),
            lines: self.lines.0,
            reason: self.reason,
            status: self.status,
            actor: Actor::from_column(&self.actor),
            created_at: self.created_at,
        }
    }
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = order_shipments, check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub struct ShipmentRow {
    pub id: ShipmentId,
    pub order_id: OrderId,
    /// The last that the shipping module said of it.
    pub shipment: Json<Shipment>,
    pub status: Word<ShipmentStatus>,
    pub created_at: Time,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = order_sagas, check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub struct SagaRow {
    pub id: SagaId,
    pub order_id: OrderId,
    pub kind: Word<Kind>,
    pub state: Word<SagaState>,
    pub step: Word<Step>,
    pub version: i64,
    pub attempts: i64,
    /// Not before this moment may anybody else drive it.
    pub next_at: Time,
    pub deadline: Time,
    pub payload: Json<Payload>,
    pub created_at: Time,
    pub updated_at: Time,
}

/// An order with everything that belongs to it.
#[derive(Clone, Debug)]
pub struct Record {
    pub row: OrderRow,
    pub lines: Vec<LineRow>,
    pub timeline: Vec<TimelineRow>,
    pub refunds: Vec<RefundRow>,
    pub shipments: Vec<ShipmentRow>,
}
